//! From a message to readings: which source, which device, which series; and what is said of what gives none.
//!
//! In: topic and payload. Out: readings, or a reason. A device that no file names is counted and listed, never created.

use super::decode::{self, DecodeFault, Opened, Sample};
use super::value::Found;
use crate::ingest::sensors::{MqttDevice, MqttSource};
use crate::model::{Reading, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Devices without a file that are listed by name; further ones are counted together.
const UNKNOWN_MAX: usize = 500;
/// Letters that are listed; the file behind them holds more.
const DEAD_MAX: usize = 200;
/// Bytes of a dead letter's payload that are kept.
const HEAD_MAX: usize = 512;

/// A message that gave no readings, or not all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// When it came, on the clock of the reach.
    pub received_at: Timestamp,
    /// Its topic.
    pub topic: String,
    /// Why, in one or a few words.
    pub reason: String,
    /// The beginning of its payload.
    pub payload: String,
    /// Bytes of the payload.
    pub bytes: usize,
}

/// A device that no file names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnknownDevice {
    /// As it calls itself.
    pub device: String,
    /// The topic pattern that it spoke under.
    pub topic: String,
    /// Messages since the start.
    pub messages: u64,
    /// The last of them.
    pub last_heard: Timestamp,
}

/// What was counted since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct MqttCounted {
    /// Messages taken from the broker.
    pub messages: u64,
    /// Readings of them.
    pub readings: u64,
    /// Messages whose readings are durable, or that gave none; acknowledged where the broker waits for it.
    pub settled: u64,
    /// Messages that gave no readings or not all of them.
    pub dead: u64,
    /// Dead letters that could not be written down.
    pub dead_lost: u64,
    /// Messages of devices that no file names.
    pub unknown: u64,
    /// Old messages that the broker kept and that say no time of their own.
    pub retained: u64,
    /// Messages of the console of a LoRaWAN server, not of a device.
    pub simulated: u64,
    /// Messages at QoS 0 that found the queue full and are lost.
    pub dropped: u64,
    /// Times that the queue was full and the connection waited for room.
    pub waits: u64,
    /// Times that there was no room in time and the connection was given up, so that the broker sends again.
    pub overruns: u64,
    /// LoRaWAN uplinks that never came, by the gaps of the frame counters.
    pub lost_uplinks: u64,
    /// Falls of a frame counter: the device joined anew.
    pub rejoins: u64,
    /// Connections that the broker took.
    pub connections: u64,
}

/// The messages of one broker.
pub(super) struct Desk {
    sources: Vec<MqttSource>,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) counted: MqttCounted,
    unknown: BTreeMap<(usize, String), (u64, Timestamp)>,
    dead: VecDeque<DeadLetter>,
    counters: BTreeMap<(usize, String), u64>,
}

/// What became of a message.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Taken {
    pub(super) readings: Vec<Reading>,
    pub(super) dead: Option<DeadLetter>,
}

impl Desk {
    pub(super) fn new(sources: Vec<MqttSource>) -> Self {
        Self { sources, memory: Mutex::default() }
    }
    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn topics(&self) -> Vec<&str> {
        self.sources.iter().map(|source| source.topic.as_str()).collect()
    }
    pub(super) fn dead(&self) -> Vec<DeadLetter> {
        self.memory().dead.iter().rev().cloned().collect()
    }
    pub(super) fn unknown(&self) -> Vec<UnknownDevice> {
        let tell = |((source, device), (messages, last_heard)): (&(usize, String), &(u64, Timestamp))| UnknownDevice {
            device: device.clone(),
            topic: self.sources.get(*source).map(|source| source.topic.to_string()).unwrap_or_default(),
            messages: *messages,
            last_heard: *last_heard,
        };
        self.memory().unknown.iter().map(tell).collect()
    }

    /// Opens a message and maps it.
    pub(super) fn take(&self, topic: &[u8], payload: &[u8], retained: bool, now: Timestamp) -> Taken {
        let taken = self.look(topic, payload, retained, now);
        let mut memory = self.memory();
        memory.counted.messages += 1;
        memory.counted.readings += taken.readings.len() as u64;
        if let Some(letter) = &taken.dead {
            memory.counted.dead += 1;
            if memory.dead.len() == DEAD_MAX {
                memory.dead.pop_front();
            }
            memory.dead.push_back(letter.clone());
        }
        taken
    }

