//! Rows that have fired, and why.

use super::State;
use crate::command::{Entry, Fact, ReadingRef, Sensed};
use crate::model::{FactSeq, InstructionCode, PlaceId, TaskId, Timestamp};

/// A row of the playbook that has fired at a place and has not re-armed.
#[derive(Debug, Clone, PartialEq)]
pub struct Firing {
    /// The fact that tells why.
    pub fact: FactSeq,
    /// On the safe side since.
    pub safe_since: Option<Timestamp>,
    /// Its repetition has reached its end.
    pub stopped: bool,
    /// Its task, unless a stronger row took the place.
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
            Fact::Fired { code, places, because, readings } => {
                let why = FiredBecause { at: entry.at, because: because.clone(), readings: readings.clone() };
                self.fired_because.insert(entry.seq, why);
                for place in places {
                    let firing = Firing { fact: entry.seq, safe_since: None, stopped: false, task: None };
                    self.firings.insert((code.clone(), place.clone()), firing);
                }
            }
            Fact::SafeSince { code, places, since } => {
                self.each_firing(code, places, |firing| firing.safe_since = *since);
            }
            Fact::Stopped { code, places, stopped } => {
                self.each_firing(code, places, |firing| firing.stopped = *stopped);
            }
            Fact::Rearmed { code, places } => {
                for place in places {
                    self.firings.remove(&(code.clone(), place.clone()));
                }
            }
            _ => {}
        }
    }

    fn each_firing(&mut self, code: &InstructionCode, places: &[PlaceId], mut change: impl FnMut(&mut Firing)) {
        for place in places {
            if let Some(firing) = self.firings.get_mut(&(code.clone(), place.clone())) {
                change(firing);
            }
        }
    }
}
