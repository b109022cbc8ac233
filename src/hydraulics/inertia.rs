//! One time step of local inertia over a strip of rows, in place.
//!
//! In: the old water of the strip and of some rows beside it. Out: the new water in the same arrays. Row by row: faces, then depths
//! as if every cell could give what its faces want. Where a cell cannot (a row is told so by the signs of its sums), faces are
//! cut to the share that it holds and the rows beside it are done again from their kept depths: no cell gives more than it
//! holds, so volume is kept without setting depths to zero.

use super::dispatch;
use super::grid::{HALO, Layout, Water};
use super::sweep::{BAND, ColumnTops, Step, StripRows, Tally, clip, sum};
use super::tiles::Band;
use std::ops::Range;

/// Old water beside the line between two strips, kept before either is swept.
#[derive(Default)]
pub(super) struct Seam {
    /// First padded row of the strip north of it.
    row: usize,
    stride: usize,
    /// Runs of the band south of it and of the band north of it.
    runs: [Vec<Range<usize>>; 2],
    /// Depths of the rows −2 to +1, counted from `row`; discharges through eastern faces of −1 and 0, through northern ones of −3 to +1.
    values: Vec<f32>,
}

impl Seam {
    /// Takes what lies beside the first row of `north`.
    pub(super) fn take(&mut self, layout: &Layout, water: &Water, south: &Band, north: &Band) {
        (self.row, self.stride) = (north.first, layout.stride);
        for (runs, band) in self.runs.iter_mut().zip([south, north]) {
            runs.clone_from(&band.runs);
        }
        let rows = |from: usize, count: usize| (self.row - from) * self.stride..(self.row - from + count) * self.stride;
        self.values.clear();
        self.values.extend_from_slice(&water.h[rows(2, 4)]);
        self.values.extend_from_slice(&water.qx[rows(1, 2)]);
        self.values.extend_from_slice(&water.qy[rows(3, 5)]);
    }

    fn kept(&self, at: usize) -> &[f32] {
        &self.values[at * self.stride..(at + 1) * self.stride]
    }

    fn h(&self, row: usize) -> &[f32] {
        self.kept(row + 2 - self.row)
    }

    fn qx(&self, row: usize) -> &[f32] {
        self.kept(4 + row + 1 - self.row)
    }

    fn qy(&self, row: usize) -> &[f32] {
        self.kept(6 + row + 3 - self.row)
    }
}

/// Row buffers of one worker; index = padded column, or padded row mod 2 before it.
pub(super) struct InertiaScratch {
    /// Old discharges through the eastern faces of the row in hand.
    east: Vec<f32>,
    /// Old discharges through northern faces; zero outside the runs of their row.
    north: [Vec<f32>; 2],
    /// Old depths.
    depth: [Vec<f32>; 2],
    shares: [Vec<f32>; 2],
    ones: Vec<f32>,
    /// Discharges through the southern faces of the strip's first row.
    below: Vec<f32>,
    /// Faces of the row beyond a seam: eastern, northern, and one to throw away.
    beyond: [Vec<f32>; 3],
    tops: ColumnTops,
}

impl InertiaScratch {
    pub(super) fn new(layout: &Layout) -> Self {
        let row = || vec![0.0; layout.stride];
        Self {
            east: row(),
            north: [row(), row()],
            depth: [row(), row()],
            shares: [row(), row()],
            ones: vec![1.0; layout.stride],
            below: row(),
            beyond: [row(), row(), row()],
            tops: ColumnTops::new(layout.stride),
        }
    }
}

