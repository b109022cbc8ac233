//! How the Chinese forecast standard judges: GB/T 22482-2008 《水文情报预报规范》, section 6.5 (精度评定).
//!
//! In: what was said, what stood at the moment of saying, what came. Out: mean errors, the qualified rate (合格率) with its grade, the
//! coefficient of determination (确定性系数, DC). The text of the standard was not at hand: the figures are those of secondary sources.

use crate::forecast::route::grade_of_dc;

/// Permissible error of a discharge of a river reach, as a share of the change that was measured within the lead.
pub const SHARE_OF_CHANGE: f64 = 0.2;
/// The permissible error is no less than this share of what came.
pub const LEAST_SHARE: f64 = 0.05;
/// Permissible error of the crest's hour, as a share of the time from the forecast to it.
pub const SHARE_OF_TIME: f64 = 0.3;
/// The permissible error of the crest's hour is no less, h.
pub const LEAST_H: f64 = 3.0;
/// Qualified rates from which the grades 甲, 乙 and 丙 begin.
pub const GRADES: [f64; 3] = [0.85, 0.7, 0.6];

/// Permissible error of a discharge, m³/s: from what stood at the moment of the forecast and what came.
pub fn permitted_m3s(now_m3s: f64, came_m3s: f64) -> f64 {
    (SHARE_OF_CHANGE * (came_m3s - now_m3s).abs()).max(LEAST_SHARE * came_m3s)
}

/// Permissible error of a moment so many hours ahead, h.
pub fn permitted_h(ahead_h: f64) -> f64 {
    (SHARE_OF_TIME * ahead_h).max(LEAST_H)
}

/// Grade of a qualified rate, 0…1.
pub fn grade_of_rate(rate: f64) -> &'static str {
    let [first, second, third] = GRADES;
    match rate {
        rate if rate >= first => "甲 A",
        rate if rate >= second => "乙 B",
        rate if rate >= third => "丙 C",
        _ => "不合格 below C",
    }
}

/// One way to forecast at one lead, judged over many forecasts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Judged {
    /// Forecasts looked at.
    pub count: usize,
    /// Those within the permissible error.
    pub qualified: usize,
    errors: f64,
    sizes: f64,
    squares: f64,
    came: f64,
    came_squares: f64,
}

impl Judged {
    /// Takes in one forecast: what it said, what stood when it was made, what came, all in m³/s.
    pub fn add(&mut self, said_m3s: f64, now_m3s: f64, came_m3s: f64) {
        let error = said_m3s - came_m3s;
        self.count += 1;
        self.qualified += usize::from(error.abs() <= permitted_m3s(now_m3s, came_m3s));
        self.errors += error;
        self.sizes += error.abs();
        self.squares += error * error;
        self.came += came_m3s;
        self.came_squares += came_m3s * came_m3s;
    }
    /// Mean of forecast − came, m³/s.
    pub fn bias_m3s(&self) -> Option<f64> {
        self.mean(self.errors)
    }
    /// Mean absolute error, m³/s.
    pub fn error_m3s(&self) -> Option<f64> {
        self.mean(self.sizes)
    }
    /// Qualified rate (合格率), 0…1.
    pub fn rate(&self) -> Option<f64> {
        self.mean(self.qualified as f64)
    }
    /// Coefficient of determination (确定性系数): 1 is perfect, 0 is no better than the mean of what came; `None` where nothing moved.
    pub fn dc(&self) -> Option<f64> {
        let mean = self.mean(self.came)?;
        let moved = self.came_squares - self.came * mean;
        (moved > 1e-9 * self.came_squares).then(|| 1.0 - self.squares / moved)
    }
    /// Grade of the qualified rate.
    pub fn rate_grade(&self) -> Option<&'static str> {
        self.rate().map(grade_of_rate)
    }
    /// Grade of the coefficient of determination.
    pub fn dc_grade(&self) -> Option<&'static str> {
        self.dc().map(grade_of_dc)
    }
    /// Those of another flood. The coefficient of determination of several floods together says more of the floods than of the forecast.
    pub fn join(&mut self, other: &Self) {
        self.count += other.count;
        self.qualified += other.qualified;
        for (sum, more) in [
            (&mut self.errors, other.errors),
            (&mut self.sizes, other.sizes),
            (&mut self.squares, other.squares),
            (&mut self.came, other.came),
            (&mut self.came_squares, other.came_squares),
        ] {
            *sum += more;
        }
    }

    fn mean(&self, sum: f64) -> Option<f64> {
        (self.count > 0).then(|| sum / self.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verify_permits_a_fifth_of_the_change_and_never_less_than_a_twentieth_of_what_came() {
        let check = |now: f64, came: f64, expected: f64| assert!((permitted_m3s(now, came) - expected).abs() < 1e-9);
        check(4000.0, 8000.0, 800.0);
        check(8000.0, 4000.0, 800.0);
        check(5000.0, 5000.0, 250.0);
        check(5000.0, 6000.0, 300.0);
        assert_eq!((permitted_h(24.0), permitted_h(6.0)), (0.3 * 24.0, 3.0));
    }

    #[test]
    fn verify_grades_at_the_edges_of_the_standard() {
        let check = |rate: f64, expected: &str| assert_eq!(grade_of_rate(rate), expected, "{rate}");
        check(1.0, "甲 A");
        check(0.85, "甲 A");
        check(0.849, "乙 B");
        check(0.7, "乙 B");
        check(0.699, "丙 C");
        check(0.6, "丙 C");
        check(0.599, "不合格 below C");
    }

    #[test]
    fn verify_judges_errors_rate_and_determination() {
        let mut judged = Judged::default();
        assert_eq!((judged.rate(), judged.dc(), judged.error_m3s()), (None, None, None), "nothing was looked at");
        // Changes of 4,000 m³/s: 800 are permitted.
        for (said, now, came) in [(8800.0, 4000.0, 8000.0), (8801.0, 4000.0, 8000.0), (6000.0, 2000.0, 6000.0)] {
            judged.add(said, now, came);
        }
        assert_eq!((judged.count, judged.qualified), (3, 2), "the edge is within");
        assert!((judged.error_m3s().unwrap() - 1601.0 / 3.0).abs() < 1e-9);
        // By hand: squares 800² + 801² + 0; came 8000, 8000, 6000 move by 2·(2000/3)² + (4000/3)².
        let moved = 2.0 * (2000.0_f64 / 3.0).powi(2) + (4000.0_f64 / 3.0).powi(2);
        assert!((judged.dc().unwrap() - (1.0 - (640_000.0 + 641_601.0) / moved)).abs() < 1e-9);
        assert_eq!((judged.rate_grade(), judged.dc_grade()), (Some("丙 C"), Some("丙 C")));
        let mut still = Judged::default();
        still.add(5000.0, 5000.0, 5000.0);
        still.add(5100.0, 5000.0, 5000.0);
        assert_eq!(still.dc(), None, "nothing moved");
        still.join(&judged);
        assert_eq!((still.count, still.qualified), (5, 4));
    }
}
