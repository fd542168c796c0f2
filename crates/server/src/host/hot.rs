//! A conversation in memory, with what waits for it and what is under way.

use std::collections::{BTreeMap, HashMap, VecDeque};

use suda_domain::conversation::{Conversation, Need};
use suda_domain::entry::Entry;
use suda_domain::receipts::{Marks, Summary};
use suda_proto::entry::ConversationKind;
use suda_proto::reply::Sent;
use suda_proto::{AccountId, Code};

use super::order::{Order, Reply, What};
use super::showing::{Contacts, Moved};

/// Most orders that wait for one conversation.
const WAITING_MAX: usize = 4_096;

/// A conversation's place in its shard.
pub(super) struct Slot {
    /// What waits, oldest first.
    pub waiting: VecDeque<What>,
    /// What is known.
    pub state: State,
    /// When it was needed last, milliseconds since 1970.
    pub used: u64,
}

/// What a shard knows of a conversation.
pub(super) enum State {
    /// It is being read.
    Loading,
    /// It has no entry.
    Missing,
    /// It is in memory.
    Hot(Box<Hot>),
}

/// A conversation in memory.
pub(super) struct Hot {
    /// Its state, entries under way included.
    pub conversation: Conversation,
    /// How far it has durably come.
    pub committed: Summary,
    /// The commit under way.
    pub batch: Option<Batch>,
    /// What is being read for the order in front.
    pub learning: Option<Lack>,
    /// Whether it is known if a direct conversation's two block each other; it is read when somebody writes.
    pub knows_relation: bool,
    /// Marks that moved since the others were told.
    pub moved: BTreeMap<AccountId, Moved>,
    /// The contacts of those who are shown to contacts only.
    pub contacts: HashMap<AccountId, Contacts>,
    /// Whether telling them waits for a free moment.
    pub marks_due: bool,
    /// When each member's typing was passed on last.
    pub typed: HashMap<AccountId, u64>,
}

/// What must be read before an order can be taken.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lack {
    /// Something of the conversation.
    Of(Need),
    /// How a direct conversation's two stand to each other.
    Relation([AccountId; 2]),
    /// Who of the members are contacts of this one.
    Contacts(AccountId),
}

/// One commit: what is appended, and whom to tell when it is durable.
#[derive(Default)]
pub(super) struct Batch {
    pub entries: Vec<Entry>,
    pub bytes: usize,
    pub marks: Vec<(AccountId, Marks)>,
    pub sent: Vec<(Reply<Sent>, Sent)>,
    pub marked: Vec<Read>,
    /// The one session that all entries come from.
    pub origin: Option<u64>,
}

/// A read mark that waits for its commit.
pub(super) struct Read {
    pub account: AccountId,
    pub reply: Reply<suda_proto::reply::Marked>,
    pub origin: Option<u64>,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.marks.is_empty()
    }

    /// Takes the entries of one act.
    pub fn take(&mut self, entries: Vec<Entry>, origin: Option<u64>) {
        self.origin = if self.entries.is_empty() || self.origin == origin { origin } else { None };
        self.bytes +=
            entries.iter().map(|entry| entry.body.as_ref().map_or(0, bytes::Bytes::len)).sum::<usize>();
        self.entries.extend(entries);
    }

    /// Tells everybody that waits why nothing was committed.
    pub fn refuse(self, code: Code) {
        self.sent.into_iter().for_each(|(reply, _)| reply.send(Err(code.error())));
        self.marked.into_iter().for_each(|read| read.reply.send(Err(code.error())));
    }
}

impl Slot {
    /// A slot whose conversation is being read.
    pub fn loading(now: u64) -> Self {
        Self { waiting: VecDeque::new(), state: State::Loading, used: now }
    }

    /// Queues an order, or refuses it where too many wait.
    pub fn wait(&mut self, order: Order) {
        if self.waiting.len() >= WAITING_MAX {
            order.what.refuse(Code::Overloaded.error());
        } else {
            self.waiting.push_back(order.what);
        }
    }

    /// Whether nothing waits, is under way or is left to tell.
    pub fn is_quiet(&self) -> bool {
        self.waiting.is_empty()
            && match &self.state {
                State::Loading => false,
                State::Missing => true,
                State::Hot(hot) => hot.batch.is_none() && hot.learning.is_none() && hot.moved.is_empty(),
            }
    }
}

impl Hot {
    /// A conversation as it was read; `blocked` where it is known whether its two block each other.
    pub fn new(mut conversation: Conversation, blocked: Option<bool>) -> Self {
        conversation.blocked = blocked.unwrap_or_default();
        Self {
            knows_relation: blocked.is_some(),
            committed: *conversation.summary(),
            conversation,
            batch: None,
            learning: None,
            moved: BTreeMap::new(),
            contacts: HashMap::new(),
            marks_due: false,
            typed: HashMap::new(),
        }
    }

    /// The two whose relation must be known before somebody writes, unless it is.
    pub fn unknown_relation(&self) -> Option<[AccountId; 2]> {
        let header = &self.conversation.membership().header;
        header.pair.filter(|_| !self.knows_relation && header.kind == ConversationKind::Direct)
    }

    /// Whether orders can be taken now.
    pub const fn is_free(&self) -> bool {
        self.batch.is_none() && self.learning.is_none()
    }
}
