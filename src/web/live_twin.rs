//! The live twin as JSON: how old it is, what it rests on, where water is or comes, which ways out are cut.
//!
//! In: the water of a post and the moment. Out: the answer of `GET /twin/now`. It makes nothing anew; a twin that is not known
//! is said to be so, with the reason, and shows no place.

use super::Post;
use super::shape::Frame;
use crate::command::{DETOUR, State, TRAVEL_KMH, Task, Water, beijing, slack};
use crate::hydraulics::{Breached, Coming, GAUGE_TOLERANCE_M, GaugeWord, Mirrored};
use crate::model::{PlaceId, Reach, Timestamp};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::sync::Arc;

/// The live twin with the breaches that are reported, if what it shows may be shown.
pub fn known(water: &Water, state: &State, now: Timestamp) -> Option<Arc<Mirrored>> {
    let last = water.twin.last.as_ref().filter(|_| water.twin_standing(now).is_known())?;
    let breaches = state.open_breaches();
    Some(if breaches.is_empty() { Arc::clone(last) } else { Arc::new(last.with_breaches(&breaches)) })
}

/// The whole answer.
pub fn shape(post: &Post) -> Value {
    let now = post.engine.now();
    let (standing, twin) = {
        let (state, water) = (post.engine.state(), post.water());
        (water.twin_standing(now), known(&water, &state, now))
    };
    let (zh, en) = standing.words();
    let mut shape = json!({
        "state": standing.as_str(), "words": { "zh": zh, "en": en }, "at": now, "made_at": null, "age_s": null,
        "discharge": null, "forecast": null, "peak": null, "gauge": null, "breaches": [], "grid": null, "basis": null,
        "places": [], "ways": [], "tasks": [], "travel": { "km_h": TRAVEL_KMH, "detour": DETOUR, "our_default": true },
    });
    let Some(twin) = twin else {
        // Too old to be shown, but how old is told.
        if let Some(last) = &post.water().twin.last {
            shape["age_s"] = json!(seconds(now, last.discharge.0));
        }
        return shape;
    };
    let reach = &post.engine.core().reach;
    let own = json!({
        "made_at": twin.made_at, "age_s": seconds(now, twin.made_at),
        "discharge": {
            "m3s": tenth(twin.discharge.1), "at": twin.discharge.0, "age_s": seconds(now, twin.discharge.0),
            "looked_up_m3s": tenth(twin.present_m3s()),
        },
        "forecast": twin.forecast_at.map(|at| json!({ "issued_at": at })),
        "peak": { "m3s": tenth(twin.peak.1), "at": twin.peak.0 },
        "gauge": gauge(&twin), "breaches": breaches(&twin, reach), "basis": basis(&twin, reach),
        "grid": {
            "cell_m": twin.table.cell_m, "synthetic": twin.table.synthetic, "highest_m3s": twin.table.highest_m3s,
            "beyond": twin.peak.1 > twin.table.highest_m3s,
        },
        "places": places(&twin, reach, now), "ways": ways(&twin, now), "tasks": tasks(&twin, post, now),
    });
    if let (Some(shape), Value::Object(own)) = (shape.as_object_mut(), own) {
        shape.extend(own);
    }
    shape
}

