//! The report of `anlan twin verify` as tables.

use super::{NOTE_EN, NOTE_ZH, Played, ROLE_EN, ROLE_ZH, Report, count, gained_h, of, totals};
use crate::forecast::verify::events::{Alert, AlertEvents, Crossing, Gained};
use crate::forecast::verify::standard::Judged;
use crate::forecast::verify::{FLOOD_FROM_M3S, LEADS_H, THRESHOLDS_M3S, WARN_FROM, Warnings};
use crate::model::Timestamp;
use chrono::TimeDelta;
use std::fmt::Write as _;

const NONE: &str = "—";

pub(super) fn of_report(report: &Report) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "注意 {NOTE_ZH}\n     {NOTE_EN}\n注意 {ROLE_ZH}\n     {ROLE_EN}");
    let _ = writeln!(
        out,
        "     forecast.toml: {}\n注意 时刻均为北京时间 (times are Beijing time, UTC+8)\n",
        report.settings.validity
    );
    let ids = |floods: &[Played]| {
        let ids: Vec<&str> = floods.iter().map(|one| one.id.as_str()).collect();
        if ids.is_empty() { NONE.to_owned() } else { ids.join(", ") }
    };
    let _ = writeln!(out, "甲组 有上游过程，作预报 (A: upstream companion, forecast): {}", ids(&report.forecast));
    let _ =
        writeln!(out, "乙组 无上游过程，不能预报 (B: no upstream companion, no forecast): {}", ids(&report.unforecast));
    if !report.forecast.is_empty() {
        errors(&mut out, report);
        standard(&mut out, &report.forecast);
        events(&mut out, report);
        hourly(&mut out, &report.forecast);
        crest(&mut out, &report.forecast);
    }
    if !report.unforecast.is_empty() {
        without_upstream(&mut out, report);
    }
    out.pop();
    out
}

fn errors(out: &mut String, report: &Report) {
    let band = report.settings.ensemble.as_ref().map_or_else(String::new, |one| format!("{:.0} %", one.band * 100.0));
    let _ = writeln!(
        out,
        "\n甲组误差，来水 {FLOOD_FROM_M3S:.0} m³/s 以上，m³/s (group A, errors)\n洪水 flood      预见期  次数  偏差 bias  误差 error  不变 still   CRPS  {band} 带内 inside"
    );
    for one in &report.forecast {
        for (hours, lead) in LEADS_H.iter().zip(&one.told.leads) {
            let _ = writeln!(
                out,
                "{:<8} {:<4} {hours:>4} h {:>6} {:>9} {:>10} {:>10} {:>8} {:>10}",
                one.id,
                one.role.0,
                lead.plain.count,
                whole(lead.plain.bias_m3s()),
                whole(lead.plain.error_m3s()),
                whole(lead.still.error_m3s()),
                whole(lead.crps_m3s()),
                lead.band.coverage().map_or_else(|| NONE.to_owned(), |share| format!("{:.0} %", 100.0 * share))
            );
        }
    }
}

fn standard(out: &mut String, floods: &[Played]) {
    let _ = writeln!(
        out,
        "\n甲组合格率与确定性系数 DC，按 GB/T 22482-2008 第 6.5 节，同上来水 (group A, qualified rate and coefficient of determination, same hours)\n\
         许可误差：预见期内实测变幅的 20 %，不小于实测值的 5 % (permitted: a fifth of the change measured within the lead, a twentieth of what came at least)\n\
         逐时预报彼此不独立，场次太少，等级仅供参考，不是正式评定 (hourly forecasts of few floods: grades are an indication, no formal grading)\n\
         洪水 flood 预见期   合格 qualified    合格率与等级 rate      DC 与等级            不变 still: 合格率、DC"
    );
    let row = |out: &mut String, id: &str, hours: usize, plain: &Judged, still: &Judged, with_dc: bool| {
        let dc = |one: &Judged| if with_dc { one.dc() } else { None };
        let grade = if with_dc { plain.dc_grade().unwrap_or("") } else { "" };
        let _ = writeln!(
            out,
            "{id:<8} {hours:>4} h {:>12} {:>9} {:<12} {:>7} {grade:<14} {:>9} {:>7}",
            counted((plain.qualified, plain.count)),
            percent(plain.rate()),
            plain.rate_grade().unwrap_or(""),
            hundredths(dc(plain)),
            percent(still.rate()),
            hundredths(dc(still)),
        );
    };
    for one in floods {
        for (hours, lead) in LEADS_H.iter().zip(&one.told.leads) {
            row(out, &one.id, *hours, &lead.plain, &lead.still, true);
        }
    }
    if floods.len() > 1 {
        for (hours, (plain, still)) in LEADS_H.iter().zip(&totals(floods)) {
            row(out, "合计 all", *hours, plain, still, false);
        }
    }
}

