//! `anlan bench sl651`: frames decoded; frames decoded, judged, made durable and acknowledged over loopback; memory of
//! many connected stations, whose callers run in a second process.

use super::durable::JudgedStore;
use super::meter::{cpu_s, rss_mb};
use crate::ingest::sensors::{TelemetrySeries, TelemetryStation};
use crate::ingest::sl651::codec::{
    Coding, Direction, Element, ElementId, End, Frame, Framer, Group, Moment, Report, StationAddress, function,
};
use crate::ingest::sl651::{Sl651, Sl651Limits, Sl651Parts};
use crate::model::{SeriesId, Timestamp};
use crate::store::Photos;
use chrono::TimeDelta;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// Frames that a caller has on the way before it waits for their acknowledgements.
const WINDOW: usize = 128;
/// Elements whose values a report carries: stage, discharge, accumulated rain.
const ELEMENTS: [(u8, &str); 3] = [(0x39, "stage"), (0x27, "discharge"), (0x26, "rain")];

/// Arguments of `anlan bench sl651`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// 报文数。Frames in all, each with three values.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=50_000_000))]
    frames: u32,
    /// 同时发报的测站数。Stations that send at once.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    stations: u16,
    /// 在线测站数。Stations that stay connected for the measurement of memory.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u16).range(0..=12_000))]
    connected: u16,
    /// Be the callers of the memory measurement: connect to this address, report once, wait for the end of input.
    #[arg(long, hide = true)]
    call: Option<SocketAddr>,
}

