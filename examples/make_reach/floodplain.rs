//! Life on the floodplain: four villages, farm blocks with their households, shelters and the ways to them.

use super::cells::{VILLAGES, segment_at};
use super::dice::Dice;
use super::geo::{Feature, LonLat, Shape, rounded};
use super::ground::{self, Ground};
use super::people::{Names, phone};
use super::profile;
use super::site::Site;
use anlan::model::PlaceKind;
use std::fmt::Write as _;

/// (chainage, north, half length, half width, households, residents), in the order of [`VILLAGES`].
const SPOTS: [(f64, f64, f64, f64, u32, u32); 4] = [
    (760.0, 420.0, 250.0, 150.0, 186, 655),
    (4_720.0, 290.0, 215.0, 105.0, 121, 428),
    (8_060.0, 480.0, 260.0, 150.0, 164, 590),
    (13_020.0, 400.0, 235.0, 140.0, 142, 507),
];

/// Crop classes: code, Chinese, English, households, seasonal share in percent, whether animals or facilities.
const CROPS: [(&str, &str, &str, u32); 5] = [
    ("field", "大田作物", "Field crops", 214),
    ("greenhouse", "蔬菜大棚", "Greenhouse vegetables", 96),
    ("orchard", "果树苗木", "Fruit trees and nurseries", 58),
    ("aquaculture", "水产养殖", "Fish ponds", 31),
    ("livestock", "畜禽养殖", "Livestock and poultry", 22),
];

/// Who works there (our default reading; the source lists no classes).
const PERSONS: [(&str, &str); 4] = [
    ("resident-watcher", "常住看护人员"),
    ("day-cultivator", "日间耕作人员"),
    ("facility-grower", "养殖设施人员"),
    ("seasonal-picker", "季节采收人员"),
];

/// Farm blocks: index of the crop, from and to chainage, from and to metres north, index of the village.
const BLOCKS: [(usize, f64, f64, f64, f64, usize); 16] = [
    (0, 60.0, 440.0, 110.0, 610.0, 0),
    (0, 60.0, 560.0, 680.0, 1120.0, 0),
    (1, 1070.0, 1290.0, 110.0, 400.0, 0),
    (3, 640.0, 880.0, 660.0, 900.0, 0),
    (2, 4280.0, 4470.0, 110.0, 400.0, 1),
    (0, 4540.0, 4880.0, 430.0, 600.0, 1),
    (4, 4980.0, 5160.0, 110.0, 360.0, 1),
    (0, 7480.0, 7760.0, 110.0, 660.0, 2),
    (0, 8370.0, 8740.0, 110.0, 640.0, 2),
    (2, 8340.0, 8640.0, 700.0, 960.0, 2),
    (1, 8790.0, 9040.0, 110.0, 560.0, 2),
    (3, 7800.0, 8260.0, 700.0, 1130.0, 2),
    (1, 12_400.0, 12_730.0, 110.0, 420.0, 3),
    (0, 13_310.0, 13_830.0, 110.0, 560.0, 3),
    (0, 13_250.0, 13_800.0, 620.0, 960.0, 3),
    (4, 13_890.0, 14_150.0, 110.0, 400.0, 3),
];

/// Shelters: id, Chinese, English, chainage, metres north (negative: south), places, village served.
const SHELTERS: [(&str, &str, &str, f64, f64, u32, usize); 5] = [
    ("shelter-1", "第一安置点（学校）", "Shelter 1 (school)", 980.0, -1_930.0, 900, 0),
    ("shelter-2", "第二安置点（体育馆）", "Shelter 2 (sports hall)", 4_350.0, -2_050.0, 700, 1),
    ("shelter-3", "第三安置点（学校）", "Shelter 3 (school)", 7_650.0, -1_880.0, 850, 2),
    ("shelter-4", "第四安置点（文化中心）", "Shelter 4 (culture centre)", 12_550.0, -2_100.0, 750, 3),
    ("shelter-5", "第五安置点（备用）", "Shelter 5 (reserve)", 9_600.0, -2_750.0, 1_200, 3),
];

