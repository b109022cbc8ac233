//! The worker of one endpoint: asks each unit when it is due, one after another.

use super::link::Links;
use super::pace::Pace;
use super::wire::{Wire, WireFault};
use super::{PERIOD_MIN, effective_interval_s};
use crate::ingest::Clock;
use crate::ingest::sensors::{Block, Counter, Device, DeviceSeries, Endpoint, Raw, blocks};
use crate::model::{Reading, SeriesId};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, error::TrySendError};

/// What a worker needs; it holds no state of a run, so that it can start anew.
pub(super) struct Worker {
    pub(super) endpoint: Endpoint,
    pub(super) devices: Vec<Device>,
    pub(super) clock: Clock,
    pub(super) speed: f64,
    pub(super) out: mpsc::Sender<Vec<Reading>>,
    pub(super) links: Arc<Links>,
}

/// The devices of one unit that share a period.
struct Unit {
    id: u8,
    devices: Vec<Device>,
    blocks: Vec<Block>,
    pause: Duration,
    period: Duration,
    due: Instant,
    pace: Pace,
    counters: BTreeMap<SeriesId, Counter>,
}

/// The state of one run.
struct Run {
    wire: Option<Wire>,
    connect: Pace,
    chance: ChaCha8Rng,
}

/// Words by block; `None` where the device refused.
type Answers = Vec<(Block, Option<Vec<u16>>)>;

