//! Backups of a data directory while the server runs, and how they come back.
//!
//! In: a data directory. Out: a folder with consistent copies of the databases, the blobs, and a manifest with sizes
//! and SHA-256. The journal is copied first and the rest after it, so that everything a fact refers to is in the
//! backup. Restoring checks every file before it touches anything, refuses a directory in use, and with `--force`
//! moves what was there aside instead of deleting it.

mod fault;
mod manifest;
mod restore;
mod schedule;

pub use fault::BackupError;
pub use manifest::{BackedUpFile, MANIFEST, Manifest};
pub use restore::restore;
pub use schedule::{NewestBackup, keep_backups};

use crate::model::Timestamp;
use crate::store::series::{EmbeddedSeries, SeriesError};
use crate::store::{Database, blobs_folder, series_file, state_file};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Copies the data directory `data` into the new folder `to`; other processes may go on writing meanwhile.
pub async fn backup(data: &Path, to: &Path, now: Timestamp) -> Result<Manifest, BackupError> {
    if !state_file(data).is_file() {
        return Err(BackupError::NothingThere { path: data.to_owned() });
    }
    if to.exists() {
        return Err(BackupError::Exists { path: to.to_owned() });
    }
    // Only a complete backup gets the name that was asked for.
    let partial = beside(to, ".partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(BackupError::file("remove", &partial))?;
    }
    crate::store::make_private(&partial)?;
    for database in databases(data)? {
        copy_database(&database, &partial).await?;
    }
    copy_tree(&blobs_folder(data), &blobs_folder(&partial))?;
    let mut manifest = Manifest::of(&partial, now)?;
    let series = series_file(&partial);
    if series.is_file() {
        // A copy of damaged points is made faithfully; nobody may take it for a whole one.
        manifest.damaged = match EmbeddedSeries::damaged_in(&series).await {
            Ok(spans) => spans.into_iter().map(|span| SeriesError::from(span).to_string()).collect(),
            Err(fault) => vec![fault.to_string()],
        };
    }
    manifest.write(&partial)?;
    sync_folder(&partial)?;
    fs::rename(&partial, to).map_err(BackupError::file("rename", &partial))?;
    sync_folder(to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    Ok(manifest)
}

/// The journal's database first, then the others by name.
fn databases(data: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let first = state_file(data);
    let mut others = Vec::new();
    for path in entries(data)? {
        if path.extension() == Some(OsStr::new("db")) && path != first {
            others.push(path);
        }
    }
    others.sort();
    others.insert(0, first);
    Ok(others)
}

async fn copy_database(from: &Path, folder: &Path) -> Result<(), BackupError> {
    let target = folder.join(from.file_name().unwrap_or_default());
    // No schema part: a copy asks nothing of the versions inside.
    let database = Database::open(from, &[]).await?;
    let copied = database.copy_to(&target).await;
    database.close().await;
    Ok(copied?)
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), BackupError> {
    if !from.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(to).map_err(BackupError::file("make", to))?;
    for path in entries(from)? {
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_tree(&path, &target)?;
        } else {
            copy_file(&path, &target)?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<(), BackupError> {
    fs::copy(from, to).map_err(BackupError::file("copy to", to))?;
    fs::File::open(to).and_then(|file| file.sync_all()).map_err(BackupError::file("write", to))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let listed = fs::read_dir(folder).map_err(BackupError::file("read", folder))?;
    listed
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(BackupError::file("read", folder))
}

/// `path` with something after its name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Makes names in a folder durable.
fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(BackupError::file("write", folder))
}

#[cfg(test)]
mod tests;
