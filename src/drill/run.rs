//! A whole drill on a virtual clock: the same watch and the same core as live, stepped from moment to moment.
//!
//! In: rules, watch, virtual devices, virtual people. Out: the entries of the journal in order, judged observations, and
//! the moment reached, handed to a [`Record`]. It reads no clock, so it runs as fast as the machine does; the same parts
//! give the same entries, byte for byte. What people say and the core refuses is counted and leaves no trace.
//!
//! The water does not wait for people: what the devices tell and what the watch makes of it depends on nobody's answer, so it
//! runs some minutes ahead on a thread of its own, and the core takes it minute by minute in the same order.

use super::players::{Move, Plan, Players, Scene};
use super::river::River;
use crate::command::{CommandSettings, Core, Entry, Input, State, TwinView, Watch};
use crate::model::{Observation, Timestamp};
use crate::playbook::Snapshot;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

/// Minutes that the water may run ahead of people.
const AHEAD: usize = 16;

/// Where a drill goes.
pub trait Record {
    /// Why it cannot be kept.
    type Fault;
    /// Entries of the journal, in order; `state` has them folded in.
    ///
    /// # Errors
    /// When they cannot be kept; the drill ends there.
    fn entries(&mut self, entries: &[Entry], state: &State) -> Result<(), Self::Fault>;
    /// Judged observations of a minute.
    ///
    /// # Errors
    /// When they cannot be kept; the drill ends there.
    fn observations(&mut self, observations: Vec<Observation>) -> Result<(), Self::Fault>;
    /// The drill has come to this minute.
    fn minute(&mut self, _now: Timestamp, _state: &State) {}
}

/// What a drill is made of.
#[derive(Debug)]
pub struct RunParts {
    /// The rules.
    pub core: Core,
    /// Judge, board, forecast, stones.
    pub watch: Watch,
    /// Virtual devices.
    pub river: River,
    /// Virtual people.
    pub players: Players,
    /// What the script lets people do.
    pub script: Vec<Plan>,
    /// Times that the command keeps.
    pub settings: CommandSettings,
    /// First moment.
    pub from: Timestamp,
    /// Last moment.
    pub to: Timestamp,
}

/// What a drill amounted to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// Readings told by devices.
    pub readings: u64,
    /// Evaluations of the playbook.
    pub evaluations: u64,
    /// Inputs of people, those refused included.
    pub said: u64,
    /// Inputs that the core refused.
    pub refused: u64,
}

/// A drill on its way.
#[derive(Debug)]
pub struct Run {
    core: Core,
    state: State,
    water: Option<WaterSide>,
    players: Players,
    settings: CommandSettings,
    /// By moment and order of planning.
    queue: BTreeMap<(Timestamp, u64), Move>,
    planned: u64,
    now: Timestamp,
    /// The signals of the last evaluation.
    signals: Option<Arc<Snapshot>>,
    counts: RunCounts,
}

/// Devices and watch: the half that depends on nobody's answer.
#[derive(Debug)]
struct WaterSide {
    watch: Watch,
    river: River,
    now: Timestamp,
    to: Timestamp,
}

/// What the water says in a minute.
#[derive(Debug)]
struct Minute {
    at: Timestamp,
    readings: usize,
    judged: Vec<Observation>,
    estimates: Vec<Observation>,
    /// Outages, stones, water that comes.
    health: Vec<Input>,
    twin: TwinView,
    evaluate: Input,
}

impl WaterSide {
    /// Minute by minute to the end, or until nobody listens any more.
    fn flow(mut self, out: &SyncSender<Minute>) {
        let mut readings = Vec::new();
        while self.now <= self.to {
            let at = self.now;
            readings.clear();
            self.river.tell(at, &mut readings);
            let judged = self.watch.take(&readings);
            let health = self.watch.health(at);
            let twin = self.watch.twin_view();
            let evaluate = self.watch.evaluate(at);
            let estimates = self.watch.drain_estimates();
            let minute = Minute { at, readings: readings.len(), judged, estimates, health, twin, evaluate };
            if out.send(minute).is_err() {
                return;
            }
            self.now = self.river.step_after(at);
        }
    }
}

