//! Data editions inside the binary: playbook, sensors, floods. A folder given on the command line takes their place.

pub mod floods;
mod playbook;
pub mod sensors;

pub use playbook::{EditionError, embedded, embedded_playbook, playbook_in};
