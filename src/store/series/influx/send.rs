//! Requests to the server, and what each of its answers asks for.

use super::csv::{Row, read};
use super::refused::Refused;
use super::{InfluxSettings, SeriesError};
use reqwest::{Client, Response, StatusCode, Url, header};
use std::time::{Duration, Instant};

/// First pause before a busy or absent server is asked again; doubled each time.
const PAUSE: Duration = Duration::from_millis(200);
/// Longest answer that is read into memory, bytes.
const ANSWER_BYTES_MAX: usize = 512 << 20;
/// As much of the server's words as an error repeats.
const WORDS_MAX: usize = 300;

pub(super) struct Sender {
    http: Client,
    write: Url,
    query: Url,
    token: String,
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
        let unreachable = |reason: String| SeriesError::RemoteAway { url: settings.url.clone(), reason };
        let base = Url::parse(&settings.url).map_err(|cause| unreachable(cause.to_string()))?;
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
        let http = Client::builder().timeout(settings.timeout).no_proxy().build();
        let http = http.map_err(|cause| unreachable(cause.to_string()))?;
        Ok(Self { http, write, query, token: settings.token, shown: settings.url, patience: settings.patience })
    }

    /// Writes the lines; those that the server refuses are set aside one by one.
    ///
    /// # Errors
    /// When the server stays away or busy, or the door is closed. The same lines may be sent again.
    pub(super) async fn write(&self, lines: &[String], refused: &Refused) -> Result<(), SeriesError> {
        // Halves wait here instead of in a recursion.
        let mut parts = vec![lines];
        while let Some(part) = parts.pop() {
            match self.write_part(part).await? {
                None => {}
                Some(Verdict::Refused(reason)) if part.len() == 1 => refused.keep(&part[0], &reason)?,
                Some(Verdict::TooLarge) if part.len() == 1 => refused.keep(&part[0], "too large for the server")?,
                Some(_) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
            }
        }
        Ok(())
    }

    /// One request, repeated while the server is busy; `None` when all of it is written.
    async fn write_part(&self, lines: &[String]) -> Result<Option<Verdict>, SeriesError> {
        if lines.is_empty() {
            return Ok(None);
        }
        let (began, mut pause) = (Instant::now(), PAUSE);
        loop {
            let request =
                self.http.post(self.write.clone()).header(header::AUTHORIZATION, format!("Token {}", self.token));
            let request = request.header(header::CONTENT_TYPE, "text/plain; charset=utf-8").body(lines.concat());
            let verdict = match request.send().await {
                Ok(reply) if reply.status().is_success() => return Ok(None),
                Ok(reply) => verdict(reply).await,
                Err(cause) => Verdict::Later(None, words(&cause.without_url().to_string())),
            };
            match verdict {
                Verdict::Later(told, reason) => {
                    let wait = told.unwrap_or(pause);
                    if began.elapsed() + wait > self.patience {
                        return Err(SeriesError::RemoteAway { url: self.shown.clone(), reason });
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
        let request = self.http.post(self.query.clone()).header(header::AUTHORIZATION, format!("Token {}", self.token));
        let question = serde_json::json!({
            "query": flux, "type": "flux",
            "dialect": { "header": true, "annotations": ["datatype", "group", "default"] },
        });
        let away = |cause: reqwest::Error| SeriesError::RemoteAway {
            url: self.shown.clone(),
            reason: words(&cause.without_url().to_string()),
        };
        let mut reply = request.header(header::ACCEPT, "application/csv").json(&question).send().await.map_err(away)?;
        if !reply.status().is_success() {
            return Err(match verdict(reply).await {
                Verdict::Closed(status, reason) => self.closed(status, reason),
                Verdict::Later(_, reason) => SeriesError::RemoteAway { url: self.shown.clone(), reason },
                Verdict::Refused(reason) => SeriesError::RemoteAnswer { reason },
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
        read(&text)
    }

    fn closed(&self, status: StatusCode, reason: String) -> SeriesError {
        SeriesError::RemoteClosed { url: self.shown.clone(), status: status.as_u16(), reason }
    }
}

async fn verdict(reply: Response) -> Verdict {
    let status = reply.status();
    let told = reply.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let told = told.map(Duration::from_secs);
    let words = words(&reply.text().await.unwrap_or_default());
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Verdict::Refused(words),
        StatusCode::PAYLOAD_TOO_LARGE => Verdict::TooLarge,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Verdict::Closed(status, words),
        _ => Verdict::Later(told, format!("{status}: {words}")),
    }
}

fn words(text: &str) -> String {
    text.chars().take(WORDS_MAX).collect()
}
