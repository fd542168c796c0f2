//! The append log: what is acknowledged is here first. Records of a kind, a header and a body go
//! into segment files; it knows nothing of chat.
//!
//! One thread writes. It takes everything that waits, writes it as one *group* in one write,
//! syncs once, then tells the layer above and the senders; the next group begins when the sync
//! has returned. A group ends with a *commit mark*, groups are numbered without gaps, and every
//! record carries its group's number. Hence the rule of recovery: a valid record of a later group
//! proves that all groups before it were synced, and so must be whole. Only the last group may be
//! broken; nothing of it was acknowledged, and all of it is cut.
//!
//! Sealed segments do not stay for ever. The layer above merges some at a time, once, into a
//! *sorted file*, in which the records of one key stand together: what is read together is one
//! read, and bodies that were erased are gone. The log then is its sorted files and, behind them,
//! its segments. It knows neither keys nor which records may be left out; the layer above says.
//!
//! | file | what |
//! |---|---|
//! | `record` | format of a record |
//! | `group` | commit marks and seals; cutting a segment's bytes into groups |
//! | `segment` | segment files: names, header, creation |
//! | `sorted`, `sorted_writer`, `sorted_files` | what sealed segments are merged into: format, writing, reading |
//! | `varint` | numbers in few bytes |
//! | `recovery` | from files to a log that can be appended to; `check` |
//! | `cut` | giving up what cannot be read |
//! | `queue`, `writer` | from waiting appends to synced groups |
//! | `reader`, `erase`, `copy` | beside the writer: reading, erasing bodies, backups |
//! | `disk`, `simulated_disk` | the file system, and one that crashes |
//! | `fault` | named places where tests let the process die |

mod copy;
mod cut;
mod disk;
mod erase;
mod error;
pub mod fault;
mod group;
mod position;
mod queue;
mod reader;
mod record;
mod recovery;
mod segment;
#[cfg(any(test, feature = "simulation"))]
mod simulated_disk;
mod sorted;
mod sorted_files;
mod sorted_writer;
pub(crate) mod varint;
mod writer;

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::thread::JoinHandle;

use uuid::Uuid;

pub use cut::cut_at;
pub use disk::{Disk, DiskFile, RealDisk};
pub use error::{AppendError, CopyError, EraseError, MergeError, OpenError, ReadError, VisitorError};
pub use position::Position;
pub use record::{BODY_LIMIT, Body, HEADER_LIMIT, OwnedRecord, RESERVED_KINDS, Record, RecordView};
pub use recovery::{OpenReport, Tail, check, merged_end};
#[cfg(any(test, feature = "simulation"))]
pub use simulated_disk::{SimulatedDisk, SimulatedFault};

pub use sorted::{RecordKey, Run, SortedFile, SortedRecord};
pub use sorted_files::{ReadRun, SortedBody};
pub use sorted_writer::SortedWriter;

use reader::Reader;
use recovery::Recovered;
use writer::Shared;

/// The limits of a log.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Bytes of a new segment file, reserved when it is made. Default 64 MiB.
    pub segment_bytes: u32,
    /// Most bytes in a group, and the most that one append may take. Default 4 MiB.
    pub group_bytes: u32,
    /// Most appends in a group. Default 4,096.
    pub group_appends: usize,
    /// Most bytes that wait in the queue. Default 32 MiB.
    pub queue_bytes: usize,
    /// Most appends that wait in the queue. Default 32,768.
    pub queue_appends: usize,
    /// Most segment files, and most sorted files, kept open for reading. Default 64.
    pub open_segments: usize,
}

impl Default for LogOptions {
    fn default() -> LogOptions {
        LogOptions {
            segment_bytes: 64 << 20,
            group_bytes: 4 << 20,
            group_appends: 4_096,
            queue_bytes: 32 << 20,
            queue_appends: 32_768,
            open_segments: 64,
        }
    }
}

impl LogOptions {
    /// Refuses options with which the log could not work.
    fn check(&self) -> Result<(), OpenError> {
        let what = if self.segment_bytes > 1 << 30 || !self.segment_bytes.is_multiple_of(8) {
            "segment_bytes must be a multiple of 8 and at most 1 GiB"
        } else if self.segment_bytes < 2048 {
            "segment_bytes must be at least 2 KiB"
        } else if self.group_appends == 0 || self.queue_appends == 0 || self.open_segments == 0 {
            "counts must not be zero"
        } else {
            return Ok(());
        };
        Err(OpenError::Options { what })
    }

    /// Most bytes one append may take, whatever is left in the active segment.
    fn append_bytes(&self) -> u32 {
        let segment = self.segment_bytes - segment::HEADER_LENGTH - group::OVERHEAD;
        segment.min(self.group_bytes)
    }
}

