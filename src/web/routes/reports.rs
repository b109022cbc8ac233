//! Reports from the field, with photos; SOS.

use super::{PageQuery, change, page};
use crate::command::{Fact, FieldReport, Input, ReportKind, Shot};
use crate::model::{ReportId, Spot, TaskId};
use crate::store::{PhotoError, Photos};
use crate::web::{At, Body, Frame, Id, Problem, Query, Session, Sight, Site};
use axum::Json;
use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, FixedOffset};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// Longest id that a phone gives a picture.
const SHOT_MAX: usize = 40;
/// Photos of one form.
const PHOTOS_MAX: usize = 6;

/// What a phone sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportBody {
    kind: ReportKind,
    #[serde(rename = "type")]
    type_: String,
    grade: Option<u8>,
    #[serde(default)]
    place: Spot,
    observed_at: DateTime<FixedOffset>,
    text: Option<String>,
    task: Option<TaskId>,
}

/// Reports, newest last; members see their own.
///
/// # Errors
/// Without a login.
pub async fn list(At(post): At, session: Session, Query(query): Query<PageQuery>) -> Result<Json<Value>, Problem> {
    let own = session.own_member()?;
    let state = post.engine.state();
    let frame = post.frame();
    let mine = |report: &&crate::command::Report| own.is_none() || report.by.member == own;
    let items = state.reports.values().filter(mine).map(|report| {
        let mut shape = frame.report(report);
        if report.content.kind == ReportKind::Tip && report.settled.is_none() {
            shape["similar"] = similar(&state, report).into();
        }
        (report.id, shape)
    });
    Ok(Json(page(items, &query)))
}

/// Open reports that may tell of the same thing: near it or at its place, within two hours.
fn similar(state: &crate::command::State, tip: &crate::command::Report) -> Vec<String> {
    const NEAR_M: f64 = 300.0;
    let position = |report: &crate::command::Report| report.content.place.lon.zip(report.content.place.lat);
    let near = |other: &crate::command::Report| match (position(tip), position(other)) {
        (Some((lon, lat)), Some((other_lon, other_lat))) => {
            let east = (other_lon - lon) * lat.to_radians().cos();
            east.hypot(other_lat - lat) * 111_320.0 <= NEAR_M
        }
        _ => other.places.iter().any(|place| tip.places.contains(place)),
    };
    let others = state.reports.values().filter(|other| other.id != tip.id && other.settled.is_none());
    let others = others.filter(|other| (other.received_at - tip.received_at).abs() <= chrono::TimeDelta::hours(2));
    others.filter(|other| near(other)).take(10).map(|other| other.id.to_string()).collect()
}

/// Takes a report in: JSON, or a form with the part `report` and parts `photo`. Photos are durable before the report.
///
/// # Errors
/// A bad field, too many or too large photos.
pub async fn create(
    State(site): State<Arc<Site>>,
    at: At,
    session: Session,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let (body, photos) = if kind.starts_with("multipart/form-data") {
        from_form(request, &site.photos).await?
    } else {
        let Body(body) = Body::<ReportBody>::from_request(request, &()).await?;
        (body, Vec::new())
    };
    let report = FieldReport {
        kind: body.kind,
        type_: body.type_,
        grade: body.grade.unwrap_or(1),
        place: body.place,
        observed_at: body.observed_at.to_utc(),
        text: body.text,
        photos,
        task: body.task,
    };
    send(at, session, headers, report).await
}

async fn from_form(request: Request, store: &Photos) -> Result<(ReportBody, Vec<String>), Problem> {
    let mut form =
        Multipart::from_request(request, &()).await.map_err(|fault| Problem::bad_field("body", fault.body_text()))?;
    let (mut body, mut photos) = (None, Vec::new());
    while let Some(part) = form.next_field().await? {
        match part.name() {
            Some("report") => {
                let text = part.text().await?;
                let parsed = serde_json::from_str(&text);
                body =
                    Some(parsed.map_err(|fault: serde_json::Error| Problem::bad_field("report", fault.to_string()))?);
            }
            Some("photo") => {
                if photos.len() == PHOTOS_MAX {
                    return Err(Problem::bad_field("photo", format!("最多 {PHOTOS_MAX} 张 (at most {PHOTOS_MAX})")));
                }
                photos.push(store.keep(&part.bytes().await?).await?);
            }
            other => {
                let name = other.unwrap_or_default();
                return Err(Problem::bad_field("body", format!("未知部分 {name:?} (unknown part)")));
            }
        }
    }
    let body = body.ok_or_else(|| Problem::bad_field("report", "缺少 report 部分 (the part `report` is missing)"))?;
    Ok((body, photos))
}

