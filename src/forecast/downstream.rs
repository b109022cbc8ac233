//! A flood on its way down the river: what passes the target comes to station after station below it, later and flatter.
//!
//! In: `downstream.toml` and hourly discharges at the first station. Out: the course at every station, its crest and when it comes;
//! and, from floods of the past, the travel times that fit them. It refuses stations out of order and numbers that mean nothing.
//! The bed of the lower river moves: parameters hold for the floods named in the file and say so.

use super::route::{self, CREST_FLAT, Cascade, Node, RouteFault, Router, Search, minimise};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Step of the routing, in s.
pub const STEP_S: f64 = 3600.0;
/// The weight of the inflow at most: above it a steep rise begins with a deep dip.
const X_MOST: f64 = 0.2;
/// Bounds of the speed of a flood wave, m/s: behind the levees of a wide floodplain, and in a deep channel.
const SPEED_MS: (f64, f64) = (0.15, 3.5);
/// An error of the crest that weighs as much as [`TIME_ERROR`], as a share.
const CREST_ERROR: f64 = 0.04;
/// An error of the crest's time that weighs as much as [`CREST_ERROR`], as a share of the time since the first station.
const TIME_ERROR: f64 = 0.05;
/// What is listed to the hour may be wrong by so much, in hours; what is listed to the day by half a day.
const TIME_LEAST_H: f64 = 2.0;
/// Keeps travel times of neighbouring discharges alike where no flood speaks against it.
const SMOOTH: f64 = 0.3;
/// Draws towards the travel times as given: they hold where no flood says anything.
const GIVEN: f64 = 0.05;

/// Travel time of a stretch at a discharge.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TravelTime {
    /// m³/s.
    pub q_m3s: f64,
    /// Hours from the station above to this one.
    pub k_h: f64,
}

/// One station below the first.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Below {
    /// As in `floods/station_peaks.csv`.
    pub station: String,
    /// 站名.
    pub name_zh: String,
    /// Name.
    pub name_en: String,
    /// Distance along the river from the first station, km.
    pub km: f64,
    /// Weight of the inflow in each part, 0…0.5.
    pub x: f64,
    /// Parts of the stretch: the more, the less a wave is drawn out.
    pub parts: usize,
    /// Rising by discharge.
    pub travel: Vec<TravelTime>,
}

/// Settings of the way down.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, try_from = "Unchecked")]
pub struct Downstream {
    /// The station whose discharge goes down.
    pub from: String,
    /// On which floods the travel times were set, and what they cannot do.
    pub validity: String,
    /// In the order of the river.
    pub below: Vec<Below>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    from: String,
    validity: String,
    below: Vec<Below>,
}

impl TryFrom<Unchecked> for Downstream {
    type Error = String;
    fn try_from(Unchecked { from, validity, below }: Unchecked) -> Result<Self, String> {
        if below.is_empty() || !below.windows(2).all(|pair| matches!(pair, [a, b] if a.km < b.km)) {
            return Err("[[below]]: 至少一站，按 km 递增 (give at least one station, rising by km)".into());
        }
        for one in &below {
            let problem = |fault: RouteFault| format!("[[below]] {}: {fault}", one.station);
            if !(one.km.is_finite() && one.km > 0.0) {
                return Err(format!("[[below]] {}: km = {} 须大于 0 (must be above 0)", one.station, one.km));
            }
            router(one).route(&[0.0], STEP_S, None).map_err(problem)?;
        }
        Ok(Self { from, validity, below })
    }
}

/// The course of a flood at one station.
#[derive(Debug, Clone, PartialEq)]
pub struct Passing {
    /// Hourly, the first at the moment of the first inflow, m³/s.
    pub q_m3s: Vec<f64>,
    /// The highest, m³/s.
    pub crest_m3s: f64,
    /// Hours from the first inflow to it, see [`route::crest`].
    pub crest_h: f64,
    /// The lowest crest of the stations above, m³/s: no river lifts it.
    pub came_m3s: f64,
}

impl Passing {
    fn of(q_m3s: Vec<f64>, came_m3s: f64, is_flat: bool) -> Self {
        let (crest_h, crest_m3s) = crest_of(&q_m3s, came_m3s, is_flat);
        Self { q_m3s, crest_m3s, crest_h, came_m3s }
    }
}

/// Hour and height of the crest of hourly discharges, see [`route::crest`]; zeros where there are none.
pub fn crest(q_m3s: &[f64]) -> (f64, f64) {
    crest_of(q_m3s, f64::INFINITY, is_flat_topped(q_m3s))
}

/// Whether hourly discharges stand at their crest, see [`route::is_flat_topped`].
pub fn is_flat_topped(q_m3s: &[f64]) -> bool {
    route::is_flat_topped(q_m3s, STEP_S)
}

