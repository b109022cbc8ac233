//! `anlan twin library`: computes the scenario library of a reach.
//!
//! In: the reach's folder `twin`, or the demo's. Out: `library.bin` and `library.json` (what each member met) in a folder; progress on
//! standard error where that is a terminal.

use super::Outcome;
use super::progress::Progress;
use super::results::{ResultFault, say, write_whole};
use crate::app::reaches::{TwinFiles, embedded_reach};
use crate::hydraulics::{Library, base_water, flood};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;

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
    // A folder that cannot be made is known now, not after hours.
    std::fs::create_dir_all(&args.out).map_err(|cause| ResultFault::write(&args.out, cause))?;
    let workers = super::workers(args.threads)?;
    let wanted = Library::wanted(&site);
    let (spin_up_h, member_h) = (site.plan.spin_up_h, site.plan.hours.last().copied().unwrap_or_default());
    let progress = Progress::new(0.0, spin_up_h + member_h * wanted.len() as f64);
    let base_cm =
        base_water(&site, &ground, workers, &|time_s| progress.tell(time_s / 3600.0, || "基流 base water".to_owned()))?;
    let mut library =
        Library { hours: site.plan.hours.clone(), base_m3s: site.plan.base_m3s, base_cm, members: Vec::new() };
    let mut told = Vec::new();
    for (at, assumed) in wanted.iter().enumerate() {
        let begun_h = spin_up_h + member_h * at as f64;
        let tell =
            |hour: f64| progress.tell(begun_h + hour.max(0.0), || format!("情景 member {}/{}", at + 1, wanted.len()));
        let member = flood(&site, &ground, &library.base_cm, assumed, f64::INFINITY, workers, &tell)?;
        let wet = member.highest_cm.iter().filter(|cm| **cm >= crate::hydraulics::WET_CM).count();
        let gauge = ground.grid.cell_at(site.gauge_at).map(|cell| ground.grid.index(cell));
        let last = member.depth_cm.last();
        let stage = gauge.zip(last).map(|(at, frame)| f64::from(ground.bed_m[at]) + f64::from(frame[at]) / 100.0);
        let story = json!({
            "gauge_stage_m": stage,
            "discharge_m3s": member.discharge_m3s, "breach": member.breach, "highest_froude": member.highest_froude,
            "volume_error": member.volume_error, "wet_km2": wet as f64 * ground.grid.cell_area_m2() / 1e6,
        });
        told.push(story);
        library.members.push(member);
    }
    progress.finish();
    let bytes = library.encode(&ground)?;
    write_whole(&args.out.join("library.bin"), &bytes)?;
    let told = json!({
        "cell_m": ground.grid.cell_m, "cells": ground.grid.cells(), "bytes": bytes.len(), "synthetic": site.synthetic,
        "members": told,
    });
    write_whole(&args.out.join("library.json"), format!("{told:#}\n").as_bytes())?;
    let (out, members, wall_s) = (args.out.display(), library.members.len(), progress.wall().as_secs_f64());
    let (bytes, [columns, rows], cell_m) = (bytes.len(), [ground.grid.columns, ground.grid.rows], ground.grid.cell_m);
    let words = || {
        format!(
            "{out}：{members} 个情景，{bytes} 字节，{wall_s:.0} s\n{members} members on {columns} x {rows} cells of {cell_m} m, {bytes} bytes, {wall_s:.0} s"
        )
    };
    Ok(say(&if args.json { told.to_string() } else { words() })?)
}
