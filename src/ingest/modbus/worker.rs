//! The worker of one endpoint: asks each unit when it is its turn, one request after another.

use super::exception::Reaction;
use super::link::Links;
use super::pace::Pace;
use super::reading::Answers;
use super::turns::{Standing, Turn, next};
use super::unit::Unit;
use super::wire::{Wire, WireFault};
use crate::ingest::Clock;
use crate::ingest::sensors::{Block, Device, Endpoint};
use crate::model::Reading;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, error::TrySendError};

/// How often a busy device is asked again within one poll, and after which first wait; it doubles.
const BUSY_RETRIES: u32 = 3;
const BUSY_WAIT: Duration = Duration::from_millis(50);

/// What a worker needs; it holds no state of a run, so that it can start anew.
pub(super) struct Worker {
    pub(super) endpoint: Endpoint,
    pub(super) devices: Vec<Device>,
    pub(super) clock: Clock,
    pub(super) speed: f64,
    /// Wait before the first poll, so that many endpoints do not all ask at once.
    pub(super) stagger: Duration,
    pub(super) out: mpsc::Sender<Vec<Reading>>,
    pub(super) links: Arc<Links>,
}

/// The state of one run.
struct Run {
    wire: Option<Wire>,
    connect: Pace,
    chance: ChaCha8Rng,
}

/// How asking a unit went.
#[derive(Debug)]
enum Outcome {
    /// It said something to every request, be it a refusal.
    Heard(Answers),
    /// It refuses because it or its line is in trouble: the connection is well, the unit fails.
    Troubled(Answers),
    /// No answer, or one that makes no sense.
    Failed { fault: WireFault, had_served: bool },
}

