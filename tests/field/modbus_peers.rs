//! Clients and servers that nobody here wrote: `mbpoll` (libmodbus) reads and writes `anlan field`, a pymodbus server is read
//! by the poller. A missing peer is a failure that says what to install.

use anlan::ingest::Clock;
use anlan::ingest::modbus::Poller;
use anlan::ingest::sensors::{SensorFiles, Sensors};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// A child process that ends with the test.
struct Running(Child);
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `anlan field` on ports of its own choice, and the line that lists its devices.
fn field(args: &[&str]) -> (Running, serde_json::Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_anlan"))
        .args(["field", "--listen", "127.0.0.1:0", "--json"])
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (Running(child), serde_json::from_str(&line).unwrap())
}

fn device<'a>(listed: &'a serde_json::Value, id: &str) -> &'a serde_json::Value {
    listed["devices"].as_array().unwrap().iter().find(|device| device["id"] == id).unwrap()
}

/// Runs mbpoll against a device: its exit, values by register, and all it said.
fn mbpoll(device: &serde_json::Value, args: &[&str], write: &[&str]) -> (bool, Vec<i64>, String) {
    let (port, unit) = (device["port"].to_string(), device["unit"].to_string());
    let out = Command::new("mbpoll")
        .args(["-m", "tcp", "-p", &port, "-a", &unit, "-0", "-1"])
        .args(args)
        .arg("127.0.0.1")
        .args(write)
        .output()
        .expect("mbpoll is missing: apt-get install mbpoll");
    let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    let value = |line: &str| line.strip_prefix('[')?.split_once("]:")?.1.split_whitespace().next()?.parse().ok();
    (out.status.success(), text.lines().filter_map(value).collect(), text)
}

#[test]
fn mbpoll_reads_gauges_and_stones() {
    let (_field, listed) = field(&["--flood", "1958-07", "--start", "1958-07-18T00:00+08:00"]);
    assert_eq!(listed["devices"].as_array().unwrap().len(), 9 + 249);
    let (good, values, said) =
        mbpoll(device(&listed, "gauge-huayuankou"), &["-t", "4:int", "-B", "-r", "2", "-c", "2"], &[]);
    assert!(good, "{said}");
    assert!((93_815..=93_825).contains(&values[0]), "crest of 1958 in mm: {said}");
    assert!((22_270_000..=22_330_000).contains(&values[1]), "crest of 1958 in L/s: {said}");
    let stone = device(&listed, "stone-249");
    let first = stone["first_register"].to_string();
    let (good, values, said) = mbpoll(stone, &["-t", "4", "-r", &first, "-c", "10"], &[]);
    assert!(good && values.len() == 10, "{said}");
    assert!((12_000..=13_000).contains(&values[6]) && values[8] == 0, "supply in mV, sound line: {said}");
}

#[test]
fn unknown_units_and_registers_are_refused_as_by_a_gateway() {
    let (_field, listed) = field(&[]);
    let known = device(&listed, "gauge-huayuankou");
    let unknown = serde_json::json!({ "port": known["port"], "unit": 99 });
    let (good, _, said) = mbpoll(&unknown, &["-t", "4", "-r", "0", "-c", "1"], &[]);
    assert!(!good && said.contains("Target device failed to respond"), "{said}");
    let (good, _, said) = mbpoll(known, &["-t", "4", "-r", "5", "-c", "2"], &[]);
    assert!(!good && said.contains("Illegal data address"), "{said}");
    let (good, _, said) = mbpoll(known, &["-t", "3", "-r", "0", "-c", "1"], &[]);
    assert!(!good && said.contains("Illegal function"), "{said}");
    let stone = device(&listed, "stone-001");
    let (good, _, said) = mbpoll(stone, &["-t", "4", "-r", "0"], &["1"]);
    assert!(!good && said.contains("Illegal function"), "a stone takes no writes: {said}");
}

#[test]
fn a_written_discharge_holds_until_all_bits_are_written() {
    let (_field, listed) = field(&["--start", "1958-07-10T00:00+08:00"]);
    let gauge = device(&listed, "gauge-huayuankou");
    let read = || mbpoll(gauge, &["-t", "4:int", "-B", "-r", "2", "-c", "2"], &[]).1;
    let before = read();
    assert!(mbpoll(gauge, &["-t", "4:int", "-B", "-r", "4"], &["22300000"]).0);
    let raised = read();
    assert_eq!(raised[1], 22_300_000);
    assert_eq!(raised[0], 93_820, "the stage follows the written discharge");
    assert!(mbpoll(gauge, &["-t", "4:hex", "-r", "4"], &["0xFFFF", "0xFFFF"]).0);
    let after = read();
    assert!((after[1] - before[1]).abs() < before[1] / 100, "{before:?} {after:?}");
}

