//! How good the forecast was on floods of the past, played hour by hour.
//!
//! In: settings and hourly rows of a flood. Out: errors by lead, how often the band held what came, warnings that came true, were missed
//! or false by threshold and lead, the crest by the hours before it. It sees only what was known at each hour.

use super::route::{Spread, crps};
use super::settings::ForecastSettings;
use super::{Forecast, Forecaster};
use crate::model::{Observation, Quality, SeriesId, Timestamp};
use chrono::TimeDelta;
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
    /// Forecasts looked at.
    pub count: usize,
    /// Mean of forecast − came, m³/s.
    pub bias_m3s: f64,
    /// Mean absolute error, m³/s.
    pub error_m3s: f64,
    /// Of "it stays as it is", m³/s.
    pub standing_still_m3s: f64,
    /// Continuous ranked probability score of the members, m³/s.
    pub crps_m3s: f64,
    /// How often the band held what came.
    pub band: Spread,
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
}

/// One flood.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verification {
    /// By lead, in the order of [`LEADS_H`].
    pub leads: Vec<LeadSkill>,
    /// By threshold and lead (orders of [`THRESHOLDS_M3S`], [`LEADS_H`]): by the plain forecast, and by the members.
    pub warnings: Vec<Vec<[Warnings; 2]>>,
    /// The crest.
    pub crest: Vec<CrestSkill>,
}

/// Plays a flood with perfect gauges, a forecast at every whole `every_h` hours.
pub fn verify(settings: &ForecastSettings, hours: &[FloodHour], every_h: i64) -> Verification {
    let mut forecaster = Forecaster::new(settings.clone());
    let truth: BTreeMap<Timestamp, f64> = hours.iter().filter_map(|hour| Some((hour.at, hour.target_m3s?))).collect();
    let mut told = Verification {
        leads: vec![LeadSkill::default(); LEADS_H.len()],
        warnings: vec![vec![[Warnings::default(); 2]; LEADS_H.len()]; THRESHOLDS_M3S.len()],
        crest: Vec::new(),
    };
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
        let due = hour.at.timestamp() % (every_h.max(1) * 3600) == 0;
        if let Some(forecast) = due.then(|| forecaster.forecast(hour.at)).flatten() {
            told.look(&forecast, now, &truth, crest);
        }
    }
    for lead in &mut told.leads {
        let count = (lead.count as f64).max(1.0);
        for sum in [&mut lead.bias_m3s, &mut lead.error_m3s, &mut lead.standing_still_m3s, &mut lead.crps_m3s] {
            *sum /= count;
        }
    }
    told
}

impl Verification {
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
            lead.count += 1;
            lead.bias_m3s += point.q_m3s - came;
            lead.error_m3s += (point.q_m3s - came).abs();
            lead.standing_still_m3s += (now - came).abs();
            lead.crps_m3s += if members.is_empty() { (point.q_m3s - came).abs() } else { crps(&members, *came) };
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
                let plain = forecast.points.iter().take(hours).any(|point| point.q_m3s >= *threshold);
                let likely = forecast.probability(*threshold, hours).is_some_and(|share| share >= WARN_FROM);
                cell[0].add(plain, came);
                cell[1].add(likely, came);
            }
        }
        if let Some((at, highest)) = crest
            && [3, 6, 8, 10, 12, 18, 24].contains(&(at - issued).num_hours())
            && (at - issued).num_minutes() % 60 == 0
            && let Some(peak) = forecast.peak()
            && let Some(point) = forecast.points.iter().find(|point| point.at == at)
        {
            self.crest.push(CrestSkill {
                before_h: (at - issued).num_hours(),
                error: peak.q_m3s / highest - 1.0,
                late_h: (peak.at - at).num_hours(),
                inside: (point.low_m3s..=point.high_m3s).contains(&highest),
            });
        }
    }
}
