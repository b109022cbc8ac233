//! Configuration, wiring, supervision and the command line.

pub mod clock;
pub mod editions;
mod verbs;

pub use verbs::run;
