//! Decides what a frame means: whom to believe, what is new, what becomes a reading, what is answered.
//!
//! No network and no disk here. Nothing is answered that still has to become durable: the answer travels with the work.

use super::codec::{
    Assembly, Direction, Element, End, Frame, Line, Packet, Query, Received, Report, StationAddress, function,
    is_report, name_of,
};
use super::codec::{Content, Measured, element::status_events};
use super::counts::Counts;
use super::drawer::Drawer;
use super::gather::READINGS_OF_ONE;
use super::quarantine::{Quarantine, Quarantined};
use super::station::{Claim, Memory, MessageKey, Peer, Pending, Route, Seen, Station, StationLink, Stations};
use super::{Reply, Sl651Limits};
use crate::ingest::Clock;
use crate::ingest::sensors::TelemetryStation;
use crate::model::{Reading, Timestamp};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A station's clock may be so far off before it is set.
const CLOCK_OFF_MAX: TimeDelta = TimeDelta::minutes(5);
/// Shortest time between two settings of one clock; the standard asks for two in a row when it is far off.
const CLOCK_SET_EVERY: Duration = Duration::from_secs(30);
/// An unfinished message is dropped after so long.
const UNFINISHED_MAX: Duration = Duration::from_secs(600);
/// Most packets asked for in one round.
const ASK_AT_ONCE: usize = 16;
/// Rounds of asking for missing packets.
const ROUNDS_MAX: u32 = 3;

/// What follows from a frame.
pub(super) enum Step {
    /// Nothing more.
    Done,
    /// These may go out at once: nothing has to be durable for them.
    Answer(Vec<Frame>),
    /// First durable, then answered.
    Keep(Box<Keep>),
    /// To the set-aside file, unanswered.
    SetAside(Value),
}

/// A message that must be durable before it is answered.
pub(super) struct Keep {
    pub(super) claim: Claim,
    pub(super) readings: Vec<Reading>,
    pub(super) lines: Vec<(Drawer, Value)>,
    /// Pictures with what their line says.
    pub(super) pictures: Vec<(Vec<u8>, Value)>,
    pub(super) answer: Vec<Frame>,
}

/// The one place where frames are understood.
pub(super) struct Desk {
    stations: Stations,
    clock: Clock,
    limits: Sl651Limits,
    counts: Counts,
    /// Bytes of all unfinished messages.
    assembling: AtomicUsize,
    quarantine: Quarantine,
}

