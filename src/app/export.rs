//! Observations as files that other programs read: CSV, and Parquet for DuckDB, pandas and the like.
//!
//! In: a data directory, running or not, or a backup: it reads a private copy. Out: one file, in order of series and time,
//! complete or not there at all; damaged spans are left out and named. Every value goes with its verdict; bad ones are not left out.

use crate::model::{SeriesId, Timestamp};
use crate::store::series::{EmbeddedSeries, Sample, SeriesError, SeriesLimits, SeriesStore};
use chrono::{SecondsFormat, TimeDelta};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Span of one series in memory at once: 10 days.
const WINDOW: TimeDelta = TimeDelta::days(10);
/// Rows of one row group of Parquet.
const GROUP_ROWS: usize = 500_000;
const SCHEMA: &str = "message observations {
    REQUIRED BYTE_ARRAY series (STRING);
    REQUIRED INT64 time (TIMESTAMP(MILLIS,true));
    OPTIONAL DOUBLE value;
    REQUIRED BYTE_ARRAY quality (STRING);
    REQUIRED BYTE_ARRAY causes (STRING);
    REQUIRED BOOLEAN by_hand;
    OPTIONAL DOUBLE min;
    OPTIONAL DOUBLE max;
    REQUIRED INT32 readings;
}";

/// What kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    /// Text with a header, UTF-8.
    Csv,
    /// Columns, compressed with zstd.
    Parquet,
}