    fn look(&self, topic: &[u8], payload: &[u8], retained: bool, now: Timestamp) -> Taken {
        let dead = |reason: String| Taken { readings: Vec::new(), dead: Some(letter(topic, payload, reason, now)) };
        let Ok(name) = std::str::from_utf8(topic) else { return dead("topic-not-utf8".into()) };
        let found = self.sources.iter().enumerate().find(|(_, source)| source.topic.capture(name).is_some());
        let Some((number, source)) = found else { return dead("topic-not-asked-for".into()) };
        let opened = match decode::open(&source.format, &source.topic, name, payload) {
            Ok(opened) => opened,
            Err(DecodeFault::Simulated) => {
                self.memory().counted.simulated += 1;
                return dead(DecodeFault::Simulated.to_string());
            }
            Err(fault) => return dead(fault.to_string()),
        };
        let Some(device) = source.devices.get(&opened.device) else {
            return match self.note_unknown(number, &opened.device, now) {
                true => dead(format!("unknown-device {}", opened.device)),
                false => Taken::default(),
            };
        };
        // An old message that the broker kept is no value of now; with its own time it is what it says.
        if retained && opened.samples.iter().any(|sample| sample.at.is_none()) {
            self.memory().counted.retained += 1;
            return Taken::default();
        }
        self.note_counter(number, &opened);
        let mut reasons = Vec::new();
        let readings: Vec<Reading> =
            opened.samples.iter().flat_map(|sample| readings(device, sample, now, &mut reasons)).collect();
        if readings.is_empty() {
            reasons.push(DecodeFault::NoValue.to_string());
        }
        if reasons.is_empty() && !opened.spoilt.is_empty() {
            // Only they are set aside, each with its place in the array.
            let (places, alone): (Vec<_>, Vec<_>) = opened.spoilt.into_iter().unzip();
            let alone = serde_json::Value::Array(alone).to_string();
            return Taken { readings, dead: Some(letter(topic, alone.as_bytes(), spoilt(&places), now)) };
        }
        if !opened.spoilt.is_empty() {
            reasons.push(spoilt(&opened.spoilt.iter().map(|(place, _)| *place).collect::<Vec<_>>()));
        }
        let dead = (!reasons.is_empty()).then(|| letter(topic, payload, reasons.join("; "), now));
        Taken { readings, dead }
    }

    /// Counts a message of a device without a file; true for the first one.
    fn note_unknown(&self, source: usize, device: &str, now: Timestamp) -> bool {
        let mut memory = self.memory();
        memory.counted.unknown += 1;
        let room = memory.unknown.len() < UNKNOWN_MAX;
        match memory.unknown.get_mut(&(source, device.to_owned())) {
            Some((messages, last)) => {
                *messages += 1;
                *last = now;
                false
            }
            None if room => {
                memory.unknown.insert((source, device.to_owned()), (1, now));
                true
            }
            None => false,
        }
    }

    /// Gaps of the frame counter are lost uplinks, a fall is a new join and no duplicate.
    fn note_counter(&self, source: usize, opened: &Opened) {
        let Some(counter) = opened.counter else { return };
        let mut memory = self.memory();
        match memory.counters.insert((source, opened.device.clone()), counter) {
            Some(last) if counter > last => memory.counted.lost_uplinks += counter - last - 1,
            Some(last) if counter < last => memory.counted.rejoins += 1,
            _ => {}
        }
    }
}

fn readings(device: &MqttDevice, sample: &Sample, now: Timestamp, reasons: &mut Vec<String>) -> Vec<Reading> {
    let mut readings = Vec::with_capacity(device.series.len());
    for series in &device.series {
        let value = match series.place.find(sample.object.as_ref(), sample.raw.as_deref()) {
            Found::Number(value) => value * series.scale + series.zero,
            Found::Missing => f64::NAN,
            Found::NotANumber => {
                let reason = format!("not-a-number {}", series.id);
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
                f64::NAN
            }
            Found::Nothing => continue, // A device sends several kinds of messages.
        };
        readings.push(Reading {
            series: series.id.clone(),
            observed_at: sample.at.unwrap_or(now),
            received_at: now,
            value: if value.is_finite() { value } else { f64::NAN },
        });
    }
    readings
}

/// `no-time [3] [7]`: which samples of an array, counted from 0; the first few.
fn spoilt(places: &[usize]) -> String {
    const NAMED_MAX: usize = 8;
    let named: String = places.iter().take(NAMED_MAX).map(|place| format!(" [{place}]")).collect();
    let more = if places.len() > NAMED_MAX { format!(" … {} in all", places.len()) } else { String::new() };
    format!("{}{named}{more}", DecodeFault::NoTime)
}

fn letter(topic: &[u8], payload: &[u8], reason: String, now: Timestamp) -> DeadLetter {
    let head = |bytes: &[u8]| String::from_utf8_lossy(bytes.get(..HEAD_MAX).unwrap_or(bytes)).into_owned();
    DeadLetter { received_at: now, topic: head(topic), reason, payload: head(payload), bytes: payload.len() }
}

#[cfg(test)]
#[path = "desk_tests.rs"]
mod tests;
