//! What is remembered of a series between two readings.

use super::relations::{Learned, Relations};
use super::{Limits, gap};
use crate::model::{Causes, Grade, Observation, Quality, SeriesId, Timestamp};
use chrono::TimeDelta;
use std::collections::VecDeque;
use std::sync::Arc;

/// Values kept for the change per hour; when full the oldest goes.
const WINDOW_MAX: usize = 256;
/// Jumped values kept until they are confirmed; when full the oldest stays suspect for good.
const HELD_MAX: usize = 16;
/// Accepted values whose verdict can still be taken back; when full the oldest keeps its verdict.
const RECENT_MAX: usize = 256;
/// How fast habits (interval, noise) are learned.
const SHARE: f64 = 0.05;
/// Steps below this share of the usual one are a burst: what was stored and is sent on.
const BURST_SHARE: f64 = 0.2;
/// Mean of |difference| of two draws of a normal noise, in its standard deviations.
const MEAN_DIFFERENCE: f64 = 1.128;
/// Counts of equal values forget by this with each run.
const FORGET: f64 = 0.99;
/// Seconds over which the loop of a rating is followed.
const LOOP_S: f64 = 7_200.0;
/// A height that was followed speaks for so long after, in seconds.
const LATELY_S: f64 = 21_600.0;
/// Seconds over which the height of a rating follows the bed.
const BED_S: f64 = 86_400.0;

/// The newest value of a series, whatever its quality.
#[derive(Debug, Clone, Copy)]
pub(super) struct Newest {
    pub(super) at: Timestamp,
    pub(super) received_at: Timestamp,
    pub(super) value: f64,
    pub(super) quality: Quality,
}

/// How far apart things come as a rule, learned one after the other.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rhythm {
    every_s: Option<f64>,
    steps: u32,
}

impl Rhythm {
    /// Seconds, however few steps speak for them.
    pub(super) fn so_far_s(&self) -> Option<f64> {
        self.every_s
    }

    /// Seconds, once enough steps speak for them.
    pub(super) fn usual_s(&self) -> Option<f64> {
        self.every_s.filter(|_| self.steps >= gap::STEPS_LEAST)
    }

    /// A step of so many seconds. What comes in bursts is no rule.
    fn learn(&mut self, step_s: f64) {
        match self.every_s {
            _ if step_s <= 0.0 => return,
            None => self.every_s = Some(step_s),
            Some(usual_s) if step_s < BURST_SHARE * usual_s && self.steps >= gap::STEPS_LEAST => return,
            Some(usual_s) if self.steps < gap::STEPS_LEAST => self.every_s = Some(usual_s.min(step_s)),
            Some(usual_s) => self.every_s = Some(usual_s * (step_s / usual_s).clamp(1.0 - SHARE, 1.0 + SHARE)),
        }
        self.steps = self.steps.saturating_add(1);
    }
}

/// Memory of one series.
#[derive(Debug, Clone, Default)]
pub(super) struct Track {
    /// Its limits, those of the quantity included.
    pub(super) limits: Arc<Limits>,
    /// The others that it is held against.
    pub(super) relations: Arc<Relations>,
    /// The series that should move when this one does.
    pub(super) witness: Option<SeriesId>,
    /// Newest by time.
    pub(super) newest: Option<Newest>,
    /// When anything last came.
    pub(super) arrived_at: Option<Timestamp>,
    /// Seconds between two arrivals as a rule.
    pub(super) arrivals: Rhythm,
    /// Seconds between the moments of two values as a rule.
    pub(super) moments: Rhythm,
    /// How far its clock is behind, after it was seen to run back.
    pub(super) skew_s: Option<f64>,
    /// What came just before, if it was late and in its turn: the first of a clock that ran back looks like that.
    pub(super) behind: Option<Observation>,
    /// Last value that was accepted.
    pub(super) accepted: Option<(Timestamp, f64)>,
    /// Mean difference of two accepted values.
    pub(super) difference: f64,
    /// Accepted values of the last while, oldest first.
    pub(super) window: VecDeque<(Timestamp, f64)>,
    /// Jumped values that wait for others to confirm them.
    pub(super) held: VecDeque<Observation>,
    /// The value that stands still, since when it stands, and when it was last seen to change.
    pub(super) still: Option<(Timestamp, f64)>,
    pub(super) changed_at: Option<Timestamp>,
    /// Repetitions of that value so far; values seen, and how many of them repeated the one before.
    pub(super) run: u32,
    pub(super) seen: f64,
    pub(super) repeated: f64,
    /// Accepted values that a run of equal ones may still take back.
    pub(super) recent: VecDeque<Observation>,
    /// One value in a while, for growth over a long window.
    pub(super) coarse: VecDeque<(Timestamp, f64)>,
    /// The height that this stage and the discharge implied lately, while nothing was in dispute, and of when it is.
    pub(super) lately: Option<(Timestamp, f64)>,
    /// Height of the rating, kept with the main stage of a section.
    pub(super) learned: Option<Learned>,
}

