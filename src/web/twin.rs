//! The twin at the desk: what a discharge would flood, from the scenario library or a refined run, as JSON for screens.
//!
//! In: the model of the reach, outlines of its places, a discharge. Out: villages, households, growers, levee, works, ways
//! out, marks, and frames of water for the map. It computes no water: what it shows was computed before, and it says when,
//! on which grid and between which scenarios. A reach without terrain gives a reason instead.

use super::runs::TwinRuns;
use crate::command::{TwinSlot, Words};
use crate::hydraulics::{
    BreachSite, Flooding, Footprint, HazardClass, Impact, MirrorSpot, MirrorTable, NEVER_MIN, Outline, Rests,
    SiteGround, Spread, TwinModel, WET_CM,
};
use crate::model::{PlaceId, PlaceKind};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// A way out: its rank, its spot, and the hour at which water cuts it.
type WayOut<'a> = (u32, &'a TwinSpot, Option<f64>);

/// What kind of place an outline belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpotKind {
    /// 滩区村.
    Village,
    /// A household that needs attention.
    Household,
    /// The home of a grower, with its class.
    Grower,
    /// Farm block.
    Farm,
    /// 险工、控导.
    Work,
    /// 坝、垛.
    Dam,
    /// 网格.
    Grid,
    /// 守险点.
    Post,
    /// 安置点.
    Shelter,
    /// 料场、仓库.
    Depot,
    /// 撤离路线.
    Route,
}

impl SpotKind {
    /// The word on the wire.
    fn as_str(self) -> &'static str {
        match self {
            Self::Village => "village",
            Self::Household => "household",
            Self::Grower => "grower",
            Self::Farm => "farm",
            Self::Work => "work",
            Self::Dam => "dam",
            Self::Grid => "grid",
            Self::Post => "post",
            Self::Shelter => "shelter",
            Self::Depot => "depot",
            Self::Route => "route",
        }
    }
}

/// A place that water may reach.
#[derive(Debug, Clone)]
pub struct TwinSpot {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: SpotKind,
    /// For screens.
    pub name_zh: String,
    /// For screens.
    pub name_en: String,
    /// Where, in degrees: longitude, latitude.
    pub outline: SpotOutline,
    /// People there, where somebody has counted them.
    pub people: Option<u32>,
    /// Class of grower or of need.
    pub class: Option<String>,
    /// Village, cell or block that it belongs to; of a route the village it leaves.
    pub of: Option<PlaceId>,
    /// Shelter of a route.
    pub to: Option<PlaceId>,
    /// First choice, second choice of a route.
    pub rank: u32,
}

/// An outline in degrees.
#[derive(Debug, Clone)]
pub enum SpotOutline {
    /// A spot.
    Point([f64; 2]),
    /// A way.
    Line(Vec<[f64; 2]>),
    /// An outer ring.
    Area(Vec<[f64; 2]>),
}

/// A place that can carry a task or a post.
#[derive(Debug, Clone)]
pub struct TwinPlace {
    /// Its id.
    pub id: PlaceId,
    /// What kind of place.
    pub kind: PlaceKind,
    /// Its name.
    pub name: Words,
    /// Where people stand, degrees: longitude, latitude.
    pub at: [f64; 2],
    /// Crest of the dam that they stand on, m.
    pub crest_m: Option<f64>,
}

/// The model, read when it is first asked for.
type ReadModel = Box<dyn Fn() -> Result<Arc<TwinModel>, String> + Send + Sync>;

/// The desk.
pub struct TwinDesk {
    read: ReadModel,
    spots: Vec<TwinSpot>,
    /// Places that can carry a task or a post; an outline of `spots` goes before the spot here.
    places: Vec<TwinPlace>,
    footprints: OnceLock<Vec<Option<Footprint>>>,
    slot: TwinSlot,
    /// Finer runs; absent where nothing is computed behind the screens.
    pub runs: Option<TwinRuns>,
}

/// A flooding to be shown, with what it rests on.
pub struct Scene<'a> {
    /// The water.
    pub flooding: Flooding,
    /// What it rests on.
    pub rests: Rests,
    /// The ground of its grid.
    pub ground: &'a SiteGround,
    /// Footprints of the spots on that grid.
    pub footprints: &'a [Option<Footprint>],
    /// Base water on that grid: ground that is wet at all times.
    pub base_cm: &'a [u16],
    /// The refined run that it comes from; `None`: the library.
    pub run: Option<i64>,
}

