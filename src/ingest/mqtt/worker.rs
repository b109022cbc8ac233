//! Two workers for each broker: one keeps the connection and fills a bounded queue, one makes messages durable and then
//! acknowledges them.
//!
//! The first waits for the second when the queue is full, the second never for the first: a connection takes every
//! acknowledgement that there can be.

use super::client::{Ack, Client, Heard, Message, connection};
use super::desk::Desk;
use super::settings::Broker;
use super::{MqttLimits, MqttLink};
use crate::ingest::shelf::Shelf;
use crate::ingest::{Clock, Sink};
use crate::model::{Reading, Timestamp};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Readings of one write, about.
const READINGS_AT_ONCE: usize = 50_000;
/// A broker answers a subscription within this, messages that come before not counted; else the connection is given up, with a word.
const SUBSCRIBED_WITHIN: Duration = Duration::from_secs(30);
const UNANSWERED: &str = "订阅未得答复 (the broker did not answer the subscription)";
/// The file of the dead letters.
const DEAD: &str = "mqtt-dead";

/// A broker and what is known of it.
pub(super) struct Link {
    pub(super) broker: Broker,
    pub(super) desk: Desk,
    pub(super) state: Mutex<LinkState>,
    pub(super) clock: Clock,
    pub(super) limits: MqttLimits,
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct LinkState {
    connected_since: Option<Timestamp>,
    last_message: Option<Timestamp>,
    last_kept: Option<Timestamp>,
    fault: Option<String>,
    topics_granted: usize,
    topics_refused: usize,
}

impl Link {
    fn state(&self) -> MutexGuard<'_, LinkState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(&self) -> MqttLink {
        let (unknown, dead, counted) = (self.desk.unknown(), self.desk.dead(), self.desk.memory().counted);
        let state = self.state();
        MqttLink {
            broker: self.broker.id.clone(),
            connected_since: state.connected_since,
            last_message: state.last_message,
            last_kept: state.last_kept,
            fault: state.fault.clone(),
            topics_granted: state.topics_granted,
            topics_refused: state.topics_refused,
            counted,
            unknown,
            dead,
        }
    }
}

/// A message on its way to the store, with its part of the bytes that may be on the way.
struct Waiting {
    message: Message,
    client: Arc<Client>,
    _bytes: OwnedSemaphorePermit,
}

/// Starts both workers of a broker.
pub(super) fn start(
    link: &Arc<Link>,
    sink: Arc<dyn Sink>,
    shelf: Shelf,
    stop: &CancellationToken,
) -> [JoinHandle<()>; 2] {
    let (queue, inbox) = mpsc::channel(link.limits.queue);
    let bytes = Arc::new(Semaphore::new(link.limits.queue_bytes));
    let connecting = keep_connected(Arc::clone(link), queue, bytes, stop.clone());
    let writing = Writer { link: Arc::clone(link), sink, shelf }.run(inbox, stop.clone());
    [tokio::spawn(connecting), tokio::spawn(writing)]
}

/// A wait that doubles up to a bound, with up to half of it left to chance: a hundred servers do not come back at once.
struct BackOff {
    next: Duration,
    limits: (Duration, Duration),
}

impl BackOff {
    fn new(limits: &MqttLimits) -> Self {
        Self { next: limits.wait_min, limits: (limits.wait_min, limits.wait_max) }
    }
    fn reset(&mut self) {
        self.next = self.limits.0;
    }
    fn wait(&mut self) -> Duration {
        let (now, chance) = (self.next, getrandom::u32().unwrap_or_default());
        self.next = (self.next * 2).min(self.limits.1);
        now.mul_f64(0.5 + 0.5 * f64::from(chance) / f64::from(u32::MAX))
    }
}

