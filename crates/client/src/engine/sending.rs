//! Sending: from the outbox onto the line, and what the answers mean.

use suda_proto::entry::ReactionBody;
use suda_proto::reply::{Page, Sent};
use suda_proto::request::{HistoryQuery, Range, Request};
use suda_proto::{ClientId, Code, ConversationId, Entry, ErrorBody, Kind, Raw};
use uuid::Uuid;

use super::command::Composed;
use super::history::Source;
use super::request::Purpose;
use super::{Engine, Step, Timer};
use crate::cache::Write;
use crate::conversation::{Batch, PAGE, Wanted};
use crate::error::{CacheError, ClientError};
use crate::event::ClientEvent;
use crate::outbox::{Item, MOST_WAITING, Refusal};

/// After this pause a rebase that failed is tried again.
const REBASE_AGAIN_MS: u64 = 2_000;

impl Engine {
    /// Puts an act into the outbox; it is safe there when this returns.
    pub(super) async fn compose(&mut self, composed: Composed) -> Result<ClientId, ClientError> {
        if self.outbox.count() >= MOST_WAITING {
            return Err(ClientError::OutboxFull);
        }
        let conversation = composed.conversation;
        let item = Item {
            client_id: ClientId(Uuid::now_v7()),
            conversation,
            base: self.held.get(&conversation).map_or(0, |held| held.state.received()),
            kind: composed.kind,
            target: composed.target,
            mentions: composed.mentions,
            body: composed.body,
            composed_at: Self::now(),
            failed: None,
        };
        // The server could not even read whose it is, and everything behind it would wait for ever.
        if item.frame_bytes() > self.frame_bytes {
            return Err(Code::FrameTooLarge.error().into());
        }
        let (client_id, kind) = (item.client_id, item.kind);
        self.cache.write(vec![Write::Outbox(item.clone())]).await?;
        self.outbox.push(item);
        self.announce(ClientEvent::MessagesChanged { conversation });
        self.announce(ClientEvent::ConversationChanged { conversation });
        self.pump(conversation);
        match kind {
            Kind::Message => self.end_own_typing(conversation),
            _ => self.tell_typing(conversation, false),
        }
        Ok(client_id)
    }

    /// Sends a failed act again, after everything that was composed since.
    pub(super) async fn retry(&mut self, client_id: ClientId) -> Result<(), ClientError> {
        let item = self.take_failed(client_id)?;
        let conversation = item.conversation;
        let item = Item { failed: None, ..item };
        self.cache.write(vec![Write::OutboxRemove(client_id), Write::Outbox(item.clone())]).await?;
        self.outbox.push(item);
        self.announce(ClientEvent::MessagesChanged { conversation });
        self.pump(conversation);
        Ok(())
    }

    /// Forgets a failed act.
    pub(super) async fn discard(&mut self, client_id: ClientId) -> Result<(), ClientError> {
        let conversation = self.take_failed(client_id)?.conversation;
        self.cache.write(vec![Write::OutboxRemove(client_id)]).await?;
        self.announce(ClientEvent::MessagesChanged { conversation });
        Ok(())
    }

    /// Only what failed can be taken back: anything else may be stored already.
    fn take_failed(&mut self, client_id: ClientId) -> Result<Item, ClientError> {
        let item = self.outbox.find(client_id).filter(|item| item.failed.is_some());
        let conversation = item.ok_or(ClientError::NoSuchSend)?.conversation;
        self.outbox.remove(conversation, client_id).ok_or(ClientError::NoSuchSend)
    }

    /// Sends what can be sent in one conversation.
    pub(super) fn pump(&mut self, conversation: ConversationId) {
        if self.contact.line.is_none() {
            return;
        }
        let room = self.requests.room();
        for send in self.outbox.take_ready(conversation, room) {
            let client_id = send.client_id;
            self.ask(Request::Send(send), Purpose::Send(conversation, client_id));
        }
    }

    /// Sends what can be sent everywhere.
    pub(super) fn pump_all(&mut self) {
        for conversation in self.outbox.conversations() {
            self.pump(conversation);
        }
    }

