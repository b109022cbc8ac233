//! The tables of SL 323 as CSV, read only.

use crate::ingest::sl323::{Table, export};
use crate::web::{Problem, Query, Session, Site};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, FixedOffset, TimeDelta};
use serde::Deserialize;
use std::sync::Arc;

/// Longest span of one answer; tables of a database are asked for in spans, too.
const SPAN_MAX: TimeDelta = TimeDelta::days(31);

/// Which span: `?from=&to=`, both with an offset; absent: the last 24 hours.
#[derive(Debug, Deserialize)]
pub struct SpanQuery {
    from: Option<DateTime<FixedOffset>>,
    to: Option<DateTime<FixedOffset>>,
}

/// A table of the real river.
///
/// # Errors
/// An unknown table, a span that is empty or too long.
pub async fn table(
    State(site): State<Arc<Site>>,
    session: Session,
    Path(name): Path<String>,
    Query(span): Query<SpanQuery>,
) -> Result<Response, Problem> {
    session.at_headquarters()?;
    let name = name.strip_suffix(".csv").unwrap_or(&name);
    let known = Table::of_name(name);
    let table = known.ok_or_else(|| Problem::not_found(format!("表 {}", name.chars().take(40).collect::<String>())))?;
    let to = span.to.map_or_else(|| site.live.engine.now(), |to| to.to_utc());
    let from = span.from.map_or(to - TimeDelta::hours(24), |from| from.to_utc());
    if from >= to || to - from > SPAN_MAX {
        let words = format!("from 须早于 to，且不超过 {} 天 (before `to`, and not a longer span)", SPAN_MAX.num_days());
        return Err(Problem::bad_field("from", words));
    }
    let text = export(table, &site.stations, site.live.series.as_ref(), from, to).await?;
    let disposition = format!("attachment; filename=\"{}.csv\"", table.name());
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, text).into_response())
}
