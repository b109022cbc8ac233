//! A level comes into force; drafts become orders.

use super::core::Desk;
use super::{Actor, Fact, Refused, Severity, Signature, Task, WithdrawReason, Words};
use crate::model::{ActivationId, FactSeq, InstructionCode, PlaceId, TaskId, TaskStatus, WarningLevel};
use crate::playbook::{Phase, Snapshot};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// 响应降级, as the trigger language names it.
const DOWNGRADED: &str = "downgrade";
/// 响应终止, as the trigger language names it.
const ENDED: &str = "response_ended";

/// Signals older than this are no word on the water of the moment: the next evaluation then draws the consequences.
const WATER_HOLDS: TimeDelta = TimeDelta::minutes(10);

impl Desk<'_> {
    /// Sets the level, gives the orders that follow from it and releases the drafts up to that level under the same
    /// signature; what belongs to a higher colour waits for a signature of its own.
    ///
    /// With a discharge to prepare for, rows that it alone makes true fire before the release; no higher discharge than
    /// the asker saw in the preview is ever assumed. With the water of the moment its consequences belong to the same step and
    /// count for the request: what only a greater discharge called for ends, and the rows of the way down that this level
    /// calls for go out under the two signatures.
    pub(super) fn put_in_force(
        &mut self,
        level: WarningLevel,
        activation: Option<ActivationId>,
        prepare_for_m3s: Option<f64>,
        water: Option<&Snapshot>,
    ) {
        let from = self.state.in_force;
        if self.state.event.is_none() && level > WarningLevel::None {
            self.begin_event();
        }
        if level != from || activation.is_none() || prepare_for_m3s != self.state.prepare_for_m3s {
            self.record(Fact::LevelSet { from, to: level, activation, prepare_for_m3s });
        }
        if level < from {
            self.stand_down(level);
        } else if level > from {
            self.go_up(from);
        }
        if let Some(q_m3s) = prepare_for_m3s {
            let keys = self.core.playbook.signals();
            let prepared = Snapshot::at_discharge(self.now, q_m3s, Some((0.0, q_m3s)), &keys);
            self.prepare_rows(&prepared);
        }
        if let Some(water) = water.filter(|water| self.now - water.at <= WATER_HOLDS) {
            self.judge_water(water, &[]);
        }
        let playbook = Arc::clone(&self.core.playbook);
        // What a stricter row of this release replaces does not go out beside it.
        self.settle_tasks(&playbook, activation.map(|_| level));
        if let Some(activation) = activation {
            let drafts: Vec<_> = self.state.drafts_up_to(level, &playbook).map(|task| task.id).collect();
            for task in drafts {
                self.issue(task, Signature::Activation { activation });
            }
        }
        self.issue_unsigned();
    }

    /// On the way up again: what the lowering ordered holds no longer, or it would call people home beside the orders of
    /// the higher level and again at the next lowering.
    fn go_up(&mut self, from: WarningLevel) {
        if self.state.lowering {
            self.record(Fact::Lowering { on: false });
        }
        for name in [DOWNGRADED, ENDED] {
            if self.state.orders.iter().any(|order| order.name == name && order.place.is_none()) {
                self.record(Fact::OrderLifted { name: name.to_owned(), place: None, by: None });
            }
        }
        self.end_way_down();
        self.begin_anew(from);
    }

    /// Ends the rows of the way down, with the tasks that they gave; the next lowering begins them anew.
    fn end_way_down(&mut self) {
        let mut over: BTreeMap<InstructionCode, (Vec<PlaceId>, Vec<TaskId>)> = BTreeMap::new();
        for ((code, place, hazard), firing) in &self.state.firings {
            let is_way_down = self.core.playbook.instruction(code).is_some_and(|row| row.phase == Phase::Withdraw);
            if is_way_down && hazard.is_none() {
                let (places, tasks) = over.entry(code.clone()).or_default();
                places.push(place.clone());
                tasks.extend(firing.task.filter(|task| self.state.tasks.get(task).is_some_and(Task::is_live)));
            }
        }
        for (code, (places, tasks)) in over {
            for task in tasks {
                self.record(Fact::Withdrawn { task, reason: WithdrawReason::RaisedAgain });
            }
            self.record(Fact::Rearmed { code, places, hazard: None });
        }
    }

    /// What a lowering or headquarters took back in this event is asked anew on the way up, and so is what was done for a
    /// level that had ended since: a row that still holds fires again, and with it comes a new order; one that has become safe or
    /// has ended may fire again for the discharge that is now prepared for.
    fn begin_anew(&mut self, from: WarningLevel) {
        let mut over: BTreeMap<(InstructionCode, FactSeq), (Vec<PlaceId>, Vec<PlaceId>)> = BTreeMap::new();
        for ((code, place, hazard), firing) in &self.state.firings {
            let task = firing.task.and_then(|task| self.state.tasks.get(&task));
            let Some((task, row)) = task.zip(self.core.playbook.instruction(code)) else { continue };
            // Signed beforehand for a level that never came, it is done; signed under its level, it was for that time.
            let was_for_ended_level = !task.is_live() && row.level() > from && task.level >= row.level();
            let is_over = task.status == TaskStatus::Withdrawn || was_for_ended_level;
            if !is_over || !row.is_of_flood() || hazard.is_some() {
                continue;
            }
            let (all, holding) = over.entry((code.clone(), firing.fact)).or_default();
            all.push(place.clone());
            if firing.safe_since.is_none() && !firing.stopped {
                holding.push(place.clone());
            }
        }
        for ((code, fact), (places, holding)) in over {
            self.record(Fact::Rearmed { code: code.clone(), places, hazard: None });
            if holding.is_empty() {
                continue;
            }
            let why = self.state.fired_because.get(&fact).cloned();
            let (because, readings) = why.map_or_else(Default::default, |why| (why.because, why.readings));
            self.record(Fact::Fired { code, places: holding, because, readings, hazard: None });
        }
    }

    /// On the way down: the order that the withdrawal rows wait for, and an end to tasks above the new level.
    fn stand_down(&mut self, level: WarningLevel) {
        if !self.state.lowering {
            self.record(Fact::Lowering { on: true });
        }
        let name = if level == WarningLevel::None { ENDED } else { DOWNGRADED };
        if !self.state.orders.iter().any(|order| order.name == name && order.place.is_none()) {
            self.record(Fact::Ordered { name: name.to_owned(), place: None, by: None });
        }
        let above: Vec<_> = self
            .state
            .tasks
            .values()
            .filter(|task| task.is_live())
            .filter_map(|task| Some((task.id, self.core.playbook.instruction(&task.code)?)))
            .filter(|(_, row)| row.is_of_flood() && row.level() > level)
            .map(|(task, _)| task)
            .collect();
        for task in above {
            self.record(Fact::Withdrawn { task, reason: WithdrawReason::StoodDown });
        }
    }

    /// The draft is an order from now on, with its deadline; a repeated one begins its first round.
    pub(super) fn issue(&mut self, task: TaskId, signature: Signature) {
        let Some((deadline_min, repeat_min)) = self.instruction(task).map(|row| (row.deadline_min, row.repeat_min))
        else {
            return;
        };
        let level = self.state.in_force;
        let to = self.state.tasks.get(&task).and_then(|task| task.holder.clone());
        let due_at = self.now + TimeDelta::minutes(i64::from(deadline_min));
        self.record(Fact::Issued { task, to, level, signature, due_at });
        if let Some(minutes) = repeat_min {
            let due_at = self.now + TimeDelta::minutes(i64::from(minutes));
            self.record(Fact::RoundDue { task, round: 1, due_at, missed: false });
        }
    }

    pub(super) fn sign(&mut self, by: &Actor, codes: &[InstructionCode]) -> Result<(), Refused> {
        let mut signed = BTreeSet::new();
        // A code that is named twice is one signature.
        for code in codes.iter().collect::<BTreeSet<_>>() {
            let row = self.core.playbook.instruction(code).ok_or_else(|| Refused::NothingToSign(code.clone()))?;
            if !by.is_headquarters() || !by.may_sign(row.authority) {
                return Err(Refused::NotSignable { code: code.clone(), authority: row.authority });
            }
            if row.level() > self.state.in_force {
                return Err(Refused::BadField {
                    field: "codes",
                    problem: format!("{code} 属于{}，须先由两人启动该级响应", row.level().name_zh()),
                });
            }
            let of_row: Vec<_> = self.state.drafts().filter(|task| &task.code == code).map(|task| task.id).collect();
            if of_row.is_empty() {
                return Err(Refused::NothingToSign(code.clone()));
            }
            signed.extend(of_row);
        }
        for task in signed {
            self.issue(task, Signature::Officer { by: by.clone() });
        }
        Ok(())
    }

    pub(super) fn raise(&mut self, alarm: String, severity: Severity, zh: String, en: String) {
        self.record(Fact::AlarmRaised { alarm, severity, title: Words { zh, en } });
    }
}
