//! `anlan sensor probe FILE`: reads the devices of one file once and prints raw and scaled values.

use super::Outcome;
use crate::app::editions;
use crate::ingest::modbus::{Probed, probe};
use crate::ingest::sensors::Sensors;
use serde_json::json;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// 读取一次，显示原始值与换算值 (reads once, shows raw and scaled values).
    Probe {
        /// A gauge or stones file of `sensors/`.
        file: PathBuf,
        /// Where the virtual field devices listen, instead of the addresses in the files.
        #[arg(long)]
        field: Option<SocketAddr>,
        /// One JSON line a series.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(args: Args) -> Outcome {
    let Action::Probe { file, field, json } = args.action;
    let files = editions::sensors::of_file(&file)?;
    let mut sensors = Sensors::load_part(&files)?;
    if let Some(base) = field {
        sensors.use_field(&base.ip().to_string(), base.port())?;
    }
    if sensors.devices.is_empty() {
        return Err(format!("{} names no device; give a file with [gauge] or [stones]", file.display()).into());
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut out = std::io::stdout();
        let mut refusals = 0;
        for device in &sensors.devices {
            let Some(endpoint) = sensors.endpoints.get(&device.endpoint) else { continue };
            let found = probe(endpoint, device).await?;
            for probed in &found.series {
                writeln!(out, "{}", line(probed, json))?;
            }
            for fault in &found.refused {
                match json {
                    true => writeln!(out, "{}", json!({ "device": device.id, "refused": fault.to_string() }))?,
                    false => writeln!(out, "{}: 寄存器被设备拒绝 (the device refuses registers): {fault}", device.id)?,
                }
            }
            refusals += found.refused.len();
        }
        match refusals {
            0 => Ok(()),
            _ => Err(format!("{refusals} requests are refused: the device answers, so check function and register in its profile (设备有应答但拒绝部分寄存器：请核对设备档案中的功能码与寄存器)").into()),
        }
    })
}

fn line(probed: &Probed, as_json: bool) -> String {
    let value = probed.value.is_finite().then_some(probed.value);
    if as_json {
        return json!({
            "series": probed.series.as_str(), "register": probed.register, "raw": probed.raw, "value": value, "unit": probed.unit,
            "void": probed.void.map(|void| void.to_string()),
        })
        .to_string();
    }
    let raw = probed.raw.as_deref().unwrap_or("-");
    let void = probed.void.map_or(String::new(), |void| format!(": {void}"));
    let value = value.map_or(format!("缺测 no value{void}"), |value| format!("{value:.3} {}", probed.unit));
    format!("{:<28} register {:<5} raw {raw:<12} = {value}", probed.series.as_str(), probed.register)
}
