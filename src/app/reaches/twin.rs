//! The folder `twin` of a reach: terrain, plan, marks and the scenario library.
//!
//! In: `terrain.asc`, `cover.asc`, `twin.toml`, `marks.toml`, `library.bin` (may be absent: it is computed by
//! `anlan twin library`). Out: [`TwinModel`]. The demo's is read when it is first asked for, a site's own at once, with the first
//! fault.

use super::ReachFault;
use super::tables::toml_of;
use crate::app::verbs::twin::raster;
use crate::hydraulics::{
    Bank, BreachSite, Grid, LeveeLine, Library, LibraryPlan, Mark, Plane, SiteGround, TwinModel, TwinSite,
};
use crate::model::PlaceId;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Largest file of the folder, in bytes.
const FILE_MAX: u64 = 256 << 20;
const TEXTS: [&str; 4] = ["terrain.asc", "cover.asc", "twin.toml", "marks.toml"];
const LIBRARY: &str = "library.bin";

/// The files as they came, read on demand.
#[derive(Debug)]
pub struct TwinFiles {
    texts: BTreeMap<String, Cow<'static, [u8]>>,
    library: Option<Cow<'static, [u8]>>,
    data: OnceLock<Result<Arc<TwinModel>, String>>,
}

impl TwinFiles {
    /// Of files by name; `None` where there is no `twin.toml`: the reach has no twin.
    pub(super) fn of(mut get: impl FnMut(&str) -> Option<Cow<'static, [u8]>>) -> Option<Self> {
        let texts: BTreeMap<_, _> = TEXTS.iter().filter_map(|name| Some(((*name).to_owned(), get(name)?))).collect();
        texts.contains_key("twin.toml").then(|| Self { texts, library: get(LIBRARY), data: OnceLock::new() })
    }

    /// Of a folder; `None` where it has no `twin.toml`.
    pub(in crate::app) fn of_folder(folder: &Path) -> Result<Option<Self>, ReachFault> {
        let mut fault = None;
        let files = Self::of(|name| {
            let path = folder.join(name);
            if !path.is_file() {
                return None;
            }
            let read = fs::metadata(&path).and_then(|about| {
                let fits = about.len() <= FILE_MAX;
                if fits { fs::read(&path) } else { Err(std::io::Error::other("more than 256 MiB")) }
            });
            read.map_err(|cause| fault = Some(ReachFault::Unreadable { path: path.display().to_string(), cause }))
                .ok()
                .map(Cow::Owned)
        });
        fault.map_or(Ok(files), Err)
    }

    /// The twin.
    ///
    /// # Errors
    /// The first fault of its files, in words.
    pub fn data(&self) -> Result<Arc<TwinModel>, String> {
        self.data.get_or_init(|| self.read().map(Arc::new).map_err(|fault| chain(&fault))).clone()
    }

    fn text(&self, name: &str) -> Result<&str, ReachFault> {
        let file = format!("twin/{name}");
        let bytes = self.texts.get(name).ok_or_else(|| ReachFault::Missing { file: file.clone() })?;
        std::str::from_utf8(bytes).map_err(|fault| ReachFault::Syntax {
            file,
            line: 0,
            column: fault.valid_up_to(),
            what: "不是 UTF-8 编码 / not UTF-8".into(),
        })
    }

    fn raster(&self, name: &str) -> Result<(Grid, Vec<f32>), ReachFault> {
        raster::parse(&format!("twin/{name}"), self.text(name)?).map_err(|fault| entry(name, "raster", chain(&fault)))
    }

    /// The ground without the library, to compute one.
    ///
    /// # Errors
    /// The first fault of the files.
    pub fn ground(&self) -> Result<(TwinSite, SiteGround), ReachFault> {
        let plan: PlanFile = toml_of("twin/twin.toml", self.text("twin.toml")?)?;
        let marks: MarksFile = match self.texts.contains_key("marks.toml") {
            true => toml_of("twin/marks.toml", self.text("marks.toml")?)?,
            false => MarksFile::default(),
        };
        let (grid, bed_m) = self.raster(&plan.terrain.height)?;
        let (cover_grid, cover) = self.raster(&plan.terrain.cover)?;
        if grid != cover_grid {
            return Err(entry("cover.asc", "grid", "与 terrain.asc 网格不一致 / its grid is not that of terrain.asc"));
        }
        let site = plan.site(grid, bed_m, cover.into_iter().map(|code| code as u8).collect(), marks)?;
        let ground = site.ground(site.plan.cell_m).map_err(|fault| entry("twin.toml", "ground", fault.to_string()))?;
        Ok((site, ground))
    }

    pub(super) fn read(&self) -> Result<TwinModel, ReachFault> {
        let (site, ground) = self.ground()?;
        let library = self.library.as_deref().map(|bytes| Library::decode(bytes, &ground)).transpose();
        let library = library.map_err(|fault| entry(LIBRARY, "library", fault.to_string()))?;
        Ok(TwinModel { site, ground, library })
    }
}

fn chain(fault: &dyn std::error::Error) -> String {
    let mut words = fault.to_string();
    let mut cause = fault.source();
    while let Some(deeper) = cause {
        words = format!("{words}: {deeper}");
        cause = deeper.source();
    }
    words
}

