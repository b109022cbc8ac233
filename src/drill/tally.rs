//! What a drill amounted to, folded from its journal: delays, answers, escalations, rounds, orders, alarms.
//!
//! In: entries, as they come. Out: figures for the report. It judges nobody; [`super::score`] proposes.

use crate::command::{Entry, Fact, Injection, ReportKind, WATER_ALARM, WithdrawReason};
use crate::model::{ActivationId, InstructionCode, MemberId, PlaceId, ReportId, TaskId, Timestamp, WarningLevel};
use crate::playbook::{Words, report_name};
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// Lines of the timeline that are kept; a drill of a month has a hundred.
const LINES_MAX: usize = 5_000;

/// One task from draft to end.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskLine {
    /// Row of the playbook.
    pub code: InstructionCode,
    /// Where.
    pub place: PlaceId,
    /// A 角.
    pub owner: Option<MemberId>,
    /// Colour at release.
    pub level: WarningLevel,
    /// Draft.
    pub drafted: Timestamp,
    /// Release.
    pub issued: Option<Timestamp>,
    /// On a phone.
    pub delivered: Option<Timestamp>,
    /// First 收到.
    pub answered: Option<(Timestamp, MemberId)>,
    /// 到达.
    pub arrived: Option<Timestamp>,
    /// Last 完成.
    pub done: Option<Timestamp>,
    /// 核查.
    pub verified: Option<Timestamp>,
    /// To be done by, at release.
    pub due: Option<Timestamp>,
    /// Refusals.
    pub declined: u32,
    /// Steps of the ladder.
    pub escalations: u32,
    /// Each step: when, and to whom; `None`: the commander must act.
    pub escalated: Vec<(Timestamp, Option<MemberId>)>,
    /// Times that it stood as overdue.
    pub overdue: u32,
    /// Rounds begun.
    pub rounds: u32,
    /// Rounds missed.
    pub missed: u32,
    /// Taken back, and why.
    pub withdrawn: Option<(Timestamp, &'static str)>,
}

/// A request to put a level in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Which level.
    pub level: WarningLevel,
    /// Level in force before.
    pub from: WarningLevel,
    /// When the water proposed it, if it did.
    pub proposed: Option<Timestamp>,
    /// When it was asked.
    pub asked: Timestamp,
    /// By whom.
    pub asked_by: String,
    /// When and by whom it was settled.
    pub settled: Option<(Timestamp, String, &'static str)>,
}

/// A report from the field.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportLine {
    /// What the reporter said, in English what it is called.
    pub text: Words,
    /// A hazard, and not a call for help or a patrol's round.
    pub is_hazard: bool,
    /// When it came.
    pub at: Timestamp,
    /// When HQ looked.
    pub seen: Option<Timestamp>,
    /// When it was settled, and whether it was nothing.
    pub settled: Option<(Timestamp, bool)>,
}

/// An alarm by its cause.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmLine {
    /// Words for the wall.
    pub title: Words,
    /// First.
    pub first: Timestamp,
    /// How often.
    pub count: u32,
    /// Each time, where lives hang on it.
    pub each: Vec<Timestamp>,
}

/// All figures of a drill.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Facts folded in.
    pub facts: u64,
    /// Last moment.
    pub until: Option<Timestamp>,
    /// Edition of the playbook.
    pub edition: String,
    /// What happened at headquarters, in order.
    pub timeline: Vec<(Timestamp, Words)>,
    /// Requests.
    pub requests: BTreeMap<ActivationId, Request>,
    /// Tasks.
    pub tasks: BTreeMap<TaskId, TaskLine>,
    /// Reports.
    pub reports: BTreeMap<ReportId, ReportLine>,
    /// Alarms by cause.
    pub alarms: BTreeMap<String, AlarmLine>,
    /// Fired hazard rows: when, which.
    pub hazard_rows: Vec<(Timestamp, InstructionCode)>,
    /// Everyone called, and whether a hand has answered.
    pub called: BTreeMap<MemberId, bool>,
    /// Orders given, with the moment.
    pub orders: Vec<(Timestamp, String, Option<PlaceId>)>,
    /// Orders that were lifted: when, which, where.
    pub lifted: Vec<(Timestamp, String, Option<PlaceId>)>,
    /// What the director broke from the headquarters page, in order.
    pub injected: Vec<Injection>,
    /// Level in force.
    pub in_force: WarningLevel,
    /// Highest level that was in force.
    pub highest: WarningLevel,
    /// The event is open.
    pub event_open: bool,
    proposed: Option<(Timestamp, WarningLevel)>,
}

