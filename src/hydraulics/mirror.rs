//! The live mirror (实时孪生): the water that goes with the discharge as measured and as forecast, place by place.
//!
//! In: the scenario library, places and ways out; then the measured discharge, its forecast, the stage at the gauge. Out: a
//! [`Mirrored`]: which place gets water, when, how deep, which way out is cut. It computes no water of its own, so it costs
//! microseconds and gives the same answer live, in a drill and when played again.
//!
//! A place has a *threshold*: the discharge from which the library shows water there. Water comes when the discharge passes the
//! threshold, and a *lag* later: the time from there to the arrival in the scenario of the highest discharge of the course, in
//! which the river rises within hours. A slower river fills the plain while it rises, so this is rather too early than too late.
//! It says nothing of ground that is river at the base discharge, and of breaches only what people report (`breach.rs`).

use super::breach::{self, BreachRow, Breached};
use super::flooding::{Flooding, WET_CM};
use super::impact::{Footprint, Outline, ROAD_CUT_CM};
use super::levee::LeveeRow;
use super::library::TwinModel;
use super::site::{BreachSite, SiteGround};
use crate::model::{Datum, PlaceId, PlaceKind, Timestamp};
use chrono::TimeDelta;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Past discharges are kept so long: as far as a restart reads back.
const PAST: TimeDelta = TimeDelta::hours(96);
/// And so far apart.
const PAST_STEP: TimeDelta = TimeDelta::minutes(10);
/// A threshold that was reached counts as reached until the discharge is below this share of it: ponds outlast the crest.
const HOLD: f64 = 0.9;
/// By so much the model's own stage at the gauge may differ from the rating (docs/twin.md), m.
pub const GAUGE_TOLERANCE_M: f64 = 0.35;
/// A higher gauge raises the discharge that is looked up by at most this share of it.
const SHIFT_SHARE_MAX: f64 = 0.3;
/// Stage and discharge belong together when they are at most so far apart.
const SAME_WATER: TimeDelta = TimeDelta::hours(1);

/// Something that water may reach or cut.
#[derive(Debug, Clone, PartialEq)]
pub struct MirrorSpot {
    /// The place, or the way's own id.
    pub id: PlaceId,
    /// What kind of place; `None` for a way.
    pub kind: Option<PlaceKind>,
    /// Where, in metres of the local map.
    pub outline: Outline,
    /// Crest that people there stand on, m: the place counts as wet when the water passes it.
    pub crest_m: Option<f64>,
    /// The place that it leads out of, for a way.
    pub leaves: Option<PlaceId>,
}

/// What one scenario does at a spot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rung {
    q_m3s: f64,
    depth_m: f64,
    /// Minutes after the rise begins; `None` while the bound is not reached.
    arrival_min: Option<f64>,
}

/// A spot through the scenarios, discharge rising.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ladder {
    rungs: Vec<Rung>,
    /// Depth that counts, m: of a place the first water, of a way the depth at which cars stop.
    pub(super) bound_m: f64,
    /// Discharge at which that depth is reached; `None` beyond the library.
    threshold_m3s: Option<f64>,
}

/// All spots of a reach against its library, without breaches.
#[derive(Debug)]
pub struct MirrorTable {
    places: BTreeMap<PlaceId, Ladder>,
    ways: Vec<(PlaceId, PlaceId, Ladder)>,
    /// Segments and works where the site reads its levee.
    pub(super) levee: Vec<LeveeRow>,
    /// Every segment and work of the reach is among them.
    pub(super) levee_is_whole: bool,
    /// Villages, known to the model or not.
    pub(super) villages: Vec<PlaceId>,
    /// What a breach brings, in the order of the plan's sites.
    pub(super) breaches: Vec<BreachRow>,
    /// The site of the plan that is nearest to each spot.
    pub(super) nearest_breach: BTreeMap<PlaceId, usize>,
    /// Places whose cell is river at the base discharge: the model has no arrival there.
    in_river: Vec<PlaceId>,
    /// Discharge → stage at the gauge at the end of each scenario, m.
    gauge: Vec<(f64, f64)>,
    base_m3s: f64,
    rise_min: f64,
    /// Highest scenario, m³/s.
    pub highest_m3s: f64,
    /// Station of the gauge.
    pub gauge_station: String,
    /// Reference surface of the terrain.
    pub datum: Datum,
    /// Cell size of the library, m.
    pub cell_m: f64,
    /// Invented terrain.
    pub synthetic: bool,
}

