//! 演示账号: in a demo, links into the other demo accounts, so that one newcomer can play both officers and a phone.

use crate::model::{UserName, UserRole};
use crate::web::caller::on_this_machine;
use crate::web::{ClockKind, Problem, Session, Site};
use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;

/// How long an offered link stays good.
const LINK_LIFE: TimeDelta = TimeDelta::minutes(10);

/// One-time links into the demo's other accounts: only in a demo, only to its officers, only on this machine.
///
/// # Errors
/// 404 outside a demo, 403 for a member's account or from another machine.
pub async fn links(
    State(site): State<Arc<Site>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    session: Session,
) -> Result<Response, Problem> {
    if !site.demo || site.live.clock != ClockKind::Demo {
        return Err(Problem::not_found("演示账号链接：本服务器不是演示 (this server is no demo)"));
    }
    session.at_headquarters()?;
    if !on_this_machine(peer.ip(), &headers) {
        return Err(Problem::forbidden("仅限在运行演示的电脑上使用 (only on the machine that runs the demo)"));
    }
    let now = (site.wall)();
    let mut items = Vec::new();
    for user in site.users.list().await.map_err(|fault| Problem::internal(&fault))? {
        let plays_no_part = matches!(user.role, UserRole::Operator | UserRole::Auditor);
        if user.disabled || plays_no_part || user.name == session.actor.user {
            continue;
        }
        let token = site.users.login_link(&UserName::new(user.name.as_str()), LINK_LIFE, now).await?;
        let page = if user.role == UserRole::Member { "patrol" } else { "hq" };
        items.push(json!({
            "name": user.name, "role": user.role, "member_id": user.member,
            "link": format!("/{page}?token={}&seat=tab", token.reveal()),
        }));
    }
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(json!({ "items": items, "next": null }))).into_response())
}
