//! Groups: the commit mark that ends one, the seal that ends a segment, and cutting the bytes of
//! a segment back into groups.
//!
//! A group is what one write and one sync made durable together: records that carry the group's
//! number, then a commit mark that says where the group began and how much it holds. The last
//! record of a full segment is a seal. Both are ordinary records of reserved kinds.

use std::cell::OnceCell;

use super::record::{self, PREFIX_LENGTH, Prefix, RESERVED_KINDS, Sound};
use super::{Body, Position, ReplayedGroup};

const MARK_KIND: u8 = 0xFF;
/// The kind of a seal, which ends a segment.
pub(super) const SEAL_KIND: u8 = 0xFE;
const MARK_HEADER_LENGTH: u32 = 24;
const SEAL_HEADER_LENGTH: u32 = 8;

/// Bytes of a commit mark.
pub(super) const MARK_LENGTH: u32 = record::encoded_length(MARK_HEADER_LENGTH, 0);
/// Bytes of a seal.
pub(super) const SEAL_LENGTH: u32 = record::encoded_length(SEAL_HEADER_LENGTH, 0);
/// Bytes to keep free in a segment for the mark of the next group and the seal.
pub(super) const OVERHEAD: u32 = MARK_LENGTH + SEAL_LENGTH;

/// What the commit mark of a group says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CommitMark {
    /// The group's number.
    pub group: u64,
    /// Where it begins.
    pub start: Position,
    /// How many records it has, without the mark.
    pub records: u32,
    /// How many bytes they take.
    pub bytes: u32,
}

impl CommitMark {
    /// Appends the mark to `buffer`.
    pub fn encode(&self, buffer: &mut Vec<u8>, seed: u32) {
        let mut header = [0; MARK_HEADER_LENGTH as usize];
        header[..8].copy_from_slice(&self.group.to_le_bytes());
        header[8..16].copy_from_slice(&self.start.to_u64().to_le_bytes());
        header[16..20].copy_from_slice(&self.records.to_le_bytes());
        header[20..].copy_from_slice(&self.bytes.to_le_bytes());
        record::encode(buffer, seed, self.group as u32, MARK_KIND, &header, &[]);
    }

    /// The mark that `bytes` begin with, if they do.
    pub fn decode(bytes: &[u8], seed: u32) -> Option<CommitMark> {
        let sound = Sound::decode(bytes, seed).ok()?;
        CommitMark::from_record(&sound)
    }

    fn from_record(sound: &Sound<'_>) -> Option<CommitMark> {
        let header = sound.header;
        let fits = sound.prefix.kind == MARK_KIND
            && header.len() == MARK_HEADER_LENGTH as usize
            && sound.prefix.body_length == 0;
        fits.then(|| CommitMark {
            group: record::u64_at(header, 0),
            start: Position::from_u64(record::u64_at(header, 8)),
            records: record::u32_at(header, 16),
            bytes: record::u32_at(header, 20),
        })
    }
}

/// Appends the seal of a segment to `buffer`. `next_group` is the first group of the next one.
pub(super) fn encode_seal(buffer: &mut Vec<u8>, seed: u32, next_group: u64) {
    let header = next_group.to_le_bytes();
    record::encode(buffer, seed, next_group as u32, SEAL_KIND, &header, &[]);
}

/// Which bytes of which segment are cut into groups.
#[derive(Clone, Copy)]
pub(super) struct Stretch<'a> {
    /// The segment's number.
    pub segment: u32,
    /// The seed of its checksums.
    pub seed: u32,
    /// Offset of the first of `bytes` in the file: a group boundary.
    pub offset: u32,
    /// The file's content from there on.
    pub bytes: &'a [u8],
    /// The number of the group that begins there.
    pub next_group: u64,
    /// Whether all of `bytes` is known to be committed. Otherwise a group with a body that is
    /// not intact counts as broken unless a later record proves that the group was synced.
    pub committed: bool,
}

/// A whole group.
pub(super) struct ScannedGroup<'a> {
    /// Offset of its first record in the file.
    pub start: u32,
    /// What visitors see of it.
    pub replayed: ReplayedGroup<'a>,
}

