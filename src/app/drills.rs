//! Live drills from the headquarters page: each a command post of its own under a virtual clock.
//!
//! In: a flood, a speed, a seed. Out: a [`Post`] with its own engine, database and series under `drills/<id>/`, virtual
//! devices behind its intake, virtual people on its feed. Nothing of it touches the live post: it has no handle to it.
//! At most [`RUNNING_MAX`] run at once; [`KEPT_MAX`] that have ended stay readable, the oldest go first.

use super::assemble::{self, AssembleError, SiteFiles};
use super::{editions, rehearsal};
use crate::command::{CommandSettings, Water};
use crate::drill::field::{Bench, BenchPart};
use crate::drill::floods::Flood;
use crate::drill::{DrillClock, DrillPolicy, Move, Plan, Players, Report, ReportHead, River, Scene, Tally};
use crate::ingest::sensors::Sensors;
use crate::ingest::{Intake, IntakeParts};
use crate::model::{Reading, Timestamp};
use crate::store::series::{EmbeddedSeries, SeriesError, SeriesLimits};
use crate::store::{
    Clock, Database, Engine, Folded, JOURNAL_SCHEMA, Journal, StoreError, make_private, series_file, state_file,
};
use crate::web::{ClockKind, DrillAsk, Drills, EvacuationRegister, Layers, Post, Problem, Scope};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

/// Drills that run at the same time.
const RUNNING_MAX: usize = 2;
/// Ended drills whose post stays readable.
const KEPT_MAX: usize = 4;
/// The fastest speed that a live drill may be set to: its devices are judged by the interval that belongs to it.
const SPEED_MAX: f64 = 3600.0;
/// How often devices and people look at the clock.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Batches of readings between devices and intake; when full, devices wait.
const READINGS_QUEUE: usize = 16;
/// Readings of one batch at most: at high speed several minutes come together.
const BATCH: usize = 20_000;
/// Moves of people that may be planned; when full, further ones are left out and it is said.
const PLANS_MAX: usize = 100_000;
/// Inputs of people that are on their way to the engine at once.
const AT_ONCE: usize = 256;

