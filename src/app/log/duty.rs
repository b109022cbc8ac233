//! The duty officer's lines: what was decided and what went out, one line for a matter, one for a batch of orders.
//!
//! In: committed entries. Out: events of `tracing` under the room `command`. Free text, names and numbers of people stay
//! in the journal: lines carry ids, levels and counts.

use crate::command::{Entry, Fact, ReportKind, WATER_ALARM};
use crate::model::{ActivationId, MemberId, TaskId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// The room of these lines.
const ROOM: &str = "anlan::command";

/// Writes a line for what the feed tells until `stop`. A log that falls behind says how much it has missed; the journal
/// holds it.
pub async fn keep(mut feed: broadcast::Receiver<Arc<Vec<Entry>>>, stop: CancellationToken) {
    loop {
        let heard = tokio::select! {
            biased;
            heard = feed.recv() => heard,
            () = stop.cancelled() => return,
        };
        match heard {
            Ok(entries) => tell(&entries),
            Err(RecvError::Lagged(batches)) => {
                tracing::warn!(target: ROOM, batches, "日志落后，以上各批见事件日志 (the log fell behind: see the journal)");
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// The lines of one batch.
pub fn tell(entries: &[Entry]) {
    let mut batch = Batch::default();
    for entry in entries {
        matter(&entry.fact);
        batch.count(&entry.fact);
    }
    batch.tell();
}

/// Instruments, stones, and own people whom the water reaches.
fn speaks_of_river(alarm: &str) -> bool {
    ["silent:", "stones:", WATER_ALARM].iter().any(|kind| alarm.starts_with(kind))
}

/// What is told by itself.
fn matter(fact: &Fact) {
    match fact {
        // Alarms of tasks are counted in their batch; the titles of these name places and instruments, never a person.
        Fact::AlarmRaised { alarm, title, .. } if speaks_of_river(alarm) => {
            tracing::warn!(target: ROOM, alarm, "告警：{} ({})", title.zh, title.en);
        }
        Fact::AlarmClosed { alarm } if speaks_of_river(alarm) => {
            tracing::info!(target: ROOM, alarm, "告警解除 (the alarm is over)");
        }
        Fact::LevelProposed { from, to, .. } => {
            tracing::info!(target: ROOM, %from, %to, "建议等级变化 (the water proposes another level)");
        }
        Fact::LevelSet { from, to, activation, prepare_for_m3s } => {
            let request = activation.map_or_else(|| "-".to_owned(), |id| id.to_string());
            let prepare_for_m3s = prepare_for_m3s.unwrap_or(0.0);
            tracing::info!(target: ROOM, %from, %to, request, prepare_for_m3s, "响应等级生效 (a level is in force)");
        }
        Fact::EventOpened { event, edition } => {
            tracing::info!(target: ROOM, %event, edition, "汛情开始 (a flood event begins)");
        }
        Fact::Amended { by, amendment } => {
            let (user, series, at) = (&by.user, &amendment.series, amendment.at);
            let verdict = amendment.quality.grade;
            tracing::info!(target: ROOM, %user, %series, %at, ?verdict, "观测值人工订正 (a value was set by hand)");
        }
        Fact::EventClosed { event } => tracing::info!(target: ROOM, %event, "汛情结束 (the flood event is over)"),
        Fact::Ordered { name, place, by } | Fact::OrderLifted { name, place, by } => {
            let place = place.as_ref().map_or("*", |place| place.as_str());
            let by = by.as_ref().map_or("-", |by| by.user.as_str());
            let holds = matches!(fact, Fact::Ordered { .. });
            tracing::info!(target: ROOM, name, place, by, holds, "命令下达或解除 (an order was given or lifted)");
        }
        Fact::ModeSet { by, mode } => {
            tracing::info!(target: ROOM, by = by.user.as_str(), ?mode, "工作模式切换 (the working mode is switched)");
        }
        Fact::ReportSettled { report, by, false_alarm } => {
            tracing::info!(target: ROOM, %report, by = by.user.as_str(), false_alarm, "险情结束 (a report is settled)");
        }
        _ => {
            request(fact);
            report(fact);
        }
    }
}

/// A request to put a level in force, from its asking to its end.
fn request(fact: &Fact) {
    match fact {
        Fact::Asked { activation, by, level, .. } => {
            tracing::info!(target: ROOM, request = %activation, by = by.user.as_str(), %level, "申请启动，待第二人确认 (a level is requested)");
        }
        Fact::Confirmed { activation, by } => {
            tracing::info!(target: ROOM, request = %activation, by = by.user.as_str(), "第二人已确认 (confirmed by the second person)");
        }
        Fact::Refused { activation, by, .. } => {
            tracing::info!(target: ROOM, request = %activation, by = by.user.as_str(), "申请被退回 (refused)");
        }
        Fact::GlassBroken { activation, by, .. } => {
            tracing::info!(target: ROOM, request = %activation, by = by.user.as_str(), "单人破窗启动 (break-glass: one person alone)");
        }
        Fact::CommandersCalled { activation } => {
            tracing::info!(target: ROOM, request = %activation, "申请无人确认，已呼指挥长 (commanders are called)");
        }
        Fact::DeputiesAdmitted { activation } => {
            tracing::info!(target: ROOM, request = %activation, "副指挥长可确认 (deputies may confirm)");
        }
        Fact::Expired { activation } => {
            tracing::info!(target: ROOM, request = %activation, "申请失效，未启动 (expired, nothing is in force)");
        }
        _ => {}
    }
}

/// Hazards and calls for help.
fn report(fact: &Fact) {
    match fact {
        Fact::Reported { report, by, content, places, .. } => {
            let (by, place) = (by.user.as_str(), places.first().map_or("-", |place| place.as_str()));
            match content.kind {
                ReportKind::Sos => tracing::info!(target: ROOM, %report, by, place, "求救 (SOS)"),
                ReportKind::Hazard => {
                    let (kind, grade) = (content.type_.as_str(), content.grade);
                    tracing::info!(target: ROOM, %report, by, kind, grade, place, "险情 (a hazard is reported)");
                }
                ReportKind::Tip => tracing::info!(target: ROOM, %report, by, place, "线索 (a tip from outside)"),
                ReportKind::Patrol | ReportKind::Task => {}
            }
        }
        Fact::CalledAgain { report, .. } => tracing::info!(target: ROOM, %report, "再次求救 (SOS again)"),
        Fact::ReportSeen { report, by } => {
            tracing::info!(target: ROOM, %report, by = by.user.as_str(), "指挥部已阅 (headquarters has seen it)");
        }
        _ => {}
    }
}

/// What comes by the hundred and is told as a number.
#[derive(Default)]
struct Batch {
    /// The request that the facts of this step carry out.
    settling: Option<ActivationId>,
    released: BTreeMap<Option<ActivationId>, Release>,
    /// Went out in this step: what comes back in it reached nobody.
    fresh: BTreeSet<TaskId>,
    to_deputy: usize,
    to_commander: usize,
    overdue: usize,
    withdrawn: usize,
}

/// Tasks that went out, and to whom.
#[derive(Default)]
struct Release(BTreeMap<TaskId, Option<MemberId>>);

impl Batch {
    fn count(&mut self, fact: &Fact) {
        match fact {
            Fact::Received { .. } => {
                self.settling = None;
                self.fresh.clear();
            }
            Fact::Confirmed { activation, .. }
            | Fact::GlassBroken { activation, .. }
            | Fact::Expired { activation } => self.settling = Some(*activation),
            Fact::Issued { task, to, .. } => {
                self.fresh.insert(*task);
                self.released.entry(self.settling).or_default().0.insert(*task, to.clone());
            }
            Fact::Escalated { to: Some(_), .. } => self.to_deputy += 1,
            Fact::Escalated { to: None, .. } => self.to_commander += 1,
            Fact::Overdue { .. } => self.overdue += 1,
            Fact::Withdrawn { task, .. } if self.fresh.remove(task) => {
                self.released.values_mut().for_each(|release| drop(release.0.remove(task)));
            }
            Fact::Withdrawn { .. } => self.withdrawn += 1,
            _ => {}
        }
    }

    fn tell(self) {
        for (request, Release(given)) in self.released.into_iter().filter(|(_, release)| !release.0.is_empty()) {
            let request = request.map_or_else(|| "-".to_owned(), |id| id.to_string());
            let people = given.values().flatten().collect::<BTreeSet<_>>().len();
            let (tasks, unowned) = (given.len(), given.values().filter(|to| to.is_none()).count());
            tracing::info!(target: ROOM, request, tasks, people, unowned, "任务下发 (orders went out)");
        }
        if self.to_deputy + self.to_commander > 0 {
            let (deputy, commander) = (self.to_deputy, self.to_commander);
            tracing::info!(target: ROOM, deputy, commander, "无人应答，任务升级 (escalated to deputies and commanders)");
        }
        if self.overdue > 0 {
            tracing::info!(target: ROOM, tasks = self.overdue, "任务无人应答或逾期 (unanswered or overdue)");
        }
        if self.withdrawn > 0 {
            tracing::info!(target: ROOM, tasks = self.withdrawn, "任务撤回 (orders or drafts were taken back)");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::all_logged;
    use super::*;
    use crate::command::{Actor, FieldReport, Signature, WithdrawReason};
    use crate::model::{FactSeq, ReportId, Spot, Timestamp, UserRole, WarningLevel};

    fn told(facts: Vec<Fact>) -> Vec<String> {
        let at = Timestamp::from_timestamp(1_784_000_000, 0).unwrap();
        let entries: Vec<_> = (1..).zip(facts).map(|(seq, fact)| Entry { seq: FactSeq(seq), at, fact }).collect();
        all_logged(|| tell(&entries)).into_iter().map(|(text, _)| text).collect()
    }

    fn by(user: &str) -> Actor {
        Actor { user: user.into(), role: UserRole::Duty, member: None }
    }

    #[test]
    fn duty_log_tells_a_release_as_one_line_with_its_counts() {
        let activation = ActivationId(7);
        let issued = |task: u64, to: Option<&str>| Fact::Issued {
            task: TaskId(task),
            to: to.map(Into::into),
            level: WarningLevel::Orange,
            signature: Signature::Activation { activation },
            due_at: Timestamp::from_timestamp(0, 0).unwrap(),
        };
        let escalated =
            |task, to: Option<&str>| Fact::Escalated { task: TaskId(task), step: 1, to: to.map(Into::into) };
        let lines = told(vec![
            Fact::Confirmed { activation, by: by("li") },
            Fact::LevelSet {
                from: WarningLevel::Blue,
                to: WarningLevel::Orange,
                activation: Some(activation),
                prepare_for_m3s: None,
            },
            issued(1, Some("mbr-1")),
            issued(2, Some("mbr-1")),
            issued(3, None),
            issued(4, Some("mbr-9")),
            Fact::Withdrawn { task: TaskId(4), reason: WithdrawReason::Stopped },
            escalated(1, Some("mbr-2")),
            escalated(2, Some("mbr-2")),
            escalated(3, None),
            Fact::Overdue { task: TaskId(2) },
        ]);
        let has = |words: [&str; 3]| lines.iter().any(|line| words.iter().all(|word| line.contains(word)));
        assert!(lines.iter().all(|line| line.contains("信息 INFO  [command]")), "{lines:?}");
        assert!(has(["第二人已确认", "by=li", &activation.to_string()]), "{lines:?}");
        assert!(has(["响应等级生效", "from=blue", "to=orange"]), "{lines:?}");
        assert!(has(["任务下发", "tasks=3 people=1", "unowned=1"]), "{lines:?}");
        assert!(has(["任务升级", "deputy=2", "commander=1"]), "{lines:?}");
        assert!(has(["任务无人应答或逾期", "overdue)", "tasks=1"]), "{lines:?}");
        assert_eq!(lines.len(), 5);
    }

    #[test]
    fn duty_log_never_repeats_what_people_wrote() {
        let secret = "口令是 correct-horse，电话 13812345678";
        let content = FieldReport {
            kind: ReportKind::Sos,
            type_: "sos".into(),
            grade: 3,
            place: Spot::default(),
            observed_at: Timestamp::from_timestamp(0, 0).unwrap(),
            text: Some(secret.into()),
            photos: Vec::new(),
            task: None,
        };
        let lines = told(vec![
            Fact::Reported {
                report: ReportId(3),
                by: by("mbr-1"),
                content,
                places: vec!["seg-04".into()],
                place_from: None,
            },
            Fact::Asked {
                activation: ActivationId(9),
                by: by("zhang"),
                level: WarningLevel::Blue,
                reason: secret.into(),
                ordered_by: Some(secret.into()),
                prepare_for_m3s: None,
            },
            Fact::Refused { activation: ActivationId(9), by: by("li"), reason: secret.into() },
            Fact::Noticed { by: by("li"), members: Vec::new(), text: secret.into() },
        ]);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(
            lines.first().is_some_and(|line| line.contains("求救 (SOS)") && line.contains("place=seg-04")),
            "{lines:?}"
        );
        assert!(!lines.iter().any(|line| line.contains("horse") || line.contains("138")), "{lines:?}");
    }
}
