//! A table: one point a row. Columns that it lacks are said for the whole file; columns that nobody knows are named and passed over.

use super::{ALONE, Draft, DraftMember, FAULTS_MAX, FORECASTS_MAX, ForecastAsk, ForecastFault, Found, Spot};
use crate::forecast::ForecastVariable;
use crate::ingest::sheet::{Book, Cell, Moment, letter};
use crate::ingest::units::datum_of;
use crate::model::{Datum, Timestamp};
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use std::collections::BTreeMap;

/// The header stands within so many rows.
const HEADER_WITHIN: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Source,
    Issued,
    Variable,
    Area,
    Datum,
    Member,
    Time,
    Value,
    Unit,
}

impl Role {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "source" | "来源" | "发布单位" | "发布机构" => Self::Source,
            "issued_at" | "issued" | "发布时间" | "起报时间" | "制作时间" => Self::Issued,
            "variable" | "要素" | "项目" => Self::Variable,
            "area" | "station" | "区域" | "测站" | "站名" | "站码" | "水库" | "断面" => Self::Area,
            "datum" | "基面" => Self::Datum,
            "member" | "成员" => Self::Member,
            "time" | "valid_time" | "时间" | "时刻" | "预报时刻" => Self::Time,
            "value" | "值" | "数值" | "预报值" => Self::Value,
            "unit" | "单位" => Self::Unit,
            _ => return None,
        })
    }
}

/// What the columns are.
#[derive(Default)]
struct Header {
    columns: BTreeMap<Role, usize>,
    /// A value column headed by its variable: 计划出库(m3/s).
    variable: Option<ForecastVariable>,
    unit: Option<String>,
    unknown: Vec<String>,
    twice: Option<(usize, String)>,
}

impl Header {
    fn of(cells: &[Cell]) -> Option<Self> {
        let mut header = Self::default();
        for (index, cell) in cells.iter().enumerate() {
            let text = cell.text();
            let (word, unit) = cut_unit(&text);
            let (role, variable) = match (Role::of(&word), super::variable_of(&word)) {
                (Some(role), _) => (role, None),
                (None, Some(variable)) => (Role::Value, Some(variable)),
                (None, None) => {
                    header.unknown.extend((!text.is_empty()).then(|| format!("{} {text}", letter(index))));
                    continue;
                }
            };
            if header.columns.insert(role, index).is_some() {
                header.twice = Some((index, text.clone()));
            }
            if role == Role::Value {
                (header.variable, header.unit) = (variable, unit);
            }
        }
        let known = header.columns.contains_key(&Role::Time) && header.columns.contains_key(&Role::Value);
        known.then_some(header)
    }
}

/// `流量(m3/s)` is a word and a unit.
fn cut_unit(text: &str) -> (String, Option<String>) {
    let text = text.trim().to_lowercase();
    let cut = text.find(['(', '（']).and_then(|at| Some((text.get(..at)?, text.get(at..)?)));
    match cut {
        Some((word, unit)) => {
            let unit = unit.trim_matches(['(', '（', ')', '）', ' ']);
            (word.trim().to_owned(), (!unit.is_empty()).then(|| unit.to_owned()))
        }
        None => (text, None),
    }
}

type Key = (String, Timestamp, ForecastVariable, String, Option<Datum>);

pub(super) fn drafts(book: &Book, ask: &ForecastAsk) -> Found {
    let mut found = Found::default();
    let mut rows = book.cells();
    let header = rows.by_ref().take(HEADER_WITHIN).find_map(|(row, cells)| Some((row, Header::of(cells)?)));
    let Some((at, header)) = header else {
        let reason = "没有表头：至少须有“时间”和“值”两列 (no header: a column `time` and a column `value` are needed)";
        found.faults.push(Spot::Cell { row: 1, column: None }.fault("file", reason));
        return found;
    };
    if let Some((index, text)) = &header.twice {
        let spot = Spot::Cell { row: at, column: Some(letter(*index)) };
        found.faults.push(spot.fault("file", format!("列 {text:?} 出现两次 (this column is there twice)")));
        return found;
    }
    if !header.unknown.is_empty() {
        found.notes.push(format!("不读的列：{} (columns that are not read)", header.unknown.join("、")));
    }
    if !book.other_sheets.is_empty() {
        found.notes.push(format!("未读的工作表：{} (sheets that were not read)", book.other_sheets.join("、")));
    }
    // In the order of the file; the members of a forecast too.
    let (mut order, mut drafts): (Vec<Key>, BTreeMap<Key, Draft>) = (Vec::new(), BTreeMap::new());
    for (row, cells) in rows {
        match (Line { row, cells, header: &header, ask }).read() {
            Ok((key, member, time, value, spot)) => {
                if !drafts.contains_key(&key) {
                    order.push(key.clone());
                }
                let draft = drafts.entry(key.clone()).or_insert_with(|| {
                    let (source, issued_at, variable, area, datum) = key;
                    let spot = Spot::Cell { row, column: None };
                    Draft { source, issued_at, variable, area, datum, spot, members: Vec::new() }
                });
                draft.add(member, time, value, spot);
            }
            Err(faults) => found.faults.extend(faults),
        }
        if found.faults.len() >= FAULTS_MAX {
            break;
        }
        if order.len() > FORECASTS_MAX {
            let reason = format!("一个文件最多 {FORECASTS_MAX} 份预报 (at most {FORECASTS_MAX} forecasts a file)");
            found.faults.push(Spot::Cell { row, column: None }.fault("file", reason));
            break;
        }
    }
    found.drafts = order.iter().filter_map(|key| drafts.remove(key)).collect();
    found
}

