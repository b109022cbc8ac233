//! One time step of local inertia over a run of columns in a band of rows.
//!
//! In: the old water. Out: the new one. Faces first, then the share that each cell can give of its outflow, then the cut
//! faces, then depths: no cell gives more than it holds, so volume is kept without setting depths to zero.

use super::dispatch;
use super::grid::HALO;
use super::sweep::{BandRows, Step, Tally, WIDEST_INERTIA_RUN, clip, sum};
use std::ops::Range;

/// Row buffers of one worker. Values lie at column − first + 2.
pub(super) struct InertiaScratch {
    faces_x: [Vec<f32>; 2],
    faces_y: [Vec<f32>; 3],
    shares: [Vec<f32>; 2],
}

impl InertiaScratch {
    pub(super) fn new() -> Self {
        let row = || vec![0.0; WIDEST_INERTIA_RUN + 4];
        Self { faces_x: [row(), row()], faces_y: [row(), row(), row()], shares: [row(), row()] }
    }
}

/// Sweeps the padded columns `run` of a band.
pub(super) fn sweep(
    step: &Step,
    band: &mut BandRows,
    run: Range<usize>,
    scratch: &mut InertiaScratch,
    tally: &mut Tally,
) {
    let n = run.len();
    let [mut x, mut x_below] = scratch.faces_x.each_mut().map(Vec::as_mut_slice);
    let [mut north, mut south, mut south_below] = scratch.faces_y.each_mut().map(Vec::as_mut_slice);
    let [mut share, mut share_below] = scratch.shares.each_mut().map(Vec::as_mut_slice);
    let mut short_below = false;
    faces_north(step, band.first - 2, &run, south);
    for row in band.first - 1..=band.first + band.rows {
        faces_north(step, row, &run, north);
        let short = if row < HALO || row >= HALO + step.layout.rows {
            share.fill(1.0);
            false
        } else {
            faces_east(step, row, &run, x);
            let h = step.part(&step.old.h, row, run.start - 1, n + 2);
            let (west, east, south, north) = (&x[..n + 2], &x[1..n + 3], &south[1..n + 3], &north[1..n + 3]);
            dispatch::inertia_shares(step.width, h, west, east, south, north, &mut share[1..n + 3], step.k)
        };
        if short {
            dispatch::inertia_limit(step.width, &mut x[1..n + 2], &share[1..n + 2], &share[2..n + 3]);
        }
        if short || short_below {
            dispatch::inertia_limit(step.width, &mut south[2..n + 2], &share_below[2..n + 2], &share[2..n + 2]);
        }
        if row > band.first {
            let faces = RowFaces { x: &x_below[1..n + 2], south: &south_below[2..n + 2], north: &south[2..n + 2] };
            write_row(step, band, row - 1, &run, &faces, tally);
        }
        (share, share_below, short_below) = (share_below, share, short);
        (x, x_below) = (x_below, x);
        (south_below, south, north) = (south, north, south_below);
    }
}

/// Discharges of the faces east of columns `run.start` − 2 to `run.end`, before the cut.
fn faces_east(step: &Step, row: usize, run: &Range<usize>, out: &mut [f32]) {
    let (n, from) = (run.len() + 3, run.start - 2);
    let part = |values, shift| step.part(values, row, from + shift, n);
    let q = &step.old.qx;
    let before = row * step.layout.stride + from - 1;
    dispatch::inertia_faces(
        step.width,
        part(&step.old.h, 0),
        part(&step.old.h, 1),
        part(step.bed, 0),
        part(step.bed, 1),
        part(step.n2, 0),
        part(step.n2, 1),
        part(q, 0),
        &q[before..before + n],
        part(q, 1),
        &mut out[..n],
        step.gdt,
        step.rdx,
        step.dry,
    );
    if step.at_west(run.start) {
        out[1] = step.rim.west[row];
    }
    if step.at_east(run.end) {
        out[run.len() + 1] = step.rim.east[row];
    }
    for weir in step.weirs.east_of(row) {
        if let Some(face) = weir.column.checked_sub(from).and_then(|at| out[..n].get_mut(at)) {
            *face = weir.q;
        }
    }
}

/// Discharges of the faces north of a row, columns `run.start` − 1 to `run.end`, before the cut.
fn faces_north(step: &Step, row: usize, run: &Range<usize>, out: &mut [f32]) {
    let (n, from) = (run.len() + 2, run.start - 1);
    let out = &mut out[1..n + 1];
    if row + 1 < HALO || row >= HALO + step.layout.rows {
        out.fill(0.0);
    } else if row + 1 == HALO {
        out.copy_from_slice(&step.rim.south[from..from + n]);
    } else if step.at_north(row) {
        out.copy_from_slice(&step.rim.north[from..from + n]);
    } else {
        let part = |values, row| step.part(values, row, from, n);
        let (h, q) = (&step.old.h, &step.old.qy);
        dispatch::inertia_faces(
            step.width,
            part(h, row),
            part(h, row + 1),
            part(step.bed, row),
            part(step.bed, row + 1),
            part(step.n2, row),
            part(step.n2, row + 1),
            part(q, row),
            part(q, row - 1),
            part(q, row + 1),
            out,
            step.gdt,
            step.rdx,
            step.dry,
        );
    }
    for weir in step.weirs.north_of(row) {
        if let Some(face) = weir.column.checked_sub(from).and_then(|at| out.get_mut(at)) {
            *face = weir.q;
        }
    }
}

/// Final discharges around a row of cells: `x` has one face more than there are cells.
struct RowFaces<'a> {
    x: &'a [f32],
    south: &'a [f32],
    north: &'a [f32],
}

fn write_row(step: &Step, band: &mut BandRows, row: usize, run: &Range<usize>, faces: &RowFaces, tally: &mut Tally) {
    let n = run.len();
    let start = (row - band.first) * step.layout.stride + run.start;
    let h = step.part(&step.old.h, row, run.start, n);
    let out = &mut band.h[start..start + n];
    if dispatch::inertia_depths(step.width, h, &faces.x[..n], &faces.x[1..], faces.south, faces.north, out, step.k) {
        clip(out, tally);
    }
    tally.take_row(step.width, run.start, out);
    band.qx[start..start + n].copy_from_slice(&faces.x[1..]);
    band.qy[start..start + n].copy_from_slice(faces.north);
    if step.at_west(run.start) {
        tally.rim[0] += f64::from(faces.x[0]);
    }
    if step.at_east(run.end) {
        tally.rim[1] += f64::from(faces.x[n]);
    }
    if step.at_south(row) {
        tally.rim[2] += sum(faces.south);
    }
    if step.at_north(row) {
        tally.rim[3] += sum(faces.north);
    }
}
