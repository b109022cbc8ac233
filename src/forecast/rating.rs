//! Stage and discharge of one section (水位流量关系), for as long as its bed held, with the loop of a flood wave (绳套).
//!
//! In: `ratings.toml`: for each period and reference surface the steady line z = z₀ + a·ln(Q/Q₀), fall and width of the section;
//! then a stage with its rate of change. Out: the discharge, steady and with the loop, and what it rests on. It refuses a moment
//! that no period covers, another reference surface, and a stage far outside the pairs: the bed of the lower Yellow River moves by
//! decimetres within a flood and by metres within decades, so an old line is worse than none.

use crate::model::{Datum, Timestamp};
use serde::Deserialize;
use thiserror::Error;

/// A stage outside the pairs of a period by more is not looked up, m.
const BEYOND_M: f64 = 1.0;
/// Stages so close are the same, m.
const ROUNDING_M: f64 = 1e-6;
/// The loop changes a discharge by at most this factor; beyond it Jones' formula does not hold.
const LOOP_MOST: f64 = 1.5;

/// A pair of stage and discharge that was observed.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// m above the reference surface.
    pub stage_m: f64,
    /// m³/s.
    pub q_m3s: f64,
}

/// The line of one section in one period.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, try_from = "Unchecked")]
pub struct Rating {
    /// Station.
    pub station: String,
    /// Reference surface of its stages.
    pub datum: Datum,
    /// First moment that it holds for.
    pub from: Timestamp,
    /// First moment that it holds for no more.
    pub until: Timestamp,
    /// a: metres of stage for one unit of ln Q.
    pub per_ln_q_m: f64,
    /// What it goes through, discharge rising.
    pub pairs: Vec<Pair>,
    /// Fall of the water surface in steady flow.
    pub slope: f64,
    /// Width of the water surface in flood, m.
    pub width_m: f64,
    /// Where the pairs come from, and how sure they are.
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    station: String,
    datum: Datum,
    from: Timestamp,
    until: Timestamp,
    per_ln_q_m: f64,
    pairs: Vec<Pair>,
    slope: f64,
    width_m: f64,
    source: String,
}

/// All lines that are known.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratings {
    /// Of any station and period.
    pub rating: Vec<Rating>,
}

/// A discharge by the line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rated {
    /// In steady flow, m³/s.
    pub steady_m3s: f64,
    /// With the loop: more while the river rises, less while it falls, m³/s.
    pub q_m3s: f64,
    /// The stage lies outside the pairs.
    pub beyond: bool,
}

/// Why there is no discharge or stage.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum RatingFault {
    /// No period covers the moment.
    #[error("{station} 在该时刻没有有效的水位流量关系 (no rating of {station} holds at that moment){}", known(.periods))]
    NoPeriod {
        /// Station.
        station: String,
        /// Years that are covered.
        periods: Vec<String>,
    },
    /// The stage is counted from another surface.
    #[error(
        "水位基面是 {given}，水位流量关系是 {own} (the stage is above {given}, the rating above {own}): 先换算基面 (convert it first)"
    )]
    OtherDatum {
        /// Of the stage.
        given: &'static str,
        /// Of the line.
        own: &'static str,
    },
    /// Far outside of what was observed.
    #[error("水位 {stage_m:.2} m 超出实测点 {low_m:.2} 至 {high_m:.2} m 达 1 m 以上 (more than 1 m outside the pairs)")]
    FarBeyond {
        /// m.
        stage_m: f64,
        /// Lowest pair, m.
        low_m: f64,
        /// Highest pair, m.
        high_m: f64,
    },
    /// As far outside, seen from the discharge.
    #[error(
        "流量 {q_m3s:.0} m³/s 的水位 {stage_m:.2} m 超出实测点 {low_m3s:.0} 至 {high_m3s:.0} m³/s 达 1 m 以上 (its stage of {stage_m:.2} m is more than 1 m outside the pairs)"
    )]
    DischargeFarBeyond {
        /// m³/s.
        q_m3s: f64,
        /// By the line, m.
        stage_m: f64,
        /// Lowest pair, m³/s.
        low_m3s: f64,
        /// Highest pair, m³/s.
        high_m3s: f64,
    },
    /// It changes faster than the formula holds for.
    #[error("涨落率 {rise_m_h} m/h 过大，绳套校正不成立 (the stage changes too fast for the loop correction)")]
    TooFast {
        /// m/h.
        rise_m_h: f64,
    },
}

fn known(periods: &[String]) -> String {
    if periods.is_empty() { String::new() } else { format!("；有 (there are): {}", periods.join(", ")) }
}

impl TryFrom<Unchecked> for Rating {
    type Error = String;

