//! Finer runs of the twin and spreads of several (集合), as durable jobs: asked for by screens, computed behind them, kept on disk.
//!
//! In: a discharge that somebody wants on the finest grid. Out: a number to ask by, progress, then the flooding or the spread. The
//! queue is bounded and a full one is said; the same wish twice is one run; what a stop or a crash of the server cut off is taken up
//! again. One worker with one thread: live work goes before.

use super::Problem;
use super::twin::{Scene, TwinDesk};
use crate::hydraulics::{
    Assumed, Flooding, Footprint, Library, Rests, SiteGround, Spread, SpreadPlan, TwinModel, fingerprint, flood, metres,
};
use crate::model::{PlaceId, Timestamp};
use crate::store::jobs::{Ended, Job, JobError, JobQueue, JobState};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Kinds of jobs that the worker here takes.
const RUN: &str = "twin-run";
const SPREAD: &str = "twin-spread";
/// How the worker of this process is called.
pub const WORKER: &str = "server";
/// A worker says so often that it lives, and looks so often for what came from elsewhere.
const KEEP_EVERY: Duration = Duration::from_secs(5);
/// Results that are held unpacked.
const HELD: usize = 2;

/// What is to be computed; as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Wish {
    discharge_m3s: f64,
    breach: Option<PlaceId>,
    /// How many members a spread has; absent: one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    members: Option<usize>,
    /// The ground that it is computed on: on another one it is another wish.
    ground: String,
}

/// A result on its own grid.
pub struct Refined {
    flooding: Flooding,
    ground: SiteGround,
    base_cm: Vec<u16>,
    footprints: Vec<Option<Footprint>>,
}

/// The runs of one desk.
pub struct TwinRuns {
    queue: Arc<dyn JobQueue>,
    wall: Box<dyn Fn() -> Timestamp + Send + Sync>,
    news: Notify,
    held: Mutex<VecDeque<(i64, Arc<Refined>)>>,
}

impl From<JobError> for Problem {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Full => {
                let detail = "加密演算已排满，请等前面的完成 (the finer runs are full: wait for one to end)";
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-runs", detail)
            }
            other => Self::internal(&other),
        }
    }
}

impl TwinRuns {
    /// Runs over a queue; `wall` tells the time that leases count in.
    pub fn new(queue: Arc<dyn JobQueue>, wall: Box<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        Self { queue, wall, news: Notify::new(), held: Mutex::default() }
    }

    /// Puts a wish down, or finds the one that is on its way or done.
    ///
    /// # Errors
    /// When too many wait, or the store fails.
    pub async fn ask(
        &self,
        model: &TwinModel,
        discharge_m3s: f64,
        breach: Option<PlaceId>,
        members: Option<usize>,
        who: &str,
    ) -> Result<Job, Problem> {
        let wish = Wish { discharge_m3s, breach, members, ground: print(model) };
        let kind = if members.is_some() { SPREAD } else { RUN };
        let (job, is_new) = self.queue.ask(kind, &json!(wish), who, (self.wall)()).await?;
        if is_new {
            self.news.notify_one();
        }
        Ok(job)
    }

