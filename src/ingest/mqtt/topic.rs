//! Topics and topic patterns: `+` stands for one level, a last `#` for the rest. Pure.

use std::fmt;

/// Longest topic that is looked at, bytes; the protocol's own bound is 65,535.
pub(super) const TOPIC_MAX: usize = 1024;

/// A topic pattern that a broker can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPattern(String);

impl TopicPattern {
    /// From text such as `bureau/+/stage`; `None` when the protocol would refuse it, or when it names the broker's own
    /// topics (`$…`).
    pub fn of_text(text: &str) -> Option<Self> {
        let last = text.split('/').count() - 1;
        let level = |(at, level): (usize, &str)| match level {
            "+" => true,
            "#" => at == last,
            plain => !plain.contains(['+', '#', '\0']),
        };
        let good = !text.is_empty()
            && text.len() <= TOPIC_MAX
            && !text.starts_with('$')
            && text.split('/').enumerate().all(level);
        good.then(|| Self(text.to_owned()))
    }
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// What stands in the place of the wildcards, joined by `/`; the whole topic where there are none; `None` when the
    /// topic does not match.
    pub fn capture(&self, topic: &str) -> Option<String> {
        let (mut levels, mut caught) = (topic.split('/'), Vec::new());
        let mut wild = false;
        for wanted in self.0.split('/') {
            match wanted {
                "#" => {
                    caught.extend(levels.by_ref());
                    return Some(caught.join("/"));
                }
                "+" => {
                    wild = true;
                    caught.push(levels.next()?);
                }
                plain if levels.next() == Some(plain) => {}
                _ => return None,
            }
        }
        match levels.next() {
            Some(_) => None,
            None if wild => Some(caught.join("/")),
            None => Some(topic.to_owned()),
        }
    }
}

impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mqtt_patterns_catch_what_stands_for_their_wildcards() {
        let check = |pattern: &str, topic: &str, caught: Option<&str>| {
            let pattern = TopicPattern::of_text(pattern).unwrap();
            assert_eq!(pattern.capture(topic).as_deref(), caught, "{pattern} {topic}");
        };
        check("bureau/+/stage", "bureau/madu/stage", Some("madu"));
        check("bureau/+/stage", "bureau/madu/flow", None);
        check("bureau/+/stage", "bureau/madu/stage/x", None);
        check("bureau/+/stage", "bureau/stage", None);
        check("+/+", "a/b", Some("a/b"));
        check("+/+", "a/", Some("a/"));
        check("a/b", "a/b", Some("a/b"));
        check("a/#", "a/b/c", Some("b/c"));
        check("a/#", "a", Some(""));
        check("application/7/device/+/event/up", "application/7/device/24e1/event/up", Some("24e1"));
    }

    #[test]
    fn mqtt_patterns_that_no_broker_takes_are_refused() {
        for text in ["", "a/#/b", "a/b#", "a+/b", "$SYS/#", "a\0b", &"x".repeat(2000)] {
            assert_eq!(TopicPattern::of_text(text), None, "{text:?}");
        }
    }
}
