//! One situation against every row.
//!
//! In: what is sensed, what the command has established, the reach. Out: a verdict a row, and one more for every place
//! where the row stands otherwise than in the reach at large. It fires nothing: latching, re-arming and repeating are
//! the command's.
//!
//! How a local value reaches a place: its own value; else the worst of what is part of it (stones and dams of a work);
//! else the value of what it is part of; else the worst of the places that overlap its chainage; else the value for the
//! whole reach; for places away from the levee line (a community, a shelter, the town) the worst of all. Rows of scope
//! `hq` and `all` take the worst of all. What is then still missing is unknown.

use super::compiled::{Compiled, CompiledRow, Frame, HazardSeen, Known, Threshold};
use super::edition::Playbook;
use super::instruction::Phase;
use super::local::LocalValues;
use super::signal::{Answered, INTRUSION_NOTICE, SignalKey};
use super::snapshot::Snapshot;
use super::truth::Truth;
use crate::model::{Hazard, OrderGiven, PlaceId, Reach, ReportId, Standing};
use std::collections::BTreeMap;

/// What one hazard by itself makes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// The report that told of the hazard.
    pub report: ReportId,
    /// Whether the row fires for it; never false.
    pub truth: Truth,
    /// Whether its repetition ends for it.
    pub stop: Truth,
}

/// How one row stands, for the reach at large or at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Number of the row.
    pub row: usize,
    /// `None`: holds alike for every place of the row's scope that has no verdict of its own.
    pub place: Option<PlaceId>,
    /// Whether the row fires, phase included.
    pub truth: Truth,
    /// Whether it fires without any hazard.
    pub alone: Truth,
    /// The hazards that it answers, each by itself.
    pub causes: Vec<Cause>,
    /// The same with every threshold 10 % on the safe side: while this is not false, the row does not re-arm.
    pub still: Truth,
    /// Whether its repetition ends (`stop_when`); false where the row has none.
    pub stop: Truth,
    /// The signals that keep `truth` unknown.
    pub unknown: Vec<String>,
}

/// Whether the absence of an order or a hazard is knowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum World {
    /// Live: what the command has not established is not so.
    Closed,
    /// A preview: it may still come.
    Open,
}

impl Playbook {
    /// Judges every row. Verdicts come in the order of rows, a row's own verdict (place `None`) before those of places.
    pub fn evaluate(&self, snapshot: &Snapshot, standing: &Standing, reach: &Reach) -> Vec<Verdict> {
        Situation::new(self, snapshot, standing, reach, World::Closed).verdicts()
    }
    /// Only whether each row fires in the reach at large, by row: the shortest way through all conditions.
    pub fn truths(&self, snapshot: &Snapshot, standing: &Standing) -> Vec<Truth> {
        let nowhere = Reach::default();
        let situation = Situation::new(self, snapshot, standing, &nowhere, World::Closed);
        self.parts().rows.iter().map(|row| situation.truth(row, situation.frame_of(row))).collect()
    }
}

pub(super) struct Situation<'a> {
    playbook: &'a Playbook,
    standing: &'a Standing,
    reach: &'a Reach,
    world: World,
    /// For rows that belong to places: reach-wide values only.
    base: Frame,
    /// For rows of the headquarters: the worst of the local values where there is no reach-wide one.
    wide: Frame,
    /// Slots with values or orders of single places.
    local: BTreeMap<usize, LocalValues>,
    /// Nothing is known: what a hazard then makes true, it makes true by itself.
    nothing: Frame,
}

#[derive(PartialEq)]
struct Judged {
    truth: Truth,
    alone: Truth,
    causes: Vec<Cause>,
    still: Truth,
    stop: Truth,
}

impl<'a> Situation<'a> {
    pub fn new(
        playbook: &'a Playbook,
        snapshot: &Snapshot,
        standing: &'a Standing,
        reach: &'a Reach,
        world: World,
    ) -> Self {
        let keys = playbook.parts().slots.keys();
        let nothing = vec![Known::NOTHING; keys.len()];
        let (mut base, mut wide) = (nothing.clone(), nothing.clone());
        let mut local = BTreeMap::new();
        let mut sensed = snapshot.values.iter().peekable();
        for (slot, ((key, at_large), widest)) in keys.iter().zip(&mut base).zip(&mut wide).enumerate() {
            if key.spec().is_some_and(|spec| spec.answered == Answered::Standing) {
                *at_large = Known::maybe(at_large_answer(key, standing, world));
                *widest = *at_large;
                if key.name() == "order"
                    && let Some(orders) = placed_orders(key.word().unwrap_or(""), standing)
                {
                    *widest = Known::number(1.0);
                    local.insert(slot, LocalValues::orders(orders, reach));
                }
                continue;
            }
            while sensed.next_if(|(other, _)| *other < key).is_some() {}
            if let Some((_, found)) = sensed.next_if(|(other, _)| *other == key) {
                *at_large = Known { at_least: found.at_least, ..Known::maybe(found.all) };
                *widest = *at_large;
                if !found.at.is_empty() {
                    let values = LocalValues::sensed(key, &found.at, reach);
                    *widest = widest.worse_with(values.worst_of_all(), key);
                    local.insert(slot, values);
                }
            }
            if key.name() == "intrusion" && has_order(standing, INTRUSION_NOTICE) {
                (*at_large, *widest) = (Known::number(1.0), Known::number(1.0));
            }
        }
        Self { playbook, standing, reach, world, base, wide, local, nothing }
    }

