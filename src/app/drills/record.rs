//! What a live drill writes beside its journal: `drill.json` (what it was and how it ended) and its reports.
//!
//! A drill whose file still says `running` when the server starts was interrupted: its journal is read to its end, the
//! chain is checked, and the report is written from it.

use super::StartFault;
use crate::app::font;
use crate::command::Core;
use crate::drill::{Report, ReportHead, Tally};
use crate::ingest::sensors::Sensors;
use crate::model::{Timestamp, WarningLevel};
use crate::store::{Database, JOURNAL_SCHEMA, Journal, state_file};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

/// The file with the record.
const FILE: &str = "drill.json";

/// How a drill stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Standing {
    /// Its clock runs, or is paused.
    Running,
    /// The director stopped it, or the flood is over.
    Done,
    /// The server went down in the middle of it.
    Interrupted,
}

/// A drill as its folder remembers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct DrillRecord {
    pub(super) id: String,
    pub(super) flood: String,
    pub(super) seed: u64,
    pub(super) speed: f64,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) state: Standing,
    /// The moment that its clock has come to.
    pub(super) now: Timestamp,
    /// The level in force there.
    pub(super) level: WarningLevel,
    pub(super) playbook: String,
    /// End of the journal's chain, once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) chain_sha256: Option<String>,
}

impl DrillRecord {
    /// The head of a report on it.
    pub(super) fn head(&self) -> ReportHead {
        ReportHead {
            flood: self.flood.clone(),
            seed: self.seed,
            from: self.start,
            to: self.now,
            injects: Vec::new(),
            chain: self.chain_sha256.clone(),
            interrupted: self.state == Standing::Interrupted,
        }
    }

    /// As `GET /drills/{id}` shows it.
    pub(super) fn shape(&self) -> serde_json::Value {
        serde_json::json!({
            "id": self.id, "flood": self.flood, "state": self.state, "speed": self.speed, "now": self.now,
            "start": self.start, "end": self.end, "seed": self.seed, "level": self.level,
            "playbook": self.playbook, "chain_sha256": self.chain_sha256,
        })
    }

    /// The record of a folder; `None` where none is readable.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(folder.join(FILE)).ok()?).ok()
    }

    /// Written whole or not at all.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let fresh = folder.join(format!("{FILE}.new"));
        std::fs::write(&fresh, format!("{:#}\n", serde_json::to_value(self)?))?;
        std::fs::rename(fresh, folder.join(FILE))
    }

    /// Page, PDF, Markdown and table beside the drill's own journal.
    pub(super) fn write_report(
        &self,
        folder: &Path,
        tally: &Tally,
        core: &Core,
        sensors: &Sensors,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let head = self.head();
        let report = Report { head: &head, tally, core, sensors };
        std::fs::write(folder.join("report.html"), report.html())?;
        std::fs::write(folder.join("report.md"), report.markdown())?;
        std::fs::write(folder.join("report.csv"), report.csv()?)?;
        match font::chinese(None) {
            Ok(face) => std::fs::write(folder.join("report.pdf"), report.pdf(&face)?)?,
            Err(fault) => tracing::warn!(drill = self.id, "{fault}"),
        }
        Ok(())
    }

    /// A drill that the server did not see to its end: its journal is read and checked, its report written.
    pub(super) async fn close_interrupted(
        mut self,
        folder: &Path,
        core: &Core,
        sensors: &Sensors,
    ) -> Result<Self, StartFault> {
        let database = Database::open(&state_file(folder), &[JOURNAL_SCHEMA]).await?;
        let mut tally = Tally::default();
        let chain = Journal::new(database.clone()).read_all(|entry| tally.take(std::slice::from_ref(&entry))).await;
        database.close().await;
        self.state = Standing::Interrupted;
        self.now = tally.until.unwrap_or(self.start);
        self.level = tally.in_force;
        self.chain_sha256 = Some(chain?.to_hex());
        if let Err(fault) = self.write_report(folder, &tally, core, sensors) {
            tracing::error!(drill = self.id, %fault, "【演练】报告未写入 (the report of the drill was not written)");
        }
        self.write(folder).map_err(|cause| StartFault::Folder { path: folder.display().to_string(), cause })?;
        tracing::warn!(
            drill = self.id,
            "【演练】上次停机时演练未结束，已标为中断 (a drill was interrupted by the last stop)"
        );
        Ok(self)
    }
}
