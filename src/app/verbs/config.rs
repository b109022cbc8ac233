//! `anlan config check FILE`.

use super::Outcome;
use crate::app::config::{Config, ConfigError};
use crate::app::rehearsal::{SiteFiles, load_playbook};
use clap::Subcommand;
use std::path::PathBuf;

/// Checks a configuration file (检查配置文件).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Reads FILE and says what is wrong with it: file, line, column.
    Check {
        /// The configuration file.
        file: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(args: Args) -> Outcome {
    let Action::Check { file, json } = args.action;
    let config = Config::load(&file)?;
    // What the file names is read as the server would: a folder that is not there is found here, not at night.
    let files = SiteFiles::read(&config)?;
    load_playbook(&files.playbook)?;
    config.series.check().map_err(ConfigError::from)?;
    if json {
        println!("{}", serde_json::json!({"ok": true, "listen": config.listen, "data": config.data}));
    } else {
        println!(
            "{}: in order (配置无误); listens on {}, data in {}",
            file.display(),
            config.listen,
            config.data.display()
        );
    }
    Ok(())
}
