//! The writer's idle work, merging of chunks: read, merge, write anew and delete the old ones in one transaction.

use super::compact::{ChunkSpan, plan};
use super::points::{Points, moment};
use super::seal::drafts;
use super::writer::{CommitStep, Halt, SealedChunk, Writer, insert_chunks};
use super::{DamagedSpan, SeriesError, chunk};
use sqlx::{Connection, Row};

impl Writer {
    /// Does one rewrite of one untidy series; answers those who asked for all once none is left.
    pub(super) async fn tidy_slice(&mut self) {
        let outcome = match self.untidy.first().copied() {
            Some(number) => match self.tidy_series(number).await {
                Ok(true) => return,
                Ok(false) => {
                    self.untidy.remove(&number);
                    return;
                }
                Err(fault) => {
                    // Tried again when the next chunk of the series is sealed or somebody asks.
                    self.untidy.remove(&number);
                    if let SeriesError::DamagedChunk { series, from, to, reason } = fault.clone() {
                        // Kept as it is beside its neighbours, in the book of damage: no fault of who asked for order.
                        self.shared.damage.note([DamagedSpan { series, from, to, reason }]);
                        return;
                    }
                    tracing::warn!(series = %self.shared.id_of(number), %fault, "chunks were not merged");
                    Err(fault)
                }
            },
            None => Ok(()),
        };
        if !self.shared.trip.is_tripped() {
            self.tidying.drain(..).for_each(|reply| drop(reply.send(outcome.clone())));
        }
    }

    /// One rewrite; whether there may be more to do.
    async fn tidy_series(&mut self, number: u32) -> Result<bool, SeriesError> {
        self.make_sound().await?;
        let spans = self.spans(number).await.map_err(|cause| self.fault("merging chunks", 0, cause))?;
        let mut rewrites = plan(spans, self.shared.limits.chunk_points).into_iter();
        let Some(rows) = rewrites.next() else { return Ok(false) };
        let (points, revision) = self.read_merged(number, &rows).await?;
        let chunks = self.compress(number, drafts(&points, &[], self.shared.limits.chunk_points))?;
        self.replace(number, &rows, &chunks, revision)
            .await
            .map_err(|halt| halt.unwrap_or_else(|cause| self.fault("merging chunks", 0, cause)))?;
        let left = self.spans(number).await.map_err(|cause| self.fault("merging chunks", 0, cause))?;
        self.recount(number, &left, rewrites.len() as u64);
        Ok(rewrites.len() > 0)
    }

    async fn spans(&mut self, number: u32) -> Result<Vec<ChunkSpan>, sqlx::Error> {
        let text = "SELECT number, t0, t1, n FROM chunk WHERE series = $1";
        let rows = sqlx::query(text).bind(i64::from(number)).fetch_all(&mut self.conn).await?;
        let span = |row: &sqlx::sqlite::SqliteRow| ChunkSpan {
            row: row.get(0),
            t0: row.get(1),
            t1: row.get(2),
            n: row.get::<i64, _>(3) as usize,
        };
        Ok(rows.iter().map(span).collect())
    }

    /// The points of some chunks merged, and the highest revision among them.
    async fn read_merged(&mut self, number: u32, rows: &[i64]) -> Result<(Points, i64), SeriesError> {
        let mut bodies = Vec::with_capacity(rows.len());
        for row in rows {
            let text = "SELECT revision, number, t0, t1, body FROM chunk WHERE number = $1";
            let found = sqlx::query(text).bind(row).fetch_one(&mut self.conn).await;
            let row = found.map_err(|cause| self.fault("merging chunks", 0, cause))?;
            let points = chunk::decode(row.get(4)).map_err(|reason| SeriesError::DamagedChunk {
                series: self.shared.id_of(number),
                from: moment(row.get(2)),
                to: moment(row.get(3)),
                reason,
            })?;
            bodies.push((row.get::<i64, _>(0), row.get::<i64, _>(1), points));
        }
        bodies.sort_by_key(|(revision, row, _)| (*revision, *row));
        let revision = bodies.last().map_or(0, |(revision, ..)| *revision);
        let mut all = Points::default();
        bodies.into_iter().for_each(|(_, _, points)| all.append(points));
        Ok((all.merged(), revision))
    }

    async fn replace(&mut self, number: u32, rows: &[i64], chunks: &[SealedChunk], revision: i64) -> Result<(), Halt> {
        let trip = &self.shared.trip;
        let mut tx = self.conn.begin_with("BEGIN IMMEDIATE").await?;
        for row in rows {
            sqlx::query("DELETE FROM chunk WHERE number = $1").bind(row).execute(&mut *tx).await?;
        }
        trip.pass(CommitStep::OldChunksGone)?;
        let rows: Vec<_> = chunks.iter().map(|chunk| (number, chunk)).collect();
        insert_chunks(&mut tx, &rows, revision).await?;
        trip.pass(CommitStep::NewChunksWritten)?;
        tx.commit().await?;
        trip.pass(CommitStep::ChunksReplaced)
    }

    /// Counts the chunks of a series anew after some are gone.
    pub(super) async fn recount_chunks(&mut self, number: u32) -> Result<(), SeriesError> {
        let left = self.spans(number).await.map_err(|cause| self.fault("counting chunks", 0, cause))?;
        let knots = plan(left.clone(), self.shared.limits.chunk_points).len() as u64;
        self.recount(number, &left, knots);
        Ok(())
    }

    /// Counts the chunks of a series anew; `knots` rewrites are still open.
    fn recount(&mut self, number: u32, spans: &[ChunkSpan], knots: u64) {
        let small = self.shared.limits.chunk_points / 4;
        let mut heads = self.shared.heads_mut();
        if let Some(slot) = heads.slot_mut(number) {
            slot.chunks = spans.len() as u64;
            slot.chunk_points = spans.iter().map(|span| span.n as u64).sum();
            slot.small_chunks = spans.iter().filter(|span| span.n <= small).count() as u64;
            slot.late_chunks = knots;
        }
    }
}
