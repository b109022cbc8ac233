//! `anlan device …`: devices that push readings by HTTP, each with a token for the series it names; also while the server runs.

use super::place::ServerPlace;
use super::{Outcome, wait_for};
use crate::app::clock::wall_now;
use crate::model::SeriesId;
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
    if let Action::Add { series, .. } = &args.action {
        match args.server.series()? {
            Some(known) => all_hold(series, &known)?,
            None => eprintln!(
                "未核对序列名；给出 --config 即可核对 (series are not checked: name --config to have them checked)"
            ),
        }
    }
    wait_for(async move {
        let database = Database::open(&args.server.state_file()?, &[ARRIVALS_SCHEMA]).await?;
        let outcome = act(&Arrivals::new(database.clone()), args.action, args.json).await;
        database.close().await;
        outcome
    })
}

/// A pattern that no series of the site fits is a slip of the pen: its device could write nothing.
fn all_hold(patterns: &[SeriesPattern], known: &[SeriesId]) -> Result<(), String> {
    match patterns.iter().find(|pattern| !known.iter().any(|series| pattern.holds(series.as_str()))) {
        None => Ok(()),
        Some(none) => {
            let known: Vec<_> = known.iter().map(SeriesId::as_str).collect();
            let (none, known) = (none.as_str(), known.join(" "));
            Err(format!("--series {none}：本站没有这样的序列；现有 (no series of this site; there are): {known}"))
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_no_series_fits_is_refused_with_those_there_are() {
        let known = [SeriesId::new("huayuankou.stage"), SeriesId::new("rain-madu.rain")];
        let check = |patterns: &[&str]| {
            let patterns: Vec<SeriesPattern> = patterns.iter().map(|one| one.parse().unwrap()).collect();
            all_hold(&patterns, &known)
        };
        assert_eq!(check(&["huayuankou.*", "rain-madu.rain"]), Ok(()));
        let told = check(&["huayuankou.*", "nosuch.*"]).unwrap_err();
        assert!(told.contains("nosuch.*") && told.contains("rain-madu.rain"), "{told}");
    }
}
