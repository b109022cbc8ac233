//! The one worker that writes: it merges waiting appends into one commit, seals a few heads with each, and tidies when idle.
//!
//! Order of one commit, all in one transaction: names of new series, the journal entry, chunks of the heads that are
//! due, the mark how far each of those series is sealed, journal entries nobody needs any more. After the commit memory is
//! locked, the callers are answered, and memory is brought up: they go on meanwhile, and whoever reads after an answer waits
//! for the lock. A crash between any two of these steps leaves either all of it or nothing.

use super::coarse::Horizon;
use super::embedded::Shared;
use super::error::from_database;
use super::frame::{Frame, entry_of};
use super::seal::{Draft, drafts, unions};
use super::spool::Trim;
use super::{Durable, SeriesError, chunk, schema};
use crate::model::SeriesId;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Row};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

/// How long the worker waits for work before it tidies.
const IDLE: Duration = Duration::from_millis(20);
/// Under steady load one series is tidied after this many commits.
const COMMITS_BETWEEN_TIDYING: u64 = 512;
/// Late or small chunks of a series that make it worth tidying.
const LATE_CHUNKS: u64 = 8;
const SMALL_CHUNKS: u64 = 16;
/// Free pages handed back to the system in one go.
const VACUUM_PAGES: i64 = 2000;

/// Where the answer to a command goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, SeriesError>>;

/// What the worker can be asked.
pub(super) enum Command {
    /// Make these points durable.
    Append { frame: Frame, reply: Reply<Durable> },
    /// Put every point that is in the journal now into chunks and give free space back.
    Seal { reply: Reply<()> },
    /// Merge overlapping and small chunks of all series.
    Tidy { reply: Reply<()> },
    /// Down-sample what is older than a horizon, a little at a time.
    Retain { horizon: Horizon, reply: Reply<()> },
    /// The remote store has every entry up to this one.
    Sent { through: u64, reply: Reply<()> },
    /// The remote store has everything observed in this span of time.
    GapSent { gap: (i64, i64), reply: Reply<()> },
}

/// A place in a commit or a rewrite at which a crash can be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommitStep {
    Begun,
    SeriesNamed,
    EntryWritten,
    ChunksWritten,
    SeriesMarked,
    JournalTrimmed,
    Committed,
    OldChunksGone,
    NewChunksWritten,
    ChunksReplaced,
    PointsGone,
    PointsCoarse,
}

/// Chunks of one series, ready to be written.
struct SealedHead {
    number: u32,
    chunks: Vec<SealedChunk>,
}

pub(super) struct SealedChunk {
    t0: i64,
    t1: i64,
    n: usize,
    late: bool,
    body: Vec<u8>,
}

/// The worker's own state.
pub(super) struct Writer {
    pub(super) conn: SqliteConnection,
    /// A write failed on the connection: nobody knows whether its transaction is over.
    pub(super) doubtful: bool,
    pub(super) shared: Arc<Shared>,
    /// Journal entries in the file and their sizes.
    pub(super) journal: VecDeque<(u64, usize)>,
    pub(super) next_entry: u64,
    /// Series whose names are in the file.
    pub(super) named: usize,
    pub(super) commits: u64,
    /// Series with chunks to merge.
    pub(super) untidy: BTreeSet<u32>,
    pub(super) sealing: Vec<Reply<()>>,
    /// Entries up to this one are to be sealed for `sealing`.
    pub(super) seal_through: u64,
    pub(super) tidying: Vec<Reply<()>>,
    /// What is being down-sampled, the next series, and who waits for it.
    pub(super) retaining: Option<(Horizon, u32, Vec<Reply<()>>)>,
    /// Entries before this one are in chunks, as memory and the file know it.
    pub(super) needed: u64,
}

