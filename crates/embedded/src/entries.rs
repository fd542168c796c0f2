//! Finding and reading entries, wherever they are: in segments or, merged, in sorted files.
//!
//! Entries that lie close together are read together. A merge may move entries at any moment; a
//! reader that finds its segment gone looks again where they are.

use std::collections::BTreeSet;

use bytes::Bytes;
use suda_domain::entry::Envelope;
use suda_domain::stored::{Stored, StoredError};
use suda_proto::ConversationId;

use crate::index::tables::{RunRow, hidden_key, run_key, seq_of};
use crate::index::view::View;
use crate::index::{Index, IndexError};
use crate::log::{Body, Log, Position, ReadError, Run, SortedBody};
use crate::records::{self, Header};

/// Entries that are asked for at once.
const CHUNK: u64 = 256;
/// How often a reader looks again because entries were moved. Each merge moves them once.
const MOST_MOVES: u32 = 16;

/// An entry as it is kept.
pub struct Found {
    /// The envelope.
    pub envelope: Envelope,
    /// The body, or what became of it.
    pub body: Body<Bytes>,
    /// Whether the body reads as `None`, whatever became of it yet.
    pub is_hidden: bool,
    /// Where the body is.
    pub place: BodyPlace,
}

/// Where a body is, for erasing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyPlace {
    /// In the record at this place of a segment.
    Segment(Position),
    /// In a sorted file.
    Sorted(SortedBody),
}

/// A log with its index.
pub struct Entries<'a> {
    /// The log.
    pub log: &'a Log,
    /// The index.
    pub index: &'a Index,
}

impl Entries<'_> {
    /// Calls `visit` with the entries `from..=to` until it answers `false`.
    pub fn visit<E: From<IndexError> + From<ReadError>>(
        &self,
        view: &mut View<'_>,
        conversation: ConversationId,
        from: u64,
        to: u64,
        mut visit: impl FnMut(&mut View<'_>, Found) -> Result<bool, E>,
    ) -> Result<(), E> {
        let (mut next, mut moves) = (from, 0);
        let (mut hidden, mut hidden_upto) = (BTreeSet::new(), from);
        while next <= to {
            if next >= hidden_upto {
                // Before the entries are read: what is hidden later, this reader may still see.
                hidden_upto = to.min(next.saturating_add(CHUNK - 1)) + 1;
                hidden = hidden_ones(view, conversation, next, hidden_upto - 1)?;
            }
            let some = match self.read_some(view, conversation, next, hidden_upto - 1) {
                Ok(some) => some,
                Err(Unread::Moved) if moves < MOST_MOVES => {
                    moves += 1;
                    continue;
                }
                Err(Unread::Moved) => {
                    return Err(missing(conversation).into());
                }
                Err(Unread::Index(error)) => return Err(error.into()),
                Err(Unread::Read(error)) => return Err(error.into()),
            };
            for mut found in some {
                found.is_hidden = hidden.contains(&found.envelope.seq);
                next = found.envelope.seq + 1;
                if !visit(view, found)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Reads the entry `from` and those up to `to` that come with it; at least one.
    fn read_some(
        &self,
        view: &mut View<'_>,
        conversation: ConversationId,
        from: u64,
        to: u64,
    ) -> Result<Vec<Found>, Unread> {
        let found = match self.index.locations.near(conversation, from, to) {
            Some(places) => {
                let places: Vec<(Position, u32)> =
                    places.iter().map(|place| (place.position, place.length)).collect();
                self.read_places(&places)?
            }
            None => self.read_run(view, conversation, from, to)?,
        };
        let contiguous = (from..).zip(&found).all(|(seq, found)| found.envelope.seq == seq);
        if found.is_empty() || !contiguous {
            return Err(missing(conversation).into());
        }
        Ok(found)
    }

    fn read_places(&self, places: &[(Position, u32)]) -> Result<Vec<Found>, Unread> {
        let records = self.log.read_near(places)?;
        let found = records.into_iter().zip(places).map(|(record, (position, _))| {
            let header = records::decode(record.kind, &record.header)?;
            let place = BodyPlace::Segment(*position);
            Ok(entry(header, record.body, place).ok_or(StoredError::Malformed("entry's record"))?)
        });
        found.collect()
    }

    fn read_run(
        &self,
        view: &mut View<'_>,
        conversation: ConversationId,
        from: u64,
        to: u64,
    ) -> Result<Vec<Found>, Unread> {
        let row = view.at_or_below(&run_key(conversation, 0), &run_key(conversation, from))?;
        let (key, value) = row.ok_or_else(|| missing(conversation))?;
        let run = run_of(conversation, seq_of(&key).unwrap_or(0), &RunRow::decode(&value)?);
        if from - run.first >= u64::from(run.count) {
            return Err(missing(conversation).into());
        }
        let read = self.log.read_run(&run)?;
        let mut found = Vec::new();
        for record in read.records() {
            let record = record?;
            let header = records::decode_sorted(record.kind, &run.key, record.header)?;
            let Header::Entry { envelope, .. } = &header else {
                continue;
            };
            if envelope.seq > to {
                break;
            }
            if envelope.seq >= from {
                let body = record.body().map(|body| read.share(body));
                let place = BodyPlace::Sorted(read.body_place(&record));
                found.extend(entry(header, body, place));
            }
        }
        Ok(found)
    }
}

/// Where a row says that a run is.
fn run_of(conversation: ConversationId, first: u64, row: &RunRow) -> Run {
    let RunRow { file, offset, bytes, count } = *row;
    Run { file, key: *conversation.bytes(), first, count, offset, bytes }
}

/// Why entries could not be read.
enum Unread {
    /// They were moved while they were looked for.
    Moved,
    Index(IndexError),
    Read(ReadError),
}

impl From<IndexError> for Unread {
    fn from(error: IndexError) -> Self {
        Self::Index(error)
    }
}

impl From<StoredError> for Unread {
    fn from(error: StoredError) -> Self {
        Self::Index(error.into())
    }
}

impl From<ReadError> for Unread {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Merged { .. } => Self::Moved,
            other => Self::Read(other),
        }
    }
}

/// The entry that a record is, if it is one.
fn entry(header: Header, body: Body<Bytes>, place: BodyPlace) -> Option<Found> {
    match header {
        Header::Entry { envelope, .. } => Some(Found { envelope, body, is_hidden: false, place }),
        Header::Marks { .. } => None,
    }
}

fn missing(conversation: ConversationId) -> IndexError {
    IndexError::Missing { conversation, what: "an entry" }
}

/// The hidden ones of the entries `from..=to`.
pub fn hidden_ones(
    view: &mut View<'_>,
    conversation: ConversationId,
    from: u64,
    to: u64,
) -> Result<BTreeSet<u64>, IndexError> {
    let (first, last) = (hidden_key(conversation, from), hidden_key(conversation, to));
    let rows = view.range(&first, &last, usize::MAX)?;
    Ok(rows.iter().filter_map(|(key, _)| seq_of(key)).collect())
}