/// What to export.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Masks of series ids, `*` and `?`; empty: all.
    pub masks: Vec<String>,
    /// First moment.
    pub from: Timestamp,
    /// End, not included.
    pub to: Timestamp,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Exported {
    /// The file.
    pub file: PathBuf,
    /// Series in it.
    pub series: u64,
    /// Rows in it.
    pub rows: u64,
    /// Damaged spans that it lacks, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// Removes a private copy when it goes out of sight.
struct Copy(PathBuf);

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Removes a file that was begun and not finished when it goes out of sight; once it has its name there is nothing to remove.
struct Begun(PathBuf);

impl Drop for Begun {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Writes the observations of the store `series_db` into a new file in `folder`.
///
/// # Errors
/// When there is no store, the file is there already, or the disk refuses.
pub async fn export(
    series_db: &Path,
    folder: &Path,
    format: ExportFormat,
    selection: &Selection,
) -> Result<Exported, Box<dyn Error>> {
    if !series_db.is_file() {
        return Err(format!("{} is not there: no observations to export (没有观测数据)", series_db.display()).into());
    }
    std::fs::create_dir_all(folder)?;
    let file = folder.join(match format {
        ExportFormat::Csv => "observations.csv",
        ExportFormat::Parquet => "observations.parquet",
    });
    if file.exists() {
        return Err(format!("{} is there already and is not overwritten (文件已存在)", file.display()).into());
    }
    let copy = Copy(folder.join(format!(".anlan-copy-{}", std::process::id())));
    crate::store::make_private(&copy.0)?;
    let copied = copy.0.join("series.db");
    EmbeddedSeries::snapshot(series_db, &copied).await?;
    let store =
        EmbeddedSeries::open(&copied, SeriesLimits { series_max: usize::MAX, ..SeriesLimits::default() }).await?;
    let partial = Begun(file.with_extension("partial"));
    let mut sink = Sink::new(format, &partial.0)?;
    let mut series = 0;
    for facts in store.list().await? {
        let wanted = selection.masks.is_empty() || selection.masks.iter().any(|mask| fits(mask, facts.series.as_str()));
        let (Some(oldest), Some(newest), true) = (facts.oldest, facts.newest, wanted) else { continue };
        // A step of down-sampled history may begin before what it is asked for.
        let (mut at, last) = (selection.from.max(oldest), selection.to.min(newest + TimeDelta::milliseconds(1)));
        let before = sink.rows;
        while at < last {
            let end = (at + WINDOW).min(last);
            let samples = store.range(&facts.series, at, end, None).await?;
            let inside = samples.iter().filter(|sample| sample.at >= at || at == selection.from.max(oldest));
            for sample in inside {
                sink.put(&facts.series, sample)?;
            }
            at = end;
        }
        series += u64::from(sink.rows > before);
    }
    let damage = store.damage(None, selection.from, selection.to);
    let left_out = damage.into_iter().map(|span| SeriesError::from(span).to_string()).collect();
    store.close().await;
    let rows = sink.finish()?;
    std::fs::rename(&partial.0, &file)?;
    Ok(Exported { file, series, rows, left_out })
}

/// Whether a text fits a mask of `*` and `?`.
fn fits(mask: &str, text: &str) -> bool {
    let (mask, text): (Vec<char>, Vec<char>) = (mask.chars().collect(), text.chars().collect());
    let (mut m, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match mask.get(m) {
            Some('*') => {
                star = Some((m, t));
                m += 1;
            }
            Some(c) if *c == '?' || text.get(t) == Some(c) => (m, t) = (m + 1, t + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (m, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    mask.iter().skip(m).all(|c| *c == '*')
}

/// A file that rows go into.
struct Sink {
    kind: Kind,
    rows: u64,
}

enum Kind {
    Csv(Box<csv::Writer<BufWriter<File>>>),
    Parquet { writer: Box<SerializedFileWriter<File>>, rows: Vec<(SeriesId, Sample)> },
}

impl Sink {
    fn new(format: ExportFormat, path: &Path) -> Result<Self, Box<dyn Error>> {
        let file = File::create(path)?;
        let kind = match format {
            ExportFormat::Csv => {
                let mut writer = csv::Writer::from_writer(BufWriter::new(file));
                writer.write_record([
                    "series", "time", "value", "quality", "causes", "by_hand", "min", "max", "readings",
                ])?;
                Kind::Csv(Box::new(writer))
            }
            ExportFormat::Parquet => {
                let schema = Arc::new(parse_message_type(SCHEMA)?);
                let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()));
                let writer = SerializedFileWriter::new(file, schema, Arc::new(properties.build()))?;
                Kind::Parquet { writer: Box::new(writer), rows: Vec::new() }
            }
        };
        Ok(Self { kind, rows: 0 })
    }

    fn put(&mut self, series: &SeriesId, sample: &Sample) -> Result<(), Box<dyn Error>> {
        self.rows += 1;
        match &mut self.kind {
            Kind::Csv(writer) => {
                let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
                writer.write_record([
                    series.as_str(),
                    &sample.at.to_rfc3339_opts(SecondsFormat::Millis, true),
                    &number(finite(sample.value)),
                    &grade(sample),
                    &causes(sample),
                    if sample.by_hand { "true" } else { "false" },
                    &number(finite(sample.min)),
                    &number(finite(sample.max)),
                    &readings(sample).to_string(),
                ])?;
            }
            Kind::Parquet { writer, rows } => {
                rows.push((series.clone(), *sample));
                if rows.len() == GROUP_ROWS {
                    write_group(writer, &std::mem::take(rows))?;
                }
            }
        }
        Ok(())
    }

    /// Ends the file; it is on disk afterwards.
    fn finish(self) -> Result<u64, Box<dyn Error>> {
        let file = match self.kind {
            Kind::Csv(writer) => {
                let mut buffered = (*writer).into_inner().map_err(|fault| fault.into_error())?;
                buffered.flush()?;
                buffered.into_inner().map_err(|fault| fault.into_error())?
            }
            Kind::Parquet { mut writer, rows } => {
                if !rows.is_empty() {
                    write_group(&mut writer, &rows)?;
                }
                (*writer).into_inner()?
            }
        };
        file.sync_all()?;
        Ok(self.rows)
    }
}

fn write_group(writer: &mut SerializedFileWriter<File>, rows: &[(SeriesId, Sample)]) -> Result<(), Box<dyn Error>> {
    let text = |of: &dyn Fn(&(SeriesId, Sample)) -> String| -> Vec<ByteArray> {
        rows.iter().map(|row| ByteArray::from(of(row).into_bytes())).collect()
    };
    let mut group = writer.next_row_group()?;
    column::<ByteArrayType>(&mut group, &text(&|(series, _)| series.to_string()), None)?;
    let times: Vec<i64> = rows.iter().map(|(_, sample)| sample.at.timestamp_millis()).collect();
    column::<Int64Type>(&mut group, &times, None)?;
    optional(&mut group, rows, |sample| sample.value)?;
    column::<ByteArrayType>(&mut group, &text(&|(_, sample)| grade(sample)), None)?;
    column::<ByteArrayType>(&mut group, &text(&|(_, sample)| causes(sample)), None)?;
    column::<BoolType>(&mut group, &rows.iter().map(|(_, sample)| sample.by_hand).collect::<Vec<_>>(), None)?;
    optional(&mut group, rows, |sample| sample.min)?;
    optional(&mut group, rows, |sample| sample.max)?;
    column::<Int32Type>(&mut group, &rows.iter().map(|(_, sample)| readings(sample)).collect::<Vec<_>>(), None)?;
    group.close()?;
    Ok(())
}

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    values: &[T::T],
    there: Option<&[i16]>,
) -> Result<(), Box<dyn Error>> {
    let mut column = group.next_column()?.ok_or("the schema has fewer columns than the rows")?;
    column.typed::<T>().write_batch(values, there, None)?;
    column.close()?;
    Ok(())
}

/// A column of numbers; what is no number is a null.
fn optional(
    group: &mut SerializedRowGroupWriter<'_, File>,
    rows: &[(SeriesId, Sample)],
    of: impl Fn(&Sample) -> f64,
) -> Result<(), Box<dyn Error>> {
    let numbers = || rows.iter().map(|(_, sample)| finite(of(sample)));
    let there: Vec<i16> = numbers().map(|number| i16::from(number.is_some())).collect();
    column::<DoubleType>(group, &numbers().flatten().collect::<Vec<_>>(), Some(&there))
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// Readings that a row stands for: 1, more for a step of down-sampled history.
fn readings(sample: &Sample) -> i32 {
    i32::try_from(sample.usable.saturating_add(sample.unusable)).unwrap_or(i32::MAX)
}

fn grade(sample: &Sample) -> String {
    format!("{:?}", sample.quality.grade).to_lowercase()
}

fn causes(sample: &Sample) -> String {
    sample.quality.causes.words().join("|")
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
