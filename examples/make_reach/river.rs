//! Levee and river as layers: the line with its stakes and segments, the channel, its bars and floodplains.

use super::dice::Dice;
use super::geo::{Feature, LonLat, Shape, rounded};
use super::ground::{self, Ground, LENGTH_M, MARGIN_M};

/// Number of segments (责任堤段) that the levee is shared into: each just below one kilometre.
pub const SEGMENTS: u32 = 15;

/// Chainages `from..=to` about every `step_m`, both ends included.
pub fn chainages(from_m: f64, to_m: f64, step_m: f64) -> Vec<f64> {
    let steps = ((to_m - from_m) / step_m).ceil().max(1.0);
    (0..=steps as u32).map(|k| from_m + (to_m - from_m) * f64::from(k) / steps).collect()
}

/// From and to of a segment, 1-based, in m of chainage.
pub fn segment(n: u32) -> (f64, f64) {
    let length = LENGTH_M / f64::from(SEGMENTS);
    (rounded(length * f64::from(n - 1), 1), rounded(length * f64::from(n), 1))
}

/// The layer `levee`: the line, its segments, a stake at every kilometre and at the end.
pub fn levee_features(ground: &Ground) -> Vec<Feature> {
    let line = |from, to| chainages(from, to, 79.0).into_iter().map(|s| ground.at(s, 0.0)).collect();
    let mut features = vec![
        Feature::new("levee-south", Shape::Line(line(0.0, LENGTH_M)))
            .named("黄河南岸大堤（花园口镇段）", "South levee of the Yellow River, Huayuankou Town")
            .with("kind", "levee")
            .with("from_m", 0.0)
            .with("to_m", LENGTH_M)
            .with("crest_from_m", rounded(ground::levee_crest(0.0), 2))
            .with("crest_to_m", rounded(ground::levee_crest(LENGTH_M), 2))
            .with("crest_width_m", 12.0)
            .with("freeboard_m", 3.0)
            .with("datum", "dagu"),
    ];
    features.extend((1..=SEGMENTS).map(|n| {
        let (from, to) = segment(n);
        Feature::new(format!("seg-{n:02}"), Shape::Line(line(from, to)))
            .named(format!("{n}号责任堤段"), format!("Levee segment {n}"))
            .with("kind", "segment")
            .with("from_m", from)
            .with("to_m", to)
            .with("stakes", format!("{}～{}", ground::stake(from), ground::stake(to)))
    }));
    let stakes = (0..=14).map(|km| f64::from(km) * 1000.0).chain([LENGTH_M]);
    features.extend(stakes.map(|s| {
        Feature::new(format!("stake-{s:.0}"), Shape::Point(ground.at(s, 0.0)))
            .with("kind", "stake")
            .with("chainage_m", s)
            .with("stake", ground::stake(s))
            .with("label", if s % 1000.0 == 0.0 { format!("K{:.0}", s / 1000.0) } else { ground::stake(s) })
    }));
    features
}

/// The layer `river`: floodplains, channel, bars, the ditch at the levee foot, the centreline and flow arrows.
pub fn river_features(seed: u64, ground: &Ground) -> Vec<Feature> {
    let along = chainages(-MARGIN_M, LENGTH_M + MARGIN_M, 85.0);
    let strip = |south: &dyn Fn(f64) -> f64, north: &dyn Fn(f64) -> f64| {
        let mut ring: Vec<LonLat> = along.iter().map(|s| ground.at(*s, south(*s))).collect();
        ring.extend(along.iter().rev().map(|s| ground.at(*s, north(*s))));
        Shape::Polygon(ring)
    };
    let mut features = vec![
        Feature::new("floodplain-south", strip(&|_| 0.0, &ground::south_bank))
            .named("南岸滩区", "South floodplain")
            .with("kind", "floodplain"),
        Feature::new("floodplain-north", strip(&ground::north_bank, &ground::north_levee))
            .named("北岸滩区", "North floodplain")
            .with("kind", "floodplain"),
        Feature::new("levee-ditch", strip(&|_| 22.0, &|s| 22.0 + 38.0_f64.min(0.2 * ground::south_bank(s))))
            .named("堤河", "Ditch at the levee foot")
            .with("kind", "ditch"),
        Feature::new("channel", strip(&ground::south_bank, &ground::north_bank))
            .named("黄河主槽", "Main channel of the Yellow River")
            .with("kind", "channel"),
        Feature::new("centreline", Shape::Line(along.iter().map(|s| ground.at(*s, ground::mid_channel(*s))).collect()))
            .named("黄河", "Yellow River")
            .with("kind", "centreline")
            .with("flow", "west-to-east")
            .with("slope", rounded(ground::SLOPE, 8)),
    ];
    features.extend(bars(seed, ground));
    features.extend(chainages(600.0, LENGTH_M - 600.0, 1_600.0).into_iter().enumerate().map(|(n, s)| {
        Feature::new(format!("flow-{}", n + 1), Shape::Point(ground.at(s, ground::mid_channel(s))))
            .with("kind", "flow")
            .with("bearing_deg", rounded(flow_bearing(ground, s), 1))
    }));
    features
}

/// Direction of flow, degrees clockwise from north.
fn flow_bearing(ground: &Ground, s: f64) -> f64 {
    let spot = |s: f64| ground.metres(s, ground::mid_channel(s));
    let ((x0, y0), (x1, y1)) = (spot(s - 60.0), spot(s + 60.0));
    (x1 - x0).atan2(y1 - y0).to_degrees().rem_euclid(360.0)
}

/// Sand bars (心滩、嫩滩): lenses on the inner side of the bends, dry below about 4000 m³/s.
fn bars(seed: u64, ground: &Ground) -> Vec<Feature> {
    const BARS: [(f64, f64, f64); 7] = [
        (300.0, 1250.0, 0.24),
        (2050.0, 3350.0, 0.80),
        (4450.0, 5150.0, 0.66),
        (5750.0, 6750.0, 0.78),
        (7650.0, 9000.0, 0.34),
        (9900.0, 11_200.0, 0.80),
        (12_700.0, 13_900.0, 0.30),
    ];
    let mut dice = Dice::of(seed, "bars");
    let mut features = Vec::new();
    for (n, (from, to, place)) in BARS.into_iter().enumerate() {
        let along = chainages(from, to, 60.0);
        let lean = dice.between(0.75, 1.35);
        let half = |s: f64| {
            let part = ((s - from) / (to - from)).powf(lean);
            0.13 * (ground::north_bank(s) - ground::south_bank(s)) * (part * std::f64::consts::PI).sin().max(0.0)
        };
        let mid = |s: f64| ground::south_bank(s) + place * (ground::north_bank(s) - ground::south_bank(s));
        let mut ring: Vec<LonLat> = along.iter().map(|s| ground.at(*s, mid(*s) - half(*s))).collect();
        let back = along.iter().rev().skip(1).take(along.len() - 2);
        ring.extend(back.map(|s| ground.at(*s, mid(*s) + half(*s))));
        features.push(
            Feature::new(format!("bar-{}", n + 1), Shape::Polygon(ring))
                .named(format!("{}号心滩", n + 1), format!("Sand bar {}", n + 1))
                .with("kind", "bar")
                .with("covered_at_m3s", 4000),
        );
    }
    features
}
