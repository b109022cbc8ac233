//! 不变: the value stands still although its witness (stage for discharge and the other way round) moves, or for so many
//! values as this series never repeats itself. [`super::Judge`] then takes the whole run back to its beginning.

use super::{Case, Track, suspect};
use crate::model::{Causes, Quality};

/// Values that must have been seen before a series' habit of repeating itself is known.
const SEEN_LEAST: f64 = 30.0;

pub(super) fn flag(case: &Case) -> Quality {
    let Some((since, value)) = case.track.still else { return Quality::GOOD };
    if !case.reading.value.is_finite() || (case.reading.value - value).abs() > case.limits.still_band.unwrap_or(0.0) {
        return Quality::GOOD;
    }
    let still_s = Track::seconds(since, case.reading.observed_at);
    let long = case.limits.frozen_after_s.is_some_and(|limit_s| {
        let moved = |track: &Track| track.changed_at.is_some_and(|at| Track::seconds(since, at) >= limit_s / 2.0);
        still_s >= limit_s && case.witness.is_none_or(moved) || still_s >= 4.0 * limit_s
    });
    if long || is_unlikely(case) { suspect(Causes::FROZEN) } else { Quality::GOOD }
}

/// A run of equal values with less than the stated odds, if repeating itself were chance.
fn is_unlikely(case: &Case) -> bool {
    let Some(odds) = case.limits.frozen_odds.filter(|odds| *odds > 0.0) else { return false };
    let track = case.track;
    if track.seen < SEEN_LEAST {
        return false;
    }
    let share = ((track.repeated + 1.0) / (track.seen + 2.0)).min(0.999);
    let run = f64::from(track.run) + 1.0;
    run * share.ln() < odds.ln()
}
