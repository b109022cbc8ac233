//! Durable series, journal, users and outbox. The only room that knows a database.

pub mod arrivals;
mod bare;
mod database;
mod directory;
mod engine;
mod error;
mod flights;
pub mod jobs;
mod journal;
mod photos;
mod published;
pub mod series;
#[cfg(test)]
mod tiny_disk;
pub mod users;
mod whole;

pub use bare::bare_photo;
pub use database::{Database, Migration, SchemaPart, WriteTransaction};
pub use directory::{StoreDirectory, blobs_folder, make_private, series_file, state_file};
pub use engine::{Clock, Engine, EngineError, Folded, OnceKey, Outcome, Render};
pub use error::{Cause, StoreError};
pub use flights::{FLIGHTS_MAX, FlightError, Flights};
pub use journal::{Answer, Delivery, JOURNAL_SCHEMA, Journal, JournalError};
pub use photos::{Photo, PhotoError, Photos};
pub use published::Published;
