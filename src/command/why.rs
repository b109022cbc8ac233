//! 依据链: how a reading became this person's task, first cause first.

use super::{Core, ReadingRef, Signature, State, Task, Words};
use crate::model::{ActivationId, FactSeq, Grade, MemberId, Timestamp, mask_name};
use crate::playbook::SignalKey;
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
    let (grade_zh, grade_en) = grade_words(reading.quality.grade);
    let causes = reading.quality.causes.words();
    let named: Vec<_> = causes.iter().map(|word| cause_zh(word)).collect();
    let with = |grade: &str, open: &str, causes: &str, close: &str| match causes {
        "" => grade.to_owned(),
        _ => format!("{grade}{open}{causes}{close}"),
    };
    let zh = with(grade_zh, "（", &named.join("、"), "）");
    let en = with(grade_en, " (", &causes.join(", "), ")");
    [
        step(
            "reading",
            Some(reading.at),
            Some(fact),
            format!("{series} = {value:.2}，{} 观测", beijing(reading.at)),
            format!("{series} = {value:.2} at {}", beijing(reading.at)),
        ),
        step("quality", Some(reading.at), Some(fact), format!("质量：{zh}"), format!("quality: {en}")),
    ]
}

fn grade_words(grade: Grade) -> (&'static str, &'static str) {
    match grade {
        Grade::Good => ("合格", "good"),
        Grade::Manual => ("人工", "manual"),
        Grade::Estimated => ("估算", "estimated"),
        Grade::Suspect => ("存疑", "suspect"),
        Grade::Bad => ("不可用", "bad"),
    }
}

fn cause_zh(word: &str) -> &str {
    match word {
        "range" => "超出量程",
        "rise" => "涨落过快",
        "spike" => "跳变",
        "frozen" => "长时间不变",
        "late" => "迟报",
        "clock" => "时钟有误",
        "missing" => "缺测",
        "gap" => "此前断报",
        "neighbour" => "与邻站不符",
        "rating" => "水位流量关系不符",
        "redundant" => "与同站另一传感器不符",
        other => other,
    }
}

fn rule_step(core: &Core, task: &Task, at: Timestamp, because: &[super::Sensed]) -> WhyStep {
    let row = core.playbook.instruction(&task.code);
    let rule = row.map(|row| row.trigger.condition.words()).unwrap_or_default();
    let (mut values_zh, mut values_en) = (Vec::new(), Vec::new());
    for sensed in because {
        let words =
            sensed.signal.parse::<SignalKey>().map(|key| (key.words(), key.spec().map_or("", |spec| spec.unit)));
        let (words, unit) = words.unwrap_or_else(|_| (Words::new(&*sensed.signal, &*sensed.signal), ""));
        let value = (sensed.value * 100.0).round() / 100.0;
        values_zh.push(format!("{} {value} {unit}", words.zh).trim_end().to_owned());
        values_en.push(format!("{} {value} {unit}", words.en).trim_end().to_owned());
    }
    let within = |open: &str, values: &[String], mark: &str, close: &str| match values {
        [] => String::new(),
        _ => format!("{open}{}{close}", values.join(mark)),
    };
    let zh = within("（", &values_zh, "；", "）");
    let en = within(" (", &values_en, "; ", ")");
    step(
        "rule",
        Some(at),
        Some(task.fired),
        format!("条件成立：{}{zh}", rule.zh),
        format!("condition met: {}{en}", rule.en),
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
            format!("启动申请无人确认，按授权书自动下发（第 {} 号申请）", number(activation)),
            format!("request no. {} expired; sent under the standing authorisation", number(activation)),
        ),
        (Signature::NotNeeded, None) => ("免签发（常规观测或首次处置）".into(), "no signature needed".into()),
        (Signature::NotNeeded, Some(asked)) => {
            let level = asked.level;
            (format!("免签发，随{}响应执行", level.name_zh()), format!("no signature needed under level {level}"))
        }
        (Signature::Activation { .. }, Some(asked)) => {
            let second = asked.settled.as_ref().and_then(|(_, by)| by.as_ref()).map_or("-", |by| by.user.as_str());
            let ordered = asked.ordered_by.as_deref().filter(|by| !by.trim().is_empty());
            let ordered_zh = ordered.map(|by| format!("；奉令：{by}")).unwrap_or_default();
            let ordered_en = ordered.map(|by| format!("; on order of: {by}")).unwrap_or_default();
            let first = &asked.asked_by.user;
            (
                format!("{first} 申请，{second} 确认（{}{ordered_zh}）", asked.reason),
                format!("asked by {first}, confirmed by {second} ({}{ordered_en})", asked.reason),
            )
        }
        (Signature::Activation { activation }, None) => {
            (format!("第 {} 号启动申请", number(activation)), format!("request no. {}", number(activation)))
        }
    };
    Some(step("signature", task.issued_at, None, zh, en))
}

