//! The registers of all virtual devices: what a read finds and what a write does, at a moment. No network here.

use super::faults::Inject;
use super::noise::noise;
use super::stone::{Rest, StoneMoment};
use crate::drill::floods::Flood;
use crate::ingest::sensors::{Device, DeviceKind, Function, Point, Raw, Sensors};
use crate::model::{FaultKind, Timestamp};
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use tokio_modbus::ExceptionCode;

/// What a unit says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Words(Vec<u16>),
    Written,
    Refused(ExceptionCode),
    /// No answer at all: the line is cut or the power is gone.
    Silence,
}

/// All virtual devices with the flood that they follow.
#[derive(Debug)]
pub struct Bench {
    parts: BenchPart,
    units: BTreeMap<(String, u8), Vec<usize>>,
    /// Faults that touch each device, so that the many sound ones ask nothing.
    touching: Vec<Vec<usize>>,
    /// How each device would lie as a stone, at rest.
    rests: Vec<Rest>,
    /// Counts written by a client: (device, quantity) → raw count.
    written: Mutex<BTreeMap<(usize, String), i128>>,
}

/// What a bench is made of.
#[derive(Debug)]
pub struct BenchPart {
    /// Devices of the endpoints that have a field offset.
    pub sensors: Sensors,
    /// What the gauges follow.
    pub flood: Flood,
    /// What goes wrong.
    pub injects: Vec<Inject>,
    /// Seed of the noise.
    pub seed: u64,
    /// Moment from which faults are counted.
    pub start: Timestamp,
}

impl Bench {
    /// Puts the devices on the bench.
    pub fn new(parts: BenchPart) -> Self {
        let mut units: BTreeMap<(String, u8), Vec<usize>> = BTreeMap::new();
        for (index, device) in parts.sensors.devices.iter().enumerate() {
            units.entry((device.endpoint.clone(), device.unit)).or_default().push(index);
        }
        let touching = parts.sensors.devices.iter().map(|device| touching(&parts.injects, device)).collect();
        let rests = parts.sensors.devices.iter().map(|device| Rest::of(parts.seed, &device.id)).collect();
        Self { parts, units, touching, rests, written: Mutex::default() }
    }
    /// One more fault, counted from the same moment as the others.
    pub fn add(&mut self, inject: Inject) {
        let number = self.parts.injects.len();
        for (device, faults) in self.parts.sensors.devices.iter().zip(&mut self.touching) {
            if !touching(std::slice::from_ref(&inject), device).is_empty() {
                faults.push(number);
            }
        }
        self.parts.injects.push(inject);
    }
    /// The sensors on the bench.
    pub fn sensors(&self) -> &Sensors {
        &self.parts.sensors
    }
    /// The flood that the gauges follow.
    pub fn flood(&self) -> &Flood {
        &self.parts.flood
    }
    /// Whether a fault may name this target.
    pub fn knows_target(sensors: &Sensors, target: &str) -> bool {
        sensors.devices.iter().any(|device| {
            whole_names(device).iter().any(|name| name == target)
                || device.series.iter().any(|one| one.id.as_str() == target)
        })
    }

    pub(super) fn read(&self, endpoint: &str, unit: u8, what: (Function, u16, u16), now: Timestamp) -> Answer {
        let (function, first, count) = what;
        let Some(devices) = self.devices_of(endpoint, unit) else {
            return Answer::Refused(ExceptionCode::GatewayTargetDevice);
        };
        if self.is_silent(&devices, now) {
            return Answer::Silence;
        }
        if devices.iter().all(|(_, device)| !device.profile.reads(function)) {
            return Answer::Refused(ExceptionCode::IllegalFunction);
        }
        if count == 0 || count > 125 {
            return Answer::Refused(ExceptionCode::IllegalDataValue);
        }
        let mut words: Vec<Option<u16>> = vec![None; usize::from(count)];
        for (index, device) in devices {
            let from = u32::from(device.first_register);
            let to = from + u32::from(device.profile.stride);
            if to <= u32::from(first) || from >= u32::from(first) + u32::from(count) {
                continue;
            }
            for (address, word) in (from..to).zip(self.registers(index, device, function, now)) {
                let at = address.checked_sub(u32::from(first)).and_then(|at| usize::try_from(at).ok());
                if let Some(cell) = at.and_then(|at| words.get_mut(at)) {
                    *cell = Some(word);
                }
            }
        }
        let whole: Option<Vec<u16>> = words.into_iter().collect();
        whole.map_or(Answer::Refused(ExceptionCode::IllegalDataAddress), Answer::Words)
    }

