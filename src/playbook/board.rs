//! The board that the duty room reads from: the latest of every signal, and as much past as the conditions ask for.
//!
//! In: judged values, the forecast, states of smart stones, outputs of the twin. Out: a [`Snapshot`]. Values that may not
//! be used for decisions are left out, old ones fade to unknown, nothing is ever replaced by zero. Memory is bounded: a
//! hundred hours in five-minute buckets a series, an hour a stone.

use super::history::History;
use super::signal::SignalKey;
use super::snapshot::{Snapshot, is_night, is_season};
use crate::model::{Observation, PlaceId, SeriesId, StoneState, Timestamp};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Series that the board keeps at most; a reach has a few dozen.
const SERIES_MAX: usize = 512;
/// Points of a forecast that are kept at most.
const FORECAST_MAX: usize = 2_000;
/// Courses of a forecast that are kept at most.
const MEMBERS_MAX: usize = 200;
/// Stones kept at most.
const STONES_MAX: usize = 20_000;
/// Minutes of tilt kept for each stone.
const TILT_MIN: i64 = 60;

#[derive(Debug, Clone)]
struct Stone {
    state: StoneState,
    alarmed_at: Option<Timestamp>,
    /// Minute and tilt in degrees, in order of time.
    tilts: VecDeque<(i64, f64)>,
}

/// How long values may be used, and which station is the control.
#[derive(Debug, Clone, PartialEq)]
pub struct BoardSettings {
    /// Series of `q`, `above`, `falling`.
    pub discharge: SeriesId,
    /// Series of `level_rise`.
    pub stage: SeriesId,
    /// A discharge older than this is unknown.
    pub discharge_fresh: TimeDelta,
    /// Wind and waves older than this are unknown.
    pub weather_fresh: TimeDelta,
    /// A forecast issued longer ago than this is unknown.
    pub forecast_fresh: TimeDelta,
    /// An output of the twin or a count of a place older than this is unknown.
    pub place_fresh: TimeDelta,
}

impl Default for BoardSettings {
    fn default() -> Self {
        Self {
            discharge: SeriesId::new("huayuankou.discharge"),
            stage: SeriesId::new("huayuankou.stage"),
            discharge_fresh: TimeDelta::minutes(90),
            weather_fresh: TimeDelta::minutes(60),
            forecast_fresh: TimeDelta::hours(12),
            place_fresh: TimeDelta::hours(12),
        }
    }
}

/// Moments and discharges in m³/s, in order of time.
type Course = Vec<(Timestamp, f64)>;

/// See the module's page. Pure memory: it reads no clock.
#[derive(Debug, Clone)]
pub struct SignalBoard {
    settings: BoardSettings,
    started: Timestamp,
    series: BTreeMap<SeriesId, History>,
    /// Where a station's local values hold.
    stations: BTreeMap<String, PlaceId>,
    forecast: Option<(Timestamp, Vec<(Timestamp, f64)>)>,
    /// Possible courses beside it, all issued at one moment.
    members: Option<(Timestamp, Vec<Course>)>,
    stones: BTreeMap<PlaceId, BTreeMap<String, Stone>>,
    stone_count: usize,
    places: BTreeMap<(SignalKey, PlaceId), (Timestamp, f64)>,
    twin: Option<Snapshot>,
}