impl TwinDesk {
    /// A desk over a model, the spots that water may reach, and the places that can carry a task or a post.
    pub fn new(read: ReadModel, spots: Vec<TwinSpot>, places: Vec<TwinPlace>) -> Self {
        let (footprints, slot) = (OnceLock::new(), TwinSlot::default());
        Self { read, spots, places, footprints, slot, runs: None }
    }

    /// The same with runs behind it.
    pub fn with_runs(self, runs: TwinRuns) -> Self {
        Self { runs: Some(runs), ..self }
    }

    /// Where the live twin's table appears once the files are read.
    pub fn slot(&self) -> TwinSlot {
        Arc::clone(&self.slot)
    }

    /// The model.
    ///
    /// # Errors
    /// What is wrong with its files.
    pub fn model(&self) -> Result<Arc<TwinModel>, String> {
        (self.read)()
    }

    /// Reads the model and lays the places on its grid before anybody asks; a fault is in the log from the start on.
    pub fn read_ahead(&self) {
        match self.model() {
            Ok(model) => {
                let _ = self.footprints(&model);
                let table = MirrorTable::of(&model, &self.mirror_spots(&model)).map(Arc::new);
                // Read twice, it is the same: the first stays.
                let _ = self.slot.set(table);
            }
            Err(fault) => {
                tracing::warn!(
                    fault,
                    "孪生数据有误，预演不带淹没 (the twin's files are at fault: previews show no water)"
                );
                let _ = self.slot.set(None);
            }
        }
    }

    /// What the live twin looks at: levee and works by their crest, villages and fields by their outline, other places by
    /// their spot, and the ways out.
    fn mirror_spots(&self, model: &TwinModel) -> Vec<MirrorSpot> {
        let has_outline = |kind| matches!(kind, SpotKind::Village | SpotKind::Farm);
        let place = |place: &TwinPlace| {
            let (id, kind) = (place.id.clone(), Some(place.kind));
            if let Some(line) = model.site.levee.iter().find(|line| line.place == id) {
                let outline = Outline::Line(line.toe.clone());
                return MirrorSpot { id, kind, outline, crest_m: Some(line.crest_m), leaves: None };
            }
            let own = self.spots.iter().find(|known| has_outline(known.kind) && known.id == id.as_str());
            let spot = SpotOutline::Point(place.at);
            let outline = in_metres(model, own.map_or(&spot, |own| &own.outline));
            MirrorSpot { id, kind, outline, crest_m: place.crest_m, leaves: None }
        };
        let way = |spot: &TwinSpot| {
            let leaves = spot.of.clone().filter(|_| spot.kind == SpotKind::Route)?;
            let id = PlaceId::new(&spot.id);
            let outline = in_metres(model, &spot.outline);
            Some(MirrorSpot { id, kind: None, outline, crest_m: None, leaves: Some(leaves) })
        };
        self.places.iter().map(place).chain(self.spots.iter().filter_map(way)).collect()
    }

    /// The places.
    pub fn spots(&self) -> &[TwinSpot] {
        &self.spots
    }

    /// The cells of every spot on a grid.
    pub fn footprints_on(&self, model: &TwinModel, ground: &SiteGround) -> Vec<Option<Footprint>> {
        self.spots.iter().map(|spot| Footprint::of(&in_metres(model, &spot.outline), &model.site, ground)).collect()
    }

    /// The cells of every spot on the library's grid.
    pub fn footprints(&self, model: &TwinModel) -> &[Option<Footprint>] {
        self.footprints.get_or_init(|| self.footprints_on(model, &model.ground))
    }

