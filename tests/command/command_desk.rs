//! What the desk at headquarters may rely on: reports have places, calls for help ring once, counts are kept.

use anlan::app::editions::embedded_playbook;
use anlan::app::reaches::embedded_reach;
use anlan::command::{
    Actor, Core, Entry, Fact, FieldReport, Input, PlaceFrom, Refused, Released, Report, ReportKind, State, Task,
};
use anlan::model::*;
use anlan::playbook::{Playbook, Snapshot};
use chrono::TimeDelta;
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

static CORE: LazyLock<Core> = LazyLock::new(|| Core {
    playbook: Arc::new(Playbook::load("", &embedded_playbook()).unwrap()),
    reach: Arc::new(embedded_reach().unwrap().reach),
});

/// A state and its clock.
struct Desk {
    state: State,
    now: Timestamp,
    /// As last evaluated.
    water: Option<Arc<Snapshot>>,
}

impl Desk {
    fn new() -> Self {
        Self { state: State::default(), now: "2026-07-28T12:00:00Z".parse().unwrap(), water: None }
    }
    fn give(&mut self, input: Input) -> Result<Vec<Entry>, Refused> {
        CORE.step(&mut self.state, &input, self.now)
    }
    fn after(&mut self, seconds: i64) -> Vec<Entry> {
        self.now += TimeDelta::seconds(seconds);
        self.give(Input::Tick).unwrap()
    }
    fn water(&mut self, q: f64) -> &mut Self {
        for _ in 0..60 {
            self.now += TimeDelta::minutes(1);
            let snapshot = Snapshot::at_discharge(self.now, q, Some((72.0, q)), &CORE.playbook.signals());
            self.water = Some(Arc::new(snapshot.clone()));
            self.give(Input::Evaluate { snapshot, readings: Vec::new() }).unwrap();
        }
        self
    }
    fn ask(&mut self, level: WarningLevel, prepare_for_m3s: Option<f64>) -> ActivationId {
        let by = officer("zhang");
        self.give(Input::Ask { by, level, reason: "实测超过阈值".into(), ordered_by: None, prepare_for_m3s }).unwrap();
        self.state.pending.unwrap()
    }
    fn report(&mut self, by: &Actor, kind: ReportKind, type_: &str, place: Spot) -> Result<Vec<Entry>, Refused> {
        self.now += TimeDelta::seconds(30);
        let report = FieldReport {
            kind,
            type_: type_.into(),
            grade: if kind == ReportKind::Sos { 3 } else { 2 },
            place,
            observed_at: self.now,
            text: None,
            photos: Vec::new(),
            task: None,
        };
        self.give(Input::Report { by: by.clone(), report })
    }
    fn last_report(&self) -> &Report {
        self.state.reports.values().next_back().unwrap()
    }
    fn places_of(&self, code: &str) -> Vec<&str> {
        self.state.tasks.values().filter(|task| task.code.as_str() == code).map(|task| task.place.as_str()).collect()
    }
}

fn officer(name: &str) -> Actor {
    Actor { user: name.into(), role: UserRole::Duty, member: None }
}
/// The first member whose post is of that kind.
fn member_at(kind: PlaceKind) -> (Actor, PlaceId) {
    let mut members = CORE.reach.members();
    let member = members.find(|member| CORE.reach.place(&member.post).unwrap().kind == kind).unwrap();
    let by = Actor { user: UserName::new(member.id.as_str()), role: UserRole::Member, member: Some(member.id.clone()) };
    (by, member.post.clone())
}
fn at(lon: f64, lat: f64) -> Spot {
    Spot { lon: Some(lon), lat: Some(lat), ..Spot::default() }
}
fn alarms(entries: &[Entry]) -> usize {
    entries.iter().filter(|entry| matches!(entry.fact, Fact::AlarmRaised { .. })).count()
}

