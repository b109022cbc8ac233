//! 水位流量关系: stage and discharge of one section do not belong together. A second sensor of the stage says which of the
//! two is wrong; without one, the series that was in doubt already is; without that, both carry a mark and stay usable.
//! A disagreement that outlasts a day is the bed: the height of the rating is then learned anew.

use super::{Case, Track, mark, suspect};
use crate::model::{Causes, Quality};

pub(super) fn flag(case: &Case) -> Quality {
    let Some(pair) = &case.track.relations.rating else { return Quality::GOOD };
    let own = case.reading.value;
    if case.off_rating(own).is_none_or(|off_m| off_m.abs() <= pair.line.tolerance_m) {
        return Quality::GOOD;
    }
    if case.reading.series == pair.discharge {
        return discharge(case);
    }
    match case.twin() {
        // Both sensors of the stage say the same: the discharge is wrong.
        Some((twin, value)) if case.agrees(own, twin, value) => Quality::GOOD,
        // The other one fits the discharge: this one is wrong.
        Some((twin, value)) if case.fits(value + twin.shift) => suspect(Causes::RATING),
        _ => undecided(case, &pair.discharge),
    }
}

fn discharge(case: &Case) -> Quality {
    let Some(pair) = &case.track.relations.rating else { return Quality::GOOD };
    let stage = case.tracks.get(&pair.stage).zip(case.fresh_at(&pair.stage));
    let Some((track, _)) = stage else {
        // The main stage is out, the one beside it speaks against the discharge.
        return suspect(Causes::RATING);
    };
    let twin = track.relations.twins.iter().find_map(|twin| Some((twin, case.fresh_at(&twin.series)?.1)));
    match twin {
        // The second sensor fits this discharge: the first one is wrong.
        Some((twin, value)) if case.stage_fits(value + twin.shift) => Quality::GOOD,
        Some(_) => suspect(Causes::RATING),
        None => undecided(case, &pair.stage),
    }
}

fn undecided(case: &Case, other: &crate::model::SeriesId) -> Quality {
    if case.track.has_moved_oddly() {
        suspect(Causes::RATING)
    } else if case.tracks.get(other).is_some_and(Track::has_moved_oddly) {
        Quality::GOOD
    } else {
        mark(Causes::RATING)
    }
}
