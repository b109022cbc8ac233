//! Reports from the field.

use super::State;
use crate::command::{Actor, Entry, Fact, FieldReport, ReportKind};
use crate::model::{Hazard, PlaceId, ReportId, Timestamp};

/// A report from the field and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Its id.
    pub id: ReportId,
    /// Who.
    pub by: Actor,
    /// When it reached us.
    pub received_at: Timestamp,
    /// What.
    pub content: FieldReport,
    /// Places of the reach that it touches.
    pub places: Vec<PlaceId>,
    /// Who at HQ has looked at it first.
    pub seen_by: Option<Actor>,
    /// Settled, and whether it was nothing.
    pub settled: Option<bool>,
    /// It was settled in an event that has ended.
    pub is_past: bool,
}

impl State {
    pub(super) fn apply_report(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::Reported { report, by, content, places } => {
                let report = Report {
                    id: *report,
                    by: by.clone(),
                    received_at: entry.at,
                    content: content.clone(),
                    places: places.clone(),
                    seen_by: None,
                    settled: None,
                    is_past: false,
                };
                self.reports.insert(report.id, report);
            }
            Fact::PhotosAdded { report, photos, .. } => {
                if let Some(report) = self.reports.get_mut(report) {
                    let fresh =
                        photos.iter().filter(|id| !report.content.photos.contains(id)).cloned().collect::<Vec<_>>();
                    report.content.photos.extend(fresh);
                }
            }
            Fact::ReportSeen { report, by } => {
                if let Some(report) = self.reports.get_mut(report) {
                    report.seen_by.get_or_insert_with(|| by.clone());
                }
            }
            Fact::ReportSettled { report, false_alarm, .. } => {
                if let Some(report) = self.reports.get_mut(report) {
                    report.settled = Some(*false_alarm);
                }
            }
            _ => {}
        }
    }
}

impl Report {
    /// As the playbook sees it; only hazards and calls for help count.
    pub(super) fn as_hazard(&self) -> Option<Hazard> {
        let counts = matches!(self.content.kind, ReportKind::Hazard | ReportKind::Sos) && !self.is_past;
        counts.then(|| Hazard {
            report: self.id,
            kind: self.content.type_.clone(),
            grade: self.content.grade,
            places: self.places.clone(),
            reported_at: self.received_at,
            resolved: self.settled == Some(false),
            false_alarm: self.settled == Some(true),
        })
    }
}
