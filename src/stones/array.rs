//! All stones of a reach, by dam.

use super::StoneSettings;
use super::hazard::{self, Standing, StoneHazard, Witness};
use super::stone::{Stone, StoneWord};
use crate::model::{Observation, PlaceId, StoneState, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Where a stone lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoneSite {
    /// `stone-…`.
    pub id: String,
    /// Its dam.
    pub dam: PlaceId,
    /// The work of the dam: what shakes all over a work is waves.
    pub work: PlaceId,
    /// The gateway that it is polled through; `None` where its gateway sends by itself.
    pub gateway: Option<String>,
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

/// Stones that hang together, and whether any of them is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Group {
    /// Number of stones.
    pub stones: usize,
    /// Whether one of them is heard.
    pub heard: bool,
    /// Whether one of them is not due yet: after a start the first polls are on their way.
    pub waits: bool,
}

/// Stones by what they hang on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Silences {
    /// By gateway, those that are polled through one.
    pub gateways: BTreeMap<String, Group>,
    /// By gateway, if there is one, and dam.
    pub dams: BTreeMap<(Option<String>, PlaceId), Group>,
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
    id: Arc<str>,
    dam: PlaceId,
    work: PlaceId,
    gateway: Option<String>,
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
    index: HashMap<Arc<str>, usize>,
    since: Option<Timestamp>,
    /// Rows of each dam.
    dams: BTreeMap<PlaceId, Vec<usize>>,
    hazards: BTreeMap<PlaceId, StoneHazard>,
}

impl StoneArray {
    /// Of these stones, none of them heard yet.
    pub fn new(sites: impl IntoIterator<Item = StoneSite>, settings: StoneSettings) -> Self {
        let sites: BTreeMap<Arc<str>, StoneSite> =
            sites.into_iter().map(|site| (Arc::from(site.id.as_str()), site)).collect();
        let row = |(id, site): (Arc<str>, StoneSite)| {
            let StoneSite { dam, work, gateway, .. } = site;
            Row { id, dam, work, gateway, stone: Stone::default(), heard: true, told: None }
        };
        let rows: Vec<Row> = sites.into_iter().map(row).collect();
        let index = rows.iter().enumerate().map(|(index, row)| (row.id.clone(), index)).collect();
        let mut dams: BTreeMap<PlaceId, Vec<usize>> = BTreeMap::new();
        for (index, row) in rows.iter().enumerate() {
            dams.entry(row.dam.clone()).or_default().push(index);
        }
        Self { settings, rows, index, since: None, dams, hazards: BTreeMap::new() }
    }

    /// Which dams, and which gateways, are silent as a whole, with the number of their stones; and which are not.
    pub fn silences(&self, now: Timestamp) -> Silences {
        let mut silences = Silences::default();
        for row in &self.rows {
            let heard = row.stone.is_heard(now, &self.settings);
            let waits = self.since.is_none_or(|since| row.stone.is_heard_since(since, now, &self.settings));
            let count = |group: &mut Group| {
                *group = Group { stones: group.stones + 1, heard: group.heard | heard, waits: group.waits | waits };
            };
            count(silences.dams.entry((row.gateway.clone(), row.dam.clone())).or_default());
            if let Some(gateway) = &row.gateway {
                count(silences.gateways.entry(gateway.clone()).or_default());
            }
        }
        silences
    }

    /// Joins what the stones show to at most one hazard a dam, with the discharge in m³/s if it is known. What is over
    /// leaves its stones at rest where they lie.
    pub fn judge(&mut self, now: Timestamp, discharge_m3s: Option<f64>) {
        let waves = self.waves(now);
        for (dam, members) in &self.dams {
            let rows: Vec<&Row> = members.iter().filter_map(|index| self.rows.get(*index)).collect();
            let known = self.hazards.get(dam);
            let wavy = rows.first().is_some_and(|row| waves.contains(&row.work));
            let witnesses: Vec<_> = rows.iter().map(|row| Witness { id: &row.id, stone: &row.stone }).collect();
            let river = (discharge_m3s, wavy);
            let after = hazard::judge(dam, &witnesses, river, known, &self.settings, now);
            let is_over = known.is_some() && after.is_none();
            match after {
                Some(after) => self.hazards.insert(dam.clone(), after),
                None => self.hazards.remove(dam),
            };
            if is_over {
                for index in members {
                    if let Some(row) = self.rows.get_mut(*index) {
                        row.stone.settle();
                    }
                }
            }
        }
    }

    /// Works whose stones shake all at once.
    fn waves(&self, now: Timestamp) -> BTreeSet<PlaceId> {
        let mut counts: BTreeMap<&PlaceId, (usize, usize)> = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.stone.is_heard(now, &self.settings)) {
            let count = counts.entry(&row.work).or_default();
            count.0 += usize::from(row.stone.is_shaking());
            count.1 += 1;
        }
        let wavy = counts.into_iter().filter(|(_, (shaking, alive))| hazard::is_wavy(*shaking, *alive));
        wavy.map(|(work, _)| work.clone()).collect()
    }

    /// Open hazards, by dam.
    pub fn hazards(&self) -> &BTreeMap<PlaceId, StoneHazard> {
        &self.hazards
    }

    /// Whether a second stone of the dam agrees: what one stone alone shows fires no order.
    fn is_agreed(&self, dam: &PlaceId) -> bool {
        self.hazards.get(dam).is_some_and(|hazard| hazard.standing == Standing::SecondStone)
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
    pub fn drain_news(&mut self, now: Timestamp) -> Vec<(PlaceId, Arc<str>, StoneNews)> {
        let since = *self.since.get_or_insert(now);
        let agreed: BTreeSet<PlaceId> = self.dams.keys().filter(|dam| self.is_agreed(dam)).cloned().collect();
        let news = |row: &mut Row| {
            if !std::mem::take(&mut row.heard) {
                return None;
            }
            let mut state = row.stone.state(since);
            if !agreed.contains(&row.dam) {
                // One stone alone asks for a look at the camera (the hazard does); it sends nobody.
                state = StoneState { shakes: false, moves: false, tilt_deg: state.tilt_deg.map(|_| 0.0), ..state };
            }
            let before = row.told.replace(state);
            let same = before.is_some_and(|before| StoneState { at: state.at, ..before } == state);
            let news = if same { StoneNews::Same(state.at) } else { StoneNews::Changed(state) };
            Some((row.dam.clone(), row.id.clone(), news))
        };
        self.rows.iter_mut().filter_map(news).collect()
    }

    /// Stone → word, as on the wire.
    pub fn words(&self, now: Timestamp) -> BTreeMap<String, &'static str> {
        self.rows.iter().map(|row| (row.id.to_string(), row.stone.word(now, &self.settings).as_str())).collect()
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
