//! Forecasts made elsewhere: looked at, kept as a whole, taken out of use again.
//!
//! In: a file, as a form or as the body. Out: what it holds, what becomes of each forecast and how the crest would change; kept only
//! when nothing of it is at fault. Only the real river takes forecasts from outside, a drill does not.

use super::imports::places;
use super::readings::Pusher;
use crate::command::GaugeView;
use crate::forecast::{Forecast, ForecastVariable, ImportedForecast, PlanUse};
use crate::ingest::forecasts::{ForecastAsk, ForecastFault, ForecastFile, read, variable_of};
use crate::ingest::sheet::FILE_MAX;
use crate::ingest::units::datum_of;
use crate::model::{Datum, Timestamp};
use crate::store::arrivals::{KeptForecast, NewForecast, Withdrawn};
use crate::web::{Body, Post, Problem, Query, Session, Site};
use axum::Json;
use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use chrono::{DateTime, FixedOffset};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Largest form: the file and a little.
pub const FORM_MAX: usize = FILE_MAX + (64 << 10);
/// Areal rain of one forecast above which it is doubted aloud, mm; five days of 1982-08 brought 三花间 about 270.
const AREAL_RAIN_MAX_MM: f64 = 400.0;
/// Longest name of a file that is kept, in characters.
const NAME_MAX: usize = 120;
/// Longest reason, in characters.
const REASON_MAX: usize = 500;
/// A plan that begins this many times above or below what is measured now is doubted aloud.
const DOUBT: f64 = 1.5;

/// What the sender says beside the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendQuery {
    /// Keep nothing.
    #[serde(default)]
    preview: bool,
    /// SHA-256 of the file that was looked at.
    expect: Option<String>,
    source: Option<String>,
    issued_at: Option<DateTime<FixedOffset>>,
    variable: Option<String>,
    area: Option<String>,
    datum: Option<String>,
    sheet: Option<String>,
}

impl SendQuery {
    fn ask(&self) -> Result<ForecastAsk, Problem> {
        let text = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let variable = text(&self.variable).map(|word| {
            variable_of(&word).ok_or_else(|| Problem::bad_field("variable", "不认识要素 (unknown variable)"))
        });
        let datum = text(&self.datum)
            .map(|word| datum_of(&word).ok_or_else(|| Problem::bad_field("datum", "不认识基面 (unknown datum)")));
        Ok(ForecastAsk {
            source: text(&self.source),
            issued_at: self.issued_at.map(|at| at.to_utc()),
            variable: variable.transpose()?,
            area: text(&self.area),
            datum: datum.transpose()?,
            sheet: text(&self.sheet),
        })
    }
}

