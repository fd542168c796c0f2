//! One append at a time for each conversation.
//!
//! The head that an append is checked against must not move before it is committed; so the turn
//! is held until the log has answered, even if the caller has gone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use suda_proto::ConversationId;
use tokio::sync::oneshot;

/// Most callers that wait for one conversation.
const MOST_WAITING: usize = 16;

/// The conversations with an append under way, each with those who wait for it.
#[derive(Default)]
pub struct Turns {
    taken: Mutex<HashMap<ConversationId, Vec<oneshot::Sender<()>>>>,
}

/// The right to append to a conversation, until it is dropped.
pub struct Turn {
    turns: Arc<Turns>,
    conversation: ConversationId,
}

impl Turns {
    /// Waits for the conversation's turn; `None` if too many wait already.
    pub async fn take(self: &Arc<Self>, conversation: ConversationId) -> Option<Turn> {
        loop {
            let ended = {
                let mut taken = self.lock();
                let Some(waiting) = taken.get_mut(&conversation) else {
                    taken.insert(conversation, Vec::new());
                    let turns = Arc::clone(self);
                    return Some(Turn {
                        turns,
                        conversation,
                    });
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

    fn lock(&self) -> MutexGuard<'_, HashMap<ConversationId, Vec<oneshot::Sender<()>>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let waiting = self.turns.lock().remove(&self.conversation);
        for waiter in waiting.into_iter().flatten() {
            // Whoever has gone meanwhile needs no turn.
            let _ = waiter.send(());
        }
    }
}
