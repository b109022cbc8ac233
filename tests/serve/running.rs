//! The program as its operator uses it: init, users, configuration, backup and restore, each by the built binary.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs the program in `dir` with `input` on standard input.
fn anlan(dir: &Path, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_anlan"))
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses before it reads has closed its end already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn ok(dir: &Path, args: &[&str], input: &str) -> String {
    let output = anlan(dir, args, input);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{args:?}: {errors}");
    assert_eq!(errors, "", "{args:?} is quiet when all is well");
    String::from_utf8(output.stdout).unwrap()
}

/// The refusal: exit code not 0, nothing on standard output, no panic.
fn refused(dir: &Path, args: &[&str], input: &str) -> String {
    let output = anlan(dir, args, input);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?}: {errors}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "{args:?}");
    assert!(errors.starts_with("anlan: ") && !errors.contains("panicked"), "{errors}");
    errors
}

#[test]
fn running_from_init_to_restore() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    ok(dir, &["init", "--data", "data", "--config", "anlan.toml"], "");
    assert!(ok(dir, &["config", "check", "anlan.toml"], "").contains("in order"));
    assert!(ok(dir, &["init", "--help"], "").contains("--config"));
    let again = refused(dir, &["init", "--data", "data", "--config", "other.toml"], "");
    assert!(again.contains("exists already") && !dir.join("other.toml").exists(), "{again}");
    let taken = refused(dir, &["init", "--data", "data2", "--config", "anlan.toml"], "");
    assert!(taken.contains("anlan.toml") && !dir.join("data2/anlan.db").exists(), "{taken}");

    let made = ok(dir, &["user", "add", "boss", "--role", "operator", "--data", "data", "--json"], "a long password\n");
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    assert_eq!((made["name"].as_str(), made["role"].as_str()), (Some("boss"), Some("operator")));
    let by_config =
        ["user", "add", "wang", "--role", "member", "--member", "mbr-101", "--no-password", "--config", "anlan.toml"];
    ok(dir, &by_config, "");
    let link: serde_json::Value =
        serde_json::from_str(&ok(dir, &["user", "link", "wang", "--data", "data", "--json"], "")).unwrap();
    assert_eq!(link["token"].as_str().unwrap().len(), 43);

    let backup = ok(dir, &["backup", "--data", "data", "--to", "copy", "--json"], "");
    let manifest: serde_json::Value = serde_json::from_str(&backup).unwrap();
    assert_eq!(manifest["files"][0]["path"], "anlan.db");
    ok(dir, &["user", "disable", "wang", "--data", "data"], "");
    let full = refused(dir, &["restore", "--from", "copy", "--data", "data"], "");
    assert!(full.contains("not empty"), "{full}");
    ok(dir, &["restore", "--from", "copy", "--data", "data", "--force"], "");
    let users: serde_json::Value =
        serde_json::from_str(&ok(dir, &["user", "list", "--data", "data", "--json"], "")).unwrap();
    assert_eq!(users.as_array().unwrap().len(), 2);
    assert_eq!(users[1]["disabled"], false, "the state of the backup is back");
    assert!(dir.join("data/before-restore-1/anlan.db").exists());
}

#[test]
fn running_mistakes_get_one_clear_message() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    ok(dir, &["init", "--data", "data"], "");
    let add = ["user", "add", "li", "--role", "duty", "--data", "data"];
    for (args, input, word) in [
        (&add[..], "short\n", "10 characters"),
        (&add[..], "", "standard input"),
        (&["user", "add", "li", "--role", "member", "--data", "data", "--no-password"][..], "", "--member"),
        (&["user", "list"][..], "", "--data DIR or --config FILE"),
        (&["user", "list", "--data", "nowhere"][..], "", "nowhere/anlan.db"),
        (&["user", "disable", "nobody", "--data", "data"][..], "", "no user nobody"),
        (&["backup", "--data", "nowhere", "--to", "x"][..], "", "nowhere"),
        (&["restore", "--from", "nowhere", "--data", "x"][..], "", "nowhere/manifest.json"),
        (&["config", "check", "nowhere.toml"][..], "", "nowhere.toml"),
        (&["init", "--data", "anlan.toml/below", "--config", "c.toml"][..], "", "anlan.toml/below"),
    ] {
        let errors = refused(dir, args, input);
        assert!(errors.contains(word), "{args:?}: {errors}");
    }
    assert!(!dir.join("x").exists(), "a refused restore makes nothing");
    std::fs::write(dir.join("bad.toml"), "listen = \"127.0.0.1:1\"\ndata = \"d\"\n[log]\nformatt = \"text\"\n")
        .unwrap();
    let errors = refused(dir, &["config", "check", "bad.toml"], "");
    assert!(errors.starts_with("anlan: bad.toml:4:1: ") && errors.contains("formatt"), "{errors}");
    let (gbk, ..) = encoding_rs::GBK.encode("# 花园口河务局的服务器\n");
    std::fs::write(dir.join("gbk.toml"), gbk).unwrap();
    let errors = refused(dir, &["config", "check", "gbk.toml"], "");
    assert!(errors.contains("gbk.toml:1:") && errors.contains("另存为 UTF-8"), "{errors}");
    let base = "listen = \"127.0.0.1:0\"\ndata = \"data\"\n";
    std::fs::write(dir.join("folder.toml"), format!("{base}sensors = \"no-sensors\"\n")).unwrap();
    let errors = refused(dir, &["config", "check", "folder.toml"], "");
    assert!(errors.contains("no-sensors"), "{errors}");
    std::fs::write(dir.join("good.toml"), base).unwrap();
    let nobody =
        ["user", "add", "walker", "--role", "member", "--member", "mbr-999", "--config", "good.toml", "--no-password"];
    let errors = refused(dir, &nobody, "");
    assert!(errors.contains("no member mbr-999"), "{errors}");
    std::fs::write(dir.join("data/anlan.db"), "not a database at all, ".repeat(50)).unwrap();
    let errors = refused(dir, &["user", "list", "--data", "data"], "");
    assert!(errors.contains("data/anlan.db is not a database of Anlan"), "{errors}");
    let output = anlan(dir, &["user", "add", "li", "--role", "boss", "--data", "data"], "");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && errors.contains("commander"), "the roles are listed: {errors}");
}
