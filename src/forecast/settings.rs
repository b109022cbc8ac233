//! `forecast.toml`: which stations feed the target, their delays and stores, and from which discharge on.

use super::rain::RainArea;
use crate::model::SeriesId;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Delay and linear store of one upstream station.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StationParameters {
    /// Hours until the water begins to arrive.
    pub delay_h: f64,
    /// Time constant of the linear store, hours: how much the wave is drawn out.
    pub store_h: f64,
}

/// Parameters that hold from a discharge on: big floods travel faster.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterSet {
    /// Largest sum of the upstream discharges of the last two days from which this set is used, m³/s.
    pub from_m3s: f64,
    /// Where the numbers come from.
    pub source: String,
    /// Station → parameters.
    pub station: BTreeMap<String, StationParameters>,
}

/// How the members of the ensemble differ.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsembleSettings {
    /// Number of members, 10…200.
    pub members: u32,
    /// Seed of the draws.
    pub seed: u64,
    /// Share of the courses that the band holds: 0.8 leaves a tenth above and a tenth below.
    pub band: f64,
    /// Standard deviation of the error of a measured or planned inflow, share.
    pub inflow: f64,
    /// Standard deviation of the error of the travel time, share.
    pub travel: f64,
    /// Standard deviation of the error of a reading at the target, share.
    pub reading: f64,
    /// Standard deviation of what nothing explains, share; it grows in with `offset_decay_h`.
    pub rest: f64,
    /// Standard deviation of the coming rate of change of ln Q an hour while a river is steady.
    pub coming: f64,
    /// And the more of it for each unit of the rate of the last three hours.
    pub coming_of_trend: f64,
    /// Share of that rate that goes on.
    pub trend_kept: f64,
    /// Time constant with which a rate of change fades, hours; also of the weight of older readings.
    pub memory_h: f64,
    /// The largest discharge that a station can be thought to bring, m³/s: a rise that goes on flattens towards it. Stations
    /// without one have no such limit.
    #[serde(default)]
    pub most_m3s: BTreeMap<String, f64>,
}

impl EnsembleSettings {
    fn check(&self) -> Result<(), String> {
        let spreads = [
            ("inflow", self.inflow),
            ("travel", self.travel),
            ("reading", self.reading),
            ("rest", self.rest),
            ("coming", self.coming),
        ];
        if let Some((name, _)) = spreads.iter().find(|(_, value)| !(0.0..=0.5).contains(value)) {
            return Err(format!("[ensemble] {name} must be within 0…0.5"));
        }
        if !(10..=200).contains(&self.members) {
            return Err(format!("[ensemble] members {} is not within 10…200", self.members));
        }
        if !(0.5..=0.98).contains(&self.band) {
            return Err(format!("[ensemble] band {} is not within 0.5…0.98", self.band));
        }
        if !(0.0..=3.0).contains(&self.coming_of_trend) || !(0.0..=1.0).contains(&self.trend_kept) {
            return Err("[ensemble] coming_of_trend must be within 0…3, trend_kept within 0…1".into());
        }
        if let Some((station, most)) = self.most_m3s.iter().find(|(_, most)| !(most.is_finite() && **most > 0.0)) {
            return Err(format!("[ensemble] most_m3s of {station} is {most}: it must be above zero"));
        }
        if !(1.0..=72.0).contains(&self.memory_h) {
            return Err("[ensemble] memory_h must be within 1…72".into());
        }
        Ok(())
    }
}

