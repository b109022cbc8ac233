//! Whose turn it is behind one gateway. Pure: what is known of each unit and the time are arguments.
//!
//! A request occupies the gateway until it is answered or its time is up, so a unit that fails costs its neighbours the
//! whole time limit. Therefore: among the units that are due the quick ones go first, and a unit that fails is asked only
//! in a gap that is longer than what its last failure cost, or when none has come for a while.

use std::time::{Duration, Instant};

/// What is known of a unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// When its next poll is due.
    pub(super) due: Instant,
    /// How long its polls take, of late.
    pub(super) takes: Duration,
    /// Since when it fails and waits to be asked out of turn.
    pub(super) waits_since: Option<Instant>,
    /// How long its last failure occupied the gateway.
    pub(super) costs: Duration,
    /// After which wait it is asked although there is no gap.
    pub(super) patience: Duration,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// The poll of this unit is due.
    Poll(usize),
    /// There is room to ask this failing unit.
    Probe(usize),
    /// Nothing before that moment.
    Rest(Instant),
}

/// The next turn; `None` without units. `limit` is how long a unit that does not answer occupies the gateway.
/// Of several that wait, the one that waits longest goes first.
pub(super) fn next(units: &[Standing], now: Instant, limit: Duration) -> Option<Turn> {
    let due = units.iter().enumerate().filter(|(_, unit)| unit.due <= now);
    // A unit that is overdue by more than the slowest takes would starve behind quick ones: then the oldest goes first.
    let slowest = units.iter().map(|unit| unit.takes).max()?;
    let turn = due.min_by_key(|(_, unit)| match now.duration_since(unit.due) > slowest.max(limit) {
        true => (Duration::ZERO, unit.due),
        false => (unit.takes + Duration::from_nanos(1), unit.due),
    });
    if let Some((index, _)) = turn {
        return Some(Turn::Poll(index));
    }
    let next_due = units.iter().map(|unit| unit.due).min()?;
    let waiting = units.iter().enumerate().filter_map(|(index, unit)| Some((unit.waits_since?, index, unit)));
    let has_turn = |since: Instant, unit: &Standing| now + unit.costs <= next_due || since + unit.patience <= now;
    match waiting.filter(|(since, _, unit)| has_turn(*since, unit)).min_by_key(|(since, ..)| *since) {
        Some((_, index, _)) => Some(Turn::Probe(index)),
        _ => Some(Turn::Rest(next_due)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn unit(due: Instant, takes: u64) -> Standing {
        Standing { due, takes: ms(takes), waits_since: None, costs: ms(200), patience: ms(30_000) }
    }

    #[test]
    fn quick_units_go_first_and_none_starves() {
        let now = Instant::now() + ms(60_000);
        let limit = ms(200);
        assert_eq!(next(&[], now, limit), None);
        assert_eq!(next(&[unit(now, 90), unit(now, 2)], now, limit), Some(Turn::Poll(1)));
        assert_eq!(next(&[unit(now - ms(150), 90), unit(now, 2)], now, limit), Some(Turn::Poll(1)));
        assert_eq!(next(&[unit(now - ms(250), 90), unit(now, 2)], now, limit), Some(Turn::Poll(0)));
        assert_eq!(next(&[unit(now + ms(5), 90)], now, limit), Some(Turn::Rest(now + ms(5))));
    }

    #[test]
    fn a_failing_unit_waits_for_a_gap_but_not_for_ever() {
        let now = Instant::now() + ms(60_000);
        let limit = ms(200);
        let waiting = |since: Instant| Standing { waits_since: Some(since), ..unit(now + ms(900), 2) };
        assert_eq!(next(&[waiting(now), unit(now, 2)], now, limit), Some(Turn::Poll(1)), "others are due");
        assert_eq!(next(&[waiting(now), unit(now + ms(199), 2)], now, limit), Some(Turn::Rest(now + ms(199))));
        assert_eq!(next(&[waiting(now), unit(now + ms(200), 2)], now, limit), Some(Turn::Probe(0)));
        assert_eq!(next(&[waiting(now - ms(30_000)), unit(now + ms(1), 2)], now, limit), Some(Turn::Probe(0)));
        assert_eq!(next(&[waiting(now)], now, limit), Some(Turn::Probe(0)));
        let cheap = Standing { costs: ms(5), ..waiting(now) };
        assert_eq!(next(&[cheap, unit(now + ms(50), 2)], now, limit), Some(Turn::Probe(0)), "a refusal costs little");
    }
}
