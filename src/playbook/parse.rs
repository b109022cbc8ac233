//! The reader of the trigger language. Total: any text gives a condition or a fault with its place, never a panic.
//!
//! ```text
//! condition = group { "or" group }        group = part { "and" part }
//! part      = "(" condition ")" | signal [ ("<" | "<=" | ">" | ">=" | "==" | "!=") number ]
//! signal    = name [ "(" [ argument { "," argument } ] ")" ]
//! ```

use super::condition::{Comparison, Condition};
use super::signal::{Arg, SignalKey, Yields};
use std::ops::Range;

/// Brackets may nest this deep; a trigger that needs more cannot be read by an officer either.
pub const DEPTH_MAX: usize = 16;
/// Longest trigger text in bytes.
pub const LENGTH_MAX: usize = 2000;

/// Why a text is no trigger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{zh} {en}")]
pub struct TriggerFault {
    /// Byte offset in the text.
    pub offset: usize,
    /// 中文.
    pub zh: String,
    /// English.
    pub en: String,
    /// Whether the signal or its argument is unknown, as against a wrong sentence.
    pub unknown_signal: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Word(String),
    Number(f64),
    Compare(Comparison),
    Open,
    Close,
    Comma,
}

type Placed = (Token, Range<usize>);

/// Reads a trigger.
///
/// # Errors
/// The first fault, with its byte offset.
pub fn condition(text: &str) -> Result<Condition, TriggerFault> {
    let mut reader = Reader::new(text)?;
    let condition = reader.any(0)?;
    reader.end()?;
    Ok(condition)
}

/// Reads one signal, such as a key of a snapshot.
///
/// # Errors
/// The first fault, with its byte offset.
pub fn signal(text: &str) -> Result<SignalKey, TriggerFault> {
    let mut reader = Reader::new(text)?;
    let (key, _) = reader.signal()?;
    reader.end()?;
    Ok(key)
}

struct Reader {
    tokens: Vec<Placed>,
    next: usize,
    length: usize,
}

impl Reader {
    fn new(text: &str) -> Result<Self, TriggerFault> {
        if text.len() > LENGTH_MAX {
            return Err(fault(LENGTH_MAX, "条件过长", "the condition is too long"));
        }
        Ok(Self { tokens: tokens(text)?, next: 0, length: text.len() })
    }
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }
    fn span(&self) -> Range<usize> {
        self.tokens.get(self.next).map_or(self.length..self.length, |(_, span)| span.clone())
    }
    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.peek() == Some(wanted);
        self.next += usize::from(found);
        found
    }
    fn take_name(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Name(name)) if name == wanted);
        self.next += usize::from(found);
        found
    }
    fn end(&self) -> Result<(), TriggerFault> {
        if self.next == self.tokens.len() {
            return Ok(());
        }
        Err(fault(
            self.span().start,
            "条件到此应结束，或缺少 and / or",
            "the condition should end here, or `and` / `or` is missing",
        ))
    }

    fn any(&mut self, depth: usize) -> Result<Condition, TriggerFault> {
        if depth > DEPTH_MAX {
            return Err(fault(
                self.span().start,
                &format!("括号嵌套超过 {DEPTH_MAX} 层"),
                &format!("brackets nest deeper than {DEPTH_MAX}"),
            ));
        }
        let mut parts = vec![self.all(depth)?];
        while self.take_name("or") {
            parts.push(self.all(depth)?);
        }
        Ok(flattened(parts, Condition::Any, |part| match part {
            Condition::Any(parts) => Ok(parts),
            other => Err(other),
        }))
    }
    fn all(&mut self, depth: usize) -> Result<Condition, TriggerFault> {
        let mut parts = vec![self.part(depth)?];
        while self.take_name("and") {
            parts.push(self.part(depth)?);
        }
        Ok(flattened(parts, Condition::All, |part| match part {
            Condition::All(parts) => Ok(parts),
            other => Err(other),
        }))
    }
    fn part(&mut self, depth: usize) -> Result<Condition, TriggerFault> {
        if self.take(&Token::Open) {
            let inner = self.any(depth + 1)?;
            if !self.take(&Token::Close) {
                return Err(fault(self.span().start, "缺少右括号", "a closing bracket is missing"));
            }
            return Ok(inner);
        }
        let (signal, span) = self.signal()?;
        let yields = signal.spec().map_or(Yields::Number, |spec| spec.yields);
        let Some(Token::Compare(comparison)) = self.peek().cloned() else {
            return match yields {
                Yields::Answer => Ok(Condition::Holds { signal, span }),
                Yields::Number => Err(fault(
                    self.span().start,
                    &format!("{signal} 是数值，需要比较，如 {signal}>=1"),
                    &format!("{signal} is a number and needs a comparison, such as {signal}>=1"),
                )),
            };
        };
        if yields == Yields::Answer {
            return Err(fault(
                self.span().start,
                &format!("{signal} 只有是与否，不能比较"),
                &format!("{signal} is yes or no and cannot be compared"),
            ));
        }
        self.next += 1;
        let end = self.span();
        match self.peek() {
            Some(Token::Number(threshold)) => {
                let threshold = *threshold;
                self.next += 1;
                Ok(Condition::Compare { signal, comparison, threshold, span: span.start..end.end })
            }
            _ => Err(fault(end.start, "比较号后应为数字", "a number should follow the comparison")),
        }
    }

    fn signal(&mut self) -> Result<(SignalKey, Range<usize>), TriggerFault> {
        let start = self.span();
        let name = match self.peek() {
            Some(Token::Name(name)) if name != "and" && name != "or" => name.clone(),
            _ => return Err(fault(start.start, "此处应为信号名或括号", "a signal or a bracket should stand here")),
        };
        self.next += 1;
        let mut end = start.end;
        let mut args = Vec::new();
        if self.take(&Token::Open) {
            while !self.take(&Token::Close) {
                if !args.is_empty() && !self.take(&Token::Comma) {
                    return Err(fault(self.span().start, "参数之间应为逗号", "a comma should separate the arguments"));
                }
                args.push(self.argument()?);
            }
            end = self.tokens.get(self.next.saturating_sub(1)).map_or(end, |(_, span)| span.end);
        }
        match SignalKey::new(&name, args) {
            Ok(key) => Ok((key, start.start..end)),
            Err(unknown) => {
                Err(TriggerFault { offset: start.start, zh: unknown.zh, en: unknown.en, unknown_signal: true })
            }
        }
    }
    fn argument(&mut self) -> Result<Arg, TriggerFault> {
        let span = self.span();
        let arg = match self.peek() {
            Some(Token::Word(word)) => Arg::Word(word.as_str().into()),
            Some(Token::Number(number)) if number.fract() == 0.0 && (0.0..=100_000.0).contains(number) => {
                Arg::Number(*number as u32)
            }
            _ => {
                return Err(fault(
                    span.start,
                    "参数应为整数或引号中的词",
                    "an argument is a whole number or a word in quotes",
                ));
            }
        };
        self.next += 1;
        Ok(arg)
    }
}

