//! The demo's twin as committed: its ground, its library, and what the desk makes of them.

use super::{ReachFault, TwinFiles, embedded_reach, embedded_twin};
use crate::hydraulics::{
    Assumed, DischargeMemory, Flooding, Library, MirrorInput, Mirrored, NEVER_MIN, Rests, SiteFault, Spread,
    SpreadPlan, TwinModel, WET_CM, flood,
};
use crate::model::{PlaceId, PlaceKind, Timestamp};
use crate::store::Database;
use crate::store::jobs::{Ended, JOBS_SCHEMA, JobQueue, JobState, Jobs};
use crate::web::TwinDesk;
use crate::web::runs::{self, TwinRuns};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

fn model() -> Arc<TwinModel> {
    embedded_twin().unwrap().data().unwrap()
}

fn desk() -> TwinDesk {
    embedded_reach().unwrap().twin_desk().unwrap()
}

fn shown(desk: &TwinDesk, q: f64, breach: Option<&str>) -> Value {
    let model = desk.model().unwrap();
    let scene = desk.scene(&model, q, breach.map(PlaceId::new).as_ref()).unwrap();
    desk.shape(&model, &scene)
}

fn ids(value: &Value, list: &str) -> Vec<String> {
    value[list].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn twin_library_holds_what_its_plan_asks_for_and_is_small() {
    let model = model();
    let library = model.library.as_ref().unwrap();
    let wanted = Library::wanted(&model.site);
    assert_eq!(library.members.len(), wanted.len());
    for (member, assumed) in library.members.iter().zip(&wanted) {
        assert_eq!(member.discharge_m3s, assumed.discharge_m3s);
        assert_eq!(member.breach, assumed.breach.as_ref().map(|site| site.place.clone()));
        assert_eq!(member.depth_cm.len(), model.site.plan.hours.len());
        assert!(member.volume_error.abs() < 1e-5, "{} m³/s: {}", member.discharge_m3s, member.volume_error);
    }
    let bytes = super::files::embedded_twin_bytes("library.bin").unwrap().len();
    assert!(bytes <= 8_000_000, "{bytes}");
}

/// One member again, as far as its third hour: the solver of today makes the water that is shipped.
#[test]
fn twin_library_member_is_made_again() {
    let model = model();
    let library = model.library.as_ref().unwrap();
    let at = library.members.iter().position(|member| member.discharge_m3s == 12_000.0).unwrap();
    let assumed = &Library::wanted(&model.site)[at];
    let again = flood(&model.site, &model.ground, &library.base_cm, assumed, 2.0, 2, &|_| true).unwrap();
    let committed = &library.members[at];
    for (hour, (now, then)) in again.depth_cm.iter().zip(&committed.depth_cm).enumerate() {
        let off: Vec<u16> = now.iter().zip(then).map(|(a, b)| a.abs_diff(*b)).filter(|off| *off > 2).collect();
        // A centimetre or two where the solver's inside was tuned; a handful of cells at fronts.
        assert!(
            off.len() * 200 < now.len(),
            "hour {hour}: {} cells differ, by up to {:?} cm",
            off.len(),
            off.iter().max()
        );
    }
}

#[test]
fn twin_levee_parts_river_and_land_on_every_grid() {
    let site = &model().site;
    for cell_m in [50.0, 100.0, 150.0] {
        let ground = site.ground(cell_m).unwrap();
        let (columns, rows) = (ground.grid.columns, ground.grid.rows);
        for column in 0..columns {
            let side: Vec<bool> = (0..rows).map(|row| ground.river_side[row * columns + column]).collect();
            assert_eq!(side.windows(2).filter(|pair| pair[0] != pair[1]).count(), 1, "column {column} at {cell_m} m");
            // The ditch on the river side lies metres above the land: no cell beside the levee mixes the two.
            let first = side.iter().position(|river| *river).unwrap();
            let height = |row: usize| ground.bed_m[row * columns + column];
            assert!(height(first) > height(first - 1) + 2.0, "column {column} at {cell_m} m");
        }
    }
    assert_eq!(site.ground(70.0), Err(SiteFault::CellSize { cell_m: 70.0, terrain_m: 50.0 }));
}

#[test]
fn twin_more_water_floods_more_and_earlier() {
    let model = model();
    let library = model.library.as_ref().unwrap();
    let dry_before = |at: &usize| library.base_cm[*at] < WET_CM;
    let wet = |q: f64| {
        let (flooding, _) = library.at(q, None).unwrap();
        (0..flooding.highest_cm.len()).filter(dry_before).filter(|at| flooding.highest_cm[*at] >= WET_CM).count()
    };
    let counts: Vec<usize> = [3000.0, 5000.0, 8000.0, 10_500.0, 16_000.0, 22_000.0].into_iter().map(wet).collect();
    assert!(counts.windows(2).all(|pair| pair[0] <= pair[1]), "{counts:?}");
    assert!(counts[0] < counts[5] / 10, "{counts:?}");
    let (slow, fast) = (library.at(12_000.0, None).unwrap().0, library.at(22_000.0, None).unwrap().0);
    let both = (0..slow.arrival_min.len()).filter(|at| slow.arrival_min[*at] != NEVER_MIN && dry_before(at));
    assert!(both.clone().count() > 1000);
    let later = both.clone().filter(|at| fast.arrival_min[*at] > slow.arrival_min[*at].saturating_add(5)).count();
    assert!(later * 50 < both.count(), "{later} cells get water later from the greater flood");
}

#[test]
fn twin_desk_says_who_is_hit_and_on_what_it_rests() {
    let desk = desk();
    let calm = shown(&desk, 3000.0, None);
    assert_eq!(ids(&calm, "villages"), Vec::<String>::new());
    let flood = shown(&desk, 22_000.0, None);
    assert_eq!(ids(&flood, "villages").len(), 4);
    assert_eq!(flood["residents"], 655 + 428 + 590 + 507);
    assert_eq!(flood["scenario"]["rests"], "exact");
    assert_eq!((&flood["grid"]["cell_m"], &flood["grid"]["synthetic"]), (&100.0.into(), &true.into()));
    // Behind the levee all stays dry while it holds.
    assert_eq!(ids(&flood, "shelters"), Vec::<String>::new());
    assert_eq!(ids(&flood, "posts"), Vec::<String>::new());
    let growers: u64 = flood["farmers"].as_array().unwrap().iter().map(|class| class["all"].as_u64().unwrap()).sum();
    assert_eq!(growers, 421);
    let freeboards: Vec<f64> =
        flood["levee"].as_array().unwrap().iter().map(|row| row["freeboard_m"].as_f64().unwrap()).collect();
    assert_eq!(freeboards.len(), 19);
    assert!(freeboards.is_sorted() && freeboards[18] > 1.0, "{freeboards:?}");
    assert!(flood["words"].as_array().unwrap().iter().any(|words| words["kind"] == "arrival"));
    assert_eq!(shown(&desk, 10_500.0, None)["scenario"]["rests"], "between");
    assert_eq!(shown(&desk, 50_000.0, None)["scenario"]["rests"], "above");
}

#[test]
fn twin_breach_puts_water_behind_the_levee() {
    let desk = desk();
    let broken = shown(&desk, 22_000.0, Some("work-huayuankou"));
    assert_eq!(broken["scenario"]["breach"], "work-huayuankou");
    assert!(!ids(&broken, "cells").is_empty());
    let model = desk.model().unwrap();
    assert!(desk.scene(&model, 22_000.0, Some(&PlaceId::new("work-nowhere"))).is_none());
}

#[test]
fn twin_between_two_scenarios_says_so() {
    let model = model();
    let (_, rests) = model.library.as_ref().unwrap().at(21_000.0, None).unwrap();
    assert_eq!(rests, Rests::Between(20_000.0, 22_000.0));
}

/// What becomes of a file of the twin; `None`: it is not there.
type Change<'a> = &'a dyn Fn(&str, Vec<u8>) -> Option<Vec<u8>>;

#[test]
fn twin_files_that_do_not_fit_are_named() {
    let of = |change: Change<'_>| {
        let files =
            TwinFiles::of(|name| change(name, super::files::embedded_twin_bytes(name)?.to_vec()).map(Cow::Owned));
        files.unwrap().read().map(|_| ())
    };
    let check = |change: Change<'_>, word: &str| {
        let fault: ReachFault = of(change).unwrap_err();
        assert!(fault.to_string().contains(word), "{word}: {fault}");
    };
    check(&|name, bytes| (name != "terrain.asc").then_some(bytes), "twin/terrain.asc");
    check(&|name, bytes| Some(if name == "cover.asc" { b"ncols 2".to_vec() } else { bytes }), "cover.asc");
    let replaced = |name: &str, bytes: Vec<u8>, from: &str, to: &str| {
        let text = String::from_utf8(bytes).unwrap();
        Some(if name == "twin.toml" { text.replacen(from, to, 1).into_bytes() } else { text.into_bytes() })
    };
    let in_plan = |from: &'static str, to: &'static str| {
        move |name: &str, bytes: Vec<u8>| if name == "library.bin" { None } else { replaced(name, bytes, from, to) }
    };
    check(&in_plan("land_side = true", ""), "land_side");
    check(&in_plan("base_m3s = 3000.0", "base_m3s = 9000.0"), "base_m3s");
    check(&in_plan("outflow_side = \"east\"", "outflow_side = \"up\""), "outflow_side");
    check(&in_plan("synthetic = true", "sinthetic = true"), "twin.toml");
    let damaged = |name: &str, mut bytes: Vec<u8>| {
        if name == "library.bin" {
            bytes.truncate(5000);
        }
        Some(bytes)
    };
    check(&damaged, "library.bin");
    assert!(of(&|_, bytes| Some(bytes)).is_ok());
}

