//! Map layers as GeoJSON: those of the reach's files, and those that the state moves.

use crate::command::{Report, ReportKind};
use crate::model::PlaceId;
use crate::web::shape::mask_name;
use crate::web::{At, Post, Problem, Query, Session, Site, twin};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Layers that exist but have nothing to show yet, with the reason.
const EMPTY: [(&str, &str, &str); 1] = [("vehicles", "没有车辆定位接入", "no vehicle is connected")];

/// One layer.
///
/// # Errors
/// An unknown layer, by name.
pub async fn layer(
    At(post): At,
    State(site): State<Arc<Site>>,
    session: Session,
    Path(name): Path<String>,
    Query(query): Query<WaterQuery>,
) -> Result<Response, Problem> {
    session.at_headquarters().or_else(|refused| if open_to_phones(&name) { Ok(()) } else { Err(refused) })?;
    let body = match name.as_str() {
        "members" => members(&post).to_string(),
        "hazards" => hazards(&post, session.at_headquarters().is_ok()).to_string(),
        "stones" => stones(&post)?.to_string(),
        "gauges" => gauges(&post)?.to_string(),
        "grids" => grids(&post)?.to_string(),
        "drones" => super::drones::layer(&site).await?.to_string(),
        "inundation" => inundation(&post, query).await?,
        "routes" if post.layers.contains_key("routes") => routes(&post)?.to_string(),
        name => match (post.layers.get(name), EMPTY.iter().find(|(empty, ..)| *empty == name)) {
            (Some(text), _) => text.to_string(),
            (None, Some((_, zh, en))) => {
                let note = json!({ "zh": zh, "en": en });
                json!({ "type": "FeatureCollection", "features": [], "note": note }).to_string()
            }
            (None, None) => {
                let known: Vec<_> = post.layers.keys().map(String::as_str).collect();
                return Err(Problem::not_found(format!("图层 {name}；已有 {}", known.join(" "))));
            }
        },
    };
    Ok(([(header::CONTENT_TYPE, "application/geo+json")], body).into_response())
}

/// Which water: of a discharge that is assumed, or as it is now; and when.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaterQuery {
    /// Assumed discharge, m³/s; absent: the discharge of now.
    scenario: Option<f64>,
    /// Work at which the levee is assumed to breach.
    breach: Option<PlaceId>,
    /// A finer run in place of the library.
    run: Option<i64>,
    /// Hours after the discharge begins to rise; absent: the highest water of every cell.
    hour: Option<f64>,
    /// The drill; read by the post.
    #[serde(rename = "drill")]
    _drill: Option<String>,
}

/// The water of a moment as rectangles with `depth_m`, or a note why there is none.
async fn inundation(post: &Post, query: WaterQuery) -> Result<String, Problem> {
    let nothing = |zh: &str, en: &str| {
        json!({ "type": "FeatureCollection", "features": [], "note": { "zh": zh, "en": en } }).to_string()
    };
    let Some(twin) = post.twin.clone() else {
        return Ok(nothing("本河段没有地形数据", "this reach has no terrain"));
    };
    let is_assumed = query.scenario.is_some() || query.run.is_some();
    if !is_assumed && query.breach.is_some() {
        return Err(Problem::bad_field("breach", "须与 scenario 同用 (goes with `scenario`)"));
    }
    if !is_assumed && query.hour.is_some() {
        return Err(Problem::bad_field("hour", "须与 scenario 或 run 同用 (goes with `scenario` or `run`)"));
    }
    let (q, breach) = match query.scenario {
        Some(q) => (Some(super::preview::discharge("scenario", q)?.as_m3s()), query.breach.clone()),
        None if query.run.is_some() => (Some(0.0), None),
        None => as_it_is(post),
    };
    let Some(q) = q else {
        return Ok(nothing("流量未知，不显示淹没", "the discharge is unknown: no water is shown"));
    };
    if query.hour.is_some_and(|hour| !(0.0..=240.0).contains(&hour)) {
        return Err(Problem::bad_field("hour", "须为 0 至 240 (0 to 240)"));
    }
    let reader = Arc::clone(&twin);
    let model = tokio::task::spawn_blocking(move || reader.model()).await.map_err(|fault| Problem::internal(&fault))?;
    let Ok(model) = model else { return Ok(nothing("孪生数据有误", "the twin's files are at fault")) };
    super::preview::known_breach(&model, query.breach.as_ref())?;
    let refined = match (query.run, &twin.runs) {
        (Some(id), Some(runs)) => runs.refined(&twin, &model, id).await?.map(|refined| (id, refined)),
        _ => None,
    };
    let made = tokio::task::spawn_blocking(move || {
        let scene = match (&refined, query.run) {
            (Some((id, refined)), _) => Some(refined.scene(*id)),
            (None, Some(_)) => return nothing("该加密演算已不在", "this run is not kept any more"),
            (None, None) => twin.scene(&model, q, breach.as_ref()),
        };
        let Some(scene) = scene else {
            return nothing("情景库没有该情景", "the library has no such scenario");
        };
        // Behind its last frame a scenario knows nothing: the answer says which hour it shows.
        let last = model.site.plan.hours.last().copied().unwrap_or_default();
        let hour = query.hour.map(|hour| hour.min(last));
        let depth_cm = match hour {
            Some(hour) => scene.flooding.at_hour(&model.site.plan.hours, hour),
            None => scene.flooding.highest_cm.clone(),
        };
        let features = twin::frame(&model, scene.ground, scene.base_cm, &depth_cm);
        json!({
            "type": "FeatureCollection", "features": features, "scenario": twin::scenario(&scene),
            "grid": twin::grid(&model, &scene), "hour": hour, "assumed": is_assumed,
        })
        .to_string()
    });
    made.await.map_err(|fault| Problem::internal(&fault))
}

