//! MQTT against a real mosquitto: both protocol versions, TLS with a site's own authority, wrong passwords, a broker that
//! dies in the middle, a full queue, a broken store, and a server that is killed between store and acknowledgement.

use crate::support::{Store, free_port, serve};
use anlan::ingest::mqtt::{Broker, Mqtt, MqttLimits, MqttLink, MqttParts, MqttVersion};
use anlan::ingest::sensors::{SensorFiles, Sensors};
use anlan::model::{SeriesId, Timestamp};
use anlan::store::series::{EmbeddedSeries, SeriesLimits, SeriesStore};
use anlan::store::series_file;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

const ROWS: &str = "
[[station]]
id = 'a'
name_zh = '甲'
name_en = 'A'
lon = 113
lat = 34
source = 'invented'
[[mqtt]]
broker = 'b'
topic = 'anlan/+/data'
format = 'json'
time = '/t'
time_format = 'unix-s'
[[mqtt.device]]
id = 'm'
station = 'a'
report_every_s = 60
series = [{ quantity = 'stage', unit = 'm', at = '/z' }]
";

/// A broker of this test alone, with its data in a folder so that it can be killed and started again.
struct Mosquitto {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Mosquitto {
    /// `more` stands in its configuration after the listener.
    async fn start(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // It drops root rights to a user that cannot see the folder, unless it is told whom to stay.
        let user = if fs::metadata("/root").is_ok_and(|_| rights_of_root()) { "user root\n" } else { "" };
        let port = free_port().await;
        let data = folder.path().display();
        let text = format!(
            "listener {port} 127.0.0.1\n{user}persistence true\npersistence_location {data}/\nautosave_interval 1\n\
             autosave_on_changes true\nmax_queued_messages 0\nmax_inflight_messages 200\n{more}\n"
        );
        fs::write(folder.path().join("m.conf"), text).unwrap();
        let mut broker = Self { folder, port, child: None };
        broker.run().await;
        broker
    }
    async fn run(&mut self) {
        let program =
            ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"].into_iter().find(|path| Path::new(path).exists());
        let program = program.expect("mosquitto is missing: apt-get install mosquitto");
        let child = Command::new(program)
            .arg("-c")
            .arg(self.folder.path().join("m.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.child = Some(child);
        until("the broker listens", || async { TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() }).await;
    }
    /// Sudden death.
    async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }
    fn settings(&self, version: MqttVersion) -> Broker {
        let version = if version == MqttVersion::V4 { "3.1.1" } else { "5" };
        let text = format!(
            "id = 'b'\nhost = '127.0.0.1'\nport = {}\nclient_id = 'anlan-test'\nversion = '{version}'\n",
            self.port
        );
        toml::from_str(&text).unwrap()
    }
}

fn rights_of_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}

/// What the server tells of itself; empty while it is down.
async fn metrics(port: u16) -> String {
    let mut text = String::new();
    if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await {
        let ask = b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        if stream.write_all(ask).await.is_ok() {
            let _ = stream.read_to_string(&mut text).await;
        }
    }
    text
}

/// Looks again and again; fails by name after a minute.
async fn until<F: Future<Output = bool>>(what: &str, look: impl Fn() -> F) {
    for _ in 0..6000 {
        if look().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("did not happen: {what}");
}

/// A publisher of plain MQTT 3.1.1 that waits for every acknowledgement of the broker.
struct Publisher(TcpStream);

impl Publisher {
    async fn connect(port: u16) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut packet = vec![0x10, 0, 0, 4];
        packet.extend(b"MQTT\x04\x02\x00\x00\x00\x01p");
        packet[1] = u8::try_from(packet.len() - 2).unwrap();
        stream.write_all(&packet).await.unwrap();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, [0x20, 2, 0, 0]);
        Self(stream)
    }
    /// QoS 1 messages in one go; returns when the broker has acknowledged them all.
    async fn publish(&mut self, messages: &[(&str, String)]) {
        let mut packets = Vec::new();
        for (number, (topic, payload)) in messages.iter().enumerate() {
            packets.extend(publish_packet(topic, payload.as_bytes(), u16::try_from(number + 1).unwrap(), false));
        }
        self.0.write_all(&packets).await.unwrap();
        let mut answers = vec![0; 4 * messages.len()];
        self.0.read_exact(&mut answers).await.unwrap();
        assert!(answers.chunks(4).all(|answer| answer[0] == 0x40), "{answers:?}");
    }
}

