//! Readings from devices: one folder per protocol.

mod aside;
pub mod cameras;
pub mod drones;
mod fault;
pub mod forecasts;
pub mod hooks;
mod intake;
pub mod modbus;
pub mod mqtt;
pub mod offer;
pub mod sensors;
pub mod sheet;
mod shelf;
mod sift;
mod sink;
pub mod sl323;
pub mod sl651;
pub mod units;

pub use aside::AsideTold;
pub use fault::{FileFault, reader_says, utf8};
pub use intake::{Intake, IntakeError, IntakeParts, Kept, WouldUse};
pub(crate) use sift::sift;
pub use sift::{SetAside, Sifted};
pub use sink::Sink;

use crate::model::Timestamp;
use std::sync::Arc;

/// The clock of the reach, handed in by whoever owns it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
