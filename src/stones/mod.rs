//! Smart-stone states from tilt, shake and line readings. No I/O, no clock.
