//! Reads the files of an edition: every fault with its file, line and column, all of them at once.

use super::compiled::{CompiledRow, Slots};
use super::condition::Condition;
use super::edition::{Edition, Expectation, Named};
use super::fault::{At, Fault, Words};
use super::instruction::{Instruction, Trigger};
use super::levels::{Band, LevelRule, Levels};
use super::parse;
use super::shape;
use crate::model::InstructionCode;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use toml::Spanned;

/// Reads all files; see `Playbook::load`.
pub(super) fn load(edition: &str, files: &BTreeMap<String, String>) -> Result<Edition, Vec<Fault>> {
    let mut loader = Loader::default();
    for (name, text) in files {
        loader.file(name, text);
    }
    loader.finish(edition, files)
}

#[derive(Default)]
struct Loader {
    edition: Edition,
    faults: Vec<Fault>,
    references: Vec<(Reference, String, At)>,
    name: Option<String>,
    /// Files whose text is not TOML: what they would have defined is not held against others.
    unread: BTreeSet<String>,
    /// Codes of all rows, also of those with a fault of their own.
    codes: BTreeSet<String>,
}

#[derive(Clone, Copy)]
enum Reference {
    Role,
    Scope,
    Row,
}

struct Source<'a> {
    name: Arc<str>,
    text: &'a str,
}

impl Source<'_> {
    fn at(&self, offset: usize) -> At {
        At::of(&self.name, self.text, offset)
    }
}

impl Loader {
    fn file(&mut self, name: &str, text: &str) {
        let source = Source { name: name.into(), text };
        match name {
            "levels.toml" => self.levels(&source),
            "roles.toml" => {
                if let Some(file) = self.read::<shape::RoleFile>(&source) {
                    self.edition.roles = self.names(&source, file.role);
                }
            }
            "scopes.toml" => {
                if let Some(file) = self.read::<shape::ScopeFile>(&source) {
                    self.edition.scopes = self.names(&source, file.scope);
                }
            }
            "messages.toml" => self.messages(&source),
            "expectations.toml" => self.expectations(&source),
            _ if name.starts_with("instructions/") && name.ends_with(".toml") => self.instructions(&source),
            _ if name.ends_with(".toml") => self.fault(
                source.at(0),
                "unknown-file",
                Words::new("不认识的文件名", "a file of this name is not part of an edition"),
                Words::new(
                    "指令放入 instructions/ 目录，或删去此文件",
                    "put rows under instructions/, or remove the file",
                ),
            ),
            _ => {}
        }
    }

    fn fault(&mut self, at: At, rule: &'static str, message: Words, advice: Words) {
        self.faults.push(Fault { at, rule, message, advice });
    }

    fn read<T: DeserializeOwned>(&mut self, source: &Source<'_>) -> Option<T> {
        match toml::from_str(source.text) {
            Ok(file) => Some(file),
            Err(error) => {
                self.unread.insert(source.name.to_string());
                let at = source.at(error.span().map_or(0, |span| span.start));
                let what = error.message().trim().replace('\n', "; ");
                self.fault(
                    at,
                    "toml",
                    Words::new(format!("文件格式有误：{what}"), format!("not a valid file: {what}")),
                    Words::new("按该行该列改正", "correct the text at this line and column"),
                );
                None
            }
        }
    }

    fn names(&mut self, source: &Source<'_>, shapes: Vec<shape::NameShape>) -> BTreeMap<String, Named> {
        let mut names = BTreeMap::new();
        for shape in shapes {
            let at = source.at(shape.code.span().start);
            let shape::NameShape { code, zh, en, report_only } = shape;
            let code = code.into_inner();
            if names.insert(code.clone(), Named { code: code.clone(), name: Words { zh, en }, report_only }).is_some() {
                self.duplicate(at, &code);
            }
        }
        names
    }

    fn duplicate(&mut self, at: At, code: &str) {
        self.fault(
            at,
            "duplicate",
            Words::new(format!("{code} 重复出现"), format!("{code} appears twice")),
            Words::new("删去其一或改编号", "remove one of them or give it another code"),
        );
    }

    fn messages(&mut self, source: &Source<'_>) {
        let Some(file) = self.read::<shape::MessageFile>(source) else { return };
        for message in file.message {
            let at = source.at(message.key.span().start);
            let key = message.key.into_inner();
            if self.edition.messages.insert(key.clone(), Words::new(message.zh, message.en)).is_some() {
                self.duplicate(at, &key);
            }
        }
    }

    fn expectations(&mut self, source: &Source<'_>) {
        let Some(file) = self.read::<shape::ExpectationFile>(source) else { return };
        for expectation in file.expectation {
            let at = source.at(expectation.span().start);
            self.edition.expectations.push(Expectation { shape: expectation.into_inner(), at });
        }
        self.edition.preauthorised = file.preauthorised.map(|codes| {
            let at = source.at(codes.span().start);
            (codes.into_inner(), at)
        });
    }

