//! A writer is killed with SIGKILL at random moments under full load: every point it was told is durable must be there. And
//! a server whose remote store is away is killed twice: everything it answered reaches the remote store when that is back.
//!
//! `ANLAN_KILLS=100` sets the number of kills (default 3), `ANLAN_SEED` the moments.

use anlan::app::clock::wall_now;
use anlan::model::{Observation, Quality, SeriesId, UserName, UserRole};
use anlan::store::series::{EmbeddedSeries, SeriesLimits, SeriesStore};
use anlan::store::users::{NewUser, SessionKind, USERS_SCHEMA, Users};
use anlan::store::{Database, JOURNAL_SCHEMA, StoreDirectory, state_file};
use chrono::{DateTime, TimeDelta, Utc};
use rand::{RngExt, SeedableRng};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const BATCH: u64 = 1_000;

/// The last acknowledgement the writer printed before it died.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Ack {
    points: u64,
    checksum: u64,
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

#[test]
fn series_kill9_loses_no_acknowledged_point() {
    let (kills, seed) = (number("ANLAN_KILLS", 3), number("ANLAN_SEED", 1));
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut after_a_seal = 0;
    for kill in 0..kills {
        // From the first batch to well after the journal has begun to be sealed.
        let acks = if kill == 0 { 200 } else { random.random_range(1..200) };
        let pause = Duration::from_micros(random.random_range(0..4_000));
        let folder = tempfile::tempdir().unwrap();
        let ack = killed_writer(folder.path(), acks, pause);
        let chunks = check(folder.path(), ack).unwrap_or_else(|fault| {
            panic!("kill {kill} of {kills} after {acks} acknowledgements and {pause:?} (ANLAN_SEED={seed}): {fault}")
        });
        after_a_seal += u64::from(chunks > 0);
        println!("kill {kill}: {} acknowledged points, all there; {chunks} chunks", ack.points);
    }
    assert!(after_a_seal > 0, "no kill came after the first seal: nothing was tested there");
}

/// Starts a writer, lets it acknowledge some batches, kills it, and gives the last acknowledgement it got out.
fn killed_writer(folder: &Path, acks: usize, pause: Duration) -> Ack {
    let mut writer = Command::new(env!("CARGO_BIN_EXE_anlan"))
        .args(["bench", "ingest", "--forever", "--report-acks", "--batch", &BATCH.to_string(), "--data"])
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(writer.stdout.take().unwrap());
    let mut last = Ack::default();
    for _ in 0..acks {
        last = read_ack(&mut lines).expect("the writer ended before it was killed");
    }
    std::thread::sleep(pause);
    writer.kill().unwrap();
    writer.wait().unwrap();
    // What it still got out before it died was acknowledged as well.
    while let Some(ack) = read_ack(&mut lines) {
        last = ack;
    }
    last
}

/// The next whole line; a line cut off by the kill does not count.
fn read_ack(lines: &mut impl BufRead) -> Option<Ack> {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    let fields: Vec<&str> = line.strip_suffix('\n')?.split(' ').collect();
    assert_eq!(fields[0], "ack", "{line}");
    Some(Ack { points: fields[2].parse().unwrap(), checksum: fields[3].parse().unwrap() })
}

/// Reopens the store and compares; gives the number of chunks it had.
fn check(folder: &Path, ack: Ack) -> Result<u64, String> {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = EmbeddedSeries::open(&folder.join("series.db"), SeriesLimits::default()).await.unwrap();
        let stats = store.stats().await.unwrap();
        let found = stored(&store).await;
        if !matches!((found.len() as u64).checked_sub(ack.points), Some(0 | BATCH)) {
            return Err(format!("{} points acknowledged, {} found: not whole batches", ack.points, found.len()));
        }
        let sum = found.iter().take(ack.points as usize).fold(0u64, |sum, (at, _, bits)| {
            sum.wrapping_mul(31).wrapping_add(*at as u64).wrapping_mul(31).wrapping_add(*bits)
        });
        if sum != ack.checksum || stats.damaged_entries > 0 {
            return Err(format!("the {} acknowledged points differ from those found, {stats:?}", ack.points));
        }
        let at = DateTime::from_timestamp_millis(1_790_000_000_000).unwrap();
        let series = SeriesId::new("bench0000.stage");
        let next = Observation { series, at, received_at: at, value: 1.0, quality: Quality::GOOD };
        let _ = store.append(&[next]).await.map_err(|fault| format!("does not go on: {fault}"))?;
        Ok(stats.chunks)
    })
}

/// All points in the order in which they were written: time, series, value bits.
async fn stored(store: &EmbeddedSeries) -> Vec<(i64, SeriesId, u64)> {
    let moment = |ms| DateTime::from_timestamp_millis(ms).unwrap();
    let mut points = Vec::new();
    for facts in store.list().await.unwrap() {
        for sample in store.range(&facts.series, moment(0), moment(4_000_000_000_000), None).await.unwrap() {
            points.push((sample.at.timestamp_millis(), facts.series.clone(), sample.value.to_bits()));
        }
    }
    points.sort();
    points
}

const START: &str = "2026-07-15T08:00:00Z";

