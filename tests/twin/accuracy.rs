//! The inundation model against exact solutions: dam breaks, oscillation in a bowl, lake at rest, order of convergence.
//!
//! Tolerances are a little above what was measured, so that a change that loses accuracy fails here.

use anlan::hydraulics::{Case, Grid, Inundation, Scheme};
use std::f64::consts::PI;

const G: f64 = 9.81;

fn grid(columns: usize, rows: usize, cell_m: f64) -> Grid {
    Grid { columns, rows, cell_m, west_m: 0.0, south_m: 0.0 }
}

/// A field from a function of the middle of each cell.
fn field(grid: &Grid, of: impl Fn(f64, f64) -> f64) -> Vec<f32> {
    let middle = |at: usize| (at as f64 + 0.5) * grid.cell_m;
    (0..grid.cells()).map(|at| of(middle(at % grid.columns), middle(at / grid.columns)) as f32).collect()
}

fn run_to_end(case: Case, workers: usize) -> Inundation {
    let end_s = case.end_s;
    let mut run = Inundation::new(case, workers).unwrap();
    run.advance(end_s, &|_| true).unwrap();
    run
}

/// Sum of |depth − exact| over the sum of exact depths.
fn relative_error(run: &Inundation, exact: impl Fn(f64, f64) -> f64) -> f64 {
    let exact = field(run.grid(), exact);
    let depth = run.depth_m();
    let off: f64 = depth.iter().zip(&exact).map(|(a, b)| f64::from((a - b).abs())).sum();
    off / exact.iter().map(|h| f64::from(*h)).sum::<f64>()
}

/// Wet dam break (Stoker 1957, Water Waves, section 10.8): depth at x from the dam after `t` s.
fn stoker(x: f64, t: f64, high: f64, low: f64) -> f64 {
    let c = (G * high).sqrt();
    let off = |h: f64| 2.0 * (c - (G * h).sqrt()) - (h - low) * (0.5 * G * (1.0 / h + 1.0 / low)).sqrt();
    let (mut a, mut b) = (low, high);
    for _ in 0..100 {
        let middle = 0.5 * (a + b);
        if off(middle) > 0.0 { a = middle } else { b = middle }
    }
    let (h, u) = (a, 2.0 * (c - (G * a).sqrt()));
    match x / t {
        s if s <= -c => high,
        s if s <= u - (G * h).sqrt() => (2.0 * c - s).powi(2) / (9.0 * G),
        s if s <= h * u / (h - low) => h,
        _ => low,
    }
}

/// Dry dam break (Ritter 1892).
fn ritter(x: f64, t: f64, high: f64) -> f64 {
    let c = (G * high).sqrt();
    match x / t {
        s if s <= -c => high,
        s if s <= 2.0 * c => (2.0 * c - s).powi(2) / (9.0 * G),
        _ => 0.0,
    }
}

fn dam_break(scheme: Scheme, low: f64, end_s: f64) -> Inundation {
    let grid = grid(500, 8, 4.0);
    let mut case = Case::new(grid, vec![0.0; grid.cells()], 0.0, scheme, end_s);
    case.depth_m = field(&grid, |x, _| if x < 1000.0 { 10.0 } else { low });
    run_to_end(case, 1)
}

#[test]
fn hydraulics_a1_wet_dam_break() {
    let check = |scheme, most: f64| {
        let run = dam_break(scheme, 2.0, 60.0);
        let error = relative_error(&run, |x, _| stoker(x - 1000.0, 60.0, 10.0, 2.0));
        println!("A1 {}: {error:.5}", scheme.name());
        assert!(error < most, "{}: {error}", scheme.name());
        assert!(run.balance().error().abs() < 1e-6);
    };
    check(Scheme::Full2, 0.0012);
    check(Scheme::Full1, 0.0060);
    check(Scheme::LocalInertia, 0.15);
}

#[test]
fn hydraulics_a2_dry_dam_break() {
    let check = |scheme, most: f64| {
        let run = dam_break(scheme, 0.0, 40.0);
        let error = relative_error(&run, |x, _| ritter(x - 1000.0, 40.0, 10.0));
        println!("A2 {}: {error:.5}, volume {:e}", scheme.name(), run.balance().error());
        assert!(error < most, "{}: {error}", scheme.name());
        assert!(run.balance().error().abs() < 1e-6);
    };
    check(Scheme::Full2, 0.0020);
    check(Scheme::Full1, 0.0075);
    check(Scheme::LocalInertia, 0.16);
}

/// Thacker 1981, J. Fluid Mech. 107, section 5: a paraboloid of water that swings in a paraboloid bowl.
struct Bowl;

impl Bowl {
    const A: f64 = 3000.0;
    const H: f64 = 10.0;
    const R: f64 = 2400.0;

    fn bed(x: f64, y: f64) -> f64 {
        Self::H * ((x - 4000.0).powi(2) + (y - 4000.0).powi(2)) / (Self::A * Self::A)
    }

    fn period_s() -> f64 {
        2.0 * PI * Self::A / (8.0 * G * Self::H).sqrt()
    }

