//! Officers: two on duty who ask, confirm, sign and check, and a commander who signs what only he may.

use super::super::dice::Dice;
use super::super::policy::{OfficerPolicy, OrderRule, When};
use super::super::text::DrillText;
use super::{Look, Move, Plan, Players, Scene, Turn};
use crate::command::{Actor, Input, State};
use crate::model::{
    ActivationId, Authority, InstructionCode, ReportId, TaskId, Timestamp, UserName, UserRole, WarningLevel,
    WorkingMode,
};
use crate::playbook::is_night;
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// Checks of done tasks in one look at most: the rest comes with the next.
const CHECKS_A_LOOK: usize = 60;

const DUTY_A: &str = "drill-duty-a";
const DUTY_B: &str = "drill-duty-b";
const COMMANDER: &str = "drill-commander";

/// Whether that user is played by the drill, not by a person.
pub fn is_virtual_officer(user: &UserName) -> bool {
    [DUTY_A, DUTY_B, COMMANDER].contains(&user.as_str())
}

fn officer(name: &str, role: UserRole) -> Actor {
    Actor { user: UserName::new(name), role, member: None }
}

/// The one at the desk: A by day, B by night.
fn at_desk(now: Timestamp) -> Actor {
    officer(if is_night(now) { DUTY_B } else { DUTY_A }, UserRole::Duty)
}

/// The other one on duty.
fn beside(now: Timestamp) -> Actor {
    officer(if is_night(now) { DUTY_A } else { DUTY_B }, UserRole::Duty)
}

fn commander() -> Actor {
    officer(COMMANDER, UserRole::Commander)
}

impl Players {
    /// Plans a look as fast as an officer can.
    pub(super) fn hurry(&mut self, scene: &Scene<'_>, look: Look) -> Option<Plan> {
        let policy = &self.policy.officers;
        let (spread, number) = match look {
            Look::Desk => return None,
            Look::Raise => (&policy.ask, scene.state.last.0),
            Look::Lower => (&policy.lower, scene.state.last.0),
            Look::Second(activation) => (&policy.confirm, activation.0),
            Look::Drafts => (&policy.sign, scene.state.last.0),
            Look::See(report) => (&policy.see_report, report.0),
            Look::Settle(report) if self.is_rumour(scene.state, report) => (&policy.refute, report.0),
            Look::Settle(report) => (&policy.repair, report.0),
        };
        let word = format!("{look:?}");
        let wait = Dice::of(self.seed, "officer", &word, number).wait(spread, scene.pace(policy.night_factor));
        self.look_at(scene.now + wait, look)
    }

    pub(super) fn see_proposal(&mut self, scene: &Scene<'_>) -> Option<Plan> {
        let (proposed, in_force) = (scene.state.watch.proposed, scene.state.in_force);
        if scene.state.pending.is_some() || proposed == in_force {
            return None;
        }
        self.hurry(scene, if proposed > in_force { Look::Raise } else { Look::Lower })
    }

    pub(super) fn look(&mut self, scene: &Scene<'_>, look: Look) -> Turn {
        match look {
            Look::Desk => self.desk(scene),
            Look::Raise | Look::Lower => Turn { say: ask(scene, look).into_iter().collect(), plan: Vec::new() },
            Look::Second(activation) => {
                Turn { say: self.confirm(scene, activation).into_iter().collect(), plan: Vec::new() }
            }
            Look::Drafts => Turn { say: sign(scene), plan: Vec::new() },
            Look::See(report) => {
                let plan = self.hurry(scene, Look::Settle(report)).into_iter().collect();
                Turn { say: vec![Input::SeeReport { by: at_desk(scene.now), report }], plan }
            }
            Look::Settle(report) => {
                let false_alarm = self.is_rumour(scene.state, report);
                Turn { say: vec![Input::Settle { by: at_desk(scene.now), report, false_alarm }], plan: Vec::new() }
            }
        }
    }

    fn is_rumour(&self, state: &State, report: ReportId) -> bool {
        let text = state.reports.get(&report).and_then(|report| report.content.text.as_ref());
        text.is_some_and(|text| self.rumours.contains(text))
    }

    /// The whole desk: checks, orders, the mode; and nothing is forgotten that a fact alone did not bring up.
    fn desk(&mut self, scene: &Scene<'_>) -> Turn {
        let mut say = self.checks(scene);
        say.extend(self.policy.officers.by_rule.iter().flat_map(|rule| orders(scene, rule)));
        say.extend(mode(scene));
        let every = TimeDelta::seconds(i64::from(self.policy.officers.look_every_s.max(1)));
        let mut plan: Vec<Plan> = self.look_at(scene.now + every, Look::Desk).into_iter().collect();
        plan.extend(self.see_proposal(scene));
        if !sign(scene).is_empty() {
            plan.extend(self.hurry(scene, Look::Drafts));
        }
        Turn { say, plan }
    }

    fn checks(&mut self, scene: &Scene<'_>) -> Vec<Input> {
        let after = TimeDelta::seconds(i64::from(self.policy.officers.verify_after_s));
        let ripe = self.unchecked.iter().filter(|(_, done)| scene.now - **done >= after);
        let ripe: Vec<TaskId> = ripe.map(|(task, _)| *task).take(CHECKS_A_LOOK).collect();
        self.unchecked.retain(|task, _| !ripe.contains(task));
        let is_done = |task: &TaskId| {
            scene.state.tasks.get(task).is_some_and(|task| task.status == crate::model::TaskStatus::Done)
        };
        let by = beside(scene.now);
        ripe.into_iter().filter(is_done).map(|task| Input::Verify { by: by.clone(), task }).collect()
    }

