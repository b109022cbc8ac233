//! How far an evacuation is, told by the tasks of a place: proposed, asked, under way, stuck, done; never by a constant.

use anlan::app::editions::embedded_playbook;
use anlan::app::reaches::embedded_reach;
use anlan::command::{Actor, Core, Input, State};
use anlan::model::*;
use anlan::playbook::{Playbook, Snapshot};
use anlan::web::{EvacuationRegister, Frame, Sight};
use serde_json::Value;
use std::sync::Arc;

struct Town {
    core: Core,
    register: EvacuationRegister,
    state: State,
    now: Timestamp,
}

impl Town {
    fn new() -> Self {
        let reach = embedded_reach().unwrap();
        let register = reach.evacuation();
        let playbook = Arc::new(Playbook::load("", &embedded_playbook()).unwrap());
        let core = Core { playbook, reach: Arc::new(reach.reach) };
        let now = "1958-07-16T10:00:00Z".parse().unwrap();
        let state = State::default();
        Self { core, register, state, now }
    }

    fn give(&mut self, input: Input) {
        self.core.step(&mut self.state, &input, self.now).unwrap();
    }

    /// The discharge stands at that many m³/s for an hour.
    fn water(&mut self, q: f64) {
        for _ in 0..60 {
            self.now += chrono::TimeDelta::minutes(1);
            let snapshot = Snapshot::at_discharge(self.now, q, Some((72.0, q)), &self.core.playbook.signals());
            self.give(Input::Evaluate { snapshot, readings: Vec::new() });
        }
    }

    fn release(&mut self, level: WarningLevel) {
        let by = officer("zhang", UserRole::Duty);
        self.give(Input::Ask { by, level, reason: "花园口实测".into(), ordered_by: None, prepare_for_m3s: None });
        let activation = self.state.pending.unwrap();
        self.give(Input::Confirm { by: officer("li", UserRole::Duty), activation, water: None });
    }

    fn order(&mut self, name: &str, place: &str) {
        let by = officer("boss", UserRole::Commander);
        self.give(Input::Order { by, name: name.into(), place: Some(place.into()), lift: false });
    }

    /// Open evacuation tasks of a place, of rows of those phases.
    fn tasks(&self, place: &str, phases: &[&str]) -> Vec<(TaskId, Actor)> {
        let tasks = self.state.tasks.values().filter(|task| {
            let row = self.core.playbook.instruction(&task.code).unwrap();
            let counts = row.category == "evacuate" && phases.contains(&row.phase.as_str());
            task.place.as_str() == place && task.is_open() && counts
        });
        tasks.map(|task| (task.id, holder(task.holder.as_ref().unwrap()))).collect()
    }

    fn view(&self) -> Value {
        let frame =
            Frame { core: &self.core, playbook: &self.core.playbook, reach: &self.core.reach, sight: Sight::Masked };
        self.register.view(&frame, &self.state)
    }

    fn village(&self, id: &str) -> Option<Value> {
        self.view()["villages"].as_array().unwrap().iter().find(|village| village["id"] == id).cloned()
    }

    /// States of the households that live at that place.
    fn households(&self, place: &str) -> Vec<String> {
        let view = self.view();
        let rows = view["attention"].as_array().unwrap().iter().filter(|row| row["cell"] == place);
        rows.map(|row| row["state"].as_str().unwrap().to_owned()).collect()
    }

    /// All, asked, under way and told growers.
    fn growers(&self) -> [u64; 4] {
        let view = self.view();
        ["households", "asked", "under_way", "notified"]
            .map(|name| view["farmers"].as_array().unwrap().iter().map(|class| class[name].as_u64().unwrap()).sum())
    }
}

fn officer(name: &str, role: UserRole) -> Actor {
    Actor { user: name.into(), role, member: None }
}

fn holder(id: &MemberId) -> Actor {
    Actor { user: UserName::new(id.as_str()), role: UserRole::Member, member: Some(id.clone()) }
}

#[test]
fn evacuation_of_a_village_follows_its_tasks() {
    const VILLAGE: &str = "village-babao";
    let mut town = Town::new();
    assert!(town.village(VILLAGE).is_none(), "nothing has fired");
    assert!(town.households(VILLAGE).iter().all(|state| state == "uncontacted"));

    town.water(22_000.0);
    let proposed = town.village(VILLAGE).unwrap();
    assert_eq!(proposed["state"], "proposed", "{proposed}");
    assert_eq!(proposed["people"], 428);
    assert!(proposed["evacuated"].is_null() && proposed["evacuated_reason"]["zh"].is_string(), "no invented headcount");

    // The commander has the paper to sign; that moves nobody.
    town.release(WarningLevel::Red);
    assert_eq!(town.village(VILLAGE).unwrap()["state"], "proposed");
    for (task, by) in town.tasks(VILLAGE, &["respond"]) {
        town.give(Input::Complete { by, task });
    }
    assert_eq!(town.village(VILLAGE).unwrap()["state"], "proposed");

    town.order("evac", VILLAGE);
    assert_eq!(town.village(VILLAGE).unwrap()["state"], "asked");
    assert!(town.households(VILLAGE).iter().all(|state| state == "uncontacted"));
    town.water(22_000.0);
    let tasks = town.tasks(VILLAGE, &["respond"]);
    assert!(tasks.len() > 3, "the order sets off the village's own tasks: {tasks:?}");
    town.give(Input::Acknowledge { by: tasks[0].1.clone(), task: tasks[0].0 });
    assert_eq!(town.village(VILLAGE).unwrap()["state"], "under-way");
    assert!(town.households(VILLAGE).iter().all(|state| state == "moving"));

    // Nobody answers the others in time: people there need help.
    town.now += chrono::TimeDelta::minutes(11);
    town.give(Input::Tick);
    assert_eq!(town.village(VILLAGE).unwrap()["state"], "stuck");
    assert!(town.households(VILLAGE).iter().all(|state| state == "needs-help"));

    for (task, by) in town.tasks(VILLAGE, &["respond"]) {
        town.give(Input::Complete { by, task });
    }
    assert_eq!(town.village(VILLAGE).unwrap()["state"], "under-way", "done tasks are no empty village");
    town.order("evac_done", VILLAGE);
    assert_eq!(town.village(VILLAGE).unwrap()["state"], "done");
    assert!(town.households(VILLAGE).iter().all(|state| state == "evacuated"));
    assert_eq!(town.village("village-huayuankou").unwrap()["state"], "proposed", "another village is another matter");
}

#[test]
fn evacuation_growers_are_told_when_the_task_of_their_block_is_done() {
    let mut town = Town::new();
    let [all, ..] = town.growers();
    assert_eq!(town.growers(), [421, 0, 0, 0]);
    town.water(22_000.0);
    assert_eq!(town.growers(), [all, 0, 0, 0], "a draft tells nobody");
    town.release(WarningLevel::Red);
    assert_eq!(town.growers(), [all, all, 0, 0]);
    let tasks = town.tasks("farm-01", &["alert", "respond"]);
    town.give(Input::Acknowledge { by: tasks[0].1.clone(), task: tasks[0].0 });
    assert_eq!(town.growers(), [all, all - 31, 31, 0], "farm-01 has 31 households");
    for (task, by) in town.tasks("farm-01", &["alert", "respond"]) {
        town.give(Input::Complete { by, task });
    }
    assert_eq!(town.growers(), [all, all - 31, 0, 31]);
}
