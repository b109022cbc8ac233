//! What a check may look at, and the questions that several checks ask of the other series.

use super::relations::{Learned, RatingPair, Twin};
use super::{Limits, Track};
use crate::model::{Reading, SeriesId, Timestamp};
use std::collections::HashMap;

/// Pairs of stage and discharge after which the height of a rating is known.
pub(super) const PAIRS_LEAST: u32 = 10;
/// Another series speaks for this moment if its last accepted value is no older than so many of its usual intervals.
const FRESH_INTERVALS: f64 = 3.0;

/// What a check may look at.
pub(super) struct Case<'a> {
    pub(super) reading: &'a Reading,
    pub(super) limits: &'a Limits,
    pub(super) track: &'a Track,
    /// The series that should move when this one does, if it has values.
    pub(super) witness: Option<&'a Track>,
    pub(super) tracks: &'a HashMap<SeriesId, Track>,
}

impl<'a> Case<'a> {
    /// The last accepted value of another series, if it still speaks for the moment of the reading.
    pub(super) fn fresh_at(&self, id: &SeriesId) -> Option<(Timestamp, f64)> {
        let track = self.tracks.get(id)?;
        let (at, value) = track.accepted?;
        let usual_s = track.moments.so_far_s()?.max(self.track.moments.so_far_s().unwrap_or(0.0));
        let apart_s = Track::seconds(at, self.reading.observed_at).abs();
        (apart_s <= FRESH_INTERVALS * usual_s).then_some((at, value))
    }

    /// The first other sensor of the same water that speaks, with its value.
    pub(super) fn twin(&self) -> Option<(&'a Twin, f64)> {
        self.track.relations.twins.iter().find_map(|twin| Some((twin, self.fresh_at(&twin.series)?.1)))
    }

    /// Whether two sensors say the same, the time between their values allowed for.
    pub(super) fn agrees(&self, own: f64, twin: &Twin, value: f64) -> bool {
        let apart_s = self.fresh_at(&twin.series).map_or(0.0, |(at, _)| Track::seconds(at, self.reading.observed_at));
        let moved = self.limits.rise_per_hour.unwrap_or(0.0) * apart_s.abs() / 3600.0;
        (own - value - twin.shift).abs() <= twin.tolerance + moved
    }

    /// The height that a stage and the discharge of its section imply, and the tolerance of the rating; of stages only.
    pub(super) fn height_of(&self, stage_m: f64) -> Option<(f64, f64)> {
        let pair = self.track.relations.rating.as_ref().filter(|pair| pair.discharge != self.reading.series)?;
        let (_, discharge) = self.fresh_at(&pair.discharge)?;
        Some((pair.line.height(stage_m, discharge)?, pair.line.tolerance_m))
    }

    /// How far this stage, and the other sensor's, have left what each of them and the discharge implied lately, in m.
    pub(super) fn strayed(&self, twin: &Twin, value: f64) -> Option<(f64, f64)> {
        let strayed = |track: &Track, stage_m| {
            Some((self.height_of(stage_m)?.0 - track.lately_at(self.reading.observed_at)?).abs())
        };
        Some((strayed(self.track, self.reading.value)?, strayed(self.tracks.get(&twin.series)?, value)?))
    }

    fn pair(&self) -> Option<(&'a RatingPair, Learned)> {
        let pair = self.track.relations.rating.as_ref()?;
        let learned = match self.reading.series == pair.stage {
            true => self.track.learned?,
            false => self.tracks.get(&pair.stage)?.learned?,
        };
        (learned.pairs >= PAIRS_LEAST).then_some((pair, learned))
    }

    /// How far a value in place of the reading's lies off the rating, in m of stage; `None` while nobody can say.
    pub(super) fn off_rating(&self, value: f64) -> Option<f64> {
        let (pair, learned) = self.pair()?;
        let height = if self.reading.series == pair.discharge {
            pair.line.height(self.stage_beside(pair)?, value)?
        } else {
            pair.line.height(value, self.fresh_at(&pair.discharge)?.1)?
        };
        // The bed moves in a day, the loop within hours: whichever of the two objects more.
        let off_bed = height - learned.height;
        let main = if self.reading.series == pair.stage { Some(self.track) } else { self.tracks.get(&pair.stage) };
        let off_loop = main.and_then(|track| track.lately_at(self.reading.observed_at)).map(|lately| height - lately);
        Some(off_loop.filter(|off| off.abs() > off_bed.abs()).unwrap_or(off_bed))
    }

    /// The stage of the section, from its main sensor or from one beside it, in m.
    fn stage_beside(&self, pair: &RatingPair) -> Option<f64> {
        let main = self.fresh_at(&pair.stage).map(|(_, stage_m)| stage_m);
        main.or_else(|| {
            let twins = &self.tracks.get(&pair.stage)?.relations.twins;
            twins.iter().find_map(|twin| Some(self.fresh_at(&twin.series)?.1 + twin.shift))
        })
    }

    /// Whether a stage in place of the reading's fits the discharge.
    pub(super) fn fits(&self, stage_m: f64) -> bool {
        let tolerance = self.pair().map(|(pair, _)| pair.line.tolerance_m);
        self.off_rating(stage_m).zip(tolerance).is_some_and(|(off, tolerance)| off.abs() <= tolerance)
    }

    /// Whether a stage fits the discharge of this reading.
    pub(super) fn stage_fits(&self, stage_m: f64) -> bool {
        let Some((pair, learned)) = self.pair() else { return false };
        let height = pair.line.height(stage_m, self.reading.value);
        height.is_some_and(|height| (height - learned.height).abs() <= pair.line.tolerance_m)
    }
}
