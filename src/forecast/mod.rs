//! What the upstream gauges say about the next hours at Huayuankou: lag and attenuation. No I/O, no clock.
//!
//! In: usable observations of upstream discharges and of the target. Out: hourly points with a band, each saying how much of it
//! rests on water already measured. It refuses to forecast when the main upstream gauge is stale.

mod imported;
pub mod route;
mod routing;
mod settings;

pub use imported::{ForecastVariable, ImportedFault, ImportedForecast, ImportedMember};
pub use routing::{Forecast, ForecastPoint, Forecaster, RestsOn};
pub use settings::{ForecastSettings, ParameterSet, StationParameters};
