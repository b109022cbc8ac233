//! What time does to tasks: unanswered, to the deputy, to the commander, overdue, next round.

use super::core::Desk;
use super::task::{Due, Task};
use super::{Fact, Severity, WithdrawReason};
use crate::model::{MemberId, TaskId};
use chrono::TimeDelta;

impl Desk<'_> {
    pub(super) fn tick(&mut self) {
        self.age_request();
        while let Some((at, id)) = self.state.due.first().copied() {
            if at > self.now {
                break;
            }
            let due =
                self.state.tasks.get(&id).and_then(|task| Some((task.clone(), task.next_due(&self.state.settings)?.1)));
            match due {
                Some((task, what)) => self.fall_due(&task, what),
                None => {
                    self.state.due.remove(&(at, id));
                }
            }
        }
    }

    fn fall_due(&mut self, task: &Task, what: Due) {
        let id = task.id;
        match what {
            Due::Unanswered => self.record(Fact::Overdue { task: id }),
            Due::Deputy => self.escalate(task),
            Due::Commander => self.hand_to_commander(task),
            Due::Round => self.next_round(task),
            Due::Deadline => {
                self.record(Fact::Overdue { task: id });
                let (zh, en) = self.words_of(task);
                let (zh, en) = (format!("{zh} 逾期未完成"), format!("{en} is past its deadline"));
                self.raise(format!("overdue:{}", task.code), Severity::Warning, zh, en);
            }
        }
    }

    /// The next person of the duty row has it; if there is none left, the commander must act.
    pub(super) fn escalate(&mut self, task: &Task) {
        let next = task.deputy.clone().filter(|deputy| task.holder.as_ref() != Some(deputy) && task.escalations == 0);
        match next {
            Some(deputy) => self.hand_over(task.id, task.escalations + 1, Some(deputy)),
            None => self.hand_to_commander(task),
        }
    }

    fn hand_to_commander(&mut self, task: &Task) {
        self.hand_over(task.id, task.escalations + 1, None);
        let (zh, en) = self.words_of(task);
        let zh = format!("{zh} 无人应答，请指挥长指定人员");
        let en = format!("{en}: nobody answered, a commander must name someone");
        self.raise(format!("unanswered:{}", task.code), Severity::Critical, zh, en);
    }

    fn hand_over(&mut self, task: TaskId, step: u32, to: Option<MemberId>) {
        self.record(Fact::Escalated { task, step, to });
    }

    fn next_round(&mut self, task: &Task) {
        let Some(minutes) = self.instruction(task.id).and_then(|row| row.repeat_min) else {
            // Another edition is in use and knows no such rounds: an end that is seen, not a round that is due for ever.
            self.record(Fact::Withdrawn { task: task.id, reason: WithdrawReason::Stopped });
            let (zh, en) = self.words_of(task);
            let zh = format!("{zh} 现行预案已无此轮次任务，已终止，请核对");
            let en = format!("{en}: the edition in use has no such rounds, ended; check it");
            self.raise(format!("round:{}:{}", task.code, task.place), Severity::Warning, zh, en);
            return;
        };
        let missed = !task.round_done;
        let due_at = task.next_round_at.unwrap_or(self.now).max(self.now) + TimeDelta::minutes(i64::from(minutes));
        self.record(Fact::RoundDue { task: task.id, round: task.round + 1, due_at, missed });
        if missed {
            let (zh, en) = self.words_of(task);
            let zh = format!("{zh} 第 {} 轮未完成", task.round);
            let en = format!("{en}: round {} was missed", task.round);
            self.raise(format!("round:{}:{}", task.code, task.place), Severity::Warning, zh, en);
        }
    }

    /// Code, title and place, as an alarm names a task, in Chinese and in English.
    pub(super) fn words_of(&self, task: &Task) -> (String, String) {
        let row = self.core.playbook.instruction(&task.code);
        let (title_zh, title_en) = row.map_or(("", ""), |row| (row.title_zh.as_str(), row.title_en.as_str()));
        let (place, id) = (self.core.reach.place(&task.place), task.place.as_str());
        let (zh, en) = place.map_or((id, id), |place| (place.name_zh.as_str(), place.name_en.as_str()));
        (format!("{} {title_zh}（{zh}）", task.code), format!("{} {title_en} ({en})", task.code))
    }
}
