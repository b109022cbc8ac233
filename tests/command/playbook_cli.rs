//! `anlan playbook` as an officer uses it: the program itself, its exit code, its words.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn anlan(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_anlan")).arg("playbook").args(args).output().unwrap()
}
fn says(args: &[&str]) -> String {
    let output = anlan(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
fn refuses(args: &[&str]) -> String {
    let output = anlan(args);
    assert!(!output.status.success(), "{args:?} should fail");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!told.contains("panicked"), "{told}");
    told
}
fn json(args: &[&str]) -> Value {
    serde_json::from_str(&says(args)).unwrap()
}
fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn playbook_cli_check_and_list_the_edition_in_the_binary() {
    assert!(says(&["check"]).contains("390 rows, 0 errors"));
    assert!(json(&["check", "--json"]).as_array().unwrap().iter().all(|item| item["severity"] == "warning"));
    let rows = json(&["list", "--json"]);
    assert_eq!(rows.as_array().unwrap().len(), 390);
    let row = rows.as_array().unwrap().iter().find(|row| row["code"] == "B8-010").unwrap();
    for (field, value) in [
        ("band", "B8"),
        ("phase", "respond"),
        ("role", "patrol_team"),
        ("scope", "vulnerable_spot"),
        ("trigger", "q>=8000"),
        ("level", "orange"),
    ] {
        assert_eq!(row[field], value);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks/huayuankou");
    assert_eq!(json(&["list", text(&folder), "--json"]), rows);
}

#[test]
fn playbook_cli_preview_answers_in_json_and_words() {
    let found = json(&["preview", "--discharge", "22000", "--json"]);
    assert_eq!(found["level"], "red");
    let rows = &found["instructions"];
    let count = |field: &str| rows[field].as_array().unwrap().len();
    assert_eq!(
        (count("fires"), count("superseded"), count("waits"), rows["excluded"].as_u64()),
        (138, 30, 137, Some(83))
    );
    assert_eq!(rows["fired"], 168);
    assert!(rows["waits"].as_array().unwrap().iter().all(|wait| !wait["unknown"].as_array().unwrap().is_empty()));
    assert!(found["tasks"].as_array().unwrap().len() > 300, "300 and more tasks");
    assert!(found["inundation"].is_null() && found["inundation_reason"]["en"].is_string());
    assert_eq!(found["diff"]["new"].as_array().unwrap().len(), 138);
    let words = says(&["preview", "--discharge", "9000", "--forecast", "16000@12"]);
    assert!(words.contains("红色（I级响应）预报 12 小时后 16000") && words.contains("须经区防指确认"), "{words}");
    let compared = json(&["preview", "--discharge", "9000", "--active", "B6-001,B6-003", "--json"]);
    assert_eq!(
        (&compared["diff"]["kept"], &compared["diff"]["withdrawn"]),
        (&serde_json::json!(["B6-003"]), &serde_json::json!(["B6-001"]))
    );
}

#[test]
fn playbook_cli_wrong_arguments_say_what_to_write() {
    for (args, word) in [
        (vec!["preview", "--discharge=-5"], "between 0 and"),
        (vec!["preview", "--discharge", "NaN"], "between 0 and"),
        (vec!["preview", "--discharge", "5000", "--forecast", "9000"], "9000@12"),
        (vec!["preview", "--discharge", "5000", "--forecast", "9000@soon"], "9000@12"),
        (vec!["preview", "--discharge", "5000", "--active", "B8-999"], "no row B8-999"),
        (vec!["preview", "--discharge", "5000", "--at", "yesterday"], "1958-07-16"),
        (vec!["check", "/nowhere/at/all"], "cannot read /nowhere/at/all"),
    ] {
        let told = refuses(&args);
        assert!(told.contains(word), "{args:?}: {told}");
    }
}

#[test]
fn playbook_cli_table_goes_out_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("plan.csv");
    let plain = says(&["export", "--format", "csv"]);
    for encoding in ["utf-8", "utf-8-bom", "gbk"] {
        says(&["export", "--out", text(&table), "--encoding", encoding]);
        let out = folder.path().join(encoding);
        assert!(says(&["import", text(&table), "--out", text(&out)]).contains("390 rows"));
        assert_eq!(says(&["export", text(&out)]), plain, "{encoding}");
        assert!(says(&["check", text(&out)]).contains("0 errors"));
        // A second import does not write over the first.
        assert!(refuses(&["import", text(&table), "--out", text(&out)]).contains("is not empty"));
    }
    let other = folder.path().join("changed.csv");
    fs::write(&other, plain.replace("q>=8000 or qf(24)>=8000", "q>=7900 or qf(24)>=8000")).unwrap();
    let out = folder.path().join("changed");
    says(&["import", text(&other), "--out", text(&out)]);
    let changes = json(&["diff", text(&folder.path().join("gbk")), text(&out), "--json"]);
    assert!(
        changes["changed"]
            .as_array()
            .unwrap()
            .iter()
            .any(|change| change["code"] == "B8-001" && change["field"] == "trigger"),
        "{changes}"
    );
    assert!(says(&["diff", text(&folder.path().join("gbk")), text(&out)]).contains("~ B8-001 trigger"));
}

#[test]
fn playbook_cli_broken_files_are_named_with_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("plan.csv");
    let plain = says(&["export"]);
    fs::write(&table, plain.replacen("q>=4000", "q>=", 1)).unwrap();
    let told = refuses(&["import", text(&table), "--out", text(&folder.path().join("out"))]);
    assert!(told.contains("plan.csv:") && told.contains("列（trigger）") && told.contains("(trigger)"), "{told}");
    assert!(!folder.path().join("out").exists(), "nothing is written");

    fs::write(&table, &plain).unwrap();
    let edition = folder.path().join("edition");
    says(&["import", text(&table), "--out", text(&edition)]);
    let file = edition.join("instructions/b08.toml");
    let good = fs::read_to_string(&file).unwrap();
    fs::write(&file, good.replacen("trigger = 'q>=8000'", "trigger = 'q>=8000 adn night()'", 1)).unwrap();
    let told = refuses(&["check", text(&edition)]);
    let line = good.lines().position(|line| line == "trigger = 'q>=8000'").unwrap() + 1;
    assert!(
        told.contains(&format!("b08.toml:{line}:20: [trigger]")) && told.contains("`and` / `or` is missing"),
        "{told}"
    );
    fs::write(&file, good.replacen("deadline_min = ", "deadline_min = x", 1)).unwrap();
    assert!(refuses(&["list", text(&edition)]).contains("b08.toml:"));
    // An expectation that no longer holds fails the check, and says which.
    fs::write(&file, good.replacen("'q>=8000'", "'q>=8500'", 1)).unwrap();
    says(&["check", text(&edition)]);
    fs::write(&file, good.replacen("'q>=8000'", "'q>=9500'", 1)).unwrap();
    let output = anlan(&["check", text(&edition)]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        !output.status.success() && told.contains("[expectation]") && told.contains("should be 116, is 115"),
        "{told}"
    );
}

#[test]
fn playbook_cli_a_folder_of_the_wrong_kind_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refuses(&["check", text(folder.path())]).contains("no .toml file"));
    fs::write(folder.path().join("other.toml"), "a = 1").unwrap();
    let told = refuses(&["check", text(folder.path())]);
    assert!(
        told.contains("[missing-file]") && told.contains("[unknown-file]") && told.contains("other.toml:1:1"),
        "{told}"
    );
    fs::write(folder.path().join("roles.toml"), b"[[role]]\ncode = \"\xd6\xd0\"\n").unwrap();
    assert!(refuses(&["check", text(folder.path())]).contains("line 2 is not UTF-8"));
}
