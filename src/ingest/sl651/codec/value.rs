//! Elements of a HEX/BCD body: identifier, definition byte, data.
//!
//! The definition byte rules, never the nominal digits: stations send the stage with 1A, 22 or 23. What cannot be read
//! stays as bytes beside the reason; nothing is guessed and nothing behind it is lost.

use super::bcd;
use super::element::{ElementId, is_rain_of_a_span};

/// Most elements of one message; a body with more has been made to hurt.
pub const ELEMENTS_MAX: usize = 20_000;

/// One element with its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Which.
    pub id: ElementId,
    /// What was said.
    pub content: Content,
}

/// What an element says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A decimal number.
    Number(Number),
    /// No number: missing by the standard's marks or unreadable.
    Void(Void),
    /// F4: rain of each 5 minutes, 0.1 mm; `None` where FF.
    Rain(Vec<Option<u8>>),
    /// F5…FC: stage at each 5 minutes, 0.01 m above the base; `None` where FFFF.
    Stages(Vec<Option<u16>>),
    /// 45: status bits.
    Status(u32),
    /// 04: days, hours, minutes of the step, BCD as on the line.
    Step([u8; 3]),
    /// F2: text to the end of the body, as bytes (often GBK).
    Text(Vec<u8>),
    /// F3: a picture to the end of the body.
    Picture(Vec<u8>),
    /// FD: bulk flow to the end of the body, not looked into.
    Bulk(Vec<u8>),
}

/// A decimal number as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// Digits without the point.
    pub digits: i64,
    /// How many stand behind the point, 0 to 7.
    pub decimals: u8,
    /// Data bytes on the line, 1 to 31; 0 where it was text.
    pub bytes: u8,
}

impl Number {
    /// The value in the unit of its element.
    pub fn value(self) -> f64 {
        self.digits as f64 / 10_f64.powi(i32::from(self.decimals))
    }
}

/// Data that are no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Void {
    /// As sent.
    pub bytes: Vec<u8>,
    /// Of the definition byte.
    pub decimals: u8,
    /// Why it is none.
    pub why: Why,
}

/// Why data are no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// All bits set, or another mark that stations use for "no data" (AA…, 9999.999).
    Missing,
    /// Half bytes that are no digits, or no data at all.
    Unreadable,
}

/// What was wrong inside a body whose checksum was right; what could be read is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// The body ends inside an element.
    #[error("the body ends inside element {id}: {left} bytes are left, {wanted} are wanted (正文在要素 {id} 处截断)")]
    Cut {
        /// The element.
        id: String,
        /// Bytes that it needs.
        wanted: usize,
        /// Bytes that are there.
        left: usize,
    },
    /// No serial number and time at the front.
    #[error("the body is too short for serial number and time: {bytes} bytes (正文过短)")]
    NoHead {
        /// Its length.
        bytes: usize,
    },
    /// An ASCII word that is neither an element nor a value.
    #[error("word {word:?} is no element (未知要素)")]
    Unknown {
        /// The word, at most 40 characters.
        word: String,
    },
    /// More elements than a message can have.
    #[error("more than {ELEMENTS_MAX} elements (要素过多)")]
    TooMany,
}

/// Takes `wanted` bytes for an element, or says that they are not there.
fn take<'a>(rest: &mut &'a [u8], id: ElementId, wanted: usize) -> Result<&'a [u8], BodyFault> {
    let cut = BodyFault::Cut { id: id.to_string(), wanted, left: rest.len() };
    let (data, after) = rest.split_at_checked(wanted).ok_or(cut)?;
    *rest = after;
    Ok(data)
}

/// Reads the element that `rest` begins with (not F0F0 or F1F1) and moves on behind it.
pub(super) fn read(rest: &mut &[u8]) -> Result<Element, BodyFault> {
    let first = take(rest, ElementId::Standard(0), 1)?;
    let mut id = ElementId::Standard(first.first().copied().unwrap_or(0));
    if id == ElementId::Standard(0xff) {
        let second = take(rest, id, 1)?;
        id = ElementId::User(second.first().copied().unwrap_or(0));
    }
    let definition = take(rest, id, 1)?.first().copied().unwrap_or(0);
    let content = match (id, definition) {
        (ElementId::Standard(0xf2), 0xf2) => Content::Text(std::mem::take(rest).to_vec()),
        (ElementId::Standard(0xf3), 0xf3) => Content::Picture(std::mem::take(rest).to_vec()),
        (ElementId::Standard(0xfd), 0xf6) => Content::Bulk(std::mem::take(rest).to_vec()),
        _ => {
            let data = take(rest, id, usize::from(definition >> 3))?;
            content(id, data, definition & 7)
        }
    };
    Ok(Element { id, content })
}

fn content(id: ElementId, data: &[u8], decimals: u8) -> Content {
    match (id, data) {
        (ElementId::Standard(0xf4), _) => Content::Rain(data.iter().map(|cell| present(*cell, 0xff)).collect()),
        (ElementId::Standard(0xf5..=0xfc), _) if data.len().is_multiple_of(2) => {
            Content::Stages(data.as_chunks().0.iter().map(|cell| present(u16::from_be_bytes(*cell), 0xffff)).collect())
        }
        (ElementId::Standard(0x45), [a, b, c, d]) if decimals == 0 => {
            Content::Status(u32::from_be_bytes([*a, *b, *c, *d]))
        }
        (ElementId::Standard(0x04), [days, hours, minutes]) => Content::Step([*days, *hours, *minutes]),
        _ => number(id, data, decimals),
    }
}