fn publish_packet(topic: &str, payload: &[u8], id: u16, retain: bool) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(u16::try_from(topic.len()).unwrap().to_be_bytes());
    body.extend(topic.as_bytes());
    body.extend(id.to_be_bytes());
    body.extend(payload);
    let mut packet = vec![0x32 | u8::from(retain)];
    let mut length = body.len();
    while length >= 128 {
        packet.push(u8::try_from(length % 128).unwrap() | 0x80);
        length /= 128;
    }
    packet.push(u8::try_from(length).unwrap());
    packet.extend(body);
    packet
}

/// Numbers of the messages that are stored, without repeats.
fn numbers_in(store: &Store) -> BTreeSet<i64> {
    store.kept.lock().unwrap().iter().map(|reading| reading.observed_at.timestamp()).collect()
}

struct House {
    mqtt: Mqtt,
    store: Arc<Store>,
    _folder: TempDir,
}

impl House {
    fn start(broker: Broker, store: &Arc<Store>, limits: MqttLimits) -> Self {
        Self::with(ROWS, broker, store, limits)
    }
    fn with(rows: &str, broker: Broker, store: &Arc<Store>, limits: MqttLimits) -> Self {
        let mut files = SensorFiles::new();
        files.insert("a.toml".into(), rows.as_bytes().to_vec());
        let folder = tempfile::tempdir().unwrap();
        let clock_at: Timestamp = "2024-07-24T09:30:00Z".parse().unwrap();
        let parts = MqttParts {
            brokers: vec![broker],
            sources: Sensors::load(&files).unwrap().mqtt,
            clock: Arc::new(move || clock_at),
            sink: store.clone(),
            folder: folder.path().to_owned(),
            limits,
            stop: CancellationToken::new(),
        };
        Self { mqtt: Mqtt::start(parts).unwrap(), store: Arc::clone(store), _folder: folder }
    }
    fn link(&self) -> MqttLink {
        self.mqtt.links().remove(0)
    }
    async fn connected(&self) {
        until("connected", || async { self.link().counted.connections > 0 && self.link().connected_since.is_some() })
            .await;
    }
    async fn stored(&self, numbers: &BTreeSet<i64>) {
        until("all is stored", || async { numbers_in(&self.store).is_superset(numbers) }).await;
        let stored = numbers_in(&self.store);
        assert!(&stored == numbers, "too many: {:?}", stored.difference(numbers).take(5).collect::<Vec<_>>());
    }
}

/// Waits are short and a connection counts as steady at once.
fn quick() -> MqttLimits {
    let (wait_min, wait_max) = (Duration::from_millis(20), Duration::from_millis(100));
    MqttLimits { patience: wait_min, wait_min, wait_max, ..MqttLimits::default() }
}

fn messages(numbers: std::ops::Range<i64>) -> Vec<(&'static str, String)> {
    numbers.map(|number| ("anlan/m/data", format!("{{\"t\": {number}, \"z\": {number}.5}}"))).collect()
}

/// Subscribes once, so that the broker has a session to keep messages for.
async fn subscribe_once(broker: &Mosquitto, version: MqttVersion) {
    let house = House::start(broker.settings(version), &Store::open(), quick());
    house.connected().await;
    let mut publisher = Publisher::connect(broker.port).await;
    publisher.publish(&messages(0..1)).await;
    house.stored(&(0..1).collect()).await;
    until("acknowledged", || async { house.link().counted.settled == 1 }).await;
}

async fn broker_dies_in_the_middle(version: MqttVersion) {
    let mut broker = Mosquitto::start("allow_anonymous true").await;
    subscribe_once(&broker, version).await;
    // Nobody is there: the broker keeps them.
    Publisher::connect(broker.port).await.publish(&messages(1..101)).await;
    let store = Store::open();
    store.gate.acquire().await.unwrap().forget();
    let house = House::start(broker.settings(version), &store, quick());
    house.connected().await;
    until("messages wait for the store", || async { house.link().counted.messages > 0 }).await;
    // The broker dies while all of them are on their way and none is acknowledged.
    broker.kill().await;
    until("it is noticed", || async { house.link().connected_since.is_none() }).await;
    store.gate.add_permits(1);
    broker.run().await;
    house.stored(&(1..101).collect()).await;
    Publisher::connect(broker.port).await.publish(&messages(101..151)).await;
    house.stored(&(1..151).collect()).await;
    let counted = house.link().counted;
    assert!(counted.connections >= 2, "{counted:?}");
    assert_eq!((counted.dropped, counted.dead), (0, 0));
    drop(house);
    // What was acknowledged does not come again. The last acknowledgements may still have been on their way when the
    // client ended, so it is given a few tries, whose own messages do not count; messages that are never acknowledged would
    // come with every one.
    for round in 200..220 {
        let store = Store::open();
        let house = House::start(broker.settings(version), &store, quick());
        house.connected().await;
        Publisher::connect(broker.port).await.publish(&messages(round..round + 1)).await;
        until("the new one is stored", || async { numbers_in(&store).contains(&round) }).await;
        until("acknowledged", || async { house.link().counted.settled == house.link().counted.messages }).await;
        if numbers_in(&store).iter().all(|number| *number >= 200) {
            return;
        }
    }
    panic!("acknowledged messages come again and again");
}

