//! The folder of a measurement.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder for files; one that was not given goes away with it.
pub(super) struct Scratch {
    pub(super) path: PathBuf,
    temporary: bool,
}

impl Scratch {
    /// Uses a given folder, else a temporary one of this process.
    pub(super) fn new(given: Option<&Path>) -> std::io::Result<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let own = || {
            let number = MADE.fetch_add(1, Ordering::Relaxed);
            std::env::temp_dir().join(format!("anlan-bench-{}-{number}", std::process::id()))
        };
        let path = given.map_or_else(own, Path::to_owned);
        std::fs::create_dir_all(&path)?;
        Ok(Self { path, temporary: given.is_none() })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.temporary {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
