//! How a step is shared out: strips of rows with about the same number of wet cells, each swept by one worker at a time.
//!
//! In: water, bands, the number of bands in each strip. Out: the same water, moved on by one step; what a cell becomes does not
//! depend on where strips begin or who sweeps them.

use super::full::{self, FullScratch};
use super::grid::{HALO, Layout, Water};
use super::inertia::{self, InertiaScratch, Seam};
use super::sweep::{Step, StripRows};
use super::tiles::Band;
use rayon::Yield;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Strips for each worker: enough that none waits long for another.
pub(super) const STRIPS_A_WORKER: usize = 2;
/// Fewest rows of a strip, so that what is done twice at its ends stays small.
pub(super) const LEAST_STRIP_ROWS: usize = 32;
/// Looks for work, one right after the other, before a worker goes to sleep: about half a millisecond.
const LOOKS_IN_VAIN: u32 = 10_000;

/// What one worker does at a time.
pub(super) struct StripWork<'a> {
    rows: StripRows<'a>,
    bands: &'a mut [Band],
    /// Local inertia: what lies beside its southern and northern end.
    seams: [Option<&'a Seam>; 2],
}

/// Row buffers of one worker.
pub(super) enum Scratch {
    Inertia(Box<InertiaScratch>),
    Full(Box<FullScratch>),
}

pub(super) fn sweep_strip(step: &Step, old: Option<&Water>, work: StripWork, scratch: &[Mutex<Scratch>]) {
    let StripWork { mut rows, bands, seams } = work;
    if bands.iter().all(|band| band.runs.is_empty()) {
        return;
    }
    let own = rayon::current_thread_index().unwrap_or(0) % scratch.len();
    let mut scratch = scratch[own].lock().unwrap_or_else(PoisonError::into_inner);
    match (&mut *scratch, old) {
        (Scratch::Full(buffers), Some(old)) => full::sweep(step, old, &mut rows, bands, buffers),
        (Scratch::Inertia(buffers), _) => inertia::sweep(step, &mut rows, bands, seams, buffers),
        (Scratch::Full(_), None) => debug_assert!(false, "the full equations read the old water"),
    }
}

/// Does `work`, some short steps one after the other, while the other workers of the pool stand by awake: to wake one takes as long
/// as its part of a step of 100,000 cells.
pub(super) fn all_awake<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let over = AtomicBool::new(false);
    let leader = rayon::current_thread_index();
    rayon::scope(|scope| {
        scope.spawn_broadcast(|_, worker| {
            if leader != Some(worker.index()) {
                stand_by(&over);
            }
        });
        // Also when `work` panics, else nobody would ever go home.
        let _over = Ended(&over);
        work()
    })
}

/// Ends the standing by when it is dropped.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Looks for work until it is over, or until there was none for long.
fn stand_by(over: &AtomicBool) {
    let mut idle = 0u32;
    while idle < LOOKS_IN_VAIN && !over.load(Ordering::Acquire) {
        idle = if rayon::yield_now() == Some(Yield::Executed) { 0 } else { idle + 1 };
        std::hint::spin_loop();
    }
}

/// Does all work, by this thread or by all workers.
pub(super) fn each<'a>(work: Vec<StripWork<'a>>, serial: bool, run: impl Fn(StripWork<'a>) + Sync + Send) {
    if serial {
        work.into_iter().for_each(run);
    } else {
        work.into_par_iter().with_max_len(1).for_each(run);
    }
}

/// Keeps the old water beside each line between two strips.
pub(super) fn take_seams(layout: &Layout, water: &Water, bands: &[Band], strips: &[usize], seams: &mut Vec<Seam>) {
    seams.resize_with(strips.len().saturating_sub(1), Seam::default);
    if seams.is_empty() {
        return; // one strip: no need of other workers
    }
    let mut end = 0;
    let between = seams.iter_mut().zip(strips).filter_map(|(seam, count)| {
        end += count;
        Some((seam, bands.get(end - 1)?, bands.get(end)?))
    });
    let between: Vec<_> = between.collect();
    between.into_par_iter().for_each(|(seam, south, north)| seam.take(layout, water, south, north));
}

/// Shares water and bands among strips.
pub(super) fn split<'a>(
    layout: &Layout,
    water: &'a mut Water,
    mut bands: &'a mut [Band],
    strips: &[usize],
    seams: Option<&'a [Seam]>,
) -> Vec<StripWork<'a>> {
    let inner = HALO * layout.stride..(HALO + layout.rows) * layout.stride;
    let mut rest = [&mut water.h[inner.clone()], &mut water.qx[inner.clone()], &mut water.qy[inner]];
    let seam = |at: Option<usize>| seams.zip(at).and_then(|(seams, at)| seams.get(at));
    let mut work = Vec::with_capacity(strips.len());
    for (at, count) in strips.iter().enumerate() {
        let (own, others) = std::mem::take(&mut bands).split_at_mut(*count);
        bands = others;
        let rows = own.iter().map(|band| band.rows).sum::<usize>();
        let [h, qx, qy] = rest.each_mut().map(|field| {
            let (own, others) = std::mem::take(field).split_at_mut(rows * layout.stride);
            *field = others;
            own
        });
        let first = own.first().map_or(HALO, |band| band.first);
        let seams = [seam(at.checked_sub(1)), seam(Some(at))];
        work.push(StripWork { rows: StripRows { first, rows, h, qx, qy }, bands: own, seams });
    }
    work
}
