//! 时钟: the time stamp lies ahead, stands still, ran back, or goes on running behind by as much as it ran back. A value that
//! was merely delivered late is not meant.

use super::{Case, Track, late, suspect};
use crate::model::{Causes, Quality};

/// A clock that is behind stays behind by the same, within this many seconds.
const SKEW_BAND_S: f64 = 30.0;

pub(super) fn flag(case: &Case) -> Quality {
    let ahead_s = Track::seconds(case.reading.received_at, case.reading.observed_at);
    if ahead_s > case.limits.ahead_s.unwrap_or(30.0) {
        return suspect(Causes::CLOCK);
    }
    let Some(newest) = &case.track.newest else { return Quality::GOOD };
    let at = case.reading.observed_at;
    let stands_still = at == newest.at && !same(case.reading.value, newest.value);
    let in_turn = case.reading.received_at > newest.received_at;
    let ran_back = at < newest.at && in_turn && (!late::is_late(case) || keeps_pace(case));
    if stands_still || ran_back || is_behind(case) { suspect(Causes::CLOCK) } else { Quality::GOOD }
}

/// Stored values that are sent on come in a burst, or between live ones; a clock that ran back gives one value after the
/// other, each in its turn and each late by the same.
fn keeps_pace(case: &Case) -> bool {
    let Some(usual_s) = case.track.arrivals.usual_s() else { return false };
    let Some(before) = &case.track.behind else { return false };
    let delay_s = |observed_at, received_at| Track::seconds(observed_at, received_at);
    let own_s = delay_s(case.reading.observed_at, case.reading.received_at);
    let same_delay = (own_s - delay_s(before.at, before.received_at)).abs() <= SKEW_BAND_S;
    same_delay && Track::seconds(before.received_at, case.reading.received_at) >= 0.5 * usual_s
}

fn is_behind(case: &Case) -> bool {
    let behind_s = Track::seconds(case.reading.observed_at, case.reading.received_at);
    let as_before = |skew_s: f64| skew_s > 2.0 * SKEW_BAND_S && (behind_s - skew_s).abs() <= SKEW_BAND_S;
    case.track.skew_s.is_some_and(as_before)
}

pub(super) fn same(left: f64, right: f64) -> bool {
    left == right || (left.is_nan() && right.is_nan())
}
