//! Terrain, roughness and starting water as the sweeps read them.
//!
//! In: a checked case. Out: arrays with ghost cells, heights above a datum of the run's own on a binary lattice.

use super::case::{Case, Manning, Scheme};
use super::field::Field;
use super::grid::{EqualRows, HALO, Layout, Water};
use super::rim::{self, NO_GROUND_M};

/// Terrain and roughness as the sweeps read them.
pub(super) struct Ground {
    pub(super) datum_m: f64,
    pub(super) bed: Field,
    pub(super) n2: EqualRows,
    /// Heights and starting stages are multiples of this, m: then z + h is exact, and a lake at rest stays so to the last bit.
    lattice_m: f64,
}

impl Ground {
    pub(super) fn new(case: &Case, layout: &Layout) -> Self {
        let heights = || case.bed_m.iter().filter(|z| !z.is_nan()).map(|z| f64::from(*z));
        let datum_m = heights().fold(f64::INFINITY, f64::min).floor();
        let depths = case.depth_m.iter().map(|h| f64::from(*h)).filter(|h| h.is_finite());
        let range = heights().fold(0.0, |top: f64, z| top.max(z - datum_m)) + depths.fold(0.0, f64::max);
        // 24 bits of a single-precision number, two of them kept free for half differences.
        let lattice_m = (range.max(1.0).log2().ceil() - 22.0).exp2();
        let mut bed = Field::zeros(layout.len());
        let mut n2 = vec![0.0; layout.len()];
        for row in 0..layout.rows {
            for (column, at) in layout.row(row).enumerate() {
                let from = row * layout.columns + column;
                let z = f64::from(case.bed_m[from]);
                bed[at] =
                    if z.is_nan() { NO_GROUND_M } else { (((z - datum_m) / lattice_m).round() * lattice_m) as f32 };
                let n = match &case.manning {
                    Manning::Uniform(n) => *n,
                    Manning::Field(values) => f64::from(values[from]),
                };
                n2[at] = if n.is_nan() { 0.0 } else { (n * n) as f32 };
            }
        }
        rim::mirror_ghosts(layout, &mut bed);
        rim::mirror_ghosts(layout, &mut n2);
        Self { datum_m, bed, n2: EqualRows::new(&n2, layout.stride), lattice_m }
    }

    pub(super) fn water(&self, case: &Case, layout: &Layout) -> Water {
        let mut water = Water::dry(layout);
        let value = |field: &[f32], from: usize| field.get(from).copied().unwrap_or(0.0);
        for row in 0..layout.rows {
            for (column, at) in layout.row(row).enumerate() {
                let from = row * layout.columns + column;
                let ground = self.bed[at] < NO_GROUND_M;
                let h =
                    if ground { self.depth(value(&case.depth_m, from), case.bed_m[from], self.bed[at]) } else { 0.0 };
                water.h[at] = h;
                if h > 0.0 {
                    water.qx[at] = h * value(&case.u_ms, from);
                    water.qy[at] = h * value(&case.v_ms, from);
                }
            }
        }
        if case.scheme == Scheme::LocalInertia {
            self.to_faces(&mut water, layout);
        }
        water
    }

    /// Depth whose stage lies on the lattice; a depth smaller than the lattice stays as it is.
    fn depth(&self, h: f32, z: f32, bed: f32) -> f32 {
        let stage = f64::from(h) + f64::from(z) - self.datum_m;
        let snapped = ((stage / self.lattice_m).round() * self.lattice_m - f64::from(bed)) as f32;
        // A negative zero must not get in: its bits are above those of every depth.
        if h > 0.0 && snapped > 0.0 { snapped } else { h.max(0.0) + 0.0 }
    }

    /// Moves discharges from cells to faces; ghost cells hold plenty, so that what enters is never cut.
    fn to_faces(&self, water: &mut Water, layout: &Layout) {
        let stride = layout.stride;
        for row in 0..layout.rows {
            for at in layout.row(row) {
                let last = at + 1 == layout.row(row).end;
                let wall_x = last || self.bed[at].max(self.bed[at + 1]) >= NO_GROUND_M;
                let wall_y = row + 1 == layout.rows || self.bed[at].max(self.bed[at + stride]) >= NO_GROUND_M;
                water.qx[at] = if wall_x { 0.0 } else { 0.5 * (water.qx[at] + water.qx[at + 1]) };
                water.qy[at] = if wall_y { 0.0 } else { 0.5 * (water.qy[at] + water.qy[at + stride]) };
            }
            let (start, end) = (layout.row(row).start, layout.row(row).end);
            water.h[start - HALO..start].fill(PLENTY_M);
            water.h[end..end + HALO].fill(PLENTY_M);
        }
    }
}

/// Depth of the ghost cells of local inertia, m.
const PLENTY_M: f32 = 1e3;
