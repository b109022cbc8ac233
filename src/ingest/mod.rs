//! Readings from devices: one folder per protocol.
