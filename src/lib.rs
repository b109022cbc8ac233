//! Anlan (安澜): from a gauge register to a named person who answers.
//!
//! One room per module, innermost first; a room names only the rooms before it
//! (`tests/tidy.rs` holds that). See `ARCHITECTURE.md`.

pub mod model;

pub mod forecast;
pub mod hydraulics;
pub mod playbook;
pub mod quality;
pub mod stones;

pub mod command;

pub mod store;

pub mod channel;
pub mod ingest;

pub mod drill;

pub mod web;

pub mod app;
