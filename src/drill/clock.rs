//! The clock of a live drill: it can stand still and change its speed, waits for its river, and never runs back.

use crate::model::Timestamp;
use chrono::TimeDelta;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A virtual clock that a director holds. It stops for good at its last moment.
#[derive(Debug)]
pub struct DrillClock {
    hands: Mutex<Hands>,
    end: Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct Hands {
    /// The moment that was shown …
    shown: Timestamp,
    /// … when it was this late on the wall.
    wall: Instant,
    speed: f64,
    paused: bool,
    held_back: bool,
    /// It shows no later moment than this.
    limit: Timestamp,
}

impl Hands {
    fn pace(&self) -> f64 {
        if self.held_back { self.speed.min(1.0) } else { self.speed }
    }
    fn at(&self, wall: Instant) -> Timestamp {
        if self.paused {
            return self.shown;
        }
        let passed = wall.saturating_duration_since(self.wall).as_secs_f64() * self.pace();
        // A limit that was set below what is shown already turns nothing back.
        (self.shown + TimeDelta::milliseconds((passed * 1000.0) as i64)).min(self.limit.max(self.shown))
    }
}

impl DrillClock {
    /// Shows `start` at `wall` and runs on at `speed` seconds a second until `end`.
    pub fn new(start: Timestamp, end: Timestamp, speed: f64, wall: Instant) -> Self {
        Self {
            hands: Mutex::new(Hands { shown: start, wall, speed, paused: false, held_back: false, limit: end }),
            end,
        }
    }
    /// The moment on this clock.
    pub fn now(&self) -> Timestamp {
        self.at(Instant::now())
    }
    /// The moment on this clock when it is `wall` outside.
    pub fn at(&self, wall: Instant) -> Timestamp {
        self.hands().at(wall).min(self.end)
    }
    /// Seconds of the drill in a wall second, as the director set it.
    pub fn speed(&self) -> f64 {
        self.hands().speed
    }
    /// Seconds of the drill in a wall second now, when it is not paused: at most 1 while it is held back.
    pub fn pace(&self) -> f64 {
        self.hands().pace()
    }
    /// Whether it runs no faster than the wall for now.
    pub fn is_held_back(&self) -> bool {
        self.hands().held_back
    }
    /// Runs no faster than the wall while something waits for a person, or as the director set it again.
    pub fn hold_back(&self, held_back: bool, wall: Instant) {
        self.turn(wall, |hands| hands.held_back = held_back);
    }
    /// Runs no further than that moment until it is told a later one: what was measured before it is still on its way.
    pub fn run_to(&self, limit: Timestamp, wall: Instant) {
        self.turn(wall, |hands| hands.limit = limit);
    }
    /// Whether it waits at its limit before the end.
    pub fn is_at_limit(&self) -> bool {
        let hands = *self.hands();
        !hands.paused && hands.limit < self.end && hands.at(Instant::now()) >= hands.limit
    }
    /// Whether it stands still.
    pub fn is_paused(&self) -> bool {
        self.hands().paused
    }
    /// Stands still, or goes on from where it stood.
    pub fn pause(&self, paused: bool, wall: Instant) {
        self.turn(wall, |hands| hands.paused = paused);
    }
    /// From now on at another speed; one that is not finite or not above 0 changes nothing.
    pub fn set_speed(&self, speed: f64, wall: Instant) {
        if speed.is_finite() && speed > 0.0 {
            self.turn(wall, |hands| hands.speed = speed);
        }
    }

    /// Every change starts from the moment that is shown, so that no change moves it.
    fn turn(&self, wall: Instant, change: impl FnOnce(&mut Hands)) {
        let mut hands = self.hands();
        hands.shown = hands.at(wall);
        hands.wall = hands.wall.max(wall);
        change(&mut hands);
    }
    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn drill_clock_pauses_changes_speed_and_never_runs_back() {
        let start: Timestamp = "1958-07-16T10:00:00Z".parse().unwrap();
        let wall = Instant::now();
        let later = |seconds| wall + Duration::from_secs(seconds);
        let clock = DrillClock::new(start, start + TimeDelta::hours(2), 60.0, wall);
        let minutes = |seconds| (clock.at(later(seconds)) - start).num_minutes();
        assert_eq!(minutes(10), 10);
        clock.pause(true, later(10));
        assert_eq!(minutes(500), 10, "it stands still");
        clock.set_speed(600.0, later(500));
        clock.pause(false, later(600));
        assert_eq!(minutes(600), 10, "and goes on from where it stood");
        assert_eq!(minutes(603), 40);
        clock.set_speed(1.0, later(603));
        assert_eq!(minutes(603), 40, "a new speed moves nothing");
        clock.set_speed(f64::NAN, later(603));
        assert_eq!(minutes(663), 41);
        clock.set_speed(600.0, later(663));
        clock.hold_back(true, later(663));
        assert_eq!((minutes(723), clock.speed(), clock.pace()), (42, 600.0, 1.0), "a person is waited for");
        clock.hold_back(false, later(723));
        assert_eq!(minutes(729), 102);
        clock.run_to(start + TimeDelta::minutes(110), later(729));
        assert_eq!(minutes(900), 110, "what it waits for is not there yet");
        clock.run_to(start + TimeDelta::minutes(114), later(900));
        assert_eq!((minutes(900), minutes(901)), (110, 114), "it goes on from where it waited");
        clock.run_to(start, later(901));
        assert_eq!(minutes(950), 114);
        clock.run_to(start + TimeDelta::hours(3), later(950));
        assert_eq!(minutes(20_000), 120, "the flood is over");
        assert_eq!(minutes(5), 114, "the wall running back does not turn the clock back");
    }
}