#[derive(Debug, serde::Serialize)]
struct Figures {
    frames: u32,
    bytes_per_frame: usize,
    decoded_per_s: f64,
    stations: u16,
    durable_per_s: f64,
    durable_readings_per_s: f64,
    durable_s: f64,
    durable_cpu_s: f64,
    writes: u64,
    connected: u16,
    connected_s: f64,
    connected_mb: f64,
    resident_mb: f64,
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(address) = args.call {
        return runtime.block_on(call(address, args.connected));
    }
    let folder = std::env::temp_dir().join(format!("anlan-bench-sl651-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let figures = runtime.block_on(measure(&args, &folder));
    let _ = std::fs::remove_dir_all(&folder);
    let figures = figures?;
    if args.json {
        println!("{}", serde_json::to_string(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

fn start() -> Timestamp {
    Timestamp::from_timestamp(1_720_000_000, 0).unwrap_or_default()
}

fn address(number: u16) -> StationAddress {
    let [high, low] = number.to_be_bytes();
    StationAddress([0x00, 0x99, 0x90, high, low])
}

fn station(number: u16, elements: usize) -> TelemetryStation {
    let series = ELEMENTS.iter().take(elements).map(|(element, quantity)| TelemetrySeries {
        element: ElementId::Standard(*element),
        id: SeriesId::new(format!("bench-{number}.{quantity}")),
        zero: 0.0,
    });
    TelemetryStation {
        address: address(number),
        station: format!("bench-{number}"),
        password: 0x1234,
        acknowledge: Some(End::Eot),
        report_every_s: 60.0,
        set_clock: false,
        from: Vec::new(),
        series: series.collect(),
    }
}

/// A timed report of a station, one minute after the other.
fn frame(number: u16, count: u32) -> Vec<u8> {
    let at = start() + TimeDelta::minutes(i64::from(count));
    let phase = f64::from(count % 5_000) / 5_000.0;
    let values = [90.0 + 4.0 * phase, 1_000.0 + 20_000.0 * phase, f64::from(count % 90_000) / 10.0];
    let elements = ELEMENTS.iter().zip(values).filter_map(|((id, _), value)| Element::number(*id, value)).collect();
    let group = Group { station: Some((address(number), Some(b'H'))), observed: Some(Moment::of(at)), elements };
    let serial = u16::try_from(count % 65_535).unwrap_or(0) + 1;
    let report = Report { serial, sent: Moment::of(at), groups: vec![group], faults: Vec::new() };
    let frame = Frame {
        coding: Coding::Hex,
        direction: Direction::Up,
        centre: 1,
        station: address(number),
        password: 0x1234,
        function: function::TIMED,
        packet: None,
        body: report.encode(Coding::Hex),
        end: End::Etx,
    };
    frame.encode().unwrap_or_default()
}

async fn serve(
    stations: Vec<TelemetryStation>,
    sink: Arc<JudgedStore>,
    folder: &Path,
) -> Result<Sl651, Box<dyn Error>> {
    let parts = Sl651Parts {
        listen: "127.0.0.1:0".parse()?,
        stations: stations.into_iter().map(|told| (told.address, told)).collect(),
        clock: Arc::new(start),
        sink,
        photos: Photos::new(folder),
        folder: folder.to_owned(),
        limits: Sl651Limits::default(),
        stop: CancellationToken::new(),
    };
    Ok(Sl651::start(parts).await?)
}

async fn measure(args: &Args, folder: &Path) -> Result<Figures, Box<dyn Error>> {
    let each = args.frames / u32::from(args.stations);
    let frames = each * u32::from(args.stations);
    // Made outside the measured time.
    let streams: Vec<Vec<Vec<u8>>> =
        (0..args.stations).map(|number| (0..each).map(|count| frame(number, count)).collect()).collect();
    let bytes_per_frame = streams.iter().flatten().next().map_or(0, Vec::len);
    let decoded_per_s = decode(&streams)?;

    let sink = JudgedStore::open(&folder.join("durable.db")).await?;
    let stations = (0..args.stations).map(|number| station(number, ELEMENTS.len())).collect();
    let server = serve(stations, Arc::clone(&sink), folder).await?;
    let (began, cpu) = (Instant::now(), cpu_s("self"));
    let callers: Vec<_> = streams.into_iter().map(|frames| tokio::spawn(report(server.address, frames))).collect();
    for caller in callers {
        caller.await??;
    }
    let (durable_s, durable_cpu_s) = (began.elapsed().as_secs_f64(), cpu_s("self") - cpu);
    let counted = server.counted();
    if counted.kept != u64::from(frames) {
        return Err(format!("{frames} frames were sent, {} were kept: {counted:?}", counted.kept).into());
    }
    let points = sink.points().await?;
    if points != u64::from(frames) * ELEMENTS.len() as u64 {
        return Err(format!("{frames} frames were acknowledged, but {points} points are stored").into());
    }
    drop(server);
    let writes = sink.writes();
    drop(sink);
    let (connected_s, connected_mb, resident_mb) = connected(args.connected, folder).await?;
    Ok(Figures {
        frames,
        bytes_per_frame,
        decoded_per_s,
        stations: args.stations,
        durable_per_s: f64::from(frames) / durable_s,
        durable_readings_per_s: f64::from(frames) * ELEMENTS.len() as f64 / durable_s,
        durable_s,
        durable_cpu_s,
        writes,
        connected: args.connected,
        connected_s,
        connected_mb,
        resident_mb,
    })
}

/// Frames a second from bytes to values on one core.
fn decode(streams: &[Vec<Vec<u8>>]) -> Result<f64, Box<dyn Error>> {
    let (mut framer, mut frames, mut values) = (Framer::default(), 0_u32, 0_usize);
    let began = Instant::now();
    for part in streams.iter().flat_map(|frames| frames.chunks(WINDOW)) {
        for bytes in part {
            framer.push(bytes);
        }
        while let Some(received) = framer.next_frame() {
            let report = Report::decode(received.frame.coding, &received.frame.body)?;
            values += report.measured(received.frame.station, start()).len();
            frames += 1;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let sent: usize = streams.iter().map(Vec::len).sum();
    if usize::try_from(frames)? != sent || values != sent * ELEMENTS.len() {
        return Err(format!("{sent} frames went in, {frames} frames with {values} values came out").into());
    }
    Ok(f64::from(frames) / seconds)
}

/// Sends all frames in windows and waits for each acknowledgement.
async fn report(address: SocketAddr, frames: Vec<Vec<u8>>) -> Result<(), String> {
    let fault = |cause: std::io::Error| cause.to_string();
    let mut stream = TcpStream::connect(address).await.map_err(fault)?;
    stream.set_nodelay(true).map_err(fault)?;
    let (mut framer, mut buffer) = (Framer::default(), vec![0; 16 << 10]);
    for window in frames.chunks(WINDOW) {
        stream.write_all(&window.concat()).await.map_err(fault)?;
        let mut acknowledged = 0;
        while acknowledged < window.len() {
            let count = stream.read(&mut buffer).await.map_err(fault)?;
            if count == 0 {
                return Err("the server closed the connection".into());
            }
            framer.push(buffer.get(..count).unwrap_or_default());
            while let Some(received) = framer.next_frame() {
                acknowledged += usize::from(received.frame.end == End::Eot);
            }
        }
    }
    Ok(())
}

/// Seconds until all are connected and acknowledged, growth of this process in MB, and its size.
async fn connected(count: u16, folder: &Path) -> Result<(f64, f64, f64), Box<dyn Error>> {
    let sink = JudgedStore::open(&folder.join("connected.db")).await?;
    let before = rss_mb("self");
    let server = serve((0..count).map(|number| station(number, 1)).collect(), sink, folder).await?;
    let began = Instant::now();
    let program: PathBuf = std::env::current_exe()?;
    let mut callers = std::process::Command::new(program)
        .args(["bench", "sl651", "--call", &server.address.to_string(), "--connected", &count.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let out = callers.stdout.take().ok_or("the callers have no output")?;
    let said = tokio::task::spawn_blocking(move || BufReader::new(out).lines().next()).await?;
    let seconds = began.elapsed().as_secs_f64();
    let after = rss_mb("self");
    let open = server.counted();
    drop(callers.stdin.take());
    let ended = callers.wait()?;
    if !ended.success() || said.is_none() || open.kept != u64::from(count) {
        return Err(format!("{count} stations should have been acknowledged: {open:?}").into());
    }
    Ok((seconds, after - before, after))
}

/// The second process: many stations that connect, report once and stay.
async fn call(address: SocketAddr, count: u16) -> Result<(), Box<dyn Error>> {
    let mut open = Vec::with_capacity(usize::from(count));
    for number in 0..count {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&frame(number, 0)).await?;
        open.push(stream);
    }
    let mut buffer = vec![0; 256];
    for stream in &mut open {
        let mut framer = Framer::default();
        while framer.next_frame().is_none() {
            match stream.read(&mut buffer).await? {
                0 => return Err("the server closed a connection".into()),
                count => framer.push(buffer.get(..count).unwrap_or_default()),
            }
        }
    }
    println!("connected");
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
    Ok(())
}

fn print(figures: &Figures) {
    println!("{} frames of {} bytes with {} values each", figures.frames, figures.bytes_per_frame, ELEMENTS.len());
    println!("decoded to values, one core          {:>12.0} frames/s", figures.decoded_per_s);
    println!(
        "decoded, judged, durable, answered   {:>12.0} frames/s  ({:.0} readings/s, {} stations, {} writes, {:.1} s, CPU {:.1} s with the callers)",
        figures.durable_per_s,
        figures.durable_readings_per_s,
        figures.stations,
        figures.writes,
        figures.durable_s,
        figures.durable_cpu_s
    );
    println!(
        "{} stations connected: {:.0} MB more, {:.0} MB resident in all, {:.1} s until each was answered",
        figures.connected, figures.connected_mb, figures.resident_mb, figures.connected_s
    );
}
