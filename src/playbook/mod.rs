//! The plan of the dike (预案): levels with hysteresis, instructions with three-valued conditions, preview and lint.
//!
//! In: the files of an edition, what is sensed ([`Snapshot`]), what the command has established
//! ([`Standing`](crate::model::Standing)). Out: a proposed level, a verdict for every row, a preview, findings of the
//! lint. It fires nothing, sends nothing, reads no clock and does no I/O.

mod board;
mod compare;
mod compiled;
mod condition;
mod edition;
mod evaluate;
mod fault;
mod history;
mod instruction;
mod levels;
mod lint;
mod load;
mod local;
mod parse;
mod preview;
mod shape;
mod signal;
mod snapshot;
mod spoken;
mod supersede;
mod table;
mod truth;

pub use crate::model::StoneState;
pub use board::{BoardSettings, SignalBoard};
pub use compare::{EditionChanges, FieldChange};
pub use condition::{Comparison, Condition};
pub use edition::{Named, Playbook};
pub use evaluate::{Cause, Verdict};
pub use fault::{At, Fault, Faults, Words};
pub use instruction::{Instruction, Phase, RowColour, Trigger};
pub use levels::{
    Band, CauseKind, ClearRule, FlappingRule, ForecastTrigger, LevelCause, LevelChange, LevelRule, LevelState, Levels,
    ObservedTrigger, PendingChange,
};
pub use lint::{LintItem, Severity, check};
pub use parse::{TriggerFault, condition as parse_condition};
pub use preview::{Diff, PreviewResult, Waiting, preview};
pub use signal::{Arg, ORDERS, SPECS, SignalKey, SignalSpec, UnknownSignal};
pub use snapshot::{Sensed, Snapshot, is_night, is_season};
pub use spoken::{ORDER_NAMES, report_name};
pub use supersede::supersede;
pub use table::{export_csv, import_csv};
pub use truth::Truth;

#[cfg(test)]
mod board_tests;
#[cfg(test)]
mod edition_tests;
#[cfg(test)]
mod evaluate_tests;
#[cfg(test)]
mod levels_tests;
#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod testing;
