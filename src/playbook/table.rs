//! The plan as officers keep it: one CSV table, in UTF-8 or GBK. Import gives the TOML rows of an edition, export the table.

use super::edition::Playbook;
use super::fault::{At, Fault, Words};
use super::instruction::{Instruction, authority_word};
use super::parse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

pub(super) const COLUMNS: [&str; 27] = [
    "id",
    "band",
    "q_min",
    "q_max",
    "warning_colour",
    "response_level",
    "phase",
    "category",
    "role",
    "grid_scope",
    "trigger",
    "deadline_min",
    "evidence",
    "title_zh",
    "instruction_zh",
    "title_en",
    "basis",
    "repeat_min",
    "stop_when",
    "supersedes",
    "preauthorised",
    "life_safety",
    "retreat",
    "authority",
    "report_to",
    "numbers_basis",
    "sms_zh",
];
const OPTIONAL: [&str; 5] = ["q_max", "response_level", "repeat_min", "stop_when", "supersedes"];
const NUMBERS: [&str; 4] = ["q_min", "q_max", "deadline_min", "repeat_min"];
const WORDS: [(&str, &[&str]); 6] = [
    ("warning_colour", &["none", "blue", "yellow", "orange", "red", "any"]),
    ("phase", &["prepare", "alert", "respond", "withdraw"]),
    ("preauthorised", &["true", "false"]),
    ("life_safety", &["true", "false"]),
    ("retreat", &["true", "false"]),
    ("authority", &["none", "hq_duty", "town_commander", "county_hq_commander", "authorised_publisher"]),
];

/// Order of bands in a table.
const BANDS: [&str; 10] = ["D", "P", "B4", "B6", "B8", "B10", "B15", "B22", "H", "W"];

/// Reads a table and gives the files `instructions/<band>.toml`.
///
/// # Errors
/// Every fault found, with row and column of the table.
pub fn import_csv(file: &str, bytes: &[u8]) -> Result<BTreeMap<String, String>, Vec<Fault>> {
    let file: Arc<str> = file.into();
    let text = decoded(&file, bytes)?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let mut import = Import { file, faults: Vec::new(), codes: BTreeMap::new(), files: BTreeMap::new() };
    let headers = match reader.headers() {
        Ok(headers) => headers.iter().map(|header| header.trim().to_owned()).collect::<Vec<_>>(),
        Err(error) => return Err(vec![import.unreadable(1, &error)]),
    };
    import.check_headers(&headers);
    if !import.faults.is_empty() {
        return Err(import.faults);
    }
    for record in reader.records() {
        match record {
            Ok(record) => import.record(&headers, &record),
            Err(error) => {
                let line = error.position().map_or(0, |position| position.line() as usize);
                let fault = import.unreadable(line, &error);
                import.faults.push(fault);
            }
        }
    }
    import.check_supersedes();
    if import.codes.is_empty() && import.faults.is_empty() {
        import.fault(
            2,
            1,
            Words::new("表中没有指令", "the table has no row"),
            Words::new("至少写一行", "write at least one row"),
        );
    }
    if import.faults.is_empty() { Ok(import.files) } else { Err(import.faults) }
}

/// The bytes as text: a byte order mark, else UTF-8, else GBK (as WPS writes it).
fn decoded(file: &Arc<str>, bytes: &[u8]) -> Result<String, Vec<Fault>> {
    let (text, _, broken) = match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding.decode(bytes),
        None if std::str::from_utf8(bytes).is_ok() => encoding_rs::UTF_8.decode(bytes),
        None => encoding_rs::GBK.decode(bytes),
    };
    if !broken {
        return Ok(text.into_owned());
    }
    let offset = text.find('\u{fffd}').unwrap_or(0);
    Err(vec![Fault {
        at: At::of(file, &text, offset),
        rule: "encoding",
        message: Words::new("文件既不是 UTF-8 也不是 GBK 编码", "the file is neither UTF-8 nor GBK"),
        advice: Words::new("另存为 UTF-8 的 CSV", "save it as CSV in UTF-8"),
    }])
}

struct Import {
    file: Arc<str>,
    faults: Vec<Fault>,
    /// Code → line.
    codes: BTreeMap<String, usize>,
    files: BTreeMap<String, String>,
}

struct Cells<'a> {
    headers: &'a [String],
    record: &'a csv::StringRecord,
    line: usize,
}

impl Cells<'_> {
    fn column(&self, name: &str) -> usize {
        self.headers.iter().position(|header| header == name).map_or(1, |index| index + 1)
    }
    fn get(&self, name: &str) -> &str {
        self.record.get(self.column(name) - 1).unwrap_or("").trim()
    }
}

