//! Tests of the flood files.

use super::*;
use chrono::TimeZone;

fn files() -> FloodFiles {
    let mut files = FloodFiles::new();
    for folder in ["", "upstream/"] {
        for entry in std::fs::read_dir(format!("{}/floods/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = format!("{folder}{}", path.file_name().unwrap().to_string_lossy());
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    files
}

fn local(day: u32, hour: u32) -> Timestamp {
    chrono::FixedOffset::east_opt(8 * 3600).unwrap().with_ymd_and_hms(1958, 7, day, hour, 0, 0).unwrap().into()
}

#[test]
fn every_flood_loads_and_keeps_the_peak_of_the_summary() {
    let files = files();
    let summary = String::from_utf8(files["summary.csv"].clone()).unwrap();
    let mut seen = 0;
    for row in summary.lines().filter(|line| !line.starts_with('#')).skip(1) {
        let mut cells = row.split(',');
        let (id, peak) = (cells.next().unwrap(), cells.next().unwrap().parse::<f64>().unwrap());
        let flood = Flood::load(&files, id).unwrap();
        assert_eq!(flood.discharge.peak(), Some(peak), "{id}");
        assert_eq!(flood.is_synthetic(), id.starts_with("drill"), "{id}");
        seen += 1;
    }
    assert_eq!(seen, Flood::ids(&files).len());
}

#[test]
fn the_crest_of_1958_is_the_published_one() {
    let flood = Flood::load(&files(), "1958-07").unwrap();
    assert_eq!(flood.at("huayuankou", "discharge", local(18, 0)), Some(22300.0));
    assert_eq!(flood.at("huayuankou", "stage", local(18, 0)), Some(93.82));
    assert_eq!(flood.at("xiaolangdi", "discharge", local(17, 10)), Some(17000.0));
    let below = flood.at("jiahetan", "discharge", local(18, 14)).unwrap();
    assert!((below - 20663.0).abs() < 20.0, "{below}");
    assert!(flood.is_ruled("jiahetan", "discharge") && !flood.is_ruled("heishiguan", "discharge"));
}

#[test]
fn half_past_is_half_way_and_outside_is_nothing() {
    let flood = Flood::load(&files(), "1958-07").unwrap();
    let (from, to) = (flood.discharge.at(local(17, 20)).unwrap(), flood.discharge.at(local(17, 21)).unwrap());
    let half = flood.at("huayuankou", "discharge", local(17, 20) + TimeDelta::minutes(30)).unwrap();
    assert!((half - (from + to) / 2.0).abs() < 1e-9);
    assert_eq!(flood.at("huayuankou", "discharge", local(1, 0)), None);
    assert_eq!(flood.at("atlantis", "discharge", local(17, 0)), None);
    assert_eq!(flood.at("huayuankou", "salt", local(17, 0)), None);
}

#[test]
fn a_missing_stage_follows_the_line_of_1958() {
    let flood = Flood::load(&files(), "drill_22000_from_1958").unwrap();
    let discharge = flood.at("huayuankou", "discharge", local(17, 0)).unwrap();
    let stage = flood.at("huayuankou", "stage", local(17, 0)).unwrap();
    assert!((stage - (93.82 + 1.02 * (discharge / 22300.0).ln())).abs() < 1e-9);
    assert!(flood.upstream.contains_key("wuzhi"), "the companion of the drill is found");
}

#[test]
fn rain_never_falls_and_comes_before_the_crest() {
    let flood = Flood::load(&files(), "1958-07").unwrap();
    let rain: Vec<f64> = (7..28).filter_map(|day| flood.at("rain-madu", "rain", local(day, 0))).collect();
    assert!(rain.windows(2).all(|pair| pair[0] <= pair[1]), "{rain:?}");
    assert!(flood.at("rain-madu", "rain", local(17, 12)).unwrap() > 100.0);
}

#[test]
fn faults_name_file_line_and_column() {
    let good = "# c\ntime,discharge_m3s,stage_m,flag\n1958-07-06T00:00:00+08:00,2000,91.36,x\n1958-07-06T01:00:00+08:00,2100,,x\n";
    let check = |text: Vec<u8>, expected: &str| {
        let mut files = files();
        files.insert("1958-07.csv".into(), text);
        let fault = Flood::load(&files, "1958-07").map(|flood| flood.id).unwrap_err().to_string();
        assert!(fault.starts_with(expected), "{fault} should start with {expected}");
    };
    check(good.replace("2100", "NaN").into(), "floods/1958-07.csv:4:27: discharge_m3s \"NaN\"");
    check(good.replace("2100", "many").into(), "floods/1958-07.csv:4:27: discharge_m3s \"many\"");
    check(good.replace("T01", "T00").into(), "floods/1958-07.csv:4:1: time does not rise");
    check(good.replace("discharge_m3s", "q").into(), "floods/1958-07.csv:1:1: column discharge_m3s is missing");
    check(good.replace("T01:00", "T1").into(), "floods/1958-07.csv:4:1: \"1958-07-06T1:00+08:00\" is not a time");
    check(good.replace(",,x", ",x").into(), "floods/1958-07.csv:4:1: row has 3 cells");
    check(
        encoding_rs::GBK.encode(&good.replace("# c", "# 花园口")).0.into_owned(),
        "floods/1958-07.csv:1:3: not UTF-8 but looks like GBK",
    );
    check(Vec::new(), "floods/1958-07.csv:1:1: is empty");
    let fault = Flood::load(&files(), "1066-10").map(|flood| flood.id).unwrap_err().to_string();
    assert!(fault.contains("no flood \"1066-10\"") && fault.contains("1958-07"), "{fault}");
}
