//! One frame (报文帧): from start characters to checksum, in both codings, up and down.
//!
//! Out goes a [`Frame`] whose checksum was right, or a [`Refusal`] that says whether more bytes could help. What the
//! body means is not looked at here.

use super::address::{StationAddress, hex_bytes, hex_number};
use super::crc::crc16;
use std::fmt::Write;

/// Most bytes between the start of the body and the end character.
pub const BODY_MAX: usize = 4095;
/// Most bytes of one frame on the line, in either coding.
pub const FRAME_MAX: usize = ASCII_OVERHEAD + BODY_MAX;
const HEX_OVERHEAD: usize = 17;
const ASCII_OVERHEAD: usize = 29;
const STX: u8 = 0x02;
const SYN: u8 = 0x16;
const SOH: u8 = 0x01;
const START: u8 = 0x7e;

/// How the bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// HEX/BCD, start 7E7E.
    Hex,
    /// ASCII, start SOH.
    Ascii,
}

/// Which way a frame goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// 上行: station to centre.
    Up,
    /// 下行: centre to station.
    Down,
}

/// The character that ends a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// Nothing more follows.
    Etx,
    /// More packets follow.
    Etb,
    /// End of a query.
    Enq,
    /// Acknowledged, the station may leave the line.
    Eot,
    /// Acknowledged, more will follow.
    Ack,
    /// The named packet is wanted again.
    Nak,
    /// Acknowledged, stay on the line.
    Esc,
}

impl End {
    const ALL: [(u8, Self); 7] = [
        (0x03, Self::Etx),
        (0x17, Self::Etb),
        (0x05, Self::Enq),
        (0x04, Self::Eot),
        (0x06, Self::Ack),
        (0x15, Self::Nak),
        (0x1b, Self::Esc),
    ];
    fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|(code, _)| *code == byte).map(|(_, end)| end)
    }
    /// The byte on the line.
    pub fn byte(self) -> u8 {
        Self::ALL.into_iter().find(|(_, end)| *end == self).map_or(0x03, |(code, _)| code)
    }
}

/// Place of a packet in a message of several (M3); both from 1 to 4095.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Packet {
    /// How many packets the message has.
    pub total: u16,
    /// Which one this is.
    pub sequence: u16,
}

/// One frame whose checksum was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// HEX/BCD or ASCII.
    pub coding: Coding,
    /// Up or down.
    pub direction: Direction,
    /// Centre address (中心站地址), 0 and 255 occur.
    pub centre: u8,
    /// Station.
    pub station: StationAddress,
    /// Two bytes in clear; no security.
    pub password: u16,
    /// Function code (功能码).
    pub function: u8,
    /// Place in a message of several packets.
    pub packet: Option<Packet>,
    /// The body without the packet bytes, at most [`BODY_MAX`] with them.
    pub body: Vec<u8>,
    /// The end character.
    pub end: End,
}

/// A whole frame from a line, with what it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The frame.
    pub frame: Frame,
    /// Its checksum.
    pub crc: u16,
    /// Bytes on the line.
    pub length: usize,
}

/// Why bytes are no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The frame is not whole yet.
    #[error("the frame is cut: {have} bytes are here, at least {need} are needed (报文不完整)")]
    Incomplete {
        /// Bytes at hand.
        have: usize,
        /// Bytes needed, as far as can be told.
        need: usize,
    },
    /// It does not begin or go on like a frame.
    #[error("byte {offset}: {what} (不是 SL 651 报文)")]
    NotAFrame {
        /// Where, from 0.
        offset: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The checksum is wrong.
    #[error("wrong CRC: the frame says {said:04X}, its bytes give {computed:04X} (CRC 校验错误，不予应答)")]
    Crc {
        /// In the frame.
        said: u16,
        /// Over its bytes.
        computed: u16,
    },
}

/// A body that no frame can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a body of {bytes} bytes does not fit into a frame, at most {max} do (正文过长，须分包)")]
pub struct BodyTooLong {
    /// Bytes of the body.
    pub bytes: usize,
    /// Bytes that fit.
    pub max: usize,
}

/// The fields between the start and the body, read but not yet trusted.
struct Head {
    direction: Direction,
    centre: u8,
    station: StationAddress,
    password: u16,
    function: u8,
    length: usize,
    several: bool,
}

impl Frame {
    /// Reads the frame that `bytes` begin with.
    ///
    /// # Errors
    /// When they begin with none, or not yet with a whole one.
    pub fn decode(bytes: &[u8]) -> Result<Received, Refusal> {
        match bytes {
            [SOH, ..] => decode_ascii(bytes),
            [START, START, ..] | [START] => decode_hex(bytes),
            [] => Err(Refusal::Incomplete { have: 0, need: HEX_OVERHEAD }),
            _ => Err(Refusal::NotAFrame { offset: 0, what: "no start character (7E7E or 01)" }),
        }
    }

