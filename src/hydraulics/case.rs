//! What an inundation run starts from: terrain, roughness, water, boundaries, sources, structures.
//!
//! In: numbers that somebody typed or measured. Out: a case that holds together, or a fault that names what does not.

use super::case_fault::{CaseFault, CaseField, Spot};
use super::grid::{Cell, Grid};
use super::series::Series;

/// Which equations are solved (计算格式).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Local inertia (局部惯性): no advection of momentum; for gradual floods with Froude numbers below about 0.5.
    LocalInertia,
    /// Full shallow water, first order in space and time (Godunov with HLLC fluxes).
    Full1,
    /// Full shallow water, second order (MUSCL–Hancock with HLLC fluxes).
    Full2,
}

impl Scheme {
    /// Name in case files and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::LocalInertia => "local-inertia",
            Self::Full1 => "full1",
            Self::Full2 => "full2",
        }
    }

    /// Courant number used where the case names none.
    pub fn usual_courant(self) -> f64 {
        match self {
            Self::LocalInertia => 0.6,
            Self::Full1 | Self::Full2 => 0.5,
        }
    }
}

/// What happens at one side of the grid (边界).
#[derive(Debug, Clone, PartialEq)]
pub enum Boundary {
    /// No water passes.
    Wall,
    /// Water leaves without being held back.
    Free,
    /// Stage outside, m above the terrain's datum.
    Stage(Series),
    /// Water that enters over the whole side, m³/s; negative takes water out.
    Discharge(Series),
    /// Outflow at normal depth on this slope, above 0 (均匀流).
    NormalDepth {
        /// Energy slope, m/m.
        slope: f64,
    },
}

/// The four sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Sides {
    /// West edge.
    pub west: Boundary,
    /// East edge.
    pub east: Boundary,
    /// South edge.
    pub south: Boundary,
    /// North edge.
    pub north: Boundary,
}

impl Default for Sides {
    fn default() -> Self {
        Self { west: Boundary::Wall, east: Boundary::Wall, south: Boundary::Wall, north: Boundary::Wall }
    }
}

/// Manning's roughness n (糙率), s/m^⅓.
#[derive(Debug, Clone, PartialEq)]
pub enum Manning {
    /// The same everywhere.
    Uniform(f64),
    /// One value a cell, rows from the south.
    Field(Vec<f32>),
}

/// A source of water along a line (入流线).
#[derive(Debug, Clone, PartialEq)]
pub struct Inflow {
    /// Corners of the line, m.
    pub line: Vec<[f64; 2]>,
    /// Discharge over the whole line, m³/s.
    pub discharge_m3s: Series,
}

/// A thin weir along cell faces: levee crest, production dike, road (堰边).
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// Corners of the line, m.
    pub line: Vec<[f64; 2]>,
    /// Crest height (堤顶高程), m above the terrain's datum.
    pub crest_m: f64,
    /// C in Q = C L H^1.5, m^½/s, 0.1 to 3.
    pub coefficient: f64,
}

/// What starts a breach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BreachStart {
    /// At this time, s.
    Time(f64),
    /// After water stood above the crest there for so long without a pause, s.
    OvertoppedFor(f64),
}

/// A gap that opens in an edge (溃口): its crest sinks linearly.
#[derive(Debug, Clone, PartialEq)]
pub struct Breach {
    /// Index of its edge.
    pub edge: usize,
    /// Middle of the gap, m.
    pub centre: [f64; 2],
    /// Width, constant, m.
    pub width_m: f64,
    /// What starts it.
    pub start: BreachStart,
    /// Crest at the end, m.
    pub to_crest_m: f64,
    /// Time from the first movement to the final crest, s, 0 or more.
    pub duration_s: f64,
}

/// Most that a line or a side may bring or take, m³/s: five times the largest river.
pub(super) const MOST_DISCHARGE_M3S: f64 = 1e6;
/// Most rain that is taken for rain, mm/h: the heaviest that was ever measured over minutes is below twice of it.
const MOST_RAIN_MM_H: f64 = 1_000.0;
/// Most that a stage may stand above the highest ground of its side, and a crest above all ground, m.
const MOST_ABOVE_GROUND_M: f64 = 100.0;
/// Most that a crest may lie below all ground, m: a terrain is rounded and has its errors.
const MOST_BELOW_GROUND_M: f64 = 1.0;
/// Longest time that a breach may take or wait for, s.
const LONGEST_BREACH_S: f64 = 1e9;

