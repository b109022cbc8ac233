//! Configuration, wiring, supervision and the command line.

pub mod clock;
mod verbs;

pub use verbs::run;
