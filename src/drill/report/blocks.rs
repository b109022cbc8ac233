//! What the report says, block by block: first what matters, then the figures, then the lists behind them.

use super::super::score::{Mark, late_orders, propose};
use super::super::tally::{Figures, TaskLine};
use super::super::text::DrillText;
use super::names::{Tongue, corps_zh, ended, level};
use super::{Report, beijing, beijing_full};
use crate::model::{FaultKind, InstructionCode, TaskId, Timestamp};
use crate::playbook::Words;
use std::collections::BTreeMap;

/// Rows of a table that may become long.
const ROWS_MAX: usize = 400;
/// Edges of the histogram of answers, in seconds.
const EDGES: [f64; 11] = [0.0, 15.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, f64::INFINITY];

/// A part of the report.
pub(super) enum Block {
    Title(String),
    Head(&'static str, &'static str),
    Note(String),
    /// One of the few sentences to read first.
    Point(String),
    Table(Vec<&'static str>, Vec<Vec<String>>),
    /// Label and count of each bar.
    Bars(Vec<(String, usize)>),
}

pub(super) fn blocks(report: &Report<'_>) -> Vec<Block> {
    let mut out = opening(report);
    points(report, &mut out);
    delays(report, &mut out);
    marks(report, &mut out);
    timeline(report, &mut out);
    injects(report, &mut out);
    people(report, &mut out);
    unanswered(report, &mut out);
    ladders(report, &mut out);
    late(report, &mut out);
    alarms(report, &mut out);
    out
}

fn opening(report: &Report<'_>) -> Vec<Block> {
    let (head, tally) = (report.head, report.tally);
    let title = DrillText::new(format!("{} 洪水演练报告 / drill report", head.flood));
    let issued = tally.issued().count();
    let done = tally.issued().filter(|(_, line)| line.done.is_some()).count();
    let row = |zh: &str, value: String| vec![zh.to_owned(), value];
    let until = tally.until.unwrap_or(head.to);
    let mut rows = vec![
        row("洪水 flood", head.flood.clone()),
        row("演练时段（北京时间） period", format!("{} 至 {}", beijing_full(head.from), beijing_full(until))),
        row("最高生效响应 highest level", level(tally.highest)),
        row("结束时响应 level at the end", level(tally.in_force)),
        row("汛情过程 event", if tally.event_open { "未结束 still open" } else { "已结束 closed" }.into()),
        row("下发任务 tasks released", format!("{issued} 项")),
        row("完成 done", format!("{done} 项")),
        row("叫应率（本人按键或接听） answered by a named person", percent(tally.answer_rate())),
        row("预案版本 playbook", tally.edition.clone()),
        row("随机种子 seed", head.seed.to_string()),
        row("日志条数 facts", tally.facts.to_string()),
    ];
    if head.interrupted {
        rows.push(row(
            "中断 interrupted",
            "演练中途服务器停机，以下止于中断时刻 the server went down; figures end there".into(),
        ));
    }
    rows.extend(head.chain.as_ref().map(|chain| row("日志链 chain sha256", chain.clone())));
    vec![
        Block::Title(title.to_string()),
        Block::Note("人员、装置与时延均为虚拟，数据为合成；本报告不涉及实际响应。时间均为北京时间。 People, devices and delays are virtual, the data is synthetic; times are Beijing time.".into()),
        Block::Table(vec!["项目 item", "值 value"], rows),
    ]
}

/// What a director reads first: the slowest decision, who stayed silent, what stayed with the commander, what to improve.
fn points(report: &Report<'_>, out: &mut Vec<Block>) {
    let tally = report.tally;
    out.push(Block::Head("要点", "In short"));
    let silent = tally.called.values().filter(|answered| !**answered).count();
    let open = tally.issued().filter(|(_, line)| line.answered.is_none()).count();
    let to_commander = tally.issued().filter(|(_, line)| line.escalated.iter().any(|(_, to)| to.is_none())).count();
    let escalated = tally.issued().filter(|(_, line)| line.escalations > 0).count();
    let mut say = |zh: String, en: String| out.push(Block::Point(format!("{zh} {en}")));
    if let (Some(longest), count) = (tally.decisions().percentile(100), tally.decisions().count()) {
        let longest = duration(longest);
        say(
            format!("响应级别上调 {count} 次，从系统建议到两人确认最长 {longest}。"),
            format!("{count} rises of the level; the slowest took {longest} from proposal to confirmation."),
        );
    } else {
        say("没有上调过响应级别。".into(), "The level was never raised.".into());
    }
    say(
        format!("呼叫 {} 人，{silent} 人始终无应答；{open} 项任务无人签收。", tally.called.len()),
        format!("{} people called, {silent} never answered; {open} tasks nobody answered.", tally.called.len()),
    );
    say(
        format!("{escalated} 项任务升级，其中 {to_commander} 项一直升级到指挥长。"),
        format!("{escalated} tasks were escalated, {to_commander} of them up to the commander."),
    );
    let (late, _) = late_orders(tally);
    if !late.is_empty() {
        let none = ("未下", "none");
        let told: Vec<_> = late
            .iter()
            .map(|one| {
                let ordered = one.ordered.map(beijing);
                let [zh, en] = [none.0, none.1].map(|none| ordered.clone().unwrap_or_else(|| none.to_owned()));
                let (name, called) = (report.place_name(&one.place), beijing(one.called_out));
                (format!("{name}（告警 {called}，迁安令 {zh}）"), format!("{name} (alarm {called}, order {en})"))
            })
            .collect();
        let (zh, en): (Vec<_>, Vec<_>) = told.into_iter().unzip();
        say(
            format!("下迁安令时出路已将断或水已将到：{}。", zh.join("；")),
            format!("Ordered out when the way or the village was about to be lost: {}.", en.join("; ")),
        );
    }
    let weak: Vec<_> = propose(tally).into_iter().filter(|one| matches!(one.mark, Mark::M | Mark::U)).collect();
    let list = |words: fn(&super::super::score::Proposal) -> &'static str| {
        weak.iter().map(|one| format!("{} {}（{:?}）", words(one), one.reached, one.mark)).collect::<Vec<_>>()
    };
    if weak.is_empty() {
        say("各项目标均在 P 或 S。".into(), "Every objective is P or S.".into());
    } else {
        say(
            format!("需要改进：{}。", list(|one| one.zh).join("；")),
            format!("To improve: {}.", list(|one| one.en).join("; ")),
        );
    }
}

