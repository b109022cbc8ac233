//! What does not belong among the readings, as lines of JSON: test data, texts, lists of pictures, messages set aside.
//!
//! In: the name of a file and lines. Out: they are on disk, or the caller is told that they are not. Each file is bounded: when it is full it takes the place of its predecessor (`….1.jsonl`) and begins anew.

use serde_json::Value;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Set-aside frames that may wait for the disk; further ones are counted only, for a flood of them must cost nothing.
const WAITING: usize = 64;

/// The files.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    bytes_max: u64,
    /// One writer at a time.
    pen: Mutex<()>,
    room: Arc<Semaphore>,
}

impl Shelf {
    pub(crate) fn new(folder: PathBuf, bytes_max: u64) -> Self {
        let room = Arc::new(Semaphore::new(WAITING));
        Self { inner: Arc::new(Inner { folder, bytes_max, pen: Mutex::default(), room }) }
    }

    /// Writes a line; it is on disk when this returns true.
    pub(crate) async fn keep(&self, drawer: &'static str, line: Value) -> bool {
        self.keep_all(drawer, vec![line]).await
    }

    /// Writes lines; all are on disk when this returns true.
    pub(crate) async fn keep_all(&self, drawer: &'static str, lines: Vec<Value>) -> bool {
        let inner = Arc::clone(&self.inner);
        let written = tokio::task::spawn_blocking(move || inner.write(drawer, &lines)).await;
        match written {
            Ok(Ok(())) => true,
            Ok(Err(cause)) => {
                tracing::error!(%cause, file = drawer, folder = %self.inner.folder.display(), "无法写入 (cannot write)");
                false
            }
            Err(_) => false,
        }
    }

    /// Writes a line if there is room for it right now; says whether there was.
    pub(crate) async fn keep_if_room(&self, drawer: &'static str, line: Value) -> bool {
        match Arc::clone(&self.inner.room).try_acquire_owned() {
            Ok(_room) => self.keep(drawer, line).await,
            Err(_) => false,
        }
    }
}

impl Inner {
    fn write(&self, drawer: &str, lines: &[Value]) -> std::io::Result<()> {
        let _pen = self.pen.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.folder.join(format!("{}.jsonl", drawer));
        make_room(&path, self.bytes_max)?;
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        file.write_all(text.as_bytes())?;
        file.sync_data()
    }
}

fn make_room(path: &Path, bytes_max: u64) -> std::io::Result<()> {
    match std::fs::metadata(path) {
        Ok(about) if about.len() >= bytes_max => std::fs::rename(path, path.with_extension("1.jsonl")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn shelf_keeps_lines_and_stays_small() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(folder.path().to_owned(), 100);
        for number in 0..40 {
            assert!(shelf.keep("tests", json!({ "number": number, "padding": "xxxxxxxxxx" })).await);
        }
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(read("tests.jsonl").contains("39"));
        assert!(read("tests.jsonl").len() < 200 && read("tests.1.jsonl").len() < 200);
        let gone = Shelf::new(folder.path().join("nowhere"), 100);
        assert!(!gone.keep("tests", json!({})).await);
    }
}
