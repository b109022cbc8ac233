//! `anlan store migrate`.

use super::{Outcome, wait_for};
use crate::app::clock::wall_now;
use crate::app::config::Config;
use crate::store::series::{InfluxSeries, InfluxSettings, RelaySettings, RelayedSeries, SeriesStore, carry};
use crate::store::{StoreDirectory, series_file};
use clap::Subcommand;
use std::path::PathBuf;
use std::time::Duration;

/// Works on the series store while the server is stopped (测验数据库维护).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Carries all points from one store to the other and compares count and checksum of every series (迁移并核对).
    ///
    /// It can be broken off and begun again. A value that the target has already is never overwritten without --replace.
    Migrate {
        /// Where the points are.
        #[arg(value_enum)]
        from: Side,
        /// Where they go.
        #[arg(value_enum)]
        to: Side,
        /// The configuration file; its [series] section names the InfluxDB 2.
        #[arg(long)]
        config: PathBuf,
        /// Overwrite other values in the target (覆盖目标库中不同的值).
        #[arg(long)]
        replace: bool,
        /// Print one JSON object a series.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Side {
    /// The store in the data directory.
    Embedded,
    /// The InfluxDB 2 of the configuration.
    Influx,
}

/// How long a busy or absent server is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run(args: Args) -> Outcome {
    let Action::Migrate { from, to, config, replace, json } = args.action;
    wait_for(async move {
        if from == to {
            return Err("source and target are the same (源与目标相同)".into());
        }
        let config = Config::load(&config)?;
        let influx = config.series.influx(&config.data).ok_or(
            "[series] kind = \"influx2\" is needed to know the InfluxDB 2; after carrying data back, set it to \"embedded\"",
        )?;
        let _claimed = StoreDirectory::claim_existing(&config.data)?;
        let settings = RelaySettings::default();
        let limits = config.series.limits();
        // Opened as the server does, so that it knows afterwards what the remote store still lacks.
        let local =
            RelayedSeries::open(&series_file(&config.data), limits, influx.clone(), settings, wall_now()).await?;
        let local = local.local().clone();
        let remote = InfluxSeries::new(InfluxSettings { patience: PATIENCE, ..influx })?;
        let (source, target): (&dyn SeriesStore, &dyn SeriesStore) = match from {
            Side::Embedded => (local.as_ref(), &remote),
            Side::Influx => (&remote, local.as_ref()),
        };
        let (mut series, mut points, mut steps) = (0u64, 0u64, 0u64);
        for facts in source.list().await? {
            let carried = carry(source, target, &facts, replace).await?;
            (series, points, steps) = (series + 1, points + carried.points, steps + carried.steps_left);
            if json {
                println!("{}", serde_json::json!({"series": facts.series, "carried": carried}));
            } else {
                println!(
                    "{}: {} points, {} new, checksum {:016x}",
                    facts.series, carried.points, carried.written, carried.checksum
                );
            }
        }
        if steps > 0 {
            eprintln!("{steps} steps of down-sampled history stay where they are (降采样数据未迁移)");
        }
        if remote.refused_lines() > 0 {
            eprintln!("the server refused {} lines; they are in influx-refused.lp", remote.refused_lines());
        }
        if !json {
            println!("{series} series, {points} points, all compared (迁移并核对完毕)");
        }
        Ok(())
    })
}
