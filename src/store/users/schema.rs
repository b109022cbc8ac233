//! The tables of users, sessions and links, and how their rows become types.

use super::{User, UserError};
use crate::model::{MemberId, Timestamp, UserName};
use crate::store::{Migration, SchemaPart, StoreError};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// The part `users` of `anlan.db`. Times are milliseconds since 1970 UTC.
pub const USERS_SCHEMA: SchemaPart = SchemaPart {
    name: "users",
    migrations: &[Migration {
        version: 1,
        sql: "
CREATE TABLE app_user (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    member_id TEXT UNIQUE,
    password_hash TEXT,
    created_ms BIGINT NOT NULL,
    disabled_ms BIGINT
);
CREATE TABLE session (
    token_hash TEXT PRIMARY KEY,
    user_name TEXT NOT NULL REFERENCES app_user (name),
    kind TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    revoked_ms BIGINT
);
CREATE INDEX session_by_user ON session (user_name);
CREATE TABLE link_token (
    token_hash TEXT PRIMARY KEY,
    user_name TEXT REFERENCES app_user (name),
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    used_ms BIGINT
);
",
    }],
};

/// Columns that [`user`] reads, in its order.
pub(super) const USER_COLUMNS: &str = "app_user.name, app_user.role, app_user.member_id, app_user.disabled_ms";

/// Reads the columns of [`USER_COLUMNS`] from position `first`.
pub(super) fn user(row: &SqliteRow, first: usize) -> Result<User, sqlx::Error> {
    let name: String = row.try_get(first)?;
    let role: String = row.try_get(first + 1)?;
    let member: Option<String> = row.try_get(first + 2)?;
    let disabled: Option<i64> = row.try_get(first + 3)?;
    let role = role.parse().map_err(|word| sqlx::Error::Decode(Box::new(word)))?;
    Ok(User { name: UserName::from(name), role, member: member.map(MemberId::from), disabled: disabled.is_some() })
}

/// A stored moment.
pub(super) fn moment(ms: i64) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_timestamp_millis(ms)
        .ok_or_else(|| sqlx::Error::Decode(format!("{ms} is not a time in milliseconds").into()))
}

/// Names the constraint that a new user breaks.
pub(super) fn conflict(error: StoreError, name: &UserName, member: Option<&MemberId>) -> UserError {
    let StoreError::Database { cause, .. } = &error else { return error.into() };
    let Some(database) = cause.as_database_error().filter(|cause| cause.is_unique_violation()) else {
        return error.into();
    };
    match member {
        Some(member) if database.message().contains("member_id") => UserError::MemberTaken { member: member.clone() },
        _ => UserError::Exists { name: name.clone() },
    }
}
