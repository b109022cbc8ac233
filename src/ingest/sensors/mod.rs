//! Which devices stand at the reach and how they are read. In: the texts of `sensors/`. Out: devices by endpoint with their
//! series. No I/O; an unknown profile, a doubled series or a register that cannot be is refused by file, line and column.

mod book;
mod check;
mod counter;
mod endpoint;
mod load;
mod mqtt;
mod number;
mod plan;
mod profile;
mod relations;
mod shape;
mod telemetry;

pub use book::{SeriesEntry, book_csv};
pub use counter::Counter;
pub use endpoint::{Endpoint, Parity, SerialLine, TlsFiles, Transport};
pub use load::SensorFiles;
pub use mqtt::{MqttDevice, MqttSeries, MqttSource};
pub use number::{NumberType, Raw, WordOrder};
pub use plan::{Block, blocks, single_blocks};
pub use profile::{Function, Point, Profile, StatusBits, UnitCode};
pub use shape::{Rating, Station};
pub use telemetry::{Network, TelemetrySeries, TelemetryStation};

use super::sl651::codec::StationAddress;
use crate::forecast::ForecastSettings;
use crate::model::{Datum, PlaceId, SeriesId};
use crate::quality::{Limits, QualityTable};
use crate::stones::{StoneArray, StoneSettings, StoneSite};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a device is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceKind {
    /// A gauge of a station (水位计、流量计、雨量计).
    Gauge {
        /// The station.
        station: String,
    },
    /// A smart stone (智能石头) behind the terminal of its dam.
    Stone {
        /// The dam (坝、垛).
        dam: String,
        /// The work (险工、控导工程) of the dam.
        work: String,
    },
}

/// One instrument behind a unit id.
#[derive(Debug, Clone)]
pub struct Device {
    /// `gauge-…`, `stone-…`.
    pub id: String,
    /// Gauge or stone.
    pub kind: DeviceKind,
    /// The endpoint that it is reached through.
    pub endpoint: String,
    /// Modbus unit id.
    pub unit: u8,
    /// Protocol address of its first register.
    pub first_register: u16,
    /// How its registers are read.
    pub profile: Arc<Profile>,
    /// Seconds of the reach's clock between two polls.
    pub poll_every_s: f64,
    /// Its series.
    pub series: Vec<DeviceSeries>,
}

/// One quantity of a device that is recorded.
#[derive(Debug, Clone)]
pub struct DeviceSeries {
    /// `<station>.<quantity>` or `<stone>.<quantity>`.
    pub id: SeriesId,
    /// Where it lies.
    pub point: Point,
    /// Added to the scaled value at this site (gauge zero), in the unit.
    pub zero: f64,
}

/// What is known of a series without looking at its values.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesFacts {
    /// Unit of its values.
    pub unit: String,
    /// Reference surface of a stage.
    pub datum: Option<Datum>,
    /// Seconds between two values.
    pub interval_s: f64,
    /// Chinese name of its device.
    pub name_zh: String,
    /// Limits of its own.
    pub limits: Limits,
}

/// Everything that `sensors/` says about a reach.
#[derive(Debug, Clone, Default)]
pub struct Sensors {
    /// By id.
    pub profiles: BTreeMap<String, Arc<Profile>>,
    /// In the order of the file.
    pub stations: Vec<Station>,
    /// By id.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// In the order of the files.
    pub devices: Vec<Device>,
    /// By id.
    pub series: BTreeMap<SeriesId, SeriesFacts>,
    /// Stations that report by SL 651, by their address on the line.
    pub telemetry: BTreeMap<StationAddress, TelemetryStation>,
    /// What comes through MQTT brokers, in the order of the files.
    pub mqtt: Vec<MqttSource>,
    /// Limits by quantity (`quality.toml`).
    pub quality: QualityTable,
    /// Lag and attenuation to the target (`forecast.toml`), where the site has it.
    pub forecast: Option<ForecastSettings>,
    /// Thresholds of the stones (`stone-limits.toml`).
    pub stone_limits: StoneSettings,
}

impl Sensors {
    /// Puts every endpoint that the virtual field devices stand in for at `host`, from port `base` on.
    ///
    /// # Errors
    /// The endpoint whose port would lie above 65535.
    pub fn use_field(&mut self, host: &str, base: u16) -> Result<(), String> {
        for endpoint in self.endpoints.values_mut() {
            if let Some(offset) = endpoint.field_offset {
                endpoint.port = base.checked_add(offset).ok_or_else(|| {
                    format!(
                        "endpoint {} would need port {}, above 65535",
                        endpoint.id,
                        u32::from(base) + u32::from(offset)
                    )
                })?;
                host.clone_into(&mut endpoint.host);
            }
        }
        Ok(())
    }

    /// Puts endpoints where the virtual field devices listen.
    pub fn use_addresses(&mut self, addresses: &BTreeMap<String, std::net::SocketAddr>) {
        for (id, address) in addresses {
            if let Some(endpoint) = self.endpoints.get_mut(id) {
                endpoint.host = address.ip().to_string();
                endpoint.port = address.port();
            }
        }
    }

    /// The judge for these series.
    pub fn judge(&self) -> crate::quality::Judge {
        let own = self.series.iter().map(|(id, facts)| (id.clone(), facts.limits.clone()));
        crate::quality::Judge::new(self.quality.clone(), own.collect()).with_relations(self.relations())
    }

    /// The array of the stones among the devices.
    pub fn stone_array(&self) -> StoneArray {
        let site = |device: &Device| match &device.kind {
            DeviceKind::Stone { dam, work } => {
                let gateway = Some(device.endpoint.clone());
                Some(StoneSite { id: device.id.clone(), dam: dam.as_str().into(), work: work.as_str().into(), gateway })
            }
            DeviceKind::Gauge { .. } => None,
        };
        let told = self.mqtt.iter().flat_map(|source| source.devices.values());
        // Stones of one dam belong to one work; a dam without polled stones stands for itself.
        let work_of = |dam: &PlaceId| {
            self.devices.iter().find_map(|device| match &device.kind {
                DeviceKind::Stone { dam: own, work } if own == dam.as_str() => Some(PlaceId::new(work)),
                _ => None,
            })
        };
        let told = told.filter_map(|device| {
            let dam = device.dam.clone()?;
            let work = work_of(&dam).unwrap_or_else(|| dam.clone());
            Some(StoneSite { id: device.of.clone(), dam, work, gateway: None })
        });
        StoneArray::new(self.devices.iter().filter_map(site).chain(told), self.stone_limits)
    }

    /// The endpoint through which a series is polled.
    pub fn gateway_of(&self, series: &SeriesId) -> Option<&str> {
        let gives = |device: &&Device| device.series.iter().any(|one| &one.id == series);
        self.devices.iter().find(gives).map(|device| device.endpoint.as_str())
    }

    /// The devices behind an endpoint.
    pub fn devices_of<'a>(&'a self, endpoint: &'a str) -> impl Iterator<Item = &'a Device> {
        self.devices.iter().filter(move |device| device.endpoint == endpoint)
    }
}
