//! Rain forecast elsewhere for an area, as water at the gauge that the area drains to: an initial loss, a share that runs off, and a
//! unit hydrograph of a delay and two equal linear stores (Nash 1957, IAHS Publ. 45, with n = 2).
//!
//! In: areal rain by member, mm between two points. Out: hourly discharge that the rain since the issue adds. No soil moisture and no
//! reservoir is in it: the loss begins anew with each issue, and the numbers of an area are the site's to calibrate.

use super::imported::{ForecastVariable, ImportedForecast, ImportedMember};
use crate::model::Timestamp;
use chrono::TimeDelta;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Rain that fell this many hours ago has passed.
const PASSED_H: i32 = 120;
/// 1 mm an hour on 1 km² is so many m³/s.
const M3S_OF_MM_KM2: f64 = 1.0 / 3.6;

/// `[[rain]]`: an area whose rain runs to a gauge.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RainArea {
    /// Areas of forecasts that speak of it; of several that are known the first holds.
    pub areas: Vec<String>,
    /// The target's own station, or an upstream one to whose inflow it adds.
    pub enters: String,
    /// Drained area, km², above 0.
    pub km2: f64,
    /// Rain since the issue that runs off nowhere, mm.
    pub loss_mm: f64,
    /// Share of the rain beyond the loss that runs off, 0…1.
    pub runoff: f64,
    /// Hours until the water begins to arrive.
    pub delay_h: f64,
    /// Time constant of each of the two stores, hours.
    pub store_h: f64,
}

impl RainArea {
    pub(super) fn check(&self, gauges: &[&str]) -> Result<(), String> {
        let name = || self.areas.first().cloned().unwrap_or_default();
        if self.areas.is_empty() || self.areas.iter().any(|area| area.trim().is_empty()) {
            return Err(format!("[[rain]] into {}: give at least one name in areas", self.enters));
        }
        if !gauges.contains(&self.enters.as_str()) {
            return Err(format!("[[rain]] {}: {} is neither the target nor an upstream station", name(), self.enters));
        }
        let bounds = [
            ("km2", self.km2, 1.0, 1e6),
            ("loss_mm", self.loss_mm, 0.0, 500.0),
            ("runoff", self.runoff, 0.0, 1.0),
            ("delay_h", self.delay_h, 0.0, 120.0),
            ("store_h", self.store_h, 0.1, 120.0),
        ];
        match bounds.into_iter().find(|(_, value, low, high)| !(*low..=*high).contains(value)) {
            Some((field, value, low, high)) => {
                Err(format!("[[rain]] {}: {field} {value} is not within {low}…{high}", name()))
            }
            None => Ok(()),
        }
    }

    /// The forecast that this area's rain is taken from at a moment.
    pub(super) fn forecast<'a>(
        &self,
        known: &'a BTreeMap<String, ImportedForecast>,
        now: Timestamp,
    ) -> Option<&'a ImportedForecast> {
        let is_over = |one: &ImportedForecast| {
            one.reaches_until().is_none_or(|until| until < now - TimeDelta::hours(i64::from(PASSED_H)))
        };
        let mut named = self.areas.iter().filter_map(|area| known.get(area));
        named.find(|one| one.issued_at <= now && !is_over(one))
    }

    /// Discharge at the gauge by member, hourly from `back` hours before now to `ahead` hours after it, m³/s.
    pub(super) fn courses(&self, forecast: &ImportedForecast, now: Timestamp, back: i32, ahead: i32) -> Vec<Vec<f64>> {
        let issued_at = forecast.issued_at;
        forecast.members.iter().map(|member| self.course(member, issued_at, now, back, ahead)).collect()
    }

    fn course(&self, member: &ImportedMember, issued_at: Timestamp, now: Timestamp, back: i32, ahead: i32) -> Vec<f64> {
        let take = 1.0 - (-1.0 / self.store_h).exp();
        let excess = |hour: i32| {
            let at = now + TimeDelta::milliseconds(((f64::from(hour) - self.delay_h) * 3_600_000.0) as i64);
            self.runoff * (fallen(member, issued_at, at) - self.loss_mm).max(0.0)
        };
        let (mut upper, mut lower, mut before) = (0.0, 0.0, excess(-back - PASSED_H - 1));
        let mut out = Vec::new();
        for hour in -back - PASSED_H..=ahead {
            let sum = excess(hour);
            upper += take * ((sum - before) * self.km2 * M3S_OF_MM_KM2 - upper);
            lower += take * (upper - lower);
            before = sum;
            if hour >= -back {
                out.push(lower);
            }
        }
        out
    }
}

