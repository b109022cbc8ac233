//! The four sides of the grid: walls, free outflow, stage, discharge, normal depth.
//!
//! In: the boundaries of a case, the water beside them, the time. Out: unit discharges through the rim (local inertia: all;
//! full equations: where the side fixes them) and ghost cells (full equations).

use super::case::{Boundary, Case, Scheme};
use super::grid::{EqualRows, HALO, Layout, Water};
use super::kernels::GRAVITY;

/// Unit discharges through the rim, m²/s, positive to the east and north; index = padded row or column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rim {
    pub west: Vec<f32>,
    pub east: Vec<f32>,
    pub south: Vec<f32>,
    pub north: Vec<f32>,
    /// Whether the discharge through the west, east, south, north side is given by this rim.
    pub fixed: [bool; 4],
}

/// Where a side's cells lie in the arrays.
#[derive(Debug, Clone, Copy)]
struct SideCells {
    /// Index of the first cell inside.
    first: usize,
    /// From one cell of the side to the next.
    along: usize,
    /// From a cell to its neighbour further inside.
    inward: isize,
    count: usize,
    /// Whether the side's normal is the x axis.
    normal_x: bool,
}

impl SideCells {
    fn all(layout: &Layout) -> [Self; 4] {
        let corner = HALO * layout.stride + HALO;
        let (columns, rows, stride) = (layout.columns, layout.rows, layout.stride);
        let step = stride as isize;
        [
            Self { first: corner, along: stride, inward: 1, count: rows, normal_x: true },
            Self { first: corner + columns - 1, along: stride, inward: -1, count: rows, normal_x: true },
            Self { first: corner, along: 1, inward: step, count: columns, normal_x: false },
            Self { first: corner + (rows - 1) * stride, along: 1, inward: -step, count: columns, normal_x: false },
        ]
    }

    fn cell(&self, at: usize) -> usize {
        self.first + at * self.along
    }

    /// Index `steps` cells further inside; negative steps are ghost cells.
    fn inside(&self, cell: usize, steps: isize) -> usize {
        cell.wrapping_add_signed(self.inward * steps)
    }

    /// Index of the face on the rim in the discharge array of local inertia.
    fn face(&self, cell: usize) -> usize {
        if self.inward > 0 { self.inside(cell, -1) } else { cell }
    }

    /// +1 where outflow is positive, −1 where it is negative.
    fn outward(&self) -> f32 {
        if self.inward > 0 { -1.0 } else { 1.0 }
    }
}

/// What the rim needs to know of a step.
pub(super) struct RimStep<'a> {
    pub case: &'a Case,
    pub layout: Layout,
    pub bed: &'a [f32],
    pub n2: &'a EqualRows,
    pub datum_m: f64,
    pub time_s: f64,
    pub dt_s: f64,
}

/// Fills the ghost cells of the terrain: mirrored, so that a wall sees its own image.
pub(super) fn mirror_ghosts(layout: &Layout, values: &mut [f32]) {
    for (side, ghosts) in SideCells::all(layout).into_iter().zip([false, false, true, true]) {
        // The southern and northern ghosts take the western and eastern ones of their rows along.
        let (first, count) = if ghosts { (side.first - HALO, side.count + 2 * HALO) } else { (side.first, side.count) };
        let side = SideCells { first, count, ..side };
        for at in 0..side.count {
            let cell = side.cell(at);
            let deep = if (ghosts && layout.rows > 1) || (!ghosts && layout.columns > 1) { 1 } else { 0 };
            values[side.inside(cell, -1)] = values[cell];
            values[side.inside(cell, -2)] = values[side.inside(cell, deep)];
        }
    }
}

impl Rim {
    pub(super) fn new(case: &Case, layout: &Layout) -> Self {
        let (rows, columns) = (layout.rows + 2 * HALO, layout.stride);
        let fixed = case.sides.named().map(|(_, side)| {
            case.scheme == Scheme::LocalInertia || !matches!(side, Boundary::Free | Boundary::Stage(_))
        });
        Self {
            west: vec![0.0; rows],
            east: vec![0.0; rows],
            south: vec![0.0; columns],
            north: vec![0.0; columns],
            fixed,
        }
    }

