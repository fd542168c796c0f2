//! What one device has sent and not yet heard of, in the order of sending.
//!
//! Every send names the unacknowledged one before it in its conversation, so whenever one has to be repeated, all
//! behind it there are repeated with it, in order.

use std::collections::VecDeque;

use suda_proto::{ClientId, ConversationId};

/// Most unacknowledged messages of a device.
pub const OUTBOX_MAX: usize = 32;

/// One message that is not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its place in the replay.
    pub message: usize,
    /// Where it goes.
    pub conversation: ConversationId,
    /// Its name for ever.
    pub client_id: ClientId,
    /// The highest number that the device had when the message was composed.
    pub base: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// To be sent (again).
    Due,
    /// Sent under this request id; answers to earlier ones do not count.
    Asked(u64),
    /// Its base is too old: the copy has to catch up first.
    Stale,
}

/// The queue.
#[derive(Debug, Default)]
pub struct Outbox {
    pending: VecDeque<Pending>,
}

impl Outbox {
    /// Whether another message fits.
    pub fn has_room(&self) -> bool {
        self.pending.len() < OUTBOX_MAX
    }

    /// Whether everything is acknowledged.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Queues a message.
    pub fn push(&mut self, message: usize, conversation: ConversationId, client_id: ClientId, base: u64) {
        self.pending.push_back(Pending { message, conversation, client_id, base, state: State::Due });
    }

    /// The next message to be sent, and the one that it follows; from now on it waits for the answer to `request`.
    pub fn next_due(&mut self, request: u64) -> Option<(Pending, Option<ClientId>)> {
        let place = self.pending.iter().position(|pending| pending.state == State::Due)?;
        self.pending[place].state = State::Asked(request);
        let pending = self.pending[place].clone();
        let here = |earlier: &&Pending| earlier.conversation == pending.conversation;
        let after = self.pending.iter().take(place).rev().find(here).map(|earlier| earlier.client_id);
        Some((pending, after))
    }

    /// Whether `request` is the send for whose answer some message waits.
    pub fn awaits(&self, request: u64) -> bool {
        self.pending.iter().any(|pending| pending.state == State::Asked(request))
    }

    /// The message that was sent as `request` is settled; it leaves the queue.
    pub fn settle(&mut self, request: u64) -> Option<Pending> {
        let place = self.pending.iter().position(|pending| pending.state == State::Asked(request))?;
        self.pending.remove(place)
    }

    /// The message with this client id is settled; it leaves the queue.
    pub fn settle_client_id(&mut self, client_id: ClientId) -> Option<Pending> {
        let place = self.pending.iter().position(|pending| pending.client_id == client_id)?;
        self.pending.remove(place)
    }

    /// The message sent as `request` and all behind it in its conversation have to be sent again.
    pub fn repeat_from(&mut self, request: u64) {
        self.set_from(request, State::Due);
    }

    /// The message sent as `request` and all behind it in its conversation wait for the copy to catch up. Returns
    /// which conversation that is.
    pub fn hold_from(&mut self, request: u64) -> Option<ConversationId> {
        self.set_from(request, State::Stale)
    }

    /// The copy of `conversation` has caught up to `have`: what waited for it goes out with that base.
    pub fn renew(&mut self, conversation: ConversationId, have: u64) {
        let stale =
            |pending: &&mut Pending| pending.conversation == conversation && pending.state == State::Stale;
        for pending in self.pending.iter_mut().filter(stale) {
            pending.base = have;
            pending.state = State::Due;
        }
    }

    /// The connection is gone: everything unacknowledged is sent again.
    pub fn repeat_all(&mut self) {
        self.pending.iter_mut().for_each(|pending| pending.state = State::Due);
    }

    fn set_from(&mut self, request: u64, state: State) -> Option<ConversationId> {
        let place = self.pending.iter().position(|pending| pending.state == State::Asked(request))?;
        let conversation = self.pending[place].conversation;
        let behind = self.pending.iter_mut().skip(place);
        behind
            .filter(|pending| pending.conversation == conversation)
            .for_each(|pending| pending.state = state);
        Some(conversation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: ConversationId = ConversationId::from_bytes([1; 16]);
    const THERE: ConversationId = ConversationId::from_bytes([2; 16]);

    fn id(number: usize) -> ClientId {
        ClientId::from_bytes([number as u8; 16])
    }

    /// Three messages here and one there between them, all sent as requests 1 to 4.
    fn sent() -> Outbox {
        let mut outbox = Outbox::default();
        for (number, conversation) in [HERE, THERE, HERE, HERE].into_iter().enumerate() {
            outbox.push(number, conversation, id(number), 7);
        }
        for request in 1..=4 {
            assert!(outbox.next_due(request).is_some());
        }
        assert!(outbox.next_due(5).is_none());
        outbox
    }

    /// What is sent next, as (message, what it follows, base).
    fn due(outbox: &mut Outbox) -> Vec<(usize, Option<ClientId>, u64)> {
        let next = |request| outbox.next_due(request);
        let sends = (10..).map_while(next);
        sends.map(|(pending, after)| (pending.message, after, pending.base)).collect()
    }

    #[test]
    fn a_send_follows_the_unacknowledged_one_before_it() {
        let mut outbox = sent();
        outbox.repeat_all();
        let all = [(0, None, 7), (1, None, 7), (2, Some(id(0)), 7), (3, Some(id(2)), 7)];
        assert_eq!(due(&mut outbox), all);
        outbox.repeat_all();
        outbox.settle_client_id(id(0));
        assert_eq!(due(&mut outbox), [(1, None, 7), (2, None, 7), (3, Some(id(2)), 7)]);
    }

    #[test]
    fn repeating_one_repeats_what_follows_it_there() {
        let mut outbox = sent();
        outbox.repeat_from(3);
        assert_eq!(due(&mut outbox), [(2, Some(id(0)), 7), (3, Some(id(2)), 7)]);
        assert!(!outbox.awaits(4), "an answer to the earlier try does not count");
        assert!(outbox.settle(4).is_none());
    }

    #[test]
    fn a_stale_base_waits_for_the_copy() {
        let mut outbox = sent();
        assert_eq!(outbox.hold_from(1), Some(HERE));
        assert_eq!(due(&mut outbox), []);
        outbox.settle_client_id(id(2));
        outbox.renew(HERE, 50);
        assert_eq!(due(&mut outbox), [(0, None, 50), (3, Some(id(0)), 50)]);
    }
}
