//! Physical quantities that cannot be mixed up.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Volume of water passing a section per second, in m³/s (流量). Always finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Discharge(f64);

impl Discharge {
    /// `None` when the value is NaN or infinite.
    pub fn from_m3s(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(value))
    }
    /// In m³/s.
    pub fn as_m3s(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Discharge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} m³/s", self.0)
    }
}

/// Reference surface of a height (基面). Heights of two datums are never compared without a stated offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Datum {
    /// 大沽高程.
    Dagu,
    /// 1985 国家高程基准.
    National85,
}

impl Datum {
    /// As written in files and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dagu => "dagu",
            Self::National85 => "national85",
        }
    }
}

impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Two heights of different datums met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a height above {left} cannot be compared with one above {right}: state the offset first")]
pub struct DatumMismatch {
    /// Datum of the left height.
    pub left: Datum,
    /// Datum of the right height.
    pub right: Datum,
}

/// Height of the water surface above a datum, in m (水位). Always finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    metres: f64,
    datum: Datum,
}

impl Stage {
    /// `None` when the value is NaN or infinite.
    pub fn from_metres(metres: f64, datum: Datum) -> Option<Self> {
        metres.is_finite().then_some(Self { metres, datum })
    }
    /// In m above [`Self::datum`].
    pub fn as_metres(self) -> f64 {
        self.metres
    }
    /// The surface that the height counts from.
    pub fn datum(self) -> Datum {
        self.datum
    }
    /// Height of `self` above `other`, in metres.
    ///
    /// # Errors
    /// When the two heights have different datums.
    pub fn above(self, other: Self) -> Result<f64, DatumMismatch> {
        if self.datum == other.datum {
            Ok(self.metres - other.metres)
        } else {
            Err(DatumMismatch { left: self.datum, right: other.datum })
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} m ({})", self.metres, self.datum)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nan_is_no_discharge_and_no_stage() {
        assert_eq!(Discharge::from_m3s(f64::NAN), None);
        assert_eq!(Stage::from_metres(f64::INFINITY, Datum::Dagu), None);
    }

    #[test]
    fn stages_of_two_datums_are_refused() {
        let of_1958 = Stage::from_metres(93.82, Datum::Dagu).unwrap();
        let of_today = Stage::from_metres(92.5, Datum::National85).unwrap();
        assert_eq!(of_1958.above(of_today), Err(DatumMismatch { left: Datum::Dagu, right: Datum::National85 }));
        assert!((of_1958.above(Stage::from_metres(93.0, Datum::Dagu).unwrap()).unwrap() - 0.82).abs() < 1e-9);
    }
}
