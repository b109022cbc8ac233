//! The river works: three 险工 and the training works, their dams, and the 249 smart stones.

use super::dice::Dice;
use super::geo::{Feature, LonLat, Shape, rounded};
use super::ground::{self, Ground};
use serde_json::json;

/// One river work of the demo.
pub struct Work {
    pub id: &'static str,
    pub zh: &'static str,
    pub en: &'static str,
    /// 1-based; the field devices of the work listen at first port + index.
    pub index: u32,
    pub from_m: f64,
    pub to_m: f64,
    pub dams: u32,
    pub first_number: u32,
    pub stones: u32,
    /// Whether the dams grow from the levee itself (险工) or from a line of their own on the floodplain (控导).
    pub on_levee: bool,
}

/// In the order of the field devices' ports. Stones add up to 249.
pub const WORKS: [Work; 4] = [
    Work {
        id: "work-huayuankou",
        zh: "花园口险工",
        en: "Huayuankou vulnerable works",
        index: 1,
        from_m: 1500.0,
        to_m: 4200.0,
        dams: 34,
        first_number: 90,
        stones: 108,
        on_levee: true,
    },
    Work {
        id: "work-shenzhuang",
        zh: "申庄险工",
        en: "Shenzhuang vulnerable works",
        index: 2,
        from_m: 5300.0,
        to_m: 7000.0,
        dams: 17,
        first_number: 1,
        stones: 47,
        on_levee: true,
    },
    Work {
        id: "work-madu",
        zh: "马渡险工",
        en: "Madu vulnerable works",
        index: 3,
        from_m: 9350.0,
        to_m: 11_450.0,
        dams: 24,
        first_number: 70,
        stones: 68,
        on_levee: true,
    },
    Work {
        id: "work-dongdaba",
        zh: "东大坝下延控导工程",
        en: "Dongdaba lower extension training works",
        index: 4,
        from_m: 12_050.0,
        to_m: 13_850.0,
        dams: 11,
        first_number: 1,
        stones: 26,
        on_levee: false,
    },
];

/// A dam or spur.
pub struct Dam {
    pub id: String,
    pub work: &'static Work,
    /// 1-based within the work: the Modbus unit of its terminal.
    pub unit: u32,
    pub number: u32,
    pub chainage_m: f64,
    pub kind: DamKind,
    pub crest_m: f64,
    pub root: LonLat,
    pub head: LonLat,
    /// Bearing of the dam's axis as (across, along) unit vector of the levee's frame, with root offset and length.
    frame: DamFrame,
    pub toe_stone_m: f64,
    /// The main current runs along it.
    pub against_river: bool,
    pub stones: u32,
}

struct DamFrame {
    north_m: f64,
    across: f64,
    along: f64,
    length_m: f64,
}

/// What is built: 坝, 垛 or 护岸.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum DamKind {
    Dam,
    Spur,
    Revetment,
}

impl DamKind {
    fn code(self) -> &'static str {
        match self {
            Self::Dam => "dam",
            Self::Spur => "spur",
            Self::Revetment => "revetment",
        }
    }
    fn zh(self) -> &'static str {
        match self {
            Self::Dam => "坝",
            Self::Spur => "垛",
            Self::Revetment => "护岸",
        }
    }
    fn en(self) -> &'static str {
        match self {
            Self::Dam => "Dam",
            Self::Spur => "Spur",
            Self::Revetment => "Revetment",
        }
    }
}

impl Dam {
    /// Name as people say it: 花园口险工 121 坝.
    pub fn name_zh(&self) -> String {
        format!("{}{}{}", short_zh(self.work), self.number, self.kind.zh())
    }
    /// Name for English screens.
    pub fn name_en(&self) -> String {
        format!("{} {} {}", short_en(self.work), self.kind.en(), self.number)
    }
    /// A spot on the dam: `part` of the way from root to head, `beside_m` to its downstream side.
    fn spot(&self, ground: &Ground, part: f64, beside_m: f64) -> LonLat {
        let f = &self.frame;
        let out = f.length_m * part;
        ground.beside(
            self.chainage_m,
            f.north_m,
            f.across * out - f.along * beside_m,
            f.along * out + f.across * beside_m,
        )
    }
}

fn short_zh(work: &Work) -> &'static str {
    work.zh.trim_end_matches("险工").trim_end_matches("控导工程")
}
fn short_en(work: &Work) -> &'static str {
    work.en.split(' ').next().unwrap_or(work.en)
}

/// Distance of the line that the training works stand on, m north of the levee.
pub fn training_line(chainage_m: f64) -> f64 {
    let t = ((chainage_m - 11_750.0) / 750.0).clamp(0.0, 1.0);
    (t * t * (3.0 - 2.0 * t)) * (ground::south_bank(chainage_m) - 230.0)
}