/// Reads a file of forecasts; keeps it unless it is a preview.
///
/// # Errors
/// Without the right, what is no such file, any fault of it, another file than the one that was looked at.
pub async fn send(
    State(site): State<Arc<Site>>,
    pusher: Pusher,
    Query(query): Query<SendQuery>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Problem> {
    pusher.may("import")?;
    let ask = query.ask()?;
    let (name, bytes) = file_of(request).await?;
    let hash = hex::encode(Sha256::digest(&bytes));
    if query.expect.as_ref().is_some_and(|expected| *expected != hash) {
        let words = "文件与预览时不同，未导入 (not the file that was looked at, nothing was kept)";
        return Err(Problem::bad_field("expect", words));
    }
    let now = site.live.engine.now();
    let places = places(&site);
    let file = tokio::task::spawn_blocking(move || read(&bytes, &ask, &places, now)).await;
    let file = file.map_err(|fault| Problem::internal(&fault))??;
    if let Some(foreign) = file.forecasts.iter().find(|one| !pusher.may_write(&series_of(one))) {
        let words = format!("该设备无权写入 {} (the device may not write to this)", series_of(foreign));
        return Err(Problem::forbidden(words));
    }
    let mut answer = looked_at(&site.live, &file, now).await?;
    (answer["name"], answer["sha256"]) = (json!(name), json!(hash));
    if query.preview {
        return Ok((StatusCode::OK, Json(answer)));
    }
    if let Some(first) = file.faults.first() {
        let items: Vec<_> = file.faults.iter().map(fault_shape).collect();
        let words = format!("{} 处有误，整个文件未导入 ({} faults, nothing was kept)", items.len(), items.len());
        let field = format!("{} {}", first.place(), first.field);
        return Err(Problem::bad_items(field, words, items));
    }
    let who = pusher.name();
    let new = NewForecast { who: who.clone(), name, forecasts: file.forecasts };
    let ids = site.arrivals.add_forecasts(&new, now).await.map_err(|fault| Problem::internal(&fault))?;
    tell(&site).await?;
    for ((id, _), one) in ids.iter().zip(&new.forecasts).filter(|((_, is_new), _)| *is_new) {
        let (source, area, variable) = (&one.source, &one.area, one.variable.as_str());
        tracing::info!(id, user = who, source, area, variable, issued_at = %one.issued_at, "外来预报已导入 (a forecast was imported)");
    }
    let items = ids.iter().map(|(id, is_new)| json!({ "id": id, "known": !is_new }));
    answer["kept"] = items.collect();
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Hands what is in use to the forecaster; it is durable by now.
async fn tell(site: &Site) -> Result<(), Problem> {
    let (as_of, plans) = site.arrivals.plans().await.map_err(|fault| Problem::internal(&fault))?;
    Ok(site.live.intake.use_plans(as_of, plans).await?)
}

/// The file of a form, or the body itself.
async fn file_of(request: Request) -> Result<(String, Bytes), Problem> {
    if !is_form(request.headers()) {
        let bytes = Bytes::from_request(request, &()).await;
        let bytes = bytes.map_err(|fault| match fault.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::too_large(format!("文件超过 {} MB (the file is above that)", FILE_MAX >> 20))
            }
            _ => Problem::bad_field("body", "请求体未收全，请重发 (the body did not come whole: send it again)"),
        })?;
        return Ok((String::new(), bytes));
    }
    let mut parts =
        Multipart::from_request(request, &()).await.map_err(|fault| Problem::bad_field("body", fault.body_text()))?;
    let mut file = None;
    while let Some(part) = parts.next_field().await? {
        match part.name() {
            Some("file") => {
                let name = part.file_name().unwrap_or_default().chars().filter(|c| !c.is_control()).take(NAME_MAX);
                file = Some((name.collect(), part.bytes().await?));
            }
            other => return Err(Problem::bad_field("body", format!("未知部分 {other:?} (unknown part)"))),
        }
    }
    file.ok_or_else(|| Problem::bad_field("file", "缺少 file 部分 (the part `file` is missing)"))
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("multipart/form-data"))
}

fn series_of(forecast: &ImportedForecast) -> String {
    format!("{}.{}", forecast.area, forecast.variable.as_str())
}

async fn looked_at(post: &Post, file: &ForecastFile, now: Timestamp) -> Result<Value, Problem> {
    let (uses, after) = post.intake.would_use(file.forecasts.clone()).await?;
    let before = post.water().forecast.clone();
    let water = post.water();
    let items = file.forecasts.iter().zip(uses).map(|(forecast, becomes)| {
        let mut item = shape(forecast, becomes, now);
        let measured = water.gauges.iter().find(|gauge| {
            gauge.station == forecast.area && gauge.quantity == "discharge" && becomes == PlanUse::Inflow
        });
        let rain = (becomes == PlanUse::Rain).then(|| rain_doubts(forecast));
        item["doubts"] = json!(rain.or(measured.map(|gauge| doubts(forecast, gauge, now))).unwrap_or_default());
        item
    });
    Ok(json!({
        "kind": file.kind, "forecasts": items.collect::<Vec<_>>(),
        "faults": file.faults.iter().map(fault_shape).collect::<Vec<_>>(), "notes": file.notes,
        "effect": { "series": water.control, "before": crest(before.as_ref()), "after": crest(after.as_ref()) },
    }))
}

