//! Forecasts made elsewhere: weather by area, discharge or stage at a station, planned releases of a reservoir.
//!
//! In: who issued it, when, for which station or area, and one or many members. Out: a checked [`ImportedForecast`]. It refuses
//! what cannot be used: no member, times that do not rise, numbers that are none, a stage without its datum.

use crate::model::{Datum, Timestamp};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Most members of one forecast; the largest weather ensembles have about a hundred.
pub const MEMBERS_MAX: usize = 200;
/// Most points of one member.
pub const POINTS_MAX: usize = 2_000;
/// A point this long before the issue is a mistake of the clock, not an analysis.
const BEFORE_ISSUE_MAX: TimeDelta = TimeDelta::hours(48);
/// A point this long after the issue is none that anybody can know.
const AHEAD_MAX: TimeDelta = TimeDelta::days(60);
/// Nearly three times the largest flood of this river that is known (36,000 m³/s at Sanmenxia in 1843).
const DISCHARGE_MAX_M3S: f64 = 100_000.0;
/// Between two points: the world's largest rain of a day is 1,825 mm (WMO, La Réunion 1966).
const RAIN_MAX_MM: f64 = 2_000.0;
/// The world's strongest gust outside tornadoes is 113 m/s (WMO, Barrow Island 1996).
const WIND_MAX_MS: f64 = 120.0;
/// Sea level with a low tide, and the springs of the river.
const STAGE_MIN_M: f64 = -20.0;
const STAGE_MAX_M: f64 = 5_500.0;
/// Longest name of a source, an area or a member, in characters.
const NAME_MAX: usize = 64;

/// What is forecast, each in one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForecastVariable {
    /// 流量, m³/s, at the moment of the point.
    Discharge,
    /// 水位, m above the datum, at the moment of the point.
    Stage,
    /// 时段雨量, mm that fall between the point before and this one (the first: since the issue).
    Rain,
    /// 风速, m/s, at the moment of the point.
    Wind,
    /// 计划出库, m³/s that a reservoir means to release at the moment of the point.
    Release,
}

impl ForecastVariable {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 5] = [Self::Discharge, Self::Stage, Self::Rain, Self::Wind, Self::Release];

    /// The word of files and of the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discharge => "discharge",
            Self::Stage => "stage",
            Self::Rain => "rain",
            Self::Wind => "wind",
            Self::Release => "release",
        }
    }
    /// Unit of the values.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Discharge | Self::Release => "m3/s",
            Self::Stage => "m",
            Self::Rain => "mm",
            Self::Wind => "m/s",
        }
    }
    /// Lowest and highest value that river, sky or reservoir can give here, in the unit, and what it is called.
    pub fn possible(self) -> (f64, f64, &'static str) {
        match self {
            Self::Discharge => (0.0, DISCHARGE_MAX_M3S, "流量"),
            Self::Release => (0.0, DISCHARGE_MAX_M3S, "计划出库"),
            Self::Stage => (STAGE_MIN_M, STAGE_MAX_M, "水位"),
            Self::Rain => (0.0, RAIN_MAX_MM, "时段雨量"),
            Self::Wind => (0.0, WIND_MAX_MS, "风速"),
        }
    }
    /// The variable of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variable| variable.as_str() == word)
    }
}

/// One possible course.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportedMember {
    /// `control`, `01`, …; one member alone may be called anything.
    pub id: String,
    /// Moments and values in the unit of the variable, rising in time, finite.
    pub points: Vec<(Timestamp, f64)>,
}

impl ImportedMember {
    /// The value at a moment on the straight line between its neighbours; nothing outside the points. Not for rain, which is
    /// a sum between two points.
    pub fn at(&self, moment: Timestamp) -> Option<f64> {
        let after = self.points.partition_point(|(at, _)| *at < moment);
        let (later, later_value) = *self.points.get(after)?;
        if later == moment {
            return Some(later_value);
        }
        let (earlier, earlier_value) = *self.points.get(after.checked_sub(1)?)?;
        let share = (moment - earlier).num_milliseconds() as f64 / (later - earlier).num_milliseconds() as f64;
        Some(earlier_value + (later_value - earlier_value) * share)
    }
}

/// A forecast that came from outside, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct ImportedForecast {
    /// Who issued it: `省气象台`, `黄委水文局`, `ecmwf`.
    pub source: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// What it is of.
    pub variable: ForecastVariable,
    /// The station's id, or the name of the area.
    pub area: String,
    /// Reference surface of a stage; nothing for the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datum: Option<Datum>,
    /// At least one.
    pub members: Vec<ImportedMember>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    source: String,
    issued_at: Timestamp,
    variable: ForecastVariable,
    area: String,
    datum: Option<Datum>,
    members: Vec<ImportedMember>,
}

impl TryFrom<Unchecked> for ImportedForecast {
    type Error = ImportedFault;
    fn try_from(from: Unchecked) -> Result<Self, ImportedFault> {
        let Unchecked { source, issued_at, variable, area, datum, members } = from;
        // What was taken once is read again, also under limits that came later: a server must start.
        Self { source, issued_at, variable, area, datum, members }.well_formed()
    }
}