impl Track {
    /// Seconds from `from` to `to`.
    pub(super) fn seconds(from: Timestamp, to: Timestamp) -> f64 {
        (to - from).num_milliseconds() as f64 / 1000.0
    }

    /// Its newest value was refused, for this reason among others.
    pub(super) fn is_refused_for(&self, cause: Causes) -> bool {
        self.newest.is_some_and(|newest| !newest.quality.is_usable() && newest.quality.causes.has(cause))
    }

    /// Its newest value was refused because it moved as the river does not, or because of the rating.
    pub(super) fn has_moved_oddly(&self) -> bool {
        [Causes::RISE, Causes::SPIKE, Causes::RATING].into_iter().any(|cause| self.is_refused_for(cause))
    }

    /// Six standard deviations of the noise of accepted values, in the unit.
    pub(super) fn noise_band(&self) -> f64 {
        6.0 * self.difference / MEAN_DIFFERENCE
    }

    /// Something came, of whatever kind, of a moment; `moment_s`: seconds since the moment of the newest before it.
    pub(super) fn arrive(&mut self, at: Timestamp, moment_s: Option<f64>) {
        let before = self.arrived_at.replace(self.arrived_at.map_or(at, |before| before.max(at)));
        let Some(step_s) = before.map(|before| Self::seconds(before, at)) else { return };
        // A backlog says when the station was heard again, not how often it speaks.
        if moment_s.is_none_or(|moment_s| step_s >= BURST_SHARE * moment_s) {
            self.arrivals.learn(step_s);
        }
    }

    /// Forgets how often it speaks.
    pub(super) fn forget_rhythm(&mut self) {
        (self.arrived_at, self.arrivals, self.moments) = (None, Rhythm::default(), Rhythm::default());
    }

    /// Takes in a value that was judged before, as far as the next one is judged by it.
    pub(super) fn remember(&mut self, seen: &Observation) {
        let moment_s = self.moment_s(seen.at);
        if seen.value.is_finite() {
            self.count_repeats(seen);
            self.keep_coarse(seen);
            if seen.quality.is_usable() {
                self.accept(seen.at, seen.value);
            }
        }
        self.set_newest(seen);
        self.arrive(seen.received_at, moment_s);
    }

    /// Seconds since the moment of the newest value.
    pub(super) fn moment_s(&self, at: Timestamp) -> Option<f64> {
        self.newest.map(|newest| Self::seconds(newest.at, at))
    }

    fn set_newest(&mut self, seen: &Observation) {
        if let Some(step_s) = self.moment_s(seen.at) {
            self.moments.learn(step_s);
        }
        let Observation { at, received_at, value, quality, .. } = *seen;
        self.newest = Some(Newest { at, received_at, value, quality });
    }

    pub(super) fn see(&mut self, seen: &Observation) {
        if seen.value.is_finite() {
            self.count_repeats(seen);
            self.keep_coarse(seen);
        }
        self.set_newest(seen);
        let can_stand = self.limits.frozen_odds.is_some() || self.limits.neighbour_window_s.is_some();
        if can_stand && seen.quality.is_usable() {
            if self.recent.len() >= RECENT_MAX {
                self.recent.pop_front();
            }
            self.recent.push_back(seen.clone());
        }
    }

    fn count_repeats(&mut self, seen: &Observation) {
        let band = self.limits.still_band.unwrap_or(0.0);
        if self.still.is_some_and(|(_, value)| (seen.value - value).abs() <= band) {
            self.run = self.run.saturating_add(1);
            return;
        }
        // A run that was called frozen still counts for something: at low water the last digit stands for longer.
        let was_frozen = self.newest.is_some_and(|newest| newest.quality.causes.has(Causes::FROZEN));
        let run = f64::from(self.run) * if was_frozen { 0.25 } else { 1.0 };
        self.seen = FORGET * self.seen + run + 1.0;
        self.repeated = FORGET * self.repeated + run;
        self.run = 0;
        self.still = Some((seen.at, seen.value));
        self.changed_at = Some(seen.at);
    }

