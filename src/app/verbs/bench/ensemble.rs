//! `anlan bench ensemble`: a spread of runs on the finest grid of the demo reach, by the same code as the jobs of the server.

use crate::app::reaches::embedded_twin;
use crate::hydraulics::{Assumed, Spread, SpreadPlan, metres};
use serde_json::json;
use std::error::Error;
use std::time::Instant;

/// Arguments of `anlan bench ensemble`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// 成员数。Members.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
    members: u16,
    /// 时长，小时。Hours of each, after the rise begins.
    #[arg(long, default_value_t = 72.0)]
    hours: f64,
    /// 网格，米。Cells, m: a multiple of the terrain's.
    #[arg(long, default_value_t = 50.0)]
    cell_m: f64,
    /// 流量，m³/s。Discharge in the middle of the members.
    #[arg(long, default_value_t = 15_000.0)]
    discharge: f64,
    /// 线程。Workers; all cores without it.
    #[arg(long)]
    threads: Option<usize>,
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    if !(1.0..=240.0).contains(&args.hours) || !(1000.0..=60_000.0).contains(&args.discharge) {
        return Err("时长 1 至 240 小时，流量 1000 至 60000 m³/s (1 to 240 h, 1000 to 60000 m³/s)".into());
    }
    let model = embedded_twin().ok_or("该河段没有 twin 文件夹 (this reach has no folder `twin`)")?.data()?;
    let ground = model.site.ground(args.cell_m)?;
    let library = model.library.as_ref().ok_or("没有情景库 (no scenario library)")?;
    let depth = ground.depth_from(&model.ground, &metres(&library.base_cm));
    let base_cm: Vec<u16> = depth.iter().map(|depth| (depth * 100.0).round().min(60_000.0) as u16).collect();
    let workers = args.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let assumed = Assumed { discharge_m3s: args.discharge, breach: None };
    let plan = SpreadPlan { assumed, members: usize::from(args.members), hours: args.hours };
    let begun = Instant::now();
    let spread = Spread::compute(&model.site, &ground, &base_cm, &plan, workers, &|_| true)?;
    let seconds = begun.elapsed().as_secs_f64();
    let bytes = spread.encode(&ground)?.len();
    let sure = spread.share.iter().zip(&base_cm).filter(|(share, base)| **share == 1000 && **base == 0).count();
    let maybe = spread.share.iter().filter(|share| (1..1000).contains(*share)).count();
    let km2 = |cells: usize| cells as f64 * ground.grid.cell_area_m2() / 1e6;
    if args.json {
        let told = json!({
            "members": args.members, "hours": args.hours, "cell_m": args.cell_m, "cells": ground.grid.cells(),
            "discharge_m3s": args.discharge, "threads": workers, "seconds": seconds, "bytes": bytes,
            "wet_in_all_km2": km2(sure), "wet_in_some_km2": km2(maybe), "volume_error": spread.head.volume_error,
        });
        println!("{told}");
        return Ok(());
    }
    println!(
        "{} 成员 members × {} h, {} 格 cells of {} m, {} 线程 threads",
        args.members,
        args.hours,
        ground.grid.cells(),
        args.cell_m,
        workers
    );
    println!("用时 seconds              {seconds:>10.1}");
    println!("每成员 seconds a member   {:>10.1}", seconds / f64::from(args.members));
    println!("结果 bytes                {bytes:>10}");
    println!("全部成员淹没 wet in all   {:>10.2} km²", km2(sure));
    println!("部分成员淹没 wet in some  {:>10.2} km²", km2(maybe));
    println!("水量误差 volume error     {:>10.1e}", spread.head.volume_error);
    Ok(())
}