/// Sweeps a strip between two seams; none at the southern and northern rim of the grid.
pub(super) fn sweep(
    step: &Step,
    strip: &mut StripRows,
    bands: &mut [Band],
    seams: [Option<&Seam>; 2],
    scratch: &mut InertiaScratch,
) {
    let mut sweep = Sweep { step, strip, south: seams[0], north: seams[1], scratch };
    let (first, end) = (sweep.strip.first, sweep.strip.first + sweep.strip.rows);
    // Whether a cell of the row before last, of the last row and of this one cannot give what its faces want.
    let (mut short2, mut short1) = (false, sweep.begin());
    for row in first..end {
        let at = (row - first) / BAND;
        let new_runs = at == 0 || bands[at].runs != bands[at - 1].runs;
        if new_runs && (row - first) % BAND < 2 {
            sweep.scratch.north[row % 2].fill(0.0);
        }
        let mut short = false;
        for run in &bands[at].runs {
            sweep.faces(row, run);
            short |= sweep.settle(row, run);
        }
        if short {
            // A depth below zero by rounding alone also comes here; then all shares are one and change nothing.
            sweep.share(row, &bands[at].runs);
        }
        if row > first {
            let before = (row - 1 - first) / BAND;
            sweep.finish(row - 1, &mut bands[before], [short2, short1, short]);
        } else if short1 || short {
            let runs: &[Range<usize>] = sweep.south.map_or(&bands[0].runs, |seam| &seam.runs[0]);
            sweep.cut_below(row, runs, [short1, short]);
        }
        if short {
            sweep.cut_east(row, &bands[at].runs);
        }
        (short2, short1) = (short1, short);
    }
    let short = sweep.beyond_north(end);
    if let Some(band) = bands.last_mut() {
        sweep.finish(end - 1, band, [short2, short1, short]);
    }
}

struct Sweep<'a, 'b> {
    step: &'a Step<'a>,
    strip: &'a mut StripRows<'b>,
    south: Option<&'a Seam>,
    north: Option<&'a Seam>,
    scratch: &'a mut InertiaScratch,
}

impl Sweep<'_, '_> {
    /// Places of a run of one of the strip's rows in its arrays.
    fn own(&self, row: usize, run: &Range<usize>) -> Range<usize> {
        let start = (row - self.strip.first) * self.step.layout.stride;
        start + run.start..start + run.end
    }

    /// Discharges through the southern faces of the strip's first row, before the cut. True if a cell below is short.
    fn begin(&mut self) -> bool {
        let first = self.strip.first;
        let Some(seam) = self.south else {
            self.scratch.below.copy_from_slice(&self.step.rim.south);
            self.scratch.north[(first + 1) % 2].copy_from_slice(&self.step.rim.south);
            return false;
        };
        let (step, layout) = (self.step, self.step.layout);
        let InertiaScratch { north, shares, below, beyond: [east, south, spare], .. } = &mut *self.scratch;
        north[(first + 1) % 2].copy_from_slice(seam.qy(first - 1));
        below.copy_from_slice(seam.qy(first - 1));
        south.copy_from_slice(seam.qy(first - 2));
        shares[(first + 1) % 2].fill(1.0);
        east.fill(0.0);
        let mut short = false;
        for run in &seam.runs[0] {
            let own = &self.strip.qy[..layout.stride];
            let depths = [seam.h(first - 2), seam.h(first - 1)];
            north_faces(step, first - 2, run, depths, [seam.qy(first - 3), seam.qy(first - 1)], south, spare);
            let depths = [seam.h(first - 1), &self.strip.h[..layout.stride]];
            north_faces(step, first - 1, run, depths, [seam.qy(first - 2), own], below, spare);
            east_faces(step, first - 1, run, seam.h(first - 1), seam.qx(first - 1), east);
            let share = &mut shares[(first + 1) % 2];
            short |= shares_of(step, run, seam.h(first - 1), east, south, below, share);
        }
        short
    }

    /// Discharges through the eastern and northern faces of a row, before the cut.
    fn faces(&mut self, row: usize, run: &Range<usize>) {
        let (step, stride) = (self.step, self.step.layout.stride);
        let start = (row - self.strip.first) * stride;
        let StripRows { h, qx, qy, first, rows } = &mut *self.strip;
        let InertiaScratch { east, north: [even, odd], .. } = &mut *self.scratch;
        let (kept, before) = if row.is_multiple_of(2) { (even, odd) } else { (odd, even) };
        let (here, beyond) = qy[start..].split_at_mut(stride);
        if step.at_north(row) {
            kept[run.clone()].copy_from_slice(&here[run.clone()]);
            here[run.clone()].copy_from_slice(&step.rim.north[run.clone()]);
        } else {
            let (h_north, q_north) = match self.north.filter(|_| row + 1 == *first + *rows) {
                Some(seam) => (seam.h(row + 1), seam.qy(row + 1)),
                None => (&h[start + stride..start + 2 * stride], &beyond[..stride]),
            };
            let depths = [&h[start..start + stride], h_north];
            north_faces(step, row, run, depths, [before, q_north], here, kept);
        }
        let here = &mut qx[start..start + stride];
        let around = run.start - 1..run.end + 1;
        east[around.clone()].copy_from_slice(&here[around]);
        east_faces(step, row, run, &h[start..start + stride], east, here);
    }

