//! The format of a record: a fixed prefix, a header, a body, zero padding to eight bytes.
//!
//! Prefix, 24 bytes, little endian:
//!
//! | bytes | field |
//! |---|---|
//! | 0–3 | CRC-32 of bytes 4–23 and the header, begun with the segment's seed |
//! | 4 | version, 1 |
//! | 5 | kind |
//! | 6–7 | flags, 0 |
//! | 8–11 | number of the group, low 32 bits |
//! | 12–15 | header length |
//! | 16–19 | body length |
//! | 20–23 | CRC-32 of the body |
//!
//! Header and body are checksummed apart so that a body can be overwritten with zero bytes while
//! the record stays readable. The seed comes from the random id of the log and the number of the
//! segment: neither a record of another place nor bytes crafted inside a body pass for a record.
//! Another record version or flags may only be written into segments of another version.

use bytes::Bytes;
use crc32fast::Hasher;

use super::AppendError;

/// The longest header of a record, in bytes.
pub const HEADER_LIMIT: u32 = 16 * 1024;
/// The longest body of a record, in bytes.
pub const BODY_LIMIT: u32 = 256 * 1024;
/// The kinds from here on are the log's own.
pub const RESERVED_KINDS: u8 = 0xF0;

/// Length of the prefix in bytes.
pub(super) const PREFIX_LENGTH: u32 = 24;
const VERSION: u8 = 1;

/// A record to append: what the layer above says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it means to the layer above; below [`RESERVED_KINDS`].
    pub kind: u8,
    /// Kept for ever; at most [`HEADER_LIMIT`] bytes.
    pub header: Bytes,
    /// Can be erased; at most [`BODY_LIMIT`] bytes, not all of them zero.
    pub body: Bytes,
}

impl Record {
    /// Bytes that the record takes in the log, all included. Worth remembering as the length
    /// hint for reading it.
    pub fn encoded_length(&self) -> u32 {
        encoded_length(self.header.len() as u32, self.body.len() as u32)
    }

    /// Whether the record keeps within the format.
    pub(super) fn check(&self) -> Result<(), AppendError> {
        let what = if self.kind >= RESERVED_KINDS {
            "its kind is reserved"
        } else if self.header.len() > HEADER_LIMIT as usize {
            "a header is longer than 16 KiB"
        } else if self.body.len() > BODY_LIMIT as usize {
            "a body is longer than 256 KiB"
        } else if !self.body.is_empty() && is_zero(&self.body) {
            "a body of zero bytes would read as erased"
        } else {
            return Ok(());
        };
        Err(AppendError::Unstorable { what })
    }
}

/// The state of a record's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body<B> {
    /// The record was written without a body.
    Empty,
    /// The body as it was written.
    Intact(B),
    /// The body was erased.
    Erased,
    /// The body is neither what was written nor erased: an erasure was interrupted (or is going
    /// on this instant), or the disk failed. Erase it again or restore a backup.
    Damaged,
}

impl<B> Body<B> {
    /// The body if it is as it was written.
    pub fn intact(self) -> Option<B> {
        match self {
            Body::Intact(body) => Some(body),
            Body::Empty | Body::Erased | Body::Damaged => None,
        }
    }

    /// The same state, borrowing the content.
    pub(crate) fn as_slice(&self) -> Body<&[u8]>
    where
        B: AsRef<[u8]>,
    {
        match self {
            Body::Empty => Body::Empty,
            Body::Intact(body) => Body::Intact(body.as_ref()),
            Body::Erased => Body::Erased,
            Body::Damaged => Body::Damaged,
        }
    }

    /// The same state with another form of the content.
    pub(crate) fn map<C>(self, content: impl FnOnce(B) -> C) -> Body<C> {
        match self {
            Body::Empty => Body::Empty,
            Body::Intact(body) => Body::Intact(content(body)),
            Body::Erased => Body::Erased,
            Body::Damaged => Body::Damaged,
        }
    }
}

