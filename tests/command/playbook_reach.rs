//! The demo playbook on the demo reach: rows become tasks at places, and the page that explains the language is whole.

use anlan::app::editions::embedded_playbook;
use anlan::app::reaches::embedded_reach;
use anlan::model::{Hazard, PlaceId, Reach, ReportId, Standing, Timestamp};
use anlan::playbook::{Phase, Playbook, SPECS, Severity, Snapshot, check, preview, supersede};
use std::collections::BTreeSet;

fn playbook() -> Playbook {
    Playbook::load("", &embedded_playbook()).unwrap()
}
fn reach() -> Reach {
    embedded_reach().unwrap().reach
}
fn now() -> Timestamp {
    "1958-07-17T16:00:00Z".parse().unwrap()
}

#[test]
fn playbook_reach_has_a_place_and_a_person_for_every_row() {
    let errors: Vec<String> = check(&playbook(), Some(&reach()))
        .iter()
        .filter(|item| item.severity == Severity::Error)
        .map(ToString::to_string)
        .collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn playbook_reach_place_by_place_gives_what_the_preview_shows() {
    let (playbook, reach) = (playbook(), reach());
    for q in [3000.0, 4200.0, 6500.0, 9000.0, 12000.0, 16000.0, 22000.0] {
        let shown = preview(&playbook, &reach, q, Some((0.0, q)), now(), &Standing::default());
        let of_event = |code| {
            let row = playbook.instruction(code).unwrap();
            let number = playbook.row(code).unwrap();
            reach.places_of_scope(&row.scope).iter().map(move |place| (number, place.clone()))
        };
        let fired: BTreeSet<(usize, PlaceId)> =
            shown.fires.iter().chain(&shown.superseded).flat_map(of_event).collect();
        let stands: Vec<(usize, PlaceId)> = supersede(&fired, &playbook, &reach).into_iter().collect();
        assert_eq!(stands, shown.tasks, "{q}");
    }
}

#[test]
fn playbook_reach_a_hazard_on_one_segment_calls_that_segment() {
    let (playbook, reach) = (playbook(), reach());
    let segment = reach.places_of_scope("levee_segment")[4].clone();
    let hazard = Hazard {
        report: ReportId(1),
        kind: "leak_tunnel".into(),
        grade: 3,
        places: vec![segment.clone()],
        reported_at: now(),
        resolved: false,
        false_alarm: false,
    };
    let standing = Standing { event_open: true, hazards: vec![hazard], ..Standing::default() };
    let verdicts = playbook.evaluate(&Snapshot::new(now()), &standing, &reach);
    let called: BTreeSet<(String, Option<PlaceId>)> = verdicts
        .iter()
        .filter(|verdict| verdict.truth.is_true())
        .map(|verdict| (playbook.instructions()[verdict.row].code.to_string(), verdict.place.clone()))
        .collect();
    let at_segment = |code: &str| (code.to_owned(), Some(segment.clone()));
    for code in ["H-001", "H-002", "H-010", "H-011", "H-012"] {
        assert!(called.contains(&at_segment(code)), "{code}: {called:?}");
    }
    for code in ["H-003", "H-004", "H-035"] {
        assert!(called.contains(&(code.to_owned(), None)), "{code}: {called:?}");
    }
    let elsewhere = called.iter().filter(|(_, place)| place.as_ref().is_some_and(|place| *place != segment)).count();
    assert_eq!((elsewhere, called.len()), (0, 8), "nobody else is sent: {called:?}");
}

#[test]
fn playbook_reach_quiet_water_calls_only_the_season() {
    let (playbook, reach) = (playbook(), reach());
    let mut snapshot = Snapshot::at_discharge(now(), 1200.0, Some((240.0, 1200.0)), &playbook.signals());
    snapshot.set("night()".parse().unwrap(), 0.0);
    let verdicts = playbook.evaluate(&snapshot, &Standing::default(), &reach);
    let fired = verdicts.iter().filter(|verdict| verdict.truth.is_true());
    assert!(fired.map(|verdict| playbook.instructions()[verdict.row].phase).all(|phase| phase == Phase::Prepare));
}

#[test]
fn playbook_docs_explain_every_function() {
    let page = include_str!("../../docs/playbook.md");
    for spec in SPECS {
        let names = [format!("| `{}", spec.name), format!("`{}(", spec.name)];
        assert!(names.iter().any(|name| page.contains(name)), "docs/playbook.md does not explain {}", spec.name);
        assert!(page.contains(spec.meaning_zh), "docs/playbook.md: {} should say {:?}", spec.name, spec.meaning_zh);
    }
}

#[test]
fn playbook_docs_sample_row_loads() {
    let page = include_str!("../../docs/playbook.md");
    let sample = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let mut files = embedded_playbook();
    files.insert("instructions/sample.toml".into(), sample.into());
    let playbook = Playbook::load("", &files).unwrap();
    assert_eq!(playbook.instructions().len(), 391);
    let errors: Vec<String> = check(&playbook, Some(&reach()))
        .iter()
        .filter(|item| item.severity == Severity::Error && item.file == "instructions/sample.toml")
        .map(ToString::to_string)
        .collect();
    assert_eq!(errors, Vec::<String>::new());
}
