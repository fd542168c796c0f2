//! The account's own conversation: values that its devices agree on, the newest per key.

use suda_proto::entry::SetKey;
use suda_proto::reply::{OwnItem, OwnState, Page, Sent};
use suda_proto::request::{HistoryQuery, OwnStateQuery, Range, Request, Set};
use suda_proto::{ClientId, Code, ConversationId, Entry, ErrorBody, Raw};
use uuid::Uuid;

use super::request::Purpose;
use super::{Engine, Step, Timer};
use crate::cache::{WantedValue, Write};
use crate::conversation::PAGE;
use crate::event::ClientEvent;
use crate::sync;

/// After this pause values that could not be set are sent again.
const VALUES_AGAIN_MS: u64 = 5_000;

/// After this pause the own conversation is asked for again.
const OWN_AGAIN_MS: u64 = 5_000;

impl Engine {
    /// The account's own conversation.
    pub(super) fn own(&self) -> ConversationId {
        ConversationId::own(self.me)
    }

    pub(super) async fn on_own_entries(&mut self, epoch: u32, entries: Vec<Entry>) -> Step {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Ok(());
        };
        let (first, last) = (first.seq, last.seq);
        self.hear_own_epoch(epoch).await?;
        let follows = first <= self.progress.own_seq + 1;
        if !follows {
            self.catch_up_own();
        }
        self.absorb_own(&entries, last * u64::from(follows), true).await
    }

    /// No list tells of the own conversation: asks for what is new in it, or for the whole state at first.
    pub(super) fn catch_up_own(&mut self) {
        let is_own = |purpose: &Purpose| {
            matches!(purpose, Purpose::OwnEntries | Purpose::OwnHead | Purpose::OwnState(_))
        };
        if self.requests.is_asking(is_own) {
            return;
        }
        let (range, purpose) = match self.progress.own_seq {
            0 => (Range::Newest { limit: 1 }, Purpose::OwnHead),
            known => (Range::Between { from: known + 1, to: known + u64::from(PAGE) }, Purpose::OwnEntries),
        };
        self.ask(Request::History(HistoryQuery { conversation: self.own(), range }), purpose);
    }

    /// Another epoch: what is kept may be newer than what counts now.
    async fn hear_own_epoch(&mut self, epoch: u32) -> Step {
        match self.progress.own_epoch {
            known if known == epoch => Ok(()),
            0 => {
                self.progress.own_epoch = epoch;
                Ok(())
            }
            _ => self.reset_own(epoch).await,
        }
    }

    /// Forgets the own state and loads it again.
    pub(super) async fn reset_own(&mut self, epoch: u32) -> Step {
        (self.progress.own_epoch, self.progress.own_seq) = (epoch, 0);
        self.cache.write(vec![Write::ClearOwnItems, Write::OwnPosition(epoch, 0)]).await?;
        self.catch_up_own();
        Ok(())
    }

    pub(super) async fn on_own_page(&mut self, answer: Result<Page, ErrorBody>) -> Step {
        let page = match answer {
            Ok(page) => page,
            Err(error) if error.known() == Some(Code::BeyondHead) => {
                return self.reset_own(self.progress.own_epoch).await;
            }
            Err(error) => return self.own_later(&error),
        };
        self.hear_own_epoch(page.epoch).await?;
        let known = self.progress.own_seq;
        let follows = known > 0 && page.from <= known + 1;
        self.absorb_own(&page.entries, page.to * u64::from(follows), false).await?;
        if known < self.progress.own_seq && self.progress.own_seq < page.head {
            self.catch_up_own();
        }
        Ok(())
    }

    /// The head before the whole state is read: whatever is set meanwhile lies beyond it.
    pub(super) async fn on_own_head(&mut self, answer: Result<Page, ErrorBody>) -> Step {
        match answer {
            Ok(page) => {
                self.progress.own_epoch = page.epoch;
                self.ask(Request::OwnState(OwnStateQuery::default()), Purpose::OwnState(page.head));
                Ok(())
            }
            Err(error) => self.own_later(&error),
        }
    }

    /// A page of the whole state, which counts as of `head` once it is complete.
    pub(super) async fn on_own_state(&mut self, head: u64, answer: Result<OwnState, ErrorBody>) -> Step {
        let state = match answer {
            Ok(state) => state,
            Err(error) => return self.own_later(&error),
        };
        let next = state.items.last().filter(|_| state.more).map(|item| item.key.clone());
        self.apply_own(state.items, head * u64::from(next.is_none()), false).await?;
        if next.is_some() {
            self.ask(Request::OwnState(OwnStateQuery { after: next }), Purpose::OwnState(head));
        }
        Ok(())
    }

    /// Tries again later, unless there is nothing: the first value makes the own conversation.
    fn own_later(&mut self, error: &ErrorBody) -> Step {
        if let Some(pause) = error.retry_after_ms {
            self.after(pause.max(OWN_AGAIN_MS), Timer::Own);
        }
        Ok(())
    }

    /// Takes entries of the own conversation in; what was set on this device is acknowledged by them as well.
    async fn absorb_own(&mut self, entries: &[Entry], position: u64, live: bool) -> Step {
        self.cache.write(entries.iter().map(|entry| Write::ForgetWanted(entry.client_id)).collect()).await?;
        self.apply_own(sync::own_items(entries), position, live).await
    }

    /// Keeps values, older ones than those kept apart, and tells the app; everything up to `position` was applied.
    async fn apply_own(&mut self, items: Vec<OwnItem>, position: u64, live: bool) -> Step {
        let keys: Vec<String> = items.iter().map(|item| item.key.clone()).collect();
        self.progress.own_seq = self.progress.own_seq.max(position);
        let position = Write::OwnPosition(self.progress.own_epoch, self.progress.own_seq);
        self.cache.write(vec![Write::OwnItems(items), position]).await?;
        for key in keys {
            self.tell_own(key, live);
        }
        Ok(())
    }

    /// Tells the app that a value changed; `live` where it changed just now rather than while nobody looked.
    fn tell_own(&mut self, key: String, live: bool) {
        match SetKey::parse(&key) {
            Some(SetKey::Mute(conversation) | SetKey::Archive(conversation) | SetKey::Pin(conversation)) => {
                self.announce(ClientEvent::ConversationChanged { conversation });
            }
            Some(SetKey::Draft(conversation)) => {
                self.announce(ClientEvent::ConversationChanged { conversation })
            }
            Some(SetKey::Contact(account)) => {
                self.meet(account);
                self.announce(ClientEvent::ContactsChanged);
            }
            Some(SetKey::Device(_)) => self.announce(ClientEvent::DevicesChanged),
            // Rows tell of what happened while nobody looked.
            Some(SetKey::Member(conversation)) if live => self.refresh(conversation),
            Some(SetKey::Profile) => self.ask_profiles(vec![self.me]),
            _ => {}
        }
        self.announce(ClientEvent::OwnStateChanged { key });
    }

    /// Sets a value; it is safe on this device when this returns.
    pub(super) async fn set_value(&mut self, key: String, value: Raw) -> Step {
        let client_id = ClientId(Uuid::now_v7());
        let wanted = WantedValue { key, value, client_id, base: self.progress.own_seq };
        self.cache.write(vec![Write::WantValue(wanted.clone())]).await?;
        self.tell_own(wanted.key.clone(), false);
        self.send_value(wanted);
        Ok(())
    }

    /// Sends every value that the server has not acknowledged.
    pub(super) async fn send_values(&mut self) -> Step {
        for wanted in self.cache.own_wanted().await? {
            self.send_value(wanted);
        }
        Ok(())
    }

    fn send_value(&mut self, wanted: WantedValue) {
        let WantedValue { key, value, client_id, base } = wanted;
        self.ask(Request::Set(Set { client_id, base: Some(base), key, value }), Purpose::Value(client_id));
    }

    pub(super) async fn on_value_sent(
        &mut self,
        client_id: ClientId,
        answer: Result<Sent, ErrorBody>,
    ) -> Step {
        if answer.as_ref().is_err_and(|error| error.retry_after_ms.is_some()) {
            self.after(VALUES_AGAIN_MS, Timer::Values);
            return Ok(());
        }
        let wanted = self.cache.own_wanted().await?.into_iter().find(|wanted| wanted.client_id == client_id);
        // A newer value of the same key may have taken its place.
        let Some(wanted) = wanted else { return Ok(()) };
        let key = wanted.key.clone();
        let mut writes = vec![Write::ForgetWanted(client_id)];
        match answer {
            Ok(sent) => {
                let item = OwnItem { key: wanted.key, value: wanted.value, seq: sent.position.seq };
                writes.push(Write::OwnItems(vec![item]));
            }
            // What was committed since was seen by now, and acknowledged where it was this.
            Err(error) if matches!(error.known(), Some(Code::StaleBase | Code::BeyondHead)) => {
                writes.push(Write::WantValue(WantedValue { base: self.progress.own_seq, ..wanted }));
                self.catch_up_own();
                self.after(VALUES_AGAIN_MS, Timer::Values);
            }
            Err(error) => tracing::warn!(code = %error.code, "a value was refused"),
        }
        self.cache.write(writes).await?;
        self.tell_own(key, false);
        Ok(())
    }
}
