//! `anlan bench ingest`: points into the series store, each batch awaited until it is durable, and a peer beside it in the same run.

use super::meter::{cpu_s, median, peak_rss_mb};
use super::scratch::Scratch;
use super::victoria::{self, PeerFigures};
use super::workload::{START_MS, TICK_MS, Workload, moment};
use crate::model::Observation;
use crate::store::series::{Aggregate, EmbeddedSeries, SeriesLimits, SeriesStore, Step};
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `anlan bench ingest`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// 点数；默认 30 天。Points in all; default: 30 days of all series.
    #[arg(long)]
    points: Option<u64>,
    /// 序列数。Number of series; the first has a point every 10 s, the others every 400 s.
    #[arg(long, default_value_t = 1_500, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    series: u32,
    /// 每批点数。Points of one append.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    batch: u32,
    /// 末位随机。Random last digits instead of steady values.
    #[arg(long)]
    noisy: bool,
    /// 对比对象。A peer measured in the same run.
    #[arg(long, value_enum)]
    against: Option<Against>,
    /// 数据目录；默认用临时目录并在结束后删除。Folder for the files; default: a temporary one, removed afterwards.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Write without end, for the kill test.
    #[arg(long, hide = true, requires = "data")]
    forever: bool,
    /// Print a line for each acknowledged batch: entry, points so far, checksum so far.
    #[arg(long, hide = true)]
    report_acks: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Against {
    /// Debian's package, over its HTTP interface.
    VictoriaMetrics,
}

/// What was measured of our store.
#[derive(Debug, serde::Serialize)]
struct Figures {
    points: u64,
    series: u32,
    batch: u32,
    noisy: bool,
    points_per_s: f64,
    seconds: f64,
    slowest_append_ms: f64,
    cpu_s: f64,
    peak_rss_mb: f64,
    file_bytes_per_point_unsealed: f64,
    file_bytes_per_point: f64,
    live_bytes_per_point: f64,
    seal_s: f64,
    query_30d_to_1min_ms: f64,
    query_samples: usize,
    latest_ms: f64,
    reopen_ms: f64,
}

