//! Conditions made ready to be asked many times a second: every signal has a slot in one array of numbers.

use super::condition::{Comparison, Condition};
use super::instruction::{Instruction, Phase};
use super::signal::{SignalKey, WORKS_HAZARDS, Worst};
use super::truth::Truth;
use crate::model::Hazard;

/// The slots of an edition: each signal that a condition asks for, hazards apart, has one.
#[derive(Debug, Default, Clone)]
pub(super) struct Slots {
    keys: Vec<SignalKey>,
}

impl Slots {
    pub fn of<'a>(conditions: impl IntoIterator<Item = &'a Condition>) -> Self {
        let mut keys: Vec<SignalKey> =
            conditions.into_iter().flat_map(Condition::signals).filter(|key| !is_of_hazard(key)).cloned().collect();
        keys.sort();
        keys.dedup();
        Self { keys }
    }
    /// In order, so that a sorted map can be walked beside it.
    pub fn keys(&self) -> &[SignalKey] {
        &self.keys
    }
    pub fn slot(&self, key: &SignalKey) -> Option<usize> {
        self.keys.binary_search(key).ok()
    }
}

fn is_of_hazard(key: &SignalKey) -> bool {
    matches!(key.name(), "hazard" | "grade" | "resolved" | "false_alarm")
}

/// What is known of one slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// NaN where nothing is known; answers are 1 or 0.
    pub value: f64,
    /// The truth may lie higher, not lower.
    pub at_least: bool,
}

impl Known {
    pub const NOTHING: Self = Self { value: f64::NAN, at_least: false };
    /// A number that is known for certain.
    pub fn number(value: f64) -> Self {
        Self { value, at_least: false }
    }
    /// A number that is known, or nothing.
    pub fn maybe(value: Option<f64>) -> Self {
        value.map_or(Self::NOTHING, Self::number)
    }
    /// The more dangerous of this and a local value.
    pub fn worse_with(self, local: Option<f64>, key: &SignalKey) -> Self {
        match (self.value.is_nan(), local) {
            (_, None) => self,
            (true, Some(local)) => Self::number(local),
            (false, Some(local)) => {
                let is_min = key.spec().is_some_and(|spec| spec.worst == Worst::Min);
                // Below a lower bound of the others the local value is the least there is.
                let at_least = self.at_least && !(is_min && local <= self.value);
                Self { value: if is_min { self.value.min(local) } else { self.value.max(local) }, at_least }
            }
        }
    }
    fn compare(self, comparison: Comparison, limit: f64) -> Truth {
        if self.value.is_nan() {
            return Truth::Unknown;
        }
        let holds = comparison.holds(self.value, limit);
        let settled = match comparison {
            Comparison::AtLeast | Comparison::Above => holds,
            Comparison::AtMost | Comparison::Below => !holds,
            Comparison::Equal | Comparison::Unequal => self.value > limit,
        };
        if self.at_least && !settled { Truth::Unknown } else { holds.into() }
    }
    fn answer(self) -> Truth {
        if self.value.is_nan() { Truth::Unknown } else { (self.value != 0.0).into() }
    }
}

/// One [`Known`] a slot.
pub(super) type Frame = Vec<Known>;

/// What a condition may say about hazards.
#[derive(Debug, Clone, Copy)]
pub(super) enum HazardSeen<'a> {
    /// There is none.
    None,
    /// Whether there will be one is open (a preview).
    Open,
    /// This one.
    This(&'a Hazard),
}

#[derive(Debug, Clone)]
enum Node {
    All(Box<[Node]>),
    Any(Box<[Node]>),
    Compare { slot: usize, comparison: Comparison, threshold: f64, safe: f64 },
    Holds { slot: usize },
    HazardIs { kind: Box<str> },
    GradeIs { comparison: Comparison, threshold: f64 },
    Resolved,
    FalseAlarm,
}

/// Which threshold a comparison uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Threshold {
    /// As written.
    Fire,
    /// 10 % on the safe side.
    Rearm,
}

/// A condition that is asked with slots.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    node: Node,
    /// Slots that it asks for.
    pub slots: Vec<usize>,
    /// Whether it asks for a hazard at all.
    pub asks_hazard: bool,
    /// Whether it asks for `resolved()` or `false_alarm()`: closed hazards then count too.
    pub sees_resolved: bool,
    pub sees_false_alarm: bool,
}

impl Compiled {
    pub fn new(condition: &Condition, slots: &Slots) -> Self {
        let signals = condition.signals();
        let mut own: Vec<usize> = signals.iter().filter_map(|key| slots.slot(key)).collect();
        own.sort_unstable();
        own.dedup();
        Self {
            node: node(condition, slots),
            slots: own,
            asks_hazard: signals.iter().any(|key| is_of_hazard(key)),
            sees_resolved: condition.asks_for("resolved"),
            sees_false_alarm: condition.asks_for("false_alarm"),
        }
    }
    pub fn truth(&self, frame: &Frame, hazard: HazardSeen<'_>, threshold: Threshold) -> Truth {
        self.node.truth(frame, hazard, threshold)
    }
    /// Names of the signals that keep the condition unknown.
    pub fn unknown(&self, frame: &Frame, hazard: HazardSeen<'_>, slots: &Slots, found: &mut Vec<String>) {
        self.node.unknown(frame, hazard, slots, found);
        found.dedup();
    }
}

