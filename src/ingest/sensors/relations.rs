//! What series are held against: second sensors, ratings, neighbours, as the stations of the files say.

use super::load::Source;
use super::shape::SensorFile;
use super::{Sensors, Station};
use crate::ingest::FileFault;
use crate::model::{DatumMismatch, SeriesId, datum_shift};
use crate::quality::{RatingLine, RatingPair, Relations, Substitute, Twin};
use std::collections::BTreeMap;

/// The word of a fallback for the rating of the section.
const RATING: &str = "rating";

impl Sensors {
    /// For each series what it is held against.
    pub fn relations(&self) -> BTreeMap<SeriesId, Relations> {
        let of = |id: &SeriesId| {
            let station = self.station(id.station())?;
            let relations = Relations {
                rating: self.rating_of(station, id),
                twins: self.twins_of(station, id),
                neighbours: self.neighbours_of(station, id),
                fallback: self.fallback_of(station, id),
            };
            (relations != Relations::default()).then(|| (id.clone(), relations))
        };
        self.series.keys().filter_map(of).collect()
    }

    fn station(&self, id: &str) -> Option<&Station> {
        self.stations.iter().find(|station| station.id == id)
    }

    fn rating_of(&self, station: &Station, id: &SeriesId) -> Option<RatingPair> {
        let rating = station.rating.as_ref()?;
        let stage = SeriesId::new(format!("{}.stage", station.id));
        let discharge = SeriesId::new(format!("{}.discharge", station.id));
        let joined = id.measure() == "stage" || *id == discharge;
        let both = self.series.contains_key(&stage) && self.series.contains_key(&discharge);
        let line = RatingLine { slope_m: rating.slope_m, tolerance_m: rating.tolerance_m };
        (joined && both).then_some(RatingPair { stage, discharge, line })
    }

    /// Other sensors of the same water, each brought to the datum of this one; those without an offset are left out here
    /// and were refused when the files were read.
    fn twins_of(&self, station: &Station, id: &SeriesId) -> Vec<Twin> {
        let Some(facts) = self.series.get(id) else { return Vec::new() };
        let quantity = self.quality.get(id.measure());
        let tolerance = facts.limits.twin_tolerance.or_else(|| quantity?.twin_tolerance);
        let Some(tolerance) = tolerance else { return Vec::new() };
        let twin = |other: &SeriesId| {
            let same = other != id && other.station() == id.station() && other.measure() == id.measure();
            let shift = same.then(|| self.shift(station, other, id).ok())??;
            Some(Twin { series: other.clone(), shift, tolerance })
        };
        // The main series stands before its sensors in the order of the ids.
        self.series.keys().filter_map(twin).collect()
    }

    /// In the order of the file; only the main series of a quantity has any.
    fn fallback_of(&self, station: &Station, id: &SeriesId) -> Vec<Substitute> {
        let words = station.fallback.get(id.measure()).filter(|_| id.sensor().is_none());
        let substitute = |word: &String| {
            if word == RATING {
                return Some(Substitute::Rating);
            }
            let series = SeriesId::new(format!("{id}-{word}"));
            let shift = self.shift(station, &series, id).ok()?;
            Some(Substitute::Sensor { series, shift })
        };
        words.into_iter().flatten().filter_map(substitute).collect()
    }

    /// What is wrong with a station's list, if anything.
    fn fallback_fault(&self, station: &Station) -> Option<String> {
        for (quantity, words) in &station.fallback {
            let main = SeriesId::new(format!("{}.{quantity}", station.id));
            if !self.series.contains_key(&main) {
                return Some(format!("fallback for {main}, which no device gives"));
            }
            for (index, word) in words.iter().enumerate() {
                let known = if word == RATING {
                    self.rating_of(station, &main).is_some()
                } else {
                    self.series.contains_key(&SeriesId::new(format!("{main}-{word}")))
                };
                if !known {
                    return Some(format!(
                        "fallback {word:?} for {main}: no such sensor, or no rating with both series"
                    ));
                }
                if words.iter().take(index).any(|earlier| earlier == word) {
                    return Some(format!("fallback {word:?} for {main} is there twice"));
                }
            }
        }
        None
    }

    fn shift(&self, station: &Station, from: &SeriesId, to: &SeriesId) -> Result<f64, DatumMismatch> {
        let datum = |id: &SeriesId| self.series.get(id).and_then(|facts| facts.datum);
        match (datum(from), datum(to)) {
            (Some(from), Some(to)) => datum_shift(from, to, &station.datum_offset),
            _ => Ok(0.0),
        }
    }

    fn neighbours_of(&self, station: &Station, id: &SeriesId) -> Vec<SeriesId> {
        let near = station.neighbours.iter().map(|other| SeriesId::new(format!("{other}.{}", id.quantity())));
        near.filter(|other| id.sensor().is_none() && self.series.contains_key(other)).collect()
    }

    /// Stations with an offset between datums that is dated after a day: nobody has measured it yet.
    pub fn offsets_dated_after(&self, day: chrono::NaiveDate) -> Vec<&str> {
        let late = |station: &&super::Station| station.datum_offset.iter().any(|offset| offset.date > day);
        self.stations.iter().filter(late).map(|station| station.id.as_str()).collect()
    }

    /// Refuses a rating that is none, a neighbour that is unknown, and two sensors whose datums nobody has joined.
    pub(super) fn check_relations(&self, source: &Source, rows: &SensorFile) -> Result<(), FileFault> {
        for row in &rows.station {
            let station = row.get_ref();
            let wrong = |what: String, remedy: &str| Err(source.fault(row.span(), what, remedy));
            if let Some(unknown) = station.neighbours.iter().find(|other| self.station(other).is_none()) {
                return wrong(
                    format!("没有测站 {unknown:?} (there is no station {unknown:?})"),
                    "name neighbours of stations.toml",
                );
            }
            if let Some(what) = self.fallback_fault(station) {
                return wrong(what, "name sensors of this quantity, or \"rating\"");
            }
            if let Some(rating) = &station.rating
                && !(rating.slope_m.is_finite() && rating.slope_m > 0.0 && rating.tolerance_m > 0.0)
            {
                let what = format!("rating with slope {} and tolerance {}", rating.slope_m, rating.tolerance_m);
                return wrong(what, "both are metres above 0");
            }
            if let Some(offset) = station.datum_offset.iter().find(|one| !one.add_m.is_finite() || one.from == one.to) {
                let what = format!("an offset of {} m from {} to {}", offset.add_m, offset.from, offset.to);
                return wrong(what, "join two different datums by a finite number of metres");
            }
            if let Some(offset) = station.datum_offset.iter().find(|one| one.source.trim().is_empty()) {
                let what = format!(
                    "{} 至 {} 的基面改正数没有出处 (the offset from {} to {} has no source)",
                    offset.from, offset.to, offset.from, offset.to
                );
                return wrong(what, "source = \"who says so: a survey, a station book\"");
            }
            let of_station = || self.series.keys().filter(|id| id.station() == station.id);
            let pairs = of_station().flat_map(|one| of_station().map(move |other| (one, other)));
            let mut clashes = pairs
                .filter(|(one, other)| one.measure() == other.measure())
                .filter_map(|(one, other)| Some((one, other, self.shift(station, one, other).err()?)));
            if let Some((one, other, mismatch)) = clashes.next() {
                let what = format!("{one} and {other}: {mismatch} (基面不同，未给改正数)");
                return wrong(what, "add datum_offset = [{ from, to, add_m, source, date }] to the station");
            }
        }
        Ok(())
    }
}
