//! What can go wrong with stored series, in words that say what to do.

use crate::model::{SeriesId, Timestamp};
use crate::store::error::has_no_room;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// A fault of the series store. Cheap to clone: one failed commit answers every caller in its group.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SeriesError {
    /// The folder or file cannot be made or written.
    #[error(
        "时序库不可写 (cannot write the series store {path}; give the user that runs anlan write access to its folder)"
    )]
    NotWritable {
        /// The file concerned.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// Another process holds the store.
    #[error(
        "时序库正被另一个安澜使用 (the series store {path} is already in use by another anlan; stop that one or choose another data folder with --data)"
    )]
    InUse {
        /// The file concerned.
        path: PathBuf,
    },
    /// The file was written by a later edition of the program.
    #[error(
        "时序库由更新版本写成 (the series store {path} has layout {found}, this anlan knows up to {known}; install the newer anlan)"
    )]
    NewerLayout {
        /// The file concerned.
        path: PathBuf,
        /// Layout number in the file.
        found: i64,
        /// The newest layout this program reads.
        known: i64,
    },
    /// The file is something else.
    #[error("不是时序库 ({path} is not a series store; move it away or choose another data folder with --data)")]
    NotAStore {
        /// The file concerned.
        path: PathBuf,
    },
    /// No room is left for the points; nothing of the batch was kept.
    #[error(
        "时序库存储空间不足，{points} 个点未写入 (no space left for the series store {path}: {points} points were not stored; free space on that disk, the store goes on by itself)"
    )]
    DiskFull {
        /// The file concerned.
        path: PathBuf,
        /// Points of the refused commit.
        points: usize,
    },
    /// A compressed chunk cannot be read; other series and other spans still can.
    #[error(
        "{series} 的一段数据损坏 (the stored points of {series} from {from} to {to} are damaged ({reason}); other series are not concerned, restore this span from a backup)"
    )]
    DamagedChunk {
        /// The series concerned.
        series: SeriesId,
        /// First moment of the chunk.
        from: Timestamp,
        /// Last moment of the chunk.
        to: Timestamp,
        /// What does not fit.
        reason: String,
    },
    /// A batch is larger than one commit may be; nothing of it was kept.
    #[error(
        "一批 {points} 点过多 (a batch of {points} points is too large, at most {limit} are taken at once; send it in parts)"
    )]
    BatchTooLarge {
        /// Points in the batch.
        points: usize,
        /// Most that are taken.
        limit: usize,
    },
    /// A new series would exceed the limit; nothing of the batch was kept.
    #[error(
        "序列数已达上限 {limit}，{series} 无处可存：检查 {crowd} 是否乱造序列，或调大 [series] series_max 后重启 (series {series} would be number {number}, the store takes {limit}; most are of station {crowd} ({crowd_series} series): look there for a device that invents ids, or raise series_max and restart)"
    )]
    TooManySeries {
        /// The first series refused.
        series: SeriesId,
        /// The number it would have.
        number: usize,
        /// Most that are taken.
        limit: usize,
        /// All series of the batch that would be beyond the limit.
        surplus: Arc<BTreeSet<SeriesId>>,
        /// The station with the most series.
        crowd: String,
        /// How many it has.
        crowd_series: usize,
    },
    /// An id that cannot be a series.
    #[error("{series:?} 不能作序列名 ({series:?} cannot be a series id: {reason})")]
    BadSeriesId {
        /// The id given.
        series: SeriesId,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Columns of different lengths; nothing of the batch was kept.
    #[error(
        "{series} 各列长度不一 (the columns of {series} differ in length: {times} times, {values} values, {verdicts} verdicts)"
    )]
    UnevenColumns {
        /// The series concerned.
        series: SeriesId,
        /// Number of times.
        times: usize,
        /// Number of values.
        values: usize,
        /// Number of verdicts.
        verdicts: usize,
    },
    /// A step that cannot be cut.
    #[error("步长 {every_ms} ms 超出 1 ms 至 366 天 (a step of {every_ms} ms is outside 1 ms to 366 days)")]
    BadStep {
        /// The step asked for.
        every_ms: i64,
    },
    /// The answer would be too large.
    #[error(
        "{series} 在该时段超过 {limit} 个样本：请缩短时段或加大步长 ({series} has more than {limit} samples in that span; ask for a shorter span or a longer step)"
    )]
    AnswerTooLarge {
        /// The series asked for.
        series: SeriesId,
        /// Most samples of one answer.
        limit: usize,
    },
    /// The backup's target is already there.
    #[error("备份目标已存在 (the backup target {path} already exists; choose a new file name)")]
    BackupExists {
        /// The file concerned.
        path: PathBuf,
    },
    /// The store was closed.
    #[error("时序库已关闭 (the series store {path} is closed)")]
    Closed {
        /// The file concerned.
        path: PathBuf,
    },
    /// The database refused.
    #[error("时序库操作失败 (the series store {path} failed while {doing})")]
    Database {
        /// The file concerned.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the database said.
        #[source]
        cause: Arc<sqlx::Error>,
    },
    /// The system refused a file operation.
    #[error("时序库操作失败 (the series store {path} failed while {doing})")]
    File {
        /// The file concerned.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        #[source]
        cause: Arc<std::io::Error>,
    },
    /// A remote store does not answer, or is busy; nothing is lost, the same points may be sent again.
    #[error(
        "远端时序库暂不接收，数据留在本机待补发 (the series store at {url} does not take points now ({reason}); they are kept here and sent again)"
    )]
    RemoteAway {
        /// Its address.
        url: String,
        /// What was heard of it.
        reason: String,
        /// How long it asked to be left alone, if it did.
        wait: Option<std::time::Duration>,
    },
    /// A remote store cannot be read now; what is kept here is not concerned.
    #[error(
        "远端时序库暂时读不到，早于本机的历史暂缺；本机照常存数 (the series store at {url} cannot be read now ({reason}); it alone has what is older than this machine's data, readings are kept here as ever)"
    )]
    RemoteUnread {
        /// Its address.
        url: String,
        /// What was heard of it.
        reason: String,
    },
    /// A remote store does not let us in.
    #[error(
        "远端时序库拒绝访问：请检查配置中的令牌、组织和桶 (the series store at {url} refuses us with {status} ({reason}); check token, organisation and bucket in the configuration)"
    )]
    RemoteClosed {
        /// Its address.
        url: String,
        /// HTTP status.
        status: u16,
        /// What it said.
        reason: String,
    },
    /// The address of a remote store is none.
    #[error("不能作远端时序库地址 ({url} cannot be the address of the remote series store: {reason})")]
    RemoteAddress {
        /// The address given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that the remote store's settings name cannot be used.
    #[error("远端时序库本机文件不可用 (cannot use {path} for the remote series store)")]
    RemoteFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// A remote store answered what cannot be used.
    #[error(
        "远端时序库的答复读不懂，早于本机的历史暂缺；本机照常存数 (the answer of the remote series store cannot be read: {reason}; it alone has what is older than this machine's data, readings are kept here as ever)"
    )]
    RemoteAnswer {
        /// What is wrong with it.
        reason: String,
    },
    /// Points could not be compressed: a fault of the program.
    #[error("{series} 压缩失败 (cannot compress points of {series}: {reason})")]
    Compress {
        /// The series concerned.
        series: SeriesId,
        /// What the compressor said.
        reason: String,
    },
}

