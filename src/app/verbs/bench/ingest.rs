//! `anlan bench ingest`: the same points into our store as a library, through our own HTTP route, and into other stores, in one
//! run; the same questions asked of each; late points; `kill -9` in the middle.

mod embedded;
mod figures;
mod http;
mod influx1;
mod kill;
mod route;
mod served;
mod victoria;

use super::scratch::Scratch;
use super::workload::Workload;
use crate::model::Observation;
use crate::store::series::{EmbeddedSeries, SeriesLimits, SeriesStore};
use figures::{Figures, Plan};
use kill::Killed;
use served::Dialect;
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};

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
    #[arg(long, default_value_t = 1_500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    series: u32,
    /// 每批点数。Points of one append, or one request.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    batch: u32,
    /// 末位随机。Random last digits instead of steady values.
    #[arg(long)]
    noisy: bool,
    /// 迟到份额：这些点最多晚三天。Share of points that come up to three days late; measured beside the run in order.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    late: f64,
    /// 我方写入途径。How points come into our store.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "library")]
    through: Vec<Through>,
    /// 同场对比对象。Other stores measured in the same run.
    #[arg(long, value_enum, value_delimiter = ',')]
    against: Vec<Against>,
    /// 写到一半时强杀的次数；只测丢失。Kill each store that often in the middle and count lost points; nothing else.
    #[arg(long, value_name = "TIMES")]
    kill: Option<u32>,
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

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=0.9).contains(&share) { Ok(share) } else { Err("must be 0 to 0.9".into()) }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Through {
    /// As the server calls its store.
    Library,
    /// `POST /api/v1/readings` of a server of its own.
    Http,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Against {
    /// Debian's package, over its HTTP interface.
    VictoriaMetrics,
    /// Debian's package `influxdb`, over its HTTP interface.
    Influxdb1,
}

/// A store in order, and with late points where that was asked for.
#[derive(Debug, serde::Serialize)]
struct Measured {
    store: &'static str,
    in_order: Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    late: Option<Figures>,
}

#[derive(Debug, serde::Serialize)]
struct Report {
    plan: Plan,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stores: Vec<Measured>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kills: Vec<Killed>,
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = Scratch::new(args.data.as_deref())?;
    if args.forever {
        return runtime.block_on(write_for_ever(&args, &folder.path));
    }
    let points = args.points.unwrap_or_else(|| Workload::points_a_day(args.series as usize) * 30);
    let plan = Plan { points, series: args.series, batch: args.batch, noisy: args.noisy, late: 0.0 };
    let report = runtime.block_on(measure(&args, plan, &folder.path))?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

/// Everything that is measured, in the order of the run.
#[derive(Debug, Clone, Copy)]
enum Store {
    Ours(Through),
    Other(Against),
}

impl Store {
    fn name(self) -> &'static str {
        match self {
            Self::Ours(Through::Library) => "anlan",
            Self::Ours(Through::Http) => "anlan-http",
            Self::Other(Against::VictoriaMetrics) => "victoria-metrics",
            Self::Other(Against::Influxdb1) => "influxdb1",
        }
    }
    /// How it is spoken to; the library is not spoken to.
    async fn dialect(self, folder: &Path, plan: &Plan) -> Result<Option<Box<dyn Dialect>>, Box<dyn Error>> {
        Ok(match self {
            Self::Ours(Through::Library) => None,
            Self::Ours(Through::Http) => Some(Box::new(route::Route::prepare(&folder.join(self.name()), plan).await?)),
            Self::Other(Against::VictoriaMetrics) => Some(Box::new(victoria::Victoria)),
            Self::Other(Against::Influxdb1) => Some(Box::new(influx1::Influx1)),
        })
    }
    async fn measure(self, folder: &Path, plan: &Plan) -> Result<Figures, Box<dyn Error>> {
        match self.dialect(folder, plan).await? {
            None => embedded::measure(folder, plan).await,
            Some(dialect) => served::measure(&*dialect, &folder.join(self.name()), plan).await,
        }
    }
    async fn kill(self, folder: &Path, plan: &Plan) -> Result<Killed, Box<dyn Error>> {
        let (acknowledged, found, ready_ms) = match self.dialect(folder, plan).await? {
            None => kill::embedded(folder, plan).await?,
            Some(dialect) => kill::served(&*dialect, &folder.join(self.name()), plan).await?,
        };
        Ok(Killed { store: self.name(), acknowledged, found, lost: acknowledged.saturating_sub(found), ready_ms })
    }
}

async fn measure(args: &Args, plan: Plan, folder: &Path) -> Result<Report, Box<dyn Error>> {
    let mut report = Report { plan, stores: Vec::new(), kills: Vec::new() };
    let ours = args.through.iter().copied().map(Store::Ours);
    for store in ours.chain(args.against.iter().copied().map(Store::Other)) {
        if let Some(times) = args.kill {
            for _ in 0..times {
                report.kills.push(store.kill(folder, &plan).await?);
            }
            continue;
        }
        let in_order = store.measure(folder, &plan).await?;
        let late = match args.late > 0.0 {
            true => Some(store.measure(&folder.join("late"), &Plan { late: args.late, ..plan }).await?),
            false => None,
        };
        report.stores.push(Measured { store: store.name(), in_order, late });
    }
    Ok(report)
}

/// Appends until the process is killed; says after each acknowledgement what must now be there.
async fn write_for_ever(args: &Args, folder: &Path) -> Result<(), Box<dyn Error>> {
    // A small journal, so that seals are always under way.
    let limits = SeriesLimits { journal_bytes: 1 << 18, chunk_points: 256, ..embedded::limits(args.series) };
    let store = EmbeddedSeries::open(&folder.join("series.db"), limits).await?;
    let mut load = Workload::new(args.series as usize, args.noisy);
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
    let Plan { points, series, batch, .. } = report.plan;
    println!("{points} points, {series} series, batches of {batch}, one after another");
    for one in &report.kills {
        let Killed { store, acknowledged, found, lost, ready_ms } = one;
        println!(
            "kill -9 {store:<18} acknowledged {acknowledged:>10}, found {found:>10}, lost {lost:>9}; ready after {ready_ms:.0} ms"
        );
    }
    if report.stores.is_empty() {
        return;
    }
    let columns = || report.stores.iter().flat_map(|one| [Some(&one.in_order), one.late.as_ref()]).flatten();
    print!("{:<32}", "");
    for one in &report.stores {
        print!("{:>18}", one.store);
        if one.late.is_some() {
            print!("{:>18}", "… late");
        }
    }
    println!();
    let row = |what: &str, digits: usize, of: &dyn Fn(&Figures) -> f64| {
        print!("{what:<32}");
        columns().for_each(|figures| print!("{:>18.digits$}", of(figures)));
        println!();
    };
    row("points/s", 0, &|f| f.points_per_s);
    row("  until all is on disk", 0, &|f| f.points_per_s_on_disk);
    row("slowest batch, ms", 1, &|f| f.slowest_batch_ms);
    row("CPU, s", 1, &|f| f.cpu_s);
    row("peak resident memory, MB", 0, &|f| f.peak_rss_mb);
    row("bytes/point while running", 2, &|f| f.bytes_per_point_running);
    row("bytes/point, all compressed", 2, &|f| f.bytes_per_point);
    row("start until ready, ms", 0, &|f| f.reopen_ms);
    for (place, question) in figures::Question::ALL.into_iter().enumerate() {
        let answer = |f: &Figures| f.answers.get(place).map_or(f64::NAN, |answer| answer.ms);
        row(&format!("{}, ms", question.words()), 2, &answer);
        row("  samples", 0, &|f| f.answers.get(place).map_or(f64::NAN, |answer| answer.samples as f64));
    }
    let Some(ours) = report.stores.first() else { return };
    for other in report.stores.iter().skip(1) {
        println!(
            "{} : {}   {:.2} by time, {:.2} by processor time, {:.2} by bytes",
            ours.store,
            other.store,
            ours.in_order.points_per_s / other.in_order.points_per_s,
            other.in_order.cpu_s / ours.in_order.cpu_s,
            ours.in_order.bytes_per_point / other.in_order.bytes_per_point
        );
    }
    for one in &report.stores {
        if let Some(late) = &one.late {
            println!(
                "{}: late points at {:.2} of the rate in order",
                one.store,
                late.points_per_s / one.in_order.points_per_s
            );
        }
    }
}
