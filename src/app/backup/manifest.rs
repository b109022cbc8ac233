//! The list of what is in a backup.

use super::{BackupError, entries};
use crate::model::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{BufReader, Read};
use std::path::{Component, Path};

/// Name of the manifest in a backup.
pub const MANIFEST: &str = "manifest.json";
const FORMAT: u32 = 1;

/// What a backup holds; JSON in `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// 1.
    pub format: u32,
    /// Version of the program that made it.
    pub anlan: String,
    /// When it was made, UTC.
    pub made_at: Timestamp,
    /// Every file, by path.
    pub files: Vec<BackedUpFile>,
    /// Spans of observations that were damaged in the source and are as damaged here, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<String>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackedUpFile {
    /// Path below the backup, with `/`.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 in hex.
    pub sha256: String,
}

impl Manifest {
    /// Lists every file below `folder`.
    pub(super) fn of(folder: &Path, now: Timestamp) -> Result<Self, BackupError> {
        let mut files = Vec::new();
        list(folder, folder, &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self {
            format: FORMAT,
            anlan: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: now,
            files,
            damaged: Vec::new(),
        })
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), BackupError> {
        let path = folder.join(MANIFEST);
        let text = serde_json::to_string_pretty(self)
            .map_err(|cause| BackupError::BadManifest { path: path.clone(), why: cause.to_string() })?;
        fs::write(&path, text + "\n").map_err(BackupError::file("write", &path))
    }

    /// Whether a backup says that nothing in it was damaged when it was made.
    pub(super) fn is_whole(folder: &Path) -> bool {
        let text = fs::read_to_string(folder.join(MANIFEST)).unwrap_or_default();
        serde_json::from_str::<Self>(&text).is_ok_and(|manifest| manifest.damaged.is_empty())
    }

    /// Reads the manifest of a backup and compares every file with it.
    pub(super) fn verify(folder: &Path) -> Result<Self, BackupError> {
        let path = folder.join(MANIFEST);
        let text = fs::read_to_string(&path).map_err(BackupError::file("read", &path))?;
        let bad = |why: String| BackupError::BadManifest { path: path.clone(), why };
        let manifest: Self = serde_json::from_str(&text).map_err(|cause| bad(cause.to_string()))?;
        if manifest.format != FORMAT {
            return Err(bad(format!("format {} is not known to this program", manifest.format)));
        }
        if !manifest.files.iter().any(|file| file.path == "anlan.db") {
            return Err(bad("it lists no anlan.db".to_owned()));
        }
        for file in &manifest.files {
            // A manifest from elsewhere must not reach outside its folder.
            if !Path::new(&file.path).components().all(|part| matches!(part, Component::Normal(_))) {
                return Err(bad(format!("{:?} is not a path below it", file.path)));
            }
            file.compare(folder)?;
        }
        Ok(manifest)
    }
}

impl BackedUpFile {
    fn compare(&self, folder: &Path) -> Result<(), BackupError> {
        let path = folder.join(&self.path);
        let (bytes, sha256) = digest(&path)?;
        let what = if bytes != self.bytes {
            "size"
        } else if sha256 != self.sha256 {
            "SHA-256"
        } else {
            return Ok(());
        };
        Err(BackupError::Altered { path, what })
    }
}

fn list(root: &Path, folder: &Path, files: &mut Vec<BackedUpFile>) -> Result<(), BackupError> {
    for path in entries(folder)? {
        if path.is_dir() {
            list(root, &path, files)?;
            continue;
        }
        let (bytes, sha256) = digest(&path)?;
        let below = path.strip_prefix(root).unwrap_or(&path);
        let name = below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
        files.push(BackedUpFile { path: name, bytes, sha256 });
    }
    Ok(())
}

fn digest(path: &Path) -> Result<(u64, String), BackupError> {
    let mut file = BufReader::new(fs::File::open(path).map_err(BackupError::file("read", path))?);
    let mut hasher = Sha256::new();
    let mut part = vec![0_u8; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut part).map_err(BackupError::file("read", path))?;
        let Some(filled) = part.get(..read).filter(|filled| !filled.is_empty()) else { break };
        hasher.update(filled);
        bytes += read as u64;
    }
    Ok((bytes, hex::encode(hasher.finalize())))
}
