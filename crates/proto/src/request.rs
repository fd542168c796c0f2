//! Requests: what a device asks over WebSocket, `POST /v1/requests`, or both.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::entry::{Kind, Mention};
use crate::ids::{AccountId, ClientId, ConversationId};
use crate::raw::Raw;

/// Every request by its `type`, with its body. The reply types stand in [`crate::reply`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "body", rename_all = "snake_case")]
pub enum Request {
    /// First frame of a WebSocket; reply [`crate::reply::Welcome`].
    Hello(Hello),
    /// Append a message, edit, deletion or reaction; reply [`crate::reply::Sent`].
    Send(Send),
    /// Entries as they stand; reply [`crate::reply::Page`].
    History(HistoryQuery),
    /// Conversations, newest first; reply [`crate::reply::Window`].
    Window(WindowQuery),
    /// One conversation with its members; reply [`crate::reply::Detail`].
    Conversation(ConversationQuery),
    /// The conversation is on screen: typing and marks are wanted; reply [`crate::reply::Opened`].
    Open(ConversationQuery),
    /// The conversation is no longer on screen; reply [`crate::reply::Done`].
    Close(ConversationQuery),
    /// How far this account has received and read; reply [`crate::reply::Marked`].
    Mark(Mark),
    /// The author is typing, or stopped; reply [`crate::reply::Done`].
    Typing(Typing),
    /// Set a value of the account's own conversation; reply [`crate::reply::Sent`].
    Set(Set),
    /// Values of the account's own conversation; reply [`crate::reply::OwnState`].
    OwnState(OwnStateQuery),
    /// Who reacted to a message, and with what; reply [`crate::reply::Reactions`].
    Reactions(ReactionsQuery),
    /// Names and colours of accounts; reply [`crate::reply::Profiles`].
    Profiles(ProfilesQuery),
    /// The accounts on screen: their presence is wanted; reply [`crate::presence::Presences`].
    Watch(Watch),
    /// The device came to the foreground or left it; reply [`crate::reply::Done`].
    Foreground(Foreground),
    /// A new resume token; reply [`crate::reply::Pong`].
    Ping(Ping),
}

/// Says who connects and from where to resume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// The wire version: [`crate::PROTOCOL`].
    pub protocol: u32,
    /// Optional features that the client knows; the reply names those that both know.
    #[serde(default)]
    pub features: Vec<String>,
    /// The device's token; absent where the handshake brought a cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Whether somebody is looking.
    #[serde(default)]
    pub foreground: bool,
    /// The last resume token this device got; absent at its first start or after losing its cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
    /// How many rows the reply's window should hold at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u32>,
}

/// One act to append to a conversation's log. Sent again with the same `client_id`, it yields the same reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Send {
    /// Where.
    pub conversation: ConversationId,
    /// The act's name for ever.
    pub client_id: ClientId,
    /// The highest sequence of this conversation that the device had received when the act was composed. A repeated
    /// send keeps the base of the first.
    pub base: u64,
    /// The client id of this device's preceding unacknowledged send in this conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ClientId>,
    /// `message`, `edit`, `delete` or `reaction`.
    pub kind: Kind,
    /// The message that is answered, edited, deleted or reacted to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<u64>,
    /// Mentions in the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Mention>,
    /// [`crate::entry::MessageBody`] for `message` and `edit`, [`crate::entry::ReactionBody`] for `reaction`, absent
    /// for `delete`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Raw>,
}

/// Asks for entries as they stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryQuery {
    /// Of which conversation.
    pub conversation: ConversationId,
    /// Which of them.
    pub range: Range,
}

/// Which entries of a conversation. A page may cover less than was asked; its `from` and `to` say what it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    /// From `from` to `to`, both included; ascending, cut at the end where too long.
    Between {
        /// First sequence.
        from: u64,
        /// Last sequence.
        to: u64,
    },
    /// The newest `limit`.
    Newest {
        /// How many at most.
        limit: u32,
    },
    /// Up to `limit` entries before `before`.
    Before {
        /// The first sequence not wanted.
        before: u64,
        /// How many at most.
        limit: u32,
    },
    /// About `limit` entries with `seq` in their middle.
    Around {
        /// The middle.
        seq: u64,
        /// How many at most.
        limit: u32,
    },
}

/// Asks for conversations, the one touched last first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WindowQuery {
    /// Only those touched since this resume token was given out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The `next` of the window before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How many rows at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Names one conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConversationQuery {
    /// Which.
    pub conversation: ConversationId,
}

/// Moves the account's watermarks; they never move back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    /// Where.
    pub conversation: ConversationId,
    /// This device has stored everything up to here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<u64>,
    /// Somebody has seen everything up to here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<u64>,
}

/// Says that the author is typing; expires by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Typing {
    /// Where.
    pub conversation: ConversationId,
    /// False when the author stopped.
    pub typing: bool,
}

/// Sets a value that all devices of the account share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Set {
    /// The act's name for ever.
    pub client_id: ClientId,
    /// As in [`Send`], for the account's own conversation: with it a repeated `set` is found at any later time,
    /// without it only among the newest entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<u64>,
    /// Which value: `mute/…`, `archive/…`, `pin/…`, `draft/…` or `app/…`.
    pub key: String,
    /// The value; `null` removes it.
    pub value: Raw,
}

/// Asks for the values of the account's own conversation, ordered by key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnStateQuery {
    /// The last key of the reply before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Asks who reacted to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReactionsQuery {
    /// Where.
    pub conversation: ConversationId,
    /// To which message.
    pub seq: u64,
}

/// Asks for profiles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfilesQuery {
    /// Of whom; up to 200.
    pub accounts: Vec<AccountId>,
}

/// Names the accounts on screen, in place of the list before; an empty list ends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Watch {
    /// Whose presence is wanted; up to 200.
    pub accounts: Vec<AccountId>,
}

/// Says whether somebody is looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Foreground {
    /// True while somebody is looking.
    pub foreground: bool,
}

/// Asks for a sign of life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ping {}
