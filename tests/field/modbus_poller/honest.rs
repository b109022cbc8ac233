//! A device that tells the truth: the word at every address says which unit and which address it is.

use anlan::ingest::sl651::codec::crc16;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

/// The word at an address of a unit.
pub fn word(unit: u8, address: u16) -> u16 {
    u16::from(unit) << 8 | (address & 0xff)
}

/// What a request asks, as a device sees it.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// From 0, over all connections.
    pub number: usize,
    pub unit: u8,
    pub function: u8,
    pub first: u16,
    pub count: u16,
}

/// How the device answers.
#[derive(Debug, Clone)]
pub enum Answer {
    Truth,
    /// The truth, after a while.
    Late(Duration),
    Words(Vec<u16>),
    Bits(Vec<u8>),
    Refuse(u8),
    /// On a line with checksums: these bytes, then the truth.
    Behind(Vec<u8>),
}

impl Asked {
    fn pdu(&self, answer: &Answer) -> Vec<u8> {
        let bytes = match answer {
            Answer::Refuse(code) => return vec![self.function | 0x80, *code],
            Answer::Words(words) => words.iter().flat_map(|word| word.to_be_bytes()).collect(),
            Answer::Bits(bytes) => bytes.clone(),
            _ => (0..self.count).flat_map(|n| word(self.unit, self.first + n).to_be_bytes()).collect::<Vec<u8>>(),
        };
        let mut pdu = vec![self.function, u8::try_from(bytes.len()).unwrap()];
        pdu.extend(bytes);
        pdu
    }
}

/// A frame of the serial line.
pub fn rtu_frame(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = vec![unit];
    frame.extend(pdu);
    frame.extend(crc16(&frame).to_le_bytes());
    frame
}

/// Serves one connection by header (Modbus TCP) or by checksum (RTU).
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    is_rtu: bool,
    requests: Arc<AtomicUsize>,
    act: Arc<impl Fn(Asked) -> Answer>,
) {
    let mut head = [0u8; 12];
    let length = if is_rtu { 8 } else { 12 };
    while stream.read_exact(&mut head[..length]).await.is_ok() {
        let at = if is_rtu { 0 } else { 6 };
        if is_rtu {
            assert_eq!(crc16(&head[..6]).to_le_bytes(), head[6..8], "the request has a right checksum");
        }
        let two = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        let asked = Asked {
            number: requests.fetch_add(1, Ordering::SeqCst),
            unit: head[at],
            function: head[at + 1],
            first: two(at + 2),
            count: two(at + 4),
        };
        let answer = act(asked);
        let mut out = Vec::new();
        match &answer {
            Answer::Late(late) => tokio::time::sleep(*late).await,
            Answer::Behind(bytes) => out.extend(bytes),
            _ => {}
        }
        let pdu = asked.pdu(&answer);
        if is_rtu {
            out.extend(rtu_frame(asked.unit, &pdu));
        } else {
            out.extend(&head[..4]);
            out.extend(u16::try_from(pdu.len() + 1).unwrap().to_be_bytes());
            out.push(asked.unit);
            out.extend(pdu);
        }
        if stream.write_all(&out).await.is_err() {
            return;
        }
    }
}

/// Listens; counts connections and requests.
pub async fn device(
    is_rtu: bool,
    act: impl Fn(Asked) -> Answer + Send + Sync + 'static,
) -> (SocketAddr, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (connections, requests, act) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(act));
    let (counted, asked) = (Arc::clone(&connections), Arc::clone(&requests));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(stream, is_rtu, Arc::clone(&asked), Arc::clone(&act)));
        }
    });
    (address, connections, requests)
}
