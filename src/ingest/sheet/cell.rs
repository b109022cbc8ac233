//! One cell: what it says as a number or as a moment.
//!
//! Numbers may be full-width, have thousands separators, or a unit behind them. Moments may be dates of any usual writing, the
//! serial number of a spreadsheet, 24:00, or carry an offset of their own; without one they are Beijing time (+08:00).

use super::book::short;
use crate::ingest::units::is_unit;
use crate::model::Timestamp;
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};

/// Hours that Beijing time is ahead of UTC.
const BEIJING_H: i32 = 8;
/// Serial numbers of spreadsheets that are taken for moments: 1954 to 2119. Below it a number is a year, an hour, a stage.
const SERIALS: std::ops::Range<f64> = 20_000.0..80_000.0;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing, or only blanks.
    Empty,
    /// Text, without blanks at its ends.
    Text(String),
    /// A number.
    Number(f64),
    /// A date with or without a time of day.
    Time(NaiveDateTime),
    /// An error of the spreadsheet: `#REF!`.
    Fault(String),
    /// Merged with a cell that holds a number: nobody knows whether the number was meant for this one.
    Merged,
}

/// What a cell says about a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Moment {
    /// A whole one.
    At(Timestamp),
    /// A day without an hour.
    Day(NaiveDate),
    /// An hour without a day: seconds since midnight, up to 24:00.
    Clock(u32),
}

impl Cell {
    /// A cell of a text file.
    pub fn of_text(text: &str) -> Self {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\u{3000}');
        if text.is_empty() {
            Self::Empty
        } else if text.starts_with('#') && text.ends_with(['!', '?', 'A']) && text.len() < 12 {
            Self::Fault(text.to_owned())
        } else {
            Self::Text(short(text))
        }
    }

    /// As it is shown.
    pub fn text(&self) -> String {
        match self {
            Self::Empty | Self::Merged => String::new(),
            Self::Text(text) | Self::Fault(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Time(at) => at.format("%Y-%m-%d %H:%M:%S").to_string(),
        }
    }

    /// Whether the cell says that there is no value: nothing, a dash, 缺测.
    pub fn says_none(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => matches!(
                plain(text).to_lowercase().as_str(),
                "-" | "--"
                    | "---"
                    | "—"
                    | "——"
                    | "…"
                    | "/"
                    | "缺"
                    | "缺测"
                    | "停测"
                    | "无"
                    | "null"
                    | "nan"
                    | "na"
                    | "n/a"
            ),
            Self::Fault(text) => text == "#N/A",
            _ => false,
        }
    }

    /// The number, and the unit behind it if there is one.
    ///
    /// # Errors
    /// Why it is no number, in the two languages.
    pub fn number(&self) -> Result<(f64, Option<String>), String> {
        let no = |text: &str| format!("{text:?} 不是数 (not a number)");
        match self {
            Self::Number(number) if number.is_finite() => Ok((*number, None)),
            Self::Number(_) => Err(no("∞")),
            Self::Text(text) => number_of(&plain(text)).ok_or_else(|| no(text)),
            Self::Fault(text) => Err(format!("单元格出错 {text} (an error of the spreadsheet)")),
            Self::Time(at) => Err(format!("是日期 {at}，不是数 (a date, not a number)")),
            Self::Merged => Err("与上一格合并，不知此值是否也属于本格 (merged with another number)".into()),
            Self::Empty => Err("空 (empty)".into()),
        }
    }

    /// The moment.
    ///
    /// # Errors
    /// Why it is none, in the two languages.
    pub fn moment(&self) -> Result<Moment, String> {
        let no = |text: &str| format!("{text:?} 不是时间 (not a time)");
        match self {
            Self::Time(at) => Ok(of_naive(*at)),
            Self::Number(number) => of_number(*number).ok_or_else(|| no(&number.to_string())),
            Self::Text(text) => moment_of(&plain(text)).ok_or_else(|| no(text)),
            Self::Fault(text) => Err(format!("单元格出错 {text} (an error of the spreadsheet)")),
            Self::Empty | Self::Merged => Err("没有时间 (no time)".into()),
        }
    }
}

/// Full-width characters as plain ones.
pub(super) fn plain(text: &str) -> String {
    let narrow = text.chars().map(|c| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' | '\u{a0}' => ' ',
        '−' => '-',
        other => other,
    });
    narrow.collect::<String>().trim().to_owned()
}

/// Beijing time as a moment.
pub(super) fn beijing(at: NaiveDateTime) -> Option<Timestamp> {
    let zone = FixedOffset::east_opt(BEIJING_H * 3600)?;
    zone.from_local_datetime(&at).single().map(|at| at.to_utc())
}

