//! What the command has established: the part of its state that conditions of the playbook may ask about.

use super::{PlaceId, ReportId, Timestamp, WarningLevel};
use serde::{Deserialize, Serialize};

/// Kind of a hazard as the playbook writes it: `piping`, `toe_stone_loss`, `sos`, …
pub type HazardKind = String;

/// An order or a registered notice in force: `evac`, `retreat`, `release_notice`, …
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderGiven {
    /// Its name in the trigger language.
    pub name: String,
    /// Where it holds; `None` for the whole reach.
    pub place: Option<PlaceId>,
    /// Since when.
    pub at: Timestamp,
}

/// A reported hazard (险情).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hazard {
    /// The report that told of it.
    pub report: ReportId,
    /// What it is.
    pub kind: HazardKind,
    /// 1 一般, 2 较大, 3 重大.
    pub grade: u8,
    /// Every place that it touches: the dam, its work, the segment, the cell.
    pub places: Vec<PlaceId>,
    /// When it was reported.
    pub reported_at: Timestamp,
    /// Dealt with and confirmed.
    pub resolved: bool,
    /// Found to be nothing.
    pub false_alarm: bool,
}

/// A reading view of the command's state, handed to the playbook with every evaluation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// The response level that a person has put in force.
    pub in_force: WarningLevel,
    /// Whether a flood event is open.
    pub event_open: bool,
    /// Whether the level in force is being lowered: the event is on its way down.
    pub lowering: bool,
    /// Orders and notices in force.
    pub orders: Vec<OrderGiven>,
    /// Hazards of this event, resolved ones included.
    pub hazards: Vec<Hazard>,
}
