//! What comes in from the field: real devices, brokers, stations and clients, well-behaved and not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/fault_proxy.rs"]
mod fault_proxy;
mod field_chain;
mod intake;
mod modbus_peers;
mod modbus_poller;
mod mqtt_broker;
mod sl651_cli;
mod sl651_field;
mod sl651_server;
mod sl651_serving;
mod support;