    fn sides_mut(&mut self) -> [&mut Vec<f32>; 4] {
        [&mut self.west, &mut self.east, &mut self.south, &mut self.north]
    }

    /// All discharges, for a checkpoint.
    pub(super) fn values(&self) -> impl Iterator<Item = f32> {
        [&self.west, &self.east, &self.south, &self.north].into_iter().flatten().copied()
    }

    /// Takes back what [`Self::values`] gave.
    pub(super) fn restore(&mut self, mut values: impl Iterator<Item = f32>) -> Option<()> {
        for side in self.sides_mut() {
            for value in side {
                *value = values.next()?;
            }
        }
        Some(())
    }

    /// Sets discharges and ghost cells for the step that begins at the given time.
    pub(super) fn prepare(&mut self, step: &RimStep, water: &mut Water) {
        let full = step.case.scheme != Scheme::LocalInertia;
        let sides = step.case.sides.named();
        for ((side, (_, boundary)), rim) in SideCells::all(&step.layout).into_iter().zip(sides).zip(self.sides_mut()) {
            match boundary {
                Boundary::Wall => {}
                Boundary::Free if full => {}
                Boundary::Stage(_) if full => {}
                Boundary::Free => free_outflow(&side, water, rim),
                Boundary::Stage(stage) => stage_inertia(step, &side, water, stage.at(step.time_s), rim),
                Boundary::Discharge(q) => {
                    let mean = q.integral(step.time_s, step.time_s + step.dt_s) / step.dt_s;
                    spread(step, &side, water, mean, rim);
                }
                Boundary::NormalDepth { slope } => normal_depth(step, &side, water, *slope, rim),
            }
            if full {
                ghosts(step, &side, water, boundary, rim);
            } else {
                let normal = if side.normal_x { &mut water.qx } else { &mut water.qy };
                (0..side.count).for_each(|at| normal[side.face(side.cell(at))] = rim[at + HALO]);
            }
        }
    }
}

/// Local inertia: what flows towards a free side leaves through it.
fn free_outflow(side: &SideCells, water: &Water, rim: &mut [f32]) {
    let normal = if side.normal_x { &water.qx } else { &water.qy };
    for at in 0..side.count {
        let inner = side.face(side.inside(side.cell(at), 1));
        let out = (normal[inner] * side.outward()).max(0.0);
        rim[at + HALO] = out * side.outward();
    }
}

/// Local inertia: the same momentum equation as inside, with the given stage beyond the side.
fn stage_inertia(step: &RimStep, side: &SideCells, water: &Water, stage_m: f64, rim: &mut [f32]) {
    let outside = (stage_m - step.datum_m) as f32;
    let gdt = GRAVITY * step.dt_s as f32;
    for at in 0..side.count {
        let cell = side.cell(at);
        let inside = step.bed[cell] + water.h[cell];
        let depth = outside.max(inside) - step.bed[cell];
        rim[at + HALO] = if depth > step.case.dry_m as f32 {
            let q = rim[at + HALO];
            let fall = (outside - inside) / step.case.grid.cell_m as f32 * side.outward();
            (q - gdt * depth * fall) / (1.0 + gdt * step.n2.at(cell) * q.abs() / depth.powf(7.0 / 3.0))
        } else {
            0.0
        };
    }
}

/// Spreads a discharge over a side by conveyance h^(5/3)/n; over its lowest cells while all is dry.
fn spread(step: &RimStep, side: &SideCells, water: &Water, discharge_m3s: f64, rim: &mut [f32]) {
    let ground = |cell: usize| step.bed[cell] < NO_GROUND_M;
    let cells = || (0..side.count).map(|at| side.cell(at));
    let lowest = cells().map(|cell| step.bed[cell]).fold(f32::INFINITY, f32::min);
    let conveyance = |cell: usize| {
        let roughness = f64::from(step.n2.at(cell)).sqrt().max(1e-3);
        if ground(cell) { f64::from(water.h[cell]).powf(5.0 / 3.0) / roughness } else { 0.0 }
    };
    let whole: f64 = cells().map(conveyance).sum();
    let wet = whole > 1e-6;
    let lowest_cells = cells().filter(|cell| step.bed[*cell] <= lowest).count().max(1) as f64;
    for at in 0..side.count {
        let cell = side.cell(at);
        let dry_share = if step.bed[cell] <= lowest && ground(cell) { 1.0 / lowest_cells } else { 0.0 };
        let share = if wet { conveyance(cell) / whole } else { dry_share };
        let q = discharge_m3s * share / step.case.grid.cell_m;
        rim[at + HALO] = (-q.max(-most(step, water, cell))) as f32 * side.outward();
    }
}