/// The time that the water leaves for a task: `word` is `there`, `comes`, or why there is none.
pub fn task_water(twin: Option<&Mirrored>, frame: &Frame, task: &Task, now: Timestamp) -> Value {
    let nothing = |word: &str, (zh, en): (&str, &str)| {
        json!({ "word": word, "slack_min": null, "leave_by": null, "at": null, "travel_min": null, "work_min": null,
                "words": { "zh": zh, "en": en } })
    };
    let Some(twin) = twin else {
        return nothing("unknown", ("孪生未知，没有水前余量", "the twin is unknown: no slack"));
    };
    let Some(row) = frame.playbook.instruction(&task.code) else {
        return nothing("unknown", ("预案中没有此条", "the playbook has no such row"));
    };
    let own = match slack(twin, task, row, frame.reach, now) {
        Ok(own) => own,
        Err(why) => return nothing(why.as_str(), why.words()),
    };
    let minutes = |span: TimeDelta| span.num_seconds().div_euclid(60);
    let (left, travel, work) = (minutes(own.left), minutes(own.travel), minutes(own.work));
    let to_water = minutes(own.water_at.max(now) - now);
    let (zh, en) = if own.is_there {
        (
            format!("此处已进水；路上 {travel} 分、作业 {work} 分"),
            format!("water is here; {travel} min on the way, {work} min of work"),
        )
    } else {
        (
            format!("{to_water} 分后到水 − 路上 {travel} 分 − 作业 {work} 分 = 余 {left} 分"),
            format!("water in {to_water} min − {travel} min on the way − {work} min of work = {left} min left"),
        )
    };
    json!({
        "word": if own.is_there { "there" } else { "comes" }, "slack_min": left, "leave_by": now + own.left,
        "at": own.water_at, "travel_min": travel, "work_min": work, "words": { "zh": zh, "en": en },
    })
}

/// The slack of every open task that has one, least first; screens whose task came earlier than the twin read it here.
fn tasks(twin: &Mirrored, post: &Post, now: Timestamp) -> Vec<Value> {
    let (state, frame) = (post.engine.state(), post.frame());
    let mut rows: Vec<(i64, Value)> = Vec::new();
    for task in state.open_tasks().chain(state.drafts()) {
        let mut water = task_water(Some(twin), &frame, task, now);
        let Some(left) = water.get("slack_min").and_then(Value::as_i64) else { continue };
        water["id"] = json!(task.id);
        rows.push((left, water));
    }
    rows.sort_by_key(|(left, _)| *left);
    rows.into_iter().map(|(_, row)| row).collect()
}

