//! The format of a sorted file: what several sealed segments held, ordered by key.
//!
//! A *key* of sixteen bytes says what a record belongs to; the layer above gives it. All records
//! of one key stand together in the order in which they were committed, cut into *runs* of about
//! [`RUN_BYTES`]. Behind them a footer lists the runs, and a trailer of fixed length says where
//! the footer begins. A file with its final name is complete.
//!
//! Header, 64 bytes, little endian:
//!
//! | bytes | field |
//! |---|---|
//! | 0–7 | `SUDASRT\0` |
//! | 8–9 | version, 1 |
//! | 12–15 | number of the first segment whose records it holds |
//! | 16–31 | id of the log |
//! | 32–39 | number of the first segment's first group |
//! | 40–47 | number of the first group that is not in it |
//! | 48–51 | number of the last segment whose records it holds |
//! | 60–63 | CRC-32 of bytes 0–59 |
//!
//! A record is as short as can be; nothing is aligned:
//!
//! | bytes | field |
//! |---|---|
//! | 4 | CRC-32 of what follows up to the end of the header, begun with the file's seed and the key |
//! | 1 | kind; the highest bit says that the body was erased before, and is left out |
//! | 1–3 | header length, a variable-length number |
//! | 1–3 | body length, a variable-length number |
//! | 0 or 4 | CRC-32 of the body, if there is one |
//! | … | header, body |
//!
//! As in a segment, a body can be overwritten with zero bytes. The key takes part in the sum, so
//! that no record can be taken for one of another key.
//!
//! The footer has for each run: key (16), number of its first record that has one, count of those
//! that have one, bytes. Trailer, 32 bytes: offset of the footer (8), count of runs (4), CRC-32 of
//! the footer (4), 12 zero bytes, CRC-32 of the 28 bytes before, begun with the seed.

use crc32fast::Hasher;
use uuid::Uuid;

use super::record::{Body, is_zero, u32_at, u64_at};
use super::{BODY_LIMIT, HEADER_LIMIT, Position, segment, varint};

/// A run is cut once it has this many bytes; it is longer by at most one record.
pub(super) const RUN_BYTES: u32 = 16 * 1024;
/// Bytes before the first record.
pub(super) const HEADER_LENGTH: u64 = 64;
/// Bytes at the end of the file.
pub(super) const TRAILER_LENGTH: u64 = 32;
const MAGIC: &[u8; 8] = b"SUDASRT\0";
const VERSION: u16 = 1;
/// In the byte of the kind: the body is left out.
const LEFT_OUT: u8 = 0x80;

/// What a record belongs to.
pub type RecordKey = [u8; 16];

/// A sorted file, named by the segments whose records it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortedFile {
    /// The number of the first.
    pub first: u32,
    /// The number of the last.
    pub last: u32,
}

impl SortedFile {
    /// Its name in the folder.
    pub fn name(self) -> String {
        format!("{:08}-{:08}.sorted", self.first, self.last)
    }

    /// Its name until it is complete.
    pub(super) fn unfinished_name(self) -> String {
        format!("{}{UNFINISHED}", self.name())
    }

    /// The file with this name, if it is one.
    pub(super) fn parse(name: &str) -> Option<SortedFile> {
        let (first, last) = name.strip_suffix(".sorted")?.split_once('-')?;
        let file = SortedFile { first: first.parse().ok()?, last: last.parse().ok()? };
        (file.name() == name && 0 < file.first && file.first <= file.last).then_some(file)
    }

    /// Where what is not in it begins: a group boundary.
    pub fn end(self) -> Position {
        Position { segment: self.last + 1, offset: segment::HEADER_LENGTH }
    }
}

/// What the name of an unfinished file ends with.
pub(super) const UNFINISHED: &str = ".tmp";

/// Where some records of one key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first segment of the sorted file, which names it.
    pub file: u32,
    /// What the records belong to.
    pub key: RecordKey,
    /// The number of the first record that has one; 0 if none has.
    pub first: u64,
    /// How many records have a number.
    pub count: u32,
    /// Where in the file the run begins.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u32,
}

/// What a sorted file says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SortedHeader {
    pub file: SortedFile,
    pub log_id: Uuid,
    pub first_group: u64,
    pub next_group: u64,
}