#[test]
fn a_taken_port_and_a_bad_faults_file_are_told_in_words() {
    let (_field, listed) = field(&[]);
    let taken = format!("127.0.0.1:{}", device(&listed, "gauge-huayuankou")["port"]);
    let folder = tempfile::tempdir().unwrap();
    let faults = folder.path().join("faults.toml");
    std::fs::write(&faults, "[[inject]]\nat_s = 1\ntarget = \"atlantis\"\nkind = \"dead\"\n").unwrap();
    let check = |args: &[&str], parts: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_anlan")).arg("field").args(args).output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!out.status.success() && !said.contains("panicked"), "{said}");
        assert!(parts.iter().all(|part| said.contains(part)), "{said} should tell {parts:?}");
    };
    check(&["--listen", &taken], &[&taken, "--listen", "in use"]);
    check(&["--listen", "127.0.0.1:0", "--faults", faults.to_str().unwrap()], &["faults.toml:3:10", "atlantis"]);
    check(&["--listen", "127.0.0.1:0", "--flood", "1066-10"], &["1066-10", "1958-07"]);
    check(&["--listen", "127.0.0.1:0", "--start", "2024-01-01T00:00Z"], &["--start", "outside the flood"]);
    check(&["--listen", "127.0.0.1:65534"], &["65535"]);
    check(&["--speed", "0"], &["speed"]);
}

const INSTALL: &str =
    "python3 -m venv target/peers-venv && target/peers-venv/bin/pip install -r tests/peers/requirements.txt";