#[tokio::test]
async fn mqtt_4_broker_dies_in_the_middle_and_nothing_is_lost() {
    broker_dies_in_the_middle(MqttVersion::V4).await;
}

#[tokio::test]
async fn mqtt_5_broker_dies_in_the_middle_and_nothing_is_lost() {
    broker_dies_in_the_middle(MqttVersion::V5).await;
}

/// The broker holds our session; a topic that the files gained meanwhile is asked for all the same.
async fn a_topic_is_added_to_a_session(version: MqttVersion) {
    let broker = Mosquitto::start("allow_anonymous true").await;
    subscribe_once(&broker, version).await;
    let (head, source) = ROWS.split_once("[[mqtt]]").unwrap();
    let source = source.replace("anlan/+/data", "new/+/data");
    let rows = format!(
        "{head}[[mqtt]]{}[[mqtt]]{}",
        ROWS.split_once("[[mqtt]]").unwrap().1,
        source.replace("'stage', unit = 'm'", "'battery', unit = 'V'")
    );
    // What waits at the broker for the old topic comes as well: the session goes on.
    Publisher::connect(broker.port).await.publish(&messages(1..3)).await;
    let house = House::with(&rows, broker.settings(version), &Store::open(), quick());
    until("subscribed", || async { house.link().topics_granted == 2 }).await;
    let mut publisher = Publisher::connect(broker.port).await;
    publisher.publish(&[("new/m/data", "{\"t\": 7, \"z\": 12.5}".to_owned())]).await;
    house.stored(&[1, 2, 7].into()).await;
}

#[tokio::test]
async fn mqtt_4_a_topic_added_to_a_kept_session_is_subscribed() {
    a_topic_is_added_to_a_session(MqttVersion::V4).await;
}

#[tokio::test]
async fn mqtt_5_a_topic_added_to_a_kept_session_is_subscribed() {
    a_topic_is_added_to_a_session(MqttVersion::V5).await;
}

#[tokio::test]
async fn mqtt_a_broken_store_is_never_acknowledged() {
    let broker = Mosquitto::start("allow_anonymous true").await;
    subscribe_once(&broker, MqttVersion::V4).await;
    let store = Store::open();
    store.broken.store(true, Ordering::SeqCst);
    let house = House::start(broker.settings(MqttVersion::V4), &store, quick());
    house.connected().await;
    Publisher::connect(broker.port).await.publish(&messages(1..31)).await;
    until("the store refuses", || async { store.refusals.load(Ordering::SeqCst) > 2 }).await;
    assert_eq!(house.link().counted.settled, 0);
    drop(house); // As if the server died: nothing was acknowledged, so all comes again.
    store.broken.store(false, Ordering::SeqCst);
    let house = House::start(broker.settings(MqttVersion::V4), &store, quick());
    house.stored(&(1..31).collect()).await;
}

#[tokio::test]
async fn mqtt_a_full_queue_gives_the_connection_up_and_loses_nothing_at_qos_1() {
    let broker = Mosquitto::start("allow_anonymous true").await;
    subscribe_once(&broker, MqttVersion::V4).await;
    let store = Store::open();
    store.gate.acquire().await.unwrap().forget();
    let house = House::start(broker.settings(MqttVersion::V4), &store, MqttLimits { queue: 10, batch: 4, ..quick() });
    house.connected().await;
    Publisher::connect(broker.port).await.publish(&messages(1..121)).await;
    until("overrun", || async { house.link().counted.overruns > 0 }).await;
    assert!(house.link().fault.is_some_and(|fault| fault.contains("queue full")));
    store.gate.add_permits(1);
    house.stored(&(1..121).collect()).await;
    assert_eq!(house.link().counted.dropped, 0);
}

