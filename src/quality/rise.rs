//! 变幅: steeper than the river, measured over a window so that the noise of quick polls does not count.
//! A steep change that lasts longer than the window is believed: then no accepted value is left in it. A cross check may
//! object to it still.

use super::{Case, Track, suspect};
use crate::model::{Causes, Quality};

pub(super) fn flag(case: &Case) -> Quality {
    let Some(per_hour) = case.limits.rise_per_hour else { return Quality::GOOD };
    let window_s = case.limits.rise_window_s.unwrap_or(600.0);
    let at = case.reading.observed_at;
    let mut inside = case.track.window.iter().filter(|(from, _)| Track::seconds(*from, at) <= window_s);
    let steep = |(from, before): &(_, f64), allowed: &dyn Fn(f64) -> f64| {
        (case.reading.value - before).abs() > allowed(Track::seconds(*from, at))
    };
    let is_steep = match case.limits.rise_band {
        None => inside.next().is_some_and(|one| steep(one, &|_| per_hour * window_s / 3600.0)),
        Some(band) => {
            let band = band.max(case.track.noise_band());
            inside.any(|one| steep(one, &|seconds| band + per_hour * seconds / 3600.0))
        }
    };
    if is_steep { suspect(Causes::RISE) } else { Quality::GOOD }
}
