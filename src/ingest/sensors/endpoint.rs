//! `[[endpoint]]`: a gateway, a device or a serial line, and how requests travel to it. No I/O: files are named, not read.

use super::load::Source;
use crate::ingest::FileFault;
use serde::Deserialize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A gateway, device or serial line: one connection, one request at a time, however many units stand behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Its name in the files, or its address.
    pub id: String,
    /// Host name or address; empty for a serial line.
    pub host: String,
    /// TCP port; 0 for a serial line.
    pub port: u16,
    /// How requests travel.
    pub transport: Transport,
    /// Port above the base of the virtual field devices, for those that they stand in for.
    pub field_offset: Option<u16>,
    /// How long one answer may take.
    pub timeout: Duration,
    /// Whether the connection stays open from poll to poll; some gateways serve one client and lock out all others.
    pub hold_connection: bool,
    /// Least time between an answer and the next request, whichever unit it is for.
    pub pause: Duration,
}

/// How requests travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// Modbus TCP.
    Tcp,
    /// Frames of the serial line inside a TCP connection, as a plain serial server gives them.
    RtuOverTcp,
    /// Modbus TCP inside TLS.
    Tls(TlsFiles),
    /// A serial line of this machine.
    Serial(SerialLine),
}

/// Whom to trust, and as whom to appear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificates that the device's must descend from, PEM.
    pub ca_file: PathBuf,
    /// The name in the device's certificate, where it is not its host.
    pub name: Option<String>,
    /// Own certificate and key, PEM, for a device that asks for them.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// A serial line (8 data bits).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialLine {
    /// For example `/dev/ttyS0`.
    pub device: String,
    /// Bits a second.
    pub baud: u32,
    /// Parity.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
}

/// Parity of a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Parity {
    /// No parity bit.
    #[default]
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

impl SerialLine {
    /// Least silence between two frames: 3.5 characters, above 19,200 bits a second 1.75 ms (Modbus over serial line V1.02, 2.5.1.1).
    pub fn silence(&self) -> Duration {
        let character = 9 + u32::from(self.stop_bits) + u32::from(self.parity != Parity::None);
        if self.baud > 19_200 {
            return Duration::from_micros(1_750);
        }
        Duration::from_secs_f64(3.5 * f64::from(character) / f64::from(self.baud.max(1)))
    }
}

