//! A reach: its places, its people and its duty table, with the questions that the command asks of them.

use super::{DutyRow, Member, MemberId, Place, PlaceId, PlaceKind, Spot};
use std::collections::BTreeMap;

/// A position farther than this from every place in the field is outside the reach, in m.
const NEAR_M: f64 = 3000.0;
/// Length of a degree of latitude, in m.
const METRES_PER_DEGREE: f64 = 111_320.0;

/// What is wrong with a reach's data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReachError {
    /// The same id stands twice.
    #[error("{kind} {id} 重复 ({file}: {kind} {id} appears twice)")]
    Duplicate {
        /// File the second one stands in.
        file: String,
        /// Member, place, ….
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// A reference leads nowhere.
    #[error("{owner} 所指的 {kind} {id} 不存在 ({file}: {owner} names {kind} {id}, which does not exist)")]
    Dangling {
        /// File of the reference.
        file: String,
        /// Who names it.
        owner: String,
        /// Member, place, ….
        kind: &'static str,
        /// The missing id.
        id: String,
    },
}

/// Places, people and duties of one stretch of river, indexed.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// By id; the position of a place is its number.
    places: Vec<Place>,
    /// By number: the number of the place that it is part of.
    parents: Vec<Option<usize>>,
    members: BTreeMap<MemberId, Member>,
    duty: BTreeMap<(String, PlaceId), (MemberId, MemberId)>,
    by_scope: BTreeMap<String, Scope>,
}

/// The places that answer one scope, in the order of their ids.
#[derive(Debug, Clone, Default)]
struct Scope {
    ids: Vec<PlaceId>,
    numbers: Vec<usize>,
}

impl Reach {
    /// Builds the indexes and refuses doubles and dangling references.
    ///
    /// # Errors
    /// The first fault found, by name.
    pub fn new(places: Vec<Place>, members: Vec<Member>, duty: Vec<DutyRow>) -> Result<Self, ReachError> {
        let mut reach = Self { places, ..Self::default() };
        reach.places.sort_by(|one, next| one.id.cmp(&next.id));
        if let Some(twice) = reach.places.windows(2).find(|pair| matches!(pair, [one, next] if one.id == next.id)) {
            let id = twice.first().map_or_else(String::new, |place| place.id.to_string());
            return Err(ReachError::Duplicate { file: "places".into(), kind: "place", id });
        }
        let parent_of = |place: &Place| match &place.parent {
            None => Ok(None),
            Some(parent) => match reach.number(parent) {
                Some(number) => Ok(Some(number)),
                None => Err(dangling("places", &place.id, "place", parent)),
            },
        };
        reach.parents = reach.places.iter().map(parent_of).collect::<Result<_, _>>()?;
        for (number, place) in reach.places.iter().enumerate() {
            for name in &place.scopes {
                let scope = reach.by_scope.entry(name.clone()).or_default();
                scope.ids.push(place.id.clone());
                scope.numbers.push(number);
            }
        }
        for member in members {
            if reach.number(&member.post).is_none() {
                return Err(dangling("members", &member.id, "place", &member.post));
            }
            if let Some(twice) = reach.members.insert(member.id.clone(), member) {
                return Err(ReachError::Duplicate { file: "members".into(), kind: "member", id: twice.id.to_string() });
            }
        }
        for row in duty {
            for member in [&row.owner, &row.deputy] {
                if !reach.members.contains_key(member) {
                    return Err(dangling("duty", &row.role, "member", member));
                }
            }
            if row.place.as_str() != "*" && reach.number(&row.place).is_none() {
                return Err(dangling("duty", &row.role, "place", &row.place));
            }
            let key = (row.role.clone(), row.place.clone());
            if reach.duty.insert(key, (row.owner, row.deputy)).is_some() {
                return Err(ReachError::Duplicate {
                    file: "duty".into(),
                    kind: "row",
                    id: format!("{} at {}", row.role, row.place),
                });
            }
        }
        Ok(reach)
    }

