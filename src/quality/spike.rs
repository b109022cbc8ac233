//! 突跳: a jump larger than the river makes between two values. [`super::Judge`] takes it back when later values confirm it.

use super::{Case, suspect};
use crate::model::{Causes, Quality};

pub(super) fn flag(case: &Case) -> Quality {
    let Some((_, before)) = case.track.accepted else { return Quality::GOOD };
    let Some(allowed) = case.limits.jump_from(before) else { return Quality::GOOD };
    if (case.reading.value - before).abs() > allowed { suspect(Causes::SPIKE) } else { Quality::GOOD }
}