/// A record where it was read, borrowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// What it means to the layer above.
    pub kind: u8,
    /// As it was written.
    pub header: &'a [u8],
    /// As it was written, or what became of it.
    pub body: Body<&'a [u8]>,
    /// Bytes that the record takes in the log.
    pub encoded_length: u32,
}

/// A record that was read by its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedRecord {
    /// What it means to the layer above.
    pub kind: u8,
    /// As it was written.
    pub header: Bytes,
    /// As it was written, or what became of it.
    pub body: Body<Bytes>,
    /// Bytes that the record takes in the log.
    pub encoded_length: u32,
}

/// The prefix, without its checksum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prefix {
    pub kind: u8,
    pub group: u32,
    pub header_length: u32,
    pub body_length: u32,
    body_crc: u32,
}

impl Prefix {
    /// Reads a prefix without checking its sum; `None` if it cannot be one.
    pub fn decode(bytes: &[u8]) -> Option<Prefix> {
        let bytes = bytes.get(..PREFIX_LENGTH as usize)?;
        let prefix = Prefix {
            kind: bytes[5],
            group: u32_at(bytes, 8),
            header_length: u32_at(bytes, 12),
            body_length: u32_at(bytes, 16),
            body_crc: u32_at(bytes, 20),
        };
        let plausible = bytes[4] == VERSION
            && bytes[6..8] == [0, 0]
            && prefix.header_length <= HEADER_LIMIT
            && prefix.body_length <= BODY_LIMIT;
        plausible.then_some(prefix)
    }

    /// Bytes from the record's first to the next record's first.
    pub fn encoded_length(&self) -> u32 {
        encoded_length(self.header_length, self.body_length)
    }

    /// Offset of the body from the record's first byte.
    pub fn body_offset(&self) -> u32 {
        PREFIX_LENGTH + self.header_length
    }
}

/// A record whose header is sound; the body has not been looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sound<'a> {
    pub prefix: Prefix,
    pub header: &'a [u8],
    body: &'a [u8],
}

impl<'a> Sound<'a> {
    /// The record that begins with the first of `bytes`, or why there is none.
    pub fn decode(bytes: &'a [u8], seed: u32) -> Result<Sound<'a>, &'static str> {
        let prefix = Prefix::decode(bytes).ok_or("no record prefix")?;
        let body_offset = prefix.body_offset() as usize;
        let body_end = body_offset + prefix.body_length as usize;
        if bytes.len() < prefix.encoded_length() as usize {
            return Err("a record longer than its segment");
        }
        if header_crc(&bytes[4..body_offset], seed) != u32_at(bytes, 0) {
            return Err("a wrong header checksum");
        }
        Ok(Sound {
            prefix,
            header: &bytes[PREFIX_LENGTH as usize..body_offset],
            body: &bytes[body_offset..body_end],
        })
    }

    /// Checks the body.
    pub fn body(&self) -> Body<&'a [u8]> {
        if self.body.is_empty() {
            Body::Empty
        } else if is_zero(self.body) {
            Body::Erased
        } else if crc32fast::hash(self.body) == self.prefix.body_crc {
            Body::Intact(self.body)
        } else {
            Body::Damaged
        }
    }

    /// The record as visitors see it.
    pub fn view(&self) -> RecordView<'a> {
        RecordView {
            kind: self.prefix.kind,
            header: self.header,
            body: self.body(),
            encoded_length: self.prefix.encoded_length(),
        }
    }
}

/// Appends an encoded record to `buffer`. `group` is the low half of its group's number.
pub(super) fn encode(buffer: &mut Vec<u8>, seed: u32, group: u32, kind: u8, header: &[u8], body: &[u8]) {
    let start = buffer.len();
    let length = encoded_length(header.len() as u32, body.len() as u32) as usize;
    buffer.reserve(length);
    buffer.extend_from_slice(&[0, 0, 0, 0, VERSION, kind, 0, 0]);
    buffer.extend_from_slice(&group.to_le_bytes());
    buffer.extend_from_slice(&(header.len() as u32).to_le_bytes());
    buffer.extend_from_slice(&(body.len() as u32).to_le_bytes());
    buffer.extend_from_slice(&crc32fast::hash(body).to_le_bytes());
    buffer.extend_from_slice(header);
    let crc = header_crc(&buffer[start + 4..], seed);
    buffer[start..start + 4].copy_from_slice(&crc.to_le_bytes());
    buffer.extend_from_slice(body);
    buffer.resize(start + length, 0);
}

