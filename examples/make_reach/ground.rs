//! The lie of the land: a local map in metres, the levee with its chainage, and the river north of it.
//!
//! Positions are given as (chainage in m along the levee, distance in m north of the levee; south is negative).

use super::geo::LonLat;
use std::f64::consts::TAU;

/// Length of the levee and of the channel of the reach, m (public figure of the town).
pub const LENGTH_M: f64 = 14_220.0;
/// Slope of the river along the reach, m per m.
pub const SLOPE: f64 = 1.0 / 6000.0;
/// Where the gauge of Huayuankou stands, chainage in m.
pub const GAUGE_CHAINAGE_M: f64 = 5_600.0;
/// How far the drawing goes on beyond both ends, m.
pub const MARGIN_M: f64 = 1_200.0;

/// Where the local map has its zero.
pub const ORIGIN: LonLat = (113.6, 34.8965);
/// Metres in a degree of longitude there.
pub const M_PER_DEGREE_LON: f64 = 91_399.0;
/// Metres in a degree of latitude.
pub const M_PER_DEGREE_LAT: f64 = 110_941.0;
const STEP_M: f64 = 5.0;

/// Distance from levee to the south bank of the main channel: (chainage m, m).
const SOUTH_BANK: [(f64, f64); 22] = [
    (-1200.0, 1900.0),
    (0.0, 1450.0),
    (800.0, 1080.0),
    (1450.0, 330.0),
    (2300.0, 190.0),
    (3100.0, 165.0),
    (3800.0, 250.0),
    (4700.0, 730.0),
    (5400.0, 420.0),
    (6100.0, 220.0),
    (6800.0, 290.0),
    (7500.0, 900.0),
    (8200.0, 1380.0),
    (8900.0, 1000.0),
    (9500.0, 330.0),
    (10200.0, 180.0),
    (10900.0, 170.0),
    (11500.0, 330.0),
    (12200.0, 800.0),
    (13000.0, 1250.0),
    (14220.0, 1600.0),
    (15420.0, 1800.0),
];
/// Distance from levee to the north bank of the main channel: (chainage m, m).
const NORTH_BANK: [(f64, f64); 17] = [
    (-1200.0, 2880.0),
    (0.0, 2400.0),
    (1450.0, 1290.0),
    (2700.0, 930.0),
    (3800.0, 1060.0),
    (4700.0, 1340.0),
    (5600.0, 1250.0),
    (6300.0, 1090.0),
    (7150.0, 1500.0),
    (8200.0, 2300.0),
    (9100.0, 1850.0),
    (10_000.0, 1050.0),
    (10_700.0, 900.0),
    (11_500.0, 1130.0),
    (13_000.0, 2200.0),
    (14_220.0, 2750.0),
    (15_420.0, 2950.0),
];

/// The levee as a table of (chainage, x, y), and everything measured from it.
pub struct Ground {
    levee: Vec<(f64, f64, f64)>,
}

impl Ground {
    /// Lays out the levee.
    pub fn new() -> Self {
        let mut levee = vec![(0.0, 0.0, levee_y(0.0))];
        let (mut chainage, mut x) = (0.0, 0.0);
        while chainage < LENGTH_M + STEP_M {
            let rise = levee_y(x + STEP_M) - levee_y(x);
            chainage += STEP_M.hypot(rise);
            x += STEP_M;
            levee.push((chainage, x, levee_y(x)));
        }
        Self { levee }
    }

    /// Local x, y in metres of a spot `north_m` of the levee.
    pub fn metres(&self, chainage_m: f64, north_m: f64) -> (f64, f64) {
        let (x, y) = self.on_levee(chainage_m);
        (x, y + north_m)
    }
    /// Longitude and latitude of a spot `north_m` of the levee.
    pub fn at(&self, chainage_m: f64, north_m: f64) -> LonLat {
        degrees(self.metres(chainage_m, north_m))
    }
    /// A spot given by its distance across and along from a point on the levee line (positive: north, east).
    pub fn beside(&self, chainage_m: f64, north_m: f64, across_m: f64, along_m: f64) -> LonLat {
        let (x, y) = self.metres(chainage_m, north_m);
        let (east, north) = self.heading(chainage_m);
        degrees((x - north * across_m + east * along_m, y + east * across_m + north * along_m))
    }
    /// Unit vector of the levee in the direction of rising chainage.
    pub fn heading(&self, chainage_m: f64) -> (f64, f64) {
        let (from, to) = (self.on_levee(chainage_m - 40.0), self.on_levee(chainage_m + 40.0));
        let (x, y) = (to.0 - from.0, to.1 - from.1);
        let length = x.hypot(y);
        (x / length, y / length)
    }