/// Draws all dams, work by work from upstream to downstream.
pub fn dams(seed: u64, ground: &Ground) -> Vec<Dam> {
    let mut dice = Dice::of(seed, "dams");
    let mut dams: Vec<Dam> = WORKS
        .iter()
        .flat_map(|work| (1..=work.dams).map(move |unit| (work, unit)))
        .map(|(w, u)| draw(&mut dice, ground, w, u))
        .collect();
    for work in &WORKS {
        share_stones(&mut dice, work, &mut dams);
    }
    dams
}

fn draw(dice: &mut Dice, ground: &Ground, work: &'static Work, unit: u32) -> Dam {
    let number = work.first_number + unit - 1;
    let spacing = (work.to_m - work.from_m) / f64::from(work.dams);
    let chainage_m = work.from_m + spacing * (f64::from(unit) - 0.5) + dice.around(spacing * 0.12);
    let general = work.index == 1 && number == 90; // 将军坝, the deepest toe stone of the river: 23.5 m.
    let named_in_the_drills = (work.index == 1 && number == 121) || (work.index == 3 && number == 85);
    let kind = match dice.index(6) {
        _ if general || named_in_the_drills || !work.on_levee => DamKind::Dam,
        0 => DamKind::Revetment,
        1 | 2 => DamKind::Spur,
        _ => DamKind::Dam,
    };
    let length_m = match kind {
        DamKind::Dam => dice.between(150.0, 215.0),
        DamKind::Spur => dice.between(75.0, 110.0),
        DamKind::Revetment => dice.between(28.0, 40.0),
    };
    let slant = dice.between(33.0_f64, 41.0).to_radians(); // Downstream from the normal.
    let north_m = if work.on_levee { 8.0 } else { training_line(chainage_m) };
    let frame = DamFrame { north_m, across: slant.cos(), along: slant.sin(), length_m };
    let against_river = ground::south_bank(chainage_m) - north_m < 330.0;
    // Crests as published for Huayuankou: 95.1 to 98.75 m. The training works are lower, made to be overtopped.
    let crest_m = if work.on_levee {
        (ground::design_stage(chainage_m) + dice.between(1.25, 2.1)).clamp(95.1, 98.75)
    } else {
        ground::design_stage(chainage_m) - dice.between(0.45, 0.75)
    };
    let toe_stone_m = match (general, against_river) {
        (true, _) => 23.5,
        (false, true) => dice.between(13.0, 19.5),
        (false, false) => dice.between(10.0, 13.0),
    };
    let mut dam = Dam {
        id: format!("dam-{}-{number:03}", work.id.trim_start_matches("work-")),
        work,
        unit,
        number,
        chainage_m,
        kind,
        crest_m: rounded(crest_m, 2),
        root: (0.0, 0.0),
        head: (0.0, 0.0),
        frame,
        toe_stone_m: rounded(toe_stone_m, 1),
        against_river,
        stones: 2,
    };
    (dam.root, dam.head) = (dam.spot(ground, 0.0, 0.0), dam.spot(ground, 1.0, 0.0));
    dam
}

/// Two stones a dam, the rest to the dams that matter most: at most seven, so that one read fetches a dam.
fn share_stones(dice: &mut Dice, work: &Work, dams: &mut [Dam]) {
    let mut left = work.stones - 2 * work.dams;
    let mut own: Vec<&mut Dam> = dams.iter_mut().filter(|dam| dam.work.id == work.id).collect();
    for dam in &mut own {
        if (work.index, dam.number) == (1, 90)
            || (work.index, dam.number) == (1, 121)
            || (work.index, dam.number) == (3, 85)
        {
            let more = left.min(4);
            dam.stones += more;
            left -= more;
        }
    }
    while left > 0 {
        let at = dice.index(own.len());
        let dam = &mut own[at];
        if dam.stones < 6 && dam.kind == DamKind::Dam && (dam.against_river || dice.one_in(4)) {
            dam.stones += 1;
            left -= 1;
        }
    }
}

