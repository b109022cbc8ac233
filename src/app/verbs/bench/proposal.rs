//! `anlan bench proposal`: a discharge is written into the device's registers; the proposal arrives on a stream of the wall.
//!
//! The poller is not told: on the average half a poll period passes before it looks. Each round has a new server, waits
//! until the gauge is known below the threshold of level IV, and raises it above at a moment that has nothing to do with
//! the poller's. The rise is one that a river can make: a jump beyond that is doubted until two more readings confirm it.

use super::meter::Spread;
use super::site::{BenchSite, OFFICERS};
use std::error::Error;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio_modbus::client::{Writer, tcp};
use tokio_modbus::prelude::Slave;

/// The gauge of 花园口 on the demo's bus: its unit, and the register of the discharge in L/s.
const UNIT: u8 = 4;
const DISCHARGE: u16 = 4;
/// Above the threshold of level IV, m³/s; the flood of the site stands at 3,896 and rises slowly: a step within what a
/// gauge may show from one reading to the next.
const RAISED_M3S: u32 = 4_010;
/// After this the proposal counts as lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// Arguments of `anlan bench proposal`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// 轮数。Proposals, each from a new server.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rounds: u32,
}

#[derive(Debug, serde::Serialize)]
struct Figures {
    rounds: u32,
    poll_period_ms: f64,
    register_to_stream_ms: Spread,
    /// Largest delay beyond one poll period; below 0 where none was longer.
    beyond_poll_p99_ms: f64,
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let period_ms = period_ms()?;
    let delays = (0..args.rounds).map(|number| runtime.block_on(round(number, period_ms)));
    let delays = delays.collect::<Result<Vec<_>, _>>()?;
    let register_to_stream_ms = Spread::of(delays);
    let figures = Figures {
        rounds: args.rounds,
        poll_period_ms: period_ms,
        register_to_stream_ms,
        beyond_poll_p99_ms: register_to_stream_ms.p99 - period_ms,
    };
    if args.json {
        println!("{}", serde_json::to_string(&figures)?);
        return Ok(());
    }
    println!("{:<44} {:>9} {:>9} {:>9}", "ms", "median", "p99", "max");
    println!("{:<40} {}", "寄存器到大屏 register to stream", figures.register_to_stream_ms);
    println!(
        "巡测周期 poll period {:.0} ms; p99 超出 beyond it {:+.1} ms",
        figures.poll_period_ms, figures.beyond_poll_p99_ms
    );
    Ok(())
}

async fn round(number: u32, period_ms: f64) -> Result<f64, Box<dyn Error>> {
    let site = BenchSite::start().await?;
    let mut wall = site.listen(OFFICERS[0]).await?;
    first_value(&site).await?;
    // The golden ratio spreads the moments evenly over the poll period, without chance.
    let phase = f64::from(number) * 0.618_034 % 1.0;
    tokio::time::sleep(Duration::from_secs_f64(phase * period_ms / 1e3)).await;
    let written = write(site.gauges, RAISED_M3S).await?;
    let heard = tokio::time::timeout(PATIENCE, wall.until("event: proposal")).await;
    let at = heard.map_err(|_| format!("{RAISED_M3S} m³/s: no proposal within {PATIENCE:?}"))??;
    Ok(at.duration_since(written).as_secs_f64() * 1e3)
}

/// Waits until the gauge has been read once: the judge knows it.
async fn first_value(site: &BenchSite) -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    loop {
        let situation = site.get(OFFICERS[0], "/api/v1/situation").await?;
        let gauges = situation["gauges"].as_array().ok_or("no gauges")?;
        let known = |gauge: &&serde_json::Value| {
            gauge["station"] == "huayuankou" && gauge["quantity"] == "discharge" && !gauge["value"].is_null()
        };
        if gauges.iter().any(|gauge| known(&gauge)) {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            return Err("the gauge was never read".into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// How often the gauge is read, as the sensor files of the binary say.
fn period_ms() -> Result<f64, Box<dyn Error>> {
    let sensors = crate::ingest::sensors::Sensors::load(&crate::app::editions::sensors::demo())?;
    let facts = sensors.series.iter().find(|(id, _)| id.as_str() == "huayuankou.discharge");
    Ok(facts.ok_or("no huayuankou.discharge")?.1.interval_s * 1e3)
}

/// Writes the discharge by function 16; gives the moment at which the device had taken it.
async fn write(gauges: SocketAddr, discharge_m3s: u32) -> Result<Instant, Box<dyn Error>> {
    let mut device = tcp::connect_slave(gauges, Slave(UNIT)).await?;
    let litres = discharge_m3s * 1000;
    let words = [(litres >> 16) as u16, (litres & 0xFFFF) as u16];
    device.write_multiple_registers(DISCHARGE, &words).await??;
    Ok(Instant::now())
}
