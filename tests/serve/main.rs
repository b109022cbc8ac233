//! The server as a process: its doors, its restarts, and what it keeps when it is killed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench_ingest;
mod journal_kill9;
mod running;
mod series_kill9;
mod serving;
