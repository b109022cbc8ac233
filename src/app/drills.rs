//! Live drills from the headquarters page: each a command post of its own under a virtual clock.
//!
//! In: a flood, a start, a speed, a seed. Out: a [`Post`] with its own engine, database and series under `drills/<id>/`,
//! virtual devices behind its intake, virtual people on its feed. Nothing of it touches the live post: it has no handle
//! to it. At most [`RUNNING_MAX`] run at once; the posts of [`KEPT_MAX`] that have ended stay readable, the oldest go
//! first; of the others their record and report stay. Every worker of a drill is joined, at its end or at shutdown.

mod cast;
mod library;
mod live;
mod record;

use super::assemble::{AssembleError, SiteFiles};
use super::{editions, font};
use crate::command::{CommandSettings, Core, Injection};
use crate::drill::floods::Flood;
use crate::drill::{Report, script, targets};
use crate::model::FaultKind;
use crate::store::series::SeriesError;
use crate::store::{OnceKey, StoreError};
use crate::web::{
    DrillAsk, DrillReport, Drills, EvacuationRegister, InjectAsk, Layers, Post, Problem, ReportFormat, TwinDesk,
};
use axum::http::StatusCode;
use chrono::TimeDelta;
use live::{LiveDrill, SPEED_MAX};
use record::{DrillRecord, Standing};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Drills that run at the same time.
const RUNNING_MAX: usize = 2;
/// Ended drills whose post stays readable.
const KEPT_MAX: usize = 4;
/// Ended drills that are listed, the newest first; older ones stay in their folders.
const LISTED_MAX: usize = 50;
/// Injections of one drill; a director has more to do than to break things.
const INJECTS_MAX: usize = 500;
/// An injection begins so much wall time after it was asked for: by then devices and people know of it.
const INJECT_LEAD_S: f64 = 0.25;