/// All that a run starts from. Fields have one value a cell, rows from the south, columns from the west.
#[derive(Debug, Clone)]
pub struct Case {
    /// The grid.
    pub grid: Grid,
    /// Bed height z (底高程), m; not a number = no ground there, a wall.
    pub bed_m: Vec<f32>,
    /// Roughness.
    pub manning: Manning,
    /// Depth at the start, m; empty = dry.
    pub depth_m: Vec<f32>,
    /// Velocity to the east at the start, m/s; empty = at rest.
    pub u_ms: Vec<f32>,
    /// Velocity to the north at the start, m/s; empty = at rest.
    pub v_ms: Vec<f32>,
    /// The four sides.
    pub sides: Sides,
    /// Sources along lines.
    pub inflows: Vec<Inflow>,
    /// Rain on every cell, mm/h.
    pub rain_mm_h: Option<Series>,
    /// Weirs.
    pub edges: Vec<Edge>,
    /// Breaches in them.
    pub breaches: Vec<Breach>,
    /// Equations.
    pub scheme: Scheme,
    /// Courant number, 0 to 1 for local inertia, 0 to 0.5 for the full equations.
    pub courant: f64,
    /// Depth below which water is a film: no local-inertia flow, no second-order slopes, m, 1e-5 to 0.1.
    pub dry_m: f64,
    /// End of the run, s; every series must reach it.
    pub end_s: f64,
}

impl Case {
    /// A case on bare ground with walls all around; the rest is set by its fields.
    pub fn new(grid: Grid, bed_m: Vec<f32>, manning: f64, scheme: Scheme, end_s: f64) -> Self {
        Self {
            grid,
            bed_m,
            manning: Manning::Uniform(manning),
            depth_m: Vec::new(),
            u_ms: Vec::new(),
            v_ms: Vec::new(),
            sides: Sides::default(),
            inflows: Vec::new(),
            rain_mm_h: None,
            edges: Vec::new(),
            breaches: Vec::new(),
            scheme,
            courant: scheme.usual_courant(),
            dry_m: 1e-3,
            end_s,
        }
    }

    /// Checks that the case holds together.
    pub fn check(&self) -> Result<(), CaseFault> {
        self.check_grid()?;
        self.check_fields()?;
        self.check_numbers()?;
        self.check_sources()?;
        self.check_structures()
    }

    fn check_grid(&self) -> Result<(), CaseFault> {
        let grid = &self.grid;
        let numbers = [grid.cell_m, grid.west_m, grid.south_m];
        if grid.columns == 0 || grid.rows == 0 || numbers.iter().any(|n| !n.is_finite()) || grid.cell_m <= 0.0 {
            return Err(CaseFault::Grid { columns: grid.columns, rows: grid.rows, cell_m: grid.cell_m });
        }
        Ok(())
    }

    fn check_fields(&self) -> Result<(), CaseFault> {
        if self.bed_m.len() != self.grid.cells() {
            return Err(self.length_fault(CaseField::Bed, self.bed_m.len()));
        }
        if self.bed_m.iter().all(|z| z.is_nan()) {
            return Err(CaseFault::NoGround);
        }
        self.check_field(CaseField::Bed, &self.bed_m, |z| !z.is_infinite())?;
        self.check_field(CaseField::Depth, &self.depth_m, |h| (0.0..1e4).contains(&h))?;
        self.check_field(CaseField::East, &self.u_ms, |u| u.abs() < 100.0)?;
        self.check_field(CaseField::North, &self.v_ms, |v| v.abs() < 100.0)?;
        match &self.manning {
            Manning::Uniform(n) if (0.0..1.0).contains(n) => Ok(()),
            Manning::Uniform(n) => Err(CaseFault::Manning { n: *n }),
            Manning::Field(values) if values.is_empty() => Err(self.length_fault(CaseField::Manning, 0)),
            Manning::Field(values) => self.check_field(CaseField::Manning, values, |n| (0.0..1.0).contains(&n)),
        }
    }

    /// Every value on ground must be possible; an empty field is an absent one.
    fn check_field(&self, what: CaseField, values: &[f32], possible: impl Fn(f32) -> bool) -> Result<(), CaseFault> {
        if values.is_empty() {
            return Ok(());
        }
        if values.len() != self.grid.cells() {
            return Err(self.length_fault(what, values.len()));
        }
        let faulty = values.iter().zip(&self.bed_m).position(|(value, bed)| !bed.is_nan() && !possible(*value));
        let Some(at) = faulty else { return Ok(()) };
        let cell = Cell { column: at % self.grid.columns, row: at / self.grid.columns };
        let (value, spot) = (f64::from(values[at]), Spot::of(&self.grid, cell));
        Err(if value.is_nan() { CaseFault::Hole { what, spot } } else { CaseFault::Value { what, value, spot } })
    }