fn node(condition: &Condition, slots: &Slots) -> Node {
    let parts = |parts: &[Condition]| parts.iter().map(|part| node(part, slots)).collect();
    match condition {
        Condition::All(inner) => Node::All(parts(inner)),
        Condition::Any(inner) => Node::Any(parts(inner)),
        Condition::Compare { signal, comparison, threshold, .. } => {
            let (comparison, threshold) = (*comparison, *threshold);
            let safe = comparison.safe_side(threshold);
            match slots.slot(signal) {
                Some(slot) => Node::Compare { slot, comparison, threshold, safe },
                None => Node::GradeIs { comparison, threshold },
            }
        }
        Condition::Holds { signal, .. } => match (signal.name(), slots.slot(signal)) {
            (_, Some(slot)) => Node::Holds { slot },
            ("resolved", None) => Node::Resolved,
            ("false_alarm", None) => Node::FalseAlarm,
            _ => Node::HazardIs { kind: signal.word().unwrap_or("").into() },
        },
    }
}

impl Node {
    fn truth(&self, frame: &Frame, hazard: HazardSeen<'_>, threshold: Threshold) -> Truth {
        match self {
            Self::All(parts) => {
                let mut all = Truth::True;
                for part in parts {
                    all = all.and(part.truth(frame, hazard, threshold));
                    if all == Truth::False {
                        break;
                    }
                }
                all
            }
            Self::Any(parts) => {
                let mut any = Truth::False;
                for part in parts {
                    any = any.or(part.truth(frame, hazard, threshold));
                    if any == Truth::True {
                        break;
                    }
                }
                any
            }
            Self::Compare { slot, comparison, threshold: fire, safe } => {
                let limit = if threshold == Threshold::Fire { *fire } else { *safe };
                known(frame, *slot).compare(*comparison, limit)
            }
            Self::Holds { slot } => known(frame, *slot).answer(),
            Self::HazardIs { .. } | Self::GradeIs { .. } | Self::Resolved | Self::FalseAlarm => match hazard {
                HazardSeen::None => Truth::False,
                HazardSeen::Open => Truth::Unknown,
                HazardSeen::This(hazard) => self.of_hazard(hazard).into(),
            },
        }
    }

    fn of_hazard(&self, hazard: &Hazard) -> bool {
        match self {
            Self::HazardIs { kind } if &**kind == "any" => WORKS_HAZARDS.contains(&hazard.kind.as_str()),
            Self::HazardIs { kind } => **kind == *hazard.kind,
            // A grade is a class: it does not flutter, and nine tenths of a class mean nothing.
            Self::GradeIs { comparison, threshold } => comparison.holds(f64::from(hazard.grade), *threshold),
            Self::Resolved => hazard.resolved,
            Self::FalseAlarm => hazard.false_alarm,
            _ => false,
        }
    }

    fn unknown(&self, frame: &Frame, hazard: HazardSeen<'_>, slots: &Slots, found: &mut Vec<String>) {
        if !self.truth(frame, hazard, Threshold::Fire).is_unknown() {
            return;
        }
        let name = |slot: &usize| slots.keys().get(*slot).map(ToString::to_string).unwrap_or_default();
        match self {
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.unknown(frame, hazard, slots, found);
                }
            }
            Self::Compare { slot, .. } | Self::Holds { slot } => found.push(name(slot)),
            Self::HazardIs { kind } => found.push(format!("hazard(\"{kind}\")")),
            Self::GradeIs { .. } => found.push("grade".into()),
            Self::Resolved => found.push("resolved()".into()),
            Self::FalseAlarm => found.push("false_alarm()".into()),
        }
    }
}

fn known(frame: &Frame, slot: usize) -> Known {
    frame.get(slot).copied().unwrap_or(Known::NOTHING)
}

/// A row made ready.
#[derive(Debug, Clone)]
pub(super) struct CompiledRow {
    pub trigger: Compiled,
    pub stop: Option<Compiled>,
    pub phase: Phase,
    /// Slots of trigger and stop.
    pub slots: Vec<usize>,
    /// Scope `hq` or `all`: one answer for all its places, from the worst of the local values.
    pub is_wide: bool,
    /// Rows that it replaces.
    pub supersedes: Vec<usize>,
}

impl CompiledRow {
    pub fn new(row: &Instruction, slots: &Slots) -> Self {
        let trigger = Compiled::new(&row.trigger.condition, slots);
        let stop = row.stop_when.as_ref().map(|stop| Compiled::new(&stop.condition, slots));
        let mut own = trigger.slots.clone();
        own.extend(stop.iter().flat_map(|stop| stop.slots.iter().copied()));
        own.sort_unstable();
        own.dedup();
        Self {
            trigger,
            stop,
            phase: row.phase,
            slots: own,
            is_wide: matches!(row.scope.as_str(), "hq" | "all"),
            supersedes: Vec::new(),
        }
    }
}
