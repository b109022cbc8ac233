//! Alarms of tasks end with what they are about: an answer, a finished work, an order that was taken back.
//!
//! In: the facts of one step. Out: the closing of alarms that no open task stands behind any more, so that what is left on the
//! wall is what somebody must still act on.

use super::core::Desk;
use super::task::Task;
use super::{Entry, Fact};
use crate::model::{InstructionCode, TaskId, TaskStatus};
use std::collections::BTreeSet;

impl Desk<'_> {
    /// Looks at the rows and tasks that this step has changed, and at no others.
    pub(super) fn close_settled_alarms(&mut self) {
        let changed: Vec<TaskId> = self.facts().iter().filter_map(moved_on).collect();
        let changed: Vec<Task> = changed.iter().filter_map(|id| self.state.tasks.get(id)).cloned().collect();
        let codes: BTreeSet<&InstructionCode> = changed.iter().map(|task| &task.code).collect();
        for code in codes {
            for (name, stands) in [("unanswered", is_left as fn(&Task) -> bool), ("overdue", is_past_deadline)] {
                let key = format!("{name}:{code}");
                if self.is_alarmed(&key) && !self.state.open_tasks().any(|task| &task.code == code && stands(task)) {
                    self.close_alarm(&key);
                }
            }
        }
        for task in &changed {
            if task.is_live() && !task.round_done {
                continue;
            }
            let key = format!("round:{}:{}", task.code, task.place);
            let same = |other: &Task| other.code == task.code && other.place == task.place && !other.round_done;
            if self.is_alarmed(&key) && !self.state.open_tasks().any(same) {
                self.close_alarm(&key);
            }
            if !task.is_live() {
                self.close_alarm(&Task::unowned_key(&task.code, &task.place, task.hazard));
            }
        }
    }

    fn is_alarmed(&self, key: &str) -> bool {
        self.state.alarms.get(key).is_some_and(|alarm| !alarm.closed)
    }
}

/// The task that a fact has answered, finished or ended.
fn moved_on(entry: &Entry) -> Option<TaskId> {
    match entry.fact {
        Fact::Acknowledged { task, .. }
        | Fact::Arrived { task, .. }
        | Fact::Completed { task, .. }
        | Fact::Assigned { task, .. }
        | Fact::Withdrawn { task, .. } => Some(task),
        _ => None,
    }
}

/// Nobody is left to answer it: a commander must name someone.
fn is_left(task: &Task) -> bool {
    task.holder.is_none() && !task.is_answered()
}

/// Somebody said that he goes, and the time is over.
fn is_past_deadline(task: &Task) -> bool {
    task.status == TaskStatus::Overdue && task.is_answered()
}