    /// A written value holds until all bits set are written to it. Only gauges take writes.
    pub(super) fn write(&self, endpoint: &str, unit: u8, first: u16, words: &[u16], now: Timestamp) -> Answer {
        let Some(devices) = self.devices_of(endpoint, unit) else {
            return Answer::Refused(ExceptionCode::GatewayTargetDevice);
        };
        if self.is_silent(&devices, now) {
            return Answer::Silence;
        }
        let gauges: Vec<_> = devices
            .into_iter()
            .filter(|(_, device)| {
                matches!(device.kind, DeviceKind::Gauge { .. }) && device.profile.reads(Function::Holding)
            })
            .collect();
        if gauges.is_empty() {
            return Answer::Refused(ExceptionCode::IllegalFunction);
        }
        let asked = u32::from(first)..u32::from(first) + u32::try_from(words.len()).unwrap_or(u32::MAX);
        let holds = |address: u32| gauges.iter().any(|(_, device)| has_point_at(device, address));
        if !asked.into_iter().all(holds) {
            return Answer::Refused(ExceptionCode::IllegalDataAddress);
        }
        for (index, device) in gauges {
            self.write_device(index, device, first, words, now);
        }
        Answer::Written
    }

    fn devices_of(&self, endpoint: &str, unit: u8) -> Option<Vec<(usize, &Device)>> {
        let indexes = self.units.get(&(endpoint.to_owned(), unit))?;
        Some(indexes.iter().filter_map(|index| Some((*index, self.parts.sensors.devices.get(*index)?))).collect())
    }

    /// What the virtual device says of one of its series at `now`, as its register would hold it, in the unit of the
    /// series; NaN for "no value", `None` while its line is silent.
    pub fn tell(&self, index: usize, series: usize, now: Timestamp) -> Option<f64> {
        let device = self.parts.sensors.devices.get(index)?;
        let series = device.series.get(series)?;
        if self.is_silent(&[(index, device)], now) {
            return None;
        }
        let value = self.value(index, device, &series.point, now);
        if !value.is_finite() {
            return Some(f64::NAN);
        }
        let (scale, offset) = (series.point.scale, series.point.offset);
        Some(((value - offset) / scale).round() * scale + offset + series.zero)
    }
    /// Whether a fault touches the device from an hour before `now` on: then it tells everything it has.
    pub fn is_troubled(&self, index: usize, now: Timestamp) -> bool {
        let hour = TimeDelta::hours(1);
        self.faults_on(index).any(|inject| {
            inject.since(self.parts.start, now).is_some() || inject.since(self.parts.start, now - hour).is_some()
        })
    }

    fn faults_on(&self, index: usize) -> impl Iterator<Item = &Inject> {
        let touching = self.touching.get(index).map_or(&[][..], Vec::as_slice);
        touching.iter().filter_map(|fault| self.parts.injects.get(*fault))
    }

    /// Whether the whole unit is gone: its line, its power, or the gauge itself.
    fn is_silent(&self, devices: &[(usize, &Device)], now: Timestamp) -> bool {
        devices.iter().any(|(index, device)| {
            self.faults_on(*index)
                .any(|inject| inject.since(self.parts.start, now).is_some() && silences(inject, device))
        })
    }

