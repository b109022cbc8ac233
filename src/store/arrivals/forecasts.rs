//! Forecasts made elsewhere, as they were brought in: by whom, when, and whether somebody took them out of use again.
//!
//! In: checked forecasts, all of a file in one transaction. Out: what is in use, under the number of its last change, and the record of
//! all. A number is used once. What is long past goes, the rest stays as it came.

use super::Arrivals;
use crate::forecast::{ForecastVariable, ImportedForecast};
use crate::model::Timestamp;
use crate::store::StoreError;
use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// A forecast whose last point is older than this goes.
const KEPT: TimeDelta = TimeDelta::days(400);
/// Most bytes of all together; the oldest past ones go above it.
const BYTES_MAX: i64 = 1 << 30;
/// Most of a list.
const LISTED_MAX: i64 = 500;
/// And no more bytes of bodies than this.
const LISTED_BYTES_MAX: i64 = 32 << 20;
const COLUMNS: &str = "number, who, at_ms, name, body, withdrawn_by, withdrawn_ms, withdrawn_reason";

/// What is brought in at once.
#[derive(Debug, Clone)]
pub struct NewForecast {
    /// Account or device.
    pub who: String,
    /// Name of the file, if it had one.
    pub name: String,
    /// Checked.
    pub forecasts: Vec<ImportedForecast>,
}

/// Who took a forecast out of use, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawn {
    /// Account.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// A forecast as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptForecast {
    /// `fc-<number>`.
    pub id: String,
    /// Who brought it.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// Name of the file.
    pub name: String,
    /// The forecast.
    pub forecast: ImportedForecast,
    /// Out of use.
    pub withdrawn: Option<Withdrawn>,
}

/// What is in use, and the number of the change after which it is so.
pub type PlansNow = (i64, Vec<ImportedForecast>);

impl Arrivals {
    /// Keeps forecasts, all or none; gives each its id and whether it is new. The very same one in use is known already.
    ///
    /// # Errors
    /// When the database fails: nothing is kept then.
    pub async fn add_forecasts(&self, new: &NewForecast, now: Timestamp) -> Result<Vec<(String, bool)>, StoreError> {
        let doing = "keep a forecast from elsewhere";
        let fault = self.database.fault(doing);
        let mut transaction = self.database.write(doing).await?;
        let mut ids = Vec::with_capacity(new.forecasts.len());
        for forecast in &new.forecasts {
            let body = serde_json::to_string(forecast).map_err(|cause| fault(sqlx::Error::Encode(Box::new(cause))))?;
            let hash = hex::encode(Sha256::digest(&body));
            let known: Option<SqliteRow> =
                sqlx::query("SELECT number FROM forecast_import WHERE body_hash = $1 AND withdrawn_ms IS NULL LIMIT 1")
                    .bind(&hash)
                    .fetch_optional(&mut *transaction)
                    .await
                    .map_err(&fault)?;
            if let Some(row) = known {
                ids.push((id_of(row.try_get(0).map_err(&fault)?), false));
                continue;
            }
            let change = sqlx::query("UPDATE forecast_change SET last = last + 1 RETURNING last");
            let number: i64 =
                change.fetch_one(&mut *transaction).await.and_then(|row| row.try_get(0)).map_err(&fault)?;
            let until = forecast.reaches_until().unwrap_or(forecast.issued_at);
            sqlx::query(
                "INSERT INTO forecast_import (number, who, at_ms, name, source, area, variable, issued_ms, until_ms, \
                 bytes, body, body_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            )
            .bind(number)
            .bind(&new.who)
            .bind(now.timestamp_millis())
            .bind(&new.name)
            .bind(&forecast.source)
            .bind(&forecast.area)
            .bind(forecast.variable.as_str())
            .bind(forecast.issued_at.timestamp_millis())
            .bind(until.timestamp_millis())
            .bind(i64::try_from(body.len()).unwrap_or(i64::MAX))
            .bind(&body)
            .bind(&hash)
            .execute(&mut *transaction)
            .await
            .map_err(&fault)?;
            ids.push((id_of(number), true));
        }
        sqlx::query("DELETE FROM forecast_import WHERE until_ms < $1")
            .bind((now - KEPT).timestamp_millis())
            .execute(&mut *transaction)
            .await
            .map_err(&fault)?;
        sqlx::query(
            "DELETE FROM forecast_import WHERE until_ms < $1 AND number <= (SELECT MAX(number) FROM \
             (SELECT number, SUM(bytes) OVER (ORDER BY number DESC) AS held FROM forecast_import) AS sums \
             WHERE held > $2)",
        )
        .bind(now.timestamp_millis())
        .bind(BYTES_MAX)
        .execute(&mut *transaction)
        .await
        .map_err(&fault)?;
        transaction.commit().await.map_err(&fault)?;
        Ok(ids)
    }

    /// Takes a forecast out of use; the first one who does so is named. `None` when there is no such forecast.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn withdraw_forecast(&self, id: &str, withdrawn: &Withdrawn) -> Result<Option<KeptForecast>, StoreError> {
        let doing = "withdraw a forecast from elsewhere";
        let fault = self.database.fault(doing);
        let mut transaction = self.database.write(doing).await?;
        let changed = sqlx::query(
            "UPDATE forecast_import SET withdrawn_by = $1, withdrawn_ms = $2, withdrawn_reason = $3 \
             WHERE number = $4 AND withdrawn_ms IS NULL",
        )
        .bind(&withdrawn.by)
        .bind(withdrawn.at.timestamp_millis())
        .bind(&withdrawn.reason)
        .bind(number_of(id))
        .execute(&mut *transaction)
        .await
        .map_err(&fault)?;
        if changed.rows_affected() > 0 {
            let change = sqlx::query("UPDATE forecast_change SET last = last + 1");
            change.execute(&mut *transaction).await.map_err(&fault)?;
        }
        transaction.commit().await.map_err(&fault)?;
        self.forecast(id).await
    }

