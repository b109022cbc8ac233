//! A remote store behind the embedded one: acknowledged here, kept there as well.
//!
//! In: observations, as for every store. Out: [`Durable`] once they are on this machine's disk, whatever the remote store
//! does; the remote store gets them in order of arrival, oldest first, as often as it takes. While it is away everything
//! goes on: the spool is this store's own journal (see `spool`), recent spans are answered from here, and [`RelayState`] says
//! since which entry it waits. What is older than this store is asked of the remote one.

use super::embedded::{EmbeddedSeries, SeriesLimits};
use super::influx::{InfluxSeries, InfluxSettings};
use super::points::Points;
use super::rollup::Rollup;
use super::{
    Correction, DamagedSpan, Durable, Sample, SeriesBatch, SeriesError, SeriesFacts, SeriesStats, SeriesStore, Step,
};
use crate::model::{Observation, SeriesId, Timestamp};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Bytes of journal entries that are sent before their arrival is noted; about 30,000 points.
const PORTION_BYTES: usize = 256 << 10;
/// Span of one series that is read at once when a gap is sent again: 10 days.
const GAP_STEP_MS: i64 = 10 * 86_400_000;
/// Longest that an intake waits for the remote store's past.
const AT_HAND: Duration = Duration::from_secs(2);
/// How long a remote store that could not be read is not asked again by an intake.
const UNREAD_FOR: Duration = Duration::from_secs(30);
/// Longest that a server's wish to be left alone is heeded.
const TOLD_MAX: Duration = Duration::from_secs(3600);

/// How the relay goes about its work.
#[derive(Debug, Clone)]
pub struct RelaySettings {
    /// Most bytes of journal that wait for the remote store.
    pub spool_bytes: u64,
    /// First pause after a failure; doubled each time.
    pub pause: Duration,
    /// Longest pause.
    pub pause_max: Duration,
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self { spool_bytes: 2 << 30, pause: Duration::from_millis(500), pause_max: Duration::from_secs(30) }
    }
}

/// How the remote store is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelayState {
    /// Whether anything was tried since the start; before that the rest says nothing of the remote store.
    pub tried: bool,
    /// Why nothing arrives there now; `None` while all goes well.
    pub away: Option<String>,
    /// Bytes of journal that wait for it.
    pub waiting_bytes: u64,
    /// The spool was full: a span goes again out of this store's chunks.
    pub gap: bool,
    /// Lines that the remote store refused since its file was begun.
    pub refused: u64,
}

/// The embedded store with a remote one behind it.
#[derive(Debug)]
pub struct RelayedSeries {
    local: Arc<EmbeddedSeries>,
    remote: Arc<InfluxSeries>,
    state: watch::Sender<RelayState>,
    settings: RelaySettings,
    /// When it could last not be read by an intake.
    unread: Mutex<Option<Instant>>,
}

impl RelayedSeries {
    /// Opens the store at `path` with the remote one of `influx` behind it; that one is not asked for anything yet.
    ///
    /// # Errors
    /// As [`EmbeddedSeries::open`], and when the settings of the remote store cannot be used.
    pub async fn open(
        path: &Path,
        limits: SeriesLimits,
        influx: InfluxSettings,
        settings: RelaySettings,
        now: Timestamp,
    ) -> Result<Self, SeriesError> {
        let remote = Arc::new(InfluxSeries::new(influx)?);
        let local = Arc::new(EmbeddedSeries::open_spooled(path, limits, settings.spool_bytes, now).await?);
        let relayed = Self { local, remote, state: watch::Sender::default(), settings, unread: Mutex::default() };
        relayed.state.send_replace(relayed.seen(None));
        Ok(relayed)
    }

    /// The store on this machine.
    pub fn local(&self) -> &Arc<EmbeddedSeries> {
        &self.local
    }

    /// How the remote store is doing, now and from now on.
    pub fn state(&self) -> watch::Receiver<RelayState> {
        self.state.subscribe()
    }

    /// The address of the remote store.
    pub fn remote_url(&self) -> &str {
        self.remote.url()
    }

