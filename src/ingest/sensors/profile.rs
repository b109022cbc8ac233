//! A device profile: where each quantity lies in the registers and what a count means. Adding a device type is one file.

use super::number::{NumberType, Raw, WordOrder};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// Which table of the device is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Function {
    /// Function 01, coils: one bit each.
    Coil,
    /// Function 02, discrete inputs: one bit each.
    Discrete,
    /// Function 03, holding registers.
    Holding,
    /// Function 04, input registers.
    Input,
}

impl Function {
    /// Its number on the wire.
    pub fn code(self) -> u8 {
        match self {
            Self::Coil => 1,
            Self::Discrete => 2,
            Self::Holding => 3,
            Self::Input => 4,
        }
    }
    /// Whether it reads single bits.
    pub fn is_bits(self) -> bool {
        matches!(self, Self::Coil | Self::Discrete)
    }
    /// Most registers, or bits, that the protocol lets one request read.
    pub fn block_max(self) -> u16 {
        if self.is_bits() { 2000 } else { 125 }
    }
}

/// A register whose bits say that the value is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusBits {
    /// Its address, counted like that of the point.
    pub register: u16,
    /// The bits that are looked at.
    pub mask: u16,
    /// What they are when the value is valid; where absent, all clear.
    #[serde(default)]
    pub good: u16,
    /// The table it lies in, where that is not the point's.
    pub function: Option<Function>,
}

/// A register that says in which unit the device is set to measure.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitCode {
    /// Its address, counted like that of the point.
    pub register: u16,
    /// Code → what one of that unit is in the unit of the point. Any other code: no value.
    pub factors: BTreeMap<String, f64>,
}

/// One quantity of a device.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// `stage`, `discharge`, `rain`, `tilt_x`, …
    pub quantity: String,
    /// Protocol address from 0, counted from the device's first register.
    pub register: Spanned<u16>,
    /// Type of the number.
    #[serde(rename = "type")]
    pub number: NumberType,
    /// Order of the words.
    #[serde(default)]
    pub word_order: WordOrder,
    /// The table it lies in, where that is not the profile's; after loading always there.
    pub function: Option<Function>,
    /// Of type `bit` in a register: which bit, 0 the lowest.
    pub bit: Option<u8>,
    /// Unit of the scaled value, e.g. `m`, `m³/s`, `mm`, `°`.
    pub unit: String,
    /// Unit per count.
    #[serde(default = "one")]
    pub scale: f64,
    /// Added after scaling, in the unit.
    #[serde(default)]
    pub offset: f64,
    /// What the instrument can show, in the unit, before the offset of a site.
    #[serde(default, deserialize_with = "crate::quality::low_high")]
    pub valid: Option<[f64; 2]>,
    /// Counts that mean "no value"; −1 is all bits set for an unsigned type of four registers.
    #[serde(default)]
    pub sentinel: Vec<i64>,
    /// A register that can void the value.
    pub status: Option<StatusBits>,
    /// A register that says how many decimals the count has (0 to 9).
    pub decimals_register: Option<u16>,
    /// A register that says in which unit the count is.
    pub unit_code: Option<UnitCode>,
    /// For a counter: the counts at which it starts anew (65536 for 16 bits).
    pub wraps_at: Option<u32>,
    /// For a counter: more counts than this in one poll are a reset, not a wrap.
    pub max_step: Option<u32>,
}

fn one() -> f64 {
    1.0
}

