//! What does not belong among the readings, as lines of JSON: test data, texts, the list of pictures, set-aside frames.
//!
//! Each file is bounded: when it is full it takes the place of its predecessor (`….1.jsonl`) and begins anew.

use serde_json::Value;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Set-aside frames that may wait for the disk; further ones are counted only, for a flood of them must cost nothing.
const WAITING: usize = 64;

/// Which file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drawer {
    /// 测试报: values that never reach live views.
    Tests,
    /// 人工置数.
    Texts,
    /// 图片: which station, when, which blob.
    Pictures,
    /// Frames that were not taken, with the reason.
    SetAside,
}

impl Drawer {
    fn name(self) -> &'static str {
        match self {
            Self::Tests => "tests",
            Self::Texts => "texts",
            Self::Pictures => "pictures",
            Self::SetAside => "set-aside",
        }
    }
}

/// The files.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
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
    pub(super) fn new(folder: PathBuf, bytes_max: u64) -> Self {
        let room = Arc::new(Semaphore::new(WAITING));
        Self { inner: Arc::new(Inner { folder, bytes_max, pen: Mutex::default(), room }) }
    }

    /// Writes a line; it is on disk when this returns true.
    pub(super) async fn keep(&self, drawer: Drawer, line: Value) -> bool {
        let inner = Arc::clone(&self.inner);
        let written = tokio::task::spawn_blocking(move || inner.write(drawer, &line)).await;
        match written {
            Ok(Ok(())) => true,
            Ok(Err(cause)) => {
                tracing::error!(%cause, file = drawer.name(), folder = %self.inner.folder.display(), "无法写入 (cannot write)");
                false
            }
            Err(_) => false,
        }
    }

    /// Writes a line if there is room for it right now; says whether there was.
    pub(super) async fn keep_if_room(&self, drawer: Drawer, line: Value) -> bool {
        match Arc::clone(&self.inner.room).try_acquire_owned() {
            Ok(_room) => self.keep(drawer, line).await,
            Err(_) => false,
        }
    }
}

impl Inner {
    fn write(&self, drawer: Drawer, line: &Value) -> std::io::Result<()> {
        let _pen = self.pen.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.folder.join(format!("{}.jsonl", drawer.name()));
        make_room(&path, self.bytes_max)?;
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        file.write_all(format!("{line}\n").as_bytes())?;
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
    async fn sl651_shelf_keeps_lines_and_stays_small() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(folder.path().to_owned(), 100);
        for number in 0..40 {
            assert!(shelf.keep(Drawer::Tests, json!({ "number": number, "padding": "xxxxxxxxxx" })).await);
        }
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(read("tests.jsonl").contains("39"));
        assert!(read("tests.jsonl").len() < 200 && read("tests.1.jsonl").len() < 200);
        let gone = Shelf::new(folder.path().join("nowhere"), 100);
        assert!(!gone.keep(Drawer::Tests, json!({})).await);
    }
}
