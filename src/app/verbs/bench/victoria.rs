//! VictoriaMetrics as a peer for comparison: started privately on loopback, fed over its own HTTP interface, ended afterwards.

use super::meter::{cpu_s, median, peak_rss_mb};
use super::workload::{START_MS, Workload};
use crate::model::Observation;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const PROGRAM: &str = "victoria-metrics";
/// Batches made before they are sent and timed together.
const BATCHES_A_ROUND: usize = 200;

/// What was measured of the peer.
#[derive(Debug, serde::Serialize)]
pub(super) struct PeerFigures {
    pub(super) version: String,
    pub(super) points: u64,
    /// Until the last batch was answered, which is before it is on disk.
    pub(super) points_per_s: f64,
    /// Until a flush after the last batch was done.
    pub(super) points_per_s_until_flushed: f64,
    pub(super) seconds: f64,
    pub(super) cpu_s: f64,
    pub(super) peak_rss_mb: f64,
    pub(super) bytes_per_point: f64,
    pub(super) query_30d_to_1min_ms: f64,
    pub(super) query_samples: usize,
}

/// A running peer; dropping it ends it.
struct Peer {
    child: Child,
    folder: PathBuf,
    address: String,
}

impl Peer {
    fn signal(&self, signal: &str) -> Result<(), Box<dyn Error>> {
        let sent = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status()?;
        if sent.success() { Ok(()) } else { Err(format!("cannot send {signal} to {PROGRAM}").into()) }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Writes the workload into a private VictoriaMetrics and asks the same question of it.
pub(super) async fn measure(
    folder: &Path,
    points: u64,
    batch: usize,
    mut load: Workload,
) -> Result<PeerFigures, Box<dyn Error>> {
    let peer = start(folder).await?;
    let pid = peer.child.id().to_string();
    let mut http = Http::connect(&peer.address).await?;
    let (mut seconds, mut written, mut last_ms) = (0.0, 0, START_MS);
    while written < points {
        // The peer stands still while its input is made: it may not work off earlier input in time that is not counted.
        peer.signal("STOP")?;
        let mut bodies = Vec::new();
        while bodies.len() < BATCHES_A_ROUND && written < points {
            let observations = load.batch(batch.min((points - written) as usize));
            last_ms = observations.last().map_or(last_ms, |o| o.at.timestamp_millis());
            written += observations.len() as u64;
            bodies.push(lines(&observations));
        }
        peer.signal("CONT")?;
        let began = Instant::now();
        for body in &bodies {
            http.post("/api/v2/write", body.as_bytes()).await?;
        }
        seconds += began.elapsed().as_secs_f64();
    }
    let began = Instant::now();
    http.get("/internal/force_flush").await?;
    let seconds_to_disk = seconds + began.elapsed().as_secs_f64();
    let cpu = cpu_s(&pid);
    let (query_ms, query_samples) = ask(&mut http, last_ms).await?;
    let peak = peak_rss_mb(&pid);
    http.get("/internal/force_merge").await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    http.get("/internal/force_flush").await?;
    Ok(PeerFigures {
        version: version(),
        points: written,
        points_per_s: written as f64 / seconds,
        points_per_s_until_flushed: written as f64 / seconds_to_disk,
        seconds,
        cpu_s: cpu,
        peak_rss_mb: peak,
        bytes_per_point: folder_bytes(&peer.folder) as f64 / written as f64,
        query_30d_to_1min_ms: query_ms,
        query_samples,
    })
}

async fn start(folder: &Path) -> Result<Peer, Box<dyn Error>> {
    let folder = folder.join("victoria-metrics");
    std::fs::create_dir_all(&folder)?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let address = format!("127.0.0.1:{port}");
    let child = Command::new(PROGRAM)
        .arg(format!("-httpListenAddr={address}"))
        .arg(format!("-storageDataPath={}", folder.display()))
        .args(["-retentionPeriod=100y", "-search.maxPointsPerTimeseries=200000", "-loggerLevel=ERROR"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|cause| format!("cannot start {PROGRAM} ({cause}); install it: apt-get install victoria-metrics"))?;
    let peer = Peer { child, folder, address };
    for _ in 0..200 {
        if let Ok(mut http) = Http::connect(&peer.address).await
            && http.get("/health").await.is_ok()
        {
            return Ok(peer);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(format!("{PROGRAM} did not answer on {} within 10 s", peer.address).into())
}

/// The same question as our own: means of one minute of series 0 over the whole span; median of several, ms.
async fn ask(http: &mut Http, last_ms: i64) -> Result<(f64, usize), Box<dyn Error>> {
    let query = format!(
        "/api/v1/query_range?query=avg_over_time(r_v%7Bs%3D%22bench0000.stage%22%7D%5B1m%5D)&start={}&end={}&step=60&nocache=1",
        START_MS / 1000 + 60,
        last_ms / 1000
    );
    let (mut measured, mut samples) = (Vec::new(), 0);
    for _ in 0..9 {
        let began = Instant::now();
        let body = http.get(&query).await?;
        measured.push(began.elapsed().as_secs_f64() * 1000.0);
        samples = body.matches("],[").count() + 1;
    }
    Ok((median(measured), samples))
}

/// One point a line, time in ns.
fn lines(observations: &[Observation]) -> String {
    let mut body = String::with_capacity(observations.len() * 56);
    for o in observations {
        let _ = writeln!(body, "r,s={} v={} {}", o.series, o.value, o.at.timestamp_millis() * 1_000_000);
    }
    body
}

fn version() -> String {
    let said = Command::new("dpkg-query").args(["-W", "-f=${Version}", PROGRAM]).output();
    said.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned()).unwrap_or_default()
}

fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => folder_bytes(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

/// HTTP/1.1 on one kept connection, as little as the measurement needs: no client library sits in the figure.
struct Http {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Http {
    async fn connect(address: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::with_capacity(1 << 16, stream), host: address.to_owned() })
    }
    async fn get(&mut self, path: &str) -> Result<String, Box<dyn Error>> {
        self.exchange(format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host), &[]).await
    }
    async fn post(&mut self, path: &str, body: &[u8]) -> Result<String, Box<dyn Error>> {
        let head = format!("POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n", self.host, body.len());
        self.exchange(head, body).await
    }
    async fn exchange(&mut self, head: String, body: &[u8]) -> Result<String, Box<dyn Error>> {
        self.stream.write_all(head.as_bytes()).await?;
        self.stream.write_all(body).await?;
        self.stream.flush().await?;
        let status = self.line().await?;
        let (mut length, mut chunked) = (0, false);
        loop {
            let line = self.line().await?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            chunked |= line.starts_with("transfer-encoding:") && line.contains("chunked");
        }
        let body = if chunked { self.chunks().await? } else { self.exactly(length).await? };
        let text = String::from_utf8(body)?;
        match status.split(' ').nth(1) {
            Some(code) if code.starts_with('2') => Ok(text),
            _ => Err(format!("{PROGRAM} answered {status}: {text}").into()),
        }
    }
    async fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
    async fn exactly(&mut self, length: usize) -> std::io::Result<Vec<u8>> {
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(body)
    }
    async fn chunks(&mut self) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut body = Vec::new();
        loop {
            let length = usize::from_str_radix(self.line().await?.trim(), 16)?;
            body.extend(self.exactly(length).await?);
            self.line().await?;
            if length == 0 {
                return Ok(body);
            }
        }
    }
}
