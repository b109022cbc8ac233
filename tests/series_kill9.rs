//! A writer is killed with SIGKILL at random moments under full load: every point it was told is durable must be there.
//!
//! `ANLAN_KILLS=100` sets the number of kills (default 3), `ANLAN_SEED` the moments.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use anlan::model::{Observation, Quality, SeriesId};
use anlan::store::series::{EmbeddedSeries, SeriesLimits, SeriesStore};
use chrono::DateTime;
use rand::{RngExt, SeedableRng};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const BATCH: u64 = 1_000;

/// The last acknowledgement the writer printed before it died.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Ack {
    points: u64,
    checksum: u64,
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

#[test]
fn series_kill9_loses_no_acknowledged_point() {
    let (kills, seed) = (number("ANLAN_KILLS", 3), number("ANLAN_SEED", 1));
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut after_a_seal = 0;
    for kill in 0..kills {
        // From the first batch to well after the journal has begun to be sealed.
        let acks = if kill == 0 { 200 } else { random.random_range(1..200) };
        let pause = Duration::from_micros(random.random_range(0..4_000));
        let folder = tempfile::tempdir().unwrap();
        let ack = killed_writer(folder.path(), acks, pause);
        let chunks = check(folder.path(), ack).unwrap_or_else(|fault| {
            panic!("kill {kill} of {kills} after {acks} acknowledgements and {pause:?} (ANLAN_SEED={seed}): {fault}")
        });
        after_a_seal += u64::from(chunks > 0);
        println!("kill {kill}: {} acknowledged points, all there; {chunks} chunks", ack.points);
    }
    assert!(after_a_seal > 0, "no kill came after the first seal: nothing was tested there");
}

/// Starts a writer, lets it acknowledge some batches, kills it, and gives the last acknowledgement it got out.
fn killed_writer(folder: &Path, acks: usize, pause: Duration) -> Ack {
    let mut writer = Command::new(env!("CARGO_BIN_EXE_anlan"))
        .args(["bench", "ingest", "--forever", "--report-acks", "--batch", &BATCH.to_string(), "--data"])
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(writer.stdout.take().unwrap());
    let mut last = Ack::default();
    for _ in 0..acks {
        last = read_ack(&mut lines).expect("the writer ended before it was killed");
    }
    std::thread::sleep(pause);
    writer.kill().unwrap();
    writer.wait().unwrap();
    // What it still got out before it died was acknowledged as well.
    while let Some(ack) = read_ack(&mut lines) {
        last = ack;
    }
    last
}

/// The next whole line; a line cut off by the kill does not count.
fn read_ack(lines: &mut impl BufRead) -> Option<Ack> {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    let fields: Vec<&str> = line.strip_suffix('\n')?.split(' ').collect();
    assert_eq!(fields[0], "ack", "{line}");
    Some(Ack { points: fields[2].parse().unwrap(), checksum: fields[3].parse().unwrap() })
}

/// Reopens the store and compares; gives the number of chunks it had.
fn check(folder: &Path, ack: Ack) -> Result<u64, String> {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = EmbeddedSeries::open(&folder.join("series.db"), SeriesLimits::default()).await.unwrap();
        let stats = store.stats().await.unwrap();
        let found = stored(&store).await;
        if !matches!((found.len() as u64).checked_sub(ack.points), Some(0 | BATCH)) {
            return Err(format!("{} points acknowledged, {} found: not whole batches", ack.points, found.len()));
        }
        let sum = found.iter().take(ack.points as usize).fold(0u64, |sum, (at, _, bits)| {
            sum.wrapping_mul(31).wrapping_add(*at as u64).wrapping_mul(31).wrapping_add(*bits)
        });
        if sum != ack.checksum || stats.damaged_entries > 0 {
            return Err(format!("the {} acknowledged points differ from those found, {stats:?}", ack.points));
        }
        let at = DateTime::from_timestamp_millis(1_790_000_000_000).unwrap();
        let series = SeriesId::new("bench0000.stage");
        let next = Observation { series, at, received_at: at, value: 1.0, quality: Quality::GOOD };
        let _ = store.append(&[next]).await.map_err(|fault| format!("does not go on: {fault}"))?;
        Ok(stats.chunks)
    })
}

/// All points in the order in which they were written: time, series, value bits.
async fn stored(store: &EmbeddedSeries) -> Vec<(i64, SeriesId, u64)> {
    let moment = |ms| DateTime::from_timestamp_millis(ms).unwrap();
    let mut points = Vec::new();
    for facts in store.list().await.unwrap() {
        for sample in store.range(&facts.series, moment(0), moment(4_000_000_000_000), None).await.unwrap() {
            points.push((sample.at.timestamp_millis(), facts.series.clone(), sample.value.to_bits()));
        }
    }
    points.sort();
    points
}
