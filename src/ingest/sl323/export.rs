//! The series of a reach as tables of SL 323, CSV with the field names of the standard.

use crate::model::{Datum, SeriesId, Timestamp};
use crate::store::series::{Aggregate, Sample, SeriesError, SeriesStore, Step};
use chrono::{FixedOffset, TimeDelta, Timelike};
use std::collections::BTreeMap;

/// Names of the tables that are exported.
pub const SL323_TABLES: [Table; 4] = [Table::Stations, Table::River, Table::Rain, Table::Reservoir];
/// Hour of Beijing time at which the day of rain begins.
const RAIN_DAY_H: u32 = 8;
/// Beijing time.
const ZONE_S: i32 = 8 * 3600;

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// ST_STBPRP_B 测站基本属性表.
    Stations,
    /// ST_RIVER_R 河道水情表.
    River,
    /// ST_PPTN_R 降水量表, amounts of one hour.
    Rain,
    /// ST_RSVR_R 水库水情表.
    Reservoir,
}

impl Table {
    /// As in the standard.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stations => "ST_STBPRP_B",
            Self::River => "ST_RIVER_R",
            Self::Rain => "ST_PPTN_R",
            Self::Reservoir => "ST_RSVR_R",
        }
    }
    /// The table of that name, in any case.
    pub fn of_name(name: &str) -> Option<Self> {
        SL323_TABLES.into_iter().find(|table| table.name().eq_ignore_ascii_case(name))
    }
    fn header(self) -> &'static [&'static str] {
        match self {
            Self::Stations => &["STCD", "STNM", "RVNM", "LGTD", "LTTD", "DTMNM", "DTMEL", "DTPR", "STTP", "COMMENTS"],
            Self::River => {
                &["STCD", "TM", "Z", "Q", "XSA", "XSAVV", "XSMXV", "FLWCHRCD", "WPTN", "MSQMT", "MSAMT", "MSVMT"]
            }
            Self::Rain => &["STCD", "TM", "DRP", "INTV", "PDR", "DYP", "WTH"],
            Self::Reservoir => &["STCD", "TM", "RZ", "INQ", "W", "BLRZ", "OTQ", "RWCHRCD", "RWPTN", "INQDR", "MSQMT"],
        }
    }
}

/// A station as the tables need it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sl323Station {
    /// Id as in series.
    pub id: String,
    /// Code of the hydrological service (STCD); a station without one cannot be exported.
    pub code: String,
    /// Chinese name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// River.
    pub river: String,
    /// WGS-84 degrees.
    pub lon: f64,
    /// WGS-84 degrees.
    pub lat: f64,
    /// Its quantities, a stage with its datum.
    pub series: BTreeMap<String, Option<Datum>>,
}

/// The stations of a reach.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sl323Site {
    /// In the order of the files.
    pub stations: Vec<Sl323Station>,
}

impl Sl323Site {
    /// Names of stations that have no code and are left out.
    pub fn without_code(&self) -> Vec<&str> {
        self.stations.iter().filter(|station| station.code.is_empty()).map(|station| station.name.as_str()).collect()
    }
}

