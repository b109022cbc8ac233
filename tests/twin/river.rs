//! `anlan twin route` as a user runs it: Wilson's flood routed and calibrated, and errors that name the cause.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const WILSON: [(f64, f64); 22] = [
    (22.0, 22.0),
    (23.0, 21.0),
    (35.0, 21.0),
    (71.0, 26.0),
    (103.0, 34.0),
    (111.0, 44.0),
    (109.0, 55.0),
    (100.0, 66.0),
    (86.0, 75.0),
    (71.0, 82.0),
    (59.0, 85.0),
    (47.0, 84.0),
    (39.0, 80.0),
    (32.0, 73.0),
    (28.0, 64.0),
    (24.0, 54.0),
    (22.0, 44.0),
    (21.0, 36.0),
    (20.0, 30.0),
    (19.0, 25.0),
    (19.0, 22.0),
    (18.0, 19.0),
];

const CASE: &str = "[reach]\nmodel = \"nonlinear\"\nk_h = 0.5175\nx = 0.2869\nm = 1.8681\ndt_s = 21600\n[[inflow]]\nseries = \"i.csv\"\n";
const CALIBRATE: &str = "[calibrate]\noutflow = \"o.csv\"\n";

pub fn twin(verb: &str, dir: &Path, case: &str) -> Output {
    let column = |of: fn(&(f64, f64)) -> f64| {
        let rows = WILSON.iter().enumerate().map(|(at, row)| format!("{},{}\n", at * 21_600, of(row)));
        rows.fold(String::from("time_s,discharge_m3s\n"), |text, row| text + &row)
    };
    fs::write(dir.join("i.csv"), column(|row| row.0)).unwrap();
    fs::write(dir.join("o.csv"), column(|row| row.1)).unwrap();
    fs::write(dir.join("case.toml"), case).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
    command.args(["twin", verb]).arg(dir.join("case.toml")).arg("--out").arg(dir.join("out")).arg("--json");
    command.output().unwrap()
}

