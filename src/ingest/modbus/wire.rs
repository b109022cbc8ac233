//! One connection or serial line and one request at a time, with a time limit and a length check.

use super::exception::Exception;
use super::rtu::{Found, Listener, request};
use super::tls;
use crate::ingest::sensors::{Block, Endpoint, Function, Parity, SerialLine, Transport};
use std::io;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_modbus::client::{Client, Context, tcp};
use tokio_modbus::slave::{Slave, SlaveContext};
use tokio_modbus::{Request, Response};
use tokio_serial::SerialPortBuilderExt;

/// Bytes taken from a line at once.
const READ_MAX: usize = 512;
/// Stale input that is thrown away before a request, at most.
const STALE_MAX: usize = 64 << 10;

/// Why a request brought no words.
#[derive(Debug, thiserror::Error)]
pub enum WireFault {
    /// No connection in time, refused, or no such serial line.
    #[error("cannot connect to {address} (无法连接)")]
    Connect {
        /// Host and port, or the serial line.
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
    #[error("unit {unit} refuses registers {first}…{last}: exception {exception} (异常应答)")]
    Exception {
        /// Which unit.
        unit: u8,
        /// First register asked.
        first: u16,
        /// Last register asked.
        last: u32,
        /// Its word for it.
        exception: Exception,
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
        cause: io::Error,
    },
}

impl WireFault {
    /// The whole chain in one line.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Connect { cause, .. } | Self::Broken { cause, .. } => format!("{self}: {cause}"),
            _ => self.to_string(),
        }
    }
}

/// Whatever carries bytes.
trait Line: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug> Line for T {}

/// How frames are told apart.
enum Framing {
    /// By the header of Modbus TCP, with a number for each request.
    Header(Context),
    /// By checksum and silence.
    Checksum { line: Box<dyn Line>, silence: Duration, is_serial: bool },
}

/// An open connection; whoever gets a fault that does not keep it must drop it.
pub(super) struct Wire {
    framing: Framing,
    pause: Duration,
    quiet_since: Option<Instant>,
    /// Requests answered on it.
    pub(super) answered: u64,
}

impl Wire {
    pub(super) async fn open(endpoint: &Endpoint) -> Result<Self, WireFault> {
        let late = || io::Error::new(io::ErrorKind::TimedOut, "no connection in time");
        let framing = timeout(endpoint.timeout, framing(endpoint)).await.unwrap_or_else(|_| Err(late()));
        let framing = framing.map_err(|cause| WireFault::Connect { address: endpoint.place(), cause })?;
        Ok(Self { framing, pause: endpoint.pause, quiet_since: None, answered: 0 })
    }

    /// Whether the connection may be used on after this fault. With numbered requests only a proper exception leaves it in
    /// step; a serial line stays open after silence, because what comes late is recognised or thrown away.
    pub(super) fn survives(&self, fault: &WireFault) -> bool {
        let is_serial = matches!(self.framing, Framing::Checksum { is_serial: true, .. });
        match fault {
            WireFault::Exception { .. } => true,
            WireFault::Timeout { .. } | WireFault::Length { .. } => is_serial,
            WireFault::Connect { .. } | WireFault::Broken { .. } => false,
        }
    }
    /// Whether an answer carries the number of its request. Without one, a unit that has let a request pass must rest
    /// before it is asked again: its late answer might be taken for that to the next request of the same length.
    pub(super) fn numbers_requests(&self) -> bool {
        matches!(self.framing, Framing::Header(_))
    }

    /// Exactly the words of the block, bits as 0 and 1, or a fault.
    pub(super) async fn ask(&mut self, unit: u8, block: &Block, limit: Duration) -> Result<Vec<u16>, WireFault> {
        if let Some(until) = self.rests_until() {
            tokio::time::sleep_until(until.into()).await;
        }
        let asked = match &mut self.framing {
            Framing::Header(context) => timeout(limit, by_header(context, unit, block)).await,
            Framing::Checksum { line, .. } => timeout(limit, by_checksum(line, unit, block)).await,
        };
        self.quiet_since = Some(Instant::now());
        let found = asked.map_err(|_| WireFault::Timeout { unit, limit })?;
        match found.map_err(|cause| WireFault::Broken { unit, cause })? {
            Found::Words(words) => {
                self.answered += 1;
                Ok(words)
            }
            Found::Refused(exception) => {
                Err(WireFault::Exception { unit, first: block.first, last: block.last(), exception })
            }
            Found::OtherLength(got) => Err(WireFault::Length { unit, asked: block.count, got }),
            Found::Noise => {
                let cause = io::Error::new(io::ErrorKind::InvalidData, "the line is never quiet (线路噪声)");
                Err(WireFault::Broken { unit, cause })
            }
        }
    }

