//! The demo plan against its golden files: what fires, what is replaced, what waits, at seven discharges.
//!
//! Renew with `ANLAN_RENEW_GOLDEN=1` and read every line of the difference.
#![allow(clippy::unwrap_used)]

use super::lint::check;
use super::preview::{PreviewResult, preview};
use super::snapshot::Snapshot;
use super::testing::{at, demo, reach};
use super::truth::Truth;
use crate::model::{InstructionCode, Standing, WarningLevel};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Discharge; fired, after supersedes, waiting: (a) only the discharge known, (b) also every forecast equal to it.
const COUNTS: [(f64, [usize; 3], [usize; 3]); 7] = [
    (3000.0, [24, 24, 172], [24, 24, 133]),
    (4200.0, [58, 52, 159], [58, 52, 134]),
    (6500.0, [86, 76, 147], [87, 77, 132]),
    (9000.0, [116, 98, 141], [117, 99, 130]),
    (12000.0, [140, 118, 138], [141, 119, 131]),
    (16000.0, [161, 131, 135], [162, 132, 133]),
    (22000.0, [168, 138, 137], [169, 139, 135]),
];

fn at_discharge(q: f64, forecast: Option<(f64, f64)>) -> PreviewResult {
    preview(&demo(), &reach(), q, forecast, at(0.0), &Standing::default())
}

fn golden_text(q: f64, forecast: bool) -> String {
    let result = at_discharge(q, forecast.then_some((0.0, q)));
    let codes = |codes: &[InstructionCode]| codes.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(" ");
    let mut text = format!(
        "discharge {q} m3/s, {}\nlevel {}, band {}\n",
        if forecast { "every forecast the same" } else { "nothing else known" },
        result.level,
        result.band
    );
    let _ = writeln!(text, "fires {}\n{}", result.fires.len(), codes(&result.fires));
    let _ = writeln!(text, "replaced {}\n{}", result.superseded.len(), codes(&result.superseded));
    let _ = writeln!(text, "waits {}", result.waits.len());
    for wait in &result.waits {
        let _ = writeln!(text, "{} {}", wait.code, wait.unknown.join(" "));
    }
    text
}

#[test]
fn playbook_golden_what_fires_and_what_waits() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/playbook");
    for (q, ..) in COUNTS {
        for (forecast, suffix) in [(false, "a"), (true, "b")] {
            let path = folder.join(format!("{q:05}{suffix}.txt"));
            let text = golden_text(q, forecast);
            if std::env::var_os("ANLAN_RENEW_GOLDEN").is_some() {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&path, &text).unwrap();
            }
            let golden = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(golden, text, "{}", path.display());
        }
    }
}

#[test]
fn playbook_counts_are_those_of_the_plan() {
    for (q, only_q, with_forecast) in COUNTS {
        for (forecast, expected) in [(None, only_q), (Some((0.0, q)), with_forecast)] {
            let result = at_discharge(q, forecast);
            assert_eq!([result.fired, result.fires.len(), result.waits.len()], expected, "{q} {forecast:?}");
            assert_eq!(result.excluded, 83);
            assert_eq!(result.superseded.len(), result.fired - result.fires.len());
        }
    }
}

