//! All stones of a reach, by dam.

use super::StoneSettings;
use super::stone::{Stone, StoneState, StoneWord};
use crate::model::{Observation, PlaceId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Where a stone lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoneSite {
    /// `stone-…`.
    pub id: String,
    /// Its dam.
    pub dam: PlaceId,
}

/// How the stones of one dam stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DamCount {
    /// Stones by word.
    pub by_word: BTreeMap<StoneWord, usize>,
    /// Stones that shook or moved within the span that counts.
    pub alarmed: usize,
    /// So many that the dam as a whole is in doubt (坝体失稳).
    pub unstable: bool,
}

/// The array. Stones that are not in its list are passed over.
#[derive(Debug, Clone, Default)]
pub struct StoneArray {
    settings: StoneSettings,
    stones: BTreeMap<String, (PlaceId, Stone)>,
    changed: BTreeSet<String>,
    since: Option<Timestamp>,
}

impl StoneArray {
    /// Of these stones, none of them heard yet.
    pub fn new(sites: impl IntoIterator<Item = StoneSite>, settings: StoneSettings) -> Self {
        let stones: BTreeMap<_, _> = sites.into_iter().map(|site| (site.id, (site.dam, Stone::default()))).collect();
        Self { settings, changed: stones.keys().cloned().collect(), stones, since: None }
    }

    /// Takes a usable value of one of its stones; everything else is passed over.
    pub fn observe(&mut self, seen: &Observation) {
        if !seen.quality.is_usable() || !seen.value.is_finite() {
            return;
        }
        if let Some((_, stone)) = self.stones.get_mut(seen.series.station()) {
            stone.take(seen, &self.settings);
            if !self.changed.contains(seen.series.station()) {
                self.changed.insert(seen.series.station().to_owned());
            }
        }
    }

    /// Dam, stone and state of every stone heard since the last call; at the first call of all stones.
    pub fn drain_changes(&mut self, now: Timestamp) -> Vec<(PlaceId, String, StoneState)> {
        let since = *self.since.get_or_insert(now);
        let changed = std::mem::take(&mut self.changed);
        let state = |id: String| {
            let (dam, stone) = self.stones.get(&id)?;
            Some((dam.clone(), id, stone.state(since)))
        };
        changed.into_iter().filter_map(state).collect()
    }

    /// Stone → word, as on the wire.
    pub fn words(&self, now: Timestamp) -> BTreeMap<String, &'static str> {
        self.stones.iter().map(|(id, (_, stone))| (id.clone(), stone.word(now, &self.settings).as_str())).collect()
    }

    /// The word of one stone.
    pub fn word(&self, id: &str, now: Timestamp) -> Option<StoneWord> {
        self.stones.get(id).map(|(_, stone)| stone.word(now, &self.settings))
    }

    /// Counts by dam.
    pub fn dams(&self, now: Timestamp) -> BTreeMap<PlaceId, DamCount> {
        let mut dams: BTreeMap<PlaceId, DamCount> = BTreeMap::new();
        for (dam, stone) in self.stones.values() {
            let count = dams.entry(dam.clone()).or_default();
            *count.by_word.entry(stone.word(now, &self.settings)).or_default() += 1;
            let age_s = stone.alarmed_at.map(|at| (now - at).num_milliseconds() as f64 / 1000.0);
            count.alarmed += usize::from(age_s.is_some_and(|age_s| age_s <= self.settings.dam_within_s));
            count.unstable = count.alarmed >= self.settings.dam_stones;
        }
        dams
    }
}

#[cfg(test)]
#[path = "array_tests.rs"]
mod tests;
