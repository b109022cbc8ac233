//! The server for SL 651 stations against a network that misbehaves: cut, doubled, spoilt, slow, half-closed and foreign.

use crate::support::Store;
use anlan::ingest::sensors::{SensorFiles, Sensors};
use anlan::ingest::sl651::codec::{
    Coding, Content, Direction, Element, ElementId, End, Frame, Framer, Group, Line, Moment, Packet, Query, Report,
    StationAddress, split,
};
use anlan::ingest::sl651::{AskFault, Sink, Sl651, Sl651Limits, Sl651Parts};
use anlan::model::Timestamp;
use anlan::store::Photos;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio_util::sync::CancellationToken;

const NOW: &str = "2024-07-24T09:30:00Z";
const ROWS: &str = "
[[station]]
id = 'a'
name_zh = '甲'
name_en = 'A'
lon = 113
lat = 34
source = 'invented'
[[station]]
id = 'b'
name_zh = '乙'
name_en = 'B'
lon = 113
lat = 34
source = 'invented'
[[sl651]]
address = '0010000001'
station = 'a'
password = '1234'
acknowledge = 'esc'
series = [{ element = 'Z' }, { element = 'F5', zero = 86.0 }, { element = 'PT' }]
[[sl651]]
address = '0010000002'
station = 'b'
password = '1234'
set_clock = true
series = [{ element = 'Z' }]
";

struct House {
    server: Sl651,
    store: Arc<Store>,
    folder: TempDir,
    stop: CancellationToken,
}

impl House {
    async fn new() -> Self {
        Self::with(Sl651Limits::default()).await
    }
    async fn with(limits: Sl651Limits) -> Self {
        let mut files = SensorFiles::new();
        files.insert("s.toml".into(), ROWS.into());
        let sensors = Sensors::load(&files).unwrap();
        let store = Store::open();
        let folder = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        let parts = Sl651Parts {
            listen: "127.0.0.1:0".parse().unwrap(),
            stations: sensors.telemetry,
            clock: Arc::new(now),
            sink: Arc::clone(&store) as Arc<dyn Sink>,
            photos: Photos::new(folder.path()),
            folder: folder.path().to_owned(),
            limits,
            stop: stop.clone(),
        };
        Self { server: Sl651::start(parts).await.unwrap(), store, folder, stop }
    }
    async fn call(&self) -> Caller {
        Caller::to(self.server.address).await
    }
    fn kept(&self) -> Vec<(String, Timestamp, f64)> {
        let kept = self.store.kept.lock().unwrap();
        kept.iter().map(|one| (one.series.to_string(), one.observed_at, one.value)).collect()
    }
    fn lines(&self, name: &str) -> Vec<serde_json::Value> {
        lines(&self.folder.path().join(name))
    }
}

fn lines(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A station's end of a connection.
struct Caller {
    stream: TcpStream,
    framer: Framer,
}

impl Caller {
    async fn to(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), framer: Framer::default() }
    }
    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }
    async fn say(&mut self, frame: &Frame) {
        self.send(&frame.encode().unwrap()).await;
    }
    /// The next frame from the centre; `None` when it closes.
    async fn hear(&mut self) -> Option<Frame> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(received) = self.framer.next_frame() {
                assert_eq!(received.frame.direction, Direction::Down);
                return Some(received.frame);
            }
            let read = tokio::time::timeout(Duration::from_secs(10), self.stream.read(&mut buffer));
            match read.await.expect("the centre says nothing").unwrap_or(0) {
                0 => return None,
                count => self.framer.push(&buffer[..count]),
            }
        }
    }
    /// What comes back for a heartbeat-free probe: the acknowledgement of `probe` and nothing before it.
    async fn hears_nothing_before(&mut self, serial: u16) {
        self.say(&stage(1, serial, 90.0)).await;
        let answer = self.hear().await.expect("the centre closed");
        assert_eq!(serial_of(&answer), serial, "{answer:?}");
    }
}

fn serial_of(frame: &Frame) -> u16 {
    Report::decode(frame.coding, &frame.body).unwrap().serial
}

fn station(last: u8) -> StationAddress {
    StationAddress([0, 0x10, 0, 0, last])
}

