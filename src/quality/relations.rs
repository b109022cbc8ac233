//! How a series stands to others: rating, second sensor, neighbours. What the cross checks and the estimates rest on.

use crate::model::{SeriesId, Timestamp};
use serde::Deserialize;

/// Others that a series is held against; all empty where there are none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Relations {
    /// Stage and discharge of one section.
    pub rating: Option<RatingPair>,
    /// Other sensors of the same water; the first that is fresh counts.
    pub twins: Vec<Twin>,
    /// The same quantity nearby (rain gauges).
    pub neighbours: Vec<SeriesId>,
    /// What stands in for it while it is silent or refused, the first choice first.
    pub fallback: Vec<Substitute>,
}

/// What can stand in for a series.
#[derive(Debug, Clone, PartialEq)]
pub enum Substitute {
    /// Another sensor of the same water.
    Sensor {
        /// Its series.
        series: SeriesId,
        /// Added to its values to bring them to the datum of this series, in the unit.
        shift: f64,
    },
    /// The other one of stage and discharge, by the rating as learned so far.
    Rating,
}

/// The two series that a rating joins.
#[derive(Debug, Clone, PartialEq)]
pub struct RatingPair {
    /// Stage, in m.
    pub stage: SeriesId,
    /// Discharge, in m³/s.
    pub discharge: SeriesId,
    /// Its form.
    pub line: RatingLine,
}

/// 水位流量关系 z = c + slope · ln Q. The height c is learned from the readings themselves, because the bed moves by
/// decimetres within a flood and by a metre within years; the slope is a setting.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatingLine {
    /// Metres of stage for each unit of ln Q.
    pub slope_m: f64,
    /// Further off than this, in m, the two do not belong together: wider than the loop of the section.
    #[serde(default = "default_tolerance")]
    pub tolerance_m: f64,
}

fn default_tolerance() -> f64 {
    0.25
}

impl RatingLine {
    /// The height that a pair implies, in m.
    pub(super) fn height(self, stage_m: f64, discharge_m3s: f64) -> Option<f64> {
        let height = stage_m - self.slope_m * discharge_m3s.ln();
        (discharge_m3s > 0.0 && height.is_finite()).then_some(height)
    }
}

/// Another sensor of the same water.
#[derive(Debug, Clone, PartialEq)]
pub struct Twin {
    /// Its series.
    pub series: SeriesId,
    /// Added to its values to bring them to the datum of this series, in the unit.
    pub shift: f64,
    /// Both may differ by this, in the unit.
    pub tolerance: f64,
}

/// The height of a rating as learned so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Learned {
    pub(super) height: f64,
    pub(super) pairs: u32,
    pub(super) at: Timestamp,
    /// Since when stage and discharge have not belonged together.
    pub(super) doubt_since: Option<Timestamp>,
}
