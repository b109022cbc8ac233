//! Readings by HTTP: from a hydrologist's hand, a program, or a device with a token of its own.
//!
//! In: a list of readings. Out: what was kept, or each one that is refused, by its index. Strict by default: one bad reading
//! and nothing is kept; with `Prefer: handling=lenient` the good ones are kept in one go and the others are named. What is
//! answered is durable; the same push again gets the same answer and makes nothing twice.

use super::push_key;
use crate::ingest::offer::{Checked, Offer, OfferFault, Target, Targets, check};
use crate::model::{Reading, SeriesId};
use crate::store::arrivals::{Device, KeptAnswer, Known};
use crate::web::session::token;
use crate::web::{At, Body, Post, Problem, Scope, Session, Site};
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::DateTime;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Most readings of one push.
const READINGS_MAX: usize = 5_000;
/// Most refused readings that an answer names; the count is always whole.
const NAMED_MAX: usize = 200;

/// Fields of a reading as it is sent.
const FIELDS: [&str; 5] = ["series", "time", "value", "unit", "datum"];

/// One reading as it is sent, or the field that is at fault and why.
fn offer(sent: &Value) -> Result<Offer, OfferFault> {
    let malformed = |field: &'static str, words: &'static str| OfferFault::Malformed { field, words };
    let Value::Object(sent) = sent else {
        return Err(malformed("", "须为对象 (must be an object)"));
    };
    if sent.keys().any(|key| !FIELDS.contains(&key.as_str())) {
        return Err(malformed("", "只可有 series、time、value、unit、datum (no other field than these)"));
    }
    let text = |field: &'static str| match sent.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(malformed(field, "须为字符串 (must be a text)")),
    };
    let needed = |field: &'static str| text(field)?.ok_or(malformed(field, "缺失 (is missing)"));
    let time = DateTime::parse_from_rfc3339(&needed("time")?).map_err(|_| {
        malformed("time", "须为带时区的 RFC 3339 时间，如 2026-07-18T14:05:00+08:00 (RFC 3339 with an offset)")
    })?;
    let value = match sent.get("value") {
        Some(Value::Null) => None,
        Some(Value::Number(value)) => value.as_f64(),
        Some(_) => return Err(malformed("value", "须为数或 null (a number or null)")),
        None => return Err(malformed("value", "缺失；缺测写 null (is missing: write null for no value)")),
    };
    Ok(Offer { series: needed("series")?, at: time.to_utc(), value, unit: text("unit")?, datum: text("datum")? })
}

/// Who pushes.
pub enum Pusher {
    /// An account that is logged in.
    Person(Session),
    /// A device by its token.
    Device(Device),
}

impl Pusher {
    /// Refuses a person whose role does not carry that right; what a device may do is said by its series.
    ///
    /// # Errors
    /// 403 naming the role.
    pub fn may(&self, right: &str) -> Result<(), Problem> {
        match self {
            Self::Person(session) => session.may(right),
            Self::Device(_) => Ok(()),
        }
    }
    /// As keys and the log know it; a device cannot take an account's keys.
    pub fn name(&self) -> String {
        match self {
            Self::Person(session) => session.actor.user.to_string(),
            Self::Device(device) => format!("device:{}", device.name),
        }
    }
    /// Whether it may write to a series: a person to all, a device to its own.
    pub fn may_write(&self, series: &str) -> bool {
        match self {
            Self::Person(_) => true,
            Self::Device(device) => device.may_write(series),
        }
    }
}

impl FromRequestParts<Arc<Site>> for Pusher {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let shown = token(&parts.headers).ok_or_else(Problem::no_login)?;
        let device = site.arrivals.device(&shown).await.map_err(|fault| Problem::internal(&fault))?;
        if let Some(device) = device {
            return Ok(Self::Device(device));
        }
        Session::from_request_parts(parts, site).await.map(Self::Person)
    }
}

/// The series that readings may be pushed to.
pub fn targets(post: &Post) -> Targets {
    let gauges = &post.water().gauges;
    let target = |gauge: &crate::command::GaugeView| Target { unit: gauge.unit.clone(), datum: gauge.datum };
    gauges.iter().map(|gauge| (gauge.series.clone(), target(gauge))).collect()
}

