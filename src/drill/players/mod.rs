//! Virtual people: members who answer, two officers on duty and a commander who decide.
//!
//! In: what has just happened, and the state. Out: what they will do and when, then the inputs of that moment. They see
//! what real people would see on their screens, and speak to the core by the same inputs. Pure: all chance comes from
//! the seed, the person and the matter.

mod members;
mod officers;
pub use officers::is_virtual_officer;

use super::policy::DrillPolicy;
use crate::command::{Core, Entry, Fact, Input, State};
use crate::model::{ActivationId, Member, MemberId, ReportId, TaskId, Timestamp};
use crate::playbook::{SignalKey, Snapshot, is_night};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What players see at a moment.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The rules.
    pub core: &'a Core,
    /// What has happened.
    pub state: &'a State,
    /// The moment.
    pub now: Timestamp,
    /// The signals of the last evaluation.
    pub water: Option<&'a Arc<Snapshot>>,
}

impl Scene<'_> {
    /// Discharge at the control station, in m³/s, if known.
    fn discharge_m3s(&self) -> Option<f64> {
        self.water?.everywhere(&SignalKey::discharge())
    }

    fn pace(&self, night_factor: f64) -> f64 {
        if is_night(self.now) { night_factor } else { 1.0 }
    }
}

/// Something that players will do.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Move,
}

/// What a player does.
#[derive(Debug, Clone, PartialEq)]
pub enum Move {
    /// Says this to the core.
    Say(Box<Input>),
    /// Looks, and says what follows from what is seen then.
    Look(Look),
}

/// What an officer looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// The whole desk, every so often.
    Desk,
    /// A proposal above the level in force.
    Raise,
    /// A proposal below it.
    Lower,
    /// A request that waits for the second person.
    Second(ActivationId),
    /// Drafts that wait for a signature.
    Drafts,
    /// A new report.
    See(ReportId),
    /// A report that can be closed.
    Settle(ReportId),
}

/// What a move comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Turn {
    /// For the core, in this order.
    pub say: Vec<Input>,
    /// For later.
    pub plan: Vec<Plan>,
}

/// A group of people that cannot be reached for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct Silence {
    /// Who.
    pub members: BTreeSet<MemberId>,
    /// From here on.
    pub from: Timestamp,
    /// Until here; `None` to the end.
    pub until: Option<Timestamp>,
}

/// All virtual people of a drill.
#[derive(Debug, Clone)]
pub struct Players {
    seed: u64,
    policy: DrillPolicy,
    silences: Vec<Silence>,
    /// Texts of reports that the script makes up.
    rumours: BTreeSet<String>,
    /// Phones that are off through the whole drill.
    off: BTreeSet<MemberId>,
    /// Looks that are planned already.
    planned: BTreeSet<Look>,
    /// Done tasks that nobody has checked, with the moment.
    unchecked: BTreeMap<TaskId, Timestamp>,
}

impl Players {
    /// Everybody of a reach. `rumours` are the texts of reports that are false.
    pub fn new(core: &Core, policy: DrillPolicy, seed: u64, silences: Vec<Silence>, rumours: BTreeSet<String>) -> Self {
        let is_off = |member: &&Member| {
            super::dice::Dice::of(seed, member.id.as_str(), "off", 0).chance(policy.members.off_share)
        };
        let off = core.reach.members().filter(is_off).map(|member| member.id.clone()).collect();
        let (planned, unchecked) = (BTreeSet::new(), BTreeMap::new());
        Self { seed, policy, silences, rumours, off, planned, unchecked }
    }

    /// A group falls silent.
    pub fn cut_off(&mut self, silence: Silence) {
        self.silences.push(silence);
    }
    /// A report with this text will be false.
    pub fn expect_rumour(&mut self, text: String) {
        self.rumours.insert(text);
    }

    /// The first look at the desk.
    pub fn begin(&mut self, now: Timestamp) -> Vec<Plan> {
        self.look_at(now, Look::Desk).into_iter().collect()
    }

    /// What people will do because of these facts.
    pub fn react(&mut self, scene: &Scene<'_>, facts: &[Entry]) -> Vec<Plan> {
        let mut plans = self.called(scene, facts);
        for entry in facts {
            match &entry.fact {
                Fact::Acknowledged { task, by } => plans.extend(self.work(scene, *task, by)),
                Fact::RoundDue { task, round, .. } if *round > 1 => plans.extend(self.round(scene, *task)),
                Fact::Escalated { task, step, to: None } => plans.extend(self.phoned(scene, *task, *step)),
                Fact::Completed { task, .. } => {
                    self.unchecked.insert(*task, entry.at);
                    plans.extend(self.order_after(scene, *task));
                }
                Fact::LevelProposed { .. } => plans.extend(self.see_proposal(scene)),
                Fact::Asked { activation, .. } => plans.extend(self.hurry(scene, Look::Second(*activation))),
                Fact::Drafted { .. } => plans.extend(self.hurry(scene, Look::Drafts)),
                Fact::Reported { report, .. } => plans.extend(self.hurry(scene, Look::See(*report))),
                _ => {}
            }
        }
        plans
    }

    /// What a planned move comes to now.
    pub fn play(&mut self, scene: &Scene<'_>, what: Move) -> Turn {
        match what {
            Move::Say(input) => self.say(scene, *input),
            Move::Look(look) => {
                self.planned.remove(&look);
                self.look(scene, look)
            }
        }
    }

    /// People of a silent group speak when the silence ends, or never.
    fn say(&self, scene: &Scene<'_>, input: Input) -> Turn {
        let silent = speaker(&input).and_then(|member| {
            let holds = |silence: &&Silence| {
                scene.now >= silence.from
                    && silence.until.is_none_or(|until| scene.now < until)
                    && silence.members.contains(member)
            };
            self.silences.iter().find(holds)
        });
        match silent {
            None => Turn { say: vec![input], plan: Vec::new() },
            Some(Silence { until: Some(until), .. }) => {
                Turn { say: Vec::new(), plan: vec![Plan { at: *until, what: Move::Say(Box::new(input)) }] }
            }
            Some(_) => Turn::default(),
        }
    }

    /// Plans a look unless one of its kind is planned already.
    fn look_at(&mut self, at: Timestamp, look: Look) -> Option<Plan> {
        self.planned.insert(look).then_some(Plan { at, what: Move::Look(look) })
    }
}

/// The member whose hand or phone an input needs.
fn speaker(input: &Input) -> Option<&MemberId> {
    match input {
        Input::Deliver { member, .. } => Some(member),
        Input::Acknowledge { by, .. }
        | Input::Decline { by, .. }
        | Input::Arrive { by, .. }
        | Input::Complete { by, .. }
        | Input::Report { by, .. } => by.member.as_ref(),
        _ => None,
    }
}
