//! A site for measurements: `anlan field` and `anlan serve` as processes of their own, with an account for everyone.

use super::scratch::Scratch;
use crate::app::clock::wall_now;
use crate::app::reaches::reach_from;
use crate::model::{MemberId, UserName, UserRole};
use crate::store::users::{NewUser, SessionKind, USERS_SCHEMA, Users};
use crate::store::{Database, JOURNAL_SCHEMA, StoreDirectory, state_file};
use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Two officers, so that a level can be released.
pub(super) const OFFICERS: [&str; 2] = ["officer-a", "officer-b"];
/// Some hours before the flood of 1958 reaches level IV.
const FLOOD: &str = "1958-07";
const START: &str = "1958-07-10T06:00:00+08:00";
/// How long a server may take to be ready.
const PATIENCE: Duration = Duration::from_secs(60);
/// Ports of the works above the port of the gauges.
const WORK_PORTS: u16 = 4;

/// A running site; dropping it kills both processes and removes the folder.
pub(super) struct BenchSite {
    server: Child,
    _field: Child,
    _scratch: Scratch,
    http: reqwest::Client,
    base: String,
    tokens: BTreeMap<String, String>,
    /// Where the gauges listen.
    pub(super) gauges: SocketAddr,
    /// From the start of the process to the first good answer of `/readyz`, ms.
    pub(super) ready_ms: f64,
}

impl BenchSite {
    /// Starts devices and server in a fresh folder. Everyone who has the app gets a phone.
    pub(super) async fn start() -> Result<Self, Box<dyn Error>> {
        let scratch = Scratch::new(None)?;
        let data = scratch.path.join("data");
        let tokens = people(&data).await?;
        let (gauges, port) = (free_ports(WORK_PORTS)?, free_ports(0)?);
        let program = std::env::current_exe()?;
        let log = scratch.path.join("log");
        let mut field = Command::new(&program)
            .args(["field", "--json", "--flood", FLOOD, "--start", START, "--listen", &gauges.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log)?)
            .kill_on_drop(true)
            .spawn()?;
        let told = field.stdout.take().ok_or("no output of the devices")?;
        let first = tokio::time::timeout(PATIENCE, BufReader::new(told).lines().next_line()).await??;
        first.ok_or_else(|| format!("the devices did not start: {}", fs::read_to_string(&log).unwrap_or_default()))?;
        let config = scratch.path.join("anlan.toml");
        fs::write(&config, configuration(port, &data, gauges))?;
        let began = Instant::now();
        let server = Command::new(&program)
            .args(["serve", "--config"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .kill_on_drop(true)
            .spawn()?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        let base = format!("http://{port}");
        let ready_ms = ready(&http, &base, began, &log).await?;
        Ok(Self { server, _field: field, _scratch: scratch, http, base, tokens, gauges, ready_ms })
    }

    /// The process of the server.
    pub(super) fn pid(&self) -> String {
        self.server.id().map(|id| id.to_string()).unwrap_or_default()
    }

    /// Names of the phones' accounts: ids of members.
    pub(super) fn phones(&self) -> impl Iterator<Item = &str> {
        self.tokens.keys().map(String::as_str).filter(|name| !OFFICERS.contains(name))
    }

    pub(super) async fn get(&self, who: &str, path: &str) -> Result<Value, Box<dyn Error>> {
        let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(self.token(who)?);
        answer(request.send().await?).await
    }

    pub(super) async fn post(&self, who: &str, path: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(self.token(who)?);
        answer(request.json(body).send().await?).await
    }

    /// Opens the event stream of an account; its first event has come.
    pub(super) async fn listen(&self, who: &str) -> Result<Stream, Box<dyn Error>> {
        let request = self.http.get(format!("{}/api/v1/stream", self.base)).bearer_auth(self.token(who)?);
        let mut stream = Stream { reply: request.send().await?.error_for_status()?, tail: Vec::new() };
        stream.until("event: situation").await?;
        Ok(stream)
    }

    fn token(&self, who: &str) -> Result<&String, String> {
        self.tokens.get(who).ok_or_else(|| format!("no account {who}"))
    }
}

/// An open event stream.
pub(super) struct Stream {
    reply: reqwest::Response,
    tail: Vec<u8>,
}

impl Stream {
    /// The moment at which the bytes with these words arrived.
    pub(super) async fn until(&mut self, words: &str) -> Result<Instant, Box<dyn Error>> {
        self.until_either(words, words).await
    }

    /// The moment at which the bytes with the one or the other arrived.
    pub(super) async fn until_either(&mut self, one: &str, other: &str) -> Result<Instant, Box<dyn Error>> {
        loop {
            let chunk = self.reply.chunk().await?.ok_or("the stream ended")?;
            let at = Instant::now();
            self.tail.extend_from_slice(&chunk);
            let holds = |words: &str| self.tail.windows(words.len()).any(|window| window == words.as_bytes());
            let found = holds(one) || holds(other);
            // Words may be cut in two by the network; nothing older is needed.
            let kept = if found { 0 } else { one.len().max(other.len()) };
            let spent = self.tail.len().saturating_sub(kept);
            self.tail.drain(..spent);
            if found {
                return Ok(at);
            }
        }
    }
}

async fn answer(reply: reqwest::Response) -> Result<Value, Box<dyn Error>> {
    let status = reply.status();
    let text = reply.text().await?;
    if status.is_success() { Ok(serde_json::from_str(&text)?) } else { Err(format!("{status}: {text}").into()) }
}

/// Everyone of the demo reach who has the app, and the officers; gives a token for each.
async fn people(data: &Path) -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let reach = reach_from(None)?.reach;
    let operator = [("operator".to_owned(), UserRole::Operator, None)];
    let officers = OFFICERS.map(|name| (name.to_owned(), UserRole::Duty, None));
    let phones = reach.members().map(|member| (member.id.to_string(), UserRole::Member, Some(member.id.clone())));
    accounts(data, operator.into_iter().chain(officers).chain(phones).collect()).await
}

/// Makes accounts in a new data directory; gives a token for each but the operator.
pub(super) async fn accounts(
    data: &Path,
    everyone: Vec<(String, UserRole, Option<MemberId>)>,
) -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let _claimed = StoreDirectory::claim(data)?;
    let database = Database::open(&state_file(data), &[USERS_SCHEMA, JOURNAL_SCHEMA]).await?;
    let users = Users::new(database.clone());
    let mut tokens = BTreeMap::new();
    for (name, role, member) in everyone {
        users.add(NewUser { name: name.clone(), role, member, password: None }, wall_now()).await?;
        if role != UserRole::Operator {
            let opened = users.open_session(&UserName::new(&name), SessionKind::Device, wall_now()).await?;
            tokens.insert(name, opened.token.reveal().to_owned());
        }
    }
    database.close().await;
    Ok(tokens)
}