impl Point {
    /// Its address, counted from the device's first register.
    pub fn first(&self) -> u16 {
        *self.register.get_ref()
    }
    /// The table it lies in.
    pub fn table(&self) -> Function {
        self.function.unwrap_or(Function::Holding)
    }
    /// The single registers that are read beside it: what they say changes or voids its value.
    pub fn beside(&self) -> impl Iterator<Item = (Function, u16)> {
        let status = self.status.map(|status| (status.function.unwrap_or(self.table()), status.register));
        let decimals = self.decimals_register.map(|register| (self.table(), register));
        let code = self.unit_code.as_ref().map(|code| (self.table(), code.register));
        [status, decimals, code].into_iter().flatten()
    }
    /// The raw number in exactly as many words as its type takes; `None` for any other length and for what is no decimal digit.
    pub fn raw(&self, words: &[u16]) -> Option<Raw> {
        self.number.read(self.word_order, self.bit.unwrap_or(0), words)
    }
    /// Whether the count means "no value".
    pub fn is_sentinel(&self, raw: Raw) -> bool {
        let Raw::Count(count) = raw else { return false };
        self.sentinel.iter().any(|mark| {
            i128::from(*mark) == count || self.number == NumberType::U64 && i128::from(mark.cast_unsigned()) == count
        })
    }
    /// In the unit of the point; NaN for a sentinel and for a float that is not finite.
    pub fn scaled(&self, raw: Raw) -> f64 {
        self.scaled_by(raw, 1.0)
    }
    /// The same for a device that says by itself what a count is worth.
    pub fn scaled_by(&self, raw: Raw, factor: f64) -> f64 {
        if self.is_sentinel(raw) {
            return f64::NAN;
        }
        let number = match raw {
            Raw::Count(count) => count as f64,
            Raw::Float(value) => f64::from(value),
            Raw::Double(value) => value,
        };
        let value = number * self.scale * factor + self.offset;
        if value.is_finite() { value } else { f64::NAN }
    }
    /// The words of a value as a device would hold it; NaN gives the first sentinel, what does not fit gives the nearest count.
    pub fn words_of(&self, value: f64) -> Vec<u16> {
        let number = (value - self.offset) / self.scale;
        let raw = match self.number {
            NumberType::F32 => Raw::Float(number as f32),
            NumberType::F64 => Raw::Double(number),
            _ if value.is_nan() => {
                Raw::Count(self.sentinel.first().map_or(*self.number.limits().start(), |mark| i128::from(*mark)))
            }
            _ => Raw::Count(number.round() as i128),
        };
        match raw {
            // A sentinel is a pattern, not a count: it is written as it stands.
            Raw::Count(count) if value.is_nan() => self.words_of_count(count),
            raw => self.number.write(self.word_order, self.bit.unwrap_or(0), raw),
        }
    }
    /// The words of a raw count.
    pub fn words_of_count(&self, count: i128) -> Vec<u16> {
        let wide = i128::from(u64::MAX) + 1;
        let count = if self.number == NumberType::U64 { count.rem_euclid(wide) } else { count };
        self.number.write(self.word_order, self.bit.unwrap_or(0), Raw::Count(count))
    }
}

/// `[profile]` with its `[[point]]` rows.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Name by which devices refer to it.
    pub id: String,
    /// Which table of the device is read where a point does not say.
    pub function: Function,
    /// Most registers in one request, at most 125.
    pub max_block: u16,
    /// Unused registers that may be read along to join two points.
    pub max_gap: u16,
    /// Whether the device refuses to give two points in one request.
    pub single_reads: bool,
    /// Pause between two requests to the device, ms.
    pub pause_ms: u64,
    /// Registers from one slot to the next where a terminal holds many sensors.
    pub stride: u16,
    /// Its quantities.
    pub points: Vec<Point>,
}

impl Profile {
    /// The point of that quantity.
    pub fn point(&self, quantity: &str) -> Option<&Point> {
        self.points.iter().find(|point| point.quantity == quantity)
    }
    /// Whether a point lies in that table.
    pub fn reads(&self, function: Function) -> bool {
        self.points.iter().any(|point| point.table() == function)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(rows: &str) -> Point {
        toml::from_str(&format!("quantity = 'x'\nregister = 0\nunit = 'm'\n{rows}")).unwrap()
    }

    #[test]
    fn sentinels_scales_and_what_is_no_number() {
        let s16 = point("type = 's16'\nsentinel = [-1]\nscale = 0.001");
        assert!(s16.scaled(Raw::Count(-1)).is_nan());
        assert!((s16.scaled(Raw::Count(-2)) + 0.002).abs() < 1e-12);
        assert!((s16.scaled_by(Raw::Count(-2), 10.0) + 0.02).abs() < 1e-12);
        assert_eq!(s16.words_of(f64::NAN), [0xffff]);
        assert_eq!(s16.words_of(1e9), [0x7fff], "the nearest that fits");
        let u64 = point("type = 'u64'\nsentinel = [-1]");
        assert!(u64.scaled(u64.raw(&[0xffff; 4]).unwrap()).is_nan());
        assert_eq!(u64.words_of(f64::NAN), [0xffff; 4]);
        let f32 = point("type = 'f32'\nword_order = 'CDAB'");
        assert_eq!(f32.word_order, WordOrder::LowFirst);
        assert!(f32.scaled(Raw::Float(f32::INFINITY)).is_nan());
        assert!(point("type = 'f64'").scaled(Raw::Double(f64::MAX)).is_finite());
        assert!(point("type = 'f64'\nscale = 10.0").scaled(Raw::Double(f64::MAX)).is_nan());
        assert_eq!(point("type = 'bcd16'\nscale = 0.01").words_of(93.82), [0x9382]);
        assert_eq!(point("type = 'bit'\nbit = 2").words_of(1.0), [0b100]);
    }

    #[test]
    fn single_registers_beside_a_point_are_known() {
        let level = point(
            "type = 's16'\nfunction = 'input'\ndecimals_register = 3\nunit_code = { register = 2, factors = { 17 = 0.001 } }\nstatus = { register = 9, mask = 1, function = 'discrete' }",
        );
        let beside: Vec<_> = level.beside().collect();
        assert_eq!(beside, [(Function::Discrete, 9), (Function::Input, 3), (Function::Input, 2)]);
    }
}
