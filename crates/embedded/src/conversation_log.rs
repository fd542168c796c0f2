//! Port [`Log`]: conversations' entries and state, in the segment log and its index.
//!
//! An append is one append to the segment log: all of it survives a crash or none. The index is
//! told before the caller is, so whoever has an answer finds it in every read.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use suda_domain::entry::Entry;
use suda_domain::message::MessageState;
use suda_domain::ports::Failure;
use suda_domain::ports::log::{Append, AppendError, Loaded, Log, Piece, Wanted};
use suda_domain::receipts::Summary;
use suda_proto::ConversationId;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::index::eraser::Eraser;
use crate::index::spill::{self, Fatal};
use crate::index::tables::summary_key;
use crate::index::{Index, IndexError, IndexOptions, Room};
use crate::log::{self, Disk, LogHooks, LogOptions, OpenReport};
use crate::merging::{Merger, MergingError};
use crate::pace::Pace;
use crate::records;
use crate::turns::Turns;

/// Most bytes of segments that are merged at a time, unless one segment is larger.
const MERGE_BYTES: u32 = 512 << 20;

/// How conversations are kept.
#[derive(Clone)]
pub struct ConversationLogOptions {
    /// The segment log's limits.
    pub log: LogOptions,
    /// The index's limits.
    pub index: IndexOptions,
    /// How long changed rows wait before they are written into the index.
    pub index_age: Duration,
    /// How long bodies that are to be erased wait for more of them.
    pub erase_delay: Duration,
    /// How many sealed segments are merged at a time, as soon as there are that many; 0 for never.
    /// Fewer if they are large.
    pub merge_segments: u32,
    /// Called when the process must end; what it was given is in the log.
    pub fatal: Fatal,
}

/// Why the log of conversations could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConversationLogError {
    /// The segment log could not be opened.
    #[error(transparent)]
    Log(#[from] log::OpenError),
    /// The index could not be opened.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The log is another than the data folder's.
    #[error("the log is not the one that store.json names: restore both from one backup")]
    ForeignLog,
    /// The index was derived from another log.
    #[error("the index belongs to another log: rebuild it")]
    ForeignIndex,
    /// A merge that a crash had interrupted could not come to its end.
    #[error(transparent)]
    Merging(#[from] MergingError),
    /// A thread could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(#[source] std::io::Error),
}

/// What was found at opening.
#[derive(Clone, Debug)]
pub struct ConversationLogReport {
    /// How the log was found; of the log, only what the index did not know was read.
    pub log: OpenReport,
    /// Whether the index was too old, and was derived from the whole log.
    pub index_was_stale: bool,
}

/// Conversations' entries and state on one machine. Clones share it; dropping the last one
/// commits what waits and writes the index.
#[derive(Clone)]
pub struct ConversationLog {
    pub(crate) core: Arc<Core>,
}

/// What the clones share. Its parts end in this order.
pub(crate) struct Core {
    _merger_thread: Worker,
    /// Merges segments; by itself in the background.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests merge when they want to"))]
    pub merger: Arc<Merger>,
    _eraser_thread: Worker,
    pub eraser: Arc<Eraser>,
    pub log: Arc<log::Log>,
    _index_thread: Worker,
    pub index: Arc<Index>,
    turns: Arc<Turns>,
    pace: Pace,
    pub epoch: AtomicU32,
}

/// A thread that is stopped and waited for when this is dropped.
struct Worker {
    stop: Box<dyn Fn() + Send + Sync>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        (self.stop)();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a thread of the store panicked");
        }
    }
}

impl ConversationLog {
    /// Opens the log in `disk` and its index in `index_folder`, and lets the index catch up.
    /// `log_id` is the log's id if it is known already.
    pub fn open(
        disk: Arc<dyn Disk>,
        index_folder: &Path,
        epoch: u32,
        log_id: Option<Uuid>,
        options: ConversationLogOptions,
    ) -> Result<(Self, ConversationLogReport), ConversationLogError> {
        let mut index = Index::open(index_folder, options.index)?;
        if log_id.is_some_and(|log_id| !index.belongs_to(log_id)) {
            return Err(ConversationLogError::ForeignIndex);
        }
        let index_was_stale = index.is_stale(log::merged_end(disk.as_ref())?);
        if index_was_stale {
            index.clear()?;
        }
        let index = Arc::new(index);
        let mut replay = index.replay();
        let start = index.applied();
        // A merge remembers forty bytes for each record.
        let most = MERGE_BYTES / options.log.segment_bytes.max(1);
        let merge_segments = options.merge_segments.min(most.max(1));
        let hooks = hooks(Arc::clone(&index), Arc::clone(&options.fatal));
        let (log, report) =
            log::Log::open(disk, options.log, start, &mut |group| Ok(replay.take(group)?), hooks)?;
        replay.apply()?;
        if log_id.is_some_and(|log_id| log_id != report.log_id) {
            return Err(ConversationLogError::ForeignLog);
        }
        if !index.belongs_to(report.log_id) {
            return Err(ConversationLogError::ForeignIndex);
        }
        let log = Arc::new(log);
        let eraser = Arc::new(Eraser::new(Arc::clone(&log), Arc::clone(&index)));
        let merger = Merger::new(
            Arc::clone(&log),
            Arc::clone(&index),
            Arc::clone(&eraser),
            merge_segments,
            Arc::clone(&options.fatal),
        );
        merger.prepare()?;
        let merger = Arc::new(merger);
        let spilling = spill::start(Arc::clone(&index), options.index_age, options.fatal);
        let index_thread = worker(spilling, &index, Index::stop)?;
        let erasing = Arc::clone(&eraser).start(options.erase_delay);
        let erasing = worker(erasing, &index, |index| index.erase_bell.stop())?;
        let merging = Arc::clone(&merger).start();
        let core = Core {
            _merger_thread: worker(merging, &index, |index| index.merge_bell.stop())?,
            merger,
            _eraser_thread: erasing,
            eraser,
            log,
            _index_thread: index_thread,
            index,
            turns: Arc::default(),
            pace: Pace::default(),
            epoch: AtomicU32::new(epoch),
        };
        let core = Arc::new(core);
        Ok((Self { core }, ConversationLogReport { log: report, index_was_stale }))
    }