    fn faults_of(
        &self,
        index: usize,
        device: &Device,
        series: Option<&str>,
        now: Timestamp,
    ) -> Vec<(&Inject, Timestamp)> {
        let hits =
            |inject: &Inject| whole_names(device).contains(&inject.target) || series == Some(inject.target.as_str());
        let holding = self.faults_on(index).filter(|inject| hits(inject));
        holding.filter_map(|inject| Some((inject, inject.since(self.parts.start, now)?))).collect()
    }

    /// All registers of a device, from its first on.
    fn registers(&self, index: usize, device: &Device, function: Function, now: Timestamp) -> Vec<u16> {
        let mut words = vec![0; usize::from(device.profile.stride)];
        for point in device.profile.points.iter().filter(|point| point.table() == function) {
            for (offset, word) in self.point_words(index, device, point, now).into_iter().enumerate() {
                if let Some(cell) = words.get_mut(usize::from(point.first()) + offset) {
                    *cell = word;
                }
            }
        }
        words
    }

    fn point_words(&self, index: usize, device: &Device, point: &Point, now: Timestamp) -> Vec<u16> {
        if let Some(count) = self.written_count(index, &point.quantity) {
            return point.words_of_count(count);
        }
        let value = self.value(index, device, point, now);
        match point.wraps_at {
            Some(wraps_at) if value.is_finite() => {
                point.words_of_count(((value / point.scale).floor() as i128).rem_euclid(i128::from(wraps_at)))
            }
            _ => point.words_of(value),
        }
    }

    fn written_count(&self, index: usize, quantity: &str) -> Option<i128> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.get(&(index, quantity.to_owned())).copied()
    }

    fn write_device(&self, index: usize, device: &Device, first: u16, words: &[u16], now: Timestamp) {
        for point in &device.profile.points {
            let mut own = self.point_words(index, device, point, now);
            let mut touched = false;
            for (offset, cell) in own.iter_mut().enumerate() {
                let address = usize::from(device.first_register) + usize::from(point.first()) + offset;
                if let Some(word) = address.checked_sub(usize::from(first)).and_then(|at| words.get(at)) {
                    *cell = *word;
                    touched = true;
                }
            }
            if !touched {
                continue;
            }
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (index, point.quantity.clone());
            match point.raw(&own) {
                Some(Raw::Count(count)) if own.iter().any(|word| *word != u16::MAX) => written.insert(key, count),
                Some(Raw::Float(value)) if value.is_finite() => written.insert(key, i128::from(value.to_bits())),
                Some(Raw::Double(value)) if value.is_finite() => written.insert(key, i128::from(value.to_bits())),
                _ => written.remove(&key),
            };
        }
    }

    /// The true value with noise and faults, in the unit of the point; NaN for none.
    fn value(&self, index: usize, device: &Device, point: &Point, now: Timestamp) -> f64 {
        match &device.kind {
            DeviceKind::Stone { .. } => {
                let faults = self.faults_of(index, device, None, now);
                let frozen = faults.iter().find(|(inject, _)| inject.kind == FaultKind::Frozen);
                let moment = frozen.map_or(now, |(_, since)| *since);
                // Only the acceleration knows of the river.
                let river =
                    point.quantity.starts_with("acc").then(|| self.flood_value("huayuankou", "discharge", moment));
                let discharge_m3s = river.flatten().unwrap_or(0.0);
                let Some(rest) = self.rests.get(index).copied() else { return f64::NAN };
                let seed = self.parts.seed;
                StoneMoment { seed, id: &device.id, rest, now, discharge_m3s, faults: &faults }.value(&point.quantity)
            }
            DeviceKind::Gauge { station } => self.gauge_value(index, device, station, &point.quantity, now),
        }
    }

    fn gauge_value(&self, index: usize, device: &Device, station: &str, quantity: &str, now: Timestamp) -> f64 {
        let series = device.series.iter().find(|one| one.id.measure() == quantity);
        let faults = self.faults_of(index, device, series.map(|one| one.id.as_str()), now);
        let find = |kind| faults.iter().find(|(inject, _)| inject.kind == kind);
        if find(FaultKind::Dead).is_some() || series.is_none() {
            return f64::NAN;
        }
        let moment = find(FaultKind::Frozen).map_or(now, |(_, since)| *since);
        let Some(truth) = self.true_value(index, device, station, quantity, moment) else { return f64::NAN };
        let spike = find(FaultKind::Spike).map_or(0.0, |(inject, _)| inject.value.unwrap_or(truth / 3.0));
        let drift = find(FaultKind::Drift).map_or(0.0, |(inject, since)| {
            inject.value.unwrap_or(0.1) * (now - *since).num_milliseconds() as f64 / 3_600_000.0
        });
        truth + spike + drift - series.map_or(0.0, |one| one.zero)
    }

    /// A stage follows a discharge that was written to the same gauge.
    fn true_value(&self, index: usize, device: &Device, station: &str, quantity: &str, now: Timestamp) -> Option<f64> {
        let noise = |size: f64| size * noise(self.parts.seed, &[station, ".", quantity], now.timestamp());
        match quantity {
            "stage" => {
                let written = self.written_count(index, "discharge").zip(device.profile.point("discharge"));
                let by_discharge = written
                    .and_then(|(count, point)| self.parts.flood.stage_for(station, point.scaled(Raw::Count(count))));
                by_discharge.or_else(|| Some(self.flood_value(station, "stage", now)? + noise(0.002)))
            }
            "discharge" => self.flood_value(station, "discharge", now).map(|value| value * (1.0 + noise(0.001))),
            other => self.flood_value(station, other, now),
        }
    }

    /// Before and after the file the river rests at its first and last value.
    fn flood_value(&self, station: &str, quantity: &str, now: Timestamp) -> Option<f64> {
        let (from, to) = self.parts.flood.span();
        self.parts.flood.at(station, quantity, now.clamp(from, to))
    }
}

