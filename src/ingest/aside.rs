//! Values that contradict what is stored: counted, the last listed, all in a bounded file; never lost without a trace.

use super::shelf::Shelf;
use super::sift::SetAside;
use crate::model::SeriesId;
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The file, in its folder.
const FILE: &str = "set-aside";
/// Bytes of the file before it makes room.
const FILE_BYTES: u64 = 8 << 20;
/// That are listed; the file behind them holds more.
const LISTED_MAX: usize = 200;
/// Series that have a line in the log, each one.
const LOGGED_MAX: usize = 500;

/// What was set aside since the start.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AsideTold {
    /// Values that contradict what is stored.
    pub count: u64,
    /// Of these, those that could not be written to the file.
    pub lost: u64,
    /// Values that were stored already, the same.
    pub known: u64,
    /// The last of those set aside, newest first.
    pub last: Vec<SetAside>,
}

/// The place for them; its clones are the same place.
#[derive(Debug, Clone)]
pub(super) struct Aside {
    shelf: Option<Shelf>,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Debug, Default)]
struct Memory {
    count: u64,
    lost: u64,
    known: u64,
    last: VecDeque<SetAside>,
    logged: BTreeSet<SeriesId>,
}

impl Aside {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self { shelf: folder.map(|folder| Shelf::new(folder, FILE_BYTES)), memory: Arc::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(&self) -> AsideTold {
        let memory = self.memory();
        let last = memory.last.iter().rev().cloned().collect();
        AsideTold { count: memory.count, lost: memory.lost, known: memory.known, last }
    }

    /// Writes them down; on disk when this returns, or counted as lost and told in the log.
    pub(super) async fn keep(&self, known: usize, values: &[SetAside]) {
        self.memory().known += known as u64;
        if values.is_empty() {
            return;
        }
        let lines = values.iter().map(|one| json!(one)).collect();
        let written = match &self.shelf {
            Some(shelf) => shelf.keep_all(FILE, lines).await,
            None => true,
        };
        let mut memory = self.memory();
        memory.count += values.len() as u64;
        memory.lost += if written { 0 } else { values.len() as u64 };
        for one in values {
            if memory.logged.len() < LOGGED_MAX && memory.logged.insert(one.series.clone()) {
                tracing::warn!(
                    series = %one.series, door = one.door, at = %one.time, given = one.given, stored = one.stored,
                    "同一时刻另有一值，不覆盖，另存备查 (another value for a moment that has one is set aside)"
                );
            }
            if memory.last.len() == LISTED_MAX {
                memory.last.pop_front();
            }
            memory.last.push_back(one.clone());
        }
    }
}