fn events(out: &mut String, report: &Report) {
    let (used, used_en) = if report.asks_members {
        ("本预案也用", "which it uses, too")
    } else {
        ("本预案未用", "which it does not use")
    };
    let _ = writeln!(
        out,
        "\n甲组按事件：越过各级流量是否预见、提前多少 (group A by events: was each crossing foreseen, hours gained)\n\
         单值即预案判据 qf(h)，成员为 pqf(q,h) ≥ {:.0} %（{used}）；两者以“·”分开 (plain line as the playbook triggers · members, {used_en})\n\
         误报：发出后 h + 容许时差内未越过，包括报得过早 (false: not crossed within h + tolerance, also when said too early)；同一场各级不独立 (levels of one flood are not independent)",
        100.0 * WARN_FROM
    );
    for (at, alert) in report.alerts.iter().enumerate() {
        threshold(out, report, at, alert);
    }
}

fn threshold(out: &mut String, report: &Report, at: usize, alert: &Alert) {
    let _ = writeln!(
        out,
        "{:.0} m³/s {} {}: h = {} h + {} h, 低于 {:.0} m³/s 为结束 (over below it)",
        alert.at_least_m3s,
        alert.name_zh,
        alert.name_en,
        alert.within_h,
        alert.tolerance_h(),
        alert.clear_m3s
    );
    let mut crossings = 0;
    for (id, events) in by_flood(&report.forecast, at) {
        crossings += events.crossings.len();
        if events.crossings.is_empty() {
            let _ = writeln!(out, "  {id:<8} 未越过 not crossed{}", in_vain(events));
        }
        for (number, crossing) in events.crossings.iter().enumerate() {
            let vain = if number == 0 { in_vain(events) } else { String::new() };
            let _ = writeln!(out, "  {id:<8} {} {}{vain}", moment(crossing.at), foreseen(crossing));
        }
    }
    let counts = count(&report.forecast, at);
    let [plain, members] = counts.map(|one| format!("{}/{}/{}", one.hits, one.misses, one.false_warnings));
    let [pod, far, csi] = [
        counts.map(|one| counted(one.pod())).join(" · "),
        counts.map(|one| counted(one.far())).join(" · "),
        counts.map(|one| counted(one.csi())).join(" · "),
    ];
    let [gained, gained_members] =
        [0, 1].map(|source| gained_h(&report.forecast, at, source).map_or_else(|| NONE.to_owned(), hours_between));
    let _ = writeln!(
        out,
        "  n = {crossings}: 命中/漏报/误报 hits/misses/false {plain} · {members}, POD {pod}, FAR {far}, CSI {csi}, 提前 gained {gained} · {gained_members}"
    );
}

fn by_flood(floods: &[Played], alert: usize) -> impl Iterator<Item = (&str, &AlertEvents)> {
    floods.iter().filter_map(move |one| Some((one.id.as_str(), one.told.events.get(alert)?)))
}

fn foreseen(crossing: &Crossing) -> String {
    if crossing.forecasts == 0 {
        return "之前没有预报 (no forecast before it)".to_owned();
    }
    let [plain, members] = crossing.gained.map(|gained| gained.map_or_else(|| "未预见 missed".to_owned(), words));
    format!("提前 gained {plain} · {members}")
}

fn words(gained: Gained) -> String {
    let more = if gained.at_least { "≥ " } else { "" };
    let first_h = gained.first_h;
    match gained.unbroken_h {
        0 => format!("{more}{first_h} h（其后撤回 withdrawn）"),
        unbroken if unbroken < first_h => format!("{more}{first_h} h（不间断 unbroken {unbroken} h）"),
        _ => format!("{more}{first_h} h"),
    }
}

/// Warnings without a crossing, by their beginning.
fn in_vain(events: &AlertEvents) -> String {
    let list = |times: &[Timestamp]| times.iter().map(|at| moment(*at)).collect::<Vec<_>>().join(", ");
    let mut said = String::new();
    for (name, of) in [("误报 false", &events.false_warnings), ("未决 undecided", &events.open)] {
        if of.iter().any(|times| !times.is_empty()) {
            let [plain, members] = of.each_ref().map(|times| if times.is_empty() { NONE.into() } else { list(times) });
            said.push_str(&format!("; {name} {plain} · {members}"));
        }
    }
    said
}