/// Water at a place, or a way that is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coming {
    /// Discharge from which there is water, m³/s; `None`: a breach brings it.
    pub threshold_m3s: Option<f64>,
    /// When the discharge passed it, or the breach was seen; `None`: before what is remembered.
    pub crossed_at: Option<Timestamp>,
    /// From there to the water, minutes.
    pub lag_min: f64,
    /// When the water is there; `None`: since before what is remembered.
    pub at: Option<Timestamp>,
    /// Depth that goes with the highest discharge of the course, m.
    pub depth_m: f64,
}

impl Coming {
    /// Whether the water is there at that moment.
    pub fn is_there(&self, now: Timestamp) -> bool {
        self.at.is_none_or(|at| at <= now)
    }
}

/// A way out that is or will be cut.
#[derive(Debug, Clone, PartialEq)]
pub struct WayCut {
    /// The way.
    pub id: PlaceId,
    /// The place that it leads out of.
    pub leaves: PlaceId,
    /// When.
    pub cut: Coming,
}

/// What the stage at the gauge says of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GaugeWord {
    /// No stage of this reference surface and this hour.
    Silent,
    /// The stage fits the model, or lies below it: nothing is taken away because of one gauge.
    Fits {
        /// Measured minus model, m.
        difference_m: f64,
    },
    /// The river stands higher than the model has it: a higher discharge is looked up.
    Raised {
        /// Measured minus model, m.
        difference_m: f64,
        /// Added to every discharge, m³/s.
        shift_m3s: f64,
    },
}

/// What is given to make a mirror of a moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct MirrorInput<'a> {
    /// Newest usable discharge of the control station: moment and m³/s.
    pub discharge: Option<(Timestamp, f64)>,
    /// Newest usable stage at the gauge: moment, m, reference surface.
    pub stage: Option<(Timestamp, f64, Datum)>,
    /// When the forecast was issued, and its course in m³/s.
    pub forecast: Option<(Timestamp, &'a [(Timestamp, f64)])>,
}

/// The mirror of one moment.
#[derive(Debug, Clone)]
pub struct Mirrored {
    /// When it was made.
    pub made_at: Timestamp,
    /// The measured discharge that it rests on.
    pub discharge: (Timestamp, f64),
    /// When the forecast behind it was issued; `None`: it rests on the present discharge alone.
    pub forecast_at: Option<Timestamp>,
    /// The highest discharge still to come, measured or forecast, m³/s, and when.
    pub peak: (Timestamp, f64),
    /// What the gauge says.
    pub gauge: GaugeWord,
    /// Places that have or get water.
    pub places: BTreeMap<PlaceId, Coming>,
    /// Ways out that are or will be cut.
    pub ways: Vec<WayCut>,
    /// Breaches whose water is in it.
    pub breaches: Vec<Breached>,
    /// Segments whose toe has or gets water.
    pub(super) toes: BTreeMap<PlaceId, Coming>,
    /// Discharges from the measured one on, m³/s, with what the gauge adds.
    pub(super) ahead: Vec<(Timestamp, f64)>,
    /// What it was looked up in.
    pub table: Arc<MirrorTable>,
}

/// Discharges of the control station, as far back as the mirror looks.
#[derive(Debug, Clone, Default)]
pub struct DischargeMemory {
    past: VecDeque<(Timestamp, f64)>,
}

