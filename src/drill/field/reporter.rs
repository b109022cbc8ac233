//! Virtual SL 651 stations: they call a centre over TCP, report the gauges of the bench and answer its questions.
//!
//! In: the bench, the rows `[[sl651]]` of its sensors, a clock. Out: hourly reports at the full period, added reports
//! when the water moves, heartbeats, replies. A report is sent three times at most, then again on a new connection;
//! [`BACKLOG`] reports wait, older ones are given up and counted. What they tell is synthetic, always.

use super::bench::Bench;
use crate::ingest::Clock;
use crate::ingest::sensors::TelemetryStation;
use crate::ingest::sl651::codec::{
    Coding, Content, Direction, Element, ElementId, End, Frame, Framer, Group, Moment, Query, Report, function,
};
use crate::model::Timestamp;
use chrono::{DurationRound, TimeDelta};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Reports that wait for a centre.
const BACKLOG: usize = 64;
/// An answer is waited for so long.
const ANSWER: Duration = Duration::from_secs(5);
/// A report is sent so often on one connection.
const ATTEMPTS: u32 = 3;
/// Between two heartbeats.
const KEEP_LINK: Duration = Duration::from_secs(40);
/// Shortest and longest wait before a new call.
const CALL_AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// Between two looks at the gauges, on the wall.
const LOOK: Duration = Duration::from_millis(250);
/// A stage that moved so far since the last report is told at once, in m.
const ADDED_STAGE_M: f64 = 0.1;
/// The same for the sum of rain, in mm.
const ADDED_RAIN_MM: f64 = 1.0;
/// Most values of one reply about a period.
const PERIOD_VALUES: i32 = 120;
/// The centre's address in the frames.
const CENTRE: u8 = 1;
const BATTERY: (u8, f64) = (0x38, 12.6);

/// What the stations have done.
#[derive(Debug, Default)]
pub struct ReporterCounts {
    /// Reports that a centre has acknowledged.
    pub acknowledged: AtomicU64,
    /// Frames sent again because no answer came.
    pub repeated: AtomicU64,
    /// Reports given up because too many waited.
    pub given_up: AtomicU64,
}

/// Running stations; they stop when this is dropped.
#[derive(Debug)]
pub struct Reporters {
    counts: Arc<ReporterCounts>,
    workers: Vec<JoinHandle<()>>,
}

impl Reporters {
    /// Starts one station for each row `[[sl651]]` of the bench's sensors; they call `centre` (host:port).
    pub fn start(bench: &Arc<Bench>, centre: &str, clock: &Clock) -> Self {
        let counts = Arc::new(ReporterCounts::default());
        let station = |told: &TelemetryStation| Reporter {
            bench: Arc::clone(bench),
            told: told.clone(),
            centre: centre.to_owned(),
            clock: Arc::clone(clock),
            counts: Arc::clone(&counts),
            serial: 0,
            backlog: VecDeque::new(),
            due: next_period(told, clock()),
            last: Vec::new(),
        };
        let workers = bench.sensors().telemetry.values().map(|told| tokio::spawn(station(told).run())).collect();
        Self { counts, workers }
    }
    /// What they have done so far.
    pub fn counts(&self) -> &ReporterCounts {
        &self.counts
    }
    /// How many there are.
    pub fn len(&self) -> usize {
        self.workers.len()
    }
    /// Whether no row names a station.
    pub fn is_empty(&self) -> bool {
        self.workers.is_empty()
    }
}

impl Drop for Reporters {
    fn drop(&mut self) {
        for worker in &self.workers {
            worker.abort();
        }
    }
}

/// A report that no centre has acknowledged yet.
struct Waiting {
    frame: Frame,
    serial: u16,
}

struct Reporter {
    bench: Arc<Bench>,
    told: TelemetryStation,
    centre: String,
    clock: Clock,
    counts: Arc<ReporterCounts>,
    serial: u16,
    backlog: VecDeque<Waiting>,
    /// When the next regular report is due.
    due: Timestamp,
    /// Values of the last report.
    last: Vec<Option<f64>>,
}

/// An open connection.
struct Line {
    stream: TcpStream,
    framer: Framer,
    /// When the report at the front was sent, and how often.
    sent: Option<(Instant, u32)>,
    heartbeat: Instant,
}

