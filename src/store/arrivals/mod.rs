//! What comes in from outside by HTTP and must be known again: devices that push, answers they got, tables that wait.
//!
//! In: tokens and answers of the routes. Out: the same ones after a restart. Forecasts made elsewhere are kept here. It holds no readings but those
//! that wait for a confirmation (the others are in the series store) and no decisions (those are in the journal). Moments are those of the caller.

mod answers;
mod devices;
mod forecasts;
mod imports;
mod schema;
mod shots;

pub use answers::{KeptAnswer, Known};
pub use devices::{Device, DeviceError, SeriesPattern};
pub use forecasts::{KeptForecast, NewForecast, PlansNow, Withdrawn};
pub use imports::{Import, NewImport};
pub use schema::ARRIVALS_SCHEMA;
pub use shots::{NewShot, Shot, ShotQuery};

use super::Database;

/// The arrivals of one data directory.
#[derive(Debug, Clone)]
pub struct Arrivals {
    database: Database,
}

impl Arrivals {
    /// Uses a database that was opened with [`ARRIVALS_SCHEMA`].
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}
