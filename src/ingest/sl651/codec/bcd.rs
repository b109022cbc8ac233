//! Decimal digits in half bytes, and the times that are written with them.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};

/// Beijing time lies this far ahead of UTC.
const AHEAD: TimeDelta = TimeDelta::hours(8);

/// The number of one BCD byte, 0 to 99; `None` if a half byte is no digit.
pub fn pair(byte: u8) -> Option<u8> {
    let (tens, ones) = (byte >> 4, byte & 15);
    (tens < 10 && ones < 10).then_some(tens * 10 + ones)
}

/// The BCD byte of the last two digits of a number.
pub fn byte_of(number: u32) -> u8 {
    let [.., last] = (number % 100 / 10 * 16 + number % 10).to_be_bytes();
    last
}

/// The number that the bytes spell; `None` if a half byte is no digit or there are more than 18 digits that count.
pub fn number(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0_i64, |sum, byte| {
        let next = sum.checked_mul(100)?.checked_add(i64::from(pair(*byte)?))?;
        (next < 1_000_000_000_000_000_000).then_some(next)
    })
}

/// Puts a number into `width` BCD bytes; `None` if it does not fit or is negative.
pub fn digits(number: i64, width: usize) -> Option<Vec<u8>> {
    let mut left = u64::try_from(number).ok()?;
    let mut bytes = vec![0; width];
    for byte in bytes.iter_mut().rev() {
        *byte = byte_of(u32::try_from(left % 100).ok()?);
        left /= 100;
    }
    (left == 0).then_some(bytes)
}

/// A moment as it stands on the line (发报时间、观测时间): YYMMDDHHmmSS in Beijing time, kept even when it cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment(pub [u8; 6]);

impl Moment {
    /// The moment to the second.
    pub fn of(at: DateTime<Utc>) -> Self {
        let local = at + AHEAD;
        let year = u32::try_from(local.year().rem_euclid(100)).unwrap_or(0);
        let parts = [year, local.month(), local.day(), local.hour(), local.minute(), local.second()];
        Self(parts.map(byte_of))
    }
    /// From five bytes without seconds.
    pub fn of_minute([year, month, day, hour, minute]: [u8; 5]) -> Self {
        Self([year, month, day, hour, minute, 0])
    }
    /// The five bytes without seconds.
    pub fn minute(self) -> [u8; 5] {
        let Self([year, month, day, hour, minute, _]) = self;
        [year, month, day, hour, minute]
    }
    /// From twelve or ten decimal characters.
    pub fn of_text(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; 6];
        if !matches!(text.len(), 10 | 12) {
            return None;
        }
        for (byte, [tens, ones]) in bytes.iter_mut().zip(text.as_chunks().0) {
            let digit = |c: u8| c.is_ascii_digit().then(|| c - b'0');
            *byte = digit(*tens)? << 4 | digit(*ones)?;
        }
        Some(Self(bytes))
    }
    /// In UTC, in the century that brings it nearest to `now`; `None` if the digits are no date and time.
    pub fn utc(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let Self([year, month, day, hour, minute, second]) = self;
        let century = (now + AHEAD).year().div_euclid(100);
        let in_century = |century: i32| {
            let year = century * 100 + i32::from(pair(year)?);
            let date = NaiveDate::from_ymd_opt(year, u32::from(pair(month)?), u32::from(pair(day)?))?;
            let (hour, minute, second) = (pair(hour)?, pair(minute)?, pair(second)?);
            let local = date.and_hms_opt(u32::from(hour), u32::from(minute), u32::from(second))?;
            Some(local.and_utc() - AHEAD)
        };
        (century - 1..=century + 1).filter_map(in_century).min_by_key(|at| (*at - now).abs())
    }
    /// The digits as they stand on the line.
    pub fn text(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02X}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn sl651_bcd_numbers_and_what_is_none() {
        assert_eq!(number(&[0x00, 0x05, 0x50]), Some(550));
        assert_eq!(number(&[0x0a]), None);
        assert_eq!(number(&[0x99; 9]), Some(999_999_999_999_999_999));
        assert_eq!(number(&[0x99; 10]), None);
        assert_eq!(digits(550, 3), Some(vec![0, 0x05, 0x50]));
        assert_eq!(digits(1000, 1), None);
        assert_eq!(digits(-1, 4), None);
    }

    #[test]
    fn sl651_moments_fall_into_the_nearest_century() {
        let check = |digits: [u8; 6], now: &str, expected: Option<&str>| {
            assert_eq!(Moment(digits).utc(utc(now)), expected.map(utc), "{digits:02x?} at {now}");
        };
        check([0x20, 7, 0x24, 0x17, 0x23, 0x49], "2026-01-01T00:00:00Z", Some("2020-07-24T09:23:49Z"));
        check([0x58, 7, 0x17, 0, 0, 0], "1958-07-16T00:00:00Z", Some("1958-07-16T16:00:00Z"));
        check([0x99, 0x12, 0x31, 0x23, 0, 0], "2000-01-01T00:00:00Z", Some("1999-12-31T15:00:00Z"));
        check([0x25, 2, 0x29, 0, 0, 0], "2026-01-01T00:00:00Z", None);
        check([0x25, 0x1a, 1, 0, 0, 0], "2026-01-01T00:00:00Z", None);
        check([0xff; 6], "2026-01-01T00:00:00Z", None);
    }

    #[test]
    fn sl651_moments_survive_the_line() {
        let at = utc("2024-02-29T15:59:58Z");
        assert_eq!(Moment::of(at), Moment([0x24, 2, 0x29, 0x23, 0x59, 0x58]));
        assert_eq!(Moment::of(at).utc(at), Some(at));
        assert_eq!(Moment::of_text(b"240229235958"), Some(Moment::of(at)));
        assert_eq!(Moment::of_text(b"24022923595"), None);
    }
}
