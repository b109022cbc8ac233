//! The journal for auditors: facts as they are stored.

use crate::model::{FactSeq, UserRole};
use crate::web::{At, Problem, Query, Session};
use axum::Json;
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
    let directs = matches!(session.actor.role, UserRole::Director | UserRole::Auditor);
    let items = rows
        .into_iter()
        .filter(|(_, body, _)| directs || !tells_of_injection(body))
        .map(|(_, body, hash)| {
            let mut fact: Value = serde_json::from_str(&body).map_err(|fault| Problem::internal(&fault))?;
            fact["hash"] = json!(hash.to_hex());
            Ok(fact)
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    Ok(Json(json!({ "items": items, "next": next })))
}

/// Players of a drill must not read what its director breaks.
fn tells_of_injection(body: &str) -> bool {
    let is = |value: Option<&Value>, word: &str| value.and_then(Value::as_str) == Some(word);
    serde_json::from_str::<Value>(body).is_ok_and(|fact| {
        is(fact.get("fact"), "injected") || fact.get("input").is_some_and(|input| is(input.get("input"), "inject"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Actor, Entry, Fact, Injection, Input};
    use crate::model::{FaultKind, Timestamp, UserName};

    #[test]
    fn journal_hides_injections_and_nothing_else() {
        let by = Actor { user: UserName::new("director"), role: UserRole::Director, member: None };
        let from = Timestamp::UNIX_EPOCH;
        let injection =
            Injection { target: "huayuankou".into(), kind: FaultKind::Dead, value: None, from, for_s: None };
        let input = Box::new(Input::Inject { by: by.clone(), injection: injection.clone() });
        let check = |fact: Fact, expected: bool| {
            let body = serde_json::to_string(&Entry { seq: FactSeq(1), at: from, fact }).unwrap();
            assert_eq!(tells_of_injection(&body), expected, "{body}");
        };
        check(Fact::Injected { by, injection }, true);
        check(Fact::Received { input }, true);
        check(Fact::Received { input: Box::new(Input::Tick) }, false);
        check(Fact::Lowering { on: true }, false);
    }
}
