//! The task that owns a share of the conversations: it takes orders, commits and reads in batches, and waits for
//! nothing else.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{FuturesUnordered, StreamExt};
use suda_domain::conversation::{Conversation, MessageFacts, Need};
use suda_domain::entry::Envelope;
use suda_domain::ports::log::{Append, AppendError};
use suda_domain::ports::{Failure, Log};
use suda_proto::{AccountId, Code, ConversationId};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::Surroundings;
use super::hot::{Hot, Lack, Slot, State};
use super::order::Order;
use super::showing::Contacts;

/// Most orders taken in one turn.
const TURN: usize = 256;

/// Conversations are forgotten after so long without need, in milliseconds.
const IDLE_MS: u64 = 60_000;

/// How many of the newest envelopes are read with a conversation.
const RECENT: u32 = 64;

/// Most bytes of bodies read at once.
const READ_BYTES: usize = 1024 * 1024;

/// After so many merges of receipts idle conversations are looked for.
const MERGES_PER_SWEEP: u32 = 20;

/// A share of the conversations.
pub(super) struct Shard {
    pub surroundings: Arc<Surroundings>,
    pub slots: HashMap<ConversationId, Box<Slot>, RandomState>,
    pub under_way: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Conversations whose marks moved since the others were told.
    pub moved: Vec<ConversationId>,
}

/// Something that was under way and has ended.
pub(super) struct Done {
    conversation: ConversationId,
    outcome: Outcome,
}

enum Outcome {
    Loaded(Result<Option<Box<Conversation>>, Failure>, Option<bool>),
    Relation(Result<bool, Failure>),
    Contacts(AccountId, Result<Contacts, Failure>),
    Appended(Result<(), AppendError>),
    Envelopes(Result<Vec<Envelope>, Failure>),
    Envelope(Result<Vec<Envelope>, Failure>),
    Message(u64, Result<Option<MessageFacts>, Failure>),
}

impl Shard {
    pub fn new(surroundings: Arc<Surroundings>) -> Self {
        Self {
            surroundings,
            slots: HashMap::default(),
            under_way: FuturesUnordered::new(),
            moved: Vec::new(),
        }
    }

    /// Works until every sender of orders is gone and nothing is under way.
    pub async fn run(mut self, mut inbox: mpsc::Receiver<Order>) {
        let mut merge = tokio::time::interval(self.surroundings.settings.receipts_merge);
        merge.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut orders = Vec::with_capacity(TURN);
        let mut is_open = true;
        let mut merges = 0;
        while is_open || !self.under_way.is_empty() {
            tokio::select! {
                Some(done) = self.under_way.next(), if !self.under_way.is_empty() => {
                    self.finish(done);
                    self.finish_ready();
                }
                count = inbox.recv_many(&mut orders, TURN), if is_open => {
                    is_open = count > 0;
                    self.take(&mut orders);
                }
                _ = merge.tick() => {
                    self.tell_marks();
                    merges += 1;
                    if merges % MERGES_PER_SWEEP == 0 {
                        self.forget_idle();
                    }
                }
            }
        }
        self.tell_marks();
        while let Some(done) = self.under_way.next().await {
            self.finish(done);
        }
    }

    /// Queues orders at their conversations, then lets each conversation go on.
    fn take(&mut self, orders: &mut Vec<Order>) {
        let now = self.surroundings.clock.now();
        let mut touched = Vec::with_capacity(orders.len());
        for order in orders.drain(..) {
            let conversation = order.conversation;
            if !self.slots.contains_key(&conversation) {
                self.load(conversation, None);
            }
            let slot = self.slots.entry(conversation).or_insert_with(|| Box::new(Slot::loading(now)));
            slot.used = now;
            slot.wait(order);
            if touched.last() != Some(&conversation) {
                touched.push(conversation);
            }
        }
        for conversation in touched {
            self.pump(conversation);
        }
    }

