//! A server is killed with SIGKILL at random moments while a level is released, members answer, hazards are reported and
//! readings are pushed: nothing that was answered may be lost, no task and no report may be doubled.
//!
//! `ANLAN_KILLS=100` sets the number of kills (default 3), `ANLAN_SEED` the moments.

use anlan::app::clock::wall_now;
use anlan::model::{MemberId, UserName, UserRole};
use anlan::store::users::{NewUser, SessionKind, USERS_SCHEMA, Users};
use anlan::store::{Database, JOURNAL_SCHEMA, StoreDirectory, state_file};
use chrono::{DateTime, TimeDelta, Utc};
use rand::{RngExt, SeedableRng};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Members with phones; all of them own tasks at this discharge.
const MEMBERS: usize = 12;
const DISCHARGE_M3S: f64 = 22_000.0;
const SERIES: &str = "jiahetan.stage";
const START: &str = "2026-07-15T08:00:00Z";

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn journal_kill9_loses_nothing_that_was_answered_and_doubles_nothing() {
    let (kills, seed) = (number("ANLAN_KILLS", 3), number("ANLAN_SEED", 1));
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut answered = 0;
    for kill in 0..kills {
        // The first comes late, so that every run has seen answers; the others from before the release to long after.
        let after = Duration::from_micros(if kill == 0 { 1_500_000 } else { random.random_range(0..1_200_000) });
        let promised = killed_and_examined(after)
            .await
            .unwrap_or_else(|fault| panic!("kill {kill} of {kills} after {after:?} (ANLAN_SEED={seed}): {fault}"));
        println!("kill {kill} after {after:?}: {promised} answers, all there");
        answered += promised;
    }
    assert!(answered > 100, "{answered} answers before the kills: nothing was tested");
}

/// One life of a server, its end, and what the next one finds. Gives the number of answers that had to hold.
async fn killed_and_examined(after: Duration) -> Result<usize, String> {
    let temp = tempfile::tempdir().unwrap();
    let site = Site::new(temp.path()).await;
    let mut server = site.serve().await;
    let activation = site.asked().await;
    let load = tokio::spawn(site.clone().load(activation.clone()));
    tokio::time::sleep(after).await;
    server.0.kill().unwrap();
    server.0.wait().unwrap();
    let said = load.await.unwrap();
    let server = site.serve().await;
    site.examine(&activation, &said).await?;
    drop(server);
    let verified = Command::new(env!("CARGO_BIN_EXE_anlan"))
        .args(["journal", "verify", "--replay", "--data"])
        .arg(temp.path().join("data"))
        .output()
        .unwrap();
    if !verified.status.success() {
        return Err(format!("journal: {}", String::from_utf8_lossy(&verified.stderr)));
    }
    Ok(said.iter().filter(|one| one.answer.is_some()).count())
}

/// A change that was asked for, and what came back before the server died.
#[derive(Debug, Clone)]
struct Said {
    who: String,
    path: String,
    key: String,
    body: Value,
    answer: Option<Value>,
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Clone)]
struct Site {
    folder: std::path::PathBuf,
    base: String,
    tokens: BTreeMap<String, String>,
    http: Client,
}

impl Site {
    async fn new(folder: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let data = folder.join("data");
        let config = format!(
            "listen = \"127.0.0.1:{port}\"\ndata = \"data\"\n[clock]\nkind = \"demo\"\nstart = \"{START}\"\nspeed = 1.0\n[field]\naddress = \"127.0.0.1:9\"\n"
        );
        fs::write(folder.join("anlan.toml"), config).unwrap();
        let tokens = accounts(&data).await;
        let base = format!("http://127.0.0.1:{port}/api/v1");
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { folder: folder.to_owned(), base, tokens, http: Client::builder().no_proxy().build().unwrap() }
    }

