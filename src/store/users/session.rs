//! Sessions: opened once, carried by a cookie or a Bearer token, ended by time or by hand.

use super::schema::{USER_COLUMNS, moment, user};
use super::{Secret, User, UserError, Users};
use crate::model::{Timestamp, UserName};
use crate::store::WriteTransaction;
use chrono::TimeDelta;
use sqlx::{AssertSqlSafe, Row};

/// A browser at HQ stays logged in for one watch of half a day.
pub const HQ_SESSION: TimeDelta = TimeDelta::hours(12);
/// A phone stays logged in for a flood season; each use in the second half renews it.
pub const DEVICE_SESSION: TimeDelta = TimeDelta::days(120);
/// Ended sessions and used links are kept so long for the record, then purged.
const KEPT: TimeDelta = TimeDelta::days(30);

/// What carries the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    /// A cookie; ends after [`HQ_SESSION`].
    Browser,
    /// A Bearer token on a phone; ends [`DEVICE_SESSION`] after it was last renewed.
    Device,
}

impl SessionKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Device => "device",
        }
    }

    fn life(self) -> TimeDelta {
        match self {
            Self::Browser => HQ_SESSION,
            Self::Device => DEVICE_SESSION,
        }
    }
}

/// A session at the moment it was opened: the only time that its token is known.
#[derive(Debug, Clone)]
pub struct OpenedSession {
    /// The token for cookie or header.
    pub token: Secret,
    /// Whose it is.
    pub user: User,
    /// When it ends, UTC.
    pub expires: Timestamp,
}

impl Users {
    /// Opens a session for a user who has proved who it is; refuses a disabled or unknown one.
    pub async fn open_session(
        &self,
        name: &UserName,
        kind: SessionKind,
        now: Timestamp,
    ) -> Result<OpenedSession, UserError> {
        let doing = "open a session";
        let mut transaction = self.database.write(doing).await?;
        let opened = self.open_in(&mut transaction, name, kind, now).await?;
        transaction.commit().await.map_err(self.database.fault(doing))?;
        Ok(opened)
    }

