//! To whom a member's reading and typing are shown: by its own setting, that of the receiver, and how they stand.

use suda_domain::receipts::Marks as StoredMarks;
use suda_proto::event::{Event, Marks, MemberMarks};
use suda_proto::rest::Audience;
use suda_proto::{AccountId, ConversationId};

use super::hot::{Hot, Lack};
use super::order::What;
use crate::presence::Presence;
use crate::session::{Frame, Session};

/// How long it is relied on who of a conversation's members are contacts, in milliseconds, unless this node hears of a
/// change.
const CONTACTS_MS: u64 = 60_000;

/// Most members of whom that is remembered.
const CONTACTS_MAX: usize = 256;

/// A member of whom something is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    pub account: AccountId,
    pub who_may_see: Audience,
}

/// A member whose marks moved since the others were told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moved {
    /// How they were then.
    pub before: MemberMarks,
    /// Who is told how far it has read.
    pub who_may_see: Audience,
}

/// The contacts of a member among the others, and when that was read.
#[derive(Clone, Debug)]
pub(super) struct Contacts {
    pub accounts: Vec<AccountId>,
    pub read_at: u64,
    /// How often that had changed then, as far as this node knows.
    pub as_of: u32,
}

impl Hot {
    /// What must be read before the order can be taken, of how its account stands to the others.
    pub fn lack(&self, order: &What, now: impl Fn() -> u64, presence: &Presence) -> Option<Lack> {
        let (is_told, shown) = match *order {
            What::Act { .. } => (true, None),
            What::Typing { account, who_may_see, .. } => (true, Some(Shown { account, who_may_see })),
            // Also of one that only received: the others are told how far it had read along with that.
            What::Mark { account, who_may_see, .. } => (true, Some(Shown { account, who_may_see })),
            What::View { .. } | What::RelationChanged => (false, None),
        };
        let relation = self.unknown_relation().filter(|_| is_told).map(Lack::Relation);
        let contacts = shown.filter(|shown| {
            let is_known = || self.contacts.get(&shown.account);
            shown.who_may_see == Audience::Contacts
                && is_known().is_none_or(|known| {
                    now().saturating_sub(known.read_at) > CONTACTS_MS
                        || known.as_of != presence.relations_of(shown.account)
                })
                && self.conversation.member(shown.account).is_ok()
        });
        relation.or_else(|| contacts.map(|shown| Lack::Contacts(shown.account)))
    }

    /// Remembers the contacts of a member among the others.
    pub fn learn_contacts(&mut self, account: AccountId, contacts: Contacts) {
        if self.contacts.len() >= CONTACTS_MAX {
            self.contacts.clear();
        }
        self.contacts.insert(account, contacts);
    }

    /// Whether a session is shown what that member does.
    pub fn shows(&self, shown: Shown, session: &Session) -> bool {
        if shown.account == session.account {
            return true;
        }
        let is_seen = match shown.who_may_see {
            Audience::Everyone => true,
            Audience::Contacts => self
                .contacts
                .get(&shown.account)
                .is_some_and(|contacts| contacts.accounts.contains(&session.account)),
            Audience::Nobody => false,
        };
        is_seen && session.who_may_see() != Audience::Nobody && !self.conversation.blocked
    }
}

/// Marks that moved, to be told.
pub(super) struct Told {
    conversation: ConversationId,
    epoch: u32,
    marks: Vec<(MemberMarks, Audience)>,
    /// What everybody is told who may see all of it.
    whole: Frame,
}

impl Told {
    pub fn new(conversation: ConversationId, epoch: u32, marks: Vec<(MemberMarks, Audience)>) -> Self {
        let whole = frame(conversation, epoch, marks.iter().map(|(mark, _)| *mark).collect());
        Self { conversation, epoch, marks, whole }
    }

    /// The frame for a session, without how far those have read of whom it may not know it.
    pub fn frame(&self, hot: &Hot, session: &Session) -> Frame {
        let is_shown = |(mark, who_may_see): &(MemberMarks, Audience)| {
            hot.shows(Shown { account: mark.account, who_may_see: *who_may_see }, session)
        };
        if self.marks.iter().all(is_shown) {
            return self.whole.clone();
        }
        let redacted = |one: &(MemberMarks, Audience)| match is_shown(one) {
            true => one.0,
            false => MemberMarks { read: 0, ..one.0 },
        };
        frame(self.conversation, self.epoch, self.marks.iter().map(redacted).collect())
    }

    /// The marks as they are to be stored.
    pub fn stored(&self, hot: &Hot) -> Vec<(AccountId, StoredMarks)> {
        self.marks.iter().map(|(mark, _)| (mark.account, hot.conversation.marks(mark.account))).collect()
    }
}

fn frame(conversation: ConversationId, epoch: u32, marks: Vec<MemberMarks>) -> Frame {
    Frame::event(&Event::Marks(Marks { conversation, epoch, marks }))
}
