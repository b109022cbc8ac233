//! 依据链: how a reading became this person's task, first cause first.

use super::{Core, ReadingRef, Signature, State, Task, Words};
use crate::model::{FactSeq, Timestamp};
use chrono::FixedOffset;

/// One link of the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct WhyStep {
    /// `reading`, `quality`, `rule`, `level`, `signature`, `clause`, `duty`, `person`.
    pub kind: &'static str,
    /// When.
    pub at: Option<Timestamp>,
    /// The fact that says so.
    pub fact: Option<FactSeq>,
    /// In words.
    pub text: Words,
}

/// The chain behind one task.
pub fn why(core: &Core, state: &State, task: &Task) -> Vec<WhyStep> {
    let mut chain = Vec::new();
    let fired = state.fired_because.get(&task.fired);
    if let Some(fired) = fired {
        for reading in &fired.readings {
            chain.extend(reading_steps(reading, task.fired));
        }
        chain.push(rule_step(core, task, fired.at, &fired.because));
    }
    chain.push(level_step(state, task));
    chain.extend(signature_step(state, task));
    chain.push(clause_step(core, task));
    chain.extend(duty_steps(core, task));
    chain
}

fn step(kind: &'static str, at: Option<Timestamp>, fact: Option<FactSeq>, zh: String, en: String) -> WhyStep {
    WhyStep { kind, at, fact, text: Words { zh, en } }
}

fn reading_steps(reading: &ReadingRef, fact: FactSeq) -> [WhyStep; 2] {
    let series = &reading.series;
    let value = reading.value;
    let grade = format!("{:?}", reading.quality.grade).to_lowercase();
    let causes = reading.quality.causes.words().join(", ");
    let verdict = if causes.is_empty() { grade } else { format!("{grade} ({causes})") };
    [
        step(
            "reading",
            Some(reading.at),
            Some(fact),
            format!("{series} = {value:.2}，{} 观测", beijing(reading.at)),
            format!("{series} = {value:.2} at {}", beijing(reading.at)),
        ),
        step("quality", Some(reading.at), Some(fact), format!("质量：{verdict}"), format!("quality: {verdict}")),
    ]
}

fn rule_step(core: &Core, task: &Task, at: Timestamp, because: &[super::Sensed]) -> WhyStep {
    let rule = core.playbook.instruction(&task.code).map_or(String::new(), |row| row.trigger.text.clone());
    let values: Vec<_> = because.iter().map(|sensed| format!("{} = {}", sensed.signal, sensed.value)).collect();
    let values = if values.is_empty() { String::new() } else { format!(" [{}]", values.join("; ")) };
    step(
        "rule",
        Some(at),
        Some(task.fired),
        format!("规则 {rule} 成立{values}"),
        format!("rule {rule} is true{values}"),
    )
}

fn level_step(state: &State, task: &Task) -> WhyStep {
    let level = if task.issued_at.is_some() { task.level } else { state.in_force };
    step(
        "level",
        task.issued_at.or(state.in_force_since),
        None,
        format!("生效响应：{}{}", level.name_zh(), level.roman()),
        format!("level in force: {level} {}", level.roman()),
    )
}

fn signature_step(state: &State, task: &Task) -> Option<WhyStep> {
    let signature = task.signature.as_ref()?;
    let request = state.activation_behind(task);
    let (zh, en) = match (signature, request) {
        (Signature::Officer { by }, _) => (format!("{} 签发", by.user), format!("signed by {}", by.user)),
        (Signature::StandingAuthorisation { activation }, _) => (
            format!("申请 {activation} 无人确认，按授权书自动下发"),
            format!("request {activation} expired; sent under the standing authorisation"),
        ),
        (Signature::NotNeeded, None) => ("免签发（常规观测或首次处置）".into(), "no signature needed".into()),
        (Signature::NotNeeded, Some(asked)) => {
            (format!("免签发，随 {} 生效执行", asked.id), format!("no signature needed under {}", asked.id))
        }
        (Signature::Activation { .. }, Some(asked)) => {
            let second = asked.settled.as_ref().and_then(|(_, by)| by.as_ref()).map_or("-", |by| by.user.as_str());
            let ordered = asked.ordered_by.as_deref().unwrap_or("-");
            (
                format!(
                    "{} 申请，{second} 确认（{}；奉令：{ordered}；文号 {}）",
                    asked.asked_by.user, asked.reason, asked.id
                ),
                format!(
                    "asked by {}, confirmed by {second} ({}; on order of: {ordered}; no. {})",
                    asked.asked_by.user, asked.reason, asked.id
                ),
            )
        }
        (Signature::Activation { activation }, None) => (format!("申请 {activation}"), format!("request {activation}")),
    };
    Some(step("signature", task.issued_at, None, zh, en))
}

fn clause_step(core: &Core, task: &Task) -> WhyStep {
    let edition = core.playbook.edition();
    let row = core.playbook.instruction(&task.code);
    let title = row.map_or(("", ""), |row| (row.title_zh.as_str(), row.title_en.as_str()));
    let basis = row.map_or("", |row| row.basis.as_str());
    let ours = if row.is_some_and(|row| row.our_default()) {
        ("（数值为本系统默认，待确认）", " (numbers are our default)")
    } else {
        ("", "")
    };
    step(
        "clause",
        Some(task.created_at),
        None,
        format!("预案 {edition} 第 {} 条《{}》，依据 {basis}{}", task.code, title.0, ours.0),
        format!("playbook {edition}, row {} \"{}\", basis {basis}{}", task.code, title.1, ours.1),
    )
}

fn duty_steps(core: &Core, task: &Task) -> Vec<WhyStep> {
    let role = core.playbook.instruction(&task.code).map_or("", |row| row.role.as_str());
    let place = core.reach.place(&task.place);
    let (place_zh, place_en) = place.map_or(("", ""), |place| (place.name_zh.as_str(), place.name_en.as_str()));
    let person = |id: Option<&crate::model::MemberId>| id.map_or_else(|| "-".to_owned(), ToString::to_string);
    let (owner, deputy) = (person(task.owner.as_ref()), person(task.deputy.as_ref()));
    let mut steps = vec![step(
        "duty",
        Some(task.created_at),
        None,
        format!("值班表：{place_zh} {role}，A 角 {owner}，B 角 {deputy}"),
        format!("duty table: {role} at {place_en}, owner {owner}, deputy {deputy}"),
    )];
    steps.extend(task.assigned.as_ref().map(|named| {
        step(
            "duty",
            Some(named.at),
            None,
            format!("{} 指定 {owner}：{}", named.by.user, named.reason),
            format!("{} named {owner}: {}", named.by.user, named.reason),
        )
    }));
    steps.push(step(
        "person",
        task.handed_at,
        None,
        format!("现由 {} 负责", person(task.holder.as_ref())),
        format!("now with {}", person(task.holder.as_ref())),
    ));
    steps
}

/// Wall time of the reach, `07-18 00:00`.
fn beijing(at: Timestamp) -> String {
    FixedOffset::east_opt(8 * 3600)
        .map_or_else(String::new, |zone| at.with_timezone(&zone).format("%m-%d %H:%M").to_string())
}