fn clause_step(core: &Core, task: &Task) -> WhyStep {
    let edition = core.playbook.edition();
    let row = core.playbook.instruction(&task.code);
    let title = row.map_or(("", ""), |row| (row.title_zh.as_str(), row.title_en.as_str()));
    let ours = if row.is_some_and(|row| row.our_default()) {
        ("（数值为本系统默认，待确认）", " (numbers are our default)")
    } else {
        ("", "")
    };
    step(
        "clause",
        Some(task.created_at),
        None,
        format!("预案 {edition} 第 {} 条《{}》{}", task.code, title.0, ours.0),
        format!("playbook {edition}, row {} \"{}\"{}", task.code, title.1, ours.1),
    )
}

fn duty_steps(core: &Core, task: &Task) -> Vec<WhyStep> {
    let role = core.playbook.instruction(&task.code).map_or("", |row| row.role.as_str());
    let named = core.playbook.role(role).map(|role| &role.name);
    let (role_zh, role_en) = named.map_or((role, role), |name| (name.zh.as_str(), name.en.as_str()));
    let place = core.reach.place(&task.place);
    let (place_zh, place_en) = place.map_or(("", ""), |place| (place.name_zh.as_str(), place.name_en.as_str()));
    let person = |id: Option<&MemberId>| {
        let member =
            id.map(|id| core.reach.member(id).map_or_else(|| id.to_string(), |member| mask_name(&member.name)));
        (member.clone().unwrap_or_else(|| "空缺".to_owned()), member.unwrap_or_else(|| "vacant".to_owned()))
    };
    let ((owner_zh, owner_en), (deputy_zh, deputy_en)) = (person(task.owner.as_ref()), person(task.deputy.as_ref()));
    let (holder_zh, holder_en) = person(task.holder.as_ref());
    let mut steps = vec![step(
        "duty",
        Some(task.created_at),
        None,
        format!("值班表：{place_zh} {role_zh}，A 角 {owner_zh}，B 角 {deputy_zh}"),
        format!("duty table: {role_en} at {place_en}, owner {owner_en}, deputy {deputy_en}"),
    )];
    steps.extend(task.assigned.as_ref().map(|named| {
        step(
            "duty",
            Some(named.at),
            None,
            format!("{} 指定 {owner_zh}：{}", named.by.user, named.reason),
            format!("{} named {owner_en}: {}", named.by.user, named.reason),
        )
    }));
    steps.push(step("person", task.handed_at, None, format!("现由 {holder_zh} 负责"), format!("now with {holder_en}")));
    steps
}

/// The running number of a request, without its prefix.
fn number(activation: &ActivationId) -> String {
    let id = activation.to_string();
    id.rsplit('-').next().unwrap_or_default().to_owned()
}

/// Wall time of the reach, `07-18 00:00`.
pub fn beijing(at: Timestamp) -> String {
    FixedOffset::east_opt(8 * 3600)
        .map_or_else(String::new, |zone| at.with_timezone(&zone).format("%m-%d %H:%M").to_string())
}