async fn keep_connected(link: Arc<Link>, queue: mpsc::Sender<Waiting>, bytes: Arc<Semaphore>, stop: CancellationToken) {
    let mut back_off = BackOff::new(&link.limits);
    let mut told_away = false;
    loop {
        let begun = Instant::now();
        let ended = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            ended = session(&link, &queue, &bytes) => ended,
        };
        if begun.elapsed() >= link.limits.steady {
            back_off.reset();
        }
        let wait = back_off.wait();
        let was_connected = {
            let mut state = link.state();
            state.fault = Some(ended.clone());
            state.connected_since.take().is_some()
        };
        let (broker, wait_s) = (&link.broker.id, wait.as_secs_f64());
        if was_connected {
            told_away = true;
            tracing::warn!(
                broker,
                fault = ended,
                wait_s,
                "MQTT 连接中断，将重连 (the connection to a broker ended and is tried again)"
            );
        } else if told_away {
            tracing::debug!(broker, fault = ended, wait_s, "MQTT 仍未连上 (still no connection to a broker)");
        } else {
            told_away = true; // Once an outage; its end is the line that says connected.
            tracing::warn!(broker, fault = ended, wait_s, "端点连不上 (endpoint is away)");
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        // After an overrun the store works first: what is not acknowledged comes again.
        if queue.reserve_many(queue.max_capacity()).await.is_err() {
            return;
        }
    }
}

/// One connection from beginning to end; says why it ended.
async fn session(link: &Link, queue: &mpsc::Sender<Waiting>, bytes: &Arc<Semaphore>) -> String {
    // What waits, what is being settled, and the one message that waits for room.
    let unsettled = link.limits.queue + link.limits.batch + 1;
    let (client, mut connection) = match connection(&link.broker, unsettled) {
        Ok(both) => both,
        Err(fault) => return fault.to_string(),
    };
    // Until when the broker may leave a subscription unanswered.
    let mut owed: Option<tokio::time::Instant> = None;
    loop {
        let next = connection.next(&client);
        let next = match owed {
            None => next.await,
            Some(until) => tokio::time::timeout_at(until, next).await.unwrap_or_else(|_| Err(UNANSWERED.to_owned())),
        };
        match next {
            Ok(Heard::Connected) if !link.desk.topics().is_empty() => owed = Some(soon()),
            Ok(Heard::Message(_)) => owed = owed.map(|_| soon()),
            Ok(Heard::Subscribed { .. }) => owed = None,
            _ => {}
        }
        match heard(link, &client, next).await {
            Err(fault) => return fault,
            Ok(None) => {}
            Ok(Some(message)) => {
                if let Err(fault) = pass_on(link, &client, message, queue, bytes).await {
                    return fault;
                }
            }
        }
    }
}

fn soon() -> tokio::time::Instant {
    tokio::time::Instant::now() + SUBSCRIBED_WITHIN
}

async fn heard(link: &Link, client: &Client, heard: Result<Heard, String>) -> Result<Option<Message>, String> {
    match heard? {
        Heard::Connected => {
            {
                let mut state = link.state();
                state.connected_since = Some((link.clock)());
                state.topics_granted = 0; // Until this connection's own answer.
                state.fault = None;
            }
            link.desk.memory().counted.connections += 1;
            let topics = link.desk.topics();
            tracing::info!(broker = link.broker.id, topics = topics.len(), "MQTT 已连接 (a broker is connected)");
            if !topics.is_empty() {
                client.subscribe(&topics).await?;
            }
            Ok(None)
        }
        Heard::Subscribed { granted, refused } => {
            {
                let mut state = link.state();
                (state.topics_granted, state.topics_refused) = (granted, refused);
            }
            if refused > 0 {
                tracing::error!(broker = link.broker.id, refused, "MQTT 订阅被拒绝 (the broker refuses topics)");
            }
            Ok(None)
        }
        Heard::Message(message) => Ok(Some(message)),
        Heard::Else => Ok(None),
    }
}

