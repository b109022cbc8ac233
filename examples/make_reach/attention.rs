//! Households that need attention in an evacuation: invented people in nine categories, which are a setting.

use super::cells::{Cell, CellKind};
use super::dice::Dice;
use super::floodplain;
use super::geo::rounded;
use super::ground::Ground;
use super::people::{Names, phone};
use std::fmt::Write as _;

/// Code, one Han character, Chinese, English, persons, what they need.
const CATEGORIES: [(&str, &str, &str, &str, u32, &str); 9] = [
    ("mobility", "残", "行动不便", "Reduced mobility", 14, "car"),
    ("elderly-alone", "老", "独居老人", "Elderly person living alone", 17, "escort"),
    ("pregnant", "孕", "孕产妇", "Expectant or new mother", 6, "car"),
    ("infant", "婴", "婴幼儿", "Infant", 7, "escort"),
    ("chronic", "病", "慢病用药", "Chronic illness, on medicine", 13, "medicine"),
    ("bedridden", "卧", "长期卧床", "Bedridden", 5, "ambulance"),
    ("child", "童", "留守儿童", "Child without parents at home", 8, "escort"),
    ("sensory", "聋", "听障视障", "Deaf or blind", 5, "visit"),
    ("floodplain-worker", "工", "滩区作业人员", "Working on the floodplain", 6, "visit"),
];

/// The file `attention.toml`.
pub fn toml(seed: u64, ground: &Ground, cells: &[Cell]) -> String {
    let mut dice = Dice::of(seed, "attention");
    let mut names = Names::new(seed, "attention");
    let mut text = format!(
        "# {}\n# Invented people. Who counts as needing attention is the site's decision: the categories are a setting.\n\
         synthetic = true\n",
        super::LABEL
    );
    for (code, mark, zh, en, ..) in CATEGORIES {
        let _ = writeln!(
            text,
            "\n[[category]]\ncode = \"{code}\"\nmark = \"{mark}\"\nname_zh = \"{zh}\"\nname_en = \"{en}\""
        );
    }
    let front: Vec<&Cell> =
        cells.iter().filter(|cell| cell.kind == CellKind::Rural && cell.site.north_m > -1_400.0).collect();
    let mut n = 0;
    for (code, _, _, _, count, need) in CATEGORIES {
        for _ in 0..count {
            n += 1;
            // Three in four live on the floodplain, the others in the first cells behind the levee.
            let (place, spot) = if code == "floodplain-worker" || !dice.one_in(4) {
                floodplain::doorstep(&mut dice)
            } else {
                let cell = dice.pick(&front);
                (
                    cell.site.id().to_owned(),
                    (cell.site.chainage_m + dice.around(150.0), cell.site.north_m + dice.around(120.0)),
                )
            };
            let (lon, lat) = ground.at(spot.0, spot.1);
            let persons = if code == "floodplain-worker" { dice.whole(2, 6) } else { dice.whole(1, 3) };
            let _ = writeln!(
                text,
                "\n[[household]]\nid = \"care-{n:03}\"\nname = \"{}\"\nphone = \"{}\"\ncategory = \"{code}\"\nplace = \"{place}\"\n\
                 persons = {persons}\nneed = \"{need}\"\nlon = {:.6}\nlat = {:.6}",
                names.next(),
                phone(3_000 + n),
                rounded(lon, 6),
                rounded(lat, 6)
            );
        }
    }
    text
}
