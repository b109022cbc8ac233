//! What the upstream gauges say about the next hours at Huayuankou: lag and attenuation. No I/O, no clock.
//!
//! In: usable observations of upstream discharges and of the target, plans, discharges and rain
//! forecast elsewhere. Out: hourly points with a band
//! from an ensemble, each saying how much of it rests on water already measured. It refuses to forecast when the main upstream gauge is stale.

pub mod downstream;
mod ensemble;
mod imported;
mod rain;
pub mod rating;
pub mod route;
mod routing;
mod settings;
pub mod verify;

pub use imported::{ForecastVariable, ImportedFault, ImportedForecast, ImportedMember};
pub use rain::RainArea;
pub use routing::{Forecast, ForecastPoint, Forecaster, PlanUse, Planned, RestsOn, RoutedFault, routed};
pub use settings::{EnsembleSettings, ForecastSettings, ParameterSet, StationParameters};