    /// New depths of a row as if every cell could give what is wanted. True if one cannot.
    fn settle(&mut self, row: usize, run: &Range<usize>) -> bool {
        let (step, own) = (self.step, self.own(row, run));
        let stride = step.layout.stride;
        let StripRows { h, qx, qy, first, .. } = &mut *self.strip;
        let InertiaScratch { depth, below, .. } = &mut *self.scratch;
        let south = if row == *first { &below[run.clone()] } else { &qy[own.start - stride..own.end - stride] };
        let (west, east) = (&qx[own.start - 1..own.end - 1], &qx[own.clone()]);
        let kept = &mut depth[row % 2][run.clone()];
        dispatch::inertia_settle(step.width, &mut h[own.clone()], west, east, south, &qy[own], kept, step.k)
    }

    /// Shares of a row's cells; one outside its runs.
    fn share(&mut self, row: usize, runs: &[Range<usize>]) {
        let (step, stride) = (self.step, self.step.layout.stride);
        let start = (row - self.strip.first) * stride;
        let StripRows { qx, qy, first, .. } = &*self.strip;
        let InertiaScratch { depth, below, shares, .. } = &mut *self.scratch;
        let south = if row == *first { &below[..] } else { &qy[start - stride..start] };
        let share = &mut shares[row % 2];
        share.fill(1.0);
        for run in runs {
            let (east, north) = (&qx[start..start + stride], &qy[start..start + stride]);
            shares_of(step, run, &depth[row % 2], east, south, north, share);
        }
    }

    /// Cuts the faces between the strip's first row and the row below it.
    fn cut_below(&mut self, row: usize, runs: &[Range<usize>], [below, here]: [bool; 2]) {
        let InertiaScratch { below: faces, shares, ones, .. } = &mut *self.scratch;
        let before = if below { &shares[(row + 1) % 2] } else { &*ones };
        let behind = if here { &shares[row % 2] } else { &*ones };
        for run in runs {
            let faces = &mut faces[run.clone()];
            dispatch::inertia_limit(self.step.width, faces, &before[run.clone()], &behind[run.clone()]);
        }
    }

    /// Cuts the eastern faces of a row, the west rim included.
    fn cut_east(&mut self, row: usize, runs: &[Range<usize>]) {
        for run in runs {
            let own = self.own(row, run);
            let share = &self.scratch.shares[row % 2];
            let (before, behind) = (&share[run.start - 1..run.end], &share[run.start..run.end + 1]);
            let faces = &mut self.strip.qx[own.start - 1..own.end];
            dispatch::inertia_limit(self.step.width, faces, before, behind);
        }
    }

    /// Cuts the northern faces of a row, does its depths again if a cell in it or beside it is short, and counts.
    fn finish(&mut self, row: usize, band: &mut Band, [below, here, above]: [bool; 3]) {
        let step = self.step;
        let Band { runs, tally, .. } = band;
        for run in runs.iter() {
            let own = self.own(row, run);
            if here || above {
                let InertiaScratch { shares, ones, .. } = &*self.scratch;
                let before = if here { &shares[row % 2] } else { ones };
                let behind = if above { &shares[(row + 1) % 2] } else { ones };
                let faces = &mut self.strip.qy[own.clone()];
                dispatch::inertia_limit(step.width, faces, &before[run.clone()], &behind[run.clone()]);
            }
            if below || here || above {
                self.again(row, run, tally);
            }
            self.scratch.tops.raise(step.width, run.start, &self.strip.h[own.clone()]);
            if step.at_west(run.start) {
                tally.rim[0] += f64::from(self.strip.qx[own.start - 1]);
            }
            if step.at_east(run.end) {
                tally.rim[1] += f64::from(self.strip.qx[own.end - 1]);
            }
            if step.at_south(row) {
                tally.rim[2] += sum(&self.scratch.below[run.clone()]);
            }
            if step.at_north(row) {
                tally.rim[3] += sum(&self.strip.qy[own]);
            }
        }
        if row + 1 == band.first + band.rows {
            for run in &band.runs {
                self.scratch.tops.settle(run, &mut band.tally);
            }
        }
    }

