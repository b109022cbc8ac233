//! Points put together in steps of equal length. Values that decisions may not rest on are counted, never averaged.

use super::points::{is_by_hand, moment, quality_of, sample};
use super::{Sample, SeriesError};
use crate::model::Quality;

/// What one number stands for all usable values of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aggregate {
    /// Arithmetic mean of the values, each counted once.
    Mean,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// Earliest value.
    First,
    /// Newest value.
    Last,
    /// Sum of the values, e.g. rain.
    Sum,
    /// Number of values; a step with only unusable ones counts 0.
    Count,
}

/// How an answer is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Length of a step in ms, 1 ms to 366 days.
    pub every_ms: i64,
    /// What stands for a step.
    pub aggregate: Aggregate,
}

impl Step {
    /// Longest step: 366 days.
    pub const MAX_MS: i64 = 366 * 86_400_000;

    /// The step, if its length can be cut.
    pub(super) fn checked(self) -> Result<Self, SeriesError> {
        if (1..=Self::MAX_MS).contains(&self.every_ms) {
            Ok(self)
        } else {
            Err(SeriesError::BadStep { every_ms: self.every_ms })
        }
    }
}

/// Takes points in order of time and gives samples.
#[derive(Debug)]
pub(super) struct Rollup {
    step: Option<Step>,
    open: Option<Bucket>,
    samples: Vec<Sample>,
}

impl Rollup {
    pub(super) fn new(step: Option<Step>) -> Self {
        Self { step, open: None, samples: Vec::new() }
    }
    /// The next point; not before the one before it.
    pub(super) fn take(&mut self, at: i64, value: f64, code: u16) {
        let Some(step) = self.step else {
            return self.samples.push(sample(at, value, code));
        };
        match &mut self.open {
            Some(bucket) if at < bucket.end => bucket.take(value, code),
            _ => {
                self.flush();
                let start = at.div_euclid(step.every_ms).saturating_mul(step.every_ms);
                let mut bucket = Bucket::new(start, start.saturating_add(step.every_ms));
                bucket.take(value, code);
                self.open = Some(bucket);
            }
        }
    }
    /// A bucket of down-sampled history; its start is not before what came before it. Without a step it is a sample of its own.
    pub(super) fn take_bucket(&mut self, bucket: &Bucket) {
        let Some(step) = self.step else {
            return self.samples.push(bucket.sample(Aggregate::Mean));
        };
        if let Some(open) = self.open.as_mut().filter(|open| bucket.start < open.end) {
            return open.merge(bucket);
        }
        self.flush();
        let start = bucket.start.div_euclid(step.every_ms).saturating_mul(step.every_ms);
        let mut open = Bucket::new(start, start.saturating_add(step.every_ms));
        open.merge(bucket);
        self.open = Some(open);
    }
    /// Samples finished so far.
    pub(super) fn len(&self) -> usize {
        self.samples.len()
    }
    pub(super) fn finish(mut self) -> Vec<Sample> {
        self.flush();
        self.samples
    }
    fn flush(&mut self) {
        if let (Some(bucket), Some(step)) = (self.open.take(), self.step) {
            self.samples.push(bucket.sample(step.aggregate));
        }
    }
}

/// What is known of the values of one step.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) usable: u32,
    pub(super) unusable: u32,
    pub(super) sum: f64,
    pub(super) first: f64,
    pub(super) last: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    /// Worst of the usable, and of the unusable.
    pub(super) quality: Quality,
    pub(super) objected: Option<Quality>,
    pub(super) by_hand: bool,
    /// The last code and what it means: neighbours nearly always share it.
    pub(super) known: (u16, Quality),
}

