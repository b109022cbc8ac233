//! A drill put together from the files of a site: rules, watch, virtual devices, virtual people.

use super::assemble::{self, AssembleError};
pub use super::assemble::{SiteFiles, load_playbook};
use crate::command::{CommandSettings, Core};
use crate::drill::field::{Bench, BenchPart, Inject};
use crate::drill::floods::Flood;
use crate::drill::{DrillPolicy, Move, Plan, Players, River, Run, RunParts, script};
use crate::ingest::sensors::Sensors;
use crate::model::Timestamp;
use std::sync::Arc;

/// What a drill is made of.
pub struct RehearsalParts {
    /// Playbook, reach, sensors.
    pub files: SiteFiles,
    /// What the river does.
    pub flood: Flood,
    /// What the director breaks.
    pub injects: Vec<Inject>,
    /// Seed of all chance.
    pub seed: u64,
    /// Seconds between two looks at the water, 60 to 3600: gauges tell at most so often.
    pub look_every_s: u32,
    /// Seconds between two readings of a stone; 0 leaves the stones silent.
    pub stone_every_s: u32,
    /// How people behave.
    pub policy: DrillPolicy,
}

/// A drill from the first to the last moment of its flood.
///
/// # Errors
/// Faults of the playbook.
pub fn rehearse(parts: RehearsalParts) -> Result<Run, AssembleError> {
    let (from, to) = parts.flood.span();
    let playbook = assemble::load_playbook(&parts.files.playbook)?;
    let sensors = paced(parts.files.sensors, parts.look_every_s);
    // Read before the first minute: a drill played twice sees the same water in the same minute.
    let twin = parts.files.reach.twin_slot_read();
    let core = Core { playbook: Arc::new(playbook), reach: Arc::new(parts.files.reach.reach) };
    let watch = assemble::watch(&sensors, &core.playbook, twin, from, 1.0);
    let (players, script) = people(&core, parts.policy, parts.seed, &parts.injects, from);
    let bench = BenchPart { sensors, flood: parts.flood, injects: parts.injects, seed: parts.seed, start: from };
    let river = River::new(Bench::new(bench), parts.look_every_s, parts.stone_every_s);
    let settings = CommandSettings::default();
    Ok(Run::new(RunParts { core, watch, river, players, script, settings, from, to }))
}

/// Virtual people, and what the script lets them say.
pub fn people(
    core: &Core,
    policy: DrillPolicy,
    seed: u64,
    injects: &[Inject],
    from: Timestamp,
) -> (Players, Vec<Plan>) {
    let told = script::told(injects, &core.reach, from);
    let rumours = told.iter().filter(|told| told.is_false).map(|told| told.text.clone()).collect();
    let players = Players::new(core, policy, seed, script::silences(injects, &core.reach, from), rumours);
    let plan = told.into_iter().map(|told| Plan { at: told.at, what: Move::Say(Box::new(told.input)) });
    (players, plan.collect())
}

/// Sensors whose gauges tell no more often than that.
pub(super) fn paced(mut sensors: Sensors, every_s: u32) -> Sensors {
    let every_s = f64::from(every_s);
    for device in &mut sensors.devices {
        device.poll_every_s = device.poll_every_s.max(every_s);
    }
    for facts in sensors.series.values_mut() {
        facts.interval_s = facts.interval_s.max(every_s);
    }
    sensors
}
