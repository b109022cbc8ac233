//! The whole way: a frame to `anlan serve`, its acknowledgement, kill -9, and the value in the store of the dead server.

use crate::support::{free_port, serve};
use anlan::ingest::sl651::codec::{
    Coding, Direction, Element, End, Frame, Framer, Group, Moment, Report, StationAddress,
};
use anlan::model::{SeriesId, Timestamp};
use anlan::store::series::{EmbeddedSeries, SeriesLimits, SeriesStore};
use anlan::store::series_file;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

const HUAYUANKOU: StationAddress = StationAddress([0x00, 0x40, 0x10, 0x51, 0x50]);

fn report(at: Timestamp) -> Frame {
    let elements = vec![Element::number(0x39, 91.25).unwrap(), Element::number(0x27, 6543.0).unwrap()];
    let group = Group { station: Some((HUAYUANKOU, Some(b'H'))), observed: Some(Moment::of(at)), elements };
    let report = Report { serial: 77, sent: Moment::of(at), groups: vec![group], faults: Vec::new() };
    Frame {
        coding: Coding::Hex,
        direction: Direction::Up,
        centre: 1,
        station: HUAYUANKOU,
        password: 0x1234,
        function: 0x32,
        packet: None,
        body: report.encode(Coding::Hex),
        end: End::Etx,
    }
}

#[tokio::test]
async fn sl651_what_the_server_acknowledged_survives_its_sudden_end() {
    let temp = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let start: Timestamp = "1958-07-16T10:30:00Z".parse().unwrap();
    let config = format!(
        "listen = '127.0.0.1:0'\ndata = 'data'\n[field]\naddress = '127.0.0.1:9'\n[sl651]\nlisten = '{free}'\n\
         [clock]\nkind = 'demo'\nstart = '{}'\nspeed = 1.0\n",
        start.to_rfc3339()
    );
    fs::write(temp.path().join("a.toml"), config).unwrap();
    let mut server = serve(temp.path());
    let mut tries = 0;
    let mut station = loop {
        match TcpStream::connect(free).await {
            Ok(stream) => break stream,
            Err(_) if tries < 600 => tokio::time::sleep(Duration::from_millis(100)).await,
            Err(cause) => panic!("the server does not listen: {cause}"),
        }
        tries += 1;
    };
    station.write_all(&report(start).encode().unwrap()).await.unwrap();
    let answer = heard(&mut station).await;
    // Another report of the same minute says otherwise: acknowledged as well, and put aside; the first value stays.
    let mut other = report(start);
    other.body = {
        let elements = vec![Element::number(0x39, 91.85).unwrap(), Element::number(0x27, 6543.0).unwrap()];
        let group = Group { station: Some((HUAYUANKOU, Some(b'H'))), observed: Some(Moment::of(start)), elements };
        Report { serial: 78, sent: Moment::of(start), groups: vec![group], faults: Vec::new() }.encode(Coding::Hex)
    };
    station.write_all(&other.encode().unwrap()).await.unwrap();
    let second = heard(&mut station).await;
    server.kill().await.unwrap();
    assert_eq!((answer.function, answer.end), (0x32, End::Eot));
    assert_eq!((second.function, second.end), (0x32, End::Eot));
    let aside = fs::read_to_string(temp.path().join("data/blobs/intake/set-aside.jsonl")).unwrap();
    let aside: Vec<Value> = aside.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(aside.len(), 1, "the discharge is the same, so it is known: {aside:?}");
    assert_eq!(
        (&aside[0]["door"], &aside[0]["series"], &aside[0]["given"], &aside[0]["stored"]),
        (&json!("sl651"), &json!("huayuankou.stage"), &json!(91.85), &json!(91.25))
    );
    let series = EmbeddedSeries::open(&series_file(&temp.path().join("data")), SeriesLimits::default()).await.unwrap();
    for (quantity, value) in [("stage", 91.25), ("discharge", 6543.0)] {
        let id = SeriesId::new(format!("huayuankou.{quantity}"));
        let to = start + chrono::TimeDelta::seconds(1);
        let stored = series.range(&id, start, to, None).await.unwrap();
        // The pollers add that the unreachable gauges gave no number; the report stands beside it.
        assert!(stored.iter().any(|sample| sample.at == start && sample.value == value), "{quantity}: {stored:?}");
    }
}