/// Why a drill cannot start.
#[derive(Debug, thiserror::Error)]
enum StartFault {
    #[error("cannot make a folder for the drill below {path} (无法建立演练目录)")]
    Folder {
        path: String,
        #[source]
        cause: io::Error,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Series(#[from] SeriesError),
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    #[error(transparent)]
    Journal(#[from] crate::store::JournalError),
}

/// What live drills are made of.
pub struct LiveDrillsParts {
    /// Folder below which each drill has its own: `DATA/drills`.
    pub folder: PathBuf,
    /// Playbook, reach, sensors, as the live post has them.
    pub files: SiteFiles,
    /// Times that the command keeps.
    pub settings: CommandSettings,
    /// Map layers.
    pub layers: Arc<Layers>,
    /// Households and growers as screens read them.
    pub evacuation: Arc<EvacuationRegister>,
    /// Cancelled when the server goes down: every drill ends with its report.
    pub stop: CancellationToken,
}

/// All drills of this run of the server.
pub struct LiveDrills {
    parts: LiveDrillsParts,
    floods: Value,
    /// One start at a time, so that the bound holds.
    starting: tokio::sync::Mutex<()>,
    drills: Mutex<BTreeMap<u64, Arc<LiveDrill>>>,
}

struct LiveDrill {
    id: String,
    head: ReportHead,
    clock: Arc<DrillClock>,
    tally: Mutex<Tally>,
    post: Arc<Post>,
    stop: CancellationToken,
    folder: PathBuf,
}

impl LiveDrills {
    /// None runs yet.
    #[allow(clippy::new_ret_no_self)]
    pub fn new(parts: LiveDrillsParts) -> Arc<dyn Drills> {
        let (starting, drills) = (tokio::sync::Mutex::new(()), Mutex::default());
        Arc::new(Self { floods: library(), parts, starting, drills })
    }

    fn drills(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<LiveDrill>>> {
        self.drills.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn find(&self, id: &str) -> Option<Arc<LiveDrill>> {
        self.drills().values().find(|drill| drill.id == id).cloned()
    }
    fn running(&self, id: &str) -> Result<Arc<LiveDrill>, Problem> {
        let drill = self.find(id).ok_or_else(|| Problem::not_found(format!("演练 {id}")))?;
        if drill.stop.is_cancelled() {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "drill-ended",
                format!("演练 {id} 已结束 (the drill has ended)"),
            ));
        }
        Ok(drill)
    }

    /// Room for one more: refuses a third one, lets the oldest ended ones go.
    fn make_room(&self) -> Result<(), Problem> {
        let mut drills = self.drills();
        let running = drills.values().filter(|drill| !drill.stop.is_cancelled()).count();
        if running >= RUNNING_MAX {
            let detail = format!("同时最多 {RUNNING_MAX} 场演练，请先结束一场 (at most {RUNNING_MAX} drills at once)");
            return Err(Problem::new(StatusCode::CONFLICT, "too-many-drills", detail));
        }
        let ended: Vec<u64> =
            drills.iter().filter(|(_, drill)| drill.stop.is_cancelled()).map(|(number, _)| *number).collect();
        for number in ended.iter().take(ended.len().saturating_sub(KEPT_MAX - 1)) {
            drills.remove(number);
        }
        Ok(())
    }

    async fn open(&self, ask: &DrillAsk, flood: Flood) -> Result<(u64, Arc<LiveDrill>), StartFault> {
        let (number, folder) = claim(&self.parts.folder)?;
        let id = format!("drill-{number}");
        let (from, to) = flood.span();
        let drill_clock = Arc::new(DrillClock::new(from, to, ask.speed, Instant::now()));
        let hands = Arc::clone(&drill_clock);
        let clock: Clock = Arc::new(move || hands.now());
        let stop = self.parts.stop.child_token();
        let database = Database::open(&state_file(&folder), &[JOURNAL_SCHEMA]).await?;
        let journal = Journal::new(database);
        let folded = Folded::of(&journal).await?;
        let (files, settings) = (&self.parts.files, self.parts.settings.clone());
        let (engine, _writer) =
            assemble::start_engine(journal, folded, files, settings, Arc::clone(&clock), stop.clone()).await?;
        let feed = engine.feed();
        let series = Arc::new(EmbeddedSeries::open(&series_file(&folder), SeriesLimits::default()).await?);
        let sensors = patient(rehearsal::paced(files.sensors.clone(), 60));
        let watch = assemble::watch(&sensors, &engine.core().playbook, from, SPEED_MAX);
        let water = Arc::new(RwLock::new(Water::default()));
        let (readings, polled) = mpsc::channel(READINGS_QUEUE);
        let intake =
            IntakeParts { watch, series: series.clone(), engine: engine.clone(), water: Arc::clone(&water), clock };
        let (intake, _intake_worker) = Intake::start(intake, polled, stop.clone());
        let (speed, shown, token) = (Arc::clone(&drill_clock), Arc::clone(&drill_clock), stop.clone());
        let (shown_id, shown_flood) = (id.clone(), ask.flood.clone());
        let post = Post {
            scope: Scope::Drill,
            clock: ClockKind::Drill,
            speed: Box::new(move || if speed.is_paused() { 0.0 } else { speed.speed() }),
            engine,
            series,
            water,
            intake,
            layers: Arc::clone(&self.parts.layers),
            evacuation: Arc::clone(&self.parts.evacuation),
            demo: true,
            made: std::sync::Mutex::default(),
            drill: Box::new(
                move || json!({ "id": shown_id, "flood": shown_flood, "state": state(&token, &shown), "speed": shown.speed() }),
            ),
        };
        let head = ReportHead { flood: ask.flood.clone(), seed: ask.seed, from, to, injects: Vec::new(), chain: None };
        let bench = BenchPart { sensors, flood, injects: Vec::new(), seed: ask.seed, start: from };
        let river = River::new(Bench::new(bench), 60, 60);
        let (players, script) = rehearsal::people(post.engine.core(), DrillPolicy::default(), ask.seed, &[], from);
        let drill = Arc::new(LiveDrill {
            id,
            head,
            clock: drill_clock,
            tally: Mutex::default(),
            post: Arc::new(post),
            stop,
            folder,
        });
        tokio::spawn(flow(Arc::clone(&drill), river, readings));
        tokio::spawn(Cast { drill: Arc::clone(&drill), players, plans: BTreeMap::new(), planned: 0 }.run(feed, script));
        Ok((number, drill))
    }
}

#[async_trait::async_trait]
impl Drills for LiveDrills {
    fn post(&self, id: &str) -> Option<Arc<Post>> {
        self.find(id).map(|drill| Arc::clone(&drill.post))
    }
    fn floods(&self) -> Value {
        self.floods.clone()
    }
    fn list(&self) -> Value {
        let items: Vec<Value> = self.drills().values().rev().map(|drill| drill.shape()).collect();
        json!({ "items": items, "next": null })
    }
    fn get(&self, id: &str) -> Option<Value> {
        self.find(id).map(|drill| drill.shape())
    }
    async fn start(&self, ask: DrillAsk) -> Result<String, Problem> {
        let _one = self.starting.lock().await;
        self.make_room()?;
        if !(ask.speed.is_finite() && ask.speed > 0.0 && ask.speed <= SPEED_MAX) {
            return Err(Problem::bad_field(
                "speed",
                format!("须大于 0、不超过 {SPEED_MAX} (above 0, up to {SPEED_MAX})"),
            ));
        }
        let flood = Flood::load(&editions::floods::files(), &ask.flood)
            .map_err(|fault| Problem::bad_field("flood", fault.to_string()))?;
        let (number, drill) = self.open(&ask, flood).await.map_err(|fault| Problem::internal(&fault))?;
        let id = drill.id.clone();
        self.drills().insert(number, drill);
        Ok(id)
    }
    fn pause(&self, id: &str, paused: bool) -> Result<(), Problem> {
        self.running(id)?.clock.pause(paused, Instant::now());
        Ok(())
    }
    fn speed(&self, id: &str, speed: f64) -> Result<(), Problem> {
        if !(speed.is_finite() && speed > 0.0 && speed <= SPEED_MAX) {
            return Err(Problem::bad_field(
                "speed",
                format!("须大于 0、不超过 {SPEED_MAX} (above 0, up to {SPEED_MAX})"),
            ));
        }
        self.running(id)?.clock.set_speed(speed, Instant::now());
        Ok(())
    }
    fn stop(&self, id: &str) -> Result<(), Problem> {
        let drill = self.running(id)?;
        drill.clock.pause(true, Instant::now());
        drill.stop.cancel();
        Ok(())
    }
    fn report(&self, id: &str) -> Option<String> {
        self.find(id).map(|drill| drill.html())
    }
}

impl LiveDrill {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn shape(&self) -> Value {
        json!({
            "id": self.id, "flood": self.head.flood, "state": state(&self.stop, &self.clock),
            "speed": self.clock.speed(), "now": self.clock.now(), "start": self.head.from, "end": self.head.to,
            "seed": self.head.seed, "level": self.post.engine.state().in_force,
        })
    }
    fn html(&self) -> String {
        let tally = self.tally().clone();
        Report { head: &self.head, tally: &tally, core: self.post.engine.core() }.html()
    }
    /// Page, Markdown and table beside the drill's own journal.
    fn write_report(&self) -> Result<(), Box<dyn std::error::Error>> {
        let tally = self.tally().clone();
        let report = Report { head: &self.head, tally: &tally, core: self.post.engine.core() };
        std::fs::write(self.folder.join("report.html"), report.html())?;
        std::fs::write(self.folder.join("report.md"), report.markdown())?;
        std::fs::write(self.folder.join("report.csv"), report.csv()?)?;
        Ok(())
    }
}

fn state(stop: &CancellationToken, clock: &DrillClock) -> &'static str {
    match (stop.is_cancelled(), clock.is_paused()) {
        (true, _) => "done",
        (false, true) => "paused",
        (false, false) => "running",
    }
}

/// Stones of a live drill may be heard as seldom as the fastest clock makes them.
fn patient(mut sensors: Sensors) -> Sensors {
    let seldom_s = crate::ingest::modbus::effective_interval_s(60.0, SPEED_MAX);
    sensors.stone_limits.silent_after_s = sensors.stone_limits.silent_after_s.max(3.0 * seldom_s);
    sensors
}

/// The next free number below the folder, and its own folder.
fn claim(folder: &Path) -> Result<(u64, PathBuf), StartFault> {
    let fault = |cause| StartFault::Folder { path: folder.display().to_string(), cause };
    make_private(folder)?;
    let taken = std::fs::read_dir(folder)
        .map_err(fault)?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_prefix("drill-")?.parse::<u64>().ok());
    let number = taken.max().unwrap_or(0) + 1;
    let own = folder.join(format!("drill-{number}"));
    std::fs::create_dir(&own).map_err(fault)?;
    Ok((number, own))
}

/// The virtual devices tell every full minute of the drill's clock.
async fn flow(drill: Arc<LiveDrill>, river: River, out: mpsc::Sender<Vec<Reading>>) {
    let mut minute = drill.head.from;
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = drill.stop.cancelled() => return,
            _ = look.tick() => {}
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
        }
    }
}

