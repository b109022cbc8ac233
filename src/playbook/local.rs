//! Which places a local value, an order or a hazard speaks for.

use super::signal::{SignalKey, Worst};
use crate::model::{Hazard, Place, PlaceId, PlaceKind, Reach};
use std::collections::{BTreeMap, BTreeSet};

/// The values of one signal at single places, by their numbers in the reach; NaN where there is none.
#[derive(Debug, Clone)]
pub(super) struct LocalValues {
    own: Vec<f64>,
    /// Lifted from the parts of a place to the place.
    lifted: Vec<f64>,
    /// Places with a value that lie along the levee: from, to, value.
    stretches: Vec<(f64, f64, f64)>,
    worst_of_all: Option<f64>,
    worst: Worst,
    /// Of an order: the kinds of the places that carry it.
    carriers: Option<BTreeSet<String>>,
    /// Crests: the one of a work in front of the levee says nothing of the levee, nor the levee's of it.
    is_crest: bool,
}

impl LocalValues {
    pub fn sensed(key: &SignalKey, values: &BTreeMap<PlaceId, f64>, reach: &Reach) -> Self {
        let worst = key.spec().map_or(Worst::Max, |spec| spec.worst);
        let is_crest = matches!(key.name(), "overtop" | "z_crest_gap");
        Self::new(values.iter().map(|(place, value)| (place, *value)), (worst, is_crest, None), reach)
    }
    pub fn orders(places: Vec<&PlaceId>, reach: &Reach) -> Self {
        let kinds = places.iter().map(|id| kind_of(id).to_owned()).collect();
        Self::new(places.into_iter().map(|place| (place, 1.0)), (Worst::Max, false, Some(kinds)), reach)
    }

    fn new<'v>(
        values: impl Iterator<Item = (&'v PlaceId, f64)>,
        (worst, is_crest, carriers): (Worst, bool, Option<BTreeSet<String>>),
        reach: &Reach,
    ) -> Self {
        let nothing = vec![f64::NAN; reach.places().len()];
        let (mut own, mut lifted) = (nothing.clone(), nothing);
        let mut stretches = Vec::new();
        let mut worst_of_all = f64::NAN;
        for (id, value) in values {
            let number = reach.number(id);
            put(&mut own, number, |_| value);
            let place = number.and_then(|number| reach.numbered(number));
            if is_crest && place.is_some_and(|place| is_work(place.kind)) {
                continue;
            }
            worst_of_all = worse(worst, worst_of_all, value);
            stretches.extend(place.and_then(stretch).map(|(from, to)| (from, to, value)));
            for above in above(number, reach) {
                put(&mut lifted, Some(above), |known| worse(worst, known, value));
            }
        }
        let worst_of_all = known(worst_of_all);
        Self { own, lifted, stretches, worst_of_all, worst, carriers, is_crest }
    }

    /// The worst of all values.
    pub fn worst_of_all(&self) -> Option<f64> {
        self.worst_of_all
    }

    /// The value at a place of the reach, `None` where nothing speaks for it.
    pub fn at(&self, number: usize, reach: &Reach) -> Option<f64> {
        let of = |values: &[f64], number: usize| values.get(number).copied().and_then(known);
        if let Some(value) = of(&self.own, number).or_else(|| of(&self.lifted, number)) {
            return Some(value);
        }
        let place = reach.numbered(number)?;
        let from_above = || above(Some(number), reach).find_map(|above| of(&self.own, above));
        from_above().or_else(|| self.alongside(place)).or_else(|| self.far_off(place))
    }

    fn alongside(&self, place: &Place) -> Option<f64> {
        let (from, to) = stretch(place).filter(|_| !(self.is_crest && place.kind == PlaceKind::TrainingWork))?;
        let overlapping =
            self.stretches.iter().filter(|(other_from, other_to, _)| *other_from < to && from < *other_to);
        overlapping.map(|(_, _, value)| *value).reduce(|a, b| worse(self.worst, a, b))
    }

