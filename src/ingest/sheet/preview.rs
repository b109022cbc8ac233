//! From rows to readings: what a table would bring, before anything is kept.
//!
//! A row is whole: if one of its values cannot be taken, none of it is, and the row is named with the column and the reason.

use super::book::{Book, Row};
use super::cell::{Cell, Moment, join, plain};
use super::header::{Column, Header, Role, SeriesColumn, letter, quantity_of};
use super::rain::accumulate;
use crate::ingest::offer::{Offer, Targets, check, reading_of};
use crate::model::{Reading, SeriesId, Timestamp};
use crate::store::series::{SeriesError, SeriesStore};
use std::collections::{BTreeMap, BTreeSet};

/// Rows without a value that a note names.
const VALUELESS_NAMED: usize = 10;

/// A station by all its names.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Id as in series.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Code of the hydrological service, empty where it has none.
    pub code: String,
}

/// The stations and series of the reach.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Stations.
    pub stations: Vec<Place>,
    /// Series that may be written to.
    pub targets: Targets,
}

impl Places {
    /// The station of a name, id or code; a word 站 behind a name is no other name.
    pub fn of(&self, text: &str) -> Option<&str> {
        let text = plain(text);
        let name = text.strip_suffix("水文站").or_else(|| text.strip_suffix('站')).unwrap_or(&text);
        let is = |place: &&Place| {
            place.id == text
                || place.name_zh == name
                || place.name_zh == text
                || place.name_en.eq_ignore_ascii_case(&text)
                || (!place.code.is_empty() && place.code == text)
        };
        self.stations.iter().find(is).map(|place| place.id.as_str())
    }
    /// The one station that a title speaks of; of two names the longer one, which holds the other.
    pub(super) fn within(&self, text: &str) -> Option<&str> {
        let text = plain(text);
        let spoken = self.stations.iter().filter(|place| text.contains(&place.name_zh));
        spoken.max_by_key(|place| place.name_zh.len()).map(|place| place.id.as_str())
    }
    /// A header without its station.
    pub(super) fn split(&self, header: &str) -> (Option<&str>, String) {
        let names = self.stations.iter().flat_map(|place| [(&place.name_zh, &place.id), (&place.id, &place.id)]);
        let found = names.filter(|(name, _)| header.starts_with(name.as_str())).max_by_key(|(name, _)| name.len());
        match found {
            Some((name, id)) => (Some(id), header.get(name.len()..).unwrap_or_default().to_owned()),
            None => (None, header.to_owned()),
        }
    }
    fn name(&self, id: &str) -> String {
        self.stations.iter().find(|place| place.id == id).map_or_else(|| id.to_owned(), |place| place.name_zh.clone())
    }
}

/// What the person adds to the file.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// Station of a table that names none.
    pub station: Option<String>,
    /// Datum of stages that name none.
    pub datum: Option<String>,
    /// Sheet of a workbook.
    pub sheet: Option<String>,
    /// Datum of each station as ST_STBPRP_B has it: a word, or why its stages cannot be taken.
    pub datums: BTreeMap<String, Result<String, String>>,
}

/// A row that is not taken.
#[derive(Debug, Clone, PartialEq)]
pub struct CellFault {
    /// As the spreadsheet counts, from 1.
    pub row: usize,
    /// `A`, `B`, …; empty for the whole row.
    pub column: String,
    /// What stands above the column.
    pub header: String,
    /// Why, in the two languages.
    pub reason: String,
}

/// A value with the place that it stands at.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) offer: Offer,
    pub(super) of_period: bool,
    row: usize,
    column: usize,
}

/// What a table would bring.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preview {
    /// `CSV, GBK`, `XLSX, Sheet1`.
    pub kind: String,
    /// Sheets that were not read.
    pub other_sheets: Vec<String>,
    /// Row of the header, from 1.
    pub header_row: usize,
    /// Columns as understood.
    pub columns: Vec<Column>,
    /// Rows with something in them: titles, header and all others.
    pub rows: usize,
    /// Rows above the header, the header, its units, and where it is repeated.
    pub rows_header: usize,
    /// Rows that are taken.
    pub rows_ok: usize,
    /// Rows that are not.
    pub rows_bad: usize,
    /// Rows that say that there is no value.
    pub rows_without_value: usize,
    /// Cells that say so in rows that are taken.
    pub cells_without_value: usize,
    /// Readings already stored with the same value.
    pub known: usize,
    /// Each row that is not taken, by its first fault.
    pub faults: Vec<CellFault>,
    /// What the person should know, in the two languages.
    pub notes: Vec<String>,
    /// What would be kept, by series and time.
    pub readings: Vec<Reading>,
}

