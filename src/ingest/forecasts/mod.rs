//! Files of forecasts made elsewhere: weather by area, discharge or stage at a station, planned releases of a reservoir.
//!
//! In: the bytes of a CSV, XLSX or JSON file, and what its sender says of all of it. Out: a [`ForecastFile`]: checked forecasts, and
//! every fault by row and column or by path. Nothing is kept here, and nothing is guessed: no unit, no issue time, no datum.

mod json;
mod table;
#[cfg(test)]
mod tests;

use super::sheet::{Book, Places, SheetError};
use super::units::convert;
use crate::forecast::{ForecastVariable, ImportedFault, ImportedForecast, ImportedMember};
use crate::model::{Datum, Timestamp};
use chrono::TimeDelta;

/// Most forecasts of one file.
pub const FORECASTS_MAX: usize = 500;
/// Most faults that are told of one file; the reader stops there.
pub const FAULTS_MAX: usize = 200;
/// An issue this far ahead of the clock is a wrong date.
const ISSUED_AHEAD_MAX: TimeDelta = TimeDelta::minutes(15);
/// The member of a file that names none.
const ALONE: &str = "control";

/// What the sender says of the whole file; what the file says itself goes first.
#[derive(Debug, Clone, Default)]
pub struct ForecastAsk {
    /// Who issued it.
    pub source: Option<String>,
    /// When it was issued.
    pub issued_at: Option<Timestamp>,
    /// What it is of.
    pub variable: Option<ForecastVariable>,
    /// Station or area.
    pub area: Option<String>,
    /// Reference surface of stages.
    pub datum: Option<Datum>,
    /// Sheet of a workbook.
    pub sheet: Option<String>,
}

/// Something in the file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForecastFault {
    /// Row of a table, from 1.
    pub row: Option<usize>,
    /// Column of a table: `A`.
    pub column: Option<String>,
    /// Path in JSON: `[0].members[2].points[5]`, counted from 0.
    pub path: Option<String>,
    /// `source`, `issued_at`, `variable`, `area`, `datum`, `unit`, `members`, `time`, `value`, `file`.
    pub field: &'static str,
    /// Why, in the two languages.
    pub reason: String,
}

