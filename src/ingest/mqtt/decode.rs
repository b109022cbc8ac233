//! From a payload to a device and its values: ChirpStack v4, The Things Stack v3, JSON of any shape. Pure.
//!
//! In: topic, payload, the source that its topic belongs to. Out: which device spoke, when, and the object and raw bytes
//! its values lie in. Every field of the two LoRaWAN servers is optional: both leave out what is zero, false or empty.
//! It refuses what is no JSON, larger than [`PAYLOAD_MAX`], without a device, or with a time that is no time.

use super::topic::TopicPattern;
use crate::model::Timestamp;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::{FixedOffset, NaiveDateTime, TimeZone};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;

/// Largest payload that is read, bytes.
pub(super) const PAYLOAD_MAX: usize = 256 << 10;
/// Most samples of one message with `each`.
pub(super) const SAMPLES_MAX: usize = 5_000;
const BEIJING_S: i32 = 8 * 3600;

/// How the messages of a source are built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// ChirpStack v4, JSON marshaler.
    ChirpStack,
    /// The Things Stack v3 (TTN).
    TheThings,
    /// JSON of any shape.
    Json(JsonShape),
}

/// Where things lie in JSON of any shape.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JsonShape {
    /// Pointer to the device id; absent: what the topic caught.
    pub device: Option<String>,
    /// Pointer to an array of samples; the pointers of values and times then begin at each of them.
    pub each: Option<String>,
    /// Pointer to the time and how it is written; absent: the time of receipt.
    pub time: Option<(String, TimeFormat)>,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeFormat {
    /// `2024-07-24T09:30:00+08:00`.
    Rfc3339,
    /// Seconds since 1970, UTC.
    UnixS,
    /// Milliseconds since 1970, UTC.
    UnixMs,
    /// `2024-07-24 09:30:00`, Beijing time.
    Beijing,
}

/// Why a message gives no readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeFault {
    /// Above [`PAYLOAD_MAX`] bytes or [`SAMPLES_MAX`] samples.
    #[error("too-large")]
    TooLarge,
    /// No JSON, or too deep.
    #[error("no-json")]
    NoJson,
    /// Nobody says which device spoke.
    #[error("no-device")]
    NoDevice,
    /// A time that is none: the values are never taken for ones of now.
    #[error("no-time")]
    NoTime,
    /// Nothing to read: the codec of the LoRaWAN server gave no object, or the array of samples is not there.
    #[error("no-object")]
    NoObject,
    /// None of the values that the file names is in it.
    #[error("no-value")]
    NoValue,
    /// Base64 that is none.
    #[error("no-base64")]
    NoBase64,
    /// A test message of the LoRaWAN server's console, not of a device.
    #[error("simulated")]
    Simulated,
}

/// A message, opened.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Opened {
    pub(super) device: String,
    /// Frame counter of LoRaWAN.
    pub(super) counter: Option<u64>,
    pub(super) samples: Vec<Sample>,
    /// Of an array: samples whose time is none, by place; the others are as good as before.
    pub(super) spoilt: Vec<(usize, Value)>,
}

/// Values of one moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    /// `None`: the time of receipt.
    pub(super) at: Option<Timestamp>,
    pub(super) object: Option<Value>,
    pub(super) raw: Option<Vec<u8>>,
}

/// Opens a message.
pub(super) fn open(
    format: &Format,
    pattern: &TopicPattern,
    topic: &str,
    payload: &[u8],
) -> Result<Opened, DecodeFault> {
    if payload.len() > PAYLOAD_MAX {
        return Err(DecodeFault::TooLarge);
    }
    let body: Value = serde_json::from_slice(payload).map_err(|_| DecodeFault::NoJson)?;
    match format {
        Format::ChirpStack => chirpstack(body),
        Format::TheThings => the_things(body),
        Format::Json(shape) => json(shape, pattern.capture(topic), body),
    }
}

fn chirpstack(mut body: Value) -> Result<Opened, DecodeFault> {
    let device = text(&body, "/deviceInfo/devEui").ok_or(DecodeFault::NoDevice)?.to_ascii_lowercase();
    // The gateway's own clock where the network server gave no time.
    let at = ["/time", "/rxInfo/0/gwTime", "/rxInfo/0/nsTime"].iter().find_map(|place| body.pointer(place)).cloned();
    let at = at.filter(|at| !at.is_null()).map(|at| moment(&at, TimeFormat::Rfc3339)).transpose()?;
    let counter = body.get("fCnt").map_or(Some(0), Value::as_u64);
    let raw = body.get("data").and_then(Value::as_str).map(raw).transpose()?;
    let object = body.get_mut("object").map(Value::take).filter(|object| !object.is_null());
    lorawan(device, counter, Sample { at, object, raw })
}

