//! `anlan bench fanout`: one hazard report, heard on many open screens.

use super::meter::{Spread, cpu_s, peak_rss_mb};
use super::site::{BenchSite, OFFICERS};
use serde_json::json;
use std::error::Error;
use std::time::{Duration, Instant};

/// After this a screen counts as never reached.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two reports the streams come to rest.
const PAUSE: Duration = Duration::from_millis(300);

/// Arguments of `anlan bench fanout`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// 连接数。Open streams of headquarters.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_900))]
    streams: u32,
    /// 变化次数。Changes.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    changes: u32,
}

#[derive(Debug, serde::Serialize)]
struct Figures {
    streams: u32,
    changes: u32,
    first_byte_ms: Spread,
    last_screen_ms: Spread,
    server_cpu_ms_a_change: f64,
    rss_peak_mb: f64,
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let figures = tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure(&args))?;
    if args.json {
        println!("{}", serde_json::to_string(&figures)?);
        return Ok(());
    }
    println!("{} 块屏 screens, {} 次变化 changes", figures.streams, figures.changes);
    println!("{:<44} {:>9} {:>9} {:>9}", "ms", "median", "p99", "max");
    println!("{:<40} {}", "首字节到屏 first byte on a screen", figures.first_byte_ms);
    println!("{:<40} {}", "最后一块屏 the last screen", figures.last_screen_ms);
    println!(
        "服务器 server: {:.1} ms CPU 每次 a change, 内存峰值 peak {:.0} MB",
        figures.server_cpu_ms_a_change, figures.rss_peak_mb
    );
    Ok(())
}

async fn measure(args: &Args) -> Result<Figures, Box<dyn Error>> {
    let site = BenchSite::start().await?;
    let mut streams = Vec::new();
    for _ in 0..args.streams {
        streams.push(site.listen(OFFICERS[0]).await?);
    }
    let (mut each, mut last) = (Vec::new(), Vec::new());
    let cpu = cpu_s(&site.pid());
    for change in 0..args.changes {
        let listening: Vec<_> = streams
            .drain(..)
            .map(|mut stream| {
                tokio::spawn(async move {
                    let heard = tokio::time::timeout(PATIENCE, stream.until("event: report")).await;
                    heard
                        .map_err(|_| "a screen never heard".to_owned())?
                        .map_err(|fault| fault.to_string())
                        .map(|at| (at, stream))
                })
            })
            .collect();
        let report = json!({
            "kind": "hazard", "type": "crack", "place": { "lon": 113.68, "lat": 34.91 },
            "observed_at": site.get(OFFICERS[0], "/api/v1/situation").await?["clock"]["now"], "text": format!("bench {change}"),
        });
        let began = Instant::now();
        site.post(OFFICERS[0], "/api/v1/reports", &report).await?;
        let mut slowest = 0.0_f64;
        for heard in listening {
            let (at, stream) = heard.await??;
            let ms = at.duration_since(began).as_secs_f64() * 1e3;
            slowest = slowest.max(ms);
            each.push(ms);
            streams.push(stream);
        }
        last.push(slowest);
        tokio::time::sleep(PAUSE).await;
    }
    let cpu_ms = (cpu_s(&site.pid()) - cpu) * 1e3;
    Ok(Figures {
        streams: args.streams,
        changes: args.changes,
        first_byte_ms: Spread::of(each),
        last_screen_ms: Spread::of(last),
        server_cpu_ms_a_change: cpu_ms / f64::from(args.changes),
        rss_peak_mb: peak_rss_mb(&site.pid()),
    })
}
