//! What the sensors, the forecast and the twin say at one moment: the sensed half of a situation.
//!
//! In: judged values by signal. Out: a value, or nothing where nothing is known. Absence is never read as zero.

use super::compiled::Known;
use super::local::LocalValues;
use super::signal::SignalKey;
use crate::model::{PlaceId, Reach, Timestamp};
use chrono::{Datelike, FixedOffset, Timelike};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The values of one signal.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sensed {
    /// The value for the whole reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<f64>,
    /// [`Self::all`] is only a lower bound: a forecast that does not reach as far as was asked.
    #[serde(default, skip_serializing_if = "is_false")]
    pub at_least: bool,
    /// Values of single places; each goes before [`Self::all`]. Shared: what the twin said last stands in every snapshot
    /// until it says something else.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub at: Arc<BTreeMap<PlaceId, f64>>,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(flag: &bool) -> bool {
    !*flag
}

fn is_empty(at: &BTreeMap<PlaceId, f64>) -> bool {
    at.is_empty()
}

/// Sensed values at one moment; answers are 1 or 0, what is absent is unknown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The moment that it speaks of.
    pub at: Timestamp,
    /// By signal, in a fixed order.
    pub values: BTreeMap<SignalKey, Sensed>,
}

impl Snapshot {
    /// Nothing known but the moment.
    pub fn new(at: Timestamp) -> Self {
        Self { at, values: BTreeMap::new() }
    }
    /// What a preview may assume: the discharge, and the forecast if there is one, as a straight line from `q_m3s`
    /// now to the given discharge after the given hours and level from there. The season follows from `at`; whether it
    /// is night then, and everything else, stays unknown.
    pub fn at_discharge(at: Timestamp, q_m3s: f64, forecast: Option<(f64, f64)>, keys: &[SignalKey]) -> Self {
        let mut snapshot = Self::new(at);
        snapshot.set(SignalKey::discharge(), q_m3s);
        for key in keys {
            match (key.name(), key.number(0), forecast) {
                ("qf", Some(hours), Some((ahead_h, later_m3s))) => {
                    snapshot.set(key.clone(), highest_on_ramp(q_m3s, later_m3s, ahead_h, f64::from(hours)));
                }
                ("season", ..) => {
                    snapshot.set(key.clone(), f64::from(u8::from(is_season(at, key.word().unwrap_or("")))))
                }
                _ => {}
            }
        }
        snapshot
    }
    /// Sets the value for the whole reach; NaN and infinities stay unknown.
    pub fn set(&mut self, key: SignalKey, value: f64) {
        if value.is_finite() {
            self.values.entry(key).or_default().all = Some(value);
        }
    }
    /// Sets a lower bound for the whole reach: the value may be higher, not lower.
    pub fn set_at_least(&mut self, key: SignalKey, value: f64) {
        if value.is_finite() {
            let sensed = self.values.entry(key).or_default();
            (sensed.all, sensed.at_least) = (Some(value), true);
        }
    }
    /// Sets the value of one place; NaN and infinities stay unknown.
    pub fn set_at(&mut self, key: SignalKey, place: PlaceId, value: f64) {
        if value.is_finite() {
            Arc::make_mut(&mut self.values.entry(key).or_default().at).insert(place, value);
        }
    }
    /// The value for the whole reach where it is more than a lower bound.
    pub fn certain(&self, key: &SignalKey) -> Option<f64> {
        self.values.get(key).filter(|sensed| !sensed.at_least).and_then(|sensed| sensed.all)
    }
    /// The value for the whole reach, be it only a lower bound.
    pub fn everywhere(&self, key: &SignalKey) -> Option<f64> {
        self.values.get(key).and_then(|sensed| sensed.all)
    }
    /// The value at a place: its own, else that of the reach.
    pub fn at_place(&self, key: &SignalKey, place: &PlaceId) -> Option<f64> {
        self.values.get(key).and_then(|sensed| sensed.at.get(place).copied().or(sensed.all))
    }
}

impl Snapshot {
    /// The value that counts for a place of a row: its own, else what reaches it from other places, else that of the reach. For the
    /// headquarters (`wide`) the worst of all.
    pub fn counted(&self, key: &SignalKey, place: &PlaceId, wide: bool, reach: &Reach) -> Option<f64> {
        let sensed = self.values.get(key)?;
        let local = LocalValues::sensed(key, &sensed.at, reach);
        if wide {
            let known = Known::maybe(sensed.all).worse_with(local.worst_of_all(), key);
            return Some(known.value).filter(|value| !value.is_nan());
        }
        let here = reach.number(place).map_or_else(|| sensed.at.get(place).copied(), |number| local.at(number, reach));
        here.or(sensed.all)
    }
}

fn highest_on_ramp(now_m3s: f64, later_m3s: f64, ahead_h: f64, within_h: f64) -> f64 {
    let share = if ahead_h > 0.0 { (within_h / ahead_h).min(1.0) } else { 1.0 };
    now_m3s.max(now_m3s + (later_m3s - now_m3s) * share)
}

fn beijing(at: Timestamp) -> Option<chrono::DateTime<FixedOffset>> {
    FixedOffset::east_opt(8 * 3600).map(|offset| at.with_timezone(&offset))
}

/// Whether a moment lies in the season, by the calendar of Beijing: `pre_flood` May and June, `flood` July to October.
pub fn is_season(at: Timestamp, season: &str) -> bool {
    let month = beijing(at).map_or(0, |local| local.month());
    match season {
        "pre_flood" => (5..=6).contains(&month),
        "flood" => (7..=10).contains(&month),
        _ => false,
    }
}

/// Whether it is night on the levee: 18:00 to 06:00 Beijing time.
pub fn is_night(at: Timestamp) -> bool {
    beijing(at).is_some_and(|local| !(6..18).contains(&local.hour()))
}
