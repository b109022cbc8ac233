//! The water and the level: situation, stations, observations.

use crate::command::Words;
use crate::model::SeriesId;
use crate::store::series::{Aggregate, SeriesError, Step};
use crate::web::{At, Problem, Query, Session};
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta};
use serde::Deserialize;
use serde_json::{Value, json};

/// Most points of one answer.
const POINTS_MAX: usize = 50_000;

/// The whole situation.
///
/// # Errors
/// Without a login.
pub async fn situation(At(post): At, _: Session) -> Json<Value> {
    Json(post.situation())
}

/// The stations with what they measure.
///
/// # Errors
/// Without a login.
pub async fn stations(At(post): At, _: Session) -> Json<Value> {
    let mut stations: Vec<(String, Value)> = Vec::new();
    for gauge in &post.water().gauges {
        let series = json!({ "id": gauge.series, "quantity": gauge.quantity, "unit": gauge.unit,
            "datum": gauge.datum.map(crate::model::Datum::as_str), "interval_s": gauge.interval_s });
        match stations.iter_mut().find(|(id, _)| id == gauge.station.as_str()) {
            Some((_, station)) => {
                if let Some(list) = station.get_mut("series").and_then(Value::as_array_mut) {
                    list.push(series);
                }
            }
            None => stations.push((
                gauge.station.to_string(),
                json!({ "id": gauge.station, "name": { "zh": gauge.name_zh, "en": gauge.name_en }, "series": [series] }),
            )),
        }
    }
    let items: Vec<_> = stations.into_iter().map(|(_, station)| station).collect();
    Json(json!({ "items": items, "next": null }))
}

/// Which span and step.
#[derive(Debug, Deserialize)]
pub struct RangeQuery {
    from: Option<DateTime<chrono::FixedOffset>>,
    to: Option<DateTime<chrono::FixedOffset>>,
    /// `10s`, `1m`, `1h`, `1d`; absent: every point.
    every: Option<String>,
}

/// Observations of a series, with the forecast where there is one; at most [`POINTS_MAX`] of them, `next` says where they go on.
///
/// # Errors
/// An unknown series, a bad span or step.
pub async fn observations(
    At(post): At,
    _: Session,
    Path(id): Path<String>,
    Query(query): Query<RangeQuery>,
) -> Result<Json<Value>, Problem> {
    let series = SeriesId::new(&id);
    let (unit, datum) = {
        let water = post.water();
        let gauge = water.gauges.iter().find(|gauge| gauge.series == series);
        let gauge = gauge.ok_or_else(|| Problem::not_found(format!("序列 {id}")))?;
        (gauge.unit.clone(), gauge.datum.map(crate::model::Datum::as_str))
    };
    let now = post.engine.now();
    let to = query.to.map_or(now, |to| to.to_utc());
    let from = query.from.map_or(to - TimeDelta::hours(48), |from| from.to_utc());
    if from >= to {
        return Err(Problem::bad_field("from", "须早于 to (must lie before `to`)"));
    }
    let step = query.every.as_deref().map(step).transpose()?;
    if let Some((every, _)) = &step
        && (to - from).num_milliseconds() / every.num_milliseconds() > POINTS_MAX as i64
    {
        return Err(Problem::bad_field(
            "every",
            format!("点数超过 {POINTS_MAX}，请放大步长 (too many points: take a longer step)"),
        ));
    }
    let samples = post.series.range(&series, from, to, step.map(|(_, step)| step)).await?;
    let points: Vec<_> = samples
        .iter()
        .take(POINTS_MAX)
        .map(|sample| {
            let finite = |value: f64| value.is_finite().then_some(value);
            let mut point = json!({ "t": sample.at, "v": finite(sample.value), "q": sample.quality.grade });
            if sample.by_hand {
                point["by_hand"] = json!(true);
            }
            let causes = sample.quality.causes.words();
            if !causes.is_empty() {
                point["causes"] = json!(causes);
            }
            if query.every.is_some() {
                point["n"] = json!(sample.usable);
                (point["min"], point["max"]) = (json!(finite(sample.min)), json!(finite(sample.max)));
            }
            point
        })
        .collect();
    let forecast = post.water().forecast_of(&series).cloned();
    let forecast = forecast.map(|forecast| {
        let points: Vec<_> = forecast
            .points
            .iter()
            .map(|point| json!({ "t": point.at, "v": point.q_m3s, "low": point.low_m3s, "high": point.high_m3s }))
            .collect();
        let method = post.with_stations(&Words::new(forecast.method_zh, forecast.method_en));
        let method = json!({ "zh": method.zh, "en": method.en });
        let plans = forecast.planned.iter().map(|plan| {
            json!({
                "station": plan.station, "source": plan.source, "variable": plan.variable, "issued_at": plan.issued_at,
                "age_s": (now - plan.issued_at).num_seconds(), "until": plan.until,
            })
        });
        let plans: Vec<_> = plans.collect();
        json!({ "issued_at": forecast.issued_at, "method": method, "grown": forecast.grown, "plans": plans, "points": points })
    });
    // A longer span goes on there: `?from=<next>`.
    let next = samples.get(POINTS_MAX).map(|sample| sample.at);
    let amended = super::amendments::within(&post.engine.state(), &series, from, to);
    let mut answer = json!({
        "series": series, "unit": unit, "datum": datum, "points": points, "next": next, "amendments": amended,
        "forecast": forecast,
    });
    let damage = post.series.damage(Some(&series), from, to);
    if !damage.is_empty() {
        answer["damaged"] = damage.iter().map(|span| json!({ "from": span.from, "to": span.to })).collect();
    }
    Ok(Json(answer))
}

fn step(text: &str) -> Result<(TimeDelta, Step), Problem> {
    let wrong = || Problem::bad_field("every", "须如 10s、1m、1h、1d (write 10s, 1m, 1h or 1d)");
    let split = text.len().checked_sub(1).filter(|at| text.is_char_boundary(*at)).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(split);
    let number: i64 = number.parse().ok().filter(|number| (1..=86_400).contains(number)).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => number,
        "m" => number * 60,
        "h" => number * 3600,
        "d" => number * 86_400,
        _ => return Err(wrong()),
    };
    let every = TimeDelta::seconds(seconds);
    Ok((every, Step { every_ms: seconds * 1000, aggregate: Aggregate::Mean }))
}

impl From<SeriesError> for Problem {
    fn from(error: SeriesError) -> Self {
        match error {
            // What is older than this machine's data is with a remote store, which is away: later it may be there.
            error if error.is_remote() => Self::new(StatusCode::SERVICE_UNAVAILABLE, "series-away", error.to_string()),
            SeriesError::TooManySeries { .. } => Self::bad_field("series", error.to_string()),
            SeriesError::BadStep { .. } => Self::bad_field("every", error.to_string()),
            SeriesError::AnswerTooLarge { .. } => Self::too_large(error.to_string()),
            _ => Self::internal(&error),
        }
    }
}

impl From<crate::ingest::IntakeError> for Problem {
    fn from(error: crate::ingest::IntakeError) -> Self {
        if let crate::ingest::IntakeError::Store(fault @ SeriesError::TooManySeries { .. }) = error {
            return fault.into();
        }
        let cause = std::error::Error::source(&error).map(|cause| format!("：{cause}")).unwrap_or_default();
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-durable", format!("{error}{cause}"))
    }
}