/// A pymodbus device, and where it is: a port, or a serial line.
fn pymodbus(args: &[&str]) -> (Running, String) {
    let root = env!("CARGO_MANIFEST_DIR");
    let python = format!("{root}/target/peers-venv/bin/python");
    let child = Command::new(&python)
        .arg(format!("{root}/tests/peers/pymodbus_device.py"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.unwrap_or_else(|cause| panic!("{python}: {cause}; install it: {INSTALL}"));
    let mut place = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut place).unwrap();
    let running = Running(child);
    assert!(!place.trim().is_empty(), "pymodbus did not start; install it: {INSTALL}");
    (running, place.trim().to_owned())
}

/// The units of the pymodbus device, and one that it has not, behind an endpoint.
fn behind(endpoint: &str) -> SensorFiles {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut files = SensorFiles::new();
    for profile in ["sl651-smart-sensor", "vegapuls-61"] {
        let text = std::fs::read(format!("{root}/sensors/profiles/{profile}.toml")).unwrap();
        files.insert(format!("{profile}.toml"), text);
    }
    files.insert("endpoints.toml".into(), format!("[[endpoint]]\nid='peer'\n{endpoint}\n").into());
    for (station, unit, profile, series) in [
        (
            "a",
            4,
            "sl651-smart-sensor",
            "[[series]]\nquantity='rain'\n[[series]]\nquantity='stage'\ndatum='dagu'\n[[series]]\nquantity='discharge'\n",
        ),
        ("b", 5, "vegapuls-61", "[[series]]\nquantity='stage'\ndatum='dagu'\nzero=-0.05\n"),
        ("c", 6, "vegapuls-61", "[[series]]\nquantity='stage'\ndatum='dagu'\n"),
    ] {
        let text = format!(
            "[[station]]\nid='{station}'\nname_zh='x'\nname_en='x'\nlon=113\nlat=34\nsource='test'\n[gauge]\nid='g-{station}'\n\
             name_zh='x'\nstation='{station}'\nprofile='{profile}'\nendpoint='peer'\nunit={unit}\npoll_every_s=0.2\n{series}"
        );
        files.insert(format!("gauge-{station}.toml"), text.into());
    }
    files
}

async fn is_read_by_the_poller(endpoint: &str) {
    let sensors = Sensors::load(&behind(endpoint)).unwrap_or_else(|fault| panic!("{fault}"));
    let (out, mut readings) = tokio::sync::mpsc::channel(64);
    let clock: Clock = Arc::new(|| anlan::model::Timestamp::UNIX_EPOCH);
    let poller = Poller::start(&sensors, &clock, 1.0, &out);
    let mut seen = std::collections::BTreeMap::new();
    for _ in 0..9 {
        for reading in tokio::time::timeout(Duration::from_secs(10), readings.recv()).await.unwrap().unwrap() {
            seen.insert(reading.series.to_string(), reading.value);
        }
    }
    let near = |series: &str, value: f64| {
        assert!((seen[series] - value).abs() < 1e-3, "{endpoint}: {series}: {seen:?} {:?}", poller.links());
    };
    near("a.rain", 12.3);
    near("a.stage", 93.82);
    near("a.discharge", 22_300.0);
    near("b.stage", 93.55 - 0.05);
    assert!(seen["c.stage"].is_nan(), "the server has no unit 6: {seen:?}");
    let link = &poller.links()[0];
    assert!(link.units[&4].answers >= 1 && link.units[&6].answers == 0, "{link:?}");
    drop(poller);
    // The worker lets go of its line when it is next looked at.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_pymodbus_server_is_read_over_tcp() {
    let (_peer, port) = pymodbus(&["tcp"]);
    is_read_by_the_poller(&format!("address='127.0.0.1:{port}'")).await;
}

#[tokio::test]
async fn a_pymodbus_server_is_read_by_rtu_over_tcp() {
    let (_peer, port) = pymodbus(&["rtu-over-tcp"]);
    is_read_by_the_poller(&format!("address='127.0.0.1:{port}'\ntransport='rtu-over-tcp'\ntimeout_ms=300")).await;
}

#[tokio::test]
async fn a_pymodbus_server_is_read_inside_tls() {
    let file = |name: &str| format!("{}/tests/support/tls/{name}", env!("CARGO_MANIFEST_DIR"));
    let (_peer, port) = pymodbus(&["tls", &file("device.pem"), &file("device.key")]);
    let rows = format!("address='127.0.0.1:{port}'\ntransport='tls'\nca_file='{}'\ntimeout_ms=2000", file("ca.pem"));
    is_read_by_the_poller(&rows).await;
}

#[tokio::test]
async fn a_pymodbus_server_is_read_over_a_serial_line_and_probed_there() {
    let (_peer, device) = pymodbus(&["serial"]);
    let rows = format!("transport='rtu'\ndevice='{device}'\nbaud=115200\ntimeout_ms=300");
    is_read_by_the_poller(&rows).await;
    // The same line by hand: one file with the device and its line.
    let folder = tempfile::tempdir().unwrap();
    let mut files = behind(&rows);
    std::fs::write(folder.path().join("endpoints.toml"), files.remove("endpoints.toml").unwrap()).unwrap();
    let gauge = folder.path().join("gauge-b.toml");
    std::fs::write(&gauge, files.remove("gauge-b.toml").unwrap()).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_anlan")).args(["sensor", "probe"]).arg(&gauge).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && said.contains("register 106") && said.contains("= 93.500 m"), "{said}");
}

#[test]
fn sensor_probe_shows_raw_and_scaled_values_or_says_what_to_check() {
    let (_field, listed) = field(&["--start", "1958-07-18T00:00+08:00"]);
    let gauge = format!("{}/sensors/huayuankou/gauge-huayuankou.toml", env!("CARGO_MANIFEST_DIR"));
    let probe = |file: &str, address: &str| {
        let out = Command::new(env!("CARGO_BIN_EXE_anlan"))
            .args(["sensor", "probe", file, "--json", "--field", address])
            .output();
        let out = out.unwrap();
        let (said, told) =
            (String::from_utf8_lossy(&out.stdout).into_owned(), String::from_utf8_lossy(&out.stderr).into_owned());
        (out.status.success(), said, told)
    };
    let address = format!("127.0.0.1:{}", device(&listed, "gauge-huayuankou")["port"]);
    let (good, said, told) = probe(&gauge, &address);
    assert!(good, "{told}");
    let rows: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows.len(), &rows[0]["series"], &rows[0]["unit"]), (2, &"huayuankou.stage".into(), &"m".into()));
    let raw: f64 = rows[0]["raw"].as_str().unwrap().parse().unwrap();
    assert!((rows[0]["value"].as_f64().unwrap() - raw / 1000.0).abs() < 1e-9, "{said}");

    // Any one file by itself, whatever the others of its folder relate to.
    for file in std::fs::read_dir(format!("{}/sensors/huayuankou", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        let file = file.unwrap().path().display().to_string();
        if file.contains("/gauge-") {
            let (good, said, told) = probe(&file, &address);
            assert!(good && !said.is_empty(), "{file}: {told}");
        }
    }

    drop(_field);
    let (good, _, told) = probe(&gauge, &address);
    assert!(
        !good && told.contains("gauge-huayuankou") && told.contains(&address) && !told.contains("panicked"),
        "{told}"
    );
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("gauge-x.toml");
    std::fs::write(
        &odd,
        "[gauge]\nid='x'\nname_zh='x'\nstation='x'\nprofile='abacus'\naddress='h:1'\nunit=1\npoll_every_s=1\n",
    )
    .unwrap();
    let (good, _, told) = probe(odd.to_str().unwrap(), &address);
    assert!(!good && told.contains("gauge-x.toml:5:9") && told.contains("abacus"), "{told}");
}
