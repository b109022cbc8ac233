//! The recent course of one series, in five-minute buckets: bounded, and indifferent to late, doubled and unordered values.

use crate::model::Timestamp;
use chrono::TimeDelta;
use std::collections::BTreeMap;

const BUCKET_MS: i64 = 300_000;
const HOUR_MS: i64 = 3_600_000;

/// How much is kept, in h.
pub(super) const KEPT_H: u32 = 100;
/// Two values further apart than this leave a gap in the record, in ms.
const GAP_MS: i64 = 2 * HOUR_MS + BUCKET_MS;

#[derive(Debug, Clone, PartialEq)]
struct Bucket {
    min: f64,
    max: f64,
    sum: f64,
    count: u32,
    last_at_ms: i64,
    last: f64,
}

/// Values of one series over the last [`KEPT_H`] hours.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct History {
    buckets: BTreeMap<i64, Bucket>,
}

impl History {
    /// Takes a value in, whenever it comes. A value of the same moment counts once.
    pub fn add(&mut self, at: Timestamp, value: f64) {
        if !value.is_finite() {
            return;
        }
        let at_ms = at.timestamp_millis();
        let fresh = Bucket { min: value, max: value, sum: 0.0, count: 0, last_at_ms: i64::MIN, last: value };
        let bucket = self.buckets.entry(at_ms.div_euclid(BUCKET_MS)).or_insert(fresh);
        if bucket.last_at_ms == at_ms && bucket.last == value {
            return;
        }
        bucket.min = bucket.min.min(value);
        bucket.max = bucket.max.max(value);
        bucket.sum += value;
        bucket.count += 1;
        if at_ms >= bucket.last_at_ms {
            (bucket.last_at_ms, bucket.last) = (at_ms, value);
        }
        if let Some(newest) = self.buckets.keys().next_back().copied() {
            let oldest = newest - i64::from(KEPT_H) * HOUR_MS / BUCKET_MS;
            while self.buckets.first_key_value().is_some_and(|(first, _)| *first < oldest) {
                self.buckets.pop_first();
            }
        }
    }

    /// The newest value not later than `now`, with its moment.
    pub fn latest(&self, now: Timestamp) -> Option<(Timestamp, f64)> {
        let end = now.timestamp_millis();
        let bucket = self.buckets.values().rev().find(|bucket| bucket.last_at_ms <= end)?;
        Some((chrono::DateTime::from_timestamp_millis(bucket.last_at_ms)?, bucket.last))
    }

    /// The newest value, if it is not older than `fresh`.
    pub fn fresh(&self, now: Timestamp, fresh: TimeDelta) -> Option<f64> {
        self.latest(now).filter(|(at, _)| now - *at <= fresh).map(|(_, value)| value)
    }

    /// Buckets whose last value lies after `from` and not after `to`.
    fn within(&self, from_ms: i64, to_ms: i64) -> impl DoubleEndedIterator<Item = &Bucket> {
        let range = self.buckets.range(from_ms.div_euclid(BUCKET_MS)..=to_ms.div_euclid(BUCKET_MS));
        range.map(|(_, bucket)| bucket).filter(move |bucket| bucket.last_at_ms > from_ms && bucket.last_at_ms <= to_ms)
    }

    /// Whether the record covers the window without a gap, from its beginning to its end.
    fn covers(&self, from_ms: i64, to_ms: i64) -> bool {
        let before =
            self.buckets.range(..=from_ms.div_euclid(BUCKET_MS)).next_back().map(|(_, bucket)| bucket.last_at_ms);
        let mut reached = match before {
            Some(at_ms) if at_ms <= from_ms => at_ms,
            _ => from_ms,
        };
        if from_ms - reached > GAP_MS {
            reached = from_ms;
        }
        for bucket in self.within(from_ms, to_ms) {
            if bucket.last_at_ms - reached > GAP_MS {
                return false;
            }
            reached = bucket.last_at_ms;
        }
        to_ms - reached <= GAP_MS
    }

