//! How good the forecast was on floods of the past, played hour by hour.
//!
//! In: settings, thresholds and hourly rows of a flood. Out: errors by lead with their grades, how often the band held what came,
//! crossings of thresholds with the hours gained and false warnings, warnings by threshold and lead, the crest by the hours before it.
//! It sees only what was known at each hour. A flood without upstream series gets no forecast: then "it stays as it is" alone is judged.

pub mod events;
pub mod standard;

use super::route::{Spread, crps};
use super::settings::ForecastSettings;
use super::{Forecast, Forecaster};
use crate::model::{Observation, Quality, SeriesId, Timestamp};
use chrono::TimeDelta;
use events::{Alert, AlertEvents, Said, events};
use standard::{Judged, permitted_h, permitted_m3s};
use std::collections::BTreeMap;

/// Hours ahead at which errors are taken.
pub const LEADS_H: [usize; 6] = [3, 6, 12, 24, 36, 48];
/// Discharges whose passing is to be foreseen, m³/s.
pub const THRESHOLDS_M3S: [f64; 6] = [3000.0, 4000.0, 6000.0, 8000.0, 10_000.0, 15_000.0];
/// Probability from which a warning by members counts.
pub const WARN_FROM: f64 = 0.5;
/// Below this the river is no flood and errors are not counted, m³/s.
pub const FLOOD_FROM_M3S: f64 = 3000.0;

/// One hour of a flood.
#[derive(Debug, Clone, PartialEq)]
pub struct FloodHour {
    /// The hour.
    pub at: Timestamp,
    /// At the target, m³/s.
    pub target_m3s: Option<f64>,
    /// Station → m³/s.
    pub upstream_m3s: BTreeMap<String, f64>,
}

/// Errors at one lead, over the hours in which the river came to be a flood.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LeadSkill {
    /// The plain forecast.
    pub plain: Judged,
    /// "It stays as it is", also where nothing could be forecast.
    pub still: Judged,
    /// How often the band held what came.
    pub band: Spread,
    scores_m3s: f64,
}

impl LeadSkill {
    /// Mean continuous ranked probability score of the members, m³/s.
    pub fn crps_m3s(&self) -> Option<f64> {
        (self.plain.count > 0).then(|| self.scores_m3s / self.plain.count as f64)
    }
}

/// Warnings for one threshold within one lead: hours below it after which it was, or was said to be, passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Warnings {
    /// Said and came.
    pub hits: usize,
    /// Came unsaid.
    pub misses: usize,
    /// Said and did not come.
    pub false_alarms: usize,
    /// Neither.
    pub quiet: usize,
}

impl Warnings {
    fn add(&mut self, said: bool, came: bool) {
        *match (said, came) {
            (true, true) => &mut self.hits,
            (false, true) => &mut self.misses,
            (true, false) => &mut self.false_alarms,
            (false, false) => &mut self.quiet,
        } += 1;
    }
    /// Another flood's.
    pub fn join(&mut self, other: Self) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.false_alarms += other.false_alarms;
        self.quiet += other.quiet;
    }
}

/// The crest as foreseen some hours before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrestSkill {
    /// Hours before the crest.
    pub before_h: i64,
    /// Foreseen over real − 1.
    pub error: f64,
    /// Hours by which the foreseen crest is late.
    pub late_h: i64,
    /// Whether the band held the real crest at its hour.
    pub inside: bool,
    /// Whether its height lies within the permissible error.
    pub height_qualified: bool,
    /// Whether its hour lies within the permissible error.
    pub hour_qualified: bool,
}

/// One flood.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verification {
    /// By lead, in the order of [`LEADS_H`].
    pub leads: Vec<LeadSkill>,
    /// By threshold and lead (orders of [`THRESHOLDS_M3S`], [`LEADS_H`]): by the plain forecast, and by the members.
    pub warnings: Vec<Vec<[Warnings; 2]>>,
    /// By threshold, in the order in which they were given.
    pub events: Vec<AlertEvents>,
    /// The crest.
    pub crest: Vec<CrestSkill>,
}