    /// The bytes of the frame for the line.
    ///
    /// # Errors
    /// When the body is longer than a frame can be.
    pub fn encode(&self) -> Result<Vec<u8>, BodyTooLong> {
        match self.coding {
            Coding::Hex => self.encode_hex(),
            Coding::Ascii => self.encode_ascii(),
        }
    }

    fn length_field(&self, packet_bytes: usize) -> Result<u16, BodyTooLong> {
        let bytes = self.body.len() + self.packet.map_or(0, |_| packet_bytes);
        let length = u16::try_from(bytes).ok().filter(|length| usize::from(*length) <= BODY_MAX);
        let length = length.ok_or(BodyTooLong { bytes, max: BODY_MAX })?;
        Ok(length | if self.direction == Direction::Down { 0x8000 } else { 0 })
    }

    fn encode_hex(&self) -> Result<Vec<u8>, BodyTooLong> {
        let length = self.length_field(3)?;
        let mut out = Vec::with_capacity(HEX_OVERHEAD + self.body.len() + 3);
        out.extend([START, START]);
        if self.direction == Direction::Up {
            out.push(self.centre);
        }
        out.extend(self.station.0);
        if self.direction == Direction::Down {
            out.push(self.centre);
        }
        out.extend(self.password.to_be_bytes());
        out.push(self.function);
        out.extend(length.to_be_bytes());
        match self.packet {
            None => out.push(STX),
            Some(packet) => {
                out.push(SYN);
                let both = u32::from(packet.total & 0xfff) << 12 | u32::from(packet.sequence & 0xfff);
                let [_, bytes @ ..] = both.to_be_bytes();
                out.extend(bytes);
            }
        }
        out.extend_from_slice(&self.body);
        out.push(self.end.byte());
        out.extend(crc16(&out).to_be_bytes());
        Ok(out)
    }

    fn encode_ascii(&self) -> Result<Vec<u8>, BodyTooLong> {
        let length = self.length_field(6)?;
        let mut text = String::with_capacity(32);
        // Writing into a text cannot fail.
        let _ = match self.direction {
            Direction::Up => write!(text, "{:02X}{}", self.centre, self.station),
            Direction::Down => write!(text, "{}{:02X}", self.station, self.centre),
        };
        let _ = write!(text, "{:04X}{:02X}{length:04X}", self.password, self.function);
        let mut out = vec![SOH];
        out.extend_from_slice(text.as_bytes());
        match self.packet {
            None => out.push(STX),
            Some(packet) => {
                out.push(SYN);
                let both = format!("{:03X}{:03X}", packet.total & 0xfff, packet.sequence & 0xfff);
                out.extend_from_slice(both.as_bytes());
            }
        }
        out.extend_from_slice(&self.body);
        out.push(self.end.byte());
        out.extend_from_slice(format!("{:04X}", crc16(&out)).as_bytes());
        Ok(out)
    }
}

fn decode_hex(bytes: &[u8]) -> Result<Received, Refusal> {
    let cut = |need| Refusal::Incomplete { have: bytes.len(), need };
    let Some(&[_, _, a, b, c, d, e, f, high, low, function, long, short, start]) = bytes.first_chunk() else {
        return Err(cut(HEX_OVERHEAD));
    };
    let (direction, centre, station) = match long >> 4 {
        0 => (Direction::Up, a, [b, c, d, e, f]),
        8 => (Direction::Down, f, [a, b, c, d, e]),
        _ => return Err(Refusal::NotAFrame { offset: 11, what: "direction is neither 0 (up) nor 8 (down)" }),
    };
    let several = body_start(start, 13)?;
    let head = Head {
        direction,
        centre,
        station: StationAddress(station),
        password: u16::from_be_bytes([high, low]),
        function,
        length: usize::from(long & 15) << 8 | usize::from(short),
        several,
    };
    let whole = HEX_OVERHEAD + head.length;
    let frame = bytes.get(..whole).ok_or_else(|| cut(whole))?;
    let [summed @ .., high, low] = frame else { return Err(cut(whole)) };
    let (said, computed) = (u16::from_be_bytes([*high, *low]), crc16(summed));
    if said != computed {
        return Err(Refusal::Crc { said, computed });
    }
    let (packet, body) = match (head.several, summed.get(14..)) {
        (false, Some([body @ .., _])) => (None, body),
        (true, Some([x, y, z, body @ .., _])) => {
            let total = u16::from(*x) << 4 | u16::from(y >> 4);
            (Some(Packet { total, sequence: u16::from(y & 15) << 8 | u16::from(*z) }), body)
        }
        _ => return Err(Refusal::NotAFrame { offset: 14, what: "SYN, but no packet number" }),
    };
    head.received(Coding::Hex, packet, body, summed, said)
}