    /// Whether every value of the last `hours` lay above `limit`: no, as soon as one did not; yes, only if the record covers
    /// the time without a gap of more than two hours; else not known.
    pub fn stayed_above(&self, now: Timestamp, hours: u32, limit: f64) -> Option<bool> {
        let to_ms = now.timestamp_millis();
        let from_ms = to_ms - i64::from(hours) * HOUR_MS;
        if self.within(from_ms, to_ms).any(|bucket| bucket.min <= limit) {
            return Some(false);
        }
        (hours <= KEPT_H && self.covers(from_ms, to_ms)).then_some(true)
    }

    /// Whether the value has been falling through the last `hours`: no hourly mean lies more than the tolerance above the
    /// one before, and the last lies at least one in a hundred below the first. The tolerance is 0.5 % of the mean before,
    /// at least 10. More than one missing hour in twelve makes it unknown, a rise that is seen settles it.
    pub fn is_falling(&self, now: Timestamp, hours: u32) -> Option<bool> {
        if hours + 1 > KEPT_H {
            return None;
        }
        let end = now.timestamp_millis();
        let mean_of = |back: u32| {
            let to_ms = end - i64::from(back) * HOUR_MS;
            let (sum, count) = self
                .within(to_ms - HOUR_MS, to_ms)
                .fold((0.0, 0.0), |(sum, count), bucket| (sum + bucket.sum, count + f64::from(bucket.count)));
            (count > 0.0).then(|| sum / count)
        };
        let means: Vec<Option<f64>> = (0..=hours).rev().map(mean_of).collect();
        let known: Vec<f64> = means.iter().flatten().copied().collect();
        let rises = known
            .windows(2)
            .any(|pair| matches!(pair, [before, after] if *after > before + (before * 0.005).max(10.0)));
        if rises {
            return Some(false);
        }
        let missing = means.len() - known.len();
        let ends_known = means.first().is_some_and(Option::is_some) && means.last().is_some_and(Option::is_some);
        if missing > means.len() / 12 || !ends_known {
            return None;
        }
        let (first, last) = (known.first()?, known.last()?);
        Some(*last <= first * 0.99)
    }

    /// How far the newest value lies above the lowest of the window, not below 0. Needs a value from the first sixth of the
    /// window and one from the last.
    pub fn rise(&self, now: Timestamp, minutes: u32) -> Option<f64> {
        let to_ms = now.timestamp_millis();
        let length_ms = i64::from(minutes) * 60_000;
        let slack_ms = (length_ms / 6).max(2 * BUCKET_MS);
        let from_ms = to_ms - length_ms - slack_ms;
        let first = self.within(from_ms, to_ms).next()?;
        let last = self.within(from_ms, to_ms).next_back()?;
        if first.last_at_ms > to_ms - length_ms + slack_ms || last.last_at_ms < to_ms - slack_ms {
            return None;
        }
        let lowest = self.within(from_ms, to_ms).map(|bucket| bucket.min).fold(f64::INFINITY, f64::min);
        Some((last.last - lowest).max(0.0))
    }

    /// How much a counter has grown in the last `hours`. Needs a record without a gap. A counter that falls by half or more
    /// has started anew and counts from 0; a smaller fall is a slip (a device that was set back, two that tell different
    /// counts): nothing has grown until the counter is beyond where it was, or a slip of 1 mm would be taken for all the rain
    /// of the season.
    pub fn growth(&self, now: Timestamp, hours: u32) -> Option<f64> {
        let to_ms = now.timestamp_millis();
        let from_ms = to_ms - i64::from(hours) * HOUR_MS;
        if hours > KEPT_H || !self.covers(from_ms, to_ms) {
            return None;
        }
        let before = self.buckets.range(..=from_ms.div_euclid(BUCKET_MS)).next_back().map(|(_, bucket)| bucket.last);
        let mut highest = before;
        let mut grown = 0.0;
        for bucket in self.within(from_ms, to_ms) {
            let Some(known) = highest else {
                highest = Some(bucket.last);
                continue;
            };
            let is_new = bucket.last <= known / 2.0;
            grown += if is_new { bucket.last } else { (bucket.last - known).max(0.0) };
            highest = Some(if is_new { bucket.last } else { known.max(bucket.last) });
        }
        highest.map(|_| grown)
    }

    /// How many buckets are kept; the bound of the memory.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.buckets.len()
    }
}