impl Endpoint {
    /// Where it is, for people: host and port, or the serial line with its settings.
    pub fn place(&self) -> String {
        match &self.transport {
            Transport::Serial(line) => {
                let parity = match line.parity {
                    Parity::None => 'N',
                    Parity::Even => 'E',
                    Parity::Odd => 'O',
                };
                format!("{} {} 8{parity}{}", line.device, line.baud, line.stop_bits)
            }
            _ if self.host.contains(':') => format!("[{}]:{}", self.host, self.port),
            _ => format!("{}:{}", self.host, self.port),
        }
    }
    /// Whether both would open the same line or connection.
    pub(super) fn is_at_place_of(&self, other: &Self) -> bool {
        match (&self.transport, &other.transport) {
            (Transport::Serial(own), Transport::Serial(theirs)) => own.device == theirs.device,
            (Transport::Serial(_), _) | (_, Transport::Serial(_)) => false,
            _ => (&self.host, self.port) == (&other.host, other.port),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    #[default]
    Tcp,
    RtuOverTcp,
    Tls,
    Rtu,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointRow {
    id: String,
    #[serde(default, rename = "transport")]
    kind: Kind,
    /// `host:port`; for `rtu` the device instead.
    address: Option<String>,
    device: Option<String>,
    baud: Option<u32>,
    parity: Option<Parity>,
    stop_bits: Option<u8>,
    ca_file: Option<String>,
    tls_name: Option<String>,
    client_cert_file: Option<String>,
    client_key_file: Option<String>,
    /// Where `--field` sets the base address: port above its base port.
    field_offset: Option<u16>,
    #[serde(default = "default_timeout")]
    timeout_ms: u64,
    #[serde(default = "held")]
    hold_connection: bool,
    #[serde(default)]
    pause_ms: u64,
}

pub(super) fn default_timeout() -> u64 {
    1000
}

fn held() -> bool {
    true
}

impl EndpointRow {
    /// The endpoint of a gauge that gives nothing but an address.
    pub(super) fn bare(address: &str, timeout_ms: u64) -> Self {
        Self {
            id: address.to_owned(),
            kind: Kind::Tcp,
            address: Some(address.to_owned()),
            device: None,
            baud: None,
            parity: None,
            stop_bits: None,
            ca_file: None,
            tls_name: None,
            client_cert_file: None,
            client_key_file: None,
            field_offset: None,
            timeout_ms,
            hold_connection: true,
            pause_ms: 0,
        }
    }

    /// The checked endpoint; names of certificate files count from the folder of the file that names them.
    pub(super) fn endpoint(&self, source: &Source, at: Range<usize>) -> Result<Endpoint, FileFault> {
        let fault = |what: String, remedy: &str| Err(source.fault(at.clone(), what, remedy));
        if !(10..=60_000).contains(&self.timeout_ms) {
            return fault(format!("timeout_ms {} is not within 10…60000", self.timeout_ms), "write milliseconds");
        }
        if self.pause_ms > 10_000 {
            return fault(format!("pause_ms {} is not within 0…10000", self.pause_ms), "write milliseconds");
        }
        if let Some(key) = self.key_of_another_kind() {
            let what = format!("{key} has no meaning with transport {:?}", self.kind_word());
            return fault(what, "drop it or change transport (tcp, rtu-over-tcp, tls, rtu)");
        }
        let (host, port) = match (self.kind, self.address.as_deref()) {
            (Kind::Rtu, _) => (String::new(), 0),
            (_, Some(address)) => match host_and_port(address) {
                Some(pair) => pair,
                None => {
                    return fault(
                        format!("address {address:?} is not host:port"),
                        "write for example 192.168.1.20:502",
                    );
                }
            },
            (_, None) => return fault("the endpoint has no address".into(), "write for example 192.168.1.20:502"),
        };
        let transport = match self.kind {
            Kind::Tcp => Transport::Tcp,
            Kind::RtuOverTcp => Transport::RtuOverTcp,
            Kind::Tls => match self.tls(source.folder()) {
                Ok(files) => Transport::Tls(files),
                Err(what) => return fault(what.into(), "give the CA's certificate; certificate and key go together"),
            },
            Kind::Rtu => match self.serial() {
                Ok(line) => Transport::Serial(line),
                Err(what) => return fault(what, "write for example device = \"/dev/ttyS0\", baud = 9600"),
            },
        };
        Ok(Endpoint {
            id: self.id.clone(),
            host,
            port,
            transport,
            field_offset: self.field_offset,
            timeout: Duration::from_millis(self.timeout_ms),
            hold_connection: self.hold_connection,
            pause: Duration::from_millis(self.pause_ms),
        })
    }

    fn kind_word(&self) -> &'static str {
        match self.kind {
            Kind::Tcp => "tcp",
            Kind::RtuOverTcp => "rtu-over-tcp",
            Kind::Tls => "tls",
            Kind::Rtu => "rtu",
        }
    }

    /// A key that was written for another transport: most likely the transport is the mistake.
    fn key_of_another_kind(&self) -> Option<&'static str> {
        let serial = [
            ("device", self.device.is_some()),
            ("baud", self.baud.is_some()),
            ("parity", self.parity.is_some()),
            ("stop_bits", self.stop_bits.is_some()),
        ];
        let tls = [
            ("ca_file", self.ca_file.is_some()),
            ("tls_name", self.tls_name.is_some()),
            ("client_cert_file", self.client_cert_file.is_some()),
            ("client_key_file", self.client_key_file.is_some()),
        ];
        let net = [("address", self.address.is_some()), ("field_offset", self.field_offset.is_some())];
        let is_serial = self.kind == Kind::Rtu;
        let field = [("field_offset", self.kind != Kind::Tcp && self.field_offset.is_some())];
        let stray = [(!is_serial, &serial[..]), (self.kind != Kind::Tls, &tls), (is_serial, &net), (true, &field)];
        stray
            .into_iter()
            .filter(|(wrong, _)| *wrong)
            .flat_map(|(_, keys)| keys)
            .find(|(_, there)| *there)
            .map(|(key, _)| *key)
    }

    fn tls(&self, folder: &Path) -> Result<TlsFiles, &'static str> {
        let ca = self.ca_file.as_ref().ok_or("transport tls has no ca_file")?;
        let client = match (&self.client_cert_file, &self.client_key_file) {
            (Some(certificate), Some(key)) => Some((folder.join(certificate), folder.join(key))),
            (None, None) => None,
            _ => return Err("one of client_cert_file and client_key_file is missing"),
        };
        Ok(TlsFiles { ca_file: folder.join(ca), name: self.tls_name.clone(), client })
    }