    fn keep_coarse(&mut self, seen: &Observation) {
        let Some(window_s) = self.limits.neighbour_window_s else { return };
        let impossible = Causes::RANGE.with(Causes::SPIKE);
        if seen.quality.grade == Grade::Bad || !seen.quality.causes.without(impossible) {
            return;
        }
        let step_s = window_s / 18.0;
        if self.coarse.back().is_none_or(|(last, _)| Self::seconds(*last, seen.at) >= step_s) {
            self.coarse.push_back((seen.at, seen.value));
        }
        while self.coarse.front().is_some_and(|(oldest, _)| Self::seconds(*oldest, seen.at) > 1.5 * window_s) {
            self.coarse.pop_front();
        }
    }

    /// What was added within a window that ends with a value; `None` where the window is not covered or the sum fell back.
    pub(super) fn growth_to(&self, at: Timestamp, value: f64, window_s: f64) -> Option<f64> {
        let (_, before) = self.coarse.iter().rev().find(|(old, _)| Self::seconds(*old, at) >= window_s)?;
        (value >= *before).then(|| value - before)
    }

    pub(super) fn accept(&mut self, at: Timestamp, value: f64) {
        if let Some((_, before)) = self.accepted {
            let moved = (value - before).abs();
            // A wild one teaches no more than three times what is known.
            let moved = if self.difference > 0.0 { moved.min(3.0 * self.difference) } else { moved };
            self.difference += SHARE * (moved - self.difference);
        }
        self.accepted = Some((at, value));
        if self.limits.rise_per_hour.is_none() {
            return;
        }
        let window = TimeDelta::milliseconds((self.limits.rise_window_s.unwrap_or(600.0) * 1000.0) as i64);
        while self.window.front().is_some_and(|(old, _)| at - *old > window) || self.window.len() >= WINDOW_MAX {
            self.window.pop_front();
        }
        self.window.push_back((at, value));
    }

    pub(super) fn hold(&mut self, seen: Observation) {
        if self.held.len() >= HELD_MAX {
            self.held.pop_front();
        }
        self.held.push_back(seen);
    }

    /// Stage and discharge belong together, undisputed: `height` is what they imply, and the tolerance of the rating.
    pub(super) fn hold_together(&mut self, series: &SeriesId, at: Timestamp, height: Option<(f64, f64)>) {
        let Some((height, tolerance_m)) = height else { return };
        self.follow(at, height, tolerance_m);
        if self.relations.rating.as_ref().is_some_and(|pair| pair.stage == *series) {
            self.learn(at, height, tolerance_m);
        }
    }

    /// Follows the loop of the rating while stage and discharge belong together.
    fn follow(&mut self, at: Timestamp, height: f64, tolerance_m: f64) {
        let Some((before, known)) = self.lately.filter(|(before, _)| Self::seconds(*before, at) <= LATELY_S) else {
            self.lately = Some((at, height));
            return;
        };
        if (height - known).abs() <= tolerance_m {
            let share = (Self::seconds(before, at) / LOOP_S).clamp(0.0, 1.0);
            self.lately = Some((at, known + share * (height - known)));
        }
    }

    /// The height that was followed, while it is not too old to speak for a moment.
    pub(super) fn lately_at(&self, at: Timestamp) -> Option<f64> {
        self.lately.filter(|(before, _)| Self::seconds(*before, at) <= LATELY_S).map(|(_, height)| height)
    }

    /// Learns the height of the rating from a pair that belongs together; a disagreement that outlasts a day is the bed.
    fn learn(&mut self, at: Timestamp, height: f64, tolerance_m: f64) {
        let fresh = Learned { height, pairs: 1, at, doubt_since: None };
        let Some(known) = &mut self.learned else {
            self.learned = Some(fresh);
            return;
        };
        if (height - known.height).abs() > tolerance_m {
            let since = *known.doubt_since.get_or_insert(at);
            if Self::seconds(since, at) > BED_S {
                self.learned = Some(fresh);
            }
            return;
        }
        let by_time = Self::seconds(known.at, at).max(0.0) / BED_S;
        let share = by_time.max(1.0 / f64::from(known.pairs.saturating_add(1))).min(1.0);
        known.height += share * (height - known.height);
        known.pairs = known.pairs.saturating_add(1);
        (known.at, known.doubt_since) = (at, None);
    }
}
