//! Proposals for the evaluator: P, S, M or U for each objective, from times and shares. A person fixes them.

use super::tally::Tally;
use crate::command::WATER_ALARM;
use crate::model::{PlaceId, Timestamp, WarningLevel};

/// 完成、有些困难、困难较大、未能完成: performed, with some challenges, with major challenges, unable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Performed.
    P,
    /// With some challenges.
    S,
    /// With major challenges.
    M,
    /// Unable.
    U,
}

/// One objective and what is proposed for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// 目标.
    pub zh: &'static str,
    /// Objective.
    pub en: &'static str,
    /// What was reached, with its unit.
    pub reached: String,
    /// The limits of P, S and M.
    pub limits: String,
    /// What is proposed.
    pub mark: Mark,
}

/// Limits of a figure where less is better: up to these P, S, M.
fn at_most(value: f64, limits: [f64; 3]) -> Mark {
    match limits.iter().position(|limit| value <= *limit) {
        Some(0) => Mark::P,
        Some(1) => Mark::S,
        Some(_) => Mark::M,
        None => Mark::U,
    }
}

/// Limits are defaults of this project; figures that the drill did not bring about are left out.
pub fn propose(tally: &Tally) -> Vec<Proposal> {
    let mut out = Vec::new();
    let mut time = |zh, en, value: Option<f64>, limits: [f64; 3]| {
        if let Some(seconds) = value {
            let [p, s, m] = limits.map(|limit| limit / 60.0);
            let limits_text = format!("≤ {p} / {s} / {m} min");
            let reached = format!("{:.1} min", seconds / 60.0);
            out.push(Proposal { zh, en, reached, limits: limits_text, mark: at_most(seconds, limits) });
        }
    };
    time(
        "建议到确认（最长）",
        "proposal to confirmation, longest",
        tally.decisions().percentile(100),
        [180.0, 300.0, 600.0],
    );
    time("下发到 95% 签收", "release to 95 % answered", tally.answers().percentile(95), [180.0, 300.0, 600.0]);
    time(
        "签收到到达（九成）",
        "answer to arrival, nine of ten",
        tally.actions().percentile(90),
        [1800.0, 2700.0, 3600.0],
    );
    time(
        "险情报告到指挥部签阅（最长）",
        "hazard report to headquarters, longest",
        slowest_look(tally),
        [180.0, 300.0, 600.0],
    );
    time(
        "迁安令到最后一村清空",
        "evacuation order to the last empty village",
        evacuation(tally),
        [21_600.0, 28_800.0, 43_200.0],
    );
    let mut share = |zh, en, value: Option<f64>, limits: [f64; 3]| {
        if let Some(missed) = value {
            let [p, s, m] = limits.map(|limit| limit * 100.0);
            let limits_text = format!("≤ {p:.0} / {s:.0} / {m:.0} %");
            let reached = format!("{:.1} %", missed * 100.0);
            out.push(Proposal { zh, en, reached, limits: limits_text, mark: at_most(missed, limits) });
        }
    };
    share(
        "未叫应人员占比",
        "people called who never answered",
        tally.answer_rate().map(|rate| 1.0 - rate),
        [0.02, 0.05, 0.1],
    );
    let (late, called) = late_orders(tally);
    let late = (called > 0).then(|| late.len() as f64 / called as f64);
    share("断路、进水告警后才下迁安令的村占比", "villages ordered out after the water's alarm", late, [0.0, 0.25, 0.5]);
    share("逾期任务占比", "tasks that stood as overdue", overdue(tally), [0.05, 0.1, 0.2]);
    share("漏巡轮次占比", "missed rounds", missed(tally), [0.01, 0.03, 0.05]);
    out
}

fn slowest_look(tally: &Tally) -> Option<f64> {
    let looks = tally.reports.values().filter_map(|line| Some((line.seen? - line.at).num_seconds() as f64));
    looks.reduce(f64::max)
}

/// A village whose people were told too late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateOrder {
    /// The village.
    pub place: PlaceId,
    /// When our own people there were first called out, because water or the loss of the last way out was near.
    pub called_out: Timestamp,
    /// When its evacuation was ordered after that; `None`: never.
    pub ordered: Option<Timestamp>,
}

