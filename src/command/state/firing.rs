//! Rows that have fired, and why.

use super::State;
use crate::command::{Entry, Fact, ReadingRef, Sensed, Task};
use crate::model::{FactSeq, InstructionCode, PlaceId, ReportId, TaskId, Timestamp};
use std::collections::BTreeMap;

/// A row, a place, and the hazard that the row answers there, where it answers one: two hazards make two firings.
pub type FiringKey = (InstructionCode, PlaceId, Option<ReportId>);

/// A row of the playbook that has fired at a place and has not re-armed.
#[derive(Debug, Clone, PartialEq)]
pub struct Firing {
    /// The fact that tells why.
    pub fact: FactSeq,
    /// On the safe side since.
    pub safe_since: Option<Timestamp>,
    /// Its repetition has reached its end.
    pub stopped: bool,
    /// Its task, be it one of an earlier firing that is not over, unless a stronger row took the place.
    pub task: Option<TaskId>,
}

/// Why a row fired: kept for the chain of evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct FiredBecause {
    /// When.
    pub at: Timestamp,
    /// Signals.
    pub because: Vec<Sensed>,
    /// Readings behind the signals.
    pub readings: Vec<ReadingRef>,
}

impl State {
    pub(super) fn apply_firing(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::Fired { code, places, because, readings, hazard } => {
                let why = FiredBecause { at: entry.at, because: because.clone(), readings: readings.clone() };
                self.fired_because.insert(entry.seq, why);
                // An order of the row that is still out there is the order: nobody gets it twice.
                let of_row = |task: &&Task| task.is_live() && task.code == *code && task.hazard == *hazard;
                let out: BTreeMap<_, _> =
                    self.tasks.values().filter(of_row).map(|task| (task.place.clone(), task.id)).collect();
                for place in places {
                    let task = out.get(place).copied();
                    let firing = Firing { fact: entry.seq, safe_since: None, stopped: false, task };
                    self.firings.insert((code.clone(), place.clone(), *hazard), firing);
                }
            }
            Fact::SafeSince { code, places, since } => {
                self.each_firing(code, places, None, |firing| firing.safe_since = *since);
            }
            Fact::Stopped { code, places, stopped, hazard } => {
                self.each_firing(code, places, *hazard, |firing| firing.stopped = *stopped);
            }
            Fact::Rearmed { code, places, hazard } => {
                for place in places {
                    self.firings.remove(&(code.clone(), place.clone(), *hazard));
                }
            }
            _ => {}
        }
    }

    fn each_firing(
        &mut self,
        code: &InstructionCode,
        places: &[PlaceId],
        hazard: Option<ReportId>,
        mut change: impl FnMut(&mut Firing),
    ) {
        for place in places {
            if let Some(firing) = self.firings.get_mut(&(code.clone(), place.clone(), hazard)) {
                change(firing);
            }
        }
    }
}