/// What a table would bring: rows read, checked against the series and the store.
///
/// # Errors
/// When the store cannot be read. A table without a header that can be understood is a preview with a fault.
pub async fn preview(
    book: &Book,
    places: &Places,
    ask: &Ask,
    store: &dyn SeriesStore,
    now: Timestamp,
) -> Result<Preview, SeriesError> {
    let mut preview = Preview {
        kind: book.kind.clone(),
        other_sheets: book.other_sheets.clone(),
        rows: book.rows.len(),
        ..Preview::default()
    };
    let Some(header) = Header::find(&book.rows, &book.kind, places) else {
        preview.rows_bad = book.rows.len();
        let reason = "前 20 行中没有可识别的表头：需要时间列和水位、流量、雨量等要素列 (no header found: a time column and columns of values are needed)";
        preview.faults.push(CellFault { row: 1, column: String::new(), header: String::new(), reason: reason.into() });
        return Ok(preview);
    };
    let mut reader = RowReader { places, ask, header: &header, now, undated: BTreeSet::new() };
    let below = header.rows_below(&book.rows);
    preview.header_row = book.rows.get(header.index).map_or(0, |row| row.number);
    preview.rows_header = header.index + 1 + below;
    let (mut found, mut valueless) = (Vec::new(), Vec::new());
    for row in book.rows.iter().skip(header.index + 1 + below) {
        if reader.is_header_again(row, book.rows.get(header.index)) {
            preview.rows_header += 1;
            continue;
        }
        match reader.read(row) {
            Err(fault) => preview.faults.push(fault),
            Ok((values, _)) if values.is_empty() => valueless.push(row.number),
            Ok((values, empty)) => {
                preview.rows_ok += 1;
                preview.cells_without_value += empty;
                found.extend(values);
            }
        }
    }
    preview.rows_bad = preview.faults.len();
    preview.rows_without_value = valueless.len();
    preview.notes.extend(valueless_note(&valueless));
    reader.note(&mut preview);
    settle(&mut preview, found, &header, places, store, now).await?;
    preview.columns = header.columns;
    Ok(preview)
}

/// Which rows hold a time and no value: empty cells, `NaN` or a logger's mark. `None` where there are none.
fn valueless_note(rows: &[usize]) -> Option<String> {
    let named: Vec<String> = rows.iter().take(VALUELESS_NAMED).map(ToString::to_string).collect();
    let more = if rows.len() > VALUELESS_NAMED { "、…" } else { "" };
    let (count, named) = (rows.len(), named.join("、"));
    (count > 0).then(|| {
        format!("{count} 行没有值（空、NaN 或无值标记），不导入：第 {named}{more} 行 ({count} rows hold no value and bring nothing)")
    })
}

/// Rain amounts into counters, then the check against each other and the store; a row with one refused value goes as a whole.
async fn settle(
    preview: &mut Preview,
    mut found: Vec<Found>,
    header: &Header,
    places: &Places,
    store: &dyn SeriesStore,
    now: Timestamp,
) -> Result<(), SeriesError> {
    let mut refused: BTreeMap<usize, CellFault> = BTreeMap::new();
    let mut refuse = |one: &Found, reason: String| {
        let title = header.columns.get(one.column).map_or_else(String::new, |column| column.header.clone());
        let fault = CellFault { row: one.row, column: letter(one.column), header: title, reason };
        refused.entry(one.row).or_insert(fault);
    };
    if found.iter().any(|one| one.of_period) {
        let newest = store.latest().await?.into_iter().map(|(series, sample)| (series, (sample.at, sample.value)));
        for (index, reason) in accumulate(&mut found, &newest.collect()) {
            if let Some(one) = found.get(index) {
                refuse(one, reason);
            }
        }
        preview.notes.push("雨量按时段量处理，累加为累计雨量；累计值请写表头“累计雨量” (rain is taken as amounts of periods and added up; head counters 累计雨量)".into());
    }
    let offers: Vec<_> = found.iter().map(|one| one.offer.clone()).collect();
    let checked = check(&offers, &places.targets, store, now).await?;
    for (index, fault) in &checked.refused {
        if let Some(one) = found.get(*index) {
            refuse(one, fault.to_string());
        }
    }
    preview.known = checked.known;
    let good = checked
        .fresh
        .into_iter()
        .filter(|(index, _)| found.get(*index).is_some_and(|one| !refused.contains_key(&one.row)));
    preview.readings = good.map(|(_, reading)| reading).collect();
    preview.readings.sort_by(|a, b| (&a.series, a.observed_at).cmp(&(&b.series, b.observed_at)));
    preview.rows_ok -= refused.len();
    preview.rows_bad += refused.len();
    preview.faults.extend(refused.into_values());
    preview.faults.sort_by_key(|fault| fault.row);
    Ok(())
}