fn the_things(mut body: Value) -> Result<Opened, DecodeFault> {
    if body.get("simulated").and_then(Value::as_bool) == Some(true) {
        return Err(DecodeFault::Simulated);
    }
    let device = text(&body, "/end_device_ids/device_id").ok_or(DecodeFault::NoDevice)?.to_owned();
    let at = ["/uplink_message/received_at", "/received_at"].iter().find_map(|place| body.pointer(place));
    let at = at.map(|at| moment(at, TimeFormat::Rfc3339)).transpose()?;
    let uplink = body.get_mut("uplink_message").ok_or(DecodeFault::NoObject)?;
    let counter = uplink.get("f_cnt").map_or(Some(0), Value::as_u64);
    let raw = uplink.get("frm_payload").and_then(Value::as_str).map(raw).transpose()?;
    let object = uplink.get_mut("decoded_payload").map(Value::take).filter(|object| !object.is_null());
    lorawan(device, counter, Sample { at, object, raw })
}

fn lorawan(device: String, counter: Option<u64>, sample: Sample) -> Result<Opened, DecodeFault> {
    if sample.object.is_none() && sample.raw.is_none() {
        return Err(DecodeFault::NoObject);
    }
    Ok(Opened { device, counter, samples: vec![sample], spoilt: Vec::new() })
}

fn json(shape: &JsonShape, caught: Option<String>, mut body: Value) -> Result<Opened, DecodeFault> {
    let device = match &shape.device {
        Some(pointer) => match body.pointer(pointer) {
            Some(Value::String(id)) => Some(id.clone()),
            Some(Value::Number(id)) => Some(id.to_string()),
            _ => None,
        },
        None => caught,
    };
    let device = device.filter(|id| !id.is_empty() && id.len() <= 256).ok_or(DecodeFault::NoDevice)?;
    let objects = match &shape.each {
        None => vec![body],
        Some(pointer) => match body.pointer_mut(pointer).map(Value::take) {
            Some(Value::Array(objects)) => objects,
            _ => return Err(DecodeFault::NoObject),
        },
    };
    if objects.len() > SAMPLES_MAX {
        return Err(DecodeFault::TooLarge);
    }
    let (mut samples, mut spoilt) = (Vec::with_capacity(objects.len()), Vec::new());
    for (place, object) in objects.into_iter().enumerate() {
        let told = |(pointer, format): &(String, TimeFormat)| {
            object.pointer(pointer).ok_or(DecodeFault::NoTime).and_then(|told| moment(told, *format))
        };
        match shape.time.as_ref().map(told).transpose() {
            Ok(at) => samples.push(Sample { at, object: Some(object), raw: None }),
            Err(_) => spoilt.push((place, object)),
        }
    }
    // With no good one left it is a message without a time, as it is when there is no array.
    if samples.is_empty() && !spoilt.is_empty() {
        return Err(DecodeFault::NoTime);
    }
    Ok(Opened { device, counter: None, samples, spoilt })
}

fn text<'a>(body: &'a Value, pointer: &str) -> Option<&'a str> {
    body.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty() && text.len() <= 256)
}

fn raw(text: &str) -> Result<Vec<u8>, DecodeFault> {
    BASE64_STANDARD.decode(text).map_err(|_| DecodeFault::NoBase64)
}

fn moment(value: &Value, format: TimeFormat) -> Result<Timestamp, DecodeFault> {
    let text = || match value {
        Value::String(text) => Some(Cow::Borrowed(text.trim())),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    };
    let read = || match format {
        TimeFormat::Rfc3339 => Some(chrono::DateTime::parse_from_rfc3339(&text()?).ok()?.to_utc()),
        TimeFormat::Beijing => {
            let text = text()?.replace('T', " ");
            let local = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f").ok()?;
            Some(FixedOffset::east_opt(BEIJING_S)?.from_local_datetime(&local).single()?.to_utc())
        }
        TimeFormat::UnixS => millis(text()?.parse::<f64>().ok()? * 1000.0),
        TimeFormat::UnixMs => millis(text()?.parse::<f64>().ok()?),
    };
    read().ok_or(DecodeFault::NoTime)
}

/// Whole milliseconds, within the years that a series can hold.
fn millis(value: f64) -> Option<Timestamp> {
    let near = value.is_finite() && value.abs() < 8.0e15;
    near.then(|| Timestamp::from_timestamp_millis(value.round() as i64)).flatten()
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
