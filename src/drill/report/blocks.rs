//! What the report says, block by block.

use super::super::score::propose;
use super::super::tally::{Figures, TaskLine, name};
use super::super::text::DrillText;
use super::{Report, beijing};
use crate::model::{MemberId, TaskId};
use crate::playbook::Words;

/// Rows of a table that may become long.
const ROWS_MAX: usize = 400;
/// Edges of the histogram of answers, in seconds.
const EDGES: [f64; 11] = [0.0, 15.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, f64::INFINITY];

/// A part of the report.
pub(super) enum Block {
    Title(String),
    Head(&'static str, &'static str),
    Note(String),
    Table(Vec<&'static str>, Vec<Vec<String>>),
    /// Label and count of each bar.
    Bars(Vec<(String, usize)>),
}

pub(super) fn blocks(report: &Report<'_>) -> Vec<Block> {
    let mut out = opening(report);
    delays(report, &mut out);
    marks(report, &mut out);
    timeline(report, &mut out);
    injects(report, &mut out);
    people(report, &mut out);
    ladders(report, &mut out);
    alarms(report, &mut out);
    out
}

fn opening(report: &Report<'_>) -> Vec<Block> {
    let (head, tally) = (report.head, report.tally);
    let title = DrillText::new(format!("{} 洪水演练报告 / drill report", head.flood));
    let issued = tally.issued().count();
    let done = tally.issued().filter(|(_, line)| line.done.is_some()).count();
    let row = |zh: &str, value: String| vec![zh.to_owned(), value];
    let mut rows = vec![
        row("洪水 flood", head.flood.clone()),
        row("时段（北京时间） period", format!("{} – {}", beijing(head.from), beijing(head.to))),
        row("随机种子 seed", head.seed.to_string()),
        row("预案版本 playbook", tally.edition.clone()),
        row("最高生效响应 highest level", name(tally.highest)),
        row("汛情过程 event", if tally.event_open { "未结束 still open" } else { "已结束 closed" }.into()),
        row("下发任务 tasks released", issued.to_string()),
        row("完成 done", done.to_string()),
        row("叫应率 answered by a named person", percent(tally.answer_rate())),
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
        Block::Note("人员、装置与时延均为虚拟，数据为合成；本报告不涉及实际响应。 People, devices and delays are virtual, the data is synthetic.".into()),
        Block::Table(vec!["项目 item", "值 value"], rows),
    ]
}

fn delays(report: &Report<'_>, out: &mut Vec<Block>) {
    let tally = report.tally;
    let answers = tally.answers();
    let row = |what: &str, figures: &Figures| {
        let time = |percent| figures.percentile(percent).map_or("–".to_owned(), duration);
        vec![what.to_owned(), figures.count().to_string(), time(50), time(90), time(100)]
    };
    out.push(Block::Head("三个时延", "Delays"));
    out.push(Block::Table(
        vec!["时延 delay", "次数 n", "p50", "p90", "最长 max"],
        vec![
            row("决策：建议 → 确认 decision", &tally.decisions()),
            row("送达：下发 → 送达 delivery", &tally.deliveries()),
            row("应答：下发 → 收到 answer", &answers),
            row("行动：收到 → 到达 action", &tally.actions()),
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

fn timeline(report: &Report<'_>, out: &mut Vec<Block>) {
    out.push(Block::Head("时间线", "Timeline"));
    let rows = report.tally.timeline.iter().take(ROWS_MAX);
    let rows = rows.map(|(at, words)| vec![beijing(*at), both(words)]).collect();
    out.push(Block::Table(vec!["时间 time", "事项 what"], rows));
}

fn injects(report: &Report<'_>, out: &mut Vec<Block>) {
    let injects = report.injects();
    if injects.is_empty() {
        return;
    }
    out.push(Block::Head("导调注入与反应", "Injects and reactions"));
    let rows = injects.iter().map(|inject| {
        let at = report.head.from + chrono::TimeDelta::milliseconds((inject.at_s * 1000.0) as i64);
        let kind = format!("{:?}", inject.kind).to_lowercase();
        vec![beijing(at), kind, inject.target.clone(), super::super::reaction::reaction(report, inject, at)]
    });
    out.push(Block::Table(vec!["时间 time", "类型 kind", "对象 target", "反应 reaction"], rows.collect()));
}

fn people(report: &Report<'_>, out: &mut Vec<Block>) {
    let silent: Vec<_> = report.tally.called.iter().filter(|(_, answered)| !**answered).map(|(id, _)| id).collect();
    out.push(Block::Head("未叫应人员", "Called and never answered"));
    let rows = silent.into_iter().map(|id| {
        let tasks = report.tally.issued().filter(|(_, line)| line.owner.as_ref() == Some(id)).count();
        vec![id.to_string(), corps(report, id), tasks.to_string()]
    });
    out.push(Block::Table(vec!["人员 member", "队伍 corps", "任务 tasks"], rows.collect()));
    out.push(Block::Head("无人签收的任务", "Tasks that nobody answered"));
    let open = report.tally.issued().filter(|(_, line)| line.answered.is_none()).take(ROWS_MAX);
    let rows = open.map(|(id, line)| {
        let end = line.withdrawn.map_or("–".to_owned(), |(at, why)| format!("{why} {}", beijing(at)));
        vec![id.to_string(), title(report, line), place(report, line), line.issued.map_or(String::new(), beijing), end]
    });
    out.push(Block::Table(vec!["任务 task", "内容 what", "地点 where", "下发 released", "结局 end"], rows.collect()));
}

fn ladders(report: &Report<'_>, out: &mut Vec<Block>) {
    out.push(Block::Head("升级、拒绝与漏巡", "Escalations, refusals, missed rounds"));
    let hurt = |line: &&(&TaskId, &TaskLine)| line.1.escalations > 0 || line.1.declined > 0 || line.1.missed > 0;
    let lines: Vec<_> = report.tally.issued().collect();
    let rows = lines.iter().filter(hurt).take(ROWS_MAX).map(|(id, line)| {
        vec![
            id.to_string(),
            title(report, line),
            place(report, line),
            line.escalations.to_string(),
            line.declined.to_string(),
            format!("{}/{}", line.missed, line.rounds),
        ]
    });
    let head = vec!["任务 task", "内容 what", "地点 where", "升级 escalated", "拒绝 declined", "漏巡 missed"];
    out.push(Block::Table(head, rows.collect()));
}

fn alarms(report: &Report<'_>, out: &mut Vec<Block>) {
    out.push(Block::Head("告警", "Alarms"));
    let mut lines: Vec<_> = report.tally.alarms.values().collect();
    lines.sort_by_key(|line| line.first);
    let rows = lines.into_iter().take(ROWS_MAX);
    let rows = rows.map(|line| vec![beijing(line.first), both(&line.title), line.count.to_string()]).collect();
    out.push(Block::Table(vec!["首次 first", "告警 alarm", "次数 n"], rows));
}

fn both(words: &Words) -> String {
    format!("{} / {}", words.zh, words.en)
}

pub(super) fn title(report: &Report<'_>, line: &TaskLine) -> String {
    let row = report.core.playbook.instruction(&line.code);
    format!("{} {}", line.code, row.map_or("", |row| row.title_zh.as_str()))
}

pub(super) fn place(report: &Report<'_>, line: &TaskLine) -> String {
    report.core.reach.place(&line.place).map_or_else(|| line.place.to_string(), |place| place.name_zh.clone())
}

fn corps(report: &Report<'_>, id: &MemberId) -> String {
    report.core.reach.member(id).map_or(String::new(), |member| corps_zh(&member.corps).to_owned())
}

/// 队伍 as people say it; an unknown word stays as it is.
pub(in crate::drill) fn corps_zh(corps: &str) -> &str {
    match corps {
        "community" => "社区网格队",
        "rural" => "农村网格队",
        "squad" => "抢险队",
        "work" => "工程班组",
        "department" => "职能部门",
        "hq" => "指挥部",
        other => other,
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or("–".into(), |share| format!("{:.1} %", share * 100.0))
}

pub(in crate::drill) fn duration(seconds: f64) -> String {
    if seconds < 600.0 { format!("{seconds:.0} s") } else { format!("{:.0} min", seconds / 60.0) }
}
