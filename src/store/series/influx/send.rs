//! Requests to the server, and what each of its answers asks for.

use super::csv::{Row, read};
use super::refused::{Refused, RefusedLine};
use super::{InfluxSettings, SeriesError};
use reqwest::{Certificate, Client, Response, StatusCode, Url, header};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// First pause before a busy or absent server is asked again; doubled each time.
const PAUSE: Duration = Duration::from_millis(200);
/// Longest answer that is read into memory, bytes.
const ANSWER_BYTES_MAX: usize = 512 << 20;
/// Requests of one write that look for refused lines by halves; after them the rest is set aside in whole parts.
const SEARCH_MAX: usize = 400;
/// As much of the server's words as an error repeats, characters.
const WORDS_MAX: usize = 200;
/// As much of a refusal as is read, bytes.
const REFUSAL_BYTES_MAX: usize = 16 << 10;

pub(super) struct Sender {
    http: Client,
    write: Url,
    query: Url,
    token: RwLock<String>,
    token_file: PathBuf,
    shown: String,
    patience: Duration,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token stays out of every log.
        out.debug_struct("Sender").field("url", &self.shown).finish_non_exhaustive()
    }
}

/// What a failed write asks for.
enum Verdict {
    /// The whole batch or some of it is refused: look for the line.
    Refused(String),
    /// Too large: in halves.
    TooLarge,
    /// Later: as told, or after a pause.
    Later(Option<Duration>, String),
    /// Token, rights, organisation or bucket: a person must act.
    Closed(StatusCode, String),
}

