//! The observations of a drill on their way to a series store: columns of an hour, written by a worker of its own.
//!
//! In: judged observations. Out: appended columns. The way there holds a few hours at most; when it is full the drill
//! waits. Nothing of it reaches the journal.

use crate::model::{Observation, SeriesId};
use crate::store::series::{EmbeddedSeries, SeriesBatch, SeriesError, SeriesLimits, SeriesStore};
use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Bundles that may wait.
const WAITING: usize = 4;
/// Points of a bundle, about an hour of a reach.
const BUNDLE: usize = 60_000;

/// The observations of a drill could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum ShelfFault {
    /// The store refuses.
    #[error("the observations of the drill cannot be kept (演练观测值无法入库)")]
    Store(#[from] SeriesError),
    /// No worker can be had from the system.
    #[error("演练观测值的写入线程未能启动 (no worker for the observations of the drill)")]
    Worker(#[source] std::io::Error),
    /// The worker is gone.
    #[error("演练观测值的写入线程已结束 (the worker that keeps the observations of the drill has ended)")]
    Gone,
}

/// Columns that fill up, and the worker behind them.
#[derive(Debug)]
pub struct Shelf {
    /// Only asked by id; never walked.
    index: HashMap<SeriesId, usize>,
    columns: Vec<SeriesBatch>,
    /// The column after the last one filled: minute after minute the series come in the same order.
    likely: usize,
    points: usize,
    out: SyncSender<Vec<SeriesBatch>>,
    worker: JoinHandle<Result<u64, ShelfFault>>,
}

impl Shelf {
    /// Over a new store in this file.
    ///
    /// # Errors
    /// When the system gives no worker; what the store refuses comes with [`Self::finish`].
    pub fn open(file: &Path) -> Result<Self, ShelfFault> {
        let (out, bundles) = sync_channel(WAITING);
        let file = file.to_owned();
        let worker = std::thread::Builder::new()
            .name("drill-shelf".into())
            .spawn(move || keep(&file, &bundles))
            .map_err(ShelfFault::Worker)?;
        Ok(Self { index: HashMap::new(), columns: Vec::new(), likely: 0, points: 0, out, worker })
    }

    /// Takes observations in.
    ///
    /// # Errors
    /// When the worker has ended.
    pub fn put(&mut self, observations: Vec<Observation>) -> Result<(), ShelfFault> {
        self.points += observations.len();
        for seen in observations {
            let place = self.place_of(&seen.series);
            self.likely = place + 1;
            let Some(column) = self.columns.get_mut(place) else { continue };
            column.at_ms.push(seen.at.timestamp_millis());
            column.values.push(seen.value);
            column.quality.push(seen.quality);
        }
        if self.points >= BUNDLE { self.send() } else { Ok(()) }
    }

    fn place_of(&mut self, series: &SeriesId) -> usize {
        if self.columns.get(self.likely).is_some_and(|column| column.series == *series) {
            return self.likely;
        }
        match self.index.get(series) {
            Some(place) => *place,
            None => self.admit(series),
        }
    }

    fn admit(&mut self, series: &SeriesId) -> usize {
        let place = self.columns.len();
        self.index.insert(series.clone(), place);
        self.columns.push(empty(series));
        place
    }

    fn send(&mut self) -> Result<(), ShelfFault> {
        self.points = 0;
        let full = |column: &mut SeriesBatch| {
            (!column.values.is_empty()).then(|| {
                let next = empty(&column.series);
                std::mem::replace(column, next)
            })
        };
        let bundle = self.columns.iter_mut().filter_map(full).collect();
        self.out.send(bundle).map_err(|_| ShelfFault::Gone)
    }

    /// Writes the rest; gives the number of points kept.
    ///
    /// # Errors
    /// What the store refused.
    pub fn finish(mut self) -> Result<u64, ShelfFault> {
        let sent = self.send();
        let Self { out, worker, .. } = self;
        drop(out);
        // The worker knows better than the sender why it ended.
        let kept = worker.join().map_err(|_| ShelfFault::Gone)??;
        sent.map(|()| kept)
    }
}

fn empty(series: &SeriesId) -> SeriesBatch {
    let room = 64;
    SeriesBatch {
        series: series.clone(),
        at_ms: Vec::with_capacity(room),
        values: Vec::with_capacity(room),
        quality: Vec::with_capacity(room),
    }
}

fn keep(file: &Path, bundles: &Receiver<Vec<SeriesBatch>>) -> Result<u64, ShelfFault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ShelfFault::Worker)?;
    runtime.block_on(async {
        let store = EmbeddedSeries::open(file, SeriesLimits::default()).await?;
        let mut kept = 0;
        while let Ok(bundle) = bundles.recv() {
            kept += store.append_columns(&bundle).await?.points as u64;
        }
        store.close().await;
        Ok(kept)
    })
}
