//! Verification by events: did the river cross a threshold, was it foreseen, how early, and what was said for nothing.
//!
//! In: a threshold, what came hour by hour, and at which moments a forecast said that the threshold would be reached. Out: crossings with
//! the hours gained, and false warnings. A crossing ends when the river has fallen below the threshold's clear value: a second crest
//! above it is another crossing only after that. Numbers are small: they are given as counts.

use super::standard::permitted_h;
use crate::model::Timestamp;
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// What says that a threshold will be reached: the plain forecast, and the members.
pub const SOURCES: usize = 2;
/// A warning that no forecast has repeated for so long is withdrawn, h; shorter gaps are flicker.
const WITHDRAWN_H: i64 = 2;

/// A discharge whose crossing is to be foreseen.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Name of a level or of a band.
    pub name_zh: String,
    /// The same.
    pub name_en: String,
    /// The river crosses it at this discharge, m³/s.
    pub at_least_m3s: f64,
    /// A forecast says so from this discharge on, m³/s …
    pub foreseen_from_m3s: f64,
    /// … within so many hours.
    pub within_h: u32,
    /// A crossing is over below this discharge, m³/s.
    pub clear_m3s: f64,
}

impl Alert {
    /// Hours by which a crossing may come later than was said: the permissible error of a moment so far ahead.
    pub fn tolerance_h(&self) -> i64 {
        permitted_h(f64::from(self.within_h)) as i64
    }
    /// A forecast is borne out by a crossing within so many hours.
    pub fn reach_h(&self) -> i64 {
        i64::from(self.within_h) + self.tolerance_h()
    }
}

/// A forecast looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Said {
    /// When it was made.
    pub at: Timestamp,
    /// Whether it said that the threshold would be reached: by the plain forecast, by the members.
    pub reached: [bool; SOURCES],
}

/// How a crossing was foreseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gained {
    /// Hours from the first forecast that said so, of those borne out by the crossing, to the crossing.
    pub first_h: i64,
    /// Hours for which the warning stood until the crossing; 0 where it had been withdrawn.
    pub unbroken_h: i64,
    /// The very first forecast at hand said so: more may have been gained.
    pub at_least: bool,
}

/// The river came from below to a threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossing {
    /// First hour at or above it.
    pub at: Timestamp,
    /// By the plain forecast, by the members; `None`: it was not foreseen.
    pub gained: [Option<Gained>; SOURCES],
    /// Forecasts within the reach before it: none, where nothing was forecast, and then nothing was missed.
    pub forecasts: usize,
}

/// One threshold in one flood.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AlertEvents {
    /// In the order of time.
    pub crossings: Vec<Crossing>,
    /// Beginnings of warnings that no crossing bore out within the reach: by the plain forecast, by the members.
    pub false_warnings: [Vec<Timestamp>; SOURCES],
    /// Beginnings of warnings whose time had not passed when the flood's file ended: they are neither.
    pub open: [Vec<Timestamp>; SOURCES],
}

/// Events counted over floods.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventCount {
    /// Crossings foreseen.
    pub hits: usize,
    /// Crossings not foreseen.
    pub misses: usize,
    /// Warnings without a crossing.
    pub false_warnings: usize,
}

impl EventCount {
    /// Takes in one threshold of one flood, by one of the [`SOURCES`].
    pub fn add(&mut self, events: &AlertEvents, source: usize) {
        let judged = events.crossings.iter().filter(|one| one.forecasts > 0);
        for crossing in judged {
            let is_hit = crossing.gained.get(source).is_some_and(Option::is_some);
            *(if is_hit { &mut self.hits } else { &mut self.misses }) += 1;
        }
        self.false_warnings += events.false_warnings.get(source).map_or(0, Vec::len);
    }
    /// Probability of detection: hits of crossings.
    pub fn pod(&self) -> (usize, usize) {
        (self.hits, self.hits + self.misses)
    }
    /// False alarm ratio: false warnings of warnings.
    pub fn far(&self) -> (usize, usize) {
        (self.false_warnings, self.hits + self.false_warnings)
    }
    /// Critical success index: hits of all that came or was said.
    pub fn csi(&self) -> (usize, usize) {
        (self.hits, self.hits + self.misses + self.false_warnings)
    }
}

