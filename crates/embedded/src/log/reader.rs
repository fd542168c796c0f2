//! Committed records by position, while the writer goes on.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bytes::Bytes;
use uuid::Uuid;

use super::group::{Groups, SEAL_KIND, Step, Stretch, number_after};
use super::record::{PREFIX_LENGTH, Prefix, Sound};
use super::segment::{self, Found, HEADER_LENGTH};
use super::sorted::{SortedFile, SortedHeader};
use super::sorted_files::SortedFiles;
use super::sorted_writer::SortedWriter;
use super::writer::Shared;
use super::{
    Disk, Located, Locator, MergeError, OpenError, OwnedRecord, Position, RESERVED_KINDS, ReadError, Visitor,
    fault, recovery,
};

/// Bytes read at first when the caller does not know the length.
const UNKNOWN_LENGTH: u32 = 1024;

/// Reads the segments of one log through a bounded number of open files.
pub(super) struct Reader {
    pub(super) disk: Arc<dyn Disk>,
    log_id: Uuid,
    pub(super) shared: Arc<Shared>,
    pub(super) sorted: SortedFiles,
    segments: RwLock<Segments>,
    most_open: usize,
    /// Held while bodies are erased.
    pub(super) erasing: Mutex<()>,
}

/// The segments that can be read.
struct Segments {
    open: BTreeMap<u32, Arc<Found>>,
    /// Those up to here are merged and removed, or are about to be.
    retired: u32,
}

impl Reader {
    pub fn new(
        disk: Arc<dyn Disk>,
        log_id: Uuid,
        most_open: usize,
        shared: Arc<Shared>,
        sorted: &[SortedFile],
    ) -> Reader {
        let sorted = SortedFiles::new(Arc::clone(&disk), log_id, most_open, sorted);
        let retired = sorted.merged();
        Reader {
            disk,
            log_id,
            shared,
            sorted,
            segments: RwLock::new(Segments { open: BTreeMap::new(), retired }),
            most_open,
            erasing: Mutex::new(()),
        }
    }

    pub fn log_id(&self) -> Uuid {
        self.log_id
    }

    /// See [`super::Log::read`].
    pub fn read(&self, position: Position, length_hint: u32) -> Result<OwnedRecord, ReadError> {
        let found = self.segment_of(position)?;
        let hint = match length_hint {
            0 => UNKNOWN_LENGTH,
            hint => hint,
        };
        let mut bytes = read_bytes(&found, position, hint)?;
        let prefix = prefix_at(&bytes, position)?;
        if prefix.encoded_length() as usize > bytes.len() {
            bytes = read_bytes(&found, position, prefix.encoded_length())?;
        }
        owned(&Bytes::from(bytes), 0, position, found.header.seed())
    }

    /// See [`super::Log::read_near`].
    pub fn read_near(&self, places: &[(Position, u32)]) -> Result<Vec<OwnedRecord>, ReadError> {
        let (Some((first, _)), Some((last, length))) = (places.first(), places.last()) else {
            return Ok(Vec::new());
        };
        let found = self.segment_of(*first)?;
        self.segment_of(*last)?;
        let bytes = Bytes::from(read_bytes(&found, *first, last.offset - first.offset + length)?);
        let seed = found.header.seed();
        let records = places.iter().map(|(position, _)| {
            let at = (position.offset - first.offset) as usize;
            owned(&bytes, at, *position, seed)
        });
        records.collect()
    }

    /// Where in its file the body of a committed record is: offset and length.
    pub fn body_place(&self, position: Position) -> Result<(Arc<Found>, u32, u32), ReadError> {
        let found = self.segment_of(position)?;
        let bytes = read_bytes(&found, position, PREFIX_LENGTH)?;
        let length = prefix_at(&bytes, position)?.encoded_length();
        let bytes = read_bytes(&found, position, length)?;
        let prefix = sound_at(&bytes, position, found.header.seed())?.prefix;
        let offset = position.offset + prefix.body_offset();
        Ok((found, offset, prefix.body_length))
    }