impl Rung {
    /// First water at a footprint in a scenario.
    pub(super) fn of(own: &Footprint, member: &Flooding, ground: &SiteGround) -> Self {
        let impact = own.impact(member, ground);
        let arrival_min = impact.arrival_min.filter(|_| impact.is_wet()).map(f64::from);
        Self { q_m3s: member.discharge_m3s, depth_m: impact.depth_m, arrival_min }
    }

    /// With minutes counted from a later moment.
    pub(super) fn after(self, min: f64) -> Self {
        Self { arrival_min: self.arrival_min.map(|arrival| (arrival - min).max(0.0)), ..self }
    }
}

impl Ladder {
    pub(super) fn of(rungs: Vec<Rung>, bound_m: f64) -> Self {
        let threshold_m3s = rungs.iter().position(|rung| rung.arrival_min.is_some()).map(|at| {
            let Some(low) = at.checked_sub(1).and_then(|low| rungs.get(low)) else { return rungs[at].q_m3s };
            let high = rungs[at];
            let span_m = high.depth_m - low.depth_m;
            let share = if span_m > 0.0 { ((bound_m - low.depth_m) / span_m).clamp(0.0, 1.0) } else { 1.0 };
            low.q_m3s + (high.q_m3s - low.q_m3s) * share
        });
        Self { rungs, bound_m, threshold_m3s }
    }

    /// The two rungs around a discharge and how far it is between them; ends stand for what lies beyond.
    fn around(&self, q_m3s: f64) -> Option<(Rung, Rung, f64)> {
        let above = self.rungs.partition_point(|rung| rung.q_m3s <= q_m3s);
        let low = *self.rungs.get(above.saturating_sub(1))?;
        let high = self.rungs.get(above).copied().unwrap_or(low);
        let span = high.q_m3s - low.q_m3s;
        let share = if above == 0 || span <= 0.0 { 0.0 } else { (q_m3s - low.q_m3s) / span };
        Some((low, high, share))
    }

    pub(super) fn depth_m(&self, q_m3s: f64) -> f64 {
        self.around(q_m3s).map_or(0.0, |(low, high, share)| low.depth_m + (high.depth_m - low.depth_m) * share)
    }

    /// Minutes until the bound is reached, on the line between two rungs; where only one of them is wet, its minutes.
    pub(super) fn arrival_min(&self, q_m3s: f64) -> Option<f64> {
        let (low, high, share) = self.around(q_m3s)?;
        match (low.arrival_min, high.arrival_min) {
            (Some(a), Some(b)) => Some(a + (b - a) * share),
            (known, other) => known.or(other),
        }
    }

    /// Whether some rung is wet where the other ladder is dry at that discharge.
    pub(super) fn brings_more_than(&self, sound: &Self) -> bool {
        self.rungs.iter().any(|rung| rung.arrival_min.is_some() && sound.depth_m(rung.q_m3s) < self.bound_m)
    }

    /// Minutes from the moment at which the scenario of `q_m3s` passes the threshold until the bound is reached.
    fn lag_min(&self, q_m3s: f64, threshold_m3s: f64, base_m3s: f64, rise_min: f64) -> f64 {
        let arrival = self.arrival_min(q_m3s).unwrap_or(0.0);
        // In the scenario the discharge passes the threshold on its way from the base up.
        let whole = q_m3s.max(threshold_m3s) - base_m3s;
        let passed = if whole > 0.0 { rise_min * ((threshold_m3s - base_m3s) / whole).clamp(0.0, 1.0) } else { 0.0 };
        (arrival - passed).max(0.0)
    }
}

