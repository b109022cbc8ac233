//! A device profile: where each quantity lies in the registers and what a count means. Adding a device type is one file.

use serde::Deserialize;
use std::ops::RangeInclusive;
use toml::Spanned;

/// Which table of the device is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Function {
    /// Function 03, holding registers.
    Holding,
    /// Function 04, input registers.
    Input,
}

/// How the bits of a value are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NumberType {
    /// Unsigned, one register.
    U16,
    /// Signed, one register.
    S16,
    /// Unsigned, two registers.
    U32,
    /// Signed, two registers.
    S32,
    /// IEEE 754 single precision, two registers.
    F32,
}

/// Order of the bytes of a two-register value, A the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum WordOrder {
    /// ABCD.
    #[default]
    HighFirst,
    /// CDAB.
    LowFirst,
    /// BADC: high word first, bytes of each word swapped.
    HighFirstSwapped,
    /// DCBA: low word first, bytes of each word swapped.
    LowFirstSwapped,
}

/// A register whose bits say that the value is not valid.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusBits {
    /// Its address, counted like that of the point.
    pub register: u16,
    /// Any of these bits set: no value.
    pub mask: u16,
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
    /// Unit of the scaled value, e.g. `m`, `m³/s`, `mm`, `°`.
    pub unit: String,
    /// Unit per count.
    #[serde(default = "one")]
    pub scale: f64,
    /// Added after scaling, in the unit.
    #[serde(default)]
    pub offset: f64,
    /// What the instrument can show, in the unit, before the offset of a site.
    pub valid: Option<[f64; 2]>,
    /// Counts that mean "no value".
    #[serde(default)]
    pub sentinel: Vec<i64>,
    /// A register that can void the value.
    pub status: Option<StatusBits>,
    /// For a counter: the counts at which it starts anew (65536 for 16 bits).
    pub wraps_at: Option<u32>,
    /// For a counter: more counts than this in one poll are a reset, not a wrap.
    pub max_step: Option<u32>,
}

fn one() -> f64 {
    1.0
}

/// A raw number as the device holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Raw {
    /// From an integer type.
    Count(i64),
    /// From `f32`.
    Float(f32),
}

impl std::fmt::Display for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Float(value) => write!(f, "{value}"),
        }
    }
}

impl NumberType {
    /// Registers that the number takes.
    pub fn width(self) -> u16 {
        if matches!(self, Self::U16 | Self::S16) { 1 } else { 2 }
    }
    /// The integers that can be written; the whole range of `i32` for `f32`.
    fn limits(self) -> RangeInclusive<i64> {
        match self {
            Self::U16 => 0..=i64::from(u16::MAX),
            Self::S16 => i64::from(i16::MIN)..=i64::from(i16::MAX),
            Self::U32 => 0..=i64::from(u32::MAX),
            Self::S32 | Self::F32 => i64::from(i32::MIN)..=i64::from(i32::MAX),
        }
    }
}

impl WordOrder {
    /// From the wire to a 32-bit pattern, and back: the same move both ways.
    fn join(self, first: u16, second: u16) -> u32 {
        let (high, low) = self.arrange(first, second);
        u32::from(high) << 16 | u32::from(low)
    }
    fn arrange(self, first: u16, second: u16) -> (u16, u16) {
        match self {
            Self::HighFirst => (first, second),
            Self::LowFirst => (second, first),
            Self::HighFirstSwapped => (first.swap_bytes(), second.swap_bytes()),
            Self::LowFirstSwapped => (second.swap_bytes(), first.swap_bytes()),
        }
    }
}

fn high_word(bits: u32) -> u16 {
    u16::try_from(bits >> 16).unwrap_or(u16::MAX)
}
fn low_word(bits: u32) -> u16 {
    u16::try_from(bits & 0xffff).unwrap_or(u16::MAX)
}

