//! InfluxDB 2 as the series store of a site that has one.
//!
//! In and out as [`super::SeriesStore`] says. The measurement is the quantity, tags are the station and who gave the value
//! (`device` or `person`), fields are `value` (absent where the device gave none) and `quality` (the stored code). Written
//! through `/api/v2/write` in whole batches, which may be sent again without harm; read by Flux and annotated CSV; merged
//! here by the same rule as in the embedded store. A line that the server refuses is set aside on disk, never dropped.

mod csv;
mod flux;
mod line;
mod refused;
mod send;

#[cfg(test)]
pub(super) mod double;
#[cfg(test)]
mod tests;

use super::points::{Points, code_of, replaces, sample};
use super::rollup::Rollup;
use super::{Correction, Durable, Sample, SeriesBatch, SeriesError, SeriesFacts, SeriesStats, SeriesStore, Step};
use crate::model::{Observation, SeriesId, Timestamp};
use async_trait::async_trait;
use line::By;
use refused::Refused;
use send::Sender;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many rows an answer in annotated CSV holds; for the fuzz targets and for people with an answer before them.
///
/// # Errors
/// When the server put an error into its answer, or the text is cut off or not annotated CSV.
pub fn annotated_csv_rows(text: &str) -> Result<usize, SeriesError> {
    csv::read(text).map(|rows| rows.len())
}

/// Most samples of one answer.
const ANSWER_MAX: usize = 2_000_000;
/// Most points of one append.
const BATCH_MAX: usize = 200_000;

/// Where the store is and how to reach it.
#[derive(Debug, Clone)]
pub struct InfluxSettings {
    /// Base address, a path below it included: `http://127.0.0.1:8086`.
    pub url: String,
    /// Organisation.
    pub org: String,
    /// Bucket.
    pub bucket: String,
    /// File with the token that may read and write the bucket; read again when the server refuses it.
    pub token_file: PathBuf,
    /// Certificates of the site's own authority, PEM, beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// How long one request may take.
    pub timeout: Duration,
    /// Points of one request.
    pub lines_a_request: usize,
    /// Longest that one call waits for a busy or absent server before it gives the batch back.
    pub patience: Duration,
    /// Lines that the server refuses go here.
    pub refused_file: PathBuf,
}

impl InfluxSettings {
    /// Reads address, token and certificates without asking the server for anything.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn check(self) -> Result<(), SeriesError> {
        Sender::new(self).map(drop)
    }
}

/// A remote bucket behind [`SeriesStore`].
#[derive(Debug)]
pub struct InfluxSeries {
    sender: Sender,
    bucket: String,
    refused: Refused,
    lines_a_request: usize,
    entries: AtomicU64,
}

impl InfluxSeries {
    /// Prepares the adapter; the server is not asked for anything yet.
    ///
    /// # Errors
    /// When the address is none, or the file for refused lines cannot be opened.
    pub fn new(settings: InfluxSettings) -> Result<Self, SeriesError> {
        let refused = Refused::open(&settings.refused_file)?;
        let (bucket, lines_a_request) = (settings.bucket.clone(), settings.lines_a_request.max(1));
        Ok(Self { sender: Sender::new(settings)?, bucket, refused, lines_a_request, entries: AtomicU64::new(0) })
    }

    /// Lines that the server refused since the file was begun; above 0 means someone should look at it.
    pub fn refused_lines(&self) -> u64 {
        self.refused.lines()
    }

    async fn write(&self, lines: Vec<String>) -> Result<Durable, SeriesError> {
        if lines.len() > BATCH_MAX {
            return Err(SeriesError::BatchTooLarge { points: lines.len(), limit: BATCH_MAX });
        }
        for part in lines.chunks(self.lines_a_request) {
            self.sender.write(part, &self.refused).await?;
        }
        let entry = self.entries.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Durable { points: lines.len(), entry })
    }

    /// Reads the token again, for a server that refused it.
    pub(super) async fn renew_token(&self) {
        self.sender.renew_token().await;
    }

    /// Its address.
    pub fn url(&self) -> &str {
        self.sender.url()
    }

    /// Writes points with their stored codes; one whose id cannot travel is set aside.
    pub(super) async fn write_points(&self, points: &[(SeriesId, i64, f64, u16)]) -> Result<(), SeriesError> {
        for part in points.chunks(self.lines_a_request) {
            let (mut lines, mut aside) = (Vec::with_capacity(part.len()), Vec::new());
            for (series, at, value, code) in part {
                match line::of(series, By::of(*code), *at, *value, *code) {
                    Ok(line) => lines.push(line),
                    Err(fault) => aside.push((format!("{series:?} {at} {value} {code}"), fault.to_string())),
                }
            }
            self.refused.keep(aside).await?;
            self.sender.write(&lines, &self.refused).await?;
        }
        Ok(())
    }

    /// Both layers of a series, merged: one point a moment.
    pub(super) async fn points(
        &self,
        series: &SeriesId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Points, SeriesError> {
        let rows = self.sender.query(&flux::range(&self.bucket, series, from, to)).await?;
        if rows.len() > ANSWER_MAX {
            return Err(SeriesError::AnswerTooLarge { series: series.clone(), limit: ANSWER_MAX });
        }
        let mut merged: BTreeMap<i64, (f64, u16)> = BTreeMap::new();
        for row in rows {
            let code = row.code()?;
            let slot = merged.entry(row.at_ms()?).or_insert((row.value(code)?, code));
            if replaces(code, slot.1) {
                *slot = (row.value(code)?, code);
            }
        }
        let mut points = Points::default();
        for (at, (value, code)) in merged {
            points.push(at, value, code);
        }
        Ok(points)
    }
}

