//! Virtual clock, virtual members, virtual field devices, and the report of a drill.
//!
//! In: a flood, a script, a seed, and the rules of a reach. Out: a journal like the live one and a report over it. Nothing
//! here can reach live people: what it writes is [`DrillText`].

mod dice;
pub mod field;
pub mod floods;
mod players;
mod policy;
mod ratios;
mod river;
mod run;
pub mod script;
mod text;

pub use dice::Spread;
pub use players::{Look, Move, Plan, Players, Scene, Silence, Turn};
pub use policy::{DrillPolicy, MemberPolicy, OfficerPolicy, OrderRule, When};
pub use river::River;
pub use run::{Record, Run, RunCounts, RunParts};
pub use text::{DrillText, MARK};
