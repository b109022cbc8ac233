//! `anlan export`.

use super::{Outcome, wait_for};
use crate::app::export::{ExportFormat, Selection, export};
use crate::model::Timestamp;
use crate::store::series_file;
use std::path::PathBuf;

/// Writes observations into a file (导出观测值): CSV or Parquet; the server may run meanwhile.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The format.
    #[arg(value_enum)]
    format: ExportFormat,
    /// The data directory, or a backup.
    #[arg(long)]
    data: PathBuf,
    /// The folder for the file; a file that is there is not overwritten.
    #[arg(long)]
    out: PathBuf,
    /// Only series that fit a mask, e.g. '*.stage'; may be given several times (序列通配符).
    #[arg(long)]
    series: Vec<String>,
    /// First moment, e.g. 2026-07-01T00:00:00+08:00 (起始时间).
    #[arg(long)]
    from: Option<Timestamp>,
    /// End, not included (结束时间，不含).
    #[arg(long)]
    to: Option<Timestamp>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> Outcome {
    wait_for(async move {
        let selection = Selection {
            masks: args.series,
            from: args.from.unwrap_or(Timestamp::MIN_UTC),
            to: args.to.unwrap_or(Timestamp::MAX_UTC),
        };
        let done = export(&series_file(&args.data), &args.out, args.format, &selection).await?;
        if args.json {
            println!("{}", serde_json::to_string(&done)?);
        } else {
            println!("{}: {} rows of {} series (导出完成)", done.file.display(), done.rows, done.series);
        }
        Ok(())
    })
}