fn hourly(out: &mut String, floods: &[Played]) {
    let _ = writeln!(
        out,
        "\n甲组达到阈值的预见（逐时，不是事件；彼此不独立） (group A by hours, not events): 命中/漏报/误报 hits/misses/false — 单值 plain · 概率 ≥ {:.0} % members",
        100.0 * WARN_FROM
    );
    for (at, threshold) in THRESHOLDS_M3S.iter().enumerate() {
        let mut line = format!("{threshold:>6.0} m³/s");
        for (lead, hours) in LEADS_H.iter().enumerate() {
            let mut sums = [Warnings::default(); 2];
            for cell in floods.iter().filter_map(|one| one.told.warnings.get(at)?.get(lead)) {
                sums[0].join(cell[0]);
                sums[1].join(cell[1]);
            }
            let [plain, members] = sums.map(|one| format!("{}/{}/{}", one.hits, one.misses, one.false_alarms));
            line.push_str(&format!("  {hours} h: {plain} · {members}"));
        }
        let _ = writeln!(out, "{line}");
    }
}

fn crest(out: &mut String, floods: &[Played]) {
    let _ = writeln!(
        out,
        "\n甲组洪峰 (group A, crest): 提前 before, 误差 error, 晚 late, 带内 inside ✓; 合格 qualified 峰量 height、峰时 hour（许可：提前量的 30 %，不小于 3 h）"
    );
    for one in floods {
        let cells = one.told.crest.iter().map(|crest| {
            let mark = |good: bool| if good { "✓" } else { "✗" };
            format!(
                "{} h {:+.1} % {:+} h {}, 合格 {}{}",
                crest.before_h,
                crest.error * 100.0,
                crest.late_h,
                mark(crest.inside),
                mark(crest.height_qualified),
                mark(crest.hour_qualified)
            )
        });
        let _ = writeln!(out, "{}: {}", one.id, cells.collect::<Vec<_>>().join("; "));
    }
}

fn without_upstream(out: &mut String, report: &Report) {
    let _ = writeln!(
        out,
        "\n乙组：没有上游过程，不作预报，不计命中与漏报；所列为“流量不变”的误差 m³/s · 合格率 · DC（来水 {FLOOD_FROM_M3S:.0} m³/s 以上，n 为 {} h 的次数），即没有预报时所剩的 (group B: no forecast, nothing hit or missed; \"it stays as it is\": error · qualified rate · DC)",
        LEADS_H[0]
    );
    for one in &report.unforecast {
        let cells =
            LEADS_H.iter().zip(&one.told.leads).filter(|(_, lead)| lead.still.count > 0).map(|(hours, lead)| {
                let (error, rate) = (whole(lead.still.error_m3s()), percent(lead.still.rate()));
                format!("{hours} h {error} · {rate} · {}", hundredths(lead.still.dc()))
            });
        let n = one.told.leads.first().map_or(0, |lead| lead.still.count);
        let _ = writeln!(out, "{:<8} n = {n}: {}", one.id, cells.collect::<Vec<_>>().join("; "));
    }
    let _ = writeln!(out, "越过各级流量的时刻（北京时间），均无提前量 (crossings, Beijing time, nothing gained):");
    for (at, alert) in report.alerts.iter().enumerate() {
        let crossed = by_flood(&report.unforecast, at).flat_map(|(id, events)| {
            events.crossings.iter().map(move |crossing| format!("{id} {}", moment(crossing.at)))
        });
        let crossed: Vec<String> = crossed.collect();
        let list = if crossed.is_empty() { NONE.to_owned() } else { crossed.join("; ") };
        let _ = writeln!(
            out,
            "{:>6.0} m³/s {} {}: n = {}: {list}",
            alert.at_least_m3s,
            alert.name_zh,
            alert.name_en,
            crossed.len()
        );
    }
}

fn counted(part_of_whole: (usize, usize)) -> String {
    of(part_of_whole).unwrap_or_else(|| NONE.to_owned())
}

fn hours_between((least, most): (i64, i64)) -> String {
    if least == most { format!("{least} h") } else { format!("{least}…{most} h") }
}

/// Month, day and hour in Beijing time.
fn moment(at: Timestamp) -> String {
    (at + TimeDelta::hours(8)).format("%m-%d %H:%M").to_string()
}

fn whole(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| format!("{value:.0}"))
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| NONE.to_owned(), |share| format!("{:.1} %", 100.0 * share))
}

fn hundredths(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| format!("{value:.2}"))
}