    /// Places away from the levee line answer to the worst of all; so does an order that no place of the scope carries.
    fn far_off(&self, place: &Place) -> Option<f64> {
        let is_away = !is_on_line(place.kind);
        let is_carried = self.carriers.as_ref().is_some_and(|kinds| kinds.contains(kind_of(&place.id)));
        if is_away && !is_carried { self.worst_of_all() } else { None }
    }
}

fn known(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

fn put(values: &mut [f64], number: Option<usize>, with: impl FnOnce(f64) -> f64) {
    if let Some(value) = number.and_then(|number| values.get_mut(number)) {
        *value = with(*value);
    }
}

/// What a place is part of, from the nearest upwards.
fn above(number: Option<usize>, reach: &Reach) -> impl Iterator<Item = usize> {
    std::iter::successors(number, |number| reach.parent(*number)).skip(1).take(DEPTH_MAX)
}

/// Longest chain of parents that is followed.
const DEPTH_MAX: usize = 8;

/// Ids carry their kind before the first hyphen.
fn kind_of(id: &PlaceId) -> &str {
    id.as_str().split('-').next().unwrap_or("")
}

/// The more dangerous of two values; of NaN and a value, the value.
fn worse(worst: Worst, a: f64, b: f64) -> f64 {
    match worst {
        Worst::Max => a.max(b),
        Worst::Min => a.min(b),
    }
}

/// Works that stand in front of the levee.
fn is_work(kind: PlaceKind) -> bool {
    matches!(kind, PlaceKind::VulnerableWork | PlaceKind::TrainingWork | PlaceKind::Dam)
}

fn stretch(place: &Place) -> Option<(f64, f64)> {
    place.chainage_from_m.zip(place.chainage_to_m)
}

/// Whether places of this kind lie along the levee or in the floodplain, where a value of another place says nothing.
fn is_on_line(kind: PlaceKind) -> bool {
    matches!(
        kind,
        PlaceKind::Segment
            | PlaceKind::VulnerableWork
            | PlaceKind::TrainingWork
            | PlaceKind::Dam
            | PlaceKind::Village
            | PlaceKind::Farm
            | PlaceKind::Bridge
            | PlaceKind::Gate
            | PlaceKind::Scenic
    )
}

/// Whether two places are the same, one part of the other, or overlap along the levee.
pub(super) fn related(a: &PlaceId, b: &PlaceId, reach: &Reach) -> bool {
    if a == b || is_part_of(a, b, reach) || is_part_of(b, a, reach) {
        return true;
    }
    let stretch_of = |id: &PlaceId| reach.place(id).and_then(stretch);
    match (stretch_of(a), stretch_of(b)) {
        (Some((a_from, a_to)), Some((b_from, b_to))) => a_from < b_to && b_from < a_to,
        _ => false,
    }
}

fn is_part_of(part: &PlaceId, whole: &PlaceId, reach: &Reach) -> bool {
    let whole = reach.number(whole);
    above(reach.number(part), reach).any(|above| Some(above) == whole)
}

/// Whether a hazard concerns a place of a scope: it names the place; it is nowhere in particular; or it names no place of
/// that scope at all, then it concerns every place away from the levee line, and on the line the nearest one.
pub(super) fn touches(hazard: &Hazard, scope: &str, place: &PlaceId, reach: &Reach) -> bool {
    if hazard.places.is_empty() || hazard.places.contains(place) {
        return true;
    }
    let of_scope = reach.places_of_scope(scope);
    if hazard.places.iter().any(|touched| of_scope.binary_search(touched).is_ok()) {
        return false;
    }
    match reach.place(place) {
        Some(here) if is_on_line(here.kind) => nearest(hazard, of_scope, reach) == Some(place),
        Some(_) => true,
        None => false,
    }
}

fn nearest<'r>(hazard: &Hazard, of_scope: &'r [PlaceId], reach: &Reach) -> Option<&'r PlaceId> {
    let from = hazard.places.iter().find_map(|id| reach.place(id))?;
    let squared = |place: &Place| {
        let east = (place.lon - from.lon) * from.lat.to_radians().cos();
        let north = place.lat - from.lat;
        east * east + north * north
    };
    let places = of_scope.iter().filter_map(|id| reach.place(id).map(|place| (id, squared(place))));
    places.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(id, _)| id)
}
