//! The port `Bus` over NATS: two subjects a node, nothing kept by the engine.
//!
//! A node hears `<prefix>.node.<id>` and `<prefix>.all`. The reply subject of a packet names who sent it, so that a node
//! recognises its own packets where the engine returns them: one that was under way while the node connected anew.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, Subject, Subscriber};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use suda_domain::mailbox::Mailbox;
use suda_domain::placement::NodeId;
use suda_domain::ports::Bus;
use suda_domain::ports::bus::{Dropped, PACKET_BYTES};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::bus_options::{BusOptions, Credentials};

/// A server that leaves three pings unanswered is given up: within six seconds.
const PING_INTERVAL: Duration = Duration::from_secs(2);
/// For each address of a server that is tried; a frozen one accepts connections and says nothing.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const LEAVE_TIMEOUT: Duration = Duration::from_secs(2);
const RECONNECT_DELAY_MILLISECONDS: u64 = 2_000;
/// What waits to be written, at most.
const OUTGOING_PACKETS: usize = 4_096;
const OUTGOING_BYTES: usize = 32 << 20;
/// What waits for its way into the mailbox, at most, for each of the two subjects.
const INCOMING_PACKETS: usize = 4_096;

/// A node's connection to NATS. Dropping it ends the connection at once.
#[derive(Debug)]
pub struct NatsBus {
    client: Client,
    prefix: String,
    all: Subject,
    /// The reply subject of what this node sends.
    own: Subject,
    mailbox: Arc<Mailbox>,
    pumps: Mutex<JoinSet<()>>,
    left: AtomicBool,
    outgoing_bytes: Arc<AtomicUsize>,
    unsent: AtomicU64,
    overflowed: Arc<AtomicU64>,
}

