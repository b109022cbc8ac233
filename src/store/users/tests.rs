//! Users end to end on a real file: doors, links, sessions, revocation, and what the file must not contain.

use super::*;
use crate::store::state_file;
use chrono::TimeDelta;

const GOOD: &str = "安澜 花园口 1958";

fn at(s: i64) -> Timestamp {
    Timestamp::from_timestamp(1_780_000_000 + s, 0).unwrap()
}

fn name(text: &str) -> UserName {
    UserName::from(text)
}

fn new(text: &str, role: UserRole) -> NewUser {
    let member = (role == UserRole::Member).then(|| MemberId::from(format!("mbr-{text}")));
    NewUser { name: text.to_owned(), role, member, password: Some(Password::new(GOOD)) }
}

fn login(text: &str, password: &str) -> Login {
    Login { name: text.to_owned(), password: Password::new(password), address: "10.0.0.9".parse().unwrap() }
}

async fn users() -> (tempfile::TempDir, Users) {
    let dir = tempfile::tempdir().unwrap();
    let database = Database::open(&state_file(dir.path()), &[USERS_SCHEMA]).await.unwrap();
    (dir, Users::new(database))
}

#[tokio::test]
async fn users_log_in_and_out() {
    let (_dir, users) = users().await;
    let made = users.add(new("zhang.duty", UserRole::Duty), at(0)).await.unwrap();
    let opened = users.login(login("zhang.duty", GOOD), at(1)).await.unwrap();
    assert_eq!((&opened.user, opened.expires), (&made, at(1) + HQ_SESSION));
    assert_eq!(users.session(opened.token.reveal(), at(2)).await.unwrap(), Some(made));
    assert_eq!(users.session(opened.token.reveal(), opened.expires).await.unwrap(), None, "ended by time");
    users.end_session(opened.token.reveal(), at(3)).await.unwrap();
    assert_eq!(users.session(opened.token.reveal(), at(4)).await.unwrap(), None, "ended by hand");
    for stranger in ["", "x", "'; DROP TABLE session; --", Secret::draw().unwrap().reveal()] {
        assert_eq!(users.session(stranger, at(4)).await.unwrap(), None);
        users.end_session(stranger, at(4)).await.unwrap();
    }
}

#[tokio::test]
async fn users_wrong_password_and_unknown_name_get_the_same_words_and_then_a_lock() {
    let (_dir, users) = users().await;
    users.add(new("duty", UserRole::Duty), at(0)).await.unwrap();
    let wrong = users.login(login("duty", "not the password"), at(1)).await.unwrap_err().to_string();
    let unknown = users.login(login("nobody", "not the password"), at(1)).await.unwrap_err().to_string();
    assert_eq!(wrong, unknown);
    for s in 2..6 {
        assert!(matches!(users.login(login("duty", "no"), at(s)).await.unwrap_err(), UserError::Refused));
    }
    let locked = users.login(login("duty", GOOD), at(6)).await.unwrap_err();
    assert!(matches!(locked, UserError::Locked { .. }), "{locked}");
    assert!(locked.to_string().contains("try again in 30 s"), "{locked}");
    users.login(login("duty", GOOD), at(40)).await.expect("the lock ends");
}

