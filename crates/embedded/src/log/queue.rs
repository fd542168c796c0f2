//! The bounded queue between those who append and the writer thread.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{AppendError, Done, LogOptions, Record};

/// An append on its way to the writer.
pub(super) struct Append {
    /// To be committed together; none if only a commit mark is wanted.
    pub records: Vec<Record>,
    /// Bytes that they take in the log.
    pub bytes: u32,
    /// Told what became of them.
    pub done: Done,
}

/// Whether the queue takes appends, and why not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Open,
    Closed,
    Failed,
}

struct State {
    waiting: VecDeque<Append>,
    bytes: usize,
    status: Status,
    /// Spares those who append a system call while the writer is busy.
    writer_sleeps: bool,
}

/// Appends in the order in which they came.
pub(super) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    most_bytes: usize,
    most_appends: usize,
    batch_bytes: usize,
    batch_appends: usize,
}

impl Queue {
    /// An open, empty queue.
    pub fn new(options: &LogOptions) -> Queue {
        Queue {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                bytes: 0,
                status: Status::Open,
                writer_sleeps: false,
            }),
            wake: Condvar::new(),
            most_bytes: options.queue_bytes,
            most_appends: options.queue_appends,
            batch_bytes: options.group_bytes as usize,
            batch_appends: options.group_appends,
        }
    }

    /// Adds an append, unless the queue is full or no longer open. An empty queue takes any.
    pub fn push(&self, append: Append) -> Result<(), AppendError> {
        self.add(append, false)
    }

    /// Adds an append even if the queue is full. The caller bounds how many there are.
    pub fn push_always(&self, append: Append) -> Result<(), AppendError> {
        self.add(append, true)
    }

    fn add(&self, append: Append, always: bool) -> Result<(), AppendError> {
        let mut state = self.lock();
        match state.status {
            Status::Open => {}
            Status::Closed => return Err(AppendError::Closed),
            Status::Failed => return Err(AppendError::Failed),
        }
        let bytes = state.bytes + append.bytes as usize;
        let full = state.waiting.len() >= self.most_appends || bytes > self.most_bytes;
        if full && !always && !state.waiting.is_empty() {
            return Err(AppendError::Full);
        }
        state.bytes = bytes;
        state.waiting.push_back(append);
        if state.writer_sleeps {
            state.writer_sleeps = false;
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Waits for appends and takes about a group's worth, at least one.
    /// `None` when the queue is closed and empty, or failed.
    pub fn take(&self) -> Option<VecDeque<Append>> {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.status != Status::Open {
                return None;
            }
            state.writer_sleeps = true;
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.waiting.len() <= self.batch_appends && state.bytes <= self.batch_bytes {
            state.bytes = 0;
            return Some(std::mem::take(&mut state.waiting));
        }
        let (mut count, mut bytes) = (0, 0);
        for append in &state.waiting {
            let with_next = bytes + append.bytes as usize;
            if count > 0 && (count == self.batch_appends || with_next > self.batch_bytes) {
                break;
            }
            count += 1;
            bytes = with_next;
        }
        state.bytes -= bytes;
        Some(state.waiting.drain(..count).collect())
    }

    /// Takes no more; what waits is still to be committed.
    pub fn close(&self) {
        let mut state = self.lock();
        if state.status == Status::Open {
            state.status = Status::Closed;
        }
        self.wake.notify_one();
    }

    /// Takes no more, and gives back what waits.
    pub fn fail(&self) -> VecDeque<Append> {
        let mut state = self.lock();
        state.status = Status::Failed;
        state.bytes = 0;
        std::mem::take(&mut state.waiting)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(bytes: u32) -> Append {
        Append { records: Vec::new(), bytes, done: Box::new(|_| {}) }
    }

    fn queue() -> Queue {
        Queue::new(&LogOptions {
            group_bytes: 100,
            group_appends: 3,
            queue_bytes: 250,
            queue_appends: 6,
            ..LogOptions::default()
        })
    }

    fn sizes(batch: Option<VecDeque<Append>>) -> Option<Vec<u32>> {
        batch.map(|batch| batch.iter().map(|append| append.bytes).collect())
    }

    #[test]
    fn refuses_beyond_either_bound() {
        let queue = queue();
        assert_eq!(queue.push(append(300)), Ok(()), "an empty queue takes any");
        assert_eq!(queue.push(append(1)), Err(AppendError::Full));
        assert_eq!(queue.push_always(append(1)), Ok(()));
        assert_eq!(sizes(queue.take()), Some(vec![300]));
        for _ in 0..5 {
            assert_eq!(queue.push(append(1)), Ok(()));
        }
        assert_eq!(queue.push(append(1)), Err(AppendError::Full));
    }

    #[test]
    fn takes_a_group_at_a_time_in_order() {
        let queue = queue();
        for bytes in [60, 30, 20, 5, 5, 5] {
            assert_eq!(queue.push(append(bytes)), Ok(()));
        }
        queue.close();
        assert_eq!(sizes(queue.take()), Some(vec![60, 30]));
        assert_eq!(sizes(queue.take()), Some(vec![20, 5, 5]));
        assert_eq!(queue.push(append(1)), Err(AppendError::Closed));
        assert_eq!(sizes(queue.take()), Some(vec![5]));
        assert_eq!(sizes(queue.take()), None);
    }

    #[test]
    fn failing_gives_back_what_waits() {
        let queue = queue();
        assert_eq!(queue.push(append(7)), Ok(()));
        assert_eq!(queue.fail().len(), 1);
        assert_eq!(queue.push(append(1)), Err(AppendError::Failed));
        assert!(queue.take().is_none());
    }
}