impl Import {
    fn fault(&mut self, line: usize, column: usize, message: Words, advice: Words) {
        let at = At { file: self.file.clone(), line, column };
        self.faults.push(Fault { at, rule: "table", message, advice });
    }
    fn cell_fault(&mut self, cells: &Cells<'_>, name: &str, zh: &str, en: &str) {
        let (line, column) = (cells.line, cells.column(name));
        self.fault(
            line,
            column,
            Words::new(
                format!("第 {line} 行第 {column} 列（{name}）：{zh}"),
                format!("line {line}, column {column} ({name}): {en}"),
            ),
            Words::new("改正该单元格", "correct this cell"),
        );
    }
    fn unreadable(&self, line: usize, error: &csv::Error) -> Fault {
        Fault {
            at: At { file: self.file.clone(), line: line.max(1), column: 1 },
            rule: "table",
            message: Words::new(
                format!("第 {line} 行不是完整的 CSV 行"),
                format!("line {line} is no CSV record: {error}"),
            ),
            advice: Words::new("检查引号和逗号", "check quotes and commas"),
        }
    }

    fn check_headers(&mut self, headers: &[String]) {
        for wanted in COLUMNS {
            if !headers.iter().any(|header| header == wanted) {
                self.fault(
                    1,
                    1,
                    Words::new(format!("第 1 行缺少列 {wanted}"), format!("line 1 has no column {wanted}")),
                    Words::new("补上该列", "add the column"),
                );
            }
        }
        for (index, header) in headers.iter().enumerate() {
            let twice = headers.iter().take(index).any(|other| other == header);
            if twice || !COLUMNS.contains(&header.as_str()) {
                self.fault(
                    1,
                    index + 1,
                    Words::new(
                        format!("第 1 行第 {} 列 {header:?} 多余或重复", index + 1),
                        format!("line 1, column {}: {header:?} is unknown or doubled", index + 1),
                    ),
                    Words::new("改名或删去该列", "rename or remove the column"),
                );
            }
        }
    }

    fn record(&mut self, headers: &[String], record: &csv::StringRecord) {
        let line = record.position().map_or(0, |position| position.line() as usize);
        let cells = Cells { headers, record, line };
        let before = self.faults.len();
        if record.len() != headers.len() {
            let (zh, en) = (
                format!("应有 {} 个单元格，实有 {}", headers.len(), record.len()),
                format!("{} cells expected, {} found", headers.len(), record.len()),
            );
            self.cell_fault(&cells, "id", &zh, &en);
            return;
        }
        self.check_cells(&cells);
        let code = cells.get("id").to_owned();
        if let Some(first) = self.codes.insert(code.clone(), line) {
            self.cell_fault(
                &cells,
                "id",
                &format!("{code} 已在第 {first} 行出现"),
                &format!("{code} stands already in line {first}"),
            );
        }
        if self.faults.len() == before {
            let text = self.files.entry(file_name(cells.get("band"))).or_insert_with(|| header_of(cells.get("band")));
            write_row(text, &cells);
        }
    }

    fn check_cells(&mut self, cells: &Cells<'_>) {
        for name in COLUMNS {
            if cells.get(name).is_empty() && !OPTIONAL.contains(&name) {
                self.cell_fault(cells, name, "不能为空", "must not be empty");
            }
        }
        for name in NUMBERS {
            let text = cells.get(name);
            if !text.is_empty() && text.parse::<u32>().is_err() {
                self.cell_fault(cells, name, &format!("{text} 不是整数"), &format!("{text:?} is not a whole number"));
            }
        }
        for (name, words) in WORDS {
            let text = cells.get(name);
            if !text.is_empty() && !words.contains(&text) {
                let known = words.join(", ");
                self.cell_fault(
                    cells,
                    name,
                    &format!("{text} 应为 {known} 之一"),
                    &format!("{text:?} is not one of {known}"),
                );
            }
        }
        let band = cells.get("band");
        if !band.chars().all(|c| c.is_ascii_alphanumeric()) {
            self.cell_fault(cells, "band", "只能用字母和数字", "only letters and digits are allowed");
        }
        for name in ["trigger", "stop_when"] {
            if let Err(fault) = parse::condition(cells.get(name))
                && !cells.get(name).is_empty()
            {
                let place = cells.get(name).get(..fault.offset).map_or(0, |before| before.chars().count()) + 1;
                self.cell_fault(
                    cells,
                    name,
                    &format!("第 {place} 个字符：{}", fault.zh),
                    &format!("character {place}: {}", fault.en),
                );
            }
        }
    }

    fn check_supersedes(&mut self) {
        let known: BTreeSet<String> = self.codes.keys().cloned().collect();
        let named: Vec<String> = self.files.values().flat_map(|text| superseded_in(text)).collect();
        for code in named {
            if !known.contains(&code) {
                let message = Words::new(
                    format!("supersedes 里的 {code} 不在表中"),
                    format!("{code} in supersedes is not in the table"),
                );
                self.fault(1, 20, message, Words::new("改正编号或删去", "correct the code or remove it"));
            }
        }
    }
}