fn up(last: u8, function: u8, report: &Report) -> Frame {
    let coding = Coding::Hex;
    let body = report.encode(coding);
    let (direction, end) = (Direction::Up, End::Etx);
    let station = station(last);
    Frame { coding, direction, centre: 1, station, password: 0x1234, function, packet: None, body, end }
}

fn report(last: u8, serial: u16, elements: Vec<Element>) -> Report {
    let group = Group { station: Some((station(last), Some(b'H'))), observed: Some(Moment::of(now())), elements };
    Report { serial, sent: Moment::of(now()), groups: vec![group], faults: Vec::new() }
}

fn stage(last: u8, serial: u16, metres: f64) -> Frame {
    up(last, 0x32, &report(last, serial, vec![Element::number(0x39, metres).unwrap()]))
}

#[tokio::test]
async fn sl651_report_is_stored_and_acknowledged_as_agreed() {
    let house = House::new().await;
    let mut caller = house.call().await;
    let cells = Content::Stages(vec![Some(850), None]);
    let elements = vec![
        Element::number(0x39, 94.5).unwrap(),
        Element::number(0x38, 12.1).unwrap(),
        Element { id: ElementId::Standard(0xf5), content: cells },
    ];
    caller.say(&up(1, 0x34, &report(1, 7, elements))).await;
    let answer = caller.hear().await.unwrap();
    assert_eq!((answer.function, serial_of(&answer), answer.end), (0x34, 7, End::Esc));
    assert_eq!((answer.station, answer.centre, answer.password), (station(1), 1, 0x1234));
    let kept = house.kept();
    let series: Vec<_> = kept.iter().map(|(id, at, _)| (id.as_str(), at.to_rfc3339())).collect();
    assert_eq!(
        series,
        [
            ("a.stage", "2024-07-24T09:05:00+00:00".to_owned()),
            ("a.stage", "2024-07-24T09:10:00+00:00".to_owned()),
            ("a.stage", "2024-07-24T09:30:00+00:00".to_owned()),
        ]
    );
    assert_eq!(kept[0].2, 94.5);
    assert!(kept[1].2.is_nan(), "a missing cell is a reading without a number");
    assert_eq!(house.server.counted().unmapped, 1, "the voltage is mapped to no series");
}

#[tokio::test]
async fn sl651_repeats_are_acknowledged_and_stored_once() {
    let house = House::new().await;
    let mut caller = house.call().await;
    for _ in 0..3 {
        caller.say(&stage(1, 7, 94.5)).await;
        assert_eq!(serial_of(&caller.hear().await.unwrap()), 7);
    }
    // On a new connection too, as after a lost acknowledgement.
    let mut caller = house.call().await;
    caller.say(&stage(1, 7, 94.5)).await;
    assert_eq!(serial_of(&caller.hear().await.unwrap()), 7);
    // The same serial with another value is another message.
    caller.say(&stage(1, 7, 94.6)).await;
    caller.hear().await.unwrap();
    assert_eq!(house.kept().len(), 2);
    assert_eq!((house.server.counted().kept, house.server.counted().repeated), (2, 3));
}

#[tokio::test]
async fn sl651_wrong_checksum_is_never_answered_and_costs_no_other_frame() {
    let house = House::new().await;
    let mut caller = house.call().await;
    let mut spoilt = stage(1, 1, 91.0).encode().unwrap();
    spoilt[30] ^= 1;
    let whole = [spoilt, b"\x7e\x7e noise \x01".to_vec(), stage(1, 2, 92.0).encode().unwrap()].concat();
    caller.send(&whole).await;
    assert_eq!(serial_of(&caller.hear().await.unwrap()), 2);
    assert_eq!(house.kept().len(), 1);
    assert_eq!(house.server.counted().bad_crc, 1);
}

