//! The journal of a drill as a file: one fact a line, the very text that a journal stores, hash-chained.
//!
//! In: entries. Out: `journal.jsonl`, the end of its chain and the SHA-256 of the file. It refuses nothing; a disk that
//! does not take a line is told.

use crate::command::{ChainHash, Entry};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Name of the file within a drill's folder.
pub const JOURNAL_FILE: &str = "journal.jsonl";

/// A drill's journal could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: free the disk or choose another folder with --out (无法写入演练日志)")]
pub struct LedgerFault {
    /// Which file.
    pub path: String,
    /// What the system said.
    #[source]
    pub cause: io::Error,
}

/// The two hashes of a whole journal, 64 hex digits each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerHashes {
    /// SHA-256 of the file, as `sha256sum journal.jsonl` gives it.
    pub file: String,
    /// End of the chain, as a journal in a database would have it.
    pub chain: String,
}

/// A journal file that grows.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    out: BufWriter<File>,
    file: Sha256,
    chain: ChainHash,
    facts: u64,
}

impl Ledger {
    /// A new file in a folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(folder: &Path) -> Result<Self, LedgerFault> {
        let path = folder.join(JOURNAL_FILE);
        let out = File::create_new(&path).map_err(|cause| fault(&path, cause))?;
        Ok(Self {
            path,
            out: BufWriter::with_capacity(1 << 20, out),
            file: Sha256::new(),
            chain: ChainHash::START,
            facts: 0,
        })
    }

    /// Adds entries in their order.
    ///
    /// # Errors
    /// When the disk does not take them.
    pub fn add(&mut self, entries: &[Entry]) -> Result<(), LedgerFault> {
        for entry in entries {
            let mut line = serde_json::to_string(entry).map_err(|cause| fault(&self.path, io::Error::other(cause)))?;
            self.chain = self.chain.after(&line);
            line.push('\n');
            self.file.update(line.as_bytes());
            self.out.write_all(line.as_bytes()).map_err(|cause| fault(&self.path, cause))?;
            self.facts += 1;
        }
        Ok(())
    }

    /// Facts written.
    pub fn facts(&self) -> u64 {
        self.facts
    }

    /// Brings the file to the disk.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn finish(mut self) -> Result<LedgerHashes, LedgerFault> {
        let done = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        done.map_err(|cause| fault(&self.path, cause))?;
        Ok(LedgerHashes { file: hex::encode(self.file.finalize()), chain: self.chain.to_hex() })
    }
}

fn fault(path: &Path, cause: io::Error) -> LedgerFault {
    LedgerFault { path: path.display().to_string(), cause }
}
