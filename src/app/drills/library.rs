//! The floods in the binary, as `GET /floods` lists them.

use crate::app::editions;
use crate::drill::floods::{Flood, FloodFiles};
use crate::model::{Timestamp, WarningLevel};
use crate::playbook::Playbook;
use serde_json::{Value, json};

/// A drill begins when the river has come to this share of the discharge of level IV: there the first work begins.
const APPROACH_SHARE: f64 = 0.9;

/// The discharge of level IV, in m³/s.
pub(super) fn level_iv_m3s(playbook: &Playbook) -> Option<f64> {
    let rules = playbook.levels().rules().iter();
    rules.filter(|rule| rule.level == WarningLevel::Blue).map(|rule| rule.observed.at_least_m3s).reduce(f64::min)
}

/// Where a drill of that flood begins unless the director says otherwise: where it first approaches level IV; its first
/// moment where it never does.
pub(super) fn approach(flood: &Flood, level_iv_m3s: Option<f64>) -> Timestamp {
    let reached = level_iv_m3s.and_then(|m3s| flood.first_at_least(m3s * APPROACH_SHARE));
    reached.unwrap_or_else(|| flood.span().0)
}

/// Every flood with its names, source note and default start.
pub(super) fn list(level_iv_m3s: Option<f64>) -> Value {
    let files = editions::floods::files();
    let items: Vec<Value> = Flood::ids(&files).iter().filter_map(|id| listed(&files, id, level_iv_m3s)).collect();
    json!({ "items": items, "next": null })
}

/// `10000_from_1982`: the flood of 1982, scaled to 10,000 m³/s.
fn drill_names(bare: &str) -> (String, String) {
    if let Some((m3s, year)) = bare.split_once("_from_") {
        return (format!("演练洪水 {m3s} m³/s（{year} 年型）"), format!("drill flood {m3s} m³/s (shape of {year})"));
    }
    if let Some(year) = bare.strip_suffix("_regulated") {
        return (format!("演练洪水 {year} 年型（水库调蓄后）"), format!("drill flood of {year}, with the reservoirs"));
    }
    (format!("演练洪水 {bare}"), format!("drill flood {bare}"))
}

fn listed(files: &FloodFiles, id: &str, level_iv_m3s: Option<f64>) -> Option<Value> {
    let flood = Flood::load(files, id).ok()?;
    let text = String::from_utf8_lossy(files.get(&format!("{id}.csv"))?).into_owned();
    let notes: Vec<&str> = text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim).collect();
    let (from, to) = flood.span();
    let synthetic = flood.is_synthetic() || id.starts_with("drill_");
    let (zh, en) = if synthetic {
        drill_names(id.trim_start_matches("drill_"))
    } else {
        (format!("{id} 洪水"), format!("flood of {id}"))
    };
    let source_zh = if synthetic {
        "合成或缩放的过程，仅供演练"
    } else {
        "按公开资料重建的逐时过程，非实测逐时记录"
    };
    Some(json!({
        "id": id, "name": { "zh": zh, "en": en }, "kind": if synthetic { "synthetic" } else { "historical" },
        "source": { "zh": source_zh, "en": notes.join(" ") }, "start": from, "end": to,
        "approach": approach(&flood, level_iv_m3s), "hours": (to - from).num_hours(), "peak_m3s": flood.peak_m3s(),
    }))
}
