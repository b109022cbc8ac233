//! The grid: 68 cells (28 community, 40 rural) and 4 exclusive cells that tile the town's land behind the levee.

use super::dice::Dice;
use super::geo::{Feature, LonLat, Shape, rounded};
use super::ground::{Ground, LENGTH_M};
use super::river::{SEGMENTS, chainages};
use super::site::Site;
use anlan::model::PlaceKind;

/// Cells a row, from the levee southwards.
const ROWS: [usize; 4] = [17, 18, 19, 18];
/// Distance of the row boundaries south of the levee, m: with the levee's length they give the town's 47.56 km².
const DEPTHS: [f64; 5] = [60.0, 800.0, 1640.0, 2510.0, 3422.0];
const EXCLUSIVE: [(usize, &str, &str); 4] = [
    (3, "花园口景区专属网格", "Huayuankou riverside exclusive cell"),
    (12, "马渡河务专属网格", "Madu river-works exclusive cell"),
    (15, "金水区沿黄毗邻专属网格一", "Jinshui riverside exclusive cell 1"),
    (16, "金水区沿黄毗邻专属网格二", "Jinshui riverside exclusive cell 2"),
];
const COMMUNITIES: [(&str, &str); 4] =
    [("安澜社区", "Anlan"), ("柳岸社区", "Liu'an"), ("望河社区", "Wanghe"), ("绿堤社区", "Lüdi")];
/// The four villages of the floodplain, whose land behind the levee the rural cells are named after.
pub const VILLAGES: [(&str, &str, &str); 4] = [
    ("village-huayuankou", "花园口村", "Huayuankou Village"),
    ("village-babao", "八堡村", "Babao Village"),
    ("village-shenzhuang", "申庄村", "Shenzhuang Village"),
    ("village-madu", "马渡村", "Madu Village"),
];

/// What a cell is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    Community,
    Rural,
    Exclusive,
}

impl CellKind {
    /// As written in files.
    pub fn code(self) -> &'static str {
        match self {
            Self::Community => "community",
            Self::Rural => "rural",
            Self::Exclusive => "exclusive",
        }
    }
}

/// A cell with its outline.
pub struct Cell {
    pub site: Site,
    pub kind: CellKind,
    pub number: u32,
    /// Village or community it belongs to; empty for exclusive cells.
    pub of_zh: &'static str,
    ring: Vec<LonLat>,
    households: u32,
}

/// Outline in levee coordinates before it has a name.
struct Tile {
    row: usize,
    column: usize,
    ring: Vec<(f64, f64)>,
    centre: (f64, f64),
}

/// Draws all 72 cells: 68 numbered ones, then the exclusive ones.
pub fn cells(seed: u64, ground: &Ground) -> Vec<Cell> {
    let mut dice = Dice::of(seed, "grids");
    let tiles = tile(&mut dice);
    let kinds: Vec<CellKind> = tiles.iter().map(kind_of).collect();
    let names = names(&tiles, &kinds);
    let mut cells = Vec::new();
    let mut number = 0;
    for ((tile, kind), (of_zh, zh, en)) in tiles.iter().zip(kinds).zip(names) {
        let id = match exclusive_number(tile) {
            Some(n) => format!("cell-x{n}"),
            None => {
                number += 1;
                format!("cell-{number:02}")
            }
        };
        let scope = if kind == CellKind::Exclusive { "exclusive_grid" } else { kind.code() };
        let mut site = Site::new(ground, &id, PlaceKind::Cell, scope, tile.centre).named(zh, en).within("town");
        site.place.scopes.push("all".to_owned());
        let households = match kind {
            CellKind::Community => dice.whole(420, 980),
            CellKind::Rural => dice.whole(90, 260),
            CellKind::Exclusive => dice.whole(20, 60),
        };
        let ring = tile.ring.iter().map(|(s, north)| ground.at(*s, *north)).collect();
        cells.push(Cell { site, kind, number, of_zh, ring, households });
    }
    cells.sort_by_key(|cell| cell.site.id().to_owned());
    cells
}

fn exclusive_number(tile: &Tile) -> Option<usize> {
    (tile.row == 0).then(|| EXCLUSIVE.iter().position(|(column, ..)| *column == tile.column)).flatten().map(|n| n + 1)
}

/// The two northern rows and the outer ends are rural; the town's built-up side lies south.
fn kind_of(tile: &Tile) -> CellKind {
    let count = ROWS[tile.row];
    let rural_ends = match tile.row {
        0 | 1 => (count, 0),
        2 => (3, 2),
        _ => (2, 2),
    };
    if exclusive_number(tile).is_some() {
        CellKind::Exclusive
    } else if tile.column < rural_ends.0 || tile.column + rural_ends.1 >= count {
        CellKind::Rural
    } else {
        CellKind::Community
    }
}

