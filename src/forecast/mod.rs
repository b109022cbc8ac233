//! What the upstream gauges say about the next hours at Huayuankou: lag and attenuation. No I/O, no clock.