impl SignalBoard {
    /// An empty board; `started` is when it begins to listen, from which a silence is counted.
    pub fn new(settings: BoardSettings, started: Timestamp) -> Self {
        Self {
            settings,
            started,
            series: BTreeMap::new(),
            stations: BTreeMap::new(),
            forecast: None,
            members: None,
            stones: BTreeMap::new(),
            stone_count: 0,
            places: BTreeMap::new(),
            twin: None,
        }
    }
    /// Says for which place a station's rain, wind, waves and stage speak, beside the whole reach.
    pub fn set_station_place(&mut self, station: &str, place: PlaceId) {
        self.stations.insert(station.to_owned(), place);
    }
    /// Takes in a judged value; one that decisions may not rest on is left out.
    pub fn observe(&mut self, observation: &Observation) {
        let kept = ["discharge", "stage", "rain", "wind", "wave"].contains(&observation.series.quantity());
        if !observation.quality.is_usable() || !kept {
            return;
        }
        if self.series.len() >= SERIES_MAX && !self.series.contains_key(&observation.series) {
            return;
        }
        self.series.entry(observation.series.clone()).or_default().add(observation.at, observation.value);
    }
    /// Forgets what is known of a series: somebody has corrected its past, and it is told anew.
    pub fn forget(&mut self, series: &SeriesId) {
        self.series.remove(series);
    }
    /// Takes in the discharge forecast of the control station: moments and m³/s.
    pub fn set_forecast(&mut self, issued_at: Timestamp, points: &[(Timestamp, f64)]) {
        self.forecast = Some((issued_at, tidy(points)));
    }
    /// Takes in the possible courses behind that forecast, for `pqf(q,h)`; none forgets the ones before.
    pub fn set_members(&mut self, issued_at: Timestamp, members: &[Vec<(Timestamp, f64)>]) {
        let courses: Vec<_> = members.iter().take(MEMBERS_MAX).map(|course| tidy(course)).collect();
        self.members = (!courses.is_empty()).then_some((issued_at, courses));
    }
    /// Takes in what is known of a stone of a dam. A stone that was never heard is announced with the time since which
    /// it should have been.
    pub fn set_stone(&mut self, place: &PlaceId, stone: &str, state: StoneState) {
        let is_new = self.stones.get(place).is_none_or(|stones| !stones.contains_key(stone));
        if is_new && self.stone_count >= STONES_MAX {
            return;
        }
        self.stone_count += usize::from(is_new);
        let fresh = Stone { state, alarmed_at: None, tilts: VecDeque::new() };
        self.stones.entry(place.clone()).or_default().entry(stone.to_owned()).or_insert(fresh).hear(state);
    }
    /// Notes that a known stone was heard and nothing about it has changed; a stone never told of stays unknown.
    pub fn hear_stone(&mut self, place: &PlaceId, stone: &str, at: Timestamp) {
        // Said again: what shakes still shakes, and its tilt stands in this minute's window too.
        if let Some(known) = self.stones.get_mut(place).and_then(|stones| stones.get_mut(stone)) {
            known.hear(StoneState { at, ..known.state });
        }
    }
    /// Takes in what the twin says, as of the discharge that it rests on; it replaces what it said before.
    pub fn set_twin(&mut self, says: Snapshot) {
        self.twin = Some(says);
    }
    /// Takes in a value of one place as of `at`, before what the twin says there: `toe` of a gauge at the toe, `pct_shelter`,
    /// `intrusion("river")`, ….
    pub fn set_place_value(&mut self, key: SignalKey, place: PlaceId, value: f64, at: Timestamp) {
        if value.is_finite() {
            self.places.insert((key, place), (at, value));
        }
    }

    /// What is known at `now` of the wanted signals.
    pub fn snapshot(&self, now: Timestamp, keys: &[SignalKey]) -> Snapshot {
        let mut snapshot = Snapshot::new(now);
        for key in keys {
            self.write(key, now, &mut snapshot);
        }
        let wanted: BTreeSet<_> = keys.iter().collect();
        let twin = self.twin.iter().filter(|twin| now - twin.at <= self.settings.place_fresh);
        for (key, sensed) in twin.flat_map(|twin| &twin.values).filter(|(key, _)| wanted.contains(key)) {
            snapshot.values.insert(key.clone(), sensed.clone());
        }
        for ((key, place), (at, value)) in &self.places {
            if now - *at <= self.settings.place_fresh && wanted.contains(key) {
                snapshot.set_at(key.clone(), place.clone(), *value);
            }
        }
        snapshot
    }

    fn write(&self, key: &SignalKey, now: Timestamp, snapshot: &mut Snapshot) {
        let first = key.number(0).unwrap_or(0);
        let word = key.word().unwrap_or("");
        let discharge = self.series.get(&self.settings.discharge);
        let at_large = match key.name() {
            "q" => discharge.and_then(|history| history.fresh(now, self.settings.discharge_fresh)),
            "above" => {
                discharge.and_then(|history| history.stayed_above(now, key.number(1)?, f64::from(first))).map(answer)
            }
            "falling" => discharge.and_then(|history| history.is_falling(now, first)).map(answer),
            "data_gap" => Some(self.gap_minutes(now)),
            "night" => Some(answer(is_night(now))),
            "season" => Some(answer(is_season(now, word))),
            _ => None,
        };
        if let Some(value) = at_large {
            snapshot.set(key.clone(), value);
        }
        match key.name() {
            "qf" => self.write_forecast(key, first, now, snapshot),
            "pqf" => self.write_probability(key, now, snapshot),
            "level_rise" => self.write_stations(key, snapshot, "stage", |history| history.rise(now, first)),
            "rain" => self.write_stations(key, snapshot, "rain", |history| history.growth(now, first)),
            "wind" | "wave" => {
                self.write_stations(key, snapshot, key.name(), |history| {
                    history.fresh(now, self.settings.weather_fresh)
                });
            }
            "stone_alarm" | "stone_tilt" | "stone_count_alarm" | "stone_offline" => {
                self.write_stones(key, now, snapshot)
            }
            _ => {}
        }
    }