fn decode_ascii(bytes: &[u8]) -> Result<Received, Refusal> {
    let cut = |need| Refusal::Incomplete { have: bytes.len(), need };
    let wrong = |offset, what| Refusal::NotAFrame { offset, what };
    // Any character before the body that is no hexadecimal digit tells at once that this is no frame.
    let seen = bytes.get(1..bytes.len().min(23)).unwrap_or_default();
    if let Some(at) = seen.iter().position(|c| !c.is_ascii_hexdigit()) {
        return Err(wrong(at + 1, "not a hexadecimal character"));
    }
    let Some((text, &[start])) = bytes.get(1..24).and_then(|head| head.split_last_chunk()) else {
        return Err(cut(ASCII_OVERHEAD));
    };
    let several = body_start(start, 23)?;
    let number = |from: usize, to: usize| text.get(from..to).and_then(hex_number);
    let length = number(18, 22).ok_or(wrong(19, "no length"))?;
    let (direction, centre, station) = match length >> 12 {
        0 => (Direction::Up, number(0, 2), text.get(2..12)),
        8 => (Direction::Down, number(10, 12), text.get(0..10)),
        _ => return Err(wrong(19, "direction is neither 0 (up) nor 8 (down)")),
    };
    let byte = |number: Option<u32>| number.and_then(|number| u8::try_from(number).ok());
    let head = Head {
        direction,
        centre: byte(centre).ok_or(wrong(1, "no centre address"))?,
        station: station.and_then(StationAddress::of_text).ok_or(wrong(1, "no station address"))?,
        password: number(12, 16).and_then(|number| u16::try_from(number).ok()).ok_or(wrong(13, "no password"))?,
        function: byte(number(16, 18)).ok_or(wrong(17, "no function code"))?,
        length: usize::try_from(length & 0xfff).unwrap_or(0),
        several,
    };
    let whole = ASCII_OVERHEAD + head.length;
    let frame = bytes.get(..whole).ok_or_else(|| cut(whole))?;
    let (summed, crc) = frame.split_last_chunk::<4>().ok_or_else(|| cut(whole))?;
    let said = hex_bytes(crc).and_then(|crc| crc.try_into().ok()).map(u16::from_be_bytes);
    let said = said.ok_or(wrong(whole - 4, "the checksum is no hexadecimal number"))?;
    let computed = crc16(summed);
    if said != computed {
        return Err(Refusal::Crc { said, computed });
    }
    let rest = summed.get(24..).and_then(|rest| rest.split_last()).map_or(&[][..], |(_, body)| body);
    let (packet, body) = if head.several {
        let (numbers, body) = rest.split_at_checked(6).ok_or(wrong(24, "SYN, but no packet number"))?;
        let both = hex_number(numbers).ok_or(wrong(24, "the packet number is no hexadecimal number"))?;
        let half = |number: u32| u16::try_from(number & 0xfff).unwrap_or(0);
        (Some(Packet { total: half(both >> 12), sequence: half(both) }), body)
    } else {
        (None, rest)
    };
    head.received(Coding::Ascii, packet, body, summed, said)
}

/// Whether several packets follow the start character of the body.
fn body_start(start: u8, offset: usize) -> Result<bool, Refusal> {
    match start {
        STX => Ok(false),
        SYN => Ok(true),
        _ => Err(Refusal::NotAFrame { offset, what: "the body begins with neither STX nor SYN" }),
    }
}

impl Head {
    fn received(
        self,
        coding: Coding,
        packet: Option<Packet>,
        body: &[u8],
        summed: &[u8],
        crc: u16,
    ) -> Result<Received, Refusal> {
        let offset = summed.len().saturating_sub(1);
        let end = summed.last().copied().and_then(End::of);
        let end = end.ok_or(Refusal::NotAFrame { offset, what: "no end character after the body" })?;
        let length = summed.len() + if coding == Coding::Hex { 2 } else { 4 };
        let frame = Frame {
            coding,
            direction: self.direction,
            centre: self.centre,
            station: self.station,
            password: self.password,
            function: self.function,
            packet,
            body: body.to_vec(),
            end,
        };
        Ok(Received { frame, crc, length })
    }
}