#[test]
fn desk_a_hazard_without_a_place_is_the_members_own_or_refused() {
    let mut desk = Desk::new();
    let bad = |refused: Result<Vec<Entry>, Refused>, word: &str| match refused.unwrap_err() {
        Refused::BadField { field: "place", problem } => assert!(problem.contains(word), "{problem}"),
        other => panic!("{other:?}"),
    };
    let before = desk.state.clone();
    bad(desk.report(&officer("zhang"), ReportKind::Hazard, "piping", Spot::default()), "chainage and side");
    let (clerk, _) = member_at(PlaceKind::Town);
    bad(desk.report(&clerk, ReportKind::Hazard, "piping", Spot::default()), "桩号");
    let (walker, post) = member_at(PlaceKind::Cell);
    let beyond = Spot { chainage: Some(99_000.0), side: Some(Side::Land), ..Spot::default() };
    bad(desk.report(&walker, ReportKind::Hazard, "piping", beyond), "outside this reach: give 0 to 14220 m");
    bad(desk.report(&walker, ReportKind::Hazard, "piping", at(113.0, 34.9)), "位置不在本河段内");
    let nowhere = Spot { place: Some("dam-of-the-moon".into()), ..Spot::default() };
    bad(desk.report(&walker, ReportKind::Hazard, "piping", nowhere), "outside this reach");
    assert_eq!(desk.state, before, "a refusal leaves no trace");

    desk.report(&walker, ReportKind::Hazard, "piping", Spot::default()).unwrap();
    assert_eq!(desk.last_report().place_from, Some(PlaceFrom::Duty));
    assert!(desk.last_report().places.contains(&post));
    desk.water(4_500.0);
    assert_eq!(desk.places_of("H-007").len(), 1, "one place is called, not the levee: {:?}", desk.places_of("H-007"));
    let segments = |place: &&TaskPlace| place.0.starts_with("seg-");
    let touched: std::collections::BTreeSet<_> = desk
        .state
        .tasks
        .values()
        .filter(|task| task.hazard.is_some())
        .map(|task| TaskPlace(task.place.to_string()))
        .collect();
    assert!(touched.iter().filter(segments).count() <= 1, "{touched:?}");
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct TaskPlace(String);

#[test]
fn desk_a_bare_position_means_the_nearest_place_in_the_field() {
    let mut desk = Desk::new();
    let (walker, _) = member_at(PlaceKind::Cell);
    let segment = CORE.reach.places_of_scope("levee_segment")[3].clone();
    let middle = CORE.reach.place(&segment).unwrap();
    desk.report(&walker, ReportKind::Hazard, "piping", at(middle.lon, middle.lat)).unwrap();
    assert_eq!((desk.last_report().place_from, desk.last_report().places.contains(&segment)), (None, true));
    desk.water(4_500.0);
    assert_eq!(desk.places_of("H-007"), [segment.as_str()]);
}

#[test]
fn desk_a_call_for_help_is_never_refused_and_is_one_task() {
    let check = |by: &Actor, place: Spot, from: Option<PlaceFrom>, among: &str| {
        let mut desk = Desk::new();
        let entries = desk.report(by, ReportKind::Sos, "sos", place).unwrap();
        assert_eq!(alarms(&entries), 1);
        let report = desk.last_report().clone();
        assert_eq!(report.place_from, from);
        assert!(report.places.iter().any(|place| place.as_str() == among), "{among} in {:?}", report.places);
        desk.water(1_000.0);
        assert_eq!(desk.places_of("H-047").len(), 1, "{:?}", desk.places_of("H-047"));
        let called = desk.state.tasks.values().filter(|task| task.hazard == Some(report.id));
        let called: Vec<_> = called.map(|task| format!("{} {}", task.code, task.place)).collect();
        assert!(called.iter().all(|task| task.starts_with("H-047 ") || task.ends_with(" hq")), "{called:?}");
    };
    let (walker, post) = member_at(PlaceKind::Cell);
    let (clerk, _) = member_at(PlaceKind::Town);
    check(&walker, Spot::default(), Some(PlaceFrom::Duty), post.as_str());
    check(&walker, at(0.0, 0.0), Some(PlaceFrom::Duty), post.as_str());
    check(&clerk, Spot::default(), Some(PlaceFrom::Hq), "hq");
    check(&officer("zhang"), Spot::default(), Some(PlaceFrom::Hq), "hq");
    let segment = CORE.reach.place(&"seg-09".into()).unwrap();
    check(&walker, at(segment.lon, segment.lat), None, "seg-09");
}

#[test]
fn desk_the_last_known_position_goes_before_the_post() {
    let mut desk = Desk::new();
    let (walker, post) = member_at(PlaceKind::Cell);
    let chainage = Spot { chainage: Some(8_000.0), ..Spot::default() };
    desk.report(&walker, ReportKind::Patrol, "normal", chainage).unwrap();
    desk.report(&walker, ReportKind::Sos, "sos", Spot::default()).unwrap();
    assert_eq!(desk.last_report().place_from, Some(PlaceFrom::LastKnown));
    assert!(desk.last_report().places.contains(&"seg-09".into()), "{:?}", desk.last_report().places);
    let report = desk.last_report().id;
    desk.give(Input::Settle { by: officer("li"), report, false_alarm: false }).unwrap();
    desk.after(7 * 3600);
    desk.report(&walker, ReportKind::Sos, "sos", Spot::default()).unwrap();
    assert_eq!(desk.last_report().place_from, Some(PlaceFrom::Duty), "seven hours later he may be anywhere");
    assert!(desk.last_report().places.contains(&post));
}

#[test]
fn desk_a_call_that_is_repeated_rings_once_and_moves() {
    let mut desk = Desk::new();
    let (walker, _) = member_at(PlaceKind::Cell);
    desk.report(&walker, ReportKind::Sos, "sos", Spot::default()).unwrap();
    let (id, key) = (desk.last_report().id, format!("report:{}", desk.last_report().id));
    desk.water(1_000.0);
    let (tasks, first_at) = (desk.state.tasks.len(), desk.last_report().content.observed_at);

    let again = desk.report(&walker, ReportKind::Sos, "sos", at(113.70, 34.899)).unwrap();
    assert_eq!(alarms(&again), 0);
    assert_eq!((desk.state.reports.len(), desk.state.alarms[&key].count), (1, 2));
    assert_eq!(desk.last_report().content.place, at(113.70, 34.899));
    // The same call once more, and the first one that was late on a thin network: nothing new.
    let resent =
        |observed_at| FieldReport { observed_at, place: Spot::default(), ..desk.last_report().content.clone() };
    let (twice, late) = (resent(desk.now), resent(first_at));
    assert_eq!(desk.give(Input::Report { by: walker.clone(), report: twice }).unwrap(), []);
    assert_eq!(desk.give(Input::Report { by: walker.clone(), report: late.clone() }).unwrap(), []);
    desk.water(1_000.0);
    assert_eq!(desk.state.tasks.len(), tasks, "a new position calls nobody else");

    // Taking note of the alarm is the answer that the phone waits for; a call after it does not ring again.
    let entries = desk.give(Input::MindAlarm { by: officer("li"), alarm: key.clone(), shelve_until: None }).unwrap();
    assert!(entries.iter().any(|entry| matches!(&entry.fact, Fact::ReportSeen { report, .. } if *report == id)));
    assert_eq!(desk.last_report().seen_by.as_ref().unwrap().user.as_str(), "li");
    desk.report(&walker, ReportKind::Sos, "sos", Spot::default()).unwrap();
    assert!(desk.state.alarms[&key].minded.is_some() && desk.state.alarms[&key].count == 3);
    assert_eq!(desk.last_report().content.place, at(113.70, 34.899), "no fix does not erase the last one");

    // Another person, or a call after the end, is an emergency of its own.
    let (other, _) = member_at(PlaceKind::Segment);
    assert_eq!(alarms(&desk.report(&other, ReportKind::Sos, "sos", Spot::default()).unwrap()), 1);
    desk.give(Input::Settle { by: officer("li"), report: id, false_alarm: false }).unwrap();
    assert_eq!(desk.give(Input::Report { by: walker.clone(), report: late }).unwrap(), [], "a late copy stays a copy");
    assert_eq!(alarms(&desk.report(&walker, ReportKind::Sos, "sos", Spot::default()).unwrap()), 1);
}

#[test]
fn desk_putting_an_alarm_aside_is_not_an_answer() {
    let mut desk = Desk::new();
    let (walker, _) = member_at(PlaceKind::Cell);
    desk.report(&walker, ReportKind::Sos, "sos", Spot::default()).unwrap();
    let key = format!("report:{}", desk.last_report().id);
    let until = Some(desk.now + TimeDelta::minutes(5));
    desk.give(Input::MindAlarm { by: officer("li"), alarm: key, shelve_until: until }).unwrap();
    assert_eq!(desk.last_report().seen_by, None);
}

/// Asks, takes the promise, confirms, and compares with what went out; then with what the request says it sent.
fn kept(desk: &mut Desk, level: WarningLevel, prepare_for_m3s: Option<f64>, what: &str) -> (usize, usize) {
    let before = CORE.would_release(&desk.state, level, prepare_for_m3s, desk.water.as_ref());
    let activation = desk.ask(level, prepare_for_m3s);
    let promised = CORE.would_release(&desk.state, level, prepare_for_m3s, desk.water.as_ref());
    let untouched = desk.state.clone();
    let water = desk.water.clone();
    desk.give(Input::Confirm { by: officer("li"), activation, water: water.clone() }).unwrap();
    assert_ne!(untouched, desk.state);
    let was_out = |task: &Task| untouched.tasks.get(&task.id).is_some_and(|task| task.issued_at.is_some());
    let now_out = |task: &&Task| task.issued_at.is_some() && task.is_live() && !was_out(task);
    let taken_back = |task: &&Task| was_out(task) && !task.is_live() && untouched.tasks[&task.id].is_live();
    let those = |of: &dyn Fn(&&Task) -> bool| -> BTreeSet<_> {
        desk.state.tasks.values().filter(of).map(|task| task.id).collect()
    };
    let (issued, ended) = (those(&now_out), those(&taken_back));
    assert_eq!(promised.tasks.len(), issued.len(), "{what}: promised and sent");
    let sent = Released::by(&desk.state.activations[&activation], &desk.state);
    assert_eq!((&sent.tasks, &sent.ended), (&issued, &ended), "{what}");
    assert_eq!((promised.ended.len(), before.ended.len()), (ended.len(), ended.len()), "{what}: promised to take back");
    assert_eq!((&promised.instructions, &promised.people), (&sent.instructions, &sent.people), "{what}");
    assert_eq!(
        (&before.instructions, &before.people),
        (&sent.instructions, &sent.people),
        "{what}: asked from a preview"
    );
    assert_eq!(before.tasks.len(), issued.len(), "{what}: asked from a preview");
    // Nothing is left for the next look at the same water to send or to take back.
    if let Some(water) = water {
        let facts = desk.give(Input::Evaluate { snapshot: (*water).clone(), readings: Vec::new() }).unwrap();
        let moved = |entry: &&Entry| matches!(entry.fact, Fact::Issued { .. } | Fact::Withdrawn { .. });
        assert_eq!(facts.iter().find(moved), None, "{what}: after it");
    }
    (issued.len(), ended.len())
}

#[test]
fn desk_a_request_promises_exactly_what_its_confirmation_sends() {
    for q in [4_200.0, 6_500.0, 9_000.0, 12_000.0, 16_000.0, 22_000.0] {
        let level = CORE.playbook.levels().level_of(q);
        // Prepared for, with nothing in force and low water; and with the drafts of the water itself.
        let mut ahead = Desk::new();
        let (sent, _) = kept(ahead.water(3_000.0), level, Some(q), &format!("{q} ahead"));
        assert!(sent > 20, "{q}: {sent}");
        let mut risen = Desk::new();
        kept(risen.water(q), level, None, &format!("{q} risen"));
        kept(&mut risen, WarningLevel::None, None, &format!("{q} down"));
        let mut half = Desk::new();
        kept(half.water(q), WarningLevel::Blue, Some(q), &format!("{q} by blue alone"));
        kept(half.water(q), level.max(WarningLevel::Yellow), Some(q), &format!("{q} after blue"));
    }
    // The same level for a smaller discharge: what only the greater one called for ends with the release.
    let mut less = Desk::new();
    kept(less.water(5_400.0), WarningLevel::Orange, Some(12_000.0), "12000 ahead");
    let (sent, ended) = kept(&mut less, WarningLevel::Orange, Some(8_000.0), "12000 to 8000");
    assert!(sent > 0 && ended > 200, "{sent} sent, {ended} ended");
    let (back, _) = kept(&mut less, WarningLevel::Orange, Some(12_000.0), "8000 to 12000");
    assert!(back > 200, "{back}");
    let nothing = CORE.would_release(&Desk::new().state, WarningLevel::None, None, None);
    assert_eq!(nothing, Released::default(), "a request that is refused sends nothing");
}

#[test]
fn desk_a_request_keeps_its_promise_whatever_came_before() {
    let levels =
        [WarningLevel::None, WarningLevel::Blue, WarningLevel::Yellow, WarningLevel::Orange, WarningLevel::Red];
    for seed in 1..=4_u64 {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let mut desk = Desk::new();
        let mut way = Vec::new();
        for _ in 0..14 {
            let q = *[2_000.0, 4_300.0, 5_400.0, 7_000.0, 9_500.0, 13_000.0].choose(&mut dice).unwrap();
            let level = *levels.choose(&mut dice).unwrap();
            let prepared =
                *[None, Some(4_500.0), Some(8_000.0), Some(12_000.0), Some(22_000.0)].choose(&mut dice).unwrap();
            way.push(format!("{q}: {level} for {prepared:?}"));
            desk.water(q);
            if CORE.would_release(&desk.state, level, prepared, desk.water.as_ref()) != Released::default() {
                kept(&mut desk, level, prepared, &way.join(", "));
            }
        }
    }
}

type Settles = fn(ActivationId) -> Input;

#[test]
fn desk_the_alarm_of_a_request_ends_with_it() {
    let settle: [(&str, Settles); 4] = [
        ("confirmed", |activation| Input::Confirm { by: officer("li"), activation, water: None }),
        ("refused", |activation| Input::Refuse { by: officer("li"), activation, reason: "水在退".into() }),
        ("alone", |activation| Input::BreakGlass {
            by: officer("zhang"),
            activation,
            reason: "无人应答".into(),
            water: None,
        }),
        ("expired", |_| Input::Tick),
    ];
    for (how, input) in settle {
        let mut desk = Desk::new();
        let activation = desk.water(4_500.0).ask(WarningLevel::Blue, None);
        let key = format!("request:{activation}");
        let settings = desk.state.settings.clone();
        desk.after(i64::from(settings.deputies_after_s));
        assert!(!desk.state.alarms[&key].closed, "{how}");
        if how == "expired" {
            desk.after(i64::from(settings.expires_after_s));
            let told = &desk.state.alarms[&format!("expired:{activation}")];
            assert!(!told.closed && told.title.zh.contains("已失效"), "{how}");
        } else {
            desk.give(input(activation)).unwrap();
        }
        assert!(desk.state.alarms[&key].closed, "{how}");
        assert_eq!(desk.state.pending, None, "{how}");
    }
}