fn superseded_in(text: &str) -> Vec<String> {
    let lists = text.lines().filter_map(|line| line.strip_prefix("supersedes = "));
    lists.flat_map(|list| list.split('"').skip(1).step_by(2).map(str::to_owned)).collect()
}

fn file_name(band: &str) -> String {
    let lower = band.to_ascii_lowercase();
    match lower.strip_prefix('b').and_then(|number| number.parse::<u32>().ok()) {
        Some(number) => format!("instructions/b{number:02}.toml"),
        None => format!("instructions/{lower}.toml"),
    }
}

fn header_of(band: &str) -> String {
    format!("# 预案指令 {band} 组 / instructions of band {band}. 触发条件的写法见 docs/playbook.md.\n")
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Triggers hold double quotes, so they are written as TOML literals; a column in them is then a column in the file.
fn literal(text: &str) -> String {
    if text.contains('\'') { quoted(text) } else { format!("'{text}'") }
}

fn list(text: &str, between: char) -> String {
    let parts: Vec<String> =
        text.split([between, ' ', ';']).filter(|part| !part.is_empty()).map(|part| format!("{part:?}")).collect();
    format!("[{}]", parts.join(", "))
}

fn write_row(text: &mut String, cells: &Cells<'_>) {
    let mut lines = vec![
        ("code", quoted(cells.get("id"))),
        ("band", quoted(cells.get("band"))),
        ("q_min", cells.get("q_min").to_owned()),
        ("q_max", cells.get("q_max").to_owned()),
        ("colour", quoted(cells.get("warning_colour"))),
        ("response", optional(cells.get("response_level"), quoted)),
        ("phase", quoted(cells.get("phase"))),
        ("category", quoted(cells.get("category"))),
        ("role", quoted(cells.get("role"))),
        ("scope", quoted(cells.get("grid_scope"))),
        ("trigger", literal(cells.get("trigger"))),
        ("deadline_min", cells.get("deadline_min").to_owned()),
        ("evidence", list(cells.get("evidence"), '+')),
        ("title_zh", quoted(cells.get("title_zh"))),
        ("text_zh", quoted(cells.get("instruction_zh"))),
        ("title_en", quoted(cells.get("title_en"))),
        ("basis", quoted(cells.get("basis"))),
        ("numbers_basis", quoted(cells.get("numbers_basis"))),
        ("repeat_min", cells.get("repeat_min").to_owned()),
        ("stop_when", optional(cells.get("stop_when"), literal)),
        ("supersedes", optional(cells.get("supersedes"), |text| list(text, ' '))),
    ];
    let marks = ["preauthorised", "life_safety", "retreat"].into_iter().filter(|mark| cells.get(mark) == "true");
    lines.extend(marks.map(|mark| (mark, "true".to_owned())));
    lines.push(("authority", quoted(cells.get("authority"))));
    lines.push(("report_to", quoted(cells.get("report_to"))));
    lines.push(("sms_zh", quoted(cells.get("sms_zh"))));
    text.push_str("\n[[instruction]]\n");
    for (key, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(text, "{key} = {value}");
    }
}

fn optional(text: &str, written: impl Fn(&str) -> String) -> String {
    if text.is_empty() { String::new() } else { written(text) }
}

/// The whole plan as one table in UTF-8, without byte order mark.
pub fn export_csv(playbook: &Playbook) -> String {
    let place_of = |band: &str| BANDS.iter().position(|known| *known == band).unwrap_or(BANDS.len());
    let mut rows: Vec<&Instruction> = playbook.instructions().iter().collect();
    rows.sort_by_key(|row| place_of(&row.band));
    let mut text = COLUMNS.join(",");
    text.push('\n');
    for row in rows {
        let cells: Vec<String> = cells_of(row).into_iter().map(|cell| escaped(&cell)).collect();
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

fn escaped(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

pub(super) fn cells_of(row: &Instruction) -> [String; 27] {
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let codes: Vec<&str> = row.supersedes.iter().map(|code| code.as_str()).collect();
    [
        row.code.to_string(),
        row.band.clone(),
        row.q_min_m3s.to_string(),
        number(row.q_max_m3s),
        row.colour.as_str().into(),
        row.response.clone(),
        row.phase.as_str().into(),
        row.category.clone(),
        row.role.clone(),
        row.scope.clone(),
        row.trigger.text.clone(),
        row.deadline_min.to_string(),
        row.evidence.join("+"),
        row.title_zh.clone(),
        row.text_zh.clone(),
        row.title_en.clone(),
        row.basis.clone(),
        number(row.repeat_min),
        row.stop_when.as_ref().map(|stop| stop.text.clone()).unwrap_or_default(),
        codes.join(" "),
        row.preauthorised.to_string(),
        row.life_safety.to_string(),
        row.retreat.to_string(),
        authority_word(row.authority).into(),
        row.report_to.clone(),
        row.numbers_basis.clone(),
        row.sms_zh.clone(),
    ]
}
