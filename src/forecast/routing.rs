//! Delay and linear store: y ← y + (1 − e^(−1/K))·(x(t − delay) − y), hour by hour, summed over the stations.
//! The store is the linear reservoir of hydrology (Chow, Maidment, Mays 1988, section 8.5).

use super::settings::{ForecastSettings, StationParameters};
use crate::model::{Observation, Timestamp};
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// Values are kept this far apart.
const KEEP_EVERY: TimeDelta = TimeDelta::minutes(10);
/// Values are kept this long.
const KEEP_FOR: TimeDelta = TimeDelta::hours(120);
/// The stores are run in over so many hours before now, as far as there are values.
const RUN_IN_H: i32 = 72;

/// What a point mostly rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestsOn {
    /// Water already measured upstream.
    Measured,
    /// The assumption that inflow stays as it is.
    Assumed,
}

/// One hour of a forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastPoint {
    /// The hour.
    pub at: Timestamp,
    /// m³/s.
    pub q_m3s: f64,
    /// Lower end of the band, m³/s.
    pub low_m3s: f64,
    /// Upper end of the band, m³/s.
    pub high_m3s: f64,
    /// Share of the water that was already measured upstream, 0…1.
    pub measured_share: f64,
}

impl ForecastPoint {
    /// What it mostly rests on.
    pub fn rests_on(&self) -> RestsOn {
        if self.measured_share >= 0.5 { RestsOn::Measured } else { RestsOn::Assumed }
    }
}

/// A forecast of discharge at the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The moment from which it looks ahead.
    pub issued_at: Timestamp,
    /// 方法.
    pub method_zh: String,
    /// Method.
    pub method_en: String,
    /// Hourly, the first one hour ahead.
    pub points: Vec<ForecastPoint>,
    /// Stations that were stale or silent: their last value was held, or left out if there was none.
    pub without: Vec<String>,
    /// m³/s by which the target now differs from the routed sum; `None` when the target itself is stale.
    pub offset_m3s: Option<f64>,
}

impl Forecast {
    /// The highest point.
    pub fn peak(&self) -> Option<&ForecastPoint> {
        self.points.iter().max_by(|a, b| a.q_m3s.total_cmp(&b.q_m3s))
    }
    /// The last hour that mostly rests on measured water.
    pub fn measured_until(&self) -> Option<Timestamp> {
        self.points.iter().take_while(|point| point.rests_on() == RestsOn::Measured).last().map(|point| point.at)
    }
}

/// Thinned-out values of one station.
#[derive(Debug, Clone, Default)]
struct History {
    values: BTreeMap<Timestamp, f64>,
    newest: Option<(Timestamp, f64)>,
}

impl History {
    fn add(&mut self, at: Timestamp, value: f64) {
        if self.newest.is_none_or(|(newest, _)| at >= newest) {
            self.newest = Some((at, value));
        }
        let near = self.values.range(at - KEEP_EVERY + TimeDelta::milliseconds(1)..at).next_back().is_some();
        if !near || self.values.contains_key(&at) {
            self.values.insert(at, value);
        }
        if let Some((newest, _)) = self.newest {
            self.values = self.values.split_off(&(newest - KEEP_FOR));
        }
    }

    /// Between two values on the line between them; after the last the last, before the first the first.
    fn at(&self, t: Timestamp) -> Option<f64> {
        let before = self.values.range(..=t).next_back().map(|(at, value)| (*at, *value));
        let after =
            self.values.range(t..).next().map(|(at, value)| (*at, *value)).or(self.newest.filter(|(at, _)| *at > t));
        match (before, after) {
            (Some((at, value)), _) if at == t => Some(value),
            (Some(left), Some(right)) if right.0 > left.0 => {
                let share = (t - left.0).num_milliseconds() as f64 / (right.0 - left.0).num_milliseconds() as f64;
                Some(left.1 + (right.1 - left.1) * share)
            }
            (None, Some((_, first))) => Some(first),
            _ => self.newest.map(|(_, last)| last),
        }
    }
    fn is_stale(&self, now: Timestamp, after_h: f64) -> bool {
        self.newest.is_none_or(|(at, _)| hours(now - at) > after_h)
    }
    fn largest_since(&self, from: Timestamp) -> f64 {
        let kept = self.values.range(from..).map(|(_, value)| *value);
        kept.chain(self.newest.map(|(_, value)| value)).fold(0.0, f64::max)
    }
}

fn hours(span: TimeDelta) -> f64 {
    span.num_milliseconds() as f64 / 3_600_000.0
}

/// Keeps the last days of the upstream discharges and routes them to the target.
#[derive(Debug, Clone)]
pub struct Forecaster {
    settings: ForecastSettings,
    upstream: BTreeMap<String, History>,
    target: History,
}

/// What the stations add up to in one hour.
struct Hour {
    sum: f64,
    measured: f64,
}

impl Forecaster {
    /// Knows nothing yet.
    pub fn new(settings: ForecastSettings) -> Self {
        let upstream = settings.stations().map(|name| (name.to_owned(), History::default())).collect();
        Self { settings, upstream, target: History::default() }
    }
    /// The series that is forecast.
    pub fn target(&self) -> &crate::model::SeriesId {
        &self.settings.target
    }