impl Worker {
    /// Polls until nobody takes the readings any more.
    pub(super) async fn run(self: Arc<Self>) {
        let mut units = Unit::of(&self.devices, self.speed, Instant::now() + self.stagger);
        let seed =
            self.endpoint.id.bytes().fold(7, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let mut run = Run { wire: None, connect: Pace::default(), chance: ChaCha8Rng::seed_from_u64(seed) };
        let mut standings: Vec<Standing> = Vec::with_capacity(units.len());
        loop {
            let now = Instant::now();
            standings.clear();
            standings.extend(units.iter().map(|unit| self.standing(unit, now)));
            let readings = match next(&standings, now, self.endpoint.timeout) {
                None => return,
                Some(Turn::Rest(until)) => {
                    tokio::time::sleep_until(self.wake(&units, until).into()).await;
                    continue;
                }
                Some(Turn::Poll(index)) => {
                    let has_room = Self::has_room(&standings, index, now);
                    let Some(unit) = units.get_mut(index) else { return };
                    let readings = self.poll(unit, &mut run, has_room).await;
                    if unit.schedule(Instant::now()) {
                        self.links.endpoint(|link| link.late_polls += 1);
                    }
                    readings
                }
                Some(Turn::Probe(index)) => {
                    let Some(unit) = units.get_mut(index) else { return };
                    unit.standing.waits_since = None;
                    match self.ask(unit, &mut run).await {
                        Some(answers) => self.readings(unit, &answers),
                        None => continue, // Its poll said already that there is no value.
                    }
                }
            };
            if self.send(readings).await.is_err() {
                return;
            }
        }
    }

    /// A unit that may not be asked yet does not wait for a gap yet.
    fn standing(&self, unit: &Unit, now: Instant) -> Standing {
        let waits_since = unit.standing.waits_since.filter(|_| unit.may_ask(now));
        Standing { waits_since, ..unit.standing }
    }

    /// A waiting unit may become askable before the next poll is due: look again in between.
    fn wake(&self, units: &[Unit], until: Instant) -> Instant {
        let waits = units.iter().any(|unit| unit.standing.waits_since.is_some());
        if waits { until.min(Instant::now() + self.endpoint.timeout) } else { until }
    }

    /// Whether no other unit is due before a failure of this one would be over.
    fn has_room(standings: &[Standing], index: usize, now: Instant) -> bool {
        let costs = standings.get(index).map_or(Duration::ZERO, |unit| unit.costs);
        let others = standings.iter().enumerate().filter(|(other, _)| *other != index);
        others.map(|(_, unit)| unit.due).min().is_none_or(|due| due >= now + costs)
    }

    /// The readings of a unit whose poll is due, with NaN for whatever did not come. A failing unit waits for a gap.
    async fn poll(&self, unit: &mut Unit, run: &mut Run, has_room: bool) -> Vec<Reading> {
        self.links.unit(unit.id, |link| link.polls += 1);
        let now = Instant::now();
        if !unit.may_ask(now) || unit.pace.failures() > 0 && !has_room {
            if unit.pace.failures() > 0 {
                unit.standing.waits_since.get_or_insert(now);
            }
            return self.readings(unit, &Answers::new());
        }
        unit.standing.waits_since = None;
        let answers = self.ask(unit, run).await;
        self.readings(unit, &answers.unwrap_or_default())
    }

    /// Asks a unit for everything; `None` when nothing came.
    async fn ask(&self, unit: &mut Unit, run: &mut Run) -> Option<Answers> {
        let began = Instant::now();
        let outcome = match self.attempt(unit, run).await {
            // A connection that has served before may simply have been closed meanwhile: that is not the unit's fault.
            Outcome::Failed { fault: WireFault::Broken { .. }, had_served: true } => self.attempt(unit, run).await,
            other => other,
        };
        if !self.endpoint.hold_connection && run.wire.take().is_some() {
            self.links.endpoint(|link| link.connected = false);
        }
        match outcome {
            Outcome::Heard(answers) => {
                unit.took(began.elapsed());
                let whole = answers.iter().all(|(_, words)| words.is_some());
                self.note(unit, run, None, whole);
                Some(answers)
            }
            Outcome::Troubled(answers) => {
                self.note(unit, run, Some(began.elapsed()), false);
                Some(answers)
            }
            Outcome::Failed { fault, .. } => {
                self.note_fault(unit, &fault);
                if !matches!(fault, WireFault::Connect { .. }) {
                    self.note(unit, run, Some(began.elapsed()), false);
                }
                None
            }
        }
    }

    /// Makes all requests of a unit. A fault that breaks the connection ends the attempt.
    async fn attempt(&self, unit: &mut Unit, run: &mut Run) -> Outcome {
        let mut wire = match self.connection(run).await {
            Ok(wire) => wire,
            Err(fault) => return Outcome::Failed { fault, had_served: false },
        };
        let had_served = wire.answered > 0;
        let mut answers = Answers::new();
        let mut troubled = false;
        let mut index = 0;
        while let Some(asked) = unit.asked.get(index) {
            let (block, refused) = (asked.block.clone(), asked.is_refused(Instant::now()));
            if refused {
                answers.push((block, None));
                index += 1;
                continue;
            }
            if !answers.is_empty() && !unit.pause.is_zero() {
                tokio::time::sleep(unit.pause).await;
            }
            match self.request(&mut wire, unit.id, &block).await {
                Ok(words) => {
                    unit.accept(index);
                    answers.push((block, Some(words)));
                    index += 1;
                }
                Err(fault) => {
                    if let WireFault::Exception { exception, .. } = fault {
                        self.note_fault(unit, &fault);
                        let parts = unit.asked.len();
                        if let Some(words) = unit.refuse(index, exception, Instant::now()) {
                            let (endpoint, unit) = (&self.endpoint.id, unit.id);
                            tracing::warn!(endpoint, unit, words, "寄存器被拒绝 (registers are refused)");
                        }
                        if unit.asked.len() > parts {
                            continue; // Its parts stand here now: ask them one by one.
                        }
                        answers.push((block, None));
                        index += 1;
                        troubled |= exception.reaction() != Reaction::GiveUp;
                        if exception.reaction() == Reaction::BackOff {
                            break; // The unit, not the register, is in trouble.
                        }
                        continue;
                    }
                    if !wire.numbers_requests() {
                        unit.settle(Instant::now(), self.endpoint.timeout);
                    }
                    if wire.survives(&fault) {
                        run.wire = Some(wire);
                    } else {
                        self.links.endpoint(|link| link.connected = false); // Dropping the wire closes it.
                    }
                    return Outcome::Failed { fault, had_served };
                }
            }
        }
        run.wire = Some(wire);
        if troubled { Outcome::Troubled(answers) } else { Outcome::Heard(answers) }
    }

    /// One request; a device that is busy is asked again after a while.
    async fn request(&self, wire: &mut Wire, unit: u8, block: &Block) -> Result<Vec<u16>, WireFault> {
        let mut tries = 0;
        loop {
            match wire.ask(unit, block, self.endpoint.timeout).await {
                Err(WireFault::Exception { exception, .. })
                    if exception.reaction() == Reaction::Retry && tries < BUSY_RETRIES =>
                {
                    tokio::time::sleep(BUSY_WAIT * 2_u32.pow(tries)).await;
                    tries += 1;
                }
                other => return other,
            }
        }
    }

    /// The open connection, taken out of the run, or a new one.
    async fn connection(&self, run: &mut Run) -> Result<Wire, WireFault> {
        if let Some(wire) = run.wire.take() {
            return Ok(wire);
        }
        if !run.connect.may_ask(Instant::now()) {
            let cause = std::io::Error::new(std::io::ErrorKind::NotConnected, "waiting before the next attempt");
            return Err(WireFault::Connect { address: self.endpoint.place(), cause });
        }
        match Wire::open(&self.endpoint).await {
            Ok(wire) => {
                if run.connect.failures() > 0 {
                    tracing::info!(endpoint = self.endpoint.id, "端点已恢复 (endpoint is back)");
                }
                run.connect.succeed();
                self.links.endpoint(|link| {
                    link.connected = true;
                    link.connects += 1;
                });
                Ok(wire)
            }
            Err(fault) => {
                if run.connect.failures() == 0 {
                    tracing::warn!(endpoint = self.endpoint.id, fault = fault.words(), "端点连不上 (endpoint is away)");
                }
                run.connect.refuse(Instant::now(), run.chance.random());
                self.links.endpoint(|link| link.refused += 1);
                Err(fault)
            }
        }
    }

    /// What a failure cost, if it was one, and whether the unit gave everything.
    fn note(&self, unit: &mut Unit, run: &mut Run, failure: Option<Duration>, whole: bool) {
        let before = unit.pace.is_quarantined();
        match failure {
            None => unit.pace.succeed(),
            Some(spent) => unit.fail(Instant::now(), spent, run.chance.random()),
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
            tracing::warn!(
                endpoint,
                unit,
                away = pace.is_quarantined(),
                "单元在应答与失联间变化 (unit changed between answering and away)"
            );
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

    fn readings(&self, unit: &mut Unit, answers: &Answers) -> Vec<Reading> {
        let (readings, reason) = unit.readings(answers, (self.clock)());
        if let Some((series, void)) = reason {
            self.links.unit(unit.id, |link| {
                link.voids += 1;
                link.last_fault = Some(format!("{series}: {void}"));
            });
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
