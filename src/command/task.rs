//! One task of the state, and when it must be looked at next.

use super::settings::seconds;
use super::{Actor, CommandSettings, Signature};
use crate::model::{
    DeclineReason, FactSeq, InstructionCode, MemberId, PlaceId, ReportId, TaskId, TaskStatus, Timestamp, WarningLevel,
};
use std::collections::{BTreeMap, BTreeSet};

/// An instruction for one place and the people who have it (任务).
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Id from the journal's sequence.
    pub id: TaskId,
    /// Row of the playbook.
    pub code: InstructionCode,
    /// Where.
    pub place: PlaceId,
    /// The hazard that it answers, where it answers one.
    pub hazard: Option<ReportId>,
    /// Where it stands.
    pub status: TaskStatus,
    /// Colour in force at release.
    pub level: WarningLevel,
    /// A 角.
    pub owner: Option<MemberId>,
    /// B 角.
    pub deputy: Option<MemberId>,
    /// Who has it now.
    pub holder: Option<MemberId>,
    /// Its row warns people in danger, recalls them or moves them out of it (生命安全).
    pub life_safety: bool,
    /// Its row orders the one who has it out of danger at once (立即撤离).
    pub retreat: bool,
    /// The fact of the firing behind it.
    pub fired: FactSeq,
    /// By whose signature it went out.
    pub signature: Option<Signature>,
    /// When it was drafted.
    pub created_at: Timestamp,
    /// When it became an order.
    pub issued_at: Option<Timestamp>,
    /// When the one who has it now got it: the answer ladder counts from here.
    pub handed_at: Option<Timestamp>,
    /// Must be done by.
    pub due_at: Option<Timestamp>,
    /// On whose phone it has been seen since it was handed over, and when.
    pub delivered: BTreeMap<MemberId, Timestamp>,
    /// 收到.
    pub acknowledged: Option<(Timestamp, Actor)>,
    /// 到达.
    pub arrived: Option<(Timestamp, Actor)>,
    /// 完成.
    pub done: Option<(Timestamp, Actor)>,
    /// 核查.
    pub verified: Option<(Timestamp, Actor)>,
    /// Last refusal.
    pub declined: Option<Refusal>,
    /// The officer who named its owner, if the duty roster did not.
    pub assigned: Option<Named>,
    /// Who was called to it and is relieved of it, and whether they had answered.
    pub relieved: BTreeMap<MemberId, bool>,
    /// Steps of the ladder taken.
    pub escalations: u32,
    /// Round of a repeated task, from 1; 0 before release.
    pub round: u32,
    /// When the next round of a repeated task begins.
    pub next_round_at: Option<Timestamp>,
    /// The current round is done.
    pub round_done: bool,
}

/// Someone could not go.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Who.
    pub by: Actor,
    /// Why.
    pub reason: DeclineReason,
    /// In own words.
    pub text: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// An officer named the person who has the task.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The officer.
    pub by: Actor,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// What falls due for a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// It stands on the wall as not answered.
    Unanswered,
    /// The deputy gets it.
    Deputy,
    /// The commander is alarmed.
    Commander,
    /// It should have been done.
    Deadline,
    /// The next round begins.
    Round,
}

impl Task {
    /// The alarm that nobody has it: one a task, also where two hazards call for the same work at one place.
    pub(super) fn unowned_key(code: &InstructionCode, place: &PlaceId, hazard: Option<ReportId>) -> String {
        hazard.map_or_else(|| format!("unowned:{code}:{place}"), |hazard| format!("unowned:{code}:{place}:{hazard}"))
    }
    /// Released and neither done nor taken back.
    pub fn is_open(&self) -> bool {
        !matches!(self.status, TaskStatus::Draft | TaskStatus::Done | TaskStatus::Verified | TaskStatus::Withdrawn)
    }
    /// Can still change.
    pub fn is_live(&self) -> bool {
        self.status == TaskStatus::Draft || self.is_open()
    }
    /// A voice or a hand has answered since it was handed over.
    pub fn is_answered(&self) -> bool {
        self.acknowledged.is_some()
    }
    /// First seen on a phone.
    pub fn delivered_at(&self) -> Option<Timestamp> {
        self.delivered.values().min().copied()
    }
    /// Whether that member is among those who were given it.
    pub fn concerns(&self, member: &MemberId) -> bool {
        [&self.owner, &self.holder].into_iter().flatten().any(|id| id == member)
            || (self.escalations > 0 && self.deputy.as_ref() == Some(member))
    }

    /// Everyone whom the task calls now and who may answer it: its owner too, after the deputy was called.
    pub fn called(&self) -> BTreeSet<&MemberId> {
        let deputy = self.deputy.as_ref().filter(|_| self.escalations > 0);
        [self.owner.as_ref(), self.holder.as_ref(), deputy].into_iter().flatten().collect()
    }

    /// Whether that member has answered since the task was handed over, with yes or no.
    fn was_answered_by(&self, member: &MemberId) -> bool {
        let hands = [self.acknowledged.as_ref().map(|(_, by)| by), self.declined.as_ref().map(|refusal| &refusal.by)];
        hands.into_iter().flatten().any(|by| by.member.as_ref() == Some(member))
    }

    /// Another person has it from now on; to them it is new, and the ladder begins at its foot.
    pub(super) fn hand_anew(&mut self, to: &MemberId, relieved: &[MemberId], named: Named, due_at: Option<Timestamp>) {
        for member in relieved {
            let answered = self.was_answered_by(member);
            *self.relieved.entry(member.clone()).or_insert(false) |= answered;
        }
        self.owner = Some(to.clone());
        self.holder = Some(to.clone());
        self.delivered.clear();
        self.acknowledged = None;
        self.arrived = None;
        self.declined = None;
        self.escalations = 0;
        if self.is_open() {
            self.status = TaskStatus::Issued;
            self.handed_at = Some(named.at);
            self.due_at = due_at;
        }
        self.assigned = Some(named);
    }

    /// The next thing that falls due and when; `None` while nothing can.
    pub(super) fn next_due(&self, settings: &CommandSettings) -> Option<(Timestamp, Due)> {
        if !self.is_open() {
            return None;
        }
        let handed_at = self.handed_at?;
        let ladder = if self.is_answered() {
            None
        } else if self.escalations == 0 && self.status != TaskStatus::Overdue {
            Some((handed_at + seconds(settings.unanswered_after_s), Due::Unanswered))
        } else if self.escalations == 0 {
            Some((handed_at + seconds(settings.deputy_after_s), Due::Deputy))
        } else if self.escalations == 1 && self.holder.is_some() {
            let left_s = settings.commander_after_s.saturating_sub(settings.deputy_after_s);
            Some((handed_at + seconds(left_s), Due::Commander))
        } else {
            None
        };
        let round = self.next_round_at.filter(|_| self.is_answered()).map(|at| (at, Due::Round));
        let deadline = self
            .due_at
            .filter(|_| self.is_answered() && !self.round_done && self.status != TaskStatus::Overdue)
            .map(|at| (at, Due::Deadline));
        [ladder, round, deadline].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}