impl Desk {
    pub(super) fn new(stations: BTreeMap<StationAddress, TelemetryStation>, clock: Clock, limits: Sl651Limits) -> Self {
        let stations = stations.into_iter().map(|(address, told)| (address, Arc::new(Station::new(told)))).collect();
        Self {
            stations,
            clock,
            limits,
            counts: Counts::default(),
            assembling: AtomicUsize::new(0),
            quarantine: Quarantine::default(),
        }
    }
    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }
    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }
    pub(super) fn limits(&self) -> &Sl651Limits {
        &self.limits
    }
    pub(super) fn station(&self, address: StationAddress) -> Option<&Arc<Station>> {
        self.stations.get(&address)
    }
    pub(super) fn quarantined(&self) -> Vec<Quarantined> {
        self.quarantine.tell()
    }
    pub(super) fn links(&self) -> Vec<StationLink> {
        self.stations.values().map(|station| station.link()).collect()
    }

    /// Looks at a frame that came from `peer`, to which `route` leads back.
    pub(super) fn receive(&self, received: Received, peer: Peer, route: impl FnOnce() -> Route) -> Step {
        self.counts.frames.one();
        let now = self.now();
        let Received { frame, crc, .. } = received;
        if frame.direction == Direction::Down {
            return Step::Done; // Our own words, echoed by a modem.
        }
        let station = match self.believe(&frame, peer) {
            Ok(station) => Arc::clone(station),
            Err(reason) => {
                self.quarantine.note(frame.station, peer.address(), reason, now);
                return self.set_aside(&frame, peer, now, reason);
            }
        };
        {
            let mut memory = station.memory();
            memory.last_heard = Some(now);
            if memory.peer != Some(peer.address()) || memory.route.is_none() {
                memory.peer = Some(peer.address());
            }
            memory.route = Some(route());
            if memory.coding.as_ref().is_none_or(|known| known.coding != frame.coding || known.centre != frame.centre) {
                memory.coding = Some(Frame { body: Vec::new(), ..frame.clone() });
            }
        }
        if frame.function == function::KEEP_LINK {
            return Step::Done; // The standard has no answer to it.
        }
        match frame.packet {
            None => self.message(&station, frame, crc, peer, now),
            Some(packet) => self.packet(&station, frame, packet, peer, now),
        }
    }

    fn believe(&self, frame: &Frame, peer: Peer) -> Result<&Arc<Station>, &'static str> {
        let station = self.stations.get(&frame.station).ok_or("unknown-station")?;
        admitted(station, frame, peer.address().ip())?;
        Ok(station)
    }

    fn set_aside(&self, frame: &Frame, peer: Peer, now: Timestamp, reason: &str) -> Step {
        self.counts.set_aside.one();
        Step::SetAside(aside_line(frame, peer, now, reason))
    }

    /// Puts a packet to its message; whole, it is looked at as one.
    fn packet(&self, station: &Arc<Station>, frame: Frame, packet: Packet, peer: Peer, now: Timestamp) -> Step {
        let mut memory = station.memory();
        let fits = memory.pending.as_ref().is_some_and(|pending| {
            pending.peer == peer
                && pending.function == frame.function
                && pending.assembly.total() == packet.total
                && pending.begun.elapsed() < UNFINISHED_MAX
                && !(pending.refused && packet.sequence == 1)
        });
        if !fits {
            self.forget_pending(&mut memory);
            let Ok(assembly) = Assembly::new(packet.total, self.limits.message_bytes) else {
                drop(memory);
                return self.set_aside(&frame, peer, now, "impossible-packet");
            };
            let sample = Frame { body: Vec::new(), ..frame.clone() };
            let begun = Instant::now();
            let pending = Pending {
                peer,
                function: frame.function,
                assembly,
                sample,
                serial: 0,
                rounds: 0,
                refused: false,
                begun,
                touched: begun,
            };
            memory.pending = Some(pending);
        }
        let Some(pending) = &mut memory.pending else { return Step::Done };
        if pending.refused {
            return Step::Done; // The rest of a message that was too large.
        }
        pending.touched = Instant::now();
        let before = pending.assembly.bytes();
        let room = self.assembling.load(Ordering::Relaxed) + frame.body.len() <= self.limits.assembling_bytes;
        let taken = if room { pending.assembly.take(packet, &frame.body).is_ok() } else { false };
        self.assembling.fetch_add(pending.assembly.bytes() - before, Ordering::Relaxed);
        if !taken {
            self.refuse_pending(&mut memory);
            drop(memory);
            return self.set_aside(&frame, peer, now, "packet-does-not-fit");
        }
        if packet.sequence == 1 {
            pending.serial = serial_of(&frame);
        }
        if let Some(body) = pending.assembly.whole() {
            let total = pending.assembly.total();
            self.take_pending(&mut memory);
            drop(memory);
            let crc = super::codec::crc16(&body);
            let whole = Frame { body, packet: Some(Packet { total, sequence: total }), end: End::Etx, ..frame };
            return self.message(station, whole, crc, peer, now);
        }
        if packet.sequence == packet.total && pending.rounds == 0 {
            return Step::Answer(self.ask_again(pending, now));
        }
        Step::Done
    }

    fn ask_again(&self, pending: &mut Pending, now: Timestamp) -> Vec<Frame> {
        pending.rounds += 1;
        pending.touched = Instant::now();
        let line = Line::of(&pending.sample);
        let total = pending.assembly.total();
        let missing = pending.assembly.missing().take(ASK_AT_ONCE);
        let asked =
            missing.map(|sequence| line.ask_again(pending.function, pending.serial, Packet { total, sequence }, now));
        let asked: Vec<Frame> = asked.collect();
        self.counts.asked_again.add(asked.len() as u64);
        asked
    }

    /// Asks again for what an unfinished message of this peer lacks; after the last round it is dropped.
    /// `None` when there is none.
    pub(super) fn remind(&self, address: StationAddress, peer: Peer) -> Option<Vec<Frame>> {
        let station = self.stations.get(&address)?;
        let mut memory = station.memory();
        let pending = memory.pending.as_mut().filter(|pending| pending.peer == peer && !pending.refused)?;
        if pending.rounds >= ROUNDS_MAX {
            self.counts.unfinished.one();
            self.take_pending(&mut memory);
            return None;
        }
        let now = self.now();
        Some(self.ask_again(pending, now))
    }

    /// What unfinished messages of datagrams lack, with the way back: UDP has no connection whose end would tell, so a
    /// timer does. What was too large, and what was asked for often enough, is dropped.
    pub(super) fn remind_datagrams(&self) -> Vec<(SocketAddr, Vec<Frame>)> {
        let mut due = Vec::new();
        for (address, station) in &self.stations {
            let peer = {
                let mut memory = station.memory();
                let waits = |pending: &&Pending| {
                    matches!(pending.peer, Peer::Udp(_)) && pending.touched.elapsed() >= self.limits.ask_again
                };
                let Some(pending) = memory.pending.as_ref().filter(waits) else { continue };
                let peer = pending.peer;
                if pending.refused {
                    self.take_pending(&mut memory); // Counted when it was refused.
                    continue;
                }
                peer
            };
            if let Some(frames) = self.remind(*address, peer) {
                due.push((peer.address(), frames));
            }
        }
        due
    }

    /// A peer is gone, and with it what it had not finished.
    pub(super) fn leave(&self, address: StationAddress, peer: Peer) {
        let Some(station) = self.stations.get(&address) else { return };
        let mut memory = station.memory();
        if memory.pending.as_ref().is_some_and(|pending| pending.peer == peer) {
            self.forget_pending(&mut memory);
        }
    }

    /// Frees what is held of a message that does not fit; its further packets are then passed over.
    fn refuse_pending(&self, memory: &mut Memory) {
        let Some(mut pending) = memory.pending.take() else { return };
        self.counts.unfinished.one();
        self.assembling.fetch_sub(pending.assembly.bytes(), Ordering::Relaxed);
        if let Ok(empty) = Assembly::new(pending.assembly.total(), 0) {
            pending.assembly = empty;
            pending.refused = true;
            memory.pending = Some(pending);
        }
    }

    fn forget_pending(&self, memory: &mut Memory) {
        if self.take_pending(memory) {
            self.counts.unfinished.one();
        }
    }

    fn take_pending(&self, memory: &mut Memory) -> bool {
        let gone = memory.pending.take();
        let bytes = gone.as_ref().map_or(0, |pending| pending.assembly.bytes());
        self.assembling.fetch_sub(bytes, Ordering::Relaxed);
        gone.is_some()
    }

    /// A whole message.
    fn message(&self, station: &Arc<Station>, frame: Frame, crc: u16, peer: Peer, now: Timestamp) -> Step {
        let report = is_report(frame.function).then(|| Report::decode(frame.coding, &frame.body));
        let report = match report {
            None => {
                answer_question(&mut station.memory(), &frame, None);
                return Step::Done; // A reply that is not made of elements; only who asked can use it.
            }
            Some(Err(_)) => return self.set_aside(&frame, peer, now, "unreadable-body"),
            Some(Ok(report)) => report,
        };
        let sent_at = report.sent.utc(now);
        let mut answer = self.acknowledgement(station, &frame, report.serial, now);
        let key = MessageKey { function: frame.function, serial: report.serial, sent: report.sent.0, crc };
        let is_data = (function::TEST..=function::QUERY_ELEMENTS).contains(&frame.function);
        let seen = {
            let mut memory = station.memory();
            memory.clock_ahead_s = sent_at.map(|at| (at - now).num_seconds());
            let seen = if is_data { memory.see(key) } else { Seen::New };
            answer.extend(self.clock_setting(station, &mut memory, &frame, sent_at, now));
            if seen == Seen::New {
                answer_question(&mut memory, &frame, Some(&report));
                note_status(station, &mut memory, &report);
            }
            seen
        };
        match seen {
            Seen::UnderWay => return Step::Done,
            Seen::Kept => {
                self.counts.repeated.one();
                return Step::Answer(answer);
            }
            Seen::New if !is_data && frame.function != function::STATUS => return Step::Done,
            Seen::New => {}
        }
        self.keep(station, &frame, &report, key, (peer, now, answer))
    }

    fn keep(
        &self,
        station: &Arc<Station>,
        frame: &Frame,
        report: &Report,
        key: MessageKey,
        (peer, now, answer): (Peer, Timestamp, Vec<Frame>),
    ) -> Step {
        let claim = Claim::new(Arc::clone(station), key);
        let measured = report.measured(frame.station, now);
        let mut keep = Keep { claim, readings: Vec::new(), lines: Vec::new(), pictures: Vec::new(), answer };
        let about = json!({
            "received_at": now, "station": frame.station.to_string(), "serial": report.serial,
            "sent_at": report.sent.utc(now), "function": format!("{:02X}", frame.function),
        });
        let with = |more: Value| merged(&about, more);
        for text in report.texts() {
            keep.lines.push((Drawer::Texts, with(json!({ "text": text_of(text) }))));
        }
        if frame.function == function::TEST {
            self.counts.tests.one();
            let values: Vec<Value> = measured.iter().map(value_line).collect();
            keep.lines.push((Drawer::Tests, with(json!({ "values": values }))));
            return Step::Keep(Box::new(keep));
        }
        for picture in report.pictures() {
            let at = report.groups.iter().find_map(|group| group.observed).and_then(|observed| observed.utc(now));
            keep.pictures.push((picture.to_vec(), with(json!({ "observed_at": at }))));
        }
        let mut reasons: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
        keep.readings = self.readings(&measured, (frame, peer.address().ip()), now, &mut reasons);
        if keep.readings.len() > READINGS_OF_ONE {
            return self.set_aside(frame, peer, now, "too-many-values");
        }
        if !reasons.is_empty() {
            self.counts.set_aside.one();
            keep.lines.push((Drawer::SetAside, aside_line(frame, peer, now, &reasons.join("; "))));
        }
        Step::Keep(Box::new(keep))
    }

    /// Readings of the values that a file maps to a series, in the order of their times.
    fn readings(
        &self,
        measured: &[Measured],
        (frame, from): (&Frame, IpAddr),
        now: Timestamp,
        reasons: &mut Vec<String>,
    ) -> Vec<Reading> {
        let mut readings = Vec::with_capacity(measured.len());
        for one in measured {
            // A relay may speak for several stations; one that no file names makes no series.
            let Some(station) = self.stations.get(&one.station) else {
                let reason = format!("unknown-station {}", one.station);
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
                continue;
            };
            // It speaks with its own password and from its own network for others too: theirs must be the same.
            if let Err(reason) = admitted(station, frame, from) {
                let reason = format!("relayed {reason} {}", one.station);
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
                continue;
            }
            let Some(series) = station.series(one.id) else {
                self.counts.unmapped.one();
                continue;
            };
            let value = match one.observed_at {
                Some(_) => one.value.map_or(f64::NAN, |value| value + series.zero),
                None => {
                    // Nobody knows when this was; it stays in the set-aside file and tells only that a value is missing.
                    reasons.push(format!("no-time {}", name_of(one.id)));
                    f64::NAN
                }
            };
            let observed_at = one.observed_at.unwrap_or(now);
            readings.push(Reading { series: series.id.clone(), observed_at, received_at: now, value });
        }
        readings.sort_by_key(|reading| reading.observed_at);
        readings
    }

    fn acknowledgement(&self, station: &Station, frame: &Frame, serial: u16, now: Timestamp) -> Vec<Frame> {
        let agreed = station.told.acknowledge;
        let answered = (function::TEST..=function::QUERY_ELEMENTS).contains(&frame.function);
        let total = frame.packet.map(|packet| packet.total);
        let line = Line::of(frame);
        agreed
            .filter(|_| answered)
            .map(|end| line.acknowledge(frame.function, serial, total, end, now))
            .into_iter()
            .collect()
    }

    /// Sets a clock that is more than five minutes off, where the file asks for it.
    fn clock_setting(
        &self,
        station: &Station,
        memory: &mut Memory,
        frame: &Frame,
        sent_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Frame> {
        let off = sent_at.is_none_or(|at| (at - now).abs() > CLOCK_OFF_MAX);
        let due = memory.clock_set.is_none_or(|at| at.elapsed() >= CLOCK_SET_EVERY);
        if !(station.told.set_clock && off && due) || frame.function == function::SET_CLOCK {
            return None;
        }
        memory.clock_set = Some(Instant::now());
        Some(Line::of(frame).ask(&Query::SetClock, now))
    }
}