async fn send(at: At, session: Session, headers: HeaderMap, report: FieldReport) -> Result<Response, Problem> {
    session.may("report").or_else(|refused| session.may("task").map_err(|_| refused))?;
    let post = Arc::clone(&at.0);
    let by = session.actor.clone();
    let input = Input::Report { by: by.clone(), report: report.clone() };
    change(&at, &session, &headers, input, move |state, _| {
        let made = state.same_call(&by, &report).or_else(|| state.same_report(&by, &report));
        (StatusCode::CREATED, made.map_or(Value::Null, |report| post.frame().report(report)))
    })
    .await
}

/// Which picture of the phone a photo is: `?size=thumb|full&shot=<the phone's id of it>`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShotQuery {
    size: Option<Size>,
    shot: Option<String>,
    /// Read by the post.
    #[serde(rename = "drill")]
    _drill: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Size {
    Thumb,
    Full,
}

impl ShotQuery {
    /// What the photo is, if the phone says so.
    fn shot(self) -> Result<Option<Shot>, Problem> {
        let Some(id) = self.shot else { return Ok(None) };
        if !(1..=SHOT_MAX).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let limits = format!("须为 1 至 {SHOT_MAX} 个字母或数字 (1 to {SHOT_MAX} letters or digits)");
            return Err(Problem::bad_field("shot", limits));
        }
        Ok(Some(Shot { id, thumb: self.size == Some(Size::Thumb) }))
    }
}

/// Photos that arrive after their report: a form with parts `photo`; they are durable before the report names them.
/// A whole photo takes the place of its small one.
///
/// # Errors
/// For another's report, too many photos, or what is no picture.
pub async fn add_photos(
    State(site): State<Arc<Site>>,
    at: At,
    session: Session,
    Id(id): Id<ReportId>,
    Query(query): Query<ShotQuery>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    let shot = query.shot()?;
    let most = if shot.is_some() { 1 } else { PHOTOS_MAX };
    let mut form =
        Multipart::from_request(request, &()).await.map_err(|fault| Problem::bad_field("body", fault.body_text()))?;
    let mut photos = Vec::new();
    while let Some(part) = form.next_field().await? {
        if photos.len() == most {
            return Err(Problem::bad_field("photo", format!("最多 {most} 张 (at most {most})")));
        }
        photos.push(site.photos.keep(&part.bytes().await?).await?);
    }
    if photos.is_empty() {
        return Err(Problem::bad_field("photo", "缺少 photo 部分 (the part `photo` is missing)"));
    }
    let input = Input::AddPhotos { by: session.actor.clone(), report: id, photos, shot };
    settle_with(at, session, headers, id, input).await
}

/// A call for help.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SosBody {
    #[serde(default)]
    place: Spot,
    at: DateTime<FixedOffset>,
}

/// 求救: an alarm at HQ at once.
///
/// # Errors
/// Without the right.
pub async fn sos(at: At, session: Session, headers: HeaderMap, Body(body): Body<SosBody>) -> Result<Response, Problem> {
    let report = FieldReport {
        kind: ReportKind::Sos,
        type_: "sos".into(),
        grade: 3,
        place: body.place,
        observed_at: body.at.to_utc(),
        text: None,
        photos: Vec::new(),
        task: None,
    };
    send(at, session, headers, report).await
}

/// HQ has looked at it.
///
/// # Errors
/// Without the right, or when there is none of that id.
pub async fn seen(at: At, session: Session, Id(id): Id<ReportId>, headers: HeaderMap) -> Result<Response, Problem> {
    let input = Input::SeeReport { by: session.actor.clone(), report: id };
    settle_with(at, session, headers, id, input).await
}

