//! Merging: sealed segments become one sorted file, in the background, once.
//!
//! In a segment the records of a conversation stand wherever they were committed; in a sorted file
//! they stand together, so that a page of history is one read or two. Hidden bodies are left out,
//! and so are watermarks that later ones overtake; everything else is kept, in its order, so that
//! the index can be derived from the log as before.
//!
//! A merge has these steps, and a crash between any two of them leads on from there:
//!
//! 1. everything in the segments is in the index, durably;
//! 2. the sorted file is written, synced, and gets its name: from now on it counts;
//! 3. the index learns its runs, then that it knows them all, durably;
//! 4. the places of the entries in the segments are forgotten, then the segments are removed.
//!
//! Nothing is erased meanwhile. What becomes hidden meanwhile is erased in the sorted file after it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use suda_domain::entry::Envelope;
use suda_domain::receipts::Marks;
use suda_domain::stored::StoredError;
use suda_proto::{AccountId, ConversationId, Kind};

use crate::entries::hidden_ones;
use crate::index::bell::Woken;
use crate::index::eraser::Eraser;
use crate::index::locations::Place;
use crate::index::spill::Fatal;
use crate::index::view::View;
use crate::index::{Index, IndexError};
use crate::log::{
    Body, Located, Log, MergeError, OpenError, Position, ReadError, RecordKey, Run, SortedFile, SortedWriter,
    fault,
};
use crate::records::{self, Header};

/// Runs that the index learns at once.
const RUNS: usize = 1_024;
/// Entries whose places are noted at once.
const PLACES: usize = 4_096;
/// Conversations for which one view of the index is used; a long one would let the database grow.
const CONVERSATIONS: usize = 1_024;
/// Unmerged segments that are too many to note their entries' places: so many times a merge.
const BACKLOG: usize = 4;
/// The longest rest between two pieces of work.
const LONGEST_REST: Duration = Duration::from_millis(100);
/// How long to wait after a failure.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Why segments could not be merged. Nothing is lost; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum MergingError {
    /// The index cannot be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The log cannot be used.
    #[error(transparent)]
    Log(#[from] MergeError),
}

impl MergingError {
    /// Whether there is no room on the disk.
    fn is_full(&self) -> bool {
        match self {
            Self::Index(error) => error.is_full(),
            Self::Log(error) => error.is_full(),
        }
    }
}

impl From<StoredError> for MergingError {
    fn from(error: StoredError) -> Self {
        Self::Index(error.into())
    }
}

impl From<ReadError> for MergingError {
    fn from(error: ReadError) -> Self {
        Self::Log(error.into())
    }
}

impl From<OpenError> for MergingError {
    fn from(error: OpenError) -> Self {
        Self::Log(error.into())
    }
}

impl From<std::io::Error> for MergingError {
    fn from(error: std::io::Error) -> Self {
        Self::Log(error.into())
    }
}

/// Called between two pieces of work; answers whether to go on.
pub type Pace<'a> = dyn FnMut() -> bool + 'a;

/// Merges segments.
pub struct Merger {
    log: Arc<Log>,
    index: Arc<Index>,
    eraser: Arc<Eraser>,
    /// How many segments make a merge.
    segments: usize,
    fatal: Fatal,
    /// Whether every sorted file has come to the last step.
    is_complete: AtomicBool,
    one_at_a_time: Mutex<()>,
}

/// A record that is to be merged.
struct Item {
    key: RecordKey,
    position: Position,
    length: u32,
    /// The entry's sequence; 0 for watermarks.
    seq: u64,
}

impl Merger {
    /// Merges `segments` segments at a time, none if that is 0.
    pub fn new(log: Arc<Log>, index: Arc<Index>, eraser: Arc<Eraser>, segments: u32, fatal: Fatal) -> Self {
        let (is_complete, one_at_a_time) = (AtomicBool::new(false), Mutex::default());
        let segments = segments as usize;
        Self { log, index, eraser, segments, fatal, is_complete, one_at_a_time }
    }

