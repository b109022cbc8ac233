//! The file: its tables, how it is opened, and what memory needs of it at start.

use super::chunk;
use super::damage::DamagedSpan;
use super::error::{SeriesError, from_database};
use super::heads::{Heads, Slot};
use super::points::Points;
use super::registry::Registry;
use crate::model::SeriesId;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The layout this program writes and the newest it reads.
pub(super) const LAYOUT: i64 = 2;
/// Marks the file as ours in its header: "anls".
const APPLICATION: i64 = 0x616e_6c73;
/// Pages of the write-ahead log after which it is copied into the file: 8 MB.
const CHECKPOINT_PAGES: u32 = 2000;

const TABLES: [&str; 5] = [
    "CREATE TABLE series (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, sealed INTEGER NOT NULL DEFAULT 0)",
    "CREATE TABLE journal (entry INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    "CREATE TABLE chunk (number INTEGER PRIMARY KEY, series INTEGER NOT NULL, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL,
     n INTEGER NOT NULL, late INTEGER NOT NULL, revision INTEGER NOT NULL, body BLOB NOT NULL)",
    "CREATE INDEX chunk_by_time ON chunk (series, t1, t0, n, late)",
    "CREATE TABLE damaged (entry INTEGER PRIMARY KEY, reason TEXT NOT NULL, body BLOB NOT NULL)",
];

/// What layout 2 adds: marks of the journal, and down-sampled history.
const TABLES_2: [&str; 3] = [
    "CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE coarse (number INTEGER PRIMARY KEY, series INTEGER NOT NULL, every_ms INTEGER NOT NULL,
     t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, n INTEGER NOT NULL, body BLOB NOT NULL)",
    "CREATE INDEX coarse_by_time ON coarse (series, t1, t0, every_ms, n)",
];

/// The lock beside the file that keeps a second process out; let go when dropped or when the process dies.
#[derive(Debug)]
pub(super) struct Claim(#[expect(dead_code, reason = "held, never read")] File);

/// Claims the store for this process.
pub(super) fn claim(path: &Path) -> Result<Claim, SeriesError> {
    let lock = path.with_extension("lock");
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|cause| not_writable(path, cause))?;
    }
    let file = OpenOptions::new().create(true).append(true).open(&lock).map_err(|cause| not_writable(path, cause))?;
    match file.try_lock() {
        Ok(()) => Ok(Claim(file)),
        Err(TryLockError::WouldBlock) => Err(SeriesError::InUse { path: path.to_path_buf() }),
        Err(TryLockError::Error(cause)) => {
            Err(SeriesError::File { path: path.to_path_buf(), doing: "locking it", cause: Arc::new(cause) })
        }
    }
}

fn not_writable(path: &Path, cause: std::io::Error) -> SeriesError {
    if cause.kind() == std::io::ErrorKind::StorageFull {
        return SeriesError::DiskFull { path: path.to_path_buf(), points: 0 };
    }
    SeriesError::NotWritable { path: path.to_path_buf(), cause: Arc::new(cause) }
}

/// Opens the file for the one writer; makes it if it is not there.
pub(super) async fn open_writer(path: &Path, file_bytes_max: Option<u64>) -> Result<SqliteConnection, SeriesError> {
    let fail = |cause| from_database(path, "opening it", 0, cause);
    let options =
        SqliteConnectOptions::new().filename(path).create_if_missing(true).busy_timeout(Duration::from_secs(5));
    let mut conn = options.disable_statement_logging().connect().await.map_err(fail)?;
    check_layout(&mut conn, path).await?;
    // The first of these must come before the first page is written, WAL before the rest.
    for pragma in ["PRAGMA auto_vacuum=INCREMENTAL", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL"] {
        sqlx::query(pragma).execute(&mut conn).await.map_err(fail)?;
    }
    let checkpoint = format!("PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}");
    sqlx::query(AssertSqlSafe(checkpoint)).execute(&mut conn).await.map_err(fail)?;
    if let Some(limit) = file_bytes_max {
        let page: i64 = sqlx::query_scalar("PRAGMA page_size").fetch_one(&mut conn).await.map_err(fail)?;
        let pages = (limit / page.unsigned_abs().max(1)).max(16);
        sqlx::query(AssertSqlSafe(format!("PRAGMA max_page_count={pages}"))).execute(&mut conn).await.map_err(fail)?;
    }
    make_tables(&mut conn, path).await?;
    Ok(conn)
}