    fn depth(x: f64, y: f64, t: f64) -> f64 {
        let (a4, r4) = (Self::A.powi(4), Self::R.powi(4));
        let swing = (a4 - r4) / (a4 + r4);
        let k = 1.0 - swing * (2.0 * PI * t / Self::period_s()).cos();
        let q = 1.0 - swing * swing;
        let r2 = ((x - 4000.0).powi(2) + (y - 4000.0).powi(2)) / (Self::A * Self::A);
        (Self::H + Self::H * (q.sqrt() / k - 1.0 - r2 * (q / (k * k) - 1.0)) - Self::bed(x, y)).max(0.0)
    }

    fn case(scheme: Scheme) -> Case {
        let grid = grid(200, 200, 40.0);
        let mut case = Case::new(grid, field(&grid, Self::bed), 0.0, scheme, Self::period_s());
        case.depth_m = field(&grid, |x, y| Self::depth(x, y, 0.0));
        case
    }
}

#[test]
fn hydraulics_a3_bowl_and_a4_volume() {
    let check = |scheme, most: f64| {
        let run = run_to_end(Bowl::case(scheme), 2);
        let error = relative_error(&run, |x, y| Bowl::depth(x, y, Bowl::period_s()));
        let balance = run.balance();
        println!(
            "A3 {}: {error:.5}; A4 volume {:.1e}, clipped {} m3",
            scheme.name(),
            balance.error(),
            balance.clipped_m3
        );
        assert!(error < most, "{}: {error}", scheme.name());
        assert!(balance.error().abs() < 1e-6, "{}: {balance:?}", scheme.name());
    };
    check(Scheme::Full2, 0.012);
    check(Scheme::LocalInertia, 0.30);
}

/// A lake with an island and a rough bed, the surface at 5 m.
fn lake(scheme: Scheme, end_s: f64) -> Case {
    let grid = grid(100, 50, 20.0);
    let mut seed = 7u64;
    let mut dice = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as f64 / (1u64 << 31) as f64
    };
    let rough: Vec<f64> = (0..grid.cells()).map(|_| dice()).collect();
    let bed = field(&grid, |x, y| {
        let at = (y / grid.cell_m) as usize * grid.columns + (x / grid.cell_m) as usize;
        8.0 * (-((x - 1000.0).powi(2) + (y - 500.0).powi(2)) / 200f64.powi(2)).exp() + rough[at]
    });
    let depth = bed.iter().map(|z| (5.0 - z).max(0.0)).collect();
    let mut case = Case::new(grid, bed, 0.03, scheme, end_s);
    case.depth_m = depth;
    case
}

#[test]
fn hydraulics_a5_lake_at_rest_stays_to_the_last_bit() {
    for scheme in [Scheme::LocalInertia, Scheme::Full1, Scheme::Full2] {
        let mut run = Inundation::new(lake(scheme, 1200.0), 1).unwrap();
        let before = run.state_hash();
        run.advance(1200.0, &|_| true).unwrap();
        assert!(run.steps() > 100);
        assert_eq!(run.state_hash(), before, "{}", scheme.name());
        assert_eq!(run.balance().error(), 0.0);
    }
}

/// Smooth waves over a smooth bed on 1 km², in a closed square; all wet.
fn smooth(cells: usize) -> Case {
    let grid = grid(cells, cells, 1000.0 / cells as f64);
    let wave = |x: f64, y: f64| (PI * x / 1000.0).cos() * (PI * y / 1000.0).cos();
    let bed = field(&grid, |x, y| 0.5 + 0.5 * (2.0 * PI * x / 1000.0).cos() * (2.0 * PI * y / 1000.0).cos());
    let mut case = Case::new(grid, bed.clone(), 0.0, Scheme::Full2, 40.0);
    case.depth_m = field(&grid, |x, y| 10.0 + 0.2 * wave(x, y)).iter().zip(&bed).map(|(s, z)| s - z).collect();
    case
}

#[test]
fn hydraulics_a9_second_order_on_smooth_water() {
    let depth_of = |cells| run_to_end(smooth(cells), 2).depth_m();
    let coarsen = |fine: &[f32], cells: usize| -> Vec<f64> {
        let at = |x: usize, y: usize| f64::from(fine[y * 2 * cells + x]);
        let block = |x: usize, y: usize| 0.25 * (at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1));
        (0..cells * cells).map(|i| block(2 * (i % cells), 2 * (i / cells))).collect()
    };
    let fields: Vec<Vec<f32>> = [25, 50, 100].map(depth_of).into();
    let off = |at: usize, cells: usize| -> f64 {
        let finer = coarsen(&fields[at + 1], cells);
        fields[at].iter().zip(&finer).map(|(a, b)| (f64::from(*a) - b).abs()).sum::<f64>() / (cells * cells) as f64
    };
    let order = (off(0, 25) / off(1, 50)).log2();
    println!("A9 order {order:.2}");
    assert!(order >= 1.9, "{order}");
}
