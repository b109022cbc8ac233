//! SL 651-2014 水文监测数据通信规约, encoder and decoder: bytes in, messages out, and back.
//!
//! Pure and self-contained: no I/O, no clock (`now` is an argument), no other part of this project, so that it could be
//! a crate of its own. It never panics on what a line brings, holds at most one frame and one read per stream, and
//! never turns what it cannot read into a number. Figures in the comments are those of the standard.

mod address;
mod ascii;
mod bcd;
mod crc;
pub mod element;
mod frame;
mod framer;
mod message;
mod packets;
mod report;
mod value;

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod property_tests;

pub use address::{NotAnAddress, StationAddress, class_name, hex_bytes};
pub use bcd::Moment;
pub use crc::crc16;
pub use element::{ElementId, Known};
pub use frame::{BODY_MAX, BodyTooLong, Coding, Direction, End, FRAME_MAX, Frame, Packet, Received, Refusal};
pub use framer::Framer;
pub use message::{Line, Query, function, function_name, is_report};
pub use packets::{Assembly, PACKETS_MAX, PacketRefusal, split};
pub use report::{Group, Measured, Report, name_of};
pub use value::{BodyFault, Content, ELEMENTS_MAX, Element, Number, Void, Why};
