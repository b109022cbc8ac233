//! Lines that the server will not take, kept on disk for a person to look at.

use super::SeriesError;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A line and why it was refused.
pub(super) type RefusedLine = (String, String);

/// The file of refused lines: `# reason`, then the line.
#[derive(Debug, Clone)]
pub(super) struct Refused(Arc<Kept>);

#[derive(Debug)]
struct Kept {
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
        let file = File::options().create(true).append(true).read(true).open(path).map_err(fault)?;
        let mut before = 0;
        for line in BufReader::new(&file).split(b'\n') {
            before += u64::from(!line.map_err(fault)?.starts_with(b"#"));
        }
        Ok(Self(Arc::new(Kept { path: path.into(), file: Mutex::new(file), lines: AtomicU64::new(before) })))
    }

    pub(super) fn lines(&self) -> u64 {
        self.0.lines.load(Ordering::Relaxed)
    }

    /// Sets lines aside, all with one sync of the disk; they are there when this returns. Not on a worker of the runtime.
    pub(super) async fn keep(&self, lines: Vec<RefusedLine>) -> Result<(), SeriesError> {
        if lines.is_empty() {
            return Ok(());
        }
        let kept = Arc::clone(&self.0);
        let outcome = tokio::task::spawn_blocking(move || kept.write(&lines)).await;
        let outcome = outcome.unwrap_or_else(|gone| Err(std::io::Error::other(gone)));
        outcome.map_err(|cause| SeriesError::File {
            path: self.0.path.clone(),
            doing: "setting refused lines aside",
            cause: Arc::new(cause),
        })
    }
}

impl Kept {
    fn write(&self, lines: &[RefusedLine]) -> std::io::Result<()> {
        let mut text = String::new();
        for (line, reason) in lines {
            text.push_str("# ");
            text.extend(reason.chars().map(|c| if c.is_control() { ' ' } else { c }));
            text.push('\n');
            text.push_str(line.trim_end());
            text.push('\n');
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        self.lines.fetch_add(lines.len() as u64, Ordering::Relaxed);
        let (line, reason) = lines.first().map_or(("", ""), |(line, reason)| (line.trim_end(), reason.as_str()));
        tracing::error!(
            lines = lines.len(),
            line,
            reason,
            "时序库拒收，已另存 (the server refused lines; they are set aside)"
        );
        Ok(())
    }
}