    /// Chainage of the levee's point at a local easting; beyond the ends the tangent goes on.
    pub fn chainage_at(&self, x_m: f64) -> f64 {
        let last = self.levee.len() - 1;
        let at = self.levee.partition_point(|(_, x, _)| *x <= x_m).clamp(1, last);
        let ((s0, x0, _), (s1, x1, _)) = (self.levee[at - 1], self.levee[at]);
        s0 + (s1 - s0) * (x_m - x0) / (x1 - x0)
    }

    fn on_levee(&self, chainage_m: f64) -> (f64, f64) {
        let last = self.levee.len() - 1;
        let at = self.levee.partition_point(|(chainage, ..)| *chainage <= chainage_m).clamp(1, last);
        let (s0, x0, y0) = self.levee[at - 1];
        let (s1, x1, y1) = self.levee[at];
        let part = (chainage_m - s0) / (s1 - s0); // Beyond the ends the tangent goes on.
        (x0 + (x1 - x0) * part, y0 + (y1 - y0) * part)
    }
}

fn levee_y(x: f64) -> f64 {
    0.022 * x + 230.0 * (TAU * x / 12_500.0 - 0.9).sin() + 60.0 * (TAU * x / 5_200.0 + 0.8).sin()
}

/// Longitude and latitude of local metres.
pub fn degrees((x, y): (f64, f64)) -> LonLat {
    (ORIGIN.0 + x / M_PER_DEGREE_LON, ORIGIN.1 + y / M_PER_DEGREE_LAT)
}

/// Distance from the levee north to the south bank of the main channel, m.
pub fn south_bank(chainage_m: f64) -> f64 {
    smooth(&SOUTH_BANK, chainage_m)
}
/// Distance from the levee north to the north bank of the main channel, m.
pub fn north_bank(chainage_m: f64) -> f64 {
    smooth(&NORTH_BANK, chainage_m)
}
/// Distance from the levee north to the middle of the main channel, m.
pub fn mid_channel(chainage_m: f64) -> f64 {
    f64::midpoint(south_bank(chainage_m), north_bank(chainage_m))
}
/// Distance from the levee north to the foot of the north levee, m.
pub fn north_levee(chainage_m: f64) -> f64 {
    6_600.0 + 450.0 * (chainage_m / 5_100.0).sin()
}
/// Stage of the design flood of 22 000 m³/s, m above Dagu: the rating of 1958 at the gauge, carried along by the slope.
pub fn design_stage(chainage_m: f64) -> f64 {
    93.82 + 1.02 * (22_000.0_f64 / 22_300.0).ln() - (chainage_m - GAUGE_CHAINAGE_M) * SLOPE
}
/// Crest of the levee, m above Dagu: three metres over the design flood.
pub fn levee_crest(chainage_m: f64) -> f64 {
    design_stage(chainage_m) + 3.0
}

/// Chainage as written on the stakes: `K9+200`.
pub fn stake(chainage_m: f64) -> String {
    let metres = chainage_m.round() as i64;
    format!("K{}+{:03}", metres.div_euclid(1000), metres.rem_euclid(1000))
}

/// Cubic Hermite through the points; the slope at a point is that of its neighbours.
fn smooth(points: &[(f64, f64)], at: f64) -> f64 {
    let last = points.len() - 1;
    let right = points.partition_point(|(x, _)| *x <= at).clamp(1, last);
    let (left, slope) = (right - 1, |k: usize| {
        let (a, b) = (points[k.saturating_sub(1)], points[(k + 1).min(last)]);
        (b.1 - a.1) / (b.0 - a.0)
    });
    let ((x0, y0), (x1, y1)) = (points[left], points[right]);
    let (span, t) = (x1 - x0, ((at - x0) / (x1 - x0)).clamp(0.0, 1.0));
    let (t2, t3) = (t * t, t * t * t);
    (2.0 * t3 - 3.0 * t2 + 1.0) * y0
        + (t3 - 2.0 * t2 + t) * span * slope(left)
        + (3.0 * t2 - 2.0 * t3) * y1
        + (t3 - t2) * span * slope(right)
}

/// Local metres of a longitude and latitude.
pub fn local((lon, lat): LonLat) -> (f64, f64) {
    ((lon - ORIGIN.0) * M_PER_DEGREE_LON, (lat - ORIGIN.1) * M_PER_DEGREE_LAT)
}
