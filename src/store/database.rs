//! One SQLite file with one writer, many readers and versioned parts.
//!
//! In: a path and the schema parts that the program knows. Out: a [`Database`] whose write transactions are durable
//! when `commit` returns (WAL, `synchronous=FULL`). Before an upgrade it copies the file beside itself. It refuses a
//! file from a newer program, a damaged file, and an upgrade under a running server.
//!
//! Queues: writers wait for the single writing connection in the order they came, at most [`WAIT`], then fail; a
//! caller bounds how many of them there are.
//!
//! On a full disk SQLite rolls the transaction back by itself, and sqlx 0.9 then counts it as open for ever. So a
//! writing connection that still counts one when it is handed out is closed and replaced; and a caller that got an
//! error inside a transaction must drop it, never go on with it.

use super::error::room_beside;
use super::{StoreDirectory, StoreError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, Sqlite, Transaction};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a writer waits for its turn, and a statement for another process.
pub const WAIT: Duration = Duration::from_secs(10);
const READERS: u32 = 4;

/// One step of a schema part. Steps are applied once, in order, and never edited after a release.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// 1, 2, 3, … without gaps.
    pub version: i64,
    /// The statements, in SQL that SQLite and PostgreSQL both take.
    pub sql: &'static str,
}

/// A part of a database that one module owns: `users`, `journal`, …
#[derive(Debug, Clone, Copy)]
pub struct SchemaPart {
    /// Name of the part, unique in the file.
    pub name: &'static str,
    /// Its steps, oldest first.
    pub migrations: &'static [Migration],
}

/// A transaction that holds the writing connection; dropped without `commit` it leaves no trace. After any error in
/// it: drop it.
pub type WriteTransaction = Transaction<'static, Sqlite>;

