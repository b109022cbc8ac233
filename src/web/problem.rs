//! Errors as RFC 9457 problem documents: what failed, in the two languages, with an id to quote.

use crate::command::Refused;
use crate::store::EngineError;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

/// A problem document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    /// Stable word for programs.
    kind: &'static str,
    detail: String,
    field: Option<String>,
    /// Where several things are wrong: one entry each.
    items: Vec<Value>,
}

static COUNT: AtomicU64 = AtomicU64::new(1);

impl Problem {
    /// A problem of that status and stable word.
    pub fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, detail: detail.into(), field: None, items: Vec::new() }
    }
    /// 401: nobody is logged in.
    pub fn no_login() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "no-login", "请先登录 (log in first)")
    }
    /// 401: what was shown is no login and no device token, or no longer.
    pub fn ended_login() -> Self {
        let words = "登录或设备口令无效或已失效 (the login or device token is unknown or has ended)";
        Self::new(StatusCode::UNAUTHORIZED, "no-login", words)
    }
    /// 403 with the reason.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }
    /// 404 naming what was looked for.
    pub fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", format!("没有 {what} (not found)"))
    }
    /// 409: nothing can be done any more in a drill that is over.
    pub fn drill_ended() -> Self {
        let words =
            "演练已结束，不再受理；真有险情请到实况页报告 (the drill is over; report a real danger on the live page)";
        Self::new(StatusCode::CONFLICT, "drill-ended", words)
    }
    /// 422 naming the field.
    pub fn bad_field(field: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", detail);
        problem.field = Some(field.into());
        problem
    }
    /// 422 for a list in which several entries are wrong: the field of the first, and one item each.
    pub fn bad_items(field: impl Into<String>, detail: impl Into<String>, items: Vec<Value>) -> Self {
        Self { items, kind: "bad-items", ..Self::bad_field(field, detail) }
    }
    /// 413: more than is taken at once.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
    }
    /// 500; the cause is logged under the id, not sent.
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(cause, "请求处理失败 (a request failed)");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "系统内部错误，请将编号告知运维 (internal error)")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let id = format!("e-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        if self.status.is_server_error() {
            tracing::error!(id, kind = self.kind, "答复了服务器错误 (answered with a server error)");
        }
        let mut body = json!({
            "type": format!("/problems/{}", self.kind), "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(), "detail": self.detail, "field": self.field, "id": id,
        });
        if !self.items.is_empty() {
            body["items"] = Value::Array(self.items);
        }
        let mut response = (self.status, Json(body)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status = StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::CONFLICT);
        let field = match &refused {
            Refused::BadField { field, .. } => Some((*field).to_owned()),
            Refused::NoReason => Some("reason".to_owned()),
            _ => None,
        };
        Self { status, kind: "refused", detail: refused.to_string(), field, items: Vec::new() }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Refused(refused) => refused.into(),
            EngineError::KeyUsed => Self::bad_field("Idempotency-Key", error.to_string()),
            other => Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-durable", other.to_string()),
        }
    }
}

impl From<crate::store::JournalError> for Problem {
    fn from(error: crate::store::JournalError) -> Self {
        Self::internal(&error)
    }
}
