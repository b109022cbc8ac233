//! The journal: facts in their order, hash-chained, with what must be sent and what was answered, in one transaction.
//!
//! In: the entries of one or many steps. Out: when [`Journal::commit`] returns, they are durable. It refuses to open a
//! journal whose chain is broken. SQL text is fit for SQLite and PostgreSQL.

use super::database::{Database, Migration, SchemaPart};
use super::error::StoreError;
use crate::command::{ChainFault, ChainHash, Entry, Fact};
use crate::model::{FactSeq, MemberId, TaskId};
use sqlx::{QueryBuilder, Row, Sqlite};

/// The journal's part of `anlan.db`.
pub const JOURNAL_SCHEMA: SchemaPart = SchemaPart {
    name: "journal",
    migrations: &[
        Migration {
            version: 1,
        sql: "CREATE TABLE fact (seq BIGINT PRIMARY KEY, at_ms BIGINT NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL);
              CREATE TABLE edition (edition TEXT PRIMARY KEY, files TEXT NOT NULL);
              CREATE TABLE answer (who TEXT NOT NULL, idempotency_key TEXT NOT NULL, at_ms BIGINT NOT NULL,
                                   status BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (who, idempotency_key));
              CREATE TABLE outbox (delivery_key TEXT PRIMARY KEY, seq BIGINT NOT NULL, member TEXT NOT NULL,
                                   channel TEXT NOT NULL, task TEXT NOT NULL, state TEXT NOT NULL, at_ms BIGINT NOT NULL);
              CREATE INDEX outbox_by_task ON outbox (task);",
        },
        // What the key was used for; '' in a row of an earlier version.
        Migration { version: 2, sql: "ALTER TABLE answer ADD COLUMN request TEXT NOT NULL DEFAULT ''" },
    ],
};

const ROWS_A_STATEMENT: usize = 500;

/// What a release of every row to every member writes, with the log that SQLite keeps beside the file, bytes; doubled.
const ROOM_MIN: u64 = 32 << 20;

/// The first answer to a change, kept so that the same key is answered the same again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Who sent the change.
    pub who: String,
    /// The sender's key.
    pub key: String,
    /// What was asked for under it, as [`crate::command::Input::mark`] has it.
    pub request: String,
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: String,
}

/// One attempt to reach one person by one channel, as the outbox keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Who.
    pub member: MemberId,
    /// By which channel.
    pub channel: String,
    /// `queued`, `delivered`, `answered`, `cancelled`.
    pub state: String,
}

/// What is wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain is broken.
    #[error(transparent)]
    Chain(#[from] ChainFault),
    /// A fact cannot be read by this program.
    #[error("日志第 {seq} 条不是本版本所能读 (journal: fact {seq} is not readable by this version)")]
    Unreadable {
        /// Position.
        seq: u64,
        /// What the parser said.
        #[source]
        cause: serde_json::Error,
    },
}

/// The journal of one reach.
#[derive(Debug, Clone)]
pub struct Journal {
    db: Database,
}

impl Journal {
    /// The database must have been opened with [`JOURNAL_SCHEMA`].
    pub fn new(db: Database) -> Self {
        Self { db }
    }

