//! What several of these tests need: a store that can be slow or broken, a free port, a server in a folder.

use anlan::ingest::{IntakeError, Sink};
use anlan::model::Reading;
use async_trait::async_trait;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

/// A store that can be slow or broken.
pub struct Store {
    pub kept: Mutex<Vec<Reading>>,
    pub broken: AtomicBool,
    pub refusals: AtomicUsize,
    /// Its one permit is lent for a moment with each batch; whoever holds it makes the store wait.
    pub gate: Semaphore,
}

impl Store {
    pub fn open() -> Arc<Self> {
        Arc::new(Self {
            kept: Mutex::default(),
            broken: AtomicBool::new(false),
            refusals: AtomicUsize::new(0),
            gate: Semaphore::new(1),
        })
    }
}

#[async_trait]
impl Sink for Store {
    async fn keep(&self, readings: Vec<Reading>) -> Result<(), IntakeError> {
        self.gate.acquire().await.unwrap().forget();
        self.gate.add_permits(1);
        if self.broken.load(Ordering::SeqCst) {
            self.refusals.fetch_add(1, Ordering::SeqCst);
            return Err(IntakeError::Stopping);
        }
        self.kept.lock().unwrap().extend(readings);
        Ok(())
    }
}

/// A port of loopback that nobody uses at the moment.
pub async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// `anlan serve` over the `a.toml` of a folder; it ends with the handle.
pub fn serve(folder: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_anlan"))
        .args(["serve", "--config", "a.toml"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}
