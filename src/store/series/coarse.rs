//! Down-sampled history: buckets of one minute or one hour with mean, smallest and largest value, in place of old points.
//!
//! In: points of chunks that are older than the site keeps them in full. Out: buckets, which an answer weaves in where the
//! points are gone. The largest and smallest usable value of every bucket are kept bit for bit, and how many values they
//! stand for; so the peak of a flood outlives its readings. A point that comes later for a bucket widens it; it cannot be told from one that
//! is in there already, so means of such buckets may count it twice. A correction of a moment that is only a bucket cannot replace what it corrects.

use super::damage::DamagedSpan;
use super::error::from_database;
use super::points::Points;
use super::read::all_points;
use super::rollup::Bucket;
use super::writer::{Halt, Writer};
use super::{SeriesError, chunk};
use crate::model::Quality;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row};
use std::collections::BTreeMap;

/// Length of a fine bucket: 1 min.
pub(super) const MINUTE_MS: i64 = 60_000;
/// Length of a coarse bucket: 1 h.
pub(super) const HOUR_MS: i64 = 3_600_000;
/// Chunks that one slice takes: about 30,000 points, so that an append waits for it some milliseconds.
const CHUNKS_A_SLICE: usize = 8;
/// Buckets of one row: half a day of minutes, so that hours follow their horizon closely; a month of hours.
const BUCKETS_A_ROW: usize = 720;
/// No usable value, or none that a check objects to.
const NOTHING: u16 = u16::MAX;

/// What is to be down-sampled: moments in Unix ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Horizon {
    /// Points before this become minutes.
    pub(super) points_before: i64,
    /// Minutes before this become hours.
    pub(super) minutes_before: Option<i64>,
}

/// A row of buckets as stored.
#[derive(Debug)]
pub(super) struct StoredBuckets {
    pub(super) row: i64,
    pub(super) every_ms: i64,
    pub(super) body: Vec<u8>,
    span: (i64, i64),
}

impl StoredBuckets {
    pub(super) fn of(row: &SqliteRow) -> Self {
        Self { row: row.get(0), every_ms: row.get(1), body: row.get(2), span: (row.get(3), row.get(4)) }
    }
}

/// Buckets as bytes: columns two by two in the form of chunks, each with its own checksum.
pub(super) fn encode(buckets: &[Bucket]) -> Result<Vec<u8>, String> {
    let mut parts = [const { Points { times: Vec::new(), values: Vec::new(), codes: Vec::new() } }; 5];
    for b in buckets {
        let quality = if b.usable > 0 { b.quality.to_code() } else { NOTHING };
        let objected = b.objected.map_or(NOTHING, Quality::to_code);
        let rows = [
            (b.start, b.min, quality),
            (i64::from(b.usable), b.max, objected),
            (i64::from(b.unusable), b.sum, u16::from(b.by_hand)),
            (0, b.first, 0),
            (0, b.last, 0),
        ];
        for (part, (at, value, code)) in parts.iter_mut().zip(rows) {
            part.push(at, value, code);
        }
    }
    let mut out = Vec::new();
    for part in &parts {
        let body = chunk::encode(part)?;
        out.extend_from_slice(&u32::try_from(body.len()).map_err(|_| "too long")?.to_le_bytes());
        out.extend_from_slice(&body);
    }
    Ok(out)
}