/// Into the queue, or the written answer to its being full.
async fn pass_on(
    link: &Link,
    client: &Arc<Client>,
    message: Message,
    queue: &mpsc::Sender<Waiting>,
    bytes: &Arc<Semaphore>,
) -> Result<(), String> {
    link.state().last_message = Some((link.clock)());
    // Nobody may wait for more bytes than there are.
    let size = message.payload.len().clamp(1, link.limits.queue_bytes);
    let size = u32::try_from(size).unwrap_or(u32::MAX);
    let again = message.ack.is_some();
    let waiting = |room| Waiting { message, client: Arc::clone(client), _bytes: room };
    let place = queue.try_reserve().ok().zip(Arc::clone(bytes).try_acquire_many_owned(size).ok());
    if let Some((place, room)) = place {
        place.send(waiting(room));
        return Ok(());
    }
    if !again {
        link.desk.memory().counted.dropped += 1;
        return Ok(());
    }
    link.desk.memory().counted.waits += 1;
    let room = async { queue.reserve().await.ok().zip(Arc::clone(bytes).acquire_many_owned(size).await.ok()) };
    // The broker must hear of us in between, or it takes the line for dead.
    let patience = link.limits.patience.min(Duration::from_secs(link.broker.keep_alive_s.into()) / 2);
    if let Ok(Some((place, room))) = tokio::time::timeout(patience, room).await {
        place.send(waiting(room));
        return Ok(());
    }
    link.desk.memory().counted.overruns += 1;
    Err("队列已满，未确认的报文由服务器重发 (queue full: the broker sends again what was not acknowledged)".to_owned())
}

/// From the queue to the store, and back to the broker.
struct Writer {
    link: Arc<Link>,
    sink: Arc<dyn Sink>,
    shelf: Shelf,
}

impl Writer {
    async fn run(self, mut inbox: mpsc::Receiver<Waiting>, stop: CancellationToken) {
        let mut waiting = Vec::new();
        loop {
            let count = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                count = inbox.recv_many(&mut waiting, self.link.limits.batch) => count,
            };
            if count == 0 {
                return;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.settle(waiting.drain(..)) => {}
            }
        }
    }

    /// Durable first, then acknowledged, in the order in which they came.
    async fn settle(&self, waiting: impl Iterator<Item = Waiting>) {
        let (mut readings, mut letters, mut acks) = (Vec::new(), Vec::new(), Vec::new());
        let mut messages = 0;
        for one in waiting {
            let now = (self.link.clock)();
            let Message { topic, payload, retained, ack } = one.message;
            let taken = self.link.desk.take(&topic, &payload, retained, now);
            messages += 1;
            readings.extend(taken.readings);
            letters.extend(taken.dead.map(|letter| json!({ "broker": self.link.broker.id, "letter": letter })));
            acks.extend(ack.map(|ack| (one.client, ack)));
            if readings.len() >= READINGS_AT_ONCE {
                self.keep(&mut readings, &mut letters, &mut acks, &mut messages).await;
            }
        }
        self.keep(&mut readings, &mut letters, &mut acks, &mut messages).await;
    }

    async fn keep(
        &self,
        readings: &mut Vec<Reading>,
        letters: &mut Vec<Value>,
        acks: &mut Vec<(Arc<Client>, Ack)>,
        messages: &mut u64,
    ) {
        if !readings.is_empty() {
            self.store(std::mem::take(readings)).await;
            self.link.state().last_kept = Some((self.link.clock)());
        }
        let lost = letters.len() as u64;
        if !letters.is_empty() && !self.shelf.keep_all(DEAD, std::mem::take(letters)).await {
            self.link.desk.memory().counted.dead_lost += lost;
        }
        for (client, ack) in acks.drain(..) {
            client.acknowledge(ack).await;
        }
        self.link.desk.memory().counted.settled += std::mem::take(messages);
    }

    /// Tried until it is durable: the broker waits as long, and keeps what comes meanwhile.
    async fn store(&self, readings: Vec<Reading>) {
        let mut back_off = BackOff::new(&self.link.limits);
        while let Err(fault) = self.sink.keep(readings.clone()).await {
            let wait = back_off.wait();
            tracing::error!(
                broker = self.link.broker.id,
                fault = &fault as &dyn std::error::Error,
                wait_s = wait.as_secs_f64(),
                "MQTT 报文未落盘，不予确认 (messages are not durable and not acknowledged)"
            );
            tokio::time::sleep(wait).await;
        }
    }
}
