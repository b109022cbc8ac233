//! What is remembered of a series between two readings.

use super::Limits;
use crate::model::{Observation, Quality, SeriesId, Timestamp};
use chrono::TimeDelta;
use std::collections::VecDeque;
use std::sync::Arc;

/// Values kept for the change per hour; when full the oldest goes.
const WINDOW_MAX: usize = 256;
/// Jumped values kept until they are confirmed; when full the oldest stays suspect for good.
const HELD_MAX: usize = 16;

/// The newest value of a series, whatever its quality.
#[derive(Debug, Clone, Copy)]
pub(super) struct Newest {
    pub(super) at: Timestamp,
    pub(super) received_at: Timestamp,
    pub(super) value: f64,
    pub(super) quality: Quality,
}

/// Memory of one series.
#[derive(Debug, Clone, Default)]
pub(super) struct Track {
    /// Its limits, those of the quantity included.
    pub(super) limits: Arc<Limits>,
    /// The series that should move when this one does.
    pub(super) witness: Option<SeriesId>,
    /// Newest by time.
    pub(super) newest: Option<Newest>,
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

    pub(super) fn see(&mut self, seen: &Observation) {
        if seen.value.is_finite() {
            let band = self.limits.still_band.unwrap_or(0.0);
            if self.still.is_none_or(|(_, value)| (seen.value - value).abs() > band) {
                self.still = Some((seen.at, seen.value));
                self.changed_at = Some(seen.at);
            }
        }
        let Observation { at, received_at, value, quality, .. } = *seen;
        self.newest = Some(Newest { at, received_at, value, quality });
    }

    pub(super) fn accept(&mut self, at: Timestamp, value: f64) {
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
}
