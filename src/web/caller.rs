//! Where a request really comes from when a reverse proxy on this machine stands in front.
//!
//! In: the peer of the connection and the headers. Out: an address to count failed logins for. Only a peer on loopback
//! is believed: about `X-Forwarded-For` only its last entry, which that proxy itself wrote, and about
//! `X-Forwarded-Proto`, so that a cookie that came over TLS never leaves it.

use axum::http::HeaderMap;
use std::net::IpAddr;

/// The caller's address.
pub fn caller(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !peer.to_canonical().is_loopback() {
        return peer;
    }
    let last = headers.get_all("x-forwarded-for").iter().next_back();
    let written = last.and_then(|value| value.to_str().ok()).and_then(|list| list.rsplit(',').next());
    written.and_then(|entry| entry.trim().parse().ok()).unwrap_or(peer)
}

/// Whether a program on this machine asks for itself: a loopback peer that hands nobody's request on.
pub fn on_this_machine(peer: IpAddr, headers: &HeaderMap) -> bool {
    const HANDED_ON: [&str; 5] = ["x-forwarded-for", "x-forwarded-proto", "x-real-ip", "forwarded", "via"];
    peer.to_canonical().is_loopback() && !HANDED_ON.iter().any(|name| headers.contains_key(*name))
}

/// Whether the proxy on this machine took the request over TLS.
pub fn came_by_tls(peer: IpAddr, headers: &HeaderMap) -> bool {
    let written = headers.get_all("x-forwarded-proto").iter().next_back();
    peer.to_canonical().is_loopback() && written.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caller_is_believed_only_from_a_proxy_on_this_machine() {
        let check = |peer: &str, forwarded: &[&'static str], expected: &str| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            assert_eq!(caller(peer.parse().unwrap(), &headers), expected.parse::<IpAddr>().unwrap(), "{forwarded:?}");
        };
        check("127.0.0.1", &["203.0.113.9"], "203.0.113.9");
        check("::1", &["2001:db8::7"], "2001:db8::7");
        check("::ffff:127.0.0.1", &["203.0.113.9"], "203.0.113.9");
        check("127.0.0.1", &["1.1.1.1, 203.0.113.9"], "203.0.113.9");
        check("127.0.0.1", &["1.1.1.1", "203.0.113.9"], "203.0.113.9");
        check("127.0.0.1", &[], "127.0.0.1");
        check("127.0.0.1", &["unknown"], "127.0.0.1");
        check("10.0.0.3", &["203.0.113.9"], "10.0.0.3");
    }

    #[test]
    fn caller_on_this_machine_is_no_proxy() {
        let local = |peer: &str, header: Option<&'static str>| {
            let headers = header.map(|name| (name.parse().unwrap(), "203.0.113.9".parse().unwrap()));
            on_this_machine(peer.parse().unwrap(), &headers.into_iter().collect())
        };
        assert!(local("127.0.0.1", None) && local("::1", None) && local("::ffff:127.0.0.1", Some("accept")));
        assert!(!local("10.0.0.3", None));
        for name in ["x-forwarded-for", "x-forwarded-proto", "x-real-ip", "forwarded", "via"] {
            assert!(!local("127.0.0.1", Some(name)), "{name}");
        }
    }

    #[test]
    fn caller_by_tls_is_believed_only_from_a_proxy_on_this_machine() {
        let by_tls = |peer: &str, proto: Option<&'static str>| {
            let headers = proto.map(|proto| ("x-forwarded-proto".parse().unwrap(), proto.parse().unwrap()));
            came_by_tls(peer.parse().unwrap(), &headers.into_iter().collect())
        };
        assert!(by_tls("127.0.0.1", Some("https")));
        assert!(!by_tls("127.0.0.1", Some("http")) && !by_tls("127.0.0.1", None) && !by_tls("10.0.0.3", Some("https")));
    }
}