/// Villages out of which our own people were called before an evacuation was ordered there, and how many were called out of at
/// all; once for each time that people lived there: whoever has come home must be ordered out anew.
pub fn late_orders(tally: &Tally) -> (Vec<LateOrder>, usize) {
    let of_village =
        |key: &String| key.strip_prefix(WATER_ALARM).filter(|id| id.starts_with("village-")).map(PlaceId::new);
    let (mut late, mut calls) = (Vec::new(), 0);
    for (place, line) in tally.alarms.iter().filter_map(|(key, line)| Some((of_village(key)?, line))) {
        let evac = |all: &[(Timestamp, String, Option<PlaceId>)]| -> Vec<Timestamp> {
            let here = |at: &Option<PlaceId>| at.as_ref().is_none_or(|at| *at == place);
            all.iter().filter(|(_, name, at)| name == "evac" && here(at)).map(|(at, ..)| *at).collect()
        };
        let (given, home) = (evac(&tally.orders), evac(&tally.lifted));
        // Of several alarms between two home-comings the first one counts.
        let time_of = |at: &Timestamp| home.iter().filter(|back| **back <= *at).count();
        for of_time in line.each.chunk_by(|one, next| time_of(one) == time_of(next)) {
            let Some(called_out) = of_time.first().copied() else { continue };
            calls += 1;
            let ordered = given.iter().copied().find(|at| time_of(at) == time_of(&called_out));
            if ordered.is_none_or(|at| at > called_out) {
                late.push(LateOrder { place: place.clone(), called_out, ordered });
            }
        }
    }
    late.sort_by_key(|one| one.called_out);
    (late, calls)
}

fn evacuation(tally: &Tally) -> Option<f64> {
    let of = |name: &'static str| tally.orders.iter().filter(move |(_, order, _)| order == name).map(|(at, ..)| *at);
    let first = of("evac").min()?;
    Some((of("evac_done").max()? - first).num_seconds() as f64)
}

fn overdue(tally: &Tally) -> Option<f64> {
    let issued = tally.issued().filter(|(_, line)| line.level >= WarningLevel::None).count();
    let late = tally.issued().filter(|(_, line)| line.overdue > 0).count();
    (issued > 0).then(|| late as f64 / issued as f64)
}

fn missed(tally: &Tally) -> Option<f64> {
    let (rounds, missed) =
        tally.tasks.values().fold((0, 0), |(rounds, missed), line| (rounds + line.rounds, missed + line.missed));
    (rounds > 0).then(|| f64::from(missed) / f64::from(rounds))
}

#[cfg(test)]
mod tests {
    use super::super::tally::AlarmLine;
    use super::*;
    use crate::command::Words;

    #[test]
    fn drill_score_limits_include_their_ends() {
        let check = |value, expected| assert_eq!(at_most(value, [1.0, 2.0, 3.0]), expected, "{value}");
        check(0.0, Mark::P);
        check(1.0, Mark::P);
        check(1.1, Mark::S);
        check(3.0, Mark::M);
        check(3.1, Mark::U);
    }

    #[test]
    fn drill_score_each_home_coming_needs_an_order_of_its_own() {
        let at = |hour: i64| Timestamp::UNIX_EPOCH + chrono::TimeDelta::hours(hour);
        let village = PlaceId::new("village-a");
        let evac = |hour| (at(hour), "evac".to_owned(), Some(village.clone()));
        let each = vec![at(10), at(11), at(60), at(61)];
        let alarm = AlarmLine { title: Words { zh: String::new(), en: String::new() }, first: at(10), count: 4, each };
        let told = |orders: Vec<_>, lifted: Vec<_>| {
            let alarms = [("water:village-a".to_owned(), alarm.clone())].into();
            let mut tally = Tally::default();
            (tally.orders, tally.lifted, tally.alarms) = (orders, lifted, alarms);
            let (late, calls) = late_orders(&tally);
            (late.iter().map(|one| (one.called_out, one.ordered)).collect::<Vec<_>>(), calls)
        };
        assert_eq!(told(vec![evac(9)], vec![]), (vec![], 1));
        // They were back at the fiftieth hour, and nobody ordered them out again.
        assert_eq!(told(vec![evac(9)], vec![evac(50)]), (vec![(at(60), None)], 2));
        assert_eq!(told(vec![evac(9), evac(62)], vec![evac(50)]), (vec![(at(60), Some(at(62)))], 2));
        assert_eq!(told(vec![evac(12), evac(55)], vec![evac(50)]), (vec![(at(10), Some(at(12)))], 2));
    }
}
