//! What the columns of a table are: from the words that duty offices and hydrological databases put above them.

use super::Places;
use super::book::Row;
use super::cell::{Cell, plain};
use crate::ingest::units::{datum_of, is_unit};

/// Rows from the top in which a header is looked for: titles and notes stand above it.
const LOOK_AT: usize = 20;

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Role {
    /// A moment, a day or an hour; several such columns of a row together give one moment.
    Time,
    /// Name, id or code of the station.
    Station,
    /// Which quantity the value column of this row is (长表).
    Quantity,
    /// The value of this row.
    Value,
    /// Its unit.
    Unit,
    /// Its datum.
    Datum,
    /// Values of one quantity (宽表).
    Series(SeriesColumn),
    /// A remark or a running number: not read.
    Remark,
    /// Nobody knows: not read, and said so.
    Unknown,
}

/// A column of values.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesColumn {
    /// Station by its id, where the header says it.
    pub station: Option<String>,
    /// Quantity as in series ids.
    pub quantity: String,
    /// Unit in brackets, or in the row below the header.
    pub unit: Option<String>,
    /// Datum in brackets.
    pub datum: Option<String>,
    /// Rain of the period that ends at the row's moment, not a counter that only grows.
    pub of_period: bool,
}

/// A column with its header.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// `A`, `B`, … as spreadsheets say.
    pub letter: String,
    /// What stands above it.
    pub header: String,
    /// What it holds.
    pub role: Role,
}

/// Where the header lies and what it says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    /// Index of its row among the rows of the book.
    pub(super) index: usize,
    pub(super) columns: Vec<Column>,
    /// The one station that title and sheet name speak of.
    pub(super) station: Option<String>,
    /// A table of the real-time database (SL 323): STCD and TM.
    pub(super) is_sl323: bool,
}

impl Header {
    /// Finds the header.
    pub(super) fn find(rows: &[Row], kind: &str, places: &Places) -> Option<Self> {
        let index = rows.iter().take(LOOK_AT).position(|row| {
            let roles: Vec<_> = row.cells.iter().map(|cell| role_of(&cell.text(), places)).collect();
            let has = |role: &Role| roles.contains(role);
            let series = roles.iter().any(|role| matches!(role, Role::Series(_)));
            has(&Role::Time) && (series || (has(&Role::Value) && (has(&Role::Quantity) || has(&Role::Station))))
        })?;
        let row = rows.get(index)?;
        let above = index.checked_sub(1).and_then(|above| rows.get(above)).map(|row| spread(row, places));
        let mut columns: Vec<_> = row
            .cells
            .iter()
            .enumerate()
            .map(|(at, cell)| {
                let header = plain(&cell.text());
                let mut role = role_of(&header, places);
                let over = above.as_ref().and_then(|above| above.get(at)).cloned().flatten();
                if let (Role::Series(series), Some(over)) = (&mut role, over) {
                    series.station.get_or_insert(over);
                }
                Column { letter: letter(at), header, role }
            })
            .collect();
        let named = |name: &str| columns.iter().any(|column| column.header.eq_ignore_ascii_case(name));
        let is_sl323 = named("STCD") && named("TM");
        if let Some(below) = rows.get(index + 1).filter(|below| is_unit_row(below, &columns)) {
            take_units(&mut columns, below);
        }
        let title = rows.iter().take(index).flat_map(|row| row.cells.iter().map(Cell::text));
        let title: Vec<_> = title.chain([kind.to_owned()]).collect();
        let mut spoken: Vec<_> = title.iter().filter_map(|text| places.within(text)).collect();
        spoken.dedup();
        let station = match spoken.as_slice() {
            [one] => Some((*one).to_owned()),
            _ => None,
        };
        Some(Self { index, columns, station, is_sl323 })
    }

    /// Rows of the header below its first one: the row of units.
    pub(super) fn rows_below(&self, rows: &[Row]) -> usize {
        usize::from(rows.get(self.index + 1).is_some_and(|below| is_unit_row(below, &self.columns)))
    }
}