/// Why a forecast from outside is not taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ImportedFault {
    /// Empty, too long, or with control characters.
    #[error("{field} 须为 1 至 {NAME_MAX} 字 (must have 1 to {NAME_MAX} characters)")]
    Name {
        /// `source`, `area`, `member`.
        field: &'static str,
    },
    /// None or too many.
    #[error("成员数 {0} 不在 1 至 {MEMBERS_MAX} 之间 ({0} members, 1 to {MEMBERS_MAX} are taken)")]
    Members(usize),
    /// Two members of one name.
    #[error("成员 {0} 出现两次 (member {0} is there twice)")]
    Twice(String),
    /// None or too many.
    #[error("成员 {member} 有 {points} 个点，须为 1 至 {POINTS_MAX} (1 to {POINTS_MAX} points a member)")]
    Points {
        /// Which member.
        member: String,
        /// How many.
        points: usize,
    },
    /// The same moment again or an earlier one.
    #[error("成员 {member} 第 {point} 点的时间没有递增 (point {point} is not later than the one before)")]
    NotRising {
        /// Which member.
        member: String,
        /// Counted from 1.
        point: usize,
    },
    /// Long before the issue or far ahead of it.
    #[error("成员 {member} 第 {point} 点的时间与发布时间不符 (point {point} does not fit the moment of issue)")]
    OffTime {
        /// Which member.
        member: String,
        /// Counted from 1.
        point: usize,
    },
    /// Not finite, or below zero where there is no such thing.
    #[error("成员 {member} 第 {point} 点的值 {value} 不可用 (point {point}: {value} cannot be)")]
    Value {
        /// Which member.
        member: String,
        /// Counted from 1.
        point: usize,
        /// As it came.
        value: f64,
    },
    /// Beyond what there can be: a unit that was mistaken, a digit too many.
    #[error(
        "成员 {member} 第 {point} 点：{name} {value} {unit} 不可能，须为 {low} 至 {high} (point {point}: {value} {unit} cannot be, {low} to {high} can)"
    )]
    Impossible {
        /// Which member.
        member: String,
        /// Counted from 1.
        point: usize,
        /// What it is called.
        name: &'static str,
        /// As it came, in the unit.
        value: f64,
        /// Of the variable.
        unit: &'static str,
        /// Smallest that can be.
        low: f64,
        /// Largest that can be.
        high: f64,
    },
    /// A stage says its datum, the others have none.
    #[error("水位须注明基面，其余不得有基面 (a stage states its datum, nothing else has one)")]
    Datum,
}

impl ImportedForecast {
    /// Itself, if it can be used.
    ///
    /// # Errors
    /// The first thing that cannot be, by member and point.
    pub fn checked(self) -> Result<Self, ImportedFault> {
        let sound = self.well_formed()?;
        let (low, high, name) = sound.variable.possible();
        for member in &sound.members {
            let beyond = member.points.iter().position(|(_, value)| !(low..=high).contains(value));
            if let Some((index, (_, value))) = beyond.and_then(|index| Some((index, member.points.get(index)?))) {
                let (member, unit) = (member.id.clone(), sound.variable.unit());
                return Err(ImportedFault::Impossible {
                    member,
                    point: index + 1,
                    name,
                    value: *value,
                    unit,
                    low,
                    high,
                });
            }
        }
        Ok(sound)
    }

    fn well_formed(self) -> Result<Self, ImportedFault> {
        let named =
            |text: &str| (1..=NAME_MAX).contains(&text.trim().chars().count()) && !text.chars().any(char::is_control);
        for (field, text) in [("source", &self.source), ("area", &self.area)] {
            if !named(text) {
                return Err(ImportedFault::Name { field });
            }
        }
        if self.datum.is_some() != (self.variable == ForecastVariable::Stage) {
            return Err(ImportedFault::Datum);
        }
        if !(1..=MEMBERS_MAX).contains(&self.members.len()) {
            return Err(ImportedFault::Members(self.members.len()));
        }
        for (index, member) in self.members.iter().enumerate() {
            if !named(&member.id) {
                return Err(ImportedFault::Name { field: "member" });
            }
            if self.members.iter().take(index).any(|earlier| earlier.id == member.id) {
                return Err(ImportedFault::Twice(member.id.clone()));
            }
            self.check_points(member)?;
        }
        Ok(self)
    }

    fn check_points(&self, member: &ImportedMember) -> Result<(), ImportedFault> {
        let name = || member.id.clone();
        if !(1..=POINTS_MAX).contains(&member.points.len()) {
            return Err(ImportedFault::Points { member: name(), points: member.points.len() });
        }
        let mut before = None;
        for (index, (at, value)) in member.points.iter().enumerate() {
            let point = index + 1;
            if before.is_some_and(|before| *at <= before) {
                return Err(ImportedFault::NotRising { member: name(), point });
            }
            if *at < self.issued_at - BEFORE_ISSUE_MAX || *at > self.issued_at + AHEAD_MAX {
                return Err(ImportedFault::OffTime { member: name(), point });
            }
            let possible = value.is_finite() && (*value >= 0.0 || self.variable == ForecastVariable::Stage);
            if !possible {
                return Err(ImportedFault::Value { member: name(), point, value: *value });
            }
            before = Some(*at);
        }
        Ok(())
    }