fn entry(file: &str, field: &str, what: impl Into<String>) -> ReachFault {
    ReachFault::Entry { file: format!("twin/{file}"), owner: "twin".into(), field: field.into(), what: what.into() }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    synthetic: bool,
    plane: PlaneTable,
    terrain: TerrainTable,
    cover: Vec<CoverTable>,
    flow: FlowTable,
    library: LibraryTable,
    #[serde(default)]
    edge: Vec<EdgeTable>,
    #[serde(default)]
    breach: Vec<BreachTable>,
    #[serde(default)]
    levee: Vec<LeveeTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaneTable {
    origin_lon: f64,
    origin_lat: f64,
    m_per_degree_lon: f64,
    m_per_degree_lat: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TerrainTable {
    height: String,
    cover: String,
    datum: crate::model::Datum,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CoverTable {
    code: u8,
    manning: f64,
    /// Land behind the levee carries this cover and no other ground does.
    #[serde(default)]
    land_side: bool,
    #[expect(dead_code, reason = "for whoever reads the file")]
    name_zh: String,
    #[expect(dead_code, reason = "for whoever reads the file")]
    name_en: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FlowTable {
    inflow_line: Vec<[f64; 2]>,
    outflow_side: String,
    outflow_slope: f64,
    gauge: String,
    gauge_at: [f64; 2],
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LibraryTable {
    cell_m: f64,
    finest_cell_m: f64,
    base_m3s: f64,
    spin_up_h: f64,
    rise_h: f64,
    discharges_m3s: Vec<f64>,
    breach_discharges_m3s: Vec<f64>,
    hours: Vec<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EdgeTable {
    kind: EdgeKind,
    crest_m: f64,
    line: Vec<[f64; 2]>,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum EdgeKind {
    Levee,
    Dike,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BreachTable {
    place: PlaceId,
    centre: [f64; 2],
    width_m: f64,
    to_crest_m: f64,
    start_h: f64,
    duration_h: f64,
    name_zh: String,
    name_en: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeveeTable {
    place: PlaceId,
    toe: Vec<[f64; 2]>,
    crest_m: f64,
    stage_at: [f64; 2],
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MarksFile {
    #[serde(default)]
    #[expect(dead_code, reason = "the reach itself says whether it is invented")]
    synthetic: bool,
    #[serde(default)]
    mark: Vec<MarkTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MarkTable {
    place: PlaceId,
    name_zh: String,
    name_en: String,
    at: [f64; 2],
    stage_m: Option<f64>,
}

impl PlanFile {
    fn site(self, grid: Grid, bed_m: Vec<f32>, cover: Vec<u8>, marks: MarksFile) -> Result<TwinSite, ReachFault> {
        let wrong = |field: &str, what: &str| Err(entry("twin.toml", field, what));
        if self.flow.outflow_side != "east" {
            return wrong("flow.outflow_side", "目前只支持东侧出流 / water must leave over the east side");
        }
        let land: Vec<u8> = self.cover.iter().filter(|cover| cover.land_side).map(|cover| cover.code).collect();
        let [land_cover] = land[..] else {
            return wrong("cover", "须恰有一类 land_side = true / exactly one cover must be the land side");
        };
        let rising =
            |values: &[f64]| values.windows(2).all(|pair| pair[0] < pair[1]) && values.iter().all(|v| v.is_finite());
        let plan = self.library;
        if plan.hours.first() != Some(&0.0) || !rising(&plan.hours) {
            return wrong("library.hours", "须从 0 起递增 / must rise from 0");
        }
        if plan.discharges_m3s.is_empty() || !rising(&plan.discharges_m3s) || !rising(&plan.breach_discharges_m3s) {
            return wrong("library.discharges_m3s", "须递增 / must rise");
        }
        if plan.discharges_m3s.iter().any(|q| *q < plan.base_m3s) || plan.base_m3s <= 0.0 {
            return wrong("library.base_m3s", "须大于零且不高于各情景 / must be above zero and below all members");
        }
        Ok(TwinSite {
            synthetic: self.synthetic,
            datum: self.terrain.datum,
            plane: Plane {
                origin_lon: self.plane.origin_lon,
                origin_lat: self.plane.origin_lat,
                m_per_degree_lon: self.plane.m_per_degree_lon,
                m_per_degree_lat: self.plane.m_per_degree_lat,
            },
            grid,
            bed_m,
            cover,
            manning: self.cover.iter().map(|cover| (cover.code, cover.manning)).collect(),
            land_cover,
            inflow_line: self.flow.inflow_line,
            outflow_slope: self.flow.outflow_slope,
            gauge: self.flow.gauge,
            gauge_at: self.flow.gauge_at,
            banks: self
                .edge
                .into_iter()
                .map(|edge| Bank { levee: edge.kind == EdgeKind::Levee, line: edge.line, crest_m: edge.crest_m })
                .collect(),
            breaches: self
                .breach
                .into_iter()
                .map(|own| BreachSite {
                    place: own.place,
                    name_zh: own.name_zh,
                    name_en: own.name_en,
                    centre: own.centre,
                    width_m: own.width_m,
                    to_crest_m: own.to_crest_m,
                    start_h: own.start_h,
                    duration_h: own.duration_h,
                })
                .collect(),
            levee: self
                .levee
                .into_iter()
                .map(|own| LeveeLine { place: own.place, toe: own.toe, crest_m: own.crest_m, stage_at: own.stage_at })
                .collect(),
            marks: marks
                .mark
                .into_iter()
                .map(|own| Mark {
                    place: own.place,
                    name_zh: own.name_zh,
                    name_en: own.name_en,
                    at: own.at,
                    stage_m: own.stage_m,
                })
                .collect(),
            plan: LibraryPlan {
                cell_m: plan.cell_m,
                finest_cell_m: plan.finest_cell_m,
                base_m3s: plan.base_m3s,
                spin_up_h: plan.spin_up_h,
                rise_h: plan.rise_h,
                discharges_m3s: plan.discharges_m3s,
                breach_discharges_m3s: plan.breach_discharges_m3s,
                hours: plan.hours,
            },
        })
    }
}
