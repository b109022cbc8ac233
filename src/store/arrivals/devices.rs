//! Devices that push readings: each has a token and may write to the series it was given, to nothing else.

use super::Arrivals;
use crate::model::{SeriesId, Timestamp};
use crate::store::StoreError;
use crate::store::users::{Secret, SecretHash};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::str::FromStr;

/// Longest name of a device.
const NAME_MAX: usize = 64;

/// Series that a device may write to: one, or all of a station (`huayuankou.*`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesPattern(String);

impl FromStr for SeriesPattern {
    type Err = String;
    /// `<station>.<quantity>` or `<station>.*`; never everything.
    fn from_str(text: &str) -> Result<Self, String> {
        let plain =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
        match text.split_once('.') {
            Some((station, quantity)) if plain(station) && (quantity == "*" || plain(quantity)) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(format!("{text:?} is not <station>.<quantity> or <station>.* (须为 测站.要素 或 测站.*)")),
        }
    }
}

impl SeriesPattern {
    /// Whether the series is meant.
    pub fn holds(&self, series: &str) -> bool {
        let series = SeriesId::new(series);
        match self.0.split_once('.') {
            Some((station, "*")) => series.station() == station,
            _ => series.as_str() == self.0,
        }
    }
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A device that may push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its name, for lists and the log.
    pub name: String,
    /// What it may write to.
    pub series: Vec<SeriesPattern>,
    /// Whether its token has ended.
    pub revoked: bool,
}

impl Device {
    /// Whether it may write to that series.
    pub fn may_write(&self, series: &str) -> bool {
        !self.revoked && self.series.iter().any(|pattern| pattern.holds(series))
    }
}

/// Why a device is not made or ended.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A name for lists: short, no blanks.
    #[error("a device name has 1 to {NAME_MAX} letters, digits, '.', '_' or '-' (设备名只含字母、数字、. _ -)")]
    Name,
    /// Nothing to write to.
    #[error("give at least one --series (至少一个 --series)")]
    NoSeries,
    /// It is there.
    #[error("device {0} exists; revoke it and take another name (设备名已存在)")]
    Exists(String),
    /// It is not there, or has ended.
    #[error("no device {0} (没有该设备)")]
    Unknown(String),
    /// The system has no randomness.
    #[error("no randomness for a token (无法生成口令)")]
    NoRandomness,
}

impl Arrivals {
    /// Makes a device; its token is shown this once.
    ///
    /// # Errors
    /// A name that is taken or cannot be, no series, or a database that fails.
    pub async fn add_device(
        &self,
        name: &str,
        series: &[SeriesPattern],
        now: Timestamp,
    ) -> Result<Secret, DeviceError> {
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !(1..=NAME_MAX).contains(&name.len()) || !plain {
            return Err(DeviceError::Name);
        }
        if series.is_empty() {
            return Err(DeviceError::NoSeries);
        }
        let doing = "store a device";
        let fault = self.database.fault(doing);
        let token = Secret::draw().map_err(|_| DeviceError::NoRandomness)?;
        let words: Vec<_> = series.iter().map(SeriesPattern::as_str).collect();
        let mut transaction = self.database.write(doing).await?;
        let made = sqlx::query(
            "INSERT INTO push_device (name, token_hash, series, created_ms) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(name)
        .bind(token.hash().as_str())
        .bind(words.join(" "))
        .bind(now.timestamp_millis())
        .execute(&mut *transaction)
        .await
        .map_err(&fault)?;
        if made.rows_affected() == 0 {
            return Err(DeviceError::Exists(name.to_owned()));
        }
        transaction.commit().await.map_err(&fault)?;
        Ok(token)
    }

    /// All devices by name, those that have ended included.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn devices(&self) -> Result<Vec<Device>, StoreError> {
        let fault = self.database.fault("read the devices");
        let rows = sqlx::query("SELECT name, series, revoked_ms FROM push_device ORDER BY name")
            .fetch_all(self.database.read())
            .await
            .map_err(&fault)?;
        rows.iter().map(device).collect::<Result<_, _>>().map_err(&fault)
    }

