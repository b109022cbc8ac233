//! Requests to put a level in force.

use super::State;
use crate::command::settings::seconds;
use crate::command::{Actor, CommandSettings, Entry, Fact};
use crate::model::{ActivationId, TaskId, Timestamp, WarningLevel};
use std::collections::BTreeSet;

/// How a request to put a level in force stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivationState {
    /// Waits for the second person.
    Asked,
    /// In force.
    Confirmed,
    /// Refused.
    Refused,
    /// Nobody answered in time.
    Expired,
}

/// A request to put a level in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Activation {
    /// Its id.
    pub id: ActivationId,
    /// Which level.
    pub level: WarningLevel,
    /// Why.
    pub reason: String,
    /// On whose order.
    pub ordered_by: Option<String>,
    /// The discharge that it prepares for, in m³/s.
    pub prepare_for_m3s: Option<f64>,
    /// Who asked.
    pub asked_by: Actor,
    /// When.
    pub asked_at: Timestamp,
    /// How it stands.
    pub state: ActivationState,
    /// Further commanders were called.
    pub commanders_called: bool,
    /// Deputies may confirm, break-glass is offered.
    pub deputies_may: bool,
    /// The asker went alone.
    pub glass_broken: bool,
    /// Who settled it, and when.
    pub settled: Option<(Timestamp, Option<Actor>)>,
    /// Why refused, or why alone.
    pub settled_reason: Option<String>,
    /// The tasks that went out in the step that settled it.
    pub released: BTreeSet<TaskId>,
    /// Orders that were out and that it took back.
    pub ended: BTreeSet<TaskId>,
}

impl State {
    pub(super) fn apply_activation(&mut self, entry: &Entry) {
        let settle = |asked: &mut Activation, state, by: Option<&Actor>, reason: Option<&String>| {
            asked.state = state;
            asked.settled = Some((entry.at, by.cloned()));
            asked.settled_reason = reason.cloned();
        };
        match &entry.fact {
            Fact::Asked { activation, by, level, reason, ordered_by, prepare_for_m3s } => {
                let asked = Activation {
                    id: *activation,
                    level: *level,
                    reason: reason.clone(),
                    ordered_by: ordered_by.clone(),
                    prepare_for_m3s: *prepare_for_m3s,
                    asked_by: by.clone(),
                    asked_at: entry.at,
                    state: ActivationState::Asked,
                    commanders_called: false,
                    deputies_may: false,
                    glass_broken: false,
                    settled: None,
                    settled_reason: None,
                    released: BTreeSet::new(),
                    ended: BTreeSet::new(),
                };
                self.activations.insert(*activation, asked);
                self.pending = Some(*activation);
            }
            Fact::CommandersCalled { activation } => {
                self.change_activation(*activation, |asked| asked.commanders_called = true);
            }
            Fact::DeputiesAdmitted { activation } => {
                self.change_activation(*activation, |asked| asked.deputies_may = true);
            }
            Fact::Confirmed { activation, by } => {
                self.pending = None;
                self.releasing = Some(*activation);
                self.change_activation(*activation, |asked| settle(asked, ActivationState::Confirmed, Some(by), None));
            }
            Fact::Refused { activation, by, reason } => {
                self.pending = None;
                let settle = |asked: &mut _| settle(asked, ActivationState::Refused, Some(by), Some(reason));
                self.change_activation(*activation, settle);
            }
            Fact::Expired { activation } => {
                self.pending = None;
                self.releasing = Some(*activation);
                self.change_activation(*activation, |asked| settle(asked, ActivationState::Expired, None, None));
            }
            Fact::GlassBroken { activation, by, reason } => {
                self.pending = None;
                self.releasing = Some(*activation);
                self.change_activation(*activation, |asked| {
                    settle(asked, ActivationState::Confirmed, Some(by), Some(reason));
                    asked.glass_broken = true;
                });
            }
            _ => {}
        }
    }

    /// Whether a request takes nothing back: neither a level nor a discharge that is prepared for. Alone one may call people to
    /// the levee, never home.
    pub fn only_raises(&self, asked: &Activation) -> bool {
        let keeps_discharge = match (self.prepare_for_m3s, asked.prepare_for_m3s) {
            (Some(now), Some(then)) => then >= now,
            (Some(_), None) => false,
            (None, _) => true,
        };
        asked.level >= self.in_force && keeps_discharge
    }

    /// The newest request that was confirmed, and when.
    pub(in crate::command) fn last_confirmed(&self) -> Option<(Timestamp, ActivationId)> {
        let confirmed = self.activations.values().rev().filter(|asked| asked.state == ActivationState::Confirmed);
        confirmed.filter_map(|asked| Some((asked.settled.as_ref()?.0, asked.id))).next()
    }

    /// A task went out: it counts for the request that this step settled, if it settled one.
    pub(super) fn note_released(&mut self, task: TaskId) {
        if let Some(activation) = self.releasing {
            self.change_activation(activation, |asked| {
                asked.released.insert(task);
            });
        }
    }

    /// An order was taken back: it counts for the request that this step settled, if it settled one. What went out in this very
    /// step reached nobody.
    pub(super) fn note_ended(&mut self, task: TaskId) {
        if let Some(activation) = self.releasing {
            self.change_activation(activation, |asked| {
                if !asked.released.remove(&task) {
                    asked.ended.insert(task);
                }
            });
        }
    }

    fn change_activation(&mut self, id: ActivationId, change: impl FnOnce(&mut Activation)) {
        if let Some(asked) = self.activations.get_mut(&id) {
            change(asked);
        }
    }
}

impl Activation {
    /// The next moment at which the waiting request changes by itself.
    pub fn next_due(&self, settings: &CommandSettings) -> Timestamp {
        let after_s = if !self.commanders_called {
            settings.call_commanders_after_s
        } else if !self.deputies_may {
            settings.deputies_after_s
        } else {
            settings.expires_after_s
        };
        self.asked_at + seconds(after_s)
    }
}
