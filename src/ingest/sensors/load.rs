//! Reads and checks the files of `sensors/`.

use super::check;
use super::endpoint::EndpointRow;
use super::profile::Profile;
use super::shape::{DamRow, GaugeRow, SensorFile, SeriesRow, StonesRow};
use super::{Device, DeviceKind, DeviceSeries, Sensors, SeriesFacts};
use crate::ingest::{FileFault, utf8};
use crate::model::{ESTIMATE, SeriesId};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use toml::Spanned;

/// File name as the reader should see it → bytes.
pub type SensorFiles = BTreeMap<String, Vec<u8>>;

/// A file that is being read.
pub(super) struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

impl Source<'_> {
    pub(super) fn fault(&self, span: Range<usize>, what: impl Into<String>, remedy: impl Into<String>) -> FileFault {
        FileFault::span(self.file, self.text, span, what, remedy)
    }
    /// The folder that the file lies in.
    pub(super) fn folder(&self) -> &Path {
        Path::new(self.file).parent().unwrap_or(Path::new(""))
    }
}

impl Sensors {
    /// Reads all files: profiles and endpoints first, then the devices that name them.
    ///
    /// # Errors
    /// The first fault, by file, line and column.
    pub fn load(files: &SensorFiles) -> Result<Self, FileFault> {
        let (sensors, parsed) = Self::read(files)?;
        for (source, rows) in &parsed {
            sensors.check_relations(source, rows)?;
        }
        Ok(sensors)
    }

    /// Some files of a site: what they name among each other must be there, what they relate to elsewhere need not.
    ///
    /// # Errors
    /// As [`Self::load`], but for relations between series.
    pub fn load_part(files: &SensorFiles) -> Result<Self, FileFault> {
        Ok(Self::read(files)?.0)
    }