#[test]
fn playbook_demo_passes_its_own_check() {
    let errors: Vec<String> = check(&demo(), None)
        .iter()
        .filter(|item| item.severity == super::Severity::Error)
        .map(ToString::to_string)
        .collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn playbook_demo_has_its_rows_roles_and_scopes() {
    let playbook = demo();
    let mut bands: BTreeMap<&str, usize> = BTreeMap::new();
    let mut authorities: BTreeMap<String, usize> = BTreeMap::new();
    for row in playbook.instructions() {
        *bands.entry(row.band.as_str()).or_default() += 1;
        *authorities.entry(super::instruction::authority_word(row.authority).to_owned()).or_default() += 1;
    }
    let expected = [
        ("B10", 36),
        ("B15", 31),
        ("B22", 13),
        ("B4", 38),
        ("B6", 48),
        ("B8", 40),
        ("D", 49),
        ("H", 74),
        ("P", 27),
        ("W", 34),
    ];
    assert_eq!(bands.into_iter().collect::<Vec<_>>(), expected);
    let authorities: Vec<(String, usize)> = authorities.into_iter().collect();
    let expected = [
        ("authorised_publisher", 10),
        ("county_hq_commander", 91),
        ("hq_duty", 148),
        ("none", 112),
        ("town_commander", 29),
    ];
    assert_eq!(authorities, expected.map(|(word, count)| (word.to_owned(), count)));
    assert_eq!(playbook.roles().filter(|role| !role.report_only).count(), 42);
    assert_eq!(playbook.scopes().count(), 16);
    let of = |keep: fn(&super::Instruction) -> bool| playbook.instructions().iter().filter(|row| keep(row)).count();
    assert_eq!(of(|row| row.repeat_min.is_some()), 69);
    assert_eq!(of(|row| !row.supersedes.is_empty()), 41);
    assert_eq!(of(|row| row.basis == "default"), 247);
    assert_eq!(of(|row| row.numbers_basis != "default"), 32);
    assert_eq!(playbook.role("patrol_team").unwrap().name.zh, "巡堤查险队");
    for role in playbook.roles() {
        let is_used = playbook.instructions().iter().any(|row| row.role == role.code || row.report_to == role.code);
        assert!(is_used, "{} is not used", role.code);
    }
}

#[test]
fn playbook_preauthorised_rows_are_the_fifteen() {
    let playbook = demo();
    let marked: BTreeSet<&str> =
        playbook.instructions().iter().filter(|row| row.preauthorised).map(|row| row.code.as_str()).collect();
    let expected =
        "B15-032 B22-012 B22-013 B4-019 B4-020 B6-021 B6-048 B8-018 H-044 H-047 H-048 H-049 H-056 P-015 P-027";
    assert_eq!(marked.into_iter().collect::<Vec<_>>().join(" "), expected);
}

#[test]
fn playbook_life_safety_rows_are_the_fifty_and_five_call_the_crew_out() {
    let playbook = demo();
    let of = |keep: fn(&super::Instruction) -> bool| {
        let codes: BTreeSet<&str> =
            playbook.instructions().iter().filter(|row| keep(row)).map(|row| row.code.as_str()).collect();
        codes.into_iter().collect::<Vec<_>>().join(" ")
    };
    let expected = "B10-020 B10-021 B10-022 B10-030 B15-021 B15-022 B15-023 B15-025 B15-032 B22-011 B22-012 B22-013 \
        B22-014 B22-015 B22-016 B22-019 B22-021 B4-016 B4-019 B4-020 B4-031 B6-007 B6-020 B6-021 B6-022 B6-023 B6-025 \
        B6-042 B6-048 B6-049 B6-050 B8-018 B8-023 B8-024 H-038 H-043 H-044 H-047 H-048 H-049 H-056 H-057 H-058 P-013 \
        P-015 P-016 P-017 P-018 P-027 P-028";
    assert_eq!(of(|row| row.life_safety), expected);
    assert_eq!(expected.split_whitespace().count(), 50);
    assert_eq!(of(|row| row.retreat), "B8-018 H-038 H-044 H-048 H-049");
    assert_eq!(of(|row| row.life_safety && row.phase == super::Phase::Prepare), "", "the quiet time has no danger");
}

#[test]
fn playbook_every_signal_of_the_language_is_used_or_known() {
    let playbook = demo();
    let used: BTreeSet<&str> = playbook
        .instructions()
        .iter()
        .flat_map(|row| std::iter::once(&row.trigger).chain(&row.stop_when))
        .flat_map(|trigger| trigger.condition.signals())
        .map(|key| key.name())
        .collect();
    // The rows of the demo edition rest on the plain forecast; probabilities are there for an edition of a site.
    let unused = ["pqf"];
    let known: BTreeSet<&str> =
        super::SPECS.iter().map(|spec| spec.name).filter(|name| !unused.contains(name)).collect();
    assert_eq!(used, known, "a function that no row uses needs a reason");
}

#[test]
fn playbook_messages_have_the_same_holders_in_both_languages() {
    let playbook = demo();
    let holders = |text: &str| -> BTreeSet<String> {
        text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).map(str::to_owned).collect()
    };
    assert!(playbook.message("drill").is_some_and(|message| message.zh == "【演练】"));
    for (key, message) in &playbook.parts().messages {
        assert_eq!(holders(&message.zh), holders(&message.en), "{key}");
    }
}