    /// Ends the token of a device.
    ///
    /// # Errors
    /// When there is none of that name, or the database fails.
    pub async fn revoke_device(&self, name: &str, now: Timestamp) -> Result<(), DeviceError> {
        let doing = "revoke a device";
        let fault = self.database.fault(doing);
        let mut transaction = self.database.write(doing).await?;
        let done = sqlx::query("UPDATE push_device SET revoked_ms = $1 WHERE name = $2 AND revoked_ms IS NULL")
            .bind(now.timestamp_millis())
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(&fault)?;
        if done.rows_affected() == 0 {
            return Err(DeviceError::Unknown(name.to_owned()));
        }
        transaction.commit().await.map_err(&fault)?;
        Ok(())
    }

    /// The device of a token; `None` for an unknown or revoked one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn device(&self, token: &str) -> Result<Option<Device>, StoreError> {
        let Some(hash) = Secret::from_text(token).map(|token| token.hash()) else { return Ok(None) };
        let fault = self.database.fault("look up a device");
        let sql = "SELECT name, series, revoked_ms, token_hash FROM push_device \
                   WHERE token_hash = $1 AND revoked_ms IS NULL";
        let row = sqlx::query(sql).bind(hash.as_str()).fetch_optional(self.database.read()).await.map_err(&fault)?;
        let Some(row) = row else { return Ok(None) };
        same_hash(&hash, &row).map_err(&fault)?.then(|| device(&row).map_err(&fault)).transpose()
    }
}

fn same_hash(hash: &SecretHash, row: &SqliteRow) -> Result<bool, sqlx::Error> {
    let stored: String = row.try_get(3)?;
    Ok(hash.is(&stored))
}

fn device(row: &SqliteRow) -> Result<Device, sqlx::Error> {
    let (name, series): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    let ended: Option<i64> = row.try_get(2)?;
    let series = series.split(' ').map(|word| word.parse().map_err(|fault: String| sqlx::Error::Decode(fault.into())));
    Ok(Device { name, series: series.collect::<Result<_, _>>()?, revoked: ended.is_some() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Database;
    use crate::store::arrivals::ARRIVALS_SCHEMA;

    #[test]
    fn a_pattern_is_one_series_or_one_station() {
        for (pattern, series, holds) in [
            ("huayuankou.stage", "huayuankou.stage", true),
            ("huayuankou.stage", "huayuankou.stage2", false),
            ("huayuankou.*", "huayuankou.stage", true),
            ("huayuankou.*", "huayuankou2.stage", false),
            ("huayuankou.*", "huayuankou", true),
        ] {
            assert_eq!(pattern.parse::<SeriesPattern>().unwrap().holds(series), holds, "{pattern} {series}");
        }
        for text in ["*", "*.*", "huayuankou", "", ".stage", "a b.*", "huayuankou.st*"] {
            assert!(text.parse::<SeriesPattern>().is_err(), "{text:?}");
        }
    }

    #[tokio::test]
    async fn a_device_comes_in_by_its_token_until_it_is_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("anlan.db"), &[ARRIVALS_SCHEMA]).await.unwrap();
        let arrivals = Arrivals::new(database);
        let (now, series) = (Timestamp::UNIX_EPOCH, ["a.stage".parse().unwrap(), "b.*".parse().unwrap()]);
        let token = arrivals.add_device("gw-1", &series, now).await.unwrap();
        let device = arrivals.device(token.reveal()).await.unwrap().unwrap();
        assert!(device.may_write("a.stage") && device.may_write("b.rain") && !device.may_write("a.rain"));
        assert!(matches!(arrivals.add_device("gw-1", &series, now).await, Err(DeviceError::Exists(_))));
        assert!(matches!(arrivals.add_device("gw 2", &series, now).await, Err(DeviceError::Name)));
        assert!(matches!(arrivals.add_device("gw-2", &[], now).await, Err(DeviceError::NoSeries)));
        assert_eq!(arrivals.device(Secret::draw().unwrap().reveal()).await.unwrap(), None);
        assert_eq!(arrivals.device("no token").await.unwrap(), None);
        arrivals.revoke_device("gw-1", now).await.unwrap();
        assert_eq!(arrivals.device(token.reveal()).await.unwrap(), None);
        assert!(matches!(arrivals.revoke_device("gw-1", now).await, Err(DeviceError::Unknown(_))));
        assert!(arrivals.devices().await.unwrap()[0].revoked);
    }
}