fn configuration(listen: SocketAddr, data: &Path, gauges: SocketAddr) -> String {
    format!(
        "listen = \"{listen}\"\ndata = {:?}\n[clock]\nkind = \"demo\"\nstart = \"{START}\"\nspeed = 1.0\n[field]\naddress = \"{gauges}\"\n[log]\nverbosity = \"warn\"\n",
        data.display().to_string()
    )
}

/// A port such that those above it are free as well, at the moment of asking.
fn free_ports(above: u16) -> Result<SocketAddr, Box<dyn Error>> {
    for _ in 0..100 {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = first.local_addr()?;
        let next = |step: u16| Some(TcpListener::bind((Ipv4Addr::LOCALHOST, address.port().checked_add(step)?)));
        if (1..=above).all(|step| matches!(next(step), Some(Ok(_)))) {
            return Ok(address);
        }
    }
    Err("no free ports on loopback (没有空闲端口)".into())
}

async fn ready(http: &reqwest::Client, base: &str, began: Instant, log: &Path) -> Result<f64, Box<dyn Error>> {
    loop {
        let reply = http.get(format!("{base}/readyz")).send().await;
        if reply.is_ok_and(|reply| reply.status().is_success()) {
            return Ok(began.elapsed().as_secs_f64() * 1e3);
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("the server is not ready:\n{}", fs::read_to_string(log).unwrap_or_default()).into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
