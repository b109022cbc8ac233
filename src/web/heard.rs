//! Webhooks of the site: who may speak, and when each source was last heard.

use crate::command::Input;
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
    heard: Mutex<BTreeMap<String, (Timestamp, bool)>>,
}

impl Hooks {
    /// Begins to listen; a source that never speaks is silent from `started` on.
    pub fn new(map: HookMap, started: Timestamp) -> Self {
        let heard = map.source.iter().map(|source| (source.name.clone(), (started, false))).collect();
        Self { map, heard: Mutex::new(heard) }
    }

    /// A source has spoken.
    pub fn hear(&self, source: &str, now: Timestamp) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, _)) = heard.get_mut(source) {
            *at = now;
        }
    }

    /// Sources that fell silent or came back since the last look, as alarms.
    pub fn look(&self, now: Timestamp) -> Vec<Input> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changes = Vec::new();
        for source in &self.map.source {
            let Some(after_s) = source.silent_after_s else { continue };
            let Some((at, was_silent)) = heard.get_mut(&source.name) else { continue };
            let silent = now - *at > TimeDelta::seconds(i64::from(after_s));
            if silent != *was_silent {
                *was_silent = silent;
                changes.push(Input::Health {
                    cause: format!("hook:{}", source.name),
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
}