impl Writer {
    /// Works until every sender is gone, then closes the file.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        while let Some(command) = self.next(&mut inbox).await {
            match command {
                Command::Append { frame, reply } => {
                    let behind = self.append(frame, reply, &mut inbox).await;
                    if let Some(errand) = behind {
                        self.note(errand).await;
                    }
                }
                errand => self.note(errand).await,
            }
            if self.shared.trip.is_tripped() {
                return; // A played crash: nothing is tidied up, nobody is answered.
            }
        }
        // What is not sealed stays in the journal; the next start replays it.
        let _ = self.conn.close().await;
    }

    /// The next command; meanwhile errands are done slice by slice, and idle time is used for tidying.
    async fn next(&mut self, inbox: &mut mpsc::Receiver<Command>) -> Option<Command> {
        loop {
            match inbox.try_recv() {
                Ok(command) => return Some(command),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => {}
            }
            if !self.sealing.is_empty() {
                self.seal_slice().await;
            } else if !self.tidying.is_empty() {
                self.tidy_slice().await;
            } else if self.retaining.is_some() {
                self.retain_slice().await;
            } else if self.untidy.is_empty() {
                return inbox.recv().await;
            } else if let Ok(command) = tokio::time::timeout(IDLE, inbox.recv()).await {
                return command;
            } else {
                self.tidy_slice().await;
            }
            if self.shared.trip.is_tripped() {
                return None;
            }
        }
    }

    async fn note(&mut self, errand: Command) {
        match errand {
            Command::Seal { reply } => {
                self.seal_through = self.next_entry;
                self.sealing.push(reply);
            }
            Command::Tidy { reply } => {
                self.untidy.extend(0..self.named as u32);
                self.tidying.push(reply);
            }
            Command::Retain { horizon, reply } => {
                // A later horizon holds for those who already wait, too: from the first series on.
                let mut replies = self.retaining.take().map(|(.., replies)| replies).unwrap_or_default();
                replies.push(reply);
                self.retaining = Some((horizon, 0, replies));
            }
            Command::Sent { through, reply } => drop(reply.send(self.note_sent(through).await)),
            Command::GapSent { gap, reply } => drop(reply.send(self.note_gap_sent(gap).await)),
            Command::Append { .. } => debug_assert!(false, "appends are not errands"),
        }
    }

    /// Commits the frame together with all that wait behind it; gives back an errand met on the way.
    async fn append(
        &mut self,
        frame: Frame,
        reply: Reply<Durable>,
        inbox: &mut mpsc::Receiver<Command>,
    ) -> Option<Command> {
        let mut points = frame.points;
        let (mut frames, mut replies, mut errand) = (vec![frame], vec![reply], None);
        while points < self.shared.limits.batch_points_max && errand.is_none() {
            match inbox.try_recv() {
                Ok(Command::Append { frame, reply }) => {
                    points += frame.points;
                    frames.push(frame);
                    replies.push(reply);
                }
                Ok(other) => errand = Some(other),
                Err(_) => break,
            }
        }
        let crowded = self.journal_bytes() > self.shared.limits.journal_bytes;
        let budget = points * 2 + self.shared.limits.chunk_points;
        let due = self.shared.heads().due(budget, crowded);
        let outcome = self.commit(&frames, &mut replies, &due).await;
        if self.shared.trip.is_tripped() {
            return None;
        }
        if let Err(fault) = outcome {
            replies.into_iter().for_each(|reply| drop(reply.send(Err(fault.clone()))));
        }
        if self.commits.is_multiple_of(COMMITS_BETWEEN_TIDYING) {
            self.tidy_slice().await;
        }
        errand
    }

    fn journal_bytes(&self) -> u64 {
        self.shared.journal_bytes.load(Ordering::Relaxed)
    }

    /// Writes one journal entry (none if there are no frames) and the chunks of the heads that are due; answers the callers, one a
    /// frame, if that succeeds.
    async fn commit(
        &mut self,
        frames: &[Frame],
        replies: &mut Vec<Reply<Durable>>,
        due: &[u32],
    ) -> Result<(), SeriesError> {
        self.make_sound().await?;
        let points = frames.iter().map(|frame| frame.points).sum();
        let entry = self.next_entry;
        // Never used twice, even if the commit fails half-way in a way nobody can tell.
        self.next_entry += 1;
        let body = (!frames.is_empty()).then(|| entry_of(frames));
        let mut sealed = Vec::with_capacity(due.len());
        for &number in due {
            sealed.push(self.seal_head(number).await?);
        }
        let needed = self.shared.heads().oldest_entry_without(due).unwrap_or(entry);
        let trim = self.trim(needed).await?;
        let names = self.unnamed();
        self.write(entry, body.as_deref(), &names, &sealed, &trim)
            .await
            .map_err(|fault| fault.unwrap_or_else(|cause| self.fault("writing points", points, cause)))?;
        let answer = || {
            for (frame, reply) in frames.iter().zip(replies.drain(..)) {
                // A caller that no longer waits has lost only its answer.
                let _ = reply.send(Ok(Durable { points: frame.points, entry }));
            }
        };
        self.remember(entry, body.as_deref(), names.len(), sealed, &trim, answer);
        Ok(())
    }

    pub(super) fn fault(&mut self, doing: &'static str, points: usize, cause: sqlx::Error) -> SeriesError {
        self.doubtful = true;
        from_database(&self.shared.path, doing, points, cause)
    }

    /// Replaces the connection after a failure: a full disk ends a transaction behind the driver's back.
    pub(super) async fn make_sound(&mut self) -> Result<(), SeriesError> {
        if self.doubtful {
            self.conn = schema::open_writer(&self.shared.path, self.shared.limits.file_bytes_max).await?;
            self.doubtful = false;
        }
        Ok(())
    }

    /// Series that have a number in memory and no name in the file.
    fn unnamed(&self) -> Vec<SeriesId> {
        self.shared.registry().ids().get(self.named..).unwrap_or_default().to_vec()
    }

    async fn write(
        &mut self,
        entry: u64,
        body: Option<&[u8]>,
        names: &[SeriesId],
        sealed: &[SealedHead],
        trim: &Trim,
    ) -> Result<(), Halt> {
        let trip = &self.shared.trip;
        let mut tx = self.conn.begin_with("BEGIN IMMEDIATE").await?;
        trip.pass(CommitStep::Begun)?;
        if !names.is_empty() {
            // One statement for all: a first batch brings thousands.
            let text = "INSERT OR IGNORE INTO series (number, id) SELECT $1 + key, value FROM json_each($2)";
            let list: Vec<&str> = names.iter().map(SeriesId::as_str).collect();
            let list = serde_json::Value::from(list).to_string();
            sqlx::query(text).bind(self.named as i64).bind(list).execute(&mut *tx).await?;
        }
        trip.pass(CommitStep::SeriesNamed)?;
        if let Some(body) = body {
            let insert = sqlx::query("INSERT INTO journal (entry, body) VALUES ($1, $2)");
            insert.bind(entry as i64).bind(body).execute(&mut *tx).await?;
            trip.pass(CommitStep::EntryWritten)?;
        }
        if !sealed.is_empty() {
            let chunks = sealed.iter().flat_map(|head| head.chunks.iter().map(|chunk| (head.number, chunk)));
            insert_chunks(&mut tx, &chunks.collect::<Vec<_>>(), entry as i64 - 1).await?;
            trip.pass(CommitStep::ChunksWritten)?;
            let text = "UPDATE series SET sealed = $1 WHERE number IN (SELECT value FROM json_each($2))";
            let numbers: Vec<u32> = sealed.iter().map(|head| head.number).collect();
            let numbers = serde_json::Value::from(numbers).to_string();
            sqlx::query(text).bind(entry as i64 - 1).bind(numbers).execute(&mut *tx).await?;
            trip.pass(CommitStep::SeriesMarked)?;
        }
        trim.write(&mut tx, self.needed).await?;
        if self.journal.front().is_some_and(|(oldest, _)| *oldest < trim.before) {
            let delete = sqlx::query("DELETE FROM journal WHERE entry < $1");
            delete.bind(trim.before as i64).execute(&mut *tx).await?;
            trip.pass(CommitStep::JournalTrimmed)?;
        }
        tx.commit().await?;
        trip.pass(CommitStep::Committed)
    }

    /// Brings memory to what the file now holds; `answer` is called as soon as nobody can read what it held before.
    fn remember(
        &mut self,
        entry: u64,
        body: Option<&[u8]>,
        named: usize,
        sealed: Vec<SealedHead>,
        trim: &Trim,
        answer: impl FnOnce(),
    ) {
        self.commits += 1;
        self.named += named;
        self.trimmed(trim);
        self.journal.extend(body.map(|body| (entry, body.len())));
        self.count_journal();
        let mut heads = self.shared.heads_mut();
        answer();
        for head in sealed {
            heads.clear_head(head.number);
            let Some(slot) = heads.slot_mut(head.number) else { continue };
            slot.sealed = entry - 1;
            for chunk in &head.chunks {
                slot.frontier = Some(slot.frontier.map_or(chunk.t1, |t| t.max(chunk.t1)));
                slot.chunks += 1;
                slot.chunk_points += chunk.n as u64;
                slot.late_chunks += u64::from(chunk.late);
                slot.small_chunks += u64::from(chunk.n <= self.shared.limits.chunk_points / 4);
            }
            if slot.late_chunks >= LATE_CHUNKS || slot.small_chunks >= SMALL_CHUNKS {
                self.untidy.insert(head.number);
            }
        }
        if let Some(Err(reason)) = body.map(|body| heads.apply(entry, body)) {
            tracing::error!(entry, reason, "an entry just written cannot be read");
        }
        drop(heads);
        self.shared.spool.committed();
    }

    /// Compresses the head of one series; points that fall among its chunks go into late chunks.
    async fn seal_head(&mut self, number: u32) -> Result<SealedHead, SeriesError> {
        let (points, frontier) = {
            let heads = self.shared.heads();
            heads.slot(number).map(|slot| (slot.head.clone(), slot.frontier)).unwrap_or_default()
        };
        let points = points.merged();
        let first = points.times.first().copied().unwrap_or_default();
        let taken = match frontier {
            Some(frontier) if first <= frontier => self.spans_after(number, first).await?,
            _ => Vec::new(),
        };
        let drafts = drafts(&points, &unions(taken), self.shared.limits.chunk_points);
        Ok(SealedHead { number, chunks: self.compress(number, drafts)? })
    }

    /// First and last moment of each chunk of a series that ends at or after `first`.
    async fn spans_after(&mut self, number: u32, first: i64) -> Result<Vec<(i64, i64)>, SeriesError> {
        let text = "SELECT t0, t1 FROM chunk WHERE series = $1 AND t1 >= $2";
        let rows = sqlx::query(text).bind(i64::from(number)).bind(first).fetch_all(&mut self.conn).await;
        let rows = rows.map_err(|cause| self.fault("looking for overlapping chunks", 0, cause))?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    pub(super) fn compress(&self, number: u32, drafts: Vec<Draft>) -> Result<Vec<SealedChunk>, SeriesError> {
        let seal = |draft: Draft| {
            let body = chunk::encode(&draft.points)
                .map_err(|reason| SeriesError::Compress { series: self.shared.id_of(number), reason })?;
            let times = &draft.points.times;
            let (t0, t1) = (times.first().copied().unwrap_or(0), times.last().copied().unwrap_or(0));
            Ok(SealedChunk { t0, t1, n: times.len(), late: draft.late, body })
        };
        drafts.into_iter().map(seal).collect()
    }

    /// Seals some heads for those who asked for all to be sealed; answers them when it is done.
    async fn seal_slice(&mut self) {
        let waiting = self.shared.heads().oldest_entry().is_some_and(|oldest| oldest < self.seal_through);
        let outcome = if waiting {
            let due = self.shared.heads().due(self.shared.limits.chunk_points * 8, true);
            match self.commit(&[], &mut Vec::new(), &due).await {
                Ok(()) => return,
                Err(fault) => Err(fault),
            }
        } else {
            self.give_space_back().await
        };
        if !self.shared.trip.is_tripped() {
            self.sealing.drain(..).for_each(|reply| drop(reply.send(outcome.clone())));
        }
    }

    /// Hands free pages to the system and empties the write-ahead log.
    async fn give_space_back(&mut self) -> Result<(), SeriesError> {
        let doing = "giving space back";
        self.make_sound().await?;
        loop {
            let free = sqlx::query_scalar::<_, i64>("PRAGMA freelist_count").fetch_one(&mut self.conn).await;
            if free.map_err(|cause| self.fault(doing, 0, cause))? == 0 {
                break;
            }
            let pragma = sqlx::AssertSqlSafe(format!("PRAGMA incremental_vacuum({VACUUM_PAGES})"));
            let done = sqlx::query(pragma).execute(&mut self.conn).await;
            done.map_err(|cause| self.fault(doing, 0, cause))?;
        }
        let done = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut self.conn).await;
        done.map_err(|cause| self.fault(doing, 0, cause))?;
        Ok(())
    }
}

