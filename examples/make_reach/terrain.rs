//! The terrain of the twin: a raster of heights and one of land cover, and the plan of levee, dikes, sides and marks.
//!
//! The raster leaves the embankment of the south levee out: it is an edge. A cell is averaged from spots on its own side of
//! the levee; beyond the foot of the north levee there is no ground.

use super::cells::VILLAGES;
use super::floodplain;
use super::ground::{self, Ground, LENGTH_M};
use super::profile::{self, Station};
use super::river::{SEGMENTS, chainages, segment};
use super::works::{Dam, WORKS};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Side of a cell, m.
const CELL_M: f64 = 50.0;
const COLUMNS: usize = 330;
const ROWS: usize = 222;
const WEST_M: f64 = -1_150.0;
const SOUTH_M: f64 = -3_400.0;
/// Spots a cell is averaged from, in each direction.
const SPOTS: usize = 4;
/// Where the river side begins and the land side ends, m north of the levee: between lies the embankment.
const FOOT: (f64, f64) = (30.0, -42.0);
/// The ditch at the levee foot, where water stands first, m north of the levee.
const TOE_M: f64 = 44.0;
/// Production dikes (生产堤) stand on the lip of the channel, so high above it, m. They are thinner than a cell, as the lip is.
const DIKE_M: f64 = 0.45;
/// Height of the lip below the design stage, m.
const LIP_M: f64 = 1.25;
/// The channel lies so much deeper than in the sections, m: they are cut along meridians, not across the river, and convey
/// too much. With it the model's stage at the gauge keeps within 0.35 m of the rating from 3 000 to 22 000 m³/s.
const DEEPER_M: f64 = 1.15;
/// Length of a levee piece with one crest, m.
const PIECE_M: f64 = 400.0;

/// Codes of the land cover with Manning's n, s/m^(1/3), and names.
const COVER: [(u8, f64, &str, &str); 5] = [
    (1, 0.012, "主槽", "main channel"),
    (2, 0.035, "滩区农田", "floodplain fields"),
    (VILLAGE, 0.08, "村庄", "village"),
    (4, 0.06, "堤背城乡", "land behind the levee"),
    (5, 0.05, "大棚果园", "greenhouses and orchards"),
];

/// The cover of the main channel.
const CHANNEL: u8 = 1;
/// The cover of a village.
const VILLAGE: u8 = 3;
/// The cover of the land behind the levee.
const LAND_SIDE: u8 = 4;

/// The files of the twin: name → text.
pub fn files(ground: &Ground, dams: &[Dam]) -> BTreeMap<String, String> {
    let (heights, cover) = rasters(ground);
    BTreeMap::from([
        ("terrain.asc".to_owned(), heights),
        ("cover.asc".to_owned(), cover),
        ("twin.toml".to_owned(), plan(ground, dams)),
        ("marks.toml".to_owned(), marks(ground, dams)),
    ])
}

fn header() -> String {
    format!(
        "ncols {COLUMNS}\nnrows {ROWS}\nxllcorner {WEST_M}\nyllcorner {SOUTH_M}\ncellsize {CELL_M}\nNODATA_value -9999\n"
    )
}

/// A north–south line of spots: easting, chainage, levee northing, section.
struct Meridian {
    chainage_m: f64,
    levee_m: f64,
    section: Vec<Station>,
    far_m: f64,
}

impl Meridian {
    fn at(ground: &Ground, x: f64) -> Self {
        let chainage_m = ground.chainage_at(x);
        let levee_m = ground.metres(chainage_m, 0.0).1;
        Self { chainage_m, levee_m, section: profile::section(chainage_m), far_m: ground::north_levee(chainage_m) }
    }
    fn height(&self, north_m: f64) -> f64 {
        let last = self.section.len() - 1;
        let at = self.section.partition_point(|(n, ..)| *n <= north_m).clamp(1, last);
        let ((n0, z0, _), (n1, z1, _)) = (self.section[at - 1], self.section[at]);
        z0 + (z1 - z0) * ((north_m - n0) / (n1 - n0)).clamp(0.0, 1.0)
    }
}

fn rasters(ground: &Ground) -> (String, String) {
    let (mut heights, mut cover) = (header(), header());
    let meridians: Vec<Meridian> =
        (0..COLUMNS * SPOTS).map(|k| Meridian::at(ground, WEST_M + (k as f64 + 0.5) * CELL_M / SPOTS as f64)).collect();
    for row in (0..ROWS).rev() {
        let y0 = SOUTH_M + row as f64 * CELL_M;
        for column in 0..COLUMNS {
            let own = &meridians[column * SPOTS..(column + 1) * SPOTS];
            let (height, code) = cell(own, y0);
            let end = if column + 1 == COLUMNS { '\n' } else { ' ' };
            match height {
                Some(z) => {
                    let _ = write!(heights, "{z:.2}{end}");
                    let _ = write!(cover, "{code}{end}");
                }
                None => {
                    let _ = write!(heights, "-9999{end}");
                    let _ = write!(cover, "-9999{end}");
                }
            }
        }
    }
    (heights, cover)
}