/// Why a drill cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// Its folder.
    #[error("cannot write the folder of the drill below {path} (无法写入演练目录)")]
    Folder {
        /// The folder.
        path: String,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// Its database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its series.
    #[error(transparent)]
    Series(#[from] SeriesError),
    /// Its rules.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// Its journal.
    #[error(transparent)]
    Journal(#[from] crate::store::JournalError),
}

/// What live drills are made of.
pub struct LiveDrillsParts {
    /// Folder below which each drill has its own: `DATA/drills`.
    pub folder: PathBuf,
    /// Playbook, reach, sensors, as the live post has them.
    pub files: SiteFiles,
    /// The sensors among them, for names in reports.
    pub sensors: Arc<crate::ingest::sensors::Sensors>,
    /// Times that the command keeps.
    pub settings: CommandSettings,
    /// Map layers.
    pub layers: Arc<Layers>,
    /// Households and growers as screens read them.
    pub evacuation: Arc<EvacuationRegister>,
    /// The twin, where the reach has terrain.
    pub twin: Option<Arc<TwinDesk>>,
    /// Cancelled when the server goes down: every drill ends with its report.
    pub stop: CancellationToken,
}

/// All drills of a data directory.
pub struct LiveDrills {
    parts: LiveDrillsParts,
    floods: Value,
    level_iv_m3s: Option<f64>,
    /// One start at a time, so that the bound holds.
    starting: tokio::sync::Mutex<()>,
    drills: Mutex<BTreeMap<u64, Known>>,
    workers: TaskTracker,
}

#[derive(Clone)]
enum Known {
    /// Runs, or has ended and can still be looked into.
    Live(Arc<LiveDrill>),
    /// Only its folder is left.
    Past(DrillRecord),
}

impl LiveDrills {
    /// Looks through the folder: drills that a stop of the server has cut off are closed and marked as interrupted.
    ///
    /// # Errors
    /// When the playbook has faults or the folder cannot be read.
    pub async fn open(parts: LiveDrillsParts) -> Result<Arc<Self>, StartFault> {
        let playbook = super::assemble::load_playbook(&parts.files.playbook)?;
        let level_iv_m3s = library::level_iv_m3s(&playbook);
        let core = Core { playbook: Arc::new(playbook), reach: Arc::new(parts.files.reach.reach.clone()) };
        let drills = Mutex::new(remember(&parts.folder, &core, &parts.sensors).await?);
        let (starting, workers) = (tokio::sync::Mutex::new(()), TaskTracker::new());
        Ok(Arc::new(Self { floods: library::list(level_iv_m3s), level_iv_m3s, parts, starting, drills, workers }))
    }

    /// Waits until every drill has come to its end; the stop token must be cancelled before.
    pub async fn close(&self) {
        self.workers.close();
        self.workers.wait().await;
    }

    /// The newest drill that runs, as `situation.drill` of the live post shows it; null when there is none.
    pub fn now_running(&self) -> Value {
        let drills = self.drills();
        let running = drills.values().rev().filter_map(Known::running).next();
        running.map_or(Value::Null, |drill| drill.brief())
    }

    fn drills(&self) -> MutexGuard<'_, BTreeMap<u64, Known>> {
        self.drills.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn find(&self, id: &str) -> Option<Known> {
        self.drills().get(&number_of(id)?).cloned()
    }
    fn running(&self, id: &str) -> Result<Arc<LiveDrill>, Problem> {
        let known = self.find(id).ok_or_else(|| Problem::not_found(format!("演练 {id}")))?;
        known.running().cloned().ok_or_else(|| {
            let detail = format!("演练 {id} 已结束，不能再操作 (drill {id} has ended)");
            Problem::new(StatusCode::CONFLICT, "drill-ended", detail)
        })
    }

    /// Room for one more: refuses a third one, lets the posts of the oldest ended ones go.
    fn make_room(&self) -> Result<(), Problem> {
        let mut drills = self.drills();
        if drills.values().filter_map(Known::running).count() >= RUNNING_MAX {
            let detail = format!("同时最多 {RUNNING_MAX} 场演练，请先结束一场 (at most {RUNNING_MAX} drills at once)");
            return Err(Problem::new(StatusCode::CONFLICT, "too-many-drills", detail));
        }
        let ended = |known: &&mut Known| matches!(known, Known::Live(drill) if drill.stop.is_cancelled());
        let too_many = drills.values_mut().filter(ended).count().saturating_sub(KEPT_MAX - 1);
        for known in drills.values_mut().filter(ended).take(too_many) {
            if let Known::Live(drill) = known {
                *known = Known::Past(drill.record());
            }
        }
        while drills.len() > LISTED_MAX {
            let oldest = drills.iter().find(|(_, known)| matches!(known, Known::Past(_))).map(|(number, _)| *number);
            let Some(oldest) = oldest else { break };
            drills.remove(&oldest);
        }
        Ok(())
    }

    /// The injection that was asked for, or what is wrong with it.
    fn injection(&self, drill: &LiveDrill, ask: &InjectAsk) -> Result<Injection, Problem> {
        let words = || FaultKind::ALL.map(FaultKind::as_str).join(", ");
        let kind = FaultKind::from_word(&ask.kind).ok_or_else(|| {
            Problem::bad_field("kind", format!("没有 {:?} 这种注入，可用 {} (unknown kind)", ask.kind, words()))
        })?;
        let (sensors, reach) = (&self.parts.files.sensors, &self.parts.files.reach.reach);
        if !script::knows(kind, &ask.target, sensors, reach) {
            return Err(Problem::bad_field("target", unknown_target(kind, &ask.target, sensors, reach)));
        }
        let is_time = |seconds: f64| seconds.is_finite() && (0.0..=1e8).contains(&seconds);
        if ask.for_s.is_some_and(|for_s| !is_time(for_s) || for_s == 0.0) {
            return Err(Problem::bad_field(
                "for_s",
                "须为大于 0 的秒数，空缺表示到结束 (seconds above 0; absent: to the end)",
            ));
        }
        if ask.value.is_some_and(|value| !value.is_finite()) {
            return Err(Problem::bad_field("value", "须为数 (a number)"));
        }
        let (start, end) = drill.span();
        let lead = if drill.clock.is_paused() { 0.0 } else { drill.clock.speed() * INJECT_LEAD_S };
        let now = drill.clock.now();
        let from = match ask.at_s {
            None => now + TimeDelta::milliseconds((lead * 1000.0) as i64),
            Some(at_s) if !is_time(at_s) => {
                return Err(Problem::bad_field("at_s", "须为演练开始后的秒数 (seconds after the start of the drill)"));
            }
            Some(at_s) => start + TimeDelta::milliseconds((at_s * 1000.0) as i64),
        };
        if from < now || from >= end {
            let detail = "须在当前演练时刻之后、过程结束之前；空缺表示立即 (after the drill's now and before its end; absent: now)";
            return Err(Problem::bad_field("at_s", detail));
        }
        if drill.injections() >= INJECTS_MAX {
            let detail = format!("一场演练最多 {INJECTS_MAX} 条注入 (at most {INJECTS_MAX} injections in a drill)");
            return Err(Problem::new(StatusCode::CONFLICT, "too-many-injects", detail));
        }
        let for_s = ask.for_s.or(LiveDrill::default_for_s(kind));
        Ok(Injection { target: ask.target.clone(), kind, value: ask.value, from, for_s })
    }
}

/// Why that kind cannot have that target: it does not exist, or others can have it.
fn unknown_target(
    kind: FaultKind,
    target: &str,
    sensors: &crate::ingest::sensors::Sensors,
    reach: &crate::model::Reach,
) -> String {
    let other: Vec<_> =
        FaultKind::ALL.into_iter().filter(|kind| script::knows(*kind, target, sensors, reach)).collect();
    if other.is_empty() {
        return format!(
            "没有注入对象 {target:?}；可用对象见 /drills/{{id}}/targets (there is no target {target:?}, see /drills/{{id}}/targets)"
        );
    }
    let words = other.into_iter().map(FaultKind::as_str).collect::<Vec<_>>().join(", ");
    format!("{target} 不能注入 {kind}，可用 {words} ({target} cannot have {kind})", kind = kind.as_str())
}

impl Known {
    fn running(&self) -> Option<&Arc<LiveDrill>> {
        match self {
            Self::Live(drill) if !drill.stop.is_cancelled() => Some(drill),
            _ => None,
        }
    }
    fn shape(&self) -> Value {
        match self {
            Self::Live(drill) => drill.shape(),
            Self::Past(record) => record.shape(),
        }
    }
}

#[async_trait::async_trait]
impl Drills for LiveDrills {
    fn post(&self, id: &str) -> Option<Arc<Post>> {
        match self.find(id)? {
            Known::Live(drill) => Some(Arc::clone(&drill.post)),
            Known::Past(_) => None,
        }
    }
    fn floods(&self) -> Value {
        self.floods.clone()
    }
    fn list(&self) -> Value {
        let items: Vec<Value> = self.drills().values().rev().map(Known::shape).collect();
        json!({ "items": items, "next": null })
    }
    fn get(&self, id: &str) -> Option<Value> {
        self.find(id).map(|known| known.shape())
    }
    async fn start(&self, ask: DrillAsk) -> Result<String, Problem> {
        let _one = self.starting.lock().await;
        if self.parts.stop.is_cancelled() {
            return Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "stopping",
                "系统正在停止 (the server is stopping)",
            ));
        }
        self.make_room()?;
        check_speed(ask.speed)?;
        let flood = Flood::load(&editions::floods::files(), &ask.flood)
            .map_err(|fault| Problem::bad_field("flood", fault.to_string()))?;
        let start = live::start_of(&flood, ask.start, self.level_iv_m3s)
            .map_err(|detail| Problem::bad_field("start", detail))?;
        let (number, drill, workers) =
            LiveDrill::open(&self.parts, &ask, flood, start).await.map_err(|fault| Problem::internal(&fault))?;
        let id = drill.id.clone();
        self.drills().insert(number, Known::Live(drill));
        self.workers.spawn(workers.play_out());
        Ok(id)
    }
    fn pause(&self, id: &str, paused: bool) -> Result<(), Problem> {
        self.running(id)?.clock.pause(paused, Instant::now());
        Ok(())
    }
    fn speed(&self, id: &str, speed: f64) -> Result<(), Problem> {
        check_speed(speed)?;
        self.running(id)?.clock.set_speed(speed, Instant::now());
        Ok(())
    }
    fn stop(&self, id: &str) -> Result<(), Problem> {
        self.running(id)?.finish();
        Ok(())
    }
    async fn inject(&self, id: &str, ask: InjectAsk, once: Option<OnceKey>) -> Result<(u16, String), Problem> {
        let drill = self.running(id)?;
        let injection = self.injection(&drill, &ask)?;
        Ok(drill.inject(ask.by, injection, once).await?)
    }
    fn injects(&self, id: &str) -> Option<Value> {
        let items = match self.find(id)? {
            Known::Live(drill) => drill.injects(),
            Known::Past(_) => Vec::new(), // They stand in its report.
        };
        Some(json!({ "items": items, "next": null }))
    }
    fn targets(&self, id: &str) -> Option<Value> {
        self.find(id)?;
        let kinds =
            FaultKind::ALL.map(|kind| json!({ "id": kind, "name": { "zh": kind.name_zh(), "en": kind.name_en() } }));
        let items: Vec<Value> = targets(&self.parts.files.sensors, &self.parts.files.reach.reach)
            .into_iter()
            .map(|one| {
                json!({ "id": one.id, "group": one.group.as_str(), "kinds": one.kinds,
                        "name": { "zh": one.name_zh, "en": one.name_en } })
            })
            .collect();
        Some(json!({ "items": items, "kinds": kinds, "next": null }))
    }
    fn report(&self, id: &str, format: ReportFormat) -> Result<DrillReport, Problem> {
        let known = self.find(id).ok_or_else(|| Problem::not_found(format!("演练 {id}")))?;
        match known {
            Known::Live(drill) => drill.report(|report| written(report, format)),
            Known::Past(record) => {
                let path = self.parts.folder.join(&record.id).join(format.file());
                let missing = |_| match format {
                    ReportFormat::Pdf => {
                        font::chinese(None).err().map_or_else(|| absent(id, format), |fault| no_font(&fault))
                    }
                    _ => absent(id, format),
                };
                std::fs::read(&path).map(|bytes| DrillReport { format, bytes }).map_err(missing)
            }
        }
    }
}

