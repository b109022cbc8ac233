//! `GET /api/v1/stream`: committed facts as Server-Sent Events.
//!
//! Ids are positions in the journal, so `Last-Event-ID` replays what was missed; one event may share the id of the
//! next. A listener that falls behind is told to read the lists anew (`resync`), never left with a hole. Members get
//! their own tasks only. What is written to a member's open stream counts as delivered and is put down as such.

use super::session::token;
use super::shape::{self, Frame, Sight};
use super::{At, Post, Problem, Session, Site};
use crate::command::{Entry, Fact, Input, State, WATER_ALARM};
use crate::model::{FactSeq, MemberId, TaskId, UserRole};
use axum::extract::State as Extract;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::Stream;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

const BUFFER: usize = 256;
const REPLAY_MAX: usize = 20_000;
const SITUATION_EVERY: Duration = Duration::from_secs(1);
/// How long a stream may outlive its session.
const SESSION_CHECK_EVERY: Duration = Duration::from_secs(5);

struct Listener {
    site: Arc<Site>,
    post: Arc<Post>,
    member: Option<MemberId>,
    sight: Sight,
    token: String,
    out: mpsc::Sender<Result<Event, Infallible>>,
}

/// The stream of one screen or phone.
///
/// # Errors
/// Without a login, or when as many streams are open as the site allows.
pub async fn stream(
    Extract(site): Extract<Arc<Site>>,
    At(post): At,
    session: Session,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let after = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    if site.workers.len() >= site.limits.streams {
        let detail = "实时连接数已满，请稍后重试 (too many streams are open, come back later)";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-streams", detail));
    }
    let token = token(&headers).ok_or_else(Problem::no_login)?;
    let (out, inbox) = mpsc::channel(BUFFER);
    let member = (session.actor.role == UserRole::Member).then(|| session.actor.member.clone()).flatten();
    if session.actor.role == UserRole::Member && member.is_none() {
        return Err(Problem::forbidden("账号未绑定网格员 (the account has no member)"));
    }
    let listener = Listener { site: Arc::clone(&site), post, member, sight: Sight::Masked, token, out };
    site.workers.spawn(listener.run(after.map(FactSeq)));
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(10)).text("on");
    Ok(Sse::new(tokio_stream::wrappers::ReceiverStream::new(inbox)).keep_alive(keep_alive))
}

