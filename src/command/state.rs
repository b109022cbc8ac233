//! The state of a reach: the fold of its facts, and the questions asked of it.

use super::task::{Refusal, Task};
use super::{
    Actor, CommandSettings, Entry, Fact, FieldReport, ReadingRef, Sensed, Severity, Signature, WithdrawReason, Words,
};
use crate::model::{
    ActivationId, EventId, FactSeq, Hazard, InstructionCode, MemberId, OrderGiven, PlaceId, ReportId, Standing, TaskId,
    TaskStatus, Timestamp, WarningLevel, WorkingMode,
};
use crate::playbook::LevelState;
use std::collections::{BTreeMap, BTreeSet};

/// A row of the playbook that has fired at a place and has not re-armed.
#[derive(Debug, Clone, PartialEq)]
pub struct Firing {
    /// The fact that tells why.
    pub fact: FactSeq,
    /// On the safe side since.
    pub safe_since: Option<Timestamp>,
    /// Its repetition has reached its end.
    pub stopped: bool,
    /// Its task, unless a stronger row took the place.
    pub task: Option<TaskId>,
}

/// Why a row fired: kept for the chain of evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct FiredBecause {
    /// When.
    pub at: Timestamp,
    /// Signals.
    pub because: Vec<Sensed>,
    /// Readings behind the signals.
    pub readings: Vec<ReadingRef>,
}

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

/// How a request to put a level in force stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivationState {
    /// Waits for the second person.
    Asked,
    /// In force.
    Confirmed,
    /// Refused.
    Refused,
    /// Nobody answered in time.
    Expired,
}

/// A request to put a level in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Activation {
    /// Its id.
    pub id: ActivationId,
    /// Which level.
    pub level: WarningLevel,
    /// Why.
    pub reason: String,
    /// On whose order.
    pub ordered_by: Option<String>,
    /// The discharge that it prepares for, in m³/s.
    pub prepare_for_m3s: Option<f64>,
    /// Who asked.
    pub asked_by: Actor,
    /// When.
    pub asked_at: Timestamp,
    /// How it stands.
    pub state: ActivationState,
    /// Further commanders were called.
    pub commanders_called: bool,
    /// Deputies may confirm, break-glass is offered.
    pub deputies_may: bool,
    /// The asker went alone.
    pub glass_broken: bool,
    /// Who settled it, and when.
    pub settled: Option<(Timestamp, Option<Actor>)>,
    /// Why refused, or why alone.
    pub settled_reason: Option<String>,
}

/// A report from the field and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Its id.
    pub id: ReportId,
    /// Who.
    pub by: Actor,
    /// When it reached us.
    pub received_at: Timestamp,
    /// What.
    pub content: FieldReport,
    /// Places of the reach that it touches.
    pub places: Vec<PlaceId>,
    /// Who at HQ has looked at it first.
    pub seen_by: Option<Actor>,
    /// Settled, and whether it was nothing.
    pub settled: Option<bool>,
}

