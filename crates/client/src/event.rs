//! What the client tells the app: a bounded stream of hints to read again.

use suda_proto::{AccountId, ClientId, ConversationId, ErrorBody};
use tokio::sync::{Mutex, broadcast};

use crate::model::Message;

/// How many events wait for a subscriber before it is told that it lags.
pub(crate) const EVENT_CAPACITY: usize = 1_024;

/// How the client stands with the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ConnectionState {
    /// Not trying: before [`crate::Client::connect`], or after [`crate::Client::disconnect`].
    #[default]
    Offline,
    /// Trying; since the app opened or the connection was lost.
    Connecting,
    /// Connected. `polling` is true where WebSockets do not get through and the client polls instead.
    Online {
        /// Whether events come by polling.
        polling: bool,
    },
    /// Waiting before the next try.
    Waiting {
        /// For how long, in milliseconds.
        retry_in_ms: u64,
    },
    /// The token is not valid any more: log in again. What waits in the outbox is kept for the same account.
    LoggedOut,
    /// Trying again cannot help, and why: a close code's or error code's name.
    Stopped {
        /// The name.
        reason: String,
    },
}

/// Something changed. Events are hints: whoever misses some reads again and has missed nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientEvent {
    /// The connection's state changed.
    Connection {
        /// The new state.
        state: ConnectionState,
    },
    /// The list of conversations, or a conversation's row in it, changed.
    ConversationChanged {
        /// Which.
        conversation: ConversationId,
    },
    /// Messages came in that are newer than everything before; for notifications and live views.
    MessagesAdded {
        /// Where.
        conversation: ConversationId,
        /// The messages, ascending.
        messages: Vec<Message>,
    },
    /// Messages changed (edit, deletion, reaction, history filled in, sending state): read them again.
    MessagesChanged {
        /// Where.
        conversation: ConversationId,
    },
    /// The conversation's history is another one now: drop what is shown and read again.
    ConversationReset {
        /// Which.
        conversation: ConversationId,
    },
    /// Somebody's watermarks moved in an open conversation; see [`crate::Client::members`].
    MarksChanged {
        /// Where.
        conversation: ConversationId,
    },
    /// The presence of accounts on screen changed: of those that are watched, and of members of open conversations; see
    /// [`crate::Client::presence`].
    PresenceChanged {
        /// Whose.
        accounts: Vec<AccountId>,
    },
    /// Another number of members is online in an open conversation; see [`crate::Client::conversation_presence`].
    OnlineChanged {
        /// Where.
        conversation: ConversationId,
    },
    /// Somebody else types in an open conversation, or stopped; also told when nothing was heard for six seconds.
    Typing {
        /// Where.
        conversation: ConversationId,
        /// Who.
        account: AccountId,
        /// False when it stopped.
        typing: bool,
    },
    /// A send was refused for good; it stays visible as failed until it is retried or discarded.
    SendFailed {
        /// Where.
        conversation: ConversationId,
        /// Which send.
        client_id: ClientId,
        /// Why.
        error: ErrorBody,
    },
    /// A value of the account's own state changed: `app/…`, a draft, mute, pin or archive mark.
    OwnStateChanged {
        /// Its key; see [`suda_proto::entry::SetKey`].
        key: String,
    },
    /// Contacts, requests or blocks changed.
    ContactsChanged,
    /// The account's list of devices changed.
    DevicesChanged,
    /// Names or colours became known or changed.
    ProfilesChanged,
    /// This subscriber was too slow and missed events: read everything shown again.
    Lagged {
        /// How many it missed.
        missed: u64,
    },
}

/// A subscription to events.
#[derive(Debug)]
pub struct EventStream(Mutex<broadcast::Receiver<ClientEvent>>);

impl EventStream {
    pub(crate) fn new(receiver: broadcast::Receiver<ClientEvent>) -> Self {
        Self(Mutex::new(receiver))
    }

    /// The next event; `None` once the client has stopped. May be dropped while it waits: nothing is lost.
    pub async fn next(&self) -> Option<ClientEvent> {
        match self.0.lock().await.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(ClientEvent::Lagged { missed }),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
