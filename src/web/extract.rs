//! What handlers take from a request: the command post, an id of the path, a JSON body.

use super::{Post, Problem, Site};
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::str::FromStr;
use std::sync::Arc;

/// The command post that a request speaks of: the live one, or `?drill=<id>`.
#[derive(Clone)]
pub struct At(pub Arc<Post>);

#[derive(Deserialize)]
struct Which {
    drill: Option<String>,
}

impl FromRequestParts<Arc<Site>> for At {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let which = Query::<Which>::try_from_uri(&parts.uri).ok().and_then(|Query(which)| which.drill);
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

/// A JSON body; what is wrong with it is said by field and position.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(JsonRejection::BytesRejection(fault)) if fault.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "请求体过大 (the body is too large)"))
            }
            Err(JsonRejection::MissingJsonContentType(_)) => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not-json",
                "须为 application/json (send application/json)",
            )),
            Err(fault) => Err(Problem::bad_field("body", fault.body_text())),
        }
    }
}
