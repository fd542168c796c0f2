//! What the log's records mean: the stored forms of entries and watermarks.
//!
//! A record's header is kept for ever; its body can be erased. So whatever the index is derived
//! from stands in the header, save where an erased body means the same as what replaced it.
//!
//! Every header begins with its version (1 byte) and the conversation (16), in every version. In a
//! sorted file the conversation is left out: the run says it. What follows, in version 2:
//!
//! | kind | header | body |
//! |---|---|---|
//! | 1 entry | flags (1 byte), key length and key where there is a value mark, kind (1), seq, at, seq − ordinal, author (16), client id (16), seq − target if there is one, count of mentions if there are any, each as account (16), start, length | the entry's |
//! | 2 marks | account (16), delivered, read, read ordinal, touched | none |
//!
//! Numbers are of variable length. Flags: bits 0–1 are the value mark, 0 for entries that set
//! nothing, 1 for a value, 2 for null; bit 2 tells of a target, bit 3 of mentions. The numbers of
//! kinds are those of the stored `Envelope`.
//!
//! Version 1 had, for an entry, the value mark (1 byte), key length (u16) and key where the mark is
//! not 0, and the stored `Envelope`; for marks, the account and four u64, all little endian.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use suda_domain::entry::{Entry, Envelope, kind_number, kind_of};
use suda_domain::receipts::Marks;
use suda_domain::stored::{Stored, StoredError};
use suda_proto::{AccountId, ClientId, ConversationId, Kind, Mention, Mentioned};

use crate::log::{Record, RecordKey, varint};

/// The kind of a record that holds an entry.
const ENTRY: u8 = 1;
/// The kind of a record that holds a member's watermarks.
const MARKS: u8 = 2;
/// The version of both headers.
const VERSION: u8 = 2;
/// The flag of an entry that has a target.
const HAS_TARGET: u8 = 4;
/// The flag of an entry that mentions somebody.
const HAS_MENTIONS: u8 = 8;
/// How everybody is mentioned: no account has this id.
const ALL: [u8; 16] = [0; 16];
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
    let mut header = begin(conversation);
    write_entry(&mut header, &entry.envelope, set_key(entry)?);
    Ok(Record { kind: ENTRY, header: header.into(), body: entry.body.clone().unwrap_or_default() })
}

/// The record of watermarks.
pub fn marks_record(conversation: ConversationId, account: AccountId, marks: &Marks) -> Record {
    let mut header = begin(conversation);
    write_marks(&mut header, account, marks);
    Record { kind: MARKS, header: header.into(), body: Bytes::new() }
}

/// The kind and the header of watermarks in a sorted file.
pub fn sorted_marks(account: AccountId, marks: &Marks) -> (u8, Vec<u8>) {
    let mut header = vec![VERSION];
    write_marks(&mut header, account, marks);
    (MARKS, header)
}

/// The header as a sorted file has it.
pub fn sorted_header(header: &[u8]) -> Result<Vec<u8>, StoredError> {
    let (version, _, rest) = split(header)?;
    let mut sorted = Vec::with_capacity(1 + rest.len());
    sorted.push(version);
    sorted.extend_from_slice(rest);
    Ok(sorted)
}

/// Reads the header of a record of this kind.
pub fn decode(kind: u8, header: &[u8]) -> Result<Header, StoredError> {
    let (version, key, rest) = split(header)?;
    decode_rest(kind, version, key, rest)
}

/// Reads the header of a record of this kind in a run of a sorted file.
pub fn decode_sorted(kind: u8, key: &RecordKey, header: &[u8]) -> Result<Header, StoredError> {
    let (version, rest) = header.split_first().ok_or(MALFORMED)?;
    decode_rest(kind, *version, key, rest)
}

