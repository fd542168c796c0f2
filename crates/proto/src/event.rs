//! Events: what a device is told without having asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::entry::Entry;
use crate::ids::{AccountId, ConversationId};
use crate::presence::Presences;
use crate::raw::Raw;
use crate::reply::Row;

/// Every event by its name.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "event", content = "body", rename_all = "snake_case")]
pub enum Event {
    /// New entries. A device applies them when they follow what it has, and fetches what lies between otherwise.
    Entries(Entries),
    /// Others' watermarks, merged over about half a second.
    Marks(Marks),
    /// The account's own read mark moved, on whichever device.
    Read(ReadMark),
    /// A member types or stopped; forget it after six seconds.
    Typing(TypingMember),
    /// States that changed, of accounts that the session watches or shares an open conversation with.
    Presence(Presences),
    /// Conversations whose heads moved; only in `GET /v1/sync` replies.
    Rows(Rows),
    /// The conversation's history may differ from what the device saw: drop its cache and load it again.
    Reset(Reset),
    /// The server lost track of what this session got: resume as after a reconnect.
    Resync {},
    /// An event that this version does not know; never sent.
    #[serde(skip)]
    Unknown,
}

/// By hand: serde would take the body apart before it has read the event's name, wherever the body stands in front, and
/// a value that passes through must not be.
impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Shape {
            event: String,
            body: Option<Raw>,
        }
        let Shape { event, body } = Shape::deserialize(deserializer)?;
        let body = body.unwrap_or_else(|| Raw::of(&()));
        let read = match event.as_str() {
            "entries" => body.parse().map(Self::Entries),
            "marks" => body.parse().map(Self::Marks),
            "read" => body.parse().map(Self::Read),
            "typing" => body.parse().map(Self::Typing),
            "presence" => body.parse().map(Self::Presence),
            "rows" => body.parse().map(Self::Rows),
            "reset" => body.parse().map(Self::Reset),
            "resync" => Ok(Self::Resync {}),
            _ => Ok(Self::Unknown),
        };
        read.map_err(serde::de::Error::custom)
    }
}

/// New entries of one conversation, ascending and without gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entries {
    /// Where.
    pub conversation: ConversationId,
    /// The log's epoch.
    pub epoch: u32,
    /// The entries.
    pub entries: Vec<Entry>,
}

/// Watermarks of members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Marks {
    /// Where.
    pub conversation: ConversationId,
    /// The log's epoch.
    pub epoch: u32,
    /// Whose marks moved, and to where.
    pub marks: Vec<MemberMarks>,
}

/// One member's watermarks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberMarks {
    /// Who.
    pub account: AccountId,
    /// Some device of it has stored everything up to here.
    pub delivered: u64,
    /// It has seen everything up to here.
    pub read: u64,
}

/// The account's own read mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadMark {
    /// Where.
    pub conversation: ConversationId,
    /// The log's epoch.
    pub epoch: u32,
    /// Everything up to here is read.
    pub read: u64,
    /// How many messages are not.
    pub unread: u64,
    /// How many of them mention the account, at most 100.
    pub mentions: u32,
}

/// Somebody types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TypingMember {
    /// Where.
    pub conversation: ConversationId,
    /// Who.
    pub account: AccountId,
    /// False when it stopped.
    pub typing: bool,
}

/// Conversations as they stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rows {
    /// The conversations.
    pub rows: Vec<Row>,
}

/// Names the conversation to load again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reset {
    /// Which.
    pub conversation: ConversationId,
    /// Its epoch now.
    pub epoch: u32,
}

/// Answers `GET /v1/sync`: what happened since `cursor`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Synced {
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// The cursor for the next call.
    pub cursor: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_may_stand_in_front_and_strangers_are_told_apart() {
        let entry = r#"{"seq":1,"at":2,"kind":"message","author":"01a20304-9555-7898-bf01-e4a98f7bab1f",
            "client_id":"01a20304-9555-7898-bf01-e4a98f7bab1f","ordinal":1,"body":{"type":"text","text":"hi"}}"#;
        let body = format!(
            r#"{{"conversation":"01a20304-9555-7898-bf01-e4a98f7bab1f","epoch":1,"entries":[{entry}]}}"#
        );
        let behind: Event =
            serde_json::from_str(&format!(r#"{{"event":"entries","body":{body}}}"#)).expect("reads");
        let in_front: Event =
            serde_json::from_str(&format!(r#"{{"body":{body},"event":"entries"}}"#)).expect("reads");
        assert!(matches!(behind, Event::Entries(_)));
        assert_eq!(behind, in_front);
        let unknown: Event = serde_json::from_str(r#"{"event":"dance","body":7}"#).expect("reads");
        assert_eq!(unknown, Event::Unknown);
        assert!(serde_json::from_str::<Event>(r#"{"event":"entries","body":7}"#).is_err());
    }
}
