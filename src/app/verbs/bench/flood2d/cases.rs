//! The cases of `anlan bench flood2d`: all-wet basin, a flat plain that fills from its side, a reach with floodplain and levees.

use crate::hydraulics::{Boundary, Case, Grid, Inflow, Scheme, Series, SeriesFault};
use std::f64::consts::PI;

fn grid(columns: usize, rows: usize, cell_m: f64) -> Grid {
    Grid { columns, rows, cell_m, west_m: 0.0, south_m: 0.0 }
}

/// A field from a function of the middle of each cell, m.
fn field(grid: &Grid, of: impl Fn(f64, f64) -> f64) -> Vec<f32> {
    let middle = |at: usize| (at as f64 + 0.5) * grid.cell_m;
    (0..grid.cells()).map(|at| of(middle(at % grid.columns), middle(at / grid.columns)) as f32).collect()
}

/// All wet: waves of 0.3 m on 3 m of water over a wavy bed, cells of 20 m, walls all around.
pub(super) fn basin(columns: usize, rows: usize, scheme: Scheme, end_s: f64) -> Case {
    let grid = grid(columns, rows, 20.0);
    let bed = field(&grid, |x, y| 0.2 * (x / 310.0).sin() * (y / 270.0).cos());
    let mut case = Case::new(grid, bed, 0.03, scheme, end_s);
    case.depth_m = field(&grid, |x, y| 3.0 + 0.3 * (x / 700.0).sin() * (y / 900.0).cos());
    case
}

/// The geometry of test 4 of the UK Environment Agency's benchmark for 2D models: a flat plain of 1 × 2 km, dry, cells of 5 m, water from
/// 20 m in the middle of the west side. The hydrograph is a trapezoid of 20 m³/s.
pub(super) fn plain(scheme: Scheme, end_s: f64) -> Result<Case, SeriesFault> {
    let grid = grid(200, 400, 5.0);
    let mut case = Case::new(grid, vec![0.0; grid.cells()], 0.05, scheme, end_s);
    case.inflows.push(Inflow {
        line: vec![[2.5, 990.0], [2.5, 1010.0]],
        discharge_m3s: Series::new([(0.0, 0.0), (3600.0, 20.0), (14_400.0, 20.0), (21_600.0, 0.0)])?,
    });
    Ok(case)
}

/// A synthetic reach of 30 × 10 km: meandering channel, floodplain with production dikes, levees of 9 m, 800 to 22,000 m³/s in the
/// first hour and then steady; walls all around, or `open` in the east at the depth of uniform flow.
pub(super) fn reach(cell_m: f64, scheme: Scheme, end_s: f64, open: bool) -> Result<Case, SeriesFault> {
    let grid = grid((30_000.0 / cell_m) as usize, (10_000.0 / cell_m) as usize, cell_m);
    let surface = |x: f64| 100.0 - SLOPE * x;
    let bed = field(&grid, |x, y| {
        let off = (y - channel(x)).abs();
        let mut z = surface(x) + 0.25 * (x / 310.0).sin() * (y / 270.0).cos() - 3e-4 * (y - 5000.0).abs();
        if off < 600.0 {
            z -= 3.0 * ((600.0 - off) / 150.0).min(1.0);
        }
        if off >= 700.0 && off < 700.0 + cell_m.max(50.0) {
            z += 1.2;
        }
        if !(700.0..=9300.0).contains(&y) {
            z = surface(x) + 9.0;
        }
        z
    });
    let mut case = Case::new(grid, bed.clone(), 0.03, scheme, end_s);
    let stage = field(&grid, |x, y| if (y - channel(x)).abs() < 600.0 { surface(x) - 1.5 } else { f64::NEG_INFINITY });
    case.depth_m = stage.iter().zip(&bed).map(|(stage, z)| (stage - z).max(0.0)).collect();
    let middle = (channel(150.0) / 100.0).round() * 100.0;
    case.inflows.push(Inflow {
        line: vec![[150.0, middle - 300.0], [150.0, middle + 300.0]],
        discharge_m3s: Series::new([(0.0, 800.0), (3600.0, 22_000.0), (1e7, 22_000.0)])?,
    });
    if open {
        case.sides.east = Boundary::NormalDepth { slope: SLOPE };
    }
    Ok(case)
}

/// Fall of the valley of the reach.
const SLOPE: f64 = 2e-4;

/// Northing of the channel's middle, m.
fn channel(x: f64) -> f64 {
    5000.0 + 1200.0 * (2.0 * PI * x / 12_000.0).sin()
}