impl Tally {
    /// Folds entries in, in their order.
    pub fn take(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.facts += 1;
            self.until = Some(entry.at);
            self.headquarters(entry);
            self.field(entry);
        }
    }

    fn say(&mut self, at: Timestamp, zh: String, en: String) {
        if self.timeline.len() < LINES_MAX {
            self.timeline.push((at, Words { zh, en }));
        }
    }

    fn headquarters(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.fact {
            Fact::EventOpened { edition, .. } => {
                self.edition.clone_from(edition);
                self.event_open = true;
                self.say(at, "汛情过程开始".into(), "the flood event opens".into());
            }
            Fact::EventClosed { .. } => {
                self.event_open = false;
                self.say(at, "汛情过程结束（全部解除）".into(), "all-clear: the flood event closes".into());
            }
            Fact::LevelProposed { from, to, reason } => {
                self.proposed = Some((at, *to));
                let zh = format!("系统建议 {} → {}：{}", name(*from), name(*to), reason.zh);
                self.say(at, zh, format!("proposed {from} → {to}: {}", reason.en));
            }
            Fact::Asked { activation, by, level, .. } => {
                let proposed = self.proposed.filter(|(_, to)| to == level).map(|(at, _)| at);
                let request = Request {
                    level: *level,
                    from: self.in_force,
                    proposed,
                    asked: at,
                    asked_by: by.user.to_string(),
                    settled: None,
                };
                self.requests.insert(*activation, request);
                let (zh, en) = if *level == self.in_force {
                    (
                        "申请补发待签任务，响应级别不变".to_owned(),
                        "asks to release what waits, level unchanged".to_owned(),
                    )
                } else {
                    (format!("申请 {}", name(*level)), format!("asks for {level}"))
                };
                self.say(at, format!("{} {zh}（{activation}）", by.user), format!("{} {en} ({activation})", by.user));
            }
            Fact::Confirmed { activation, by } => self.settle(at, *activation, by.user.as_str(), "确认", "confirmed"),
            Fact::Refused { activation, by, .. } => self.settle(at, *activation, by.user.as_str(), "退回", "refused"),
            Fact::GlassBroken { activation, by, .. } => {
                self.settle(at, *activation, by.user.as_str(), "破窗启动", "break-glass");
            }
            Fact::Expired { activation } => self.settle(at, *activation, "-", "无人确认，失效", "expired"),
            Fact::CommandersCalled { activation } => {
                self.say(
                    at,
                    format!("{activation} 60 秒未确认，呼叫指挥长"),
                    format!("{activation}: commanders are called"),
                );
            }
            Fact::LevelSet { from, to, .. } => {
                self.in_force = *to;
                self.highest = self.highest.max(*to);
                self.say(at, format!("生效 {} → {}", name(*from), name(*to)), format!("in force {from} → {to}"));
            }
            Fact::Lowering { on: true } => self.say(at, "转入降级过程".into(), "on the way down".into()),
            Fact::Lowering { on: false } => self.say(at, "再次转为上升".into(), "on the way up again".into()),
            Fact::Ordered { name, place, .. } => {
                self.orders.push((at, name.clone(), place.clone()));
                let place = place.as_ref().map_or("*", PlaceId::as_str);
                self.say(at, format!("命令/通报 {name}（{place}）"), format!("order {name} at {place}"));
            }
            Fact::OrderLifted { name, place, .. } => {
                self.lifted.push((at, name.clone(), place.clone()));
                let place = place.as_ref().map_or("*", PlaceId::as_str);
                self.say(at, format!("解除 {name}（{place}）"), format!("lifted {name} at {place}"));
            }
            Fact::ModeSet { mode, .. } => {
                self.say(at, format!("工作模式 {}", mode.name_zh()), format!("mode {mode:?}"))
            }
            Fact::Injected { injection, .. } => self.injected.push(injection.clone()),
            Fact::AlarmRaised { alarm, title, .. } => {
                if alarm.starts_with(WATER_ALARM) {
                    self.say(at, title.zh.clone(), title.en.clone());
                }
                let line = || AlarmLine { title: title.clone(), first: at, count: 0, each: Vec::new() };
                let line = self.alarms.entry(alarm.clone()).or_insert_with(line);
                line.count += 1;
                if alarm.starts_with(WATER_ALARM) {
                    line.each.push(at);
                }
            }
            Fact::Fired { code, .. } if code.as_str().starts_with("H-") => self.hazard_rows.push((at, code.clone())),
            _ => {}
        }
    }

    fn settle(&mut self, at: Timestamp, id: ActivationId, by: &str, zh: &str, en: &'static str) {
        if let Some(request) = self.requests.get_mut(&id) {
            request.settled = Some((at, by.to_owned(), en));
        }
        self.say(at, format!("{id} {by} {zh}"), format!("{id}: {en} by {by}"));
    }

    fn field(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.fact {
            Fact::Drafted { task, code, place, owner, .. } => {
                let line = TaskLine {
                    code: code.clone(),
                    place: place.clone(),
                    owner: owner.clone(),
                    level: WarningLevel::None,
                    drafted: at,
                    issued: None,
                    delivered: None,
                    answered: None,
                    arrived: None,
                    done: None,
                    verified: None,
                    due: None,
                    declined: 0,
                    escalations: 0,
                    escalated: Vec::new(),
                    overdue: 0,
                    rounds: 0,
                    missed: 0,
                    withdrawn: None,
                };
                self.tasks.insert(*task, line);
            }
            Fact::Issued { task, to, level, due_at, .. } => {
                self.call(to.as_ref());
                self.line(*task, |line| {
                    (line.issued, line.level, line.due) = (Some(at), *level, Some(*due_at));
                });
            }
            Fact::Delivered { tasks, .. } => {
                for task in tasks {
                    self.line(*task, |line| line.delivered = line.delivered.or(Some(at)));
                }
            }
            Fact::Acknowledged { task, by } => {
                self.answer(by.member.as_ref());
                self.line(*task, |line| {
                    if let Some(member) = &by.member {
                        line.answered.get_or_insert((at, member.clone()));
                    }
                });
            }
            Fact::Declined { task, by, .. } => {
                self.answer(by.member.as_ref());
                self.line(*task, |line| line.declined += 1);
            }
            Fact::Arrived { task, .. } => self.line(*task, |line| line.arrived = line.arrived.or(Some(at))),
            Fact::Completed { task, .. } => self.line(*task, |line| line.done = Some(at)),
            Fact::Verified { task, .. } => self.line(*task, |line| line.verified = Some(at)),
            Fact::Overdue { task } => self.line(*task, |line| line.overdue += 1),
            Fact::Escalated { task, to, .. } => {
                self.call(to.as_ref());
                self.line(*task, |line| {
                    line.escalations += 1;
                    line.escalated.push((at, to.clone()));
                });
            }
            Fact::Assigned { task, to, due_at, .. } => {
                self.call(Some(to).filter(|_| due_at.is_some()));
                self.line(*task, |line| line.owner = Some(to.clone()));
            }
            Fact::RoundDue { task, round, missed, .. } => self.line(*task, |line| {
                line.rounds = *round;
                line.missed += u32::from(*missed);
            }),
            Fact::Withdrawn { task, reason } => self.line(*task, |line| line.withdrawn = Some((at, why(reason)))),
            Fact::Reported { report, content, .. } => {
                let is_hazard = content.kind == ReportKind::Hazard;
                let name = match content.kind {
                    ReportKind::Sos => Words::new("现场求救 SOS", "SOS from the field"),
                    _ => report_name(content.type_.as_str()),
                };
                let said = content.text.clone().unwrap_or_else(|| name.zh.clone());
                let zh = if is_hazard { format!("险情报告：{said}") } else { said.clone() };
                self.say(at, zh, format!("reported: {}", name.en));
                let text = Words::new(said, name.en);
                self.reports.insert(*report, ReportLine { text, is_hazard, at, seen: None, settled: None });
            }
            Fact::ReportSeen { report, .. } => {
                if let Some(line) = self.reports.get_mut(report) {
                    line.seen.get_or_insert(at);
                }
            }
            Fact::ReportSettled { report, false_alarm, .. } => {
                if let Some(line) = self.reports.get_mut(report) {
                    line.settled = Some((at, *false_alarm));
                }
            }
            _ => {}
        }
    }

    fn line(&mut self, task: TaskId, change: impl FnOnce(&mut TaskLine)) {
        if let Some(line) = self.tasks.get_mut(&task) {
            change(line);
        }
    }
    fn call(&mut self, member: Option<&MemberId>) {
        if let Some(member) = member {
            self.called.entry(member.clone()).or_insert(false);
        }
    }
    fn answer(&mut self, member: Option<&MemberId>) {
        if let Some(member) = member {
            self.called.insert(member.clone(), true);
        }
    }

    /// Released tasks.
    pub fn issued(&self) -> impl Iterator<Item = (&TaskId, &TaskLine)> {
        self.tasks.iter().filter(|(_, line)| line.issued.is_some())
    }
    /// Share of those called who have answered by hand (叫应率), 0…1; `None` before anybody was called.
    pub fn answer_rate(&self) -> Option<f64> {
        let answered = self.called.values().filter(|answered| **answered).count();
        (!self.called.is_empty()).then(|| answered as f64 / self.called.len() as f64)
    }
    /// Seconds from proposal to confirmation of each rise.
    pub fn decisions(&self) -> Figures {
        let raised = self.requests.values().filter(|request| request.level > request.from);
        Figures::of(raised.filter_map(|request| {
            let (settled, _, how) = request.settled.as_ref()?;
            (*how == "confirmed").then(|| *settled - request.proposed.unwrap_or(request.asked))
        }))
    }
    /// Seconds from release to the phone.
    pub fn deliveries(&self) -> Figures {
        Figures::of(self.issued().filter_map(|(_, line)| Some(line.delivered? - line.issued?)))
    }
    /// Seconds from release to the first 收到.
    pub fn answers(&self) -> Figures {
        Figures::of(self.issued().filter_map(|(_, line)| Some(line.answered.as_ref()?.0 - line.issued?)))
    }
    /// Seconds from 收到 to 完成 of tasks that are done once.
    pub fn works(&self) -> Figures {
        let once = self.issued().filter(|(_, line)| line.rounds == 0);
        Figures::of(once.filter_map(|(_, line)| Some(line.done? - line.answered.as_ref()?.0)))
    }
    /// Seconds from 收到 to 到达.
    pub fn actions(&self) -> Figures {
        Figures::of(self.issued().filter_map(|(_, line)| Some(line.arrived? - line.answered.as_ref()?.0)))
    }
}

