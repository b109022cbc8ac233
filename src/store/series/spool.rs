//! The spool towards a remote store is the journal itself: an entry stays until the remote store has it.
//!
//! So one mechanism answers three questions. What was acknowledged survives a crash, because it is in the journal. What
//! memory lost is there again at start, because the journal is replayed. What a remote store missed reaches it later, in
//! order, because the journal waits for it. Kept beside it are two marks: `needed`, before which every entry is in chunks
//! and is not replayed, and `sent`, up to which the remote store has every entry.
//!
//! The journal is bounded. When it is full its oldest entries go; their points are in chunks, and the span of their
//! times is kept as a *gap* that is sent again out of the chunks once the remote store is back. Nothing is lost then either.

use super::error::from_database;
use super::frame::read_entry;
use super::schema::{Marks, put_mark};
use super::writer::Writer;
use super::{SeriesError, schema};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Row};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// When the spool is full this share of it goes at once, so that it is not done with every commit.
const SHARE: u64 = 16;

/// What the worker and the relay share about the spool.
#[derive(Debug, Default)]
pub(super) struct Spool {
    /// Most bytes of entries that wait; `None`: nothing waits for a remote store.
    bytes_max: Option<u64>,
    sent: AtomicU64,
    /// Bytes of the entries that wait.
    bytes: AtomicU64,
    gap: Mutex<Option<(i64, i64)>>,
    whole_from: Option<i64>,
    wake: Notify,
}

impl Spool {
    /// Of what the file remembers; `sent` is filled in if this is the first start with a remote store.
    pub(super) fn new(bytes_max: Option<u64>, marks: &Marks) -> Self {
        Self {
            bytes_max,
            sent: AtomicU64::new(marks.sent.unwrap_or(0)),
            bytes: AtomicU64::new(0),
            gap: Mutex::new(marks.gap),
            whole_from: marks.whole_from,
            wake: Notify::new(),
        }
    }
    /// Entries up to this one are at the remote store.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Acquire)
    }
    /// Bytes of the entries that wait for the remote store.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
    /// What must go again out of the chunks.
    pub(super) fn gap(&self) -> Option<(i64, i64)> {
        *self.gap.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Before this moment a remote store knows more than this one.
    pub(super) fn whole_from(&self) -> Option<i64> {
        self.whole_from
    }
    fn set_gap(&self, gap: Option<(i64, i64)>) {
        *self.gap.lock().unwrap_or_else(PoisonError::into_inner) = gap;
    }
    /// Tells whoever sends that there is something new.
    pub(super) fn committed(&self) {
        if self.bytes_max.is_some() {
            self.wake.notify_one();
        }
    }
    /// Waits for something new; what came before the call counts.
    pub(super) async fn news(&self) {
        self.wake.notified().await;
    }
}

/// What a commit takes off the front of the journal, and the marks that go with it.
#[derive(Debug, Default)]
pub(super) struct Trim {
    /// Entries before this one go.
    pub(super) before: u64,
    needed: u64,
    /// Entries that go without having been sent: the new marks `sent` and `gap`.
    dropped: Option<(u64, (i64, i64))>,
    spooled: bool,
}

impl Trim {
    /// Writes the marks; `known` is `needed` as the file has it.
    pub(super) async fn write(&self, conn: &mut SqliteConnection, known: u64) -> Result<(), sqlx::Error> {
        if !self.spooled {
            return Ok(());
        }
        if self.needed > known {
            put_mark(conn, "needed", Some(self.needed as i64)).await?;
        }
        if let Some((sent, gap)) = self.dropped {
            put_mark(conn, "sent", Some(sent as i64)).await?;
            put_gap(conn, Some(gap)).await?;
        }
        Ok(())
    }
}

async fn put_gap(conn: &mut SqliteConnection, gap: Option<(i64, i64)>) -> Result<(), sqlx::Error> {
    put_mark(conn, "gap_from", gap.map(|(from, _)| from)).await?;
    put_mark(conn, "gap_to", gap.map(|(_, to)| to)).await
}

impl Writer {
    /// What the next commit may take off the journal when entries before `needed` are in chunks.
    pub(super) async fn trim(&mut self, needed: u64) -> Result<Trim, SeriesError> {
        let spool = &self.shared.spool;
        let Some(most) = spool.bytes_max else { return Ok(Trim { before: needed, needed, ..Trim::default() }) };
        let free = needed.min(spool.sent() + 1);
        let mut over = spool.bytes().saturating_sub(most);
        if over > 0 {
            over += most / SHARE;
        }
        let mut last = None;
        for (entry, bytes) in self.journal.iter().filter(|(entry, _)| (free..needed).contains(entry)) {
            if over == 0 {
                break;
            }
            over = over.saturating_sub(*bytes as u64);
            last = Some(*entry);
        }
        let Some(last) = last else { return Ok(Trim { before: free, needed, dropped: None, spooled: true }) };
        let span = self.times(free, last).await?;
        let gap = match self.shared.spool.gap() {
            Some((from, to)) => (from.min(span.0), to.max(span.1)),
            None => span,
        };
        tracing::error!(
            entries = last + 1 - free,
            "待转发队列已满，最旧部分改为恢复后从本地库补发 (the spool is full: its oldest part will be sent out of the local store)"
        );
        Ok(Trim { before: last + 1, needed, dropped: Some((last, gap)), spooled: true })
    }