/// What the log calls on its writer thread. Both must return soon: nothing is committed meanwhile.
/// Neither may wait for an append, call [`Log::erase`], or panic.
pub struct LogHooks {
    /// Called after each group is synced, before its senders hear of it: publish it to readers.
    pub committed: CommittedHook,
    /// Called once, when a write or a sync failed: end the process. The senders of what waited
    /// are told [`AppendError::Failed`] after it returns.
    pub fatal: FatalHook,
}

/// See [`LogHooks::committed`].
pub type CommittedHook = Box<dyn FnMut(&CommittedGroup) + Send>;

/// See [`LogHooks::fatal`]; told what went wrong.
pub type FatalHook = Box<dyn FnOnce(&str) + Send>;

/// A group that was just synced.
#[derive(Debug)]
pub struct CommittedGroup {
    /// Its appends, in the order in which they were queued. Never empty.
    pub appends: Vec<CommittedAppend>,
    /// Where the next group begins: what to remember as "applied up to".
    pub end: Position,
}

/// One append of a committed group.
#[derive(Debug)]
pub struct CommittedAppend {
    /// The records as they were handed to [`Log::append`].
    pub records: Vec<Record>,
    /// Their positions, one for each.
    pub positions: Vec<Position>,
}

/// A group that is read back, at opening or by [`Log::scan`].
#[derive(Debug)]
pub struct ReplayedGroup<'a> {
    /// Its records with their positions, in order; none in a group that only marks an opening or
    /// an erasure. A sorted file is shown run by run.
    pub records: Vec<(Position, RecordView<'a>)>,
    /// Where the next group begins: what to remember as "applied up to". For all runs of a sorted
    /// file but the last it is where the file began: only the whole of it is a step.
    pub end: Position,
    /// The run, if it is one: then the headers are those in the sorted file, and the positions
    /// mean nothing.
    pub run: Option<Run>,
}

/// A record's header, and where it is.
#[derive(Clone, Copy, Debug)]
pub struct Located<'a> {
    /// The place of the record.
    pub position: Position,
    /// What it means to the layer above.
    pub kind: u8,
    /// As it was written.
    pub header: &'a [u8],
    /// Bytes that the record takes.
    pub length: u32,
}

/// Takes records of which only the place and the header are wanted; an error ends the reading.
pub type Locator<'a> = dyn FnMut(&Located<'_>) -> Result<(), VisitorError> + 'a;

/// Takes groups that are read back; an error ends the reading.
pub type Visitor<'a> = dyn FnMut(&ReplayedGroup<'_>) -> Result<(), VisitorError> + 'a;

/// Tells the sender of an append what became of it. Called on the writer thread, after the sync
/// and after [`LogHooks::committed`], in the order of the appends. Must return soon.
pub type Done = Box<dyn FnOnce(Result<Vec<Position>, AppendError>) + Send>;

/// An open log. Dropping it commits what waits and ends the writer thread.
pub struct Log {
    shared: Arc<Shared>,
    reader: Reader,
    writer: Option<JoinHandle<()>>,
    append_bytes: u32,
}

impl Log {
    /// Opens the log in `disk`, or begins one if there is none.
    ///
    /// `start` is how far the caller has applied the log durably ([`Position::START`] if it knows
    /// nothing); groups before it are trusted, those after it are checked and shown to `visitor`
    /// in order. It cannot lie inside what was merged, see [`merged_end`]. What the visitor is shown is durable. On an error the caller must forget what
    /// the visitor was shown.
    pub fn open(
        disk: Arc<dyn Disk>,
        options: LogOptions,
        start: Position,
        visitor: &mut Visitor<'_>,
        hooks: LogHooks,
    ) -> Result<(Log, OpenReport), OpenError> {
        options.check()?;
        let recovered = recovery::recover(disk.as_ref(), start, visitor)?;
        let report = recovered.report.clone();
        tracing::info!(
            end = %report.end,
            segments = report.segments,
            groups = report.groups,
            records = report.records,
            damaged_bodies = report.damaged_bodies,
            tail = ?report.tail,
            "log opened"
        );
        let shared = Arc::new(Shared::new(&options, &recovered));
        let reader = reader(&disk, &options, &recovered, &shared);
        let append_bytes = options.append_bytes();
        let writer = writer::start(disk, options, recovered, hooks, Arc::clone(&shared))?;
        let log = Log { shared, reader, writer: Some(writer), append_bytes };
        Ok((log, report))
    }

    /// Queues records to be committed together: all of them survive or none. Returns at once;
    /// `done` is called exactly once unless an error is returned here, which means that nothing
    /// was taken: `Full`, `Unstorable`, `Failed` or `Closed`.
    pub fn append(&self, records: Vec<Record>, done: Done) -> Result<(), AppendError> {
        if records.is_empty() {
            return Err(AppendError::Unstorable { what: "it has no records" });
        }
        let mut bytes: u64 = 0;
        for record in &records {
            record.check()?;
            bytes += u64::from(record.encoded_length());
        }
        if bytes > u64::from(self.append_bytes) {
            return Err(AppendError::Unstorable { what: "it is longer than a group may be" });
        }
        self.shared.queue.push(queue::Append { records, bytes: bytes as u32, done })
    }