/// Opens the file for reading beside the writer.
pub(super) async fn open_reader(path: &Path) -> Result<SqliteConnection, SeriesError> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(Duration::from_secs(5));
    options.disable_statement_logging().connect().await.map_err(|cause| from_database(path, "opening it", 0, cause))
}

/// A file that nobody writes to: nothing is made beside it.
pub(super) async fn open_still(path: &Path) -> Result<SqliteConnection, SeriesError> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
    options.disable_statement_logging().connect().await.map_err(|cause| from_database(path, "opening it", 0, cause))
}

async fn check_layout(conn: &mut SqliteConnection, path: &Path) -> Result<(), SeriesError> {
    let fail = |cause| from_database(path, "reading its header", 0, cause);
    let application: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *conn).await.map_err(fail)?;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_master").fetch_one(&mut *conn).await.map_err(fail)?;
    if tables > 0 && application != APPLICATION {
        return Err(SeriesError::NotAStore { path: path.to_path_buf() });
    }
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *conn).await.map_err(fail)?;
    if found > LAYOUT {
        return Err(SeriesError::NewerLayout { path: path.to_path_buf(), found, known: LAYOUT });
    }
    Ok(())
}

async fn make_tables(conn: &mut SqliteConnection, path: &Path) -> Result<(), SeriesError> {
    let fail = |cause| from_database(path, "making its tables", 0, cause);
    let layout: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *conn).await.map_err(fail)?;
    if layout == LAYOUT {
        return Ok(());
    }
    let mut tx = sqlx::Connection::begin_with(conn, "BEGIN IMMEDIATE").await.map_err(fail)?;
    let older = if layout == 0 { TABLES.as_slice() } else { &[] };
    for table in older.iter().chain(&TABLES_2) {
        sqlx::query(*table).execute(&mut *tx).await.map_err(fail)?;
    }
    for mark in [format!("PRAGMA application_id={APPLICATION}"), format!("PRAGMA user_version={LAYOUT}")] {
        sqlx::query(AssertSqlSafe(mark)).execute(&mut *tx).await.map_err(fail)?;
    }
    tx.commit().await.map_err(fail)?;
    sync_folder(path)
}

/// Makes the file's name durable, not only its bytes.
pub(super) fn sync_folder(path: &Path) -> Result<(), SeriesError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|cause| SeriesError::File {
        path: path.to_path_buf(),
        doing: "making its name durable",
        cause: Arc::new(cause),
    })
}

/// What a store remembers in memory, read from its file.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) registry: Registry,
    pub(super) heads: Heads,
    /// Journal entries still needed and their sizes, in order.
    pub(super) journal: Vec<(u64, usize)>,
    pub(super) next_entry: u64,
    pub(super) damaged: u64,
    /// Newest chunks that cannot be read.
    pub(super) damaged_spans: Vec<DamagedSpan>,
    pub(super) marks: Marks,
}

/// What the file remembers beside points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// Entries before this one are in chunks.
    pub(super) needed: u64,
    /// Entries up to this one are at the remote store, or inside `gap`.
    pub(super) sent: Option<u64>,
    /// Observed times, Unix ms, that must go to the remote store again out of the chunks.
    pub(super) gap: Option<(i64, i64)>,
    /// Before this moment, Unix ms, the file is not the whole truth: a remote store was there first.
    pub(super) whole_from: Option<i64>,
    /// The store had a remote store once and was then opened without it.
    pub(super) alone: bool,
}

