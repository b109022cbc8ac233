//! One connection to a broker, 3.1.1 and 5 alike: subscribe on every connection, hand out what comes, acknowledge by hand.
//!
//! A connection is used once. What came over it can be acknowledged only over it: packet identifiers are used again, and
//! an acknowledgement that came too late must never count for another message.

use super::blank::BlankSession;
use super::decode::PAYLOAD_MAX;
use super::settings::{Broker, BrokerFault, MqttVersion};
use super::topic::TOPIC_MAX;
use super::words;
use bytes::Bytes;
use std::sync::Arc;

/// Packets of one read, acknowledgements of one flush.
const AT_ONCE: usize = 1024;
/// Requests on their way to the broker beside the acknowledgements that a caller counts on: the packets of a read are all
/// handed out, and may be acknowledged, before the connection looks at a request; and the subscription.
const REQUESTS: usize = 2 * AT_ONCE;
/// Largest packet of MQTT 3.1.1, which has no way to tell the broker: above it the connection breaks.
const PACKET_V4_MAX: usize = 64 << 20;
/// Largest packet that an MQTT 5 broker is asked for; it keeps larger ones to itself.
const PACKET_V5_MAX: usize = PAYLOAD_MAX + TOPIC_MAX + 1024;
/// Unacknowledged messages that an MQTT 5 broker may have on the way.
const RECEIVE_MAX: u16 = 8192;
/// How long an MQTT 5 broker keeps the session of a server that is away, seconds: a week, as the spool of a gateway.
const SESSION_KEPT_S: u32 = 7 * 86_400;

/// Where requests and acknowledgements go.
pub(super) enum Client {
    V4(mqtt4::AsyncClient),
    V5(mqtt5::AsyncClient),
}

/// The side that must be polled.
pub(super) enum Connection {
    V4(Box<mqtt4::EventLoop>),
    V5(Box<mqtt5::EventLoop>),
}

/// What the broker did.
pub(super) enum Heard {
    /// It took us in.
    Connected,
    /// It answered to the subscriptions; so many were granted and refused.
    Subscribed { granted: usize, refused: usize },
    /// A message.
    Message(Message),
    /// Nothing for us.
    Else,
}

/// A message.
pub(super) struct Message {
    pub(super) topic: Bytes,
    pub(super) payload: Bytes,
    pub(super) retained: bool,
    /// What to acknowledge; `None` at QoS 0.
    pub(super) ack: Option<Ack>,
}

/// An acknowledgement that may be sent once.
pub(super) enum Ack {
    V4(mqtt4::ManualAck),
    V5(mqtt5::ManualAck),
}

/// A new connection; nothing is sent before it is polled. It takes as many acknowledgements as there can be without waiting for
/// one of them to go out: whoever acknowledges and whoever polls never wait for each other.
pub(super) fn connection(broker: &Broker, acks: usize) -> Result<(Arc<Client>, Connection), BrokerFault> {
    let (login, tls) = (broker.login()?, broker.tls()?);
    let table = |cause: &dyn std::error::Error| BrokerFault::Table { id: broker.id.clone(), what: cause.to_string() };
    match broker.version {
        MqttVersion::V4 => {
            let mut options = mqtt4::MqttOptions::new(&broker.client_id, (broker.host.clone(), broker.port));
            options.set_keep_alive(broker.keep_alive_s);
            options.set_ack_mode(mqtt4::AckMode::Manual).set_max_packet_size(PACKET_V4_MAX, TOPIC_MAX * 64);
            options.set_max_request_batch(AT_ONCE).set_read_batch_size(AT_ONCE);
            options.try_set_clean_session(false).map_err(|cause| table(&cause))?;
            if let Some(login) = login {
                options.set_credentials(login.user, login.password);
            }
            if let Some(tls) = tls {
                options.set_transport(mqtt4::Transport::tls_with_config(mqtt4::TlsConfiguration::Rustls(tls)));
            }
            let (client, polled) = mqtt4::AsyncClient::builder(options)
                .capacity(acks + REQUESTS)
                .try_build()
                .map_err(|cause| table(&cause))?;
            Ok((Arc::new(Client::V4(client)), Connection::V4(Box::new(polled))))
        }
        MqttVersion::V5 => {
            let mut options = mqtt5::MqttOptions::new(&broker.client_id, (broker.host.clone(), broker.port));
            options.set_keep_alive(broker.keep_alive_s);
            options.set_ack_mode(mqtt5::AckMode::Manual);
            options.set_max_request_batch(AT_ONCE).set_read_batch_size(AT_ONCE);
            options.set_clean_start(false).set_session_expiry_interval(Some(SESSION_KEPT_S));
            // We send nothing that would have to be replayed, and subscribe at every connection: our half of a session that
            // the broker kept is always empty, and known to be so.
            options.set_session_store(BlankSession);
            options.set_receive_maximum(Some(RECEIVE_MAX));
            let largest = u32::try_from(PACKET_V5_MAX).unwrap_or(u32::MAX);
            options.set_incoming_packet_size_limit(mqtt5::IncomingPacketSizeLimit::Bytes(largest));
            if let Some(login) = login {
                options.set_credentials(login.user, login.password);
            }
            if let Some(tls) = tls {
                options.set_transport(mqtt5::Transport::tls_with_config(mqtt5::TlsConfiguration::Rustls(tls)));
            }
            let (client, polled) = mqtt5::AsyncClient::builder(options)
                .capacity(acks + REQUESTS)
                .try_build()
                .map_err(|cause| table(&cause))?;
            Ok((Arc::new(Client::V5(client)), Connection::V5(Box::new(polled))))
        }
    }
}

