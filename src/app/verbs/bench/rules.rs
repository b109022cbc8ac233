//! `anlan bench rules`: every condition of a playbook, once through.

use crate::app::editions::{embedded_playbook, playbook_in};
use crate::app::reaches::reach_from;
use crate::app::rules::bench_rules;
use crate::playbook::{Faults, Playbook};
use std::error::Error;
use std::path::PathBuf;

/// Arguments of `anlan bench rules`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// 遍数。Passes over all rows.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(20..=10_000_000))]
    iterations: u32,
    /// 预案目录；默认用程序内的预案。Folder of the edition; default: the one in the binary.
    #[arg(long)]
    playbook: Option<PathBuf>,
    /// 辖区目录；默认用程序内的辖区。Folder of the reach; default: the one in the binary.
    #[arg(long)]
    reach: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let files = args.playbook.as_deref().map_or_else(|| Ok(embedded_playbook()), playbook_in)?;
    let playbook = Playbook::load("", &files).map_err(Faults)?;
    let reach = reach_from(args.reach.as_deref())?.reach;
    let figures = bench_rules(&playbook, &reach, args.iterations);
    if args.json {
        println!("{}", serde_json::to_string(&figures)?);
        return Ok(());
    }
    println!("指令 rows                       {:>10}", figures.rows);
    println!("遍数 passes                     {:>10}", figures.iterations);
    println!(
        "全部条件 all conditions, µs     {:>10.2}（最慢一批 slowest batch {:.2}）",
        figures.conditions_ns / 1e3,
        figures.conditions_slowest_ns / 1e3
    );
    println!("完整判定 full verdicts, µs      {:>10.2}", figures.verdicts_ns / 1e3);
    println!("逐处判定 at {} places, µs      {:>10.2}", figures.places, figures.local_verdicts_ns / 1e3);
    Ok(())
}
