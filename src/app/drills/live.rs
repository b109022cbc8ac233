//! One live drill: its post, its clock, its workers, and the one that sees it to its end.

use super::cast::{Cast, Word};
use super::record::{DrillRecord, Standing};
use super::{LiveDrillsParts, StartFault, library};
use crate::app::{assemble, rehearsal};
use crate::command::{Entry, Injection, Input, Water};
use crate::drill::field::{Bench, BenchPart, Inject};
use crate::drill::floods::Flood;
use crate::drill::{DrillClock, DrillPolicy, Report, River, Tally, reaction, script};
use crate::ingest::sensors::Sensors;
use crate::ingest::{Intake, IntakeParts};
use crate::model::{Reading, Timestamp};
use crate::store::series::{EmbeddedSeries, SeriesLimits, SeriesStore};
use crate::store::{
    Clock, Database, EngineError, Folded, JOURNAL_SCHEMA, Journal, OnceKey, Published, make_private, series_file,
    state_file,
};
use crate::web::{ClockKind, DrillAsk, Post, Scope};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The fastest speed that a live drill may be set to: its devices are judged by the interval that belongs to it.
pub(super) const SPEED_MAX: f64 = 3600.0;
/// How often devices and people look at the clock.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Batches of readings between devices and intake; when full, devices wait, and the clock with them.
const READINGS_QUEUE: usize = 1;
/// How far the clock may run ahead of what the devices have told.
const AHEAD: chrono::TimeDelta = chrono::TimeDelta::minutes(10);
/// Readings of one batch at most: at high speed several minutes come together.
const BATCH: usize = 20_000;
/// Injections on their way to devices and people; when full, the director waits.
const INJECTS_QUEUE: usize = 16;
/// A jump of a value lasts until every gauge has told it once, in seconds.
const SPIKE_S: f64 = 360.0;

/// One drill under a virtual clock.
pub(super) struct LiveDrill {
    pub(super) id: String,
    flood: String,
    seed: u64,
    start: Timestamp,
    end: Timestamp,
    pub(super) clock: Arc<DrillClock>,
    tally: Mutex<Tally>,
    pub(super) post: Arc<Post>,
    pub(super) stop: CancellationToken,
    /// Set before the stop by those who may end it; not set: the server went down in the middle.
    over: OnceLock<Standing>,
    folder: PathBuf,
    sensors: Arc<Sensors>,
    to_devices: mpsc::Sender<Inject>,
    to_people: mpsc::Sender<Word>,
    /// How many injections there were; one at a time, so that their numbers are their order.
    injected: tokio::sync::Mutex<usize>,
}

/// What a drill keeps running; joined by [`Workers::play_out`].
pub(super) struct Workers {
    drill: Arc<LiveDrill>,
    cast: Cast,
    feed: broadcast::Receiver<Arc<Vec<Entry>>>,
    script: Vec<crate::drill::Plan>,
    others: Vec<JoinHandle<()>>,
}

