//! The state of a reach: the fold of its facts, and the questions asked of it.

mod activation;
mod alarm;
mod firing;
mod report;
mod task;

pub use activation::{Activation, ActivationState};
pub use alarm::Alarm;
pub use firing::{FiredBecause, Firing, FiringKey};
pub(super) use report::BREACH;
pub use report::Report;

use super::task::Task;
use super::{Actor, Amended, CommandSettings, Entry, Fact, FieldReport, ReportKind, Signature, Words};
use crate::model::{
    ActivationId, EventId, FactSeq, MemberId, OrderGiven, ReportId, SeriesId, Standing, TaskId, Timestamp,
    WarningLevel, WorkingMode,
};
use crate::playbook::{Instruction, LevelState, Phase, Playbook};
use std::collections::{BTreeMap, BTreeSet};

/// The flood event that is open (汛情过程).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FloodEvent {
    /// Its id.
    pub id: EventId,
    /// When it began.
    pub opened_at: Timestamp,
    /// Edition of the playbook that it keeps.
    pub edition: String,
}

/// Everything the command knows. `Clone` is used to publish it after each commit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Last fact folded in.
    pub last: FactSeq,
    /// Moment of the last fact.
    pub at: Timestamp,
    /// Times that the command keeps.
    pub settings: CommandSettings,
    /// Edition of the playbook in use; empty until a post has said so.
    pub edition: String,
    /// Level in force: a person's decision.
    pub in_force: WarningLevel,
    /// Since when.
    pub in_force_since: Option<Timestamp>,
    /// The request behind it.
    pub in_force_by: Option<ActivationId>,
    /// The discharge that rows count as reached while the level is in force, in m³/s (设定流量).
    pub prepare_for_m3s: Option<f64>,
    /// What the water proposes.
    pub watch: LevelState,
    /// Words for the proposal.
    pub proposal_reason: Words,
    /// Working mode.
    pub mode: WorkingMode,
    /// The open event.
    pub event: Option<FloodEvent>,
    /// The command is on its way down.
    pub lowering: bool,
    /// Orders and notices in force.
    pub orders: Vec<OrderGiven>,
    /// Rows that have fired.
    pub firings: BTreeMap<FiringKey, Firing>,
    /// Why rows fired, by fact.
    pub fired_because: BTreeMap<FactSeq, FiredBecause>,
    /// All tasks of the journal's memory.
    pub tasks: BTreeMap<TaskId, Task>,
    /// Requests.
    pub activations: BTreeMap<ActivationId, Activation>,
    /// The one that waits for a second person.
    pub pending: Option<ActivationId>,
    /// The request that the facts of this step carry out.
    pub(super) releasing: Option<ActivationId>,
    /// Reports.
    pub reports: BTreeMap<ReportId, Report>,
    /// Alarms by cause, closed ones included until raised again.
    pub alarms: BTreeMap<String, Alarm>,
    /// Values that people set by hand, by series, in the order in which they did.
    pub amended: BTreeMap<SeriesId, Vec<Amended>>,
    /// Open tasks by the moment they must be looked at.
    pub(super) due: BTreeSet<(Timestamp, TaskId)>,
    /// Drafts.
    pub(super) drafts: BTreeSet<TaskId>,
    /// Open tasks (released, not done, not taken back).
    pub(super) open: BTreeSet<TaskId>,
}

