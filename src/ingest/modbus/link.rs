//! Counters of each endpoint and unit, for the list of links and for metrics.

use crate::ingest::sensors::{Device, Endpoint};
use crate::model::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How an endpoint fares.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EndpointLink {
    /// Its id.
    pub endpoint: String,
    /// `host:port`, or the serial line.
    pub address: String,
    /// Whether a connection is open; health is the age of the last good value, not this.
    pub connected: bool,
    /// Connections made.
    pub connects: u64,
    /// Connections refused or not made in time.
    pub refused: u64,
    /// Batches that found the queue full and waited.
    pub queue_full: u64,
    /// Polls that began more than a period late.
    pub late_polls: u64,
    /// Breakdowns of the worker.
    pub restarts: u64,
    /// By unit id.
    pub units: BTreeMap<u8, UnitLink>,
}

/// How a unit fares.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UnitLink {
    /// Its devices.
    pub devices: Vec<String>,
    /// Times that it was due.
    pub polls: u64,
    /// Times that it answered in full.
    pub answers: u64,
    /// Requests without an answer in time.
    pub timeouts: u64,
    /// Requests refused by an exception.
    pub exceptions: u64,
    /// Broken, short or foreign answers.
    pub bad_answers: u64,
    /// Polls with a value that the device itself voids.
    pub voids: u64,
    /// Failures since the last answer.
    pub failures_in_row: u32,
    /// Asked only now and then because it fails.
    pub quarantined: bool,
    /// When it last answered in full, on the clock of the reach.
    pub last_good: Option<Timestamp>,
    /// What went wrong last, in words.
    pub last_fault: Option<String>,
}

/// Shared between a worker and those who look.
#[derive(Debug)]
pub(super) struct Links(Mutex<EndpointLink>);

impl Links {
    pub(super) fn new(endpoint: &Endpoint, devices: &[Device]) -> Self {
        let mut link =
            EndpointLink { endpoint: endpoint.id.clone(), address: endpoint.place(), ..EndpointLink::default() };
        for device in devices {
            link.units.entry(device.unit).or_default().devices.push(device.id.clone());
        }
        Self(Mutex::new(link))
    }
    pub(super) fn snapshot(&self) -> EndpointLink {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    pub(super) fn endpoint(&self, change: impl FnOnce(&mut EndpointLink)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
    pub(super) fn unit(&self, unit: u8, change: impl FnOnce(&mut UnitLink)) {
        self.endpoint(|link| change(link.units.entry(unit).or_default()));
    }
}