impl Client {
    /// Asks for topics at QoS 1; the broker grants less where it can do no more.
    pub(super) async fn subscribe(&self, topics: &[&str]) -> Result<(), String> {
        let said = match self {
            Self::V4(client) => {
                let filters =
                    topics.iter().map(|topic| mqtt4::SubscribeFilterInput::new(*topic, mqtt4::QoS::AtLeastOnce));
                client.subscribe_many(filters).await.map_err(|cause| cause.to_string())
            }
            Self::V5(client) => {
                let filters =
                    topics.iter().map(|topic| mqtt5::SubscribeFilterInput::new(*topic, mqtt5::QoS::AtLeastOnce));
                client.subscribe_many(filters).await.map_err(|cause| cause.to_string())
            }
        };
        said.map_err(|cause| format!("订阅未能发出 (cannot subscribe): {cause}"))
    }

    /// Sends an acknowledgement. Over a connection that is gone it goes nowhere: the broker sends the message again.
    pub(super) async fn acknowledge(&self, ack: Ack) {
        match (self, ack) {
            (Self::V4(client), Ack::V4(ack)) => drop(client.manual_ack(ack).await),
            (Self::V5(client), Ack::V5(ack)) => drop(client.manual_ack(ack).await),
            (Self::V4(_), Ack::V5(_)) | (Self::V5(_), Ack::V4(_)) => debug_assert!(false, "an ack of another client"),
        }
    }
}

impl Connection {
    /// The next thing that the broker did.
    pub(super) async fn next(&mut self, client: &Client) -> Result<Heard, String> {
        match (self, client) {
            (Self::V4(polled), Client::V4(client)) => {
                use mqtt4::{Event, Packet, SubscribeReasonCode};
                let event = polled.poll().await.map_err(|cause| words::of_v4(&cause))?;
                Ok(match event {
                    Event::Incoming(Packet::ConnAck(_)) => Heard::Connected,
                    Event::Incoming(Packet::SubAck(answer)) => {
                        let refused = |code: &&SubscribeReasonCode| matches!(code, SubscribeReasonCode::Failure);
                        let (all, refused) =
                            (answer.return_codes.len(), answer.return_codes.iter().filter(refused).count());
                        Heard::Subscribed { granted: all - refused, refused }
                    }
                    Event::Incoming(Packet::Publish(publish)) => {
                        let ack = client.prepare_ack(&publish).map(Ack::V4);
                        let (topic, payload) = (publish.topic, publish.payload);
                        Heard::Message(Message { topic, payload, retained: publish.retain, ack })
                    }
                    _ => Heard::Else,
                })
            }
            (Self::V5(polled), Client::V5(client)) => {
                use mqtt5::{Event, Packet, SubscribeReasonCode};
                let event = polled.poll().await.map_err(|cause| words::of_v5(&cause))?;
                Ok(match event {
                    Event::Incoming(Packet::ConnAck(_)) => Heard::Connected,
                    Event::Incoming(Packet::SubAck(answer)) => {
                        let refused = |code: &&SubscribeReasonCode| !matches!(code, SubscribeReasonCode::Success(_));
                        let (all, refused) =
                            (answer.return_codes.len(), answer.return_codes.iter().filter(refused).count());
                        Heard::Subscribed { granted: all - refused, refused }
                    }
                    Event::Incoming(Packet::Publish(publish)) => {
                        let ack = client.prepare_ack(&publish).map(Ack::V5);
                        let (topic, payload) = (publish.topic, publish.payload);
                        Heard::Message(Message { topic, payload, retained: publish.retain, ack })
                    }
                    _ => Heard::Else,
                })
            }
            _ => Err("协议版本不符 (a client of another protocol version)".to_owned()),
        }
    }
}
