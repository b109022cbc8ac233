//! Cameras: the list, the pictures that were taken, one more now.

use crate::store::arrivals::{Shot, ShotQuery};
use crate::web::cameras::ShotError;
use crate::web::{Body, Problem, Query, Session, Site};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Longest reason, in characters.
const REASON_MAX: usize = 200;

/// All cameras of the map, with the last try of each.
///
/// # Errors
/// Without a login at headquarters.
pub async fn list(State(site): State<Arc<Site>>, session: Session) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    let last = site.arrivals.last_shots().await.map_err(|fault| Problem::internal(&fault))?;
    let camera = |camera: &crate::ingest::cameras::Camera| {
        let last = last.iter().find(|shot| shot.tried.camera.as_ref() == Some(&camera.id));
        json!({
            "id": camera.id, "name": { "zh": camera.name_zh, "en": camera.name_en }, "lon": camera.lon, "lat": camera.lat,
            "chainage_m": camera.chainage_m, "snapshot": camera.has_snapshot(), "host": camera.host(),
            "whep": camera.whep, "hls": camera.hls, "last": last.map(|shot| shape(shot, &site)),
        })
    };
    let items: Vec<_> = site.cameras.map.cameras.iter().map(camera).collect();
    Ok(Json(json!({ "items": items, "next": null, "can_look": site.cameras.can_look() })))
}

/// Which pictures.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShotsQuery {
    alarm: Option<String>,
    camera: Option<String>,
}

/// Pictures and failed tries, newest first.
///
/// # Errors
/// Without a login at headquarters.
pub async fn shots(
    State(site): State<Arc<Site>>,
    session: Session,
    Query(query): Query<ShotsQuery>,
) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    let query = ShotQuery { alarm: query.alarm, camera: query.camera };
    let found = site.arrivals.shots(&query).await.map_err(|fault| Problem::internal(&fault))?;
    let items: Vec<_> = found.iter().map(|shot| shape(shot, &site)).collect();
    Ok(Json(json!({ "items": items, "next": null, "can_look": site.cameras.can_look() })))
}

fn shape(shot: &Shot, site: &Site) -> Value {
    let tried = &shot.tried;
    let camera = tried.camera.as_ref().and_then(|id| site.cameras.map.camera(id));
    let photo = tried.outcome.as_ref().ok();
    json!({
        "id": shot.id, "camera": tried.camera,
        "name": camera.map(|camera| json!({ "zh": camera.name_zh, "en": camera.name_en })),
        "alarm": tried.alarm.as_ref().map(|(key, _)| key), "at": shot.at, "by": tried.who, "reason": tried.reason,
        "metres": tried.metres, "sha256": photo, "url": photo.map(|id| format!("/api/v1/photos/{id}")),
        "fault": tried.outcome.as_ref().err(),
    })
}

/// Why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotBody {
    reason: String,
}

/// One picture now. A camera that has none answers 502 with the words; both are on record.
///
/// # Errors
/// Without the right, without a reason, an unknown camera, one that has no picture.
pub async fn snapshot(
    State(site): State<Arc<Site>>,
    session: Session,
    Path(id): Path<String>,
    Body(body): Body<SnapshotBody>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    session.may("alarm")?;
    let camera = site.cameras.map.camera(&id);
    let camera =
        camera.ok_or_else(|| Problem::not_found(format!("摄像机 {}", id.chars().take(40).collect::<String>())))?;
    let reason = body.reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > REASON_MAX {
        return Err(Problem::bad_field("reason", format!("须写明原因，至多 {REASON_MAX} 字 (give a reason)")));
    }
    let who = session.actor.user.to_string();
    let shot = site.cameras.shoot_by_hand(camera, who, reason, || site.live.engine.now()).await?;
    match &shot.tried.outcome {
        Ok(_) => Ok((StatusCode::CREATED, Json(shape(&shot, &site)))),
        Err(words) => {
            let words = format!("{}：{words}", camera.name_zh);
            Err(Problem::new(StatusCode::BAD_GATEWAY, "camera", words))
        }
    }
}

impl From<ShotError> for Problem {
    fn from(fault: ShotError) -> Self {
        Self::internal(&fault)
    }
}
