//! The judge: remembers each series, runs the checks, and takes a jump back once later values confirm it.

use super::case::PAIRS_LEAST;
use super::{CHECKS, CHECKS_OF_NEWEST, Case, Limits, QualityTable, Relations, Track, clock::same, suspect};
use crate::model::{Causes, Grade, Observation, Quality, Reading, SeriesId};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Objections that rest on another series.
const CROSS: Causes = Causes::NEIGHBOUR.with(Causes::RATING).with(Causes::REDUNDANT);

/// Judges readings, series by series. Pure: the same readings in the same order give the same observations.
#[derive(Debug, Clone, Default)]
pub struct Judge {
    table: BTreeMap<String, Arc<Limits>>,
    own: BTreeMap<SeriesId, Arc<Limits>>,
    relations: BTreeMap<SeriesId, Arc<Relations>>,
    /// Looked up by key only, so that its order never matters.
    tracks: HashMap<SeriesId, Track>,
}

impl Judge {
    /// With the limits of each quantity and those of single series, which go first.
    pub fn new(table: QualityTable, own: BTreeMap<SeriesId, Limits>) -> Self {
        let merged = own.into_iter().map(|(id, limits)| {
            let limits = table.get(id.measure()).map_or(limits.clone(), |base| limits.over(base));
            (id, Arc::new(limits))
        });
        let own = merged.collect();
        let table = table.into_iter().map(|(quantity, limits)| (quantity, Arc::new(limits))).collect();
        Self { own, table, relations: BTreeMap::new(), tracks: HashMap::new() }
    }

    /// The same, with what each series is held against.
    #[must_use]
    pub fn with_relations(mut self, relations: BTreeMap<SeriesId, Relations>) -> Self {
        self.relations = relations.into_iter().map(|(id, relations)| (id, Arc::new(relations))).collect();
        self
    }

    /// A judge with the same limits and no memory: for what is brought in afterwards, beside the live readings.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self {
            table: self.table.clone(),
            own: self.own.clone(),
            relations: self.relations.clone(),
            tracks: HashMap::new(),
        }
    }

    /// The observation of a reading, last in the list; before it the corrected verdicts of earlier values that it confirmed.
    pub fn judge(&mut self, reading: &Reading) -> Vec<Observation> {
        let mut out = Vec::with_capacity(1);
        self.judge_into(reading, &mut out);
        out
    }

    /// The same, put at the end of a list.
    pub fn judge_into(&mut self, reading: &Reading, out: &mut Vec<Observation>) {
        let Some(track) = self.tracks.get(&reading.series) else {
            let track = self.new_track(&reading.series);
            self.tracks.insert(reading.series.clone(), track);
            return self.judge_into(reading, out);
        };
        let witness = track.witness.as_ref().and_then(|id| self.tracks.get(id));
        let case = Case { reading, limits: &track.limits, track, witness, tracks: &self.tracks };
        let is_newest = track.newest.is_none_or(|newest| reading.observed_at >= newest.at);
        let checks = CHECKS.iter().chain(CHECKS_OF_NEWEST.iter().filter(|_| is_newest));
        let quality = checks.fold(Quality::GOOD, |worst, check| worst.worst(check(&case)));
        let undisputed = is_newest && quality.is_usable() && quality.causes.without(Causes::REDUNDANT);
        let height = case.height_of(reading.value).filter(|_| undisputed);
        let value = if reading.value.is_finite() { reading.value } else { f64::NAN };
        let seen = Observation {
            series: reading.series.clone(),
            at: reading.observed_at,
            received_at: reading.received_at,
            value,
            quality,
        };
        if let Some(track) = self.tracks.get_mut(&reading.series) {
            track.hold_together(&seen.series, seen.at, height);
            let moment_s = track.moment_s(reading.observed_at);
            place(track, seen, out);
            track.arrive(reading.received_at, moment_s);
        }
    }

    /// Takes in what was judged before, as after a restart: the next value is held against it. Values come in order of time,
    /// those of all series together; what is older than the newest of its series is passed over.
    pub fn remember(&mut self, seen: &Observation) {
        if seen.quality.causes.has(Causes::CLOCK) {
            return;
        }
        let (series, at, received_at, value) = (seen.series.clone(), seen.at, seen.received_at, seen.value);
        let reading = Reading { series, observed_at: at, received_at, value };
        let track = self.tracks.remove(&seen.series).unwrap_or_else(|| self.new_track(&seen.series));
        let is_newest = track.newest.is_none_or(|newest| seen.at > newest.at);
        let case =
            Case { reading: &reading, limits: &track.limits, track: &track, witness: None, tracks: &self.tracks };
        let undisputed = seen.quality.is_usable() && seen.quality.causes.without(Causes::REDUNDANT);
        let height = case.height_of(seen.value).filter(|_| is_newest && undisputed);
        let mut track = track;
        if is_newest {
            track.hold_together(&seen.series, seen.at, height);
            track.remember(seen);
        }
        self.tracks.insert(reading.series, track);
    }

    /// Forgets how often the series speak: what was remembered so far was thinned out.
    pub fn forget_rhythm(&mut self) {
        self.tracks.values_mut().for_each(Track::forget_rhythm);
    }

    /// The discharge that a station's stage implies, or the stage that its discharge does, by the rating as learned so
    /// far: the value of `wanted` that belongs to `known` of its partner. `None` while no rating is known.
    pub fn by_rating(&self, wanted: &SeriesId, known: f64) -> Option<f64> {
        let pair = self.relations.get(wanted)?.rating.as_ref()?;
        let learned = self.tracks.get(&pair.stage)?.learned.filter(|learned| learned.pairs >= PAIRS_LEAST)?;
        let value = if *wanted == pair.discharge {
            ((known - learned.height) / pair.line.slope_m).exp()
        } else {
            learned.height + pair.line.slope_m * known.ln()
        };
        value.is_finite().then_some(value)
    }

    /// What a series is held against, if anything.
    pub fn relations_of(&self, series: &SeriesId) -> Option<&Relations> {
        self.relations.get(series).map(|relations| &**relations)
    }

    fn new_track(&self, series: &SeriesId) -> Track {
        let limits = self.own.get(series).or_else(|| self.table.get(series.measure())).cloned().unwrap_or_default();
        let relations = self.relations.get(series).cloned().unwrap_or_default();
        Track { limits, relations, witness: witness_of(series), ..Track::default() }
    }
}

