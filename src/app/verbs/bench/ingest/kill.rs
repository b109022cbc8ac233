//! `kill -9` in the middle of writing, and what is there after the next start.

use super::embedded::limits;
use super::figures::{Plan, Span};
use super::served::{Dialect, Served};
use crate::store::series::{EmbeddedSeries, SeriesStore};
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A store that was killed.
#[derive(Debug, serde::Serialize)]
pub(super) struct Killed {
    pub(super) store: &'static str,
    /// Points that it had acknowledged.
    pub(super) acknowledged: u64,
    /// Points that were there afterwards; a batch under way may be among them.
    pub(super) found: u64,
    /// Acknowledged points that were not.
    pub(super) lost: u64,
    /// Until it was ready again.
    pub(super) ready_ms: f64,
}

/// Acknowledged points, points found, ms until it was ready again.
type Found = (u64, u64, f64);

/// Kills a process that writes into our store as a library; the writer is this program again.
pub(super) async fn embedded(folder: &Path, plan: &Plan) -> Result<Found, Box<dyn Error>> {
    let folder = folder.join("killed");
    let mut writer = Command::new(std::env::current_exe()?)
        .args(["bench", "ingest", "--forever", "--report-acks", "--batch", &plan.batch.to_string()])
        .args(["--series", &plan.series.to_string(), "--data"])
        .arg(&folder)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(writer.stdout.take().ok_or("the writer has no output")?).lines();
    let told = |line: &str| line.split(' ').nth(2).and_then(|points| points.parse::<u64>().ok());
    let mut acknowledged = 0;
    while acknowledged < plan.points / 2 {
        let line = lines.next().ok_or("the writer ended before it was killed")??;
        acknowledged = told(&line).ok_or_else(|| format!("not understood: {line}"))?;
    }
    writer.kill()?;
    writer.wait()?;
    // What it still got out before it died was acknowledged as well; a line cut off by the kill was not.
    acknowledged = lines.map_while(Result::ok).filter_map(|line| told(&line)).fold(acknowledged, u64::max);
    let began = Instant::now();
    let store = EmbeddedSeries::open(&folder.join("series.db"), limits(plan.series)).await?;
    let ready_ms = began.elapsed().as_secs_f64() * 1e3;
    let found = store.stats().await?.points;
    store.close().await;
    std::fs::remove_dir_all(&folder)?;
    Ok((acknowledged, found, ready_ms))
}

/// Kills a store that is a process of its own while batches are written to it.
pub(super) async fn served(dialect: &dyn Dialect, folder: &Path, plan: &Plan) -> Result<Found, Box<dyn Error>> {
    let mut served = Served::start(dialect, folder).await?;
    let mut load = plan.workload();
    let (mut acknowledged, mut killer) = (0, None);
    loop {
        let points = load.batch(plan.batch as usize);
        if served.write(&dialect.body(&points)).await.is_err() {
            break;
        }
        acknowledged += points.len() as u64;
        if killer.is_none() && acknowledged >= plan.points / 2 {
            let mut kill = Command::new("kill");
            kill.args(["-s", "KILL", &served.pid()]);
            killer = Some(std::thread::spawn(move || {
                // A moment that no batch begins or ends at.
                std::thread::sleep(Duration::from_micros(3_700));
                kill.status()
            }));
        }
    }
    match killer {
        Some(killer) => drop(killer.join().map_err(|_| "the kill failed")??),
        None => return Err(format!("{} refused a batch before it was killed", dialect.name()).into()),
    }
    let ready_ms = served.start_again(false).await?;
    let found = dialect.points(&mut served, Span::of(&load)).await?;
    Ok((acknowledged, found, ready_ms))
}
