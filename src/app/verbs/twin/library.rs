//! `anlan twin library`: computes the scenario library of a reach.
//!
//! In: the reach's folder `twin`, or the demo's. Out: `library.bin` and `library.json` (what each member met) in a folder.

use super::Outcome;
use super::results::{say, write_whole};
use crate::app::reaches::{TwinFiles, embedded_reach};
use crate::hydraulics::{Library, base_water, flood};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Arguments of the verb.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the results; made if absent.
    #[arg(long)]
    out: PathBuf,
    /// Folder of the reach; the demo's without it.
    #[arg(long)]
    reach: Option<PathBuf>,
    /// Workers.
    #[arg(long)]
    threads: Option<usize>,
    /// Also prints library.json on standard output.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Outcome {
    // The library that lies there belongs to the terrain before: it is made anew, not read.
    let files = match &args.reach {
        Some(folder) => TwinFiles::of_folder(&folder.join("twin"))?.map(Arc::new),
        None => embedded_reach()?.twin,
    };
    let files = files.ok_or("该河段没有 twin 文件夹 (this reach has no folder `twin`)")?;
    let (site, ground) = files.ground()?;
    let workers = args.threads.unwrap_or_else(super::all_cores);
    let begun = Instant::now();
    eprintln!("{} x {} cells of {} m", ground.grid.columns, ground.grid.rows, ground.grid.cell_m);
    let base_cm = base_water(&site, &ground, workers, &|_| true)?;
    let wanted = Library::wanted(&site);
    let mut library =
        Library { hours: site.plan.hours.clone(), base_m3s: site.plan.base_m3s, base_cm, members: Vec::new() };
    let mut told = Vec::new();
    for (at, assumed) in wanted.iter().enumerate() {
        let member = flood(&site, &ground, &library.base_cm, assumed, f64::INFINITY, workers, &|_| true)?;
        let wet = member.highest_cm.iter().filter(|cm| **cm >= crate::hydraulics::WET_CM).count();
        let gauge = ground.grid.cell_at(site.gauge_at).map(|cell| ground.grid.index(cell));
        let last = member.depth_cm.last();
        let stage = gauge.zip(last).map(|(at, frame)| f64::from(ground.bed_m[at]) + f64::from(frame[at]) / 100.0);
        let story = json!({
            "gauge_stage_m": stage,
            "discharge_m3s": member.discharge_m3s, "breach": member.breach, "highest_froude": member.highest_froude,
            "volume_error": member.volume_error, "wet_km2": wet as f64 * ground.grid.cell_area_m2() / 1e6,
        });
        eprintln!("{}/{} {story} {:.1} s", at + 1, wanted.len(), begun.elapsed().as_secs_f64());
        told.push(story);
        library.members.push(member);
    }
    let bytes = library.encode(&ground)?;
    std::fs::create_dir_all(&args.out)?;
    write_whole(&args.out.join("library.bin"), &bytes)?;
    let told = json!({
        "cell_m": ground.grid.cell_m, "cells": ground.grid.cells(), "bytes": bytes.len(), "synthetic": site.synthetic,
        "members": told,
    });
    write_whole(&args.out.join("library.json"), format!("{told:#}\n").as_bytes())?;
    let words =
        || format!("{} members, {} bytes, {:.0} s", library.members.len(), bytes.len(), begun.elapsed().as_secs_f64());
    Ok(say(&if args.json { told.to_string() } else { words() })?)
}
