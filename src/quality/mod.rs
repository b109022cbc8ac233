//! Checks that judge a reading: missing, clock, range, late, gap, spike, rise, frozen, neighbour, rating, redundancy.
//! In: readings. Out: observations. No I/O, no clock.
//!
//! A bad value is flagged and kept, never dropped and never replaced. One file per check, one line in [`CHECKS`].

mod case;
mod clock;
mod freshness;
mod frozen;
mod gap;
mod judge;
mod late;
mod limits;
mod missing;
mod neighbour;
mod range;
mod rating;
mod redundancy;
mod relations;
mod rise;
mod spike;
mod track;

pub use freshness::{Freshness, freshness};
pub use judge::Judge;
pub use limits::{Limits, QualityTable, low_high};
pub use relations::{RatingLine, RatingPair, Relations, Substitute, Twin};

use crate::model::{Causes, Grade, Quality};
use case::Case;
use track::Track;

/// Checks of every reading, in the order of their verdicts; the worst grade wins and all causes are kept.
const CHECKS: [fn(&Case) -> Quality; 5] = [missing::flag, clock::flag, range::flag, late::flag, gap::flag];
/// Checks of a reading that is newer than all before it: what comes late is not held against what came after it.
const CHECKS_OF_NEWEST: [fn(&Case) -> Quality; 6] =
    [spike::flag, rise::flag, frozen::flag, neighbour::flag, rating::flag, redundancy::flag];

/// A doubt that is shown and leaves the value usable.
const fn mark(cause: Causes) -> Quality {
    Quality { grade: Grade::Good, causes: cause }
}
const fn suspect(cause: Causes) -> Quality {
    Quality { grade: Grade::Suspect, causes: cause }
}
const fn bad(cause: Causes) -> Quality {
    Quality { grade: Grade::Bad, causes: cause }
}
