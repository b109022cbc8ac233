//! Where a value lies in a payload: a JSON pointer, or bytes of a raw LoRaWAN payload. Pure.

use serde::Deserialize;
use serde_json::Value;

/// Where a value lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// JSON pointer (RFC 6901) below the decoded object.
    Pointer(String),
    /// Bytes of the raw payload.
    Bytes {
        /// From 0.
        at: usize,
        /// What stands there.
        number: ByteNumber,
    },
}

/// A number in raw bytes; big-endian unless it says `-le`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // The names say it all.
pub enum ByteNumber {
    U8,
    I8,
    U16,
    U16Le,
    I16,
    I16Le,
    U32,
    U32Le,
    I32,
    I32Le,
    F32,
    F32Le,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Found {
    /// A finite number.
    Number(f64),
    /// The device says that it has none (`null`).
    Missing,
    /// Something that is no number.
    NotANumber,
    /// Nothing lies there.
    Nothing,
}

impl ByteNumber {
    fn read(self, bytes: &[u8], at: usize) -> Option<f64> {
        fn take<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
            bytes.get(at..at.checked_add(N)?)?.try_into().ok()
        }
        Some(match self {
            Self::U8 => f64::from(*bytes.get(at)?),
            Self::I8 => f64::from(i8::from_be_bytes(take(bytes, at)?)),
            Self::U16 => f64::from(u16::from_be_bytes(take(bytes, at)?)),
            Self::U16Le => f64::from(u16::from_le_bytes(take(bytes, at)?)),
            Self::I16 => f64::from(i16::from_be_bytes(take(bytes, at)?)),
            Self::I16Le => f64::from(i16::from_le_bytes(take(bytes, at)?)),
            Self::U32 => f64::from(u32::from_be_bytes(take(bytes, at)?)),
            Self::U32Le => f64::from(u32::from_le_bytes(take(bytes, at)?)),
            Self::I32 => f64::from(i32::from_be_bytes(take(bytes, at)?)),
            Self::I32Le => f64::from(i32::from_le_bytes(take(bytes, at)?)),
            Self::F32 => f64::from(f32::from_be_bytes(take(bytes, at)?)),
            Self::F32Le => f64::from(f32::from_le_bytes(take(bytes, at)?)),
        })
    }
}

impl Place {
    /// Looks the value up in an object and its raw bytes.
    pub(super) fn find(&self, object: Option<&Value>, raw: Option<&[u8]>) -> Found {
        match self {
            Self::Pointer(pointer) => object.and_then(|object| object.pointer(pointer)).map_or(Found::Nothing, number),
            Self::Bytes { at, number } => match raw.map(|raw| number.read(raw, *at)) {
                None => Found::Nothing,
                Some(None) => Found::Missing, // A payload that is too short: the value was cut off.
                Some(Some(value)) if value.is_finite() => Found::Number(value),
                Some(Some(_)) => Found::Missing,
            },
        }
    }
}

/// Numbers, numbers as text, and yes or no as 1 and 0.
fn number(value: &Value) -> Found {
    match value {
        Value::Null => Found::Missing,
        Value::Bool(yes) => Found::Number(f64::from(u8::from(*yes))),
        Value::Number(number) => {
            number.as_f64().filter(|number| number.is_finite()).map_or(Found::NotANumber, Found::Number)
        }
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Found::Number(number),
            _ => Found::NotANumber,
        },
        Value::Array(_) | Value::Object(_) => Found::NotANumber,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn mqtt_values_are_numbers_or_say_that_they_are_none() {
        let object =
            json!({"a": {"b": [1, -2.5]}, "t": " 3.5 ", "yes": true, "none": null, "word": "dry", "inf": "inf"});
        let check = |pointer: &str, found: Found| {
            assert_eq!(Place::Pointer(pointer.into()).find(Some(&object), None), found, "{pointer}");
        };
        check("/a/b/1", Found::Number(-2.5));
        check("/t", Found::Number(3.5));
        check("/yes", Found::Number(1.0));
        check("/none", Found::Missing);
        check("/word", Found::NotANumber);
        check("/inf", Found::NotANumber);
        check("/a", Found::NotANumber);
        check("/gone", Found::Nothing);
    }

    #[test]
    fn mqtt_bytes_are_read_in_both_orders_and_never_past_the_end() {
        let raw = [0xff, 0x01, 0x02, 0x41, 0x48, 0, 0, 0x7f, 0xc0, 0, 0];
        let check = |number, at, found: Found| {
            assert_eq!(Place::Bytes { at, number }.find(None, Some(&raw)), found, "{number:?} {at}");
        };
        check(ByteNumber::I8, 0, Found::Number(-1.0));
        check(ByteNumber::U16, 1, Found::Number(258.0));
        check(ByteNumber::U16Le, 1, Found::Number(513.0));
        check(ByteNumber::F32, 3, Found::Number(12.5));
        check(ByteNumber::F32, 7, Found::Missing); // Not a number.
        check(ByteNumber::U32, 9, Found::Missing);
        check(ByteNumber::U8, usize::MAX, Found::Missing);
        assert_eq!(Place::Bytes { at: 0, number: ByteNumber::U8 }.find(None, None), Found::Nothing);
    }
}
