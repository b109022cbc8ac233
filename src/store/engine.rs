//! The one writer of a reach: takes inputs in order, makes their facts durable, then tells.
//!
//! In: inputs from screens, phones and the watch, through a bounded queue. Out: the published [`State`] and a feed of
//! committed entries. Nothing is published, answered or fed before its transaction has committed; if the commit fails,
//! the working state is thrown away and the callers hear why.
//!
//! When the queue is full, callers wait for a place; they hold no lock meanwhile.

use super::{Answer, Journal, JournalError, Published, StoreError};
use crate::command::{ChainHash, Core, Entry, Input, Refused, State};
use crate::model::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Tells the moment on the clock of the reach.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

const QUEUE: usize = 1024;
const BATCH: usize = 256;
const FEED: usize = 1024;
const LOOK_EVERY: Duration = Duration::from_millis(200);
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// What a caller gets back.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The committed entries; empty when the input changed nothing or was answered before.
    pub entries: Arc<Vec<Entry>>,
    /// The answer as stored under the caller's key, or as just made.
    pub answer: (u16, String),
}

/// Why an input did not become facts.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The core refused it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It could not be made durable; nothing happened.
    #[error("数据库不能写入，指令未生效 (the journal cannot be written, nothing happened): {0}")]
    NotDurable(String),
    /// The sender's key stands for another request already; nothing happened.
    #[error(
        "该 Idempotency-Key 已用于另一请求，未执行；请换新键重发 (the key was used for another request; nothing was done, send it with a new key)"
    )]
    KeyUsed,
    /// The server is going down.
    #[error("系统正在停止 (the server is stopping)")]
    Stopping,
}

/// Renders the answer from the state after the step and its entries.
pub type Render = Box<dyn FnOnce(&State, &[Entry]) -> (u16, String) + Send>;

/// Who sent a change and under which key, so that a repeated change is answered once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OnceKey {
    /// Account.
    pub who: String,
    /// The sender's key.
    pub key: String,
}

/// A journal read to its end.
#[derive(Debug, Clone)]
pub struct Folded {
    /// The state.
    pub state: State,
    /// The end of the chain.
    pub hash: ChainHash,
}

impl Folded {
    /// Reads and checks the whole journal.
    ///
    /// # Errors
    /// When a fact is unreadable or the chain is broken.
    pub async fn of(journal: &Journal) -> Result<Self, JournalError> {
        let mut state = State::default();
        let hash = journal.read_all(|entry| state.apply(&entry)).await?;
        Ok(Self { state, hash })
    }
}

struct Message {
    input: Input,
    once: Option<OnceKey>,
    render: Render,
    reply: oneshot::Sender<Result<Outcome, EngineError>>,
}

/// A handle to the writer; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    queue: mpsc::Sender<Message>,
    published: Published<State>,
    feed: broadcast::Sender<Arc<Vec<Entry>>>,
    journal: Journal,
    core: Arc<Core>,
    clock: Clock,
    probed: Arc<tokio::sync::Mutex<Option<Probed>>>,
}

/// When the disk was last tried, and what came of it.
type Probed = (Instant, Result<(), Arc<StoreError>>);

impl Engine {
    /// Starts the writer after a folded journal; it ends when `stop` is cancelled and the queue is drained.
    pub fn start(
        core: Arc<Core>,
        journal: Journal,
        folded: Folded,
        clock: Clock,
        stop: CancellationToken,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let Folded { state, hash } = folded;
        let (queue, inbox) = mpsc::channel(QUEUE);
        let (feed, _) = broadcast::channel(FEED);
        let published = Published::new(state.clone());
        let engine = Self { queue, published, feed, journal, core, clock, probed: Arc::default() };
        let writer = Writer { engine: engine.clone(), state, hash };
        let handle = tokio::spawn(writer.run(inbox, stop));
        (engine, handle)
    }

    /// The rules.
    pub fn core(&self) -> &Core {
        &self.core
    }
    /// The journal, for reading.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }
    /// The moment on the clock of the reach.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }
    /// The committed state as it stands; it stops nobody, however long it is looked at.
    pub fn state(&self) -> Arc<State> {
        self.published.get()
    }
    /// Committed entries from now on, a batch a commit.
    pub fn feed(&self) -> broadcast::Receiver<Arc<Vec<Entry>>> {
        self.feed.subscribe()
    }

    /// Whether a fact that came now could be made durable; the disk is tried at most once in [`PROBE_EVERY`], however
    /// many ask.
    ///
    /// # Errors
    /// Why it could not.
    pub async fn can_store(&self) -> Result<(), Arc<StoreError>> {
        let mut probed = self.probed.lock().await;
        if let Some((_, result)) = probed.as_ref().filter(|(at, _)| at.elapsed() < PROBE_EVERY) {
            return result.clone();
        }
        let result = self.journal.probe().await.map_err(Arc::new);
        *probed = Some((Instant::now(), result.clone()));
        result
    }

