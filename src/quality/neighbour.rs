//! 邻站: a rain gauge that stands dry while its neighbours fill, or fills while they stay dry. It compares what was added
//! within a window, never the sums themselves; with fewer than two neighbours that speak it says nothing.

use super::{Case, suspect};
use crate::model::{Causes, Quality};

/// Less than this share of the neighbours' middle is standing dry.
const DRY_SHARE: f64 = 0.2;
/// More than this many times their middle, and six times the least, is running away.
const WET_TIMES: f64 = 5.0;

pub(super) fn flag(case: &Case) -> Quality {
    let (Some(window_s), Some(least)) = (case.limits.neighbour_window_s, case.limits.neighbour_least) else {
        return Quality::GOOD;
    };
    // A third of the window finds what is blocked in heavy rain, the whole of it what is blocked in light rain.
    let odd = is_odd(case, window_s / 3.0, least) || is_odd(case, window_s, least);
    if odd { suspect(Causes::NEIGHBOUR) } else { Quality::GOOD }
}

fn is_odd(case: &Case, window_s: f64, least: f64) -> bool {
    let Some(own) = case.track.growth_to(case.reading.observed_at, case.reading.value, window_s) else { return false };
    let grown = |id| {
        let (newest, value) = case.fresh_at(id)?;
        case.tracks.get(id)?.growth_to(newest, value, window_s)
    };
    let mut others: Vec<f64> = case.track.relations.neighbours.iter().filter_map(grown).collect();
    if others.len() < 2 {
        return false;
    }
    others.sort_by(f64::total_cmp);
    // The lower middle: of two neighbours the drier one, so that a lone shower accuses nobody.
    let middle = others.get((others.len() - 1) / 2).copied().unwrap_or(0.0);
    let dry = middle >= least && own < DRY_SHARE * middle;
    let wet = own > WET_TIMES * middle + 6.0 * least;
    dry || wet
}
