//! What comes in by HTTP, against a running server: pushes, imports, hooks, the public's reports.

use anlan::app::clock::wall_now;
use anlan::model::{SeriesId, UserName, UserRole};
use anlan::store::arrivals::{ARRIVALS_SCHEMA, Arrivals};
use anlan::store::series::{EmbeddedSeries, SeriesLimits, SeriesStore};
use anlan::store::users::{NewUser, SessionKind, USERS_SCHEMA, Users};
use anlan::store::{Database, JOURNAL_SCHEMA, StoreDirectory, series_file, state_file};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::time::timeout;

const START: &str = "2026-07-15T08:00:00Z";
const LIMIT: Duration = Duration::from_secs(60);

/// A server in a folder of its own, with an account for each role.
struct Site {
    folder: TempDir,
    server: Child,
    http: Client,
    base: String,
    tokens: BTreeMap<&'static str, String>,
}

impl Site {
    async fn start(more: &str) -> Self {
        // Another test of this program may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let tokens = accounts(&folder.path().join("data")).await;
        let config = format!(
            "listen = '127.0.0.1:0'\ndata = 'data'\n[clock]\nkind = 'demo'\nstart = '{START}'\nspeed = 1.0\n\
             [field]\naddress = '127.0.0.1:9'\n{more}"
        );
        fs::write(folder.path().join("a.toml"), config).unwrap();
        let page = include_str!("../../docs/ingest/hooks.md");
        let (_, sample) = page.split_once("```toml\n# hooks.toml\n").unwrap();
        fs::write(folder.path().join("hooks.toml"), sample.split_once("```").unwrap().0).unwrap();
        let (server, base) = serve(folder.path()).await;
        Self { folder, server, http: Client::new(), base, tokens }
    }

    async fn restart(&mut self) {
        self.server.kill().await.unwrap();
        let (server, base) = serve(self.folder.path()).await;
        (self.server, self.base) = (server, base);
    }

    fn post(&self, who: &str, path: &str) -> RequestBuilder {
        let token = self.tokens.get(who).map_or(who, |token| token);
        self.http.post(format!("{}/api/v1{path}", self.base)).bearer_auth(token)
    }

    async fn get(&self, who: &str, path: &str) -> Value {
        let reply = self.http.get(format!("{}/api/v1{path}", self.base)).bearer_auth(&self.tokens[who]);
        reply.send().await.unwrap().json().await.unwrap()
    }

    /// Values of a series in the hours before the start, missing ones of the pollers left out.
    async fn values(&self, series: &str) -> Vec<(DateTime<Utc>, f64)> {
        let path = format!("/series/{series}/observations?from=2026-07-01T00:00:00Z&to={START}");
        let found = self.get("duty", &path).await;
        let points = found["points"].as_array().unwrap_or_else(|| panic!("{found}")).iter();
        points.filter_map(|point| Some((point["t"].as_str()?.parse().ok()?, point["v"].as_f64()?))).collect()
    }
}

/// Starts `serve`; its log is kept in the file `log`, which says where it listens.
async fn serve(dir: &Path) -> (Child, String) {
    let mut server = Command::new(env!("CARGO_BIN_EXE_anlan"));
    server.args(["serve", "--config", "a.toml"]).current_dir(dir).stdin(Stdio::null()).stdout(Stdio::null());
    let mut server = server.stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let mut log = fs::File::options().create(true).append(true).open(dir.join("log")).unwrap();
    let (told, listens) = oneshot::channel();
    tokio::spawn(async move {
        let mut told = Some(told);
        while let Ok(Some(line)) = lines.next_line().await {
            writeln!(log, "{line}").unwrap();
            if let Some((_, address)) = line.split_once("(the server listens)") {
                let address = address.rsplit('=').next().unwrap().trim().to_owned();
                told.take().map(|told| told.send(format!("http://{address}")));
            }
        }
    });
    let base = timeout(LIMIT, listens).await.expect("the server starts");
    (server, base.unwrap_or_else(|_| panic!("{}", fs::read_to_string(dir.join("log")).unwrap())))
}

async fn accounts(data: &Path) -> BTreeMap<&'static str, String> {
    let _claimed = StoreDirectory::claim(data).unwrap();
    let database = Database::open(&state_file(data), &[USERS_SCHEMA, JOURNAL_SCHEMA, ARRIVALS_SCHEMA]).await.unwrap();
    let users = Users::new(database.clone());
    let mut tokens = BTreeMap::new();
    for (name, role) in [
        ("boss", UserRole::Operator),
        ("duty", UserRole::Duty),
        ("officer-b", UserRole::Duty),
        ("hydrologist", UserRole::Hydrologist),
        ("viewer", UserRole::Viewer),
    ] {
        users.add(NewUser { name: name.into(), role, member: None, password: None }, wall_now()).await.unwrap();
        let opened = users.open_session(&UserName::new(name), SessionKind::Device, wall_now()).await.unwrap();
        tokens.insert(name, opened.token.reveal().to_owned());
    }
    let series = ["huayuankou.*".parse().unwrap(), "rain-madu.rain".parse().unwrap()];
    let device = Arrivals::new(database.clone()).add_device("gw-1", &series, wall_now()).await.unwrap();
    tokens.insert("device", device.reveal().to_owned());
    database.close().await;
    tokens
}