    /// The end of the silence of a serial line, or of the pause that the gateway wants.
    fn rests_until(&self) -> Option<Instant> {
        let silence = match &self.framing {
            Framing::Header(_) => self.pause,
            Framing::Checksum { silence, .. } => self.pause.max(*silence),
        };
        self.quiet_since.map(|since| since + silence).filter(|until| *until > Instant::now())
    }
}

async fn framing(endpoint: &Endpoint) -> io::Result<Framing> {
    let by_header = |context: Context| Ok(Framing::Header(context));
    match &endpoint.transport {
        Transport::Tcp => by_header(tcp::attach_slave(connect(endpoint).await?, Slave(0))),
        Transport::Tls(files) => {
            let stream = tls::connect(connect(endpoint).await?, &endpoint.host, files).await?;
            by_header(tcp::attach_slave(stream, Slave(0)))
        }
        Transport::RtuOverTcp => {
            let line: Box<dyn Line> = Box::new(connect(endpoint).await?);
            Ok(Framing::Checksum { line, silence: Duration::ZERO, is_serial: false })
        }
        Transport::Serial(settings) => {
            let line = open_serial(settings)?;
            Ok(Framing::Checksum { line: Box::new(line), silence: settings.silence(), is_serial: true })
        }
    }
}

async fn connect(endpoint: &Endpoint) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await?;
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

fn open_serial(settings: &SerialLine) -> io::Result<tokio_serial::SerialStream> {
    let parity = match settings.parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
    };
    let stop_bits = if settings.stop_bits == 2 { tokio_serial::StopBits::Two } else { tokio_serial::StopBits::One };
    let builder = tokio_serial::new(&settings.device, settings.baud).parity(parity).stop_bits(stop_bits);
    builder.open_native_async().map_err(io::Error::from)
}

async fn by_header(context: &mut Context, unit: u8, block: &Block) -> io::Result<Found> {
    let (first, count) = (block.first, block.count);
    let request = match block.function {
        Function::Coil => Request::ReadCoils(first, count),
        Function::Discrete => Request::ReadDiscreteInputs(first, count),
        Function::Holding => Request::ReadHoldingRegisters(first, count),
        Function::Input => Request::ReadInputRegisters(first, count),
    };
    context.set_slave(Slave(unit));
    // `call`, not the reader methods: those assert the length of the answer and would panic on a short one.
    let response = match context.call(request).await {
        Ok(Ok(response)) => response,
        Ok(Err(exception)) => return Ok(Found::Refused(Exception(exception.into()))),
        Err(tokio_modbus::Error::Transport(cause)) => return Err(cause),
        Err(cause) => return Err(io::Error::new(io::ErrorKind::InvalidData, cause)),
    };
    let asked = usize::from(count);
    Ok(match response {
        Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words) if words.len() == asked => {
            Found::Words(words)
        }
        // Bits come in whole bytes.
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) if bits.len() == asked.next_multiple_of(8) => {
            Found::Words(bits.into_iter().take(asked).map(u16::from).collect())
        }
        Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words) => Found::OtherLength(words.len()),
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => Found::OtherLength(bits.len()),
        _ => Found::OtherLength(0),
    })
}

async fn by_checksum(line: &mut Box<dyn Line>, unit: u8, block: &Block) -> io::Result<Found> {
    throw_away(line).await?;
    let mut listener = Listener::new(unit, block);
    line.write_all(&request(unit, block)).await?;
    line.flush().await?;
    let mut bytes = [0; READ_MAX];
    loop {
        let count = line.read(&mut bytes).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(found) = listener.hear(bytes.get(..count).unwrap_or_default()) {
            return Ok(found);
        }
    }
}

/// What lies there already answers no request that is still to be sent.
async fn throw_away(line: &mut Box<dyn Line>) -> io::Result<()> {
    let mut stale = 0;
    let mut bytes = [0; READ_MAX];
    while stale < STALE_MAX {
        match timeout(Duration::ZERO, line.read(&mut bytes)).await {
            Err(_) => return Ok(()),
            Ok(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(Ok(count)) => stale += count,
            Ok(Err(cause)) => return Err(cause),
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "the line is never quiet (线路噪声)"))
}
