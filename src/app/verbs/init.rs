//! `anlan init`: a data directory and a configuration to begin with.

use super::{Outcome, wait_for};
use crate::app::config::{Config, SAMPLE};
use crate::store::users::{USERS_SCHEMA, Users};
use crate::store::{Database, StoreDirectory, StoreError, state_file};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where a system install keeps its data; the sample's backup folder belongs to it.
const SYSTEM_DATA: &str = "/var/lib/anlan";

/// Makes a data directory and a configuration file; neither may exist with content (新建数据目录与配置).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The data directory to make.
    #[arg(long, default_value = SYSTEM_DATA)]
    data: PathBuf,
    /// The configuration file to write.
    #[arg(long, default_value = "anlan.toml")]
    config: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> Outcome {
    wait_for(async move {
        let data = std::path::absolute(&args.data)?;
        let text = configuration(&data)?;
        Config::parse(&text, &args.config)?;
        let database = state_file(&data);
        if database.exists() {
            return Err(format!("{} exists already: nothing was changed (数据目录已初始化)", database.display()).into());
        }
        let _claimed = StoreDirectory::claim(&data)?;
        write_new(&args.config, &text)?;
        let opened = Database::open(&database, &[USERS_SCHEMA]).await?;
        let administrators = Users::new(opened.clone()).has_administrator().await?;
        opened.close().await;
        if args.json {
            println!("{}", serde_json::json!({"data": data, "config": args.config, "administrator": administrators}));
        } else {
            println!("made {} and {} (已建立)", data.display(), args.config.display());
            println!("next (下一步): anlan user add NAME --role operator --data {}", data.display());
            println!("then (然后):   anlan serve --config {}", args.config.display());
        }
        Ok(())
    })
}

/// The sample with the data directory put in; its backups go beside that, but for the place of a system install.
fn configuration(data: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let quoted = |path: &Path| path.to_str().map(toml::Value::from).ok_or("the data directory's name is not UTF-8");
    if data == Path::new(SYSTEM_DATA) {
        return Ok(SAMPLE.to_owned());
    }
    let backups = data.parent().unwrap_or(data).join("backups");
    let with_data = SAMPLE.replace("\ndata = \"/var/lib/anlan\"\n", &format!("\ndata = {}\n", quoted(data)?));
    Ok(with_data.replace("\nfolder = \"/var/backups/anlan\"\n", &format!("\nfolder = {}\n", quoted(&backups)?)))
}

fn write_new(path: &Path, text: &str) -> Result<(), StoreError> {
    let fault = |cause| StoreError::from_io("write the new configuration", path, cause);
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(fault)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn init_puts_backups_beside_the_data_directory() {
        let folder = |data: &str| {
            let text = configuration(Path::new(data)).unwrap();
            let config = Config::parse(&text, Path::new("anlan.toml")).unwrap();
            assert_eq!(config.data, Path::new(data));
            config.backup.unwrap().folder
        };
        assert_eq!(folder("/var/lib/anlan"), Path::new("/var/backups/anlan"));
        assert_eq!(folder("/home/wang/flood/data"), Path::new("/home/wang/flood/backups"));
        assert_eq!(folder("/data"), Path::new("/backups"));
    }
}
