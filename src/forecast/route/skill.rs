//! How good a computed hydrograph is beside a measured one.

/// Errors over a flood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Skill {
    /// Sum of squares of the errors.
    pub ssq: f64,
    /// Nash-Sutcliffe efficiency (确定性系数), 1 is perfect; no number for a measured series that does not move.
    pub nse: f64,
    /// Mean error, computed − measured.
    pub bias: f64,
    /// Computed crest over measured crest − 1.
    pub peak_error: f64,
    /// Steps by which the computed crest is late.
    pub peak_late_steps: i64,
}

impl Skill {
    /// Of two series with equal steps; `None` for different lengths or fewer than two values.
    pub fn of(computed: &[f64], measured: &[f64]) -> Option<Self> {
        if computed.len() != measured.len() || measured.len() < 2 {
            return None;
        }
        let count = measured.len() as f64;
        let mean = measured.iter().sum::<f64>() / count;
        let errors = || computed.iter().zip(measured).map(|(c, m)| c - m);
        let ssq: f64 = errors().map(|error| error * error).sum();
        let (at, crest) = crest(computed)?;
        let (at_measured, measured_crest) = self::crest(measured)?;
        Some(Self {
            ssq,
            nse: 1.0 - ssq / measured.iter().map(|m| (m - mean) * (m - mean)).sum::<f64>(),
            bias: errors().sum::<f64>() / count,
            peak_error: crest / measured_crest - 1.0,
            peak_late_steps: at as i64 - at_measured as i64,
        })
    }
    /// Grade of the certainty coefficient, see [`grade_of_dc`].
    pub fn grade(&self) -> &'static str {
        grade_of_dc(self.nse)
    }
}

/// Grade of the Chinese forecast standard by the certainty coefficient (确定性系数, GB/T 22482): A from 0.90, B 0.70, C 0.50.
pub fn grade_of_dc(dc: f64) -> &'static str {
    match dc {
        dc if dc >= 0.9 => "甲 A",
        dc if dc >= 0.7 => "乙 B",
        dc if dc >= 0.5 => "丙 C",
        _ => "不合格 below C",
    }
}

/// First highest value and where it stands.
fn crest(series: &[f64]) -> Option<(usize, f64)> {
    series.iter().copied().enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// How an ensemble spreads about what came.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spread {
    /// Forecasts looked at.
    pub count: usize,
    /// Those whose band held what came.
    pub inside: usize,
}

impl Spread {
    /// Takes in one band and what came.
    pub fn add(&mut self, low: f64, high: f64, came: f64) {
        self.count += 1;
        self.inside += usize::from((low..=high).contains(&came));
    }
    /// Share of the forecasts whose band held what came.
    pub fn coverage(&self) -> Option<f64> {
        (self.count > 0).then(|| self.inside as f64 / self.count as f64)
    }
}

/// Continuous ranked probability score of an ensemble (Hersbach 2000, in its energy form): 0 is perfect, in the unit of the values;
/// for one member the absolute error.
pub fn crps(members: &[f64], came: f64) -> f64 {
    let mut sorted = members.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len() as f64;
    let off = sorted.iter().map(|member| (member - came).abs()).sum::<f64>() / count;
    // Σ|xi − xj| over all pairs, from the sorted values.
    let apart: f64 = sorted.iter().enumerate().map(|(at, x)| x * (2.0 * at as f64 + 1.0 - count)).sum::<f64>() * 2.0;
    off - 0.5 * apart / (count * count)
}
