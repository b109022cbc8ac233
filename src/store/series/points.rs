//! Points of one series as columns, and the one rule by which two values of the same moment are merged.

use super::Sample;
use crate::model::{Causes, Grade, Quality, Timestamp};
use chrono::DateTime;

/// Set in a stored code when a person entered or corrected the value; above the bits of [`Quality::to_code`].
const BY_HAND: u16 = 0x8000;

/// A value's verdict as stored: the quality code, and whether a person set it.
pub(super) fn code_of(value: f64, quality: Quality, corrected: bool) -> u16 {
    let honest = if value.is_finite() || !quality.is_usable() {
        quality
    } else {
        let cause = if value.is_nan() { Causes::MISSING } else { Causes::RANGE };
        Quality { grade: Grade::Bad, causes: quality.causes.with(cause) }
    };
    let by_hand = corrected || quality.grade == Grade::Manual;
    (honest.to_code() & !BY_HAND) | if by_hand { BY_HAND } else { 0 }
}

/// Whether a person set the value behind the code.
pub(super) fn is_by_hand(code: u16) -> bool {
    code & BY_HAND != 0
}

/// The verdict behind the code.
pub(super) fn quality_of(code: u16) -> Quality {
    Quality::from_code(code & !BY_HAND)
}

/// Whether a value that came later replaces an earlier one of the same moment: the last wins, but a device never beats a person.
pub(super) fn replaces(later: u16, earlier: u16) -> bool {
    is_by_hand(later) || !is_by_hand(earlier)
}

/// Unix ms to a moment; the calendar covers every time a device can send.
pub(super) fn moment(ms: i64) -> Timestamp {
    DateTime::from_timestamp_millis(ms).unwrap_or(if ms < 0 {
        DateTime::<chrono::Utc>::MIN_UTC
    } else {
        DateTime::<chrono::Utc>::MAX_UTC
    })
}

/// One point as a sample.
pub(super) fn sample(at: i64, value: f64, code: u16) -> Sample {
    let quality = quality_of(code);
    let usable = quality.is_usable();
    let seen = if usable { value } else { f64::NAN };
    Sample {
        at: moment(at),
        value,
        quality,
        min: seen,
        max: seen,
        usable: u32::from(usable),
        unusable: u32::from(!usable),
        by_hand: is_by_hand(code),
    }
}

/// Columns of equal length: time in Unix ms, value, stored code.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Points {
    pub(super) times: Vec<i64>,
    pub(super) values: Vec<f64>,
    pub(super) codes: Vec<u16>,
}

impl Points {
    pub(super) fn len(&self) -> usize {
        self.times.len()
    }
    pub(super) fn is_empty(&self) -> bool {
        self.times.is_empty()
    }
    pub(super) fn push(&mut self, at: i64, value: f64, code: u16) {
        self.times.push(at);
        self.values.push(value);
        self.codes.push(code);
    }
    pub(super) fn clear(&mut self) {
        self.times.clear();
        self.values.clear();
        self.codes.clear();
    }
    pub(super) fn append(&mut self, mut other: Self) {
        self.times.append(&mut other.times);
        self.values.append(&mut other.values);
        self.codes.append(&mut other.codes);
    }
    /// The points in order of arrival.
    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, f64, u16)> + '_ {
        self.times.iter().zip(&self.values).zip(&self.codes).map(|((&at, &value), &code)| (at, value, code))
    }
    /// Whether each time is later than the one before it.
    pub(super) fn is_ascending(&self) -> bool {
        self.times.iter().zip(self.times.iter().skip(1)).all(|(a, b)| a < b)
    }
    /// The points at positions `from..to`, fewer if there are not as many.
    pub(super) fn part(&self, from: usize, to: usize) -> Self {
        fn cut<T: Copy>(column: &[T], from: usize, to: usize) -> Vec<T> {
            column.get(from..to.min(column.len())).unwrap_or_default().to_vec()
        }
        Self {
            times: cut(&self.times, from, to),
            values: cut(&self.values, from, to),
            codes: cut(&self.codes, from, to),
        }
    }
    /// The points with `from <= time < to`, in the same order.
    pub(super) fn within(&self, from: i64, to: i64) -> Self {
        let mut out = Self::default();
        for (at, value, code) in self.iter().filter(|(at, ..)| (from..to).contains(at)) {
            out.push(at, value, code);
        }
        out
    }
    /// One point for each moment in order of time, taking these points to be in order of arrival.
    pub(super) fn merged(self) -> Self {
        if self.is_ascending() {
            return self;
        }
        let mut rows: Vec<(i64, f64, u16)> = self.iter().collect();
        rows.sort_by_key(|(at, ..)| *at);
        let mut out = Self::default();
        for (at, value, code) in rows {
            out.put(at, value, code);
        }
        out
    }
    /// Adds a point that is not before the last one and came later than it; merges if it is of the same moment.
    fn put(&mut self, at: i64, value: f64, code: u16) {
        if self.times.last() != Some(&at) {
            return self.push(at, value, code);
        }
        if let (Some(old_value), Some(old_code)) = (self.values.last_mut(), self.codes.last_mut())
            && replaces(code, *old_code)
        {
            (*old_value, *old_code) = (value, code);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(rows: &[(i64, f64, bool)]) -> Vec<(i64, f64)> {
        let mut points = Points::default();
        for &(at, value, by_hand) in rows {
            points.push(at, value, code_of(value, Quality::GOOD, by_hand));
        }
        points.merged().iter().map(|(at, value, _)| (at, value)).collect()
    }

    #[test]
    fn series_points_last_wins_and_a_person_beats_a_device() {
        assert_eq!(merged(&[(2, 1.0, false), (1, 2.0, false), (2, 3.0, false)]), [(1, 2.0), (2, 3.0)]);
        assert_eq!(merged(&[(1, 1.0, true), (1, 2.0, false)]), [(1, 1.0)]);
        assert_eq!(merged(&[(1, 1.0, true), (1, 2.0, false), (1, 3.0, true)]), [(1, 3.0)]);
        assert_eq!(merged(&[(1, 1.0, false), (1, 1.0, false)]), [(1, 1.0)]);
        assert_eq!(merged(&[]), []);
    }

    #[test]
    fn series_points_a_value_that_is_no_number_loses_a_usable_verdict() {
        assert!(!quality_of(code_of(f64::NAN, Quality::GOOD, false)).is_usable());
        assert!(!quality_of(code_of(f64::INFINITY, Quality::GOOD, true)).is_usable());
        assert!(is_by_hand(code_of(f64::INFINITY, Quality::GOOD, true)));
        let suspect = Quality { grade: Grade::Suspect, causes: Causes::RISE };
        assert_eq!(quality_of(code_of(f64::NAN, suspect, false)), suspect);
        assert_eq!(quality_of(code_of(1.0, suspect, true)), suspect);
    }
}
