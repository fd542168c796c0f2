//! An entry: one numbered item of a conversation's log, as clients see it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, ClientId, ConversationId, DeviceId};
use crate::raw::Raw;

/// What an entry does. Clients show a kind they do not know as "needs a newer version".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody said something; `target` is the message it answers. The only kind that counts as unread.
    Message,
    /// A new body for the message `target`.
    Edit,
    /// The message `target` is gone for all.
    Delete,
    /// The author's reaction to `target`; body [`ReactionBody`].
    Reaction,
    /// The conversation begins; body [`CreatedBody`].
    Created,
    /// Members were added; body [`AccountsBody`].
    MembersAdded,
    /// A member was removed by somebody else; body [`AccountsBody`].
    MemberRemoved,
    /// The author left, or its account was deleted.
    MemberLeft,
    /// A member's role changed; body [`RoleBody`].
    RoleChanged,
    /// Title, settings or data changed; body [`SettingsBody`].
    SettingsChanged,
    /// The group is closed for good.
    Dissolved,
    /// Every message of the author is erased, because its account was deleted.
    AuthorErased,
    /// A value of the account's own conversation; body [`SetBody`].
    Set,
    /// A kind that this version does not know.
    #[serde(other)]
    Unknown,
}

/// One entry. The envelope is always readable; the body is absent where it was erased.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Its number in the conversation, from 1.
    pub seq: u64,
    /// When it was committed: milliseconds since 1970, UTC; never smaller than the entry's before it.
    pub at: u64,
    /// What it does.
    pub kind: Kind,
    /// Who did it.
    pub author: AccountId,
    /// The id that the author's client gave to the act.
    pub client_id: ClientId,
    /// How many countable entries stand here and before; unread counts are differences of it.
    pub ordinal: u64,
    /// The earlier entry that this one answers, changes or deletes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<u64>,
    /// Who is mentioned in the text, and where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Mention>,
    /// What it says; absent where it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Raw>,
    /// Only in pages: how the message stands now, where that differs from how it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

/// How a message stands at the time of a page: the body beside it is already the last edit's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    /// The number of the last edit, 0 if never edited.
    #[serde(default)]
    pub edited: u64,
    /// The number of the entry that deleted it, 0 if it stands.
    #[serde(default)]
    pub deleted: u64,
    /// The number of the newest reaction entry counted below.
    #[serde(default)]
    pub reacted: u64,
    /// Reactions by number of accounts, most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<ReactionCount>,
}

/// How many members reacted with one emoji.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReactionCount {
    /// The emoji.
    pub emoji: String,
    /// How many accounts chose it.
    pub count: u32,
    /// Whether the reader did.
    #[serde(default)]
    pub mine: bool,
}

/// A mention in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mention {
    /// Who is meant.
    pub who: Mentioned,
    /// Where it starts, in Unicode scalar values.
    pub start: u32,
    /// How long it is, in Unicode scalar values.
    pub length: u32,
}

/// Whom a mention means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mentioned {
    /// One member.
    Account(AccountId),
    /// Every member.
    All,
}

/// What a message says. Other types than these are stored as they came and shown as "needs a newer version", save
/// `media`, `encrypted` and `handshake`, which are refused until they are built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum MessageBody {
    /// Text as it was typed; clients render a small Markdown subset.
    Text {
        /// The text.
        text: String,
        /// Opaque data of the app, up to 2 KiB.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<Raw>,
    },
    /// An app's own content, opaque to Suda.
    Custom {
        /// The content.
        data: Raw,
    },
}

/// By hand: serde takes a tagged object apart before it reads the variant, and a value that passes through must not be.
impl<'de> Deserialize<'de> for MessageBody {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Shape {
            #[serde(rename = "type")]
            kind: String,
            text: Option<String>,
            data: Option<Raw>,
        }
        let Shape { kind, text, data } = Shape::deserialize(deserializer)?;
        match (kind.as_str(), text) {
            ("text", Some(text)) => Ok(Self::Text { text, data }),
            ("text", None) => Err(serde::de::Error::missing_field("text")),
            ("custom", _) => Ok(Self::Custom { data: data.unwrap_or_else(|| Raw::of(&())) }),
            (other, _) => Err(serde::de::Error::unknown_variant(other, &["text", "custom"])),
        }
    }
}

