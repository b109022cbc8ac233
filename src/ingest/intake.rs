//! From readings to facts: judge, make durable, evaluate, hand to the engine.
//!
//! In: batches of readings from pollers, and pushes that wait for an answer. Out: durable observations, the water as
//! screens show it, and evaluations for the engine. If the series store fails, observations wait here (bounded), the
//! level is evaluated all the same, and an alarm says so and why; when the waiting room is full, the oldest goes: the level goes on
//! with the river of now, and a restart needs the newest. Points of a series that the store has no room for are set aside and
//! counted, everything else is stored.

use super::Clock;
use super::aside::{Aside, AsideTold};
use super::sift::{SetAside, sift};
use crate::command::{Input, LastWord, Watch, Water};
use crate::forecast::{Forecast, ImportedForecast, PlanUse};
use crate::model::{Observation, PlaceId, Reading, SeriesId, Timestamp};
use crate::playbook::SignalKey;
use crate::store::series::{Aggregate, Sample, SeriesError, SeriesStore, Step};
use crate::store::{Engine, EngineError, Published};
use chrono::TimeDelta;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

const PUSHES: usize = 64;
const BATCHES_AT_ONCE: usize = 64;
/// Observations that wait for the store at most; about 20 MB. Few in tests.
const WAITING_MAX: usize = if cfg!(test) { 300 } else { 200_000 };
/// Points of one append.
const APPEND_MAX: usize = 50_000;
/// Hours that the board looks back, as after a restart.
const REMEMBER_H: i64 = 100;
/// Of these, hours in every point where a series is learnt anew.
const RECENT_H: i64 = 6;
/// Cause of the alarm that the series store is down.
const STORE: &str = "series-store";
/// Cause of the alarm that observations which waited for it were dropped.
const DROPPED: &str = "series-dropped";
/// Cause of the alarm that the store takes no further series.
const LIMIT: &str = "series-limit";
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Why a push was not taken.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The store did not keep it.
    #[error("时序库未写入 (the series store did not keep it)")]
    Store(#[source] SeriesError),
    /// The server is going down.
    #[error("系统正在停止 (the server is stopping)")]
    Stopping,
}

/// What a push brings.
enum Brought {
    /// Readings of now.
    Live(Vec<Reading>),
    /// Readings that a person brings afterwards: judged by themselves.
    Afterwards(Vec<Reading>),
    /// A signal that an event says holds at a place, from a moment on for a while.
    Signal(SignalKey, PlaceId, Timestamp, TimeDelta),
    /// The plans from elsewhere, as they stand after a change of that number.
    Plans(i64, Vec<ImportedForecast>),
    /// The past of a series was corrected in the store.
    Corrected(SeriesId),
    /// A question: what would these plans change?
    WhatIf(Vec<ImportedForecast>, oneshot::Sender<WouldUse>),
}

/// What becomes of forecasts from elsewhere, one by one, and the forecast that they would give.
pub type WouldUse = (Vec<PlanUse>, Option<Forecast>);

/// What became of readings that are settled: the others are new, judged and durable.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kept {
    /// The series had the same value at that moment already.
    pub known: usize,
    /// Their moments have other values: written down, not stored.
    pub set_aside: Vec<SetAside>,
}

struct Push {
    door: &'static str,
    brought: Brought,
    reply: oneshot::Sender<Result<Kept, IntakeError>>,
}

/// A handle for pushes.
#[derive(Debug, Clone)]
pub struct Intake {
    door: &'static str,
    pushes: mpsc::Sender<Push>,
    aside: Aside,
}

/// What an intake works with.
pub struct IntakeParts {
    /// Judge, board, forecast.
    pub watch: Watch,
    /// Where observations are kept.
    pub series: Arc<dyn SeriesStore>,
    /// The one writer.
    pub engine: Engine,
    /// Where screens read the water.
    pub water: Published<Water>,
    /// Clock of the reach.
    pub clock: Clock,
    /// Folder for what is set aside; it exists. Absent: it is only counted.
    pub folder: Option<PathBuf>,
}

