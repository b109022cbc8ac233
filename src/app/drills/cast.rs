//! Virtual people on the feed of a live drill.

use super::live::{LOOK_EVERY, LiveDrill};
use crate::command::Entry;
use crate::drill::script::Told;
use crate::drill::{Move, Plan, Players, Scene, Silence};
use crate::model::Timestamp;
use crate::store::{Engine, EngineError};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc};

/// Moves of people that may be planned; when full, further ones are left out and it is said.
const PLANS_MAX: usize = 100_000;
/// Inputs of people that are on their way to the engine at once.
const AT_ONCE: usize = 256;

/// What the director does to people.
pub(super) struct Word {
    /// A group falls silent.
    pub(super) silence: Option<Silence>,
    /// Somebody will report something.
    pub(super) told: Option<Told>,
}

/// Virtual people on the feed of a drill.
pub(super) struct Cast {
    drill: Arc<LiveDrill>,
    players: Players,
    /// By moment and order of planning; bounded by [`PLANS_MAX`].
    plans: BTreeMap<(Timestamp, u64), Move>,
    planned: u64,
    words: mpsc::Receiver<Word>,
}

impl Cast {
    pub(super) fn new(drill: Arc<LiveDrill>, players: Players, words: mpsc::Receiver<Word>) -> Self {
        Self { drill, players, plans: BTreeMap::new(), planned: 0, words }
    }

    /// Until the drill is stopped or the flood is over.
    pub(super) async fn run(mut self, feed: &mut broadcast::Receiver<Arc<Vec<Entry>>>, script: Vec<Plan>) {
        self.plan(script);
        let first = self.players.begin(self.drill.clock.now());
        self.plan(first);
        let stop = self.drill.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                heard = feed.recv() => if !self.hear(heard) { break },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            while let Ok(more) = feed.try_recv() {
                self.hear(Ok(more));
            }
            while let Ok(word) = self.words.try_recv() {
                self.obey(word);
            }
            self.play().await;
            if self.drill.is_at_end() {
                tracing::info!(drill = self.drill.id, "【演练】洪水过程结束 (the flood of the drill is over)");
                self.drill.finish();
            }
        }
    }

    fn obey(&mut self, word: Word) {
        if let Some(silence) = word.silence {
            self.players.cut_off(silence);
        }
        if let Some(told) = word.told {
            if told.is_false {
                self.players.expect_rumour(told.text);
            }
            self.plan(vec![Plan { at: told.at, what: Move::Say(Box::new(told.input)) }]);
        }
    }

    /// What happened goes into the tally and to the people; false when nothing more will come.
    fn hear(&mut self, heard: Result<Arc<Vec<Entry>>, broadcast::error::RecvError>) -> bool {
        match heard {
            Ok(entries) => {
                self.drill.tally().take(&entries);
                let Some(last) = entries.last() else { return true };
                let plans = {
                    let engine: &Engine = &self.drill.post.engine;
                    let state = engine.state();
                    let water = self.drill.post.signals();
                    let scene = Scene { core: engine.core(), state: &state, now: last.at, water: water.as_ref() };
                    self.players.react(&scene, &entries)
                };
                self.plan(plans);
                true
            }
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                tracing::warn!(
                    drill = self.drill.id,
                    missed,
                    "【演练】虚拟人员未跟上 (virtual people missed some facts)"
                );
                true
            }
            Err(broadcast::error::RecvError::Closed) => false,
        }
    }

    /// Everything that is due now, in order; refusals are what they are live: somebody came too late.
    async fn play(&mut self) {
        let now = self.drill.clock.now();
        let mut say = Vec::new();
        while say.len() < AT_ONCE && self.plans.first_key_value().is_some_and(|((at, _), _)| *at <= now) {
            let Some((_, what)) = self.plans.pop_first() else { break };
            let turn = {
                let engine = &self.drill.post.engine;
                let state = engine.state();
                let water = self.drill.post.signals();
                self.players.play(&Scene { core: engine.core(), state: &state, now, water: water.as_ref() }, what)
            };
            say.extend(turn.say);
            self.plan(turn.plan);
        }
        let said = say.into_iter().map(|input| self.drill.post.engine.submit(input));
        for outcome in futures::future::join_all(said).await {
            if let Err(EngineError::NotDurable(fault)) = outcome {
                tracing::error!(
                    drill = self.drill.id,
                    fault,
                    "【演练】未写入日志 (not written to the journal of the drill)"
                );
            }
        }
    }

    fn plan(&mut self, plans: Vec<Plan>) {
        for plan in plans {
            if self.plans.len() >= PLANS_MAX {
                tracing::warn!(
                    drill = self.drill.id,
                    "【演练】计划已满，后续动作略去 (too many plans, the rest is left out)"
                );
                return;
            }
            self.planned += 1;
            self.plans.insert((plan.at, self.planned), plan.what);
        }
    }
}
