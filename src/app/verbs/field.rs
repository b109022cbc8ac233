//! `anlan field`: virtual field devices over real Modbus TCP.

use super::Outcome;
use crate::app::clock::ReachClock;
use crate::app::editions;
use crate::drill::field::{Bench, BenchPart, FieldDevices, Reporters, read_injects};
use crate::drill::floods::Flood;
use crate::ingest::Clock;
use crate::ingest::sensors::{Device, DeviceKind, Sensors};
use crate::ingest::utf8;
use crate::model::Timestamp;
use chrono::{DateTime, FixedOffset};
use serde_json::{Value, json};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the demo begins: a day and a quarter before the crest of 1958.
const DEMO_START: (&str, &str) = ("1958-07", "1958-07-16T18:00+08:00");

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Gauges listen here, the works on the ports above.
    #[arg(long, default_value = "127.0.0.1:1502")]
    listen: SocketAddr,
    /// Flood of `floods/` that the gauges follow.
    #[arg(long, default_value = DEMO_START.0)]
    flood: String,
    /// Moment of the flood at which the clock starts; the start of the file where absent (1958-07: 07-16 18:00).
    #[arg(long, value_parser = moment)]
    start: Option<Timestamp>,
    /// Seconds of the flood in one second.
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// `[[inject]]` rows: at_s, target, kind, value, for_s.
    #[arg(long)]
    faults: Option<PathBuf>,
    /// Seed of the noise.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Folder of the sensors; the demo reach in the binary where absent.
    #[arg(long)]
    sensors: Option<PathBuf>,
    /// Stations also report by SL 651 to this centre, host:port (遥测站向该中心站自报).
    #[arg(long, value_name = "ADDR", value_parser = centre)]
    sl651: Option<String>,
    /// First line: every device with port, unit, first register and profile.
    #[arg(long)]
    json: bool,
}

/// RFC 3339, seconds may be left out.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    let offset = text.strip_suffix('Z').map_or_else(|| text.to_owned(), |bare| format!("{bare}+00:00"));
    let short = || DateTime::<FixedOffset>::parse_from_str(&offset, "%Y-%m-%dT%H:%M%:z");
    let parsed = DateTime::parse_from_rfc3339(text).or_else(|_| short());
    parsed.map(Into::into).map_err(|_| format!("{text:?} is not a time such as 1958-07-16T18:00+08:00"))
}

/// Above 0, at most 100000.
pub(super) fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse::<f64>().ok().filter(|speed| *speed > 0.0 && *speed <= 1e5);
    speed.ok_or_else(|| format!("{text:?} is not a speed above 0 and up to 100000"))
}

/// `host:port`.
fn centre(text: &str) -> Result<String, String> {
    let port =
        text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).and_then(|(_, port)| port.parse::<u16>().ok());
    port.map(|_| text.to_owned()).ok_or_else(|| format!("{text:?} is no host:port such as 127.0.0.1:8651"))
}

pub(super) fn run(args: Args) -> Outcome {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(args))
}

async fn serve(args: Args) -> Outcome {
    let files = args.sensors.as_deref().map_or_else(|| Ok(editions::sensors::demo()), editions::sensors::of_folder)?;
    let sensors = Sensors::load(&files)?;
    let flood = Flood::load(&editions::floods::files(), &args.flood)?;
    let start = match args.start {
        Some(start) => start,
        None if args.flood == DEMO_START.0 => moment(DEMO_START.1)?,
        None => flood.span().0,
    };
    let (from, to) = flood.span();
    if start < from || start > to {
        return Err(
            format!("--start {start} lies outside the flood {}, which runs from {from} to {to}", args.flood).into()
        );
    }
    let injects = match &args.faults {
        None => Vec::new(),
        Some(path) => {
            let file = path.display().to_string();
            let bytes = std::fs::read(path).map_err(|cause| format!("cannot read {file}: {cause}"))?;
            read_injects(&file, utf8(&file, &bytes)?, |target| Bench::knows_target(&sensors, target))?
        }
    };
    let bench = Arc::new(Bench::new(BenchPart { sensors, flood, injects, seed: args.seed, start }));
    let clock = ReachClock::from(start, args.speed);
    let clock: Clock = Arc::new(move || clock.now());
    let devices = FieldDevices::start(Arc::clone(&bench), args.listen, Arc::clone(&clock)).await?;
    let _reporters = args.sl651.as_deref().map(|centre| Reporters::start(&bench, centre, &clock));
    announce(&args, &bench, &devices)?;
    stopped().await?;
    Ok(())
}

fn announce(args: &Args, bench: &Bench, devices: &FieldDevices) -> Outcome {
    let listed: Vec<Value> = bench.sensors().devices.iter().filter_map(|device| row(device, devices)).collect();
    let mut out = std::io::stdout().lock();
    if args.json {
        let line = json!({
            "listen": devices.address("gauges").map(|(ip, port)| SocketAddr::new(ip, port).to_string()),
            "flood": args.flood, "speed": args.speed, "synthetic": true, "devices": listed,
            "sl651": args.sl651.as_ref().map(|centre| json!({ "centre": centre, "stations": stations(bench) })),
        });
        writeln!(out, "{line}")?;
    } else {
        writeln!(out, "虚拟现场设备 virtual field devices (synthetic): flood {}, speed {}", args.flood, args.speed)?;
        for (endpoint, address) in devices.addresses() {
            let count = bench.sensors().devices_of(endpoint).count();
            writeln!(out, "  {address}  {endpoint}  {count} 台 devices")?;
        }
    }
    if let (Some(centre), false) = (&args.sl651, args.json) {
        let count = bench.sensors().telemetry.len();
        writeln!(out, "  {centre}  SL 651 中心站，{count} 个遥测站自报 (stations report there)")?;
    }
    out.flush()?;
    Ok(())
}

fn stations(bench: &Bench) -> Vec<Value> {
    let row = |told: &crate::ingest::sensors::TelemetryStation| {
        let series: Vec<&str> = told.series.iter().map(|series| series.id.as_str()).collect();
        json!({ "address": told.address.to_string(), "station": told.station, "report_every_s": told.report_every_s, "series": series })
    };
    bench.sensors().telemetry.values().map(row).collect()
}

fn row(device: &Device, devices: &FieldDevices) -> Option<Value> {
    let (_, port) = devices.address(&device.endpoint)?;
    let place = match &device.kind {
        DeviceKind::Gauge { station } => json!({ "kind": "gauge", "station": station }),
        DeviceKind::Stone { dam, work } => json!({ "kind": "stone", "dam": dam, "work": work }),
    };
    let series: Vec<&str> = device.series.iter().map(|series| series.id.as_str()).collect();
    let mut row = json!({
        "id": device.id, "port": port, "unit": device.unit, "first_register": device.first_register,
        "profile": device.profile.id, "series": series,
    });
    if let (Some(row), Value::Object(place)) = (row.as_object_mut(), place) {
        row.extend(place);
    }
    Some(row)
}

/// Until Ctrl-C or SIGTERM.
async fn stopped() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        outcome = tokio::signal::ctrl_c() => outcome,
        _ = terminate.recv() => Ok(()),
    }
}