fn present<T: PartialEq>(cell: T, mark: T) -> Option<T> {
    (cell != mark).then_some(cell)
}

/// A number by its definition byte. All bits set is told from a leading FF, which means below zero.
pub(super) fn number(id: ElementId, data: &[u8], decimals: u8) -> Content {
    let void = |why| Content::Void(Void { bytes: data.to_vec(), decimals, why });
    let all = |mark: u8| data.iter().all(|byte| *byte == mark);
    let bytes = match u8::try_from(data.len()) {
        Ok(bytes) if bytes > 0 => bytes,
        _ => return void(Why::Unreadable),
    };
    if all(0xff) || all(0xaa) {
        return void(Why::Missing);
    }
    let digits = match data.split_first() {
        Some((0xff, rest)) => bcd::number(rest).map(|digits| -digits),
        _ => bcd::number(data),
    };
    match digits {
        None => void(Why::Unreadable),
        Some(digits) if is_mark(id, digits, decimals) => void(Why::Missing),
        Some(digits) => Content::Number(Number { digits, decimals, bytes }),
    }
}

/// Nothing but nines where the river cannot be: 9999.999 m, 999.9 mm in an hour.
pub(super) fn is_mark(id: ElementId, digits: i64, decimals: u8) -> bool {
    let nines = digits > 0 && digits.to_string().bytes().all(|digit| digit == b'9');
    let places = digits.checked_ilog10().map_or(0, |places| places + 1);
    let whole = places.saturating_sub(u32::from(decimals));
    let form = id.known().map_or(0, |known| u32::from(known.form.0));
    nines && (form > 0 && whole >= form || is_rain_of_a_span(id) && whole >= 3)
}

impl Element {
    /// A number with its digits as the standard has them, for sending; `None` if it does not fit.
    pub fn number(id: u8, value: f64) -> Option<Self> {
        let id = ElementId::Standard(id);
        let (whole, decimals) = id.known()?.form;
        let bytes = (whole + decimals).div_ceil(2).max(1);
        let scaled = (value * 10_f64.powi(i32::from(decimals))).round();
        if !scaled.is_finite() || scaled.abs() >= 10_f64.powi(i32::from(bytes) * 2) {
            return None;
        }
        let digits = scaled as i64;
        let bytes = if digits < 0 { bytes + 1 } else { bytes };
        Some(Self { id, content: Content::Number(Number { digits, decimals, bytes }) })
    }

    /// The mark for "no value" in the digits of the standard.
    pub fn missing(id: u8) -> Option<Self> {
        let (whole, decimals) = ElementId::Standard(id).known()?.form;
        let bytes = vec![0xff; usize::from((whole + decimals).div_ceil(2).max(1))];
        let void = Void { bytes, decimals, why: Why::Missing };
        Some(Self { id: ElementId::Standard(id), content: Content::Void(void) })
    }

    /// Appends the element as HEX/BCD. A number that does not fit its bytes is sent as missing, never cut.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self.id {
            ElementId::Standard(id) => out.push(id),
            ElementId::User(id) => out.extend([0xff, id]),
        }
        match &self.content {
            Content::Number(number) => {
                let data = number.data();
                define(out, &data, number.decimals);
            }
            Content::Void(void) => define(out, &void.bytes, void.decimals),
            Content::Rain(cells) => {
                let data: Vec<u8> = cells.iter().map(|cell| cell.unwrap_or(0xff)).collect();
                define(out, &data, 0);
            }
            Content::Stages(cells) => {
                let data: Vec<u8> = cells.iter().flat_map(|cell| cell.unwrap_or(0xffff).to_be_bytes()).collect();
                define(out, &data, 0);
            }
            Content::Status(bits) => define(out, &bits.to_be_bytes(), 0),
            Content::Step(step) => define(out, step, 0),
            Content::Text(bytes) => to_the_end(out, 0xf2, bytes),
            Content::Picture(bytes) => to_the_end(out, 0xf3, bytes),
            Content::Bulk(bytes) => to_the_end(out, 0xf6, bytes),
        }
    }
}

impl Number {
    fn data(self) -> Vec<u8> {
        let width = usize::from(self.bytes.clamp(1, 31));
        let data = if self.digits < 0 {
            bcd::digits(self.digits.saturating_neg(), width - 1).map(|digits| [&[0xff], digits.as_slice()].concat())
        } else {
            bcd::digits(self.digits, width)
        };
        data.unwrap_or_else(|| vec![0xff; width])
    }
}

/// Definition byte and data; at most 31 bytes fit.
fn define(out: &mut Vec<u8>, data: &[u8], decimals: u8) {
    let data = data.get(..data.len().min(31)).unwrap_or_default();
    let length = u8::try_from(data.len()).unwrap_or(31);
    out.push(length << 3 | decimals & 7);
    out.extend_from_slice(data);
}

fn to_the_end(out: &mut Vec<u8>, definition: u8, bytes: &[u8]) {
    out.push(definition);
    out.extend_from_slice(bytes);
}