impl State {
    /// The part that conditions of the playbook may ask about.
    pub fn standing(&self) -> Standing {
        Standing {
            in_force: self.in_force,
            event_open: self.event.is_some(),
            lowering: self.lowering,
            orders: self.orders.clone(),
            hazards: self.reports.values().filter_map(Report::as_hazard).collect(),
        }
    }
    /// The next moment at which a tick can lead to facts.
    pub fn next_due(&self) -> Option<Timestamp> {
        let task = self.due.first().map(|(at, _)| *at);
        let request = self.pending.and_then(|id| self.activations.get(&id)).map(|asked| asked.next_due(&self.settings));
        [task, request].into_iter().flatten().min()
    }
    /// The same report, if it came already: same account, same matter, place, moment and words. A phone that heard no
    /// answer sends again.
    pub fn same_report(&self, by: &Actor, content: &FieldReport) -> Option<&Report> {
        self.reports.values().rev().find(|known| {
            let photos = known.content.photos.clone();
            known.by.user == by.user && known.content == FieldReport { photos, ..content.clone() }
        })
    }
    /// The call for help that this one belongs to: one of the same account that is open, or the same call sent twice.
    pub fn same_call(&self, by: &Actor, content: &FieldReport) -> Option<&Report> {
        let is_call = |report: &FieldReport| report.kind == ReportKind::Sos;
        let own = |known: &&Report| is_call(&known.content) && known.by.user == by.user;
        let mut calls = self.reports.values().rev().filter(own);
        let is_one =
            |known: &&Report| (known.settled.is_none() && !known.is_past) || known.has_call(content.observed_at);
        if is_call(content) { calls.find(is_one) } else { None }
    }
    /// Drafts that wait for a signature.
    pub fn drafts(&self) -> impl Iterator<Item = &Task> {
        self.drafts.iter().filter_map(|id| self.tasks.get(id))
    }
    /// Drafts that a signature for `level` releases: a higher colour needs its own signature, and what belongs to the way
    /// down is signed on the way down only.
    pub fn drafts_up_to<'a>(
        &'a self,
        level: WarningLevel,
        playbook: &'a Playbook,
    ) -> impl Iterator<Item = &'a Task> + use<'a> {
        let is_released =
            move |row: &Instruction| row.level() <= level && (row.phase != Phase::Withdraw || self.lowering);
        self.drafts().filter(move |task| playbook.instruction(&task.code).is_some_and(is_released))
    }
    /// Released tasks that are not at their end.
    pub fn open_tasks(&self) -> impl Iterator<Item = &Task> {
        self.open.iter().filter_map(|id| self.tasks.get(id))
    }

    /// Folds one fact in. Facts come from [`super::Core::step`] or from a journal that it wrote.
    pub fn apply(&mut self, entry: &Entry) {
        self.last = entry.seq;
        self.at = entry.at;
        match &entry.fact {
            Fact::Received { .. } => self.releasing = None,
            Fact::Noticed { .. }
            | Fact::Revealed { .. }
            | Fact::ReportRevealed { .. }
            | Fact::StationAsked { .. }
            | Fact::Injected { .. } => {}
            Fact::Amended { by, amendment } => {
                let (seq, made_at, by, amendment) = (entry.seq, entry.at, by.clone(), amendment.clone());
                let of_series = self.amended.entry(amendment.series.clone()).or_default();
                of_series.push(Amended { seq, made_at, by, amendment });
            }
            Fact::Configured { settings } => self.configure(settings),
            Fact::EditionUsed { edition } => self.edition.clone_from(edition),
            Fact::LevelWatched { state } => self.watch = state.clone(),
            Fact::LevelProposed { reason, .. } => self.proposal_reason = reason.clone(),
            Fact::ModeSet { mode, .. } => self.mode = *mode,
            Fact::EventOpened { event, edition } => {
                self.event = Some(FloodEvent { id: *event, opened_at: entry.at, edition: edition.clone() });
            }
            Fact::EventClosed { .. } => self.close_event(),
            Fact::Lowering { on } => self.lowering = *on,
            Fact::LevelSet { to, activation, prepare_for_m3s, .. } => {
                self.prepare_for_m3s = *prepare_for_m3s;
                self.in_force = *to;
                self.in_force_since = Some(entry.at);
                self.in_force_by = *activation;
            }
            Fact::Ordered { name, place, .. } => {
                self.orders.push(OrderGiven { name: name.clone(), place: place.clone(), at: entry.at });
            }
            Fact::OrderLifted { name, place, .. } => {
                self.orders.retain(|order| (&order.name, &order.place) != (name, place));
            }
            Fact::Fired { .. } | Fact::SafeSince { .. } | Fact::Rearmed { .. } | Fact::Stopped { .. } => {
                self.apply_firing(entry);
            }
            Fact::Asked { .. }
            | Fact::CommandersCalled { .. }
            | Fact::DeputiesAdmitted { .. }
            | Fact::Confirmed { .. }
            | Fact::Refused { .. }
            | Fact::Expired { .. }
            | Fact::GlassBroken { .. } => self.apply_activation(entry),
            Fact::Reported { .. }
            | Fact::CalledAgain { .. }
            | Fact::PhotosAdded { .. }
            | Fact::ReportSeen { .. }
            | Fact::ReportSettled { .. } => self.apply_report(entry),
            Fact::AlarmRaised { .. } | Fact::AlarmMinded { .. } | Fact::AlarmClosed { .. } => self.apply_alarm(entry),
            Fact::Drafted { .. }
            | Fact::Issued { .. }
            | Fact::Delivered { .. }
            | Fact::Acknowledged { .. }
            | Fact::Declined { .. }
            | Fact::Arrived { .. }
            | Fact::Completed { .. }
            | Fact::Verified { .. }
            | Fact::RoundDue { .. }
            | Fact::Overdue { .. }
            | Fact::Escalated { .. }
            | Fact::Assigned { .. }
            | Fact::Withdrawn { .. } => self.apply_task(entry),
        }
    }

    fn configure(&mut self, settings: &CommandSettings) {
        self.settings = settings.clone();
        let looks = self.open_tasks().filter_map(|task| Some((task.next_due(settings)?.0, task.id)));
        self.due = looks.collect();
    }

    fn close_event(&mut self) {
        self.event = None;
        self.lowering = false;
        self.orders.clear();
        self.firings.clear();
        for report in self.reports.values_mut() {
            report.is_past |= report.settled.is_some();
        }
    }

    /// Everyone who was called in this event, and whether a hand has answered: the ground of 叫应率.
    pub fn called(&self) -> BTreeMap<&MemberId, bool> {
        let since = self.event.as_ref().map(|event| event.opened_at);
        let mut called = BTreeMap::new();
        for task in self.tasks.values().filter(|task| task.issued_at.is_some() && task.issued_at >= since) {
            for member in [&task.owner, &task.holder].into_iter().flatten() {
                called.entry(member).or_insert(false);
            }
            for (member, answered) in &task.relieved {
                *called.entry(member).or_insert(false) |= answered;
            }
            let answers = [
                task.acknowledged.as_ref().map(|(_, by)| by),
                task.done.as_ref().map(|(_, by)| by),
                task.declined.as_ref().map(|refusal| &refusal.by),
            ];
            for member in answers.into_iter().flatten().filter_map(|by| by.member.as_ref()) {
                called.insert(member, true);
            }
        }
        called
    }

    /// The signature behind a task's release, if it went through a request.
    pub fn activation_behind(&self, task: &Task) -> Option<&Activation> {
        match task.signature.as_ref()? {
            Signature::Activation { activation } | Signature::StandingAuthorisation { activation } => {
                self.activations.get(activation)
            }
            Signature::Officer { .. } => None,
            Signature::NotNeeded => self.in_force_by.and_then(|id| self.activations.get(&id)),
        }
    }
}
