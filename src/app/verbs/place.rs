//! Which server a verb works on: its data directory, named outright or by its configuration; and its site files.

use crate::app::assemble::{SiteFiles, gauge_series};
use crate::app::config::Config;
use crate::model::SeriesId;
use crate::store::state_file;
use std::error::Error;
use std::path::{Path, PathBuf};

/// `--data DIR` or `--config FILE`, for verbs with subcommands.
#[derive(Debug, clap::Args)]
pub(super) struct ServerPlace {
    /// The data directory.
    #[arg(long, global = true)]
    data: Option<PathBuf>,
    /// The configuration file that names the data directory.
    #[arg(long, global = true, conflicts_with = "data")]
    config: Option<PathBuf>,
}

impl ServerPlace {
    /// The configuration file, where one was named.
    pub(super) fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// The series of the site; `None` where only a data directory was named.
    pub(super) fn series(&self) -> Result<Option<Vec<SeriesId>>, Box<dyn Error>> {
        let Some(config) = self.config() else { return Ok(None) };
        Ok(Some(gauge_series(&SiteFiles::read(&Config::load(config)?)?)))
    }

    /// The data directory.
    pub(super) fn data(&self) -> Result<PathBuf, Box<dyn Error>> {
        data(self.data.as_ref(), self.config().map(Config::load).transpose()?)
    }

    /// The file with users, devices and journal; it must be there.
    pub(super) fn state_file(&self) -> Result<PathBuf, Box<dyn Error>> {
        let path = state_file(&self.data()?);
        if !path.is_file() {
            return Err(format!("{} is not there: run \"anlan init\" first (请先初始化)", path.display()).into());
        }
        Ok(path)
    }
}

/// `--data DIR` with `--sensors DIR`, or `--config FILE` that names both.
#[derive(Debug, clap::Args)]
pub(super) struct SitePlace {
    /// The data directory.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The configuration file; names the data directory and the sensors.
    #[arg(long, conflicts_with = "data")]
    config: Option<PathBuf>,
    /// The folder of the sensors; absent: those in the program.
    #[arg(long, conflicts_with = "config")]
    sensors: Option<PathBuf>,
}

impl SitePlace {
    /// The site's files and its data directory.
    pub(super) fn read(&self) -> Result<(SiteFiles, PathBuf), Box<dyn Error>> {
        let config = self.config.as_deref().map(Config::load).transpose()?;
        let files = match &config {
            Some(config) => SiteFiles::read(config)?,
            None => SiteFiles::from_folders(None, None, self.sensors.as_deref())?,
        };
        Ok((files, data(self.data.as_ref(), config)?))
    }
}

fn data(named: Option<&PathBuf>, config: Option<Config>) -> Result<PathBuf, Box<dyn Error>> {
    let data = named.cloned().or(config.map(|config| config.data));
    data.ok_or_else(|| "say which server: --data DIR or --config FILE (请指明数据目录或配置文件)".into())
}
