//! The ground of a reach as its inundation model sees it, and the cases that are run on it.
//!
//! In: rasters of height and land cover, levee, dikes, breach sites, sides. Out: a grid at a chosen cell size with its bed and
//! roughness, and a [`Case`] for a hydrograph. A levee thinner than a cell parts the cells into a river side and a land side;
//! no cell mixes the two.

use super::case::{Boundary, Breach, BreachStart, Case, Edge, Inflow, Manning, Scheme};
use super::grid::{Cell, Grid};
use super::series::{Series, SeriesFault};
use super::weir::faces_along;
use crate::model::{Datum, PlaceId};
use std::collections::BTreeMap;
use thiserror::Error;

/// Weir coefficient of levees and dikes, m^½/s: broad crest.
pub const CREST_COEFFICIENT: f64 = 1.705;

/// What is wrong with the ground of a reach.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SiteFault {
    /// A cell size that the terrain cannot give.
    #[error(
        "网格 {cell_m} m 不是地形 {terrain_m} m 的整数倍 (cells of {cell_m} m are no multiple of the terrain's {terrain_m} m)"
    )]
    CellSize {
        /// Asked for, m.
        cell_m: f64,
        /// Of the terrain, m.
        terrain_m: f64,
    },
    /// The levee does not run from the west side to the east side.
    #[error(
        "自西起第 {column} 列堤线中断：堤线须贯穿整个地形 (the levee leaves a gap in column {column} from the west: it must run through the whole terrain)"
    )]
    LeveeGap {
        /// Column from 1.
        column: usize,
    },
    /// A land cover without roughness.
    #[error("地类 {code} 没有糙率 (land cover {code} has no Manning's n)")]
    Cover {
        /// The code.
        code: u8,
    },
    /// A breach that is not at the levee.
    #[error("溃口 {0} 不在堤线上 (the breach {0} lies at no levee edge)")]
    Breach(PlaceId),
    /// A hydrograph that is none.
    #[error("流量过程不可用 (the hydrograph cannot be used)")]
    Hydrograph(#[from] SeriesFault),
}

/// A local map in metres around an origin, good for a few tens of kilometres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plane {
    /// Longitude of the zero, degrees.
    pub origin_lon: f64,
    /// Latitude of the zero, degrees.
    pub origin_lat: f64,
    /// Metres in a degree of longitude.
    pub m_per_degree_lon: f64,
    /// Metres in a degree of latitude.
    pub m_per_degree_lat: f64,
}

impl Plane {
    /// Metres east and north of the origin.
    pub fn metres(&self, lon: f64, lat: f64) -> [f64; 2] {
        [(lon - self.origin_lon) * self.m_per_degree_lon, (lat - self.origin_lat) * self.m_per_degree_lat]
    }
    /// Longitude and latitude of a spot.
    pub fn degrees(&self, at: [f64; 2]) -> [f64; 2] {
        [self.origin_lon + at[0] / self.m_per_degree_lon, self.origin_lat + at[1] / self.m_per_degree_lat]
    }
}

/// A piece of levee or production dike.
#[derive(Debug, Clone, PartialEq)]
pub struct Bank {
    /// Part of the levee, which parts river and land; else a dike on the floodplain (生产堤).
    pub levee: bool,
    /// Its line, m.
    pub line: Vec<[f64; 2]>,
    /// Its crest, m above the terrain's datum.
    pub crest_m: f64,
}

/// A place where the levee may be assumed to breach.
#[derive(Debug, Clone, PartialEq)]
pub struct BreachSite {
    /// The work that stands there.
    pub place: PlaceId,
    /// For screens.
    pub name_zh: String,
    /// For screens.
    pub name_en: String,
    /// Middle of the gap, m.
    pub centre: [f64; 2],
    /// Width, m.
    pub width_m: f64,
    /// Final crest, m.
    pub to_crest_m: f64,
    /// Hours after the discharge begins to rise.
    pub start_h: f64,
    /// Hours from the first movement to the final crest.
    pub duration_h: f64,
}

/// Where depth and freeboard of a stretch of levee are read.
#[derive(Debug, Clone, PartialEq)]
pub struct LeveeLine {
    /// Segment or work.
    pub place: PlaceId,
    /// Along the toe on the river side, m.
    pub toe: Vec<[f64; 2]>,
    /// Lowest crest, m.
    pub crest_m: f64,
    /// In the river abreast of it, m.
    pub stage_at: [f64; 2],
}

/// A mark that people on the site know (踏步、生产路).
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Place it belongs to.
    pub place: PlaceId,
    /// For screens.
    pub name_zh: String,
    /// For screens.
    pub name_en: String,
    /// Where, m.
    pub at: [f64; 2],
    /// Height of the mark; without one, the ground there counts.
    pub stage_m: Option<f64>,
}