fn told(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn twin_route_runs_wilsons_flood_with_given_parameters() {
    let dir = tempfile::tempdir().unwrap();
    let run = told(&twin("route", dir.path(), CASE));
    assert_eq!((run["model"].as_str(), run["steps"].as_u64()), (Some("nonlinear"), Some(21)));
    let text = fs::read_to_string(dir.path().join("out/outflow.csv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("time_s,discharge_m3s"));
    let rows: Vec<(f64, f64)> = lines
        .map(|line| line.split_once(',').map(|(t, q)| (t.parse().unwrap(), q.parse().unwrap())).unwrap())
        .collect();
    assert_eq!((rows.len(), rows[21].0), (22, 453_600.0));
    let ssq: f64 = rows.iter().zip(WILSON).map(|((_, ours), (_, should))| (ours - should).powi(2)).sum();
    assert!(ssq < 36.8, "{ssq}");
    assert!(dir.path().join("out/run.json").exists());
}

#[test]
fn twin_route_calibrates_every_model() {
    let dir = tempfile::tempdir().unwrap();
    let ssq = |case: &str| {
        let run = told(&twin("route", dir.path(), &format!("{case}{CALIBRATE}")));
        println!("{}: SSQ {}, {} ms", run["model"], run["ssq"], run["calibration_ms"]);
        run["ssq"].as_f64().unwrap()
    };
    assert!(ssq(CASE) <= 36.77);
    let linear = "[reach]\nmodel = \"muskingum\"\ndt_s = 21600\n[[inflow]]\nseries = \"i.csv\"\n";
    assert!(ssq(linear) <= 605.7);
    let nodes = "[[reach.node]]\nq_m3s = 20\n[[reach.node]]\nq_m3s = 60\n[[reach.node]]\nq_m3s = 100\n";
    let by_discharge = linear
        .replace("\"muskingum\"", "\"by-discharge\"\nparts = 2")
        .replace("[[inflow]]", &format!("{nodes}[[inflow]]"));
    assert!(ssq(&by_discharge) <= 605.7, "more freedom fits no worse");
    let cunge = linear.replace("\"muskingum\"", "\"cunge\"\nlength_m = 60000\nwidth_m = 60\nslope = 1e-4\ndx_m = 6000");
    assert!(ssq(&cunge) < 4000.0, "one roughness cannot do what three parameters can, but it is no wild guess");
}

#[test]
fn twin_route_names_what_is_wrong() {
    let check = |from: &str, to: &str, expected: &str| {
        let dir = tempfile::tempdir().unwrap();
        let output = twin("route", dir.path(), &format!("{CASE}{CALIBRATE}").replace(from, to));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(expected), "{expected}: {said}");
    };
    check("\"nonlinear\"", "\"nonlinar\"", "nonlinar");
    check("dt_s = 21600", "dt_s = 0", "dt_s = 0");
    check("series = \"i.csv\"", "series = \"none.csv\"", "none.csv");
    check("outflow = \"o.csv\"", "outflw = \"o.csv\"", "outflw");
    check("nonlinear", "cunge", "needs length_m");
    let dir = tempfile::tempdir().unwrap();
    for (from, to, expected) in
        [("m = 1.8681\n", "", "needs m"), ("x = 0.2869", "x = 0.7", "x = 0.7 is not within 0…0.5")]
    {
        let said = String::from_utf8(twin("route", dir.path(), &CASE.replace(from, to)).stderr).unwrap();
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn twin_route_finds_nothing_from_an_outflow_that_says_nothing() {
    let check = |outflow: &str, expected: &str| {
        let dir = tempfile::tempdir().unwrap();
        twin("route", dir.path(), CASE);
        fs::write(dir.path().join("flat.csv"), format!("time_s,discharge_m3s\n{outflow}")).unwrap();
        let output = twin("route", dir.path(), &format!("{CASE}{CALIBRATE}").replace("o.csv", "flat.csv"));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(expected), "{expected}: {said}");
    };
    check("0,5\n432000,5\n", "outflow has 2 points: give 3 or more");
    check("0,5\n43200,5\n432000,5\n", "outflow is 5 m³/s throughout");
}

#[test]
fn twin_route_warns_of_a_crest_that_rises_on_its_way() {
    let dir = tempfile::tempdir().unwrap();
    let case = "[reach]\nmodel = \"cunge\"\nlength_m = 50000\nwidth_m = 60\nslope = 1e-3\nmanning = 0.03\n                dx_m = 5000\ndt_s = 21600\n[[inflow]]\nseries = \"i.csv\"\n";
    let output = twin("route", dir.path(), case);
    let (run, said) = (told(&output), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(run["peak_out_m3s"].as_f64().unwrap() > run["peak_in_m3s"].as_f64().unwrap(), "{run:#}");
    assert!(run["warning"].as_str().unwrap().contains("is above that of the inflow, 111.0 m³/s"), "{run:#}");
    assert!(said.contains("注意 出流洪峰"), "{said}");
    assert!(told(&twin("route", dir.path(), CASE))["warning"].is_null());
}

#[test]
fn twin_downstream_says_what_it_does_not_cover_and_when_crests_may_be_others() {
    let flood = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
        let output = command.args(["twin", "downstream"]).args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let said = flood(&["2021-09"]);
    assert!(said.contains("个洪峰") && said.contains("may come of another one"), "{said}");
    let said = flood(&["1843-08", "--json"]);
    assert!(said.contains("洪峰 33000 m³/s 超出传播时间节点 2000 至 22000 m³/s"), "{said}");
    assert!(said.contains("the crest of 33000 m³/s lies beyond the travel times of 2000 to 22000 m³/s"), "{said}");
    assert!(!said.contains("lie below") && !said.contains("lies below"), "{said}");
}

/// Rows of (hour, m³/s) as a file.
fn hydrograph(path: &Path, rows: &[(u32, u32)]) {
    let rows: String = rows.iter().map(|(hour, q)| format!("{},{q}\n", hour * 3600)).collect();
    fs::write(path, format!("time_s,discharge_m3s\n{rows}")).unwrap();
}

fn downstream(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
    command.current_dir(dir).args(["twin", "downstream", "--json"]).args(args).output().unwrap()
}

#[test]
fn twin_downstream_refuses_a_flood_that_ends_before_it_has_passed() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, rows: &[(u32, u32)]| hydrograph(&dir.path().join(name), rows);
    let refused = |args: &[&str], expected: &str| {
        let output = downstream(dir.path(), args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(expected), "{expected}: {said}");
    };
    file("early.csv", &[(0, 3000), (10, 22_000)]);
    file("one.csv", &[(0, 3000)]);
    file("flat.csv", &[(0, 2000), (24, 2000), (25, 8000), (168, 8000)]);
    // Ends below the middle, yet above what is left of so short a crest at the sea.
    file("held.csv", &[(0, 2000), (10, 22_000), (20, 9000)]);
    file("short.csv", &[(0, 3000), (10, 9000), (20, 3000)]);
    file("long.csv", &[(0, 500), (100, 4000), (200, 500), (300, 500)]);
    file("whole.csv", &[(0, 3000), (10, 9000), (20, 3000), (200, 2500)]);
    refused(&["--inflow", "early.csv"], "early.csv: 过程止于 36000 s 时流量仍有 22000 m³/s");
    refused(&["--inflow", "one.csv"], "one.csv: 只有 1 点");
    refused(&["--inflow", "flat.csv"], "at 604800 s there are still 8000 m³/s, go on until it is below 5000");
    refused(&["--inflow", "held.csv"], "its last 9000 m³/s are held and from");
    refused(&["--upstream", "xiaolangdi=early.csv"], "--upstream xiaolangdi: 过程止于 36000 s");
    let both = ["--upstream", "xiaolangdi=short.csv,heishiguan=long.csv"];
    refused(&both, "--upstream xiaolangdi: 过程止于 72000 s（3000 m³/s），而 heishiguan 的洪水至 720000 s 才过");
    // A series may end before another's, once both floods have passed; a steady river is no flood.
    told(&downstream(dir.path(), &["--upstream", "xiaolangdi=whole.csv,heishiguan=long.csv"]));
    file("steady.csv", &[(0, 3000), (10, 3000)]);
    told(&downstream(dir.path(), &["--inflow", "steady.csv"]));
    // Floods of the past are told, and one that ends high says so.
    let ids = "1761-08 1843-08 1933-08 1958-07 1977-07 1977-08 1982-08 1996-08 2020-06 2021-07 2021-09";
    let run = told(&downstream(dir.path(), &ids.split(' ').collect::<Vec<_>>()));
    let high = |one: &&serde_json::Value| one["warnings"].to_string().contains("before the flood has passed");
    let ends_high: Vec<_> = run["floods"].as_array().unwrap().iter().filter(high).map(|one| &one["flood"]).collect();
    assert_eq!(ends_high, ["2021-07"]);
}

#[test]
fn twin_downstream_times_a_flat_release_by_its_front() {
    let dir = tempfile::tempdir().unwrap();
    hydrograph(
        &dir.path().join("flat.csv"),
        &[(0, 2000), (24, 2000), (25, 8000), (168, 8000), (169, 2000), (500, 2000)],
    );
    let flood = told(&downstream(dir.path(), &["--inflow", "flat.csv"]))["floods"][0].clone();
    let after: Vec<f64> =
        flood["stations"].as_array().unwrap().iter().map(|one| one["after_h"].as_f64().unwrap()).collect();
    assert!(after[0] > 20.0 && after.windows(2).all(|pair| pair[0] < pair[1]), "{after:?}");
    let said = flood["warnings"].to_string();
    assert!(
        said.contains("a flat crest") && said.contains("the crest at Jiahetan, 8048, is above the one that came, 8000"),
        "{said}"
    );
}

#[test]
fn twin_downstream_fits_only_floods_whose_crests_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    let output = downstream(dir.path(), &["--fit", "1761-08"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("--fit 1761-08") && output.stdout.is_empty(), "{said}");
}

#[test]
fn twin_route_says_where_the_crest_has_not_come_and_what_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    hydrograph(&dir.path().join("rising.csv"), &[(0, 3000), (24, 22_000)]);
    hydrograph(&dir.path().join("long.csv"), &[(0, 100), (500, 100)]);
    let case = "[reach]\nmodel = \"muskingum\"\nk_h = 20\nx = 0.1\ndt_s = 3600\n[[inflow]]\nseries = \"rising.csv\"\n[[inflow]]\nseries = \"long.csv\"\n";
    let run = told(&twin("route", dir.path(), case));
    let warning = run["warning"].as_str().unwrap();
    assert!(run["peak_lag_s"].is_null() && run["crest_reached"] == false, "{run:#}");
    assert!(warning.contains("crest not reached") && warning.contains("long.csv 至 1800000 s"), "{warning}");
    hydrograph(&dir.path().join("rising.csv"), &[(0, 3000), (24, 22_000), (48, 3000), (200, 3000)]);
    let run = told(&twin("route", dir.path(), case));
    assert!(run["crest_reached"] == true && run["peak_lag_s"].as_f64() > Some(0.0), "{run:#}");
    // Few measured points fit anything.
    hydrograph(&dir.path().join("few.csv"), &[(0, 22), (36, 60), (60, 85), (120, 22)]);
    let run = told(&twin("route", dir.path(), &format!("{CASE}{}", CALIBRATE.replace("o.csv", "few.csv"))));
    assert_eq!(run["measured_points"], 4);
    assert!(run["warning"].as_str().unwrap().contains("only 4 measured points for 3 parameters"), "{run:#}");
}

#[test]
fn twin_verify_takes_a_flood_once_and_totals_it() {
    let ask = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
        command.args(["twin", "verify", "--every-h", "12", "1982-08"]).args(args).output().unwrap()
    };
    let (once, twice) = (told(&ask(&["--json"])), told(&ask(&["1982-08", "--json"])));
    assert_eq!(once, twice);
    let (total, lead) = (&once["total"][3]["plain"], &once["floods"][0]["leads"][3]["plain"]);
    assert!(total["count"].as_u64() > Some(0) && total["qualified"] == lead["qualified"], "{total} {lead}");
    assert!(String::from_utf8(ask(&[]).stdout).unwrap().contains("times are Beijing time"));
}

#[test]
fn twin_downstream_warns_of_low_flow_only_where_it_makes_the_crest() {
    let warned = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
        let run = told(&command.args(["twin", "downstream", "--json"]).args(args).output().unwrap());
        run["floods"].as_array().unwrap().iter().map(|one| one["warnings"].clone()).collect::<Vec<_>>()
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q.csv");
    let of = |base: u32, crest: u32, hours: u32| {
        let rows = format!("0,{base}\n172800,{crest}\n{},{base}\n", 172_800 + hours * 3600);
        fs::write(&path, format!("time_s,discharge_m3s\n{rows}")).unwrap();
        warned(&["--inflow", path.to_str().unwrap()])[0].as_array().unwrap().clone()
    };
    assert_eq!(of(2500, 9000, 240), [] as [serde_json::Value; 0]);
    assert_eq!(of(900, 9000, 240), [] as [serde_json::Value; 0], "the base flow before and after the flood");
    let one = |list: Vec<serde_json::Value>| {
        assert_eq!(list.len(), 1, "{list:?}");
        list[0].as_str().unwrap().to_owned()
    };
    let said = one(of(900, 3000, 240));
    assert!(said.contains("洪峰前后流量低至 15") && said.contains("about the crest, discharges down to 15"), "{said}");
    let said = one(of(900, 1900, 240));
    assert!(said.contains("the crest of 1900 m³/s lies beyond"), "{said}");
    // High and short: it has worn down below the lowest travel time before the last station.
    let said = one(of(900, 4200, 6));
    assert!(said.contains("起洪峰") && said.contains("on the crest,"), "{said}");
    // Floods that were followed down the river begin and end low and never say so.
    let all = warned(&[]);
    assert!(
        all.len() >= 4
            && all
                .iter()
                .flat_map(|list| list.as_array().unwrap())
                .all(|one| { !one.as_str().unwrap().contains("low") }),
        "{all:?}"
    );
}

#[test]
fn twin_verify_refuses_steps_that_leave_nothing_to_judge() {
    for every_h in ["25", "1000", "0", "-3"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
        let output = command.args(["twin", "verify", "1982-08", &format!("--every-h={every_h}")]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains("must be 1 to 24"), "{every_h}: {said}");
    }
}

#[test]
fn twin_route_reads_the_case_of_its_page() {
    let case = &page(1);
    let dir = tempfile::tempdir().unwrap();
    let run = told(&twin("route", dir.path(), case));
    assert!(run["nse"].as_f64().unwrap() > 0.99 && run["grade"] == "甲 A");
}

/// The sample of that number on the page.
fn page(number: usize) -> String {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/river.md")).unwrap();
    page.split("```toml\n").nth(number).and_then(|rest| rest.split("```").next()).unwrap().to_owned()
}

/// Cells of one row of a table.
fn cells(line: &str) -> Vec<f64> {
    line.split(',').map(|cell| cell.parse().unwrap_or(f64::NAN)).collect()
}

#[test]
fn twin_profile_of_the_demo_reach_meets_its_design_stages() {
    let dir = tempfile::tempdir().unwrap();
    let run = told(&twin("profile", dir.path(), &page(2)));
    assert_eq!((run["kind"].as_str(), run["sections"].as_u64()), (Some("steady"), Some(31)));
    let profile = fs::read_to_string(dir.path().join("out/profile.csv")).unwrap();
    // The reach was made so that 22,000 m³/s stands 3 m below the crest of its levees.
    let gaps: Vec<f64> = profile.lines().skip(1).map(|line| cells(line)[9]).collect();
    println!(
        "freeboard {:.3}…{:.3} m",
        gaps.iter().copied().fold(9.0, f64::min),
        gaps.iter().copied().fold(0.0, f64::max)
    );
    assert!(gaps.iter().all(|gap| (gap - 3.0).abs() < 0.3), "{gaps:?}");
    let dams = fs::read_to_string(dir.path().join("out/dams.csv")).unwrap();
    assert_eq!(dams.lines().count(), 1 + 86);
    assert!(dams.lines().skip(1).all(|line| cells(line)[5] > 0.5 && cells(line)[5] < 5.0), "{dams}");
}

#[test]
fn twin_profile_says_which_dams_stand_under_water() {
    let dir = tempfile::tempdir().unwrap();
    let output = twin("profile", dir.path(), &page(2));
    let (run, said) = (told(&output), String::from_utf8_lossy(&output.stderr).into_owned());
    let dams = fs::read_to_string(dir.path().join("out/dams.csv")).unwrap();
    let over = dams.lines().skip(1).filter(|line| cells(line)[4] < 0.0).count();
    let lowest = dams.lines().skip(1).min_by(|a, b| cells(a)[4].total_cmp(&cells(b)[4])).unwrap();
    let (name, gap) = (lowest.split(',').next().unwrap(), cells(lowest)[4]);
    assert!(over > 0 && run["nodes_over_crest"] == 0, "{run:#}");
    assert_eq!((run["dams"].as_u64(), run["dams_over_crest"].as_u64()), (Some(86), Some(over as u64)));
    assert_eq!(run["lowest_dam"], name);
    assert!((run["lowest_dam_freeboard_m"].as_f64().unwrap() - gap).abs() < 1e-3);
    let warning = run["warning"].as_str().unwrap();
    assert!(warning.contains(&format!("lowest {name} with a freeboard of {gap:.2} m")), "{warning}");
    assert!(said.contains(&format!("注意 {over} 座坝")), "{said}");
}

#[test]
fn twin_profile_runs_ten_days_of_350_km() {
    let dir = tempfile::tempdir().unwrap();
    let shape = [(0.0, 16.0, 0.035, 0), (20.0, 9.0, 0.035, 0), (1000.0, 12.0, 0.02, 1), (1010.0, 6.0, 0.02, 0)];
    let shape = shape.into_iter().chain([
        (1600.0, 6.0, 0.02, 0),
        (1610.0, 12.0, 0.035, 1),
        (4000.0, 9.0, 0.035, 0),
        (4020.0, 16.0, 0.035, 0),
    ]);
    let mut sections = String::from("section,chainage_m,across_m,height_m,manning_n,lip\n");
    for at in 0..=35 {
        for (across, height, n, lip) in shape.clone() {
            let (chainage, height) = (f64::from(at) * 10_000.0, height + 60.0 - 1.5 * f64::from(at));
            sections += &format!("s{at},{chainage},{across},{height},{n},{lip}\n");
        }
    }
    fs::write(dir.path().join("sections.csv"), sections).unwrap();
    fs::write(dir.path().join("q.csv"), "time_s,discharge_m3s\n0,2000\n172800,9000\n432000,2000\n864000,2000\n")
        .unwrap();
    let case = "[river]\nsections = \"sections.csv\"\ndx_m = 500\n[water]\nseries = \"q.csv\"\n[below]\nslope = 1.5e-4\n\
                [run]\noutput_every_s = 86400\ndt_s = 600\n";
    let run = told(&twin("profile", dir.path(), case));
    println!("{run:#}");
    assert_eq!(run["nodes"], 701);
    assert!(run["volume_error"].as_f64().unwrap().abs() < 1e-12);
    assert_eq!(run["nodes_over_crest"], 0);
}

#[test]
fn twin_profile_names_what_is_wrong() {
    let check = |from: &str, to: &str, expected: &str| {
        let dir = tempfile::tempdir().unwrap();
        let output = twin("profile", dir.path(), &page(2).replace(from, to));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(expected), "{expected}: {said}");
    };
    check("slope = 1.66667e-4", "slope = -1", "[below] needs exactly one of");
    check("discharge_m3s = 22000", "discharge_m3s = -5", "");
    check("discharge_m3s = 22000", "series = \"none.csv\"", "none.csv");
    check("discharge_m3s = 22000", "series = \"i.csv\"\ndischarge_m3s = 5", "[water] needs exactly one of");
    check("dx_m = 100", "dx_m = 0", "dx_m = 0");
    check("dx_m = 100", "sections = \"i.csv\"", "the first line must be");
}