    /// One forecast.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forecast(&self, id: &str) -> Result<Option<KeptForecast>, StoreError> {
        let Some(number) = number_of(id) else { return Ok(None) };
        let fault = self.database.fault("read a forecast from elsewhere");
        let sql = format!("SELECT {COLUMNS} FROM forecast_import WHERE number = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(number).fetch_optional(self.database.read()).await;
        row.map_err(&fault)?.map(|row| kept(&row).map_err(&fault)).transpose()
    }

    /// The latest ones, newest issue first; withdrawn ones too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forecasts(&self) -> Result<Vec<KeptForecast>, StoreError> {
        let fault = self.database.fault("list the forecasts from elsewhere");
        let sql = format!(
            "SELECT {COLUMNS} FROM (SELECT {COLUMNS}, issued_ms, bytes, SUM(bytes) OVER (ORDER BY issued_ms DESC, number DESC) \
             AS held FROM forecast_import) AS sums WHERE held - bytes < $1 ORDER BY issued_ms DESC, number DESC LIMIT $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(LISTED_BYTES_MAX).bind(LISTED_MAX);
        let rows = rows.fetch_all(self.database.read()).await;
        rows.map_err(&fault)?.iter().map(kept).collect::<Result<_, _>>().map_err(&fault)
    }

    /// The newest plan of discharge of each place that is not withdrawn, for the forecaster.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn plans(&self) -> Result<PlansNow, StoreError> {
        let fault = self.database.fault("read the plans from elsewhere");
        // The number first: plans that change meanwhile are newer than it says, and come again under their own.
        let row = sqlx::query("SELECT last FROM forecast_change").fetch_one(self.database.read()).await;
        let as_of: i64 = row.and_then(|row| row.try_get(0)).map_err(&fault)?;
        let rows = sqlx::query(
            "SELECT body FROM (SELECT body, ROW_NUMBER() OVER (PARTITION BY area ORDER BY issued_ms DESC, number DESC) \
             AS place FROM forecast_import WHERE withdrawn_ms IS NULL AND variable IN ($1, $2)) AS newest WHERE place = 1",
        )
        .bind(ForecastVariable::Release.as_str())
        .bind(ForecastVariable::Discharge.as_str())
        .fetch_all(self.database.read())
        .await
        .map_err(&fault)?;
        let plans = rows.iter().map(|row| body_of(&row.try_get::<String, _>(0)?)).collect::<Result<_, _>>();
        Ok((as_of, plans.map_err(&fault)?))
    }
}

fn id_of(number: i64) -> String {
    format!("fc-{number}")
}

fn number_of(id: &str) -> Option<i64> {
    id.strip_prefix("fc-")?.parse().ok()
}

fn body_of(text: &str) -> Result<ImportedForecast, sqlx::Error> {
    serde_json::from_str(text).map_err(|cause| sqlx::Error::Decode(Box::new(cause)))
}

