//! A store that is a process of its own and is spoken to by HTTP: started privately on loopback, fed, asked, restarted, ended.
//!
//! What differs between them is a [`Dialect`]; what is done to them is the same for all.

use super::super::meter::{cpu_s, median, peak_rss_mb};
use super::figures::{ASKED, Answered, Figures, Plan, Question, Span};
use super::http::Http;
use crate::app::verbs::bench::workload::Workload;
use crate::model::Observation;
use async_trait::async_trait;
use std::error::Error;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Batches made before they are sent and timed together.
const BATCHES_A_ROUND: usize = 200;
/// How long a store may take to be ready, to end, or to come to rest.
const PATIENCE: Duration = Duration::from_secs(120);
/// Files that have not changed for so long are at rest.
const REST: Duration = Duration::from_secs(5);

/// How a store is started and spoken to.
#[async_trait(?Send)]
pub(super) trait Dialect {
    /// As the report names it.
    fn name(&self) -> &'static str;
    /// The command that runs it on its files in `folder`; with `compress` it compresses them as soon as nobody writes.
    fn command(&self, folder: &Path, address: &str, compress: bool) -> Result<Command, Box<dyn Error>>;
    /// Further lines of every request.
    fn head(&self) -> String {
        String::new()
    }
    /// A path that answers well when it is ready.
    fn ready(&self) -> &'static str;
    /// What it needs before the first batch.
    async fn prepare(&self, _http: &mut Http) -> Result<(), Box<dyn Error>> {
        Ok(())
    }
    /// Where batches go.
    fn write(&self) -> &'static str;
    /// A batch as it takes them.
    fn body(&self, points: &[Observation]) -> String;
    /// Waits until everything answered is on disk.
    async fn settle(&self, _http: &mut Http) -> Result<(), Box<dyn Error>> {
        Ok(())
    }
    /// Compresses what it has, as it does by itself in time.
    async fn compress(&self, served: &mut Served<'_>) -> Result<(), Box<dyn Error>>;
    /// Bytes of its files.
    fn bytes(&self, folder: &Path) -> u64 {
        folder_bytes(folder)
    }
    /// The path of a question.
    fn ask(&self, question: Question, load: &Workload, span: Span) -> Result<String, Box<dyn Error>>;
    /// Samples in an answer.
    fn samples(&self, question: Question, answer: &str) -> usize;
    /// Points that it holds.
    async fn points(&self, served: &mut Served<'_>, span: Span) -> Result<u64, Box<dyn Error>>;
}

/// A running store; dropping it ends it and removes its files.
pub(super) struct Served<'a> {
    pub(super) dialect: &'a dyn Dialect,
    child: Child,
    pub(super) folder: PathBuf,
    address: String,
    pub(super) http: Http,
}

impl<'a> Served<'a> {
    /// Starts it in a folder of its own, on new files.
    pub(super) async fn start(dialect: &'a dyn Dialect, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let folder = folder.to_owned();
        std::fs::create_dir_all(&folder)?;
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let (child, http) = run(dialect, &folder, &address, false).await?;
        let mut served = Self { dialect, child, folder, address, http };
        dialect.prepare(&mut served.http).await?;
        Ok(served)
    }
    /// Its process.
    pub(super) fn pid(&self) -> String {
        self.child.id().to_string()
    }
    /// Sends a batch and waits for the answer.
    pub(super) async fn write(&mut self, body: &str) -> Result<(), Box<dyn Error>> {
        self.http.post(self.dialect.write(), body.as_bytes()).await.map(drop)
    }
    /// Ends it in order.
    pub(super) fn stop(&mut self) -> Result<(), Box<dyn Error>> {
        self.signal("TERM")?;
        let began = Instant::now();
        while self.child.try_wait()?.is_none() {
            if began.elapsed() > PATIENCE {
                return Err(format!("{} does not end", self.dialect.name()).into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
    /// Starts it again on its files; ms until it is ready.
    pub(super) async fn start_again(&mut self, compress: bool) -> Result<f64, Box<dyn Error>> {
        // It may be dead already, or about to be.
        let _ = self.child.wait();
        let began = Instant::now();
        (self.child, self.http) = run(self.dialect, &self.folder, &self.address, compress).await?;
        Ok(began.elapsed().as_secs_f64() * 1e3)
    }
    /// Waits until its files have not changed for a while.
    pub(super) async fn rest(&self) -> Result<(), Box<dyn Error>> {
        let began = Instant::now();
        let (mut since, mut known) = (Instant::now(), self.dialect.bytes(&self.folder));
        while since.elapsed() < REST && began.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let now = self.dialect.bytes(&self.folder);
            if now != known {
                (since, known) = (Instant::now(), now);
            }
        }
        Ok(())
    }
    /// Sends a signal by name.
    pub(super) fn signal(&self, signal: &str) -> Result<(), Box<dyn Error>> {
        let sent = Command::new("kill").args(["-s", signal, &self.pid()]).status()?;
        if sent.success() { Ok(()) } else { Err(format!("cannot send {signal} to {}", self.dialect.name()).into()) }
    }
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn run(
    dialect: &dyn Dialect,
    folder: &Path,
    address: &str,
    compress: bool,
) -> Result<(Child, Http), Box<dyn Error>> {
    let mut command = dialect.command(folder, address, compress)?;
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.spawn().map_err(|cause| format!("cannot start {}: {cause}", dialect.name()))?;
    let began = Instant::now();
    loop {
        if let Ok(mut http) = Http::connect(address, &dialect.head()).await
            && http.get(dialect.ready()).await.is_ok()
        {
            return Ok((child, http));
        }
        if let Some(status) = child.try_wait()? {
            return Err(format!("{} ended early: {status}", dialect.name()).into());
        }
        if began.elapsed() > PATIENCE {
            let _ = child.kill();
            return Err(format!("{} did not answer on {address}", dialect.name()).into());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Writes the plan into it and asks.
pub(super) async fn measure(dialect: &dyn Dialect, folder: &Path, plan: &Plan) -> Result<Figures, Box<dyn Error>> {
    let mut served = Served::start(dialect, folder).await?;
    let mut load = plan.workload();
    let started = cpu_s(&served.pid());
    let (mut written, mut seconds, mut slowest) = (0, 0.0, 0.0f64);
    while written < plan.points {
        // It stands still while its input is made: it may not work off earlier input in time that is not counted.
        served.signal("STOP")?;
        let mut bodies = Vec::new();
        while bodies.len() < BATCHES_A_ROUND && written < plan.points {
            let points = load.batch(plan.next(written));
            written += points.len() as u64;
            bodies.push(dialect.body(&points));
        }
        served.signal("CONT")?;
        for body in &bodies {
            let began = Instant::now();
            served.write(body).await?;
            let took = began.elapsed().as_secs_f64();
            seconds += took;
            slowest = slowest.max(took);
        }
    }
    let began = Instant::now();
    dialect.settle(&mut served.http).await?;
    let seconds_to_disk = seconds + began.elapsed().as_secs_f64();
    let (cpu, peak) = (cpu_s(&served.pid()) - started, peak_rss_mb(&served.pid()));
    let running = dialect.bytes(&served.folder);
    served.stop()?;
    let reopen_ms = served.start_again(false).await?;
    let span = Span::of(&load);
    let answers = ask(&mut served, &load, span).await?;
    dialect.compress(&mut served).await?;
    let bytes = dialect.bytes(&served.folder);
    let found = dialect.points(&mut served, span).await?;
    if found != written {
        return Err(format!("{}: {written} points were acknowledged, {found} are stored", dialect.name()).into());
    }
    let each = |bytes: u64| bytes as f64 / written as f64;
    Ok(Figures {
        points: written,
        points_per_s: written as f64 / seconds,
        points_per_s_on_disk: written as f64 / seconds_to_disk,
        seconds,
        slowest_batch_ms: slowest * 1e3,
        cpu_s: cpu,
        peak_rss_mb: peak,
        bytes_per_point_running: each(running),
        bytes_per_point: each(bytes),
        answers,
        reopen_ms,
    })
}

async fn ask(served: &mut Served<'_>, load: &Workload, span: Span) -> Result<Vec<Answered>, Box<dyn Error>> {
    let mut answers = Vec::new();
    for question in Question::ALL {
        let path = served.dialect.ask(question, load, span)?;
        let (mut times, mut samples) = (Vec::new(), 0);
        for _ in 0..ASKED {
            let began = Instant::now();
            let answer = served.http.get(&path).await?;
            times.push(began.elapsed().as_secs_f64() * 1e3);
            samples = served.dialect.samples(question, &answer);
        }
        answers.push(Answered { question: question.words(), ms: median(times), samples });
    }
    Ok(answers)
}

/// Bytes that all files below a folder take on the disk: some are longer than what is in them.
fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => folder_bytes(&entry.path()),
        Ok(meta) => meta.blocks() * 512,
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}
