//! The case file of `anlan twin flood2d`.
//!
//! In: TOML with paths to rasters and series. Out: a case for the inundation model with its output times and gauges.
//! A key that is not known is refused: a misspelt boundary must not become a wall in silence.

use super::geotiff::Projection;
use super::raster::{self, Raster, RasterFault};
use super::table::{self, TableFault};
use crate::hydraulics::{
    Boundary, Breach, BreachStart, Case, CaseFault, CaseField, Cell, Edge, Inflow, Manning, Scheme, Series, Spot,
    steep_share,
};
use crate::playbook::Words;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Most output times of a run.
const MOST_OUTPUTS: f64 = 10_000.0;
/// Most workers of a run.
pub(super) const MOST_THREADS: usize = 1024;
/// Most that the stage at the start may stand above the highest ground, m.
const MOST_ABOVE_GROUND_M: f64 = 100.0;

/// Why a case file cannot be read.
#[derive(Debug, Error)]
pub(super) enum CaseFileFault {
    #[error("算例不可读 (cannot read case {path})")]
    Unreadable {
        path: String,
        #[source]
        cause: std::io::Error,
    },
    #[error("不是算例文件 ({path} is no case file)")]
    Toml {
        path: String,
        #[source]
        cause: toml::de::Error,
    },
    #[error(transparent)]
    Raster(#[from] RasterFault),
    #[error(transparent)]
    Table(#[from] TableFault),
    #[error("{path}: {what}")]
    Key { path: String, what: String },
    #[error("{path}: 算例不能计算 (the case cannot be run)")]
    Case {
        /// The raster that is at fault, else the case file.
        path: String,
        #[source]
        cause: CaseFault,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Toml {
    grid: GridToml,
    initial: Option<InitialToml>,
    run: RunToml,
    #[serde(default)]
    inflow: Vec<InflowToml>,
    #[serde(default)]
    boundary: Vec<BoundaryToml>,
    #[serde(default)]
    edge: Vec<EdgeToml>,
    #[serde(default)]
    breach: Vec<BreachToml>,
    #[serde(default)]
    gauge: Vec<GaugeToml>,
    #[serde(default)]
    rain: Vec<RainToml>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GridToml {
    dem: PathBuf,
    manning: NumberOrPath,
    /// Height datum of the terrain (高程基准), e.g. "national85" or "dagu".
    datum: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum NumberOrPath {
    Number(f64),
    Path(PathBuf),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct InitialToml {
    datum: Option<String>,
    dry: Option<bool>,
    stage_m: Option<f64>,
    depth: Option<PathBuf>,
    u: Option<PathBuf>,
    v: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunToml {
    end_s: f64,
    output_every_s: f64,
    #[serde(default)]
    scheme: SchemeToml,
    threads: Option<usize>,
    cfl: Option<f64>,
    dry_m: Option<f64>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SchemeToml {
    #[default]
    Auto,
    LocalInertia,
    Full1,
    Full2,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InflowToml {
    line: Vec<[f64; 2]>,
    series: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RainToml {
    series: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SideName {
    West,
    East,
    South,
    North,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Wall,
    Free,
    Stage,
    Discharge,
    NormalDepth,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BoundaryToml {
    datum: Option<String>,
    side: SideName,
    kind: Kind,
    series: Option<PathBuf>,
    slope: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EdgeToml {
    datum: Option<String>,
    line: Vec<[f64; 2]>,
    crest_m: f64,
    #[serde(default = "usual_coefficient")]
    weir_coefficient: f64,
}

/// Broad-crested weir, m^½/s.
fn usual_coefficient() -> f64 {
    1.705
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BreachToml {
    datum: Option<String>,
    edge: usize,
    centre: [f64; 2],
    width_m: f64,
    start: StartToml,
    to_crest_m: f64,
    duration_s: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StartToml {
    time_s: Option<f64>,
    overtopped_for_s: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GaugeToml {
    name: String,
    at: [f64; 2],
}

/// A place whose water is written at every output time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gauge {
    pub name: String,
    pub cell: Cell,
}

/// A case with what to write and when.
#[derive(Debug)]
pub(super) struct CaseFile {
    pub case: Case,
    pub output_every_s: f64,
    pub threads: Option<usize>,
    pub gauges: Vec<Gauge>,
    /// Why these equations were chosen.
    pub scheme_reason: &'static str,
    /// Cells without a height: walls.
    pub nodata_cells: usize,
    /// Where on Earth the terrain lies, if it says so.
    pub projection: Option<Projection>,
    /// The files that it was read from: the case, its rasters and series.
    pub inputs: Vec<PathBuf>,
}

/// Files and keys of one case while it is put together.
struct Loader<'a> {
    path: &'a Path,
    folder: &'a Path,
}

/// The text of a case file of any kind in its shape.
pub(super) fn parse<T: DeserializeOwned>(path: &Path) -> Result<T, CaseFileFault> {
    let shown = || path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|cause| CaseFileFault::Unreadable { path: shown(), cause })?;
    toml::from_str(&text).map_err(|cause| CaseFileFault::Toml { path: shown(), cause })
}

impl CaseFile {
    /// Reads a case file and all that it names.
    pub(super) fn read(path: &Path) -> Result<Self, CaseFileFault> {
        let toml: Toml = parse(path)?;
        Loader { path, folder: path.parent().unwrap_or(Path::new(".")) }.build(toml)
    }

    /// 0, every `output_every_s`, and the end.
    pub(super) fn output_times(&self) -> Vec<f64> {
        let end_s = self.case.end_s;
        let whole = (end_s / self.output_every_s).floor() as usize;
        let mut times: Vec<f64> = (0..=whole).map(|at| at as f64 * self.output_every_s).collect();
        if times.last().is_some_and(|last| end_s - last > 1e-9 * end_s) {
            times.push(end_s);
        }
        times
    }
}

impl Loader<'_> {
    fn key(&self, zh: impl Into<String>, en: impl Into<String>) -> CaseFileFault {
        CaseFileFault::Key { path: self.path.display().to_string(), what: Words::new(zh, en).to_string() }
    }

    fn build(&self, toml: Toml) -> Result<CaseFile, CaseFileFault> {
        let mut dem = raster::read(&self.folder.join(&toml.grid.dem))?;
        dem.must_be_heights()?;
        self.check_run(&toml.run)?;
        self.check_datums(&toml)?;
        let named = toml.grid.datum.as_deref();
        if let Some(own) = dem.projection.as_ref().and_then(|projection| projection.contradicts(named)) {
            let (file, named) = (dem.placed_by.display(), named.unwrap_or_default());
            return Err(self.key(
                format!("高程基准不一致：[grid] datum = '{named}'，而 {file} 为 '{own}'，请换算"),
                format!("[grid] datum = '{named}', but the heights of {file} are above '{own}': convert them"),
            ));
        }
        let manning = match &toml.grid.manning {
            NumberOrPath::Number(n) => Manning::Uniform(*n),
            NumberOrPath::Path(path) => Manning::Field(self.field(path, &mut dem)?),
        };
        let (scheme, scheme_reason) = choose(&toml, || steep_share(&dem.grid, &dem.values, &manning));
        let mut case = Case::new(dem.grid, Vec::new(), 0.0, scheme, toml.run.end_s);
        case.manning = manning;
        self.set_water(&mut case, toml.initial.as_ref(), &mut dem)?;
        case.courant = toml.run.cfl.unwrap_or(case.courant);
        case.dry_m = toml.run.dry_m.unwrap_or(case.dry_m);
        for inflow in &toml.inflow {
            let discharge_m3s = self.series(&inflow.series, "discharge_m3s")?;
            case.inflows.push(Inflow { line: inflow.line.clone(), discharge_m3s });
        }
        case.rain_mm_h = match toml.rain.as_slice() {
            [] => None,
            [rain] => Some(self.series(&rain.series, "mm_per_h")?),
            _ => {
                let en = "there is more than one [[rain]]; add them up in one series";
                return Err(self.key("[[rain]] 只能有一个：请合成一条过程线", en));
            }
        };
        self.set_sides(&mut case, &toml.boundary)?;
        self.set_structures(&mut case, &toml)?;
        let nodata_cells = dem.values.iter().filter(|z| z.is_nan()).count();
        case.bed_m = dem.values;
        let RunToml { output_every_s, threads, .. } = toml.run;
        case.check().map_err(|cause| self.cannot_run(cause, &toml))?;
        let gauges: Vec<Gauge> = toml.gauge.iter().map(|gauge| self.gauge(&case, gauge)).collect::<Result<_, _>>()?;
        let twice = gauges.iter().enumerate().find(|(at, one)| gauges.iter().take(*at).any(|two| two.name == one.name));
        if let Some((_, gauge)) = twice {
            let name = &gauge.name;
            return Err(self.key(format!("水尺“{name}”重名"), format!("two [[gauge]] have the name '{name}'")));
        }
        let projection = dem.projection;
        let inputs = self.inputs(&toml);
        Ok(CaseFile { case, output_every_s, threads, gauges, scheme_reason, nodata_cells, projection, inputs })
    }

    /// A case that does not hold together, with the raster that is at fault.
    fn cannot_run(&self, cause: CaseFault, toml: &Toml) -> CaseFileFault {
        let field = match &cause {
            CaseFault::Value { what, .. } | CaseFault::Hole { what, .. } => Some(*what),
            CaseFault::NoGround => Some(CaseField::Bed),
            _ => None,
        };
        let start = |of: fn(&InitialToml) -> &Option<PathBuf>| toml.initial.as_ref().and_then(|one| of(one).as_ref());
        let file = match field {
            Some(CaseField::Bed) => Some(&toml.grid.dem),
            Some(CaseField::Depth) => start(|one| &one.depth),
            Some(CaseField::East) => start(|one| &one.u),
            Some(CaseField::North) => start(|one| &one.v),
            Some(CaseField::Manning) => match &toml.grid.manning {
                NumberOrPath::Path(path) => Some(path),
                NumberOrPath::Number(_) => None,
            },
            None => None,
        };
        let path = file.map_or_else(|| self.path.to_owned(), |file| self.folder.join(file));
        CaseFileFault::Case { path: path.display().to_string(), cause }
    }

    fn inputs(&self, toml: &Toml) -> Vec<PathBuf> {
        let manning = match &toml.grid.manning {
            NumberOrPath::Path(path) => Some(path),
            NumberOrPath::Number(_) => None,
        };
        let water = toml.initial.iter().flat_map(|one| [&one.depth, &one.u, &one.v]).flatten();
        let lines = toml.inflow.iter().map(|inflow| &inflow.series).chain(toml.rain.iter().map(|rain| &rain.series));
        let sides = toml.boundary.iter().filter_map(|side| side.series.as_ref());
        let named = std::iter::once(&toml.grid.dem).chain(manning).chain(water).chain(lines).chain(sides);
        named.map(|path| self.folder.join(path)).chain([self.path.to_owned()]).collect()
    }

    fn check_run(&self, run: &RunToml) -> Result<(), CaseFileFault> {
        if !(run.end_s > 0.0 && run.end_s.is_finite()) {
            let end_s = run.end_s;
            return Err(self
                .key(format!("[run] end_s = {end_s} 须大于零"), format!("[run] end_s = {end_s} must be above zero")));
        }
        if !(run.output_every_s > 0.0 && run.end_s / run.output_every_s <= MOST_OUTPUTS) {
            let every_s = run.output_every_s;
            return Err(self.key(
                format!("[run] output_every_s = {every_s} 须大于零，输出不多于 {MOST_OUTPUTS} 次"),
                format!("[run] output_every_s = {every_s} must be above zero and give at most {MOST_OUTPUTS} outputs"),
            ));
        }
        if run.threads.is_some_and(|threads| threads == 0 || threads > MOST_THREADS) {
            return Err(self.key(
                format!("[run] threads 须为 1 至 {MOST_THREADS}"),
                format!("[run] threads must be 1 to {MOST_THREADS}"),
            ));
        }
        Ok(())
    }

    /// Heights of one case count from one datum: where a part names its own, it must be the terrain's.
    fn check_datums(&self, toml: &Toml) -> Result<(), CaseFileFault> {
        let terrain = toml.grid.datum.as_deref();
        let initial = toml.initial.iter().map(|part| ("[initial]".to_owned(), &part.datum));
        let sides = toml.boundary.iter().map(|part| (format!("[[boundary]] {:?}", part.side), &part.datum));
        let edges = toml.edge.iter().enumerate().map(|(at, part)| (format!("[[edge]] {at}"), &part.datum));
        let breaches = toml.breach.iter().enumerate().map(|(at, part)| (format!("[[breach]] {at}"), &part.datum));
        for (what, datum) in initial.chain(sides).chain(edges).chain(breaches) {
            if datum.is_some() && datum.as_deref() != terrain {
                let (own, grid) = (datum.as_deref().unwrap_or_default(), terrain.unwrap_or("none named"));
                return Err(self.key(
                    format!("高程基准不一致：{what} 为 '{own}'，[grid] 为 '{grid}'，请换算"),
                    format!("{what} has heights above datum '{own}', [grid] above '{grid}': convert them to one"),
                ));
            }
        }
        Ok(())
    }

    /// The values of a raster on the terrain's grid. Where the terrain does not say its coordinate system, the first raster that does
    /// says it for all.
    fn field(&self, path: &Path, dem: &mut Raster) -> Result<Vec<f32>, CaseFileFault> {
        let raster = raster::read(&self.folder.join(path))?;
        raster.must_match(dem)?;
        if dem.projection.is_none() && raster.projection.is_some() {
            (dem.projection, dem.placed_by) = (raster.projection, raster.placed_by);
        }
        Ok(raster.values)
    }

    fn series(&self, path: &Path, value: &str) -> Result<Series, CaseFileFault> {
        Ok(table::read(&self.folder.join(path), value)?)
    }

    fn set_water(&self, case: &mut Case, initial: Option<&InitialToml>, dem: &mut Raster) -> Result<(), CaseFileFault> {
        let Some(initial) = initial else { return Ok(()) };
        let dry = initial.dry == Some(true);
        let ways = [dry, initial.stage_m.is_some(), initial.depth.is_some()];
        if ways.iter().filter(|given| **given).count() != 1 {
            let keys = "dry = true, stage_m, depth";
            let en = format!("[initial] needs exactly one of {keys}");
            return Err(self.key(format!("[initial] 须恰有其一：{keys}"), en));
        }
        if dry && (initial.u.is_some() || initial.v.is_some()) {
            return Err(self.key("[initial] 无水而有流速 u、v", "[initial] is dry, but has velocities u, v"));
        }
        if let Some(stage_m) = initial.stage_m {
            self.check_start(stage_m, dem)?;
            let depth = |z: &f32| if z.is_nan() { 0.0 } else { (stage_m - f64::from(*z)).max(0.0) as f32 };
            case.depth_m = dem.values.iter().map(depth).collect();
        }
        if let Some(depth) = &initial.depth {
            case.depth_m = self.field(depth, dem)?;
        }
        for (path, field) in [(&initial.u, &mut case.u_ms), (&initial.v, &mut case.v_ms)] {
            if let Some(path) = path {
                *field = self.field(path, dem)?;
            }
        }
        Ok(())
    }

    /// A stage that leaves all ground dry, or stands far above all of it, is one in another unit or above another datum.
    fn check_start(&self, stage_m: f64, dem: &Raster) -> Result<(), CaseFileFault> {
        if !stage_m.is_finite() {
            return Err(self.key("[initial] stage_m 不是有限数", "[initial] stage_m is not a finite number"));
        }
        let heights = || dem.values.iter().copied().filter(|z| !z.is_nan()).map(f64::from);
        let (low_m, high_m) = (heights().fold(f64::INFINITY, f64::min), heights().fold(f64::NEG_INFINITY, f64::max));
        if low_m > high_m || (low_m..=high_m + MOST_ABOVE_GROUND_M).contains(&stage_m) {
            return Ok(());
        }
        Err(self.key(
            format!("[initial] stage_m = {stage_m} 与地面 {low_m} 至 {high_m} m 不合，请查单位与高程基准；无水用 dry = true"),
            format!(
                "[initial] stage_m = {stage_m} does not fit ground of {low_m} to {high_m} m: look at unit and datum; for no water, dry = true"
            ),
        ))
    }

    fn set_sides(&self, case: &mut Case, boundaries: &[BoundaryToml]) -> Result<(), CaseFileFault> {
        for (at, boundary) in boundaries.iter().enumerate() {
            if boundaries.iter().take(at).any(|before| before.side == boundary.side) {
                let side = boundary.side;
                return Err(self.key(
                    format!("{side:?} 边有两个 [[boundary]]"),
                    format!("two [[boundary]] for the {side:?} side"),
                ));
            }
            let needs_series = matches!(boundary.kind, Kind::Stage | Kind::Discharge);
            let needs_slope = boundary.kind == Kind::NormalDepth;
            if needs_series != boundary.series.is_some() || needs_slope != boundary.slope.is_some() {
                let side = boundary.side;
                let what = "stage and discharge take series, normal-depth takes slope, wall and free take neither";
                return Err(self.key(
                    format!(
                        "{side:?} 边 [[boundary]]：stage、discharge 用 series，normal-depth 用 slope，wall、free 都不用"
                    ),
                    format!("[[boundary]] of the {side:?} side: {what}"),
                ));
            }
            let side = match (boundary.kind, &boundary.series, boundary.slope) {
                (Kind::Stage, Some(path), _) => Boundary::Stage(self.series(path, "stage_m")?),
                (Kind::Discharge, Some(path), _) => Boundary::Discharge(self.series(path, "discharge_m3s")?),
                (Kind::NormalDepth, _, Some(slope)) => Boundary::NormalDepth { slope },
                (Kind::Free, ..) => Boundary::Free,
                _ => Boundary::Wall,
            };
            match boundary.side {
                SideName::West => case.sides.west = side,
                SideName::East => case.sides.east = side,
                SideName::South => case.sides.south = side,
                SideName::North => case.sides.north = side,
            }
        }
        Ok(())
    }

    fn set_structures(&self, case: &mut Case, toml: &Toml) -> Result<(), CaseFileFault> {
        for edge in &toml.edge {
            let (line, crest_m, coefficient) = (edge.line.clone(), edge.crest_m, edge.weir_coefficient);
            case.edges.push(Edge { line, crest_m, coefficient });
        }
        for (at, breach) in toml.breach.iter().enumerate() {
            let start = match (breach.start.time_s, breach.start.overtopped_for_s) {
                (Some(time_s), None) => BreachStart::Time(time_s),
                (None, Some(hold_s)) => BreachStart::OvertoppedFor(hold_s),
                _ => {
                    return Err(self.key(
                        format!("[[breach]] {at}：start 只取 time_s 或 overtopped_for_s 之一"),
                        format!("[[breach]] {at}: start takes either time_s or overtopped_for_s"),
                    ));
                }
            };
            self.check_breach(at, breach, toml)?;
            let BreachToml { edge, centre, width_m, to_crest_m, duration_s, .. } = *breach;
            case.breaches.push(Breach { edge, centre, width_m, start, to_crest_m, duration_s });
        }
        Ok(())
    }

    /// A breach must begin before the run ends and fit into its edge.
    fn check_breach(&self, at: usize, breach: &BreachToml, toml: &Toml) -> Result<(), CaseFileFault> {
        if let Some(time_s) = breach.start.time_s.filter(|time_s| *time_s > toml.run.end_s) {
            let end_s = toml.run.end_s;
            return Err(self.key(
                format!("[[breach]] {at}: 溃口晚于计算结束"),
                format!("it starts at {time_s} s, after the end of the run at {end_s} s"),
            ));
        }
        let length = |line: &[[f64; 2]]| -> f64 {
            line.windows(2).map(|pair| (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1])).sum()
        };
        let edge_m = toml.edge.get(breach.edge).map(|edge| length(&edge.line));
        match edge_m.filter(|edge_m| breach.width_m > *edge_m * (1.0 + 1e-9)) {
            None => Ok(()),
            Some(edge_m) => Err(self.key(
                format!("[[breach]] {at}: 溃口宽于其边"),
                format!("width_m = {} is beyond the {edge_m:.1} m of edge {}", breach.width_m, breach.edge),
            )),
        }
    }

    fn gauge(&self, case: &Case, gauge: &GaugeToml) -> Result<Gauge, CaseFileFault> {
        let GaugeToml { name, at: [x, y] } = gauge;
        let cell = case.grid.cell_at(gauge.at).ok_or_else(|| {
            self.key(
                format!("水尺“{name}”（{x}，{y}）在地形之外"),
                format!("[[gauge]] '{name}' at {x}, {y} lies outside the terrain"),
            )
        })?;
        if case.bed_m.get(case.grid.index(cell)).is_none_or(|z| z.is_nan()) {
            let spot = Spot::of(&case.grid, cell);
            return Err(self.key(
                format!("水尺“{name}”落在空洞上，{}", spot.zh()),
                format!("[[gauge]] '{name}' lies on a hole of the terrain, {}", spot.en()),
            ));
        }
        if name.is_empty() || name.contains([',', '"', '\n', '\r']) {
            return Err(self.key(
                format!("水尺名“{name}”为空，或含逗号、引号、换行"),
                format!("[[gauge]] name '{name}' is empty or holds a comma, quote or line break"),
            ));
        }
        Ok(Gauge { name: name.clone(), cell })
    }
}

/// Share of steep ground above which `auto` takes the full equations.
const STEEP_SHARE: f64 = 0.1;

/// The equations asked for, or those that suit the case, with the reason.
fn choose(toml: &Toml, steep_share: impl FnOnce() -> f64) -> (Scheme, &'static str) {
    match toml.run.scheme {
        SchemeToml::LocalInertia => (Scheme::LocalInertia, "asked for"),
        SchemeToml::Full1 => (Scheme::Full1, "asked for"),
        SchemeToml::Full2 => (Scheme::Full2, "asked for"),
        SchemeToml::Auto if !toml.breach.is_empty() || !toml.edge.is_empty() => {
            (Scheme::Full2, "auto: weirs or breaches need the full equations")
        }
        SchemeToml::Auto if toml.initial.as_ref().is_some_and(|initial| initial.depth.is_some()) => {
            (Scheme::Full2, "auto: a given starting depth may break like a dam")
        }
        SchemeToml::Auto if steep_share() > STEEP_SHARE => {
            (Scheme::Full2, "auto: more than a tenth of the ground is steep, water on it too fast for local inertia")
        }
        SchemeToml::Auto => (Scheme::LocalInertia, "auto: a gradual flood without structures"),
    }
}