    /// Sends what waits until `stop` is cancelled.
    pub async fn relay(self: Arc<Self>, stop: CancellationToken) {
        let mut pause = self.settings.pause;
        loop {
            let sent = tokio::select! {
                () = stop.cancelled() => return,
                sent = self.send_some() => sent,
            };
            self.tell(sent.as_ref().err());
            let rest = match sent {
                Ok(more) => {
                    pause = self.settings.pause;
                    if more {
                        continue;
                    }
                    None
                }
                Err(fault) => {
                    tracing::debug!(%fault, "the remote series store did not take points");
                    let rest = self.rest_after(&fault, pause).await;
                    pause = (pause * 2).min(self.settings.pause_max);
                    Some(rest)
                }
            };
            let wait = async {
                match rest {
                    Some(rest) => tokio::time::sleep(rest).await,
                    None => self.local.spool().news().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = wait => {}
            }
        }
    }

    /// How long to wait after a fault.
    async fn rest_after(&self, fault: &SeriesError, pause: Duration) -> Duration {
        match fault {
            SeriesError::RemoteAway { wait: Some(told), .. } => (*told).min(TOLD_MAX),
            SeriesError::RemoteClosed { .. } => {
                // A person must act; when the token file has a new one, it is used.
                self.remote.renew_token().await;
                self.settings.pause_max
            }
            _ => pause,
        }
    }

    fn seen(&self, fault: Option<&SeriesError>) -> RelayState {
        let spool = self.local.spool();
        RelayState {
            tried: false,
            away: fault.map(ToString::to_string),
            waiting_bytes: spool.bytes(),
            gap: spool.gap().is_some(),
            refused: self.remote.refused_lines(),
        }
    }

    fn tell(&self, fault: Option<&SeriesError>) {
        let now = RelayState { tried: true, ..self.seen(fault) };
        self.state.send_if_modified(|known| {
            let changed = *known != now;
            *known = now;
            changed
        });
    }

    /// Sends the oldest that waits; whether there may be more.
    async fn send_some(&self) -> Result<bool, SeriesError> {
        if let Some(gap) = self.local.spool().gap() {
            // Older than every entry that waits, so it goes first.
            self.send_gap(gap).await?;
            self.local.note_gap_sent(gap).await?;
            return Ok(true);
        }
        let Some(unsent) = self.local.unsent(PORTION_BYTES).await? else { return Ok(false) };
        self.remote.write_points(&unsent.points).await?;
        self.local.note_sent(unsent.through).await?;
        Ok(true)
    }

    /// Everything observed in a span of time, series by series, out of the store on this machine.
    async fn send_gap(&self, (from, to): (i64, i64)) -> Result<(), SeriesError> {
        for facts in self.local.list().await? {
            let Some((first, last)) = self.local.extent(&facts.series).await? else { continue };
            let (mut at, end) = (from.max(first), to.min(last));
            while at <= end {
                let until = at.saturating_add(GAP_STEP_MS).min(end.saturating_add(1));
                let points = self.local.points(&facts.series, at, until).await?;
                let points: Vec<_> = points.iter().map(|(at, v, code)| (facts.series.clone(), at, v, code)).collect();
                self.remote.write_points(&points).await?;
                at = until;
            }
        }
        Ok(())
    }

    /// Points of a span that this store alone cannot answer for: the remote ones, and over them what is here.
    async fn both(&self, series: &SeriesId, from: Timestamp, to: Timestamp) -> Result<Points, SeriesError> {
        let mut points = self.remote.points(series, from, to).await?;
        points.append(self.local.points(series, from.timestamp_millis(), to.timestamp_millis()).await?);
        Ok(points.merged())
    }
}

#[async_trait]
impl SeriesStore for RelayedSeries {
    async fn append(&self, batch: &[Observation]) -> Result<Durable, SeriesError> {
        self.local.append(batch).await
    }

    async fn append_columns(&self, batches: &[SeriesBatch]) -> Result<Durable, SeriesError> {
        self.local.append_columns(batches).await
    }

    async fn correct(&self, corrections: &[Correction]) -> Result<Durable, SeriesError> {
        self.local.correct(corrections).await
    }

    async fn range(
        &self,
        series: &SeriesId,
        from: Timestamp,
        to: Timestamp,
        step: Option<Step>,
    ) -> Result<Vec<Sample>, SeriesError> {
        let whole_from = self.local.spool().whole_from().unwrap_or(i64::MIN);
        if from >= to || from.timestamp_millis() >= whole_from {
            return self.local.range(series, from, to, step).await;
        }
        let step = step.map(Step::checked).transpose()?;
        let mut rollup = Rollup::new(step);
        for (at, value, code) in self.both(series, from, to).await?.iter() {
            rollup.take(at, value, code);
        }
        Ok(rollup.finish())
    }

    /// An outage holds up no reading: what the remote store does not say is not known, and sent again it does no harm there.
    async fn range_at_hand(
        &self,
        series: &SeriesId,
        from: Timestamp,
        to: Timestamp,
        step: Option<Step>,
    ) -> Result<Vec<Sample>, SeriesError> {
        let away = self.state.borrow().away.is_some();
        let unread = *self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        if !away && unread.is_none_or(|since| since.elapsed() > UNREAD_FOR) {
            match tokio::time::timeout(AT_HAND, self.range(series, from, to, step)).await {
                Ok(Err(fault)) if fault.is_remote() => tracing::debug!(%fault, "the past is not asked for"),
                Ok(known) => return known,
                Err(_late) => {}
            }
            *self.unread.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        self.local.range(series, from, to, step).await
    }

    /// The newest that this machine has seen.
    async fn latest(&self) -> Result<BTreeMap<SeriesId, Sample>, SeriesError> {
        self.local.latest().await
    }

    fn ends_before(&self, series: &SeriesId, at: Timestamp) -> bool {
        let whole_from = self.local.spool().whole_from().unwrap_or(i64::MIN);
        at.timestamp_millis() >= whole_from && self.local.ends_before(series, at)
    }

    fn damage(&self, series: Option<&SeriesId>, from: Timestamp, to: Timestamp) -> Vec<DamagedSpan> {
        self.local.damage(series, from, to)
    }

    fn no_room_for(&self, series: &BTreeSet<SeriesId>) -> Option<SeriesError> {
        self.local.no_room_for(series)
    }

    /// What this machine holds.
    async fn list(&self) -> Result<Vec<SeriesFacts>, SeriesError> {
        self.local.list().await
    }

    async fn stats(&self) -> Result<SeriesStats, SeriesError> {
        self.local.stats().await
    }
}