/// (village or community, Chinese name, English name) of each tile: groups are formed from west to east.
fn names(tiles: &[Tile], kinds: &[CellKind]) -> Vec<(&'static str, String, String)> {
    let rank = |at: usize| {
        let before =
            |other: &usize| kinds[*other] == kinds[at] && (tiles[*other].centre.0, *other) < (tiles[at].centre.0, at);
        (0..tiles.len()).filter(before).count()
    };
    (0..tiles.len())
        .map(|at| match kinds[at] {
            CellKind::Exclusive => {
                let (_, zh, en) = EXCLUSIVE[exclusive_number(&tiles[at]).map_or(0, |n| n - 1)];
                ("", zh.to_owned(), en.to_owned())
            }
            CellKind::Community => {
                let (zh, en) = COMMUNITIES[rank(at) / 7];
                (zh, format!("{zh}{}网格", rank(at) % 7 + 1), format!("{en} Community cell {}", rank(at) % 7 + 1))
            }
            CellKind::Rural => {
                let (_, zh, en) = VILLAGES[rank(at) / 10];
                (zh, format!("{zh}{}网格", rank(at) % 10 + 1), format!("{en} cell {}", rank(at) % 10 + 1))
            }
        })
        .collect()
}

/// Neighbouring cells share their corners, so the grid has neither gap nor overlap.
fn tile(dice: &mut Dice) -> Vec<Tile> {
    let sides: Vec<Vec<(f64, f64)>> = ROWS
        .iter()
        .map(|count| {
            let width = LENGTH_M / *count as f64;
            let inner = (1..*count).map(|k| width * k as f64);
            let mut sides = vec![(0.0, 0.0)];
            for s in inner {
                let at = s + dice.around(0.13 * width);
                sides.push((at, at + dice.around(0.10 * width)));
            }
            sides.push((LENGTH_M, LENGTH_M));
            sides
        })
        .collect();
    let wave: Vec<f64> = (0..5).map(|_| dice.between(0.0, std::f64::consts::TAU)).collect();
    let depth = |row: usize, s: f64| {
        let swing = if row == 0 { 0.0 } else { 55.0 };
        -(DEPTHS[row] + swing * (s / 2_300.0 + wave[row]).sin() + 0.35 * swing * (s / 640.0 + 2.0 * wave[row]).sin())
    };
    // Corners on a row boundary: the lower ends of the row above and the upper ends of the row below.
    let corners = |row: usize, from: f64, to: f64| {
        let mut at: Vec<f64> = Vec::new();
        at.extend(row.checked_sub(1).into_iter().flat_map(|above| sides[above].iter().map(|side| side.1)));
        at.extend(sides.get(row).into_iter().flatten().map(|side| side.0));
        at.extend(chainages(0.0, LENGTH_M, 240.0));
        at.retain(|s| *s > from + 1e-6 && *s < to - 1e-6);
        at.extend([from, to]);
        at.sort_by(f64::total_cmp);
        at.dedup();
        at.into_iter().map(|s| (s, depth(row, s))).collect::<Vec<_>>()
    };
    let mut tiles = Vec::new();
    for (row, sides) in sides.iter().enumerate() {
        for (column, pair) in sides.windows(2).enumerate() {
            let top = corners(row, pair[0].0, pair[1].0);
            let bottom = corners(row + 1, pair[0].1, pair[1].1);
            let middle = 0.25 * (pair[0].0 + pair[0].1 + pair[1].0 + pair[1].1);
            let centre = (middle, f64::midpoint(depth(row, middle), depth(row + 1, middle)));
            let ring = top.into_iter().chain(bottom.into_iter().rev()).collect();
            tiles.push(Tile { row, column, ring, centre });
        }
    }
    tiles
}

/// The segment (1-based) whose stretch of levee lies at a chainage.
pub fn segment_at(chainage_m: f64) -> u32 {
    let part = chainage_m.clamp(0.0, LENGTH_M - 1.0) / LENGTH_M;
    (part * f64::from(SEGMENTS)) as u32 + 1
}

/// The layer `grids`.
pub fn features(cells: &[Cell]) -> Vec<Feature> {
    cells
        .iter()
        .map(|cell| {
            let label = cell.site.id().trim_start_matches("cell-").to_uppercase();
            Feature::new(cell.site.id(), Shape::Polygon(cell.ring.clone()))
                .named(&cell.site.place.name_zh, &cell.site.place.name_en)
                .with("kind", cell.kind.code())
                .with("label", label)
                .with("of_zh", cell.of_zh)
                .with("households", cell.households)
                .with("segment", format!("seg-{:02}", segment_at(cell.site.chainage_m)))
                .with("area_km2", rounded(area_km2(&cell.ring), 3))
                .with("label_lon", cell.site.place.lon)
                .with("label_lat", cell.site.place.lat)
        })
        .collect()
}

fn area_km2(ring: &[LonLat]) -> f64 {
    let metres: Vec<(f64, f64)> = ring.iter().map(|at| super::ground::local(*at)).collect();
    (super::geo::signed_area(&metres) / 2e6).abs()
}
