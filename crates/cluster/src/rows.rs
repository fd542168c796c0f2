//! What the tables of conversations hold: stored forms, and the numbers under which things are found.

use serde::{Deserialize, Serialize};
use suda_domain::entry::Entry;
use suda_domain::receipts::{Marks, Summary};
use suda_domain::stored::{Stored, StoredError, read_postcard, write_postcard};
use suda_proto::Kind;
use suda_proto::entry::Role;

/// How many sequences a partition of entries has, as a power of two: some megabytes of chat.
const BUCKET_BITS: u32 = 12;

/// The longest key of an account's own value, in bytes, as everywhere else.
const KEY_LIMIT: usize = 400;

/// The partition in which an entry stands.
pub const fn bucket_of(seq: u64) -> i32 {
    (seq >> BUCKET_BITS) as i32
}

/// The first sequence of the partition behind this one's.
pub const fn bucket_end(seq: u64) -> u64 {
    ((seq >> BUCKET_BITS) + 1) << BUCKET_BITS
}

/// How an account stands to a conversation that it is or was a member of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
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
}

/// A member's row: how it stands, and how far it has followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberRow {
    /// How it stands.
    pub standing: Standing,
    /// How far it has followed.
    pub marks: Marks,
}

/// Two numbers that change together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// A sequence.
    pub seq: u64,
    /// The ordinal there.
    pub ordinal: u64,
}

/// Unread messages that mention somebody, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mentions(pub Vec<u64>);

/// The key that an entry sets. It stands beside the body, which may be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetKey {
    /// The key.
    pub key: String,
    /// Whether the value is null, which removes the key.
    pub is_null: bool,
}

/// An entry as it stands in its table.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEntry {
    /// The entry.
    pub entry: Entry,
    /// The key that it sets, for entries of kind `set`.
    pub set: Option<SetKey>,
}

/// Why an entry cannot be stored.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// A `set` entry whose body names no key, or too long a one.
    #[error("a value's key is missing or longer than {KEY_LIMIT} bytes")]
    Key,
}

impl StoredEntry {
    /// The entry with the key that it sets.
    ///
    /// # Errors
    /// If it should set a key and names none.
    pub fn new(entry: Entry) -> Result<Self, EncodeError> {
        #[derive(Deserialize)]
        struct Body {
            key: String,
            value: serde_json::Value,
        }
        if entry.envelope.kind != Kind::Set {
            return Ok(Self { entry, set: None });
        }
        let body: Option<Body> = entry.body.as_deref().and_then(|body| serde_json::from_slice(body).ok());
        let body = body.filter(|body| body.key.len() <= KEY_LIMIT).ok_or(EncodeError::Key)?;
        Ok(Self { entry, set: Some(SetKey { key: body.key, is_null: body.value.is_null() }) })
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
    Standing, "standing";
    Mark, "mark";
    Mentions, "mentions";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_sequences() {
        assert_eq!([1, 4_095, 4_096, 8_191, 8_192].map(bucket_of), [0, 0, 1, 1, 2]);
        assert_eq!([1, 4_095, 4_096].map(bucket_end), [4_096, 4_096, 8_192]);
    }

    /// The bytes that version 1 wrote; must be readable for ever.
    #[test]
    fn version_1_is_read() {
        let left = Summary { head: 300, ordinal: 2, at: 5, last_message: 7 };
        let standing =
            Standing { role: Some(Role::Admin), own: false, floor: 1, joined_ordinal: 3, left: Some(left) };
        assert_eq!(standing.encode(), [1, 1, 1, 0, 1, 3, 1, 172, 2, 2, 5, 7]);
        assert_eq!(Standing::decode(&standing.encode()).expect("reads"), standing);
        assert_eq!(Mark { seq: 300, ordinal: 4 }.encode(), [1, 172, 2, 4]);
        assert_eq!(Mentions(vec![1, 300]).encode(), [1, 2, 1, 172, 2]);
    }
}
