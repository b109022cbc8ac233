//! Long calculations as durable jobs (计算任务): asked for once, taken by one worker at a time, taken up again after a crash.
//!
//! In: a kind and a wish in words of whoever computes. Out: a [`Job`] and, once done, the bytes that its worker left. A worker
//! holds a job by a lease that it must renew; a lease that ran out is anybody's. At most [`WAITING_MAX`] wait or run, the next is
//! refused; of those that are done the newest [`ENDED_KEPT`] are kept with their results, and as many that brought nothing. Times are those of the wall.
//!
//! [`JobQueue`] is the seam: workers in this process use it now, workers elsewhere can pull through another carrier of it later.

use super::whole::write_durable;
use super::{Database, Migration, SchemaPart, StoreError, WriteTransaction};
use crate::model::Timestamp;
use chrono::TimeDelta;
use serde_json::Value;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row, Sqlite};
use std::path::PathBuf;

/// Jobs that wait or run at most.
pub const WAITING_MAX: usize = 16;
/// Done jobs that are kept at most, and as many that failed or were taken back: these push no result out.
pub const ENDED_KEPT: usize = 8;
/// How long a job stays with a worker that says nothing.
pub const LEASE: TimeDelta = TimeDelta::seconds(60);
/// A job that was begun so often and never ended is given up: it may be what brings its workers down.
const TRIES_MAX: i64 = 3;

/// The part `jobs` of `anlan.db`.
pub const JOBS_SCHEMA: SchemaPart = SchemaPart {
    name: "jobs",
    migrations: &[Migration {
        version: 1,
        sql: "CREATE TABLE job (number BIGINT PRIMARY KEY, kind TEXT NOT NULL, wish TEXT NOT NULL, state TEXT NOT NULL,
                                who TEXT NOT NULL, asked_ms BIGINT NOT NULL, ended_ms BIGINT, worker TEXT,
                                lease_ms BIGINT, progress BIGINT NOT NULL, tries BIGINT NOT NULL, why TEXT);
              CREATE INDEX job_by_state ON job (state, number);
              CREATE TABLE job_number (last BIGINT NOT NULL);",
    }],
};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Waits for a worker.
    Queued,
    /// A worker has it.
    Running,
    /// Its result is kept.
    Done,
    /// It could not be computed.
    Failed,
    /// Somebody took it back.
    Cancelled,
}

impl JobState {
    const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// As stored and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
    /// Neither ended nor taken back.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }
    fn may_have_result(self) -> bool {
        matches!(self, Self::Running | Self::Done)
    }
    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A job as the queue knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its number; never used twice.
    pub number: i64,
    /// What is to be computed: `twin-run`, ….
    pub kind: String,
    /// With what.
    pub wish: Value,
    /// Where it stands.
    pub state: JobState,
    /// Who asked first.
    pub who: String,
    /// When.
    pub asked_at: Timestamp,
    /// Done so far, 0 to 1.
    pub progress: f64,
    /// Why it failed or was taken back.
    pub why: Option<String>,
}

/// How a job ended for its worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// With a result.
    Done(Vec<u8>),
    /// It cannot be computed; trying again would not help.
    Failed(String),
    /// The worker goes down: somebody else shall take it.
    GivenBack,
}

/// Why a job is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// As many wait as may.
    #[error("计算任务已排满 (as many calculations wait as may)")]
    Full,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder of results.
    #[error("无法读写计算结果 (cannot read or write the result of a calculation)")]
    Result(#[source] std::io::Error),
}

