//! `anlan bench open`: how long a store takes to open that holds a year, or very many series; how much memory it then has; and
//! how fast it was loaded, in order of time.

use super::meter::{Spread, cpu_s, rss_mb};
use super::scratch::Scratch;
use super::workload::{START_MS, TICK_MS, moment, value};
use crate::model::{Observation, Quality, SeriesId};
use crate::store::series::{EmbeddedSeries, SeriesLimits, SeriesStore};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Arguments of `anlan bench open`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// 序列数。Number of series.
    #[arg(long, default_value_t = 1_500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    series: u32,
    /// 测次间隔，秒。Seconds between two points of a series, a multiple of 10.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(10..=86_400))]
    every_s: u32,
    /// 天数。Days that are loaded first.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3_660))]
    days: u32,
    /// 打开次数，每次另起进程。How often it is opened, each time by a new process.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=99))]
    times: u32,
    /// 数据目录；已有库则不再装载。Folder for the file; a store that is there is not loaded again. Default: a temporary one.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Only open what is there and say how it went.
    #[arg(long, hide = true, requires = "data")]
    once: bool,
}

/// What one process saw that opened the store.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Opened {
    open_ms: f64,
    /// Processor time of that, ms, in steps of ten.
    open_cpu_ms: f64,
    /// The newest of all series, right after that.
    latest_ms: f64,
    /// The last day of a series in steps of a minute, right after that.
    day_ms: f64,
    resident_mb: f64,
    points: u64,
    series: u64,
    unsealed: u64,
}

#[derive(Debug, serde::Serialize)]
struct Loaded {
    points_per_s: f64,
    seconds: f64,
    cpu_s: f64,
    resident_mb: f64,
}

