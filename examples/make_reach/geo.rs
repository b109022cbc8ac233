//! GeoJSON text with a fixed form: one feature a line, keys in order, six decimals (about 0.1 m).

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// WGS-84 longitude and latitude in degrees.
pub type LonLat = (f64, f64);

/// What a feature looks like.
pub enum Shape {
    Point(LonLat),
    Line(Vec<LonLat>),
    /// One ring, closed by the writer.
    Polygon(Vec<LonLat>),
}

/// One feature to be written.
pub struct Feature {
    pub id: String,
    pub properties: BTreeMap<&'static str, Value>,
    pub shape: Shape,
}

impl Feature {
    /// A feature with its id, also as a property: map engines look there.
    pub fn new(id: impl Into<String>, shape: Shape) -> Self {
        let id = id.into();
        let properties = BTreeMap::from([("id", Value::from(id.clone())), ("synthetic", Value::from(true))]);
        Self { id, properties, shape }
    }
    /// Adds a property.
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.properties.insert(key, value.into());
        self
    }
    /// Adds a Chinese and an English name.
    pub fn named(self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.with("name_zh", zh.into()).with("name_en", en.into())
    }
}

/// A number with that many decimals and no more, so that files stay short and stable.
pub fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    let result = (value * scale).round() / scale;
    if result == 0.0 { 0.0 } else { result }
}

/// The text of a layer.
pub fn collection(name: &str, features: &[Feature]) -> String {
    let mut text = format!(
        "{{\"type\":\"FeatureCollection\",\"name\":\"{name}\",\"synthetic\":true,\
         \"about\":\"{}\",\"features\":[\n",
        super::LABEL
    );
    for (at, feature) in features.iter().enumerate() {
        let properties = serde_json::to_string(&feature.properties).unwrap_or_default();
        let id = Value::from(feature.id.clone());
        let end = if at + 1 == features.len() { "" } else { "," };
        let _ = writeln!(
            text,
            "{{\"type\":\"Feature\",\"id\":{id},\"properties\":{properties},\"geometry\":{}}}{end}",
            geometry(&feature.shape)
        );
    }
    text.push_str("]}\n");
    text
}

fn geometry(shape: &Shape) -> String {
    match shape {
        Shape::Point(at) => format!("{{\"type\":\"Point\",\"coordinates\":{}}}", position(*at)),
        Shape::Line(line) => format!("{{\"type\":\"LineString\",\"coordinates\":[{}]}}", positions(line)),
        Shape::Polygon(ring) => {
            let mut closed = ring.clone();
            if signed_area(ring) < 0.0 {
                closed.reverse(); // RFC 7946: outer rings run counter-clockwise.
            }
            closed.extend(closed.first().copied());
            format!("{{\"type\":\"Polygon\",\"coordinates\":[[{}]]}}", positions(&closed))
        }
    }
}

fn positions(line: &[LonLat]) -> String {
    line.iter().map(|at| position(*at)).collect::<Vec<_>>().join(",")
}

fn position((lon, lat): LonLat) -> String {
    format!("[{lon:.6},{lat:.6}]")
}

/// Twice the area enclosed by a ring that is not closed, counter-clockwise positive.
pub fn signed_area(ring: &[(f64, f64)]) -> f64 {
    let next = ring.iter().cycle().skip(1);
    ring.iter().zip(next).map(|((x, y), (u, v))| x * v - u * y).sum()
}
