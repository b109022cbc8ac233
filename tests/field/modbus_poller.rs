//! The poller against devices that misbehave: late, short, broken and refused answers, closed connections, dead units.

mod faults;
mod honest;
mod transports;

use anlan::ingest::Clock;
use anlan::ingest::modbus::Poller;
use anlan::ingest::sensors::{SensorFiles, Sensors};
use anlan::model::{Reading, Timestamp};
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What the device does with one request.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// So many registers, each holding this.
    Give(u16),
    /// The same, after a while.
    GiveAfter(u64, u16),
    /// One register too few, in a frame that is right in itself.
    Short,
    Garbage,
    Exception(u8),
    Silence,
    /// Stops sending but keeps reading.
    HalfClose,
    /// The answer to another transaction.
    Foreign,
}

/// A device whose behaviour is a function of (request number from 0, unit).
async fn device(act: impl Fn(usize, u8) -> Act + Send + Sync + 'static) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, act) = (Arc::clone(&connections), Arc::new(act));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(talk(stream, Arc::clone(&act), Arc::clone(&requests)));
        }
    });
    (address, connections)
}

async fn talk(mut stream: TcpStream, act: Arc<impl Fn(usize, u8) -> Act>, requests: Arc<AtomicUsize>) {
    let mut asked = [0u8; 12];
    while stream.read_exact(&mut asked).await.is_ok() {
        let unit = asked[6];
        let count = u16::from_be_bytes([asked[10], asked[11]]);
        let frame = |transaction: [u8; 2], pdu: &[u8]| {
            let length = u16::try_from(pdu.len() + 1).unwrap().to_be_bytes();
            [&transaction[..], &[0, 0], &length, &[unit], pdu].concat()
        };
        let own = [asked[0], asked[1]];
        let words = |count: u16, value: u16| {
            let mut pdu = vec![asked[7], u8::try_from(count * 2).unwrap()];
            (0..count).for_each(|_| pdu.extend(value.to_be_bytes()));
            pdu
        };
        let out = match act(requests.fetch_add(1, Ordering::SeqCst), unit) {
            Act::Give(value) => frame(own, &words(count, value)),
            Act::GiveAfter(ms, value) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                frame(own, &words(count, value))
            }
            Act::Short => frame(own, &words(count - 1, 9)),
            Act::Garbage => b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            Act::Exception(code) => frame(own, &[asked[7] | 0x80, code]),
            Act::Silence => continue,
            Act::HalfClose => {
                stream.shutdown().await.unwrap();
                continue;
            }
            Act::Foreign => frame([own[0] ^ 0xff, own[1]], &words(count, 9)),
        };
        if stream.write_all(&out).await.is_err() {
            return;
        }
    }
}

const PROFILE: &str = "[profile]\nid='level'\nname_zh='x'\nname_en='x'\nsource='test'\nfunction='holding'\n\
    [[point]]\nquantity='stage'\nregister=0\ntype='u32'\nunit='m'\nscale=0.001\n\
    [[point]]\nquantity='far'\nregister=400\ntype='u16'\nunit='m'\n";

/// `units` gauges behind one address, station `s<unit>`.
fn sensors(address: SocketAddr, units: u8, every_s: f64, timeout_ms: u64) -> Sensors {
    let mut files = SensorFiles::new();
    files.insert("profile.toml".into(), PROFILE.into());
    let endpoint = format!("[[endpoint]]\nid='gate'\naddress='{address}'\ntimeout_ms={timeout_ms}\n");
    files.insert("endpoints.toml".into(), endpoint.into());
    for unit in 1..=units {
        let text = format!(
            "[[station]]\nid='s{unit}'\nname_zh='x'\nname_en='x'\nlon=113\nlat=34\nsource='test'\n\
             [gauge]\nid='g{unit}'\nname_zh='x'\nstation='s{unit}'\nprofile='level'\nendpoint='gate'\nunit={unit}\npoll_every_s={every_s}\n\
             [[series]]\nquantity='stage'\ndatum='dagu'\n[[series]]\nquantity='far'\n"
        );
        files.insert(format!("gauge-{unit}.toml"), text.into());
    }
    Sensors::load(&files).unwrap()
}