/// One part alone is itself; nested groups of the same kind become one.
fn flattened(
    mut parts: Vec<Condition>,
    group: fn(Vec<Condition>) -> Condition,
    same: fn(Condition) -> Result<Vec<Condition>, Condition>,
) -> Condition {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    group(parts.into_iter().flat_map(|part| same(part).unwrap_or_else(|other| vec![other])).collect())
}

fn fault(offset: usize, zh: &str, en: &str) -> TriggerFault {
    TriggerFault { offset, zh: zh.into(), en: en.into(), unknown_signal: false }
}

fn tokens(text: &str) -> Result<Vec<Placed>, TriggerFault> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let start = text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(found) };
        let (token, length) = token(rest, first, start)?;
        found.push((token, start..start + length));
        rest = rest.get(length..).unwrap_or("");
    }
}

fn token(rest: &str, first: char, start: usize) -> Result<(Token, usize), TriggerFault> {
    let two = rest.get(..2).unwrap_or("");
    let compared = match (two, first) {
        (">=", _) => Some((Comparison::AtLeast, 2)),
        ("<=", _) => Some((Comparison::AtMost, 2)),
        ("==", _) => Some((Comparison::Equal, 2)),
        ("!=", _) => Some((Comparison::Unequal, 2)),
        (_, '>') => Some((Comparison::Above, 1)),
        (_, '<') => Some((Comparison::Below, 1)),
        _ => None,
    };
    if let Some((comparison, length)) = compared {
        return Ok((Token::Compare(comparison), length));
    }
    match first {
        '(' => Ok((Token::Open, 1)),
        ')' => Ok((Token::Close, 1)),
        ',' => Ok((Token::Comma, 1)),
        '"' => word(rest, start),
        _ if first.is_ascii_digit() => number(rest, start),
        _ if first.is_ascii_alphabetic() || first == '_' => {
            let length = length_while(rest, |c| c.is_ascii_alphanumeric() || c == '_');
            Ok((Token::Name(rest.get(..length).unwrap_or("").to_owned()), length))
        }
        '（' | '）' | '，' | '“' | '”' | '＞' | '＜' | '≥' | '≤' => {
            Err(fault(start, &format!("全角符号 {first} 请改为半角"), &format!("write {first} as an ASCII character")))
        }
        _ => Err(fault(start, &format!("不认识的字符 {first}"), &format!("unknown character {first:?}"))),
    }
}

