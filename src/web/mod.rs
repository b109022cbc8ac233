//! HTTP API, event stream, sessions and the pages embedded in the binary.
//!
//! In: requests. Out: JSON shapes of `web/src/api/types.ts`, Server-Sent Events, pages. It decides nothing: changes go
//! to the engine as inputs, and what is answered is durable. Without an administrator only `/setup` and `/healthz` open.

mod caller;
mod cameras;
mod door;
mod evacuation;
mod extract;
mod heard;
mod limits;
mod live_twin;
mod openapi;
mod pages;
mod post;
mod problem;
mod public;
mod routes;
pub mod runs;
mod session;
mod shape;
mod site;
mod stream;
mod twin;

pub use cameras::Cameras;
pub use door::ScrapeToken;
pub use evacuation::{EvacuationRegister, Household};
pub use extract::{At, Body, Id, Query, RawBody};
pub use heard::Hooks;
pub use limits::Limits;
pub use post::{ClockKind, Layers, Post, Scope};
pub use problem::Problem;
pub use public::PublicReports;
pub use routes::amendments::reapply as reapply_amendments;
pub use routes::imports::shape as preview_shape;
pub use session::Session;
pub use shape::{Frame, Sight, mask_name, mask_phone};
pub use site::{Callers, DrillAsk, DrillReport, Drills, InjectAsk, ReportFormat, Site, Workers, router};
pub use twin::{SpotKind, SpotOutline, TwinDesk, TwinPlace, TwinSpot};
