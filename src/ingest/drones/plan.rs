//! QGroundControl `.plan` (JSON, fileType Plan): simple items with MAVLink commands.

use super::{DroneFault, Mission, Position, bounded, position};
use serde_json::{Value, json};

/// MAV_CMD_NAV_WAYPOINT.
const WAYPOINT: i64 = 16;
/// MAV_CMD_NAV_RETURN_TO_LAUNCH.
const RETURN: i64 = 20;
/// MAV_CMD_NAV_TAKEOFF.
const TAKEOFF: i64 = 22;
/// MAV_CMD_IMAGE_START_CAPTURE.
const PHOTO: i64 = 2000;
/// MAV_FRAME_GLOBAL_RELATIVE_ALT: height above take-off.
const RELATIVE: i64 = 3;

/// Reads the way points of a plan. Other commands are passed over; a survey pattern (complex item) is refused, because
/// only the ground station knows its points.
///
/// # Errors
/// What is no plan, a way point without a position, or none at all.
pub fn read_plan(file: &str, bytes: &[u8]) -> Result<Mission, DroneFault> {
    let body: Value =
        serde_json::from_slice(bytes).map_err(|fault| DroneFault::new(file, "JSON", fault.to_string()))?;
    if body.get("fileType").and_then(Value::as_str) != Some("Plan") {
        return Err(DroneFault::new(file, "fileType", "not \"Plan\" (不是 QGroundControl 航线)"));
    }
    let items = body.pointer("/mission/items").and_then(Value::as_array);
    let items = items.ok_or_else(|| DroneFault::new(file, "mission.items", "missing (缺少航点)"))?;
    bounded(file, items.len())?;
    let mut points = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let element = format!("mission.items[{number}]");
        if item.get("type").and_then(Value::as_str) == Some("ComplexItem") {
            let what = "a survey pattern; save it as way points first (复杂航线须先展开为航点)";
            return Err(DroneFault::new(file, element, what));
        }
        if item.get("command").and_then(Value::as_i64) != Some(WAYPOINT) {
            continue;
        }
        let part = |at: usize| item.pointer(&format!("/params/{at}")).and_then(Value::as_f64);
        let (Some(lat), Some(lon), Some(height)) = (part(4), part(5), part(6)) else {
            return Err(DroneFault::new(
                file,
                element,
                "params 5, 6, 7 are not latitude, longitude, height (航点参数有误)",
            ));
        };
        points.push(position(file, &element, lon, lat, Some(height))?);
    }
    if points.is_empty() {
        return Err(DroneFault::new(file, "mission.items", "no way point (没有航点)"));
    }
    let speed = body.pointer("/mission/cruiseSpeed").and_then(Value::as_f64);
    let speed_m_s = speed.filter(|speed| speed.is_finite() && *speed > 0.0).unwrap_or(10.0);
    Ok(Mission { name: file.to_owned(), speed_m_s, points })
}

/// Writes a plan: take-off, each point with a photo, return.
pub fn write_plan(mission: &Mission) -> Value {
    let mut items = Vec::new();
    let mut item = |command: i64, frame: i64, params: [Value; 7]| {
        let number = items.len() + 1;
        items.push(json!({
            "type": "SimpleItem", "autoContinue": true, "command": command, "doJumpId": number, "frame": frame,
            "params": params,
        }));
    };
    let at = |point: &Position| (json!(point.lat), json!(point.lon), json!(point.height_m.unwrap_or(0.0)));
    let null = || Value::Null;
    if let Some(first) = mission.points.first() {
        let (lat, lon, height) = at(first);
        item(TAKEOFF, RELATIVE, [json!(0), json!(0), json!(0), null(), lat, lon, height]);
    }
    for point in &mission.points {
        let (lat, lon, height) = at(point);
        item(WAYPOINT, RELATIVE, [json!(0), json!(0), json!(0), null(), lat, lon, height]);
        item(PHOTO, 2, [json!(0), json!(0), json!(1), null(), null(), null(), null()]);
    }
    item(RETURN, 2, [json!(0), json!(0), json!(0), json!(0), json!(0), json!(0), json!(0)]);
    let home = mission.points.first().map(|point| json!([point.lat, point.lon, 0]));
    json!({
        "fileType": "Plan", "groundStation": "Anlan", "version": 1,
        "geoFence": { "circles": [], "polygons": [], "version": 2 },
        "rallyPoints": { "points": [], "version": 2 },
        "mission": {
            "cruiseSpeed": mission.speed_m_s, "hoverSpeed": mission.speed_m_s, "firmwareType": 12, "vehicleType": 2,
            "globalPlanAltitudeMode": 1, "version": 2, "items": items, "plannedHomePosition": home,
        },
    })
}
