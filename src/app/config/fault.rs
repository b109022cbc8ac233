//! Configuration errors that point at the place in the file.

use crate::ingest::{FileFault, reader_says};
use std::io;
use std::path::{Path, PathBuf};

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("配置文件不可读 (cannot read the configuration {})", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// It is not text as we read it.
    #[error(transparent)]
    Encoding(#[from] FileFault),
    /// What the series section names cannot be used.
    #[error("[series] 一节不可用 (the section [series] cannot be used)")]
    Series {
        /// What is wrong.
        #[source]
        cause: crate::store::series::SeriesError,
    },
    /// The store would take fewer series than the site has.
    #[error(
        "[series] series_max = {limit} 小于本站点的序列数 {needed}：至少设为 {needed}，并为以后的测站留余量 (series_max is smaller than the {needed} series of this site: set it to {needed} at least, and leave room for stations to come)"
    )]
    NoRoom {
        /// Series of the site.
        needed: usize,
        /// As configured.
        limit: usize,
    },
    /// A place in the file is wrong.
    #[error("{}:{line}:{column}: {what}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong there.
        what: String,
    },
}

impl ConfigError {
    pub(super) fn from_toml(path: &Path, text: &str, cause: &toml::de::Error) -> Self {
        let (line, column) = position(text, cause.span().map_or(0, |span| span.start));
        let why = cause.message().trim().replace('\n', "; ");
        let what = format!("{} ({why})", reader_says(&why).0);
        Self::Wrong { path: path.to_owned(), line, column, what }
    }

    /// Points at the line where `key` is set; at the end of the file when its default is at fault.
    pub(super) fn at_key(path: &Path, text: &str, key: &str, what: &str) -> Self {
        let mut offset = 0;
        let mut found = text.len();
        for line in text.split_inclusive('\n') {
            let set = line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
            if set {
                found = offset + line.len() - line.trim_start().len();
                break;
            }
            offset += line.len();
        }
        let (line, column) = position(text, found);
        Self::Wrong { path: path.to_owned(), line, column, what: format!("{key} {what}") }
    }
}

/// Line and column, from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}
