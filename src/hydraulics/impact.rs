//! What a flooding means at places: when water arrives, how deep, how fast, how dangerous; which ways out it cuts.
//!
//! In: a flooding on its grid and the outlines of places. Out: an [`Impact`] a place. An area counts by its worst cell. Whoever
//! stands on the levee is not in the water beside it: such a spot counts as wet when the water reaches the crest.

use super::flooding::{Flooding, NEVER_MIN, WET_CM};
use super::grid::{Cell, Grid};
use super::hazard::HazardClass;
use super::site::{SiteGround, TwinSite};

/// A spot so near to the levee's line stands on it, m.
const ON_LEVEE_M: f64 = 25.0;
/// Depth at which a road is cut for cars (upper bound of class H1 of the hazard guideline), cm.
pub const ROAD_CUT_CM: u16 = 30;

/// Where something lies, in metres of the local map.
#[derive(Debug, Clone, PartialEq)]
pub enum Outline {
    /// A spot.
    Point([f64; 2]),
    /// A way, in its direction.
    Line(Vec<[f64; 2]>),
    /// An outer ring.
    Area(Vec<[f64; 2]>),
}

impl Outline {
    /// The mean of its points, m.
    pub(super) fn middle(&self) -> [f64; 2] {
        let points = match self {
            Self::Point(point) => return *point,
            Self::Line(points) | Self::Area(points) => points,
        };
        let sum = points.iter().fold([0.0, 0.0], |sum, point| [sum[0] + point[0], sum[1] + point[1]]);
        sum.map(|sum| sum / points.len().max(1) as f64)
    }
}

/// A place with its cells on one grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Footprint {
    /// Indices of its cells; along a way in its direction.
    pub cells: Vec<usize>,
    /// Crest of the levee that it stands on, m.
    pub on_crest_m: Option<f64>,
}

/// What water does at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Impact {
    /// Minutes from the beginning of the rise until the first water.
    pub arrival_min: Option<u16>,
    /// Highest depth, m.
    pub depth_m: f64,
    /// Highest speed, m/s.
    pub speed_ms: f64,
    /// Worst class; `None` while dry.
    pub hazard: Option<HazardClass>,
    /// Share of the cells that get wet, 0 to 1.
    pub wet_share: f64,
}

impl Impact {
    /// Whether water comes there at all.
    pub fn is_wet(&self) -> bool {
        self.hazard.is_some()
    }
}

impl Footprint {
    /// The cells of an outline; `None` where it lies off the ground.
    pub fn of(outline: &Outline, site: &TwinSite, ground: &SiteGround) -> Option<Self> {
        let grid = &ground.grid;
        let has_ground = |at: &usize| ground.bed_m.get(*at).is_some_and(|z| !z.is_nan());
        let cells: Vec<usize> = match outline {
            Outline::Point(at) => grid.cell_at(*at).map(|cell| grid.index(cell)).into_iter().collect(),
            Outline::Line(line) => along(grid, line),
            Outline::Area(ring) => inside(grid, ring),
        };
        let cells: Vec<usize> = cells.into_iter().filter(has_ground).collect();
        if cells.is_empty() {
            return None;
        }
        let on_crest_m = match outline {
            Outline::Point(at) => crest_at(site, *at),
            _ => None,
        };
        Some(Self { cells, on_crest_m })
    }