/// The places of the floodplain and the shelters behind the levee.
pub fn sites(ground: &Ground) -> Vec<Site> {
    let villages = VILLAGES.iter().zip(SPOTS).map(|((id, zh, en), (s, north, ..))| {
        Site::new(ground, id, PlaceKind::Village, "floodplain_village", (s, north)).named(*zh, *en).within("town")
    });
    let farms = BLOCKS.iter().enumerate().map(|(n, (crop, s0, s1, n0, n1, village))| {
        let (_, zh, en, _) = CROPS[*crop];
        let middle = (f64::midpoint(*s0, *s1), f64::midpoint(*n0, *n1));
        Site::new(ground, &farm_id(n), PlaceKind::Farm, "floodplain_farm", middle)
            .named(
                format!("{}{}号地块（{zh}）", VILLAGES[*village].1, n + 1),
                format!("{} block {} ({en})", VILLAGES[*village].2, n + 1),
            )
            .within(VILLAGES[*village].0)
    });
    let shelters = SHELTERS.iter().map(|(id, zh, en, s, north, ..)| {
        Site::new(ground, id, PlaceKind::Shelter, "shelter", (*s, *north)).named(*zh, *en)
    });
    villages.chain(farms).chain(shelters).collect()
}

fn farm_id(n: usize) -> String {
    format!("farm-{:02}", n + 1)
}

/// Top of the mounds (村台) that the villages of the floodplain stand on, m above Dagu: the stage of about 8,000 m³/s, so that the
/// fields go under long before the houses do.
pub fn mound_m(chainage_m: f64) -> f64 {
    ground::design_stage(chainage_m) - 0.95
}

/// Ground of a village, m above Dagu.
fn village_ground_m(chainage_m: f64, north_m: f64) -> f64 {
    rounded(mound_m(chainage_m).max(profile::elevation(chainage_m, north_m)), 2)
}

/// The layer `villages`: a point each, with people, ground height and the discharge that first wets it.
pub fn village_features(ground: &Ground) -> Vec<Feature> {
    VILLAGES
        .iter()
        .zip(SPOTS)
        .zip(SHELTERS)
        .map(|(((id, zh, en), (s, north, _, _, households, residents)), shelter)| {
            Feature::new(*id, Shape::Point(ground.at(s, north)))
                .named(*zh, *en)
                .with("households", households)
                .with("residents", residents)
                .with("ground_m", village_ground_m(s, north))
                .with("design_depth_m", rounded(ground::design_stage(s) - village_ground_m(s, north), 2))
                .with("datum", "dagu")
                .with("chainage_m", s)
                .with("segment", format!("seg-{:02}", segment_at(s)))
                .with("shelter", shelter.0)
        })
        .collect()
}

/// The layer `village-areas`: the built-up outline.
pub fn area_features(seed: u64, ground: &Ground) -> Vec<Feature> {
    let mut dice = Dice::of(seed, "village-areas");
    let mut features = Vec::new();
    for ((id, zh, en), (s, north, half_s, half_n, ..)) in VILLAGES.iter().zip(SPOTS) {
        let ring = (0..16)
            .map(|k| {
                let turn = f64::from(k) / 16.0 * std::f64::consts::TAU;
                let reach = dice.between(0.82, 1.08);
                // Villages are nearer to rectangles than to ellipses.
                let square = |v: f64| v.signum() * v.abs().powf(0.6);
                ground.at(s + half_s * reach * square(turn.cos()), north + half_n * reach * square(turn.sin()))
            })
            .collect();
        features.push(Feature::new(format!("{id}-area"), Shape::Polygon(ring)).named(*zh, *en).with("village", *id));
    }
    features
}

