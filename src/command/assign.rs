//! An officer names another person for a task: the roster's owner does not answer, cannot go, or there is none.

use super::core::Desk;
use super::task::Task;
use super::{Actor, Fact, Refused};
use crate::model::{MemberId, TaskId, TaskStatus};
use chrono::TimeDelta;

/// Longest reason, in characters.
const REASON_LIMIT: usize = 500;

impl Desk<'_> {
    /// The named person gets the task as new and the ladder begins again; everyone before is told that it is not theirs.
    pub(super) fn assign(&mut self, by: &Actor, id: TaskId, to: &MemberId, reason: &str) -> Result<(), Refused> {
        if !by.is_headquarters() {
            return Err(Refused::NoRight { role: by.role, what: "改派任务" });
        }
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(Refused::NoReason);
        }
        if reason.chars().count() > REASON_LIMIT {
            return Err(Refused::BadField {
                field: "reason", problem: format!("超过 {REASON_LIMIT} 字 (too long)")
            });
        }
        let task = self.state.tasks.get(&id).ok_or(Refused::NoTask(id))?.clone();
        if !task.is_live() {
            return Err(Refused::IllegalMove { task: id, status: task.status, what: "改派" });
        }
        if self.core.reach.member(to).is_none() {
            return Err(Refused::NoMember(to.clone()));
        }
        let has_it = task.owner.as_ref() == Some(to) && task.holder.as_ref() == Some(to);
        if has_it && task.status != TaskStatus::Declined {
            return Ok(()); // A second tap is not a second order.
        }
        let relieved: Vec<_> = task.called().into_iter().filter(|member| *member != to).cloned().collect();
        let row = self.instruction(id).map(|row| (row.deadline_min, row.repeat_min));
        let (deadline_min, repeat_min) = row.ok_or(Refused::NoTask(id))?;
        let after = |minutes: u32| self.now + TimeDelta::minutes(i64::from(minutes));
        let (due_at, round_due_at) = (after(deadline_min), repeat_min.map(after));
        let fact = Fact::Assigned {
            task: id,
            by: by.clone(),
            relieved: relieved.clone(),
            to: to.clone(),
            reason: reason.to_owned(),
            due_at: task.is_open().then_some(due_at),
        };
        self.record(fact);
        if let Some(due_at) = round_due_at.filter(|_| task.is_open()) {
            self.record(Fact::RoundDue { task: id, round: task.round, due_at, missed: false });
        }
        if task.is_open() && !relieved.is_empty() {
            let text = format!("任务 {} 已改派他人，你不必再去：{reason}", self.words_of(&task).0);
            self.record(Fact::Noticed { by: by.clone(), members: relieved, text });
        }
        self.close_alarm(&Task::unowned_key(&task.code, &task.place, task.hazard));
        Ok(())
    }
}
