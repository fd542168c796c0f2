//! Committed records by position, while the writer goes on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bytes::Bytes;
use uuid::Uuid;

use super::group::{Groups, Step, Stretch, number_after};
use super::record::{PREFIX_LENGTH, Prefix, Sound};
use super::segment::{self, Found, HEADER_LENGTH};
use super::writer::Shared;
use super::{Disk, OpenError, OwnedRecord, Position, RESERVED_KINDS, ReadError, Visitor, recovery};

/// Bytes read at first when the caller does not know the length.
const UNKNOWN_LENGTH: u32 = 1024;

/// Reads the segments of one log through a bounded number of open files.
pub(super) struct Reader {
    pub(super) disk: Arc<dyn Disk>,
    log_id: Uuid,
    pub(super) shared: Arc<Shared>,
    open: RwLock<BTreeMap<u32, Arc<Found>>>,
    most_open: usize,
    /// Held while bodies are erased.
    pub(super) erasing: Mutex<()>,
}

impl Reader {
    pub fn new(disk: Arc<dyn Disk>, log_id: Uuid, most_open: usize, shared: Arc<Shared>) -> Reader {
        Reader {
            disk,
            log_id,
            shared,
            open: RwLock::new(BTreeMap::new()),
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
        let sound = sound_at(&bytes, position, found.header.seed())?;
        let (kind, body) = (sound.prefix.kind, sound.body().map(drop));
        let header_end = prefix.body_offset() as usize;
        let body_end = header_end + prefix.body_length as usize;
        let bytes = Bytes::from(bytes);
        Ok(OwnedRecord {
            kind,
            header: bytes.slice(PREFIX_LENGTH as usize..header_end),
            body: body.map(|()| bytes.slice(header_end..body_end)),
            encoded_length: prefix.encoded_length(),
        })
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
        for number in from.segment.max(1)..=end.segment {
            let found = self.segment(number)?;
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

    /// The open segment of a committed position.
    fn segment_of(&self, position: Position) -> Result<Arc<Found>, ReadError> {
        let aligned = position.offset >= HEADER_LENGTH && position.offset.is_multiple_of(8);
        if !aligned || position >= self.shared.end() {
            return Err(no_record(position, "no place in the committed log"));
        }
        Ok(self.segment(position.segment)?)
    }

    /// The open segment; opens it, and lets go of the oldest if there are too many.
    fn segment(&self, number: u32) -> Result<Arc<Found>, OpenError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = open.get(&number) {
            return Ok(Arc::clone(found));
        }
        drop(open);
        let found = Arc::new(segment::open(self.disk.as_ref(), number, Some(self.log_id))?);
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        open.insert(number, Arc::clone(&found));
        if open.len() > self.most_open {
            open.pop_first();
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

fn no_record(position: Position, what: &'static str) -> ReadError {
    ReadError::NoRecord { position, what }
}

fn corrupt(segment: u32, offset: u32, what: &'static str) -> OpenError {
    OpenError::Corruption { segment, offset, what }
}
