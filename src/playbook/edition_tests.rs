//! Faults of files and tables, the lint, supersedes.
#![allow(clippy::unwrap_used)]

use super::fault::Fault;
use super::lint::{LintItem, Severity, check};
use super::supersede::supersede;
use super::table::{export_csv, import_csv};
use super::testing::{demo, edition, files, reach, row, try_edition};
use super::{Playbook, Words};
use crate::model::{InstructionCode, PlaceId};
use std::collections::BTreeSet;

fn only_fault(text: &str) -> Fault {
    let faults = try_edition(text).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults.into_iter().next().unwrap()
}
fn check_fault(text: &str, rule: &str, line: usize, column: usize, word: &str) {
    let fault = only_fault(text);
    assert_eq!(
        (fault.rule, &*fault.at.file, fault.at.line, fault.at.column),
        (rule, "instructions/h.toml", line, column),
        "{fault}"
    );
    assert!(fault.to_string().contains(word), "{fault}");
    let Words { zh, en } = &fault.advice;
    assert!(!zh.is_empty() && !en.is_empty(), "what to do is said: {fault}");
}

#[test]
fn playbook_faults_have_file_line_and_column() {
    let good = row("H-001", "hq", "q>=4000", "");
    assert!(try_edition(&good).is_ok());
    check_fault(&good.replace("deadline_min = 30", "deadline_min = \"soon\""), "toml", 11, 16, "soon");
    check_fault(&good.replace("deadline_min = 30", "deadlin_min = 30"), "toml", 11, 1, "deadlin_min");
    check_fault(&good.replace("deadline_min = 30\n", ""), "toml", 1, 1, "deadline_min");
    check_fault("[[instruction]\n", "toml", 1, 15, "");
    check_fault(&good.replace("q>=4000", "q>=4000 and"), "trigger", 10, 23, "signal or a bracket");
    check_fault(&good.replace("q>=4000", "q>=4000 or toee>1"), "unknown-signal", 10, 23, "toee");
    check_fault(&good.replace("q>=4000", "hazard(\"fire\")"), "unknown-signal", 10, 12, "fire");
    check_fault(&good.replace("q>=4000", "order(\"go\")"), "unknown-signal", 10, 12, "evac");
    check_fault(&good.replace("patrol_team", "patrol_squad"), "unknown-role", 8, 8, "patrol_squad");
    check_fault(&good.replace("\"hq\"", "\"moon\""), "unknown-scope", 9, 9, "moon");
    check_fault(&row("H-001", "hq", "q>=1", "supersedes = [\"H-009\"]"), "unknown-supersedes", 21, 15, "H-009");
    check_fault(&row("H-001", "hq", "q>=1", "repeat_min = 5\nstop_when = 'q<'"), "trigger", 22, 16, "number");
    check_fault(&format!("{good}{good}"), "duplicate", 23, 8, "H-001");
}

#[test]
fn playbook_all_faults_are_told_at_once() {
    let text = format!("{}{}", row("H-001", "moon", "q>", ""), row("H-002", "hq", "qq>1", ""));
    let rules: Vec<&str> = try_edition(&text).unwrap_err().iter().map(|fault| fault.rule).collect();
    assert_eq!(rules, ["unknown-scope", "trigger", "unknown-signal"]);
}

#[test]
fn playbook_one_broken_file_is_one_fault_without_echoes() {
    let mut set = files(&row("H-001", "hq", "q>=1", ""));
    set.insert("roles.toml".into(), "[[role]\n".into());
    let rules = |set| -> Vec<(&'static str, String)> {
        let faults = Playbook::load("", &set).unwrap_err();
        faults.iter().map(|fault| (fault.rule, fault.at.file.to_string())).collect()
    };
    assert_eq!(rules(set), [("toml", "roles.toml".to_owned())]);
    let text = format!("{}{}", row("H-001", "hq", "q>", ""), row("H-002", "hq", "q>=1", "supersedes = [\"H-001\"]"));
    assert_eq!(rules(files(&text)), [("trigger", "instructions/h.toml".to_owned())], "H-001 is there, with a fault");
}

#[test]
fn playbook_missing_and_foreign_files_are_named() {
    let mut set = files(&row("H-001", "hq", "q>=1", ""));
    set.insert("notes.toml".into(), String::new());
    set.insert("README.md".into(), "free".into());
    set.remove("levels.toml");
    let faults = Playbook::load("", &set).unwrap_err();
    let rules: Vec<(&str, &str)> = faults.iter().map(|fault| (fault.rule, &*fault.at.file)).collect();
    assert_eq!(rules, [("missing-file", "levels.toml"), ("unknown-file", "notes.toml")]);
}

