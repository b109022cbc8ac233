//! `anlan bench modbus`: many devices polled each second, some dead and some slow; do the healthy ones keep their period?
//!
//! The devices are a process of their own on loopback and note when each request reaches them, so that every poller is
//! measured by the same clock and none by what it says of itself. Our poller runs in this process; peers (pymodbus, and the
//! modbus-serial client that Node-RED's Modbus nodes use) run one after the other against the same devices in the same run.

use super::meter::{cpu_s, rss_mb};
use super::modbus_devices::{self, Seen};
use crate::ingest::Clock;
use crate::ingest::modbus::Poller;
use crate::ingest::sensors::{SensorFiles, Sensors};
use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// How long one request may take, for every poller.
const TIMEOUT_MS: u32 = 500;
/// Registers of one request.
const REGISTERS: u16 = 10;

/// Arguments of `anlan bench modbus`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// 网关数，各有一条连接。Gateways, each with a connection of its own.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u16).range(1..=2_000))]
    gateways: u16,
    /// 每个网关的设备数。Devices behind each gateway, one answered after another.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=200))]
    units: u8,
    /// 测量秒数，另加五秒预热。Seconds that are measured, after five that are not.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(5..=3_600))]
    seconds: u32,
    /// A slow device answers after so long, ms.
    #[arg(long, default_value_t = 300)]
    slow_ms: u64,
    /// A Python with pymodbus, to compare.
    #[arg(long)]
    pymodbus: Option<PathBuf>,
    /// A folder with node_modules/modbus-serial, to compare.
    #[arg(long)]
    node: Option<PathBuf>,
    /// Be the devices.
    #[arg(long, hide = true)]
    serve: bool,
}

#[derive(Debug, serde::Serialize)]
struct Figures {
    poller: &'static str,
    #[serde(flatten)]
    seen: Seen,
    /// Share of one core.
    cpu_cores: f64,
    resident_mb: f64,
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if args.serve {
        return runtime.block_on(modbus_devices::serve(args.gateways, args.units, Duration::from_millis(args.slow_ms)));
    }
    let mut devices = Devices::start(&args)?;
    let mut measured = vec![runtime.block_on(ours(&args, &mut devices))?];
    if let Some(python) = &args.pymodbus {
        let script = include_str!("../../../../benches/peers/pymodbus_poller.py");
        measured.push(peer("pymodbus", Command::new(python).args(["-c", script]), &args, &mut devices)?);
    }
    if let Some(folder) = &args.node {
        let script = include_str!("../../../../benches/peers/modbus_serial_poller.js");
        measured.push(peer(
            "modbus-serial",
            Command::new("node").args(["-e", script]).current_dir(folder),
            &args,
            &mut devices,
        )?);
    }
    tell(&args, &measured)
}

fn tell(args: &Args, measured: &[Figures]) -> Result<(), Box<dyn Error>> {
    if args.json {
        println!("{}", serde_json::to_string(measured)?);
        return Ok(());
    }
    let count = usize::from(args.gateways) * usize::from(args.units);
    println!(
        "{count} 台设备 devices ({} × {}), 5 % dead, 5 % slow ({} ms), each to be asked every second; {} s; of healthy devices:",
        args.gateways, args.units, args.slow_ms, args.seconds
    );
    println!(
        "{:<14} {:>10} {:>10} {:>10} {:>10} {:>10} {:>8} {:>8}",
        "poller", "median ms", "p99 ms", "max ms", "polls", "of due %", "cores", "MB"
    );
    for one in measured {
        println!(
            "{:<14} {:>10.1} {:>10.1} {:>10.1} {:>10} {:>10.1} {:>8.2} {:>8.0}",
            one.poller,
            one.seen.jitter_median_ms,
            one.seen.jitter_p99_ms,
            one.seen.jitter_max_ms,
            one.seen.polls,
            100.0 * one.seen.polls as f64 / one.seen.due.max(1) as f64,
            one.cpu_cores,
            one.resident_mb
        );
    }
    println!("ms: how far the time between two polls of a device is from one second");
    Ok(())
}

/// The process of the devices.
struct Devices {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
    ports: Vec<u16>,
}

