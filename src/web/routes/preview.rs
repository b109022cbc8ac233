//! 预演: what would happen at a discharge. It sends nothing and changes nothing.

use crate::command::{Released, State};
use crate::hydraulics::TwinModel;
use crate::model::{Discharge, InstructionCode, MemberId, PlaceId, Timestamp, WarningLevel};
use crate::playbook::{Instruction, SignalKey, Words, preview};
use crate::web::{At, Body, Post, Problem, Scope, Session, TwinDesk};
use axum::Json;
use chrono::{FixedOffset, TimeDelta};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// No flood at Huayuankou is known above this, in m³/s; more is a slip of the hand.
const DISCHARGE_MAX_M3S: f64 = 60_000.0;

/// How many texts a preview shows.
const SAMPLES: usize = 5;

/// A what-if.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviewBody {
    discharge_m3s: f64,
    forecast: Option<ForecastBody>,
    /// Work at which the levee is assumed to breach.
    breach: Option<PlaceId>,
}

/// A forecast to assume.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecastBody {
    discharge_m3s: f64,
    hours: f64,
}

/// What would happen at a discharge; sends nothing, changes nothing.
///
/// # Errors
/// When the discharge is no discharge, or the account may not preview.
pub async fn preview_discharge(
    At(post): At,
    session: Session,
    Body(body): Body<PreviewBody>,
) -> Result<Json<Value>, Problem> {
    session.may("preview")?;
    let q = discharge("discharge_m3s", body.discharge_m3s)?;
    let forecast = match body.forecast {
        Some(ahead) if !(0.0..=240.0).contains(&ahead.hours) => {
            return Err(Problem::bad_field("forecast.hours", "须为 0 至 240 小时 (0 to 240 hours)"));
        }
        Some(ahead) => Some((ahead.hours, discharge("forecast.discharge_m3s", ahead.discharge_m3s)?.as_m3s())),
        None => None,
    };
    // A what-if begins with the breach that is there: without it more water would flood less than is under water now.
    let reported = if body.breach.is_none() { reported_breach(&post) } else { None };
    let is_reported = reported.is_some();
    let mut water = inundation(&post, q, body.breach.or(reported)).await?;
    if let Ok(water) = &mut water {
        water["scenario"]["breach_reported"] = json!(is_reported);
    }
    Ok(Json(shape(&post, q, forecast, water)))
}

/// A release to look at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseBody {
    level: WarningLevel,
    prepare_for_m3s: Option<f64>,
}

/// What a confirmed request would send, and what it would take back, now; sends nothing, changes nothing.
///
/// # Errors
/// When the discharge is no discharge, or the account may not preview.
pub async fn preview_release(
    At(post): At,
    session: Session,
    Body(body): Body<ReleaseBody>,
) -> Result<Json<Value>, Problem> {
    session.may("preview")?;
    let q = body.prepare_for_m3s.map(|q| discharge("prepare_for_m3s", q)).transpose()?;
    let water = post.signals();
    let (core, state) = (post.engine.core(), post.engine.state());
    let released = core.would_release(&state, body.level, q.map(Discharge::as_m3s), water.as_ref());
    Ok(Json(release_shape(body.level, &released)))
}

fn release_shape(level: WarningLevel, released: &Released) -> Value {
    json!({
        "level": level, "instructions": released.instructions.len(), "tasks": released.tasks.len(),
        "people": released.people.len(), "ended": released.ended.len(),
    })
}

/// Where the levee is reported to be breached, as the site of the plan that stands for it.
fn reported_breach(post: &Post) -> Option<PlaceId> {
    post.live_twin(&post.engine.state())?.breach_site().cloned()
}

/// The model, or what is wrong with its files.
pub(super) fn model_of(twin: &TwinDesk) -> Result<Arc<TwinModel>, Problem> {
    twin.model().map_err(|fault| Problem::not_found(format!("孪生：{fault}")))
}

/// # Errors
/// A breach at a place that is no breach site, naming those that are.
pub(super) fn known_breach(model: &TwinModel, breach: Option<&PlaceId>) -> Result<(), Problem> {
    let sites = || model.site.breaches.iter().map(|site| site.place.as_str());
    match breach {
        Some(place) if !sites().any(|site| site == place.as_str()) => {
            let known: Vec<_> = sites().collect();
            Err(Problem::bad_field("breach", format!("可选 (one of): {}", known.join(" "))))
        }
        _ => Ok(()),
    }
}

