//! Labelled faults (标注故障集): readings of a flood in which a known share is wrong, each in a known way, from a seed.
//!
//! In: a flood, a seed. Out: readings in the order of their arrival, each with the truth about itself, and the holes. It is
//! what the checks of readings are measured with: they see the readings and never the labels. Noise, the loop of the
//! rating and local rain are invented; no record.

use super::dice::Dice;
use super::floods::Flood;
use crate::model::{Reading, SeriesId, Timestamp};
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// Seconds between two readings of a series.
pub const STEP_S: i64 = 60;
/// Share of the readings that are made wrong.
pub const SHARE: f64 = 0.05;
/// A new station is sound while its habits are learned, in steps.
const LEARN_STEPS: usize = 180;
/// The rain of the flood files is a rule of thumb for the whole basin; at the gauges so much falls in the span, in mm.
const RAIN_MM: f64 = 200.0;
/// Steps between two faults of one series.
const APART: usize = 20;

/// One way to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultClass {
    /// Outside what the instrument can measure.
    Range,
    /// A ramp of two to four times what the river can do, a quarter to half an hour.
    Rise,
    /// One or two values off and back.
    Spike,
    /// The last value again and again, half an hour to four hours.
    Frozen,
    /// Nothing comes, ten minutes to an hour.
    Gap,
    /// Stored and sent on later, alone or in a burst.
    Late,
    /// The stamp lies ahead, stands still or ran back.
    Clock,
    /// The device gives no number.
    Missing,
    /// A rain gauge that is blocked while it rains.
    Neighbour,
    /// A discharge that does not belong to its stage, by a third to three quarters.
    Rating,
    /// One of two sensors of the stage drifts or was knocked.
    Redundant,
}

impl FaultClass {
    /// In the order of tables.
    pub const ALL: [Self; 11] = [
        Self::Range,
        Self::Rise,
        Self::Spike,
        Self::Frozen,
        Self::Gap,
        Self::Late,
        Self::Clock,
        Self::Missing,
        Self::Neighbour,
        Self::Rating,
        Self::Redundant,
    ];
}

impl FaultClass {
    /// Faults that only other series can show: they begin and end while no witness is out for ten steps or more, for with
    /// two of three wrong nobody could say which (both then carry a mark). Everything else befalls them whenever it likes.
    fn witness_group(self) -> Option<u8> {
        match self {
            Self::Rating | Self::Redundant => Some(0),
            Self::Neighbour => Some(1),
            _ => None,
        }
    }
}

/// The truth about a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// As the river was, within the noise of the instrument.
    Sound,
    /// Wrong, in this way.
    Fault(FaultClass),
    /// Wrong by less than matters, or in the shadow of a fault: counted neither way.
    Unclear,
}

/// A reading and the truth about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// What arrives.
    pub reading: Reading,
    /// What it is.
    pub label: Label,
    /// Nothing came of this series just before it, although something should have.
    pub after_hole: bool,
}

/// The series of the set and what may befall each, the longest first: short ones find room between them.
pub const SERIES: [(&str, &[FaultClass]); 11] = {
    use FaultClass::{Clock, Frozen, Gap, Late, Missing, Neighbour, Range, Rating, Redundant, Rise, Spike};
    const STAGE: &[FaultClass] = &[Frozen, Gap, Clock, Rise, Late, Missing, Range, Spike];
    const TWIN: &[FaultClass] = &[Redundant, Frozen, Gap, Clock, Rise, Late, Missing, Range, Spike];
    const CHECKED: &[FaultClass] = &[Rating, Frozen, Gap, Clock, Rise, Late, Missing, Range, Spike];
    const RAIN: &[FaultClass] = &[Neighbour, Gap, Clock, Late, Missing, Range];
    [
        ("huayuankou.stage", TWIN),
        ("huayuankou.stage-b", TWIN),
        ("huayuankou.discharge", CHECKED),
        ("heishiguan.stage", STAGE),
        ("heishiguan.discharge", STAGE),
        ("wuzhi.stage", STAGE),
        ("wuzhi.discharge", STAGE),
        ("rain-huayuankou.rain", RAIN),
        ("rain-shenzhuang.rain", RAIN),
        ("rain-madu.rain", RAIN),
        ("rain-dongdaba.rain", RAIN),
    ]
};