    fn length_fault(&self, what: CaseField, length: usize) -> CaseFault {
        CaseFault::Length { what, length, cells: self.grid.cells() }
    }

    fn check_numbers(&self) -> Result<(), CaseFault> {
        // Local inertia with θ = 0.8 grows waves of the grid above √0.4 on a plane.
        let most = if self.scheme == Scheme::LocalInertia { 0.63 } else { 0.5 };
        let numbers =
            [("cfl", self.courant, 1e-3, most), ("dry_m", self.dry_m, 1e-5, 0.1), ("end_s", self.end_s, 0.0, 1e9)];
        match numbers.into_iter().find(|(_, value, low, high)| !(*low..=*high).contains(value)) {
            Some((name, value, low, high)) => Err(CaseFault::Number { name, value, low, high }),
            None => Ok(()),
        }
    }

    fn check_sources(&self) -> Result<(), CaseFault> {
        for (at, inflow) in self.inflows.iter().enumerate() {
            let what = format!("inflow {at}");
            self.check_series(&what, &inflow.discharge_m3s)?;
            check_discharge(&what, &inflow.discharge_m3s)?;
            if inflow.line.is_empty() {
                return Err(CaseFault::NoPoints { what });
            }
            if inflow.discharge_m3s.lowest() < 0.0 {
                return Err(CaseFault::Negative { what, value: inflow.discharge_m3s.lowest() });
            }
            if let Some(place) = inflow.line.iter().find(|at| self.grid.cell_at(**at).is_none()) {
                return Err(CaseFault::Outside { what, at: *place });
            }
            let cells = self.grid.cells_along(&inflow.line);
            if !cells.iter().any(|(cell, _)| self.is_ground(*cell)) {
                return Err(CaseFault::Outside { what, at: inflow.line.first().copied().unwrap_or_default() });
            }
        }
        if let Some(rain) = &self.rain_mm_h {
            self.check_series("rain", rain)?;
            if rain.lowest() < 0.0 {
                return Err(CaseFault::Negative { what: "rain".into(), value: rain.lowest() });
            }
            if rain.highest() > MOST_RAIN_MM_H {
                let (name, value) = ("rain mm_per_h", rain.highest());
                return Err(CaseFault::Number { name, value, low: 0.0, high: MOST_RAIN_MM_H });
            }
        }
        self.sides.named().into_iter().try_for_each(|(name, side)| self.check_side(name, side))
    }

    fn check_side(&self, name: &'static str, side: &Boundary) -> Result<(), CaseFault> {
        let what = format!("{name} side");
        let ground_m = self.highest_ground_m(name);
        if *side != Boundary::Wall && ground_m == f64::NEG_INFINITY {
            return Err(CaseFault::SideWithoutGround { side: name });
        }
        match side {
            Boundary::Stage(series) => {
                self.check_series(&what, series)?;
                let stage_m = series.highest();
                // A stage far above all ground of its side is one in another unit or above another datum.
                if stage_m > ground_m + MOST_ABOVE_GROUND_M {
                    return Err(CaseFault::StageAboveGround { side: name, stage_m, ground_m });
                }
            }
            Boundary::Discharge(series) => {
                self.check_series(&what, series)?;
                check_discharge(&what, series)?;
            }
            Boundary::NormalDepth { slope } if !(*slope > 0.0 && *slope < 1.0) => {
                return Err(CaseFault::Slope { side: name, slope: *slope });
            }
            _ => {}
        }
        Ok(())
    }

    /// Highest ground of a side, m; minus infinity where there is none.
    fn highest_ground_m(&self, side: &'static str) -> f64 {
        let Grid { columns, rows, .. } = self.grid;
        let (first, step, count) = match side {
            "west" => (0, columns, rows),
            "east" => (columns - 1, columns, rows),
            "south" => (0, 1, columns),
            _ => ((rows - 1) * columns, 1, columns),
        };
        let heights = (0..count).filter_map(|at| self.bed_m.get(first + at * step)).map(|z| f64::from(*z));
        heights.fold(f64::NEG_INFINITY, f64::max)
    }

    fn check_series(&self, what: &str, series: &Series) -> Result<(), CaseFault> {
        if series.ends_s() < self.end_s {
            return Err(CaseFault::EndsEarly { what: what.into(), ends_s: series.ends_s(), end_s: self.end_s });
        }
        Ok(())
    }

