//! Drills from the headquarters page: choose a flood, start, pause, speed, stop, report.

use super::idempotency_key;
use crate::model::Timestamp;
use crate::web::{Body, DrillAsk, InjectAsk, Problem, Query, ReportFormat, Session, Site};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Fastest speed of a live drill.
const SPEED_MAX: f64 = 3600.0;

/// The library of floods.
///
/// # Errors
/// For members.
pub async fn floods(State(site): State<Arc<Site>>, session: Session) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    Ok(Json(site.drills.floods()))
}

/// All drills.
///
/// # Errors
/// For members.
pub async fn list(State(site): State<Arc<Site>>, session: Session) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    Ok(Json(site.drills.list()))
}

/// One drill.
///
/// # Errors
/// When there is none of that id.
pub async fn get(
    State(site): State<Arc<Site>>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    Ok(Json(site.drills.get(&id).ok_or_else(|| none(&id))?))
}

/// What to drill.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillBody {
    flood: String,
    start: Option<Timestamp>,
    speed: Option<f64>,
    seed: Option<u64>,
}

/// Starts a drill with virtual members.
///
/// # Errors
/// An unknown flood, a start outside it, a bad speed, or too many drills at once.
pub async fn start(
    State(site): State<Arc<Site>>,
    session: Session,
    Body(body): Body<DrillBody>,
) -> Result<Response, Problem> {
    session.may("drill")?;
    let speed = speed_of(body.speed.unwrap_or(60.0))?;
    let ask = DrillAsk { flood: body.flood, start: body.start, speed, seed: body.seed.unwrap_or(7) };
    let id = site.drills.start(ask).await?;
    tracing::info!(drill = id, user = %session.actor.user, "【演练】开始 (a drill starts)");
    let body = site.drills.get(&id).unwrap_or(Value::Null);
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

fn speed_of(speed: f64) -> Result<f64, Problem> {
    if speed.is_finite() && (1.0..=SPEED_MAX).contains(&speed) {
        return Ok(speed);
    }
    Err(Problem::bad_field("speed", format!("须为 1 至 {SPEED_MAX} 倍 (1 to {SPEED_MAX})")))
}

/// Whether to stand still.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PauseBody {
    paused: bool,
}

/// Pauses or goes on.
///
/// # Errors
/// When there is no such drill or it has ended.
pub async fn pause(
    State(site): State<Arc<Site>>,
    session: Session,
    Path(id): Path<String>,
    Body(body): Body<PauseBody>,
) -> Result<Json<Value>, Problem> {
    session.may("drill")?;
    site.drills.pause(&id, body.paused)?;
    Ok(Json(site.drills.get(&id).ok_or_else(|| none(&id))?))
}

/// How fast.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeedBody {
    speed: f64,
}

/// Changes the speed.
///
/// # Errors
/// A bad speed, or no such drill.
pub async fn speed(
    State(site): State<Arc<Site>>,
    session: Session,
    Path(id): Path<String>,
    Body(body): Body<SpeedBody>,
) -> Result<Json<Value>, Problem> {
    session.may("drill")?;
    site.drills.speed(&id, speed_of(body.speed)?)?;
    Ok(Json(site.drills.get(&id).ok_or_else(|| none(&id))?))
}

/// Ends it.
///
/// # Errors
/// When there is no such drill.
pub async fn stop(
    State(site): State<Arc<Site>>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    session.may("drill")?;
    site.drills.stop(&id)?;
    Ok(Json(site.drills.get(&id).ok_or_else(|| none(&id))?))
}

/// What to break: a row of a script, with `at_s` absent for now.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InjectBody {
    target: String,
    kind: String,
    value: Option<f64>,
    at_s: Option<f64>,
    for_s: Option<f64>,
}

/// Breaks something in a drill that runs.
///
/// # Errors
/// For others than directors; an unknown target or kind; no such drill, or one that has ended.
pub async fn inject(
    State(site): State<Arc<Site>>,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(body): Body<InjectBody>,
) -> Result<Response, Problem> {
    session.may("inject")?;
    let once = idempotency_key(&session, &headers)?;
    let InjectBody { target, kind, value, at_s, for_s } = body;
    let ask = InjectAsk { by: session.actor.clone(), target, kind, value, at_s, for_s };
    let (status, body) = site.drills.inject(&id, ask, once).await?;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Ok((status, [(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// What was broken so far, and what followed.
///
/// # Errors
/// For others than directors: players must not know. When there is no such drill.
pub async fn injects(
    State(site): State<Arc<Site>>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    session.may("inject")?;
    Ok(Json(site.drills.injects(&id).ok_or_else(|| none(&id))?))
}

/// What can be broken, by name.
///
/// # Errors
/// For others than directors. When there is no such drill.
pub async fn targets(
    State(site): State<Arc<Site>>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    session.may("inject")?;
    Ok(Json(site.drills.targets(&id).ok_or_else(|| none(&id))?))
}

/// In which form.
#[derive(Debug, Deserialize)]
pub struct ReportQuery {
    format: Option<String>,
}

/// The report so far.
///
/// # Errors
/// When there is no such drill or form.
pub async fn report(
    State(site): State<Arc<Site>>,
    session: Session,
    Path(id): Path<String>,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Problem> {
    session.at_headquarters()?;
    // It tells what is going to break: players read it when the drill is over.
    let going = |drill: Value| matches!(drill.get("state").and_then(Value::as_str), Some("running" | "paused"));
    if site.drills.get(&id).is_some_and(going) {
        session.may("inject")?;
    }
    let word = query.format.as_deref().unwrap_or("html");
    let format = ReportFormat::from_word(word).ok_or_else(|| {
        let known = ReportFormat::ALL.map(ReportFormat::as_str).join(", ");
        Problem::bad_field("format", format!("没有 {word:?} 格式，可用 {known} (unknown format)"))
    })?;
    // A PDF takes the time of many requests: not on a thread that answers others.
    let drills = Arc::clone(&site.drills);
    let report = tokio::task::spawn_blocking(move || drills.report(&id, format))
        .await
        .map_err(|fault| Problem::internal(&fault))??;
    let mut reply = ([(header::CONTENT_TYPE, format.media())], report.bytes.clone()).into_response();
    if let Some(policy) = own_style_only(&report.bytes) {
        reply.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(reply)
}

/// A report carries its style inside, so that it can be kept as one file: that style may work, by its hash, and nothing else.
fn own_style_only(page: &[u8]) -> Option<HeaderValue> {
    let (_, rest) = std::str::from_utf8(page).ok()?.split_once("<style>")?;
    let (style, _) = rest.split_once("</style>")?;
    let hash = STANDARD.encode(Sha256::digest(style));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).ok()
}

fn none(id: &str) -> Problem {
    Problem::not_found(format!("演练 {id}"))
}