impl Intake {
    /// Starts the worker over the pollers' queue; it ends when `stop` is cancelled.
    pub fn start(
        parts: IntakeParts,
        polled: mpsc::Receiver<Vec<Reading>>,
        stop: CancellationToken,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let (pushes, inbox) = mpsc::channel(PUSHES);
        let aside = Aside::new(parts.folder.clone());
        let worker = Worker {
            parts,
            waiting: Vec::new(),
            told: LastWord::default(),
            aside: aside.clone(),
            faults: Vec::new(),
            dropped: 0,
            surplus: BTreeSet::new(),
            without_room: 0,
        };
        (Self { door: "http", pushes, aside }, tokio::spawn(worker.run(polled, inbox, stop)))
    }

    /// The same for readings that come in by another door; its name stands beside what is set aside.
    #[must_use]
    pub fn at(&self, door: &'static str) -> Self {
        Self { door, ..self.clone() }
    }

    /// What was set aside since the start.
    pub fn aside(&self) -> AsideTold {
        self.aside.tell()
    }

    /// Takes readings in and waits until they are durable and evaluated, or known, or set aside.
    ///
    /// # Errors
    /// When the store fails or the server stops; the sender must send again.
    pub async fn take(&self, readings: Vec<Reading>) -> Result<Kept, IntakeError> {
        self.push(Brought::Live(readings)).await
    }

    /// Takes in what a person brings afterwards (a table): judged by itself, stored, and remembered as after a restart. Sorted
    /// by series and time.
    ///
    /// # Errors
    /// When the store fails or the server stops; it may be sent again as it is.
    pub async fn bring(&self, readings: Vec<Reading>) -> Result<Kept, IntakeError> {
        self.push(Brought::Afterwards(readings)).await
    }

    /// Takes in what an event says about a place; it is evaluated when this answers, and forgotten by a restart.
    ///
    /// # Errors
    /// When the server stops.
    pub async fn hear(
        &self,
        key: SignalKey,
        place: PlaceId,
        at: Timestamp,
        hold: TimeDelta,
    ) -> Result<(), IntakeError> {
        self.push(Brought::Signal(key, place, at, hold)).await.map(|_kept| ())
    }

    /// Takes in the plans and discharges forecast elsewhere, as they stand after change number `as_of`; they are durable elsewhere,
    /// and the level is evaluated with them when this answers.
    ///
    /// # Errors
    /// When the server stops.
    pub async fn use_plans(&self, as_of: i64, plans: Vec<ImportedForecast>) -> Result<(), IntakeError> {
        self.push(Brought::Plans(as_of, plans)).await.map(|_kept| ())
    }

    /// The past of a series was corrected in the store: it is learnt anew, and the level is evaluated when this answers.
    ///
    /// # Errors
    /// When the store cannot be read, or the server stops; it may be asked again.
    pub async fn relearn(&self, series: SeriesId) -> Result<(), IntakeError> {
        self.push(Brought::Corrected(series)).await.map(|_kept| ())
    }

    /// What forecasts from elsewhere would change; nothing is kept.
    ///
    /// # Errors
    /// When the server stops.
    pub async fn would_use(&self, plans: Vec<ImportedForecast>) -> Result<WouldUse, IntakeError> {
        let (told, found) = oneshot::channel();
        self.push(Brought::WhatIf(plans, told)).await?;
        found.await.map_err(|_| IntakeError::Stopping)
    }

    async fn push(&self, brought: Brought) -> Result<Kept, IntakeError> {
        let (reply, answer) = oneshot::channel();
        self.pushes.send(Push { door: self.door, brought, reply }).await.map_err(|_| IntakeError::Stopping)?;
        answer.await.map_err(|_| IntakeError::Stopping)?
    }
}

/// Readings at the moments that the store keeps, so that what is judged, stored and read back is one moment.
fn in_whole_ms(readings: impl IntoIterator<Item = Reading>) -> Vec<Reading> {
    readings.into_iter().map(Reading::in_whole_ms).collect()
}

/// The end of an alarm.
fn over(cause: &str) -> Input {
    Input::Health { cause: cause.into(), title_zh: String::new(), title_en: String::new(), silent: false }
}

