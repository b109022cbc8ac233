//! Rows against situations: three values, places, hazards one by one, phases.
#![allow(clippy::unwrap_used)]

use super::evaluate::Verdict;
use super::snapshot::Snapshot;
use super::testing::{at, demo, edition, reach, row};
use super::truth::Truth::{self, False, True, Unknown};
use crate::model::{Hazard, OrderGiven, PlaceId, ReportId, Standing, WarningLevel};
use proptest::prelude::*;

fn key(text: &str) -> super::SignalKey {
    text.parse().unwrap()
}
fn sensed(values: &[(&str, Option<&str>, f64)]) -> Snapshot {
    let mut snapshot = Snapshot::new(at(0.0));
    for (signal, place, value) in values {
        match place {
            None => snapshot.set(key(signal), *value),
            Some(place) => snapshot.set_at(key(signal), PlaceId::new(place), *value),
        }
    }
    snapshot
}
fn hazard(kind: &str, grade: u8, places: &[&str]) -> Hazard {
    let places = places.iter().map(PlaceId::new).collect();
    Hazard {
        report: ReportId(1),
        kind: kind.into(),
        grade,
        places,
        reported_at: at(0.0),
        resolved: false,
        false_alarm: false,
    }
}
fn with_hazards(hazards: Vec<Hazard>) -> Standing {
    Standing { event_open: true, hazards, ..Standing::default() }
}
fn order(name: &str, place: Option<&str>) -> OrderGiven {
    OrderGiven { name: name.into(), place: place.map(PlaceId::new), at: at(0.0) }
}
fn with_orders(orders: Vec<OrderGiven>) -> Standing {
    Standing { event_open: true, orders, ..Standing::default() }
}
fn verdicts(scope: &str, trigger: &str, snapshot: &Snapshot, standing: &Standing) -> Vec<Verdict> {
    edition(&[row("H-001", scope, trigger, "")]).evaluate(snapshot, standing, &reach())
}
/// The verdict that holds for a place.
fn here(verdicts: &[Verdict], place: &str) -> Truth {
    let own = verdicts.iter().find(|verdict| verdict.place.as_ref().is_some_and(|id| id.as_str() == place));
    own.unwrap_or_else(|| verdicts.iter().find(|verdict| verdict.place.is_none()).unwrap()).truth
}

#[test]
fn playbook_unknown_is_neither_true_nor_false() {
    let quiet = Standing::default();
    for (trigger, values, expected) in [
        ("q>=4000", vec![("q", None, 4000.0)], True),
        ("q>=4000", vec![("q", None, 3999.9)], False),
        ("q>=4000", vec![], Unknown),
        ("q>=4000 or qf(24)>=4000", vec![("q", None, 5000.0)], True),
        ("q>=4000 or qf(24)>=4000", vec![("q", None, 3000.0)], Unknown),
        ("q>=4000 and night()", vec![("q", None, 3000.0)], False),
        ("q>=4000 and night()", vec![("q", None, 4000.0)], Unknown),
        ("q>22000", vec![("q", None, 22000.0)], False),
        ("q>=4000", vec![("q", None, f64::NAN)], Unknown),
    ] {
        let found = verdicts("hq", trigger, &sensed(&values), &quiet);
        assert_eq!(here(&found, "hq"), expected, "{trigger} {values:?}");
    }
    let waiting = verdicts("hq", "q>=4000 and (night() or qf(12)>=8000)", &sensed(&[("q", None, 5000.0)]), &quiet);
    assert_eq!(waiting[0].unknown, ["night()", "qf(12)"]);
}

#[test]
fn playbook_a_lower_bound_can_only_raise() {
    let mut snapshot = Snapshot::new(at(0.0));
    snapshot.set_at_least(key("qf(48)"), 9000.0);
    let quiet = Standing::default();
    assert_eq!(here(&verdicts("hq", "qf(48)>=8000", &snapshot, &quiet), "hq"), True);
    assert_eq!(here(&verdicts("hq", "qf(48)>=10000", &snapshot, &quiet), "hq"), Unknown);
    assert_eq!(here(&verdicts("hq", "qf(48)<10000", &snapshot, &quiet), "hq"), Unknown);
    assert_eq!(here(&verdicts("hq", "qf(48)<8000", &snapshot, &quiet), "hq"), False);
}

