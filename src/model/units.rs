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

/// How far two reference surfaces lie apart at one station (基面改正数). There is no offset for a whole river: it differs from
/// place to place, so it is stated for each station with where it comes from and of when it is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatumOffset {
    /// Heights above this one …
    pub from: Datum,
    /// … become heights above this one …
    pub to: Datum,
    /// … when this is added, in m.
    pub add_m: f64,
    /// Who says so: a survey, a station book.
    pub source: String,
    /// When it was measured or printed.
    pub date: chrono::NaiveDate,
}

/// What to add to a height above `from` to have it above `to`, in m.
///
/// # Errors
/// When they differ and none of the offsets joins them: nothing is guessed.
pub fn datum_shift(from: Datum, to: Datum, offsets: &[DatumOffset]) -> Result<f64, DatumMismatch> {
    if from == to {
        return Ok(0.0);
    }
    let add = |offset: &DatumOffset| match (offset.from, offset.to) {
        pair if pair == (from, to) => Some(offset.add_m),
        pair if pair == (to, from) => Some(-offset.add_m),
        _ => None,
    };
    offsets.iter().find_map(add).ok_or(DatumMismatch { left: from, right: to })
}

/// Two heights of different datums met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "高程基准不同，须先给出换算差 (a height above {left} cannot be compared with one above {right}: state the offset first)"
)]
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
    /// The same surface, counted from another datum by a station's stated offsets.
    ///
    /// # Errors
    /// When no offset joins the two.
    pub fn to_datum(self, datum: Datum, offsets: &[DatumOffset]) -> Result<Self, DatumMismatch> {
        Ok(Self { metres: self.metres + datum_shift(self.datum, datum, offsets)?, datum })
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
        let offset = DatumOffset {
            from: Datum::Dagu,
            to: Datum::National85,
            add_m: -1.2,
            source: "invented".into(),
            date: chrono::NaiveDate::MIN,
        };
        let offsets = [offset];
        assert_eq!(of_1958.to_datum(Datum::National85, &[]), of_1958.above(of_today).map(|_| of_1958));
        let moved = of_1958.to_datum(Datum::National85, &offsets).unwrap();
        assert!((moved.above(of_today).unwrap() - 0.12).abs() < 1e-9, "{moved}");
        let back = moved.to_datum(Datum::Dagu, &offsets).unwrap();
        assert!((back.as_metres() - 93.82).abs() < 1e-9 && back.datum() == Datum::Dagu, "the way back");
        assert!((of_1958.above(Stage::from_metres(93.0, Datum::Dagu).unwrap()).unwrap() - 0.82).abs() < 1e-9);
    }
}
