//! `anlan bench ingest`, `open` and `mqtt` as a user calls them, small.

use std::process::{Command, Output};

fn ingest(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_anlan")).args(["bench", "ingest"]).args(args).output().unwrap()
}

#[test]
fn bench_ingest_gives_every_figure_as_json_and_leaves_no_file() {
    let temp = tempfile::tempdir().unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_anlan"))
        .args(["bench", "ingest", "--json", "--points", "20000", "--series", "50", "--batch", "1000", "--late", "0.1"])
        .env("TMPDIR", temp.path())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let ours = &report["stores"][0];
    assert_eq!((&ours["store"], &report["plan"]["series"]), (&"anlan".into(), &50.into()));
    for way in [&ours["in_order"], &ours["late"]] {
        assert_eq!(way["points"], 20_000, "{report}");
        for figure in ["points_per_s", "peak_rss_mb", "bytes_per_point", "reopen_ms"] {
            assert!(way[figure].as_f64().unwrap() > 0.0, "{figure} in {report}");
        }
        // A day and a little of the 10 s series in minutes and hours, of another every point, of all the newest.
        let samples = |place: usize| way["answers"][place]["samples"].as_u64().unwrap();
        assert!(samples(0) > samples(1) && samples(1) > 20 && samples(2) > 150 && samples(3) == 50, "{report}");
    }
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
}

#[test]
fn bench_ingest_refuses_a_folder_that_has_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let args = ["--points", "100", "--series", "2", "--data", path];
    assert!(ingest(&args).status.success());
    let again = ingest(&args);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!again.status.success() && said.contains("measure in an empty folder"), "{said}");
}

#[test]
fn bench_ingest_through_our_own_route_stores_every_point() {
    let out = ingest(&["--json", "--points", "4000", "--series", "20", "--batch", "500", "--through", "http"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(report["stores"][0]["store"], "anlan-http");
    assert_eq!(report["stores"][0]["in_order"]["answers"][3]["samples"], 20, "{report}");
}

#[test]
fn bench_ingest_kills_and_finds_what_was_acknowledged() {
    let out = ingest(&["--json", "--points", "20000", "--series", "20", "--batch", "500", "--kill", "1"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let kill = &report["kills"][0];
    assert!(kill["acknowledged"].as_u64().unwrap() >= 10_000 && kill["lost"] == 0, "{report}");
}

#[test]
fn bench_open_opens_what_it_loaded() {
    let out = Command::new(env!("CARGO_BIN_EXE_anlan"))
        .args(["bench", "open", "--json", "--series", "40", "--every-s", "600", "--days", "3", "--times", "2"])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((&report["points"], &report["open_ms"]["count"]), (&(40 * 432).into(), &2.into()), "{report}");
}

#[test]
fn bench_mqtt_stores_every_message_of_a_real_broker() {
    let out = Command::new(env!("CARGO_BIN_EXE_anlan"))
        .args(["bench", "mqtt", "--json", "--messages", "2000", "--publishers", "4", "--values", "3", "--rounds", "1"])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    // That every point is stored is checked by the measurement itself.
    assert_eq!((&report["messages"], report["durable"].as_array().unwrap().len()), (&2000.into(), 1), "{report}");
    for figure in ["durable_points_per_s", "broker_points_per_s", "payload_bytes"] {
        assert!(report[figure].as_f64().unwrap() > 0.0, "{figure} in {report}");
    }
}