fn crest(forecast: Option<&Forecast>) -> Value {
    forecast.and_then(Forecast::peak).map_or(Value::Null, |peak| json!({ "peak_m3s": peak.q_m3s, "at": peak.at }))
}

/// What a person should look at twice: a plan that does not fit what is measured now, or that is over already.
fn doubts(forecast: &ImportedForecast, gauge: &GaugeView, now: Timestamp) -> Vec<String> {
    let mut doubts = Vec::new();
    let planned = forecast.members.first().and_then(|member| {
        let next = member.points.iter().find(|(at, _)| *at >= now).map(|(_, value)| *value);
        member.at(now).or(next)
    });
    match (planned, gauge.value) {
        (Some(planned), Some(measured)) if planned > measured * DOUBT || planned < measured / DOUBT => {
            doubts.push(format!(
                "计划此刻 {planned:.0} m³/s，实测 {measured:.0} m³/s，请核对单位与站名 (the plan says {planned:.0} m³/s for now, {measured:.0} m³/s is measured: check unit and station)"
            ));
        }
        (None, _) => doubts.push("全部时刻都已过去，不起作用 (all of it lies in the past: no use)".to_owned()),
        _ => {}
    }
    doubts
}

/// Rain that no area of a thousand square kilometres has seen: a wrong unit, or the sum since the issue in every row.
fn rain_doubts(forecast: &ImportedForecast) -> Vec<String> {
    let sums = forecast.members.iter().map(|member| member.points.iter().map(|(_, mm)| mm).sum::<f64>());
    let most = sums.fold(0.0, f64::max);
    let words = || {
        format!(
            "面雨量合计 {most:.0} mm，请核对：每行应为时段雨量，不是累计 (areal rain adds up to {most:.0} mm: each row holds what falls since the row before, not the sum)"
        )
    };
    (most > AREAL_RAIN_MAX_MM).then(words).into_iter().collect()
}

fn fault_shape(fault: &ForecastFault) -> Value {
    json!({
        "row": fault.row, "column": fault.column, "path": fault.path, "place": fault.place(), "field": fault.field,
        "reason": fault.reason,
    })
}

/// A forecast in short.
fn shape(forecast: &ImportedForecast, becomes: PlanUse, now: Timestamp) -> Value {
    let points = || forecast.members.iter().flat_map(|member| &member.points);
    let (from, until) = (points().map(|(at, _)| *at).min(), forecast.reaches_until());
    let low = points().map(|(_, value)| *value).fold(f64::INFINITY, f64::min);
    let high = points().map(|(_, value)| *value).fold(f64::NEG_INFINITY, f64::max);
    let (zh, en) = use_words(becomes, forecast.variable);
    json!({
        "source": forecast.source, "issued_at": forecast.issued_at,
        "age_s": (now - forecast.issued_at).num_seconds(), "variable": forecast.variable,
        "unit": forecast.variable.unit(), "area": forecast.area, "datum": forecast.datum.map(Datum::as_str),
        "members": forecast.members.len(), "points": points().count(), "from": from, "until": until, "min": low,
        "max": high, "becomes": use_word(becomes), "becomes_text": { "zh": zh, "en": en },
    })
}

fn use_word(becomes: PlanUse) -> &'static str {
    match becomes {
        PlanUse::Inflow => "inflow",
        PlanUse::Rain => "rain",
        PlanUse::Target => "compare",
        PlanUse::NoFlow | PlanUse::NoInflow => "shown",
    }
}

fn use_words(becomes: PlanUse, variable: ForecastVariable) -> (&'static str, &'static str) {
    match (becomes, variable) {
        (PlanUse::Inflow, _) => ("代替“来水不变”参与预报", "stands in place of the inflow staying as it is"),
        (PlanUse::Target, _) => ("本站外来预报，仅供对比", "of the forecast station itself: to compare with"),
        (PlanUse::Rain, _) => ("产流后参与预报", "what runs off is added to the forecast"),
        (PlanUse::NoFlow, ForecastVariable::Rain) => (
            "仅保存与显示：forecast.toml 中没有这个区域，雨量不参与预报",
            "kept and shown: forecast.toml names no such area, so its rain changes no number here",
        ),
        (PlanUse::NoFlow, _) => ("仅保存与显示，不参与流量预报", "kept and shown: no input of the discharge forecast"),
        (PlanUse::NoInflow, _) => {
            ("仅保存与显示：不是预报用的上游站", "kept and shown: no station that feeds the forecast")
        }
    }
}

