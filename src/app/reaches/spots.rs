//! The places of a reach as the twin's desk takes them: outlines from the map layers, homes from the registers.

use super::ReachData;
use crate::command::{TwinSlot, Words};
use crate::model::{Place, PlaceId};
use crate::web::{SpotKind, SpotOutline, TwinDesk, TwinPlace, TwinSpot};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

impl ReachData {
    /// The desk of the twin; `None` where the reach has no terrain.
    pub fn twin_desk(&self) -> Option<TwinDesk> {
        let files = Arc::clone(self.twin.as_ref()?);
        Some(TwinDesk::new(Box::new(move || files.data()), self.twin_spots(), self.mirror_places()))
    }

    /// Where the live twin stands, with its table at hand; `None` where the reach has no terrain.
    pub fn twin_slot_read(&self) -> Option<TwinSlot> {
        let desk = self.twin_desk()?;
        desk.read_ahead();
        Some(desk.slot())
    }

    /// Places that can carry a task or a post, as the live twin looks at them.
    fn mirror_places(&self) -> Vec<TwinPlace> {
        let dams: Value = self.layers.get("dams").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let dams = dams.get("features").and_then(Value::as_array);
        let crests: BTreeMap<&str, f64> = dams
            .into_iter()
            .flatten()
            .filter_map(|dam| dam.get("properties"))
            .filter_map(|dam| Some((dam.get("id")?.as_str()?, dam.get("crest_m")?.as_f64()?)))
            .collect();
        let place = |place: &Place| TwinPlace {
            id: place.id.clone(),
            kind: place.kind,
            name: Words::new(place.name_zh.clone(), place.name_en.clone()),
            at: [place.lon, place.lat],
            crest_m: crests.get(place.id.as_str()).copied(),
        };
        self.reach.places().map(place).collect()
    }

    /// Every place that water may reach.
    pub fn twin_spots(&self) -> Vec<TwinSpot> {
        let layers = [
            ("village-areas", SpotKind::Village),
            ("farms", SpotKind::Farm),
            ("dams", SpotKind::Dam),
            ("grids", SpotKind::Grid),
            ("posts", SpotKind::Post),
            ("shelters", SpotKind::Shelter),
            ("depots", SpotKind::Depot),
            ("routes", SpotKind::Route),
        ];
        let residents = self.evacuation().residents;
        let mut spots: Vec<TwinSpot> =
            layers.into_iter().flat_map(|(layer, kind)| self.of_layer(layer, kind)).collect();
        for spot in &mut spots {
            if spot.kind == SpotKind::Village {
                spot.people = residents.get(&PlaceId::new(&spot.id)).copied();
            }
        }
        spots.extend(self.attention.household.iter().map(|home| TwinSpot {
            id: home.id.clone(),
            kind: SpotKind::Household,
            name_zh: home.id.clone(),
            name_en: home.id.clone(),
            outline: SpotOutline::Point([home.lon, home.lat]),
            people: Some(home.persons),
            class: Some(home.category.clone()),
            of: Some(home.place.clone()),
            to: None,
            rank: 0,
        }));
        spots.extend(self.farmers.iter().map(|grower| TwinSpot {
            id: grower.id.clone(),
            kind: SpotKind::Grower,
            name_zh: grower.id.clone(),
            name_en: grower.id.clone(),
            outline: SpotOutline::Point([grower.lon, grower.lat]),
            people: Some(grower.persons),
            class: Some(grower.crop.clone()),
            of: Some(grower.block.clone()),
            to: None,
            rank: 0,
        }));
        spots
    }

    fn of_layer(&self, layer: &str, kind: SpotKind) -> Vec<TwinSpot> {
        let value: Value = self.layers.get(layer).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let features = value.get("features").and_then(Value::as_array).cloned().unwrap_or_default();
        let spot = |feature: &Value| {
            let properties = feature.get("properties")?;
            let word = |name: &str| properties.get(name).and_then(Value::as_str).map(str::to_owned);
            // A village's outline is its own feature; it speaks for the village.
            let id = if kind == SpotKind::Village { word("village")? } else { word("id")? };
            let outline = outline(feature.get("geometry")?)?;
            // The head of a dam is where the water is; its root stands on the levee.
            let outline = match (kind, outline) {
                (SpotKind::Dam, SpotOutline::Line(line)) => SpotOutline::Point(*line.last()?),
                (_, outline) => outline,
            };
            Some(TwinSpot {
                kind,
                name_zh: word("name_zh").unwrap_or_else(|| id.clone()),
                name_en: word("name_en").unwrap_or_else(|| id.clone()),
                outline,
                people: None,
                class: word("crop"),
                of: word("village").or_else(|| word("work")).map(PlaceId::new),
                to: word("shelter").map(PlaceId::new),
                rank: properties.get("rank").and_then(Value::as_u64).and_then(|rank| rank.try_into().ok()).unwrap_or(1),
                id,
            })
        };
        features.iter().filter_map(spot).collect()
    }
}

fn outline(geometry: &Value) -> Option<SpotOutline> {
    let coordinates = geometry.get("coordinates")?;
    let position = |value: &Value| Some([value.get(0)?.as_f64()?, value.get(1)?.as_f64()?]);
    let line = |value: &Value| value.as_array()?.iter().map(position).collect::<Option<Vec<_>>>();
    Some(match geometry.get("type")?.as_str()? {
        "Point" => SpotOutline::Point(position(coordinates)?),
        "LineString" => SpotOutline::Line(line(coordinates)?),
        _ => SpotOutline::Area(line(coordinates.get(0)?)?),
    })
}