#[test]
fn playbook_level_files_must_make_sense() {
    let of = |from: &str, to: &str| {
        let mut set = files(&row("H-001", "hq", "q>=1", ""));
        let levels = set.get_mut("levels.toml").unwrap();
        assert!(levels.contains(from), "{from}");
        *levels = levels.replacen(from, to, 1);
        Playbook::load("", &set).unwrap_err().remove(0).to_string()
    };
    assert!(of("below_m3s = 3600.0", "below_m3s = 4000.0").contains("no hysteresis"));
    assert!(
        of("observed = { at_least_m3s = 6000.0", "observed = { at_least_m3s = 3900.0").contains("clears at or above")
    );
    assert!(of("observed = { at_least_m3s = 8000.0", "observed = { at_least_m3s = nan").contains("positive"));
    assert!(
        of("observed = { at_least_m3s = 4000.0", "observed = { at_least_m3s = 7000.0").contains("can never be reached")
    );
    assert!(of("response = \"II\"", "response = \"I\"").contains("belongs to response II"));
    assert!(of("from_m3s = 6000.0", "from_m3s = 3000.0").contains("does not begin above"));
    assert!(of("hold_s = 600", "hold = 600").contains("hold"));
}

#[test]
fn playbook_edition_name_follows_the_text() {
    let one = edition(&[row("H-001", "hq", "q>=1", "")]);
    let other = edition(&[row("H-001", "hq", "q>=2", "")]);
    assert!(one.edition().starts_with("test+") && one.edition() != other.edition());
    assert_eq!(one.edition(), edition(&[row("H-001", "hq", "q>=1", "").replace('\n', "\r\n")]).edition());
    let changes = one.compare(&other);
    assert_eq!(changes.changed.len(), 1);
    assert_eq!((changes.changed[0].field, changes.changed[0].to.as_str()), ("trigger", "q>=2"));
}

fn lint(rows: &[String]) -> Vec<LintItem> {
    check(&edition(rows), None)
}
fn check_lint(more: &str, from: &str, to: &str, rule: &str) {
    let text = row("H-001", "hq", "q>=1", more).replace(from, to);
    let found = lint(&[text]);
    assert!(found.iter().any(|item| item.rule == rule && item.code == "H-001"), "{rule}: {found:#?}");
}

#[test]
fn playbook_lint_finds_what_an_officer_would_miss() {
    assert_eq!(lint(&[row("H-001", "hq", "q>=1", "")]), []);
    check_lint("", "deadline_min = 30", "deadline_min = 0", "no-deadline");
    check_lint("", "{place}{by}{call}", &format!("{{place}}{{by}}{{call}}{}", "长".repeat(60)), "sms-too-long");
    check_lint("", "{call}", "", "sms-holder");
    check_lint("", "title_zh = \"题\"", "title_zh = \" \"", "no-text");
    check_lint("", "[\"photo\"]", "[]", "no-evidence");
    check_lint("", "\"patrol_team\"", "\"superior_hq\"", "role");
    check_lint("", "band = \"H\"", "band = \"B5\"", "unknown-band");
    check_lint("", "q>=1", "q>=5000 and q<4000", "never");
    check_lint("repeat_min = 10", "H-001", "H-001", "repeat");
    check_lint("repeat_min = 0", "H-001", "H-001", "repeat");
    check_lint("supersedes = [\"H-001\"]", "H-001", "H-001", "supersedes");
    check_lint(
        "preauthorised = true\nlife_safety = true",
        "category = \"patrol\"",
        "category = \"gate\"",
        "preauthorised",
    );
    check_lint("preauthorised = true", "H-001", "H-001", "life-safety");
    check_lint("retreat = true", "H-001", "H-001", "retreat");
    assert_eq!(lint(&[row("H-001", "hq", "q>=1", "retreat = true\nlife_safety = true")]), []);
}

#[test]
fn playbook_lint_finds_gaps_and_overlaps_of_bands() {
    let of = |range: &str| {
        let text =
            row("H-001", "hq", "q>=1", "").replace("band = \"H\"\nq_min = 0", &format!("band = \"B6\"\n{range}"));
        lint(&[text]).into_iter().map(|item| item.rule).collect::<Vec<_>>()
    };
    assert_eq!(of("q_min = 6000\nq_max = 8000"), Vec::<&str>::new());
    assert_eq!(of("q_min = 6000\nq_max = 7000"), ["gap"]);
    assert_eq!(of("q_min = 6500\nq_max = 8000"), ["gap"]);
    assert_eq!(of("q_min = 6000\nq_max = 9000"), ["overlap"]);
    assert_eq!(of("q_min = 5000\nq_max = 8000"), ["overlap"]);
    assert_eq!(of("q_min = 6000"), ["overlap"]);
}

