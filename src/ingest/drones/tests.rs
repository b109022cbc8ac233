//! Files as ground stations write them, files made to hurt, and coverage that is computed from the photos alone.

use super::*;
use proptest::prelude::*;
use std::io::{Cursor, Write};

const GPX: &str = r#"<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><name>巡堤 1</name><trkseg>
<trkpt lat="34.895" lon="113.600"><ele>175.5</ele></trkpt><trkpt lat="34.896" lon="113.601"/></trkseg>
<trkseg><trkpt lat="34.9" lon="113.7"/></trkseg></trk></gpx>"#;

fn mission() -> Mission {
    let at = |lon, lat| Position { lon, lat, height_m: Some(80.0) };
    Mission { name: "a <b> & c".into(), speed_m_s: 8.0, points: vec![at(113.6, 34.895), at(113.61, 34.896)] }
}

fn levee() -> Vec<[f64; 2]> {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/reaches/huayuankou/levee.geojson")).unwrap();
    let body: serde_json::Value = serde_json::from_str(&text).unwrap();
    let line = body["features"][0]["geometry"]["coordinates"].as_array().unwrap();
    line.iter().map(|at| [at[0].as_f64().unwrap(), at[1].as_f64().unwrap()]).collect()
}

#[test]
fn drones_tracks_of_gpx_and_geojson() {
    let Flown::Tracks(tracks) = read("a.GPX", GPX.as_bytes()).unwrap() else { panic!("no tracks") };
    assert_eq!((tracks.len(), tracks[0].name.as_str(), tracks[0].positions.len()), (1, "巡堤 1", 2));
    assert_eq!(tracks[0].positions[0], Position { lon: 113.6, lat: 34.895, height_m: Some(175.5) });
    let geojson = r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"t"},
        "geometry":{"type":"LineString","coordinates":[[113.6,34.8,90],[113.7,34.9]]}},{"type":"Feature","properties":{},
        "geometry":{"type":"Point","coordinates":[1,2]}}]}"#;
    let Flown::Tracks(tracks) = read("a.geojson", geojson.as_bytes()).unwrap() else { panic!("no tracks") };
    assert_eq!((tracks.len(), tracks[0].name.as_str(), tracks[0].positions[0].height_m), (1, "t", Some(90.0)));
}

#[test]
fn drones_missions_come_back_from_plan_and_kmz() {
    let Flown::Missions(read_back) = read("a.plan", write_plan(&mission()).to_string().as_bytes()).unwrap() else {
        panic!()
    };
    assert_eq!((&read_back[0].points, read_back[0].speed_m_s), (&mission().points, 8.0));
    let Flown::Missions(read_back) = read("a.kmz", &write_kmz(&mission()).unwrap()).unwrap() else { panic!() };
    assert_eq!((&read_back[0].points, read_back[0].speed_m_s, read_back.len()), (&mission().points, 8.0, 1));
}

