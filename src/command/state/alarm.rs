//! Alarms, one a cause.

use super::State;
use crate::command::{Actor, Entry, Fact, Severity, Words};
use crate::model::Timestamp;

/// Something that needs eyes.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// One key a cause.
    pub key: String,
    /// How bad.
    pub severity: Severity,
    /// Words for the wall.
    pub title: Words,
    /// How often it was raised since it is open.
    pub count: u32,
    /// First.
    pub since: Timestamp,
    /// Last.
    pub last: Timestamp,
    /// Who took note, and when.
    pub minded: Option<(Timestamp, Actor)>,
    /// Put aside until.
    pub shelved_until: Option<Timestamp>,
    /// The cause is gone.
    pub closed: bool,
}

impl State {
    pub(super) fn apply_alarm(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::AlarmRaised { alarm: key, severity, title } => {
                let open = self.alarms.get(key).filter(|alarm| !alarm.closed);
                let (count, since) = open.map_or((1, entry.at), |alarm| (alarm.count + 1, alarm.since));
                let alarm = Alarm {
                    key: key.clone(),
                    severity: *severity,
                    title: title.clone(),
                    count,
                    since,
                    last: entry.at,
                    minded: None,
                    shelved_until: None,
                    closed: false,
                };
                self.alarms.insert(key.clone(), alarm);
            }
            Fact::AlarmMinded { alarm, by, shelved_until } => {
                if let Some(alarm) = self.alarms.get_mut(alarm) {
                    alarm.minded = Some((entry.at, by.clone()));
                    alarm.shelved_until = *shelved_until;
                }
            }
            Fact::AlarmClosed { alarm } => {
                if let Some(alarm) = self.alarms.get_mut(alarm) {
                    alarm.closed = true;
                }
            }
            _ => {}
        }
    }
}
