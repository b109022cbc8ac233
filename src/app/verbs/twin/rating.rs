//! `anlan twin rating`: discharge at a stage, or stage at a discharge, by the line that held in that year.
//!
//! In: `ratings.toml` of the binary or of a file, a station, a moment, a reference surface. Out: the steady value and, for a stage
//! that rises or falls, the one with the loop; what it rests on.

use super::results::say;
use super::table;
use crate::app::editions;
use crate::app::verbs::Outcome;
use crate::forecast::rating::Ratings;
use crate::model::{Datum, Timestamp};
use chrono::NaiveDate;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 站 (station).
    #[arg(long, default_value = "huayuankou")]
    station: String,
    /// 日期，决定用哪一年的关系，例如 1958-07-17 (the day: which line holds).
    #[arg(long)]
    at: NaiveDate,
    /// 基面 dagu | national85 (reference surface of the stage).
    #[arg(long, default_value = "dagu", value_parser = datum)]
    datum: Datum,
    /// 水位，米，查流量 (stage, m).
    #[arg(long, allow_negative_numbers = true, required_unless_present = "discharge")]
    stage: Option<f64>,
    /// 涨落率，米每小时，涨为正 (change of the stage, m/h, rising positive).
    #[arg(long, allow_negative_numbers = true)]
    rise: Option<f64>,
    /// 流量，m³/s，查水位 (discharge).
    #[arg(long, allow_negative_numbers = true, conflicts_with = "stage")]
    discharge: Option<f64>,
    /// A `ratings.toml` in place of the one in the binary.
    #[arg(long)]
    file: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

fn datum(word: &str) -> Result<Datum, String> {
    let known = [Datum::Dagu, Datum::National85];
    known.into_iter().find(|datum| datum.as_str() == word).ok_or_else(|| "dagu | national85".to_owned())
}

pub(super) fn run(args: &Args) -> Outcome {
    if let (Some(rise), None) = (args.rise, args.stage) {
        return Err(format!(
            "--rise {rise} 只与 --stage 同用：由流量查水位是稳定流 (--rise goes with --stage only: a stage from a discharge is that of steady flow)"
        )
        .into());
    }
    let rise_m_h = args.rise.unwrap_or(0.0);
    let text = table::settings(args.file.as_deref(), "ratings.toml", editions::floods::text)?;
    let name = args.file.as_ref().map_or_else(|| "ratings.toml".to_owned(), |path| path.display().to_string());
    let ratings: Ratings = toml::from_str(&text).map_err(|fault| format!("{name}: {fault}"))?;
    let at = Timestamp::from_naive_utc_and_offset(args.at.and_time(chrono::NaiveTime::MIN), chrono::Utc);
    let rating = ratings.of(&args.station, at, args.datum)?;
    let (from, until) = (rating.from.date_naive(), rating.until.date_naive());
    let basis = json!({
        "station": rating.station, "datum": rating.datum.as_str(), "from": from, "until": until, "source": rating.source,
    });
    let rests = format!("{} 基面 datum {}，{from} – {until}：{}", rating.station, rating.datum, rating.source);
    let mark = |beyond: bool| if beyond { "；超出实测点，外延 (outside the pairs)" } else { "" };
    let (line, value) = match (args.stage, args.discharge) {
        (Some(stage_m), _) => {
            let rated = rating.discharge_m3s(stage_m, rise_m_h)?;
            let line = format!(
                "{stage_m:.2} m，{rise_m_h:+.2} m/h → {:.0} m³/s（稳定 steady {:.0}）{}",
                rated.q_m3s,
                rated.steady_m3s,
                mark(rated.beyond)
            );
            let value = json!({
                "stage_m": stage_m, "rise_m_h": rise_m_h, "discharge_m3s": rated.q_m3s, "steady_m3s": rated.steady_m3s,
                "beyond": rated.beyond, "basis": basis,
            });
            (line, value)
        }
        (None, Some(q)) if q > 0.0 && q <= 1e5 => {
            let (stage_m, beyond) = rating.stage_m(q)?;
            (
                format!("{q:.0} m³/s → {stage_m:.2} m（稳定 steady）{}", mark(beyond)),
                json!({ "discharge_m3s": q, "stage_m": stage_m, "beyond": beyond, "basis": basis }),
            )
        }
        _ => return Err("--discharge 须为 0 至 100000 m³/s (0 to 100,000)".into()),
    };
    Ok(say(&if args.json { value.to_string() } else { format!("{line}\n{rests}") })?)
}
