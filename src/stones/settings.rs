//! `stone-limits.toml`: from when on a stone shakes, has moved, is silent.

use serde::Deserialize;

/// Thresholds of the array. No published figures exist: these are defaults of this project.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoneSettings {
    /// A peak above this is a burst, m/s².
    pub shake_floor_ms2: f64,
    /// And above this many times the stone's own usual peak.
    pub shake_times_usual: f64,
    /// So many windows in a row make it shake, and so many quiet ones still.
    pub shake_windows: u8,
    /// Turned by this within `move_within_s`: moved, degrees.
    pub move_deg: f64,
    /// Seconds over which the turn is taken.
    pub move_within_s: f64,
    /// Away from its rest by this for `offset_for_s`: moved, degrees.
    pub offset_deg: f64,
    /// Seconds of lasting offset.
    pub offset_for_s: f64,
    /// Values in a row that must agree before a turn counts.
    pub move_values: u8,
    /// Not heard for so long: silent, seconds.
    pub silent_after_s: f64,
    /// Away from its rest by this, and by eight times its own noise, for `lean_for_s`: leaning, degrees.
    pub lean_deg: f64,
    /// Seconds of lasting lean.
    pub lean_for_s: f64,
    /// A cut so soon after a burst or a turn is a tear, seconds.
    pub torn_within_s: f64,
    /// From this discharge on the river can move stones, m³/s.
    pub fast_river_m3s: f64,
    /// From this confidence on a hazard is told, 0…1.
    pub hazard_from: f64,
    /// Without anything new for so long a hazard is over and its stones rest where they lie, seconds.
    pub hazard_holds_s: f64,
    /// So many alarmed stones on one dam within `dam_within_s` are one instability of the dam.
    pub dam_stones: usize,
    /// Seconds over which they are counted.
    pub dam_within_s: f64,
}

impl Default for StoneSettings {
    fn default() -> Self {
        Self {
            shake_floor_ms2: 0.5,
            shake_times_usual: 6.0,
            shake_windows: 3,
            move_deg: 15.0,
            move_within_s: 600.0,
            offset_deg: 8.0,
            offset_for_s: 1800.0,
            move_values: 2,
            silent_after_s: 300.0,
            lean_deg: 2.5,
            lean_for_s: 600.0,
            torn_within_s: 240.0,
            fast_river_m3s: 2500.0,
            hazard_from: 0.5,
            hazard_holds_s: 21_600.0,
            dam_stones: 3,
            dam_within_s: 1800.0,
        }
    }
}
