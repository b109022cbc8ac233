//! The life of tasks, and the indexes over them.

use super::State;
use crate::command::task::{Named, Refusal, Task};
use crate::command::{Entry, Fact, WithdrawReason};
use crate::model::{TaskId, TaskStatus, WarningLevel};
use std::collections::BTreeMap;

impl State {
    pub(super) fn apply_task(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.fact {
            Fact::Drafted { task, code, place, owner, deputy, life_safety, retreat, hazard } => {
                let mut fired = entry.seq;
                if let Some(firing) = self.firings.get_mut(&(code.clone(), place.clone(), *hazard)) {
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
                    hazard: *hazard,
                    life_safety: *life_safety,
                    retreat: *retreat,
                    fired,
                    signature: None,
                    created_at: at,
                    issued_at: None,
                    handed_at: None,
                    due_at: None,
                    delivered: BTreeMap::new(),
                    acknowledged: None,
                    arrived: None,
                    done: None,
                    verified: None,
                    declined: None,
                    assigned: None,
                    relieved: BTreeMap::new(),
                    escalations: 0,
                    round: 0,
                    next_round_at: None,
                    round_done: false,
                };
                self.tasks.insert(*task, drafted);
                self.drafts.insert(*task);
            }
            Fact::Issued { task, level, signature, due_at, .. } => {
                self.note_released(*task);
                self.change_task(*task, |task| {
                    task.status = TaskStatus::Issued;
                    task.level = *level;
                    task.signature = Some(signature.clone());
                    task.issued_at = Some(at);
                    task.handed_at = Some(at);
                    task.due_at = Some(*due_at);
                });
            }
            Fact::Delivered { member, tasks } => {
                for task in tasks {
                    self.change_task(*task, |task| {
                        task.delivered.entry(member.clone()).or_insert(at);
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
            Fact::Assigned { task, by, relieved, to, reason, due_at } => {
                let named = Named { by: by.clone(), reason: reason.clone(), at };
                self.change_task(*task, |task| task.hand_anew(to, relieved, named, *due_at));
            }
            Fact::Withdrawn { task, reason } => {
                if self.tasks.get(task).is_some_and(|task| task.issued_at.is_some()) {
                    self.note_ended(*task);
                }
                self.change_task(*task, |task| task.status = TaskStatus::Withdrawn);
                // Only what a stronger row or an end replaced may be drafted anew; what people took back stays away.
                if !matches!(reason, WithdrawReason::Superseded { .. } | WithdrawReason::Stopped) {
                    return;
                }
                let key = self.tasks.get(task).map(|task| (task.code.clone(), task.place.clone(), task.hazard));
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
}
