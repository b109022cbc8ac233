//! Two persons put a level in force, within a time. Preview never comes here.

use super::core::Desk;
use super::settings::seconds;
use super::{Activation, Actor, Fact, Refused, Severity, Signature, Words};
use crate::model::{ActivationId, WarningLevel};
use crate::playbook::Snapshot;

impl Desk<'_> {
    pub(super) fn ask(
        &mut self,
        by: &Actor,
        level: WarningLevel,
        reason: &str,
        ordered_by: Option<&str>,
        prepare_for_m3s: Option<f64>,
    ) -> Result<(), Refused> {
        if !by.may_ask() {
            return Err(Refused::NoRight { role: by.role, what: "申请启动响应" });
        }
        if reason.trim().is_empty() {
            return Err(Refused::NoReason);
        }
        if let Some(waiting) = self.state.pending {
            return Err(Refused::AlreadyAsked(waiting));
        }
        // Who names no discharge and does not go down keeps what is prepared for: a raise takes no order back.
        let kept = self.state.prepare_for_m3s.filter(|_| level >= self.state.in_force);
        let prepare_for_m3s = prepare_for_m3s.or(kept);
        let prepares = prepare_for_m3s != kept;
        let releases = self.state.drafts_up_to(level, &self.core.playbook).next().is_some();
        if level == self.state.in_force && !releases && !prepares {
            return Err(Refused::NothingToDo { level });
        }
        self.record(Fact::Asked {
            activation: ActivationId(self.next_seq()),
            by: by.clone(),
            level,
            reason: reason.trim().to_owned(),
            ordered_by: ordered_by.map(str::to_owned),
            prepare_for_m3s,
        });
        Ok(())
    }

    pub(super) fn confirm(&mut self, by: &Actor, id: ActivationId, water: Option<&Snapshot>) -> Result<(), Refused> {
        let asked = self.waiting(id)?;
        if asked.asked_by.user == by.user {
            return Err(Refused::SamePerson);
        }
        if !by.may_confirm(asked.deputies_may) {
            return Err(Refused::NoRight { role: by.role, what: "确认启动" });
        }
        let (level, prepare_for_m3s) = (asked.level, asked.prepare_for_m3s);
        self.record(Fact::Confirmed { activation: id, by: by.clone() });
        self.answer_alarm(id);
        self.put_in_force(level, Some(id), prepare_for_m3s, water);
        Ok(())
    }

    pub(super) fn refuse(&mut self, by: &Actor, id: ActivationId, reason: &str) -> Result<(), Refused> {
        let asked = self.waiting(id)?;
        if !by.may_confirm(asked.deputies_may) && asked.asked_by.user != by.user {
            return Err(Refused::NoRight { role: by.role, what: "退回申请" });
        }
        if reason.trim().is_empty() {
            return Err(Refused::NoReason);
        }
        self.record(Fact::Refused { activation: id, by: by.clone(), reason: reason.trim().to_owned() });
        self.answer_alarm(id);
        Ok(())
    }

    pub(super) fn break_glass(
        &mut self,
        by: &Actor,
        id: ActivationId,
        reason: &str,
        water: Option<&Snapshot>,
    ) -> Result<(), Refused> {
        let asked = self.waiting(id)?;
        if asked.asked_by.user != by.user || !asked.deputies_may {
            return Err(Refused::GlassNotOffered);
        }
        if !self.state.only_raises(asked) {
            return Err(Refused::GlassOnlyUp);
        }
        if reason.trim().is_empty() {
            return Err(Refused::NoReason);
        }
        let (level, prepare_for_m3s) = (asked.level, asked.prepare_for_m3s);
        self.record(Fact::GlassBroken { activation: id, by: by.clone(), reason: reason.trim().to_owned() });
        self.answer_alarm(id);
        self.record(Fact::AlarmRaised {
            alarm: format!("break-glass:{id}"),
            severity: Severity::Critical,
            title: Words {
                zh: format!("{} 单人破窗启动{}：{}", by.user, level.name_zh(), reason.trim()),
                en: format!("{} put {level} in force alone: {}", by.user, reason.trim()),
            },
        });
        self.put_in_force(level, Some(id), prepare_for_m3s, water);
        Ok(())
    }

    /// What a waiting request does by itself as time passes.
    pub(super) fn age_request(&mut self) {
        while let Some(asked) = self.state.pending.and_then(|id| self.state.activations.get(&id)).cloned() {
            if asked.next_due(&self.state.settings) > self.now {
                return;
            }
            let activation = asked.id;
            if !asked.commanders_called {
                self.record(Fact::CommandersCalled { activation });
                self.record(Fact::AlarmRaised {
                    alarm: format!("request:{activation}"),
                    severity: Severity::Critical,
                    title: Words {
                        zh: format!("{}申请无人确认，请指挥长处理", wish_zh(asked.level)),
                        en: format!("request for {} is not answered: commanders are called", asked.level),
                    },
                });
            } else if !asked.deputies_may {
                self.record(Fact::DeputiesAdmitted { activation });
            } else {
                self.expire(&asked);
            }
        }
    }

    /// Nothing is put in force; rows of the standing authorisation go out, the rest is said aloud.
    fn expire(&mut self, asked: &Activation) {
        self.record(Fact::Expired { activation: asked.id });
        self.answer_alarm(asked.id);
        let listed: Vec<_> = self
            .state
            .drafts()
            .filter(|task| self.state.settings.standing_authorisation.contains(&task.code))
            .filter(|task| self.core.playbook.instruction(&task.code).is_some_and(|row| row.preauthorised))
            .map(|task| task.id)
            .collect();
        let waited = self.now.signed_duration_since(asked.asked_at).max(seconds(0)).num_seconds();
        self.record(Fact::AlarmRaised {
            alarm: format!("expired:{}", asked.id),
            severity: Severity::Critical,
            title: Words {
                zh: format!(
                    "{}申请 {waited} 秒无人确认，已失效；按授权书自动下发 {} 项，其余未下发",
                    wish_zh(asked.level),
                    listed.len()
                ),
                en: format!(
                    "request for {} expired after {waited} s; {} pre-authorised tasks went out, nothing else",
                    asked.level,
                    listed.len()
                ),
            },
        });
        for task in listed {
            self.issue(task, Signature::StandingAuthorisation { activation: asked.id });
        }
    }

    /// Nobody has to answer the request any more.
    fn answer_alarm(&mut self, id: ActivationId) {
        self.close_alarm(&format!("request:{id}"));
    }

    fn waiting(&self, id: ActivationId) -> Result<&Activation, Refused> {
        let asked = self.state.pending.filter(|pending| *pending == id);
        asked.and_then(|id| self.state.activations.get(&id)).ok_or(Refused::NotWaiting(id))
    }
}

/// 红色预警启动, 解除预警: what a request wishes for.
fn wish_zh(level: WarningLevel) -> String {
    if level == WarningLevel::None { "解除预警".to_owned() } else { format!("{}启动", level.name_zh()) }
}