/// Virtual people on the feed of a drill.
struct Cast {
    drill: Arc<LiveDrill>,
    players: Players,
    /// By moment and order of planning; bounded by [`PLANS_MAX`].
    plans: BTreeMap<(Timestamp, u64), Move>,
    planned: u64,
}

impl Cast {
    async fn run(mut self, mut feed: broadcast::Receiver<Arc<Vec<crate::command::Entry>>>, script: Vec<Plan>) {
        self.plan(script);
        let first = self.players.begin(self.drill.clock.now());
        self.plan(first);
        let stop = self.drill.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                heard = feed.recv() => if !self.hear(heard) { break },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            while let Ok(more) = feed.try_recv() {
                self.hear(Ok(more));
            }
            self.play().await;
            if self.drill.clock.now() >= self.drill.head.to {
                tracing::info!(drill = self.drill.id, "【演练】洪水过程结束 (the flood of the drill is over)");
                stop.cancel();
            }
        }
        while let Ok(more) = feed.try_recv() {
            self.drill.tally().take(&more);
        }
        if let Err(fault) = self.drill.write_report() {
            tracing::error!(drill = self.drill.id, %fault, "【演练】报告未写入 (the report of the drill was not written)");
        }
    }

    /// What happened goes into the tally and to the people; false when nothing more will come.
    fn hear(&mut self, heard: Result<Arc<Vec<crate::command::Entry>>, broadcast::error::RecvError>) -> bool {
        match heard {
            Ok(entries) => {
                self.drill.tally().take(&entries);
                let Some(last) = entries.last() else { return true };
                let plans = {
                    let engine: &Engine = &self.drill.post.engine;
                    let state = engine.state();
                    let discharge_m3s = self.drill.post.water().discharge_m3s();
                    let scene = Scene { core: engine.core(), state: &state, now: last.at, discharge_m3s };
                    self.players.react(&scene, &entries)
                };
                self.plan(plans);
                true
            }
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                tracing::warn!(
                    drill = self.drill.id,
                    missed,
                    "【演练】虚拟人员未跟上 (virtual people missed some facts)"
                );
                true
            }
            Err(broadcast::error::RecvError::Closed) => false,
        }
    }

    /// Everything that is due now, in order; refusals are what they are live: somebody came too late.
    async fn play(&mut self) {
        let now = self.drill.clock.now();
        let mut say = Vec::new();
        while say.len() < AT_ONCE && self.plans.first_key_value().is_some_and(|((at, _), _)| *at <= now) {
            let Some((_, what)) = self.plans.pop_first() else { break };
            let turn = {
                let engine = &self.drill.post.engine;
                let state = engine.state();
                let discharge_m3s = self.drill.post.water().discharge_m3s();
                self.players.play(&Scene { core: engine.core(), state: &state, now, discharge_m3s }, what)
            };
            say.extend(turn.say);
            self.plan(turn.plan);
        }
        let said = say.into_iter().map(|input| self.drill.post.engine.submit(input));
        for outcome in futures::future::join_all(said).await {
            if let Err(crate::store::EngineError::NotDurable(fault)) = outcome {
                tracing::error!(
                    drill = self.drill.id,
                    fault,
                    "【演练】未写入日志 (not written to the journal of the drill)"
                );
            }
        }
    }

    fn plan(&mut self, plans: Vec<Plan>) {
        for plan in plans {
            if self.plans.len() >= PLANS_MAX {
                tracing::warn!(
                    drill = self.drill.id,
                    "【演练】计划已满，后续动作略去 (too many plans, the rest is left out)"
                );
                return;
            }
            self.planned += 1;
            self.plans.insert((plan.at, self.planned), plan.what);
        }
    }
}