/// The stations of a row above the header; a merged cell that a CSV left empty belongs to the name on its left.
fn spread(row: &Row, places: &Places) -> Vec<Option<String>> {
    let mut last: Option<String> = None;
    let mut found = Vec::new();
    for cell in &row.cells {
        if *cell != Cell::Empty {
            last = places.of(&cell.text()).map(str::to_owned);
        }
        found.push(last.clone());
    }
    // The area of the last name ends where the row ends; a CSV may have cut its empty cells off.
    found.resize(super::COLUMNS_MAX, last);
    // One name alone above everything is a title.
    let mut names: Vec<_> = found.iter().flatten().collect();
    names.dedup();
    if names.len() < 2 { Vec::new() } else { found }
}

fn is_unit_row(row: &Row, columns: &[Column]) -> bool {
    let mut units = 0;
    for (column, cell) in columns.iter().zip(row.cells.iter().map(Some).chain(std::iter::repeat(None))) {
        let text = cell.map_or_else(String::new, Cell::text);
        let text = bare(&text);
        match &column.role {
            Role::Series(_) if is_unit(&text) => units += 1,
            Role::Series(_) if text.is_empty() => {}
            // 时间 stands again where the two rows are one merged cell.
            _ if text.is_empty() || text == "单位" || text == column.header => {}
            _ => return false,
        }
    }
    units > 0
}

fn take_units(columns: &mut [Column], row: &Row) {
    for (column, cell) in columns.iter_mut().zip(&row.cells) {
        let unit = bare(&cell.text());
        if let Role::Series(series) = &mut column.role
            && series.unit.is_none()
            && is_unit(&unit)
        {
            series.unit = Some(unit);
        }
    }
}

fn bare(text: &str) -> String {
    plain(text).trim_matches(['(', ')', '[', ']', ' ']).to_owned()
}

