//! Registers to numbers and back: types, orders of words and bytes, binary coded decimals. Pure.

use serde::Deserialize;
use std::fmt;
use std::ops::RangeInclusive;

/// How the bits of a value are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NumberType {
    /// One bit: of a coil or discrete input, or the bit `bit` of a register.
    Bit,
    /// Unsigned, one register.
    U16,
    /// Signed, one register.
    S16,
    /// Unsigned, two registers.
    U32,
    /// Signed, two registers.
    S32,
    /// Unsigned, four registers.
    U64,
    /// Signed, four registers.
    S64,
    /// IEEE 754 single precision, two registers.
    F32,
    /// IEEE 754 double precision, four registers.
    F64,
    /// Four decimal digits, one register.
    Bcd16,
    /// Eight decimal digits, two registers.
    Bcd32,
}

/// Order of the bytes of a value, A the highest. Of four registers: ABCDEFGH, GHEFCDAB, BADCFEHG, HGFEDCBA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum WordOrder {
    /// ABCD.
    #[default]
    #[serde(alias = "ABCD")]
    HighFirst,
    /// CDAB.
    #[serde(alias = "CDAB")]
    LowFirst,
    /// BADC: high word first, bytes of each word swapped.
    #[serde(alias = "BADC")]
    HighFirstSwapped,
    /// DCBA: low word first, bytes of each word swapped.
    #[serde(alias = "DCBA")]
    LowFirstSwapped,
}

/// A raw number as the device holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Raw {
    /// From an integer type; the whole range of `u64` and `i64`.
    Count(i128),
    /// From `f32`.
    Float(f32),
    /// From `f64`.
    Double(f64),
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Double(value) => write!(f, "{value}"),
        }
    }
}

impl NumberType {
    /// Registers (or bits of a bit table) that the number takes.
    pub fn width(self) -> u16 {
        match self {
            Self::Bit | Self::U16 | Self::S16 | Self::Bcd16 => 1,
            Self::U32 | Self::S32 | Self::F32 | Self::Bcd32 => 2,
            Self::U64 | Self::S64 | Self::F64 => 4,
        }
    }
    /// The integers that can be written; of a float, those that a count may stand for.
    pub(super) fn limits(self) -> RangeInclusive<i128> {
        match self {
            Self::Bit => 0..=1,
            Self::U16 => 0..=i128::from(u16::MAX),
            Self::S16 => i128::from(i16::MIN)..=i128::from(i16::MAX),
            Self::U32 => 0..=i128::from(u32::MAX),
            Self::S32 | Self::F32 => i128::from(i32::MIN)..=i128::from(i32::MAX),
            Self::U64 => 0..=i128::from(u64::MAX),
            Self::S64 | Self::F64 => i128::from(i64::MIN)..=i128::from(i64::MAX),
            Self::Bcd16 => 0..=9_999,
            Self::Bcd32 => 0..=99_999_999,
        }
    }
    /// The number in exactly as many words as it takes; `None` for any other length, and for a digit above 9.
    pub(super) fn read(self, order: WordOrder, bit: u8, words: &[u16]) -> Option<Raw> {
        if words.len() != usize::from(self.width()) {
            return None;
        }
        let bits = order.join(words);
        let count = |count: i128| Some(Raw::Count(count));
        match self {
            Self::Bit => count(i128::from(bits.checked_shr(u32::from(bit)).unwrap_or(0) & 1)),
            Self::U16 | Self::U32 | Self::U64 => count(i128::from(bits)),
            Self::S16 => count(i128::from(low(bits, 16) as u16 as i16)),
            Self::S32 => count(i128::from(low(bits, 32) as u32 as i32)),
            Self::S64 => count(i128::from(bits.cast_signed())),
            Self::F32 => Some(Raw::Float(f32::from_bits(low(bits, 32) as u32))),
            Self::F64 => Some(Raw::Double(f64::from_bits(bits))),
            Self::Bcd16 => count(digits(bits, 4)?),
            Self::Bcd32 => count(digits(bits, 8)?),
        }
    }
    /// The words of a raw number; a count that does not fit gives the nearest, NaN of an integer type the lowest.
    pub(super) fn write(self, order: WordOrder, bit: u8, raw: Raw) -> Vec<u16> {
        let bits = match (self, raw) {
            (Self::F32, Raw::Float(value)) => u64::from(value.to_bits()),
            (Self::F64, Raw::Double(value)) => value.to_bits(),
            (Self::F32, Raw::Double(value)) => u64::from((value as f32).to_bits()),
            (Self::F64, Raw::Float(value)) => f64::from(value).to_bits(),
            (_, Raw::Count(count)) => self.bits_of(count, bit),
            (_, Raw::Float(value)) => self.bits_of(value as i128, bit),
            (_, Raw::Double(value)) => self.bits_of(value as i128, bit),
        };
        order.split(bits, self.width())
    }
    fn bits_of(self, count: i128, bit: u8) -> u64 {
        // A float's count is its pattern, as a client writes it.
        if matches!(self, Self::F32 | Self::F64) {
            return (count & i128::from(u64::MAX)) as u64;
        }
        let limits = self.limits();
        let count = count.clamp(*limits.start(), *limits.end());
        match self {
            Self::Bit => u64::from(count == 1) << bit,
            Self::Bcd16 | Self::Bcd32 => {
                (0..8).fold(0, |sum, place| sum | ((count / 10_i128.pow(place) % 10) as u64) << (4 * place))
            }
            _ => (count & i128::from(u64::MAX)) as u64,
        }
    }
}

fn low(bits: u64, count: u32) -> u64 {
    bits & (u64::MAX >> (64 - count))
}