/// Households of a block: the class total shared evenly, the first blocks taking the rest.
fn households(block: usize) -> u32 {
    let crop = BLOCKS[block].0;
    let same: Vec<usize> = (0..BLOCKS.len()).filter(|n| BLOCKS[*n].0 == crop).collect();
    let (total, count) = (CROPS[crop].3, same.len() as u32);
    let rank = same.iter().position(|n| *n == block).unwrap_or_default() as u32;
    total / count + u32::from(rank < total % count)
}

/// The layer `farms` and the file `farmers.csv`: blocks by class and every household of them.
pub fn farms(seed: u64, ground: &Ground) -> (Vec<Feature>, String) {
    let mut dice = Dice::of(seed, "farms");
    let mut names = Names::new(seed, "farmers");
    let mut csv = format!(
        "# {}; synthetic = true\n# Households that grow on the floodplain. Names and numbers are invented; the numbers \
         cannot be assigned.\nid,name,phone,block,crop,person_class,persons,village,lon,lat\n",
        super::LABEL
    );
    let mut features = Vec::new();
    let mut n = 0;
    for (block, (crop, s0, s1, n0, n1, village)) in BLOCKS.iter().enumerate() {
        let mut counts = [0_u32; 4];
        for _ in 0..households(block) {
            n += 1;
            let class = person_class(&mut dice, *crop);
            let persons = dice.whole(1, 4);
            counts[class] += 1;
            let spot = (dice.between(s0 + 25.0, s1 - 25.0), dice.between(n0 + 25.0, n1 - 25.0));
            let (lon, lat) = ground.at(spot.0, spot.1);
            let _ = writeln!(
                csv,
                "grower-{n:03},{},{},{},{},{},{persons},{},{lon:.6},{lat:.6}",
                names.next(),
                phone(5_000 + n),
                farm_id(block),
                CROPS[*crop].0,
                PERSONS[class].0,
                VILLAGES[*village].0
            );
        }
        let ring = outline(&mut dice, ground, (*s0, *s1, *n0, *n1));
        let (code, zh, en, _) = CROPS[*crop];
        let mut feature = Feature::new(farm_id(block), Shape::Polygon(ring))
            .named(
                format!("{}{}号地块（{zh}）", VILLAGES[*village].1, block + 1),
                format!("{} block {} ({en})", VILLAGES[*village].2, block + 1),
            )
            .with("crop", code)
            .with("crop_zh", zh)
            .with("crop_en", en)
            .with("village", VILLAGES[*village].0)
            .with("households", households(block))
            .with("ground_m", profile::ground_m(f64::midpoint(*s0, *s1), f64::midpoint(*n0, *n1)))
            .with("datum", "dagu")
            .with("segment", format!("seg-{:02}", segment_at(f64::midpoint(*s0, *s1))));
        let keys = ["resident_watchers", "day_cultivators", "facility_growers", "seasonal_pickers"];
        for (key, count) in keys.into_iter().zip(counts) {
            feature = feature.with(key, count);
        }
        features.push(feature);
    }
    (features, csv)
}

/// Ponds and stables are run by facility growers; fields by day cultivators; orchards draw pickers.
fn person_class(dice: &mut Dice, crop: usize) -> usize {
    let draw = dice.index(10);
    match (crop, draw) {
        (3 | 4, 0..=7) => 2,
        (1, 0..=3) => 2,
        (1, 4) | (2, 0..=3) | (0, 0) => 3,
        (_, 8..=9) => 0,
        _ => 1,
    }
}

fn outline(dice: &mut Dice, ground: &Ground, (s0, s1, n0, n1): (f64, f64, f64, f64)) -> Vec<LonLat> {
    let (mut skew, lean) = (|| dice.around(18.0), 0.06 * (n1 - n0));
    [(s0 - lean, n0), (s1 - lean, n0), (s1 + lean, n1), (s0 + lean, n1)]
        .into_iter()
        .map(|(s, n)| ground.at(s + skew(), n + skew()))
        .collect()
}

