//! Readings by HTTP: from a hydrologist's hand, a program, or a device with a token of its own.
//!
//! In: a list of readings. Out: what was kept, or each one that is refused, by its index. Strict by default: one bad reading
//! and nothing is kept; with `Prefer: handling=lenient` the good ones are kept in one go and the others are named. What is
//! answered is durable; the same push again gets the same answer and makes nothing twice.

use super::push_key;
use crate::ingest::offer::{Checked, Offer, OfferFault, Target, Targets, check};
use crate::model::SeriesId;
use crate::store::arrivals::{Device, KeptAnswer, Known};
use crate::web::session::token;
use crate::web::{At, Body, Post, Problem, Scope, Session, Site};
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Most readings of one push.
const READINGS_MAX: usize = 5_000;
/// Most refused readings that an answer names; the count is always whole.
const NAMED_MAX: usize = 200;

/// One reading as it is sent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadingBody {
    series: String,
    time: DateTime<FixedOffset>,
    value: Option<f64>,
    unit: Option<String>,
    datum: Option<String>,
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
    Body(body): Body<Vec<ReadingBody>>,
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
    body: Vec<ReadingBody>,
) -> Result<(StatusCode, Value), Problem> {
    let offers: Vec<_> = body
        .into_iter()
        .map(|one| Offer {
            series: one.series,
            at: one.time.to_utc(),
            value: one.value,
            unit: one.unit,
            datum: one.datum,
        })
        .collect();
    let mut targets = targets(post);
    targets.retain(|series, _| pusher.may_write(series.as_str()));
    let mut checked = check(&offers, &targets, post.series.as_ref(), post.engine.now()).await?;
    name_rights(&mut checked, post);
    let items = refused_items(&checked, &offers);
    let count = checked.refused.len();
    if count > 0 && (!is_lenient(headers) || count == offers.len()) {
        let field = checked.refused.first().map_or_else(String::new, |(at, fault)| format!("[{at}].{}", fault.field()));
        let words = format!("{count} 条不可用，均未写入 ({count} readings are refused, nothing was kept)");
        return Err(Problem::bad_items(field, words, items));
    }
    let accepted = checked.fresh.len();
    let readings: Vec<_> = checked.fresh.into_iter().map(|(_, reading)| reading).collect();
    if !readings.is_empty() {
        post.intake.take(readings).await?;
    }
    let mut body = json!({ "accepted": accepted, "known": checked.known });
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

fn refused_items(checked: &Checked, offers: &[Offer]) -> Vec<Value> {
    let item = |(index, fault): &(usize, OfferFault)| {
        let offer = offers.get(*index);
        json!({
            "index": index, "series": offer.map(|offer| &offer.series), "time": offer.map(|offer| offer.at),
            "field": fault.field(), "reason": fault.to_string(),
        })
    };
    checked.refused.iter().take(NAMED_MAX).map(item).collect()
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
        let body: Vec<ReadingBody> = serde_json::from_str(sample).unwrap();
        assert_eq!((body.len(), body[0].unit.as_deref(), body[0].datum.as_deref()), (2, Some("cm"), Some("dagu")));
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
