//! `anlan twin flood2d` as a user runs it: a small case end to end, going on from a checkpoint, and errors that name the cause.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const CASE: &str = r#"
[grid]
dem = "dem.asc"
manning = 0.03
[initial]
depth = "h0.asc"
[run]
end_s = 40.0
output_every_s = 20.0
scheme = "full2"
threads = 1
[[boundary]]
side = "east"
kind = "normal-depth"
slope = 0.001
[[edge]]
line = [[100.0, 0.0], [100.0, 50.0]]
crest_m = 1.0
[[breach]]
edge = 0
centre = [100.0, 25.0]
width_m = 20.0
start = { time_s = 5.0 }
to_crest_m = 0.0
duration_s = 5.0
[[inflow]]
line = [[5.0, 0.0], [5.0, 50.0]]
series = "q.csv"
[[gauge]]
name = "P1"
at = [95.0, 25.0]
"#;

fn raster(of: impl Fn(usize) -> f64) -> String {
    let row: Vec<String> = (0..20).map(|column| of(column).to_string()).collect();
    let rows = vec![row.join(" "); 5].join("\n");
    format!("ncols 20\nnrows 5\nxllcorner 0\nyllcorner 0\ncellsize 10\nNODATA_value -9999\n{rows}\n")
}

fn write_case(dir: &Path, case: &str) {
    fs::write(dir.join("case.toml"), case).unwrap();
    fs::write(dir.join("dem.asc"), raster(|column| 0.5 - 0.001 * column as f64)).unwrap();
    fs::write(dir.join("h0.asc"), raster(|column| if column < 10 { 1.2 } else { 0.0 })).unwrap();
    fs::write(dir.join("q.csv"), "time_s,discharge_m3s\n0,5\n100,5\n").unwrap();
}

fn flood2d(dir: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
    command.args(["twin", "flood2d"]).arg(dir.join("case.toml")).arg("--out").arg(dir.join("out")).args(more);
    command.output().unwrap()
}

