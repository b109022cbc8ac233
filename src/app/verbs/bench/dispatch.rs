//! `anlan bench dispatch`: the second officer confirms, and every phone hears of its tasks.
//!
//! Each round has a new server, with the demo reach and its devices, and a stream for every member. The clock starts when
//! the confirmation is sent. Its answer means that all tasks are durable. A phone has heard when the first bytes of its
//! news have arrived at the other end of the connection: its first task or, for members who own none, the new level.

use super::meter::{Spread, peak_rss_mb, rss_mb};
use super::site::{BenchSite, OFFICERS};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::error::Error;
use std::time::{Duration, Instant};

/// After this a phone counts as never reached.
const PATIENCE: Duration = Duration::from_secs(30);

/// Arguments of `anlan bench dispatch`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// 轮数。Rounds, each with a new server.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rounds: u32,
    /// 流量，m³/s。Discharge that the release prepares for.
    #[arg(long, default_value_t = 22_000.0)]
    discharge: f64,
}

#[derive(Debug, serde::Serialize)]
struct Figures {
    rounds: u32,
    discharge_m3s: f64,
    streams: usize,
    phones_with_tasks: usize,
    tasks: usize,
    durable_ms: Spread,
    first_byte_ms: Spread,
    ready_ms: Spread,
    rss_quiet_mb: f64,
    rss_released_mb: f64,
    rss_peak_mb: f64,
}

/// One release.
struct Round {
    streams: usize,
    owners: usize,
    tasks: usize,
    durable_ms: f64,
    first_byte_ms: Vec<f64>,
    ready_ms: f64,
    rss_mb: [f64; 3],
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let rounds = (0..args.rounds).map(|_| runtime.block_on(round(args.discharge))).collect::<Result<Vec<_>, _>>()?;
    let last = rounds.last().ok_or("no rounds")?;
    let most = |which: fn(&Round) -> f64| rounds.iter().map(which).fold(0.0, f64::max);
    let figures = Figures {
        rounds: args.rounds,
        discharge_m3s: args.discharge,
        streams: last.streams,
        phones_with_tasks: last.owners,
        tasks: last.tasks,
        durable_ms: Spread::of(rounds.iter().map(|round| round.durable_ms).collect()),
        first_byte_ms: Spread::of(rounds.iter().flat_map(|round| round.first_byte_ms.clone()).collect()),
        ready_ms: Spread::of(rounds.iter().map(|round| round.ready_ms).collect()),
        rss_quiet_mb: most(|round| round.rss_mb[0]),
        rss_released_mb: most(|round| round.rss_mb[1]),
        rss_peak_mb: most(|round| round.rss_mb[2]),
    };
    if args.json {
        println!("{}", serde_json::to_string(&figures)?);
        return Ok(());
    }
    println!(
        "{} 轮 rounds: {} 个连接 streams, {} 项任务 tasks 发给 to {} 人 members",
        figures.rounds, figures.streams, figures.tasks, figures.phones_with_tasks
    );
    println!("{:<44} {:>9} {:>9} {:>9}", "ms", "median", "p99", "max");
    println!("{:<40} {}", "任务全部落盘 all tasks durable", figures.durable_ms);
    println!("{:<40} {}", "首字节到手机 first byte on a phone", figures.first_byte_ms);
    println!("{:<40} {}", "启动到就绪 start to ready", figures.ready_ms);
    println!(
        "内存 resident, MB: {:.0} 平时 quiet, {:.0} 发令后 released, {:.0} 峰值 peak",
        figures.rss_quiet_mb, figures.rss_released_mb, figures.rss_peak_mb
    );
    Ok(())
}

async fn round(discharge_m3s: f64) -> Result<Round, Box<dyn Error>> {
    let site = BenchSite::start().await?;
    let [asker, second] = OFFICERS;
    let mut streams = Vec::new();
    for phone in site.phones() {
        streams.push((phone.to_owned(), site.listen(phone).await?));
    }
    let pid = site.pid();
    let quiet = rss_mb(&pid);
    let preview = site.post(asker, "/api/v1/preview", &json!({ "discharge_m3s": discharge_m3s })).await?;
    let (level, preview_id) = (&preview["level"], &preview["id"]);
    let request = json!({ "level": level, "reason": "bench", "preview_id": preview_id });
    let asked = site.post(asker, "/api/v1/activations", &request).await?;
    let confirm = format!("/api/v1/activations/{}/confirm", asked["id"].as_str().ok_or("no activation")?);
    let in_force = format!("\"in_force\":{level}");
    let count = streams.len();
    let listening: Vec<_> = streams
        .into_iter()
        .map(|(phone, mut stream)| {
            let in_force = in_force.clone();
            let heard =
                async move { stream.until_either("event: task", &in_force).await.map_err(|fault| fault.to_string()) };
            (phone, tokio::spawn(tokio::time::timeout(PATIENCE, heard)))
        })
        .collect();
    let began = Instant::now();
    site.post(second, &confirm, &json!({})).await?;
    let durable_ms = began.elapsed().as_secs_f64() * 1e3;
    let (owners, tasks) = owners(&site).await?;
    let mut first_byte_ms = Vec::new();
    for (phone, heard) in listening {
        let at = heard.await?.map_err(|_| format!("{phone} never heard"))??;
        first_byte_ms.push(at.duration_since(began).as_secs_f64() * 1e3);
    }
    let rss_mb = [quiet, rss_mb(&pid), peak_rss_mb(&pid)];
    Ok(Round {
        streams: count,
        owners: owners.len(),
        tasks,
        durable_ms,
        first_byte_ms,
        ready_ms: site.ready_ms,
        rss_mb,
    })
}

/// Who was given a task, and how many there are.
async fn owners(site: &BenchSite) -> Result<(BTreeSet<String>, usize), Box<dyn Error>> {
    let (mut owners, mut tasks, mut after) = (BTreeSet::new(), 0, String::new());
    loop {
        let page = site.get(OFFICERS[0], &format!("/api/v1/tasks?limit=500{after}")).await?;
        let items = page["items"].as_array().ok_or("no list of tasks")?;
        tasks += items.len();
        owners.extend(items.iter().filter(|task| !task["issued_at"].is_null()).filter_map(holder));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return Ok((owners, tasks)),
        }
    }
}

fn holder(task: &Value) -> Option<String> {
    task["holder"].as_str().map(str::to_owned)
}