/// Rain from the issue to a moment, mm; between two points it falls evenly.
fn fallen(member: &ImportedMember, issued_at: Timestamp, moment: Timestamp) -> f64 {
    let (mut sum, mut from) = (0.0, issued_at);
    for (at, mm) in member.points.iter().filter(|(at, _)| *at > issued_at) {
        if *at > moment {
            let part = (moment - from).num_milliseconds() as f64 / (*at - from).num_milliseconds() as f64;
            return sum + mm * part.max(0.0);
        }
        (sum, from) = (sum + mm, *at);
    }
    sum
}

/// Whether some area takes its rain from a forecast.
pub(super) fn takes(areas: &[RainArea], forecast: &ImportedForecast) -> bool {
    forecast.variable == ForecastVariable::Rain && areas.iter().any(|area| area.areas.contains(&forecast.area))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    fn area() -> RainArea {
        let areas = vec!["小花干流区间".to_owned(), "小花间".to_owned()];
        let enters = "huayuankou".to_owned();
        RainArea { areas, enters, km2: 3_600.0, loss_mm: 20.0, runoff: 0.5, delay_h: 4.0, store_h: 3.0 }
    }

    fn storm(area: &str, issued: i64) -> ImportedForecast {
        let points = vec![(at(6), 20.0), (at(12), 60.0), (at(24), 0.0)];
        ImportedForecast {
            source: "省气象台".into(),
            issued_at: at(issued),
            variable: ForecastVariable::Rain,
            area: area.into(),
            datum: None,
            members: vec![ImportedMember { id: "control".into(), points }],
        }
    }

    #[test]
    fn what_runs_off_is_the_rain_beyond_the_loss_and_all_of_it_comes() {
        let course = &area().courses(&storm("小花间", 0), at(0), 0, 96)[0];
        let volume = course.iter().sum::<f64>() * 3_600.0;
        let wanted = (80.0 - 20.0) / 1_000.0 * 0.5 * 3_600.0 * 1e6;
        assert!((volume / wanted - 1.0).abs() < 1e-3, "{volume} of {wanted} m³");
        let first = course.iter().position(|q| *q > 0.0).unwrap();
        assert_eq!(first, 11, "20 mm until the sixth hour are the loss, then four hours of delay");
        assert!(course[16] > 1_500.0 && course[95] < 1.0, "{course:?}");
    }

    #[test]
    fn the_same_rain_later_is_the_same_water() {
        let early = &area().courses(&storm("小花间", 0), at(0), 0, 60)[0];
        let late = &area().courses(&storm("小花间", 0), at(20), 20, 40)[0];
        assert!(early.iter().zip(late).all(|(a, b)| (a - b).abs() < 1e-9), "{early:?} {late:?}");
    }

    #[test]
    fn of_two_areas_that_are_known_the_nearer_one_holds_and_old_rain_is_gone() {
        let mut known = BTreeMap::from([("小花间".to_owned(), storm("小花间", 0))]);
        assert_eq!(area().forecast(&known, at(1)).unwrap().area, "小花间");
        known.insert("小花干流区间".into(), storm("小花干流区间", 2));
        assert_eq!(area().forecast(&known, at(1)).unwrap().area, "小花间", "the other is not issued yet");
        assert_eq!(area().forecast(&known, at(2)).unwrap().area, "小花干流区间");
        assert!(area().forecast(&known, at(24 + 121)).is_none());
        assert!(takes(&[area()], &storm("小花间", 0)) && !takes(&[area()], &storm("三花间", 0)));
    }

    #[test]
    fn areas_that_cannot_be_are_refused_by_name() {
        let gauges = ["huayuankou", "wuzhi"];
        area().check(&gauges).unwrap();
        let refused = |change: &dyn Fn(&mut RainArea), word: &str| {
            let mut area = area();
            change(&mut area);
            let why = area.check(&gauges).unwrap_err();
            assert!(why.contains(word), "{why}");
        };
        refused(&|area| area.areas.clear(), "areas");
        refused(&|area| area.enters = "lijin".into(), "lijin");
        refused(&|area| area.km2 = 0.0, "km2");
        refused(&|area| area.runoff = 1.2, "runoff");
        refused(&|area| area.store_h = f64::NAN, "store_h");
    }
}