    /// Makes entries and answers durable together; gives the new end of the chain.
    ///
    /// # Errors
    /// Nothing is stored then.
    pub async fn commit(
        &self,
        last: ChainHash,
        entries: &[Entry],
        answers: &[Answer],
    ) -> Result<ChainHash, JournalError> {
        let doing = "write to the journal";
        let fault = self.db.fault(doing);
        let mut hash = last;
        let rows = chained(entries, &mut hash)?;
        let mut transaction = self.db.write(doing).await?;
        for part in rows.chunks(ROWS_A_STATEMENT) {
            let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO fact (seq, at_ms, body, hash) ");
            insert.push_values(part, |mut row, (entry, body, hash)| {
                row.push_bind(entry.seq.0.cast_signed());
                row.push_bind(entry.at.timestamp_millis());
                row.push_bind(body);
                row.push_bind(hash.to_hex());
            });
            insert.build().execute(&mut *transaction).await.map_err(&fault)?;
        }
        for change in outbox_changes(entries) {
            change.store(&mut transaction).await.map_err(&fault)?;
        }
        for answer in answers {
            sqlx::query(
                "INSERT INTO answer (who, idempotency_key, request, at_ms, status, body) VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT (who, idempotency_key) DO NOTHING",
            )
            .bind(&answer.who)
            .bind(&answer.key)
            .bind(&answer.request)
            .bind(entries.last().map_or(0, |entry| entry.at.timestamp_millis()))
            .bind(i64::from(answer.status))
            .bind(&answer.body)
            .execute(&mut *transaction)
            .await
            .map_err(&fault)?;
        }
        transaction.commit().await.map_err(&fault)?;
        Ok(hash)
    }

    /// Stores nothing, durably: learns whether the facts of a great release that came now could be kept.
    ///
    /// # Errors
    /// When they could not: the disk has less than [`ROOM_MIN`] left or has become read-only, or the writer's turn did
    /// not come.
    pub async fn probe(&self) -> Result<(), StoreError> {
        let doing = "write to the journal";
        let fault = self.db.fault(doing);
        let room = self.db.room()?;
        if room < ROOM_MIN {
            let left = format!("{room} bytes left, {ROOM_MIN} are needed");
            return Err(StoreError::from_io(
                doing,
                self.db.path(),
                std::io::Error::new(std::io::ErrorKind::StorageFull, left),
            ));
        }
        let mut transaction = self.db.write(doing).await?;
        // A row that comes and goes leaves its page changed, so the commit must reach the disk.
        for change in [
            "INSERT INTO answer (who, idempotency_key, at_ms, status, body) VALUES ('', 'probe', 0, 0, '')",
            "DELETE FROM answer WHERE who = '' AND idempotency_key = 'probe'",
        ] {
            sqlx::query(change).execute(&mut *transaction).await.map_err(&fault)?;
        }
        transaction.commit().await.map_err(&fault)
    }

    /// Bytes left on the disk of the journal; `None` when the system does not say.
    pub fn room(&self) -> Option<u64> {
        self.db.room().ok()
    }