impl MirrorTable {
    /// Every spot against every scenario; `None` where there is no library.
    pub fn of(model: &TwinModel, spots: &[MirrorSpot]) -> Option<Self> {
        let library = model.library.as_ref()?;
        let members: Vec<&Flooding> = library.members.iter().filter(|member| member.breach.is_none()).collect();
        let highest_m3s = members.last()?.discharge_m3s;
        let is_river = |at: &usize| library.base_cm.get(*at).is_some_and(|cm| *cm >= WET_CM);
        let row = |site: &BreachSite| {
            let of_site = |member: &&Flooding| member.breach.as_ref() == Some(&site.place);
            let members: Vec<&Flooding> = library.members.iter().filter(of_site).collect();
            (BreachRow::at(site), members, site.start_h * 60.0)
        };
        let mut breaches: Vec<_> = model.site.breaches.iter().map(row).collect();
        let mut nearest_breach = BTreeMap::new();
        let (mut places, mut ways, mut in_river) = (BTreeMap::new(), Vec::new(), Vec::new());
        for spot in spots {
            if let Some(site) = breach::nearest(&model.site.breaches, spot.outline.middle()) {
                nearest_breach.insert(spot.id.clone(), site);
            }
            let Some(mut own) = Footprint::of(&spot.outline, &model.site, &model.ground) else { continue };
            own.on_crest_m = spot.crest_m.or(own.on_crest_m);
            if own.on_crest_m.is_none() {
                own.cells.retain(|at| !is_river(at));
            }
            if own.cells.is_empty() {
                in_river.push(spot.id.clone());
                continue;
            }
            let rung = |member: &Flooding| match &spot.leaves {
                None => Rung::of(&own, member, &model.ground),
                Some(_) => {
                    let depth_m = f64::from(own.depth_cm(&member.highest_cm)) / 100.0;
                    let arrival_min = own.cut_at_h(member, &library.hours).map(|(hour, _)| hour * 60.0);
                    Rung { q_m3s: member.discharge_m3s, depth_m, arrival_min }
                }
            };
            let bound_cm = if spot.leaves.is_some() { ROAD_CUT_CM } else { WET_CM };
            let bound_m = f64::from(bound_cm) / 100.0;
            let ladder = Ladder::of(members.iter().map(|member| rung(member)).collect(), bound_m);
            for (row, members, since_min) in &mut breaches {
                let rungs = members.iter().map(|member| rung(member).after(*since_min)).collect();
                row.keep(&spot.id, spot.leaves.as_ref(), Ladder::of(rungs, bound_m), &ladder);
            }
            match &spot.leaves {
                None => drop(places.insert(spot.id.clone(), ladder)),
                Some(leaves) => ways.push((spot.id.clone(), leaves.clone(), ladder)),
            }
        }
        let (mut levee, mut levee_is_whole) = (Vec::new(), true);
        for spot in spots {
            let is_levee = match spot.kind {
                Some(PlaceKind::Segment) => true,
                Some(PlaceKind::VulnerableWork | PlaceKind::TrainingWork) => false,
                _ => continue,
            };
            let line = model.site.levee.iter().find(|line| line.place == spot.id);
            levee_is_whole &= line.is_some();
            levee.extend(line.map(|line| LeveeRow::of(line, is_levee, model, &members)));
        }
        let is_village = |spot: &&MirrorSpot| spot.kind == Some(PlaceKind::Village);
        let villages = spots.iter().filter(is_village).map(|spot| spot.id.clone()).collect();
        let at_gauge = model.ground.grid.cell_at(model.site.gauge_at).map(|cell| model.ground.grid.index(cell));
        let stage = |member: &&Flooding| {
            let at = at_gauge?;
            let depth_m = f64::from(*member.depth_cm.last()?.get(at)?) / 100.0;
            Some((member.discharge_m3s, f64::from(*model.ground.bed_m.get(at)?) + depth_m))
        };
        Some(Self {
            places,
            ways,
            levee,
            levee_is_whole,
            villages,
            breaches: breaches.into_iter().map(|(row, ..)| row).collect(),
            nearest_breach,
            in_river,
            gauge: members.iter().filter_map(stage).filter(|(_, stage)| stage.is_finite()).collect(),
            base_m3s: library.base_m3s,
            rise_min: model.site.plan.rise_h * 60.0,
            highest_m3s,
            gauge_station: model.site.gauge.clone(),
            datum: model.site.datum,
            cell_m: model.ground.grid.cell_m,
            synthetic: model.site.synthetic,
        })
    }