/// What a record belongs to and, if it is an entry's, the entry's sequence. Reads no more of the
/// header than that takes.
pub fn place_of(kind: u8, header: &[u8]) -> Result<(RecordKey, Option<u64>), StoredError> {
    let (version, key, rest) = split(header)?;
    if (kind, version) != (ENTRY, VERSION) {
        return match decode(kind, header)? {
            Header::Entry { envelope, .. } => Ok((*key, Some(envelope.seq))),
            Header::Marks { .. } => Ok((*key, None)),
        };
    }
    let ([flags], mut rest) = take::<1>(rest)?;
    if flags & 3 != 0 {
        let (length, key) = number(rest)?;
        rest = key.get(length as usize..).ok_or(MALFORMED)?;
    }
    let (seq, _) = number(rest.get(1..).ok_or(MALFORMED)?)?;
    Ok((*key, Some(seq)))
}

const MALFORMED: StoredError = StoredError::Malformed("record");

fn begin(conversation: ConversationId) -> Vec<u8> {
    let mut header = Vec::with_capacity(64);
    header.push(VERSION);
    header.extend_from_slice(conversation.bytes());
    header
}

/// The version, the conversation and the rest of a header.
fn split(header: &[u8]) -> Result<(u8, &RecordKey, &[u8]), StoredError> {
    let (version, rest) = header.split_first().ok_or(MALFORMED)?;
    let (key, rest) = rest.split_first_chunk().ok_or(MALFORMED)?;
    Ok((*version, key, rest))
}

fn decode_rest(kind: u8, version: u8, key: &RecordKey, rest: &[u8]) -> Result<Header, StoredError> {
    let conversation = ConversationId::from_bytes(*key);
    match (kind, version) {
        (ENTRY, 1) => old_entry(conversation, rest),
        (ENTRY, VERSION) => read_entry(conversation, rest),
        (MARKS, 1) => old_marks(conversation, rest),
        (MARKS, VERSION) => read_marks(conversation, rest),
        (ENTRY | MARKS, version) if version > VERSION => Err(StoredError::Newer(version)),
        _ => Err(MALFORMED),
    }
}

fn write_entry(out: &mut Vec<u8>, envelope: &Envelope, set: Option<SetKey>) {
    let mark = set.as_ref().map_or(0, |set| if set.is_null { 2 } else { 1 });
    let target = if envelope.target.is_some() { HAS_TARGET } else { 0 };
    let mentions = if envelope.mentions.is_empty() { 0 } else { HAS_MENTIONS };
    out.push(mark | target | mentions);
    if let Some(SetKey { key, .. }) = set {
        varint::put(out, key.len() as u64);
        out.extend_from_slice(key.as_bytes());
    }
    out.push(kind_number(envelope.kind));
    varint::put(out, envelope.seq);
    varint::put(out, envelope.at);
    varint::put(out, envelope.seq.wrapping_sub(envelope.ordinal));
    out.extend_from_slice(envelope.author.bytes());
    out.extend_from_slice(envelope.client_id.bytes());
    if let Some(target) = envelope.target {
        varint::put(out, envelope.seq.wrapping_sub(target));
    }
    if mentions == 0 {
        return;
    }
    varint::put(out, envelope.mentions.len() as u64);
    for mention in &envelope.mentions {
        match &mention.who {
            Mentioned::Account(account) => out.extend_from_slice(account.bytes()),
            Mentioned::All => out.extend_from_slice(&ALL),
        }
        varint::put(out, u64::from(mention.start));
        varint::put(out, u64::from(mention.length));
    }
}

fn read_entry(conversation: ConversationId, bytes: &[u8]) -> Result<Header, StoredError> {
    let ([flags], bytes) = take::<1>(bytes)?;
    let (set, bytes) = match flags & 3 {
        0 => (None, bytes),
        mark @ (1 | 2) => {
            let (length, bytes) = number(bytes)?;
            let (key, bytes) = set_key_of(bytes, length as usize, mark)?;
            (Some(key), bytes)
        }
        _ => return Err(MALFORMED),
    };
    let ([kind], bytes) = take::<1>(bytes)?;
    let (seq, bytes) = number(bytes)?;
    let (at, bytes) = number(bytes)?;
    let (behind, bytes) = number(bytes)?;
    let (author, bytes) = take::<16>(bytes)?;
    let (client_id, bytes) = take::<16>(bytes)?;
    let (target, mut bytes) = match flags & HAS_TARGET {
        0 => (None, bytes),
        _ => number(bytes).map(|(before, bytes)| (Some(seq.wrapping_sub(before)), bytes))?,
    };
    let mut mentions = Vec::new();
    if flags & HAS_MENTIONS != 0 {
        let (count, rest) = number(bytes)?;
        bytes = rest;
        for _ in 0..count {
            let (mention, rest) = read_mention(bytes)?;
            mentions.push(mention);
            bytes = rest;
        }
    }
    let envelope = Envelope {
        seq,
        at,
        kind: kind_of(kind),
        author: AccountId::from_bytes(author),
        client_id: ClientId::from_bytes(client_id),
        ordinal: seq.wrapping_sub(behind),
        target,
        mentions,
    };
    Ok(Header::Entry { conversation, envelope, set })
}

