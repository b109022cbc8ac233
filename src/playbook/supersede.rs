//! Rows that replace others: only the strictest rhythm, the highest order, the withdrawal stands.

use super::edition::Playbook;
use super::local::related;
use crate::model::{PlaceId, Reach};
use std::collections::{BTreeMap, BTreeSet};

/// Those of the fired (row, place) pairs that no other fired pair replaces.
///
/// A pair replaces the rows it names at its own place. Where the two scopes differ it replaces at places that are part of
/// its place, that its place is part of, or that overlap it along the levee; rows of scope `hq` and `all`, and a row fired
/// at every place of its scope, replace everywhere. A replaced row still replaces others while it is fired; hand in only
/// rows that have not stopped.
pub fn supersede(fired: &BTreeSet<(usize, PlaceId)>, playbook: &Playbook, reach: &Reach) -> BTreeSet<(usize, PlaceId)> {
    let mut places: BTreeMap<usize, Vec<&PlaceId>> = BTreeMap::new();
    for (row, place) in fired {
        places.entry(*row).or_default().push(place);
    }
    let replacers = replacers(playbook, &places);
    let stands = |row: usize, place: &PlaceId| {
        let Some(by) = replacers.get(&row) else { return true };
        !by.iter().any(|replacer| replaces(*replacer, row, place, &places, playbook, reach))
    };
    fired.iter().filter(|(row, place)| stands(*row, place)).cloned().collect()
}

/// Fired rows that no other fired row names, every row taken as fired wherever it applies.
pub(super) fn supersede_rows(fired: &BTreeSet<usize>, playbook: &Playbook) -> BTreeSet<usize> {
    let rows = &playbook.parts().rows;
    let replaced: BTreeSet<usize> =
        fired.iter().filter_map(|row| rows.get(*row)).flat_map(|row| row.supersedes.iter().copied()).collect();
    fired.difference(&replaced).copied().collect()
}

/// Replaced row → fired rows that name it.
fn replacers(playbook: &Playbook, fired: &BTreeMap<usize, Vec<&PlaceId>>) -> BTreeMap<usize, Vec<usize>> {
    let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for number in fired.keys() {
        if let Some(row) = playbook.parts().rows.get(*number) {
            for replaced in &row.supersedes {
                found.entry(*replaced).or_default().push(*number);
            }
        }
    }
    found
}

fn replaces(
    replacer: usize,
    row: usize,
    place: &PlaceId,
    fired: &BTreeMap<usize, Vec<&PlaceId>>,
    playbook: &Playbook,
    reach: &Reach,
) -> bool {
    let scope_of = |number: usize| playbook.instructions().get(number).map_or("", |row| row.scope.as_str());
    let scope = scope_of(replacer);
    let Some(at) = fired.get(&replacer) else { return false };
    if matches!(scope, "hq" | "all") {
        return true;
    }
    if scope == scope_of(row) {
        return at.binary_search(&place).is_ok();
    }
    at.len() >= reach.places_of_scope(scope).len() || at.iter().any(|other| related(other, place, reach))
}