fn digits(bits: u64, count: u32) -> Option<i128> {
    (0..count).rev().try_fold(0, |sum, place| {
        let digit = bits >> (4 * place) & 0xf;
        (digit <= 9).then_some(sum * 10 + i128::from(digit))
    })
}

impl WordOrder {
    fn swaps_bytes(self) -> bool {
        matches!(self, Self::HighFirstSwapped | Self::LowFirstSwapped)
    }
    fn is_low_first(self) -> bool {
        matches!(self, Self::LowFirst | Self::LowFirstSwapped)
    }
    /// From the wire, at most four words, to a pattern.
    fn join(self, words: &[u16]) -> u64 {
        let take = |sum: u64, word: &u16| {
            let word = if self.swaps_bytes() { word.swap_bytes() } else { *word };
            sum << 16 | u64::from(word)
        };
        if self.is_low_first() { words.iter().rev().fold(0, take) } else { words.iter().fold(0, take) }
    }
    fn split(self, bits: u64, width: u16) -> Vec<u16> {
        let word = |place: u16| {
            let word = (bits >> (16 * place) & 0xffff) as u16;
            if self.swaps_bytes() { word.swap_bytes() } else { word }
        };
        if self.is_low_first() { (0..width).map(word).collect() } else { (0..width).rev().map(word).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ORDERS: [WordOrder; 4] =
        [WordOrder::HighFirst, WordOrder::LowFirst, WordOrder::HighFirstSwapped, WordOrder::LowFirstSwapped];
    const INTEGERS: [NumberType; 9] = [
        NumberType::Bit,
        NumberType::U16,
        NumberType::S16,
        NumberType::U32,
        NumberType::S32,
        NumberType::U64,
        NumberType::S64,
        NumberType::Bcd16,
        NumberType::Bcd32,
    ];

    #[test]
    fn each_order_reads_the_same_number() {
        let check = |number: NumberType, order: WordOrder, words: &[u16], count: i128| {
            assert_eq!(number.read(order, 0, words), Some(Raw::Count(count)), "{number:?} {order:?}");
        };
        for (order, two, four) in [
            (WordOrder::HighFirst, [0x0001, 0x0203], [0x0001, 0x0203, 0x0405, 0x0607]),
            (WordOrder::LowFirst, [0x0203, 0x0001], [0x0607, 0x0405, 0x0203, 0x0001]),
            (WordOrder::HighFirstSwapped, [0x0100, 0x0302], [0x0100, 0x0302, 0x0504, 0x0706]),
            (WordOrder::LowFirstSwapped, [0x0302, 0x0100], [0x0706, 0x0504, 0x0302, 0x0100]),
        ] {
            check(NumberType::U32, order, &two, 0x0001_0203);
            check(NumberType::U64, order, &four, 0x0001_0203_0405_0607);
        }
        check(NumberType::U16, WordOrder::HighFirst, &[0x0102], 0x0102);
        check(NumberType::U16, WordOrder::LowFirstSwapped, &[0x0201], 0x0102);
    }

    #[test]
    fn signs_floats_digits_bits_and_wrong_lengths() {
        let read = |number: NumberType, words: &[u16]| number.read(WordOrder::HighFirst, 3, words);
        assert_eq!(read(NumberType::S16, &[0xfffe]), Some(Raw::Count(-2)));
        assert_eq!(read(NumberType::S64, &[0xffff, 0xffff, 0xffff, 0xfffe]), Some(Raw::Count(-2)));
        assert_eq!(read(NumberType::U64, &[0xffff; 4]), Some(Raw::Count(i128::from(u64::MAX))));
        assert_eq!(read(NumberType::F64, &[0x4057, 0x7333, 0x3333, 0x3333]), Some(Raw::Double(93.8)));
        assert_eq!(NumberType::F32.read(WordOrder::LowFirst, 0, &[0x0000, 0x42f6]), Some(Raw::Float(123.0)));
        assert_eq!(read(NumberType::Bcd16, &[0x9382]), Some(Raw::Count(9382)));
        assert_eq!(read(NumberType::Bcd32, &[0x0223, 0x0000]), Some(Raw::Count(2_230_000)));
        assert_eq!(read(NumberType::Bcd16, &[0x938a]), None, "a digit above nine is no number");
        assert_eq!(read(NumberType::Bit, &[0x0008]), Some(Raw::Count(1)));
        assert_eq!(read(NumberType::Bit, &[0xfff7]), Some(Raw::Count(0)));
        for (number, words) in [(NumberType::U16, &[1, 2][..]), (NumberType::U32, &[1]), (NumberType::U64, &[1; 3])] {
            assert_eq!(read(number, words), None);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(count in any::<i128>(), kind in 0..9usize, order in 0..4usize, bit in 0..16u8) {
            let number = INTEGERS[kind];
            let limits = number.limits();
            let count = limits.start() + count.rem_euclid(limits.end() - limits.start() + 1);
            let words = number.write(ORDERS[order], bit, Raw::Count(count));
            prop_assert_eq!(number.read(ORDERS[order], bit, &words), Some(Raw::Count(count)));
        }

        #[test]
        fn floats_come_back_bit_by_bit(bits in any::<u64>(), order in 0..4usize) {
            let words = NumberType::F64.write(ORDERS[order], 0, Raw::Double(f64::from_bits(bits)));
            let Some(Raw::Double(back)) = NumberType::F64.read(ORDERS[order], 0, &words) else { panic!("no double") };
            prop_assert_eq!(back.to_bits(), bits);
            let single = (bits & 0xffff_ffff) as u32;
            let words = NumberType::F32.write(ORDERS[order], 0, Raw::Float(f32::from_bits(single)));
            let Some(Raw::Float(back)) = NumberType::F32.read(ORDERS[order], 0, &words) else { panic!("no single") };
            prop_assert_eq!(back.to_bits(), single);
        }
    }
}
