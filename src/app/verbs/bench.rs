//! `anlan bench`: the figures of `docs/performance.md`, each with the command that makes it. One file for each measurement.

mod ingest;
mod meter;
mod rules;
mod sl651;
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
    /// 写入时序库：每批落盘后才确认。Points into the series store, each batch acknowledged after it is on disk.
    Ingest(ingest::Args),
    /// 判定全部指令条件。All conditions of the playbook, once through.
    Rules(rules::Args),
    /// SL 651 报文：解码、入库后应答、一万站在线的内存。Frames decoded, stored and acknowledged; memory of connected stations.
    Sl651(sl651::Args),
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    match args.what {
        Measurement::Ingest(args) => ingest::run(args),
        Measurement::Rules(args) => rules::run(args),
        Measurement::Sl651(args) => sl651::run(args),
    }
}