#[tokio::test]
async fn sl651_strangers_are_set_aside_and_make_nothing() {
    let house = House::new().await;
    let mut caller = house.call().await;
    caller.say(&stage(9, 1, 91.0)).await;
    caller.say(&Frame { password: 0x4321, ..stage(1, 1, 91.0) }).await;
    // A known station that speaks for an unknown one: its own values stay, the other's are set aside.
    let mut relay = report(1, 3, vec![Element::number(0x39, 93.0).unwrap()]);
    relay.groups.extend(report(9, 3, vec![Element::number(0x39, 99.0).unwrap()]).groups);
    caller.say(&up(1, 0x32, &relay)).await;
    assert_eq!(serial_of(&caller.hear().await.unwrap()), 3);
    caller.hears_nothing_before(4).await;
    assert_eq!(house.kept().iter().map(|(.., value)| *value).collect::<Vec<_>>(), [93.0, 90.0]);
    let reasons: Vec<_> =
        house.lines("set-aside.jsonl").iter().map(|line| line["reason"].as_str().unwrap().to_owned()).collect();
    assert_eq!(reasons, ["unknown-station", "wrong-password", "unknown-station 0010000009"]);
    let frame = house.lines("set-aside.jsonl")[0]["frame"].as_str().unwrap().to_owned();
    assert_eq!(frame, hex::encode_upper(stage(9, 1, 91.0).encode().unwrap()), "the whole frame can be looked at");
}

#[tokio::test]
async fn sl651_test_data_stay_apart_and_heartbeats_are_not_answered() {
    let house = House::new().await;
    let mut caller = house.call().await;
    caller.say(&up(1, 0x2f, &Report { groups: Vec::new(), ..report(1, 3, Vec::new()) })).await;
    caller.say(&up(1, 0x30, &report(1, 4, vec![Element::number(0x39, 99.0).unwrap()]))).await;
    let answer = caller.hear().await.unwrap();
    assert_eq!((answer.function, serial_of(&answer)), (0x30, 4));
    assert_eq!(house.kept(), []);
    assert_eq!(house.lines("tests.jsonl")[0]["values"][0]["value"], 99.0);
    assert_eq!(house.server.links()[0].last_heard, Some(now()));
}

#[tokio::test]
async fn sl651_nothing_is_acknowledged_before_it_is_durable() {
    let house = House::new().await;
    let mut caller = house.call().await;
    let closed = house.store.gate.acquire().await.unwrap();
    caller.say(&stage(1, 1, 91.0)).await;
    // The repeat comes over another connection while the first is on its way to the disk: nobody is told yet.
    let mut other = house.call().await;
    other.say(&stage(1, 1, 91.0)).await;
    let early = tokio::time::timeout(Duration::from_millis(200), caller.hear()).await;
    assert!(early.is_err(), "answered before it was durable");
    drop(closed);
    assert_eq!(serial_of(&caller.hear().await.unwrap()), 1);
    other.hears_nothing_before(2).await;
    assert_eq!(house.kept().len(), 2);
}

#[tokio::test]
async fn sl651_a_failing_store_acknowledges_nothing_and_the_repeat_is_taken() {
    let house = House::new().await;
    let mut caller = house.call().await;
    house.store.broken.store(true, Ordering::SeqCst);
    caller.say(&stage(1, 1, 91.0)).await;
    while house.server.counted().not_kept == 0 {
        tokio::task::yield_now().await;
    }
    house.store.broken.store(false, Ordering::SeqCst);
    caller.say(&stage(1, 1, 91.0)).await;
    assert_eq!(serial_of(&caller.hear().await.unwrap()), 1);
    assert_eq!(house.kept().len(), 1);
}

fn picture_packets() -> (Vec<u8>, Vec<Frame>) {
    let jpeg: Vec<u8> = [0xff, 0xd8, 0xff, 0xe0].into_iter().chain((0..900_u16).map(|n| (n % 251) as u8)).collect();
    let picture = Element { id: ElementId::Standard(0xf3), content: Content::Picture(jpeg.clone()) };
    let whole = up(1, 0x36, &report(1, 12, vec![picture]));
    let body = whole.body.clone();
    let frames = split(&body, 220).unwrap().into_iter().map(|(packet, part)| {
        let end = if packet.sequence == packet.total { End::Etx } else { End::Etb };
        Frame { packet: Some(packet), body: part.to_vec(), end, ..whole.clone() }
    });
    (jpeg, frames.collect())
}

