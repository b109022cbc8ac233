//! The TOML shapes of `sensors/`. A misspelt key is an error.

use super::endpoint::{EndpointRow, default_timeout};
use super::profile::{Function, Point};
use crate::model::DatumOffset;
use crate::quality::Limits;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// Any file of the folder: which tables it holds says what it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SensorFile {
    pub(super) profile: Option<ProfileRow>,
    #[serde(default)]
    pub(super) point: Vec<Spanned<Point>>,
    #[serde(default)]
    pub(super) station: Vec<Spanned<Station>>,
    #[serde(default)]
    pub(super) endpoint: Vec<Spanned<EndpointRow>>,
    pub(super) gauge: Option<Spanned<GaugeRow>>,
    #[serde(default)]
    pub(super) series: Vec<Spanned<SeriesRow>>,
    pub(super) stones: Option<Spanned<StonesRow>>,
    #[serde(default)]
    pub(super) dam: Vec<Spanned<DamRow>>,
    #[serde(default)]
    pub(super) sl651: Vec<Spanned<super::telemetry::TelemetryRow>>,
    #[serde(default)]
    pub(super) mqtt: Vec<Spanned<super::mqtt::MqttRow>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileRow {
    pub(super) id: Spanned<String>,
    /// Shown in lists and reports.
    #[allow(dead_code)]
    pub(super) name_zh: String,
    #[allow(dead_code)]
    pub(super) name_en: String,
    #[allow(dead_code)]
    pub(super) source: String,
    pub(super) function: Function,
    #[serde(default = "whole_block")]
    pub(super) max_block: Spanned<u16>,
    #[serde(default)]
    pub(super) max_gap: u16,
    #[serde(default)]
    pub(super) single_reads: bool,
    #[serde(default)]
    pub(super) pause_ms: u64,
    pub(super) stride: Option<u16>,
}

fn whole_block() -> Spanned<u16> {
    Spanned::new(0..0, 125)
}

/// A hydrometric station or a rain gauge site (水文站、雨量站).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Station {
    /// Id as in series names.
    pub id: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// `Yellow`, `Yiluo`, `Qin`; empty for a rain gauge.
    #[serde(default)]
    pub river: String,
    /// WGS-84 degrees.
    pub lon: f64,
    /// WGS-84 degrees.
    pub lat: f64,
    /// River kilometres below Xiaolangdi, where known.
    pub km_below_xiaolangdi: Option<f64>,
    /// Code of the hydrological service, where known.
    #[serde(default)]
    pub code: String,
    /// Where position and code come from.
    pub source: String,
    /// Form of the line that joins stage and discharge (水位流量关系), where the station has both.
    pub rating: Option<Rating>,
    /// Stations nearby whose rain is compared with this one's.
    #[serde(default)]
    pub neighbours: Vec<String>,
    /// Quantity → what stands in for its main series while that is silent or refused, the first choice first: the name of another
    /// sensor, or `rating`.
    #[serde(default)]
    pub fallback: BTreeMap<String, Vec<String>>,
    /// How the datums of its stages lie to each other.
    #[serde(default)]
    pub datum_offset: Vec<DatumOffset>,
}

/// z = c + slope · ln Q with where the slope comes from; c is learned from the readings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rating {
    /// Metres of stage for each unit of ln Q.
    pub slope_m: f64,
    /// Further off than this, in m, stage and discharge do not belong together.
    pub tolerance_m: f64,
    /// Where the slope comes from.
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GaugeRow {
    pub(super) id: Spanned<String>,
    pub(super) name_zh: String,
    pub(super) station: Spanned<String>,
    pub(super) profile: Spanned<String>,
    /// Of an `[[endpoint]]`; or give `address`.
    pub(super) endpoint: Option<Spanned<String>>,
    /// `host:port` of the device itself.
    pub(super) address: Option<String>,
    pub(super) unit: u8,
    /// Protocol address of the device's first register.
    #[serde(default)]
    pub(super) first_register: u16,
    pub(super) poll_every_s: Spanned<f64>,
    #[serde(default = "default_timeout")]
    pub(super) timeout_ms: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeriesRow {
    pub(super) quantity: Spanned<String>,
    /// Another sensor of the same water: its series is `<station>.<quantity>-<sensor>`.
    pub(super) sensor: Option<Spanned<String>>,
    /// `dagu`, `national85` for stages.
    pub(super) datum: Option<crate::model::Datum>,
    /// Added to the scaled value at this site, in the unit: gauge zero.
    #[serde(default)]
    pub(super) zero: f64,
    /// Limits of this gauge that differ from those of its quantity.
    #[serde(default)]
    pub(super) quality: Limits,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StonesRow {
    /// The work (险工、控导工程) whose dams carry the stones.
    pub(super) work: String,
    #[allow(dead_code)]
    pub(super) name_zh: String,
    pub(super) profile: Spanned<String>,
    pub(super) endpoint: Spanned<String>,
    pub(super) poll_every_s: Spanned<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DamRow {
    pub(super) dam: String,
    pub(super) unit: u8,
    /// Ids in the order of their slots; the stone in slot k begins at k × stride.
    pub(super) stones: Vec<Spanned<String>>,
}