    /// Minutes since the last usable value of the control station, or since the board began to listen.
    fn gap_minutes(&self, now: Timestamp) -> f64 {
        let heard = [&self.settings.discharge, &self.settings.stage]
            .into_iter()
            .filter_map(|series| self.series.get(series)?.latest(now))
            .map(|(at, _)| at)
            .max();
        (now - heard.unwrap_or(self.started)).num_seconds().max(0) as f64 / 60.0
    }

    fn write_forecast(&self, key: &SignalKey, hours: u32, now: Timestamp, snapshot: &mut Snapshot) {
        let Some((issued_at, points)) = &self.forecast else { return };
        if now - *issued_at > self.settings.forecast_fresh {
            return;
        }
        let until = now + TimeDelta::hours(i64::from(hours));
        let Some((value, is_whole)) = highest(points, now, until) else { return };
        if is_whole {
            snapshot.set(key.clone(), value);
        } else {
            snapshot.set_at_least(key.clone(), value);
        }
    }

    /// Share of the courses that come to the discharge, in %. Courses that end early are a lower bound: what they reached they
    /// reached, and what they do not show may still come.
    fn write_probability(&self, key: &SignalKey, now: Timestamp, snapshot: &mut Snapshot) {
        let Some((issued_at, members)) = &self.members else { return };
        let (Some(q), Some(hours)) = (key.number(0), key.number(1)) else { return };
        if now - *issued_at > self.settings.forecast_fresh {
            return;
        }
        let until = now + TimeDelta::hours(i64::from(hours));
        let highest: Option<Vec<(f64, bool)>> = members.iter().map(|course| highest(course, now, until)).collect();
        let Some(highest) = highest else { return };
        let reached = highest.iter().filter(|(value, _)| *value >= f64::from(q)).count();
        let percent = 100.0 * reached as f64 / highest.len() as f64;
        if highest.iter().all(|(_, is_whole)| *is_whole) {
            snapshot.set(key.clone(), percent);
        } else {
            snapshot.set_at_least(key.clone(), percent);
        }
    }

    /// The greatest of all stations for the reach, each station's own at its place.
    fn write_stations(
        &self,
        key: &SignalKey,
        snapshot: &mut Snapshot,
        quantity: &str,
        value: impl Fn(&History) -> Option<f64>,
    ) {
        for (series, history) in self.series.iter().filter(|(series, _)| series.quantity() == quantity) {
            // Only the control station's stage speaks for the reach: others lie upstream and downstream of it.
            let place = self.stations.get(series.station());
            let is_foreign = quantity == "stage" && *series != self.settings.stage && place.is_none();
            let Some(value) = value(history).filter(|_| !is_foreign) else { continue };
            if quantity != "stage" || *series == self.settings.stage {
                let highest = snapshot.everywhere(key).map_or(value, |known| known.max(value));
                snapshot.set(key.clone(), highest);
            }
            if let Some(place) = place {
                snapshot.set_at(key.clone(), place.clone(), value);
            }
        }
    }

    /// Zero for the reach and the dams that differ: quiet dams are many, and a snapshot is kept for ever. Without a stone
    /// that was heard lately nothing is known, but the silence itself is.
    fn write_stones(&self, key: &SignalKey, now: Timestamp, snapshot: &mut Snapshot) {
        let all = || self.stones.values().flat_map(BTreeMap::values).filter(|stone| stone.state.at <= now);
        let is_heard = all().any(|stone| now - stone.state.at <= self.settings.place_fresh);
        if !is_heard && (key.name() != "stone_offline" || all().next().is_none()) {
            return;
        }
        snapshot.set(key.clone(), 0.0);
        for (place, stones) in &self.stones {
            let value = of_dam(key, now, stones.values().filter(|stone| stone.state.at <= now));
            if value > 0.0 {
                snapshot.set_at(key.clone(), place.clone(), value);
            }
        }
    }
}