impl SeriesError {
    /// Its message in Chinese and in English, apart: alarms carry both.
    pub fn in_two_languages(&self) -> (String, String) {
        let said = self.to_string();
        let parts = said.split_once(" (").and_then(|(zh, en)| Some((zh.to_owned(), en.strip_suffix(')')?.to_owned())));
        parts.unwrap_or_else(|| (said.clone(), said))
    }

    /// Whether the same call may succeed later without a change by a person.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::DiskFull { .. }
                | Self::Database { .. }
                | Self::File { .. }
                | Self::RemoteAway { .. }
                | Self::RemoteUnread { .. }
        )
    }

    /// Whether it is the remote store that could not be read, for whatever reason.
    pub fn is_remote(&self) -> bool {
        matches!(
            self,
            Self::RemoteAway { .. } | Self::RemoteUnread { .. } | Self::RemoteClosed { .. } | Self::RemoteAnswer { .. }
        )
    }
}

/// SQLite's primary result codes that have a meaning of their own here.
mod sqlite_code {
    pub const READ_ONLY: i32 = 8;
    pub const IO: i32 = 10;
    pub const FULL: i32 = 13;
    pub const CANNOT_OPEN: i32 = 14;
    pub const NOT_A_DATABASE: i32 = 26;
}

/// Turns an error of the database into ours; `points` are those of the commit that failed.
pub(super) fn from_database(
    path: &std::path::Path,
    doing: &'static str,
    points: usize,
    cause: sqlx::Error,
) -> SeriesError {
    let path = path.to_path_buf();
    let code = cause
        .as_database_error()
        .and_then(|e| e.code())
        .and_then(|c| c.parse::<i32>().ok())
        .map(|extended| extended & 0xff);
    match code {
        Some(sqlite_code::FULL) => SeriesError::DiskFull { path, points },
        Some(sqlite_code::IO) if has_no_room(&path) => SeriesError::DiskFull { path, points },
        Some(sqlite_code::READ_ONLY | sqlite_code::CANNOT_OPEN) => {
            SeriesError::NotWritable { path, cause: Arc::new(cause) }
        }
        Some(sqlite_code::NOT_A_DATABASE) => SeriesError::NotAStore { path },
        _ => SeriesError::Database { path, doing, cause: Arc::new(cause) },
    }
}