    fn try_from(own: Unchecked) -> Result<Self, String> {
        let rises = own.pairs.windows(2).all(|pair| pair[0].q_m3s < pair[1].q_m3s && pair[0].stage_m < pair[1].stage_m);
        let sound = |value: f64, most: f64| value > 0.0 && value <= most;
        let wrong = [
            (own.until <= own.from, "until: must lie after from"),
            (own.pairs.is_empty() || !rises, "pairs: at least one, stage and discharge rising together"),
            (own.pairs.iter().any(|pair| !sound(pair.q_m3s, 1e5) || !pair.stage_m.is_finite()), "pairs: numbers"),
            (!sound(own.per_ln_q_m, 10.0), "per_ln_q_m: 0 to 10"),
            (!sound(own.slope, 0.1), "slope: 0 to 0.1"),
            (!sound(own.width_m, 1e5), "width_m: 0 to 100000"),
        ];
        if let Some((_, what)) = wrong.into_iter().find(|(wrong, _)| *wrong) {
            return Err(format!("{} {}: {what}", own.station, own.from.date_naive()));
        }
        let Unchecked { station, datum, from, until, per_ln_q_m, pairs, slope, width_m, source } = own;
        Ok(Self { station, datum, from, until, per_ln_q_m, pairs, slope, width_m, source })
    }
}

impl Ratings {
    /// The line of a station that holds at a moment, in the given reference surface.
    ///
    /// # Errors
    /// No period covers it, or its surface is another one.
    pub fn of(&self, station: &str, at: Timestamp, datum: Datum) -> Result<&Rating, RatingFault> {
        let of_station = || self.rating.iter().filter(|rating| rating.station == station);
        let holds = |rating: &&Rating| (rating.from..rating.until).contains(&at);
        let mut holding = of_station().filter(holds).peekable();
        let Some(first) = holding.peek().copied() else {
            let periods =
                of_station().map(|one| format!("{}–{}", one.from.date_naive(), one.until.date_naive())).collect();
            return Err(RatingFault::NoPeriod { station: station.to_owned(), periods });
        };
        holding
            .find(|rating| rating.datum == datum)
            .ok_or(RatingFault::OtherDatum { given: datum.as_str(), own: first.datum.as_str() })
    }
}

impl Rating {
    /// Stage in steady flow, m, and whether it lies outside the pairs: through them by straight lines of ln Q, beyond them by the slope
    /// of the period.
    ///
    /// # Errors
    /// Far outside the pairs.
    pub fn stage_m(&self, q_m3s: f64) -> Result<(f64, bool), RatingFault> {
        let (from, per_ln_q_m) = self.line_at(|pair| q_m3s > pair.q_m3s);
        let stage_m = from.stage_m + per_ln_q_m * (q_m3s / from.q_m3s).ln();
        if !self.is_near(stage_m) {
            let (low_m3s, high_m3s) = (self.pairs[0].q_m3s, self.pairs[self.pairs.len() - 1].q_m3s);
            return Err(RatingFault::DischargeFarBeyond { q_m3s, stage_m, low_m3s, high_m3s });
        }
        Ok((stage_m, self.is_beyond(stage_m)))
    }

    fn ends_m(&self) -> (f64, f64) {
        (self.pairs[0].stage_m, self.pairs[self.pairs.len() - 1].stage_m)
    }

    fn is_near(&self, stage_m: f64) -> bool {
        let (low_m, high_m) = self.ends_m();
        stage_m >= low_m - BEYOND_M && stage_m <= high_m + BEYOND_M
    }

    /// Beyond a pair by more than rounding.
    fn is_beyond(&self, stage_m: f64) -> bool {
        let (low_m, high_m) = self.ends_m();
        stage_m < low_m - ROUNDING_M || stage_m > high_m + ROUNDING_M
    }

    /// A pair on the straight line at a place, and its metres for one unit of ln Q; `is_past` says of a pair whether the place lies
    /// above it.
    fn line_at(&self, is_past: impl Fn(&Pair) -> bool) -> (Pair, f64) {
        match self.pairs.partition_point(is_past) {
            0 => (self.pairs[0], self.per_ln_q_m),
            past if past == self.pairs.len() => (self.pairs[past - 1], self.per_ln_q_m),
            past => {
                let (low, high) = (self.pairs[past - 1], self.pairs[past]);
                (low, (high.stage_m - low.stage_m) / (high.q_m3s / low.q_m3s).ln())
            }
        }
    }

