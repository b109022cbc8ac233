//! A command post: one reach with its engine, its water and its map, live or in a drill.

use super::shape::{self, Frame, Sight};
use super::{EvacuationRegister, TwinDesk, live_twin};
use crate::command::{Activation, State, Task, Water, Words};
use crate::hydraulics::Mirrored;
use crate::ingest::Intake;
use crate::model::FactSeq;
use crate::playbook::Snapshot;
use crate::store::series::SeriesStore;
use crate::store::{Engine, Published};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Whether what is shown is real.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The real river (or, flagged, the demo's).
    Live,
    /// A drill.
    Drill,
}

/// What kind of clock the post runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockKind {
    /// Wall time.
    Real,
    /// The demo's.
    Demo,
    /// A drill's.
    Drill,
}

/// A situation text with the fact and the second that it was made for.
pub type SituationMade = ((FactSeq, i64), Arc<str>);

/// One map layer: GeoJSON text, made once.
pub type Layers = BTreeMap<String, Arc<str>>;

/// Everything that screens of one reach read from.
pub struct Post {
    /// Live or drill.
    pub scope: Scope,
    /// Kind of clock.
    pub clock: ClockKind,
    /// Seconds of the reach in a wall second, now.
    pub speed: Box<dyn Fn() -> f64 + Send + Sync>,
    /// The one writer.
    pub engine: Engine,
    /// Observations.
    pub series: Arc<dyn SeriesStore>,
    /// The water as last judged.
    pub water: Published<Water>,
    /// Readings by hand and by programs.
    pub intake: Intake,
    /// Map layers that do not change.
    pub layers: Arc<Layers>,
    /// Households, growers and villages, as the reach's files have them.
    pub evacuation: Arc<EvacuationRegister>,
    /// The twin, where the reach has terrain.
    pub twin: Option<Arc<TwinDesk>>,
    /// Invented data: shown on every screen.
    pub demo: bool,
    /// The situation text that was made last; begin with `Mutex::default()`.
    pub made: Mutex<Option<SituationMade>>,
    /// The drill behind a drill post, as `situation.drill` shows it.
    pub drill: Box<dyn Fn() -> Value + Send + Sync>,
}