    fn levels(&mut self, source: &Source<'_>) {
        let Some(file) = self.read::<shape::LevelFile>(source) else { return };
        let mut rules: Vec<LevelRule> = Vec::new();
        for shape in file.level {
            let at = source.at(shape.level.span().start);
            let rule = LevelRule {
                level: shape.level.into_inner(),
                observed: shape.observed,
                forecast: shape.forecast,
                clear: shape.clear,
            };
            if let Some(message) = fault_of_level(rules.last(), &rule, &shape.response) {
                self.fault(at, "level", message, Words::new("改正 levels.toml", "correct levels.toml"));
            }
            rules.push(rule);
        }
        let mut bands: Vec<Band> = Vec::new();
        for shape in file.band {
            let at = source.at(shape.from_m3s.span().start);
            let band = Band { code: shape.code, from_m3s: shape.from_m3s.into_inner() };
            let rises = bands.last().is_none_or(|last| last.from_m3s < band.from_m3s);
            if !rises || !band.from_m3s.is_finite() || band.from_m3s < 0.0 {
                self.fault(
                    at,
                    "band",
                    Words::new(
                        format!("{} 的下限没有高于前一级", band.code),
                        format!("{} does not begin above the band before it", band.code),
                    ),
                    Words::new("按流量由小到大排列", "list the bands by rising discharge"),
                );
            }
            bands.push(band);
        }
        self.name = Some(file.edition);
        self.edition.levels =
            Some(Levels { rules, bands, flapping: file.flapping, note: Words::new(file.note_zh, file.note_en) });
    }

    fn instructions(&mut self, source: &Source<'_>) {
        let Some(file) = self.read::<shape::InstructionFile>(source) else { return };
        for shape in file.instruction {
            self.instruction(source, shape);
        }
    }

    fn instruction(&mut self, source: &Source<'_>, shape: shape::InstructionShape) {
        let at = source.at(shape.code.span().start);
        let code = InstructionCode::new(shape.code.get_ref());
        self.codes.insert(code.to_string());
        let references =
            [(Reference::Role, &shape.role), (Reference::Role, &shape.report_to), (Reference::Scope, &shape.scope)];
        for (kind, name) in references {
            self.references.push((kind, name.get_ref().clone(), source.at(name.span().start)));
        }
        for other in &shape.supersedes {
            self.references.push((Reference::Row, other.get_ref().clone(), source.at(other.span().start)));
        }
        let trigger = self.trigger(source, &shape.trigger);
        let stop_when = match &shape.stop_when {
            None => Some(None),
            Some(text) => self.trigger(source, text).map(Some),
        };
        let (Some(trigger), Some(stop_when)) = (trigger, stop_when) else { return };
        let instruction = Instruction {
            code: code.clone(),
            band: shape.band.into_inner(),
            q_min_m3s: shape.q_min,
            q_max_m3s: shape.q_max,
            colour: shape.colour,
            response: shape.response,
            phase: shape.phase,
            category: shape.category,
            role: shape.role.into_inner(),
            scope: shape.scope.into_inner(),
            trigger,
            deadline_min: shape.deadline_min.into_inner(),
            evidence: shape.evidence,
            title_zh: shape.title_zh,
            text_zh: shape.text_zh,
            title_en: shape.title_en,
            basis: shape.basis,
            numbers_basis: shape.numbers_basis,
            repeat_min: shape.repeat_min,
            stop_when,
            supersedes: shape.supersedes.into_iter().map(|code| InstructionCode::new(code.into_inner())).collect(),
            preauthorised: shape.preauthorised,
            life_safety: shape.life_safety,
            retreat: shape.retreat,
            authority: shape.authority,
            report_to: shape.report_to.into_inner(),
            sms_zh: shape.sms_zh,
            at: at.clone(),
        };
        if self.edition.by_code.insert(code.clone(), self.edition.instructions.len()).is_some() {
            self.duplicate(at, code.as_str());
        }
        self.edition.instructions.push(instruction);
    }

    fn trigger(&mut self, source: &Source<'_>, text: &Spanned<String>) -> Option<Trigger> {
        // One character for the opening quote of the TOML string.
        let at = source.at(text.span().start).further(1);
        match parse::condition(text.get_ref()) {
            Ok(condition) => Some(Trigger { text: text.get_ref().clone(), condition, at }),
            Err(fault) => {
                let rule = if fault.unknown_signal { "unknown-signal" } else { "trigger" };
                self.fault(
                    at.further(fault.offset),
                    rule,
                    Words::new(
                        format!("触发条件“{}”：{}", text.get_ref(), fault.zh),
                        format!("trigger {:?}: {}", text.get_ref(), fault.en),
                    ),
                    Words::new("改正触发条件", "correct the trigger"),
                );
                None
            }
        }
    }

