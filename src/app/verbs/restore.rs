//! `anlan restore`.

use super::Outcome;
use crate::app::backup::restore;
use std::path::PathBuf;

/// Checks a backup and puts it into a data directory whose server is stopped (恢复备份).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder that `anlan backup` made.
    #[arg(long)]
    from: PathBuf,
    /// The data directory; empty or absent, unless --force.
    #[arg(long)]
    data: PathBuf,
    /// Move what is in the data directory aside (nothing is deleted) and restore.
    #[arg(long)]
    force: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> Outcome {
    let (manifest, aside) = restore(&args.from, &args.data, args.force)?;
    if args.json {
        println!("{}", serde_json::json!({"restored": manifest, "moved_aside": aside}));
        return Ok(());
    }
    println!("{}: the state of {} (已恢复)", args.data.display(), manifest.made_at);
    if let Some(aside) = aside {
        println!("what was there before is in {} (原有数据已移至此处)", aside.display());
    }
    Ok(())
}
