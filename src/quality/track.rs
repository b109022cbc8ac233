//! What is remembered of a series between two readings.

use super::Limits;
use crate::model::{Observation, Timestamp};
use chrono::TimeDelta;
use std::collections::VecDeque;

/// Values kept for the change per hour; when full the oldest goes.
const WINDOW_MAX: usize = 256;
/// Jumped values kept until they are confirmed; when full the oldest stays suspect for good.
const HELD_MAX: usize = 16;

/// Memory of one series.
#[derive(Debug, Clone, Default)]
pub(super) struct Track {
    /// Newest time seen, whatever its quality.
    pub(super) newest: Option<Observation>,
    /// Last value that was accepted.
    pub(super) accepted: Option<(Timestamp, f64)>,
    /// Accepted values of the last while, oldest first.
    pub(super) window: VecDeque<(Timestamp, f64)>,
    /// Jumped values that wait for others to confirm them.
    pub(super) held: VecDeque<Observation>,
    /// The value that stands still, since when it stands, and when it was last seen to change.
    pub(super) still: Option<(Timestamp, f64)>,
    pub(super) changed_at: Option<Timestamp>,
}

impl Track {
    /// Seconds from `from` to `to`.
    pub(super) fn seconds(from: Timestamp, to: Timestamp) -> f64 {
        (to - from).num_milliseconds() as f64 / 1000.0
    }

    pub(super) fn see(&mut self, seen: &Observation, limits: &Limits) {
        if seen.value.is_finite() {
            let band = limits.still_band.unwrap_or(0.0);
            if self.still.is_none_or(|(_, value)| (seen.value - value).abs() > band) {
                self.still = Some((seen.at, seen.value));
                self.changed_at = Some(seen.at);
            }
        }
        self.newest = Some(seen.clone());
    }

    pub(super) fn accept(&mut self, at: Timestamp, value: f64, limits: &Limits) {
        self.accepted = Some((at, value));
        let window = TimeDelta::milliseconds((limits.rise_window_s.unwrap_or(600.0) * 1000.0) as i64);
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
}