    async fn serve(&self) -> Server {
        let log = fs::File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
        command.args(["serve", "--config"]).arg(self.folder.join("anlan.toml"));
        let server = Server(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
        let began = Instant::now();
        let ready = self.base.replace("/api/v1", "/readyz");
        while !self.http.get(&ready).send().await.is_ok_and(|reply| reply.status().is_success()) {
            let log = || fs::read_to_string(self.folder.join("log")).unwrap();
            assert!(began.elapsed() < Duration::from_secs(60), "not ready:\n{}", log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        server
    }

    fn members(&self) -> impl Iterator<Item = &String> {
        self.tokens.keys().filter(|name| name.starts_with("mbr-"))
    }

    async fn get(&self, who: &str, path: &str) -> Option<Value> {
        let reply = self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.tokens[who]).send().await.ok()?;
        reply.json().await.ok()
    }

    /// Sends a change; `None` when the server died before it had answered.
    async fn send(&self, one: &Said) -> Option<(StatusCode, Value)> {
        let request = self.http.post(format!("{}{}", self.base, one.path)).bearer_auth(&self.tokens[&one.who]);
        let reply = request.header("idempotency-key", &one.key).json(&one.body).send().await.ok()?;
        let status = reply.status();
        Some((status, reply.json().await.ok()?))
    }

    /// Sends it and remembers what was answered; a refusal is a fault of this test.
    async fn say(&self, who: &str, path: String, key: String, body: Value) -> Said {
        let mut one = Said { who: who.to_owned(), path, key, body, answer: None };
        if let Some((status, answer)) = self.send(&one).await {
            assert!(status.is_success(), "{one:?}: {status} {answer}");
            one.answer = Some(answer);
        }
        one
    }

    /// The first officer asks for the level of the discharge.
    async fn asked(&self) -> String {
        let preview = json!({ "discharge_m3s": DISCHARGE_M3S });
        let preview = self.say("officer-a", "/preview".into(), "preview".into(), preview).await.answer.unwrap();
        let ask = json!({ "level": preview["level"], "reason": "kill -9", "preview_id": preview["id"] });
        let asked = self.say("officer-a", "/activations".into(), "ask".into(), ask).await.answer.unwrap();
        asked["id"].as_str().unwrap().to_owned()
    }

    /// The second officer confirms, members answer and report, readings come in; all at once, until the server is dead.
    async fn load(self, activation: String) -> Vec<Said> {
        let mut clients = tokio::task::JoinSet::new();
        let site = self.clone();
        clients.spawn(async move {
            vec![site.say("officer-b", format!("/activations/{activation}/confirm"), "confirm".into(), json!({})).await]
        });
        let site = self.clone();
        clients.spawn(async move { site.push_readings().await });
        for member in self.members() {
            let (site, member) = (self.clone(), member.clone());
            clients.spawn(async move { site.answer_and_report(&member).await });
        }
        clients.join_all().await.into_iter().flatten().collect()
    }

    async fn push_readings(&self) -> Vec<Said> {
        let start: DateTime<Utc> = START.parse().unwrap();
        let mut said: Vec<Said> = Vec::new();
        for n in 1..=60_i32 {
            let time = start - TimeDelta::minutes(61) + TimeDelta::minutes(i64::from(n));
            let body = json!([{ "series": SERIES, "time": time, "value": 70.0 + f64::from(n) / 1000.0 }]);
            said.push(self.say("hydrologist", "/readings".into(), format!("reading-{n}"), body).await);
            if said.last().unwrap().answer.is_none() {
                break;
            }
        }
        said
    }

    async fn answer_and_report(&self, member: &str) -> Vec<Said> {
        let mut said = Vec::new();
        for round in 0.. {
            let Some(list) = self.get(member, "/tasks").await else { break };
            for task in list["items"].as_array().unwrap() {
                let id = task["id"].as_str().unwrap();
                if matches!(task["status"].as_str().unwrap(), "issued" | "delivered") {
                    said.push(
                        self.say(member, format!("/tasks/{id}/acknowledge"), format!("ack-{id}"), json!({})).await,
                    );
                }
            }
            let report = json!({
                "kind": "hazard", "type": "crack", "grade": 1, "place": { "chainage": 3_200, "side": "water" },
                "observed_at": START, "text": format!("{member} {round}"),
            });
            said.push(self.say(member, "/reports".into(), format!("report-{round}"), report).await);
            if said.last().unwrap().answer.is_none() {
                break;
            }
        }
        said
    }

    /// What the next server must know; everything that was not answered is sent again, with the same key.
    async fn examine(&self, activation: &str, said: &[Said]) -> Result<(), String> {
        let before = self.tasks().await;
        for one in said.iter().filter(|one| one.answer.is_some() && one.path.ends_with("/acknowledge")) {
            let id = one.path.split('/').nth(2).unwrap();
            let status = before.get(id).map(|task| task["status"].as_str().unwrap());
            if !matches!(status, Some("acknowledged")) {
                return Err(format!("{id} was acknowledged and is {status:?}"));
            }
        }
        let state = self.get("officer-a", &format!("/activations/{activation}")).await.unwrap()["state"].clone();
        let confirmed = said.iter().any(|one| one.key == "confirm" && one.answer.is_some());
        if confirmed && state != "confirmed" {
            return Err(format!("the confirmation was answered, the activation is {state}"));
        }
        for one in said {
            let (status, answer) = self.send(one).await.ok_or("the second server died")?;
            if !status.is_success() {
                return Err(format!("{one:?} sent again: {status} {answer}"));
            }
            if one.answer.as_ref().is_some_and(|first| *first != answer) && !one.path.ends_with("/readings") {
                return Err(format!("{one:?} sent again: another answer {answer}"));
            }
        }
        let after = self.tasks().await;
        if let Some(lost) = before.keys().find(|id| !after.contains_key(*id)) {
            return Err(format!("task {lost} is gone"));
        }
        self.nothing_doubled(&after, said).await
    }

    async fn nothing_doubled(&self, tasks: &BTreeMap<String, Value>, said: &[Said]) -> Result<(), String> {
        let released: Vec<_> = tasks.values().filter(|task| task["status"] != "draft").collect();
        let told: BTreeSet<_> =
            released.iter().map(|task| (task["code"].to_string(), task["place"].to_string())).collect();
        if released.len() < 1_000 {
            return Err(format!("{} tasks after the second confirmation", released.len()));
        }
        let latched = |code: &str| !code.starts_with("\"H");
        let once = told.iter().filter(|(code, _)| latched(code)).count();
        let all = released.iter().filter(|task| latched(&task["code"].to_string())).count();
        if once != all {
            return Err(format!("{all} tasks for {once} matters"));
        }
        let reports = self.get("officer-a", "/reports").await.unwrap();
        let mut texts: Vec<_> =
            reports["items"].as_array().unwrap().iter().map(|one| one["text"].to_string()).collect();
        texts.sort();
        let mut sent: Vec<_> =
            said.iter().filter(|one| one.path == "/reports").map(|one| one.body["text"].to_string()).collect();
        sent.sort();
        if texts != sent {
            return Err(format!("{} reports were sent, {} are there", sent.len(), texts.len()));
        }
        let path = format!("/series/{SERIES}/observations?from=2026-07-15T00:00:00Z&to={START}");
        let found = self.get("officer-a", &path).await.unwrap();
        let found = found["points"].as_array().ok_or(found.to_string())?.len();
        let pushed = said.iter().filter(|one| one.path == "/readings").count();
        if found != pushed {
            return Err(format!("{pushed} readings were pushed, {found} are there"));
        }
        Ok(())
    }

    async fn tasks(&self) -> BTreeMap<String, Value> {
        let (mut tasks, mut after) = (BTreeMap::new(), String::new());
        loop {
            let page = self.get("officer-a", &format!("/tasks?limit=5000{after}")).await.unwrap();
            for task in page["items"].as_array().unwrap() {
                tasks.insert(task["id"].as_str().unwrap().to_owned(), task.clone());
            }
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return tasks,
            }
        }
    }
}

/// Two officers, a hydrologist and some members, each with a token.
async fn accounts(data: &Path) -> BTreeMap<String, String> {
    let _claimed = StoreDirectory::claim(data).unwrap();
    let database = Database::open(&state_file(data), &[USERS_SCHEMA, JOURNAL_SCHEMA]).await.unwrap();
    let users = Users::new(database.clone());
    let mut everyone = vec![("boss".to_owned(), UserRole::Operator, None)];
    everyone.extend(["officer-a", "officer-b"].map(|name| (name.to_owned(), UserRole::Duty, None)));
    everyone.push(("hydrologist".to_owned(), UserRole::Hydrologist, None));
    everyone.extend((101..).take(MEMBERS).map(|n| {
        let id = MemberId::new(format!("mbr-{n}"));
        (id.to_string(), UserRole::Member, Some(id))
    }));
    let mut tokens = BTreeMap::new();
    for (name, role, member) in everyone {
        users.add(NewUser { name: name.clone(), role, member, password: None }, wall_now()).await.unwrap();
        let opened = users.open_session(&UserName::new(&name), SessionKind::Device, wall_now()).await.unwrap();
        tokens.insert(name, opened.token.reveal().to_owned());
    }
    database.close().await;
    tokens
}
