//! Where a measured protocol ends: judged and durable, as in the server, without screens and levels.

use crate::ingest::{IntakeError, Sink, sift};
use crate::model::{Observation, Reading};
use crate::quality::{Judge, QualityTable};
use crate::store::series::{EmbeddedSeries, SeriesLimits, SeriesStore};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Judge and store; counts its writes.
pub(super) struct JudgedStore {
    judge: Mutex<Judge>,
    store: EmbeddedSeries,
    writes: AtomicU64,
}

#[async_trait]
impl Sink for JudgedStore {
    async fn keep(&self, readings: Vec<Reading>) -> Result<(), IntakeError> {
        // As the intake does it: what contradicts a stored value is not stored.
        let sifted = sift(readings, "bench", &[], &self.store).await;
        if let Some((_, fault)) = sifted.unread {
            return Err(IntakeError::Store(fault));
        }
        let judged = self.judge(&sifted.fresh);
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.store.append(&judged).await.map(|_durable| ()).map_err(IntakeError::Store)
    }
}

impl JudgedStore {
    pub(super) async fn open(path: &Path) -> Result<Arc<Self>, Box<dyn Error>> {
        let store = EmbeddedSeries::open(path, SeriesLimits::default()).await?;
        let judge = Mutex::new(Judge::new(QualityTable::new(), BTreeMap::new()));
        Ok(Arc::new(Self { judge, store, writes: AtomicU64::default() }))
    }
    /// Appends so far.
    pub(super) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }
    /// Points that the store holds after points of the same moment were merged.
    pub(super) async fn merged_points(&self) -> Result<u64, Box<dyn Error>> {
        self.store.seal().await?;
        self.store.tidy().await?;
        self.points().await
    }
    /// Points that the store holds; those that came twice may count twice.
    pub(super) async fn points(&self) -> Result<u64, Box<dyn Error>> {
        Ok(self.store.stats().await?.points)
    }
    fn judge(&self, readings: &[Reading]) -> Vec<Observation> {
        let mut judge = self.judge.lock().unwrap_or_else(PoisonError::into_inner);
        let mut judged = Vec::with_capacity(readings.len());
        for reading in readings {
            judge.judge_into(reading, &mut judged);
        }
        judged
    }
}
