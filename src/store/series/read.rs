//! Answers: chunks from the file and the head from memory, merged in order of time.
//!
//! The head is copied before the chunks are read. A seal in between shows points twice, which merging removes;
//! the other order could show them not at all.

use super::coarse::{self, StoredBuckets};
use super::damage::DamagedSpan;
use super::error::from_database;
use super::points::{Points, replaces};
use super::rollup::{Bucket, Rollup};
use super::{Sample, SeriesError, Step, chunk, schema};
use crate::model::SeriesId;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Connections for reading; a caller waits while all are out.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    free: Mutex<Vec<SqliteConnection>>,
    permits: Semaphore,
}

impl Readers {
    pub(super) fn new(path: PathBuf, most: usize) -> Self {
        Self { path, free: Mutex::default(), permits: Semaphore::new(most) }
    }
    /// The file.
    pub(super) fn path(&self) -> &std::path::Path {
        &self.path
    }
    /// One connection, opened if none is free; it comes back when the loan is dropped.
    pub(super) async fn lend(&self) -> Result<Loan<'_>, SeriesError> {
        let closed = |_| SeriesError::Closed { path: self.path.clone() };
        let permit = self.permits.acquire().await.map_err(closed)?;
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = match free {
            Some(conn) => conn,
            None => schema::open_reader(&self.path).await?,
        };
        Ok(Loan { readers: self, conn: Some(conn), _permit: permit })
    }
    /// Chunks of a series that share a moment with `from..to`.
    pub(super) async fn chunks(&self, number: u32, from: i64, to: i64) -> Result<Vec<StoredChunk>, SeriesError> {
        let mut conn = self.lend().await?;
        let text = "SELECT number, t0, t1, revision, body FROM chunk WHERE series = $1 AND t1 >= $2 AND t0 < $3";
        let rows = sqlx::query(text).bind(i64::from(number)).bind(from).bind(to).fetch_all(conn.get()?).await;
        let rows = rows.map_err(|cause| from_database(&self.path, "reading chunks", 0, cause))?;
        Ok(rows.iter().map(StoredChunk::of).collect())
    }
    /// Journal entries after `after`, oldest first, until `bytes` are together; at least one if there is any.
    pub(super) async fn entries(&self, after: u64, bytes: usize) -> Result<Vec<(u64, Vec<u8>)>, SeriesError> {
        let fail = |cause| from_database(&self.path, "reading its journal", 0, cause);
        let (mut conn, mut entries, mut size, mut after) = (self.lend().await?, Vec::new(), 0, after as i64);
        let text = "SELECT entry, body FROM journal WHERE entry > $1 ORDER BY entry LIMIT 1";
        while size < bytes {
            let row = sqlx::query(text).bind(after).fetch_optional(conn.get()?).await.map_err(fail)?;
            let Some(row) = row else { break };
            let body: Vec<u8> = row.get(1);
            (after, size) = (row.get(0), size + body.len());
            entries.push((after.unsigned_abs(), body));
        }
        Ok(entries)
    }
    /// First and last moment in the chunks of a series.
    pub(super) async fn extent(&self, number: u32) -> Result<Option<(i64, i64)>, SeriesError> {
        let mut conn = self.lend().await?;
        let row = sqlx::query("SELECT min(t0), max(t1) FROM chunk WHERE series = $1").bind(i64::from(number));
        let row = row.fetch_one(conn.get()?).await;
        let row = row.map_err(|cause| from_database(&self.path, "reading chunks", 0, cause))?;
        Ok(row.get::<Option<i64>, _>(0).zip(row.get::<Option<i64>, _>(1)))
    }
}

/// A lent connection.
pub(super) struct Loan<'a> {
    readers: &'a Readers,
    conn: Option<SqliteConnection>,
    _permit: SemaphorePermit<'a>,
}

impl Loan<'_> {
    pub(super) fn get(&mut self) -> Result<&mut SqliteConnection, SeriesError> {
        self.conn.as_mut().ok_or_else(|| SeriesError::Closed { path: self.readers.path.clone() })
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            self.readers.free.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
        }
    }
}

/// A chunk as read.
#[derive(Debug)]
pub(super) struct StoredChunk {
    t0: i64,
    t1: i64,
    /// Later ones replace earlier ones: revision, then row.
    pub(super) order: (i64, i64),
    body: Vec<u8>,
}

impl StoredChunk {
    /// Of number, first and last moment, revision and body.
    pub(super) fn of(row: &sqlx::sqlite::SqliteRow) -> Self {
        Self { t0: row.get(1), t1: row.get(2), order: (row.get(3), row.get(0)), body: row.get(4) }
    }
}

/// What is asked of the points of one series.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) series: SeriesId,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) step: Option<Step>,
    pub(super) samples_max: usize,
}

