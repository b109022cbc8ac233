//! What can be wrong with the files of a reach.

use crate::model::ReachError;

/// One fault, with the spot to mend.
#[derive(Debug, thiserror::Error)]
pub enum ReachFault {
    /// A file or folder cannot be read.
    #[error("无法读取 {path} / cannot read {path}")]
    Unreadable {
        /// What was read.
        path: String,
        /// Why not.
        #[source]
        cause: std::io::Error,
    },
    /// A file that a reach must have is not there.
    #[error("缺少文件 {file} / {file} is missing")]
    Missing {
        /// Its name.
        file: String,
    },
    /// A file that no reach has: a slip in the name would otherwise go unseen.
    #[error("{file}: 未知文件，请检查文件名 / no reach has such a file: check the name")]
    Unknown {
        /// Its name.
        file: String,
    },
    /// The text is not what its format asks for.
    #[error("{file}:{line}:{column}: {what}")]
    Syntax {
        /// File name.
        file: String,
        /// Counted from 1; 0 when the parser does not say.
        line: usize,
        /// Counted from 1; 0 when the parser does not say.
        column: usize,
        /// What the parser found.
        what: String,
    },
    /// A row of a table.
    #[error("{file}:{line}: {field}: {what}")]
    Row {
        /// File name.
        file: String,
        /// Counted from 1.
        line: u64,
        /// Column.
        field: String,
        /// What is wrong and what to do.
        what: String,
    },
    /// A feature of a map layer.
    #[error("{file}: 第{number}个要素 feature {number} ({id}): {field}: {what}")]
    Feature {
        /// File name.
        file: String,
        /// Counted from 1.
        number: usize,
        /// Its id, or `?`.
        id: String,
        /// Property or part of the geometry.
        field: String,
        /// What is wrong and what to do.
        what: String,
    },
    /// A value of an entry that has an id.
    #[error("{file}: {owner}: {field}: {what}")]
    Entry {
        /// File name.
        file: String,
        /// Whose value.
        owner: String,
        /// Which value.
        field: String,
        /// What is wrong and what to do.
        what: String,
    },
    /// `reach.toml` declares another number than the files hold.
    #[error("reach.toml: counts.{what}: 声明 {declared}，实有 {found} / declared {declared}, found {found}")]
    Count {
        /// Of what.
        what: &'static str,
        /// As declared.
        declared: usize,
        /// As counted.
        found: usize,
    },
    /// Doubles and references that lead nowhere.
    #[error(transparent)]
    Inconsistent(#[from] ReachError),
}
