//! Units and datums as people and programs write them.
//!
//! In: a number with the unit that its sender states. Out: the number in the unit of the series, or a refusal that names
//! both. It guesses nothing: a word that it does not know is refused, never taken for the unit of the series.

use crate::model::Datum;

/// What a unit measures; only units of one kind turn into each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Length,
    Discharge,
    Speed,
    Temperature,
    Angle,
    Voltage,
    Share,
}

/// A known unit: value × `factor` + `offset` gives the value in the base unit of its kind.
#[derive(Debug, Clone, Copy)]
struct Unit {
    kind: Kind,
    factor: f64,
    offset: f64,
}

/// Why a value does not fit its series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitFault {
    /// Not in the table.
    #[error("不认识单位 {given:?}，本序列单位为 {wanted} (unknown unit, the series is in {wanted})")]
    Unknown {
        /// As it came.
        given: String,
        /// Of the series.
        wanted: String,
    },
    /// Another kind of quantity.
    #[error("单位 {given} 不能换算为 {wanted} ({given} is not convertible to {wanted})")]
    OtherKind {
        /// As it came.
        given: String,
        /// Of the series.
        wanted: String,
    },
}

/// The value in the unit `wanted`.
///
/// # Errors
/// When one of the units is unknown (and they are not the same word), or they measure different things.
pub fn convert(value: f64, given: &str, wanted: &str) -> Result<f64, UnitFault> {
    let (from, to) = (tidy(given), tidy(wanted));
    if from == to {
        return Ok(value);
    }
    let words = || (given.trim().chars().take(32).collect::<String>(), wanted.to_owned());
    let (Some(from), Some(to)) = (unit(&from), unit(&to)) else {
        let (given, wanted) = words();
        return Err(UnitFault::Unknown { given, wanted });
    };
    if from.kind != to.kind {
        let (given, wanted) = words();
        return Err(UnitFault::OtherKind { given, wanted });
    }
    if (from.factor - to.factor).abs() < f64::EPSILON && (from.offset - to.offset).abs() < f64::EPSILON {
        return Ok(value);
    }
    Ok(trimmed((value * from.factor + from.offset - to.offset) / to.factor))
}

/// Whether a word is a unit at all.
pub fn is_unit(word: &str) -> bool {
    unit(&tidy(word)).is_some()
}

/// The datum of a word in a file or on the wire.
pub fn datum_of(word: &str) -> Option<Datum> {
    match tidy(word).trim_end_matches("高程").trim_end_matches("基面").trim_end_matches("高程基准") {
        "dagu" | "大沽" => Some(Datum::Dagu),
        "national85" | "1985国家" | "85国家" | "1985" | "国家85" | "85基准" | "85高程" | "85" => {
            Some(Datum::National85)
        }
        _ => None,
    }
}

/// Seventeen digits of a double, less the noise that a factor brings in: 9124 cm is 91.24 m and not 91.24000000000001.
fn trimmed(value: f64) -> f64 {
    if !value.is_finite() || value == 0.0 {
        return value;
    }
    let text = format!("{value:.13e}");
    text.parse().unwrap_or(value)
}

/// Lower case, no blanks, superscripts and full-width forms as plain characters.
fn tidy(word: &str) -> String {
    let plain = word.trim().chars().filter(|c| !c.is_whitespace() && !matches!(c, '^' | '*' | '（' | '）' | '(' | ')'));
    let plain = plain.map(|c| match c {
        '³' => '3',
        '²' => '2',
        '⁄' | '／' => '/',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        other => other,
    });
    plain.flat_map(char::to_lowercase).collect()
}

