//! A TCP proxy on loopback that harms what passes through it: for any protocol, between any client and server of a test.
//!
//! Requests pass untouched; replies suffer the fault that is set at the moment, which may be changed while connections are open.
#![allow(dead_code)]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What is done to a piece of traffic.
pub type Change = Arc<dyn Fn(&mut Vec<u8>) + Send + Sync>;

/// What happens to the replies.
#[derive(Clone)]
pub enum Fault {
    /// Nothing.
    Pass,
    /// Each piece comes so much later.
    Delay(Duration),
    /// So many bytes at a time, with a pause between them.
    Drip(usize, Duration),
    /// The connection is closed both ways after so many bytes of a piece.
    Cut(usize),
    /// Nothing more is sent after so many bytes of a piece, but the client is still listened to.
    HalfClose(usize),
    /// Nothing comes back.
    Swallow,
    /// These bytes come before each piece.
    Garbage(Vec<u8>),
    /// Noise without end instead of a reply.
    Flood,
    /// New connections are closed at once, open ones at the next reply.
    Refuse,
    /// Each piece is changed: a wrong transaction number, a turned bit.
    Edit(Change),
}

/// A running proxy; it ends when this is dropped.
pub struct FaultProxy {
    /// Where clients connect.
    pub address: SocketAddr,
    fault: Arc<Mutex<Fault>>,
    connections: Arc<AtomicUsize>,
    worker: JoinHandle<()>,
}

impl FaultProxy {
    /// Stands before a server.
    pub async fn before(server: SocketAddr, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (fault, connections) = (Arc::new(Mutex::new(fault)), Arc::new(AtomicUsize::new(0)));
        let (current, counted) = (Arc::clone(&fault), Arc::clone(&connections));
        let worker = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                if matches!(*current.lock().unwrap(), Fault::Refuse) {
                    continue; // Dropped.
                }
                tokio::spawn(join(client, server, Arc::clone(&current)));
            }
        });
        Self { address, fault, connections, worker }
    }
    /// From now on.
    pub fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }
    /// Made by clients so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.worker.abort();
    }
}

async fn join(client: TcpStream, server: SocketAddr, fault: Arc<Mutex<Fault>>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((mut from_client, to_client), (from_server, mut to_server)) = (client.into_split(), server.into_split());
    // Whichever way ends first takes the other with it.
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        () = replies(from_server, to_client, fault) => {}
    }
}

/// Passes replies on until one side is gone.
async fn replies(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, fault: Arc<Mutex<Fault>>) {
    let mut piece = vec![0; 16 << 10];
    while let Ok(count @ 1..) = server.read(&mut piece).await {
        let current = fault.lock().unwrap().clone();
        if !harm(piece[..count].to_vec(), &current, &mut client).await {
            return;
        }
    }
}

/// Whether the connection goes on.
async fn harm(mut piece: Vec<u8>, fault: &Fault, client: &mut OwnedWriteHalf) -> bool {
    match fault {
        Fault::Pass => {}
        Fault::Delay(late) => tokio::time::sleep(*late).await,
        Fault::Drip(bytes, pause) => {
            for part in piece.chunks(*bytes) {
                if client.write_all(part).await.is_err() {
                    return false;
                }
                tokio::time::sleep(*pause).await;
            }
            return true;
        }
        Fault::Cut(after) => {
            let _ = client.write_all(&piece[..piece.len().min(*after)]).await;
            return false;
        }
        Fault::HalfClose(after) => {
            let _ = client.write_all(&piece[..piece.len().min(*after)]).await;
            let _ = client.shutdown().await;
            std::future::pending::<()>().await;
        }
        Fault::Swallow => return true,
        Fault::Garbage(before) => piece.splice(..0, before.iter().copied()).for_each(drop),
        Fault::Flood => {
            let noise = [0x5a; 4096];
            while client.write_all(&noise).await.is_ok() {}
            return false;
        }
        Fault::Refuse => return false,
        Fault::Edit(change) => change(&mut piece),
    }
    client.write_all(&piece).await.is_ok()
}
