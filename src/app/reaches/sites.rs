//! Dams and stones as typed rows, for the rooms that reckon with them.

use super::ReachFault;
use super::layers::{Checked, Spot};
use crate::model::PlaceId;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A dam or spur of a river work.
#[derive(Debug, Clone, PartialEq)]
pub struct DamSite {
    /// The place.
    pub id: PlaceId,
    /// The work it is part of.
    pub work: PlaceId,
    /// Order of the work among the reach's works, from 1.
    pub work_index: u32,
    /// Modbus unit of the terminal on the dam, 1 to 247.
    pub unit: u8,
    /// Number on the plate (坝号).
    pub number: u32,
    /// Levee chainage of its root, m.
    pub chainage_m: f64,
    /// Crest, m above the datum of the reach.
    pub crest_m: f64,
}

/// A smart stone (智能石头).
#[derive(Debug, Clone, PartialEq)]
pub struct StoneSite {
    /// `stone-001`, …: the station of its series.
    pub id: String,
    /// Running number in the reach, from 1.
    pub n: u32,
    /// The dam it is buried at.
    pub dam: PlaceId,
    /// The work of the dam.
    pub work: PlaceId,
    /// Order of the work among the reach's works, from 1: the field endpoint is first port + this.
    pub work_index: u32,
    /// Modbus unit of the dam's terminal, 1 to 247.
    pub unit: u8,
    /// Place in the terminal's register block, from 0: first register 16 · slot.
    pub slot: u8,
    /// Depth below the dam's crest, m.
    pub depth_m: f64,
    /// Where on the dam: `head`, `upstream-corner`, ….
    pub position: String,
    /// WGS-84 degrees.
    pub lon: f64,
    /// WGS-84 degrees.
    pub lat: f64,
}

/// Most stones behind one terminal: eight blocks of 16 registers, less than one Modbus request holds.
const SLOTS: u64 = 7;

/// Dams from their layer; each must lie in the range of its work, `ranges` in m.
pub(super) fn dams(features: &[Checked], ranges: &BTreeMap<String, (f64, f64)>) -> Result<Vec<DamSite>, ReachFault> {
    let mut units = BTreeSet::new();
    let mut dams = Vec::with_capacity(features.len());
    for feature in features {
        let spot = Spot { file: "dams.geojson", number: feature.number, id: &feature.id };
        let (work, chainage_m) = (text(feature, "work"), number(feature, "chainage_m"));
        let Some((from, to)) = ranges.get(work) else {
            return Err(spot.fault("work", format!("{work} 不在 works.geojson 中 / is not in works.geojson")));
        };
        if !(*from..=*to).contains(&chainage_m) {
            return Err(spot.fault(
                "chainage_m",
                format!("{chainage_m} 不在 {work} 的桩号 {from}–{to} 内 / lies outside its work"),
            ));
        }
        let unit = unit(&spot, feature)?;
        if !units.insert((work.to_owned(), unit)) {
            return Err(
                spot.fault("unit", format!("{work} 的单元号 {unit} 重复 / unit {unit} appears twice in {work}"))
            );
        }
        dams.push(DamSite {
            id: PlaceId::new(&feature.id),
            work: PlaceId::new(work),
            work_index: whole(feature, "work_index"),
            unit,
            number: whole(feature, "number"),
            chainage_m,
            crest_m: number(feature, "crest_m"),
        });
    }
    Ok(dams)
}

/// Stones from their layer; each must lie on a dam, in the dam's unit, in a slot of its own.
pub(super) fn stones(features: &[Checked], dams: &[DamSite]) -> Result<Vec<StoneSite>, ReachFault> {
    let dams: BTreeMap<&str, &DamSite> = dams.iter().map(|dam| (dam.id.as_str(), dam)).collect();
    let mut slots = BTreeSet::new();
    let mut stones = Vec::with_capacity(features.len());
    for feature in features {
        let spot = Spot { file: "stones.geojson", number: feature.number, id: &feature.id };
        let name = text(feature, "dam");
        let Some(dam) = dams.get(name) else {
            return Err(spot.fault("dam", format!("{name} 不在 dams.geojson 中 / is not in dams.geojson")));
        };
        let unit = unit(&spot, feature)?;
        if (unit, text(feature, "work")) != (dam.unit, dam.work.as_str()) {
            return Err(
                spot.fault("unit", format!("与 {name} 的工程或单元号不符 / differs from work or unit of {name}"))
            );
        }
        let slot = feature.properties.get("slot").and_then(Value::as_u64).filter(|slot| *slot < SLOTS);
        let Some(slot) = slot.and_then(|slot| u8::try_from(slot).ok()) else {
            return Err(spot.fault("slot", format!("应为 0–{} / must be 0 to {}", SLOTS - 1, SLOTS - 1)));
        };
        if !slots.insert((name.to_owned(), slot)) {
            return Err(spot.fault("slot", format!("{name} 的槽位 {slot} 重复 / slot {slot} appears twice on {name}")));
        }
        stones.push(StoneSite {
            id: feature.id.clone(),
            n: whole(feature, "n"),
            dam: dam.id.clone(),
            work: dam.work.clone(),
            work_index: dam.work_index,
            unit,
            slot,
            depth_m: number(feature, "depth_m"),
            position: text(feature, "position").to_owned(),
            lon: feature.first.0,
            lat: feature.first.1,
        });
    }
    stones.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(stones)
}

/// Chainage ranges of the works, m.
pub(super) fn ranges(works: &[Checked]) -> BTreeMap<String, (f64, f64)> {
    works.iter().map(|work| (work.id.clone(), (number(work, "from_m"), number(work, "to_m")))).collect()
}

fn unit(spot: &Spot<'_>, feature: &Checked) -> Result<u8, ReachFault> {
    let unit = feature.properties.get("unit").and_then(Value::as_u64).and_then(|unit| u8::try_from(unit).ok());
    unit.filter(|unit| (1..=247).contains(unit)).ok_or_else(|| spot.fault("unit", "应为 1–247 / must be 1 to 247"))
}

// The layer's table of properties has been checked before: these defaults are never taken.
fn text<'a>(feature: &'a Checked, name: &str) -> &'a str {
    feature.properties.get(name).and_then(Value::as_str).unwrap_or_default()
}
fn number(feature: &Checked, name: &str) -> f64 {
    feature.properties.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN)
}
fn whole(feature: &Checked, name: &str) -> u32 {
    feature.properties.get(name).and_then(Value::as_u64).and_then(|value| u32::try_from(value).ok()).unwrap_or_default()
}