impl Reporter {
    async fn run(mut self) {
        let mut pause = CALL_AGAIN.0;
        loop {
            if let Ok(Ok(stream)) = tokio::time::timeout(ANSWER, TcpStream::connect(&self.centre)).await {
                pause = CALL_AGAIN.0;
                let _ = stream.set_nodelay(true);
                // The first heartbeat goes at once: the centre learns the way back.
                let heartbeat = Instant::now();
                let mut line = Line { stream, framer: Framer::default(), sent: None, heartbeat };
                if let Err(cause) = self.talk(&mut line).await {
                    tracing::debug!(station = self.told.station, %cause, "the centre is away");
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(CALL_AGAIN.1);
            self.look();
        }
    }

    async fn talk(&mut self, line: &mut Line) -> io::Result<()> {
        let mut buffer = vec![0; 2048];
        loop {
            self.look();
            self.send(line).await?;
            tokio::select! {
                read = line.stream.read(&mut buffer) => match read? {
                    0 => return Err(io::ErrorKind::ConnectionAborted.into()),
                    count => line.framer.push(buffer.get(..count).unwrap_or_default()),
                },
                () = tokio::time::sleep(LOOK) => {}
            }
            while let Some(received) = line.framer.next_frame() {
                self.hear(&received.frame, line).await?;
            }
        }
    }

    /// Heartbeat and the report at the front, when they are due.
    async fn send(&mut self, line: &mut Line) -> io::Result<()> {
        let now = Instant::now();
        if now >= line.heartbeat {
            line.heartbeat = now + KEEP_LINK;
            let serial = self.serial; // A heartbeat repeats the last serial number.
            let empty = self.frame(function::KEEP_LINK, &self.report(serial, Vec::new()));
            write(&mut line.stream, &empty).await?;
        }
        let Some(front) = self.backlog.front() else { return Ok(()) };
        match line.sent {
            Some((at, _)) if now < at + ANSWER => return Ok(()),
            Some((_, ATTEMPTS)) => return Err(io::ErrorKind::TimedOut.into()),
            Some((_, attempts)) => {
                self.counts.repeated.fetch_add(1, Ordering::Relaxed);
                line.sent = Some((now, attempts + 1));
            }
            None => line.sent = Some((now, 1)),
        }
        write(&mut line.stream, &front.frame).await?;
        if self.told.acknowledge.is_none() {
            self.backlog.pop_front(); // Mode M1: nobody answers.
            line.sent = None;
        }
        Ok(())
    }

    async fn hear(&mut self, frame: &Frame, line: &mut Line) -> io::Result<()> {
        if frame.direction != Direction::Down || frame.station != self.told.address {
            return Ok(());
        }
        let now = (self.clock)();
        if let Some(query) = Query::decode(frame, now) {
            let reply = self.reply(&query, now);
            return write(&mut line.stream, &self.frame(query.function(), &reply)).await;
        }
        let serial = Report::decode(frame.coding, &frame.body).map(|report| report.serial);
        let front = self.backlog.front();
        let taken = front.is_some_and(|front| Ok(front.serial) == serial && front.frame.function == frame.function);
        if taken && matches!(frame.end, End::Eot | End::Esc | End::Ack) {
            self.backlog.pop_front();
            line.sent = None;
            self.counts.acknowledged.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Makes the report that is due, or an added one when the water moved.
    fn look(&mut self) {
        let now = (self.clock)();
        if now >= self.due {
            // After a long pause only the newest period is told; the centre asks for the rest.
            let at = next_period(&self.told, now) - period(&self.told);
            self.due = at + period(&self.told);
            self.queue(function::HOURLY, at);
            return;
        }
        let values = self.values(now);
        let moved = |series: &crate::ingest::sensors::TelemetrySeries, now: Option<f64>, then: Option<f64>| {
            let limit = match series.id.quantity() {
                "rain" => ADDED_RAIN_MM,
                "stage" => ADDED_STAGE_M,
                _ => f64::INFINITY,
            };
            now.zip(then).is_some_and(|(now, then)| (now - then).abs() >= limit)
        };
        let pairs = self.told.series.iter().zip(&values).zip(&self.last);
        if pairs.clone().any(|((series, now), then)| moved(series, *now, *then)) {
            self.queue(function::ADDED, now);
        } else if self.last.is_empty() {
            self.last = values;
        }
    }

    fn queue(&mut self, function: u8, at: Timestamp) {
        let values = self.values(at);
        if values.iter().all(Option::is_none) {
            return; // Line or power of the station is gone.
        }
        self.last.clone_from(&values);
        self.serial = self.serial.checked_add(1).unwrap_or(1);
        let mut elements = self.elements(&values);
        elements.extend(Element::number(BATTERY.0, BATTERY.1));
        let serial = self.serial;
        let report = self.report(serial, vec![self.group(at, elements)]);
        if self.backlog.len() == BACKLOG {
            // The front may be on its way; the one behind it is the oldest that can go.
            self.backlog.remove(1);
            self.counts.given_up.fetch_add(1, Ordering::Relaxed);
        }
        self.backlog.push_back(Waiting { frame: self.frame(function, &report), serial });
    }

    /// What the gauges tell at a moment, in the order of the row: `None` while a line is silent.
    fn values(&self, at: Timestamp) -> Vec<Option<f64>> {
        let value = |id| {
            let devices = self.bench.sensors().devices.iter().enumerate();
            let found = devices.flat_map(|(index, device)| {
                device.series.iter().enumerate().map(move |(series, one)| (index, series, &one.id))
            });
            let (device, series, _) = found.into_iter().find(|(.., known)| *known == id)?;
            self.bench.tell(device, series, at)
        };
        self.told.series.iter().map(|series| value(&series.id)).collect()
    }

    /// Elements for values; a value that is no number goes as missing.
    fn elements(&self, values: &[Option<f64>]) -> Vec<Element> {
        let element = |(series, value): (&crate::ingest::sensors::TelemetrySeries, &Option<f64>)| {
            let ElementId::Standard(id) = series.element else { return None };
            let value = (*value)?;
            if value.is_nan() { Element::missing(id) } else { Element::number(id, value - series.zero) }
        };
        self.told.series.iter().zip(values).filter_map(element).collect()
    }

    fn reply(&mut self, query: &Query, now: Timestamp) -> Report {
        let of = |wanted: &[ElementId], at: Timestamp| {
            let values = self.values(at);
            let mut elements = self.elements(&values);
            elements.retain(|element| wanted.contains(&element.id));
            elements
        };
        let groups = match query {
            Query::Now => vec![self.group(now, self.elements(&self.values(now)))],
            Query::Elements(wanted) => {
                let wanted: Vec<_> = wanted.iter().map(|(id, _)| *id).collect();
                vec![self.group(now, of(&wanted, now))]
            }
            Query::Period { from, to, step, element } => {
                let code = |step: TimeDelta| {
                    let minutes = u32::try_from(step.num_minutes()).unwrap_or(0);
                    let bcd = |part: u32| u8::try_from(part / 10 * 16 + part % 10).unwrap_or(0);
                    [bcd(minutes / 1440 % 100), bcd(minutes / 60 % 24), bcd(minutes % 60)]
                };
                let step = (*step).max(TimeDelta::minutes(5));
                let mut elements = vec![Element { id: ElementId::Standard(0x04), content: Content::Step(code(step)) }];
                let moments = (0..PERIOD_VALUES).map(|count| *from + step * count).take_while(|at| at <= to);
                elements.extend(moments.flat_map(|at| of(&[element.0], at)));
                vec![self.group(*from, elements)]
            }
            Query::Status => {
                // Bits 7 and 10 are set in peace: the door is shut, no pump runs.
                let status = Element { id: ElementId::Standard(0x45), content: Content::Status(0x0480) };
                vec![Group { observed: None, ..self.group(now, vec![status]) }]
            }
            Query::Manual | Query::SetClock | Query::Clock => Vec::new(),
        };
        self.serial = self.serial.checked_add(1).unwrap_or(1);
        self.report(self.serial, groups)
    }

    fn group(&self, at: Timestamp, elements: Vec<Element>) -> Group {
        let rain = self.told.series.iter().all(|series| series.id.quantity() == "rain");
        let class = if rain { b'P' } else { b'H' };
        Group { station: Some((self.told.address, Some(class))), observed: Some(Moment::of(at)), elements }
    }

    fn report(&self, serial: u16, groups: Vec<Group>) -> Report {
        Report { serial, sent: Moment::of((self.clock)()), groups, faults: Vec::new() }
    }

    fn frame(&self, function: u8, report: &Report) -> Frame {
        Frame {
            coding: Coding::Hex,
            direction: Direction::Up,
            centre: CENTRE,
            station: self.told.address,
            password: self.told.password,
            function,
            packet: None,
            body: report.encode(Coding::Hex),
            end: End::Etx,
        }
    }
}

async fn write(stream: &mut TcpStream, frame: &Frame) -> io::Result<()> {
    let bytes = frame.encode().map_err(io::Error::other)?;
    stream.write_all(&bytes).await
}

fn period(told: &TelemetryStation) -> TimeDelta {
    TimeDelta::milliseconds((told.report_every_s.max(1.0) * 1000.0) as i64)
}

/// The first full period after a moment; periods begin at midnight UTC, which is a full hour in Beijing too.
fn next_period(told: &TelemetryStation, now: Timestamp) -> Timestamp {
    let period = period(told);
    now.duration_trunc(period).map_or(now + period, |begun| begun + period)
}
