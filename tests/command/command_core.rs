//! The command core against the demo playbook and reach: storyboards that read like a flood night.

use anlan::app::editions::embedded_playbook;
use anlan::app::reaches::embedded_reach;
use anlan::command::{
    Actor, CommandSettings, Core, Entry, Fact, FieldReport, Input, Refused, ReportKind, Severity, State, Task,
};
use anlan::model::*;
use anlan::playbook::{Phase, Playbook, SignalKey, Snapshot};
use chrono::TimeDelta;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

static CORE: LazyLock<Core> = LazyLock::new(|| Core {
    playbook: Arc::new(Playbook::load("", &embedded_playbook()).unwrap()),
    reach: Arc::new(embedded_reach().unwrap().reach),
});

/// One night on the levee: a state, a clock, and everything that was written down.
struct Night {
    state: State,
    now: Timestamp,
    facts: Vec<Entry>,
    /// As last looked at.
    water: Option<Arc<Snapshot>>,
}

impl Night {
    fn new() -> Self {
        let now = "1958-07-16T10:00:00Z".parse().unwrap();
        Self { state: State::default(), now, facts: Vec::new(), water: None }
    }
    fn give(&mut self, input: Input) -> Result<Vec<Entry>, Refused> {
        let facts = CORE.step(&mut self.state, &input, self.now)?;
        self.facts.extend(facts.iter().cloned());
        Ok(facts)
    }
    fn after(&mut self, seconds: i64) -> &mut Self {
        self.now += TimeDelta::seconds(seconds);
        self.give(Input::Tick).unwrap();
        self
    }
    /// The discharge stands at `q` long enough for every hold to pass.
    fn water(&mut self, q: f64) -> &mut Self {
        for _ in 0..60 {
            self.now += TimeDelta::minutes(1);
            self.look(q);
        }
        self
    }
    /// The discharge is `q` now.
    fn look(&mut self, q: f64) -> &mut Self {
        let mut snapshot = Snapshot::at_discharge(self.now, q, Some((72.0, q)), &CORE.playbook.signals());
        snapshot.set(SignalKey::discharge(), q);
        self.water = Some(Arc::new(snapshot.clone()));
        self.give(Input::Evaluate { snapshot, readings: Vec::new() }).unwrap();
        self
    }
    /// Two officers put a level in force and prepare for a discharge.
    fn prepare(&mut self, level: WarningLevel, prepare_for_m3s: Option<f64>) -> &mut Self {
        let (by, reason) = (officer("zhang", UserRole::Duty), "预报洪峰".into());
        self.give(Input::Ask { by, level, reason, ordered_by: None, prepare_for_m3s }).unwrap();
        let activation = self.state.pending.unwrap();
        let water = self.water.clone();
        self.give(Input::Confirm { by: officer("li", UserRole::Duty), activation, water }).unwrap();
        self
    }
    fn activate(&mut self, level: WarningLevel) -> ActivationId {
        self.give(ask("zhang", level)).unwrap();
        let id = self.state.pending.unwrap();
        self.give(Input::Confirm { by: officer("li", UserRole::Duty), activation: id, water: None }).unwrap();
        id
    }
    fn count(&self, status: TaskStatus) -> usize {
        self.state.tasks.values().filter(|task| task.status == status).count()
    }
    fn first_issued(&self) -> (TaskId, Actor) {
        let task = self.state.tasks.values().find(|task| task.status == TaskStatus::Issued).unwrap();
        (task.id, member(task.owner.as_ref().unwrap()))
    }
}

fn officer(name: &str, role: UserRole) -> Actor {
    Actor { user: name.into(), role, member: None }
}
fn member(id: &MemberId) -> Actor {
    Actor { user: UserName::new(id.as_str()), role: UserRole::Member, member: Some(id.clone()) }
}
fn ask(by: &str, level: WarningLevel) -> Input {
    let by = officer(by, UserRole::Duty);
    Input::Ask { by, level, reason: "实测流量超过阈值".into(), ordered_by: None, prepare_for_m3s: None }
}

#[test]
fn core_proposes_but_never_activates() {
    let mut night = Night::new();
    night.water(22_000.0);
    assert_eq!(night.state.watch.proposed, WarningLevel::Red);
    assert_eq!(night.state.in_force, WarningLevel::None);
    assert!(night.count(TaskStatus::Draft) > 300, "drafts: {}", night.count(TaskStatus::Draft));
    let released: Vec<_> = night.state.tasks.values().filter(|task| task.issued_at.is_some()).collect();
    for task in released {
        let row = CORE.playbook.instruction(&task.code).unwrap();
        assert_eq!(row.authority, Authority::None, "{} went out without a signature", task.code);
        assert_eq!(row.colour.level().unwrap_or_default(), WarningLevel::None, "{} belongs to a level", task.code);
    }
}

#[test]
fn core_tasks_say_whether_lives_hang_on_them() {
    let mut night = Night::new();
    night.water(22_000.0);
    let marked = |code: &str| {
        let task = night.state.tasks.values().find(|task| task.code.as_str() == code).unwrap();
        (task.life_safety, task.retreat)
    };
    assert_eq!(marked("B4-016"), (true, false), "clears the riverside parks");
    assert_eq!(marked("P-001"), (false, false), "two at the desk");
    assert!(night.state.tasks.values().all(|task| {
        let row = CORE.playbook.instruction(&task.code).unwrap();
        (row.life_safety, row.retreat) == (task.life_safety, task.retreat)
    }));
}

#[test]
fn core_needs_two_different_people() {
    let mut night = Night::new();
    night.water(22_000.0);
    night.give(ask("zhang", WarningLevel::Red)).unwrap();
    let id = night.state.pending.unwrap();
    let before = night.state.clone();
    let same = Input::Confirm { by: officer("zhang", UserRole::Duty), activation: id, water: None };
    assert_eq!(night.give(same), Err(Refused::SamePerson));
    let deputy = Input::Confirm { by: officer("wang", UserRole::Deputy), activation: id, water: None };
    assert!(matches!(night.give(deputy), Err(Refused::NoRight { .. })));
    let other = ask("li", WarningLevel::Red);
    assert_eq!(night.give(other), Err(Refused::AlreadyAsked(id)));
    assert_eq!(night.state, before, "a refusal leaves no trace");
    night.give(Input::Confirm { by: officer("li", UserRole::Duty), activation: id, water: None }).unwrap();
    assert_eq!(night.state.in_force, WarningLevel::Red);
    assert_eq!(night.count(TaskStatus::Draft), 0);
    assert!(night.count(TaskStatus::Issued) > 700, "issued: {}", night.count(TaskStatus::Issued));
}

#[test]
fn core_signature_for_a_level_releases_nothing_of_a_higher_colour() {
    let mut night = Night::new();
    night.water(22_000.0);
    let level = |task: &anlan::command::Task| CORE.playbook.instruction(&task.code).unwrap().level();
    let higher = |state: &State| state.drafts().filter(|task| level(task) > WarningLevel::Yellow).count();
    let waiting = higher(&night.state);
    assert!(waiting > 100, "drafts above yellow: {waiting}");
    night.activate(WarningLevel::Yellow);
    assert!(night.state.open_tasks().all(|task| level(task) <= WarningLevel::Yellow));
    assert_eq!(higher(&night.state), waiting, "they wait for a signature of their own");
    assert!(night.state.drafts().all(|task| level(task) > WarningLevel::Yellow), "yellow itself is released whole");
    let again = night.give(ask("zhang", WarningLevel::Yellow));
    assert_eq!(again, Err(Refused::NothingToDo { level: WarningLevel::Yellow }));
    night.activate(WarningLevel::Red);
    assert_eq!(night.state.drafts().count(), 0);
}

#[test]
fn core_prepares_for_the_discharge_that_was_previewed() {
    let mut night = Night::new();
    night.water(5_400.0);
    let by = officer("zhang", UserRole::Duty);
    let ask = Input::Ask {
        by,
        level: WarningLevel::Red,
        reason: "预报洪峰 22000".into(),
        ordered_by: None,
        prepare_for_m3s: Some(22_000.0),
    };
    night.give(ask).unwrap();
    let id = night.state.pending.unwrap();
    night.give(Input::Confirm { by: officer("li", UserRole::Duty), activation: id, water: None }).unwrap();
    let issued: BTreeSet<_> = night
        .state
        .tasks
        .values()
        .filter(|task| task.issued_at.is_some() && task.is_open())
        .map(|task| task.code.clone())
        .collect();
    assert!(issued.len() >= 138, "rows released: {}", issued.len());
    assert!(issued.iter().any(|code| code.as_str().starts_with("B22")));
    let tasks = night.state.tasks.len();
    night.water(6_500.0);
    assert!(!night.state.lowering, "water that rises below the level in force is not a stand-down");
    let withdrawn = night.count(TaskStatus::Withdrawn);
    night.water(6_500.0);
    assert_eq!(night.count(TaskStatus::Withdrawn), withdrawn, "the measured discharge does not undo the decision");
    assert!(night.state.tasks.len() < tasks + 200);
}