#[tokio::test]
async fn sl651_picture_in_packets_with_a_lost_one() {
    let house = House::new().await;
    let mut caller = house.call().await;
    let (jpeg, frames) = picture_packets();
    let total = u16::try_from(frames.len()).unwrap();
    for frame in frames.iter().filter(|frame| frame.packet.unwrap().sequence != 2) {
        caller.say(frame).await;
    }
    let wanted = caller.hear().await.unwrap();
    assert_eq!((wanted.end, wanted.packet), (End::Nak, Some(Packet { total, sequence: 2 })));
    caller.say(&Frame { end: End::Etx, ..frames[1].clone() }).await;
    let answer = caller.hear().await.unwrap();
    assert_eq!((answer.end, answer.packet), (End::Esc, Some(Packet { total, sequence: total })));
    assert_eq!(serial_of(&answer), 12);
    let line = &house.lines("pictures.jsonl")[0];
    let photo = house.folder.path().join(line["photo"].as_str().unwrap());
    assert_eq!(std::fs::read(photo).unwrap(), jpeg);
    // The whole message again, because the acknowledgement was lost: answered, not kept twice.
    for frame in &frames {
        caller.say(frame).await;
    }
    assert_eq!(serial_of(&caller.hear().await.unwrap()), 12);
    assert_eq!((house.lines("pictures.jsonl").len(), house.server.counted().pictures), (1, 1));
}

#[tokio::test]
async fn sl651_packets_that_never_come_are_asked_for_and_given_up() {
    let limits = Sl651Limits { ask_again: Duration::from_millis(50), ..Sl651Limits::default() };
    let house = House::with(limits).await;
    let mut caller = house.call().await;
    let (_, frames) = picture_packets();
    for frame in frames.iter().filter(|frame| frame.packet.unwrap().sequence != 2) {
        caller.say(frame).await;
    }
    for _ in 0..3 {
        assert_eq!(caller.hear().await.unwrap().end, End::Nak);
    }
    while house.server.counted().unfinished == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    caller.hears_nothing_before(20).await;
    assert_eq!(house.lines("pictures.jsonl").len(), 0);
}

#[tokio::test]
async fn sl651_datagrams_that_never_come_are_asked_for_by_a_timer_and_given_up() {
    let limits = Sl651Limits { ask_again: Duration::from_millis(50), ..Sl651Limits::default() };
    let house = House::with(limits).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(house.server.address).await.unwrap();
    let (jpeg, frames) = picture_packets();
    let lost: Vec<u16> = frames.iter().skip(1).map(|frame| frame.packet.unwrap().sequence).collect();
    // Only the first packet comes, and nothing after it: no traffic wakes the server.
    socket.send(&frames[0].encode().unwrap()).await.unwrap();
    let mut buffer = [0; 2048];
    let mut asked = Vec::new();
    while asked.len() < 3 * lost.len() {
        let count = socket.recv(&mut buffer).await.unwrap();
        let mut framer = Framer::default();
        framer.push(&buffer[..count]);
        let wanted = framer.next_frame().unwrap().frame;
        assert_eq!(wanted.end, End::Nak);
        asked.push(wanted.packet.unwrap().sequence);
    }
    assert_eq!(asked, lost.repeat(3));
    while house.server.counted().unfinished == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Given up is not forgotten: the station may send the whole message again.
    for frame in &frames {
        socket.send(&frame.encode().unwrap()).await.unwrap();
    }
    loop {
        let count = socket.recv(&mut buffer).await.unwrap();
        let mut framer = Framer::default();
        framer.push(&buffer[..count]);
        if framer.next_frame().unwrap().frame.end == End::Esc {
            break;
        }
    }
    let line = &house.lines("pictures.jsonl")[0];
    assert_eq!(std::fs::read(house.folder.path().join(line["photo"].as_str().unwrap())).unwrap(), jpeg);
}

#[tokio::test]
async fn sl651_messages_too_large_are_dropped() {
    let limits = Sl651Limits { message_bytes: 500, ..Sl651Limits::default() };
    let house = House::with(limits).await;
    let mut caller = house.call().await;
    for frame in picture_packets().1 {
        caller.say(&frame).await;
    }
    caller.hears_nothing_before(20).await;
    assert!(house.server.counted().unfinished >= 1);
    assert_eq!(house.lines("set-aside.jsonl")[0]["reason"], "packet-does-not-fit");
}

#[tokio::test]
async fn sl651_half_closed_connection_is_still_answered() {
    let house = House::new().await;
    let mut caller = house.call().await;
    caller.say(&stage(1, 1, 91.0)).await;
    caller.stream.shutdown().await.unwrap();
    assert_eq!(serial_of(&caller.hear().await.unwrap()), 1);
    assert!(caller.hear().await.is_none());
}