impl LiveDrill {
    /// Opens its folder, its stores, its engine, and starts the devices; people begin with [`Workers::play_out`].
    pub(super) async fn open(
        parts: &LiveDrillsParts,
        ask: &DrillAsk,
        flood: Flood,
        start: Timestamp,
    ) -> Result<(u64, Arc<Self>, Workers), StartFault> {
        let (number, folder) = claim(&parts.folder)?;
        let id = format!("drill-{number}");
        let (_, end) = flood.span();
        let drill_clock = Arc::new(DrillClock::new(start, end, ask.speed, Instant::now()));
        let hands = Arc::clone(&drill_clock);
        let clock: Clock = Arc::new(move || hands.now());
        let stop = parts.stop.child_token();
        let journal = Journal::new(Database::open(&state_file(&folder), &[JOURNAL_SCHEMA]).await?);
        let folded = Folded::of(&journal).await?;
        let (files, settings) = (&parts.files, parts.settings.clone());
        let (engine, writer) =
            assemble::start_engine(journal, folded, files, settings, Arc::clone(&clock), stop.clone()).await?;
        let feed = engine.feed();
        let series = Arc::new(EmbeddedSeries::open(&series_file(&folder), SeriesLimits::default()).await?);
        // Stones may be heard as seldom as the fastest clock makes them.
        let seldom_s = crate::ingest::modbus::effective_interval_s(60.0, SPEED_MAX);
        let sensors = assemble::patient(rehearsal::paced(files.sensors.clone(), 60), 3.0 * seldom_s);
        let gauge_ids = assemble::gauge_series(files);
        let store: Arc<dyn SeriesStore> = series;
        let _ = store.append(&assemble::history_of(&flood, &gauge_ids, start)).await?;
        let slot = parts.twin.as_ref().map(|twin| twin.slot());
        let mut watch = assemble::watch(&sensors, &engine.core().playbook, slot, start, SPEED_MAX);
        assemble::recall(&mut watch, store.as_ref(), &gauge_ids, start).await?;
        let water = Published::<Water>::default();
        let (readings, polled) = mpsc::channel(READINGS_QUEUE);
        let (to_devices, device_orders) = mpsc::channel(INJECTS_QUEUE);
        let (to_people, words) = mpsc::channel(INJECTS_QUEUE);
        let intake = IntakeParts {
            watch,
            series: Arc::clone(&store),
            engine: engine.clone(),
            water: water.clone(),
            clock,
            folder: None,
        };
        let (intake, intake_worker) = Intake::start(intake, polled, stop.clone());
        let (speed, shown, token) = (Arc::clone(&drill_clock), Arc::clone(&drill_clock), stop.clone());
        let (shown_id, shown_flood) = (id.clone(), ask.flood.clone());
        let post = Arc::new(Post {
            scope: Scope::Drill,
            clock: ClockKind::Drill,
            speed: Box::new(move || if speed.is_paused() { 0.0 } else { speed.pace() }),
            engine,
            series: store,
            water,
            intake,
            layers: Arc::clone(&parts.layers),
            evacuation: Arc::clone(&parts.evacuation),
            twin: parts.twin.clone(),
            demo: true,
            made: Mutex::default(),
            drill: Box::new(
                move || json!({ "id": shown_id, "flood": shown_flood, "state": state(&token, &shown), "speed": shown.speed(), "held_back": shown.is_held_back(), "behind": shown.is_at_limit() }),
            ),
        });
        let (players, script) = rehearsal::people(post.engine.core(), DrillPolicy::default(), ask.seed, &[], start);
        let drill = Arc::new(Self {
            id,
            flood: ask.flood.clone(),
            seed: ask.seed,
            start,
            end,
            clock: drill_clock,
            tally: Mutex::default(),
            post,
            stop,
            over: OnceLock::new(),
            folder,
            sensors: Arc::clone(&parts.sensors),
            to_devices,
            to_people,
            injected: tokio::sync::Mutex::new(0),
        });
        drill.keep_record().map_err(|cause| StartFault::Folder { path: drill.folder.display().to_string(), cause })?;
        drill.clock.run_to(start + AHEAD, Instant::now());
        let bench = BenchPart { sensors, flood, injects: Vec::new(), seed: ask.seed, start };
        let river = River::new(Bench::new(bench), 60, 60);
        let flow = tokio::spawn(flow(Arc::clone(&drill), river, device_orders, readings));
        let pace = tokio::spawn(wait_for_people(Arc::clone(&drill), drill.post.engine.feed()));
        let cast = Cast::new(Arc::clone(&drill), players, words);
        let workers =
            Workers { drill: Arc::clone(&drill), cast, feed, script, others: vec![flow, pace, intake_worker, writer] };
        Ok((number, drill, workers))
    }

    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it: the director has seen enough, or the flood is over.
    pub(super) fn finish(&self) {
        // The first reason stands.
        let _ = self.over.set(Standing::Done);
        self.clock.pause(true, Instant::now());
        self.stop.cancel();
    }

    /// Whether the flood has come to its end.
    pub(super) fn is_at_end(&self) -> bool {
        self.clock.now() >= self.end
    }

    fn standing(&self) -> Standing {
        match (self.stop.is_cancelled(), self.over.get()) {
            (_, Some(over)) => *over,
            (true, None) => Standing::Interrupted,
            (false, None) => Standing::Running,
        }
    }

    /// What its folder is told.
    pub(super) fn record(&self) -> DrillRecord {
        let engine = &self.post.engine;
        DrillRecord {
            id: self.id.clone(),
            flood: self.flood.clone(),
            seed: self.seed,
            speed: self.clock.speed(),
            start: self.start,
            end: self.end,
            state: self.standing(),
            now: self.clock.now(),
            level: engine.state().in_force,
            playbook: engine.core().playbook.edition().to_owned(),
            chain_sha256: None,
        }
    }

