//! `anlan bench`: the figures of `docs/performance.md`, each with the command that makes it. One file for each measurement.

mod flood2d;
mod ingest;
mod meter;
mod rules;
mod victoria;
mod workload;

use clap::Subcommand;
use std::error::Error;

/// Arguments of `anlan bench`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: Measurement,
}

#[derive(Debug, Subcommand)]
enum Measurement {
    /// 二维淹没演进：每秒格步数、加速比、每格内存。Inundation: cell updates a second, speed-up, bytes a cell.
    Flood2d(flood2d::Args),
    /// 写入时序库：每批落盘后才确认。Points into the series store, each batch acknowledged after it is on disk.
    Ingest(ingest::Args),
    /// 判定全部指令条件。All conditions of the playbook, once through.
    Rules(rules::Args),
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    match args.what {
        Measurement::Flood2d(args) => flood2d::run(args),
        Measurement::Ingest(args) => ingest::run(args),
        Measurement::Rules(args) => rules::run(args),
    }
}
