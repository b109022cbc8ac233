//! The book of series: what each one is, where it comes from, and what the store has of it.

use super::{PageQuery, page};
use crate::ingest::sensors::{SeriesEntry, book_csv};
use crate::model::Datum;
use crate::store::series::SeriesFacts;
use crate::web::{At, Problem, Query, Session, Site};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which, and in which form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookQuery {
    station: Option<String>,
    format: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
    #[serde(rename = "drill")]
    _drill: Option<String>,
}

/// Every series, by id: unit, station, datum, interval, sources, points, oldest and newest. As CSV without what the store has.
///
/// # Errors
/// Without a login at headquarters, or a store that fails.
pub async fn book(
    State(site): State<Arc<Site>>,
    At(post): At,
    session: Session,
    Query(query): Query<BookQuery>,
) -> Result<Response, Problem> {
    session.at_headquarters()?;
    let wanted = |id: &crate::model::SeriesId| query.station.as_ref().is_none_or(|station| id.station() == station);
    let book: Vec<_> = site.book.iter().filter(|one| wanted(&one.id)).cloned().collect();
    match query.format.as_deref() {
        None | Some("json") => {}
        Some("csv") => {
            let name = (header::CONTENT_DISPOSITION, "attachment; filename=\"series.csv\"");
            let kind = (header::CONTENT_TYPE, "text/csv; charset=utf-8");
            return Ok(([kind, name], book_csv(&book)).into_response());
        }
        Some(_) => return Err(Problem::bad_field("format", "须为 json 或 csv (json or csv)")),
    }
    let stored: BTreeMap<_, _> =
        post.series.list().await?.into_iter().map(|facts| (facts.series.clone(), facts)).collect();
    let known = book.iter().map(|one| (one.id.clone(), shape(one, stored.get(&one.id))));
    // Kept from other days, and in no file of the site any more.
    let is_left = |id: &&crate::model::SeriesId| wanted(id) && !site.book.iter().any(|one| one.id == **id);
    let left = stored.keys().filter(is_left).map(|id| (id.clone(), left_shape(id, stored.get(id))));
    let items: BTreeMap<_, _> = known.chain(left).collect();
    let query = PageQuery { after: query.after, limit: query.limit };
    Ok(Json(page(items.into_iter(), &query)).into_response())
}

fn shape(one: &SeriesEntry, stored: Option<&SeriesFacts>) -> Value {
    json!({
        "id": one.id, "station": one.id.station(), "quantity": one.id.quantity(),
        "name": { "zh": one.name_zh, "en": one.name_en }, "code": one.code, "unit": one.unit,
        "datum": one.datum.map(Datum::as_str), "interval_s": one.interval_s, "sources": one.sources,
        "estimate": one.is_estimate, "configured": true, "points": stored.map_or(0, |facts| facts.points),
        "oldest": stored.and_then(|facts| facts.oldest), "newest": stored.and_then(|facts| facts.newest),
    })
}

fn left_shape(id: &crate::model::SeriesId, stored: Option<&SeriesFacts>) -> Value {
    json!({
        "id": id, "station": id.station(), "quantity": id.quantity(), "configured": false,
        "points": stored.map_or(0, |facts| facts.points), "oldest": stored.and_then(|facts| facts.oldest),
        "newest": stored.and_then(|facts| facts.newest),
    })
}
