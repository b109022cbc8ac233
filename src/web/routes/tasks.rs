//! Tasks: lists, answers from the field, verification, the chain of evidence.

use super::{PageQuery, change, page};
use crate::command::{Input, why};
use crate::model::{DeclineReason, MemberId, TaskId, UserRole};
use crate::store::Delivery;
use crate::web::shape::{Frame, Sight};
use crate::web::{At, Body, Id, Problem, Query, Session};
use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Filters of the list; all given ones must hold.
#[derive(Debug, Default, Deserialize)]
pub struct TaskQuery {
    status: Option<String>,
    level: Option<String>,
    role: Option<String>,
    grid: Option<String>,
    member: Option<String>,
    code: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

/// Tasks, newest last; members see their own only, and never drafts.
///
/// # Errors
/// Without a login.
pub async fn list(At(post): At, session: Session, Query(query): Query<TaskQuery>) -> Result<Json<Value>, Problem> {
    let own = session.own_member()?;
    let member = match query.member.as_deref() {
        Some("me") => session.actor.member.as_ref().map(ToString::to_string),
        other => other.map(str::to_owned),
    };
    let state = post.engine.state();
    let frame = post.frame();
    let wanted = |task: &&crate::command::Task| {
        let row = frame.playbook.instruction(&task.code);
        let is = |filter: &Option<String>, value: &str| filter.as_ref().is_none_or(|wanted| wanted == value);
        own.as_ref().is_none_or(|own| task.concerns(own) && task.issued_at.is_some())
            && member.as_ref().is_none_or(|member| task.concerns(&member.as_str().into()))
            && is(&query.status, task.status.as_str())
            && is(&query.level, task.level.as_str())
            && is(&query.role, row.map_or("", |row| row.role.as_str()))
            && is(&query.grid, task.place.as_str())
            && is(&query.code, task.code.as_str())
    };
    let twin = post.live_twin(&state);
    let shape = |task: &crate::command::Task| (task.id, post.task(&frame, task, &state, twin.as_deref()));
    let items = state.tasks.values().filter(wanted).map(shape);
    let paging = PageQuery { after: query.after.clone(), limit: query.limit };
    Ok(Json(page(items, &paging)))
}

/// 收到.
///
/// # Errors
/// When the task is not the caller's or cannot be acknowledged.
pub async fn acknowledge(
    at: At,
    session: Session,
    Id(task): Id<TaskId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let input = Input::Acknowledge { by: session.actor.clone(), task };
    answer(at, session, headers, task, input).await
}

/// Body of a refusal.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclineBody {
    reason: DeclineReason,
    text: Option<String>,
}

/// 去不了.
///
/// # Errors
/// When the task is not the caller's or is at its end.
pub async fn decline(
    at: At,
    session: Session,
    Id(task): Id<TaskId>,
    headers: HeaderMap,
    Body(body): Body<DeclineBody>,
) -> Result<Response, Problem> {
    let input = Input::Decline { by: session.actor.clone(), task, reason: body.reason, text: body.text };
    answer(at, session, headers, task, input).await
}

/// 到达.
///
/// # Errors
/// When the task is not the caller's or is at its end.
pub async fn arrive(at: At, session: Session, Id(task): Id<TaskId>, headers: HeaderMap) -> Result<Response, Problem> {
    let input = Input::Arrive { by: session.actor.clone(), task };
    answer(at, session, headers, task, input).await
}

/// 完成.
///
/// # Errors
/// When the task is not the caller's or is at its end.
pub async fn done(at: At, session: Session, Id(task): Id<TaskId>, headers: HeaderMap) -> Result<Response, Problem> {
    let input = Input::Complete { by: session.actor.clone(), task };
    answer(at, session, headers, task, input).await
}

/// 核查.
///
/// # Errors
/// When the caller did it himself, has no right, or it is not done.
pub async fn verify(at: At, session: Session, Id(task): Id<TaskId>, headers: HeaderMap) -> Result<Response, Problem> {
    let input = Input::Verify { by: session.actor.clone(), task };
    answer(at, session, headers, task, input).await
}

/// Body of a recall.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonBody {
    reason: String,
}

/// 撤销.
///
/// # Errors
/// Without the right or a reason.
pub async fn withdraw(
    at: At,
    session: Session,
    Id(task): Id<TaskId>,
    headers: HeaderMap,
    Body(body): Body<ReasonBody>,
) -> Result<Response, Problem> {
    let input = Input::Withdraw { by: session.actor.clone(), tasks: vec![task], reason: body.reason };
    answer(at, session, headers, task, input).await
}

