//! `anlan bench flood2d`: speed and memory of the inundation model, on the settings that the accuracy tests use.
//!
//! In: nothing, or the names of other models to run on the same cases. Out: cell updates and simulated cell-seconds a second for
//! both sets of equations, speed-up, bytes a cell, ratios to the other models in the same run, and how busy the machine was.

mod cases;
mod peers;

use super::meter::{cpu_s, median, peak_rss_mb};
use crate::hydraulics::{Case, Inundation, Scheme};
use peers::Peer;
use serde_json::{Value, json};
use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

/// Arguments of `anlan bench flood2d`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Repetitions of each measurement; the median is shown.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Hours of the reach at 20 m with 22,000 m³/s (750,000 cells) to run to the end with both sets of equations; 0 = leave it out.
    #[arg(long, default_value_t = 0.0)]
    reach_hours: f64,
    /// Close the long reach all around, as the short ones are: it fills like a basin, 19 m deep after 72 h. Without it the flood
    /// leaves at the eastern side at the depth of uniform flow on the valley's slope.
    #[arg(long)]
    reach_closed: bool,
    /// Run the long reach with these equations only.
    #[arg(long)]
    reach_scheme: Option<String>,
    /// Other models to run on the same cases, e.g. itzi,landlab,anuga.
    #[arg(long, value_delimiter = ',')]
    against: Vec<Peer>,
    /// Folder with one Python environment for each of them (benches/peers/README.md).
    #[arg(long, default_value = "target/peers")]
    peers: PathBuf,
    /// The script that runs them.
    #[arg(long, default_value = "benches/peers/peer.py")]
    peer_script: PathBuf,
    /// Stop another model after so many seconds and compare how far it came.
    #[arg(long, default_value_t = 400.0)]
    peer_limit_s: f64,
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
    swept: u64,
    simulated_s: f64,
    walls_s: Vec<f64>,
    /// Processor time of the median run over its wall time: how many cores it truly had.
    cores: f64,
    bytes_a_cell: f64,
    volume_error: f64,
    load: f64,
}

impl Measured {
    fn wall_s(&self) -> f64 {
        median(self.walls_s.clone())
    }

    /// Million cell updates a second, dry ground that is passed over included.
    fn mcups(&self) -> f64 {
        self.cells as f64 * self.steps as f64 / self.wall_s() / 1e6
    }

    /// The same, counting only cells that were swept.
    fn swept_mcups(&self) -> f64 {
        self.swept as f64 / self.wall_s() / 1e6
    }

    /// Million simulated cell-seconds a second.
    fn cell_seconds(&self) -> f64 {
        self.cells as f64 * self.simulated_s / self.wall_s() / 1e6
    }

    fn json(&self) -> Value {
        json!({
            "what": self.what, "scheme": self.scheme.name(), "threads": self.threads, "cells": self.cells,
            "steps": self.steps, "simulated_s": self.simulated_s, "wall_s": self.wall_s(), "walls_s": self.walls_s,
            "cores": self.cores, "mcups": self.mcups(), "swept_mcups": self.swept_mcups(),
            "mcell_s_per_s": self.cell_seconds(), "peak_rss_bytes_a_cell": self.bytes_a_cell,
            "volume_error": self.volume_error, "load": self.load,
        })
    }

    fn line(&self) -> String {
        format!(
            "{:<12} {:<14} {:>7}  {:>8}  {:>6}  {:>8.3}  {:>5.2}  {:>7.0}  {:>7.0}  {:>9.0}  {:>10.1}  {:>8.1e}  {:>4.1}",
            self.what,
            self.scheme.name(),
            self.threads,
            self.cells,
            self.steps,
            self.wall_s(),
            self.cores,
            self.mcups(),
            self.swept_mcups(),
            self.cell_seconds(),
            self.bytes_a_cell,
            self.volume_error,
            self.load,
        )
    }
}

const HEAD: &str = "what         scheme         threads     cells   steps    wall s  cores  Mcell/s    swept  Mcell-s/s  bytes/cell  volume ±  load";

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let mut tell = Tell { json: args.json, measured: Vec::new(), ratios: Vec::new() };
    tell.head();
    // The largest case first: the highest memory of the process is then its own.
    tell.take(measure("basin 10 M", &|| Ok(cases::basin(5000, 2000, Scheme::LocalInertia, 40.0)), 2, args.runs)?);
    for scheme in [Scheme::LocalInertia, Scheme::Full2] {
        let span_s = if scheme == Scheme::LocalInertia { 400.0 } else { 100.0 };
        for threads in [1, 2] {
            tell.take(measure("basin", &|| Ok(cases::basin(1500, 500, scheme, span_s)), threads, args.runs)?);
        }
    }
    for scheme in [Scheme::LocalInertia, Scheme::Full2] {
        tell.take(measure("plain 1 h", &|| Ok(cases::plain(scheme, 3600.0)?), 2, args.runs)?);
        tell.take(measure("reach 100 m", &|| Ok(cases::reach(100.0, scheme, 21_600.0, false)?), 2, args.runs)?);
    }
    for peer in &args.against {
        against(*peer, &args, &mut tell)?;
    }
    if args.reach_hours > 0.0 {
        for scheme in [Scheme::LocalInertia, Scheme::Full2] {
            if args.reach_scheme.as_ref().is_none_or(|asked| asked == scheme.name()) {
                let end_s = args.reach_hours * 3600.0;
                tell.take(measure("reach 20 m", &|| Ok(cases::reach(20.0, scheme, end_s, !args.reach_closed)?), 2, 1)?);
            }
        }
    }
    tell.finish(args.runs);
    Ok(())
}

