//! The flood simulation: exact solutions, the same bits, structures, and its commands.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accuracy;
mod bad_input;
mod bits;
mod flood2d;
mod river;
mod structures;