    /// Whether the model can say when water comes to a place.
    pub fn knows(&self, place: &PlaceId) -> bool {
        self.places.contains_key(place)
    }
    pub(super) fn ladder(&self, place: &PlaceId) -> Option<&Ladder> {
        self.places.get(place)
    }
    /// Whether a place lies where the river is at the base discharge.
    pub fn is_in_river(&self, place: &PlaceId) -> bool {
        self.in_river.contains(place)
    }
    /// Ways out of a place, as far as the map has any.
    pub fn ways_of<'a>(&'a self, place: &'a PlaceId) -> impl Iterator<Item = &'a PlaceId> {
        self.ways.iter().filter(move |(_, leaves, _)| leaves == place).map(|(id, ..)| id)
    }

    /// What a stage that belongs to a discharge says.
    fn gauge_word(&self, q_m3s: f64, stage_m: f64) -> GaugeWord {
        let Some(model_m) = straight(&self.gauge, q_m3s) else { return GaugeWord::Silent };
        let difference_m = stage_m - model_m;
        if difference_m <= GAUGE_TOLERANCE_M {
            return GaugeWord::Fits { difference_m };
        }
        let turned: Vec<(f64, f64)> = self.gauge.iter().map(|(q, stage)| (*stage, *q)).collect();
        let looked_up = straight(&turned, model_m + difference_m - GAUGE_TOLERANCE_M).unwrap_or(self.highest_m3s);
        let shift_m3s = (looked_up - q_m3s).clamp(0.0, SHIFT_SHARE_MAX * q_m3s);
        GaugeWord::Raised { difference_m, shift_m3s }
    }
}

/// The value on straight lines through rising points; nothing outside them.
pub(super) fn straight(points: &[(f64, f64)], at: f64) -> Option<f64> {
    let pair = points.windows(2).find(|pair| (pair[0].0..=pair[1].0).contains(&at))?;
    let span = pair[1].0 - pair[0].0;
    let share = if span > 0.0 { (at - pair[0].0) / span } else { 0.0 };
    Some(pair[0].1 + (pair[1].1 - pair[0].1) * share)
}

impl DischargeMemory {
    /// Takes in a usable discharge, m³/s; an older one than the last is left out.
    pub fn note(&mut self, at: Timestamp, q_m3s: f64) {
        if self.past.back().is_none_or(|(last, _)| at - *last >= PAST_STEP) {
            self.past.push_back((at, q_m3s));
        }
        while self.past.front().is_some_and(|(oldest, _)| at - *oldest > PAST) {
            self.past.pop_front();
        }
    }
}

impl Mirrored {
    /// The mirror of a moment; `None` while no discharge is known.
    pub fn make(
        table: &Arc<MirrorTable>,
        now: Timestamp,
        memory: &DischargeMemory,
        input: &MirrorInput,
    ) -> Option<Self> {
        let discharge = input.discharge?;
        let stage =
            input.stage.filter(|(at, _, datum)| *datum == table.datum && (*at - discharge.0).abs() <= SAME_WATER);
        let gauge = stage.map_or(GaugeWord::Silent, |(_, stage_m, _)| table.gauge_word(discharge.1, stage_m));
        let shift_m3s = if let GaugeWord::Raised { shift_m3s, .. } = gauge { shift_m3s } else { 0.0 };
        let ahead = input.forecast.map_or(&[][..], |(_, points)| points);
        let before = memory.past.iter().copied().filter(|(at, _)| *at < discharge.0);
        let after = ahead.iter().copied().filter(|(at, _)| *at > discharge.0);
        let course: Vec<(Timestamp, f64)> =
            before.chain([discharge]).chain(after).map(|(at, q)| (at, q + shift_m3s)).collect();
        let present = discharge.0;
        let peak = course.iter().filter(|(at, _)| *at >= present).copied();
        let peak = peak.reduce(|best, one| if one.1 > best.1 { one } else { best }).unwrap_or(discharge);
        let coming = |ladder: &Ladder| table.coming(ladder, &course, present);
        let places = table.places.iter().filter_map(|(id, ladder)| Some((id.clone(), coming(ladder)?))).collect();
        let way = |(id, leaves, ladder): &(PlaceId, PlaceId, Ladder)| {
            Some(WayCut { id: id.clone(), leaves: leaves.clone(), cut: coming(ladder)? })
        };
        let toe = |row: &LeveeRow| {
            let ladder = row.toe.as_ref().filter(|_| row.is_levee)?;
            Some((row.place.clone(), coming(ladder)?))
        };
        Some(Self {
            toes: table.levee.iter().filter_map(toe).collect(),
            ahead: course.iter().filter(|(at, _)| *at >= present).copied().collect(),
            breaches: Vec::new(),
            made_at: now,
            discharge,
            forecast_at: input.forecast.map(|(issued_at, _)| issued_at),
            peak,
            gauge,
            places,
            ways: table.ways.iter().filter_map(way).collect(),
            table: Arc::clone(table),
        })
    }

