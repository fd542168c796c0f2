//! Sessions: one live connection of a device, as the rest of the server sees it.
//!
//! A session is a bounded queue of frames that its connection writes out. Whoever cannot keep up is cut loose with a
//! code that says "resume": nothing is lost, since everything that matters is in the log.

pub mod frame;
mod registry;
pub mod wheel;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use futures::task::AtomicWaker;
use suda_proto::close::Close;
use suda_proto::{AccountId, ConversationId, DeviceId};

pub use frame::{Frame, Opcode};
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
    asked: AtomicUsize,
    limits: QueueLimits,
    queue: Mutex<Queue>,
    alarm: AtomicBool,
    connection: AtomicWaker,
}

/// A request that a task of its own answers; counted from here until it is dropped.
pub struct Asked {
    session: Arc<Session>,
}

impl Asked {
    /// One more request of the session.
    pub fn new(session: &Arc<Session>) -> Self {
        session.asked.fetch_add(1, Ordering::Relaxed);
        Self { session: Arc::clone(session) }
    }

    /// Answers it: the frame goes into the session's queue.
    pub fn answer(self, frame: Frame) {
        let session = Arc::clone(&self.session);
        // Counted down first: the frame wakes the connection, which then looks at the count.
        drop(self);
        session.push(frame);
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.session.asked.fetch_sub(1, Ordering::Relaxed);
        self.session.connection.wake();
    }
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
    pub fn give(self, frame: Frame) {
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
    frames: VecDeque<Frame>,
    bytes: usize,
    closed: Option<Close>,
    open: Vec<ConversationId>,
}

/// What a connection finds when it looks into its session's queue.
pub struct Waiting {
    /// The frames to write, oldest first.
    pub frames: VecDeque<Frame>,
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
            asked: AtomicUsize::new(0),
            limits,
            queue: Mutex::default(),
            alarm: AtomicBool::new(false),
            connection: AtomicWaker::new(),
        }
    }

    /// Queues a frame. A queue that is full is emptied and the session closed, to be resumed.
    pub fn push(&self, frame: Frame) {
        {
            let mut queue = self.lock();
            if queue.closed.is_some() {
                return;
            }
            queue.bytes += frame.wire().len();
            queue.frames.push_back(frame);
            if queue.frames.len() > self.limits.frames || queue.bytes > self.limits.bytes {
                queue.clear();
                queue.closed = Some(Close::TooSlow);
            }
        }
        self.connection.wake();
    }

    /// Closes the session; what waits is dropped, so that whoever lost access gets nothing more.
    pub fn close(&self, why: Close) {
        {
            let mut queue = self.lock();
            queue.clear();
            queue.closed.get_or_insert(why);
        }
        self.connection.wake();
    }

    /// Waits until something is in the queue or the session is closed. For the one task that owns the connection.
    pub async fn ready(&self) {
        poll_fn(|context| {
            self.register(context.waker());
            if self.has_waiting() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Has `waker` woken when something happens that concerns the connection. There is one, the last one registered.
    pub fn register(&self, waker: &Waker) {
        self.connection.register(waker);
    }

    /// Why the session is closed, if it is.
    pub fn closed(&self) -> Option<Close> {
        self.lock().closed
    }

    /// Has the connection look at the time.
    pub fn alarm(&self) {
        self.alarm.store(true, Ordering::Release);
        self.connection.wake();
    }

    /// Whether there was an alarm since the last call.
    pub fn take_alarm(&self) -> bool {
        self.alarm.load(Ordering::Relaxed) && self.alarm.swap(false, Ordering::Acquire)
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

    /// How many requests tasks of their own are answering.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
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
            (0..4).for_each(|_| session.push(Frame::text("01234567")));
            let waiting = session.take();
            assert_eq!(waiting.closed, Some(Close::TooSlow));
            assert!(waiting.frames.is_empty());
            session.push(Frame::text("more"));
            assert!(session.take().frames.is_empty());
        }
    }

    #[test]
    fn closing_drops_what_waits_and_keeps_the_first_reason() {
        let session = session(10, 1_000);
        session.push(Frame::text("secret"));
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
