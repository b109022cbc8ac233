//! The one place that reads the wall clock.

use crate::model::Timestamp;
use chrono::TimeDelta;
use std::sync::{Arc, OnceLock};
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

/// The clock of a demo, which its virtual devices and its server share: it stands at `start` until the server begins it, at
/// `start` or where the journal that it goes on with ends. Devices with a clock of their own would play the flood anew.
#[derive(Debug, Clone)]
pub struct DemoClock {
    start: Timestamp,
    speed: f64,
    begun: Arc<OnceLock<ReachClock>>,
}

impl DemoClock {
    /// Stands at `start`.
    pub fn new(start: Timestamp, speed: f64) -> Self {
        Self { start, speed, begun: Arc::default() }
    }
    /// Begins to run, not before `at` where there is one; it begins once.
    pub fn begin(&self, at: Option<Timestamp>) -> ReachClock {
        let from = at.map_or(self.start, |at| at.max(self.start));
        *self.begun.get_or_init(|| ReachClock::from(from, self.speed))
    }
    /// The moment on this clock.
    pub fn now(&self) -> Timestamp {
        self.begun.get().map_or(self.start, ReachClock::now)
    }
}

/// The wall clock, UTC.
#[allow(clippy::disallowed_methods)]
pub fn wall_now() -> Timestamp {
    chrono::Utc::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_goes_on_where_its_journal_ends_for_server_and_devices_alike() {
        let start: Timestamp = "1958-07-16T10:00:00Z".parse().unwrap();
        let clock = DemoClock::new(start, 60.0);
        let devices = clock.clone();
        assert_eq!(devices.now(), start, "it stands until the server begins it");
        let ended = start + TimeDelta::hours(3);
        let server = clock.begin(Some(ended));
        assert!(devices.now() >= ended && server.now() >= ended, "{}", devices.now());
        assert_eq!(server.speed(), 60.0);
        assert!((clock.begin(None).now() - devices.now()).abs() < TimeDelta::minutes(5), "it begins once");
        let early = DemoClock::new(start, 1.0);
        assert!(early.begin(Some(start - TimeDelta::hours(1))).now() >= start, "never before its start");
    }
}
