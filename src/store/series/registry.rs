//! Series and their numbers. A number is given once and never again.

use super::SeriesError;
use crate::model::SeriesId;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Longest series id in bytes.
const ID_BYTES_MAX: usize = 200;

/// Which series has which number, 0 upwards without gaps.
#[derive(Debug, Default)]
pub(super) struct Registry {
    numbers: HashMap<SeriesId, u32>,
    ids: Vec<SeriesId>,
    limit: usize,
}

impl Registry {
    /// Of the stored ids in order of their numbers; takes new ones up to `limit`.
    pub(super) fn new(ids: Vec<SeriesId>, limit: usize) -> Self {
        let numbers = ids.iter().cloned().zip(0..).collect();
        Self { numbers, ids, limit }
    }
    pub(super) fn number(&self, series: &SeriesId) -> Option<u32> {
        self.numbers.get(series).copied()
    }
    pub(super) fn id(&self, number: u32) -> Option<&SeriesId> {
        self.ids.get(number as usize)
    }
    pub(super) fn ids(&self) -> &[SeriesId] {
        &self.ids
    }
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }
    /// Gives numbers to those that have none: all of them, or an error and none.
    pub(super) fn admit<'a>(&mut self, series: impl Iterator<Item = &'a SeriesId> + Clone) -> Result<(), SeriesError> {
        if let Some(fault) = self.refusal(series.clone()) {
            return Err(fault);
        }
        let before = self.ids.len();
        for id in series {
            if let Err(fault) = self.admit_one(id) {
                for refused in self.ids.drain(before..) {
                    self.numbers.remove(&refused);
                }
                return Err(fault);
            }
        }
        Ok(())
    }
    /// Why some of these would find no room, naming all of them; those that come first get what is left.
    pub(super) fn refusal<'a>(&self, series: impl Iterator<Item = &'a SeriesId>) -> Option<SeriesError> {
        let (mut fresh, mut first, mut surplus) = (BTreeSet::new(), None, BTreeSet::new());
        for id in series.filter(|id| !self.numbers.contains_key(*id)) {
            if fresh.contains(id) {
                continue;
            }
            if self.ids.len() + fresh.len() < self.limit {
                fresh.insert(id);
            } else {
                first.get_or_insert(id);
                surplus.insert(id.clone());
            }
        }
        let (crowd, crowd_series) = if first.is_some() { self.crowd() } else { Default::default() };
        first.map(|series| SeriesError::TooManySeries {
            series: series.clone(),
            number: self.ids.len() + fresh.len() + 1,
            limit: self.limit,
            surplus: Arc::new(surplus),
            crowd,
            crowd_series,
        })
    }
    /// The source with the most series: a station, or where ids are invented by number (`dev-17`, `dev-18`) what they have in common.
    fn crowd(&self) -> (String, usize) {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for id in &self.ids {
            let station = id.station();
            *counts.entry(station.to_owned()).or_default() += 1;
            let stem = station.trim_end_matches(|c: char| c.is_ascii_hexdigit());
            if !stem.is_empty() && stem.len() < station.len() {
                *counts.entry(format!("{stem}*")).or_default() += 1;
            }
        }
        // Of two with as many series the longer name says more.
        counts.into_iter().max_by(|a, b| (a.1, a.0.len(), &a.0).cmp(&(b.1, b.0.len(), &b.0))).unwrap_or_default()
    }
    fn admit_one(&mut self, id: &SeriesId) -> Result<(), SeriesError> {
        if self.numbers.contains_key(id) {
            return Ok(());
        }
        let refuse = |reason| Err(SeriesError::BadSeriesId { series: id.clone(), reason });
        let text = id.as_str();
        if text.is_empty() {
            return refuse("it is empty");
        }
        if text.len() > ID_BYTES_MAX {
            return refuse("it is longer than 200 bytes");
        }
        if text.chars().any(char::is_control) {
            return refuse("it has a control character");
        }
        let number = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        self.numbers.insert(id.clone(), number);
        self.ids.push(id.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_registry_takes_all_or_none_up_to_its_limit() {
        let mut registry = Registry::new(vec!["a.stage".into()], 2);
        let many = [SeriesId::from("a.stage"), "b.stage".into(), "c.stage".into()];
        let fault = registry.admit(many.iter()).unwrap_err();
        assert!(fault.to_string().contains("c.stage would be number 3, the store takes 2"), "{fault}");
        let all: Vec<SeriesId> = ["z.stage", "d.stage", "a.stage", "d.stage"].map(SeriesId::from).into();
        let Some(SeriesError::TooManySeries { surplus, .. }) = registry.refusal(all.iter()) else { panic!() };
        assert_eq!(surplus.iter().collect::<Vec<_>>(), [&SeriesId::from("d.stage")], "what comes first has the room");
        assert_eq!(registry.len(), 1);
        registry.admit(many[..2].iter()).unwrap();
        assert_eq!((registry.number(&many[1]), registry.id(1)), (Some(1), Some(&many[1])));
    }

    #[test]
    fn series_registry_names_the_source_that_makes_too_many() {
        let mut registry = Registry::new(vec![], 40);
        let normal = (0..5).map(|i| SeriesId::new(format!("huayuankou.q{i}")));
        let invented = (0..40).map(|i| SeriesId::new(format!("lora-{i:04x}.stage")));
        let many: Vec<SeriesId> = normal.chain(invented).collect();
        registry.admit(many[..40].iter()).unwrap();
        let fault = registry.admit(many.iter()).unwrap_err().to_string();
        assert!(fault.contains("station lora-* (35 series)"), "{fault}");
        let mut one = Registry::new(vec![], 3);
        let many: Vec<SeriesId> = (0..4).map(|i| SeriesId::new(format!("gate.x{i}"))).collect();
        one.admit(many[..3].iter()).unwrap();
        let fault = one.admit(many.iter()).unwrap_err().to_string();
        assert!(fault.contains("station gate (3 series)"), "{fault}");
    }

    #[test]
    fn series_registry_refuses_ids_that_cannot_be_printed() {
        let mut registry = Registry::new(vec![], 9);
        for text in ["", "a\nb.stage", &"x".repeat(201)] {
            assert!(registry.admit([SeriesId::from(text)].iter()).is_err(), "{text:?}");
        }
    }
}