/// What the library of a site holds.
#[derive(Debug, Clone, PartialEq)]
pub struct LibraryPlan {
    /// Cell size, m.
    pub cell_m: f64,
    /// Cell size of finer runs, m.
    pub finest_cell_m: f64,
    /// Discharge that every member rises from, m³/s.
    pub base_m3s: f64,
    /// Hours that the base needs from dry ground.
    pub spin_up_h: f64,
    /// Hours of the rise.
    pub rise_h: f64,
    /// Discharges without a breach, m³/s, rising.
    pub discharges_m3s: Vec<f64>,
    /// Discharges with a breach at each site, m³/s, rising.
    pub breach_discharges_m3s: Vec<f64>,
    /// Hours of the frames after the rise begins, rising from 0.
    pub hours: Vec<f64>,
}

/// Everything that the inundation model knows of a reach.
#[derive(Debug, Clone)]
pub struct TwinSite {
    /// Invented terrain.
    pub synthetic: bool,
    /// Reference surface of its heights.
    pub datum: Datum,
    /// Local map.
    pub plane: Plane,
    /// Grid of the rasters.
    pub grid: Grid,
    /// Heights, m, rows from the south; not a number = no ground.
    pub bed_m: Vec<f32>,
    /// Land cover, rows from the south.
    pub cover: Vec<u8>,
    /// Manning's n of each cover, s/m^⅓.
    pub manning: BTreeMap<u8, f64>,
    /// Covers of the land side.
    pub land_cover: u8,
    /// Line across the channel where water enters, m.
    pub inflow_line: Vec<[f64; 2]>,
    /// Slope of the outflow at the east side.
    pub outflow_slope: f64,
    /// Station whose stage corrects the model.
    pub gauge: String,
    /// Where it stands, m.
    pub gauge_at: [f64; 2],
    /// Levee and dikes.
    pub banks: Vec<Bank>,
    /// Where a breach may be assumed.
    pub breaches: Vec<BreachSite>,
    /// Where depth and freeboard are read.
    pub levee: Vec<LeveeLine>,
    /// Marks on the site.
    pub marks: Vec<Mark>,
    /// What the library holds.
    pub plan: LibraryPlan,
}

/// The ground at one cell size.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteGround {
    /// Its grid.
    pub grid: Grid,
    /// Heights, m; not a number = no ground.
    pub bed_m: Vec<f32>,
    /// Manning's n, s/m^⅓.
    pub manning: Vec<f32>,
    /// Whether a cell lies on the river side of the levee.
    pub river_side: Vec<bool>,
}

impl TwinSite {
    /// The ground with cells of `cell_m`, a multiple of the terrain's.
    ///
    /// # Errors
    /// Another cell size, a levee with a gap, a cover without roughness.
    pub fn ground(&self, cell_m: f64) -> Result<SiteGround, SiteFault> {
        let fine = &self.grid;
        let times = (cell_m / fine.cell_m).round() as usize;
        if times == 0 || (times as f64 * fine.cell_m - cell_m).abs() > 1e-6 {
            return Err(SiteFault::CellSize { cell_m, terrain_m: fine.cell_m });
        }
        let grid = Grid { columns: fine.columns / times, rows: fine.rows / times, cell_m, ..*fine };
        let river_side = self.river_side(&grid)?;
        let mut ground =
            SiteGround { grid, bed_m: vec![f32::NAN; grid.cells()], manning: vec![0.0; grid.cells()], river_side };
        let mut missing = Vec::new();
        for row in 0..grid.rows {
            for column in 0..grid.columns {
                let at = row * grid.columns + column;
                match self.mean(times, column, row, ground.river_side[at])? {
                    Mean::Of(bed, n) => (ground.bed_m[at], ground.manning[at]) = (bed, n),
                    Mean::NoGround => {}
                    Mean::OtherSide => missing.push((column, row)),
                }
            }
        }
        // The staircase of the levee took a cell whose spots all lie on the other side: its neighbour away from the levee
        // stands for it. River cells look north, land cells south; nearest to the good ones first.
        missing.sort_by_key(|(_, row)| *row);
        let (river, land): (Vec<_>, Vec<_>) =
            missing.into_iter().partition(|(column, row)| ground.river_side[row * grid.columns + column]);
        for (column, row) in river.into_iter().rev() {
            ground.copy(column, row, row + 1);
        }
        for (column, row) in land {
            ground.copy(column, row, row.wrapping_sub(1));
        }
        Ok(ground)
    }

    /// Which cells lie north of the levee's staircase, column by column.
    fn river_side(&self, grid: &Grid) -> Result<Vec<bool>, SiteFault> {
        let mut first_river_row = vec![None::<usize>; grid.columns];
        for bank in self.banks.iter().filter(|bank| bank.levee) {
            for face in faces_along(grid, &bank.line).iter().filter(|face| !face.east) {
                let row = &mut first_river_row[face.column];
                *row = Some(row.map_or(face.row + 1, |known| known.max(face.row + 1)));
            }
        }
        // A line that begins half a cell inside leaves the rim columns to their neighbours.
        if let [first, second, .., before, last] = &mut first_river_row[..] {
            *first = first.or(*second);
            *last = last.or(*before);
        }
        let mut side = vec![false; grid.cells()];
        for (column, first) in first_river_row.into_iter().enumerate() {
            let first = first.ok_or(SiteFault::LeveeGap { column: column + 1 })?;
            (first..grid.rows).for_each(|row| side[row * grid.columns + column] = true);
        }
        Ok(side)
    }

