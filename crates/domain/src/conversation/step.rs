//! The step: one command in, entries or a refusal out.

use bytes::Bytes;
use serde::Serialize;
use suda_proto::entry::{ConversationKind, CreatedBody, Role, SetBody, SettingsBody};
use suda_proto::reply::Sent;
use suda_proto::{AccountId, ClientId, Code, ConversationId, ErrorBody, Kind, Limits, Mention, Raw};

use super::{Conversation, MessageFacts, Recent};
use crate::entry::{Entry, Envelope, is_countable};
use crate::membership::Membership;
use crate::receipts::Summary;

/// What somebody wants to happen in a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Who wants it.
    pub author: AccountId,
    /// The act's name for ever.
    pub client_id: ClientId,
    /// The highest sequence that the device had received when it composed the act; `None` for acts without one, which
    /// are looked for in what is remembered only.
    pub base: Option<u64>,
    /// The device's preceding unacknowledged act here.
    pub after: Option<ClientId>,
    /// What.
    pub act: Act,
}

/// What can happen in a conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Begin the conversation.
    Create(CreatedBody),
    /// Send a message, an edit, a deletion or a reaction.
    Post {
        /// Which of the four.
        kind: Kind,
        /// The message that is answered, edited, deleted or reacted to.
        target: Option<u64>,
        /// Mentions in the text.
        mentions: Vec<Mention>,
        /// The body.
        body: Option<Raw>,
    },
    /// Add members.
    AddMembers(Vec<AccountId>),
    /// Remove a member; oneself: leave.
    RemoveMember(AccountId),
    /// Change a member's role; `Owner` hands the group over.
    ChangeRole(AccountId, Role),
    /// Change title, history, edit time or data.
    ChangeSettings(SettingsBody),
    /// Close the group for good.
    Dissolve,
    /// Take a deleted account out and erase what it wrote; the server's own act in the author's name.
    EraseAuthor,
    /// Set a value of the account's own conversation.
    Set(SetBody),
}

impl Act {
    /// The kind of the (first) entry that the act makes.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Create(_) => Kind::Created,
            Self::Post { kind, .. } => *kind,
            Self::AddMembers(_) => Kind::MembersAdded,
            Self::RemoveMember(_) => Kind::MemberRemoved,
            Self::ChangeRole(..) => Kind::RoleChanged,
            Self::ChangeSettings(_) => Kind::SettingsChanged,
            Self::Dissolve => Kind::Dissolved,
            Self::EraseAuthor => Kind::AuthorErased,
            Self::Set(_) => Kind::Set,
        }
    }
}

/// What a step comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// These entries are to be appended; the acknowledgement is of the entry that bears the command's client id.
    Append {
        /// The entries, contiguous.
        entries: Vec<Entry>,
        /// What to acknowledge once they are durable.
        sent: Sent,
    },
    /// The act happened before, as this.
    Repeat(Sent),
    /// It must not happen.
    Refuse(ErrorBody),
    /// Something must be learnt first; then step again.
    Need(Need),
}

/// What a step must learn first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The envelopes from `from` up to what is remembered.
    Envelopes {
        /// The first of them.
        from: u64,
    },
    /// One envelope from further back.
    Envelope {
        /// Its sequence.
        seq: u64,
    },
    /// The facts of one message.
    Message {
        /// Its sequence.
        seq: u64,
    },
}

/// Whether a step can go on: `Err` is what the step comes to instead.
pub(super) type Checked<T = ()> = Result<T, Step>;

impl From<ErrorBody> for Step {
    fn from(error: ErrorBody) -> Self {
        Self::Refuse(error)
    }
}

impl From<Code> for Step {
    fn from(code: Code) -> Self {
        Self::Refuse(code.error())
    }
}

/// An entry in the making: what the step numbers.
pub(super) struct Draft {
    pub kind: Kind,
    pub client_id: ClientId,
    pub target: Option<u64>,
    pub mentions: Vec<Mention>,
    pub body: Option<Bytes>,
}

impl Draft {
    pub fn new(kind: Kind, client_id: ClientId) -> Self {
        Self { kind, client_id, target: None, mentions: Vec::new(), body: None }
    }

    pub fn body<T: Serialize>(self, body: &T) -> Self {
        Self { body: Some(Raw::of(body).bytes().clone()), ..self }
    }
}

impl Conversation {
    /// Begins a conversation: the first entry, and the conversation after it.
    ///
    /// # Errors
    /// What is wrong with the command: `no_such_conversation` unless it is a `Create`.
    pub fn create(
        id: ConversationId,
        epoch: u32,
        command: &Command,
        limits: &Limits,
        now: u64,
    ) -> Result<(Self, Step), ErrorBody> {
        let Act::Create(body) = &command.act else {
            return Err(Code::NoSuchConversation.error());
        };
        let mut body = body.clone();
        super::group::check_creation(command.author, &mut body, limits)?;
        let draft = Draft::new(Kind::Created, command.client_id).body(&body);
        let entry = number(draft, command.author, &Summary::default(), now);
        let membership = Membership::created(&entry).ok_or_else(|| Code::BadRequest.error())?;
        let mut conversation = Self {
            id,
            epoch,
            membership,
            summary: Summary::default(),
            marks: Default::default(),
            recent: Recent::default(),
            facts: Default::default(),
            looked_up: None,
            blocked: false,
        };
        conversation.summary.apply(&entry.envelope);
        conversation.recent.push(entry.envelope.clone());
        let sent = conversation.sent(&entry.envelope);
        Ok((conversation, Step::Append { entries: vec![entry], sent }))
    }