impl Listener {
    async fn run(self, after: Option<FactSeq>) {
        let stop = self.site.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.out.closed() => {}
            _ = self.listen(after) => {}
        }
    }

    /// Whether the session still stands; a store that cannot say does not cut the wall off.
    async fn logged_in(&self) -> bool {
        !matches!(self.site.users.session(&self.token, (self.site.wall)()).await, Ok(None))
    }

    /// Ends when the listener has gone: every `?` on a closed channel leads here.
    async fn listen(&self, after: Option<FactSeq>) -> Option<()> {
        let engine = &self.post.engine;
        // Subscribe first, then read: nothing falls between.
        let mut feed = engine.feed();
        let mut last = engine.state().last;
        if let Some(after) = after {
            last = self.replay(after, last).await?;
        }
        self.situation(last).await?;
        let mut beat = tokio::time::interval(SITUATION_EVERY);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut check = tokio::time::interval(SESSION_CHECK_EVERY);
        loop {
            tokio::select! {
                batch = feed.recv() => match batch {
                    Ok(entries) => {
                        let fresh: Vec<_> = entries.iter().filter(|entry| entry.seq > last).collect();
                        self.tell(&fresh).await?;
                        last = entries.last().map_or(last, |entry| entry.seq.max(last));
                        if self.member.is_none() || fresh.iter().any(|entry| for_everyone(&entry.fact)) {
                            self.situation(last).await?;
                        }
                    }
                    Err(RecvError::Lagged(_)) => {
                        last = engine.state().last;
                        self.send("resync", last, &json!({ "reason": "lagged" })).await?;
                    }
                    Err(RecvError::Closed) => return None,
                },
                _ = beat.tick() => self.situation(last).await?,
                // A lost phone that was revoked, or a watch that ended: the next connection is asked to log in.
                _ = check.tick() => if !self.logged_in().await { return None },
            }
        }
    }

    async fn replay(&self, after: FactSeq, upto: FactSeq) -> Option<FactSeq> {
        if after > upto || upto.0 - after.0 > REPLAY_MAX as u64 {
            self.send("resync", upto, &json!({ "reason": "too-far-behind" })).await?;
            return Some(upto);
        }
        match self.post.engine.journal().entries_after(after, REPLAY_MAX).await {
            Ok(entries) => {
                let entries: Vec<_> = entries.iter().filter(|entry| entry.seq <= upto).collect();
                self.tell(&entries).await?;
            }
            Err(fault) => {
                tracing::warn!(fault = &fault as &dyn std::error::Error, "补发失败 (replay failed)");
                self.send("resync", upto, &json!({ "reason": "replay-failed" })).await?;
            }
        }
        Some(upto)
    }

    /// Sends what the entries changed, once for each thing, then puts deliveries down.
    async fn tell(&self, entries: &[&Entry]) -> Option<()> {
        let Some(last) = entries.last().map(|entry| entry.seq) else { return Some(()) };
        let (events, delivered) = {
            let state = self.post.engine.state();
            self.events(entries, &state)
        };
        for (name, data) in events {
            self.send(name, last, &data).await?;
        }
        if let (Some(member), false) = (&self.member, delivered.is_empty()) {
            let input = Input::Deliver { member: member.clone(), tasks: delivered };
            if let Err(fault) = self.post.engine.submit(input).await {
                tracing::warn!(fault = &fault as &dyn std::error::Error, "送达未记入 (a delivery was not put down)");
            }
        }
        Some(())
    }

    fn events(&self, entries: &[&Entry], state: &State) -> (Vec<(&'static str, Value)>, Vec<TaskId>) {
        let frame = Frame { sight: self.sight, ..self.post.frame() };
        let mut touched = Touched::default();
        let mut events = Vec::new();
        for entry in entries {
            touched.note(&entry.fact);
            if let (Fact::LevelProposed { from, to, reason }, None) = (&entry.fact, &self.member) {
                let reason = json!({ "zh": reason.zh, "en": reason.en });
                events.push(("proposal", json!({ "level": to, "from": from, "reason": reason, "at": entry.at })));
            }
            if let Fact::Noticed { members, text, by } = &entry.fact
                && self.member.as_ref().is_none_or(|member| members.contains(member))
            {
                let notice =
                    json!({ "id": format!("notice-{}", entry.seq.0), "text": text, "by": by.user, "at": entry.at });
                events.push(("notice", notice));
            }
        }
        let mut delivered = Vec::new();
        let twin = if touched.tasks.is_empty() { None } else { self.post.live_twin(state) };
        for task in touched.tasks.iter().filter_map(|id| state.tasks.get(id)) {
            let called = |member| task.concerns(member) || task.relieved.contains_key(member);
            let told = self.member.as_ref().is_none_or(|member| called(member) && task.issued_at.is_some());
            if told {
                events.push(("task", self.post.task(&frame, task, state, twin.as_deref())));
                let new = |member| task.concerns(member) && !task.delivered.contains_key(member);
                if task.is_open() && self.member.as_ref().is_some_and(new) {
                    delivered.push(task.id);
                }
            }
        }
        if let Some(member) = &self.member {
            let moves = |task: &TaskId| state.tasks.get(task).is_some_and(|task| task.concerns(member));
            if touched.alarms.iter().any(|key| key.starts_with(WATER_ALARM)) || touched.tasks.iter().any(moves) {
                let items = shape::must_leave(member, state, &self.post.engine.core().reach);
                events.push(("leave", json!({ "items": items })));
            }
        } else {
            let activations = touched.activations.iter().filter_map(|id| state.activations.get(id));
            events.extend(activations.map(|asked| ("activation", self.post.activation(asked, state))));
            let alarms = touched.alarms.iter().filter_map(|key| state.alarms.get(key));
            events.extend(alarms.map(|alarm| ("alarm", shape::alarm(alarm, state, state.at))));
        }
        let reports = touched.reports.iter().filter_map(|id| state.reports.get(id));
        let mine = |by: &crate::command::Actor| self.member.is_none() || by.member == self.member;
        events.extend(reports.filter(|report| mine(&report.by)).map(|report| ("report", frame.report(report))));
        (events, delivered)
    }

    async fn situation(&self, last: FactSeq) -> Option<()> {
        let text = self.post.situation_text();
        self.out.send(Ok(Event::default().event("situation").id(last.0.to_string()).data(&*text))).await.ok()
    }

    /// `None` when nobody listens any more.
    async fn send(&self, name: &str, id: FactSeq, data: &Value) -> Option<()> {
        let event = Event::default().event(name).id(id.0.to_string()).data(data.to_string());
        self.out.send(Ok(event)).await.ok()
    }
}

/// Whether a phone without a task must know at once as well; else its situation comes with the next beat.
fn for_everyone(fact: &Fact) -> bool {
    matches!(fact, Fact::LevelSet { .. } | Fact::ModeSet { .. } | Fact::Ordered { .. } | Fact::OrderLifted { .. })
}

/// What a batch of facts has changed.
#[derive(Default)]
struct Touched {
    tasks: BTreeSet<TaskId>,
    activations: BTreeSet<crate::model::ActivationId>,
    alarms: BTreeSet<String>,
    reports: BTreeSet<crate::model::ReportId>,
}

impl Touched {
    fn note(&mut self, fact: &Fact) {
        match fact {
            Fact::Drafted { task, .. }
            | Fact::Issued { task, .. }
            | Fact::Acknowledged { task, .. }
            | Fact::Declined { task, .. }
            | Fact::Arrived { task, .. }
            | Fact::Completed { task, .. }
            | Fact::Verified { task, .. }
            | Fact::RoundDue { task, .. }
            | Fact::Overdue { task }
            | Fact::Escalated { task, .. }
            | Fact::Assigned { task, .. }
            | Fact::Withdrawn { task, .. } => {
                self.tasks.insert(*task);
            }
            Fact::Delivered { tasks, .. } => self.tasks.extend(tasks),
            Fact::Asked { activation, .. }
            | Fact::CommandersCalled { activation }
            | Fact::DeputiesAdmitted { activation }
            | Fact::Confirmed { activation, .. }
            | Fact::Refused { activation, .. }
            | Fact::Expired { activation }
            | Fact::GlassBroken { activation, .. } => {
                self.activations.insert(*activation);
            }
            Fact::AlarmRaised { alarm, .. } | Fact::AlarmMinded { alarm, .. } | Fact::AlarmClosed { alarm } => {
                self.alarms.insert(alarm.clone());
            }
            Fact::CalledAgain { report, .. } => {
                self.reports.insert(*report);
                self.alarms.insert(format!("report:{report}"));
            }
            Fact::Reported { report, .. }
            | Fact::PhotosAdded { report, .. }
            | Fact::ReportSeen { report, .. }
            | Fact::ReportSettled { report, .. } => {
                self.reports.insert(*report);
            }
            _ => {}
        }
    }
}