/// Plays a flood with perfect gauges, a forecast at every whole `every_h` hours.
pub fn verify(settings: &ForecastSettings, hours: &[FloodHour], every_h: i64, alerts: &[Alert]) -> Verification {
    let mut forecaster = Forecaster::new(settings.clone());
    let truth: BTreeMap<Timestamp, f64> = hours.iter().filter_map(|hour| Some((hour.at, hour.target_m3s?))).collect();
    let mut told = Verification {
        leads: vec![LeadSkill::default(); LEADS_H.len()],
        warnings: vec![vec![[Warnings::default(); 2]; LEADS_H.len()]; THRESHOLDS_M3S.len()],
        events: Vec::new(),
        crest: Vec::new(),
    };
    let mut said: Vec<Vec<Said>> = vec![Vec::new(); alerts.len()];
    let crest = truth.iter().fold(None, |best: Option<(Timestamp, f64)>, (at, q)| match best {
        Some((_, highest)) if highest >= *q => best,
        _ => Some((*at, *q)),
    });
    let seen = |series: SeriesId, at: Timestamp, value: f64| Observation {
        series,
        at,
        received_at: at,
        value,
        quality: Quality::GOOD,
    };
    for hour in hours {
        for (station, value) in &hour.upstream_m3s {
            forecaster.observe(&seen(format!("{station}.discharge").as_str().into(), hour.at, *value));
        }
        let Some(now) = hour.target_m3s else { continue };
        forecaster.observe(&seen(settings.target.clone(), hour.at, now));
        if hour.at.timestamp() % (every_h.max(1) * 3600) != 0 {
            continue;
        }
        told.look_at_standing_still(hour.at, now, &truth);
        if let Some(forecast) = forecaster.forecast(hour.at) {
            told.look(&forecast, now, &truth, crest);
            for (alert, said) in alerts.iter().zip(&mut said) {
                let reached = said_by(&forecast, alert.foreseen_from_m3s, alert.within_h as usize);
                said.push(Said { at: hour.at, reached });
            }
        }
    }
    told.events = alerts.iter().zip(&said).map(|(alert, said)| events(alert, &truth, said)).collect();
    told
}

/// Whether a forecast reaches a discharge within so many hours: by its plain line, by its members.
fn said_by(forecast: &Forecast, at_least_m3s: f64, within_h: usize) -> [bool; events::SOURCES] {
    let plain = forecast.points.iter().take(within_h).any(|point| point.q_m3s >= at_least_m3s);
    let members = forecast.probability(at_least_m3s, within_h).is_some_and(|share| share >= WARN_FROM);
    [plain, members]
}

impl Verification {
    fn look_at_standing_still(&mut self, at: Timestamp, now: f64, truth: &BTreeMap<Timestamp, f64>) {
        for (lead, hours) in self.leads.iter_mut().zip(LEADS_H) {
            let then = at + TimeDelta::hours(i64::try_from(hours).unwrap_or(0));
            if let Some(came) = truth.get(&then).filter(|came| **came >= FLOOD_FROM_M3S) {
                lead.still.add(now, now, *came);
            }
        }
    }

    fn look(
        &mut self,
        forecast: &Forecast,
        now: f64,
        truth: &BTreeMap<Timestamp, f64>,
        crest: Option<(Timestamp, f64)>,
    ) {
        for (lead, hours) in self.leads.iter_mut().zip(LEADS_H) {
            let Some(point) = forecast.points.get(hours - 1) else { continue };
            let Some(came) = truth.get(&point.at).filter(|came| **came >= FLOOD_FROM_M3S) else { continue };
            let members: Vec<f64> = forecast.members.iter().filter_map(|one| one.get(hours - 1)).copied().collect();
            lead.plain.add(point.q_m3s, now, *came);
            lead.scores_m3s += if members.is_empty() { (point.q_m3s - came).abs() } else { crps(&members, *came) };
            lead.band.add(point.low_m3s, point.high_m3s, *came);
        }
        let issued = forecast.issued_at;
        for (threshold, row) in THRESHOLDS_M3S.iter().zip(&mut self.warnings) {
            if now >= *threshold {
                continue;
            }
            for (cell, hours) in row.iter_mut().zip(LEADS_H) {
                let until = issued + TimeDelta::hours(i64::try_from(hours).unwrap_or(0));
                if truth.last_key_value().is_none_or(|(last, _)| *last < until) {
                    continue;
                }
                let came = truth.range(issued..=until).any(|(_, q)| q >= threshold);
                let said = said_by(forecast, *threshold, hours);
                cell.iter_mut().zip(said).for_each(|(cell, said)| cell.add(said, came));
            }
        }
        if let Some((at, highest)) = crest
            && [3, 6, 8, 10, 12, 18, 24].contains(&(at - issued).num_hours())
            && (at - issued).num_minutes() % 60 == 0
            && let Some(peak) = forecast.peak()
            && let Some(point) = forecast.points.iter().find(|point| point.at == at)
        {
            let (before_h, late_h) = ((at - issued).num_hours(), (peak.at - at).num_hours());
            self.crest.push(CrestSkill {
                before_h,
                error: peak.q_m3s / highest - 1.0,
                late_h,
                inside: (point.low_m3s..=point.high_m3s).contains(&highest),
                height_qualified: (peak.q_m3s - highest).abs() <= permitted_m3s(now, highest),
                hour_qualified: late_h.abs() as f64 <= permitted_h(before_h as f64),
            });
        }
    }
}

#[cfg(test)]
#[path = "verify/tests.rs"]
mod tests;