#[tokio::test]
async fn sl651_cut_connection_loses_nothing_that_was_acknowledged() {
    let house = House::new().await;
    let bytes = stage(1, 1, 91.0).encode().unwrap();
    let mut caller = house.call().await;
    caller.send(&bytes[..20]).await;
    drop(caller);
    let mut caller = house.call().await;
    caller.send(&bytes).await;
    assert_eq!(serial_of(&caller.hear().await.unwrap()), 1);
    assert_eq!(house.kept().len(), 1);
}

#[tokio::test]
async fn sl651_slow_bytes_are_waited_for_within_the_limit() {
    let limits = Sl651Limits { partial: Duration::from_millis(400), ..Sl651Limits::default() };
    let house = House::with(limits).await;
    let mut caller = house.call().await;
    for byte in stage(1, 1, 91.0).encode().unwrap() {
        caller.send(&[byte]).await;
    }
    assert_eq!(serial_of(&caller.hear().await.unwrap()), 1);
    // A header that promises 4095 bytes swallows the next frame only until the limit.
    let mut endless = stage(1, 2, 92.0).encode().unwrap();
    endless[11] = 0x0f;
    endless[12] = 0xff;
    caller.send(&[endless, stage(1, 3, 93.0).encode().unwrap()].concat()).await;
    assert_eq!(serial_of(&caller.hear().await.unwrap()), 3);
}

#[tokio::test]
async fn sl651_silence_and_noise_end_a_connection() {
    let limits = Sl651Limits { idle: Duration::from_millis(100), bad_in_row: 5, ..Sl651Limits::default() };
    let house = House::with(limits.clone()).await;
    assert!(house.call().await.hear().await.is_none());
    let house = House::with(Sl651Limits { idle: Duration::from_secs(60), ..limits }).await;
    let mut caller = house.call().await;
    let mut spoilt = stage(1, 1, 91.0).encode().unwrap();
    spoilt[30] ^= 1;
    let _ = caller.stream.write_all(&spoilt.repeat(20)).await;
    assert!(caller.hear().await.is_none());
    assert_eq!(house.kept(), []);
}

#[tokio::test]
async fn sl651_one_connection_too_many_is_closed() {
    let house = House::with(Sl651Limits { connections: 1, ..Sl651Limits::default() }).await;
    let mut first = house.call().await;
    first.hears_nothing_before(1).await;
    assert!(house.call().await.hear().await.is_none());
    first.hears_nothing_before(2).await;
    assert_eq!(house.server.counted().turned_away, 1);
}

#[tokio::test]
async fn sl651_datagrams_are_answered_like_connections() {
    let house = House::new().await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(house.server.address).await.unwrap();
    let mut buffer = [0; 2048];
    let mut hear = async || {
        let count = tokio::time::timeout(Duration::from_secs(10), socket.recv(&mut buffer)).await.unwrap().unwrap();
        Frame::decode(&buffer[..count]).unwrap().frame
    };
    let mut spoilt = stage(1, 9, 91.0).encode().unwrap();
    spoilt[30] ^= 1;
    socket.send(&spoilt).await.unwrap();
    socket.send(&stage(1, 1, 91.0).encode().unwrap()).await.unwrap();
    assert_eq!(serial_of(&hear().await), 1);
    socket.send(&stage(1, 1, 91.0).encode().unwrap()).await.unwrap();
    assert_eq!(serial_of(&hear().await), 1);
    let (_, frames) = picture_packets();
    for frame in &frames {
        socket.send(&frame.encode().unwrap()).await.unwrap();
    }
    // Datagrams may change places: packets that were overtaken are asked for, and have come by then.
    let answer = loop {
        let frame = hear().await;
        if frame.end != End::Nak {
            break frame;
        }
    };
    assert_eq!(serial_of(&answer), 12);
    assert_eq!(house.kept().len(), 1);
}

