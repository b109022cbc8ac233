//! Flights of drones: tracks and missions as JSON files, one each, durable before anyone refers to them.
//!
//! In: an id and a text. Out: the texts again, oldest name first. Above [`FLIGHTS_MAX`] none is taken until one is removed.

use super::whole::write_durable;
use std::path::PathBuf;

/// Most flights that are kept.
pub const FLIGHTS_MAX: usize = 500;

/// What goes wrong with a flight.
#[derive(Debug, thiserror::Error)]
pub enum FlightError {
    /// There is no room.
    #[error("已有 {FLIGHTS_MAX} 份航迹与航线，请先删除旧的 (at most {FLIGHTS_MAX} flights: remove old ones first)")]
    Full,
    /// No flight of that id.
    #[error("没有航迹或航线 {id} (no such flight)")]
    NotFound {
        /// The id.
        id: String,
    },
    /// The disk fails.
    #[error("无法读写航迹与航线 (cannot read or write a flight)")]
    Store(#[source] std::io::Error),
}

/// The folder of flights.
#[derive(Debug, Clone)]
pub struct Flights {
    folder: PathBuf,
}

impl Flights {
    /// Uses a folder that exists.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Keeps a flight; the same id again is the same flight.
    ///
    /// # Errors
    /// When there is no room, or the disk fails.
    pub async fn keep(&self, id: &str, text: &str) -> Result<(), FlightError> {
        let path = self.path(id)?;
        if path.exists() {
            return Ok(());
        }
        if self.ids().await?.len() >= FLIGHTS_MAX {
            return Err(FlightError::Full);
        }
        write_durable(&path, text.as_bytes()).await.map_err(FlightError::Store)
    }

    /// All ids, sorted.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn ids(&self) -> Result<Vec<String>, FlightError> {
        let mut entries = tokio::fs::read_dir(&self.folder).await.map_err(FlightError::Store)?;
        let mut ids = Vec::new();
        while let Some(entry) = entries.next_entry().await.map_err(FlightError::Store)? {
            let name = entry.file_name();
            ids.extend(name.to_str().and_then(|name| name.strip_suffix(".json")).map(ToOwned::to_owned));
        }
        ids.sort();
        Ok(ids)
    }

    /// The text of a flight.
    ///
    /// # Errors
    /// When there is none, or the disk fails.
    pub async fn get(&self, id: &str) -> Result<String, FlightError> {
        tokio::fs::read_to_string(self.path(id)?).await.map_err(|cause| self.fault(id, cause))
    }

    /// Removes a flight.
    ///
    /// # Errors
    /// When there is none, or the disk fails.
    pub async fn remove(&self, id: &str) -> Result<(), FlightError> {
        tokio::fs::remove_file(self.path(id)?).await.map_err(|cause| self.fault(id, cause))
    }

    fn fault(&self, id: &str, cause: std::io::Error) -> FlightError {
        match cause.kind() {
            std::io::ErrorKind::NotFound => FlightError::NotFound { id: id.to_owned() },
            _ => FlightError::Store(cause),
        }
    }

    /// Only hexadecimal digits: an id is never a path.
    fn path(&self, id: &str) -> Result<PathBuf, FlightError> {
        if id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(self.folder.join(format!("{id}.json")));
        }
        Err(FlightError::NotFound { id: id.chars().take(64).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn flights_are_kept_once_and_found_by_id_alone() {
        let folder = tempfile::tempdir().unwrap();
        let flights = Flights::new(folder.path());
        let id = "00112233445566ff";
        flights.keep(id, "{}").await.unwrap();
        flights.keep(id, "other").await.unwrap();
        assert_eq!(
            (flights.get(id).await.unwrap().as_str(), flights.ids().await.unwrap()),
            ("{}", vec![id.to_owned()])
        );
        assert!(matches!(flights.get("../../etc/passwd").await, Err(FlightError::NotFound { .. })));
        assert!(matches!(flights.keep("../a", "{}").await, Err(FlightError::NotFound { .. })));
        flights.remove(id).await.unwrap();
        assert!(matches!(flights.remove(id).await, Err(FlightError::NotFound { .. })));
    }
}