    /// See [`super::Log::scan`].
    pub fn scan(&self, from: Position, visitor: &mut Visitor<'_>) -> Result<(), OpenError> {
        let end = self.shared.end();
        if end == Position::START {
            return Ok(());
        }
        let mut before = Position::START;
        for file in self.sorted.list() {
            if from == Position::START {
                self.sorted.file(file.first)?.replay(before, visitor)?;
            } else if from < file.end() {
                return Err(OpenError::BadStart { start: from });
            }
            before = file.end();
        }
        for number in from.segment.max(before.segment).max(1)..=end.segment {
            let found = self.segment(number).map_err(unopened)?;
            let (offset, next_group) = scan_start(&found, from)?;
            let bytes = recovery::read_from(found.file.as_ref(), offset)?;
            let mut groups = Groups::new(Stretch {
                segment: number,
                seed: found.header.seed(),
                offset,
                bytes: &bytes,
                next_group,
                committed: true,
            });
            while number < end.segment || groups.offset() < end.offset {
                match groups.next() {
                    Step::Group(group) => visitor(&group.replayed).map_err(OpenError::Visitor)?,
                    Step::Seal => break,
                    Step::End => return Err(corrupt(number, groups.offset(), "no more groups")),
                    Step::Broken { offset, what } => return Err(corrupt(number, offset, what)),
                }
            }
        }
        Ok(())
    }

    /// See [`super::Log::locate`].
    pub fn locate(&self, segments: RangeInclusive<u32>, visit: &mut Locator<'_>) -> Result<(), OpenError> {
        let end = self.shared.end();
        for number in segments {
            let found = self.segment(number).map_err(unopened)?;
            let bytes = recovery::read_from(found.file.as_ref(), HEADER_LENGTH)?;
            let upto = if number == end.segment { end.offset } else { found.length };
            let mut offset = HEADER_LENGTH;
            while offset < upto {
                let rest = &bytes[(offset - HEADER_LENGTH) as usize..];
                let sound =
                    Sound::decode(rest, found.header.seed()).map_err(|what| corrupt(number, offset, what))?;
                let (kind, length) = (sound.prefix.kind, sound.prefix.encoded_length());
                if kind == SEAL_KIND {
                    break;
                }
                if kind < RESERVED_KINDS {
                    let position = Position { segment: number, offset };
                    visit(&Located { position, kind, header: sound.header, length })
                        .map_err(OpenError::Visitor)?;
                }
                offset += length;
            }
        }
        Ok(())
    }

    /// See [`super::Log::sealed`].
    pub fn sealed(&self) -> RangeInclusive<u32> {
        let last = self.shared.end().segment.saturating_sub(1);
        self.sorted.merged() + 1..=last
    }

    /// See [`super::Log::begin_merge`].
    pub fn begin_merge(&self, last: u32) -> Result<SortedWriter, MergeError> {
        let file = SortedFile { first: self.sorted.merged() + 1, last };
        let first_group = self.segment(file.first)?.header.first_group;
        let next_group = self.segment(last + 1)?.header.first_group;
        let header = SortedHeader { file, log_id: self.log_id, first_group, next_group };
        Ok(SortedWriter::begin(Arc::clone(&self.disk), header)?)
    }

    /// See [`super::Log::retire`].
    pub fn retire(&self) -> std::io::Result<()> {
        let merged = self.sorted.merged();
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        segments.retired = merged;
        segments.open.retain(|number, _| *number > merged);
        drop(segments);
        let retired: Vec<u32> =
            segment::numbers(self.disk.as_ref())?.into_iter().filter(|number| *number <= merged).collect();
        if retired.is_empty() {
            return Ok(());
        }
        fault::point("merge.before_retire");
        for number in retired {
            self.disk.remove(&segment::name(number))?;
            fault::point("merge.mid_retire");
        }
        self.disk.sync_directory()?;
        fault::point("merge.after_retire");
        Ok(())
    }