    /// Takes a usable discharge of an upstream station or of the target; everything else is passed over.
    pub fn observe(&mut self, seen: &Observation) {
        if !seen.quality.is_usable() || !seen.value.is_finite() {
            return;
        }
        if seen.series == self.settings.target {
            self.target.add(seen.at, seen.value);
        } else if seen.series.quantity() == "discharge"
            && let Some(history) = self.upstream.get_mut(seen.series.station())
        {
            history.add(seen.at, seen.value);
        }
    }

    /// Hourly points from one hour after `now`; `None` while an essential station is stale or silent.
    pub fn forecast(&self, now: Timestamp) -> Option<Forecast> {
        let stale_after_h = self.settings.stale_after_h;
        let stale: Vec<String> = self
            .upstream
            .iter()
            .filter(|(_, history)| history.is_stale(now, stale_after_h))
            .map(|(name, _)| name.clone())
            .collect();
        if self.settings.essential.iter().any(|name| stale.contains(name)) {
            return None;
        }
        let from = now - TimeDelta::hours(48);
        let set = self.settings.set_for(self.upstream.values().map(|history| history.largest_since(from)).sum())?;
        let horizon = i32::try_from(self.settings.horizon_h).ok()?;
        let routed: Vec<(&StationParameters, bool, Vec<f64>)> = set
            .station
            .iter()
            .filter_map(|(name, one)| {
                let history = self.upstream.get(name).filter(|history| history.newest.is_some())?;
                Some((one, stale.contains(name), route(history, one, now, horizon)?))
            })
            .collect();
        let hour = |ahead: usize| sum_of(&routed, ahead);
        let target = self.target.newest.filter(|_| !self.target.is_stale(now, stale_after_h));
        let offset_m3s = target.map(|(_, value)| value - hour(0).sum);
        let without = stale.into_iter().filter(|name| set.station.contains_key(name)).collect::<Vec<_>>();
        let points = (1..=self.settings.horizon_h).map(|ahead| {
            let routed = hour(usize::try_from(ahead).unwrap_or(0));
            self.point(now, f64::from(ahead), &routed, offset_m3s, without.len())
        });
        let points = points.collect();
        let (method_zh, method_en) = words(&set.source, &without, offset_m3s.is_some());
        Some(Forecast { issued_at: now, method_zh, method_en, points, without, offset_m3s })
    }

    fn point(&self, now: Timestamp, ahead_h: f64, hour: &Hour, offset: Option<f64>, without: usize) -> ForecastPoint {
        let settings = &self.settings;
        let kept = offset.unwrap_or(0.0) * (-ahead_h / settings.offset_decay_h).exp();
        let q = (hour.sum + kept).max(0.0);
        let measured_share = if hour.sum > 0.0 { hour.measured / hour.sum } else { 0.0 };
        let assumed_h = ahead_h * (1.0 - measured_share);
        let share = settings.band_measured * (1.0 + without as f64)
            + settings.band_per_h * ahead_h
            + settings.band_assumed_per_h * assumed_h
            + if offset.is_none() { settings.band_measured } else { 0.0 };
        let half = q * share.min(1.0);
        let at = now + TimeDelta::milliseconds((ahead_h * 3_600_000.0) as i64);
        ForecastPoint { at, q_m3s: q, low_m3s: q - half, high_m3s: q + half, measured_share }
    }
}

/// The routed discharge of one station, now and at each hour ahead.
fn route(history: &History, one: &StationParameters, now: Timestamp, horizon: i32) -> Option<Vec<f64>> {
    let input = |hour: i32| {
        let ms = ((f64::from(hour) - one.delay_h) * 3_600_000.0) as i64;
        history.at(now + TimeDelta::milliseconds(ms))
    };
    let take = 1.0 - (-1.0 / one.store_h).exp();
    let mut stored = input(-RUN_IN_H)?;
    let mut out = Vec::new();
    for hour in -RUN_IN_H..=horizon {
        stored += take * (input(hour)? - stored);
        if hour >= 0 {
            out.push(stored);
        }
    }
    Some(out)
}

/// Sum over the stations, and how much of it had passed them by now.
fn sum_of(routed: &[(&StationParameters, bool, Vec<f64>)], ahead: usize) -> Hour {
    let mut hour = Hour { sum: 0.0, measured: 0.0 };
    for (one, stale, values) in routed {
        let value = values.get(ahead).copied().unwrap_or(0.0);
        let beyond_h = (ahead as f64 - one.delay_h).max(0.0);
        let share = if *stale { 0.0 } else { (-beyond_h / one.store_h).exp() };
        hour.sum += value;
        hour.measured += value * share;
    }
    hour
}

fn words(source: &str, without: &[String], corrected: bool) -> (String, String) {
    let mut zh = format!("上游滞时坦化（{source}）；滞时之外按来水不变推算");
    let mut en =
        format!("lag and attenuation from upstream ({source}); beyond the lag inflow is taken to stay as it is");
    if !without.is_empty() {
        zh.push_str(&format!("；缺站：{}", without.join("、")));
        en.push_str(&format!("; without {}", without.join(", ")));
    }
    if !corrected {
        zh.push_str("；本站无新值，未校正");
        en.push_str("; not corrected, the station itself has no fresh value");
    }
    (zh, en)
}

#[cfg(test)]
#[path = "routing_tests.rs"]
mod tests;
