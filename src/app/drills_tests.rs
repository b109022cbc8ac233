//! Live drills from start to report.

use super::*;
use crate::command::{Actor, Entry, Fact, Input};
use crate::model::{FactSeq, Timestamp, UserName, UserRole};
use crate::web::Scope;
use std::time::Duration;

async fn drills_until(folder: &Path, stop: CancellationToken) -> Arc<LiveDrills> {
    let files = SiteFiles::from_folders(None, None, None).unwrap();
    let parts = LiveDrillsParts {
        folder: folder.join("drills"),
        sensors: Arc::new(files.sensors.clone()),
        files,
        settings: CommandSettings::default(),
        layers: Arc::default(),
        evacuation: Arc::default(),
        twin: None,
        stop,
    };
    LiveDrills::open(parts).await.unwrap()
}

async fn drills(folder: &Path) -> Arc<LiveDrills> {
    drills_until(folder, CancellationToken::new()).await
}

fn ask(flood: &str) -> DrillAsk {
    DrillAsk { flood: flood.into(), start: None, speed: 3600.0, seed: 7 }
}

fn director() -> Actor {
    Actor { user: UserName::new("director"), role: UserRole::Director, member: None }
}

fn breaks(kind: &str, target: &str) -> InjectAsk {
    InjectAsk { by: director(), target: target.into(), kind: kind.into(), value: None, at_s: None, for_s: None }
}

async fn entries(post: &Post) -> Vec<Entry> {
    post.engine.journal().entries_after(FactSeq(0), 100_000).await.unwrap()
}

fn word_of(problem: &Problem) -> String {
    format!("{problem:?}")
}

/// Looks until it is so, at most a minute.
async fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..1200 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn drills_live_run_with_people_pause_and_end_with_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let drills = drills(folder.path()).await;
    let id = drills.start(ask("1996-08")).await.unwrap();
    let post = drills.post(&id).unwrap();
    assert_eq!(post.scope, Scope::Drill);
    let answered = || post.engine.state().tasks.values().filter(|task| task.is_answered()).count();
    until("virtual members answer", || answered() >= 5).await;
    until("the gauges are heard", || post.water().discharge_m3s().is_some()).await;
    drills.pause(&id, true).unwrap();
    let shown = drills.get(&id).unwrap();
    assert_eq!((shown["state"].as_str(), shown["flood"].as_str()), (Some("paused"), Some("1996-08")));
    assert_eq!((post.speed)(), 0.0);
    let stands = post.engine.now();
    tokio::time::sleep(Duration::from_millis(120)).await;
    assert_eq!(post.engine.now(), stands, "a paused clock stands still");
    drills.pause(&id, false).unwrap();
    drills.speed(&id, 60.0).unwrap();
    assert!(drills.speed(&id, 0.0).is_err() && drills.speed(&id, 1e9).is_err());
    assert_eq!(drills.get(&id).unwrap()["speed"], 60.0);
    let html = String::from_utf8(drills.report(&id, ReportFormat::Html).unwrap().bytes).unwrap();
    assert!(html.contains("<h1>【演练】1996-08"));
    drills.stop(&id).unwrap();
    assert!(drills.pause(&id, true).is_err(), "what has ended stays ended");
    let written = folder.path().join("drills/drill-1/report.html");
    until("the report is written", || written.is_file()).await;
    assert!(
        entries(&post).await.iter().any(|entry| matches!(entry.fact, Fact::Fired { .. })),
        "the drill has a journal of its own"
    );
    let below: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(below, ["drills"], "nothing is written beside the drills");
}

