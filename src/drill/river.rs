//! The readings of a drill, minute by minute, straight from the virtual devices: no network between them and the watch.
//!
//! Gauges tell every series at their own interval, at most once a step (a minute). A stone tells its tilt across the dam every
//! minute, and its whole block at every full hour and while a fault touches it, as a stone that saves its battery does.

use super::field::{Bench, Inject};
use crate::ingest::sensors::DeviceKind;
use crate::model::{Reading, SeriesId, Timestamp};
use chrono::TimeDelta;

/// Virtual devices on a virtual clock.
#[derive(Debug)]
pub struct River {
    bench: Bench,
    gauges: Vec<Teller>,
    stones: Vec<StoneTeller>,
    stone_every_s: i64,
    step_s: i64,
}

#[derive(Debug)]
struct Teller {
    device: usize,
    series: usize,
    id: SeriesId,
    every_s: i64,
}

#[derive(Debug)]
struct StoneTeller {
    device: usize,
    series: Vec<SeriesId>,
}

/// Every full hour a stone tells its whole block.
const BLOCK_EVERY_S: i64 = 3600;

impl River {
    /// With the devices of a bench, told every `step_s` seconds (60 to 3600); `stone_every_s` 0 leaves the stones silent.
    pub fn new(bench: Bench, step_s: u32, stone_every_s: u32) -> Self {
        let step_s = i64::from(step_s.clamp(60, 3600));
        let (mut gauges, mut stones) = (Vec::new(), Vec::new());
        for (device, known) in bench.sensors().devices.iter().enumerate() {
            match known.kind {
                DeviceKind::Gauge { .. } => {
                    let every_s = (known.poll_every_s.ceil() as i64).max(step_s);
                    let teller = |(series, one): (usize, &crate::ingest::sensors::DeviceSeries)| Teller {
                        device,
                        series,
                        id: one.id.clone(),
                        every_s,
                    };
                    gauges.extend(known.series.iter().enumerate().map(teller));
                }
                DeviceKind::Stone { .. } => {
                    stones
                        .push(StoneTeller { device, series: known.series.iter().map(|one| one.id.clone()).collect() });
                }
            }
        }
        Self { bench, gauges, stones, stone_every_s: i64::from(stone_every_s), step_s }
    }

    /// One more fault, counted from the moment that the bench counts from.
    pub fn inject(&mut self, inject: Inject) {
        self.bench.add(inject);
    }

    /// How many stones there are.
    pub fn stones(&self) -> usize {
        self.stones.len()
    }

    /// Everything that is told at a step.
    pub fn tell(&self, now: Timestamp, out: &mut Vec<Reading>) {
        let second = now.timestamp();
        for teller in self.gauges.iter().filter(|teller| second.rem_euclid(teller.every_s) < self.step_s) {
            out.extend(self.reading(teller.device, teller.series, &teller.id, now));
        }
        if self.stone_every_s == 0 {
            return;
        }
        let whole = second.rem_euclid(BLOCK_EVERY_S) < self.step_s;
        let due = second.rem_euclid(self.stone_every_s) < self.step_s;
        for stone in &self.stones {
            if whole || self.bench.is_troubled(stone.device, now) {
                let block = stone.series.iter().enumerate();
                out.extend(block.filter_map(|(series, id)| self.reading(stone.device, series, id, now)));
            } else if due && let Some(id) = stone.series.first() {
                out.extend(self.reading(stone.device, 0, id, now));
            }
        }
    }

    fn reading(&self, device: usize, series: usize, id: &SeriesId, now: Timestamp) -> Option<Reading> {
        let value = self.bench.tell(device, series, now)?;
        Some(Reading { series: id.clone(), observed_at: now, received_at: now, value })
    }

    /// The next full step after a moment.
    pub fn step_after(&self, now: Timestamp) -> Timestamp {
        let step_ms = self.step_s * 1000;
        now + TimeDelta::milliseconds(step_ms - now.timestamp_millis().rem_euclid(step_ms))
    }
}
