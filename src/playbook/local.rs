//! Which places a local value, an order or a hazard speaks for.

use super::signal::{SignalKey, Worst};
use crate::model::{Hazard, Place, PlaceId, PlaceKind, Reach};
use std::collections::BTreeMap;

/// The values of one signal at single places.
#[derive(Debug, Clone)]
pub(super) struct LocalValues {
    own: BTreeMap<PlaceId, f64>,
    /// Lifted from the parts of a place to the place.
    lifted: BTreeMap<PlaceId, f64>,
    /// Places with a value that lie along the levee: from, to, value.
    stretches: Vec<(f64, f64, f64)>,
    worst_of_all: Option<f64>,
    worst: Worst,
    is_order: bool,
    /// Crests: the one of a work in front of the levee says nothing of the levee, nor the levee's of it.
    is_crest: bool,
}

impl LocalValues {
    pub fn sensed(key: &SignalKey, values: &BTreeMap<PlaceId, f64>, reach: &Reach) -> Self {
        let worst = key.spec().map_or(Worst::Max, |spec| spec.worst);
        Self::new(values.clone(), worst, (false, matches!(key.name(), "overtop" | "z_crest_gap")), reach)
    }
    pub fn orders(places: Vec<&PlaceId>, reach: &Reach) -> Self {
        Self::new(places.into_iter().map(|place| (place.clone(), 1.0)).collect(), Worst::Max, (true, false), reach)
    }

    fn new(own: BTreeMap<PlaceId, f64>, worst: Worst, (is_order, is_crest): (bool, bool), reach: &Reach) -> Self {
        let mut lifted: BTreeMap<PlaceId, f64> = BTreeMap::new();
        let mut stretches = Vec::new();
        let mut worst_of_all = None;
        for (id, value) in &own {
            let place = reach.place(id);
            if is_crest && place.is_some_and(|place| is_work(place.kind)) {
                continue;
            }
            worst_of_all = Some(worst_of_all.map_or(*value, |known| worse(worst, known, *value)));
            stretches.extend(place.and_then(stretch).map(|(from, to)| (from, to, *value)));
            let mut above = place.and_then(|place| place.parent.as_ref());
            let mut steps = 0;
            while let Some(parent) = above
                && steps < DEPTH_MAX
            {
                lifted
                    .entry(parent.clone())
                    .and_modify(|known| *known = worse(worst, *known, *value))
                    .or_insert(*value);
                above = reach.place(parent).and_then(|place| place.parent.as_ref());
                steps += 1;
            }
        }
        Self { own, lifted, stretches, worst_of_all, worst, is_order, is_crest }
    }

    /// The worst of all values.
    pub fn worst_of_all(&self) -> Option<f64> {
        self.worst_of_all
    }

    /// The value at a place, `None` where nothing speaks for it.
    pub fn at(&self, id: &PlaceId, reach: &Reach) -> Option<f64> {
        if let Some(value) = self.own.get(id).or_else(|| self.lifted.get(id)) {
            return Some(*value);
        }
        let place = reach.place(id)?;
        self.above(place, reach).or_else(|| self.alongside(place)).or_else(|| self.far_off(place))
    }

    fn above(&self, place: &Place, reach: &Reach) -> Option<f64> {
        let mut above = place.parent.as_ref();
        for _ in 0..DEPTH_MAX {
            let parent = above?;
            if let Some(value) = self.own.get(parent) {
                return Some(*value);
            }
            above = reach.place(parent).and_then(|place| place.parent.as_ref());
        }
        None
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
        let carried = self.is_order && self.own.keys().any(|id| reach_kind_same(id, place));
        if is_away && !carried { self.worst_of_all() } else { None }
    }
}

/// Longest chain of parents that is followed.
const DEPTH_MAX: usize = 8;

/// Ids carry their kind before the first hyphen, so two of a kind can be told apart from two of different kinds.
fn reach_kind_same(id: &PlaceId, place: &Place) -> bool {
    let kind_of = |id: &PlaceId| id.as_str().split('-').next().unwrap_or("").to_owned();
    kind_of(id) == kind_of(&place.id)
}

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
    let mut above = reach.place(part).and_then(|place| place.parent.as_ref());
    for _ in 0..DEPTH_MAX {
        match above {
            None => return false,
            Some(parent) if parent == whole => return true,
            Some(parent) => above = reach.place(parent).and_then(|place| place.parent.as_ref()),
        }
    }
    false
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
