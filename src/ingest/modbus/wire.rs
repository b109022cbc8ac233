//! One connection and one request at a time, with a time limit and a length check.

use crate::ingest::sensors::{Block, Endpoint, Function};
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_modbus::client::{Client, Context, tcp};
use tokio_modbus::slave::{Slave, SlaveContext};
use tokio_modbus::{ExceptionCode, Request, Response};

/// Why a request brought no words.
#[derive(Debug, thiserror::Error)]
pub enum WireFault {
    /// No connection in time, or refused.
    #[error("cannot connect to {address} (无法连接)")]
    Connect {
        /// Host and port.
        address: String,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// No answer in time.
    #[error("no answer from unit {unit} within {limit:?} (应答超时)")]
    Timeout {
        /// Which unit.
        unit: u8,
        /// The limit.
        limit: Duration,
    },
    /// The device refused.
    #[error("unit {unit} refuses registers {first}…{last}: {exception} (异常应答)")]
    Exception {
        /// Which unit.
        unit: u8,
        /// First register asked.
        first: u16,
        /// Last register asked.
        last: u32,
        /// Its word for it.
        exception: ExceptionCode,
    },
    /// An answer of another length than asked.
    #[error("unit {unit} sent {got} registers instead of {asked} (应答长度不符)")]
    Length {
        /// Which unit.
        unit: u8,
        /// Asked for.
        asked: u16,
        /// Received.
        got: usize,
    },
    /// The connection broke or the answer made no sense.
    #[error("broken answer from unit {unit} (应答损坏)")]
    Broken {
        /// Which unit.
        unit: u8,
        /// What the protocol reader said.
        #[source]
        cause: tokio_modbus::Error,
    },
}

impl WireFault {
    /// Whether the connection may be used on: only a proper exception leaves it in step.
    pub(super) fn keeps_connection(&self) -> bool {
        matches!(self, Self::Exception { .. })
    }
    /// The whole chain in one line.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Connect { cause, .. } => format!("{self}: {cause}"),
            Self::Broken { cause, .. } => format!("{self}: {cause}"),
            _ => self.to_string(),
        }
    }
}

/// An open connection; whoever gets a fault that does not keep it must drop it.
pub(super) struct Wire {
    context: Context,
    /// Requests answered on it.
    pub(super) answered: u64,
}

impl Wire {
    pub(super) async fn open(endpoint: &Endpoint) -> Result<Self, WireFault> {
        let address = format!("{}:{}", endpoint.host, endpoint.port);
        let stream = timeout(endpoint.timeout, TcpStream::connect((endpoint.host.as_str(), endpoint.port))).await;
        let stream = stream.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no connection in time")));
        let stream = stream.map_err(|cause| WireFault::Connect { address, cause })?;
        let _ = stream.set_nodelay(true);
        Ok(Self { context: tcp::attach_slave(stream, Slave(0)), answered: 0 })
    }

    /// Exactly the words of the block, or a fault.
    pub(super) async fn ask(&mut self, unit: u8, block: &Block, limit: Duration) -> Result<Vec<u16>, WireFault> {
        let request = match block.function {
            Function::Holding => Request::ReadHoldingRegisters(block.first, block.count),
            Function::Input => Request::ReadInputRegisters(block.first, block.count),
        };
        self.context.set_slave(Slave(unit));
        // `call`, not the reader methods: those assert the length of the answer and would panic on a short one.
        let answer =
            timeout(limit, self.context.call(request)).await.map_err(|_| WireFault::Timeout { unit, limit })?;
        let last = u32::from(block.first) + u32::from(block.count).saturating_sub(1);
        let response = answer
            .map_err(|cause| WireFault::Broken { unit, cause })?
            .map_err(|exception| WireFault::Exception { unit, first: block.first, last, exception })?;
        let words = match response {
            Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words) => words,
            _ => Vec::new(),
        };
        if words.len() != usize::from(block.count) {
            return Err(WireFault::Length { unit, asked: block.count, got: words.len() });
        }
        self.answered += 1;
        Ok(words)
    }
}
