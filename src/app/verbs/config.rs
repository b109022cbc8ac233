//! `anlan config check FILE`.

use super::Outcome;
use crate::app::clock::wall_now;
use crate::app::config::{Config, ConfigError};
use crate::app::maps;
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
    let mut files = SiteFiles::read(&config)?;
    if let Some(field) = config.field.address {
        files.sensors.use_field(&field.ip().to_string(), field.port())?;
    }
    maps::read(&config, &files)?;
    let rows = load_playbook(&files.playbook)?.instructions().len();
    config.series.check().map_err(ConfigError::from)?;
    config.series.check_room(&files.sensors)?;
    let late = files.sensors.offsets_dated_after(wall_now().date_naive());
    if !late.is_empty() {
        let late = late.join("、");
        return Err(format!(
            "datum_offset 的日期在未来，请核对：{late} (an offset between datums is dated in the future: {late})"
        )
        .into());
    }
    let (devices, series) = (files.sensors.devices.len(), files.sensors.series.len());
    if json {
        let found = serde_json::json!({"ok": true, "listen": config.listen, "data": config.data, "devices": devices, "series": series, "instructions": rows});
        println!("{found}");
    } else {
        println!(
            "{}: 配置无误 (in order); 监听 listens on {}, 数据 data in {}; 设备 devices {devices}, 序列 series {series}, 指令 instructions {rows}",
            file.display(),
            config.listen,
            config.data.display()
        );
        if series == 0 {
            println!(
                "  注意：没有任何测站序列，水情将一直未知 (no series of any station: the water stays unknown); [sensors]"
            );
        }
    }
    Ok(())
}
