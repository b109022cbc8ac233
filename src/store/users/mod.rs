//! Who may use the system: users, their sessions and one-time links.
//!
//! In: names, passwords, tokens and the wall clock's `now` (sessions end in real time, never in a drill's). Out:
//! [`User`]s and freshly opened sessions. It stores passwords as argon2id and tokens as SHA-256, and it refuses
//! without saying which of name and password was wrong. What a role may do is decided by who asks, not here.

mod error;
mod limit;
mod link;
mod password;
mod schema;
mod secret;
mod session;

pub use error::UserError;
pub use password::Password;
pub use schema::USERS_SCHEMA;
pub use secret::{Secret, SecretHash};
pub use session::{DEVICE_SESSION, HQ_SESSION, OpenedSession, SessionKind};

use super::Database;
use crate::model::{MemberId, Timestamp, UserName, UserRole};
use limit::LoginLimit;
use password::Hasher;
use schema::{USER_COLUMNS, conflict, user};
use sqlx::{AssertSqlSafe, Row};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A user of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: UserName,
    /// What the user may do.
    pub role: UserRole,
    /// The grid member that this user is, if any.
    pub member: Option<MemberId>,
    /// Whether the user was disabled.
    pub disabled: bool,
}

/// A user to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Login name: 1 to 64 letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// What the user may do.
    pub role: UserRole,
    /// The grid member that this user is; needed for role `member`.
    pub member: Option<MemberId>,
    /// None for a user that only comes in by a link (demo, phones).
    pub password: Option<Password>,
}

/// An attempt to log in.
#[derive(Debug, Clone)]
pub struct Login {
    /// What was typed.
    pub name: String,
    /// What was typed.
    pub password: Password,
    /// Where it came from.
    pub address: IpAddr,
}

/// The users of one data directory.
#[derive(Debug, Clone)]
pub struct Users {
    database: Database,
    hasher: Hasher,
    limit: Arc<Mutex<LoginLimit>>,
    /// Set once there is one; it stays true, as the last administrator cannot be disabled.
    administered: Arc<AtomicBool>,
}

impl Users {
    /// Uses a database that was opened with [`USERS_SCHEMA`].
    pub fn new(database: Database) -> Self {
        Self { database, hasher: Hasher::new(), limit: Arc::default(), administered: Arc::default() }
    }

    /// Makes a user.
    pub async fn add(&self, new: NewUser, now: Timestamp) -> Result<User, UserError> {
        let doing = "store a user";
        let prepared = self.prepare(new).await?;
        let mut transaction = self.database.write(doing).await?;
        insert(&mut transaction, &prepared, now).await.map_err(|cause| {
            conflict(self.database.fault(doing)(cause), &prepared.0.name, prepared.0.member.as_ref())
        })?;
        transaction.commit().await.map_err(self.database.fault(doing))?;
        Ok(prepared.0)
    }

    /// All users by name.
    pub async fn list(&self) -> Result<Vec<User>, UserError> {
        let fault = self.database.fault("read the users");
        let rows = sqlx::query(AssertSqlSafe(format!("SELECT {USER_COLUMNS} FROM app_user ORDER BY name")))
            .fetch_all(self.database.read())
            .await
            .map_err(&fault)?;
        Ok(rows.iter().map(|row| user(row, 0)).collect::<Result<_, _>>().map_err(&fault)?)
    }

    /// Whether someone can administer the system: an operator who is not disabled.
    pub async fn has_administrator(&self) -> Result<bool, UserError> {
        // Asked by every request.
        if self.administered.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let found = sqlx::query("SELECT 1 FROM app_user WHERE role = 'operator' AND disabled_ms IS NULL LIMIT 1")
            .fetch_optional(self.database.read())
            .await
            .map_err(self.database.fault("look for an administrator"))?
            .is_some();
        self.administered.fetch_or(found, Ordering::Relaxed);
        Ok(found)
    }

    /// Opens a session for a name and a password.
    pub async fn login(&self, login: Login, now: Timestamp) -> Result<OpenedSession, UserError> {
        if let Some(wait) = self.limit().wait(&login.name, login.address, now) {
            return Err(UserError::Locked { wait });
        }
        // Counted before it is compared, so that many attempts at once cannot all pass the limit.
        self.limit().failed(&login.name, login.address, now);
        let stored = self.stored_password(&login.name).await?;
        if !self.hasher.fits(login.password, stored).await? {
            return Err(UserError::Refused);
        }
        self.limit().succeeded(&login.name, login.address);
        self.open_session(&UserName::from(login.name), SessionKind::Browser, now).await
    }

