//! SL 651-2014 (水文监测数据通信规约): stations that report by themselves, over TCP and UDP on one port.
//!
//! In: bytes from stations. Out: readings, durable before the station is told so; answers and questions to stations.
//! What it refuses to do: answer a frame with a wrong checksum, make a station that no file names, mix test data with
//! real ones, store a repeated frame twice, hold more than its limits. The codec is [`codec`] and knows none of this.
//!
//! Limits and what happens at them: connections (a further one is closed), bytes of unfinished messages (the message is
//! dropped and the station sends it again), the queue to the store (stations wait), set-aside files (the oldest half
//! goes).

mod ask;
pub mod codec;
mod counts;
mod desk;
mod drawer;
mod finish;
mod gather;
mod listen;
mod quarantine;
mod station;

pub use super::Sink;
pub use ask::{AskFault, Reply};
pub use counts::Counted;
pub use desk::text_of;
pub use quarantine::Quarantined;
pub use station::StationLink;

use super::Clock;
use super::sensors::TelemetryStation;
use super::shelf::Shelf;
use crate::store::Photos;
use codec::StationAddress;
use desk::Desk;
use finish::Finish;
use gather::Gather;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How much the server takes and how long it waits.
#[derive(Debug, Clone)]
pub struct Sl651Limits {
    /// TCP connections at once.
    pub connections: usize,
    /// A connection that says nothing for so long is closed; stations keep their link every 40 s.
    pub idle: Duration,
    /// A frame that is not whole after so long is given up.
    pub partial: Duration,
    /// Frames with wrong checksums in a row after which a connection is closed.
    pub bad_in_row: u32,
    /// Bytes of one message of several packets.
    pub message_bytes: usize,
    /// Bytes of all unfinished messages together.
    pub assembling_bytes: usize,
    /// Missing packets are asked for again after so long, at most twice more.
    pub ask_again: Duration,
    /// A station answers a question within so long; it is asked three times.
    pub answer: Duration,
    /// Bytes of one set-aside file before it makes room.
    pub shelf_bytes: u64,
}

impl Default for Sl651Limits {
    fn default() -> Self {
        Self {
            connections: 12_000,
            idle: Duration::from_secs(900),
            partial: Duration::from_secs(10),
            bad_in_row: 50,
            message_bytes: 4 << 20,
            assembling_bytes: 64 << 20,
            ask_again: Duration::from_secs(10),
            answer: Duration::from_secs(10),
            shelf_bytes: 8 << 20,
        }
    }
}

/// What a server is started with.
pub struct Sl651Parts {
    /// Address of TCP and UDP; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Stations by address.
    pub stations: BTreeMap<StationAddress, TelemetryStation>,
    /// Clock of the reach.
    pub clock: Clock,
    /// Where readings go.
    pub sink: Arc<dyn Sink>,
    /// Where pictures go.
    pub photos: Photos,
    /// Folder for test data, texts, the list of pictures and what was set aside; it exists.
    pub folder: PathBuf,
    /// How much it takes.
    pub limits: Sl651Limits,
    /// Ends it.
    pub stop: CancellationToken,
}

/// Why it cannot start.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address} for SL 651 stations; free the port or choose another in [sl651] listen (端口被占用或无权限)"
)]
pub struct ListenFault {
    /// Host and port.
    pub address: SocketAddr,
    /// What the system said.
    #[source]
    pub cause: std::io::Error,
}

/// A running server for stations; it ends when its token is cancelled or this is dropped.
pub struct Sl651 {
    /// Where it listens, TCP and UDP.
    pub address: SocketAddr,
    desk: Arc<Desk>,
    socket: Arc<UdpSocket>,
    workers: Vec<JoinHandle<()>>,
}

impl Sl651 {
    /// Listens and begins to serve.
    ///
    /// # Errors
    /// When the port cannot be had for both TCP and UDP.
    pub async fn start(parts: Sl651Parts) -> Result<Self, ListenFault> {
        let fault = |cause| ListenFault { address: parts.listen, cause };
        let (listener, socket) = listen::bind(parts.listen).await.map_err(fault)?;
        let address = listener.local_addr().map_err(fault)?;
        let desk = Arc::new(Desk::new(parts.stations, Arc::clone(&parts.clock), parts.limits.clone()));
        let (gather, gatherer) = Gather::start(parts.sink, parts.stop.clone());
        let shelf = Shelf::new(parts.folder, parts.limits.shelf_bytes);
        let finish = Arc::new(Finish { desk: Arc::clone(&desk), gather, shelf, photos: parts.photos });
        let socket = Arc::new(socket);
        let tcp = listen::tcp(listener, Arc::clone(&finish), parts.limits, parts.stop.clone());
        let udp = listen::udp(Arc::clone(&socket), finish, parts.stop);
        let workers = vec![gatherer, tokio::spawn(tcp), tokio::spawn(udp)];
        Ok(Self { address, desk, socket, workers })
    }

    /// How each station fares, by address.
    pub fn links(&self) -> Vec<StationLink> {
        self.desk.links()
    }
    /// Stations that are not believed: no file names them, or password or network are wrong; by address, the first 500.
    pub fn quarantined(&self) -> Vec<Quarantined> {
        self.desk.quarantined()
    }
    /// What was counted since the start.
    pub fn counted(&self) -> Counted {
        self.desk.counts().snapshot()
    }
}

impl Drop for Sl651 {
    fn drop(&mut self) {
        for worker in &self.workers {
            worker.abort();
        }
    }
}
