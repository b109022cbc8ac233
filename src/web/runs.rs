//! Finer runs of the twin in the background: one at a time, a few that wait, the last results kept.
//!
//! In: a discharge that somebody wants on the finest grid. Out: a number to ask by, progress, then the flooding. Its queue is
//! bounded and a full one is said; the same wish twice is one run. A run ends with the server. Nothing here is kept on disk:
//! a result can be computed again.

use super::Problem;
use super::twin::{Scene, TwinDesk};
use crate::hydraulics::{Assumed, Flooding, FloodingFault, Footprint, Rests, SiteGround, TwinModel, flood, metres};
use crate::model::PlaceId;
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// Runs that wait or go at most.
const OPEN_MAX: usize = 4;
/// Finished runs that are kept.
const KEPT: usize = 8;

/// A result on its own grid.
pub struct Refined {
    flooding: Flooding,
    ground: SiteGround,
    base_cm: Vec<u16>,
    footprints: Vec<Option<Footprint>>,
}

#[derive(Clone)]
enum RunState {
    Waiting,
    Going,
    Done(Arc<Refined>),
    Failed(String),
}

struct Run {
    discharge_m3s: f64,
    breach: Option<PlaceId>,
    /// Hundredths of the run.
    progress: Arc<AtomicU32>,
    state: RunState,
}

#[derive(Default)]
struct Shelf {
    last: u64,
    runs: BTreeMap<u64, Run>,
}

/// The runs of one desk.
#[derive(Default)]
pub struct TwinRuns {
    shelf: Mutex<Shelf>,
    /// One at a time: live work goes before.
    turn: tokio::sync::Mutex<()>,
}

impl TwinRuns {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As `GET /twin/runs/{id}` shows it; the water itself comes with a finished one.
    pub fn shape(&self, desk: &TwinDesk, model: &TwinModel, id: u64) -> Option<Value> {
        let (head, state) = {
            let shelf = self.shelf();
            let run = shelf.runs.get(&id)?;
            let progress = f64::from(run.progress.load(Ordering::Relaxed)) / 100.0;
            let word = match &run.state {
                RunState::Waiting => "waiting",
                RunState::Going => "running",
                RunState::Done(_) => "done",
                RunState::Failed(_) => "failed",
            };
            let head = json!({
                "id": id, "discharge_m3s": run.discharge_m3s, "breach": run.breach, "state": word, "progress": progress,
                "cell_m": model.site.plan.finest_cell_m,
            });
            (head, run.state.clone())
        };
        let mut shape = head;
        match &state {
            RunState::Done(refined) => shape["inundation"] = desk.shape(model, &refined.scene(id)),
            RunState::Failed(why) => shape["why"] = json!(why),
            RunState::Waiting | RunState::Going => {}
        }
        Some(shape)
    }

    /// A finished run.
    pub fn refined(&self, id: u64) -> Option<Arc<Refined>> {
        match &self.shelf().runs.get(&id)?.state {
            RunState::Done(refined) => Some(Arc::clone(refined)),
            _ => None,
        }
    }

    /// Puts a wish down; the number of the run that answers it, and whether it is a new one.
    fn put(&self, discharge_m3s: f64, breach: Option<PlaceId>) -> Result<(u64, bool), Problem> {
        let mut shelf = self.shelf();
        let same = |run: &Run| {
            run.discharge_m3s == discharge_m3s && run.breach == breach && !matches!(run.state, RunState::Failed(_))
        };
        if let Some((id, _)) = shelf.runs.iter().find(|(_, run)| same(run)) {
            return Ok((*id, false));
        }
        let is_open = |run: &&Run| matches!(run.state, RunState::Waiting | RunState::Going);
        if shelf.runs.values().filter(is_open).count() >= OPEN_MAX {
            let detail = "加密演算已排满，请等前面的完成 (the finer runs are full: wait for one to end)";
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-runs", detail));
        }
        while shelf.runs.len() >= OPEN_MAX + KEPT {
            let over = shelf.runs.iter().find(|(_, run)| !is_open(run)).map(|(id, _)| *id);
            let Some(over) = over else { break };
            shelf.runs.remove(&over);
        }
        shelf.last += 1;
        let id = shelf.last;
        shelf.runs.insert(id, Run { discharge_m3s, breach, progress: Arc::default(), state: RunState::Waiting });
        Ok((id, true))
    }

