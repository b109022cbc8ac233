//! What a run remembers of every cell: highest depth, arrival of water, highest hazard; and the Froude numbers met.
//!
//! In: the water after some steps. Out: records, brought up to date for the tiles that hold or held water.

use super::dispatch::{self, VectorWidth};
use super::field::Field;
use super::grid::{Layout, Water};
use super::sweep::WIDEST_FULL_RUN;
use std::ops::Range;

/// Water has arrived once it is so deep (到达), m. Froude numbers count from this depth on, too.
pub const ARRIVAL_DEPTH_M: f32 = 0.05;
/// Above this Froude number local inertia does not hold.
pub const FROUDE_LIMIT: f32 = 0.8;

/// Records of every cell, with ghost cells.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Records {
    /// Highest depth, m.
    pub depth: Field,
    /// Highest depth × speed, m²/s.
    pub hazard: Field,
    /// First time with [`ARRIVAL_DEPTH_M`], s; −9999 = never.
    pub arrival: Field,
}

impl Records {
    pub(super) fn new(layout: &Layout) -> Self {
        let n = layout.len();
        Self { depth: Field::zeros(n), hazard: Field::zeros(n), arrival: Field::filled(n, -9999.0) }
    }
}

/// Rows of the records that belong to one band.
pub(super) struct BandRecords<'a> {
    pub depth: &'a mut [f32],
    pub hazard: &'a mut [f32],
    pub arrival: &'a mut [f32],
}

/// What a look at the water tells of it as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Froude {
    /// Highest Froude number.
    pub highest: f32,
    /// Cells above [`FROUDE_LIMIT`].
    pub cells_above: u64,
}

impl Froude {
    /// Of both.
    pub(super) fn and(self, other: Self) -> Self {
        Self { highest: self.highest.max(other.highest), cells_above: self.cells_above + other.cells_above }
    }
}

/// A look at the water at one moment.
pub(super) struct Look<'a> {
    pub width: VectorWidth,
    pub layout: Layout,
    pub water: &'a Water,
    /// Whether discharges sit on faces (local inertia) or at the middles of cells.
    pub on_faces: bool,
    pub time_s: f64,
}

impl Look<'_> {
    /// Brings a band's records up to date over one run of columns.
    pub(super) fn take(&self, first_row: usize, rows: usize, run: Range<usize>, records: &mut BandRecords) -> Froude {
        let mut seen = Froude::default();
        for start in run.clone().step_by(WIDEST_FULL_RUN) {
            let part = self.take_part(first_row, rows, start..run.end.min(start + WIDEST_FULL_RUN), records);
            seen = seen.and(part);
        }
        seen
    }

    fn take_part(&self, first_row: usize, rows: usize, run: Range<usize>, records: &mut BandRecords) -> Froude {
        let (n, stride) = (run.len(), self.layout.stride);
        let (mut q, mut froude2) = ([0.0f32; WIDEST_FULL_RUN], [0.0f32; WIDEST_FULL_RUN]);
        let mut seen = Froude::default();
        for row in 0..rows {
            let at = (first_row + row) * stride + run.start;
            let (west, south) = if self.on_faces { (at - 1, at - stride) } else { (at, at) };
            let water = self.water;
            let h = &water.h[at..at + n];
            let (east, north) = (&water.qx[at..at + n], &water.qy[at..at + n]);
            let (west, south) = (&water.qx[west..west + n], &water.qy[south..south + n]);
            dispatch::flow_row(
                self.width,
                h,
                west,
                east,
                south,
                north,
                &mut q[..n],
                &mut froude2[..n],
                ARRIVAL_DEPTH_M,
            );
            let here = row * stride + run.start..row * stride + run.end;
            let (depth, hazard) = (&mut records.depth[here.clone()], &mut records.hazard[here.clone()]);
            if dispatch::arrives(self.width, h, depth, ARRIVAL_DEPTH_M) {
                let arrival = &mut records.arrival[here];
                dispatch::note_arrivals(self.width, h, depth, arrival, self.time_s as f32, ARRIVAL_DEPTH_M);
            }
            dispatch::record_row(self.width, h, &q[..n], depth, hazard);
            let highest = dispatch::largest(self.width, &froude2[..n]).sqrt();
            seen.highest = seen.highest.max(highest);
            if highest > FROUDE_LIMIT {
                let above = froude2[..n].iter().filter(|froude2| froude2.sqrt() > FROUDE_LIMIT);
                seen.cells_above += above.count() as u64;
            }
        }
        seen
    }
}
