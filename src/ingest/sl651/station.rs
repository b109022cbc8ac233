//! What is remembered of each station: the last messages, an unfinished one, the way back to it, an open question.

use super::codec::{Assembly, Frame, StationAddress};
use crate::ingest::sensors::{TelemetrySeries, TelemetryStation};
use crate::model::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// Messages remembered of each station: repeats come within minutes, a station sends a few an hour.
const REMEMBERED: usize = 32;

/// What tells one message from another (一报一键): a lost acknowledgement brings the same one again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MessageKey {
    pub(super) function: u8,
    pub(super) serial: u16,
    pub(super) sent: [u8; 6],
    pub(super) crc: u16,
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    /// A connection by its number.
    Tcp(u64, SocketAddr),
    Udp(SocketAddr),
}

impl Peer {
    pub(super) fn address(self) -> SocketAddr {
        match self {
            Self::Tcp(_, address) | Self::Udp(address) => address,
        }
    }
}

/// The way back to a station.
#[derive(Debug, Clone)]
pub(super) enum Route {
    Tcp(mpsc::Sender<Vec<u8>>),
    Udp(SocketAddr),
}

/// A message of several packets that is not whole yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) peer: Peer,
    pub(super) function: u8,
    pub(super) assembly: Assembly,
    /// A frame of it, for the way back.
    pub(super) sample: Frame,
    pub(super) serial: u16,
    /// How often its gaps were asked for.
    pub(super) rounds: u32,
    /// It was too large; its other packets are passed over.
    pub(super) refused: bool,
    pub(super) begun: Instant,
    /// When something of it last came, or was last asked for.
    pub(super) touched: Instant,
}

/// A question that waits for its answer.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) function: u8,
    pub(super) reply: oneshot::Sender<super::Reply>,
}

/// How a station fares.
#[derive(Debug, Clone, PartialEq)]
pub struct StationLink {
    /// Its address on the line.
    pub address: StationAddress,
    /// Its station in the files.
    pub station: String,
    /// Any frame from it, on the clock of the reach.
    pub last_heard: Option<Timestamp>,
    /// Last message of it that is durable.
    pub last_kept: Option<Timestamp>,
    /// How far its clock is ahead of ours, in seconds, at the last message.
    pub clock_ahead_s: Option<i64>,
    /// Status bits (element 45) as last told.
    pub status: Option<u32>,
    /// Where it spoke from.
    pub peer: Option<SocketAddr>,
}

/// One station.
#[derive(Debug)]
pub(super) struct Station {
    pub(super) told: TelemetryStation,
    memory: Mutex<Memory>,
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct Memory {
    seen: VecDeque<(MessageKey, bool)>,
    pub(super) pending: Option<Pending>,
    pub(super) route: Option<Route>,
    pub(super) coding: Option<Frame>,
    pub(super) question: Option<Question>,
    pub(super) clock_set: Option<Instant>,
    pub(super) last_heard: Option<Timestamp>,
    pub(super) last_kept: Option<Timestamp>,
    pub(super) clock_ahead_s: Option<i64>,
    pub(super) status: Option<u32>,
    pub(super) peer: Option<SocketAddr>,
}

/// What is known of a message by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    New,
    /// Being made durable at this moment: nobody may be told yet.
    UnderWay,
    Kept,
}

impl Memory {
    /// Looks a message up, and notes it if it is new.
    pub(super) fn see(&mut self, key: MessageKey) -> Seen {
        match self.seen.iter().find(|(known, _)| *known == key) {
            Some((_, true)) => Seen::Kept,
            Some((_, false)) => Seen::UnderWay,
            None => {
                if self.seen.len() == REMEMBERED {
                    self.seen.pop_front();
                }
                self.seen.push_back((key, false));
                Seen::New
            }
        }
    }
}

impl Station {
    pub(super) fn new(told: TelemetryStation) -> Self {
        Self { told, memory: Mutex::default() }
    }
    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn link(&self) -> StationLink {
        let memory = self.memory();
        StationLink {
            address: self.told.address,
            station: self.told.station.clone(),
            last_heard: memory.last_heard,
            last_kept: memory.last_kept,
            clock_ahead_s: memory.clock_ahead_s,
            status: memory.status,
            peer: memory.peer,
        }
    }
    pub(super) fn series(&self, element: super::codec::ElementId) -> Option<&TelemetrySeries> {
        self.told.series.iter().find(|series| series.element == element)
    }
}

/// A new message on its way to the disk. Dropped before it is settled (a broken connection, a full disk), it is
/// forgotten, so that the next repeat is taken as new.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) station: Arc<Station>,
    pub(super) key: MessageKey,
    settled: bool,
}

impl Claim {
    pub(super) fn new(station: Arc<Station>, key: MessageKey) -> Self {
        Self { station, key, settled: false }
    }
    /// The message is durable.
    pub(super) fn settle(mut self, at: Timestamp) {
        self.settled = true;
        let mut memory = self.station.memory();
        memory.last_kept = Some(at);
        if let Some((_, kept)) = memory.seen.iter_mut().find(|(known, _)| *known == self.key) {
            *kept = true;
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.settled {
            let key = self.key;
            self.station.memory().seen.retain(|(known, _)| *known != key);
        }
    }
}

/// Stations by address.
pub(super) type Stations = BTreeMap<StationAddress, Arc<Station>>;
