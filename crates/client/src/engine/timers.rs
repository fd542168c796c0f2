//! What the engine does later.

use std::collections::BTreeMap;

use suda_proto::ConversationId;
use tokio::time::{Instant, sleep_until};

/// One thing to do later; each is set at most once, the earlier time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// Try a WebSocket.
    Connect,
    /// Go on sending in a conversation.
    Release(ConversationId),
    /// Fetch what is missing of a conversation.
    Fill(ConversationId),
    /// Tell how far conversations were received.
    Marks,
    /// Ask for a new resume token.
    Token,
    /// Send own values again.
    Values,
    /// Tell read marks again.
    Reads,
    /// Ask what is new in the account's own conversation.
    Own,
    /// Ask for a conversation's row and members again.
    Refresh(ConversationId),
    /// Tell which accounts are on screen.
    Watch,
    /// Ask again who is in an open conversation.
    Presence(ConversationId),
    /// Forget who was not heard of.
    Typing,
}

/// All timers that are set.
#[derive(Debug, Default)]
pub struct Timers(BTreeMap<Timer, Instant>);

impl Timers {
    /// Sets a timer; where it is set already, the earlier time counts.
    pub fn set(&mut self, at: Instant, timer: Timer) {
        let time = self.0.entry(timer).or_insert(at);
        *time = at.min(*time);
    }

    /// Forgets a timer.
    pub fn clear(&mut self, timer: Timer) {
        self.0.remove(&timer);
    }

    /// Whether a timer is set.
    pub fn is_set(&self, timer: Timer) -> bool {
        self.0.contains_key(&timer)
    }

    /// Forgets every timer.
    pub fn clear_all(&mut self) {
        self.0.clear();
    }

    /// Waits for the next timer; for ever where none is set. May be dropped while it waits.
    pub async fn next(&mut self) -> Timer {
        let next = self.0.iter().min_by_key(|(_, at)| **at).map(|(timer, at)| (*timer, *at));
        let Some((timer, at)) = next else {
            return std::future::pending().await;
        };
        sleep_until(at).await;
        self.0.remove(&timer);
        timer
    }
}
