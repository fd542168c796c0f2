//! From the fuzzer's bytes to segment files.

use libfuzzer_sys::arbitrary::{self, Arbitrary};

use crate::layout::{SegmentFile, segment_header, whole_log};

/// Beyond it, bytes at an edit's or a piece's place are not added.
const FILE_BYTES: usize = 64 * 1024;

/// What the files of a log hold.
#[derive(Arbitrary, Debug)]
pub enum Case<'a> {
    /// One file of these bytes.
    File(&'a [u8]),
    /// One file of these bytes behind a sound header.
    Content(&'a [u8]),
    /// A sound log to which something happened.
    Damaged(Vec<Edit<'a>>),
    /// Sound records in any order.
    Composed {
        /// The number of the first group.
        first_group: u64,
        /// What follows the header.
        pieces: Vec<Piece<'a>>,
    },
}

/// One thing that happens to a file; `second` says to which.
#[derive(Arbitrary, Debug)]
pub enum Edit<'a> {
    /// Bits of one byte flip.
    Flip { second: bool, at: u16, bits: u8 },
    /// A stretch reads as zero.
    Zero { second: bool, from: u16, length: u8 },
    /// The file ends here.
    Cut { second: bool, at: u16 },
    /// The file goes on.
    Extend { second: bool, bytes: &'a [u8] },
    /// A stretch stands at another place too.
    Copy { second: bool, from: u16, to: u16, words: u8 },
    /// The file is gone.
    Remove { second: bool },
    /// The files change places.
    Swap,
}

/// Something that stands in a segment.
#[derive(Arbitrary, Debug)]
pub enum Piece<'a> {
    /// A record.
    Record { kind: u8, header: &'a [u8], body: &'a [u8] },
    /// A record whose body is not what its checksum says.
    Doubtful { header: &'a [u8], body: &'a [u8], erased: bool },
    /// The mark that ends the group.
    Mark,
    /// The end of the segment.
    Seal,
    /// The seal, and the segment that continues.
    NextSegment,
    /// The records that follow say another group.
    Renumber(i8),
    /// The mark that follows says another count.
    Miscount(u8),
    /// No record at all.
    Bytes(&'a [u8]),
}

impl Case<'_> {
    /// The content of segment 1, 2 and so on; `None` where that file is missing.
    pub fn files(&self) -> Vec<Option<Vec<u8>>> {
        match self {
            Case::File(bytes) => vec![Some(bytes.to_vec())],
            Case::Content(bytes) => vec![Some([&segment_header(1, 1), *bytes].concat())],
            Case::Damaged(edits) => {
                let mut files: Vec<_> = whole_log().into_iter().map(Some).collect();
                edits.iter().for_each(|edit| edit.apply(&mut files));
                files
            }
            Case::Composed { first_group, pieces } => compose(*first_group, pieces),
        }
    }
}

impl Edit<'_> {
    fn apply(&self, files: &mut [Option<Vec<u8>>]) {
        let second = match *self {
            Edit::Swap => return files.swap(0, 1),
            Edit::Flip { second, .. }
            | Edit::Zero { second, .. }
            | Edit::Cut { second, .. }
            | Edit::Extend { second, .. }
            | Edit::Copy { second, .. }
            | Edit::Remove { second } => second,
        };
        let file = &mut files[usize::from(second)];
        if matches!(self, Edit::Remove { .. }) {
            *file = None;
        }
        if let Some(bytes) = file {
            self.change(bytes);
        }
    }

    fn change(&self, file: &mut Vec<u8>) {
        let place = |at: u16| usize::from(at).min(file.len());
        match *self {
            Edit::Flip { at, bits, .. } => {
                if let Some(byte) = file.get_mut(usize::from(at)) {
                    *byte ^= bits;
                }
            }
            Edit::Zero { from, length, .. } => {
                let (from, to) = (place(from), place(from.saturating_add(length.into())));
                file[from..to].fill(0);
            }
            Edit::Cut { at, .. } => file.truncate(at.into()),
            Edit::Extend { bytes, .. } => append(file, bytes),
            Edit::Copy { from, to, words, .. } => {
                let end = place(from.saturating_add(u16::from(words) * 8));
                let stretch = file[place(from)..end].to_vec();
                let to = place(to);
                let length = stretch.len().min(file.len() - to);
                file[to..to + length].copy_from_slice(&stretch[..length]);
            }
            Edit::Remove { .. } | Edit::Swap => {}
        }
    }
}

fn compose(first_group: u64, pieces: &[Piece<'_>]) -> Vec<Option<Vec<u8>>> {
    let mut files = Vec::new();
    let mut file = SegmentFile::new(1, first_group);
    for piece in pieces {
        match *piece {
            Piece::Record { kind, header, body } => file.record(kind, header, body),
            Piece::Doubtful { header, body, erased } => {
                file.record(1, header, body);
                let body_end = file.bytes.len() - padding(header.len() + body.len());
                let body = body_end - body.len()..body_end;
                let spoil = |byte: &mut u8| *byte = if erased { 0 } else { !*byte };
                file.bytes[body].iter_mut().for_each(spoil);
            }
            Piece::Mark => file.mark(),
            Piece::Seal => file.seal(),
            Piece::NextSegment => {
                file.seal();
                let next = SegmentFile::new(files.len() as u32 + 2, file.group);
                files.push(Some(std::mem::replace(&mut file, next).bytes));
            }
            Piece::Renumber(by) => file.group = file.group.wrapping_add_signed(by.into()),
            Piece::Miscount(records) => file.records = records.into(),
            Piece::Bytes(bytes) => append(&mut file.bytes, bytes),
        }
    }
    files.push(Some(file.bytes));
    files
}

/// Zero bytes behind a record with a header and body of so many bytes.
fn padding(length: usize) -> usize {
    length.next_multiple_of(8) - length
}

fn append(file: &mut Vec<u8>, bytes: &[u8]) {
    if file.len() < FILE_BYTES {
        file.extend_from_slice(bytes);
    }
}