/// Hands a reply to whoever asked for it.
fn answer_question(memory: &mut Memory, frame: &Frame, report: Option<&Report>) {
    if memory.question.as_ref().is_some_and(|question| question.function == frame.function)
        && let Some(question) = memory.question.take()
    {
        let reply = Reply { function: frame.function, body: frame.body.clone(), report: report.cloned() };
        let _ = question.reply.send(reply); // Whoever asked may have given up.
    }
}

fn note_status(station: &Station, memory: &mut Memory, report: &Report) {
    let bits = report.elements().find_map(|element: &Element| match element.content {
        Content::Status(bits) => Some(bits),
        _ => None,
    });
    if let Some(bits) = bits.filter(|bits| memory.status != Some(*bits)) {
        memory.status = Some(bits);
        let events: Vec<&str> = status_events(bits).into_iter().map(|(_, zh, _)| zh).collect();
        tracing::info!(station = station.told.station, events = events.join("、"), "遥测站状态 (status of a station)");
    }
}

fn serial_of(frame: &Frame) -> u16 {
    let head = frame.body.get(..frame.body.len().min(16)).unwrap_or_default();
    Report::decode(frame.coding, head).map_or(0, |report| report.serial)
}

/// Text by hand is GBK on most stations, UTF-8 on some.
pub fn text_of(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| encoding_rs::GBK.decode(bytes).0.into_owned(), ToOwned::to_owned)
}