/// The faults that name the device or one of its series.
fn touching(injects: &[Inject], device: &Device) -> Vec<usize> {
    let names = whole_names(device);
    let hits = |inject: &Inject| {
        names.contains(&inject.target) || device.series.iter().any(|one| one.id.as_str() == inject.target)
    };
    injects.iter().enumerate().filter(|(_, inject)| hits(inject)).map(|(index, _)| index).collect()
}

fn has_point_at(device: &Device, address: u32) -> bool {
    device.profile.points.iter().any(|point| {
        let first = u32::from(device.first_register) + u32::from(point.first());
        (first..first + u32::from(point.number.width())).contains(&address)
    })
}

/// Names by which a fault means the device as a whole.
fn whole_names(device: &Device) -> Vec<String> {
    match &device.kind {
        DeviceKind::Gauge { station } => vec![device.id.clone(), station.clone()],
        DeviceKind::Stone { dam, work } => {
            vec![device.id.clone(), format!("dam:{dam}"), dam.clone(), format!("work:{work}"), work.clone()]
        }
    }
}

/// A fault of one stone never silences its terminal; a cut line of one quantity of a gauge silences the gauge.
fn silences(inject: &Inject, device: &Device) -> bool {
    let line = matches!(inject.kind, FaultKind::Comms | FaultKind::Power);
    let whole = whole_names(device).contains(&inject.target);
    match device.kind {
        DeviceKind::Stone { .. } => line && whole && inject.target != device.id,
        DeviceKind::Gauge { .. } => {
            let own = device.series.iter().any(|one| one.id.as_str() == inject.target);
            whole && (line || inject.kind == FaultKind::Dead) || own && line
        }
    }
}

#[cfg(test)]
#[path = "bench_tests.rs"]
mod tests;