/// What comes next in a segment.
pub(super) enum Step<'a> {
    /// A whole group.
    Group(ScannedGroup<'a>),
    /// The seal: the next segment continues.
    Seal,
    /// Only zero bytes follow.
    End,
    /// Something else follows; the stretch cannot be read further.
    Broken {
        /// Offset of the first byte that makes no sense.
        offset: u32,
        /// What was found.
        what: &'static str,
    },
}

/// Cuts a stretch into groups, front to back.
pub(super) struct Groups<'a> {
    stretch: Stretch<'a>,
    /// Offset in the file of the next group.
    offset: u32,
    next_group: u64,
    /// Offset in the file behind the last byte that is not zero, once that was asked for.
    used_end: OnceCell<u32>,
    /// Offset in the file and group of the last valid record, once that was asked for.
    last_record: OnceCell<Option<(u32, u32)>>,
}

impl<'a> Groups<'a> {
    /// Begins with the first group of `stretch`.
    pub fn new(stretch: Stretch<'a>) -> Groups<'a> {
        let (offset, next_group) = (stretch.offset, stretch.next_group);
        Groups { stretch, offset, next_group, used_end: OnceCell::new(), last_record: OnceCell::new() }
    }

    /// Offset in the file of the next group: behind the last whole one.
    pub fn offset(&self) -> u32 {
        self.offset
    }

    /// The number of the next group.
    pub fn next_group(&self) -> u64 {
        self.next_group
    }

    /// The file's content from `offset` on.
    pub fn bytes_from(&self, offset: u32) -> &'a [u8] {
        &self.stretch.bytes[(offset - self.stretch.offset) as usize..]
    }