/// Hour at which a river has first risen by half of the way from its first discharge to its crest.
pub fn front_h(q_m3s: &[f64]) -> Option<f64> {
    let (_, highest) = crest(q_m3s);
    let half = 0.5 * (q_m3s.first()? + highest);
    q_m3s.iter().position(|q| *q >= half).map(|hour| hour as f64)
}

fn crest_of(q_m3s: &[f64], came_m3s: f64, is_flat: bool) -> (f64, f64) {
    route::crest(q_m3s, came_m3s, is_flat).map_or((0.0, 0.0), |(hour, highest)| (hour as f64, highest))
}

/// Share of the rise of a crest above which a river is still in flood.
const IN_FLOOD: f64 = 0.5;

/// The discharge from which a river is in flood, m³/s: the middle between its lowest and its crest. Infinite for one that hardly moves.
pub fn in_flood_from(q_m3s: &[f64]) -> f64 {
    let (_, highest) = crest(q_m3s);
    let lowest = q_m3s.iter().copied().fold(f64::INFINITY, f64::min);
    if highest - lowest > TROUGH * highest { lowest + IN_FLOOD * (highest - lowest) } else { f64::INFINITY }
}

/// Whether discharges end while the river is in flood: held, they would go on as a flood without end.
pub fn ends_high(q_m3s: &[f64]) -> bool {
    q_m3s.last().is_some_and(|last| *last > in_flood_from(q_m3s))
}

/// The first station whose crest is nothing but the last discharge, held: the flood itself has worn down below it.
pub fn held_at(inflow_m3s: &[f64], passing: &[Passing]) -> Option<usize> {
    let (first, last) = (inflow_m3s.first()?, inflow_m3s.last()?);
    let rises = *last > first * (1.0 + CREST_FLAT) && in_flood_from(inflow_m3s).is_finite();
    passing.iter().position(|one| rises && one.crest_m3s <= last * (1.0 + CREST_FLAT))
}

/// A second crest is one from this share of the highest on, with the river fallen by [`TROUGH`] of the highest in between.
const SECOND_CREST: f64 = 0.5;
/// Share of the highest discharge by which the river falls between two crests.
const TROUGH: f64 = 0.1;

/// The part of a flood that its crest is made of: hours that carry this share of the highest discharge or more.
const ABOUT_CREST: f64 = 0.5;

/// Lowest of the hourly discharges of which the crest is made, m³/s. The base flow before and after the flood is no part of it: it only
/// fills the reaches to begin with. Infinite where there are none.
pub fn lowest_about_crest(q_m3s: &[f64]) -> f64 {
    let (_, highest) = crest(q_m3s);
    q_m3s.iter().copied().filter(|q| *q >= ABOUT_CREST * highest).fold(f64::INFINITY, f64::min)
}

/// Number of crests of hourly discharges that lie apart and matter beside the highest, at least 1: on the way down a later,
/// longer one may come to stand above the one that was highest.
pub fn crests(q_m3s: &[f64]) -> usize {
    let (_, highest) = crest(q_m3s);
    let (mut count, mut top, mut low) = (0, f64::NEG_INFINITY, f64::INFINITY);
    // Rising: `top` is the crest that comes; fallen far enough below it, it counts, and `low` waits for the next rise.
    let mut rising = true;
    for q in q_m3s {
        if rising {
            top = top.max(*q);
            if *q <= top - TROUGH * highest {
                count += usize::from(top >= SECOND_CREST * highest);
                (rising, low) = (false, *q);
            }
        } else {
            low = low.min(*q);
            if *q >= low + TROUGH * highest {
                (rising, top) = (true, *q);
            }
        }
    }
    let open = rising && top >= SECOND_CREST * highest;
    (count + usize::from(open)).max(1)
}

impl Downstream {
    /// Lowest and highest discharge that every station has a travel time for, m³/s; beyond it the outermost one is taken.
    pub fn covers_m3s(&self) -> (f64, f64) {
        let ends = |one: &Below| Some((one.travel.first()?.q_m3s, one.travel.last()?.q_m3s));
        let narrower = |all: (f64, f64), one: (f64, f64)| (all.0.max(one.0), all.1.min(one.1));
        self.below.iter().filter_map(ends).fold((f64::NEG_INFINITY, f64::INFINITY), narrower)
    }

    /// The flood at every station below, in order. `inflow_m3s` is hourly; the river begins steady.
    ///
    /// # Errors
    /// See [`RouteFault`].
    pub fn route(&self, inflow_m3s: &[f64]) -> Result<Vec<Passing>, RouteFault> {
        let mut above = inflow_m3s.to_vec();
        let mut passing = Vec::with_capacity(self.below.len());
        let ((_, mut came_m3s), is_flat) = (crest(inflow_m3s), is_flat_topped(inflow_m3s));
        for one in &self.below {
            above = flow(one, &above)?;
            let here = Passing::of(above.clone(), came_m3s, is_flat);
            came_m3s = came_m3s.min(here.crest_m3s);
            passing.push(here);
        }
        Ok(passing)
    }
}

