//! MQTT 3.1.1 as little as a measurement needs: publishers at QoS 1, and a subscriber that only acknowledges. No client library
//! sits in the figure of the broker.

use bytes::{Buf, Bytes, BytesMut};
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONNACK: u8 = 2;
const PUBLISH: u8 = 3;
const PUBACK: u8 = 4;
const SUBACK: u8 = 9;
/// Bytes of one read.
const READ: usize = 256 << 10;

/// A connection that the broker has taken.
pub(super) struct Wire {
    stream: TcpStream,
    inbox: BytesMut,
}

impl Wire {
    /// Connects with a new session of that name.
    pub(super) async fn connect(broker: SocketAddr, name: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(broker).await?;
        stream.set_nodelay(true)?;
        let mut wire = Self { stream, inbox: BytesMut::with_capacity(READ) };
        // Protocol name and level, clean session, no keep-alive.
        let mut body = b"\x00\x04MQTT\x04\x02\x00\x00".to_vec();
        put_text(&mut body, name);
        wire.send(&packet(1 << 4, &body)).await?;
        wire.expect(CONNACK, "the broker refuses the connection", |body| body.get(1) == Some(&0)).await?;
        Ok(wire)
    }

    /// Asks for a topic at QoS 1.
    pub(super) async fn subscribe(&mut self, topic: &str) -> io::Result<()> {
        let mut body = vec![0, 1];
        put_text(&mut body, topic);
        body.push(1);
        self.send(&packet(8 << 4 | 2, &body)).await?;
        self.expect(SUBACK, "the broker refuses the topic", |body| body.get(2) == Some(&1)).await
    }

    /// Publishes all of them with at most `window` unacknowledged, and waits for the last acknowledgement.
    pub(super) async fn publish_all(&mut self, packets: &[Vec<u8>], window: usize) -> io::Result<()> {
        let (mut sent, mut acknowledged) = (0, 0);
        while acknowledged < packets.len() {
            if sent < packets.len() && sent - acknowledged <= window / 2 {
                let until = (acknowledged + window).min(packets.len());
                self.send(&packets.get(sent..until).unwrap_or_default().concat()).await?;
                sent = until;
            } else {
                self.read().await?;
            }
            while let Some((kind, _)) = self.take() {
                acknowledged += usize::from(kind == PUBACK);
            }
        }
        Ok(())
    }

    /// Takes messages and acknowledges each at once until so many have come; gives the bytes of their payloads.
    pub(super) async fn acknowledge_all(&mut self, messages: u64) -> io::Result<u64> {
        let (mut taken, mut payload, mut answers) = (0, 0, Vec::new());
        while taken < messages {
            self.read().await?;
            while let Some((kind, body)) = self.take() {
                if kind != PUBLISH {
                    continue;
                }
                let topic = body.get(..2).map_or(0, |mut length| usize::from(length.get_u16()));
                let id = body.get(2 + topic..4 + topic).ok_or_else(|| odd("a message without a number"))?;
                answers.extend_from_slice(&[PUBACK << 4, 2]);
                answers.extend_from_slice(id);
                payload += (body.len() - topic - 4) as u64;
                taken += 1;
            }
            self.send(&answers).await?;
            answers.clear();
        }
        Ok(payload)
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    async fn read(&mut self) -> io::Result<()> {
        self.inbox.reserve(READ);
        match self.stream.read_buf(&mut self.inbox).await? {
            0 => Err(odd("the broker closed the connection")),
            _ => Ok(()),
        }
    }

    /// The next whole packet that has come: its kind and what follows its length.
    fn take(&mut self) -> Option<(u8, Bytes)> {
        let (&head, mut length, mut used) = (self.inbox.first()?, 0, 1);
        for place in 0..4 {
            let byte = *self.inbox.get(used)?;
            used += 1;
            length |= usize::from(byte & 0x7F) << (7 * place);
            if byte & 0x80 == 0 {
                break;
            }
        }
        if self.inbox.len() < used + length {
            return None;
        }
        self.inbox.advance(used);
        Some((head >> 4, self.inbox.split_to(length).freeze()))
    }

    async fn expect(&mut self, kind: u8, fault: &'static str, good: impl Fn(&[u8]) -> bool) -> io::Result<()> {
        loop {
            match self.take() {
                Some((came, body)) if came == kind => return if good(&body) { Ok(()) } else { Err(odd(fault)) },
                Some(_) => {}
                None => self.read().await?,
            }
        }
    }
}

/// A message at QoS 1; numbers begin at 1.
pub(super) fn publish(topic: &str, number: u16, payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(topic.len() + payload.len() + 4);
    put_text(&mut body, topic);
    body.extend_from_slice(&number.to_be_bytes());
    body.extend_from_slice(payload);
    packet(PUBLISH << 4 | 2, &body)
}

fn packet(head: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![head];
    let mut length = body.len();
    loop {
        let more = if length > 0x7F { 0x80 } else { 0 };
        packet.push((length & 0x7F) as u8 | more);
        length >>= 7;
        if length == 0 {
            break;
        }
    }
    packet.extend_from_slice(body);
    packet
}

fn put_text(into: &mut Vec<u8>, text: &str) {
    into.extend_from_slice(&(text.len() as u16).to_be_bytes());
    into.extend_from_slice(text.as_bytes());
}

fn odd(what: &'static str) -> io::Error {
    io::Error::other(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bench_mqtt_packets_have_the_length_of_the_standard() {
        assert_eq!(packet(0xC0, &[]), [0xC0, 0]);
        assert_eq!(packet(0x32, &[7; 127])[..2], [0x32, 0x7F]);
        assert_eq!(packet(0x32, &[7; 128])[..3], [0x32, 0x80, 1]);
        assert_eq!(packet(0x32, &[7; 16_384])[..4], [0x32, 0x80, 0x80, 1]);
        assert_eq!(publish("a/b", 258, b"{}"), b"\x32\x09\x00\x03a/b\x01\x02{}");
    }
}
