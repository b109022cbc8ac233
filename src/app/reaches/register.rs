//! The register of people to evacuate, as the API's room takes it, from the files of a reach.

use super::ReachData;
use crate::web::{EvacuationRegister, Household};
use serde_json::Value;
use std::collections::BTreeMap;

impl ReachData {
    /// Households, growers and residents of the villages.
    pub fn evacuation(&self) -> EvacuationRegister {
        let category = |code: &str| {
            let found = self.attention.category.iter().find(|category| category.code == code);
            found.map_or_else(
                || [code, "", code, code].map(str::to_owned),
                |it| [&it.code, &it.mark, &it.name_zh, &it.name_en].map(Clone::clone),
            )
        };
        let households = self.attention.household.iter().map(|household| Household {
            id: household.id.clone(),
            name: household.name.clone(),
            phone: household.phone.clone(),
            category: category(&household.category),
            place: household.place.clone(),
            persons: household.persons,
            need: household.need.clone(),
            at: (household.lon, household.lat),
        });
        EvacuationRegister {
            households: households.collect(),
            growers: self.farmers.iter().map(|grower| (grower.crop.clone(), grower.block.clone())).collect(),
            residents: residents(self.layers.get("villages").map_or("", String::as_str)),
            synthetic: self.about.synthetic,
        }
    }
}

/// Residents by village from the checked layer; a village that does not say is left out.
fn residents(layer: &str) -> BTreeMap<crate::model::PlaceId, u32> {
    let layer: Value = serde_json::from_str(layer).unwrap_or_default();
    let features = layer.get("features").and_then(Value::as_array);
    let of = |feature: &Value| {
        let properties = feature.get("properties")?;
        let people = u32::try_from(properties.get("residents")?.as_u64()?).ok()?;
        Some((properties.get("id")?.as_str()?.into(), people))
    };
    features.into_iter().flatten().filter_map(of).collect()
}
