//! Lines that the server will not take, kept on disk for a person to look at.

use super::SeriesError;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The file of refused lines: `# reason`, then the line.
#[derive(Debug)]
pub(super) struct Refused {
    path: PathBuf,
    file: Mutex<File>,
    lines: AtomicU64,
}

impl Refused {
    pub(super) fn open(path: &Path) -> Result<Self, SeriesError> {
        let fault = |cause| SeriesError::File {
            path: path.into(),
            doing: "opening the file of refused lines",
            cause: Arc::new(cause),
        };
        let before = match std::fs::read_to_string(path) {
            Ok(text) => text.lines().filter(|line| !line.starts_with('#')).count() as u64,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => 0,
            Err(cause) => return Err(fault(cause)),
        };
        let file = File::options().create(true).append(true).open(path).map_err(fault)?;
        Ok(Self { path: path.into(), file: Mutex::new(file), lines: AtomicU64::new(before) })
    }

    pub(super) fn lines(&self) -> u64 {
        self.lines.load(Ordering::Relaxed)
    }

    /// Sets a line aside; it is on disk when this returns.
    pub(super) fn keep(&self, line: &str, reason: &str) -> Result<(), SeriesError> {
        let reason = reason.replace(['\n', '\r'], " ");
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = writeln!(file, "# {reason}\n{}", line.trim_end()).and_then(|()| file.sync_data());
        kept.map_err(|cause| SeriesError::File {
            path: self.path.clone(),
            doing: "setting a refused line aside",
            cause: Arc::new(cause),
        })?;
        self.lines.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            line = line.trim_end(),
            reason,
            "时序库拒收一行，已另存 (the server refused a line; it is set aside)"
        );
        Ok(())
    }
}