fn read_mention(bytes: &[u8]) -> Result<(Mention, &[u8]), StoredError> {
    let (who, bytes) = take::<16>(bytes)?;
    let who = if who == ALL { Mentioned::All } else { Mentioned::Account(AccountId::from_bytes(who)) };
    let (start, bytes) = varint::take_u32(bytes).ok_or(MALFORMED)?;
    let (length, bytes) = varint::take_u32(bytes).ok_or(MALFORMED)?;
    Ok((Mention { who, start, length }, bytes))
}

fn set_key_of(bytes: &[u8], length: usize, mark: u8) -> Result<(SetKey, &[u8]), StoredError> {
    let (key, bytes) = bytes.split_at_checked(length).ok_or(MALFORMED)?;
    let key = String::from_utf8(key.to_vec()).map_err(|_| MALFORMED)?;
    let is_null = mark == 2;
    Ok((SetKey { key, is_null }, bytes))
}

fn write_marks(out: &mut Vec<u8>, account: AccountId, marks: &Marks) {
    out.extend_from_slice(account.bytes());
    for number in [marks.delivered, marks.read, marks.read_ordinal, marks.touched] {
        varint::put(out, number);
    }
}

fn read_marks(conversation: ConversationId, bytes: &[u8]) -> Result<Header, StoredError> {
    let (account, bytes) = take::<16>(bytes)?;
    let (delivered, bytes) = number(bytes)?;
    let (read, bytes) = number(bytes)?;
    let (read_ordinal, bytes) = number(bytes)?;
    let (touched, _) = number(bytes)?;
    let account = AccountId::from_bytes(account);
    let marks = Marks { delivered, read, read_ordinal, touched, ..Marks::default() };
    Ok(Header::Marks { conversation, account, marks })
}

fn old_entry(conversation: ConversationId, bytes: &[u8]) -> Result<Header, StoredError> {
    let ([mark], bytes) = take::<1>(bytes)?;
    let (set, bytes) = match mark {
        0 => (None, bytes),
        1 | 2 => {
            let (length, bytes) = take::<2>(bytes)?;
            let (key, bytes) = set_key_of(bytes, usize::from(u16::from_le_bytes(length)), mark)?;
            (Some(key), bytes)
        }
        _ => return Err(MALFORMED),
    };
    Ok(Header::Entry { conversation, envelope: Envelope::decode(bytes)?, set })
}