/// Makes the set: from sixty hours before the crest to thirty-six after it.
pub fn make(flood: &Flood, seed: u64) -> Vec<Labelled> {
    let crest = flood.first_at_least(flood.peak_m3s()).unwrap_or(flood.span().0);
    let from = (crest - TimeDelta::hours(60)).max(flood.span().0);
    let steps = ((crest + TimeDelta::hours(36)).min(flood.span().1) - from).num_seconds() / STEP_S;
    let mut all = Vec::new();
    let mut witnesses = BTreeSet::new();
    for (id, classes) in SERIES {
        let maker = Maker { flood, id, from, steps: usize::try_from(steps).unwrap_or(0) };
        maker.make(classes, &mut witnesses, &mut Dice::of(seed, id, "faults", 0), &mut all);
    }
    all.sort_by(|one, other| {
        (one.reading.received_at, &one.reading.series).cmp(&(other.reading.received_at, &other.reading.series))
    });
    all
}

/// Steps at which a witness of a group is wrong already.
type Witnesses = BTreeSet<(u8, usize)>;

struct Maker<'a> {
    flood: &'a Flood,
    id: &'a str,
    from: Timestamp,
    steps: usize,
}

/// One fault: first step, number of steps.
struct Episode {
    class: FaultClass,
    first: usize,
    steps: usize,
}

impl Maker<'_> {
    fn make(&self, classes: &[FaultClass], witnesses: &mut Witnesses, dice: &mut Dice, out: &mut Vec<Labelled>) {
        let series = SeriesId::new(self.id);
        let clean: Vec<f64> = (0..self.steps).map(|step| self.clean(&series, step, dice)).collect();
        let mut own: Vec<Option<Labelled>> = clean
            .iter()
            .enumerate()
            .map(|(step, value)| {
                // A poll is never exactly on the second.
                let at = self.at(step) + TimeDelta::milliseconds((dice.share() * 900.0) as i64);
                let received_at = at + TimeDelta::milliseconds(200);
                let reading = Reading { series: series.clone(), observed_at: at, received_at, value: *value };
                Some(Labelled { reading, label: Label::Sound, after_hole: false })
            })
            .collect();
        for episode in self.episodes(classes, witnesses, &clean, dice) {
            break_it(&episode, self.id, &clean, &mut own, dice);
        }
        out.extend(own.into_iter().flatten());
    }

    fn at(&self, step: usize) -> Timestamp {
        self.from + TimeDelta::seconds(step as i64 * STEP_S)
    }

    /// What a sound instrument shows: truth, loop of the rating, noise, and the last digit of the display.
    fn clean(&self, series: &SeriesId, step: usize, dice: &mut Dice) -> f64 {
        let (station, at) = (series.station(), self.at(step));
        let value = |quantity: &str, at| self.flood.at(station, quantity, at).unwrap_or(f64::NAN);
        match series.measure() {
            "stage" => {
                let hour = TimeDelta::hours(1);
                let (q, before) = (value("discharge", at), value("discharge", at - hour));
                let trend = if before.is_finite() { (q - before) / q } else { 0.0 };
                let loop_m = 0.08 * (trend / 0.03).clamp(-1.0, 1.0);
                let offset = if series.sensor().is_some() { 0.02 } else { 0.0 };
                round_to(value("stage", at) + offset - loop_m + 0.01 * bell(dice), 0.01)
            }
            "discharge" => three_digits(value("discharge", at) * (1.0 + 0.01 * bell(dice))),
            _ => {
                let (begin, end) = (value("rain", self.from), value("rain", self.at(self.steps)));
                round_to(RAIN_MM * (value("rain", at) - begin) / (end - begin), 0.5)
            }
        }
    }

    /// The group of series that this one is a witness of.
    fn witnesses_of(&self) -> Option<u8> {
        if self.id.starts_with("huayuankou.") { Some(0) } else { self.id.starts_with("rain-").then_some(1) }
    }

    /// Faults of each class in turn until their share is used up, never two at once on a series.
    fn episodes(
        &self,
        classes: &[FaultClass],
        witnesses: &mut Witnesses,
        clean: &[f64],
        dice: &mut Dice,
    ) -> Vec<Episode> {
        let share = (SHARE * self.steps as f64 / classes.len() as f64) as usize;
        let mut taken: BTreeSet<usize> = BTreeSet::new();
        let mut episodes = Vec::new();
        for class in classes {
            let (mut used, mut tries) = (0, 0);
            while used < share && tries < 2000 {
                tries += 1;
                let steps = length(*class, dice);
                let room = self.steps.saturating_sub(LEARN_STEPS + steps + APART);
                let first = LEARN_STEPS + (dice.share() * room as f64) as usize;
                // A burst arrives a quarter of an hour after its last value.
                let apart = if *class == FaultClass::Late { 2 * APART } else { APART };
                let span = first.saturating_sub(apart)..first + steps + apart;
                let is_dry = *class == FaultClass::Neighbour && grown(clean, first, first + 180) < 12.0;
                let group = class.witness_group();
                let is_alone = |step| group.is_none_or(|group| !witnesses.contains(&(group, step)));
                let of = self.witnesses_of();
                if span.clone().any(|step| taken.contains(&step) || !is_alone(step)) || is_dry {
                    continue;
                }
                if steps >= 10 || group.is_some() {
                    witnesses.extend(of.into_iter().flat_map(|group| span.clone().map(move |step| (group, step))));
                }
                taken.extend(span);
                used += steps;
                episodes.push(Episode { class: *class, first, steps });
            }
        }
        episodes
    }
}

