//! 互校: two sensors of the same water differ. Whichever of them has left what it and the
//! discharge implied lately is wrong; without a discharge both carry a mark and stay
//! usable, because a doubt that cannot say who is wrong must not blind the reach.

use super::{Case, mark, suspect};
use crate::model::{Causes, Quality};

/// One has strayed clearly further than the other, in m: the loop of the rating moves both by up to that.
const CLEARLY_M: f64 = 0.12;

pub(super) fn flag(case: &Case) -> Quality {
    let Some((twin, value)) = case.twin() else { return Quality::GOOD };
    let own = case.reading.value;
    if !own.is_finite() || case.agrees(own, twin, value) {
        return Quality::GOOD;
    }
    match case.strayed(twin, value) {
        Some((own, other)) if own > other + CLEARLY_M => suspect(Causes::REDUNDANT),
        Some((own, other)) if other > own + CLEARLY_M => Quality::GOOD,
        // Once it is decided it stays so until they agree again.
        _ if case.track.is_refused_for(Causes::REDUNDANT) => suspect(Causes::REDUNDANT),
        _ if case.tracks.get(&twin.series).is_some_and(|track| track.is_refused_for(Causes::REDUNDANT)) => {
            Quality::GOOD
        }
        _ => mark(Causes::REDUNDANT),
    }
}
