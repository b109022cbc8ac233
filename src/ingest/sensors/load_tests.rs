//! Tests of the sensor files: the demo reach, faults, and the samples of the docs page.

use super::*;
use std::time::Duration;

fn folder(name: &str, files: &mut SensorFiles) {
    for entry in std::fs::read_dir(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        let path = entry.unwrap().path();
        files.insert(format!("{name}/{}", path.file_name().unwrap().to_string_lossy()), std::fs::read(path).unwrap());
    }
}

fn files() -> SensorFiles {
    let mut files = SensorFiles::new();
    folder("sensors/profiles", &mut files);
    folder("sensors/huayuankou", &mut files);
    files
}

#[test]
fn the_reach_has_its_gauges_and_249_stones_as_on_the_map() {
    let sensors = Sensors::load(&files()).unwrap();
    let gauges = sensors.devices.iter().filter(|device| matches!(device.kind, DeviceKind::Gauge { .. })).count();
    assert_eq!((gauges, sensors.devices.len() - gauges, sensors.endpoints.len()), (9, 249, 5));
    assert_eq!(sensors.series.len(), 5 * 2 + 4 + 249 * 10);
    let map =
        std::fs::read_to_string(format!("{}/reaches/huayuankou/stones.geojson", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let map: serde_json::Value = serde_json::from_str(&map).unwrap();
    for stone in map["features"].as_array().unwrap() {
        let on_map = &stone["properties"];
        let device = sensors.devices.iter().find(|device| on_map["id"] == device.id.as_str()).unwrap();
        assert_eq!(on_map["unit"], device.unit, "{}", device.id);
        assert_eq!(on_map["slot"].as_u64().unwrap() * 16, u64::from(device.first_register), "{}", device.id);
        assert!(matches!(&device.kind, DeviceKind::Stone { dam, .. } if on_map["dam"] == dam.as_str()));
        let port = 1502 + on_map["work_index"].as_u64().unwrap();
        assert_eq!(u64::from(sensors.endpoints[&device.endpoint].port), port);
    }
}

#[test]
fn requests_are_joined_within_the_limits_of_the_profile() {
    let sensors = Sensors::load(&files()).unwrap();
    let of = |endpoint: &str, unit: u8| {
        let found = super::super::blocks(sensors.devices_of(endpoint).filter(|device| device.unit == unit));
        found.iter().map(|block| (block.first, block.count)).collect::<Vec<_>>()
    };
    assert_eq!(of("gauges", 4), [(2, 4)]);
    assert_eq!(of("gauges", 6), [(0, 1)]);
    assert_eq!(of("work-huayuankou", 1), [(0, 5 * 16 + 10)]);
}

#[test]
fn many_stones_on_a_dam_never_ask_for_more_than_a_block() {
    let mut files = files();
    let stones: Vec<String> = (0..30).map(|n| format!("\"extra-{n}\"")).collect();
    let text = format!(
        "[stones]\nwork='w'\nname_zh='w'\nprofile='smart-stone'\nendpoint='gauges'\npoll_every_s=60\n[[dam]]\ndam='d'\nunit=99\nstones=[{}]\n",
        stones.join(",")
    );
    files.insert("sensors/huayuankou/stones-z.toml".into(), text.into());
    let sensors = Sensors::load(&files).unwrap();
    let blocks = super::super::blocks(sensors.devices_of("gauges").filter(|device| device.unit == 99));
    assert!(blocks.iter().all(|block| block.count <= 112), "{blocks:?}");
    for device in sensors.devices_of("gauges").filter(|device| device.unit == 99) {
        for series in &device.series {
            let at = device.first_register + series.point.first();
            assert!(blocks.iter().any(|block| block.covers(device.profile.function, at, 1)), "{at}");
        }
    }
}

#[test]
fn faults_name_the_place_and_the_way_out() {
    let check = |file: &str, change: &dyn Fn(String) -> String, expected: &[&str]| {
        let mut files = files();
        let name = format!("sensors/{file}");
        let old = files.get(&name).map(|bytes| String::from_utf8(bytes.clone()).unwrap()).unwrap_or_default();
        files.insert(name, change(old.clone()).into_bytes());
        assert_ne!(change(old.clone()), old);
        let fault = Sensors::load(&files).err().unwrap_or_else(|| panic!("{file} should be refused")).to_string();
        assert!(expected.iter().all(|part| fault.contains(part)), "{fault} should tell {expected:?}");
    };
    let hyk = "huayuankou/gauge-huayuankou.toml";
    check(
        hyk,
        &|old| old.replace("sl651-smart-sensor", "abacus"),
        &["gauge-huayuankou.toml:5:11: there is no device type \"abacus\"", "vegapuls-61"],
    );
    check(hyk, &|old| old.replace("\"gauges\"", "\"moon\""), &[":6:12: there is no endpoint \"moon\"", "work-madu"]);
    check(hyk, &|old| old.replace("station = \"huayuankou\"", "station = \"atlantis\""), &[":4:11: 没有测站"]);
    check(
        hyk,
        &|old| old.replace("\"stage\"", "\"salt\""),
        &[":11:12: profile sl651-smart-sensor has no quantity \"salt\"", "rain, stage, discharge"],
    );
    check(
        hyk,
        &|old| old.replace("unit = 4", "unit = 3"),
        &["gauge-wuzhi.toml:2:6: gauge-wuzhi takes the place of gauge-huayuankou (unit 3"],
    );
    check(hyk, &|old| old.replace("unit = 4", "unit = 400"), &[":7:8:"]);
    check(hyk, &|old| old.replace("unit = 4", "unlt = 4"), &[":7:1:", "unlt"]);
    check(hyk, &|old| old.replace("poll_every_s = 5", "poll_every_s = 0"), &[":8:16: poll_every_s 0 is not within"]);
    check(hyk, &|old| old.replace("unit = 4", "unit = 4\nfirst_register = 65533"), &["end above 65535"]);
    check(hyk, &|old| old.replace("[gauge]", "[gauge"), &[":1:7:"]);
    check(
        "huayuankou/gauge-x.toml",
        &|_| {
            "[gauge]\nid='g'\nname_zh='x'\nstation='huayuankou'\nprofile='generic-level-16'\naddress='10.0.0.1'\nunit=1\npoll_every_s=5\n[[series]]\nquantity='stage'\ndatum='dagu'\n".into()
        },
        &["\"10.0.0.1\" is not host:port"],
    );
    check(
        "huayuankou/gauge-x.toml",
        &|_| {
            "[gauge]\nid='g'\nname_zh='x'\nstation='huayuankou'\nprofile='generic-level-16'\naddress='10.0.0.1:502'\nunit=1\npoll_every_s=5\n[[series]]\nquantity='stage'\ndatum='dagu'\n".into()
        },
        &[":10:10: series huayuankou.stage appears twice"],
    );
    check(
        "profiles/smart-stone.toml",
        &|old| old.replace("max_block = 112", "max_block = 126"),
        &["max_block 126 is not within 1…125"],
    );
    check("profiles/smart-stone.toml", &|old| old.replace("stride = 16", "stride = 9"), &["stride 9 is shorter"]);
    check("profiles/sl651-smart-sensor.toml", &|old| old.replace("0x0004", "65535"), &["ends above 65535"]);
    check("profiles/sl651-smart-sensor.toml", &|old| old.replace("type = \"u32\"", "type = \"u128\""), &["u128"]);
    check("huayuankou/quality.toml", &|old| old.replace("jump_share", "jump_chare"), &["quality.toml:", "jump_chare"]);
}

#[test]
fn a_gauge_file_in_gbk_is_refused_with_words() {
    let mut files = files();
    let (gbk, _, _) = encoding_rs::GBK.encode("# 花园口\n");
    files.insert("sensors/huayuankou/gauge-x.toml".into(), gbk.into_owned());
    assert!(Sensors::load(&files).unwrap_err().to_string().contains("GBK"));
}

/// Every TOML block of the docs page whose first line names a file.
fn samples() -> SensorFiles {
    let page = std::fs::read_to_string(format!("{}/docs/ingest/modbus.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let blocks = page.split("```toml\n# ").skip(1).map(|block| block.split("```").next().unwrap());
    blocks
        .map(|block| {
            block.split_once('\n').map(|(name, text)| (name.to_owned(), format!("\n{text}").into_bytes())).unwrap()
        })
        .collect()
}

#[test]
fn the_samples_of_the_docs_page_load() {
    let mut files = files();
    let mut samples = samples();
    assert_eq!(samples.len(), 5, "{:?}", samples.keys());
    let faults = String::from_utf8(samples.remove("faults.toml").unwrap()).unwrap();
    files.append(&mut samples);
    let sensors = Sensors::load(&files).unwrap();
    assert_eq!(sensors.series["rain-madu.stage"].limits.range, Some([86.0, 97.0]));
    assert_eq!(sensors.endpoints["192.168.10.21:502"].timeout, Duration::from_millis(800));
    assert_eq!(sensors.profiles["my-radar"].points.len(), 5);
    assert_eq!(sensors.endpoints["bus-east"].place(), "/dev/ttyUSB0 9600 8E1");
    assert!(sensors.endpoints.contains_key("north-bank"));
    assert_eq!(faults.matches("[[inject]]").count(), 2);
}

#[test]
fn the_sample_of_the_quality_page_loads_and_datums_without_an_offset_are_refused() {
    let page = std::fs::read_to_string(format!("{}/docs/quality.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let sample = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let gauge = |unit: u8, sensor: &str, datum: &str| {
        format!(
            "[gauge]\nid = 'g{unit}'\nname_zh = 'g'\nstation = 'lower-gauge'\nprofile = 'generic-level-16'\n\
             endpoint = 'gauges'\nunit = {unit}\npoll_every_s = 60\n[[series]]\nquantity = 'stage'\n{sensor}datum = '{datum}'\n"
        )
    };
    let load = |sample: &str| {
        let mut files = files();
        files.insert("stations-sample.toml".into(), sample.into());
        files.insert("one.toml".into(), gauge(101, "", "dagu").into());
        files.insert("two.toml".into(), gauge(102, "sensor = 'b'\n", "national85").into());
        Sensors::load(&files)
    };
    let relations = load(sample).unwrap().relations();
    let twin = &relations["lower-gauge.stage"].twins[0];
    assert_eq!((twin.series.as_str(), twin.shift), ("lower-gauge.stage-b", 1.17), "brought from 1985 to Dagu");
    let substitute = crate::quality::Substitute::Sensor { series: "lower-gauge.stage-b".into(), shift: 1.17 };
    assert_eq!(relations["lower-gauge.stage"].fallback, [substitute]);
    assert_eq!(relations["lower-gauge.stage-b"].fallback, [], "a sensor stands in, nothing stands in for it");
    for (word, names) in [("['c']", "\"c\""), ("['rating']", "no rating"), ("['b', 'b']", "twice")] {
        let fault = load(&sample.replace("[\"b\"]", word)).unwrap_err().to_string();
        assert!(fault.contains("stations-sample.toml") && fault.contains(names), "{fault}");
    }
    let fault = load(&sample.replace("{ stage =", "{ discharge =")).unwrap_err().to_string();
    assert!(fault.contains("no device gives"), "{fault}");
    for empty in ["source = \"\"", "source = \"  \""] {
        let (head, rest) = sample.split_once("add_m = -1.17, source = \"").unwrap();
        let bare = format!("{head}add_m = -1.17, {empty}{}", rest.split_once('"').unwrap().1);
        let fault = load(&bare).unwrap_err().to_string();
        assert!(fault.contains("没有出处"), "{fault}");
    }
    let loaded = load(sample).unwrap();
    assert_eq!(loaded.offsets_dated_after("1900-01-01".parse().unwrap()), ["lower-gauge"]);
    assert!(loaded.offsets_dated_after("2100-01-01".parse().unwrap()).is_empty());
    let without: String =
        sample.lines().filter(|line| !line.starts_with("datum_offset")).collect::<Vec<_>>().join("\n");
    let fault = load(&without).unwrap_err().to_string();
    assert!(fault.contains("cannot be compared") && fault.contains("lower-gauge.stage-b"), "{fault}");
}
