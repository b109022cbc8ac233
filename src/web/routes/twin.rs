//! The twin: as it is now (实时孪生), and finer runs and spreads (加密演算、集合), asked for and looked up by number.

use crate::hydraulics::TwinModel;
use crate::model::PlaceId;
use crate::web::runs::{self, TwinRuns};
use crate::web::{At, Body, Problem, Session, TwinDesk, live_twin};
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Members that a spread may have.
const MEMBERS: std::ops::RangeInclusive<usize> = 5..=50;

/// What is to be computed on the finest grid.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunBody {
    discharge_m3s: f64,
    /// Work at which the levee is assumed to breach.
    breach: Option<PlaceId>,
    /// A spread of so many runs instead of one.
    members: Option<usize>,
}

fn desk(post: &crate::web::Post) -> Result<Arc<TwinDesk>, Problem> {
    post.twin.clone().ok_or_else(|| Problem::not_found("孪生：本河段没有地形数据 (this reach has no terrain)"))
}

fn runs_of(desk: &TwinDesk) -> Result<&TwinRuns, Problem> {
    desk.runs.as_ref().ok_or_else(|| Problem::not_found("加密演算 (no runs are computed here)"))
}

fn number(id: &str) -> Result<i64, Problem> {
    id.parse().map_err(|_| Problem::bad_field("id", "须为数字 (a number is needed)"))
}

/// The model, read where it may take its time.
async fn model_of(desk: &Arc<TwinDesk>) -> Result<Arc<TwinModel>, Problem> {
    let desk = Arc::clone(desk);
    let read = tokio::task::spawn_blocking(move || super::preview::model_of(&desk));
    read.await.map_err(|fault| Problem::internal(&fault))?
}

/// The live twin: the water that goes with the river now and as forecast.
///
/// # Errors
/// Without a login of headquarters.
pub async fn now(At(post): At, session: Session) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    Ok(Json(live_twin::shape(&post)))
}

/// Puts a finer run or a spread down; the same wish again is the same run.
///
/// # Errors
/// No terrain, a discharge or breach that is none, too many runs that wait.
pub async fn start(
    At(post): At,
    session: Session,
    Body(body): Body<RunBody>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    session.may("preview")?;
    let q = super::preview::discharge("discharge_m3s", body.discharge_m3s)?.as_m3s();
    if body.members.is_some_and(|members| !MEMBERS.contains(&members)) {
        return Err(Problem::bad_field("members", "须为 5 至 50 (5 to 50)"));
    }
    let desk = desk(&post)?;
    let model = model_of(&desk).await?;
    super::preview::known_breach(&model, body.breach.as_ref())?;
    let runs = runs_of(&desk)?;
    let job = runs.ask(&model, q, body.breach, body.members, session.actor.user.as_str()).await?;
    Ok((StatusCode::ACCEPTED, Json(runs.shape(&desk, &model, &job).await?)))
}

/// The runs that wait, go, or are kept, the newest first.
///
/// # Errors
/// No terrain.
pub async fn list(At(post): At, session: Session) -> Result<Json<Value>, Problem> {
    session.may("preview")?;
    let desk = desk(&post)?;
    let model = model_of(&desk).await?;
    let jobs = runs_of(&desk)?.jobs().await?;
    let items: Vec<Value> = jobs.iter().map(|job| runs::brief(&model, job)).collect();
    Ok(Json(json!({ "items": items, "next": null })))
}

/// A run: progress, or what it floods.
///
/// # Errors
/// A number that is not or no longer known.
pub async fn get(At(post): At, session: Session, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    session.may("preview")?;
    let desk = desk(&post)?;
    let model = model_of(&desk).await?;
    let runs = runs_of(&desk)?;
    let job = runs.job(number(&id)?).await?;
    Ok(Json(runs.shape(&desk, &model, &job).await?))
}

/// Takes a run back that has not ended.
///
/// # Errors
/// A number that is not known, a run that has ended.
pub async fn cancel(At(post): At, session: Session, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    session.may("preview")?;
    let desk = desk(&post)?;
    let model = model_of(&desk).await?;
    let runs = runs_of(&desk)?;
    let number = number(&id)?;
    runs.job(number).await?;
    let job = runs.cancel(number, session.actor.user.as_str()).await?;
    Ok(Json(runs::brief(&model, &job)))
}
