//! How long all conditions of a playbook take: the figure behind `anlan bench rules`.

use crate::model::{Reach, Standing, Timestamp, WarningLevel};
use crate::playbook::{Playbook, Snapshot};
use serde::Serialize;
use std::hint::black_box;
use std::time::Instant;

/// Times of one run, in ns for one pass over all rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleFigures {
    /// Rows judged in one pass.
    pub rows: usize,
    /// Passes measured.
    pub iterations: u32,
    /// Only whether each row fires, from a snapshot; middle of the batches.
    pub conditions_ns: f64,
    /// Slowest batch of the same.
    pub conditions_slowest_ns: f64,
    /// Full verdicts: fires, still holds, stops, and the names of what is missing.
    pub verdicts_ns: f64,
    /// Full verdicts with local values at every place of the reach.
    pub local_verdicts_ns: f64,
    /// Places of the reach.
    pub places: usize,
}

/// Batches that a run is cut into.
const BATCHES: u32 = 20;

/// Judges every row `iterations` times at a rising discharge, with the forecast known and everything else missing, as on
/// a desk without twin.
pub fn bench_rules(playbook: &Playbook, reach: &Reach, iterations: u32) -> RuleFigures {
    let standing = Standing { event_open: true, in_force: WarningLevel::Orange, ..Standing::default() };
    let snapshots: Vec<Snapshot> = (0..64).map(|step| at_large(playbook, 2_000.0 + 320.0 * f64::from(step))).collect();
    let local: Vec<Snapshot> = snapshots.iter().map(|snapshot| with_places(playbook, reach, snapshot)).collect();
    let batch = (iterations / BATCHES).max(1);
    let mut conditions: Vec<f64> = (0..BATCHES)
        .map(|_| per_pass(&snapshots, batch, |snapshot| black_box(playbook.truths(snapshot, &standing)).len()))
        .collect();
    conditions.sort_by(f64::total_cmp);
    let verdicts = |snapshots: &[Snapshot], passes: u32| {
        per_pass(snapshots, passes, |snapshot| black_box(playbook.evaluate(snapshot, &standing, reach)).len())
    };
    RuleFigures {
        rows: playbook.instructions().len(),
        iterations: batch * BATCHES,
        conditions_ns: conditions.get(conditions.len() / 2).copied().unwrap_or(f64::NAN),
        conditions_slowest_ns: conditions.last().copied().unwrap_or(f64::NAN),
        verdicts_ns: verdicts(&snapshots, batch),
        local_verdicts_ns: verdicts(&local, (batch / 20).max(1)),
        places: reach.places().count(),
    }
}

fn per_pass(snapshots: &[Snapshot], passes: u32, judge: impl Fn(&Snapshot) -> usize) -> f64 {
    let started = Instant::now();
    let mut judged = 0usize;
    for snapshot in snapshots.iter().cycle().take(passes as usize) {
        judged = judged.wrapping_add(judge(snapshot));
    }
    black_box(judged);
    started.elapsed().as_nanos() as f64 / f64::from(passes)
}

fn at_large(playbook: &Playbook, q_m3s: f64) -> Snapshot {
    let now = Timestamp::from_timestamp(1_785_542_400, 0).unwrap_or_default();
    Snapshot::at_discharge(now, q_m3s, Some((0.0, q_m3s)), &playbook.signals())
}

fn with_places(playbook: &Playbook, reach: &Reach, snapshot: &Snapshot) -> Snapshot {
    let mut snapshot = snapshot.clone();
    for key in playbook.signals() {
        if ["toe", "toe_eta", "overtop", "z_crest_gap"].contains(&key.name()) {
            for (step, place) in reach.places_of_scope("levee_segment").iter().enumerate() {
                snapshot.set_at(key.clone(), place.clone(), step as f64 * 0.1);
            }
        }
    }
    snapshot
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn playbook_bench_measures_every_row() {
        let playbook = Playbook::load("", &crate::app::editions::embedded_playbook()).unwrap();
        let reach = crate::app::reaches::embedded_reach().unwrap().reach;
        let iterations = if cfg!(debug_assertions) { 40 } else { 40_000 };
        let figures = bench_rules(&playbook, &reach, iterations);
        println!("{figures:#?}");
        assert_eq!((figures.rows, figures.iterations), (390, iterations));
        assert!(figures.conditions_ns > 390.0, "a condition takes more than a nanosecond");
    }
}