/// Inserts chunk rows, many with one statement: each statement costs two switches of threads.
pub(super) async fn insert_chunks(
    conn: &mut SqliteConnection,
    chunks: &[(u32, &SealedChunk)],
    revision: i64,
) -> Result<(), sqlx::Error> {
    const ROWS: usize = 64;
    for some in chunks.chunks(ROWS) {
        let mut insert = sqlx::QueryBuilder::new("INSERT INTO chunk (series, t0, t1, n, late, revision, body) ");
        insert.push_values(some, |mut row, (number, chunk)| {
            row.push_bind(i64::from(*number)).push_bind(chunk.t0).push_bind(chunk.t1).push_bind(chunk.n as i64);
            row.push_bind(chunk.late).push_bind(revision).push_bind(chunk.body.clone());
        });
        insert.build().execute(&mut *conn).await?;
    }
    Ok(())
}

/// Why a transaction was not finished.
pub(super) enum Halt {
    /// The database refused.
    Database(sqlx::Error),
    /// A crash is being played.
    #[cfg_attr(not(test), expect(dead_code, reason = "crashes are played in tests only"))]
    Tripped(SeriesError),
}

impl From<sqlx::Error> for Halt {
    fn from(cause: sqlx::Error) -> Self {
        Self::Database(cause)
    }
}

impl Halt {
    /// The store's own error; a database error is put into words by `explain`.
    pub(super) fn unwrap_or_else(self, explain: impl FnOnce(sqlx::Error) -> SeriesError) -> SeriesError {
        match self {
            Self::Database(cause) => explain(cause),
            Self::Tripped(fault) => fault,
        }
    }
}
