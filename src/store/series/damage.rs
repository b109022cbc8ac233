//! Spans of stored points that cannot be read: found by whoever reads, and by a look through the whole file.
//!
//! In: what did not decode. Out: which series and which span, for answers, alarms, backups and exports. Nothing is repaired or removed
//! here: a span may yet be readable from a backup.

use super::error::from_database;
use super::points::moment;
use super::{SeriesError, chunk, coarse, schema};
use crate::model::{SeriesId, Timestamp};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

/// Spans that are remembered one by one; a file with more is lost as a whole.
const SPANS_MAX: usize = 1_000;
/// Chunks that the look through the file takes at once: about 2 MB.
const AT_ONCE: i64 = 256;

/// A span of stored points of one series that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedSpan {
    /// The series.
    pub series: SeriesId,
    /// First moment of the chunk.
    pub from: Timestamp,
    /// Last moment of the chunk.
    pub to: Timestamp,
    /// What does not fit.
    pub reason: String,
}

impl DamagedSpan {
    pub(super) fn of(series: &SeriesId, (from, to): (i64, i64), reason: String) -> Self {
        Self { series: series.clone(), from: moment(from), to: moment(to), reason }
    }
}

impl From<DamagedSpan> for SeriesError {
    fn from(DamagedSpan { series, from, to, reason }: DamagedSpan) -> Self {
        Self::DamagedChunk { series, from, to, reason }
    }
}

/// The damage that is known, shared by all who read.
#[derive(Debug, Default)]
pub(super) struct Damage {
    known: Mutex<BTreeMap<(SeriesId, Timestamp, Timestamp), String>>,
    news: watch::Sender<usize>,
}

impl Damage {
    /// Takes in what somebody met; what is new stands in the log.
    pub(super) fn note(&self, found: impl IntoIterator<Item = DamagedSpan>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.len();
        for DamagedSpan { series, from, to, reason } in found {
            let key = (series, from, to);
            if known.len() >= SPANS_MAX || known.contains_key(&key) {
                continue;
            }
            let (series, from, to) = &key;
            tracing::error!(%series, %from, %to, reason, "数据块损坏，读数时略去 (stored points are damaged and left out of answers)");
            known.insert(key, reason);
        }
        if known.len() > before {
            self.news.send_replace(known.len());
        }
    }

    /// Known damage that shares a moment with `from..to`; of one series, or of all.
    pub(super) fn within(&self, of: Option<&SeriesId>, from: Timestamp, to: Timestamp) -> Vec<DamagedSpan> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let touches =
            |key: &(SeriesId, Timestamp, Timestamp)| of.is_none_or(|of| *of == key.0) && key.1 < to && key.2 >= from;
        let span = |((series, from, to), reason): (&(SeriesId, Timestamp, Timestamp), &String)| DamagedSpan {
            series: series.clone(),
            from: *from,
            to: *to,
            reason: reason.clone(),
        };
        known.iter().filter(|(key, _)| touches(key)).map(span).collect()
    }

    /// How many spans are known to be damaged, now and from now on.
    pub(super) fn count(&self) -> watch::Receiver<usize> {
        self.news.subscribe()
    }
}

/// Where a look through a file stands.
#[derive(Debug, Default)]
pub(super) struct Place {
    chunk: i64,
    coarse: i64,
}

/// Looks at some more chunks of a file; `None` when all were seen.
pub(super) async fn look(
    conn: &mut SqliteConnection,
    path: &Path,
    place: &mut Place,
) -> Result<Option<Vec<DamagedSpan>>, SeriesError> {
    let fail = |cause| from_database(path, "looking for damage", 0, cause);
    let text = "SELECT c.number, s.id, c.t0, c.t1, c.body FROM chunk AS c JOIN series AS s ON s.number = c.series
                WHERE c.number > $1 ORDER BY c.number LIMIT $2";
    let mut found = Vec::new();
    let rows = sqlx::query(text).bind(place.chunk).bind(AT_ONCE).fetch_all(&mut *conn).await.map_err(fail)?;
    for row in &rows {
        place.chunk = row.get(0);
        if let Err(reason) = chunk::checked(row.get(4)) {
            found.push(DamagedSpan::of(&SeriesId::new(row.get::<&str, _>(1)), (row.get(2), row.get(3)), reason.into()));
        }
    }
    if !rows.is_empty() {
        return Ok(Some(found));
    }
    let text =
        "SELECT c.number, s.id, c.t0, c.t1, c.body, c.every_ms FROM coarse AS c JOIN series AS s ON s.number = c.series
                WHERE c.number > $1 ORDER BY c.number LIMIT $2";
    let rows = sqlx::query(text).bind(place.coarse).bind(AT_ONCE).fetch_all(conn).await.map_err(fail)?;
    for row in &rows {
        place.coarse = row.get(0);
        if let Err(reason) = coarse::decode(row.get(4), row.get(5)) {
            found.push(DamagedSpan::of(&SeriesId::new(row.get::<&str, _>(1)), (row.get(2), row.get(3)), reason));
        }
    }
    Ok((!rows.is_empty()).then_some(found))
}

/// All damage in a file that nobody writes to, such as a backup.
pub(super) async fn all_in(path: &Path) -> Result<Vec<DamagedSpan>, SeriesError> {
    let mut conn = schema::open_still(path).await?;
    let fail = |cause| from_database(path, "looking for damage", 0, cause);
    let tables = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM sqlite_master WHERE name IN ('chunk', 'coarse')");
    if tables.fetch_one(&mut conn).await.map_err(fail)? < 2 {
        return Ok(Vec::new());
    }
    let (mut place, mut all) = (Place::default(), Vec::new());
    while let Some(found) = look(&mut conn, path, &mut place).await? {
        all.extend(found);
    }
    let closed = sqlx::Connection::close(conn).await;
    closed.map_err(|cause| from_database(path, "closing it", 0, cause))?;
    Ok(all)
}
