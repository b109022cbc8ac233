//! Readings as received and observations as judged.

use super::{SeriesId, Timestamp};
use chrono::SubsecRound;
use serde::{Deserialize, Serialize};

/// A value as a device gave it (原始值): scaled to the unit of its series, not yet judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The series it belongs to.
    pub series: SeriesId,
    /// When the water was like this, by the device or the poll.
    pub observed_at: Timestamp,
    /// When we had it in hand, on the clock of the reach.
    pub received_at: Timestamp,
    /// In the unit of the series; may be NaN when the device says "no value".
    pub value: f64,
}

impl Reading {
    /// The same with its moments as the store keeps them: what is finer than a millisecond would be another moment here and
    /// the same one there.
    pub fn in_whole_ms(self) -> Self {
        let (observed_at, received_at) = (whole_ms(self.observed_at), whole_ms(self.received_at));
        Self { observed_at, received_at, ..self }
    }
}

/// A moment as every store keeps it: in whole milliseconds, the rest cut off.
pub fn whole_ms(at: Timestamp) -> Timestamp {
    at.trunc_subsecs(3)
}

/// How far a value may be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Passed every check.
    Good,
    /// Entered or corrected by a person.
    Manual,
    /// Computed in place of a measurement.
    Estimated,
    /// A check objects; shown, not used for decisions.
    Suspect,
    /// Certainly wrong or absent; kept, never used.
    Bad,
}

/// What the checks objected to, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Causes(u16);

impl Causes {
    /// No objection.
    pub const NONE: Self = Self(0);
    /// Outside what the instrument or the river can be (越限).
    pub const RANGE: Self = Self(1);
    /// Rises or falls faster than the river can (变幅).
    pub const RISE: Self = Self(2);
    /// One value off and back (突跳).
    pub const SPIKE: Self = Self(4);
    /// Stands still although the river moves (不变).
    pub const FROZEN: Self = Self(8);
    /// Arrived later than its interval allows (迟报).
    pub const LATE: Self = Self(16);
    /// The device's clock stood still, ran back or lies in the future (时钟).
    pub const CLOCK: Self = Self(32);
    /// The device gave no number (缺测).
    pub const MISSING: Self = Self(64);
    /// Nothing came for several of its usual intervals before it (断报). A mark: the value itself is not in doubt.
    pub const GAP: Self = Self(128);
    /// Neighbouring stations say otherwise (邻站).
    pub const NEIGHBOUR: Self = Self(256);
    /// Stage and discharge do not belong together (水位流量关系).
    pub const RATING: Self = Self(512);
    /// Another sensor of the same water says otherwise (互校).
    pub const REDUNDANT: Self = Self(1024);

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// Whether every cause of `other` is in here.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
    /// Whether none of `other` is in here.
    pub fn without(self, other: Self) -> bool {
        self.0 & other.0 == 0
    }
    /// The words for the set bits, in a fixed order.
    pub fn words(self) -> Vec<&'static str> {
        let all = [
            (Self::RANGE, "range"),
            (Self::RISE, "rise"),
            (Self::SPIKE, "spike"),
            (Self::FROZEN, "frozen"),
            (Self::LATE, "late"),
            (Self::CLOCK, "clock"),
            (Self::MISSING, "missing"),
            (Self::GAP, "gap"),
            (Self::NEIGHBOUR, "neighbour"),
            (Self::RATING, "rating"),
            (Self::REDUNDANT, "redundant"),
        ];
        all.into_iter().filter(|(cause, _)| self.has(*cause)).map(|(_, word)| word).collect()
    }
}

/// The verdict on one value: a grade and its causes; stored beside the value as one small number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quality {
    /// How far it may be trusted.
    pub grade: Grade,
    /// Why it is not simply good.
    pub causes: Causes,
}

impl Quality {
    /// Passed every check.
    pub const GOOD: Self = Self { grade: Grade::Good, causes: Causes::NONE };

    /// Whether decisions may rest on the value.
    pub fn is_usable(self) -> bool {
        matches!(self.grade, Grade::Good | Grade::Manual | Grade::Estimated)
    }
    /// The worse grade of the two and all causes of both.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        Self { grade: self.grade.max(other.grade), causes: self.causes.with(other.causes) }
    }
    /// As one number for the store: the first eight causes in the low byte, the grade in the three bits above it, the
    /// other causes above that. Codes of before there were more than eight causes mean what they meant.
    pub fn to_code(self) -> u16 {
        (self.grade as u16) << 8 | self.causes.0 & 0xff | (self.causes.0 >> 8) << 11
    }
    /// The verdict behind a stored number; an unknown grade reads as bad.
    pub fn from_code(code: u16) -> Self {
        let grade = match code >> 8 & 7 {
            0 => Grade::Good,
            1 => Grade::Manual,
            2 => Grade::Estimated,
            3 => Grade::Suspect,
            _ => Grade::Bad,
        };
        Self { grade, causes: Causes(code & 0xff | (code >> 11) << 8) }
    }
}

/// A judged value (校验值). A bad one is flagged and kept, never dropped.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The series it belongs to.
    pub series: SeriesId,
    /// When the water was like this.
    pub at: Timestamp,
    /// When we had it in hand.
    pub received_at: Timestamp,
    /// In the unit of the series; NaN only together with a bad grade.
    pub value: f64,
    /// The verdict of the checks.
    pub quality: Quality,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_survives_its_code() {
        for grade in [Grade::Good, Grade::Manual, Grade::Estimated, Grade::Suspect, Grade::Bad] {
            for causes in
                [Causes::NONE, Causes::RANGE.with(Causes::LATE), Causes::MISSING, Causes::GAP.with(Causes::REDUNDANT)]
            {
                let quality = Quality { grade, causes };
                assert_eq!(Quality::from_code(quality.to_code()), quality);
            }
        }
        assert_eq!(Quality::from_code(0xff00).grade, Grade::Bad);
        let of_before = Quality::from_code(0x0306);
        assert_eq!((of_before.grade, of_before.causes.words()), (Grade::Suspect, vec!["rise", "spike"]));
    }
}