/// Mean height and land cover of a cell; no ground beyond the north levee.
fn cell(meridians: &[Meridian], y0: f64) -> (Option<f64>, u8) {
    let middle = &meridians[SPOTS / 2];
    let north = y0 + 0.5 * CELL_M - middle.levee_m;
    if north > middle.far_m - 25.0 {
        return (None, 0);
    }
    let river_side = north > 0.0;
    let mut sum = 0.0;
    for meridian in meridians {
        for spot in 0..SPOTS {
            let n = y0 + (spot as f64 + 0.5) * CELL_M / SPOTS as f64 - meridian.levee_m;
            let n = if river_side { n.max(FOOT.0).min(meridian.far_m - 25.0) } else { n.min(FOOT.1) };
            sum += meridian.height(n);
        }
    }
    let code = cover_at(middle.chainage_m, north);
    let mean = sum / (SPOTS * SPOTS) as f64;
    let height = match code {
        CHANNEL => mean - DEEPER_M,
        VILLAGE => mean.max(floodplain::mound_m(middle.chainage_m)),
        _ => mean,
    };
    (Some(height), code)
}

fn cover_at(s: f64, north: f64) -> u8 {
    if north <= 0.0 {
        return LAND_SIDE;
    }
    if (ground::south_bank(s)..=ground::north_bank(s)).contains(&north) {
        return CHANNEL;
    }
    match floodplain::use_at(s, north) {
        floodplain::Use::Village => VILLAGE,
        floodplain::Use::Covered => 5,
        floodplain::Use::Open => 2,
    }
}

fn point((x, y): (f64, f64)) -> String {
    format!("[{x:.1}, {y:.1}]")
}

fn line(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    format!("[{}]", points.into_iter().map(point).collect::<Vec<_>>().join(", "))
}

fn plan(ground: &Ground, dams: &[Dam]) -> String {
    let mut text = format!(
        "# {}\n# The inundation model of the reach: what docs/twin.md explains. Plane: metres east and north of the origin.\n\
         synthetic = true\n\n[plane]\norigin_lon = {}\norigin_lat = {}\nm_per_degree_lon = {}\nm_per_degree_lat = {}\n\n\
         [terrain]\nheight = \"terrain.asc\"\ncover = \"cover.asc\"\ndatum = \"dagu\"\n",
        super::LABEL,
        ground::ORIGIN.0,
        ground::ORIGIN.1,
        ground::M_PER_DEGREE_LON,
        ground::M_PER_DEGREE_LAT,
    );
    for (code, n, zh, en) in COVER {
        let _ = write!(text, "\n[[cover]]\ncode = {code}\nmanning = {n}\nname_zh = \"{zh}\"\nname_en = \"{en}\"\n");
        if code == LAND_SIDE {
            text.push_str("land_side = true\n");
        }
    }
    let gauge = ground.metres(ground::GAUGE_CHAINAGE_M, ground::mid_channel(ground::GAUGE_CHAINAGE_M));
    let _ = write!(
        text,
        "\n# Water enters along a line across the main channel and leaves over the east side at normal depth.\n\
         [flow]\ninflow_line = {}\noutflow_side = \"east\"\noutflow_slope = {:.9}\ngauge = \"huayuankou\"\ngauge_at = {}\n\n\
         # Computed by `anlan twin library`: each member rises from the base discharge within rise_h and then stays.\n\
         [library]\ncell_m = 100.0\nbase_m3s = 3000.0\nspin_up_h = 24.0\nrise_h = 2.0\n\
         discharges_m3s = [3000, 4000, 5000, 5500, 6000, 6500, 7000, 8000, 9000, 10000, 11000, 12000, 14000, 16000, 18000, 20000, 22000, 26000]\n\
         hours = [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24]\n\
         breach_discharges_m3s = [10000, 22000]\nfinest_cell_m = {CELL_M:.1}\n",
        line(inflow(ground)),
        ground::SLOPE,
        point(gauge),
    );
    edges(ground, &mut text);
    for work in &WORKS {
        let s = f64::midpoint(work.from_m, work.to_m);
        let _ = write!(
            text,
            "\n[[breach]]\nplace = \"{}\"\ncentre = {}\nwidth_m = 200.0\nto_crest_m = {:.2}\nstart_h = 3.0\nduration_h = 1.0\n\
             name_zh = \"{}处大堤溃口\"\nname_en = \"levee breach at {}\"\n",
            work.id,
            point(ground.metres(s, 0.0)),
            ground::design_stage(s) - 4.5,
            work.zh,
            work.en
        );
    }
    places(ground, dams, &mut text);
    text
}

/// Across the main channel at the west end.
fn inflow(ground: &Ground) -> [(f64, f64); 2] {
    let s = ground.chainage_at(WEST_M + CELL_M);
    [ground.metres(s, ground::south_bank(s) + 40.0), ground.metres(s, ground::north_bank(s) - 40.0)]
}

