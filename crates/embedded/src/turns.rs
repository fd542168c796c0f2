//! One append at a time for each conversation.
//!
//! The head that an append is checked against must not move before it is committed; so the turn
//! is held until the log has answered, even if the caller has gone. The heads of conversations
//! that were appended to lately are remembered with the turns.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use suda_proto::ConversationId;
use tokio::sync::oneshot;

/// Most callers that wait for one conversation.
const MOST_WAITING: usize = 16;

/// Most heads that are remembered.
const MOST_HEADS: usize = 64 * 1024;

/// The conversations with an append under way, and the heads of others.
#[derive(Default)]
pub struct Turns {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those who wait for a conversation's turn.
    taken: HashMap<ConversationId, Vec<oneshot::Sender<()>>, RandomState>,
    heads: HashMap<ConversationId, u64, RandomState>,
}

/// The right to append to a conversation, until it is dropped.
pub struct Turn {
    turns: Arc<Turns>,
    conversation: ConversationId,
    /// The conversation's head, where it is remembered. Whoever ends the turn leaves here what is
    /// known of it then: nothing, unless the append was committed or refused before it began.
    pub head: Option<u64>,
}

impl Turns {
    /// Waits for the conversation's turn; `None` if too many wait already.
    pub async fn take(self: &Arc<Self>, conversation: ConversationId) -> Option<Turn> {
        loop {
            let ended = {
                let mut state = self.lock();
                let Some(waiting) = state.taken.get_mut(&conversation) else {
                    state.taken.insert(conversation, Vec::new());
                    let head = state.heads.remove(&conversation);
                    return Some(Turn { turns: Arc::clone(self), conversation, head });
                };
                waiting.retain(|waiter| !waiter.is_closed());
                if waiting.len() >= MOST_WAITING {
                    return None;
                }
                let (end, ended) = oneshot::channel();
                waiting.push(end);
                ended
            };
            // An error means the same as an answer: the turn has ended.
            let _ = ended.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let waiting = {
            let mut state = self.turns.lock();
            if let Some(head) = self.head {
                if state.heads.len() >= MOST_HEADS {
                    state.heads.clear();
                }
                state.heads.insert(self.conversation, head);
            }
            state.taken.remove(&self.conversation)
        };
        for waiter in waiting.into_iter().flatten() {
            // Whoever has gone meanwhile needs no turn.
            let _ = waiter.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// The answer if it is there at once.
    fn at_once<T>(future: &mut Pin<Box<impl Future<Output = T>>>) -> Option<T> {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        }
    }

    #[tokio::test]
    async fn one_at_a_time_and_not_too_many_wait() {
        let turns = Arc::new(Turns::default());
        let conversation = ConversationId::from_bytes([1; 16]);
        let other = ConversationId::from_bytes([2; 16]);
        let first = turns.take(conversation).await.expect("the first turn");
        turns.take(other).await.expect("another's turn");
        let wait = || Box::pin(turns.take(conversation));
        let mut waiting: Vec<_> = (0..MOST_WAITING).map(|_| wait()).collect();
        for waiter in &mut waiting {
            assert!(at_once(waiter).is_none(), "it is taken");
        }
        let refused = at_once(&mut wait()).expect("an answer at once");
        assert!(refused.is_none(), "too many wait");
        waiting.truncate(1);
        assert!(at_once(&mut wait()).is_none(), "who has gone does not count");
        drop(first);
        for waiter in waiting {
            waiter.await.expect("a turn");
        }
        assert!(turns.lock().taken.is_empty(), "no turn is remembered");
    }

    #[tokio::test]
    async fn what_a_turn_leaves_the_next_one_finds() {
        let turns = Arc::new(Turns::default());
        let conversation = ConversationId::from_bytes([1; 16]);
        let mut turn = turns.take(conversation).await.expect("a turn");
        assert_eq!(turn.head, None);
        turn.head = Some(7);
        drop(turn);
        let mut turn = turns.take(conversation).await.expect("a turn");
        assert_eq!(turn.head, Some(7));
        turn.head = None;
        drop(turn);
        assert_eq!(turns.take(conversation).await.expect("a turn").head, None, "its append may have failed");
    }
}
