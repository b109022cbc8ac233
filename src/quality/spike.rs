//! 突跳: a jump larger than the river makes between two values. [`super::Judge`] takes it back when later values confirm it.

use super::{Case, Track, suspect};
use crate::model::{Causes, Quality};

pub(super) fn flag(case: &Case) -> Quality {
    let Some((at, before)) = case.track.accepted else { return Quality::GOOD };
    let Some(jump) = case.limits.jump_from(before) else { return Quality::GOOD };
    let hours = Track::seconds(at, case.reading.observed_at).max(0.0) / 3600.0;
    let allowed = jump + case.limits.rise_per_hour.unwrap_or(0.0) * hours;
    if (case.reading.value - before).abs() > allowed { suspect(Causes::SPIKE) } else { Quality::GOOD }
}
