//! `anlan serve`: a server after a configuration file.

use super::{Outcome, wait_for};
use crate::app::clock::{DemoClock, wall_now};
use crate::app::config::{ClockSection, Config};
use crate::app::log;
use crate::app::server::{Server, ServerParts, SiteFiles};
use crate::ingest::cameras::CameraMap;
use crate::ingest::hooks::HookMap;
use crate::ingest::utf8;
use chrono::TimeDelta;
use std::path::PathBuf;

/// How long the setup token stays good.
const SETUP_LIFE: TimeDelta = TimeDelta::hours(24);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file.
    #[arg(long)]
    config: PathBuf,
}

pub(super) fn run(args: Args) -> Outcome {
    wait_for(async move {
        let config = Config::load(&args.config)?;
        log::start(&config.log)?;
        let mut files = SiteFiles::read(&config)?;
        if let Some(field) = config.field.address {
            files.sensors.use_field(&field.ip().to_string(), field.port())?;
        }
        let clock = match config.clock {
            ClockSection::Real {} => None,
            ClockSection::Demo { start, speed } => Some(DemoClock::new(start, speed.as_factor())),
        };
        let hooks = match &config.hooks {
            None => HookMap::default(),
            Some(section) => {
                let file = section.file.display().to_string();
                let bytes = std::fs::read(&section.file).map_err(|cause| format!("cannot read {file}: {cause}"))?;
                HookMap::load(&file, utf8(&file, &bytes)?, &files.reach.reach)?
            }
        };
        let layer = files.reach.layers.get("cameras").map_or("", String::as_str);
        let cameras = match &config.cameras {
            None => CameraMap::of_layer(layer),
            Some(section) => {
                let file = section.file.display().to_string();
                let bytes = std::fs::read(&section.file).map_err(|cause| format!("cannot read {file}: {cause}"))?;
                CameraMap::load(&section.file, utf8(&file, &bytes)?, layer)?
            }
        };
        let server = Server::start(ServerParts {
            listen: config.listen,
            data: config.data.clone(),
            files,
            clock,
            settings: config.command_settings(),
            limits: config.limits,
            scrape_token: config.metrics.scrape_token,
            backup: config.backup.clone(),
            sl651: config.sl651,
            hooks,
            cameras,
            public_reports: config.public_reports,
            series: config.series.clone(),
            mqtt: config.mqtt,
            demo: None,
        })
        .await?;
        tracing::info!(address = %server.address, "服务已启动 (the server listens)");
        if !server.users.has_administrator().await? {
            let token = server.users.setup_token(SETUP_LIFE, wall_now()).await?;
            println!("尚无管理员。24 小时内打开以下链接设置 (no administrator yet: open this link within 24 hours):");
            println!("http://{}/setup?token={}", server.address, token.reveal());
        }
        server.run().await
    })
}