/// What is shown as it comes.
struct Tell {
    json: bool,
    measured: Vec<Value>,
    ratios: Vec<Value>,
}

impl Tell {
    fn head(&self) {
        if !self.json {
            println!("{HEAD}");
        }
    }

    fn take(&mut self, measured: Measured) {
        if !self.json {
            println!("{}", measured.line());
        }
        self.measured.push(measured.json());
    }

    fn ratio(&mut self, what: &str, peer: Peer, told: &peers::Told, ours: f64, theirs: f64) {
        if !self.json {
            println!(
                "{what:<12} {} {}: {} steps, {:.0} s in {:.2} s, {theirs:.2} Mcell-s/s; ratio {:.1}",
                peer.name(),
                told.version,
                told.steps,
                told.simulated_s,
                told.wall_s,
                ours / theirs
            );
        }
        self.ratios.push(json!({
            "what": what, "peer": peer.name(), "version": told.version, "steps": told.steps,
            "simulated_s": told.simulated_s, "wall_s": told.wall_s, "volume_m3": told.volume_m3,
            "mcell_s_per_s": theirs, "ratio": ours / theirs, "load": load(),
        }));
    }

    fn finish(self, runs: usize) {
        if self.json {
            println!("{}", json!({"runs": runs, "measured": self.measured, "against": self.ratios}));
        }
    }
}

/// What a case is made by.
type Make<'a> = dyn Fn() -> Result<Case, Box<dyn Error>> + 'a;

/// One other model on its cases, each between two halves of our own runs.
fn against(peer: Peer, args: &Args, tell: &mut Tell) -> Result<(), Box<dyn Error>> {
    let bench = peers::Bench {
        environments: args.peers.clone(),
        script: args.peer_script.clone(),
        threads: 2,
        limit_s: args.peer_limit_s,
    };
    let mut compare = |what: &'static str, make: &Make| -> Result<(), Box<dyn Error>> {
        let before = measure(what, make, 2, args.runs)?;
        let case = make()?;
        let mut rates = Vec::new();
        let mut told = Vec::new();
        for _ in 0..args.runs.min(3) {
            let one = bench.run(peer, &case)?;
            rates.push(case.grid.cells() as f64 * one.simulated_s / one.wall_s / 1e6);
            told.push(one);
            if told.iter().map(|one| one.wall_s).sum::<f64>() > 60.0 {
                break; // a slow model once
            }
        }
        let after = measure(what, make, 2, args.runs)?;
        let ours = median(before.walls_s.iter().chain(&after.walls_s).copied().collect());
        let ours = case.grid.cells() as f64 * case.end_s / ours / 1e6;
        let theirs = median(rates);
        tell.take(before);
        tell.take(after);
        told.sort_by(|a, b| a.wall_s.total_cmp(&b.wall_s));
        if let Some(middle) = told.get(told.len() / 2) {
            tell.ratio(what, peer, middle, ours, theirs);
        }
        Ok(())
    };
    match peer {
        Peer::Itzi => {
            compare("basin", &|| Ok(cases::basin(1500, 500, Scheme::LocalInertia, 120.0)))?;
            compare("plain 1 h", &|| Ok(cases::plain(Scheme::LocalInertia, 3600.0)?))
        }
        Peer::Landlab => compare("basin", &|| Ok(cases::basin(1500, 500, Scheme::LocalInertia, 120.0))),
        Peer::Anuga => {
            compare("basin", &|| Ok(cases::basin(1500, 500, Scheme::Full2, 20.0)))?;
            compare("reach 100 m", &|| Ok(cases::reach(100.0, Scheme::Full2, 21_600.0, false)?))
        }
    }
}

fn measure(what: &'static str, make: &Make, threads: usize, runs: usize) -> Result<Measured, Box<dyn Error>> {
    let (mut walls_s, mut cores) = (Vec::new(), Vec::new());
    let mut last = None;
    for _ in 0..runs.max(1) {
        let case = make()?;
        let end_s = case.end_s;
        let mut run = Inundation::new(case, threads)?;
        let (begun, cpu) = (Instant::now(), cpu_s("self"));
        run.advance(end_s, &|_| true)?;
        let wall_s = begun.elapsed().as_secs_f64();
        walls_s.push(wall_s);
        cores.push((cpu_s("self") - cpu) / wall_s);
        last = Some((run.steps(), run.swept_cells(), run.grid().cells(), end_s, run.balance().error(), run.scheme()));
    }
    let (steps, swept, cells, simulated_s, volume_error, scheme) = last.ok_or("no run")?;
    // The highest memory of the process so far: true for the largest case, an upper bound for the ones after it.
    let bytes_a_cell = peak_rss_mb("self") * 1e6 / cells as f64;
    let (cores, load) = (median(cores), load());
    Ok(Measured {
        what,
        scheme,
        threads,
        cells,
        steps,
        swept,
        simulated_s,
        walls_s,
        cores,
        bytes_a_cell,
        volume_error,
        load,
    })
}

/// Processes that wanted a core in the last minute, as the system counts them; 0 if it does not say.
fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0.0)
}
