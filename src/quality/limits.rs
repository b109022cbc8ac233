//! Settings of the checks: one row per quantity, and what a single gauge overrides.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// Limits of one series, in its unit; an absent one switches its check off (or takes the quantity's).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Lowest and highest value that can be; outside is bad.
    #[serde(deserialize_with = "low_high")]
    pub range: Option<[f64; 2]>,
    /// Largest change per hour, up or down.
    #[serde(deserialize_with = "not_below_zero")]
    pub rise_per_hour: Option<f64>,
    /// Seconds over which the change per hour is measured; 600 where absent.
    #[serde(deserialize_with = "not_below_zero")]
    pub rise_window_s: Option<f64>,
    /// Steeper changes up to this are noise; with it the change is looked at over every span of the window, without it only
    /// over the whole one.
    #[serde(deserialize_with = "not_below_zero")]
    pub rise_band: Option<f64>,
    /// Largest jump between two values, beyond what the change per hour allows for the time between them.
    #[serde(deserialize_with = "not_below_zero")]
    pub jump: Option<f64>,
    /// Further jump allowed, as a share of the value before.
    #[serde(deserialize_with = "not_below_zero")]
    pub jump_share: Option<f64>,
    /// So many later values near the first make a jump true; 2 where absent.
    pub confirmations: Option<u8>,
    /// Standing still longer than this while its witness moves is suspect; four times as long is suspect in any case.
    #[serde(deserialize_with = "not_below_zero")]
    pub frozen_after_s: Option<f64>,
    /// Changes up to this count as standing still.
    #[serde(deserialize_with = "not_below_zero")]
    pub still_band: Option<f64>,
    /// So unlikely a run of equal values, by how often this series repeats itself, is frozen; e.g. 1e-6.
    #[serde(deserialize_with = "not_below_zero")]
    pub frozen_odds: Option<f64>,
    /// Nothing for so many of its usual intervals is a gap.
    #[serde(deserialize_with = "not_below_zero")]
    pub gap_intervals: Option<f64>,
    /// Growth over this many seconds is compared with that of the neighbours.
    #[serde(deserialize_with = "not_below_zero")]
    pub neighbour_window_s: Option<f64>,
    /// Neighbours that grew by less say nothing, in the unit.
    #[serde(deserialize_with = "not_below_zero")]
    pub neighbour_least: Option<f64>,
    /// Two sensors of the same water may differ by this, in the unit; absent: they are not compared.
    #[serde(deserialize_with = "not_below_zero")]
    pub twin_tolerance: Option<f64>,
    /// Received later than this after the observation is late.
    #[serde(deserialize_with = "not_below_zero")]
    pub late_after_s: Option<f64>,
    /// A time stamp further ahead than this is a wrong clock; 30 where absent.
    #[serde(deserialize_with = "not_below_zero")]
    pub ahead_s: Option<f64>,
}

impl Limits {
    /// These where given, else those of `base`.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        Self {
            range: self.range.or(base.range),
            rise_per_hour: self.rise_per_hour.or(base.rise_per_hour),
            rise_window_s: self.rise_window_s.or(base.rise_window_s),
            rise_band: self.rise_band.or(base.rise_band),
            jump: self.jump.or(base.jump),
            jump_share: self.jump_share.or(base.jump_share),
            confirmations: self.confirmations.or(base.confirmations),
            frozen_after_s: self.frozen_after_s.or(base.frozen_after_s),
            still_band: self.still_band.or(base.still_band),
            frozen_odds: self.frozen_odds.or(base.frozen_odds),
            gap_intervals: self.gap_intervals.or(base.gap_intervals),
            neighbour_window_s: self.neighbour_window_s.or(base.neighbour_window_s),
            neighbour_least: self.neighbour_least.or(base.neighbour_least),
            twin_tolerance: self.twin_tolerance.or(base.twin_tolerance),
            late_after_s: self.late_after_s.or(base.late_after_s),
            ahead_s: self.ahead_s.or(base.ahead_s),
        }
    }
    /// Largest jump from a value, in the unit; `None` when jumps are not checked.
    pub(super) fn jump_from(&self, value: f64) -> Option<f64> {
        if self.jump.is_none() && self.jump_share.is_none() {
            return None;
        }
        Some(self.jump.unwrap_or(0.0) + self.jump_share.unwrap_or(0.0) * value.abs())
    }
}

/// Two bounds as `[lowest, highest]`; refused the other way round.
///
/// # Errors
/// When they are not two finite numbers in that order.
pub fn low_high<'de, D: Deserializer<'de>>(from: D) -> Result<Option<[f64; 2]>, D::Error> {
    let [low, high] = <[f64; 2]>::deserialize(from)?;
    if low < high && (high - low).is_finite() {
        return Ok(Some([low, high]));
    }
    Err(D::Error::custom(format!("应为 [下限, 上限]，下限在前 (lowest first, then highest): [{low}, {high}]")))
}

fn not_below_zero<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let value = f64::deserialize(from)?;
    if value >= 0.0 && value.is_finite() {
        return Ok(Some(value));
    }
    Err(D::Error::custom(format!("应为不小于 0 的数 (a number, not below 0): {value}")))
}

/// `quality.toml`: quantity → limits.
pub type QualityTable = BTreeMap<String, Limits>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_cannot_be_are_refused_with_the_field() {
        let fault = |text: &str| toml::from_str::<Limits>(text).unwrap_err().to_string();
        assert!(fault("jump = 1\nrange = [99, 86]").contains("range = [99, 86]"));
        assert!(fault("range = [99, 86]").contains("下限在前"));
        assert!(fault("range = [0, inf]").contains("下限在前"));
        assert!(fault("jump = -1").contains("不小于 0"));
        assert!(fault("rise_per_hour = nan").contains("不小于 0"));
        let limits: Limits = toml::from_str("range = [86, 99]\njump = 0").unwrap();
        assert_eq!((limits.range, limits.jump), (Some([86.0, 99.0]), Some(0.0)));
    }
}