    pub(super) async fn on_sent(
        &mut self,
        conversation: ConversationId,
        client_id: ClientId,
        answer: Result<Sent, ErrorBody>,
    ) -> Step {
        match answer {
            Ok(sent) => {
                self.pauses.remove(&conversation);
                self.on_stored(conversation, client_id, sent).await
            }
            Err(error) => self.on_refused(conversation, client_id, error).await,
        }
    }

    /// The server has it: it leaves the outbox and enters the history in one step.
    async fn on_stored(&mut self, conversation: ConversationId, client_id: ClientId, sent: Sent) -> Step {
        // Where the event came first, nothing is left to do.
        let Some(mut item) = self.outbox.find(client_id).cloned() else {
            return Ok(());
        };
        if item.kind == Kind::Reaction {
            item.body = self.replacing(&item, &sent).await?;
            if item.body.is_none() {
                return self.on_reaction_stored(item, sent).await;
            }
        }
        let entry = Entry {
            seq: sent.position.seq,
            at: sent.at,
            kind: item.kind,
            author: self.me,
            client_id,
            ordinal: sent.ordinal,
            target: item.target,
            mentions: item.mentions,
            body: item.body,
            standing: None,
        };
        if let Some(batch) = Batch::of_entries(sent.position.epoch, vec![entry]) {
            let outcome = self.absorb(conversation, batch, Source::Acknowledgement).await?;
            if outcome.stale {
                self.forget_sent(conversation, client_id).await?;
            }
        }
        self.want_missing_later(conversation);
        Ok(())
    }

    /// A reaction's body as the server completed it: with the reaction that it replaces. `None` unless everything
    /// before it is known here.
    async fn replacing(&self, item: &Item, sent: &Sent) -> Result<Option<Raw>, CacheError> {
        let Some(state) = self.held.get(&item.conversation).map(|held| &held.state) else {
            return Ok(None);
        };
        let follows = state.epoch == sent.position.epoch && state.synced + 1 == sent.position.seq;
        let wanted = Wanted { seqs: item.target.into_iter().collect(), ..Wanted::default() };
        let slice = self.cache.slice(item.conversation, &wanted).await?;
        let Some(target) = slice.entries.values().next().filter(|_| follows) else {
            return Ok(None);
        };
        let body = item.body.as_ref().and_then(|body| body.parse::<ReactionBody>().ok());
        Ok(body.map(|body| Raw::of(&ReactionBody { was: target.own_reaction(), ..body })))
    }

    /// What the reaction replaced is not known here: its entry is fetched.
    async fn on_reaction_stored(&mut self, item: Item, sent: Sent) -> Step {
        let conversation = item.conversation;
        self.forget_sent(conversation, item.client_id).await?;
        let Some(mut held) = self.held.get(&conversation).cloned() else {
            return Ok(());
        };
        if held.state.hear(sent.position.epoch, sent.position.seq) {
            return self.void(conversation, held).await;
        }
        self.held.insert(conversation, held.clone());
        self.cache.write(vec![Write::Conversation(conversation, held)]).await?;
        self.want_missing_later(conversation);
        Ok(())
    }

    async fn forget_sent(&mut self, conversation: ConversationId, client_id: ClientId) -> Step {
        self.outbox.acknowledged(conversation, client_id);
        self.cache.write(vec![Write::OutboxRemove(client_id)]).await?;
        self.announce(ClientEvent::MessagesChanged { conversation });
        Ok(())
    }

    /// Takes out of the outbox what is found among stored entries.
    pub(super) fn acknowledge_found(
        &mut self,
        conversation: ConversationId,
        entries: &[Entry],
    ) -> Vec<Write> {
        let own = entries.iter().filter(|entry| entry.author == self.me);
        let found = own.filter_map(|entry| self.outbox.acknowledged(conversation, entry.client_id));
        found.map(|item| Write::OutboxRemove(item.client_id)).collect()
    }

