//! The house rules that a compiler does not know: room order, pure rooms, opening comments, bounded queues.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms by rank; a room names only rooms of lower ranks (rooms of one rank do not know each other).
const RANKS: &[&[&str]] = &[
    &["model"],
    &["quality", "forecast", "hydraulics", "stones", "playbook"],
    &["command"],
    &["store"],
    &["ingest", "channel"],
    &["drill"],
    &["web"],
    &["app"],
];
/// Rooms up to this rank do no I/O and read no clock.
const LAST_PURE_RANK: usize = 2;
/// What a pure room must not name.
const IMPURE: &[&str] = &[
    "tokio",
    "axum",
    "sqlx",
    "reqwest",
    "getrandom",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "tracing::",
    "println!",
];
/// What no file may contain.
const NOWHERE: &[&str] = &["unbounded_channel", "todo!", "unimplemented!", "dbg!"];
/// Above this many lines the report names the file: a question, not a fault.
const LONG_FILE: usize = 400;

#[test]
fn tidy_the_house_is_in_order() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut faults = Vec::new();
    let mut long = Vec::new();
    for path in rust_files(&root.join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let lines = text.lines().count();
        if lines > LONG_FILE {
            long.push(format!("{name}: {lines} lines"));
        }
        faults.extend(check(&name, &text));
    }
    println!("files above {LONG_FILE} lines (think again): {long:#?}");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn tidy_no_source_names_an_unknown_room() {
    let known: BTreeSet<&str> = RANKS.concat().into_iter().collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(root).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            assert!(known.contains(name.as_str()), "src/{name}: give the room a rank in tests/tidy.rs");
        }
    }
}

#[test]
fn tidy_lock_file_holds_no_banned_crate_and_no_foreign_source() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap().parse::<toml::Table>().unwrap();
    let (deny, lock) = (read("deny.toml"), read("Cargo.lock"));
    let banned: Vec<&str> =
        deny["bans"]["deny"].as_array().unwrap().iter().map(|ban| ban["name"].as_str().unwrap()).collect();
    assert!(banned.contains(&"openssl-sys"));
    for package in lock["package"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        assert!(!banned.contains(&name), "{name} is banned: the reason is in deny.toml");
        let source = package.get("source").map_or("", |source| source.as_str().unwrap());
        assert!(source.is_empty() || source.starts_with("registry+"), "{name} comes from {source}");
    }
}

#[test]
fn tidy_every_dependency_says_why() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let mut in_dependencies = false;
    for line in text.lines() {
        if line.starts_with('[') {
            in_dependencies = line.trim_end_matches(']').ends_with("dependencies");
        } else if in_dependencies && line.contains(" = ") {
            assert!(line.contains(" # "), "say why it is here: {line}");
        }
    }
}

#[test]
fn tidy_sees_what_it_should_see() {
    let faulty = |path: &str, text: &str| !check(path, &format!("//! Purpose.\n{text}")).is_empty();
    assert!(faulty("src/model/a.rs", "use crate::store::Row;"));
    assert!(faulty("src/model/a.rs", "use crate::{model::B, web};"));
    assert!(faulty("src/command/a.rs", "use crate::{\n    model::{B, C},\n    store::{self, D},\n};"));
    assert!(faulty("src/quality/a.rs", "fn f() { crate::forecast::g() }"));
    assert!(faulty("src/playbook/a.rs", "use std::fs;"));
    assert!(faulty("src/playbook/a.rs", "use std::{fmt, fs};"));
    assert!(faulty("src/command/a.rs", "fn f() { chrono::Utc::now(); }"));
    assert!(faulty("src/web/a.rs", "let (a, b) = mpsc::unbounded_channel();"));
    assert!(!faulty("src/store/a.rs", "use crate::model::Reading; use std::fs;"));
    assert!(!faulty("src/model/a.rs", "/// See [`crate::store`].\nconst A: &str = \"crate::web\";"));
    assert!(!faulty("src/playbook/a.rs", "#[cfg(test)]\nmod tests {\n use std::fs;\n}"));
    assert!(!check("src/model/a.rs", "struct NoOpeningComment;").is_empty());
    let only_english = |text: &str| !faults_in_one_language(text).is_empty();
    assert!(only_english("#[error(\"cannot read {path}\")]"));
    assert!(only_english("#[error(\n    \"the disk is full\",\n    path.display()\n)]"));
    assert!(!only_english("#[error(\"不可读 (cannot read {path})\")] #[error(\"{what}\")] #[error(\"no-time\")]"));
}

/// Lines of faults whose words are in English alone: who reads them in the night reads Chinese. Single words with a hyphen
/// are names for programs.
fn faults_in_one_language(text: &str) -> Vec<usize> {
    let opening = "#[error(";
    let begun = text.match_indices(opening).filter_map(|(at, _)| {
        let rest = text.get(at + opening.len()..)?.trim_start().strip_prefix('"')?;
        let words: String = rest.split('"').next()?.to_owned();
        let (mut said, mut depth) = (String::new(), 0_u32);
        for c in words.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                c if depth == 0 => said.push(c),
                _ => {}
            }
        }
        let is_english = said.trim().contains(' ') && said.chars().any(|c| c.is_ascii_alphabetic());
        let is_chinese = said.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        (is_english && !is_chinese).then(|| text.get(..at).map_or(0, |before| before.matches('\n').count()) + 1)
    });
    begun.collect()
}

