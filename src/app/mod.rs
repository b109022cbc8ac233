//! Configuration, wiring, supervision and the command line.

pub mod clock;
pub mod editions;
pub mod reaches;
mod verbs;

pub use verbs::run;
