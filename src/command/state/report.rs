//! Reports from the field.

use super::State;
use crate::command::{Actor, Entry, Fact, FieldReport, PlaceFrom, ReportKind, Shot};
use crate::hydraulics::OpenBreach;
use crate::model::{Hazard, PlaceId, ReportId, Spot, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// How many repeated calls are remembered, to know one that is sent twice.
const CALLS_KEPT: usize = 64;

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
    /// How they were found, where the reporter did not name them.
    pub place_from: Option<PlaceFrom>,
    /// The moments at which he called again, on his phone; the latest few.
    pub calls: BTreeSet<Timestamp>,
    /// Who at HQ has looked at it first.
    pub seen_by: Option<Actor>,
    /// Settled, and whether it was nothing.
    pub settled: Option<bool>,
    /// It was settled in an event that has ended.
    pub is_past: bool,
    /// Small photos that wait for their whole ones: the phone's id of the picture → id of the stored photo.
    pub thumbs: BTreeMap<String, String>,
    /// Pictures of the phone that are here whole.
    pub shots: BTreeSet<String>,
}

impl State {
    pub(super) fn apply_report(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::Reported { report, by, content, places, place_from } => {
                let report = Report {
                    id: *report,
                    by: by.clone(),
                    received_at: entry.at,
                    content: content.clone(),
                    places: places.clone(),
                    place_from: *place_from,
                    calls: BTreeSet::new(),
                    seen_by: None,
                    settled: None,
                    is_past: false,
                    thumbs: BTreeMap::new(),
                    shots: BTreeSet::new(),
                };
                self.reports.insert(report.id, report);
            }
            Fact::CalledAgain { report, observed_at, place } => {
                if let Some(report) = self.reports.get_mut(report) {
                    report.call_again(*observed_at, place);
                }
                if let Some(alarm) = self.alarms.get_mut(&format!("report:{report}")) {
                    alarm.count = alarm.count.saturating_add(1);
                    alarm.last = entry.at;
                }
            }
            Fact::PhotosAdded { report, photos, shot, .. } => {
                if let Some(report) = self.reports.get_mut(report) {
                    report.add_photos(photos, shot.as_ref());
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

impl State {
    /// Breaches of the levee that are reported, were no false alarm, and are not settled in an event that has ended.
    pub fn open_breaches(&self) -> Vec<OpenBreach> {
        let is_open = |report: &&Report| {
            // Whoever settles the report has sent help; the water goes on. Only a false alarm or the end of the event ends it.
            !report.is_past && report.as_hazard().is_some_and(|hazard| hazard.kind == BREACH && !hazard.false_alarm)
        };
        let open = |report: &Report| OpenBreach {
            places: report.places.clone(),
            since: report.content.observed_at.min(report.received_at),
        };
        self.reports.values().filter(is_open).map(open).collect()
    }
}

/// The kind of a hazard that is a breach (决口).
pub(in crate::command) const BREACH: &str = "breach";

impl Report {
    /// He calls again; the newest position counts.
    fn call_again(&mut self, at: Timestamp, place: &Spot) {
        let is_newest = at > self.content.observed_at && self.calls.last().is_none_or(|last| at > *last);
        let is_fix = place.chainage.is_some() || (place.lon.is_some() && place.lat.is_some());
        if is_newest && is_fix {
            self.content.place = place.clone();
        }
        self.calls.insert(at);
        if self.calls.len() > CALLS_KEPT {
            self.calls.pop_first();
        }
    }

    /// Whether this call for help is known: from that phone, at that moment.
    pub fn has_call(&self, at: Timestamp) -> bool {
        self.content.observed_at == at || self.calls.contains(&at)
    }

    /// Photos arrive; a whole one takes the place of its small one.
    fn add_photos(&mut self, photos: &[String], shot: Option<&Shot>) {
        let (content, known) = (&mut self.content.photos, shot.map(|shot| shot.id.clone()));
        let small =
            known.as_ref().filter(|_| shot.is_some_and(|shot| !shot.thumb)).and_then(|id| self.thumbs.remove(id));
        let place = small.and_then(|small| content.iter().position(|id| *id == small));
        for id in photos {
            match place {
                Some(at) if !content.contains(id) => {
                    if let Some(old) = content.get_mut(at) {
                        old.clone_from(id);
                    }
                }
                None if !content.contains(id) => content.push(id.clone()),
                _ => {}
            }
        }
        match (shot, photos.first()) {
            (Some(shot), Some(photo)) if shot.thumb => {
                self.thumbs.insert(shot.id.clone(), photo.clone());
            }
            (Some(shot), _) => {
                self.shots.insert(shot.id.clone());
            }
            _ => {}
        }
    }

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
