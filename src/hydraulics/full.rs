//! One time step of the full shallow-water equations over a strip of rows.
//!
//! In: the old water with its ghost cells filled. Out: the new one. Row by row: velocities, half differences and predicted
//! state, fluxes, update; each row's values are computed once and handed on to the next.

use super::debts;
use super::dispatch;
use super::grid::{HALO, Layout, Water};
use super::kernels::Row;
use super::sweep::{BAND, ColumnTops, Step, StripRows, WIDEST_FULL_RUN, sum};
use super::tiles::Band;
use std::ops::Range;

const WIDTH: usize = WIDEST_FULL_RUN + 4;

/// State half a time step on at the middles of a row's cells, and its half differences.
struct Predicted {
    centre: Row,
    x: Row,
    y: Row,
}

/// Fluxes over a row of faces; see [`dispatch::full_fluxes`].
struct Fluxes {
    mass: Vec<f32>,
    before: Vec<f32>,
    behind: Vec<f32>,
    across: Vec<f32>,
}

/// Row buffers of one worker.
pub(super) struct FullScratch {
    /// Stage and velocities of three rows; values lie at column − first + 2.
    still: [Row; 3],
    /// Predictions of two rows; values lie at column − first + 1.
    predicted: [Predicted; 2],
    /// Fluxes over the southern and northern faces of a row; values lie at column − first.
    y: [Fluxes; 2],
    /// Fluxes over the western faces, one more than there are cells.
    x: Fluxes,
    speed: Vec<f32>,
    clipped: Vec<f32>,
    tops: ColumnTops,
}

impl FullScratch {
    pub(super) fn new(layout: &Layout) -> Self {
        let row = || vec![0.0; WIDTH];
        let fluxes = || Fluxes { mass: row(), before: row(), behind: row(), across: row() };
        let still = || Row::new(WIDTH);
        let predicted = || Predicted { centre: still(), x: still(), y: still() };
        Self {
            still: [still(), still(), still()],
            predicted: [predicted(), predicted()],
            y: [fluxes(), fluxes()],
            x: fluxes(),
            speed: row(),
            clipped: row(),
            tops: ColumnTops::new(layout.stride),
        }
    }
}

/// Sweeps a strip; bands one after another with the same runs are swept in one go.
pub(super) fn sweep(step: &Step, old: &Water, strip: &mut StripRows, bands: &mut [Band], scratch: &mut FullScratch) {
    let mut from = 0;
    while from < bands.len() {
        let same = bands[from..].iter().take_while(|band| band.runs == bands[from].runs).count();
        let group = &mut bands[from..from + same];
        for run in group[0].runs.clone() {
            sweep_run(step, old, strip, group, run, scratch);
        }
        from += same;
    }
}

fn sweep_run(
    step: &Step,
    old: &Water,
    strip: &mut StripRows,
    bands: &mut [Band],
    run: Range<usize>,
    scratch: &mut FullScratch,
) {
    let FullScratch { still, predicted: [here, next], y: [south, north], x, speed, clipped, tops } = scratch;
    let (mut here, mut next, mut south, mut north) = (here, next, south, north);
    let first = bands[0].first;
    let end = first + bands.iter().map(|band| band.rows).sum::<usize>();
    for (at, row) in (first - 2..=first).enumerate() {
        stand_still(step, old, row, &run, &mut still[at]);
    }
    predict(step, first - 1, &run, still, here);
    for row in first - 1..end {
        // `still` holds the rows row − 1, row, row + 1; the prediction of row + 1 needs row + 2.
        still.rotate_left(1);
        stand_still(step, old, row + 2, &run, &mut still[2]);
        predict(step, row + 1, &run, still, next);
        flux_north(step, row, &run, here, next, north);
        if row >= first {
            flux_west(step, row, &run, here, x);
            let around = Around { x, south, north, here };
            let band = &mut bands[(row - first) / BAND];
            write_row(step, old, strip, band, row, &run, &around, speed, clipped);
            tops.raise(step.width, run.start, &speed[..run.len()]);
            if row + 1 == band.first + band.rows {
                tops.settle(&run, &mut band.tally);
            }
        }
        std::mem::swap(&mut south, &mut north);
        std::mem::swap(&mut here, &mut next);
    }
}

