//! Log in, out, and who am I; the first administrator.

use crate::model::{MemberId, UserName, UserRole};
use crate::store::users::{Login, NewUser, OpenedSession, Password, SessionKind, UserError};
use crate::web::caller::{caller, came_by_tls};
use crate::web::session::{COOKIE, token};
use crate::web::shape::rights;
use crate::web::{Body, Problem, Session, Site};
use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The room of the log for who tried to get in.
const DOOR: &str = "anlan::door";

/// A name with its password, or the token of a one-time link.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "须有 name 和 password，或 token (give name and password, or a token)")]
pub enum LoginBody {
    /// From the login page.
    Password {
        /// Login name.
        name: String,
        /// Password.
        password: String,
    },
    /// From a link.
    Token {
        /// The link's token.
        token: String,
        /// A phone keeps its session for months.
        #[serde(default)]
        device: bool,
    },
}

/// Opens a session.
///
/// # Errors
/// Wrong name or password, a used link, or too many attempts.
pub async fn login(
    State(site): State<Arc<Site>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    jar: CookieJar,
    Body(body): Body<LoginBody>,
) -> Result<Response, Problem> {
    let now = (site.wall)();
    let address = caller(peer.ip(), &headers);
    let opened = match body {
        LoginBody::Password { name, password } => {
            let login = Login { name: name.clone(), password: Password::new(password), address };
            match site.users.login(login, now).await {
                Err(UserError::Refused) => {
                    note_failure(&site, &name, address).await;
                    return Err(UserError::Refused.into());
                }
                opened => opened?,
            }
        }
        LoginBody::Token { token, device } => {
            let kind = if device { SessionKind::Device } else { SessionKind::Browser };
            let opened = site.users.redeem(&token, kind, now).await;
            if matches!(opened, Err(UserError::StaleLink | UserError::Refused)) {
                tracing::warn!(target: DOOR, %address, "登录链接无效 (a login link was refused)");
            }
            opened?
        }
    };
    tracing::info!(user = %opened.user.name, role = opened.user.role.as_str(), "登录 (logged in)");
    Ok(opened_response(&site, jar, &opened, came_by_tls(peer.ip(), &headers)))
}

/// A failed login in the log, and the lock that it leads to. Attempts while it is locked write nothing more, so that
/// nobody floods the log. Only names of accounts are written: into the field of the name people also type passwords.
async fn note_failure(site: &Site, name: &str, address: IpAddr) {
    let is_account = site.users.has_password(name).await.unwrap_or(false);
    let shown = if is_account { name } else { "未知 (no account)" };
    tracing::warn!(target: DOOR, name = shown, %address, "登录失败 (a login failed)");
    if let Some(wait) = site.users.locked_for(name, address, (site.wall)()) {
        let wait_s = wait.num_seconds();
        tracing::warn!(target: DOOR, name = shown, %address, wait_s, "登录已锁定 (locked out for a while)");
    }
}

fn opened_response(site: &Site, jar: CookieJar, opened: &OpenedSession, by_tls: bool) -> Response {
    let cookie = Cookie::build((COOKIE, opened.token.reveal().to_owned()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(by_tls)
        .build();
    let mut body = me_shape(site, &opened.user.name, opened.user.role, opened.user.member.as_ref());
    // A phone without cookies keeps the token itself; it is shown once, here.
    body["token"] = json!(opened.token.reveal());
    body["expires"] = json!(opened.expires);
    (StatusCode::OK, jar.add(cookie), Json(body)).into_response()
}

/// The account, with the person behind it: everybody may read the own name in full.
fn me_shape(site: &Site, name: &UserName, role: UserRole, member: Option<&MemberId>) -> Value {
    let frame = site.live.frame();
    let person = member.and_then(|id| frame.reach.member(id)).map(|member| {
        let roles: Vec<_> = member.roles.iter().map(|role| frame.role_name(role.as_str())).collect();
        json!({ "name": member.name, "roles": roles, "post": frame.place_or_everywhere(&member.post) })
    });
    let may = rights(role);
    json!({ "name": name, "role": role, "member_id": member, "person": person, "demo": site.demo, "may": may })
}

/// Who am I.
///
/// # Errors
/// Without a login.
pub async fn me(State(site): State<Arc<Site>>, session: Session) -> Json<Value> {
    let actor = &session.actor;
    Json(me_shape(&site, &actor.user, actor.role, actor.member.as_ref()))
}

/// Ends the session.
///
/// # Errors
/// When the database fails.
pub async fn logout(State(site): State<Arc<Site>>, headers: HeaderMap, jar: CookieJar) -> Result<Response, Problem> {
    if let Some(token) = token(&headers) {
        site.users.end_session(&token, (site.wall)()).await?;
    }
    let gone = Cookie::build((COOKIE, "")).path("/").build();
    Ok((StatusCode::NO_CONTENT, jar.remove(gone)).into_response())
}

/// The first administrator.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetupBody {
    token: String,
    name: String,
    password: String,
}

/// Makes the first administrator with the token from the console.
///
/// # Errors
/// A wrong token, a weak password, or when an administrator exists.
pub async fn set_up(
    State(site): State<Arc<Site>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    jar: CookieJar,
    Body(body): Body<SetupBody>,
) -> Result<Response, Problem> {
    let password = Some(Password::new(body.password));
    let new = NewUser { name: body.name, role: UserRole::Operator, member: None, password };
    let opened = site.users.set_up(&body.token, new, (site.wall)()).await?;
    tracing::info!(user = %opened.user.name, "已设置管理员 (the administrator is set up)");
    Ok(opened_response(&site, jar, &opened, came_by_tls(peer.ip(), &headers)))
}

impl From<UserError> for Problem {
    fn from(error: UserError) -> Self {
        let (status, kind) = match &error {
            UserError::Refused | UserError::StaleLink => (StatusCode::UNAUTHORIZED, "login-refused"),
            UserError::Locked { .. } | UserError::Crowded => (StatusCode::TOO_MANY_REQUESTS, "too-many"),
            UserError::AlreadySetUp | UserError::Exists { .. } | UserError::MemberTaken { .. } => {
                (StatusCode::CONFLICT, "conflict")
            }
            UserError::BadName { .. } => return Self::bad_field("name", error.to_string()),
            UserError::WeakPassword { .. } => return Self::bad_field("password", error.to_string()),
            UserError::Unknown { .. } => (StatusCode::NOT_FOUND, "not-found"),
            _ => return Self::internal(&error),
        };
        Self::new(status, kind, error.to_string())
    }
}
