//! The book of series: of each its station, quantity, unit, datum, interval and where it comes from. In: the files of `sensors/`. Out:
//! entries in the order of the ids, and the same as CSV. What a site's files do not say is empty, never guessed.

use super::{DeviceKind, Sensors};
use crate::model::{Datum, SeriesId};
use std::collections::BTreeMap;

/// One series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesEntry {
    /// `<station>.<quantity>` or `<stone>.<quantity>`.
    pub id: SeriesId,
    /// Name of the station, or of the device where the series belongs to none.
    pub name_zh: String,
    /// Name of the station; empty where it has none.
    pub name_en: String,
    /// Code of the hydrological service; empty where there is none.
    pub code: String,
    /// Unit of the values.
    pub unit: String,
    /// Reference surface of a stage.
    pub datum: Option<Datum>,
    /// Seconds between two values.
    pub interval_s: f64,
    /// Where values come from by themselves: `modbus gauges unit 4 gauge-huayuankou`, `sl651 0012345678`, `mqtt broker device`.
    pub sources: Vec<String>,
    /// Computed in place of this series' measurements, not measured.
    pub is_estimate: bool,
}

impl Sensors {
    /// Every series of the site, with those that keep its estimates.
    pub fn series_book(&self) -> Vec<SeriesEntry> {
        let sources = self.sources();
        let relations = self.relations();
        let mut book = Vec::with_capacity(self.series.len());
        for (id, facts) in &self.series {
            let station = self.stations.iter().find(|station| station.id == id.station());
            let entry = SeriesEntry {
                id: id.clone(),
                name_zh: station.map_or_else(|| facts.name_zh.clone(), |station| station.name_zh.clone()),
                name_en: station.map_or_else(String::new, |station| station.name_en.clone()),
                code: station.map_or_else(String::new, |station| station.code.clone()),
                unit: facts.unit.clone(),
                datum: facts.datum,
                interval_s: facts.interval_s,
                sources: sources.get(id).cloned().unwrap_or_default(),
                is_estimate: false,
            };
            if relations.get(id).is_some_and(|one| !one.fallback.is_empty()) {
                let estimate =
                    SeriesEntry { id: id.estimate(), sources: Vec::new(), is_estimate: true, ..entry.clone() };
                book.push(estimate);
            }
            book.push(entry);
        }
        book.sort_by_cached_key(|entry| entry.id.clone());
        book
    }

    fn sources(&self) -> BTreeMap<SeriesId, Vec<String>> {
        let mut found: BTreeMap<SeriesId, Vec<String>> = BTreeMap::new();
        for device in &self.devices {
            let what = match &device.kind {
                DeviceKind::Gauge { .. } => &device.id,
                DeviceKind::Stone { dam, .. } => dam,
            };
            for one in &device.series {
                let words = format!("modbus {} unit {} {what}", device.endpoint, device.unit);
                found.entry(one.id.clone()).or_default().push(words);
            }
        }
        for station in self.telemetry.values() {
            for one in &station.series {
                found.entry(one.id.clone()).or_default().push(format!("sl651 {}", station.address));
            }
        }
        for source in &self.mqtt {
            for (name, device) in &source.devices {
                for one in &device.series {
                    found.entry(one.id.clone()).or_default().push(format!("mqtt {} {name}", source.broker));
                }
            }
        }
        found
    }
}

/// The book as CSV, one row a series, with a header.
pub fn book_csv(book: &[SeriesEntry]) -> String {
    let mut out = String::from("series,station,quantity,name_zh,name_en,code,unit,datum,interval_s,sources,estimate\n");
    for one in book {
        let datum = one.datum.map_or("", Datum::as_str);
        let fields = [
            one.id.as_str(),
            one.id.station(),
            one.id.quantity(),
            &one.name_zh,
            &one.name_en,
            &one.code,
            &one.unit,
            datum,
            &one.interval_s.to_string(),
            &one.sources.join("; "),
            if one.is_estimate { "yes" } else { "no" },
        ];
        let quoted = fields.map(|field| match field.contains([',', '"', '\n', '\r']) {
            true => format!("\"{}\"", field.replace('"', "\"\"")),
            false => field.to_owned(),
        });
        out.push_str(&quoted.join(","));
        out.push('\n');
    }
    out
}
