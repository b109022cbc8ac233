//! How dangerous water is to people, vehicles and buildings: six classes by depth and depth × speed.
//!
//! Bounds: Australian Institute for Disaster Resilience, Guideline 7-3 "Flood Hazard" (2017), table 2, after Smith, Davey &
//! Cox, "Flood Hazard", WRL Technical Report 2014/07, University of New South Wales.

use serde::{Deserialize, Serialize};

/// A class of the guideline; dry ground is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HazardClass {
    /// Generally safe for people, vehicles and buildings.
    H1,
    /// Unsafe for small vehicles.
    H2,
    /// Unsafe for vehicles, children and the elderly.
    H3,
    /// Unsafe for people and vehicles.
    H4,
    /// Unsafe for people and vehicles; buildings may be damaged.
    H5,
    /// Unsafe for people and vehicles; all buildings may fail.
    H6,
}

/// Class, highest depth × speed (m²/s), highest depth (m), highest speed (m/s).
const BOUNDS: [(HazardClass, f64, f64, f64); 5] = [
    (HazardClass::H1, 0.3, 0.3, 2.0),
    (HazardClass::H2, 0.6, 0.5, 2.0),
    (HazardClass::H3, 0.6, 1.2, 2.0),
    (HazardClass::H4, 1.0, 2.0, 2.0),
    (HazardClass::H5, 4.0, 4.0, 4.0),
];

impl HazardClass {
    /// The class of a depth (m), a speed (m/s) and the product that occurred with them (m²/s); `None` below 0.05 m.
    pub fn of(depth_m: f64, speed_ms: f64, product_m2s: f64) -> Option<Self> {
        if depth_m < f64::from(super::ARRIVAL_DEPTH_M) {
            return None;
        }
        let fits = |(_, product, depth, speed): &&(Self, f64, f64, f64)| {
            product_m2s <= *product && depth_m <= *depth && speed_ms <= *speed
        };
        Some(BOUNDS.iter().find(fits).map_or(Self::H6, |(class, ..)| *class))
    }

    /// For screens.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::H1 => ("可涉水", "passable with care"),
            Self::H2 => ("小车不可行", "unsafe for small vehicles"),
            Self::H3 => ("车辆、老幼不可行", "unsafe for vehicles, children, the elderly"),
            Self::H4 => ("人车不可行", "unsafe for people and vehicles"),
            Self::H5 => ("房屋可能受损", "buildings may be damaged"),
            Self::H6 => ("房屋可能倒塌", "buildings may fail"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hazard_classes_follow_the_guideline() {
        let check = |depth: f64, speed: f64, expected: Option<HazardClass>| {
            assert_eq!(HazardClass::of(depth, speed, depth * speed), expected, "{depth} m, {speed} m/s");
        };
        check(0.04, 3.0, None);
        check(0.3, 0.5, Some(HazardClass::H1));
        check(0.2, 2.1, Some(HazardClass::H5));
        check(0.5, 1.0, Some(HazardClass::H2));
        check(1.2, 0.1, Some(HazardClass::H3));
        check(1.9, 0.1, Some(HazardClass::H4));
        check(3.0, 0.2, Some(HazardClass::H5));
        check(4.1, 0.0, Some(HazardClass::H6));
        check(2.0, 2.1, Some(HazardClass::H6));
    }
}
