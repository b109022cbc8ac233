//! Stations and brokers that speak by themselves: how they fare; questions to a station (招测) and its clock.

use super::submit;
use crate::command::Input;
use crate::ingest::sl651::codec::{ElementId, Query, StationAddress, function_name, name_of};
use crate::ingest::sl651::{AskFault, Reply, StationLink};
use crate::model::{Timestamp, UserRole};
use crate::web::{At, Body, Problem, Session, Site};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Most elements of one question: they must fit a packet of 220 bytes.
const ELEMENTS_MAX: usize = 60;
/// Longest period that is asked for at once, hours.
const PERIOD_MAX_H: i64 = 24 * 31;

/// Links, counts, devices that no file names, messages that gave no readings.
///
/// # Errors
/// For anybody but operators and auditors: payloads may hold what others should not see.
pub async fn links(State(site): State<Arc<Site>>, session: Session) -> Result<Json<Value>, Problem> {
    match session.actor.role {
        UserRole::Operator | UserRole::Auditor => {}
        _ => return Err(Problem::forbidden("仅系统管理员与审计员可看设备接入 (operators and auditors only)")),
    }
    let sl651 = site.callers.sl651.as_ref().map(|sl651| {
        let stations: Vec<Value> = sl651.links().iter().map(station).collect();
        json!({ "listen": sl651.address.to_string(), "counted": sl651.counted(), "stations": stations, "quarantined": sl651.quarantined() })
    });
    let mqtt = site.callers.mqtt.as_ref().map(|mqtt| mqtt.links());
    Ok(Json(json!({ "sl651": sl651, "mqtt": mqtt, "set_aside": site.live.intake.aside() })))
}

fn station(link: &StationLink) -> Value {
    json!({
        "address": link.address.to_string(), "station": link.station, "last_heard": link.last_heard,
        "last_kept": link.last_kept, "clock_ahead_s": link.clock_ahead_s, "status": link.status,
        "peer": link.peer.map(|peer| peer.to_string()),
    })
}

/// What a station is asked.
#[derive(Debug, Deserialize)]
#[serde(tag = "question", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AskBody {
    /// 37: all values of now.
    Now {},
    /// 38: values of one element between two full hours.
    Period {
        /// Mnemonic or identifier.
        element: String,
        /// From, cut to the hour.
        from: Timestamp,
        /// To, cut to the hour.
        to: Timestamp,
        /// Between two values, minutes.
        step_min: i64,
    },
    /// 39: text entered by hand.
    Manual {},
    /// 3A: some elements.
    Elements {
        /// Mnemonics or identifiers.
        elements: Vec<String>,
    },
    /// 46: status and alarms.
    Status {},
    /// 51: the station's clock.
    Clock {},
    /// 4A: sets it to ours.
    SetClock {},
}

/// Asks a station, or sets its clock, and waits for its reply: up to three tries of ten seconds. Who asked what is in the
/// journal before it is asked. The same key asks once; a repeat gets `"repeated": true` and no reply.
///
/// # Errors
/// 403 for anybody but an operator, 404 for a station that no file names, 409 when it is away or busy, 422 for a
/// question that cannot be, 504 when it does not answer.
pub async fn ask(
    at: At,
    State(site): State<Arc<Site>>,
    session: Session,
    Path(address): Path<String>,
    headers: HeaderMap,
    Body(body): Body<AskBody>,
) -> Result<Response, Problem> {
    session.may("admin")?;
    let address: StationAddress = address.parse().map_err(|fault| Problem::bad_field("address", format!("{fault}")))?;
    let sl651 = site.callers.sl651.as_ref().ok_or_else(|| Problem::not_found("[sl651]"))?;
    let known = sl651.links().into_iter().find(|link| link.address == address);
    let station = known.ok_or_else(|| Problem::not_found(format!("遥测站 {address}")))?.station;
    let query = query(&body)?;
    let function = query.function();
    let question = format!("{function:02X} {} {address}", function_name(function).unwrap_or_default());
    let input = Input::AskStation { by: session.actor.clone(), station: station.clone(), question };
    let first = Arc::new(AtomicBool::new(false));
    let made = Arc::clone(&first);
    let about = json!({ "station": station, "address": address.to_string(), "function": format!("{function:02X}") });
    let kept = about.clone();
    submit(&at, &session, &headers, input, move |_, _| {
        made.store(true, Ordering::Relaxed);
        (StatusCode::OK, kept)
    })
    .await?;
    if !first.load(Ordering::Relaxed) {
        return Ok(Json(with(about, json!({ "repeated": true, "reply": null }))).into_response());
    }
    let reply = sl651.ask(address, &query).await.map_err(|fault| refusal(&fault))?;
    let told = answer(&reply, address, at.0.engine.now());
    Ok(Json(with(about, json!({ "repeated": false, "reply": told }))).into_response())
}

