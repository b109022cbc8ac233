//! The door: closed until an administrator exists; changes from a browser only from our own pages; health for probes.

use super::caller::on_this_machine;
use super::session::token;
use super::{Problem, Site, pages};
use crate::model::UserRole;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Paths that open before an administrator exists. Probes and counters keep their own locks.
const OPEN: [&str; 6] = ["/healthz", "/readyz", "/metrics", "/setup", "/api/v1/setup", "/api/v1/session"];

/// Refuses everything but setup while nobody can administer, and changes that another site's page sends.
pub async fn guard(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if !site.demo && !OPEN.contains(&path) && !pages::is_asset(path) {
        match site.users.has_administrator().await {
            Ok(true) => {}
            Ok(false) if path.starts_with("/api/") || request.method() != Method::GET => {
                return Problem::forbidden("尚未设置管理员：请用控制台打印的一次性口令打开 /setup (open /setup first)")
                    .into_response();
            }
            Ok(false) => return axum::response::Redirect::temporary("/setup").into_response(),
            Err(fault) => return Problem::internal(&fault).into_response(),
        }
    }
    if !request.method().is_safe() && foreign(request.headers()) {
        return Problem::forbidden("拒绝来自其他网站的请求 (cross-site request refused)").into_response();
    }
    next.run(request).await
}

/// A browser says where a request comes from; programs and phones without an `Origin` carry no ambient cookie.
fn foreign(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    let (Some(origin), Some(host)) = (text(header::ORIGIN), text(header::HOST)) else {
        return text(HeaderName::from_static("sec-fetch-site")) == Some("cross-site");
    };
    origin.split_once("://").map(|(_, authority)| authority) != Some(host)
}

/// The process answers.
pub async fn healthz() -> &'static str {
    "ok"
}

/// The state is folded and an order that is given now can be kept: the journal is written to, not only read.
pub async fn readyz(State(site): State<Arc<Site>>) -> Response {
    match site.live.engine.can_store().await {
        Ok(()) => "ready".into_response(),
        Err(fault) => (StatusCode::SERVICE_UNAVAILABLE, fault.to_string()).into_response(),
    }
}

/// Fewest characters of a scraper's token.
const TOKEN_MIN: usize = 16;

/// What a scraper on another machine shows to read `/metrics`. Never printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ScrapeToken(String);

impl TryFrom<String> for ScrapeToken {
    type Error = &'static str;
    /// At least 16 visible ASCII characters, so that nobody guesses it and every scraper can send it.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let good = text.len() >= TOKEN_MIN && text.bytes().all(|byte| byte.is_ascii_graphic());
        good.then_some(Self(text)).ok_or("a scrape token has at least 16 visible ASCII characters and no spaces")
    }
}

impl ScrapeToken {
    fn is(&self, shown: &str) -> bool {
        self.0.as_bytes().ct_eq(shown.as_bytes()).into()
    }
}

impl std::fmt::Debug for ScrapeToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ScrapeToken(…)")
    }
}

/// Counters in the text format, for a scraper on this machine, with the token of the configuration, or for an operator
/// or auditor who is logged in. No label holds a person or free text.
///
/// # Errors
/// 401 without any of these, 403 for other roles.
pub async fn metrics(
    State(site): State<Arc<Site>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    may_scrape(&site, peer.ip(), &headers).await?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], (site.metrics)()).into_response())
}

async fn may_scrape(site: &Site, peer: IpAddr, headers: &HeaderMap) -> Result<(), Problem> {
    if on_this_machine(peer, headers) {
        return Ok(());
    }
    let shown = token(headers).ok_or_else(Problem::no_login)?;
    if site.scrape_token.as_ref().is_some_and(|token| token.is(&shown)) {
        return Ok(());
    }
    let user = site.users.session(&shown, (site.wall)()).await.map_err(|fault| Problem::internal(&fault))?;
    match user.ok_or_else(Problem::no_login)?.role {
        UserRole::Operator | UserRole::Auditor => Ok(()),
        _ => Err(Problem::forbidden("仅系统管理员与审计员可看运行指标 (metrics: operators and auditors only)")),
    }
}