#[test]
fn core_request_calls_admits_and_expires() {
    let mut night = Night::new();
    night
        .give(Input::Configure {
            settings: CommandSettings {
                standing_authorisation: ["B4-019".into(), "B4-020".into(), "B4-021".into()].into(),
                ..CommandSettings::default()
            },
        })
        .unwrap();
    night.water(4_500.0);
    let before = night.count(TaskStatus::Issued);
    night.give(ask("zhang", WarningLevel::Blue)).unwrap();
    let id = night.state.pending.unwrap();
    let alone = Input::BreakGlass {
        by: officer("zhang", UserRole::Duty),
        activation: id,
        reason: "第二人失联".into(),
        water: None,
    };
    assert_eq!(night.after(59).give(alone.clone()), Err(Refused::GlassNotOffered));
    assert!(night.after(1).state.activations[&id].commanders_called);
    assert!(night.after(60).state.activations[&id].deputies_may);
    night.after(180);
    assert_eq!(night.state.pending, None);
    assert_eq!(night.state.in_force, WarningLevel::None);
    assert_eq!(night.give(alone), Err(Refused::NotWaiting(id)));
    let out: BTreeSet<_> = night
        .facts
        .iter()
        .filter_map(|entry| match &entry.fact {
            Fact::Issued { task, signature: anlan::command::Signature::StandingAuthorisation { .. }, .. } => {
                Some(night.state.tasks[task].code.to_string())
            }
            _ => None,
        })
        .collect();
    let listed = ["B4-019".to_owned(), "B4-020".to_owned()];
    assert!(out.iter().all(|code| listed.contains(code)), "only listed pre-authorised rows: {out:?}");
    assert!(night.count(TaskStatus::Issued) >= before);
    let alarm = &night.state.alarms[&format!("expired:{id}")];
    assert!(alarm.title.zh.contains("已失效"), "{}", alarm.title.zh);
}

#[test]
fn core_break_glass_is_flagged() {
    let mut night = Night::new();
    night.water(4_500.0);
    night.give(ask("zhang", WarningLevel::Blue)).unwrap();
    let id = night.state.pending.unwrap();
    night.after(120);
    night
        .give(Input::BreakGlass {
            by: officer("zhang", UserRole::Duty),
            activation: id,
            reason: "第二人失联".into(),
            water: None,
        })
        .unwrap();
    assert_eq!(night.state.in_force, WarningLevel::Blue);
    assert!(night.state.activations[&id].glass_broken);
    assert!(night.state.alarms.contains_key(&format!("break-glass:{id}")));
    // Nobody sends people home alone.
    night.give(ask("zhang", WarningLevel::None)).unwrap();
    let activation = night.state.pending.unwrap();
    night.after(120);
    let alone = Input::BreakGlass {
        by: officer("zhang", UserRole::Duty),
        activation,
        reason: "第二人失联".into(),
        water: None,
    };
    assert_eq!(night.give(alone.clone()), Err(Refused::GlassOnlyUp));
    assert_eq!(night.state.in_force, WarningLevel::Blue);
    // Nor by a higher level that prepares for less water.
    let by = officer("li", UserRole::Duty);
    night.give(Input::Refuse { by, activation, reason: "不降".into() }).unwrap();
    night.prepare(WarningLevel::Orange, Some(12_000.0));
    for (level, prepare_for_m3s, may) in [
        (WarningLevel::Red, Some(4_000.0), false),
        (WarningLevel::Red, Some(11_000.0), false),
        (WarningLevel::Red, None, true),
        (WarningLevel::Red, Some(15_000.0), true),
    ] {
        let by = officer("zhang", UserRole::Duty);
        night
            .give(Input::Ask { by: by.clone(), level, reason: "演".into(), ordered_by: None, prepare_for_m3s })
            .unwrap();
        let activation = night.state.pending.unwrap();
        night.after(120);
        let alone = Input::BreakGlass { by: by.clone(), activation, reason: "第二人失联".into(), water: None };
        assert_eq!(night.give(alone).is_ok(), may, "{level:?} {prepare_for_m3s:?}");
        if !may {
            night.give(Input::Refuse { by, activation, reason: "不降".into() }).unwrap();
        }
    }
}

#[test]
fn core_mark_of_a_request_is_what_it_is_about() {
    let (by, activation) = (officer("li", UserRole::Duty), ActivationId(7));
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let river = Arc::new(Snapshot::at_discharge(at("2026-07-28T12:00:00Z"), 5_400.0, None, &CORE.playbook.signals()));
    let waters = [None, Some(river), Some(Arc::new(Snapshot::new(at("2026-07-28T12:00:09Z"))))];
    let alone = |water| Input::BreakGlass { by: by.clone(), activation, reason: "第二人失联".into(), water };
    let both = |water| Input::Confirm { by: by.clone(), activation, water };
    for inputs in [waters.clone().map(both), waters.map(alone)] {
        assert!(inputs.iter().all(|input| input.mark() == inputs[0].mark()), "sent again while the river moves");
        // As journals have it from before the water was kept.
        let text = serde_json::to_string(&inputs[0]).unwrap();
        assert!(!text.contains("water"), "{text}");
        assert_eq!(serde_json::from_str::<Input>(&text).unwrap(), inputs[0]);
    }
    let report = |kind, reported: &str| {
        let content = FieldReport {
            kind,
            type_: reported.into(),
            grade: 1,
            place: Spot::default(),
            observed_at: "1958-07-16T10:00:00Z".parse().unwrap(),
            text: None,
            photos: Vec::new(),
            task: None,
        };
        Input::Report { by: officer("a", UserRole::Duty), report: content }.mark()
    };
    assert_eq!(report(ReportKind::Hazard, "piping"), report(ReportKind::Hazard, "piping"));
    assert_ne!(report(ReportKind::Hazard, "piping"), report(ReportKind::Sos, "sos"));
    assert_ne!(report(ReportKind::Hazard, "piping"), report(ReportKind::Hazard, "breach"));
    assert_ne!(ask("a", WarningLevel::Red).mark(), ask("a", WarningLevel::Blue).mark());
    assert_eq!(ask("a", WarningLevel::Red).mark(), ask("b", WarningLevel::Red).mark(), "the key is kept by its sender");
}

#[test]
fn core_alarms_of_tasks_end_with_their_tasks() {
    let mut night = Night::new();
    night.water(9_000.0);
    night.activate(WarningLevel::Orange);
    for _ in 0..30 {
        night.after(60);
    }
    let open = |night: &Night| -> Vec<InstructionCode> {
        let alarms = night.state.alarms.values().filter(|alarm| !alarm.closed);
        alarms.filter_map(|alarm| alarm.key.strip_prefix("unanswered:").map(InstructionCode::from)).collect()
    };
    let before = open(&night);
    assert!(before.len() > 30, "{before:?}");
    // The last one without an answer is answered: nobody has to act on the row any more.
    let code = before.iter().find(|code| night.state.open_tasks().filter(|task| task.code == **code).count() == 2);
    let code = code.unwrap().clone();
    let tasks: Vec<_> = night.state.open_tasks().filter(|task| task.code == code).cloned().collect();
    for (count, task) in tasks.iter().enumerate() {
        assert!(open(&night).contains(&code), "{count}");
        night.give(Input::Acknowledge { by: member(task.owner.as_ref().unwrap()), task: task.id }).unwrap();
    }
    assert!(!open(&night).contains(&code));
    night.activate(WarningLevel::Blue);
    let left = open(&night);
    assert!(left.len() < before.len() && !left.is_empty());
    for code in &left {
        assert!(night.state.open_tasks().any(|task| &task.code == code && task.holder.is_none()), "{code} has ended");
    }
    assert_eq!(replayed(&night), night.facts);
}

