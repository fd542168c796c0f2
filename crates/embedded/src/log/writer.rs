//! The writer thread: from waiting appends to synced groups.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use uuid::Uuid;

use super::error::is_full;
use super::group::{self, CommitMark};
use super::queue::{Append, Queue};
use super::recovery::{ActiveSegment, Recovered};
use super::segment::{self, Header};
use super::{
    AppendError, CommittedAppend, CommittedGroup, CommittedHook, Disk, Done, FatalHook, LogHooks, LogOptions,
    OpenError, Position, fault, record,
};

/// What the writer thread shares with the log's handle.
pub(super) struct Shared {
    /// Appends on their way to the writer.
    pub queue: Queue,
    end: AtomicU64,
    last_group: AtomicU64,
}

impl Shared {
    /// For a log whose writer has not begun.
    pub fn new(options: &LogOptions, recovered: &Recovered) -> Shared {
        let end = recovered.report.end;
        // A seal proves the last group; without one nothing does until the opening mark.
        let last_group = match recovered.active {
            Some(_) => Position::START,
            None => end,
        };
        Shared {
            queue: Queue::new(options),
            end: AtomicU64::new(end.to_u64()),
            last_group: AtomicU64::new(last_group.to_u64()),
        }
    }

    /// Where the next group will begin.
    pub fn end(&self) -> Position {
        Position::from_u64(self.end.load(Ordering::Acquire))
    }

    /// Everything before this place lies in a group that a later record proves to be synced.
    pub fn last_group(&self) -> Position {
        Position::from_u64(self.last_group.load(Ordering::Acquire))
    }

    /// Publishes a new end, and what before it is not proven yet.
    fn advance(&self, last_group: Position, end: Position) {
        self.last_group.store(last_group.to_u64(), Ordering::Release);
        self.end.store(end.to_u64(), Ordering::Release);
    }
}

/// Why something was not written.
#[derive(Debug)]
enum WriteError {
    /// There is no room, and nothing of it is in the log.
    Full,
    /// It is unknown what is in the log.
    Failed(String),
}

/// What is wrong, for the fatal hook.
fn failed(action: &'static str) -> impl FnOnce(io::Error) -> WriteError {
    move |source| WriteError::Failed(format!("the log could not {action}: {source}"))
}

/// Begins writing where recovery ended, on a thread of its own.
pub(super) fn start(
    disk: Arc<dyn Disk>,
    options: LogOptions,
    recovered: Recovered,
    hooks: LogHooks,
    shared: Arc<Shared>,
) -> Result<JoinHandle<()>, OpenError> {
    let mut writer = Writer::new(disk, options, recovered, hooks, shared);
    writer.begin()?;
    let body = move || {
        if catch_unwind(AssertUnwindSafe(|| writer.run())).is_err() {
            writer.give_up("the log's writer thread panicked", VecDeque::new());
        }
    };
    std::thread::Builder::new()
        .name("log-writer".to_owned())
        .spawn(body)
        .map_err(super::error::while_doing("start its writer thread"))
}

/// Owns the end of the log.
pub(super) struct Writer {
    disk: Arc<dyn Disk>,
    options: LogOptions,
    committed: CommittedHook,
    /// Gone once it was called.
    fatal: Option<FatalHook>,
    shared: Arc<Shared>,
    log_id: Uuid,
    /// The number of the last segment; 0 before the first is made.
    last_segment: u32,
    /// The last segment, unless it is sealed.
    active: Option<ActiveSegment>,
    next_group: u64,
    /// Reused for each group.
    buffer: Vec<u8>,
}

impl Writer {
    pub fn new(
        disk: Arc<dyn Disk>,
        options: LogOptions,
        recovered: Recovered,
        hooks: LogHooks,
        shared: Arc<Shared>,
    ) -> Writer {
        Writer {
            disk,
            options,
            committed: hooks.committed,
            fatal: Some(hooks.fatal),
            shared,
            log_id: recovered.report.log_id,
            last_segment: recovered.last_segment,
            active: recovered.active,
            next_group: recovered.next_group,
            buffer: Vec::new(),
        }
    }

    /// Commits an empty group, so that whatever was found at opening is proven from now on.
    /// Without room on the disk the log opens all the same: it can be read.
    pub fn begin(&mut self) -> Result<(), OpenError> {
        let mut result = Ok(());
        if self.room().is_none() {
            result = self.rotate();
        }
        match result.and_then(|()| self.write_group(&[])) {
            Ok(_) => Ok(()),
            Err(WriteError::Full) => {
                tracing::warn!("the disk is full: the log takes no appends");
                Ok(())
            }
            Err(WriteError::Failed(what)) => {
                Err(OpenError::Io { action: "write its opening mark", source: io::Error::other(what) })
            }
        }
    }

    /// Commits what waits until the queue is closed and empty, or the log has failed.
    fn run(&mut self) {
        while let Some(batch) = self.shared.queue.take() {
            self.commit_all(batch);
        }
    }

    /// Commits `batch` in as few groups as fit, in order, and answers every append of it.
    pub fn commit_all(&mut self, mut batch: VecDeque<Append>) {
        while !batch.is_empty() {
            let Some(fitting) = self.fitting(&batch) else {
                match self.rotate() {
                    Ok(()) => continue,
                    Err(WriteError::Full) => return answer(batch, &AppendError::DiskFull),
                    Err(WriteError::Failed(what)) => return self.give_up(&what, batch),
                }
            };
            let rest = batch.split_off(fitting);
            match self.write_group(batch.make_contiguous()) {
                Ok(positions) => self.publish(batch, positions),
                Err(WriteError::Full) => answer(batch, &AppendError::DiskFull),
                Err(WriteError::Failed(what)) => {
                    batch.extend(rest);
                    return self.give_up(&what, batch);
                }
            }
            batch = rest;
        }
    }