#[test]
fn playbook_rearming_threshold_lies_ten_percent_on_the_safe_side() {
    let quiet = Standing::default();
    for (trigger, value, truth, still) in [
        ("q>=4000", 4000.0, True, True),
        ("q>=4000", 3600.0, False, True),
        ("q>=4000", 3599.0, False, False),
        ("q<4000", 4300.0, False, True),
        ("q<4000", 4400.0, False, False),
    ] {
        let found = verdicts("hq", trigger, &sensed(&[("q", None, value)]), &quiet);
        assert_eq!((found[0].truth, found[0].still), (truth, still), "{trigger} at {value}");
    }
}

#[test]
fn playbook_local_values_speak_for_their_places() {
    let quiet = Standing::default();
    let found = verdicts(
        "levee_segment",
        "toe>=1.0",
        &sensed(&[("toe", Some("seg-2"), 1.2), ("toe", Some("seg-3"), 0.1)]),
        &quiet,
    );
    assert_eq!([here(&found, "seg-1"), here(&found, "seg-2"), here(&found, "seg-3")], [Unknown, True, False]);
    // A dam's stone speaks for its work, the other work is not known.
    let found = verdicts(
        "vulnerable_spot",
        "stone_alarm(\"move\")",
        &sensed(&[("stone_alarm(\"move\")", Some("dam-a2"), 1.0), ("stone_alarm(\"move\")", Some("dam-a1"), 0.0)]),
        &quiet,
    );
    assert_eq!([here(&found, "work-a"), here(&found, "work-b")], [True, Unknown]);
    // A segment's freeboard speaks for the work along it; a community and the headquarters take the smallest.
    let freeboards = sensed(&[("z_crest_gap", Some("seg-1"), 2.0), ("z_crest_gap", Some("seg-3"), 0.8)]);
    let found = verdicts("vulnerable_spot", "z_crest_gap<1.0", &freeboards, &quiet);
    assert_eq!([here(&found, "work-a"), here(&found, "work-b")], [False, True]);
    assert_eq!(here(&verdicts("community", "z_crest_gap<1.0", &freeboards, &quiet), "cell-c1"), True);
    assert_eq!(here(&verdicts("hq", "z_crest_gap<1.0", &freeboards, &quiet), "hq"), True);
    // A work's crest stands in front of the levee: it is no cause to clear the town, and the levee's says nothing of a training work.
    let crests = sensed(&[("overtop(6)", Some("seg-1"), 2.0), ("overtop(6)", Some("work-a"), -0.4)]);
    let overtops = |scope: &str| verdicts(scope, "overtop(6)<0.5", &crests, &quiet);
    assert_eq!(here(&overtops("vulnerable_spot"), "work-a"), True);
    assert_eq!([here(&overtops("community"), "cell-c1"), here(&overtops("hq"), "hq")], [False, False]);
    assert_eq!(
        [here(&overtops("levee_segment"), "seg-1"), here(&overtops("levee_segment"), "seg-2")],
        [False, Unknown]
    );
    // Far below the crest everywhere but at one segment.
    let mut far = sensed(&[("overtop(6)", Some("seg-2"), 0.4)]);
    far.set_at_least(key("overtop(6)"), 4.0);
    let found = verdicts("levee_segment", "overtop(6)<0.5", &far, &quiet);
    assert_eq!([here(&found, "seg-1"), here(&found, "seg-2")], [False, True]);
    assert_eq!(here(&verdicts("hq", "overtop(6)<0.5", &far, &quiet), "hq"), True);
    assert_eq!(here(&verdicts("hq", "overtop(6)<0.3", &far, &quiet), "hq"), False);
    // What is told as the cause is what counted.
    let counted = |place: &str, wide| far.counted(&key("overtop(6)"), &PlaceId::new(place), wide, &reach());
    assert_eq!(
        [counted("seg-1", false), counted("cell-c1", false), counted("hq", true)],
        [Some(4.0), Some(0.4), Some(0.4)]
    );
    // Quiet everywhere but on one dam.
    let stones = sensed(&[("stone_count_alarm(30)", None, 0.0), ("stone_count_alarm(30)", Some("dam-b1"), 3.0)]);
    let found = verdicts("vulnerable_spot", "stone_count_alarm(30)>=3", &stones, &quiet);
    assert_eq!([here(&found, "work-a"), here(&found, "work-b")], [False, True]);
    assert_eq!(here(&verdicts("hq", "stone_count_alarm(30)>=3", &stones, &quiet), "hq"), True);
    // A village's depth says nothing about another village.
    let found = verdicts(
        "floodplain_village",
        "depth_village>0.5",
        &sensed(&[("depth_village", Some("village-1"), 0.9)]),
        &quiet,
    );
    assert_eq!([here(&found, "village-1"), here(&found, "village-2")], [True, Unknown]);
}