fn unit(word: &str) -> Option<Unit> {
    use Kind::{Angle, Discharge, Length, Share, Speed, Temperature, Voltage};
    let (kind, factor, offset) = match word {
        "m" | "米" => (Length, 1.0, 0.0),
        "dm" | "分米" => (Length, 0.1, 0.0),
        "cm" | "厘米" => (Length, 0.01, 0.0),
        "mm" | "毫米" => (Length, 0.001, 0.0),
        "km" | "公里" | "千米" => (Length, 1000.0, 0.0),
        "ft" => (Length, 0.3048, 0.0),
        "in" => (Length, 0.0254, 0.0),
        "m3/s" | "㎥/s" | "m3s-1" | "m3s" | "cms" | "立方米/秒" | "立方米每秒" | "方/秒" | "秒立方米" => {
            (Discharge, 1.0, 0.0)
        }
        "l/s" | "升/秒" => (Discharge, 0.001, 0.0),
        "m3/h" | "㎥/h" | "立方米/小时" => (Discharge, 1.0 / 3600.0, 0.0),
        "m3/d" | "㎥/d" | "立方米/日" => (Discharge, 1.0 / 86_400.0, 0.0),
        "cfs" | "ft3/s" => (Discharge, 0.028_316_846_592, 0.0),
        "m/s" | "米/秒" => (Speed, 1.0, 0.0),
        "cm/s" => (Speed, 0.01, 0.0),
        "km/h" => (Speed, 1.0 / 3.6, 0.0),
        "°c" | "℃" | "c" | "degc" => (Temperature, 1.0, 0.0),
        "k" => (Temperature, 1.0, -273.15),
        "°" | "deg" | "度" => (Angle, 1.0, 0.0),
        "v" | "伏" => (Voltage, 1.0, 0.0),
        "mv" => (Voltage, 0.001, 0.0),
        "%" => (Share, 1.0, 0.0),
        _ => return None,
    };
    Some(Unit { kind, factor, offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_in_the_unit_of_the_series() {
        for (value, given, wanted, expected) in [
            (9124.0, "cm", "m", 91.24),
            (91_240.0, "mm", "m", 91.24),
            (91.24, "米", "m", 91.24),
            (22_300_000.0, "L/s", "m3/s", 22_300.0),
            (22_300.0, "m³/s", "m3/s", 22_300.0),
            (7200.0, "m³/h", "m³/s", 2.0),
            (22_300.0, "㎥／ｓ", "m³/s", 22_300.0),
            (1.25, "cm", "mm", 12.5),
            (36.0, "km/h", "m/s", 10.0),
            (293.15, "K", "°C", 20.0),
            (-3.5, "℃", "°C", -3.5),
            (0.0, "mm", "m", 0.0),
            (4.2, "furlong", "furlong", 4.2),
        ] {
            assert_eq!(convert(value, given, wanted), Ok(expected), "{value} {given} → {wanted}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        let fault = convert(1.0, "furlong", "m").unwrap_err().to_string();
        assert!(fault.contains("furlong") && fault.contains('m'), "{fault}");
        for (given, wanted) in [("m3/s", "m"), ("mm", "m3/s"), ("m", "m/s"), ("V", "°C")] {
            let fault = convert(1.0, given, wanted).unwrap_err();
            assert_eq!(fault, UnitFault::OtherKind { given: given.into(), wanted: wanted.into() });
        }
        for given in ["", "米米", "furlong"] {
            assert!(convert(1.0, given, "m").is_err(), "{given:?}");
        }
        assert!(is_unit("㎥/s") && is_unit(" 米 ") && !is_unit("水位"));
    }

    #[test]
    fn datums_are_known_by_their_usual_words_only() {
        for (word, datum) in [
            ("dagu", Some(Datum::Dagu)),
            ("大沽高程", Some(Datum::Dagu)),
            ("大沽基面", Some(Datum::Dagu)),
            ("1985国家高程基准", Some(Datum::National85)),
            ("85国家高程基准", Some(Datum::National85)),
            ("national85", Some(Datum::National85)),
            ("黄海", None),
            ("冻结基面", None),
            ("废黄河口", None),
            ("", None),
        ] {
            assert_eq!(datum_of(word), datum, "{word}");
        }
    }
}