    /// Discharge at a stage that changes by so many m/h: Jones 1915 (Proc. ASCE 41), Q = Q₀·√(1 + (dz/dt)/(S₀·c)), with the speed
    /// of a flood wave c = (dQ₀/dz)/B (Seddon 1900).
    ///
    /// # Errors
    /// Far outside the pairs, or a change that the formula does not hold for.
    pub fn discharge_m3s(&self, stage_m: f64, rise_m_h: f64) -> Result<Rated, RatingFault> {
        if !self.is_near(stage_m) {
            let (low_m, high_m) = self.ends_m();
            return Err(RatingFault::FarBeyond { stage_m, low_m, high_m });
        }
        let (from, per_ln_q_m) = self.line_at(|pair| stage_m > pair.stage_m);
        let steady_m3s = from.q_m3s * ((stage_m - from.stage_m) / per_ln_q_m).exp();
        let celerity_ms = steady_m3s / per_ln_q_m / self.width_m;
        let root = 1.0 + rise_m_h / 3600.0 / (self.slope * celerity_ms);
        if !(root > 1.0 / (LOOP_MOST * LOOP_MOST) && root < LOOP_MOST * LOOP_MOST) {
            return Err(RatingFault::TooFast { rise_m_h });
        }
        Ok(Rated { steady_m3s, q_m3s: steady_m3s * root.sqrt(), beyond: self.is_beyond(stage_m) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Ratings {
        toml::from_str(include_str!("../../floods/ratings.toml")).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn rating_goes_through_its_pairs_both_ways() {
        let ratings = known();
        for rating in &ratings.rating {
            for pair in &rating.pairs {
                let (stage_m, beyond) = rating.stage_m(pair.q_m3s).unwrap();
                assert!((stage_m - pair.stage_m).abs() < 1e-9 && !beyond, "{rating:?}");
                let rated = rating.discharge_m3s(pair.stage_m, 0.0).unwrap();
                assert!((rated.q_m3s / pair.q_m3s - 1.0).abs() < 1e-9 && !rated.beyond, "{rated:?}");
            }
            let (low, high) = (rating.pairs[0], rating.pairs[rating.pairs.len() - 1]);
            for q in [0.8 * low.q_m3s, (low.q_m3s * high.q_m3s).sqrt(), 1.2 * high.q_m3s] {
                let back = rating.discharge_m3s(rating.stage_m(q).unwrap().0, 0.0).unwrap();
                assert!((back.q_m3s / q - 1.0).abs() < 1e-9, "{q}: {back:?}");
                assert_eq!(back.beyond, rating.stage_m(q).unwrap().1, "{q}");
            }
            for q in [100.0 * high.q_m3s, 0.001 * low.q_m3s, f64::NAN] {
                assert!(matches!(rating.stage_m(q), Err(RatingFault::DischargeFarBeyond { .. })), "{q}");
            }
        }
    }

    #[test]
    fn rating_loops_a_rising_river_carries_more_at_the_same_stage() {
        let ratings = known();
        let rating = ratings.of("huayuankou", at("1958-07-17T00:00:00Z"), Datum::Dagu).unwrap();
        let q = |rise| rating.discharge_m3s(93.0, rise).unwrap().q_m3s;
        let steady = rating.discharge_m3s(93.0, 0.0).unwrap().steady_m3s;
        assert!(q(0.1) > steady && steady > q(-0.1) && (q(0.0) - steady).abs() < 1e-9);
        // By hand: c = Q/(a·B), root = 1 + 0.1/3600/(S·c).
        let celerity = steady / 1.02 / rating.width_m;
        let by_hand = steady * (1.0 + 0.1 / 3600.0 / (rating.slope * celerity)).sqrt();
        assert!((q(0.1) / by_hand - 1.0).abs() < 1e-3, "{} {by_hand}", q(0.1));
        assert!(matches!(rating.discharge_m3s(93.0, 50.0), Err(RatingFault::TooFast { .. })));
        assert!(matches!(rating.discharge_m3s(93.0, -50.0), Err(RatingFault::TooFast { .. })));
        assert!(matches!(rating.discharge_m3s(80.0, 0.0), Err(RatingFault::FarBeyond { .. })));
        assert!(matches!(rating.discharge_m3s(f64::NAN, 0.0), Err(RatingFault::FarBeyond { .. })));
    }

    #[test]
    fn rating_holds_for_its_period_and_surface_alone() {
        let ratings = known();
        // The same stage is another discharge when the bed is another one: 1996 stood higher than 1958 with a third of its water.
        let q = |when: &str| {
            let rating = ratings.of("huayuankou", at(when), Datum::Dagu).unwrap();
            rating.discharge_m3s(94.0, 0.0).unwrap().q_m3s
        };
        assert!(q("1958-07-17T00:00:00Z") > 3.0 * q("1996-08-05T00:00:00Z"));
        let gone = ratings.of("huayuankou", at("2026-08-01T00:00:00Z"), Datum::Dagu).unwrap_err();
        assert!(gone.to_string().contains("1958"), "{gone}");
        let other = ratings.of("huayuankou", at("1958-07-17T00:00:00Z"), Datum::National85).unwrap_err();
        assert!(matches!(other, RatingFault::OtherDatum { .. }), "{other}");
        assert!(matches!(
            ratings.of("nowhere", at("1958-07-17T00:00:00Z"), Datum::Dagu),
            Err(RatingFault::NoPeriod { .. })
        ));
        for wrong in
            ["until = \"1950-01-01T00:00:00Z\"", "slope = 0.0", "width_m = -1.0", "per_ln_q_m = nan", "pairs = []"]
        {
            let key = wrong.split(' ').next().unwrap();
            let text: String = include_str!("../../floods/ratings.toml")
                .lines()
                .map(|line| if line.starts_with(&format!("{key} =")) { wrong } else { line })
                .collect::<Vec<_>>()
                .join("\n");
            let fault = toml::from_str::<Ratings>(&text).unwrap_err().to_string();
            assert!(fault.contains(key), "{wrong}: {fault}");
        }
    }
}
