//! Bringing a backup back.

use super::{BackupError, MANIFEST, Manifest, copy_file, entries, sync_folder};
use crate::store::StoreDirectory;
use std::fs;
use std::path::{Path, PathBuf};

const LOCK: &str = "anlan.lock";

/// Checks the backup `from`, then puts its files into `data`; returns the manifest and where older files went.
///
/// The state before is kept: with `force` everything in `data` is moved into `data/before-restore-N`.
pub fn restore(from: &Path, data: &Path, force: bool) -> Result<(Manifest, Option<PathBuf>), BackupError> {
    let manifest = Manifest::verify(from)?;
    // Claimed until the end: no server can start on half a restore.
    let claimed = StoreDirectory::claim(data)?;
    let present: Vec<PathBuf> = entries(data)?.into_iter().filter(|path| !kept(path)).collect();
    let aside = match (present.is_empty(), force) {
        (true, _) => None,
        (false, false) => return Err(BackupError::NotEmpty { path: data.to_owned() }),
        (false, true) => Some(move_aside(data, &present)?),
    };
    let incoming = data.join("restore.partial");
    fs::create_dir_all(&incoming).map_err(BackupError::file("make", &incoming))?;
    for file in &manifest.files {
        let target = incoming.join(&file.path);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(BackupError::file("make", folder))?;
        }
        copy_file(&from.join(&file.path), &target)?;
    }
    for path in entries(&incoming)? {
        let target = data.join(path.file_name().unwrap_or_default());
        fs::rename(&path, &target).map_err(BackupError::file("rename to", &target))?;
    }
    fs::remove_dir(&incoming).map_err(BackupError::file("remove", &incoming))?;
    copy_file(&from.join(MANIFEST), &data.join("restored-from.json"))?;
    sync_folder(data)?;
    drop(claimed);
    Ok((manifest, aside))
}

/// The lock stays; what earlier restores moved aside and the note about them are no data.
fn kept(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name == LOCK || name.starts_with("before-restore-")
}

fn move_aside(data: &Path, present: &[PathBuf]) -> Result<PathBuf, BackupError> {
    let names = (1..).map(|n| data.join(format!("before-restore-{n}")));
    let aside = names.into_iter().find(|path| !path.exists()).unwrap_or_default();
    fs::create_dir(&aside).map_err(BackupError::file("make", &aside))?;
    for path in present {
        let target = aside.join(path.file_name().unwrap_or_default());
        fs::rename(path, &target).map_err(BackupError::file("move to", &target))?;
    }
    sync_folder(&aside)?;
    Ok(aside)
}
