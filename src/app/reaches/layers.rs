//! Map layers: GeoJSON in WGS-84, each feature with an id of its own and the properties that others rely on.

use super::ReachFault;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What a property must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// A text that is not empty.
    Text,
    /// A finite number.
    Number,
    /// A whole number from 0.
    Whole,
}

/// A layer of the map.
#[derive(Debug)]
pub struct Layer {
    /// `levee`, `grids`, …: the file is `<name>.geojson`.
    pub name: &'static str,
    /// Whether a reach can do without.
    pub optional: bool,
    /// Whether each feature's id is that of a place.
    pub places: bool,
    /// Properties that every feature must have.
    pub properties: &'static [(&'static str, Needs)],
}

const NAMES: &[(&str, Needs)] = &[("name_zh", Needs::Text), ("name_en", Needs::Text)];

/// The layers that the map knows; others are accepted as they are.
pub const LAYERS: &[Layer] = &[
    Layer { name: "levee", optional: false, places: false, properties: &[("kind", Needs::Text)] },
    Layer { name: "river", optional: false, places: false, properties: &[("kind", Needs::Text)] },
    Layer {
        name: "grids",
        optional: false,
        places: true,
        properties: &[("name_zh", Needs::Text), ("kind", Needs::Text), ("segment", Needs::Text)],
    },
    Layer {
        name: "works",
        optional: false,
        places: true,
        properties: &[
            ("name_zh", Needs::Text),
            ("from_m", Needs::Number),
            ("to_m", Needs::Number),
            ("work_index", Needs::Whole),
        ],
    },
    Layer {
        name: "dams",
        optional: false,
        places: true,
        properties: &[
            ("work", Needs::Text),
            ("unit", Needs::Whole),
            ("number", Needs::Whole),
            ("chainage_m", Needs::Number),
            ("crest_m", Needs::Number),
        ],
    },
    Layer {
        name: "stones",
        optional: false,
        places: false,
        properties: &[
            ("dam", Needs::Text),
            ("work", Needs::Text),
            ("work_index", Needs::Whole),
            ("unit", Needs::Whole),
            ("slot", Needs::Whole),
            ("n", Needs::Whole),
            ("depth_m", Needs::Number),
            ("position", Needs::Text),
        ],
    },
    Layer {
        name: "villages",
        optional: false,
        places: true,
        properties: &[("name_zh", Needs::Text), ("residents", Needs::Whole), ("ground_m", Needs::Number)],
    },
    Layer { name: "village-areas", optional: true, places: false, properties: &[("village", Needs::Text)] },
    Layer {
        name: "farms",
        optional: true,
        places: true,
        properties: &[("crop", Needs::Text), ("households", Needs::Whole), ("village", Needs::Text)],
    },
    Layer {
        name: "shelters",
        optional: true,
        places: true,
        properties: &[("name_zh", Needs::Text), ("capacity", Needs::Whole)],
    },
    Layer {
        name: "routes",
        optional: true,
        places: false,
        properties: &[("village", Needs::Text), ("shelter", Needs::Text), ("length_m", Needs::Number)],
    },
    Layer { name: "centres", optional: true, places: true, properties: NAMES },
    Layer { name: "depots", optional: true, places: true, properties: NAMES },
    Layer { name: "gates", optional: true, places: true, properties: NAMES },
    Layer { name: "bridges", optional: true, places: true, properties: NAMES },
    Layer { name: "scenic", optional: true, places: true, properties: NAMES },
    Layer { name: "gauges", optional: true, places: false, properties: NAMES },
    Layer { name: "cameras", optional: true, places: false, properties: NAMES },
    Layer {
        name: "loudspeakers",
        optional: true,
        places: false,
        properties: &[("name_zh", Needs::Text), ("radius_m", Needs::Number)],
    },
    Layer { name: "defence-points", optional: true, places: false, properties: NAMES },
    Layer { name: "posts", optional: true, places: false, properties: NAMES },
    Layer { name: "roads", optional: true, places: false, properties: &[("kind", Needs::Text)] },
];

/// A feature that passed the checks.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    /// Counted from 1.
    pub number: usize,
    pub id: String,
    pub properties: Map<String, Value>,
    /// First position of the geometry, WGS-84 degrees.
    pub first: (f64, f64),
}

/// Where a fault of a feature is told from.
pub(super) struct Spot<'a> {
    pub file: &'a str,
    pub number: usize,
    pub id: &'a str,
}

impl Spot<'_> {
    pub fn fault(&self, field: &str, what: impl Into<String>) -> ReachFault {
        let (file, id) = (self.file.to_owned(), self.id.to_owned());
        ReachFault::Feature { file, number: self.number, id, field: field.to_owned(), what: what.into() }
    }
}

/// Reads and checks a layer.
pub(super) fn check(file: &str, text: &str, properties: &[(&str, Needs)]) -> Result<Vec<Checked>, ReachFault> {
    let value: Value =
        serde_json::from_str(text).map_err(|fault| syntax(file, fault.line(), fault.column(), &fault.to_string()))?;
    if value.get("type").and_then(Value::as_str) != Some("FeatureCollection") {
        return Err(syntax(file, 1, 1, "\"type\" 应为 FeatureCollection / \"type\" must be FeatureCollection"));
    }
    let Some(features) = value.get("features").and_then(Value::as_array) else {
        return Err(syntax(file, 1, 1, "缺少 features 数组 / the array \"features\" is missing"));
    };
    let mut ids = BTreeSet::new();
    let mut checked = Vec::with_capacity(features.len());
    for (at, feature) in features.iter().enumerate() {
        let feature = check_feature(file, at + 1, feature, properties)?;
        if !ids.insert(feature.id.clone()) {
            let spot = Spot { file, number: feature.number, id: &feature.id };
            return Err(spot.fault("id", "编号重复 / this id appears twice"));
        }
        checked.push(feature);
    }
    Ok(checked)
}

