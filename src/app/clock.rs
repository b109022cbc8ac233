//! The one place that reads the wall clock.

use crate::model::Timestamp;
use chrono::TimeDelta;
use std::time::Instant;

/// The clock of a reach: real time, or a start moment that runs at a speed (demo, drill against real devices).
#[derive(Debug, Clone, Copy)]
pub struct ReachClock {
    started: Instant,
    start: Timestamp,
    speed: f64,
}

impl ReachClock {
    /// Runs with the wall clock.
    pub fn real() -> Self {
        Self { started: Instant::now(), start: wall_now(), speed: 1.0 }
    }
    /// Starts now at `start` and runs `speed` times as fast as the wall clock; a speed that is not finite or not above 0 counts as 1.
    pub fn from(start: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { started: Instant::now(), start, speed }
    }
    /// The moment on this clock.
    pub fn now(&self) -> Timestamp {
        let elapsed_ms = self.started.elapsed().as_secs_f64() * 1000.0 * self.speed;
        self.start + TimeDelta::milliseconds(elapsed_ms as i64)
    }
    /// How many seconds pass on this clock in one wall second.
    pub fn speed(&self) -> f64 {
        self.speed
    }
}

/// The wall clock, UTC.
#[allow(clippy::disallowed_methods)]
pub fn wall_now() -> Timestamp {
    chrono::Utc::now()
}
