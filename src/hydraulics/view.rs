//! What others see of a run: fields without ghost cells, values at places, the water balance, a hash of the state.
//!
//! In: a run. Out: copies; nothing here changes the run.

use super::case::Scheme;
use super::grid::Cell;
use super::inundation::{Inundation, WaterBalance};
use super::kernels::FILM_M;
use super::rim::NO_GROUND_M;
use sha2::{Digest, Sha256};

/// The water in one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CellWater {
    /// Depth, m.
    pub depth_m: f64,
    /// Stage above the terrain's datum, m.
    pub stage_m: f64,
    /// Velocity to the east, m/s.
    pub u_ms: f64,
    /// Velocity to the north, m/s.
    pub v_ms: f64,
}

impl Inundation {
    /// Time since the start, s.
    pub fn time_s(&self) -> f64 {
        self.time_s
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Cells swept in all steps together; dry tiles are passed over.
    pub fn swept_cells(&self) -> u64 {
        self.swept
    }

    /// Equations of the run.
    pub fn scheme(&self) -> Scheme {
        self.case.scheme
    }

    /// Volumes so far.
    pub fn balance(&self) -> WaterBalance {
        WaterBalance { stored_m3: self.stored_m3(), ..self.balance }
    }

    /// Highest Froude number seen where water is at least 0.05 m deep.
    pub fn highest_froude(&self) -> f64 {
        f64::from(self.froude_highest)
    }

    /// Largest area at one moment with Froude numbers above 0.8, m².
    pub fn froude_above_limit_m2(&self) -> f64 {
        self.froude_cells_above as f64 * self.case.grid.cell_area_m2()
    }

    /// When each breach began to open, s.
    pub fn breaches_opened_s(&self) -> Vec<Option<f64>> {
        self.weirs.opened_s()
    }

    /// Depth of every cell, m, rows from the south.
    pub fn depth_m(&self) -> Vec<f32> {
        self.unpadded(&self.now.h)
    }

    /// Highest depth of every cell so far, m.
    pub fn highest_depth_m(&self) -> Vec<f32> {
        self.unpadded(&self.records.depth)
    }

    /// Highest depth × speed of every cell so far, m²/s.
    pub fn highest_hazard_m2s(&self) -> Vec<f32> {
        self.unpadded(&self.records.hazard)
    }

    /// First time with at least 0.05 m of water, s; −9999 = never.
    pub fn arrival_s(&self) -> Vec<f32> {
        self.unpadded(&self.records.arrival)
    }

    /// Whether each cell has ground, rows from the south; one without is a hole of the terrain, a wall.
    pub fn has_ground(&self) -> impl Iterator<Item = bool> {
        (0..self.layout.rows).flat_map(|row| self.bed[self.layout.row(row)].iter().map(|z| *z < NO_GROUND_M))
    }

    fn unpadded(&self, field: &[f32]) -> Vec<f32> {
        (0..self.layout.rows).flat_map(|row| field[self.layout.row(row)].iter().copied()).collect()
    }

    /// The water in a cell; `None` outside the grid.
    pub fn at(&self, cell: Cell) -> Option<CellWater> {
        let grid = &self.case.grid;
        if cell.column >= grid.columns || cell.row >= grid.rows {
            return None;
        }
        let (at, stride) = (self.layout.at(cell), self.layout.stride);
        let h = self.now.h[at];
        let (west, south) = if self.case.scheme == Scheme::LocalInertia { (at - 1, at - stride) } else { (at, at) };
        let mean = |field: &[f32], before: usize| 0.5 * (f64::from(field[at]) + f64::from(field[before]));
        let over = if h > FILM_M { 1.0 / f64::from(h.max(self.case.dry_m as f32)) } else { 0.0 };
        Some(CellWater {
            depth_m: f64::from(h),
            stage_m: f64::from(h) + f64::from(self.bed[at]) + self.datum_m,
            u_ms: mean(&self.now.qx, west) * over,
            v_ms: mean(&self.now.qy, south) * over,
        })
    }

    /// SHA-256 over the bits of depths and discharges of all cells, hexadecimal.
    pub fn state_hash(&self) -> String {
        let mut hash = Sha256::new();
        for field in [&self.now.h, &self.now.qx, &self.now.qy] {
            for row in 0..self.layout.rows {
                for value in &field[self.layout.row(row)] {
                    hash.update(value.to_le_bytes());
                }
            }
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