    fn serial(&self) -> Result<SerialLine, String> {
        let device = self.device.clone().filter(|device| !device.is_empty()).ok_or("transport rtu has no device")?;
        let baud = self.baud.unwrap_or(9600);
        if !(300..=4_000_000).contains(&baud) {
            return Err(format!("baud {baud} is not within 300…4000000"));
        }
        let stop_bits = self.stop_bits.unwrap_or(1);
        if !(1..=2).contains(&stop_bits) {
            return Err(format!("stop_bits {stop_bits} is neither 1 nor 2"));
        }
        Ok(SerialLine { device, baud, parity: self.parity.unwrap_or_default(), stop_bits })
    }
}

fn host_and_port(address: &str) -> Option<(String, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let port = port.parse::<u16>().ok().filter(|port| *port > 0)?;
    let host = host.trim_matches(['[', ']']);
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use crate::ingest::sensors::{Parity, SensorFiles, Sensors, Transport};
    use std::path::Path;
    use std::time::Duration;

    fn load(rows: &str) -> Result<Sensors, String> {
        let files = SensorFiles::from([("site/endpoints.toml".to_owned(), rows.as_bytes().to_vec())]);
        Sensors::load(&files).map_err(|fault| fault.to_string())
    }

    #[test]
    fn every_transport_has_its_keys() {
        let sensors = load(
            "[[endpoint]]\nid='a'\naddress='10.0.0.1:502'\nhold_connection=false\npause_ms=20\n\
             [[endpoint]]\nid='b'\ntransport='rtu-over-tcp'\naddress='[fd00::1]:4001'\n\
             [[endpoint]]\nid='c'\ntransport='tls'\naddress='radar.local:802'\nca_file='ca.pem'\nclient_cert_file='/etc/own.pem'\nclient_key_file='own.key'\n\
             [[endpoint]]\nid='d'\ntransport='rtu'\ndevice='/dev/ttyUSB0'\nparity='even'\n",
        )
        .unwrap();
        let of = |id: &str| &sensors.endpoints[id];
        assert!(!of("a").hold_connection && of("a").pause == Duration::from_millis(20) && of("b").hold_connection);
        assert_eq!((of("b").place().as_str(), &of("b").transport), ("[fd00::1]:4001", &Transport::RtuOverTcp));
        let Transport::Tls(tls) = &of("c").transport else { panic!("no TLS") };
        assert_eq!(tls.ca_file, Path::new("site/ca.pem"), "beside the file that names it");
        assert_eq!(tls.client.as_ref().unwrap().0, Path::new("/etc/own.pem"));
        let Transport::Serial(line) = &of("d").transport else { panic!("not serial") };
        assert_eq!((line.baud, line.parity, of("d").place().as_str()), (9600, Parity::Even, "/dev/ttyUSB0 9600 8E1"));
        assert!((line.silence().as_secs_f64() - 3.5 * 11.0 / 9600.0).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_be_is_refused_by_line() {
        let check = |rows: &str, words: &[&str]| {
            let fault = load(&format!("\n[[endpoint]]\nid='a'\n{rows}\n")).expect_err(rows);
            assert!(
                fault.starts_with("site/endpoints.toml:") && words.iter().all(|word| fault.contains(word)),
                "{fault}"
            );
        };
        check("address='10.0.0.1'", &[":2:", "host:port"]);
        check("timeout_ms=5\naddress='h:1'", &["timeout_ms 5"]);
        check("transport='tls'\naddress='h:1'", &["no ca_file"]);
        check("transport='tls'\naddress='h:1'\nca_file='x'\nclient_cert_file='y'", &["client_key_file is missing"]);
        check("transport='rtu'", &["no device"]);
        check("transport='rtu'\ndevice='/dev/x'\nbaud=1", &["baud 1"]);
        check("transport='rtu'\ndevice='/dev/x'\nstop_bits=3", &["stop_bits 3"]);
        check("transport='rtu'\ndevice='/dev/x'\naddress='h:1'", &["address has no meaning with transport \"rtu\""]);
        check("address='h:1'\nbaud=9600", &["baud has no meaning with transport \"tcp\""]);
        check("transport='rtu-over-tcp'\naddress='h:1'\nfield_offset=1", &["field_offset has no meaning"]);
        check("transport='udp'\naddress='h:1'", &["udp"]);
        check("address='h:1'\nbaudrate=1", &[":5:1:", "baudrate"]);
        check("address='h:1'\n[[endpoint]]\nid='b'\naddress='h:1'", &[":5:", "a and b are the same place"]);
        check(
            "transport='rtu'\ndevice='/dev/x'\n[[endpoint]]\nid='b'\ntransport='rtu'\ndevice='/dev/x'\nbaud=19200",
            &["same place"],
        );
    }
}