/// The discharge that the live twin looks up, with what the gauge adds or held while it is silent, and the breach that is reported;
/// so the map shows the water that the twin's words are about.
fn as_it_is(post: &Post) -> (Option<f64>, Option<PlaceId>) {
    match post.live_twin(&post.engine.state()) {
        Some(twin) => (Some(twin.present_m3s()), twin.breach_site().cloned()),
        None => (post.water().discharge_m3s(), None),
    }
}

/// Ways out; `flooded` where the live twin has one cut now.
fn routes(post: &Post) -> Result<Value, Problem> {
    let text = post.layers.get("routes").map_or("{}", |text| text);
    let mut layer: Value = serde_json::from_str(text).map_err(|fault| Problem::internal(&fault))?;
    let now = post.engine.now();
    let twin = post.live_twin(&post.engine.state());
    let ways = twin.iter().flat_map(|twin| &twin.ways).filter(|way| way.cut.is_there(now));
    let cut: BTreeSet<&str> = ways.map(|way| way.id.as_str()).collect();
    mark_flooded(&mut layer, &cut);
    Ok(layer)
}

fn mark_flooded(layer: &mut Value, cut: &BTreeSet<&str>) {
    each_feature(layer, |properties| {
        if properties.get("id").and_then(Value::as_str).is_some_and(|id| cut.contains(id)) {
            properties.insert("flooded".into(), json!(true));
        }
    });
}

/// What a patrol needs on the strip map.
fn open_to_phones(name: &str) -> bool {
    matches!(
        name,
        "levee" | "works" | "dams" | "grids" | "river" | "villages" | "shelters" | "routes" | "depots" | "hazards"
    )
}

fn feature(lon: f64, lat: f64, properties: &Value) -> Value {
    json!({ "type": "Feature", "geometry": { "type": "Point", "coordinates": [lon, lat] }, "properties": properties })
}

fn collection(features: Vec<Value>) -> Value {
    json!({ "type": "FeatureCollection", "features": features })
}

/// On duty, called and not answered, or answered; masked names.
fn members(post: &Post) -> Value {
    let state = post.engine.state();
    let called = state.called();
    let features = post.engine.core().reach.members().map(|member| {
        let word = match called.get(&member.id) {
            Some(true) => "answered",
            Some(false) => "unanswered",
            None => "on-duty",
        };
        let name = mask_name(&member.name);
        feature(member.lon, member.lat, &json!({ "id": member.id, "name": name, "corps": member.corps, "state": word }))
    });
    collection(features.collect())
}

/// Reports on the map. A phone sees what is dangerous and where; who reported it, in which words, is for headquarters.
fn hazards(post: &Post, whole: bool) -> Value {
    let state = post.engine.state();
    let frame = post.frame();
    let reach = &post.engine.core().reach;
    let dangerous = |report: &&Report| {
        matches!(report.content.kind, ReportKind::Hazard | ReportKind::Sos) && report.settled.is_none()
    };
    let features = state.reports.values().filter(|report| whole || dangerous(report)).filter_map(|report| {
        let spot = &report.content.place;
        let (lon, lat) = match (spot.lon, spot.lat) {
            (Some(lon), Some(lat)) => (lon, lat),
            _ => report.places.iter().find_map(|id| reach.place(id)).map(|place| (place.lon, place.lat))?,
        };
        let properties = if whole {
            frame.report(report)
        } else {
            let content = &report.content;
            json!({ "id": report.id, "kind": content.kind, "type": content.type_, "grade": content.grade })
        };
        Some(feature(lon, lat, &properties))
    });
    collection(features.collect())
}

