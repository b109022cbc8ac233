//! Reads one device once, for whoever stands in front of it.

use super::reading::{Answers, Void, take};
use super::wire::{Wire, WireFault};
use crate::ingest::sensors::{Counter, Device, Endpoint, blocks, single_blocks};
use crate::model::SeriesId;

/// One series as the device gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Probed {
    /// The series.
    pub series: SeriesId,
    /// First register, protocol address.
    pub register: u16,
    /// The number as held by the device; `None` where none came.
    pub raw: Option<String>,
    /// In the unit; NaN for "no value".
    pub value: f64,
    /// Why there is no value.
    pub void: Option<Void>,
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
    /// Host and port, or the serial line.
    pub address: String,
    /// Modbus unit.
    pub unit: u8,
    /// What went wrong.
    #[source]
    pub cause: WireFault,
}

/// Asks a device once for all its series; registers that it refuses together are asked one by one, as the poller does.
///
/// # Errors
/// The first request that brought no words.
pub async fn probe(endpoint: &Endpoint, device: &Device) -> Result<Vec<Probed>, ProbeFault> {
    let fault = |cause| ProbeFault { device: device.id.clone(), address: endpoint.place(), unit: device.unit, cause };
    let mut wire = Wire::open(endpoint).await.map_err(fault)?;
    let pause = std::time::Duration::from_millis(device.profile.pause_ms);
    let mut answers = Answers::new();
    let (mut asked, singles) = (blocks(std::iter::once(device)), single_blocks(std::iter::once(device)));
    asked.reverse();
    while let Some(block) = asked.pop() {
        if !answers.is_empty() {
            tokio::time::sleep(pause).await;
        }
        match wire.ask(device.unit, &block, endpoint.timeout).await {
            Ok(words) => answers.push((block, Some(words))),
            Err(WireFault::Exception { exception, .. })
                if exception.is_about_address() && !singles.contains(&block) =>
            {
                let within =
                    |single: &&crate::ingest::sensors::Block| block.covers(single.function, single.first, single.count);
                asked.extend(singles.iter().filter(within).rev().cloned());
            }
            Err(cause) => return Err(fault(cause)),
        }
    }
    let probed = device.series.iter().map(|series| {
        let got = take(device, series, &answers, &mut Counter::default());
        Probed {
            series: series.id.clone(),
            register: device.first_register.saturating_add(series.point.first()),
            raw: got.raw.map(|raw| raw.to_string()),
            value: got.value.unwrap_or(f64::NAN),
            void: got.value.err(),
            unit: series.point.unit.clone(),
        }
    });
    Ok(probed.collect())
}
