//! Our store as the server calls it, in this process.

use super::super::meter::{cpu_s, median, peak_rss_mb};
use super::figures::{ASKED, Answered, Figures, Plan, Question, Span};
use crate::app::verbs::bench::workload::{Workload, moment};
use crate::store::series::{Aggregate, EmbeddedSeries, SeriesLimits, SeriesStore, Step};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

/// The usual limits, with room for all series of the run.
pub(super) fn limits(series: u32) -> SeriesLimits {
    let usual = SeriesLimits::default();
    SeriesLimits { series_max: usual.series_max.max(series as usize), ..usual }
}

/// Writes the plan into a new store below `folder` and asks.
pub(super) async fn measure(folder: &Path, plan: &Plan) -> Result<Figures, Box<dyn Error>> {
    let path = folder.join("series.db");
    if path.exists() {
        return Err(format!("{} is there already; measure in an empty folder (--data)", path.display()).into());
    }
    let store = EmbeddedSeries::open(&path, limits(plan.series)).await?;
    let mut load = plan.workload();
    let (mut written, mut seconds, mut cpu, mut slowest) = (0, 0.0, 0.0, 0.0f64);
    while written < plan.points {
        // Made outside the measured time; what is measured is from the call to the acknowledgement.
        let batch = load.batch(plan.next(written));
        let (cpu_before, began) = (cpu_s("self"), Instant::now());
        written += store.append(&batch).await?.points as u64;
        let took = began.elapsed().as_secs_f64();
        cpu += cpu_s("self") - cpu_before;
        seconds += took;
        slowest = slowest.max(took);
    }
    let peak = peak_rss_mb("self");
    let running = store.stats().await?.file_bytes;
    drop(store);
    let began = Instant::now();
    let store = EmbeddedSeries::open(&path, limits(plan.series)).await?;
    let reopen_ms = began.elapsed().as_secs_f64() * 1e3;
    let answers = ask(&store, &load).await?;
    store.seal().await?;
    let stats = store.stats().await?;
    if stats.points != written {
        return Err(format!("{written} points were acknowledged, {} are stored", stats.points).into());
    }
    store.close().await;
    let each = |bytes: u64| bytes as f64 / written as f64;
    Ok(Figures {
        points: written,
        points_per_s: written as f64 / seconds,
        points_per_s_on_disk: written as f64 / seconds,
        seconds,
        slowest_batch_ms: slowest * 1e3,
        cpu_s: cpu,
        peak_rss_mb: peak,
        bytes_per_point_running: each(running),
        bytes_per_point: each(stats.file_bytes),
        answers,
        reopen_ms,
    })
}

async fn ask(store: &EmbeddedSeries, load: &Workload) -> Result<Vec<Answered>, Box<dyn Error>> {
    let span = Span::of(load);
    let (from, to) = (moment(span.from_ms), moment(span.to_ms));
    let mut answers = Vec::new();
    for question in Question::ALL {
        let series = question.series(load)?;
        let step = |every_ms, aggregate| Some(Step { every_ms, aggregate });
        let (mut times, mut samples) = (Vec::new(), 0);
        for _ in 0..ASKED {
            let began = Instant::now();
            samples = match question {
                Question::MinuteMeans => store.range(series, from, to, step(60_000, Aggregate::Mean)).await?.len(),
                Question::HourPeaks => store.range(series, from, to, step(3_600_000, Aggregate::Max)).await?.len(),
                Question::Points => store.range(series, from, to, None).await?.len(),
                Question::Latest => store.latest().await?.len(),
            };
            times.push(began.elapsed().as_secs_f64() * 1e3);
        }
        answers.push(Answered { question: question.words(), ms: median(times), samples });
    }
    Ok(answers)
}
