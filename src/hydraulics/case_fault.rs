//! What is wrong with a case, in words, and where.
//!
//! In: what a check found. Out: words, Chinese first, with the cell as people find it in a file and on the map.

use super::case::MOST_DISCHARGE_M3S;
use super::grid::{Cell, Grid};
use thiserror::Error;

/// A field of a case, as messages call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseField {
    /// Bed height.
    Bed,
    /// Depth at the start.
    Depth,
    /// Velocity to the east at the start.
    East,
    /// Velocity to the north at the start.
    North,
    /// Roughness.
    Manning,
}

impl CaseField {
    /// In Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Bed => "底高程",
            Self::Depth => "水深",
            Self::East => "东向流速",
            Self::North => "北向流速",
            Self::Manning => "糙率",
        }
    }

    /// In English.
    pub fn en(self) -> &'static str {
        match self {
            Self::Bed => "bed",
            Self::Depth => "depth",
            Self::East => "velocity u",
            Self::North => "velocity v",
            Self::Manning => "Manning",
        }
    }
}

/// A cell as people find it: counted as in a raster file, and on the map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Row from 1 at the north.
    pub row: usize,
    /// Column from 1 at the west.
    pub column: usize,
    /// Middle of the cell, m.
    pub at: [f64; 2],
}

impl Spot {
    /// Of a cell.
    pub fn of(grid: &Grid, cell: Cell) -> Self {
        let middle = |from: f64, cells: usize| from + (cells as f64 + 0.5) * grid.cell_m;
        let at = [middle(grid.west_m, cell.column), middle(grid.south_m, cell.row)];
        Self { row: grid.rows.saturating_sub(cell.row), column: cell.column + 1, at }
    }

    /// In Chinese.
    pub fn zh(&self) -> String {
        let Self { row, column, at: [x, y] } = self;
        format!("北起第 {row} 行第 {column} 列（x {x:.2}，y {y:.2}）")
    }

    /// In English.
    pub fn en(&self) -> String {
        let Self { row, column, at: [x, y] } = self;
        format!("row {row} from the north, column {column} (x {x:.2}, y {y:.2})")
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
    #[error("{}与网格大小不符 ({} has {length} values, the grid {cells} cells: rasters must match)", what.zh(), what.en())]
    Length {
        /// The field.
        what: CaseField,
        /// Its values.
        length: usize,
        /// The grid's cells.
        cells: usize,
    },
    /// Every cell of the terrain is missing.
    #[error("地形中没有任何高程 (the terrain holds no height at all)")]
    NoGround,
    /// A value that cannot be.
    #[error("{}{}为 {value}，不可用 ({} is {value} at {})", spot.zh(), what.zh(), what.en(), spot.en())]
    Value {
        /// The field.
        what: CaseField,
        /// The value.
        value: f64,
        /// Where.
        spot: Spot,
    },
    /// No value where the terrain has ground.
    #[error(
        "{}有地面而{}缺测 ({} has no value at {}, where the terrain has ground)",
        spot.zh(),
        what.zh(),
        what.en(),
        spot.en()
    )]
    Hole {
        /// The field.
        what: CaseField,
        /// Where.
        spot: Spot,
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
    /// A slope of a side that cannot be.
    #[error("{side} 边 slope = {slope}，须在 0 至 1 之间 ({side} side: slope = {slope} must lie between 0 and 1)")]
    Slope {
        /// The side.
        side: &'static str,
        /// The slope given, m/m.
        slope: f64,
    },
    /// A side where water should pass, but which has no ground.
    #[error(
        "{side} 边全是空洞，水过不去 (the {side} side has no ground: no water passes there; clip the terrain or make the side a wall)"
    )]
    SideWithoutGround {
        /// The side.
        side: &'static str,
    },
    /// A discharge that no river has.
    #[error(
        "{what} 流量达 {value} m³/s，请查单位 (the discharge of {what} comes to {value} m³/s, above {MOST_DISCHARGE_M3S}: look at the unit)"
    )]
    Discharge {
        /// The source or side.
        what: String,
        /// Its largest value, m³/s.
        value: f64,
    },
    /// A line without points.
    #[error("{what} 的线没有点 (the line of {what} has no points)")]
    NoPoints {
        /// Whose line.
        what: String,
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
    #[error("{what} 落在地形之外或空洞上 ({what} at {:.2}, {:.2} lies outside the terrain or on a hole of it)", at[0], at[1])]
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
    /// A crest below all ground, or far above all of it: in another unit or above another datum.
    #[error(
        "第 {edge} 条边堤顶 {crest_m} m 与地面 {low_m} 至 {high_m} m 不合，请查单位与高程基准 (edge {edge}: its crest of {crest_m} m does not fit ground of {low_m} to {high_m} m: look at unit and datum)"
    )]
    CrestOffGround {
        /// Index of the edge.
        edge: usize,
        /// Its crest, m.
        crest_m: f64,
        /// Lowest ground, m.
        low_m: f64,
        /// Highest ground, m.
        high_m: f64,
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
