//! JSON shapes of the API, made from the state. The names are those of `web/src/api/types.ts`.
//!
//! Names and numbers of people leave this file masked unless the reader may see them.

use crate::command::{Activation, ActivationState, Actor, Alarm, Core, Released, Report, State, Task, Words};
pub use crate::model::mask_name;
use crate::model::{MemberId, Place, PlaceId, Reach, TaskStatus, Timestamp, UserRole};
use crate::playbook::{Instruction, Playbook, Snapshot};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a reader may see of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// 李某某, 138****5678.
    Masked,
    /// Full names and numbers; each use is logged by the caller.
    Open,
}

/// Everything that shapes need beside the state.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    /// The rules: what a request would send is the release itself, on a copy.
    pub core: &'a Core,
    /// Titles, roles.
    pub playbook: &'a Playbook,
    /// Places, people.
    pub reach: &'a Reach,
    /// What the reader may see.
    pub sight: Sight,
}

/// First three and last four digits; shorter numbers vanish.
pub fn mask_phone(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().collect();
    match (digits.get(..3), digits.len().checked_sub(4).and_then(|from| digits.get(from..))) {
        (Some(head), Some(tail)) if digits.len() >= 8 => {
            format!("{}****{}", head.iter().collect::<String>(), tail.iter().collect::<String>())
        }
        _ => "****".to_owned(),
    }
}

/// Text with every run of seven digits or more made unreadable but for its ends: it may be somebody's number.
pub fn mask_digits(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars().map(Some).chain([None]) {
        match c {
            Some(digit) if digit.is_numeric() => run.push(digit),
            other => {
                out.push_str(&if run.chars().count() >= 7 { mask_phone(&run) } else { run.clone() });
                run.clear();
                out.extend(other);
            }
        }
    }
    out
}

fn time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| json!(at))
}

fn words(words: &Words) -> Value {
    json!({ "zh": words.zh, "en": words.en })
}

