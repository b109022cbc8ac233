//! The deterministic core: inputs in, facts out; state is a fold over facts.
//!
//! [`Core::step`] takes an [`Input`] and the moment and gives the facts that follow, or a [`Refused`] that leaves no
//! trace. It reads no clock and does no I/O. An input without facts leaves the state as it was, so the recorded inputs,
//! folded again, give the byte-same journal. Ids come from the journal's sequence.

mod activation;
mod actor;
mod amend;
mod assign;
mod chain;
mod changes;
mod core;
mod evaluate;
mod fact;
mod fallback;
mod field;
mod input;
mod ladder;
mod outage;
mod promise;
mod refused;
mod release;
mod settings;
mod settled;
mod slack;
mod state;
mod task;
mod twin;
mod watch;
mod water;
mod whereabouts;
mod why;

pub use actor::Actor;
pub use amend::{Amended, Amendment, StoodBefore};
pub use chain::{ChainFault, ChainHash, verify_chain};
pub use core::Core;
pub use fact::{Entry, Fact, Sensed, Severity, Shot, Signature, WithdrawReason, Words};
pub use fallback::StandIn;
pub use input::{FieldReport, Injection, Input, ReadingRef, ReportKind};
pub use outage::LastWord;
pub use promise::Released;
pub use refused::Refused;
pub use settings::CommandSettings;
pub use slack::{DETOUR, NoSlack, Slack, TRAVEL_KMH, slack};
pub use state::{Activation, ActivationState, Alarm, FiredBecause, Firing, FiringKey, FloodEvent, Report, State};
pub use task::{Named, Refusal, Task};
pub use twin::{TwinSlot, TwinStanding, TwinView};
pub use watch::{GaugeView, LinkView, Watch, WatchParts, Water};
pub use water::{PlaceWater, WATER_ALARM};
pub use whereabouts::PlaceFrom;
pub use why::{WhyStep, beijing, why};
