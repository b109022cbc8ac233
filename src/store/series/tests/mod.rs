//! The store against a plain map, through crashes; and every fault with its words.

mod contract;
mod faults;
mod migrate;
mod model;
mod promises;
mod relay;
mod retention;

use super::*;
use crate::model::{Causes, Grade};
use std::path::Path;

/// 2026-07-15T00:00Z, Unix ms.
const START: i64 = 1_784_073_600_000;

fn at(second: i64) -> Timestamp {
    chrono::DateTime::from_timestamp_millis(START + second * 1000).unwrap()
}

fn seen(series: &str, second: i64, value: f64) -> Observation {
    Observation { series: series.into(), at: at(second), received_at: at(second), value, quality: Quality::GOOD }
}

fn corrected(series: &str, second: i64, value: f64) -> Correction {
    let quality = Quality { grade: Grade::Manual, causes: Causes::NONE };
    Correction { series: series.into(), at: at(second), value, quality }
}

async fn open(folder: &Path) -> EmbeddedSeries {
    EmbeddedSeries::open(&folder.join("series.db"), SeriesLimits::default()).await.unwrap()
}

/// Chunks of 8 points and a journal of some hundred bytes: everything happens soon.
fn tiny() -> SeriesLimits {
    SeriesLimits { chunk_points: 8, journal_bytes: 300, ..SeriesLimits::default() }
}

async fn all(store: &EmbeddedSeries, series: &str) -> Vec<Sample> {
    store.range(&series.into(), at(-400_000_000), at(400_000_000), None).await.unwrap()
}

async fn values(store: &EmbeddedSeries, series: &str) -> Vec<(i64, f64)> {
    let samples = all(store, series).await;
    samples.iter().map(|s| ((s.at.timestamp_millis() - START) / 1000, s.value)).collect()
}
