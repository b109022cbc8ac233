//! One-time links: into a demo account, onto a phone, and through the closed door of the first set-up.

use super::{NewUser, OpenedSession, Secret, SessionKind, UserError, Users, conflict, insert};
use crate::model::{Timestamp, UserName, UserRole};
use crate::store::WriteTransaction;
use chrono::TimeDelta;
use sqlx::Row;

impl Users {
    /// Makes a link into the account of `name` that works once, for `life`.
    pub async fn login_link(&self, name: &UserName, life: TimeDelta, now: Timestamp) -> Result<Secret, UserError> {
        self.make_link(Some(name), life, now).await
    }

    /// Makes the token that the console prints and `/setup` asks for; earlier ones end.
    pub async fn setup_token(&self, life: TimeDelta, now: Timestamp) -> Result<Secret, UserError> {
        self.make_link(None, life, now).await
    }

    async fn make_link(&self, name: Option<&UserName>, life: TimeDelta, now: Timestamp) -> Result<Secret, UserError> {
        let doing = "store a link";
        let fault = self.database.fault(doing);
        let token = Secret::draw().map_err(|_| UserError::NoRandomness)?;
        let mut transaction = self.database.write(doing).await?;
        if let Some(name) = name {
            let found = sqlx::query("SELECT 1 FROM app_user WHERE name = $1 AND disabled_ms IS NULL");
            let found = found.bind(name.as_str()).fetch_optional(&mut *transaction).await.map_err(&fault)?;
            found.ok_or_else(|| UserError::Unknown { name: name.clone() })?;
        } else {
            let earlier = sqlx::query("UPDATE link_token SET used_ms = $1 WHERE user_name IS NULL AND used_ms IS NULL");
            earlier.bind(now.timestamp_millis()).execute(&mut *transaction).await.map_err(&fault)?;
        }
        sqlx::query("INSERT INTO link_token (token_hash, user_name, created_ms, expires_ms) VALUES ($1, $2, $3, $4)")
            .bind(token.hash().as_str())
            .bind(name.map(UserName::as_str))
            .bind(now.timestamp_millis())
            .bind((now + life).timestamp_millis())
            .execute(&mut *transaction)
            .await
            .map_err(&fault)?;
        transaction.commit().await.map_err(&fault)?;
        Ok(token)
    }

    /// Opens a session with a link; the link is used up in the same transaction.
    pub async fn redeem(&self, token: &str, kind: SessionKind, now: Timestamp) -> Result<OpenedSession, UserError> {
        let doing = "redeem a link";
        self.glance(token, now).await?;
        let mut transaction = self.database.write(doing).await?;
        let owner = self.use_up(&mut transaction, token, now).await?;
        let opened = self.open_in(&mut transaction, &owner.ok_or(UserError::StaleLink)?, kind, now).await?;
        transaction.commit().await.map_err(self.database.fault(doing))?;
        Ok(opened)
    }

    /// Makes the first administrator with the console's token and opens a session; refused once there is one.
    pub async fn set_up(&self, token: &str, new: NewUser, now: Timestamp) -> Result<OpenedSession, UserError> {
        let doing = "make the first administrator";
        let fault = self.database.fault(doing);
        if new.password.is_none() {
            return Err(UserError::WeakPassword { why: "is missing" });
        }
        if self.has_administrator().await? {
            return Err(UserError::AlreadySetUp);
        }
        self.glance(token, now).await?;
        let prepared = self.prepare(NewUser { role: UserRole::Operator, ..new }).await?;
        let mut transaction = self.database.write(doing).await?;
        let taken = sqlx::query("SELECT 1 FROM app_user WHERE role = 'operator' AND disabled_ms IS NULL LIMIT 1");
        if taken.fetch_optional(&mut *transaction).await.map_err(&fault)?.is_some() {
            return Err(UserError::AlreadySetUp);
        }
        if self.use_up(&mut transaction, token, now).await?.is_some() {
            return Err(UserError::StaleLink);
        }
        insert(&mut transaction, &prepared, now)
            .await
            .map_err(|cause| conflict(fault(cause), &prepared.0.name, prepared.0.member.as_ref()))?;
        let opened = self.open_in(&mut transaction, &prepared.0.name, SessionKind::Browser, now).await?;
        transaction.commit().await.map_err(&fault)?;
        Ok(opened)
    }

    /// Refuses a guess before it costs a hash or a turn of the writer; what counts is [`Self::use_up`].
    async fn glance(&self, token: &str, now: Timestamp) -> Result<(), UserError> {
        let token = Secret::from_text(token).ok_or(UserError::StaleLink)?;
        let found =
            sqlx::query("SELECT 1 FROM link_token WHERE token_hash = $1 AND used_ms IS NULL AND expires_ms > $2")
                .bind(token.hash().as_str())
                .bind(now.timestamp_millis())
                .fetch_optional(self.database.read())
                .await
                .map_err(self.database.fault("read a link"))?;
        found.map(|_| ()).ok_or(UserError::StaleLink)
    }

    /// Marks a token as used and says whose account it opens (`None`: the set-up). A refusal rolls the mark back.
    async fn use_up(
        &self,
        transaction: &mut WriteTransaction,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<UserName>, UserError> {
        let fault = self.database.fault("redeem a link");
        let token = Secret::from_text(token).ok_or(UserError::StaleLink)?;
        let hash = token.hash();
        let done = sqlx::query(
            "UPDATE link_token SET used_ms = $1 WHERE token_hash = $2 AND used_ms IS NULL AND expires_ms > $1 \
             RETURNING token_hash, user_name",
        );
        let row = done.bind(now.timestamp_millis()).bind(hash.as_str()).fetch_optional(&mut **transaction).await;
        let row = row.map_err(&fault)?.ok_or(UserError::StaleLink)?;
        let stored: String = row.try_get(0).map_err(&fault)?;
        if !hash.is(&stored) {
            return Err(UserError::StaleLink);
        }
        let owner: Option<String> = row.try_get(1).map_err(&fault)?;
        Ok(owner.map(UserName::from))
    }
}