#[test]
fn twin_flood2d_writes_all_results() {
    let dir = tempfile::tempdir().unwrap();
    write_case(dir.path(), CASE);
    let output = flood2d(dir.path(), &["--json", "--checkpoint"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["cells"], 100);
    assert_eq!(told["scheme"], "full2");
    assert_eq!(told["breaches_opened_s"][0], 5.0);
    assert!(told["volume_error"].as_f64().unwrap().abs() < 1e-6);
    assert!((told["volume_in_m3"].as_f64().unwrap() - 200.0).abs() < 1e-3);
    let out = dir.path().join("out");
    for name in
        ["depth_0.asc", "depth_20.asc", "depth_40.asc", "max_depth.asc", "arrival_s.asc", "max_hazard.asc", "run.json"]
    {
        assert!(out.join(name).exists(), "{name}");
    }
    let gauges = fs::read_to_string(out.join("gauges.csv")).unwrap();
    assert_eq!(gauges.lines().count(), 1 + 3, "{gauges}");
    assert!(gauges.starts_with("time_s,name,depth_m,stage_m,u_ms,v_ms\n0,P1,1.2"));
    // Going on from the checkpoint of the end changes nothing and ends in the same state.
    let again = flood2d(dir.path(), &["--json", "--resume"]);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    let resumed: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(resumed["state_hash"], told["state_hash"]);
}

#[test]
fn twin_flood2d_names_what_is_wrong() {
    let check = |from: &str, to: &str, expected: &str| {
        let dir = tempfile::tempdir().unwrap();
        write_case(dir.path(), &CASE.replace(from, to));
        let output = flood2d(dir.path(), &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(expected), "{expected}: {said}");
    };
    check("manning = 0.03", "manning = -0.03", "Manning's n is -0.03");
    check("end_s = 40.0", "end_s = 400.0", "inflow 0 ends at 100 s");
    check("dem.asc", "none.asc", "none.asc");
    check("dem.asc", "dem.tif", "dem.tif");
    check(
        "crest_m = 1.0",
        "crest_m = 1.0\ndatum = \"dagu\"",
        "[[edge]] 0 has heights above datum 'dagu', [grid] above 'none",
    );
    check("centre = [100.0, 25.0]", "centre = [150.0, 25.0]", "breach 0 lies beside edge 0");
    check("threads = 1", "treads = 1", "treads");
    check("slope = 0.001", "series = \"q.csv\"", "normal-depth takes slope");
    check("[100.0, 50.0]]", "[100.0, 500.0]]", "edge 0 at 100.00, 500.00 lies outside");
    check("edge = 0\n", "edge = 4\n", "names edge 4");
    check("at = [95.0, 25.0]", "at = [950.0, 25.0]", "gauge]] 'P1'");
    check("[[gauge]]", "[[gauge]]\nname = \"P1\"\nat = [5.0, 5.0]\n[[gauge]]", "two [[gauge]] have the name 'P1'");
    check("width_m = 20.0", "width_m = 200.0", "width_m = 200 is beyond the 50.0 m of edge 0");
    check("time_s = 5.0", "time_s = 41.0", "[[breach]] 0: 溃口晚于计算结束 (it starts at 41 s");
    check("time_s = 5.0", "time_s = inf", "it starts at inf s");
    check("duration_s = 5.0", "duration_s = inf", "breach 0: duration_s = inf");
    check("centre = [100.0, 25.0]", "centre = [100.0, nan]", "breach 0: centre y = NaN");
    check("line = [[5.0, 0.0], [5.0, 50.0]]", "line = [[5.0, 0.0], [5.0, 5000.0]]", "inflow 0 at 5.00, 5000.00");
    check("depth = \"h0.asc\"", "depth = \"h0.asc\"\ndry = true", "exactly one of");
    let dir = tempfile::tempdir().unwrap();
    write_case(dir.path(), CASE);
    fs::write(dir.path().join("h0.asc"), raster(|_| 1.0).replace("ncols 20", "ncols 25").replace("nrows 5", "nrows 4"))
        .unwrap();
    let said = String::from_utf8(flood2d(dir.path(), &[]).stderr).unwrap();
    assert!(said.contains("h0.asc does not match"), "{said}");
    let spoil = |name: &str, text: String, expected: &str| {
        fs::write(dir.path().join(name), text).unwrap();
        let said = String::from_utf8(flood2d(dir.path(), &[]).stderr).unwrap();
        assert!(said.contains(expected), "{said}");
    };
    spoil("h0.asc", raster(|_| 1.0).replace("xllcorner 0", "xllcorner 5"), "corner 5, 0 against 0, 0");
    spoil("h0.asc", raster(|column| if column == 3 { f64::NAN } else { 1.0 }), "'NaN' in column 4");
    spoil("dem.asc", raster(|_| -9999.0), "h0.asc");
    spoil("h0.asc", raster(|_| 1.0), "no height at all");
    spoil("dem.asc", raster(|_| 1.0).replace("cellsize 10", "cellsize 0.0001"), "looks like degrees");
    spoil("dem.asc", "PK not a raster".into(), "dem.asc:1");
    let hole = raster(|column| if column == 3 { -32768.0 } else { 1.0 });
    spoil("dem.asc", hole, "dem.asc: the height -32768 m at row 5 from the north, column 4");
    spoil("dem.asc", raster(|_| 1.0), "");
    let said = String::from_utf8(flood2d(dir.path(), &["--threads", "0"]).stderr).unwrap();
    assert!(said.contains("cannot start 0 workers"), "{said}");
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn twin_flood2d_takes_away_what_an_older_run_left_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    write_case(dir.path(), CASE);
    assert!(flood2d(dir.path(), &["--geotiff"]).status.success());
    for name in ["depth_survey.asc", "notes.txt", "depth_900.asc"] {
        fs::write(out.join(name), "x").unwrap();
    }
    fs::write(dir.path().join("case.toml"), CASE.replace("output_every_s = 20.0", "output_every_s = 40.0")).unwrap();
    assert!(flood2d(dir.path(), &[]).status.success());
    let expected = [
        "arrival_s.asc",
        "depth_0.asc",
        "depth_40.asc",
        "depth_survey.asc",
        "gauges.csv",
        "max_depth.asc",
        "max_hazard.asc",
        "notes.txt",
        "run.json",
    ];
    assert_eq!(names(&out), expected);
    // What the case itself begins with stays, wherever it lies.
    fs::write(out.join("depth_7.asc"), raster(|_| 1.0)).unwrap();
    fs::write(dir.path().join("case.toml"), CASE.replace("h0.asc", "out/depth_7.asc")).unwrap();
    let output = flood2d(dir.path(), &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(names(&out).contains(&"depth_7.asc".into()), "{:?}", names(&out));
    // A run that fails on its way leaves nothing of the one before, either.
    fs::write(dir.path().join("h0.asc"), raster(|column| if column == 5 { 9_000.0 } else { 0.0 })).unwrap();
    fs::write(dir.path().join("case.toml"), CASE.replace("\"full2\"", "\"local-inertia\"")).unwrap();
    assert!(!flood2d(dir.path(), &[]).status.success());
    assert!(
        names(&out).iter().all(|name| !["run.json", "max_depth.asc"].contains(&name.as_str())),
        "{:?}",
        names(&out)
    );
}

#[test]
fn twin_flood2d_goes_on_without_a_line_twice() {
    let dir = tempfile::tempdir().unwrap();
    let gauges = dir.path().join("out/gauges.csv");
    write_case(dir.path(), CASE);
    assert!(flood2d(dir.path(), &[]).status.success());
    let whole = fs::read_to_string(&gauges).unwrap();
    fs::write(dir.path().join("case.toml"), CASE.replace("end_s = 40.0", "end_s = 20.0")).unwrap();
    assert!(flood2d(dir.path(), &["--checkpoint"]).status.success());
    // The run got further than its checkpoint, and its last line not to its end.
    fs::write(&gauges, fs::read_to_string(&gauges).unwrap() + "40,P1,9.0,9.0,0.0,0.0\n30,P1,9").unwrap();
    fs::write(dir.path().join("case.toml"), CASE).unwrap();
    let output = flood2d(dir.path(), &["--resume"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_to_string(&gauges).unwrap(), whole);
    // With another inflow it does not go on.
    fs::write(dir.path().join("q.csv"), "time_s,discharge_m3s\n0,5\n100,6\n").unwrap();
    let said = String::from_utf8(flood2d(dir.path(), &["--resume"]).stderr).unwrap();
    assert!(said.contains("inflows, rain or sides of the case have changed"), "{said}");
}

#[test]
fn twin_flood2d_keeps_volume_in_violent_water_and_warns_on_the_terminal_of_a_scheme_that_does_not_hold() {
    // All of a flood on one dry cell: cells give more than they hold.
    let run = |scheme: &str| {
        let dir = tempfile::tempdir().unwrap();
        let case = CASE.replace("[[5.0, 0.0], [5.0, 50.0]]", "[[145.0, 25.0]]").replace("full2", scheme);
        write_case(dir.path(), &case);
        fs::write(dir.path().join("q.csv"), "time_s,discharge_m3s\n0,50\n100,50\n").unwrap();
        fs::write(dir.path().join("h0.asc"), raster(|_| 0.0)).unwrap();
        let output = flood2d(dir.path(), &["--json"]);
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(told["volume_error"].as_f64().unwrap().abs() < 1e-6, "{told:#}");
        (told["warning"].clone(), String::from_utf8(output.stderr).unwrap())
    };
    let (warning, said) = run("full2");
    assert!(warning.is_null() && !said.contains("注意"), "{warning} {said}");
    let (warning, said) = run("local-inertia");
    assert!(warning.as_str().unwrap().contains("弗劳德数超过 0.8"), "{warning}");
    assert!(said.contains("注意 弗劳德数超过 0.8") && said.contains("Froude numbers above 0.8"), "{said}");
}

#[cfg(unix)]
#[test]
fn twin_verbs_do_not_panic_when_nobody_can_be_told() {
    let dir = tempfile::tempdir().unwrap();
    write_case(dir.path(), CASE);
    let (case, out) = (dir.path().join("case.toml"), dir.path().join("out"));
    let flood2d = ["twin", "flood2d", case.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let verify = ["twin", "verify", "1982-08", "--every-h", "24"];
    let downstream = ["twin", "downstream", "1982-08"];
    for verb in [&flood2d[..], &verify, &downstream] {
        let run = |stdout: std::process::Stdio| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
            command.args(verb).stdout(stdout).stderr(std::process::Stdio::piped()).spawn().unwrap()
        };
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = run(full.into()).wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && said.contains("cannot write stdout"), "{verb:?}: {said}");
        let mut closed = run(std::process::Stdio::piped());
        drop(closed.stdout.take());
        let output = closed.wait_with_output().unwrap();
        assert!(output.status.success(), "{verb:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn twin_flood2d_writes_geotiff_and_reads_its_own() {
    let dir = tempfile::tempdir().unwrap();
    write_case(dir.path(), CASE);
    let output = flood2d(dir.path(), &["--geotiff", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let out = dir.path().join("out");
    for name in ["depth_0.tif", "depth_40.tif", "max_depth.tif", "arrival_s.tif", "max_hazard.tif"] {
        assert!(fs::read(out.join(name)).unwrap().starts_with(b"II*\0"), "{name}");
    }
    // The depths at the start, read back as a starting depth, give the same run.
    fs::copy(out.join("depth_0.tif"), dir.path().join("h0.tif")).unwrap();
    fs::write(dir.path().join("case.toml"), CASE.replace("h0.asc", "h0.tif")).unwrap();
    let again = flood2d(dir.path(), &["--json"]);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    let hash =
        |output: &Output| serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["state_hash"].clone();
    assert_eq!(hash(&output), hash(&again));
}

#[cfg(unix)]
#[test]
fn twin_flood2d_says_which_file_a_full_disk_stopped() {
    let dir = tempfile::tempdir().unwrap();
    write_case(dir.path(), CASE);
    // No file may grow beyond 2 KiB: the rasters of this case fit, its checkpoint does not.
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "trap '' XFSZ; ulimit -f 4; exec \"$@\"",
        "sh",
        env!("CARGO_BIN_EXE_anlan"),
        "twin",
        "flood2d",
    ]);
    command.arg(dir.path().join("case.toml")).arg("--out").arg(dir.path().join("out")).arg("--checkpoint");
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("cannot write") && said.contains("checkpoint.bin"), "{said}");
    let left: Vec<String> = fs::read_dir(dir.path().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(left.contains(&"depth_0.asc".into()) && left.iter().all(|name| !name.contains("part")), "{left:?}");
    assert!(!left.contains(&"checkpoint.bin".into()) && !left.contains(&"run.json".into()), "{left:?}");
}
