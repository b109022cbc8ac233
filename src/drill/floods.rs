//! Historical and drill floods as hourly series. In: the texts of `floods/`. Out: a value for any station and moment.
//! No I/O; it never invents a value outside the time that the file covers.

use super::ratios::{Ratios, StationRatio};
use crate::ingest::{FileFault, utf8};
use crate::model::Timestamp;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// Name below `floods/` → bytes.
pub type FloodFiles = BTreeMap<String, Vec<u8>>;
/// What is wrong with a flood file, by file, line and column.
pub type FloodFault = FileFault;

/// One quantity over time; times rise strictly, values are finite.
#[derive(Debug, Clone, Default)]
struct Line(Vec<(Timestamp, f64)>);

impl Line {
    /// Linear between neighbours; `None` outside.
    fn at(&self, t: Timestamp) -> Option<f64> {
        let after = self.0.partition_point(|(at, _)| *at < t);
        let right = self.0.get(after)?;
        if right.0 == t {
            return Some(right.1);
        }
        let left = self.0.get(after.checked_sub(1)?)?;
        let share = (t - left.0).num_milliseconds() as f64 / (right.0 - left.0).num_milliseconds() as f64;
        Some(left.1 + (right.1 - left.1) * share)
    }
    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.0.first()?.0, self.0.last()?.0))
    }
    fn held(&self, t: Timestamp) -> Option<f64> {
        let (from, to) = self.span()?;
        self.at(t.clamp(from, to))
    }
    fn peak(&self) -> Option<f64> {
        self.0.iter().map(|(_, value)| *value).reduce(f64::max)
    }
}

/// One flood: the series at Huayuankou, its upstream companion where there is one, and the ratios for the rest.
#[derive(Debug, Clone)]
pub struct Flood {
    id: String,
    discharge: Line,
    stage: Line,
    upstream: BTreeMap<String, Line>,
    peaks: BTreeMap<String, Peak>,
    ratios: Ratios,
    rise: Line,
    synthetic: bool,
}

#[derive(Debug, Clone, Copy)]
struct Peak {
    m3s: f64,
    stage_m: Option<f64>,
    at: Option<Timestamp>,
    /// Noon of the day, where only the day is listed.
    noon: Option<Timestamp>,
}

/// A crest as it was listed for a station.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ListedPeak {
    /// m³/s.
    pub m3s: f64,
    /// When; noon where only the day is listed.
    pub at: Option<Timestamp>,
    /// Whether the hour is listed.
    pub to_the_hour: bool,
}

impl Flood {
    /// The ids of the floods among the files.
    pub fn ids(files: &FloodFiles) -> Vec<String> {
        files
            .keys()
            .filter(|name| !name.contains('/') && *name != "station_peaks.csv" && *name != "summary.csv")
            .filter_map(|name| name.strip_suffix(".csv").map(str::to_owned))
            .collect()
    }

    /// Reads `<id>.csv`, its companion in `upstream/`, `station_peaks.csv` and `ratios.toml`.
    ///
    /// # Errors
    /// The first fault with file, line and column: unknown flood, missing column, text for a number, NaN, time that does not rise, GBK.
    pub fn load(files: &FloodFiles, id: &str) -> Result<Self, FloodFault> {
        let name = format!("{id}.csv");
        if !Self::ids(files).iter().any(|known| known == id) {
            let what = format!("there is no flood {id:?}");
            let remedy = format!("known floods (可用洪水): {}", Self::ids(files).join(", "));
            return Err(FileFault::at(&format!("floods/{name}"), 1, 1, what, remedy));
        }
        let table = Table::read(files, &name)?;
        let discharge = table.line("discharge_m3s")?.ok_or_else(|| table.lacks("discharge_m3s"))?;
        if discharge.0.len() < 2 {
            return Err(table.fault(1, 1, "has fewer than two rows", "give at least two hours"));
        }
        let mut flood = Self {
            id: id.to_owned(),
            rise: rise_of(&discharge),
            discharge,
            stage: table.line("stage_m")?.unwrap_or_default(),
            upstream: BTreeMap::new(),
            peaks: read_peaks(files, id)?,
            ratios: Ratios::read(files)?,
            synthetic: table.flags.iter().any(|flag| flag == "synthetic"),
        };
        if let Some(companion) = companion_of(files, id) {
            let table = Table::read(files, &companion)?;
            for column in table.columns.iter().filter_map(|column| column.strip_suffix("_m3s")) {
                let line = table.line(&format!("{column}_m3s"))?.unwrap_or_default();
                flood.upstream.insert(column.to_owned(), line);
            }
        }
        Ok(flood)
    }