/// The layer `shelters`.
pub fn shelter_features(ground: &Ground) -> Vec<Feature> {
    SHELTERS
        .iter()
        .map(|(id, zh, en, s, north, capacity, village)| {
            Feature::new(*id, Shape::Point(ground.at(*s, *north)))
                .named(*zh, *en)
                .with("capacity", *capacity)
                .with("village", VILLAGES[*village].0)
                .with("ground_m", profile::ground_m(*s, *north))
                .with("datum", "dagu")
        })
        .collect()
}

/// The layer `routes`: village → ramp up the levee → road → shelter, with a second way to the reserve shelter.
pub fn route_features(ground: &Ground) -> Vec<Feature> {
    let ways = [(0, 0), (1, 1), (2, 2), (3, 3), (3, 4), (2, 4)];
    ways.into_iter().enumerate().map(|(n, (village, shelter))| route(ground, n + 1, village, shelter)).collect()
}

fn route(ground: &Ground, n: usize, village: usize, shelter: usize) -> Feature {
    let (s, north, _, half_n, ..) = SPOTS[village];
    let (shelter_id, shelter_zh, shelter_en, to_s, to_north, ..) = SHELTERS[shelter];
    let ramp = s + if n > 4 { 190.0 } else { 60.0 };
    let path = [
        (s, north),
        (s + 15.0, north - half_n),
        (ramp - 30.0, 70.0),
        (ramp, 0.0),
        (ramp + 25.0, -75.0),
        (ramp + 10.0, -800.0),
        (to_s + 40.0, -815.0),
        (to_s + 25.0, 0.6 * to_north - 330.0),
        (to_s, to_north),
    ];
    let length_m: f64 = path
        .windows(2)
        .map(|leg| {
            let ((x0, y0), (x1, y1)) = (ground.metres(leg[0].0, leg[0].1), ground.metres(leg[1].0, leg[1].1));
            (x1 - x0).hypot(y1 - y0)
        })
        .sum();
    let (village_id, village_zh, village_en) = VILLAGES[village];
    Feature::new(format!("route-{n}"), Shape::Line(path.iter().map(|(s, north)| ground.at(*s, *north)).collect()))
        .named(format!("{village_zh}→{shelter_zh}"), format!("{village_en} → {shelter_en}"))
        .with("village", village_id)
        .with("shelter", shelter_id)
        .with("rank", if n > 4 { 2 } else { 1 })
        .with("length_m", rounded(length_m, 0))
        .with("ramp_chainage_m", ramp)
        .with("low_ground_m", profile::ground_m(ramp, 80.0))
        .with("datum", "dagu")
}

/// What stands on a spot of the floodplain.
pub enum Use {
    Village,
    /// Greenhouses and orchards.
    Covered,
    Open,
}

/// What stands on a spot, in levee coordinates.
pub fn use_at(s: f64, north: f64) -> Use {
    let in_village = |(at, mid, half_s, half_n, ..): &(f64, f64, f64, f64, u32, u32)| {
        (s - at).abs() <= *half_s && (north - mid).abs() <= *half_n
    };
    let covered = |(crop, s0, s1, n0, n1, _): &(usize, f64, f64, f64, f64, usize)| {
        matches!(crop, 1 | 2) && (*s0..=*s1).contains(&s) && (*n0..=*n1).contains(&north)
    };
    if SPOTS.iter().any(in_village) {
        Use::Village
    } else if BLOCKS.iter().any(covered) {
        Use::Covered
    } else {
        Use::Open
    }
}

/// Chainage and metres north of the middle of each village.
pub fn village_spots() -> [(f64, f64); 4] {
    SPOTS.map(|(s, north, ..)| (s, north))
}

/// A house in one of the villages: the village and a spot.
pub fn doorstep(dice: &mut Dice) -> (String, (f64, f64)) {
    let at = dice.index(VILLAGES.len());
    let (s, north, half_s, half_n, ..) = SPOTS[at];
    (VILLAGES[at].0.to_owned(), (s + dice.around(0.75 * half_s), north + dice.around(0.75 * half_n)))
}
