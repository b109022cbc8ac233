//! A place of the reach with its spot in levee coordinates, as the other generators hand it on.

use super::geo::rounded;
use super::ground::Ground;
use anlan::model::{Place, PlaceId, PlaceKind};

/// A place and where it lies: chainage and metres north of the levee.
#[derive(Clone)]
pub struct Site {
    pub place: Place,
    pub chainage_m: f64,
    pub north_m: f64,
}

impl Site {
    /// A place that answers one scope of the playbook (or none: `""`).
    pub fn new(ground: &Ground, id: &str, kind: PlaceKind, scope: &str, at: (f64, f64)) -> Self {
        let (lon, lat) = ground.at(at.0, at.1);
        let place = Place {
            id: PlaceId::new(id),
            kind,
            name_zh: String::new(),
            name_en: String::new(),
            scopes: Some(scope).filter(|scope| !scope.is_empty()).map(str::to_owned).into_iter().collect(),
            lon: rounded(lon, 6),
            lat: rounded(lat, 6),
            chainage_from_m: None,
            chainage_to_m: None,
            parent: None,
        };
        Self { place, chainage_m: at.0, north_m: at.1 }
    }
    /// Names it.
    pub fn named(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.place.name_zh = zh.into();
        self.place.name_en = en.into();
        self
    }
    /// Gives it a stretch of the levee.
    pub fn along(mut self, from_m: f64, to_m: f64) -> Self {
        self.place.chainage_from_m = Some(rounded(from_m, 1));
        self.place.chainage_to_m = Some(rounded(to_m, 1));
        self
    }
    /// Makes it a part of another place.
    pub fn within(mut self, parent: &str) -> Self {
        self.place.parent = Some(PlaceId::new(parent));
        self
    }
    /// Its id.
    pub fn id(&self) -> &str {
        self.place.id.as_str()
    }
    /// Whether it answers a scope.
    pub fn answers(&self, scope: &str) -> bool {
        self.place.scopes.iter().any(|own| own == scope)
    }
}