fn value_line(one: &Measured) -> Value {
    json!({
        "station": one.station.to_string(), "element": one.id.to_string(), "name": name_of(one.id), "value": one.value,
        "unit": one.unit, "observed_at": one.observed_at,
    })
}

fn aside_line(frame: &Frame, peer: Peer, now: Timestamp, reason: &str) -> Value {
    let bytes = frame.encode().unwrap_or_else(|_| frame.body.clone());
    json!({
        "received_at": now, "from": peer.address().to_string(), "reason": reason,
        "station": frame.station.to_string(), "function": format!("{:02X}", frame.function),
        "frame": hex::encode_upper(bytes),
    })
}

fn merged(about: &Value, more: Value) -> Value {
    let mut whole = about.clone();
    if let (Value::Object(whole), Value::Object(more)) = (&mut whole, more) {
        whole.extend(more);
    }
    whole
}

/// Whether a frame may speak for a station: its password, and its network where the file names one.
fn admitted(station: &Station, frame: &Frame, from: IpAddr) -> Result<(), &'static str> {
    if station.told.password != frame.password {
        return Err("wrong-password");
    }
    let networks = &station.told.from;
    if networks.is_empty() || networks.iter().any(|network| network.holds(from)) {
        Ok(())
    } else {
        Err("wrong-network")
    }
}
