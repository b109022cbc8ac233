//! MQTT: gateways, LoRaWAN servers (ChirpStack v4, The Things Stack v3) and anything else that publishes JSON.
//!
//! In: messages of brokers that the server's configuration names, below topics that `sensors/` names. Out: readings,
//! durable before the broker is told so (QoS 1, acknowledged by hand, session kept at the broker). What it refuses to do:
//! make a device that no file names, take an old retained message for a value of now, take the time of receipt where a
//! time is promised and unreadable, publish anything.
//!
//! Limits and what happens at them: messages and bytes between the connection and the store ([`MqttLimits`]); when they
//! are full, messages at QoS 0 are counted and lost. For QoS 1 the connection waits a while with whatever comes after, and
//! is then given up until the queue is empty; the broker sends again what was not acknowledged. Dead letters: the last 200 are listed, 16 MiB are in a file.
//! Unknown devices: 500 by name. Health is the age of each series' last value, never that a socket is open.

mod blank;
mod client;
mod decode;
mod desk;
mod settings;
mod topic;
mod value;
mod words;
mod worker;

pub use decode::{DecodeFault, Format, JsonShape, TimeFormat};
pub use desk::{DeadLetter, MqttCounted, UnknownDevice};
pub use settings::{Broker, BrokerFault, MqttVersion};
pub use topic::TopicPattern;
pub use value::{ByteNumber, Place};

use super::sensors::MqttSource;
use super::shelf::Shelf;
use super::{Clock, Sink};
use crate::model::Timestamp;
use desk::Desk;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use worker::Link;

/// How much is held and how long is waited.
#[derive(Debug, Clone)]
pub struct MqttLimits {
    /// Messages of a broker between connection and store.
    pub queue: usize,
    /// Bytes of their payloads.
    pub queue_bytes: usize,
    /// Messages of one write.
    pub batch: usize,
    /// How long a message at QoS 1 waits for room, and all after it; never so long that the broker takes the line for dead.
    pub patience: Duration,
    /// First wait before the next try to connect, or to store; it doubles.
    pub wait_min: Duration,
    /// Longest wait.
    pub wait_max: Duration,
    /// A connection that held so long was a good one: the next wait is the first again.
    pub steady: Duration,
    /// Bytes of the dead-letter file before it makes room.
    pub shelf_bytes: u64,
}

impl Default for MqttLimits {
    fn default() -> Self {
        Self {
            queue: 16_384,
            queue_bytes: 32 << 20,
            batch: 8_192,
            patience: Duration::from_secs(10),
            wait_min: Duration::from_secs(1),
            wait_max: Duration::from_secs(60),
            steady: Duration::from_secs(30),
            shelf_bytes: 8 << 20,
        }
    }
}

/// What the clients are started with.
pub struct MqttParts {
    /// Brokers of the configuration.
    pub brokers: Vec<Broker>,
    /// What `sensors/` wants of them.
    pub sources: Vec<MqttSource>,
    /// Clock of the reach.
    pub clock: Clock,
    /// Where readings go.
    pub sink: Arc<dyn Sink>,
    /// Folder for dead letters; it exists.
    pub folder: PathBuf,
    /// How much they take.
    pub limits: MqttLimits,
    /// Ends them.
    pub stop: CancellationToken,
}

/// How a broker fares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MqttLink {
    /// Its id in the configuration.
    pub broker: String,
    /// Since when it is connected, on the clock of the reach; absent: it is not.
    pub connected_since: Option<Timestamp>,
    /// Its last message.
    pub last_message: Option<Timestamp>,
    /// When readings of it were last made durable.
    pub last_kept: Option<Timestamp>,
    /// Why the last connection ended or could not be had.
    pub fault: Option<String>,
    /// Topics that the broker granted over the last connection.
    pub topics_granted: usize,
    /// Topics that the broker refused to give.
    pub topics_refused: usize,
    /// Counts since the start.
    pub counted: MqttCounted,
    /// Devices that no file names.
    pub unknown: Vec<UnknownDevice>,
    /// Messages that gave no readings or not all, newest first.
    pub dead: Vec<DeadLetter>,
}

/// Whether the brokers can be used as they stand: their tables, their files (password, certificates), and what `sensors/` wants of
/// them. No connection is made.
///
/// # Errors
/// The first table or file that cannot be used, or a source whose broker is not configured.
pub fn check(brokers: &[Broker], sources: &[MqttSource]) -> Result<(), BrokerFault> {
    let ids: BTreeSet<&str> = brokers.iter().map(|broker| broker.id.as_str()).collect();
    let table = |id: &str, what: String| BrokerFault::Table { id: id.to_owned(), what };
    if let Some(source) = sources.iter().find(|source| !ids.contains(source.broker.as_str())) {
        let what = format!("sensors/ asks it for {}, but the configuration has no such [[mqtt]]", source.topic);
        return Err(table(&source.broker, what));
    }
    for (index, broker) in brokers.iter().enumerate() {
        if let Some((key, what)) = broker.fault() {
            return Err(table(&broker.id, format!("{key} {what}")));
        }
        let mut earlier = brokers.iter().take(index);
        if earlier.clone().any(|one| one.id == broker.id) {
            return Err(table(&broker.id, "appears twice".to_owned()));
        }
        let session = |one: &Broker| (one.host.to_lowercase(), one.port, one.client_id.clone());
        if let Some(other) = earlier.find(|one| session(one) == session(broker)) {
            let what = format!(
                "client_id {:?} is that of {} at the same broker: they would throw each other out",
                broker.client_id, other.id
            );
            return Err(table(&broker.id, what));
        }
        // Files that are wrong at the start are a fault of the site, not of the line.
        drop(client::connection(broker, 0)?);
    }
    Ok(())
}

/// Running clients, one for each broker; they end when the token is cancelled or this is dropped.
pub struct Mqtt {
    links: Vec<Arc<Link>>,
    workers: Vec<JoinHandle<()>>,
}

impl Mqtt {
    /// Checks the files of the brokers and begins to connect; a broker that is away is tried for ever.
    ///
    /// # Errors
    /// A table or file that cannot be used, or a source whose broker is not configured.
    pub fn start(parts: MqttParts) -> Result<Self, BrokerFault> {
        check(&parts.brokers, &parts.sources)?;
        let shelf = Shelf::new(parts.folder, parts.limits.shelf_bytes);
        let (mut links, mut workers) = (Vec::new(), Vec::new());
        for broker in parts.brokers {
            let sources = parts.sources.iter().filter(|source| source.broker == broker.id).cloned().collect();
            let link = Arc::new(Link {
                broker,
                desk: Desk::new(sources),
                state: Mutex::default(),
                clock: Arc::clone(&parts.clock),
                limits: parts.limits.clone(),
            });
            workers.extend(worker::start(&link, Arc::clone(&parts.sink), shelf.clone(), &parts.stop));
            links.push(link);
        }
        Ok(Self { links, workers })
    }

    /// How each broker fares, in the order of the configuration.
    pub fn links(&self) -> Vec<MqttLink> {
        self.links.iter().map(|link| link.tell()).collect()
    }
}

impl Drop for Mqtt {
    fn drop(&mut self) {
        for worker in &self.workers {
            worker.abort();
        }
    }
}