/// An open database file.
#[derive(Debug, Clone)]
pub struct Database {
    path: PathBuf,
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Database {
    /// Opens or makes the file and brings its parts to the versions of this program.
    pub async fn open(path: &Path, parts: &[SchemaPart]) -> Result<Self, StoreError> {
        let fault = |cause| StoreError::from_sqlx("open the database", path, cause);
        let options = options(path);
        let one = SqlitePoolOptions::new().max_connections(1).acquire_timeout(WAIT);
        let one = one.idle_timeout(None).max_lifetime(None);
        let one = one.before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }));
        let writer = one.connect_with(options.clone().create_if_missing(true)).await.map_err(fault)?;
        let many = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(WAIT);
        let readers = many.connect_lazy_with(options.pragma("query_only", "ON"));
        let database = Self { path: path.to_owned(), writer, readers };
        database.upgrade(parts).await?;
        Ok(database)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Connections for reading; writing through them fails.
    pub fn read(&self) -> &SqlitePool {
        &self.readers
    }

    /// Begins an immediate transaction: when this returns, no other writer can come between.
    pub async fn write(&self, doing: &'static str) -> Result<WriteTransaction, StoreError> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(self.fault(doing))
    }

    /// Turns an error of SQLite into one that names this file: `.map_err(db.fault("store a session"))`.
    pub fn fault(&self, doing: &'static str) -> impl Fn(sqlx::Error) -> StoreError + '_ {
        move |cause| StoreError::from_sqlx(doing, &self.path, cause)
    }

    /// Bytes that this process may still write on the disk of the file.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn room(&self) -> Result<u64, StoreError> {
        room_beside(&self.path).map_err(|cause| StoreError::from_io("ask for the room beside", &self.path, cause))
    }

    /// Writes a consistent copy to a new file while others read and write.
    pub async fn copy_to(&self, target: &Path) -> Result<(), StoreError> {
        let text = target.to_string_lossy().into_owned();
        // A connection of its own: a long copy must not keep the writer.
        let mut connection = options(&self.path).connect().await.map_err(self.fault("copy the database"))?;
        sqlx::query("VACUUM INTO $1")
            .bind(text)
            .execute(&mut connection)
            .await
            .map_err(|cause| StoreError::from_sqlx("copy the database", target, cause))?;
        sync(target)
    }

    /// Closes every connection and folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn upgrade(&self, parts: &[SchemaPart]) -> Result<(), StoreError> {
        let found = self.versions().await?;
        self.refuse_newer(parts, &found)?;
        let current = |part: &SchemaPart| found.get(part.name).map_or(0, |known| known.version);
        let due: Vec<&SchemaPart> = parts.iter().filter(|part| current(part) < newest(part)).collect();
        if due.is_empty() {
            return Ok(());
        }
        let dir = self.path.parent().unwrap_or(Path::new("."));
        if let Some(pid) = StoreDirectory::holder(dir).filter(|pid| *pid != std::process::id()) {
            return Err(StoreError::UpgradeWhileRunning { path: self.path.clone(), pid });
        }
        if let Some(part) = due.iter().find(|part| current(part) > 0) {
            self.copy_to(&backup_name(&self.path, part.name, newest(part))).await?;
        }
        self.apply(&due).await
    }

    async fn versions(&self) -> Result<BTreeMap<String, Found>, StoreError> {
        let fault = self.fault("read the schema versions");
        let known = sqlx::query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_part'")
            .fetch_optional(&self.writer)
            .await
            .map_err(&fault)?;
        if known.is_none() {
            return Ok(BTreeMap::new());
        }
        let rows = sqlx::query("SELECT name, version, written_by FROM schema_part")
            .fetch_all(&self.writer)
            .await
            .map_err(&fault)?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, Found { version: row.try_get(1)?, written_by: row.try_get(2)? })))
            .collect::<Result<_, sqlx::Error>>()
            .map_err(&fault)
    }

    fn refuse_newer(&self, parts: &[SchemaPart], found: &BTreeMap<String, Found>) -> Result<(), StoreError> {
        for (name, file) in found {
            let known = parts.iter().find(|part| part.name == name).map(newest);
            // A part that the caller did not ask for (a tool that needs only users) is none of its business.
            if let Some(known) = known.filter(|known| file.version > *known) {
                return Err(StoreError::NewerSchema {
                    path: self.path.clone(),
                    part: name.clone(),
                    found: file.version,
                    known,
                    written_by: file.written_by.clone(),
                });
            }
        }
        Ok(())
    }

    /// Applies what is due in one transaction; another process that came first leaves nothing to do.
    async fn apply(&self, due: &[&SchemaPart]) -> Result<(), StoreError> {
        let doing = "upgrade the schema";
        let fault = self.fault(doing);
        let mut transaction = self.write(doing).await?;
        sqlx::raw_sql("CREATE TABLE IF NOT EXISTS schema_part (name TEXT PRIMARY KEY, version BIGINT NOT NULL, written_by TEXT NOT NULL)")
            .execute(&mut *transaction)
            .await
            .map_err(&fault)?;
        for part in due {
            let row = sqlx::query("SELECT version FROM schema_part WHERE name = $1")
                .bind(part.name)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(&fault)?;
            let from: i64 = row.map_or(Ok(0), |row| row.try_get(0)).map_err(&fault)?;
            for step in part.migrations.iter().filter(|step| step.version > from) {
                sqlx::raw_sql(step.sql).execute(&mut *transaction).await.map_err(&fault)?;
            }
            sqlx::query(
                "INSERT INTO schema_part (name, version, written_by) VALUES ($1, $2, $3) \
                 ON CONFLICT (name) DO UPDATE SET version = excluded.version, written_by = excluded.written_by",
            )
            .bind(part.name)
            .bind(newest(part).max(from))
            .bind(env!("CARGO_PKG_VERSION"))
            .execute(&mut *transaction)
            .await
            .map_err(&fault)?;
        }
        transaction.commit().await.map_err(&fault)
    }
}

struct Found {
    version: i64,
    written_by: String,
}

fn newest(part: &SchemaPart) -> i64 {
    part.migrations.last().map_or(0, |step| step.version)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(WAIT)
        .pragma("journal_size_limit", "67108864")
        // Statements in the log of a duty officer tell nothing; how long commits take is in the metrics.
        .disable_statement_logging()
}

/// A free name beside the file: `anlan.db.before-users-2`, then `….2`, `….3`.
fn backup_name(path: &Path, part: &str, version: i64) -> PathBuf {
    let base = format!("{}.before-{part}-{version}", path.display());
    let numbered = (2..).map(|n| format!("{base}.{n}"));
    std::iter::once(base.clone()).chain(numbered).map(PathBuf::from).find(|name| !name.exists()).unwrap_or_default()
}

fn sync(path: &Path) -> Result<(), StoreError> {
    std::fs::File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|cause| StoreError::from_io("write", path, cause))
}

#[cfg(test)]
mod tests;
