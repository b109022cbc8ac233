//! Drones: tracks that were flown (GeoJSON, GPX) and missions to fly (QGroundControl `.plan`, WPML in a KMZ, in and out),
//! and missions made along a levee whose coverage is computed, not assumed. Pure: bytes in, bytes out.
//!
//! Refused, by file and element: what is larger than its bounds, archives that unpack to more than they may, positions
//! that are none, heights that no aircraft flies. Names inside archives are looked at, never used as paths.

mod kmz;
mod levee;
mod plan;
mod track;

pub use kmz::{read_kmz, write_kmz};
pub use levee::{Coverage, LeveeFlight, LeveeMission, covered_m, fly_along};
pub use plan::{read_plan, write_plan};
pub use track::{read_geojson, read_gpx};

use serde::{Deserialize, Serialize};

/// Largest file that is read, bytes.
pub const FILE_MAX: usize = 8 << 20;
/// Most positions of one file.
pub const POSITIONS_MAX: usize = 100_000;
/// Highest flight that is believed, m above the ground.
const HEIGHT_MAX_M: f64 = 10_000.0;

/// A position, WGS-84 degrees; height in m as the file means it (tracks: above sea, missions: above take-off).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Degrees east.
    pub lon: f64,
    /// Degrees north.
    pub lat: f64,
    /// m; absent where the file says none.
    pub height_m: Option<f64>,
}

/// A track that was flown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// As the file calls it.
    pub name: String,
    /// At least two.
    pub positions: Vec<Position>,
}

/// A mission to fly: one take-off, one landing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mission {
    /// As people call it.
    pub name: String,
    /// Speed between the points, m/s.
    pub speed_m_s: f64,
    /// Points in the order of the flight, each with a height above take-off; a photo is taken at each.
    pub points: Vec<Position>,
}

/// Why a file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {element}: {what}")]
pub struct DroneFault {
    /// The file, or the file in the archive.
    pub file: String,
    /// Where in it.
    pub element: String,
    /// What is wrong and what to do.
    pub what: String,
}

impl DroneFault {
    fn new(file: &str, element: impl Into<String>, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), element: element.into(), what: what.into() }
    }
}

/// What a file held.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flown {
    /// Tracks.
    Tracks(Vec<Track>),
    /// Missions.
    Missions(Vec<Mission>),
}

/// Reads a file by the end of its name: `.geojson`, `.json`, `.gpx`, `.plan`, `.kmz`.
///
/// # Errors
/// Another ending, or what is wrong in the file.
pub fn read(file: &str, bytes: &[u8]) -> Result<Flown, DroneFault> {
    if bytes.len() > FILE_MAX {
        return Err(DroneFault::new(file, "file", format!("larger than {FILE_MAX} bytes (文件过大)")));
    }
    let ending = file.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "geojson" | "json" => read_geojson(file, bytes).map(Flown::Tracks),
        "gpx" => read_gpx(file, bytes).map(Flown::Tracks),
        "plan" => read_plan(file, bytes).map(|mission| Flown::Missions(vec![mission])),
        "kmz" => read_kmz(file, bytes).map(Flown::Missions),
        _ => {
            let what = "send .geojson, .gpx, .plan or .kmz (支持的格式)";
            Err(DroneFault::new(file, "file name", what))
        }
    }
}

/// A position that can be, or what is wrong with it.
fn position(file: &str, element: &str, lon: f64, lat: f64, height_m: Option<f64>) -> Result<Position, DroneFault> {
    let on_earth = (-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat);
    if !on_earth {
        return Err(DroneFault::new(file, element, format!("{lon}, {lat} is no position (经纬度有误)")));
    }
    if height_m.is_some_and(|height| !height.is_finite() || height.abs() > HEIGHT_MAX_M) {
        return Err(DroneFault::new(file, element, "a height that no aircraft flies (高度有误)"));
    }
    Ok(Position { lon, lat, height_m })
}

/// Refuses a list that is too long to be one flight.
fn bounded(file: &str, count: usize) -> Result<(), DroneFault> {
    if count <= POSITIONS_MAX {
        return Ok(());
    }
    Err(DroneFault::new(file, "positions", format!("more than {POSITIONS_MAX} (点数过多)")))
}

#[cfg(test)]
mod tests;
