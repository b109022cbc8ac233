//! How a broker is reached: address, protocol version, login, TLS. In: a table of the server's configuration and the
//! files that it names. Out: what the client is started with. Secrets stay in their files and out of every message.

use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Longest password that a file may hold, bytes.
const PASSWORD_MAX: usize = 1024;

/// `[[mqtt]]` of the configuration: one broker.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broker {
    /// The name by which `sensors/` speaks of it.
    pub id: String,
    /// Host name or address.
    pub host: String,
    /// TCP port; usually 1883, 8883 with TLS.
    pub port: u16,
    /// Protocol version.
    #[serde(default)]
    pub version: MqttVersion,
    /// The name of this server's session at the broker; two servers with the same one throw each other out.
    pub client_id: String,
    /// Login name.
    pub user: Option<String>,
    /// File whose first line is the password.
    pub password_file: Option<PathBuf>,
    /// Certificate of the authority that signed the broker's (PEM); with it the connection is TLS, and only that
    /// authority is trusted.
    pub ca_file: Option<PathBuf>,
    /// Certificate that this server shows (PEM).
    pub cert_file: Option<PathBuf>,
    /// Its key (PEM).
    pub key_file: Option<PathBuf>,
    /// Seconds of silence after which the broker is asked whether it is still there.
    #[serde(default = "half_a_minute")]
    pub keep_alive_s: u16,
}

/// Version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum MqttVersion {
    /// What most gateways and brokers speak.
    #[default]
    #[serde(rename = "3.1.1")]
    V4,
    /// With a bound on unacknowledged messages that the broker keeps.
    #[serde(rename = "5")]
    V5,
}

fn half_a_minute() -> u16 {
    30
}

/// What is wrong with a broker's table or one of its files.
#[derive(Debug, thiserror::Error)]
pub enum BrokerFault {
    /// A key of the table.
    #[error("broker {id}: {what} ([[mqtt]] 配置有误)")]
    Table {
        /// Which broker.
        id: String,
        /// What is wrong.
        what: String,
    },
    /// A file.
    #[error("broker {id}: cannot use {path} as {role} (文件不可用)")]
    File {
        /// Which broker.
        id: String,
        /// Which file.
        path: PathBuf,
        /// Password, certificate, key.
        role: &'static str,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// User and password.
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

impl Broker {
    /// The files that it names, to be found relative to the configuration.
    pub fn files_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [&mut self.password_file, &mut self.ca_file, &mut self.cert_file, &mut self.key_file].into_iter().flatten()
    }

    /// What only the values together can tell: the key at fault and what is wrong.
    pub fn fault(&self) -> Option<(&'static str, &'static str)> {
        let faults = [
            (self.id.is_empty(), "id", "must not be empty"),
            (self.host.is_empty(), "host", "must not be empty"),
            (self.port == 0, "port", "must not be 0"),
            (self.client_id.is_empty() || self.client_id.len() > 128, "client_id", "must have 1 to 128 bytes"),
            (self.password_file.is_some() && self.user.is_none(), "password_file", "needs user"),
            (self.cert_file.is_some() != self.key_file.is_some(), "cert_file", "and key_file go together"),
            (
                self.cert_file.is_some() && self.ca_file.is_none(),
                "cert_file",
                "needs ca_file, without which there is no TLS",
            ),
            (!(5..=3600).contains(&self.keep_alive_s), "keep_alive_s", "must be 5 to 3600"),
        ];
        faults.into_iter().find(|(wrong, ..)| *wrong).map(|(_, key, what)| (key, what))
    }

    /// User and password; the file is read anew for every connection, so that it can be changed.
    pub(super) fn login(&self) -> Result<Option<Login>, BrokerFault> {
        let Some(user) = self.user.clone() else { return Ok(None) };
        let password = match &self.password_file {
            None => String::new(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|cause| self.file(path, "password", cause))?;
                let first = text.lines().next().unwrap_or_default();
                if first.is_empty() || first.len() > PASSWORD_MAX {
                    return Err(self.file(path, "password", "its first line is empty or too long"));
                }
                first.to_owned()
            }
        };
        Ok(Some(Login { user, password }))
    }

    /// TLS with the site's authority and no other; `None` for a plain connection.
    pub(super) fn tls(&self) -> Result<Option<Arc<ClientConfig>>, BrokerFault> {
        let Some(ca) = &self.ca_file else { return Ok(None) };
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates(ca, "authority")? {
            roots.add(certificate).map_err(|cause| self.file(ca, "authority", cause))?;
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|cause| self.file(ca, "authority", cause))?
            .with_root_certificates(roots);
        let config = match (&self.cert_file, &self.key_file) {
            (Some(cert), Some(key)) => {
                let chain = self.certificates(cert, "certificate")?;
                let own = PrivateKeyDer::from_pem_file(key).map_err(|cause| self.file(key, "key", cause))?;
                builder.with_client_auth_cert(chain, own).map_err(|cause| self.file(cert, "certificate", cause))?
            }
            _ => builder.with_no_client_auth(),
        };
        Ok(Some(Arc::new(config)))
    }

    fn certificates(&self, path: &Path, role: &'static str) -> Result<Vec<CertificateDer<'static>>, BrokerFault> {
        let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let found = read.map_err(|cause| self.file(path, role, cause))?;
        if found.is_empty() {
            return Err(self.file(path, role, "it holds no certificate in PEM"));
        }
        Ok(found)
    }

    fn file(
        &self,
        path: &Path,
        role: &'static str,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> BrokerFault {
        BrokerFault::File { id: self.id.clone(), path: path.to_owned(), role, cause: cause.into() }
    }
}
