//! Two-dimensional inundation on a regular grid: where the water goes, how deep, how fast, when. No I/O, no clock.
//!
//! In: a [`Case`]: terrain, roughness, water, boundaries, sources, weirs, breaches. Out: an [`Inundation`] that can be moved on
//! in time: depths, velocities, highest depth, arrival, hazard, and a water balance with every run.
//! Two sets of equations on one grid: local inertia (fast, gradual floods) and full shallow water (breaches, structures).
//! It knows no coordinates beyond metres on the plane, and no sediment.
//!
//! Public is what this file names and nothing else: [`Case`] with its parts, [`Inundation`] with `new`, `advance`, `resume`,
//! `checkpoint` and what can be asked of a run, [`Series`]. Other rooms build on these; how water is moved may change any day.

mod breach;
mod case;
mod case_fault;
mod checkpoint;
mod debts;
mod dispatch;
mod field;
mod flooding;
mod full;
mod grid;
mod ground;
mod hazard;
mod impact;
mod inertia;
mod inundation;
mod kernels;
mod levee;
mod library;
mod mirror;
pub mod profile;
mod record;
mod rim;
mod series;
mod site;
mod source;
mod spread;
mod steep;
mod strips;
mod sweep;
mod tiles;
mod view;
mod weir;

pub use breach::{Breached, OpenBreach};
pub use case::{Boundary, Breach, BreachStart, Case, Edge, Inflow, Manning, Scheme, Sides};
pub use case_fault::{CaseFault, CaseField, Spot};
pub use dispatch::VectorWidth;
pub use flooding::{Assumed, Flooding, FloodingFault, NEVER_MIN, WET_CM, base_water, flood, metres};
pub use grid::{Cell, Grid};
pub use hazard::HazardClass;
pub use impact::{Footprint, Impact, Outline, ROAD_CUT_CM};
pub use inundation::{Advance, Inundation, InundationFault, WaterBalance};
pub use levee::PlaceValues;
pub use library::{Library, LibraryFault, Rests, TwinModel, fingerprint};
pub use mirror::{
    Coming, DischargeMemory, GAUGE_TOLERANCE_M, GaugeWord, MirrorInput, MirrorSpot, MirrorTable, Mirrored, WayCut,
};
pub use record::{ARRIVAL_DEPTH_M, FROUDE_LIMIT};
pub use series::{Series, SeriesFault};
pub use site::{Bank, BreachSite, LeveeLine, LibraryPlan, Mark, Plane, SiteFault, SiteGround, SiteRun, TwinSite};
pub use spread::{Spread, SpreadHead, SpreadPlan};
pub use steep::steep_share;
pub use view::CellWater;
