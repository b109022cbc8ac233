//! `hooks.toml`: which sources may speak, and what their events mean here.

use super::HookSecret;
use crate::ingest::FileFault;
use crate::model::{PlaceId, Reach, Timestamp};
use crate::playbook::SignalKey;
use chrono::DateTime;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Longest text that a rule may make, in characters.
const TEXT_MAX: usize = 300;

/// All sources of a site.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookMap {
    /// By name.
    #[serde(default)]
    pub source: Vec<HookSource>,
}

/// One source.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookSource {
    /// Its name in the address: `/api/v1/hooks/<name>`.
    pub name: String,
    /// What it signs with.
    pub secret: HookSecret,
    /// An alarm when nothing came for so many seconds; absent: never.
    pub silent_after_s: Option<u32>,
    /// JSON pointer to the moment of the event (RFC 3339); absent: when it came.
    pub time: Option<String>,
    /// Its own word for a place (a camera) → place of the reach.
    #[serde(default)]
    pub places: BTreeMap<String, String>,
    /// The first rule that fits counts.
    #[serde(default)]
    pub rule: Vec<Rule>,
}

/// What an event means.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// JSON pointer → text or number that must stand there.
    #[serde(default)]
    when: BTreeMap<String, toml::Value>,
    /// JSON pointer → number that must be reached.
    #[serde(default)]
    at_least: BTreeMap<String, f64>,
    /// JSON pointer to the source's word for the place.
    place: Option<String>,
    /// A reading of a series.
    reading: Option<ReadingRule>,
    /// A signal of the trigger language that holds at the place.
    signal: Option<SignalRule>,
    /// A report that a person looks at.
    report: Option<ReportRule>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadingRule {
    series: String,
    value: String,
    unit: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignalRule {
    name: SignalKey,
    hold_s: u32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportRule {
    text: String,
}

/// What the map makes of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// A reading, not yet checked.
    Reading {
        /// `<station>.<quantity>`.
        series: String,
        /// The number.
        value: f64,
        /// Its unit, if the map says one.
        unit: Option<String>,
    },
    /// A signal holds at a place for a while.
    Signal {
        /// Which.
        key: SignalKey,
        /// Where.
        place: PlaceId,
        /// Seconds from the event on.
        hold_s: u32,
    },
    /// A person looks at it.
    Report {
        /// Where, if the event says it.
        place: Option<PlaceId>,
        /// What, in words.
        text: String,
    },
    /// The rule fits, but what it wants of the event cannot be read: a word in place of a number, a place that the map does not know.
    Misread {
        /// Where it should stand.
        pointer: String,
        /// What is wrong there, in both languages.
        words: String,
    },
}

/// A time that stands in an event and is none; it is never taken for now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found} 不是带时区的 RFC 3339 时间，如 2026-07-18T14:05:00+08:00 (not an RFC 3339 time with an offset)")]
pub struct NoMoment {
    /// Where it stands.
    pub pointer: String,
    /// The beginning of what stands there.
    pub found: String,
}

impl HookMap {
    /// Reads the file and checks it against the reach.
    ///
    /// # Errors
    /// The first fault, by file and line where the reader knows it.
    pub fn load(file: &str, text: &str, reach: &Reach) -> Result<Self, FileFault> {
        let map: Self = toml::from_str(text).map_err(|cause| FileFault::toml(file, text, &cause))?;
        let wrong = |what: String| FileFault::at(file, 1, 1, what, "mend the source (修改该来源)");
        let mut names = std::collections::BTreeSet::new();
        for source in &map.source {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            if source.name.is_empty() || source.name.len() > 40 || !source.name.bytes().all(plain) {
                return Err(wrong(format!("source {:?}: a name has 1 to 40 letters, digits, - or _", source.name)));
            }
            if !names.insert(&source.name) {
                return Err(wrong(format!("source {} is there twice", source.name)));
            }
            if let Some(unknown) = source.places.values().find(|id| reach.place(&PlaceId::new(id)).is_none()) {
                return Err(wrong(format!("source {}: no place {unknown} in the reach", source.name)));
            }
            source
                .rule
                .iter()
                .try_for_each(|rule| rule.check())
                .map_err(|fault| wrong(format!("source {}: {fault}", source.name)))?;
        }
        Ok(map)
    }

    /// The source of that name.
    pub fn source(&self, name: &str) -> Option<&HookSource> {
        self.source.iter().find(|source| source.name == name)
    }
}

impl Rule {
    fn check(&self) -> Result<(), String> {
        let pointers = self.when.keys().chain(self.at_least.keys()).chain(&self.place);
        let pointers = pointers.chain(self.reading.iter().map(|reading| &reading.value));
        if let Some(bad) = pointers.into_iter().find(|pointer| !pointer.starts_with('/')) {
            return Err(format!("{bad:?} is no JSON pointer: it begins with /"));
        }
        if self.reading.is_none() && self.signal.is_none() && self.report.is_none() {
            return Err("a rule makes a reading, a signal or a report".into());
        }
        if let Some(signal) = &self.signal {
            if signal.name.name() != "intrusion" {
                return Err(format!("{} is not answered by events: only intrusion(\"river\") is", signal.name));
            }
            if self.place.is_none() || !(1..=86_400).contains(&signal.hold_s) {
                return Err("a signal needs `place` and hold_s of 1 to 86400".into());
            }
        }
        Ok(())
    }

    fn fits(&self, event: &Value) -> bool {
        let same = |wanted: &toml::Value, found: &Value| match wanted {
            toml::Value::String(text) => found.as_str() == Some(text),
            toml::Value::Integer(number) => found.as_i64() == Some(*number),
            toml::Value::Boolean(yes) => found.as_bool() == Some(*yes),
            _ => false,
        };
        self.when.iter().all(|(at, wanted)| event.pointer(at).is_some_and(|found| same(wanted, found)))
            && self
                .at_least
                .iter()
                .all(|(at, least)| event.pointer(at).and_then(Value::as_f64).is_some_and(|found| found >= *least))
    }
}

impl HookSource {
    /// When the event was, by itself; `received` where it says nothing about it.
    ///
    /// # Errors
    /// What stands there is no time.
    pub fn moment(&self, event: &Value, received: Timestamp) -> Result<Timestamp, NoMoment> {
        let Some(pointer) = &self.time else { return Ok(received) };
        let Some(told) = event.pointer(pointer).filter(|told| !told.is_null()) else { return Ok(received) };
        let read = told.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        let none = || NoMoment { pointer: pointer.clone(), found: shown(told) };
        Ok(read.ok_or_else(none)?.to_utc())
    }

    /// What the event means; nothing when no rule fits.
    pub fn actions(&self, event: &Value) -> Vec<Action> {
        let Some(rule) = self.rule.iter().find(|rule| rule.fits(event)) else { return Vec::new() };
        let word = rule.place.as_ref().and_then(|at| event.pointer(at)).and_then(Value::as_str);
        let place = word.and_then(|word| self.places.get(word)).map(PlaceId::new);
        let mut actions = Vec::new();
        if let Some(reading) = &rule.reading {
            let found = event.pointer(&reading.value);
            actions.push(match found.and_then(Value::as_f64) {
                Some(value) => Action::Reading { series: reading.series.clone(), value, unit: reading.unit.clone() },
                None => misread(&reading.value, found, "须为数 (must be a number)"),
            });
        }
        if let Some(signal) = &rule.signal {
            actions.push(match (&place, &rule.place) {
                (Some(place), _) => {
                    Action::Signal { key: signal.name.clone(), place: place.clone(), hold_s: signal.hold_s }
                }
                (None, at) => {
                    let at = at.as_deref().unwrap_or_default();
                    misread(at, event.pointer(at), "映射中没有此地点 (the map has no such place)")
                }
            });
        }
        if let Some(report) = &rule.report {
            // A camera that the map does not know is named: a person finds out where it is.
            let whence = if place.is_none() {
                word.map_or(String::new(), |word| format!("（{word}）"))
            } else {
                String::new()
            };
            let text = format!("{}{whence}", filled(&report.text, event)).chars().take(TEXT_MAX).collect();
            actions.push(Action::Report { place, text });
        }
        actions
    }
}

fn misread(pointer: &str, found: Option<&Value>, words: &str) -> Action {
    let found = found.map_or_else(|| "缺失 (missing)".to_owned(), shown);
    Action::Misread { pointer: pointer.to_owned(), words: format!("{found}：{words}") }
}

/// The beginning of a value, for a message.
fn shown(value: &Value) -> String {
    value.to_string().chars().filter(|c| !c.is_control()).take(80).collect()
}

/// `{/data/count} 人` with what stands there.
fn filled(text: &str, event: &Value) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((pointer, behind)) = after.split_once('}') else { break };
        out.push_str(before);
        match event.pointer(pointer) {
            Some(Value::String(word)) => out.extend(word.chars().filter(|c| !c.is_control()).take(80)),
            Some(found @ (Value::Number(_) | Value::Bool(_))) => out.push_str(&found.to_string()),
            _ => out.push('?'),
        }
        rest = behind;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sample() -> &'static str {
        let page = include_str!("../../../docs/ingest/hooks.md");
        let (_, sample) = page.split_once("```toml\n# hooks.toml\n").unwrap();
        sample.split_once("```").unwrap().0
    }

    /// Without the places of the reach: those are looked up when the server starts.
    fn map() -> HookMap {
        toml::from_str(sample()).unwrap()
    }

    #[test]
    fn the_sample_makes_a_reading_a_signal_and_a_report() {
        let map = map();
        let source = map.source("video-huiji").unwrap();
        let people = json!({ "type": "people-on-levee", "data": { "count": 3, "camera": "cam-07", "time": "2026-07-18T02:00:00+08:00" } });
        let place = PlaceId::new("work-huayuankou");
        let key: SignalKey = "intrusion(\"river\")".parse().unwrap();
        assert_eq!(
            source.actions(&people),
            [
                Action::Signal { key, place: place.clone(), hold_s: 600 },
                Action::Report { place: Some(place), text: "堤顶发现 3 人".into() },
            ]
        );
        assert_eq!(source.moment(&people, Timestamp::UNIX_EPOCH), Ok("2026-07-17T18:00:00Z".parse().unwrap()));
        let gauge = json!({ "type": "water-gauge-read", "data": { "stage_cm": 9124.0 } });
        let reading = Action::Reading { series: "huayuankou.stage".into(), value: 9124.0, unit: Some("cm".into()) };
        assert_eq!(source.actions(&gauge), [reading]);
        assert_eq!(source.moment(&gauge, Timestamp::UNIX_EPOCH), Ok(Timestamp::UNIX_EPOCH));
        let unknown = json!({ "type": "road-flooded", "data": { "camera": "cam-99\n" } });
        let text = "道路积水，水深 ? 厘米（cam-99\n）".to_owned();
        assert_eq!(source.actions(&unknown), [Action::Report { place: None, text }]);
        for none in [json!({}), json!(null), json!({ "type": "people-on-levee", "data": { "count": 0 } }), json!([1])] {
            assert_eq!(source.actions(&none), []);
        }
    }

    #[test]
    fn what_an_event_says_and_nobody_can_read_is_told_and_never_guessed() {
        let map = map();
        let source = map.source("video-huiji").unwrap();
        for time in [json!("yesterday"), json!("2026-07-18 02:00:00"), json!(1_784_311_200), json!({})] {
            let fault = source.moment(&json!({ "data": { "time": time } }), Timestamp::UNIX_EPOCH).unwrap_err();
            assert_eq!(fault.pointer, "/data/time");
        }
        let check = |event: Value, pointer: &str, word: &str| {
            let actions = source.actions(&event);
            let found = actions.iter().find_map(|action| match action {
                Action::Misread { pointer, words } => Some((pointer.as_str(), words.as_str())),
                _ => None,
            });
            let (at, words) = found.unwrap_or_else(|| panic!("{actions:?}"));
            assert!(at == pointer && words.contains(word), "{at}: {words}");
        };
        check(json!({ "type": "water-gauge-read", "data": { "stage_cm": "abc" } }), "/data/stage_cm", "\"abc\"");
        check(json!({ "type": "water-gauge-read", "data": {} }), "/data/stage_cm", "缺失");
        let people = json!({ "type": "people-on-levee", "data": { "count": 3, "camera": "cam-99" } });
        check(people.clone(), "/data/camera", "cam-99");
        assert!(source.actions(&people).iter().any(|action| matches!(action, Action::Report { .. })), "a person looks");
    }

    #[test]
    fn a_map_that_cannot_be_is_refused_by_name() {
        let reach = Reach::default();
        let check = |from: &str, to: &str, word: &str| {
            assert!(sample().contains(from), "{from}");
            let fault = HookMap::load("hooks.toml", &sample().replace(from, to), &reach).unwrap_err().to_string();
            assert!(fault.contains(word), "{fault}");
        };
        check("video-huiji\"", "a b\"", "a name has");
        check("name = \"video", "nome = \"video", "nome");
        check("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "24 bytes");
        check("places = {", "places = { \"x\" = \"nowhere\", ", "in the reach");
        let places = "places = { \"cam-07\" = \"work-huayuankou\", \"cam-12\" = \"work-madu\" }";
        let without = sample().replace(places, "");
        assert!(HookMap::load("hooks.toml", &without, &reach).is_ok());
        let load =
            |from: &str, to: &str| HookMap::load("h", &without.replace(from, to), &reach).unwrap_err().to_string();
        assert!(load("\"/data/camera\"", "\"camera\"").contains("JSON pointer"));
        assert!(load("hold_s = 600", "hold_s = 0").contains("hold_s"));
        assert!(load("'intrusion(\"river\")'", "'q'").contains("only intrusion"));
        let twice = format!("{without}\n{without}");
        assert!(HookMap::load("h", &twice, &reach).unwrap_err().to_string().contains("twice"));
    }
}
