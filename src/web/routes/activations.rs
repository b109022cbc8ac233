//! Preview, and the two persons who put a level in force.

use super::change;
use crate::command::{Fact, Input, State};
use crate::model::{ActivationId, Discharge, InstructionCode, TaskStatus, WarningLevel};
use crate::playbook::preview;
use crate::web::{At, Body, Id, Post, Problem, Session};
use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// No flood at Huayuankou is known above this, in m³/s; more is a slip of the hand.
const DISCHARGE_MAX_M3S: f64 = 60_000.0;

/// A what-if.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviewBody {
    discharge_m3s: f64,
    forecast: Option<ForecastBody>,
}

/// A forecast to assume.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecastBody {
    discharge_m3s: f64,
    hours: f64,
}

/// What would happen at a discharge; sends nothing, changes nothing.
///
/// # Errors
/// When the discharge is no discharge, or the account may not preview.
pub async fn preview_discharge(
    At(post): At,
    session: Session,
    Body(body): Body<PreviewBody>,
) -> Result<Json<Value>, Problem> {
    session.may("preview")?;
    let q = discharge("discharge_m3s", body.discharge_m3s)?;
    let forecast = match body.forecast {
        Some(ahead) if !(0.0..=240.0).contains(&ahead.hours) => {
            return Err(Problem::bad_field("forecast.hours", "须为 0 至 240 小时 (0 to 240 hours)"));
        }
        Some(ahead) => Some((ahead.hours, discharge("forecast.discharge_m3s", ahead.discharge_m3s)?.as_m3s())),
        None => None,
    };
    Ok(Json(shape(&post, q, forecast)))
}

fn discharge(field: &str, value: f64) -> Result<Discharge, Problem> {
    let plausible = Discharge::from_m3s(value).filter(|q| (0.0..=DISCHARGE_MAX_M3S).contains(&q.as_m3s()));
    plausible.ok_or_else(|| {
        let limits = format!("流量须为 0 至 {DISCHARGE_MAX_M3S} m³/s (0 to {DISCHARGE_MAX_M3S} m³/s)");
        Problem::bad_field(field, limits)
    })
}

fn shape(post: &Post, q: Discharge, forecast: Option<(f64, f64)>) -> Value {
    let core = post.engine.core();
    let (playbook, reach) = (&core.playbook, &core.reach);
    let now = post.engine.now();
    let state = post.engine.state();
    let result = preview(playbook, reach, q.as_m3s(), forecast, now, &state.standing());
    let diff = result.diff(playbook, &active(&state));
    let frame = post.frame();
    let mut places: BTreeMap<&InstructionCode, usize> = BTreeMap::new();
    let mut people = BTreeSet::new();
    let mut unowned = 0;
    let mut tasks = Vec::new();
    for (row, place) in &result.tasks {
        let Some(row) = playbook.instructions().get(*row) else { continue };
        let owner = reach.on_duty(&row.role, place).map(|(owner, _)| owner);
        unowned += usize::from(owner.is_none());
        people.extend(owner);
        *places.entry(&row.code).or_default() += 1;
        tasks.push(
            json!({ "code": row.code, "place": frame.place(place), "role": row.role, "owner": frame.person(owner) }),
        );
    }
    let fires: Vec<_> = result
        .fires
        .iter()
        .filter_map(|code| playbook.instruction(code))
        .map(|row| {
            json!({
                "code": row.code, "band": row.band, "phase": row.phase, "role": row.role, "scope": row.scope,
                "trigger": row.trigger.text, "level": row.colour.level().unwrap_or(result.level),
                "title": { "zh": row.title_zh, "en": row.title_en },
                "places": places.get(&row.code).copied().unwrap_or(0), "our_default": row.our_default(),
            })
        })
        .collect();
    let waits: Vec<_> = result
        .waits
        .iter()
        .map(|wait| {
            let title = playbook.instruction(&wait.code).map(|row| json!({ "zh": row.title_zh, "en": row.title_en }));
            json!({ "code": wait.code, "title": title, "unknown": wait.unknown })
        })
        .collect();
    json!({
        "id": format!("prv-{}-{}", state.last.0, q.as_m3s()), "discharge_m3s": q.as_m3s(),
        "forecast": forecast.map(|(hours, q)| json!({ "discharge_m3s": q, "hours": hours })),
        "level": result.level, "reason": { "zh": result.reason.zh, "en": result.reason.en }, "band": result.band,
        "counts": { "instructions": fires.len(), "tasks": tasks.len(), "people": people.len(), "unowned": unowned },
        "instructions": { "fires": fires, "waits": waits, "excluded": result.excluded },
        "tasks": tasks,
        "diff": { "new": diff.new, "changed": diff.changed, "kept": diff.kept, "withdrawn": diff.withdrawn },
        "inundation": null,
        "inundation_reason": { "zh": "水动力孪生尚未运行，无淹没推演", "en": "the hydraulic twin has not run: no inundation" },
    })
}

