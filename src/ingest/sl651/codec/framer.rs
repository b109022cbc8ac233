//! Frames out of a stream of bytes: cut anywhere, several at once, garbage between.
//!
//! A frame is taken by its length and checksum alone. Where that fails the framer goes **one** byte on, because a
//! length that was hit by noise may otherwise swallow sound frames. It holds less than one frame and one read.

use super::frame::{FRAME_MAX, Frame, Received, Refusal};

/// Bytes that wait for the rest of their frame.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Bytes at the front that are done with.
    done: usize,
    skipped: u64,
    bad_crc: u64,
    bad_in_row: u32,
}

impl Framer {
    /// Takes bytes in. Call [`Self::next_frame`] until it has none before the next ones.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.done);
        self.done = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame with a right checksum; `None` when more bytes are needed.
    pub fn next_frame(&mut self) -> Option<Received> {
        loop {
            let front = self.buffer.get(self.done..).unwrap_or_default();
            let lead = front.iter().position(|byte| matches!(byte, 0x01 | 0x7e)).unwrap_or(front.len());
            self.step(lead);
            let front = self.buffer.get(self.done..).unwrap_or_default();
            if front.is_empty() {
                self.rest();
                return None;
            }
            match Frame::decode(front) {
                Ok(received) => {
                    self.done += received.length;
                    self.bad_in_row = 0;
                    return Some(received);
                }
                Err(Refusal::Incomplete { .. }) if front.len() < FRAME_MAX => {
                    self.rest();
                    return None;
                }
                Err(refusal) => {
                    if matches!(refusal, Refusal::Crc { .. }) {
                        self.bad_crc += 1;
                        self.bad_in_row = self.bad_in_row.saturating_add(1);
                    }
                    self.step(1);
                }
            }
        }
    }

    /// Gives up the frame that waits for its rest, and looks for another one byte on: for a line that fell silent.
    pub fn give_up(&mut self) {
        if self.done < self.buffer.len() {
            self.step(1);
        }
    }

    /// Bytes that wait for the rest of their frame.
    pub fn waiting(&self) -> usize {
        self.buffer.len().saturating_sub(self.done)
    }
    /// Bytes that belonged to no frame so far.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }
    /// Frames with a wrong checksum so far.
    pub fn bad_crc(&self) -> u64 {
        self.bad_crc
    }
    /// Frames with a wrong checksum since the last sound one.
    pub fn bad_in_row(&self) -> u32 {
        self.bad_in_row
    }

    fn step(&mut self, bytes: usize) {
        self.done += bytes;
        self.skipped += bytes as u64;
    }

    /// Keeps only what waits; an idle line keeps no memory.
    fn rest(&mut self) {
        if self.waiting() == 0 {
            self.buffer = Vec::new();
        } else {
            self.buffer.drain(..self.done);
        }
        self.done = 0;
    }
}
