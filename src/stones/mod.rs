//! Smart-stone states from tilt, shake and line readings. No I/O, no clock.
//!
//! In: usable observations of stones. Out: per stone still, shaking, moved, lost, cut-line or silent, and counts per dam.
//! It orders nobody out: a camera or a second stone is asked for elsewhere.

mod array;
mod settings;
mod stone;

pub use array::{DamCount, StoneArray, StoneNews, StoneSite};
pub use settings::StoneSettings;
pub use stone::StoneWord;

pub use crate::model::StoneState;