/// What askers and workers need of a queue, wherever it is kept.
#[async_trait::async_trait]
pub trait JobQueue: Send + Sync {
    /// Puts a wish down, or finds the same one that waits, runs or is done; whether it is new.
    async fn ask(&self, kind: &str, wish: &Value, who: &str, now: Timestamp) -> Result<(Job, bool), JobError>;
    /// Gives a worker the oldest job of the first of those kinds that waits or whose lease ran out.
    async fn take(&self, worker: &str, kinds: &[&str], now: Timestamp) -> Result<Option<Job>, JobError>;
    /// Renews a lease and tells how far it is; false: the job is not this worker's any more, it must stop.
    async fn keep(&self, number: i64, worker: &str, progress: f64, now: Timestamp) -> Result<bool, JobError>;
    /// Ends a job; false: it was not this worker's any more, and what it brings is left out.
    async fn end(&self, number: i64, worker: &str, ended: Ended, now: Timestamp) -> Result<bool, JobError>;
    /// Takes an open job back; false when it is not open.
    async fn cancel(&self, number: i64, why: &str, now: Timestamp) -> Result<bool, JobError>;
    /// A job by its number.
    async fn job(&self, number: i64) -> Result<Option<Job>, JobError>;
    /// Those that are kept, the newest first.
    async fn jobs(&self) -> Result<Vec<Job>, JobError>;
    /// What a done job left.
    async fn result(&self, number: i64) -> Result<Option<Vec<u8>>, JobError>;
}

/// The queue in the state database, results as files beside it.
#[derive(Debug, Clone)]
pub struct Jobs {
    database: Database,
    folder: PathBuf,
}

impl Jobs {
    /// Uses a database with [`JOBS_SCHEMA`] and a folder that exists.
    pub fn new(database: Database, folder: PathBuf) -> Self {
        Self { database, folder }
    }

    /// At the start of the only process that uses the directory: what its workers had is free again at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release(&self, worker: &str) -> Result<u64, JobError> {
        let free = sqlx::query("UPDATE job SET lease_ms = 0 WHERE state = 'running' AND worker = $1").bind(worker);
        self.change("take up calculations again", free).await
    }

    /// One statement as a write of its own; how many rows it changed.
    async fn change(
        &self,
        doing: &'static str,
        statement: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<u64, JobError> {
        let fault = self.database.fault(doing);
        let mut transaction = self.database.write(doing).await?;
        let changed = statement.execute(&mut *transaction).await.map_err(&fault)?;
        transaction.commit().await.map_err(&fault)?;
        Ok(changed.rows_affected())
    }

    fn path(&self, number: i64) -> PathBuf {
        self.folder.join(format!("job-{number}.bin"))
    }

    /// Ended jobs beyond those that are kept, with their files. A file that cannot be removed is tried again next time.
    async fn tidy(&self, transaction: &mut WriteTransaction, doing: &'static str) -> Result<Vec<i64>, StoreError> {
        let rows = sqlx::query(
            "DELETE FROM job WHERE state NOT IN ('queued', 'running') \
             AND number NOT IN (SELECT number FROM job WHERE state = 'done' ORDER BY number DESC LIMIT $1) \
             AND number NOT IN \
             (SELECT number FROM job WHERE state NOT IN ('queued', 'running', 'done') ORDER BY number DESC LIMIT $1) \
             RETURNING number",
        )
        .bind(ENDED_KEPT as i64)
        .fetch_all(&mut **transaction)
        .await
        .map_err(self.database.fault(doing))?;
        rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(self.database.fault(doing))
    }
}

const COLUMNS: &str = "number, kind, wish, state, who, asked_ms, progress, why";

fn job(row: &SqliteRow) -> Result<Job, sqlx::Error> {
    let wrong = |what: &str| sqlx::Error::Decode(what.to_owned().into());
    let (wish, state): (String, String) = (row.try_get(2)?, row.try_get(3)?);
    let (asked_ms, progress): (i64, i64) = (row.try_get(5)?, row.try_get(6)?);
    Ok(Job {
        number: row.try_get(0)?,
        kind: row.try_get(1)?,
        wish: serde_json::from_str(&wish).map_err(|cause| sqlx::Error::Decode(Box::new(cause)))?,
        state: JobState::from_word(&state).ok_or_else(|| wrong("unknown state of a job"))?,
        who: row.try_get(4)?,
        asked_at: Timestamp::from_timestamp_millis(asked_ms).ok_or_else(|| wrong("no time"))?,
        progress: progress as f64 / 1000.0,
        why: row.try_get(7)?,
    })
}

