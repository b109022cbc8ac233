//! The core itself: what it holds, and the one way in.

use super::field::stones_alarm;
use super::{Entry, Fact, Input, Refused, State};
use crate::model::{FactSeq, Reach, TaskId, Timestamp};
use crate::playbook::{Instruction, Playbook};
use chrono::SubsecRound;
use std::sync::Arc;

/// The rules of one reach: they do not change while an event is open.
#[derive(Debug, Clone)]
pub struct Core {
    /// Levels and instructions.
    pub playbook: Arc<Playbook>,
    /// Places, people, duties.
    pub reach: Arc<Reach>,
}

impl Core {
    /// Answers one input: folds the facts that follow into `state` and returns them, the input first.
    ///
    /// An input that leads to nothing returns nothing and leaves `state` as it was. `now` never runs back: an earlier
    /// moment than the last fact's counts as that moment. It counts in whole milliseconds, as facts keep it: the same
    /// inputs, folded again at the moments that were written down, give the same facts.
    ///
    /// # Errors
    /// What is refused, by name; `state` is then unchanged.
    pub fn step(&self, state: &mut State, input: &Input, now: Timestamp) -> Result<Vec<Entry>, Refused> {
        // An empty state has no moment yet; floods before 1970 are drilled too.
        let now = now.trunc_subsecs(3);
        let now = if state.last == FactSeq(0) { now } else { now.max(state.at) };
        let mut desk = Desk { core: self, now, state, input, facts: Vec::new() };
        desk.answer()?;
        desk.close_settled_alarms();
        Ok(desk.facts)
    }
}

/// The place where one input is worked on: every fact is folded in at once, so that the next line sees it.
pub(super) struct Desk<'a> {
    pub(super) core: &'a Core,
    pub(super) now: Timestamp,
    pub(super) state: &'a mut State,
    input: &'a Input,
    facts: Vec<Entry>,
}

impl Desk<'_> {
    /// Puts a fact down. The first one is preceded by the input itself.
    pub(super) fn record(&mut self, fact: Fact) {
        if self.facts.is_empty() {
            self.put(Fact::Received { input: Box::new(self.input.clone()) });
        }
        self.put(fact);
    }

    fn put(&mut self, fact: Fact) {
        let entry = Entry { seq: FactSeq(self.state.last.0 + 1), at: self.now, fact };
        self.state.apply(&entry);
        self.facts.push(entry);
    }

    /// The position that the next recorded fact will have; ids are made of it.
    pub(super) fn next_seq(&self) -> u64 {
        self.state.last.0 + if self.facts.is_empty() { 2 } else { 1 }
    }

    /// What this input has led to so far.
    pub(super) fn facts(&self) -> &[Entry] {
        &self.facts
    }

    /// Whether this input has led to nothing so far.
    pub(super) fn nothing_moved(&self) -> bool {
        self.facts.is_empty()
    }

    pub(super) fn instruction(&self, task: TaskId) -> Option<&Instruction> {
        let code = &self.state.tasks.get(&task)?.code;
        self.core.playbook.instruction(code)
    }

    fn use_edition(&mut self, edition: &str) -> Result<(), Refused> {
        let own = self.core.playbook.edition();
        if edition != own {
            let problem = format!("规则是 {own}，不是 {edition} (the rules are {own}, not {edition})");
            return Err(Refused::BadField { field: "edition", problem });
        }
        if self.state.edition != edition {
            self.record(Fact::EditionUsed { edition: edition.to_owned() });
        }
        Ok(())
    }

    fn answer(&mut self) -> Result<(), Refused> {
        match self.input {
            Input::Configure { settings } => {
                if &self.state.settings != settings {
                    self.record(Fact::Configured { settings: settings.clone() });
                }
                Ok(())
            }
            Input::UseEdition { edition } => self.use_edition(edition),
            Input::Evaluate { snapshot, readings } => {
                self.evaluate(snapshot, readings);
                Ok(())
            }
            Input::Tick => {
                self.tick();
                Ok(())
            }
            Input::Ask { by, level, reason, ordered_by, prepare_for_m3s } => {
                self.ask(by, *level, reason, ordered_by.as_deref(), *prepare_for_m3s)
            }
            Input::Confirm { by, activation, water } => self.confirm(by, *activation, water.as_deref()),
            Input::Refuse { by, activation, reason } => self.refuse(by, *activation, reason),
            Input::BreakGlass { by, activation, reason, water } => {
                self.break_glass(by, *activation, reason, water.as_deref())
            }
            Input::Sign { by, codes } => self.sign(by, codes),
            Input::SeedLevel { level } => {
                self.put_in_force(*level, None, None, None);
                Ok(())
            }
            Input::Deliver { member, tasks } => {
                self.deliver(member, tasks);
                Ok(())
            }
            Input::Acknowledge { by, task } => self.acknowledge(by, *task),
            Input::Decline { by, task, reason, text } => self.decline(by, *task, *reason, text.as_deref()),
            Input::Arrive { by, task } => self.arrive(by, *task),
            Input::Complete { by, task } => self.complete(by, *task),
            Input::Verify { by, task } => self.verify(by, *task),
            Input::Withdraw { by, tasks, reason } => self.recall(by, tasks, reason),
            Input::Assign { by, task, member, reason } => self.assign(by, *task, member, reason),
            Input::Report { by, report } => self.report(by, report),
            Input::AddPhotos { by, report, photos, shot } => self.add_photos(by, *report, photos, shot.as_ref()),
            Input::Settle { by, report, false_alarm } => self.settle(by, *report, *false_alarm),
            Input::Adopt { by, report, type_, grade, place } => self.adopt(by, *report, type_, *grade, place.as_ref()),
            Input::SeeReport { by, report } => self.see_report(by, *report),
            Input::Order { by, name, place, lift } => self.order(by, name, place.as_ref(), *lift),
            Input::Notice { by, members, text } => self.notice(by, members, text),
            Input::Mode { by, mode } => self.mode(by, *mode),
            Input::Reveal { by, member } => {
                self.record(Fact::Revealed { by: by.clone(), member: member.clone() });
                Ok(())
            }
            Input::RevealReport { by, report } => self.reveal_report(by, *report),
            Input::AskStation { by, station, question } => {
                let (by, station, question) = (by.clone(), station.clone(), question.clone());
                self.record(Fact::StationAsked { by, station, question });
                Ok(())
            }
            Input::Amend { by, amendment } => self.amend(by, amendment),
            Input::Inject { by, injection } => self.inject(by, injection),
            Input::Health { cause, title_zh, title_en, silent } => {
                self.health(cause, title_zh, title_en, *silent);
                Ok(())
            }
            Input::StoneHazard { dam, first, first_at, stones, confidence, second_stone } => {
                self.stone_hazard(dam, (first, *first_at), stones.len(), *confidence, *second_stone);
                Ok(())
            }
            Input::StoneHazardOver { dam } => {
                self.close_alarm(&stones_alarm(dam));
                Ok(())
            }
            Input::WaterComes { places } => {
                self.water_comes(places);
                Ok(())
            }
            Input::MindAlarm { by, alarm, shelve_until } => self.mind_alarm(by, alarm, *shelve_until),
        }
    }
}
