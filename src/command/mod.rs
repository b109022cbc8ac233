//! The deterministic core: inputs in, facts out; state is a fold over facts. No I/O, no clock.
