//! A conversation as its host holds it, and the step that turns a command into entries.
//!
//! [`Conversation::step`] is the one place where entries are numbered. It changes the conversation at once; the host
//! shows nothing of it to anybody until the entries are durable, and drops the conversation if they do not become so.

mod group;
mod posting;
mod recent;
mod step;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use suda_proto::entry::{ConversationKind, Role};
use suda_proto::event::MemberMarks;
use suda_proto::reply::Sent;
use suda_proto::{AccountId, Code, ConversationId, ErrorBody, Kind, Position};

use crate::entry::{Entry, Envelope};
use crate::membership::{Member, Membership};
use crate::message::MessageState;
use crate::ports::log::Loaded;
use crate::receipts::{Marks, Summary};

pub use recent::Recent;
pub use step::{Act, Command, Need, Step};

/// Most messages whose facts are remembered for edits, deletions and reactions.
const FACTS_MAX: usize = 256;

/// A conversation in its host's memory.
#[derive(Clone, Debug)]
pub struct Conversation {
    id: ConversationId,
    epoch: u32,
    membership: Membership,
    summary: Summary,
    marks: BTreeMap<AccountId, Marks>,
    recent: Recent,
    facts: HashMap<u64, Option<MessageFacts>>,
    /// One envelope from further back, for a read mark.
    looked_up: Option<Envelope>,
    /// Whether one of a direct conversation's two has blocked the other.
    pub blocked: bool,
}

/// What an edit, deletion or reaction must know of its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageFacts {
    /// Who wrote it.
    pub author: AccountId,
    /// When.
    pub at: u64,
    /// How it stands.
    pub state: MessageState,
}

impl MessageFacts {
    /// The facts of a message, `None` if the entry is no message.
    pub fn of(entry: &Entry, state: Option<MessageState>) -> Option<Self> {
        let envelope = &entry.envelope;
        (envelope.kind == Kind::Message).then(|| Self {
            author: envelope.author,
            at: envelope.at,
            state: state.unwrap_or_default(),
        })
    }
}

impl Conversation {
    /// A conversation as storage has it.
    pub fn loaded(id: ConversationId, loaded: Loaded) -> Self {
        let Loaded { epoch, summary, membership, marks, recent } = loaded;
        Self {
            id,
            epoch,
            membership,
            summary,
            marks: marks.into_iter().collect(),
            recent: Recent::new(recent, summary.head),
            facts: HashMap::new(),
            looked_up: None,
            blocked: false,
        }
    }

    /// Its id.
    pub const fn id(&self) -> ConversationId {
        self.id
    }

    /// Its log's epoch.
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Who belongs to it.
    pub const fn membership(&self) -> &Membership {
        &self.membership
    }

    /// How far it has come, entries under way included.
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The account's membership.
    ///
    /// # Errors
    /// `not_member`, or `no_such_conversation` where it never was one.
    pub fn member(&self, account: AccountId) -> Result<&Member, ErrorBody> {
        self.membership.member(account).ok_or_else(|| {
            let was_member = self.membership.former.iter().any(|former| former.account == account);
            if was_member { Code::NotMember.error() } else { Code::NoSuchConversation.error() }
        })
    }

    /// The account's marks.
    pub fn marks(&self, account: AccountId) -> Marks {
        self.marks.get(&account).cloned().unwrap_or_default()
    }

    /// Every member with its watermarks; whoever wrote has seen what stands before.
    pub fn members(&self) -> Vec<suda_proto::reply::Member> {
        let members = self.membership.members.iter();
        members
            .map(|member| {
                let MemberMarks { account, delivered, read } = self.member_marks(member.account);
                suda_proto::reply::Member { account, role: member.role, delivered, read }
            })
            .collect()
    }

    /// One member's watermarks as others see them.
    pub fn member_marks(&self, account: AccountId) -> MemberMarks {
        let marks = self.marks.get(&account);
        let read = marks.map_or(0, Marks::seen);
        MemberMarks { account, delivered: marks.map_or(0, |marks| marks.delivered).max(read), read }
    }

