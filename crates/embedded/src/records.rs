//! What the log's records mean: the stored forms of entries and watermarks.
//!
//! A record's header is kept for ever; its body can be erased. So whatever the index is derived
//! from stands in the header, save where an erased body means the same as what replaced it.
//!
//! | kind | header after the version byte | body |
//! |---|---|---|
//! | 1 entry | conversation (16 bytes), value mark (1), key length (u16) and key where the mark is not 0, envelope | the entry's |
//! | 2 marks | conversation (16), account (16), delivered, read, read ordinal, touched (u64 each) | none |
//!
//! Numbers are little endian. The value mark is 0 for entries that set nothing, 1 for a value,
//! 2 for null.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use suda_domain::entry::{Entry, Envelope};
use suda_domain::receipts::Marks;
use suda_domain::stored::{Stored, StoredError};
use suda_proto::{AccountId, ConversationId, Kind};

use crate::log::Record;

/// The kind of a record that holds an entry.
const ENTRY: u8 = 1;
/// The kind of a record that holds a member's watermarks.
const MARKS: u8 = 2;
/// The version of both headers.
const VERSION: u8 = 1;
/// The longest key of an account's own value, in bytes; longer ones would not fit the index.
const KEY_LIMIT: usize = 400;

/// Why an entry cannot be stored.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// A `set` entry whose body names no key, or too long a one.
    #[error("a value's key is missing or longer than {KEY_LIMIT} bytes")]
    Key,
}

/// What a header says.
#[derive(Clone, Debug, PartialEq)]
pub enum Header {
    /// An entry of a conversation.
    Entry {
        /// Which conversation.
        conversation: ConversationId,
        /// The entry without its body.
        envelope: Envelope,
        /// The key that it sets, for entries of kind `set`.
        set: Option<SetKey>,
    },
    /// Watermarks that moved.
    Marks {
        /// Which conversation.
        conversation: ConversationId,
        /// Whose.
        account: AccountId,
        /// Only `delivered`, `read`, `read_ordinal` and `touched` are kept.
        marks: Marks,
    },
}

/// The key that an entry sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetKey {
    /// The key.
    pub key: String,
    /// Whether the value is null, which removes the key.
    pub is_null: bool,
}

/// The record of an entry.
pub fn entry_record(conversation: ConversationId, entry: &Entry) -> Result<Record, EncodeError> {
    let mut header = vec![VERSION];
    header.extend_from_slice(conversation.bytes());
    match set_key(entry)? {
        None => header.push(0),
        Some(SetKey { key, is_null }) => {
            header.push(if is_null { 2 } else { 1 });
            header.extend_from_slice(&(key.len() as u16).to_le_bytes());
            header.extend_from_slice(key.as_bytes());
        }
    }
    header.extend_from_slice(&entry.envelope.encode());
    Ok(Record { kind: ENTRY, header: header.into(), body: entry.body.clone().unwrap_or_default() })
}

/// The record of watermarks.
pub fn marks_record(conversation: ConversationId, account: AccountId, marks: &Marks) -> Record {
    let mut header = vec![VERSION];
    header.extend_from_slice(conversation.bytes());
    header.extend_from_slice(account.bytes());
    for number in [marks.delivered, marks.read, marks.read_ordinal, marks.touched] {
        header.extend_from_slice(&number.to_le_bytes());
    }
    Record { kind: MARKS, header: header.into(), body: Bytes::new() }
}

/// Reads the header of a record of this kind.
pub fn decode(kind: u8, header: &[u8]) -> Result<Header, StoredError> {
    match (kind, header) {
        (ENTRY, [VERSION, rest @ ..]) => entry_header(rest),
        (MARKS, [VERSION, rest @ ..]) => marks_header(rest),
        (ENTRY | MARKS, [version, ..]) if *version > VERSION => Err(StoredError::Newer(*version)),
        _ => Err(StoredError::Malformed("record")),
    }
}

fn entry_header(bytes: &[u8]) -> Result<Header, StoredError> {
    let (conversation, bytes) = take::<16>(bytes)?;
    let ([mark], bytes) = take::<1>(bytes)?;
    let (set, bytes) = match mark {
        0 => (None, bytes),
        1 | 2 => {
            let (length, bytes) = take::<2>(bytes)?;
            let (key, bytes) = bytes
                .split_at_checked(usize::from(u16::from_le_bytes(length)))
                .ok_or(StoredError::Malformed("record"))?;
            let key = String::from_utf8(key.to_vec()).map_err(|_| StoredError::Malformed("record"))?;
            let is_null = mark == 2;
            (Some(SetKey { key, is_null }), bytes)
        }
        _ => return Err(StoredError::Malformed("record")),
    };
    Ok(Header::Entry {
        conversation: ConversationId::from_bytes(conversation),
        envelope: Envelope::decode(bytes)?,
        set,
    })
}

fn marks_header(bytes: &[u8]) -> Result<Header, StoredError> {
    let (conversation, bytes) = take::<16>(bytes)?;
    let (account, bytes) = take::<16>(bytes)?;
    let (delivered, bytes) = take::<8>(bytes)?;
    let (read, bytes) = take::<8>(bytes)?;
    let (read_ordinal, bytes) = take::<8>(bytes)?;
    let (touched, _) = take::<8>(bytes)?;
    Ok(Header::Marks {
        conversation: ConversationId::from_bytes(conversation),
        account: AccountId::from_bytes(account),
        marks: Marks {
            delivered: u64::from_le_bytes(delivered),
            read: u64::from_le_bytes(read),
            read_ordinal: u64::from_le_bytes(read_ordinal),
            touched: u64::from_le_bytes(touched),
            ..Marks::default()
        },
    })
}

fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), StoredError> {
    let (head, rest) = bytes.split_first_chunk().ok_or(StoredError::Malformed("record"))?;
    Ok((*head, rest))
}

/// What a `set` entry sets; it moves to the header because the value may be erased later.
fn set_key(entry: &Entry) -> Result<Option<SetKey>, EncodeError> {
    #[derive(Deserialize)]
    struct Body<'a> {
        key: String,
        #[serde(borrow)]
        value: &'a RawValue,
    }
    if entry.envelope.kind != Kind::Set {
        return Ok(None);
    }
    let body: Body<'_> =
        entry.body.as_deref().and_then(|body| serde_json::from_slice(body).ok()).ok_or(EncodeError::Key)?;
    if body.key.len() > KEY_LIMIT {
        return Err(EncodeError::Key);
    }
    let is_null = body.value.get() == "null";
    let key = body.key;
    Ok(Some(SetKey { key, is_null }))
}

#[cfg(test)]
mod tests {
    use suda_proto::ClientId;

    use super::*;

    const CONVERSATION: ConversationId = ConversationId::from_bytes([7; 16]);
    const ACCOUNT: AccountId = AccountId::from_bytes([1; 16]);

    fn entry(kind: Kind, body: &'static str) -> Entry {
        let envelope = Envelope {
            seq: 3,
            at: 1_700_000_000_000,
            kind,
            author: ACCOUNT,
            client_id: ClientId::from_bytes([2; 16]),
            ordinal: 2,
            target: None,
            mentions: Vec::new(),
        };
        let body = Some(Bytes::from_static(body.as_bytes()));
        Entry { envelope, body }
    }

    fn marks() -> Marks {
        Marks { delivered: 9, read: 8, read_ordinal: 7, touched: 6, ..Marks::default() }
    }

    /// The bytes that version 1 wrote; must be readable for ever.
    fn golden() -> Vec<(u8, Vec<u8>, Header)> {
        let message = entry(Kind::Message, "{}").envelope;
        let set = entry(Kind::Set, "{}").envelope;
        let mut message_header = vec![1];
        message_header.extend([7; 16]);
        message_header.push(0);
        message_header.extend(message.encode());
        let mut set_header = vec![1];
        set_header.extend([7; 16]);
        set_header.extend([2, 5, 0]);
        set_header.extend(b"app/x");
        set_header.extend(set.encode());
        let mut marks_header = vec![1];
        marks_header.extend([7; 16]);
        marks_header.extend([1; 16]);
        for number in [9u64, 8, 7, 6] {
            marks_header.extend(number.to_le_bytes());
        }
        let of_entry = |envelope, set| Header::Entry { conversation: CONVERSATION, envelope, set };
        let removed = SetKey { key: "app/x".to_owned(), is_null: true };
        let of_marks = Header::Marks { conversation: CONVERSATION, account: ACCOUNT, marks: marks() };
        vec![
            (1, message_header, of_entry(message, None)),
            (1, set_header, of_entry(set, Some(removed))),
            (2, marks_header, of_marks),
        ]
    }

    #[test]
    fn version_1_is_read_and_written() {
        let written = [
            entry_record(CONVERSATION, &entry(Kind::Message, "{\"a\":1}")).expect("storable"),
            entry_record(CONVERSATION, &entry(Kind::Set, "{\"key\":\"app/x\",\"value\": null }"))
                .expect("storable"),
            marks_record(CONVERSATION, ACCOUNT, &marks()),
        ];
        for ((kind, bytes, header), record) in golden().into_iter().zip(written) {
            assert_eq!(decode(kind, &bytes), Ok(header));
            assert_eq!((record.kind, record.header.to_vec()), (kind, bytes));
        }
    }

    #[test]
    fn every_cut_and_every_newer_version_is_an_error() {
        for (kind, mut bytes, _) in golden() {
            for length in 0..bytes.len() {
                assert!(decode(kind, &bytes[..length]).is_err(), "{kind} {length}");
            }
            bytes[0] = 2;
            assert_eq!(decode(kind, &bytes), Err(StoredError::Newer(2)));
        }
    }

    #[test]
    fn a_value_keeps_its_key_in_the_header() {
        let key = "k".repeat(KEY_LIMIT);
        let long = format!("{{\"key\":\"{key}k\",\"value\":1}}").leak();
        let fits = format!("{{\"key\":\"{key}\",\"value\":1}}").leak();
        let record = entry_record(CONVERSATION, &entry(Kind::Set, fits)).expect("fits");
        let Ok(Header::Entry { set, .. }) = decode(record.kind, &record.header) else {
            panic!("not an entry");
        };
        let is_null = false;
        assert_eq!(set, Some(SetKey { key, is_null }));
        for wrong in [long, "{}", "nonsense"] {
            assert!(entry_record(CONVERSATION, &entry(Kind::Set, wrong)).is_err());
        }
    }
}