fn syntax(file: &str, line: usize, column: usize, what: &str) -> ReachFault {
    ReachFault::Syntax { file: file.to_owned(), line, column, what: what.to_owned() }
}

fn check_feature(file: &str, number: usize, feature: &Value, needed: &[(&str, Needs)]) -> Result<Checked, ReachFault> {
    let properties = feature.get("properties").and_then(Value::as_object);
    let id = properties.and_then(|own| own.get("id")).or(feature.get("id")).and_then(Value::as_str).unwrap_or("?");
    let spot = Spot { file, number, id };
    let Some(properties) = properties else {
        return Err(spot.fault("properties", "缺少属性 / is missing"));
    };
    if id == "?" || id.is_empty() {
        return Err(spot.fault("id", "缺少文本编号 / a text is needed"));
    }
    for (name, needs) in needed {
        check_property(&spot, properties, name, *needs)?;
    }
    let first = check_geometry(&spot, feature.get("geometry").unwrap_or(&Value::Null))?;
    Ok(Checked { number, id: id.to_owned(), properties: properties.clone(), first })
}

fn check_property(spot: &Spot<'_>, own: &Map<String, Value>, name: &str, needs: Needs) -> Result<(), ReachFault> {
    let Some(value) = own.get(name) else {
        return Err(spot.fault(name, "缺少该属性 / this property is missing"));
    };
    let (fits, asked) = match needs {
        Needs::Text => (value.as_str().is_some_and(|text| !text.is_empty()), "应为非空文本 / a text is needed"),
        Needs::Number => (value.as_f64().is_some_and(f64::is_finite), "应为数值 / a number is needed"),
        Needs::Whole => (value.as_u64().is_some(), "应为非负整数 / a whole number from 0 is needed"),
    };
    if fits { Ok(()) } else { Err(spot.fault(name, format!("{asked}, 实为 found {value}"))) }
}

/// Checks the shape and returns its first position.
fn check_geometry(spot: &Spot<'_>, geometry: &Value) -> Result<(f64, f64), ReachFault> {
    let coordinates = geometry.get("coordinates").unwrap_or(&Value::Null);
    match geometry.get("type").and_then(Value::as_str) {
        Some("Point") => position(spot, coordinates),
        Some("LineString") => line(spot, coordinates, 2).map(|line| line.first),
        Some("Polygon") => polygon(spot, coordinates),
        other => {
            let found = other.unwrap_or("无 none");
            Err(spot.fault(
                "geometry.type",
                format!("应为 Point、LineString 或 Polygon / must be one of these, 实为 found {found}"),
            ))
        }
    }
}

struct Line {
    first: (f64, f64),
    last: (f64, f64),
}

fn polygon(spot: &Spot<'_>, rings: &Value) -> Result<(f64, f64), ReachFault> {
    let mut first = None;
    for ring in rings.as_array().into_iter().flatten() {
        let ring = line(spot, ring, 4)?;
        if ring.first != ring.last {
            return Err(spot.fault(
                "geometry.coordinates",
                "多边形未闭合：首尾点应相同 / the ring is open: repeat its first point at the end",
            ));
        }
        first.get_or_insert(ring.first);
    }
    first.ok_or_else(|| spot.fault("geometry.coordinates", "多边形无环 / a polygon needs a ring"))
}

fn line(spot: &Spot<'_>, positions: &Value, least: usize) -> Result<Line, ReachFault> {
    let positions = positions.as_array().map(Vec::as_slice).unwrap_or_default();
    if positions.len() < least {
        return Err(
            spot.fault("geometry.coordinates", format!("至少要 {least} 个点 / at least {least} points are needed"))
        );
    }
    let mut ends: Option<Line> = None;
    for value in positions {
        let at = position(spot, value)?;
        ends = Some(Line { first: ends.map_or(at, |line| line.first), last: at });
    }
    ends.ok_or_else(|| spot.fault("geometry.coordinates", "没有点 / no points"))
}

fn position(spot: &Spot<'_>, value: &Value) -> Result<(f64, f64), ReachFault> {
    let pair = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let [lon, lat, ..] = pair else {
        return Err(
            spot.fault("geometry.coordinates", format!("应为 [经度, 纬度] / [lon, lat] is needed, 实为 found {value}"))
        );
    };
    let (Some(lon), Some(lat)) = (lon.as_f64(), lat.as_f64()) else {
        return Err(spot.fault("geometry.coordinates", format!("坐标不是数值 / not a number: {value}")));
    };
    match off_the_map(lon, lat) {
        Some(what) => Err(spot.fault("geometry.coordinates", what)),
        None => Ok((lon, lat)),
    }
}

/// What is wrong with a position, if anything: it must lie in or near China.
pub(super) fn off_the_map(lon: f64, lat: f64) -> Option<String> {
    // A NaN is in no range.
    let swapped = (73.0..=136.0).contains(&lat) && (3.0..=54.0).contains(&lon);
    if swapped {
        Some(format!("经纬度颠倒 / longitude and latitude are swapped: [{lon}, {lat}]"))
    } else if (73.0..=136.0).contains(&lon) && (3.0..=54.0).contains(&lat) {
        None
    } else {
        Some(format!("超出范围（经度 73–136，纬度 3–54）/ outside 73–136 E, 3–54 N: [{lon}, {lat}]"))
    }
}