    /// How many appends from the front fit into one group in the active segment;
    /// `None` if not even the first does.
    fn fitting(&self, batch: &VecDeque<Append>) -> Option<usize> {
        let most = self.room()?.min(self.options.group_bytes);
        let mut bytes = 0;
        let fits = |append: &&Append| {
            bytes += append.bytes;
            bytes <= most
        };
        let count = batch.iter().take(self.options.group_appends).take_while(fits).count();
        (count > 0).then_some(count)
    }

    /// Bytes of records that the active segment can still take; `None` if not even a mark.
    fn room(&self) -> Option<u32> {
        let active = self.active.as_ref()?;
        active.capacity.checked_sub(active.offset)?.checked_sub(group::OVERHEAD)
    }

    /// Writes one group and syncs it. Returns the positions of each append's records.
    fn write_group(&mut self, appends: &[Append]) -> Result<Vec<Vec<Position>>, WriteError> {
        let group = self.next_group;
        let Some(active) = self.active.as_mut() else {
            return Err(WriteError::Full);
        };
        let positions = encode_group(&mut self.buffer, active, group, appends);
        let offset = u64::from(active.offset);
        fault::point("log.before_write");
        fault::point_after("log.mid_write", || {
            let half = &self.buffer[..self.buffer.len() / 2];
            // The process aborts next: whether this worked is for recovery to find out.
            let _ = active.file.write_at(offset, half);
        });
        match active.file.write_at(offset, &self.buffer) {
            Err(error) if is_full(&error) => {
                active.cut_back().map_err(failed("cut back a write"))?;
                return Err(WriteError::Full);
            }
            result => result.map_err(failed("write a group"))?,
        }
        fault::point("log.after_write");
        active.file.sync_data().map_err(failed("sync a group"))?;
        fault::point("log.after_sync");
        let start = active.end();
        active.offset += self.buffer.len() as u32;
        self.next_group = group::number_after(group);
        self.shared.advance(start, active.end());
        Ok(positions)
    }

    /// Tells the layer above, then the senders.
    fn publish(&mut self, batch: VecDeque<Append>, positions: Vec<Vec<Position>>) {
        let mut appends = Vec::with_capacity(batch.len());
        let mut dones: Vec<(Done, Vec<Position>)> = Vec::with_capacity(batch.len());
        for (append, positions) in batch.into_iter().zip(positions) {
            dones.push((append.done, positions.clone()));
            if !append.records.is_empty() {
                appends.push(CommittedAppend { records: append.records, positions });
            }
        }
        if !appends.is_empty() {
            (self.committed)(&CommittedGroup { appends, end: self.shared.end() });
        }
        fault::point("log.after_publish");
        for (done, positions) in dones {
            done(Ok(positions));
        }
        fault::point("log.after_done");
    }

    /// Seals the active segment and makes the next one. After `Full` there is no active segment,
    /// and the next call tries to make it again.
    fn rotate(&mut self) -> Result<(), WriteError> {
        if let Some(active) = &self.active {
            fault::point("segment.before_seal");
            self.buffer.clear();
            group::encode_seal(&mut self.buffer, active.seed, self.next_group);
            active
                .file
                .write_at(u64::from(active.offset), &self.buffer)
                .and_then(|()| active.file.sync_data())
                .map_err(failed("seal a segment"))?;
            fault::point("segment.after_seal");
            // The seal proves the last group.
            self.shared.advance(active.end(), active.end());
            self.active = None;
        }
        let header =
            Header { segment: self.last_segment + 1, log_id: self.log_id, first_group: self.next_group };
        let file =
            segment::create(self.disk.as_ref(), &header, self.options.segment_bytes).map_err(|error| {
                match error {
                    error if is_full(&error) => WriteError::Full,
                    error => failed("make a segment")(error),
                }
            })?;
        fault::point("segment.after_create");
        self.last_segment = header.segment;
        self.active = Some(ActiveSegment {
            segment: header.segment,
            seed: header.seed(),
            file,
            offset: segment::HEADER_LENGTH,
            capacity: self.options.segment_bytes,
        });
        Ok(())
    }

    /// Ends the log: nothing more is taken, the process is told to end, then the senders.
    fn give_up(&mut self, what: &str, unanswered: VecDeque<Append>) {
        let waiting = self.shared.queue.fail();
        if let Some(fatal) = self.fatal.take() {
            fatal(what);
        }
        answer(unanswered, &AppendError::Failed);
        answer(waiting, &AppendError::Failed);
    }
}

/// Encodes a group with its mark and returns the positions of each append's records.
fn encode_group(
    buffer: &mut Vec<u8>,
    active: &ActiveSegment,
    group: u64,
    appends: &[Append],
) -> Vec<Vec<Position>> {
    buffer.clear();
    let start = active.end();
    let mut records = 0;
    let mut encode_append = |append: &Append| {
        let mut positions = Vec::with_capacity(append.records.len());
        for one in &append.records {
            positions.push(Position { segment: start.segment, offset: start.offset + buffer.len() as u32 });
            record::encode(buffer, active.seed, group as u32, one.kind, &one.header, &one.body);
            records += 1;
        }
        positions
    };
    let positions = appends.iter().map(&mut encode_append).collect();
    let mark = CommitMark { group, start, records, bytes: buffer.len() as u32 };
    mark.encode(buffer, active.seed);
    positions
}

/// Gives all of `appends` the same bad news.
fn answer(appends: VecDeque<Append>, error: &AppendError) {
    for append in appends {
        (append.done)(Err(error.clone()));
    }
}