    /// The first answer given to that key, if there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answered(&self, who: &str, key: &str) -> Result<Option<Answer>, JournalError> {
        let fault = self.db.fault("look up an earlier answer");
        let row = sqlx::query("SELECT status, body, request FROM answer WHERE who = $1 AND idempotency_key = $2")
            .bind(who)
            .bind(key)
            .fetch_optional(self.db.read())
            .await
            .map_err(&fault)?;
        row.map(|row| {
            let status: i64 = row.try_get(0)?;
            Ok(Answer {
                who: who.to_owned(),
                key: key.to_owned(),
                status: u16::try_from(status).unwrap_or(500),
                body: row.try_get(1)?,
                request: row.try_get(2)?,
            })
        })
        .transpose()
        .map_err(|cause| fault(cause).into())
    }

    /// Up to `limit` facts after a position, in order, as (position, stored JSON text, hash).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn texts_after(
        &self,
        after: FactSeq,
        limit: usize,
    ) -> Result<Vec<(FactSeq, String, ChainHash)>, JournalError> {
        let fault = self.db.fault("read the journal");
        let rows = sqlx::query("SELECT seq, body, hash FROM fact WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(after.0.cast_signed())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.db.read())
            .await
            .map_err(&fault)?;
        let read = |row: &sqlx::sqlite::SqliteRow| -> Result<_, sqlx::Error> {
            let (seq, body, hash): (i64, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            // A hash that is no hash cannot equal the computed one: the chain names the fact.
            Ok((FactSeq(seq.cast_unsigned()), body, ChainHash::from_hex(&hash).unwrap_or(ChainHash::START)))
        };
        rows.iter().map(read).collect::<Result<_, _>>().map_err(|cause| fault(cause).into())
    }

    /// Walks the whole journal, checks its chain and hands every entry over; gives the end of the chain.
    ///
    /// # Errors
    /// The first broken or unreadable fact, by its position.
    pub async fn read_all(&self, mut each: impl FnMut(Entry)) -> Result<ChainHash, JournalError> {
        let mut last = ChainHash::START;
        let mut after = FactSeq(0);
        loop {
            let rows = self.texts_after(after, 5000).await?;
            if rows.is_empty() {
                return Ok(last);
            }
            for (seq, body, hash) in rows {
                if seq.0 != after.0 + 1 {
                    return Err(ChainFault::Gap { expected: after.0 + 1, found: seq.0 }.into());
                }
                last = last.after(&body);
                if last != hash {
                    return Err(ChainFault::Changed(seq.0).into());
                }
                after = seq;
                each(parse(seq, &body)?);
            }
        }
    }

    /// Facts after a position, parsed.
    ///
    /// # Errors
    /// When the database fails or a fact is not readable.
    pub async fn entries_after(&self, after: FactSeq, limit: usize) -> Result<Vec<Entry>, JournalError> {
        let rows = self.texts_after(after, limit).await?;
        rows.iter().map(|(seq, body, _)| parse(*seq, body)).collect()
    }

    /// Attempts to reach people for one task, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries(&self, task: TaskId) -> Result<Vec<Delivery>, JournalError> {
        self.deliveries_of(&task.to_string()).await
    }

    /// Attempts to reach people for one matter: a task or a notice, by its id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries_of(&self, matter: &str) -> Result<Vec<Delivery>, JournalError> {
        let fault = self.db.fault("read the outbox");
        let rows = sqlx::query("SELECT member, channel, state FROM outbox WHERE task = $1 ORDER BY seq, delivery_key")
            .bind(matter)
            .fetch_all(self.db.read())
            .await
            .map_err(&fault)?;
        let read = |row: &sqlx::sqlite::SqliteRow| -> Result<_, sqlx::Error> {
            let member: String = row.try_get(0)?;
            Ok(Delivery { member: member.into(), channel: row.try_get(1)?, state: row.try_get(2)? })
        };
        rows.iter().map(read).collect::<Result<_, _>>().map_err(|cause| fault(cause).into())
    }

    /// Keeps the files of a playbook edition, so that an event can be finished under the edition it began with.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_edition(&self, edition: &str, files_json: &str) -> Result<(), JournalError> {
        let doing = "keep a playbook edition";
        let fault = self.db.fault(doing);
        let mut transaction = self.db.write(doing).await?;
        sqlx::query("INSERT INTO edition (edition, files) VALUES ($1, $2) ON CONFLICT (edition) DO NOTHING")
            .bind(edition)
            .bind(files_json)
            .execute(&mut *transaction)
            .await
            .map_err(&fault)?;
        transaction.commit().await.map_err(|cause| fault(cause).into())
    }

    /// The files of an edition that was kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn edition(&self, edition: &str) -> Result<Option<String>, JournalError> {
        let fault = self.db.fault("read a playbook edition");
        let row = sqlx::query("SELECT files FROM edition WHERE edition = $1")
            .bind(edition)
            .fetch_optional(self.db.read())
            .await
            .map_err(&fault)?;
        row.map(|row| row.try_get(0)).transpose().map_err(|cause| fault(cause).into())
    }
}

fn parse(seq: FactSeq, body: &str) -> Result<Entry, JournalError> {
    serde_json::from_str(body).map_err(|cause| JournalError::Unreadable { seq: seq.0, cause })
}

