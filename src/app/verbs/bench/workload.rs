//! What the ingest measurement writes: made-up gauges, one every 10 s and the others every 400 s, values as gauges report
//! them: whole centimetres, mostly steady. Every value follows from series and time, so that a reader can check it. A share of
//! them may come late, as from stations whose line was down.

use crate::model::{Observation, Quality, SeriesId, Timestamp};
use chrono::DateTime;
use std::collections::BTreeMap;

/// First moment: 2026-06-15T00:00Z, Unix ms.
pub(super) const START_MS: i64 = 1_781_481_600_000;
/// Interval of series 0, ms.
pub(super) const TICK_MS: i64 = 10_000;
/// Ticks between two points of any other series.
const TICKS_EACH: u64 = 40;
/// A late point comes at most so many ticks late: three days.
const LATE_TICKS: u64 = 3 * 86_400_000 / TICK_MS as u64;

/// Points in order of time but for those that are late, without end.
#[derive(Debug)]
pub(super) struct Workload {
    ids: Vec<SeriesId>,
    noisy: bool,
    tick: u64,
    series: u64,
    /// Share of late points, of 2³².
    late: u64,
    /// Late points that have not come yet, by the tick at which they come.
    held: BTreeMap<(u64, u64), Observation>,
}

impl Workload {
    pub(super) fn new(series: usize, noisy: bool) -> Self {
        let ids = (0..series).map(|i| SeriesId::new(format!("bench{i:04}.stage"))).collect();
        Self { ids, noisy, tick: 0, series: 0, late: 0, held: BTreeMap::new() }
    }
    /// The same points, a share of which come up to three days late.
    pub(super) fn with_late(self, share: f64) -> Self {
        Self { late: (share * f64::from(u32::MAX)) as u64, ..self }
    }
    /// The newest moment that may have come, Unix ms.
    pub(super) fn now_ms(&self) -> i64 {
        START_MS + self.tick as i64 * TICK_MS
    }
    /// The ids in the order of their numbers.
    pub(super) fn ids(&self) -> &[SeriesId] {
        &self.ids
    }
    /// Points of one day of all series.
    pub(super) fn points_a_day(series: usize) -> u64 {
        8_640 + (series as u64).saturating_sub(1) * 216
    }
    /// The next `n` points.
    pub(super) fn batch(&mut self, n: usize) -> Vec<Observation> {
        let mut batch = Vec::with_capacity(n);
        while batch.len() < n {
            if self.held.first_key_value().is_some_and(|((comes, _), _)| *comes <= self.tick) {
                batch.extend(self.held.pop_first().map(|(_, point)| point));
                continue;
            }
            let due = self.series == 0 || self.series % TICKS_EACH == self.tick % TICKS_EACH;
            if let Some(id) = self.ids.get(self.series as usize) {
                if due {
                    let point = self.observation(id.clone());
                    match self.comes_late() {
                        Some(comes) => drop(self.held.insert(comes, point)),
                        None => batch.push(point),
                    }
                }
                // Series that are due in one tick lie TICKS_EACH apart.
                self.series = match self.series {
                    0 => (self.tick % TICKS_EACH).max(1),
                    i if due => i + TICKS_EACH,
                    i => i + TICKS_EACH - 1,
                };
            } else {
                (self.tick, self.series) = (self.tick + 1, 0);
            }
        }
        batch
    }
    /// When the point comes, if it is a late one.
    fn comes_late(&self) -> Option<(u64, u64)> {
        if self.late == 0 {
            return None;
        }
        let chance = scramble(!(self.series << 40 | self.tick));
        let after = 1 + (chance >> 32) % LATE_TICKS;
        (chance & 0xFFFF_FFFF < self.late).then_some((self.tick + after, self.series << 40 | self.tick))
    }
    fn observation(&self, series: SeriesId) -> Observation {
        let at = moment(START_MS + self.tick as i64 * TICK_MS);
        let value = value(self.series, self.tick, self.noisy);
        Observation { series, at, received_at: at, value, quality: Quality::GOOD }
    }
}

/// Unix ms to a moment.
pub(super) fn moment(ms: i64) -> Timestamp {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

/// Stage in m: a slow swell in whole centimetres, one in twenty flickers by 1 cm; if noisy, the last two digits are chance.
pub(super) fn value(series: u64, tick: u64, noisy: bool) -> f64 {
    let chance = scramble(series << 40 | tick);
    let days = tick as f64 * TICK_MS as f64 / 86_400_000.0;
    let swell = (days / 5.0 * std::f64::consts::TAU + series as f64).sin();
    let mut centimetres = (9_000.0 + (series % 100) as f64 * 10.0 + swell * 60.0).round();
    if chance.is_multiple_of(20) {
        centimetres += 1.0;
    }
    if noisy {
        return (centimetres * 10.0 + (chance >> 32) as f64 % 100.0) / 1000.0;
    }
    centimetres / 100.0
}

/// SplitMix64's finisher: the same chance for the same place on every machine.
fn scramble(place: u64) -> u64 {
    let mut z = place.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn bench_workload_has_the_points_of_a_day_in_order_of_time() {
        let mut load = Workload::new(1_500, false);
        let day = Workload::points_a_day(1_500) as usize;
        assert_eq!(day * 30, 9_972_720);
        let points = load.batch(day + 1);
        assert!(points.windows(2).all(|p| p[0].at <= p[1].at));
        let mut each: BTreeMap<&SeriesId, usize> = BTreeMap::new();
        points[..day].iter().for_each(|p| *each.entry(&p.series).or_default() += 1);
        assert_eq!(each.len(), 1_500);
        assert_eq!(each[&load.ids()[0]], 8_640);
        assert!(each.iter().skip(1).all(|(_, n)| *n == 216));
        assert_eq!(points[day].at, moment(START_MS + 86_400_000));
    }

    #[test]
    fn bench_workload_late_points_come_once_and_at_most_three_days_late() {
        let mut load = Workload::new(100, false).with_late(0.1);
        let (mut newest, mut late, mut seen) = (START_MS, 0, std::collections::BTreeSet::new());
        for point in load.batch(150_000) {
            let at = point.at.timestamp_millis();
            newest = newest.max(at);
            assert!(newest - at <= 3 * 86_400_000, "{point:?}");
            late += usize::from(at < newest);
            assert!(seen.insert((point.series, at)), "a point came twice");
        }
        // A tenth of five days, of which those of the last day and a half, on average, have not come yet.
        assert!((9_500..=12_000).contains(&late), "{late} of 150000 came late");
    }
}