    /// The place of that id.
    pub fn place(&self, id: &PlaceId) -> Option<&Place> {
        self.places.get(self.number(id)?)
    }
    /// All places, by id.
    pub fn places(&self) -> impl ExactSizeIterator<Item = &Place> {
        self.places.iter()
    }
    /// The position of a place among [`Self::places`]: what is asked of every place every minute is asked by number.
    pub fn number(&self, id: &PlaceId) -> Option<usize> {
        self.places.binary_search_by(|place| place.id.cmp(id)).ok()
    }
    /// The place of that number.
    pub fn numbered(&self, number: usize) -> Option<&Place> {
        self.places.get(number)
    }
    /// The number of the place that this one is part of.
    pub fn parent(&self, number: usize) -> Option<usize> {
        self.parents.get(number).copied().flatten()
    }
    /// The places that answer a scope of the playbook, by id; empty for an unknown scope.
    pub fn places_of_scope(&self, scope: &str) -> &[PlaceId] {
        self.by_scope.get(scope).map_or(&[], |scope| &scope.ids)
    }
    /// The numbers of [`Self::places_of_scope`], in the same order.
    pub fn numbers_of_scope(&self, scope: &str) -> &[usize] {
        self.by_scope.get(scope).map_or(&[], |scope| &scope.numbers)
    }
    /// The person of that id.
    pub fn member(&self, id: &MemberId) -> Option<&Member> {
        self.members.get(id)
    }
    /// All people, by id.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }
    /// All duty rows: (role, place) → (owner, deputy).
    pub fn duty_rows(&self) -> impl Iterator<Item = (&str, &PlaceId, &MemberId, &MemberId)> {
        self.duty.iter().map(|((role, place), (owner, deputy))| (role.as_str(), place, owner, deputy))
    }

    /// Owner and deputy of a role at a place: its own row, else that of the place it is part of, else the row `*`.
    pub fn on_duty(&self, role: &str, place: &PlaceId) -> Option<(&MemberId, &MemberId)> {
        let mut at = Some(place.clone());
        while let Some(here) = at {
            if let Some((owner, deputy)) = self.duty.get(&(role.to_owned(), here.clone())) {
                return Some((owner, deputy));
            }
            at = self.place(&here).and_then(|place| place.parent.clone());
        }
        self.duty.get(&(role.to_owned(), PlaceId::new("*"))).map(|(owner, deputy)| (owner, deputy))
    }

    /// Every place that a spot touches: the named place with all it is part of, and what spans the chainage; for a bare
    /// position the nearest place in the field.
    pub fn places_at(&self, spot: &Spot) -> Vec<PlaceId> {
        let mut found = Vec::new();
        let mut at = spot.place.clone();
        while let Some(here) = at {
            let parent = self.place(&here).and_then(|place| place.parent.clone());
            if self.number(&here).is_some() {
                found.push(here);
            }
            at = parent;
        }
        if let Some(chainage_m) = spot.chainage {
            found.extend(self.places.iter().filter(|place| place.spans(chainage_m)).map(|place| place.id.clone()));
        } else if let (true, Some((lon, lat))) = (found.is_empty(), spot.lon.zip(spot.lat)) {
            found.extend(self.places_around(lon, lat));
        }
        found.sort();
        found.dedup();
        found
    }
    /// The nearest place in the field with all it is part of; none when even that is farther than [`NEAR_M`].
    fn places_around(&self, lon: f64, lat: f64) -> Vec<PlaceId> {
        let indoors = |kind| matches!(kind, PlaceKind::Hq | PlaceKind::Town | PlaceKind::Depot | PlaceKind::Shelter);
        let in_field = self.places.iter().filter(|place| !indoors(place.kind)).map(|place| &place.id);
        let nearest = self.nearest_of(in_field, lon, lat).filter(|(_, metres)| *metres <= NEAR_M);
        let spot = nearest.map(|(place, _)| Spot { place: Some(place.id.clone()), ..Spot::default() });
        spot.map_or_else(Vec::new, |spot| self.places_at(&spot))
    }

    /// The nearest of some places, and how far its representative point is, in m.
    pub fn nearest_of<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a PlaceId>,
        lon: f64,
        lat: f64,
    ) -> Option<(&Place, f64)> {
        let far = |place: &Place| {
            let east = (place.lon - lon) * lat.to_radians().cos();
            east.hypot(place.lat - lat) * METRES_PER_DEGREE
        };
        let places = ids.into_iter().filter_map(|id| self.place(id)).map(|place| (place, far(place)));
        places.filter(|(_, metres)| metres.is_finite()).min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The levee's first and last chainage, in m; `None` where no segment has one.
    pub fn levee_ends(&self) -> Option<(f64, f64)> {
        let of_levee = self.places.iter().filter(|place| place.kind == PlaceKind::Segment);
        let ends = of_levee.filter_map(|place| place.chainage_from_m.zip(place.chainage_to_m));
        ends.reduce(|(from, to), (next_from, next_to)| (from.min(next_from), to.max(next_to)))
    }
}

fn dangling(file: &str, owner: &impl ToString, kind: &'static str, id: &impl ToString) -> ReachError {
    ReachError::Dangling { file: file.into(), owner: owner.to_string(), kind, id: id.to_string() }
}
