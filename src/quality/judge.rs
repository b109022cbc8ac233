//! The judge: remembers each series, runs the checks, and takes a jump back once later values confirm it.

use super::{CHECKS, Case, Limits, QualityTable, Track, clock::same};
use crate::model::{Causes, Grade, Observation, Quality, Reading, SeriesId};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Judges readings, series by series. Pure: the same readings in the same order give the same observations.
#[derive(Debug, Clone, Default)]
pub struct Judge {
    table: BTreeMap<String, Arc<Limits>>,
    own: BTreeMap<SeriesId, Arc<Limits>>,
    /// Looked up by key only, so that its order never matters.
    tracks: HashMap<SeriesId, Track>,
}

impl Judge {
    /// With the limits of each quantity and those of single series, which go first.
    pub fn new(table: QualityTable, own: BTreeMap<SeriesId, Limits>) -> Self {
        let merged = own.into_iter().map(|(id, limits)| {
            let limits = table.get(id.quantity()).map_or(limits.clone(), |base| limits.over(base));
            (id, Arc::new(limits))
        });
        let own = merged.collect();
        let table = table.into_iter().map(|(quantity, limits)| (quantity, Arc::new(limits))).collect();
        Self { own, table, tracks: HashMap::new() }
    }

    /// A judge with the same limits and no memory: for what is brought in afterwards, beside the live readings.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self { table: self.table.clone(), own: self.own.clone(), tracks: HashMap::new() }
    }

    /// The observation of a reading, last in the list; before it the corrected verdicts of earlier values that it confirmed.
    pub fn judge(&mut self, reading: &Reading) -> Vec<Observation> {
        let mut out = Vec::with_capacity(1);
        self.judge_into(reading, &mut out);
        out
    }

    /// The same, put at the end of a list.
    pub fn judge_into(&mut self, reading: &Reading, out: &mut Vec<Observation>) {
        if !self.tracks.contains_key(&reading.series) {
            let track = self.new_track(&reading.series);
            self.tracks.insert(reading.series.clone(), track);
        }
        let Some(track) = self.tracks.get(&reading.series) else { return };
        let witness = track.witness.as_ref().and_then(|id| self.tracks.get(id));
        let case = Case { reading, limits: &track.limits, track, witness };
        let quality = CHECKS.iter().fold(Quality::GOOD, |worst, check| worst.worst(check(&case)));
        let value = if reading.value.is_finite() { reading.value } else { f64::NAN };
        let seen = Observation {
            series: reading.series.clone(),
            at: reading.observed_at,
            received_at: reading.received_at,
            value,
            quality,
        };
        if let Some(track) = self.tracks.get_mut(&reading.series) {
            place(track, seen, out);
        }
    }

    fn new_track(&self, series: &SeriesId) -> Track {
        let limits = self.own.get(series).or_else(|| self.table.get(series.quantity())).cloned().unwrap_or_default();
        Track { limits, witness: witness_of(series), ..Track::default() }
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
fn place(track: &mut Track, mut seen: Observation, out: &mut Vec<Observation>) {
    if let Some(newest) = &track.newest
        && seen.at <= newest.at
    {
        // Delivered twice, or older than what we know: it teaches nothing about the next value.
        if seen.at == newest.at && same(seen.value, newest.value) {
            seen.quality = newest.quality;
        }
        out.push(seen);
        return;
    }
    if seen.quality.causes.has(Causes::CLOCK) {
        out.push(seen); // A stamp from the future must not make all later ones old.
        return;
    }
    if seen.quality.causes.has(Causes::SPIKE) && seen.quality.grade == Grade::Suspect {
        confirm(track, &mut seen, out);
    } else if seen.quality.is_usable() {
        track.held.clear();
        track.accept(seen.at, seen.value);
    }
    track.see(&seen);
    out.push(seen);
}

/// A jumped value: joins those that wait, or, when enough agree, frees them all.
fn confirm(track: &mut Track, seen: &mut Observation, out: &mut Vec<Observation>) {
    let near = track.held.back().is_some_and(|last| {
        track.limits.jump_from(last.value).is_some_and(|allowed| (seen.value - last.value).abs() <= allowed)
    });
    if !near {
        track.held.clear();
    }
    if track.held.len() < usize::from(track.limits.confirmations.unwrap_or(2)) {
        track.hold(seen.clone());
        return;
    }
    let freed = out.len();
    out.extend(track.held.drain(..));
    for earlier in out.iter_mut().skip(freed) {
        earlier.quality = Quality::GOOD;
    }
    seen.quality = Quality::GOOD;
    track.window.clear();
    track.accept(seen.at, seen.value);
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