#[tokio::test]
async fn sl651_centre_asks_and_the_station_answers() {
    let house = House::new().await;
    let away = house.server.ask(station(1), &Query::Now).await;
    assert_eq!(away, Err(AskFault::Away { station: station(1) }));
    assert_eq!(house.server.ask(station(9), &Query::Now).await, Err(AskFault::Unknown { station: station(9) }));
    let mut caller = house.call().await;
    caller.hears_nothing_before(1).await;
    let station_side = async {
        let asked = caller.hear().await.unwrap();
        assert_eq!(Query::decode(&asked, now()), Some(Query::Now));
        assert_eq!(Line::of(&asked).station, station(1));
        caller.say(&up(1, 0x37, &report(1, 2, vec![Element::number(0x39, 94.0).unwrap()]))).await;
        assert_eq!(serial_of(&caller.hear().await.unwrap()), 2);
        caller
    };
    let (reply, mut caller) = tokio::join!(house.server.ask(station(1), &Query::Now), station_side);
    assert_eq!(reply.unwrap().report.unwrap().serial, 2);
    assert_eq!(house.kept().last().unwrap().2, 94.0);
    // A set clock is confirmed by its function code alone.
    let station_side = async {
        let asked = caller.hear().await.unwrap();
        assert_eq!((asked.function, asked.end), (0x4a, End::Enq));
        caller.say(&up(1, 0x4a, &Report { groups: Vec::new(), ..report(1, 3, Vec::new()) })).await;
        caller
    };
    let (reply, _caller) = tokio::join!(house.server.ask(station(1), &Query::SetClock), station_side);
    assert_eq!(reply.unwrap().function, 0x4a);
}

#[tokio::test]
async fn sl651_silent_station_is_asked_three_times() {
    let house = House::with(Sl651Limits { answer: Duration::from_millis(50), ..Sl651Limits::default() }).await;
    let mut caller = house.call().await;
    caller.hears_nothing_before(1).await;
    let asked = house.server.ask(station(1), &Query::Now).await;
    assert_eq!(asked, Err(AskFault::Silent { station: station(1), attempts: 3 }));
    for _ in 0..3 {
        assert_eq!(caller.hear().await.unwrap().function, 0x37);
    }
}

#[tokio::test]
async fn sl651_wrong_clock_is_set_where_the_file_asks_for_it() {
    let house = House::new().await;
    let mut caller = house.call().await;
    let mut late = report(2, 1, vec![Element::number(0x39, 91.0).unwrap()]);
    late.sent = Moment([0x24, 0x07, 0x24, 0x16, 0x00, 0x00]);
    caller.say(&up(2, 0x32, &late)).await;
    assert_eq!(caller.hear().await.unwrap().end, End::Eot);
    let set = caller.hear().await.unwrap();
    assert_eq!((set.function, set.end), (0x4a, End::Enq));
    assert_eq!(Report::decode(Coding::Hex, &set.body).unwrap().sent, Moment::of(now()));
    let links = house.server.links();
    assert_eq!(links[1].clock_ahead_s, Some(-5400));
}

#[tokio::test]
async fn sl651_ascii_station_is_answered_in_ascii() {
    let house = House::new().await;
    let mut caller = house.call().await;
    let said = report(1, 5, vec![Element::number(0x39, 94.5).unwrap()]);
    let frame = Frame { coding: Coding::Ascii, body: said.encode(Coding::Ascii), ..stage(1, 5, 94.5) };
    caller.say(&frame).await;
    let answer = caller.hear().await.unwrap();
    assert_eq!((answer.coding, serial_of(&answer), answer.end), (Coding::Ascii, 5, End::Esc));
    assert_eq!(house.kept()[0].2, 94.5);
}

#[tokio::test]
async fn sl651_unreadable_times_and_cut_bodies_are_kept_for_people() {
    let house = House::new().await;
    let mut caller = house.call().await;
    let mut frame = stage(1, 1, 94.5);
    frame.body.truncate(frame.body.len() - 2);
    caller.say(&frame).await;
    caller.hear().await.unwrap();
    let mut odd = report(1, 2, vec![Element::number(0x39, 94.5).unwrap()]);
    odd.groups[0].observed = Some(Moment([0x24, 0x13, 0x40, 0, 0, 0]));
    caller.say(&up(1, 0x32, &odd)).await;
    caller.hear().await.unwrap();
    let kept = house.kept();
    assert_eq!(kept.len(), 1);
    assert!(kept[0].2.is_nan(), "a value without a time is never taken for one of now");
    assert_eq!(house.lines("set-aside.jsonl").len(), 2);
}

#[tokio::test]
async fn sl651_stopping_server_ends_its_connections() {
    let house = House::new().await;
    let mut caller = house.call().await;
    caller.hears_nothing_before(1).await;
    house.stop.cancel();
    assert!(caller.hear().await.is_none());
}