fn delays(report: &Report<'_>, out: &mut Vec<Block>) {
    let tally = report.tally;
    let answers = tally.answers();
    let row = |what: &str, meaning: &str, figures: &Figures| {
        let time = |percent| figures.percentile(percent).map_or("–".to_owned(), duration);
        vec![what.to_owned(), meaning.to_owned(), figures.count().to_string(), time(50), time(90), time(100)]
    };
    out.push(Block::Head("三个时延：决策、送达、行动", "The three delays: decision, delivery, action"));
    out.push(Block::Table(
        vec!["时延 delay", "从 … 到 … from … to", "次数 n", "半数不超过 p50", "九成不超过 p90", "最长 max"],
        vec![
            row("决策 decision", "系统建议 → 两人确认 proposal → confirmation", &tally.decisions()),
            row("送达 delivery", "下发 → 到手机或电话 release → phone", &tally.deliveries()),
            row("送达 delivery", "下发 → 首次签收 release → first answer", &answers),
            row("行动 action", "签收 → 到达 answer → on the spot", &tally.actions()),
            row("行动 action", "签收 → 完成（一次性任务） answer → done (tasks done once)", &tally.works()),
        ],
    ));
    out.push(Block::Head("签收用时分布", "Response times"));
    let bars = EDGES.windows(2).filter_map(|edge| match edge {
        [from, to] if to.is_finite() => Some((format!("{from:.0}–{to:.0} s"), answers.within(*from, *to))),
        [from, to] => Some((format!("≥ {from:.0} s"), answers.within(*from, *to))),
        _ => None,
    });
    out.push(Block::Bars(bars.collect()));
}

