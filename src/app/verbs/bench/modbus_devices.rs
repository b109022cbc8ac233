//! The devices of `anlan bench modbus`: a small Modbus TCP server a gateway, which notes when it is asked.

use super::meter::Spread;
use std::error::Error;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// One device in so many is dead, one is slow.
const ONE_IN: usize = 20;

/// What the healthy devices have seen.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Seen {
    /// Requests.
    pub(super) polls: u64,
    /// Requests that a poll each second would have made.
    pub(super) due: u64,
    /// How far the time between two requests to a device is from one second, ms.
    pub(super) jitter_median_ms: f64,
    pub(super) jitter_p99_ms: f64,
    pub(super) jitter_max_ms: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Health {
    Sound,
    Slow,
    Dead,
}

fn health(device: usize) -> Health {
    match device % ONE_IN {
        7 => Health::Dead,
        13 => Health::Slow,
        _ => Health::Sound,
    }
}

/// What was noted since the last report.
struct Notes {
    since: Instant,
    last: Vec<Option<Instant>>,
    polls: u64,
    jitter_ms: Vec<f64>,
}

impl Notes {
    fn new(devices: usize) -> Self {
        Self { since: Instant::now(), last: vec![None; devices], polls: 0, jitter_ms: Vec::new() }
    }
    fn asked(&mut self, device: usize, now: Instant) {
        self.polls += 1;
        let Some(last) = self.last.get_mut(device) else { return };
        if let Some(before) = last.replace(now) {
            self.jitter_ms.push(((now - before).as_secs_f64() - 1.0).abs() * 1e3);
        }
    }
    /// The moments stay: the interval across two reports counts in the second.
    fn report(&mut self) -> Seen {
        let sound = (0..self.last.len()).filter(|device| health(*device) == Health::Sound).count();
        let spread = Spread::of(std::mem::take(&mut self.jitter_ms));
        let finite = |value: f64| if value.is_finite() { value } else { 0.0 };
        let seen = Seen {
            polls: self.polls,
            due: (sound as f64 * self.since.elapsed().as_secs_f64()) as u64,
            jitter_median_ms: finite(spread.median),
            jitter_p99_ms: finite(spread.p99),
            jitter_max_ms: finite(spread.max),
        };
        (self.since, self.polls) = (Instant::now(), 0);
        seen
    }
}

/// Listens, says the ports in one line, and reports for each line of input until there is none.
pub(super) async fn serve(gateways: u16, units: u8, slow: Duration) -> Result<(), Box<dyn Error>> {
    let devices = usize::from(gateways) * usize::from(units);
    let notes = Arc::new(Mutex::new(Notes::new(devices)));
    let mut ports = Vec::new();
    for gateway in 0..usize::from(gateways) {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        ports.push(listener.local_addr()?.port());
        let (notes, first) = (Arc::clone(&notes), gateway * usize::from(units));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, first, slow, Arc::clone(&notes)));
            }
        });
    }
    println!("{}", serde_json::to_string(&ports)?);
    std::io::stdout().flush()?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while lines.next_line().await?.is_some() {
        let seen = notes.lock().unwrap_or_else(PoisonError::into_inner).report();
        println!("{}", serde_json::to_string(&seen)?);
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// One request after another, as a gateway does.
async fn answer(mut stream: TcpStream, first: usize, slow: Duration, notes: Arc<Mutex<Notes>>) {
    let _ = stream.set_nodelay(true);
    let mut asked = [0u8; 12];
    while stream.read_exact(&mut asked).await.is_ok() {
        let now = Instant::now();
        let [a, b, _, _, _, _, unit, function, _, _, high, low] = asked;
        let device = first + usize::from(unit.saturating_sub(1));
        match health(device) {
            Health::Dead => continue,
            Health::Slow => tokio::time::sleep(slow).await,
            Health::Sound => notes.lock().unwrap_or_else(PoisonError::into_inner).asked(device, now),
        }
        let count = u16::from_be_bytes([high, low]).min(125);
        let bytes = (count * 2) as u8;
        let length = (u16::from(bytes) + 3).to_be_bytes();
        let mut frame = vec![a, b, 0, 0, length[0], length[1], unit, function, bytes];
        frame.extend((0..count).flat_map(u16::to_be_bytes));
        if stream.write_all(&frame).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bench_modbus_notes_tell_the_jitter_of_sound_devices() {
        let mut notes = Notes::new(40);
        let begin = Instant::now();
        for second in 0..10_u64 {
            notes.asked(0, begin + Duration::from_millis(second * 1000));
            notes.asked(1, begin + Duration::from_millis(second * 1000 + second % 2 * 50));
        }
        let seen = notes.report();
        assert_eq!(seen.polls, 20);
        assert!(seen.jitter_median_ms.abs() < 1e-6 || (seen.jitter_median_ms - 50.0).abs() < 1e-6, "{seen:?}");
        assert!((seen.jitter_max_ms - 50.0).abs() < 1e-6);
        let (sound, dead) = (0..1000).fold((0, 0), |(sound, dead), device| match health(device) {
            Health::Sound => (sound + 1, dead),
            Health::Dead => (sound, dead + 1),
            Health::Slow => (sound, dead),
        });
        assert_eq!((sound, dead), (900, 50));
    }
}
