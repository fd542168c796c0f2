//! Sessions: one live connection of a device, as the rest of the server sees it.
//!
//! A session is a bounded queue of frames that its connection writes out. Whoever cannot keep up is cut loose with a
//! code that says "resume": nothing is lost, since everything that matters is in the log.

pub mod frame;
mod registry;
pub mod wheel;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use futures::task::AtomicWaker;
use suda_proto::close::Close;
use suda_proto::rest::Audience;
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
    who_may_see: AtomicU8,
    unanswered: AtomicUsize,
    asked: AtomicUsize,
    in_turn: AtomicBool,
    limits: QueueLimits,
    queue: Mutex<Queue>,
    alarm: AtomicBool,
    connection: AtomicWaker,
}

/// A request that a task of its own answers; counted from here until it is dropped.
pub struct Asked {
    session: Arc<Session>,
    /// Whether the session's later requests wait for it.
    is_in_turn: bool,
}

impl Asked {
    /// One more request of the session.
    pub fn new(session: &Arc<Session>) -> Self {
        session.asked.fetch_add(1, Ordering::Relaxed);
        Self { session: Arc::clone(session), is_in_turn: false }
    }

    /// The same for a request whose effect the later ones replace: they are not read before it is answered.
    pub fn in_turn(session: &Arc<Session>) -> Self {
        session.in_turn.store(true, Ordering::Relaxed);
        session.asked.fetch_add(1, Ordering::Relaxed);
        Self { session: Arc::clone(session), is_in_turn: true }
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
        if self.is_in_turn {
            self.session.in_turn.store(false, Ordering::Relaxed);
        }
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
    foreground: bool,
    /// The conversations on screen, the one opened longest ago first, each with the number of its place.
    open: Vec<(u8, ConversationId)>,
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
            who_may_see: AtomicU8::new(Audience::Everyone as u8),
            unanswered: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
            in_turn: AtomicBool::new(false),
            limits,
            queue: Mutex::new(Queue { foreground, ..Queue::default() }),
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

    /// Notes that a conversation is on screen; the one opened longest ago makes room. Answers the number of its place,
    /// from 1.
    pub fn open(&self, conversation: ConversationId) -> u8 {
        let mut queue = self.lock();
        let known = queue.open.iter().position(|(_, open)| *open == conversation);
        let place = match known {
            Some(at) => queue.open.remove(at).0,
            None if queue.open.len() >= OPEN_MAX => queue.open.remove(0).0,
            None => (1..).find(|place| queue.open.iter().all(|(taken, _)| taken != place)).unwrap_or(1),
        };
        queue.open.push((place, conversation));
        place
    }

    /// Notes that a conversation left the screen; the number of its place, if it was there.
    pub fn shut(&self, conversation: ConversationId) -> Option<u8> {
        let mut queue = self.lock();
        let at = queue.open.iter().position(|(_, open)| *open == conversation)?;
        Some(queue.open.remove(at).0)
    }

    /// Whether the conversation is on screen.
    pub fn has_open(&self, conversation: ConversationId) -> bool {
        self.lock().open.iter().any(|(_, open)| *open == conversation)
    }

    /// Whether hosts have as many unanswered orders of this session as they may; it is not read from meanwhile.
    pub fn is_busy(&self) -> bool {
        self.unanswered.load(Ordering::Relaxed) >= UNANSWERED_MAX
    }

    /// How many requests tasks of their own are answering.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// Whether a request is being answered for which later ones have to wait.
    pub fn is_in_turn(&self) -> bool {
        self.in_turn.load(Ordering::Relaxed)
    }

    /// Notes whether somebody is looking, unless the session is closed. Calls `moved` if that changed, before anything
    /// else of the session can be told.
    pub fn set_foreground(&self, foreground: bool, moved: impl FnOnce()) {
        let mut queue = self.lock();
        if queue.closed.is_none() && std::mem::replace(&mut queue.foreground, foreground) != foreground {
            moved();
        }
    }

    /// Whether somebody is looking.
    pub fn is_foreground(&self) -> bool {
        self.lock().foreground
    }

    /// Who may see when the account is there or types, and how far it has read.
    pub fn who_may_see(&self) -> Audience {
        match self.who_may_see.load(Ordering::Relaxed) {
            seen if seen == Audience::Contacts as u8 => Audience::Contacts,
            seen if seen == Audience::Nobody as u8 => Audience::Nobody,
            _ => Audience::Everyone,
        }
    }

    /// Notes who may see that.
    pub fn set_who_may_see(&self, audience: Audience) {
        self.who_may_see.store(audience as u8, Ordering::Relaxed);
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

    #[test]
    fn every_open_conversation_has_a_place_of_its_own() {
        let session = session(10, 1_000);
        let id = |number: u8| ConversationId::from_bytes([number; 16]);
        assert_eq!([1, 2, 3, 2].map(|number| session.open(id(number))), [1, 2, 3, 2]);
        assert_eq!((session.shut(id(1)), session.shut(id(1))), (Some(1), None));
        assert_eq!((session.open(id(4)), session.open(id(5))), (1, 4));
    }

    #[test]
    fn a_closed_session_comes_to_no_foreground() {
        let session = session(10, 1_000);
        let mut moves = 0;
        for foreground in [false, false, true] {
            session.set_foreground(foreground, || moves += 1);
        }
        session.close(Close::Silent);
        session.set_foreground(false, || moves += 1);
        assert_eq!((moves, session.is_foreground()), (2, true));
    }
}