fn marks(report: &Report<'_>, out: &mut Vec<Block>) {
    out.push(Block::Head("评分建议（由评估员确定）", "Proposed marks, to be fixed by the evaluator"));
    out.push(Block::Note("P 完成，S 有些困难，M 困难较大，U 未能完成；界限为本系统默认。 P performed, S some, M major challenges, U unable; limits are our defaults.".into()));
    let rows = propose(report.tally)
        .into_iter()
        .map(|one| vec![format!("{} {}", one.zh, one.en), one.reached, one.limits, format!("{:?}", one.mark)]);
    out.push(Block::Table(vec!["目标 objective", "结果 reached", "P / S / M", "建议 mark"], rows.collect()));
}

/// What happened at headquarters; the same order at several places in one moment is one line.
fn timeline(report: &Report<'_>, out: &mut Vec<Block>) {
    out.push(Block::Head("时间线", "Timeline"));
    let mut lines: Vec<(Timestamp, Words)> = Vec::new();
    for (at, words) in &report.tally.timeline {
        if let Some((_, last)) = lines.last_mut().filter(|(then, _)| then == at)
            && let Some(joined) = join(last, words)
        {
            *last = joined;
            continue;
        }
        lines.push((*at, words.clone()));
    }
    let left_out = lines.len().saturating_sub(ROWS_MAX);
    let rows = lines.iter().take(ROWS_MAX).map(|(at, words)| {
        let (zh, en) = (report.spoken(&words.zh, Tongue::Zh), report.spoken(&words.en, Tongue::En));
        vec![beijing(*at), format!("{zh} / {en}")]
    });
    out.push(Block::Table(vec!["时间 time", "事项 what"], rows.collect()));
    cut(left_out, out);
}

/// `命令 X（甲）` and `命令 X（乙）` → `命令 X（甲、乙）`.
fn join(one: &Words, other: &Words) -> Option<Words> {
    let (zh, en) = (one.zh.strip_suffix('）')?, &one.en);
    let (what, _) = zh.split_once('（')?;
    let place = other.zh.strip_suffix('）')?.strip_prefix(what)?.strip_prefix('（')?;
    let is_order = what.starts_with("命令/通报") || what.starts_with("解除");
    let (_, place_en) = other.en.rsplit_once(" at ")?;
    // Everywhere stands alone.
    let is_order = is_order && place != "*" && !zh.ends_with('*');
    is_order.then(|| Words { zh: format!("{zh}、{place}）"), en: format!("{en}, {place_en}") })
}

fn cut(left_out: usize, out: &mut Vec<Block>) {
    if left_out > 0 {
        out.push(Block::Note(format!(
            "另有 {left_out} 行未列，见 report.csv 与日志。 {left_out} more rows: see report.csv and the journal."
        )));
    }
}

fn injects(report: &Report<'_>, out: &mut Vec<Block>) {
    let injects = report.injects();
    if injects.is_empty() {
        return;
    }
    out.push(Block::Head("导调注入与反应", "Injects and reactions"));
    let rows = injects.iter().map(|inject| {
        let at = report.head.from + chrono::TimeDelta::milliseconds((inject.at_s * 1000.0) as i64);
        let kind = format!("{} {}", inject.kind.name_zh(), inject.kind.as_str());
        let kind = inject.value.map_or(kind.clone(), |value| format!("{kind} {value}"));
        let told_once = inject.kind == FaultKind::Rumour;
        let lasts = match inject.for_s {
            _ if told_once => "–".to_owned(),
            Some(seconds) => duration(seconds),
            None => "到结束 to the end".to_owned(),
        };
        let reaction = super::super::reaction::reaction(report, inject, at);
        let reaction = format!("{} ({})", reaction.zh, reaction.en);
        vec![beijing(at), kind, report.target_name(&inject.target), lasts, reaction]
    });
    let head = vec!["时间 time", "类型 kind", "对象 target", "持续 lasts", "反应 reaction"];
    out.push(Block::Table(head, rows.collect()));
}

