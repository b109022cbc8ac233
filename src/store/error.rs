//! What can go wrong with the store, said so that a duty officer knows which file and what to do.
//!
//! In: an error of SQLite or of the file system, with what we were doing to which file. Out: one [`StoreError`]
//! whose message names the file and the remedy; the cause stays in `source`.

use std::io;
use std::path::{Path, PathBuf};

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A folder in which no server ever kept anything.
    #[error("不是数据目录 ({} is no data directory: it has no anlan.db; check the name, or make one with \"anlan init\")", path.display())]
    NoDirectory {
        /// The folder as it was named.
        path: PathBuf,
    },
    /// The disk holds no more.
    #[error("存储空间不足 (cannot {doing}: no space left for {}; free space on that disk, the server goes on by itself and keeps everything answered so far)", path.display())]
    DiskFull {
        /// What we were doing.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What SQLite or the system said.
        #[source]
        cause: Cause,
    },
    /// The file, its folder or its mount allows no writing.
    #[error("目录只读 (cannot {doing}: {} is read-only; check its owner, its rights and how the disk is mounted)", path.display())]
    ReadOnly {
        /// What we were doing.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What SQLite or the system said.
        #[source]
        cause: Cause,
    },
    /// Another program writes to the file and did not let go in time.
    #[error("数据库被其他程序锁住 (cannot {doing}: another program keeps {} locked; end it (a backup tool, an SQL shell) and try again)", path.display())]
    Busy {
        /// What we were doing.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        cause: Cause,
    },
    /// The file is something else.
    #[error("不是安澜的数据库 ({} is not a database of Anlan; move it away or choose another data directory)", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        cause: Cause,
    },
    /// The file is damaged.
    #[error("数据库损坏 ({} is damaged; keep a copy of it and restore the last backup (anlan restore))", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        cause: Cause,
    },
    /// A newer program wrote the file.
    #[error(
        "数据库由更新版本写成 ({} was written by anlan {written_by}: its part {part:?} has schema {found}, this program knows up to {known}; start the newer program or restore the backup made before the upgrade)",
        path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Which part of the schema.
        part: String,
        /// Version in the file.
        found: i64,
        /// Newest version that this program knows.
        known: i64,
        /// Version of the program that wrote it.
        written_by: String,
    },
    /// The schema must be upgraded while another server runs on it.
    #[error("升级前须先停止正在运行的进程 {pid} ({} needs a schema upgrade, but process {pid} is running on it; stop that process first)", path.display())]
    UpgradeWhileRunning {
        /// The file.
        path: PathBuf,
        /// The other process.
        pid: u32,
    },
    /// Two servers on one directory.
    #[error("数据目录正被进程 {pid} 使用 (the data directory {} is in use by process {pid}; stop that process or choose another directory)", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The other process.
        pid: u32,
    },
    /// The file system refused.
    #[error("文件操作失败 (cannot {doing} {})", path.display())]
    File {
        /// What we were doing.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The file is there and does not open: its rights, or a folder in which the files beside it cannot be made.
    #[error("数据库打不开 (cannot {doing}: {} is there but does not open; check its rights, and whether its folder can be written: beside a database SQLite keeps files of its own, so a copy on a read-only disk is first copied to a folder that can be written)", path.display())]
    Shut {
        /// What we were doing.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        cause: Cause,
    },
    /// SQLite refused for a reason without a name of its own.
    #[error("数据库操作失败 (cannot {doing} in {})", path.display())]
    Database {
        /// What we were doing.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        cause: sqlx::Error,
    },
}

/// The reason below a [`StoreError`].
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// Said by SQLite.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Said by the file system.
    #[error(transparent)]
    File(#[from] io::Error),
}

impl StoreError {
    /// Names an error of SQLite by its primary result code.
    pub fn from_sqlx(doing: &'static str, path: &Path, cause: sqlx::Error) -> Self {
        let path = path.to_owned();
        match primary_code(&cause) {
            Some(5 | 6) => Self::Busy { doing, path, cause: cause.into() },
            Some(8) => Self::ReadOnly { doing, path, cause: cause.into() },
            Some(11) => Self::Damaged { path, cause: cause.into() },
            Some(13) => Self::DiskFull { doing, path, cause: cause.into() },
            Some(10) if has_no_room(&path) => Self::DiskFull { doing, path, cause: cause.into() },
            Some(14) if path.is_file() => Self::Shut { doing, path, cause: cause.into() },
            Some(26) => Self::NotADatabase { path, cause: cause.into() },
            _ => Self::Database { doing, path, cause },
        }
    }

    /// Names an error of the file system.
    pub fn from_io(doing: &'static str, path: &Path, cause: io::Error) -> Self {
        let path = path.to_owned();
        match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { doing, path, cause: cause.into() }
            }
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                Self::ReadOnly { doing, path, cause: cause.into() }
            }
            _ => Self::File { doing, path, cause },
        }
    }
}

/// Bytes that this process may still write on the disk of a file.
pub(super) fn room_beside(path: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(path.parent().unwrap_or(Path::new(".")))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Whether the disk of a file takes no further page: SQLite reports a full disk under its write-ahead log as a general
/// input/output error.
pub(super) fn has_no_room(path: &Path) -> bool {
    room_beside(path).is_ok_and(|bytes| bytes < 64 << 10)
}

/// SQLite's primary result code: the low byte of the extended one.
fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}
