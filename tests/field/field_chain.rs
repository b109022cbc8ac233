//! The first stretch of the chain: virtual devices → Modbus TCP → poller → judge → stones and forecast.

use anlan::drill::field::{Bench, BenchPart, FieldDevices, read_injects};
use anlan::drill::floods::{Flood, FloodFiles};
use anlan::ingest::Clock;
use anlan::ingest::modbus::Poller;
use anlan::ingest::sensors::{DeviceKind, SensorFiles, Sensors};
use anlan::model::{Causes, Observation, Reading, Timestamp};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

fn folder(name: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            files.insert(path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap());
        }
    }
    files
}

fn sensors() -> Sensors {
    let mut files: SensorFiles = folder("sensors/profiles");
    files.append(&mut folder("sensors/huayuankou"));
    Sensors::load(&files).unwrap()
}

fn flood(id: &str) -> Flood {
    let mut files: FloodFiles = folder("floods");
    files.extend(folder("floods/upstream").into_iter().map(|(name, bytes)| (format!("upstream/{name}"), bytes)));
    Flood::load(&files, id).unwrap()
}

struct Chain {
    _devices: FieldDevices,
    poller: Poller,
    readings: mpsc::Receiver<Vec<Reading>>,
    sensors: Sensors,
}

/// Everything of the demo reach on loopback, at a speed, with these faults.
async fn chain(speed: f64, faults: &str) -> Chain {
    let start: Timestamp = "1958-07-17T10:00:00Z".parse().unwrap();
    let began = Instant::now();
    let clock: Clock = Arc::new(move || start + TimeDelta::from_std(began.elapsed().mul_f64(speed)).unwrap());
    let mut sensors = sensors();
    let injects = read_injects("faults.toml", faults, |target| Bench::knows_target(&sensors, target)).unwrap();
    let bench = Bench::new(BenchPart { sensors: sensors.clone(), flood: flood("1958-07"), injects, seed: 7, start });
    let devices =
        FieldDevices::start(Arc::new(bench), "127.0.0.1:0".parse().unwrap(), Arc::clone(&clock)).await.unwrap();
    sensors.use_addresses(devices.addresses());
    for endpoint in sensors.endpoints.values_mut() {
        endpoint.timeout = Duration::from_millis(150);
    }
    let (out, readings) = mpsc::channel(256);
    let poller = Poller::start(&sensors, &clock, speed, &out);
    Chain { _devices: devices, poller, readings, sensors }
}

