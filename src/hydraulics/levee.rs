//! Levee and villages at a moment of the live mirror: depth at the toe, hours until it is wet, freeboard ahead.
//!
//! In: the scenarios at the lines where the site reads its levee, then the course of the discharge behind a [`Mirrored`]. Out:
//! [`PlaceValues`], which name the places where there is something to say and tell whether the others are known to be quiet.
//! Where the toe is river at the base discharge nothing is said of it. A discharge beyond the scenarios counts as the nearest one.

use super::flooding::{Flooding, WET_CM};
use super::impact::{Footprint, Outline};
use super::library::TwinModel;
use super::mirror::{Coming, Ladder, MirrorTable, Mirrored, Rung};
use super::site::LeveeLine;
use crate::model::{PlaceId, Timestamp};
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// A course may end so much before the moment that is asked for.
const SHORT: TimeDelta = TimeDelta::hours(1);
/// Shallower water beside a line gives no stage, m.
const STAGE_FROM_M: f64 = 0.05;

/// A stretch of levee, or a work, through the scenarios.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LeveeRow {
    pub(super) place: PlaceId,
    /// Levee; else a work in front of it, whose crest says nothing of those behind the levee.
    pub(super) is_levee: bool,
    /// The ground at the toe; `None` where that is river at the base discharge.
    pub(super) toe: Option<Ladder>,
    /// Discharge → crest above the highest stage, m.
    freeboard: Vec<(f64, f64)>,
}

/// Values of places.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlaceValues {
    /// Where there is something to say.
    pub at: BTreeMap<PlaceId, f64>,
    /// The model knows every place that is asked for: the others are quiet. Else nothing is known of them.
    pub is_whole: bool,
}

impl LeveeRow {
    pub(super) fn of(line: &LeveeLine, is_levee: bool, model: &TwinModel, members: &[&Flooding]) -> Self {
        let ground = &model.ground;
        let base_cm = model.library.as_ref().map_or(&[][..], |library| &library.base_cm);
        let is_river = |at: &usize| base_cm.get(*at).is_some_and(|cm| *cm >= WET_CM);
        let toe =
            Footprint::of(&Outline::Line(line.toe.clone()), &model.site, ground).map_or(Vec::new(), |toe| toe.cells);
        let toe: Vec<usize> = toe.into_iter().filter(|at| ground.river_side[*at]).collect();
        let river = ground.grid.cell_at(line.stage_at).map(|cell| ground.grid.index(cell));
        let freeboard = |member: &&Flooding| {
            let stage = |at: &usize| {
                let depth_m = f64::from(*member.highest_cm.get(*at)?) / 100.0;
                (depth_m > STAGE_FROM_M).then(|| ground.bed_m.get(*at).map(|bed| f64::from(*bed) + depth_m)).flatten()
            };
            let highest = toe.iter().chain(&river).filter_map(stage).reduce(f64::max)?;
            Some((member.discharge_m3s, line.crest_m - highest))
        };
        let freeboard = members.iter().filter_map(freeboard).collect();
        let dry = Footprint { cells: toe.iter().copied().filter(|at| !is_river(at)).collect(), on_crest_m: None };
        let rung = |member: &&Flooding| Rung::of(&dry, member, ground);
        let toe =
            (!dry.cells.is_empty()).then(|| Ladder::of(members.iter().map(rung).collect(), f64::from(WET_CM) / 100.0));
        Self { place: line.place.clone(), is_levee, toe, freeboard }
    }

    fn freeboard_m(&self, q_m3s: f64) -> Option<f64> {
        let (lowest, highest) = (self.freeboard.first()?, self.freeboard.last()?);
        super::mirror::straight(&self.freeboard, q_m3s.clamp(lowest.0, highest.0)).or(Some(lowest.1))
    }
}

impl MirrorTable {
    fn knows_every_toe(&self) -> bool {
        let mut levee = self.levee.iter().filter(|row| row.is_levee).peekable();
        self.levee_is_whole && levee.peek().is_some() && levee.all(|row| row.toe.is_some())
    }
}