    pub(super) async fn open_in(
        &self,
        transaction: &mut WriteTransaction,
        name: &UserName,
        kind: SessionKind,
        now: Timestamp,
    ) -> Result<OpenedSession, UserError> {
        let fault = self.database.fault("open a session");
        let sql = format!("SELECT {USER_COLUMNS} FROM app_user WHERE name = $1 AND disabled_ms IS NULL");
        let row = sqlx::query(AssertSqlSafe(sql)).bind(name.as_str()).fetch_optional(&mut **transaction).await;
        let Some(row) = row.map_err(&fault)? else { return Err(UserError::Refused) };
        let user = user(&row, 0).map_err(&fault)?;
        let token = Secret::draw().map_err(|_| UserError::NoRandomness)?;
        let expires = now + kind.life();
        sqlx::query(
            "INSERT INTO session (token_hash, user_name, kind, created_ms, expires_ms) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(token.hash().as_str())
        .bind(name.as_str())
        .bind(kind.as_str())
        .bind(now.timestamp_millis())
        .bind(expires.timestamp_millis())
        .execute(&mut **transaction)
        .await
        .map_err(&fault)?;
        Ok(OpenedSession { token, user, expires })
    }

    /// Whose session a token is; `None` for an unknown, ended or revoked one and for a disabled user.
    pub async fn session(&self, token: &str, now: Timestamp) -> Result<Option<User>, UserError> {
        let fault = self.database.fault("read a session");
        let Some(token) = Secret::from_text(token) else { return Ok(None) };
        let hash = token.hash();
        let sql = format!(
            "SELECT session.token_hash, session.kind, session.expires_ms, {USER_COLUMNS} \
             FROM session JOIN app_user ON app_user.name = session.user_name \
             WHERE session.token_hash = $1 AND session.revoked_ms IS NULL AND app_user.disabled_ms IS NULL"
        );
        let row = sqlx::query(AssertSqlSafe(sql)).bind(hash.as_str()).fetch_optional(self.database.read()).await;
        let Some(row) = row.map_err(&fault)? else { return Ok(None) };
        let stored: String = row.try_get(0).map_err(&fault)?;
        let kind: String = row.try_get(1).map_err(&fault)?;
        let expires = row.try_get(2).and_then(moment).map_err(&fault)?;
        let user = user(&row, 3).map_err(&fault)?;
        if !hash.is(&stored) || expires <= now {
            return Ok(None);
        }
        if kind == SessionKind::Device.as_str() && expires - now < DEVICE_SESSION / 2 {
            self.renew(hash.as_str(), now + DEVICE_SESSION).await?;
        }
        Ok(Some(user))
    }

    /// Ends one session; an unknown token is no error, it has ended already.
    pub async fn end_session(&self, token: &str, now: Timestamp) -> Result<(), UserError> {
        let doing = "end a session";
        if self.session(token, now).await?.is_none() {
            return Ok(());
        }
        let Some(token) = Secret::from_text(token) else { return Ok(()) };
        let mut transaction = self.database.write(doing).await?;
        sqlx::query("UPDATE session SET revoked_ms = $1 WHERE token_hash = $2 AND revoked_ms IS NULL")
            .bind(now.timestamp_millis())
            .bind(token.hash().as_str())
            .execute(&mut *transaction)
            .await
            .map_err(self.database.fault(doing))?;
        Ok(transaction.commit().await.map_err(self.database.fault(doing))?)
    }

    /// Ends all sessions and open links of a user: a lost phone.
    pub async fn revoke(&self, name: &UserName, now: Timestamp) -> Result<(), UserError> {
        let doing = "revoke sessions";
        let mut transaction = self.database.write(doing).await?;
        revoke_of(&mut transaction, name, now).await.map_err(self.database.fault(doing))?;
        Ok(transaction.commit().await.map_err(self.database.fault(doing))?)
    }

    /// Forgets sessions and links that ended more than 30 days ago; returns how many.
    pub async fn purge(&self, now: Timestamp) -> Result<u64, UserError> {
        let doing = "purge old sessions";
        let before = (now - KEPT).timestamp_millis();
        let mut transaction = self.database.write(doing).await?;
        let mut gone = 0;
        for sql in [
            "DELETE FROM session WHERE expires_ms < $1 OR revoked_ms < $1",
            "DELETE FROM link_token WHERE expires_ms < $1 OR used_ms < $1",
        ] {
            let done = sqlx::query(sql).bind(before).execute(&mut *transaction).await;
            gone += done.map_err(self.database.fault(doing))?.rows_affected();
        }
        transaction.commit().await.map_err(self.database.fault(doing))?;
        Ok(gone)
    }

    async fn renew(&self, hash: &str, expires: Timestamp) -> Result<(), UserError> {
        let doing = "renew a session";
        let mut transaction = self.database.write(doing).await?;
        sqlx::query("UPDATE session SET expires_ms = $1 WHERE token_hash = $2 AND revoked_ms IS NULL")
            .bind(expires.timestamp_millis())
            .bind(hash)
            .execute(&mut *transaction)
            .await
            .map_err(self.database.fault(doing))?;
        Ok(transaction.commit().await.map_err(self.database.fault(doing))?)
    }
}

/// Ends every session and link of a user inside a transaction.
pub(super) async fn revoke_of(
    transaction: &mut WriteTransaction,
    name: &UserName,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    for sql in [
        "UPDATE session SET revoked_ms = $1 WHERE user_name = $2 AND revoked_ms IS NULL",
        "UPDATE link_token SET used_ms = $1 WHERE user_name = $2 AND used_ms IS NULL",
    ] {
        sqlx::query(sql).bind(now.timestamp_millis()).bind(name.as_str()).execute(&mut **transaction).await?;
    }
    Ok(())
}