/// What the twin shows of a discharge, or why it shows nothing.
async fn inundation(post: &Post, q: Discharge, breach: Option<PlaceId>) -> Result<Result<Value, Words>, Problem> {
    let Some(twin) = post.twin.clone() else {
        let (zh, en) = ("本河段没有地形数据，无淹没推演", "this reach has no terrain: no inundation");
        return Ok(Err(Words::new(zh, en)));
    };
    let found = tokio::task::spawn_blocking(move || {
        let model = match twin.model() {
            Ok(model) => model,
            Err(fault) => {
                let en = format!("the twin's files are at fault: {fault}");
                return Ok(Err(Words::new(format!("孪生数据有误：{fault}"), en)));
            }
        };
        known_breach(&model, breach.as_ref())?;
        Ok(match twin.scene(&model, q.as_m3s(), breach.as_ref()) {
            Some(scene) => Ok(twin.shape(&model, &scene)),
            None => {
                Err(Words::new("情景库尚未计算，无淹没推演", "no scenario library has been computed: no inundation"))
            }
        })
    });
    found.await.map_err(|fault| Problem::internal(&fault))?
}

/// A discharge that a river can have.
///
/// # Errors
/// When it is none, naming the field.
pub(super) fn discharge(field: &str, value: f64) -> Result<Discharge, Problem> {
    let plausible = Discharge::from_m3s(value).filter(|q| (0.0..=DISCHARGE_MAX_M3S).contains(&q.as_m3s()));
    plausible.ok_or_else(|| {
        let limits = format!("流量须为 0 至 {DISCHARGE_MAX_M3S} m³/s (0 to {DISCHARGE_MAX_M3S} m³/s)");
        Problem::bad_field(field, limits)
    })
}

fn shape(post: &Post, q: Discharge, forecast: Option<(f64, f64)>, water: Result<Value, Words>) -> Value {
    let core = post.engine.core();
    let (playbook, reach) = (&core.playbook, &core.reach);
    let now = post.engine.now();
    let state = post.engine.state();
    let result = preview(playbook, reach, q.as_m3s(), forecast, now, &state.standing());
    let diff = result.diff(playbook, &active(&state));
    let released = core.would_release(&state, result.level, Some(q.as_m3s()), post.signals().as_ref());
    let frame = post.frame();
    let mut places: BTreeMap<&InstructionCode, usize> = BTreeMap::new();
    let mut people = BTreeSet::new();
    let mut unowned = 0;
    let mut tasks = Vec::new();
    let mut orders = Vec::new();
    for (row, place) in &result.tasks {
        let Some(row) = playbook.instructions().get(*row) else { continue };
        let owner = reach.on_duty(&row.role, place).map(|(owner, _)| owner);
        unowned += usize::from(owner.is_none());
        people.extend(owner);
        orders.extend(owner.map(|owner| Order { row, place, owner }));
        *places.entry(&row.code).or_default() += 1;
        tasks.push(
            json!({ "code": row.code, "place": frame.place(place), "role": row.role, "owner": frame.person(owner) }),
        );
    }
    let fires: Vec<_> = result
        .fires
        .iter()
        .filter_map(|code| playbook.instruction(code))
        .map(|row| {
            json!({
                "code": row.code, "band": row.band, "phase": row.phase, "role": row.role,
                "role_name": frame.role_name(&row.role), "scope": row.scope,
                "trigger": row.trigger.text, "trigger_words": in_both(&row.trigger.condition.words()), "level": row.colour.level().unwrap_or(result.level),
                "title": { "zh": row.title_zh, "en": row.title_en },
                "places": places.get(&row.code).copied().unwrap_or(0), "our_default": row.our_default(),
            })
        })
        .collect();
    let waits: Vec<_> = result
        .waits
        .iter()
        .map(|wait| {
            let title = playbook.instruction(&wait.code).map(|row| json!({ "zh": row.title_zh, "en": row.title_en }));
            let named = |signal: &String| signal.parse::<SignalKey>().map(|key| in_both(&key.words()));
            let names: Vec<_> = wait.unknown.iter().filter_map(|signal| named(signal).ok()).collect();
            json!({ "code": wait.code, "title": title, "unknown": wait.unknown, "unknown_names": names })
        })
        .collect();
    json!({
        "id": format!("prv-{}-{}", state.last.0, q.as_m3s()), "discharge_m3s": q.as_m3s(),
        "forecast": forecast.map(|(hours, q)| json!({ "discharge_m3s": q, "hours": hours })),
        "level": result.level, "reason": { "zh": result.reason.zh, "en": result.reason.en }, "band": result.band,
        "counts": { "instructions": fires.len(), "tasks": tasks.len(), "people": people.len(), "unowned": unowned,
            "released_by_level": release_shape(result.level, &released),
        },
        "instructions": { "fires": fires, "waits": waits, "excluded": result.excluded },
        "tasks": tasks, "messages": messages(post, &orders, now),
        "diff": { "new": diff.new, "changed": diff.changed, "kept": diff.kept, "withdrawn": diff.withdrawn },
        "inundation": water.as_ref().ok(), "inundation_reason": water.as_ref().err().map(in_both),
    })
}

