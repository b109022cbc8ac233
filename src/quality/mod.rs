//! Checks that judge a reading: range, rise, spike, frozen, late, clock, missing. In: readings. Out: observations. No I/O, no clock.
//!
//! A bad value is flagged and kept, never dropped and never replaced. One file per check, one line in [`CHECKS`].

mod clock;
mod freshness;
mod frozen;
mod judge;
mod late;
mod limits;
mod missing;
mod range;
mod rise;
mod spike;
mod track;

pub use freshness::{Freshness, freshness};
pub use judge::Judge;
pub use limits::{Limits, QualityTable};

use crate::model::{Causes, Grade, Quality, Reading};
use track::Track;

/// What a check may look at.
struct Case<'a> {
    reading: &'a Reading,
    limits: &'a Limits,
    track: &'a Track,
    /// The series that should move when this one does, if it has values.
    witness: Option<&'a Track>,
}

/// The checks in the order of their verdicts; the worst grade wins and all causes are kept.
const CHECKS: [fn(&Case) -> Quality; 7] =
    [missing::flag, clock::flag, range::flag, late::flag, spike::flag, rise::flag, frozen::flag];

const fn suspect(cause: Causes) -> Quality {
    Quality { grade: Grade::Suspect, causes: cause }
}
const fn bad(cause: Causes) -> Quality {
    Quality { grade: Grade::Bad, causes: cause }
}