/// Bed of cells without ground, m above the run's datum: a wall.
pub(super) const NO_GROUND_M: f32 = 1e6;

/// Most unit discharge that a cell can give in a step without running dry, m²/s.
fn most(step: &RimStep, water: &Water, cell: usize) -> f64 {
    0.25 * f64::from(water.h[cell]) * step.case.grid.cell_m / step.dt_s
}

/// Manning's formula at the cell's depth and the given slope.
fn normal_depth(step: &RimStep, side: &SideCells, water: &Water, slope: f64, rim: &mut [f32]) {
    for at in 0..side.count {
        let cell = side.cell(at);
        let h = f64::from(water.h[cell]);
        let n = f64::from(step.n2.at(cell)).sqrt().max(1e-3);
        let q = (h.powf(5.0 / 3.0) * slope.sqrt() / n).min(most(step, water, cell));
        rim[at + HALO] = q as f32 * side.outward();
    }
}

/// Two ghost cells beyond each cell of a side, for the full equations.
fn ghosts(step: &RimStep, side: &SideCells, water: &mut Water, boundary: &Boundary, rim: &[f32]) {
    let outside_m = match boundary {
        Boundary::Stage(stage) => (stage.at(step.time_s) - step.datum_m) as f32,
        _ => 0.0,
    };
    for at in 0..side.count {
        let cell = side.cell(at);
        let next = if step.layout.columns.min(step.layout.rows) > 1 { side.inside(cell, 1) } else { cell };
        for (ghost, image) in [(-1, cell), (-2, next)] {
            let ghost = side.inside(cell, ghost);
            let (h, normal, across) = match boundary {
                Boundary::Wall => {
                    let (normal, across) = parts(side, water, image);
                    (water.h[image], -normal, across)
                }
                Boundary::Free => {
                    let (normal, across) = parts(side, water, cell);
                    (water.h[cell], normal, across)
                }
                Boundary::Stage(_) => stage_ghost(step, side, water, cell, outside_m),
                Boundary::Discharge(_) | Boundary::NormalDepth { .. } => {
                    let q = rim[at + HALO];
                    let critical = (q * q / GRAVITY).cbrt();
                    let inflow = q * side.outward() < 0.0;
                    (if inflow { water.h[cell].max(critical) } else { water.h[cell] }, q, 0.0)
                }
            };
            water.h[ghost] = h;
            let (x, y) = if side.normal_x { (normal, across) } else { (across, normal) };
            (water.qx[ghost], water.qy[ghost]) = (x, y);
        }
    }
}

/// Discharge normal to the side and along it.
fn parts(side: &SideCells, water: &Water, cell: usize) -> (f32, f32) {
    if side.normal_x { (water.qx[cell], water.qy[cell]) } else { (water.qy[cell], water.qx[cell]) }
}

/// Depth of the given stage with the velocity of the wave that leaves the grid: u ± 2√(gh) is kept along it.
fn stage_ghost(step: &RimStep, side: &SideCells, water: &Water, cell: usize, outside_m: f32) -> (f32, f32, f32) {
    let (h, (normal, across)) = (water.h[cell], parts(side, water, cell));
    let u_out = if h > step.case.dry_m as f32 { normal * side.outward() / h } else { 0.0 };
    let c = (GRAVITY * h).sqrt();
    if u_out > c {
        return (h, normal, across);
    }
    let ghost_h = (outside_m - step.bed[cell]).max(0.0);
    let ghost_c = (GRAVITY * ghost_h).sqrt();
    let u = (u_out + 2.0 * (c - ghost_c)).clamp(-ghost_c, ghost_c);
    (ghost_h, u * ghost_h * side.outward(), 0.0)
}