    /// Its id, e.g. `1958-07`.
    pub fn id(&self) -> &str {
        &self.id
    }
    /// First and last moment of the Huayuankou series.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        self.discharge.span().unwrap_or((DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MIN_UTC))
    }
    /// What is listed of the crest at a station.
    pub fn listed_peak(&self, station: &str) -> Option<ListedPeak> {
        let Peak { m3s, at, noon, .. } = *self.peaks.get(station)?;
        Some(ListedPeak { m3s, at: at.or(noon), to_the_hour: at.is_some() })
    }
    /// Highest discharge at Huayuankou, in m³/s.
    pub fn peak_m3s(&self) -> f64 {
        self.discharge.peak().unwrap_or(0.0)
    }
    /// When the discharge at Huayuankou first comes to that many m³/s, on the full minute; `None` where it never does.
    pub fn first_at_least(&self, m3s: f64) -> Option<Timestamp> {
        let after = self.discharge.0.iter().position(|(_, value)| *value >= m3s)?;
        let (right_at, right) = self.discharge.0.get(after)?;
        let Some((left_at, left)) = after.checked_sub(1).and_then(|before| self.discharge.0.get(before)) else {
            return Some(*right_at);
        };
        let share = (m3s - left) / (right - left);
        let seconds = ((*right_at - *left_at).num_seconds() as f64 * share).ceil() as i64;
        let at = *left_at + TimeDelta::seconds(seconds);
        Some(at + TimeDelta::seconds((60 - at.timestamp().rem_euclid(60)) % 60))
    }
    /// Whether rows of the file are scaled or invented (drill floods).
    pub fn is_synthetic(&self) -> bool {
        self.synthetic
    }
    /// Whether the value of that station rests on a rule instead of a file (ratio, rain from rise).
    pub fn is_ruled(&self, station: &str, quantity: &str) -> bool {
        station != "huayuankou" && (quantity != "discharge" || !self.upstream.contains_key(station))
    }

    /// `discharge` in m³/s, `stage` in m above Dagu, `rain` in mm since the start of the file.
    /// `None` outside the time of the file, for an unknown station, and for an unknown quantity.
    pub fn at(&self, station: &str, quantity: &str, t: Timestamp) -> Option<f64> {
        let (from, to) = self.span();
        let companion = self.upstream.get(station).and_then(Line::span);
        let (from, to) = companion.map_or((from, to), |(a, b)| (from.min(a), to.max(b)));
        if t < from || t > to {
            return None;
        }
        match (station, quantity) {
            ("huayuankou", "discharge") => self.discharge.at(t),
            ("huayuankou", "stage") => self.stage.at(t).or_else(|| self.stage_for(station, self.discharge.at(t)?)),
            (_, "discharge") => self.discharge_elsewhere(station, t),
            (_, "stage") => self.stage_for(station, self.discharge_elsewhere(station, t)?),
            (_, "rain") => self.rain(station, t),
            _ => None,
        }
    }

    /// Stage in m above Dagu that belongs to a discharge at a station: z = z0 + slope · ln(Q/Q0); `None` where no line is known.
    pub fn stage_for(&self, station: &str, discharge_m3s: f64) -> Option<f64> {
        if !discharge_m3s.is_finite() || discharge_m3s <= 0.0 {
            return None;
        }
        let mut line =
            if station == "huayuankou" { self.ratios.huayuankou } else { self.ratios.station.get(station)?.rating() };
        if let Some(Peak { m3s, stage_m: Some(stage_m), .. }) = self.peaks.get(station) {
            (line.m3s, line.m) = (*m3s, *stage_m);
        }
        Some(line.m + line.slope_m * (discharge_m3s / line.m3s).ln())
    }

    fn discharge_elsewhere(&self, station: &str, t: Timestamp) -> Option<f64> {
        if let Some(line) = self.upstream.get(station) {
            return line.held(t);
        }
        let rule = self.ratios.station.get(station)?;
        let base = self.discharge.0.first()?.1;
        let (ratio, lag) = self.ratio_and_lag(station, rule);
        let there = self.discharge.held(t + lag)?;
        Some((rule.base_m3s.unwrap_or(base) + (there - base) * ratio).max(0.0))
    }

    fn ratio_and_lag(&self, station: &str, rule: &StationRatio) -> (f64, TimeDelta) {
        let hyk = self.peaks.get("huayuankou");
        let here = self.peaks.get(station);
        let ratio = here.zip(self.discharge.peak()).map_or(rule.ratio, |(peak, highest)| peak.m3s / highest);
        let lag = here.and_then(|peak| peak.at).zip(hyk.and_then(|peak| peak.at)).map(|(here, hyk)| hyk - here);
        (ratio, lag.unwrap_or(TimeDelta::seconds((rule.lag_h * 3600.0) as i64)))
    }

    fn rain(&self, station: &str, t: Timestamp) -> Option<f64> {
        let share = self.ratios.rain.share.get(station)?;
        let lead = TimeDelta::seconds((self.ratios.rain.lead_h * 3600.0) as i64);
        Some(share * self.ratios.rain.mm_per_m3s_of_rise * self.rise.held(t + lead)?)
    }
}