    /// The discharge that is looked up for now, m³/s: the measured one with what the gauge adds.
    pub fn present_m3s(&self) -> f64 {
        match self.gauge {
            GaugeWord::Raised { shift_m3s, .. } => self.discharge.1 + shift_m3s,
            GaugeWord::Silent | GaugeWord::Fits { .. } => self.discharge.1,
        }
    }

    /// When the last way out of a place is cut; `None` while one stays open or where the map has none.
    pub fn last_way_cut(&self, place: &PlaceId) -> Option<Coming> {
        let mut last: Option<Coming> = None;
        for way in self.table.ways_of(place) {
            let cut = self.ways.iter().find(|known| known.id == *way)?.cut;
            last = Some(last.map_or(cut, |known| if cut.at > known.at { cut } else { known }));
        }
        last
    }
}

impl MirrorTable {
    /// When a course of discharge brings water to a spot; up to `present` it is past, after it forecast.
    fn coming(&self, ladder: &Ladder, course: &[(Timestamp, f64)], present: Timestamp) -> Option<Coming> {
        let highest = course.iter().map(|(_, q)| *q).fold(0.0, f64::max);
        let threshold_m3s = ladder.threshold_m3s.filter(|threshold| *threshold <= highest)?;
        let (crossed_at, from) = crossing(course, threshold_m3s, present)?;
        let highest = course.get(from..)?.iter().map(|(_, q)| *q).fold(threshold_m3s, f64::max).min(self.highest_m3s);
        let lag_min = ladder.lag_min(highest, threshold_m3s, self.base_m3s, self.rise_min);
        let at = crossed_at.map(|at| at + TimeDelta::seconds((lag_min * 60.0) as i64));
        let depth_m = ladder.depth_m(highest).max(ladder.bound_m);
        Some(Coming { threshold_m3s: Some(threshold_m3s), crossed_at, lag_min, at, depth_m })
    }
}

/// When a course passed a threshold for the spell that lasts now or begins later, and the point from which it is above;
/// the moment is `None` where it was above from the first point on.
fn crossing(course: &[(Timestamp, f64)], threshold_m3s: f64, present: Timestamp) -> Option<(Option<Timestamp>, usize)> {
    let mut passed: Option<(Option<Timestamp>, usize)> = None;
    for (index, (at, q)) in course.iter().enumerate() {
        match passed {
            None if *q >= threshold_m3s => {
                let before = index.checked_sub(1).and_then(|before| course.get(before));
                let moment = before.map(|(then, low)| {
                    let share = if q > low { (threshold_m3s - low) / (q - low) } else { 1.0 };
                    *then + TimeDelta::milliseconds(((*at - *then).num_milliseconds() as f64 * share) as i64)
                });
                passed = Some((moment, index));
            }
            Some(_) if *q < HOLD * threshold_m3s && *at <= present => passed = None,
            _ => {}
        }
    }
    passed
}

#[cfg(test)]
#[path = "mirror_tests.rs"]
mod tests;