#[tokio::test]
async fn mqtt_a_queue_that_is_full_for_a_moment_keeps_the_connection() {
    let broker = Mosquitto::start("allow_anonymous true").await;
    let store = Store::open();
    store.gate.acquire().await.unwrap().forget();
    let limits = MqttLimits { queue: 10, batch: 4, patience: Duration::from_secs(60), ..quick() };
    let house = House::start(broker.settings(MqttVersion::V4), &store, limits);
    house.connected().await;
    Publisher::connect(broker.port).await.publish(&messages(1..121)).await;
    until("the queue is full", || async { house.link().counted.waits > 0 }).await;
    store.gate.add_permits(1);
    house.stored(&(1..121).collect()).await;
    until("settled", || async { house.link().counted.settled == 120 }).await;
    let counted = house.link().counted;
    assert_eq!((counted.overruns, counted.connections, counted.messages), (0, 1, 120), "nothing came twice");
}

#[tokio::test]
async fn mqtt_bad_payloads_and_unknown_devices_are_listed_and_do_not_stop_the_rest() {
    let broker = Mosquitto::start("allow_anonymous true").await;
    let store = Store::open();
    let house = House::start(broker.settings(MqttVersion::V5), &store, quick());
    house.connected().await;
    let mut publisher = Publisher::connect(broker.port).await;
    publisher.publish(&messages(0..1)).await;
    house.stored(&(0..1).collect()).await;
    let bad = [
        ("anlan/m/data", "{".to_owned()),
        ("anlan/m/data", "{\"t\": \"x\", \"z\": 1}".to_owned()),
        ("anlan/unknown/data", "{\"t\": 1, \"z\": 1}".to_owned()),
        ("anlan/m/data", "{\"t\": 7, \"z\": 1}".to_owned()),
    ];
    publisher.publish(&bad).await;
    house.stored(&[0, 7].into()).await;
    until("settled", || async { house.link().counted.settled == 5 }).await;
    let link = house.link();
    let reasons: Vec<&str> = link.dead.iter().rev().map(|letter| letter.reason.as_str()).collect();
    assert_eq!(reasons, ["no-json", "no-time", "unknown-device unknown"]);
    assert_eq!((link.unknown.len(), link.counted.unknown), (1, 1));
    let file = fs::read_to_string(house._folder.path().join("mqtt-dead.jsonl")).unwrap();
    assert_eq!(file.lines().count(), 3);
}

#[tokio::test]
async fn mqtt_passwords_come_from_a_file_and_are_read_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "wrong\n").unwrap();
    let users = folder.path().join("users");
    let mut made = std::process::Command::new("mosquitto_passwd");
    made.args(["-b", "-c"]).arg(&users).args(["anlan", "right-one"]);
    assert!(made.status().unwrap().success());
    let broker = Mosquitto::start(&format!("allow_anonymous false\npassword_file {}", users.display())).await;
    let mut settings = broker.settings(MqttVersion::V4);
    settings.user = Some("anlan".into());
    settings.password_file = Some(path.clone());
    assert!(!format!("{settings:?}").contains("wrong"));
    let house = House::start(settings.clone(), &Store::open(), quick());
    until("refused", || async { house.link().fault.is_some() }).await;
    let fault = house.link().fault.unwrap();
    assert!(fault.contains("refused") && !fault.contains("wrong"), "{fault}");
    fs::write(&path, "right-one\n").unwrap();
    house.connected().await;
    drop(house);
    fs::remove_file(&path).unwrap();
    let parts = |brokers| MqttParts {
        brokers,
        sources: Vec::new(),
        clock: Arc::new(Timestamp::default),
        sink: Store::open(),
        folder: folder.path().to_owned(),
        limits: quick(),
        stop: CancellationToken::new(),
    };
    let fault = Mqtt::start(parts(vec![settings])).err().unwrap().to_string();
    assert!(fault.contains("secret") && fault.contains("password"), "{fault}");
}

fn openssl(folder: &Path, arguments: &str) {
    let done = std::process::Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test]