fn stand_still(step: &Step, water: &Water, row: usize, run: &Range<usize>, out: &mut Row) {
    let n = run.len() + 4;
    let part = |values| step.part(values, row, run.start - 2, n);
    let (stage, u, v) = (&mut out.stage[..n], &mut out.u[..n], &mut out.v[..n]);
    let eps = step.dry;
    dispatch::full_primitives(
        step.width,
        part(&water.h),
        part(&water.qx),
        part(&water.qy),
        part(step.bed),
        stage,
        u,
        v,
        eps,
    );
    out.h[..n].copy_from_slice(part(&water.h));
}

fn predict(step: &Step, row: usize, run: &Range<usize>, [s, c, n]: &[Row; 3], out: &mut Predicted) {
    let w = run.len() + 2;
    if !step.slopes {
        return copy_first_order(c, w, out);
    }
    let Predicted { centre, x, y } = out;
    dispatch::full_slopes(
        step.width,
        &c.h,
        &c.stage,
        &c.u,
        &c.v,
        &s.h,
        &s.stage,
        &s.u,
        &s.v,
        &n.h,
        &n.stage,
        &n.u,
        &n.v,
        &mut centre.h[..w],
        &mut centre.stage,
        &mut centre.u,
        &mut centre.v,
        &mut x.h,
        &mut x.stage,
        &mut x.u,
        &mut x.v,
        &mut y.h,
        &mut y.stage,
        &mut y.u,
        &mut y.v,
        step.n2.part(row, run.start - 1, w),
        step.k,
        step.gdt * step.rdx,
        0.5 * step.gdt,
        step.dry,
    );
    if step.weirs.is_empty() {
        return;
    }
    let beside = step.weirs.east_of(row).iter().flat_map(|weir| [weir.column, weir.column + 1]);
    let above = step.weirs.north_of(row).iter().chain(step.weirs.north_of(row - 1)).map(|weir| weir.column);
    for column in beside.chain(above) {
        if let Some(at) = (column + 1).checked_sub(run.start).filter(|at| *at < w) {
            flatten(c, at, out);
        }
    }
}

fn copy_first_order(still: &Row, w: usize, out: &mut Predicted) {
    out.centre.h[..w].copy_from_slice(&still.h[1..w + 1]);
    out.centre.stage[..w].copy_from_slice(&still.stage[1..w + 1]);
    out.centre.u[..w].copy_from_slice(&still.u[1..w + 1]);
    out.centre.v[..w].copy_from_slice(&still.v[1..w + 1]);
}

/// First order in one cell beside a weir: no slope reaches across a crest.
fn flatten(still: &Row, at: usize, out: &mut Predicted) {
    let Predicted { centre, x, y } = out;
    (centre.h[at], centre.stage[at]) = (still.h[at + 1], still.stage[at + 1]);
    (centre.u[at], centre.v[at]) = (still.u[at + 1], still.v[at + 1]);
    for row in [x, y] {
        (row.h[at], row.stage[at], row.u[at], row.v[at]) = (0.0, 0.0, 0.0, 0.0);
    }
}

fn flux_north(step: &Step, row: usize, run: &Range<usize>, here: &Predicted, next: &Predicted, out: &mut Fluxes) {
    let n = run.len();
    let (a, da, b, db) = (&here.centre, &here.y, &next.centre, &next.y);
    let part = |values| -> &[f32] { cells(values, n) };
    dispatch::full_fluxes(
        step.width,
        part(&a.h),
        part(&a.stage),
        part(&a.v),
        part(&a.u),
        part(&da.h),
        part(&da.stage),
        part(&da.v),
        part(&da.u),
        part(&b.h),
        part(&b.stage),
        part(&b.v),
        part(&b.u),
        part(&db.h),
        part(&db.stage),
        part(&db.v),
        part(&db.u),
        &mut out.mass[..n],
        &mut out.before,
        &mut out.behind,
        &mut out.across,
    );
    let side =
        if row + 1 == HALO { Some(&step.rim.south) } else { Some(&step.rim.north).filter(|_| step.at_north(row)) };
    let fixed = if row + 1 == HALO { step.rim.fixed[2] } else { step.rim.fixed[3] };
    if let Some(values) = side.filter(|_| fixed) {
        out.mass[..n].copy_from_slice(&values[run.start..run.end]);
        out.across[..n].fill(0.0);
    }
    for weir in step.weirs.north_of(row) {
        if let Some(at) = weir.column.checked_sub(run.start).filter(|at| *at < n) {
            out.set_weir(at, weir.q);
        }
    }
}