/// The stored text and hash of every entry; `last` moves to the end of the chain.
fn chained<'a>(
    entries: &'a [Entry],
    last: &mut ChainHash,
) -> Result<Vec<(&'a Entry, String, ChainHash)>, JournalError> {
    let chain = |entry: &'a Entry| {
        let body =
            serde_json::to_string(entry).map_err(|cause| JournalError::Unreadable { seq: entry.seq.0, cause })?;
        *last = last.after(&body);
        Ok((entry, body, *last))
    };
    entries.iter().map(chain).collect()
}

/// What an entry means for the outbox.
enum OutboxChange<'a> {
    Queue { key: String, seq: FactSeq, member: &'a MemberId, task: String, at_ms: i64 },
    Mark { task: TaskId, member: Option<&'a MemberId>, state: &'static str },
}

impl OutboxChange<'_> {
    async fn store(&self, transaction: &mut sqlx::SqliteConnection) -> Result<(), sqlx::Error> {
        match self {
            Self::Queue { key, seq, member, task, at_ms } => {
                sqlx::query(
                    "INSERT INTO outbox (delivery_key, seq, member, channel, task, state, at_ms) \
                     VALUES ($1, $2, $3, 'app', $4, 'queued', $5) ON CONFLICT (delivery_key) DO NOTHING",
                )
                .bind(key)
                .bind(seq.0.cast_signed())
                .bind(member.as_str())
                .bind(task)
                .bind(at_ms)
                .execute(transaction)
                .await?;
            }
            Self::Mark { task, member, state } => {
                sqlx::query(
                    "UPDATE outbox SET state = $1 WHERE task = $2 AND (CAST($3 AS TEXT) IS NULL OR member = $3) \
                     AND state IN ('queued', 'delivered')",
                )
                .bind(state)
                .bind(task.to_string())
                .bind(member.map(MemberId::as_str))
                .execute(transaction)
                .await?;
            }
        }
        Ok(())
    }
}

/// One message a person and hand-over: the key makes a second one of the same class impossible.
fn outbox_changes(entries: &[Entry]) -> Vec<OutboxChange<'_>> {
    let mut changes = Vec::new();
    for entry in entries {
        let at_ms = entry.at.timestamp_millis();
        let queue = |task: &TaskId, member, class: &str| OutboxChange::Queue {
            key: format!("{task}:{member}:app:{class}"),
            seq: entry.seq,
            member,
            task: task.to_string(),
            at_ms,
        };
        match &entry.fact {
            Fact::Issued { task, to: Some(member), .. } => changes.push(queue(task, member, "first")),
            // Someone else may have been named in between and the same step reached again: a new order, a new key.
            Fact::Escalated { task, to: Some(member), .. } => {
                changes.push(queue(task, member, &format!("escalation-{}", entry.seq.0)));
            }
            Fact::Assigned { task, relieved, to, due_at: Some(_), .. } => {
                changes.extend(relieved.iter().map(|member| OutboxChange::Mark {
                    task: *task,
                    member: Some(member),
                    state: "cancelled",
                }));
                changes.push(queue(task, to, &format!("assigned-{}", entry.seq.0)));
            }
            Fact::Noticed { members, .. } => {
                let seq = entry.seq;
                changes.extend(members.iter().map(|member| OutboxChange::Queue {
                    key: format!("notice-{}:{member}:app:first", seq.0),
                    seq,
                    member,
                    task: format!("notice-{}", seq.0),
                    at_ms,
                }));
            }
            Fact::Delivered { member, tasks } => changes.extend(tasks.iter().map(|task| OutboxChange::Mark {
                task: *task,
                member: Some(member),
                state: "delivered",
            })),
            Fact::Acknowledged { task, .. } | Fact::Completed { task, .. } | Fact::Declined { task, .. } => {
                changes.push(OutboxChange::Mark { task: *task, member: None, state: "answered" });
            }
            Fact::Withdrawn { task, .. } => {
                changes.push(OutboxChange::Mark { task: *task, member: None, state: "cancelled" });
            }
            _ => {}
        }
    }
    changes
}