/// The value of a stone signal at one dam.
fn of_dam<'a>(key: &SignalKey, now: Timestamp, stones: impl Iterator<Item = &'a Stone>) -> f64 {
    let span = i64::from(key.number(0).unwrap_or(0));
    match (key.name(), key.word()) {
        ("stone_alarm", Some("shake")) => stones.map(|stone| answer(stone.state.shakes)).fold(0.0, f64::max),
        ("stone_alarm", _) => stones.map(|stone| answer(stone.state.moves)).fold(0.0, f64::max),
        ("stone_tilt", _) => stones.map(|stone| stone.swing(now, span)).fold(0.0, f64::max),
        ("stone_count_alarm", _) => {
            let since = now - TimeDelta::minutes(span);
            stones.map(|stone| answer(stone.alarmed_at.is_some_and(|at| at > since))).sum()
        }
        _ => {
            let since = now - TimeDelta::hours(span);
            stones.map(|stone| answer(stone.state.at < since)).sum()
        }
    }
}

impl Stone {
    fn hear(&mut self, state: StoneState) {
        if state.at >= self.state.at {
            self.state = state;
        }
        if state.shakes || state.moves {
            self.alarmed_at = self.alarmed_at.max(Some(state.at));
        }
        if let Some(tilt) = state.tilt_deg.filter(|tilt| tilt.is_finite()) {
            self.lean(state.at.timestamp().div_euclid(60), tilt);
        }
    }

    /// The tilt of a minute; what is older than the window goes.
    fn lean(&mut self, minute: i64, tilt: f64) {
        match self.tilts.binary_search_by_key(&minute, |(at, _)| *at) {
            Ok(known) => {
                if let Some(cell) = self.tilts.get_mut(known) {
                    cell.1 = tilt;
                }
            }
            Err(place) => self.tilts.insert(place, (minute, tilt)),
        }
        let newest = self.tilts.back().map_or(minute, |(at, _)| *at);
        while self.tilts.front().is_some_and(|(oldest, _)| *oldest < newest - TILT_MIN) {
            self.tilts.pop_front();
        }
    }

    /// Greatest difference of two tilts in the window, in degrees; 0 while there are not two.
    fn swing(&self, now: Timestamp, minutes: i64) -> f64 {
        let to = now.timestamp().div_euclid(60);
        let tilts = self.tilts.iter().filter(|(at, _)| (to - minutes..=to).contains(at)).map(|(_, tilt)| *tilt);
        let (least, most) =
            tilts.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), tilt| (least.min(tilt), most.max(tilt)));
        (most - least).max(0.0)
    }
}

fn answer(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

/// In order of time, only finite values, not more than is kept.
fn tidy(points: &[(Timestamp, f64)]) -> Vec<(Timestamp, f64)> {
    let mut points: Vec<_> = points.iter().filter(|(_, value)| value.is_finite()).copied().collect();
    points.sort_by_key(|(at, _)| *at);
    points.truncate(FORECAST_MAX);
    points
}

/// The highest of a forecast between two moments, straight lines between its points, and whether it reaches to the end
/// (an hour short is near enough).
fn highest(points: &[(Timestamp, f64)], from: Timestamp, until: Timestamp) -> Option<(f64, bool)> {
    let inside = points.iter().filter(|(at, _)| (from..=until).contains(at)).map(|(_, value)| *value);
    let ends = [from, until].into_iter().filter_map(|moment| between(points, moment));
    let value = inside.chain(ends).reduce(f64::max)?;
    let reaches = points.last().is_some_and(|(last, _)| *last + TimeDelta::hours(1) >= until);
    let begins = points.first().is_some_and(|(first, _)| *first <= from + TimeDelta::hours(1));
    Some((value, reaches && begins))
}

/// The value at a moment on the straight line between its neighbours; nothing outside the points.
fn between(points: &[(Timestamp, f64)], moment: Timestamp) -> Option<f64> {
    let after = points.iter().position(|(at, _)| *at >= moment)?;
    let (later, later_value) = points.get(after)?;
    if *later == moment {
        return Some(*later_value);
    }
    let (earlier, earlier_value) = points.get(after.checked_sub(1)?)?;
    let share = (moment - *earlier).num_milliseconds() as f64 / (*later - *earlier).num_milliseconds() as f64;
    Some(earlier_value + (later_value - earlier_value) * share)
}
