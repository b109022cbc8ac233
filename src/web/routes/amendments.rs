//! Values set by hand: a correction, or a mark that a value may not be used. The original stays on record.
//!
//! In: a moment, a value or a verdict, a reason. Out: a fact of the journal, then the series store, then a level evaluated anew. A server
//! that ends in between finishes the work when it starts; whoever sends again makes nothing twice.

use super::submit;
use crate::command::{Amended, Amendment, Input, State, StoodBefore};
use crate::model::{Causes, Grade, Quality, SeriesId, Timestamp};
use crate::store::series::{Correction, SeriesStore};
use crate::web::{At, Body, Problem, Session};
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, FixedOffset, SubsecRound, TimeDelta};
use serde::Deserialize;
use serde_json::{Value, json};

/// Corrections of one call.
const PART: usize = 10_000;
/// Older amendments are in the store by now, and their points may have become steps there.
const REAPPLY_DAYS: i64 = 7;

/// What is set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmendBody {
    time: DateTime<FixedOffset>,
    /// In the unit of the series; absent with a mark: the value stays.
    value: Option<f64>,
    #[serde(default)]
    verdict: Verdict,
    reason: String,
}

/// What the person says of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// The value is this.
    #[default]
    Manual,
    /// It is in doubt: shown, not used.
    Suspect,
    /// It is wrong: kept, not used.
    Bad,
}

/// Sets a value, or marks one.
///
/// # Errors
/// Without the right, an unknown series, a mark where nothing is stored, what the core refuses, a store that fails.
pub async fn amend(
    at: At,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(body): Body<AmendBody>,
) -> Result<Response, Problem> {
    session.may("correct")?;
    let post = std::sync::Arc::clone(&at.0);
    let series = SeriesId::new(&id);
    let range = {
        let water = post.water();
        let gauge = water.gauges.iter().find(|gauge| gauge.series == series);
        let unknown = || Problem::not_found(format!("序列 {}", id.chars().take(80).collect::<String>()));
        gauge.ok_or_else(unknown)?.range
    };
    // A slip of the hand must not raise a proposal: what a device could not have measured, nobody sets.
    if let (Verdict::Manual, Some(value), Some([low, high])) = (body.verdict, body.value, range)
        && !(low..=high).contains(&value)
    {
        let words = format!("{value} 不在该序列的合理范围 {low} 至 {high} 内，请核对 (not within {low} to {high})");
        return Err(Problem::bad_field("value", words));
    }
    let moment = body.time.to_utc().trunc_subsecs(3);
    let stored = post.series.range(&series, moment, moment + TimeDelta::milliseconds(1), None).await?;
    let was = stored.first().map(|sample| StoodBefore {
        value: Some(sample.value).filter(|value| value.is_finite()),
        quality: sample.quality,
    });
    let grade = match body.verdict {
        Verdict::Manual => Grade::Manual,
        Verdict::Suspect => Grade::Suspect,
        Verdict::Bad => Grade::Bad,
    };
    if grade != Grade::Manual && was.is_none() {
        return Err(Problem::bad_field("time", "该时刻没有存值，无可标记 (nothing is stored for this moment)"));
    }
    let amendment = Amendment {
        series: series.clone(),
        at: moment,
        value: body.value.or_else(|| was.filter(|_| grade != Grade::Manual)?.value),
        quality: Quality { grade, causes: Causes::NONE },
        was,
        reason: body.reason.trim().to_owned(),
    };
    let input = Input::Amend { by: session.actor.clone(), amendment };
    let of_series = series.clone();
    let render = move |state: &State, _: &[crate::command::Entry]| {
        let all = state.amended.get(&of_series).map(Vec::as_slice).unwrap_or_default();
        (StatusCode::CREATED, all.last().map_or(Value::Null, |last| shape(last, all)))
    };
    let (status, answer) = submit(&at, &session, &headers, input, render).await?;
    // The whole of the moment: a key that was answered before may belong to a server that ended here. Again while others amend
    // the same moment: the last to write has written the last revision.
    let made = || -> Vec<Correction> {
        let state = post.engine.state();
        let of_series = state.amended.get(&series).into_iter().flatten();
        of_series.filter(|one| one.amendment.at == moment).map(|one| correction(&one.amendment)).collect()
    };
    let mut set = made();
    loop {
        let _ = post.series.correct(&set).await?;
        let now = made();
        if now.len() == set.len() {
            break;
        }
        set = now;
    }
    post.intake.relearn(series).await?;
    Ok((status, [(header::CONTENT_TYPE, "application/json")], answer).into_response())
}