impl Worker {
    /// Polls until nobody takes the readings any more.
    pub(super) async fn run(self: Arc<Self>) {
        let mut units = self.units(Instant::now());
        let seed =
            self.endpoint.id.bytes().fold(7, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let mut run = Run { wire: None, connect: Pace::default(), chance: ChaCha8Rng::seed_from_u64(seed) };
        while let Some(unit) = units.iter_mut().min_by_key(|unit| unit.due) {
            tokio::time::sleep_until(unit.due.into()).await;
            let readings = self.poll(unit, &mut run).await;
            if self.send(readings).await.is_err() {
                return;
            }
            self.schedule(unit);
        }
    }

    fn units(&self, now: Instant) -> Vec<Unit> {
        let mut groups: BTreeMap<(u8, u64), Vec<Device>> = BTreeMap::new();
        for device in &self.devices {
            groups.entry((device.unit, (device.poll_every_s * 1000.0) as u64)).or_default().push(device.clone());
        }
        let unit = |((id, every_ms), devices): ((u8, u64), Vec<Device>)| {
            let every_s = effective_interval_s(every_ms as f64 / 1000.0, self.speed);
            let pause_ms = devices.iter().map(|device| device.profile.pause_ms).max().unwrap_or(0);
            Unit {
                id,
                blocks: blocks(devices.iter()),
                devices,
                pause: Duration::from_millis(pause_ms),
                period: Duration::from_secs_f64(every_s / self.speed).max(PERIOD_MIN),
                due: now,
                pace: Pace::default(),
                counters: BTreeMap::new(),
            }
        };
        groups.into_iter().map(unit).collect()
    }

    fn schedule(&self, unit: &mut Unit) {
        let now = Instant::now();
        unit.due += unit.period;
        if now > unit.due + unit.period {
            self.links.endpoint(|link| link.late_polls += 1);
            unit.due = now;
        }
    }

    /// The readings of a unit, with NaN for whatever did not come.
    async fn poll(&self, unit: &mut Unit, run: &mut Run) -> Vec<Reading> {
        self.links.unit(unit.id, |link| link.polls += 1);
        if !unit.pace.may_ask(Instant::now()) {
            return self.readings(unit, &[]);
        }
        let first = self.attempt(unit, run).await;
        let outcome = match first {
            // A connection that has served before may simply have been closed meanwhile: that is not the unit's fault.
            Err((WireFault::Broken { .. }, true)) => self.attempt(unit, run).await,
            other => other,
        };
        match outcome {
            Ok(answers) => {
                let whole = answers.iter().all(|(_, words)| words.is_some());
                self.note(unit, run, whole);
                self.readings(unit, &answers)
            }
            Err((fault, _)) => {
                self.note_fault(unit, &fault);
                if !matches!(fault, WireFault::Connect { .. }) {
                    self.note(unit, run, false);
                }
                self.readings(unit, &[])
            }
        }
    }

    /// Asks all blocks. A fault that breaks the connection ends the attempt, and says whether the connection had served before.
    async fn attempt(&self, unit: &Unit, run: &mut Run) -> Result<Answers, (WireFault, bool)> {
        let mut wire = self.connection(run).await.map_err(|fault| (fault, false))?;
        let served = wire.answered > 0;
        let mut answers = Vec::with_capacity(unit.blocks.len());
        for (index, block) in unit.blocks.iter().enumerate() {
            if index > 0 && !unit.pause.is_zero() {
                tokio::time::sleep(unit.pause).await;
            }
            match wire.ask(unit.id, block, self.endpoint.timeout).await {
                Ok(words) => answers.push((block.clone(), Some(words))),
                Err(fault) if fault.keeps_connection() => {
                    self.note_fault(unit, &fault);
                    answers.push((block.clone(), None));
                }
                Err(fault) => {
                    self.links.endpoint(|link| link.connected = false);
                    return Err((fault, served)); // Dropping the wire closes it.
                }
            }
        }
        run.wire = Some(wire);
        Ok(answers)
    }

    /// The open connection, taken out of the run, or a new one.
    async fn connection(&self, run: &mut Run) -> Result<Wire, WireFault> {
        if let Some(wire) = run.wire.take() {
            return Ok(wire);
        }
        if !run.connect.may_ask(Instant::now()) {
            let cause = std::io::Error::new(std::io::ErrorKind::NotConnected, "waiting before the next attempt");
            return Err(WireFault::Connect {
                address: format!("{}:{}", self.endpoint.host, self.endpoint.port),
                cause,
            });
        }
        match Wire::open(&self.endpoint).await {
            Ok(wire) => {
                run.connect.succeed();
                self.links.endpoint(|link| {
                    link.connected = true;
                    link.connects += 1;
                });
                Ok(wire)
            }
            Err(fault) => {
                if run.connect.failures() == 0 {
                    tracing::warn!(endpoint = self.endpoint.id, fault = fault.words(), "endpoint is away");
                }
                run.connect.refuse(Instant::now(), run.chance.random());
                self.links.endpoint(|link| link.refused += 1);
                Err(fault)
            }
        }
    }

    fn note(&self, unit: &mut Unit, run: &mut Run, whole: bool) {
        let before = unit.pace.is_quarantined();
        if whole {
            unit.pace.succeed();
        } else {
            unit.pace.fail(Instant::now(), unit.period, run.chance.random());
        }
        let (pace, now) = (unit.pace, (self.clock)());
        self.links.unit(unit.id, |link| {
            link.failures_in_row = pace.failures();
            link.quarantined = pace.is_quarantined();
            if whole {
                link.answers += 1;
                link.last_good = Some(now);
            }
        });
        if before != pace.is_quarantined() {
            let (endpoint, unit) = (&self.endpoint.id, unit.id);
            tracing::warn!(endpoint, unit, away = pace.is_quarantined(), "unit changed between answering and away");
        }
    }

    fn note_fault(&self, unit: &Unit, fault: &WireFault) {
        self.links.unit(unit.id, |link| {
            link.last_fault = Some(fault.words());
            match fault {
                WireFault::Timeout { .. } => link.timeouts += 1,
                WireFault::Exception { .. } => link.exceptions += 1,
                WireFault::Length { .. } | WireFault::Broken { .. } => link.bad_answers += 1,
                WireFault::Connect { .. } => {}
            }
        });
    }

    fn readings(&self, unit: &mut Unit, answers: &[(Block, Option<Vec<u16>>)]) -> Vec<Reading> {
        let now = (self.clock)();
        let mut readings = Vec::new();
        for device in &unit.devices {
            for series in &device.series {
                let counter = unit.counters.entry(series.id.clone()).or_default();
                let value = raw_of(device, series, answers).map_or(f64::NAN, |raw| scaled(series, raw, counter));
                readings.push(Reading { series: series.id.clone(), observed_at: now, received_at: now, value });
            }
        }
        readings
    }

    /// Waits when the queue is full.
    async fn send(&self, readings: Vec<Reading>) -> Result<(), mpsc::error::SendError<Vec<Reading>>> {
        match self.out.try_send(readings) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(readings)) => {
                self.links.endpoint(|link| link.queue_full += 1);
                self.out.send(readings).await
            }
            Err(TrySendError::Closed(readings)) => Err(mpsc::error::SendError(readings)),
        }
    }
}

/// The raw number of a series among the answers; `None` when it did not come or its status register voids it.
pub(super) fn raw_of(device: &Device, series: &DeviceSeries, answers: &[(Block, Option<Vec<u16>>)]) -> Option<Raw> {
    let words_at = |register: u16, width: u16| {
        let first = device.first_register.checked_add(register)?;
        let (block, words) = answers.iter().find(|(block, _)| block.covers(device.profile.function, first, width))?;
        block.slice(words.as_ref()?, first, width)
    };
    if let Some(status) = series.point.status {
        let [word] = words_at(status.register, 1)? else { return None };
        if word & status.mask != 0 {
            return None;
        }
    }
    series.point.raw(words_at(series.point.first(), series.point.number.width())?)
}

/// In the unit of the series, a counter carried over its end.
pub(super) fn scaled(series: &DeviceSeries, raw: Raw, counter: &mut Counter) -> f64 {
    let point = &series.point;
    let value = match (raw, point.wraps_at) {
        (Raw::Count(count), Some(wraps_at)) if !point.sentinel.contains(&count) => {
            let max_step = i64::from(point.max_step.unwrap_or(wraps_at / 4));
            point.scaled(Raw::Count(counter.unwrap_count(count, i64::from(wraps_at), max_step)))
        }
        _ => point.scaled(raw),
    };
    value + series.zero
}
