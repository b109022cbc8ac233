//! Levels with hysteresis, instructions with three-valued conditions, preview and lint. No I/O, no clock.
