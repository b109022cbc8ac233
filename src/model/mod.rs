//! The vocabulary of the dike: units, datums, ids, places, people, readings, levels, tasks.
//!
//! In: nothing. Out: the types that every other room speaks. It does no I/O, reads no clock and decides nothing.

mod fault;
mod id;
mod level;
mod person;
mod place;
mod reach;
mod reading;
mod standing;
mod stone;
mod task;
mod units;

pub use fault::FaultKind;
pub use id::{
    ActivationId, ESTIMATE, EventId, FactSeq, InstructionCode, MemberId, PlaceId, ReportId, SeriesId, StationId,
    TaskId, UserName,
};
pub use level::{UnknownWord, WarningLevel, WorkingMode};
pub use person::{Authority, DutyRow, Member, RoleCode, UserRole, mask_name};
pub use place::{Place, PlaceKind, ScopeCode, Side, Spot};
pub use reach::{Reach, ReachError};
pub use reading::{Causes, Grade, Observation, Quality, Reading, whole_ms};
pub use standing::{Hazard, HazardKind, OrderGiven, Standing};
pub use stone::StoneState;
pub use task::{DeclineReason, TaskStatus};
pub use units::{Datum, DatumMismatch, DatumOffset, Discharge, Stage, datum_shift};

/// A moment, always UTC. Screens and protocols convert at their own edge.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
