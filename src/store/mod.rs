//! Durable series, journal, users and outbox. The only room that knows a database.

mod database;
mod directory;
mod error;
pub mod users;

pub use database::{Database, Migration, SchemaPart, WriteTransaction};
pub use directory::{StoreDirectory, blobs_folder, make_private, series_file, state_file};
pub use error::{Cause, StoreError};