    fn frame_of(&self, row: &CompiledRow) -> &Frame {
        if row.is_wide { &self.wide } else { &self.base }
    }

    pub fn verdicts(&self) -> Vec<Verdict> {
        let parts = self.playbook.parts();
        let mut verdicts = Vec::with_capacity(parts.rows.len());
        let mut places = PlaceFrames { situation: self, frames: vec![None; self.reach.places().len()] };
        for (number, (row, instruction)) in parts.rows.iter().zip(&parts.instructions).enumerate() {
            let frame = self.frame_of(row);
            let hazards = self.hazards_at_large(row);
            let at_large = self.judge(row, frame, &hazards);
            if row.is_wide || !self.is_local(row) {
                verdicts.push(self.verdict(number, row, frame, &hazards, at_large, None));
                continue;
            }
            let mut local = Vec::new();
            let scope = &instruction.scope;
            for (place, at) in self.reach.places_of_scope(scope).iter().zip(self.reach.numbers_of_scope(scope)) {
                let frame = places.of(*at, row);
                let hazards = self.hazards_at(row, scope, place);
                let here = self.judge(row, frame, &hazards);
                if here != at_large {
                    local.push(self.verdict(number, row, frame, &hazards, here, Some(place.clone())));
                }
            }
            verdicts.push(self.verdict(number, row, self.frame_of(row), &hazards, at_large, None));
            verdicts.append(&mut local);
        }
        verdicts
    }

    fn is_local(&self, row: &CompiledRow) -> bool {
        let asks_hazard = row.trigger.asks_hazard || row.stop.as_ref().is_some_and(|stop| stop.asks_hazard);
        (asks_hazard && !self.standing.hazards.is_empty()) || row.slots.iter().any(|slot| self.local.contains_key(slot))
    }

    fn verdict(
        &self,
        number: usize,
        row: &CompiledRow,
        frame: &Frame,
        hazards: &[&Hazard],
        judged: Judged,
        place: Option<PlaceId>,
    ) -> Verdict {
        let mut unknown = Vec::new();
        if judged.truth.is_unknown() {
            for hazard in self.seen(&row.trigger, hazards) {
                row.trigger.unknown(frame, hazard, &self.playbook.parts().slots, &mut unknown);
            }
            unknown.sort();
            unknown.dedup();
        }
        let Judged { truth, alone, causes, still, stop } = judged;
        Verdict { row: number, place, truth, alone, causes, still, stop, unknown }
    }

    fn allows(&self, phase: Phase) -> bool {
        match phase {
            Phase::Prepare => !self.standing.event_open,
            Phase::Alert | Phase::Respond => true,
            Phase::Withdraw => self.standing.event_open && self.standing.lowering,
        }
    }

    fn truth(&self, row: &CompiledRow, frame: &Frame) -> Truth {
        if !self.allows(row.phase) {
            return Truth::False;
        }
        self.any_hazard(&row.trigger, frame, &self.hazards_at_large(row), Threshold::Fire)
    }

    fn judge(&self, row: &CompiledRow, frame: &Frame, hazards: &[&Hazard]) -> Judged {
        let (truth, still) = if self.allows(row.phase) {
            let truth = self.any_hazard(&row.trigger, frame, hazards, Threshold::Fire);
            // A threshold on the safe side is weaker, so what is true stays true.
            let still =
                if truth.is_true() { truth } else { self.any_hazard(&row.trigger, frame, hazards, Threshold::Rearm) };
            (truth, still)
        } else {
            (Truth::False, Truth::False)
        };
        let stop = row.stop.as_ref().map_or(Truth::False, |stop| self.stopped(row, stop, frame, hazards));
        if !row.trigger.asks_hazard || truth == Truth::False {
            return Judged { truth, alone: truth, causes: Vec::new(), still, stop };
        }
        let alone = row.trigger.truth(frame, HazardSeen::None, Threshold::Fire);
        let causes = self.causes(row, frame, hazards, alone);
        Judged { truth, alone, causes, still, stop }
    }

    /// The hazards that the row answers: without them it would not hold, or they make it hold whatever else is so.
    fn causes(&self, row: &CompiledRow, frame: &Frame, hazards: &[&Hazard], alone: Truth) -> Vec<Cause> {
        let ground = if alone.is_true() { &self.nothing } else { frame };
        let cause = |seen| {
            let HazardSeen::This(hazard) = seen else { return None };
            let truth = row.trigger.truth(ground, seen, Threshold::Fire);
            let counts = if alone.is_true() { truth.is_true() } else { truth != alone };
            let stop = row.stop.as_ref().map_or(Truth::False, |stop| stop.truth(frame, seen, Threshold::Fire));
            counts.then_some(Cause { report: hazard.report, truth, stop })
        };
        self.seen(&row.trigger, hazards).into_iter().filter_map(cause).collect()
    }