#[derive(Debug, serde::Serialize)]
struct Figures {
    series: u32,
    every_s: u32,
    days: u32,
    points: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    loaded: Option<Loaded>,
    bytes_per_point: f64,
    file_mb: f64,
    /// Points in the journal that each start read again.
    unsealed: u64,
    open_ms: Spread,
    open_cpu_ms: Spread,
    latest_ms: Spread,
    day_ms: Spread,
    resident_mb: f64,
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = Scratch::new(args.data.as_deref())?;
    let path = folder.path.join("series.db");
    if args.once {
        println!("{}", serde_json::to_string(&runtime.block_on(open(&args, &path))?)?);
        return Ok(());
    }
    let loaded = match path.exists() {
        true => None,
        false => Some(runtime.block_on(load(&args, &path))?),
    };
    let figures = opened(&args, &folder.path, loaded)?;
    if args.json {
        println!("{}", serde_json::to_string(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

fn limits(series: u32) -> SeriesLimits {
    let usual = SeriesLimits::default();
    SeriesLimits { series_max: usual.series_max.max(series as usize), ..usual }
}

/// All series, one moment after the other. Values are made outside the measured time.
async fn load(args: &Args, path: &Path) -> Result<Loaded, Box<dyn Error>> {
    let store = EmbeddedSeries::open(path, limits(args.series)).await?;
    let ids: Vec<SeriesId> = (0..args.series).map(|number| SeriesId::new(format!("bench{number:06}.stage"))).collect();
    let most = limits(args.series).batch_points_max;
    let ticks_each = u64::from(args.every_s) * 1000 / TICK_MS.unsigned_abs();
    let moments = u64::from(args.days) * 86_400 / u64::from(args.every_s);
    let (mut batch, mut points, mut seconds, mut cpu) = (Vec::with_capacity(most), 0_u64, 0.0, 0.0);
    for number in 0..moments {
        let tick = number * ticks_each;
        let at = moment(START_MS + tick as i64 * TICK_MS);
        for (place, series) in ids.iter().enumerate() {
            let value = value(place as u64, tick, false);
            batch.push(Observation { series: series.clone(), at, received_at: at, value, quality: Quality::GOOD });
        }
        if batch.len() + ids.len() > most.min(50_000) || number + 1 == moments {
            for part in batch.chunks(most) {
                let (cpu_before, began) = (cpu_s("self"), Instant::now());
                points += store.append(part).await?.points as u64;
                seconds += began.elapsed().as_secs_f64();
                cpu += cpu_s("self") - cpu_before;
            }
            batch.clear();
        }
    }
    drop(batch);
    let resident_mb = rss_mb("self");
    store.close().await;
    Ok(Loaded { points_per_s: points as f64 / seconds, seconds, cpu_s: cpu, resident_mb })
}

/// Opens the store and asks at once.
async fn open(args: &Args, path: &Path) -> Result<Opened, Box<dyn Error>> {
    let ms = |began: Instant| began.elapsed().as_secs_f64() * 1e3;
    let (began, cpu) = (Instant::now(), cpu_s("self"));
    let store = EmbeddedSeries::open(path, limits(args.series)).await?;
    let (open_ms, open_cpu_ms) = (ms(began), (cpu_s("self") - cpu) * 1e3);
    let began = Instant::now();
    let latest = store.latest().await?;
    let latest_ms = ms(began);
    let (series, newest) = latest.iter().next().ok_or("the store is empty")?;
    let began = Instant::now();
    let to = newest.at + chrono::TimeDelta::milliseconds(1);
    store.range(series, to - chrono::TimeDelta::days(1), to, None).await?;
    let day_ms = ms(began);
    let stats = store.stats().await?;
    let seen = Opened {
        open_ms,
        open_cpu_ms,
        latest_ms,
        day_ms,
        resident_mb: rss_mb("self"),
        points: stats.points,
        series: stats.series,
        unsealed: stats.unsealed_points,
    };
    store.close().await;
    Ok(seen)
}

/// Each time a new process: nothing is warm but what the system keeps of the file.
fn opened(args: &Args, folder: &Path, loaded: Option<Loaded>) -> Result<Figures, Box<dyn Error>> {
    let mut seen: Vec<Opened> = Vec::new();
    for _ in 0..args.times {
        let mut child = Command::new(std::env::current_exe()?);
        child.args(["bench", "open", "--once", "--series", &args.series.to_string(), "--data"]).arg(folder);
        let out = child.output()?;
        if !out.status.success() {
            return Err(format!("it was not opened: {}", String::from_utf8_lossy(&out.stderr)).into());
        }
        seen.push(serde_json::from_slice(&out.stdout)?);
    }
    let last = seen.last().ok_or("it was never opened")?;
    let points = u64::from(args.series) * u64::from(args.days) * 86_400 / u64::from(args.every_s);
    if (last.points, last.series) != (points, u64::from(args.series)) {
        return Err(format!("{points} points of {} series were to be there: {last:?}", args.series).into());
    }
    let bytes = std::fs::metadata(folder.join("series.db"))?.len();
    let spread = |of: fn(&Opened) -> f64| Spread::of(seen.iter().map(of).collect());
    Ok(Figures {
        series: args.series,
        every_s: args.every_s,
        days: args.days,
        points,
        loaded,
        bytes_per_point: bytes as f64 / points as f64,
        file_mb: bytes as f64 / 1e6,
        unsealed: last.unsealed,
        open_ms: spread(|seen| seen.open_ms),
        open_cpu_ms: spread(|seen| seen.open_cpu_ms),
        latest_ms: spread(|seen| seen.latest_ms),
        day_ms: spread(|seen| seen.day_ms),
        resident_mb: seen.iter().map(|seen| seen.resident_mb).fold(0.0, f64::max),
    })
}

fn print(figures: &Figures) {
    println!(
        "{} series, a point every {} s, {} days: {} points, {:.0} MB, {:.2} bytes/point",
        figures.series, figures.every_s, figures.days, figures.points, figures.file_mb, figures.bytes_per_point
    );
    if let Some(loaded) = &figures.loaded {
        println!(
            "loaded in order of time: {:.0} points/s, {:.0} s, CPU {:.0} s, {:.0} MB resident",
            loaded.points_per_s, loaded.seconds, loaded.cpu_s, loaded.resident_mb
        );
    }
    println!("{:<44}{:>9} {:>9} {:>9}", "ms, in a new process each time", "median", "p99", "max");
    println!("{:<44}{}", format!("open, {} points read again", figures.unsealed), figures.open_ms);
    println!("{:<44}{}", "  processor time of that", figures.open_cpu_ms);
    println!("{:<44}{}", "newest of all series, right after", figures.latest_ms);
    println!("{:<44}{}", "last day of a series, right after", figures.day_ms);
    println!("resident memory then {:.0} MB", figures.resident_mb);
}