async fn sent(request: RequestBuilder) -> (StatusCode, Value) {
    let reply = request.send().await.unwrap();
    let status = reply.status();
    let text = reply.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

fn before(minutes: i64) -> DateTime<Utc> {
    START.parse::<DateTime<Utc>>().unwrap() - TimeDelta::minutes(minutes)
}

#[tokio::test]
async fn intake_a_push_is_whole_and_once_and_says_what_is_wrong() {
    let mut site = Site::start("").await;
    let push = |who: &'static str, body: Value| site.post(who, "/readings").json(&body);
    let one =
        |series: &str, minutes: i64, value: f64| json!({ "series": series, "time": before(minutes), "value": value });

    // Rights: nobody, a role without the right, a device outside its series.
    assert_eq!(sent(push("x", json!([]))).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(sent(push("duty", json!([]))).await.0, StatusCode::FORBIDDEN);
    let (status, body) = sent(push("device", json!([one("heishiguan.discharge", 9, 300.0)]))).await;
    assert_eq!((status, &body["items"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("series")), "{body}");
    assert!(body["items"][0]["reason"].as_str().unwrap().contains("无权"), "{body}");
    assert_eq!(site.get("device", "/situation").await["status"], 401, "a device reads nothing");

    // One bad reading: nothing of the batch is kept, and each bad one is named.
    let mixed = json!([
        { "series": "huayuankou.stage", "time": before(8), "value": 8912, "unit": "cm", "datum": "dagu" },
        { "series": "huayuankou.stage", "time": before(7), "value": 89.2, "unit": "m3/s" },
        one("atlantis.stage", 7, 1.0),
        { "series": "huayuankou.stage", "time": before(6), "value": 89.2, "datum": "1985国家高程基准" },
        one("huayuankou.discharge", -3000, 1.0),
    ]);
    let (status, body) = sent(push("device", mixed.clone())).await;
    assert_eq!((status, &body["type"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("/problems/bad-items")));
    let items: Vec<_> =
        body["items"].as_array().unwrap().iter().map(|item| (item["index"].clone(), item["field"].clone())).collect();
    let expected = [(1, "unit"), (2, "series"), (3, "datum"), (4, "time")];
    assert_eq!(items, expected.map(|(index, field)| (json!(index), json!(field))), "{body}");
    assert_eq!(body["field"], "[1].unit");
    assert_eq!(site.values("huayuankou.stage").await, []);

    // Lenient: the good one is kept, the others are named.
    let (status, body) = sent(push("device", mixed).header("prefer", "handling=lenient")).await;
    assert_eq!((status, &body["accepted"], &body["refused_count"]), (StatusCode::MULTI_STATUS, &json!(1), &json!(4)));
    assert_eq!(site.values("huayuankou.stage").await, [(before(8), 89.12)]);

    // Once: by key, by series and moment, and across a sudden end of the server.
    let batch = json!([one("huayuankou.discharge", 5, 4000.0), one("huayuankou.discharge", 4, 4010.0)]);
    let first = sent(push("device", batch.clone()).header("idempotency-key", "k-1")).await;
    assert_eq!(first, (StatusCode::ACCEPTED, json!({ "accepted": 2, "known": 0 })));
    site.restart().await;
    let push = |who: &'static str, body: Value| site.post(who, "/readings").json(&body);
    assert_eq!(sent(push("device", batch.clone()).header("idempotency-key", "k-1")).await, first);
    let other = json!([one("huayuankou.discharge", 3, 4020.0)]);
    let (status, body) = sent(push("device", other.clone()).header("idempotency-key", "k-1")).await;
    assert_eq!((status, &body["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("Idempotency-Key")));
    assert_eq!(sent(push("hydrologist", other).header("idempotency-key", "k-1")).await.0, StatusCode::ACCEPTED);
    assert_eq!(sent(push("hydrologist", batch)).await.1, json!({ "accepted": 0, "known": 2 }));
    let discharges = [(before(5), 4000.0), (before(4), 4010.0), (before(3), 4020.0)];
    assert_eq!(site.values("huayuankou.discharge").await, discharges);

    // Another value for a known moment is no correction; a missing one is kept as missing; limits hold.
    let (status, body) = sent(push("device", json!([one("huayuankou.discharge", 5, 9000.0)]))).await;
    assert_eq!((status, &body["items"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("value")), "{body}");
    // What is finer than the store is the store's moment: one value, not four that overwrite each other.
    let fine =
        |value: f64| json!([{ "series": "huayuankou.stage", "time": "2026-07-15T07:40:00.123456Z", "value": value }]);
    assert_eq!(sent(push("device", fine(89.3))).await.0, StatusCode::ACCEPTED);
    assert_eq!(sent(push("device", fine(89.3))).await.1, json!({ "accepted": 0, "known": 1 }));
    let (status, body) = sent(push("device", fine(88.0))).await;
    assert_eq!((status, &body["items"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("value")), "{body}");
    let odd = site.get("duty", "/series/huayuankou.stage/observations?from=2026-07-01T00:00:00Z&every=36500d").await;
    assert_eq!((&odd["status"], &odd["field"]), (&json!(422), &json!("every")), "{odd}");
    let year = json!({ "time": "1700-12-01T00:00:00Z", "value": 89.0, "reason": "校核" });
    let (status, body) = sent(site.post("hydrologist", "/series/huayuankou.stage/amendments").json(&year)).await;
    assert_eq!((status, &body["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("time")), "{body}");
    let missing = json!([{ "series": "huayuankou.discharge", "time": before(2), "value": null }]);
    assert_eq!(sent(push("device", missing)).await.0, StatusCode::ACCEPTED);
    let unknown_field = json!([{ "series": "huayuankou.discharge", "time": before(1), "value": 1.0, "colour": "red" }]);
    assert_eq!(sent(push("device", unknown_field)).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let naive = json!([{ "series": "huayuankou.discharge", "time": "2026-07-15T15:00:00", "value": 1.0 }]);
    assert_eq!(sent(push("device", naive)).await.0, StatusCode::UNPROCESSABLE_ENTITY, "a time without its zone");
    let many: Vec<_> = (0..4000).map(|n| one("huayuankou.discharge", n + 10, 1.0)).collect();
    assert_eq!(sent(push("device", json!(many))).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(site.values("huayuankou.discharge").await, discharges);
    site.server.kill().await.unwrap();

    // The store itself, without the server.
    let store =
        EmbeddedSeries::open(&series_file(&site.folder.path().join("data")), SeriesLimits::default()).await.unwrap();
    let samples = store.range(&SeriesId::new("huayuankou.discharge"), before(6), before(2), None).await.unwrap();
    assert_eq!(samples.iter().filter(|sample| sample.value.is_finite()).count(), 3);
    store.seal().await.unwrap();
    store.close().await;
    damage(&site.folder.path().join("data"), "huayuankou.discharge").await;
    assert_damage_is_left_out_and_said(&mut site).await;
    let log = fs::read_to_string(site.folder.path().join("log")).unwrap();
    assert!(!log.contains(&site.tokens["device"]) && !log.contains("panicked"), "{log}");
}

/// Makes the sealed points of a series unreadable.
async fn damage(data: &Path, series: &str) {
    use sqlx::Connection;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(series_file(data));
    let mut conn = sqlx::sqlite::SqliteConnection::connect_with(&options).await.unwrap();
    let text =
        "UPDATE chunk SET body = zeroblob(length(body)) WHERE series = (SELECT number FROM series WHERE id = $1)";
    let done = sqlx::query(text).bind(series).execute(&mut conn).await.unwrap();
    assert!(done.rows_affected() > 0, "there is something to damage");
    conn.close().await.unwrap();
}

/// The chart answers without the span, a late reading is kept beside it, and it is alarmed.
async fn assert_damage_is_left_out_and_said(site: &mut Site) {
    let (server, base) = serve(site.folder.path()).await;
    (site.server, site.base) = (server, base);
    let path = format!("/series/huayuankou.discharge/observations?from=2026-07-01T00:00:00Z&to={START}");
    let found = site.get("duty", &path).await;
    assert_eq!(found["damaged"].as_array().map(Vec::len), Some(1), "{found}");
    let late =
        json!([{ "series": "huayuankou.discharge", "time": before(4) + TimeDelta::seconds(7), "value": 4012.0 }]);
    assert_eq!(sent(site.post("device", "/readings").json(&late)).await.0, StatusCode::ACCEPTED);
    assert!(site.values("huayuankou.discharge").await.contains(&(before(4) + TimeDelta::seconds(7), 4012.0)));
    let alarmed = async {
        loop {
            let alarms = site.get("duty", "/alarms").await.to_string();
            if alarms.contains("series-damaged") && alarms.contains("huayuankou.discharge") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, alarmed).await.expect("an alarm names the series");
    site.server.kill().await.unwrap();
}

/// Sends a table and gives the answer.
async fn table(
    site: &Site,
    who: &str,
    name: &str,
    bytes: &[u8],
    more: &[(&'static str, Vec<u8>)],
) -> (StatusCode, Value) {
    // A form by hand: the client of the tests is built without the feature.
    let mut body = Vec::new();
    let mut part = |name: &str, file: Option<&str>, bytes: &[u8]| {
        let file = file.map_or(String::new(), |file| format!("; filename=\"{file}\""));
        body.extend(format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").into_bytes());
        body.extend(bytes);
        body.extend(b"\r\n");
    };
    part("file", Some(name), bytes);
    for (name, bytes) in more {
        part(name, None, bytes);
    }
    body.extend(b"--edge--\r\n");
    sent(site.post(who, "/imports").header("content-type", "multipart/form-data; boundary=edge").body(body)).await
}

#[tokio::test]
async fn intake_a_table_is_looked_at_confirmed_once_and_leaves_as_sl323() {
    let mut site = Site::start("").await;
    let text = "花园口水情\n时间,水位(m),流量(m3/s)\n2026-07-14 08:00,89.12,\"4,010\"\n2026-07-14 09:00,89.2,4020\n昨天,89.3,4030\n";
    let (gbk, ..) = encoding_rs::GBK.encode(text);
    assert_eq!(table(&site, "viewer", "a.csv", &gbk, &[]).await.0, StatusCode::FORBIDDEN);
    assert_eq!(table(&site, "duty", "a.png", b"\x89PNG\0", &[]).await.1["field"], "file");
    let (status, found) = table(&site, "duty", "水情.csv", &gbk, &[]).await;
    assert_eq!((status, &found["state"]), (StatusCode::CREATED, &json!("previewed")), "{found}");
    let preview = &found["preview"];
    assert_eq!((&preview["rows_ok"], &preview["rows_bad"], &preview["readings"]), (&json!(2), &json!(1), &json!(4)));
    assert_eq!((&preview["faults"][0]["row"], &preview["faults"][0]["column"]), (&json!(5), &json!("A")));
    assert_eq!(site.values("huayuankou.stage").await, [], "a preview keeps nothing");

    // What is left out is said; then stored once, also when it is sent again after a sudden end.
    let id = found["id"].as_str().unwrap().to_owned();
    let confirm =
        |site: &Site, n: usize| site.post("duty", &format!("/imports/{id}/confirm")).json(&json!({ "leave_out": n }));
    let (status, body) = sent(confirm(&site, 0)).await;
    assert_eq!((status, &body["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("leave_out")));
    assert_eq!(site.values("huayuankou.stage").await, []);
    let (status, body) = sent(confirm(&site, 1)).await;
    assert_eq!((status, &body["state"]), (StatusCode::OK, &json!("confirmed")), "{body}");
    site.restart().await;
    assert_eq!(sent(confirm(&site, 1)).await, (StatusCode::OK, body));
    let stages = site.values("huayuankou.stage").await;
    assert_eq!(stages.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [89.12, 89.2]);
    assert_eq!(stages[0].0, "2026-07-14T00:00:00Z".parse::<DateTime<Utc>>().unwrap());
    let (_, again) = table(&site, "duty", "水情.csv", &gbk, &[]).await;
    assert_eq!((&again["preview"]["readings"], &again["preview"]["known"]), (&json!(0), &json!(4)), "{again}");
    assert!(again["preview"]["notes"].to_string().contains(&id), "{again}");
    assert_eq!(sent(site.post("duty", "/imports/imp-99/confirm").json(&json!({}))).await.0, StatusCode::NOT_FOUND);

    // A table of SL 323 needs the datum of its stages, and gets the one of the station.
    let river = b"STCD,TM,Z,Q\n40105150,2026-07-14 10:00:00,89.3,4030\n";
    let (_, bare) = table(&site, "hydrologist", "r.csv", river, &[]).await;
    assert_eq!(bare["preview"]["rows_bad"], 1, "{bare}");
    let stations = "STCD,DTMNM,DTMEL\n40105150,大沽,0\n".as_bytes().to_vec();
    let (_, whole) = table(&site, "hydrologist", "r.csv", river, &[("stations", stations)]).await;
    assert_eq!(whole["preview"]["readings"], 2, "{whole}");
    let wrong = "STCD,DTMNM\n40105150,1985国家高程基准\n".as_bytes().to_vec();
    let (_, other) = table(&site, "hydrologist", "r.csv", river, &[("stations", wrong)]).await;
    assert!(other["preview"]["faults"][0]["reason"].as_str().unwrap().contains("不混用"), "{other}");

    // The book of series: what each is, where it comes from, what the store has of it.
    let book = site.get("viewer", "/series?station=huayuankou").await;
    let items = book["items"].as_array().unwrap();
    let ids: Vec<_> = items.iter().map(|one| one["id"].as_str().unwrap()).collect();
    let expected =
        ["huayuankou.discharge", "huayuankou.discharge-estimate", "huayuankou.stage", "huayuankou.stage-estimate"];
    assert_eq!(ids, expected, "{book}");
    let stage = &items[2];
    assert_eq!(
        (&stage["unit"], &stage["datum"], &stage["interval_s"]),
        (&json!("m"), &json!("dagu"), &json!(5.0)),
        "{stage}"
    );
    assert!(stage["sources"][0].as_str().unwrap().starts_with("modbus gauges unit 4"), "{stage}");
    assert!(stage["points"].as_u64().unwrap() >= 2 && stage["oldest"] == "2026-07-14T00:00:00Z", "{stage}");
    assert_eq!((&items[1]["estimate"], &items[1]["points"]), (&json!(true), &json!(0)));
    assert_eq!(site.get("device", "/series").await["status"], 401);

    // Out again, by the names of the standard; what came in comes out.
    let csv = async |path: &str| {
        let reply = site.http.get(format!("{}/api/v1/sl323/{path}", site.base)).bearer_auth(&site.tokens["viewer"]);
        reply.send().await.unwrap().text().await.unwrap()
    };
    let span = "from=2026-07-14T00:00:00%2B08:00&to=2026-07-15T00:00:00%2B08:00";
    let river = csv(&format!("ST_RIVER_R?{span}")).await;
    assert!(river.contains("40105150,2026-07-14 08:00:00,89.120,4010.000,"), "{river}");
    assert_eq!(river.lines().count(), 3, "{river}");
    assert!(csv("st_stbprp_b.csv").await.contains("40105150,花园口,Yellow,113.660000,34.910000,大沽,0.000,,ZQ,"));
    assert!(
        csv("ST_WHAT").await.contains("not-found")
            && csv("ST_RIVER_R?from=2026-01-01T00:00:00Z").await.contains("bad-field")
    );

    // The command line: not beside a running server; then a workbook, a preview first.
    let dir = site.folder.path().to_owned();
    fs::write(dir.join("b.csv"), "时间,花园口流量\n2026-07-14 11:00,4040\n").unwrap();
    let anlan = async |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_anlan")).args(args).current_dir(&dir).output().await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    };
    let (done, words) = anlan(&["import", "b.csv", "--data", "data"]).await;
    assert!(!done && words.contains("in use"), "{words}");
    site.server.kill().await.unwrap();
    for verb in
        [&["import", "b.csv", "--data", "elsewhere"][..], &["export", "sl323", "--data", "elsewhere", "--out", "o"]]
    {
        let (done, words) = anlan(verb).await;
        assert!(!done && words.contains("不是数据目录") && !dir.join("elsewhere").exists(), "{words}");
    }
    let (done, words) = anlan(&["import", "b.csv", "--config", "a.toml", "--preview"]).await;
    assert!(done && words.contains("1 taken, 0 not"), "{words}");
    assert!(anlan(&["import", "b.csv", "--data", "data"]).await.0);
    let (done, words) = anlan(&["import", "b.csv", "--data", "data", "--json"]).await;
    assert!(done && words.contains("\"known\":1"), "{words}");
    fs::write(dir.join("c.csv"), "时间,花园口流量\n2026-07-14 12:00,99999\n").unwrap();
    let (done, words) = anlan(&["import", "c.csv", "--data", "data", "--preview"]).await;
    assert!(done && words.contains("质控：1 个值") && words.contains("99999 range"), "{words}");
    let (done, words) = anlan(&["export", "series", "--data", "data", "--out", "book"]).await;
    assert!(done && words.contains("series.csv"), "{words}");
    let listed = fs::read_to_string(dir.join("book/series.csv")).unwrap();
    let row = listed.lines().find(|row| row.starts_with("huayuankou.stage,")).unwrap();
    assert!(row.starts_with("huayuankou.stage,huayuankou,stage,花园口,Huayuankou,40105150,m,dagu,5,modbus"), "{row}");
    let (done, words) = anlan(&[
        "export",
        "sl323",
        "--data",
        "data",
        "--out",
        "out",
        "--from",
        "2026-07-14T00:00:00+08:00",
        "--to",
        "2026-07-15T00:00:00+08:00",
    ])
    .await;
    assert!(done && words.contains("无站码"), "{words}");
    let out = fs::read_to_string(dir.join("out/ST_RIVER_R.csv")).unwrap();
    assert!(out.contains("40105150,2026-07-14 11:00:00,,4040.000,"), "{out}");
}

#[tokio::test]
async fn intake_a_planned_release_changes_the_forecast_outlives_a_restart_and_can_be_withdrawn() {
    let mut site = Site::start("").await;
    // A steady river: 2,000 m³/s at 小浪底, 2,400 at 花园口.
    let steady = |(series, value): (&'static str, f64)| {
        (1..48).map(move |n| json!({ "series": series, "time": before(60 * n), "value": value }))
    };
    let gauges = [
        ("xiaolangdi.discharge", 2000.0),
        ("heishiguan.discharge", 300.0),
        ("wuzhi.discharge", 100.0),
        ("huayuankou.discharge", 2400.0),
    ];
    let history: Vec<_> = gauges.into_iter().flat_map(steady).collect();
    assert_eq!(sent(site.post("hydrologist", "/readings").json(&history)).await.0, StatusCode::ACCEPTED);
    let forecast = async |site: &Site| {
        let found = site.get("viewer", "/series/huayuankou.discharge/observations").await["forecast"].clone();
        let last = found["points"].as_array().and_then(|points| points.last()?["v"].as_f64());
        (last.unwrap_or_else(|| panic!("{found}")), found)
    };
    let send = |site: &Site, who: &str, more: &str, kind: &str, body: &str| {
        let request = site.post(who, &format!("/forecasts?{more}")).header("content-type", kind);
        sent(request.body(body.to_owned()))
    };
    let plan = "发布时间,时间,计划出库,单位\n2026-07-15 15:00,2026-07-15 15:30,2000,m3/s\n\
                2026-07-15 15:00,2026-07-15 18:00,5000,m3/s\n2026-07-15 15:00,2026-07-18 18:00,5000,m3/s\n";
    let said = "source=黄委水调局&area=小浪底";

    // Whole or not at all, and every fault where it is.
    let broken = plan.replace("18:00,5000,m3/s\n2026", "18:00,五千,m3/s\n2026").replace("5000,m3/s", "5000,mm");
    let (status, body) = send(&site, "duty", said, "text/csv", &broken).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    let items = body["items"].as_array().unwrap();
    let items: Vec<_> = items.iter().map(|item| (item["row"].clone(), item["field"].clone())).collect();
    assert_eq!(items, [(json!(3), json!("value")), (json!(4), json!("unit"))], "{body}");
    assert_eq!(send(&site, "viewer", said, "text/csv", plan).await.0, StatusCode::FORBIDDEN);
    assert_eq!(send(&site, "device", said, "text/csv", plan).await.0, StatusCode::FORBIDDEN, "not its station");
    assert_eq!(site.get("duty", "/forecasts").await["items"], json!([]));

    // Looked at: the crest would rise, nothing is kept. Then kept, once, and only what was looked at.
    let (status, seen) = send(&site, "duty", &format!("{said}&preview=true"), "text/csv", plan).await;
    assert_eq!((status, &seen["forecasts"][0]["becomes"]), (StatusCode::OK, &json!("inflow")), "{seen}");
    let crest = |when: &str| seen["effect"][when]["peak_m3s"].as_f64().unwrap();
    assert!((crest("before") - 2400.0).abs() < 20.0 && (crest("after") - 5400.0).abs() < 60.0, "{seen}");
    assert_eq!(seen["forecasts"][0]["doubts"], json!([]), "{seen}");
    assert!((forecast(&site).await.0 - 2400.0).abs() < 20.0);
    let hash = seen["sha256"].as_str().unwrap();
    let expect = format!("{said}&expect={hash}");
    assert_eq!(send(&site, "duty", &expect, "text/csv", &plan.replace("5000", "500")).await.1["field"], "expect");
    let (status, kept) = send(&site, "duty", &expect, "text/csv", plan).await;
    assert_eq!((status, &kept["kept"]), (StatusCode::CREATED, &json!([{ "id": "fc-1", "known": false }])), "{kept}");
    assert_eq!(send(&site, "hydrologist", said, "text/csv", plan).await.1["kept"][0]["known"], true);
    let (last, found) = forecast(&site).await;
    assert!((last - 5400.0).abs() < 60.0, "{found}");
    let named = &found["plans"][0];
    assert_eq!(
        (&named["source"], &named["issued_at"]),
        (&json!("黄委水调局"), &json!("2026-07-15T07:00:00Z")),
        "{found}"
    );
    assert!((3600..3700).contains(&named["age_s"].as_i64().unwrap()), "{found}");
    let method = found["method"]["zh"].as_str().unwrap();
    assert!(method.contains("小浪底（黄委水调局 07-15 15:00 发布，至 07-18 18:00）"), "{method}");

    // A mistake of units is doubted aloud; rain of an area that nothing is known of is kept, shown, and said to change nothing.
    let (_, small) =
        send(&site, "duty", &format!("{said}&preview=true"), "text/csv", &plan.replace("000,m3", "0,m3")).await;
    assert!(small["forecasts"][0]["doubts"][0].as_str().unwrap().contains("实测 2000"), "{small}");
    let rain = json!({ "source": "河南省气象台", "issued_at": "2026-07-15T05:00:00+08:00", "variable": "rain", "area": "三花间",
        "members": [{ "id": "01", "points": [["2026-07-15T20:00:00+08:00", 80.0]] }, { "id": "02", "points": [["2026-07-15T20:00:00+08:00", 12.5]] }] });
    let (status, body) = send(&site, "duty", "", "application/json", &rain.to_string()).await;
    assert_eq!((status, &body["forecasts"][0]["becomes"]), (StatusCode::CREATED, &json!("shown")), "{body}");

    // Rain of a known area runs off: the preview tells the crest with it, and doubts a sum given row by row.
    let near = |mm: f64| rain.to_string().replace("三花间", "小花间").replace("80.0", &mm.to_string());
    let (_, wet) = send(&site, "duty", "preview=true", "application/json", &near(80.0)).await;
    assert_eq!(
        (&wet["forecasts"][0]["becomes"], &wet["forecasts"][0]["doubts"]),
        (&json!("rain"), &json!([])),
        "{wet}"
    );
    let crest = |when: &str| wet["effect"][when]["peak_m3s"].as_f64().unwrap();
    assert!(crest("after") > crest("before") + 1_000.0, "{wet}");
    let (_, sums) = send(&site, "duty", "preview=true", "application/json", &near(800.0)).await;
    assert!(sums["forecasts"][0]["doubts"][0].as_str().unwrap().contains("不是累计"), "{sums}");

    // A sudden end: both are there, the plan is in use.
    site.restart().await;
    assert!((forecast(&site).await.0 - 5400.0).abs() < 60.0);
    let listed = site.get("viewer", "/forecasts").await;
    let items = listed["items"].as_array().unwrap();
    let items: Vec<_> = items.iter().map(|item| (item["id"].clone(), item["in_use"].clone())).collect();
    assert_eq!(items, [(json!("fc-1"), json!(true)), (json!("fc-2"), json!(false))], "{listed}");
    assert!(listed["items"][1]["becomes_text"]["zh"].as_str().unwrap().contains("没有这个区域"), "{listed}");
    assert_eq!(site.get("duty", "/forecasts/fc-2").await["courses"][1]["points"][0][1], 12.5);

    // Withdrawn with a reason: the river stays as it is again, the record says who and why.
    let withdraw = |site: &Site, body: Value| sent(site.post("duty", "/forecasts/fc-1/withdraw").json(&body));
    assert_eq!(withdraw(&site, json!({ "reason": " " })).await.1["field"], "reason");
    let (status, gone) = withdraw(&site, json!({ "reason": "调度令撤销" })).await;
    assert_eq!((status, &gone["withdrawn"]["by"], &gone["in_use"]), (StatusCode::OK, &json!("duty"), &json!(false)));
    assert!((forecast(&site).await.0 - 2400.0).abs() < 20.0);
    site.restart().await;
    assert!((forecast(&site).await.0 - 2400.0).abs() < 20.0);

    // Without the server, by the command line: the same file, the same checks.
    site.server.kill().await.unwrap();
    let dir = site.folder.path().to_owned();
    fs::write(dir.join("plan.csv"), plan).unwrap();
    fs::write(dir.join("broken.csv"), broken).unwrap();
    let anlan = async |file: &str| {
        let args = ["import", "--forecast", file, "--source", "水调局", "--area", "小浪底", "--data", "data"];
        let output = Command::new(env!("CARGO_BIN_EXE_anlan")).args(args).current_dir(&dir).output().await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    };
    let (done, words) = anlan("broken.csv").await;
    assert!(!done && words.contains("第 3 行 C 列") && words.contains("未导入"), "{words}");
    let (done, words) = anlan("plan.csv").await;
    assert!(done && words.contains("1 forecasts imported"), "{words}");
    let (server, base) = serve(&dir).await;
    (site.server, site.base) = (server, base);
    assert!((forecast(&site).await.0 - 5400.0).abs() < 60.0);
}

/// A camera on loopback: `/ok` gives a picture, anything else is taken and never answered.
async fn camera() -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut peer, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                let read = peer.read(&mut request).await.unwrap();
                if !request[..read].starts_with(b"GET /ok") {
                    return std::future::pending().await;
                }
                let _ = peer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n\xff\xd8\xff\xe0x").await;
            });
        }
    });
    address
}

#[tokio::test]
async fn intake_an_alarm_gets_the_picture_of_the_nearest_camera_and_never_waits_for_it() {
    let host = camera().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cameras.toml");
    // The nearest one to K1+620 is silent, the next one answers; nobody is near K9+000.
    let text = format!(
        "hosts = ['{host}']\ntimeout_s = 1\nwithin_m = 700\n\
         [[camera]]\nid = 'camera-01'\nsnapshot = 'http://{host}/silent?key=geheim'\nwhep = 'http://{host}/whep'\n\
         [[camera]]\nid = 'camera-02'\nsnapshot = 'http://{host}/ok'\n"
    );
    fs::write(&file, text).unwrap();
    let mut site = Site::start(&format!("[cameras]\nfile = '{}'\n", file.display())).await;
    let listed = site.get("duty", "/cameras").await;
    let items = listed["items"].as_array().unwrap();
    assert!(items.len() > 20 && listed["can_look"] == true, "every camera of the map is listed: {listed}");
    let first = items.iter().find(|one| one["id"] == "camera-01").unwrap();
    assert_eq!((&first["host"], &first["snapshot"]), (&json!(host), &json!(true)));
    assert!(!listed.to_string().contains("geheim"), "{listed}");

    // The report is answered while the camera keeps silent; then what came, and what did not, stands with its alarm.
    let hazard = |chainage: i64| {
        let body = json!({ "kind": "hazard", "type": "piping", "grade": 2, "place": { "chainage": chainage },
            "observed_at": START });
        site.post("duty", "/reports").json(&body)
    };
    let (status, report) = sent(hazard(1620)).await;
    assert_eq!(status, StatusCode::CREATED, "{report}");
    let alarm = format!("report:{}", report["id"].as_str().unwrap());
    let shots = async |site: &Site, alarm: &str, wanted: usize| {
        for _ in 0..600 {
            let found = site.get("viewer", &format!("/cameras/shots?alarm={alarm}")).await["items"].clone();
            if found.as_array().unwrap().len() >= wanted {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no picture of {alarm}");
    };
    let found = shots(&site, &alarm, 2).await;
    assert_eq!((&found[1]["camera"], &found[1]["metres"]), (&json!("camera-01"), &json!(0.0)), "{found}");
    assert!(found[1]["fault"].as_str().unwrap().contains("1 秒内无应答") && found[1]["url"].is_null(), "{found}");
    assert_eq!((&found[0]["camera"], &found[0]["fault"]), (&json!("camera-02"), &Value::Null), "{found}");
    let url = format!("{}{}", site.base, found[0]["url"].as_str().unwrap());
    let picture = site.http.get(url).bearer_auth(&site.tokens["viewer"]).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(picture, b"\xff\xd8\xff\xe0x".as_slice());
    let (_, far) = sent(hazard(9000)).await;
    let far = shots(&site, &format!("report:{}", far["id"].as_str().unwrap()), 1).await;
    assert!(far[0]["camera"].is_null() && far[0]["fault"].as_str().unwrap().contains("700 米内没有"), "{far}");

    // By hand, with a right and a reason; a silent camera answers with words.
    let press = |who: &str, id: &str, reason: &str| {
        sent(site.post(who, &format!("/cameras/{id}/snapshot")).json(&json!({ "reason": reason })))
    };
    assert_eq!(press("viewer", "camera-02", "看水边").await.0, StatusCode::FORBIDDEN);
    assert_eq!(press("duty", "camera-02", " ").await.1["field"], "reason");
    assert_eq!(press("duty", "camera-99", "看水边").await.0, StatusCode::NOT_FOUND);
    let (status, taken) = press("duty", "camera-02", "看水边").await;
    assert_eq!((status, &taken["by"], &taken["reason"]), (StatusCode::CREATED, &json!("duty"), &json!("看水边")));
    let (status, silent) = press("duty", "camera-01", "看水边").await;
    assert_eq!(status, StatusCode::BAD_GATEWAY, "{silent}");
    assert!(silent["detail"].as_str().unwrap().contains("无应答"), "{silent}");

    // After a sudden end the same alarms are not asked again, and the log holds no address.
    site.restart().await;
    assert_eq!(shots(&site, &alarm, 2).await, found);
    let log = fs::read_to_string(site.folder.path().join("log")).unwrap();
    assert!(!log.contains("geheim") && !log.contains("panicked"), "{log}");
}

#[tokio::test]
async fn intake_a_value_set_by_hand_counts_at_once_keeps_its_original_and_outlives_the_device() {
    let mut site = Site::start("").await;
    let one =
        |minutes: i64, value: f64| json!({ "series": "huayuankou.discharge", "time": before(minutes), "value": value });
    let batch: Vec<_> = (1..40).map(|n| one(n * 6, if n == 1 { 4230.0 } else { 4000.0 + n as f64 })).collect();
    assert_eq!(sent(site.post("hydrologist", "/readings").json(&batch)).await.0, StatusCode::ACCEPTED);
    let amend = |site: &Site, who: &str, body: Value, key: &str| {
        let request = site.post(who, "/series/huayuankou.discharge/amendments").json(&body);
        sent(request.header("idempotency-key", key.to_owned()))
    };
    let gauge = async |site: &Site| {
        let all = site.get("viewer", "/situation").await["gauges"].clone();
        let all = all.as_array().unwrap().clone();
        let one = all.into_iter().find(|one| one["station"] == "huayuankou" && one["quantity"] == "discharge");
        let one = one.unwrap();
        (one["value"].as_f64(), one["time"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok()))
    };
    assert_eq!(gauge(&site).await, (Some(4230.0), Some(before(6))));

    // Who may, what is needed, and what cannot be.
    let body = |value: f64, reason: &str| json!({ "time": before(6), "value": value, "reason": reason });
    assert_eq!(amend(&site, "viewer", body(4005.0, "误录"), "a").await.0, StatusCode::FORBIDDEN);
    assert_eq!(amend(&site, "device", body(4005.0, "误录"), "a").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(amend(&site, "duty", body(4005.0, " "), "b").await.1["field"], "reason");
    let slip = amend(&site, "duty", body(540_050.0, "录入错位"), "s").await.1;
    assert_eq!(slip["field"], "value", "what no gauge could measure raises no proposal: {slip}");
    let ahead = json!({ "time": before(-600), "value": 1.0, "reason": "x" });
    assert_eq!(amend(&site, "duty", ahead, "c").await.1["field"], "time");
    let nothing = json!({ "time": before(7), "verdict": "bad", "reason": "x" });
    assert_eq!(amend(&site, "duty", nothing, "d").await.1["field"], "time");
    let unknown = site.post("duty", "/series/atlantis.stage/amendments").json(&body(1.0, "x"));
    assert_eq!(sent(unknown).await.0, StatusCode::NOT_FOUND);

    // Set: it counts at once, once for each key, and says what stood there.
    let (status, first) = amend(&site, "duty", body(4005.0, "录入错位"), "e").await;
    assert_eq!(
        (status, &first["revision"], &first["original"]["value"]),
        (StatusCode::CREATED, &json!(1), &json!(4230.0)),
        "{first}"
    );
    assert_eq!(amend(&site, "duty", body(4005.0, "录入错位"), "e").await, (status, first));
    assert_eq!(gauge(&site).await, (Some(4005.0), Some(before(6))));
    // A second revision by another, and a mark on the value before it.
    let (_, second) = amend(&site, "hydrologist", body(4006.0, "比测复核"), "f").await;
    assert_eq!(
        (&second["revision"], &second["was"]["value"], &second["original"]["value"]),
        (&json!(2), &json!(4005.0), &json!(4230.0))
    );
    let mark = json!({ "time": before(6), "verdict": "bad", "reason": "浮子卡阻" });
    assert_eq!(amend(&site, "duty", mark, "g").await.1["value"], 4006.0);
    assert_eq!(gauge(&site).await, (Some(4002.0), Some(before(12))), "the newest usable value is the one before");

    // In the answer for a span, after a sudden end, against the device, and in the journal folded again.
    site.restart().await;
    let path = format!(
        "/series/huayuankou.discharge/observations?from={}&to={START}",
        before(13).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    );
    let found = site.get("viewer", &path).await;
    let last = found["points"].as_array().unwrap().iter().find(|point| point["t"] == "2026-07-15T07:54:00Z").unwrap();
    assert_eq!((&last["v"], &last["q"], &last["by_hand"]), (&json!(4006.0), &json!("bad"), &json!(true)), "{found}");
    let by: Vec<_> =
        found["amendments"].as_array().unwrap().iter().map(|one| (one["by"].clone(), one["reason"].clone())).collect();
    let expected = [("duty", "录入错位"), ("hydrologist", "比测复核"), ("duty", "浮子卡阻")];
    assert_eq!(by, expected.map(|(who, why)| (json!(who), json!(why))), "{found}");
    assert_eq!(gauge(&site).await.0, Some(4002.0));
    let again = sent(site.post("device", "/readings").json(&json!([one(6, 4230.0)]))).await;
    assert_eq!(again.0, StatusCode::UNPROCESSABLE_ENTITY, "{}", again.1);
    site.server.kill().await.unwrap();
    let verify = Command::new(env!("CARGO_BIN_EXE_anlan"))
        .args(["journal", "verify", "--replay", "--data", "data"])
        .current_dir(site.folder.path())
        .output()
        .await
        .unwrap();
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stderr));
    let log = fs::read_to_string(site.folder.path().join("log")).unwrap();
    assert!(log.contains("观测值人工订正") && !log.contains("浮子卡阻"), "the log has no free text: {log}");
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// HMAC-SHA256 by the textbook, apart from the program's own.
fn signature(id: &str, timestamp: i64, body: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};
    let mut key = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    key.resize(64, 0);
    let pad = |with: u8| key.iter().map(|byte| byte ^ with).collect::<Vec<_>>();
    let inner = Sha256::digest([pad(0x36), format!("{id}.{timestamp}.{body}").into_bytes()].concat());
    format!("v1,{}", STANDARD.encode(Sha256::digest([pad(0x5c), inner.to_vec()].concat())))
}

#[tokio::test]
async fn intake_events_and_the_public_give_tips_that_an_officer_takes_or_closes() {
    let site = Site::start("[hooks]\nfile = 'hooks.toml'\n[public_reports]\nper_hour = 3\nall_per_hour = 100\n").await;
    let now = wall_now().timestamp();
    let event = async |id: &str, timestamp: i64, body: &str, signature: &str| {
        let request = site.http.post(format!("{}/api/v1/hooks/video-huiji", site.base));
        let request = request.header("webhook-id", id).header("webhook-timestamp", timestamp.to_string());
        sent(request.header("webhook-signature", signature).body(body.to_owned())).await
    };
    let tips = async || -> Vec<Value> {
        let reports = site.get("duty", "/reports").await;
        reports["items"].as_array().unwrap().iter().filter(|report| report["kind"] == "tip").cloned().collect()
    };

    // Unsigned, old, of nobody: nothing happens.
    let people = r#"{"type":"people-on-levee","data":{"count":3,"camera":"cam-07"}}"#;
    assert_eq!(event("e-1", now, people, "v1,AAAA").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(event("e-1", now - 400, people, &signature("e-1", now - 400, people)).await.0, StatusCode::UNAUTHORIZED);
    let nobody = site.http.post(format!("{}/api/v1/hooks/nobody", site.base)).body("{}");
    assert_eq!(sent(nobody).await.0, StatusCode::NOT_FOUND);
    assert!(tips().await.is_empty());

    // Signed: a signal and a tip, once.
    let signed = signature("e-1", now, people);
    let (status, first) = event("e-1", now, people, &signed).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{first}");
    assert_eq!(
        (&first["actions"][0]["signal"], first["actions"][1]["report"].is_string()),
        (&json!("intrusion(\"river\")"), true)
    );
    assert_eq!(event("e-1", now, people, &signed).await, (StatusCode::ACCEPTED, first.clone()));
    let other = r#"{"type":"people-on-levee","data":{"count":9,"camera":"cam-07"}}"#;
    assert_eq!(event("e-1", now, other, &signature("e-1", now, other)).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let found = tips().await;
    assert_eq!((found.len(), &found[0]["text"]), (1, &json!("堤顶发现 3 人")), "{found:?}");
    let gauge = r#"{"type":"water-gauge-read","data":{"stage_cm":8910}}"#;
    let (_, read) = event("e-2", now, gauge, &signature("e-2", now, gauge)).await;
    assert_eq!(read, json!({ "actions": [{ "reading": "huayuankou.stage" }] }));
    // What cannot be read is refused by its field, and no value of now is made of it.
    for (id, body, field) in [
        ("e-5", r#"{"type":"water-gauge-read","data":{"stage_cm":8911,"time":"yesterday"}}"#, "/data/time"),
        ("e-6", r#"{"type":"water-gauge-read","data":{"stage_cm":"abc"}}"#, "/data/stage_cm"),
    ] {
        let (status, refused) = event(id, now, body, &signature(id, now, body)).await;
        assert_eq!((status, &refused["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(field)), "{refused}");
    }
    let lost = r#"{"type":"people-on-levee","data":{"count":2,"camera":"cam-99"}}"#;
    let (status, partly) = event("e-7", now, lost, &signature("e-7", now, lost)).await;
    assert_eq!((status, &partly["actions"][0]["not_understood"]), (StatusCode::ACCEPTED, &json!("/data/camera")));
    assert!(partly["actions"][1]["report"].is_string(), "{partly}");
    let nothing = r#"{"type":"cat"}"#;
    assert_eq!(event("e-3", now, nothing, &signature("e-3", now, nothing)).await.1, json!({ "actions": [] }));

    // The public: bounded, checked, without what the camera wrote, masked.
    let public = async |fields: &[(&str, &[u8])]| {
        let mut body = Vec::new();
        for (name, bytes) in fields {
            body.extend(format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").into_bytes());
            body.extend(*bytes);
            body.extend(b"\r\n");
        }
        body.extend(b"--edge--\r\n");
        let request = site.http.post(format!("{}/api/v1/public/reports", site.base));
        sent(request.header("content-type", "multipart/form-data; boundary=edge").body(body)).await
    };
    let page = site.http.get(format!("{}/public", site.base)).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let about = sent(site.http.get(format!("{}/api/v1/public/reports", site.base))).await;
    assert_eq!((about.0, &about.1["photos_max"]), (StatusCode::OK, &json!(3)));
    let jpeg = [&[0xff, 0xd8, 0xff, 0xe1, 0, 8][..], b"secret", &[0xff, 0xda, 0, 2, 1, 2, 0xff, 0xd9]].concat();
    let text = "堤脚冒水，电话13812345678".as_bytes();
    let (status, body) = public(&[("text", text), ("place", "花园口村东".as_bytes()), ("photo", &jpeg)]).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    let (status, refused) = public(&[("text", text), ("place", b"x"), ("photo", b"<svg onload=alert(1)>")]).await;
    assert_eq!((status, &refused["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("photo")));
    assert_eq!(public(&[("text", text)]).await.1["field"], "place");
    // What was refused is counted apart: two more of the three an hour still come in.
    for place in [&b"x"[..], b"y"] {
        assert_eq!(public(&[("text", text), ("place", place)]).await.0, StatusCode::CREATED);
    }
    assert_eq!(public(&[("text", text), ("place", b"z")]).await.0, StatusCode::TOO_MANY_REQUESTS, "three an hour");
    let found = tips().await;
    let tip = found.iter().find(|tip| tip["id"] == body["id"]).unwrap();
    assert_eq!(tip["text"], "堤脚冒水，电话138****5678（花园口村东）", "{tip}");
    let photo = format!("{}{}", site.base, tip["photos"][0]["url"].as_str().unwrap());
    let photo = site.http.get(photo).bearer_auth(&site.tokens["duty"]).send().await.unwrap();
    assert_eq!(photo.headers()["content-disposition"], "attachment");
    assert_eq!(photo.bytes().await.unwrap(), [0xff, 0xd8, 0xff, 0xda, 0, 2, 1, 2, 0xff, 0xd9].as_slice());

    // What serve would refuse, `config check` refuses: the secret of a source is gone.
    let check = async || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
        let output =
            command.args(["config", "check", "a.toml"]).current_dir(site.folder.path()).output().await.unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert!(check().await.0);
    let hooks = site.folder.path().join("hooks.toml");
    fs::write(&hooks, fs::read_to_string(&hooks).unwrap().replace("whsec_M", "whsec_")).unwrap();
    let (good, words) = check().await;
    assert!(!good && words.contains("hooks.toml"), "{words}");

    // An officer takes it for a hazard, at a place that he finds; it is one step, and it is done once.
    let id = tip["id"].as_str().unwrap();
    let adopt = |who: &str, body: Value| site.post(who, &format!("/reports/{id}/adopt")).json(&body);
    assert_eq!(sent(adopt("viewer", json!({ "type": "piping" }))).await.0, StatusCode::FORBIDDEN);
    assert!(!sent(adopt("duty", json!({ "type": "piping" }))).await.0.is_success(), "nobody knows where");
    let place = json!({ "chainage": 3200 });
    let (status, hazard) = sent(adopt("duty", json!({ "type": "piping", "grade": 2, "place": place }))).await;
    assert_eq!(
        (status, &hazard["kind"], &hazard["type"]),
        (StatusCode::CREATED, &json!("hazard"), &json!("piping")),
        "{hazard}"
    );
    assert!(
        !sent(adopt("duty", json!({ "type": "piping", "place": place }))).await.0.is_success(),
        "the tip has ended"
    );
    let seen = tips().await;
    assert_eq!(seen.iter().find(|tip| tip["id"] == id).unwrap()["state"], "resolved");
    let event_tip = first["actions"][1]["report"].as_str().unwrap();
    let close = site.post("officer-b", &format!("/reports/{event_tip}/settle")).json(&json!({ "false_alarm": true }));
    assert_eq!(sent(close).await.1["state"], "false-alarm");
}
