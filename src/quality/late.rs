//! 迟报: in hand later than allowed. The number itself stays good; its age is judged by [`super::freshness`].

use super::{Case, Track};
use crate::model::{Causes, Grade, Quality};

pub(super) fn is_late(case: &Case) -> bool {
    let delay_s = Track::seconds(case.reading.observed_at, case.reading.received_at);
    case.limits.late_after_s.is_some_and(|allowed| delay_s > allowed)
}

pub(super) fn flag(case: &Case) -> Quality {
    if is_late(case) { Quality { grade: Grade::Good, causes: Causes::LATE } } else { Quality::GOOD }
}
