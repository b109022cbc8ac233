//! `anlan bench mqtt`: points from a real mosquitto, judged and on disk before the broker hears so; and, in the same run, what
//! the broker gives to a subscriber that does nothing but acknowledge.
//!
//! Publishers at QoS 1 are a second process. Messages that the broker sends twice are counted once: the clock stops when every
//! point is in the store. A message carries some values of one moment, as a gateway sends them.

use super::durable::JudgedStore;
use super::meter::{cpu_s, median};
use super::mqtt_wire::{Wire, publish};
use super::scratch::Scratch;
use crate::ingest::mqtt::{Broker, Mqtt, MqttLimits, MqttParts};
use crate::ingest::sensors::{SensorFiles, Sensors};
use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Messages that a publisher has on the way before it waits for acknowledgements.
const WINDOW: usize = 256;
/// What a gateway says of a station: key, quantity, unit.
const VALUES: [(&str, &str, &str); 10] = [
    ("z", "stage", "m"),
    ("q", "discharge", "m3/s"),
    ("p", "rain", "mm"),
    ("v", "velocity", "m/s"),
    ("tw", "water_temperature", "°C"),
    ("ta", "air_temperature", "°C"),
    ("rh", "humidity", "%"),
    ("w", "wind", "m/s"),
    ("u", "battery", "V"),
    ("s", "signal", "dBm"),
];
/// First moment of the values, Unix ms; each message of a device is a second later.
const START_MS: u64 = 1_720_000_000_000;
/// How long a run may take.
const PATIENCE: Duration = Duration::from_secs(300);
const TOPIC: &str = "bench/+/data";

/// Arguments of `anlan bench mqtt`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// 每轮报文数。Messages of a round.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1_000..=20_000_000))]
    messages: u32,
    /// 每条报文的值数。Values of a message, each a point of its own series.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=10))]
    values: u8,
    /// 发布者数，各一条连接。Publishers, each with a connection and a device of its own.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    publishers: u16,
    /// 轮数，取中位数。Rounds; the middle one counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=99))]
    rounds: u8,
    /// 代理对一个订阅者的在途报文上限。Messages that the private broker may have on the way to a subscriber.
    #[arg(long, default_value_t = 1_000)]
    inflight: u16,
    /// 已在运行的代理；缺省自行启动 mosquitto。A broker that runs already; default: a private mosquitto.
    #[arg(long)]
    broker: Option<SocketAddr>,
    /// Be the publishers.
    #[arg(long, hide = true)]
    publish: Option<SocketAddr>,
}

/// One way of taking the messages, once.
#[derive(Debug, Clone, Copy, serde::Serialize)]
struct Round {
    messages_per_s: f64,
    seconds: f64,
    /// Of this process, which is nothing but the subscriber.
    subscriber_cpu_s: f64,
    broker_cpu_s: f64,
    publishers_cpu_s: f64,
}

/// A round that has begun, with what its processes had spent by then.
struct Running {
    began: Instant,
    own: f64,
    theirs: f64,
}

impl Running {
    fn start(publishers: &mut Publishers, broker: &BenchBroker) -> Result<Self, Box<dyn Error>> {
        let (own, theirs) = (cpu_s("self"), broker.cpu_s());
        Ok(Self { began: publishers.go()?, own, theirs })
    }
    fn end(self, publishers: &mut Publishers, broker: &BenchBroker, messages: u64) -> Result<Round, Box<dyn Error>> {
        let seconds = self.began.elapsed().as_secs_f64();
        Ok(Round {
            messages_per_s: messages as f64 / seconds,
            seconds,
            subscriber_cpu_s: cpu_s("self") - self.own,
            broker_cpu_s: broker.cpu_s() - self.theirs,
            publishers_cpu_s: publishers.spent()?,
        })
    }
}

/// The middle round of each way and all rounds.
#[derive(Debug, serde::Serialize)]
struct Figures {
    messages: u32,
    values: u8,
    payload_bytes: u64,
    publishers: u16,
    durable_points_per_s: f64,
    /// The broker's limit with these messages: to a subscriber that only acknowledges.
    broker_points_per_s: f64,
    /// Ours in the broker's limit, by pairs of rounds.
    share_of_broker: f64,
    durable: Vec<Round>,
    acknowledged_only: Vec<Round>,
    writes: u64,
    overruns: u64,
}