    /// A job of the twin by its number.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub async fn job(&self, number: i64) -> Result<Job, Problem> {
        let job = self.queue.job(number).await?.filter(|job| [RUN, SPREAD].contains(&job.kind.as_str()));
        job.ok_or_else(|| Problem::not_found(format!("加密演算 {number} (run {number})")))
    }

    /// All that are kept, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn jobs(&self) -> Result<Vec<Job>, Problem> {
        Ok(self.queue.jobs().await?)
    }

    /// Takes one back that has not ended.
    ///
    /// # Errors
    /// When it has ended, or the store fails.
    pub async fn cancel(&self, number: i64, who: &str) -> Result<Job, Problem> {
        let why = format!("{who} 取消 (cancelled by {who})");
        if !self.queue.cancel(number, &why, (self.wall)()).await? {
            let detail = format!("加密演算 {number} 已结束 (run {number} has ended)");
            return Err(Problem::new(StatusCode::CONFLICT, "run-ended", detail));
        }
        self.job(number).await
    }

    fn held(&self) -> MutexGuard<'_, VecDeque<(i64, Arc<Refined>)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A finished run, unpacked; `None` where it is not done or not kept any more.
    ///
    /// # Errors
    /// A result that cannot be read.
    pub async fn refined(
        &self,
        desk: &Arc<TwinDesk>,
        model: &Arc<TwinModel>,
        number: i64,
    ) -> Result<Option<Arc<Refined>>, Problem> {
        let known = self.held().iter().find(|(held, _)| *held == number).map(|(_, refined)| Arc::clone(refined));
        if known.is_some() {
            return Ok(known);
        }
        if self.job(number).await.map(|job| job.kind != RUN).unwrap_or(true) {
            return Ok(None);
        }
        let Some(bytes) = self.queue.result(number).await? else { return Ok(None) };
        let (desk, model) = (Arc::clone(desk), Arc::clone(model));
        let read = tokio::task::spawn_blocking(move || Refined::read(&desk, &model, &bytes)).await;
        let refined = read.map_err(|fault| Problem::internal(&fault))?.map_err(|why| Problem::not_found(&why))?;
        let refined = Arc::new(refined);
        let mut held = self.held();
        held.push_front((number, Arc::clone(&refined)));
        held.truncate(HELD);
        Ok(Some(refined))
    }

    /// As `GET /twin/runs/{id}` shows it; what it floods comes with a finished one.
    ///
    /// # Errors
    /// A result that cannot be read, or a store that fails.
    pub async fn shape(&self, desk: &Arc<TwinDesk>, model: &Arc<TwinModel>, job: &Job) -> Result<Value, Problem> {
        let mut shape = brief(model, job);
        if job.state != JobState::Done {
            return Ok(shape);
        }
        if job.kind == SPREAD {
            let bytes = self.queue.result(job.number).await?.unwrap_or_default();
            let (desk, model) = (Arc::clone(desk), Arc::clone(model));
            let made = tokio::task::spawn_blocking(move || {
                let ground = model.site.ground(model.site.plan.finest_cell_m).map_err(|fault| fault.to_string())?;
                let spread = Spread::decode(&bytes, &ground).map_err(|fault| fault.to_string())?;
                Ok::<_, String>(desk.spread_shape(&model, &ground, &spread))
            });
            let made = made.await.map_err(|fault| Problem::internal(&fault))?;
            shape["spread"] = made.map_err(|why| Problem::not_found(&why))?;
        } else if let Some(refined) = self.refined(desk, model, job.number).await? {
            let (desk, model, number) = (Arc::clone(desk), Arc::clone(model), job.number);
            let made = tokio::task::spawn_blocking(move || desk.shape(&model, &refined.scene(number)));
            shape["inundation"] = made.await.map_err(|fault| Problem::internal(&fault))?;
        }
        Ok(shape)
    }
}

/// A job in a list.
pub fn brief(model: &TwinModel, job: &Job) -> Value {
    json!({
        "id": job.number, "kind": job.kind, "discharge_m3s": job.wish["discharge_m3s"], "breach": job.wish["breach"],
        "members": job.wish["members"], "state": job.state.as_str(), "progress": job.progress, "asked_by": job.who,
        "asked_at": job.asked_at, "why": job.why, "cell_m": model.site.plan.finest_cell_m,
    })
}

