//! `anlan device …`: devices that push readings by HTTP, each with a token for the series it names; also while the server runs.

use super::place::ServerPlace;
use super::{Outcome, wait_for};
use crate::app::clock::wall_now;
use crate::store::Database;
use crate::store::arrivals::{ARRIVALS_SCHEMA, Arrivals, SeriesPattern};
use clap::Subcommand;
use serde_json::json;

/// Makes and ends devices that push readings (报数设备).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    server: ServerPlace,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a device and prints its token, this once.
    Add {
        /// Its name.
        name: String,
        /// What it may write to: huayuankou.stage, or huayuankou.* for all of a station; may be repeated.
        #[arg(long, required = true)]
        series: Vec<SeriesPattern>,
    },
    /// Lists devices.
    List,
    /// Ends the token of a device at once.
    Revoke {
        /// Its name.
        name: String,
    },
}

pub(super) fn run(args: Args) -> Outcome {
    wait_for(async move {
        let database = Database::open(&args.server.state_file()?, &[ARRIVALS_SCHEMA]).await?;
        let outcome = act(&Arrivals::new(database.clone()), args.action, args.json).await;
        database.close().await;
        outcome
    })
}

async fn act(arrivals: &Arrivals, action: Action, as_json: bool) -> Outcome {
    let report = |shape: serde_json::Value, words: String| {
        println!("{}", if as_json { shape.to_string() } else { words });
    };
    match action {
        Action::Add { name, series } => {
            let token = arrivals.add_device(&name, &series, wall_now()).await?;
            report(json!({ "name": name, "token": token.reveal() }), token.reveal().to_owned());
        }
        Action::List => {
            for device in arrivals.devices().await? {
                let series: Vec<_> = device.series.iter().map(SeriesPattern::as_str).collect();
                let ended = if device.revoked { "  revoked 已注销" } else { "" };
                let shape = json!({ "name": device.name, "series": series, "revoked": device.revoked });
                report(shape, format!("{:<20} {}{ended}", device.name, series.join(" ")));
            }
        }
        Action::Revoke { name } => {
            arrivals.revoke_device(&name, wall_now()).await?;
            report(json!({ "name": name, "ok": true }), format!("{name}: its token has ended (设备口令已注销)"));
        }
    }
    Ok(())
}
