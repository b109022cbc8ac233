//! From signals to fired rows, drafts and withdrawals.

use super::core::Desk;
use super::{Fact, Firing, ReadingRef, Sensed, Signature, WithdrawReason, Words};
use crate::model::{Authority, EventId, InstructionCode, PlaceId, TaskId, TaskStatus, WarningLevel};
use crate::playbook::{Instruction, Phase, Playbook, Snapshot, Truth, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How the discharge that was set by decision is named among the signals.
pub(super) const PREPARED: &str = "设定流量";

/// A firing of one row, with its place.
type FiredAt<'a> = (&'a PlaceId, &'a Firing);

/// What one evaluation changes for one row, by place.
#[derive(Default)]
struct RowChange {
    fired: Vec<PlaceId>,
    safe: Vec<PlaceId>,
    unsafe_again: Vec<PlaceId>,
    rearmed: Vec<PlaceId>,
    stopped: Vec<PlaceId>,
    resumed: Vec<PlaceId>,
}

impl Desk<'_> {
    pub(super) fn evaluate(&mut self, snapshot: &Snapshot, readings: &[ReadingRef]) {
        self.watch_level(snapshot);
        match self.state.prepare_for_m3s {
            None => self.judge_rows(snapshot, readings),
            Some(q_m3s) => self.judge_rows(&at_least(snapshot, q_m3s), readings),
        }
    }

    /// Fires, re-arms, drafts and withdraws after what the signals say.
    pub(super) fn judge_rows(&mut self, snapshot: &Snapshot, readings: &[ReadingRef]) {
        let playbook = Arc::clone(&self.core.playbook);
        let verdicts = playbook.evaluate(snapshot, &self.state.standing(), &self.core.reach);
        let fired = self.firings_by_row();
        let changes: Vec<_> = verdicts
            .chunk_by(|one, next| one.row == next.row)
            .filter_map(|of_row| {
                let row = playbook.instructions().get(of_row.first()?.row)?;
                let fired = fired.get(&row.code).map_or(&[][..], Vec::as_slice);
                Some((row, self.changes_of(row, of_row, fired)))
            })
            .collect();
        self.open_event(&changes);
        for (row, change) in changes {
            self.record_changes(row, change, snapshot, readings);
        }
        self.settle_tasks(&playbook);
        self.close_event_if_clear(&playbook);
        self.issue_unsigned();
    }

    /// Holds, proposals, and whether the command is on its way down.
    fn watch_level(&mut self, snapshot: &Snapshot) {
        let before = self.state.watch.clone();
        let after = self.core.playbook.levels().observe(&before, self.now, snapshot);
        if after == before {
            return;
        }
        let (from, to) = (before.proposed, after.proposed);
        let reason = self.core.playbook.levels().reason(&after);
        self.record(Fact::LevelWatched { state: after });
        if from != to {
            self.record(Fact::LevelProposed { from, to, reason });
        }
        if self.state.event.is_some() {
            if to < from && to < self.state.in_force && !self.state.lowering {
                self.record(Fact::Lowering { on: true });
            } else if to > from && to >= self.state.in_force && self.state.lowering {
                // The water comes back to the level in force: nobody is on the way down any more.
                self.record(Fact::Lowering { on: false });
            }
        }
    }

    /// What has fired, row by row, each in the order of places: asked once an evaluation, not once a place.
    fn firings_by_row(&self) -> BTreeMap<&InstructionCode, Vec<FiredAt<'_>>> {
        let mut rows: BTreeMap<&InstructionCode, Vec<FiredAt<'_>>> = BTreeMap::new();
        let all: Vec<_> = self.state.firings.iter().collect();
        for of_row in all.chunk_by(|((one, _), _), ((next, _), _)| one == next) {
            if let Some(((code, _), _)) = of_row.first() {
                rows.insert(code, of_row.iter().map(|((_, place), firing)| (place, *firing)).collect());
            }
        }
        rows
    }

    fn changes_of(&self, row: &Instruction, verdicts: &[Verdict], fired: &[FiredAt<'_>]) -> RowChange {
        let everywhere = verdicts.iter().find(|verdict| verdict.place.is_none());
        let mut change = RowChange::default();
        if fired.is_empty() && verdicts.iter().all(|verdict| verdict.truth != Truth::True) {
            return change;
        }
        let ended = self.state.in_force == WarningLevel::None && self.state.lowering;
        // Verdicts of places and firings stand in the order of the places themselves.
        let mut local = verdicts.iter().filter_map(|verdict| Some((verdict.place.as_ref()?, verdict))).peekable();
        let mut fired = fired.iter().peekable();
        for place in self.core.reach.places_of_scope(&row.scope) {
            let own = local.next_if(|(at, _)| *at == place).map(|(_, verdict)| verdict);
            while fired.next_if(|(at, _)| *at < place).is_some() {}
            let firing = fired.next_if(|(at, _)| *at == place).map(|(_, firing)| *firing);
            let Some(verdict) = own.or(everywhere) else { continue };
            let Some(firing) = firing else {
                if verdict.truth == Truth::True && verdict.stop != Truth::True {
                    change.fired.push(place.clone());
                }
                continue;
            };
            let over = match verdict.truth {
                Truth::True => false,
                Truth::False => {
                    row.is_hazard_driven() || verdict.still == Truth::False || (ended && verdict.still != Truth::True)
                }
                // What nobody measures holds a row until two people have ended the response, not for ever.
                Truth::Unknown => ended && verdict.still != Truth::True,
            };
            let rearm = chrono::TimeDelta::seconds(i64::from(self.state.settings.rearm_after_s));
            match (over, firing.safe_since) {
                (true, _) if row.is_hazard_driven() => change.rearmed.push(place.clone()),
                (true, None) => change.safe.push(place.clone()),
                (true, Some(since)) if self.now - since >= rearm => change.rearmed.push(place.clone()),
                (false, Some(_)) if verdict.still == Truth::True => change.unsafe_again.push(place.clone()),
                _ => {}
            }
            match (verdict.stop, firing.stopped) {
                (Truth::True, false) => change.stopped.push(place.clone()),
                // Only the trigger itself begins the rounds anew: a value that wavers about the end does not.
                (Truth::False, true) if verdict.truth == Truth::True => change.resumed.push(place.clone()),
                _ => {}
            }
        }
        change
    }

    /// The first row that is neither preparation nor withdrawal opens the event and pins the edition.
    fn open_event(&mut self, changes: &[(&Instruction, RowChange)]) {
        let begins = |(row, change): &(&Instruction, RowChange)| {
            !change.fired.is_empty() && !matches!(row.phase, Phase::Prepare | Phase::Withdraw)
        };
        if self.state.event.is_none() && changes.iter().any(begins) {
            self.begin_event();
        }
    }

    pub(super) fn begin_event(&mut self) {
        let event = EventId(self.next_seq());
        let edition = self.core.playbook.edition().to_owned();
        self.record(Fact::EventOpened { event, edition });
    }

    fn record_changes(&mut self, row: &Instruction, change: RowChange, snapshot: &Snapshot, readings: &[ReadingRef]) {
        let code = &row.code;
        // A row of the quiet time does not fire in the very step that opens the event.
        let quiet = row.phase == Phase::Prepare && self.state.event.is_some();
        if !change.fired.is_empty() && !quiet {
            let mut because = sensed(row, snapshot, change.fired.first());
            let prepared = self.state.prepare_for_m3s.map(|value| Sensed { signal: PREPARED.to_owned(), value });
            because.extend(prepared);
            self.record(Fact::Fired { code: code.clone(), places: change.fired, because, readings: readings.to_vec() });
        }
        if !change.safe.is_empty() {
            self.record(Fact::SafeSince { code: code.clone(), places: change.safe, since: Some(self.now) });
        }
        if !change.unsafe_again.is_empty() {
            self.record(Fact::SafeSince { code: code.clone(), places: change.unsafe_again, since: None });
        }
        if !change.stopped.is_empty() {
            self.record(Fact::Stopped { code: code.clone(), places: change.stopped, stopped: true });
        }
        if !change.resumed.is_empty() {
            self.record(Fact::Stopped { code: code.clone(), places: change.resumed, stopped: false });
        }
        if !change.rearmed.is_empty() {
            self.rearm(code, change.rearmed);
        }
    }

    /// The row may fire again; what still waits for a signature has lost its cause.
    fn rearm(&mut self, code: &InstructionCode, places: Vec<PlaceId>) {
        let drafts: Vec<_> = places
            .iter()
            .filter_map(|place| self.state.firings.get(&(code.clone(), place.clone()))?.task)
            .filter(|task| self.state.drafts.contains(task))
            .collect();
        for task in drafts {
            self.record(Fact::Withdrawn { task, reason: WithdrawReason::Stopped });
        }
        self.record(Fact::Rearmed { code: code.clone(), places });
    }

    /// Drafts what stands, withdraws what a stronger row replaced or what has reached its end.
    fn settle_tasks(&mut self, playbook: &Playbook) {
        if self.nothing_moved() {
            return;
        }
        let fired: BTreeSet<(usize, PlaceId)> = self
            .state
            .firings
            .iter()
            .filter(|(_, firing)| !firing.stopped)
            .filter_map(|((code, place), _)| Some((playbook.row(code)?, place.clone())))
            .collect();
        let standing = crate::playbook::supersede(&fired, playbook, &self.core.reach);
        let mut to_draft = Vec::new();
        let mut to_withdraw = Vec::new();
        for ((code, place), firing) in &self.state.firings {
            let Some(row) = playbook.row(code) else { continue };
            let stands = standing.contains(&(row, place.clone()));
            match firing.task {
                None if stands => to_draft.push((code.clone(), place.clone())),
                Some(task) if !stands && self.state.tasks.get(&task).is_some_and(|task| task.is_live()) => {
                    let reason = if firing.stopped {
                        WithdrawReason::Stopped
                    } else {
                        WithdrawReason::Superseded { by: self.stronger_than(code).unwrap_or_else(|| code.clone()) }
                    };
                    to_withdraw.push((task, reason));
                }
                _ => {}
            }
        }
        for (task, reason) in to_withdraw {
            self.record(Fact::Withdrawn { task, reason });
        }
        for (code, place) in to_draft {
            self.draft(playbook, &code, place);
        }
    }

    fn stronger_than(&self, code: &InstructionCode) -> Option<InstructionCode> {
        let holds = |row: &&Instruction| {
            row.supersedes.contains(code) && self.state.firings.keys().any(|(fired, _)| fired == &row.code)
        };
        self.core.playbook.instructions().iter().rev().find(holds).map(|row| row.code.clone())
    }

    fn draft(&mut self, playbook: &Playbook, code: &InstructionCode, place: PlaceId) {
        let Some(row) = playbook.instruction(code) else { return };
        let on_duty = self.core.reach.on_duty(&row.role, &place);
        let (owner, deputy) =
            on_duty.map_or((None, None), |(owner, deputy)| (Some(owner.clone()), Some(deputy.clone())));
        if owner.is_none() {
            self.record(Fact::AlarmRaised {
                alarm: format!("unowned:{code}:{place}"),
                severity: super::Severity::Critical,
                title: Words {
                    zh: format!("{code} {}：{place} 无人值守该岗位，请指定责任人", row.title_zh),
                    en: format!("{code} at {place}: nobody is on duty as {}; name someone", row.role),
                },
            });
        }
        let task = TaskId(self.next_seq());
        let (life_safety, retreat) = (row.life_safety, row.retreat);
        self.record(Fact::Drafted { task, code: code.clone(), place, owner, deputy, life_safety, retreat });
    }

    /// Releases drafts that need no signature of their own.
    pub(super) fn issue_unsigned(&mut self) {
        let ready: Vec<_> = self
            .state
            .drafts()
            .filter_map(|task| Some((task.id, self.core.playbook.instruction(&task.code)?)))
            .filter(|(_, row)| self.goes_unsigned(row))
            .map(|(task, _)| task)
            .collect();
        for task in ready {
            self.issue(task, Signature::NotNeeded);
        }
    }

    /// No signature: the row says so, is not part of going down, and its colour is already in force.
    fn goes_unsigned(&self, row: &Instruction) -> bool {
        row.authority == Authority::None && row.phase != Phase::Withdraw && row.level() <= self.state.in_force
    }

    /// All-clear: no level, and no row of the flood is latched any more.
    fn close_event_if_clear(&mut self, playbook: &Playbook) {
        let Some(event) = self.state.event.clone() else { return };
        let of_flood = |code: &InstructionCode| {
            playbook.instruction(code).is_some_and(|row| matches!(row.phase, Phase::Alert | Phase::Respond))
        };
        let calm = self.state.in_force == WarningLevel::None
            && self.state.watch.proposed == WarningLevel::None
            && !self.state.firings.keys().any(|(code, _)| of_flood(code));
        if !calm {
            return;
        }
        let left: Vec<_> = self
            .state
            .tasks
            .values()
            .filter(|task| task.is_live() && (of_flood(&task.code) || task.status == TaskStatus::Draft))
            .map(|task| task.id)
            .collect();
        for task in left {
            self.record(Fact::Withdrawn { task, reason: WithdrawReason::StoodDown });
        }
        self.record(Fact::EventClosed { event: event.id });
    }
}

/// The signals of a row's condition with their values, for the chain of evidence.
fn sensed(row: &Instruction, snapshot: &Snapshot, place: Option<&PlaceId>) -> Vec<Sensed> {
    let value_of = |key| place.map_or_else(|| snapshot.everywhere(key), |place| snapshot.at_place(key, place));
    let keys = row.trigger.condition.signals();
    keys.into_iter().filter_map(|key| Some(Sensed { signal: key.to_string(), value: value_of(key)? })).collect()
}

/// The same signals with discharge and its forecast not below what the level in force prepares for.
fn at_least(snapshot: &Snapshot, q_m3s: f64) -> Snapshot {
    let mut raised = snapshot.clone();
    let discharges = raised.values.iter_mut().filter(|(key, _)| matches!(key.name(), "q" | "qf"));
    for (_, sensed) in discharges {
        sensed.all = sensed.all.map(|value| value.max(q_m3s));
    }
    raised
}
