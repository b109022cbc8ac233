//! TLS to a device whose certificate descends from the site's own authority. The files are read for each connection, so
//! that a renewed certificate needs no restart.

use crate::ingest::sensors::TlsFiles;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The handshake; whatever is wrong is said with the name of the file.
pub(super) async fn connect(stream: TcpStream, host: &str, files: &TlsFiles) -> io::Result<TlsStream<TcpStream>> {
    let config = config(files)?;
    let name = files.name.as_deref().unwrap_or(host);
    let server = ServerName::try_from(name.to_owned())
        .map_err(|cause| io::Error::new(io::ErrorKind::InvalidInput, format!("tls_name {name:?}: {cause}")))?;
    TlsConnector::from(Arc::new(config)).connect(server, stream).await
}

fn config(files: &TlsFiles) -> io::Result<ClientConfig> {
    let mut trusted = RootCertStore::empty();
    for certificate in certificates(&files.ca_file)? {
        trusted.add(certificate).map_err(|cause| in_file(&files.ca_file, &cause))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(trusted);
    let Some((certificate, key)) = &files.client else { return Ok(builder.with_no_client_auth()) };
    let own_key = PrivateKeyDer::from_pem_file(key).map_err(|cause| in_file(key, &cause))?;
    builder.with_client_auth_cert(certificates(certificate)?, own_key).map_err(|cause| in_file(certificate, &cause))
}

fn certificates(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = found.map_err(|cause| in_file(file, &cause))?;
    if found.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} holds no certificate (无证书)", file.display()),
        ));
    }
    Ok(found)
}

fn in_file(file: &Path, cause: &dyn std::error::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {cause}", file.display()))
}