impl SortedHeader {
    /// The header's bytes.
    pub fn encode(&self) -> [u8; HEADER_LENGTH as usize] {
        let mut bytes = [0; HEADER_LENGTH as usize];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.file.first.to_le_bytes());
        bytes[16..32].copy_from_slice(self.log_id.as_bytes());
        bytes[32..40].copy_from_slice(&self.first_group.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.next_group.to_le_bytes());
        bytes[48..52].copy_from_slice(&self.file.last.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads what [`SortedHeader::encode`] made.
    pub fn decode(bytes: &[u8; HEADER_LENGTH as usize]) -> Result<SortedHeader, segment::HeaderFault> {
        if !bytes.starts_with(MAGIC) || crc32fast::hash(&bytes[..60]) != u32_at(bytes, 60) {
            return Err(segment::HeaderFault::Damaged);
        }
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        if version != VERSION {
            return Err(segment::HeaderFault::Version(version));
        }
        let mut log_id = [0; 16];
        log_id.copy_from_slice(&bytes[16..32]);
        Ok(SortedHeader {
            file: SortedFile { first: u32_at(bytes, 12), last: u32_at(bytes, 48) },
            log_id: Uuid::from_bytes(log_id),
            first_group: u64_at(bytes, 32),
            next_group: u64_at(bytes, 40),
        })
    }

    /// What the checksums of this file begin with.
    pub fn seed(&self) -> u32 {
        let mut hasher = Hasher::new();
        hasher.update(MAGIC);
        hasher.update(self.log_id.as_bytes());
        hasher.update(&self.file.first.to_le_bytes());
        hasher.update(&self.file.last.to_le_bytes());
        hasher.finalize()
    }
}

/// A record of a sorted file whose header is sound; the body is looked at on demand.
#[derive(Clone, Copy, Debug)]
pub struct SortedRecord<'a> {
    /// What it means to the layer above.
    pub kind: u8,
    /// As it was written.
    pub header: &'a [u8],
    body: &'a [u8],
    body_crc: u32,
    left_out: bool,
    /// Bytes before the body.
    body_offset: u32,
}

impl<'a> SortedRecord<'a> {
    /// The record that `bytes` begin with, or why there is none.
    pub(super) fn decode(bytes: &'a [u8], seed: u32) -> Result<SortedRecord<'a>, &'static str> {
        let short = "a record longer than its run";
        let (&crc, rest) = bytes.split_first_chunk::<4>().ok_or(short)?;
        let (&kind, rest) = rest.split_first().ok_or(short)?;
        let (header_length, rest) = varint::take_u32(rest).ok_or("no record prefix")?;
        let (body_length, rest) = varint::take_u32(rest).ok_or("no record prefix")?;
        if header_length > HEADER_LIMIT || body_length > BODY_LIMIT {
            return Err("no record prefix");
        }
        let (body_crc, rest) = match body_length {
            0 => (0, rest),
            _ => {
                let (crc, rest) = rest.split_first_chunk::<4>().ok_or(short)?;
                (u32::from_le_bytes(*crc), rest)
            }
        };
        let (header, rest) = rest.split_at_checked(header_length as usize).ok_or(short)?;
        let body = rest.get(..body_length as usize).ok_or(short)?;
        let body_offset = bytes.len() - rest.len();
        if checksum(&bytes[4..body_offset], seed) != u32::from_le_bytes(crc) {
            return Err("a wrong header checksum");
        }
        Ok(SortedRecord {
            kind: kind & !LEFT_OUT,
            header,
            body,
            body_crc,
            left_out: kind & LEFT_OUT != 0,
            body_offset: body_offset as u32,
        })
    }

    /// Checks the body.
    pub fn body(&self) -> Body<&'a [u8]> {
        if self.left_out {
            Body::Erased
        } else if self.body.is_empty() {
            Body::Empty
        } else if is_zero(self.body) {
            Body::Erased
        } else if crc32fast::hash(self.body) == self.body_crc {
            Body::Intact(self.body)
        } else {
            Body::Damaged
        }
    }

    /// The body, whatever became of it.
    pub(super) fn body_bytes(&self) -> &'a [u8] {
        self.body
    }

    /// Bytes that the record takes.
    pub(super) fn length(&self) -> u32 {
        self.body_offset + self.body.len() as u32
    }
}