struct Worker {
    parts: IntakeParts,
    /// Observations that the store has not taken yet.
    waiting: Vec<Observation>,
    told: LastWord,
    aside: Aside,
    /// Kinds of faults of the store that this outage was alarmed with.
    faults: Vec<std::mem::Discriminant<SeriesError>>,
    /// Observations dropped in this outage because too many waited.
    dropped: u64,
    /// Series that the store has no room for, and how many of their observations went. Only series of the site come here.
    surplus: BTreeSet<SeriesId>,
    without_room: u64,
}

impl Worker {
    async fn run(
        mut self,
        mut polled: mpsc::Receiver<Vec<Reading>>,
        mut pushes: mpsc::Receiver<Push>,
        stop: CancellationToken,
    ) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut batches, mut polled_open) = (Vec::new(), true);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return self.end().await,
                Some(Push { door, brought, reply }) = pushes.recv() => {
                    let kept = match brought {
                        Brought::Live(readings) => self.take_push(in_whole_ms(readings), door).await,
                        Brought::Afterwards(readings) => self.bring(in_whole_ms(readings), door).await,
                        Brought::Signal(key, place, at, hold) => {
                            self.parts.watch.hear(key, place, at, hold);
                            self.evaluate().await;
                            Ok(Kept::default())
                        }
                        Brought::Plans(as_of, plans) => {
                            self.parts.watch.use_plans(as_of, &plans);
                            self.evaluate().await;
                            Ok(Kept::default())
                        }
                        Brought::Corrected(series) => self.relearn(&series).await.map(|()| Kept::default()),
                        Brought::WhatIf(plans, told) => {
                            // Who asked may have gone: then nobody wants to know.
                            let _ = told.send(self.parts.watch.would_use(&plans, (self.parts.clock)()));
                            Ok(Kept::default())
                        }
                    };
                    // A sender that has gone away does not change what is durable.
                    let _ = reply.send(kept);
                }
                count = polled.recv_many(&mut batches, BATCHES_AT_ONCE), if polled_open => {
                    if count == 0 {
                        polled_open = false; // A site without polled devices: pushes and looks go on.
                        continue;
                    }
                    let readings = in_whole_ms(batches.drain(..).flatten());
                    self.take_polled(readings).await;
                }
                _ = look.tick() => self.look().await,
            }
        }
    }

    /// Durable first, then evaluated. Observations that could not be stored are kept for the next try; the alarm has said so. What a
    /// poll brought comes once: where the store cannot be asked about a moment, it is taken for new.
    async fn take_polled(&mut self, readings: Vec<Reading>) {
        let sifted = sift(readings, "modbus", &self.waiting, self.parts.series.as_ref()).await;
        self.aside.keep(sifted.known, &sifted.set_aside).await;
        let mut fresh = sifted.fresh;
        fresh.extend(sifted.unread.into_iter().flat_map(|(unread, _)| unread));
        let judged = self.parts.watch.take(&fresh);
        self.waiting.extend(judged);
        let _ = self.flush().await;
        self.bound().await;
        self.evaluate().await;
    }

    /// What its sender will send again does not wait here: pushes cannot fill the waiting room.
    ///
    /// # Errors
    /// When the store fails, and nothing is kept; or it has no room for some of the series, and everything else is kept.
    async fn take_push(&mut self, readings: Vec<Reading>, door: &'static str) -> Result<Kept, IntakeError> {
        let named = readings.iter().map(|reading| reading.series.clone()).collect::<BTreeSet<_>>();
        let sifted = sift(readings, door, &self.waiting, self.parts.series.as_ref()).await;
        let judged = self.parts.watch.take(&sifted.fresh);
        let brought = judged.len();
        self.waiting.extend(judged);
        let mut kept = self.flush().await;
        if kept.is_err() {
            self.waiting.truncate(self.waiting.len().saturating_sub(brought));
        } else if named.iter().any(|series| self.surplus.contains(series)) {
            kept = self.parts.series.no_room_for(&named).map_or(Ok(()), |fault| Err(IntakeError::Store(fault)));
        }
        self.evaluate().await;
        kept?;
        // The rest was judged and is durable: it is known when the sender comes again with all.
        if let Some((_, fault)) = sifted.unread {
            return Err(IntakeError::Store(fault));
        }
        self.aside.keep(sifted.known, &sifted.set_aside).await;
        Ok(Kept { known: sifted.known, set_aside: sifted.set_aside })
    }

    /// Durable as a whole, then remembered as far as the board looks back. What waits for the store goes first.
    async fn bring(&mut self, readings: Vec<Reading>, door: &'static str) -> Result<Kept, IntakeError> {
        self.flush().await?;
        let sifted = sift(readings, door, &self.waiting, self.parts.series.as_ref()).await;
        if let Some((_, fault)) = sifted.unread {
            return Err(IntakeError::Store(fault));
        }
        let judged = self.parts.watch.judge_apart(&sifted.fresh);
        for part in judged.chunks(APPEND_MAX) {
            let _ = self.parts.series.append(part).await.map_err(IntakeError::Store)?;
        }
        let since = (self.parts.clock)() - TimeDelta::hours(REMEMBER_H);
        for observation in judged.iter().filter(|observation| observation.at > since) {
            self.parts.watch.recall(observation);
        }
        self.evaluate().await;
        self.aside.keep(sifted.known, &sifted.set_aside).await;
        Ok(Kept { known: sifted.known, set_aside: sifted.set_aside })
    }

    /// As after a restart, but with every point of the last hours: the newest value keeps its moment.
    async fn relearn(&mut self, series: &SeriesId) -> Result<(), IntakeError> {
        self.flush().await?;
        let now = (self.parts.clock)();
        let (from, recent) = (now - TimeDelta::hours(REMEMBER_H), now - TimeDelta::hours(RECENT_H));
        let step = Step { every_ms: 300_000, aggregate: Aggregate::Last };
        let store = &self.parts.series;
        let mut samples = store.range_at_hand(series, from, recent, Some(step)).await.map_err(IntakeError::Store)?;
        let to = now + TimeDelta::milliseconds(1);
        samples.extend(store.range_at_hand(series, recent, to, None).await.map_err(IntakeError::Store)?);
        let observation = |sample: &Sample| Observation {
            series: series.clone(),
            at: sample.at,
            received_at: sample.at,
            value: sample.value,
            quality: sample.quality,
        };
        let observations: Vec<_> = samples.iter().map(observation).collect();
        self.parts.watch.relearn(series, &observations);
        self.evaluate().await;
        Ok(())
    }

    /// In parts that every store takes, oldest first; what is durable waits no longer, what finds no room is set aside.
    async fn flush(&mut self) -> Result<(), IntakeError> {
        self.set_aside();
        while !self.waiting.is_empty() {
            let part = self.waiting.len().min(APPEND_MAX);
            let (first, _) = self.waiting.split_at(part);
            match self.parts.series.append(first).await {
                Ok(_durable) => {
                    self.waiting.drain(..part);
                    self.report_up().await;
                }
                // One series too many must not keep the others out.
                Err(fault @ SeriesError::TooManySeries { .. }) => {
                    let before = self.waiting.len();
                    self.report_limit(&fault).await;
                    if self.waiting.len() == before {
                        return Err(IntakeError::Store(fault));
                    }
                }
                Err(fault) => {
                    self.report_down(&fault).await;
                    return Err(IntakeError::Store(fault));
                }
            }
        }
        Ok(())
    }

    /// Takes observations of series without room out of those that wait.
    fn set_aside(&mut self) {
        if self.surplus.is_empty() {
            return;
        }
        let before = self.waiting.len();
        let surplus = &self.surplus;
        self.waiting.retain(|observation| !surplus.contains(&observation.series));
        self.without_room += (before - self.waiting.len()) as u64;
    }

    /// Says which series have no room, once for each, and takes their observations out.
    async fn report_limit(&mut self, fault: &SeriesError) {
        let SeriesError::TooManySeries { surplus, limit, series, .. } = fault else { return };
        self.surplus.extend(surplus.iter().cloned());
        self.set_aside();
        let (count, aside) = (self.surplus.len(), self.without_room);
        tracing::error!(%fault, series = count, set_aside = aside, "序列超限，其观测值不存 (series beyond the limit are not stored, all others are)");
        if !self.told.is_news(LIMIT, true) {
            return;
        }
        self.submit(Input::Health {
            cause: LIMIT.into(),
            title_zh: format!("时序库序列数已达上限 {limit}：{series} 等 {count} 个序列的观测值不存，其余照存；请调大 [series] series_max 后重启"),
            title_en: format!("the series store holds its limit of {limit} series: {series} and others, {count} in all, are not stored, everything else is; raise [series] series_max and restart"),
            silent: true,
        })
        .await;
    }

    /// Keeps what waits within its bound: the oldest goes.
    async fn bound(&mut self) {
        let excess = self.waiting.len().saturating_sub(WAITING_MAX);
        if excess == 0 {
            return;
        }
        self.waiting.drain(..excess);
        self.dropped += excess as u64;
        if self.told.is_news(DROPPED, true) {
            tracing::error!(
                waiting = WAITING_MAX,
                "暂存已满，最旧的观测值开始丢弃 (too many observations wait, the oldest are dropped)"
            );
            self.submit(Input::Health {
                cause: DROPPED.into(),
                title_zh: format!("时序库久不能写入，暂存已满 {WAITING_MAX} 条，最旧的观测值正在丢弃；水情研判照常"),
                title_en: format!("the series store has been down so long that {WAITING_MAX} observations wait: the oldest are dropped; levels are evaluated all the same"),
                silent: true,
            })
            .await;
        }
    }

    /// One alarm when the store goes down, with the reason; another reason in the same outage is said once as well.
    async fn report_down(&mut self, fault: &SeriesError) {
        let kind = std::mem::discriminant(fault);
        if self.faults.contains(&kind) {
            return;
        }
        self.faults.push(kind);
        tracing::error!(
            fault = fault as &dyn std::error::Error,
            waiting = self.waiting.len(),
            "时序库未写入，观测值暂存内存 (the series store did not keep it, observations wait in memory)"
        );
        if !self.told.is_news(STORE, true) {
            self.submit(over(STORE)).await;
        }
        let (zh, en) = fault.in_two_languages();
        self.submit(Input::Health {
            cause: STORE.into(),
            title_zh: format!("时序库不能写入，观测值暂存内存：{zh}"),
            title_en: format!("the series store cannot be written, observations wait in memory: {en}"),
            silent: true,
        })
        .await;
    }

    /// The store takes points: its alarms are over.
    async fn report_up(&mut self) {
        self.faults.clear();
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            tracing::error!(
                dropped,
                "时序库恢复，其间丢弃了最旧的观测值 (the store is back; the oldest observations were dropped meanwhile)"
            );
        }
        for cause in [STORE, DROPPED] {
            if self.told.is_news(cause, false) {
                self.submit(over(cause)).await;
            }
        }
        if self.surplus.is_empty() && self.told.is_news(LIMIT, false) {
            self.submit(over(LIMIT)).await;
        }
    }

    /// A last try for what waits.
    async fn end(mut self) {
        if self.flush().await.is_err() {
            tracing::error!(
                lost = self.waiting.len(),
                "停止时时序库仍不能写入，暂存的观测值丢失 (the store cannot be written at the end: what waited is lost)"
            );
        }
    }

    async fn evaluate(&mut self) {
        let now = (self.parts.clock)();
        let input = self.parts.watch.evaluate(now);
        self.waiting.extend(self.parts.watch.drain_estimates());
        self.publish();
        self.submit(input).await;
    }

    async fn look(&mut self) {
        // A store that is down was said once already; levels are watched all the same, and the next look tries again.
        let _ = self.flush().await;
        self.bound().await;
        let now = (self.parts.clock)();
        let found = self.parts.watch.health(now);
        let found = self.parts.watch.twin_view().with_breaches(found, &self.parts.engine.state(), now);
        for input in found {
            self.submit(input).await;
        }
        self.evaluate().await;
    }

    fn publish(&self) {
        let water = self.parts.watch.water((self.parts.clock)());
        self.parts.water.set(water);
    }

    async fn submit(&self, input: Input) {
        match self.parts.engine.submit(input).await {
            // The post closes; what is durable is looked at again when it opens.
            Ok(_) | Err(EngineError::Stopping) => {}
            Err(fault) => tracing::error!(
                fault = &fault as &dyn std::error::Error,
                "水情未进入指挥流程 (the water did not reach the command)"
            ),
        }
    }
}
