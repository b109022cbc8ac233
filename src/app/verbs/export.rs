//! `anlan export …`: what a data directory holds, as files that others read.

use super::place::SitePlace;
use super::{Outcome, wait_for};
use crate::app::assemble::stations;
use crate::app::clock::wall_now;
use crate::app::export::{ExportFormat, Selection, export as export_series};
use crate::ingest::sensors::book_csv;
use crate::ingest::sl323::{SL323_TABLES, export};
use crate::model::Timestamp;
use crate::store::series::{EmbeddedSeries, SeriesLimits};
use crate::store::{StoreDirectory, series_file};
use chrono::{DateTime, FixedOffset, TimeDelta};
use clap::Subcommand;
use std::path::PathBuf;

/// Writes what a data directory holds as files (导出).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// 观测值，CSV (observations as CSV; the server may run meanwhile).
    Csv(Observations),
    /// 观测值，Parquet (observations as Parquet; the server may run meanwhile).
    Parquet(Observations),
    /// 序列清单：测站、单位、基面、间隔、来源 (the book of series as CSV: station, unit, datum, interval, sources).
    Series {
        /// Where the file goes.
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        place: SitePlace,
    },
    /// 雨水情库表 ST_STBPRP_B, ST_RIVER_R, ST_PPTN_R, ST_RSVR_R (SL 323-2011) as CSV; while the server runs use GET /api/v1/sl323/….
    Sl323 {
        /// Where the files go.
        #[arg(long)]
        out: PathBuf,
        /// From this moment, with offset; absent: 30 days before `to`.
        #[arg(long)]
        from: Option<DateTime<FixedOffset>>,
        /// To before this moment; absent: now.
        #[arg(long)]
        to: Option<DateTime<FixedOffset>>,
        #[command(flatten)]
        place: SitePlace,
    },
}

/// Which observations, and where to.
#[derive(Debug, clap::Args)]
struct Observations {
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
    let (out, from, to, place) = match args.what {
        What::Csv(which) => return observations(ExportFormat::Csv, which),
        What::Parquet(which) => return observations(ExportFormat::Parquet, which),
        What::Series { out, place } => return series_book(&out, &place),
        What::Sl323 { out, from, to, place } => (out, from, to, place),
    };
    wait_for(async move {
        let (files, data) = place.read()?;
        let to: Timestamp = to.map_or_else(wall_now, |to| to.to_utc());
        let from = from.map_or(to - TimeDelta::days(30), |from| from.to_utc());
        if from >= to {
            return Err("--from must lie before --to (起始须早于结束)".into());
        }
        let _directory = StoreDirectory::claim_existing(&data)?;
        let store = EmbeddedSeries::open(&series_file(&data), SeriesLimits::default()).await?;
        let site = stations(&files.sensors);
        std::fs::create_dir_all(&out).map_err(|cause| format!("cannot make {}: {cause}", out.display()))?;
        for table in SL323_TABLES {
            let text = export(table, &site, &store, from, to).await?;
            let path = out.join(format!("{}.csv", table.name()));
            std::fs::write(&path, &text).map_err(|cause| format!("cannot write {}: {cause}", path.display()))?;
            println!("{}: {} rows (行)", path.display(), text.lines().count().saturating_sub(1));
        }
        let without = site.without_code();
        if !without.is_empty() {
            println!("left out, no code of the hydrological service (无站码，未导出): {}", without.join("、"));
        }
        store.close().await;
        Ok(())
    })
}

fn series_book(out: &std::path::Path, place: &SitePlace) -> Outcome {
    let (files, _) = place.read()?;
    let book = files.sensors.series_book();
    std::fs::create_dir_all(out).map_err(|cause| format!("cannot make {}: {cause}", out.display()))?;
    let path = out.join("series.csv");
    std::fs::write(&path, book_csv(&book)).map_err(|cause| format!("cannot write {}: {cause}", path.display()))?;
    println!("{}: {} series (序列)", path.display(), book.len());
    Ok(())
}

/// What could not be read: the file is there, and is not whole.
fn left_out(spans: &[String]) -> Outcome {
    if spans.is_empty() {
        return Ok(());
    }
    let head = format!("导出缺 {} 段损坏的数据 ({} damaged spans are not in the export)", spans.len(), spans.len());
    Err(format!("{head}:\n{}", spans.join("\n")).into())
}

fn observations(format: ExportFormat, args: Observations) -> Outcome {
    wait_for(async move {
        let selection = Selection {
            masks: args.series,
            from: args.from.unwrap_or(Timestamp::MIN_UTC),
            to: args.to.unwrap_or(Timestamp::MAX_UTC),
        };
        let done = export_series(&series_file(&args.data), &args.out, format, &selection).await?;
        if args.json {
            println!("{}", serde_json::to_string(&done)?);
        } else {
            println!("{}: {} rows of {} series (导出完成)", done.file.display(), done.rows, done.series);
        }
        left_out(&done.left_out)
    })
}