fn length(class: FaultClass, dice: &mut Dice) -> usize {
    let (least, most) = match class {
        FaultClass::Range => (1.0, 5.0),
        FaultClass::Rise => (15.0, 30.0),
        FaultClass::Spike => (1.0, 3.0),
        FaultClass::Frozen => (30.0, 240.0),
        FaultClass::Gap | FaultClass::Clock => (10.0, 60.0),
        FaultClass::Late if dice.chance(0.7) => (1.0, 3.0),
        FaultClass::Late => (10.0, 40.0),
        FaultClass::Missing => (1.0, 10.0),
        FaultClass::Neighbour => (360.0, 600.0),
        FaultClass::Rating | FaultClass::Redundant => (60.0, 300.0),
    };
    (least + dice.share() * (most - least)) as usize
}

fn break_it(episode: &Episode, id: &str, clean: &[f64], own: &mut [Option<Labelled>], dice: &mut Dice) {
    let Episode { class, first, steps } = *episode;
    let is_stage = id.contains(".stage");
    let kind = dice.share();
    let size = dice.share();
    let sign = if dice.chance(0.5) { 1.0 } else { -1.0 };
    // What the instrument itself showed last.
    let held =
        first.checked_sub(1).and_then(|before| own.get(before)?.as_ref()).map_or(f64::NAN, |one| one.reading.value);
    let is_lone = class == FaultClass::Late && steps <= 2;
    let mut end_of_burst = None;
    for step in first..first + steps {
        let truth = clean.get(step).copied().unwrap_or(f64::NAN);
        let since = (step - first + 1) as f64;
        let Some(Some(one)) = own.get_mut(step) else { continue };
        one.label = Label::Fault(class);
        let by = |off: f64, matters: f64| (truth + off, off.abs() < matters);
        let (value, unclear) = match class {
            FaultClass::Range => (if sign > 0.0 { 99_999.0 } else { -99.0 }, false),
            FaultClass::Missing => (f64::NAN, false),
            FaultClass::Spike if is_stage => by(sign * (0.5 + 2.5 * size), 0.0),
            FaultClass::Spike => {
                by(if sign > 0.0 { 600.0 + truth * (0.25 + size) } else { -truth * (0.5 + 0.4 * size) - 300.0 }, 0.0)
            }
            // Two to four times 3 m/h or 9000 m³/s an hour.
            FaultClass::Rise if is_stage => by(sign * (2.0 + 2.0 * size) * 0.05 * since, 0.25),
            FaultClass::Rise => by((2.0 + 2.0 * size) * 150.0 * since, 0.2 * truth.max(3000.0)),
            FaultClass::Frozen => (held, false),
            FaultClass::Rating => (truth * if sign > 0.0 { 1.35 + 0.4 * size } else { 0.70 - 0.25 * size }, false),
            FaultClass::Redundant if kind < 0.5 => by(sign * (0.2 + 0.8 * size), 0.0),
            FaultClass::Redundant => by(sign * (0.1 + 0.4 * size) * since / 60.0, 0.25),
            FaultClass::Neighbour => (held, grown(clean, first.max(step.saturating_sub(180)), step) < 10.0),
            FaultClass::Gap | FaultClass::Late | FaultClass::Clock => (one.reading.value, false),
        };
        one.reading.value = value;
        if unclear {
            one.label = Label::Unclear;
        }
        let minutes = |from: f64, to: f64| TimeDelta::milliseconds(((from + size * (to - from)) * 60_000.0) as i64);
        match class {
            FaultClass::Clock if kind < 0.34 => one.reading.observed_at += minutes(2.0, 60.0),
            FaultClass::Clock if kind < 0.67 => one.reading.observed_at -= minutes(2.0, 60.0),
            FaultClass::Late if is_lone => {
                one.reading.received_at += TimeDelta::seconds((dice.share() * 4500.0) as i64 + 720);
            }
            FaultClass::Late => {
                let end = *end_of_burst
                    .get_or_insert(one.reading.received_at + TimeDelta::seconds(steps as i64 * STEP_S + 720));
                one.reading.received_at = end + TimeDelta::milliseconds(since as i64 * 200);
                one.after_hole = step == first;
            }
            _ => {}
        }
    }
    aftermath(episode, kind < 0.67, clean, own);
}