#[derive(Debug, serde::Serialize)]
struct Report {
    anlan: Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    victoria_metrics: Option<PeerFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio_points_per_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio_points_per_cpu_s: Option<f64>,
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = Scratch::new(args.data.as_deref())?;
    if args.forever {
        return runtime.block_on(write_for_ever(&args, &folder.path));
    }
    let report = runtime.block_on(measure(&args, &folder.path))?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

fn workload(args: &Args) -> Workload {
    Workload::new(args.series as usize, args.noisy)
}

async fn measure(args: &Args, folder: &Path) -> Result<Report, Box<dyn Error>> {
    let points = args.points.unwrap_or_else(|| Workload::points_a_day(args.series as usize) * 30);
    let anlan = measure_store(args, folder, points).await?;
    let victoria_metrics = match args.against {
        None => None,
        Some(Against::VictoriaMetrics) => {
            Some(victoria::measure(folder, points, args.batch as usize, workload(args)).await?)
        }
    };
    let ratio_points_per_s = victoria_metrics.as_ref().map(|peer| anlan.points_per_s / peer.points_per_s);
    let ratio_points_per_cpu_s = victoria_metrics.as_ref().map(|peer| peer.cpu_s / anlan.cpu_s);
    Ok(Report { anlan, victoria_metrics, ratio_points_per_s, ratio_points_per_cpu_s })
}

async fn measure_store(args: &Args, folder: &Path, points: u64) -> Result<Figures, Box<dyn Error>> {
    let path = folder.join("series.db");
    if path.exists() {
        return Err(format!("{} is there already; measure in an empty folder (--data)", path.display()).into());
    }
    let store = EmbeddedSeries::open(&path, SeriesLimits::default()).await?;
    let mut load = workload(args);
    let (mut written, mut seconds, mut cpu, mut slowest) = (0, 0.0, 0.0, 0.0f64);
    let mut last_ms = START_MS;
    while written < points {
        // Made outside the measured time; what is measured is from the call to the acknowledgement.
        let batch = load.batch((args.batch as usize).min((points - written) as usize));
        last_ms = batch.last().map_or(last_ms, |o| o.at.timestamp_millis());
        let (cpu_before, began) = (cpu_s("self"), Instant::now());
        written += store.append(&batch).await?.points as u64;
        let took = began.elapsed().as_secs_f64();
        cpu += cpu_s("self") - cpu_before;
        seconds += took;
        slowest = slowest.max(took);
    }
    let peak = peak_rss_mb("self");
    let unsealed = store.stats().await?.file_bytes;
    drop(store);
    let (store, reopen_ms) = timed(EmbeddedSeries::open(&path, SeriesLimits::default())).await;
    let store = store?;
    let (_, latest_ms) = timed(store.latest()).await;
    let (sealed, seal_ms) = timed(store.seal()).await;
    sealed?;
    let (query_ms, query_samples) = ask(&store, &load, last_ms).await?;
    let stats = store.stats().await?;
    if stats.points != points {
        return Err(format!("{points} points were written, {} are stored", stats.points).into());
    }
    store.close().await;
    let each = |bytes: u64| bytes as f64 / points as f64;
    Ok(Figures {
        points,
        series: args.series,
        batch: args.batch,
        noisy: args.noisy,
        points_per_s: points as f64 / seconds,
        seconds,
        slowest_append_ms: slowest * 1000.0,
        cpu_s: cpu,
        peak_rss_mb: peak,
        file_bytes_per_point_unsealed: each(unsealed),
        file_bytes_per_point: each(stats.file_bytes),
        live_bytes_per_point: each(stats.live_bytes),
        seal_s: seal_ms / 1000.0,
        query_30d_to_1min_ms: query_ms,
        query_samples,
        latest_ms,
        reopen_ms,
    })
}

async fn timed<T>(work: impl Future<Output = T>) -> (T, f64) {
    let began = Instant::now();
    let done = work.await;
    (done, began.elapsed().as_secs_f64() * 1000.0)
}

/// Means of one minute of series 0 over the whole span: median of several, ms, and the number of samples.
async fn ask(store: &EmbeddedSeries, load: &Workload, last_ms: i64) -> Result<(f64, usize), Box<dyn Error>> {
    let series = load.ids().first().ok_or("no series")?;
    let step = Step { every_ms: 60_000, aggregate: Aggregate::Mean };
    let (from, to) = (moment(START_MS), moment(last_ms + TICK_MS));
    let (mut measured, mut samples) = (Vec::new(), 0);
    for _ in 0..9 {
        let (answer, ms) = timed(store.range(series, from, to, Some(step))).await;
        samples = answer?.len();
        measured.push(ms);
    }
    Ok((median(measured), samples))
}

/// Appends until the process is killed; says after each acknowledgement what must now be there.
async fn write_for_ever(args: &Args, folder: &Path) -> Result<(), Box<dyn Error>> {
    // A small journal, so that seals are always under way.
    let limits = SeriesLimits { journal_bytes: 1 << 18, chunk_points: 256, ..SeriesLimits::default() };
    let store = EmbeddedSeries::open(&folder.join("series.db"), limits).await?;
    let mut load = workload(args);
    let (mut points, mut sum) = (0u64, 0u64);
    loop {
        let batch = load.batch(args.batch as usize);
        let durable = store.append(&batch).await?;
        points += batch.len() as u64;
        sum = batch.iter().fold(sum, checksum);
        if args.report_acks {
            let mut out = std::io::stdout().lock();
            writeln!(out, "ack {} {points} {sum}", durable.entry)?;
            out.flush()?;
        }
    }
}

/// Depends on every point and on their order.
fn checksum(sum: u64, point: &Observation) -> u64 {
    sum.wrapping_mul(31)
        .wrapping_add(point.at.timestamp_millis() as u64)
        .wrapping_mul(31)
        .wrapping_add(point.value.to_bits())
}

fn print(report: &Report) {
    let ours = &report.anlan;
    println!(
        "{} points, {} series, batches of {}, each acknowledged after it is on disk",
        ours.points, ours.series, ours.batch
    );
    let row = |what: &str, anlan: String, peer: Option<String>| {
        println!("{what:<44}{anlan:>16}{:>20}", peer.unwrap_or_default());
    };
    let peer = report.victoria_metrics.as_ref();
    row("", "anlan".into(), peer.map(|_| "VictoriaMetrics".into()));
    row("points/s", format!("{:.0}", ours.points_per_s), peer.map(|p| format!("{:.0}", p.points_per_s)));
    if let Some(peer) = peer {
        row("  until all is flushed to disk", String::new(), Some(format!("{:.0}", peer.points_per_s_until_flushed)));
    }
    row("CPU, s", format!("{:.1}", ours.cpu_s), peer.map(|p| format!("{:.1}", p.cpu_s)));
    row("peak resident memory, MB", format!("{:.0}", ours.peak_rss_mb), peer.map(|p| format!("{:.0}", p.peak_rss_mb)));
    row(
        "file, bytes/point",
        format!("{:.2}", ours.file_bytes_per_point),
        peer.map(|p| format!("{:.2}", p.bytes_per_point)),
    );
    row("file before sealing the rest, bytes/point", format!("{:.2}", ours.file_bytes_per_point_unsealed), None);
    row(
        "whole span of a 10 s series to 1 min, ms",
        format!("{:.1}", ours.query_30d_to_1min_ms),
        peer.map(|p| format!("{:.1}", p.query_30d_to_1min_ms)),
    );
    row("  samples in that answer", ours.query_samples.to_string(), peer.map(|p| p.query_samples.to_string()));
    row("slowest append, ms", format!("{:.1}", ours.slowest_append_ms), None);
    row("latest of all series, ms", format!("{:.1}", ours.latest_ms), None);
    row("open with journal replay, ms", format!("{:.0}", ours.reopen_ms), None);
    row("seal the rest, s", format!("{:.2}", ours.seal_s), None);
    if let (Some(ratio), Some(peer)) = (report.ratio_points_per_s, peer) {
        let by_cpu = report.ratio_points_per_cpu_s.unwrap_or(f64::NAN);
        println!("ratio anlan : VictoriaMetrics {}: {ratio:.2} by time, {by_cpu:.2} by processor time", peer.version);
    }
}
