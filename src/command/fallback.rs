//! What stands in for a gauge that is silent or refused: another sensor of the same water, or the rating of its section, in the
//! order that the station's file gives (`fallback`). Never in silence: what it is taken from goes with the value to every screen and into
//! the chain of evidence, the value is *estimated*, it is kept as a series of its own, and the outage is told as before.

use super::watch::GaugeView;
use super::{ReadingRef, Watch};
use crate::model::{Causes, Grade, Observation, Quality, SeriesId, Timestamp};
use crate::quality::{Freshness, Judge, Substitute};

/// Observations that wait for the store at most; nobody took them away for long then.
const WAITING_MAX: usize = 10_000;

/// What is shown in place of a gauge.
#[derive(Debug, Clone, PartialEq)]
pub struct StandIn {
    /// In the unit of the gauge.
    pub value: f64,
    /// When the water was like this, by the gauge that it is taken from.
    pub at: Timestamp,
    /// The series that it is taken from.
    pub from: SeriesId,
    /// By what: 按备用传感器 b 代替.
    pub zh: String,
    /// By what.
    pub en: String,
}

impl Watch {
    /// Looks for stand-ins of gauges that are silent, and lets go those that are back.
    pub(super) fn stand_in(&mut self, now: Timestamp) {
        for index in 0..self.parts.gauges.len() {
            let found = self.parts.gauges.get(index).and_then(|gauge| self.stand_in_of(gauge, now));
            let Some(gauge) = self.parts.gauges.get_mut(index) else { continue };
            let is_new = found.as_ref().is_some_and(|found| {
                gauge.stand_in.as_ref().is_none_or(|known| (known.at, &known.from) != (found.at, &found.from))
            });
            let series = gauge.series.clone();
            gauge.stand_in.clone_from(&found);
            if let (Some(found), true) = (found, is_new) {
                self.take_estimate(&series, &found, now);
            }
        }
    }

    fn stand_in_of(&self, gauge: &GaugeView, now: Timestamp) -> Option<StandIn> {
        if gauge.freshness_at(now) < Freshness::Stale {
            return None;
        }
        let relations = self.parts.judge.relations_of(&gauge.series)?;
        relations.fallback.iter().find_map(|substitute| {
            let found = self.value_of(&self.parts.judge, &gauge.series, substitute, now)?;
            // Never a value from before the gauge's own last one.
            gauge.time.is_none_or(|own| found.at > own).then_some(found)
        })
    }

    fn value_of(&self, judge: &Judge, wanted: &SeriesId, substitute: &Substitute, now: Timestamp) -> Option<StandIn> {
        let fresh = |series: &SeriesId| {
            let gauge = self.parts.gauges.get(*self.by_series.get(series)?)?;
            let is_usable = gauge.freshness_at(now) <= Freshness::Late && gauge.quality.is_usable();
            is_usable.then_some(())?;
            gauge.value.zip(gauge.time)
        };
        match substitute {
            Substitute::Sensor { series, shift } => {
                let (value, at) = fresh(series)?;
                let sensor = series.sensor().unwrap_or_default();
                let (zh, en) = (format!("按备用传感器 {sensor} 代替"), format!("by the second sensor {sensor}"));
                Some(StandIn { value: value + shift, at, from: series.clone(), zh, en })
            }
            Substitute::Rating => {
                let pair = judge.relations_of(wanted)?.rating.as_ref()?;
                let partner = if *wanted == pair.discharge { &pair.stage } else { &pair.discharge };
                let (known, at) = fresh(partner)?;
                let value = judge.by_rating(wanted, known)?;
                let (zh, en) = ("按水位流量关系代替".to_owned(), "by the rating of the section".to_owned());
                Some(StandIn { value, at, from: partner.clone(), zh, en })
            }
        }
    }

    /// The rules see it as the gauge's own, estimated; the store keeps it beside the gauge.
    fn take_estimate(&mut self, series: &SeriesId, found: &StandIn, now: Timestamp) {
        let quality = Quality { grade: Grade::Estimated, causes: Causes::NONE };
        let (value, at) = (found.value, found.at);
        let seen = Observation { series: series.clone(), at, received_at: now, value, quality };
        self.learn_estimate(&seen);
        self.newest.insert(series.clone(), ReadingRef { series: series.clone(), value, at, quality });
        if self.estimates.len() < WAITING_MAX {
            self.estimates.push(Observation { series: series.estimate(), ..seen });
        }
    }

    /// What an estimate means to the rules and the forecast, now or after a restart.
    pub(super) fn learn_estimate(&mut self, seen: &Observation) {
        self.parts.board.observe(seen);
        if let Some(forecaster) = &mut self.parts.forecaster {
            forecaster.observe(seen);
        }
    }

    /// Estimates since the last call, for the store.
    pub fn drain_estimates(&mut self) -> Vec<Observation> {
        std::mem::take(&mut self.estimates)
    }
}
