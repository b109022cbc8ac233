//! `anlan playbook`: examine, list, preview, import, export and compare editions.

use crate::app::clock::wall_now;
use crate::app::editions::{embedded_playbook, playbook_in};
use crate::app::reaches::reach_from;
use crate::model::{InstructionCode, Standing, Timestamp};
use crate::playbook::{
    Faults, Instruction, LintItem, Playbook, PreviewResult, Severity, check, export_csv, import_csv, preview,
};
use clap::Subcommand;
use serde_json::json;
use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Arguments of the verb.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Folder of the reach whose places and people are counted; default: the reach in the binary.
    #[arg(long, global = true)]
    reach: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// 检查: gaps, unknown words, nobody to do it, failed expectations. Fails when an error is found.
    Check {
        /// Folder of the edition; default: the edition in the binary.
        path: Option<PathBuf>,
        /// One JSON array instead of lines.
        #[arg(long)]
        json: bool,
    },
    /// 列出全部指令.
    List {
        /// Folder of the edition; default: the edition in the binary.
        path: Option<PathBuf>,
        /// One JSON array instead of lines.
        #[arg(long)]
        json: bool,
    },
    /// 预演: what a discharge would bring. Sends nothing.
    Preview {
        /// Folder of the edition; default: the edition in the binary.
        path: Option<PathBuf>,
        /// Discharge at Huayuankou in m³/s.
        #[arg(long)]
        discharge: f64,
        /// Forecast as m³/s@hours, such as 9000@12.
        #[arg(long)]
        forecast: Option<String>,
        /// Codes of rows that are active now, separated by commas, for the comparison.
        #[arg(long, value_delimiter = ',')]
        active: Vec<String>,
        /// The moment of the preview (RFC 3339); default: now.
        #[arg(long)]
        at: Option<String>,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// 导入: reads a CSV table (UTF-8 or GBK) and writes an edition.
    Import {
        /// The table.
        table: PathBuf,
        /// Folder to write; must be absent or empty.
        #[arg(long)]
        out: PathBuf,
        /// Edition that levels, roles, scopes, messages and expectations are taken from; default: the one in the binary.
        #[arg(long)]
        from: Option<PathBuf>,
    },
    /// 导出: writes the plan as one CSV table.
    Export {
        /// Folder of the edition; default: the edition in the binary.
        path: Option<PathBuf>,
        /// Only `csv`.
        #[arg(long, default_value = "csv", value_parser = ["csv"])]
        format: String,
        /// File to write; default: standard output.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Encoding of the table; `utf-8-bom` opens well in office programs.
        #[arg(long, default_value = "utf-8", value_parser = ["utf-8", "utf-8-bom", "gbk"])]
        encoding: String,
    },
    /// 比较两版.
    Diff {
        /// Folder of the older edition.
        a: PathBuf,
        /// Folder of the newer edition.
        b: PathBuf,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
}

/// A sentence that says what to do, without a cause behind it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Plain(String);

type Done = Result<(), Box<dyn Error>>;

/// Runs the verb.
pub(super) fn run(args: Args) -> Done {
    let reach = args.reach.as_deref();
    match args.action {
        Action::Check { path, json } => run_check(path.as_deref(), reach, json),
        Action::List { path, json } => run_list(path.as_deref(), json),
        Action::Preview { path, discharge, forecast, active, at, json } => {
            let wanted = Wanted { discharge, forecast: forecast.as_deref(), active: &active, at: at.as_deref() };
            run_preview(path.as_deref(), reach, &wanted, json)
        }
        Action::Import { table, out, from } => run_import(&table, &out, from.as_deref()),
        Action::Export { path, format: _, out, encoding } => run_export(path.as_deref(), out.as_deref(), &encoding),
        Action::Diff { a, b, json } => run_diff(&a, &b, json),
    }
}

fn load(path: Option<&Path>) -> Result<Playbook, Box<dyn Error>> {
    let files = match path {
        Some(folder) => playbook_in(folder)?,
        None => embedded_playbook(),
    };
    let playbook = Playbook::load("", &files).map_err(|mut faults| {
        if let Some(folder) = path {
            for fault in &mut faults {
                fault.at.file = folder.join(&*fault.at.file).display().to_string().into();
            }
        }
        Faults(faults)
    })?;
    Ok(playbook)
}

fn print(text: &str) -> Done {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", text.trim_end_matches('\n')) {
        // A reader such as `head` has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

fn run_check(path: Option<&Path>, reach: Option<&Path>, json: bool) -> Done {
    let playbook = load(path)?;
    let items = check(&playbook, Some(&reach_from(reach)?.reach));
    let errors = items.iter().filter(|item| item.severity == Severity::Error).count();
    if json {
        print(&serde_json::to_string_pretty(&items)?)?;
    } else {
        let mut lines: Vec<String> = items.iter().map(LintItem::to_string).collect();
        lines.push(format!(
            "{}：{} 条指令，{errors} 个错误，{} 个注意 | {} rows, {errors} errors, {} warnings",
            playbook.edition(),
            playbook.instructions().len(),
            items.len() - errors,
            playbook.instructions().len(),
            items.len() - errors,
        ));
        print(&lines.join("\n"))?;
    }
    if errors > 0 {
        Err(Box::new(Plain(format!("预案有 {errors} 个错误 / the edition has {errors} errors"))))
    } else {
        Ok(())
    }
}

fn run_list(path: Option<&Path>, json: bool) -> Done {
    let playbook = load(path)?;
    if json {
        let rows: Vec<_> = playbook.instructions().iter().map(listed).collect();
        return print(&serde_json::to_string_pretty(&rows)?);
    }
    let line = |row: &Instruction| {
        let default = if row.our_default() { "（默认 default）" } else { "" };
        format!(
            "{}\t{}\t{}\t{}\t{}\t{}{default}\t{}",
            row.code,
            row.band,
            row.phase.as_str(),
            row.role,
            row.scope,
            row.title_zh,
            row.trigger.text
        )
    };
    print(&playbook.instructions().iter().map(line).collect::<Vec<_>>().join("\n"))
}

fn listed(row: &Instruction) -> serde_json::Value {
    json!({
        "code": row.code, "band": row.band, "phase": row.phase, "role": row.role, "scope": row.scope,
        "trigger": row.trigger.text, "level": row.colour.as_str(), "title_zh": row.title_zh, "title_en": row.title_en,
        "text_zh": row.text_zh, "deadline_min": row.deadline_min, "evidence": row.evidence, "category": row.category,
        "basis": row.basis, "numbers_basis": row.numbers_basis, "our_default": row.our_default(),
        "repeat_min": row.repeat_min, "stop_when": row.stop_when.as_ref().map(|stop| &stop.text),
        "supersedes": row.supersedes, "preauthorised": row.preauthorised,
        "life_safety": row.life_safety, "retreat": row.retreat, "authority": row.authority,
        "report_to": row.report_to, "sms_zh": row.sms_zh,
    })
}

struct Wanted<'a> {
    discharge: f64,
    forecast: Option<&'a str>,
    active: &'a [String],
    at: Option<&'a str>,
}

/// Larger than any flood that the valley remembers.
const DISCHARGE_MAX: f64 = 100_000.0;

fn run_preview(path: Option<&Path>, reach: Option<&Path>, wanted: &Wanted<'_>, json: bool) -> Done {
    let q = discharge(wanted.discharge, "--discharge")?;
    let forecast = wanted.forecast.map(forecast).transpose()?;
    let now = wanted.at.map_or(Ok(wall_now()), moment)?;
    let playbook = load(path)?;
    let reach = reach_from(reach)?.reach;
    let result = preview(&playbook, &reach, q, forecast, now, &Standing::default());
    let active: BTreeSet<InstructionCode> = wanted.active.iter().map(InstructionCode::new).collect();
    if let Some(unknown) = active.iter().find(|code| playbook.instruction(code).is_none()) {
        return Err(Box::new(Plain(format!("--active: 没有指令 {unknown} / there is no row {unknown}"))));
    }
    if json {
        return print(&serde_json::to_string_pretty(&previewed(&playbook, &result, &active))?);
    }
    let mut lines = vec![
        format!("{}（{}级响应）{}", result.level.name_zh(), result.level.roman(), result.reason.zh),
        format!("{} ({}) {}", result.level, result.level.roman(), result.reason.en),
        format!(
            "触发 {}，被替代 {}，待定 {}，任务 {} | {} fire, {} replaced, {} wait, {} tasks",
            result.fired,
            result.superseded.len(),
            result.waits.len(),
            result.tasks.len(),
            result.fired,
            result.superseded.len(),
            result.waits.len(),
            result.tasks.len(),
        ),
    ];
    let titled = |code: &InstructionCode| playbook.instruction(code).map_or("", |row| row.title_zh.as_str());
    lines.extend(result.fires.iter().map(|code| format!("  触发 {code} {}", titled(code))));
    lines.extend(
        result
            .waits
            .iter()
            .map(|wait| format!("  待定 {} {}（缺 {}）", wait.code, titled(&wait.code), wait.unknown.join("、"))),
    );
    print(&lines.join("\n"))
}

fn discharge(value: f64, what: &str) -> Result<f64, Plain> {
    if (0.0..=DISCHARGE_MAX).contains(&value) {
        return Ok(value);
    }
    Err(Plain(format!(
        "{what} {value}: 流量应在 0 到 {DISCHARGE_MAX} m³/s 之间 / a discharge lies between 0 and {DISCHARGE_MAX} m³/s"
    )))
}

/// `9000@12` → (12 h, 9000 m³/s).
fn forecast(text: &str) -> Result<(f64, f64), Plain> {
    let wrong =
        || Plain(format!("--forecast {text}: 应写作 流量@小时，如 9000@12 / write m³/s@hours, such as 9000@12"));
    let (later, ahead) = text.split_once('@').ok_or_else(wrong)?;
    let later = discharge(later.trim().parse().map_err(|_| wrong())?, "--forecast")?;
    let ahead: f64 = ahead.trim().trim_end_matches('h').parse().map_err(|_| wrong())?;
    if (0.0..=240.0).contains(&ahead) { Ok((ahead, later)) } else { Err(wrong()) }
}

fn moment(text: &str) -> Result<Timestamp, Plain> {
    let parsed = chrono::DateTime::parse_from_rfc3339(text);
    parsed.map(|at| at.to_utc()).map_err(|_| {
        Plain(format!(
            "--at {text}: 应写作 1958-07-16T18:00:00+08:00 / write a moment with its zone, as 1958-07-16T18:00:00+08:00"
        ))
    })
}

fn previewed(playbook: &Playbook, result: &PreviewResult, active: &BTreeSet<InstructionCode>) -> serde_json::Value {
    let code = |row: usize| playbook.instructions().get(row).map(|row| &row.code);
    let tasks: Vec<_> = result.tasks.iter().map(|(row, place)| json!({ "code": code(*row), "place": place })).collect();
    json!({
        "edition": playbook.edition(),
        "level": result.level,
        "reason": result.reason,
        "band": result.band,
        "instructions": {
            "fires": result.fires, "fired": result.fired, "superseded": result.superseded,
            "waits": result.waits, "excluded": result.excluded,
        },
        "tasks": tasks,
        "diff": result.diff(playbook, active),
        "inundation": null,
        "inundation_reason": { "zh": "尚无淹没模型结果", "en": "no inundation model has run" },
    })
}

fn run_import(table: &Path, out: &Path, from: Option<&Path>) -> Done {
    let shown = table.display().to_string();
    let bytes = fs::read(table).map_err(|cause| Unwritten { doing: format!("读取 / reading {shown}"), cause })?;
    let rows = import_csv(&shown, &bytes).map_err(Faults)?;
    let mut files = match from {
        Some(folder) => playbook_in(folder)?,
        None => embedded_playbook(),
    };
    files.retain(|name, _| !name.starts_with("instructions/"));
    let mut whole = files.clone();
    whole.extend(rows);
    // Numbers of another table's expectations would be wrong here; the rest must fit.
    let playbook = Playbook::load("", &whole).map_err(Faults)?;
    let is_used = fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    if is_used {
        let shown = out.display();
        return Err(Box::new(Plain(format!(
            "{shown} 不是空目录，请换一个 --out / {shown} is not empty; give another --out"
        ))));
    }
    for (name, text) in &whole {
        write(&out.join(name), text.as_bytes())?;
    }
    print(&format!(
        "{} 条指令写入 {shown_out} | {} rows written to {shown_out}",
        playbook.instructions().len(),
        playbook.instructions().len(),
        shown_out = out.display()
    ))
}

#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
struct Unwritten {
    doing: String,
    #[source]
    cause: std::io::Error,
}

fn write(path: &Path, bytes: &[u8]) -> Done {
    let failed = |cause| Unwritten { doing: format!("写入 / writing {}", path.display()), cause };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    Ok(fs::write(path, bytes).map_err(failed)?)
}

fn run_export(path: Option<&Path>, out: Option<&Path>, encoding: &str) -> Done {
    let text = export_csv(&load(path)?);
    let bytes = match encoding {
        "gbk" => {
            let (bytes, _, lossy) = encoding_rs::GBK.encode(&text);
            if lossy {
                return Err(Box::new(Plain(
                    "有的字不在 GBK 中，请用 utf-8-bom / some characters are not in GBK; use utf-8-bom".into(),
                )));
            }
            bytes.into_owned()
        }
        "utf-8-bom" => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        _ => text.into_bytes(),
    };
    match out {
        Some(file) => write(file, &bytes),
        None => Ok(std::io::stdout().lock().write_all(&bytes)?),
    }
}

fn run_diff(a: &Path, b: &Path, json: bool) -> Done {
    let (old, new) = (load(Some(a))?, load(Some(b))?);
    let changes = old.compare(&new);
    if json {
        return print(&serde_json::to_string_pretty(&changes)?);
    }
    let mut lines: Vec<String> = changes.added.iter().map(|code| format!("+ {code}")).collect();
    lines.extend(changes.removed.iter().map(|code| format!("- {code}")));
    for change in &changes.changed {
        lines.push(format!("~ {} {}: {} → {}", change.code, change.field, change.from, change.to));
    }
    lines.push(format!("{} → {}", old.edition(), new.edition()));
    print(&lines.join("\n"))
}