/// Rows with a draft or an open task now.
fn active(state: &State) -> BTreeSet<InstructionCode> {
    state
        .tasks
        .values()
        .filter(|task| !matches!(task.status, TaskStatus::Withdrawn | TaskStatus::Verified | TaskStatus::Done))
        .map(|task| task.code.clone())
        .collect()
}

/// A request to put a level in force.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskBody {
    level: WarningLevel,
    reason: String,
    ordered_by: Option<String>,
    preview_id: Option<String>,
}

/// Asks for a level; a second person must confirm.
///
/// # Errors
/// Without the right, without a reason, or while another request waits.
pub async fn ask(at: At, session: Session, headers: HeaderMap, Body(body): Body<AskBody>) -> Result<Response, Problem> {
    let by = session.actor.clone();
    let AskBody { level, reason, ordered_by, preview_id } = body;
    let prepare_for_m3s = preview_id.as_deref().map(previewed_discharge).transpose()?;
    let input = Input::Ask { by, level, reason, ordered_by, prepare_for_m3s };
    let post = Arc::clone(&at.0);
    change(&at, &session, &headers, input, move |state, entries| {
        let asked = entries.iter().find_map(|entry| match &entry.fact {
            Fact::Asked { activation, .. } => state.activations.get(activation),
            _ => None,
        });
        (StatusCode::CREATED, asked.map_or(Value::Null, |asked| post.frame().activation(asked, state)))
    })
    .await
}

/// The discharge inside a preview's id.
fn previewed_discharge(id: &str) -> Result<f64, Problem> {
    let value = id.strip_prefix("prv-").and_then(|rest| rest.split_once('-')).and_then(|(_, q)| q.parse().ok());
    let value =
        value.ok_or_else(|| Problem::bad_field("preview_id", format!("不是预演编号 {id:?} (not a preview's id)")))?;
    Ok(discharge("preview_id", value)?.as_m3s())
}

/// All requests, newest last.
///
/// # Errors
/// For members.
pub async fn list(At(post): At, session: Session) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    let state = post.engine.state();
    let items: Vec<_> = state.activations.values().map(|asked| post.frame().activation(asked, &state)).collect();
    Ok(Json(json!({ "items": items, "next": null })))
}

/// One request.
///
/// # Errors
/// For members, and when there is none of that id.
pub async fn get(At(post): At, session: Session, Id(id): Id<ActivationId>) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    let state = post.engine.state();
    let asked = state.activations.get(&id).ok_or_else(|| Problem::not_found(id))?;
    Ok(Json(post.frame().activation(asked, &state)))
}

/// The second person agrees.
///
/// # Errors
/// For the asker, without the right, or when it is settled.
pub async fn confirm(
    at: At,
    session: Session,
    Id(id): Id<ActivationId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let input = Input::Confirm { by: session.actor.clone(), activation: id };
    settle(at, session, headers, id, input).await
}

/// Why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonBody {
    reason: String,
}

/// The second person refuses, or the asker takes it back.
///
/// # Errors
/// Without the right or a reason, or when it is settled.
pub async fn refuse(
    at: At,
    session: Session,
    Id(id): Id<ActivationId>,
    headers: HeaderMap,
    Body(body): Body<ReasonBody>,
) -> Result<Response, Problem> {
    let input = Input::Refuse { by: session.actor.clone(), activation: id, reason: body.reason };
    settle(at, session, headers, id, input).await
}

/// The asker goes alone, once that is offered.
///
/// # Errors
/// Before it is offered, for others, or without a reason.
pub async fn break_glass(
    at: At,
    session: Session,
    Id(id): Id<ActivationId>,
    headers: HeaderMap,
    Body(body): Body<ReasonBody>,
) -> Result<Response, Problem> {
    let input = Input::BreakGlass { by: session.actor.clone(), activation: id, reason: body.reason };
    settle(at, session, headers, id, input).await
}

async fn settle(
    at: At,
    session: Session,
    headers: HeaderMap,
    id: ActivationId,
    input: Input,
) -> Result<Response, Problem> {
    let post = Arc::clone(&at.0);
    change(&at, &session, &headers, input, move |state, _| {
        let asked = state.activations.get(&id);
        (StatusCode::OK, asked.map_or(Value::Null, |asked| post.frame().activation(asked, state)))
    })
    .await
}

/// Rows to sign.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignBody {
    codes: Vec<String>,
}

/// One officer signs drafts that need no more than his own signature.
///
/// # Errors
/// When the signature does not reach, or nothing waits for it.
pub async fn sign(
    at: At,
    session: Session,
    headers: HeaderMap,
    Body(body): Body<SignBody>,
) -> Result<Response, Problem> {
    let codes = body.codes.into_iter().map(InstructionCode::from).collect();
    let input = Input::Sign { by: session.actor.clone(), codes };
    change(&at, &session, &headers, input, |_, entries| {
        let issued = entries.iter().filter(|entry| matches!(entry.fact, Fact::Issued { .. })).count();
        (StatusCode::OK, json!({ "issued": issued }))
    })
    .await
}
