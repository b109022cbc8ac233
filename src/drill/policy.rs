//! How virtual people behave: every share, delay and rule of thumb as data. All of it is invented, none was measured.

use super::dice::Spread;
use crate::model::{DeclineReason, InstructionCode, WarningLevel};

/// How the virtual people of a drill behave.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DrillPolicy {
    /// Those in the field.
    pub members: MemberPolicy,
    /// Those at headquarters.
    pub officers: OfficerPolicy,
}

/// How virtual members answer.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberPolicy {
    /// Until a task stands on a phone with the app.
    pub delivery: Spread,
    /// Until somebody without the app is told by voice.
    pub by_voice: Spread,
    /// From the phone to 收到.
    pub answer: Spread,
    /// Further seconds for each further task of the same message.
    pub next_task_s: f64,
    /// Share of people whose phone is off through the whole drill.
    pub off_share: f64,
    /// Share of calls that a person never answers.
    pub never_share: f64,
    /// Share of calls answered late, `late_factor` times as slow.
    pub late_share: f64,
    /// How much slower a late answer is.
    pub late_factor: f64,
    /// Share of calls answered by 去不了.
    pub decline_share: f64,
    /// Reasons with their shares of all refusals; what is left of 1 is `other`.
    pub reasons: Vec<(DeclineReason, f64)>,
    /// How much longer answers and ways take between 18:00 and 06:00.
    pub night_factor: f64,
    /// From 收到 to 到达.
    pub way: Spread,
    /// Share of the time until the deadline after which the work is done: from, to.
    pub work_share: (f64, f64),
    /// Nobody works longer than this on one task, in seconds.
    pub work_most_s: f64,
    /// Share of tasks that are done after their deadline.
    pub overdue_share: f64,
    /// Share of rounds that are missed.
    pub missed_round_share: f64,
    /// Share of those left to the commander who can be reached by phone in the end.
    pub phoned_share: f64,
    /// How long the commander's staff needs to reach them.
    pub phoned: Spread,
}

impl Default for MemberPolicy {
    fn default() -> Self {
        Self {
            delivery: Spread::of(1.0, 3.0, 12.0, 60.0),
            by_voice: Spread::of(30.0, 75.0, 150.0, 240.0),
            answer: Spread::of(6.0, 38.0, 110.0, 170.0),
            next_task_s: 1.5,
            off_share: 0.01,
            never_share: 0.02,
            late_share: 0.04,
            late_factor: 4.0,
            decline_share: 0.015,
            reasons: vec![(DeclineReason::Busy, 0.5), (DeclineReason::RoadCut, 0.25), (DeclineReason::Injured, 0.05)],
            night_factor: 1.5,
            way: Spread::of(180.0, 720.0, 1800.0, 3600.0),
            work_share: (0.35, 0.9),
            work_most_s: 43_200.0,
            overdue_share: 0.03,
            missed_round_share: 0.01,
            phoned_share: 0.7,
            phoned: Spread::of(300.0, 900.0, 2400.0, 5400.0),
        }
    }
}

/// How virtual officers act: two on duty and a commander.
#[derive(Debug, Clone, PartialEq)]
pub struct OfficerPolicy {
    /// From a higher proposal to the request.
    pub ask: Spread,
    /// From the request to the second person.
    pub confirm: Spread,
    /// From a lower proposal to the request: nobody hurries on the way down.
    pub lower: Spread,
    /// From a draft to its signature.
    pub sign: Spread,
    /// From a report to its 签阅.
    pub see_report: Spread,
    /// From a false report to its 误报 after a look on the spot.
    pub refute: Spread,
    /// From a true hazard to its end.
    pub repair: Spread,
    /// A look at the whole desk every so often, in seconds.
    pub look_every_s: u32,
    /// A done task is checked after this, in seconds.
    pub verify_after_s: u32,
    /// How much longer everything takes between 18:00 and 06:00.
    pub night_factor: f64,
    /// The commander is the second person from this level on.
    pub commander_from: WarningLevel,
    /// Orders that follow from a done task, at its place.
    pub by_task: Vec<(InstructionCode, &'static str)>,
    /// Orders and notices that follow from the situation.
    pub by_rule: Vec<OrderRule>,
}

/// An order or notice that the officers give and lift.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRule {
    /// Its name in the trigger language.
    pub name: &'static str,
    /// Given everywhere when this holds; `None`: only by tasks.
    pub give: Option<When>,
    /// Lifted everywhere when this holds; `None`: with the event.
    pub lift: Option<When>,
}

/// A condition of an [`OrderRule`]. Outside an event none holds.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// On the way up, with at least this level in force.
    Up(WarningLevel),
    /// On the way up, from this discharge on, in m³/s.
    Rising(f64),
    /// On the way down, with at most this level in force and the discharge below that, in m³/s.
    Down(WarningLevel, f64),
    /// So many seconds after another order was given, wherever that was.
    After(&'static str, u32),
}

impl Default for OfficerPolicy {
    fn default() -> Self {
        use WarningLevel::{Blue, Orange, Red, Yellow};
        let rule = |name, give, lift| OrderRule { name, give: Some(give), lift };
        let home = || Some(When::After("return", 6 * 3600));
        Self {
            ask: Spread::of(40.0, 110.0, 240.0, 420.0),
            confirm: Spread::of(10.0, 32.0, 55.0, 140.0),
            lower: Spread::of(600.0, 1200.0, 2400.0, 3600.0),
            sign: Spread::of(40.0, 120.0, 300.0, 480.0),
            see_report: Spread::of(20.0, 60.0, 150.0, 240.0),
            refute: Spread::of(1500.0, 2400.0, 4200.0, 5400.0),
            repair: Spread::of(14_400.0, 21_600.0, 32_400.0, 43_200.0),
            look_every_s: 600,
            verify_after_s: 900,
            night_factor: 1.4,
            commander_from: Red,
            by_task: vec![
                ("P-009".into(), "bridge_closed"),
                ("B6-020".into(), "evac"),
                ("B6-025".into(), "evac_done"),
                ("W-010".into(), "return"),
            ],
            by_rule: vec![
                rule("release_notice", When::Up(Blue), Some(When::Down(Yellow, 6000.0))),
                rule("bridge_closed", When::Rising(3500.0), Some(When::Down(WarningLevel::None, 2500.0))),
                rule("evac", When::Up(Orange), home()),
                rule("army", When::Up(Red), Some(When::Down(Yellow, 8000.0))),
                rule("water_gone", When::Down(Blue, 3600.0), Some(When::Up(Blue))),
                rule("return", When::After("water_gone", 24 * 3600), Some(When::Up(Blue))),
                OrderRule { name: "evac_done", give: None, lift: home() },
            ],
        }
    }
}