    /// What the library knows of a discharge; `None` where it has no scenario of that kind.
    pub fn scene<'a>(
        &'a self,
        model: &'a TwinModel,
        discharge_m3s: f64,
        breach: Option<&PlaceId>,
    ) -> Option<Scene<'a>> {
        let library = model.library.as_ref()?;
        let (flooding, rests) = library.at(discharge_m3s, breach)?;
        let footprints = self.footprints(model);
        Some(Scene { flooding, rests, ground: &model.ground, footprints, base_cm: &library.base_cm, run: None })
    }

    /// The whole answer about a scene.
    pub fn shape(&self, model: &TwinModel, scene: &Scene) -> Value {
        let told = self.told(scene);
        let of = |kind: SpotKind| told.iter().filter(move |(spot, _)| spot.kind == kind);
        let list = |kind: SpotKind| {
            let mut rows: Vec<_> = of(kind).filter(|(_, impact)| impact.is_wet()).collect();
            rows.sort_by_key(|(spot, impact)| (impact.arrival_min.unwrap_or(u16::MAX), spot.id.clone()));
            rows.iter().map(|(spot, impact)| row(spot, impact)).collect::<Vec<_>>()
        };
        let hours = &model.site.plan.hours;
        let (ways, no_way) = self.ways(scene, hours, &told);
        let wet = scene
            .flooding
            .highest_cm
            .iter()
            .zip(scene.base_cm)
            .filter(|(high, base)| **high >= WET_CM && **base < WET_CM);
        let area_km2 = wet.count() as f64 * scene.ground.grid.cell_area_m2() / 1e6;
        let people: u32 =
            of(SpotKind::Village).filter(|(_, impact)| impact.is_wet()).filter_map(|(spot, _)| spot.people).sum();
        json!({
            "scenario": scenario(scene), "grid": grid(model, scene), "hours": hours,
            "rise_h": model.site.plan.rise_h, "base_m3s": model.site.plan.base_m3s,
            "area_km2": (area_km2 * 100.0).round() / 100.0, "residents": people,
            "villages": list(SpotKind::Village), "households": classes(of(SpotKind::Household)),
            "farmers": classes(of(SpotKind::Grower)), "farms": list(SpotKind::Farm), "works": list(SpotKind::Work),
            "dams": list(SpotKind::Dam), "cells": list(SpotKind::Grid), "posts": list(SpotKind::Post),
            "shelters": list(SpotKind::Shelter), "depots": list(SpotKind::Depot), "routes": ways, "no_way_out": no_way,
            "levee": self.levee(model, scene), "words": marks(model, scene), "breach_sites": self.breach_sites(model),
            "hazard_basis": "AIDR Guideline 7-3 Flood Hazard (2017), H1–H6",
        })
    }

    /// Levee and works, least freeboard first.
    fn levee(&self, model: &TwinModel, scene: &Scene) -> Vec<Value> {
        let place = |id: &PlaceId| self.places.iter().find(|place| &place.id == id);
        let named = |id: &PlaceId| place(id).map(|place| &place.name);
        let is_levee = |id: &PlaceId| place(id).is_some_and(|place| place.kind == PlaceKind::Segment);
        let mut rows: Vec<(f64, Value)> = Vec::new();
        for line in &model.site.levee {
            let Some(toe) = Footprint::of(&Outline::Line(line.toe.clone()), &model.site, scene.ground) else {
                continue;
            };
            let cells: Vec<usize> = toe.cells.iter().copied().filter(|at| scene.ground.river_side[*at]).collect();
            let toe = Footprint { cells, on_crest_m: None };
            let impact = toe.impact(&scene.flooding, scene.ground);
            let Some(freeboard_m) = freeboard(model, scene, line) else { continue };
            let overtops = freeboard_m < 0.0;
            rows.push((
                freeboard_m,
                json!({
                    "place": line.place, "name": named(&line.place), "is_levee": is_levee(&line.place),
                    "toe_depth_m": rounded(impact.depth_m), "toe_arrival_min": impact.arrival_min,
                    "freeboard_m": rounded(freeboard_m), "overtops": overtops, "crest_m": line.crest_m,
                }),
            ));
        }
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// Where a breach of the levee may be assumed.
    fn breach_sites(&self, model: &TwinModel) -> Vec<Value> {
        let named = |id: &PlaceId| self.places.iter().find(|place| &place.id == id).map(|place| &place.name);
        let site = |site: &BreachSite| json!({ "id": site.place, "name": named(&site.place) });
        model.site.breaches.iter().map(site).collect()
    }

    /// What a spread says of places: the share of its members that bring water, how deep, how early.
    pub fn spread_shape(&self, model: &TwinModel, ground: &SiteGround, spread: &Spread) -> Value {
        let listed =
            [SpotKind::Village, SpotKind::Farm, SpotKind::Post, SpotKind::Shelter, SpotKind::Depot, SpotKind::Grid];
        let mut rows: Vec<(u16, Value)> = Vec::new();
        for (spot, own) in self.spots.iter().zip(self.footprints_on(model, ground)) {
            let Some(own) = own.filter(|own| listed.contains(&spot.kind) && own.on_crest_m.is_none()) else { continue };
            let most = |field: &[u16]| own.cells.iter().filter_map(|at| field.get(*at)).copied().max().unwrap_or(0);
            let chance = most(&spread.share);
            if chance == 0 {
                continue;
            }
            let earliest = own.cells.iter().filter_map(|at| spread.earliest_min.get(*at)).copied().min();
            rows.push((
                chance,
                json!({
                    "id": spot.id, "kind": spot.kind.as_str(), "name": names(spot), "chance": f64::from(chance) / 1000.0,
                    "median_m": f64::from(most(&spread.median_cm)) / 100.0,
                    "ninth_m": f64::from(most(&spread.ninth_cm)) / 100.0,
                    "earliest_min": earliest.filter(|minutes| *minutes != NEVER_MIN),
                }),
            ));
        }
        rows.sort_by_key(|(chance, _)| std::cmp::Reverse(*chance));
        let places: Vec<Value> = rows.into_iter().map(|(_, row)| row).collect();
        let head = &spread.head;
        let member = |(index, (q, n)): (usize, &(f64, f64))| {
            let breach = head.breaches.get(index);
            json!({
                "discharge_m3s": q.round(), "roughness": rounded(*n),
                "breach_width_m": breach.map(|(width_m, _)| width_m.round()),
                "breach_growth_h": breach.map(|(_, hours)| rounded(*hours)),
            })
        };
        let members: Vec<Value> = head.members.iter().enumerate().map(member).collect();
        let (also_zh, also_en) = if head.breaches.is_empty() {
            ("", "")
        } else {
            ("、口门宽度与发展时间", ", width and growth of the breach")
        };
        json!({
            "discharge_m3s": head.discharge_m3s, "breach": head.breach, "hours": head.hours, "members": members,
            "volume_error": head.volume_error, "places": places,
            "words": {
                "zh": format!(
                    "{} 个成员，流量、糙率{also_zh}按本项目默认幅度均匀散布；比例不是预报概率",
                    head.members.len()
                ),
                "en": format!(
                    "{} members, discharge, roughness{also_en} spread evenly by our defaults; shares are no forecast probability",
                    head.members.len()
                ),
            },
        })
    }

    fn told<'a>(&'a self, scene: &Scene) -> Vec<(&'a TwinSpot, Impact)> {
        let impact = |(spot, own): (&'a TwinSpot, &Option<Footprint>)| {
            Some((spot, own.as_ref()?.impact(&scene.flooding, scene.ground)))
        };
        self.spots.iter().zip(scene.footprints).filter_map(impact).collect()
    }

    /// The ways out with the hour at which each is cut, and villages that no way leaves any more.
    fn ways(&self, scene: &Scene, hours: &[f64], told: &[(&TwinSpot, Impact)]) -> (Vec<Value>, Vec<Value>) {
        let mut rows = Vec::new();
        let mut open: BTreeMap<&PlaceId, Vec<WayOut<'_>>> = BTreeMap::new();
        let wet = told.iter().filter(|(spot, impact)| spot.kind == SpotKind::Shelter && impact.is_wet());
        let hour = |impact: &Impact| Some(f64::from(impact.arrival_min?) / 60.0);
        let wet_shelters: BTreeMap<&str, f64> =
            wet.filter_map(|(spot, impact)| Some((spot.id.as_str(), hour(impact)?))).collect();
        for (spot, own) in self.spots.iter().zip(scene.footprints).filter(|(spot, _)| spot.kind == SpotKind::Route) {
            let Some(own) = own else { continue };
            let cut = own.cut_at_h(&scene.flooding, hours).map(|(hour, _)| hour);
            let shelter_wet = spot.to.as_ref().and_then(|shelter| wet_shelters.get(shelter.as_str())).copied();
            if let Some(of) = &spot.of {
                // A way that leads to a shelter under water leads nowhere.
                let ends = [cut, shelter_wet].into_iter().flatten().reduce(f64::min);
                open.entry(of).or_default().push((spot.rank, spot, ends));
            }
            rows.push(json!({
                "id": spot.id, "name": names(spot), "village": spot.of, "shelter": spot.to, "rank": spot.rank,
                "cut_at_h": cut, "shelter_wet_at_h": shelter_wet,
            }));
        }
        let mut closed = Vec::new();
        for (village, mut ways) in open {
            ways.sort_by_key(|(rank, spot, _)| (*rank, spot.id.clone()));
            let first = ways.first().map(|(_, spot, cut)| (*spot, *cut));
            let Some((first, Some(cut_h))) = first else { continue };
            let open_until = |cut: &Option<f64>| cut.unwrap_or(f64::INFINITY);
            let last_h = ways.iter().map(|(_, _, cut)| open_until(cut)).fold(0.0, f64::max);
            // A way that stays open; else the one that stays so longest. Of equal ones the nearer shelter.
            let later = ways.iter().skip(1).filter(|(_, _, cut)| open_until(cut) > cut_h);
            let other = later.reduce(|best, one| if open_until(&one.2) > open_until(&best.2) { one } else { best });
            let words = match other {
                Some((_, way, None)) => (
                    format!("{}：起涨后 {} 被淹，改走 {}", first.name_zh, zh_hours(cut_h), way.name_zh),
                    format!("{}: cut {} after the rise begins, take {}", first.name_en, en_hours(cut_h), way.name_en),
                ),
                Some((_, way, Some(until_h))) => (
                    format!(
                        "{}：起涨后 {} 被淹，改走 {}；{} 起没有出路，须在此前撤完",
                        first.name_zh,
                        zh_hours(cut_h),
                        way.name_zh,
                        zh_hours(*until_h)
                    ),
                    format!(
                        "{}: cut {} after the rise begins, take {}; no way out from {} on, all must have left",
                        first.name_en,
                        en_hours(cut_h),
                        way.name_en,
                        en_hours(*until_h)
                    ),
                ),
                None => (
                    format!("{}：起涨后 {} 起没有出路，须在此前撤完", first.name_zh, zh_hours(cut_h)),
                    format!(
                        "{}: no way out from {} after the rise begins; all must have left",
                        first.name_en,
                        en_hours(cut_h)
                    ),
                ),
            };
            closed.push(json!({
                "village": village, "cut_at_h": cut_h, "instead": other.map(|(_, way, _)| &way.id),
                "last_h": last_h.is_finite().then_some(last_h), "words": { "zh": words.0, "en": words.1 },
            }));
        }
        (rows, closed)
    }
}

