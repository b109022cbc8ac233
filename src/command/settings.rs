//! The times that the command keeps. All are settings of the site; these are the defaults.

use crate::model::InstructionCode;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Times of release and escalation, on the clock of the reach, in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CommandSettings {
    /// An unanswered request calls further commanders after this (60).
    pub call_commanders_after_s: u32,
    /// Then deputies may confirm and break-glass is offered (120).
    pub deputies_after_s: u32,
    /// Then the request expires; listed pre-authorised rows go out (300).
    pub expires_after_s: u32,
    /// An issued task without an answer stands on the wall after this (180).
    pub unanswered_after_s: u32,
    /// Then the deputy gets it too (300).
    pub deputy_after_s: u32,
    /// Then the commander is alarmed (600).
    pub commander_after_s: u32,
    /// How long a fired row must be on the safe side before it may fire again (7200).
    pub rearm_after_s: u32,
    /// Own people whose place gets water, or whose last way out is cut, within this are alarmed (1800).
    pub water_within_s: u32,
    /// Pre-authorised rows that the signed standing authorisation (授权书) lists. Empty: none goes out by itself.
    pub standing_authorisation: BTreeSet<InstructionCode>,
}

impl Default for CommandSettings {
    fn default() -> Self {
        Self {
            call_commanders_after_s: 60,
            deputies_after_s: 120,
            expires_after_s: 300,
            unanswered_after_s: 180,
            deputy_after_s: 300,
            commander_after_s: 600,
            rearm_after_s: 7200,
            water_within_s: 1800,
            standing_authorisation: BTreeSet::new(),
        }
    }
}

/// `seconds` as a span of time.
pub(crate) fn seconds(seconds: u32) -> TimeDelta {
    TimeDelta::seconds(i64::from(seconds))
}
