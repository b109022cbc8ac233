//! What the sweeps of both schemes share: the step, the strip of rows to write, the counts that a sweep hands back.
//!
//! In: the old water. Out: new water in one strip of rows; strips touch nothing of each other, and what a cell becomes does
//! not depend on where strips begin, so any number of workers gives the same bits.

use super::debts::Debt;
use super::dispatch::{self, VectorWidth};
use super::grid::{EqualRows, HALO, Layout};
use super::rim::Rim;
use super::weir::Weirs;
use std::ops::Range;

/// Columns of a tile: the unit in which dry ground is passed over, and one vector register of the widest kind.
pub(super) const TILE: usize = 16;
/// Rows of a band of tiles.
pub(super) const BAND: usize = 8;
/// Most columns that the full equations sweep at once, so that their many row buffers stay near the processor.
pub(super) const WIDEST_FULL_RUN: usize = 512;

/// What all strips of one step read.
pub(super) struct Step<'a> {
    pub width: VectorWidth,
    pub layout: Layout,
    /// Bed z, m above the run's own datum.
    pub bed: &'a [f32],
    /// n² of Manning, s²/m^⅔.
    pub n2: &'a EqualRows,
    pub weirs: &'a Weirs,
    pub rim: &'a Rim,
    /// Δt/Δx, s/m.
    pub k: f32,
    /// g Δt, m/s.
    pub gdt: f32,
    /// 1/Δx, 1/m.
    pub rdx: f32,
    /// Film depth of the case, m.
    pub dry: f32,
    /// Whether slopes are taken (second order).
    pub slopes: bool,
}

impl Step<'_> {
    /// Whether a run begins at the west rim.
    pub(super) fn at_west(&self, first: usize) -> bool {
        first == HALO
    }

    /// Whether a run ends at the east rim.
    pub(super) fn at_east(&self, end: usize) -> bool {
        end == HALO + self.layout.columns
    }

    /// Whether a padded row is the first of the grid.
    pub(super) fn at_south(&self, row: usize) -> bool {
        row == HALO
    }

    /// Whether a padded row is the last of the grid.
    pub(super) fn at_north(&self, row: usize) -> bool {
        row + 1 == HALO + self.layout.rows
    }

    /// A row's part of an array, from padded column `from`, `n` values.
    pub(super) fn part<'b>(&self, values: &'b [f32], row: usize, from: usize, n: usize) -> &'b [f32] {
        let start = row * self.layout.stride + from;
        &values[start..start + n]
    }
}

/// The rows that a sweep writes.
pub(super) struct StripRows<'a> {
    /// First padded row.
    pub first: usize,
    /// Number of rows.
    pub rows: usize,
    pub h: &'a mut [f32],
    pub qx: &'a mut [f32],
    pub qy: &'a mut [f32],
}

/// What is counted in a band during a step.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tally {
    /// Σ unit discharge through the west, east, south and north rim, m²/s, positive to the east and north.
    pub rim: [f64; 4],
    /// Depth that had to be set from below zero to zero, m, summed over cells.
    pub clipped_m: f64,
    /// Full equations: what neighbours of cells that fell below zero have to give back.
    pub debts: Vec<Debt>,
    /// Largest depth (local inertia, m) or characteristic speed (full equations, m/s) of each tile; 0 = dry.
    pub tiles: Vec<f32>,
}

/// Largest value of every column of a band, as bits; see [`dispatch::raise_tops`].
pub(super) struct ColumnTops(Vec<u32>);

impl ColumnTops {
    pub(super) fn new(stride: usize) -> Self {
        Self(vec![0; stride])
    }

    /// Takes a row of values from zero up that begins at padded column `first`.
    pub(super) fn raise(&mut self, width: VectorWidth, first: usize, values: &[f32]) {
        dispatch::raise_tops(width, values, &mut self.0[first..first + values.len()]);
    }

    /// Hands the largest value of each tile of a run to the tally and begins anew.
    pub(super) fn settle(&mut self, run: &Range<usize>, tally: &mut Tally) {
        let tile = (run.start - HALO) / TILE;
        for (tile, columns) in tally.tiles[tile..].iter_mut().zip(self.0[run.clone()].chunks_mut(TILE)) {
            let top = columns.iter().fold(tile.to_bits(), |top, column| top.max(*column));
            *tile = f32::from_bits(top);
            columns.fill(0);
        }
    }
}

/// Sum of a row in double precision.
pub(super) fn sum(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum()
}

/// Sets depths below zero to zero and counts them.
pub(super) fn clip(depths: &mut [f32], tally: &mut Tally) {
    for depth in depths.iter_mut().filter(|depth| **depth < 0.0) {
        tally.clipped_m -= f64::from(*depth);
        *depth = 0.0;
    }
}
