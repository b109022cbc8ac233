//! Bodies in the ASCII coding: serial number and time without a space, then `ID value ` pairs.

use super::address::{StationAddress, class_name, hex_bytes, hex_number};
use super::bcd::Moment;
use super::element::ElementId;
use super::report::{Group, Report, close};
use super::value::{BodyFault, Content, ELEMENTS_MAX, Element, Number, Void, Why, is_mark};

/// The words of a body, read one by one with the bytes behind them at hand.
struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.rest.iter().position(|byte| *byte != b' ')?;
        let from = self.rest.get(start..)?;
        let end = from.iter().position(|byte| *byte == b' ').unwrap_or(from.len());
        let (word, after) = from.split_at_checked(end)?;
        self.rest = after;
        Some(word)
    }
    fn peek(&self) -> Option<&'a [u8]> {
        Words { rest: self.rest }.next()
    }
    /// Everything behind the one space that ends the last word.
    fn take_rest(&mut self) -> Vec<u8> {
        let rest = self.rest.strip_prefix(b" ").unwrap_or(self.rest).to_vec();
        self.rest = &[];
        rest
    }
}

pub(super) fn decode(body: &[u8]) -> Result<Report, BodyFault> {
    let short = || BodyFault::NoHead { bytes: body.len() };
    let (head, rest) = body.split_at_checked(16).ok_or_else(short)?;
    let (serial, time) = head.split_at_checked(4).ok_or_else(short)?;
    let serial = hex_number(serial).and_then(|serial| u16::try_from(serial).ok()).ok_or_else(short)?;
    // A clock that was never set may send anything; it is then no time, and the report is kept.
    let sent = Moment::of_text(time).unwrap_or(Moment([0xff; 6]));
    let mut report = Report { serial, sent, groups: Vec::new(), faults: Vec::new() };
    let (mut group, mut elements) = (Group::default(), 0);
    let mut words = Words { rest };
    while let Some(word) = words.next() {
        elements += 1;
        if elements > ELEMENTS_MAX {
            report.faults.push(BodyFault::TooMany);
            break;
        }
        match word {
            b"ST" => {
                close(&mut report, &mut group);
                group.station = station(&mut words);
                if group.station.is_none() {
                    report.faults.push(unknown(word));
                }
            }
            b"TT" => {
                if group.observed.is_some() || !group.elements.is_empty() {
                    close(&mut report, &mut group);
                }
                group.observed = words.next().and_then(Moment::of_text);
                if group.observed.is_none() {
                    report.faults.push(unknown(word));
                }
            }
            _ => match element(word, &mut words) {
                Some(element) => group.elements.push(element),
                None => report.faults.push(unknown(word)),
            },
        }
    }
    close(&mut report, &mut group);
    Ok(report)
}

fn unknown(word: &[u8]) -> BodyFault {
    BodyFault::Unknown { word: String::from_utf8_lossy(word).chars().take(40).collect() }
}

/// Address, and the class letter where one follows: a letter before another identifier, not before a value.
fn station(words: &mut Words) -> Option<(StationAddress, Option<u8>)> {
    let address = StationAddress::of_text(words.next()?)?;
    let class = match words.peek() {
        Some([letter]) if class_name(*letter).is_some() => {
            let mut ahead = Words { rest: words.rest };
            ahead.next();
            let value_follows = ahead.next().is_some_and(is_value);
            (!value_follows).then_some(*letter)
        }
        _ => None,
    };
    if class.is_some() {
        words.next();
    }
    Some((address, class))
}

fn is_value(word: &[u8]) -> bool {
    word == b"M" || word.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-')
}

fn element(word: &[u8], words: &mut Words) -> Option<Element> {
    let text = std::str::from_utf8(word).ok()?;
    let id = match text.strip_prefix("DR").and_then(step) {
        Some(step) => return Some(Element { id: ElementId::Standard(0x04), content: Content::Step(step) }),
        None => ElementId::of_text(text)?,
    };
    let content = match id {
        ElementId::Standard(0xf2) => Content::Text(words.take_rest()),
        ElementId::Standard(0xf3) => Content::Picture(words.take_rest()),
        ElementId::Standard(0xf4) => {
            let cells = hex_bytes(words.next()?)?;
            Content::Rain(cells.into_iter().map(|cell| (cell != 0xff).then_some(cell)).collect())
        }
        ElementId::Standard(0xf5..=0xfc) => {
            let cells = hex_bytes(words.next()?)?;
            let cells = cells.as_chunks().0.iter().map(|cell| u16::from_be_bytes(*cell));
            Content::Stages(cells.map(|cell| (cell != 0xffff).then_some(cell)).collect())
        }
        ElementId::Standard(0x45) => Content::Status(hex_number(words.next()?)?),
        _ => number(id, words.next()?),
    };
    Some(Element { id, content })
}

/// `H01`, `N05`, `D01` behind `DR`: unit and count of a step.
fn step(text: &str) -> Option<[u8; 3]> {
    let mut letters = text.chars();
    let unit = letters.next()?;
    let count = letters.as_str();
    let count = (count.len() == 2).then(|| hex_number(count.as_bytes())).flatten()?;
    let count = u8::try_from(count).ok()?;
    match unit {
        'D' => Some([count, 0, 0]),
        'H' => Some([0, count, 0]),
        'N' => Some([0, 0, count]),
        _ => None,
    }
}