fn clock() -> Clock {
    let started = Instant::now();
    Arc::new(move || Timestamp::UNIX_EPOCH + TimeDelta::from_std(started.elapsed()).unwrap())
}

/// The next batch; a poller that falls silent fails the test.
async fn recv(readings: &mut mpsc::Receiver<Vec<Reading>>) -> Vec<Reading> {
    tokio::time::timeout(Duration::from_secs(20), readings.recv()).await.unwrap().unwrap()
}

struct Rig {
    poller: Poller,
    readings: mpsc::Receiver<Vec<Reading>>,
    connections: Arc<AtomicUsize>,
}

impl Rig {
    async fn of_one(act: impl Fn(usize, u8) -> Act + Send + Sync + 'static) -> Self {
        let (address, connections) = device(act).await;
        let (out, readings) = mpsc::channel(64);
        let poller = Poller::start(&sensors(address, 1, 0.1, 200), &clock(), 1.0, &out);
        Self { poller, readings, connections }
    }

    /// Stages of the next `count` polls; NaN as `None`.
    async fn stages(&mut self, count: usize) -> Vec<Option<f64>> {
        let mut stages = Vec::new();
        while stages.len() < count {
            let batch = tokio::time::timeout(Duration::from_secs(20), self.readings.recv()).await.unwrap().unwrap();
            assert_eq!(batch.len(), 2, "every series of the unit is in every batch");
            stages.push(Some(batch[0].value).filter(|value| value.is_finite()));
        }
        stages
    }
}

/// The value of two registers that both hold `word`, in m.
fn stage(word: u16) -> Option<f64> {
    Some((f64::from(word) * 65536.0 + f64::from(word)) * 0.001)
}

#[tokio::test]
async fn a_late_answer_is_never_taken_for_the_next_one() {
    let mut rig = Rig::of_one(|request, _| match request {
        2 => Act::GiveAfter(400, 77),
        n => Act::Give(u16::try_from(n).unwrap()),
    })
    .await;
    let seen = rig.stages(5).await;
    assert_eq!(seen[0], stage(0));
    assert_eq!(seen[1], None, "the poll that met the late answer has no number: {seen:?}");
    assert!(seen.iter().all(|value| *value != stage(77)), "{seen:?}");
    assert!(seen[2..].iter().all(Option::is_some), "{seen:?}");
    let link = &rig.poller.links()[0];
    assert_eq!((link.units[&1].timeouts, rig.connections.load(Ordering::SeqCst)), (1, 2), "{link:?}");
}

/// One odd request among good ones: its poll has no number, the connection is made anew, all others are right.
async fn recovers(odd: Act) {
    let mut rig = Rig::of_one(move |request, _| if request == 2 { odd } else { Act::Give(5) }).await;
    let seen = rig.stages(4).await;
    let link = &rig.poller.links()[0];
    assert_eq!(link.restarts, 0, "the worker broke down: {link:?}");
    assert!(seen.iter().all(|value| value.is_none() || *value == stage(5)), "{odd:?}: {seen:?}");
    assert!(seen[2..].iter().all(Option::is_some), "{odd:?}: {seen:?}");
    assert!(rig.connections.load(Ordering::SeqCst) >= 2, "{odd:?}: the connection must not be used on");
}

#[tokio::test]
async fn a_short_answer_costs_one_poll_and_the_connection() {
    recovers(Act::Short).await;
}
#[tokio::test]
async fn garbage_costs_the_connection() {
    recovers(Act::Garbage).await;
}
#[tokio::test]
async fn a_half_closed_connection_is_made_anew() {
    recovers(Act::HalfClose).await;
}
#[tokio::test]
async fn an_answer_to_another_request_costs_the_connection() {
    recovers(Act::Foreign).await;
}

