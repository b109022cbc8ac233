//! Stations that are not believed: listed by address and said once each, so that a new one is found before it is missed.

use super::codec::StationAddress;
use crate::model::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

/// Addresses that are listed; whoever invents them fills neither memory nor log.
const LISTED_MAX: usize = 500;

/// A station whose frames are set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quarantined {
    /// As it calls itself.
    pub address: String,
    /// `unknown-station`, `wrong-password`, `wrong-network`: of its last frame.
    pub reason: &'static str,
    /// Where that came from.
    pub peer: String,
    /// Frames since the start.
    pub frames: u64,
    /// The last of them, on the clock of the reach.
    pub last_heard: Timestamp,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Quarantine {
    known: Mutex<BTreeMap<StationAddress, Quarantined>>,
}

impl Quarantine {
    pub(super) fn note(&self, station: StationAddress, peer: SocketAddr, reason: &'static str, now: Timestamp) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = known.get_mut(&station) {
            (one.reason, one.peer, one.last_heard) = (reason, peer.to_string(), now);
            one.frames += 1;
            return;
        }
        if known.len() == LISTED_MAX {
            return; // Counted among the set-aside frames.
        }
        tracing::warn!(%station, %peer, reason, "遥测站不予采信，报文另存 (a station is not believed, its frames are set aside)");
        let (address, peer) = (station.to_string(), peer.to_string());
        known.insert(station, Quarantined { address, reason, peer, frames: 1, last_heard: now });
    }

    pub(super) fn tell(&self) -> Vec<Quarantined> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_station_that_is_not_believed_is_listed_once_and_the_list_is_bounded() {
        let (quarantine, peer) = (Quarantine::default(), "192.0.2.1:4000".parse().unwrap());
        let now = Timestamp::UNIX_EPOCH;
        let address =
            |n: usize| StationAddress([0, 0, 0, u8::try_from(n / 100).unwrap(), u8::try_from(n % 100).unwrap()]);
        quarantine.note(address(1), peer, "unknown-station", now);
        quarantine.note(address(1), peer, "wrong-password", now);
        let told = quarantine.tell();
        assert_eq!((told.len(), told[0].frames, told[0].reason), (1, 2, "wrong-password"));
        (0..2 * LISTED_MAX).for_each(|n| quarantine.note(address(n), peer, "unknown-station", now));
        assert_eq!(quarantine.tell().len(), LISTED_MAX);
    }
}