/// Times in order, in seconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures(Vec<f64>);

impl Figures {
    fn of(times: impl Iterator<Item = TimeDelta>) -> Self {
        let mut seconds: Vec<f64> = times.map(|time| time.num_milliseconds() as f64 / 1000.0).collect();
        seconds.sort_by(f64::total_cmp);
        Self(seconds)
    }
    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }
    /// The time that so many percent keep, in seconds; `None` without any.
    pub fn percentile(&self, percent: usize) -> Option<f64> {
        let at = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(at).copied()
    }
    /// How many lie within `from..to` seconds.
    pub fn within(&self, from: f64, to: f64) -> usize {
        self.0.iter().filter(|second| (from..to).contains(*second)).count()
    }
}

/// 无、蓝色IV….
fn name(level: WarningLevel) -> String {
    format!("{}{}", level.name_zh(), level.roman())
}

fn why(reason: &WithdrawReason) -> &'static str {
    match reason {
        WithdrawReason::Superseded { .. } => "superseded",
        WithdrawReason::StoodDown => "stood-down",
        WithdrawReason::Stopped => "stopped",
        WithdrawReason::Recalled { .. } => "recalled",
        WithdrawReason::Settled => "settled",
        WithdrawReason::RaisedAgain => "raised-again",
    }
}