/// Takes readings in; they are judged and durable when this answers.
///
/// # Errors
/// What is no list of readings, a key that was used for another push, readings that are refused (strict), or a store that
/// fails: nothing is kept then.
pub async fn push(
    State(site): State<Arc<Site>>,
    At(post): At,
    pusher: Pusher,
    headers: HeaderMap,
    Body(body): Body<Vec<Value>>,
) -> Result<Response, Problem> {
    pusher.may("readings")?;
    if body.len() > READINGS_MAX {
        let most = format!("一次最多 {READINGS_MAX} 条 (at most {READINGS_MAX} at a time)");
        return Err(Problem::bad_field("body", most));
    }
    // A drill ends with its clock; only what reaches the real river is remembered.
    let key = push_key(&headers)?.filter(|_| post.scope == Scope::Live);
    let Some(key) = key else {
        let (status, body) = take(&post, &pusher, &headers, body).await?;
        return Ok(answer(status, body.to_string()));
    };
    let hash = hex::encode(Sha256::digest(serde_json::to_vec(&body).unwrap_or_default()));
    let who = pusher.name();
    match site.arrivals.answered(&who, &key, &hash).await.map_err(|fault| Problem::internal(&fault))? {
        Known::Same(kept) => {
            let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return Ok(answer(status, kept.body));
        }
        Known::Other => {
            let words = "此键已用于另一次上报 (this key was used for another push)";
            return Err(Problem::bad_field("Idempotency-Key", words));
        }
        Known::No => {}
    }
    let (status, body) = take(&post, &pusher, &headers, body).await?;
    let kept = KeptAnswer { who, key, body_hash: hash, status: status.as_u16(), body: body.to_string() };
    // The readings are durable: an answer that cannot be kept is made anew from them when the push comes again.
    if let Err(fault) = site.arrivals.keep_answer(&kept, post.engine.now()).await {
        tracing::warn!(fault = &fault as &dyn std::error::Error, "上报答复未留存 (an answer was not kept)");
    }
    Ok(answer(status, kept.body))
}

async fn take(
    post: &Post,
    pusher: &Pusher,
    headers: &HeaderMap,
    body: Vec<Value>,
) -> Result<(StatusCode, Value), Problem> {
    let (mut offers, mut places, mut malformed) = (Vec::new(), Vec::new(), Vec::new());
    for (index, sent) in body.iter().enumerate() {
        match offer(sent) {
            Ok(offer) => {
                offers.push(offer);
                places.push(index);
            }
            Err(fault) => malformed.push((index, fault)),
        }
    }
    let mut targets = targets(post);
    targets.retain(|series, _| pusher.may_write(series.as_str()));
    let mut checked = check(&offers, &targets, post.series.as_ref(), post.engine.now()).await?;
    name_rights(&mut checked, post);
    // By the places that the sender knows.
    let mut refused: Vec<_> = checked.refused.into_iter().map(|(at, fault)| (places[at], fault)).collect();
    refused.extend(malformed);
    refused.sort_by_key(|(index, _)| *index);
    let items = refused_items(&refused, &body);
    let count = refused.len();
    if count > 0 && (!is_lenient(headers) || count == body.len()) {
        let field = refused.first().map_or_else(String::new, |(at, fault)| {
            format!("[{at}].{}", fault.field()).trim_end_matches('.').to_owned()
        });
        let words = format!("{count} 条不可用，均未写入 ({count} readings are refused, nothing was kept)");
        return Err(Problem::bad_items(field, words, items));
    }
    let (mut accepted, mut known) = (checked.fresh.len(), checked.known);
    let (indices, readings): (Vec<_>, Vec<_>) = checked.fresh.into_iter().unzip();
    if !readings.is_empty() {
        let moments: Vec<_> = readings.iter().map(|one: &Reading| (one.series.clone(), one.observed_at)).collect();
        let kept = post.intake.take(readings).await?;
        // Another sender was quicker since the check: what contradicts it is set aside, and this one is told.
        for one in &kept.set_aside {
            let place = moments.iter().position(|(series, at)| *series == one.series && *at == one.time);
            let index = place.and_then(|place| indices.get(place)).and_then(|index| places.get(*index));
            refused.extend(index.map(|index| (*index, OfferFault::Stored { stored: one.stored })));
        }
        accepted -= kept.known + kept.set_aside.len();
        known += kept.known;
    }
    let (items, count) = (refused_items(&refused, &body), refused.len());
    let mut body = json!({ "accepted": accepted, "known": known });
    if count == 0 {
        return Ok((StatusCode::ACCEPTED, body));
    }
    body["refused_count"] = json!(count);
    body["refused"] = Value::Array(items);
    Ok((StatusCode::MULTI_STATUS, body))
}

