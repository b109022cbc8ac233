//! Photos: kept as files under the hash of their content, durable before anyone refers to them.

use super::whole::write_durable;
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// What goes wrong with a photo.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// Neither JPEG, PNG nor WebP.
    #[error("照片须为 JPEG、PNG 或 WebP (a photo must be JPEG, PNG or WebP)")]
    NotAPicture,
    /// No photo of that id.
    #[error("没有照片 {id} (no such photo)")]
    NotFound {
        /// The id.
        id: String,
    },
    /// The disk fails.
    #[error("无法读写照片 (cannot read or write a photo)")]
    Store(#[source] std::io::Error),
}

/// A photo as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    /// Media type.
    pub kind: &'static str,
    /// Content.
    pub bytes: Vec<u8>,
}

/// The folder of photos.
#[derive(Debug, Clone)]
pub struct Photos {
    folder: PathBuf,
}

impl Photos {
    /// Uses a folder that exists.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Keeps a photo and gives its id; the same content twice is one file.
    ///
    /// # Errors
    /// What is no picture, or a disk that fails.
    pub async fn keep(&self, bytes: &[u8]) -> Result<String, PhotoError> {
        kind_of(bytes).ok_or(PhotoError::NotAPicture)?;
        let id = hex::encode(Sha256::digest(bytes));
        let path = self.folder.join(&id);
        if !path.exists() {
            write_durable(&path, bytes).await.map_err(PhotoError::Store)?;
        }
        Ok(id)
    }

    /// The photo of that id.
    ///
    /// # Errors
    /// When there is none, or the disk fails.
    pub async fn get(&self, id: &str) -> Result<Photo, PhotoError> {
        let none = || PhotoError::NotFound { id: id.chars().take(64).collect() };
        if id.len() != 64 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(none());
        }
        match tokio::fs::read(self.folder.join(id)).await {
            Ok(bytes) => Ok(Photo { kind: kind_of(&bytes).unwrap_or("application/octet-stream"), bytes }),
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Err(none()),
            Err(fault) => Err(PhotoError::Store(fault)),
        }
    }
}

/// Media type by the first bytes.
fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        Some("image/jpeg")
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some("image/webp")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_photo_is_kept_once_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let photos = Photos::new(folder.path());
        let jpeg = [0xff, 0xd8, 0xff, 0xe0, 1, 2, 3];
        let id = photos.keep(&jpeg).await.unwrap();
        assert_eq!(photos.keep(&jpeg).await.unwrap(), id);
        assert_eq!(photos.get(&id).await.unwrap(), Photo { kind: "image/jpeg", bytes: jpeg.to_vec() });
        assert!(matches!(photos.keep(b"<svg onload=alert(1)>").await, Err(PhotoError::NotAPicture)));
        assert!(matches!(photos.get("../anlan.db").await, Err(PhotoError::NotFound { .. })));
    }
}
