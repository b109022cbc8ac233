//! Sends what the journal already holds: one folder per channel.