#[test]
fn core_task_runs_its_whole_life() {
    let mut night = Night::new();
    night.water(4_500.0);
    night.activate(WarningLevel::Blue);
    let id = *night
        .state
        .tasks
        .iter()
        .find(|(_, task)| {
            task.status == TaskStatus::Issued && CORE.playbook.instruction(&task.code).unwrap().repeat_min.is_none()
        })
        .unwrap()
        .0;
    let owner = night.state.tasks[&id].owner.clone().unwrap();
    let stranger = CORE
        .reach
        .members()
        .find(|other| other.id != owner && Some(&other.id) != night.state.tasks[&id].deputy.as_ref())
        .unwrap();
    let not_mine = night.give(Input::Acknowledge { by: member(&stranger.id), task: id });
    assert!(matches!(not_mine, Err(Refused::NotYours { .. })));
    let by = member(&owner);
    night.give(Input::Deliver { member: owner.clone(), tasks: vec![id] }).unwrap();
    assert_eq!(night.state.tasks[&id].status, TaskStatus::Delivered);
    night.give(Input::Acknowledge { by: by.clone(), task: id }).unwrap();
    assert_eq!(
        night.give(Input::Acknowledge { by: by.clone(), task: id }).unwrap(),
        [],
        "a second tap is no second fact"
    );
    night.give(Input::Arrive { by: by.clone(), task: id }).unwrap();
    night.give(Input::Complete { by: by.clone(), task: id }).unwrap();
    assert_eq!(night.state.tasks[&id].status, TaskStatus::Done);
    night.give(Input::Verify { by: officer("li", UserRole::Duty), task: id }).unwrap();
    assert_eq!(night.state.tasks[&id].status, TaskStatus::Verified);
    let late = night.give(Input::Decline { by, task: id, reason: DeclineReason::Busy, text: None });
    assert!(matches!(late, Err(Refused::IllegalMove { .. })), "an end is an end");
}

#[test]
fn core_silence_goes_to_the_deputy_then_to_the_commander() {
    let mut night = Night::new();
    night.water(4_500.0);
    night.activate(WarningLevel::Blue);
    let (id, _) = night.first_issued();
    night.after(180);
    assert_eq!(night.state.tasks[&id].status, TaskStatus::Overdue);
    night.after(120);
    let task = &night.state.tasks[&id];
    assert_eq!((task.status, &task.holder), (TaskStatus::Escalated, &task.deputy));
    night.after(300);
    let task = &night.state.tasks[&id];
    assert_eq!(task.holder, None);
    let alarm = &night.state.alarms[&format!("unanswered:{}", task.code)];
    assert_eq!(alarm.severity, anlan::command::Severity::Critical);
    let owner = member(task.owner.as_ref().unwrap());
    night.give(Input::Acknowledge { by: owner.clone(), task: id }).unwrap();
    assert_eq!(night.state.tasks[&id].holder, owner.member, "a late answer still counts");
}

#[test]
fn core_refusal_goes_to_the_deputy_at_once() {
    let mut night = Night::new();
    night.water(4_500.0);
    night.activate(WarningLevel::Blue);
    let (id, by) = night.first_issued();
    night
        .give(Input::Decline { by, task: id, reason: DeclineReason::RoadCut, text: Some("生产路被淹".into()) })
        .unwrap();
    let task = &night.state.tasks[&id];
    assert_eq!(task.holder, task.deputy);
    assert_eq!(task.declined.as_ref().unwrap().reason, DeclineReason::RoadCut);
}

fn name_for(task: TaskId, member: &MemberId, reason: &str) -> Input {
    let by = officer("li", UserRole::Duty);
    Input::Assign { by, task, member: member.clone(), reason: reason.into() }
}