fn people(report: &Report<'_>, out: &mut Vec<Block>) {
    let silent: Vec<_> = report.tally.called.iter().filter(|(_, answered)| !**answered).map(|(id, _)| id).collect();
    out.push(Block::Head("始终无应答的人员", "Called and never answered"));
    let rows = silent.into_iter().map(|id| {
        let tasks = report.tally.issued().filter(|(_, line)| line.owner.as_ref() == Some(id)).count();
        let as_deputy = |line: &TaskLine| line.escalated.iter().any(|(_, to)| to.as_ref() == Some(id));
        let deputy = report.tally.issued().filter(|(_, line)| as_deputy(line)).count();
        let member = report.core.reach.member(id);
        let corps = member.map_or(String::new(), |member| corps_zh(&member.corps).to_owned());
        let post = member.map_or(String::new(), |member| report.place_name(&member.post));
        vec![report.person(id), corps, post, tasks.to_string(), deputy.to_string()]
    });
    let head = vec!["人员 member", "队伍 corps", "岗位 post", "主责任务 own tasks", "升级转来 by escalation"];
    out.push(Block::Table(head, rows.collect()));
}

fn unanswered(report: &Report<'_>, out: &mut Vec<Block>) {
    out.push(Block::Head("无人签收的任务", "Tasks that nobody answered"));
    let open: Vec<_> = report.tally.issued().filter(|(_, line)| line.answered.is_none()).collect();
    let rows = open.iter().take(ROWS_MAX).map(|(id, line)| {
        let end = line
            .withdrawn
            .map_or("未了结 still open".to_owned(), |(at, why)| format!("{} {}", ended(why), beijing(at)));
        let issued = line.issued.map_or(String::new(), beijing);
        let owner = line.owner.as_ref().map_or("无当班人员 nobody on duty".into(), |owner| report.person(owner));
        vec![id.to_string(), title(report, line), place(report, line), owner, issued, steps(report, line), end]
    });
    let head =
        vec!["任务 task", "内容 what", "地点 where", "责任人 owner", "下发 released", "升级 escalated", "结局 end"];
    out.push(Block::Table(head, rows.collect()));
    cut(open.len().saturating_sub(ROWS_MAX), out);
}

/// 李某某 02:51:03 → 指挥长 02:54:03.
fn steps(report: &Report<'_>, line: &TaskLine) -> String {
    let step = |(at, to): &(Timestamp, Option<_>)| {
        let to = to.as_ref().map_or("指挥长 commander".to_owned(), |to| report.person(to));
        format!("{to} {}", beijing(*at))
    };
    if line.escalated.is_empty() {
        "–".into()
    } else {
        line.escalated.iter().map(step).collect::<Vec<_>>().join(" → ")
    }
}

fn ladders(report: &Report<'_>, out: &mut Vec<Block>) {
    out.push(Block::Head("升级与拒绝：谁没有接，转给了谁", "Escalations and refusals: from whom to whom"));
    let hurt = |line: &&(&TaskId, &TaskLine)| line.1.escalations > 0 || line.1.declined > 0;
    let lines: Vec<_> = report.tally.issued().collect();
    let count = lines.iter().filter(hurt).count();
    let rows = lines.iter().filter(hurt).take(ROWS_MAX).map(|(id, line)| {
        let outcome = line
            .answered
            .as_ref()
            .map_or("无人签收 nobody".to_owned(), |(at, by)| format!("{} {}", report.person(by), beijing(*at)));
        vec![
            id.to_string(),
            title(report, line),
            place(report, line),
            line.owner.as_ref().map_or("–".into(), |owner| report.person(owner)),
            if line.declined > 0 { format!("{} 次", line.declined) } else { "–".into() },
            steps(report, line),
            outcome,
        ]
    });
    let head = vec![
        "任务 task",
        "内容 what",
        "地点 where",
        "责任人 owner",
        "拒绝 declined",
        "升级 escalated",
        "签收 answered",
    ];
    out.push(Block::Table(head, rows.collect()));
    cut(count.saturating_sub(ROWS_MAX), out);
}

