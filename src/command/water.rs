//! 生命安全: own people whose place gets water, or whose last way out is cut.
//!
//! In: the places that have or soon get water, from the watch. Out: one alarm a place with the people there, raised once and
//! again for everybody who comes there later and when the water is there, closed when the water no longer comes or nobody is there any more. A silent twin
//! sends nothing, so silence ends no alarm.

use super::core::Desk;
use super::settings::seconds;
use super::{Alarm, Severity, State, Task};
use crate::model::{MemberId, PlaceId, Reach, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Keys of these alarms begin so.
pub const WATER_ALARM: &str = "water:";
/// Notice that a place is empty (清零).
const CLEARED: &str = "evac_done";

/// A place that has or gets water, or that nobody can leave any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceWater {
    /// The place.
    pub place: PlaceId,
    /// When; `None`: since before what the twin remembers.
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    pub at: Option<Timestamp>,
    /// The last way out is cut before the water is at the place itself.
    pub cut: bool,
}

/// Our people at a place or on the way there.
#[derive(Default)]
struct Here<'a> {
    /// Each with the moment at which he first said that he goes there; `None` at his post.
    members: BTreeMap<&'a MemberId, Option<Timestamp>>,
}

impl<'a> Here<'a> {
    fn join(&mut self, member: &'a MemberId, at: Option<Timestamp>) {
        let known = self.members.entry(member).or_insert(at);
        *known = (*known).min(at);
    }

    /// When the last of them joined; `None` where all are at their posts.
    fn last_joined(&self) -> Option<Timestamp> {
        self.members.values().copied().max().flatten()
    }
}

impl State {
    /// Whether own people are told of water somewhere.
    pub(super) fn has_water_alarm(&self) -> bool {
        self.water_alarms().next().is_some()
    }

    /// The places with an open alarm of water where a member is, or where he has said that he goes: what his own phone must tell
    /// him.
    pub fn must_leave<'a>(&'a self, reach: &'a Reach, member: &MemberId) -> Vec<(&'a PlaceId, &'a Alarm)> {
        let open: Vec<(&PlaceId, &Alarm)> = self
            .water_alarms()
            .filter_map(|(key, alarm)| Some((&reach.place(&PlaceId::new(key.strip_prefix(WATER_ALARM)?))?.id, alarm)))
            .collect();
        let places: Vec<&PlaceId> = open.iter().map(|(place, _)| *place).collect();
        let people = self.people_at(reach, &places);
        open.into_iter().zip(people).filter(|(_, here)| here.members.contains_key(member)).map(|(own, _)| own).collect()
    }

    /// Open alarms of water.
    fn water_alarms(&self) -> impl Iterator<Item = (&String, &Alarm)> {
        let of_water = self.alarms.range(WATER_ALARM.to_owned()..).take_while(|(key, _)| key.starts_with(WATER_ALARM));
        of_water.filter(|(_, alarm)| !alarm.closed)
    }

    /// Who of our people is at each place: at the task that they have reached, else at their post; and those who have
    /// said that they go there.
    fn people_at<'a>(&'a self, reach: &'a Reach, places: &[&'a PlaceId]) -> Vec<Here<'a>> {
        if places.is_empty() {
            return Vec::new();
        }
        let mut people: BTreeMap<&PlaceId, Here<'_>> = places.iter().map(|place| (*place, Here::default())).collect();
        let mut reached: BTreeMap<&MemberId, (Timestamp, &Task)> = BTreeMap::new();
        for task in self.open_tasks() {
            if let Some((at, member)) = arrival(task) {
                if reached.get(member).is_none_or(|(known, _)| at > *known) {
                    reached.insert(member, (at, task));
                }
            } else if let Some((here, (at, by))) = people.get_mut(&task.place).zip(task.acknowledged.as_ref()) {
                by.member.iter().for_each(|member| here.join(member, Some(*at)));
            }
        }
        for member in reach.members() {
            let (place, since) = match reached.get(&member.id) {
                Some((at, task)) => (&task.place, Some(task.acknowledged.as_ref().map_or(*at, |(at, _)| *at))),
                None if self.is_cleared(&member.post) => continue,
                None => (&member.post, None),
            };
            if let Some(here) = people.get_mut(place) {
                here.join(&member.id, since);
            }
        }
        places.iter().map(|place| people.remove(place).unwrap_or_default()).collect()
    }

    /// Whether a person has registered the place as empty.
    fn is_cleared(&self, place: &PlaceId) -> bool {
        self.orders.iter().any(|order| order.name == CLEARED && order.place.as_ref().is_none_or(|at| at == place))
    }
}

impl Desk<'_> {
    pub(super) fn water_comes(&mut self, places: &[PlaceWater]) {
        let within = seconds(self.state.settings.water_within_s);
        let reach = &self.core.reach;
        let where_to: Vec<&PlaceId> = places.iter().map(|water| &water.place).collect();
        let here = self.state.people_at(reach, &where_to);
        let people: Vec<_> = here.iter().map(|here| (here.members.len(), here.last_joined())).collect();
        let mut stays = BTreeSet::new();
        for (water, (here, last_joined)) in places.iter().zip(people) {
            let key = format!("{WATER_ALARM}{}", water.place);
            let open = self.state.alarms.get(&key).filter(|alarm| !alarm.closed);
            let left = water.at.map_or(-within, |at| at - self.now);
            // Raised within the half hour; a forecast that moves by minutes does not close it again.
            if here == 0 || left > if open.is_some() { within * 2 } else { within } {
                continue;
            }
            // Who took note of those who were there knows nothing of somebody who came after, nor that the water is there now.
            let has_come = |alarm: &Alarm| water.at.is_some_and(|at| at <= self.now && alarm.last < at);
            let is_told = open.is_some_and(|alarm| last_joined.is_none_or(|at| at <= alarm.last) && !has_come(alarm));
            if !is_told {
                let (zh, en) = self.water_words(water, here);
                self.raise(key.clone(), Severity::Critical, zh, en);
            }
            stays.insert(key);
        }
        let open = self.state.water_alarms().map(|(key, _)| key);
        let over: Vec<String> = open.filter(|key| !stays.contains(*key)).cloned().collect();
        for key in over {
            self.close_alarm(&key);
        }
    }

    fn water_words(&self, water: &PlaceWater, people: usize) -> (String, String) {
        let place = self.core.reach.place(&water.place);
        let id = water.place.as_str();
        let (name_zh, name_en) = place.map_or((id, id), |place| (place.name_zh.as_str(), place.name_en.as_str()));
        let when = water.at.filter(|at| *at > self.now);
        let clock = when.map(super::why::beijing);
        let (zh, en) = match (water.cut, clock) {
            // The hour alone: an alarm is read minutes after it was raised.
            (false, Some(at)) => (format!("预计 {at} 进水"), format!("water is expected at {at}")),
            (false, None) => ("已进水".to_owned(), "water is there".to_owned()),
            (true, Some(at)) => (format!("最后一条出路预计 {at} 被淹断"), format!("the last way out is cut at {at}")),
            (true, None) => ("出路已被淹断".to_owned(), "every way out is cut".to_owned()),
        };
        (
            format!("立即撤离 {name_zh}：{zh}，我方 {people} 人在场或正前往，逐人确认撤出"),
            format!("leave {name_en} now: {en}; {people} of our people are there or on the way, confirm each one out"),
        )
    }
}

/// Who is at the place of a task, and since when.
fn arrival(task: &Task) -> Option<(Timestamp, &MemberId)> {
    let (at, by) = task.arrived.as_ref()?;
    Some((*at, by.member.as_ref()?))
}
