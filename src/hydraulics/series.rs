//! A value that changes with time, linear between its points.
//!
//! In: times and values. Out: the value at a time and its integral. It does not go on beyond its last point: a hydrograph
//! that ends early is refused when the case is built.

use thiserror::Error;

/// What is wrong with a series.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum SeriesFault {
    /// No point at all.
    #[error("过程线为空 (the series is empty)")]
    Empty,
    /// A time or value that is no finite number.
    #[error("第 {0} 点不是有限数 (point {0} is not a finite number)")]
    NotFinite(usize),
    /// A time that does not come after the one before.
    #[error("第 {0} 点的时间不晚于前一点 (the time of point {0} does not come after the one before)")]
    NotRising(usize),
}

/// Points in rising time, linear in between; before the first point its value holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    times_s: Vec<f64>,
    values: Vec<f64>,
}

impl Series {
    /// A series of (time s, value) points; points are counted from 1 in a fault.
    pub fn new(points: impl IntoIterator<Item = (f64, f64)>) -> Result<Self, SeriesFault> {
        let (times_s, values): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
        if times_s.is_empty() {
            return Err(SeriesFault::Empty);
        }
        if let Some(at) = times_s.iter().zip(&values).position(|(time, value)| !time.is_finite() || !value.is_finite())
        {
            return Err(SeriesFault::NotFinite(at + 1));
        }
        match times_s.windows(2).position(|pair| pair[1] <= pair[0]) {
            Some(at) => Err(SeriesFault::NotRising(at + 2)),
            None => Ok(Self { times_s, values }),
        }
    }

    /// The same value from the start to `end_s`.
    pub fn constant(value: f64, end_s: f64) -> Result<Self, SeriesFault> {
        Self::new([(0.0, value), (end_s.max(1.0), value)])
    }

    /// Time of the first point, s.
    pub fn begins_s(&self) -> f64 {
        self.times_s.first().copied().unwrap_or(f64::INFINITY)
    }

    /// Times, s, with their values.
    pub fn points(&self) -> impl Iterator<Item = [f64; 2]> {
        self.times_s.iter().zip(&self.values).map(|(time_s, value)| [*time_s, *value])
    }

    /// Time of the last point, s.
    pub fn ends_s(&self) -> f64 {
        self.times_s.last().copied().unwrap_or(f64::NEG_INFINITY)
    }

    /// Lowest value of all points.
    pub fn lowest(&self) -> f64 {
        self.values.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// Highest value of all points.
    pub fn highest(&self) -> f64 {
        self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// Value at a time; the first value before the first point, the last one after the last.
    pub fn at(&self, time_s: f64) -> f64 {
        let after = self.times_s.partition_point(|t| *t <= time_s);
        let Some(before) = after.checked_sub(1) else { return self.values[0] };
        let (Some(&t1), Some(&v1)) = (self.times_s.get(after), self.values.get(after)) else {
            return self.values[before];
        };
        let (t0, v0) = (self.times_s[before], self.values[before]);
        v0 + (v1 - v0) * (time_s - t0) / (t1 - t0)
    }

    /// Highest value from `from_s` to `to_s`.
    pub fn highest_in(&self, from_s: f64, to_s: f64) -> f64 {
        let corners = self.times_s.iter().zip(&self.values).filter(|(t, _)| (from_s..=to_s).contains(*t));
        corners.map(|(_, value)| *value).fold(self.at(from_s).max(self.at(to_s)), f64::max)
    }

    /// Integral over time from `from_s` to `to_s`, exact for the linear pieces.
    pub fn integral(&self, from_s: f64, to_s: f64) -> f64 {
        let first = self.times_s.partition_point(|t| *t <= from_s);
        let (mut at_s, mut sum) = (from_s, 0.0);
        for &corner in self.times_s[first..].iter().take_while(|t| **t < to_s) {
            sum += 0.5 * (self.at(at_s) + self.at(corner)) * (corner - at_s);
            at_s = corner;
        }
        sum + 0.5 * (self.at(at_s) + self.at(to_s)) * (to_s - at_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_is_linear_and_its_integral_exact() {
        let series = Series::new([(0.0, 0.0), (10.0, 20.0), (20.0, 20.0)]).unwrap();
        assert_eq!(series.at(5.0), 10.0);
        assert_eq!(series.at(-1.0), 0.0);
        assert_eq!((series.highest_in(0.0, 5.0), series.highest_in(5.0, 40.0)), (10.0, 20.0));
        assert_eq!(series.at(99.0), 20.0);
        assert_eq!(series.integral(0.0, 20.0), 300.0);
        assert_eq!(series.integral(5.0, 15.0), 75.0 + 100.0);
    }

    #[test]
    fn series_refuses_what_is_no_series() {
        assert_eq!(Series::new([]), Err(SeriesFault::Empty));
        assert_eq!(Series::new([(0.0, 1.0), (0.0, 2.0)]), Err(SeriesFault::NotRising(2)));
        assert_eq!(Series::new([(0.0, 1.0), (1.0, f64::NAN)]), Err(SeriesFault::NotFinite(2)));
    }
}
