//! From signals to fired rows, drafts and withdrawals.

use super::changes::RowChange;
use super::core::Desk;
use super::task::Task;
use super::{Fact, Firing, FiringKey, ReadingRef, Sensed, Signature, WithdrawReason, Words};
use crate::model::{Authority, EventId, InstructionCode, PlaceId, Reach, ReportId, TaskId, TaskStatus, WarningLevel};
use crate::playbook::{Instruction, Phase, Playbook, Snapshot};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How the discharge that was set by decision is named among the signals.
pub(super) const PREPARED: &str = "设定流量";

impl Desk<'_> {
    pub(super) fn evaluate(&mut self, snapshot: &Snapshot, readings: &[ReadingRef]) {
        self.watch_level(snapshot);
        self.judge_water(snapshot, readings);
        self.close_event_if_clear();
    }

    /// What the water calls for, and what the discharge that is prepared for adds to it.
    pub(super) fn judge_water(&mut self, snapshot: &Snapshot, readings: &[ReadingRef]) {
        match self.state.prepare_for_m3s {
            None => self.judge_rows(snapshot, readings),
            Some(q_m3s) => self.judge_rows(&at_least(snapshot, q_m3s), readings),
        }
    }

    /// Fires, re-arms, drafts and withdraws after what the signals say.
    pub(super) fn judge_rows(&mut self, snapshot: &Snapshot, readings: &[ReadingRef]) {
        self.judge(snapshot, readings, |change| change);
    }

    /// As [`Self::judge_rows`], for a discharge that was assumed and not measured.
    pub(super) fn prepare_rows(&mut self, assumed: &Snapshot) {
        self.judge(assumed, &[], RowChange::added_only);
    }

    fn judge(&mut self, snapshot: &Snapshot, readings: &[ReadingRef], counts: fn(RowChange) -> RowChange) {
        let playbook = Arc::clone(&self.core.playbook);
        let verdicts = playbook.evaluate(snapshot, &self.state.standing(), &self.core.reach);
        let fired = self.firings_by_row();
        let changes: Vec<_> = verdicts
            .chunk_by(|one, next| one.row == next.row)
            .filter_map(|of_row| {
                let row = playbook.instructions().get(of_row.first()?.row)?;
                let fired = fired.get(&row.code).map_or(&[][..], Vec::as_slice);
                Some((row, counts(self.changes_of(row, of_row, fired))))
            })
            .collect();
        self.open_event(&changes);
        for (row, change) in changes {
            self.record_changes(row, change, snapshot, readings);
        }
        self.settle_tasks(&playbook, None);
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
            // Where people put more in force than the water asked for, they lower it too: falling water below is no way down.
            if from >= self.state.in_force && to < self.state.in_force && !self.state.lowering {
                self.record(Fact::Lowering { on: true });
            } else if to > from && to >= self.state.in_force && self.state.lowering {
                // The water comes back to the level in force: nobody is on the way down any more.
                self.record(Fact::Lowering { on: false });
            }
        }
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

    /// A settled hazard holds the event open only until what it called for is done.
    fn holds_event(&self, (_, _, hazard): &FiringKey, firing: &Firing) -> bool {
        let is_settled =
            hazard.and_then(|id| self.state.reports.get(&id)).is_some_and(|report| report.settled.is_some());
        let is_live = firing.task.and_then(|task| self.state.tasks.get(&task)).is_some_and(super::Task::is_live);
        !is_settled || is_live
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
        for (hazard, places) in change.fired.into_iter().filter(|_| !quiet) {
            let because = self.because(row, snapshot, hazard, places.first());
            self.record(Fact::Fired { code: code.clone(), places, because, readings: readings.to_vec(), hazard });
        }
        if !change.safe.is_empty() {
            self.record(Fact::SafeSince { code: code.clone(), places: change.safe, since: Some(self.now) });
        }
        if !change.unsafe_again.is_empty() {
            self.record(Fact::SafeSince { code: code.clone(), places: change.unsafe_again, since: None });
        }
        for (changed, stopped) in [(change.stopped, true), (change.resumed, false)] {
            for (hazard, places) in changed {
                self.record(Fact::Stopped { code: code.clone(), places, stopped, hazard });
            }
        }
        for (hazard, places) in change.rearmed {
            self.rearm(row, places, hazard);
        }
    }

    /// The signals and the hazard that made the row true.
    fn because(
        &self,
        row: &Instruction,
        snapshot: &Snapshot,
        hazard: Option<ReportId>,
        place: Option<&PlaceId>,
    ) -> Vec<Sensed> {
        let mut because = sensed(row, snapshot, place, &self.core.reach);
        because.extend(self.state.prepare_for_m3s.map(|value| Sensed { signal: PREPARED.to_owned(), value }));
        let report = hazard.and_then(|id| self.state.reports.get(&id));
        because.extend(report.map(|report| Sensed {
            signal: format!("hazard({:?}) {}", report.content.type_, report.id),
            value: f64::from(report.content.grade),
        }));
        because
    }

    /// The row may fire again. What still waits for a signature has lost its cause; so has everything that was called for
    /// by a hazard that was none or by a discharge that nobody assumes any more, and the rounds of a hazard that is dealt with.
    fn rearm(&mut self, row: &Instruction, places: Vec<PlaceId>, hazard: Option<ReportId>) {
        let settled = hazard.and_then(|id| self.state.reports.get(&id)?.settled);
        let is_moot = settled.is_some_and(|false_alarm| false_alarm || row.repeat_min.is_some());
        let key = |place: &PlaceId| (row.code.clone(), place.clone(), hazard);
        let mut over = Vec::new();
        for firing in places.iter().filter_map(|place| self.state.firings.get(&key(place))) {
            let Some(task) = firing.task.and_then(|task| self.state.tasks.get(&task)).filter(|task| task.is_live())
            else {
                continue;
            };
            if is_moot {
                over.push((task.id, WithdrawReason::Settled));
            } else if hazard.is_none() && self.is_no_longer_assumed(firing) {
                over.push((task.id, WithdrawReason::StoodDown));
            } else if task.status == TaskStatus::Draft {
                over.push((task.id, WithdrawReason::Stopped));
            }
        }
        for (task, reason) in over {
            self.record(Fact::Withdrawn { task, reason });
        }
        self.record(Fact::Rearmed { code: row.code.clone(), places, hazard });
    }

    /// Drafts what stands, withdraws what a stronger row replaced or what has reached its end.
    /// `released` is the colour that a confirmed request is about to release.
    pub(super) fn settle_tasks(&mut self, playbook: &Playbook, released: Option<WarningLevel>) {
        if self.nothing_moved() {
            return;
        }
        let standing = self.standing_rows(playbook, released);
        let mut to_draft = Vec::new();
        let mut to_withdraw = Vec::new();
        for ((code, place, hazard), firing) in &self.state.firings {
            let Some(row) = playbook.row(code) else { continue };
            let stands = !firing.stopped && standing.contains(&(row, place.clone()));
            match firing.task {
                // What came back on the way down, but has become safe meanwhile, calls for nothing.
                None if stands && firing.safe_since.is_none() => to_draft.push((code.clone(), place.clone(), *hazard)),
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
        for key in to_draft {
            let Some(task) = self.draft(playbook, key) else { continue };
            // A request that is being confirmed signs what comes back by itself.
            if let Some(signature) = self.signature_of_return(task).filter(|_| released.is_none()) {
                self.issue(task, signature);
            }
        }
    }

    /// The signature of what comes back once a stronger order no longer takes its place: that under which it was out before,
    /// else that of the request which the stronger one went out under. Nobody waits for one more while nobody walks.
    fn signature_of_return(&self, task: TaskId) -> Option<Signature> {
        let task = self.state.tasks.get(&task)?;
        let row = self.core.playbook.instruction(&task.code)?;
        if !row.is_of_flood() || row.level() > self.state.in_force {
            return None;
        }
        let same = |other: &&Task| other.fired == task.fired && other.code == task.code && other.place == task.place;
        let given = self.state.tasks.values().rev().filter(same).find_map(|other| other.signature.clone());
        let covering = || {
            let (at, activation) = self.state.last_confirmed()?;
            let fired = self.state.fired_because.get(&task.fired)?;
            (fired.at <= at).then_some(Signature::Activation { activation })
        };
        given.or_else(covering)
    }

    /// Rows with their places that no stronger one replaces. What still waits for a signature replaces nothing that is out there: on
    /// the deepest stretch somebody walks until the order for the stricter round is given. Of drafts that wait, one replaces another
    /// where no higher colour is needed to release it. What has ended and belongs to a higher level than the one in force, or to a
    /// greater discharge than the one prepared for, replaces nothing: after a lowering the orders of the lower level come back.
    fn standing_rows(&self, playbook: &Playbook, released: Option<WarningLevel>) -> BTreeSet<(usize, PlaceId)> {
        let mut given: BTreeSet<(usize, PlaceId)> = BTreeSet::new();
        let mut waiting: BTreeMap<WarningLevel, BTreeSet<(usize, PlaceId)>> = BTreeMap::new();
        for ((code, place, _), firing) in self.state.firings.iter().filter(|(_, firing)| !firing.stopped) {
            let Some((number, row)) = playbook.row(code).zip(playbook.instruction(code)) else { continue };
            let task = firing.task.and_then(|task| self.state.tasks.get(&task));
            let is_over = row.level() > self.state.in_force || self.is_no_longer_assumed(firing);
            if is_over && task.is_some_and(|task| !task.is_live()) {
                continue;
            }
            let is_issued = firing.task.is_some_and(|task| !self.state.drafts.contains(&task));
            let of = if is_issued || self.goes_unsigned(row) || released.is_some_and(|level| row.level() <= level) {
                &mut given
            } else {
                waiting.entry(row.level()).or_default()
            };
            of.insert((number, place.clone()));
        }
        let mut standing = crate::playbook::supersede(&given, playbook, &self.core.reach);
        for of_level in waiting.into_values() {
            given.extend(of_level.iter().cloned());
            let with_drafts = crate::playbook::supersede(&given, playbook, &self.core.reach);
            standing.extend(with_drafts.intersection(&of_level).cloned());
        }
        standing
    }

    fn stronger_than(&self, code: &InstructionCode) -> Option<InstructionCode> {
        let holds = |row: &&Instruction| {
            row.supersedes.contains(code) && self.state.firings.keys().any(|(fired, ..)| fired == &row.code)
        };
        self.core.playbook.instructions().iter().rev().find(holds).map(|row| row.code.clone())
    }

    fn draft(&mut self, playbook: &Playbook, (code, place, hazard): FiringKey) -> Option<TaskId> {
        let row = playbook.instruction(&code)?;
        let on_duty = self.core.reach.on_duty(&row.role, &place);
        let (owner, deputy) =
            on_duty.map_or((None, None), |(owner, deputy)| (Some(owner.clone()), Some(deputy.clone())));
        if owner.is_none() {
            let spot = self.core.reach.place(&place);
            let (spot_zh, spot_en) =
                spot.map_or((place.as_str(), place.as_str()), |spot| (spot.name_zh.as_str(), spot.name_en.as_str()));
            self.record(Fact::AlarmRaised {
                alarm: Task::unowned_key(&code, &place, hazard),
                severity: super::Severity::Critical,
                title: Words {
                    zh: format!("{code} {}：{spot_zh} 无人值守该岗位，请指定责任人", row.title_zh),
                    en: format!("{code} at {spot_en}: nobody is on duty as {}; name someone", row.role),
                },
            });
        }
        let task = TaskId(self.next_seq());
        let (life_safety, retreat) = (row.life_safety, row.retreat);
        self.record(Fact::Drafted { task, code, place, owner, deputy, life_safety, retreat, hazard });
        Some(task)
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
    fn close_event_if_clear(&mut self) {
        let Some(event) = self.state.event.clone() else { return };
        let playbook = Arc::clone(&self.core.playbook);
        let of_flood = |code: &InstructionCode| playbook.instruction(code).is_some_and(Instruction::is_of_flood);
        let calm = self.state.in_force == WarningLevel::None
            && self.state.watch.proposed == WarningLevel::None
            && !self.state.firings.iter().any(|(key, firing)| of_flood(&key.0) && self.holds_event(key, firing));
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
fn sensed(row: &Instruction, snapshot: &Snapshot, place: Option<&PlaceId>, reach: &Reach) -> Vec<Sensed> {
    let wide = matches!(row.scope.as_str(), "hq" | "all");
    let value_of =
        |key| place.map_or_else(|| snapshot.everywhere(key), |place| snapshot.counted(key, place, wide, reach));
    let mut once = BTreeSet::new();
    let keys = row.trigger.condition.signals().into_iter().filter(|key| once.insert(*key));
    keys.filter_map(|key| Some(Sensed { signal: key.to_string(), value: value_of(key)? })).collect()
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