#[test]
fn twin_verify_plays_a_flood_and_says_that_it_flatters() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
    let output = command.args(["twin", "verify", "1982-08", "--every-h", "12", "--json"]).output().unwrap();
    let run = told(&output);
    assert_eq!((run["band"].as_f64(), run["reconstructed"].as_bool()), (Some(0.8), Some(true)));
    let flood = &run["floods"][0];
    assert_eq!((flood["flood"].as_str(), flood["role"].as_str()), (Some("1982-08"), Some("verified on")));
    let lead = flood["leads"].as_array().unwrap().iter().find(|lead| lead["lead_h"] == 24).unwrap();
    assert!(lead["count"].as_u64().unwrap() > 15);
    assert!(lead["crps_m3s"].as_f64() < lead["mean_error_m3s"].as_f64());
    assert!(lead["plain"]["rate"].as_f64() > lead["still"]["rate"].as_f64(), "{lead}");
    assert!(
        lead["plain"]["dc"].as_f64() > lead["still"]["dc"].as_f64() && lead["plain"]["dc_grade"].is_string(),
        "{lead}"
    );
    let warned = flood["warnings"].as_array().unwrap();
    assert_eq!(warned.len(), 36);
    let of = |threshold: f64, lead_h: u64| {
        let cell = warned.iter().find(|one| one["threshold_m3s"] == threshold && one["lead_h"] == lead_h).unwrap();
        cell["plain"]["hits"].as_u64().unwrap() + cell["plain"]["misses"].as_u64().unwrap()
    };
    assert!(of(10_000.0, 48) >= 2 && of(15_000.0, 3) <= of(15_000.0, 48));
}

