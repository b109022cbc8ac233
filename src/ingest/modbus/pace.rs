//! How often a unit that fails is asked. Pure: time and chance are arguments.

use std::time::{Duration, Instant};

/// Failures in a row after which a unit is only probed now and then.
const QUARANTINE_AFTER: u32 = 3;
const QUARANTINE_MIN: Duration = Duration::from_secs(5);
const QUARANTINE_MAX: Duration = Duration::from_secs(60);

/// When a unit, or a connection, may be tried again.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Pace {
    failures: u32,
    not_before: Option<Instant>,
}

impl Pace {
    pub(super) fn may_ask(&self, now: Instant) -> bool {
        self.not_before.is_none_or(|moment| now >= moment)
    }
    pub(super) fn succeed(&mut self) {
        *self = Self::default();
    }
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }
    pub(super) fn is_quarantined(&self) -> bool {
        self.failures >= QUARANTINE_AFTER
    }
    /// `chance` in 0…1 spreads the next attempt by a fifth either way. The first failure costs no poll.
    pub(super) fn fail(&mut self, now: Instant, period: Duration, chance: f64) {
        self.failures = self.failures.saturating_add(1);
        let wait = match self.failures {
            1 => return,
            2 => period.mul_f64(1.5),
            _ => (period * 10).clamp(QUARANTINE_MIN, QUARANTINE_MAX),
        };
        self.not_before = Some(now + wait.mul_f64(0.8 + 0.4 * chance.clamp(0.0, 1.0)));
    }
    /// The same for a connection that cannot be made: 0.2 s doubling to 3 s.
    pub(super) fn refuse(&mut self, now: Instant, chance: f64) {
        let wait = Duration::from_millis(200 << self.failures.min(4));
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(now + wait.mul_f64(0.8 + 0.2 * chance.clamp(0.0, 1.0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_unit_is_asked_ever_more_rarely_and_comes_back_at_once() {
        let (now, period) = (Instant::now(), Duration::from_secs(60));
        let mut pace = Pace::default();
        pace.fail(now, period, 0.5);
        assert!(pace.may_ask(now + period));
        pace.fail(now, period, 0.5);
        assert!(!pace.may_ask(now + period) && pace.may_ask(now + period * 2) && !pace.is_quarantined());
        pace.fail(now, period, 1.0);
        assert!(pace.is_quarantined() && !pace.may_ask(now + period) && pace.may_ask(now + Duration::from_secs(72)));
        pace.succeed();
        assert!(pace.may_ask(now) && !pace.is_quarantined());
    }

    #[test]
    fn a_refused_connection_waits_at_most_three_seconds_and_a_bit() {
        let now = Instant::now();
        let mut pace = Pace::default();
        for _ in 0..100 {
            pace.refuse(now, 1.0);
        }
        assert!(!pace.may_ask(now + Duration::from_secs(3)) && pace.may_ask(now + Duration::from_millis(3200)));
    }
}