async fn anlan(folder: &Path, arguments: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
    let output = command.args(arguments).current_dir(folder).stdin(Stdio::null()).output().await.unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

async fn heard(station: &mut TcpStream) -> Frame {
    let (mut framer, mut buffer) = (Framer::default(), [0; 512]);
    loop {
        if let Some(received) = framer.next_frame() {
            return received.frame;
        }
        let count = station.read(&mut buffer).await.unwrap();
        assert!(count > 0, "closed");
        framer.push(&buffer[..count]);
    }
}

/// An operator asks a station through the API: put down first, asked once for each key, its values in the answer.
#[tokio::test]
async fn sl651_an_operator_asks_a_station_and_sets_its_clock() {
    let temp = tempfile::tempdir().unwrap();
    let (port, stations) = (free_port().await, free_port().await);
    let start: Timestamp = "1958-07-16T10:30:00Z".parse().unwrap();
    let config = format!(
        "listen = '127.0.0.1:{port}'\ndata = 'data'\n[field]\naddress = '127.0.0.1:9'\n[sl651]\nlisten = '127.0.0.1:{stations}'\n\
         [clock]\nkind = 'demo'\nstart = '{}'\nspeed = 1.0\n",
        start.to_rfc3339()
    );
    fs::write(temp.path().join("a.toml"), config).unwrap();
    anlan(temp.path(), &["init", "--data", "data"]).await;
    let mut links = Vec::new();
    for (name, role) in [("boss", "operator"), ("watch", "duty")] {
        anlan(temp.path(), &["user", "add", name, "--role", role, "--no-password", "--data", "data"]).await;
        links.push(anlan(temp.path(), &["user", "link", name, "--data", "data", "--json"]).await);
    }
    let _server = serve(temp.path());
    // Plain HTTP, but the client is built with TLS and asks for one crypto provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::new();
    let base = format!("http://127.0.0.1:{port}");
    let mut tries = 0;
    while client.get(format!("{base}/healthz")).send().await.is_err() {
        assert!(tries < 600, "the server does not listen");
        tries += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut tokens = Vec::new();
    for link in &links {
        let body = json!({"token": link["token"], "device": true});
        let opened = client.post(format!("{base}/api/v1/session")).json(&body).send().await.unwrap();
        tokens.push(opened.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned());
    }
    let ask = |who: usize, key: &'static str, body: Value| {
        let url = format!("{base}/api/v1/ingest/sl651/0040105150/ask");
        let request = client.post(url).bearer_auth(&tokens[who]).header("Idempotency-Key", key).json(&body);
        async move {
            let reply = request.send().await.unwrap();
            (reply.status(), reply.json::<Value>().await.unwrap())
        }
    };
    assert_eq!(ask(1, "a", json!({"question": "now"})).await.0, StatusCode::FORBIDDEN);
    assert_eq!(ask(0, "b", json!({"question": "now"})).await.0, StatusCode::CONFLICT, "it has not called yet");
    let wrong = json!({"question": "elements", "elements": ["XX"]});
    assert_eq!(ask(0, "c", wrong).await.0, StatusCode::UNPROCESSABLE_ENTITY);

    let mut station = TcpStream::connect(("127.0.0.1", stations)).await.unwrap();
    station.write_all(&report(start).encode().unwrap()).await.unwrap();
    assert_eq!(heard(&mut station).await.end, End::Eot);
    let elements = json!({"question": "elements", "elements": ["Z", "F4"]});
    let reply = async {
        let asked = heard(&mut station).await;
        assert_eq!((asked.function, asked.end, asked.direction), (0x3a, End::Enq, Direction::Down));
        assert_eq!(&asked.body[8..], [0x39, 0x23, 0xf4, 0x60]);
        let answer = Frame { function: 0x3a, ..report(start + chrono::TimeDelta::seconds(60)) };
        station.write_all(&answer.encode().unwrap()).await.unwrap();
    };
    let ((status, body), ()) = tokio::join!(ask(0, "d", elements.clone()), reply);
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!((&body["function"], &body["repeated"]), (&json!("3A"), &json!(false)));
    let stage = body["reply"]["values"].as_array().unwrap().iter().find(|value| value["element"] == "39").unwrap();
    assert_eq!((&stage["value"], &stage["unit"]), (&json!(91.25), &json!("m")));
    // The acknowledgement of the reply, then nothing: the same key asks nobody again.
    assert_eq!(heard(&mut station).await.function, 0x3a);
    let (status, body) = ask(0, "d", elements).await;
    assert_eq!((status, &body["repeated"]), (StatusCode::OK, &json!(true)));

    let reply = async {
        let asked = heard(&mut station).await;
        assert_eq!((asked.function, asked.end), (0x4a, End::Enq));
        let answer = Frame { function: 0x4a, ..report(start) };
        station.write_all(&answer.encode().unwrap()).await.unwrap();
    };
    let ((status, body), ()) = tokio::join!(ask(0, "e", json!({"question": "set-clock"})), reply);
    assert_eq!((status, &body["function"]), (StatusCode::OK, &json!("4A")), "{body}");
    let links = client.get(format!("{base}/api/v1/ingest")).bearer_auth(&tokens[0]).send().await.unwrap();
    let links: Value = links.json().await.unwrap();
    assert_eq!(links["sl651"]["stations"].as_array().unwrap().len(), 9);
    assert!(links["mqtt"].is_null());
    let journal = client.get(format!("{base}/api/v1/journal?after=0")).bearer_auth(&tokens[0]).send().await.unwrap();
    let journal = journal.text().await.unwrap();
    assert!(journal.contains("3A 查询指定要素 0040105150") && journal.contains("4A 设置时钟 0040105150"), "{journal}");
}
