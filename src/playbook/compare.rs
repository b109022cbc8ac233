//! What differs between two editions, row by row and field by field.

use super::edition::Playbook;
use super::table::{COLUMNS, cells_of};
use crate::model::InstructionCode;
use serde::Serialize;

/// One field of one row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The row.
    pub code: InstructionCode,
    /// Column of the table.
    pub field: &'static str,
    /// Before.
    pub from: String,
    /// After.
    pub to: String,
}

/// What differs between two editions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct EditionChanges {
    /// Only in the newer.
    pub added: Vec<InstructionCode>,
    /// Only in the older.
    pub removed: Vec<InstructionCode>,
    /// In both, but not alike.
    pub changed: Vec<FieldChange>,
    /// Whether levels or bands differ.
    pub levels_differ: bool,
}

impl Playbook {
    /// What differs from this edition to a newer one.
    pub fn compare(&self, newer: &Self) -> EditionChanges {
        let mut changes =
            EditionChanges { levels_differ: self.levels() != newer.levels(), ..EditionChanges::default() };
        for row in self.instructions() {
            let Some(other) = newer.instruction(&row.code) else {
                changes.removed.push(row.code.clone());
                continue;
            };
            for ((field, from), to) in COLUMNS.into_iter().zip(cells_of(row)).zip(cells_of(other)) {
                if from != to {
                    changes.changed.push(FieldChange { code: row.code.clone(), field, from, to });
                }
            }
        }
        let is_new = |code: &&InstructionCode| self.instruction(code).is_none();
        changes.added = newer.instructions().iter().map(|row| &row.code).filter(is_new).cloned().collect();
        changes
    }
}