    /// Takes what has ended as well: a group of the log ends many commits at once.
    fn finish_ready(&mut self) {
        for _ in 0..TURN {
            match self.under_way.next().now_or_never() {
                Some(Some(done)) => self.finish(done),
                _ => return,
            }
        }
    }

    fn finish(&mut self, done: Done) {
        let Done { conversation, outcome } = done;
        match outcome {
            Outcome::Loaded(loaded, blocked) => self.loaded(conversation, loaded, blocked),
            Outcome::Relation(Ok(blocked)) => self.learnt(conversation, |hot| {
                hot.knows_relation = true;
                hot.conversation.blocked = blocked;
            }),
            Outcome::Appended(outcome) => self.appended(conversation, outcome),
            Outcome::Contacts(account, Ok(contacts)) => {
                self.learnt(conversation, |hot| hot.learn_contacts(account, contacts));
            }
            Outcome::Envelopes(Ok(envelopes)) => {
                self.learnt(conversation, |hot| hot.conversation.learn_envelopes(envelopes));
            }
            Outcome::Envelope(Ok(envelopes)) => {
                let learn = |hot: &mut Hot| {
                    envelopes.into_iter().for_each(|one| hot.conversation.learn_envelope(one))
                };
                self.learnt(conversation, learn);
            }
            Outcome::Message(seq, Ok(facts)) => {
                self.learnt(conversation, |hot| hot.conversation.learn_message(seq, facts));
            }
            Outcome::Relation(Err(failure))
            | Outcome::Contacts(_, Err(failure))
            | Outcome::Envelopes(Err(failure))
            | Outcome::Envelope(Err(failure))
            | Outcome::Message(_, Err(failure)) => {
                tracing::error!(%failure, "reading a conversation failed");
                if let Some(order) =
                    self.slots.get_mut(&conversation).and_then(|slot| slot.waiting.pop_front())
                {
                    order.refuse(code_of(&failure).error());
                }
                self.learnt(conversation, |_| {});
            }
        }
        self.pump(conversation);
    }

    fn loaded(
        &mut self,
        conversation: ConversationId,
        loaded: Result<Option<Box<Conversation>>, Failure>,
        blocked: Option<bool>,
    ) {
        let Some(slot) = self.slots.get_mut(&conversation) else {
            return;
        };
        match loaded {
            Ok(Some(loaded)) => slot.state = State::Hot(Box::new(Hot::new(*loaded, blocked))),
            Ok(None) => slot.state = State::Missing,
            Err(failure) => {
                tracing::error!(%failure, "loading a conversation failed");
                let code = code_of(&failure);
                let slot = self.slots.remove(&conversation);
                slot.into_iter().flat_map(|slot| slot.waiting).for_each(|order| order.refuse(code.error()));
            }
        }
    }

    fn learnt(&mut self, conversation: ConversationId, learn: impl FnOnce(&mut Hot)) {
        if let Some(State::Hot(hot)) = self.slots.get_mut(&conversation).map(|slot| &mut slot.state) {
            hot.learning = None;
            learn(hot);
        }
    }

    /// Starts reading a conversation. Whether a direct one's two block each other is read when it is needed, unless it
    /// is known.
    pub fn load(&mut self, id: ConversationId, blocked: Option<bool>) {
        let log = Arc::clone(&self.surroundings.ports.log);
        self.under_way.push(Box::pin(async move {
            let loaded = log.load(id, RECENT).await;
            let loaded = loaded.map(|loaded| Some(Box::new(Conversation::loaded(id, loaded?))));
            Done { conversation: id, outcome: Outcome::Loaded(loaded, blocked) }
        }));
    }