/// `A` … `Z`, `AA` ….
pub(crate) fn letter(index: usize) -> String {
    let (mut rest, mut letters) = (index + 1, Vec::new());
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or(0);
        letters.push(char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

fn role_of(header: &str, places: &Places) -> Role {
    let text = plain(header).to_lowercase().replace(char::is_whitespace, "");
    let (name, notes) = cut(&text);
    match name.as_str() {
        "时间" | "观测时间" | "日期时间" | "报汛时间" | "采集时间" | "数据时间" | "测时" | "日期" | "年月日" | "时"
        | "时刻" | "时分" | "小时" | "tm" | "time" | "datetime" | "timestamp" | "date" | "hour" => {
            return Role::Time;
        }
        "测站" | "站名" | "测站名称" | "测站编码" | "站码" | "站号" | "测站代码" | "stcd" | "stnm" | "station" =>
        {
            return Role::Station;
        }
        "要素" | "项目" | "监测项" | "quantity" | "variable" | "element" => return Role::Quantity,
        "值" | "数值" | "观测值" | "value" => return Role::Value,
        "单位" | "unit" => return Role::Unit,
        "基面" | "高程基准" | "datum" | "dtmnm" => return Role::Datum,
        "备注" | "说明" | "序号" | "编号" | "remark" | "remarks" | "note" | "no" | "no." | "id" => {
            return Role::Remark;
        }
        _ => {}
    }
    if let Some((series, _)) = places.targets.get_key_value(name.as_str()) {
        let column = SeriesColumn {
            station: Some(series.station().to_owned()),
            quantity: series.quantity().to_owned(),
            unit: None,
            datum: None,
            of_period: false,
        };
        return Role::Series(with_notes(column, &notes));
    }
    let (station, rest) = places.split(&name);
    let Some((quantity, of_period)) = quantity_of(&rest, places) else { return Role::Unknown };
    let column = SeriesColumn { station: station.map(str::to_owned), quantity, unit: None, datum: None, of_period };
    Role::Series(with_notes(column, &notes))
}

fn with_notes(mut column: SeriesColumn, notes: &[String]) -> SeriesColumn {
    for note in notes {
        if is_unit(note) {
            column.unit.get_or_insert_with(|| note.clone());
        } else if datum_of(note).is_some() || note.contains("基面") || note.contains("高程") {
            column.datum.get_or_insert_with(|| note.clone());
        }
    }
    column
}

/// `流量(m³/s)` is 流量 and a note, `水位/m` too.
fn cut(text: &str) -> (String, Vec<String>) {
    let (mut name, mut notes) = (text.to_owned(), Vec::new());
    while let Some((open, close)) =
        name.find(['(', '[']).zip(name.find([')', ']'])).filter(|(open, close)| open < close)
    {
        let inner = name.get(open + 1..close).unwrap_or_default().to_owned();
        notes.extend(inner.split([',', '、', ';', ':']).map(str::to_owned));
        name.replace_range(open..=close, "");
    }
    if let Some((head, unit)) = name.split_once('/').filter(|(_, unit)| is_unit(unit)) {
        notes.push(unit.to_owned());
        name = head.to_owned();
    }
    (name, notes)
}

/// The quantity of a word, and whether it is rain of a period.
pub(super) fn quantity_of(word: &str, places: &Places) -> Option<(String, bool)> {
    let word = word.trim_matches(['-', '_', '.', ' ', ':']).trim_start_matches('站');
    let known = match word {
        "水位" | "实时水位" | "库水位" | "z" | "rz" | "stage" | "waterlevel" => ("stage", false),
        "流量" | "实时流量" | "q" | "discharge" | "flow" => ("discharge", false),
        "累计雨量" | "累积雨量" | "累计降雨量" | "累计降水量" | "pt" => ("rain", false),
        "雨量" | "时段雨量" | "降雨量" | "降水量" | "时段降水量" | "小时雨量" | "drp" | "rain" => {
            ("rain", true)
        }
        "风速" => ("wind", false),
        "波高" | "浪高" => ("wave", false),
        "水温" => ("water_temperature", false),
        "入库流量" | "inq" => ("inflow", false),
        "出库流量" | "otq" => ("outflow", false),
        "蓄水量" | "w" => ("storage", false),
        other if places.targets.keys().any(|series| series.quantity() == other) => (other, false),
        _ => return None,
    };
    // A reservoir's outflow is the discharge of a station that has no other.
    let has = |quantity: &str| places.targets.keys().any(|series| series.quantity() == quantity);
    match known {
        ("outflow", _) if !has("outflow") => Some(("discharge".into(), false)),
        (quantity, _) if !has(quantity) => None,
        (quantity, of_period) => Some((quantity.to_owned(), of_period)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::sheet::preview::tests::places;

    #[test]
    fn headers_are_understood_as_duty_offices_write_them() {
        let check = |header: &str, expected: &str| {
            let found = match role_of(header, &places()) {
                Role::Series(s) => format!(
                    "{}.{} {} {}{}",
                    s.station.as_deref().unwrap_or("?"),
                    s.quantity,
                    s.unit.as_deref().unwrap_or("-"),
                    s.datum.as_deref().unwrap_or("-"),
                    if s.of_period { " period" } else { "" }
                ),
                role => format!("{role:?}"),
            };
            assert_eq!(found, expected, "{header}");
        };
        check("时间", "Time");
        check("观测时间（北京时间）", "Time");
        check("ＴＭ", "Time");
        check("测站 编码", "Station");
        check("水位（m）", "?.stage m -");
        check("水 位\n(大沽，m)", "?.stage m 大沽");
        check("水位(1985国家高程基准)", "?.stage - 1985国家高程基准");
        check("水位（吴淞基面）", "?.stage - 吴淞基面");
        check("流量/m³/s", "?.discharge m3/s -".replace("m3/s", "m³/s").as_str());
        check("花园口水位", "huayuankou.stage - -");
        check("花园口站流量(立方米/秒)", "huayuankou.discharge 立方米/秒 -");
        check("huayuankou.discharge", "huayuankou.discharge - -");
        check("雨量(mm)", "?.rain mm - period");
        check("累计雨量", "?.rain - -");
        check("Q", "?.discharge - -");
        check("OTQ", "?.discharge - -");
        check("备注", "Remark");
        check("XSAVV", "Unknown");
        check("含沙量", "Unknown");
        check("", "Unknown");
        assert_eq!(
            (letter(0), letter(25), letter(26), letter(199)),
            ("A".into(), "Z".into(), "AA".into(), "GR".into())
        );
    }
}
