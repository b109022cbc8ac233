//! What stands in where a flood file has no figure: ratios, lags, stage lines, rain. All of it synthetic.

use super::floods::{FloodFault, FloodFiles};
use crate::ingest::{FileFault, utf8};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `floods/ratios.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ratios {
    /// Must be true: nothing in the file was measured.
    #[allow(dead_code)]
    synthetic: True,
    #[serde(deserialize_with = "line")]
    pub(super) huayuankou: StageLine,
    pub(super) station: BTreeMap<String, StationRatio>,
    pub(super) rain: Rain,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "bool")]
struct True;
impl TryFrom<bool> for True {
    type Error = &'static str;
    fn try_from(value: bool) -> Result<Self, Self::Error> {
        value.then_some(Self).ok_or("`synthetic` must be true: nothing in this file was measured")
    }
}

/// z = m + slope_m · ln(Q / m3s), m above Dagu.
#[derive(Debug, Clone, Copy)]
pub(super) struct StageLine {
    pub(super) m3s: f64,
    pub(super) m: f64,
    pub(super) slope_m: f64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct StageLineRow {
    rating_m3s: f64,
    rating_m: f64,
    rating_slope_m: f64,
}

fn line<'de, D: serde::Deserializer<'de>>(from: D) -> Result<StageLine, D::Error> {
    let row = StageLineRow::deserialize(from)?;
    Ok(StageLine { m3s: row.rating_m3s, m: row.rating_m, slope_m: row.rating_slope_m })
}

/// How a station follows Huayuankou.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StationRatio {
    pub(super) ratio: f64,
    /// Hours until the water here passes Huayuankou; negative downstream.
    pub(super) lag_h: f64,
    /// Low flow of its own, m³/s; that of Huayuankou where absent.
    pub(super) base_m3s: Option<f64>,
    rating_m3s: f64,
    rating_m: f64,
    rating_slope_m: f64,
}

impl StationRatio {
    pub(super) fn rating(&self) -> StageLine {
        StageLine { m3s: self.rating_m3s, m: self.rating_m, slope_m: self.rating_slope_m }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rain {
    /// Hours by which rain precedes the rise.
    pub(super) lead_h: f64,
    /// mm of rain for each m³/s of rise.
    pub(super) mm_per_m3s_of_rise: f64,
    /// Rain gauge → factor.
    pub(super) share: BTreeMap<String, f64>,
}

impl Ratios {
    pub(super) fn read(files: &FloodFiles) -> Result<Self, FloodFault> {
        let file = "floods/ratios.toml";
        let Some(bytes) = files.get("ratios.toml") else {
            return Err(FileFault::at(file, 1, 1, "is missing", "put it beside the hourly files"));
        };
        let text = utf8(file, bytes)?;
        toml::from_str(text).map_err(|cause| FileFault::toml(file, text, &cause))
    }
}
