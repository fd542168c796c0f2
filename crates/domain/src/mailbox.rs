//! Packets that arrived and were not taken yet: the bounded room that every [`Bus`](crate::ports::Bus) has.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

/// How many packets wait at most: more than a busy node gets within a tenth of a second.
pub const MAILBOX_PACKETS: usize = 16_384;
/// How many bytes they have at most.
pub const MAILBOX_BYTES: usize = 32 << 20;

/// A queue that never makes a sender wait: what does not fit is dropped and counted.
#[derive(Debug, Default)]
pub struct Mailbox {
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    packets: VecDeque<Bytes>,
    bytes: usize,
    closed: bool,
    dropped: u64,
    waiting: Option<Waker>,
}

impl Mailbox {
    /// Adds a packet, unless the mailbox is full or closed.
    pub fn put(&self, packet: Bytes) {
        let mut inside = self.inside();
        if inside.closed {
            return;
        }
        let fits = inside.packets.len() < MAILBOX_PACKETS && inside.bytes + packet.len() <= MAILBOX_BYTES;
        if !fits {
            inside.dropped += 1;
            return;
        }
        inside.bytes += packet.len();
        inside.packets.push_back(packet);
        inside.wake();
    }

    /// The next packet; waits for one. `None` after all was taken from a closed mailbox. For one task at a time.
    pub async fn take(&self) -> Option<Bytes> {
        poll_fn(|context| self.poll_take(context)).await
    }

    /// Refuses further packets.
    pub fn close(&self) {
        let mut inside = self.inside();
        inside.closed = true;
        inside.wake();
    }

    /// How many packets were dropped because the mailbox was full.
    pub fn dropped(&self) -> u64 {
        self.inside().dropped
    }

    fn poll_take(&self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut inside = self.inside();
        if let Some(packet) = inside.packets.pop_front() {
            inside.bytes -= packet.len();
            return Poll::Ready(Some(packet));
        }
        if inside.closed {
            return Poll::Ready(None);
        }
        inside.waiting = Some(context.waker().clone());
        Poll::Pending
    }

    /// Nothing panics while it holds the lock, so a poisoned one is whole.
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn wake(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            waiting.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicU32);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn poll(mailbox: &Mailbox, wakes: &Arc<Wakes>) -> Poll<Option<Bytes>> {
        mailbox.poll_take(&mut Context::from_waker(&Waker::from(Arc::clone(wakes))))
    }

    fn packet(text: &'static str) -> Poll<Option<Bytes>> {
        Poll::Ready(Some(Bytes::from_static(text.as_bytes())))
    }

    #[test]
    fn whoever_waits_is_woken_by_a_packet_and_by_the_end() {
        let (mailbox, wakes) = (Mailbox::default(), Arc::new(Wakes::default()));
        assert_eq!(poll(&mailbox, &wakes), Poll::Pending);
        mailbox.put(Bytes::from_static(b"one"));
        mailbox.put(Bytes::from_static(b"two"));
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1, "nobody waits for the second");
        assert_eq!(poll(&mailbox, &wakes), packet("one"));
        mailbox.close();
        mailbox.put(Bytes::from_static(b"three"));
        assert_eq!(poll(&mailbox, &wakes), packet("two"));
        assert_eq!(poll(&mailbox, &wakes), Poll::Ready(None));

        let mailbox = Mailbox::default();
        assert_eq!(poll(&mailbox, &wakes), Poll::Pending);
        mailbox.close();
        assert_eq!(wakes.0.load(Ordering::Relaxed), 2);
        assert_eq!(mailbox.dropped(), 0, "what comes after the end is not counted");
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_counted() {
        let wakes = Arc::new(Wakes::default());
        let cases = [(1, MAILBOX_PACKETS), (1 << 20, MAILBOX_BYTES >> 20), (1 << 19, MAILBOX_BYTES >> 19)];
        for (length, fitting) in cases {
            let (mailbox, long) = (Mailbox::default(), Bytes::from(vec![7; length]));
            for _ in 0..fitting + 3 {
                mailbox.put(long.clone());
            }
            assert_eq!(mailbox.dropped(), 3, "packets of {length} bytes");
            assert_eq!(poll(&mailbox, &wakes), Poll::Ready(Some(long)));
            mailbox.put(Bytes::from_static(b"!"));
            assert_eq!(mailbox.dropped(), 3, "there is room again");
        }
    }
}