fn thousandths(progress: f64) -> i64 {
    (progress.clamp(0.0, 1.0) * 1000.0) as i64
}

#[async_trait::async_trait]
impl JobQueue for Jobs {
    async fn ask(&self, kind: &str, wish: &Value, who: &str, now: Timestamp) -> Result<(Job, bool), JobError> {
        let doing = "put a calculation down";
        let fault = self.database.fault(doing);
        let mut transaction = self.database.write(doing).await?;
        let text = wish.to_string();
        let known = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM job WHERE kind = $1 AND wish = $2 AND state IN ('queued', 'running', 'done') \
             ORDER BY number DESC LIMIT 1"
        )))
        .bind(kind)
        .bind(&text)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(&fault)?;
        if let Some(row) = known {
            return Ok((job(&row).map_err(&fault)?, false));
        }
        let open = sqlx::query("SELECT COUNT(*) FROM job WHERE state IN ('queued', 'running')");
        let open: i64 = open.fetch_one(&mut *transaction).await.and_then(|row| row.try_get(0)).map_err(&fault)?;
        if open >= WAITING_MAX as i64 {
            return Err(JobError::Full);
        }
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "INSERT INTO job (number, kind, wish, state, who, asked_ms, progress, tries) \
             SELECT COALESCE(MAX(number), 0) + 1, $1, $2, 'queued', $3, $4, 0, 0 FROM \
             (SELECT number FROM job UNION ALL SELECT last FROM job_number) AS numbers RETURNING {COLUMNS}"
        )))
        .bind(kind)
        .bind(&text)
        .bind(who)
        .bind(now.timestamp_millis())
        .fetch_one(&mut *transaction)
        .await
        .map_err(&fault)?;
        let made = job(&row).map_err(&fault)?;
        // A number is used once, also when the job behind it is no longer kept.
        sqlx::query("DELETE FROM job_number").execute(&mut *transaction).await.map_err(&fault)?;
        sqlx::query("INSERT INTO job_number (last) VALUES ($1)")
            .bind(made.number)
            .execute(&mut *transaction)
            .await
            .map_err(&fault)?;
        let gone = self.tidy(&mut transaction, doing).await?;
        transaction.commit().await.map_err(&fault)?;
        for number in gone {
            // Its row is gone: nobody finds the file any more, and the next one of that number does not exist.
            let _ = tokio::fs::remove_file(self.path(number)).await;
        }
        Ok((made, true))
    }

    async fn take(&self, worker: &str, kinds: &[&str], now: Timestamp) -> Result<Option<Job>, JobError> {
        let doing = "take a calculation";
        let fault = self.database.fault(doing);
        let mut transaction = self.database.write(doing).await?;
        sqlx::query(
            "UPDATE job SET state = 'failed', ended_ms = $1, worker = NULL, why = $2 \
             WHERE state = 'running' AND lease_ms < $1 AND tries >= $3",
        )
        .bind(now.timestamp_millis())
        .bind(format!("{TRIES_MAX} 次计算都没有结束 (begun {TRIES_MAX} times and never ended)"))
        .bind(TRIES_MAX)
        .execute(&mut *transaction)
        .await
        .map_err(&fault)?;
        let mut taken = None;
        let rows = sqlx::query(
            "SELECT number, kind FROM job WHERE state = 'queued' OR (state = 'running' AND lease_ms < $1) ORDER BY number",
        )
        .bind(now.timestamp_millis())
        .fetch_all(&mut *transaction)
        .await
        .map_err(&fault)?;
        let mut waiting = Vec::new();
        for row in rows {
            let (number, kind): (i64, String) = (row.try_get(0).map_err(&fault)?, row.try_get(1).map_err(&fault)?);
            let rank = kinds.iter().position(|known| *known == kind);
            waiting.extend(rank.map(|rank| (rank, number)));
        }
        if let Some((_, number)) = waiting.into_iter().min() {
            let row = sqlx::query(sqlx::AssertSqlSafe(format!(
                "UPDATE job SET state = 'running', worker = $1, lease_ms = $2, tries = tries + 1, progress = 0 \
                 WHERE number = $3 RETURNING {COLUMNS}"
            )))
            .bind(worker)
            .bind((now + LEASE).timestamp_millis())
            .bind(number)
            .fetch_one(&mut *transaction)
            .await
            .map_err(&fault)?;
            taken = Some(job(&row).map_err(&fault)?);
        }
        transaction.commit().await.map_err(&fault)?;
        Ok(taken)
    }

    async fn keep(&self, number: i64, worker: &str, progress: f64, now: Timestamp) -> Result<bool, JobError> {
        let keep = sqlx::query(
            "UPDATE job SET lease_ms = $1, progress = $2 WHERE number = $3 AND worker = $4 AND state = 'running'",
        )
        .bind((now + LEASE).timestamp_millis())
        .bind(thousandths(progress))
        .bind(number)
        .bind(worker);
        Ok(self.change("renew the lease of a calculation", keep).await? == 1)
    }

    async fn end(&self, number: i64, worker: &str, ended: Ended, now: Timestamp) -> Result<bool, JobError> {
        let has_file = matches!(ended, Ended::Done(_));
        if let Ended::Done(bytes) = &ended {
            // The file first: a job that is called done has its result.
            write_durable(&self.path(number), bytes).await.map_err(JobError::Result)?;
        }
        let (state, why, at) = match ended {
            Ended::Done(_) => (JobState::Done, None, Some(now.timestamp_millis())),
            Ended::Failed(why) => (JobState::Failed, Some(why), Some(now.timestamp_millis())),
            Ended::GivenBack => (JobState::Queued, None, None),
        };
        // A worker that goes down in good order has not failed at it.
        let end = sqlx::query(
            "UPDATE job SET state = $1, why = $2, ended_ms = $3, worker = NULL, lease_ms = NULL, \
             progress = CASE WHEN $1 = 'done' THEN 1000 ELSE progress END, \
             tries = CASE WHEN $1 = 'queued' THEN tries - 1 ELSE tries END \
             WHERE number = $4 AND worker = $5 AND state = 'running'",
        )
        .bind(state.as_str())
        .bind(why)
        .bind(at)
        .bind(number)
        .bind(worker);
        let is_own = self.change("end a calculation", end).await? == 1;
        if has_file && !is_own && self.job(number).await?.is_none_or(|job| !job.state.may_have_result()) {
            let _ = tokio::fs::remove_file(self.path(number)).await;
        }
        Ok(is_own)
    }

    async fn cancel(&self, number: i64, why: &str, now: Timestamp) -> Result<bool, JobError> {
        let cancel = sqlx::query(
            "UPDATE job SET state = 'cancelled', why = $1, ended_ms = $2, worker = NULL, lease_ms = NULL \
             WHERE number = $3 AND state IN ('queued', 'running')",
        )
        .bind(why)
        .bind(now.timestamp_millis())
        .bind(number);
        Ok(self.change("take a calculation back", cancel).await? == 1)
    }

    async fn job(&self, number: i64) -> Result<Option<Job>, JobError> {
        let fault = self.database.fault("read a calculation");
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM job WHERE number = $1")))
            .bind(number)
            .fetch_optional(self.database.read())
            .await
            .map_err(&fault)?;
        Ok(row.map(|row| job(&row)).transpose().map_err(&fault)?)
    }

    async fn jobs(&self) -> Result<Vec<Job>, JobError> {
        let fault = self.database.fault("list the calculations");
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM job ORDER BY number DESC")))
            .fetch_all(self.database.read())
            .await
            .map_err(&fault)?;
        Ok(rows.iter().map(job).collect::<Result<_, _>>().map_err(&fault)?)
    }

    async fn result(&self, number: i64) -> Result<Option<Vec<u8>>, JobError> {
        if self.job(number).await?.is_none_or(|job| job.state != JobState::Done) {
            return Ok(None);
        }
        tokio::fs::read(self.path(number)).await.map(Some).map_err(JobError::Result)
    }
}

#[cfg(test)]
#[path = "jobs_tests.rs"]
mod tests;
