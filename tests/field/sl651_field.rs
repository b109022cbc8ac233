//! Virtual stations against the real server: reports, repeats after a lost centre, answers to questions.

use anlan::app::editions;
use anlan::drill::field::{Bench, BenchPart, Reporters, read_injects};
use anlan::drill::floods::Flood;
use anlan::ingest::sensors::Sensors;
use anlan::ingest::sl651::codec::{ElementId, Query, StationAddress};
use anlan::ingest::sl651::{Sink, Sl651, Sl651Limits, Sl651Parts};
use anlan::ingest::{Clock, IntakeError};
use anlan::model::{Reading, Timestamp};
use anlan::store::Photos;
use async_trait::async_trait;
use chrono::TimeDelta;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[derive(Default)]
struct Store(Mutex<Vec<Reading>>);

#[async_trait]
impl Sink for Store {
    async fn keep(&self, readings: Vec<Reading>) -> Result<(), IntakeError> {
        self.0.lock().unwrap().extend(readings);
        Ok(())
    }
}

impl Store {
    fn values(&self, series: &str) -> Vec<(Timestamp, f64)> {
        let kept = self.0.lock().unwrap();
        let of = kept.iter().filter(|reading| reading.series.as_str() == series);
        of.map(|reading| (reading.observed_at, reading.value)).collect()
    }
    async fn wait_for(&self, series: &str, count: usize) -> Vec<(Timestamp, f64)> {
        for _ in 0..2000 {
            let values = self.values(series);
            if values.len() >= count {
                return values;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{series}: {:?}", self.values(series));
    }
}

/// A clock that is put forward by hand.
struct Hand(Arc<AtomicI64>);

impl Hand {
    fn at(start: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(start.timestamp())))
    }
    fn clock(&self) -> Clock {
        let seconds = Arc::clone(&self.0);
        Arc::new(move || Timestamp::from_timestamp(seconds.load(Ordering::SeqCst), 0).unwrap())
    }
    fn forward(&self, minutes: i64) {
        self.0.fetch_add(minutes * 60, Ordering::SeqCst);
    }
}

fn start() -> Timestamp {
    "1958-07-16T10:30:00Z".parse().unwrap()
}

fn sensors() -> Sensors {
    Sensors::load(&editions::sensors::demo()).unwrap()
}

fn bench(injects: &str) -> Arc<Bench> {
    let flood = Flood::load(&editions::floods::files(), "1958-07").unwrap();
    let sensors = sensors();
    let injects = read_injects("faults.toml", injects, |target| Bench::knows_target(&sensors, target)).unwrap();
    Arc::new(Bench::new(BenchPart { sensors, flood, injects, seed: 7, start: start() }))
}

async fn centre(listen: &str, store: &Arc<Store>, clock: Clock) -> (Sl651, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let parts = Sl651Parts {
        listen: listen.parse().unwrap(),
        stations: sensors().telemetry,
        clock,
        sink: Arc::clone(store) as Arc<dyn Sink>,
        photos: Photos::new(folder.path()),
        folder: folder.path().to_owned(),
        limits: Sl651Limits::default(),
        stop: CancellationToken::new(),
    };
    (Sl651::start(parts).await.unwrap(), folder)
}

const HUAYUANKOU: StationAddress = StationAddress([0x00, 0x40, 0x10, 0x51, 0x50]);

