//! `anlan decode sl651` on published frames: what it prints and when it fails.

use serde_json::Value;
use std::process::{Command, Output};

const TIMED: &str = "7E7E010010100001A00032002B02000C200724172349F1F1001010000148F0F020072417232019000130221900004039230000055038121268038397";
const WRONG_CRC: &str = "7E7E010011111112000032002B02002B200321153057F1F1001111111248F0F020032115303922000098362019000000261900000038122400037B54";

fn decode(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_anlan")).args(["decode", "sl651"]).args(arguments).output().unwrap()
}

fn json(hex: &str) -> Value {
    let output = decode(&[hex, "--json"]);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn sl651_cli_decodes_a_report() {
    let output = decode(&[TIMED, "--json"]);
    assert!(output.status.success() && output.stderr.is_empty());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["direction"], &told["crc_ok"]), (&"up".into(), &true.into()));
    assert_eq!((&told["centre"], &told["station"]), (&1.into(), &"0010100001".into()));
    assert_eq!((&told["function"], &told["serial"]), (&"32".into(), &12.into()));
    assert_eq!(told["sent_at"], "2020-07-24T17:23:49+08:00");
    let stage = &told["elements"][2];
    assert_eq!((&stage["id"], &stage["name"], &stage["unit"]), (&"39".into(), &"Z".into(), &"m".into()));
    assert_eq!((&stage["value"], &stage["observed_at"]), (&0.55.into(), &"2020-07-24T17:23:00+08:00".into()));
    let text = String::from_utf8(decode(&[TIMED]).stdout).unwrap();
    assert!(text.contains("定时报") && text.contains("0.55 m"), "{text}");
}

#[test]
fn sl651_cli_fails_on_a_wrong_checksum_and_still_shows_the_frame() {
    let output = decode(&[WRONG_CRC, "--json"]);
    assert!(!output.status.success());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["crc_ok"], &told["elements"][0]["value"]), (&false.into(), &98.36.into()));
    assert!(String::from_utf8(output.stderr).unwrap().contains("7B54"));
}

#[test]
fn sl651_cli_knows_downlinks_status_and_missing_values() {
    let asked = json("7E7E112233445501AAAA3A800A020006240110150230F46005AAC9");
    assert_eq!(
        (&asked["direction"], &asked["asked"][0], &asked["end"]),
        (&"down".into(), &"DRP".into(), &"ENQ".into())
    );
    let status = json("7E7E0500112233441234460015020023170718102008F1F100112233444520000004000315C1");
    assert_eq!(status["elements"][0]["value"], 1024.0);
    assert_eq!(status["elements"][0]["events"][0]["bit"], 7);
    let missing = json(
        "7E7E000010000000C95932002B02230D200314120000F1F1001000000050F0F02003141200392309999999201900000026190000003812240003DB78",
    );
    assert_eq!(missing["elements"][0]["value"], Value::Null);
}

#[test]
fn sl651_cli_says_what_is_wrong_with_its_input() {
    let check = |hex: &str, word: &str| {
        let output = decode(&[hex]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(word), "{hex}: {said}");
    };
    check("7E7E0", "whole bytes");
    check("", "whole bytes");
    check("7E7X", "character 4");
    check("7E7E01", "cut");
    check("AABB", "no start character");
    check(&format!("{TIMED}{TIMED}"), "one frame at a time");
}
