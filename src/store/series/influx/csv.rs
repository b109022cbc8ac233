//! Annotated CSV as InfluxDB answers: several tables, each with its own annotations, nulls, and errors after good rows.

use super::SeriesError;
use crate::model::{Causes, SeriesId};
use crate::store::series::points::quality_of;
use chrono::DateTime;
use std::collections::BTreeMap;

/// One row: column → cell; a null is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Row {
    cells: BTreeMap<String, String>,
}

impl Row {
    /// The cell of a column; `None` for a null and for a column that the table lacks.
    pub(super) fn get(&self, column: &str) -> Option<&str> {
        self.cells.get(column).map(String::as_str)
    }

    fn need(&self, column: &'static str) -> Result<&str, SeriesError> {
        self.get(column).ok_or_else(|| answer_fault(format!("a row has no {column}")))
    }

    pub(super) fn at_ms(&self) -> Result<i64, SeriesError> {
        let text = self.need("_time")?;
        let at = DateTime::parse_from_rfc3339(text).map_err(|_| answer_fault(format!("{text:?} is no time")))?;
        Ok(at.timestamp_millis())
    }

    /// The stored verdict.
    pub(super) fn code(&self) -> Result<u16, SeriesError> {
        let text = self.need("quality")?;
        text.parse().map_err(|_| answer_fault(format!("{text:?} is no quality code")))
    }

    /// The value, NaN where there is none. A verdict that says missing outlives an earlier value of the same moment.
    pub(super) fn value(&self, code: u16) -> Result<f64, SeriesError> {
        match self.get("value") {
            Some(_) if quality_of(code).causes.has(Causes::MISSING) => Ok(f64::NAN),
            Some(text) => text.parse().map_err(|_| answer_fault(format!("{text:?} is no value"))),
            None => Ok(f64::NAN),
        }
    }

    pub(super) fn count(&self) -> Result<u64, SeriesError> {
        let text = self.need("_value")?;
        text.parse().map_err(|_| answer_fault(format!("{text:?} is no count")))
    }

    pub(super) fn series(&self) -> Result<SeriesId, SeriesError> {
        Ok(SeriesId::new(format!("{}.{}", self.need("station")?, self.need("_measurement")?)))
    }
}

/// What is wrong with an answer.
fn answer_fault(reason: String) -> SeriesError {
    SeriesError::RemoteAnswer { reason }
}

/// Reads an answer; all tables one after the other.
///
/// # Errors
/// When the server put an error into its answer, or the text is cut off or not annotated CSV.
pub(super) fn read(text: &str) -> Result<Vec<Row>, SeriesError> {
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(answer_fault("it is cut off in the middle of a line".into()));
    }
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let (mut table, mut rows, mut line_before) = (Table::default(), Vec::new(), 0);
    for record in reader.records() {
        let record = record.map_err(|cause| answer_fault(cause.to_string()))?;
        let line = record.position().map_or(0, ::csv::Position::line);
        // The reader passes over the empty line that ends a table.
        if line > line_before + 1 && !table.is_new() {
            table = Table::default();
        }
        line_before = line + lines_within(&record);
        if let Some(row) = table.take(&record)? {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Line breaks inside quoted cells.
fn lines_within(record: &::csv::StringRecord) -> u64 {
    record.iter().map(|cell| cell.matches('\n').count() as u64).sum()
}

/// Annotations and header of the table that is being read.
#[derive(Default)]
struct Table {
    defaults: Vec<String>,
    columns: Vec<String>,
}

impl Table {
    fn is_new(&self) -> bool {
        self.defaults.is_empty() && self.columns.is_empty()
    }

    fn take(&mut self, record: &::csv::StringRecord) -> Result<Option<Row>, SeriesError> {
        let first = record.get(0).unwrap_or_default();
        let cells = || record.iter().map(str::to_owned).collect::<Vec<_>>();
        if first.starts_with('#') {
            // Annotations after rows begin a table as well.
            if !self.columns.is_empty() {
                *self = Self::default();
            }
            if first == "#default" {
                self.defaults = cells();
            }
            return Ok(None);
        }
        if self.columns.is_empty() {
            self.columns = cells();
            let has = |name: &str| self.columns.iter().any(|column| column == name);
            // A page of a proxy must not pass for a table without rows.
            if !(has("error") || has("result") && has("table")) {
                let seen: String = record.iter().collect::<Vec<_>>().join(",").chars().take(60).collect();
                return Err(answer_fault(format!("it is no annotated CSV, it begins a table with {seen:?}")));
            }
            return Ok(None);
        }
        let row = self.row(record);
        match row.get("error") {
            Some(error) => Err(answer_fault(format!("the server stopped with: {error}"))),
            None if record.len() != self.columns.len() => {
                Err(answer_fault(format!("a row has {} cells, its table {}", record.len(), self.columns.len())))
            }
            None => Ok(Some(row)),
        }
    }

    fn row(&self, record: &::csv::StringRecord) -> Row {
        let default = |place: usize| self.defaults.get(place).map_or("", String::as_str);
        let cells = self.columns.iter().zip(record).enumerate().filter_map(|(place, (column, cell))| {
            let cell = if cell.is_empty() { default(place) } else { cell };
            (!cell.is_empty() && !column.is_empty()).then(|| (column.clone(), cell.to_owned()))
        });
        Row { cells: cells.collect() }
    }
}
