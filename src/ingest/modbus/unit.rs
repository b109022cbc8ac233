//! The devices of one unit that share a period, and what is known of how they fare.

use super::exception::{Exception, Reaction};
use super::pace::Pace;
use super::reading::{Answers, Void, take};
use super::turns::Standing;
use super::{PERIOD_MIN, effective_interval_s};
use crate::ingest::sensors::{Block, Counter, Device, blocks, single_blocks};
use crate::model::{Reading, SeriesId, Timestamp};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Registers that are refused for good are asked again after this: the device may have been changed.
const REFUSED_FOR: Duration = Duration::from_secs(600);
/// A quarantined unit that has waited so long for a gap is asked all the same.
const PATIENCE: Duration = Duration::from_secs(30);
/// Shortest rest of a unit that let a request pass on a line without request numbers.
const SETTLE_MIN: Duration = Duration::from_secs(1);

/// A request of a unit, and until when it is not made because the unit refuses it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) block: Block,
    refused_until: Option<Instant>,
}

impl Asked {
    fn new(block: Block) -> Self {
        Self { block, refused_until: None }
    }
    pub(super) fn is_refused(&self, now: Instant) -> bool {
        self.refused_until.is_some_and(|until| now < until)
    }
}

/// The devices of one unit that share a period.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) id: u8,
    pub(super) devices: Vec<Device>,
    pub(super) asked: Vec<Asked>,
    pub(super) pause: Duration,
    pub(super) period: Duration,
    pub(super) pace: Pace,
    pub(super) standing: Standing,
    /// Not asked before, so that a late answer cannot be taken for the next one.
    settles_until: Option<Instant>,
    counters: BTreeMap<SeriesId, Counter>,
}

impl Unit {
    /// The units of these devices, first due at `first`.
    pub(super) fn of(devices: &[Device], speed: f64, first: Instant) -> Vec<Self> {
        let mut groups: BTreeMap<(u8, u64), Vec<Device>> = BTreeMap::new();
        for device in devices {
            groups.entry((device.unit, (device.poll_every_s * 1000.0) as u64)).or_default().push(device.clone());
        }
        let unit = |((id, every_ms), devices): ((u8, u64), Vec<Device>)| {
            let every_s = effective_interval_s(every_ms as f64 / 1000.0, speed);
            let pause_ms = devices.iter().map(|device| device.profile.pause_ms).max().unwrap_or(0);
            Self {
                id,
                asked: blocks(devices.iter()).into_iter().map(Asked::new).collect(),
                devices,
                pause: Duration::from_millis(pause_ms),
                period: Duration::from_secs_f64(every_s / speed).max(PERIOD_MIN),
                pace: Pace::default(),
                standing: Standing {
                    due: first,
                    takes: Duration::ZERO,
                    waits_since: None,
                    costs: Duration::ZERO,
                    patience: PATIENCE,
                },
                settles_until: None,
                counters: BTreeMap::new(),
            }
        };
        groups.into_iter().map(unit).collect()
    }

    /// Whether it may be asked at all.
    pub(super) fn may_ask(&self, now: Instant) -> bool {
        self.pace.may_ask(now) && self.settles_until.is_none_or(|until| now >= until)
    }
    /// Keeps it from being asked until an answer that is late would have come.
    pub(super) fn settle(&mut self, now: Instant, limit: Duration) {
        self.settles_until = Some(now + (limit * 2).max(SETTLE_MIN));
    }
    /// Notes a failure: it waits for a gap now. One that failed but once or twice is not kept waiting long.
    pub(super) fn fail(&mut self, now: Instant, spent: Duration, chance: f64) {
        self.pace.fail(now, self.period, chance);
        self.standing.waits_since.get_or_insert(now);
        self.standing.costs = spent;
        self.standing.patience = if self.pace.is_quarantined() { PATIENCE } else { self.period * 2 };
    }
    /// Learns how long a poll takes.
    pub(super) fn took(&mut self, spent: Duration) {
        self.standing.takes = (self.standing.takes * 3 + spent) / 4;
    }
    /// Sets the next due moment on its own grid; says whether a whole period was missed.
    pub(super) fn schedule(&mut self, now: Instant) -> bool {
        self.standing.due += self.period;
        let behind = now.saturating_duration_since(self.standing.due);
        if behind < self.period {
            return false;
        }
        let missed = (behind.as_nanos() / self.period.as_nanos().max(1)).min(u128::from(u32::MAX)) as u32;
        self.standing.due += self.period * missed;
        true
    }

    /// What a refusal of the request at `index` changes. Gives words for people when it is given up.
    pub(super) fn refuse(&mut self, index: usize, exception: Exception, now: Instant) -> Option<String> {
        if exception.reaction() != Reaction::GiveUp {
            return None;
        }
        let asked = self.asked.get_mut(index)?;
        let block = asked.block.clone();
        let singles: Vec<Block> = single_blocks(self.devices.iter())
            .into_iter()
            .filter(|single| block.covers(single.function, single.first, single.count))
            .collect();
        // What was joined may be refused only for what lies between.
        if exception.is_about_address() && singles != [block.clone()] {
            self.asked.splice(index..=index, singles.into_iter().map(Asked::new));
            return None;
        }
        let first_time = asked.refused_until.is_none();
        asked.refused_until = Some(now + REFUSED_FOR);
        first_time.then(|| {
            format!("registers {}…{} given up: {exception} (不再读取，请检查设备类型文件)", block.first, block.last())
        })
    }
    /// A request that was answered is no longer refused.
    pub(super) fn accept(&mut self, index: usize) {
        if let Some(asked) = self.asked.get_mut(index) {
            asked.refused_until = None;
        }
    }

    /// The readings of all its series, with NaN for whatever did not come; and the first reason that a device gave for one.
    pub(super) fn readings(&mut self, answers: &Answers, now: Timestamp) -> (Vec<Reading>, Option<(SeriesId, Void)>) {
        let (mut readings, mut reason) = (Vec::new(), None);
        for device in &self.devices {
            for series in &device.series {
                let value = match self.counters.get_mut(&series.id) {
                    Some(counter) => take(device, series, answers, counter).value,
                    None => {
                        let mut counter = Counter::default();
                        let value = take(device, series, answers, &mut counter).value;
                        if series.point.wraps_at.is_some() {
                            self.counters.insert(series.id.clone(), counter);
                        }
                        value
                    }
                };
                if let Err(void) = value
                    && void != Void::Absent
                    && reason.is_none()
                {
                    reason = Some((series.id.clone(), void));
                }
                let value = value.unwrap_or(f64::NAN);
                readings.push(Reading { series: series.id.clone(), observed_at: now, received_at: now, value });
            }
        }
        (readings, reason)
    }
}