    /// The last moment that every member reaches.
    pub fn reaches_until(&self) -> Option<Timestamp> {
        self.members.iter().filter_map(|member| member.points.last()).map(|(at, _)| *at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    fn forecast(points: Vec<(Timestamp, f64)>) -> ImportedForecast {
        ImportedForecast {
            source: "黄委水文局".into(),
            issued_at: at(0),
            variable: ForecastVariable::Discharge,
            area: "huayuankou".into(),
            datum: None,
            members: vec![ImportedMember { id: "01".into(), points }],
        }
    }

    #[test]
    fn what_cannot_be_is_refused_by_member_and_point() {
        let good = vec![(at(1), 4000.0), (at(3), 5000.0)];
        let member = || "01".to_owned();
        assert_eq!(forecast(good.clone()).checked(), Ok(forecast(good.clone())));
        let check = |change: &dyn Fn(&mut ImportedForecast), fault: ImportedFault| {
            let mut changed = forecast(good.clone());
            change(&mut changed);
            assert_eq!(changed.checked(), Err(fault));
        };
        check(&|f| f.area = " ".into(), ImportedFault::Name { field: "area" });
        check(&|f| f.source = "x".repeat(65), ImportedFault::Name { field: "source" });
        check(&|f| f.members.clear(), ImportedFault::Members(0));
        check(&|f| f.members.push(f.members[0].clone()), ImportedFault::Twice("01".into()));
        check(&|f| f.members[0].points.clear(), ImportedFault::Points { member: member(), points: 0 });
        check(&|f| f.members[0].points[1].0 = at(1), ImportedFault::NotRising { member: member(), point: 2 });
        check(&|f| f.members[0].points[0].0 = at(-49), ImportedFault::OffTime { member: member(), point: 1 });
        check(&|f| f.members[0].points[1].0 = at(24 * 61), ImportedFault::OffTime { member: member(), point: 2 });
        check(&|f| f.members[0].points[1].1 = -1.0, ImportedFault::Value { member: member(), point: 2, value: -1.0 });
        check(&|f| f.variable = ForecastVariable::Stage, ImportedFault::Datum);
        check(&|f| f.datum = Some(Datum::Dagu), ImportedFault::Datum);
        let mut nan = forecast(good);
        nan.members[0].points[0].1 = f64::NAN;
        assert!(matches!(nan.checked(), Err(ImportedFault::Value { point: 1, .. })));
    }

    #[test]
    fn what_no_river_and_no_sky_can_give_is_refused_by_name() {
        let check = |variable, datum, most: f64, beyond: f64, name: &str| {
            let mut all = forecast(vec![(at(1), most), (at(2), most)]);
            (all.variable, all.datum) = (variable, datum);
            assert!(all.clone().checked().is_ok(), "{variable:?} {most}");
            all.members[0].points[1].1 = beyond;
            let words = all.clone().checked().unwrap_err().to_string();
            assert!(words.contains(name) && words.contains("第 2 点"), "{words}");
            // What an earlier edition took can still be read.
            let text = serde_json::to_string(&all).unwrap();
            assert_eq!(serde_json::from_str::<ImportedForecast>(&text).unwrap(), all);
        };
        check(ForecastVariable::Release, None, 100_000.0, 1e9, "计划出库");
        check(ForecastVariable::Discharge, None, 100_000.0, 100_001.0, "流量");
        check(ForecastVariable::Rain, None, 2_000.0, 2_001.0, "时段雨量");
        check(ForecastVariable::Wind, None, 120.0, 121.0, "风速");
        check(ForecastVariable::Stage, Some(Datum::Dagu), 5_500.0, 9_350.0, "水位");
        check(ForecastVariable::Stage, Some(Datum::Dagu), -20.0, -21.0, "水位");
    }

    #[test]
    fn a_member_is_a_line_between_its_points_and_nothing_outside() {
        let all = forecast(vec![(at(1), 4000.0), (at(3), 5000.0)]);
        let member = &all.members[0];
        assert_eq!((member.at(at(1)), member.at(at(2)), member.at(at(3))), (Some(4000.0), Some(4500.0), Some(5000.0)));
        assert_eq!((member.at(at(0)), member.at(at(4))), (None, None));
        assert_eq!(all.reaches_until(), Some(at(3)));
    }

    #[test]
    fn its_text_is_checked_when_it_is_read_again() {
        let good = forecast(vec![(at(1), 4000.0)]);
        let text = serde_json::to_string(&good).unwrap();
        assert_eq!(serde_json::from_str::<ImportedForecast>(&text).unwrap(), good);
        let bad = text.replace("4000.0", "-4000.0");
        assert!(serde_json::from_str::<ImportedForecast>(&bad).unwrap_err().to_string().contains("-4000"));
        for variable in ForecastVariable::ALL {
            assert_eq!(ForecastVariable::from_word(variable.as_str()), Some(variable));
        }
    }
}