    /// Starts reading what the order in front lacks.
    pub fn find(&mut self, id: ConversationId, lack: Lack, known_from: u64) {
        match lack {
            Lack::Of(need) => self.learn(id, need, known_from),
            Lack::Relation([first, second]) => {
                let contacts = Arc::clone(&self.surroundings.ports.contacts);
                self.under_way.push(Box::pin(async move {
                    let between = contacts.between(first, second).await;
                    let outcome = Outcome::Relation(between.map(|between| between.is_blocked()));
                    Done { conversation: id, outcome }
                }));
            }
            Lack::Contacts(account) => self.find_contacts(id, account),
        }
    }

    /// Starts reading who of the members are contacts of one.
    fn find_contacts(&mut self, id: ConversationId, account: AccountId) {
        let Some(State::Hot(hot)) = self.slots.get(&id).map(|slot| &slot.state) else {
            return;
        };
        let members = &hot.conversation.membership().members;
        let others: Vec<AccountId> =
            members.iter().map(|member| member.account).filter(|other| *other != account).collect();
        let contacts = Arc::clone(&self.surroundings.ports.contacts);
        let read_at = self.surroundings.clock.now();
        let as_of = self.surroundings.presence.relations_of(account);
        self.under_way.push(Box::pin(async move {
            let among = contacts.among(account, &others).await;
            let read = among.map(|among| Contacts {
                accounts: among
                    .into_iter()
                    .filter(|(_, b)| b.are_contacts())
                    .map(|(other, _)| other)
                    .collect(),
                read_at,
                as_of,
            });
            Done { conversation: id, outcome: Outcome::Contacts(account, read) }
        }));
    }

    /// Starts reading what the order in front needs.
    fn learn(&mut self, id: ConversationId, need: Need, known_from: u64) {
        let log = Arc::clone(&self.surroundings.ports.log);
        self.under_way.push(Box::pin(async move {
            let outcome = match need {
                Need::Envelopes { from } => {
                    Outcome::Envelopes(envelopes(log.as_ref(), id, from, known_from.saturating_sub(1)).await)
                }
                Need::Envelope { seq } => Outcome::Envelope(envelopes(log.as_ref(), id, seq, seq).await),
                Need::Message { seq } => {
                    let read = async {
                        let entries = log.read(id, seq, seq, 0).await?;
                        let states = log.message_states(id, seq, seq).await?;
                        let state = states.into_iter().next().map(|(_, state)| state);
                        Ok(entries.first().and_then(|entry| MessageFacts::of(entry, state)))
                    };
                    Outcome::Message(seq, read.await)
                }
            };
            Done { conversation: id, outcome }
        }));
    }

    /// Starts a commit.
    pub fn append(&mut self, append: Append) {
        let log = Arc::clone(&self.surroundings.ports.log);
        self.under_way.push(Box::pin(async move {
            let conversation = append.conversation;
            Done { conversation, outcome: Outcome::Appended(log.append(append).await) }
        }));
    }

    /// Forgets conversations that nobody needed for a while.
    pub fn forget_idle(&mut self) {
        let now = self.surroundings.clock.now();
        self.slots.retain(|_, slot| !slot.is_quiet() || now.saturating_sub(slot.used) < IDLE_MS);
    }
}

/// Reads the envelopes of a range, a bounded piece at a time.
async fn envelopes(log: &dyn Log, id: ConversationId, from: u64, to: u64) -> Result<Vec<Envelope>, Failure> {
    let mut envelopes: Vec<Envelope> = Vec::new();
    loop {
        let next = envelopes.last().map_or(from, |last| last.seq + 1);
        if next > to {
            return Ok(envelopes);
        }
        let piece = log.read(id, next, to, READ_BYTES).await?;
        if piece.is_empty() {
            return Ok(envelopes);
        }
        envelopes.extend(piece.into_iter().map(|entry| entry.envelope));
    }
}

/// The code that tells a client of a storage failure.
pub(super) const fn code_of(failure: &Failure) -> Code {
    match failure {
        Failure::Unavailable(_) => Code::TimedOut,
        Failure::Full => Code::StorageFull,
        Failure::Refused(_) | Failure::Damaged(_) => Code::Internal,
    }
}
