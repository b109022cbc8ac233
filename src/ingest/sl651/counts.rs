//! Counts of what came in, for people who look for a fault.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Running counts.
        #[derive(Debug, Default)]
        pub(super) struct Counts { $(pub(super) $name: Count,)* }

        /// What was counted since the start.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
        pub struct Counted { $($(#[$doc])* pub $name: u64,)* }

        impl Counts {
            pub(super) fn snapshot(&self) -> Counted { Counted { $($name: self.$name.get(),)* } }
        }
    };
}

counts! {
    /// Whole frames with a right checksum.
    frames,
    /// Messages that were made durable and, where agreed, acknowledged.
    kept,
    /// Messages that came again and were only acknowledged.
    repeated,
    /// Messages that could not be made durable and were not acknowledged.
    not_kept,
    /// Readings handed on.
    readings,
    /// Values of elements that no file maps to a series.
    unmapped,
    /// Frames with a wrong checksum.
    bad_crc,
    /// Bytes that belonged to no frame.
    skipped_bytes,
    /// Frames of unknown stations, with a wrong password or from a wrong network, and bodies that could not be read.
    set_aside,
    /// Set-aside frames for which there was no room to write them down.
    set_aside_lost,
    /// Test messages (30).
    tests,
    /// Pictures kept.
    pictures,
    /// Packets asked for again.
    asked_again,
    /// Messages of several packets that were never finished or too large.
    unfinished,
    /// Connections taken.
    connections,
    /// Connections closed because there were too many.
    turned_away,
}

/// One count.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }
    pub(super) fn one(&self) {
        self.add(1);
    }
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