/// Settings of the forecast at one station.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, try_from = "Unchecked")]
pub struct ForecastSettings {
    /// The series that is forecast.
    pub target: SeriesId,
    /// Stations without which there is no forecast.
    pub essential: Vec<String>,
    /// Hours ahead, hourly points.
    pub horizon_h: u32,
    /// A station whose last usable value is older is stale.
    pub stale_after_h: f64,
    /// Time constant with which today's error at the target is given up, hours.
    pub offset_decay_h: f64,
    /// Half width of the band on measured water, as a share.
    pub band_measured: f64,
    /// Further share for each hour ahead.
    pub band_per_h: f64,
    /// Further share for each hour that rests on the assumption that inflow stays as it is.
    pub band_assumed_per_h: f64,
    /// For which floods it was looked at, and what it cannot do.
    pub validity: String,
    /// Members behind the band and the probabilities; without it the band is the three shares above and there are no probabilities.
    pub ensemble: Option<EnsembleSettings>,
    /// Areas whose rain, where a forecast of it comes in, adds to the discharge.
    pub rain: Vec<RainArea>,
    /// Rising by `from_m3s`.
    pub set: Vec<ParameterSet>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    target: SeriesId,
    essential: Vec<String>,
    horizon_h: u32,
    stale_after_h: f64,
    offset_decay_h: f64,
    band_measured: f64,
    band_per_h: f64,
    band_assumed_per_h: f64,
    validity: String,
    ensemble: Option<EnsembleSettings>,
    #[serde(default)]
    rain: Vec<RainArea>,
    set: Vec<ParameterSet>,
}

impl TryFrom<Unchecked> for ForecastSettings {
    type Error = String;
    fn try_from(from: Unchecked) -> Result<Self, String> {
        let numbers = [from.stale_after_h, from.offset_decay_h];
        let shares = [from.band_measured, from.band_per_h, from.band_assumed_per_h];
        if !(1..=240).contains(&from.horizon_h) {
            return Err(format!("horizon_h {} is not within 1…240", from.horizon_h));
        }
        if numbers.iter().any(|hours| !hours.is_finite() || *hours <= 0.0)
            || shares.iter().any(|share| !(0.0..=1.0).contains(share))
        {
            return Err("hours must be above 0 and shares of the band within 0…1".into());
        }
        if let Some(ensemble) = &from.ensemble {
            ensemble.check()?;
        }
        if from.set.is_empty() || !from.set.windows(2).all(|pair| matches!(pair, [a, b] if a.from_m3s < b.from_m3s)) {
            return Err("give at least one [[set]], rising by from_m3s".into());
        }
        for set in &from.set {
            for (station, one) in &set.station {
                if !(0.0..=120.0).contains(&one.delay_h) || !(0.1..=120.0).contains(&one.store_h) {
                    return Err(format!("{station}: delay_h must be within 0…120, store_h within 0.1…120"));
                }
            }
            if let Some(missing) = from.essential.iter().find(|name| !set.station.contains_key(*name)) {
                return Err(format!("essential station {missing} is missing in the set from {} m³/s", set.from_m3s));
            }
        }
        let stations = from.set.iter().flat_map(|set| set.station.keys().map(String::as_str));
        let gauges: Vec<&str> = stations.chain([from.target.station()]).collect();
        from.rain.iter().try_for_each(|area| area.check(&gauges))?;
        let Unchecked {
            target, essential, horizon_h, stale_after_h, offset_decay_h, band_measured, band_per_h, ..
        } = from;
        let (band_assumed_per_h, validity, ensemble, rain, set) =
            (from.band_assumed_per_h, from.validity, from.ensemble, from.rain, from.set);
        Ok(Self {
            target,
            essential,
            horizon_h,
            stale_after_h,
            offset_decay_h,
            band_measured,
            band_per_h,
            band_assumed_per_h,
            validity,
            ensemble,
            rain,
            set,
        })
    }
}

impl ForecastSettings {
    /// The set for a largest upstream sum, m³/s.
    pub(super) fn set_for(&self, sum_m3s: f64) -> Option<&ParameterSet> {
        self.set.iter().rev().find(|set| set.from_m3s <= sum_m3s).or(self.set.first())
    }
    /// Every upstream station of any set.
    pub(super) fn stations(&self) -> impl Iterator<Item = &str> {
        self.set.iter().flat_map(|set| set.station.keys().map(String::as_str))
    }
}