/// What comes out of a stretch. A dip below zero at the front of a steep rise, which the method makes, is no river: there it stands dry
/// until what follows has made up for it, so that no water is made.
fn flow(one: &Below, inflow_m3s: &[f64]) -> Result<Vec<f64>, RouteFault> {
    let routed = router(one).route(inflow_m3s, STEP_S, None)?;
    let mut owed = 0.0;
    let passed = |q: f64| {
        let left: f64 = q + owed;
        owed = left.min(0.0);
        left.max(0.0)
    };
    Ok(routed.outflow_m3s.into_iter().map(passed).collect())
}

fn router(one: &Below) -> Router {
    let nodes = one.travel.iter().map(|at| Node { q_m3s: at.q_m3s, k_h: at.k_h }).collect();
    Router::Cascade(Cascade { nodes, x: one.x, parts: one.parts })
}

/// A crest as it was listed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ListedCrest {
    /// m³/s.
    pub m3s: f64,
    /// Hours from the first inflow, and how far that may be wrong; `None`: no time was listed.
    pub at_h: Option<(f64, f64)>,
}

/// A flood of the past.
#[derive(Debug, Clone, PartialEq)]
pub struct PastFlood {
    /// Hourly at the first station, m³/s.
    pub inflow_m3s: Vec<f64>,
    /// By station.
    pub listed: BTreeMap<String, ListedCrest>,
}

/// The same stations with the travel times that fit listed crests best, stretch after stretch, each below what was fitted above it.
/// Distances, parts and the discharges of the nodes stay. The same question gives the same answer.
///
/// # Errors
/// See [`RouteFault`].
pub fn fit(settings: &Downstream, floods: &[PastFlood], seed: u64) -> Result<Downstream, RouteFault> {
    let mut fitted = settings.clone();
    let mut above: Vec<Vec<f64>> = floods.iter().map(|flood| flood.inflow_m3s.clone()).collect();
    let mut km_above = 0.0;
    for one in &mut fitted.below {
        let km = one.km - km_above;
        km_above = one.km;
        let hours = |speed_ms: f64| (km / speed_ms / 3.6).ln();
        let mut bounds = vec![(hours(SPEED_MS.1), hours(SPEED_MS.0)); one.travel.len()];
        bounds.push((0.0, X_MOST));
        let told: Vec<_> =
            floods.iter().zip(&above).filter(|(flood, _)| flood.listed.contains_key(&one.station)).collect();
        if !told.is_empty() {
            let best = minimise(&Search::new(bounds, seed), |at| {
                let tried = with(one, at);
                let errors = told.iter().map(|(flood, inflow)| error(&tried, flood, inflow)).sum::<f64>();
                errors + roughness(at) + strangeness(one, at)
            });
            *one = with(one, &best.parameters);
        }
        for inflow in &mut above {
            *inflow = flow(one, inflow)?;
        }
    }
    Ok(fitted)
}

/// Parameters of the search: the logarithm of each travel time, then x.
fn with(one: &Below, at: &[f64]) -> Below {
    let mut tried = one.clone();
    for (travel, ln_k) in tried.travel.iter_mut().zip(at) {
        travel.k_h = ln_k.exp();
    }
    tried.x = at.last().copied().unwrap_or(tried.x);
    tried
}

fn error(tried: &Below, flood: &PastFlood, inflow: &[f64]) -> f64 {
    let Some(listed) = flood.listed.get(&tried.station) else { return 0.0 };
    let Ok(q_m3s) = flow(tried, inflow) else { return f64::INFINITY };
    let passing = Passing::of(q_m3s, crest(inflow).1, is_flat_topped(&flood.inflow_m3s));
    let high = (passing.crest_m3s / listed.m3s - 1.0) / CREST_ERROR;
    let (begins, _) = crest(&flood.inflow_m3s);
    let late = listed.at_h.map_or(0.0, |(at_h, within_h)| {
        let allowed = within_h.max(TIME_LEAST_H) + TIME_ERROR * (at_h - begins).abs();
        (passing.crest_h - at_h) / allowed
    });
    high * high + late * late
}

/// How much travel times differ from node to node.
fn roughness(at: &[f64]) -> f64 {
    let travel = at.split_last().map_or(&[][..], |(_, travel)| travel);
    SMOOTH * travel.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum::<f64>()
}

/// How far travel times are from those that were given.
fn strangeness(given: &Below, at: &[f64]) -> f64 {
    GIVEN * given.travel.iter().zip(at).map(|(given, ln_k)| (ln_k - given.k_h.ln()).powi(2)).sum::<f64>()
}

#[cfg(test)]
#[path = "downstream_tests.rs"]
mod tests;
