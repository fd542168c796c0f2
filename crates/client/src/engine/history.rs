//! Entries: taking them in, from wherever they come, and fetching what is missing.

use suda_proto::event::{Entries, Reset};
use suda_proto::reply::Page;
use suda_proto::request::{HistoryQuery, Range, Request};
use suda_proto::{Code, ConversationId, Entry, ErrorBody, Kind};

use super::request::{Done, Purpose};
use super::{Engine, Step, Timer};
use crate::cache::{Held, Write};
use crate::conversation::{Batch, Conversation, Outcome, Slice};
use crate::error::CacheError;
use crate::event::ClientEvent;
use crate::model::Message;
use crate::sync::{self, RowChange};
use crate::view;

/// How many conversations are filled at a time.
const MOST_FILLS: usize = 4;

/// How much is fetched of a conversation of which nothing is cached.
const PREFETCH: u32 = 50;

/// After this pause a fill that got nowhere is tried again.
const FILL_AGAIN_MS: u64 = 2_000;

/// An acknowledgement may overtake the events before it; only after this pause are they missed.
const OVERTAKEN_MS: u64 = 700;

/// Where entries come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The server told them without being asked.
    Event,
    /// The acknowledgement of an own send.
    Acknowledgement,
    /// A page that was asked for.
    Page,
}

impl Engine {
    pub(super) async fn on_entries(&mut self, entries: Entries) -> Step {
        if entries.conversation == self.own() {
            return self.on_own_entries(entries.epoch, entries.entries).await;
        }
        let Some(batch) = Batch::of_entries(entries.epoch, entries.entries) else {
            return Ok(());
        };
        self.absorb(entries.conversation, batch, Source::Event).await?;
        self.want_missing(entries.conversation);
        Ok(())
    }

    /// Takes entries in and keeps everything that follows from them in one transaction.
    pub(super) async fn absorb(
        &mut self,
        conversation: ConversationId,
        batch: Batch,
        source: Source,
    ) -> Result<Outcome, CacheError> {
        let unheard = || Held { state: Conversation::new(batch.epoch, 0), ..Held::default() };
        let before = self.held.get(&conversation).cloned().unwrap_or_else(unheard);
        let mut held = before.clone();
        let mut slice = self.cache.slice(conversation, &batch.wanted()).await?;
        let entries = batch.entries.clone();
        let outcome = held.state.absorb(&mut slice, batch, self.me);
        if outcome.stale {
            return Ok(outcome);
        }
        let row_change = match (&mut held.row, source) {
            (None, _) => RowChange::Outdated,
            (Some(_), Source::Page) => RowChange::None,
            (Some(row), _) => entries
                .iter()
                .map(|entry| sync::advance(row, entry, self.me))
                .max()
                .unwrap_or(RowChange::None),
        };
        let writes = self.consequences(conversation, &held, &outcome, &slice, &entries);
        self.held.insert(conversation, held.clone());
        self.cache.write(writes).await?;
        self.tell(conversation, &before, &outcome, &slice, row_change, source);
        if row_change == RowChange::Outdated {
            self.refresh(conversation);
        }
        if held.state.synced > before.state.synced && entries.iter().any(|entry| entry.author != self.me) {
            self.was_delivered(conversation, held.state.synced);
        }
        entries.iter().for_each(|entry| self.meet(entry.author));
        if source == Source::Event {
            self.stop_typing(conversation, &entries);
        }
        Ok(outcome)
    }

    /// What to write after a batch was absorbed.
    fn consequences(
        &mut self,
        conversation: ConversationId,
        held: &Held,
        outcome: &Outcome,
        slice: &Slice,
        entries: &[Entry],
    ) -> Vec<Write> {
        let mut writes = Vec::new();
        if outcome.reset {
            writes.push(Write::DropBelow(conversation, u64::MAX));
            writes.extend(self.clamp_bases(conversation, held.state.head));
        }
        writes.push(Write::Conversation(conversation, held.clone()));
        let changed = slice.dirty.iter().filter_map(|seq| slice.entries.get(seq)).cloned().collect();
        writes.push(Write::Entries(conversation, changed));
        writes.extend(outcome.dropped_below.map(|first| Write::DropBelow(conversation, first)));
        writes.extend(self.acknowledge_found(conversation, entries));
        writes
    }

    /// Tells the app what changed.
    fn tell(
        &self,
        conversation: ConversationId,
        before: &Held,
        outcome: &Outcome,
        slice: &Slice,
        row_change: RowChange,
        source: Source,
    ) {
        if outcome.reset {
            self.announce(ClientEvent::ConversationReset { conversation });
        }
        let newest = before.state.received();
        let is_new = |seq: &u64| source == Source::Event && *seq > newest && outcome.added.contains(seq);
        let fresh = slice.dirty.iter().filter(|seq| is_new(seq)).filter_map(|seq| slice.entries.get(seq));
        let messages: Vec<Message> = fresh
            .filter(|cached| is_shown(cached.entry.kind))
            .map(|cached| view::stored(conversation, cached))
            .collect();
        if messages.len() < slice.dirty.len() {
            self.announce(ClientEvent::MessagesChanged { conversation });
        }
        if !messages.is_empty() {
            self.announce(ClientEvent::MessagesAdded { conversation, messages });
        }
        if row_change != RowChange::None {
            self.announce(ClientEvent::ConversationChanged { conversation });
        }
    }

    /// Everything cached of a conversation is void: its log is another one now.
    pub(super) async fn void(&mut self, conversation: ConversationId, held: Held) -> Step {
        let mut writes = vec![Write::DropBelow(conversation, u64::MAX)];
        writes.extend(self.clamp_bases(conversation, held.state.head));
        writes.push(Write::Conversation(conversation, held.clone()));
        self.held.insert(conversation, held);
        self.cache.write(writes).await?;
        self.announce(ClientEvent::ConversationReset { conversation });
        self.refresh(conversation);
        self.want_fill(conversation);
        Ok(())
    }

