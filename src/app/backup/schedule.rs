//! Backups by the server itself, as `[backup]` says.

use super::{BackupError, Manifest, backup, entries};
use crate::app::clock::wall_now;
use crate::app::config::BackupSection;
use crate::model::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PREFIX: &str = "anlan-";

/// When the newest backup of the server was made, for whoever watches its age.
#[derive(Debug, Clone, Default)]
pub struct NewestBackup(Arc<AtomicI64>);

impl NewestBackup {
    /// Seconds since then; `None` while there is none.
    pub fn age_s(&self, now: Timestamp) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|made| *made > 0).map(|made| now.timestamp() - made)
    }
}

/// Makes a backup at once when the last one is too old, then one in each period, until `stop`. A failure is logged as
/// an error and tried again in the next period; the server goes on.
pub async fn keep_backups(data: PathBuf, settings: BackupSection, newest: NewestBackup, stop: CancellationToken) {
    let every = Duration::from_secs(u64::from(settings.every_h) * 3600);
    loop {
        match backup_if_due(&data, &settings, wall_now()).await {
            Ok(Some(path)) => tracing::info!(folder = %path.display(), "backup made 已完成备份"),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "backup failed 备份失败"),
        }
        let made = dated(&settings.folder).ok().and_then(|all| all.last().map(|(made, _)| made.timestamp()));
        newest.0.store(made.unwrap_or_default(), Ordering::Relaxed);
        // An hour at most, so that a backup missed while the machine slept is made soon.
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every.min(Duration::from_secs(3600))) => {}
        }
    }
}

/// Makes the backup of this period unless it is there, and removes the oldest beyond the number to keep.
pub(super) async fn backup_if_due(
    data: &Path,
    settings: &BackupSection,
    now: Timestamp,
) -> Result<Option<PathBuf>, BackupError> {
    crate::store::make_private(&settings.folder)?;
    let last = dated(&settings.folder)?.into_iter().next_back();
    let due = last.is_none_or(|(made, _)| now - made >= chrono::TimeDelta::hours(i64::from(settings.every_h)));
    if !due {
        return Ok(None);
    }
    let target = settings.folder.join(format!("{PREFIX}{}", now.format("%Y%m%dT%H%M%SZ")));
    let manifest = backup(data, &target, now).await?;
    if !manifest.damaged.is_empty() {
        tracing::error!(
            spans = manifest.damaged.len(),
            first = manifest.damaged.first(),
            "备份含损坏的数据，最近一份完好的备份予以保留 (the backup holds damaged observations; the last whole one is kept)"
        );
    }
    let mut present = dated(&settings.folder)?;
    let whole = present.iter().rev().map(|(_, path)| path).find(|path| Manifest::is_whole(path)).cloned();
    while present.len() > settings.keep {
        let (_, oldest) = present.remove(0);
        // The one that a damaged span can be taken from.
        if whole.as_ref() == Some(&oldest) {
            continue;
        }
        fs::remove_dir_all(&oldest).map_err(BackupError::file("remove", &oldest))?;
    }
    Ok(Some(target))
}

/// Complete backups in the folder with the moment in their names, oldest first.
fn dated(folder: &Path) -> Result<Vec<(Timestamp, PathBuf)>, BackupError> {
    let moment = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?.strip_prefix(PREFIX)?.to_owned();
        let naive = chrono::NaiveDateTime::parse_from_str(&name, "%Y%m%dT%H%M%SZ").ok()?;
        Some((naive.and_utc(), path.clone()))
    };
    let mut found: Vec<_> = entries(folder)?.iter().filter_map(moment).collect();
    found.sort();
    Ok(found)
}
