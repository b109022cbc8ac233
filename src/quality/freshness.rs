//! Age of a series by its own interval. Health is the age of the last usable value, never the state of a socket.

use crate::model::Timestamp;
use serde::{Deserialize, Serialize};

/// How old the last usable value of a series is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Freshness {
    /// Within its interval and the grace.
    Fresh,
    /// Past one interval and the grace.
    Late,
    /// Past three intervals and the grace: unknown to every rule.
    Stale,
    /// Never had a usable value.
    Missing,
}

impl Freshness {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Late => "late",
            Self::Stale => "stale",
            Self::Missing => "missing",
        }
    }
}

/// Judges the age at `now` of the last usable value; `interval_s` and `grace_s` in seconds of the reach's clock.
pub fn freshness(last_usable: Option<Timestamp>, interval_s: f64, grace_s: f64, now: Timestamp) -> Freshness {
    let Some(last) = last_usable else { return Freshness::Missing };
    let age_s = (now - last).num_milliseconds() as f64 / 1000.0;
    if age_s <= interval_s + grace_s {
        Freshness::Fresh
    } else if age_s <= 3.0 * interval_s + grace_s {
        Freshness::Late
    } else {
        Freshness::Stale
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn late_after_one_interval_stale_after_three() {
        let start = Timestamp::UNIX_EPOCH;
        let at = |age_s| freshness(Some(start), 60.0, 5.0, start + TimeDelta::seconds(age_s));
        assert_eq!(
            [at(0), at(65), at(66), at(185), at(186)].map(Freshness::as_str),
            ["fresh", "fresh", "late", "late", "stale"]
        );
        assert_eq!(freshness(None, 60.0, 5.0, start), Freshness::Missing);
    }
}