#[test]
fn playbook_orders_hold_where_they_were_given() {
    let snapshot = sensed(&[]);
    let evac = "order(\"evac\")";
    let one = with_orders(vec![order("evac", Some("village-1"))]);
    let found = verdicts("floodplain_village", evac, &snapshot, &one);
    assert_eq!([here(&found, "village-1"), here(&found, "village-2")], [True, False]);
    assert_eq!(here(&verdicts("shelter", evac, &snapshot, &one), "shelter-1"), True);
    assert_eq!(here(&verdicts("hq", evac, &snapshot, &one), "hq"), True);
    let all = with_orders(vec![order("evac", None)]);
    assert_eq!(here(&verdicts("floodplain_village", evac, &snapshot, &all), "village-2"), True);
    assert_eq!(here(&verdicts("hq", evac, &snapshot, &Standing::default()), "hq"), False);
    let away = with_orders(vec![order("retreat", Some("seg-2"))]);
    let found = verdicts("levee_segment", "order(\"retreat\")", &snapshot, &away);
    assert_eq!([here(&found, "seg-1"), here(&found, "seg-2")], [False, True]);
}

#[test]
fn playbook_hazards_are_judged_one_by_one() {
    let snapshot = sensed(&[]);
    let two = with_hazards(vec![hazard("piping", 1, &["seg-1"]), hazard("slide", 3, &["seg-1"])]);
    let at_seg_1 =
        |trigger: &str, standing: &Standing| here(&verdicts("levee_segment", trigger, &snapshot, standing), "seg-1");
    assert_eq!(at_seg_1("hazard(\"piping\") and grade>=3", &two), False);
    assert_eq!(at_seg_1("hazard(\"slide\") and grade>=3", &two), True);
    assert_eq!(here(&verdicts("levee_segment", "hazard(\"any\")", &snapshot, &two), "seg-2"), False);
    assert_eq!(here(&verdicts("hq", "grade>=3", &snapshot, &two), "hq"), True);
    // `any` means works, not people.
    let people = with_hazards(vec![hazard("sos", 3, &["seg-1"])]);
    assert_eq!(at_seg_1("hazard(\"any\")", &people), False);
    assert_eq!(at_seg_1("hazard(\"sos\")", &people), True);
    // What is resolved or was nothing is no hazard any more, except to those who ask.
    let mut done = hazard("piping", 2, &["seg-1"]);
    done.resolved = true;
    let mut nothing = hazard("crack", 1, &["seg-1"]);
    nothing.false_alarm = true;
    let closed = with_hazards(vec![done, nothing]);
    assert_eq!(at_seg_1("hazard(\"piping\")", &closed), False);
    assert_eq!(at_seg_1("hazard(\"crack\")", &closed), False);
    assert_eq!(at_seg_1("hazard(\"any\") and resolved()", &closed), True);
    assert_eq!(at_seg_1("false_alarm()", &closed), True);
    // Nowhere in particular: everyone looks. A breach on a segment concerns every community.
    assert_eq!(at_seg_1("hazard(\"breach\")", &with_hazards(vec![hazard("breach", 3, &[])])), True);
    let breach = with_hazards(vec![hazard("breach", 3, &["seg-3"])]);
    assert_eq!(here(&verdicts("community", "hazard(\"breach\")", &snapshot, &breach), "cell-c1"), True);
    // No works there: the nearest works' people look.
    let loss = with_hazards(vec![hazard("toe_stone_loss", 2, &["seg-3"])]);
    let found = verdicts("vulnerable_spot", "hazard(\"toe_stone_loss\")", &snapshot, &loss);
    assert_eq!([here(&found, "work-a"), here(&found, "work-b")], [False, True]);
}