/// Crossings and warnings of one threshold in one flood; `said` in the order of time.
pub fn events(alert: &Alert, truth: &BTreeMap<Timestamp, f64>, said: &[Said]) -> AlertEvents {
    let spans = spans(alert, truth);
    let is_over = |at: Timestamp| spans.iter().any(|span| span.from <= at && at < span.until);
    // While the river stands above it nothing is left to be foreseen.
    let below: Vec<Said> = said.iter().filter(|one| !is_over(one.at)).copied().collect();
    let reach = TimeDelta::hours(alert.reach_h());
    let begun: Vec<Timestamp> = spans.iter().filter(|span| span.came_from_below).map(|span| span.from).collect();
    // What was said before an earlier crossing was said of that one.
    let clear_since = |at: Timestamp| spans.iter().rfind(|span| span.from < at).map(|span| span.until);
    let mut told = AlertEvents::default();
    let warnings: [Vec<Warning>; SOURCES] = std::array::from_fn(|source| warnings(&below, &spans, source));
    for at in &begun {
        let from = clear_since(*at).map_or(*at - reach, |clear| clear.max(*at - reach));
        let before: Vec<&Said> = below.iter().filter(|one| from <= one.at && one.at < *at).collect();
        let gained = std::array::from_fn(|source| {
            let first = before.iter().find(|one| one.reached[source])?.at;
            let last = warnings[source].iter().rfind(|warning| warning.from < *at)?;
            let stood = (!last.withdrawn).then(|| hours(*at - last.from.max(first)));
            let at_least = said.first().is_some_and(|earliest| earliest.at == first);
            Some(Gained { first_h: hours(*at - first), unbroken_h: stood.unwrap_or(0), at_least })
        });
        told.crossings.push(Crossing { at: *at, gained, forecasts: before.len() });
    }
    let ends = truth.last_key_value().map(|(last, _)| *last);
    for (source, warnings) in warnings.iter().enumerate() {
        for warning in warnings {
            let until = warning.from + reach;
            if begun.iter().any(|at| *at > warning.from && *at <= until) {
                continue;
            }
            let is_open = ends.is_none_or(|last| last < until);
            let list = if is_open { &mut told.open } else { &mut told.false_warnings };
            list[source].push(warning.from);
        }
    }
    told
}

fn hours(span: TimeDelta) -> i64 {
    span.num_hours()
}

/// Time for which the river stands above a threshold, until it is clear.
struct Span {
    from: Timestamp,
    until: Timestamp,
    /// The file does not begin with it.
    came_from_below: bool,
}

fn spans(alert: &Alert, truth: &BTreeMap<Timestamp, f64>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut over = false;
    let mut was_below = false;
    for (at, q) in truth {
        if !over && *q >= alert.at_least_m3s {
            over = true;
            spans.push(Span { from: *at, until: Timestamp::MAX_UTC, came_from_below: was_below });
        } else if over && *q < alert.clear_m3s {
            over = false;
            if let Some(span) = spans.last_mut() {
                span.until = *at;
            }
        }
        was_below = true;
    }
    spans
}

/// Forecasts that said so one after the other.
struct Warning {
    from: Timestamp,
    withdrawn: bool,
}

fn warnings(below: &[Said], spans: &[Span], source: usize) -> Vec<Warning> {
    let mut list: Vec<Warning> = Vec::new();
    // The last forecast that said so, while the warning stands.
    let mut last: Option<Timestamp> = None;
    for one in below {
        if last.is_some_and(|last| spans.iter().any(|span| last < span.from && span.from <= one.at)) {
            last = None; // The river came: what is said after that is said of another crossing.
        }
        if one.reached[source] {
            if last.is_none() {
                list.push(Warning { from: one.at, withdrawn: false });
            }
            last = Some(one.at);
        } else if last.is_some_and(|last| hours(one.at - last) >= WITHDRAWN_H) {
            last = None;
            if let Some(warning) = list.last_mut() {
                warning.withdrawn = true;
            }
        }
    }
    list
}
