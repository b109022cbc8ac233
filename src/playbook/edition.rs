//! An edition of the playbook: its files, read, checked and indexed.

use super::compiled::{CompiledRow, Slots};
use super::fault::{At, Fault, Words};
use super::instruction::Instruction;
use super::levels::Levels;
use super::shape;
use super::signal::{Answered, SignalKey};
use crate::model::InstructionCode;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A role, a scope or a message with its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// As written in the rows.
    pub code: String,
    /// 名称 and name.
    pub name: Words,
    /// A role that is only reported to and carries out nothing.
    pub report_only: bool,
}

/// An expectation that the edition keeps about itself.
#[derive(Debug, Clone)]
pub(super) struct Expectation {
    pub shape: shape::ExpectationShape,
    pub at: At,
}

/// A loaded edition. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Playbook(Arc<Edition>);

#[derive(Debug, Default)]
pub(super) struct Edition {
    pub name: String,
    pub instructions: Vec<Instruction>,
    pub by_code: BTreeMap<InstructionCode, usize>,
    pub levels: Option<Levels>,
    pub roles: BTreeMap<String, Named>,
    pub scopes: BTreeMap<String, Named>,
    pub messages: BTreeMap<String, Words>,
    pub expectations: Vec<Expectation>,
    pub preauthorised: Option<(Vec<String>, At)>,
    pub slots: Slots,
    pub rows: Vec<CompiledRow>,
}

impl Playbook {
    /// Reads the files of an edition: name → text. Names under `instructions/` hold rows.
    ///
    /// # Errors
    /// Every fault found, in the order of files and lines.
    pub fn load(edition: &str, files: &BTreeMap<String, String>) -> Result<Self, Vec<Fault>> {
        super::load::load(edition, files).map(|edition| Self(Arc::new(edition)))
    }

    /// All rows, in the order of files and lines; a row's index is its number everywhere else.
    pub fn instructions(&self) -> &[Instruction] {
        &self.0.instructions
    }
    /// The row of a code.
    pub fn instruction(&self, code: &InstructionCode) -> Option<&Instruction> {
        self.0.instructions.get(self.row(code)?)
    }
    /// The number of the row of a code.
    pub fn row(&self, code: &InstructionCode) -> Option<usize> {
        self.0.by_code.get(code).copied()
    }
    /// Levels and bands.
    pub fn levels(&self) -> &Levels {
        static NONE: Levels = Levels::EMPTY;
        self.0.levels.as_ref().unwrap_or(&NONE)
    }
    /// Name of the edition and a hash over its files, `2026.1+3fa9c2d41e07`.
    pub fn edition(&self) -> &str {
        &self.0.name
    }
    /// A role by its code.
    pub fn role(&self, code: &str) -> Option<&Named> {
        self.0.roles.get(code)
    }
    /// All roles, by code.
    pub fn roles(&self) -> impl Iterator<Item = &Named> {
        self.0.roles.values()
    }
    /// A scope by its code.
    pub fn scope(&self, code: &str) -> Option<&Named> {
        self.0.scopes.get(code)
    }
    /// All scopes, by code.
    pub fn scopes(&self) -> impl Iterator<Item = &Named> {
        self.0.scopes.values()
    }
    /// A message text by its key, with its place holders in braces.
    pub fn message(&self, key: &str) -> Option<&Words> {
        self.0.messages.get(key)
    }
    /// Every sensed signal that a row or a level needs: what a snapshot should hold.
    pub fn signals(&self) -> Vec<SignalKey> {
        let mut keys: Vec<SignalKey> = self.0.slots.keys().to_vec();
        keys.extend(self.levels().signals());
        keys.retain(|key| key.spec().is_some_and(|spec| spec.answered != Answered::Standing));
        keys.sort();
        keys.dedup();
        keys
    }
    pub(super) fn parts(&self) -> &Edition {
        &self.0
    }
}