/// Something that needs eyes.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// One key a cause.
    pub key: String,
    /// How bad.
    pub severity: Severity,
    /// Words for the wall.
    pub title: Words,
    /// How often it was raised since it is open.
    pub count: u32,
    /// First.
    pub since: Timestamp,
    /// Last.
    pub last: Timestamp,
    /// Who took note, and when.
    pub minded: Option<(Timestamp, Actor)>,
    /// Put aside until.
    pub shelved_until: Option<Timestamp>,
    /// The cause is gone.
    pub closed: bool,
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
    pub firings: BTreeMap<(InstructionCode, PlaceId), Firing>,
    /// Why rows fired, by fact.
    pub fired_because: BTreeMap<FactSeq, FiredBecause>,
    /// All tasks of the journal's memory.
    pub tasks: BTreeMap<TaskId, Task>,
    /// Requests.
    pub activations: BTreeMap<ActivationId, Activation>,
    /// The one that waits for a second person.
    pub pending: Option<ActivationId>,
    /// Reports.
    pub reports: BTreeMap<ReportId, Report>,
    /// Alarms by cause, closed ones included until raised again.
    pub alarms: BTreeMap<String, Alarm>,
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
    /// Drafts that wait for a signature.
    pub fn drafts(&self) -> impl Iterator<Item = &Task> {
        self.drafts.iter().filter_map(|id| self.tasks.get(id))
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
            Fact::Received { .. } | Fact::Noticed { .. } | Fact::Revealed { .. } | Fact::Injected { .. } => {}
            Fact::Configured { settings } => self.configure(settings),
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
            Fact::Reported { .. } | Fact::PhotosAdded { .. } | Fact::ReportSeen { .. } | Fact::ReportSettled { .. } => {
                self.apply_report(entry)
            }
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
    }

    fn apply_firing(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::Fired { code, places, because, readings } => {
                let why = FiredBecause { at: entry.at, because: because.clone(), readings: readings.clone() };
                self.fired_because.insert(entry.seq, why);
                for place in places {
                    let firing = Firing { fact: entry.seq, safe_since: None, stopped: false, task: None };
                    self.firings.insert((code.clone(), place.clone()), firing);
                }
            }
            Fact::SafeSince { code, places, since } => {
                self.each_firing(code, places, |firing| firing.safe_since = *since);
            }
            Fact::Stopped { code, places, stopped } => {
                self.each_firing(code, places, |firing| firing.stopped = *stopped);
            }
            Fact::Rearmed { code, places } => {
                for place in places {
                    self.firings.remove(&(code.clone(), place.clone()));
                }
            }
            _ => {}
        }
    }

    fn each_firing(&mut self, code: &InstructionCode, places: &[PlaceId], mut change: impl FnMut(&mut Firing)) {
        for place in places {
            if let Some(firing) = self.firings.get_mut(&(code.clone(), place.clone())) {
                change(firing);
            }
        }
    }

    fn apply_activation(&mut self, entry: &Entry) {
        let settle = |asked: &mut Activation, state, by: Option<&Actor>, reason: Option<&String>| {
            asked.state = state;
            asked.settled = Some((entry.at, by.cloned()));
            asked.settled_reason = reason.cloned();
        };
        match &entry.fact {
            Fact::Asked { activation, by, level, reason, ordered_by, prepare_for_m3s } => {
                let asked = Activation {
                    id: *activation,
                    level: *level,
                    reason: reason.clone(),
                    ordered_by: ordered_by.clone(),
                    prepare_for_m3s: *prepare_for_m3s,
                    asked_by: by.clone(),
                    asked_at: entry.at,
                    state: ActivationState::Asked,
                    commanders_called: false,
                    deputies_may: false,
                    glass_broken: false,
                    settled: None,
                    settled_reason: None,
                };
                self.activations.insert(*activation, asked);
                self.pending = Some(*activation);
            }
            Fact::CommandersCalled { activation } => {
                self.change_activation(*activation, |asked| asked.commanders_called = true);
            }
            Fact::DeputiesAdmitted { activation } => {
                self.change_activation(*activation, |asked| asked.deputies_may = true);
            }
            Fact::Confirmed { activation, by } => {
                self.pending = None;
                self.change_activation(*activation, |asked| settle(asked, ActivationState::Confirmed, Some(by), None));
            }
            Fact::Refused { activation, by, reason } => {
                self.pending = None;
                let settle = |asked: &mut _| settle(asked, ActivationState::Refused, Some(by), Some(reason));
                self.change_activation(*activation, settle);
            }
            Fact::Expired { activation } => {
                self.pending = None;
                self.change_activation(*activation, |asked| settle(asked, ActivationState::Expired, None, None));
            }
            Fact::GlassBroken { activation, by, reason } => {
                self.pending = None;
                self.change_activation(*activation, |asked| {
                    settle(asked, ActivationState::Confirmed, Some(by), Some(reason));
                    asked.glass_broken = true;
                });
            }
            _ => {}
        }
    }

    fn change_activation(&mut self, id: ActivationId, change: impl FnOnce(&mut Activation)) {
        if let Some(asked) = self.activations.get_mut(&id) {
            change(asked);
        }
    }

    fn apply_report(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::Reported { report, by, content, places } => {
                let report = Report {
                    id: *report,
                    by: by.clone(),
                    received_at: entry.at,
                    content: content.clone(),
                    places: places.clone(),
                    seen_by: None,
                    settled: None,
                };
                self.reports.insert(report.id, report);
            }
            Fact::PhotosAdded { report, photos, .. } => {
                if let Some(report) = self.reports.get_mut(report) {
                    let fresh =
                        photos.iter().filter(|id| !report.content.photos.contains(id)).cloned().collect::<Vec<_>>();
                    report.content.photos.extend(fresh);
                }
            }
            Fact::ReportSeen { report, by } => {
                if let Some(report) = self.reports.get_mut(report) {
                    report.seen_by.get_or_insert_with(|| by.clone());
                }
            }
            Fact::ReportSettled { report, false_alarm, .. } => {
                if let Some(report) = self.reports.get_mut(report) {
                    report.settled = Some(*false_alarm);
                }
            }
            _ => {}
        }
    }

    fn apply_alarm(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::AlarmRaised { alarm: key, severity, title } => {
                let open = self.alarms.get(key).filter(|alarm| !alarm.closed);
                let (count, since) = open.map_or((1, entry.at), |alarm| (alarm.count + 1, alarm.since));
                let alarm = Alarm {
                    key: key.clone(),
                    severity: *severity,
                    title: title.clone(),
                    count,
                    since,
                    last: entry.at,
                    minded: None,
                    shelved_until: None,
                    closed: false,
                };
                self.alarms.insert(key.clone(), alarm);
            }
            Fact::AlarmMinded { alarm, by, shelved_until } => {
                if let Some(alarm) = self.alarms.get_mut(alarm) {
                    alarm.minded = Some((entry.at, by.clone()));
                    alarm.shelved_until = *shelved_until;
                }
            }
            Fact::AlarmClosed { alarm } => {
                if let Some(alarm) = self.alarms.get_mut(alarm) {
                    alarm.closed = true;
                }
            }
            _ => {}
        }
    }

    fn apply_task(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.fact {
            Fact::Drafted { task, code, place, owner, deputy } => {
                let mut fired = entry.seq;
                if let Some(firing) = self.firings.get_mut(&(code.clone(), place.clone())) {
                    firing.task = Some(*task);
                    fired = firing.fact;
                }
                let drafted = Task {
                    id: *task,
                    code: code.clone(),
                    place: place.clone(),
                    status: TaskStatus::Draft,
                    level: WarningLevel::None,
                    owner: owner.clone(),
                    deputy: deputy.clone(),
                    holder: owner.clone(),
                    fired,
                    signature: None,
                    created_at: at,
                    issued_at: None,
                    handed_at: None,
                    due_at: None,
                    delivered_at: None,
                    acknowledged: None,
                    arrived: None,
                    done: None,
                    verified: None,
                    declined: None,
                    escalations: 0,
                    round: 0,
                    next_round_at: None,
                    round_done: false,
                };
                self.tasks.insert(*task, drafted);
                self.drafts.insert(*task);
            }
            Fact::Issued { task, level, signature, due_at, .. } => self.change_task(*task, |task| {
                task.status = TaskStatus::Issued;
                task.level = *level;
                task.signature = Some(signature.clone());
                task.issued_at = Some(at);
                task.handed_at = Some(at);
                task.due_at = Some(*due_at);
            }),
            Fact::Delivered { tasks, .. } => {
                for task in tasks {
                    self.change_task(*task, |task| {
                        task.delivered_at.get_or_insert(at);
                        if task.status == TaskStatus::Issued {
                            task.status = TaskStatus::Delivered;
                        }
                    });
                }
            }
            Fact::Acknowledged { task, by } => self.change_task(*task, |task| {
                task.status = TaskStatus::Acknowledged;
                task.acknowledged = Some((at, by.clone()));
                task.holder = by.member.clone().or(task.holder.take());
            }),
            Fact::Declined { task, by, reason, text } => self.change_task(*task, |task| {
                task.status = TaskStatus::Declined;
                task.acknowledged = None;
                task.declined = Some(Refusal { by: by.clone(), reason: *reason, text: text.clone(), at });
            }),
            Fact::Arrived { task, by } => self.change_task(*task, |task| {
                task.status = TaskStatus::OnSite;
                task.acknowledged.get_or_insert((at, by.clone()));
                task.arrived = Some((at, by.clone()));
            }),
            Fact::Completed { task, by } => self.change_task(*task, |task| {
                task.acknowledged.get_or_insert((at, by.clone()));
                task.done = Some((at, by.clone()));
                task.round_done = true;
                if task.next_round_at.is_none() {
                    task.status = TaskStatus::Done;
                }
            }),
            Fact::Verified { task, by } => self.change_task(*task, |task| {
                task.status = TaskStatus::Verified;
                task.verified = Some((at, by.clone()));
            }),
            Fact::RoundDue { task, round, due_at, .. } => self.change_task(*task, |task| {
                task.round = *round;
                task.round_done = false;
                task.due_at = Some(*due_at);
                task.next_round_at = Some(*due_at);
                if task.status == TaskStatus::Overdue && task.is_answered() {
                    task.status = TaskStatus::Acknowledged;
                }
            }),
            Fact::Overdue { task } => self.change_task(*task, |task| task.status = TaskStatus::Overdue),
            Fact::Escalated { task, step, to } => self.change_task(*task, |task| {
                task.status = TaskStatus::Escalated;
                task.escalations = *step;
                task.holder = to.clone();
                task.handed_at = Some(at);
                task.acknowledged = None;
            }),
            Fact::Withdrawn { task, reason } => {
                self.change_task(*task, |task| task.status = TaskStatus::Withdrawn);
                // Only what a stronger row or an end replaced may be drafted anew; what people took back stays away.
                if !matches!(reason, WithdrawReason::Superseded { .. } | WithdrawReason::Stopped) {
                    return;
                }
                let key = self.tasks.get(task).map(|task| (task.code.clone(), task.place.clone()));
                if let Some(firing) = key.and_then(|key| self.firings.get_mut(&key))
                    && firing.task == Some(*task)
                {
                    firing.task = None;
                }
            }
            _ => {}
        }
    }

    /// Changes a task and keeps the indexes true.
    fn change_task(&mut self, id: TaskId, change: impl FnOnce(&mut Task)) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        if let Some((at, _)) = task.next_due(&self.settings) {
            self.due.remove(&(at, id));
        }
        change(task);
        if let Some((at, _)) = task.next_due(&self.settings) {
            self.due.insert((at, id));
        }
        if task.status != TaskStatus::Draft {
            self.drafts.remove(&id);
        }
        if task.is_open() {
            self.open.insert(id);
        } else {
            self.open.remove(&id);
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

impl Report {
    /// As the playbook sees it; only hazards and calls for help count.
    fn as_hazard(&self) -> Option<Hazard> {
        use super::ReportKind;
        matches!(self.content.kind, ReportKind::Hazard | ReportKind::Sos).then(|| Hazard {
            kind: self.content.type_.clone(),
            grade: self.content.grade,
            places: self.places.clone(),
            reported_at: self.received_at,
            resolved: self.settled == Some(false),
            false_alarm: self.settled == Some(true),
        })
    }
}

impl Activation {
    /// The next moment at which the waiting request changes by itself.
    pub fn next_due(&self, settings: &CommandSettings) -> Timestamp {
        let after_s = if !self.commanders_called {
            settings.call_commanders_after_s
        } else if !self.deputies_may {
            settings.deputies_after_s
        } else {
            settings.expires_after_s
        };
        self.asked_at + super::settings::seconds(after_s)
    }
}