pub(super) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(broker) = args.publish {
        return runtime.block_on(publish_all(&args, broker));
    }
    let scratch = Scratch::new(None)?;
    let figures = runtime.block_on(measure(&args, &scratch.path))?;
    if args.json {
        println!("{}", serde_json::to_string(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

async fn measure(args: &Args, folder: &Path) -> Result<Figures, Box<dyn Error>> {
    let own = match args.broker {
        Some(_) => None,
        None => Some(Mosquitto::start(folder, args.inflight).await?),
    };
    let address = args.broker.or(own.as_ref().map(|own| own.address)).ok_or("no broker")?;
    let broker = BenchBroker { address, pid: own.as_ref().map(|own| own.child.id().to_string()) };
    let (mut durable, mut only, mut payload) = (Vec::new(), Vec::new(), 0);
    let (mut writes, mut overruns) = (0, 0);
    for number in 0..args.rounds {
        let (round, bytes) = acknowledge_only(args, &broker).await?;
        only.push(round);
        payload = bytes;
        let (round, wrote, overran) = keep(args, &broker, folder, number).await?;
        durable.push(round);
        writes += wrote;
        overruns += overran;
    }
    let middle = |rounds: &[Round]| median(rounds.iter().map(|round| round.messages_per_s).collect());
    let shares = durable.iter().zip(&only).map(|(ours, theirs)| ours.messages_per_s / theirs.messages_per_s);
    let values = f64::from(args.values);
    Ok(Figures {
        messages: args.messages / u32::from(args.publishers) * u32::from(args.publishers),
        values: args.values,
        payload_bytes: payload,
        publishers: args.publishers,
        durable_points_per_s: middle(&durable) * values,
        broker_points_per_s: middle(&only) * values,
        share_of_broker: median(shares.collect()),
        durable,
        acknowledged_only: only,
        writes,
        overruns,
    })
}

/// The broker, and its process where it is ours.
struct BenchBroker {
    address: SocketAddr,
    pid: Option<String>,
}

impl BenchBroker {
    fn cpu_s(&self) -> f64 {
        self.pid.as_deref().map_or(0.0, cpu_s)
    }
}

/// A private mosquitto; dropping it ends it.
struct Mosquitto {
    address: SocketAddr,
    child: Child,
}

impl Mosquitto {
    async fn start(folder: &Path, inflight: u16) -> Result<Self, Box<dyn Error>> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let data = folder.join("mosquitto");
        std::fs::create_dir_all(&data)?;
        // As root it would change to a user that cannot see the folder, unless it is told whom to stay.
        let text = format!(
            "listener {} 127.0.0.1\nuser root\nallow_anonymous true\npersistence true\npersistence_location {}/\n\
             max_queued_messages 0\nmax_inflight_messages {inflight}\nset_tcp_nodelay true\nlog_type error\n",
            address.port(),
            data.display()
        );
        let file = data.join("mosquitto.conf");
        std::fs::write(&file, text)?;
        let program = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"].map(PathBuf::from);
        let program = program.into_iter().find(|path| path.exists()).unwrap_or("mosquitto".into());
        let mut command = Command::new(program);
        command.arg("-c").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command
            .spawn()
            .map_err(|cause| format!("cannot start mosquitto ({cause}); install it: apt-get install mosquitto"))?;
        let broker = Self { address, child };
        let began = Instant::now();
        while tokio::net::TcpStream::connect(address).await.is_err() {
            if began.elapsed() > PATIENCE {
                return Err(format!("mosquitto does not listen on {address}").into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(broker)
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The process of the publishers, ready to begin.
struct Publishers {
    child: Child,
    go: ChildStdin,
    said: BufReader<ChildStdout>,
}

impl Publishers {
    fn ready(args: &Args, broker: SocketAddr) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["bench", "mqtt", "--publish", &broker.to_string(), "--messages", &args.messages.to_string()])
            .args(["--values", &args.values.to_string(), "--publishers", &args.publishers.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let go = child.stdin.take().ok_or("the publishers have no input")?;
        let said = BufReader::new(child.stdout.take().ok_or("the publishers have no output")?);
        let mut publishers = Self { child, go, said };
        publishers.line()?;
        Ok(publishers)
    }
    fn go(&mut self) -> std::io::Result<Instant> {
        writeln!(self.go, "go")?;
        Ok(Instant::now())
    }
    /// Processor time that they took, s, once all is acknowledged to them.
    fn spent(&mut self) -> Result<f64, Box<dyn Error>> {
        Ok(self.line()?.trim().parse()?)
    }
    fn line(&mut self) -> Result<String, Box<dyn Error>> {
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        if line.is_empty() { Err("the publishers ended early".into()) } else { Ok(line) }
    }
}

impl Drop for Publishers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The second process: everything is made first, then published as fast as the broker acknowledges.
async fn publish_all(args: &Args, broker: SocketAddr) -> Result<(), Box<dyn Error>> {
    let each = args.messages / u32::from(args.publishers);
    let mut ready = Vec::new();
    for device in 0..args.publishers {
        let topic = format!("bench/d{device}/data");
        let message = |count| publish(&topic, (count % 65_535) as u16 + 1, message(args.values, count).as_bytes());
        let packets: Vec<Vec<u8>> = (0..each).map(message).collect();
        ready.push((Wire::connect(broker, &format!("bench-publisher-{device}")).await?, packets));
    }
    println!("ready");
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
    let before = cpu_s("self");
    let run = |(mut wire, packets): (Wire, Vec<Vec<u8>>)| {
        tokio::spawn(async move { wire.publish_all(&packets, WINDOW).await })
    };
    let running: Vec<_> = ready.into_iter().map(run).collect();
    for one in running {
        one.await??;
    }
    println!("{:.2}", cpu_s("self") - before);
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
    Ok(())
}

/// Values of one moment, two or three digits after the point as instruments give them.
fn message(values: u8, count: u32) -> String {
    let mut text = format!("{{\"t\":{}", START_MS + u64::from(count) * 1_000);
    for (place, (key, ..)) in VALUES.iter().take(values.into()).enumerate() {
        let value = 90.0 + place as f64 * 7.0 + f64::from(count % 977) / 100.0;
        // Writing into a String cannot fail.
        let _ = write!(text, ",\"{key}\":{value:.2}");
    }
    text.push('}');
    text
}

/// The broker alone: messages to a subscriber that acknowledges them and forgets them.
async fn acknowledge_only(args: &Args, broker: &BenchBroker) -> Result<(Round, u64), Box<dyn Error>> {
    let mut subscriber = Wire::connect(broker.address, "bench-subscriber").await?;
    subscriber.subscribe(TOPIC).await?;
    let mut publishers = Publishers::ready(args, broker.address)?;
    let messages = u64::from(args.messages / u32::from(args.publishers)) * u64::from(args.publishers);
    let running = Running::start(&mut publishers, broker)?;
    let payload = tokio::time::timeout(PATIENCE, subscriber.acknowledge_all(messages)).await??;
    let round = running.end(&mut publishers, broker, messages)?;
    Ok((round, payload / messages.max(1)))
}

/// Ours: the same messages through client, judge and store; what is counted is what the broker was told is durable.
async fn keep(
    args: &Args,
    broker: &BenchBroker,
    folder: &Path,
    number: u8,
) -> Result<(Round, u64, u64), Box<dyn Error>> {
    let path = folder.join(format!("series-{number}.db"));
    let sink = JudgedStore::open(&path).await?;
    let client = start(args, broker.address, Arc::clone(&sink) as _, folder, number)?;
    let counted = || client.links().first().map(|link| link.counted).unwrap_or_default();
    // A message of a device that no file names shows that the subscription stands.
    let mut probe = Wire::connect(broker.address, "bench-probe").await?;
    let began = Instant::now();
    while counted().settled == 0 {
        probe.publish_all(&[publish("bench/probe/data", 1, b"{\"t\":0}")], 1).await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        if began.elapsed() > PATIENCE {
            return Err(format!("the client hears nothing of the broker: {:?}", client.links()).into());
        }
    }
    let mut publishers = Publishers::ready(args, broker.address)?;
    let messages = u64::from(args.messages / u32::from(args.publishers)) * u64::from(args.publishers);
    let readings = messages * u64::from(args.values);
    let running = Running::start(&mut publishers, broker)?;
    while counted().settled < messages || sink.points().await? < readings {
        tokio::time::sleep(Duration::from_millis(2)).await;
        if running.began.elapsed() > PATIENCE {
            return Err(format!("{messages} messages were not settled in time: {:?}", counted()).into());
        }
    }
    let round = running.end(&mut publishers, broker, messages)?;
    let stored = sink.merged_points().await?;
    if stored != readings {
        return Err(format!("{readings} points were published, {stored} are stored: {:?}", counted()).into());
    }
    Ok((round, sink.writes(), counted().overruns))
}

fn start(
    args: &Args,
    broker: SocketAddr,
    sink: Arc<dyn crate::ingest::Sink>,
    folder: &Path,
    number: u8,
) -> Result<Mqtt, Box<dyn Error>> {
    let text = format!(
        "id = 'b'\nhost = '{}'\nport = {}\nclient_id = 'anlan-bench-{}-{number}'\n",
        broker.ip(),
        broker.port(),
        std::process::id()
    );
    let broker: Broker = toml::from_str(&text)?;
    let parts = MqttParts {
        brokers: vec![broker],
        sources: Sensors::load(&files(args.publishers, args.values))?.mqtt,
        clock: Arc::new(crate::app::clock::wall_now),
        sink,
        folder: folder.to_owned(),
        limits: MqttLimits::default(),
        stop: CancellationToken::new(),
    };
    Ok(Mqtt::start(parts)?)
}

/// A station for each device, a series for each value.
fn files(devices: u16, values: u8) -> SensorFiles {
    let mut text = String::new();
    for device in 0..devices {
        // Writing into a String cannot fail.
        let _ =
            writeln!(text, "[[station]]\nid='s{device}'\nname_zh='x'\nname_en='x'\nlon=113\nlat=34\nsource='bench'");
    }
    let _ = writeln!(text, "[[mqtt]]\nbroker='b'\ntopic='{TOPIC}'\nformat='json'\ntime='/t'\ntime_format='unix-ms'");
    for device in 0..devices {
        let _ = writeln!(text, "[[mqtt.device]]\nid='d{device}'\nstation='s{device}'\nreport_every_s=60");
        for (key, quantity, unit) in VALUES.iter().take(values.into()) {
            let _ = writeln!(text, "[[mqtt.device.series]]\nquantity='{quantity}'\nunit='{unit}'\nat='/{key}'");
        }
    }
    SensorFiles::from([("bench.toml".to_owned(), text.into_bytes())])
}

fn print(figures: &Figures) {
    println!(
        "{} messages of {} bytes with {} values each, {} publishers at QoS 1; the middle of {} rounds",
        figures.messages,
        figures.payload_bytes,
        figures.values,
        figures.publishers,
        figures.durable.len()
    );
    let row = |what: &str, points: f64, rounds: &[Round]| {
        let sum = |of: fn(&Round) -> f64| rounds.iter().map(of).sum::<f64>();
        let seconds = sum(|round| round.seconds);
        println!(
            "{what:<46}{points:>10.0} points/s  cores: subscriber {:.2}, broker {:.2}, publishers {:.2}",
            sum(|round| round.subscriber_cpu_s) / seconds,
            sum(|round| round.broker_cpu_s) / seconds,
            sum(|round| round.publishers_cpu_s) / seconds
        );
    };
    row("judged, on disk, then acknowledged", figures.durable_points_per_s, &figures.durable);
    row("broker's limit (subscriber only acknowledges)", figures.broker_points_per_s, &figures.acknowledged_only);
    println!(
        "{:.0} % of what the broker gives; {} appends, {} overruns",
        100.0 * figures.share_of_broker,
        figures.writes,
        figures.overruns
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bench_mqtt_messages_fit_the_files_that_map_them() {
        let sensors = Sensors::load(&files(3, 4)).unwrap();
        assert_eq!((sensors.mqtt.len(), sensors.mqtt[0].devices.len(), sensors.series.len()), (1, 3, 12));
        let told: serde_json::Value = serde_json::from_str(&message(4, 7)).unwrap();
        assert_eq!(told["t"], START_MS + 7_000);
        assert!(VALUES.iter().take(4).all(|(key, ..)| told[key].is_f64()), "{told}");
    }
}
