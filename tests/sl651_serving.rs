//! The whole way: a frame to `anlan serve`, its acknowledgement, kill -9, and the value in the store of the dead server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use anlan::ingest::sl651::codec::{
    Coding, Direction, Element, End, Frame, Framer, Group, Moment, Report, StationAddress,
};
use anlan::model::{SeriesId, Timestamp};
use anlan::store::series::{EmbeddedSeries, SeriesLimits, SeriesStore};
use anlan::store::series_file;
use std::fs;
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
    let mut server = Command::new(env!("CARGO_BIN_EXE_anlan"))
        .args(["serve", "--config", "a.toml"])
        .current_dir(temp.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
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
    let (mut framer, mut buffer) = (Framer::default(), [0; 256]);
    let answer = loop {
        let count = station.read(&mut buffer).await.unwrap();
        assert!(count > 0, "closed without an answer");
        framer.push(&buffer[..count]);
        if let Some(received) = framer.next_frame() {
            break received.frame;
        }
    };
    server.kill().await.unwrap();
    assert_eq!((answer.function, answer.end), (0x32, End::Eot));
    let series = EmbeddedSeries::open(&series_file(&temp.path().join("data")), SeriesLimits::default()).await.unwrap();
    for (quantity, value) in [("stage", 91.25), ("discharge", 6543.0)] {
        let id = SeriesId::new(format!("huayuankou.{quantity}"));
        let to = start + chrono::TimeDelta::seconds(1);
        let stored = series.range(&id, start, to, None).await.unwrap();
        // The pollers add that the unreachable gauges gave no number; the report stands beside it.
        assert!(stored.iter().any(|sample| sample.at == start && sample.value == value), "{quantity}: {stored:?}");
    }
}