impl Frame<'_> {
    /// A person of the reach, masked or not.
    pub fn person(&self, id: Option<&MemberId>) -> Value {
        let Some(id) = id else { return Value::Null };
        let Some(member) = self.reach.member(id) else {
            return json!({ "member": id, "name": id, "phone": "" });
        };
        let (name, phone) = match self.sight {
            Sight::Masked => (mask_name(&member.name), mask_phone(&member.phone)),
            Sight::Open => (member.name.clone(), member.phone.clone()),
        };
        json!({ "member": id, "name": name, "phone": phone })
    }

    /// The person or account behind an act.
    fn by(&self, actor: &Actor) -> Value {
        actor.member.as_ref().map_or_else(
            || json!({ "member": "", "name": actor.user, "phone": "" }),
            |member| self.person(Some(member)),
        )
    }

    /// A place with its names.
    pub fn place(&self, id: &PlaceId) -> Value {
        self.reach.place(id).map_or_else(
            || json!({ "id": id, "kind": "unknown", "name": { "zh": id, "en": id }, "lon": 0, "lat": 0 }),
            place_shape,
        )
    }

    /// The names of a place of the duty table, where `*` is every place.
    pub fn place_or_everywhere(&self, id: &PlaceId) -> Value {
        if id.as_str() == "*" {
            return json!({ "zh": "全段", "en": "whole reach" });
        }
        self.place(id).get("name").cloned().unwrap_or_else(|| json!({ "zh": id, "en": id }))
    }

    /// A role's names; its code where the playbook does not name it.
    pub fn role_name(&self, role: &str) -> Value {
        self.playbook.role(role).map_or_else(
            || json!({ "zh": role, "en": role }),
            |named| json!({ "zh": named.name.zh, "en": named.name.en }),
        )
    }

    /// A task as lists and the stream show it.
    pub fn task(&self, task: &Task, state: &State) -> Value {
        let row = self.playbook.instruction(&task.code);
        let role = row.map_or("", |row| row.role.as_str());
        let answer_due = task.handed_at.filter(|_| !task.is_answered() && task.is_open());
        let answer_due =
            answer_due.map(|handed| handed + chrono::TimeDelta::seconds(i64::from(state.settings.unanswered_after_s)));
        let declined = task.declined.as_ref().map(|refusal| {
            json!({ "reason": refusal.reason, "text": refusal.text, "by": refusal.by.user, "at": refusal.at })
        });
        let assigned = task.assigned.as_ref();
        let assigned = assigned.map(|named| json!({ "by": named.by.user, "at": named.at, "reason": named.reason }));
        let mut shape = json!({
            "id": task.id, "code": task.code, "level": task.level, "status": task.status,
            "role": role, "role_name": self.role_name(role), "place": self.place(&task.place),
            "owner": self.person(task.owner.as_ref()), "deputy": self.person(task.deputy.as_ref()),
            "holder": task.holder, "may_answer": task.called(), "created_at": task.created_at, "issued_at": time(task.issued_at),
            "due_at": time(task.due_at), "answer_due_at": time(answer_due), "delivered_at": time(task.delivered_at()),
            "acknowledged_at": time(task.acknowledged.as_ref().map(|(at, _)| *at)),
            "acknowledged_by": task.acknowledged.as_ref().map(|(_, by)| self.by(by)),
            "arrived_at": time(task.arrived.as_ref().map(|(at, _)| *at)),
            "done_at": time(task.done.as_ref().map(|(at, _)| *at)),
            "verified_at": time(task.verified.as_ref().map(|(at, _)| *at)),
            "declined": declined, "assigned": assigned, "escalations": task.escalations, "round": task.round,
            "hazard": task.hazard, "life_safety": task.life_safety, "retreat": task.retreat,
        });
        if let (Some(shape), Some(row)) = (shape.as_object_mut(), row) {
            shape.extend(row_shape(row));
        }
        shape
    }

    /// A request to put a level in force: while it waits with what its confirmation would send at that water, afterwards with
    /// what it sent.
    pub fn activation(&self, asked: &Activation, state: &State, water: Option<&Arc<Snapshot>>) -> Value {
        let word = match asked.state {
            ActivationState::Asked => "asked",
            ActivationState::Confirmed => "confirmed",
            ActivationState::Refused => "refused",
            ActivationState::Expired => "expired",
        };
        let released = match asked.state {
            ActivationState::Asked => self.core.would_release(state, asked.level, asked.prepare_for_m3s, water),
            _ => Released::by(asked, state),
        };
        let expires_at = asked.asked_at + chrono::TimeDelta::seconds(i64::from(state.settings.expires_after_s));
        json!({
            "id": asked.id, "level": asked.level, "reason": asked.reason, "ordered_by": asked.ordered_by,
            "prepare_for_m3s": asked.prepare_for_m3s, "state": word, "asked_by": asked.asked_by.user, "asked_at": asked.asked_at,
            "commanders_called": asked.commanders_called, "deputies_may_confirm": asked.deputies_may,
            "break_glass_offered":
                asked.deputies_may && asked.state == ActivationState::Asked && state.only_raises(asked),
            "break_glass": asked.glass_broken, "expires_at": expires_at,
            "settled_by": asked.settled.as_ref().and_then(|(_, by)| by.as_ref()).map(|by| &by.user),
            "settled_at": time(asked.settled.as_ref().map(|(at, _)| *at)), "settled_reason": asked.settled_reason,
            "instructions": released.instructions.len(), "tasks": released.tasks.len(), "people": released.people.len(),
            "ended": released.ended.len(),
        })
    }

    /// A report from the field.
    pub fn report(&self, report: &Report) -> Value {
        let content = &report.content;
        let name = report.places.first().map(|id| self.place(id)).and_then(|place| place.get("name").cloned());
        let photos: Vec<_> =
            content.photos.iter().map(|id| json!({ "id": id, "url": format!("/api/v1/photos/{id}") })).collect();
        let state = match report.settled {
            None => "open",
            Some(false) => "resolved",
            Some(true) => "false-alarm",
        };
        let spot = &content.place;
        let masked = self.sight == Sight::Masked;
        let text = content.text.as_ref().map(|text| if masked { mask_digits(text) } else { text.clone() });
        json!({
            "id": report.id, "kind": content.kind, "type": content.type_, "grade": content.grade,
            "place": { "chainage": spot.chainage, "side": spot.side, "lon": spot.lon, "lat": spot.lat, "name": name },
            "observed_at": content.observed_at, "received_at": report.received_at, "text": text,
            "by": self.by(&report.by), "photos": photos, "state": state, "task": content.task,
            "seen_by": report.seen_by.as_ref().map(|by| &by.user), "place_from": report.place_from,
            "calls": 1 + report.calls.len(),
        })
    }
}

fn alarm_kind(alarm: &Alarm, state: &State) -> Value {
    let report = alarm.key.strip_prefix("report:").and_then(|id| state.reports.get(&id.parse().ok()?));
    report.map_or_else(|| json!(alarm.key.split(':').next()), |report| json!(report.content.kind))
}

/// Who calls for help, own people in the water's way, what happens to the works: before what nobody has answered.
pub fn alarm_rank(alarm: &Alarm, state: &State) -> usize {
    let kind = alarm_kind(alarm, state);
    let first = ["sos", "water", "hazard", "stones"];
    first.iter().position(|known| kind.as_str() == Some(known)).unwrap_or(first.len())
}

/// An alarm row.
/// Its kind is the beginning of its key; for a report, what was reported: `sos`, `hazard`, `tip`.
pub fn alarm(alarm: &Alarm, state: &State, now: Timestamp) -> Value {
    let shelved = alarm.shelved_until.filter(|until| *until > now);
    let minded = if alarm.closed {
        "closed"
    } else if shelved.is_some() {
        "shelved"
    } else if alarm.minded.is_some() && alarm.shelved_until.is_none() {
        "acked"
    } else {
        "new"
    };
    let kind = alarm_kind(alarm, state);
    json!({
        "id": alarm.key, "severity": alarm.severity, "kind": kind, "cause": alarm.key, "title": words(&alarm.title),
        "count": alarm.count, "since": alarm.since, "last": alarm.last, "state": minded,
        "acked_by": alarm.minded.as_ref().map(|(_, by)| &by.user),
        "acked_at": time(alarm.minded.as_ref().map(|(at, _)| *at)), "shelved_until": time(shelved),
    })
}

