//! Smart-stone states from tilt, shake and line readings. No I/O, no clock.
//!
//! In: usable observations of stones, the discharge. Out: per stone still, shaking, moved, lost, cut-line or silent, counts
//! per dam, and at most one hazard a dam with the stone that was first and a confidence. It orders nobody out: what one
//! stone alone shows asks for a camera or a second look and reaches no condition of the playbook.

mod array;
mod hazard;
mod settings;
mod stone;

pub use array::{DamCount, Group, Silences, StoneArray, StoneNews, StoneSite};
pub use hazard::{Standing, StoneHazard};
pub use settings::StoneSettings;
pub use stone::StoneWord;

pub use crate::model::StoneState;