#[async_trait]
impl SeriesStore for InfluxSeries {
    async fn append(&self, batch: &[Observation]) -> Result<Durable, SeriesError> {
        let lines = batch.iter().map(|seen| {
            let code = code_of(seen.value, seen.quality, false);
            line::of(&seen.series, By::of(code), seen.at.timestamp_millis(), seen.value, code)
        });
        self.write(lines.collect::<Result<_, _>>()?).await
    }

    async fn append_columns(&self, batches: &[SeriesBatch]) -> Result<Durable, SeriesError> {
        let mut lines = Vec::new();
        for batch in batches {
            let (times, values, verdicts) = (batch.at_ms.len(), batch.values.len(), batch.quality.len());
            if times != values || times != verdicts {
                return Err(SeriesError::UnevenColumns { series: batch.series.clone(), times, values, verdicts });
            }
            for ((at, value), quality) in batch.at_ms.iter().zip(&batch.values).zip(&batch.quality) {
                let code = code_of(*value, *quality, false);
                lines.push(line::of(&batch.series, By::of(code), *at, *value, code)?);
            }
        }
        self.write(lines).await
    }

    async fn correct(&self, corrections: &[Correction]) -> Result<Durable, SeriesError> {
        let lines = corrections.iter().map(|one| {
            let code = code_of(one.value, one.quality, true);
            line::of(&one.series, By::Person, one.at.timestamp_millis(), one.value, code)
        });
        self.write(lines.collect::<Result<_, _>>()?).await
    }

    async fn range(
        &self,
        series: &SeriesId,
        from: Timestamp,
        to: Timestamp,
        step: Option<Step>,
    ) -> Result<Vec<Sample>, SeriesError> {
        let step = step.map(Step::checked).transpose()?;
        if from >= to {
            return Ok(Vec::new());
        }
        let mut rollup = Rollup::new(step);
        for (at, value, code) in self.points(series, from, to).await?.iter() {
            rollup.take(at, value, code);
        }
        Ok(rollup.finish())
    }

    async fn latest(&self) -> Result<BTreeMap<SeriesId, Sample>, SeriesError> {
        let mut newest: BTreeMap<SeriesId, (i64, f64, u16)> = BTreeMap::new();
        let rows = self.sender.query(&flux::newest(&self.bucket)).await?;
        // A last value may be older than the last verdict, which then had none: it stands in a row without a verdict.
        for row in rows.into_iter().filter(|row| row.get("quality").is_some()) {
            let (series, at, code) = (row.series()?, row.at_ms()?, row.code()?);
            let value = row.value(code)?;
            newest
                .entry(series)
                .and_modify(|known| {
                    if at > known.0 || at == known.0 && replaces(code, known.2) {
                        *known = (at, value, code);
                    }
                })
                .or_insert((at, value, code));
        }
        Ok(newest.into_iter().map(|(series, (at, value, code))| (series, sample(at, value, code))).collect())
    }

    async fn list(&self) -> Result<Vec<SeriesFacts>, SeriesError> {
        let mut counted: BTreeMap<SeriesId, u64> = BTreeMap::new();
        for row in self.sender.query(&flux::counts(&self.bucket)).await? {
            *counted.entry(row.series()?).or_default() += row.count()?;
        }
        let newest = self.latest().await?;
        let mut oldest: BTreeMap<SeriesId, i64> = BTreeMap::new();
        for row in self.sender.query(&flux::oldest(&self.bucket)).await? {
            let at = row.at_ms()?;
            oldest.entry(row.series()?).and_modify(|known| *known = at.min(*known)).or_insert(at);
        }
        let facts = |(series, points): (SeriesId, u64)| {
            let newest = newest.get(&series).map(|sample| sample.at);
            let oldest = oldest.get(&series).copied().map(super::points::moment);
            SeriesFacts { series, points, oldest, newest }
        };
        Ok(counted.into_iter().map(facts).collect())
    }

    /// Series and points; what the server keeps them in is its own affair and reads 0 here.
    async fn stats(&self) -> Result<SeriesStats, SeriesError> {
        let list = self.list().await?;
        let points = list.iter().map(|facts| facts.points).sum();
        Ok(SeriesStats { series: list.len() as u64, points, ..SeriesStats::default() })
    }
}