/// The ground of a model in sixteen letters.
fn print(model: &TwinModel) -> String {
    fingerprint(&model.ground).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Computes what is asked for until the server goes down; what is under way then is given back.
pub async fn work(desk: Arc<TwinDesk>, stop: CancellationToken) {
    let Some(runs) = desk.runs.as_ref() else { return };
    loop {
        let taken = runs.queue.take(WORKER, &[RUN, SPREAD], (runs.wall)()).await;
        let had_one = match taken {
            Ok(Some(job)) => {
                if let Err(fault) = compute(&desk, runs, job, &stop).await {
                    let fault = &fault as &dyn Error;
                    tracing::error!(fault, "孪生计算结果未写入 (the result of a run was not kept)");
                }
                true
            }
            Ok(None) => false,
            Err(fault) => {
                tracing::error!(
                    fault = &fault as &dyn Error,
                    "取不到孪生计算任务 (no run can be taken from the queue)"
                );
                false
            }
        };
        if stop.is_cancelled() {
            return;
        }
        if had_one {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = runs.news.notified() => {}
            () = tokio::time::sleep(KEEP_EVERY) => {}
        }
    }
}

async fn compute(desk: &Arc<TwinDesk>, runs: &TwinRuns, job: Job, stop: &CancellationToken) -> Result<(), JobError> {
    let halt = stop.child_token();
    let done = Arc::new(AtomicU32::new(0));
    let (reckoner, halted, told, wish) = (Arc::clone(desk), halt.clone(), Arc::clone(&done), job.wish.clone());
    let mut made = tokio::task::spawn_blocking(move || {
        reckon(&reckoner, &wish, &|share| {
            told.store((share.clamp(0.0, 1.0) * 1000.0) as u32, Ordering::Relaxed);
            !halted.is_cancelled()
        })
    });
    let mut look = tokio::time::interval(KEEP_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let made = loop {
        tokio::select! {
            made = &mut made => break made,
            _ = look.tick() => {
                let share = f64::from(done.load(Ordering::Relaxed)) / 1000.0;
                // A store that fails now may keep the result later; a job that was taken back is not computed to its end.
                if matches!(runs.queue.keep(job.number, WORKER, share, (runs.wall)()).await, Ok(false)) {
                    halt.cancel();
                }
            }
        }
    };
    let ended = match made {
        _ if stop.is_cancelled() => Ended::GivenBack,
        Ok(Ok(bytes)) => Ended::Done(bytes),
        Ok(Err(why)) => Ended::Failed(why),
        Err(fault) => Ended::Failed(fault.to_string()),
    };
    runs.queue.end(job.number, WORKER, ended, (runs.wall)()).await.map(|_| ())
}

/// Computes a wish to its bytes.
fn reckon(desk: &TwinDesk, wish: &Value, go_on: &(dyn Fn(f64) -> bool + Sync)) -> Result<Vec<u8>, String> {
    let wish: Wish = serde_json::from_value(wish.clone()).map_err(|fault| fault.to_string())?;
    let model = desk.model()?;
    if wish.ground != print(&model) {
        return Err("地形已更换，请重新演算 (the terrain has changed since it was asked for: ask again)".into());
    }
    let site = &model.site;
    let (ground, base_cm) = fine_ground(&model)?;
    let breach = site.breaches.iter().find(|site| Some(&site.place) == wish.breach.as_ref()).cloned();
    let assumed = Assumed { discharge_m3s: wish.discharge_m3s, breach };
    if let Some(members) = wish.members {
        let plan = SpreadPlan::around(assumed, members);
        let spread = Spread::compute(site, &ground, &base_cm, &plan, 1, go_on).map_err(|fault| fault.to_string())?;
        return spread.encode(&ground).map_err(|fault| fault.to_string());
    }
    let last_h = site.plan.hours.last().copied().unwrap_or(1.0);
    let flooding = flood(site, &ground, &base_cm, &assumed, f64::INFINITY, 1, &|hour| go_on(hour / last_h));
    let flooding = flooding.map_err(|fault| fault.to_string())?;
    let (hours, base_m3s) = (site.plan.hours.clone(), site.plan.base_m3s);
    Library { hours, base_m3s, base_cm, members: vec![flooding] }.encode(&ground).map_err(|fault| fault.to_string())
}

/// The finest ground with the library's base water on it, cm.
fn fine_ground(model: &TwinModel) -> Result<(SiteGround, Vec<u16>), String> {
    let ground = model.site.ground(model.site.plan.finest_cell_m).map_err(|fault| fault.to_string())?;
    let base = model.library.as_ref().map(|library| metres(&library.base_cm)).unwrap_or_default();
    let depth = ground.depth_from(&model.ground, &base);
    let base_cm = depth.iter().map(|depth| (depth * 100.0).round().min(60_000.0) as u16).collect();
    Ok((ground, base_cm))
}

impl Refined {
    fn read(desk: &TwinDesk, model: &TwinModel, bytes: &[u8]) -> Result<Self, String> {
        let ground = model.site.ground(model.site.plan.finest_cell_m).map_err(|fault| fault.to_string())?;
        let library = Library::decode(bytes, &ground).map_err(|fault| fault.to_string())?;
        let flooding = library.members.into_iter().next().ok_or("加密演算结果为空 (the result is empty)")?;
        let footprints = desk.footprints_on(model, &ground);
        Ok(Self { flooding, ground, base_cm: library.base_cm, footprints })
    }

    /// The result as the desk shows it.
    pub fn scene(&self, number: i64) -> Scene<'_> {
        Scene {
            flooding: self.flooding.clone(),
            rests: Rests::Exact,
            ground: &self.ground,
            footprints: &self.footprints,
            base_cm: &self.base_cm,
            run: Some(number),
        }
    }
}