    /// How it ended, first; then its reports.
    fn put_down(&self, record: &DrillRecord) -> Result<(), String> {
        record.write(&self.folder).map_err(|fault| fault.to_string())?;
        let tally = self.tally().clone();
        record
            .write_report(&self.folder, &tally, self.post.engine.core(), &self.sensors)
            .map_err(|fault| fault.to_string())
    }

    fn keep_record(&self) -> std::io::Result<()> {
        self.record().write(&self.folder)
    }

    /// As `GET /drills/{id}` shows it.
    pub(super) fn shape(&self) -> Value {
        let mut shape = self.record().shape();
        shape["state"] = json!(state(&self.stop, &self.clock));
        if self.standing() == Standing::Interrupted {
            shape["state"] = json!(Standing::Interrupted);
        }
        shape["held_back"] = json!(self.clock.is_held_back());
        shape["behind"] = json!(self.clock.is_at_limit());
        shape["injects"] = json!(self.tally().injected.len());
        shape
    }

    /// As `situation.drill` shows it.
    pub(super) fn brief(&self) -> Value {
        (self.post.drill)()
    }

    /// The report so far.
    pub(super) fn report<T>(&self, write: impl FnOnce(&Report<'_>) -> T) -> T {
        let (tally, head) = (self.tally().clone(), self.record().head());
        write(&Report { head: &head, tally: &tally, core: self.post.engine.core(), sensors: &self.sensors })
    }

    /// What was broken so far, with what followed from it.
    pub(super) fn injects(&self) -> Vec<Value> {
        self.report(|report| {
            let rows = report.tally.injected.iter().enumerate();
            rows.map(|(index, injection)| {
                let (zh, en) = crate::drill::target_names(&injection.target, report.sensors, &report.core.reach);
                let reaction = reaction(report, &Inject::of(injection, self.start), injection.from);
                json!({ "number": index + 1, "injection": injection, "name": { "zh": zh, "en": en },
                        "kind_name": { "zh": injection.kind.name_zh(), "en": injection.kind.name_en() },
                        "reaction": reaction })
            })
            .collect()
        })
    }

    /// Puts an injection into the journal, then lets devices and people carry it out; the answer is kept under `once`.
    ///
    /// A worker of its own does it to the end: what the journal holds is carried out, also when who asked has left.
    pub(super) async fn inject(
        self: Arc<Self>,
        by: crate::command::Actor,
        injection: Injection,
        once: Option<OnceKey>,
    ) -> Result<(u16, String), EngineError> {
        tokio::spawn(self.carry_out(by, injection, once)).await.unwrap_or(Err(EngineError::Stopping))
    }

    async fn carry_out(
        self: Arc<Self>,
        by: crate::command::Actor,
        injection: Injection,
        once: Option<OnceKey>,
    ) -> Result<(u16, String), EngineError> {
        let mut injected = self.injected.lock().await;
        let (number, shown) = (*injected + 1, injection.clone());
        let render = Box::new(move |_: &crate::command::State, _: &[Entry]| {
            (201, json!({ "number": number, "injection": shown }).to_string())
        });
        let input = Input::Inject { by, injection: injection.clone() };
        let outcome = self.post.engine.submit_once(once, input, render).await?;
        if outcome.entries.is_empty() {
            return Ok(outcome.answer); // The same key again: it was carried out the first time.
        }
        *injected = number;
        let inject = Inject::of(&injection, self.start);
        let reach = &self.post.engine.core().reach;
        let word = Word {
            silence: script::silence(&inject, reach, self.start),
            told: script::tell(number - 1, &inject, reach, self.start),
        };
        // Either end may be gone when the drill ends in this moment; the journal holds what was asked for.
        let _ = self.to_people.send(word).await;
        let _ = self.to_devices.send(inject).await;
        Ok(outcome.answer)
    }

    /// How long a fault of that kind lasts unless the director says so.
    pub(super) fn default_for_s(kind: crate::model::FaultKind) -> Option<f64> {
        (kind == crate::model::FaultKind::Spike).then_some(SPIKE_S)
    }
    /// First and last moment.
    pub(super) fn span(&self) -> (Timestamp, Timestamp) {
        (self.start, self.end)
    }
    /// How many injections there were.
    pub(super) fn injections(&self) -> usize {
        self.tally().injected.len()
    }
}

impl Workers {
    /// Plays until the drill ends, joins every worker, then writes how it ended.
    pub(super) async fn play_out(self) {
        let Self { drill, cast, mut feed, script, others } = self;
        cast.run(&mut feed, script).await;
        // However the people came to their end: nobody runs on without them.
        drill.stop.cancel();
        for worker in others {
            if let Err(fault) = worker.await {
                tracing::error!(drill = drill.id, %fault, "【演练】后台任务异常结束 (a worker of the drill broke down)");
            }
        }
        while let Ok(more) = feed.try_recv() {
            drill.tally().take(&more);
        }
        let mut record = drill.record();
        match drill.post.engine.journal().read_all(|_| {}).await {
            Ok(chain) => record.chain_sha256 = Some(chain.to_hex()),
            Err(fault) => {
                tracing::error!(drill = drill.id, %fault, "【演练】日志不可读 (the journal of the drill is not readable)")
            }
        }
        let (id, writes) = (drill.id.clone(), Arc::clone(&drill));
        // A PDF takes the time of many inputs: not on a thread that serves others.
        let written = tokio::task::spawn_blocking(move || writes.put_down(&record)).await;
        match written {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => {
                tracing::error!(drill = id, fault, "【演练】报告未写入 (the report of the drill was not written)");
            }
            Err(fault) => {
                tracing::error!(drill = id, %fault, "【演练】报告未写入 (the report of the drill was not written)")
            }
        }
    }
}

/// The word of a drill's state on the wire.
fn state(stop: &CancellationToken, clock: &DrillClock) -> &'static str {
    match (stop.is_cancelled(), clock.is_paused()) {
        (true, _) => "done",
        (false, true) => "paused",
        (false, false) => "running",
    }
}