/// Sum of all rises up to each moment, m³/s; never falls.
fn rise_of(discharge: &Line) -> Line {
    let mut sum = 0.0;
    let mut last = None;
    let points = discharge.0.iter().map(|(at, value)| {
        sum += last.map_or(0.0, |before: f64| (value - before).max(0.0));
        last = Some(*value);
        (*at, sum)
    });
    Line(points.collect())
}

fn companion_of(files: &FloodFiles, id: &str) -> Option<String> {
    files.keys().find_map(|name| {
        let stem = name.strip_prefix("upstream/")?.strip_suffix(".csv")?;
        let fits = stem == id || id.strip_prefix(stem).is_some_and(|rest| rest.starts_with("_from_"));
        fits.then(|| name.clone())
    })
}

fn read_peaks(files: &FloodFiles, event: &str) -> Result<BTreeMap<String, Peak>, FloodFault> {
    let name = "station_peaks.csv";
    let Some(bytes) = files.get(name) else { return Ok(BTreeMap::new()) };
    let file = format!("floods/{name}");
    let text = utf8(&file, bytes)?;
    let mut peaks = BTreeMap::new();
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).flexible(true).from_reader(text.as_bytes());
    for row in reader.records() {
        let row = row.map_err(|cause| {
            let line = cause.position().map_or(1, csv::Position::line) as usize;
            FileFault::at(&file, line, 1, cause.to_string(), "mend this row")
        })?;
        if row.get(0) != Some(event) {
            continue;
        }
        let line = row.position().map_or(1, csv::Position::line) as usize;
        let m3s =
            row.get(2).and_then(|cell| cell.parse::<f64>().ok()).filter(|value| value.is_finite() && *value > 0.0);
        let Some(m3s) = m3s else {
            let what = format!("peak_m3s of {:?} is not a discharge in m³/s", row.get(1).unwrap_or_default());
            return Err(FileFault::at(&file, line, 1, what, "write a number above 0"));
        };
        let at = row.get(3).filter(|cell| cell.contains('T')).and_then(|cell| moment(&format!("{cell}:00+08:00")));
        let day = row.get(3).filter(|cell| !cell.is_empty() && !cell.contains('T'));
        let noon = day.and_then(|cell| moment(&format!("{cell}T12:00:00+08:00")));
        let stage_m = row.get(4).and_then(|cell| cell.parse().ok());
        peaks.insert(station_id(row.get(1).unwrap_or_default()), Peak { m3s, stage_m, at, noon });
    }
    Ok(peaks)
}