#[test]
fn playbook_lint_finds_cycles_and_the_unowned() {
    let found = lint(&[
        row("H-001", "hq", "q>=1", "supersedes = [\"H-002\"]"),
        row("H-002", "hq", "q>=1", "supersedes = [\"H-003\"]"),
        row("H-003", "hq", "q>=1", "supersedes = [\"H-001\"]"),
    ]);
    assert!(found.iter().any(|item| item.rule == "supersedes-cycle" && item.severity == Severity::Error), "{found:#?}");
    let rows = [row("H-001", "levee_segment", "q>=1", ""), row("H-002", "warehouse", "q>=1", "")];
    let found = check(&edition(&rows), Some(&reach()));
    let rules: Vec<(&str, &str)> = found.iter().map(|item| (item.rule, item.code.as_str())).collect();
    assert_eq!(rules, [("nobody", "H-001"), ("no-place", "H-002")]);
    assert!(found[0].message_en.contains("patrol_team at 3 places"), "{}", found[0]);
}

#[test]
fn playbook_lint_holds_the_edition_to_its_word() {
    let mut set = files(&row("H-001", "hq", "q>=4000", ""));
    set.insert(
        "expectations.toml".into(),
        "preauthorised = [\"H-001\"]\n\n[[expectation]]\ndischarge_m3s = 5000.0\nfired = 2\nlevel = \"red\"\nsilent = [\"H-001\"]\n".into(),
    );
    let found = check(&Playbook::load("", &set).unwrap(), None);
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 4, "{told:#?}");
    assert!(
        told[0].contains("expectations.toml:1:") && told[0].contains("preauthorised rows disagrees"),
        "{}",
        told[0]
    );
    for (text, word) in
        told[1..].iter().zip(["level should be red, is blue", "should be 2, is 1", "H-001 should be silent, is fired"])
    {
        assert!(text.contains("expectations.toml:3:1") && text.contains(word), "{text}");
    }
}

fn stands(playbook: &Playbook, fired: &[(&str, &str)]) -> Vec<String> {
    let pairs: BTreeSet<(usize, PlaceId)> = fired
        .iter()
        .map(|(code, place)| (playbook.row(&InstructionCode::new(code)).unwrap(), PlaceId::new(place)))
        .collect();
    let left = supersede(&pairs, playbook, &reach());
    left.iter().map(|(row, place)| format!("{}@{place}", playbook.instructions()[*row].code)).collect()
}

#[test]
fn playbook_supersedes_at_the_same_place_only() {
    let playbook = edition(&[
        row("H-001", "levee_segment", "q>=1", ""),
        row("H-002", "levee_segment", "q>=2", "supersedes = [\"H-001\"]"),
        row("H-003", "levee_segment", "q>=3", "supersedes = [\"H-002\"]"),
        row("H-004", "vulnerable_spot", "q>=1", ""),
        row("H-005", "levee_segment", "q>=1", "supersedes = [\"H-004\"]"),
        row("H-006", "hq", "q>=1", "supersedes = [\"H-001\", \"H-004\"]"),
        row("H-007", "town", "q>=1", ""),
        row("H-008", "levee_segment", "q>=1", "supersedes = [\"H-007\"]"),
        row("H-009", "floodplain_village", "q>=1", "supersedes = [\"H-004\"]"),
    ]);
    assert_eq!(
        stands(&playbook, &[("H-001", "seg-1"), ("H-001", "seg-2"), ("H-002", "seg-1")]),
        ["H-001@seg-2", "H-002@seg-1"]
    );
    // A replaced row still replaces while it is fired.
    assert_eq!(stands(&playbook, &[("H-001", "seg-1"), ("H-002", "seg-1"), ("H-003", "seg-1")]), ["H-003@seg-1"]);
    // When the stronger row is gone, the weaker holds again.
    assert_eq!(stands(&playbook, &[("H-001", "seg-1")]), ["H-001@seg-1"]);
    // Different scopes: along the levee, as a part, or everywhere.
    assert_eq!(
        stands(&playbook, &[("H-004", "work-a"), ("H-004", "work-b"), ("H-005", "seg-1")]),
        ["H-004@work-b", "H-005@seg-1"]
    );
    assert_eq!(stands(&playbook, &[("H-007", "town-1"), ("H-008", "seg-2")]), ["H-008@seg-2"]);
    assert_eq!(stands(&playbook, &[("H-001", "seg-1"), ("H-004", "work-a"), ("H-006", "hq")]), ["H-006@hq"]);
    assert_eq!(stands(&playbook, &[("H-004", "work-a"), ("H-009", "village-1")]), ["H-004@work-a", "H-009@village-1"]);
    assert_eq!(
        stands(&playbook, &[("H-004", "work-a"), ("H-009", "village-1"), ("H-009", "village-2")]),
        ["H-009@village-1", "H-009@village-2"]
    );
}

