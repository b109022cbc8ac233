//! One Modbus TCP server per endpoint. Connections are bounded: one more than allowed is closed at once.

use super::bench::{Answer, Bench};
use crate::ingest::Clock;
use crate::ingest::sensors::Function;
use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::Server;
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};

/// Clients that one endpoint serves at a time.
const CONNECTIONS_MAX: usize = 64;

/// Why the virtual devices cannot start.
#[derive(Debug, thiserror::Error)]
pub enum FieldFault {
    /// The port is taken or not allowed.
    #[error(
        "cannot listen on {address} for {endpoint}; free the port or choose another with --listen (端口被占用或无权限)"
    )]
    Listen {
        /// Host and port.
        address: SocketAddr,
        /// Which endpoint.
        endpoint: String,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// Base port plus offset is above 65535.
    #[error(
        "端口超过 65535，请减小 --listen 的端口 (endpoint {endpoint} would need port {port}, above 65535; choose a lower --listen port)"
    )]
    PortTooHigh {
        /// Which endpoint.
        endpoint: String,
        /// The port that it would need.
        port: u32,
    },
}

/// Running virtual devices; they stop when this is dropped.
#[derive(Debug)]
pub struct FieldDevices {
    addresses: BTreeMap<String, SocketAddr>,
    workers: Vec<JoinHandle<()>>,
}

impl FieldDevices {
    /// Listens for every endpoint with a field offset: `listen` for offset 0, the ports above for the rest; port 0 lets the
    /// system choose each.
    ///
    /// # Errors
    /// A port that cannot be had.
    pub async fn start(bench: Arc<Bench>, listen: SocketAddr, clock: Clock) -> Result<Self, FieldFault> {
        let mut started = Self { addresses: BTreeMap::new(), workers: Vec::new() };
        for endpoint in bench.sensors().endpoints.values() {
            let Some(offset) = endpoint.field_offset else { continue };
            let address = SocketAddr::new(listen.ip(), port_of(&endpoint.id, listen.port(), offset)?);
            let fault = |cause| FieldFault::Listen { address, endpoint: endpoint.id.clone(), cause };
            let listener = TcpListener::bind(address).await.map_err(fault)?;
            started.addresses.insert(endpoint.id.clone(), listener.local_addr().map_err(fault)?);
            let terminal =
                Terminal { bench: Arc::clone(&bench), endpoint: endpoint.id.clone(), clock: Arc::clone(&clock) };
            started.workers.push(tokio::spawn(serve(listener, Arc::new(terminal))));
        }
        Ok(started)
    }

    /// Where each endpoint listens.
    pub fn addresses(&self) -> &BTreeMap<String, SocketAddr> {
        &self.addresses
    }
    /// Where an endpoint listens, as host and port.
    pub fn address(&self, endpoint: &str) -> Option<(IpAddr, u16)> {
        self.addresses.get(endpoint).map(|address| (address.ip(), address.port()))
    }
}

impl Drop for FieldDevices {
    fn drop(&mut self) {
        for worker in &self.workers {
            worker.abort();
        }
    }
}

fn port_of(endpoint: &str, base: u16, offset: u16) -> Result<u16, FieldFault> {
    if base == 0 {
        return Ok(0);
    }
    base.checked_add(offset).ok_or_else(|| FieldFault::PortTooHigh {
        endpoint: endpoint.to_owned(),
        port: u32::from(base) + u32::from(offset),
    })
}

struct Terminal {
    bench: Arc<Bench>,
    endpoint: String,
    clock: Clock,
}

async fn serve(listener: TcpListener, terminal: Arc<Terminal>) {
    let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let server = Server::new(listener);
    let on_connected = |stream: TcpStream, _from: SocketAddr| {
        let permit = Arc::clone(&free).try_acquire_owned().ok();
        let client = permit.map(|permit| Client { terminal: Arc::clone(&terminal), _permit: permit });
        let _ = stream.set_nodelay(true);
        async move { Ok(client.map(|client| (client, stream))) }
    };
    loop {
        // A broken request ends its own connection only; a failed accept (no file handles left) is tried again.
        if let Err(cause) = server.serve(&on_connected, |cause| tracing::debug!(%cause, "modbus client gone")).await {
            tracing::warn!(endpoint = terminal.endpoint, %cause, "cannot accept a connection");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// One connection; its permit ends with it.
struct Client {
    terminal: Arc<Terminal>,
    _permit: OwnedSemaphorePermit,
}

impl Service for Client {
    type Request = SlaveRequest<'static>;
    type Response = Option<Response>;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Option<Response>, ExceptionCode>>;

    fn call(&self, asked: Self::Request) -> Self::Future {
        ready(self.terminal.answer(asked.slave, &asked.request))
    }
}

impl Terminal {
    fn answer(&self, unit: u8, request: &Request<'_>) -> Result<Option<Response>, ExceptionCode> {
        let now = (self.clock)();
        let read = |function, first, count| self.bench.read(&self.endpoint, unit, (function, first, count), now);
        let write = |first, words: &[u16]| self.bench.write(&self.endpoint, unit, first, words, now);
        let (answer, written): (Answer, Option<Response>) = match request {
            Request::ReadHoldingRegisters(first, count) => (read(Function::Holding, *first, *count), None),
            Request::ReadInputRegisters(first, count) => (read(Function::Input, *first, *count), None),
            Request::WriteSingleRegister(first, word) => {
                (write(*first, &[*word]), Some(Response::WriteSingleRegister(*first, *word)))
            }
            Request::WriteMultipleRegisters(first, words) => {
                let count = u16::try_from(words.len()).unwrap_or(u16::MAX);
                (write(*first, words), Some(Response::WriteMultipleRegisters(*first, count)))
            }
            _ => return Err(ExceptionCode::IllegalFunction),
        };
        match answer {
            Answer::Words(words) if matches!(request, Request::ReadInputRegisters(..)) => {
                Ok(Some(Response::ReadInputRegisters(words)))
            }
            Answer::Words(words) => Ok(Some(Response::ReadHoldingRegisters(words))),
            Answer::Written => Ok(written),
            Answer::Refused(exception) => Err(exception),
            Answer::Silence => Ok(None),
        }
    }
}
