//! Messages of several packets (M3): cut into packets, put together again with a list of what is missing.
//!
//! Bounded: a message has at most [`PACKETS_MAX`] packets and as many bytes as its owner allows.

use super::frame::Packet;
use std::collections::BTreeMap;

/// Most packets that the field has room for.
pub const PACKETS_MAX: u16 = 4095;

/// A message of which some packets are here.
#[derive(Debug, Clone)]
pub struct Assembly {
    total: u16,
    parts: BTreeMap<u16, Vec<u8>>,
    bytes: usize,
    bytes_max: usize,
}

/// Why a packet was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketRefusal {
    /// Number 0, or beyond the total.
    #[error("packet {sequence} of {total} cannot be (包序号错误)")]
    Impossible {
        /// Its number.
        sequence: u16,
        /// Of how many.
        total: u16,
    },
    /// Another total than the packets before.
    #[error("the message has {known} packets, this one says {said} (总包数不一致)")]
    OtherMessage {
        /// Of the packets before.
        known: u16,
        /// Of this one.
        said: u16,
    },
    /// The message is longer than allowed.
    #[error("the message is longer than {bytes_max} bytes (报文过大)")]
    TooLong {
        /// The limit.
        bytes_max: usize,
    },
}

impl Assembly {
    /// Begins a message of `total` packets that may hold `bytes_max` bytes.
    ///
    /// # Errors
    /// When the total cannot be.
    pub fn new(total: u16, bytes_max: usize) -> Result<Self, PacketRefusal> {
        if (1..=PACKETS_MAX).contains(&total) {
            Ok(Self { total, parts: BTreeMap::new(), bytes: 0, bytes_max })
        } else {
            Err(PacketRefusal::Impossible { sequence: 0, total })
        }
    }

    /// Takes a packet; the first of two with one number stays. Says whether it was new.
    ///
    /// # Errors
    /// When the packet does not belong to this message or is too much.
    pub fn take(&mut self, packet: Packet, body: &[u8]) -> Result<bool, PacketRefusal> {
        let Packet { total, sequence } = packet;
        if total != self.total {
            return Err(PacketRefusal::OtherMessage { known: self.total, said: total });
        }
        if !(1..=total).contains(&sequence) {
            return Err(PacketRefusal::Impossible { sequence, total });
        }
        if self.parts.contains_key(&sequence) {
            return Ok(false);
        }
        if self.bytes + body.len() > self.bytes_max {
            return Err(PacketRefusal::TooLong { bytes_max: self.bytes_max });
        }
        self.bytes += body.len();
        self.parts.insert(sequence, body.to_vec());
        Ok(true)
    }

    /// Numbers that are not here, ascending.
    pub fn missing(&self) -> impl Iterator<Item = u16> {
        (1..=self.total).filter(|sequence| !self.parts.contains_key(sequence))
    }
    /// Whether the last packet is here, so that gaps can be asked for.
    pub fn has_last(&self) -> bool {
        self.parts.contains_key(&self.total)
    }
    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
    /// Packets of the message.
    pub fn total(&self) -> u16 {
        self.total
    }
    /// The whole body, once nothing is missing.
    pub fn whole(&self) -> Option<Vec<u8>> {
        (self.parts.len() == usize::from(self.total)).then(|| self.parts.values().flatten().copied().collect())
    }
}

/// Cuts a body into packets of at most `size` bytes; `None` if there would be more than [`PACKETS_MAX`] or `size` is 0.
pub fn split(body: &[u8], size: usize) -> Option<Vec<(Packet, &[u8])>> {
    if size == 0 {
        return None;
    }
    let total = u16::try_from(body.len().div_ceil(size).max(1)).ok().filter(|total| *total <= PACKETS_MAX)?;
    let mut rest = body;
    let mut cut = || {
        let (part, after) = rest.split_at(rest.len().min(size));
        rest = after;
        part
    };
    Some((1..=total).map(|sequence| (Packet { total, sequence }, cut())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sl651_packets_in_any_order_twice_and_missing() {
        let body: Vec<u8> = (0..=255).collect();
        let packets = split(&body, 100).unwrap();
        assert_eq!(packets.len(), 3);
        let mut assembly = Assembly::new(3, 1000).unwrap();
        for (packet, part) in packets.iter().rev().filter(|(packet, _)| packet.sequence != 2) {
            assert_eq!(assembly.take(*packet, part), Ok(true));
            assert_eq!(assembly.take(*packet, part), Ok(false));
        }
        assert!(assembly.has_last());
        assert_eq!((assembly.missing().collect::<Vec<_>>(), assembly.whole()), (vec![2], None));
        assert_eq!(assembly.take(packets[1].0, packets[1].1), Ok(true));
        assert_eq!(assembly.whole(), Some(body));
    }

    #[test]
    fn sl651_packets_that_cannot_be() {
        let mut assembly = Assembly::new(2, 10).unwrap();
        let packet = |total, sequence| Packet { total, sequence };
        assert!(matches!(assembly.take(packet(2, 0), b""), Err(PacketRefusal::Impossible { .. })));
        assert!(matches!(assembly.take(packet(2, 3), b""), Err(PacketRefusal::Impossible { .. })));
        assert!(matches!(assembly.take(packet(3, 1), b""), Err(PacketRefusal::OtherMessage { .. })));
        assert!(matches!(assembly.take(packet(2, 1), &[0; 11]), Err(PacketRefusal::TooLong { .. })));
        assert!(Assembly::new(0, 10).is_err());
        assert!(Assembly::new(4096, 10).is_err());
        assert_eq!(split(&[0; 4096], 1), None);
        assert_eq!(split(&[], 1).map(|packets| packets.len()), Some(1));
    }
}
