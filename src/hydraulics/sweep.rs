//! What the sweeps of both schemes share: the step, the band of rows to write, the counts that a band hands back.
//!
//! In: the old water, whole. Out: new water in one band of rows; bands touch nothing of each other, so any number of threads
//! gives the same bits.

use super::dispatch::{self, VectorWidth};
use super::grid::{HALO, Layout, Water};
use super::rim::Rim;
use super::weir::Weirs;

/// Columns of a tile: the unit in which dry ground is passed over.
pub(super) const TILE: usize = 64;
/// Rows of a band, and of its tiles.
pub(super) const BAND: usize = 32;
/// Most columns that the full equations sweep at once, so that their many row buffers stay near the processor.
pub(super) const WIDEST_FULL_RUN: usize = 8 * TILE;
/// The same for local inertia, which has few buffers and gains from long rows in memory.
pub(super) const WIDEST_INERTIA_RUN: usize = 64 * TILE;

/// What all bands of one step read.
pub(super) struct Step<'a> {
    pub width: VectorWidth,
    pub layout: Layout,
    pub old: &'a Water,
    /// Bed z, m above the run's own datum.
    pub bed: &'a [f32],
    /// n² of Manning, s²/m^⅔.
    pub n2: &'a [f32],
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

/// The rows that a band writes.
pub(super) struct BandRows<'a> {
    /// First padded row.
    pub first: usize,
    /// Number of rows.
    pub rows: usize,
    pub h: &'a mut [f32],
    pub qx: &'a mut [f32],
    pub qy: &'a mut [f32],
}

/// What a band counts during a step.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tally {
    /// Σ unit discharge through the west, east, south and north rim, m²/s, positive to the east and north.
    pub rim: [f64; 4],
    /// Depth that had to be set from below zero to zero, m, summed over cells.
    pub clipped_m: f64,
    /// Largest depth (local inertia, m) or characteristic speed (full equations, m/s) of each tile; 0 = dry.
    pub tiles: Vec<f32>,
}

impl Tally {
    /// Takes the largest value of each tile from a row that begins at padded column `first`.
    pub(super) fn take_row(&mut self, width: VectorWidth, first: usize, values: &[f32]) {
        let tile = (first - HALO) / TILE;
        for (tile, part) in self.tiles[tile..].iter_mut().zip(values.chunks(TILE)) {
            let top = dispatch::largest(width, part);
            if top.is_nan() || top > *tile {
                *tile = top; // not a number stays: nothing is larger than it
            }
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