fn in_both(words: &Words) -> Value {
    json!({ "zh": words.zh, "en": words.en })
}

/// A task that would go out to somebody.
struct Order<'a> {
    row: &'a Instruction,
    place: &'a PlaceId,
    owner: &'a MemberId,
}

/// What people would get: how many messages by which channel, and some of the texts, life safety first.
fn messages(post: &Post, orders: &[Order], now: Timestamp) -> Value {
    let reach = &post.engine.core().reach;
    let without_app = |order: &&Order| reach.member(order.owner).is_none_or(|member| !member.has_app);
    let unreached: BTreeSet<_> = orders.iter().filter(without_app).map(|order| order.owner).collect();
    let mut places: BTreeMap<&InstructionCode, usize> = BTreeMap::new();
    for order in orders {
        *places.entry(&order.row.code).or_default() += 1;
    }
    let mut first: Vec<&Order> = Vec::new();
    let mut seen = BTreeSet::new();
    first.extend(orders.iter().filter(|order| seen.insert(&order.row.code)));
    first
        .sort_by_key(|order| (!order.row.life_safety, std::cmp::Reverse(places.get(&order.row.code)), &order.row.code));
    let samples: Vec<_> = first
        .into_iter()
        .take(SAMPLES)
        .map(|order| {
            let Order { row, place, owner } = order;
            let title = json!({ "zh": row.title_zh, "en": row.title_en });
            let (place_name, to) = (post.frame().place(place), post.frame().person(Some(owner)));
            json!({
                "code": row.code, "title": title, "to": to, "place": place_name.get("name"),
                "copies": places.get(&row.code), "life_safety": row.life_safety, "text": text(post, order, now),
            })
        })
        .collect();
    // Every hand-over is one message in the outbox, by the channel `app`; no other channel takes messages yet.
    json!({
        "channels": [{ "channel": "app", "messages": orders.len(), "people_without": unreached.len() }],
        "samples": samples,
    })
}

/// The text of a row as it would be read at its place.
fn text(post: &Post, order: &Order, now: Timestamp) -> String {
    let core = post.engine.core();
    let place = core.reach.place(order.place).map_or(order.place.as_str(), |place| place.name_zh.as_str());
    let call = core.playbook.role(&order.row.report_to);
    let call = call.map_or(order.row.report_to.as_str(), |role| role.name.zh.as_str());
    let text = order.row.sms_zh.replace("{place}", place).replace("{call}", call);
    let text = text.replace("{by}", &by(now, order.row.deadline_min));
    match post.scope {
        Scope::Live => text,
        Scope::Drill => format!("【演练】{text}"),
    }
}

/// The moment so many minutes from now as people on the levee say it, in Beijing time.
fn by(now: Timestamp, minutes: u32) -> String {
    let Some(beijing) = FixedOffset::east_opt(8 * 3600) else { return String::new() };
    let (now, due) = (now.with_timezone(&beijing), (now + TimeDelta::minutes(minutes.into())).with_timezone(&beijing));
    let format = if now.date_naive() == due.date_naive() { "%H:%M" } else { "%-m月%-d日%H:%M" };
    due.format(format).to_string()
}

/// Rows that have gone out and are not at their end. A draft was never sent: for everybody it is new.
fn active(state: &State) -> BTreeSet<InstructionCode> {
    state.open_tasks().map(|task| task.code.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_says_the_day_only_when_it_is_another_one() {
        let now: Timestamp = "1958-07-16T10:00:00Z".parse().unwrap();
        assert_eq!(by(now, 60), "19:00");
        assert_eq!(by(now, 359), "23:59");
        assert_eq!(by(now, 360), "7月17日00:00");
    }

    #[test]
    fn a_discharge_is_plausible_or_refused_by_field() {
        assert!(discharge("q", 0.0).is_ok() && discharge("q", DISCHARGE_MAX_M3S).is_ok());
        for wrong in [-1.0, f64::NAN, f64::INFINITY, DISCHARGE_MAX_M3S + 1.0] {
            assert!(discharge("q", wrong).is_err(), "{wrong}");
        }
    }
}