/// A series that exists but is not the device's is not called unknown.
fn name_rights(checked: &mut Checked, post: &Post) {
    let water = post.water();
    for (_, fault) in &mut checked.refused {
        if let OfferFault::UnknownSeries(series) = fault
            && water.gauges.iter().any(|gauge| gauge.series == SeriesId::new(&*series))
        {
            *fault = OfferFault::NotYours(std::mem::take(series));
        }
    }
}

fn refused_items(refused: &[(usize, OfferFault)], body: &[Value]) -> Vec<Value> {
    let item = |(index, fault): &(usize, OfferFault)| {
        let sent = |field: &str| body.get(*index).and_then(|sent| sent.get(field));
        json!({
            "index": index, "series": sent("series"), "time": sent("time"),
            "field": fault.field(), "reason": fault.to_string(),
        })
    };
    refused.iter().take(NAMED_MAX).map(item).collect()
}

/// `Prefer: handling=lenient` (RFC 7240).
fn is_lenient(headers: &HeaderMap) -> bool {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case("handling=lenient"))
}

fn answer(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_a_push_that_is_taken() {
        let page = include_str!("../../../docs/ingest/http.md");
        let (_, sample) = page.split_once("-d '").unwrap();
        let (sample, _) = sample.split_once('\'').unwrap();
        let body: Vec<Value> = serde_json::from_str(sample).unwrap();
        let offers: Vec<_> = body.iter().map(|sent| offer(sent).unwrap()).collect();
        assert_eq!(
            (offers.len(), offers[0].unit.as_deref(), offers[0].datum.as_deref()),
            (2, Some("cm"), Some("dagu"))
        );
    }

    #[test]
    fn what_is_no_reading_is_refused_by_its_field() {
        let check = |sent: Value, field: &str| {
            assert_eq!(offer(&sent).map_err(|fault| fault.field().to_owned()).unwrap_err(), field, "{sent}");
        };
        let time = "2026-07-18T14:05:00+08:00";
        check(json!(7), "");
        check(json!({ "series": "a.stage", "time": time, "value": 1, "note": "x" }), "");
        check(json!({ "time": time, "value": 1 }), "series");
        check(json!({ "series": "a.stage", "value": 1 }), "time");
        check(json!({ "series": "a.stage", "time": "2026-07-18 14:05", "value": 1 }), "time");
        check(json!({ "series": "a.stage", "time": 1_753_000_000, "value": 1 }), "time");
        check(json!({ "series": "a.stage", "time": time }), "value");
        check(json!({ "series": "a.stage", "time": time, "value": "91.2" }), "value");
        check(json!({ "series": "a.stage", "time": time, "value": 1, "unit": 3 }), "unit");
        assert_eq!(offer(&json!({ "series": "a.stage", "time": time, "value": null })).unwrap().value, None);
    }

    #[test]
    fn lenient_is_asked_for_by_name() {
        let check = |value: &str, expected: bool| {
            let headers = [(header::HeaderName::from_static("prefer"), value.parse().unwrap())].into_iter().collect();
            assert_eq!(is_lenient(&headers), expected, "{value}");
        };
        check("handling=lenient", true);
        check("respond-async, Handling=Lenient", true);
        check("handling=strict", false);
        check("lenient", false);
        assert!(!is_lenient(&HeaderMap::new()));
    }
}