    pub(super) async fn on_reset(&mut self, reset: Reset) -> Step {
        if reset.conversation == self.own() {
            return self.reset_own(reset.epoch).await;
        }
        let held = self.held.get(&reset.conversation).cloned().unwrap_or_default();
        let head = if held.state.epoch == reset.epoch { held.state.head } else { 0 };
        let held = Held { state: Conversation::new(reset.epoch, head), ..held };
        self.void(reset.conversation, held).await
    }

    /// A list's head lies below what was received: asks the log itself. Where the log has it, what the list said was
    /// only older than what was told meanwhile, and is asked for again: nobody else would bring the row.
    pub(super) fn verify(&mut self, conversation: ConversationId) {
        let Some(held) = self.held.get(&conversation) else {
            return;
        };
        let received = held.state.received();
        let query = HistoryQuery { conversation, range: Range::Newest { limit: 1 } };
        self.ask(Request::History(query), Purpose::Verify(conversation, received));
    }

    pub(super) async fn on_verified(
        &mut self,
        conversation: ConversationId,
        received: u64,
        answer: Result<Page, ErrorBody>,
    ) -> Step {
        let (Ok(page), Some(held)) = (answer, self.held.get(&conversation)) else {
            return Ok(());
        };
        let mut held = held.clone();
        if held.state.confirm(page.epoch, page.head, received) {
            return self.void(conversation, held).await;
        }
        self.refresh(conversation);
        Ok(())
    }

    /// Fetches what is missing, if anything is.
    pub(super) fn want_missing(&mut self, conversation: ConversationId) {
        if self.held.get(&conversation).is_some_and(|held| held.state.missing().is_some()) {
            self.want_fill(conversation);
        }
    }

    /// As [`Self::want_missing`], after a pause in which it may come by itself.
    pub(super) fn want_missing_later(&mut self, conversation: ConversationId) {
        if self.held.get(&conversation).is_some_and(|held| held.state.missing().is_some()) {
            self.after(OVERTAKEN_MS, Timer::Fill(conversation));
        }
    }

    /// Fetches what is missing, or the newest page where nothing is cached; what is on screen comes first.
    pub(super) fn want_fill(&mut self, conversation: ConversationId) {
        if self.fills.waiting.contains(&conversation) || self.fills.running.contains(&conversation) {
            return;
        }
        if self.on_screen.borrow().contains(&conversation) {
            self.fills.waiting.push_front(conversation);
        } else {
            self.fills.waiting.push_back(conversation);
        }
    }

    pub(super) fn start_fills(&mut self) {
        if self.contact.line.is_none() {
            // A new line finds out again what is missing.
            return self.fills.waiting.clear();
        }
        while self.fills.running.len() < MOST_FILLS && self.requests.room() > 0 {
            let Some(conversation) = self.fills.waiting.pop_front() else {
                return;
            };
            let Some(state) = self.held.get(&conversation).map(|held| &held.state) else {
                continue;
            };
            let newest = state.known.is_empty().then_some(Range::Newest { limit: PREFETCH });
            let Some(range) = state.missing().or(newest) else {
                continue;
            };
            self.fills.running.insert(conversation);
            self.ask(Request::History(HistoryQuery { conversation, range }), Purpose::Fill(conversation));
        }
    }

    pub(super) async fn on_filled(
        &mut self,
        conversation: ConversationId,
        answer: Result<Page, ErrorBody>,
    ) -> Step {
        self.fills.running.remove(&conversation);
        let page = match answer {
            Ok(page) => page,
            Err(error) => {
                self.on_unfilled(conversation, &error);
                return Ok(());
            }
        };
        let missing = |engine: &Self| engine.held.get(&conversation).and_then(|held| held.state.missing());
        let before = missing(self);
        let outcome = self.absorb(conversation, batch(page), Source::Page).await?;
        match missing(self) {
            None => {}
            after if after != before && !outcome.stale => self.want_fill(conversation),
            Some(_) => self.after(FILL_AGAIN_MS, Timer::Fill(conversation)),
        }
        Ok(())
    }

    fn on_unfilled(&mut self, conversation: ConversationId, error: &ErrorBody) {
        match (error.known(), error.retry_after_ms) {
            (Some(Code::BeyondHead), _) => self.verify(conversation),
            (Some(Code::NotMember | Code::NoSuchConversation), _) => self.refresh(conversation),
            (_, Some(pause)) => self.after(pause.max(FILL_AGAIN_MS), Timer::Fill(conversation)),
            (_, None) => tracing::warn!(code = %error.code, "history cannot be read"),
        }
    }

    pub(super) async fn on_looked(
        &mut self,
        conversation: ConversationId,
        answer: Result<Page, ErrorBody>,
        done: Done<()>,
    ) -> Step {
        let looked = match answer {
            Ok(page) => {
                self.absorb(conversation, batch(page), Source::Page).await?;
                self.want_missing(conversation);
                Ok(())
            }
            Err(error) => Err(error.into()),
        };
        // The caller may have given up waiting.
        let _ = done.send(looked);
        Ok(())
    }
}

fn batch(page: Page) -> Batch {
    Batch { epoch: page.epoch, from: page.from, to: page.to, head: page.head, entries: page.entries }
}

/// Whether an app shows entries of this kind by themselves.
fn is_shown(kind: Kind) -> bool {
    !matches!(kind, Kind::Edit | Kind::Delete | Kind::Reaction | Kind::AuthorErased | Kind::Set)
}