/// Puts the answer together; memory holds the points of one group of overlapping chunks at a time.
pub(super) fn answer(
    question: &Question,
    mut chunks: Vec<StoredChunk>,
    head: &Points,
    coarse: &[StoredBuckets],
) -> (Result<Vec<Sample>, SeriesError>, Vec<DamagedSpan>) {
    chunks.sort_by_key(|chunk| (chunk.t0, chunk.order));
    let (buckets, mut damaged) = coarse::read(&question.series, coarse, question.from, question.to);
    let buckets = buckets.into_iter().peekable();
    let mut weave = Weave { question, head, next: 0, buckets, rollup: Rollup::new(question.step) };
    let mut rest = chunks.as_mut_slice();
    while let Some(first) = rest.first() {
        let mut end = first.t1;
        let mut size = 0;
        while let Some(chunk) = rest.get(size).filter(|chunk| size == 0 || chunk.t0 <= end) {
            end = end.max(chunk.t1);
            size += 1;
        }
        let (group, tail) = std::mem::take(&mut rest).split_at_mut(size);
        rest = tail;
        group.sort_by_key(|chunk| chunk.order);
        let (points, faulty) = sound_points(&question.series, group);
        damaged.extend(faulty);
        if let Err(fault) = weave.take(&points.merged()) {
            return (Err(fault), damaged);
        }
    }
    (weave.finish(), damaged)
}

/// The points of chunks one after the other, and the spans of those that cannot be read: one bad hour must not hide a week.
pub(super) fn sound_points(series: &SeriesId, group: &[StoredChunk]) -> (Points, Vec<DamagedSpan>) {
    let (mut all, mut damaged) = (Points::default(), Vec::new());
    for chunk in group {
        match chunk::decode(&chunk.body) {
            Ok(points) if all.is_empty() => all = points,
            Ok(points) => all.append(points),
            Err(reason) => damaged.push(DamagedSpan::of(series, (chunk.t0, chunk.t1), reason)),
        }
    }
    (all, damaged)
}

/// As [`sound_points`], for one who will put the points in place of the chunks: nothing may be missing.
pub(super) fn all_points(series: &SeriesId, group: &[StoredChunk]) -> Result<Points, SeriesError> {
    let (points, damaged) = sound_points(series, group);
    damaged.into_iter().next().map_or(Ok(points), |span| Err(span.into()))
}

/// Brings sealed points and the head together; the head came later.
struct Weave<'a> {
    question: &'a Question,
    head: &'a Points,
    next: usize,
    /// Down-sampled history not yet passed.
    buckets: std::iter::Peekable<std::vec::IntoIter<Bucket>>,
    rollup: Rollup,
}

impl Weave<'_> {
    fn take(&mut self, points: &Points) -> Result<(), SeriesError> {
        let Question { from, to, .. } = *self.question;
        for (at, value, code) in points.iter().filter(|(at, ..)| (from..to).contains(at)) {
            match self.head_before(at) {
                Some((value, newer)) if replaces(newer, code) => self.put(at, value, newer),
                _ => self.put(at, value, code),
            }
        }
        self.check()
    }
    /// A point, after the buckets that begin before it or with it.
    fn put(&mut self, at: i64, value: f64, code: u16) {
        while let Some(bucket) = self.buckets.next_if(|bucket| bucket.start <= at) {
            self.rollup.take_bucket(&bucket);
        }
        self.rollup.take(at, value, code);
    }
    /// Lets the head's points before `at` pass; gives the one at `at` if there is one.
    fn head_before(&mut self, at: i64) -> Option<(f64, u16)> {
        while let Some(&earliest) = self.head.times.get(self.next).filter(|earliest| **earliest <= at) {
            let value = self.head.values.get(self.next).copied().unwrap_or(f64::NAN);
            let code = self.head.codes.get(self.next).copied().unwrap_or(u16::MAX);
            self.next += 1;
            if earliest == at {
                return Some((value, code));
            }
            self.put(earliest, value, code);
        }
        None
    }
    fn check(&self) -> Result<(), SeriesError> {
        let Question { series, samples_max, .. } = self.question;
        if self.rollup.len() > *samples_max {
            return Err(SeriesError::AnswerTooLarge { series: series.clone(), limit: *samples_max });
        }
        Ok(())
    }
    fn finish(mut self) -> Result<Vec<Sample>, SeriesError> {
        let head = self.head;
        for (at, value, code) in head.iter().skip(self.next) {
            self.put(at, value, code);
        }
        for bucket in self.buckets.by_ref() {
            self.rollup.take_bucket(&bucket);
        }
        self.check()?;
        Ok(self.rollup.finish())
    }
}