/// An outline on the local map.
fn in_metres(model: &TwinModel, outline: &SpotOutline) -> Outline {
    let metres = |at: &[f64; 2]| model.site.plane.metres(at[0], at[1]);
    match outline {
        SpotOutline::Point(at) => Outline::Point(metres(at)),
        SpotOutline::Line(line) => Outline::Line(line.iter().map(metres).collect()),
        SpotOutline::Area(ring) => Outline::Area(ring.iter().map(metres).collect()),
    }
}

fn names(spot: &TwinSpot) -> Value {
    json!({ "zh": spot.name_zh, "en": spot.name_en })
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn hazard(class: HazardClass) -> Value {
    let (zh, en) = class.words();
    json!({ "class": class, "words": { "zh": zh, "en": en } })
}

fn row(spot: &TwinSpot, impact: &Impact) -> Value {
    json!({
        "id": spot.id, "name": names(spot), "arrival_min": impact.arrival_min, "depth_m": rounded(impact.depth_m),
        "speed_ms": rounded(impact.speed_ms), "hazard": impact.hazard.map(hazard), "people": spot.people,
        "wet_share": rounded(impact.wet_share), "of": spot.of,
    })
}

/// Homes by class: how many there are, how many get water, when the first does, how deep and dangerous at worst.
fn classes<'a>(homes: impl Iterator<Item = &'a (&'a TwinSpot, Impact)>) -> Vec<Value> {
    #[derive(Default)]
    struct Class {
        all: u32,
        wet: u32,
        people: u32,
        first_min: Option<u16>,
        depth_m: f64,
        worst: Option<HazardClass>,
        hit: Vec<String>,
    }
    let mut by_class: BTreeMap<&str, Class> = BTreeMap::new();
    for (spot, impact) in homes {
        let class = by_class.entry(spot.class.as_deref().unwrap_or("")).or_default();
        class.all += 1;
        if impact.is_wet() {
            class.wet += 1;
            class.people += spot.people.unwrap_or(0);
            class.first_min = [class.first_min, impact.arrival_min].into_iter().flatten().min();
            class.depth_m = class.depth_m.max(impact.depth_m);
            class.worst = class.worst.max(impact.hazard);
            class.hit.push(spot.id.clone());
        }
    }
    let shape = |(class, own): (&str, Class)| {
        json!({
            "class": class, "all": own.all, "wet": own.wet, "people": own.people, "arrival_min": own.first_min,
            "depth_m": rounded(own.depth_m), "hazard": own.worst.map(hazard), "ids": own.hit,
        })
    };
    by_class.into_iter().map(shape).collect()
}

/// Which scenario is shown, in both languages.
pub fn scenario(scene: &Scene) -> Value {
    let q = scene.flooding.discharge_m3s;
    let (rests, zh, en) = match scene.rests {
        Rests::Exact if scene.run.is_some() => {
            ("run", format!("{q:.0} m³/s 加密演算"), format!("refined run at {q:.0} m³/s"))
        }
        Rests::Exact => ("exact", format!("情景库 {q:.0} m³/s"), format!("library scenario {q:.0} m³/s")),
        Rests::Between(low, high) => (
            "between",
            format!("情景库 {low:.0} 与 {high:.0} m³/s 之间内插"),
            format!("between library scenarios {low:.0} and {high:.0} m³/s"),
        ),
        Rests::Below(low) => (
            "below",
            format!("低于情景库，按 {low:.0} m³/s 显示，偏大"),
            format!("below the library: shown for {low:.0} m³/s, too much"),
        ),
        Rests::Above(high) => (
            "above",
            format!("高于情景库，按 {high:.0} m³/s 显示，偏小"),
            format!("above the library: shown for {high:.0} m³/s, too little"),
        ),
    };
    json!({
        "discharge_m3s": q, "breach": scene.flooding.breach, "rests": rests, "run": scene.run,
        "words": { "zh": zh, "en": en }, "highest_froude": rounded(scene.flooding.highest_froude),
        "volume_error": scene.flooding.volume_error,
    })
}

/// Which grid it is shown on.
pub fn grid(model: &TwinModel, scene: &Scene) -> Value {
    let grid = &scene.ground.grid;
    let corner = |x: f64, y: f64| model.site.plane.degrees([x, y]);
    let [west, south] = corner(grid.west_m, grid.south_m);
    let [east, north] =
        corner(grid.west_m + grid.columns as f64 * grid.cell_m, grid.south_m + grid.rows as f64 * grid.cell_m);
    json!({
        "cell_m": grid.cell_m, "columns": grid.columns, "rows": grid.rows, "bounds": [west, south, east, north],
        "synthetic": model.site.synthetic,
        "scheme": { "zh": "局部惯性二维", "en": "local inertia, two-dimensional" },
    })
}

/// Lowest crest less the highest stage beside it, m; negative = water runs over it.
fn freeboard(model: &TwinModel, scene: &Scene, line: &crate::hydraulics::LeveeLine) -> Option<f64> {
    let grid = &scene.ground.grid;
    let stage = |at: usize| {
        let depth = f64::from(*scene.flooding.highest_cm.get(at)?) / 100.0;
        (depth > 0.05).then(|| scene.ground.bed_m.get(at).map(|bed| f64::from(*bed) + depth)).flatten()
    };
    let river = stage(grid.index(grid.cell_at(line.stage_at)?));
    let toe = Footprint::of(&Outline::Line(line.toe.clone()), &model.site, scene.ground);
    let toe = toe.into_iter().flat_map(|toe| toe.cells).filter(|at| scene.ground.river_side[*at]).filter_map(stage);
    toe.chain(river).reduce(f64::max).map(|stage| line.crest_m - stage)
}

/// What people on the site would say: the highest step of each dam under water, and when water comes to each mark.
fn marks(model: &TwinModel, scene: &Scene) -> Vec<Value> {
    let mut steps: BTreeMap<&PlaceId, (f64, String, String)> = BTreeMap::new();
    let mut arrivals = Vec::new();
    for mark in &model.site.marks {
        let Some(at) = scene.ground.grid.cell_at(mark.at).map(|cell| scene.ground.grid.index(cell)) else { continue };
        let depth_cm = scene.flooding.highest_cm.get(at).copied().unwrap_or(0);
        if depth_cm < WET_CM {
            continue;
        }
        match mark.stage_m {
            Some(stage_m) => {
                let stage = f64::from(scene.ground.bed_m[at]) + f64::from(depth_cm) / 100.0;
                let higher = steps.get(&mark.place).is_none_or(|(known, ..)| stage_m > *known);
                if stage >= stage_m && higher {
                    let words = (format!("水到{}", mark.name_zh), format!("water up to {}", mark.name_en));
                    steps.insert(&mark.place, (stage_m, words.0, words.1));
                }
            }
            None => {
                let minutes = scene.flooding.arrival_min.get(at).copied().filter(|min| *min != u16::MAX);
                let Some(minutes) = minutes.filter(|_| scene.base_cm.get(at).is_none_or(|cm| *cm < WET_CM)) else {
                    continue;
                };
                let hours = f64::from(minutes) / 60.0;
                arrivals.push((
                    minutes,
                    format!("{}到{}", zh_hours(hours), mark.name_zh),
                    format!("{} to {}", en_hours(hours), mark.name_en),
                    mark.place.clone(),
                ));
            }
        }
    }
    arrivals.sort_by_key(|(minutes, ..)| *minutes);
    let arrivals = arrivals.into_iter().map(
        |(minutes, zh, en, place)| json!({ "kind": "arrival", "place": place, "minutes": minutes, "zh": zh, "en": en }),
    );
    let steps = steps.into_iter().map(
        |(place, (stage_m, zh, en))| json!({ "kind": "mark", "place": place, "stage_m": stage_m, "zh": zh, "en": en }),
    );
    arrivals.chain(steps).collect()
}

fn zh_hours(hours: f64) -> String {
    let minutes = (hours * 60.0).round() as i64;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} 分钟"),
        (hours, 0) => format!("{hours} 小时"),
        (hours, minutes) => format!("{hours} 小时 {minutes} 分"),
    }
}