    fn check_structures(&self) -> Result<(), CaseFault> {
        let heights = || self.bed_m.iter().filter(|z| !self.edges.is_empty() && !z.is_nan()).map(|z| f64::from(*z));
        let (low_m, high_m) = (heights().fold(f64::INFINITY, f64::min), heights().fold(f64::NEG_INFINITY, f64::max));
        for (at, edge) in self.edges.iter().enumerate() {
            let what = format!("edge {at}");
            if !edge.crest_m.is_finite() || !(0.1..=3.0).contains(&edge.coefficient) {
                return Err(CaseFault::Weir { edge: at, crest_m: edge.crest_m, coefficient: edge.coefficient });
            }
            if !(low_m - MOST_BELOW_GROUND_M..=high_m + MOST_ABOVE_GROUND_M).contains(&edge.crest_m) {
                return Err(CaseFault::CrestOffGround { edge: at, crest_m: edge.crest_m, low_m, high_m });
            }
            let outside = edge.line.iter().find(|at| self.grid.cell_at(**at).is_none());
            if let Some(place) = outside {
                return Err(CaseFault::Outside { what, at: *place });
            }
            if super::weir::faces_along(&self.grid, &edge.line).is_empty() {
                return Err(CaseFault::NoFaces { edge: at });
            }
        }
        for (at, breach) in self.breaches.iter().enumerate() {
            self.check_breach(at, breach)?;
        }
        Ok(())
    }

    fn check_breach(&self, at: usize, breach: &Breach) -> Result<(), CaseFault> {
        let Some(edge) = self.edges.get(breach.edge) else {
            return Err(CaseFault::NoEdge { breach: at, edge: breach.edge, edges: self.edges.len() });
        };
        self.check_breach_numbers(at, breach)?;
        if breach.to_crest_m > edge.crest_m || !breach.to_crest_m.is_finite() {
            return Err(CaseFault::Breach { breach: at, to_crest_m: breach.to_crest_m, crest_m: edge.crest_m });
        }
        let on_edge = super::weir::faces_along(&self.grid, &edge.line)
            .iter()
            .any(|face| super::weir::share_in_breach(&self.grid, face, breach) > 0.0);
        if on_edge { Ok(()) } else { Err(CaseFault::BreachOffEdge { breach: at, edge: breach.edge }) }
    }

    fn check_breach_numbers(&self, at: usize, breach: &Breach) -> Result<(), CaseFault> {
        let grid = &self.grid;
        let start = match breach.start {
            BreachStart::Time(s) => ("start time_s", s, 0.0, LONGEST_BREACH_S),
            BreachStart::OvertoppedFor(s) => ("start overtopped_for_s", s, 0.0, LONGEST_BREACH_S),
        };
        let (width_m, height_m) = (grid.columns as f64 * grid.cell_m, grid.rows as f64 * grid.cell_m);
        let numbers = [
            // The middle of a gap may lie beside the terrain, the gap may not: that it meets its edge is looked at afterwards.
            ("centre x", breach.centre[0], grid.west_m - width_m, grid.west_m + 2.0 * width_m),
            ("centre y", breach.centre[1], grid.south_m - height_m, grid.south_m + 2.0 * height_m),
            ("width_m", breach.width_m, f64::MIN_POSITIVE, 2.0 * (width_m + height_m)),
            start,
            ("duration_s", breach.duration_s, 0.0, LONGEST_BREACH_S),
        ];
        match numbers.into_iter().find(|(_, value, low, high)| !(*low..=*high).contains(value)) {
            Some((name, value, low, high)) => Err(CaseFault::BreachNumber { breach: at, name, value, low, high }),
            None => Ok(()),
        }
    }

    /// Whether the cell has ground, so that water can stand there.
    pub(super) fn is_ground(&self, cell: Cell) -> bool {
        self.bed_m.get(self.grid.index(cell)).is_some_and(|z| !z.is_nan())
    }
}

/// A discharge that no river has is one in another unit.
fn check_discharge(what: &str, series: &Series) -> Result<(), CaseFault> {
    let most = series.highest().max(-series.lowest());
    if most > MOST_DISCHARGE_M3S { Err(CaseFault::Discharge { what: what.into(), value: most }) } else { Ok(()) }
}

impl Sides {
    /// The sides with their names.
    pub fn named(&self) -> [(&'static str, &Boundary); 4] {
        [("west", &self.west), ("east", &self.east), ("south", &self.south), ("north", &self.north)]
    }
}
