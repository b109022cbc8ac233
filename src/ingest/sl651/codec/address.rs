//! Who speaks: the address of a station (遥测站地址) and its class.

use std::fmt;
use std::str::FromStr;

/// Five bytes, written as ten hexadecimal digits; the key by which stations are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StationAddress(pub [u8; 5]);

impl StationAddress {
    /// The 8-digit code of a hydrological station (SL 502), for addresses that begin with 00.
    pub fn code(self) -> Option<String> {
        let Self([first, rest @ ..]) = self;
        (first == 0).then(|| rest.iter().map(|byte| format!("{byte:02X}")).collect())
    }
}

impl fmt::Display for StationAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// A text that is no station address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("station address {0:?} is not ten hexadecimal digits (测站地址应为 10 位十六进制)")]
pub struct NotAnAddress(pub String);

impl FromStr for StationAddress {
    type Err = NotAnAddress;
    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        Self::of_text(text.as_bytes()).ok_or_else(|| NotAnAddress(text.chars().take(40).collect()))
    }
}

impl StationAddress {
    /// From ten hexadecimal characters.
    pub fn of_text(text: &[u8]) -> Option<Self> {
        let bytes = hex_bytes(text)?;
        Some(Self(bytes.try_into().ok()?))
    }
}

/// The bytes that hexadecimal characters spell, capital or small.
pub fn hex_bytes(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    rest.is_empty().then_some(())?;
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// The number that at most eight hexadecimal characters spell.
pub fn hex_number(text: &[u8]) -> Option<u32> {
    (1..=8).contains(&text.len()).then_some(())?;
    text.iter().try_fold(0_u32, |sum, c| Some(sum << 4 | char::from(*c).to_digit(16)?))
}

/// Letter and Chinese name of a station class (测站分类码), e.g. `H` 河道.
pub fn class_name(class: u8) -> Option<(&'static str, &'static str)> {
    Some(match class {
        0x50 => ("P", "降水"),
        0x48 => ("H", "河道"),
        0x4b => ("K", "水库（湖泊）"),
        0x5a => ("Z", "闸坝"),
        0x44 => ("D", "泵站"),
        0x54 => ("T", "潮汐"),
        0x4d => ("M", "墒情"),
        0x47 => ("G", "地下水"),
        0x51 => ("Q", "水质"),
        0x49 => ("I", "取水口"),
        0x4f => ("O", "排水口"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sl651_addresses_as_text() {
        let address: StationAddress = "0010100001".parse().unwrap();
        assert_eq!((address.to_string().as_str(), address.code().as_deref()), ("0010100001", Some("10100001")));
        assert_eq!("1122334455".parse::<StationAddress>().unwrap().code(), None);
        for wrong in ["", "001010000", "00101000011", "00101g0001", "水文站一二三四"] {
            assert!(wrong.parse::<StationAddress>().is_err(), "{wrong}");
        }
        assert_eq!(hex_number(b"FFF"), Some(0xfff));
        assert_eq!(hex_number(b""), None);
    }
}