struct RowReader<'a> {
    places: &'a Places,
    ask: &'a Ask,
    header: &'a Header,
    now: Timestamp,
    /// Stage series whose datum nobody stated.
    undated: BTreeSet<String>,
}

impl RowReader<'_> {
    fn is_header_again(&self, row: &Row, header: Option<&Row>) -> bool {
        header.is_some_and(|header| header.cells == row.cells)
    }

    /// The values of a row and how many of its cells say that there is none.
    fn read(&mut self, row: &Row) -> Result<(Vec<Found>, usize), CellFault> {
        let fault = |column: Option<usize>, reason: String| CellFault {
            row: row.number,
            column: column.map_or_else(String::new, letter),
            header: column.and_then(|at| self.header.columns.get(at)).map_or_else(String::new, |c| c.header.clone()),
            reason,
        };
        if row.cells.len() > self.header.columns.len() {
            let words = "单元格多于表头：千分位逗号未加引号？ (more cells than the header: a thousands separator without quotes?)";
            return Err(fault(Some(self.header.columns.len()), words.into()));
        }
        let cell = |at: usize| row.cells.get(at).unwrap_or(&Cell::Empty);
        let of = |role: Role| self.header.columns.iter().position(|column| column.role == role);
        let values: Vec<_> = self.values_of(row, of(Role::Quantity), of(Role::Value), &fault)?;
        let (empty, values): (Vec<_>, Vec<_>) = values.into_iter().partition(|(at, _)| cell(*at).says_none());
        if values.is_empty() {
            return Ok((Vec::new(), empty.len()));
        }
        let (at, time_column) = self.moment(row).map_err(|(column, reason)| fault(column, reason))?;
        let spoken = self.station(row).map_err(|(column, reason)| fault(Some(column), reason))?;
        let mut found = Vec::new();
        for (column, series) in values {
            let station = series.station.as_ref().or(spoken.as_ref()).or(self.header.station.as_ref());
            let station = station.or(self.ask.station.as_ref());
            let none = || fault(None, "没有测站：表中、标题中都未写，导入时也未指定 (no station is named)".into());
            let station = station.ok_or_else(none)?.clone();
            let (value, own_unit) = cell(column).number().map_err(|reason| fault(Some(column), reason))?;
            let text = |role: Role| of(role).map(|at| cell(at).text()).filter(|text| !text.is_empty());
            let id = format!("{station}.{}", series.quantity);
            let datum =
                self.datum(&station, &series, text(Role::Datum), &id).map_err(|why| fault(Some(column), why))?;
            let mut offer = Offer {
                series: id,
                at,
                value: Some(value),
                unit: own_unit.or(series.unit).or(text(Role::Unit)),
                datum,
            };
            let reading = reading_of(&offer, &self.places.targets, self.now);
            let reading = reading.map_err(|why| {
                let at = if why.field() == "time" { time_column } else { column };
                fault(Some(at), why.to_string())
            })?;
            // From here on in the unit of the series.
            (offer.value, offer.unit, offer.datum) = (Some(reading.value), None, None);
            found.push(Found { offer, of_period: series.of_period, row: row.number, column });
        }
        Ok((found, empty.len()))
    }

    /// The columns of values of a row: those of the wide form, or the one that the row itself names.
    fn values_of(
        &self,
        row: &Row,
        quantity: Option<usize>,
        value: Option<usize>,
        fault: &impl Fn(Option<usize>, String) -> CellFault,
    ) -> Result<Vec<(usize, SeriesColumn)>, CellFault> {
        let wide = self.header.columns.iter().enumerate().filter_map(|(at, column)| match &column.role {
            Role::Series(series) => Some((at, series.clone())),
            _ => None,
        });
        let mut values: Vec<_> = wide.collect();
        if let Some(value) = value {
            let at = quantity.unwrap_or(value);
            let word = row.cells.get(at).map(Cell::text).unwrap_or_default();
            let word = plain(&word).to_lowercase();
            let known = quantity.and_then(|_| quantity_of(&word, self.places));
            let (quantity, of_period) =
                known.ok_or_else(|| fault(Some(at), format!("未知要素 {word:?} (unknown quantity)")))?;
            let series = SeriesColumn { station: None, quantity, unit: None, datum: None, of_period };
            values.push((value, series));
        }
        Ok(values)
    }

    /// All columns of time together: one whole moment, or a day and an hour.
    fn moment(&self, row: &Row) -> Result<(Timestamp, usize), (Option<usize>, String)> {
        let (mut day, mut clock) = (None, None);
        let columns: Vec<_> = (0..self.header.columns.len())
            .filter(|at| self.header.columns.get(*at).is_some_and(|column| column.role == Role::Time))
            .collect();
        let first = columns.first().copied().unwrap_or(0);
        for at in columns {
            let cell = row.cells.get(at).unwrap_or(&Cell::Empty);
            match cell.moment().map_err(|reason| (Some(at), reason))? {
                Moment::At(moment) => return Ok((moment, at)),
                Moment::Day(date) => day = Some(date),
                Moment::Clock(seconds) => clock = Some(seconds),
            }
        }
        let joined = match (day, clock) {
            (Some(day), Some(clock)) => join(day, clock).ok_or("时间不存在 (there is no such time)"),
            // Only a whole moment is one: a date alone may be 00:00 or 08:00.
            (Some(_), None) => {
                Err("只有日期，没有时刻；零点请写 00:00 (a date without an hour; write 00:00 for midnight)")
            }
            _ => Err("只有时刻，没有日期 (an hour without a date)"),
        };
        joined.map(|at| (at, first)).map_err(|reason| (Some(first), reason.into()))
    }

    fn station(&self, row: &Row) -> Result<Option<String>, (usize, String)> {
        let columns = self.header.columns.iter().enumerate().filter(|(_, column)| column.role == Role::Station);
        let mut found: Option<String> = None;
        for (at, _) in columns {
            let text = row.cells.get(at).map(Cell::text).unwrap_or_default();
            if text.is_empty() {
                continue;
            }
            let id = self.places.of(&text).ok_or_else(|| (at, format!("未知测站 {text} (unknown station)")))?;
            if found.as_deref().is_some_and(|other| other != id) {
                return Err((at, format!("站名与站码不是同一测站：{text} (name and code are of two stations)")));
            }
            found = Some(id.to_owned());
        }
        Ok(found)
    }

    /// The datum that the value is stated in; a table of SL 323 must have one for its stages.
    fn datum(
        &mut self,
        station: &str,
        series: &SeriesColumn,
        of_row: Option<String>,
        id: &str,
    ) -> Result<Option<String>, String> {
        let target = self.places.targets.get(&SeriesId::new(id));
        if target.is_none_or(|target| target.datum.is_none()) {
            return Ok(None);
        }
        if let Some(known) = self.ask.datums.get(station) {
            return known.clone().map(Some);
        }
        let stated = series.datum.clone().or(of_row).or_else(|| self.ask.datum.clone());
        if stated.is_some() {
            return Ok(stated);
        }
        if self.header.is_sl323 {
            return Err(
                "SL 323 表的水位须知基面：请附 ST_STBPRP_B 或注明基面 (state the datum, or add ST_STBPRP_B)".into()
            );
        }
        self.undated.insert(id.to_owned());
        Ok(None)
    }

    fn note(&self, preview: &mut Preview) {
        for id in &self.undated {
            let series = SeriesId::new(id);
            let datum = self.places.targets.get(&series).and_then(|target| target.datum);
            if let Some(datum) = datum {
                let name = self.places.name(series.station());
                preview.notes.push(format!(
                    "{name}水位未注明基面，按本序列基面 {datum} 计 (no datum is stated: taken as {datum})"
                ));
            }
        }
        let unread =
            self.header.columns.iter().filter(|column| column.role == Role::Unknown && !column.header.is_empty());
        let unread: Vec<_> = unread.map(|column| column.header.as_str()).collect();
        if !unread.is_empty() {
            preview.notes.push(format!("未识别、未读取的列：{} (columns not read)", unread.join("、")));
        }
        if !preview.other_sheets.is_empty() {
            preview.notes.push(format!("未读取的工作表：{} (sheets not read)", preview.other_sheets.join("、")));
        }
        preview.notes.push("时间按北京时间 Asia/Shanghai（UTC+08:00）(times are Beijing time)".into());
    }
}

#[cfg(test)]
#[path = "preview_tests.rs"]
pub(super) mod tests;
