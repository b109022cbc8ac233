//! Which parts of the grid are swept: tiles with water, tiles beside them, and tiles where water may enter.
//!
//! In: the largest value of each tile after a step. Out: runs of columns for each band of rows. A dry tile whose eight
//! neighbours are dry cannot change, so it is passed over.

use super::case::{Boundary, Case, Scheme};
use super::grid::{Cell, HALO, Layout};
use super::sweep::{BAND, TILE, Tally, WIDEST_FULL_RUN, WIDEST_INERTIA_RUN};
use std::ops::Range;

/// One band of rows with its tiles.
#[derive(Debug, Clone)]
pub(super) struct Band {
    /// First padded row.
    pub first: usize,
    /// Number of rows.
    pub rows: usize,
    /// Runs of padded columns to sweep in this step.
    pub runs: Vec<Range<usize>>,
    pub tally: Tally,
    wet: Vec<bool>,
    /// Wet one step before: the other buffer still holds that water.
    was_wet: Vec<bool>,
    /// Beside a side where water may enter.
    always: Vec<bool>,
    /// Most columns of a run.
    widest: usize,
}

/// All bands from south to north.
pub(super) fn bands(case: &Case, layout: &Layout) -> Vec<Band> {
    let tiles = layout.columns.div_ceil(TILE);
    let count = layout.rows.div_ceil(BAND);
    let enters = case.sides.named().map(|(_, side)| matches!(side, Boundary::Stage(_) | Boundary::Discharge(_)));
    let make = |at: usize| {
        let whole_row = (at == 0 && enters[2]) || (at + 1 == count && enters[3]);
        let mut always = vec![whole_row; tiles];
        if let Some(west) = always.first_mut() {
            *west |= enters[0];
        }
        if let Some(east) = always.last_mut() {
            *east |= enters[1];
        }
        Band {
            first: HALO + at * BAND,
            rows: BAND.min(layout.rows - at * BAND),
            runs: Vec::new(),
            tally: Tally { tiles: vec![0.0; tiles], ..Tally::default() },
            wet: vec![false; tiles],
            was_wet: vec![false; tiles],
            always,
            widest: if case.scheme == Scheme::LocalInertia { WIDEST_INERTIA_RUN } else { WIDEST_FULL_RUN },
        }
    };
    (0..count).map(make).collect()
}

/// Marks the tile of a cell as wet.
pub(super) fn wake(bands: &mut [Band], cell: Cell) {
    if let Some(wet) = bands.get_mut(cell.row / BAND).and_then(|band| band.wet.get_mut(cell.column / TILE)) {
        *wet = true;
    }
}

/// Sets the runs of the coming step and clears the tallies. Returns the number of cells to sweep.
pub(super) fn plan(bands: &mut [Band], layout: &Layout) -> usize {
    let tiles = layout.columns.div_ceil(TILE);
    let lit: Vec<Vec<bool>> = bands.iter().map(|band| band.spread()).collect();
    let mut cells = 0;
    for (at, band) in bands.iter_mut().enumerate() {
        let near = &lit[at.saturating_sub(1)..(at + 2).min(lit.len())];
        let active: Vec<bool> = (0..tiles).map(|tile| near.iter().any(|row| row[tile])).collect();
        band.runs = runs(&active, layout.columns, band.widest);
        cells += band.rows * band.runs.iter().map(Range::len).sum::<usize>();
        band.tally.rim = [0.0; 4];
        band.tally.clipped_m = 0.0;
        band.tally.tiles.fill(0.0);
    }
    cells
}

/// Takes over which tiles are wet after a step. Returns the largest value of all tiles; not a number if one is.
pub(super) fn settle(bands: &mut [Band]) -> f32 {
    let mut top = 0.0f32;
    for band in bands {
        std::mem::swap(&mut band.wet, &mut band.was_wet);
        for (wet, value) in band.wet.iter_mut().zip(&band.tally.tiles) {
            *wet = value.is_nan() || *value > 0.0;
            if value.is_nan() || *value > top {
                top = *value;
            }
        }
    }
    top
}

impl Band {
    /// Tiles that are lit or beside a lit one in this band.
    fn spread(&self) -> Vec<bool> {
        let lit: Vec<bool> = (0..self.wet.len()).map(|t| self.wet[t] || self.was_wet[t] || self.always[t]).collect();
        (0..lit.len()).map(|t| lit[t.saturating_sub(1)..(t + 2).min(lit.len())].contains(&true)).collect()
    }
}

/// Runs of active tiles as padded columns, none wider than `widest`.
fn runs(active: &[bool], columns: usize, widest: usize) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (tile, _) in active.iter().enumerate().filter(|(_, active)| **active) {
        let (start, end) = (HALO + tile * TILE, HALO + ((tile + 1) * TILE).min(columns));
        match runs.last_mut() {
            Some(run) if run.end == start && end - run.start <= widest => run.end = end,
            _ => runs.push(start..end),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_form_runs() {
        assert_eq!(runs(&[true, true, false, true], 200, 512), [2..130, 194..202]);
        let wide = runs(&[true; 20], 1280, 512);
        assert!(wide.iter().all(|run| run.len() <= 512));
        assert_eq!(wide.iter().map(Range::len).sum::<usize>(), 1280);
    }
}
