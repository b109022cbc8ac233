//! Our half of an MQTT 5 session: always empty.
//!
//! We publish nothing and subscribe anew at every connection, so nothing of ours has to outlive one. Said to the client as a
//! session that is there and empty, for without one it takes over what the broker kept (the messages that wait there) but
//! refuses to subscribe: a topic that was added meanwhile would never be asked for.

use mqtt5::{PersistedAckMode, PersistedSession, SessionStore, SessionStoreError, SessionStoreKey};
use std::pin::Pin;

/// Of the model of a session; another one is refused by name at the first connection.
const FORMAT: u16 = 1;

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, SessionStoreError>> + Send + 'a>>;

/// Remembers nothing.
#[derive(Debug)]
pub(super) struct BlankSession;

impl SessionStore for BlankSession {
    fn load<'a>(&'a self, key: &'a SessionStoreKey) -> Answer<'a, Option<PersistedSession>> {
        let session = PersistedSession {
            format_version: FORMAT,
            client_id: key.client_id().to_owned(),
            clean_start: false,
            session_expiry_interval: None,
            outgoing_inflight_upper_limit: None,
            ack_mode: PersistedAckMode::Manual,
            last_pkid: 0,
            last_puback: 0,
            replay: Vec::new(),
            incoming_qos2: Vec::new(),
        };
        Box::pin(async { Ok(Some(session)) })
    }
    fn save<'a>(&'a self, _: &'a SessionStoreKey, _: &'a PersistedSession) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }
    fn clear<'a>(&'a self, _: &'a SessionStoreKey) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}