/// What the fault leaves behind: holes, a clock that stood, a sum that lacks what was not caught.
fn aftermath(episode: &Episode, clock_runs: bool, clean: &[f64], own: &mut [Option<Labelled>]) {
    let Episode { class, first, steps } = *episode;
    let end = first + steps;
    match class {
        FaultClass::Gap => {
            own.iter_mut().take(end).skip(first).for_each(|one| *one = None);
            if let Some(Some(next)) = own.get_mut(end) {
                next.after_hole = true;
            }
        }
        FaultClass::Clock if !clock_runs => {
            let stands = first.checked_sub(1).and_then(|at| own.get(at)?.as_ref()).map(|one| one.reading.clone());
            for (one, stands) in own.iter_mut().take(end).skip(first).flatten().zip(std::iter::repeat(stands).flatten())
            {
                one.reading.observed_at = stands.observed_at;
                // The same value with the same stamp is one that was delivered twice.
                if one.reading.value == stands.value {
                    one.label = Label::Unclear;
                }
            }
        }
        FaultClass::Late => {
            // What is measured while the store is still full waits behind it.
            let burst_end = own.get(end - 1).and_then(Option::as_ref).map(|one| one.reading.received_at);
            let until = burst_end.filter(|_| steps > 2);
            let waits = |one: &&mut Labelled| until.is_some_and(|until| one.reading.received_at < until);
            for (one, until) in
                own.iter_mut().skip(end).flatten().take_while(waits).zip(std::iter::repeat(until).flatten())
            {
                one.reading.received_at = until + TimeDelta::milliseconds(100);
                one.label = Label::Unclear;
            }
        }
        FaultClass::Neighbour => {
            let lost = grown(clean, first, end);
            for (after, one) in own.iter_mut().enumerate().skip(end) {
                let Some(one) = one else { continue };
                one.reading.value -= lost;
                // Its sum is right again for whoever looks at what was added since.
                if after < end + 240 && one.label == Label::Sound {
                    one.label = Label::Unclear;
                }
            }
        }
        _ => {}
    }
}

fn grown(clean: &[f64], from: usize, to: usize) -> f64 {
    let at = |step: usize| clean.get(step).copied().unwrap_or(0.0);
    at(to.min(clean.len().saturating_sub(1))) - at(from)
}

fn round_to(value: f64, digit: f64) -> f64 {
    (value / digit).round() * digit
}

/// As discharges are written: three digits that count.
fn three_digits(value: f64) -> f64 {
    round_to(value, 10.0_f64.powf(value.abs().max(1.0).log10().floor() - 2.0))
}

/// Close to a normal draw with deviation 1.
fn bell(dice: &mut Dice) -> f64 {
    (0..12).map(|_| dice.share()).sum::<f64>() - 6.0
}

#[cfg(test)]
#[path = "faultset_tests.rs"]
mod tests;