    /// Takes one step.
    pub fn step(&mut self, command: &Command, limits: &Limits, now: u64) -> Step {
        match self.try_step(command, limits, now) {
            Ok(step) | Err(step) => step,
        }
    }

    fn try_step(&mut self, command: &Command, limits: &Limits, now: u64) -> Checked<Step> {
        if let Some(sent) = self.repeated(command, limits)? {
            return Ok(Step::Repeat(sent));
        }
        let drafts = self.drafts(command, limits, now)?;
        let mut entries = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let entry = number(draft, command.author, &self.summary, now);
            self.apply(&entry);
            entries.push(entry);
        }
        let acknowledged = entries.iter().find(|entry| entry.envelope.client_id == command.client_id);
        let sent = acknowledged.or(entries.first()).map(|entry| self.sent(&entry.envelope));
        let sent = sent.ok_or(Code::Internal)?;
        Ok(Step::Append { entries, sent })
    }

    /// Finds an act that happened before, and refuses one whose predecessor has not.
    fn repeated(&self, command: &Command, limits: &Limits) -> Checked<Option<Sent>> {
        if let Some(envelope) = self.recent.find(command.author, command.client_id) {
            let same = same_act(envelope.kind, command.act.kind());
            return if same { Ok(Some(self.sent(envelope))) } else { Err(Code::ClientIdReused.into()) };
        }
        let base = command.base.unwrap_or(self.summary.head);
        if base > self.summary.head {
            return Err(Code::BeyondHead.into());
        }
        if self.summary.head - base > u64::from(limits.base_entries) {
            return Err(Code::StaleBase.into());
        }
        if base + 1 < self.recent.first() {
            return Err(Step::Need(Need::Envelopes { from: base + 1 }));
        }
        match command.after {
            Some(after) if self.recent.find(command.author, after).is_none() => Err(Code::OutOfTurn.into()),
            _ => Ok(None),
        }
    }

    /// What the act is to append, all checks passed.
    fn drafts(&mut self, command: &Command, limits: &Limits, now: u64) -> Checked<Vec<Draft>> {
        let Command { author, client_id, .. } = *command;
        match &command.act {
            Act::Create(_) => {
                // It was created before; the wish is fulfilled for whoever belongs to it.
                self.member(author)?;
                let looked_up = self.looked_up.as_ref().filter(|envelope| envelope.seq == 1);
                Err(match self.recent.get(1).or(looked_up) {
                    Some(first) => Step::Repeat(self.sent(first)),
                    None => Step::Need(Need::Envelope { seq: 1 }),
                })
            }
            Act::Post { kind, target, mentions, body } => {
                let draft =
                    Draft { kind: *kind, client_id, target: *target, mentions: mentions.clone(), body: None };
                self.post(author, draft, body.as_ref(), limits, now).map(|draft| vec![draft])
            }
            Act::AddMembers(accounts) => self.add_members(author, client_id, accounts, limits),
            Act::RemoveMember(account) => self.remove_member(author, client_id, *account),
            Act::ChangeRole(account, role) => self.change_role(author, client_id, *account, *role),
            Act::ChangeSettings(settings) => self.change_settings(author, client_id, settings, limits),
            Act::Dissolve => self.dissolve(author, client_id),
            Act::EraseAuthor => Ok(self.erase_author(author, client_id)),
            Act::Set(set) => self.set(author, client_id, set),
        }
    }

    fn set(&self, author: AccountId, client_id: ClientId, set: &SetBody) -> Checked<Vec<Draft>> {
        self.member(author)?;
        if self.kind() != ConversationKind::Own {
            return Err(Code::NotAllowed.into());
        }
        Ok(vec![Draft::new(Kind::Set, client_id).body(set)])
    }

    /// The facts of a message that the member may see.
    pub(super) fn message(&mut self, member: AccountId, seq: Option<u64>) -> Checked<MessageFacts> {
        let seq = seq.ok_or_else(|| Step::Refuse(Code::BadRequest.because("target is missing")))?;
        if seq > self.summary.head || !self.member(member)?.sees(seq) {
            return Err(Code::NoSuchMessage.into());
        }
        match self.facts.get(&seq) {
            None => Err(Step::Need(Need::Message { seq })),
            Some(None) => {
                // Not remembered: the number may become a message's when what is under way is committed.
                self.facts.remove(&seq);
                Err(Code::NoSuchMessage.into())
            }
            Some(Some(facts)) if facts.state.deleted > 0 => Err(Code::NoSuchMessage.into()),
            Some(Some(facts)) if self.membership.erased_at(facts.author, seq) > 0 => {
                Err(Code::NoSuchMessage.into())
            }
            Some(Some(facts)) => Ok(facts.clone()),
        }
    }
}

/// Whether an entry of kind `entry` can be what an act that makes `act` made before.
fn same_act(entry: Kind, act: Kind) -> bool {
    entry == act || (act == Kind::MemberRemoved && entry == Kind::MemberLeft)
}

/// Gives a draft the next number, and a time no earlier than its predecessor's.
fn number(draft: Draft, author: AccountId, summary: &Summary, now: u64) -> Entry {
    let Draft { kind, client_id, target, mentions, body } = draft;
    let envelope = Envelope {
        seq: summary.head + 1,
        at: now.max(summary.at),
        kind,
        author,
        client_id,
        ordinal: summary.ordinal + u64::from(is_countable(kind)),
        target,
        mentions,
    };
    Entry { envelope, body }
}