fn old_marks(conversation: ConversationId, bytes: &[u8]) -> Result<Header, StoredError> {
    let (account, bytes) = take::<16>(bytes)?;
    let (delivered, bytes) = take::<8>(bytes)?;
    let (read, bytes) = take::<8>(bytes)?;
    let (read_ordinal, bytes) = take::<8>(bytes)?;
    let (touched, _) = take::<8>(bytes)?;
    Ok(Header::Marks {
        conversation,
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

fn number(bytes: &[u8]) -> Result<(u64, &[u8]), StoredError> {
    varint::take(bytes).ok_or(MALFORMED)
}

fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), StoredError> {
    let (head, rest) = bytes.split_first_chunk().ok_or(MALFORMED)?;
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

    fn reply() -> Envelope {
        let who = Mentioned::Account(ACCOUNT);
        let mentions = vec![
            Mention { who: Mentioned::All, start: 1, length: 4 },
            Mention { who, start: 300, length: 2 },
        ];
        Envelope { target: Some(1), mentions, ..entry(Kind::Edit, "{}").envelope }
    }

    /// The bytes that each version wrote; must be readable for ever.
    fn golden(version: u8) -> Vec<(u8, Vec<u8>, Header)> {
        let header = |rest: &[&[u8]]| [&[version][..], &[7; 16], &rest.concat()].concat();
        let message = entry(Kind::Message, "{}").envelope;
        let set = entry(Kind::Set, "{}").envelope;
        let ids = [[1; 16], [2; 16]].concat();
        let at = [0x80, 0xd0, 0x95, 0xff, 0xbc, 0x31];
        let bytes = match version {
            1 => [
                header(&[&[0], &message.encode()]),
                header(&[&[2, 5, 0], b"app/x", &set.encode()]),
                header(&[&[0], &reply().encode()]),
                header(&[&[1; 16], &[9u64, 8, 7, 6].map(u64::to_le_bytes).concat()]),
            ],
            _ => [
                header(&[&[0, 1, 3], &at, &[1], &ids]),
                header(&[&[2, 5], b"app/x", &[13, 3], &at, &[1], &ids]),
                header(&[&[12, 2, 3], &at, &[1], &ids, &[2, 2], &[0; 16], &[1, 4], &[1; 16], &[0xac, 2, 2]]),
                header(&[&[1; 16], &[9, 8, 7, 6]]),
            ],
        };
        let of_entry = |envelope, set| Header::Entry { conversation: CONVERSATION, envelope, set };
        let removed = SetKey { key: "app/x".to_owned(), is_null: true };
        let of_marks = Header::Marks { conversation: CONVERSATION, account: ACCOUNT, marks: marks() };
        let headers =
            [of_entry(message, None), of_entry(set, Some(removed)), of_entry(reply(), None), of_marks];
        let kinds = [1, 1, 1, 2];
        kinds
            .into_iter()
            .zip(bytes)
            .zip(headers)
            .map(|((kind, bytes), header)| (kind, bytes, header))
            .collect()
    }

    #[test]
    fn every_version_is_read_and_version_2_is_written() {
        for (kind, bytes, header) in golden(1) {
            assert_eq!(decode(kind, &bytes), Ok(header));
        }
        let edit = Entry { envelope: reply(), body: None };
        let written = [
            entry_record(CONVERSATION, &entry(Kind::Message, "{\"a\":1}")).expect("storable"),
            entry_record(CONVERSATION, &entry(Kind::Set, "{\"key\":\"app/x\",\"value\": null }"))
                .expect("storable"),
            entry_record(CONVERSATION, &edit).expect("storable"),
            marks_record(CONVERSATION, ACCOUNT, &marks()),
        ];
        for ((kind, bytes, header), record) in golden(2).into_iter().zip(written) {
            assert_eq!(decode(kind, &bytes), Ok(header));
            assert_eq!((record.kind, record.header.to_vec()), (kind, bytes));
        }
    }

    #[test]
    fn a_sorted_file_needs_no_conversation() {
        for (kind, bytes, header) in golden(1).into_iter().chain(golden(2)) {
            let sorted = sorted_header(&bytes).expect("a header");
            let (key, seq) = place_of(kind, &bytes).expect("a place");
            let is_entry = matches!(header, Header::Entry { .. });
            assert_eq!((key, seq), ([7; 16], is_entry.then_some(3)));
            assert_eq!(sorted.len(), bytes.len() - 16);
            assert_eq!(decode_sorted(kind, &key, &sorted), Ok(header));
        }
        let (kind, bytes) = sorted_marks(ACCOUNT, &marks());
        assert_eq!(decode_sorted(kind, &[7; 16], &bytes).as_ref(), Ok(&golden(2)[3].2));
    }

    #[test]
    fn every_cut_and_every_newer_version_is_an_error() {
        for (kind, mut bytes, _) in golden(1).into_iter().chain(golden(2)) {
            for length in 0..bytes.len() {
                assert!(decode(kind, &bytes[..length]).is_err(), "{kind} {length}");
            }
            bytes[0] = 3;
            assert_eq!(decode(kind, &bytes), Err(StoredError::Newer(3)));
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