/// Spreadsheets keep moments as fractions of a day: 08:00 may be 07:59:59.999.
pub(super) fn whole_second(at: NaiveDateTime) -> NaiveDateTime {
    let ms = at.and_utc().timestamp_millis();
    let second = (ms + 500).div_euclid(1000);
    DateTime::from_timestamp(second, 0).map_or(at, |at| at.naive_utc())
}

fn of_naive(at: NaiveDateTime) -> Moment {
    if at.time() == NaiveTime::MIN {
        Moment::Day(at.date())
    } else {
        beijing(at).map_or(Moment::Day(at.date()), Moment::At)
    }
}

/// A serial number, a fraction of a day, or digits of a date.
fn of_number(number: f64) -> Option<Moment> {
    if SERIALS.contains(&number) {
        let seconds = (number * 86_400.0).round() as i64;
        let base = NaiveDate::from_ymd_opt(1899, 12, 30)?.and_time(NaiveTime::MIN);
        return Some(of_naive(base.checked_add_signed(TimeDelta::seconds(seconds))?));
    }
    if (0.0..1.0).contains(&number) {
        return Some(Moment::Clock((number * 86_400.0).round() as u32));
    }
    if (1.0..=24.0).contains(&number) && number.fract() == 0.0 {
        return Some(Moment::Clock(number as u32 * 3600));
    }
    if number.fract() == 0.0 && (1.0e7..1.0e14).contains(&number) {
        return moment_of(&format!("{number:.0}"));
    }
    None
}

fn number_of(text: &str) -> Option<(f64, Option<String>)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '+' | '-' | '.' | ',' | 'e' | 'E'));
    let (digits, unit) = match end {
        Some(end) => (text.get(..end)?.trim(), text.get(end..)?.trim()),
        None => (text, ""),
    };
    // 2.5e3 is a number, 2.5e is a unit that nobody knows.
    if !unit.is_empty() && !is_unit(unit) {
        return None;
    }
    let value = without_thousands(digits)?.parse::<f64>().ok().filter(|value| value.is_finite())?;
    Some((value, (!unit.is_empty()).then(|| unit.to_owned())))
}

/// 22,300.5 but not 22,3005 and not 22,30: a comma that is no thousands separator may be a decimal one.
fn without_thousands(digits: &str) -> Option<String> {
    if !digits.contains(',') {
        return Some(digits.to_owned());
    }
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut groups = whole.trim_start_matches(['+', '-']).split(',');
    let first = groups.next()?;
    let good = (1..=3).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_digit())
        && groups.all(|group| group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit()))
        && fraction.is_none_or(|fraction| !fraction.contains(','));
    good.then(|| digits.replace(',', ""))
}

fn moment_of(text: &str) -> Option<Moment> {
    let text = text.trim().trim_start_matches("北京时间").trim();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(Moment::At(at.to_utc()));
    }
    if let Ok(number) = text.parse::<f64>()
        && (text.contains('.') || number < 1.0e6)
    {
        return of_number(number);
    }
    let digits: Vec<u32> = parts(text)?;
    match digits.as_slice() {
        [whole] if text.len() == 8 => day(whole / 10_000, whole / 100 % 100, whole % 100).map(Moment::Day),
        [year, month, date] if *year > 31 => day(*year, *month, *date).map(Moment::Day),
        [year, month, date, hour] if *year > 31 => at(day(*year, *month, *date)?, *hour, 0, 0),
        [year, month, date, hour, minute] => at(day(*year, *month, *date)?, *hour, *minute, 0),
        [year, month, date, hour, minute, second] => at(day(*year, *month, *date)?, *hour, *minute, *second),
        [hour, minute] if text.contains([':', '时']) => clock(*hour, *minute, 0).map(Moment::Clock),
        [hour] if text.ends_with('时') => clock(*hour, 0, 0).map(Moment::Clock),
        [hour, minute, second] if text.contains(':') => clock(*hour, *minute, *second).map(Moment::Clock),
        _ => None,
    }
}

/// The numbers of a date, if nothing else but the usual marks stands between them. Digits in one go are cut: YYYYMMDDHHMM[SS].
fn parts(text: &str) -> Option<Vec<u32>> {
    let marks = |c: char| {
        matches!(c, '-' | '/' | '.' | ':' | ' ' | 'T' | '年' | '月' | '日' | '号' | '时' | '点' | '分' | '秒')
    };
    if !text.chars().all(|c| c.is_ascii_digit() || marks(c)) {
        return None;
    }
    let mut numbers = Vec::new();
    for word in text.split(marks).filter(|word| !word.is_empty()) {
        let cut: &[usize] = match (word.len(), numbers.len()) {
            (10, 0) => &[4, 2, 2, 2],
            (12, 0) => &[4, 2, 2, 2, 2],
            (14, 0) => &[4, 2, 2, 2, 2, 2],
            (8, 0) if text.len() > 8 => &[4, 2, 2],
            (4, 3) => &[2, 2],
            _ => &[],
        };
        if cut.is_empty() {
            numbers.push(word.parse().ok()?);
            continue;
        }
        let mut rest = word;
        for length in cut {
            let (head, tail) = rest.split_at_checked(*length)?;
            numbers.push(head.parse().ok()?);
            rest = tail;
        }
    }
    (!numbers.is_empty() && numbers.len() <= 6).then_some(numbers)
}