#[test]
fn twin_verify_counts_crossings_of_the_levels_of_the_playbook() {
    let ask = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
        told(&command.args(["twin", "verify", "1982-08", "--every-h", "6", "--json"]).args(args).output().unwrap())
    };
    let run = ask(&[]);
    let alerts = run["alerts"].as_array().unwrap();
    let of: Vec<f64> = alerts.iter().map(|alert| alert["at_least_m3s"].as_f64().unwrap()).collect();
    assert_eq!(of, [2500.0, 4000.0, 6000.0, 8000.0, 10_000.0, 15_000.0, 22_000.0]);
    let red = &alerts[5];
    assert_eq!(
        (red["alert"].as_str(), red["within_h"].as_u64(), red["clear_m3s"].as_f64()),
        (Some("red"), Some(24), Some(13_500.0))
    );
    // 15,300 m³/s was the crest: red was crossed once, 22,000 never.
    let events = run["floods"][0]["events"].as_array().unwrap();
    assert_eq!(events[5]["crossings"].as_array().unwrap().len(), 1, "{}", events[5]);
    assert_eq!(events[6]["crossings"].as_array().unwrap().len(), 0, "{}", events[6]);
    let orange = &events[3]["crossings"][0];
    assert!(orange["gained"]["plain"]["first_h"].as_i64() >= Some(6), "{orange}");
    let count = |alert: &serde_json::Value| {
        alert["plain"]["hits"].as_u64().unwrap() + alert["plain"]["misses"].as_u64().unwrap()
    };
    assert_eq!((count(&alerts[5]), count(&alerts[6])), (1, 0));
    assert!(alerts[3]["plain"]["pod"].as_str().unwrap().ends_with("/1"), "{}", alerts[3]);
    assert!(alerts[6]["plain"]["pod"].is_null(), "of none: {}", alerts[6]);
    assert_eq!(run["playbook_asks_members"], false);
    // A playbook of one's own says what is to be foreseen.
    let dir = tempfile::tempdir().unwrap();
    let root = format!("{}/playbooks/huayuankou", env!("CARGO_MANIFEST_DIR"));
    fs::create_dir(dir.path().join("instructions")).unwrap();
    for folder in ["", "instructions"] {
        for entry in fs::read_dir(Path::new(&root).join(folder)).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), dir.path().join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
    let levels = fs::read_to_string(dir.path().join("levels.toml")).unwrap();
    let levels = levels.replace("observed = { at_least_m3s = 8000.0", "observed = { at_least_m3s = 8500.0");
    fs::write(dir.path().join("levels.toml"), levels).unwrap();
    let rows = fs::read_to_string(dir.path().join("instructions/b06.toml")).unwrap();
    let rows = rows.replacen("'q>=6000 or qf(24)>=6000'", "'q>=6000 or pqf(6000,24)>=60'", 1);
    fs::write(dir.path().join("instructions/b06.toml"), rows).unwrap();
    let run = ask(&["--playbook", dir.path().to_str().unwrap()]);
    let orange = run["alerts"].as_array().unwrap().iter().find(|alert| alert["alert"] == "orange").unwrap();
    assert_eq!((orange["at_least_m3s"].as_f64(), orange["foreseen_from_m3s"].as_f64()), (Some(8500.0), Some(8000.0)));
    assert_eq!(run["playbook_asks_members"], true);
}

