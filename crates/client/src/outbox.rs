//! What waits to be stored by the server, in order per conversation: pure, without clock or I/O.
//!
//! Sends are pipelined. When one is refused for now, nothing more of its conversation is sent until every answer that
//! is still on its way has come; then everything unacknowledged is sent again in order, under the same client ids.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use suda_proto::frame::OutgoingRequest;
use suda_proto::request::{Request, Send};
use suda_proto::{ClientId, Code, ConversationId, ErrorBody, Kind, Mention, Raw};

/// How many sends may wait altogether.
pub const MOST_WAITING: usize = 1_000;

/// How many sends of one conversation may be unanswered at a time.
pub const MOST_IN_FLIGHT: usize = 16;

/// One act that the server has not acknowledged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The act's name for ever.
    pub client_id: ClientId,
    /// Where.
    pub conversation: ConversationId,
    /// The highest sequence received there when it was composed.
    pub base: u64,
    /// `message`, `edit`, `delete` or `reaction`.
    pub kind: Kind,
    /// What it answers, changes or deletes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<u64>,
    /// Mentions in its text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Mention>,
    /// What it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Raw>,
    /// When it was composed, by this device's clock, milliseconds since 1970.
    pub composed_at: u64,
    /// Why the server refused it for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<ErrorBody>,
}

/// What a refusal means for the conversation's sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Pause, then [`Outbox::release`].
    Pause {
        /// What the server asked for.
        retry_after_ms: u64,
        /// Whether the pause should grow: true unless only the order was wrong.
        grows: bool,
    },
    /// Read from the lowest base to the head, then [`Outbox::rebase`].
    Rebase,
    /// This one failed for good; those after it go on.
    Failed,
    /// The session ends; everything is sent again by the next one.
    SessionEnds,
}

/// Everything unacknowledged.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    queues: BTreeMap<ConversationId, Queue>,
}

#[derive(Clone, Debug, Default)]
struct Queue {
    items: VecDeque<Slot>,
    /// Nothing is sent until a pause or a rebase is over.
    held: bool,
}

#[derive(Clone, Debug)]
struct Slot {
    item: Item,
    in_flight: bool,
}

impl Outbox {
    /// The outbox as it was stored, in the order in which it was composed.
    pub fn restore(items: Vec<Item>) -> Self {
        let mut outbox = Self::default();
        for item in items {
            let queue = outbox.queues.entry(item.conversation).or_default();
            queue.items.push_back(Slot { item, in_flight: false });
        }
        outbox
    }

    /// How many acts it holds, failed ones included.
    pub fn count(&self) -> usize {
        self.queues.values().map(|queue| queue.items.len()).sum()
    }

    /// Adds an act at the end. The caller has checked [`Self::count`] and stored it.
    pub fn push(&mut self, item: Item) {
        let queue = self.queues.entry(item.conversation).or_default();
        queue.items.push_back(Slot { item, in_flight: false });
    }

    /// The conversations with something to send.
    pub fn conversations(&self) -> Vec<ConversationId> {
        self.queues.keys().copied().collect()
    }

    /// The act with this client id.
    pub fn find(&self, client_id: ClientId) -> Option<&Item> {
        self.queues.values().find_map(|queue| queue.find(client_id)).map(|slot| &slot.item)
    }

    /// What to send now, at most `room`, in order; they count as in flight from here on.
    pub fn take_ready(&mut self, conversation: ConversationId, room: usize) -> Vec<Send> {
        self.queues.get_mut(&conversation).map(|queue| queue.take_ready(room)).unwrap_or_default()
    }

    /// The server has stored it: takes it out.
    pub fn acknowledged(&mut self, conversation: ConversationId, client_id: ClientId) -> Option<Item> {
        self.remove(conversation, client_id)
    }

    /// Takes a failed or waiting act out.
    pub fn remove(&mut self, conversation: ConversationId, client_id: ClientId) -> Option<Item> {
        let queue = self.queues.get_mut(&conversation)?;
        let index = queue.items.iter().position(|slot| slot.item.client_id == client_id)?;
        let slot = queue.items.remove(index);
        if queue.items.is_empty() {
            self.queues.remove(&conversation);
        }
        slot.map(|slot| slot.item)
    }

    /// The server refused it: says what to do, and holds the conversation until that is done.
    pub fn refused(
        &mut self,
        conversation: ConversationId,
        client_id: ClientId,
        error: &ErrorBody,
    ) -> Refusal {
        let refusal = meaning(error);
        let Some(queue) = self.queues.get_mut(&conversation) else {
            return refusal;
        };
        if let Some(slot) = queue.find_mut(client_id) {
            slot.in_flight = false;
            if refusal == Refusal::Failed {
                slot.item.failed = Some(error.clone());
            }
        }
        queue.held |= refusal != Refusal::Failed;
        refusal
    }