/// A server with an InfluxDB 2 behind it that is not there yet.
struct Site {
    folder: tempfile::TempDir,
    base: String,
    token: String,
    remote: std::net::SocketAddr,
    http: reqwest::Client,
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (listen, remote) = (free(), free());
        let config = format!(
            "listen = \"{listen}\"\ndata = \"data\"\n[clock]\nkind = \"demo\"\nstart = \"{START}\"\nspeed = 60.0\n[field]\naddress = \"127.0.0.1:9\"\n\
             [series]\nkind = \"influx2\"\nurl = \"http://{remote}\"\norg = \"bureau\"\nbucket = \"levee\"\ntoken_file = \"token\"\n"
        );
        std::fs::write(folder.path().join("anlan.toml"), config).unwrap();
        std::fs::write(folder.path().join("token"), "secret\n").unwrap();
        let token = account(&folder.path().join("data")).await;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { folder, base: format!("http://{listen}"), token, remote, http }
    }

    async fn serve(&self) -> Server {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
        command.args(["serve", "--config"]).arg(self.folder.path().join("anlan.toml"));
        let server = Server(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
        self.until("/readyz", |status, _| status.is_success()).await;
        server
    }

    /// Asks until the answer is as it should be.
    async fn until(&self, path: &str, fits: impl Fn(reqwest::StatusCode, &str) -> bool) -> String {
        for _ in 0..1_000 {
            if let Ok(reply) = self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.token).send().await {
                let (status, text) = (reply.status(), reply.text().await.unwrap_or_default());
                if fits(status, &text) {
                    return text;
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{path}:\n{}", std::fs::read_to_string(self.folder.path().join("log")).unwrap())
    }

    async fn push(&self, n: i64) {
        let start: DateTime<Utc> = START.parse().unwrap();
        let time = start + TimeDelta::milliseconds(100 * n);
        let body = serde_json::json!([{ "series": "jiahetan.stage", "time": time, "value": value_of(n) }]);
        let request = self.http.post(format!("{}/api/v1/readings", self.base)).bearer_auth(&self.token);
        let reply = request.header("idempotency-key", format!("reading-{n}")).json(&body).send().await.unwrap();
        assert!(reply.status().is_success(), "{n}: {}", reply.text().await.unwrap());
    }
}

fn value_of(n: i64) -> f64 {
    70.0 + n as f64 / 1000.0
}

/// Someone who may push readings, and the operator without whom a server does nothing; gives the token.
async fn account(data: &Path) -> String {
    let _claimed = StoreDirectory::claim(data).unwrap();
    let database = Database::open(&state_file(data), &[USERS_SCHEMA, JOURNAL_SCHEMA]).await.unwrap();
    let users = Users::new(database.clone());
    for (name, role) in [("boss", UserRole::Operator), ("hydrologist", UserRole::Hydrologist)] {
        users.add(NewUser { name: name.into(), role, member: None, password: None }, wall_now()).await.unwrap();
    }
    let opened = users.open_session(&UserName::new("hydrologist"), SessionKind::Device, wall_now()).await.unwrap();
    database.close().await;
    opened.token.reveal().to_owned()
}

/// Takes lines as InfluxDB 2 does and remembers those of one series in the order in which they come.
async fn remote_is_back(site: &Site) -> Arc<Mutex<Vec<String>>> {
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&lines);
    let write = move |body: String| async move {
        let ours =
            body.lines().filter(|line| line.contains("station=jiahetan") && line.contains("value=")).map(str::to_owned);
        kept.lock().unwrap().extend(ours);
        axum::http::StatusCode::NO_CONTENT
    };
    let routes = axum::Router::new().route("/api/v2/write", axum::routing::post(write));
    let listener = tokio::net::TcpListener::bind(site.remote).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn series_kill9_a_server_whose_remote_store_is_away_sends_everything_when_it_is_back() {
    let site = Site::new().await;
    let mut pushed = 0;
    for _ in 0..2 {
        let mut server = site.serve().await;
        for _ in 0..20 {
            site.push(pushed).await;
            pushed += 1;
        }
        // Levels, screens and the rest work; the alarm names the store that is away.
        let alarms = site.until("/api/v1/alarms", |_, text| text.contains("series-remote")).await;
        assert!(alarms.contains(&site.remote.to_string()), "{alarms}");
        let path = "/api/v1/series/jiahetan.stage/observations?from=2026-07-15T08:00:00Z&to=2026-07-15T09:00:00Z";
        let shown = site.until(path, |status, _| status.is_success()).await;
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        // Polls without an answer are kept as well, as missing.
        let values = shown["points"].as_array().unwrap().iter().filter(|point| !point["v"].is_null()).count();
        assert_eq!(values as i64, pushed, "charts are drawn from this machine: {shown}");
        server.0.kill().unwrap();
        server.0.wait().unwrap();
    }
    let server = site.serve().await;
    let lines = remote_is_back(&site).await;
    site.until("/api/v1/alarms", |status, text| status.is_success() && !text.contains("series-remote")).await;
    let lines = lines.lock().unwrap().clone();
    let expected = |line: &String, pushed| line.contains(&format!("value={} ", value_of(pushed)));
    assert_eq!(lines.len() as i64, pushed, "{lines:#?}");
    assert!(lines.iter().zip(0..).all(|(line, pushed)| expected(line, pushed)), "not in order: {lines:#?}");
    drop(server);
    let log = std::fs::read_to_string(site.folder.path().join("log")).unwrap();
    let bad: Vec<_> = log.lines().filter(|line| line.contains("secret") || line.contains("panicked")).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}