/// What the checksums of one key's records begin with.
pub(super) fn key_seed(seed: u32, key: &RecordKey) -> u32 {
    checksum(key, seed)
}

fn checksum(bytes: &[u8], seed: u32) -> u32 {
    let mut hasher = Hasher::new_with_initial(seed);
    hasher.update(bytes);
    hasher.finalize()
}

/// Appends a record; `seed` is the key's. The kind is below 128, the lengths keep within the
/// limits of a record. A damaged body stays one, though not the same: one byte with a wrong sum.
pub(super) fn encode(buffer: &mut Vec<u8>, seed: u32, kind: u8, header: &[u8], body: &Body<&[u8]>) {
    let (left_out, body, body_crc): (u8, &[u8], u32) = match body {
        Body::Empty => (0, &[], 0),
        Body::Erased => (LEFT_OUT, &[], 0),
        Body::Intact(body) => (0, body, crc32fast::hash(body)),
        Body::Damaged => (0, &[0xFF], !crc32fast::hash(&[0xFF])),
    };
    let start = buffer.len();
    buffer.extend_from_slice(&[0, 0, 0, 0, kind | left_out]);
    varint::put(buffer, header.len() as u64);
    varint::put(buffer, body.len() as u64);
    if !body.is_empty() {
        buffer.extend_from_slice(&body_crc.to_le_bytes());
    }
    buffer.extend_from_slice(header);
    let crc = checksum(&buffer[start + 4..], seed);
    buffer[start..start + 4].copy_from_slice(&crc.to_le_bytes());
    buffer.extend_from_slice(body);
}

/// Appends a run to a footer.
pub(super) fn encode_run(footer: &mut Vec<u8>, run: &Run) {
    footer.extend_from_slice(&run.key);
    varint::put(footer, run.first);
    varint::put(footer, u64::from(run.count));
    varint::put(footer, u64::from(run.bytes));
}

/// The runs of a footer, if it lists exactly `count` and they fill the file up to `end`.
pub(super) fn decode_runs(file: u32, mut footer: &[u8], count: u32, end: u64) -> Option<Vec<Run>> {
    let mut runs = Vec::with_capacity((count as usize).min(footer.len() / 19));
    let mut offset = HEADER_LENGTH;
    while !footer.is_empty() {
        let (key, rest) = footer.split_first_chunk::<16>()?;
        let (first, rest) = varint::take(rest)?;
        let (records, rest) = varint::take_u32(rest)?;
        let (bytes, rest) = varint::take_u32(rest)?;
        runs.push(Run { file, key: *key, first, count: records, offset, bytes });
        offset = offset.checked_add(u64::from(bytes))?;
        footer = rest;
    }
    (runs.len() == count as usize && offset == end).then_some(runs)
}

