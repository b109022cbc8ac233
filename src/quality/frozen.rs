//! 不变: the value stands still although its witness (stage for discharge and the other way round) moves.

use super::{Case, Track, suspect};
use crate::model::{Causes, Quality};

pub(super) fn flag(case: &Case) -> Quality {
    let Some(limit_s) = case.limits.frozen_after_s else { return Quality::GOOD };
    let Some((since, value)) = case.track.still else { return Quality::GOOD };
    if (case.reading.value - value).abs() > case.limits.still_band.unwrap_or(0.0) {
        return Quality::GOOD;
    }
    let still_s = Track::seconds(since, case.reading.observed_at);
    let moved = |track: &Track| track.changed_at.is_some_and(|at| Track::seconds(since, at) >= limit_s / 2.0);
    let frozen = still_s >= limit_s && case.witness.is_none_or(moved) || still_s >= 4.0 * limit_s;
    if frozen { suspect(Causes::FROZEN) } else { Quality::GOOD }
}