fn written(report: &Report<'_>, format: ReportFormat) -> Result<DrillReport, Problem> {
    let bytes = match format {
        ReportFormat::Html => report.html().into_bytes(),
        ReportFormat::Markdown => report.markdown().into_bytes(),
        ReportFormat::Csv => report.csv().map_err(|fault| Problem::internal(&fault))?,
        ReportFormat::Pdf => {
            let face = font::chinese(None).map_err(|fault| no_font(&fault))?;
            report.pdf(&face).map_err(|fault| Problem::internal(&fault))?
        }
    };
    Ok(DrillReport { format, bytes })
}

fn absent(id: &str, format: ReportFormat) -> Problem {
    Problem::not_found(format!("演练 {id} 的 {}", format.file()))
}

fn no_font(fault: &font::FontFault) -> Problem {
    Problem::new(StatusCode::NOT_IMPLEMENTED, "no-font", fault.to_string())
}

fn check_speed(speed: f64) -> Result<(), Problem> {
    if speed.is_finite() && speed > 0.0 && speed <= SPEED_MAX {
        return Ok(());
    }
    Err(Problem::bad_field("speed", format!("须大于 0、不超过 {SPEED_MAX} (above 0, up to {SPEED_MAX})")))
}

fn number_of(id: &str) -> Option<u64> {
    id.strip_prefix("drill-")?.parse().ok()
}