    fn mean(&self, times: usize, column: usize, row: usize, river: bool) -> Result<Mean, SiteFault> {
        let (mut bed, mut n, mut count, mut ground) = (0.0f64, 0.0f64, 0u32, false);
        for y in row * times..(row + 1) * times {
            for x in column * times..(column + 1) * times {
                let at = y * self.grid.columns + x;
                let (z, code) = (self.bed_m[at], self.cover[at]);
                if z.is_nan() {
                    continue;
                }
                ground = true;
                if (code != self.land_cover) == river {
                    bed += f64::from(z);
                    n += self.manning.get(&code).ok_or(SiteFault::Cover { code })?;
                    count += 1;
                }
            }
        }
        let over = 1.0 / f64::from(count.max(1));
        Ok(match (count, ground) {
            (0, true) => Mean::OtherSide,
            (0, false) => Mean::NoGround,
            _ => Mean::Of((bed * over) as f32, (n * over) as f32),
        })
    }

    /// A case on a ground: what enters along the inflow line as (time s, m³/s), the water at the start, the end.
    ///
    /// # Errors
    /// A hydrograph that is none, a breach off the levee.
    pub fn case(&self, ground: &SiteGround, run: &SiteRun) -> Result<Case, SiteFault> {
        let mut case = Case::new(ground.grid, ground.bed_m.clone(), 0.0, Scheme::LocalInertia, run.end_s);
        case.manning = Manning::Field(ground.manning.clone());
        case.depth_m = run.depth_m.clone();
        let discharge_m3s = Series::new(run.inflow_m3s.iter().copied())?;
        case.inflows = vec![Inflow { line: self.inflow_line.clone(), discharge_m3s }];
        case.sides.east = Boundary::NormalDepth { slope: self.outflow_slope };
        case.edges = self
            .banks
            .iter()
            .map(|bank| Edge { line: bank.line.clone(), crest_m: bank.crest_m, coefficient: CREST_COEFFICIENT })
            .collect();
        if let Some((site, start_s)) = &run.breach {
            let gap = |edge: usize| Breach {
                edge,
                centre: site.centre,
                width_m: site.width_m,
                start: BreachStart::Time(*start_s),
                to_crest_m: site.to_crest_m,
                duration_s: site.duration_h * 3600.0,
            };
            // The gap may span two pieces of the levee: each takes the part that lies on it.
            let on = |edge: &usize| {
                let bank = &self.banks[*edge];
                let faces = faces_along(&ground.grid, &bank.line);
                bank.levee
                    && faces.iter().any(|face| super::weir::share_in_breach(&ground.grid, face, &gap(*edge)) > 0.0)
            };
            case.breaches = (0..self.banks.len()).filter(on).map(gap).collect();
            if case.breaches.is_empty() {
                return Err(SiteFault::Breach(site.place.clone()));
            }
        }
        Ok(case)
    }
}

enum Mean {
    Of(f32, f32),
    NoGround,
    OtherSide,
}

/// What a case on a site is made of.
#[derive(Debug, Clone, Default)]
pub struct SiteRun {
    /// What enters, (s, m³/s).
    pub inflow_m3s: Vec<(f64, f64)>,
    /// Depth at the start, m; empty = dry.
    pub depth_m: Vec<f32>,
    /// A breach and when it starts, s.
    pub breach: Option<(BreachSite, f64)>,
    /// End of the run, s.
    pub end_s: f64,
}

impl SiteGround {
    fn copy(&mut self, column: usize, row: usize, from_row: usize) {
        let from = from_row.wrapping_mul(self.grid.columns).wrapping_add(column);
        if from_row < self.grid.rows {
            let at = row * self.grid.columns + column;
            (self.bed_m[at], self.manning[at]) = (self.bed_m[from], self.manning[from]);
        }
    }

    /// Depth on this ground of a water surface known on another one: the stage of the cell below each middle, if wet there.
    pub fn depth_from(&self, other: &SiteGround, depth_m: &[f32]) -> Vec<f32> {
        let grid = &self.grid;
        let at = |row: usize, column: usize| {
            let middle =
                [grid.west_m + (column as f64 + 0.5) * grid.cell_m, grid.south_m + (row as f64 + 0.5) * grid.cell_m];
            let own = row * grid.columns + column;
            let cell: Cell = other.grid.cell_at(middle)?;
            let from = other.grid.index(cell);
            let depth = *depth_m.get(from)?;
            let same_side = other.river_side.get(from) == self.river_side.get(own);
            (same_side && depth > 0.0).then(|| (other.bed_m[from] + depth - self.bed_m[own]).max(0.0))
        };
        let cells = (0..grid.rows).flat_map(|row| (0..grid.columns).map(move |column| (row, column)));
        cells.map(|(row, column)| at(row, column).filter(|depth| depth.is_finite()).unwrap_or(0.0)).collect()
    }
}
