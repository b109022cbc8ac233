//! Virtual field devices, virtual clock, virtual members, and the report of a drill.
