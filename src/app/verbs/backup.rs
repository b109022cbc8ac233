//! `anlan backup`.

use super::place::ServerPlace;
use super::{Outcome, wait_for};
use crate::app::backup::backup;
use crate::app::clock::wall_now;
use std::path::PathBuf;

/// Copies a data directory while its server runs (在线备份): databases, photos, and a manifest with SHA-256.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    server: ServerPlace,
    /// The folder to make; it must not exist.
    #[arg(long)]
    to: PathBuf,
    /// Print the manifest as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> Outcome {
    wait_for(async move {
        let manifest = backup(&args.server.data()?, &args.to, wall_now()).await?;
        if args.json {
            println!("{}", serde_json::to_string(&manifest)?);
        } else {
            let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
            println!("{}: {} files, {bytes} bytes (备份完成)", args.to.display(), manifest.files.len());
        }
        if manifest.damaged.is_empty() {
            return Ok(());
        }
        let count = manifest.damaged.len();
        let head = format!(
            "备份已写成，但源数据有 {count} 段损坏，备份中同样损坏；旧备份勿删 (the backup is written, but {count} spans of its observations were damaged before and are in it: keep older backups)"
        );
        Err(format!("{head}:\n{}", manifest.damaged.join("\n")).into())
    })
}
