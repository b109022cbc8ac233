//! Settings of the checks: one row per quantity, and what a single gauge overrides.

use serde::Deserialize;
use std::collections::BTreeMap;

/// Limits of one series, in its unit; an absent one switches its check off (or takes the quantity's).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Lowest and highest value that can be; outside is bad.
    pub range: Option<[f64; 2]>,
    /// Largest change per hour, up or down.
    pub rise_per_hour: Option<f64>,
    /// Seconds over which the change per hour is measured; 600 where absent.
    pub rise_window_s: Option<f64>,
    /// Steeper changes up to this are noise; with it the change is looked at over every span of the window, without it only
    /// over the whole one.
    pub rise_band: Option<f64>,
    /// Largest jump between two values, beyond what the change per hour allows for the time between them.
    pub jump: Option<f64>,
    /// Further jump allowed, as a share of the value before.
    pub jump_share: Option<f64>,
    /// So many later values near the first make a jump true; 2 where absent.
    pub confirmations: Option<u8>,
    /// Standing still longer than this while its witness moves is suspect; four times as long is suspect in any case.
    pub frozen_after_s: Option<f64>,
    /// Changes up to this count as standing still.
    pub still_band: Option<f64>,
    /// So unlikely a run of equal values, by how often this series repeats itself, is frozen; e.g. 1e-6.
    pub frozen_odds: Option<f64>,
    /// Nothing for so many of its usual intervals is a gap.
    pub gap_intervals: Option<f64>,
    /// Growth over this many seconds is compared with that of the neighbours.
    pub neighbour_window_s: Option<f64>,
    /// Neighbours that grew by less say nothing, in the unit.
    pub neighbour_least: Option<f64>,
    /// Two sensors of the same water may differ by this, in the unit; absent: they are not compared.
    pub twin_tolerance: Option<f64>,
    /// Received later than this after the observation is late.
    pub late_after_s: Option<f64>,
    /// A time stamp further ahead than this is a wrong clock; 30 where absent.
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

/// `quality.toml`: quantity → limits.
pub type QualityTable = BTreeMap<String, Limits>;
