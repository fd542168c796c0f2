//! Who is there, as far as the server has said on this line. Pure.
//!
//! Only what the server would tell changes of is kept: accounts that are watched, and members of open conversations.
//! Everything else could be old without anybody noticing, so it is forgotten, and nothing is known without a line.

use std::collections::{BTreeMap, BTreeSet};

use suda_proto::presence::{Presence, PresenceState};
use suda_proto::reply::Opened;
use suda_proto::{AccountId, ConversationId};

/// How many accounts may be watched at a time.
pub const MOST_WATCHED: usize = 200;

/// Who is there, and of whom the server was asked.
#[derive(Clone, Debug, Default)]
pub struct Attendance {
    /// Never `unknown`: such accounts are absent.
    said: BTreeMap<AccountId, Presence>,
    /// The accounts that the app has on screen.
    wanted: BTreeSet<AccountId>,
    /// Those that the server was told.
    told: BTreeSet<AccountId>,
    /// Whether the server has to be told in any case.
    is_to_tell: bool,
    open: BTreeMap<ConversationId, Crowd>,
}

/// Who is in an open conversation.
#[derive(Clone, Debug)]
struct Crowd {
    /// The other members.
    others: BTreeSet<AccountId>,
    /// How many of them were online when the server was asked.
    online: Option<u32>,
    /// Whether the server told the state of each, and goes on to tell what changes.
    is_followed: bool,
}

/// What is another than before.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Whose presence.
    pub accounts: BTreeSet<AccountId>,
    /// In which conversations another number is online.
    pub conversations: BTreeSet<ConversationId>,
}

impl Attendance {
    /// How somebody stands.
    pub fn of(&self, account: AccountId) -> Presence {
        let unknown = Presence { account, state: PresenceState::Unknown, last_active_at: None };
        self.said.get(&account).copied().unwrap_or(unknown)
    }

    /// How many others are online in an open conversation; absent where that is not known.
    pub fn online(&self, conversation: ConversationId) -> Option<u32> {
        let crowd = self.open.get(&conversation)?;
        if !crowd.is_followed {
            return crowd.online;
        }
        let mut known = crowd.others.iter().filter_map(|other| self.said.get(other)).peekable();
        known.peek()?;
        let online = known.filter(|presence| presence.state == PresenceState::Online);
        u32::try_from(online.count()).ok()
    }

    /// The app has these on screen, in place of those before; beyond the limit the first ones count.
    pub fn want(&mut self, accounts: Vec<AccountId>) {
        self.wanted.clear();
        for account in accounts {
            if self.wanted.len() == MOST_WATCHED {
                break;
            }
            self.wanted.insert(account);
        }
    }

    /// Whether the server does not know yet what is wanted.
    pub fn has_to_tell(&self) -> bool {
        self.told != self.wanted || (self.is_to_tell && !self.wanted.is_empty())
    }

    /// The list to tell now; whoever is not on it any more is forgotten.
    pub fn tell(&mut self) -> (Vec<AccountId>, Changed) {
        self.told = self.wanted.clone();
        self.is_to_tell = false;
        (self.wanted.iter().copied().collect(), self.changing(Self::forget_strangers))
    }

    /// The server does not know the list, or will not tell what changes: it has to be told again.
    pub fn tell_again(&mut self) {
        self.is_to_tell = true;
    }

    /// The server says how accounts stand.
    pub fn hear(&mut self, presences: &[Presence]) -> Changed {
        self.changing(|attendance| attendance.note(presences))
    }

    /// A conversation is open, and the server says who is there.
    pub fn enter(&mut self, conversation: ConversationId, me: AccountId, opened: &Opened) -> Changed {
        let others = opened.members.iter().map(|member| member.account).filter(|other| *other != me);
        let crowd = Crowd {
            others: others.collect(),
            online: opened.online,
            is_followed: !opened.presences.is_empty(),
        };
        self.changing(|attendance| {
            attendance.open.insert(conversation, crowd);
            let mut changed = attendance.note(&opened.presences);
            changed.extend(attendance.forget_strangers());
            changed
        })
    }

    /// A conversation is not open any more.
    pub fn leave(&mut self, conversation: ConversationId) -> Changed {
        self.changing(|attendance| {
            attendance.open.remove(&conversation);
            attendance.forget_strangers()
        })
    }

    /// The line is gone: nothing is known, and everything has to be told again.
    pub fn lose(&mut self) -> Changed {
        self.changing(|attendance| {
            attendance.open.clear();
            attendance.told.clear();
            attendance.is_to_tell = false;
            std::mem::take(&mut attendance.said).into_keys().collect()
        })
    }

    /// Whether the server tells only a number of an open conversation, when it is asked.
    pub fn is_counted(&self, conversation: ConversationId) -> bool {
        let crowd = self.open.get(&conversation);
        crowd.is_some_and(|crowd| !crowd.is_followed && crowd.online.is_some() && !crowd.others.is_empty())
    }

    /// Whether the server has said who is in a conversation.
    pub fn is_open(&self, conversation: ConversationId) -> bool {
        self.open.contains_key(&conversation)
    }

    /// Whether the server was asked about other members than these, so that it has to be asked again.
    pub fn is_outdated(&self, conversation: ConversationId, members: &BTreeSet<AccountId>) -> bool {
        self.open.get(&conversation).is_some_and(|crowd| crowd.others != *members)
    }

    /// Whether the server tells when this account's presence changes.
    fn is_followed(&self, account: AccountId) -> bool {
        self.told.contains(&account)
            || self.open.values().any(|crowd| crowd.is_followed && crowd.others.contains(&account))
    }

    /// Takes over what is news; tells of whom.
    fn note(&mut self, presences: &[Presence]) -> BTreeSet<AccountId> {
        let mut changed = BTreeSet::new();
        for presence in presences {
            // A server that cannot tell has not taken back what it said.
            let is_known = presence.state != PresenceState::Unknown && self.is_followed(presence.account);
            if is_known && self.said.insert(presence.account, *presence) != Some(*presence) {
                changed.insert(presence.account);
            }
        }
        changed
    }

    fn forget_strangers(&mut self) -> BTreeSet<AccountId> {
        let known = self.said.keys().copied();
        let strangers: BTreeSet<AccountId> = known.filter(|account| !self.is_followed(*account)).collect();
        self.said.retain(|account, _| !strangers.contains(account));
        strangers
    }

    fn counts(&self) -> BTreeMap<ConversationId, u32> {
        let open = self.open.keys().copied();
        open.filter_map(|conversation| Some((conversation, self.online(conversation)?))).collect()
    }

    /// Changes something, and finds out in which conversations that changed the number.
    fn changing(&mut self, change: impl FnOnce(&mut Self) -> BTreeSet<AccountId>) -> Changed {
        let before = self.counts();
        let accounts = change(self);
        let after = self.counts();
        let both = before.keys().chain(after.keys()).copied();
        let is_changed = |conversation: &ConversationId| before.get(conversation) != after.get(conversation);
        Changed { accounts, conversations: both.filter(is_changed).collect() }
    }
}

#[cfg(test)]
mod tests;
