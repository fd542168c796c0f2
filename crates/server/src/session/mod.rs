//! Sessions: one live connection of a device, as the rest of the server sees it.
//!
//! A session is a bounded queue of frames that its connection writes out. Whoever cannot keep up is cut loose with a
//! code that says "resume": nothing is lost, since everything that matters is in the log.

mod registry;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::ws::Utf8Bytes;
use suda_proto::close::Close;
use suda_proto::{AccountId, ConversationId, DeviceId};
use tokio::sync::Notify;

pub use registry::{Opened, Registry};

/// Most orders of a session that hosts have not answered.
const UNANSWERED_MAX: usize = 512;

/// Most conversations that a session can have on screen.
const OPEN_MAX: usize = 8;

/// One live connection, long poll included.
pub struct Session {
    /// Unique within this process.
    pub id: u64,
    /// Whose it is.
    pub account: AccountId,
    /// Which device's.
    pub device: DeviceId,
    foreground: AtomicBool,
    unanswered: AtomicUsize,
    limits: QueueLimits,
    queue: Mutex<Queue>,
    ready: Notify,
}

/// A session's claim to one answer of a host; counted from here until it is answered or dropped.
pub struct Answer {
    session: Arc<Session>,
    id: u64,
}

impl Answer {
    /// The claim to the answer of the request with this id.
    pub fn new(session: &Arc<Session>, id: u64) -> Self {
        session.unanswered.fetch_add(1, Ordering::Relaxed);
        Self { session: Arc::clone(session), id }
    }

    /// The request's id.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Answers: the frame goes into the session's queue.
    pub fn give(self, frame: Utf8Bytes) {
        let session = Arc::clone(&self.session);
        // Counted down first: the frame wakes the connection, which then looks at the count.
        drop(self);
        session.push(frame);
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.session.unanswered.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How much may wait for a session.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// Frames.
    pub frames: usize,
    /// Bytes.
    pub bytes: usize,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Utf8Bytes>,
    bytes: usize,
    closed: Option<Close>,
    open: Vec<ConversationId>,
}

/// What a connection finds when it looks into its session's queue.
pub struct Waiting {
    /// The frames to write, oldest first.
    pub frames: VecDeque<Utf8Bytes>,
    /// Why to close after that.
    pub closed: Option<Close>,
}

impl Session {
    /// A session with an empty queue.
    pub fn new(id: u64, account: AccountId, device: DeviceId, foreground: bool, limits: QueueLimits) -> Self {
        Self {
            id,
            account,
            device,
            foreground: AtomicBool::new(foreground),
            unanswered: AtomicUsize::new(0),
            limits,
            queue: Mutex::default(),
            ready: Notify::new(),
        }
    }

    /// Queues a frame. A queue that is full is emptied and the session closed, to be resumed.
    pub fn push(&self, frame: Utf8Bytes) {
        {
            let mut queue = self.lock();
            if queue.closed.is_some() {
                return;
            }
            queue.bytes += frame.len();
            queue.frames.push_back(frame);
            if queue.frames.len() > self.limits.frames || queue.bytes > self.limits.bytes {
                queue.clear();
                queue.closed = Some(Close::TooSlow);
            }
        }
        self.ready.notify_one();
    }

    /// Closes the session; what waits is dropped, so that whoever lost access gets nothing more.
    pub fn close(&self, why: Close) {
        {
            let mut queue = self.lock();
            queue.clear();
            queue.closed.get_or_insert(why);
        }
        self.ready.notify_one();
    }

    /// Waits until something is in the queue or the session is closed. For the one task that owns the connection.
    pub async fn ready(&self) {
        loop {
            let notified = self.ready.notified();
            if self.has_waiting() {
                return;
            }
            notified.await;
        }
    }

    /// Waits until the session is closed, whatever is queued.
    pub async fn closed(&self) -> Close {
        loop {
            let notified = self.ready.notified();
            if let Some(close) = self.lock().closed {
                return close;
            }
            notified.await;
        }
    }

    /// Takes what waits.
    pub fn take(&self) -> Waiting {
        let mut queue = self.lock();
        queue.bytes = 0;
        Waiting { frames: std::mem::take(&mut queue.frames), closed: queue.closed }
    }

    /// Whether something waits.
    pub fn has_waiting(&self) -> bool {
        let queue = self.lock();
        !queue.frames.is_empty() || queue.closed.is_some()
    }

    /// Notes that a conversation is on screen; the one opened longest ago makes room.
    pub fn open(&self, conversation: ConversationId) {
        let mut queue = self.lock();
        queue.open.retain(|open| *open != conversation);
        if queue.open.len() >= OPEN_MAX {
            queue.open.remove(0);
        }
        queue.open.push(conversation);
    }

    /// Notes that a conversation left the screen.
    pub fn shut(&self, conversation: ConversationId) {
        self.lock().open.retain(|open| *open != conversation);
    }

    /// Whether the conversation is on screen.
    pub fn has_open(&self, conversation: ConversationId) -> bool {
        self.lock().open.contains(&conversation)
    }

    /// Whether hosts have as many unanswered orders of this session as they may; it is not read from meanwhile.
    pub fn is_busy(&self) -> bool {
        self.unanswered.load(Ordering::Relaxed) >= UNANSWERED_MAX
    }

    /// Notes whether somebody is looking.
    pub fn set_foreground(&self, foreground: bool) {
        self.foreground.store(foreground, Ordering::Relaxed);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Queue {
    fn clear(&mut self) {
        self.frames = VecDeque::new();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(frames: usize, bytes: usize) -> Session {
        let limits = QueueLimits { frames, bytes };
        Session::new(1, AccountId::from_bytes([1; 16]), DeviceId::from_bytes([2; 16]), true, limits)
    }

    #[test]
    fn a_full_queue_is_emptied_and_the_session_closed() {
        for session in [session(3, 1_000), session(1_000, 30)] {
            (0..4).for_each(|_| session.push("0123456789".into()));
            let waiting = session.take();
            assert_eq!(waiting.closed, Some(Close::TooSlow));
            assert!(waiting.frames.is_empty());
            session.push("more".into());
            assert!(session.take().frames.is_empty());
        }
    }

    #[test]
    fn closing_drops_what_waits_and_keeps_the_first_reason() {
        let session = session(10, 1_000);
        session.push("secret".into());
        session.close(Close::Unauthenticated);
        session.close(Close::Draining);
        let waiting = session.take();
        assert!(waiting.frames.is_empty());
        assert_eq!(waiting.closed, Some(Close::Unauthenticated));
    }

    #[test]
    fn a_bounded_number_of_conversations_is_open() {
        let session = session(10, 1_000);
        for number in 0..=OPEN_MAX {
            session.open(ConversationId::from_bytes([number as u8; 16]));
        }
        assert!(!session.has_open(ConversationId::from_bytes([0; 16])));
        assert!(session.has_open(ConversationId::from_bytes([OPEN_MAX as u8; 16])));
    }
}