/// A table from `from` to before `to` as CSV; only usable values, an empty cell where there is none.
///
/// # Errors
/// When the store cannot be read.
pub async fn export(
    table: Table,
    site: &Sl323Site,
    store: &dyn SeriesStore,
    from: Timestamp,
    to: Timestamp,
) -> Result<String, SeriesError> {
    let mut out = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    // Writing into memory does not fail.
    let _ = out.write_record(table.header());
    for station in site.stations.iter().filter(|station| !station.code.is_empty()) {
        let rows = match table {
            Table::Stations => vec![station_row(station)],
            Table::River if !is_reservoir(station) => river_rows(station, store, from, to).await?,
            Table::Reservoir if is_reservoir(station) => reservoir_rows(station, store, from, to).await?,
            Table::Rain if station.series.contains_key("rain") => rain_rows(station, store, from, to).await?,
            _ => Vec::new(),
        };
        for row in rows {
            let _ = out.write_record(&row);
        }
    }
    let bytes = out.into_inner().unwrap_or_default();
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

fn is_reservoir(station: &Sl323Station) -> bool {
    ["inflow", "outflow", "storage"].iter().any(|quantity| station.series.contains_key(*quantity))
}

fn station_row(station: &Sl323Station) -> Vec<String> {
    let datum = station.series.get("stage").copied().flatten();
    let name = match datum {
        Some(Datum::Dagu) => "大沽",
        Some(Datum::National85) => "1985国家高程基准",
        #[allow(unreachable_patterns)]
        Some(other) => other.as_str(),
        None => "",
    };
    let kind = if is_reservoir(station) {
        "RR"
    } else if station.series.contains_key("discharge") {
        "ZQ"
    } else if station.series.contains_key("stage") {
        "ZZ"
    } else {
        "PP"
    };
    vec![
        station.code.clone(),
        station.name.clone(),
        station.river.clone(),
        format!("{:.6}", station.lon),
        format!("{:.6}", station.lat),
        name.into(),
        if datum.is_some() { "0.000".into() } else { String::new() },
        String::new(),
        kind.into(),
        String::new(),
    ]
}

/// Moments of several quantities side by side.
async fn columns(
    station: &Sl323Station,
    quantities: &[&str],
    store: &dyn SeriesStore,
    from: Timestamp,
    to: Timestamp,
) -> Result<BTreeMap<Timestamp, BTreeMap<String, f64>>, SeriesError> {
    let mut rows: BTreeMap<Timestamp, BTreeMap<String, f64>> = BTreeMap::new();
    for quantity in quantities.iter().filter(|quantity| station.series.contains_key(**quantity)) {
        let id = SeriesId::new(format!("{}.{quantity}", station.id));
        for sample in store.range(&id, from, to, None).await?.iter().filter(|sample| is_usable(sample)) {
            rows.entry(sample.at).or_default().insert((*quantity).to_owned(), sample.value);
        }
    }
    Ok(rows)
}

fn is_usable(sample: &Sample) -> bool {
    sample.value.is_finite() && sample.quality.is_usable()
}

/// `datetime` of the standard, Beijing time, to the second.
fn tm(at: Timestamp) -> String {
    match FixedOffset::east_opt(ZONE_S) {
        Some(zone) => at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string(),
        None => at.format("%Y-%m-%d %H:%M:%S").to_string(),
    }
}

fn cell(row: &BTreeMap<String, f64>, quantity: &str) -> String {
    row.get(quantity).map_or_else(String::new, |value| format!("{value:.3}"))
}

async fn river_rows(
    station: &Sl323Station,
    store: &dyn SeriesStore,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Vec<String>>, SeriesError> {
    let rows = columns(station, &["stage", "discharge"], store, from, to).await?;
    let row = |(at, values): (Timestamp, BTreeMap<String, f64>)| {
        let mut row = vec![station.code.clone(), tm(at), cell(&values, "stage"), cell(&values, "discharge")];
        row.resize(Table::River.header().len(), String::new());
        row
    };
    Ok(rows.into_iter().map(row).collect())
}

async fn reservoir_rows(
    station: &Sl323Station,
    store: &dyn SeriesStore,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Vec<String>>, SeriesError> {
    let quantities = ["stage", "inflow", "storage", "outflow", "discharge"];
    let rows = columns(station, &quantities, store, from, to).await?;
    let row = |(at, values): (Timestamp, BTreeMap<String, f64>)| {
        let out = if values.contains_key("outflow") { "outflow" } else { "discharge" };
        let mut row = vec![
            station.code.clone(),
            tm(at),
            cell(&values, "stage"),
            cell(&values, "inflow"),
            cell(&values, "storage"),
            String::new(),
            cell(&values, out),
        ];
        row.resize(Table::Reservoir.header().len(), String::new());
        row
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Amounts of whole hours from the counter; at 08:00 the sum of the day before, where all its hours are known.
async fn rain_rows(
    station: &Sl323Station,
    store: &dyn SeriesStore,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Vec<String>>, SeriesError> {
    let id = SeriesId::new(format!("{}.rain", station.id));
    let step = Step { every_ms: 3_600_000, aggregate: Aggregate::Last };
    let samples = store.range(&id, from - TimeDelta::hours(26), to, Some(step)).await?;
    // The last value of an hour stands for its end.
    let counter: BTreeMap<Timestamp, f64> = samples
        .iter()
        .filter(|sample| is_usable(sample))
        .map(|sample| (sample.at + TimeDelta::hours(1), sample.value))
        .collect();
    let amount = |end: Timestamp| {
        let (last, first) = (counter.get(&end)?, counter.get(&(end - TimeDelta::hours(1)))?);
        // A counter that was set back has counted from zero since.
        Some(if last >= first { last - first } else { *last })
    };
    let mut rows = Vec::new();
    for end in counter.keys().copied().filter(|end| *end >= from && *end <= to) {
        let Some(drp) = amount(end) else { continue };
        let local = FixedOffset::east_opt(ZONE_S).map(|zone| end.with_timezone(&zone));
        let day = local
            .filter(|local| local.hour() == RAIN_DAY_H)
            .and_then(|_| (0..24).map(|back| amount(end - TimeDelta::hours(back))).sum::<Option<f64>>());
        rows.push(vec![
            station.code.clone(),
            tm(end),
            format!("{drp:.1}"),
            "1.00".into(),
            String::new(),
            day.map_or_else(String::new, |day| format!("{day:.1}")),
            String::new(),
        ]);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Causes, Grade, Observation, Quality};
    use crate::store::series::{EmbeddedSeries, SeriesLimits};

    fn at(hour: i64) -> Timestamp {
        "2026-07-17T00:00:00Z".parse::<Timestamp>().unwrap() + TimeDelta::hours(hour)
    }

    fn site() -> Sl323Site {
        let station = |id: &str, code: &str, series: &[(&str, Option<Datum>)]| Sl323Station {
            id: id.into(),
            code: code.into(),
            name: id.into(),
            name_en: id.into(),
            river: "黄河".into(),
            lon: 113.66,
            lat: 34.91,
            series: series.iter().map(|(quantity, datum)| ((*quantity).to_owned(), *datum)).collect(),
        };
        Sl323Site {
            stations: vec![
                station("hyk", "40105150", &[("stage", Some(Datum::Dagu)), ("discharge", None)]),
                station("rain", "40155001", &[("rain", None)]),
                station("xld", "40104510", &[("stage", Some(Datum::National85)), ("outflow", None)]),
                station("nameless", "", &[("stage", Some(Datum::Dagu))]),
            ],
        }
    }

    #[tokio::test]
    async fn tables_have_the_fields_of_the_standard_and_their_own_datum() {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedSeries::open(&folder.path().join("series.db"), SeriesLimits::default()).await.unwrap();
        let seen = |series: &str, at: Timestamp, value: f64| Observation {
            series: series.into(),
            at,
            received_at: at,
            value,
            quality: Quality::GOOD,
        };
        let bad = Quality { grade: Grade::Suspect, causes: Causes::SPIKE };
        let mut all = vec![
            seen("hyk.stage", at(0), 91.24),
            seen("hyk.discharge", at(0), 22_300.0),
            seen("hyk.discharge", at(1), 22_100.5),
            Observation { quality: bad, ..seen("hyk.stage", at(1), 99.0) },
            seen("xld.outflow", at(0), 2000.0),
            seen("nameless.stage", at(0), 80.0),
        ];
        // A counter that is read ten minutes before each hour ends, set back to zero once.
        for hour in 0..=25 {
            let value = if hour < 20 { f64::from(hour) } else { f64::from(hour - 20) * 2.0 };
            all.push(seen("rain.rain", at(i64::from(hour)) - TimeDelta::minutes(10), value));
        }
        let _ = store.append(&all).await.unwrap();
        let table = async |table| export(table, &site(), &store, at(0), at(30)).await.unwrap();
        assert_eq!(
            table(Table::River).await,
            "STCD,TM,Z,Q,XSA,XSAVV,XSMXV,FLWCHRCD,WPTN,MSQMT,MSAMT,MSVMT\n\
             40105150,2026-07-17 08:00:00,91.240,22300.000,,,,,,,,\n40105150,2026-07-17 09:00:00,,22100.500,,,,,,,,\n"
        );
        let stations = table(Table::Stations).await;
        assert!(stations.contains("40105150,hyk,黄河,113.660000,34.910000,大沽,0.000,,ZQ,"), "{stations}");
        assert!(stations.contains("1985国家高程基准,0.000,,RR,") && !stations.contains("nameless"), "{stations}");
        let reservoir = table(Table::Reservoir).await;
        assert!(reservoir.ends_with("40104510,2026-07-17 08:00:00,,,,,2000.000,,,,\n"), "{reservoir}");
        let rain = table(Table::Rain).await;
        let rows: Vec<_> = rain.lines().skip(1).collect();
        assert_eq!(rows.len(), 25, "{rain}");
        assert_eq!(rows[0], "40155001,2026-07-17 09:00:00,1.0,1.00,,,");
        // 19 hours of 1 mm, one from the counter that was set back (0), four of 2 mm.
        assert_eq!(rows[23], "40155001,2026-07-18 08:00:00,2.0,1.00,,27.0,");
        assert_eq!(site().without_code(), ["nameless"]);
        store.close().await;
    }

    #[test]
    fn tables_are_known_by_name() {
        assert_eq!(Table::of_name("st_river_r"), Some(Table::River));
        assert_eq!(Table::of_name("ST_WHAT"), None);
    }
}