impl Devices {
    fn start(args: &Args) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["bench", "modbus", "--serve", "--gateways", &args.gateways.to_string()])
            .args(["--units", &args.units.to_string(), "--slow-ms", &args.slow_ms.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let ask = child.stdin.take().ok_or("the devices have no input")?;
        let answers = BufReader::new(child.stdout.take().ok_or("the devices have no output")?);
        let mut devices = Self { child, ask, answers, ports: Vec::new() };
        devices.ports = serde_json::from_str(&devices.line()?)?;
        Ok(devices)
    }
    fn line(&mut self) -> Result<String, Box<dyn Error>> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line)
    }
    /// What they have seen since they were last asked.
    fn seen(&mut self) -> Result<Seen, Box<dyn Error>> {
        writeln!(self.ask, "report")?;
        Ok(serde_json::from_str(&self.line()?)?)
    }
    /// Lets a poller warm up, then watches it.
    fn watch(&mut self, poller: &'static str, pid: &str, seconds: u32) -> Result<Figures, Box<dyn Error>> {
        std::thread::sleep(Duration::from_secs(5));
        self.seen()?;
        let before = cpu_s(pid);
        std::thread::sleep(Duration::from_secs(seconds.into()));
        let cpu_cores = (cpu_s(pid) - before) / f64::from(seconds);
        Ok(Figures { poller, seen: self.seen()?, cpu_cores, resident_mb: rss_mb(pid) })
    }
}

impl Drop for Devices {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn ours(args: &Args, devices: &mut Devices) -> Result<Figures, Box<dyn Error>> {
    let sensors = Sensors::load(&files(&devices.ports, args.units))?;
    let clock: Clock = Arc::new(crate::app::clock::wall_now);
    let (out, mut readings) = tokio::sync::mpsc::channel(1024);
    let poller = Poller::start(&sensors, &clock, 1.0, &out);
    let sink = tokio::spawn(async move { while readings.recv().await.is_some() {} });
    let figures = tokio::task::block_in_place(|| devices.watch("anlan", "self", args.seconds));
    drop(poller);
    sink.abort();
    figures
}

/// A poller that is a program of its own; it reads its task as one line of JSON.
fn peer(
    name: &'static str,
    command: &mut Command,
    args: &Args,
    devices: &mut Devices,
) -> Result<Figures, Box<dyn Error>> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().map_err(|cause| format!("{name}: {cause}"))?;
    let task = serde_json::json!({
        "ports": devices.ports, "units": args.units, "registers": REGISTERS, "timeout_ms": TIMEOUT_MS,
    });
    let mut input = child.stdin.take().ok_or("the peer has no input")?;
    writeln!(input, "{task}")?;
    input.flush()?;
    let figures = devices.watch(name, &child.id().to_string(), args.seconds);
    let gone = child.try_wait()?;
    let _ = child.kill();
    let _ = child.wait();
    match gone {
        Some(status) => Err(format!("{name} ended early: {status}").into()),
        None => figures,
    }
}

/// The sensor files of the devices: five values of two registers each.
fn files(ports: &[u16], units: u8) -> SensorFiles {
    let mut profile =
        "[profile]\nid='bench'\nname_zh='x'\nname_en='x'\nsource='bench'\nfunction='holding'\n".to_owned();
    let mut series = String::new();
    for value in 0..REGISTERS / 2 {
        let register = value * 2;
        // Writing into a String cannot fail.
        let _ =
            writeln!(profile, "[[point]]\nquantity='v{value}'\nregister={register}\ntype='u32'\nunit='m'\nscale=0.001");
        let _ = writeln!(series, "[[series]]\nquantity='v{value}'");
    }
    let mut files = SensorFiles::from([("profile.toml".to_owned(), profile.into_bytes())]);
    for port in ports {
        let endpoint = format!("[[endpoint]]\nid='e{port}'\naddress='127.0.0.1:{port}'\ntimeout_ms={TIMEOUT_MS}\n");
        files.insert(format!("endpoint-{port}.toml"), endpoint.into_bytes());
        for unit in 1..=units {
            let id = format!("d{port}-{unit}");
            let text = format!(
                "[[station]]\nid='{id}'\nname_zh='x'\nname_en='x'\nlon=113\nlat=34\nsource='bench'\n\
                 [gauge]\nid='{id}'\nname_zh='x'\nstation='{id}'\nprofile='bench'\nendpoint='e{port}'\nunit={unit}\npoll_every_s=1\n{series}"
            );
            files.insert(format!("gauge-{id}.toml"), text.into_bytes());
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bench_modbus_sensor_files_load() {
        let sensors = Sensors::load(&files(&[1502, 1503], 3)).unwrap();
        assert_eq!((sensors.devices.len(), sensors.endpoints.len(), sensors.series.len()), (6, 2, 30));
    }
}
