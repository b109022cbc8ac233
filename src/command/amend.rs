//! A person sets a value in place of what a device gave, or says that it may not be used (人工订正).
//!
//! In: who, which value of which moment, and why. Out: one fact that keeps what stood there before: the original is never lost, and each
//! amendment of the same moment is a revision of its own. The series store is changed after the fact is durable, by the caller.

use super::core::Desk;
use super::{Actor, Fact, Refused};
use crate::model::{FactSeq, Grade, Quality, SeriesId, Timestamp, UserRole};
use serde::{Deserialize, Serialize};

/// Before this no gauge of this river was read day by day, milliseconds since 1970: 1900-01-01T00:00Z. An earlier moment is a slip.
const EARLIEST_MS: i64 = -2_208_988_800_000;
/// Longest reason, in characters.
const REASON_MAX: usize = 500;

/// What stood there before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StoodBefore {
    /// In the unit of the series; `None`: the device gave no number.
    pub value: Option<f64>,
    /// Its verdict, as its stored code.
    #[serde(with = "super::input::quality_code")]
    pub quality: Quality,
}

/// A value set by a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Amendment {
    /// The series.
    pub series: SeriesId,
    /// The moment of the value.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub at: Timestamp,
    /// In the unit of the series; `None` stays without a number.
    pub value: Option<f64>,
    /// The person's verdict, as its stored code: manual, suspect or bad.
    #[serde(with = "super::input::quality_code")]
    pub quality: Quality,
    /// What stood there; `None`: nothing was stored for that moment.
    pub was: Option<StoodBefore>,
    /// Why.
    pub reason: String,
}

/// An amendment that is in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Amended {
    /// Its fact.
    pub seq: FactSeq,
    /// When it was made.
    pub made_at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// What.
    pub amendment: Amendment,
}

impl Actor {
    /// Whether the account may set values of the river by hand.
    pub fn may_amend(&self) -> bool {
        matches!(self.role, UserRole::Hydrologist | UserRole::Duty)
    }
}

impl Desk<'_> {
    pub(super) fn amend(&mut self, by: &Actor, amendment: &Amendment) -> Result<(), Refused> {
        if !by.may_amend() {
            return Err(Refused::NoRight { role: by.role, what: "订正观测值" });
        }
        let reason = amendment.reason.trim();
        if reason.is_empty() {
            return Err(Refused::NoReason);
        }
        let bad = |field, problem: &str| Refused::BadField { field, problem: problem.to_owned() };
        if reason.chars().count() > REASON_MAX {
            return Err(bad("reason", "理由过长 (the reason is too long)"));
        }
        if amendment.at > self.now {
            return Err(bad("time", "时刻在未来 (the moment lies in the future)"));
        }
        if amendment.at.timestamp_millis() < EARLIEST_MS {
            return Err(bad("time", "时刻早于 1900 年，请核对年份 (the moment lies before 1900, look at the year)"));
        }
        if amendment.value.is_some_and(|value| !value.is_finite()) {
            return Err(bad("value", "不是数 (not a number)"));
        }
        match (amendment.quality.grade, amendment.value) {
            (Grade::Manual, Some(_)) | (Grade::Suspect | Grade::Bad, _) => {}
            (Grade::Manual, None) => return Err(bad("value", "订正须给出数值 (a value is needed)")),
            _ => return Err(bad("verdict", "须为 manual、suspect 或 bad (manual, suspect or bad)")),
        }
        let amendment = self.after_the_last(amendment.clone());
        self.record(Fact::Amended { by: by.clone(), amendment });
        Ok(())
    }

    /// What stood there is what the last amendment of the moment set: two people at once both saw what was there before either.
    fn after_the_last(&self, mut amendment: Amendment) -> Amendment {
        let of_series = self.state.amended.get(&amendment.series).into_iter().flatten();
        let Some(last) = of_series.rev().find(|one| one.amendment.at == amendment.at) else { return amendment };
        let stood = StoodBefore { value: last.amendment.value, quality: last.amendment.quality };
        // A mark leaves the value as it stands.
        let seen = amendment.was.and_then(|was| was.value);
        if amendment.quality.grade != Grade::Manual && amendment.value == seen {
            amendment.value = stood.value;
        }
        amendment.was = Some(stood);
        amendment
    }
}