async fn load_marks(conn: &mut SqliteConnection) -> Result<Marks, sqlx::Error> {
    let (mut marks, mut gap) = (Marks::default(), (None, None));
    for row in sqlx::query("SELECT name, value FROM mark").fetch_all(conn).await? {
        let value: i64 = row.get(1);
        match row.get::<&str, _>(0) {
            "needed" => marks.needed = value.unsigned_abs(),
            "sent" => marks.sent = Some(value.unsigned_abs()),
            "gap_from" => gap.0 = Some(value),
            "gap_to" => gap.1 = Some(value),
            "alone" => marks.alone = true,
            "whole_from" => marks.whole_from = Some(value),
            _ => {}
        }
    }
    marks.gap = gap.0.zip(gap.1);
    Ok(marks)
}

/// Writes one mark; `None` takes it away.
pub(super) async fn put_mark(
    conn: &mut SqliteConnection,
    name: &'static str,
    value: Option<i64>,
) -> Result<(), sqlx::Error> {
    let query = match value {
        Some(value) => sqlx::query("REPLACE INTO mark (name, value) VALUES ($1, $2)").bind(name).bind(value),
        None => sqlx::query("DELETE FROM mark WHERE name = $1").bind(name),
    };
    query.execute(conn).await.map(drop)
}

/// Reads series, chunk spans and the newest points, and replays the journal.
pub(super) async fn load(
    conn: &mut SqliteConnection,
    path: &Path,
    series_max: usize,
    chunk_points: usize,
) -> Result<Loaded, SeriesError> {
    let fail = |cause| from_database(path, "reading it", 0, cause);
    let rows = sqlx::query("SELECT number, id, sealed FROM series ORDER BY number").fetch_all(&mut *conn).await;
    let (mut ids, mut slots, mut last_sealed) = (Vec::new(), Vec::new(), 0);
    for row in rows.map_err(fail)? {
        let sealed = row.get::<i64, _>(2).unsigned_abs();
        last_sealed = last_sealed.max(sealed);
        ids.push(SeriesId::new(row.get::<&str, _>(1)));
        slots.push(Slot { sealed, ..Slot::default() });
    }
    load_spans(conn, &mut slots, chunk_points).await.map_err(fail)?;
    let damaged_spans = load_newest(conn, &mut slots, &ids).await.map_err(fail)?;
    let mut heads = Heads::new(slots, chunk_points);
    let marks = load_marks(conn).await.map_err(fail)?;
    let journal = replay(conn, &mut heads, path, marks.needed).await?;
    let last = journal.last().map_or(0, |(entry, _)| *entry);
    let damaged: i64 = sqlx::query_scalar("SELECT count(*) FROM damaged").fetch_one(&mut *conn).await.map_err(fail)?;
    let last_damaged: Option<i64> =
        sqlx::query_scalar("SELECT max(entry) FROM damaged").fetch_one(&mut *conn).await.map_err(fail)?;
    Ok(Loaded {
        registry: Registry::new(ids, series_max),
        heads,
        journal,
        marks,
        next_entry: last.max(last_sealed).max(last_damaged.unwrap_or(0).unsigned_abs()).max(marks.sent.unwrap_or(0))
            + 1,
        damaged: damaged.unsigned_abs(),
        damaged_spans,
    })
}

async fn load_spans(conn: &mut SqliteConnection, slots: &mut [Slot], chunk_points: usize) -> Result<(), sqlx::Error> {
    let text = "SELECT series, max(t1), sum(n), count(*), sum(late), sum(n <= $1), min(t0) FROM chunk GROUP BY series";
    let rows = sqlx::query(text).bind(chunk_points as i64 / 4).fetch_all(&mut *conn).await?;
    for row in rows {
        let Some(slot) = slots.get_mut(row.get::<i64, _>(0) as usize) else { continue };
        slot.frontier = row.get(1);
        slot.chunk_points = row.get::<i64, _>(2).unsigned_abs();
        slot.chunks = row.get::<i64, _>(3).unsigned_abs();
        slot.late_chunks = row.get::<i64, _>(4).unsigned_abs();
        slot.small_chunks = row.get::<i64, _>(5).unsigned_abs();
        slot.oldest_at = row.get(6);
    }
    for row in sqlx::query("SELECT series, min(t0) FROM coarse GROUP BY series").fetch_all(conn).await? {
        let Some(slot) = slots.get_mut(row.get::<i64, _>(0) as usize) else { continue };
        let oldest: i64 = row.get(1);
        slot.oldest_at = Some(slot.oldest_at.map_or(oldest, |known| known.min(oldest)));
    }
    Ok(())
}