impl Mirrored {
    /// Depth at the toe of the segments that the water has reached, m.
    pub fn toe_m(&self, now: Timestamp) -> PlaceValues {
        let wet = |row: &&LeveeRow| self.toes.get(&row.place).is_some_and(|toe| toe.is_there(now));
        let depth = |row: &LeveeRow| Some((row.place.clone(), self.depth_m(row.toe.as_ref()?, now)));
        let at = self.table.levee.iter().filter(wet).filter_map(depth).collect();
        PlaceValues { at, is_whole: self.table.knows_every_toe() }
    }

    /// Hours until water is at the toe of the segments where it is or comes, 0 where it is.
    pub fn toe_h(&self, now: Timestamp) -> PlaceValues {
        let hours = |coming: &Coming| coming.at.map_or(0.0, |at| hours_until(at, now));
        let at = self.toes.iter().map(|(place, coming)| (place.clone(), hours(coming))).collect();
        PlaceValues { at, is_whole: self.table.knows_every_toe() }
    }

    /// Depth in the villages that the water has reached, m.
    pub fn village_m(&self, now: Timestamp) -> PlaceValues {
        let wet = |place: &&PlaceId| self.places.get(*place).is_some_and(|coming| coming.is_there(now));
        let depth = |place: &PlaceId| Some((place.clone(), self.depth_m(self.table.ladder(place)?, now)));
        let at = self.table.villages.iter().filter(wet).filter_map(depth).collect();
        let villages = &self.table.villages;
        PlaceValues { at, is_whole: !villages.is_empty() && villages.iter().all(|place| self.table.knows(place)) }
    }

    /// Smallest freeboard of levee, and of works against their own crest, from now to a moment, m; `None` where the forecast does
    /// not reach so far.
    pub fn freeboard_m(&self, now: Timestamp, until: Timestamp, works: bool) -> Option<PlaceValues> {
        let highest = self.highest_m3s(now, until)?;
        let rows = || self.table.levee.iter().filter(|row| row.is_levee || works);
        let at: BTreeMap<_, _> =
            rows().filter_map(|row| Some((row.place.clone(), row.freeboard_m(highest)?))).collect();
        let is_whole = self.table.levee_is_whole && !at.is_empty() && at.len() == rows().count();
        Some(PlaceValues { at, is_whole })
    }

    /// Depth at a place where the river's water is, for the discharge of that moment, m; `None` where the model has no place of
    /// that name, and where a breach brings the water.
    pub fn depth_now_m(&self, place: &PlaceId, now: Timestamp) -> Option<f64> {
        self.places.get(place).filter(|coming| coming.threshold_m3s.is_some() && coming.is_there(now))?;
        Some(self.depth_m(self.table.ladder(place)?, now))
    }

    /// The last moment of the forecast; `None` without one.
    pub fn forecast_until(&self) -> Option<Timestamp> {
        self.forecast_at.and(self.ahead.last()).map(|(at, _)| *at)
    }

    /// Depth that goes with the discharge of that moment where there is water, m.
    fn depth_m(&self, ladder: &Ladder, now: Timestamp) -> f64 {
        ladder.depth_m(self.m3s_at(now)).max(ladder.bound_m)
    }

    fn m3s_at(&self, moment: Timestamp) -> f64 {
        let after = self.ahead.partition_point(|(at, _)| *at <= moment);
        let Some((from, low)) = self.ahead.get(after.saturating_sub(1)) else { return self.present_m3s() };
        let Some((to, high)) = self.ahead.get(after).filter(|(to, _)| to > from && moment > *from) else { return *low };
        low + (high - low) * (moment - *from).num_milliseconds() as f64 / (*to - *from).num_milliseconds() as f64
    }

    fn highest_m3s(&self, from: Timestamp, until: Timestamp) -> Option<f64> {
        self.forecast_until().filter(|last| *last + SHORT >= until)?;
        let inside = self.ahead.iter().filter(|(at, _)| (from..=until).contains(at)).map(|(_, q)| *q);
        inside.chain([self.m3s_at(from), self.m3s_at(until)]).reduce(f64::max)
    }
}

/// Hours from now to a moment, 0 where that is past.
pub(super) fn hours_until(at: Timestamp, now: Timestamp) -> f64 {
    (at - now).num_seconds().max(0) as f64 / 3600.0
}
