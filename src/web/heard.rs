//! Webhooks of the site: who may speak, and when each source was last heard.

use crate::command::{Input, LastWord};
use crate::ingest::hooks::HookMap;
use crate::model::Timestamp;
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The sources of a site.
#[derive(Debug)]
pub struct Hooks {
    /// What their events mean.
    pub map: HookMap,
    heard: Mutex<Heard>,
}

#[derive(Debug)]
struct Heard {
    started: Timestamp,
    last: BTreeMap<String, Timestamp>,
    told: LastWord,
}

impl Hooks {
    /// Begins to listen; a source that never speaks is silent from `started` on.
    pub fn new(map: HookMap, started: Timestamp) -> Self {
        let heard = Heard { started, last: BTreeMap::new(), told: LastWord::default() };
        Self { map, heard: Mutex::new(heard) }
    }

    /// A source of the map has spoken.
    pub fn hear(&self, source: &str, now: Timestamp) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.last.insert(source.to_owned(), now);
    }

    /// Sources that fell silent or were heard since the last look, as alarms; nothing of those that are neither yet.
    pub fn look(&self, now: Timestamp) -> Vec<Input> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let Heard { started, last, told } = &mut *heard;
        let mut changes = Vec::new();
        for source in &self.map.source {
            let Some(after_s) = source.silent_after_s else { continue };
            let spoke = last.get(&source.name);
            let silent = now - *spoke.unwrap_or(started) > TimeDelta::seconds(i64::from(after_s));
            let cause = format!("hook:{}", source.name);
            if (silent || spoke.is_some()) && told.is_news(&cause, silent) {
                changes.push(Input::Health {
                    cause,
                    title_zh: format!("事件来源 {} 无消息，已超过 {after_s} 秒", source.name),
                    title_en: format!("event source {}: nothing for {after_s} s", source.name),
                    silent,
                });
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reach;

    #[test]
    fn a_silent_source_is_one_alarm_that_ends_when_it_speaks() {
        let text = "[[source]]\nname = 'v'\nsecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'\nsilent_after_s = 60\n";
        let map = HookMap::load("hooks.toml", text, &Reach::default()).unwrap();
        let at = |seconds| Timestamp::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let hooks = Hooks::new(map, at(0));
        let silent = |now| match hooks.look(at(now)).as_slice() {
            [Input::Health { cause, silent, .. }] => Some((cause.clone(), *silent)),
            _ => None,
        };
        assert_eq!(silent(60), None);
        assert_eq!(silent(61), Some(("hook:v".into(), true)));
        assert_eq!(silent(90), None);
        hooks.hear("v", at(91));
        assert_eq!(silent(92), Some(("hook:v".into(), false)));
    }

    #[test]
    fn a_source_that_speaks_after_a_restart_ends_the_alarm_of_the_run_before() {
        let text = "[[source]]\nname = 'v'\nsecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'\nsilent_after_s = 60\n";
        let map = HookMap::load("hooks.toml", text, &Reach::default()).unwrap();
        let at = |seconds| Timestamp::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let hooks = Hooks::new(map, at(0));
        assert!(hooks.look(at(5)).is_empty(), "nothing is known of it yet");
        hooks.hear("v", at(10));
        assert!(matches!(hooks.look(at(11)).as_slice(), [Input::Health { silent: false, .. }]));
        assert!(hooks.look(at(12)).is_empty());
    }
}
