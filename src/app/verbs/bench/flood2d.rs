//! `anlan bench flood2d`: speed and memory of the inundation model, on the settings that the accuracy tests use.
//!
//! In: nothing. Out: cell updates and simulated cell-seconds a second for both sets of equations, speed-up, bytes a cell.

use super::meter::{median, peak_rss_mb};
use crate::hydraulics::{Case, Grid, Inflow, Inundation, Scheme, Series};
use serde_json::{Value, json};
use std::error::Error;
use std::time::Instant;

/// Arguments of `anlan bench flood2d`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Repetitions of each measurement; the median is shown.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Hours of the reach of 30 × 10 km at 20 m with 22,000 m³/s (750,000 cells) to run for real; 0 = leave it out.
    #[arg(long, default_value_t = 0.0)]
    reach_hours: f64,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// One measurement.
struct Measured {
    what: &'static str,
    scheme: Scheme,
    threads: usize,
    cells: usize,
    steps: u64,
    simulated_s: f64,
    wall_s: f64,
    bytes_a_cell: f64,
    volume_error: f64,
}

impl Measured {
    /// Million cell updates a second.
    fn mcups(&self) -> f64 {
        self.cells as f64 * self.steps as f64 / self.wall_s / 1e6
    }

    /// Million simulated cell-seconds a second.
    fn cell_seconds(&self) -> f64 {
        self.cells as f64 * self.simulated_s / self.wall_s / 1e6
    }

    fn json(&self) -> Value {
        json!({
            "what": self.what, "scheme": self.scheme.name(), "threads": self.threads, "cells": self.cells,
            "steps": self.steps, "simulated_s": self.simulated_s, "wall_s": self.wall_s, "mcups": self.mcups(),
            "mcell_s_per_s": self.cell_seconds(), "peak_rss_bytes_a_cell": self.bytes_a_cell,
            "volume_error": self.volume_error,
        })
    }
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let mut all = Vec::new();
    for scheme in [Scheme::LocalInertia, Scheme::Full2] {
        let span_s = if scheme == Scheme::LocalInertia { 600.0 } else { 200.0 };
        for threads in [1, 2] {
            all.push(measure("basin", || basin(1500, 500, scheme, span_s), threads, args.runs)?);
        }
    }
    all.push(measure("basin 10 M", || basin(5000, 2000, Scheme::LocalInertia, 60.0), 2, 1)?);
    if args.reach_hours > 0.0 {
        for scheme in [Scheme::LocalInertia, Scheme::Full2] {
            let case = || reach(scheme, args.reach_hours * 3600.0);
            let case = case()?;
            all.push(measure("reach", || case.clone(), 2, 1)?);
        }
    }
    if args.json {
        println!("{}", json!({"runs": args.runs, "measured": all.iter().map(Measured::json).collect::<Vec<_>>()}));
        return Ok(());
    }
    println!(
        "what         scheme         threads  cells     steps    wall s   Mcell/s   Mcell-s/s  bytes/cell  volume error"
    );
    for one in &all {
        println!(
            "{:<12} {:<14} {:>7}  {:>8}  {:>6}  {:>7.3}  {:>8.1}  {:>10.0}  {:>10.1}  {:.1e}",
            one.what,
            one.scheme.name(),
            one.threads,
            one.cells,
            one.steps,
            one.wall_s,
            one.mcups(),
            one.cell_seconds(),
            one.bytes_a_cell,
            one.volume_error,
        );
    }
    Ok(())
}

fn measure(
    what: &'static str,
    case: impl Fn() -> Case,
    threads: usize,
    runs: usize,
) -> Result<Measured, Box<dyn Error>> {
    let mut walls = Vec::new();
    let mut last = None;
    for _ in 0..runs.max(1) {
        let case = case();
        let end_s = case.end_s;
        let mut run = Inundation::new(case, threads)?;
        let begun = Instant::now();
        run.advance(end_s, &|_| true)?;
        walls.push(begun.elapsed().as_secs_f64());
        last = Some((run.steps(), run.grid().cells(), end_s, run.balance().error(), run.scheme()));
    }
    let (steps, cells, simulated_s, volume_error, scheme) = last.ok_or("no run")?;
    // The highest memory of the process so far: true for the largest case, an upper bound for the ones after it.
    let bytes_a_cell = peak_rss_mb("self") * 1e6 / cells as f64;
    Ok(Measured { what, scheme, threads, cells, steps, simulated_s, wall_s: median(walls), bytes_a_cell, volume_error })
}

/// All wet: waves of 0.3 m on 3 m of water over a wavy bed, walls all around.
fn basin(columns: usize, rows: usize, scheme: Scheme, end_s: f64) -> Case {
    let grid = Grid { columns, rows, cell_m: 20.0, west_m: 0.0, south_m: 0.0 };
    let field = |of: &dyn Fn(f64, f64) -> f64| -> Vec<f32> {
        let middle = |at: usize| (at as f64 + 0.5) * 20.0;
        (0..grid.cells()).map(|at| of(middle(at % columns), middle(at / columns)) as f32).collect()
    };
    let bed = field(&|x, y| 0.2 * (x / 310.0).sin() * (y / 270.0).cos());
    let mut case = Case::new(grid, bed, 0.03, scheme, end_s);
    case.depth_m = field(&|x, y| 3.0 + 0.3 * (x / 700.0).sin() * (y / 900.0).cos());
    case
}

/// A synthetic reach, 30 × 10 km at 20 m: meandering channel, floodplain with production dikes, levees, 22,000 m³/s after 1 h.
fn reach(scheme: Scheme, end_s: f64) -> Result<Case, Box<dyn Error>> {
    let grid = Grid { columns: 1500, rows: 500, cell_m: 20.0, west_m: 0.0, south_m: 0.0 };
    let (mut bed, mut depth) = (Vec::new(), Vec::new());
    for at in 0..grid.cells() {
        let (x, y) = (((at % 1500) as f64 + 0.5) * 20.0, ((at / 1500) as f64 + 0.5) * 20.0);
        let slope = 100.0 - 2e-4 * x;
        let off = (y - channel(x)).abs();
        let mut z = slope + 0.25 * (x / 310.0).sin() * (y / 270.0).cos() - 3e-4 * (y - 5000.0).abs();
        if off < 600.0 {
            z -= 3.0 * ((600.0 - off) / 150.0).min(1.0);
        }
        if (700.0..750.0).contains(&off) {
            z += 1.2;
        }
        if !(700.0..=9300.0).contains(&y) {
            z = slope + 9.0;
        }
        bed.push(z as f32);
        depth.push(if off < 600.0 { (slope - 1.5 - z).max(0.0) as f32 } else { 0.0 });
    }
    let mut case = Case::new(grid, bed, 0.03, scheme, end_s);
    case.depth_m = depth;
    let middle = channel(100.0);
    case.inflows.push(Inflow {
        line: vec![[100.0, middle - 250.0], [100.0, middle + 250.0]],
        discharge_m3s: Series::new([(0.0, 800.0), (3600.0, 22_000.0), (1e7, 22_000.0)])?,
    });
    Ok(case)
}

/// Northing of the channel's middle, m.
fn channel(x: f64) -> f64 {
    5000.0 + 1200.0 * (2.0 * std::f64::consts::PI * x / 12_000.0).sin()
}