/// The newest sealed point of each series: the last of the chunks that end last.
async fn load_newest(
    conn: &mut SqliteConnection,
    slots: &mut [Slot],
    ids: &[SeriesId],
) -> Result<Vec<DamagedSpan>, sqlx::Error> {
    let mut damaged = Vec::new();
    let text = "SELECT c.series, c.body, c.t0, c.t1 FROM (SELECT series, max(t1) AS last FROM chunk GROUP BY series) AS newest
                JOIN chunk AS c ON c.series = newest.series AND c.t1 = newest.last ORDER BY c.series, c.revision, c.number";
    let mut newest: Vec<Points> = Vec::new();
    newest.resize_with(slots.len(), Points::default);
    for row in sqlx::query(text).fetch_all(conn).await? {
        let place = row.get::<i64, _>(0) as usize;
        match (chunk::decode(row.get(1)), newest.get_mut(place)) {
            (Ok(points), Some(into)) => {
                let from = points.len().saturating_sub(1);
                into.append(points.part(from, points.len()));
            }
            (Err(reason), _) => {
                damaged.extend(ids.get(place).map(|id| DamagedSpan::of(id, (row.get(2), row.get(3)), reason)));
            }
            (Ok(_), None) => {}
        }
    }
    for (slot, points) in slots.iter_mut().zip(newest) {
        slot.latest = points.merged().iter().last();
    }
    Ok(damaged)
}

/// Replays the journal; an entry that cannot be read is set aside and named in the log, the rest goes on.
///
/// Entries before `needed` wait for the remote store only: they are counted, not read.
async fn replay(
    conn: &mut SqliteConnection,
    heads: &mut Heads,
    path: &Path,
    needed: u64,
) -> Result<Vec<(u64, usize)>, SeriesError> {
    let fail = |cause| from_database(path, "replaying its journal", 0, cause);
    let waiting = sqlx::query("SELECT entry, length(body) FROM journal WHERE entry < $1 ORDER BY entry");
    let waiting = waiting.bind(needed as i64).fetch_all(&mut *conn).await.map_err(fail)?;
    let size = |row: &sqlx::sqlite::SqliteRow| (row.get::<i64, _>(0).unsigned_abs(), row.get::<i64, _>(1) as usize);
    let mut journal: Vec<(u64, usize)> = waiting.iter().map(size).collect();
    let mut after = needed as i64 - 1;
    // One entry at a time: memory stays small however long the journal is.
    let text = "SELECT entry, body FROM journal WHERE entry > $1 ORDER BY entry LIMIT 1";
    while let Some(row) = sqlx::query(text).bind(after).fetch_optional(&mut *conn).await.map_err(fail)? {
        after = row.get(0);
        let body: &[u8] = row.get(1);
        match heads.apply(after.unsigned_abs(), body) {
            Ok(()) => journal.push((after.unsigned_abs(), body.len())),
            Err(reason) => {
                tracing::error!(entry = after, reason, path = %path.display(), "a journal entry is damaged and set aside");
                let set_aside = "INSERT OR REPLACE INTO damaged SELECT entry, $2, body FROM journal WHERE entry = $1";
                sqlx::query(set_aside).bind(after).bind(reason).execute(&mut *conn).await.map_err(fail)?;
                let gone = sqlx::query("DELETE FROM journal WHERE entry = $1").bind(after);
                gone.execute(&mut *conn).await.map_err(fail)?;
            }
        }
    }
    Ok(journal)
}
