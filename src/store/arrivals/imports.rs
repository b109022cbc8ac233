//! Tables that somebody wants to import: what was previewed is kept until it is confirmed, and exactly that is then stored.

use super::Arrivals;
use crate::model::{Reading, SeriesId, Timestamp};
use crate::store::StoreError;
use chrono::TimeDelta;
use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::collections::BTreeMap;

/// A preview that nobody confirms is forgotten after this.
const WAITS: TimeDelta = TimeDelta::hours(24);
/// Most previews that wait; the oldest goes.
const WAITING_MAX: i64 = 50;
/// Most imports of a list.
const LISTED_MAX: i64 = 100;

/// What is kept of a preview.
#[derive(Debug, Clone)]
pub struct NewImport {
    /// Who sent the file.
    pub who: String,
    /// Name of the file.
    pub name: String,
    /// SHA-256 of the file, hex.
    pub file_hash: String,
    /// The preview as it was shown.
    pub summary: Value,
    /// How many rows it leaves out.
    pub left_out: usize,
    /// What will be stored.
    pub readings: Vec<Reading>,
}

/// An import, waiting or done.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// `imp-<number>`.
    pub id: String,
    /// Who sent the file.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// Name of the file.
    pub name: String,
    /// The preview as it was shown.
    pub summary: Value,
    /// How many rows it leaves out.
    pub left_out: usize,
    /// Who confirmed it, and when.
    pub confirmed: Option<(String, Timestamp)>,
}

impl Arrivals {
    /// Keeps a preview and gives its id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_import(&self, new: &NewImport, now: Timestamp) -> Result<String, StoreError> {
        let doing = "keep an import";
        let fault = self.database.fault(doing);
        let mut transaction = self.database.write(doing).await?;
        sqlx::query("DELETE FROM import WHERE confirmed_ms IS NULL AND at_ms < $1")
            .bind((now - WAITS).timestamp_millis())
            .execute(&mut *transaction)
            .await
            .map_err(&fault)?;
        sqlx::query(
            "DELETE FROM import WHERE confirmed_ms IS NULL AND number NOT IN \
             (SELECT number FROM import WHERE confirmed_ms IS NULL ORDER BY number DESC LIMIT $1)",
        )
        .bind(WAITING_MAX - 1)
        .execute(&mut *transaction)
        .await
        .map_err(&fault)?;
        let row = sqlx::query(
            "INSERT INTO import (number, who, at_ms, name, file_hash, summary, left_out, readings) \
             SELECT COALESCE(MAX(number), 0) + 1, $1, $2, $3, $4, $5, $6, $7 FROM \
             (SELECT number FROM import UNION ALL SELECT last FROM import_number) AS numbers RETURNING number",
        )
        .bind(&new.who)
        .bind(now.timestamp_millis())
        .bind(&new.name)
        .bind(&new.file_hash)
        .bind(new.summary.to_string())
        .bind(i64::try_from(new.left_out).unwrap_or(i64::MAX))
        .bind(packed(&new.readings).to_string())
        .fetch_one(&mut *transaction)
        .await
        .map_err(&fault)?;
        let number: i64 = row.try_get(0).map_err(&fault)?;
        // A number is used once, also when the preview behind it was forgotten.
        sqlx::query("DELETE FROM import_number").execute(&mut *transaction).await.map_err(&fault)?;
        sqlx::query("INSERT INTO import_number (last) VALUES ($1)")
            .bind(number)
            .execute(&mut *transaction)
            .await
            .map_err(&fault)?;
        transaction.commit().await.map_err(&fault)?;
        Ok(format!("imp-{number}"))
    }

    /// An import by its id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn import(&self, id: &str) -> Result<Option<Import>, StoreError> {
        let Some(number) = number_of(id) else { return Ok(None) };
        let fault = self.database.fault("read an import");
        let row = sqlx::query(
            "SELECT number, who, at_ms, name, summary, left_out, confirmed_by, confirmed_ms FROM import WHERE number = $1",
        )
        .bind(number)
        .fetch_optional(self.database.read())
        .await
        .map_err(&fault)?;
        row.map(|row| import(&row).map_err(&fault)).transpose()
    }

    /// The latest imports, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn imports(&self) -> Result<Vec<Import>, StoreError> {
        let fault = self.database.fault("list the imports");
        let rows = sqlx::query(
            "SELECT number, who, at_ms, name, summary, left_out, confirmed_by, confirmed_ms FROM import \
             ORDER BY number DESC LIMIT $1",
        )
        .bind(LISTED_MAX)
        .fetch_all(self.database.read())
        .await
        .map_err(&fault)?;
        rows.iter().map(import).collect::<Result<_, _>>().map_err(&fault)
    }

    /// The confirmed import of the same file, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn imported_before(&self, file_hash: &str) -> Result<Option<String>, StoreError> {
        let fault = self.database.fault("look for an earlier import");
        let sql = "SELECT number FROM import WHERE file_hash = $1 AND confirmed_ms IS NOT NULL ORDER BY number LIMIT 1";
        let row = sqlx::query(sql).bind(file_hash).fetch_optional(self.database.read()).await.map_err(&fault)?;
        let number: Option<i64> = row.map(|row| row.try_get(0)).transpose().map_err(&fault)?;
        Ok(number.map(|number| format!("imp-{number}")))
    }

    /// What was previewed, as it will be stored; nothing once it is confirmed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn import_readings(&self, id: &str) -> Result<Vec<Reading>, StoreError> {
        let Some(number) = number_of(id) else { return Ok(Vec::new()) };
        let fault = self.database.fault("read an import");
        let sql = "SELECT readings FROM import WHERE number = $1 AND confirmed_ms IS NULL";
        let row = sqlx::query(sql).bind(number).fetch_optional(self.database.read()).await.map_err(&fault)?;
        let text: Option<String> = row.map(|row| row.try_get(0)).transpose().map_err(&fault)?.flatten();
        let Some(text) = text else { return Ok(Vec::new()) };
        unpacked(&text).map_err(|cause| fault(sqlx::Error::Decode(Box::new(cause))))
    }

    /// Notes that the readings are stored. The first one who says so is named; the readings are given up here.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn confirm_import(&self, id: &str, who: &str, now: Timestamp) -> Result<(), StoreError> {
        let doing = "confirm an import";
        let fault = self.database.fault(doing);
        let mut transaction = self.database.write(doing).await?;
        sqlx::query(
            "UPDATE import SET confirmed_by = $1, confirmed_ms = $2, readings = NULL \
             WHERE number = $3 AND confirmed_ms IS NULL",
        )
        .bind(who)
        .bind(now.timestamp_millis())
        .bind(number_of(id))
        .execute(&mut *transaction)
        .await
        .map_err(&fault)?;
        transaction.commit().await.map_err(&fault)
    }
}

