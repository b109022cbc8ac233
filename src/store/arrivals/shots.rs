//! Pictures that cameras were asked for: what came, or why nothing came. The pictures themselves are files under their hash.

use super::Arrivals;
use crate::model::Timestamp;
use crate::store::StoreError;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::collections::BTreeSet;

/// Most of a list.
const LISTED_MAX: i64 = 100;

/// One try.
#[derive(Debug, Clone, PartialEq)]
pub struct NewShot {
    /// Which camera; `None`: there was none to ask.
    pub camera: Option<String>,
    /// The alarm that it was taken for, and since when that was open.
    pub alarm: Option<(String, Timestamp)>,
    /// Account, or `system`.
    pub who: String,
    /// Why.
    pub reason: String,
    /// From the alarm, m.
    pub metres: Option<f64>,
    /// The picture's id, or why there is none.
    pub outcome: Result<String, String>,
}

/// One try as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Shot {
    /// `cs-<number>`.
    pub id: String,
    /// When it ended.
    pub at: Timestamp,
    /// What was tried.
    pub tried: NewShot,
}

/// Which ones.
#[derive(Debug, Clone, Default)]
pub struct ShotQuery {
    /// Of an alarm.
    pub alarm: Option<String>,
    /// Of a camera.
    pub camera: Option<String>,
}

impl Arrivals {
    /// Keeps a try.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_shot(&self, new: &NewShot, now: Timestamp) -> Result<Shot, StoreError> {
        let doing = "keep a picture's record";
        let fault = self.database.fault(doing);
        let mut transaction = self.database.write(doing).await?;
        let row = sqlx::query(
            "INSERT INTO camera_shot (number, camera, alarm, alarm_since_ms, at_ms, who, reason, metres, photo, fault) \
             SELECT COALESCE(MAX(number), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8, $9 FROM camera_shot RETURNING number",
        )
        .bind(&new.camera)
        .bind(new.alarm.as_ref().map(|(key, _)| key))
        .bind(new.alarm.as_ref().map(|(_, since)| since.timestamp_millis()))
        .bind(now.timestamp_millis())
        .bind(&new.who)
        .bind(&new.reason)
        .bind(new.metres)
        .bind(new.outcome.as_ref().ok())
        .bind(new.outcome.as_ref().err())
        .fetch_one(&mut *transaction)
        .await
        .map_err(&fault)?;
        let number: i64 = row.try_get(0).map_err(&fault)?;
        transaction.commit().await.map_err(&fault)?;
        Ok(Shot { id: format!("cs-{number}"), at: now, tried: new.clone() })
    }

    /// The latest tries, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn shots(&self, query: &ShotQuery) -> Result<Vec<Shot>, StoreError> {
        let fault = self.database.fault("list the pictures");
        let rows = sqlx::query(
            "SELECT number, camera, alarm, alarm_since_ms, at_ms, who, reason, metres, photo, fault FROM camera_shot \
             WHERE ($1 IS NULL OR alarm = $1) AND ($2 IS NULL OR camera = $2) ORDER BY number DESC LIMIT $3",
        )
        .bind(&query.alarm)
        .bind(&query.camera)
        .bind(LISTED_MAX)
        .fetch_all(self.database.read())
        .await
        .map_err(&fault)?;
        rows.iter().map(shot).collect::<Result<_, _>>().map_err(&fault)
    }

    /// The last try of each camera.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_shots(&self) -> Result<Vec<Shot>, StoreError> {
        let fault = self.database.fault("list the pictures");
        let rows = sqlx::query(
            "SELECT number, camera, alarm, alarm_since_ms, at_ms, who, reason, metres, photo, fault FROM camera_shot \
             WHERE number IN (SELECT MAX(number) FROM camera_shot WHERE camera IS NOT NULL GROUP BY camera)",
        )
        .fetch_all(self.database.read())
        .await
        .map_err(&fault)?;
        rows.iter().map(shot).collect::<Result<_, _>>().map_err(&fault)
    }

    /// Alarms that were open since a moment and had a try, by key and moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alarms_with_shots(&self, since: Timestamp) -> Result<BTreeSet<(String, Timestamp)>, StoreError> {
        let fault = self.database.fault("list the pictures of alarms");
        let sql = "SELECT DISTINCT alarm, alarm_since_ms FROM camera_shot WHERE alarm_since_ms >= $1";
        let rows = sqlx::query(sql).bind(since.timestamp_millis()).fetch_all(self.database.read()).await;
        let one = |row: &SqliteRow| Ok((row.try_get(0)?, moment(row.try_get(1)?)?));
        rows.map_err(&fault)?.iter().map(one).collect::<Result<_, _>>().map_err(&fault)
    }
}

fn moment(ms: i64) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_timestamp_millis(ms).ok_or_else(|| sqlx::Error::Decode("no time".into()))
}

fn shot(row: &SqliteRow) -> Result<Shot, sqlx::Error> {
    let number: i64 = row.try_get(0)?;
    let alarm: (Option<String>, Option<i64>) = (row.try_get(2)?, row.try_get(3)?);
    let photo: Option<String> = row.try_get(8)?;
    let fault: Option<String> = row.try_get(9)?;
    let tried = NewShot {
        camera: row.try_get(1)?,
        alarm: match alarm {
            (Some(key), Some(ms)) => Some((key, moment(ms)?)),
            _ => None,
        },
        who: row.try_get(5)?,
        reason: row.try_get(6)?,
        metres: row.try_get(7)?,
        outcome: photo.ok_or(fault.unwrap_or_default()),
    };
    Ok(Shot { id: format!("cs-{number}"), at: moment(row.try_get(4)?)?, tried })
}
