//! Configuration, wiring, supervision and the command line.

pub mod clock;
pub mod editions;
pub mod reaches;
pub mod rules;
mod verbs;

pub use verbs::run;
