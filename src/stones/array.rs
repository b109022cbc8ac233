//! All stones of a reach, by dam.

use super::StoneSettings;
use super::stone::{Stone, StoneWord};
use crate::model::{Observation, PlaceId, StoneState, Timestamp};
use std::collections::{BTreeMap, HashMap};

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

/// What is new of a stone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StoneNews {
    /// It says something else than before.
    Changed(StoneState),
    /// It was heard at that moment and says the same as before.
    Same(Timestamp),
}

/// One stone of the array.
#[derive(Debug, Clone)]
struct Row {
    id: String,
    dam: PlaceId,
    stone: Stone,
    /// Since the news were last drained.
    heard: bool,
    /// What was last told of it.
    told: Option<StoneState>,
}

/// The array. Stones that are not in its list are passed over.
#[derive(Debug, Clone, Default)]
pub struct StoneArray {
    settings: StoneSettings,
    /// In the order of their ids.
    rows: Vec<Row>,
    /// Looked up by key only.
    index: HashMap<String, usize>,
    since: Option<Timestamp>,
}

impl StoneArray {
    /// Of these stones, none of them heard yet.
    pub fn new(sites: impl IntoIterator<Item = StoneSite>, settings: StoneSettings) -> Self {
        let sites: BTreeMap<String, PlaceId> = sites.into_iter().map(|site| (site.id, site.dam)).collect();
        let row = |(id, dam)| Row { id, dam, stone: Stone::default(), heard: true, told: None };
        let rows: Vec<Row> = sites.into_iter().map(row).collect();
        let index = rows.iter().enumerate().map(|(index, row)| (row.id.clone(), index)).collect();
        Self { settings, rows, index, since: None }
    }

    /// Takes a usable value of one of its stones; everything else is passed over.
    pub fn observe(&mut self, seen: &Observation) {
        if !seen.quality.is_usable() || !seen.value.is_finite() {
            return;
        }
        let index = self.index.get(seen.series.station()).copied();
        if let Some(row) = index.and_then(|index| self.rows.get_mut(index)) {
            row.stone.take(seen, &self.settings);
            row.heard = true;
        }
    }

    /// Dam, stone and news of every stone heard since the last call; at the first call of all stones. Whoever is told
    /// must note the sameness too: a stone of which nothing comes any more is silent by the clock.
    pub fn drain_news(&mut self, now: Timestamp) -> Vec<(PlaceId, String, StoneNews)> {
        let since = *self.since.get_or_insert(now);
        let news = |row: &mut Row| {
            if !std::mem::take(&mut row.heard) {
                return None;
            }
            let state = row.stone.state(since);
            let before = row.told.replace(state);
            let same = before.is_some_and(|before| StoneState { at: state.at, ..before } == state);
            let news = if same { StoneNews::Same(state.at) } else { StoneNews::Changed(state) };
            Some((row.dam.clone(), row.id.clone(), news))
        };
        self.rows.iter_mut().filter_map(news).collect()
    }

    /// Stone → word, as on the wire.
    pub fn words(&self, now: Timestamp) -> BTreeMap<String, &'static str> {
        self.rows.iter().map(|row| (row.id.clone(), row.stone.word(now, &self.settings).as_str())).collect()
    }

    /// The word of one stone.
    pub fn word(&self, id: &str, now: Timestamp) -> Option<StoneWord> {
        self.rows.get(*self.index.get(id)?).map(|row| row.stone.word(now, &self.settings))
    }

    /// Counts by dam.
    pub fn dams(&self, now: Timestamp) -> BTreeMap<PlaceId, DamCount> {
        let mut dams: BTreeMap<PlaceId, DamCount> = BTreeMap::new();
        for Row { dam, stone, .. } in &self.rows {
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
