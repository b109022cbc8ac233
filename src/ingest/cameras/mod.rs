//! Cameras of the reach: where they are, and one picture of one of them, now.
//!
//! In: `cameras.toml` and the map layer `cameras`. Out: checked cameras, and snapshots that the server itself fetches, so that no page
//! ever talks to a camera. It refuses hosts that the file does not list, redirects, anything that is no picture, and what is too large
//! or too slow. Passwords and addresses of snapshots are never shown.

mod eye;
mod map;
#[cfg(test)]
mod tests;

pub use eye::{CameraFault, Eye};
pub use map::{Camera, CameraMap, Position};