impl Bucket {
    pub(super) fn new(start: i64, end: i64) -> Self {
        let good = Quality::GOOD;
        Self {
            start,
            end,
            usable: 0,
            unusable: 0,
            sum: 0.0,
            first: f64::NAN,
            last: f64::NAN,
            min: f64::NAN,
            max: f64::NAN,
            quality: good,
            objected: None,
            by_hand: false,
            known: (good.to_code(), good),
        }
    }
    /// Adds what another bucket knows; its values came later.
    pub(super) fn merge(&mut self, later: &Self) {
        self.by_hand |= later.by_hand;
        self.unusable = self.unusable.saturating_add(later.unusable);
        if let Some(quality) = later.objected {
            self.objected = Some(self.objected.map_or(quality, |worst| worst.worst(quality)));
        }
        if later.usable == 0 {
            return;
        }
        if self.usable == 0 {
            (self.first, self.min, self.max) = (later.first, later.min, later.max);
        }
        self.usable = self.usable.saturating_add(later.usable);
        self.sum += later.sum;
        self.last = later.last;
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        self.quality = self.quality.worst(later.quality);
    }
    pub(super) fn take(&mut self, value: f64, code: u16) {
        if code != self.known.0 {
            self.known = (code, quality_of(code));
        }
        let quality = self.known.1;
        self.by_hand |= is_by_hand(code);
        if !quality.is_usable() {
            self.unusable += 1;
            self.objected = Some(self.objected.map_or(quality, |worst| worst.worst(quality)));
            return;
        }
        if self.usable == 0 {
            (self.first, self.min, self.max) = (value, value, value);
        }
        self.usable += 1;
        self.sum += value;
        self.last = value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.quality = self.quality.worst(quality);
    }
    fn value(&self, aggregate: Aggregate) -> f64 {
        match aggregate {
            Aggregate::Count => f64::from(self.usable),
            _ if self.usable == 0 => f64::NAN,
            Aggregate::Mean => (self.sum / f64::from(self.usable)).clamp(self.min, self.max),
            Aggregate::Min => self.min,
            Aggregate::Max => self.max,
            Aggregate::First => self.first,
            Aggregate::Last => self.last,
            Aggregate::Sum => self.sum,
        }
    }
    fn sample(&self, aggregate: Aggregate) -> Sample {
        let quality = match self.objected {
            Some(objected) if self.usable == 0 => objected,
            _ => self.quality,
        };
        Sample {
            at: moment(self.start),
            value: self.value(aggregate),
            quality,
            min: self.min,
            max: self.max,
            usable: self.usable,
            unusable: self.unusable,
            by_hand: self.by_hand,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::points::code_of;
    use super::*;
    use crate::model::{Causes, Grade};

    const SPIKE: Quality = Quality { grade: Grade::Suspect, causes: Causes::SPIKE };

    fn roll(aggregate: Aggregate, rows: &[(i64, f64, Quality)]) -> Vec<Sample> {
        let mut rollup = Rollup::new(Some(Step { every_ms: 60_000, aggregate }));
        for &(at, value, quality) in rows {
            rollup.take(at, value, code_of(value, quality, false));
        }
        rollup.finish()
    }

    #[test]
    fn series_rollup_leaves_out_what_a_check_objects_to_and_counts_it() {
        let rows = [(0, 1.0, Quality::GOOD), (10_000, 99.0, SPIKE), (20_000, 2.0, Quality::GOOD)];
        let check = |aggregate, expected: f64| {
            let samples = roll(aggregate, &rows);
            assert_eq!(samples.len(), 1);
            let sample = samples[0];
            assert_eq!((sample.value, sample.min, sample.max), (expected, 1.0, 2.0), "{aggregate:?}");
            assert_eq!((sample.usable, sample.unusable, sample.quality), (2, 1, Quality::GOOD));
        };
        check(Aggregate::Mean, 1.5);
        check(Aggregate::Min, 1.0);
        check(Aggregate::Max, 2.0);
        check(Aggregate::First, 1.0);
        check(Aggregate::Last, 2.0);
        check(Aggregate::Sum, 3.0);
        check(Aggregate::Count, 2.0);
    }

    #[test]
    fn series_rollup_of_nothing_usable_is_no_number_and_says_why() {
        let samples = roll(Aggregate::Mean, &[(0, 99.0, SPIKE), (60_000, f64::NAN, Quality::GOOD)]);
        assert_eq!(samples.len(), 2);
        assert!(samples[0].value.is_nan() && samples[0].min.is_nan());
        assert_eq!((samples[0].usable, samples[0].unusable, samples[0].quality), (0, 1, SPIKE));
        assert_eq!(samples[1].quality, Quality { grade: Grade::Bad, causes: Causes::MISSING });
        assert_eq!(roll(Aggregate::Count, &[(0, 99.0, SPIKE)])[0].value, 0.0);
    }

    #[test]
    fn series_rollup_steps_before_1970_start_on_whole_multiples() {
        let samples = roll(Aggregate::Last, &[(-1, 1.0, Quality::GOOD), (0, 2.0, Quality::GOOD)]);
        assert_eq!(samples.iter().map(|s| s.at.timestamp_millis()).collect::<Vec<_>>(), [-60_000, 0]);
    }

    #[test]
    fn series_rollup_refuses_steps_that_cannot_be_cut() {
        for every_ms in [0, -1, Step::MAX_MS + 1] {
            assert!(Step { every_ms, aggregate: Aggregate::Mean }.checked().is_err());
        }
    }
}