    fn set(&self, id: u64, state: RunState) {
        if let Some(run) = self.shelf().runs.get_mut(&id) {
            run.state = state;
        }
    }
}

/// Puts a finer run down, or finds the one that is on its way; gives its number and, for a new one, the work to be driven.
///
/// # Errors
/// When too many wait.
pub fn start(
    desk: &Arc<TwinDesk>,
    model: Arc<TwinModel>,
    discharge_m3s: f64,
    breach: Option<PlaceId>,
    stop: CancellationToken,
) -> Result<(u64, Option<impl Future<Output = ()> + Send + use<>>), Problem> {
    let (id, new) = desk.runs.put(discharge_m3s, breach.clone())?;
    let desk = Arc::clone(desk);
    let work = async move {
        let _turn = desk.runs.turn.lock().await;
        if stop.is_cancelled() {
            return;
        }
        desk.runs.set(id, RunState::Going);
        let progress = desk.runs.shelf().runs.get(&id).map(|run| Arc::clone(&run.progress)).unwrap_or_default();
        let reckoner = Arc::clone(&desk);
        let made = tokio::task::spawn_blocking(move || {
            refine(&reckoner, &model, discharge_m3s, breach.as_ref(), &|share| {
                progress.store((share.clamp(0.0, 1.0) * 100.0) as u32, Ordering::Relaxed);
                !stop.is_cancelled()
            })
        });
        let state = match made.await {
            Ok(Ok(refined)) => RunState::Done(Arc::new(refined)),
            Ok(Err(fault)) => RunState::Failed(fault.to_string()),
            Err(fault) => RunState::Failed(fault.to_string()),
        };
        desk.runs.set(id, state);
    };
    Ok((id, new.then_some(work)))
}

/// The flooding on the finest grid, from the library's base water; one worker, so that live work keeps the other cores.
fn refine(
    desk: &TwinDesk,
    model: &TwinModel,
    discharge_m3s: f64,
    breach: Option<&PlaceId>,
    go_on: &(dyn Fn(f64) -> bool + Sync),
) -> Result<Refined, FloodingFault> {
    let site = &model.site;
    let ground = site.ground(site.plan.finest_cell_m)?;
    let base = model.library.as_ref().map(|library| metres(&library.base_cm)).unwrap_or_default();
    let depth = ground.depth_from(&model.ground, &base);
    let base_cm: Vec<u16> = depth.iter().map(|depth| (depth * 100.0).round().min(60_000.0) as u16).collect();
    let breach = site.breaches.iter().find(|site| Some(&site.place) == breach).cloned();
    let last_h = site.plan.hours.last().copied().unwrap_or(1.0);
    let assumed = Assumed { discharge_m3s, breach };
    let flooding = flood(site, &ground, &base_cm, &assumed, f64::INFINITY, 1, &|hour| go_on(hour / last_h))?;
    let footprints = desk.footprints_on(model, &ground);
    Ok(Refined { flooding, ground, base_cm, footprints })
}

impl Refined {
    /// The result as the desk shows it.
    pub fn scene(&self, id: u64) -> Scene<'_> {
        Scene {
            flooding: self.flooding.clone(),
            rests: Rests::Exact,
            ground: &self.ground,
            footprints: &self.footprints,
            base_cm: &self.base_cm,
            run: Some(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_bounded_and_the_same_wish_is_one_run() {
        let runs = TwinRuns::default();
        for n in 1..=OPEN_MAX as u64 {
            assert_eq!(runs.put(1000.0 * n as f64, None).unwrap(), (n, true));
        }
        assert_eq!(runs.put(2000.0, None).unwrap(), (2, false));
        let full = runs.put(9000.0, None).unwrap_err();
        assert_eq!(full.kind(), "too-many-runs");
        // A failed one is tried again; the oldest finished ones make room, never one that waits.
        runs.set(2, RunState::Failed("stopped".into()));
        assert_eq!(runs.put(2000.0, None).unwrap(), (5, true));
        for n in 0..40 {
            let last = { runs.shelf().last };
            runs.set(last, RunState::Failed("stopped".into()));
            runs.put(20_000.0 + f64::from(n), None).unwrap();
        }
        assert!(runs.shelf().runs.len() <= OPEN_MAX + KEPT);
        assert!([1, 3, 4].iter().all(|id| runs.shelf().runs.contains_key(id)));
    }
}