fn en_hours(hours: f64) -> String {
    let minutes = (hours * 60.0).round() as i64;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// Bounds of the depth colours, m.
const BANDS: [f64; 4] = [0.5, 1.0, 2.0, 3.0];

/// The water of a moment as rectangles: runs of cells of one depth colour, row by row. Ground that is wet at the base
/// discharge is the river and not drawn.
pub fn frame(model: &TwinModel, ground: &SiteGround, base_cm: &[u16], depth_cm: &[u16]) -> Vec<Value> {
    let grid = &ground.grid;
    let band = |at: usize| {
        let depth = depth_cm.get(at).copied().filter(|cm| *cm >= WET_CM)?;
        let dry_before = base_cm.get(at).is_none_or(|cm| *cm < WET_CM);
        dry_before.then(|| BANDS.iter().filter(|bound| f64::from(depth) / 100.0 >= **bound).count())
    };
    let mut features = Vec::new();
    for row in 0..grid.rows {
        let mut column = 0;
        while column < grid.columns {
            let own = band(row * grid.columns + column);
            let from = column;
            column += 1;
            while column < grid.columns && band(row * grid.columns + column) == own {
                column += 1;
            }
            let Some(own) = own else { continue };
            let depth_m = if own == 0 { 0.05 } else { BANDS[own - 1] };
            features.push(rectangle(model, ground, row, from, column, depth_m));
        }
    }
    features
}

fn rectangle(model: &TwinModel, ground: &SiteGround, row: usize, from: usize, to: usize, depth_m: f64) -> Value {
    let grid = &ground.grid;
    let corner = |column: usize, row: usize| {
        let at = [grid.west_m + column as f64 * grid.cell_m, grid.south_m + row as f64 * grid.cell_m];
        model.site.plane.degrees(at).map(|degrees| (degrees * 1e6).round() / 1e6)
    };
    let ring = [corner(from, row), corner(to, row), corner(to, row + 1), corner(from, row + 1), corner(from, row)];
    json!({
        "type": "Feature", "geometry": { "type": "Polygon", "coordinates": [ring] },
        "properties": { "depth_m": depth_m },
    })
}