impl Chain {
    /// All observations until `until` says enough.
    async fn judged(&mut self, mut until: impl FnMut(&[Observation]) -> bool) -> Vec<Observation> {
        let mut judge = self.sensors.judge();
        let mut all = Vec::new();
        while !until(&all) {
            let batch = tokio::time::timeout(Duration::from_secs(20), self.readings.recv()).await.unwrap().unwrap();
            all.extend(batch.iter().flat_map(|reading| judge.judge(reading)));
        }
        all
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_series_of_the_reach_arrives_good_and_the_stones_rest() {
    let mut chain = chain(60.0, "").await;
    let expected = chain.sensors.series.len();
    let began = Instant::now();
    let all = chain
        .judged(|all| {
            all.len() >= expected * 2 && all.iter().map(|seen| &seen.series).collect::<BTreeSet<_>>().len() == expected
        })
        .await;
    println!("{} observations of {expected} series in {:?}", all.len(), began.elapsed());
    let odd: Vec<&Observation> = all.iter().filter(|seen| !seen.quality.is_usable()).collect();
    assert!(odd.is_empty(), "a sound reach gives only usable values: {:?}", odd.first());
    let mut array = chain.sensors.stone_array();
    all.iter().for_each(|seen| array.observe(seen));
    let now = all.iter().map(|seen| seen.at).max().unwrap();
    let words: BTreeSet<&str> = array.words(now).into_values().collect();
    assert_eq!((array.words(now).len(), words), (249, ["still"].into()));
    for link in chain.poller.links() {
        assert!(link.connected && link.units.values().all(|unit| unit.timeouts + unit.bad_answers == 0), "{link:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_dam_among_249_stones_delays_no_neighbour() {
    let faults = "[[inject]]\nat_s = 0\ntarget = \"dam:dam-huayuankou-095\"\nkind = \"comms\"\n";
    let mut chain = chain(60.0, faults).await;
    let dead: BTreeSet<String> = chain
        .sensors
        .devices
        .iter()
        .filter(|device| matches!(&device.kind, DeviceKind::Stone { dam, .. } if dam == "dam-huayuankou-095"))
        .map(|device| device.id.clone())
        .collect();
    assert_eq!(dead.len(), 4);
    let mut batches: BTreeMap<String, Vec<(Timestamp, bool)>> = BTreeMap::new();
    let rounds = 6 * 249;
    chain
        .judged(|all| all.iter().filter(|seen| seen.series.quantity() == "supply").count() >= rounds)
        .await
        .iter()
        .filter(|seen| seen.series.quantity() == "supply")
        .for_each(|seen| {
            batches.entry(seen.series.station().to_owned()).or_default().push((seen.at, seen.value.is_finite()));
        });
    for (stone, seen) in &batches {
        assert_eq!(seen.iter().all(|(_, good)| *good), !dead.contains(stone), "{stone}: {seen:?}");
        let longest = seen.windows(2).map(|pair| (pair[1].0 - pair[0].0).num_seconds()).max().unwrap_or(0);
        // A period is 60 s of the reach; one time-out of 150 ms is 9 s of it, a reconnection and a busy machine the rest.
        assert!(longest <= 100, "{stone} waited {longest} s of the reach's clock");
    }
    let links = chain.poller.links();
    let work = links.iter().find(|link| link.endpoint == "work-huayuankou").unwrap();
    let away: Vec<u8> = work.units.iter().filter(|(_, unit)| unit.quarantined).map(|(id, _)| *id).collect();
    assert_eq!(away.len(), 1, "{work:?}");
}

#[test]
fn the_checks_do_not_object_to_any_recorded_flood() {
    for id in ["1958-07", "1977-08", "1982-08", "1996-08", "2021-09", "1843-08", "drill_22000_from_1958"] {
        let (flood, sensors) = (flood(id), sensors());
        let mut judge = sensors.judge();
        let (from, to) = flood.span();
        let (mut at, mut odd, mut count) = (from, 0, 0);
        while at <= to {
            for quantity in ["stage", "discharge"] {
                for station in ["xiaolangdi", "heishiguan", "wuzhi", "huayuankou", "jiahetan"] {
                    let Some(value) = flood.at(station, quantity, at) else { continue };
                    let series = format!("{station}.{quantity}").into();
                    for seen in judge.judge(&Reading { series, observed_at: at, received_at: at, value }) {
                        count += 1;
                        let frozen = seen.quality.causes.has(Causes::FROZEN); // Rounded rows without noise may stand still.
                        odd += usize::from(!seen.quality.is_usable() && !frozen);
                    }
                }
            }
            at += TimeDelta::minutes(5);
        }
        assert!(count > 10_000 && odd == 0, "{id}: {odd} of {count} values objected to");
    }
}

/// One read of the first register of a unit over a fresh connection; the bytes of the answer, empty when it was closed.
async fn ask(address: std::net::SocketAddr, bytes: &[u8]) -> (tokio::net::TcpStream, Vec<u8>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut answer = vec![0; 64];
    let _ = stream.write_all(bytes).await;
    let got = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut answer)).await.unwrap().unwrap_or(0);
    answer.truncate(got);
    (stream, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn virtual_devices_outlive_garbage_and_bound_their_clients() {
    const READ: [u8; 12] = [0, 1, 0, 0, 0, 6, 4, 3, 0, 2, 0, 2];
    let chain = chain(1.0, "").await;
    drop(chain.poller);
    let address = chain._devices.addresses()["gauges"];
    for odd in [&[0, 1, 0, 9, 0, 6, 4, 3, 0, 2, 0, 2][..], &[0, 1, 0, 0, 0, 0, 4, 3]] {
        assert!(ask(address, odd).await.1.is_empty(), "a broken request ends its connection");
    }
    let mut open = Vec::new();
    let full = loop {
        let (stream, answer) = ask(address, &READ).await;
        if answer.is_empty() {
            break open.len();
        }
        assert_eq!(answer.len(), 13, "{answer:?}");
        open.push(stream);
        assert!(open.len() <= 64, "clients are bounded");
    };
    // The poller's own connection may still be closing.
    assert!((63..=64).contains(&full), "{full} clients at once");
    open.clear();
    let again = async { while ask(address, &READ).await.1.is_empty() {} };
    tokio::time::timeout(Duration::from_secs(5), again).await.expect("room again once clients have gone");
}