/// Faults of one file, as `path:line: what`.
fn check(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if !text.starts_with("//!") {
        faults.push(format!("{path}:1: open with `//!`: what the file is for"));
    }
    let code = without_tests(&without_comments_and_texts(text));
    for word in NOWHERE {
        faults.extend(lines_with(&code, word).map(|line| format!("{path}:{line}: `{word}` is not used here")));
    }
    faults.extend(faults_in_one_language(text).into_iter().map(|line| format!("{path}:{line}: say it in Chinese too")));
    let Some((room, rank)) = room_of(path) else { return faults };
    for (line, named) in rooms_named(&code) {
        let outward = rank_of(&named).is_some_and(|other| other > rank || (other == rank && named != room));
        if outward {
            faults.push(format!("{path}:{line}: {room} must not know {named}"));
        }
    }
    let test_file = path.ends_with("tests.rs") || path.contains("/tests/");
    if rank <= LAST_PURE_RANK && !test_file {
        let flat = flatten_std(&code);
        for word in IMPURE {
            faults.extend(lines_with(&flat, word).map(|line| format!("{path}:{line}: {room} is pure, no `{word}`")));
        }
    }
    faults
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn room_of(path: &str) -> Option<(&str, usize)> {
    let room = path.strip_prefix("src/")?.split(['/', '.']).next()?;
    Some((room, rank_of(room)?))
}

fn rank_of(room: &str) -> Option<usize> {
    RANKS.iter().position(|rooms| rooms.contains(&room))
}

/// Line numbers (from 1) where `word` stands as a word of its own.
fn lines_with<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part_of_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.lines().enumerate().filter_map(move |(at, line)| {
        line.match_indices(word)
            .any(|(start, found)| {
                let starts_inside = part_of_name(line[..start].chars().last());
                let next = line[start + found.len()..].chars().next();
                let ends_inside = part_of_name(word.chars().last()) && part_of_name(next);
                !(starts_inside || ends_inside)
            })
            .then_some(at + 1)
    })
}

/// Every room after `crate::`, also inside `crate::{…}`, with its line.
fn rooms_named(code: &str) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    for (start, found) in code.match_indices("crate::") {
        let line = code[..start].lines().count().max(1);
        let rest = &code[start + found.len()..];
        match rest.strip_prefix('{') {
            None => named.push((line, first_name(rest))),
            Some(group) => named.extend(heads_of_group(group).into_iter().map(|head| (line, head))),
        }
    }
    named
}

fn first_name(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// First names of the parts of `{a::b, c::{d, e}}`, given what follows the opening brace.
fn heads_of_group(group: &str) -> Vec<String> {
    let mut heads = vec![first_name(group)];
    let mut depth = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(first_name(&group[at + 1..])),
            _ => {}
        }
    }
    heads
}

/// Writes `std::{fmt, fs}` as `std::fmt std::fs` on the same line, so that one search finds both.
fn flatten_std(code: &str) -> String {
    code.split_inclusive('\n')
        .map(|line| match line.split_once("std::{") {
            Some((before, group)) => {
                let parts: Vec<String> = heads_of_group(group).iter().map(|head| format!("std::{head}")).collect();
                format!("{before}{}\n", parts.join(" "))
            }
            None => line.to_owned(),
        })
        .collect()
}

/// Blanks comments and the inside of string literals, keeping line breaks.
fn without_comments_and_texts(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw_text(rest) {
            let close = format!("\"{}", "#".repeat(hashes));
            let open = hashes + 2;
            rest[open..].find(&close).map_or(rest.len(), |end| open + end + close.len())
        } else if c == '"' {
            plain_text(rest)
        } else if let Some(length) = character(rest) {
            length
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        out.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
        rest = &rest[skipped..];
    }
    out
}

fn raw_text(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('r')?;
    let hashes = after.chars().take_while(|c| *c == '#').count();
    after[hashes..].starts_with('"').then_some(hashes)
}

fn plain_text(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Length of a character literal such as `'{'` or `'\n'`; `None` for a lifetime.
fn character(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    if let Some(escape) = inside.strip_prefix('\\') {
        return escape.char_indices().skip(1).find(|(_, c)| *c == '\'').map(|(at, _)| at + 3);
    }
    let first = inside.chars().next()?;
    inside[first.len_utf8()..].starts_with('\'').then_some(first.len_utf8() + 2)
}

/// Blanks the body of every `#[cfg(test)] mod … { … }`.
fn without_tests(code: &str) -> String {
    let mut out = String::new();
    let mut rest = code;
    while let Some(start) = rest.find("#[cfg(test)]") {
        out.push_str(&rest[..start]);
        let after = &rest[start..];
        let body = after.find(['{', ';']).filter(|at| after[*at..].starts_with('{'));
        let end = body.map_or(after.find(';').map_or(after.len(), |at| at + 1), |open| closing(after, open));
        out.extend(after[..end].chars().filter(|c| *c == '\n'));
        rest = &after[end..];
    }
    out + rest
}

fn closing(text: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, c) in text[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return open + at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}