impl Point {
    /// Its address, counted from the device's first register.
    pub fn first(&self) -> u16 {
        *self.register.get_ref()
    }
    /// The raw number in exactly as many words as its type takes; `None` for any other length.
    pub fn raw(&self, words: &[u16]) -> Option<Raw> {
        Some(match (self.number, words) {
            (NumberType::U16, [word]) => Raw::Count(i64::from(*word)),
            (NumberType::S16, [word]) => Raw::Count(i64::from(word.cast_signed())),
            (NumberType::U32, [a, b]) => Raw::Count(i64::from(self.word_order.join(*a, *b))),
            (NumberType::S32, [a, b]) => Raw::Count(i64::from(self.word_order.join(*a, *b).cast_signed())),
            (NumberType::F32, [a, b]) => Raw::Float(f32::from_bits(self.word_order.join(*a, *b))),
            _ => return None,
        })
    }
    /// In the unit of the point; NaN for a sentinel and for a float that is not finite.
    pub fn scaled(&self, raw: Raw) -> f64 {
        match raw {
            Raw::Count(count) if self.sentinel.contains(&count) => f64::NAN,
            Raw::Count(count) => count as f64 * self.scale + self.offset,
            Raw::Float(value) if value.is_finite() => f64::from(value) * self.scale + self.offset,
            Raw::Float(_) => f64::NAN,
        }
    }
    /// The words of a value as a device would hold it; NaN gives the first sentinel, what does not fit gives the nearest count.
    pub fn words_of(&self, value: f64) -> Vec<u16> {
        if self.number == NumberType::F32 {
            let bits = (((value - self.offset) / self.scale) as f32).to_bits();
            return self.words_of_bits(bits);
        }
        let limits = self.number.limits();
        let count = if value.is_nan() {
            self.sentinel.first().copied().unwrap_or(*limits.start())
        } else {
            (((value - self.offset) / self.scale).round() as i64).clamp(*limits.start(), *limits.end())
        };
        self.words_of_count(count)
    }
    /// The words of a raw count.
    pub fn words_of_count(&self, count: i64) -> Vec<u16> {
        let bits = u32::try_from(count & 0xffff_ffff).unwrap_or(u32::MAX);
        if self.number.width() == 1 { vec![low_word(bits)] } else { self.words_of_bits(bits) }
    }
    fn words_of_bits(&self, bits: u32) -> Vec<u16> {
        let (first, second) = self.word_order.arrange(high_word(bits), low_word(bits));
        vec![first, second]
    }
}

/// `[profile]` with its `[[point]]` rows.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Name by which devices refer to it.
    pub id: String,
    /// Which table of the device is read.
    pub function: Function,
    /// Most registers in one request, at most 125.
    pub max_block: u16,
    /// Unused registers that may be read along to join two points.
    pub max_gap: u16,
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point(number: NumberType, word_order: WordOrder, sentinel: Vec<i64>) -> Point {
        Point {
            quantity: "x".into(),
            register: Spanned::new(0..0, 0),
            number,
            word_order,
            unit: "m".into(),
            scale: 1.0,
            offset: 0.0,
            valid: None,
            sentinel,
            status: None,
            wraps_at: None,
            max_step: None,
        }
    }

    #[test]
    fn each_word_order_reads_the_same_number() {
        for (order, words) in [
            (WordOrder::HighFirst, [0x0001, 0x0203]),
            (WordOrder::LowFirst, [0x0203, 0x0001]),
            (WordOrder::HighFirstSwapped, [0x0100, 0x0302]),
            (WordOrder::LowFirstSwapped, [0x0302, 0x0100]),
        ] {
            assert_eq!(point(NumberType::U32, order, vec![]).raw(&words), Some(Raw::Count(0x0001_0203)), "{order:?}");
        }
    }

    #[test]
    fn signs_sentinels_and_wrong_lengths() {
        let s16 = point(NumberType::S16, WordOrder::HighFirst, vec![-1]);
        assert_eq!(s16.raw(&[0xfffe]), Some(Raw::Count(-2)));
        assert!(s16.scaled(Raw::Count(-1)).is_nan());
        assert_eq!(s16.raw(&[1, 2]), None);
        assert_eq!(point(NumberType::U32, WordOrder::HighFirst, vec![]).raw(&[1]), None);
        let f32 = point(NumberType::F32, WordOrder::LowFirst, vec![]);
        assert!(f32.scaled(Raw::Float(f32::INFINITY)).is_nan());
        assert_eq!(f32.raw(&[0x0000, 0x42f6]), Some(Raw::Float(123.0)));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(count in any::<u32>(), kind in 0..4usize, order in 0..4usize) {
            let order = [WordOrder::HighFirst, WordOrder::LowFirst, WordOrder::HighFirstSwapped, WordOrder::LowFirstSwapped][order];
            let (number, count) = [
                (NumberType::U16, i64::from(count & 0xffff)),
                (NumberType::S16, i64::from((count & 0xffff) as u16 as i16)),
                (NumberType::U32, i64::from(count)),
                (NumberType::S32, i64::from(count as i32)),
            ][kind];
            let point = point(number, order, vec![]);
            prop_assert_eq!(point.raw(&point.words_of_count(count)), Some(Raw::Count(count)));
            prop_assert_eq!(point.raw(&point.words_of(count as f64)), Some(Raw::Count(count)));
        }
    }
}