/// Shows a report with the numbers in its words, as to call back who told it; every use is put down.
///
/// # Errors
/// Without the right, or when there is none of that id.
pub async fn reveal(At(post): At, session: Session, Id(id): Id<ReportId>) -> Result<Json<Value>, Problem> {
    session.may("reveal")?;
    post.engine.submit(Input::RevealReport { by: session.actor.clone(), report: id }).await?;
    let state = post.engine.state();
    let report = state.reports.get(&id).ok_or_else(|| Problem::not_found(id))?;
    Ok(Json(Frame { sight: Sight::Open, ..post.frame() }.report(report)))
}

/// What an officer takes a tip for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdoptBody {
    #[serde(rename = "type")]
    type_: String,
    grade: Option<u8>,
    place: Option<Spot>,
}

/// A tip is a hazard: it becomes a report of the officer's own; answers with that one.
///
/// # Errors
/// Without the right, for what is no open tip, an unknown kind, or a place that nobody can tell.
pub async fn adopt(
    at: At,
    session: Session,
    Id(id): Id<ReportId>,
    headers: HeaderMap,
    Body(body): Body<AdoptBody>,
) -> Result<Response, Problem> {
    let by = session.actor.clone();
    let (report, grade) = (id, body.grade.unwrap_or(1));
    let input = Input::Adopt { by, report, type_: body.type_, grade, place: body.place };
    let post = Arc::clone(&at.0);
    change(&at, &session, &headers, input, move |state, entries| {
        let made = entries.iter().find_map(|entry| match &entry.fact {
            Fact::Reported { report, .. } => Some(*report),
            _ => None,
        });
        let made = made.and_then(|id| state.reports.get(&id));
        (StatusCode::CREATED, made.map_or(Value::Null, |report| post.frame().report(report)))
    })
    .await
}

/// How it ended.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettleBody {
    #[serde(default)]
    false_alarm: bool,
}

/// Dealt with, or nothing.
///
/// # Errors
/// Without the right, by the reporter himself, or when it is settled.
pub async fn settle(
    at: At,
    session: Session,
    Id(id): Id<ReportId>,
    headers: HeaderMap,
    Body(body): Body<SettleBody>,
) -> Result<Response, Problem> {
    let input = Input::Settle { by: session.actor.clone(), report: id, false_alarm: body.false_alarm };
    settle_with(at, session, headers, id, input).await
}

async fn settle_with(
    at: At,
    session: Session,
    headers: HeaderMap,
    id: ReportId,
    input: Input,
) -> Result<Response, Problem> {
    let post = Arc::clone(&at.0);
    change(&at, &session, &headers, input, move |state, _| {
        (StatusCode::OK, state.reports.get(&id).map_or(Value::Null, |report| post.frame().report(report)))
    })
    .await
}

/// A photo of a report.
///
/// # Errors
/// When there is none of that id.
pub async fn photo(State(site): State<Arc<Site>>, _: Session, Path(id): Path<String>) -> Result<Response, Problem> {
    let photo = site.photos.get(&id).await?;
    let cache = (header::CACHE_CONTROL, "private, max-age=86400, immutable");
    // Pages show it as a picture; opened by itself it is a file, never a page.
    let file = (header::CONTENT_DISPOSITION, "attachment");
    Ok(([(header::CONTENT_TYPE, photo.kind), cache, file], photo.bytes).into_response())
}

impl From<MultipartError> for Problem {
    fn from(fault: MultipartError) -> Self {
        if fault.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::too_large(
                "照片过大或文件过大，请减少或压缩后再传 (the photos or files are too large: send fewer or smaller ones)",
            );
        }
        Self::bad_field("body", fault.body_text())
    }
}

impl From<PhotoError> for Problem {
    fn from(fault: PhotoError) -> Self {
        match fault {
            PhotoError::NotAPicture => Self::bad_field("photo", fault.to_string()),
            PhotoError::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, "not-found", fault.to_string()),
            PhotoError::Store(_) => Self::internal(&fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_report_with_an_unknown_field_is_refused() {
        let text = json!({ "kind": "hazard", "type": "piping", "observed_at": "2026-07-18T02:00:00+08:00", "sise": 3 });
        let fault = serde_json::from_value::<ReportBody>(text).unwrap_err();
        assert!(fault.to_string().contains("sise"), "{fault}");
    }
}