#[test]
fn playbook_preview_takes_a_forecast_as_a_line() {
    let result = at_discharge(5000.0, Some((24.0, 9000.0)));
    assert_eq!((result.level, result.band.as_str()), (WarningLevel::Orange, "B4"));
    assert!(result.reason.zh.contains("预报 24 小时后 9000"), "{}", result.reason.zh);
    let fires = |code: &str| result.fires.contains(&InstructionCode::new(code));
    assert!(fires("B8-001"), "qf(24) is 9000");
    assert!(!fires("B8-002") && fires("B6-002"), "qf(12) is 7000");
    // A forecast below the river changes nothing and raises nothing.
    assert_eq!(at_discharge(5000.0, Some((24.0, 1000.0))).level, WarningLevel::Blue);
}

#[test]
fn playbook_preview_counts_a_task_a_place_and_sends_nothing() {
    let playbook = demo();
    let result = at_discharge(9000.0, None);
    let expected: usize =
        result.fires.iter().map(|code| reach().places_of_scope(&playbook.instruction(code).unwrap().scope).len()).sum();
    assert!(expected > 100);
    assert_eq!(result.tasks.len(), expected);
}

#[test]
fn playbook_preview_diff_tells_new_changed_kept_withdrawn() {
    let playbook = demo();
    let active: BTreeSet<InstructionCode> = at_discharge(6500.0, None).fires.into_iter().collect();
    let diff = at_discharge(9000.0, None).diff(&playbook, &active);
    let has = |codes: &[InstructionCode], code: &str| codes.contains(&InstructionCode::new(code));
    assert!(has(&diff.changed, "B8-001") && has(&diff.withdrawn, "B6-001"), "a stronger order replaces the weaker");
    assert!(has(&diff.new, "B8-003") && has(&diff.kept, "B6-003"));
    assert_eq!(diff.new.len() + diff.changed.len() + diff.kept.len(), 98);
    assert_eq!(diff.kept.len() + diff.withdrawn.len(), 76);
    let down = at_discharge(3000.0, None).diff(&playbook, &active);
    assert_eq!(down.new.len() + down.changed.len() + down.kept.len(), 24);
}

#[test]
fn playbook_the_worst_day() {
    // 22,000 m³/s, 6 m at the toe, small freeboard, waves, every order given, no hazard: the levee holds, the city is dry.
    let playbook = demo();
    let mut snapshot = Snapshot::new(at(12.0));
    for key in playbook.signals() {
        let value = match key.name() {
            "q" | "qf" => 22000.0,
            "toe" => 6.0,
            "toe_eta" => 0.0,
            "overtop" | "z_crest_gap" => 0.1,
            "night" => 1.0,
            "above" => 1.0,
            "depth_village" => 1.0,
            "wind" => 6.0,
            "wave" => 0.6,
            "pct_shelter" => 90.0,
            _ => 0.0,
        };
        snapshot.set(key, value);
    }
    let orders = super::signal::ORDERS.iter().map(|name| crate::model::OrderGiven {
        name: (*name).into(),
        place: None,
        at: at(0.0),
    });
    let standing =
        Standing { event_open: true, in_force: WarningLevel::Red, orders: orders.collect(), ..Standing::default() };
    let truths = playbook.truths(&snapshot, &standing);
    let fired: BTreeSet<usize> =
        truths.iter().enumerate().filter(|(_, truth)| **truth == Truth::True).map(|(row, _)| row).collect();
    let stands = super::supersede::supersede_rows(&fired, &playbook);
    assert_eq!((fired.len(), stands.len()), (250, 200));
}
