//! Reads one device once, for whoever stands in front of it.

use super::exception::Exception;
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

/// What a device gave, and what it refused.
#[derive(Debug)]
pub struct Probe {
    /// Each series of the file.
    pub series: Vec<Probed>,
    /// Requests that it answered with an exception, in their order.
    pub refused: Vec<WireFault>,
}

/// Why a device cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("无法读取 {device} (cannot read {device} at {address}, unit {unit}); {}", advice(cause))]
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

/// Where to look first, by how far the request came.
fn advice(cause: &WireFault) -> &'static str {
    match cause {
        WireFault::Connect { .. } => {
            "check cable, power, address and port of the gateway (请检查线路、供电、网关地址与端口)"
        }
        WireFault::Timeout { .. } => {
            "nothing answers: check unit id, cable and power of the device, speed of the line (无应答：请检查站号、设备线路与供电、波特率)"
        }
        WireFault::Exception { .. } => {
            "something answers and says no: check unit id behind the gateway and the profile (有应答但拒绝：请核对站号与设备档案)"
        }
        WireFault::Length { .. } | WireFault::Broken { .. } => {
            "the answer is none of Modbus: check transport, speed, parity and whether two devices share the unit id (应答不合协议：请检查传输方式、波特率、校验位、站号是否重复)"
        }
    }
}

/// Asks a device once for all its series; registers that it refuses together are asked one by one, as the poller does, and
/// those that it refuses alone are named beside what the others say.
///
/// # Errors
/// The first request that was not answered, or answered for the device by its gateway.
pub async fn probe(endpoint: &Endpoint, device: &Device) -> Result<Probe, ProbeFault> {
    let fault = |cause| ProbeFault { device: device.id.clone(), address: endpoint.place(), unit: device.unit, cause };
    let mut wire = Wire::open(endpoint).await.map_err(fault)?;
    let pause = std::time::Duration::from_millis(device.profile.pause_ms);
    let (mut answers, mut refused) = (Answers::new(), Vec::new());
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
            // The device itself says no to these registers; it may say yes to others.
            Err(cause @ WireFault::Exception { exception, .. }) if !is_of_the_gateway(exception) => {
                answers.push((block, None));
                refused.push(cause);
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
    Ok(Probe { series: probed.collect(), refused })
}

/// The gateway speaks for a device that it does not reach.
fn is_of_the_gateway(exception: Exception) -> bool {
    matches!(exception.0, 10 | 11)
}