    /// Depths of a row from the kept ones and the faces after the cut.
    fn again(&mut self, row: usize, run: &Range<usize>, tally: &mut Tally) {
        let (step, own) = (self.step, self.own(row, run));
        let stride = step.layout.stride;
        let StripRows { h, qx, qy, first, .. } = &mut *self.strip;
        let InertiaScratch { depth, below, .. } = &*self.scratch;
        let south = if row == *first { &below[run.clone()] } else { &qy[own.start - stride..own.end - stride] };
        let (west, east) = (&qx[own.start - 1..own.end - 1], &qx[own.clone()]);
        let out = &mut h[own.clone()];
        let kept = &depth[row % 2][run.clone()];
        if dispatch::inertia_depths(step.width, kept, west, east, south, &qy[own], out, step.k) {
            clip(out, tally);
        }
    }

    /// Whether a cell of the first row beyond the northern seam is short; its shares are then set.
    fn beyond_north(&mut self, row: usize) -> bool {
        let Some(seam) = self.north else { return false };
        let (step, stride) = (self.step, self.step.layout.stride);
        let InertiaScratch { north, shares, beyond: [east, beyond, spare], .. } = &mut *self.scratch;
        let last = self.strip.qy.len() - stride;
        shares[row % 2].fill(1.0);
        east.fill(0.0);
        beyond.copy_from_slice(seam.qy(row));
        let mut short = false;
        for run in &seam.runs[1] {
            let depths = [seam.h(row), seam.h(row + 1)];
            north_faces(step, row, run, depths, [&north[(row - 1) % 2], seam.qy(row + 1)], beyond, spare);
            east_faces(step, row, run, seam.h(row), seam.qx(row), east);
            let south = &self.strip.qy[last..];
            short |= shares_of(step, run, seam.h(row), east, south, beyond, &mut shares[row % 2]);
        }
        short
    }
}

/// Discharges through the eastern faces of a run, before the cut; `h`, `q` and `out` are whole rows.
fn east_faces(step: &Step, row: usize, run: &Range<usize>, h: &[f32], q: &[f32], out: &mut [f32]) {
    let n = run.len();
    dispatch::inertia_east(
        step.width,
        &h[run.start..run.end + 1],
        step.part(step.bed, row, run.start, n + 1),
        step.n2.part(row, run.start, n + 1),
        &q[run.start - 1..run.end + 1],
        &mut out[run.clone()],
        step.gdt * step.rdx,
        0.5 * step.gdt,
        step.dry,
    );
    if step.at_west(run.start) {
        out[HALO - 1] = step.rim.west[row];
    }
    if step.at_east(run.end) {
        out[run.end - 1] = step.rim.east[row];
    }
    for weir in step.weirs.east_of(row).iter().filter(|weir| run.contains(&weir.column)) {
        out[weir.column] = weir.q;
    }
}

/// Discharges through the northern faces of a run, in place and before the cut: `depths` and `beside` are whole rows, of the row and
/// the one north of it, and of the rows before and behind.
fn north_faces(
    step: &Step,
    row: usize,
    run: &Range<usize>,
    depths: [&[f32]; 2],
    beside: [&[f32]; 2],
    q: &mut [f32],
    kept: &mut [f32],
) {
    let n = run.len();
    dispatch::inertia_north(
        step.width,
        &depths[0][run.clone()],
        &depths[1][run.clone()],
        step.part(step.bed, row, run.start, n),
        step.part(step.bed, row + 1, run.start, n),
        step.n2.part(row, run.start, n),
        step.n2.part(row + 1, run.start, n),
        &beside[0][run.clone()],
        &mut q[run.clone()],
        &beside[1][run.clone()],
        &mut kept[run.clone()],
        step.gdt * step.rdx,
        0.5 * step.gdt,
        step.dry,
    );
    for weir in step.weirs.north_of(row).iter().filter(|weir| run.contains(&weir.column)) {
        q[weir.column] = weir.q;
    }
}

/// Shares of the cells of a run; all arguments are whole rows. True if one is below one.
fn shares_of(
    step: &Step,
    run: &Range<usize>,
    h: &[f32],
    east: &[f32],
    south: &[f32],
    north: &[f32],
    share: &mut [f32],
) -> bool {
    let west = &east[run.start - 1..run.end - 1];
    let (h, east, south, north) = (&h[run.clone()], &east[run.clone()], &south[run.clone()], &north[run.clone()]);
    dispatch::inertia_shares(step.width, h, west, east, south, north, &mut share[run.clone()], step.k)
}
