//! Virtual field devices, virtual clock, virtual members, and the report of a drill.

pub mod field;
pub mod floods;
mod ratios;
