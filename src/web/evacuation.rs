//! 迁安台账: the households, growers and villages of a reach, and how far each is, told by the tasks at its place.
//!
//! In: the register of the reach's files and the state. Out: the answer of `/evacuation`. Nobody counts heads here: a
//! state follows the evacuation tasks of a place, and a home is empty only when a person has registered the notice
//! `evac_done` for it. A number of people that nothing carries is `null` with the reason, never zero.

use super::shape::{Frame, mask_name, mask_phone};
use crate::command::{State, Task};
use crate::model::{OrderGiven, PlaceId, PlaceKind, TaskStatus};
use crate::playbook::{Instruction, Phase};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Category of the playbook's rows that move people.
const EVACUATE: &str = "evacuate";
/// Proof of a row that orders the evacuation and moves nobody itself.
const SIGNATURE: &str = "signature";
/// Order that a place be left (迁安令), and notice that it is empty (清零).
const ORDERED: &str = "evac";
const CLEARED: &str = "evac_done";
/// Roles that look after a household, nearest first.
const CARERS: [&str; 3] = ["village", "grid_leader", "grid_member"];
/// Classes of growers as the wall lists them.
const CROPS: [(&str, &str, &str); 5] = [
    ("field", "大田作物", "Field crops"),
    ("greenhouse", "蔬菜大棚", "Greenhouses"),
    ("orchard", "果树苗木", "Orchards"),
    ("aquaculture", "水产养殖", "Aquaculture"),
    ("livestock", "畜禽养殖", "Livestock"),
];

/// A household that needs attention (需重点关注).
#[derive(Debug, Clone, PartialEq)]
pub struct Household {
    /// Unique in the reach.
    pub id: String,
    /// Whole name; masked on the way out.
    pub name: String,
    /// Whole number; masked on the way out.
    pub phone: String,
    /// Code, one character and names of its category.
    pub category: [String; 4],
    /// Village or cell.
    pub place: PlaceId,
    /// Heads.
    pub persons: u32,
    /// `car`, `escort`, ….
    pub need: String,
    /// WGS-84 degrees: longitude, latitude.
    pub at: (f64, f64),
}

/// Who would have to leave, as the reach's files have it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EvacuationRegister {
    /// Households that need attention.
    pub households: Vec<Household>,
    /// Growers (滩区种植户): crop and farm block of each household.
    pub growers: Vec<(String, PlaceId)>,
    /// Residents of each floodplain village.
    pub residents: BTreeMap<PlaceId, u32>,
    /// Invented data.
    pub synthetic: bool,
}

/// How far the evacuation of a place is, by its tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Fired, but neither ordered nor released.
    Proposed,
    /// Ordered or released, nobody has answered.
    Asked,
    /// Someone cannot, or has not answered in time.
    Stuck,
    /// Answered, on site, or partly done.
    UnderWay,
    /// The place is registered as empty; of fields: every task is done that is done once.
    Done,
}

impl Progress {
    fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Asked => "asked",
            Self::Stuck => "stuck",
            Self::UnderWay => "under-way",
            Self::Done => "done",
        }
    }
}

/// Tasks of one place that count, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    /// Not released, or the order itself that waits for a signature.
    drafts: u32,
    released: u32,
    answered: u32,
    stuck: u32,
    done: u32,
    /// Released, of those that are done once and not in rounds.
    once: u32,
    once_done: u32,
}

impl Tally {
    fn add(&mut self, task: &Task, row: &Instruction) {
        let done = matches!(task.status, TaskStatus::Done | TaskStatus::Verified);
        match task.status {
            TaskStatus::Withdrawn => return,
            _ if task.status == TaskStatus::Draft || row.evidence.iter().any(|proof| proof == SIGNATURE) => {
                self.drafts += 1;
                return;
            }
            TaskStatus::Declined | TaskStatus::Overdue | TaskStatus::Escalated => self.stuck += 1,
            _ => {}
        }
        self.released += 1;
        self.answered += u32::from(task.is_answered() || done);
        self.done += u32::from(done);
        self.once += u32::from(row.repeat_min.is_none());
        self.once_done += u32::from(row.repeat_min.is_none() && done);
    }

    fn progress(&self) -> Option<Progress> {
        if self.released == 0 {
            return (self.drafts > 0).then_some(Progress::Proposed);
        }
        Some(if self.once > 0 && self.once_done == self.once {
            Progress::Done
        } else if self.stuck > 0 {
            Progress::Stuck
        } else if self.answered > 0 {
            Progress::UnderWay
        } else {
            Progress::Asked
        })
    }
}

/// The tallies of all places with tasks of rows that `counts` lets through.
fn tallies<'a>(frame: &Frame, state: &'a State, counts: impl Fn(&Instruction) -> bool) -> BTreeMap<&'a PlaceId, Tally> {
    let mut by_place: BTreeMap<&PlaceId, Tally> = BTreeMap::new();
    // Of the open event only: what was done in the flood before tells nothing about this one.
    let Some(since) = state.event.as_ref().map(|event| event.opened_at) else { return by_place };
    for task in state.tasks.values().filter(|task| task.created_at >= since) {
        let Some(row) = frame.playbook.instruction(&task.code) else { continue };
        if row.category == EVACUATE && counts(row) {
            by_place.entry(&task.place).or_default().add(task, row);
        }
    }
    by_place
}