/// The layer `dams`.
pub fn dam_features(dams: &[Dam]) -> Vec<Feature> {
    dams.iter()
        .map(|dam| {
            Feature::new(&dam.id, Shape::Line(vec![dam.root, dam.head]))
                .named(dam.name_zh(), dam.name_en())
                .with("work", dam.work.id)
                .with("work_index", dam.work.index)
                .with("unit", dam.unit)
                .with("number", dam.number)
                .with("kind", dam.kind.code())
                .with("chainage_m", rounded(dam.chainage_m, 1))
                .with("stake", ground::stake(dam.chainage_m))
                .with("length_m", rounded(dam.frame.length_m, 1))
                .with("crest_m", dam.crest_m)
                .with("datum", "dagu")
                .with("toe_stone_m", dam.toe_stone_m)
                .with("against_river", dam.against_river)
                .with("stones", dam.stones)
                .with("note_zh", if dam.work.index == 1 && dam.number == 90 { json!("将军坝") } else { json!(null) })
        })
        .collect()
}

/// Where stones lie on a dam, in the order they are buried: code, Chinese, part of the length, metres downstream.
const POSITIONS: [(&str, &str, f64, f64); 6] = [
    ("upstream-corner", "上跨角", 0.96, -13.0),
    ("head", "坝头", 1.04, 0.0),
    ("downstream-corner", "下跨角", 0.96, 13.0),
    ("upstream-face", "迎水面", 0.66, -12.0),
    ("downstream-face", "背水面", 0.66, 12.0),
    ("upstream-root", "迎水面坝根", 0.34, -11.0),
];

/// The layer `stones`. Field devices and sensor files read it: `work_index`, `unit` and `slot` give the Modbus address
/// (endpoint = first port + work_index, unit id = unit, first register = 16 · slot).
pub fn stone_features(seed: u64, ground: &Ground, dams: &[Dam]) -> Vec<Feature> {
    let mut dice = Dice::of(seed, "stones");
    let mut features = Vec::new();
    for dam in dams {
        for slot in 0..dam.stones {
            features.push(stone(&mut dice, ground, dam, slot, features.len() + 1));
        }
    }
    features
}

fn stone(dice: &mut Dice, ground: &Ground, dam: &Dam, slot: u32, n: usize) -> Feature {
    let (code, zh, part, beside_m) = POSITIONS[slot as usize % POSITIONS.len()];
    let at = dam.spot(ground, part, beside_m + dice.around(1.5));
    let depth_m = rounded(dam.toe_stone_m * dice.between(0.42, 0.86), 1);
    Feature::new(format!("stone-{n:03}"), Shape::Point(at))
        .named(format!("{}{}号石头", dam.name_zh(), slot + 1), format!("{} stone {}", dam.name_en(), slot + 1))
        .with("n", n)
        .with("dam", dam.id.clone())
        .with("dam_number", dam.number)
        .with("work", dam.work.id)
        .with("work_index", dam.work.index)
        .with("unit", dam.unit)
        .with("slot", slot)
        .with("register", 16 * slot)
        .with("position", code)
        .with("position_zh", zh)
        .with("chainage_m", rounded(dam.chainage_m, 1))
        .with("depth_m", depth_m)
        .with("elevation_m", rounded(dam.crest_m - depth_m, 2))
        .with("datum", "dagu")
        .with("key", dam.against_river && slot < 3)
}

/// The layer `works`: the strip that a work takes up between levee (or its own line) and dam heads.
pub fn work_features(ground: &Ground, dams: &[Dam]) -> Vec<Feature> {
    WORKS.iter().map(|work| work_feature(ground, work, dams)).collect()
}

fn work_feature(ground: &Ground, work: &Work, dams: &[Dam]) -> Feature {
    let line = |chainage_m: f64| if work.on_levee { 8.0 } else { training_line(chainage_m) };
    let steps = 24;
    let chainages = || (0..=steps).map(|k| work.from_m + (work.to_m - work.from_m) * f64::from(k) / f64::from(steps));
    let mut ring: Vec<LonLat> = chainages().map(|s| ground.at(s, line(s) - 6.0)).collect();
    ring.extend(chainages().rev().map(|s| ground.at(s + 110.0, line(s) + 175.0)));
    let own = || dams.iter().filter(|dam| dam.work.id == work.id);
    let crests = || own().map(|dam| dam.crest_m);
    Feature::new(work.id, Shape::Polygon(ring))
        .named(work.zh, work.en)
        .with("kind", if work.on_levee { "vulnerable-work" } else { "training-work" })
        .with("work_index", work.index)
        .with("from_m", work.from_m)
        .with("to_m", work.to_m)
        .with("stakes", format!("{}～{}", ground::stake(work.from_m), ground::stake(work.to_m)))
        .with("dams", work.dams)
        .with("stones", work.stones)
        .with("crest_min_m", crests().fold(f64::INFINITY, f64::min))
        .with("crest_max_m", crests().fold(f64::NEG_INFINITY, f64::max))
        .with("datum", "dagu")
        .with("against_river", own().filter(|dam| dam.against_river).count())
}
