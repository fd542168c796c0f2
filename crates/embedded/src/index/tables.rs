//! The index's tables: which rows there are, under which keys, in which form.
//!
//! All tables share one sorted key space; a key's first byte names its table. Numbers in keys are
//! big endian, so that rows stand in the order of their numbers. Every value starts with a
//! version byte. No row holds what somebody wrote, save a reaction's emoji.
//!
//! | table | key | value |
//! |---|---|---|
//! | 0 meta | – | [`Meta`] |
//! | 1 run | conversation, first sequence | [`RunRow`]: where a sorted file has this entry and those behind it |
//! | 2 summary | conversation | `Summary` |
//! | 3 membership | conversation | `Membership` |
//! | 4 member | account, conversation | [`MemberRow`] |
//! | 5 message | conversation, sequence | `MessageState`, where something points at the message |
//! | 6 own value | conversation, key as text | the sequence that set it, unless to null |
//! | 7 hidden | conversation, sequence | [`Hidden`]: the entry's body reads as `None`; it is erased, or will be |
//! | 8 erasing | conversation, sequence | empty: the entry's body is to be erased |
//! | 9 erasing author | conversation, account | [`AuthorErasure`] |
//!
//! Where entries are that stand in segments is in no row, see `locations`.

use serde::{Deserialize, Serialize};
use suda_domain::receipts::{Marks, Summary};
use suda_domain::stored::{Stored, StoredError, read_postcard, write_postcard};
use suda_proto::entry::Role;
use suda_proto::{AccountId, ConversationId};
use uuid::Uuid;

use super::row_bytes::RowBytes;
use crate::log::Position;

/// A row's key.
pub type Key = RowBytes;
/// A row's value.
pub type Value = RowBytes;

/// The form of the whole index; an older one is rebuilt from the log. Form 1 had a row for every
/// entry.
pub const FORM: u32 = 2;

/// The table of runs.
pub const RUN: u8 = 1;
const SUMMARY: u8 = 2;
const MEMBERSHIP: u8 = 3;
const MEMBER: u8 = 4;
/// The table of messages' states.
pub const MESSAGE: u8 = 5;
const OWN_VALUE: u8 = 6;
/// The table of hidden entries.
pub const HIDDEN: u8 = 7;
const ERASING: u8 = 8;
const ERASING_AUTHOR: u8 = 9;

/// The key of the only row of the table meta.
pub const META_KEY: &[u8] = &[0];

/// Key of the run that begins with this entry.
pub fn run_key(conversation: ConversationId, seq: u64) -> Key {
    key(RUN, conversation.bytes(), &seq.to_be_bytes())
}

/// Key of the mark that hides an entry.
pub fn hidden_key(conversation: ConversationId, seq: u64) -> Key {
    key(HIDDEN, conversation.bytes(), &seq.to_be_bytes())
}

/// Key of a conversation's summary.
pub fn summary_key(conversation: ConversationId) -> Key {
    key(SUMMARY, conversation.bytes(), &[])
}

/// Key of a conversation's membership.
pub fn membership_key(conversation: ConversationId) -> Key {
    key(MEMBERSHIP, conversation.bytes(), &[])
}

/// Key of a member's row.
pub fn member_key(account: AccountId, conversation: ConversationId) -> Key {
    key(MEMBER, account.bytes(), conversation.bytes())
}

/// The keys of all rows of an account, both ends included.
pub fn member_keys(account: AccountId) -> (Key, Key) {
    (key(MEMBER, account.bytes(), &[0; 16]), key(MEMBER, account.bytes(), &[0xFF; 16]))
}

/// The conversation in a key that [`member_key`] made.
pub fn conversation_of_member(key: &[u8]) -> Option<ConversationId> {
    let id: [u8; 16] = key.get(17..)?.try_into().ok()?;
    Some(ConversationId::from_bytes(id))
}

/// Key of a message's state.
pub fn message_key(conversation: ConversationId, seq: u64) -> Key {
    key(MESSAGE, conversation.bytes(), &seq.to_be_bytes())
}

/// Key of an account's own value.
pub fn own_value_key(conversation: ConversationId, name: &str) -> Key {
    key(OWN_VALUE, conversation.bytes(), name.as_bytes())
}

/// A key behind all own values of a conversation: no UTF-8 text has this byte.
pub fn own_values_end(conversation: ConversationId) -> Key {
    key(OWN_VALUE, conversation.bytes(), &[0xFF])
}

/// The name in a key that [`own_value_key`] made.
pub fn name_of_own_value(key: &[u8]) -> Option<String> {
    String::from_utf8(key.get(17..)?.to_vec()).ok()
}

/// Key of a body that is to be erased.
pub fn erasing_key(conversation: ConversationId, seq: u64) -> Key {
    key(ERASING, conversation.bytes(), &seq.to_be_bytes())
}

/// Key of an author whose bodies are to be erased.
pub fn erasing_author_key(conversation: ConversationId, author: AccountId) -> Key {
    key(ERASING_AUTHOR, conversation.bytes(), author.bytes())
}

/// Whether rows of this key's table are remembered as values.
pub fn is_remembered(key: &[u8]) -> bool {
    matches!(key.first(), Some(&SUMMARY | &MEMBER))
}

