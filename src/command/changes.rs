//! What one evaluation changes for the firings of a row: which begin, are safe, end, or are over.
//!
//! In: the verdicts of the playbook and what has fired so far. Out: a [`RowChange`]; the facts are written elsewhere.

use super::Firing;
use super::core::Desk;
use super::evaluate::PREPARED;
use crate::model::{InstructionCode, PlaceId, ReportId, TaskStatus, WarningLevel};
use crate::playbook::{Instruction, Truth, Verdict};
use std::collections::BTreeMap;

/// A firing of one row, with its place and the hazard that it answers.
pub(super) type FiredAt<'a> = (&'a PlaceId, Option<ReportId>, &'a Firing);

/// Places, by the hazard that the row answers there.
pub(super) type Places = BTreeMap<Option<ReportId>, Vec<PlaceId>>;

/// What one evaluation changes for one row.
#[derive(Default)]
pub(super) struct RowChange {
    pub(super) fired: Places,
    pub(super) safe: Vec<PlaceId>,
    pub(super) unsafe_again: Vec<PlaceId>,
    pub(super) rearmed: Places,
    pub(super) stopped: Places,
    pub(super) resumed: Places,
}

fn note(places: &mut Places, hazard: Option<ReportId>, place: &PlaceId) {
    places.entry(hazard).or_default().push(place.clone());
}

impl RowChange {
    /// Of an assumed discharge: it may add orders, it never takes one back.
    pub(super) fn added_only(self) -> Self {
        Self { fired: self.fired, unsafe_again: self.unsafe_again, resumed: self.resumed, ..Self::default() }
    }
}

