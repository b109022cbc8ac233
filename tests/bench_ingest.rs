//! `anlan bench ingest` as a user calls it, small.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::{Command, Output};

fn ingest(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_anlan")).args(["bench", "ingest"]).args(args).output().unwrap()
}

#[test]
fn bench_ingest_gives_every_figure_as_json_and_leaves_no_file() {
    let temp = tempfile::tempdir().unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_anlan"))
        .args(["bench", "ingest", "--json", "--points", "20000", "--series", "50", "--batch", "1000"])
        .env("TMPDIR", temp.path())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let ours = &report["anlan"];
    assert_eq!((&ours["points"], &ours["series"]), (&20_000.into(), &50.into()));
    for figure in ["points_per_s", "peak_rss_mb", "file_bytes_per_point", "query_30d_to_1min_ms", "reopen_ms"] {
        assert!(ours[figure].as_f64().unwrap() > 0.0, "{figure} in {report}");
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