    /// What comes next. After anything but a group, asking again gives the same answer.
    pub fn next(&mut self) -> Step<'a> {
        let start = self.offset;
        let mut at = start;
        let mut records = Vec::new();
        let mut doubtful = None;
        loop {
            let rest = self.bytes_from(at);
            let sound = match Sound::decode(rest, self.stretch.seed) {
                Ok(sound) => sound,
                Err(_) if at == start && record::is_zero(rest) => return Step::End,
                Err(what) => return Step::Broken { offset: at, what },
            };
            let broken = |what| Step::Broken { offset: at, what };
            if sound.prefix.group != self.next_group as u32 {
                return broken("a record of another group");
            }
            match sound.prefix.kind {
                MARK_KIND => {
                    let expected = self.expected_mark(at, records.len());
                    if CommitMark::from_record(&sound) != Some(expected) {
                        return broken("a commit mark that does not fit its group");
                    }
                    let end = at + MARK_LENGTH;
                    if let Some(offset) = doubtful
                        && !self.stretch.committed
                        && !self.proves_later_group(end, self.next_group)
                    {
                        let what = "a body that does not match its checksum";
                        return Step::Broken { offset, what };
                    }
                    return self.whole_group(records, end);
                }
                SEAL_KIND if at == start => return Step::Seal,
                RESERVED_KINDS.. => return broken("a mark out of place"),
                _ => {}
            }
            let view = sound.view();
            if matches!(view.body, Body::Erased | Body::Damaged) {
                doubtful.get_or_insert(at);
            }
            records.push((self.position(at), view));
            at += sound.prefix.encoded_length();
        }
    }

    /// Whether a valid record of a group later than `group` stands at or behind `offset`. If so,
    /// `group` was synced before that record was written.
    pub fn proves_later_group(&self, offset: u32, group: u64) -> bool {
        // The last record proves almost every group, and is looked for once.
        let last = self.last_record();
        if last.is_some_and(|(at, later)| at >= offset && is_later(later, group)) {
            return true;
        }
        (offset..self.used_end())
            .step_by(8)
            .any(|at| self.valid_record(at, |of| is_later(of, group)).is_some())
    }

    /// Offset in the file behind the last byte that is not zero.
    fn used_end(&self) -> u32 {
        *self.used_end.get_or_init(|| self.stretch.offset + used_length(self.stretch.bytes) as u32)
    }

    fn last_record(&self) -> Option<(u32, u32)> {
        *self.last_record.get_or_init(|| {
            let mut places = (self.stretch.offset as usize..self.used_end() as usize).step_by(8).rev();
            places.find_map(|at| Some((at as u32, self.valid_record(at as u32, |_| true)?)))
        })
    }

    /// The group of the record at `at`, if there is a valid one of a group that is `wanted`.
    fn valid_record(&self, at: u32, wanted: impl Fn(u32) -> bool) -> Option<u32> {
        let bytes = self.bytes_from(at);
        // Cheap look first: most places cannot be the beginning of a record.
        let prefix = Prefix::decode(bytes).filter(|prefix| wanted(prefix.group))?;
        Sound::decode(bytes, self.stretch.seed).is_ok().then_some(prefix.group)
    }

    fn expected_mark(&self, at: u32, records: usize) -> CommitMark {
        CommitMark {
            group: self.next_group,
            start: self.position(self.offset),
            records: records as u32,
            bytes: at - self.offset,
        }
    }

    fn whole_group(&mut self, records: Vec<(Position, super::RecordView<'a>)>, end: u32) -> Step<'a> {
        let start = self.offset;
        self.offset = end;
        self.next_group = number_after(self.next_group);
        Step::Group(ScannedGroup {
            start,
            replayed: ReplayedGroup { records, end: self.position(end), run: None },
        })
    }

    fn position(&self, offset: u32) -> Position {
        Position { segment: self.stretch.segment, offset }
    }
}

/// The number of the group behind `group`. It wraps: no log counts that far, and one that claims to have done so must
/// not end the process.
pub(super) const fn number_after(group: u64) -> u64 {
    group.wrapping_add(1)
}

/// Compares the low half of a group number with a whole one nearby.
fn is_later(low_half: u32, group: u64) -> bool {
    (low_half.wrapping_sub(group as u32) as i32) > 0
}

/// How many bytes there are up to the last that is not zero.
pub(super) fn used_length(bytes: &[u8]) -> usize {
    const STRIDE: usize = 4096;
    let mut end = bytes.len();
    while end > 0 {
        let begin = (end - 1) / STRIDE * STRIDE;
        if !record::is_zero(&bytes[begin..end]) {
            break;
        }
        end = begin;
    }
    let last = bytes[..end].iter().rposition(|byte| *byte != 0);
    last.map_or(0, |at| at + 1)
}

/// Checks the arithmetic of positions: every record keeps to eight bytes.
const _: () = assert!(MARK_LENGTH.is_multiple_of(8) && PREFIX_LENGTH.is_multiple_of(8));

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const SEED: u32 = 99;

    fn push_group(buffer: &mut Vec<u8>, base: u32, group: u64, bodies: &[&[u8]]) {
        let start = buffer.len() as u32;
        for body in bodies {
            record::encode(buffer, SEED, group as u32, 1, b"header", body);
        }
        let mark = CommitMark {
            group,
            start: Position { segment: 3, offset: base + start },
            records: bodies.len() as u32,
            bytes: buffer.len() as u32 - start,
        };
        mark.encode(buffer, SEED);
    }

    fn groups(bytes: &[u8], next_group: u64) -> Groups<'_> {
        Groups::new(Stretch { segment: 3, seed: SEED, offset: 64, bytes, next_group, committed: false })
    }

    /// Group numbers as one walks through, then a letter for how it ended.
    fn walk(bytes: &[u8], first: u64) -> (Vec<usize>, char) {
        let mut groups = groups(bytes, first);
        let mut counts = Vec::new();
        loop {
            match groups.next() {
                Step::Group(group) => counts.push(group.replayed.records.len()),
                Step::Seal => return (counts, 's'),
                Step::End => return (counts, 'e'),
                Step::Broken { .. } => return (counts, 'b'),
            }
        }
    }

    #[test]
    fn lengths_are_as_documented() {
        assert_eq!((MARK_LENGTH, SEAL_LENGTH), (48, 32));
    }

    #[test]
    fn walks_groups_to_the_end_or_the_seal() {
        let mut bytes = Vec::new();
        push_group(&mut bytes, 64, 5, &[b"{}", b""]);
        push_group(&mut bytes, 64, 6, &[]);
        let mut sealed = bytes.clone();
        encode_seal(&mut sealed, SEED, 7);
        sealed.resize(4096, 0);
        assert_eq!(walk(&bytes, 5), (vec![2, 0], 'e'));
        assert_eq!(walk(&sealed, 5), (vec![2, 0], 's'));
        assert_eq!(walk(&bytes, 6), (vec![], 'b'));
    }

    #[test]
    fn a_mark_or_record_that_does_not_belong_breaks_the_group() {
        let start = Position { segment: 3, offset: 64 };
        let good = CommitMark { group: 5, start, records: 1, bytes: 40 };
        let wrong = [
            CommitMark { group: 6, ..good },
            CommitMark { start: Position::START, ..good },
            CommitMark { records: 2, ..good },
            CommitMark { bytes: 48, ..good },
        ];
        let walk_one = |record_group, mark: CommitMark| {
            let mut bytes = Vec::new();
            record::encode(&mut bytes, SEED, record_group, 1, b"longer header", b"{}");
            assert_eq!(bytes.len(), 40);
            mark.encode(&mut bytes, SEED);
            walk(&bytes, 5)
        };
        assert_eq!(walk_one(5, good), (vec![1], 'e'));
        assert_eq!(walk_one(4, good), (vec![], 'b'));
        for mark in wrong {
            assert_eq!(walk_one(5, mark), (vec![], 'b'), "{mark:?}");
        }
    }

    #[test]
    fn group_numbers_may_pass_32_bits() {
        let first = u64::from(u32::MAX);
        let mut bytes = Vec::new();
        push_group(&mut bytes, 64, first, &[b"{}"]);
        push_group(&mut bytes, 64, first + 1, &[b"{}"]);
        assert_eq!(walk(&bytes, first), (vec![1, 1], 'e'));
        assert!(groups(&bytes, first).proves_later_group(64, first));
        assert!(!groups(&bytes, first).proves_later_group(64, first + 1));
    }

    #[test]
    fn group_numbers_may_pass_64_bits() {
        let mut bytes = Vec::new();
        push_group(&mut bytes, 64, u64::MAX, &[b"{}"]);
        push_group(&mut bytes, 64, 0, &[b"{}"]);
        assert_eq!(walk(&bytes, u64::MAX), (vec![1, 1], 'e'));
    }

    #[test]
    fn a_doubtful_body_needs_the_proof_of_a_later_group() {
        let mut bytes = Vec::new();
        push_group(&mut bytes, 64, 5, &[b"{\"text\":1}"]);
        let body = PREFIX_LENGTH as usize + 6;
        let mut erased = bytes.clone();
        erased[body..body + 10].fill(0);
        assert_eq!(walk(&erased, 5), (vec![], 'b'));
        push_group(&mut erased, 64, 6, &[]);
        assert_eq!(walk(&erased, 5), (vec![1, 0], 'e'));
    }

    #[test]
    fn a_half_full_segment_with_many_erased_bodies_is_read_in_time() {
        const GROUPS: u64 = 20_000;
        let mut bytes = Vec::new();
        for group in 1..=GROUPS {
            let start = bytes.len();
            push_group(&mut bytes, 64, group, &[b"{\"text\":1}"]);
            let body = start + PREFIX_LENGTH as usize + 6;
            bytes[body..body + 10].fill(0);
        }
        push_group(&mut bytes, 64, GROUPS + 1, &[]);
        bytes.resize(32 << 20, 0);
        let began = std::time::Instant::now();
        let (counts, end) = walk(&bytes, 1);
        assert_eq!((counts.len() as u64, end), (GROUPS + 1, 'e'));
        // Looking for the end of the bytes each time takes minutes.
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }

    #[test]
    fn used_length_finds_the_last_byte() {
        let mut bytes = vec![0; 20_000];
        assert_eq!(used_length(&bytes), 0);
        for at in [0, 4095, 4096, 19_999] {
            bytes[at] = 1;
            assert_eq!(used_length(&bytes), at + 1);
        }
    }
}
