//! Live drills from start to report.

use super::*;
use crate::command::Fact;

async fn drills(folder: &Path) -> Arc<dyn Drills> {
    let files = SiteFiles::from_folders(None, None, None).unwrap();
    LiveDrills::new(LiveDrillsParts {
        folder: folder.join("drills"),
        files,
        settings: CommandSettings::default(),
        layers: Arc::default(),
        evacuation: Arc::default(),
        stop: CancellationToken::new(),
    })
}

fn ask(flood: &str) -> DrillAsk {
    DrillAsk { flood: flood.into(), speed: 3600.0, seed: 7 }
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
    let html = drills.report(&id).unwrap();
    assert!(html.contains("<h1>【演练】1996-08"));
    drills.stop(&id).unwrap();
    assert!(drills.pause(&id, true).is_err(), "what has ended stays ended");
    let written = folder.path().join("drills/drill-1/report.html");
    until("the report is written", || written.is_file()).await;
    let entries = post.engine.journal().entries_after(crate::model::FactSeq(0), 100_000).await.unwrap();
    assert!(entries.iter().any(|entry| matches!(entry.fact, Fact::Fired { .. })), "the drill has a journal of its own");
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
    assert!(drills.get("drill-99").is_none() && drills.report("drill-99").is_none());
}