/// `Xiaodong(Wuzhi)` → `wuzhi`, `Gaocun` → `gaocun`.
fn station_id(name: &str) -> String {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner.trim_end_matches(')'));
    inner.trim().to_lowercase()
}

fn moment(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
}

/// An hourly file: `time,<columns>,flag` below comment lines.
struct Table {
    file: String,
    columns: Vec<String>,
    rows: Vec<(usize, Vec<String>)>,
    flags: Vec<String>,
}

impl Table {
    fn read(files: &FloodFiles, name: &str) -> Result<Self, FloodFault> {
        let file = format!("floods/{name}");
        let text = utf8(&file, files.get(name).map_or(&[][..], Vec::as_slice))?;
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
        let split = |line: &str| line.split(',').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        let Some((_, head)) = lines.next() else {
            return Err(FileFault::at(&file, 1, 1, "is empty", "give a head line and hourly rows"));
        };
        let mut table = Self { file, columns: split(head), rows: Vec::new(), flags: Vec::new() };
        if table.columns.first().map(String::as_str) != Some("time") {
            return Err(table.lacks("time"));
        }
        for (index, line) in lines {
            let cells = split(line);
            if cells.len() != table.columns.len() {
                let what = format!("row has {} cells, the head line has {}", cells.len(), table.columns.len());
                return Err(table.fault(index + 1, 1, &what, "give one cell for each column"));
            }
            table.flags.extend(cells.last().filter(|flag| !table.flags.contains(flag)).cloned());
            table.rows.push((index + 1, cells));
        }
        Ok(table)
    }

    fn fault(&self, line: usize, column: usize, what: &str, remedy: &str) -> FloodFault {
        FileFault::at(&self.file, line, column, what, remedy)
    }
    fn lacks(&self, column: &str) -> FloodFault {
        self.fault(1, 1, &format!("column {column} is missing"), "name it in the head line (补上该列)")
    }

    /// The non-empty cells of a column; `None` when there is no such column.
    fn line(&self, column: &str) -> Result<Option<Line>, FloodFault> {
        let Some(index) = self.columns.iter().position(|name| name == column) else { return Ok(None) };
        let mut points: Vec<(Timestamp, f64)> = Vec::with_capacity(self.rows.len());
        let mut before = None;
        for (line, cells) in &self.rows {
            let cell = |at: usize| cells.get(at).map_or("", String::as_str);
            let at = moment(cell(0)).ok_or_else(|| {
                self.fault(*line, 1, &format!("{:?} is not a time", cell(0)), "write 1958-07-18T00:00:00+08:00")
            })?;
            if before.is_some_and(|before| at <= before) {
                return Err(self.fault(*line, 1, "time does not rise (时间未递增)", "sort the rows and drop doubles"));
            }
            before = Some(at);
            if cell(index).is_empty() {
                continue;
            }
            let place = cells.iter().take(index).map(|cell| cell.chars().count() + 1).sum::<usize>() + 1;
            let value = cell(index).parse::<f64>().ok().filter(|value| value.is_finite()).ok_or_else(|| {
                let what = format!("{column} {:?} is not a finite number", cell(index));
                self.fault(*line, place, &what, "write a number in that unit or leave the cell empty")
            })?;
            points.push((at, value));
        }
        Ok(Some(Line(points)))
    }
}

#[cfg(test)]
#[path = "floods_tests.rs"]
mod tests;
