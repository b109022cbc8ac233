//! `anlan serve`: a server after a configuration file.

use super::{Outcome, wait_for};
use crate::app::clock::{DemoClock, wall_now};
use crate::app::config::{ClockSection, Config};
use crate::app::server::{Server, ServerParts, SiteFiles};
use crate::app::{log, maps};
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
        let maps = maps::read(&config, &files)?;
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
            hooks: maps.hooks,
            cameras: maps.cameras,
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
