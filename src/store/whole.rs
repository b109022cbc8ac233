//! A file whole and durable, or not there: written aside, synced, then named.

use std::path::Path;
use tokio::io::AsyncWriteExt;

/// Puts `bytes` under `path`; when this answers they survive a power cut, and a half-written file never has that name.
pub(super) async fn write_durable(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let aside = path.with_extension("part");
    let mut file = tokio::fs::File::create(&aside).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    tokio::fs::rename(&aside, path).await?;
    let folder = path.parent().unwrap_or(Path::new("."));
    tokio::fs::File::open(folder).await?.sync_all().await
}