impl Draft {
    fn add(&mut self, member: String, time: Timestamp, value: f64, spot: Spot) {
        // Rows of a member mostly stand together: its last one is looked at first.
        let index = self.members.iter().rposition(|one| one.id == member);
        let index = index.unwrap_or_else(|| {
            self.members.push(DraftMember { id: member, spot: spot.clone(), points: vec![], spots: vec![] });
            self.members.len() - 1
        });
        if let Some(one) = self.members.get_mut(index) {
            one.points.push((time, value));
            one.spots.push(spot);
        }
    }
}

/// One row with what is needed to read it.
struct Line<'a> {
    row: usize,
    cells: &'a [Cell],
    header: &'a Header,
    ask: &'a ForecastAsk,
}

type Read = (Key, String, Timestamp, f64, Spot);

impl Line<'_> {
    fn cell(&self, role: Role) -> Option<&Cell> {
        self.cells.get(*self.header.columns.get(&role)?).filter(|cell| **cell != Cell::Empty)
    }
    fn text(&self, role: Role) -> Option<String> {
        self.cell(role).map(Cell::text)
    }
    fn spot(&self, role: Role) -> Spot {
        Spot::Cell { row: self.row, column: self.header.columns.get(&role).map(|index| letter(*index)) }
    }
    fn missing(&self, role: Role, field: &'static str) -> ForecastFault {
        self.spot(role).fault(field, format!("缺少 {field}：表中没有，也没有另行说明 (`{field}` is missing)"))
    }

    fn read(&self) -> Result<Read, Vec<ForecastFault>> {
        let source = self.text(Role::Source).or_else(|| self.ask.source.clone());
        let source = source.ok_or_else(|| self.missing(Role::Source, "source"));
        let area = self.text(Role::Area).or_else(|| self.ask.area.clone());
        let area = area.ok_or_else(|| self.missing(Role::Area, "area"));
        let issued = match self.cell(Role::Issued) {
            Some(cell) => moment(cell).map_err(|reason| self.spot(Role::Issued).fault("issued_at", reason)),
            None => self.ask.issued_at.ok_or_else(|| self.missing(Role::Issued, "issued_at")),
        };
        let variable = match self.text(Role::Variable) {
            Some(word) => super::variable_of(&word).ok_or_else(|| {
                self.spot(Role::Variable).fault("variable", format!("不认识要素 {word:?} (unknown variable)"))
            }),
            None => {
                let known = self.header.variable.or(self.ask.variable);
                known.ok_or_else(|| self.missing(Role::Variable, "variable"))
            }
        };
        let datum = match self.text(Role::Datum) {
            Some(word) => datum_of(&word)
                .map(Some)
                .ok_or_else(|| self.spot(Role::Datum).fault("datum", format!("不认识基面 {word:?} (unknown datum)"))),
            None => Ok(self.ask.datum.filter(|_| variable == Ok(ForecastVariable::Stage))),
        };
        let time = match self.cell(Role::Time) {
            Some(cell) => moment(cell).map_err(|reason| self.spot(Role::Time).fault("time", reason)),
            None => Err(self.missing(Role::Time, "time")),
        };
        let value = match (self.cell(Role::Value), &variable) {
            (None, _) => Err(self.missing(Role::Value, "value")),
            (Some(cell), Ok(variable)) => self.value(cell, *variable),
            // Without the variable there is no unit to hold the number against.
            (Some(_), Err(_)) => Ok(0.0),
        };
        let member = self.text(Role::Member).unwrap_or_else(|| ALONE.to_owned());
        match (source, issued, variable, area, datum, time, value) {
            (Ok(source), Ok(issued), Ok(variable), Ok(area), Ok(datum), Ok(time), Ok(value)) => {
                Ok(((source, issued, variable, area, datum), member, time, value, self.spot(Role::Value)))
            }
            (source, issued, variable, area, datum, time, value) => {
                let faults =
                    [source.err(), issued.err(), variable.err(), area.err(), datum.err(), time.err(), value.err()];
                Err(faults.into_iter().flatten().collect())
            }
        }
    }

    fn value(&self, cell: &Cell, variable: ForecastVariable) -> Result<f64, ForecastFault> {
        let (value, own) = cell.number().map_err(|reason| self.spot(Role::Value).fault("value", reason))?;
        let unit = own.or_else(|| self.text(Role::Unit)).or_else(|| self.header.unit.clone());
        super::in_unit(value, unit.as_deref(), variable).map_err(|reason| self.spot(Role::Value).fault("unit", reason))
    }
}

/// A whole moment. A date alone is one only where a spreadsheet keeps it so, for there midnight looks like that.
fn moment(cell: &Cell) -> Result<Timestamp, String> {
    match (cell.moment()?, cell) {
        (Moment::At(at), _) => Ok(at),
        (Moment::Day(day), Cell::Time(_) | Cell::Number(_)) => Ok(midnight(day)),
        (Moment::Day(day), _) => Err(format!("{day} 没有时分 (a date without an hour)")),
        (Moment::Clock(_), _) => Err("只有时刻，没有日期 (an hour without a date)".into()),
    }
}

/// 00:00 Beijing time.
fn midnight(day: NaiveDate) -> Timestamp {
    day.and_time(NaiveTime::MIN).and_utc() - TimeDelta::hours(8)
}