#[tokio::test]
async fn users_bad_requests_name_what_is_wrong() {
    let (_dir, users) = users().await;
    users.add(new("wang", UserRole::Member), at(0)).await.unwrap();
    let check = async |new: NewUser, word: &str| {
        let refusal = users.add(new, at(1)).await.unwrap_err().to_string();
        assert!(refusal.contains(word), "{refusal}");
    };
    check(new("wang", UserRole::Duty), "wang exists").await;
    check(NewUser { member: Some("mbr-wang".into()), ..new("li", UserRole::Member) }, "mbr-wang has a user").await;
    check(NewUser { member: None, ..new("li", UserRole::Member) }, "--member").await;
    check(new("two words", UserRole::Duty), "two words").await;
    check(new("", UserRole::Duty), "cannot be a user name").await;
    check(NewUser { password: Some(Password::new("short")), ..new("li", UserRole::Duty) }, "10 characters").await;
    assert!(users.set_password(&name("li"), Password::new(GOOD), at(1)).await.unwrap_err().to_string().contains("li"));
    assert!(users.disable(&name("li"), at(1)).await.unwrap_err().to_string().contains("no user li"));
    assert!(users.login_link(&name("li"), TimeDelta::hours(1), at(1)).await.unwrap_err().to_string().contains("li"));
    assert_eq!(users.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn users_link_opens_one_session_once() {
    let (_dir, users) = users().await;
    users.add(NewUser { password: None, ..new("wang", UserRole::Member) }, at(0)).await.unwrap();
    let link = users.login_link(&name("wang"), TimeDelta::hours(1), at(0)).await.unwrap();
    let (first, second) = tokio::join!(
        users.redeem(link.reveal(), SessionKind::Device, at(1)),
        users.redeem(link.reveal(), SessionKind::Device, at(1)),
    );
    assert_eq!(u8::from(first.is_ok()) + u8::from(second.is_ok()), 1, "two at once: one gets in");
    let opened = first.or(second).unwrap();
    assert_eq!(opened.user.member, Some("mbr-wang".into()));
    let late = users.login_link(&name("wang"), TimeDelta::hours(1), at(0)).await.unwrap();
    let refusal = users.redeem(late.reveal(), SessionKind::Device, at(3600)).await.unwrap_err();
    assert!(matches!(refusal, UserError::StaleLink), "{refusal}");
    assert!(
        matches!(users.login(login("wang", ""), at(2)).await.unwrap_err(), UserError::Refused),
        "no password, no login"
    );
}

#[tokio::test]
async fn users_phone_in_use_stays_logged_in_and_a_lost_one_is_shut_out() {
    let (_dir, users) = users().await;
    users.add(new("wang", UserRole::Member), at(0)).await.unwrap();
    let opened = users.open_session(&name("wang"), SessionKind::Device, at(0)).await.unwrap();
    let mut now = at(0);
    for _ in 0..6 {
        now += TimeDelta::days(100);
        assert!(users.session(opened.token.reveal(), now).await.unwrap().is_some(), "{now}");
    }
    let link = users.login_link(&name("wang"), TimeDelta::hours(1), now).await.unwrap();
    users.revoke(&name("wang"), now).await.unwrap();
    assert_eq!(users.session(opened.token.reveal(), now).await.unwrap(), None);
    assert!(users.redeem(link.reveal(), SessionKind::Device, now).await.is_err());
}

#[tokio::test]
async fn users_disabled_or_with_a_new_password_lose_their_sessions() {
    let (_dir, users) = users().await;
    users.add(new("boss", UserRole::Operator), at(0)).await.unwrap();
    users.add(new("duty", UserRole::Duty), at(0)).await.unwrap();
    let refusal = users.disable(&name("boss"), at(1)).await.unwrap_err();
    assert!(matches!(refusal, UserError::LastAdministrator { .. }), "{refusal}");
    let before = users.open_session(&name("duty"), SessionKind::Browser, at(1)).await.unwrap();
    users.set_password(&name("duty"), Password::new("another long one"), at(2)).await.unwrap();
    assert_eq!(users.session(before.token.reveal(), at(3)).await.unwrap(), None);
    assert!(users.login(login("duty", GOOD), at(3)).await.is_err());
    let after = users.login(login("duty", "another long one"), at(3)).await.unwrap();
    users.disable(&name("duty"), at(4)).await.unwrap();
    assert_eq!(users.session(after.token.reveal(), at(5)).await.unwrap(), None);
    assert!(users.login(login("duty", "another long one"), at(5)).await.is_err());
    assert!(users.open_session(&name("duty"), SessionKind::Browser, at(5)).await.is_err());
    assert!(users.list().await.unwrap().iter().any(|user| user.disabled));
}

#[tokio::test]
async fn users_door_stays_closed_until_the_console_token_makes_an_administrator() {
    let (_dir, users) = users().await;
    users.add(new("duty", UserRole::Duty), at(0)).await.unwrap();
    assert!(!users.has_administrator().await.unwrap());
    let early = users.setup_token(TimeDelta::hours(1), at(0)).await.unwrap();
    let token = users.setup_token(TimeDelta::hours(1), at(1)).await.unwrap();
    let boss = || NewUser { role: UserRole::Viewer, ..new("boss", UserRole::Viewer) };
    for wrong in [early.reveal(), "guess", Secret::draw().unwrap().reveal()] {
        assert!(matches!(users.set_up(wrong, boss(), at(2)).await.unwrap_err(), UserError::StaleLink));
    }
    let foreign = users.login_link(&name("duty"), TimeDelta::hours(1), at(2)).await.unwrap();
    assert!(users.set_up(foreign.reveal(), boss(), at(2)).await.is_err(), "a login link is no set-up token");
    assert!(users.redeem(token.reveal(), SessionKind::Browser, at(2)).await.is_err(), "and the other way round");
    let taken = users.set_up(token.reveal(), new("duty", UserRole::Operator), at(2)).await.unwrap_err();
    assert!(matches!(taken, UserError::Exists { .. }), "{taken}");
    let opened = users.set_up(token.reveal(), boss(), at(2)).await.expect("a refusal does not use the token up");
    assert_eq!(opened.user.role, UserRole::Operator);
    assert!(users.has_administrator().await.unwrap());
    let again = users.setup_token(TimeDelta::hours(1), at(3)).await.unwrap();
    let refusal = users.set_up(again.reveal(), new("second", UserRole::Operator), at(4)).await.unwrap_err();
    assert!(matches!(refusal, UserError::AlreadySetUp), "{refusal}");
}

#[tokio::test]
async fn users_file_holds_no_password_and_no_token() {
    let (dir, users) = users().await;
    users.add(new("duty", UserRole::Duty), at(0)).await.unwrap();
    let opened = users.login(login("duty", GOOD), at(1)).await.unwrap();
    let link = users.login_link(&name("duty"), TimeDelta::hours(1), at(1)).await.unwrap();
    users.database.close().await;
    let file = std::fs::read(state_file(dir.path())).unwrap();
    for secret in [GOOD, opened.token.reveal(), link.reveal()] {
        assert!(!file.windows(secret.len()).any(|part| part == secret.as_bytes()));
    }
    let hash = opened.token.hash();
    assert!(file.windows(64).any(|part| part == hash.as_str().as_bytes()), "the search itself works");
}

#[tokio::test]
async fn users_purge_forgets_what_ended_long_ago() {
    let (_dir, users) = users().await;
    users.add(new("duty", UserRole::Duty), at(0)).await.unwrap();
    let old = users.open_session(&name("duty"), SessionKind::Browser, at(0)).await.unwrap();
    users.login_link(&name("duty"), TimeDelta::hours(1), at(0)).await.unwrap();
    let now = at(0) + TimeDelta::days(31);
    let live = users.open_session(&name("duty"), SessionKind::Browser, now).await.unwrap();
    assert_eq!(users.purge(now).await.unwrap(), 2);
    assert!(users.session(old.token.reveal(), at(1)).await.unwrap().is_none());
    assert!(users.session(live.token.reveal(), now).await.unwrap().is_some());
}
