//! The judge: remembers each series, runs the checks, and takes a jump back once later values confirm it.

use super::{CHECKS, Case, Limits, QualityTable, Track, clock::same};
use crate::model::{Causes, Grade, Observation, Quality, Reading, SeriesId};
use std::collections::BTreeMap;

/// Judges readings, series by series. Pure: the same readings in the same order give the same observations.
#[derive(Debug, Clone, Default)]
pub struct Judge {
    table: QualityTable,
    own: BTreeMap<SeriesId, Limits>,
    tracks: BTreeMap<SeriesId, Track>,
}

impl Judge {
    /// With the limits of each quantity and those of single series, which go first.
    pub fn new(table: QualityTable, own: BTreeMap<SeriesId, Limits>) -> Self {
        let merged = own.into_iter().map(|(id, limits)| {
            let limits = table.get(id.quantity()).map_or(limits.clone(), |base| limits.over(base));
            (id, limits)
        });
        Self { own: merged.collect(), table, tracks: BTreeMap::new() }
    }

    /// The observation of a reading, last in the list; before it the corrected verdicts of earlier values that it confirmed.
    pub fn judge(&mut self, reading: &Reading) -> Vec<Observation> {
        let limits = self.limits(&reading.series);
        let track = self.tracks.get(&reading.series).cloned().unwrap_or_default();
        let witness = witness_of(&reading.series).and_then(|id| self.tracks.get(&id));
        let case = Case { reading, limits: &limits, track: &track, witness };
        let quality = CHECKS.iter().fold(Quality::GOOD, |worst, check| worst.worst(check(&case)));
        let value = if reading.value.is_finite() { reading.value } else { f64::NAN };
        let seen = Observation {
            series: reading.series.clone(),
            at: reading.observed_at,
            received_at: reading.received_at,
            value,
            quality,
        };
        let mut track = track;
        let out = place(&mut track, seen, &limits);
        self.tracks.insert(reading.series.clone(), track);
        out
    }

    fn limits(&self, series: &SeriesId) -> Limits {
        self.own.get(series).or_else(|| self.table.get(series.quantity())).cloned().unwrap_or_default()
    }
}

/// Stage witnesses discharge of the same station and the other way round.
fn witness_of(series: &SeriesId) -> Option<SeriesId> {
    let other = match series.quantity() {
        "stage" => "discharge",
        "discharge" => "stage",
        _ => return None,
    };
    Some(SeriesId::new(format!("{}.{other}", series.station())))
}

/// Puts a judged value into the memory of its series.
fn place(track: &mut Track, mut seen: Observation, limits: &Limits) -> Vec<Observation> {
    if let Some(newest) = &track.newest
        && seen.at <= newest.at
    {
        // Delivered twice, or older than what we know: it teaches nothing about the next value.
        if seen.at == newest.at && same(seen.value, newest.value) {
            seen.quality = newest.quality;
        }
        return vec![seen];
    }
    if seen.quality.causes.has(Causes::CLOCK) {
        return vec![seen]; // A stamp from the future must not make all later ones old.
    }
    let mut out = Vec::new();
    if seen.quality.causes.has(Causes::SPIKE) && seen.quality.grade == Grade::Suspect {
        out = confirm(track, &mut seen, limits);
    } else if seen.quality.is_usable() {
        track.held.clear();
        track.accept(seen.at, seen.value, limits);
    }
    track.see(&seen, limits);
    out.push(seen);
    out
}

/// A jumped value: joins those that wait, or, when enough agree, frees them all.
fn confirm(track: &mut Track, seen: &mut Observation, limits: &Limits) -> Vec<Observation> {
    let near = track.held.back().is_some_and(|last| {
        limits.jump_from(last.value).is_some_and(|allowed| (seen.value - last.value).abs() <= allowed)
    });
    if !near {
        track.held.clear();
    }
    if track.held.len() < usize::from(limits.confirmations.unwrap_or(2)) {
        track.hold(seen.clone());
        return Vec::new();
    }
    let mut freed: Vec<Observation> = track.held.drain(..).collect();
    for earlier in &mut freed {
        earlier.quality = Quality::GOOD;
    }
    seen.quality = Quality::GOOD;
    track.window.clear();
    track.accept(seen.at, seen.value, limits);
    freed
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
