//! Why a backup or a restore was refused.

use crate::store::StoreError;
use std::io;
use std::path::{Path, PathBuf};

/// A refusal that names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// No data directory.
    #[error("{} holds no anlan.db: give the data directory with --data (不是数据目录)", path.display())]
    NothingThere {
        /// What was given.
        path: PathBuf,
    },
    /// The target of a backup is there.
    #[error("{} exists already: choose a new folder for the backup (备份目录已存在)", path.display())]
    Exists {
        /// What was given.
        path: PathBuf,
    },
    /// The target of a restore is in use.
    #[error("{} is not empty: with --force what is there is moved aside, not deleted (目标目录非空)", path.display())]
    NotEmpty {
        /// What was given.
        path: PathBuf,
    },
    /// The manifest cannot be used.
    #[error("{} is not a manifest of an Anlan backup: {why} (备份清单无效)", path.display())]
    BadManifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file of the backup is not what the manifest says.
    #[error("{} is not the file that was backed up ({what} differs): take another backup (备份文件已损坏)", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// Size or SHA-256.
        what: &'static str,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BackupError {
    /// Names what we were doing to which file.
    pub(super) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Store(StoreError::from_io(doing, &path, cause))
    }
}
