//! Members: a message arrives, they answer or not, go, work, and make their rounds.

use super::super::dice::Dice;
use super::{Move, Plan, Players, Scene};
use crate::command::{Actor, Entry, Fact, Input, Task};
use crate::model::{DeclineReason, MemberId, PlaceKind, TaskId, Timestamp, UserName, UserRole};
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// A task that takes less than this from 收到 to 完成 was not done, in seconds.
const WORK_LEAST_S: i64 = 240;

fn say(at: Timestamp, input: Input) -> Plan {
    Plan { at, what: Move::Say(Box::new(input)) }
}

fn actor(member: &MemberId) -> Actor {
    Actor { user: UserName::new(member.as_str()), role: UserRole::Member, member: Some(member.clone()) }
}

/// A part of a span.
fn part(span: TimeDelta, share: f64) -> TimeDelta {
    TimeDelta::milliseconds((span.num_milliseconds() as f64 * share) as i64)
}

impl Players {
    /// One message a person: what was issued to them and what was handed over to them.
    pub(super) fn called(&self, scene: &Scene<'_>, facts: &[Entry]) -> Vec<Plan> {
        let mut messages: BTreeMap<&MemberId, (u64, Vec<TaskId>)> = BTreeMap::new();
        for entry in facts {
            if let Fact::Issued { task, to: Some(to), .. }
            | Fact::Escalated { task, to: Some(to), .. }
            | Fact::Assigned { task, to, due_at: Some(_), .. } = &entry.fact
            {
                messages.entry(to).or_insert((entry.seq.0, Vec::new())).1.push(*task);
            }
        }
        messages.into_iter().flat_map(|(member, (number, tasks))| self.message(scene, member, number, &tasks)).collect()
    }

    fn message(&self, scene: &Scene<'_>, member: &MemberId, number: u64, tasks: &[TaskId]) -> Vec<Plan> {
        let policy = &self.policy.members;
        if self.off.contains(member) {
            return Vec::new();
        }
        let mut dice = Dice::of(self.seed, member.as_str(), "message", number);
        let has_app = scene.core.reach.member(member).is_some_and(|member| member.has_app);
        let delivered = scene.now + dice.wait(if has_app { &policy.delivery } else { &policy.by_voice }, 1.0);
        let mut plans = vec![say(delivered, Input::Deliver { member: member.clone(), tasks: tasks.to_vec() })];
        if dice.chance(policy.never_share) {
            return plans;
        }
        let late = if dice.chance(policy.late_share) { policy.late_factor } else { 1.0 };
        let mut at = delivered + dice.wait(&policy.answer, late * scene.pace(policy.night_factor));
        for task in tasks {
            plans.push(say(at, self.answer(member, *task)));
            at += TimeDelta::milliseconds((policy.next_task_s * 1000.0) as i64);
        }
        plans
    }

    fn answer(&self, member: &MemberId, task: TaskId) -> Input {
        let policy = &self.policy.members;
        let by = actor(member);
        let mut dice = Dice::of(self.seed, member.as_str(), "answer", task.0);
        if !dice.chance(policy.decline_share) {
            return Input::Acknowledge { by, task };
        }
        let mut rest = dice.share();
        let drawn = policy.reasons.iter().find(|(_, share)| {
            rest -= share;
            rest < 0.0
        });
        let reason = drawn.map_or(DeclineReason::Other, |(reason, _)| *reason);
        Input::Decline { by, task, reason, text: None }
    }

    /// Who has answered goes there and does it, mostly in time.
    pub(super) fn work(&self, scene: &Scene<'_>, id: TaskId, by: &Actor) -> Vec<Plan> {
        let policy = &self.policy.members;
        let (Some(task), Some(member)) = (scene.state.tasks.get(&id), &by.member) else { return Vec::new() };
        let mut dice = Dice::of(self.seed, member.as_str(), "work", id.0);
        let way = dice.wait(&policy.way, scene.pace(policy.night_factor));
        let late = dice.chance(policy.overdue_share);
        let done = self.done_after(scene, task, dice.share(), late);
        let mut plans = Vec::new();
        let stays = scene.core.reach.place(&task.place).is_none_or(|place| matches!(place.kind, PlaceKind::Hq));
        if !stays {
            let way = way.min(part(done, 0.6));
            plans.push(say(scene.now + way, Input::Arrive { by: by.clone(), task: id }));
        }
        plans.push(say(scene.now + done, Input::Complete { by: by.clone(), task: id }));
        plans
    }

    /// From now until it is done: within the deadline, or half as long again.
    fn done_after(&self, scene: &Scene<'_>, task: &Task, share: f64, late: bool) -> TimeDelta {
        let policy = &self.policy.members;
        let least = TimeDelta::seconds(WORK_LEAST_S);
        let left = task.due_at.map_or(least, |due| due - scene.now).max(least);
        let (from, to) = if late { (1.1, 1.5) } else { policy.work_share };
        let most = TimeDelta::milliseconds((policy.work_most_s * 1000.0) as i64);
        part(left, from + (to - from) * share).clamp(least, most.max(least))
    }

    /// The next round of who has it, unless it is missed.
    pub(super) fn round(&self, scene: &Scene<'_>, id: TaskId) -> Option<Plan> {
        let policy = &self.policy.members;
        let task = scene.state.tasks.get(&id)?;
        let (_, by) = task.acknowledged.as_ref()?;
        let mut dice = Dice::of(self.seed, by.user.as_str(), "round", id.0 << 20 | u64::from(task.round));
        if dice.chance(policy.missed_round_share) {
            return None;
        }
        let done = self.done_after(scene, task, dice.share(), false);
        Some(say(scene.now + done, Input::Complete { by: by.clone(), task: id }))
    }

    /// Nobody answered: the commander's staff telephones until somebody takes it, or gives up.
    pub(super) fn phoned(&self, scene: &Scene<'_>, id: TaskId, step: u32) -> Option<Plan> {
        let policy = &self.policy.members;
        let task = scene.state.tasks.get(&id)?;
        let refused = task.declined.as_ref().and_then(|refusal| refusal.by.member.as_ref());
        let reachable = |member: &&MemberId| !self.off.contains(*member) && Some(*member) != refused;
        let member = [&task.owner, &task.deputy].into_iter().flatten().find(reachable)?;
        let mut dice = Dice::of(self.seed, member.as_str(), "phoned", id.0 << 8 | u64::from(step));
        if !dice.chance(policy.phoned_share) {
            return None;
        }
        let at = scene.now + dice.wait(&policy.phoned, scene.pace(policy.night_factor));
        Some(say(at, Input::Acknowledge { by: actor(member), task: id }))
    }
}