    /// What a flooding does here.
    pub fn impact(&self, flooding: &Flooding, ground: &SiteGround) -> Impact {
        let dry = Impact { arrival_min: None, depth_m: 0.0, speed_ms: 0.0, hazard: None, wet_share: 0.0 };
        if let Some(crest_m) = self.on_crest_m {
            let over = |at: &usize| {
                let depth = f64::from(*flooding.highest_cm.get(*at)?) / 100.0;
                let over_m = f64::from(*ground.bed_m.get(*at)?) + depth - crest_m;
                (over_m > 0.0 && depth > 0.0).then_some((*at, over_m))
            };
            let Some((at, over_m)) = self.cells.iter().filter_map(over).max_by(|a, b| a.1.total_cmp(&b.1)) else {
                return dry;
            };
            // When the crest is passed is not recorded: the arrival at the toe is the earliest that it can be.
            let arrival_min = flooding.arrival_min.get(at).copied().filter(|minutes| *minutes != NEVER_MIN);
            let hazard = HazardClass::of(over_m, 1.0, over_m);
            return Impact { arrival_min, depth_m: over_m, speed_ms: 0.0, hazard, wet_share: 1.0 };
        }
        let mut impact = dry;
        let mut wet = 0_usize;
        for at in &self.cells {
            let Some(depth_cm) = flooding.highest_cm.get(*at).copied().filter(|cm| *cm >= WET_CM) else { continue };
            wet += 1;
            let hundredth = |field: &[u16]| f64::from(field.get(*at).copied().unwrap_or(0)) / 100.0;
            let (depth, speed) = (f64::from(depth_cm) / 100.0, hundredth(&flooding.speed_cms));
            impact.depth_m = impact.depth_m.max(depth);
            impact.speed_ms = impact.speed_ms.max(speed);
            impact.hazard = impact.hazard.max(HazardClass::of(depth, speed, hundredth(&flooding.hazard)));
            let arrival = flooding.arrival_min.get(*at).copied().filter(|minutes| *minutes != NEVER_MIN);
            impact.arrival_min = match (impact.arrival_min, arrival) {
                (Some(known), Some(new)) => Some(known.min(new)),
                (known, new) => known.or(new),
            };
        }
        impact.wet_share = wet as f64 / self.cells.len() as f64;
        impact
    }

    /// The hour at which a way is cut for cars, and the cell; `None` while it stays open.
    ///
    /// Frames are hours apart. Where the water came within the hours before the frame that shows the way cut, its coming
    /// counts, for a front deepens quickly; else the straight line between the two frames.
    pub fn cut_at_h(&self, flooding: &Flooding, hours: &[f64]) -> Option<(f64, usize)> {
        let cut = |at: &usize| {
            let depth = |frame: usize| flooding.depth_cm.get(frame)?.get(*at).copied();
            let frame = (0..hours.len()).find(|frame| depth(*frame).is_some_and(|cm| cm >= ROAD_CUT_CM))?;
            let hour = *hours.get(frame)?;
            let Some(before) = frame.checked_sub(1) else { return Some((hour, *at)) };
            let (from, deep, low) = (*hours.get(before)?, f64::from(depth(frame)?), f64::from(depth(before)?));
            let arrival = flooding.arrival_min.get(*at).copied().filter(|minutes| *minutes != NEVER_MIN);
            let came = arrival.map(|minutes| f64::from(minutes) / 60.0).filter(|came| (from..=hour).contains(came));
            let line = from + (hour - from) * (f64::from(ROAD_CUT_CM) - low) / (deep - low);
            Some((came.unwrap_or(line), *at))
        };
        self.cells.iter().filter_map(cut).min_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// Deepest water at an hour, cm.
    pub fn depth_cm(&self, frame: &[u16]) -> u16 {
        self.cells.iter().filter_map(|at| frame.get(*at)).copied().max().unwrap_or(0)
    }
}

/// Cells under a line in its direction, each once.
fn along(grid: &Grid, line: &[[f64; 2]]) -> Vec<usize> {
    let mut cells: Vec<usize> = Vec::new();
    for pair in line.windows(2) {
        let length = (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]);
        let steps = (length / (0.25 * grid.cell_m)).ceil().max(1.0) as usize;
        for step in 0..=steps {
            let share = step as f64 / steps as f64;
            let at = [pair[0][0] + (pair[1][0] - pair[0][0]) * share, pair[0][1] + (pair[1][1] - pair[0][1]) * share];
            let cell = grid.cell_at(at).map(|cell| grid.index(cell));
            cells.extend(cell.filter(|cell| !cells.contains(cell)));
        }
    }
    cells
}

