//! Drills from the headquarters page: choose a flood, start, pause, speed, stop, report.

use crate::web::{Body, DrillAsk, Problem, Session, Site};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
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
    speed: Option<f64>,
    seed: Option<u64>,
}

/// Starts a drill with virtual members.
///
/// # Errors
/// An unknown flood, a bad speed, or too many drills at once.
pub async fn start(
    State(site): State<Arc<Site>>,
    session: Session,
    Body(body): Body<DrillBody>,
) -> Result<Response, Problem> {
    session.may("drill")?;
    let ask =
        DrillAsk { flood: body.flood, speed: speed_of(body.speed.unwrap_or(60.0))?, seed: body.seed.unwrap_or(7) };
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

/// The report so far.
///
/// # Errors
/// When there is no such drill.
pub async fn report(
    State(site): State<Arc<Site>>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    session.at_headquarters()?;
    let html = site.drills.report(&id).ok_or_else(|| none(&id))?;
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
}

fn none(id: &str) -> Problem {
    Problem::not_found(format!("演练 {id}"))
}
