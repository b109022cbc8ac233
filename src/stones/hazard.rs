//! From states of stones to one hazard a dam: which stone was first, which followed, and how sure that is.
//!
//! In: what each stone of a dam shows, the discharge. Out: at most one hazard a dam, unconfirmed until a second stone says
//! the same or a person has looked. It sends nobody: an unconfirmed hazard asks for a camera or a second look.
//!
//! Each stone counts once, with the weight of the worst it shows; the weights are joined as independent witnesses. No
//! published figures exist: weights and limits are defaults of this project, measured on a labelled set (docs/stones.md).

use super::StoneSettings;
use super::stone::Stone;
use crate::model::{PlaceId, Timestamp};

/// Weights of what one stone shows, 0…1.
const LOST: f64 = 0.60;
const MOVED: f64 = 0.45;
const LEANING: f64 = 0.25;
const SHAKING: f64 = 0.05;
/// A fast river makes the same signs likelier to be true: so much of the doubt is left.
const FAST_RIVER_LEAVES: f64 = 0.70;
/// Below this the river does not add anything.
const RIVER_COUNTS_FROM: f64 = 0.20;
/// When more than this share of a work's stones shakes at once, it is waves and says nothing of any dam.
const WAVES_SHARE: f64 = 0.4;

/// How far a hazard is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// 待核实: one stone, or weak signs of several. Look by camera first.
    Unconfirmed,
    /// 邻石印证: a second stone of the dam moved too.
    SecondStone,
}

/// A hazard at a dam, as its stones show it (坝体险情).
#[derive(Debug, Clone, PartialEq)]
pub struct StoneHazard {
    /// The dam.
    pub dam: PlaceId,
    /// The stone that showed it first (首发石头).
    pub first: String,
    /// When.
    pub first_at: Timestamp,
    /// All stones that show it, in the order in which they began.
    pub stones: Vec<String>,
    /// 0…1, in hundredths.
    pub confidence: f64,
    /// Whether a second stone agrees.
    pub standing: Standing,
    /// Of those, how many are lost: moved, and their line is torn.
    pub lost: usize,
    /// When something new was last seen.
    pub last_at: Timestamp,
}

/// One stone among those that are asked.
pub(super) struct Witness<'a> {
    pub(super) id: &'a str,
    pub(super) stone: &'a Stone,
}

/// What one stone shows now: weight, since when, whether it has left its place.
struct Sign<'a> {
    id: &'a str,
    since: Timestamp,
    weight: f64,
    moved: bool,
    lost: bool,
}

fn sign<'a>(witness: &Witness<'a>, waves: bool) -> Option<Sign<'a>> {
    let Witness { id, stone } = *witness;
    let seen = |since: Option<Timestamp>, weight: f64, moved: bool, lost: bool| {
        Some(Sign { id, since: stone.first_sign().or(since)?, weight, moved, lost })
    };
    if stone.is_torn() {
        seen(stone.cut_since(), LOST, true, true)
    } else if stone.is_moved() {
        seen(stone.moved_since(), MOVED, true, false)
    } else if stone.is_leaning() {
        seen(stone.leaning_since(), LEANING, false, false)
    } else if stone.is_shaking() && !waves {
        seen(stone.shaking_since(), SHAKING, false, false)
    } else {
        None
    }
}

/// Whether the stones of a work shake all at once.
pub(super) fn is_wavy(shaking: usize, alive: usize) -> bool {
    alive >= 6 && shaking as f64 > WAVES_SHARE * alive as f64
}

/// What the stones of one dam say together; `known` is the hazard that is open there.
pub(super) fn judge(
    dam: &PlaceId,
    witnesses: &[Witness],
    river: (Option<f64>, bool),
    known: Option<&StoneHazard>,
    settings: &StoneSettings,
    now: Timestamp,
) -> Option<StoneHazard> {
    let (discharge_m3s, waves) = river;
    let mut signs: Vec<Sign> = witnesses.iter().filter_map(|witness| sign(witness, waves)).collect();
    signs.sort_by(|one, other| (one.since, one.id).cmp(&(other.since, other.id)));
    let doubt: f64 = signs.iter().map(|sign| 1.0 - sign.weight).product();
    let is_fast = discharge_m3s.is_some_and(|m3s| m3s >= settings.fast_river_m3s);
    let doubt = if is_fast && 1.0 - doubt > RIVER_COUNTS_FROM { doubt * FAST_RIVER_LEAVES } else { doubt };
    let confidence = ((1.0 - doubt) * 100.0).round() / 100.0;
    let moved = signs.iter().filter(|sign| sign.moved).count();
    let leaning = signs.iter().filter(|sign| sign.weight >= LEANING).count();
    let agrees = moved >= 2 || moved >= 1 && leaning >= 3 || leaning >= 4;
    let standing = if agrees { Standing::SecondStone } else { Standing::Unconfirmed };
    let Some(known) = known else {
        // Shaking alone tells of waves, boats and animals: it is shown, and adds to what moves.
        let first = signs.first().filter(|_| confidence >= settings.hazard_from && leaning > 0)?;
        return Some(StoneHazard {
            dam: dam.clone(),
            first: first.id.to_owned(),
            first_at: first.since,
            stones: signs.iter().map(|sign| sign.id.to_owned()).collect(),
            confidence,
            standing,
            lost: signs.iter().filter(|sign| sign.lost).count(),
            last_at: now,
        });
    };
    let mut after = known.clone();
    for sign in &signs {
        if !after.stones.iter().any(|id| id == sign.id) {
            after.stones.push(sign.id.to_owned());
            after.last_at = now;
        }
    }
    let lost = signs.iter().filter(|sign| sign.lost).count();
    if confidence > after.confidence || lost > after.lost {
        after.last_at = now;
    }
    after.confidence = after.confidence.max(confidence);
    after.standing = after.standing.max(standing);
    after.lost = after.lost.max(lost);
    let quiet_s = (now - after.last_at).num_milliseconds() as f64 / 1000.0;
    (quiet_s < settings.hazard_holds_s).then_some(after)
}

#[cfg(test)]
#[path = "hazard_tests.rs"]
mod tests;
