//! Devices that report through an MQTT broker: rows `[[mqtt]]` of any file in `sensors/`.

use super::load::{Source, period};
use super::{Sensors, SeriesFacts};
use crate::ingest::FileFault;
use crate::ingest::mqtt::{ByteNumber, Format, JsonShape, Place, TimeFormat, TopicPattern};
use crate::model::{Datum, PlaceId, SeriesId};
use crate::quality::Limits;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

/// Messages of one shape below one topic pattern of one broker.
#[derive(Debug, Clone, PartialEq)]
pub struct MqttSource {
    /// Id of the broker in the server's configuration.
    pub broker: String,
    /// What the broker is asked for.
    pub topic: TopicPattern,
    /// How its messages are built.
    pub format: Format,
    /// Devices by their id in the messages; one that is not here makes no series.
    pub devices: BTreeMap<String, MqttDevice>,
}

/// A device that is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct MqttDevice {
    /// Station or stone, the first part of its series.
    pub of: String,
    /// Its dam, for a stone.
    pub dam: Option<PlaceId>,
    /// What is recorded of it.
    pub series: Vec<MqttSeries>,
}

/// A value of a device that is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct MqttSeries {
    /// `<station>.<quantity>` or `<stone>.<quantity>`.
    pub id: SeriesId,
    /// Where it lies.
    pub place: Place,
    /// Multiplies what lies there.
    pub scale: f64,
    /// Added after that, in the unit of the series.
    pub zero: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MqttRow {
    broker: Spanned<String>,
    topic: Spanned<String>,
    format: FormatWord,
    device_at: Option<Spanned<String>>,
    each: Option<Spanned<String>>,
    time: Option<Spanned<String>>,
    time_format: Option<Spanned<TimeFormat>>,
    device: Vec<Spanned<DeviceRow>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FormatWord {
    Chirpstack,
    TheThings,
    Json,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceRow {
    id: Spanned<String>,
    station: Option<Spanned<String>>,
    stone: Option<Spanned<String>>,
    dam: Option<String>,
    report_every_s: Spanned<f64>,
    series: Vec<Spanned<MqttSeriesRow>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MqttSeriesRow {
    quantity: String,
    unit: String,
    at: Option<Spanned<String>>,
    byte: Option<usize>,
    number: Option<ByteNumber>,
    #[serde(default = "one")]
    scale: f64,
    #[serde(default)]
    zero: f64,
    datum: Option<Datum>,
    #[serde(default)]
    quality: Limits,
}

fn one() -> f64 {
    1.0
}

impl Sensors {
    pub(super) fn add_mqtt(&mut self, source: &Source, spanned: &Spanned<MqttRow>) -> Result<(), FileFault> {
        let row = spanned.get_ref();
        let topic = TopicPattern::of_text(row.topic.get_ref()).ok_or_else(|| {
            let what = format!("{:?} is no topic pattern (主题有误)", row.topic.get_ref());
            source.fault(row.topic.span(), what, "write for example \"bureau/+/stage\"; # only at the end, no $")
        })?;
        let taken = self.mqtt.iter().any(|other| other.broker == *row.broker.get_ref() && other.topic == topic);
        if taken {
            let what = format!("topic {topic} of broker {} appears twice (主题重复)", row.broker.get_ref());
            return Err(source.fault(row.topic.span(), what, "put all its devices into one table"));
        }
        let format = format_of(source, row)?;
        let mut devices = BTreeMap::new();
        for device in &row.device {
            // ChirpStack writes the EUI in small letters, labels on devices in capitals.
            let id = match format {
                Format::ChirpStack => device.get_ref().id.get_ref().to_ascii_lowercase(),
                _ => device.get_ref().id.get_ref().clone(),
            };
            let told = self.told_device(source, device)?;
            if devices.insert(id, told).is_some() {
                let what = format!("device {:?} appears twice (设备重复)", device.get_ref().id.get_ref());
                return Err(source.fault(device.get_ref().id.span(), what, "drop one of them"));
            }
        }
        self.mqtt.push(MqttSource { broker: row.broker.get_ref().clone(), topic, format, devices });
        Ok(())
    }

    fn told_device(&mut self, source: &Source, spanned: &Spanned<DeviceRow>) -> Result<MqttDevice, FileFault> {
        let row = spanned.get_ref();
        let interval_s = period(source, "report_every_s", &row.report_every_s)?;
        let (of, dam, name_zh) = match (&row.station, &row.stone) {
            (Some(station), None) if row.dam.is_none() => {
                (station.get_ref().clone(), None, self.name_of_station(source, station)?)
            }
            (None, Some(stone)) => self.stone_of(source, stone, row.dam.as_ref())?,
            _ => {
                let what = format!("device {:?} needs a station, or a stone and its dam", row.id.get_ref());
                return Err(source.fault(spanned.span(), what, "one of the two, not both"));
            }
        };
        if row.series.is_empty() {
            return Err(source.fault(spanned.span(), "the device has no series", "name at least one value"));
        }
        let mut series: Vec<MqttSeries> = Vec::new();
        for one in &row.series {
            let facts = SeriesFacts {
                unit: one.get_ref().unit.clone(),
                datum: one.get_ref().datum,
                interval_s,
                name_zh: name_zh.clone(),
                limits: one.get_ref().quality.clone(),
            };
            let told = self.told_value(source, one, &of, facts)?;
            if series.iter().any(|other| other.id == told.id) {
                let what = format!("series {} appears twice", told.id);
                return Err(source.fault(one.span(), what, "a value gives one series"));
            }
            series.push(told);
        }
        Ok(MqttDevice { of, dam, series })
    }

    /// A stone that the files have already, or a new one on the dam that the row names.
    fn stone_of(
        &self,
        source: &Source,
        stone: &Spanned<String>,
        dam: Option<&String>,
    ) -> Result<(String, Option<PlaceId>, String), FileFault> {
        let id = stone.get_ref();
        let name_zh = format!("智能石头 {id}");
        if self.devices.iter().any(|device| &device.id == id) {
            return Ok((id.clone(), None, name_zh));
        }
        let dam = dam.ok_or_else(|| {
            source.fault(stone.span(), format!("stone {id:?} is not in the other files"), "add dam = \"dam-…\"")
        })?;
        Ok((id.clone(), Some(dam.as_str().into()), name_zh))
    }

    fn told_value(
        &mut self,
        source: &Source,
        spanned: &Spanned<MqttSeriesRow>,
        of: &str,
        facts: SeriesFacts,
    ) -> Result<MqttSeries, FileFault> {
        let row = spanned.get_ref();
        let place = match (&row.at, row.byte, row.number) {
            (Some(at), None, None) => Place::Pointer(pointer(source, at)?),
            (None, Some(at), Some(number)) => Place::Bytes { at, number },
            _ => {
                let what = format!("{} has no place in the message", row.quantity);
                return Err(source.fault(
                    spanned.span(),
                    what,
                    "write at = \"/path\", or byte = 0 and number = \"u16\"",
                ));
            }
        };
        if !row.scale.is_finite() || row.scale == 0.0 || !row.zero.is_finite() {
            let what = format!("scale {} or zero {} of {} cannot be", row.scale, row.zero, row.quantity);
            return Err(source.fault(spanned.span(), what, "write a finite scale that is not 0"));
        }
        if row.quantity.is_empty() || row.quantity.contains(['.', ' ']) {
            let what = format!("{:?} is no quantity", row.quantity);
            return Err(source.fault(spanned.span(), what, "write for example \"stage\""));
        }
        let id = SeriesId::new(format!("{of}.{}", row.quantity));
        self.share_series(source, spanned.span(), &id, facts)?;
        Ok(MqttSeries { id, place, scale: row.scale, zero: row.zero })
    }

    /// A series of its own, or a second way for one that another device gives in the same unit and datum.
    fn share_series(
        &mut self,
        source: &Source,
        at: Range<usize>,
        id: &SeriesId,
        own: SeriesFacts,
    ) -> Result<(), FileFault> {
        match self.series.get(id) {
            None => {
                self.series.insert(id.clone(), own);
                Ok(())
            }
            Some(there) if there.unit != own.unit || own.datum.is_some() && there.datum != own.datum => {
                let datum = |facts: &SeriesFacts| facts.datum.map_or("no datum", Datum::as_str);
                let what = format!(
                    "series {id} has unit {:?} and {} already, this has {:?} and {}",
                    there.unit,
                    datum(there),
                    own.unit,
                    datum(&own)
                );
                Err(source.fault(at, what, "give it a quantity of its own, or the unit and datum of the other"))
            }
            Some(_) => Ok(()),
        }
    }
}

fn format_of(source: &Source, row: &MqttRow) -> Result<Format, FileFault> {
    let only_json = [&row.device_at, &row.each, &row.time].into_iter().flatten().map(Spanned::span);
    let only_json = only_json.chain(row.time_format.iter().map(Spanned::span)).next();
    match (row.format, only_json) {
        (FormatWord::Chirpstack, None) => Ok(Format::ChirpStack),
        (FormatWord::TheThings, None) => Ok(Format::TheThings),
        (FormatWord::Json, _) => {
            let read = |at: &Option<Spanned<String>>| at.as_ref().map(|at| pointer(source, at)).transpose();
            let time = match (&row.time, &row.time_format) {
                (None, None) => None,
                (Some(at), Some(format)) => Some((pointer(source, at)?, *format.get_ref())),
                (Some(at), None) => {
                    let remedy = "add time_format = \"rfc3339\", \"unix-s\", \"unix-ms\" or \"beijing\"";
                    return Err(source.fault(at.span(), "nobody says how the time is written", remedy));
                }
                (None, Some(format)) => {
                    return Err(source.fault(format.span(), "time_format without time", "add time = \"/path\""));
                }
            };
            Ok(Format::Json(JsonShape { device: read(&row.device_at)?, each: read(&row.each)?, time }))
        }
        (_, Some(span)) => {
            let what = "device_at, each, time and time_format belong to format = \"json\"";
            Err(source.fault(span, what, "the LoRaWAN formats know where their things lie"))
        }
    }
}

fn pointer(source: &Source, at: &Spanned<String>) -> Result<String, FileFault> {
    let text = at.get_ref();
    if text.is_empty() || text.starts_with('/') {
        return Ok(text.clone());
    }
    let what = format!("{text:?} is no JSON pointer (RFC 6901)");
    Err(source.fault(at.span(), what, "begin it with / as in \"/level\""))
}

#[cfg(test)]
#[path = "mqtt_tests.rs"]
mod tests;