#[tokio::test]
async fn an_exception_keeps_the_connection_and_the_other_registers() {
    // Two blocks a poll: the far register is refused, and asked no more for a while.
    let mut rig = Rig::of_one(|request, _| if request == 1 { Act::Exception(2) } else { Act::Give(3) }).await;
    assert_eq!(rig.stages(2).await, [stage(3), stage(3)]);
    let link = &rig.poller.links()[0];
    assert_eq!(rig.connections.load(Ordering::SeqCst), 1, "{link:?}");
    assert!(link.units[&1].exceptions == 1 && link.units[&1].bad_answers == 0, "{link:?}");
    assert!(link.units[&1].last_fault.as_ref().unwrap().contains("400"), "{link:?}");
}

#[tokio::test]
async fn one_dead_unit_among_249_delays_no_neighbour() {
    const DEAD: u8 = 7;
    let (address, _) = device(|_, unit| if unit == DEAD { Act::Silence } else { Act::Give(1) }).await;
    let (out, mut readings) = mpsc::channel(64);
    let poller = Poller::start(&sensors(address, 249, 1.0, 150), &clock(), 1.0, &out);
    let mut last: BTreeMap<String, Timestamp> = BTreeMap::new();
    let (mut longest, mut dead, mut polls) = (TimeDelta::zero(), 0, 0);
    while polls < 249 * 6 {
        for reading in tokio::time::timeout(Duration::from_secs(20), readings.recv()).await.unwrap().unwrap() {
            if reading.series.quantity() != "stage" {
                continue;
            }
            polls += 1;
            let is_dead = reading.series.station() == format!("s{DEAD}");
            assert_eq!(reading.value.is_nan(), is_dead, "{reading:?}");
            dead += usize::from(is_dead);
            if let Some(before) = last.insert(reading.series.to_string(), reading.observed_at) {
                longest = longest.max(reading.observed_at - before);
            }
        }
    }
    assert!(dead >= 5, "the dead unit still yields a reading a period, seen {dead}");
    assert!(longest < TimeDelta::milliseconds(1700), "a neighbour waited {longest}");
    assert!(poller.links()[0].units[&DEAD].quarantined);
}

#[tokio::test]
async fn a_full_queue_makes_the_poller_wait_and_loses_nothing() {
    let (address, _) = device(|request, _| Act::Give(u16::try_from(request / 2).unwrap())).await;
    let (out, mut readings) = mpsc::channel(1);
    let poller = Poller::start(&sensors(address, 1, 0.1, 500), &clock(), 1.0, &out);
    while poller.links()[0].queue_full == 0 {
        tokio::task::yield_now().await;
    }
    let mut seen = Vec::new();
    while seen.len() < 6 {
        seen.push(readings.recv().await.unwrap()[0].value);
    }
    let expected: Vec<f64> = (0..6).map(|n| stage(n).unwrap()).collect();
    assert_eq!(seen, expected, "polls wait, none is dropped");
}

#[tokio::test]
async fn a_device_that_goes_away_comes_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (out, mut readings) = mpsc::channel(64);
    let poller = Poller::start(&sensors(address, 1, 0.1, 200), &clock(), 1.0, &out);
    assert!(readings.recv().await.unwrap()[0].value.is_nan());
    while poller.links()[0].refused == 0 {
        readings.recv().await.unwrap();
    }
    let listener = TcpListener::bind(address).await.unwrap();
    let act = Arc::new(|_: usize, _: u8| Act::Give(4));
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        talk(stream, act, Arc::default()).await;
    });
    let back = async {
        loop {
            if readings.recv().await.unwrap()[0].value.is_finite() {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), back).await.expect("values again within ten seconds");
    assert_eq!(poller.links()[0].units[&1].failures_in_row, 0);
}