/// What a member's phone must tell him of the water: alarms of places where he is or goes to, each with its place.
pub fn must_leave(member: &MemberId, state: &State, reach: &Reach) -> Vec<Value> {
    let row = |(id, own): (&PlaceId, &Alarm)| {
        let mut row = alarm(own, state, state.at);
        row.as_object_mut()?.insert("place".into(), place_shape(reach.place(id)?));
        Some(row)
    };
    state.must_leave(reach, member).into_iter().filter_map(row).collect()
}

fn place_shape(place: &Place) -> Value {
    let mut shape = json!({
        "id": place.id, "kind": place.kind, "name": { "zh": place.name_zh, "en": place.name_en },
        "lon": place.lon, "lat": place.lat,
    });
    if let Some(shape) = shape.as_object_mut() {
        for (name, value) in [("chainage_from_m", place.chainage_from_m), ("chainage_to_m", place.chainage_to_m)] {
            shape.extend(value.map(|value| (name.to_owned(), json!(value))));
        }
    }
    shape
}

/// The fields of a task that come from its row of the playbook.
fn row_shape(row: &Instruction) -> serde_json::Map<String, Value> {
    let shape = json!({
        "title": { "zh": row.title_zh, "en": row.title_en }, "text": row.text_zh,
        "preauthorised": row.preauthorised, "authority": row.authority,
        "evidence": row.evidence, "basis": row.basis, "numbers_basis": row.numbers_basis,
        "our_default": row.our_default(), "repeat_min": row.repeat_min, "category": row.category,
        "phase": row.phase, "band": row.band,
    });
    shape.as_object().cloned().unwrap_or_default()
}

/// Counts of tasks by status: released ones of the open event and all drafts.
pub fn task_counts(state: &State) -> Value {
    let mut counts = std::collections::BTreeMap::new();
    for task in state.tasks.values() {
        *counts.entry(task.status).or_insert(0_u32) += 1;
    }
    let count = |status| counts.get(&status).copied().unwrap_or(0);
    let total: u32 =
        counts.iter().filter(|(status, _)| **status != TaskStatus::Withdrawn).map(|(_, count)| count).sum();
    json!({
        "total": total, "draft": count(TaskStatus::Draft), "issued": count(TaskStatus::Issued),
        "delivered": count(TaskStatus::Delivered), "acknowledged": count(TaskStatus::Acknowledged),
        "on_site": count(TaskStatus::OnSite), "done": count(TaskStatus::Done), "verified": count(TaskStatus::Verified),
        "declined": count(TaskStatus::Declined), "overdue": count(TaskStatus::Overdue),
        "escalated": count(TaskStatus::Escalated), "withdrawn": count(TaskStatus::Withdrawn),
    })
}

/// 叫应率: people who answered of those called, and how long they took.
pub fn answer_rate(state: &State) -> Value {
    let called = state.called();
    let answered = called.values().filter(|answered| **answered).count();
    let mut waits: Vec<f64> = state
        .tasks
        .values()
        .filter_map(|task| Some((task.acknowledged.as_ref()?.0 - task.issued_at?).num_milliseconds() as f64 / 1000.0))
        .collect();
    waits.sort_by(f64::total_cmp);
    let median_s = waits.get(waits.len() / 2);
    let rate = (!called.is_empty()).then(|| answered as f64 / called.len() as f64);
    json!({ "called": called.len(), "answered": answered, "rate": rate, "median_s": median_s })
}

/// What an account of that role may do on the screens.
pub fn rights(role: UserRole) -> Vec<&'static str> {
    match role {
        UserRole::Viewer | UserRole::Auditor => vec![],
        UserRole::Hydrologist => vec!["preview", "readings", "import", "correct"],
        UserRole::Duty => {
            vec![
                "preview",
                "activate",
                "confirm",
                "break-glass",
                "task",
                "order",
                "drill",
                "alarm",
                "import",
                "correct",
            ]
        }
        UserRole::Commander => {
            vec!["preview", "activate", "confirm", "break-glass", "task", "order", "drill", "alarm", "reveal"]
        }
        UserRole::Deputy => vec!["preview", "activate", "confirm-late", "task", "order", "alarm"],
        UserRole::Member => vec!["answer", "report"],
        UserRole::Director => vec!["preview", "drill", "inject"],
        UserRole::Operator => vec!["admin"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_masked() {
        assert_eq!(mask_name("李建国"), "李某某");
        assert_eq!(mask_name(""), "");
        assert_eq!(mask_phone("13812345678"), "138****5678");
        assert_eq!(mask_phone("1234567"), "****");
        let typed = "堤顶有人，电话13812345678，或 0371-6612345；2026 年第 3 段";
        assert_eq!(mask_digits(typed), "堤顶有人，电话138****5678，或 0371-****；2026 年第 3 段");
    }
}
