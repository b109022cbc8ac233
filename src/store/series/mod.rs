//! The time-series store (测验数据库): every observation, kept with its verdict, and read back whole or in steps.
//!
//! In: observations and corrections by a person. Out: [`Durable`] once they are on disk, samples for a span of time,
//! the newest sample of each series. It never drops a value that a check objects to, never answers before the disk
//! has, and never grows in memory with the length of history.
//!
//! [`SeriesStore`] is what the rest of the house knows; [`EmbeddedSeries`] is the default behind it (one SQLite file,
//! see `docs/series-store.md`). A remote store implements the same trait.

mod chunk;
mod coarse;
mod compact;
mod damage;
mod embedded;
mod error;
mod frame;
mod heads;
mod influx;
mod migrate;
mod points;
mod read;
mod registry;
mod relay;
mod rollup;
mod schema;
mod seal;
mod spool;
mod tidy;
mod writer;

#[cfg(test)]
mod tests;

pub use damage::DamagedSpan;
pub use embedded::{EmbeddedSeries, SeriesLimits};
pub use error::SeriesError;
pub use influx::{InfluxSeries, InfluxSettings, annotated_csv_rows};
pub use migrate::{Carried, MigrateError, carry};
pub use relay::{RelaySettings, RelayState, RelayedSeries};
pub use rollup::{Aggregate, Step};

use crate::model::{Observation, Quality, SeriesId, Timestamp};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};

/// Proof that points are on disk: it exists only after the commit that wrote them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "an append is durable only if it answered Durable"]
pub struct Durable {
    /// How many points this call made durable.
    pub points: usize,
    /// The journal entry they went into, ascending within one store.
    pub entry: u64,
}

/// One value of an answer: a point as stored, or the points of one step together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The moment of the point, or the start of the step.
    pub at: Timestamp,
    /// In the unit of the series: the point's value, or the aggregate of the usable ones (NaN if there are none).
    pub value: f64,
    /// The point's verdict; for a step the worst of those that entered `value`, or of all if none did.
    pub quality: Quality,
    /// Smallest usable value, NaN if there is none.
    pub min: f64,
    /// Largest usable value, NaN if there is none.
    pub max: f64,
    /// Usable values in here.
    pub usable: u32,
    /// Values in here that decisions may not rest on.
    pub unusable: u32,
    /// Whether a person entered or corrected any of it.
    pub by_hand: bool,
}

/// A value set by a person in place of what a device gave; it beats every device value for that moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// The series to correct.
    pub series: SeriesId,
    /// The moment to correct.
    pub at: Timestamp,
    /// In the unit of the series.
    pub value: f64,
    /// The person's verdict, usually [`crate::model::Grade::Manual`]; bad strikes the device's value out.
    pub quality: Quality,
}

/// Many points of one series as columns, for replays and imports; all columns have the same length.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesBatch {
    /// The series of all points.
    pub series: SeriesId,
    /// Observed times, Unix ms UTC.
    pub at_ms: Vec<i64>,
    /// In the unit of the series.
    pub values: Vec<f64>,
    /// The verdicts.
    pub quality: Vec<Quality>,
}

/// What the store knows about one series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesFacts {
    /// Its id.
    pub series: SeriesId,
    /// Stored points; points of the same moment count until they are merged.
    pub points: u64,
    /// The oldest moment, if it has any point; down-sampled history counts from its first step.
    pub oldest: Option<Timestamp>,
    /// The newest moment, if it has any point.
    pub newest: Option<Timestamp>,
}

/// How large the store is and how it is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeriesStats {
    /// Series known.
    pub series: u64,
    /// Stored points; points of the same moment count until they are merged.
    pub points: u64,
    /// Points that are durable in the journal and not yet in a chunk.
    pub unsealed_points: u64,
    /// Compressed chunks.
    pub chunks: u64,
    /// Bytes of the journal entries not yet sealed.
    pub journal_bytes: u64,
    /// Bytes in use inside the file.
    pub live_bytes: u64,
    /// Bytes of the file and its write-ahead log on disk.
    pub file_bytes: u64,
    /// Journal entries set aside at start because they were damaged; above 0 means data is missing.
    pub damaged_entries: u64,
}

/// A store of observations in time, local or remote.
#[async_trait]
pub trait SeriesStore: Send + Sync {
    /// Keeps the observations; the answer comes after they are on disk. All of them or none.
    ///
    /// A value that is not finite loses a usable verdict: it is stored as bad, never refused.
    async fn append(&self, batch: &[Observation]) -> Result<Durable, SeriesError>;

    /// Keeps whole columns of points; the same promise as [`SeriesStore::append`].
    async fn append_columns(&self, batches: &[SeriesBatch]) -> Result<Durable, SeriesError>;

    /// Sets values by hand. Kept as later entries; what the device gave stays in the journal until merged.
    async fn correct(&self, corrections: &[Correction]) -> Result<Durable, SeriesError>;

    /// Samples from `from` (inclusive) to `to` (exclusive) in order of time, one for each moment or each step.
    ///
    /// Steps start at whole multiples of their length since 1970-01-01T00:00Z; an empty step has no sample.
    /// A series nobody has written to has no samples. What is damaged is left out; [`SeriesStore::damage`] says so.
    async fn range(
        &self,
        series: &SeriesId,
        from: Timestamp,
        to: Timestamp,
        step: Option<Step>,
    ) -> Result<Vec<Sample>, SeriesError>;

    /// As [`SeriesStore::range`], for who must not wait for another machine: what a remote store alone has, and does not give at
    /// once, is left out.
    async fn range_at_hand(
        &self,
        series: &SeriesId,
        from: Timestamp,
        to: Timestamp,
        step: Option<Step>,
    ) -> Result<Vec<Sample>, SeriesError> {
        self.range(series, from, to, step).await
    }

    /// The newest sample of each series, whatever its verdict.
    async fn latest(&self) -> Result<BTreeMap<SeriesId, Sample>, SeriesError>;

    /// Whether the store knows without looking that a series has no sample at or after a moment; `false` where it must look.
    fn ends_before(&self, _series: &SeriesId, _at: Timestamp) -> bool {
        false
    }

    /// Stored spans that share a moment with `from..to`, cannot be read and are left out of answers, as far as they are known.
    fn damage(&self, _series: Option<&SeriesId>, _from: Timestamp, _to: Timestamp) -> Vec<DamagedSpan> {
        Vec::new()
    }

    /// Of these series those that the store has no room for (its limit is reached), as the refusal that an append would get.
    fn no_room_for(&self, _series: &BTreeSet<SeriesId>) -> Option<SeriesError> {
        None
    }

    /// All series, in order of their ids.
    async fn list(&self) -> Result<Vec<SeriesFacts>, SeriesError>;

    /// Size and condition of the store.
    async fn stats(&self) -> Result<SeriesStats, SeriesError>;
}
