//! 时钟: the time stamp lies ahead, stands still or ran back. A value that was merely delivered late is not meant.

use super::{Case, Track, late, suspect};
use crate::model::{Causes, Quality};

pub(super) fn flag(case: &Case) -> Quality {
    let ahead_s = Track::seconds(case.reading.received_at, case.reading.observed_at);
    if ahead_s > case.limits.ahead_s.unwrap_or(30.0) {
        return suspect(Causes::CLOCK);
    }
    let Some(newest) = &case.track.newest else { return Quality::GOOD };
    let at = case.reading.observed_at;
    let stands_still = at == newest.at && !same(case.reading.value, newest.value);
    let ran_back = at < newest.at && !late::is_late(case) && case.reading.received_at > newest.received_at;
    if stands_still || ran_back { suspect(Causes::CLOCK) } else { Quality::GOOD }
}

pub(super) fn same(left: f64, right: f64) -> bool {
    left == right || (left.is_nan() && right.is_nan())
}
