//! SHIM until the drill room is merged
#![allow(missing_docs)]
use crate::web::{DrillAsk, Drills, Post, Problem};
use serde_json::{Value, json};
use std::sync::Arc;
pub struct NoDrills;
#[async_trait::async_trait]
impl Drills for NoDrills {
    fn post(&self, _: &str) -> Option<Arc<Post>> {
        None
    }
    fn floods(&self) -> Value {
        json!({"items": [], "next": null})
    }
    fn list(&self) -> Value {
        json!({"items": [], "next": null})
    }
    fn get(&self, _: &str) -> Option<Value> {
        None
    }
    async fn start(&self, _: DrillAsk) -> Result<String, Problem> {
        Err(Problem::not_found("演练"))
    }
    fn pause(&self, _: &str, _: bool) -> Result<(), Problem> {
        Err(Problem::not_found("演练"))
    }
    fn speed(&self, _: &str, _: f64) -> Result<(), Problem> {
        Err(Problem::not_found("演练"))
    }
    fn stop(&self, _: &str) -> Result<(), Problem> {
        Err(Problem::not_found("演练"))
    }
    fn report(&self, _: &str) -> Option<String> {
        None
    }
}
