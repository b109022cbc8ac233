//! The journal for auditors: facts as they are stored.

use crate::model::{FactSeq, UserRole};
use crate::web::{At, Problem, Session};
use axum::Json;
use axum::extract::Query;
use serde::Deserialize;
use serde_json::{Value, json};

const LIMIT_MAX: usize = 1000;

/// Where to go on.
#[derive(Debug, Default, Deserialize)]
pub struct JournalQuery {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

/// Facts after a position, oldest first, each with its hash.
///
/// # Errors
/// For members and viewers.
pub async fn after(At(post): At, session: Session, Query(query): Query<JournalQuery>) -> Result<Json<Value>, Problem> {
    if matches!(session.actor.role, UserRole::Member | UserRole::Viewer) {
        return Err(Problem::forbidden("无权查看日志 (your role may not read the journal)"));
    }
    let limit = query.limit.unwrap_or(LIMIT_MAX).clamp(1, LIMIT_MAX);
    let rows = post.engine.journal().texts_after(FactSeq(query.after), limit).await?;
    let next = (rows.len() == limit).then(|| rows.last().map(|(seq, ..)| seq.0.to_string())).flatten();
    let items = rows
        .into_iter()
        .map(|(_, body, hash)| {
            let mut fact: Value = serde_json::from_str(&body).map_err(|fault| Problem::internal(&fault))?;
            fact["hash"] = json!(hash.to_hex());
            Ok(fact)
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    Ok(Json(json!({ "items": items, "next": next })))
}