impl Post {
    /// Titles, places and people, masked.
    pub fn frame(&self) -> Frame<'_> {
        let core = self.engine.core();
        Frame { core, playbook: &core.playbook, reach: &core.reach, sight: Sight::Masked }
    }

    /// The live twin with the breaches that are reported, if what it shows may be shown.
    pub fn live_twin(&self, state: &State) -> Option<Arc<Mirrored>> {
        live_twin::known(&self.water(), state, self.engine.now())
    }

    /// A task as lists and the stream show it, with the time that the water leaves for it.
    pub fn task(&self, frame: &Frame, task: &Task, state: &State, twin: Option<&Mirrored>) -> Value {
        let now = self.engine.now();
        let mut shape = frame.task(task, state);
        if let Some(shape) = shape.as_object_mut() {
            shape.insert("water".into(), live_twin::task_water(twin, frame, task, now));
        }
        shape
    }

    /// A request as lists and the stream show it, with what it would send at the water of the moment.
    pub fn activation(&self, asked: &Activation, state: &State) -> Value {
        let water = self.signals();
        self.frame().activation(asked, state, water.as_ref())
    }

    /// The signals of the last evaluation.
    pub fn signals(&self) -> Option<Arc<Snapshot>> {
        self.water().snapshot.clone()
    }

    /// The water as last judged.
    pub fn water(&self) -> Arc<Water> {
        self.water.get()
    }

    /// A text with the names of stations instead of their ids, and 花园口流量 instead of a series.
    pub fn with_stations(&self, text: &Words) -> Words {
        let mut words = text.clone();
        let water = self.water();
        for gauge in &water.gauges {
            let (zh, en) = match gauge.quantity.as_str() {
                "discharge" => ("流量", "discharge"),
                "stage" => ("水位", "stage"),
                "rain" => ("雨量", "rain"),
                other => (other, other),
            };
            let series = gauge.series.to_string();
            words.zh = words.zh.replace(&series, &format!("{}{zh}", gauge.name_zh));
            words.en = words.en.replace(&series, &format!("{} {en}", gauge.name_en));
        }
        // After every series: the id of a station is the beginning of its series' ids.
        for gauge in &water.gauges {
            words.zh = words.zh.replace(&gauge.station, &gauge.name_zh);
            words.en = words.en.replace(&gauge.station, &gauge.name_en);
        }
        words
    }

    /// The situation as text, made once a second of the reach and after each fact, however many screens ask.
    pub fn situation_text(&self) -> Arc<str> {
        let key = (self.engine.state().last, self.engine.now().timestamp());
        let mut made = self.made.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &*made {
            Some((known, text)) if *known == key => Arc::clone(text),
            _ => {
                let text: Arc<str> = self.situation().to_string().into();
                *made = Some((key, Arc::clone(&text)));
                text
            }
        }
    }

    /// The whole situation for HQ: level, mode, clock, gauges, links, counts.
    pub fn situation(&self) -> Value {
        let now = self.engine.now();
        let playbook = &self.engine.core().playbook;
        let state = self.engine.state();
        let water = self.water();
        let gauges: Vec<_> = water.gauges.iter().map(|gauge| gauge_shape(gauge, now)).collect();
        let links: Vec<_> = water.links.iter().map(link_shape).collect();
        let band = water.discharge_m3s().map_or("", |q| playbook.levels().band_of(q));
        let breakpoints: Vec<_> = playbook
            .levels()
            .rules()
            .iter()
            .map(|rule| json!({ "level": rule.level, "discharge_m3s": rule.observed.at_least_m3s }))
            .collect();
        let event = state
            .event
            .as_ref()
            .map(|event| json!({ "id": event.id, "opened_at": event.opened_at, "edition": event.edition }));
        let asked = state.pending.and_then(|id| state.activations.get(&id));
        let note = playbook.levels().note();
        json!({
            "scope": match self.scope { Scope::Live => "live", Scope::Drill => "drill" }, "demo": self.demo,
            "level": self.level(&state), "band": band, "mode": state.mode,
            "clock": {
                "kind": match self.clock { ClockKind::Real => "real", ClockKind::Demo => "demo", ClockKind::Drill => "drill" },
                "now": now, "speed": (self.speed)(),
            },
            "gauges": gauges, "links": links, "answer_rate": shape::answer_rate(&state),
            "tasks": shape::task_counts(&state),
            "activation": asked.map(|asked| self.frame().activation(asked, &state, water.snapshot.as_ref())),
            "event": event, "breakpoints": breakpoints,
            "playbook": {
                "edition": playbook.edition(), "instructions": playbook.instructions().len(),
                "note": { "zh": note.zh, "en": note.en },
            },
            "drill": (self.drill)(), "journal": { "last": state.last },
        })
    }

    fn level(&self, state: &State) -> Value {
        let by = state.in_force_by.and_then(|id| state.activations.get(&id));
        let (zh, en) = match by {
            Some(asked) if asked.glass_broken => (
                format!("{}；{} 单人破窗启动", asked.reason, asked.asked_by.user),
                format!("{}; put in force by {} alone", asked.reason, asked.asked_by.user),
            ),
            Some(asked) => {
                let second = asked.settled.as_ref().and_then(|(_, by)| by.as_ref()).map_or("-", |by| by.user.as_str());
                let first = &asked.asked_by.user;
                (
                    format!("{}；{first} 申请，{second} 确认", asked.reason),
                    format!("{}; asked by {first}, confirmed by {second}", asked.reason),
                )
            }
            None if state.in_force_since.is_some() => {
                ("演示预置，未经两人确认".into(), "preset of the demo, not confirmed by two".into())
            }
            None => ("未启动响应".into(), "no response in force".into()),
        };
        json!({
            "proposed": state.watch.proposed, "in_force": state.in_force, "since": state.in_force_since,
            "reason": { "zh": zh, "en": en },
            "proposed_reason": { "zh": state.proposal_reason.zh, "en": state.proposal_reason.en },
            "flapping": state.watch.flapping, "lowering": state.lowering, "prepare_for_m3s": state.prepare_for_m3s,
        })
    }
}

fn gauge_shape(gauge: &crate::command::GaugeView, now: crate::model::Timestamp) -> Value {
    let age_s = gauge.time.map(|time| (now - time).num_milliseconds().max(0) as f64 / 1000.0);
    json!({
        "station": gauge.station, "name": { "zh": gauge.name_zh, "en": gauge.name_en }, "quantity": gauge.quantity,
        "unit": gauge.unit, "datum": gauge.datum.map(crate::model::Datum::as_str), "value": gauge.value,
        "time": gauge.time, "age_s": age_s, "freshness": gauge.freshness(now),
        "quality": gauge.quality.grade, "causes": gauge.quality.causes.words(),
        "trend_per_h": gauge.trend_per_h, "interval_s": gauge.interval_s,
        "stand_in": gauge.stand_in.as_ref().map(|one| {
            json!({ "value": one.value, "time": one.at, "from": one.from, "text": { "zh": one.zh, "en": one.en } })
        }),
    })
}

fn link_shape(link: &crate::command::LinkView) -> Value {
    let state = if link.ok == link.total {
        "ok"
    } else if link.ok > 0 {
        "degraded"
    } else {
        "down"
    };
    json!({
        "name": link.name, "label": { "zh": link.label_zh, "en": link.label_en },
        "ok": link.ok, "total": link.total, "state": state,
    })
}
