//! What was last said of the causes that an alarm of silence may have.
//!
//! In: a cause and whether it is silent or failing now. Out: whether that is news for the core. Nothing is known of a cause
//! before it is first spoken of, so its first state is news in any case: an alarm of an earlier run of the server may still
//! be open, and the core drops, without a trace, what changes nothing.

use std::collections::BTreeMap;

/// The last word on each cause since the start.
#[derive(Debug, Clone, Default)]
pub struct LastWord {
    silent: BTreeMap<String, bool>,
}

impl LastWord {
    /// Takes a state in; whether it differs from the last word, or is the first one.
    pub fn is_news(&mut self, cause: &str, silent: bool) -> bool {
        match self.silent.get_mut(cause) {
            Some(last) => std::mem::replace(last, silent) != silent,
            None => self.silent.insert(cause.to_owned(), silent).is_none(),
        }
    }
    /// Causes that were called silent last.
    pub fn silent(&self) -> impl Iterator<Item = &String> {
        self.silent.iter().filter(|(_, silent)| **silent).map(|(cause, _)| cause)
    }
}