    /// First and last observed time in some entries.
    async fn times(&mut self, from: u64, to: u64) -> Result<(i64, i64), SeriesError> {
        let (mut first, mut last, mut after) = (i64::MAX, i64::MIN, from as i64 - 1);
        let text = "SELECT entry, body FROM journal WHERE entry > $1 AND entry <= $2 ORDER BY entry LIMIT 1";
        loop {
            let row = sqlx::query(text).bind(after).bind(to as i64).fetch_optional(&mut self.conn).await;
            let Some(row) = row.map_err(|cause| self.fault("shortening its journal", 0, cause))? else { break };
            after = row.get(0);
            let read = read_entry(row.get(1), |point| (first, last) = (first.min(point.at), last.max(point.at)));
            if let Err(reason) = read {
                tracing::error!(entry = after, reason, "an entry of the journal cannot be read");
            }
        }
        Ok((first, last))
    }

    /// Brings memory to what the file holds after a trim.
    pub(super) fn trimmed(&mut self, trim: &Trim) {
        while self.journal.front().is_some_and(|(oldest, _)| *oldest < trim.before) {
            self.journal.pop_front();
        }
        self.needed = self.needed.max(trim.needed);
        if let Some((sent, gap)) = trim.dropped {
            self.shared.spool.sent.store(sent, Ordering::Release);
            self.shared.spool.set_gap(Some(gap));
        }
    }

    /// Counts the bytes that are not in chunks yet and those that wait for the remote store.
    pub(super) fn count_journal(&mut self) {
        let unsealed = self.journal.iter().rev().take_while(|(entry, _)| *entry >= self.needed);
        let unsealed = unsealed.map(|(_, bytes)| *bytes as u64).sum();
        self.shared.journal_bytes.store(unsealed, Ordering::Relaxed);
        let spool = &self.shared.spool;
        if spool.bytes_max.is_some() {
            let sent = spool.sent();
            let waiting = self.journal.iter().rev().take_while(|(entry, _)| *entry > sent);
            spool.bytes.store(waiting.map(|(_, bytes)| *bytes as u64).sum(), Ordering::Relaxed);
        }
    }

    /// The remote store has every entry up to `through`: what is also in chunks goes.
    pub(super) async fn note_sent(&mut self, through: u64) -> Result<(), SeriesError> {
        if through <= self.shared.spool.sent() {
            return Ok(());
        }
        self.make_sound().await?;
        let before = self.needed.min(through + 1);
        let done = self.write_sent(through, before).await;
        done.map_err(|cause| self.fault("noting what was sent", 0, cause))?;
        self.shared.spool.sent.store(through, Ordering::Release);
        self.trimmed(&Trim { before, ..Trim::default() });
        self.count_journal();
        Ok(())
    }

    async fn write_sent(&mut self, through: u64, before: u64) -> Result<(), sqlx::Error> {
        let mut tx = self.conn.begin_with("BEGIN IMMEDIATE").await?;
        put_mark(&mut tx, "sent", Some(through as i64)).await?;
        sqlx::query("DELETE FROM journal WHERE entry < $1").bind(before as i64).execute(&mut *tx).await?;
        tx.commit().await
    }

    /// The remote store has all of `gap`; a gap that has grown meanwhile stays.
    pub(super) async fn note_gap_sent(&mut self, gap: (i64, i64)) -> Result<(), SeriesError> {
        if self.shared.spool.gap() != Some(gap) {
            return Ok(());
        }
        self.make_sound().await?;
        let done = put_gap(&mut self.conn, None).await;
        done.map_err(|cause| self.fault("noting what was sent", 0, cause))?;
        self.shared.spool.set_gap(None);
        Ok(())
    }
}

/// Prepares the marks when a store is opened with a remote store behind it; `now_ms` is Unix ms.
pub(super) async fn begin(
    conn: &mut SqliteConnection,
    path: &std::path::Path,
    loaded: &mut schema::Loaded,
    now_ms: i64,
) -> Result<(), SeriesError> {
    let fail = |cause| from_database(path, "preparing the spool", 0, cause);
    let last = loaded.next_entry.saturating_sub(1);
    let marks = &mut loaded.marks;
    if marks.sent.is_none() {
        // The first start with a remote store: what is here already goes there by `anlan store migrate`.
        marks.sent = Some(last);
        put_mark(conn, "sent", Some(last as i64)).await.map_err(fail)?;
        if loaded.registry.len() == 0 {
            marks.whole_from = Some(now_ms);
            put_mark(conn, "whole_from", marks.whole_from).await.map_err(fail)?;
        }
    } else if marks.alone {
        // Meanwhile the store ran without its remote store and let go of entries: everything goes again.
        (marks.sent, marks.gap, marks.alone) = (Some(last), Some((i64::MIN, i64::MAX)), false);
        put_mark(conn, "sent", Some(last as i64)).await.map_err(fail)?;
        put_gap(conn, marks.gap).await.map_err(fail)?;
        put_mark(conn, "alone", None).await.map_err(fail)?;
    }
    Ok(())
}

/// Marks a store that had a remote store and is now opened without: it lets go of entries that were not sent.
pub(super) async fn leave(
    conn: &mut SqliteConnection,
    path: &std::path::Path,
    marks: &Marks,
) -> Result<(), SeriesError> {
    if marks.sent.is_none() || marks.alone {
        return Ok(());
    }
    let done = put_mark(conn, "alone", Some(1)).await;
    done.map_err(|cause| from_database(path, "leaving its remote store", 0, cause))
}
