//! Which parts of the grid are swept: tiles with water, tiles beside them, and tiles where water may enter.
//!
//! In: the largest value of each tile after a step. Out: runs of columns for each band of rows. A dry tile whose eight
//! neighbours are dry cannot change, so it is passed over. Bands side by side form strips, one for a worker at a time.

use super::case::{Boundary, Case, Scheme};
use super::grid::{Cell, HALO, Layout};
use super::sweep::{BAND, TILE, Tally, WIDEST_FULL_RUN};
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
    /// Wet one step before: the other buffer still holds that water, or faces its discharge.
    was_wet: Vec<bool>,
    /// Tiles that `runs` are made of.
    active: Vec<bool>,
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
            active: vec![false; tiles],
            always,
            widest: if case.scheme == Scheme::LocalInertia { usize::MAX } else { WIDEST_FULL_RUN },
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
    let mut lit = vec![false; tiles * bands.len()];
    for (band, lit) in bands.iter().zip(lit.chunks_exact_mut(tiles)) {
        band.spread(lit);
    }
    let mut active = vec![false; tiles];
    let mut cells = 0;
    let count = bands.len();
    for (at, band) in bands.iter_mut().enumerate() {
        active.fill(false);
        for near in lit[at.saturating_sub(1) * tiles..(at + 2).min(count) * tiles].chunks_exact(tiles) {
            active.iter_mut().zip(near).for_each(|(active, lit)| *active |= lit);
        }
        if band.active != active {
            runs(&active, layout.columns, band.widest, &mut band.runs);
            band.active.clone_from(&active);
        }
        cells += band.cells();
        band.tally.rim = [0.0; 4];
        band.tally.clipped_m = 0.0;
        band.tally.debts.clear();
        band.tally.tiles.fill(0.0);
    }
    cells
}

/// Numbers of bands that form strips of about `cells` cells to sweep each, from south to north.
pub(super) fn strips(bands: &[Band], cells: usize) -> Vec<usize> {
    let mut strips = Vec::new();
    let (mut count, mut gathered) = (0, 0);
    for band in bands {
        count += 1;
        gathered += band.cells();
        if gathered >= cells.max(1) {
            strips.push(count);
            (count, gathered) = (0, 0);
        }
    }
    strips.extend((count > 0).then_some(count));
    strips
}

/// Takes over which tiles are wet after a step. Returns the largest value of all tiles; not a number if one is.
pub(super) fn settle(bands: &mut [Band]) -> f32 {
    // Bits of values from zero up are in the order of the values, and above them what is not a number.
    let mut top = 0u32;
    for band in bands {
        std::mem::swap(&mut band.wet, &mut band.was_wet);
        for (wet, value) in band.wet.iter_mut().zip(&band.tally.tiles) {
            *wet = value.to_bits() != 0;
            top = top.max(value.to_bits());
        }
    }
    f32::from_bits(top)
}

impl Band {
    /// Cells to sweep in this step.
    fn cells(&self) -> usize {
        self.rows * self.runs.iter().map(Range::len).sum::<usize>()
    }

    /// Marks the tiles that are lit or beside a lit one in this band.
    fn spread(&self, out: &mut [bool]) {
        let tiles = out.len();
        let (wet, was_wet, always) = (&self.wet[..tiles], &self.was_wet[..tiles], &self.always[..tiles]);
        for tile in 0..tiles {
            let lit = wet[tile] | was_wet[tile] | always[tile];
            out[tile] |= lit;
        }
        let own = out.to_vec();
        out.iter_mut().zip(own.iter().skip(1)).for_each(|(out, east)| *out |= east);
        out.iter_mut().skip(1).zip(&own).for_each(|(out, west)| *out |= west);
    }
}

/// Runs of active tiles as padded columns, none wider than `widest`.
fn runs(active: &[bool], columns: usize, widest: usize, runs: &mut Vec<Range<usize>>) {
    runs.clear();
    for (tile, _) in active.iter().enumerate().filter(|(_, active)| **active) {
        let (start, end) = (HALO + tile * TILE, HALO + ((tile + 1) * TILE).min(columns));
        match runs.last_mut() {
            Some(run) if run.end == start && end - run.start <= widest => run.end = end,
            _ => runs.push(start..end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs_of(active: &[bool], columns: usize, widest: usize) -> Vec<Range<usize>> {
        let mut out = Vec::new();
        runs(active, columns, widest, &mut out);
        out
    }

    #[test]
    fn tiles_form_runs() {
        assert_eq!(runs_of(&[true, true, false, true], 50, 512), [2..34, 50..52]);
        let wide = runs_of(&[true; 80], 1280, 512);
        assert!(wide.iter().all(|run| run.len() <= 512));
        assert_eq!(wide.iter().map(Range::len).sum::<usize>(), 1280);
    }
}