/// Why a node could not join the bus.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The prefix is no subject.
    #[error("the bus's prefix must be letters, digits, `-` and `_`")]
    Prefix,
    /// The file with credentials cannot be read or is no such file.
    #[error("the credentials for NATS cannot be read")]
    Credentials(#[source] io::Error),
    /// NATS does not accept the credentials.
    #[error("NATS refuses the credentials of this node")]
    Refused(#[source] ConnectError),
    /// No server of NATS was reached, or TLS failed with each.
    #[error("no server of NATS can be reached")]
    Unreachable(#[source] ConnectError),
    /// The connection ended at once.
    #[error("NATS ended the connection")]
    Ended(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl NatsBus {
    /// Joins as `node`. Fails if no server is reached at the first attempt; once joined, it reconnects for ever.
    pub async fn join(options: &BusOptions, node: NodeId) -> Result<Self, JoinError> {
        if !options.prefix_is_valid() {
            return Err(JoinError::Prefix);
        }
        let overflowed = Arc::new(AtomicU64::new(0));
        let client = connect(options, node, Arc::clone(&overflowed)).await?;
        if client.server_info().max_payload < PACKET_BYTES {
            tracing::warn!(
                "NATS has a max_payload of less than 1 MiB: longer packets between nodes are lost"
            );
        }
        let prefix = options.prefix.clone();
        let all = Subject::from(format!("{prefix}.all"));
        let own = Subject::from(format!("{prefix}.sender.{:016x}", rand::random::<u64>()));
        let mailbox = Arc::new(Mailbox::default());
        let mut pumps = JoinSet::new();
        for subject in [all.clone(), node_subject(&prefix, node)] {
            let subscriber = client.subscribe(subject).await;
            let subscriber = subscriber.map_err(|error| JoinError::Ended(error.into()))?;
            pumps.spawn(pump(subscriber, Arc::clone(&mailbox), own.clone()));
        }
        client.flush().await.map_err(|error| JoinError::Ended(error.into()))?;
        Ok(Self {
            client,
            prefix,
            all,
            own,
            mailbox,
            pumps: Mutex::new(pumps),
            left: AtomicBool::new(false),
            outgoing_bytes: Arc::default(),
            unsent: AtomicU64::new(0),
            overflowed,
        })
    }

    fn publish(&self, subject: Subject, packet: Bytes) {
        if self.left.load(Ordering::Relaxed) {
            return;
        }
        // The client would keep what is sent now until it is connected again, when it is worth nothing.
        let may = packet.len() <= PACKET_BYTES && self.is_connected();
        if !(may && self.try_publish(subject, packet)) {
            self.unsent.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Hands a packet to the client, which writes it at once, together with what else waits; `false` if that is too much.
    fn try_publish(&self, subject: Subject, packet: Bytes) -> bool {
        let Some(packet) = admit(&self.outgoing_bytes, packet) else { return false };
        let publish = self.client.publish_with_reply(subject, self.own.clone(), packet);
        // It waits only for room in the client's queue, so one look tells. A task's spent budget is no full queue.
        matches!(tokio::task::unconstrained(publish).now_or_never(), Some(Ok(())))
    }

    /// Writes what waits, unsubscribes, and ends the connection.
    async fn drain(&self, pumps: &mut JoinSet<()>) {
        if self.client.flush().await.is_ok() && self.client.drain().await.is_ok() {
            while pumps.join_next().await.is_some() {}
        }
    }

    /// Nothing panics while it holds the lock.
    fn pumps(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.pumps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Bus for NatsBus {
    fn send(&self, node: NodeId, packet: Bytes) {
        self.publish(node_subject(&self.prefix, node), packet);
    }

    fn send_to_all(&self, packet: Bytes) {
        self.publish(self.all.clone(), packet);
    }

    async fn receive(&self) -> Option<Bytes> {
        // A mailbox that is never empty must not keep the thread from other tasks.
        tokio::task::consume_budget().await;
        self.mailbox.take().await
    }

    fn is_connected(&self) -> bool {
        !self.left.load(Ordering::Relaxed) && self.client.connection_state() == State::Connected
    }

    fn dropped(&self) -> Dropped {
        let overflowed = self.overflowed.load(Ordering::Relaxed);
        Dropped {
            sending: self.unsent.load(Ordering::Relaxed),
            receiving: self.mailbox.dropped() + overflowed,
        }
    }

    async fn leave(&self) {
        let connected = self.is_connected();
        self.left.store(true, Ordering::Relaxed);
        let mut pumps = std::mem::take(&mut *self.pumps());
        if connected && timeout(LEAVE_TIMEOUT, self.drain(&mut pumps)).await.is_err() {
            tracing::warn!("NATS did not take the last packets of this node in time");
        }
        drop(pumps);
        self.mailbox.close();
    }
}

fn node_subject(prefix: &str, node: NodeId) -> Subject {
    Subject::from(format!("{prefix}.node.{}", node.0))
}

/// Brings a subject's packets to the mailbox, but for the node's own.
async fn pump(mut subscriber: Subscriber, mailbox: Arc<Mailbox>, own: Subject) {
    while let Some(message) = subscriber.next().await {
        if message.reply.as_ref() != Some(&own) {
            mailbox.put(message.payload);
        }
    }
}

/// A packet that gives its room back when the client has written or dropped it; `None` if there is none.
fn admit(outgoing_bytes: &Arc<AtomicUsize>, packet: Bytes) -> Option<Bytes> {
    let before = outgoing_bytes.fetch_add(packet.len(), Ordering::Relaxed);
    let outgoing = Outgoing { outgoing_bytes: Arc::clone(outgoing_bytes), packet };
    (before + outgoing.packet.len() <= OUTGOING_BYTES).then(|| Bytes::from_owner(outgoing))
}

struct Outgoing {
    outgoing_bytes: Arc<AtomicUsize>,
    packet: Bytes,
}

impl AsRef<[u8]> for Outgoing {
    fn as_ref(&self) -> &[u8] {
        &self.packet
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.outgoing_bytes.fetch_sub(self.packet.len(), Ordering::Relaxed);
    }
}

async fn connect(
    options: &BusOptions,
    node: NodeId,
    overflowed: Arc<AtomicU64>,
) -> Result<Client, JoinError> {
    let settings = ConnectOptions::new()
        .name(format!("suda node {}", node.0))
        .no_echo()
        .ping_interval(PING_INTERVAL)
        .connection_timeout(CONNECT_TIMEOUT)
        .reconnect_delay_callback(reconnect_delay)
        .client_capacity(OUTGOING_PACKETS)
        .subscription_capacity(INCOMING_PACKETS)
        .event_callback(move |event| {
            note(&event, &overflowed);
            std::future::ready(())
        });
    let settings = with_tls(with_credentials(settings, &options.credentials).await?, options);
    settings.connect(options.servers.as_slice()).await.map_err(|error| match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            JoinError::Refused(error)
        }
        _ => JoinError::Unreachable(error),
    })
}

async fn with_credentials(
    settings: ConnectOptions,
    credentials: &Credentials,
) -> Result<ConnectOptions, JoinError> {
    Ok(match credentials {
        Credentials::None => settings,
        Credentials::Password { user, password } => {
            settings.user_and_password(user.clone(), password.clone())
        }
        Credentials::Seed(seed) => settings.nkey(seed.clone()),
        Credentials::File(path) => settings.credentials_file(path).await.map_err(JoinError::Credentials)?,
    })
}

fn with_tls(settings: ConnectOptions, options: &BusOptions) -> ConnectOptions {
    let tls = &options.tls;
    let mut settings = settings.require_tls(tls.required);
    if tls.first {
        settings = settings.tls_first();
    }
    if let Some(roots) = &tls.roots {
        settings = settings.add_root_certificates(roots.clone());
    }
    if let Some((certificate, key)) = &tls.certificate_and_key {
        settings = settings.add_client_certificate(certificate.clone(), key.clone());
    }
    settings
}

/// Random, so that the nodes of a server that died do not come to another one all at once.
fn reconnect_delay(attempt: usize) -> Duration {
    let longest = (50_u64 << attempt.min(6)).min(RECONNECT_DELAY_MILLISECONDS);
    Duration::from_millis(rand::random_range(0..=longest))
}

fn note(event: &Event, overflowed: &AtomicU64) {
    match event {
        Event::Connected => tracing::info!("connected to NATS"),
        Event::Disconnected => tracing::warn!("the connection to NATS is lost"),
        Event::SlowConsumer(_) => {
            overflowed.fetch_add(1, Ordering::Relaxed);
        }
        Event::ServerError(error) => tracing::warn!(%error, "NATS reports an error"),
        Event::ClientError(error) => tracing::debug!(%error, "NATS was not reached"),
        Event::LameDuckMode | Event::Draining | Event::Closed => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outgoing_packets_have_bounded_room_and_give_it_back() {
        let waiting = Arc::new(AtomicUsize::new(0));
        let packet = Bytes::from(vec![7; PACKET_BYTES]);
        let admitted: Vec<Bytes> = std::iter::from_fn(|| admit(&waiting, packet.clone())).collect();
        assert_eq!(admitted.len(), OUTGOING_BYTES / PACKET_BYTES);
        assert!(admitted.iter().all(|admitted| admitted == &packet), "packets are as they were");
        assert!(admit(&waiting, Bytes::from_static(b"!")).is_none(), "there is no room for one byte");
        drop(admitted);
        assert_eq!(waiting.load(Ordering::Relaxed), 0, "all room is back");
    }

    #[test]
    fn delays_are_short_at_first_and_bounded() {
        for attempt in 0..100 {
            let longest = if attempt <= 1 { 100 } else { RECONNECT_DELAY_MILLISECONDS };
            assert!(reconnect_delay(attempt) <= Duration::from_millis(longest), "attempt {attempt}");
        }
    }
}
