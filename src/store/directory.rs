//! The one directory that holds everything a reach keeps: databases, blobs, backups.
//!
//! In: a path. Out: a claimed directory that exists, can be written and belongs to this process alone until it ends.
//! It refuses a directory that another process holds, and names that process.

use super::StoreError;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

const LOCK_FILE: &str = "anlan.lock";

/// A data directory that this process holds. Dropping it lets go; so does the end of the process, however it ends.
#[derive(Debug)]
pub struct StoreDirectory {
    path: PathBuf,
    _lock: File,
}

impl StoreDirectory {
    /// Makes the directory if needed, checks that it can be written, and claims it for this process.
    pub fn claim(path: &Path) -> Result<Self, StoreError> {
        make_private(path)?;
        let lock_path = path.join(LOCK_FILE);
        let mut lock = open_lock(&lock_path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse { path: path.to_owned(), pid: pid_in(&mut lock) });
            }
            Err(TryLockError::Error(cause)) => return Err(StoreError::from_io("lock", &lock_path, cause)),
        }
        write_pid(&mut lock).map_err(|cause| StoreError::from_io("write", &lock_path, cause))?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Claims a directory that is a data directory already; a wrong name makes none.
    ///
    /// # Errors
    /// Where nothing was ever kept, and as [`Self::claim`].
    pub fn claim_existing(path: &Path) -> Result<Self, StoreError> {
        if !state_file(path).is_file() {
            return Err(StoreError::NoDirectory { path: path.to_owned() });
        }
        Self::claim(path)
    }

    /// The process that holds the directory, if one does.
    pub fn holder(path: &Path) -> Option<u32> {
        let mut lock = File::open(path.join(LOCK_FILE)).ok()?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => Some(pid_in(&mut lock)),
            _ => None,
        }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The database of journal, state, users and outbox in a data directory.
pub fn state_file(dir: &Path) -> PathBuf {
    dir.join("anlan.db")
}

/// The database of readings in a data directory.
pub fn series_file(dir: &Path) -> PathBuf {
    dir.join("series.db")
}

/// The folder of photos and other blobs in a data directory.
pub fn blobs_folder(dir: &Path) -> PathBuf {
    dir.join("blobs")
}

/// Makes a directory that only its owner may read; an existing one keeps its rights.
pub fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|cause| StoreError::from_io("make the data directory", path, cause))
}

fn open_lock(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|cause| StoreError::from_io("write", path, cause))
}

fn write_pid(lock: &mut File) -> std::io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    write!(lock, "{}", std::process::id())?;
    lock.sync_data()
}

/// The process id in a lock file, 0 if its holder has not written it yet.
fn pid_in(lock: &mut File) -> u32 {
    let mut text = String::new();
    let _ = lock.read_to_string(&mut text);
    text.trim().parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directory_refuses_a_second_holder_and_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let held = StoreDirectory::claim(dir.path()).unwrap();
        assert_eq!(StoreDirectory::holder(dir.path()), Some(std::process::id()));
        let refusal = StoreDirectory::claim(dir.path()).unwrap_err().to_string();
        assert!(refusal.contains(&format!("process {}", std::process::id())), "{refusal}");
        assert!(refusal.contains(dir.path().to_str().unwrap()), "{refusal}");
        drop(held);
        assert_eq!(StoreDirectory::holder(dir.path()), None);
        StoreDirectory::claim(dir.path()).unwrap();
    }

    #[test]
    fn directory_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("plain");
        fs::write(&file, "x").unwrap();
        let refusal = StoreDirectory::claim(&file.join("below")).unwrap_err().to_string();
        assert!(refusal.contains("plain/below"), "{refusal}");
    }
}
