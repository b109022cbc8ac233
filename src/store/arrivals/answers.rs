//! Answers to pushes, kept under the sender's key for a week: the same push again gets the same answer.

use super::Arrivals;
use crate::model::Timestamp;
use crate::store::StoreError;
use chrono::TimeDelta;
use sqlx::Row;

/// A sender that asks again after this long is a new sender.
const KEPT: TimeDelta = TimeDelta::days(7);

/// An answer under its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Who pushed: account or device.
    pub who: String,
    /// The sender's key.
    pub key: String,
    /// Hash of what was pushed.
    pub body_hash: String,
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: String,
}

/// What is known under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing yet.
    No,
    /// The same push, with its answer.
    Same(KeptAnswer),
    /// The key was used for another push.
    Other,
}

impl Arrivals {
    /// Looks up what was answered to a push.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answered(&self, who: &str, key: &str, body_hash: &str) -> Result<Known, StoreError> {
        let fault = self.database.fault("look up an earlier push");
        let sql = "SELECT body_hash, status, body FROM push_answer WHERE who = $1 AND push_key = $2";
        let row = sqlx::query(sql).bind(who).bind(key).fetch_optional(self.database.read()).await.map_err(&fault)?;
        let Some(row) = row else { return Ok(Known::No) };
        let known: String = row.try_get(0).map_err(&fault)?;
        if known != body_hash {
            return Ok(Known::Other);
        }
        let status: i64 = row.try_get(1).map_err(&fault)?;
        Ok(Known::Same(KeptAnswer {
            who: who.to_owned(),
            key: key.to_owned(),
            body_hash: known,
            status: u16::try_from(status).unwrap_or(500),
            body: row.try_get(2).map_err(&fault)?,
        }))
    }

    /// Keeps an answer; the first one under a key stays. Those older than a week go.
    ///
    /// # Errors
    /// When the database fails; what was pushed is durable all the same.
    pub async fn keep_answer(&self, answer: &KeptAnswer, now: Timestamp) -> Result<(), StoreError> {
        let doing = "keep the answer to a push";
        let fault = self.database.fault(doing);
        let mut transaction = self.database.write(doing).await?;
        sqlx::query("DELETE FROM push_answer WHERE at_ms < $1")
            .bind((now - KEPT).timestamp_millis())
            .execute(&mut *transaction)
            .await
            .map_err(&fault)?;
        sqlx::query(
            "INSERT INTO push_answer (who, push_key, body_hash, at_ms, status, body) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (who, push_key) DO NOTHING",
        )
        .bind(&answer.who)
        .bind(&answer.key)
        .bind(&answer.body_hash)
        .bind(now.timestamp_millis())
        .bind(i64::from(answer.status))
        .bind(&answer.body)
        .execute(&mut *transaction)
        .await
        .map_err(&fault)?;
        transaction.commit().await.map_err(&fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Database;
    use crate::store::arrivals::ARRIVALS_SCHEMA;

    #[tokio::test]
    async fn a_push_is_known_again_for_a_week_and_only_with_its_own_body() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("anlan.db"), &[ARRIVALS_SCHEMA]).await.unwrap();
        let arrivals = Arrivals::new(database);
        let now = Timestamp::UNIX_EPOCH + TimeDelta::days(100);
        let answer = |body: &str| KeptAnswer {
            who: "gw-1".into(),
            key: "k".into(),
            body_hash: "h".into(),
            status: 202,
            body: body.into(),
        };
        assert_eq!(arrivals.answered("gw-1", "k", "h").await.unwrap(), Known::No);
        arrivals.keep_answer(&answer("first"), now).await.unwrap();
        arrivals.keep_answer(&answer("second"), now).await.unwrap();
        assert_eq!(arrivals.answered("gw-1", "k", "h").await.unwrap(), Known::Same(answer("first")));
        assert_eq!(arrivals.answered("gw-1", "k", "other").await.unwrap(), Known::Other);
        assert_eq!(arrivals.answered("gw-2", "k", "h").await.unwrap(), Known::No, "another sender, another key");
        let later = KeptAnswer { key: "later".into(), ..answer("third") };
        arrivals.keep_answer(&later, now + TimeDelta::days(8)).await.unwrap();
        assert_eq!(arrivals.answered("gw-1", "k", "h").await.unwrap(), Known::No, "a week is over");
    }
}