#[tokio::test]
async fn sl651_field_stations_report_the_flood_of_1958_in_its_own_century() {
    let store = Arc::new(Store::default());
    let hand = Hand::at(start());
    let (server, _folder) = centre("127.0.0.1:0", &store, hand.clock()).await;
    let bench =
        bench("[[inject]]\nat_s = 5100\ntarget = 'huayuankou.stage'\nkind = 'spike'\nvalue = 0.5\nfor_s = 600\n");
    let reporters = Reporters::start(&bench, &server.address.to_string(), &hand.clock());
    assert_eq!(reporters.len(), 9);
    hand.forward(31);
    let stage = store.wait_for("huayuankou.stage", 1).await;
    let hour: Timestamp = "1958-07-16T11:00:00Z".parse().unwrap();
    assert_eq!(stage[0].0, hour);
    let truth = bench.flood().at("huayuankou", "stage", hour).unwrap();
    assert!((stage[0].1 - truth).abs() < 0.02, "{} {truth}", stage[0].1);
    store.wait_for("huayuankou.discharge", 1).await;
    store.wait_for("rain-madu.rain", 1).await;
    // A jump of half a metre is told before the hour is full.
    hand.forward(55);
    let stage = store.wait_for("huayuankou.stage", 2).await;
    assert_eq!(stage[1].0, hour + TimeDelta::minutes(56));
}

#[tokio::test]
async fn sl651_field_stations_wait_for_a_centre_that_is_away_and_answer_its_questions() {
    let store = Arc::new(Store::default());
    let hand = Hand::at(start());
    let (server, _folder) = centre("127.0.0.1:0", &store, hand.clock()).await;
    let address: SocketAddr = server.address;
    drop(server);
    let bench = bench("");
    let reporters = Reporters::start(&bench, &address.to_string(), &hand.clock());
    hand.forward(31);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(store.values("huayuankou.stage"), []);
    let (server, _folder) = centre(&address.to_string(), &store, hand.clock()).await;
    store.wait_for("huayuankou.stage", 1).await;
    assert_eq!(reporters.counts().given_up.load(Ordering::Relaxed), 0);
    let from = "1958-07-16T06:00:00Z".parse().unwrap();
    let query = Query::Period {
        from,
        to: from + TimeDelta::hours(3),
        step: TimeDelta::hours(1),
        element: (ElementId::Standard(0x39), 0x23),
    };
    let reply = server.ask(HUAYUANKOU, &query).await.unwrap();
    let values = reply.report.unwrap().measured(HUAYUANKOU, start());
    let times: Vec<_> = values.iter().map(|one| one.observed_at.unwrap()).collect();
    assert_eq!(times, (0..4).map(|hour| from + TimeDelta::hours(hour)).collect::<Vec<_>>());
    let truth = bench.flood().at("huayuankou", "stage", from).unwrap();
    assert!((values[0].value.unwrap() - truth).abs() < 0.02);
    let now = server.ask(HUAYUANKOU, &Query::Now).await.unwrap().report.unwrap();
    assert_eq!(now.measured(HUAYUANKOU, start()).len(), 2);
    let one = Query::Elements(vec![(ElementId::Standard(0x27), 0x2b)]);
    let one = server.ask(HUAYUANKOU, &one).await.unwrap().report.unwrap();
    assert_eq!(one.measured(HUAYUANKOU, start()).len(), 1);
    assert_eq!(server.ask(HUAYUANKOU, &Query::SetClock).await.unwrap().function, 0x4a);
    server.ask(HUAYUANKOU, &Query::Status).await.unwrap();
    let link = server.links().into_iter().find(|link| link.address == HUAYUANKOU).unwrap();
    assert_eq!(link.status, Some(0x0480));
}

#[tokio::test]
async fn sl651_field_station_with_a_dead_gauge_says_so_and_one_without_power_is_silent() {
    let faults = "[[inject]]\nat_s = 0\ntarget = 'huayuankou.stage'\nkind = 'dead'\n\
                  [[inject]]\nat_s = 0\ntarget = 'gauge-wuzhi'\nkind = 'power'\n";
    let store = Arc::new(Store::default());
    let hand = Hand::at(start());
    let (server, _folder) = centre("127.0.0.1:0", &store, hand.clock()).await;
    let _reporters = Reporters::start(&bench(faults), &server.address.to_string(), &hand.clock());
    hand.forward(31);
    let stage = store.wait_for("huayuankou.stage", 1).await;
    assert!(stage[0].1.is_nan());
    store.wait_for("jiahetan.stage", 1).await;
    assert_eq!(store.values("wuzhi.stage"), []);
}
