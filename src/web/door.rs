//! The door: closed until an administrator exists; changes from a browser only from our own pages; health for probes.

use super::{Problem, Site};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Paths that open before an administrator exists.
const OPEN: [&str; 4] = ["/healthz", "/setup", "/api/v1/setup", "/api/v1/session"];

/// Refuses everything but setup while nobody can administer, and changes that another site's page sends.
pub async fn guard(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let asset = path.starts_with("/assets/") || path.starts_with("/icons/") || path == "/favicon.svg";
    if !site.demo && !asset && !OPEN.contains(&path) {
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
    let (Some(origin), Some(host)) = (text(header::ORIGIN), text(header::HOST)) else { return false };
    origin.split_once("://").map(|(_, authority)| authority) != Some(host)
}

/// The process answers.
pub async fn healthz() -> &'static str {
    "ok"
}

/// The journal can be read and the state is folded.
pub async fn readyz(State(site): State<Arc<Site>>) -> Response {
    let last = site.live.engine.state().last;
    match site.live.engine.journal().texts_after(last, 1).await {
        Ok(_) => "ready".into_response(),
        Err(fault) => (StatusCode::SERVICE_UNAVAILABLE, fault.to_string()).into_response(),
    }
}

/// Counters for a scraper, in the text format. Open to whoever reaches the port: no label holds a person or free text.
pub async fn metrics(State(site): State<Arc<Site>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], (site.metrics)()).into_response()
}
