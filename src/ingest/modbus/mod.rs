//! Polls devices by Modbus: TCP, TLS, RTU over TCP, RTU on a serial line. In: sensors, a clock, a speed. Out: batches of
//! readings on a bounded queue.
//!
//! One worker and one connection per endpoint, requests in order, a time limit on every call. A connection is dropped after
//! any time-out, transport error or answer of the wrong length, because a late answer would be taken for the next one; a serial
//! line cannot be dropped, there an answer must fit its request and a unit that was late rests. A unit that does not answer is
//! asked ever more rarely, and in gaps, so that it delays no other. A missing answer is a reading without a number, never a gap.
//! When the queue is full the worker waits: polls come late and are counted, nothing is dropped.

mod exception;
mod link;
mod pace;
mod probe;
mod reading;
pub mod rtu;
mod tls;
mod turns;
mod unit;
mod wire;
mod worker;

pub use exception::{Exception, Reaction};
pub use link::{EndpointLink, UnitLink};
pub use probe::{Probe, ProbeFault, Probed, probe};
pub use reading::Void;
pub use wire::WireFault;

use super::Clock;
use super::sensors::Sensors;
use crate::model::Reading;
use link::Links;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use worker::Worker;

/// Shortest time between two polls of a unit, on the wall.
const PERIOD_MIN: Duration = Duration::from_millis(100);

/// Seconds of the reach's clock between two polls that a speed leaves room for: at least `poll_every_s`.
pub fn effective_interval_s(poll_every_s: f64, speed: f64) -> f64 {
    poll_every_s.max(PERIOD_MIN.as_secs_f64() * speed)
}

/// Few endpoints begin at once, many spread over a second.
fn stagger(index: usize, endpoints: usize) -> Duration {
    if endpoints <= 16 { Duration::ZERO } else { Duration::from_secs_f64(index as f64 / endpoints as f64) }
}

/// Running pollers; they stop when this is dropped.
#[derive(Debug)]
pub struct Poller {
    links: Vec<Arc<Links>>,
    workers: Vec<JoinHandle<()>>,
}

impl Poller {
    /// Starts one worker per endpoint that has devices. `speed` is how many seconds of the reach's clock pass in one on the wall.
    pub fn start(sensors: &Sensors, clock: &Clock, speed: f64, out: &mpsc::Sender<Vec<Reading>>) -> Self {
        let mut poller = Self { links: Vec::new(), workers: Vec::new() };
        let endpoints: Vec<_> = sensors.endpoints.values().collect();
        for (index, endpoint) in endpoints.iter().copied().enumerate() {
            let devices: Vec<_> = sensors.devices_of(&endpoint.id).cloned().collect();
            if devices.is_empty() {
                continue;
            }
            let links = Arc::new(Links::new(endpoint, &devices));
            let worker = Worker {
                endpoint: endpoint.clone(),
                devices,
                clock: Arc::clone(clock),
                speed,
                stagger: stagger(index, endpoints.len()),
                out: out.clone(),
                links: Arc::clone(&links),
            };
            poller.links.push(links);
            poller.workers.push(tokio::spawn(supervise(worker)));
        }
        poller
    }

    /// How each endpoint and unit fares.
    pub fn links(&self) -> Vec<EndpointLink> {
        self.links.iter().map(|links| links.snapshot()).collect()
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        for worker in &self.workers {
            worker.abort();
        }
    }
}

/// Starts the worker anew should it ever panic: that costs one connection, not the server.
async fn supervise(worker: Worker) {
    let worker = Arc::new(worker);
    loop {
        let mut run = JoinSet::new();
        run.spawn(Arc::clone(&worker).run());
        match run.join_next().await {
            Some(Err(cause)) if cause.is_panic() => {
                tracing::error!(endpoint = worker.endpoint.id, "poller broke down and starts anew");
                worker.links.endpoint(|link| link.restarts += 1);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            _ => return, // Nobody listens any more.
        }
    }
}
