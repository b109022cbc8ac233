//! HTTP/1.1 on one kept connection, as little as the measurement needs: no client library sits in the figure.

use std::error::Error;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// An open connection.
pub(super) struct Http {
    stream: BufReader<TcpStream>,
    /// Lines that every request carries, each with its end.
    head: String,
}

impl Http {
    /// `head`: further lines of every request, each with `\r\n`.
    pub(super) async fn connect(address: &str, head: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::with_capacity(1 << 16, stream), head: format!("Host: {address}\r\n{head}") })
    }
    pub(super) async fn get(&mut self, path: &str) -> Result<String, Box<dyn Error>> {
        self.exchange(format!("GET {path} HTTP/1.1\r\n{}\r\n", self.head), &[]).await
    }
    pub(super) async fn post(&mut self, path: &str, body: &[u8]) -> Result<String, Box<dyn Error>> {
        let head = format!("POST {path} HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n", self.head, body.len());
        self.exchange(head, body).await
    }
    async fn exchange(&mut self, head: String, body: &[u8]) -> Result<String, Box<dyn Error>> {
        self.stream.write_all(head.as_bytes()).await?;
        self.stream.write_all(body).await?;
        self.stream.flush().await?;
        let status = self.line().await?;
        let (mut length, mut chunked) = (0, false);
        loop {
            let line = self.line().await?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            chunked |= line.starts_with("transfer-encoding:") && line.contains("chunked");
        }
        let body = if chunked { self.chunks().await? } else { self.exactly(length).await? };
        let text = String::from_utf8(body)?;
        match status.split(' ').nth(1) {
            Some(code) if code.starts_with('2') => Ok(text),
            _ => Err(format!("{} was answered {status}: {text}", head.lines().next().unwrap_or_default()).into()),
        }
    }
    async fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
    async fn exactly(&mut self, length: usize) -> std::io::Result<Vec<u8>> {
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(body)
    }
    async fn chunks(&mut self) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut body = Vec::new();
        loop {
            let length = usize::from_str_radix(self.line().await?.trim(), 16)?;
            body.extend(self.exactly(length).await?);
            self.line().await?;
            if length == 0 {
                return Ok(body);
            }
        }
    }
}
