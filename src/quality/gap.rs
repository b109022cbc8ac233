//! 断报: nothing came for several of its usual intervals. A mark on the first value after the hole; that value is not in doubt.

use super::{Case, Track};
use crate::model::{Causes, Grade, Quality};

/// Steps that must have been seen before an interval is usual.
pub(super) const STEPS_LEAST: u32 = 8;

pub(super) fn flag(case: &Case) -> Quality {
    let (Some(intervals), Some(before)) = (case.limits.gap_intervals, case.track.arrived_at) else {
        return Quality::GOOD;
    };
    let Some(usual_s) = case.track.arrivals.usual_s() else { return Quality::GOOD };
    let silent_s = Track::seconds(before, case.reading.received_at);
    if silent_s > intervals * usual_s { Quality { grade: Grade::Good, causes: Causes::GAP } } else { Quality::GOOD }
}