fn kept(row: &SqliteRow) -> Result<KeptForecast, sqlx::Error> {
    let moment = |ms: i64| Timestamp::from_timestamp_millis(ms).ok_or_else(|| sqlx::Error::Decode("no time".into()));
    let withdrawn: (Option<String>, Option<i64>, Option<String>) = (row.try_get(5)?, row.try_get(6)?, row.try_get(7)?);
    Ok(KeptForecast {
        id: id_of(row.try_get(0)?),
        who: row.try_get(1)?,
        at: moment(row.try_get(2)?)?,
        name: row.try_get(3)?,
        forecast: body_of(&row.try_get::<String, _>(4)?)?,
        withdrawn: match withdrawn {
            (Some(by), Some(ms), Some(reason)) => Some(Withdrawn { by, at: moment(ms)?, reason }),
            _ => None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::ImportedMember;
    use crate::store::Database;
    use crate::store::arrivals::ARRIVALS_SCHEMA;

    fn at(hour: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    fn plan(issued: i64, variable: ForecastVariable, value: f64) -> ImportedForecast {
        let points = vec![(at(issued + 1), value), (at(issued + 48), value)];
        ImportedForecast {
            source: "调度".into(),
            issued_at: at(issued),
            variable,
            area: "xiaolangdi".into(),
            datum: None,
            members: vec![ImportedMember { id: "control".into(), points }],
        }
    }

    #[tokio::test]
    async fn the_newest_issue_holds_until_it_is_withdrawn_and_all_stay_on_record() {
        use ForecastVariable::{Rain, Release};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("anlan.db");
        let arrivals = Arrivals::new(Database::open(&file, &[ARRIVALS_SCHEMA]).await.unwrap());
        let new = |forecasts: &[ImportedForecast]| NewForecast {
            who: "li".into(),
            name: "a.csv".into(),
            forecasts: forecasts.to_vec(),
        };
        assert_eq!(arrivals.plans().await.unwrap(), (0, vec![]));
        let (first, late, rain) = (plan(0, Release, 2600.0), plan(6, Release, 3500.0), plan(7, Rain, 5.0));
        let both = arrivals.add_forecasts(&new(&[late.clone(), first.clone()]), at(8)).await.unwrap();
        assert_eq!(both, [("fc-1".to_owned(), true), ("fc-2".to_owned(), true)]);
        assert_eq!(arrivals.plans().await.unwrap(), (2, vec![late.clone()]));
        // The same again is known; rain is no plan; of one issue time the one that came later holds.
        let again = arrivals.add_forecasts(&new(&[late.clone(), rain]), at(8)).await.unwrap();
        assert_eq!(again, [("fc-1".to_owned(), false), ("fc-3".to_owned(), true)]);
        let mended = plan(6, Release, 3600.0);
        arrivals.add_forecasts(&new(std::slice::from_ref(&mended)), at(9)).await.unwrap();
        assert_eq!(arrivals.plans().await.unwrap(), (4, vec![mended]));
        // Withdrawn: the first who did it is named, the one before holds, and the same may come in again.
        let out = |by: &str| Withdrawn { by: by.into(), at: at(10), reason: "单位错".into() };
        let gone = arrivals.withdraw_forecast("fc-4", &out("li")).await.unwrap().unwrap();
        assert_eq!(arrivals.withdraw_forecast("fc-4", &out("wang")).await.unwrap().unwrap(), gone);
        assert_eq!(gone.withdrawn, Some(out("li")));
        assert_eq!(arrivals.plans().await.unwrap(), (5, vec![late.clone()]));
        arrivals.withdraw_forecast("fc-1", &out("li")).await.unwrap();
        assert_eq!(arrivals.plans().await.unwrap(), (6, vec![first]));
        assert_eq!(
            arrivals.add_forecasts(&new(std::slice::from_ref(&late)), at(11)).await.unwrap(),
            [("fc-7".to_owned(), true)]
        );
        let order: Vec<_> = arrivals.forecasts().await.unwrap().into_iter().map(|one| one.id).collect();
        assert_eq!(order, ["fc-3", "fc-7", "fc-4", "fc-1", "fc-2"]);
        for none in ["fc-99", "fc-x", "7"] {
            assert_eq!(arrivals.forecast(none).await.unwrap(), None);
            assert_eq!(arrivals.withdraw_forecast(none, &out("li")).await.unwrap(), None);
        }
        // Long past ones go, and what is in use is what it was after the database is opened again.
        let later = plan(24 * 500, Release, 700.0);
        arrivals.add_forecasts(&new(std::slice::from_ref(&later)), at(24 * 500)).await.unwrap();
        drop(arrivals);
        let arrivals = Arrivals::new(Database::open(&file, &[ARRIVALS_SCHEMA]).await.unwrap());
        assert_eq!(arrivals.plans().await.unwrap(), (8, vec![later]));
        assert_eq!(arrivals.forecasts().await.unwrap().len(), 1);
    }
}