/// Stage witnesses discharge of the same station and the other way round.
fn witness_of(series: &SeriesId) -> Option<SeriesId> {
    let other = match series.measure() {
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
        let newest = *newest;
        let first = track.behind.take();
        if seen.at < newest.at && seen.quality.causes.has(Causes::CLOCK) {
            track.skew_s = Some(Track::seconds(seen.at, seen.received_at));
            out.extend(
                first.map(|first| Observation { quality: first.quality.worst(suspect(Causes::CLOCK)), ..first }),
            );
        } else if seen.at < newest.at && seen.received_at > newest.received_at {
            track.behind = Some(seen.clone());
        }
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
    (track.skew_s, track.behind) = (None, None);
    // A step that only its steepness betrays is confirmed by the plateau after it, where noise and river are known apart.
    let is_step = seen.quality.causes.has(Causes::RISE) && track.limits.rise_band.is_some();
    let jumped = seen.quality.grade == Grade::Suspect && (seen.quality.causes.has(Causes::SPIKE) || is_step);
    // What another series speaks against is not confirmed by its own repetition.
    if jumped && seen.quality.causes.without(CROSS) {
        confirm(track, &mut seen, out);
    } else if seen.quality.is_usable() {
        track.held.clear();
        track.accept(seen.at, seen.value);
    }
    for cause in [Causes::FROZEN, Causes::NEIGHBOUR].into_iter().filter(|cause| seen.quality.causes.has(*cause)) {
        take_back_run(track, seen.value, cause, out);
    }
    track.see(&seen);
    out.push(seen);
}

/// What stands still where it should move, stands still from the second equal value on: those that were accepted are
/// taken back.
fn take_back_run(track: &mut Track, newest: f64, cause: Causes, out: &mut Vec<Observation>) {
    let band = track.limits.still_band.unwrap_or(0.0);
    let Some((since, value)) = track.still.filter(|(_, value)| (newest - value).abs() <= band) else { return };
    let begin = track.recent.partition_point(|one| one.at <= since);
    for mut one in track.recent.drain(begin..) {
        one.quality = one.quality.worst(suspect(cause));
        out.push(one);
    }
    if track.accepted.is_some_and(|(at, _)| at > since) {
        track.accepted = Some((since, value));
    }
}

/// A jumped value: joins those that wait, or, when enough agree, frees them all.
fn confirm(track: &mut Track, seen: &mut Observation, out: &mut Vec<Observation>) {
    let near = track.held.back().is_some_and(|last| {
        let hours = Track::seconds(last.at, seen.at) / 3600.0;
        let river = track.limits.rise_per_hour.unwrap_or(0.0) * hours;
        // Where noise and river are known apart, a ramp that goes on is no confirmation.
        let allowed = match track.limits.rise_band {
            Some(band) => Some(band.max(track.noise_band()) + river),
            None => track.limits.jump_from(last.value),
        };
        allowed.is_some_and(|allowed| (seen.value - last.value).abs() <= allowed)
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