    /// How many messages the member has not read, and how many of them mention it.
    pub fn unread(&self, member: &Member) -> (u64, u32) {
        let marks = self.marks(member.account);
        (marks.unread(self.summary.ordinal, member.joined_ordinal), marks.mentions.len() as u32)
    }

    /// Moves a member's watermarks. Answers its marks if one moved; `Err` says what must be learnt first.
    ///
    /// # Errors
    /// [`Step::Refuse`] for strangers and marks beyond the head, [`Step::Need`] where the envelope at `read` is wanted.
    pub fn mark(
        &mut self,
        account: AccountId,
        delivered: Option<u64>,
        read: Option<u64>,
        now: u64,
    ) -> Result<Option<Marks>, Step> {
        self.member(account).map_err(Step::Refuse)?;
        let furthest = delivered.max(read).unwrap_or(0);
        if furthest > self.summary.head {
            return Err(Step::Refuse(Code::BeyondHead.error()));
        }
        let before = self.marks(account);
        let mut after = before.clone();
        after.delivered = after.delivered.max(furthest);
        if let Some(read) = read.filter(|read| *read > before.read) {
            after.read = read;
            let looked_up = self.looked_up.as_ref().filter(|envelope| envelope.seq == read);
            after.read_ordinal = match self.recent.get(read).or(looked_up) {
                Some(envelope) => envelope.ordinal,
                None => return Err(Step::Need(Need::Envelope { seq: read })),
            };
            after.mentions.retain(|seq| *seq > read);
            after.touched = now;
        }
        if after == before {
            return Ok(None);
        }
        self.marks.insert(account, after.clone());
        Ok(Some(after))
    }

    /// The lowest sequence whose envelope is remembered; one above the head if none is.
    pub fn known_from(&self) -> u64 {
        self.recent.first()
    }

    /// Takes in envelopes that [`Need::Envelopes`] asked for: contiguous, ending right below what is remembered.
    pub fn learn_envelopes(&mut self, envelopes: Vec<Envelope>) {
        self.recent.prepend(envelopes);
    }

    /// Takes in what [`Need::Envelope`] asked for.
    pub fn learn_envelope(&mut self, envelope: Envelope) {
        self.looked_up = Some(envelope);
    }

    /// Takes in what [`Need::Message`] asked for; `None` if there is no such message.
    pub fn learn_message(&mut self, seq: u64, facts: Option<MessageFacts>) {
        if self.facts.len() >= FACTS_MAX {
            self.facts.clear();
        }
        self.facts.insert(seq, facts);
    }

    /// The authors of the messages in `from..=to`, as far as they are remembered.
    pub fn authors(&self, from: u64, to: u64) -> impl Iterator<Item = AccountId> + '_ {
        self.recent
            .iter()
            .filter(move |envelope| (from..=to).contains(&envelope.seq))
            .map(|envelope| envelope.author)
    }

    fn role(&self, account: AccountId) -> Result<Role, ErrorBody> {
        self.member(account).map(|member| member.role)
    }

    fn kind(&self) -> ConversationKind {
        self.membership.header.kind
    }

    /// Takes an entry as the next one.
    fn apply(&mut self, entry: &Entry) {
        self.summary.apply(&entry.envelope);
        if self.membership.apply(entry) {
            let membership = &self.membership;
            let gone = self.marks.iter_mut().filter(|(account, _)| membership.member(**account).is_none());
            gone.for_each(|(_, marks)| marks.leave());
        }
        for member in &self.membership.members {
            let envelope = &entry.envelope;
            if envelope.kind == Kind::Message
                && (envelope.author == member.account || envelope.mentions(member.account))
            {
                self.marks.entry(member.account).or_default().apply(member.account, envelope);
            }
        }
        if let Some(Some(facts)) = entry.envelope.target.and_then(|target| self.facts.get_mut(&target)) {
            facts.state.apply(entry);
        }
        self.recent.push(entry.envelope.clone());
    }

    fn sent(&self, envelope: &Envelope) -> Sent {
        Sent {
            conversation: self.id,
            position: Position { epoch: self.epoch, seq: envelope.seq },
            at: envelope.at,
            ordinal: envelope.ordinal,
        }
    }
}