fn query(body: &AskBody) -> Result<Query, Problem> {
    let element = |field: &str, text: &str| {
        let unknown = || Problem::bad_field(field, format!("没有要素 {text:?} (there is no such element)"));
        ElementId::of_text(text).map(Query::named).ok_or_else(unknown)
    };
    Ok(match body {
        AskBody::Now {} => Query::Now,
        AskBody::Manual {} => Query::Manual,
        AskBody::Status {} => Query::Status,
        AskBody::Clock {} => Query::Clock,
        AskBody::SetClock {} => Query::SetClock,
        AskBody::Elements { elements } => {
            if !(1..=ELEMENTS_MAX).contains(&elements.len()) {
                let what = format!("须为 1 至 {ELEMENTS_MAX} 个要素 (1 to {ELEMENTS_MAX} elements)");
                return Err(Problem::bad_field("elements", what));
            }
            Query::Elements(elements.iter().map(|text| element("elements", text)).collect::<Result<_, _>>()?)
        }
        AskBody::Period { element: text, from, to, step_min } => {
            let (from, to) = (Query::hour(*from), Query::hour(*to));
            if from > to || to - from > TimeDelta::hours(PERIOD_MAX_H) {
                let what =
                    format!("时段须不倒置且不超过 {PERIOD_MAX_H} 小时 (at most {PERIOD_MAX_H} hours, not backwards)");
                return Err(Problem::bad_field("to", what));
            }
            if !(1..=1440).contains(step_min) {
                return Err(Problem::bad_field("step_min", "须为 1 至 1440 分钟 (1 to 1440 minutes)"));
            }
            Query::Period { from, to, step: TimeDelta::minutes(*step_min), element: element("element", text)? }
        }
    })
}

fn refusal(fault: &AskFault) -> Problem {
    let (status, kind) = match fault {
        AskFault::Unknown { .. } => (StatusCode::NOT_FOUND, "not-found"),
        AskFault::Away { .. } => (StatusCode::CONFLICT, "station-away"),
        AskFault::Busy { .. } => (StatusCode::CONFLICT, "station-busy"),
        AskFault::Silent { .. } => (StatusCode::GATEWAY_TIMEOUT, "station-silent"),
    };
    Problem::new(status, kind, fault.to_string())
}

/// The reply in values; its body in hexadecimal where it is not made of elements.
fn answer(reply: &Reply, address: StationAddress, now: Timestamp) -> Value {
    let Some(report) = &reply.report else { return json!({ "body": hex::encode_upper(&reply.body) }) };
    let values: Vec<Value> = report
        .measured(address, now)
        .iter()
        .map(|one| {
            json!({
                "station": one.station.to_string(), "element": one.id.to_string(), "name": name_of(one.id),
                "value": one.value, "unit": one.unit, "observed_at": one.observed_at,
            })
        })
        .collect();
    let texts: Vec<String> = report.texts().map(crate::ingest::sl651::text_of).collect();
    json!({ "sent_at": report.sent.utc(now), "serial": report.serial, "values": values, "texts": texts })
}

fn with(mut about: Value, more: Value) -> Value {
    if let (Value::Object(about), Value::Object(more)) = (&mut about, more) {
        about.extend(more);
    }
    about
}