    fn finish(mut self, edition: &str, files: &BTreeMap<String, String>) -> Result<Edition, Vec<Fault>> {
        for (name, found) in [
            ("levels.toml", files.contains_key("levels.toml")),
            ("roles.toml", files.contains_key("roles.toml")),
            ("scopes.toml", files.contains_key("scopes.toml")),
            ("instructions/*.toml", files.keys().any(|name| name.starts_with("instructions/"))),
        ] {
            if !found {
                self.fault(
                    At { file: name.into(), line: 1, column: 1 },
                    "missing-file",
                    Words::new(format!("预案缺少 {name}"), format!("the edition has no {name}")),
                    Words::new("补上该文件", "add the file"),
                );
            }
        }
        for (kind, name, at) in std::mem::take(&mut self.references) {
            self.resolve(kind, &name, at);
        }
        if !self.faults.is_empty() {
            self.faults.sort_by(|a, b| (&a.at.file, a.at.line, a.at.column).cmp(&(&b.at.file, b.at.line, b.at.column)));
            return Err(self.faults);
        }
        let base = if edition.is_empty() { self.name.as_deref().unwrap_or("") } else { edition };
        self.edition.name = format!("{base}+{}", hash(files));
        let conditions: Vec<&Condition> = self.edition.instructions.iter().flat_map(conditions_of).collect();
        self.edition.slots = Slots::of(conditions);
        self.edition.rows =
            self.edition.instructions.iter().map(|row| CompiledRow::new(row, &self.edition.slots)).collect();
        let Edition { instructions, rows, by_code, .. } = &mut self.edition;
        for (row, instruction) in rows.iter_mut().zip(instructions.iter()) {
            row.supersedes = instruction.supersedes.iter().filter_map(|code| by_code.get(code).copied()).collect();
        }
        Ok(self.edition)
    }

    fn resolve(&mut self, kind: Reference, name: &str, at: At) {
        let (known, home, rule, zh, en) = match kind {
            Reference::Role => (self.edition.roles.contains_key(name), "roles.toml", "unknown-role", "角色", "role"),
            Reference::Scope => {
                (self.edition.scopes.contains_key(name), "scopes.toml", "unknown-scope", "网格范围", "scope")
            }
            Reference::Row => {
                (self.codes.contains(name), "instructions/", "unknown-supersedes", "被替代的指令", "superseded row")
            }
        };
        // The fault of the file that should have defined it is said already; a hundred echoes would hide it.
        let may_be_there = self.unread.iter().any(|file| file.starts_with(home));
        if !known && !may_be_there {
            self.fault(
                at,
                rule,
                Words::new(format!("没有{zh} {name}"), format!("there is no {en} {name}")),
                Words::new("改正名称，或在相应文件里登记", "correct the name, or register it in its file"),
            );
        }
    }
}

fn conditions_of(row: &Instruction) -> impl Iterator<Item = &Condition> {
    std::iter::once(&row.trigger.condition).chain(row.stop_when.as_ref().map(|stop| &stop.condition))
}

fn fault_of_level(before: Option<&LevelRule>, rule: &LevelRule, response: &str) -> Option<Words> {
    let level = rule.level;
    let numbers = [rule.observed.at_least_m3s, rule.forecast.at_least_m3s, rule.clear.below_m3s];
    if numbers.iter().any(|number| !number.is_finite() || *number <= 0.0) {
        return Some(Words::new(
            format!("{level} 的阈值应为正数"),
            format!("thresholds of {level} must be positive numbers"),
        ));
    }
    if rule.clear.below_m3s >= rule.observed.at_least_m3s {
        return Some(Words::new(
            format!("{level} 的解除流量不低于启动流量，没有回差"),
            format!("{level} clears at or above the discharge that raises it: there is no hysteresis"),
        ));
    }
    if response != level.roman() {
        return Some(Words::new(
            format!("{level} 对应 {} 级响应", level.roman()),
            format!("{level} belongs to response {}", level.roman()),
        ));
    }
    let before = before?;
    let rises = before.level < level && before.observed.at_least_m3s < rule.observed.at_least_m3s;
    (!rises).then(|| {
        Words::new(
            format!("{level} 的启动流量没有高于 {}，永远不会启动", before.level),
            format!("{level} does not begin above {} and can never be reached", before.level),
        )
    })
}

/// Twelve hex digits over names and texts; line ends count as one kind.
fn hash(files: &BTreeMap<String, String>) -> String {
    let mut digest = Sha256::new();
    for (name, text) in files {
        digest.update(name.as_bytes());
        digest.update([0]);
        digest.update(text.replace("\r\n", "\n").as_bytes());
        digest.update([0]);
    }
    let mut hex = hex::encode(digest.finalize());
    hex.truncate(12);
    hex
}