/// The first and a later-than-last key of bodies that are to be erased.
pub fn erasing_keys() -> (Key, Key) {
    ([ERASING].as_slice().into(), [ERASING + 1].as_slice().into())
}

/// The first and a later-than-last key of authors whose bodies are to be erased.
pub fn erasing_author_keys() -> (Key, Key) {
    ([ERASING_AUTHOR].as_slice().into(), [ERASING_AUTHOR + 1].as_slice().into())
}

/// The conversation in a key of any table that begins with it.
pub fn conversation_of(key: &[u8]) -> Option<ConversationId> {
    let id: [u8; 16] = key.get(1..17)?.try_into().ok()?;
    Some(ConversationId::from_bytes(id))
}

/// The sequence in a key that ends with one.
pub fn seq_of(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(17..)?.try_into().ok()?))
}

/// The author in a key that [`erasing_author_key`] made.
pub fn author_of(key: &[u8]) -> Option<AccountId> {
    Some(AccountId::from_bytes(key.get(17..)?.try_into().ok()?))
}

fn key(table: u8, first: &[u8; 16], second: &[u8]) -> Key {
    let mut bytes = [0; 64];
    let length = 17 + second.len();
    bytes[0] = table;
    bytes[1..17].copy_from_slice(first);
    match bytes.get_mut(17..length) {
        Some(rest) => {
            rest.copy_from_slice(second);
            bytes[..length].into()
        }
        None => [&bytes[..17], second].concat().as_slice().into(),
    }
}

/// What the index knows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The form of the tables, [`FORM`].
    pub form: u32,
    /// The log that the index is derived from.
    pub log_id: [u8; 16],
    /// How far that log is applied, a group boundary as a number.
    pub applied: u64,
    /// The highest time of an entry.
    pub latest: u64,
    /// The last segment of which all runs are known; 0 if none is merged.
    pub merged: u32,
}

/// What version 1 of [`Meta`] said.
#[derive(Deserialize)]
struct MetaOfForm1 {
    form: u32,
    log_id: [u8; 16],
    applied: u64,
    latest: u64,
}

impl Meta {
    /// How far the log is applied.
    pub fn applied(&self) -> Position {
        Position::from_u64(self.applied)
    }

    /// The log that the index is derived from.
    pub fn log_id(&self) -> Uuid {
        Uuid::from_bytes(self.log_id)
    }
}

/// Where some entries of a conversation are in a sorted file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRow {
    /// The file, by its first segment.
    pub file: u32,
    /// Where in it the run begins.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u32,
    /// How many entries it has.
    pub count: u32,
}

/// The mark that hides an entry's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hidden;

/// A member's row: what its list of conversations says about one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRow {
    /// What it may do; `None` once it is no member any more.
    pub role: Option<Role>,
    /// Whether this is the account's own conversation, which is in no list.
    pub own: bool,
    /// The lowest sequence that it may see.
    pub floor: u64,
    /// The ordinal when it joined.
    pub joined_ordinal: u64,
    /// How far the conversation had come when it stopped being a member.
    pub left: Option<Summary>,
    /// How far it has followed.
    pub marks: Marks,
}

/// How far the erasure of an author's bodies has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorErasure {
    /// The next sequence to look at.
    pub next: u64,
    /// The first sequence not to look at.
    pub end: u64,
}

/// A sequence as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence(pub u64);

/// Version 2: postcard. Version 1, of form 1, had no `merged`.
impl Stored for Meta {
    const VERSION: u8 = 2;

    fn write(&self, out: &mut Vec<u8>) {
        write_postcard(self, out);
    }

    fn read(bytes: &[u8]) -> Result<Self, StoredError> {
        read_postcard(bytes, "meta")
    }

    fn decode(bytes: &[u8]) -> Result<Self, StoredError> {
        match bytes {
            [1, rest @ ..] => {
                let MetaOfForm1 { form, log_id, applied, latest } = read_postcard(rest, "meta")?;
                Ok(Self { form, log_id, applied, latest, merged: 0 })
            }
            [Self::VERSION, rest @ ..] => Self::read(rest),
            [version, ..] if *version > Self::VERSION => Err(StoredError::Newer(*version)),
            _ => Err(StoredError::Malformed("version")),
        }
    }
}

/// Version 1: nothing.
impl Stored for Hidden {
    const VERSION: u8 = 1;

    fn write(&self, _: &mut Vec<u8>) {}

    fn read(_: &[u8]) -> Result<Self, StoredError> {
        Ok(Self)
    }
}

/// Version 1: little endian.
impl Stored for Sequence {
    const VERSION: u8 = 1;

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Result<Self, StoredError> {
        let bytes = bytes.try_into().map_err(|_| StoredError::Malformed("sequence"))?;
        Ok(Self(u64::from_le_bytes(bytes)))
    }
}

macro_rules! stored_as_postcard {
    ($($name:ident, $what:literal;)*) => {$(
        /// Version 1: postcard.
        impl Stored for $name {
            const VERSION: u8 = 1;

            fn write(&self, out: &mut Vec<u8>) {
                write_postcard(self, out);
            }

            fn read(bytes: &[u8]) -> Result<Self, StoredError> {
                read_postcard(bytes, $what)
            }
        }
    )*};
}

stored_as_postcard! {
    RunRow, "run";
    MemberRow, "member";
    AuthorErasure, "author erasure";
}