    /// Runs `work`, which may wait for the disk, beside the tasks.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Core) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let core = Arc::clone(&self.core);
        let done = tokio::task::spawn_blocking(move || work(&core));
        done.await.map_err(Failure::unavailable)?
    }

    /// Runs `work`, which reads little, in place where reads are quick, and beside the tasks otherwise.
    pub(crate) async fn reading<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Core) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let timed = |core: &Core| {
            let began = Instant::now();
            let done = work(core);
            core.pace.took(began.elapsed());
            done
        };
        if self.core.pace.is_quick() { timed(&self.core) } else { self.blocking(timed).await }
    }

    async fn head(&self, conversation: ConversationId) -> Result<u64, Failure> {
        let key = summary_key(conversation);
        let summary: Option<Summary> = match self.core.index.remembered(&key)? {
            Some(summary) => summary,
            None => self.reading(move |core| Ok(core.index.view()?.get(&key)?)).await?,
        };
        Ok(summary.map_or(0, |summary| summary.head))
    }
}

/// What the segment log calls: the index takes over every group before its senders hear of it.
fn hooks(index: Arc<Index>, fatal: Fatal) -> LogHooks {
    let failed = Arc::clone(&fatal);
    LogHooks {
        committed: Box::new(move |group| {
            if let Err(error) = index.apply_committed(group) {
                failed(&format!("the index could not follow the log: {error}"));
            }
        }),
        fatal: Box::new(move |what| fatal(what)),
    }
}

fn worker(
    thread: std::io::Result<JoinHandle<()>>,
    index: &Arc<Index>,
    stop: fn(&Index),
) -> Result<Worker, ConversationLogError> {
    let index = Arc::clone(index);
    Ok(Worker {
        thread: Some(thread.map_err(ConversationLogError::Thread)?),
        stop: Box::new(move || stop(&index)),
    })
}

#[async_trait]
impl Log for ConversationLog {
    async fn append(&self, append: Append) -> Result<(), AppendError> {
        let Append { conversation, after, entries, marks } = append;
        match self.core.index.room() {
            Room::Enough => {}
            Room::Busy => return Err(AppendError::Overloaded),
            Room::DiskFull => return Err(Failure::Full.into()),
        }
        let turn = self.core.turns.take(conversation).await;
        let mut turn = turn.ok_or(AppendError::Overloaded)?;
        let head = match turn.head {
            Some(head) => head,
            None => self.head(conversation).await?,
        };
        if head != after {
            turn.head = Some(head);
            return Err(AppendError::Conflict { head });
        }
        // Not to be known again before the log has answered.
        turn.head = None;
        let new_head = after + entries.len() as u64;
        let mut records = Vec::with_capacity(entries.len() + marks.len());
        for (entry, seq) in entries.iter().zip(after + 1..) {
            if entry.envelope.seq != seq {
                return Err(Failure::unavailable("an append's entries have gaps").into());
            }
            let record = records::entry_record(conversation, entry);
            records.push(record.map_err(Failure::unavailable)?);
        }
        for (account, marks) in &marks {
            records.push(records::marks_record(conversation, *account, marks));
        }
        if records.is_empty() {
            return Ok(());
        }
        let (answer, answered) = oneshot::channel();
        let done = move |result: Result<_, log::AppendError>| {
            turn.head = result.is_ok().then_some(new_head);
            drop(turn);
            // A caller that has gone does not want to know.
            let _ = answer.send(result.map(drop));
        };
        self.core.log.append(records, Box::new(done)).map_err(refused)?;
        match answered.await {
            Ok(result) => result.map_err(refused),
            Err(error) => Err(Failure::unavailable(error).into()),
        }
    }

    async fn load(&self, conversation: ConversationId, recent: u32) -> Result<Option<Loaded>, Failure> {
        self.reading(move |core| core.load(conversation, recent)).await
    }

    async fn read(
        &self,
        conversation: ConversationId,
        from: u64,
        to: u64,
        most_bytes: usize,
    ) -> Result<Vec<Entry>, Failure> {
        self.reading(move |core| core.read(conversation, from, to, most_bytes)).await
    }

    async fn pieces(&self, wanted: Vec<Wanted>) -> Result<Vec<Piece>, Failure> {
        self.reading(move |core| core.pieces(&wanted)).await
    }

    async fn message_states(
        &self,
        conversation: ConversationId,
        from: u64,
        to: u64,
    ) -> Result<Vec<(u64, MessageState)>, Failure> {
        self.reading(move |core| core.message_states(conversation, from, to)).await
    }

    async fn own_values(
        &self,
        conversation: ConversationId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(String, u64)>, Failure> {
        let after = after.map(str::to_owned);
        self.blocking(move |core| core.own_values(conversation, after.as_deref(), limit)).await
    }

    fn epoch(&self) -> u32 {
        self.core.epoch.load(Ordering::Acquire)
    }

    fn latest(&self) -> u64 {
        self.core.index.latest()
    }
}

/// What the segment log's refusal means to a caller of the port.
fn refused(error: log::AppendError) -> AppendError {
    match error {
        log::AppendError::Full => AppendError::Overloaded,
        log::AppendError::DiskFull => Failure::Full.into(),
        other => Failure::unavailable(other).into(),
    }
}
