//! The network side: TCP connections and UDP datagrams, each bounded in number, time and bytes.

use super::codec::{Frame, Framer, Received, StationAddress};
use super::finish::Finish;
use super::station::{Peer, Route};
use super::{Sl651Limits, desk::Desk};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Bytes of one read.
const READ: usize = 16 << 10;
/// Datagrams that are looked at together.
const DATAGRAMS: usize = 64;
/// Largest datagram looked at; a frame is far shorter.
const DATAGRAM_MAX: usize = 8 << 10;
/// A station that does not take an answer within this is cut off.
const WRITE: Duration = Duration::from_secs(10);
/// Questions that may wait for one connection.
const QUESTIONS: usize = 4;

/// One port for TCP and UDP; for port 0 the one that the system chose for TCP.
pub(super) async fn bind(address: SocketAddr) -> io::Result<(TcpListener, UdpSocket)> {
    let listener = TcpListener::bind(address).await?;
    let socket = UdpSocket::bind(listener.local_addr()?).await?;
    Ok((listener, socket))
}

/// Takes connections until `stop`.
pub(super) async fn tcp(listener: TcpListener, finish: Arc<Finish>, limits: Sl651Limits, stop: CancellationToken) {
    let free = Arc::new(Semaphore::new(limits.connections));
    let limits = Arc::new(limits);
    let mut open = JoinSet::new();
    let mut number = 0;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
            Some(_) = open.join_next(), if !open.is_empty() => continue,
        };
        match accepted {
            Ok((stream, from)) => {
                let Ok(permit) = Arc::clone(&free).try_acquire_owned() else {
                    finish.desk.counts().turned_away.one();
                    continue; // Dropping the stream closes it.
                };
                finish.desk.counts().connections.one();
                number += 1;
                let _ = stream.set_nodelay(true);
                let peer = Peer::Tcp(number, from);
                let connection = Connection::new(stream, peer, Arc::clone(&finish), Arc::clone(&limits));
                open.spawn(connection.serve(permit, stop.clone()));
            }
            Err(cause) => {
                tracing::warn!(%cause, "不能接受遥测连接 (cannot accept a connection)");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
    // Messages on their way to the disk are finished and answered.
    while tokio::time::timeout(WRITE, open.join_next()).await.is_ok_and(|ended| ended.is_some()) {}
}

struct Connection {
    stream: TcpStream,
    peer: Peer,
    finish: Arc<Finish>,
    limits: Arc<Sl651Limits>,
    framer: Framer,
    last_byte: Instant,
    /// Since when the front of a frame waits for its rest.
    partial_since: Option<Instant>,
    /// Stations heard on this connection; a relay speaks for a few.
    stations: Vec<StationAddress>,
    /// When to ask again for packets of an unfinished message, and whose.
    remind: Option<(Instant, StationAddress)>,
    questions: (mpsc::Sender<Vec<u8>>, mpsc::Receiver<Vec<u8>>),
}

enum Woken {
    Readable(io::Result<()>),
    Question(Vec<u8>),
    Time,
    Stop,
}

impl Connection {
    fn new(stream: TcpStream, peer: Peer, finish: Arc<Finish>, limits: Arc<Sl651Limits>) -> Self {
        Self {
            stream,
            peer,
            finish,
            limits,
            framer: Framer::default(),
            last_byte: Instant::now(),
            partial_since: None,
            stations: Vec::new(),
            remind: None,
            questions: mpsc::channel(QUESTIONS),
        }
    }

    fn desk(&self) -> &Desk {
        &self.finish.desk
    }

    /// Serves until the station leaves, is silent too long, sends only noise, or `stop`.
    async fn serve(mut self, _permit: OwnedSemaphorePermit, stop: CancellationToken) {
        while self.turn(&stop).await.is_ok_and(|goes_on| goes_on) {}
        for station in &self.stations {
            self.desk().leave(*station, self.peer);
        }
    }

    fn wake_at(&self) -> Instant {
        let idle = self.last_byte + self.limits.idle;
        let partial = self.partial_since.map(|since| since + self.limits.partial);
        let remind = self.remind.map(|(at, _)| at);
        [Some(idle), partial, remind].into_iter().flatten().min().unwrap_or(idle)
    }

    async fn turn(&mut self, stop: &CancellationToken) -> io::Result<bool> {
        let wake = self.wake_at();
        let woken = tokio::select! {
            ready = self.stream.readable() => Woken::Readable(ready),
            Some(bytes) = self.questions.1.recv() => Woken::Question(bytes),
            () = tokio::time::sleep_until(wake.into()) => Woken::Time,
            () = stop.cancelled() => Woken::Stop,
        };
        match woken {
            Woken::Stop => Ok(false),
            Woken::Question(bytes) => self.write(&bytes).await.map(|()| true),
            Woken::Time => self.on_time().await,
            Woken::Readable(ready) => {
                ready?;
                self.on_bytes().await
            }
        }
    }

    /// One read and everything that it completes.
    async fn on_bytes(&mut self) -> io::Result<bool> {
        let before = (self.framer.bad_crc(), self.framer.skipped());
        let open = match read_some(&self.stream, &mut self.framer) {
            Ok(0) => false, // The station sends no more; what it has sent is still answered.
            Ok(_) => true,
            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(cause) => return Err(cause),
        };
        self.last_byte = Instant::now();
        let frames: Vec<Received> = std::iter::from_fn(|| self.framer.next_frame()).collect();
        if self.framer.waiting() == 0 {
            self.partial_since = None;
        } else if !frames.is_empty() || self.partial_since.is_none() {
            self.partial_since = Some(self.last_byte);
        }
        self.count_noise(before.0, before.1);
        self.work(frames).await?;
        if self.framer.bad_in_row() > self.limits.bad_in_row {
            tracing::warn!(from = %self.peer.address(), "连续校验错误，断开 (only wrong checksums: connection closed)");
            return Ok(false);
        }
        Ok(open)
    }

    async fn work(&mut self, frames: Vec<Received>) -> io::Result<()> {
        if frames.is_empty() {
            return Ok(());
        }
        for received in &frames {
            self.note(&received.frame);
        }
        let questions = self.questions.0.clone();
        let answers = self.finish.work(frames, self.peer, || Route::Tcp(questions.clone())).await;
        let mut bytes = Vec::new();
        for (_, frame) in answers {
            bytes.extend(encoded(&frame));
        }
        self.write(&bytes).await
    }

    /// Remembers who spoke here and whose message is unfinished.
    fn note(&mut self, frame: &Frame) {
        let station = frame.station;
        if self.desk().station(station).is_none() {
            return;
        }
        if !self.stations.contains(&station) {
            self.stations.push(station); // At most as many as the files name.
        }
        if frame.packet.is_some() {
            self.remind = Some((Instant::now() + self.limits.ask_again, station));
        }
    }

    /// A limit has run out: silence, a frame that stays cut, or packets that do not come.
    async fn on_time(&mut self) -> io::Result<bool> {
        let now = Instant::now();
        if let Some((_, station)) = self.remind.filter(|(at, _)| now >= *at) {
            let asked = self.desk().remind(station, self.peer);
            self.remind = asked.is_some().then_some((now + self.limits.ask_again, station));
            let bytes: Vec<u8> = asked.iter().flatten().flat_map(encoded).collect();
            self.write(&bytes).await?;
        }
        if self.partial_since.is_some_and(|since| now >= since + self.limits.partial) {
            let before = (self.framer.bad_crc(), self.framer.skipped());
            let mut frames = Vec::new();
            while self.framer.waiting() > 0 {
                self.framer.give_up();
                frames.extend(std::iter::from_fn(|| self.framer.next_frame()));
            }
            self.partial_since = None;
            self.count_noise(before.0, before.1);
            self.work(frames).await?;
        }
        Ok(now < self.last_byte + self.limits.idle)
    }

    fn count_noise(&self, bad_crc: u64, skipped: u64) {
        let counts = self.finish.desk.counts();
        counts.bad_crc.add(self.framer.bad_crc().saturating_sub(bad_crc));
        counts.skipped_bytes.add(self.framer.skipped().saturating_sub(skipped));
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        tokio::time::timeout(WRITE, self.stream.write_all(bytes)).await?
    }
}

/// One read without waiting; the buffer lies on the stack, so that an idle connection holds none.
fn read_some(stream: &TcpStream, framer: &mut Framer) -> io::Result<usize> {
    let mut buffer = [0; READ];
    let count = stream.try_read(&mut buffer)?;
    framer.push(buffer.get(..count).unwrap_or_default());
    Ok(count)
}

/// An answer is short by construction; should it ever not fit a frame, nothing is sent.
pub(super) fn encoded(frame: &Frame) -> Vec<u8> {
    frame.encode().unwrap_or_default()
}

/// Takes datagrams until `stop`. Each stands for itself: a frame never goes over two of them.
pub(super) async fn udp(socket: Arc<UdpSocket>, finish: Arc<Finish>, stop: CancellationToken) {
    let mut buffer = vec![0; DATAGRAM_MAX];
    let mut age = tokio::time::interval(finish.desk.limits().ask_again.max(Duration::from_millis(10)));
    age.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let first = tokio::select! {
            () = stop.cancelled() => return,
            first = socket.recv_from(&mut buffer) => first,
            _ = age.tick() => {
                for (to, frames) in finish.desk.remind_datagrams() {
                    for frame in frames {
                        let _ = socket.send_to(&encoded(&frame), to).await; // Lost: the next round asks again.
                    }
                }
                continue;
            }
        };
        let mut datagrams = Vec::new();
        let mut next = first;
        // An error here is an ICMP message about an earlier answer; the socket goes on.
        while let Ok((count, from)) = next {
            let counts = finish.desk.counts();
            let mut framer = Framer::default();
            framer.push(buffer.get(..count).unwrap_or_default());
            let mut frames: Vec<Received> = std::iter::from_fn(|| framer.next_frame()).collect();
            while framer.waiting() > 0 {
                framer.give_up();
                frames.extend(std::iter::from_fn(|| framer.next_frame()));
            }
            counts.bad_crc.add(framer.bad_crc());
            counts.skipped_bytes.add(framer.skipped());
            datagrams.push((frames, from));
            if datagrams.len() == DATAGRAMS {
                break;
            }
            next = socket.try_recv_from(&mut buffer);
        }
        let answers = datagrams.into_iter().map(|(frames, from)| {
            let finish = &finish;
            async move { (from, finish.work(frames, Peer::Udp(from), || Route::Udp(from)).await) }
        });
        for (from, frames) in futures::future::join_all(answers).await {
            for (_, frame) in frames {
                // A lost answer brings the same message again.
                let _ = socket.send_to(&encoded(&frame), from).await;
            }
        }
    }
}