/// The live twin of the demo at a crest of 9,500 m³/s: the fields and most mounds of villages get water, the levee and its dams do not.
#[test]
fn twin_mirror_knows_when_water_comes_to_the_places_of_the_demo() {
    let slot = embedded_reach().unwrap().twin_slot_read().unwrap();
    let table = slot.get().unwrap().clone().unwrap();
    let at = |hours: i64| Timestamp::UNIX_EPOCH + TimeDelta::hours(hours);
    let mut memory = DischargeMemory::default();
    (-10..=0).for_each(|hour| memory.note(at(hour), 3500.0));
    let ahead: Vec<_> = (1..=12).map(|hour| (at(hour), 3500.0 + 500.0 * hour as f64)).collect();
    let input = MirrorInput { discharge: Some((at(0), 3500.0)), stage: None, forecast: Some((at(0), &ahead)) };
    let twin = Mirrored::make(&table, at(0), &memory, &input).unwrap();
    let reach = embedded_reach().unwrap().reach;
    let wet = |kind: PlaceKind| {
        let of_kind = reach.places().filter(|place| place.kind == kind);
        of_kind.filter(|place| twin.places.contains_key(&place.id)).count()
    };
    assert_eq!((wet(PlaceKind::Village), wet(PlaceKind::Farm)), (3, 16));
    let on_levee = [PlaceKind::Segment, PlaceKind::VulnerableWork, PlaceKind::Dam, PlaceKind::Hq, PlaceKind::Depot];
    assert_eq!(on_levee.map(wet), [0; 5]);
    // The lowest field: the discharge passes 5,525 m³/s in the fifth hour, and the water needs well over half an hour from there.
    let field = twin.places[&PlaceId::new("farm-01")];
    assert!((5500.0..5600.0).contains(&field.threshold_m3s.unwrap()), "{field:?}");
    assert!(field.crossed_at.unwrap() > at(4) && field.crossed_at.unwrap() < at(5), "{field:?}");
    assert!((30.0..120.0).contains(&field.lag_min), "{field:?}");
    // A village stands on its mound: water is there later than in its fields, or not at all.
    let mound = twin.places.get(&PlaceId::new("village-huayuankou"));
    assert!(mound.is_none_or(|mound| mound.at > field.at), "{mound:?}");
    assert!(twin.last_way_cut(&PlaceId::new("village-huayuankou")).is_some());
    // Every place that can carry a task is known, or is river at all times.
    let lost: Vec<_> = reach
        .places()
        .filter(|place| !table.knows(&place.id) && !table.is_in_river(&place.id))
        .map(|place| place.id.clone())
        .collect();
    assert!(lost.is_empty(), "{lost:?}");
}