    /// True when the condition holds for at least one hazard, each taken by itself, or without any.
    fn any_hazard(&self, condition: &Compiled, frame: &Frame, hazards: &[&Hazard], threshold: Threshold) -> Truth {
        if !condition.asks_hazard {
            return condition.truth(frame, HazardSeen::None, threshold);
        }
        let answers = self.seen(condition, hazards).into_iter().map(|seen| condition.truth(frame, seen, threshold));
        answers.fold(Truth::False, Truth::or)
    }

    /// What a condition sees of the hazards: those still open, the closed ones too where it asks for them, and always
    /// the possibility that there is none (live) or may yet be one (preview).
    fn seen<'h>(&self, condition: &Compiled, hazards: &[&'h Hazard]) -> Vec<HazardSeen<'h>> {
        let mut seen = vec![if self.world == World::Open { HazardSeen::Open } else { HazardSeen::None }];
        if condition.asks_hazard {
            let counts = |hazard: &&&Hazard| {
                (!hazard.resolved || condition.sees_resolved) && (!hazard.false_alarm || condition.sees_false_alarm)
            };
            seen.extend(hazards.iter().filter(counts).map(|hazard| HazardSeen::This(hazard)));
        }
        seen
    }

    /// A stop that asks for hazards holds when every hazard that the row answers has reached it.
    fn stopped(&self, row: &CompiledRow, stop: &Compiled, frame: &Frame, hazards: &[&Hazard]) -> Truth {
        if !stop.asks_hazard {
            return stop.truth(frame, HazardSeen::None, Threshold::Fire);
        }
        let of_row = |hazard: &&&Hazard| {
            let seen = HazardSeen::This(hazard);
            !hazard.false_alarm && row.trigger.truth(frame, seen, Threshold::Fire) != Truth::False
        };
        let mut answered = hazards.iter().filter(of_row).peekable();
        if answered.peek().is_none() {
            return stop.truth(
                frame,
                if self.world == World::Open { HazardSeen::Open } else { HazardSeen::None },
                Threshold::Fire,
            );
        }
        let all = answered.map(|hazard| stop.truth(frame, HazardSeen::This(hazard), Threshold::Fire));
        all.fold(Truth::True, Truth::and)
    }

    fn hazards_at_large(&self, row: &CompiledRow) -> Vec<&'a Hazard> {
        if self.standing.hazards.is_empty() {
            return Vec::new();
        }
        self.standing.hazards.iter().filter(|hazard| row.is_wide || hazard.places.is_empty()).collect()
    }

    fn hazards_at(&self, row: &CompiledRow, scope: &str, place: &PlaceId) -> Vec<&'a Hazard> {
        let asks = row.trigger.asks_hazard || row.stop.as_ref().is_some_and(|stop| stop.asks_hazard);
        if !asks {
            return Vec::new();
        }
        self.standing.hazards.iter().filter(|hazard| super::local::touches(hazard, scope, place, self.reach)).collect()
    }
}

/// Frames of places, built once a situation, by the numbers of the places.
struct PlaceFrames<'s, 'a> {
    situation: &'s Situation<'a>,
    frames: Vec<Option<Frame>>,
}

impl PlaceFrames<'_, '_> {
    fn of(&mut self, number: usize, row: &CompiledRow) -> &Frame {
        let situation = self.situation;
        if !row.slots.iter().any(|slot| situation.local.contains_key(slot)) {
            return &situation.base;
        }
        let Some(cell) = self.frames.get_mut(number) else { return &situation.base };
        cell.get_or_insert_with(|| {
            let mut frame = situation.base.clone();
            for (slot, values) in &situation.local {
                if let Some(value) = values.at(number, situation.reach)
                    && let Some(cell) = frame.get_mut(*slot)
                {
                    *cell = Known::number(value);
                }
            }
            frame
        })
    }
}

fn at_large_answer(key: &SignalKey, standing: &Standing, world: World) -> Option<f64> {
    let word = key.word().unwrap_or("");
    match key.name() {
        "level" => Some(f64::from(u8::from(standing.in_force.roman() == word))),
        "order" if has_order(standing, word) => Some(1.0),
        "order" if world == World::Open => None,
        _ => Some(0.0),
    }
}

fn has_order(standing: &Standing, name: &str) -> bool {
    standing.orders.iter().any(|order| order.place.is_none() && order.name == name)
}

fn placed_orders<'a>(name: &str, standing: &'a Standing) -> Option<Vec<&'a PlaceId>> {
    let at = |order: &'a OrderGiven| (order.name == name).then_some(order.place.as_ref()).flatten();
    let places: Vec<&PlaceId> = standing.orders.iter().filter_map(at).collect();
    (!places.is_empty()).then_some(places)
}
