//! One file per subject of the API.

pub mod activations;
pub mod alarms;
pub mod amendments;
pub mod cameras;
pub mod demo;
pub mod drills;
pub mod drones;
pub mod forecasts;
pub mod hooks;
pub mod imports;
pub mod ingest;
pub mod journal;
pub mod map;
pub mod people;
pub mod preview;
pub mod public;
pub mod readings;
pub mod reports;
pub mod series;
pub mod session;
pub mod situation;
pub mod sl323;
pub mod tasks;
pub mod twin;

use super::{At, Problem, Scope, Session};
use crate::command::{Entry, Input, State};
use crate::store::{EngineError, OnceKey};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

/// Longest idempotency key that is kept.
const KEY_MAX: usize = 100;
/// Largest page of a list.
const PAGE_MAX: usize = 5000;

/// Sends a change to the core and answers with what `render` makes of the state after it, once for each key.
///
/// # Errors
/// What the core refuses, a key that is too long, or a journal that cannot be written.
pub async fn change(
    at: &At,
    session: &Session,
    headers: &HeaderMap,
    input: Input,
    render: impl FnOnce(&State, &[Entry]) -> (StatusCode, Value) + Send + 'static,
) -> Result<Response, Problem> {
    let (status, body) = submit(at, session, headers, input, render).await?;
    Ok((status, [(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// As [`change`], for handlers that add something to the answer which is not kept under the key.
///
/// # Errors
/// As [`change`].
pub async fn submit(
    At(post): &At,
    session: &Session,
    headers: &HeaderMap,
    input: Input,
    render: impl FnOnce(&State, &[Entry]) -> (StatusCode, Value) + Send + 'static,
) -> Result<(StatusCode, String), Problem> {
    let once = idempotency_key(session, headers)?;
    let render = Box::new(move |state: &State, entries: &[Entry]| {
        let (status, body) = render(state, entries);
        (status.as_u16(), body.to_string())
    });
    let answered = post.engine.submit_once(once, input, render).await.map_err(|fault| match fault {
        // The engine of a drill ends with it; the server itself goes on.
        EngineError::Stopping if post.scope == Scope::Drill => Problem::drill_ended(),
        other => other.into(),
    });
    let (status, body) = answered?.answer;
    Ok((StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body))
}

/// The key under which a change is answered once.
///
/// # Errors
/// When it is empty or too long.
pub fn idempotency_key(session: &Session, headers: &HeaderMap) -> Result<Option<OnceKey>, Problem> {
    let key = push_key(headers)?;
    Ok(key.map(|key| OnceKey { who: session.actor.user.to_string(), key }))
}

/// The sender's key alone.
///
/// # Errors
/// When it is empty or too long.
pub fn push_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| (1..=KEY_MAX).contains(&key.len()));
    let key = key.ok_or_else(|| {
        Problem::bad_field(
            "Idempotency-Key",
            format!("须为 1 至 {KEY_MAX} 个可见字符 (1 to {KEY_MAX} visible characters)"),
        )
    })?;
    Ok(Some(key.to_owned()))
}

/// Where a list goes on: `?after=<id>&limit=<n>`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PageQuery {
    /// The last id of the page before.
    pub after: Option<String>,
    /// At most this many, up to 5000.
    pub limit: Option<usize>,
}

/// One page of items that carry a unique, ordered key.
pub fn page<K: ToString + PartialEq>(items: impl Iterator<Item = (K, Value)>, query: &PageQuery) -> Value {
    let limit = query.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let mut items = items.skip_while(|(key, _)| query.after.as_ref().is_some_and(|after| &key.to_string() != after));
    if query.after.is_some() {
        items.next();
    }
    let page: Vec<_> = items.by_ref().take(limit).collect();
    let next = if items.next().is_some() { page.last().map(|(key, _)| key.to_string()) } else { None };
    let values: Vec<_> = page.into_iter().map(|(_, value)| value).collect();
    json!({ "items": values, "next": next })
}
