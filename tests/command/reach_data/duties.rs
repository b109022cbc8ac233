//! Whoever the playbook asks for is there: every role at every place of every scope, with a deputy, and bearable.

use super::{demo, make_reach};
use anlan::app::editions::embedded_playbook;
use anlan::model::{PlaceId, Standing};
use anlan::playbook::{Playbook, preview};
use std::collections::{BTreeMap, BTreeSet};

fn playbook() -> Playbook {
    Playbook::load("demo", &embedded_playbook()).unwrap()
}

#[test]
fn the_generator_knows_every_role_and_scope_of_the_playbook() {
    let playbook = playbook();
    let used: BTreeSet<_> = playbook.instructions().iter().map(|row| (row.scope.clone(), row.role.clone())).collect();
    let known = make_reach::scopes::SCOPES.iter();
    let known: BTreeSet<_> = known
        .flat_map(|(scope, roles)| roles.iter().map(|(role, _)| ((*scope).to_owned(), (*role).to_owned())))
        .collect();
    assert_eq!(used, known);
}

#[test]
fn every_role_of_the_playbook_has_owner_and_deputy_at_every_place_of_its_scope() {
    let data = demo();
    let own_rows: BTreeSet<_> =
        data.reach.duty_rows().map(|(role, place, ..)| (role.to_owned(), place.clone())).collect();
    for row in playbook().instructions() {
        let places = data.reach.places_of_scope(&row.scope);
        assert!(!places.is_empty(), "{}: no place answers {}", row.code, row.scope);
        for place in places {
            assert!(
                own_rows.contains(&(row.role.clone(), place.clone())),
                "{}: {} at {place} has no row of its own",
                row.code,
                row.role
            );
            let (owner, deputy) = data.reach.on_duty(&row.role, place).unwrap();
            assert_ne!(owner, deputy, "{} at {place}", row.role);
        }
    }
}

#[test]
fn a_place_that_a_site_adds_later_is_not_without_an_owner() {
    let data = demo();
    for row in playbook().instructions() {
        assert!(data.reach.on_duty(&row.role, &PlaceId::new("cell-of-tomorrow")).is_some(), "{}", row.role);
    }
}

/// At 22 000 m³/s the town has some 1500 tasks; no one owns more than a night can hold, spread over most of the 294.
#[test]
fn the_load_of_the_largest_flood_is_spread() {
    let data = demo();
    let playbook = playbook();
    let now = "2026-07-28T06:32:00Z".parse().unwrap();
    let shown = preview(&playbook, &data.reach, 22_000.0, Some((24.0, 22_000.0)), now, &Standing::default());
    let mut of_owner: BTreeMap<_, usize> = BTreeMap::new();
    for (row, place) in &shown.tasks {
        let role = &playbook.instructions()[*row].role;
        *of_owner.entry(data.reach.on_duty(role, place).unwrap().0.clone()).or_default() += 1;
    }
    let most = of_owner.values().max().unwrap();
    println!(
        "{} rows, {} tasks, {} owners, at most {most} tasks each",
        shown.fires.len(),
        shown.tasks.len(),
        of_owner.len()
    );
    assert!((700..=2500).contains(&shown.tasks.len()), "{} tasks", shown.tasks.len());
    assert!(*most <= 45, "{of_owner:?}");
    assert!(of_owner.len() >= 150, "{} owners", of_owner.len());
}

#[test]
fn a_segment_is_walked_by_people_who_stand_on_it() {
    let data = demo();
    for segment in data.reach.places_of_scope("levee_segment") {
        let (owner, deputy) = data.reach.on_duty("patrol_team", segment).unwrap();
        for id in [owner, deputy] {
            let member = data.reach.member(id).unwrap();
            assert_eq!(member.post, *segment, "{id}");
        }
    }
    for cell in data.reach.places_of_scope("all") {
        let (owner, _) = data.reach.on_duty("grid_member", cell).unwrap();
        assert_eq!(data.reach.member(owner).unwrap().post, *cell);
    }
}