impl Sender {
    pub(super) fn new(settings: InfluxSettings) -> Result<Self, SeriesError> {
        let unusable = |reason: String| SeriesError::RemoteAddress { url: without_secrets(&settings.url), reason };
        let base = Url::parse(&settings.url).map_err(|cause| unusable(cause.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(unusable("it must begin with http:// or https:// and name a host".into()));
        }
        // The address stands in logs and alarms: nothing secret may be in it.
        if !base.username().is_empty()
            || base.password().is_some()
            || base.query().is_some()
            || base.fragment().is_some()
        {
            return Err(unusable(
                "it must be the address alone, without user, password or query: a secret belongs in token_file".into(),
            ));
        }
        let below = |path: &str| {
            let mut url = base.clone();
            url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
            url
        };
        let mut write = below("/api/v2/write");
        write
            .query_pairs_mut()
            .append_pair("org", &settings.org)
            .append_pair("bucket", &settings.bucket)
            .append_pair("precision", "ms");
        let mut query = below("/api/v2/query");
        query.query_pairs_mut().append_pair("org", &settings.org);
        // One provider of cryptography for the whole program; whoever comes first installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder().timeout(settings.timeout).no_proxy();
        if let Some(path) = &settings.ca_file {
            let certificates = std::fs::read(path).map_err(|cause| file_fault(path, cause))?;
            let certificates = Certificate::from_pem_bundle(&certificates).map_err(|cause| file_fault(path, cause))?;
            if certificates.is_empty() {
                return Err(file_fault(path, std::io::Error::other("it holds no certificate in PEM")));
            }
            client = client.tls_certs_merge(certificates);
        }
        let http = client.build().map_err(|cause| unusable(words_of(cause)))?;
        let token = RwLock::new(read_token(&settings.token_file)?);
        let InfluxSettings { token_file, url: shown, patience, .. } = settings;
        Ok(Self { http, write, query, token, token_file, shown, patience })
    }

    pub(super) fn url(&self) -> &str {
        &self.shown
    }

    fn authorization(&self) -> String {
        format!("Token {}", self.token.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the token again: a person may have put a new one there.
    pub(super) async fn renew_token(&self) {
        let path = self.token_file.clone();
        if let Ok(Ok(token)) = tokio::task::spawn_blocking(move || read_token(&path)).await {
            *self.token.write().unwrap_or_else(PoisonError::into_inner) = token;
        }
    }

    /// Writes the lines; those that the server refuses are set aside one by one.
    ///
    /// # Errors
    /// When the server stays away or busy, or the door is closed. The same lines may be sent again.
    pub(super) async fn write(&self, lines: &[String], refused: &Refused) -> Result<(), SeriesError> {
        // Halves wait here instead of in a recursion.
        let (mut parts, mut aside, mut requests) = (vec![lines], Vec::<RefusedLine>::new(), 0);
        while let Some(part) = parts.pop() {
            requests += 1;
            let verdict = match self.write_part(part).await {
                Ok(verdict) => verdict,
                Err(fault) => {
                    refused.keep(aside).await?;
                    return Err(fault);
                }
            };
            let reason = match verdict {
                None => continue,
                Some(Verdict::TooLarge) if part.len() == 1 => "too large for the server".to_owned(),
                Some(Verdict::Refused(reason)) if part.len() == 1 => reason,
                // So many are refused that no single line is at fault: a person must look at the whole of it.
                Some(Verdict::Refused(reason)) if requests > SEARCH_MAX => {
                    format!("{reason} (in a part of {})", part.len())
                }
                Some(_) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                    continue;
                }
            };
            aside.extend(part.iter().map(|line| (line.clone(), reason.clone())));
        }
        refused.keep(aside).await
    }

    /// One request, repeated while the server is busy; `None` when all of it is written.
    async fn write_part(&self, lines: &[String]) -> Result<Option<Verdict>, SeriesError> {
        if lines.is_empty() {
            return Ok(None);
        }
        let (began, mut pause) = (Instant::now(), PAUSE);
        loop {
            let request = self.http.post(self.write.clone()).header(header::AUTHORIZATION, self.authorization());
            let request = request.header(header::CONTENT_TYPE, "text/plain; charset=utf-8").body(lines.concat());
            let verdict = match request.send().await {
                Ok(reply) if reply.status().is_success() => return Ok(None),
                Ok(reply) => self.verdict(reply).await,
                Err(cause) => Verdict::Later(None, words_of(cause)),
            };
            match verdict {
                Verdict::Later(told, reason) => {
                    let wait = told.unwrap_or(pause);
                    if began.elapsed() + wait > self.patience {
                        return Err(SeriesError::RemoteAway { url: self.shown.clone(), reason, wait: told });
                    }
                    tokio::time::sleep(wait).await;
                    pause *= 2;
                }
                Verdict::Closed(status, reason) => return Err(self.closed(status, reason)),
                refused => return Ok(Some(refused)),
            }
        }
    }

    /// Asks in Flux; all rows of all tables.
    ///
    /// # Errors
    /// When the server is away, refuses, stops in the middle, or answers what is no annotated CSV.
    pub(super) async fn query(&self, flux: &str) -> Result<Vec<Row>, SeriesError> {
        let request = self.http.post(self.query.clone()).header(header::AUTHORIZATION, self.authorization());
        let question = serde_json::json!({
            "query": flux, "type": "flux",
            "dialect": { "header": true, "annotations": ["datatype", "group", "default"] },
        });
        let unread = |reason: String| SeriesError::RemoteUnread { url: self.shown.clone(), reason };
        let away = |cause: reqwest::Error| unread(words_of(cause));
        let mut reply = request.header(header::ACCEPT, "application/csv").json(&question).send().await.map_err(away)?;
        if !reply.status().is_success() {
            return Err(match self.verdict(reply).await {
                Verdict::Closed(status, reason) => self.closed(status, reason),
                Verdict::Later(_, reason) => unread(reason),
                Verdict::Refused(reason) => unread(format!("it refuses the question: {reason}")),
                Verdict::TooLarge => SeriesError::RemoteAnswer { reason: "the question is too large".into() },
            });
        }
        let mut text = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(away)? {
            if text.len() + chunk.len() > ANSWER_BYTES_MAX {
                let reason = format!("it is larger than {ANSWER_BYTES_MAX} bytes; ask for a shorter span");
                return Err(SeriesError::RemoteAnswer { reason });
            }
            text.extend_from_slice(&chunk);
        }
        let text =
            String::from_utf8(text).map_err(|_| SeriesError::RemoteAnswer { reason: "it is not UTF-8".into() })?;
        read(&text).map_err(|fault| match fault {
            SeriesError::RemoteAnswer { reason } => SeriesError::RemoteAnswer { reason: self.plain(&reason) },
            other => other,
        })
    }

    /// A remote server's words as logs and alarms may repeat them: bounded, on one line, and without our token.
    fn plain(&self, said: &str) -> String {
        let token = self.token.read().unwrap_or_else(PoisonError::into_inner);
        words(&said.replace(token.as_str(), "***"))
    }

    async fn verdict(&self, reply: Response) -> Verdict {
        let status = reply.status();
        let told = reply.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let told = told.map(Duration::from_secs);
        let words = self.plain(&message(&beginning(reply).await));
        match status {
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Verdict::Refused(words),
            StatusCode::PAYLOAD_TOO_LARGE => Verdict::TooLarge,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Verdict::Closed(status, words),
            _ => Verdict::Later(told, format!("{status}: {words}")),
        }
    }

    fn closed(&self, status: StatusCode, reason: String) -> SeriesError {
        SeriesError::RemoteClosed { url: self.shown.clone(), status: status.as_u16(), reason }
    }
}

/// The beginning of an answer, as text.
async fn beginning(mut reply: Response) -> String {
    let mut text = Vec::new();
    while let Ok(Some(chunk)) = reply.chunk().await {
        text.extend_from_slice(&chunk);
        if text.len() > REFUSAL_BYTES_MAX {
            text.truncate(REFUSAL_BYTES_MAX);
            break;
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// An address without what may be secret in it: user and password, query.
fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    if scheme.is_empty() { rest.to_owned() } else { format!("{scheme}://{rest}") }
}

/// The token in a file, without the line's end.
fn read_token(path: &Path) -> Result<String, SeriesError> {
    let text = std::fs::read_to_string(path).map_err(|cause| file_fault(path, cause))?;
    let token = text.trim();
    let plain = !token.is_empty() && token.chars().all(|c| c.is_ascii_graphic());
    if plain {
        Ok(token.to_owned())
    } else {
        Err(file_fault(path, std::io::Error::other("it holds no token of one line")))
    }
}

fn file_fault(path: &Path, cause: impl std::error::Error + Send + Sync + 'static) -> SeriesError {
    SeriesError::RemoteFile { path: path.to_owned(), cause: Arc::new(cause) }
}

/// What a failed request has to say, innermost cause included and without the address.
fn words_of(fault: reqwest::Error) -> String {
    let fault = fault.without_url();
    let mut text = fault.to_string();
    let mut cause = std::error::Error::source(&fault);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    words(&text)
}

/// What an answer says: InfluxDB wraps it in JSON, proxies do not.
fn message(body: &str) -> String {
    let wrapped = serde_json::from_str::<serde_json::Value>(body).ok();
    wrapped.as_ref().and_then(|said| said["message"].as_str()).unwrap_or(body).to_owned()
}

fn words(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS_MAX).collect()
}
