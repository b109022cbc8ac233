//! The rules and the command chain, against the demo reach and its playbook: what the core does, desk by desk, and whole floods.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod command_core;
mod command_desk;
mod drills;
mod evacuation;
mod playbook_cli;
mod playbook_reach;
mod reach_data;