fn number(id: ElementId, word: &[u8]) -> Content {
    let void = |why| Content::Void(Void { bytes: word.to_vec(), decimals: 0, why });
    if word == b"M" {
        return void(Why::Missing);
    }
    match decimal(word) {
        None => void(Why::Unreadable),
        Some((digits, decimals)) if is_mark(id, digits, decimals) => void(Why::Missing),
        Some((digits, decimals)) => Content::Number(Number { digits, decimals, bytes: 0 }),
    }
}

/// Digits and how many stand behind the point; at most 18 and 7.
fn decimal(word: &[u8]) -> Option<(i64, u8)> {
    let text = std::str::from_utf8(word).ok()?;
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let sound = !(whole.is_empty() && part.is_empty()) && all_digits(whole) && all_digits(part);
    let short = part.len() <= 7 && whole.len() + part.len() <= 18;
    (sound && short).then_some(())?;
    let digits: i64 = format!("{whole}{part}").parse().ok()?;
    Some((if negative { -digits } else { digits }, u8::try_from(part.len()).ok()?))
}

pub(super) fn encode(report: &Report) -> Vec<u8> {
    let mut out = format!("{:04X}{}", report.serial, report.sent.text()).into_bytes();
    for group in &report.groups {
        if let Some((station, class)) = group.station {
            let class = class.and_then(class_name).map_or(String::new(), |(letter, _)| format!(" {letter}"));
            out.extend_from_slice(format!("ST {station}{class} ").as_bytes());
        }
        if let Some(observed) = group.observed {
            let text: String = observed.minute().iter().map(|byte| format!("{byte:02X}")).collect();
            out.extend_from_slice(format!("TT {text} ").as_bytes());
        }
        for element in &group.elements {
            write(element, &mut out);
        }
    }
    out
}

fn write(element: &Element, out: &mut Vec<u8>) {
    let name = super::report::name_of(element.id);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    let text = match &element.content {
        Content::Number(number) => plain(*number),
        Content::Void(void) if void.why == Why::Unreadable && void.bytes.is_ascii() && !void.bytes.is_empty() => {
            String::from_utf8_lossy(&void.bytes).into_owned()
        }
        Content::Void(_) => "M".to_owned(),
        Content::Rain(cells) => hex(&cells.iter().map(|cell| cell.unwrap_or(0xff)).collect::<Vec<u8>>()),
        Content::Stages(cells) => {
            hex(&cells.iter().flat_map(|cell| cell.unwrap_or(0xffff).to_be_bytes()).collect::<Vec<u8>>())
        }
        Content::Status(bits) => format!("{bits:08X}"),
        Content::Step(step) => {
            let (unit, count) = match step {
                [0, 0, minutes] => ('N', minutes),
                [0, hours, _] => ('H', hours),
                [days, ..] => ('D', days),
            };
            out.extend_from_slice(format!("DR{unit}{count:02X} ").as_bytes());
            return;
        }
        Content::Text(bytes) | Content::Picture(bytes) | Content::Bulk(bytes) => {
            out.extend_from_slice(name.as_bytes());
            out.push(b' ');
            out.extend_from_slice(bytes);
            return;
        }
    };
    out.extend_from_slice(format!("{name} {text} ").as_bytes());
}

/// A number with its point, every digit behind it kept.
fn plain(number: Number) -> String {
    let sign = if number.digits < 0 { "-" } else { "" };
    let decimals = usize::from(number.decimals);
    let digits = format!("{:0width$}", number.digits.unsigned_abs(), width = decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sl651_ascii_decimals() {
        for (word, expected) in [
            ("10.490", Some((10490, 3))),
            ("-0.5", Some((-5, 1))),
            ("7", Some((7, 0))),
            (".5", Some((5, 1))),
            ("", None),
            (".", None),
            ("-", None),
            ("1.2.3", None),
            ("1e5", None),
            ("1.00000000", None),
            ("1234567890123456789", None),
        ] {
            assert_eq!(decimal(word.as_bytes()), expected, "{word:?}");
        }
    }

    #[test]
    fn sl651_ascii_class_letter_is_told_from_an_element() {
        let check = |text: &str, class: Option<u8>, elements: usize| {
            let report = decode(format!("0001240101080000{text}").as_bytes()).unwrap();
            let group = &report.groups[0];
            assert_eq!((group.station.unwrap().1, group.elements.len()), (class, elements), "{text}");
            assert_eq!(report.faults, []);
        };
        check("ST 0012345678 H TT 2401010800 Z 10.490 ", Some(b'H'), 1);
        check("ST 0012345678 Z 10.490 VT 12.1 ", None, 2);
        check("ST 0012345678 Z M ", None, 1);
        check("ST 0012345678 Z Z 10.490 ", Some(b'Z'), 1);
    }

    #[test]
    fn sl651_ascii_text_keeps_its_spaces_and_unknown_words_are_told() {
        let report = decode(b"0001240101080000XYZ 5 Z M RGZS a  b ").unwrap();
        assert_eq!(report.faults.len(), 2, "{:?}", report.faults);
        assert_eq!(report.texts().collect::<Vec<_>>(), [b"a  b "]);
        assert_eq!(report.measured(StationAddress([0; 5]), chrono::DateTime::UNIX_EPOCH)[0].value, None);
    }
}
