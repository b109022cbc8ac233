//! Events of other systems: signed, once, and never an order by themselves.

use super::readings::targets;
use crate::command::{Actor, FieldReport, Input, ReportKind};
use crate::ingest::hooks::{Action, SignFault, Signed};
use crate::ingest::offer::{Offer, check};
use crate::model::{PlaceId, Spot, Timestamp, UserName, UserRole};
use crate::store::OnceKey;
use crate::store::arrivals::{KeptAnswer, Known};
use crate::web::{Problem, RawBody, Site};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Takes an event in; what the map makes of it is durable when this answers. The same event again gets the same answer.
///
/// # Errors
/// 404 for a source that the map does not name, 401 for what is not signed by it or old, 422 for what is no JSON, a time that
/// is none, an event of which nothing can be read though a rule fits, or an id that was used for another event.
pub async fn receive(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Response, Problem> {
    let source = site.hooks.map.source(&name).ok_or_else(|| Problem::not_found("事件来源"))?;
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let id = text("webhook-id");
    let message =
        Signed { id, timestamp: text("webhook-timestamp"), signatures: text("webhook-signature"), body: &body };
    source.secret.check(&message, (site.wall)()).map_err(|fault: SignFault| {
        tracing::warn!(source = source.name, %fault, "事件被拒 (an event was refused)");
        Problem::new(StatusCode::UNAUTHORIZED, "not-signed", fault.to_string())
    })?;
    let now = site.live.engine.now();
    site.hooks.hear(&source.name, now);
    let event: Value = serde_json::from_slice(&body)
        .map_err(|fault| Problem::bad_field("body", format!("不是有效的 JSON (no JSON: {fault})")))?;
    let (who, hash) = (format!("hook:{}", source.name), hex::encode(Sha256::digest(&body)));
    match site.arrivals.answered(&who, id, &hash).await.map_err(|fault| Problem::internal(&fault))? {
        Known::Same(kept) => return Ok(answer(kept.body)),
        Known::Other => {
            let words = "此编号已用于另一事件 (this id was used for another event)";
            return Err(Problem::bad_field("webhook-id", words));
        }
        Known::No => {}
    }
    let told = source.moment(&event, now).map_err(|fault| {
        tracing::warn!(source = source.name, id, %fault, "事件时间不可读，未采纳 (an event whose time cannot be read is refused)");
        Problem::bad_field(&fault.pointer, fault.to_string())
    })?;
    let actions = source.actions(&event);
    refuse_if_nothing_is_understood(&source.name, id, &actions)?;
    let (at, mut done) = ((told, told.min(now)), Vec::new());
    for action in actions {
        done.push(act(&site, &who, id, at, now, action).await?);
    }
    let body = json!({ "actions": done }).to_string();
    let kept = KeptAnswer { who, key: id.to_owned(), body_hash: hash, status: 202, body };
    site.arrivals.keep_answer(&kept, now).await.map_err(|fault| Problem::internal(&fault))?;
    Ok(answer(kept.body))
}

fn answer(body: String) -> Response {
    (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// An event of which nothing is understood is refused by the first field; what is understood in part says which part is not.
fn refuse_if_nothing_is_understood(source: &str, id: &str, actions: &[Action]) -> Result<(), Problem> {
    let misread = |action: &Action| match action {
        Action::Misread { pointer, words } => Some((pointer.clone(), words.clone())),
        _ => None,
    };
    let misread: Vec<_> = actions.iter().filter_map(misread).collect();
    for (pointer, words) in &misread {
        tracing::warn!(source, id, pointer, found = words, "事件中有读不懂的字段 (a field of an event cannot be read)");
    }
    match misread.first() {
        Some((pointer, words)) if misread.len() == actions.len() => Err(Problem::bad_field(pointer, words.clone())),
        _ => Ok(()),
    }
}

/// `told` is the moment as the event says it, `at` one that is not ahead of the clock. Each may be done again: a reading by series and moment, a report under the id of the event, a signal by itself.
async fn act(
    site: &Site,
    who: &str,
    id: &str,
    (told, at): (Timestamp, Timestamp),
    now: Timestamp,
    action: Action,
) -> Result<Value, Problem> {
    let post = &site.live;
    match action {
        Action::Reading { series, value, unit } => {
            let offer = [Offer { series: series.clone(), at: told, value: Some(value), unit, datum: None }];
            let checked = check(&offer, &targets(post), post.series.as_ref(), now).await?;
            if let Some((_, fault)) = checked.refused.first() {
                return Ok(json!({ "reading": series, "refused": fault.to_string() }));
            }
            let readings: Vec<_> = checked.fresh.into_iter().map(|(_, reading)| reading).collect();
            if !readings.is_empty() {
                let kept = post.intake.at("hook").take(readings).await?;
                if let Some(one) = kept.set_aside.first() {
                    return Ok(json!({ "reading": series, "refused": one.reason }));
                }
            }
            Ok(json!({ "reading": series }))
        }
        Action::Misread { pointer, words } => Ok(json!({ "not_understood": pointer, "why": words })),
        Action::Signal { key, place, hold_s } => {
            let hold = TimeDelta::seconds(i64::from(hold_s));
            post.intake.hear(key.clone(), place.clone(), at, hold).await?;
            Ok(json!({ "signal": key.to_string(), "place": place }))
        }
        Action::Report { place, text } => {
            let by = Actor { user: UserName::new(who), role: UserRole::Viewer, member: None };
            let report = FieldReport {
                kind: ReportKind::Tip,
                type_: "event".into(),
                grade: 1,
                place: place.map_or_else(Spot::default, |place| spot_of(site, &place)),
                observed_at: at,
                text: Some(text),
                photos: Vec::new(),
                task: None,
            };
            let once = Some(OnceKey { who: who.to_owned(), key: id.to_owned() });
            let (actor, sent) = (by.clone(), report.clone());
            let render = Box::new(move |state: &crate::command::State, _: &[crate::command::Entry]| {
                (201, json!(state.same_report(&actor, &sent).map(|report| report.id)).to_string())
            });
            let made = post.engine.submit_once(once, Input::Report { by, report }, render).await?;
            Ok(json!({ "report": serde_json::from_str::<Value>(&made.answer.1).unwrap_or(Value::Null) }))
        }
    }
}

/// Where a place of the reach lies.
fn spot_of(site: &Site, place: &PlaceId) -> Spot {
    let reach = &site.live.engine.core().reach;
    let known = reach.place(place);
    let place = Some(place.clone());
    Spot { lon: known.map(|known| known.lon), lat: known.map(|known| known.lat), place, ..Spot::default() }
}