/// The floods in the binary as `GET /floods` lists them.
fn library() -> Value {
    let files = editions::floods::files();
    let items: Vec<Value> = Flood::ids(&files).iter().filter_map(|id| listed(&files, id)).collect();
    json!({ "items": items, "next": null })
}

fn listed(files: &crate::drill::floods::FloodFiles, id: &str) -> Option<Value> {
    let flood = Flood::load(files, id).ok()?;
    let text = String::from_utf8_lossy(files.get(&format!("{id}.csv"))?).into_owned();
    let notes: Vec<&str> = text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim).collect();
    let (from, to) = flood.span();
    let synthetic = flood.is_synthetic() || id.starts_with("drill_");
    let (zh, en) = if synthetic {
        (
            format!("演练洪水 {}", id.trim_start_matches("drill_")),
            format!("drill flood {}", id.trim_start_matches("drill_")),
        )
    } else {
        (format!("{id} 洪水"), format!("flood of {id}"))
    };
    let source_zh = if synthetic {
        "合成或缩放的过程，仅供演练"
    } else {
        "按公开资料重建的逐时过程，非实测逐时记录"
    };
    Some(json!({
        "id": id, "name": { "zh": zh, "en": en }, "kind": if synthetic { "synthetic" } else { "historical" },
        "source": { "zh": source_zh, "en": notes.join(" ") }, "start": from, "hours": (to - from).num_hours(),
        "peak_m3s": flood.peak_m3s(),
    }))
}

#[cfg(test)]
#[path = "drills_tests.rs"]
mod tests;
