//! Virtual clock, virtual members, virtual field devices, and the report of a drill.
//!
//! In: a flood, a script, a seed, and the rules of a reach. Out: a journal like the live one and a report over it. Nothing
//! here can reach live people: what it writes is [`DrillText`].

mod clock;
mod dice;
pub mod faultset;
pub mod field;
pub mod floods;
mod ledger;
mod players;
mod policy;
mod ratios;
mod reaction;
mod report;
mod river;
mod run;
mod score;
pub mod script;
mod shelf;
mod tally;
mod targets;
mod text;

pub use clock::DrillClock;
pub use dice::Spread;
pub use ledger::{JOURNAL_FILE, Ledger, LedgerFault, LedgerHashes};
pub use players::{Look, Move, Plan, Players, Scene, Silence, Turn, is_virtual_officer};
pub use policy::{DrillPolicy, MemberPolicy, OfficerPolicy, OrderRule, When};
pub use reaction::reaction;
pub use report::{ChineseFont, PdfFault, Report, ReportHead};
pub use river::River;
pub use run::{Record, Run, RunCounts, RunParts};
pub use score::{Mark, Proposal, propose};
pub use shelf::{Shelf, ShelfFault};
pub use tally::{AlarmLine, Figures, ReportLine, Request, Tally, TaskLine};
pub use targets::{Target, TargetGroup, target_names, targets};
pub use text::{DrillText, MARK};