#[test]
fn playbook_stop_waits_for_every_hazard_of_the_row() {
    let seepage =
        edition(&[row("H-005", "levee_segment", "hazard(\"seepage\")", "repeat_min = 60\nstop_when = 'resolved()'")]);
    let stop = |hazards: Vec<Hazard>| {
        let found = seepage.evaluate(&sensed(&[]), &with_hazards(hazards), &reach());
        found
            .iter()
            .find(|verdict| verdict.place.as_ref().is_some_and(|id| id.as_str() == "seg-1"))
            .unwrap_or(&found[0])
            .stop
    };
    let open = || hazard("seepage", 1, &["seg-1"]);
    let closed = || Hazard { resolved: true, ..open() };
    assert_eq!(stop(vec![open()]), False);
    assert_eq!(stop(vec![open(), closed()]), False);
    assert_eq!(stop(vec![closed(), closed()]), True);
    // Another kind's end does not end it.
    assert_eq!(stop(vec![open(), Hazard { resolved: true, ..hazard("slide", 1, &["seg-1"]) }]), False);
    assert_eq!(stop(vec![]), False);
}

#[test]
fn playbook_phases_are_conditions() {
    let of = |phase: &str, standing: &Standing| {
        let rows = [row("H-001", "hq", "q>=1", &format!("phase = \"{phase}\""))];
        edition(&rows).evaluate(&sensed(&[("q", None, 5.0)]), standing, &reach())[0].truth
    };
    let quiet = Standing::default();
    let open = Standing { event_open: true, in_force: WarningLevel::Blue, ..Standing::default() };
    let lowering = Standing { lowering: true, ..open.clone() };
    assert_eq!(["prepare", "alert", "respond", "withdraw"].map(|phase| of(phase, &quiet)), [True, True, True, False]);
    assert_eq!(["prepare", "alert", "respond", "withdraw"].map(|phase| of(phase, &open)), [False, True, True, False]);
    assert_eq!(
        ["prepare", "alert", "respond", "withdraw"].map(|phase| of(phase, &lowering)),
        [False, True, True, True]
    );
}

#[test]
fn playbook_levels_and_intrusion_are_answered() {
    let orange = Standing { in_force: WarningLevel::Orange, ..Standing::default() };
    assert_eq!(here(&verdicts("hq", "level(\"II\")", &sensed(&[]), &orange), "hq"), True);
    assert_eq!(here(&verdicts("hq", "level(\"I\")", &sensed(&[]), &orange), "hq"), False);
    // Without a camera nobody knows; a registered notice says so.
    assert_eq!(here(&verdicts("hq", "intrusion(\"river\")", &sensed(&[]), &orange), "hq"), Unknown);
    let noticed = with_orders(vec![order("intrusion_river", None)]);
    assert_eq!(here(&verdicts("hq", "intrusion(\"river\")", &sensed(&[]), &noticed), "hq"), True);
    let seen = sensed(&[("intrusion(\"river\")", None, 0.0)]);
    assert_eq!(here(&verdicts("hq", "intrusion(\"river\")", &seen, &orange), "hq"), False);
}

#[test]
fn playbook_all_demo_rows_are_judged_in_order() {
    let playbook = demo();
    let found = playbook.evaluate(
        &sensed(&[("q", None, 9000.0)]),
        &Standing { event_open: true, ..Standing::default() },
        &reach(),
    );
    let rows: Vec<usize> = found.iter().filter(|verdict| verdict.place.is_none()).map(|verdict| verdict.row).collect();
    assert_eq!(rows, (0..390).collect::<Vec<_>>());
    assert!(found.is_sorted_by_key(|verdict| (verdict.row, verdict.place.clone())));
}

proptest! {
    /// Whatever is taken away from what is known, nothing becomes true by it, and nothing false becomes true.
    #[test]
    fn playbook_less_knowledge_never_fires(
        q in 0.0f64..30000.0,
        toe in 0.0f64..6.0,
        gap in -1.0f64..5.0,
        drop in prop::collection::vec(any::<bool>(), 60),
    ) {
        let playbook = demo();
        let mut whole = Snapshot::new(at(0.0));
        for key in playbook.signals() {
            let value = match key.name() {
                "q" | "qf" => q,
                "toe" | "toe_eta" => toe,
                "overtop" | "z_crest_gap" => gap,
                _ => 1.0,
            };
            whole.set(key, value);
        }
        let mut less = whole.clone();
        for (key, is_dropped) in playbook.signals().into_iter().zip(drop) {
            if is_dropped {
                less.values.remove(&key);
            }
        }
        let standing = Standing { event_open: true, lowering: true, ..Standing::default() };
        let (full, part) = (playbook.truths(&whole, &standing), playbook.truths(&less, &standing));
        for (row, (full, part)) in full.iter().zip(&part).enumerate() {
            prop_assert!(*part == Unknown || part == full, "row {row}: {full:?} became {part:?}");
            prop_assert!(*full != Unknown);
        }
    }
}
