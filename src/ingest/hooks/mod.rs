//! Events of video analysis and other systems, pushed by webhook (视频与 AI 事件).
//!
//! In: a signed JSON event and the site's map (`hooks.toml`). Out: what the map makes of it: a reading, a signal of the trigger
//! language at a place, or a report that a person looks at. An event is never an order. It refuses what is unsigned, old,
//! or from a source that the map does not name, and a time that is none; an event that no rule fits is counted and changes nothing.

mod map;
mod sign;

pub use map::{Action, HookMap, HookSource, NoMoment};
pub use sign::{HookSecret, SignFault, Signed};