    /// Reads the committed record at `position` with one system call if it is no longer than
    /// `length_hint` ([`Record::encoded_length`]); 0 if the length is not known.
    ///
    /// A body that is being erased this instant reads as `Damaged` or `Erased`.
    pub fn read(&self, position: Position, length_hint: u32) -> Result<OwnedRecord, ReadError> {
        self.reader.read(position, length_hint)
    }

    /// Reads records of one segment that lie close together, at `places` (position and encoded
    /// length, ascending), with one system call.
    pub fn read_near(&self, places: &[(Position, u32)]) -> Result<Vec<OwnedRecord>, ReadError> {
        self.reader.read_near(places)
    }

    /// Reads a run of a sorted file with one system call.
    pub fn read_run(&self, run: &Run) -> Result<ReadRun, ReadError> {
        self.reader.sorted.file(run.file)?.read(run)
    }

    /// Overwrites the bodies of the records at `positions` with zero bytes and syncs; their
    /// headers stay. Safe to repeat, in any order, while others read and append. Blocks for at
    /// least one sync per segment; one call runs at a time.
    ///
    /// If the machine stops before it returns, each body is as before, erased or damaged: erase
    /// again after opening.
    pub fn erase(&self, positions: &[Position]) -> Result<(), EraseError> {
        self.reader.erase(positions)
    }

    /// As [`Log::erase`], for bodies in sorted files.
    pub fn erase_sorted(&self, bodies: &[SortedBody]) -> Result<(), EraseError> {
        self.reader.erase_sorted(bodies)
    }

    /// The sealed segments that are not merged: those that a merge may take, from the first on.
    pub fn sealed(&self) -> RangeInclusive<u32> {
        self.reader.sealed()
    }

    /// Shows the headers of all committed records in `segments`, without looking at bodies.
    pub fn locate(&self, segments: RangeInclusive<u32>, visit: &mut Locator<'_>) -> Result<(), OpenError> {
        self.reader.locate(segments, visit)
    }

    /// Begins the file into which the sealed segments up to `last` are merged. One merge at a
    /// time, and neither [`Log::erase`] nor [`Log::copy_to`] meanwhile, up to [`Log::retire`].
    pub fn begin_merge(&self, last: u32) -> Result<SortedWriter, MergeError> {
        self.reader.begin_merge(last)
    }

    /// Makes a sorted file durable and readable; answers its runs. It counts from now on, at
    /// every later opening; until [`Log::retire`] its segments can be read, too.
    pub fn finish_merge(&self, writer: SortedWriter) -> Result<Vec<Run>, MergeError> {
        let file = writer.file();
        let runs = writer.finish()?;
        self.reader.sorted.add(file);
        Ok(runs)
    }

    /// The sorted files, ascending.
    pub fn sorted_files(&self) -> Vec<SortedFile> {
        self.reader.sorted.list()
    }

    /// All runs of a sorted file.
    pub fn runs(&self, file: SortedFile) -> Result<Vec<Run>, OpenError> {
        self.reader.sorted.file(file.first)?.runs()
    }

    /// Removes the segments that are merged. Reads of them are told [`ReadError::Merged`].
    pub fn retire(&self) -> std::io::Result<()> {
        self.reader.retire()
    }

    /// Where the next group will begin: everything before it is committed.
    pub fn end(&self) -> Position {
        self.shared.end()
    }

    /// Names this log; the same for its whole life and for its copies.
    pub fn id(&self) -> Uuid {
        self.reader.log_id()
    }

    /// Shows all groups from `from`, a group boundary, to the end at the time of the call. From
    /// the very start the runs of sorted files come first.
    pub fn scan(&self, from: Position, visitor: &mut Visitor<'_>) -> Result<(), OpenError> {
        self.reader.scan(from, visitor)
    }

    /// Copies the log up to `upto`, a group boundary no later than [`Log::end`], into an empty
    /// disk and syncs it. Appends go on meanwhile. Bodies erased during the copy may be damaged
    /// in it: erase them again there.
    pub fn copy_to(&self, destination: &dyn Disk, upto: Position) -> Result<(), CopyError> {
        self.reader.copy_to(destination, upto)
    }
}

fn reader(disk: &Arc<dyn Disk>, options: &LogOptions, recovered: &Recovered, shared: &Arc<Shared>) -> Reader {
    let (log_id, most_open) = (recovered.report.log_id, options.open_segments);
    Reader::new(Arc::clone(disk), log_id, most_open, Arc::clone(shared), &recovered.sorted)
}

impl Drop for Log {
    fn drop(&mut self) {
        self.shared.queue.close();
        let Some(writer) = self.writer.take() else {
            return;
        };
        // A sender's `done` may hold the last handle; its thread cannot wait for itself.
        if writer.thread().id() != std::thread::current().id() && writer.join().is_err() {
            tracing::error!("the log's writer thread panicked");
        }
    }
}