/// As the store takes it.
pub fn correction(amendment: &Amendment) -> Correction {
    Correction {
        series: amendment.series.clone(),
        at: amendment.at,
        value: amendment.value.unwrap_or(f64::NAN),
        quality: amendment.quality,
    }
}

/// Amendments of moments within a span, oldest first.
pub(super) fn within(state: &State, series: &SeriesId, from: Timestamp, to: Timestamp) -> Vec<Value> {
    let all = state.amended.get(series).map(Vec::as_slice).unwrap_or_default();
    let within = all.iter().filter(|one| (from..to).contains(&one.amendment.at));
    within.map(|one| shape(one, all)).collect()
}

fn shape(one: &Amended, all: &[Amended]) -> Value {
    let amendment = &one.amendment;
    let same = || all.iter().filter(|other| other.amendment.at == amendment.at);
    let revision = same().take_while(|other| other.seq <= one.seq).count();
    let original = same().next().and_then(|first| first.amendment.was);
    let before = |was: Option<StoodBefore>| {
        was.map(|was| json!({ "value": was.value, "quality": was.quality.grade, "causes": was.quality.causes.words() }))
    };
    json!({
        "series": amendment.series, "time": amendment.at, "value": amendment.value,
        "quality": amendment.quality.grade, "was": before(amendment.was), "original": before(original),
        "revision": revision, "by": one.by.user, "at": one.made_at, "reason": amendment.reason, "fact": one.seq,
    })
}

/// Brings the store to what the journal says people set: a server may have ended between the two.
///
/// # Errors
/// When the store fails.
pub async fn reapply(state: &State, store: &dyn SeriesStore) -> Result<(), crate::store::series::SeriesError> {
    let since = state.at - TimeDelta::days(REAPPLY_DAYS);
    let recent = state.amended.values().flatten().filter(|one| one.made_at >= since);
    let all: Vec<_> = recent.map(|one| correction(&one.amendment)).collect();
    for part in all.chunks(PART) {
        let _ = store.correct(part).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Actor, Entry, Fact};
    use crate::model::{FactSeq, Observation, UserName, UserRole};
    use crate::store::series::{EmbeddedSeries, SeriesLimits};

    /// The server ended after the fact and before the store.
    #[tokio::test]
    async fn what_the_journal_says_was_set_is_in_the_store_after_a_start() {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedSeries::open(&folder.path().join("series.db"), SeriesLimits::default()).await.unwrap();
        let at = |minute| Timestamp::UNIX_EPOCH + TimeDelta::minutes(minute);
        let device = |minute, value| Observation {
            series: "a.stage".into(),
            at: at(minute),
            received_at: at(minute),
            value,
            quality: Quality::GOOD,
        };
        let _ = store.append(&[device(1, 91.0), device(2, 99.0)]).await.unwrap();
        let mut state = State::default();
        let by = Actor { user: UserName::new("li"), role: UserRole::Duty, member: None };
        let mut amend = |seq, minute, value, grade| {
            let amendment = Amendment {
                series: "a.stage".into(),
                at: at(minute),
                value,
                quality: Quality { grade, causes: Causes::NONE },
                was: Some(StoodBefore { value: Some(99.0), quality: Quality::GOOD }),
                reason: "误报".into(),
            };
            state.apply(&Entry { seq: FactSeq(seq), at: at(3), fact: Fact::Amended { by: by.clone(), amendment } });
        };
        amend(1, 2, Some(92.0), Grade::Manual);
        amend(2, 2, Some(92.5), Grade::Manual);
        amend(3, 1, Some(91.0), Grade::Bad);
        for _ in 0..2 {
            reapply(&state, &store).await.unwrap();
            // The device sends again: a person is not overruled.
            let _ = store.append(&[device(2, 99.0)]).await.unwrap();
            let found = store.range(&"a.stage".into(), at(0), at(5), None).await.unwrap();
            let found: Vec<_> = found.iter().map(|one| (one.value, one.quality.grade, one.by_hand)).collect();
            assert_eq!(found, [(91.0, Grade::Bad, true), (92.5, Grade::Manual, true)]);
        }
        let shown = within(&state, &"a.stage".into(), at(2), at(3));
        assert_eq!(shown.iter().map(|one| one["revision"].clone()).collect::<Vec<_>>(), [json!(1), json!(2)]);
        assert_eq!((&shown[1]["original"]["value"], &shown[1]["by"]), (&json!(99.0), &json!("li")));
        store.close().await;
    }
}
