//! Cross sections: "channel high, floodplain low, levee foot lowest", carried down the reach by the slope.
//!
//! Each section's bed is set so that the design flood of 22 000 m³/s just fits under the design stage by Manning's
//! formula (1891), the channel at n = 0.012 and the floodplains at n = 0.035: the levee then has its three metres.

use super::geo::rounded;
use super::ground::{self, Ground, LENGTH_M, SLOPE};
use super::river::chainages;
use std::fmt::Write as _;

/// Manning's n of the main channel at high flow and of the floodplain, s/m^(1/3).
pub const ROUGHNESS: (f64, f64) = (0.012, 0.035);
const DESIGN_M3S: f64 = 22_000.0;

/// A point of a section: metres north of the levee, metres above Dagu, what it belongs to.
pub type Station = (f64, f64, &'static str);

/// The section at a chainage, from the land behind the south levee to the crest of the north levee.
pub fn section(s: f64) -> Vec<Station> {
    let (mut low, mut high) = (-3.0, 9.0);
    for _ in 0..60 {
        let cut = f64::midpoint(low, high);
        if conveyed(&shape(s, cut), ground::design_stage(s)) < DESIGN_M3S { low = cut } else { high = cut }
    }
    shape(s, low)
}

/// Height of the ground, m above Dagu.
pub fn elevation(s: f64, north_m: f64) -> f64 {
    let stations = section(s);
    let last = stations.len() - 1;
    let at = stations.partition_point(|(n, ..)| *n <= north_m).clamp(1, last);
    let ((n0, z0, _), (n1, z1, _)) = (stations[at - 1], stations[at]);
    z0 + (z1 - z0) * ((north_m - n0) / (n1 - n0)).clamp(0.0, 1.0)
}

fn shape(s: f64, cut_m: f64) -> Vec<Station> {
    let top = ground::design_stage(s);
    let (south, north, far) = (ground::south_bank(s), ground::north_bank(s), ground::north_levee(s));
    let channel = |part: f64| south + part * (north - south);
    vec![
        (-2000.0, top - 9.1, "land"),
        (-150.0, top - 8.7, "land"),
        (-42.0, top - 8.6, "land"),
        (-6.0, top + 3.0, "levee"),
        (6.0, top + 3.0, "levee"),
        (30.0, top - 5.0, "ditch"),
        (58.0, top - 5.0, "ditch"),
        (76.0, top - 4.2, "floodplain"),
        (south - 25.0, top - 1.30, "floodplain"),
        (south, top - 1.25, "lip"),
        (south + 28.0, top - 3.1 - cut_m, "channel"),
        (channel(0.22), top - 5.6 - cut_m, "thalweg"),
        (channel(0.45), top - 4.3 - cut_m, "channel"),
        (channel(0.62), top - 3.2 - 0.6 * cut_m, "bar"),
        (channel(0.82), top - 4.2 - cut_m, "channel"),
        (north - 30.0, top - 3.1 - cut_m, "channel"),
        (north, top - 1.25, "lip"),
        (north + 25.0, top - 1.30, "floodplain"),
        (far - 80.0, top - 3.9, "floodplain"),
        (far - 60.0, top - 4.7, "ditch"),
        (far - 25.0, top - 4.7, "ditch"),
        (far, top + 3.0, "levee"),
    ]
}

/// Manning's n of a zone, s/m^(1/3).
pub fn roughness(zone: &str) -> f64 {
    match zone {
        "channel" | "thalweg" | "bar" => ROUGHNESS.0,
        _ => ROUGHNESS.1,
    }
}

/// Uniform flow in the section below a stage, m³/s: each strip between two points conveys A·h^(2/3)·√S/n.
pub fn conveyed(stations: &[Station], stage: f64) -> f64 {
    let strip = |pair: &[Station]| {
        let ((n0, z0, zone), (n1, z1, next)) = (pair[0], pair[1]);
        let depth = stage - f64::midpoint(z0, z1);
        if depth <= 0.0 || n1 <= 0.0 {
            return 0.0;
        }
        let n = roughness(zone).min(roughness(next));
        (n1 - n0) * depth.powf(5.0 / 3.0) * SLOPE.sqrt() / n
    };
    stations.windows(2).map(strip).sum()
}

/// The file `sections.csv`: 31 sections, one every 474 m.
pub fn csv(ground: &Ground) -> String {
    let mut text = format!(
        "# {}; synthetic = true\n# Cross sections of the demo reach. Heights in m above Dagu (大沽), distances in m north \
         of the levee axis, Manning's n in s/m^(1/3).\n# Slope 1/6000; levee crest = stage of 22000 m3/s + 3.0 m; the bed \
         is set so that 22000 m3/s just fits under that stage.\n\
         section,chainage_m,design_stage_m,levee_crest_m,north_m,elevation_m,zone,manning_n,lon,lat\n",
        super::LABEL
    );
    for (n, s) in chainages(0.0, LENGTH_M, 474.0).into_iter().enumerate() {
        for (north_m, z, zone) in section(s) {
            let (lon, lat) = ground.at(s, north_m);
            let _ = writeln!(
                text,
                "xs-{:02},{s:.1},{:.3},{:.3},{north_m:.1},{z:.3},{zone},{},{lon:.6},{lat:.6}",
                n + 1,
                ground::design_stage(s),
                ground::levee_crest(s),
                roughness(zone)
            );
        }
    }
    text
}

/// Height of the ground in m above Dagu, to the centimetre.
pub fn ground_m(s: f64, north_m: f64) -> f64 {
    rounded(elevation(s, north_m), 2)
}