impl Run {
    /// Nobody has moved yet.
    pub fn new(parts: RunParts) -> Self {
        let mut run = Self {
            core: parts.core,
            state: State::default(),
            water: Some(WaterSide { watch: parts.watch, river: parts.river, now: parts.from, to: parts.to }),
            players: parts.players,
            settings: parts.settings,
            queue: BTreeMap::new(),
            planned: 0,
            now: parts.from,
            signals: None,
            counts: RunCounts::default(),
        };
        run.plan(parts.script);
        let first = run.players.begin(run.now);
        run.plan(first);
        run
    }

    /// The state reached.
    pub fn state(&self) -> &State {
        &self.state
    }
    /// The rules.
    pub fn core(&self) -> &Core {
        &self.core
    }
    /// What it amounted to so far.
    pub fn counts(&self) -> RunCounts {
        self.counts
    }

    /// Runs to the last moment. A second call finds nothing left to do.
    ///
    /// # Errors
    /// When the record cannot be kept.
    pub fn to_end<R: Record>(&mut self, record: &mut R) -> Result<(), R::Fault> {
        let Some(water) = self.water.take() else { return Ok(()) };
        let settings = self.settings.clone();
        self.step(&Input::Configure { settings }, record)?;
        std::thread::scope(|scope| {
            let (out, minutes) = sync_channel(AHEAD);
            scope.spawn(move || water.flow(&out));
            minutes.into_iter().try_for_each(|minute| self.minute(minute, record))
        })
    }

    /// People and clocks up to the minute, then what the water says in it: kept, and judged by the core.
    fn minute<R: Record>(&mut self, minute: Minute, record: &mut R) -> Result<(), R::Fault> {
        self.until(minute.at, record)?;
        self.now = self.now.max(minute.at);
        self.counts.readings += minute.readings as u64;
        record.observations(minute.judged)?;
        for input in minute.twin.with_breaches(minute.health, &self.state, minute.at) {
            self.step(&input, record)?;
        }
        record.observations(minute.estimates)?;
        self.counts.evaluations += 1;
        self.step(&minute.evaluate, record)?;
        if let Input::Evaluate { snapshot, .. } = minute.evaluate {
            self.signals = Some(Arc::new(snapshot));
        }
        record.minute(minute.at, &self.state);
        Ok(())
    }

    /// Everything that people and clocks do before `end`, in order of time; clocks before people.
    fn until<R: Record>(&mut self, end: Timestamp, record: &mut R) -> Result<(), R::Fault> {
        loop {
            let due = self.state.next_due().filter(|due| *due < end);
            let planned = self.queue.keys().next().map(|(at, _)| *at).filter(|at| *at < end);
            match (due, planned) {
                (None, None) => return Ok(()),
                (Some(due), planned) if planned.is_none_or(|planned| due <= planned) => {
                    self.now = self.now.max(due);
                    self.step(&Input::Tick, record)?;
                }
                _ => {
                    let Some(((at, _), what)) = self.queue.pop_first() else { return Ok(()) };
                    self.now = self.now.max(at);
                    self.play(what, record)?;
                }
            }
        }
    }

    fn play<R: Record>(&mut self, what: Move, record: &mut R) -> Result<(), R::Fault> {
        let scene = Scene { core: &self.core, state: &self.state, now: self.now, water: self.signals.as_ref() };
        let turn = self.players.play(&scene, what);
        self.plan(turn.plan);
        for input in turn.say {
            self.counts.said += 1;
            self.step(&input, record)?;
        }
        Ok(())
    }

    fn step<R: Record>(&mut self, input: &Input, record: &mut R) -> Result<(), R::Fault> {
        let Ok(entries) = self.core.step(&mut self.state, input, self.now) else {
            self.counts.refused += 1;
            return Ok(());
        };
        if entries.is_empty() {
            return Ok(());
        }
        record.entries(&entries, &self.state)?;
        let scene = Scene { core: &self.core, state: &self.state, now: self.now, water: self.signals.as_ref() };
        let plans = self.players.react(&scene, &entries);
        self.plan(plans);
        Ok(())
    }

    fn plan(&mut self, plans: Vec<Plan>) {
        for plan in plans {
            self.planned += 1;
            self.queue.insert((plan.at, self.planned), plan.what);
        }
    }
}