    /// Whether an account of that name may log in by password.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_password(&self, name: &str) -> Result<bool, UserError> {
        Ok(self.stored_password(name).await?.is_some())
    }

    /// How long that name must wait before it may try again from that address.
    pub fn locked_for(&self, name: &str, address: IpAddr, now: Timestamp) -> Option<chrono::TimeDelta> {
        self.limit().wait(name, address, now)
    }

    /// Gives a user another password and ends all sessions of the user.
    pub async fn set_password(&self, name: &UserName, password: Password, now: Timestamp) -> Result<(), UserError> {
        let doing = "store a password";
        password.accept(name.as_str())?;
        let hash = self.hasher.hash(password).await?;
        let mut transaction = self.database.write(doing).await?;
        let changed = sqlx::query("UPDATE app_user SET password_hash = $1 WHERE name = $2")
            .bind(hash)
            .bind(name.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(self.database.fault(doing))?;
        if changed.rows_affected() == 0 {
            return Err(UserError::Unknown { name: name.clone() });
        }
        session::revoke_of(&mut transaction, name, now).await.map_err(self.database.fault(doing))?;
        Ok(transaction.commit().await.map_err(self.database.fault(doing))?)
    }

    /// Shuts a user out at once: no login, no session, no link. The row stays, for the record.
    pub async fn disable(&self, name: &UserName, now: Timestamp) -> Result<(), UserError> {
        let doing = "disable a user";
        let fault = self.database.fault(doing);
        let mut transaction = self.database.write(doing).await?;
        let others =
            sqlx::query("SELECT COUNT(*) FROM app_user WHERE role = 'operator' AND disabled_ms IS NULL AND name <> $1");
        let others: i64 = others
            .bind(name.as_str())
            .fetch_one(&mut *transaction)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(&fault)?;
        let role = sqlx::query("SELECT role FROM app_user WHERE name = $1").bind(name.as_str());
        let role = role.fetch_optional(&mut *transaction).await.map_err(&fault)?;
        let Some(role) = role else { return Err(UserError::Unknown { name: name.clone() }) };
        let role: String = role.try_get(0).map_err(&fault)?;
        if role == UserRole::Operator.as_str() && others == 0 {
            return Err(UserError::LastAdministrator { name: name.clone() });
        }
        sqlx::query("UPDATE app_user SET disabled_ms = $1 WHERE name = $2 AND disabled_ms IS NULL")
            .bind(now.timestamp_millis())
            .bind(name.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(&fault)?;
        session::revoke_of(&mut transaction, name, now).await.map_err(&fault)?;
        Ok(transaction.commit().await.map_err(&fault)?)
    }

    async fn stored_password(&self, name: &str) -> Result<Option<String>, UserError> {
        let fault = self.database.fault("read a user");
        let row = sqlx::query("SELECT password_hash FROM app_user WHERE name = $1 AND disabled_ms IS NULL")
            .bind(name)
            .fetch_optional(self.database.read())
            .await
            .map_err(&fault)?;
        Ok(row.map_or(Ok(None), |row| row.try_get(0)).map_err(&fault)?)
    }

    /// Checks a new user and hashes the password, before any transaction is open.
    async fn prepare(&self, new: NewUser) -> Result<(User, Option<String>), UserError> {
        let letters = new.name.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
        if !letters || new.name.is_empty() || new.name.chars().count() > 64 {
            return Err(UserError::BadName { name: new.name });
        }
        if new.role == UserRole::Member && new.member.is_none() {
            return Err(UserError::MemberMissing);
        }
        let hash = match new.password {
            None => None,
            Some(password) => {
                password.accept(&new.name)?;
                Some(self.hasher.hash(password).await?)
            }
        };
        Ok((User { name: UserName::from(new.name), role: new.role, member: new.member, disabled: false }, hash))
    }

    /// The counter's lock is held for a look-up only, never across an await.
    fn limit(&self) -> std::sync::MutexGuard<'_, LoginLimit> {
        self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn insert(
    transaction: &mut super::WriteTransaction,
    (user, hash): &(User, Option<String>),
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO app_user (name, role, member_id, password_hash, created_ms) VALUES ($1, $2, $3, $4, $5)")
        .bind(user.name.as_str())
        .bind(user.role.as_str())
        .bind(user.member.as_ref().map(MemberId::as_str))
        .bind(hash)
        .bind(now.timestamp_millis())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