#[test]
fn core_officer_names_another_person_and_the_ladder_begins_again() {
    let mut night = Night::new();
    night.water(4_500.0);
    night.activate(WarningLevel::Blue);
    let of_row = |state: &State, code: &InstructionCode| -> Vec<TaskId> {
        state
            .open_tasks()
            .filter(|task| task.code == *code && task.status == TaskStatus::Issued)
            .map(|task| task.id)
            .collect()
    };
    let code = night.state.open_tasks().map(|task| &task.code).find(|code| of_row(&night.state, code).len() > 1);
    let code = code.unwrap().clone();
    let id = of_row(&night.state, &code)[0];
    let (owner, deputy) = (night.state.tasks[&id].owner.clone().unwrap(), night.state.tasks[&id].deputy.clone());
    night.after(180).after(120).after(300);
    assert_eq!(night.state.tasks[&id].holder, None, "nobody is left");
    let other = CORE.reach.members().map(|other| other.id.clone());
    let other = other.filter(|other| *other != owner && Some(other) != deputy.as_ref()).last().unwrap();
    let facts = night.give(name_for(id, &other, "原责任人失联")).unwrap();
    let relieved: Vec<_> = facts
        .iter()
        .filter_map(|entry| match &entry.fact {
            Fact::Assigned { relieved, to, .. } if *to == other => Some(relieved.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    let told: Vec<_> = facts
        .iter()
        .filter_map(|entry| match &entry.fact {
            Fact::Noticed { members, text, .. } if text.contains("你不必再去") => Some(members.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    let mut before: Vec<_> = std::iter::once(owner.clone()).chain(deputy.clone()).collect();
    before.sort();
    assert_eq!((&relieved, &told), (&before, &before), "owner and the deputy who was called hear of it");
    let task = &night.state.tasks[&id];
    assert_eq!((task.status, task.holder.as_ref()), (TaskStatus::Issued, Some(&other)));
    assert_eq!((task.escalations, task.handed_at), (0, Some(night.now)));
    assert!(task.due_at.unwrap() > night.now, "the named person gets the row's whole time");
    assert_eq!(task.assigned.as_ref().unwrap().reason, "原责任人失联");
    assert_eq!(night.state.called().get(&owner), Some(&false), "who did not answer stays in the rate");
    assert_eq!(night.give(name_for(id, &other, "原责任人失联")).unwrap(), [], "a second tap is no second order");
    let late = night.give(Input::Acknowledge { by: member(&owner), task: id });
    assert!(matches!(late, Err(Refused::NotYours { .. })), "{late:?}");
    night.give(Input::Deliver { member: other.clone(), tasks: vec![id] }).unwrap();
    assert_eq!(night.state.tasks[&id].status, TaskStatus::Delivered);
    night.after(180);
    assert_eq!(night.state.tasks[&id].status, TaskStatus::Overdue, "the ladder counts from the naming");
    night.after(120);
    assert_eq!(night.state.tasks[&id].holder, deputy);
    // Every task of the row is given to somebody: then the row needs no commander any more.
    let left = night.state.open_tasks().filter(|task| task.code == code && task.holder.is_none());
    let left: Vec<_> = left.map(|task| task.id).collect();
    assert!(!left.is_empty());
    for task in left {
        assert!(!night.state.alarms[&format!("unanswered:{code}")].closed);
        night.give(name_for(task, &other, "指定")).unwrap();
        night.give(Input::Acknowledge { by: member(&other), task }).unwrap();
    }
    assert!(night.state.alarms[&format!("unanswered:{code}")].closed);
}

#[test]
fn core_naming_is_refused_by_name() {
    let mut night = Night::new();
    night.water(4_500.0);
    night.activate(WarningLevel::Blue);
    let (id, by) = night.first_issued();
    let other = CORE.reach.members().map(|other| other.id.clone()).last().unwrap();
    let before = night.state.clone();
    let by_member = Input::Assign { by: by.clone(), task: id, member: other.clone(), reason: "去不了".into() };
    assert!(matches!(night.give(by_member), Err(Refused::NoRight { .. })));
    assert_eq!(night.give(name_for(id, &other, "  ")), Err(Refused::NoReason));
    let nobody = MemberId::new("mbr-nobody");
    assert_eq!(night.give(name_for(id, &nobody, "指定")), Err(Refused::NoMember(nobody)));
    assert_eq!(night.give(name_for(TaskId(9_999_999), &other, "指定")), Err(Refused::NoTask(TaskId(9_999_999))));
    assert_eq!(night.state, before, "a refusal leaves no trace");
    let recall = Input::Withdraw { by: officer("li", UserRole::Duty), tasks: vec![id], reason: "不需要".into() };
    night.give(recall).unwrap();
    assert!(matches!(night.give(name_for(id, &other, "指定")), Err(Refused::IllegalMove { .. })));
}

#[test]
fn core_draft_without_an_owner_can_be_given_one() {
    let mut night = Night::new();
    let core = Core {
        playbook: CORE.playbook.clone(),
        reach: Arc::new(Reach::new(CORE.reach.places().cloned().collect(), Vec::new(), Vec::new()).unwrap()),
    };
    let snapshot = Snapshot::at_discharge(night.now, 4_500.0, None, &core.playbook.signals());
    core.step(&mut night.state, &Input::Evaluate { snapshot, readings: Vec::new() }, night.now).unwrap();
    let draft = night.state.drafts().find(|task| task.owner.is_none()).unwrap();
    let (id, alarm) = (draft.id, format!("unowned:{}:{}", draft.code, draft.place));
    assert!(!night.state.alarms[&alarm].closed);
    let other = CORE.reach.members().next().unwrap().id.clone();
    night.give(name_for(id, &other, "值班表空缺")).unwrap();
    let task = &night.state.tasks[&id];
    assert_eq!((task.status, task.owner.as_ref(), task.due_at), (TaskStatus::Draft, Some(&other), None));
    assert!(night.state.alarms[&alarm].closed);
}

#[test]
fn core_missed_round_is_an_alarm_and_the_round_goes_on() {
    let mut night = Night::new();
    night.water(4_500.0);
    night.activate(WarningLevel::Blue);
    let id =
        *night.state.tasks.iter().find(|(_, task)| task.status == TaskStatus::Issued && task.round == 1).unwrap().0;
    let minutes = CORE.playbook.instruction(&night.state.tasks[&id].code).unwrap().repeat_min.unwrap();
    let by = member(night.state.tasks[&id].owner.as_ref().unwrap());
    night.give(Input::Acknowledge { by: by.clone(), task: id }).unwrap();
    night.give(Input::Complete { by, task: id }).unwrap();
    night.after(i64::from(minutes) * 60);
    assert_eq!(night.state.tasks[&id].round, 2);
    let place = night.state.tasks[&id].place.clone();
    let key = format!("round:{}:{place}", night.state.tasks[&id].code);
    assert!(!night.state.alarms.contains_key(&key), "the first round was done");
    night.after(i64::from(minutes) * 60);
    assert_eq!(night.state.tasks[&id].round, 3);
    assert!(night.state.alarms.contains_key(&key), "the second was not");
}

#[test]
fn core_hazard_reaches_people_and_settles() {
    let mut night = Night::new();
    night.water(4_500.0);
    night.activate(WarningLevel::Blue);
    let by = member(&CORE.reach.members().next().unwrap().id);
    let segment = CORE.reach.places_of_scope("levee_segment")[3].clone();
    let chainage = CORE.reach.place(&segment).unwrap().chainage_from_m.unwrap() + 100.0;
    let report = FieldReport {
        kind: ReportKind::Hazard,
        type_: "leak_tunnel".into(),
        grade: 3,
        place: Spot { chainage: Some(chainage), side: Some(Side::Land), ..Spot::default() },
        observed_at: night.now,
        text: Some("背河堤脚浑水".into()),
        photos: Vec::new(),
        task: None,
    };
    let unknown = FieldReport { type_: "meteor".into(), ..report.clone() };
    assert!(matches!(
        night.give(Input::Report { by: by.clone(), report: unknown }),
        Err(Refused::BadField { field: "type", .. })
    ));
    let breach = FieldReport { type_: "breach".into(), grade: 1, ..report.clone() };
    let mut other = night.state.clone();
    CORE.step(&mut other, &Input::Report { by: by.clone(), report: breach }, night.now).unwrap();
    let alarm = other.alarms.iter().find(|(key, _)| key.starts_with("report:")).unwrap().1;
    assert_eq!(alarm.severity, Severity::Critical, "a breach needs no grade: {alarm:?}");
    night.give(Input::Report { by: by.clone(), report }).unwrap();
    let before = night.state.tasks.len();
    night.water(4_500.0);
    let fired: Vec<_> = night
        .state
        .firings
        .keys()
        .filter(|(code, ..)| CORE.playbook.instruction(code).unwrap().trigger.text.contains("hazard("))
        .collect();
    assert!(!fired.is_empty());
    assert!(
        fired.iter().all(|(_, place, _)| night.state.reports.values().next().unwrap().places.contains(place)
            || place.as_str() == "hq"
            || CORE.reach.place(place).unwrap().chainage_from_m.is_none()),
        "{fired:?}"
    );
    assert!(night.state.tasks.len() > before);
    let id = *night.state.reports.keys().next().unwrap();
    let own = night.give(Input::Settle { by: Actor { role: UserRole::Duty, ..by }, report: id, false_alarm: false });
    assert!(own.is_err(), "nobody settles his own report");
    let chief = officer("chief", UserRole::Commander);
    assert!(night.give(Input::RevealReport { by: chief.clone(), report: ReportId(u64::MAX) }).is_err());
    night.give(Input::RevealReport { by: chief.clone(), report: id }).unwrap();
    let looked = Fact::ReportRevealed { by: chief, report: id };
    assert_eq!(night.facts.last().unwrap().fact, looked, "a look at the numbers in its words is put down");
    night.give(Input::Settle { by: officer("li", UserRole::Duty), report: id, false_alarm: false }).unwrap();
    assert!(night.state.alarms[&format!("report:{id}")].closed);
}

/// Piping on the fourth segment of the levee, `metres` from its beginning.
fn piping(now: Timestamp, metres: f64) -> FieldReport {
    let segment = &CORE.reach.places_of_scope("levee_segment")[3];
    let chainage = CORE.reach.place(segment).unwrap().chainage_from_m.unwrap() + metres;
    FieldReport {
        kind: ReportKind::Hazard,
        type_: "piping".into(),
        grade: 1,
        place: Spot { chainage: Some(chainage), side: Some(Side::Land), ..Spot::default() },
        observed_at: now,
        text: None,
        photos: Vec::new(),
        task: None,
    }
}

#[test]
fn core_every_hazard_has_its_own_task_and_a_report_sent_twice_is_one() {
    let mut night = Night::new();
    night.water(4_500.0);
    night.activate(WarningLevel::Blue);
    let by = member(&CORE.reach.members().next().unwrap().id);
    let guard = |state: &State| -> Vec<(Option<ReportId>, TaskStatus)> {
        let tasks = state.tasks.values().filter(|task| task.code.as_str() == "H-007");
        tasks.map(|task| (task.hazard, task.status)).collect()
    };
    let first = piping(night.now, 100.0);
    night.give(Input::Report { by: by.clone(), report: first.clone() }).unwrap();
    night.water(4_500.0);
    let one = *night.state.reports.keys().next_back().unwrap();
    assert_eq!(guard(&night.state), [(Some(one), TaskStatus::Issued)]);

    // A phone that heard no answer sends again, this time with the photo.
    let again = FieldReport { photos: vec!["p-1".into()], ..first.clone() };
    night.give(Input::Report { by: by.clone(), report: again }).unwrap();
    assert_eq!(night.give(Input::Report { by: by.clone(), report: first.clone() }).unwrap(), []);
    assert_eq!(night.state.reports.keys().filter(|id| **id >= one).count(), 1);
    assert_eq!(night.state.reports[&one].content.photos, ["p-1"]);
    night.water(4_500.0);
    assert_eq!(guard(&night.state).len(), 1);

    // Another one, in the same segment, while the first is open: another task, and only one.
    night.give(Input::Report { by: by.clone(), report: piping(night.now, 130.0) }).unwrap();
    night.water(4_500.0);
    night.water(4_500.0);
    let two = *night.state.reports.keys().next_back().unwrap();
    let of: Vec<_> = guard(&night.state).into_iter().map(|(hazard, _)| hazard).collect();
    assert_eq!(of, [Some(one), Some(two)]);
    let because = night.facts.iter().rev().find_map(|entry| match &entry.fact {
        Fact::Fired { code, because, .. } if code.as_str() == "H-007" => because.last().cloned(),
        _ => None,
    });
    assert_eq!(because.unwrap().signal, format!("hazard(\"piping\") {two}"));

    // The second was nothing: its task is taken back, the first stays.
    night.give(Input::Settle { by: officer("li", UserRole::Duty), report: two, false_alarm: true }).unwrap();
    night.water(4_500.0);
    let left: Vec<_> = guard(&night.state).into_iter().map(|(_, status)| status == TaskStatus::Withdrawn).collect();
    assert_eq!(left, [false, true]);
}

#[test]
fn core_rounds_of_a_hazard_end_with_it_and_the_event_can_close() {
    let mut night = Night::new();
    night.water(4_500.0);
    night.activate(WarningLevel::Blue);
    let by = member(&CORE.reach.members().next().unwrap().id);
    let seepage = FieldReport { type_: "seepage".into(), ..piping(night.now, 100.0) };
    night.give(Input::Report { by, report: seepage }).unwrap();
    night.water(4_500.0);
    let watch = |state: &State, code: &str| {
        state.tasks.values().find(|task| task.code.as_str() == code).map(|task| (task.id, task.is_live()))
    };
    assert!(watch(&night.state, "H-005").unwrap().1, "watched every half hour");
    let report = *night.state.reports.keys().next_back().unwrap();
    night.give(Input::Settle { by: officer("li", UserRole::Duty), report, false_alarm: false }).unwrap();
    night.water(4_500.0);
    assert!(!watch(&night.state, "H-005").unwrap().1, "dealt with: the rounds end");
    let (acceptance, is_live) = watch(&night.state, "H-036").unwrap();
    assert!(is_live, "experts must accept it");
    night.activate(WarningLevel::None);
    for _ in 0..60 {
        night.water(2_000.0);
    }
    assert!(night.state.event.is_some(), "an acceptance that is not done holds the event open");
    let recall =
        Input::Withdraw { by: officer("li", UserRole::Duty), tasks: vec![acceptance], reason: "已验收".into() };
    night.give(recall).unwrap();
    night.water(2_000.0);
    assert!(night.state.event.is_none(), "a settled hazard does not hold it open for ever");
    assert!(night.state.standing().hazards.is_empty(), "the next event begins without the hazards of this one");
}

#[test]
fn core_goes_from_quiet_through_red_to_all_clear() {
    let mut night = Night::new();
    night.water(2_000.0);
    assert!(night.state.event.is_none());
    night.water(3_000.0);
    assert!(night.state.event.is_some(), "a pre-alert row opens the event");
    for (q, level) in [
        (4_500.0, WarningLevel::Blue),
        (6_500.0, WarningLevel::Yellow),
        (9_000.0, WarningLevel::Orange),
        (16_000.0, WarningLevel::Red),
    ] {
        night.water(q);
        assert_eq!(night.state.watch.proposed, level);
        night.activate(level);
    }
    for (q, level) in [
        (12_000.0, WarningLevel::Orange),
        (7_000.0, WarningLevel::Yellow),
        (5_000.0, WarningLevel::Blue),
        (2_000.0, WarningLevel::None),
    ] {
        for _ in 0..24 {
            night.water(q);
        }
        assert_eq!(night.state.watch.proposed, level, "at {q}");
        assert!(night.state.lowering);
        night.activate(level);
    }
    assert!(night.state.orders.iter().any(|order| order.name == "response_ended"));
    for _ in 0..6 {
        night.water(2_000.0);
    }
    assert!(
        night.state.event.is_none(),
        "all-clear; still latched: {:?}",
        night.state.firings.keys().filter(|(code, ..)| !code.as_str().starts_with('W')).collect::<Vec<_>>()
    );
    let open: Vec<_> = night
        .state
        .tasks
        .values()
        .filter(|task| task.is_live() && !task.code.as_str().starts_with('W') && !task.code.as_str().starts_with('D'))
        .collect();
    assert!(
        open.is_empty(),
        "every task of the flood has an end: {:?}",
        open.iter().map(|task| (&task.code, task.status)).collect::<Vec<_>>()
    );
}

#[test]
fn core_a_stricter_round_that_waits_for_its_order_takes_nobody_off_the_levee() {
    let mut night = Night::new();
    let deep = |night: &mut Night| {
        for _ in 0..3 {
            night.now += TimeDelta::minutes(1);
            let mut snapshot =
                Snapshot::at_discharge(night.now, 5000.0, Some((72.0, 5000.0)), &CORE.playbook.signals());
            snapshot.set("toe".parse().unwrap(), 0.0);
            snapshot.set_at("toe".parse().unwrap(), "seg-04".into(), 3.2);
            night.give(Input::Evaluate { snapshot, readings: Vec::new() }).unwrap();
        }
    };
    // Who walks the toe of the segment, and every round that was ever ordered there.
    let rounds = ["B4-010", "B6-008", "B6-009", "B8-008", "B10-008", "B15-009"];
    let of_segment = |night: &Night, counts: &dyn Fn(&Task) -> bool| -> Vec<String> {
        let here =
            |task: &&Task| task.place.as_str() == "seg-04" && rounds.contains(&task.code.as_str()) && counts(task);
        let mut codes: Vec<_> = night.state.tasks.values().filter(here).map(|task| task.code.to_string()).collect();
        codes.sort();
        codes
    };
    let out = |night: &Night| of_segment(night, &|task| task.is_live() && task.status != TaskStatus::Draft);
    deep(&mut night);
    night.activate(WarningLevel::Blue);
    deep(&mut night);
    // Three metres at the toe call for the round of every ten minutes, which is red: until it is ordered somebody walks.
    assert_eq!(out(&night), ["B4-010"]);
    let waiting = of_segment(&night, &|task| task.status == TaskStatus::Draft);
    assert_eq!(waiting, ["B10-008", "B15-009", "B6-009"], "one for each colour that may be released");
    night.activate(WarningLevel::Yellow);
    deep(&mut night);
    assert_eq!(out(&night), ["B6-009"]);
    night.activate(WarningLevel::Red);
    deep(&mut night);
    assert_eq!(out(&night), ["B15-009"]);
    let ever = of_segment(&night, &|task| task.issued_at.is_some());
    assert_eq!(ever, ["B15-009", "B4-010", "B6-009"], "no round was ordered beside a stricter one");
}

#[test]
fn core_replay_gives_the_byte_same_journal() {
    let mut night = Night::new();
    night.now += TimeDelta::nanoseconds(200_734); // Clocks are finer than what is written down.
    night.water(6_500.0);
    night.activate(WarningLevel::Yellow);
    let (id, by) = night.first_issued();
    night.give(Input::Acknowledge { by, task: id }).unwrap();
    night.after(700);
    let mut again = State::default();
    let mut replayed = Vec::new();
    for entry in &night.facts {
        if let Fact::Received { input } = &entry.fact {
            replayed.extend(CORE.step(&mut again, input, entry.at).unwrap());
        }
    }
    let text =
        |entries: &[Entry]| entries.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect::<Vec<_>>();
    assert_eq!(text(&replayed), text(&night.facts));
    let read: Vec<Entry> = text(&night.facts).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut folded = State::default();
    read.iter().for_each(|entry| folded.apply(entry));
    assert_eq!(folded, night.state, "a state read back from text is the state that wrote it");
}

#[test]
fn core_second_peak_takes_back_what_the_first_lowering_ordered() {
    let mut night = Night::new();
    night.water(4_500.0);
    night.activate(WarningLevel::Blue);
    for _ in 0..24 {
        night.water(2_600.0);
    }
    night.activate(WarningLevel::None);
    let ended = |night: &Night| night.state.orders.iter().any(|order| order.name == "response_ended");
    assert!(ended(&night) && night.state.event.is_some());
    night.water(4_500.0);
    assert!(!night.state.lowering, "the water comes back");
    night.activate(WarningLevel::Blue);
    assert!(!ended(&night), "nobody is sent home under a level in force");
}

#[test]
fn core_what_a_lowering_took_back_is_given_again_when_the_level_rises_again() {
    let given = |night: &Night| -> BTreeSet<_> {
        let open = night.state.tasks.values().filter(|task| task.issued_at.is_some() && task.is_open());
        open.map(|task| (task.code.clone(), task.place.clone())).collect()
    };
    // An assumed crest, given up and feared again: at once, within the hour that re-arming takes, and after it.
    for hours in [0, 1, 3] {
        let mut night = Night::new();
        night.water(5_400.0);
        night.prepare(WarningLevel::Red, Some(22_000.0));
        let first = given(&night);
        night.activate(WarningLevel::Blue);
        let low = given(&night);
        assert!(low.len() + 500 < first.len(), "{} of {} are left", low.len(), first.len());
        for _ in 0..hours {
            night.water(5_400.0);
        }
        night.prepare(WarningLevel::Red, Some(22_000.0));
        let again = given(&night);
        let missing: Vec<_> = first.difference(&again).collect();
        assert!(missing.is_empty(), "{hours} h later {} are missing, first {:?}", missing.len(), missing.first());
        let open = night.state.tasks.values().filter(|task| task.is_open()).count();
        let places: BTreeSet<_> = night
            .state
            .tasks
            .values()
            .filter(|task| task.is_open())
            .map(|task| (&task.code, &task.place, task.hazard))
            .collect();
        assert_eq!(open, places.len(), "no order stands twice at a place");
    }
    // The river itself never fell: it was lowered by decision, and by decision it is raised again.
    let mut night = Night::new();
    night.water(9_000.0);
    night.activate(WarningLevel::Orange);
    let first = given(&night);
    let (taken_back, _) = night.first_issued();
    let by = officer("zhang", UserRole::Duty);
    let recall = Input::Withdraw { by, tasks: vec![taken_back], reason: "下错了".into() };
    night.give(recall).unwrap();
    let key =
        |night: &Night, task| night.state.tasks.get(&task).map(|task| (task.code.clone(), task.place.clone())).unwrap();
    night.water(9_000.0);
    assert!(!given(&night).contains(&key(&night, taken_back)), "what people took back stays away under the same level");
    night.activate(WarningLevel::Blue);
    assert!(given(&night).len() < first.len());
    night.water(9_000.0);
    night.activate(WarningLevel::Orange);
    let again = given(&night);
    let missing: Vec<_> = first.difference(&again).collect();
    assert!(missing.is_empty(), "{} are missing, first {:?}", missing.len(), missing.first());
}

/// What is asked for at a level and below, with its places: orders and drafts of the flood, and of the way down.
fn asked_for(night: &Night, level: WarningLevel) -> (BTreeSet<(InstructionCode, PlaceId)>, BTreeSet<InstructionCode>) {
    let mut flood = BTreeSet::new();
    let mut way_down = BTreeSet::new();
    for task in night.state.tasks.values().filter(|task| task.is_live()) {
        let row = CORE.playbook.instruction(&task.code).unwrap();
        if row.is_of_flood() && (row.level() <= level || task.issued_at.is_some()) {
            assert!(
                flood.insert((task.code.clone(), task.place.clone())),
                "{} stands twice at {}",
                task.code,
                task.place
            );
        } else if row.phase == Phase::Withdraw {
            way_down.insert(task.code.clone());
        }
    }
    (flood, way_down)
}

#[test]
fn core_a_level_asks_for_the_same_whatever_the_way_to_it() {
    use WarningLevel::{Blue, None, Orange, Red, Yellow};
    let prepared = |level| match level {
        None => Option::None,
        Blue => Some(4_500.0),
        Yellow => Some(6_000.0),
        Orange => Some(8_000.0),
        Red => Some(22_000.0),
    };
    let walk = |levels: &[WarningLevel]| {
        let mut night = Night::new();
        night.water(5_400.0);
        for level in levels {
            night.prepare(*level, prepared(*level));
            night.now += TimeDelta::minutes(10);
            night.look(5_400.0);
        }
        night
    };
    // What a lowering takes back and gives is promised before, to the task.
    let mut night = walk(&[Red]);
    let promise = CORE.would_release(&night.state, Yellow, prepared(Yellow), night.water.as_ref());
    night.prepare(Yellow, prepared(Yellow));
    let done = night.state.activations.values().next_back().unwrap();
    assert!(promise.ended.len() > 500 && promise.tasks.len() > 50, "{} {}", promise.ended.len(), promise.tasks.len());
    assert_eq!((done.ended.len(), done.released.len()), (promise.ended.len(), promise.tasks.len()));
    let ways: [&[WarningLevel]; 9] = [
        &[Red, Blue],
        &[Red, Yellow],
        &[Red, Orange, Yellow, Blue],
        &[Blue, Yellow, Orange, Red, Blue],
        &[Red, None, Blue],
        &[Red, None, Yellow],
        &[Red, Blue, Red],
        &[Blue, Red, Yellow, Red, None, Red],
        &[Orange, Blue, Yellow],
    ];
    for way in ways {
        let (last, before) = (way[way.len() - 1], way[way.len() - 2]);
        let (flood, way_down) = asked_for(&walk(way), last);
        let (direct, _) = asked_for(&walk(&[last]), last);
        let lost: Vec<_> = direct.difference(&flood).collect();
        let left: Vec<_> = flood.difference(&direct).collect();
        assert!(lost.is_empty() && left.is_empty(), "{way:?}: lost {lost:?}; left over {left:?}");
        let waiting = |night: &Night| -> BTreeSet<_> {
            let drafts = night.state.drafts_up_to(last, &CORE.playbook);
            drafts.map(|task| (task.code.clone(), task.place.clone())).collect()
        };
        let more: Vec<_> = waiting(&walk(way)).difference(&waiting(&walk(&[last]))).cloned().collect();
        assert!(more.is_empty() || last < before, "{way:?}: waits for one more signature: {more:?}");
        let of_flood = |code: &InstructionCode| CORE.playbook.instruction(code).unwrap().is_of_flood();
        assert!(!more.iter().any(|(code, _)| of_flood(code)), "{way:?}: waits for one more signature: {more:?}");
        assert_eq!(way_down.is_empty(), last > before, "{way:?}: {way_down:?}");
    }
}

#[test]
fn core_what_was_done_for_a_level_is_asked_anew_when_the_level_comes_again() {
    let mut night = Night::new();
    night.water(16_000.0);
    night.activate(WarningLevel::Red);
    let forward = |night: &Night| {
        let of_row = night.state.tasks.values().filter(|task| task.code.as_str() == "B15-001");
        of_row.map(|task| (task.id, task.status)).collect::<Vec<_>>()
    };
    let (task, _) = forward(&night)[0];
    let owner = night.state.tasks[&task].owner.clone().unwrap();
    night.give(Input::Acknowledge { by: member(&owner), task }).unwrap();
    night.give(Input::Complete { by: member(&owner), task }).unwrap();
    night.activate(WarningLevel::Yellow);
    night.water(16_000.0);
    night.activate(WarningLevel::Red);
    let all = forward(&night);
    assert_eq!(all.len(), 2, "the red warning is forwarded again: {all:?}");
    assert_eq!(all[1].1, TaskStatus::Issued, "{all:?}");
}

#[test]
fn core_a_raise_without_a_discharge_keeps_the_one_prepared_for() {
    let mut night = Night::new();
    night.water(5_400.0).prepare(WarningLevel::Yellow, Some(6_500.0));
    let live = |night: &Night| night.state.tasks.values().filter(|task| task.is_live()).count();
    let before = live(&night);
    let promise = CORE.would_release(&night.state, WarningLevel::Orange, None, night.water.as_ref());
    night.prepare(WarningLevel::Orange, None);
    let done = night.state.activations.values().next_back().unwrap();
    assert_eq!((done.prepare_for_m3s, night.state.prepare_for_m3s), (Some(6_500.0), Some(6_500.0)));
    assert_eq!((promise.tasks.len(), promise.ended.len()), (done.released.len(), done.ended.len()));
    for task in &done.ended {
        let code = &night.state.tasks[task].code;
        let replaced =
            |other: &Task| other.is_live() && CORE.playbook.instruction(&other.code).unwrap().supersedes.contains(code);
        assert!(night.state.tasks.values().any(replaced), "{code} was taken back by a raise");
    }
    assert!(live(&night) >= before, "{} of {before}", live(&night));
    // On the way down nothing is kept that nobody names.
    night.prepare(WarningLevel::Blue, None);
    assert_eq!(night.state.prepare_for_m3s, None);
}

#[test]
fn core_a_discharge_corrected_down_and_up_asks_nobody_for_the_same_work_twice() {
    let mut night = Night::new();
    night.water(5_400.0).prepare(WarningLevel::Red, Some(22_000.0));
    let of_row = |night: &Night| {
        let tasks = night.state.tasks.values().filter(|task| task.code.as_str() == "B22-018");
        tasks.map(|task| (task.id, task.status)).collect::<Vec<_>>()
    };
    let first = of_row(&night);
    assert!(first.len() > 3, "{first:?}");
    for (task, _) in first.iter().skip(1) {
        let by = member(&night.state.tasks[task].owner.clone().unwrap());
        night.give(Input::Acknowledge { by: by.clone(), task: *task }).unwrap();
        night.give(Input::Complete { by, task: *task }).unwrap();
    }
    night.prepare(WarningLevel::Red, Some(20_000.0));
    assert_eq!(night.state.tasks[&first[0].0].status, TaskStatus::Withdrawn, "nobody needs it at 20,000");
    night.prepare(WarningLevel::Red, Some(22_000.0));
    let all = of_row(&night);
    assert_eq!(all.len(), first.len() + 1, "only what was taken back is asked again: {all:?}");
    // Below nine tenths for two hours, as any row waits, it is asked anew.
    night.prepare(WarningLevel::Red, Some(15_000.0)).water(5_400.0).water(5_400.0).water(5_400.0);
    night.prepare(WarningLevel::Red, Some(22_000.0));
    assert_eq!(of_row(&night).len(), all.len() + first.len());
}

#[test]
fn core_what_is_done_for_a_greater_discharge_replaces_no_order_of_a_smaller_one() {
    let live = |night: &Night, code: &str| {
        let of_row = night.state.tasks.values().filter(|task| task.code.as_str() == code && task.is_live());
        of_row.map(|task| task.place.clone()).collect::<BTreeSet<_>>()
    };
    let mut direct = Night::new();
    direct.water(5_400.0).prepare(WarningLevel::Orange, Some(8_000.0));
    let mut night = Night::new();
    night.water(5_400.0).prepare(WarningLevel::Orange, Some(12_000.0));
    let replaced = CORE.playbook.instruction(&"B10-020".into()).unwrap().supersedes.clone();
    assert!(replaced.iter().any(|code| code.as_str() == "B8-023"), "{replaced:?}");
    let greater: Vec<_> = night.state.tasks.values().filter(|task| task.code.as_str() == "B10-020").cloned().collect();
    assert!(!greater.is_empty() && live(&night, "B8-023") != live(&direct, "B8-023"));
    for task in greater {
        let by = member(&task.owner.unwrap());
        night.give(Input::Acknowledge { by: by.clone(), task: task.id }).unwrap();
        night.give(Input::Complete { by, task: task.id }).unwrap();
    }
    night.prepare(WarningLevel::Orange, Some(8_000.0));
    assert_eq!(live(&night, "B8-023"), live(&direct, "B8-023"));
}

#[test]
fn core_a_lift_after_a_long_calm_still_sends_people_down_the_way_back() {
    let mut night = Night::new();
    night.water(4_500.0).activate(WarningLevel::Blue);
    for _ in 0..6 {
        night.water(1_500.0);
    }
    night.prepare(WarningLevel::None, None);
    let done = night.state.activations.values().next_back().unwrap();
    let gone = |task: &&TaskId| night.state.tasks[*task].code.as_str().starts_with("W-");
    assert!(done.released.iter().filter(gone).count() > 50, "{}", done.released.len());
    assert!(night.state.event.is_some(), "nothing ends in the step that sends it out");
}

#[test]
fn core_a_request_judges_no_water_of_hours_ago() {
    let mut night = Night::new();
    night.water(5_400.0).prepare(WarningLevel::Orange, Some(12_000.0));
    night.now += TimeDelta::minutes(11);
    night.prepare(WarningLevel::Orange, Some(8_000.0));
    assert_eq!(night.state.activations.values().next_back().unwrap().ended.len(), 0);
    night.look(5_400.0).prepare(WarningLevel::Orange, Some(12_000.0)).prepare(WarningLevel::Orange, Some(8_000.0));
    assert!(night.state.activations.values().next_back().unwrap().ended.len() > 200);
}

#[test]
fn core_nobody_is_sent_to_clean_up_while_the_water_still_calls_people_away() {
    let mut night = Night::new();
    night.water(5_400.0).prepare(WarningLevel::Orange, Some(10_000.0));
    night.prepare(WarningLevel::None, None).look(5_400.0);
    let live = |night: &Night, code: &str| {
        night.state.tasks.values().filter(|task| task.code.as_str() == code && task.is_live()).count()
    };
    assert!(live(&night, "P-015") > 0 && live(&night, "P-022") > 0 && live(&night, "W-034") > 0);
    assert_eq!((live(&night, "W-030"), live(&night, "W-022")), (0, 0));
    night.water(2_000.0);
    let codes = ["W-030", "W-022"].map(InstructionCode::from).to_vec();
    night.give(Input::Sign { by: officer("li", UserRole::Duty), codes }).unwrap();
    assert!(live(&night, "W-030") > 0 && live(&night, "W-022") > 0, "once the water has fallen");
}

#[test]
fn core_end_of_rounds_does_not_waver() {
    let mut night = Night::new();
    night.water(4_500.0);
    night.activate(WarningLevel::Blue);
    let code = InstructionCode::from("B4-009");
    let drafted = |night: &Night| night.state.tasks.values().filter(|task| task.code == code).count();
    let before = drafted(&night);
    assert!(before > 0);
    for _ in 0..10 {
        night.water(3_595.0).water(3_605.0);
    }
    assert_eq!(
        drafted(&night),
        before,
        "an order is not taken back and given anew while the value wavers about its end"
    );
}

#[test]
fn a_whole_photo_takes_the_place_of_its_small_one_whatever_the_order() {
    let mut night = Night::new();
    let walker = member(&CORE.reach.members().next().unwrap().id);
    let report = FieldReport {
        kind: ReportKind::Patrol,
        type_: "photo".into(),
        grade: 1,
        place: Spot::default(),
        observed_at: night.now,
        text: None,
        photos: vec!["own".into()],
        task: None,
    };
    night.give(Input::Report { by: walker.clone(), report }).unwrap();
    let id = *night.state.reports.keys().next().unwrap();
    let mut add = |photo: &str, shot: Option<(&str, bool)>| {
        let shot = shot.map(|(id, thumb)| anlan::command::Shot { id: id.into(), thumb });
        let photos = vec![photo.to_owned()];
        let facts = night.give(Input::AddPhotos { by: walker.clone(), report: id, photos, shot }).unwrap();
        let added = facts.iter().filter(|entry| matches!(entry.fact, Fact::PhotosAdded { .. })).count();
        (added, night.state.reports[&id].content.photos.join(" "))
    };
    assert_eq!(add("a-small", Some(("A", true))), (1, "own a-small".into()));
    assert_eq!(add("b-small", Some(("B", true))), (1, "own a-small b-small".into()));
    assert_eq!(add("a-whole", Some(("A", false))), (1, "own a-whole b-small".into()));
    assert_eq!(add("a-whole", Some(("A", false))).1, "own a-whole b-small", "sent again");
    assert_eq!(add("a-small", Some(("A", true))), (0, "own a-whole b-small".into()), "the small one is late");
    assert_eq!(add("c-whole", Some(("C", false))), (1, "own a-whole b-small c-whole".into()));
    assert_eq!(add("d", None), (1, "own a-whole b-small c-whole d".into()));
    // A picture that needs no shrinking: small and whole are the same file.
    assert_eq!(add("e", Some(("E", true))).1, "own a-whole b-small c-whole d e");
    assert_eq!(add("e", Some(("E", false))).1, "own a-whole b-small c-whole d e");
}

#[test]
fn core_an_assumed_discharge_below_the_river_takes_no_order_back() {
    let mut night = Night::new();
    night.water(8_200.0);
    night.activate(WarningLevel::Orange);
    let live = |night: &Night| -> Vec<TaskId> {
        night.state.tasks.values().filter(|task| task.is_live()).map(|task| task.id).collect()
    };
    let before = live(&night);
    let lower = Input::Ask {
        by: officer("zhang", UserRole::Duty),
        level: WarningLevel::Orange,
        reason: "按 7000 预备".into(),
        ordered_by: None,
        prepare_for_m3s: Some(6_900.0),
    };
    night.give(lower).unwrap();
    let id = night.state.pending.unwrap();
    night.give(Input::Confirm { by: officer("li", UserRole::Duty), activation: id, water: None }).unwrap();
    let after = live(&night);
    let lost: Vec<_> = before.iter().filter(|task| !after.contains(task)).collect();
    assert!(before.len() > 100 && lost.is_empty(), "{} tasks, lost {lost:?}", before.len());
}

#[test]
fn core_a_code_signed_twice_in_one_request_is_one_order() {
    let mut night = Night::new();
    night.water(4_500.0);
    night.activate(WarningLevel::Blue);
    // Rows of the colour in force that fire after the release wait for one officer's signature.
    night.water(5_900.0);
    let by = officer("zhang", UserRole::Commander);
    let signable = |task: &Task| {
        let row = CORE.playbook.instruction(&task.code).unwrap();
        row.level() <= WarningLevel::Blue && by.may_sign(row.authority)
    };
    let code = night.state.drafts().find(|task| signable(task)).map(|task| task.code.clone());
    let code = code.expect("a draft that one officer may sign");
    let drafts: Vec<_> = night.state.drafts().filter(|task| task.code == code).map(|task| task.id).collect();
    let facts = night.give(Input::Sign { by: by.clone(), codes: vec![code.clone(), code] }).unwrap();
    let issued: Vec<_> = facts
        .iter()
        .filter_map(|entry| if let Fact::Issued { task, .. } = entry.fact { Some(task) } else { None })
        .collect();
    assert_eq!(issued, drafts, "every draft of the row once");
}

#[test]
fn core_a_deputy_cannot_decline_what_the_owner_has_taken() {
    let mut night = Night::new();
    night.water(4_500.0);
    night.activate(WarningLevel::Blue);
    let task = night.state.tasks.values().find(|task| task.status == TaskStatus::Issued && task.deputy.is_some());
    let (id, owner, deputy) = task
        .map(|task| (task.id, member(task.owner.as_ref().unwrap()), member(task.deputy.as_ref().unwrap())))
        .unwrap();
    night.after(400); // The deputy has it too.
    night.give(Input::Acknowledge { by: owner, task: id }).unwrap();
    let no = Input::Decline { by: deputy, task: id, reason: DeclineReason::Busy, text: None };
    assert!(matches!(night.give(no), Err(Refused::IllegalMove { .. })));
    assert_eq!(night.state.tasks[&id].status, TaskStatus::Acknowledged);
}

#[test]
fn core_the_stones_of_a_dam_are_one_alarm_that_grows_graver_once_and_ends() {
    let mut night = Night::new();
    let dam = CORE.reach.places().find(|place| place.kind == PlaceKind::Dam).unwrap().id.clone();
    let shown = |stones: &[&str], confidence, second_stone, at| Input::StoneHazard {
        dam: dam.clone(),
        first: "st-001".into(),
        first_at: at,
        stones: stones.iter().map(|stone| (*stone).into()).collect(),
        confidence,
        second_stone,
    };
    let at = night.now;
    let alone = night.give(shown(&["st-001"], 0.4, false, at)).unwrap();
    assert_eq!(alone.len(), 2, "what was heard, and one alarm: {alone:?}");
    let severity = |night: &Night| {
        let open: Vec<_> =
            night.state.alarms.values().filter(|alarm| !alarm.closed).map(|alarm| alarm.severity).collect();
        assert!(open.len() <= 1, "one dam, one alarm");
        open.first().copied()
    };
    assert_eq!(severity(&night), Some(Severity::Warning), "one stone asks for a look");
    assert!(night.give(shown(&["st-001"], 0.5, false, at)).unwrap().is_empty(), "said once");
    assert!(!night.give(shown(&["st-001", "st-002"], 0.8, true, at)).unwrap().is_empty());
    assert_eq!(severity(&night), Some(Severity::Critical), "a second stone agrees");
    assert!(night.give(shown(&["st-001"], 0.5, false, at)).unwrap().is_empty(), "it is not played down again");
    night.give(Input::StoneHazardOver { dam: dam.clone() }).unwrap();
    assert_eq!(severity(&night), None);
    assert!(night.give(Input::StoneHazardOver { dam: dam.clone() }).unwrap().is_empty(), "over once");
    let later = night.now + TimeDelta::hours(6);
    night.give(shown(&["st-003"], 0.4, false, later)).unwrap();
    assert_eq!(severity(&night), Some(Severity::Warning), "the next one is a new alarm");
    let mut folded = State::default();
    night.facts.iter().for_each(|entry| folded.apply(entry));
    assert_eq!(
        severity(&Night { state: folded, now: night.now, facts: Vec::new(), water: None }),
        Some(Severity::Warning)
    );
}

/// The same inputs, folded again by a second core, give the same bytes.
fn replayed(night: &Night) -> Vec<Entry> {
    let (mut state, mut again) = (State::default(), Vec::new());
    for entry in &night.facts {
        if let Fact::Received { input } = &entry.fact {
            again.extend(CORE.step(&mut state, input, entry.at).unwrap());
        }
    }
    again
}

#[test]
fn core_own_people_are_called_out_before_the_water_and_one_alarm_is_one_place() {
    use anlan::command::PlaceWater;
    let village = PlaceId::new("village-huayuankou");
    let comes = |night: &Night, minutes: i64, cut: bool| {
        let at = Some(night.now + TimeDelta::minutes(minutes));
        // A place where nobody of ours is, is nobody's alarm.
        let empty = PlaceWater { place: "farm-01".into(), at: None, cut: false };
        Input::WaterComes { places: vec![empty, PlaceWater { place: village.clone(), at, cut }] }
    };
    let mut night = Night::new();
    let open = |night: &Night| -> Vec<String> {
        let alarms = night.state.alarms.values().filter(|alarm| !alarm.closed && alarm.key.starts_with("water:"));
        alarms.map(|alarm| alarm.title.zh.clone()).collect()
    };
    // Forty minutes are more than half an hour: nothing happened, nothing is written down.
    let input = comes(&night, 40, false);
    assert!(night.give(input).unwrap().is_empty());
    let input = comes(&night, 25, false);
    assert_eq!(night.give(input.clone()).unwrap().len(), 2);
    assert_eq!(open(&night), ["立即撤离 花园口村：预计 07-16 18:25 进水，我方 2 人在场或正前往，逐人确认撤出"]);
    assert!(night.give(input).unwrap().is_empty(), "one cause is one alarm");
    // A forecast that moves by minutes does not close it; silence does not either; dry ground does.
    let input = comes(&night, 45, false);
    assert!(night.give(input).unwrap().is_empty());
    night.after(7200);
    assert_eq!(open(&night).len(), 1);
    let input = comes(&night, 90, false);
    night.give(input).unwrap();
    assert!(open(&night).is_empty());
    // Cut off counts as the water itself; a place that is registered as empty has nobody left.
    let input = comes(&night, -5, true);
    night.give(input.clone()).unwrap();
    assert!(open(&night)[0].contains("出路已被淹断"), "{:?}", open(&night));
    let cleared = Input::Order {
        by: officer("zhang", UserRole::Duty),
        name: "evac_done".into(),
        place: Some(village.clone()),
        lift: false,
    };
    night.give(cleared).unwrap();
    night.give(input).unwrap();
    assert!(open(&night).is_empty());
    assert_eq!(replayed(&night), night.facts);
}

#[test]
fn core_the_alarm_says_once_that_the_water_has_come_and_knows_whose_phone_must_tell_it() {
    use anlan::command::PlaceWater;
    let village = PlaceId::new("village-huayuankou");
    let mut night = Night::new();
    let at = Some(night.now + TimeDelta::minutes(25));
    let wet = Input::WaterComes { places: vec![PlaceWater { place: village.clone(), at, cut: false }] };
    let key = format!("water:{village}");
    let here = CORE.reach.members().find(|member| member.post == village).unwrap().id.clone();
    let away = CORE.reach.members().find(|member| member.post != village).unwrap().id.clone();
    let told = |night: &Night, member: &MemberId| -> Vec<String> {
        night.state.must_leave(&CORE.reach, member).iter().map(|(place, _)| place.to_string()).collect()
    };
    assert!(told(&night, &here).is_empty());
    night.give(wet.clone()).unwrap();
    assert_eq!((told(&night, &here), told(&night, &away)), (vec![village.to_string()], Vec::new()));
    night.after(1800);
    assert_eq!(night.give(wet.clone()).unwrap().len(), 2, "the water has come");
    let alarm = &night.state.alarms[&key];
    assert!(alarm.title.zh.contains("已进水") && alarm.count == 2, "{alarm:?}");
    night.after(600);
    assert!(night.give(wet).unwrap().is_empty(), "said once");
    assert_eq!(told(&night, &here), [village.to_string()]);
    night.give(Input::WaterComes { places: Vec::new() }).unwrap();
    assert!(told(&night, &here).is_empty());
}

#[test]
fn core_who_has_gone_to_a_task_is_looked_for_there() {
    use anlan::command::PlaceWater;
    let mut night = Night::new();
    night.water(9000.0);
    night.activate(WarningLevel::Orange);
    let (id, by) = {
        let in_field = |task: &&Task| {
            let post = task.owner.as_ref().and_then(|owner| CORE.reach.member(owner)).map(|owner| &owner.post);
            let others = night.state.tasks.values().filter(|other| other.status == TaskStatus::Issued);
            let mut others = others.filter(|other| other.place == task.place && other.owner != task.owner);
            task.status == TaskStatus::Issued
                && post.is_some_and(|post| *post != task.place)
                && others.any(|other| {
                    let post = other.owner.as_ref().and_then(|owner| CORE.reach.member(owner)).map(|owner| &owner.post);
                    post.is_some_and(|post| *post != task.place)
                })
        };
        let task = night.state.tasks.values().find(in_field).unwrap();
        (task.id, member(task.owner.as_ref().unwrap()))
    };
    let place = night.state.tasks[&id].place.clone();
    let key = format!("water:{place}");
    let posted = CORE.reach.members().filter(|member| member.post == place).count();
    let wet = Input::WaterComes { places: vec![PlaceWater { place: place.clone(), at: None, cut: false }] };
    let title = |night: &Night| night.state.alarms.get(&key).map(|alarm| alarm.title.zh.clone()).unwrap_or_default();
    night.give(wet.clone()).unwrap();
    assert_eq!(title(&night).contains(&format!("我方 {posted} 人")), posted > 0, "{}", title(&night));
    night.give(Input::WaterComes { places: Vec::new() }).unwrap();
    night.give(Input::Acknowledge { by: by.clone(), task: id }).unwrap();
    night.give(wet.clone()).unwrap();
    assert!(title(&night).contains(&format!("我方 {} 人", posted + 1)), "on the way counts: {}", title(&night));
    night.give(Input::WaterComes { places: Vec::new() }).unwrap();
    // The alarm is open and somebody took note of it: whoever comes later rings it again, once.
    night.give(wet.clone()).unwrap();
    let mind = Input::MindAlarm { by: officer("zhang", UserRole::Duty), alarm: key.clone(), shelve_until: None };
    night.give(mind).unwrap();
    let away = |task: &Task| {
        let post = task.owner.as_ref().and_then(|owner| CORE.reach.member(owner)).map(|owner| &owner.post);
        post.is_some_and(|post| *post != place)
    };
    let is_issued = |task: &Task| task.place == place && task.status == TaskStatus::Issued;
    let other = |task: &&Task| is_issued(task) && task.owner != by.member && away(task);
    let second = night.state.tasks.values().find(other).map(|task| (task.id, member(task.owner.as_ref().unwrap())));
    let (task, newcomer) = second.expect("more than one is called to a place");
    night.now += TimeDelta::minutes(1);
    night.give(Input::Acknowledge { by: newcomer, task }).unwrap();
    night.give(wet.clone()).unwrap();
    assert!(night.state.alarms[&key].minded.is_none(), "rings again: {}", title(&night));
    assert!(night.give(wet.clone()).unwrap().is_empty(), "once");
    night.give(Input::Arrive { by, task: id }).unwrap();
    night.give(wet).unwrap();
    assert!(title(&night).contains(&format!("我方 {} 人", posted + 2)), "and there: {}", title(&night));
}
