//! The twin: as it is now (实时孪生), and finer runs (加密演算), asked for and looked up by number.

use crate::model::PlaceId;
use crate::web::{At, Body, Problem, Session, Site, TwinDesk, live_twin, runs};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// What is to be computed on the finest grid.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunBody {
    discharge_m3s: f64,
    /// Work at which the levee is assumed to breach.
    breach: Option<PlaceId>,
}

fn desk(post: &crate::web::Post) -> Result<Arc<TwinDesk>, Problem> {
    post.twin.clone().ok_or_else(|| Problem::not_found("孪生：本河段没有地形数据 (this reach has no terrain)"))
}

/// The live twin: the water that goes with the river now and as forecast.
///
/// # Errors
/// Without a login of headquarters.
pub async fn now(At(post): At, session: Session) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    Ok(Json(live_twin::shape(&post)))
}

/// Starts a finer run in the background; the same wish again is the same run.
///
/// # Errors
/// No terrain, a discharge or breach that is none, too many runs that wait.
pub async fn start(
    State(site): State<Arc<Site>>,
    At(post): At,
    session: Session,
    Body(body): Body<RunBody>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    session.may("preview")?;
    let q = super::preview::discharge("discharge_m3s", body.discharge_m3s)?.as_m3s();
    let desk = desk(&post)?;
    let model = super::preview::model_of(&desk)?;
    super::preview::known_breach(&model, body.breach.as_ref())?;
    let (id, work) = runs::start(&desk, Arc::clone(&model), q, body.breach, site.stop.clone())?;
    if let Some(work) = work {
        site.workers.spawn(work);
    }
    let shape = desk.runs.shape(&desk, &model, id).unwrap_or_default();
    Ok((StatusCode::ACCEPTED, Json(shape)))
}

/// A finer run: progress, or what it floods.
///
/// # Errors
/// A number that is not or no longer known.
pub async fn get(At(post): At, session: Session, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    session.may("preview")?;
    let id: u64 = id.parse().map_err(|_| Problem::bad_field("id", "须为数字 (a number is needed)"))?;
    let desk = desk(&post)?;
    let shape = tokio::task::spawn_blocking(move || {
        let model = super::preview::model_of(&desk)?;
        desk.runs.shape(&desk, &model, id).ok_or_else(|| Problem::not_found(format!("加密演算 {id} (run {id})")))
    });
    Ok(Json(shape.await.map_err(|fault| Problem::internal(&fault))??))
}