    /// The pause is over.
    pub fn release(&mut self, conversation: ConversationId) {
        if let Some(queue) = self.queues.get_mut(&conversation) {
            queue.held = false;
        }
    }

    /// The lowest base of what waits: a rebase reads from the entry after it.
    pub fn lowest_base(&self, conversation: ConversationId) -> Option<u64> {
        let queue = self.queues.get(&conversation)?;
        queue.items.iter().filter(|slot| slot.item.failed.is_none()).map(|slot| slot.item.base).min()
    }

    /// Everything up to `base` was read, and what was found there acknowledged: the rest goes on from there.
    /// Gives back the acts that changed.
    pub fn rebase(&mut self, conversation: ConversationId, base: u64) -> Vec<Item> {
        let Some(queue) = self.queues.get_mut(&conversation) else {
            return Vec::new();
        };
        queue.held = false;
        queue.items.iter_mut().for_each(|slot| slot.item.base = base);
        queue.items.iter().map(|slot| slot.item.clone()).collect()
    }

    /// The log is another one and ends at `head`: what it kept of these acts lies after their bases all the same.
    /// Gives back the acts that changed.
    pub fn clamp(&mut self, conversation: ConversationId, head: u64) -> Vec<Item> {
        let Some(queue) = self.queues.get_mut(&conversation) else {
            return Vec::new();
        };
        let beyond = queue.items.iter_mut().filter(|slot| slot.item.base > head);
        beyond
            .map(|slot| {
                slot.item.base = head;
                slot.item.clone()
            })
            .collect()
    }

    /// The connection is gone, and every answer with it: everything is sent again on the next one.
    pub fn disconnected(&mut self) {
        for queue in self.queues.values_mut() {
            queue.held = false;
            queue.items.iter_mut().for_each(|slot| slot.in_flight = false);
        }
    }
}

impl Queue {
    fn find(&self, client_id: ClientId) -> Option<&Slot> {
        self.items.iter().find(|slot| slot.item.client_id == client_id)
    }

    fn find_mut(&mut self, client_id: ClientId) -> Option<&mut Slot> {
        self.items.iter_mut().find(|slot| slot.item.client_id == client_id)
    }

    fn take_ready(&mut self, room: usize) -> Vec<Send> {
        let mut live: Vec<&mut Slot> =
            self.items.iter_mut().filter(|slot| slot.item.failed.is_none()).collect();
        let in_flight = live.iter().filter(|slot| slot.in_flight).count();
        // What is in flight behind something that waits was overtaken by a refusal: let its answers come first.
        let is_draining = live.iter().skip_while(|slot| slot.in_flight).any(|slot| slot.in_flight);
        if self.held || is_draining {
            return Vec::new();
        }
        let end = live.len().min(in_flight + room.min(MOST_IN_FLIGHT.saturating_sub(in_flight)));
        let mut sends = Vec::new();
        for index in in_flight..end {
            let after = index.checked_sub(1).map(|before| live[before].item.client_id);
            live[index].in_flight = true;
            sends.push(live[index].item.request(after));
        }
        sends
    }
}

impl Item {
    /// How long its frame is at most, in bytes.
    pub fn frame_bytes(&self) -> usize {
        let frame =
            OutgoingRequest { id: u64::MAX, request: Request::Send(self.request(Some(self.client_id))) };
        serde_json::to_vec(&frame).map_or(usize::MAX, |frame| frame.len())
    }

    fn request(&self, after: Option<ClientId>) -> Send {
        Send {
            conversation: self.conversation,
            client_id: self.client_id,
            base: self.base,
            after,
            kind: self.kind,
            target: self.target,
            mentions: self.mentions.clone(),
            body: self.body.clone(),
        }
    }
}

/// What an error means for a send.
fn meaning(error: &ErrorBody) -> Refusal {
    match (error.known(), error.retry_after_ms) {
        (Some(Code::StaleBase | Code::BeyondHead), _) => Refusal::Rebase,
        (Some(Code::Unauthenticated | Code::AccountDisabled | Code::HelloFirst), _) => Refusal::SessionEnds,
        (known, Some(retry_after_ms)) => {
            Refusal::Pause { retry_after_ms, grows: known != Some(Code::OutOfTurn) }
        }
        (_, None) => Refusal::Failed,
    }
}

#[cfg(test)]
mod tests;
