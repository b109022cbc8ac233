//! Reads one device once, for whoever stands in front of it.

use super::wire::{Wire, WireFault};
use super::worker::{raw_of, scaled};
use crate::ingest::sensors::{Counter, Device, Endpoint, blocks};
use crate::model::SeriesId;

/// One series as the device gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Probed {
    /// The series.
    pub series: SeriesId,
    /// First register, protocol address.
    pub register: u16,
    /// The number as held by the device; `None` when a status register voids it.
    pub raw: Option<String>,
    /// In the unit; NaN for "no value".
    pub value: f64,
    /// Of the value.
    pub unit: String,
}

/// Why a device cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot read {device} at {address}, unit {unit}; check cable, power, address and unit id (请检查线路、供电、地址与站号)"
)]
pub struct ProbeFault {
    /// Which device.
    pub device: String,
    /// Host and port.
    pub address: String,
    /// Modbus unit.
    pub unit: u8,
    /// What went wrong.
    #[source]
    pub cause: WireFault,
}

/// Asks a device once for all its series.
///
/// # Errors
/// The first request that brought no words.
pub async fn probe(endpoint: &Endpoint, device: &Device) -> Result<Vec<Probed>, ProbeFault> {
    let fault = |cause| ProbeFault {
        device: device.id.clone(),
        address: format!("{}:{}", endpoint.host, endpoint.port),
        unit: device.unit,
        cause,
    };
    let mut wire = Wire::open(endpoint).await.map_err(fault)?;
    let mut answers = Vec::new();
    for block in blocks(std::iter::once(device)) {
        let words = wire.ask(device.unit, &block, endpoint.timeout).await.map_err(fault)?;
        answers.push((block, Some(words)));
    }
    let probed = device.series.iter().map(|series| {
        let raw = raw_of(device, series, &answers);
        Probed {
            series: series.id.clone(),
            register: device.first_register.saturating_add(series.point.first()),
            value: raw.map_or(f64::NAN, |raw| scaled(series, raw, &mut Counter::default())),
            raw: raw.map(|raw| raw.to_string()),
            unit: series.point.unit.clone(),
        }
    });
    Ok(probed.collect())
}