fn day(year: u32, month: u32, date: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(i32::try_from(year).ok().filter(|year| (1800..=2200).contains(year))?, month, date)
}

fn clock(hour: u32, minute: u32, second: u32) -> Option<u32> {
    let possible = (hour < 24 && minute < 60 && second < 60) || (hour == 24 && minute == 0 && second == 0);
    possible.then_some(hour * 3600 + minute * 60 + second)
}

fn at(day: NaiveDate, hour: u32, minute: u32, second: u32) -> Option<Moment> {
    join(day, clock(hour, minute, second)?).map(Moment::At)
}

/// A day and seconds since its midnight; 24:00 is the next midnight.
pub(super) fn join(day: NaiveDate, seconds: u32) -> Option<Timestamp> {
    beijing(day.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::seconds(i64::from(seconds)))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them_and_nothing_else_is() {
        let check = |text: &str, expected: Option<(f64, Option<&str>)>| {
            let found = Cell::of_text(text).number().ok();
            assert_eq!(found, expected.map(|(value, unit)| (value, unit.map(str::to_owned))), "{text}");
        };
        check("91.24", Some((91.24, None)));
        check(" ９１．２４ ", Some((91.24, None)));
        check("22,300", Some((22_300.0, None)));
        check("1,234,567.5", Some((1_234_567.5, None)));
        check("２２，３００", Some((22_300.0, None)));
        check("-0.35", Some((-0.35, None)));
        check("－0.35", Some((-0.35, None)));
        check("2.23e4", Some((22_300.0, None)));
        check("9124 cm", Some((9124.0, Some("cm"))));
        check("22300m³/s", Some((22_300.0, Some("m³/s"))));
        for text in
            ["22,30", "22,3005", "91,24", "9 1", "91.2.4", "91.24*", "(91.24)", "约91", "91米多", "1e999", "∞", "#REF!"]
        {
            check(text, None);
        }
    }

    #[test]
    fn no_value_is_said_in_many_ways() {
        for text in ["", "  ", "　", "-", "—", "——", "缺测", "NaN", "#N/A", "null", "／"] {
            assert!(Cell::of_text(text).says_none(), "{text:?}");
        }
        for text in ["0", "#REF!", "缺水", "M"] {
            assert!(!Cell::of_text(text).says_none(), "{text:?}");
        }
    }

    #[test]
    fn moments_are_beijing_time_unless_they_say_otherwise() {
        let whole = |text: &str, utc: &str| {
            let expected = Moment::At(utc.parse().unwrap());
            assert_eq!(Cell::of_text(text).moment(), Ok(expected), "{text}");
        };
        for text in [
            "2026-07-18 14:05",
            "2026/7/18 14:05:00",
            "2026.07.18 14:05",
            "2026年7月18日14时5分",
            "2026年07月18日 14:05",
            "２０２６－０７－１８ １４：０５",
            "2026-07-18T14:05:00+08:00",
            "2026-07-18T06:05:00Z",
            "202607181405",
            "20260718140500",
            "20260718 1405",
            "46221.5868055556",
            "北京时间2026-07-18 14:05",
        ] {
            whole(text, "2026-07-18T06:05:00Z");
        }
        whole("2026-07-18 24:00", "2026-07-18T16:00:00Z");
        whole("2026-7-18 8时", "2026-07-18T00:00:00Z");
        whole("2026071808", "2026-07-18T00:00:00Z");
        whole("1958-07-17 23:30", "1958-07-17T15:30:00Z");
        let day = NaiveDate::from_ymd_opt(2026, 7, 18).unwrap();
        for text in ["2026-07-18", "2026年7月18日", "20260718", "46221"] {
            assert_eq!(Cell::of_text(text).moment(), Ok(Moment::Day(day)), "{text}");
        }
        for (text, seconds) in
            [("8", 28_800), ("8时", 28_800), ("08:30", 30_600), ("24:00", 86_400), ("0.3333333333", 28_800)]
        {
            assert_eq!(Cell::of_text(text).moment(), Ok(Moment::Clock(seconds)), "{text}");
        }
        for text in [
            "",
            "昨天",
            "2026-13-01 08:00",
            "2026-02-30 08:00",
            "2026-07-18 25:00",
            "2026-07-18 24:01",
            "7-18 08:00",
            "1",
            "91.24",
        ] {
            let found = Cell::of_text(text).moment();
            assert!(!matches!(found, Ok(Moment::At(_) | Moment::Day(_))), "{text}: {found:?}");
        }
    }
}