async fn mqtt_tls_trusts_the_authority_of_the_site_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    for authority in ["ca", "other"] {
        openssl(
            folder.path(),
            &format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {authority}.key -out {authority}.pem -days 3650 -subj /CN={authority}"
            ),
        );
    }
    openssl(
        folder.path(),
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout broker.key -out broker.csr -subj /CN=broker",
    );
    fs::write(folder.path().join("san"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    openssl(
        folder.path(),
        "x509 -req -in broker.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out broker.pem -days 3650 -extfile san",
    );
    let at = folder.path().display();
    let broker = Mosquitto::start(&format!(
        "allow_anonymous true\ncafile {at}/ca.pem\ncertfile {at}/broker.pem\nkeyfile {at}/broker.key"
    ))
    .await;
    for version in [MqttVersion::V4, MqttVersion::V5] {
        let mut settings = broker.settings(version);
        settings.ca_file = Some(folder.path().join("other.pem"));
        let house = House::start(settings.clone(), &Store::open(), quick());
        until("refused", || async { house.link().fault.is_some() }).await;
        assert!(house.link().fault.unwrap().to_lowercase().contains("certificate"), "{:?}", house.link().fault);
        assert_eq!(house.link().counted.connections, 0);
        drop(house);
        settings.ca_file = Some(folder.path().join("ca.pem"));
        House::start(settings, &Store::open(), quick()).connected().await;
    }
}

/// The whole server: killed again and again while messages come, and what it acknowledged is in its store once.
#[tokio::test]
async fn mqtt_server_killed_in_the_middle_loses_nothing_and_doubles_nothing() {
    let broker = Mosquitto::start("allow_anonymous true").await;
    let port = free_port().await;
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join("sensors")).unwrap();
    let rows = ROWS.replace("id = 'a'\n", "id = 'huayuankou'\n").replace("station = 'a'", "station = 'huayuankou'");
    fs::write(temp.path().join("sensors/a.toml"), rows).unwrap();
    let config = format!(
        "listen = '127.0.0.1:{port}'\ndata = 'data'\nsensors = 'sensors'\n[clock]\nkind = 'demo'\nstart = '1970-01-01T06:00:00Z'\nspeed = 1.0\n\
         [[mqtt]]\nid = 'b'\nhost = '127.0.0.1'\nport = {}\nclient_id = 'anlan'\n",
        broker.port
    );
    fs::write(temp.path().join("a.toml"), config).unwrap();
    // Until there is an administrator, nothing but the setup page answers.
    for arguments in [
        vec!["init", "--data", "data"],
        vec!["user", "add", "boss", "--role", "operator", "--no-password", "--data", "data"],
    ] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_anlan"));
        let done = command.args(arguments).current_dir(temp.path()).stdout(Stdio::null()).status();
        assert!(done.unwrap().success());
    }
    const LAST: i64 = 3000;
    let mut server = serve(temp.path());
    // The session exists at the broker once the first message comes through; till then messages go nowhere.
    until("the server subscribed", || async {
        fs::metadata(broker.folder.path().join("mosquitto.db")).is_ok_and(|_| {
            fs::read(broker.folder.path().join("mosquitto.db"))
                .is_ok_and(|bytes| bytes.windows(12).any(|part| part == b"anlan/+/data"))
        })
    })
    .await;
    let mut publisher = Publisher::connect(broker.port).await;
    for (round, start) in (1..=LAST).step_by(500).enumerate() {
        publisher.publish(&messages(start..start + 500)).await;
        if round % 2 == 0 {
            server.kill().await.unwrap();
            server = serve(temp.path());
        }
    }
    publisher.publish(&[("anlan/m/data", "{\"t\": 9999, \"z\": 1}".to_owned())]).await;
    // They come in order: once the last one is the newest value, all before it are durable or lost.
    let newest = || async {
        let text = metrics(port).await;
        let age = text.lines().find_map(|line| line.strip_prefix("anlan_gauge_age_seconds{of=\"huayuankou.stage\"} "));
        age.and_then(|age| age.parse::<f64>().ok()).is_some_and(|age| age < 15_000.0)
    };
    until("the last one is stored", newest).await;
    server.kill().await.unwrap();
    let series = EmbeddedSeries::open(&series_file(&temp.path().join("data")), SeriesLimits::default()).await.unwrap();
    let (from, to) = ("1970-01-01T00:00:00Z".parse().unwrap(), "1970-01-02T00:00:00Z".parse().unwrap());
    let stored = series.range(&SeriesId::new("huayuankou.stage"), from, to, None).await.unwrap();
    let found: Vec<i64> = stored.iter().map(|sample| sample.at.timestamp()).collect();
    let all: BTreeSet<i64> = (1..=LAST).chain([9999]).collect();
    let distinct: BTreeSet<i64> = found.iter().copied().collect();
    assert!(distinct == all, "lost: {:?}", all.difference(&distinct).take(5).collect::<Vec<_>>());
    assert_eq!(found.len(), all.len(), "stored twice");
}
