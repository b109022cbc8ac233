//! Frames of the serial line (Modbus over serial line V1.02): the request as bytes, and the one answer that fits it among
//! whatever else is on the line. Pure and bounded.
//!
//! On a shared line a late answer of another unit, an echo of the own request and noise are normal, and a frame carries no
//! number that says which request it answers. So an answer counts only with the unit, the function, the length and the
//! checksum of the request; everything else is passed over.

use super::exception::Exception;
use crate::ingest::sensors::Block;
use crate::ingest::sl651::codec::crc16;

/// Longest frame.
const FRAME_MAX: usize = 256;
/// Bytes without the answer among them after which a request is given up.
const NOISE_MAX: usize = 4096;

/// What was found for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Registers, or bits as 0 and 1.
    Words(Vec<u16>),
    /// The device refuses.
    Refused(Exception),
    /// A sound frame of the unit and function with another number of registers.
    OtherLength(usize),
    /// The line never rests: nothing more is read.
    Noise,
}

/// The bytes that ask for a block.
pub fn request(unit: u8, block: &Block) -> [u8; 8] {
    let [first_high, first_low] = block.first.to_be_bytes();
    let [count_high, count_low] = block.count.to_be_bytes();
    let head = [unit, block.function.code(), first_high, first_low, count_high, count_low];
    let [crc_low, crc_high] = crc16(&head).to_le_bytes();
    let [a, b, c, d, e, f] = head;
    [a, b, c, d, e, f, crc_low, crc_high]
}

/// Looks for the answer to one request in the bytes as they come.
#[derive(Debug)]
pub struct Listener {
    unit: u8,
    block: Block,
    buffer: Vec<u8>,
    passed: usize,
}

impl Listener {
    /// Before the request is sent.
    pub fn new(unit: u8, block: &Block) -> Self {
        Self { unit, block: block.clone(), buffer: Vec::new(), passed: 0 }
    }

    /// Takes bytes in; says what was found, if anything.
    pub fn hear(&mut self, bytes: &[u8]) -> Option<Found> {
        for part in bytes.chunks(FRAME_MAX) {
            self.buffer.extend_from_slice(part);
            if let Some(found) = self.look() {
                return Some(found);
            }
        }
        (self.passed > NOISE_MAX).then_some(Found::Noise)
    }

    /// Tries every place where the answer may begin; what is longer than a frame is passed over for good.
    fn look(&mut self) -> Option<Found> {
        let found = (0..self.buffer.len()).find_map(|at| self.answer(self.buffer.get(at..)?));
        let beyond = self.buffer.len().saturating_sub(FRAME_MAX);
        self.buffer.drain(..beyond);
        self.passed += beyond;
        found
    }

    /// The answer that begins with the first of these bytes.
    fn answer(&self, bytes: &[u8]) -> Option<Found> {
        let code = self.block.function.code();
        match bytes {
            [unit, function, count, rest @ ..] if *unit == self.unit && *function == code => {
                let count = usize::from(*count);
                let payload = rest.get(..count)?;
                is_sound(bytes.get(..count + 5)?).then(|| self.words(payload))
            }
            [unit, function, exception, ..] if *unit == self.unit && *function == code | 0x80 => {
                is_sound(bytes.get(..5)?).then_some(Found::Refused(Exception(*exception)))
            }
            _ => None,
        }
    }

    fn words(&self, payload: &[u8]) -> Found {
        let asked = usize::from(self.block.count);
        if self.block.function.is_bits() {
            if payload.len() != asked.div_ceil(8) {
                return Found::OtherLength(payload.len() * 8);
            }
            let bit = |n: usize| payload.get(n / 8).map_or(0, |byte| u16::from(byte >> (n % 8) & 1));
            return Found::Words((0..asked).map(bit).collect());
        }
        if payload.len() != asked * 2 {
            return Found::OtherLength(payload.len() / 2);
        }
        let word = |two: &[u8]| two.iter().fold(0, |sum: u16, byte| sum << 8 | u16::from(*byte));
        Found::Words(payload.chunks_exact(2).map(word).collect())
    }
}