    /// The open segment of a committed position.
    fn segment_of(&self, position: Position) -> Result<Arc<Found>, ReadError> {
        let aligned = position.offset >= HEADER_LENGTH && position.offset.is_multiple_of(8);
        if !aligned || position >= self.shared.end() {
            return Err(no_record(position, "no place in the committed log"));
        }
        self.segment(position.segment)
    }

    /// The open segment; opens it, and lets go of the oldest if there are too many.
    fn segment(&self, number: u32) -> Result<Arc<Found>, ReadError> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        if number <= segments.retired {
            return Err(ReadError::Merged { segment: number });
        }
        if let Some(found) = segments.open.get(&number) {
            return Ok(Arc::clone(found));
        }
        drop(segments);
        let opened = segment::open(self.disk.as_ref(), number, Some(self.log_id));
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        if number <= segments.retired {
            // It went away meanwhile, whether or not it could still be opened.
            return Err(ReadError::Merged { segment: number });
        }
        let found = Arc::new(opened?);
        segments.open.insert(number, Arc::clone(&found));
        if segments.open.len() > self.most_open {
            segments.open.pop_first();
        }
        Ok(found)
    }
}

/// Where to begin scanning in a segment, and the number of the group there.
fn scan_start(found: &Found, from: Position) -> Result<(u32, u64), OpenError> {
    let whole = found.header.segment != from.segment || from.offset == HEADER_LENGTH;
    if whole {
        return Ok((HEADER_LENGTH, found.header.first_group));
    }
    match recovery::mark_before(found, from.offset)? {
        Some(mark) => Ok((from.offset, number_after(mark.group))),
        None => Err(OpenError::BadStart { start: from }),
    }
}

/// Reads up to `length` bytes; fewer where the file ends.
fn read_bytes(found: &Found, position: Position, length: u32) -> Result<Vec<u8>, ReadError> {
    let left = found.length.saturating_sub(position.offset);
    let mut bytes = vec![0; length.max(PREFIX_LENGTH).min(left) as usize];
    found
        .file
        .read_at(u64::from(position.offset), &mut bytes)
        .map_err(|source| ReadError::Io { position, source })?;
    Ok(bytes)
}

fn prefix_at(bytes: &[u8], position: Position) -> Result<Prefix, ReadError> {
    Prefix::decode(bytes).ok_or_else(|| no_record(position, "no record prefix"))
}

/// The record that `bytes` begin with, unless it is one of the log's own.
fn sound_at(bytes: &[u8], position: Position, seed: u32) -> Result<Sound<'_>, ReadError> {
    let sound = Sound::decode(bytes, seed).map_err(|what| no_record(position, what))?;
    if sound.prefix.kind >= RESERVED_KINDS {
        return Err(no_record(position, "a mark of the log itself"));
    }
    Ok(sound)
}

/// The record that begins at `at` in `bytes`, sharing them.
fn owned(bytes: &Bytes, at: usize, position: Position, seed: u32) -> Result<OwnedRecord, ReadError> {
    let rest = bytes.get(at..).ok_or_else(|| no_record(position, "the end of its segment"))?;
    let sound = sound_at(rest, position, seed)?;
    Ok(OwnedRecord {
        kind: sound.prefix.kind,
        header: bytes.slice_ref(sound.header),
        body: sound.body().map(|body| bytes.slice_ref(body)),
        encoded_length: sound.prefix.encoded_length(),
    })
}

/// What it means to whoever reads segment after segment that one could not be opened.
fn unopened(error: ReadError) -> OpenError {
    match error {
        ReadError::Segment(error) => error,
        ReadError::Merged { segment } => OpenError::MissingSegment { segment },
        other => OpenError::Io { action: "open a segment", source: std::io::Error::other(other) },
    }
}

fn no_record(position: Position, what: &'static str) -> ReadError {
    ReadError::NoRecord { position, what }
}

fn corrupt(segment: u32, offset: u32, what: &'static str) -> OpenError {
    OpenError::Corruption { segment, offset, what }
}
