//! Everything that can go wrong with the log, by kind, with what to do next in the text.

use std::io;

use super::Position;

/// Why the log could not be opened, checked or scanned. Nothing was changed, except that a
/// segment whose creation a crash interrupted may have been made anew.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file system refused.
    #[error("the log could not {action}: {source}")]
    Io {
        /// What was being done, as a verb phrase.
        action: &'static str,
        /// The file system's answer.
        #[source]
        source: io::Error,
    },
    /// Synced content is damaged: more than a crash can explain.
    #[error(
        "the log is corrupt at {segment}:{offset} ({what}): restore a backup, or give up \
         everything from there on with `suda check --data DIR --cut-at {segment}:{offset}`"
    )]
    Corruption {
        /// The segment's number.
        segment: u32,
        /// The offset of the first byte that cannot be trusted.
        offset: u32,
        /// What was expected there and not found.
        what: &'static str,
    },
    /// A sorted file is damaged, other than in the body of a record.
    #[error(
        "the log is corrupt: {file} at {offset} ({what}): restore a backup, or give up \
         everything from there on with `suda check --data DIR --cut-at {segment}:0`"
    )]
    SortedCorruption {
        /// The file's name.
        file: String,
        /// The first segment whose records it holds.
        segment: u32,
        /// The offset of the first byte that cannot be trusted.
        offset: u64,
        /// What was expected there and not found.
        what: &'static str,
    },
    /// A segment belongs to another log.
    #[error("segment {segment} belongs to another log: put back the segment of this one")]
    Foreign {
        /// The segment's number.
        segment: u32,
    },
    /// A segment was written by another version of this program.
    #[error(
        "segment {segment} has format version {version}, this program reads version 1: \
         start the version that wrote it"
    )]
    UnsupportedVersion {
        /// The segment's number.
        segment: u32,
        /// The version in its header.
        version: u16,
    },
    /// A segment between the start and the end of the log is not there.
    #[error("segment {segment} is missing: put it back, or restore a backup")]
    MissingSegment {
        /// The segment's number.
        segment: u32,
    },
    /// The start position is not a group boundary of this log, so what was derived from the log
    /// is of another log, or of a longer one.
    #[error(
        "{start} is not a boundary of this log: log and index do not belong together, \
         rebuild the index from the log or restore both from one backup"
    )]
    BadStart {
        /// The start position that was asked for.
        start: Position,
    },
    /// The options contradict each other or the format's limits.
    #[error("log options: {what}")]
    Options {
        /// What is wrong with them.
        what: &'static str,
    },
    /// The visitor refused a record.
    #[error("the log's records could not be taken over: {0}")]
    Visitor(#[source] VisitorError),
}

/// What a visitor of groups returns to stop the scan.
pub type VisitorError = Box<dyn std::error::Error + Send + Sync>;

/// Why an append was not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The queue is full. Nothing was taken: answer "overloaded" and let the sender retry.
    #[error("the log's queue is full: try again shortly")]
    Full,
    /// The append breaks a limit of the format. Nothing was taken, retrying cannot help.
    #[error("an append cannot be stored: {what}")]
    Unstorable {
        /// The limit it breaks.
        what: &'static str,
    },
    /// There is no room on the disk. Nothing was stored; appends work again once there is.
    #[error("the disk is full: free some space")]
    DiskFull,
    /// A write or a sync failed: it is unknown whether the append survives. The log takes
    /// nothing more; the process must end and find out by opening the log again.
    #[error("the log failed: restart to recover")]
    Failed,
    /// The log is being closed. Nothing was taken.
    #[error("the log is closed")]
    Closed,
}

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No committed record begins there.
    #[error("no record at {position}: {what}; run `suda check --data DIR`")]
    NoRecord {
        /// The position asked for.
        position: Position,
        /// What was found instead.
        what: &'static str,
    },
    /// The segment's header does not fit this log.
    #[error(transparent)]
    Segment(#[from] OpenError),
    /// The record's segment was merged into a sorted file: ask for it anew.
    #[error("segment {segment} was merged")]
    Merged {
        /// The segment.
        segment: u32,
    },
    /// No record begins in a sorted file where one must.
    #[error("no record in {file} at {offset}: {what}; run `suda check --data DIR`")]
    Sorted {
        /// The file's name.
        file: String,
        /// The offset of the record.
        offset: u64,
        /// What was found instead.
        what: &'static str,
    },
    /// The file system refused.
    #[error("reading {file}: {source}")]
    SortedIo {
        /// The file's name.
        file: String,
        /// The file system's answer.
        #[source]
        source: io::Error,
    },
    /// The file system refused.
    #[error("reading {position}: {source}")]
    Io {
        /// The position asked for.
        position: Position,
        /// The file system's answer.
        #[source]
        source: io::Error,
    },
}

/// Why bodies could not be erased. Some may be; erasing again is safe.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// A record could not be found.
    #[error("erasing: {0}")]
    Read(#[from] ReadError),
    /// The file system refused.
    #[error("erasing in segment {segment}: {source}; erase again")]
    Io {
        /// The segment's number.
        segment: u32,
        /// The file system's answer.
        #[source]
        source: io::Error,
    },
    /// The log cannot commit, which erasing in its last group needs.
    #[error("erasing: {0}")]
    Append(#[from] AppendError),
}

/// Why a copy could not be made. The destination holds an unusable part of it.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The destination already has a log.
    #[error("the destination already holds segments: choose an empty folder")]
    NotEmpty,
    /// The position is not in the committed part of the log.
    #[error("{upto} lies beyond the committed end {end}")]
    BeyondEnd {
        /// The position asked for.
        upto: Position,
        /// The log's end.
        end: Position,
    },
    /// What stands before the position is merged with what stands behind it.
    #[error("{upto} lies in a segment that was merged with others")]
    Merged {
        /// The position asked for.
        upto: Position,
    },
    /// One of the two file systems refused.
    #[error("copying segment {segment}: {source}")]
    Io {
        /// The segment's number.
        segment: u32,
        /// The file system's answer.
        #[source]
        source: io::Error,
    },
}

/// Why segments could not be merged. They stay as they are; try again later.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A segment could not be read.
    #[error("merging: {0}")]
    Read(#[from] ReadError),
    /// A segment could not be read through.
    #[error("merging: {0}")]
    Scan(#[from] OpenError),
    /// The file system refused.
    #[error("merging: {0}")]
    Io(#[from] io::Error),
    /// It is unknown whether the sorted file is there: the process must end and find out by opening the log again.
    #[error("merging: the sorted file could not be made durable: {0}")]
    Failed(#[source] io::Error),
}

impl MergeError {
    /// Whether there is no room, which is not a failure of the disk.
    pub fn is_full(&self) -> bool {
        matches!(self, MergeError::Io(error) if is_full(error))
    }
}

/// Turns a file system's answer into an [`OpenError`] that names what was being done.
pub(super) fn while_doing(action: &'static str) -> impl FnOnce(io::Error) -> OpenError {
    move |source| OpenError::Io { action, source }
}

/// Whether the answer means that there is no room, which is not a failure of the disk.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
