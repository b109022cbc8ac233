//! Virtual field devices that speak real Modbus TCP: gauges that follow a flood, smart stones behind dam terminals;
//! and stations that report the same gauges by SL 651.
//!
//! In: the sensors of a reach, a flood, faults, a clock. Out: TCP servers. Unknown units and registers are answered by the
//! exceptions of a real gateway. What they give is synthetic, always.

mod bench;
mod faults;
mod noise;
mod reporter;
mod server;
mod stone;

pub use crate::model::FaultKind;
pub use bench::{Bench, BenchPart};
pub use faults::{Inject, read_injects, read_script};
pub use reporter::{ReporterCounts, Reporters};
pub use server::{FieldDevices, FieldFault};