/// A server over a folder: its queue, and a desk with runs behind it.
async fn server(folder: &std::path::Path) -> (Arc<Jobs>, Arc<TwinDesk>) {
    let database = Database::open(&folder.join("anlan.db"), &[JOBS_SCHEMA]).await.unwrap();
    let jobs = Arc::new(Jobs::new(database, folder.to_owned()));
    jobs.release(runs::WORKER).await.unwrap();
    let finer = TwinRuns::new(jobs.clone(), Box::new(|| Timestamp::UNIX_EPOCH));
    (jobs, Arc::new(desk().with_runs(finer)))
}

#[tokio::test]
async fn twin_run_that_a_stop_cuts_off_waits_again_and_its_result_is_read_by_the_next_server() {
    let folder = tempfile::tempdir().unwrap();
    let (jobs, desk) = server(folder.path()).await;
    let model = desk.model().unwrap();
    let job = desk.runs.as_ref().unwrap().ask(&model, 9000.0, None, None, "li").await.unwrap();
    let stop = CancellationToken::new();
    let worker = tokio::spawn(runs::work(Arc::clone(&desk), stop.clone()));
    while jobs.job(job.number).await.unwrap().unwrap().state != JobState::Running {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    worker.await.unwrap();
    assert_eq!(jobs.job(job.number).await.unwrap().unwrap().state, JobState::Queued);
    drop((jobs, desk));

    // The next server finds it; another worker computes it there (here: brings dry ground).
    let (jobs, desk) = server(folder.path()).await;
    let taken = jobs.take("there", &[&job.kind], Timestamp::UNIX_EPOCH).await.unwrap().unwrap();
    assert_eq!((taken.number, &taken.wish), (job.number, &job.wish));
    let ground = model.site.ground(model.site.plan.finest_cell_m).unwrap();
    let (cells, hours) = (ground.grid.cells(), model.site.plan.hours.clone());
    let flooding = Flooding {
        discharge_m3s: 9000.0,
        breach: None,
        depth_cm: vec![vec![0; cells]; hours.len()],
        arrival_min: vec![NEVER_MIN; cells],
        highest_cm: vec![0; cells],
        speed_cms: vec![0; cells],
        hazard: vec![0; cells],
        highest_froude: 0.0,
        volume_error: 0.0,
    };
    let result = Library { hours, base_m3s: 3000.0, base_cm: vec![0; cells], members: vec![flooding] };
    let bytes = result.encode(&ground).unwrap();
    assert!(jobs.end(job.number, "there", Ended::Done(bytes), Timestamp::UNIX_EPOCH).await.unwrap());
    drop((jobs, desk));

    let (_, desk) = server(folder.path()).await;
    let runs = desk.runs.as_ref().unwrap();
    let known = runs.ask(&model, 9000.0, None, None, "wang").await.unwrap();
    assert_eq!((known.number, known.who.as_str(), known.state), (job.number, "li", JobState::Done));
    let shape = runs.shape(&desk, &model, &known).await.unwrap();
    assert_eq!((&shape["state"], &shape["inundation"]["scenario"]["rests"]), (&json!("done"), &json!("run")));
    assert_eq!(shape["inundation"]["grid"]["cell_m"], json!(50.0));
    // A spread of the same discharge is another job; one that waits can be taken back.
    let spread = runs.ask(&model, 9000.0, None, Some(20), "li").await.unwrap();
    assert_ne!(spread.number, known.number);
    assert_eq!(runs.cancel(spread.number, "li").await.unwrap().state, JobState::Cancelled);
    assert!(runs.cancel(spread.number, "li").await.is_err());
}

/// Three short members on coarse cells by the code of the jobs: more members wet what fewer do, and the same bits again.
#[test]
fn twin_spread_of_the_demo_is_the_same_for_any_number_of_workers() {
    let model = model();
    let library = model.library.as_ref().unwrap();
    let assumed = Assumed { discharge_m3s: 12_000.0, breach: None };
    let plan = SpreadPlan { hours: 1.0, ..SpreadPlan::around(assumed, 3) };
    let made =
        |workers| Spread::compute(&model.site, &model.ground, &library.base_cm, &plan, workers, &|_| true).unwrap();
    let spread = made(1);
    assert_eq!(spread, made(2));
    assert!(spread.head.volume_error < 1e-5);
    let wet = |of: &dyn Fn(usize) -> bool| (0..spread.share.len()).filter(|at| of(*at)).count();
    assert!(wet(&|at| spread.share[at] == 1000) > 0 && wet(&|at| spread.median_cm[at] > spread.ninth_cm[at]) == 0);
    // Whole centimetres round up to what is called wet; where water arrived, it is.
    assert_eq!(wet(&|at| spread.share[at] == 0 && spread.earliest_min[at] != NEVER_MIN), 0);
}
