//! SHIM
#![allow(missing_docs)]
use crate::model::{Observation, PlaceId, Timestamp};
use crate::playbook::StoneState;
use std::collections::BTreeMap;
#[derive(Debug, Clone, Default)]
pub struct StoneArray;
impl StoneArray {
    pub fn observe(&mut self, _: &Observation) {}
    pub fn drain_changes(&mut self, _: Timestamp) -> Vec<(PlaceId, String, StoneState)> { Vec::new() }
    pub fn words(&self, _: Timestamp) -> BTreeMap<String, &'static str> { BTreeMap::new() }
}
