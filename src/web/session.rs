//! Who is asking: the session behind a cookie or a bearer token, and what the account may do.

use super::shape::rights;
use super::{Problem, Site};
use crate::command::Actor;
use crate::model::{MemberId, UserRole};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum_extra::extract::CookieJar;
use std::sync::Arc;

/// Name of the session cookie.
pub const COOKIE: &str = "anlan_session";

/// A caller who is logged in.
#[derive(Debug, Clone)]
pub struct Session {
    /// Account, role, member.
    pub actor: Actor,
}

impl Session {
    /// Refuses an account whose role does not carry that right.
    ///
    /// # Errors
    /// 403 naming the role.
    pub fn may(&self, right: &str) -> Result<(), Problem> {
        if rights(self.actor.role).contains(&right) {
            return Ok(());
        }
        Err(Problem::forbidden(format!(
            "角色 {} 无此权限（{right}） (your role may not {right})",
            self.actor.role.as_str()
        )))
    }

    /// The member that a phone's list is limited to; `None` for headquarters.
    ///
    /// # Errors
    /// 403 for a member account without a member.
    pub fn own_member(&self) -> Result<Option<MemberId>, Problem> {
        match (self.actor.role, &self.actor.member) {
            (UserRole::Member, Some(member)) => Ok(Some(member.clone())),
            (UserRole::Member, None) => Err(Problem::forbidden("账号未绑定网格员 (the account has no member)")),
            _ => Ok(None),
        }
    }

    /// Refuses phones.
    ///
    /// # Errors
    /// 403 for members.
    pub fn at_headquarters(&self) -> Result<(), Problem> {
        match self.actor.role {
            UserRole::Member => Err(Problem::forbidden("仅指挥部可用 (headquarters only)")),
            _ => Ok(()),
        }
    }
}

/// The token of a request: the cookie of a browser, or a phone's bearer token.
pub fn token(headers: &HeaderMap) -> Option<String> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let Some(token) = bearer.and_then(|value| value.strip_prefix("Bearer ")) {
        return Some(token.to_owned());
    }
    CookieJar::from_headers(headers).get(COOKIE).map(|cookie| cookie.value().to_owned())
}

impl FromRequestParts<Arc<Site>> for Session {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let token = token(&parts.headers).ok_or_else(Problem::no_login)?;
        let user = site.users.session(&token, (site.wall)()).await.map_err(|fault| Problem::internal(&fault))?;
        let user = user.ok_or_else(Problem::ended_login)?;
        Ok(Self { actor: Actor { user: user.name, role: user.role, member: user.member } })
    }
}