#[tokio::test(flavor = "multi_thread")]
async fn drills_live_are_two_at_once_and_refuse_what_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let drills = drills(folder.path()).await;
    assert!(drills.start(ask("2099-01")).await.is_err(), "an unknown flood");
    assert!(drills.start(DrillAsk { speed: f64::NAN, ..ask("1996-08") }).await.is_err());
    let first = drills.start(ask("1996-08")).await.unwrap();
    let second = drills.start(ask("1982-08")).await.unwrap();
    assert!(drills.start(ask("1958-07")).await.is_err(), "a third one waits");
    drills.stop(&first).unwrap();
    let third = drills.start(ask("1958-07")).await.unwrap();
    assert_eq!(drills.list()["items"].as_array().unwrap().len(), 3);
    for id in [second, third] {
        drills.stop(&id).unwrap();
    }
    let floods = drills.floods();
    let peak = |id: &str| {
        floods["items"].as_array().unwrap().iter().find(|flood| flood["id"] == id).unwrap()["peak_m3s"].as_f64()
    };
    assert_eq!(peak("1958-07"), Some(22_300.0));
    assert!(drills.get("drill-99").is_none() && drills.report("drill-99", ReportFormat::Html).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn drills_live_take_injections_into_the_journal_the_river_and_the_people() {
    let folder = tempfile::tempdir().unwrap();
    let drills = drills(folder.path()).await;
    let id = drills.start(DrillAsk { speed: 600.0, ..ask("1996-08") }).await.unwrap();
    let post = drills.post(&id).unwrap();
    let key = OnceKey { who: "director".into(), key: "one".into() };
    let (status, answer) = drills.inject(&id, breaks("dead", "jiahetan"), Some(key.clone())).await.unwrap();
    assert_eq!(status, 201);
    let again = drills.inject(&id, breaks("dead", "jiahetan"), Some(key)).await.unwrap();
    assert_eq!(again, (201, answer), "the same key is carried out once");
    drills.inject(&id, breaks("rumour", "chainage:3200"), None).await.unwrap();
    let silent = || post.engine.state().alarms.keys().any(|key| key.starts_with("silent:jiahetan"));
    until("the dead gauge is missed", silent).await;
    let told = || {
        let state = post.engine.state();
        state
            .reports
            .values()
            .any(|report| report.content.text.as_ref().is_some_and(|text| text.starts_with("【演练】")))
    };
    until("somebody reports what is not so", told).await;
    let journal = entries(&post).await;
    let injected: Vec<_> = journal
        .iter()
        .filter_map(|entry| match &entry.fact {
            Fact::Injected { by, injection } => Some((by.user.as_str(), injection.kind, injection.target.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(
        injected,
        [("director", FaultKind::Dead, "jiahetan"), ("director", FaultKind::Rumour, "chainage:3200"),]
    );
    let shown = drills.injects(&id).unwrap();
    assert_eq!((shown["items"][0]["number"].as_u64(), shown["items"][1]["number"].as_u64()), (Some(1), Some(2)));
    assert_eq!(shown["items"][1]["name"]["zh"], "桩号 3+200");
    drills.stop(&id).unwrap();
    drills.close().await;
    assert_eq!(drills.workers.len(), 0, "every worker is joined");
    let html = String::from_utf8(drills.report(&id, ReportFormat::Html).unwrap().bytes).unwrap();
    assert!(html.contains("导调注入与反应"), "the report lists what was broken");
}

#[tokio::test(flavor = "multi_thread")]
async fn drills_live_refuse_injections_by_field() {
    let folder = tempfile::tempdir().unwrap();
    let drills = drills(folder.path()).await;
    let id = drills.start(ask("1996-08")).await.unwrap();
    drills.pause(&id, true).unwrap();
    let check = async |ask: InjectAsk, field: &str, words: &str| {
        let problem = word_of(&drills.inject(&id, ask, None).await.unwrap_err());
        assert!(problem.contains(&format!("{field:?}")) && problem.contains(words), "{problem}");
    };
    check(breaks("tired", "huayuankou"), "kind", "dead, frozen, spike").await;
    check(breaks("dead", "atlantis"), "target", "atlantis").await;
    check(breaks("dead", "corps:squad"), "target", "可用 comms").await;
    check(breaks("rumour", "chainage:-5"), "target", "chainage:-5").await;
    check(InjectAsk { for_s: Some(0.0), ..breaks("dead", "huayuankou") }, "for_s", "大于 0").await;
    check(InjectAsk { value: Some(f64::NAN), ..breaks("drift", "huayuankou") }, "value", "须为数").await;
    check(InjectAsk { at_s: Some(1e9), ..breaks("dead", "huayuankou") }, "at_s", "秒").await;
    let duty = Actor { user: UserName::new("duty-a"), role: UserRole::Duty, member: None };
    let refused = drills.inject(&id, InjectAsk { by: duty, ..breaks("dead", "huayuankou") }, None).await;
    assert!(word_of(&refused.unwrap_err()).contains("注入"), "only a director may");
    drills.stop(&id).unwrap();
    let late = word_of(&drills.inject(&id, breaks("dead", "huayuankou"), None).await.unwrap_err());
    assert!(late.contains("已结束"), "{late}");
    assert!(word_of(&drills.inject("drill-99", breaks("dead", "huayuankou"), None).await.unwrap_err()).contains("404"));
    drills.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drills_live_begin_where_the_flood_approaches_level_iv() {
    let folder = tempfile::tempdir().unwrap();
    let drills = drills(folder.path()).await;
    let flood = Flood::load(&editions::floods::files(), "1958-07").unwrap();
    let iv = drills.level_iv_m3s.unwrap();
    let id = drills.start(ask("1958-07")).await.unwrap();
    drills.pause(&id, true).unwrap();
    let time = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    let shown = drills.get(&id).unwrap();
    let start = time(&shown["start"]);
    assert!(start > flood.span().0 && time(&shown["end"]) == flood.span().1);
    let m3s = flood.at("huayuankou", "discharge", start).unwrap();
    assert!((0.9 * iv..iv).contains(&m3s), "{m3s} m³/s at the start, level IV from {iv}");
    let listed = drills.floods()["items"].as_array().unwrap().iter().find(|flood| flood["id"] == "1958-07").cloned();
    assert_eq!(time(&listed.unwrap()["approach"]), start);
    let post = drills.post(&id).unwrap();
    let before = start - TimeDelta::hours(10);
    let series = crate::model::SeriesId::new("huayuankou.discharge");
    assert!(!post.series.range(&series, before, start, None).await.unwrap().is_empty(), "the hours before are known");
    let asked = DrillAsk { start: Some(flood.span().0), ..ask("1958-07") };
    let first = drills.start(asked).await.unwrap();
    assert_eq!(time(&drills.get(&first).unwrap()["start"]), flood.span().0);
    for id in [id, first] {
        drills.stop(&id).unwrap();
    }
    let outside = drills.start(DrillAsk { start: Some(flood.span().1), ..ask("1958-07") }).await.unwrap_err();
    assert!(word_of(&outside).contains("start"), "{outside:?}");
    drills.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drills_live_that_a_crash_cuts_off_are_interrupted_with_a_whole_journal() {
    let (folder, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let stop = CancellationToken::new();
    let first = drills_until(folder.path(), stop.clone()).await;
    let id = first.start(ask("1996-08")).await.unwrap();
    let post = first.post(&id).unwrap();
    until("the drill has come somewhere", || !post.engine.state().tasks.is_empty()).await;
    first.pause(&id, true).unwrap();
    // The disk as a power cut would leave it.
    let (from, to) = (folder.path().join("drills/drill-1"), crashed.path().join("drills/drill-1"));
    std::fs::create_dir_all(&to).unwrap();
    for entry in std::fs::read_dir(&from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
    let again = drills(crashed.path()).await;
    let shown = again.get(&id).unwrap();
    assert_eq!((shown["state"].as_str(), shown["flood"].as_str()), (Some("interrupted"), Some("1996-08")));
    assert_eq!(shown["chain_sha256"].as_str().map(str::len), Some(64), "the chain was read to its end");
    assert!(word_of(&again.pause(&id, true).unwrap_err()).contains("已结束"));
    let html = String::from_utf8(again.report(&id, ReportFormat::Html).unwrap().bytes).unwrap();
    assert!(html.contains("中断"), "the report says that the drill was cut off");
    assert_eq!(again.start(ask("1996-08")).await.unwrap(), "drill-2", "its number stays its own");
    again.stop("drill-2").unwrap();
    again.close().await;

    // An orderly stop of the server in the middle is an interruption too, and says so after the next start.
    stop.cancel();
    first.close().await;
    assert_eq!(first.get(&id).unwrap()["state"], "interrupted");
    drop((post, first));
    let after = drills(folder.path()).await;
    assert_eq!(after.get(&id).unwrap()["state"], "interrupted");
    assert_eq!(after.list()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn drills_run_no_faster_than_the_wall_while_a_person_waits_for_a_second_one() {
    let folder = tempfile::tempdir().unwrap();
    let drills = drills(folder.path()).await;
    let id = drills.start(DrillAsk { speed: 120.0, ..ask("1996-08") }).await.unwrap();
    let post = drills.post(&id).unwrap();
    let person = |name: &str, role| Actor { user: UserName::new(name), role, member: None };
    let asked = Input::Ask {
        by: person("zhang", UserRole::Duty),
        level: crate::model::WarningLevel::Yellow,
        reason: "上游来水加快".into(),
        ordered_by: None,
        prepare_for_m3s: None,
    };
    post.engine.submit(asked).await.unwrap();
    until("the clock is held back", || (post.speed)() == 1.0).await;
    let shown = drills.get(&id).unwrap();
    assert_eq!((shown["held_back"].as_bool(), shown["speed"].as_f64()), (Some(true), Some(120.0)));
    let activation = post.engine.state().pending.expect("at this pace the request still waits");
    let by = person("li", UserRole::Commander);
    post.engine.submit(Input::Confirm { by, activation, water: None }).await.unwrap();
    until("it runs on as set", || (post.speed)() == 120.0).await;
    drills.stop(&id).unwrap();
    drills.close().await;
}
