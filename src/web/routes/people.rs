//! People and stores: members, duty, cells, depots, evacuation; orders, notices, mode.

use super::tasks::deliveries_shape;
use super::{PageQuery, change, page, submit};
use crate::command::Input;
use crate::model::{MemberId, PlaceId, PlaceKind, WorkingMode};
use crate::web::shape::{Frame, Sight};
use crate::web::{At, Body, Problem, Query, Session};
use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Members, masked, with how they stand.
///
/// # Errors
/// For members.
pub async fn members(At(post): At, session: Session, Query(query): Query<PageQuery>) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    let state = post.engine.state();
    let called = state.called();
    let frame = post.frame();
    let items = post.engine.core().reach.members().map(|member| {
        let mut shape = frame.person(Some(&member.id));
        shape["id"] = json!(member.id);
        shape["corps"] = json!(member.corps);
        shape["roles"] = json!(member.roles);
        shape["post"] = json!(member.post);
        shape["lon"] = json!(member.lon);
        shape["lat"] = json!(member.lat);
        shape["has_app"] = json!(member.has_app);
        shape["answered"] = json!(called.get(&member.id));
        (member.id.clone(), shape)
    });
    Ok(Json(page(items, &query)))
}

/// Shows one person's name and number; every use is put down.
///
/// # Errors
/// Without the right, or when there is no such member.
pub async fn reveal(At(post): At, session: Session, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    session.may("reveal")?;
    let id = MemberId::from(id);
    let frame = Frame { sight: Sight::Open, ..post.frame() };
    frame.reach.member(&id).ok_or_else(|| Problem::not_found(&id))?;
    post.engine.submit(Input::Reveal { by: session.actor.clone(), member: id.clone() }).await?;
    Ok(Json(frame.person(Some(&id))))
}

/// Cells with their names and people.
///
/// # Errors
/// For members.
pub async fn grids(at: At, session: Session) -> Result<Json<Value>, Problem> {
    places(&at, &session, |kind| kind == PlaceKind::Cell)
}

/// Depots; the stock stands in the map layer `depots`.
///
/// # Errors
/// For members.
pub async fn depots(at: At, session: Session) -> Result<Json<Value>, Problem> {
    places(&at, &session, |kind| kind == PlaceKind::Depot)
}

fn places(At(post): &At, session: &Session, wanted: impl Fn(PlaceKind) -> bool) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    let reach = &post.engine.core().reach;
    let frame = post.frame();
    let items: Vec<_> = reach.places().filter(|place| wanted(place.kind)).map(|place| frame.place(&place.id)).collect();
    Ok(Json(json!({ "items": items, "next": null })))
}

/// The duty table, masked.
///
/// # Errors
/// For members.
pub async fn duty(At(post): At, session: Session) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    let frame = post.frame();
    let items: Vec<_> = post
        .engine
        .core()
        .reach
        .duty_rows()
        .map(|(role, place, owner, deputy)| {
            json!({ "role": role, "role_name": frame.role_name(role), "place": place, "place_name": frame.place_or_everywhere(place), "owner": frame.person(Some(owner)), "deputy": frame.person(Some(deputy)) })
        })
        .collect();
    Ok(Json(json!({ "items": items, "next": null })))
}

/// Households that need attention, growers and villages, with how far the tasks at their places are.
///
/// # Errors
/// For members.
pub async fn evacuation(At(post): At, session: Session) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    Ok(Json(post.evacuation.view(&post.frame(), &post.engine.state())))
}

/// Orders and notices in force.
///
/// # Errors
/// For members.
pub async fn orders(At(post): At, session: Session) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    let state = post.engine.state();
    Ok(Json(json!({ "items": state.orders, "next": null })))
}

/// An order or a registered notice.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderBody {
    name: String,
    place: Option<String>,
    #[serde(default)]
    lift: bool,
}

/// Gives or lifts an order.
///
/// # Errors
/// Without the right, an unknown order or place.
pub async fn order(
    at: At,
    session: Session,
    headers: HeaderMap,
    Body(body): Body<OrderBody>,
) -> Result<Response, Problem> {
    let place = body.place.map(PlaceId::from);
    let input = Input::Order { by: session.actor.clone(), name: body.name, place, lift: body.lift };
    change(&at, &session, &headers, input, |state, _| (StatusCode::OK, json!({ "items": state.orders }))).await
}

/// A message to members.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeBody {
    members: Vec<MemberId>,
    text: String,
}

/// Sends a notice: one message a person. The answer lists who is called by which channel, as the outbox has it now.
///
/// # Errors
/// Without the right, an unknown member, or no text.
pub async fn notice(
    at: At,
    session: Session,
    headers: HeaderMap,
    Body(body): Body<NoticeBody>,
) -> Result<Response, Problem> {
    // Named twice is called once.
    let members: BTreeSet<_> = body.members.into_iter().collect();
    let count = members.len();
    let members = members.into_iter().collect();
    let input = Input::Notice { by: session.actor.clone(), members, text: body.text };
    let (status, kept) = submit(&at, &session, &headers, input, move |_, entries| {
        let id = entries.last().map(|entry| format!("notice-{}", entry.seq.0));
        (StatusCode::CREATED, json!({ "id": id, "members": count }))
    })
    .await?;
    let mut answer: Value = serde_json::from_str(&kept).map_err(|fault| Problem::internal(&fault))?;
    if let Some(id) = answer.get("id").and_then(Value::as_str) {
        answer["deliveries"] = deliveries_shape(&at.0.engine.journal().deliveries_of(id).await?);
    }
    Ok((status, Json(answer)).into_response())
}

/// Another mode.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModeBody {
    mode: WorkingMode,
}

/// 平急转换.
///
/// # Errors
/// Without the right.
pub async fn mode(
    at: At,
    session: Session,
    headers: HeaderMap,
    Body(body): Body<ModeBody>,
) -> Result<Response, Problem> {
    let input = Input::Mode { by: session.actor.clone(), mode: body.mode };
    change(&at, &session, &headers, input, |state, _| (StatusCode::OK, json!({ "mode": state.mode }))).await
}