    fn read(files: &SensorFiles) -> Result<(Self, Vec<(Source<'_>, SensorFile)>), FileFault> {
        let mut sensors = Self::default();
        let mut parsed = Vec::new();
        for (file, bytes) in files {
            let name = file.rsplit('/').next().unwrap_or(file);
            if !name.ends_with(".toml") {
                continue;
            }
            let text = utf8(file, bytes)?;
            if name == "quality.toml" {
                sensors.quality = toml::from_str(text).map_err(|cause| FileFault::toml(file, text, &cause))?;
                continue;
            }
            if name == "stone-limits.toml" {
                sensors.stone_limits = toml::from_str(text).map_err(|cause| FileFault::toml(file, text, &cause))?;
                continue;
            }
            if name == "forecast.toml" {
                sensors.forecast = Some(toml::from_str(text).map_err(|cause| FileFault::toml(file, text, &cause))?);
                continue;
            }
            let rows: SensorFile = toml::from_str(text).map_err(|cause| FileFault::toml(file, text, &cause))?;
            parsed.push((Source { file, text }, rows));
        }
        for (source, rows) in &mut parsed {
            sensors.add_profile(source, rows)?;
            sensors.add_places(source, rows)?;
        }
        for (source, rows) in &parsed {
            if let Some(gauge) = &rows.gauge {
                sensors.add_gauge(source, gauge, &rows.series)?;
            }
            if let Some(stones) = &rows.stones {
                for dam in &rows.dam {
                    sensors.add_dam(source, stones.get_ref(), dam.get_ref())?;
                }
            }
        }
        for (source, rows) in &parsed {
            for row in &rows.sl651 {
                sensors.add_telemetry(source, row)?;
            }
            for row in &rows.mqtt {
                sensors.add_mqtt(source, row)?;
            }
        }
        Ok((sensors, parsed))
    }

    fn add_profile(&mut self, source: &Source, rows: &mut SensorFile) -> Result<(), FileFault> {
        let points = std::mem::take(&mut rows.point);
        let Some(row) = &rows.profile else {
            return points.first().map_or(Ok(()), |point| {
                Err(source.fault(point.span(), "[[point]] outside a profile", "begin the file with [profile]"))
            });
        };
        let id = row.id.get_ref();
        let mut points = points;
        for point in &mut points {
            point.get_mut().function.get_or_insert(row.function);
        }
        let end = check::points(source, row, &points)?;
        let stride = row.stride.map_or(end, u32::from);
        if stride < end {
            let what = format!("stride {stride} is shorter than the {end} registers of the points");
            return Err(source.fault(row.id.span(), what, "raise stride"));
        }
        let profile = Profile {
            id: id.clone(),
            function: row.function,
            max_block: *row.max_block.get_ref(),
            max_gap: row.max_gap,
            single_reads: row.single_reads,
            pause_ms: row.pause_ms,
            stride: u16::try_from(stride).unwrap_or(u16::MAX),
            points: points.into_iter().map(Spanned::into_inner).collect(),
        };
        if self.profiles.insert(id.clone(), Arc::new(profile)).is_some() {
            return Err(source.fault(row.id.span(), format!("profile {id} appears twice"), "rename one of them"));
        }
        Ok(())
    }

    fn add_places(&mut self, source: &Source, rows: &SensorFile) -> Result<(), FileFault> {
        for row in &rows.station {
            if self.stations.iter().any(|known| known.id == row.get_ref().id) {
                let what = format!("station {} appears twice", row.get_ref().id);
                return Err(source.fault(row.span(), what, "drop one of them"));
            }
            self.stations.push(row.get_ref().clone());
        }
        for row in &rows.endpoint {
            let endpoint = row.get_ref().endpoint(source, row.span())?;
            if let Some(other) = self.endpoints.values().find(|other| other.is_at_place_of(&endpoint)) {
                let what = format!("{} and {} are the same place: {}", other.id, endpoint.id, endpoint.place());
                return Err(source.fault(row.span(), what, "two would talk at once; let all devices name one of them"));
            }
            if self.endpoints.contains_key(&endpoint.id) {
                let what = format!("endpoint {} appears twice", endpoint.id);
                return Err(source.fault(row.span(), what, "drop one of them"));
            }
            self.endpoints.insert(endpoint.id.clone(), endpoint);
        }
        Ok(())
    }

    fn add_gauge(
        &mut self,
        source: &Source,
        gauge: &Spanned<GaugeRow>,
        series: &[Spanned<SeriesRow>],
    ) -> Result<(), FileFault> {
        let row = gauge.get_ref();
        let profile = self.profile(source, &row.profile)?;
        let endpoint = self.endpoint_of_gauge(source, gauge)?;
        let station = row.station.get_ref();
        if !self.stations.iter().any(|known| &known.id == station) {
            let known: Vec<&str> = self.stations.iter().map(|known| known.id.as_str()).collect();
            let remedy = format!("add it to stations.toml or use one of {}", known.join(", "));
            return Err(source.fault(
                row.station.span(),
                format!("没有测站 {station:?} (there is no station {station:?})"),
                remedy,
            ));
        }
        let poll_every_s = period(source, "poll_every_s", &row.poll_every_s)?;
        if series.is_empty() {
            return Err(source.fault(
                gauge.span(),
                "the gauge has no [[series]]",
                "name at least one quantity of its profile",
            ));
        }
        let mut own = Vec::new();
        for row_of in series {
            let wanted = row_of.get_ref();
            let quantity = wanted.quantity.get_ref();
            let Some(point) = profile.point(quantity) else {
                let known: Vec<&str> = profile.points.iter().map(|point| point.quantity.as_str()).collect();
                let what = format!("profile {} has no quantity {quantity:?}", profile.id);
                return Err(source.fault(wanted.quantity.span(), what, format!("it has {}", known.join(", "))));
            };
            let id = series_id(source, station, wanted)?;
            if id.measure() == "stage" && wanted.datum.is_none() {
                let what = format!("水位 {id} 没有基面 (the stage {id} has no datum)");
                let remedy = "write datum = \"dagu\", \"national85\" or another of docs/quality.md: two stages are never compared without one";
                return Err(source.fault(wanted.quantity.span(), what, remedy));
            }
            let valid = point.valid.map(|[low, high]| [low + wanted.zero, high + wanted.zero]);
            let mut limits = wanted.quality.clone();
            limits.range = limits.range.or(valid);
            let facts = SeriesFacts {
                unit: point.unit.clone(),
                datum: wanted.datum,
                interval_s: poll_every_s,
                name_zh: row.name_zh.clone(),
                limits,
            };
            self.add_series(source, wanted.quantity.span(), &id, facts)?;
            own.push(DeviceSeries { id, point: point.clone(), zero: wanted.zero });
        }
        let kind = DeviceKind::Gauge { station: station.clone() };
        let device = Device {
            id: row.id.get_ref().clone(),
            kind,
            endpoint,
            unit: row.unit,
            first_register: row.first_register,
            profile,
            poll_every_s,
            series: own,
        };
        self.add_device(source, row.id.span(), device)
    }

    fn add_dam(&mut self, source: &Source, work: &StonesRow, dam: &DamRow) -> Result<(), FileFault> {
        let profile = self.profile(source, &work.profile)?;
        self.known_endpoint(source, &work.endpoint)?;
        let poll_every_s = period(source, "poll_every_s", &work.poll_every_s)?;
        for (slot, stone) in dam.stones.iter().enumerate() {
            let id = stone.get_ref();
            let first = u32::try_from(slot).unwrap_or(u32::MAX).saturating_mul(u32::from(profile.stride));
            let Ok(first_register) = u16::try_from(first) else {
                return Err(source.fault(
                    stone.span(),
                    format!("slot {slot} lies above register 65535"),
                    "use a further unit",
                ));
            };
            let mut own = Vec::new();
            for point in &profile.points {
                let series = SeriesId::new(format!("{id}.{}", point.quantity));
                let facts = SeriesFacts {
                    unit: point.unit.clone(),
                    datum: None,
                    interval_s: poll_every_s,
                    name_zh: format!("智能石头 {id}"),
                    limits: crate::quality::Limits { range: point.valid, ..Default::default() },
                };
                self.add_series(source, stone.span(), &series, facts)?;
                own.push(DeviceSeries { id: series, point: point.clone(), zero: 0.0 });
            }
            let device = Device {
                id: id.clone(),
                kind: DeviceKind::Stone { dam: dam.dam.clone(), work: work.work.clone() },
                endpoint: work.endpoint.get_ref().clone(),
                unit: dam.unit,
                first_register,
                profile: Arc::clone(&profile),
                poll_every_s,
                series: own,
            };
            self.add_device(source, stone.span(), device)?;
        }
        Ok(())
    }

    fn profile(&self, source: &Source, name: &Spanned<String>) -> Result<Arc<Profile>, FileFault> {
        self.profiles.get(name.get_ref()).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.profiles.keys().map(String::as_str).collect();
            let what = format!("there is no device type {:?} (未知设备类型)", name.get_ref());
            let remedy = format!("add sensors/profiles/{}.toml or use one of {}", name.get_ref(), known.join(", "));
            source.fault(name.span(), what, remedy)
        })
    }

    fn known_endpoint(&self, source: &Source, name: &Spanned<String>) -> Result<(), FileFault> {
        if self.endpoints.contains_key(name.get_ref()) {
            return Ok(());
        }
        let known: Vec<&str> = self.endpoints.keys().map(String::as_str).collect();
        let remedy = format!("add it to endpoints.toml or use one of {}", known.join(", "));
        Err(source.fault(name.span(), format!("there is no endpoint {:?}", name.get_ref()), remedy))
    }

    /// The endpoint that a gauge names, or one of its own for a bare address.
    fn endpoint_of_gauge(&mut self, source: &Source, gauge: &Spanned<GaugeRow>) -> Result<String, FileFault> {
        let row = gauge.get_ref();
        match (&row.endpoint, &row.address) {
            (Some(name), None) => {
                self.known_endpoint(source, name)?;
                Ok(name.get_ref().clone())
            }
            (None, Some(address)) => {
                let made = EndpointRow::bare(address, row.timeout_ms).endpoint(source, gauge.span())?;
                // One queue for each place: a gateway with a name of its own is used by that name.
                if let Some(known) = self.endpoints.values().find(|known| known.is_at_place_of(&made)) {
                    return Ok(known.id.clone());
                }
                self.endpoints.insert(made.id.clone(), made);
                Ok(address.clone())
            }
            _ => Err(source.fault(gauge.span(), "give either endpoint or address", "one of the two, not both")),
        }
    }

    fn add_series(
        &mut self,
        source: &Source,
        at: Range<usize>,
        id: &SeriesId,
        facts: SeriesFacts,
    ) -> Result<(), FileFault> {
        if self.series.insert(id.clone(), facts).is_some() {
            let what = format!("series {id} appears twice (序列重复)");
            return Err(source.fault(at, what, "one device gives a series; drop or rename one"));
        }
        Ok(())
    }

    /// Refuses a device whose registers run over 65535 or into those of another on the same unit.
    fn add_device(&mut self, source: &Source, at: Range<usize>, device: Device) -> Result<(), FileFault> {
        let own = registers(&device);
        if own.end > 65_536 {
            let what = format!("registers {}…{} of {} end above 65535", own.start, own.end - 1, device.id);
            return Err(source.fault(at, what, "lower first_register"));
        }
        let clash = self.devices.iter().find(|other| {
            let theirs = registers(other);
            let table = device.profile.points.iter().any(|point| other.profile.reads(point.table()));
            let same = table && (&other.endpoint, other.unit) == (&device.endpoint, device.unit);
            other.id == device.id || same && own.start < theirs.end && theirs.start < own.end
        });
        if let Some(other) = clash {
            let what =
                format!("{} takes the place of {} (unit {}, registers {own:?})", device.id, other.id, device.unit);
            return Err(source.fault(at, what, "give it an id, unit or first register of its own"));
        }
        self.devices.push(device);
        Ok(())
    }
}

fn series_id(source: &Source, station: &str, row: &SeriesRow) -> Result<SeriesId, FileFault> {
    let quantity = row.quantity.get_ref();
    let Some(sensor) = &row.sensor else { return Ok(SeriesId::new(format!("{station}.{quantity}"))) };
    let name = sensor.get_ref();
    let fits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !fits || name == ESTIMATE {
        let what = format!("sensor {name:?} is no name for a sensor");
        return Err(source.fault(sensor.span(), what, "lower-case letters and digits, for example b"));
    }
    Ok(SeriesId::new(format!("{station}.{quantity}-{name}")))
}

fn registers(device: &Device) -> Range<u32> {
    let first = u32::from(device.first_register);
    first..first + u32::from(device.profile.stride)
}

/// Seconds between two values of a device, as the field `name` of its row says.
pub(super) fn period(source: &Source, name: &str, written: &Spanned<f64>) -> Result<f64, FileFault> {
    let seconds = *written.get_ref();
    if (0.1..=86_400.0).contains(&seconds) {
        return Ok(seconds);
    }
    Err(source.fault(written.span(), format!("{name} {seconds} is not within 0.1…86400"), "write seconds"))
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
