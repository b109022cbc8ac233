//! The files of the edition that travels inside the binary.

pub mod floods;
pub mod sensors;
