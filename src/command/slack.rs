//! Slack of a task against the water (水前余量): arrival at its place − travel − work.
//!
//! In: the live twin, a task, its row, the reach, the moment. Out: a [`Slack`], or why there is none. Below zero the work cannot
//! be done before the water is there: the task needs another decision, not another call.

use super::task::Task;
use crate::hydraulics::Mirrored;
use crate::model::{Reach, Timestamp};
use crate::playbook::Instruction;
use chrono::TimeDelta;

/// Speed on levee roads at night in the rain, our default, km/h.
pub const TRAVEL_KMH: f64 = 15.0;
/// A way is so much longer than the straight line, our default.
pub const DETOUR: f64 = 1.4;
/// A longer deadline is a date, not hours of work at one place, our default, min.
const WORK_MAX_MIN: u32 = 120;
/// Length of a degree of latitude, m.
const METRES_PER_DEGREE: f64 = 111_320.0;

/// What the water leaves of the time for a task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slack {
    /// When the water is at its place; a moment that has passed: it is there.
    pub water_at: Timestamp,
    /// Whether the water is there.
    pub is_there: bool,
    /// Time that the one who has it still needs to get there; zero once he has arrived, and where nobody has it.
    pub travel: TimeDelta,
    /// What is left of the time that the row gives for the work.
    pub work: TimeDelta,
    /// Arrival − travel − work − now.
    pub left: TimeDelta,
}

/// Why a task has no slack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSlack {
    /// It is at its end.
    Over,
    /// No water comes there with the present forecast.
    Dry,
    /// Its place is river at all times, the model knows no arrival there.
    River,
    /// Its place is not on the model's ground.
    OffGround,
}

impl NoSlack {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Over => "over",
            Self::Dry => "dry",
            Self::River => "river",
            Self::OffGround => "unknown",
        }
    }
    /// For screens.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Over => ("任务已结束", "the task has ended"),
            Self::Dry => ("按现有预报，此处不进水", "no water comes here with the present forecast"),
            Self::River => {
                ("此处常年在河槽内，模型没有到水时刻", "this is river at all times: the model has no arrival here")
            }
            Self::OffGround => ("此处不在模型地形内", "this is not on the model's ground"),
        }
    }
}

/// The slack of a task at a moment.
///
/// # Errors
/// Why there is none.
pub fn slack(twin: &Mirrored, task: &Task, row: &Instruction, reach: &Reach, now: Timestamp) -> Result<Slack, NoSlack> {
    if !task.is_live() {
        return Err(NoSlack::Over);
    }
    let Some(coming) = twin.places.get(&task.place) else {
        return Err(match (twin.table.knows(&task.place), twin.table.is_in_river(&task.place)) {
            (true, _) => NoSlack::Dry,
            (false, true) => NoSlack::River,
            (false, false) => NoSlack::OffGround,
        });
    };
    let given = TimeDelta::minutes(i64::from(row.deadline_min.min(WORK_MAX_MIN)));
    let (travel, work) = match &task.arrived {
        Some((at, _)) => (TimeDelta::zero(), (given - (now - *at)).max(TimeDelta::zero())),
        None => (travel(task, reach), given),
    };
    // Water that is there leaves no time; how long it has been there makes it no less.
    let water_at = coming.at.unwrap_or(now);
    let left = water_at.max(now) - now - travel - work;
    Ok(Slack { water_at, is_there: coming.is_there(now), travel, work, left })
}

/// From the post of the one who has it to the place; nobody has no way to go.
fn travel(task: &Task, reach: &Reach) -> TimeDelta {
    let holder = task.holder.as_ref().and_then(|member| reach.member(member));
    let metres = holder.zip(reach.place(&task.place)).map_or(0.0, |(member, place)| {
        let east = (place.lon - member.lon) * place.lat.to_radians().cos();
        east.hypot(place.lat - member.lat) * METRES_PER_DEGREE
    });
    let hours = metres * DETOUR / (TRAVEL_KMH * 1000.0);
    TimeDelta::seconds((hours * 3600.0).round() as i64)
}
