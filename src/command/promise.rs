//! What a release would send: the confirmation itself, done on a copy of the state.
//!
//! In: a state, a level, the discharge to prepare for, the water of the moment. Out: the orders that would go out, and those
//! out there that would be taken back. There is no second formula that could say otherwise than the release does.

use super::{Activation, Actor, Core, Input, State};
use crate::model::{InstructionCode, MemberId, TaskId, UserName, UserRole, WarningLevel};
use crate::playbook::Snapshot;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The orders of one release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Released {
    /// The tasks that go out.
    pub tasks: BTreeSet<TaskId>,
    /// Their rows.
    pub instructions: BTreeSet<InstructionCode>,
    /// The people who get them.
    pub people: BTreeSet<MemberId>,
    /// Orders that were out and are taken back.
    pub ended: BTreeSet<TaskId>,
}

impl Core {
    /// What would go out at once if two persons put `level` in force now; nothing where the request would be refused.
    pub fn would_release(
        &self,
        state: &State,
        level: WarningLevel,
        prepare_for_m3s: Option<f64>,
        water: Option<&Arc<Snapshot>>,
    ) -> Released {
        let mut copy = State { pending: None, ..state.clone() };
        let by = |name: &str| Actor { user: UserName::new(name), role: UserRole::Commander, member: None };
        let reason = "预演 (what if)".to_owned();
        let ask = Input::Ask { by: by("first"), level, reason, ordered_by: None, prepare_for_m3s };
        if self.step(&mut copy, &ask, state.at).is_err() {
            return Released::default();
        }
        let Some(activation) = copy.pending else { return Released::default() };
        let confirm = Input::Confirm { by: by("second"), activation, water: water.cloned() };
        if self.step(&mut copy, &confirm, state.at).is_err() {
            return Released::default();
        }
        copy.activations.get(&activation).map_or_else(Released::default, |asked| Released::by(asked, &copy))
    }
}

impl Released {
    /// What a settled request sent and took back.
    pub fn by(asked: &Activation, state: &State) -> Self {
        let mut released = Self { ended: asked.ended.clone(), ..Self::default() };
        for task in asked.released.iter().filter_map(|id| state.tasks.get(id)) {
            released.tasks.insert(task.id);
            released.instructions.insert(task.code.clone());
            released.people.extend(task.owner.clone());
        }
        released
    }
}
