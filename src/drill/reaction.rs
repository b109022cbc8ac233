//! What followed from an inject: the first alarm, report or hazard row that has to do with it.

use super::field::{FaultKind, Inject};
use super::report::{Report, beijing};
use crate::command::Words;
use crate::model::Timestamp;
use chrono::TimeDelta;

/// What comes later than this after an inject began is not counted as its effect.
const WITHIN: TimeDelta = TimeDelta::hours(6);

/// In words; "none" only where the time in which something could have followed is over.
pub fn reaction(report: &Report<'_>, inject: &Inject, at: Timestamp) -> Words {
    let soon = |moment: Timestamp| (at..=at + WITHIN).contains(&moment);
    let after = |moment: Timestamp| super::report::duration((moment - at).num_milliseconds() as f64 / 1000.0);
    let tally = report.tally;
    let mut found: Vec<(Timestamp, Words)> = Vec::new();
    let bare = inject.target.split_once(':').map_or(inject.target.as_str(), |(_, bare)| bare);
    let silent = tally.alarms.iter().filter(|(key, line)| {
        soon(line.first) && key.strip_prefix("silent:").is_some_and(|series| series.starts_with(bare))
    });
    found.extend(silent.map(|(_, line)| (line.first, both("告警", &line.title.zh, "alarm", &line.title.en))));
    let of_stones = matches!(inject.kind, FaultKind::Shake | FaultKind::Breach | FaultKind::Drift | FaultKind::Spike);
    let of_gauge = matches!(inject.kind, FaultKind::Drift | FaultKind::Spike)
        && !["stone", "dam", "work"].iter().any(|kind| inject.target.starts_with(kind));
    if (of_stones && !of_gauge) || inject.kind == FaultKind::Rumour {
        let rows = tally.hazard_rows.iter().filter(|(moment, _)| soon(*moment));
        found.extend(rows.map(|(moment, code)| (*moment, both(FIRED, code.as_str(), "fired", code.as_str()))));
    }
    if matches!(inject.kind, FaultKind::Breach | FaultKind::Rumour) {
        for line in tally.reports.values().filter(|line| line.is_hazard && soon(line.at)) {
            found.push((line.at, both("报告", &line.text.zh, "reported", &line.text.en)));
            found.extend(line.seen.map(|seen| (seen, Words::new("指挥部签阅", "seen by headquarters"))));
            found.extend(line.settled.map(|(end, nothing)| {
                let (zh, en) =
                    if nothing { ("判为误报", "found to be nothing") } else { ("处置完毕", "dealt with") };
                (end, Words::new(zh, en))
            }));
        }
    }
    if inject.kind == FaultKind::Comms && found.is_empty() {
        let until = at + inject.for_s.map_or(WITHIN, |for_s| TimeDelta::milliseconds((for_s * 1000.0) as i64));
        let hit = tally.issued().filter(|(_, line)| line.issued.is_some_and(|issued| (at..=until).contains(&issued)));
        let (issued, escalated) =
            hit.fold((0, 0), |(all, up), (_, line)| (all + 1, up + u32::from(line.escalations > 0)));
        return Words::new(
            format!("期间下发 {issued} 项，升级 {escalated} 项"),
            format!("{issued} released meanwhile, {escalated} escalated"),
        );
    }
    // What people said goes before rows that fired by themselves.
    found.sort_by(|(one_at, one), (other_at, other)| {
        (one.zh.starts_with(FIRED), one_at, &one.zh).cmp(&(other.zh.starts_with(FIRED), other_at, &other.zh))
    });
    found.dedup();
    if found.is_empty() {
        let is_over = report.head.chain.is_some() || report.tally.until.is_some_and(|until| until > at + WITHIN);
        let (zh, en) =
            if is_over { ("六小时内无反应", "none within six hours") } else { ("尚无反应", "none yet") };
        return Words::new(zh, en);
    }
    let line = |moment: &Timestamp, what: &str| format!("{} (+{}) {what}", beijing(*moment), after(*moment));
    let join = |of: fn(&Words) -> &str, between: &str| {
        found.iter().take(6).map(|(moment, what)| line(moment, of(what))).collect::<Vec<_>>().join(between)
    };
    Words::new(join(|what| &what.zh, "；"), join(|what| &what.en, "; "))
}

/// How a row that fired begins.
const FIRED: &str = "触发";

fn both(kind_zh: &str, zh: &str, kind_en: &str, en: &str) -> Words {
    Words::new(format!("{kind_zh}：{zh}"), format!("{kind_en}: {en}"))
}