fn edges(ground: &Ground, text: &mut String) {
    let ends = (ground.chainage_at(WEST_M + 1.0), ground.chainage_at(WEST_M + COLUMNS as f64 * CELL_M - 1.0));
    let along = chainages(ends.0, ends.1, PIECE_M);
    for pair in along.windows(2) {
        let crest = ground::levee_crest(f64::midpoint(pair[0], pair[1]));
        edge(
            text,
            "levee",
            &chainages(pair[0], pair[1], 100.0).iter().map(|s| ground.metres(*s, 0.0)).collect::<Vec<_>>(),
            crest,
        );
    }
    for bank in [ground::south_bank, ground::north_bank] {
        for pair in along.windows(2) {
            let crest = ground::design_stage(f64::midpoint(pair[0], pair[1])) - LIP_M + DIKE_M;
            let points: Vec<_> =
                chainages(pair[0], pair[1], 100.0).iter().map(|s| ground.metres(*s, bank(*s))).collect();
            edge(text, "dike", &points, crest);
        }
    }
}

fn edge(text: &mut String, kind: &str, points: &[(f64, f64)], crest_m: f64) {
    let _ = write!(
        text,
        "\n[[edge]]\nkind = \"{kind}\"\ncrest_m = {crest_m:.2}\nline = {}\n",
        line(points.iter().copied())
    );
}

/// Where depth and freeboard of a place are read: the toe of each segment, the water beside each work.
fn places(ground: &Ground, dams: &[Dam], text: &mut String) {
    for n in 1..=SEGMENTS {
        let (from, to) = segment(n);
        let middle = f64::midpoint(from, to);
        let toe = chainages(from + 20.0, to - 20.0, 120.0).into_iter().map(|s| ground.metres(s, TOE_M));
        let _ = write!(
            text,
            "\n[[levee]]\nplace = \"seg-{n:02}\"\ntoe = {}\ncrest_m = {:.2}\nstage_at = {}\n",
            line(toe),
            ground::levee_crest(to),
            point(ground.metres(middle, ground::mid_channel(middle)))
        );
    }
    for work in &WORKS {
        let middle = f64::midpoint(work.from_m, work.to_m);
        // Training works are built lower than the levee: their crest is that of their lowest dam.
        let dams = dams.iter().filter(|dam| dam.work.id == work.id).map(|dam| dam.crest_m);
        let crest =
            if work.on_levee { ground::levee_crest(work.to_m) - 0.3 } else { dams.fold(f64::INFINITY, f64::min) };
        let north = if work.on_levee { TOE_M } else { super::works::training_line(middle) + 60.0 };
        let toe = chainages(work.from_m + 20.0, work.to_m - 20.0, 120.0)
            .into_iter()
            .map(|s| ground.metres(s, if work.on_levee { TOE_M } else { super::works::training_line(s) - 60.0 }));
        let _ = write!(
            text,
            "\n[[levee]]\nplace = \"{}\"\ntoe = {}\ncrest_m = {crest:.2}\nstage_at = {}\n",
            work.id,
            line(toe),
            point(ground.metres(middle, north.max(ground::mid_channel(middle))))
        );
    }
}

/// Marks that people on the site know: steps of a dam, the production road, the sports field behind the levee.
fn marks(ground: &Ground, dams: &[Dam]) -> String {
    let mut text = format!(
        "# {}\n# Marks on the site that say how high water stands better than metres do; steps are 0.5 m high.\nsynthetic = true\n",
        super::LABEL
    );
    for dam in dams.iter().filter(|dam| dam.kind == super::works::DamKind::Dam && dam.number % 3 == 1) {
        let (x, y) = ground::local(dam.head);
        for step in 1..=5_u32 {
            let zh = ["一", "二", "三", "四", "五"][step as usize - 1];
            let _ = write!(
                text,
                "\n[[mark]]\nplace = \"{}\"\nname_zh = \"{}第{zh}级踏步\"\nname_en = \"step {step} of {}\"\nat = {}\nstage_m = {:.2}\n",
                dam.id,
                dam.name_zh(),
                dam.name_en(),
                point((x, y)),
                dam.crest_m - 0.5 * f64::from(6 - step) - 0.5
            );
        }
    }
    for ((id, zh, en), (s, north)) in VILLAGES.iter().zip(floodplain::village_spots()) {
        let road = 0.5 * (north + ground::south_bank(s));
        let _ = write!(
            text,
            "\n[[mark]]\nplace = \"{id}\"\nname_zh = \"{zh}生产路\"\nname_en = \"production road of {en}\"\nat = {}\n",
            point(ground.metres(s.min(LENGTH_M), road))
        );
        let _ = write!(
            text,
            "\n[[mark]]\nplace = \"{id}\"\nname_zh = \"{zh}村口\"\nname_en = \"entrance of {en}\"\nat = {}\n",
            point(ground.metres(s + 30.0, 130.0))
        );
    }
    text
}
