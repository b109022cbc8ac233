//! Rows of MQTT devices: what they say, and where a wrong one is pointed at.

use super::*;
use crate::ingest::sensors::SensorFiles;

const STATIONS: &str = "[[station]]\nid = 'a'\nname_zh = '甲'\nname_en = 'A'\nlon = 113\nlat = 34\nsource = 'x'\n";

fn load(rows: &str) -> Result<Sensors, FileFault> {
    let mut files = SensorFiles::new();
    files.insert("stations.toml".into(), STATIONS.into());
    files.insert("t.toml".into(), rows.as_bytes().to_vec());
    Sensors::load(&files)
}

#[test]
fn mqtt_wrong_rows_are_pointed_at() {
    const HEAD: &str = "[[mqtt]]\nbroker = 'b'\ntopic = 'a/+'\nformat = 'json'\n";
    const DEVICE: &str = "[[mqtt.device]]\nid = 'm'\nstation = 'a'\nreport_every_s = 60\n";
    const SERIES: &str = "series = [{ quantity = 'stage', unit = 'm', at = '/z' }]\n";
    let whole = format!("{HEAD}{DEVICE}{SERIES}");
    assert_eq!(load(&whole).unwrap().series["a.stage"].unit, "m");
    let check = |from: &str, to: &str, word: &str| {
        let rows = whole.replacen(from, to, 1);
        assert_ne!(rows, whole);
        let text = load(&rows).unwrap_err().to_string();
        assert!(text.starts_with("t.toml:") && text.contains(word), "{text}");
    };
    check("'a/+'", "'a/#/b'", "no topic pattern");
    check("'a/+'", "'$SYS/#'", "no topic pattern");
    check("'json'", "'xml'", "unknown variant");
    check("'json'\n", "'json'\ntime = '/t'\n", "nobody says");
    check("'json'\n", "'json'\ntime_format = 'unix-s'\n", "without time");
    check("'json'\n", "'chirpstack'\neach = '/x'\n", "belong to");
    check("'json'\n", "'json'\neach = 'x'\n", "JSON pointer");
    check("station = 'a'\n", "station = 'b'\n", "no station");
    check("station = 'a'\n", "", "needs a station");
    check("station = 'a'\n", "stone = 's-1'\n", "add dam");
    check("station = 'a'\n", "station = 'a'\ndam = 'd'\n", "needs a station");
    check("= 60", "= 0", "0.1");
    check("at = '/z'", "at = 'z'", "JSON pointer");
    check("at = '/z'", "byte = 1", "no place");
    check("at = '/z'", "at = '/z', scale = 0.0", "cannot be");
    check("quantity = 'stage'", "quantity = 'a.b'", "no quantity");
    check("at = '/z'", "pointer = '/z'", "unknown field");
    check(SERIES, "series = []\n", "no series");
    let twice = format!("{whole}{DEVICE}{SERIES}");
    assert!(load(&twice).unwrap_err().to_string().contains("appears twice"));
    assert!(load(&whole.repeat(2)).unwrap_err().to_string().contains("appears twice"));
    let other = "[[mqtt]]\nbroker = 'b'\ntopic = 'c/+'\nformat = 'json'\n".to_owned() + DEVICE;
    let clash = format!("{whole}{other}series = [{{ quantity = 'stage', unit = 'cm', at = '/z' }}]\n");
    assert!(load(&clash).unwrap_err().to_string().contains("already"));
}

#[test]
fn mqtt_a_stone_may_report_by_itself() {
    let rows = "[[mqtt]]\nbroker = 'b'\ntopic = 'a/+'\nformat = 'the-things'\n[[mqtt.device]]\nid = 'm'\nstone = 'stone-x-1'\n\
                dam = 'dam-x'\nreport_every_s = 60\nseries = [{ quantity = 'tilt_x', unit = '°', at = '/x' }]\n";
    let sensors = load(rows).unwrap();
    assert!(sensors.series.contains_key("stone-x-1.tilt_x"));
    assert_eq!(sensors.mqtt[0].devices["m"].dam, Some("dam-x".into()));
}

#[test]
fn mqtt_samples_of_the_docs_page_load() {
    let root = env!("CARGO_MANIFEST_DIR");
    let page = std::fs::read_to_string(format!("{root}/docs/ingest/mqtt.md")).unwrap();
    let mut files = SensorFiles::new();
    for folder in ["profiles", "huayuankou"] {
        for entry in std::fs::read_dir(format!("{root}/sensors/{folder}")).unwrap() {
            let path = entry.unwrap().path();
            files.insert(path.display().to_string(), std::fs::read(path).unwrap());
        }
    }
    let demo = Sensors::load(&files).unwrap();
    assert!(!demo.mqtt.is_empty(), "sensors/huayuankou/mqtt.toml");
    // In the demo what comes by MQTT comes from a device too: no series is new.
    let ids = |sensors: &Sensors| sensors.series.keys().cloned().collect::<Vec<_>>();
    files.retain(|name, _| !name.ends_with("mqtt.toml"));
    assert_eq!(ids(&demo), ids(&Sensors::load(&files).unwrap()));
    let blocks: Vec<&str> =
        page.split("```toml\n# sensors/").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        let (name, text) = block.split_once('\n').unwrap();
        files.insert(name.to_owned(), text.as_bytes().to_vec());
    }
    let sensors = Sensors::load(&files).unwrap();
    let formats: Vec<&Format> = sensors.mqtt.iter().map(|source| &source.format).collect();
    assert!(formats.contains(&&Format::ChirpStack) && formats.contains(&&Format::TheThings), "{formats:?}");
    assert_eq!(sensors.mqtt.len(), 3);
}