/// The buckets in a row, or what is wrong with it.
pub(super) fn decode(mut body: &[u8], every_ms: i64) -> Result<Vec<Bucket>, String> {
    let mut parts = Vec::with_capacity(5);
    while let Some((length, rest)) = body.split_first_chunk::<4>() {
        let (part, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or("buckets are cut off")?;
        parts.push(chunk::decode(part)?);
        body = rest;
    }
    let [min, max, sum, first, last] = parts.as_slice() else { return Err("buckets lack a column".into()) };
    if [max, sum, first, last].iter().any(|part| part.len() != min.len()) {
        return Err("columns differ in length".into());
    }
    let others = max.iter().zip(sum.iter()).zip(first.iter().zip(last.iter()));
    let quality = |code| (code != NOTHING).then(|| Quality::from_code(code));
    let one =
        |((start, min, code), (((usable, max, objected), (unusable, sum, by_hand)), ((_, first, _), (_, last, _))))| {
            Bucket {
                usable: u32::try_from(usable).unwrap_or(u32::MAX),
                unusable: u32::try_from(unusable).unwrap_or(u32::MAX),
                sum,
                first,
                last,
                min,
                max,
                quality: quality(code).unwrap_or(Quality::GOOD),
                objected: quality(objected),
                by_hand: by_hand != 0,
                ..Bucket::new(start, start.saturating_add(every_ms))
            }
        };
    Ok(min.iter().zip(others).map(one).collect())
}

/// Puts buckets of the same start together; those that are given later came later.
fn gather(buckets: impl IntoIterator<Item = Bucket>, every_ms: i64) -> Vec<Bucket> {
    let mut all: BTreeMap<i64, Bucket> = BTreeMap::new();
    for bucket in buckets {
        let start = bucket.start.div_euclid(every_ms).saturating_mul(every_ms);
        all.entry(start).or_insert_with(|| Bucket::new(start, start.saturating_add(every_ms))).merge(&bucket);
    }
    all.into_values().collect()
}

/// Points in order of time as buckets.
fn of_points(points: &Points, every_ms: i64) -> Vec<Bucket> {
    let single = points.iter().map(|(at, value, code)| {
        let mut bucket = Bucket::new(at, at.saturating_add(1));
        bucket.take(value, code);
        bucket
    });
    gather(single, every_ms)
}

/// Whole chunks of a series that may go, oldest first: not the one with its newest point, which a restart must know.
const OLD_CHUNKS: &str = "SELECT number, t0, t1, revision, body FROM chunk WHERE series = $1 AND t1 < $2 \
     AND t1 < (SELECT max(t1) FROM chunk WHERE series = $1) ORDER BY t0, revision, number LIMIT $3";
/// Rows of buckets of one length in a span.
const BUCKETS_WITHIN: &str = "SELECT number, every_ms, body, t0, t1 FROM coarse WHERE series = $1 AND every_ms = $2 AND t1 >= $3 AND t0 <= $4 ORDER BY t0";
/// Rows of minutes that may become hours, oldest first.
const OLD_MINUTES: &str = "SELECT number, every_ms, body, t0, t1 FROM coarse WHERE series = $1 AND every_ms = $2 AND t1 < $3 ORDER BY t0 LIMIT $4";

impl Writer {
    /// Down-samples one portion of the first series that has something old; answers those who asked once none is left.
    pub(super) async fn retain_slice(&mut self) {
        let Some((horizon, next)) = self.retaining.as_ref().map(|(horizon, next, _)| (*horizon, *next)) else { return };
        // What must go to the remote store out of the chunks stays until it is there.
        let outcome = if next as usize >= self.named || self.shared.spool.gap().is_some() {
            Some(Ok(()))
        } else {
            match self.coarsen(next, horizon).await {
                Ok(true) => None,
                Ok(false) => {
                    if let Some((_, next, _)) = &mut self.retaining {
                        *next += 1;
                    }
                    None
                }
                // It stays as it is; the other series need not wait for it.
                Err(SeriesError::DamagedChunk { series, from, to, reason }) => {
                    self.shared.damage.note([DamagedSpan { series, from, to, reason }]);
                    if let Some((_, next, _)) = &mut self.retaining {
                        *next += 1;
                    }
                    None
                }
                Err(fault) => Some(Err(fault)),
            }
        };
        if let Some(outcome) = outcome
            && let Some((.., replies)) = self.retaining.take()
            && !self.shared.trip.is_tripped()
        {
            replies.into_iter().for_each(|reply| drop(reply.send(outcome.clone())));
        }
    }

    /// One transaction of one series; whether there may be more to do.
    async fn coarsen(&mut self, number: u32, horizon: Horizon) -> Result<bool, SeriesError> {
        self.make_sound().await?;
        let fail = "down-sampling";
        let chunks = sqlx::query(OLD_CHUNKS).bind(i64::from(number)).bind(horizon.points_before);
        let chunks = chunks.bind(CHUNKS_A_SLICE as i64).fetch_all(&mut self.conn).await;
        let chunks = chunks.map_err(|cause| self.fault(fail, 0, cause))?;
        if !chunks.is_empty() {
            let mut stored: Vec<_> = chunks.iter().map(super::read::StoredChunk::of).collect();
            stored.sort_by_key(|chunk| chunk.order);
            let points = all_points(&self.shared.id_of(number), &stored)?.merged();
            let rows: Vec<i64> = chunks.iter().map(|row| row.get(0)).collect();
            self.exchange(number, "chunk", &rows, of_points(&points, MINUTE_MS), MINUTE_MS).await?;
            self.recount_chunks(number).await?;
            return Ok(true);
        }
        let Some(before) = horizon.minutes_before else { return Ok(false) };
        let old = sqlx::query(OLD_MINUTES).bind(i64::from(number)).bind(MINUTE_MS).bind(before);
        let old = old.bind(CHUNKS_A_SLICE as i64).fetch_all(&mut self.conn).await;
        let old = old.map_err(|cause| self.fault(fail, 0, cause))?;
        if old.is_empty() {
            return Ok(false);
        }
        let old: Vec<_> = old.iter().map(StoredBuckets::of).collect();
        let minutes = self.buckets(number, &old)?;
        let rows: Vec<i64> = old.iter().map(|stored| stored.row).collect();
        self.exchange(number, "coarse", &rows, gather(minutes, HOUR_MS), HOUR_MS).await?;
        Ok(true)
    }

    fn buckets(&self, number: u32, rows: &[StoredBuckets]) -> Result<Vec<Bucket>, SeriesError> {
        let mut all = Vec::new();
        for stored in rows {
            let found = decode(&stored.body, stored.every_ms);
            all.extend(found.map_err(|reason| self.shared.damaged(number, stored.span.0, stored.span.1, reason))?);
        }
        Ok(all)
    }

    /// Writes buckets in place of some rows, merged with the buckets that are there already; all of it or nothing.
    async fn exchange(
        &mut self,
        number: u32,
        table: &'static str,
        rows: &[i64],
        fresh: Vec<Bucket>,
        every_ms: i64,
    ) -> Result<(), SeriesError> {
        let span = fresh.first().zip(fresh.last()).map(|(first, last)| (first.start, last.end));
        let Some((from, to)) = span else { return Ok(()) };
        let there = sqlx::query(BUCKETS_WITHIN).bind(i64::from(number)).bind(every_ms).bind(from).bind(to);
        let there = there.fetch_all(&mut self.conn).await;
        let there = there.map_err(|cause| self.fault("down-sampling", 0, cause))?;
        let there: Vec<_> = there.iter().map(StoredBuckets::of).collect();
        let mut all = self.buckets(number, &there)?;
        all.extend(fresh);
        let all = gather(all, every_ms);
        let mut bodies = Vec::new();
        for part in all.chunks(BUCKETS_A_ROW) {
            let body =
                encode(part).map_err(|reason| SeriesError::Compress { series: self.shared.id_of(number), reason })?;
            let (t0, t1) = (part.first().map_or(0, |b| b.start), part.last().map_or(0, |b| b.end));
            bodies.push((t0, t1, part.len(), body));
        }
        let replaced: Vec<i64> = there.iter().map(|stored| stored.row).collect();
        let work = self.write_buckets(number, table, rows, &replaced, &bodies, every_ms).await;
        work.map_err(|halt| halt.unwrap_or_else(|cause| self.fault("down-sampling", 0, cause)))
    }

    async fn write_buckets(
        &mut self,
        number: u32,
        table: &'static str,
        rows: &[i64],
        replaced: &[i64],
        bodies: &[(i64, i64, usize, Vec<u8>)],
        every_ms: i64,
    ) -> Result<(), Halt> {
        let trip = &self.shared.trip;
        let mut tx = self.conn.begin_with("BEGIN IMMEDIATE").await?;
        for (table, rows) in [(table, rows), ("coarse", replaced)] {
            let text = match table {
                "chunk" => "DELETE FROM chunk WHERE number IN (SELECT value FROM json_each($1))",
                _ => "DELETE FROM coarse WHERE number IN (SELECT value FROM json_each($1))",
            };
            sqlx::query(text).bind(serde_json::Value::from(rows).to_string()).execute(&mut *tx).await?;
        }
        trip.pass(super::writer::CommitStep::PointsGone)?;
        for (t0, t1, n, body) in bodies {
            let insert =
                sqlx::query("INSERT INTO coarse (series, every_ms, t0, t1, n, body) VALUES ($1, $2, $3, $4, $5, $6)");
            let insert =
                insert.bind(i64::from(number)).bind(every_ms).bind(t0).bind(t1).bind(*n as i64).bind(body.as_slice());
            insert.execute(&mut *tx).await?;
        }
        tx.commit().await?;
        trip.pass(super::writer::CommitStep::PointsCoarse)
    }
}

/// Rows of buckets of any length that share a moment with `from..to`.
pub(super) async fn within(
    readers: &super::read::Readers,
    number: u32,
    from: i64,
    to: i64,
) -> Result<Vec<StoredBuckets>, SeriesError> {
    let mut conn = readers.lend().await?;
    let text = "SELECT number, every_ms, body, t0, t1 FROM coarse WHERE series = $1 AND t1 > $2 AND t0 < $3";
    let rows = sqlx::query(text).bind(i64::from(number)).bind(from).bind(to).fetch_all(conn.get()?).await;
    let rows = rows.map_err(|cause| from_database(readers.path(), "reading down-sampled history", 0, cause))?;
    Ok(rows.iter().map(StoredBuckets::of).collect())
}

/// The buckets that share a moment with `from..to`, in order of time, and the spans of those that cannot be read.
pub(super) fn read(
    series: &crate::model::SeriesId,
    rows: &[StoredBuckets],
    from: i64,
    to: i64,
) -> (Vec<Bucket>, Vec<DamagedSpan>) {
    let (mut all, mut damaged) = (Vec::new(), Vec::new());
    for stored in rows {
        match decode(&stored.body, stored.every_ms) {
            Ok(found) => all.extend(found.into_iter().filter(|bucket| bucket.start < to && bucket.end > from)),
            Err(reason) => damaged.push(DamagedSpan::of(series, stored.span, reason)),
        }
    }
    all.sort_by_key(|bucket| bucket.start);
    (all, damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn series_coarse_round_trip(rows in prop::collection::vec((0i64..9_000_000, -1e6f64..1e6, prop::bool::ANY), 1..60)) {
            let mut points = Points::default();
            let mut rows = rows;
            rows.sort_by_key(|(at, ..)| *at);
            for (at, value, usable) in rows {
                points.push(at, value, if usable { 0 } else { 0x0304 });
            }
            let buckets = of_points(&points, MINUTE_MS);
            let back = decode(&encode(&buckets).unwrap(), MINUTE_MS).unwrap();
            prop_assert_eq!(encode(&back).unwrap(), encode(&buckets).unwrap());
            prop_assert_eq!(back.len(), buckets.len());
            prop_assert!(back.iter().zip(&buckets).all(|(a, b)| (a.start, a.end, a.usable, a.max.to_bits()) == (b.start, b.end, b.usable, b.max.to_bits())));
        }

        #[test]
        fn series_coarse_any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(decode(&bytes, MINUTE_MS).is_err() || bytes.is_empty());
        }
    }
}