/// Deadlines and rounds that were missed, row by row of the playbook, the worst first.
fn late(report: &Report<'_>, out: &mut Vec<Block>) {
    let mut by_row: BTreeMap<&InstructionCode, [u32; 4]> = BTreeMap::new();
    for (_, line) in report.tally.issued() {
        let sums = by_row.entry(&line.code).or_default();
        for (sum, more) in sums.iter_mut().zip([1, u32::from(line.overdue > 0), line.rounds, line.missed]) {
            *sum += more;
        }
    }
    let mut rows: Vec<_> = by_row.into_iter().filter(|(_, [_, overdue, _, missed])| overdue + missed > 0).collect();
    rows.sort_by_key(|(code, [_, overdue, _, missed])| (std::cmp::Reverse(overdue + missed), (*code).clone()));
    out.push(Block::Head("逾期与漏巡（按指令）", "Overdue tasks and missed rounds, by instruction"));
    let rows = rows.into_iter().map(|(code, [tasks, overdue, rounds, missed])| {
        let rounds = if rounds > 0 { format!("{missed} / {rounds}") } else { "–".into() };
        vec![instruction(report, code), tasks.to_string(), overdue.to_string(), rounds]
    });
    let head = vec!["指令 instruction", "任务 tasks", "曾逾期 overdue", "漏巡 / 轮次 missed / rounds"];
    out.push(Block::Table(head, rows.collect()));
}

fn alarms(report: &Report<'_>, out: &mut Vec<Block>) {
    out.push(Block::Head("告警", "Alarms"));
    let mut lines: Vec<_> = report.tally.alarms.values().collect();
    lines.sort_by_key(|line| line.first);
    let rows = lines.iter().take(ROWS_MAX);
    let both =
        |words: &Words| format!("{} / {}", report.spoken(&words.zh, Tongue::Zh), report.spoken(&words.en, Tongue::En));
    let rows = rows.map(|line| vec![beijing(line.first), both(&line.title), line.count.to_string()]).collect();
    out.push(Block::Table(vec!["首次 first", "告警 alarm", "次数 n"], rows));
    cut(lines.len().saturating_sub(ROWS_MAX), out);
}

fn instruction(report: &Report<'_>, code: &InstructionCode) -> String {
    let row = report.core.playbook.instruction(code);
    format!("{code} {}", row.map_or("", |row| row.title_zh.as_str()))
}

pub(super) fn title(report: &Report<'_>, line: &TaskLine) -> String {
    instruction(report, &line.code)
}

pub(super) fn place(report: &Report<'_>, line: &TaskLine) -> String {
    report.place_name(&line.place)
}

fn percent(share: Option<f64>) -> String {
    share.map_or("–".into(), |share| format!("{:.1} %", share * 100.0))
}

/// `48 s`, `2 min 46 s`, `4 h 06 min`.
pub(in crate::drill) fn duration(seconds: f64) -> String {
    let whole = seconds.round().max(0.0) as u64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest} s"),
        (0, _) if rest == 0 => format!("{minutes} min"),
        (0, _) => format!("{minutes} min {rest:02} s"),
        _ => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drill_report_durations_have_units() {
        let check = |seconds, expected: &str| assert_eq!(duration(seconds), expected);
        check(0.4, "0 s");
        check(59.6, "1 min");
        check(166.0, "2 min 46 s");
        check(14_760.0, "4 h 06 min");
    }

    #[test]
    fn drill_report_joins_orders_of_one_moment() {
        let words = |zh: &str, en: &str| Words { zh: zh.into(), en: en.into() };
        let one = words("解除 evac（village-a）", "lifted evac at village-a");
        let joined = join(&one, &words("解除 evac（village-b）", "lifted evac at village-b"));
        assert_eq!(joined, Some(words("解除 evac（village-a、village-b）", "lifted evac at village-a, village-b")));
        assert_eq!(join(&one, &words("解除 return（village-b）", "lifted return at village-b")), None);
        assert_eq!(join(&one, &words("解除 evac（*）", "lifted evac at *")), None);
        assert_eq!(join(&words("确认（act-1）", "x"), &words("确认（act-2）", "x")), None);
    }
}