fn word(rest: &str, start: usize) -> Result<(Token, usize), TriggerFault> {
    let inner = rest.get(1..).unwrap_or("");
    match inner.find('"') {
        Some(end) => Ok((Token::Word(inner.get(..end).unwrap_or("").to_owned()), end + 2)),
        None => Err(fault(start, "引号没有结束", "a quote is not closed")),
    }
}

fn number(rest: &str, start: usize) -> Result<(Token, usize), TriggerFault> {
    let length = length_while(rest, |c| c.is_ascii_digit() || c == '.');
    let text = rest.get(..length).unwrap_or("");
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((Token::Number(number), length)),
        _ => Err(fault(start, &format!("{text} 不是数字"), &format!("{text} is not a number"))),
    }
}

fn length_while(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(condition(text).unwrap().to_string(), expected);
    }
    fn check_fault(text: &str, offset: usize, word: &str) {
        let found = condition(text).unwrap_err();
        assert!(found.offset == offset && found.en.contains(word), "{text}: {found:?}");
    }

    #[test]
    fn and_binds_closer_than_or() {
        check("q>=1 or q<2 and night()", "q>=1 or (q<2 and night())");
        check("(q>=1 or q<2) and night()", "(q>=1 or q<2) and night()");
        check("((q>=1))", "q>=1");
        check("q>=1 or (q<2 or q<3)", "q>=1 or q<2 or q<3");
        check(" toe_eta() <= 4 ", "toe_eta()<=4");
    }

    #[test]
    fn faults_name_their_place() {
        check_fault("", 0, "signal");
        check_fault("q>=", 3, "number");
        check_fault("q>=4000 q<3", 8, "end here");
        check_fault("(q>=4000", 8, "closing");
        check_fault("q", 1, "needs a comparison");
        check_fault("night()>=1", 7, "cannot be compared");
        check_fault("q>=4000 and floow>=1", 12, "no signal floow");
        check_fault("hazard(\"fire\")", 0, "fire");
        check_fault("q≥4000", 1, "ASCII");
        check_fault("order(\"evac", 6, "not closed");
        check_fault("q>=1.2.3", 3, "not a number");
        check_fault("qf(2.5)>1", 3, "whole number");
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |depth: usize| format!("{}q>=1{}", "(".repeat(depth), ")".repeat(depth));
        assert!(condition(&nested(DEPTH_MAX)).is_ok());
        assert!(condition(&nested(DEPTH_MAX + 1)).unwrap_err().en.contains("deeper"));
        assert!(condition(&"(".repeat(100_000)).is_err());
    }

    fn any_condition() -> impl Strategy<Value = Condition> {
        let comparison = prop_oneof![
            Just(Comparison::AtLeast),
            Just(Comparison::Above),
            Just(Comparison::AtMost),
            Just(Comparison::Below),
            Just(Comparison::Equal),
            Just(Comparison::Unequal)
        ];
        let number = prop_oneof![Just("q"), Just("qf(24)"), Just("toe"), Just("toe_eta()"), Just("grade")];
        let answer =
            prop_oneof![Just("night()"), Just("order(\"evac\")"), Just("hazard(\"any\")"), Just("above(4000,72)")];
        let leaf = prop_oneof![
            (number, comparison, 0u32..1_000_000).prop_map(|(name, comparison, cents)| Condition::Compare {
                signal: name.parse().unwrap(),
                comparison,
                threshold: f64::from(cents) / 100.0,
                span: 0..0,
            }),
            answer.prop_map(|name| Condition::Holds { signal: name.parse().unwrap(), span: 0..0 }),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let parts = prop::collection::vec(inner, 2..4);
            prop_oneof![parts.clone().prop_map(Condition::All), parts.prop_map(Condition::Any)]
        })
    }

    proptest! {
        #[test]
        fn any_text_is_answered_without_panic(text in ".{0,200}") {
            let _ = condition(&text);
        }
        #[test]
        fn texts_of_the_alphabet_are_answered_without_panic(text in "[qa-f_()<>=!,.\" 0-9andor]{0,80}") {
            let _ = condition(&text);
        }
        #[test]
        fn a_written_condition_reads_back(tree in any_condition()) {
            let text = tree.to_string();
            let read = condition(&text).unwrap();
            prop_assert_eq!(&read.to_string(), &condition(&read.to_string()).unwrap().to_string());
            prop_assert_eq!(read.signals(), tree.signals());
            // Groups of the same kind are merged, so compare after one more round.
            prop_assert_eq!(condition(&read.to_string()).unwrap(), read);
        }
    }
}
