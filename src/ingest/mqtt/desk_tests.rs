//! What becomes of messages: mapped, flagged, quarantined, set aside.

use super::*;
use crate::ingest::sensors::{SensorFiles, Sensors};
use serde_json::json;

const FILES: &str = "
[[station]]
id = 'madu'
name_zh = '马渡'
name_en = 'Madu'
lon = 113
lat = 34
source = 'invented'
[[mqtt]]
broker = 'b'
topic = 'bureau/+/data'
format = 'json'
time = '/t'
time_format = 'unix-s'
[[mqtt.device]]
id = 'm1'
station = 'madu'
report_every_s = 60
series = [{ quantity = 'stage', unit = 'm', at = '/z', scale = 0.001, zero = 80.0, datum = 'dagu' },
          { quantity = 'battery', unit = 'V', at = '/u' }]
[[mqtt]]
broker = 'b'
topic = 'app/+/up'
format = 'chirpstack'
[[mqtt.device]]
id = '24E1'
station = 'madu'
report_every_s = 60
series = [{ quantity = 'rain', unit = 'mm', byte = 1, number = 'u16', scale = 0.1 }]
";

fn desk() -> Desk {
    let mut files = SensorFiles::new();
    files.insert("a.toml".into(), FILES.as_bytes().to_vec());
    Desk::new(Sensors::load(&files).unwrap().mqtt)
}

fn now() -> Timestamp {
    "2024-07-24T01:30:30Z".parse().unwrap()
}

fn take(desk: &Desk, topic: &str, body: serde_json::Value) -> (Vec<(String, f64)>, Option<String>) {
    let taken = desk.take(topic.as_bytes(), body.to_string().as_bytes(), false, now());
    let readings = taken.readings.into_iter().map(|one| (one.series.to_string(), one.value)).collect();
    (readings, taken.dead.map(|letter| letter.reason))
}

#[test]
fn mqtt_values_are_scaled_and_bad_ones_are_flagged_not_dropped() {
    let desk = desk();
    let check = |body, readings: &[(&str, f64)], reason: Option<&str>| {
        let (found, why) = take(&desk, "bureau/m1/data", body);
        assert_eq!(why.as_deref(), reason);
        assert_eq!(found.len(), readings.len(), "{found:?}");
        for ((series, value), (wanted, number)) in found.iter().zip(readings) {
            assert_eq!(series, wanted);
            assert!(value == number || value.is_nan() && number.is_nan(), "{series} {value}");
        }
    };
    check(json!({"t": 0, "z": 10_490, "u": 12.5}), &[("madu.stage", 90.49), ("madu.battery", 12.5)], None);
    check(json!({"t": 0, "z": null}), &[("madu.stage", f64::NAN)], None);
    check(json!({"t": 0, "z": "wet"}), &[("madu.stage", f64::NAN)], Some("not-a-number madu.stage"));
    check(json!({"t": 0, "q": 1}), &[], Some("no-value"));
    check(json!({"z": 1}), &[], Some("no-time"));
    check(json!({"t": 0, "z": 1e308, "u": 1}), &[("madu.stage", 1e305 + 80.0), ("madu.battery", 1.0)], None);
}

#[test]
fn mqtt_unknown_devices_are_counted_and_make_nothing() {
    let desk = desk();
    for _ in 0..3 {
        let (readings, _) = take(&desk, "bureau/m2/data", json!({"t": 0, "z": 1}));
        assert!(readings.is_empty());
    }
    let unknown = desk.unknown();
    assert_eq!((unknown[0].device.as_str(), unknown[0].messages, unknown.len()), ("m2", 3, 1));
    // The first of them is kept to look at; a device that repeats itself does not fill the list.
    assert_eq!(desk.dead().len(), 1);
    assert_eq!(desk.dead()[0].reason, "unknown-device m2");
    for number in 0..2 * UNKNOWN_MAX {
        take(&desk, &format!("bureau/x{number}/data"), json!({"t": 0, "z": 1}));
    }
    assert_eq!(desk.unknown().len(), UNKNOWN_MAX);
    assert_eq!(desk.dead().len(), DEAD_MAX);
    assert_eq!(desk.memory().counted.unknown, 3 + 2 * UNKNOWN_MAX as u64);
}

#[test]
fn mqtt_retained_messages_are_never_values_of_now() {
    let desk = desk();
    let uplink = json!({"deviceInfo": {"devEui": "24e1"}, "fCnt": 1, "data": "AAAK"});
    let bytes = uplink.to_string();
    assert_eq!(desk.take(b"app/24e1/up", bytes.as_bytes(), true, now()), Taken::default());
    assert_eq!(desk.memory().counted.retained, 1);
    let fresh = desk.take(b"app/24e1/up", bytes.as_bytes(), false, now());
    assert_eq!((fresh.readings[0].value, fresh.readings[0].observed_at), (1.0, now()));
    // With a time of its own it is what it says it is.
    let timed = desk.take(b"bureau/m1/data", json!({"t": 0, "z": 1}).to_string().as_bytes(), true, now());
    assert_eq!(timed.readings[0].observed_at.timestamp(), 0);
}

#[test]
fn mqtt_gaps_of_the_counter_are_lost_uplinks_and_falls_are_joins() {
    let desk = desk();
    for counter in [5, 6, 9, 9, 0, 2] {
        take(&desk, "app/24e1/up", json!({"deviceInfo": {"devEui": "24E1"}, "fCnt": counter, "data": "AAAK"}));
    }
    let counted = desk.memory().counted;
    assert_eq!((counted.lost_uplinks, counted.rejoins, counted.readings), (3, 1, 6));
}

#[test]
fn mqtt_letters_are_short_and_say_the_topic() {
    let desk = desk();
    let taken = desk.take(b"bureau/m1/data", &[b'x'; 5000], false, now());
    let letter = taken.dead.unwrap();
    assert_eq!((letter.reason.as_str(), letter.bytes, letter.payload.len()), ("no-json", 5000, HEAD_MAX));
    assert_eq!(desk.take(b"else/where", b"{}", false, now()).dead.unwrap().reason, "topic-not-asked-for");
    assert_eq!(desk.take(b"\xff", b"{}", false, now()).dead.unwrap().reason, "topic-not-utf8");
}

#[test]
fn mqtt_one_bad_time_in_an_array_costs_that_sample_alone() {
    let mut files = SensorFiles::new();
    let text = FILES.replace("format = 'json'\ntime", "format = 'json'\neach = '/samples'\ntime");
    files.insert("a.toml".into(), text.into_bytes());
    let desk = Desk::new(Sensors::load(&files).unwrap().mqtt);
    let send = |samples: serde_json::Value| {
        desk.take(b"bureau/m1/data", json!({ "samples": samples }).to_string().as_bytes(), false, now())
    };
    let good = |t: i64| json!({ "t": t, "z": 1000, "u": 12.5 });
    let taken = send(json!([good(60), { "t": "noon", "z": 2000 }, good(120), { "z": 3000 }]));
    let times: Vec<_> = taken.readings.iter().map(|one| one.observed_at.timestamp()).collect();
    assert_eq!(times, [60, 60, 120, 120]);
    let letter = taken.dead.unwrap();
    assert_eq!(letter.reason, "no-time [1] [3]");
    assert!(letter.payload.contains("2000") && letter.payload.contains("3000") && !letter.payload.contains("1000"));
    let taken = send(json!([{ "t": "noon", "z": 2000 }]));
    assert_eq!((taken.readings.len(), taken.dead.unwrap().reason.as_str()), (0, "no-time"));
}