/// Body of an assignment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssignBody {
    member: MemberId,
    reason: String,
}

/// 改派: another person has it from now on.
///
/// # Errors
/// Without the right or a reason, for a member who is not in the reach, or a task at its end.
pub async fn assign(
    at: At,
    session: Session,
    Id(task): Id<TaskId>,
    headers: HeaderMap,
    Body(body): Body<AssignBody>,
) -> Result<Response, Problem> {
    let input = Input::Assign { by: session.actor.clone(), task, member: body.member, reason: body.reason };
    answer(at, session, headers, task, input).await
}

async fn answer(at: At, session: Session, headers: HeaderMap, task: TaskId, input: Input) -> Result<Response, Problem> {
    let post = Arc::clone(&at.0);
    change(&at, &session, &headers, input, move |state, _| {
        let frame = Frame { sight: Sight::Masked, ..post.frame() };
        let body = state
            .tasks
            .get(&task)
            .map_or(Value::Null, |task| post.task(&frame, task, state, post.live_twin(state).as_deref()));
        (StatusCode::OK, body)
    })
    .await
}

/// 依据链.
///
/// # Errors
/// When there is no such task, or it is not the caller's.
pub async fn explain(At(post): At, session: Session, Id(id): Id<TaskId>) -> Result<Json<Value>, Problem> {
    let own = session.own_member()?;
    let state = post.engine.state();
    let task = state.tasks.get(&id).filter(|task| own.as_ref().is_none_or(|own| task.concerns(own)));
    let task = task.ok_or_else(|| Problem::not_found(id))?;
    let steps: Vec<_> = why(post.engine.core(), &state, task)
        .into_iter()
        .map(|step| json!({ "kind": step.kind, "at": step.at, "fact": step.fact, "text": post.with_stations(&step.text) }))
        .collect();
    Ok(Json(json!({ "task": id, "steps": steps })))
}

/// Attempts to reach people for one task.
///
/// # Errors
/// Without a login of HQ.
pub async fn deliveries(At(post): At, session: Session, Id(id): Id<TaskId>) -> Result<Json<Value>, Problem> {
    if session.actor.role == UserRole::Member {
        return Err(Problem::forbidden("仅指挥部可查 (headquarters only)"));
    }
    let rows = post.engine.journal().deliveries(id).await?;
    Ok(Json(json!({ "items": deliveries_shape(&rows), "next": null })))
}

/// Attempts as the API lists them.
pub(super) fn deliveries_shape(rows: &[Delivery]) -> Value {
    rows.iter().map(|row| json!({ "member": row.member, "channel": row.channel, "state": row.state })).collect()
}

/// Which row, for whom.
#[derive(Debug, Deserialize)]
pub struct WhyNotQuery {
    instruction: String,
    member: Option<String>,
}

/// Why a row has not fired, or has not reached a member.
///
/// # Errors
/// When there is no such row.
pub async fn why_not(At(post): At, session: Session, Query(query): Query<WhyNotQuery>) -> Result<Json<Value>, Problem> {
    // A phone may ask about itself.
    let asked = match session.own_member()? {
        Some(own) => Some(own),
        None => query.member.as_deref().map(MemberId::from),
    };
    let core = post.engine.core();
    let code = query.instruction.as_str().into();
    let (Some(row), Some(index)) = (core.playbook.instruction(&code), core.playbook.row(&code)) else {
        return Err(Problem::not_found(&query.instruction));
    };
    let snapshot = post.signals();
    let state = post.engine.state();
    let verdicts = snapshot.map(|snapshot| core.playbook.evaluate(&snapshot, &state.standing(), &core.reach));
    let verdicts: Vec<_> = verdicts
        .unwrap_or_default()
        .into_iter()
        .filter(|verdict| verdict.row == index)
        .map(|verdict| json!({ "place": verdict.place, "truth": format!("{:?}", verdict.truth).to_lowercase(), "unknown": verdict.unknown }))
        .collect();
    let tasks = state.tasks.values().filter(|task| task.code == code);
    let mine = |task: &&crate::command::Task| asked.as_ref().is_none_or(|member| task.concerns(member));
    let tasks: Vec<_> =
        tasks.filter(mine).map(|task| json!({ "id": task.id, "place": task.place, "status": task.status })).collect();
    Ok(Json(json!({
        "instruction": code, "trigger": row.trigger.text, "phase": row.phase, "level_needed": row.colour.level(),
        "authority": row.authority, "verdicts": verdicts, "tasks": tasks,
    })))
}
