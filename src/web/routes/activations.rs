//! The two persons who put a level in force; one officer who signs.

use super::{change, preview};
use crate::command::{Fact, Input};
use crate::model::{ActivationId, InstructionCode, WarningLevel};
use crate::web::{At, Body, Id, Problem, Session};
use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

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
        (StatusCode::CREATED, asked.map_or(Value::Null, |asked| post.activation(asked, state)))
    })
    .await
}

/// The discharge inside a preview's id.
fn previewed_discharge(id: &str) -> Result<f64, Problem> {
    let value = id.strip_prefix("prv-").and_then(|rest| rest.split_once('-')).and_then(|(_, q)| q.parse().ok());
    let value =
        value.ok_or_else(|| Problem::bad_field("preview_id", format!("不是预演编号 {id:?} (not a preview's id)")))?;
    Ok(preview::discharge("preview_id", value)?.as_m3s())
}

/// All requests, newest last.
///
/// # Errors
/// For members.
pub async fn list(At(post): At, session: Session) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    let state = post.engine.state();
    let items: Vec<_> = state.activations.values().map(|asked| post.activation(asked, &state)).collect();
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
    Ok(Json(post.activation(asked, &state)))
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
    let input = Input::Confirm { by: session.actor.clone(), activation: id, water: at.0.signals() };
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
    let input =
        Input::BreakGlass { by: session.actor.clone(), activation: id, reason: body.reason, water: at.0.signals() };
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
        (StatusCode::OK, asked.map_or(Value::Null, |asked| post.activation(asked, state)))
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
