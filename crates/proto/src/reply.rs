//! Replies: what each request is answered with when it succeeds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::entry::{ConversationKind, Entry, History, Role};
use crate::ids::{AccountId, ConversationId, DeviceId, Position};
use crate::limits::Limits;
use crate::presence::Presence;
use crate::raw::Raw;

/// Answers `hello`: the session lives, and here is what the device may have missed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Welcome {
    /// The wire version that both speak.
    pub protocol: u32,
    /// The optional features that both know.
    pub features: Vec<String>,
    /// The server's limits.
    pub limits: Limits,
    /// After how many silent seconds the server pings; a client gives up after twice as many.
    pub heartbeat_seconds: u32,
    /// Whose session this is.
    pub account: AccountId,
    /// Which device's.
    pub device: DeviceId,
    /// The server's clock, milliseconds since 1970.
    pub now: u64,
    /// Whether `resume` was accepted; if not, the window is a boot window: the newest conversations.
    pub resumed: bool,
    /// The boot window, or the conversations touched since `resume`.
    pub window: Window,
}

/// Answers `send` and `set`, once the entry is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sent {
    /// Where.
    pub conversation: ConversationId,
    /// Under which number.
    pub position: Position,
    /// When, milliseconds since 1970.
    pub at: u64,
    /// The entry's ordinal.
    pub ordinal: u64,
}

/// Answers `history`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Page {
    /// Of which conversation.
    pub conversation: ConversationId,
    /// The epoch of every number in it.
    pub epoch: u32,
    /// The highest sequence of the conversation now.
    pub head: u64,
    /// The first sequence that the page covers.
    pub from: u64,
    /// The last sequence that the page covers; `from - 1` where there is nothing.
    pub to: u64,
    /// The entries that the reader may see, ascending, as they stand. Sequences of the range that are missing here lie
    /// outside the reader's memberships.
    pub entries: Vec<Entry>,
}

/// A list of conversations, the one touched last first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// The conversations.
    pub rows: Vec<Row>,
    /// Where the list goes on; absent at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The resume token as of this window.
    pub resume: String,
}

/// One conversation in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Which.
    pub conversation: ConversationId,
    /// What it is.
    pub kind: ConversationKind,
    /// The log's epoch.
    pub epoch: u32,
    /// The highest sequence.
    pub head: u64,
    /// The lowest sequence that the account may see.
    pub floor: u64,
    /// The ordinal at the head.
    pub ordinal: u64,
    /// When it was touched last, milliseconds since 1970.
    pub at: u64,
    /// A group's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The other account of a direct conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<AccountId>,
    /// How many members it has.
    pub members: u32,
    /// The account's role; absent once it is no member any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// How far the account has read.
    pub read: u64,
    /// How many messages it has not read.
    pub unread: u64,
    /// How many of them mention it, at most 100.
    pub mentions: u32,
    /// The newest message, its text cut to 160 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Entry>,
}

/// Answers `conversation`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Detail {
    /// The conversation as in a list.
    pub row: Row,
    /// Its members, in the order in which they joined.
    pub members: Vec<Member>,
    /// Which past new members see.
    pub history: History,
    /// For how many seconds a message may be edited.
    pub edit_seconds: u32,
    /// Whether it is closed for good.
    pub dissolved: bool,
    /// Opaque data of the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Raw>,
}

/// A member with its watermarks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// Who.
    pub account: AccountId,
    /// What it may do.
    pub role: Role,
    /// Some device of it has stored everything up to here.
    pub delivered: u64,
    /// It has seen everything up to here.
    pub read: u64,
}

/// Answers `open`: how far everybody is and who is there, now; changes follow as `marks` and `presence` events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// The log's epoch.
    pub epoch: u32,
    /// The highest sequence.
    pub head: u64,
    /// The members with their watermarks.
    pub members: Vec<Member>,
    /// How many members are online now, oneself not counted; absent for a conversation of kind `self`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online: Option<u32>,
    /// The other members' states; empty in a group of more than 50, of which there is only the count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub presences: Vec<Presence>,
}

/// Answers `mark`; a `read` mark is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Marked {
    /// How far the account has read.
    pub read: u64,
    /// How many messages it has not read.
    pub unread: u64,
    /// How many of them mention it, at most 100.
    pub mentions: u32,
}

/// Answers `own_state`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnState {
    /// The values, ordered by key.
    pub items: Vec<OwnItem>,
    /// Whether more follow; ask with `after` = the last key.
    pub more: bool,
}

/// One value of the account's own conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnItem {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Raw,
    /// The entry that set it; a `set` entry with a lower number is older.
    pub seq: u64,
}

/// Answers `reactions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reactions {
    /// Who reacted, ordered by account.
    pub reactions: Vec<Reacted>,
}

/// One member's reaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reacted {
    /// Who.
    pub account: AccountId,
    /// With what.
    pub emoji: String,
}

/// Answers `profiles`; accounts that do not exist are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profiles {
    /// The profiles, in no particular order.
    pub profiles: Vec<crate::rest::Profile>,
}

/// Answers `ping`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pong {
    /// The server's clock, milliseconds since 1970.
    pub now: u64,
    /// A resume token as of now.
    pub resume: String,
}

/// Answers what has nothing to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Done {}
