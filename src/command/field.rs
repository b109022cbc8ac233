//! What people in the field and at their desks say: answers, reports, orders, notices.

use super::core::Desk;
use super::task::Task;
use super::{Actor, Fact, FieldReport, Injection, Refused, ReportKind, Severity, Shot, WithdrawReason};
use crate::model::{
    DeclineReason, MemberId, PlaceId, ReportId, Spot, TaskId, TaskStatus, Timestamp, UserRole, WorkingMode,
};
use crate::playbook::{Arg, SignalKey};

const TEXT_LIMIT: usize = 2000;
const PHOTOS_LIMIT: usize = 24;

impl Desk<'_> {
    pub(super) fn deliver(&mut self, member: &MemberId, tasks: &[TaskId]) {
        let fresh: Vec<_> = tasks
            .iter()
            .copied()
            .filter(|id| {
                let task = self.state.tasks.get(id);
                task.is_some_and(|task| task.is_open() && task.concerns(member) && !task.delivered.contains_key(member))
            })
            .collect();
        if !fresh.is_empty() {
            self.record(Fact::Delivered { member: member.clone(), tasks: fresh });
        }
    }

    pub(super) fn acknowledge(&mut self, by: &Actor, id: TaskId) -> Result<(), Refused> {
        use TaskStatus::{Acknowledged, Declined, Delivered, Escalated, Issued, OnSite, Overdue};
        let status = self.own_task(by, id)?;
        match status {
            Issued | Delivered | Overdue | Escalated | Declined => {
                self.record(Fact::Acknowledged { task: id, by: by.clone() });
                Ok(())
            }
            Acknowledged | OnSite => Ok(()), // A second tap is not a fault and not a second answer.
            status => Err(Refused::IllegalMove { task: id, status, what: "签收" }),
        }
    }

    pub(super) fn decline(
        &mut self,
        by: &Actor,
        id: TaskId,
        reason: DeclineReason,
        text: Option<&str>,
    ) -> Result<(), Refused> {
        let status = self.own_task(by, id)?;
        // Owner and deputy may both answer: once the one is on his way, the other cannot take that away.
        let taken = |task: &Task| {
            let other = task.acknowledged.as_ref().and_then(|(_, other)| other.member.as_ref());
            by.member.is_some() && other.is_some() && other != by.member.as_ref()
        };
        let open = self.state.tasks.get(&id).is_some_and(|task| task.is_open() && !taken(task));
        if !open || status == TaskStatus::Declined {
            return Err(Refused::IllegalMove { task: id, status, what: "拒绝" });
        }
        let text = text.map(|text| text.chars().take(TEXT_LIMIT).collect());
        self.record(Fact::Declined { task: id, by: by.clone(), reason, text });
        if let Some(task) = self.state.tasks.get(&id).cloned() {
            self.escalate(&task);
        }
        Ok(())
    }

    pub(super) fn arrive(&mut self, by: &Actor, id: TaskId) -> Result<(), Refused> {
        match self.own_task(by, id)? {
            TaskStatus::OnSite => Ok(()),
            status if self.state.open.contains(&id) && status != TaskStatus::Declined => {
                self.record(Fact::Arrived { task: id, by: by.clone() });
                Ok(())
            }
            status => Err(Refused::IllegalMove { task: id, status, what: "到达" }),
        }
    }

    pub(super) fn complete(&mut self, by: &Actor, id: TaskId) -> Result<(), Refused> {
        let status = self.own_task(by, id)?;
        let round_done = self.state.tasks.get(&id).is_some_and(|task| task.round_done);
        match status {
            TaskStatus::Done | TaskStatus::Verified => Ok(()),
            _ if self.state.open.contains(&id) && round_done => Ok(()),
            status if self.state.open.contains(&id) && status != TaskStatus::Declined => {
                self.record(Fact::Completed { task: id, by: by.clone() });
                Ok(())
            }
            status => Err(Refused::IllegalMove { task: id, status, what: "完成" }),
        }
    }

    pub(super) fn verify(&mut self, by: &Actor, id: TaskId) -> Result<(), Refused> {
        if !by.is_headquarters() {
            return Err(Refused::NoRight { role: by.role, what: "核查任务" });
        }
        let task = self.state.tasks.get(&id).ok_or(Refused::NoTask(id))?;
        if task.status != TaskStatus::Done {
            return Err(Refused::IllegalMove { task: id, status: task.status, what: "核查" });
        }
        if task.done.as_ref().is_some_and(|(_, doer)| doer.user == by.user) {
            return Err(Refused::OwnWork(id));
        }
        self.record(Fact::Verified { task: id, by: by.clone() });
        Ok(())
    }

    pub(super) fn recall(&mut self, by: &Actor, tasks: &[TaskId], reason: &str) -> Result<(), Refused> {
        if !by.is_headquarters() {
            return Err(Refused::NoRight { role: by.role, what: "撤销任务" });
        }
        if reason.trim().is_empty() {
            return Err(Refused::NoReason);
        }
        for id in tasks {
            let task = self.state.tasks.get(id).ok_or(Refused::NoTask(*id))?;
            if !task.is_live() {
                return Err(Refused::IllegalMove { task: *id, status: task.status, what: "撤销" });
            }
        }
        for id in tasks {
            let reason = WithdrawReason::Recalled { by: by.clone(), reason: reason.trim().to_owned() };
            self.record(Fact::Withdrawn { task: *id, reason });
        }
        Ok(())
    }

    pub(super) fn report(&mut self, by: &Actor, content: &FieldReport) -> Result<(), Refused> {
        if !(1..=3).contains(&content.grade) {
            return Err(Refused::BadField {
                field: "grade",
                problem: "须为 1 一般、2 较大、3 重大 (1, 2 or 3)".into(),
            });
        }
        if content.text.as_ref().is_some_and(|text| text.chars().count() > TEXT_LIMIT) {
            return Err(Refused::BadField { field: "text", problem: format!("超过 {TEXT_LIMIT} 字 (too long)") });
        }
        if content.kind == ReportKind::Hazard && !is_word_of("hazard", &content.type_) {
            let problem = format!("未知险情类型 {:?} (unknown kind of hazard)", content.type_);
            return Err(Refused::BadField { field: "type", problem });
        }
        if let Some(known) = self.state.same_call(by, content) {
            if !known.has_call(content.observed_at) {
                let (report, observed_at, place) = (known.id, content.observed_at, content.place.clone());
                self.record(Fact::CalledAgain { report, observed_at, place });
            }
            return Ok(());
        }
        if let Some(known) = self.state.same_report(by, content).map(|known| known.id) {
            return self.add_photos(by, known, &content.photos, None);
        }
        let (places, place_from) = self.whereabouts(by, content)?;
        let report = ReportId(self.next_seq());
        self.record(Fact::Reported { report, by: by.clone(), content: content.clone(), places, place_from });
        let (severity, zh, en) = match content.kind {
            ReportKind::Sos => (Severity::Critical, "巡查人员求救 SOS", "SOS from the field"),
            // Nobody has to grade a breach.
            ReportKind::Hazard if content.grade == 3 || content.type_ == super::state::BREACH => {
                (Severity::Critical, "重大险情报告", "major hazard reported")
            }
            ReportKind::Hazard => (Severity::Warning, "险情报告", "hazard reported"),
            ReportKind::Tip => (Severity::Info, "线索待核实", "a tip waits to be looked at"),
            ReportKind::Patrol | ReportKind::Task => return Ok(()),
        };
        let kind = content.type_.as_str();
        let words = self.core.playbook.message(&format!("hazard.{kind}"));
        let name = words.map_or_else(|| crate::playbook::report_name(kind), Clone::clone);
        let (at_zh, at_en) = self.spot_words(report);
        let (zh, en) = (format!("{zh}：{} {at_zh}", name.zh), format!("{en}: {} {at_en}", name.en));
        self.raise(format!("report:{report}"), severity, zh.trim_end().to_owned(), en.trim_end().to_owned());
        Ok(())
    }

    pub(super) fn add_photos(
        &mut self,
        by: &Actor,
        id: ReportId,
        photos: &[String],
        shot: Option<&Shot>,
    ) -> Result<(), Refused> {
        let report = self.state.reports.get(&id).ok_or(Refused::NoReport(id))?;
        if report.by.user != by.user {
            return Err(Refused::NoRight { role: by.role, what: "为他人的报告加照片" });
        }
        let fresh: Vec<_> = photos.iter().filter(|photo| !report.content.photos.contains(photo)).cloned().collect();
        let replaced = shot.is_some_and(|shot| !shot.thumb && report.thumbs.contains_key(&shot.id));
        if report.content.photos.len() + fresh.len() > PHOTOS_LIMIT + usize::from(replaced) {
            let problem = format!("一份报告最多 {PHOTOS_LIMIT} 张 (at most {PHOTOS_LIMIT} photos a report)");
            return Err(Refused::BadField { field: "photo", problem });
        }
        // A small one that comes after its whole one tells nothing new.
        let known = shot.is_some_and(|shot| shot.thumb && report.shots.contains(&shot.id));
        if !known && (replaced || !fresh.is_empty()) {
            let photos = if replaced { photos.to_vec() } else { fresh };
            self.record(Fact::PhotosAdded { report: id, by: by.clone(), photos, shot: shot.cloned() });
        }
        Ok(())
    }

    pub(super) fn settle(&mut self, by: &Actor, id: ReportId, false_alarm: bool) -> Result<(), Refused> {
        if !by.is_headquarters() {
            return Err(Refused::NoRight { role: by.role, what: "结束险情" });
        }
        let report =
            self.state.reports.get(&id).filter(|report| report.settled.is_none()).ok_or(Refused::NoReport(id))?;
        if report.by.user == by.user {
            return Err(Refused::BadField {
                field: "id",
                problem: "不能结束自己上报的险情 (nobody settles his own report)".into(),
            });
        }
        self.record(Fact::ReportSettled { report: id, by: by.clone(), false_alarm });
        self.close_alarm(&format!("report:{id}"));
        Ok(())
    }

    /// The tip ends in the same step in which its hazard begins: nobody sees neither or both.
    pub(super) fn adopt(
        &mut self,
        by: &Actor,
        id: ReportId,
        type_: &str,
        grade: u8,
        place: Option<&Spot>,
    ) -> Result<(), Refused> {
        if !by.is_headquarters() {
            return Err(Refused::NoRight { role: by.role, what: "采信线索" });
        }
        let open = |tip: &&super::Report| tip.content.kind == ReportKind::Tip && tip.settled.is_none();
        let tip = self.state.reports.get(&id).filter(open).ok_or(Refused::NoReport(id))?;
        let content = FieldReport {
            kind: ReportKind::Hazard,
            type_: type_.to_owned(),
            grade,
            place: place.unwrap_or(&tip.content.place).clone(),
            ..tip.content.clone()
        };
        self.report(by, &content)?;
        self.record(Fact::ReportSettled { report: id, by: by.clone(), false_alarm: false });
        self.close_alarm(&format!("report:{id}"));
        Ok(())
    }

    pub(super) fn reveal_report(&mut self, by: &Actor, id: ReportId) -> Result<(), Refused> {
        if !self.state.reports.contains_key(&id) {
            return Err(Refused::NoReport(id));
        }
        self.record(Fact::ReportRevealed { by: by.clone(), report: id });
        Ok(())
    }

    pub(super) fn see_report(&mut self, by: &Actor, id: ReportId) -> Result<(), Refused> {
        if !by.is_headquarters() {
            return Err(Refused::NoRight { role: by.role, what: "签阅报告" });
        }
        let report = self.state.reports.get(&id).ok_or(Refused::NoReport(id))?;
        if report.seen_by.is_none() {
            self.record(Fact::ReportSeen { report: id, by: by.clone() });
        }
        Ok(())
    }

    pub(super) fn order(&mut self, by: &Actor, name: &str, place: Option<&PlaceId>, lift: bool) -> Result<(), Refused> {
        if !by.is_headquarters() {
            return Err(Refused::NoRight { role: by.role, what: "下达命令" });
        }
        if !is_word_of("order", name) {
            let problem = format!("未知命令或通报 {name:?} (unknown order or notice)");
            return Err(Refused::BadField { field: "name", problem });
        }
        if let Some(place) = place
            && self.core.reach.place(place).is_none()
        {
            return Err(Refused::BadField {
                field: "place", problem: format!("地点 {place} 不存在 (no such place)")
            });
        }
        let holds = self.state.orders.iter().any(|order| order.name == name && order.place.as_ref() == place);
        let (name, place) = (name.to_owned(), place.cloned());
        match (lift, holds) {
            (false, false) => self.record(Fact::Ordered { name, place, by: Some(by.clone()) }),
            (true, true) => self.record(Fact::OrderLifted { name, place, by: Some(by.clone()) }),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn notice(&mut self, by: &Actor, members: &[MemberId], text: &str) -> Result<(), Refused> {
        if !by.is_headquarters() {
            return Err(Refused::NoRight { role: by.role, what: "发送通知" });
        }
        if text.trim().is_empty() || text.chars().count() > TEXT_LIMIT {
            return Err(Refused::BadField {
                field: "text",
                problem: format!("须为 1 至 {TEXT_LIMIT} 字 (1 to {TEXT_LIMIT} characters)"),
            });
        }
        if let Some(unknown) = members.iter().find(|id| self.core.reach.member(id).is_none()) {
            return Err(Refused::NoMember(unknown.clone()));
        }
        if members.is_empty() {
            return Err(Refused::BadField { field: "members", problem: "至少一人 (at least one person)".into() });
        }
        self.record(Fact::Noticed { by: by.clone(), members: members.to_vec(), text: text.trim().to_owned() });
        Ok(())
    }

    pub(super) fn mode(&mut self, by: &Actor, mode: WorkingMode) -> Result<(), Refused> {
        if !by.is_headquarters() {
            return Err(Refused::NoRight { role: by.role, what: "切换工作模式" });
        }
        if self.state.mode != mode {
            self.record(Fact::ModeSet { by: by.clone(), mode });
        }
        Ok(())
    }

    /// An injection is only put down here: the drill's devices and people carry it out.
    pub(super) fn inject(&mut self, by: &Actor, injection: &Injection) -> Result<(), Refused> {
        if !by.may_direct() {
            return Err(Refused::NoRight { role: by.role, what: "注入故障" });
        }
        self.record(Fact::Injected { by: by.clone(), injection: injection.clone() });
        Ok(())
    }

    pub(super) fn health(&mut self, cause: &str, zh: &str, en: &str, silent: bool) {
        let key = format!("silent:{cause}");
        let dam = cause.strip_prefix(super::watch::STONES_OF).map(PlaceId::from);
        let dam = dam.and_then(|id| self.core.reach.place(&id));
        let named = |words: &str, name: fn(&crate::model::Place) -> &str| {
            dam.map_or_else(|| words.to_owned(), |dam| words.replace(dam.id.as_str(), name(dam)))
        };
        let (zh, en) = (named(zh, |dam| &dam.name_zh), named(en, |dam| &dam.name_en));
        let open = self.state.alarms.get(&key).is_some_and(|alarm| !alarm.closed);
        match (silent, open) {
            (true, false) => self.raise(key, Severity::Warning, zh, en),
            (false, true) => self.close_alarm(&key),
            _ => {}
        }
    }

    /// One alarm a dam. Unconfirmed it asks for a look and sends nobody; when a second stone agrees it is raised again,
    /// critical, and the rows that watch the stones hold from then on.
    pub(super) fn stone_hazard(
        &mut self,
        dam: &PlaceId,
        (first, first_at): (&str, Timestamp),
        stones: usize,
        confidence: f64,
        second_stone: bool,
    ) {
        let key = stones_alarm(dam);
        let severity = if second_stone { Severity::Critical } else { Severity::Warning };
        let known = self.state.alarms.get(&key).filter(|alarm| !alarm.closed).map(|alarm| alarm.severity);
        if known.is_some_and(|known| known >= severity) {
            return;
        }
        let place = self.core.reach.place(dam);
        let (name_zh, name_en) =
            place.map_or((dam.as_str(), dam.as_str()), |place| (place.name_zh.as_str(), place.name_en.as_str()));
        let since = super::why::beijing(first_at);
        let percent = (confidence * 100.0).round();
        let (ask_zh, ask_en) = if second_stone {
            ("邻石印证，按险情处置", "a second stone agrees: treat as a hazard")
        } else {
            (
                "待核实：先看摄像头或派人远看，不上坝",
                "unconfirmed: look by camera or from afar first, nobody on the dam",
            )
        };
        let zh = format!("{name_zh} 智能石头：{ask_zh}；首发 {first}（{since}），{stones} 块，置信度 {percent:.0}%");
        let en = format!(
            "smart stones of {name_en}: {ask_en}; first {first} at {since}, {stones} stones, confidence {percent:.0} %"
        );
        self.raise(key, severity, zh, en);
    }

    pub(super) fn mind_alarm(&mut self, by: &Actor, key: &str, shelve_until: Option<Timestamp>) -> Result<(), Refused> {
        if by.role == UserRole::Viewer || by.role == UserRole::Member {
            return Err(Refused::NoRight { role: by.role, what: "确认告警" });
        }
        if self.state.alarms.get(key).is_none_or(|alarm| alarm.closed) {
            return Err(Refused::NoAlarm(key.to_owned()));
        }
        self.record(Fact::AlarmMinded { alarm: key.to_owned(), by: by.clone(), shelved_until: shelve_until });
        if shelve_until.is_none() && by.is_headquarters() {
            self.see_report_behind(by, key);
        }
        Ok(())
    }

    /// Who takes note of a report's alarm has seen the report: the phone that waits for an answer hears it.
    fn see_report_behind(&mut self, by: &Actor, alarm: &str) {
        let unseen = |report: &&super::Report| report.seen_by.is_none() && alarm == format!("report:{}", report.id);
        if let Some(report) = self.state.reports.values().find(unseen).map(|report| report.id) {
            self.record(Fact::ReportSeen { report, by: by.clone() });
        }
    }

    pub(super) fn close_alarm(&mut self, key: &str) {
        if self.state.alarms.get(key).is_some_and(|alarm| !alarm.closed) {
            self.record(Fact::AlarmClosed { alarm: key.to_owned() });
        }
    }

    /// The status of a task that this actor may answer for.
    fn own_task(&self, by: &Actor, id: TaskId) -> Result<TaskStatus, Refused> {
        let task = self.state.tasks.get(&id).ok_or(Refused::NoTask(id))?;
        let own = by.member.as_ref().is_some_and(|member| task.concerns(member));
        if own { Ok(task.status) } else { Err(Refused::NotYours { task: id, member: by.member.clone() }) }
    }
}

/// The key of the alarm of a dam's stones.
pub(super) fn stones_alarm(dam: &PlaceId) -> String {
    format!("stones:{dam}")
}

/// Whether the trigger language knows the word as an argument of `order` or `hazard`; `any` is a question, not a kind.
fn is_word_of(function: &str, word: &str) -> bool {
    word != "any" && SignalKey::new(function, vec![Arg::Word(word.into())]).is_ok()
}