/// The next free number below the folder, and its own folder.
fn claim(folder: &Path) -> Result<(u64, PathBuf), StartFault> {
    let fault = |cause| StartFault::Folder { path: folder.display().to_string(), cause };
    make_private(folder)?;
    let number = super::numbers(folder).map_err(fault)?.last().copied().unwrap_or(0) + 1;
    let own = folder.join(format!("drill-{number}"));
    std::fs::create_dir(&own).map_err(fault)?;
    Ok((number, own))
}

/// A request that a person made waits for another person: its minutes are minutes on the wall, however fast the drill is.
async fn wait_for_people(drill: Arc<LiveDrill>, mut feed: broadcast::Receiver<Arc<Vec<Entry>>>) {
    loop {
        let heard = tokio::select! {
            () = drill.stop.cancelled() => return,
            heard = feed.recv() => heard,
        };
        if matches!(heard, Err(broadcast::error::RecvError::Closed)) {
            return;
        }
        let waits = {
            let state = drill.post.engine.state();
            let asked = state.pending.and_then(|id| state.activations.get(&id));
            asked.is_some_and(|asked| !crate::drill::is_virtual_officer(&asked.asked_by.user))
        };
        if waits != drill.clock.is_held_back() {
            drill.clock.hold_back(waits, Instant::now());
        }
    }
}

/// The virtual devices tell every full minute of the drill's clock. Where intake cannot follow, the clock waits for it:
/// a level is never judged by a river of days ago.
async fn flow(
    drill: Arc<LiveDrill>,
    mut river: River,
    mut orders: mpsc::Receiver<Inject>,
    out: mpsc::Sender<Vec<Reading>>,
) {
    let mut minute = drill.start;
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = drill.stop.cancelled() => return,
            _ = look.tick() => {}
        }
        while let Ok(inject) = orders.try_recv() {
            river.inject(inject);
        }
        while minute <= drill.clock.now() {
            let mut readings = Vec::new();
            while minute <= drill.clock.now() && readings.len() < BATCH {
                river.tell(minute, &mut readings);
                minute = river.step_after(minute);
            }
            tokio::select! {
                () = drill.stop.cancelled() => return,
                sent = out.send(readings) => if sent.is_err() { return },
            }
            drill.clock.run_to(minute + AHEAD, Instant::now());
        }
    }
}

/// Where the drill of that flood begins: as the director says, else where it first approaches level IV.
pub(super) fn start_of(
    flood: &Flood,
    asked: Option<Timestamp>,
    level_iv_m3s: Option<f64>,
) -> Result<Timestamp, String> {
    let (from, to) = flood.span();
    let Some(start) = asked else { return Ok(library::approach(flood, level_iv_m3s)) };
    if (from..to).contains(&start) {
        return Ok(start);
    }
    let local = |at: Timestamp| (at + chrono::TimeDelta::hours(8)).format("%Y-%m-%dT%H:%M+08:00").to_string();
    Err(format!("须在洪水过程之内：{0} 至 {1} (within the flood: from {0}, before {1})", local(from), local(to)))
}