#[test]
fn playbook_table_comes_back_as_it_went() {
    let playbook = demo();
    let text = export_csv(&playbook);
    let (gbk, _, lossy) = encoding_rs::GBK.encode(&text);
    assert!(!lossy);
    let with_mark = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let crlf = text.replace('\n', "\r\n");
    for bytes in [text.as_bytes(), &with_mark, &gbk, crlf.as_bytes()] {
        let mut set = files("");
        set.remove("instructions/h.toml");
        set.extend(import_csv("plan.csv", bytes).unwrap());
        let read = Playbook::load("", &set).unwrap();
        assert_eq!(export_csv(&read), text);
        assert!(playbook.compare(&read).changed.is_empty());
    }
}

#[test]
fn playbook_table_faults_name_line_and_column() {
    let good = export_csv(&edition(&[row("H-001", "hq", "q>=4000", "")]));
    assert!(import_csv("plan.csv", good.as_bytes()).is_ok());
    let fault_of = |text: &str| import_csv("plan.csv", text.as_bytes()).unwrap_err().remove(0).to_string();
    let swap = |from: &str, to: &str| {
        assert!(good.contains(from), "{from} in {good}");
        fault_of(&good.replacen(from, to, 1))
    };
    for (told, place, zh, en) in [
        (swap("q>=4000", "q>="), "plan.csv:2:11", "第 2 行第 11 列（trigger）", "character 4: a number should follow"),
        (swap(",30,", ",soon,"), "plan.csv:2:12", "不是整数", "\"soon\" is not a whole number"),
        (swap(",hq,", ",,"), "plan.csv:2:10", "不能为空", "(grid_scope): must not be empty"),
        (swap("respond", "panic"), "plan.csv:2:7", "应为", "\"panic\" is not one of prepare"),
        (swap(",trigger,", ",triger,"), "plan.csv:1:1", "第 1 行缺少列 trigger", "no column trigger"),
        (swap(",trigger,", ",role,"), "plan.csv:1:1", "缺少列", "no column trigger"),
        (swap("H-001,H", "H-001,H,H"), "plan.csv:2:1", "实有 28", "27 cells expected, 28 found"),
    ] {
        assert!(told.starts_with(place) && told.contains(zh) && told.contains(en), "{told}");
    }
    let twice = format!("{good}{}", good.lines().nth(1).unwrap());
    assert!(fault_of(&twice).contains("stands already in line 2"), "{}", fault_of(&twice));
    assert!(fault_of(good.lines().next().unwrap()).contains("no row"));
    let binary = import_csv("plan.csv", &[0x81, 0x20, 0xff, 0xff, 0x0a]).unwrap_err();
    assert_eq!(binary[0].rule, "encoding");
    let unknown = swap(",,,,false,", ",,,H-009,false,");
    assert!(unknown.contains("H-009 in supersedes"), "{unknown}");
}

proptest::proptest! {
    #[test]
    fn playbook_any_bytes_are_refused_without_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
        let _ = import_csv("plan.csv", &bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        proptest::prop_assert!(try_edition(&text).is_err() || text.trim().is_empty() || !text.contains("instruction"));
    }
    /// A table or a file with one damaged place is read or refused, never a panic, and a fault lies inside the text.
    #[test]
    fn playbook_damaged_texts_are_refused_without_panic(cut in 0usize..2000, with in ".{0,6}") {
        let row = row("H-001", "levee_segment", "toe>=1.0 or (q>=8000 and night())", "stop_when = 'toe<0.9'");
        let damaged = damage(&row, cut, &with);
        if let Err(faults) = try_edition(&damaged) {
            for fault in faults {
                proptest::prop_assert!(fault.at.line <= damaged.lines().count().max(1) + 1, "{fault}");
            }
        }
        let _ = import_csv("plan.csv", damage(&export_csv(&edition(&[row])), cut, &with).as_bytes());
    }
}

fn damage(text: &str, cut: usize, with: &str) -> String {
    let cut = cut % text.len();
    let start = (0..=cut).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(0);
    let end = (cut + 1..=text.len()).find(|index| text.is_char_boundary(*index)).unwrap_or(text.len());
    format!("{}{with}{}", &text[..start], &text[end..])
}
