//! The log: one line for each event that a duty officer can read, or one JSON object for a collector.
//!
//! In: events of `tracing`. Out: lines on standard error, in Beijing time for people, UTC for machines. Mobile numbers
//! and anything in a field named like a secret are masked here, whoever wrote them; names of people do not belong into
//! log lines at all: log ids.

pub mod duty;

use super::clock::wall_now;
use super::config::{LogFormat, LogSection};
use crate::model::Timestamp;
use chrono::FixedOffset;
use std::fmt::{Debug, Write as _};
use std::io::Write as _;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer};

/// Fields whose value is never written.
const SECRET_FIELDS: [&str; 5] = ["password", "token", "secret", "cookie", "authorization"];

/// Starts the log. `ANLAN_LOG` (`debug`, `anlan::ingest=debug,info`) goes before the configuration.
pub fn start(settings: &LogSection) -> Result<(), TryInitError> {
    let level = settings.verbosity.as_level();
    let filter = std::env::var("ANLAN_LOG").ok().and_then(|asked| EnvFilter::try_new(asked).ok());
    // Libraries speak only of faults; their debug lines may hold what people typed.
    let filter = filter.unwrap_or_else(|| EnvFilter::new(format!("warn,anlan={level}")));
    tracing_subscriber::registry().with(filter).with(Lines { format: settings.format }).try_init()
}

struct Lines {
    format: LogFormat,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let line = Line::of(event, wall_now());
        let text = match self.format {
            LogFormat::Text => line.text(),
            LogFormat::Json => line.json(),
        };
        // A log that cannot be written has nobody left to tell.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}

/// One event, ready to be written.
struct Line {
    at: Timestamp,
    level: Level,
    room: String,
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Line {
    fn of(event: &Event<'_>, at: Timestamp) -> Self {
        let meta = event.metadata();
        let mut path = meta.target().split("::");
        let room = match (path.next(), path.next()) {
            (Some("anlan"), Some(room)) => room,
            (Some(library), _) => library,
            (None, _) => "",
        };
        let mut line =
            Self { at, level: *meta.level(), room: room.to_owned(), message: String::new(), fields: Vec::new() };
        event.record(&mut line);
        line
    }

    fn text(&self) -> String {
        let beijing = FixedOffset::east_opt(8 * 3600).map(|offset| self.at.with_timezone(&offset));
        let time = beijing.map_or_else(|| self.at.to_string(), |at| at.format("%m-%d %H:%M:%S").to_string());
        let word = match self.level {
            Level::ERROR => "错误 ERROR",
            Level::WARN => "警告 WARN ",
            Level::INFO => "信息 INFO ",
            _ => "调试 DEBUG",
        };
        let mut text = format!("{time} {word} [{}] {}", self.room, one_line(&self.message));
        for (name, value) in &self.fields {
            let _ = write!(text, " {name}={}", one_line(value));
        }
        text
    }

    fn json(&self) -> String {
        let mut object = serde_json::Map::new();
        for (name, value) in &self.fields {
            object.insert((*name).to_owned(), value.as_str().into());
        }
        let own = [
            ("time", self.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)),
            ("verbosity", self.level.as_str().to_lowercase()),
            ("room", self.room.clone()),
            ("message", self.message.clone()),
        ];
        object.extend(own.map(|(name, value)| (name.to_owned(), value.into())));
        serde_json::Value::Object(object).to_string()
    }

    fn note(&mut self, field: &Field, value: String) {
        let value = mask_mobile_numbers(&value);
        match field.name() {
            "message" => self.message = value,
            name if SECRET_FIELDS.iter().any(|secret| name.contains(secret)) => self.fields.push((name, "***".into())),
            name => self.fields.push((name, value)),
        }
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, value.to_owned());
    }
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.note(field, format!("{value:?}"));
    }
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut next = value.source();
        while let Some(cause) = next {
            let _ = write!(text, ": {cause}");
            next = cause.source();
        }
        self.note(field, text);
    }
}

/// Nothing that came from outside may begin a line of its own.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Writes `138****5678` for every run of exactly eleven digits that begins like a mobile number.
fn mask_mobile_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut digits = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let mobile = digits.len() == 11 && digits.starts_with('1') && !digits.starts_with("10");
        match (mobile, digits.get(..3), digits.get(7..)) {
            (true, Some(head), Some(tail)) => {
                let _ = write!(out, "{head}****{tail}");
            }
            _ => out.push_str(&digits),
        }
        digits.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Keeps lines instead of writing them.
    struct Kept(Arc<Mutex<Vec<(String, String)>>>);
    impl<S: Subscriber> Layer<S> for Kept {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let line = Line::of(event, Timestamp::from_timestamp(1_784_000_000, 0).unwrap());
            self.0.lock().unwrap().push((line.text(), line.json()));
        }
    }

    /// Every line as text and as JSON.
    pub(super) fn all_logged(write: impl FnOnce()) -> Vec<(String, String)> {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::registry().with(Kept(kept.clone()));
        tracing::subscriber::with_default(subscriber, write);
        std::mem::take(&mut kept.lock().unwrap())
    }

    fn logged(write: impl FnOnce()) -> (String, String) {
        all_logged(write).pop().unwrap()
    }

    #[test]
    fn log_line_is_readable_and_in_beijing_time() {
        let (text, json) = logged(|| {
            tracing::warn!(target: "anlan::ingest::modbus", station = "huayuankou", age_s = 540, "gauge is silent 测站无数据");
        });
        assert_eq!(text, "07-14 11:33:20 警告 WARN  [ingest] gauge is silent 测站无数据 station=huayuankou age_s=540");
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["time"], "2026-07-14T03:33:20.000Z");
        assert_eq!((json["verbosity"].as_str(), json["room"].as_str()), (Some("warn"), Some("ingest")));
        assert_eq!(json["station"], "huayuankou");
    }

    #[test]
    fn log_masks_mobile_numbers_and_secrets_wherever_they_come_from() {
        let (text, json) = logged(|| {
            tracing::info!(to = "13812345678", session_token = "abc", "called 13987654321 about gauge 12345678901234");
        });
        for line in [&text, &json] {
            assert!(line.contains("138****5678") && line.contains("139****4321"), "{line}");
            assert!(!line.contains("abc") && !line.contains("13812345678"), "{line}");
            assert!(line.contains("12345678901234"), "a longer number is no mobile number: {line}");
        }
        assert_eq!(mask_mobile_numbers("10012345678 与 15000000000"), "10012345678 与 150****0000");
    }

    #[test]
    fn log_text_from_outside_cannot_forge_a_line() {
        let (text, json) = logged(|| tracing::info!(name = "x\n07-14 错误 ERROR all clear", "refused\u{1b}[2J"));
        assert_eq!(text.lines().count(), 1);
        assert!(!text.contains('\u{1b}'));
        assert_eq!(json.lines().count(), 1);
    }

    #[test]
    fn log_prints_an_error_with_its_causes() {
        let error = crate::store::StoreError::from_io(
            "write",
            std::path::Path::new("/d/a.db"),
            std::io::ErrorKind::NotFound.into(),
        );
        let (text, _) = logged(|| tracing::error!(error = &error as &dyn std::error::Error, "not stored"));
        assert!(text.contains("(cannot write /d/a.db): entity not found"), "{text}");
    }
}
