//! What followed from an inject: the first alarm, report or hazard row that has to do with it.

use super::field::{FaultKind, Inject};
use super::report::{Report, beijing};
use crate::model::Timestamp;
use chrono::TimeDelta;

/// What comes later than this after an inject began is not counted as its effect.
const WITHIN: TimeDelta = TimeDelta::hours(6);

/// In words; "none" where nothing followed.
pub fn reaction(report: &Report<'_>, inject: &Inject, at: Timestamp) -> String {
    let soon = |moment: Timestamp| (at..=at + WITHIN).contains(&moment);
    let after = |moment: Timestamp| super::report::duration((moment - at).num_milliseconds() as f64 / 1000.0);
    let tally = report.tally;
    let mut found: Vec<(Timestamp, String)> = Vec::new();
    let bare = inject.target.split_once(':').map_or(inject.target.as_str(), |(_, bare)| bare);
    let silent = tally.alarms.iter().filter(|(key, line)| {
        soon(line.first) && key.strip_prefix("silent:").is_some_and(|series| series.starts_with(bare))
    });
    found.extend(silent.map(|(_, line)| (line.first, format!("告警 alarm: {}", line.title.zh))));
    let of_stones = matches!(inject.kind, FaultKind::Shake | FaultKind::Breach | FaultKind::Drift | FaultKind::Spike);
    if of_stones || inject.kind == FaultKind::Rumour {
        let rows = tally.hazard_rows.iter().filter(|(moment, _)| soon(*moment));
        found.extend(rows.map(|(moment, code)| (*moment, format!("触发 fired: {code}"))));
    }
    if matches!(inject.kind, FaultKind::Breach | FaultKind::Rumour) {
        for line in tally.reports.values().filter(|line| soon(line.at)) {
            found.push((line.at, format!("报告 reported: {}", line.text)));
            found.extend(line.seen.map(|seen| (seen, "指挥部签阅 seen by headquarters".to_owned())));
            found.extend(line.settled.map(|(end, nothing)| {
                (end, if nothing { "判为误报 found to be nothing" } else { "处置完毕 dealt with" }.to_owned())
            }));
        }
    }
    if inject.kind == FaultKind::Comms && found.is_empty() {
        let until = at + inject.for_s.map_or(WITHIN, |for_s| TimeDelta::milliseconds((for_s * 1000.0) as i64));
        let hit = tally.issued().filter(|(_, line)| line.issued.is_some_and(|issued| (at..=until).contains(&issued)));
        let (issued, escalated) =
            hit.fold((0, 0), |(all, up), (_, line)| (all + 1, up + u32::from(line.escalations > 0)));
        return format!(
            "期间下发 {issued} 项，升级 {escalated} 项 ({issued} released meanwhile, {escalated} escalated)"
        );
    }
    found.sort();
    found.dedup();
    // What people said goes before rows that fired by themselves.
    found.sort_by_key(|(_, what)| what.starts_with("触发"));
    if found.is_empty() {
        return "六小时内无反应 none within six hours".into();
    }
    let first = found.iter().take(6).map(|(moment, what)| format!("{} (+{}) {what}", beijing(*moment), after(*moment)));
    first.collect::<Vec<_>>().join("；")
}