/// The stones of the file with their state.
fn stones(post: &Post) -> Result<Value, Problem> {
    let mut layer = parsed(post, "stones")?;
    let water = post.water();
    each_feature(&mut layer, |properties| {
        let id = properties.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let word = water.stones.get(&id).copied().unwrap_or("silent");
        properties.insert("state".into(), json!(word));
        if let Some(hazard) = water.stone_hazards.iter().find(|hazard| hazard.stones.contains(&id)) {
            properties.insert("first_out".into(), json!(hazard.first == id));
            properties.insert("confidence".into(), json!(hazard.confidence));
        }
    });
    Ok(layer)
}

/// The gauges of the file with value, age and quality; a gauge with thresholds has the level that its value reaches.
fn gauges(post: &Post) -> Result<Value, Problem> {
    let mut layer = parsed(post, "gauges")?;
    let now = post.engine.now();
    let levels = post.engine.core().playbook.levels();
    let water = post.water();
    each_feature(&mut layer, |properties| {
        let station = properties.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let of_station = || water.gauges.iter().filter(|gauge| gauge.station == station);
        let gauge = of_station().find(|gauge| gauge.quantity == "discharge").or_else(|| of_station().next());
        if let Some(gauge) = gauge {
            properties.insert("value".into(), json!(gauge.value));
            properties.insert("unit".into(), json!(gauge.unit));
            properties.insert("time".into(), json!(gauge.time));
            properties.insert("freshness".into(), json!(gauge.freshness(now)));
            properties.insert("quality".into(), json!(gauge.quality.grade));
            // A value that is no longer fresh colours nothing.
            let has_thresholds = water.control.as_ref() == Some(&gauge.series);
            let value = gauge.value.filter(|_| has_thresholds && matches!(gauge.freshness(now), "fresh" | "late"));
            properties.insert("level".into(), json!(value.map(|value| levels.level_of(value))));
        }
    });
    Ok(layer)
}

/// The cells with what is open in them.
fn grids(post: &Post) -> Result<Value, Problem> {
    let mut layer = parsed(post, "grids")?;
    let state = post.engine.state();
    let mut overdue = std::collections::BTreeSet::new();
    for task in state.open_tasks().filter(|task| task.status.as_str() == "overdue" || task.escalations > 0) {
        overdue.insert(task.place.to_string());
    }
    let hazard = |id: &str| {
        let open = |report: &&crate::command::Report| {
            matches!(report.content.kind, ReportKind::Hazard | ReportKind::Sos) && report.settled.is_none()
        };
        state.reports.values().filter(open).any(|report| report.places.iter().any(|place| place.as_str() == id))
    };
    each_feature(&mut layer, |properties| {
        let id = properties.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let word = if hazard(&id) {
            "hazard"
        } else if overdue.contains(&id) {
            "overdue"
        } else {
            "normal"
        };
        properties.insert("state".into(), json!(word));
    });
    Ok(layer)
}

fn parsed(post: &Post, name: &str) -> Result<Value, Problem> {
    let text = post.layers.get(name).ok_or_else(|| Problem::not_found(format!("图层 {name}")))?;
    serde_json::from_str(text).map_err(|fault| Problem::internal(&fault))
}

fn each_feature(layer: &mut Value, mut change: impl FnMut(&mut serde_json::Map<String, Value>)) {
    let features = layer.get_mut("features").and_then(Value::as_array_mut);
    for feature in features.into_iter().flatten() {
        if let Some(properties) = feature.get_mut("properties").and_then(Value::as_object_mut) {
            change(properties);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn map_marks_the_ways_that_are_cut_and_no_others() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/reaches/huayuankou/routes.geojson");
        let mut layer: Value = serde_json::from_str(&std::fs::read_to_string(folder).unwrap()).unwrap();
        mark_flooded(&mut layer, &BTreeSet::from(["route-2", "no-way"]));
        let features = layer["features"].as_array().unwrap();
        let flooded: Vec<&Value> = features.iter().filter(|one| one["properties"]["flooded"] == true).collect();
        assert!(features.len() > 1);
        assert_eq!(flooded.len(), 1);
        assert_eq!(flooded[0]["properties"]["id"], "route-2");
    }
}
