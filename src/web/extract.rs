//! What handlers take from a request: the command post, an id of the path, a JSON body.

use super::{Post, Problem, Site};
use crate::ingest::reader_says;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::str::FromStr;
use std::sync::Arc;

/// The command post that a request speaks of: the live one, or `?drill=<id>`.
#[derive(Clone)]
pub struct At(pub Arc<Post>);

impl FromRequestParts<Arc<Site>> for At {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        // Never the live reach by mistake: a drill that is named twice, or nearly, is refused and not passed over.
        let Query(pairs) = Query::<Vec<(String, String)>>::from_request_parts(parts, site).await?;
        let mut named = pairs.into_iter().filter(|(name, _)| name.to_ascii_lowercase().contains("drill"));
        let which = match (named.next(), named.next()) {
            (None, _) => None,
            (Some((name, id)), None) if name == "drill" => Some(id),
            _ => {
                let words = "演练参数须写作 drill 且只写一次 (name the drill once, as \"drill\")";
                return Err(Problem::bad_field("drill", words));
            }
        };
        match which {
            None => Ok(Self(Arc::clone(&site.live))),
            Some(id) => site.drills.post(&id).map(Self).ok_or_else(|| Problem::not_found(format!("演练 {id}"))),
        }
    }
}

/// An id in the path, named in the error when it is none.
pub struct Id<T>(pub T);

impl<T: FromStr<Err = String> + Send, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|fault| Problem::bad_field("id", fault.to_string()))?;
        text.parse().map(Self).map_err(|fault| Problem::bad_field("id", fault))
    }
}

/// The query of an address; what is wrong with it is said by name.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        read.map(|query| Self(query.0)).map_err(|fault| {
            let why = std::error::Error::source(&fault).map_or_else(|| fault.to_string(), ToString::to_string);
            Problem::bad_field("query", format!("网址中的参数有误：{why} (a parameter of the address is wrong)"))
        })
    }
}

/// The most bytes of a body, for the words that refuse more.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(pub usize);

/// A JSON body; what is wrong with it is said by field and position.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let most = request.extensions().get::<BodyLimit>().copied();
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(JsonRejection::BytesRejection(fault)) if fault.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(too_much(most))
            }
            Err(JsonRejection::MissingJsonContentType(_)) => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not-json",
                "须为 application/json (send application/json)",
            )),
            Err(fault) => {
                let (field, words) = body_fault(&fault.body_text());
                Err(Problem::bad_field(field, words))
            }
        }
    }
}

fn too_much(most: Option<BodyLimit>) -> Problem {
    let most = most.map_or_else(String::new, |BodyLimit(bytes)| format!(" {bytes}"));
    Problem::too_large(format!(
        "请求体过大，上限{most} 字节（配置 [limits] body_bytes），请分次发送 (more than{most} bytes: send less at once)"
    ))
}

/// The bytes of a body as they came, for what is signed.
pub struct RawBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let most = request.extensions().get::<BodyLimit>().copied();
        Bytes::from_request(request, state).await.map(Self).map_err(|fault| match fault.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_much(most),
            _ => {
                Problem::bad_field("body", format!("请求体未收全：{} (the body did not come whole)", fault.body_text()))
            }
        })
    }
}

/// The field at fault and why, from the words of the reader of JSON: `<what failed>: [<path>: ]<why> at line <n> column <n>`.
fn body_fault(told: &str) -> (String, String) {
    let why = told.split_once(": ").map_or(told, |(_, why)| why);
    let (why, place) = why.rsplit_once(" at line ").map_or((why, ""), |(why, place)| (why, place));
    let (path, why) = match why.split_once(": ") {
        Some((path, rest)) if !path.contains([' ', '`']) => (path, rest),
        _ => ("body", why),
    };
    let (zh, named) = reader_says(why);
    let (zh, field) = match told.starts_with("Failed to parse") {
        true => ("不是有效的 JSON", path),
        false => (zh, named.unwrap_or(path)),
    };
    let at = if place.is_empty() { String::new() } else { format!(", line {place}") };
    (field.to_owned(), format!("{zh} ({why}{at})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        #[serde(rename = "discharge_m3s")]
        _discharge_m3s: f64,
    }

    #[tokio::test]
    async fn a_body_that_cannot_be_read_is_told_by_field_in_both_languages() {
        let check = async |text: &'static str, field: &str, zh: &str| {
            let request = Request::post("/").header("content-type", "application/json").body(text.into()).unwrap();
            let fault = Body::<Wanted>::from_request(request, &()).await.err().unwrap();
            let response = axum::response::IntoResponse::into_response(fault);
            let told = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
            let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
            let detail = told["detail"].as_str().unwrap();
            assert_eq!(told["field"], field, "{detail}");
            assert!(detail.starts_with(zh) && !detail.contains("target type"), "{detail}");
        };
        check("{}", "discharge_m3s", "缺少字段").await;
        check(r#"{"discharge_m3s":1,"q":2}"#, "q", "没有这个字段").await;
        check(r#"{"discharge_m3s":"many"}"#, "discharge_m3s", "类型不对").await;
        check(r#"{"discharge_m3s":1e999}"#, "discharge_m3s", "不").await;
        check("{", "body", "不是有效的 JSON").await;
    }
}