/// The part of a prediction's row that belongs to the run's own cells.
fn cells(values: &[f32], n: usize) -> &[f32] {
    &values[1..n + 1]
}

fn flux_west(step: &Step, row: usize, run: &Range<usize>, here: &Predicted, out: &mut Fluxes) {
    let n = run.len() + 1;
    let (c, d) = (&here.centre, &here.x);
    dispatch::full_fluxes(
        step.width,
        &c.h,
        &c.stage,
        &c.u,
        &c.v,
        &d.h,
        &d.stage,
        &d.u,
        &d.v,
        &c.h[1..],
        &c.stage[1..],
        &c.u[1..],
        &c.v[1..],
        &d.h[1..],
        &d.stage[1..],
        &d.u[1..],
        &d.v[1..],
        &mut out.mass[..n],
        &mut out.before,
        &mut out.behind,
        &mut out.across,
    );
    if step.at_west(run.start) && step.rim.fixed[0] {
        (out.mass[0], out.across[0]) = (step.rim.west[row], 0.0);
    }
    if step.at_east(run.end) && step.rim.fixed[1] {
        (out.mass[n - 1], out.across[n - 1]) = (step.rim.east[row], 0.0);
    }
    for weir in step.weirs.east_of(row) {
        if let Some(at) = (weir.column + 1).checked_sub(run.start).filter(|at| *at < n) {
            out.set_weir(at, weir.q);
        }
    }
}

impl Fluxes {
    /// A weir: its own discharge, a wall for the momentum on both sides.
    fn set_weir(&mut self, at: usize, q: f32) {
        (self.mass[at], self.before[at], self.behind[at], self.across[at]) = (q, 0.0, 0.0, 0.0);
    }
}

/// All that the update of a row reads besides the old water.
struct Around<'a> {
    x: &'a Fluxes,
    south: &'a Fluxes,
    north: &'a Fluxes,
    here: &'a Predicted,
}

#[allow(clippy::too_many_arguments)] // the buffers are lent apart so that they do not overlap
fn write_row(
    step: &Step,
    water: &Water,
    strip: &mut StripRows,
    band: &mut Band,
    row: usize,
    run: &Range<usize>,
    around: &Around,
    speed: &mut [f32],
    clipped: &mut [f32],
) {
    let n = run.len();
    let start = (row - strip.first) * step.layout.stride + run.start;
    let Around { x, south, north, here } = around;
    let part = |values| step.part(values, row, run.start, n);
    let tally = &mut band.tally;
    let below = dispatch::full_update(
        step.width,
        part(&water.h),
        part(&water.qx),
        part(&water.qy),
        step.n2.part(row, run.start, n),
        &x.mass,
        &x.mass[1..],
        &x.behind,
        &x.before[1..],
        &x.across,
        &x.across[1..],
        &south.mass,
        &north.mass,
        &south.behind,
        &north.before,
        &south.across,
        &north.across,
        cells(&here.centre.h, n),
        cells(&here.x.stage, n),
        cells(&here.y.stage, n),
        &mut strip.h[start..start + n],
        &mut strip.qx[start..start + n],
        &mut strip.qy[start..start + n],
        speed,
        clipped,
        step.k,
        step.gdt,
        step.dry,
    );
    if below {
        for (at, lacks_m) in clipped[..n].iter().enumerate().filter(|(_, lacks_m)| **lacks_m > 0.0) {
            let out = [-x.mass[at], x.mass[at + 1], -south.mass[at], north.mass[at]];
            debts::share(step, (row, run.start + at), *lacks_m, out, tally);
        }
    }
    if step.at_west(run.start) {
        tally.rim[0] += f64::from(x.mass[0]);
    }
    if step.at_east(run.end) {
        tally.rim[1] += f64::from(x.mass[n]);
    }
    if step.at_south(row) {
        tally.rim[2] += sum(&south.mass[..n]);
    }
    if step.at_north(row) {
        tally.rim[3] += sum(&north.mass[..n]);
    }
}