impl ForecastFault {
    /// Where it is, for people.
    pub fn place(&self) -> String {
        match (&self.row, &self.column, &self.path) {
            (Some(row), Some(column), _) => format!("第 {row} 行 {column} 列 (row {row})"),
            (Some(row), None, _) => format!("第 {row} 行 (row {row})"),
            (None, _, Some(path)) => path.clone(),
            (None, ..) => "文件 (file)".into(),
        }
    }
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastFile {
    /// `CSV, GBK`, `JSON`, ….
    pub kind: String,
    /// The forecasts; only to be kept when there is no fault.
    pub forecasts: Vec<ImportedForecast>,
    /// What cannot be used.
    pub faults: Vec<ForecastFault>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Where a thing stood in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Spot {
    Cell { row: usize, column: Option<String> },
    Path(String),
}

impl Spot {
    fn fault(&self, field: &'static str, reason: impl Into<String>) -> ForecastFault {
        let (row, column, path) = match self {
            Self::Cell { row, column } => (Some(*row), column.clone(), None),
            Self::Path(path) => (None, None, Some(path.clone())),
        };
        ForecastFault { row, column, path, field, reason: reason.into() }
    }
}

/// One forecast as it stood in the file, with the spot of everything that a check may object to.
struct Draft {
    source: String,
    issued_at: Timestamp,
    variable: ForecastVariable,
    area: String,
    datum: Option<Datum>,
    spot: Spot,
    members: Vec<DraftMember>,
}

struct DraftMember {
    id: String,
    spot: Spot,
    points: Vec<(Timestamp, f64)>,
    /// One for each point.
    spots: Vec<Spot>,
}

/// Reads a file; `places` turns the names of stations into ids, `now` is the clock of the reach.
///
/// # Errors
/// What is neither a table nor JSON, or is too large. Everything else is a fault of the file, told with its place.
pub fn read(bytes: &[u8], ask: &ForecastAsk, places: &Places, now: Timestamp) -> Result<ForecastFile, SheetError> {
    let (kind, mut found) = match bytes.trim_ascii_start().first() {
        Some(b'{' | b'[') => {
            if bytes.len() > super::sheet::FILE_MAX {
                return Err(SheetError::TooLarge);
            }
            ("JSON".to_owned(), json::drafts(bytes, ask))
        }
        _ => {
            let book = Book::read(bytes, ask.sheet.as_deref())?;
            (book.kind.clone(), table::drafts(&book, ask))
        }
    };
    let mut forecasts = Vec::with_capacity(found.drafts.len());
    for mut draft in found.drafts {
        if let Some(id) = places.of(&draft.area) {
            draft.area = id.to_owned();
        }
        match draft.checked(now) {
            Ok(forecast) => forecasts.push(forecast),
            Err(fault) => found.faults.push(fault),
        }
    }
    if forecasts.is_empty() && found.faults.is_empty() {
        let reason = "文件中没有预报 (there is no forecast in the file)".to_owned();
        found.faults.push(ForecastFault { row: None, column: None, path: None, field: "file", reason });
    }
    found.faults.truncate(FAULTS_MAX);
    Ok(ForecastFile { kind, forecasts, faults: found.faults, notes: found.notes })
}

/// What a reader of one form finds.
#[derive(Default)]
struct Found {
    drafts: Vec<Draft>,
    faults: Vec<ForecastFault>,
    notes: Vec<String>,
}

impl Draft {
    fn checked(self, now: Timestamp) -> Result<ImportedForecast, ForecastFault> {
        if self.issued_at > now + ISSUED_AHEAD_MAX {
            let words = format!("发布时间 {} 晚于现在 {now} (issued after now)", self.issued_at);
            return Err(self.spot.fault("issued_at", words));
        }
        let members =
            self.members.iter().map(|member| ImportedMember { id: member.id.clone(), points: member.points.clone() });
        let forecast = ImportedForecast {
            source: self.source.clone(),
            issued_at: self.issued_at,
            variable: self.variable,
            area: self.area.clone(),
            datum: self.datum,
            members: members.collect(),
        };
        forecast.checked().map_err(|fault| {
            let (field, spot) = self.place_of(&fault);
            spot.fault(field, fault.to_string())
        })
    }

    /// Where in the file a check objects.
    fn place_of(&self, fault: &ImportedFault) -> (&'static str, &Spot) {
        let member = |id: &str| self.members.iter().find(|member| member.id == id);
        let point = |id: &str, point: usize| {
            let member = member(id);
            member.and_then(|member| member.spots.get(point.saturating_sub(1))).unwrap_or(&self.spot)
        };
        match fault {
            ImportedFault::Name { field } => (if *field == "member" { "members" } else { field }, &self.spot),
            ImportedFault::Datum => ("datum", &self.spot),
            ImportedFault::Members(_) => ("members", &self.spot),
            ImportedFault::Twice(id) => ("members", {
                let again = self.members.iter().rfind(|member| member.id == *id);
                again.map_or(&self.spot, |member| &member.spot)
            }),
            ImportedFault::Points { member: id, .. } => ("members", member(id).map_or(&self.spot, |one| &one.spot)),
            ImportedFault::NotRising { member, point: at } | ImportedFault::OffTime { member, point: at } => {
                ("time", point(member, *at))
            }
            ImportedFault::Value { member, point: at, .. } | ImportedFault::Impossible { member, point: at, .. } => {
                ("value", point(member, *at))
            }
        }
    }
}

/// A value in the unit of its variable.
fn in_unit(value: f64, unit: Option<&str>, variable: ForecastVariable) -> Result<f64, String> {
    match unit {
        Some(unit) => convert(value, unit, variable.unit()).map_err(|fault| fault.to_string()),
        None => Ok(value),
    }
}

/// The variable of a word in a file: `release`, 计划出库, ….
pub fn variable_of(word: &str) -> Option<ForecastVariable> {
    let word = word.trim().to_lowercase();
    let known = match word.as_str() {
        "流量" | "预报流量" => ForecastVariable::Discharge,
        "水位" | "预报水位" => ForecastVariable::Stage,
        "雨量" | "降雨" | "降雨量" | "降水" | "降水量" | "预报雨量" | "precipitation" => {
            ForecastVariable::Rain
        }
        "风速" => ForecastVariable::Wind,
        "计划出库" | "出库" | "出库流量" | "计划出库流量" | "下泄流量" | "计划下泄" | "下泄" | "outflow" => {
            ForecastVariable::Release
        }
        other => return ForecastVariable::from_word(other),
    };
    Some(known)
}
