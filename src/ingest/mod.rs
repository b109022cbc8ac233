//! Readings from devices: one folder per protocol.

mod fault;
pub mod hooks;
mod intake;
pub mod modbus;
pub mod offer;
pub mod sensors;
pub mod sheet;
pub mod sl323;
pub mod sl651;
pub mod units;

pub use fault::{FileFault, utf8};
pub use intake::{Intake, IntakeError, IntakeParts};

use crate::model::Timestamp;
use std::sync::Arc;

/// The clock of the reach, handed in by whoever owns it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
