//! What is known of a smart stone, as the array tells it to the conditions of the playbook.

use super::Timestamp;

/// What the array says about one smart stone (智能石头) now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoneState {
    /// When it was last heard.
    pub at: Timestamp,
    /// It shakes: a burst above its noise.
    pub shakes: bool,
    /// It has moved.
    pub moves: bool,
    /// Tilt against its rest position, in degrees, if it was measured.
    pub tilt_deg: Option<f64>,
}
