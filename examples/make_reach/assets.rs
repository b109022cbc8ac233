//! Things that stand along the reach: depots with stock, cameras, loudspeaker columns, guard points, posts, gauges,
//! bridges, gates, places where people come to see the river, and roads.

use super::cells::Cell;
use super::geo::{Feature, LonLat, Shape, rounded};
use super::ground::{self, Ground, LENGTH_M};
use super::river::{SEGMENTS, chainages, segment};
use super::site::Site;
use super::works::{Dam, WORKS};
use anlan::model::PlaceKind;
use serde_json::{Value, json};

/// id, Chinese, English, chainage, metres north.
type Fixed = (&'static str, &'static str, &'static str, f64, f64);

const CENTRES: [Fixed; 2] = [
    ("hq", "防汛前线指挥部", "Flood defence headquarters", 5_150.0, -330.0),
    ("town", "花园口镇政府", "Huayuankou Town government", 6_700.0, -1_240.0),
];
const DEPOTS: [Fixed; 4] = [
    ("depot-1", "花园口料场", "Huayuankou depot", 2_880.0, -170.0),
    ("depot-2", "申庄料场", "Shenzhuang depot", 6_180.0, -170.0),
    ("depot-3", "马渡料场", "Madu depot", 10_420.0, -170.0),
    ("depot-4", "东大坝下延料场", "Dongdaba depot", 12_950.0, -170.0),
];
const GATES: [Fixed; 2] = [
    ("gate-huayuankou", "花园口引黄闸", "Huayuankou intake gate", 1_330.0, 0.0),
    ("gate-madu", "马渡引黄闸", "Madu intake gate", 9_180.0, 0.0),
];
const BRIDGES: [Fixed; 2] = [
    ("bridge-huayuankou", "花园口浮桥", "Huayuankou pontoon bridge", 4_480.0, 640.0),
    ("bridge-madu", "马渡浮桥", "Madu pontoon bridge", 11_760.0, 480.0),
];
const SCENIC: [Fixed; 2] = [
    ("scenic-huayuankou", "花园口观河区", "Huayuankou riverside", 3_350.0, 40.0),
    ("scenic-madu", "马渡观河园", "Madu riverside", 10_750.0, 40.0),
];

/// Code, unit, Chinese, English, amounts of the four depots, least amount that should lie there.
type StockRow = (&'static str, &'static str, &'static str, &'static str, [u32; 4], u32);

/// What a depot keeps.
const STOCK: [StockRow; 12] = [
    ("stone", "m3", "备防石", "Riprap stone", [12_600, 7_400, 9_800, 5_200], 5_000),
    ("earth-bag", "bag", "土袋", "Earth bags", [60_000, 35_000, 48_000, 22_000], 25_000),
    ("willow", "t", "柳料", "Willow", [180, 95, 140, 60], 80),
    ("gabion", "piece", "铅丝笼", "Wire gabions", [1_900, 1_050, 1_450, 700], 600),
    ("geotextile", "m2", "土工布", "Geotextile", [16_000, 9_000, 12_000, 6_000], 6_000),
    ("sand-gravel", "m3", "砂石反滤料", "Sand and gravel for filters", [1_500, 800, 1_100, 420], 500),
    ("boat", "piece", "冲锋舟", "Assault boats", [8, 3, 6, 3], 3),
    ("life-jacket", "piece", "救生衣", "Life jackets", [420, 220, 310, 160], 150),
    ("pump", "piece", "排水泵", "Pumps", [14, 8, 11, 5], 5),
    ("light", "piece", "移动照明灯", "Mobile lights", [26, 14, 20, 9], 10),
    ("generator", "piece", "发电机", "Generators", [9, 5, 7, 4], 4),
    ("tent", "piece", "帐篷", "Tents", [80, 40, 55, 30], 30),
];

/// A river gauge: id, Chinese, English, position, quantities.
type GaugeRow = (&'static str, &'static str, &'static str, LonLat, &'static [&'static str]);

/// Coordinates of stations outside the reach are rounded to about 0.02 degree: general knowledge, to be replaced.
const FAR_GAUGES: [GaugeRow; 4] = [
    ("xiaolangdi", "小浪底", "Xiaolangdi", (112.40, 34.92), &["stage", "discharge"]),
    ("heishiguan", "黑石关", "Heishiguan", (112.93, 34.72), &["stage", "discharge"]),
    ("wuzhi", "武陟", "Wuzhi", (113.27, 35.07), &["stage", "discharge"]),
    ("jiahetan", "夹河滩", "Jiahetan", (114.57, 34.90), &["stage", "discharge"]),
];
const RAIN_GAUGES: [Fixed; 4] = [
    ("rain-huayuankou", "花园口雨量站", "Huayuankou rain gauge", 2_050.0, -90.0),
    ("rain-shenzhuang", "申庄雨量站", "Shenzhuang rain gauge", 6_420.0, -90.0),
    ("rain-madu", "马渡雨量站", "Madu rain gauge", 10_120.0, -90.0),
    ("rain-dongdaba", "东大坝雨量站", "Dongdaba rain gauge", 12_800.0, -90.0),
];

/// The places among these things.
pub fn sites(ground: &Ground) -> Vec<Site> {
    let of = |rows: &[Fixed], kind: PlaceKind, scope: &str| -> Vec<Site> {
        rows.iter()
            .map(|(id, zh, en, s, north)| Site::new(ground, id, kind, scope, (*s, *north)).named(*zh, *en))
            .collect()
    };
    let mut sites = of(&CENTRES[..1], PlaceKind::Hq, "hq");
    sites.extend(of(&CENTRES[1..], PlaceKind::Town, "town"));
    sites.extend(of(&DEPOTS, PlaceKind::Depot, "warehouse"));
    sites.extend(of(&GATES, PlaceKind::Gate, "culvert_gate").into_iter().map(|gate| {
        let s = gate.chainage_m;
        gate.along(s - 15.0, s + 15.0)
    }));
    sites.extend(of(&BRIDGES, PlaceKind::Bridge, "bridge_crossing"));
    sites.extend(of(&SCENIC, PlaceKind::Scenic, "riverside_scenic"));
    sites
}

fn point(ground: &Ground, (id, zh, en, s, north): Fixed) -> Feature {
    Feature::new(id, Shape::Point(ground.at(s, north))).named(zh, en)
}

/// The layer `centres`: headquarters and town government.
pub fn centre_features(ground: &Ground) -> Vec<Feature> {
    CENTRES.into_iter().map(|row| point(ground, row).with("kind", row.0)).collect()
}

/// The layer `depots`, each with its stock.
pub fn depot_features(ground: &Ground) -> Vec<Feature> {
    let stock = |depot: usize| -> Vec<Value> {
        STOCK
            .iter()
            .map(|(code, unit, zh, en, amounts, least)| {
                json!({"code": code, "unit": unit, "name_zh": zh, "name_en": en, "amount": amounts[depot], "least": least})
            })
            .collect()
    };
    DEPOTS
        .into_iter()
        .enumerate()
        .map(|(n, row)| point(ground, row).with("chainage_m", row.3).with("stock", stock(n)))
        .collect()
}

/// The layer `gates`.
pub fn gate_features(ground: &Ground) -> Vec<Feature> {
    let sill = |s: f64| rounded(ground::design_stage(s) - 5.4, 2);
    GATES
        .into_iter()
        .map(|row| {
            point(ground, row)
                .with("chainage_m", row.3)
                .with("stake", ground::stake(row.3))
                .with("sill_m", sill(row.3))
                .with("datum", "dagu")
        })
        .collect()
}

/// The layer `bridges`: pontoon bridges from bank to bank with their way from the levee.
pub fn bridge_features(ground: &Ground) -> Vec<Feature> {
    BRIDGES
        .into_iter()
        .map(|(id, zh, en, s, _)| {
            let (south, north) = (ground::south_bank(s), ground::north_bank(s));
            let line = vec![
                ground.at(s, 0.0),
                ground.at(s + 20.0, south),
                ground.at(s + 60.0, north),
                ground.at(s + 110.0, north + 900.0),
            ];
            Feature::new(id, Shape::Line(line))
                .named(zh, en)
                .with("kind", "pontoon")
                .with("removed_at_m3s", 3000)
                .with("chainage_m", s)
        })
        .collect()
}

/// The layer `scenic`.
pub fn scenic_features(ground: &Ground) -> Vec<Feature> {
    SCENIC.into_iter().map(|row| point(ground, row).with("chainage_m", row.3).with("capacity", 3_000)).collect()
}

/// The layer `gauges`: stations of the network and four rain gauges.
pub fn gauge_features(ground: &Ground) -> Vec<Feature> {
    let s = ground::GAUGE_CHAINAGE_M;
    let own = Feature::new("huayuankou", Shape::Point(ground.at(s, ground::mid_channel(s))))
        .named("花园口", "Huayuankou")
        .with("kind", "river")
        .with("quantities", json!(["stage", "discharge"]))
        .with("outside", false)
        .with("chainage_m", s)
        .with("datum", "dagu");
    let far = FAR_GAUGES.iter().map(|(id, zh, en, at, quantities)| {
        Feature::new(*id, Shape::Point(*at))
            .named(*zh, *en)
            .with("kind", "river")
            .with("quantities", json!(quantities))
            .with("outside", true)
            .with("synthetic", false)
            .with("coordinates", "rounded to about 0.02 degree, general knowledge; replace with surveyed values")
    });
    let rain = RAIN_GAUGES
        .into_iter()
        .map(|row| point(ground, row).with("kind", "rain").with("quantities", json!(["rain"])).with("outside", false));
    std::iter::once(own).chain(far).chain(rain).collect()
}

/// The layer `cameras`: works, gates, bridges, villages, gauge and ditch.
pub fn camera_features(ground: &Ground) -> Vec<Feature> {
    let mut spots: Vec<(String, String, f64, f64, f64)> = Vec::new();
    for work in &WORKS {
        for s in chainages(work.from_m + 120.0, work.to_m - 120.0, 700.0) {
            let north = if work.on_levee { 10.0 } else { super::works::training_line(s) };
            spots.push((
                format!("{}{}", work.zh, ground::stake(s)),
                format!("{} {}", work.en, ground::stake(s)),
                s,
                north,
                20.0,
            ));
        }
    }
    for (_, zh, en, s, _) in GATES.into_iter().chain(BRIDGES) {
        spots.push((zh.to_owned(), en.to_owned(), s, 12.0, 0.0));
    }
    for s in [700.0, 4_750.0, 8_050.0, 13_050.0] {
        spots.push((format!("堤河{}", ground::stake(s)), format!("Levee ditch {}", ground::stake(s)), s, 8.0, 340.0));
    }
    spots
        .into_iter()
        .enumerate()
        .map(|(n, (zh, en, s, north, bearing))| {
            Feature::new(format!("camera-{:02}", n + 1), Shape::Point(ground.at(s, north)))
                .named(format!("{zh}摄像机"), format!("Camera {en}"))
                .with("chainage_m", rounded(s, 1))
                .with("stake", ground::stake(s))
                .with("bearing_deg", bearing)
                .with("turns", n % 3 == 0)
                .with("stream", Value::Null)
        })
        .collect()
}

/// The layer `loudspeakers` (音柱): villages, river-view spots, exclusive cells and every other segment.
pub fn loudspeaker_features(ground: &Ground, sites: &[Site], cells: &[Cell]) -> Vec<Feature> {
    let mut spots: Vec<(String, String, f64, f64)> = Vec::new();
    let wanted = |site: &&Site| matches!(site.place.kind, PlaceKind::Village | PlaceKind::Scenic);
    let exclusive = cells.iter().map(|cell| &cell.site).filter(|site| site.answers("exclusive_grid"));
    for site in sites.iter().filter(wanted).chain(exclusive) {
        spots.push((
            site.place.name_zh.clone(),
            site.place.name_en.clone(),
            site.chainage_m + 35.0,
            site.north_m - 20.0,
        ));
    }
    for n in (1..=SEGMENTS).step_by(2) {
        let (from, to) = segment(n);
        let s = f64::midpoint(from, to);
        spots.push((format!("大堤{}", ground::stake(s)), format!("Levee {}", ground::stake(s)), s, -14.0));
    }
    spots
        .into_iter()
        .enumerate()
        .map(|(n, (zh, en, s, north))| {
            Feature::new(format!("speaker-{:02}", n + 1), Shape::Point(ground.at(s, north)))
                .named(format!("{zh}音柱"), format!("Loudspeaker column {en}"))
                .with("radius_m", 400)
        })
        .collect()
}

/// The layer `defence-points`: what must be guarded first.
pub fn defence_features(ground: &Ground, dams: &[Dam]) -> Vec<Feature> {
    let mut features: Vec<Feature> = dams
        .iter()
        .filter(|dam| dam.against_river && dam.stones >= 4)
        .map(|dam| {
            let name = (format!("{}（靠溜）", dam.name_zh()), format!("{} (against the current)", dam.name_en()));
            (dam.head, name, dam.chainage_m, "dam", dam.id.clone())
        })
        .chain(GATES.into_iter().map(|(id, zh, en, s, north)| {
            (ground.at(s, north), (zh.to_owned(), en.to_owned()), s, "gate", id.to_owned())
        }))
        .chain([760.0, 4_720.0, 8_060.0, 13_020.0].into_iter().map(|s| {
            let name = (format!("堤河低洼段{}", ground::stake(s)), format!("Low levee foot {}", ground::stake(s)));
            (ground.at(s, 36.0), name, s, "levee-foot", format!("seg-{:02}", super::cells::segment_at(s)))
        }))
        .enumerate()
        .map(|(n, (at, (zh, en), s, kind, place))| {
            Feature::new(format!("guard-{:02}", n + 1), Shape::Point(at))
                .named(zh, en)
                .with("kind", kind)
                .with("place", place)
                .with("chainage_m", rounded(s, 1))
                .with("stake", ground::stake(s))
        })
        .collect();
    features.shrink_to_fit();
    features
}

/// The layer `posts`: one watch post a segment and three joint posts (one post, two organisations).
pub fn post_features(ground: &Ground) -> Vec<Feature> {
    let watch = (1..=SEGMENTS).map(|n| {
        let (from, to) = segment(n);
        let s = f64::midpoint(from, to) - 120.0;
        (format!("{n}号堤段守险点"), format!("Watch post of segment {n}"), s, "watch", format!("seg-{n:02}"))
    });
    let joint = WORKS.iter().map(|work| {
        let s = f64::midpoint(work.from_m, work.to_m);
        (format!("{}联合值守点", work.zh), format!("Joint post, {}", work.en), s, "joint", work.id.to_owned())
    });
    watch
        .chain(joint)
        .enumerate()
        .map(|(n, (zh, en, s, kind, place))| {
            let partners =
                if kind == "joint" { json!(["river_bureau_section", "town"]) } else { json!(["patrol_team"]) };
            Feature::new(format!("post-{:02}", n + 1), Shape::Point(ground.at(s, -16.0)))
                .named(zh, en)
                .with("kind", kind)
                .with("place", place)
                .with("organisations", partners)
                .with("chainage_m", rounded(s, 1))
                .with("stake", ground::stake(s))
        })
        .collect()
}

/// The layer `roads`: the road on the levee, one behind it, a main road through the town, and cross roads.
pub fn road_features(ground: &Ground) -> Vec<Feature> {
    let along = |north: &dyn Fn(f64) -> f64| -> Vec<LonLat> {
        chainages(0.0, LENGTH_M, 160.0).into_iter().map(|s| ground.at(s, north(s))).collect()
    };
    let mut features = vec![
        Feature::new("road-levee", Shape::Line(along(&|_| 0.0)))
            .named("堤顶防汛路", "Levee road")
            .with("kind", "levee"),
        Feature::new("road-behind", Shape::Line(along(&|s| -800.0 - 40.0 * (s / 1_900.0).sin())))
            .named("堤后路", "Road behind the levee")
            .with("kind", "local"),
        Feature::new("road-main", Shape::Line(along(&|s| -1_990.0 - 90.0 * (s / 3_100.0).sin())))
            .named("镇区干道", "Main road of the town")
            .with("kind", "main"),
    ];
    for (n, s) in [880.0, 2_950.0, 4_860.0, 6_980.0, 8_900.0, 11_050.0, 13_230.0].into_iter().enumerate() {
        let line = chainages(0.0, 3_400.0, 425.0)
            .into_iter()
            .map(|d| ground.at(s + 70.0 * (d / 900.0 + n as f64).sin(), -d))
            .collect();
        features.push(
            Feature::new(format!("road-cross-{}", n + 1), Shape::Line(line))
                .named(format!("上堤路{}", n + 1), format!("Levee access road {}", n + 1))
                .with("kind", "access")
                .with("ramp_chainage_m", s),
        );
    }
    features
}