#[test]
fn twin_verify_keeps_floods_without_an_upstream_companion_apart() {
    let ask = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
        command.args(["twin", "verify", "1996-08", "2020-06", "--every-h", "24"]).args(args).output().unwrap()
    };
    let run = told(&ask(&["--json"]));
    assert_eq!(
        (&run["with_upstream"], &run["without_upstream"]),
        (&serde_json::json!(["1996-08"]), &serde_json::json!(["2020-06"]))
    );
    assert_eq!(
        (run["floods"].as_array().map(Vec::len), run["floods"][0]["flood"].as_str()),
        (Some(1), Some("1996-08"))
    );
    let apart = &run["floods_without_upstream"][0];
    assert_eq!((apart["flood"].as_str(), apart["role"].as_str()), (Some("2020-06"), Some("no upstream")));
    assert!(apart["leads"][3]["still"]["count"].as_u64() > Some(5) && apart["leads"][3]["plain"].is_null(), "{apart}");
    // It crossed 4,000 m³/s; without a forecast that is no miss.
    let blue = &apart["events"][1];
    assert_eq!(
        (blue["crossings"].as_array().map(Vec::len), blue["crossings"][0]["forecasts"].as_u64()),
        (Some(1), Some(0))
    );
    let judged = &run["alerts"][1]["plain"];
    let of_1996 = run["floods"][0]["events"][1]["crossings"].as_array().unwrap().len() as u64;
    assert_eq!(judged["hits"].as_u64().unwrap() + judged["misses"].as_u64().unwrap(), of_1996, "{judged}");
    let output = ask(&[]);
    let said = String::from_utf8(output.stdout).unwrap();
    for words in [
        "甲组 有上游过程，作预报 (A: upstream companion, forecast): 1996-08\n",
        "乙组 无上游过程，不能预报 (B: no upstream companion, no forecast): 2020-06\n",
        "GB/T 22482-2008",
        "合格率",
        "n = 1: 命中/漏报/误报",
        "2020-06 06-",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn twin_rating_knows_the_year_the_surface_and_the_loop() {
    let ask =
        |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_anlan")).args(["twin", "rating"]).args(args).output().unwrap();
    let q = |args: &[&str]| told(&ask(args))["discharge_m3s"].as_f64().unwrap();
    let steady = q(&["--at", "1958-07-17", "--stage", "93.82", "--json"]);
    assert!((steady - 22_300.0).abs() < 1.0, "{steady}");
    assert!(q(&["--at", "1958-07-17", "--stage", "93.82", "--rise", "0.1", "--json"]) > 1.01 * steady);
    assert!(q(&["--at", "1996-08-05", "--stage", "93.82", "--json"]) < 0.2 * steady, "another bed");
    let words = String::from_utf8(ask(&["--at", "1982-08-02", "--discharge", "15300"]).stdout).unwrap();
    assert!(words.contains("93.99 m") && words.contains("1982-01-01"), "{words}");
    let refused = |args: &[&str], expected: &str| {
        let output = ask(args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(expected), "{expected}: {said}");
    };
    refused(&["--at", "2026-08-01", "--stage", "93"], "1996-01-01");
    refused(&["--at", "1958-07-17", "--stage", "93", "--datum", "national85"], "dagu");
    refused(&["--at", "1958-07-17", "--stage", "99"], "93.82");
    refused(&["--at", "1958-07-17", "--stage", "93", "--rise", "9"], "m/h");
    refused(&["--at", "1958-07-17", "--discharge", "-1"], "--discharge");
    refused(&["--at", "1958-07-17", "--discharge", "60000"], "60000 m³/s");
    refused(&["--at", "1958-07-17", "--discharge", "100"], "1 m outside the pairs");
    refused(&["--at", "1958-07-17", "--discharge", "22300", "--rise", "99"], "--rise 99");
    let beyond = |q: &str| told(&ask(&["--at", "1958-07-17", "--discharge", q, "--json"]))["beyond"].clone();
    assert_eq!((beyond("22300"), beyond("23000")), (false.into(), true.into()));
    refused(&["--at", "1958-07-17", "--stage", "nan"], "NaN");
    refused(&["--at", "1958-07-17"], "--stage");
}

#[test]
fn twin_downstream_brings_three_rivers_to_the_sea() {
    let dir = tempfile::tempdir().unwrap();
    let upstream = format!("{}/floods/upstream/1958-07.csv", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(upstream).unwrap();
    let rows: Vec<Vec<&str>> =
        text.lines().filter(|line| !line.starts_with('#')).skip(1).map(|line| line.split(',').collect()).collect();
    let mut given = Vec::new();
    for (column, station) in ["xiaolangdi", "heishiguan", "wuzhi"].iter().enumerate() {
        let mut csv = String::from("time_s,discharge_m3s\n");
        for (hour, row) in rows.iter().enumerate() {
            csv += &format!("{},{}\n", hour * 3600, row[column + 1]);
        }
        fs::write(dir.path().join(format!("{station}.csv")), csv).unwrap();
        given.push(format!("{station}={station}.csv"));
    }
    let ask = |given: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anlan"));
        command.current_dir(dir.path()).args(["twin", "downstream", "--json", "--upstream", given]).output().unwrap()
    };
    let flood = told(&ask(&given.join(",")))["floods"][0].clone();
    let crest = flood["crest_m3s"].as_f64().unwrap();
    assert!((crest / 22_300.0 - 1.0).abs() < 0.03, "{crest}");
    let stations = flood["stations"].as_array().unwrap();
    let lijin = stations.last().unwrap();
    assert_eq!((stations.len(), lijin["station"].as_str()), (6, Some("lijin")));
    assert!(lijin["after_h"].as_f64() > Some(100.0) && lijin["crest_m3s"].as_f64() < Some(0.7 * crest), "{lijin}");
    let refused = |given: &str, expected: &str| {
        let output = ask(given);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(expected), "{expected}: {said}");
    };
    refused("heishiguan=heishiguan.csv", "xiaolangdi");
    refused("xiaolangdi=none.csv", "none.csv");
    refused("xiaolangdi", "STATION=FILE");
    refused("xiaolangdi=xiaolangdi.csv,lijin=wuzhi.csv", "lijin");
    refused("xiaolangdi=xiaolangdi.csv,xiaolangdi=wuzhi.csv", "twice");
}