/// Evacuation of the places where people live.
struct Homes<'a> {
    tallies: BTreeMap<&'a PlaceId, Tally>,
    state: &'a State,
}

impl Homes<'_> {
    fn progress(&self, place: &PlaceId) -> Option<Progress> {
        let holds = |name: &str| {
            let here = |order: &&OrderGiven| order.place.as_ref().is_none_or(|at| at == place);
            self.state.orders.iter().filter(|order| order.name == name).any(|order| here(&order))
        };
        if holds(CLEARED) {
            return Some(Progress::Done);
        }
        let of_tasks = self.tallies.get(place).and_then(Tally::progress);
        match of_tasks {
            None | Some(Progress::Proposed) if holds(ORDERED) => Some(Progress::Asked),
            // All that was given out is done, but nobody has said that the place is empty.
            Some(Progress::Done) => Some(Progress::UnderWay),
            other => other,
        }
    }
}

impl EvacuationRegister {
    /// The register with how far each household, class of growers and village is.
    pub fn view(&self, frame: &Frame, state: &State) -> Value {
        // A warning to be ready moves nobody: only rows of the response count for homes. Growers on the low floodplain
        // are sent off while the alert lasts.
        let homes = tallies(frame, state, |row| row.phase == Phase::Respond);
        let fields = tallies(frame, state, |row| matches!(row.phase, Phase::Alert | Phase::Respond));
        let homes = Homes { tallies: homes, state };
        json!({
            "attention": self.attention(frame, &homes), "farmers": self.farmers(&fields),
            "villages": self.villages(frame, &homes), "synthetic": self.synthetic,
            "basis": {
                "zh": "按该处迁安任务的签收推定，清零以登记为准；不是逐户点名",
                "en": "derived from answers to the evacuation tasks of the place, empty when registered so; not a roll call",
            },
        })
    }

    fn attention(&self, frame: &Frame, homes: &Homes) -> Vec<Value> {
        let shape = |household: &Household| {
            let place = frame.reach.place(&household.place);
            let own = homes.progress(&household.place);
            // A cell without tasks of its own goes with the village that it is part of.
            let around = || place.and_then(|place| place.parent.as_ref()).and_then(|id| homes.progress(id));
            let state = match own.or_else(around) {
                None | Some(Progress::Proposed | Progress::Asked) => "uncontacted",
                Some(Progress::Stuck) => "needs-help",
                Some(Progress::UnderWay) => "moving",
                Some(Progress::Done) => "evacuated",
            };
            let carer = CARERS.iter().find_map(|role| frame.reach.on_duty(role, &household.place));
            let carer = carer.and_then(|(owner, _)| frame.reach.member(owner)).map(|member| mask_name(&member.name));
            let [category, mark, zh, en] = &household.category;
            json!({
                "id": household.id, "name": mask_name(&household.name), "phone": mask_phone(&household.phone),
                "category": category, "mark": mark, "category_name": { "zh": zh, "en": en },
                "village": place.map(|place| &place.name_zh),
                "village_name": place.map(|place| json!({ "zh": place.name_zh, "en": place.name_en })), "cell": household.place, "carer": carer,
                "lon": household.at.0, "lat": household.at.1, "persons": household.persons,
                "state": state, "need": household.need, "distance_m": null,
            })
        };
        self.households.iter().map(shape).collect()
    }

    fn farmers(&self, fields: &BTreeMap<&PlaceId, Tally>) -> Vec<Value> {
        let mut classes: BTreeMap<&str, [u32; 4]> = BTreeMap::new();
        for (crop, block) in &self.growers {
            let [all, asked, under_way, told] = classes.entry(crop).or_default();
            *all += 1;
            match fields.get(block).and_then(Tally::progress) {
                None | Some(Progress::Proposed) => {}
                Some(Progress::Asked | Progress::Stuck) => *asked += 1,
                Some(Progress::UnderWay) => *under_way += 1,
                Some(Progress::Done) => *told += 1,
            }
        }
        let shape = |(crop, zh, en): &(&str, &str, &str)| {
            let [all, asked, under_way, told] = classes.get(crop).copied().unwrap_or_default();
            json!({
                "class": crop, "name": { "zh": zh, "en": en }, "households": all,
                "asked": asked, "under_way": under_way, "notified": told,
            })
        };
        CROPS.iter().map(shape).collect()
    }

    /// Villages under fired evacuation rows or an evacuation order.
    fn villages(&self, frame: &Frame, homes: &Homes) -> Vec<Value> {
        let villages = frame.reach.places().filter(|place| place.kind == PlaceKind::Village);
        let shape = |place: &crate::model::Place| {
            let state = homes.progress(&place.id)?;
            let tally = homes.tallies.get(&place.id).copied().unwrap_or_default();
            Some(json!({
                "id": place.id, "name": { "zh": place.name_zh, "en": place.name_en }, "lon": place.lon, "lat": place.lat,
                "people": self.residents.get(&place.id), "state": state.as_str(),
                "tasks": { "drafts": tally.drafts, "released": tally.released, "answered": tally.answered,
                    "stuck": tally.stuck, "done": tally.done },
                "evacuated": null,
                "evacuated_reason": { "zh": "没有清点人数的回报", "en": "no headcount has been reported" },
            }))
        };
        villages.filter_map(shape).collect()
    }
}