fn seconds(now: Timestamp, then: Timestamp) -> f64 {
    (now - then).num_milliseconds().max(0) as f64 / 1000.0
}
fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
fn hundredth(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Water at a place or on a way: there since, or coming at.
fn coming(coming: &Coming, now: Timestamp) -> Value {
    let in_min = coming.at.map(|at| ((at - now).num_seconds() as f64 / 60.0).round());
    json!({
        "threshold_m3s": coming.threshold_m3s.map(f64::round), "crossed_at": coming.crossed_at, "lag_min": coming.lag_min.round(),
        "by_breach": coming.threshold_m3s.is_none(), "at": coming.at, "in_min": in_min, "is_there": coming.is_there(now), "depth_m": hundredth(coming.depth_m),
    })
}

fn places(twin: &Mirrored, reach: &Reach, now: Timestamp) -> Vec<Value> {
    let mut rows: Vec<(&PlaceId, &Coming)> = twin.places.iter().collect();
    rows.sort_by_key(|(id, coming)| (coming.at, (*id).clone()));
    let row = |(id, own): (&PlaceId, &Coming)| {
        let place = reach.place(id)?;
        let mut row = coming(own, now);
        let named = row.as_object_mut()?;
        named.insert("id".into(), json!(id));
        named.insert("kind".into(), json!(place.kind));
        named.insert("depth_now_m".into(), json!(twin.depth_now_m(id, now).map(hundredth)));
        named.insert("name".into(), json!({ "zh": place.name_zh, "en": place.name_en }));
        Some(row)
    };
    rows.into_iter().filter_map(row).collect()
}

fn ways(twin: &Mirrored, now: Timestamp) -> Vec<Value> {
    let row = |way: &crate::hydraulics::WayCut| {
        let mut row = coming(&way.cut, now);
        let named = row.as_object_mut()?;
        named.insert("id".into(), json!(way.id));
        named.insert("leaves".into(), json!(way.leaves));
        named.insert("is_last".into(), json!(twin.last_way_cut(&way.leaves).is_some_and(|last| last == way.cut)));
        Some(row)
    };
    twin.ways.iter().filter_map(row).collect()
}

/// What the stage at the gauge did to it.
fn gauge(twin: &Mirrored) -> Value {
    let station = &twin.table.gauge_station;
    let (word, difference_m, shift_m3s, zh, en) = match twin.gauge {
        GaugeWord::Silent => (
            "silent",
            None,
            0.0,
            "没有可比的实测水位，未校正".to_owned(),
            "no stage to compare with: not corrected".to_owned(),
        ),
        GaugeWord::Fits { difference_m } => (
            "fits",
            Some(difference_m),
            0.0,
            format!("实测水位与模型差 {difference_m:+.2} m，不校正（容许偏高 {GAUGE_TOLERANCE_M} m，偏低不减）"),
            format!(
                "the measured stage differs from the model by {difference_m:+.2} m: not corrected (up to \
                 {GAUGE_TOLERANCE_M} m higher is the model's own error, a lower one takes nothing away)"
            ),
        ),
        GaugeWord::Raised { difference_m, shift_m3s } => (
            "raised",
            Some(difference_m),
            shift_m3s,
            format!("实测水位比模型高 {difference_m:.2} m，流量按加 {shift_m3s:.0} m³/s 查算"),
            format!(
                "the measured stage is {difference_m:.2} m above the model: looked up with {shift_m3s:.0} m³/s more"
            ),
        ),
    };
    json!({
        "station": station, "word": word, "difference_m": difference_m.map(hundredth), "shift_m3s": tenth(shift_m3s),
        "words": { "zh": zh, "en": en },
    })
}

/// Breaches that are reported, and the site of the plan that stands for each.
fn breaches(twin: &Mirrored, reach: &Reach) -> Vec<Value> {
    let name = |site: &PlaceId| reach.place(site).map(|place| json!({ "zh": place.name_zh, "en": place.name_en }));
    let one = |breach: &Breached| json!({ "site": breach.site, "name": breach.site.as_ref().and_then(name), "since": breach.since });
    twin.breaches.iter().map(one).collect()
}

/// What it rests on, in one sentence.
fn basis(twin: &Mirrored, reach: &Reach) -> Value {
    let (q, cell_m, peak) = (twin.discharge.1, twin.table.cell_m, twin.peak.1);
    let (mut zh, mut en) = (
        format!("情景库 {cell_m:.0} m 网格，实测 {q:.0} m³/s"),
        format!("scenario library, {cell_m:.0} m grid, measured {q:.0} m³/s"),
    );
    if twin.forecast_at.is_some() {
        zh += &format!("，预报最大 {peak:.0} m³/s");
        en += &format!(", highest forecast {peak:.0} m³/s");
    } else {
        zh += "，没有预报：只按当前流量";
        en += ", no forecast: the present discharge alone";
    }
    if peak > twin.table.highest_m3s {
        zh += &format!("；高于情景库上限 {:.0} m³/s，偏小", twin.table.highest_m3s);
        en += &format!("; above the library's {:.0} m³/s: too little", twin.table.highest_m3s);
    }
    for breach in &twin.breaches {
        let clock = beijing(breach.since);
        match breach.site.as_ref().map(|site| (site, reach.place(site))) {
            Some((site, place)) => {
                let (name_zh, name_en) =
                    place.map_or((site.as_str(), site.as_str()), |place| (&place.name_zh, &place.name_en));
                zh += &format!("；{clock} 报决口，按{name_zh}处溃口情景");
                en += &format!("; a breach reported for {clock}, as in the scenario at {name_en}");
            }
            None => {
                zh += &format!("；{clock} 报决口，位置不明，未计入");
                en += &format!("; a breach reported for {clock} at an unknown place is not in it");
            }
        }
    }
    if twin.table.synthetic {
        zh += "；地形为合成演示数据";
        en += "; synthetic terrain";
    }
    json!({ "zh": zh, "en": en })
}