#[test]
fn drones_wrong_files_name_file_and_element() {
    let check = |file: &str, bytes: &[u8], words: &[&str]| {
        let fault = read(file, bytes).unwrap_err().to_string();
        assert!(fault.starts_with(file) && words.iter().all(|word| fault.contains(word)), "{fault}");
    };
    check("a.exe", b"", &["file name", ".kmz"]);
    check("a.gpx", GPX.replace("lat=\"34.896\"", "lat=\"134.896\"").as_bytes(), &["trkpt 2", "no position"]);
    check("a.gpx", GPX.replace("lat=\"34.896\" ", "").as_bytes(), &["trkpt 2", "no lat"]);
    check("a.gpx", GPX.replace("175.5", "high").as_bytes(), &["trkpt 1 ele"]);
    check("a.gpx", GPX.split("<trkpt lat=\"34.896\"").next().unwrap().as_bytes(), &["byte", "cut off"]);
    check("a.gpx", "<a>".repeat(1000).as_bytes(), &["too deep"]);
    check("a.geojson", br#"{"type":"LineString","coordinates":[[1,2],["x",3]]}"#, &["features[0] coordinates[1]"]);
    check("a.geojson", br#"{"type":"Point"}"#, &["type"]);
    check("a.plan", b"{}", &["fileType"]);
    check(
        "a.plan",
        br#"{"fileType":"Plan","mission":{"items":[{"type":"ComplexItem"}]}}"#,
        &["mission.items[0]", "survey"],
    );
    check(
        "a.plan",
        br#"{"fileType":"Plan","mission":{"items":[{"command":16,"params":[0,0,0,0,null,1,2]}]}}"#,
        &["mission.items[0]"],
    );
    check("a.kmz", b"PK", &["archive"]);
    check("a.gpx", &vec![b' '; FILE_MAX + 1], &["larger"]);
}

fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(content).unwrap();
    archive.finish().unwrap().into_inner()
}

#[test]
fn drones_archives_that_unpack_to_too_much_are_refused() {
    let bomb = archive("wpmz/waylines.wpml", &vec![b' '; 3 * FILE_MAX]);
    assert!(bomb.len() < 100_000);
    assert!(read("a.kmz", &bomb).unwrap_err().what.contains("unpacks to more"));
    assert!(read("a.kmz", &archive("../../etc/passwd", b"x")).unwrap_err().what.contains("no wpmz"));
    let empty = archive("wpmz/waylines.wpml", b"<kml><Folder><Placemark></Placemark></Folder></kml>");
    let fault = read("a.kmz", &empty).unwrap_err();
    assert_eq!((fault.file.as_str(), fault.element.as_str()), ("a.kmz/wpmz/waylines.wpml", "Placemark 1"));
}

#[test]
fn drones_the_levee_of_the_reach_is_covered_on_both_sides() {
    let levee = levee();
    let made = fly_along("levee", &levee, &LeveeFlight::default()).unwrap();
    assert!(made.sorties.len() > 1);
    for line in &made.coverage {
        assert!(line.length_m > 14_000.0 && line.length_m < 14_500.0, "{line:?}");
        assert!((line.length_m - line.covered_m).abs() < 0.5, "{line:?}");
    }
    // The same from outside, photo by photo; and it can fail: without every second photo there are gaps.
    let photos: Vec<Position> = made.sorties.iter().flat_map(|sortie| sortie.points.clone()).collect();
    let radius = 80.0 * 25.0_f64.to_radians().tan();
    let whole = covered_m(&levee, &photos, radius);
    assert!((whole - made.coverage[1].length_m).abs() < 0.5, "{whole}");
    let few: Vec<Position> = photos.iter().copied().step_by(4).collect();
    assert!(covered_m(&levee, &few, radius) < 0.95 * whole);
    // A battery flies each sortie: distance at the speed, and the photos, within what is usable.
    for sortie in &made.sorties {
        let flown: f64 = sortie.points.windows(2).map(|pair| metres(&pair[0], &pair[1])).sum();
        let seconds = flown / 8.0 + 3.0 * sortie.points.len() as f64;
        assert!(seconds <= 0.7 * 30.0 * 60.0, "{} {seconds}", sortie.name);
        assert!(metres(&sortie.points[0], sortie.points.last().unwrap()) < 60.0, "lands where it took off");
    }
}

fn metres(a: &Position, b: &Position) -> f64 {
    ((b.lon - a.lon) * 111_320.0 * a.lat.to_radians().cos()).hypot((b.lat - a.lat) * 111_320.0)
}

#[test]
fn drones_coverage_is_what_the_discs_touch() {
    let line = [[113.0, 34.0], [113.01, 34.0]]; // 922.9 m.
    let at = |lon: f64, lat: f64| Position { lon, lat, height_m: None };
    let check = |photos: &[Position], metres: f64| {
        let found = covered_m(&line, photos, 50.0);
        assert!((found - metres).abs() < 0.2, "{found} {metres}");
    };
    check(&[], 0.0);
    check(&[at(113.005, 34.0)], 100.0);
    check(&[at(113.005, 34.0), at(113.005, 34.0)], 100.0);
    check(&[at(113.0, 34.0)], 50.0);
    check(&[at(113.005, 34.0 + 30.0 / 111_320.0)], 80.0);
    check(&[at(113.005, 34.0 + 50.1 / 111_320.0)], 0.0);
}

#[test]
fn drones_flights_that_cannot_be_are_refused_by_field() {
    let check = |flight: LeveeFlight, field: &str| {
        assert_eq!(fly_along("l", &levee(), &flight).unwrap_err().0, field);
    };
    let base = LeveeFlight::default();
    check(LeveeFlight { height_m: 121.0, ..base }, "height_m");
    check(LeveeFlight { overlap: f64::NAN, ..base }, "overlap");
    check(LeveeFlight { offset_m: -1.0, ..base }, "offset_m");
    check(LeveeFlight { battery_min: 5.0, speed_m_s: 1.0, offset_m: 200.0, ..base }, "battery_min");
    assert_eq!(fly_along("l", &[[113.0, 34.0]], &base).unwrap_err().0, "levee");
}

proptest! {
    #[test]
    fn drones_no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for file in ["a.gpx", "a.geojson", "a.plan", "a.kmz"] {
            let _ = read(file, &bytes);
        }
        let _ = read("a.kmz", &archive("wpmz/waylines.wpml", &bytes));
    }

    #[test]
    fn drones_a_cut_or_spoilt_file_never_panics(at in 0_usize..2000, byte in any::<u8>()) {
        let files = [("a.gpx", GPX.as_bytes().to_vec()), ("a.kmz", write_kmz(&mission()).unwrap()), ("a.plan", write_plan(&mission()).to_string().into_bytes())];
        for (file, mut bytes) in files {
            let _ = read(file, bytes.get(..at).unwrap_or(&bytes));
            if let Some(spoilt) = bytes.get_mut(at) {
                *spoilt = byte;
            }
            let _ = read(file, &bytes);
        }
    }

    #[test]
    fn drones_any_levee_is_covered_to_the_last_metre(
        turns in proptest::collection::vec((-0.4_f64..0.4, 100.0_f64..600.0), 2..12),
        height in 30.0_f64..120.0, overlap in 0.3_f64..0.8,
    ) {
        let (mut line, mut way) = (vec![[113.6, 34.9]], 0.0_f64);
        for (turn, far) in turns {
            way += turn;
            let [lon, lat] = *line.last().unwrap();
            line.push([lon + far * way.cos() / (111_320.0 * 34.9_f64.to_radians().cos()), lat + far * way.sin() / 111_320.0]);
        }
        let flight = LeveeFlight { height_m: height, overlap, offset_m: 0.3 * height * 25.0_f64.to_radians().tan(), ..LeveeFlight::default() };
        let made = fly_along("any", &line, &flight).unwrap();
        for line in made.coverage {
            prop_assert!(line.length_m - line.covered_m < 0.5, "{:?}", line);
        }
    }
}