fn number_of(id: &str) -> Option<i64> {
    id.strip_prefix("imp-")?.parse().ok()
}

/// Series → moments and values.
fn packed(readings: &[Reading]) -> Value {
    let mut series: BTreeMap<&str, Vec<(i64, f64)>> = BTreeMap::new();
    for reading in readings {
        series
            .entry(reading.series.as_str())
            .or_default()
            .push((reading.observed_at.timestamp_millis(), reading.value));
    }
    serde_json::json!(series)
}

fn unpacked(text: &str) -> Result<Vec<Reading>, serde_json::Error> {
    let series: BTreeMap<String, Vec<(i64, f64)>> = serde_json::from_str(text)?;
    let reading = |id: &SeriesId, (at_ms, value): (i64, f64)| {
        let at = Timestamp::from_timestamp_millis(at_ms)?;
        Some(Reading { series: id.clone(), observed_at: at, received_at: at, value })
    };
    let all = series.into_iter().flat_map(|(id, points)| {
        let id = SeriesId::from(id);
        points.into_iter().filter_map(move |point| reading(&id, point)).collect::<Vec<_>>()
    });
    Ok(all.collect())
}

fn import(row: &SqliteRow) -> Result<Import, sqlx::Error> {
    let moment = |ms: i64| Timestamp::from_timestamp_millis(ms).ok_or_else(|| sqlx::Error::Decode("no time".into()));
    let (number, at_ms, left_out): (i64, i64, i64) = (row.try_get(0)?, row.try_get(2)?, row.try_get(5)?);
    let summary: String = row.try_get(4)?;
    let confirmed: (Option<String>, Option<i64>) = (row.try_get(6)?, row.try_get(7)?);
    Ok(Import {
        id: format!("imp-{number}"),
        who: row.try_get(1)?,
        at: moment(at_ms)?,
        name: row.try_get(3)?,
        summary: serde_json::from_str(&summary).map_err(|cause| sqlx::Error::Decode(Box::new(cause)))?,
        left_out: usize::try_from(left_out).unwrap_or(0),
        confirmed: match confirmed {
            (Some(who), Some(ms)) => Some((who, moment(ms)?)),
            _ => None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Database;
    use crate::store::arrivals::ARRIVALS_SCHEMA;

    #[tokio::test]
    async fn what_was_previewed_is_what_is_stored_and_only_once() {
        let folder = tempfile::tempdir().unwrap();
        let arrivals =
            Arrivals::new(Database::open(&folder.path().join("anlan.db"), &[ARRIVALS_SCHEMA]).await.unwrap());
        let now = Timestamp::UNIX_EPOCH + TimeDelta::days(100);
        let reading = |minute, value| Reading {
            series: "a.stage".into(),
            observed_at: now + TimeDelta::minutes(minute),
            received_at: now + TimeDelta::minutes(minute),
            value,
        };
        let new = NewImport {
            who: "li".into(),
            name: "水情.csv".into(),
            file_hash: "h".into(),
            summary: serde_json::json!({ "rows_ok": 2 }),
            left_out: 1,
            readings: vec![reading(1, 91.24), reading(2, 0.1 + 0.2)],
        };
        let id = arrivals.add_import(&new, now).await.unwrap();
        assert_eq!(arrivals.import_readings(&id).await.unwrap(), new.readings);
        assert_eq!(arrivals.imported_before("h").await.unwrap(), None);
        arrivals.confirm_import(&id, "li", now).await.unwrap();
        arrivals.confirm_import(&id, "wang", now + TimeDelta::hours(1)).await.unwrap();
        let kept = arrivals.import(&id).await.unwrap().unwrap();
        assert_eq!((kept.confirmed, kept.left_out), (Some(("li".into(), now)), 1));
        assert_eq!(arrivals.import_readings(&id).await.unwrap(), []);
        assert_eq!(arrivals.imported_before("h").await.unwrap(), Some(id.clone()));
        // A preview that waits too long is forgotten, its number is not used again.
        let second = arrivals.add_import(&new, now).await.unwrap();
        let third = arrivals.add_import(&new, now + TimeDelta::hours(25)).await.unwrap();
        assert_eq!(arrivals.import(&second).await.unwrap(), None);
        assert_eq!((id.as_str(), second.as_str(), third.as_str()), ("imp-1", "imp-2", "imp-3"));
        assert!(arrivals.import("imp-x").await.unwrap().is_none() && arrivals.import("x").await.unwrap().is_none());
        assert_eq!(arrivals.imports().await.unwrap().len(), 2);
    }
}