impl Desk<'_> {
    /// What has fired, row by row, each in the order of places: asked once an evaluation, not once a place.
    pub(super) fn firings_by_row(&self) -> BTreeMap<&InstructionCode, Vec<FiredAt<'_>>> {
        let mut rows: BTreeMap<&InstructionCode, Vec<FiredAt<'_>>> = BTreeMap::new();
        let all: Vec<_> = self.state.firings.iter().collect();
        for of_row in all.chunk_by(|((one, ..), _), ((next, ..), _)| one == next) {
            if let Some(((code, ..), _)) = of_row.first() {
                rows.insert(
                    code,
                    of_row.iter().map(|((_, place, hazard), firing)| (place, *hazard, *firing)).collect(),
                );
            }
        }
        rows
    }

    pub(super) fn changes_of(&self, row: &Instruction, verdicts: &[Verdict], fired: &[FiredAt<'_>]) -> RowChange {
        let everywhere = verdicts.iter().find(|verdict| verdict.place.is_none());
        let mut change = RowChange::default();
        if fired.is_empty() && verdicts.iter().all(|verdict| verdict.truth != Truth::True) {
            return change;
        }
        let is_for_all = row.scope == "all";
        // Verdicts of places and firings stand in the order of the places themselves.
        let mut local = verdicts.iter().filter_map(|verdict| Some((verdict.place.as_ref()?, verdict))).peekable();
        let mut fired = fired.iter().copied().peekable();
        for place in self.core.reach.places_of_scope(&row.scope) {
            let own = local.next_if(|(at, _)| *at == place).map(|(_, verdict)| verdict);
            while fired.next_if(|(at, ..)| *at < place).is_some() {}
            let mut here = Vec::new();
            while let Some((_, hazard, firing)) = fired.next_if(|(at, ..)| *at == place) {
                here.push((hazard, firing));
            }
            let Some(verdict) = own.or(everywhere) else { continue };
            let elsewhere = |report| is_for_all && self.place_among_all(row, report).is_some_and(|only| only != place);
            fires_at(verdict, place, &here, elsewhere, &mut change);
            for (hazard, firing) in here {
                self.latched_at(&Standpoint::of(verdict, hazard), (place, hazard, firing), &mut change);
            }
        }
        change
    }

    /// The one place of a row for everybody where a report calls for it: the nearest to where it was told first. A
    /// later position of a caller does not call others.
    fn place_among_all(&self, row: &Instruction, report: ReportId) -> Option<&PlaceId> {
        let report = self.state.reports.get(&report)?;
        let touched = report.places.iter().find_map(|id| self.core.reach.place(id)).map(|at| (at.lon, at.lat));
        let at_hq = || {
            let hq = self.core.reach.places_of_scope("hq").first().and_then(|id| self.core.reach.place(id));
            hq.map(|at| (at.lon, at.lat))
        };
        let (lon, lat) = touched.or_else(at_hq)?;
        self.core.reach.nearest_of(self.core.reach.places_of_scope(&row.scope), lon, lat).map(|(place, _)| &place.id)
    }

    /// What becomes of a row that has fired at a place: it is over, safe, ended, or goes on.
    fn latched_at(&self, now: &Standpoint, fired: FiredAt<'_>, change: &mut RowChange) {
        let (place, hazard, firing) = fired;
        let ended = self.state.in_force == WarningLevel::None && self.state.lowering;
        // What is done waits its time as for measured water: a discharge that is corrected down and soon up again asks nobody
        // for the same work twice.
        let is_no_longer_assumed = hazard.is_none() && self.is_no_longer_assumed(firing) && !self.is_done(firing);
        let over = match now.truth {
            Truth::True => false,
            // What was assumed holds no row by being unknown, nor by having wavered: it never was there.
            _ if is_no_longer_assumed => true,
            Truth::False => hazard.is_some() || now.still == Truth::False || (ended && now.still != Truth::True),
            // What nobody measures holds a row until two people have ended the response, not for ever.
            Truth::Unknown => ended && now.still != Truth::True,
        };
        let rearm = chrono::TimeDelta::seconds(i64::from(self.state.settings.rearm_after_s));
        match (over, firing.safe_since) {
            // A settled hazard is over at once, and so is what people assumed and assume no longer; what wavers about a
            // threshold waits.
            (true, _) if hazard.is_some() || is_no_longer_assumed => {
                note(&mut change.rearmed, hazard, place);
            }
            (true, None) => change.safe.push(place.clone()),
            (true, Some(since)) if self.now - since >= rearm => note(&mut change.rearmed, hazard, place),
            (false, Some(_)) if now.still == Truth::True => change.unsafe_again.push(place.clone()),
            _ => {}
        }
        match (now.stop, firing.stopped) {
            (Truth::True, false) => note(&mut change.stopped, hazard, place),
            // Only the trigger itself begins the rounds anew: a value that wavers about the end does not.
            (Truth::False, true) if now.truth == Truth::True => note(&mut change.resumed, hazard, place),
            _ => {}
        }
    }

    /// Whether what the row asked for is done.
    fn is_done(&self, firing: &Firing) -> bool {
        let task = firing.task.and_then(|task| self.state.tasks.get(&task));
        task.is_some_and(|task| matches!(task.status, TaskStatus::Done | TaskStatus::Verified))
    }

    /// Whether the row fired for a greater discharge than the one that is prepared for now.
    pub(super) fn is_no_longer_assumed(&self, firing: &Firing) -> bool {
        let Some(why) = self.state.fired_because.get(&firing.fact) else { return false };
        let assumed = why.because.iter().find(|sensed| sensed.signal == PREPARED);
        assumed.is_some_and(|assumed| self.state.prepare_for_m3s.is_none_or(|now| now < assumed.value))
    }
}

/// How a row stands for one of its causes at a place: a hazard, or all that is no hazard.
struct Standpoint {
    truth: Truth,
    still: Truth,
    stop: Truth,
}

impl Standpoint {
    fn of(verdict: &Verdict, hazard: Option<ReportId>) -> Self {
        let Some(report) = hazard else {
            return Self { truth: verdict.alone, still: verdict.still, stop: verdict.stop };
        };
        match verdict.causes.iter().find(|cause| cause.report == report) {
            Some(cause) => Self { truth: cause.truth, still: cause.truth, stop: cause.stop },
            None => Self { truth: Truth::False, still: Truth::False, stop: Truth::False },
        }
    }
}

/// Every hazard fires by itself; what is no hazard fires only where none has fired: one matter, one task.
fn fires_at(
    verdict: &Verdict,
    place: &PlaceId,
    here: &[(Option<ReportId>, &Firing)],
    belongs_elsewhere: impl Fn(ReportId) -> bool,
    change: &mut RowChange,
) {
    let fires = |truth, stop| truth == Truth::True && stop != Truth::True;
    let mut is_answered = !here.is_empty();
    for cause in verdict.causes.iter().filter(|cause| fires(cause.truth, cause.stop)) {
        is_answered = true;
        if !belongs_elsewhere(cause.report) && !here.iter().any(|(hazard, _)| *hazard == Some(cause.report)) {
            note(&mut change.fired, Some(cause.report), place);
        }
    }
    if !is_answered && fires(verdict.alone, verdict.stop) {
        note(&mut change.fired, None, place);
    }
}
