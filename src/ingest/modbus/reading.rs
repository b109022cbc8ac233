//! From the answers of a device to a value, or to the reason why there is none.

use crate::ingest::sensors::{Block, Counter, Device, DeviceSeries, Function, Point, Raw};
use std::fmt;

/// Words by block; `None` where none came.
pub(super) type Answers = Vec<(Block, Option<Vec<u16>>)>;

/// Why a series has no value although its device was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Void {
    /// The registers did not come.
    Absent,
    /// The device's own status says so.
    Status {
        /// Where it says so, protocol address.
        register: u16,
        /// The whole word.
        word: u16,
    },
    /// A decimal digit above nine.
    NoDigits,
    /// The count that stands for "no value".
    Sentinel,
    /// A float that is not finite.
    NotFinite,
    /// More decimals than there are.
    Decimals(u16),
    /// The device is set to a unit that the profile does not know.
    UnitCode(u16),
}

impl fmt::Display for Void {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => write!(f, "未读到 (registers did not come)"),
            Self::Status { register, word } => {
                write!(f, "状态位无效 (status register {register} says so: {word:#06x})")
            }
            Self::NoDigits => write!(f, "非十进制 (not decimal digits)"),
            Self::Sentinel => write!(f, "无值标记 (the mark for no value)"),
            Self::NotFinite => write!(f, "非数值 (not a number)"),
            Self::Decimals(count) => write!(f, "小数位数错误 ({count} decimals cannot be)"),
            Self::UnitCode(code) => write!(f, "未知单位代码 (unit code {code} is not in the profile)"),
        }
    }
}

/// What a device said of one series.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Got {
    /// As the device holds it.
    pub(super) raw: Option<Raw>,
    /// In the unit of the series, at the site.
    pub(super) value: Result<f64, Void>,
}

/// Reads one series out of the answers; a counter is carried over its end.
pub(super) fn take(device: &Device, series: &DeviceSeries, answers: &Answers, counter: &mut Counter) -> Got {
    let point = &series.point;
    let words = Words { device, answers };
    let Some(own) = words.at(point.table(), point.first(), point.number.width()) else {
        return Got { raw: None, value: Err(Void::Absent) };
    };
    let Some(raw) = point.raw(own) else { return Got { raw: None, value: Err(Void::NoDigits) } };
    let value = words.factor(point).and_then(|factor| scaled(point, raw, factor, counter));
    Got { raw: Some(raw), value: value.map(|value| value + series.zero) }
}

struct Words<'a> {
    device: &'a Device,
    answers: &'a Answers,
}

impl Words<'_> {
    fn at(&self, function: Function, register: u16, width: u16) -> Option<&[u16]> {
        let first = self.device.first_register.checked_add(register)?;
        let answer = self.answers.iter().find(|(block, words)| words.is_some() && block.covers(function, first, width));
        let (block, words) = answer?;
        block.slice(words.as_ref()?, first, width)
    }
    fn one(&self, function: Function, register: u16) -> Result<u16, Void> {
        self.at(function, register, 1).and_then(|words| words.first().copied()).ok_or(Void::Absent)
    }
    /// What one count is worth beside the scale, or why the value does not count.
    fn factor(&self, point: &Point) -> Result<f64, Void> {
        if let Some(status) = point.status {
            let word = self.one(status.function.unwrap_or(point.table()), status.register)?;
            if word & status.mask != status.good {
                return Err(Void::Status {
                    register: self.device.first_register.saturating_add(status.register),
                    word,
                });
            }
        }
        let mut factor = 1.0;
        if let Some(register) = point.decimals_register {
            let decimals = self.one(point.table(), register)?;
            let power = i32::from(decimals);
            factor *= if power <= 9 { 10_f64.powi(-power) } else { return Err(Void::Decimals(decimals)) };
        }
        if let Some(unit) = &point.unit_code {
            let code = self.one(point.table(), unit.register)?;
            factor *= unit.factors.get(&code.to_string()).ok_or(Void::UnitCode(code))?;
        }
        Ok(factor)
    }
}

fn scaled(point: &Point, raw: Raw, factor: f64, counter: &mut Counter) -> Result<f64, Void> {
    if point.is_sentinel(raw) {
        return Err(Void::Sentinel);
    }
    let raw = match (raw, point.wraps_at) {
        (Raw::Count(count), Some(wraps_at)) => {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            let max_step = i64::from(point.max_step.unwrap_or(wraps_at / 4));
            Raw::Count(i128::from(counter.unwrap_count(count, i64::from(wraps_at), max_step)))
        }
        _ => raw,
    };
    Some(point.scaled_by(raw, factor)).filter(|value| value.is_finite()).ok_or(Void::NotFinite)
}
