//! What is written, what is asked, and what is measured: the same for every store.

use super::super::workload::{START_MS, TICK_MS, Workload};
use crate::model::SeriesId;
use std::error::Error;

/// How often a question is asked; the middle time counts.
pub(super) const ASKED: usize = 9;

/// What every store of a run is given.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub(super) struct Plan {
    pub(super) points: u64,
    pub(super) series: u32,
    pub(super) batch: u32,
    pub(super) noisy: bool,
    /// Share of the points that come up to three days late.
    pub(super) late: f64,
}

impl Plan {
    pub(super) fn workload(&self) -> Workload {
        Workload::new(self.series as usize, self.noisy).with_late(self.late)
    }
    /// Points of the next batch, after so many.
    pub(super) fn next(&self, written: u64) -> usize {
        u64::from(self.batch).min(self.points.saturating_sub(written)) as usize
    }
}

/// A question that every store is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Means of one minute of the 10 s series over the whole span.
    MinuteMeans,
    /// Highest value of each hour of the 10 s series over the whole span.
    HourPeaks,
    /// Every point of a 400 s series.
    Points,
    /// The newest value of every series.
    Latest,
}

impl Question {
    pub(super) const ALL: [Self; 4] = [Self::MinuteMeans, Self::HourPeaks, Self::Points, Self::Latest];

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::MinuteMeans => "10 s series, means of 1 min",
            Self::HourPeaks => "10 s series, peaks of 1 h",
            Self::Points => "400 s series, every point",
            Self::Latest => "newest of all series",
        }
    }
    /// The series that it is about.
    pub(super) fn series(self, load: &Workload) -> Result<&SeriesId, Box<dyn Error>> {
        let place = usize::from(self == Self::Points && load.ids().len() > 1);
        load.ids().get(place).ok_or_else(|| "no series".into())
    }
}

/// The moments that were written, Unix ms; the end is not among them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
}

impl Span {
    /// From the first to the newest moment of a workload.
    pub(super) fn of(load: &Workload) -> Self {
        Self { from_ms: START_MS, to_ms: load.now_ms() + TICK_MS }
    }
}

/// How a question was answered.
#[derive(Debug, serde::Serialize)]
pub(super) struct Answered {
    pub(super) question: &'static str,
    pub(super) ms: f64,
    pub(super) samples: usize,
}

/// What was measured of a store.
#[derive(Debug, serde::Serialize)]
pub(super) struct Figures {
    pub(super) points: u64,
    /// Until the last batch was answered: on disk for us and InfluxDB, in memory for VictoriaMetrics.
    pub(super) points_per_s: f64,
    /// Until all of it was on disk.
    pub(super) points_per_s_on_disk: f64,
    pub(super) seconds: f64,
    pub(super) slowest_batch_ms: f64,
    pub(super) cpu_s: f64,
    pub(super) peak_rss_mb: f64,
    /// As the files lay after the last batch.
    pub(super) bytes_per_point_running: f64,
    /// After everything was compressed.
    pub(super) bytes_per_point: f64,
    pub(super) answers: Vec<Answered>,
    /// From a start with what was written until it is ready.
    pub(super) reopen_ms: f64,
}