    /// Sends an input and waits until its facts are durable.
    ///
    /// # Errors
    /// When it is refused or cannot be stored; nothing has happened then.
    pub async fn submit(&self, input: Input) -> Result<Outcome, EngineError> {
        self.submit_once(None, input, Box::new(|_, _| (200, String::new()))).await
    }

    /// As [`Self::submit`], with an answer that is stored in the same transaction under the sender's key; the same key
    /// again gets the same answer and no second fact.
    ///
    /// # Errors
    /// When it is refused or cannot be stored; nothing has happened then.
    pub async fn submit_once(
        &self,
        once: Option<OnceKey>,
        input: Input,
        render: Render,
    ) -> Result<Outcome, EngineError> {
        let (reply, answer) = oneshot::channel();
        let message = Message { input, once, render, reply };
        self.queue.send(message).await.map_err(|_| EngineError::Stopping)?;
        answer.await.map_err(|_| EngineError::Stopping)?
    }
}

struct Writer {
    engine: Engine,
    state: State,
    hash: ChainHash,
}

/// One message's part of a batch, until the commit decides.
struct Pending {
    reply: oneshot::Sender<Result<Outcome, EngineError>>,
    result: Result<Outcome, EngineError>,
}

impl Writer {
    async fn run(mut self, mut inbox: mpsc::Receiver<Message>, stop: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    inbox.close();
                    while inbox.recv_many(&mut batch, BATCH).await > 0 {
                        self.work(std::mem::take(&mut batch)).await;
                    }
                    return;
                }
                count = inbox.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    self.work(std::mem::take(&mut batch)).await;
                }
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if self.state.next_due().is_some_and(|due| due <= self.engine.now()) {
                self.tick().await;
            }
        }
    }

    async fn tick(&mut self) {
        let (reply, _) = oneshot::channel();
        let render: Render = Box::new(|_, _| (200, String::new()));
        self.work(vec![Message { input: Input::Tick, once: None, render, reply }]).await;
    }

    async fn work(&mut self, batch: Vec<Message>) {
        let mut entries = Vec::new();
        let mut answers: BTreeMap<OnceKey, Answer> = BTreeMap::new();
        let mut pending = Vec::with_capacity(batch.len());
        for message in batch {
            let result = self.answer(message.input, message.once, message.render, &mut entries, &mut answers).await;
            pending.push(Pending { reply: message.reply, result });
        }
        let failed = self.commit(entries, answers).await.err();
        for Pending { reply, result } in pending {
            // A caller that has gone away does not change what is durable.
            let _ = reply.send(match &failed {
                Some(why) if result.is_ok() => Err(EngineError::NotDurable(why.clone())),
                _ => result,
            });
        }
    }

    async fn answer(
        &mut self,
        input: Input,
        once: Option<OnceKey>,
        render: Render,
        entries: &mut Vec<Entry>,
        answers: &mut BTreeMap<OnceKey, Answer>,
    ) -> Result<Outcome, EngineError> {
        let request = once.as_ref().map(|_| input.mark()).unwrap_or_default();
        if let Some(key) = &once {
            let earlier = match answers.get(key) {
                Some(answer) => Some(answer.clone()),
                None => {
                    let stored = self.engine.journal.answered(&key.who, &key.key).await;
                    stored.map_err(|cause| EngineError::NotDurable(cause.to_string()))?
                }
            };
            if let Some(answer) = earlier {
                if !answer.request.is_empty() && answer.request != request {
                    return Err(EngineError::KeyUsed);
                }
                return Ok(Outcome { entries: Arc::default(), answer: (answer.status, answer.body) });
            }
        }
        let now = self.engine.now();
        let facts = self.engine.core.step(&mut self.state, &input, now)?;
        let answer = render(&self.state, &facts);
        if let Some(key) = once {
            let (status, body) = answer.clone();
            let kept = Answer { who: key.who.clone(), key: key.key.clone(), request, status, body };
            answers.insert(key, kept);
        }
        entries.extend(facts.iter().cloned());
        Ok(Outcome { entries: Arc::new(facts), answer })
    }

    /// Durable first, then published, then fed.
    async fn commit(&mut self, entries: Vec<Entry>, answers: BTreeMap<OnceKey, Answer>) -> Result<(), String> {
        if entries.is_empty() && answers.is_empty() {
            return Ok(());
        }
        let answers: Vec<_> = answers.into_values().collect();
        match self.engine.journal.commit(self.hash, &entries, &answers).await {
            Ok(hash) => {
                self.hash = hash;
                self.engine.published.change(|state| entries.iter().for_each(|entry| state.apply(entry)));
                if !entries.is_empty() {
                    // No listener is no fault: screens read the state when they come back.
                    let _ = self.engine.feed.send(Arc::new(entries));
                }
                Ok(())
            }
            Err(fault) => {
                self.state = State::clone(&self.engine.state());
                tracing::error!(
                    fault = &fault as &dyn std::error::Error,
                    "指令未写入日志，未生效 (nothing was written, nothing happened)"
                );
                Err(fault.to_string())
            }
        }
    }
}