/// Bytes of a record with a header and a body of these lengths.
pub(super) const fn encoded_length(header_length: u32, body_length: u32) -> u32 {
    (PREFIX_LENGTH + header_length + body_length).next_multiple_of(8)
}

fn header_crc(bytes: &[u8], seed: u32) -> u32 {
    let mut hasher = Hasher::new_with_initial(seed);
    hasher.update(bytes);
    hasher.finalize()
}

/// Whether all bytes are zero. Compares whole pages, as there can be a segment of them.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    const ZEROS: [u8; 4096] = [0; 4096];
    bytes.chunks(ZEROS.len()).all(|chunk| chunk == &ZEROS[..chunk.len()])
}

/// The number at `offset`, which the caller knows to be inside.
pub(super) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[offset..offset + 4]);
    u32::from_le_bytes(number)
}

/// The number at `offset`, which the caller knows to be inside.
pub(super) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[offset..offset + 8]);
    u64::from_le_bytes(number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const SEED: u32 = 0x1234_5678;

    fn encoded(header: &[u8], body: &[u8]) -> Vec<u8> {
        let mut buffer = Vec::new();
        encode(&mut buffer, SEED, 7, 3, header, body);
        buffer
    }

    #[test]
    fn reads_what_it_wrote() {
        for (header, body) in [(&b""[..], &b""[..]), (b"h", b""), (b"", b"{}"), (b"header", b"{\"text\":1}")]
        {
            let bytes = encoded(header, body);
            assert_eq!(bytes.len() % 8, 0);
            let sound = Sound::decode(&bytes, SEED).unwrap();
            assert_eq!(sound.prefix.group, 7);
            let view = sound.view();
            assert_eq!((view.kind, view.header), (3, header));
            assert_eq!(view.encoded_length as usize, bytes.len());
            let expected = if body.is_empty() { Body::Empty } else { Body::Intact(body) };
            assert_eq!(view.body, expected);
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let (header, body) = (b"header", b"{\"text\":\"hello\"}");
        let good = encoded(header, body);
        let body_start = PREFIX_LENGTH as usize + header.len();
        for bit in 0..(body_start + body.len()) * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let sound = Sound::decode(&bytes, SEED);
            if bit / 8 < body_start {
                assert!(sound.is_err(), "bit {bit}");
            } else {
                assert_eq!(sound.unwrap().body(), Body::Damaged, "bit {bit}");
            }
        }
    }

    #[test]
    fn a_body_of_zeros_is_erased_and_the_header_stays() {
        let mut bytes = encoded(b"header", b"{\"text\":1}");
        bytes[PREFIX_LENGTH as usize + 6..][..10].fill(0);
        let sound = Sound::decode(&bytes, SEED).unwrap();
        assert_eq!((sound.header, sound.body()), (&b"header"[..], Body::Erased));
    }

    #[test]
    fn another_segments_record_is_refused() {
        let bytes = encoded(b"header", b"{}");
        assert!(Sound::decode(&bytes, SEED + 1).is_err());
        assert!(Sound::decode(&bytes[..bytes.len() - 8], SEED).is_err());
    }

    #[test]
    fn limits_hold() {
        let record = |kind, header: usize, body: Vec<u8>| Record {
            kind,
            header: vec![1; header].into(),
            body: body.into(),
        };
        assert!(record(0, 16 * 1024, vec![1; 256 * 1024]).check().is_ok());
        assert!(record(0, 0, vec![]).check().is_ok());
        assert!(record(RESERVED_KINDS, 0, vec![1]).check().is_err());
        assert!(record(0, 16 * 1024 + 1, vec![1]).check().is_err());
        assert!(record(0, 0, vec![1; 256 * 1024 + 1]).check().is_err());
        assert!(record(0, 0, vec![0; 3]).check().is_err());
    }
}
