//! Tracks: lines of a GeoJSON file (RFC 7946) and of a GPX file (1.1).

use super::{DroneFault, Position, Track, bounded, position};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;

/// Reads every `LineString` and `MultiLineString` of a GeoJSON file; other geometries are no tracks and passed over.
///
/// # Errors
/// What is no GeoJSON, a position that is none, or a file without any line.
pub fn read_geojson(file: &str, bytes: &[u8]) -> Result<Vec<Track>, DroneFault> {
    let body: Value =
        serde_json::from_slice(bytes).map_err(|fault| DroneFault::new(file, "JSON", fault.to_string()))?;
    let features = match body.get("type").and_then(Value::as_str) {
        Some("FeatureCollection") => body.get("features").and_then(Value::as_array).cloned().unwrap_or_default(),
        Some("Feature") => vec![body],
        Some("LineString" | "MultiLineString") => vec![serde_json::json!({ "geometry": body })],
        _ => return Err(DroneFault::new(file, "type", "not a FeatureCollection, Feature or line (不是 GeoJSON)")),
    };
    let (mut tracks, mut count) = (Vec::new(), 0);
    for (number, feature) in features.iter().enumerate() {
        let element = format!("features[{number}]");
        let name = feature.pointer("/properties/name").and_then(Value::as_str).unwrap_or(&element).to_owned();
        let coordinates = feature.pointer("/geometry/coordinates").and_then(Value::as_array);
        let lines: Vec<&Vec<Value>> = match feature.pointer("/geometry/type").and_then(Value::as_str) {
            Some("LineString") => coordinates.into_iter().collect(),
            Some("MultiLineString") => coordinates.into_iter().flatten().filter_map(Value::as_array).collect(),
            _ => continue,
        };
        for line in lines {
            count += line.len();
            bounded(file, count)?;
            let positions = line.iter().enumerate().map(|(at, one)| {
                let place = format!("{element} coordinates[{at}]");
                let part = |axis: usize| one.get(axis).and_then(Value::as_f64);
                let (Some(lon), Some(lat)) = (part(0), part(1)) else {
                    return Err(DroneFault::new(file, place, "not [lon, lat] (坐标有误)"));
                };
                position(file, &place, lon, lat, part(2))
            });
            let positions = positions.collect::<Result<Vec<Position>, _>>()?;
            if positions.len() > 1 {
                tracks.push(Track { name: name.clone(), positions });
            }
        }
    }
    some(file, tracks)
}

/// Reads every segment of every track of a GPX file; routes and waypoints are no tracks and passed over.
///
/// # Errors
/// What is no XML, a point without a position, or a file without any segment.
pub fn read_gpx(file: &str, bytes: &[u8]) -> Result<Vec<Track>, DroneFault> {
    let mut reader = Reader::from_reader(bytes);
    reader.config_mut().trim_text(true);
    let fault = |at: u64, what: String| DroneFault::new(file, format!("byte {at}"), what);
    let (mut tracks, mut path, mut buffer) = (Vec::new(), Vec::<String>::new(), Vec::new());
    let (mut name, mut positions, mut count) = (String::new(), Vec::<Position>::new(), 0_usize);
    loop {
        let at = reader.buffer_position();
        match reader.read_event_into(&mut buffer).map_err(|cause| fault(at, cause.to_string()))? {
            Event::Start(start) => {
                if start.local_name().as_ref() == "trkpt" {
                    count += 1;
                    bounded(file, count)?;
                    positions.push(trkpt(file, &start, count)?);
                }
                path.push(start.local_name().as_ref().to_owned());
                if path.len() > 64 {
                    return Err(fault(at, "nested too deep (嵌套过深)".into()));
                }
            }
            Event::Empty(start) if start.local_name().as_ref() == "trkpt" => {
                count += 1;
                bounded(file, count)?;
                positions.push(trkpt(file, &start, count)?);
            }
            Event::Text(text) => {
                let text = text.as_ref().to_owned();
                match path.iter().rev().map(String::as_str).collect::<Vec<_>>().as_slice() {
                    ["name", "trk", ..] if name.len() < 200 => name.extend(text.chars().take(200)),
                    ["ele", "trkpt", ..] => {
                        let element = format!("trkpt {count} ele");
                        let height = text.parse::<f64>();
                        let height = height.map_err(|_| DroneFault::new(file, &element, "not a number (高程有误)"))?;
                        if let Some(last) = positions.last_mut() {
                            *last = position(file, &element, last.lon, last.lat, Some(height))?;
                        }
                    }
                    _ => {}
                }
            }
            Event::End(end) => {
                path.pop();
                match end.local_name().as_ref() {
                    "trkseg" => {
                        let flown = std::mem::take(&mut positions);
                        if flown.len() > 1 {
                            tracks.push(Track { name: name.clone(), positions: flown });
                        }
                    }
                    "trk" => name.clear(),
                    _ => {}
                }
            }
            Event::Eof if !path.is_empty() => return Err(fault(at, "the file is cut off (文件不完整)".into())),
            Event::Eof => break,
            _ => {}
        }
        buffer.clear();
    }
    some(file, tracks)
}

fn trkpt(file: &str, start: &BytesStart<'_>, number: usize) -> Result<Position, DroneFault> {
    let element = format!("trkpt {number}");
    let part = |wanted: &str| {
        let found = start.try_get_attribute(wanted).ok().flatten();
        let text = found.map(|found| found.value.into_owned());
        text.and_then(|text| text.trim().parse::<f64>().ok())
            .ok_or_else(|| DroneFault::new(file, &element, format!("no {wanted} (缺少经纬度)")))
    };
    position(file, &element, part("lon")?, part("lat")?, None)
}

fn some(file: &str, tracks: Vec<Track>) -> Result<Vec<Track>, DroneFault> {
    if tracks.is_empty() {
        return Err(DroneFault::new(file, "file", "no line of at least two positions (没有航迹)"));
    }
    Ok(tracks)
}