    /// The second person: the commander from some level on, else the one beside who did not ask.
    fn confirm(&self, scene: &Scene<'_>, activation: ActivationId) -> Option<Input> {
        let asked = scene.state.activations.get(&activation).filter(|_| scene.state.pending == Some(activation))?;
        let policy: &OfficerPolicy = &self.policy.officers;
        let by = if asked.level >= policy.commander_from {
            commander()
        } else {
            [beside(scene.now), at_desk(scene.now)].into_iter().find(|other| other.user != asked.asked_by.user)?
        };
        Some(Input::Confirm { by, activation, water: scene.water.cloned() })
    }

    /// An order that follows from a done task, at its place.
    pub(super) fn order_after(&self, scene: &Scene<'_>, task: TaskId) -> Option<Plan> {
        let task = scene.state.tasks.get(&task)?;
        let policy = &self.policy.officers;
        let (_, name) = policy.by_task.iter().find(|(code, _)| code == &task.code)?;
        let wait = Dice::of(self.seed, "officer", "order", task.id.0).wait(&policy.sign, 1.0);
        let place = Some(task.place.clone());
        let order = Input::Order { by: commander(), name: (*name).to_owned(), place, lift: false };
        Some(Plan { at: scene.now + wait, what: Move::Say(Box::new(order)) })
    }
}

/// The request that the proposal calls for now, if it still does.
fn ask(scene: &Scene<'_>, look: Look) -> Option<Input> {
    let state = scene.state;
    let (proposed, in_force) = (state.watch.proposed, state.in_force);
    let wanted = if look == Look::Raise { proposed > in_force } else { proposed < in_force };
    if !wanted || state.pending.is_some() {
        return None;
    }
    Some(request(scene, proposed, &state.proposal_reason.zh))
}

fn request(scene: &Scene<'_>, level: WarningLevel, reason: &str) -> Input {
    Input::Ask {
        by: at_desk(scene.now),
        level,
        reason: DrillText::new(reason).into_input(),
        ordered_by: None,
        prepare_for_m3s: None,
    }
}

/// Signs what one person may sign; what only two may release goes out with the level in force asked for once more.
fn sign(scene: &Scene<'_>) -> Vec<Input> {
    let (mut duty, mut chief) = (BTreeSet::<InstructionCode>::new(), BTreeSet::<InstructionCode>::new());
    let mut of_two = false;
    // A higher level is about to be asked for: its release takes these along. A higher draft by itself may wait for days.
    let rises = scene.state.watch.proposed > scene.state.in_force;
    for task in scene.state.drafts() {
        let Some(row) = scene.core.playbook.instruction(&task.code) else { continue };
        if row.level() > scene.state.in_force {
            continue;
        }
        match row.authority {
            Authority::None | Authority::HqDuty => drop(duty.insert(task.code.clone())),
            Authority::TownCommander | Authority::CountyHqCommander => drop(chief.insert(task.code.clone())),
            Authority::AuthorisedPublisher => of_two = true,
        }
    }
    let signature = |by, codes: BTreeSet<InstructionCode>| {
        (!codes.is_empty()).then(|| Input::Sign { by, codes: codes.into_iter().collect() })
    };
    let mut say: Vec<Input> =
        [signature(at_desk(scene.now), duty), signature(commander(), chief)].into_iter().flatten().collect();
    if of_two && !rises && scene.state.pending.is_none() {
        say.push(request(scene, scene.state.in_force, "转发授权单位发布的信息，补充下发待发任务"));
    }
    say
}

fn orders(scene: &Scene<'_>, rule: &OrderRule) -> Vec<Input> {
    let state = scene.state;
    let order = |place, lift| Input::Order { by: commander(), name: rule.name.to_owned(), place, lift };
    let given: Vec<_> = state.orders.iter().filter(|order| order.name == rule.name).collect();
    if !given.is_empty() && rule.lift.as_ref().is_some_and(|lift| holds(scene, lift)) {
        return given.into_iter().map(|given| order(given.place.clone(), true)).collect();
    }
    let everywhere = given.iter().any(|order| order.place.is_none());
    let over = rule.lift.as_ref().is_some_and(|lift| holds(scene, lift));
    let due = !everywhere && !over && rule.give.as_ref().is_some_and(|give| holds(scene, give));
    due.then(|| order(None, false)).into_iter().collect()
}

fn holds(scene: &Scene<'_>, when: &When) -> bool {
    let state = scene.state;
    if state.event.is_none() {
        return false;
    }
    let below = |m3s: f64| scene.discharge_m3s().is_some_and(|q| q < m3s);
    match when {
        When::Up(level) => !state.lowering && state.in_force >= *level,
        When::Rising(m3s) => !state.lowering && scene.discharge_m3s().is_some_and(|q| q >= *m3s),
        When::Down(level, m3s) => state.lowering && state.in_force <= *level && below(*m3s),
        When::After(name, seconds) => {
            let first = state.orders.iter().filter(|order| order.name == *name).map(|order| order.at).min();
            first.is_some_and(|at| scene.now - at >= TimeDelta::seconds(i64::from(*seconds)))
        }
    }
}

/// 应急战时 while red is in force, 平时 again when the response has ended.
fn mode(scene: &Scene<'_>) -> Option<Input> {
    let (now, level) = (scene.state.mode, scene.state.in_force);
    let mode = match (now, level) {
        (WorkingMode::Normal, WarningLevel::Red) => WorkingMode::Emergency,
        (WorkingMode::Emergency, WarningLevel::None) => WorkingMode::Normal,
        _ => return None,
    };
    Some(Input::Mode { by: commander(), mode })
}