/// What is kept, the newest issue first.
///
/// # Errors
/// Without a login at headquarters.
pub async fn list(State(site): State<Arc<Site>>, session: Session) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    let kept = site.arrivals.forecasts().await.map_err(|fault| Problem::internal(&fault))?;
    let forecasts = kept.iter().map(|one| one.forecast.clone()).collect();
    let (uses, _) = site.live.intake.would_use(forecasts).await?;
    let items: Vec<_> = kept.iter().zip(uses).map(|(one, becomes)| kept_shape(one, becomes, &site.live)).collect();
    Ok(Json(json!({ "items": items, "next": null })))
}

fn kept_shape(kept: &KeptForecast, becomes: PlanUse, post: &Post) -> Value {
    let mut item = shape(&kept.forecast, becomes, post.engine.now());
    let forecast = &kept.forecast;
    let in_use = kept.withdrawn.is_none()
        && post.water().forecast.iter().flat_map(|ours| &ours.planned).any(|planned| {
            planned.station == forecast.area
                && planned.source == forecast.source
                && planned.issued_at == forecast.issued_at
                && planned.variable == forecast.variable
        });
    let withdrawn = kept.withdrawn.as_ref();
    item["id"] = json!(kept.id);
    item["in_use"] = json!(in_use);
    (item["by"], item["at"], item["name"]) = (json!(kept.who), json!(kept.at), json!(kept.name));
    item["withdrawn"] = json!(withdrawn.map(|one| json!({ "by": one.by, "at": one.at, "reason": one.reason })));
    item
}

/// One with its members.
///
/// # Errors
/// When there is none of that id.
pub async fn get(
    State(site): State<Arc<Site>>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    let kept = site.arrivals.forecast(&id).await.map_err(|fault| Problem::internal(&fault))?;
    whole(&site, kept.ok_or_else(|| unknown(&id))?).await
}

async fn whole(site: &Site, kept: KeptForecast) -> Result<Json<Value>, Problem> {
    let (uses, _) = site.live.intake.would_use(vec![kept.forecast.clone()]).await?;
    let mut item = kept_shape(&kept, uses.first().copied().unwrap_or(PlanUse::NoInflow), &site.live);
    item["courses"] = json!(kept.forecast.members);
    Ok(Json(item))
}

fn unknown(id: &str) -> Problem {
    Problem::not_found(format!("外来预报 {}", id.chars().take(40).collect::<String>()))
}

/// Why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawBody {
    reason: String,
}

/// Takes one out of use; it stays on record.
///
/// # Errors
/// Without the right, without a reason, or when there is none of that id.
pub async fn withdraw(
    State(site): State<Arc<Site>>,
    session: Session,
    Path(id): Path<String>,
    Body(body): Body<WithdrawBody>,
) -> Result<Json<Value>, Problem> {
    session.may("import")?;
    let reason = body.reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > REASON_MAX {
        return Err(Problem::bad_field("reason", format!("须写明原因，至多 {REASON_MAX} 字 (give a reason)")));
    }
    let withdrawn = Withdrawn { by: session.actor.user.to_string(), at: site.live.engine.now(), reason };
    let kept = site.arrivals.withdraw_forecast(&id, &withdrawn).await.map_err(|fault| Problem::internal(&fault))?;
    let kept = kept.ok_or_else(|| unknown(&id))?;
    tell(&site).await?;
    tracing::info!(id, user = withdrawn.by, "外来预报已停用 (a forecast was withdrawn)");
    whole(&site, kept).await
}
