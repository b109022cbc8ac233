//! What an inundation run starts from: terrain, roughness, water, boundaries, sources, structures.
//!
//! In: numbers that somebody typed or measured. Out: a case that holds together, or a fault that names what does not.

use super::grid::{Cell, Grid};
use super::series::Series;
use thiserror::Error;

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

/// Most rain that is taken for rain, mm/h: the heaviest that was ever measured over minutes is below twice of it.
const MOST_RAIN_MM_H: f64 = 1_000.0;
/// Most that a stage may stand above the highest ground of its side, m.
const MOST_ABOVE_GROUND_M: f64 = 100.0;
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
            return Err(self.length_fault("bed", self.bed_m.len()));
        }
        if self.bed_m.iter().all(|z| z.is_nan()) {
            return Err(CaseFault::NoGround);
        }
        self.check_field("bed", &self.bed_m, |z| !z.is_infinite())?;
        self.check_field("depth", &self.depth_m, |h| (0.0..1e4).contains(&h))?;
        self.check_field("velocity u", &self.u_ms, |u| u.abs() < 100.0)?;
        self.check_field("velocity v", &self.v_ms, |v| v.abs() < 100.0)?;
        match &self.manning {
            Manning::Uniform(n) if (0.0..1.0).contains(n) => Ok(()),
            Manning::Uniform(n) => Err(CaseFault::Manning { n: *n }),
            Manning::Field(values) if values.is_empty() => Err(self.length_fault("Manning", 0)),
            Manning::Field(values) => self.check_field("Manning", values, |n| (0.0..1.0).contains(&n)),
        }
    }

    /// Every value on ground must be possible; an empty field is an absent one.
    fn check_field(&self, what: &'static str, values: &[f32], possible: impl Fn(f32) -> bool) -> Result<(), CaseFault> {
        if values.is_empty() {
            return Ok(());
        }
        if values.len() != self.grid.cells() {
            return Err(self.length_fault(what, values.len()));
        }
        let faulty = values.iter().zip(&self.bed_m).position(|(value, bed)| !bed.is_nan() && !possible(*value));
        match faulty {
            None => Ok(()),
            Some(at) => {
                let (row, column) = (at / self.grid.columns, at % self.grid.columns);
                Err(CaseFault::Value {
                    what,
                    value: f64::from(values[at]),
                    cell: Cell { column, row },
                    from_north: self.grid.rows - row,
                })
            }
        }
    }

    fn length_fault(&self, what: &'static str, length: usize) -> CaseFault {
        CaseFault::Length { what, length, cells: self.grid.cells() }
    }

    fn check_numbers(&self) -> Result<(), CaseFault> {
        let most = if self.scheme == Scheme::LocalInertia { 1.0 } else { 0.5 };
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
        for (name, side) in self.sides.named() {
            match side {
                Boundary::Stage(series) => {
                    self.check_series(&format!("{name} side"), series)?;
                    self.check_stage(name, series)?;
                }
                Boundary::Discharge(series) => self.check_series(&format!("{name} side"), series)?,
                Boundary::NormalDepth { slope } if !(*slope > 0.0 && *slope < 1.0) => {
                    return Err(CaseFault::Number { name: "slope", value: *slope, low: 0.0, high: 1.0 });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A stage far above all ground of its side is one in another unit or above another datum.
    fn check_stage(&self, side: &'static str, stage: &Series) -> Result<(), CaseFault> {
        let Grid { columns, rows, .. } = self.grid;
        let on_side = |at: &usize| match side {
            "west" => at.is_multiple_of(columns),
            "east" => at % columns + 1 == columns,
            "south" => at / columns == 0,
            _ => at / columns + 1 == rows,
        };
        let heights = (0..self.bed_m.len()).filter(on_side).map(|at| f64::from(self.bed_m[at]));
        let ground_m = heights.fold(f64::NEG_INFINITY, f64::max);
        let stage_m = stage.highest();
        if ground_m.is_finite() && stage_m > ground_m + MOST_ABOVE_GROUND_M {
            return Err(CaseFault::StageAboveGround { side, stage_m, ground_m });
        }
        Ok(())
    }

    fn check_series(&self, what: &str, series: &Series) -> Result<(), CaseFault> {
        if series.ends_s() < self.end_s {
            return Err(CaseFault::EndsEarly { what: what.into(), ends_s: series.ends_s(), end_s: self.end_s });
        }
        Ok(())
    }

    fn check_structures(&self) -> Result<(), CaseFault> {
        for (at, edge) in self.edges.iter().enumerate() {
            let what = format!("edge {at}");
            if !edge.crest_m.is_finite() || !(0.1..=3.0).contains(&edge.coefficient) {
                return Err(CaseFault::Weir { edge: at, crest_m: edge.crest_m, coefficient: edge.coefficient });
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

impl Sides {
    /// The sides with their names.
    pub fn named(&self) -> [(&'static str, &Boundary); 4] {
        [("west", &self.west), ("east", &self.east), ("south", &self.south), ("north", &self.north)]
    }
}

/// Why a case cannot be run.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum CaseFault {
    /// The grid has no cells or no size.
    #[error("网格无效 (the grid of {columns} x {rows} cells of {cell_m} m is no grid)")]
    Grid {
        /// Columns given.
        columns: usize,
        /// Rows given.
        rows: usize,
        /// Cell side given, m.
        cell_m: f64,
    },
    /// A field of another size than the grid.
    #[error("{what} 与网格大小不符 ({what} has {length} values, the grid {cells} cells: rasters must match)")]
    Length {
        /// The field.
        what: &'static str,
        /// Its values.
        length: usize,
        /// The grid's cells.
        cells: usize,
    },
    /// Every cell of the terrain is missing.
    #[error("地形中没有任何高程 (the terrain holds no height at all)")]
    NoGround,
    /// A value that cannot be.
    #[error("{what} 为 {value}，不可用 ({what} is {value} at row {from_north} from the north, column {})", cell.column + 1)]
    Value {
        /// The field.
        what: &'static str,
        /// The value.
        value: f64,
        /// Where.
        cell: Cell,
        /// Row counted from 1 at the north, as in a raster file.
        from_north: usize,
    },
    /// Roughness that cannot be.
    #[error("糙率 n 为 {n}，须在 0 至 1 s/m^(1/3) 之间 (Manning's n is {n}: it must lie between 0 and 1 s/m^(1/3))")]
    Manning {
        /// The value given.
        n: f64,
    },
    /// A setting out of its range.
    #[error("{name} = {value} 超出 {low} 至 {high} ({name} = {value} lies outside {low} to {high})")]
    Number {
        /// The setting.
        name: &'static str,
        /// The value given.
        value: f64,
        /// Lowest possible value.
        low: f64,
        /// Highest possible value.
        high: f64,
    },
    /// A source that takes water away.
    #[error("{what} 降至 {value}，不得为负 ({what} falls to {value}: it must not be negative)")]
    Negative {
        /// The source.
        what: String,
        /// Its lowest value.
        value: f64,
    },
    /// A series that stops before the run does.
    #[error(
        "{what} 的过程线先于计算结束：请延长过程线或缩短计算 (the series of {what} ends at {ends_s} s, the run at {end_s} s: extend the series or shorten the run)"
    )]
    EndsEarly {
        /// Whose series.
        what: String,
        /// Its last time, s.
        ends_s: f64,
        /// End of the run, s.
        end_s: f64,
    },
    /// Something that lies off the grid or on cells without ground.
    #[error("{what} 落在地形之外 ({what} at {:.2}, {:.2} lies outside the terrain)", at[0], at[1])]
    Outside {
        /// What.
        what: String,
        /// Where, m.
        at: [f64; 2],
    },
    /// A weir that is none.
    #[error(
        "第 {edge} 条边不成堰 (edge {edge}: crest {crest_m} m with coefficient {coefficient} (possible: 0.1 to 3) is no weir)"
    )]
    Weir {
        /// Index of the edge.
        edge: usize,
        /// Its crest, m.
        crest_m: f64,
        /// Its coefficient.
        coefficient: f64,
    },
    /// An edge shorter than half a cell.
    #[error("第 {edge} 条边太短，未碰到网格边 (edge {edge} touches no cell face: it is shorter than half a cell)")]
    NoFaces {
        /// Index of the edge.
        edge: usize,
    },
    /// A breach in an edge that does not exist.
    #[error(
        "溃口 {breach} 所指的边 {edge} 不存在 (breach {breach} names edge {edge}, but there are {edges} edges, counted from 0)"
    )]
    NoEdge {
        /// Index of the breach.
        breach: usize,
        /// The edge it names.
        edge: usize,
        /// Number of edges.
        edges: usize,
    },
    /// A number of a breach that cannot be.
    #[error(
        "溃口 {breach} 的 {name} = {value}，须在 {low:.6} 至 {high:.6} 之间 (breach {breach}: {name} = {value} must lie between {low:.6} and {high:.6})"
    )]
    BreachNumber {
        /// Index of the breach.
        breach: usize,
        /// The key.
        name: &'static str,
        /// The value given.
        value: f64,
        /// Lowest possible value.
        low: f64,
        /// Highest possible value.
        high: f64,
    },
    /// A stage that no side can have.
    #[error(
        "{side} 边水位 {stage_m} m 高出该边最高地面 {ground_m} m 百米以上，请查单位与高程基准 (the stage of the {side} side comes to {stage_m} m, more than 100 m above its highest ground at {ground_m} m: look at units and datum)"
    )]
    StageAboveGround {
        /// The side.
        side: &'static str,
        /// Its highest stage, m.
        stage_m: f64,
        /// Highest ground of that side, m.
        ground_m: f64,
    },
    /// A breach whose crest would rise.
    #[error(
        "溃口 {breach} 的终顶高程不低于堤顶或不是有限数 (breach {breach}: the final crest of {to_crest_m} m does not fit the crest of {crest_m} m)"
    )]
    Breach {
        /// Index of the breach.
        breach: usize,
        /// Its final crest, m.
        to_crest_m: f64,
        /// Crest of its edge, m.
        crest_m: f64,
    },
    /// A breach that lies beside its edge.
    #[error(
        "溃口 {breach} 不在边 {edge} 上 (breach {breach} lies beside edge {edge}: move its centre onto the line or widen it)"
    )]
    BreachOffEdge {
        /// Index of the breach.
        breach: usize,
        /// The edge it names.
        edge: usize,
    },
}
