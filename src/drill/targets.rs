//! What a director can break, by name: gauges, stones, people, places, each with the kinds that do something to it.
//!
//! In: the sensors and the reach. Out: a list for a form. The same words stand in script files. No I/O.

use super::report::corps_zh;
use crate::ingest::sensors::{DeviceKind, Sensors};
use crate::model::{FaultKind, Place, PlaceId, PlaceKind, Reach};
use std::collections::BTreeSet;

const GAUGE: &[FaultKind] =
    &[FaultKind::Dead, FaultKind::Frozen, FaultKind::Spike, FaultKind::Drift, FaultKind::Comms, FaultKind::Power];
const STONE: &[FaultKind] = &[
    FaultKind::Dead,
    FaultKind::Frozen,
    FaultKind::Spike,
    FaultKind::Drift,
    FaultKind::Shake,
    FaultKind::Breach,
    FaultKind::Comms,
    FaultKind::Power,
];
const PEOPLE: &[FaultKind] = &[FaultKind::Comms];
const PLACE: &[FaultKind] = &[FaultKind::Breach, FaultKind::Rumour];

/// Which part of a form a target belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetGroup {
    /// 测站.
    Gauge,
    /// 工程、坝、石头.
    Stone,
    /// 人员.
    People,
    /// 堤段、地点.
    Place,
}

impl TargetGroup {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Stone => "stone",
            Self::People => "people",
            Self::Place => "place",
        }
    }
}

/// Something that can be broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// As scripts write it.
    pub id: String,
    /// Which part of the form.
    pub group: TargetGroup,
    /// Name as people say it.
    pub name_zh: String,
    /// Name for English screens.
    pub name_en: String,
    /// Kinds that do something to it.
    pub kinds: &'static [FaultKind],
}

fn target(group: TargetGroup, id: String, name_zh: String, name_en: String) -> Target {
    let kinds = match group {
        TargetGroup::Gauge => GAUGE,
        TargetGroup::Stone => STONE,
        TargetGroup::People => PEOPLE,
        TargetGroup::Place => PLACE,
    };
    Target { id, group, name_zh, name_en, kinds }
}

/// Everything that can be chosen, in the order of a form.
pub fn targets(sensors: &Sensors, reach: &Reach) -> Vec<Target> {
    let mut out = gauges(sensors);
    out.extend(stones(sensors, reach));
    out.extend(people(reach));
    out.extend(places(reach));
    out
}

/// The names of a target, also of one that a form does not list (a chainage, a member, a post).
pub fn target_names(id: &str, sensors: &Sensors, reach: &Reach) -> (String, String) {
    if let Some(metres) = id.strip_prefix("chainage:").and_then(|text| text.parse::<f64>().ok()) {
        let (km, m) = ((metres / 1000.0).floor(), metres.rem_euclid(1000.0));
        return (format!("桩号 {km:.0}+{m:03.0}"), format!("chainage {km:.0}+{m:03.0}"));
    }
    if let Some(known) = targets(sensors, reach).into_iter().find(|target| target.id == id) {
        return (known.name_zh, known.name_en);
    }
    let bare = id.split_once(':').map_or(id, |(_, bare)| bare);
    match reach.place(&PlaceId::new(bare)) {
        Some(place) => (place.name_zh.clone(), place.name_en.clone()),
        None => (id.to_owned(), id.to_owned()),
    }
}

fn quantity(word: &str) -> (&'static str, &'static str) {
    match word {
        "stage" => ("水位", "stage"),
        "discharge" => ("流量", "discharge"),
        "rain" => ("雨量", "rain"),
        _ => ("", ""),
    }
}

fn gauges(sensors: &Sensors) -> Vec<Target> {
    let mut out = Vec::new();
    for station in &sensors.stations {
        let of_station = |kind: &DeviceKind| matches!(kind, DeviceKind::Gauge { station: id } if *id == station.id);
        let devices: Vec<_> = sensors.devices.iter().filter(|device| of_station(&device.kind)).collect();
        if devices.is_empty() {
            continue;
        }
        let one = |id: String, zh: &str, en: &str| {
            target(TargetGroup::Gauge, id, format!("{}{zh}", station.name_zh), format!("{}{en}", station.name_en))
        };
        out.push(one(station.id.clone(), "（整站）", ", whole station"));
        for series in devices.iter().flat_map(|device| &device.series) {
            let (zh, en) = quantity(series.id.quantity());
            out.push(one(series.id.to_string(), zh, &format!(" {en}")));
        }
    }
    out
}

fn stones(sensors: &Sensors, reach: &Reach) -> Vec<Target> {
    let (mut works, mut dams, mut stones) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for device in &sensors.devices {
        if let DeviceKind::Stone { dam, work } = &device.kind {
            works.insert(work.as_str());
            dams.insert(dam.as_str());
            stones.push((device.id.as_str(), dam.as_str()));
        }
    }
    let names = |id: &str| {
        let place = reach.place(&PlaceId::new(id));
        place.map_or_else(|| (id.to_owned(), id.to_owned()), |place| (place.name_zh.clone(), place.name_en.clone()))
    };
    let whole = |kind: &str, id: &str, zh: &str, en: &str| {
        let (name_zh, name_en) = names(id);
        target(TargetGroup::Stone, format!("{kind}:{id}"), format!("{name_zh}{zh}"), format!("{name_en}{en}"))
    };
    let mut out: Vec<Target> = works.into_iter().map(|id| whole("work", id, "（全部石头）", ", all stones")).collect();
    out.extend(dams.into_iter().map(|id| whole("dam", id, "（全坝石头）", ", its stones")));
    out.extend(stones.into_iter().map(|(id, dam)| {
        let (zh, en) = names(dam);
        let number = id.trim_start_matches("stone-");
        target(TargetGroup::Stone, id.to_owned(), format!("{zh} 石头 {number}"), format!("{en} stone {number}"))
    }));
    out
}

fn people(reach: &Reach) -> Vec<Target> {
    let corps: BTreeSet<&str> = reach.members().map(|member| member.corps.as_str()).collect();
    corps
        .into_iter()
        .map(|name| {
            let count = reach.members().filter(|member| member.corps == name).count();
            let (zh, en) = (format!("{}（{count} 人）", corps_zh(name)), format!("{name} ({count} people)"));
            target(TargetGroup::People, format!("corps:{name}"), zh, en)
        })
        .collect()
}

fn places(reach: &Reach) -> Vec<Target> {
    let on_the_dike = |place: &&Place| {
        matches!(place.kind, PlaceKind::Segment | PlaceKind::VulnerableWork | PlaceKind::TrainingWork | PlaceKind::Dam)
    };
    let one =
        |place: &Place| target(TargetGroup::Place, place.id.to_string(), place.name_zh.clone(), place.name_en.clone());
    reach.places().filter(on_the_dike).map(one).collect()
}