/// Cells whose middle lies in a ring; for a ring smaller than a cell the one under its first corner.
fn inside(grid: &Grid, ring: &[[f64; 2]]) -> Vec<usize> {
    let bounds = |axis: usize| {
        let values = ring.iter().map(|corner| corner[axis]);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let ((west, east), (south, north)) = (bounds(0), bounds(1));
    let index =
        |value: f64, from: f64, most: usize| (((value - from) / grid.cell_m).floor().max(0.0) as usize).min(most);
    let mut cells = Vec::new();
    for row in index(south, grid.south_m, grid.rows)..(index(north, grid.south_m, grid.rows) + 1).min(grid.rows) {
        for column in
            index(west, grid.west_m, grid.columns)..(index(east, grid.west_m, grid.columns) + 1).min(grid.columns)
        {
            let middle =
                [grid.west_m + (column as f64 + 0.5) * grid.cell_m, grid.south_m + (row as f64 + 0.5) * grid.cell_m];
            if holds(ring, middle) {
                cells.push(grid.index(Cell { column, row }));
            }
        }
    }
    if cells.is_empty() {
        cells.extend(ring.first().and_then(|corner| grid.cell_at(*corner)).map(|cell| grid.index(cell)));
    }
    cells
}

/// Even–odd rule.
fn holds(ring: &[[f64; 2]], at: [f64; 2]) -> bool {
    let next = ring.iter().cycle().skip(1);
    let crossings = ring.iter().zip(next).filter(|(a, b)| {
        (a[1] > at[1]) != (b[1] > at[1]) && at[0] < a[0] + (at[1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
    });
    crossings.count() % 2 == 1
}

/// Crest of the levee that a spot stands on.
fn crest_at(site: &TwinSite, at: [f64; 2]) -> Option<f64> {
    let near =
        |bank: &&super::site::Bank| bank.levee && bank.line.windows(2).any(|leg| distance(leg, at) <= ON_LEVEE_M);
    site.banks.iter().find(near).map(|bank| bank.crest_m)
}

fn distance(leg: &[[f64; 2]], at: [f64; 2]) -> f64 {
    let (dx, dy) = (leg[1][0] - leg[0][0], leg[1][1] - leg[0][1]);
    let length2 = dx * dx + dy * dy;
    let share = if length2 > 0.0 {
        (((at[0] - leg[0][0]) * dx + (at[1] - leg[0][1]) * dy) / length2).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (leg[0][0] + share * dx - at[0]).hypot(leg[0][1] + share * dy - at[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid { columns: 4, rows: 3, cell_m: 100.0, west_m: 0.0, south_m: 0.0 };

    #[test]
    fn impact_areas_and_ways_find_their_cells() {
        let ring = [[10.0, 10.0], [290.0, 10.0], [290.0, 190.0], [10.0, 190.0]];
        assert_eq!(inside(&GRID, &ring), [0, 1, 2, 4, 5, 6]);
        assert_eq!(inside(&GRID, &[[310.0, 210.0], [320.0, 210.0], [320.0, 220.0]]), [11]);
        assert_eq!(along(&GRID, &[[350.0, 50.0], [150.0, 50.0], [150.0, 150.0]]), [3, 2, 1, 5]);
    }

    #[test]
    fn impact_counts_the_worst_cell_and_when_a_way_is_cut() {
        let ground =
            SiteGround { grid: GRID, bed_m: vec![90.0; 12], manning: vec![0.03; 12], river_side: vec![true; 12] };
        let frame = |depth: u16| (0..12).map(|at| if at == 5 { depth } else { 0 }).collect::<Vec<u16>>();
        let flooding = Flooding {
            discharge_m3s: 9000.0,
            breach: None,
            depth_cm: vec![frame(0), frame(20), frame(70)],
            arrival_min: frame(0).iter().enumerate().map(|(at, _)| if at == 5 { 75 } else { NEVER_MIN }).collect(),
            highest_cm: frame(70),
            speed_cms: frame(40),
            hazard: frame(28),
            highest_froude: 0.0,
            volume_error: 0.0,
        };
        let spot = Footprint { cells: vec![1, 5], on_crest_m: None };
        let impact = spot.impact(&flooding, &ground);
        assert_eq!((impact.arrival_min, impact.depth_m, impact.wet_share), (Some(75), 0.7, 0.5));
        assert_eq!(impact.hazard, Some(HazardClass::H3));
        // 30 cm on the line from 20 cm at 2 h to 70 cm at 4 h; a front that comes in these hours cuts the way as it comes.
        let (cut_h, at) = spot.cut_at_h(&flooding, &[0.0, 2.0, 4.0]).unwrap();
        assert!((cut_h - 2.4).abs() < 1e-9 && at == 5, "{cut_h}");
        let front =
            Flooding { depth_cm: vec![frame(0), frame(0), frame(70)], arrival_min: vec![150; 12], ..flooding.clone() };
        assert_eq!(spot.cut_at_h(&front, &[0.0, 2.0, 4.0]), Some((2.5, 5)));
        // On the levee: dry while the crest is higher than the water, wet above it.
        let guard = |crest_m| Footprint { cells: vec![5], on_crest_m: Some(crest_m) }.impact(&flooding, &ground);
        assert!(!guard(91.0).is_wet());
        assert_eq!(guard(90.5).hazard, Some(HazardClass::H1));
    }
}
