//! SHIM
#![allow(missing_docs)]
use crate::model::{Observation, Timestamp};
#[derive(Debug, Clone)]
pub struct Point { pub at: Timestamp, pub q_m3s: f64, pub low_m3s: f64, pub high_m3s: f64 }
#[derive(Debug, Clone)]
pub struct Forecast { pub issued_at: Timestamp, pub method_zh: String, pub method_en: String, pub points: Vec<Point> }
#[derive(Debug, Clone, Default)]
pub struct Forecaster;
impl Forecaster {
    pub fn observe(&mut self, _: &Observation) {}
    pub fn forecast(&self, _: Timestamp) -> Option<Forecast> { None }
}