/// Whether the last two bytes are the checksum of the others, low byte first.
fn is_sound(frame: &[u8]) -> bool {
    frame.split_last_chunk::<2>().is_some_and(|(body, crc)| crc16(body) == u16::from_le_bytes(*crc))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::sensors::Function;
    use proptest::prelude::*;

    fn block(function: Function, first: u16, count: u16) -> Block {
        Block { function, first, count }
    }

    fn bytes(hex: &str) -> Vec<u8> {
        hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
    }

    /// The frame of an answer.
    fn frame(unit: u8, function: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![unit, function, payload.len() as u8];
        frame.extend(payload);
        frame.extend(crc16(&frame).to_le_bytes());
        frame
    }

    #[test]
    fn published_exchanges_of_makers() {
        let check = |unit: u8, asked: &str, answered: &str, word: u16| {
            let block = block(Function::Holding, 0, 1);
            assert_eq!(request(unit, &block).to_vec(), bytes(asked));
            assert_eq!(Listener::new(unit, &block).hear(&bytes(answered)), Some(Found::Words(vec![word])));
        };
        check(2, "02 03 00 00 00 01 84 39", "02 03 02 00 1F BD 8C", 31);
        check(1, "01 03 00 00 00 01 84 0A", "01 03 02 02 18 B9 2E", 536);
    }

    #[test]
    fn an_answer_is_found_behind_echo_noise_and_foreign_frames() {
        let block = block(Function::Holding, 0, 2);
        let mut line = vec![0x00, 0x05, 0x03];
        line.extend(request(5, &block)); // The adapter hears itself.
        line.extend(frame(7, 3, &[1, 2, 3, 4])); // Unit 7 answers an earlier question.
        line.extend(frame(5, 4, &[1, 2, 3, 4])); // The same unit, another table.
        line.extend(frame(5, 3, &[0, 1, 0, 2]));
        let mut listener = Listener::new(5, &block);
        let (last, before) = line.split_last().unwrap();
        for byte in before {
            assert_eq!(listener.hear(&[*byte]), None, "not before the last byte");
        }
        assert_eq!(listener.hear(&[*last]), Some(Found::Words(vec![1, 2])));
    }

    #[test]
    fn refusals_other_lengths_bits_and_endless_noise() {
        let asked = block(Function::Input, 106, 2);
        let mut refusal = vec![9, 0x84, 2];
        refusal.extend(crc16(&refusal).to_le_bytes());
        assert_eq!(Listener::new(9, &asked).hear(&refusal), Some(Found::Refused(Exception(2))));
        assert_eq!(Listener::new(9, &asked).hear(&frame(9, 4, &[0, 1])), Some(Found::OtherLength(1)));
        let coils = block(Function::Coil, 19, 10);
        let on = Listener::new(9, &coils).hear(&frame(9, 1, &[0b1000_0001, 0b10])).unwrap();
        assert_eq!(on, Found::Words(vec![1, 0, 0, 0, 0, 0, 0, 1, 0, 1]));
        let mut listener = Listener::new(9, &asked);
        let mut heard = None;
        for _ in 0..10_000 {
            heard = heard.or(listener.hear(&[0x55; 7]));
        }
        assert_eq!(heard, Some(Found::Noise));
        assert!(listener.buffer.len() <= 2 * FRAME_MAX);
    }

    proptest! {
        #[test]
        fn a_damaged_answer_is_never_taken(words in prop::collection::vec(any::<u16>(), 1..60), at in any::<prop::sample::Index>(), bit in 0..8u8) {
            let block = block(Function::Holding, 0, words.len() as u16);
            let payload: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            let mut answer = frame(3, 3, &payload);
            prop_assert_eq!(Listener::new(3, &block).hear(&answer), Some(Found::Words(words)));
            let at = at.index(answer.len());
            answer[at] ^= 1 << bit;
            prop_assert_eq!(Listener::new(3, &block).hear(&answer), None);
        }
    }
}
