//! `anlan serve` as its operator meets it: closed door, set-up, limits, a second server, a revoked phone, backup, stop.

use futures::StreamExt;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

const PASSWORD: &str = "花园口 大堤 1958";
const SCRAPE_TOKEN: &str = "a-scraper-on-another-machine";
const LIMIT: Duration = Duration::from_secs(60);

fn anlan(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
    command.args(args).current_dir(dir).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

async fn ok(dir: &Path, args: &[&str]) -> String {
    let output = anlan(dir, args).output().await.unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

async fn refused(dir: &Path, args: &[&str]) -> String {
    let output = timeout(LIMIT, anlan(dir, args).output()).await.expect("a refusal comes at once").unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A site whose devices nobody answers for, so that nothing but the server runs.
fn configure(dir: &Path, name: &str, listen: &str, data: &str, more: &str) {
    let text = format!("listen = \"{listen}\"\ndata = \"{data}\"\n[field]\naddress = \"127.0.0.1:9\"\n{more}");
    fs::write(dir.join(name), text).unwrap();
}

/// Starts `serve`; returns it with the set-up link that it prints.
async fn serve(dir: &Path, config: &str) -> (Child, String) {
    let log = fs::File::options().create(true).append(true).open(dir.join("log")).unwrap();
    let mut child = anlan(dir, &["serve", "--config", config]).stderr(log).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let link = timeout(LIMIT, async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with("http://") {
                return line;
            }
        }
        panic!("no link: {}", fs::read_to_string(dir.join("log")).unwrap())
    });
    (child, link.await.expect("the server starts"))
}

/// Adds an account of that role and logs it in by a link; gives its session's token.
async fn phone_of(dir: &Path, client: &Client, session: &str, name: &str, role: &str) -> String {
    ok(dir, &["user", "add", name, "--role", role, "--no-password", "--data", "data"]).await;
    let link: Value =
        serde_json::from_str(&ok(dir, &["user", "link", name, "--data", "data", "--json"]).await).unwrap();
    let body = json!({"token": link["token"], "device": true});
    let opened: Value = client.post(session).json(&body).send().await.unwrap().json().await.unwrap();
    opened["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn serving_from_closed_door_to_orderly_stop() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let limits = "[limits]\nbody_bytes = 2048\nstreams = 2\n";
    configure(dir, "a.toml", "127.0.0.1:0", "data", &format!("{limits}[metrics]\nscrape_token = '{SCRAPE_TOKEN}'\n"));
    let (mut server, link) = serve(dir, "a.toml").await;
    let (base, token) = link.split_once("/setup?token=").unwrap();
    let at = |path: &str| format!("{base}{path}");
    // Plain HTTP, but the client is built with TLS and asks for one crypto provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::new();

    // The door is closed but for set-up and health.
    for probe in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(client.get(at(probe)).send().await.unwrap().status(), StatusCode::OK, "{probe}");
    }
    for path in ["/api/v1/situation", "/api/v1/openapi.json", "/api/v1/members"] {
        assert_eq!(client.get(at(path)).send().await.unwrap().status(), StatusCode::FORBIDDEN, "{path}");
    }
    // What the set-up page itself needs is open, and nothing that only looks like it.
    for path in ["/icon.svg", "/manifest.webmanifest", "/sw.js"] {
        assert_eq!(client.get(at(path)).send().await.unwrap().url().path(), path, "{path}");
    }
    for path in ["/hq", "/patrol", "/favicon.svg", "/icons/x.png"] {
        assert_eq!(client.get(at(path)).send().await.unwrap().url().path(), "/setup", "{path}");
    }
    let set_up = async |token: &str| {
        let body = json!({"token": token, "name": "boss", "password": PASSWORD});
        client.post(at("/api/v1/setup")).json(&body).send().await.unwrap()
    };
    assert_eq!(set_up(&"x".repeat(43)).await.status(), StatusCode::UNAUTHORIZED);
    let reply = set_up(token).await;
    assert_eq!(reply.status(), StatusCode::OK);
    let cookie = reply.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains("Secure"),
        "{cookie}"
    );
    let boss = reply.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned();
    assert_eq!(set_up(token).await.status(), StatusCode::CONFLICT, "once");
    assert_eq!(client.get(at("/api/v1/situation")).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);

    // Behind a proxy that took the request over TLS the cookie stays on TLS.
    let login = json!({"name": "boss", "password": PASSWORD});
    let by_tls =
        client.post(at("/api/v1/session")).header("x-forwarded-proto", "https").json(&login).send().await.unwrap();
    assert!(by_tls.headers()["set-cookie"].to_str().unwrap().contains("Secure"));

    // A body beyond the site's limit.
    let large = json!({"name": "boss", "password": "x".repeat(4096)});
    let reply = client.post(at("/api/v1/session")).json(&large).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(reply.headers()["content-type"].to_str().unwrap().contains("problem+json"));

    // What is wrong with a login or an address is said in words, in both languages.
    let told = async |request: reqwest::RequestBuilder| -> String {
        let reply = request.send().await.unwrap();
        assert!(
            reply.status().is_client_error() && reply.headers()["content-type"].to_str().unwrap().contains("problem")
        );
        reply.text().await.unwrap()
    };
    let neither = told(client.post(at("/api/v1/session")).json(&json!({"name": "boss"}))).await;
    assert!(neither.contains("须有 name 和 password") && neither.contains("or a token"), "{neither}");
    let page = told(client.get(at("/api/v1/tasks?limit=many")).bearer_auth(&boss)).await;
    assert!(page.contains("网址中的参数有误") && page.contains("limit"), "{page}");

    // A second server on the directory, and one on the port.
    let pid = server.id().unwrap();
    let words = refused(dir, &["serve", "--config", "a.toml"]).await;
    assert!(words.contains(&format!("in use by process {pid}")), "{words}");
    configure(dir, "b.toml", base.strip_prefix("http://").unwrap(), "other", "");
    let words = refused(dir, &["serve", "--config", "b.toml"]).await;
    assert!(words.contains("cannot listen on 127.0.0.1") && words.contains("端口被占用"), "{words}");

    // A phone comes in by a link, and is lost.
    ok(dir, &["user", "add", "wang", "--role", "viewer", "--no-password", "--data", "data"]).await;
    let link: Value =
        serde_json::from_str(&ok(dir, &["user", "link", "wang", "--data", "data", "--json"]).await).unwrap();
    let body = json!({"token": link["token"], "device": true});
    let phone: Value = client.post(at("/api/v1/session")).json(&body).send().await.unwrap().json().await.unwrap();
    let phone = phone["token"].as_str().unwrap();
    let open = async |token: &str| client.get(at("/api/v1/stream")).bearer_auth(token).send().await.unwrap();
    let (stream, other) = (open(phone).await, open(&boss).await);
    assert_eq!((stream.status(), other.status()), (StatusCode::OK, StatusCode::OK));
    assert_eq!(open(&boss).await.status(), StatusCode::TOO_MANY_REQUESTS, "as many streams as the site allows");
    ok(dir, &["user", "revoke", "wang", "--data", "data"]).await;
    let mut bytes = stream.bytes_stream();
    timeout(LIMIT, async { while let Some(Ok(_)) = bytes.next().await {} }).await.expect("the open stream ends too");
    assert_eq!(open(phone).await.status(), StatusCode::UNAUTHORIZED);

    // The metrics: this machine itself, else the scrape token, an operator or an auditor; a proxy is nobody.
    let scrape = async |forwarded: bool, token: Option<&str>| {
        let mut request = client.get(at("/metrics"));
        if forwarded {
            request = request.header("x-forwarded-for", "203.0.113.9");
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap().status()
    };
    let viewer = phone_of(dir, &client, &at("/api/v1/session"), "zhao", "viewer").await;
    let auditor = phone_of(dir, &client, &at("/api/v1/session"), "sun", "auditor").await;
    assert_eq!(scrape(false, None).await, StatusCode::OK);
    assert_eq!(scrape(true, None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(scrape(true, Some("a-scraper-on-another-machin")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(scrape(true, Some(&viewer)).await, StatusCode::FORBIDDEN);
    for token in [SCRAPE_TOKEN, boss.as_str(), auditor.as_str()] {
        assert_eq!(scrape(true, Some(token)).await, StatusCode::OK);
    }

    // Somebody guesses from the street, and somebody types the password into the field of the name.
    let guess = async |name: &str, password: &str| {
        let request = client.post(at("/api/v1/session")).header("x-forwarded-for", "203.0.113.66");
        request.json(&json!({"name": name, "password": password})).send().await.unwrap().status()
    };
    for _ in 0..5 {
        assert_eq!(guess("boss", "guessed-in-vain").await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(guess("boss", PASSWORD).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(guess("typed-in-the-wrong-field", "x").await, StatusCode::UNAUTHORIZED);

    // A backup meanwhile, then an orderly stop.
    ok(dir, &["backup", "--data", "data", "--to", "copy"]).await;
    assert!(dir.join("copy/series.db").is_file() && dir.join("copy/manifest.json").is_file());
    drop(other);
    assert!(Command::new("kill").args(["-TERM", &pid.to_string()]).status().await.unwrap().success());
    let ended = timeout(LIMIT, server.wait()).await.expect("SIGTERM ends the server").unwrap();
    assert!(ended.success(), "{ended}");
    let log = fs::read_to_string(dir.join("log")).unwrap();
    let door: Vec<_> = log.lines().filter(|line| line.contains("[door]")).collect();
    let counted = |words: &str| door.iter().filter(|line| line.contains(words)).count();
    assert_eq!(counted("登录失败 (a login failed) name=boss address=203.0.113.66"), 5, "{door:?}");
    assert_eq!((counted("登录已锁定"), counted("name=未知 (no account)")), (1, 1), "{door:?}");
    let typed = ["guessed-in-vain", "typed-in-the-wrong-field"];
    assert!(!typed.iter().any(|typed| log.contains(typed)), "{door:?}");
    for secret in [PASSWORD, SCRAPE_TOKEN, token, &boss, phone, link["token"].as_str().unwrap()] {
        assert!(!log.contains(secret), "a secret is in the log:\n{log}");
    }
    assert!(!log.contains("panicked") && !log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn serving_refuses_bad_configuration_and_unwritable_places() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    fs::write(dir.join("plain"), "a file").unwrap();
    configure(dir, "file.toml", "127.0.0.1:0", "plain/data", "");
    configure(dir, "key.toml", "127.0.0.1:0", "data", "colour = \"red\"\n");
    configure(dir, "reach.toml", "127.0.0.1:0", "data", "");
    let text = fs::read_to_string(dir.join("reach.toml")).unwrap();
    fs::write(dir.join("reach.toml"), text.replace("[field]", "playbook = \"nowhere\"\n[field]")).unwrap();
    for (config, word) in [
        ("file.toml", "plain/data"),
        ("key.toml", "key.toml:5:1: "),
        ("reach.toml", "nowhere"),
        ("absent.toml", "absent.toml"),
    ] {
        let words = refused(dir, &["serve", "--config", config]).await;
        assert!(words.contains(word) && !words.contains("panicked"), "{config}: {words}");
    }
}

/// The demo in one process: its address and what logs each account in, by role.
async fn demo(dir: &Path, more: &[&str]) -> (Child, Value) {
    let log = fs::File::options().create(true).append(true).open(dir.join("log")).unwrap();
    let args = ["demo", "--listen", "127.0.0.1:0", "--data", "data", "--json"];
    let mut child = anlan(dir, &[&args, more].concat()).stderr(log).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = timeout(LIMIT, lines.next_line()).await.expect("the demo starts").unwrap();
    let line = line.unwrap_or_else(|| panic!("{}", fs::read_to_string(dir.join("log")).unwrap()));
    (child, serde_json::from_str(&line).unwrap())
}

#[tokio::test]
async fn serving_an_officer_names_another_person_for_a_task() {
    let temp = tempfile::tempdir().unwrap();
    let (mut server, site) = demo(temp.path(), &[]).await;
    // Plain HTTP, but the client is built with TLS and asks for one crypto provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::new();
    let at = |path: &str| format!("{}{path}", site["url"].as_str().unwrap().trim_end_matches('/'));
    let account = |role: &str, index: usize| {
        let accounts = site["accounts"].as_array().unwrap().iter();
        accounts.filter(|account| account["role"] == role).nth(index).unwrap().clone()
    };
    let log_in = async |account: &Value| {
        let body = json!({"token": account["link"].as_str().unwrap().split_once('=').unwrap().1});
        let session: Value = client.post(at("/api/v1/session")).json(&body).send().await.unwrap().json().await.unwrap();
        session["token"].as_str().unwrap().to_owned()
    };
    let (duty, phone) = (log_in(&account("duty", 0)).await, log_in(&account("member", 0)).await);
    let member = account("member", 0)["member_id"].as_str().unwrap().to_owned();
    let list = async |token: &str, query: &str| -> Vec<Value> {
        let reply = client.get(at(&format!("/api/v1/tasks?{query}"))).bearer_auth(token).send().await.unwrap();
        reply.json::<Value>().await.unwrap()["items"].as_array().unwrap().clone()
    };
    let mut issued = Vec::new();
    timeout(LIMIT, async {
        while issued.is_empty() {
            issued = list(&duty, "status=issued").await;
        }
    })
    .await
    .expect("the demo issues tasks");
    let post = async |token: &str, path: &str, body: Value| -> (u16, Value) {
        let reply = client.post(at(path)).bearer_auth(token).json(&body).send().await.unwrap();
        (reply.status().as_u16(), reply.json().await.unwrap())
    };
    // What the dialog promises is what the second officer reads and what goes out; drafts were never sent.
    let other = log_in(&account("duty", 1)).await;
    let sent_so_far = list(&duty, "").await;
    let is_sent = |code: &Value| sent_so_far.iter().any(|task| &task["code"] == code && task["status"] != "draft");
    let (_, shown) = post(&duty, "/api/v1/preview", json!({"discharge_m3s": 9000})).await;
    assert!(shown["diff"]["kept"].as_array().unwrap().iter().all(is_sent), "{}", shown["diff"]);
    // The water comes with it: from the library, and the map has the same scenario.
    let water = &shown["inundation"];
    assert_eq!((&water["scenario"]["rests"], &water["grid"]["synthetic"]), (&json!("exact"), &json!(true)));
    assert!(shown["inundation_reason"].is_null() && water["area_km2"].as_f64() > Some(0.0), "{water}");
    let reply = client.get(at("/api/v1/map/inundation?scenario=22000&hour=6")).bearer_auth(&duty).send().await.unwrap();
    let drawn: Value = reply.json().await.unwrap();
    let deep = |feature: &Value| feature["properties"]["depth_m"].as_f64() >= Some(1.0);
    assert!(drawn["features"].as_array().unwrap().iter().any(deep), "{}", drawn["scenario"]);
    let late =
        client.get(at("/api/v1/map/inundation?scenario=22000&hour=240")).bearer_auth(&duty).send().await.unwrap();
    let late: Value = late.json().await.unwrap();
    assert_eq!(late["hour"], water["hours"].as_array().unwrap().last().unwrap().clone(), "the last that is known");
    let (status, wrong) = post(&duty, "/api/v1/preview", json!({"discharge_m3s": 9000, "breach": "work-x"})).await;
    assert_eq!((status, wrong["field"].as_str()), (422, Some("breach")), "{wrong}");
    let sites = water["breach_sites"].as_array().unwrap();
    let madu = sites.iter().find(|site| site["id"] == "work-madu").unwrap();
    assert_eq!((sites.len(), madu["name"]["zh"].as_str()), (4, Some("马渡险工")), "{sites:?}");
    let (status, broken) = post(&duty, "/api/v1/preview", json!({"discharge_m3s": 9000, "breach": "work-madu"})).await;
    assert_eq!((status, broken["inundation"]["scenario"]["breach"].as_str()), (200, Some("work-madu")));
    let promised = shown["counts"]["released_by_level"].clone();
    assert!(promised["tasks"].as_u64() > Some(100) && promised["level"] == shown["level"], "{promised}");
    let rows = |counts: &Value| counts["instructions"].as_u64().unwrap();
    assert!(rows(&promised) < rows(&shown["counts"]), "higher colours wait: {}", shown["counts"]);
    let release = json!({"level": shown["level"], "prepare_for_m3s": 9000.0});
    let (status, mut alone) = post(&duty, "/api/v1/preview/release", release.clone()).await;
    assert_eq!(status, 200, "{alone}");
    assert_eq!(alone, promised, "asked for by itself it is the same promise");
    alone = post(&phone, "/api/v1/preview/release", release).await.1;
    assert!(alone["type"].as_str().is_some_and(|kind| kind.ends_with("forbidden")), "{alone}");
    let ask = json!({"level": shown["level"], "reason": "预演", "preview_id": shown["id"]});
    let (_, asked) = post(&duty, "/api/v1/activations", ask).await;
    let settle = format!("/api/v1/activations/{}/confirm", asked["id"].as_str().unwrap());
    let (_, sent) = post(&other, &settle, json!({})).await;
    assert_eq!(sent["state"], "confirmed", "{sent}");
    for count in ["instructions", "tasks", "people", "ended"] {
        assert_eq!((&asked[count], &sent[count]), (&promised[count], &promised[count]), "{count}");
    }
    // A key stands for one request: sent again it is answered the same, under another request it is refused.
    let keyed = async |body: Value| {
        let request = client.post(at("/api/v1/activations")).bearer_auth(&duty).header("idempotency-key", "one-key");
        let reply = request.json(&body).send().await.unwrap();
        (reply.status().as_u16(), reply.json::<Value>().await.unwrap())
    };
    let (status, first) = keyed(json!({"level": "red", "reason": "预报"})).await;
    assert_eq!(status, 201, "{first}");
    assert_eq!(keyed(json!({"level": "red", "reason": "预报"})).await, (201, first.clone()));
    let (status, refused) = keyed(json!({"level": "none", "reason": "预报"})).await;
    assert_eq!((status, refused["field"].as_str()), (422, Some("Idempotency-Key")), "{refused}");
    let back = format!("/api/v1/activations/{}/refuse", first["id"].as_str().unwrap());
    assert_eq!(post(&other, &back, json!({"reason": "试"})).await.0, 200);
    // A drill that is named twice, or in other letters, never falls through to the live reach.
    for wrong in ["drill=drill-1&drill=drill-1", "Drill=drill-1", "drill%5B%5D=drill-1", "drills=drill-1"] {
        let (status, refused) =
            post(&duty, &format!("/api/v1/activations?{wrong}"), json!({"level": "red", "reason": "演"})).await;
        assert_eq!((status, refused["field"].as_str()), (422, Some("drill")), "{refused}");
    }
    let foreign = client.post(at("/api/v1/activations")).bearer_auth(&duty).header("sec-fetch-site", "cross-site");
    let reply = foreign.json(&json!({"level": "red", "reason": "演"})).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::FORBIDDEN, "a page of another site, whose browser names no origin");
    // A hazard that nobody can place is refused with words; the phone's own post stands in for it.
    let seen = |kind: &str| json!({"kind": "hazard", "type": kind, "observed_at": "2026-07-28T20:00:00+08:00"});
    let (status, refused) = post(&duty, "/api/v1/reports", seen("piping")).await;
    assert_eq!((status, refused["field"].as_str()), (422, Some("place")), "{refused}");
    let (status, made) = post(&phone, "/api/v1/reports", seen("piping")).await;
    assert_eq!((status, made["place_from"].as_str()), (201, Some("duty")), "{made}");
    // A breach that is reported stands in the live twin, with the water that it brings behind the levee.
    let mut breach = seen("breach");
    breach["place"] = json!({"place": "seg-10"});
    assert_eq!(post(&duty, "/api/v1/reports", breach).await.0, 201);
    let get = async |token: &str, path: &str| -> Value {
        client.get(at(path)).bearer_auth(token).send().await.unwrap().json().await.unwrap()
    };
    let brought = async {
        loop {
            let now = get(&duty, "/api/v1/twin/now").await;
            let places = now["places"].as_array().unwrap();
            if places.iter().any(|place| place["by_breach"] == true && place["kind"] == "cell") {
                return now;
            }
        }
    };
    let now = timeout(LIMIT, brought).await.expect("the twin has the breach");
    assert!(now["breaches"][0]["site"].as_str().is_some_and(|site| site.starts_with("work-")), "{}", now["breaches"]);
    assert!(now["basis"]["zh"].as_str().unwrap().contains("报决口"), "{}", now["basis"]);
    assert_eq!(get(&duty, "/api/v1/map/inundation").await["scenario"]["breach"], now["breaches"][0]["site"]);
    // A what-if begins with it, unless another one is assumed; before the report it was assumed by nobody.
    assert_eq!(water["scenario"]["breach_reported"], json!(false));
    let (_, asked) = post(&duty, "/api/v1/preview", json!({"discharge_m3s": 9000})).await;
    let scenario = &asked["inundation"]["scenario"];
    assert_eq!((&scenario["breach"], &scenario["breach_reported"]), (&now["breaches"][0]["site"], &json!(true)));
    let (_, asked) = post(&duty, "/api/v1/preview", json!({"discharge_m3s": 22000, "breach": "work-huayuankou"})).await;
    let routes = asked["inundation"]["routes"].as_array().unwrap();
    let way = |id: &Value| routes.iter().find(|way| &way["id"] == id).unwrap();
    assert!(routes.iter().any(|way| way["shelter_wet_at_h"].is_f64()), "the breach floods a shelter: {routes:?}");
    for village in asked["inundation"]["no_way_out"].as_array().unwrap() {
        let stays_open = village["last_h"].is_null();
        assert!(!stays_open || way(&village["instead"])["shelter_wet_at_h"].is_null(), "no refuge: {village}");
    }
    for (path, field) in [("?hour=4", "hour"), ("?breach=work-madu", "breach")] {
        let said = get(&duty, &format!("/api/v1/map/inundation{path}")).await;
        assert_eq!(said["field"].as_str(), Some(field), "{said}");
    }
    // Headquarters sees every alarm, a phone those of the water at its own places.
    let alarms = async |token: &str| get(token, "/api/v1/alarms").await["items"].as_array().unwrap().clone();
    assert!(alarms(&duty).await.iter().any(|alarm| alarm["kind"] == "hazard"));
    let own = alarms(&phone).await;
    assert!(own.iter().all(|alarm| alarm["kind"] == "water" && alarm["place"]["id"].is_string()), "{own:?}");
    let sum = format!("tasks={} people=", sent["tasks"]);
    let words = ["[command] 申请启动", "[command] 响应等级生效", "[command] 任务下发", &sum, "[command] 险情 ("];
    let told = async {
        let log = || fs::read_to_string(temp.path().join("log")).unwrap();
        while !words.iter().all(|words| log().contains(words)) {
            list(&duty, "limit=1").await;
        }
    };
    timeout(LIMIT, told).await.expect("the log tells it");
    issued = list(&duty, "status=issued").await;
    let task = issued.iter().find(|task| task["owner"]["member"] != member.as_str()).unwrap();
    let id = task["id"].as_str().unwrap();
    let assign = async |token: &str, id: &str, body: Value, key: &str| {
        let path = at(&format!("/api/v1/tasks/{id}/assign"));
        let reply =
            client.post(path).bearer_auth(token).header("idempotency-key", key).json(&body).send().await.unwrap();
        (reply.status(), reply.json::<Value>().await.unwrap())
    };
    let body = json!({"member": member, "reason": "责任人联系不上"});
    for (token, id, body, status, key) in [
        (&phone, id, body.clone(), 403, "a"),
        (&duty, "tsk-999999", body.clone(), 404, "b"),
        (&duty, id, json!({"member": "mbr-0", "reason": "指定"}), 404, "c"),
        (&duty, id, json!({"member": member, "reason": " "}), 422, "d"),
    ] {
        assert_eq!(assign(token, id, body, key).await.0.as_u16(), status, "{key}");
    }
    let (status, named) = assign(&duty, id, body.clone(), "e").await;
    assert_eq!((status, &named["holder"]), (StatusCode::OK, &json!(member)));
    assert_eq!((&named["status"], &named["assigned"]["by"]), (&json!("issued"), &json!("duty-a")));
    assert_eq!(assign(&duty, id, body.clone(), "e").await.1, named, "the same key, the same answer");
    let again = assign(&duty, id, body, "f").await.1;
    assert_eq!(again["assigned"], named["assigned"], "a second tap changes nothing");
    assert!(list(&phone, "member=me").await.iter().any(|task| task["id"] == id), "the named person's phone has it");
    let tried = client.get(at(&format!("/api/v1/tasks/{id}/deliveries"))).bearer_auth(&duty).send().await.unwrap();
    let tried = tried.json::<Value>().await.unwrap();
    let state_of = |who: &str| {
        let rows = tried["items"].as_array().unwrap();
        rows.iter().find(|row| row["member"] == who).unwrap()["state"].clone()
    };
    assert_eq!(state_of(&member), "queued");
    assert_eq!(state_of(task["owner"]["member"].as_str().unwrap()), "cancelled", "nobody else is called for it");
    stop(&mut server).await;
}

async fn stop(server: &mut Child) {
    let pid = server.id().unwrap();
    assert!(Command::new("kill").args(["-TERM", &pid.to_string()]).status().await.unwrap().success());
    timeout(LIMIT, server.wait()).await.expect("SIGTERM ends it").unwrap();
}

#[tokio::test]
async fn serving_journal_is_folded_again_with_the_edition_that_was_in_use() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    for (name, text) in anlan::app::editions::embedded_playbook() {
        let path = dir.join("plan").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Twice the time: the deadlines in the journal are not those of the edition in the binary.
        fs::write(path, text.replace("deadline_min = 60\n", "deadline_min = 120\n")).unwrap();
    }
    let (mut server, _) = demo(dir, &["--playbook", "plan"]).await;
    stop(&mut server).await;
    let line = ok(dir, &["journal", "verify", "--replay", "--data", "data"]).await;
    assert!(line.contains("folded again byte for byte"), "{line}");
    let journal = ok(dir, &["journal", "export", "--data", "data"]).await;
    assert!(journal.contains("\"fact\":\"issued\"") && journal.contains("\"fact\":\"edition-used\""));

    // An edition that is lost is named, and can be given.
    let edition = journal.split("\"edition\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let url = format!("sqlite:{}", dir.join("data/anlan.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    sqlx::query("DELETE FROM edition WHERE edition = $1").bind(edition).execute(&pool).await.unwrap();
    pool.close().await;
    let words = refused(dir, &["journal", "verify", "--replay", "--data", "data"]).await;
    assert!(words.contains(edition) && words.contains("--playbook"), "{words}");
    ok(dir, &["journal", "verify", "--replay", "--data", "data", "--playbook", "plan"]).await;
}

#[tokio::test]
async fn serving_a_demo_starts_again_on_its_own_data() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    for start in ["first", "again"] {
        let mut child = anlan(dir, &["demo", "--listen", "127.0.0.1:0", "--data", "demo", "--json"]).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(LIMIT, lines.next_line()).await.unwrap().unwrap().unwrap_or_default();
        let told: Value = serde_json::from_str(&line).unwrap_or_default();
        assert!(told["accounts"].as_array().is_some_and(|all| all.len() >= 7), "{start}: {line}");
        child.kill().await.unwrap();
    }
}

/// A director uploads a track, sees it on the map, and takes a generated mission to the aircraft.
#[tokio::test]
async fn serving_drones_from_upload_to_the_aircraft() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    configure(dir, "a.toml", "127.0.0.1:0", "data", "");
    let (_server, link) = serve(dir, "a.toml").await;
    let (base, token) = link.split_once("/setup?token=").unwrap();
    let at = |path: &str| format!("{base}/api/v1{path}");
    // Plain HTTP, but the client is built with TLS and asks for one crypto provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::new();
    let body = json!({"token": token, "name": "boss", "password": PASSWORD});
    assert_eq!(client.post(at("/setup")).json(&body).send().await.unwrap().status(), StatusCode::OK);
    let director = phone_of(dir, &client, &at("/session"), "director", "director").await;
    let viewer = phone_of(dir, &client, &at("/session"), "viewer", "viewer").await;
    let get = async |path: &str| client.get(at(path)).bearer_auth(&director).send().await.unwrap();
    let upload = async |who: &str, name: &str, bytes: Vec<u8>| {
        let url = at(&format!("/drones/files?name={name}"));
        client.post(url).bearer_auth(who).body(bytes).send().await.unwrap()
    };
    let gpx = |lat: &str| {
        format!("<gpx><trk><name>巡堤</name><trkseg><trkpt lat='34.9' lon='113.6'/><trkpt lat='{lat}' lon='113.7'/></trkseg></trk></gpx>").into_bytes()
    };
    assert_eq!(upload(&viewer, "a.gpx", gpx("34.9")).await.status(), StatusCode::FORBIDDEN);
    let wrong = upload(&director, "a.gpx", gpx("134.9")).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let wrong: Value = wrong.json().await.unwrap();
    assert!(wrong["detail"].as_str().unwrap().starts_with("a.gpx: trkpt 2: "), "{wrong}");
    // Larger than other bodies may be, smaller than the bound; the same file twice is one flight.
    let padded = [gpx("34.9"), vec![b' '; 1 << 20]].concat();
    let first: Value = upload(&director, "a.gpx", padded.clone()).await.json().await.unwrap();
    let again: Value = upload(&director, "a.gpx", padded).await.json().await.unwrap();
    assert_eq!((&first["tracks"], &first["id"]), (&json!(1), &again["id"]));

    let ask = json!({"name": "汛前巡堤", "flight": {"height_m": 100.0}});
    let made = client.post(at("/drones/missions")).bearer_auth(&director).json(&ask).send().await.unwrap();
    assert_eq!(made.status(), StatusCode::CREATED);
    let made: Value = made.json().await.unwrap();
    for line in made["coverage"]["lines"].as_array().unwrap() {
        let (length, covered) = (line["length_m"].as_f64().unwrap(), line["covered_m"].as_f64().unwrap());
        assert!(length > 14_000.0 && (length - covered).abs() < 0.5, "{line}");
    }
    let sorties = made["sorties"].as_array().unwrap().len();
    let layer: Value = get("/map/drones").await.json().await.unwrap();
    assert_eq!(layer["features"].as_array().unwrap().len(), 1 + sorties);
    let id = made["id"].as_str().unwrap();
    let kmz = get(&format!("/drones/{id}?format=kmz&sortie=2")).await.bytes().await.unwrap();
    let anlan::ingest::drones::Flown::Missions(read) = anlan::ingest::drones::read("a.kmz", &kmz).unwrap() else {
        panic!()
    };
    assert_eq!(json!(read[0].points.len()), made["sorties"][1]);
    let plan: Value = get(&format!("/drones/{id}?format=plan")).await.json().await.unwrap();
    assert_eq!(plan["fileType"], "Plan");
    let beyond = get(&format!("/drones/{id}?format=plan&sortie={}", sorties + 1)).await;
    assert_eq!(beyond.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let removed = client.delete(at(&format!("/drones/{id}"))).bearer_auth(&director).send().await.unwrap();
    assert_eq!(removed.status(), StatusCode::NO_CONTENT);
    let left: Value = get("/drones").await.json().await.unwrap();
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
}
