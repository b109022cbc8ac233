//! Reports of the public: no login, no account, off unless the site turns it on.
//!
//! In: a form with text, place and photos. Out: a tip that waits for an officer; it counts for no rule. Photos lose what the
//! camera wrote into them. It keeps nothing about the sender but what was typed; the address is counted and forgotten.

use crate::command::{Actor, FieldReport, Input, ReportKind};
use crate::model::{Spot, UserName, UserRole};
use crate::store::{OnceKey, bare_photo};
use crate::web::caller::caller;
use crate::web::{Problem, PublicReports, Site};
use axum::Json;
use axum::extract::{ConnectInfo, FromRequest, Multipart, Request, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;

/// Largest form, bytes.
pub const FORM_MAX: usize = 12 << 20;
/// Largest photo, bytes.
const PHOTO_MAX: usize = 5 << 20;
/// Most photos.
const PHOTOS_MAX: usize = 3;
/// Longest text, in characters.
const TEXT_MAX: usize = 500;
/// Longest place in words, in characters.
const PLACE_MAX: usize = 100;
/// Account under which tips of the public stand.
const PUBLIC: &str = "public";

#[derive(Default)]
struct Form {
    text: String,
    place: String,
    lon: Option<f64>,
    lat: Option<f64>,
    photos: Vec<Vec<u8>>,
}

/// Says that reports are taken, and what fits in one; for the page.
///
/// # Errors
/// 404 where it is off.
pub async fn about(State(site): State<Arc<Site>>) -> Result<Json<Value>, Problem> {
    site.public.as_ref().ok_or_else(|| Problem::not_found("公众上报"))?;
    Ok(Json(json!({ "photos_max": PHOTOS_MAX, "photo_bytes_max": PHOTO_MAX, "text_max": TEXT_MAX })))
}

/// Takes a report of the public in; it is durable when this answers with its number.
///
/// # Errors
/// 404 where it is off, 429 when too many come, 422 for what is no picture or has no place.
pub async fn report(
    State(site): State<Arc<Site>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let public: &PublicReports = site.public.as_ref().ok_or_else(|| Problem::not_found("公众上报"))?;
    let key = super::push_key(&headers)?;
    let again = match &key {
        Some(key) => site.live.engine.journal().answered(PUBLIC, key).await?.is_some(),
        None => false,
    };
    let (address, now) = (caller(peer.ip(), &headers), (site.wall)());
    if !public.admit(address, now, again) {
        let words =
            "上报过于频繁，请稍后再报；紧急情况请拨打 119 或 110 (too many reports; in an emergency call 119 or 110)";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many", words));
    }
    let taken = take(&site, request, key).await;
    if taken.is_err() && !again {
        public.refused(address, now);
    }
    taken
}

async fn take(site: &Arc<Site>, request: Request, key: Option<String>) -> Result<(StatusCode, Json<Value>), Problem> {
    let form = form_of(request).await?;
    let spot = spot_of(site, &form)?;
    if form.text.trim().is_empty() && form.photos.is_empty() {
        return Err(Problem::bad_field("text", "请写明情况或附照片 (say what you see, or add a photo)"));
    }
    let mut photos = Vec::with_capacity(form.photos.len());
    for photo in &form.photos {
        photos.push(site.photos.keep(photo).await?);
    }
    let place = form.place.trim();
    let text =
        if place.is_empty() { form.text.trim().to_owned() } else { format!("{}（{place}）", form.text.trim()) };
    let by = Actor { user: UserName::new(PUBLIC), role: UserRole::Viewer, member: None };
    let report = FieldReport {
        kind: ReportKind::Tip,
        type_: "public".into(),
        grade: 1,
        place: spot,
        observed_at: site.live.engine.now(),
        text: Some(text),
        photos,
        task: None,
    };
    let (actor, sent) = (by.clone(), report.clone());
    let render = Box::new(move |state: &crate::command::State, _: &[crate::command::Entry]| {
        let made = state.same_report(&actor, &sent).map(|report| report.id);
        (
            201,
            json!({ "id": made, "note": "已收到，值班人员会核实 (received; an officer will look at it)" }).to_string(),
        )
    });
    let once = key.map(|key| OnceKey { who: PUBLIC.into(), key });
    let made = site.live.engine.submit_once(once, Input::Report { by, report }, render).await?;
    let body = serde_json::from_str(&made.answer.1).unwrap_or(Value::Null);
    Ok((StatusCode::CREATED, Json(body)))
}

async fn form_of(request: Request) -> Result<Form, Problem> {
    let mut parts =
        Multipart::from_request(request, &()).await.map_err(|fault| Problem::bad_field("body", fault.body_text()))?;
    let mut form = Form::default();
    while let Some(part) = parts.next_field().await? {
        let name = part.name().unwrap_or_default().to_owned();
        if name == "photo" {
            if form.photos.len() == PHOTOS_MAX {
                return Err(Problem::bad_field("photo", format!("最多 {PHOTOS_MAX} 张 (at most {PHOTOS_MAX})")));
            }
            let bytes = part.bytes().await?;
            let bare = Some(&bytes).filter(|bytes| bytes.len() <= PHOTO_MAX).and_then(|bytes| bare_photo(bytes));
            let words = "须为完整的 JPEG 或 PNG，不超过 5 MB (a whole JPEG or PNG of at most 5 MB)";
            form.photos.push(bare.ok_or_else(|| Problem::bad_field("photo", words))?);
            continue;
        }
        let text = part.text().await?;
        let short = |most: usize| {
            let clean: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
            if clean.chars().count() <= most {
                Ok(clean)
            } else {
                Err(Problem::bad_field(&*name, format!("不超过 {most} 字 (too long)")))
            }
        };
        let number = || match text.trim() {
            "" => Ok(None),
            text => text.parse::<f64>().map(Some).map_err(|_| Problem::bad_field(&*name, "不是数 (not a number)")),
        };
        match name.as_str() {
            "text" => form.text = short(TEXT_MAX)?,
            "place" => form.place = short(PLACE_MAX)?,
            "lon" => form.lon = number()?,
            "lat" => form.lat = number()?,
            other => return Err(Problem::bad_field("body", format!("未知部分 {other:?} (unknown part)"))),
        }
    }
    Ok(form)
}

/// A position of the map, or a place in words that an officer finds.
fn spot_of(site: &Site, form: &Form) -> Result<Spot, Problem> {
    match (form.lon, form.lat) {
        (Some(lon), Some(lat)) => {
            let spot = Spot { lon: Some(lon), lat: Some(lat), ..Spot::default() };
            let near = (73.0..=136.0).contains(&lon) && (3.0..=54.0).contains(&lat);
            let here = near && !site.live.engine.core().reach.places_at(&spot).is_empty();
            if here || !form.place.trim().is_empty() {
                return Ok(if near { spot } else { Spot::default() });
            }
            Err(Problem::bad_field(
                "lon",
                "位置不在本辖区，请用文字写明地点 (not in this reach: say the place in words)",
            ))
        }
        (None, None) if !form.place.trim().is_empty() => Ok(Spot::default()),
        _ => Err(Problem::bad_field("place", "请在地图上标出或写明地点 (mark the place on the map or write it)")),
    }
}