/// Numbers of the drills below the folder, rising.
fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers: Vec<u64> = match std::fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(|entry| number_of(entry.ok()?.file_name().to_str()?)).collect(),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(cause) => return Err(cause),
    };
    numbers.sort_unstable();
    Ok(numbers)
}

/// The newest drills of earlier runs of the server; those that were cut off are closed.
async fn remember(
    folder: &Path,
    core: &Core,
    sensors: &crate::ingest::sensors::Sensors,
) -> Result<BTreeMap<u64, Known>, StartFault> {
    let numbers = numbers(folder).map_err(|cause| StartFault::Folder { path: folder.display().to_string(), cause })?;
    let mut known = BTreeMap::new();
    for number in numbers.into_iter().rev().take(LISTED_MAX) {
        let own = folder.join(format!("drill-{number}"));
        let Some(mut record) = DrillRecord::read(&own) else { continue };
        if record.state == Standing::Running {
            record = match record.clone().close_interrupted(&own, core, sensors).await {
                Ok(closed) => closed,
                Err(fault) => {
                    let cause = &fault as &dyn std::error::Error;
                    tracing::error!(
                        drill = record.id,
                        cause,
                        "【演练】中断的演练无法收尾 (an interrupted drill cannot be closed)"
                    );
                    DrillRecord { state: Standing::Interrupted, ..record }
                }
            };
        }
        known.insert(number, Known::Past(record));
    }
    Ok(known)
}

#[cfg(test)]
#[path = "drills_tests.rs"]
mod tests;