    /// Makes what a crash left come to its end, merges what is too much to be left for later, and
    /// notes where all other entries are. To be called before anything is read. Without room on
    /// the disk the rest is left for later.
    pub fn prepare(&self) -> Result<(), MergingError> {
        let merged =
            self.complete().and_then(|()| self.merge(BACKLOG * self.segments, self.segments, &mut || true));
        match merged {
            Err(error) if error.is_full() => tracing::warn!(%error, "segments could not be merged"),
            merged => merged?,
        }
        self.locate(*self.log.sealed().start()..=self.log.end().segment)
    }

    /// Starts the thread. It ends when the index's `merge_bell` is stopped.
    pub fn start(self: Arc<Self>) -> std::io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name("merger".to_owned()).spawn(move || self.run())
    }

    fn run(&self) {
        let bell = &self.index.merge_bell;
        bell.ring();
        while bell.listen(None) == Woken::Look {
            let mut began = Instant::now();
            // As long a rest as the work before it: others wait for the disk and the processor.
            let mut pace = || {
                let goes_on = bell.pause(began.elapsed().min(LONGEST_REST)) == Woken::Look;
                began = Instant::now();
                goes_on
            };
            let merged = self.complete().and_then(|()| self.merge(self.segments, self.segments, &mut pace));
            match merged {
                Ok(()) => {}
                Err(MergingError::Log(error @ MergeError::Failed(_))) => (self.fatal)(&error.to_string()),
                Err(error) => {
                    tracing::warn!(%error, "segments could not be merged yet");
                    bell.ring();
                    if bell.pause(RETRY_AFTER) == Woken::Stop {
                        return;
                    }
                }
            }
        }
    }

    /// Merges `at_a_time` segments, not at all if that is 0, while at least `enough` are sealed
    /// and `pace` does not end it.
    pub fn merge(&self, enough: usize, at_a_time: usize, pace: &mut Pace<'_>) -> Result<(), MergingError> {
        let _one_at_a_time = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let sealed = self.log.sealed();
            if at_a_time == 0 || sealed.clone().count() < enough.max(1) {
                return Ok(());
            }
            let last = *sealed.end().min(&(sealed.start() + at_a_time as u32 - 1));
            let goes_on = self.eraser.pause_during(|| self.merge_some(*sealed.start()..=last, pace))?;
            if !goes_on {
                return Ok(());
            }
        }
    }

    fn merge_some(&self, segments: RangeInclusive<u32>, pace: &mut Pace<'_>) -> Result<bool, MergingError> {
        let began = Instant::now();
        self.index.flush()?;
        let mut items = self.collect(segments.clone())?;
        items.sort_unstable_by_key(|item| (item.key, item.position));
        let mut writer = self.log.begin_merge(*segments.end())?;
        if !self.write(&mut writer, &items, pace)? {
            return Ok(false);
        }
        self.is_complete.store(false, Ordering::Release);
        let runs = self.log.finish_merge(writer)?.len();
        self.bring_to_last_step()?;
        let took = began.elapsed();
        tracing::info!(first = segments.start(), last = segments.end(), runs, ?took, "segments merged");
        Ok(true)
    }

    /// Finds all records in the segments.
    fn collect(&self, segments: RangeInclusive<u32>) -> Result<Vec<Item>, MergingError> {
        let mut items = Vec::new();
        self.log.locate(segments, &mut |located| {
            let Located { position, length, .. } = *located;
            let (key, seq) = records::place_of(located.kind, located.header)?;
            items.push(Item { key, position, length, seq: seq.unwrap_or(0) });
            Ok(())
        })?;
        Ok(items)
    }

    /// Writes the records, which are in their order; answers whether it came to its end.
    fn write(
        &self,
        writer: &mut SortedWriter,
        items: &[Item],
        pace: &mut Pace<'_>,
    ) -> Result<bool, MergingError> {
        let mut view = self.index.view()?;
        for (number, conversation) in items.chunk_by(|one, next| one.key == next.key).enumerate() {
            if number % CONVERSATIONS == CONVERSATIONS - 1 {
                view = self.index.view()?;
            }
            if !self.write_conversation(&mut view, writer, conversation, pace)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn write_conversation(
        &self,
        view: &mut View<'_>,
        writer: &mut SortedWriter,
        items: &[Item],
        pace: &mut Pace<'_>,
    ) -> Result<bool, MergingError> {
        let mut seqs = items.iter().map(|item| item.seq).filter(|seq| *seq > 0);
        let first = seqs.next().unwrap_or(0);
        let last = seqs.next_back().unwrap_or(first);
        let key = items[0].key;
        let hidden = hidden_ones(view, ConversationId::from_bytes(key), first, last)?;
        let mut marks = BTreeMap::new();
        for item in items {
            let record = self.log.read(item.position, item.length)?;
            let header = records::sorted_header(&record.header)?;
            match records::decode(record.kind, &record.header)? {
                Header::Marks { account, marks: moved, .. } => {
                    let marks: &mut Marks = marks.entry(account).or_default();
                    marks.advance(&moved);
                }
                Header::Entry { envelope, .. } => {
                    if !commutes_with_marks(&envelope) {
                        write_marks(writer, &key, &mut marks)?;
                    }
                    let body = match &record.body {
                        Body::Intact(_) | Body::Damaged if hidden.contains(&envelope.seq) => Body::Erased,
                        body => body.clone(),
                    };
                    let body = body.as_slice();
                    let wrote = writer.push(&key, Some(envelope.seq), record.kind, &header, &body)?;
                    if wrote && !pace() {
                        return Ok(false);
                    }
                }
            }
        }
        write_marks(writer, &key, &mut marks)?;
        Ok(true)
    }

    /// Brings what failed before to its end. After it the log has nothing twice.
    fn complete(&self) -> Result<(), MergingError> {
        let _one_at_a_time = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        self.bring_to_last_step()
    }

    /// Brings every sorted file to the last step.
    fn bring_to_last_step(&self) -> Result<(), MergingError> {
        if self.is_complete.load(Ordering::Acquire) {
            return Ok(());
        }
        let files = self.log.sorted_files();
        for file in files.iter().filter(|file| file.last > self.index.merged()) {
            self.learn_runs(*file)?;
        }
        // The rows may be there although writing them has failed before.
        self.index.flush()?;
        fault::point("merge.after_flush");
        if let Some(newest) = files.last() {
            self.index.locations.forget(newest.last);
        }
        self.log.retire()?;
        self.is_complete.store(true, Ordering::Release);
        Ok(())
    }

    fn learn_runs(&self, file: SortedFile) -> Result<(), MergingError> {
        let runs: Vec<Run> = self.log.runs(file)?;
        for some in runs.chunks(RUNS) {
            self.index.apply_runs(some, None)?;
            fault::point("merge.mid_runs");
        }
        self.index.apply_runs(&[], Some(file.last))?;
        Ok(())
    }

    /// Notes where the entries in the segments are.
    fn locate(&self, segments: RangeInclusive<u32>) -> Result<(), MergingError> {
        let mut found = Vec::with_capacity(PLACES);
        self.log.locate(segments, &mut |located| {
            if let (key, Some(seq)) = records::place_of(located.kind, located.header)? {
                let place = Place { position: located.position, length: located.length };
                found.push((ConversationId::from_bytes(key), seq, place));
            }
            if found.len() == PLACES {
                self.index.locations.add(found.drain(..));
            }
            Ok(())
        })?;
        self.index.locations.add(found);
        Ok(())
    }
}

/// Whether it makes no difference if watermarks are applied before or after the entry. Who becomes
/// a member, and which mentions are unread, depends on the order.
fn commutes_with_marks(envelope: &Envelope) -> bool {
    match envelope.kind {
        Kind::Message => envelope.mentions.is_empty(),
        Kind::Edit | Kind::Delete | Kind::Reaction | Kind::Set => true,
        _ => false,
    }
}

/// Writes each account's watermarks, as far as they have come since they were written last.
fn write_marks(
    writer: &mut SortedWriter,
    key: &RecordKey,
    marks: &mut BTreeMap<AccountId, Marks>,
) -> Result<(), MergingError> {
    for (account, marks) in std::mem::take(marks) {
        let (kind, header) = records::sorted_marks(account, &marks);
        writer.push(key, None, kind, &header, &Body::Empty)?;
    }
    Ok(())
}
