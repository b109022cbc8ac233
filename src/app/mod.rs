//! Configuration, wiring, supervision and the command line.

mod assemble;
pub mod backup;
mod callers;
mod cameras;
pub mod clock;
pub mod config;
mod drills;
pub mod editions;
pub mod export;
pub mod font;
#[cfg(test)]
mod intake_tests;
mod log;
mod maps;
pub mod metrics;
pub mod reaches;
pub mod rehearsal;
pub mod rules;
pub mod series;
pub mod server;
mod verbs;

pub use verbs::run;