/// The trailer of a file whose footer begins at `footer_offset`.
pub(super) fn encode_trailer(seed: u32, footer_offset: u64, runs: u32, footer: &[u8]) -> [u8; 32] {
    let mut bytes = [0; TRAILER_LENGTH as usize];
    bytes[..8].copy_from_slice(&footer_offset.to_le_bytes());
    bytes[8..12].copy_from_slice(&runs.to_le_bytes());
    bytes[12..16].copy_from_slice(&crc32fast::hash(footer).to_le_bytes());
    let crc = checksum(&bytes[..28], seed);
    bytes[28..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// What a trailer says: offset of the footer, count of runs, checksum of the footer.
pub(super) fn decode_trailer(seed: u32, bytes: &[u8; 32]) -> Option<(u64, u32, u32)> {
    let sound = checksum(&bytes[..28], seed) == u32_at(bytes, 28);
    sound.then(|| (u64_at(bytes, 0), u32_at(bytes, 8), u32_at(bytes, 12)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const SEED: u32 = 0x1234_5678;
    const FILE: SortedFile = SortedFile { first: 3, last: 6 };

    fn encoded(header: &[u8], body: &Body<&[u8]>) -> Vec<u8> {
        let mut buffer = Vec::new();
        encode(&mut buffer, SEED, 3, header, body);
        buffer
    }

    #[test]
    fn reads_what_it_wrote_and_keeps_every_state_of_a_body() {
        for body in [Body::Empty, Body::Erased, Body::Intact(&b"{}"[..]), Body::Damaged] {
            for header in [&b""[..], b"h", &[7; 200]] {
                let bytes = encoded(header, &body);
                let record = SortedRecord::decode(&bytes, SEED).unwrap();
                assert_eq!((record.kind, record.header, record.body()), (3, header, body.clone()));
                assert_eq!(record.length() as usize, bytes.len());
            }
        }
        assert_eq!(encoded(&[7; 44], &Body::Intact(&[b'x'; 200])).len(), 4 + 1 + 1 + 2 + 4 + 44 + 200);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let good = encoded(b"header", &Body::Intact(b"{\"text\":\"hello\"}"));
        let body = SortedRecord::decode(&good, SEED).unwrap().body_offset as usize;
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            match SortedRecord::decode(&bytes, SEED) {
                Ok(record) => {
                    assert!(bit / 8 >= body, "bit {bit}");
                    assert_eq!(record.body(), Body::Damaged, "bit {bit}");
                }
                Err(_) => assert!(bit / 8 < body, "bit {bit}"),
            }
        }
        for length in 0..good.len() {
            assert!(SortedRecord::decode(&good[..length], SEED).is_err(), "{length}");
        }
        let mut erased = good;
        erased[body..].fill(0);
        assert_eq!(SortedRecord::decode(&erased, SEED).unwrap().body(), Body::Erased);
    }

    #[test]
    fn a_record_of_another_key_is_refused() {
        let mut bytes = Vec::new();
        encode(&mut bytes, key_seed(SEED, &[1; 16]), 3, b"h", &Body::Empty);
        assert!(SortedRecord::decode(&bytes, key_seed(SEED, &[1; 16])).is_ok());
        assert!(SortedRecord::decode(&bytes, key_seed(SEED, &[2; 16])).is_err());
    }

    #[test]
    fn header_and_trailer_notice_every_flipped_bit() {
        let header = SortedHeader {
            file: FILE,
            log_id: Uuid::from_u128(42),
            first_group: 1 << 40,
            next_group: 1 << 41,
        };
        let bytes = header.encode();
        assert_eq!(SortedHeader::decode(&bytes), Ok(header));
        let trailer = encode_trailer(SEED, 1 << 33, 7, b"footer");
        assert_eq!(decode_trailer(SEED, &trailer), Some((1 << 33, 7, crc32fast::hash(b"footer"))));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SortedHeader::decode(&flipped), Err(segment::HeaderFault::Damaged));
        }
        for bit in 0..trailer.len() * 8 {
            let mut flipped = trailer;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode_trailer(SEED, &flipped), None);
        }
    }

    #[test]
    fn a_footer_lists_runs_that_fill_the_file() {
        let run =
            |key, first, count, offset, bytes| Run { file: 3, key: [key; 16], first, count, offset, bytes };
        let runs = vec![run(1, 1, 2, 64, 500), run(1, 3, 200, 564, 16_500), run(2, 0, 0, 17_064, 20)];
        let mut footer = Vec::new();
        runs.iter().for_each(|run| encode_run(&mut footer, run));
        assert_eq!(decode_runs(3, &footer, 3, 17_084), Some(runs));
        assert_eq!(decode_runs(3, &footer, 2, 17_084), None);
        assert_eq!(decode_runs(3, &footer, 3, 17_085), None);
        assert_eq!(decode_runs(3, &footer[1..], 3, 17_084), None);
    }

    #[test]
    fn only_exact_names_are_sorted_files() {
        assert_eq!(SortedFile::parse("00000003-00000006.sorted"), Some(FILE));
        for wrong in [
            "3-6.sorted",
            "00000003-00000006.sorted.tmp",
            "00000006-00000003.sorted",
            "00000000-00000003.sorted",
            "00000003.seg",
        ] {
            assert_eq!(SortedFile::parse(wrong), None, "{wrong}");
        }
    }
}
