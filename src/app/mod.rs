//! Configuration, wiring, supervision and the command line.

pub mod backup;
pub mod clock;
pub mod config;
pub mod editions;
pub mod log;
pub mod metrics;
pub mod reaches;
mod verbs;

pub use verbs::run;
