//! What an app shows: owned, flat types without references to the cache.

use suda_proto::entry::{ConversationKind, ReactionCount, Role};
use suda_proto::presence::Presence;
use suda_proto::{AccountId, ClientId, ConversationId, ErrorBody, Mention};

/// One line in the list of conversations.
#[derive(Clone, Debug, PartialEq)]
pub struct ConversationSummary {
    /// Which.
    pub conversation: ConversationId,
    /// What it is; the account's own conversation is never listed.
    pub kind: ConversationKind,
    /// What to call it: the group's title, or the other's display name; empty where neither is known yet.
    pub title: String,
    /// The other account of a direct conversation.
    pub peer: Option<AccountId>,
    /// How many members it has.
    pub members: u32,
    /// The account's role; absent once it is no member any more.
    pub role: Option<Role>,
    /// When it was touched last, milliseconds since 1970.
    pub at: u64,
    /// The highest sequence.
    pub head: u64,
    /// How far the account has read.
    pub read: u64,
    /// How many messages it has not read.
    pub unread: u64,
    /// How many of them mention it, at most 100.
    pub mentions: u32,
    /// The newest message; its text may be cut to 160 characters.
    pub last: Option<Message>,
    /// Muted: no notifications.
    pub mute: Option<Mute>,
    /// Whether it is archived.
    pub archived: bool,
    /// Where it is pinned; pins stand above the rest in ascending order.
    pub pin: Option<f64>,
    /// An unsent text, shared by the account's devices.
    pub draft: Option<String>,
    /// How many sends wait or failed.
    pub unsent: u32,
}

/// How a conversation is muted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mute {
    /// Until when, milliseconds since 1970; for ever where absent.
    pub until: Option<u64>,
    /// Whether mentions still notify.
    #[serde(default)]
    pub except_mentions: bool,
}

/// How far a message has come.
#[derive(Clone, Debug, PartialEq)]
pub enum MessageState {
    /// In the outbox; the server has not answered yet.
    Pending,
    /// Stored by the server.
    Sent,
    /// Refused for good: retry or discard it.
    Failed {
        /// Why.
        error: ErrorBody,
    },
}

/// One item of a conversation as it stands: what somebody said, or what happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Where.
    pub conversation: ConversationId,
    /// Its number; absent while it is not stored.
    pub seq: Option<u64>,
    /// The id that the author's client gave to it.
    pub client_id: ClientId,
    /// Who.
    pub author: AccountId,
    /// When, milliseconds since 1970: the server's time, or this device's while it is not stored.
    pub at: u64,
    /// What.
    pub content: MessageContent,
    /// The message that it answers.
    pub reply_to: Option<u64>,
    /// Whether it was edited.
    pub edited: bool,
    /// Reactions, most frequent first.
    pub reactions: Vec<ReactionCount>,
    /// How far it has come.
    pub state: MessageState,
    /// Whether an own edit, deletion or reaction of it is shown already but not stored yet.
    pub changing: bool,
}

/// What a message says, or what happened.
#[derive(Clone, Debug, PartialEq)]
pub enum MessageContent {
    /// Text in the small Markdown subset.
    Text {
        /// The text.
        text: String,
        /// Who is mentioned, and where.
        mentions: Vec<Mention>,
        /// Opaque data of the app, as JSON.
        data: Option<String>,
    },
    /// An app's own content, as JSON.
    Custom {
        /// The content.
        data: String,
    },
    /// It was deleted.
    Deleted,
    /// The conversation began.
    Created {
        /// Its first members.
        members: Vec<AccountId>,
        /// Its first title.
        title: Option<String>,
    },
    /// The author added members.
    MembersAdded {
        /// Whom.
        accounts: Vec<AccountId>,
    },
    /// The author removed members.
    MembersRemoved {
        /// Whom.
        accounts: Vec<AccountId>,
    },
    /// The author left.
    MemberLeft,
    /// The author changed somebody's role.
    RoleChanged {
        /// Whose.
        account: AccountId,
        /// The new role.
        role: Role,
    },
    /// The author changed the title or other settings.
    SettingsChanged {
        /// The new title, if that is what changed.
        title: Option<String>,
    },
    /// The group was dissolved.
    Dissolved,
    /// This needs a newer version of the app.
    Unsupported,
}

/// Who is there in a conversation, as far as the server has said on this connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationPresence {
    /// The other one, in a direct conversation.
    pub peer: Option<Presence>,
    /// How many others are online, while the conversation is open; absent where that is not known.
    pub online: Option<u32>,
    /// Others who type, whoever began first in front.
    pub typing: Vec<AccountId>,
}

/// Where to read messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The newest, and everything unsent.
    Newest,
    /// Those before this sequence.
    Before(u64),
    /// Those after this sequence.
    After(u64),
    /// Those around this sequence.
    Around(u64),
}

/// A stretch of a conversation without holes.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageList {
    /// The messages, ascending; unsent ones last.
    pub messages: Vec<Message>,
    /// Whether earlier messages exist, here or on the server.
    pub has_earlier: bool,
    /// Whether later messages exist, here or on the server.
    pub has_later: bool,
}

/// Where a client keeps what it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheLocation {
    /// In a file, made where it does not exist yet; it holds the device's token, so only its owner may read it.
    File(std::path::PathBuf),
    /// Nowhere: everything is gone with the process.
    Memory,
}
