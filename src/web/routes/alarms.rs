//! Alarms: list, take note, put aside.

use super::{PageQuery, change, page};
use crate::command::Input;
use crate::web::{At, Body, Problem, Query, Session, shape};
use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};

/// Longest time that an alarm can be put aside, in minutes.
const SHELVE_MAX_MIN: i64 = 60;

/// Open alarms: lives and works before answers that are missing, then worst first, then newest. A member is given those of the
/// water at the places where he is or goes to, each with its `place`.
///
/// # Errors
/// For an account of a member without one.
pub async fn list(At(post): At, session: Session, Query(query): Query<PageQuery>) -> Result<Json<Value>, Problem> {
    let now = post.engine.now();
    let state = post.engine.state();
    if let Some(member) = session.own_member()? {
        let items = shape::must_leave(&member, &state, &post.engine.core().reach);
        return Ok(Json(json!({ "items": items, "next": null })));
    }
    let mut open: Vec<_> = state.alarms.values().filter(|alarm| !alarm.closed).collect();
    open.sort_by_cached_key(|alarm| {
        (shape::alarm_rank(alarm, &state), std::cmp::Reverse((alarm.severity, alarm.last)))
    });
    Ok(Json(page(open.into_iter().map(|alarm| (alarm.key.clone(), shape::alarm(alarm, &state, now))), &query)))
}

/// Someone has taken note.
///
/// # Errors
/// Without the right or when it is closed.
pub async fn acknowledge(
    at: At,
    session: Session,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let input = Input::MindAlarm { by: session.actor.clone(), alarm: key.clone(), shelve_until: None };
    mind(at, session, key, headers, input).await
}

/// How long.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShelveBody {
    minutes: i64,
}

/// Puts it aside for a while; it comes back by itself.
///
/// # Errors
/// More than an hour, without the right, or when it is closed.
pub async fn shelve(
    at: At,
    session: Session,
    Path(key): Path<String>,
    headers: HeaderMap,
    Body(body): Body<ShelveBody>,
) -> Result<Response, Problem> {
    if !(1..=SHELVE_MAX_MIN).contains(&body.minutes) {
        return Err(Problem::bad_field("minutes", "须为 1 至 60 分钟 (1 to 60 minutes)"));
    }
    let until = at.0.engine.now() + TimeDelta::minutes(body.minutes);
    let input = Input::MindAlarm { by: session.actor.clone(), alarm: key.clone(), shelve_until: Some(until) };
    mind(at, session, key, headers, input).await
}

async fn mind(at: At, session: Session, key: String, headers: HeaderMap, input: Input) -> Result<Response, Problem> {
    change(&at, &session, &headers, input, move |state, _| {
        let body = state.alarms.get(&key).map_or(Value::Null, |alarm| shape::alarm(alarm, state, state.at));
        (StatusCode::OK, body)
    })
    .await
}
