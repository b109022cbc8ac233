//! Durable series, journal, users and outbox. The only room that knows a database.

pub mod series;
