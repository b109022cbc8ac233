//! 变幅: steeper than the river, measured over a window so that the noise of quick polls does not count.
//! A steep change that lasts longer than the window is believed: then no accepted value is left in it.

use super::{Case, Track, suspect};
use crate::model::{Causes, Quality};

pub(super) fn flag(case: &Case) -> Quality {
    let Some(per_hour) = case.limits.rise_per_hour else { return Quality::GOOD };
    let window_s = case.limits.rise_window_s.unwrap_or(600.0);
    let at = case.reading.observed_at;
    let inside = |from: &&(_, f64)| Track::seconds(from.0, at) <= window_s;
    let Some((_, before)) = case.track.window.iter().find(inside) else { return Quality::GOOD };
    let allowed = per_hour * window_s / 3600.0;
    if (case.reading.value - before).abs() > allowed { suspect(Causes::RISE) } else { Quality::GOOD }
}