    async fn on_refused(
        &mut self,
        conversation: ConversationId,
        client_id: ClientId,
        error: ErrorBody,
    ) -> Step {
        match self.outbox.refused(conversation, client_id, &error) {
            Refusal::Pause { retry_after_ms, grows } => {
                let backoff = self.pauses.entry(conversation).or_default();
                let pause = if grows { backoff.next(rand::random()).as_millis() } else { 0 };
                let pause = u64::try_from(pause).unwrap_or(u64::MAX);
                let release = Timer::Release(conversation);
                // Those behind a refused send are out of turn at once, which does not shorten its pause.
                if grows {
                    self.timers.clear(release);
                }
                if !self.timers.is_set(release) {
                    self.after(retry_after_ms.saturating_add(pause), release);
                }
                Ok(())
            }
            Refusal::Rebase => {
                self.start_rebase(conversation);
                Ok(())
            }
            Refusal::Failed => self.on_failed(conversation, client_id, error).await,
            // The close that follows says what to do.
            Refusal::SessionEnds => Ok(()),
        }
    }

    /// Refused for good: a message stays visible as failed, a change of another message is undone.
    async fn on_failed(
        &mut self,
        conversation: ConversationId,
        client_id: ClientId,
        error: ErrorBody,
    ) -> Step {
        let Some(item) = self.outbox.find(client_id).cloned() else {
            return Ok(());
        };
        let write = if item.kind == Kind::Message {
            Write::Outbox(item)
        } else {
            self.outbox.remove(conversation, client_id);
            Write::OutboxRemove(client_id)
        };
        self.cache.write(vec![write]).await?;
        self.announce(ClientEvent::SendFailed { conversation, client_id, error });
        self.announce(ClientEvent::MessagesChanged { conversation });
        Ok(())
    }

    /// Looks for what was committed since the lowest base: first where the log ends.
    fn start_rebase(&mut self, conversation: ConversationId) {
        let is_this =
            |purpose: &Purpose| matches!(purpose, Purpose::Rebase(asked, _) if *asked == conversation);
        if !self.requests.is_asking(is_this) {
            let query = HistoryQuery { conversation, range: Range::Newest { limit: 1 } };
            self.ask(Request::History(query), Purpose::Rebase(conversation, None));
        }
    }

    /// One page of a rebase; `from` is absent for the first, which only tells where the log ends.
    pub(super) async fn on_rebase_page(
        &mut self,
        conversation: ConversationId,
        from: Option<u64>,
        answer: Result<Page, ErrorBody>,
    ) -> Step {
        let Ok(page) = answer else {
            self.after(REBASE_AGAIN_MS, Timer::Release(conversation));
            return Ok(());
        };
        let Some(from) = from else {
            return self.begin_rebase(conversation, &page).await;
        };
        let mut writes = self.acknowledge_found(conversation, &page.entries);
        if page.to >= page.head || page.to < from {
            let base = page.to.max(from - 1);
            writes.extend(self.outbox.rebase(conversation, base).into_iter().map(Write::Outbox));
        } else {
            self.ask_rebase_page(conversation, page.to + 1);
        }
        self.cache.write(writes).await?;
        self.announce(ClientEvent::MessagesChanged { conversation });
        self.pump(conversation);
        Ok(())
    }

    async fn begin_rebase(&mut self, conversation: ConversationId, page: &Page) -> Step {
        let held = self.held.get(&conversation).cloned();
        if let Some(mut held) = held.filter(|held| held.state.epoch != page.epoch) {
            held.state.hear(page.epoch, page.head);
            self.void(conversation, held).await?;
        }
        let base = self.outbox.lowest_base(conversation).map_or(page.head, |base| base.min(page.head));
        if base < page.head {
            self.ask_rebase_page(conversation, base + 1);
            return Ok(());
        }
        let writes = self.outbox.rebase(conversation, base).into_iter().map(Write::Outbox).collect();
        self.cache.write(writes).await?;
        self.pump(conversation);
        Ok(())
    }

    fn ask_rebase_page(&mut self, conversation: ConversationId, from: u64) {
        let range = Range::Between { from, to: from + u64::from(PAGE) - 1 };
        let query = HistoryQuery { conversation, range };
        self.ask(Request::History(query), Purpose::Rebase(conversation, Some(from)));
    }

    /// A new epoch may end before the bases of what waits; what it kept of it lies after the same base or is gone.
    pub(super) fn clamp_bases(&mut self, conversation: ConversationId, head: u64) -> Vec<Write> {
        self.outbox.clamp(conversation, head).into_iter().map(Write::Outbox).collect()
    }
}