/// Body of [`Kind::Reaction`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReactionBody {
    /// The author's reaction from now on; absent when it takes its reaction back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
    /// The reaction that this one replaces; filled in by the server, so that counts can be kept by difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
}

/// What a conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConversationKind {
    /// Of exactly two accounts.
    Direct,
    /// Of up to the configured number of members.
    Group,
    /// The account's own.
    #[serde(rename = "self")]
    Own,
}

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Talks.
    Member,
    /// Also names, adds, removes, and deletes anybody's messages.
    Admin,
    /// Also promotes, hands over and dissolves.
    Owner,
}

/// Which past a new member sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// Only what comes after joining.
    #[default]
    FromJoin,
    /// Everything.
    All,
}

/// Body of [`Kind::Created`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CreatedBody {
    /// What was created.
    pub kind: ConversationKind,
    /// Its members; the author is the owner of a group.
    pub members: Vec<AccountId>,
    /// Its first settings.
    #[serde(default)]
    pub settings: SettingsBody,
}

/// Body of [`Kind::SettingsChanged`]: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SettingsBody {
    /// The group's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Which past new members see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
    /// For how many seconds a message may be edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit_seconds: Option<u32>,
    /// Opaque data of the app, up to 2 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Raw>,
}

/// Body of [`Kind::MembersAdded`] and [`Kind::MemberRemoved`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountsBody {
    /// Who.
    pub accounts: Vec<AccountId>,
}

/// Body of [`Kind::RoleChanged`]. Making somebody owner makes the author an admin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoleBody {
    /// Whose role.
    pub account: AccountId,
    /// The new role.
    pub role: Role,
}

/// Body of [`Kind::Set`]: the newest value of a key is its state; `null` removes the key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SetBody {
    /// The key; see [`SetKey`].
    pub key: String,
    /// The value.
    pub value: Raw,
}

/// The keys of an account's own conversation. Devices may set the first five; the rest are written by the server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SetKey {
    /// `mute/CONVERSATION`: `{"until": milliseconds | null, "except_mentions": bool}`.
    Mute(ConversationId),
    /// `archive/CONVERSATION`: `true`.
    Archive(ConversationId),
    /// `pin/CONVERSATION`: a number; pins are shown in ascending order.
    Pin(ConversationId),
    /// `draft/CONVERSATION`: `{"text": …}`.
    Draft(ConversationId),
    /// `app/NAME`: anything of the app's own.
    App(String),
    /// `contact/ACCOUNT`: the relation to somebody, see [`crate::rest::Relation`].
    Contact(AccountId),
    /// `device/DEVICE`: a device of the account.
    Device(DeviceId),
    /// `member/CONVERSATION`: membership in a conversation.
    Member(ConversationId),
    /// `profile`: the account's own profile and settings changed.
    Profile,
}

impl SetKey {
    /// Reads a key; `None` if it is of no known form.
    pub fn parse(key: &str) -> Option<Self> {
        if key == "profile" {
            return Some(Self::Profile);
        }
        let (family, rest) = key.split_once('/')?;
        Some(match family {
            "mute" => Self::Mute(rest.parse().ok()?),
            "archive" => Self::Archive(rest.parse().ok()?),
            "pin" => Self::Pin(rest.parse().ok()?),
            "draft" => Self::Draft(rest.parse().ok()?),
            "contact" => Self::Contact(rest.parse().ok()?),
            "device" => Self::Device(rest.parse().ok()?),
            "member" => Self::Member(rest.parse().ok()?),
            "app" if !rest.is_empty() && rest.len() <= 64 => Self::App(rest.to_owned()),
            _ => return None,
        })
    }

    /// Whether a device may set it; the others are written by the server alone.
    pub const fn is_settable(&self) -> bool {
        matches!(self, Self::Mute(_) | Self::Archive(_) | Self::Pin(_) | Self::Draft(_) | Self::App(_))
    }
}

impl std::fmt::Display for SetKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mute(id) => write!(f, "mute/{id}"),
            Self::Archive(id) => write!(f, "archive/{id}"),
            Self::Pin(id) => write!(f, "pin/{id}"),
            Self::Draft(id) => write!(f, "draft/{id}"),
            Self::App(name) => write!(f, "app/{name}"),
            Self::Contact(id) => write!(f, "contact/{id}"),
            Self::Device(id) => write!(f, "device/{id}"),
            Self::Member(id) => write!(f, "member/{id}"),
            Self::Profile => f.write_str("profile"),
        }
    }
}
