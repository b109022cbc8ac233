//! The points that are in the journal and not yet in a chunk, by series, and what is known of each series.

use super::frame::{FramePoint, read_entry};
use super::points::{Points, replaces};
use std::collections::BTreeSet;

/// What memory holds of one series.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Unsealed points in order of arrival.
    pub(super) head: Points,
    /// The journal entry with the first of them; meaningless while `head` is empty.
    pub(super) oldest: u64,
    /// The oldest moment.
    pub(super) oldest_at: Option<i64>,
    /// The newest moment, its value and code.
    pub(super) latest: Option<(i64, f64, u16)>,
    /// Entries up to this one are in chunks.
    pub(super) sealed: u64,
    /// The newest moment in a chunk.
    pub(super) frontier: Option<i64>,
    /// Points in chunks.
    pub(super) chunk_points: u64,
    /// Chunks, those that overlap an earlier one, and those that are small.
    pub(super) chunks: u64,
    pub(super) late_chunks: u64,
    pub(super) small_chunks: u64,
}

impl Slot {
    fn take(&mut self, at: i64, value: f64, code: u16) {
        self.head.push(at, value, code);
        self.oldest_at = Some(self.oldest_at.map_or(at, |oldest| oldest.min(at)));
        let newer = match self.latest {
            Some((newest, _, known)) => at > newest || (at == newest && replaces(code, known)),
            None => true,
        };
        if newer {
            self.latest = Some((at, value, code));
        }
    }
}

/// All series by number, and the order in which they should be sealed.
#[derive(Debug, Default)]
pub(super) struct Heads {
    slots: Vec<Slot>,
    /// Heads with points, by the entry of their first point.
    waiting: BTreeSet<(u64, u32)>,
    /// Heads that have enough points for a chunk.
    ready: BTreeSet<u32>,
    points: u64,
    /// Points at which a head is ready.
    chunk_points: usize,
}

impl Heads {
    pub(super) fn new(slots: Vec<Slot>, chunk_points: usize) -> Self {
        Self { slots, chunk_points, ..Self::default() }
    }
    pub(super) fn slot(&self, number: u32) -> Option<&Slot> {
        self.slots.get(number as usize)
    }
    pub(super) fn slot_mut(&mut self, number: u32) -> Option<&mut Slot> {
        self.slots.get_mut(number as usize)
    }
    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }
    /// Unsealed points of all series.
    pub(super) fn points(&self) -> u64 {
        self.points
    }
    /// The first entry that still has unsealed points.
    pub(super) fn oldest_entry(&self) -> Option<u64> {
        self.waiting.first().map(|(entry, _)| *entry)
    }
    /// Takes the points of a journal entry, except those that are in chunks already.
    pub(super) fn apply(&mut self, entry: u64, body: &[u8]) -> Result<(), &'static str> {
        read_entry(body, |point| self.take(entry, point))
    }
    fn take(&mut self, entry: u64, point: FramePoint) {
        let place = point.series as usize;
        if place >= self.slots.len() {
            self.slots.resize_with(place + 1, Slot::default);
        }
        let Some(slot) = self.slots.get_mut(place).filter(|slot| entry > slot.sealed) else {
            return;
        };
        if slot.head.is_empty() {
            slot.oldest = entry;
            self.waiting.insert((entry, point.series));
        }
        slot.take(point.at, point.value, point.code);
        self.points += 1;
        if slot.head.len() == self.chunk_points {
            self.ready.insert(point.series);
        }
    }
    /// Which heads to seal now: full ones, and those that hold back the journal if `crowded`; about `budget` points in all, at least one head.
    pub(super) fn due(&self, budget: usize, crowded: bool) -> Vec<u32> {
        /// A chunk costs about as much as this many points, however few it has.
        const CHUNK_COST: usize = 64;
        let mut spent = 0;
        let mut chosen = BTreeSet::new();
        let behind = self.waiting.iter().map(|(_, number)| *number).filter(|_| crowded);
        for number in self.ready.iter().copied().chain(behind) {
            if spent >= budget {
                break;
            }
            if chosen.insert(number) {
                spent += CHUNK_COST + self.slot(number).map_or(0, |slot| slot.head.len());
            }
        }
        chosen.into_iter().collect()
    }
    /// Forgets the head of a series after its chunks are committed.
    pub(super) fn clear_head(&mut self, number: u32) {
        let Some(slot) = self.slots.get_mut(number as usize) else { return };
        self.waiting.remove(&(slot.oldest, number));
        self.ready.remove(&number);
        self.points -= slot.head.len() as u64;
        slot.head.clear();
    }
    /// The first entry with unsealed points once the heads of `sealed` are gone.
    pub(super) fn oldest_entry_without(&self, sealed: &[u32]) -> Option<u64> {
        self.waiting.iter().find(|(_, number)| sealed.binary_search(number).is_err()).map(|(entry, _)| *entry)
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::{FrameWriter, entry_of};
    use super::*;

    fn entry(points: &[(u32, i64)]) -> Vec<u8> {
        let mut frame = FrameWriter::default();
        for &(series, at) in points {
            frame.push(FramePoint { series, at, value: 1.0, code: 0 });
        }
        entry_of(&[frame.finish()])
    }

    #[test]
    fn series_heads_seal_full_ones_first_and_old_ones_when_crowded() {
        let mut heads = Heads::new(vec![], 2);
        heads.apply(1, &entry(&[(0, 1), (1, 1)])).unwrap();
        heads.apply(2, &entry(&[(2, 1), (2, 2)])).unwrap();
        assert_eq!(heads.due(1000, false), [2]);
        assert_eq!(heads.due(1000, true), [0, 1, 2]);
        assert_eq!(heads.due(1, true), [2]);
        assert_eq!(heads.oldest_entry_without(&[0]), Some(1));
        assert_eq!(heads.oldest_entry_without(&[0, 1]), Some(2));
        heads.clear_head(2);
        assert_eq!((heads.points(), heads.due(1000, false).len()), (2, 0));
    }

    #[test]
    fn series_heads_skip_what_is_sealed() {
        let mut heads = Heads::new(vec![Slot { sealed: 5, ..Slot::default() }], 9);
        heads.apply(5, &entry(&[(0, 1)])).unwrap();
        assert_eq!(heads.points(), 0);
        heads.apply(6, &entry(&[(0, 1)])).unwrap();
        assert_eq!((heads.points(), heads.oldest_entry()), (1, Some(6)));
    }
}
