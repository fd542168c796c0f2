//! From entries to the rows that follow from them, with the rules of `suda-domain`. Pure: whatever is not remembered of the
//! From entries to the rows that follow from them, with the rules of `suda-domain`. Pure: whatever is not remembered of the
//! conversation is read before.
//!
//! What is read may be further than the summary: somebody wrote it and died before the summary followed. Then the same
//! entries are folded into it once more, which must change nothing.

use std::collections::{BTreeMap, BTreeSet};

use suda_domain::entry::{Entry, Envelope};
use suda_domain::membership::Membership;
use suda_domain::message::MessageState;
use suda_domain::receipts::{Marks, Summary};
use suda_proto::entry::{AccountsBody, ConversationKind};
use suda_proto::{AccountId, Kind, Mentioned};

use crate::rows::{MemberRow, SetKey, Standing, StoredEntry};

/// A conversation as far as it has come.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// How far.
    pub summary: Summary,
    /// Who belongs to it; `None` before its first entry.
    pub membership: Option<Membership>,
    /// The rows of its members, and of those who left since it was read.
    pub members: BTreeMap<AccountId, MemberRow>,
}

/// The newest value of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnValue {
    /// The entry that set it.
    pub seq: u64,
    /// Whether that removed it.
    pub is_null: bool,
}

/// What of the conversation must be read before some entries are folded.
#[derive(Debug, Default)]
pub struct Prior {
    /// The states of messages that the entries point at.
    pub messages: BTreeMap<u64, MessageState>,
    /// The newest values of keys that the entries set.
    pub own_values: BTreeMap<String, OwnValue>,
    /// The marks of accounts that the entries add.
    pub marks: BTreeMap<AccountId, Marks>,
}

/// What some entries change beside the summary. Every change names the entry that made it: that is its place in time.
#[derive(Debug, Default, PartialEq)]
pub struct Changes {
    /// States of messages.
    pub messages: BTreeMap<u64, (MessageState, u64)>,
    /// Entries whose bodies read as `None` from now on.
    pub hidden: BTreeMap<u64, u64>,
    /// Values of keys.
    pub own_values: BTreeMap<String, OwnValue>,
    /// The entry that changed the membership last, if one did.
    pub membership: Option<u64>,
    /// Whose standing changed.
    pub standings: BTreeMap<AccountId, u64>,
    /// Who sent something.
    pub sent: BTreeSet<AccountId>,
    /// Whose unread mentions changed.
    pub mentions: BTreeMap<AccountId, u64>,
    /// Whose bodies are to be erased, up to which entry.
    pub erased_authors: Vec<(AccountId, u64)>,
}

/// An entry that is not the next one.
#[derive(Debug, thiserror::Error)]
#[error("entry {seq} does not follow {head}")]
pub struct Disorder {
    seq: u64,
    head: u64,
}

/// The messages that the entries point at.
pub fn targets(entries: &[StoredEntry]) -> BTreeSet<u64> {
    let envelopes = entries.iter().map(|stored| &stored.entry.envelope);
    envelopes.filter(|envelope| points_at(envelope)).filter_map(|envelope| envelope.target).collect()
}

/// The keys that the entries set.
pub fn keys(entries: &[StoredEntry]) -> BTreeSet<&str> {
    entries.iter().filter_map(|stored| Some(stored.set.as_ref()?.key.as_str())).collect()
}

/// The accounts that the entries add.
pub fn added(entries: &[StoredEntry]) -> BTreeSet<AccountId> {
    let added = entries.iter().filter(|stored| stored.entry.envelope.kind == Kind::MembersAdded);
    let bodies =
        added.filter_map(|stored| serde_json::from_slice::<AccountsBody>(stored.entry.body.as_deref()?).ok());
    bodies.flat_map(|body| body.accounts).collect()
}

/// Takes the next entries, contiguous, into the state; answers what else follows from them.
///
/// # Errors
/// If an entry is not the next one; the state is then of no use any more.
pub fn fold(state: &mut State, prior: Prior, entries: &[StoredEntry]) -> Result<Changes, Disorder> {
    let mut folding = Folding { state, prior, changes: Changes::default() };
    for stored in entries {
        folding.apply(stored)?;
    }
    Ok(folding.changes)
}

fn points_at(envelope: &Envelope) -> bool {
    matches!(envelope.kind, Kind::Edit | Kind::Delete | Kind::Reaction)
        && envelope.target.is_some_and(|target| target < envelope.seq)
}

/// Whether the marks are already those after a message.
fn knows(marks: &Marks, seq: u64) -> bool {
    marks.sent.max(marks.read).max(marks.mentions.last().copied().unwrap_or(0)) >= seq
}

/// Whether the state is already that after an entry which points at its message.
fn is_applied(state: &MessageState, envelope: &Envelope) -> bool {
    match envelope.kind {
        Kind::Edit => state.edits.contains(&envelope.seq),
        Kind::Reaction => state.reacted >= envelope.seq,
        _ => state.deleted > 0,
    }
}

struct Folding<'s> {
    state: &'s mut State,
    prior: Prior,
    changes: Changes,
}

impl Folding<'_> {
    fn apply(&mut self, stored: &StoredEntry) -> Result<(), Disorder> {
        let envelope = &stored.entry.envelope;
        let head = self.state.summary.head;
        if envelope.seq != head + 1 {
            return Err(Disorder { seq: envelope.seq, head });
        }
        self.state.summary.apply(envelope);
        match envelope.kind {
            Kind::Message => self.follow_message(envelope),
            Kind::Edit | Kind::Delete | Kind::Reaction => self.point_at(&stored.entry),
            Kind::Set => self.set_own_value(envelope.seq, stored.set.as_ref()),
            _ => self.change_membership(&stored.entry),
        }
        Ok(())
    }

    /// A message changes the marks of its author and of those whom it mentions.
    fn follow_message(&mut self, envelope: &Envelope) {
        let mut accounts = BTreeSet::from([envelope.author]);
        for mention in &envelope.mentions {
            match mention.who {
                Mentioned::Account(account) => drop(accounts.insert(account)),
                Mentioned::All => accounts.extend(self.state.members.keys()),
            }
        }
        for account in accounts {
            let row = self.state.members.get_mut(&account);
            let Some(row) = row.filter(|row| row.standing.role.is_some() && !knows(&row.marks, envelope.seq))
            else {
                continue;
            };
            let before = row.marks.mentions.len();
            row.marks.apply(account, envelope);
            if account == envelope.author {
                self.changes.sent.insert(account);
            }
            if row.marks.mentions.len() != before {
                self.changes.mentions.insert(account, envelope.seq);
            }
        }
    }

    /// Keeps the state of the message that the entry points at, and hides what it deletes.
    fn point_at(&mut self, entry: &Entry) {
        let seq = entry.envelope.seq;
        let Some(target) = entry.envelope.target.filter(|_| points_at(&entry.envelope)) else {
            return;
        };
        let known = self.changes.messages.remove(&target).map(|(state, _)| state);
        let mut state = known.or_else(|| self.prior.messages.remove(&target)).unwrap_or_default();
        if !is_applied(&state, &entry.envelope) {
            state.apply(entry);
        }
        if entry.envelope.kind == Kind::Delete {
            self.changes.hidden.entry(target).or_insert(seq);
        }
        if state.deleted > 0 {
            for edit in &state.edits {
                self.changes.hidden.entry(*edit).or_insert(seq);
            }
        }
        self.changes.messages.insert(target, (state, seq));
    }

    fn set_own_value(&mut self, seq: u64, set: Option<&SetKey>) {
        let Some(SetKey { key, is_null }) = set else {
            return;
        };
        let before = self.changes.own_values.get(key).or_else(|| self.prior.own_values.get(key));
        // An entry that is folded again finds itself.
        if let Some(before) = before.filter(|before| before.seq < seq) {
            self.changes.hidden.insert(before.seq, seq);
        }
        self.changes.own_values.insert(key.clone(), OwnValue { seq, is_null: *is_null });
    }

    /// Follows an entry about members and settings; entries of unknown kinds change nothing.
    fn change_membership(&mut self, entry: &Entry) {
        let seq = entry.envelope.seq;
        let after = match (entry.envelope.kind, &self.state.membership) {
            (Kind::Created, None) => Membership::created(entry),
            (_, Some(before)) => {
                let mut after = before.clone();
                after.apply(entry).then_some(after)
            }
            (_, None) => None,
        };
        let Some(after) = after else {
            return;
        };
        let before = self.state.membership.take();
        self.change_standings(seq, before.as_ref(), &after);
        self.state.membership = Some(after);
        self.changes.membership = Some(seq);
        if entry.envelope.kind == Kind::AuthorErased {
            self.changes.erased_authors.push((entry.envelope.author, seq));
        }
    }

    fn change_standings(&mut self, seq: u64, before: Option<&Membership>, after: &Membership) {
        for member in &after.members {
            if before.and_then(|before| before.member(member.account)) == Some(member) {
                continue;
            }
            let account = member.account;
            let marks = self.state.members.remove(&account).map(|row| row.marks);
            let marks = marks.or_else(|| self.prior.marks.remove(&account)).unwrap_or_default();
            let standing = Standing {
                role: Some(member.role),
                own: after.header.kind == ConversationKind::Own,
                floor: member.floor(),
                joined_ordinal: member.joined_ordinal,
                left: None,
            };
            self.state.members.insert(account, MemberRow { standing, marks });
            self.changes.standings.insert(account, seq);
        }
        let left = before.map_or(&[][..], |before| &before.members).iter();
        for member in left.filter(|member| after.member(member.account).is_none()) {
            let row = self.state.members.entry(member.account).or_default();
            row.standing.role = None;
            row.standing.left = Some(self.state.summary);
            row.marks.leave();
            self.changes.standings.insert(member.account, seq);
            self.changes.mentions.insert(member.account, seq);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use suda_domain::ports::contract::chat::Chat;

    use super::*;

    /// A group in which a message is edited, reacted to and deleted, and everybody is mentioned.
    fn entries() -> Vec<StoredEntry> {
        let mut chat = Chat::new("folded");
        let entries = [
            chat.created("ada", &["ada", "bob", "cleo"], json!({})),
            chat.message("ada", "one"),
            chat.message("ada", "two"),
            chat.edit("ada", 2, "uno"),
            chat.react("bob", 2, Some("\u{1F44D}")),
            chat.edit("ada", 3, "dos"),
            chat.delete("ada", 3),
            chat.react("bob", 2, None),
            chat.mentioning("ada", Mentioned::All),
            chat.accounts("ada", Kind::MemberRemoved, &["cleo"]),
            chat.mentioning("ada", Mentioned::All),
        ];
        entries.into_iter().map(|entry| StoredEntry::new(entry).expect("storable")).collect()
    }

    fn prior(changes: &Changes) -> Prior {
        let messages = changes.messages.iter().map(|(seq, (state, _))| (*seq, state.clone()));
        Prior { messages: messages.collect(), own_values: changes.own_values.clone(), ..Prior::default() }
    }

    #[test]
    fn what_follows_is_the_same_one_by_one_and_together() {
        let entries = entries();
        let mut whole = State::default();
        let together = fold(&mut whole, Prior::default(), &entries).expect("in order");
        let (mut state, mut known) = (State::default(), Changes::default());
        for entry in &entries {
            let changes = fold(&mut state, prior(&known), std::slice::from_ref(entry)).expect("in order");
            known.messages.extend(changes.messages);
            known.hidden.extend(changes.hidden);
        }
        assert_eq!((state.summary, &state.membership), (whole.summary, &whole.membership));
        assert_eq!(state.members, whole.members);
        assert_eq!((known.messages, &known.hidden), (together.messages, &together.hidden));
        assert_eq!(known.hidden.into_keys().collect::<Vec<_>>(), [3, 6], "a message goes with its edits");
    }

    /// Whoever loads a conversation whose writer died finds some of the rows that follow from entries beyond the summary.
    #[test]
    fn what_was_written_before_a_crash_is_not_counted_twice() {
        let entries = entries();
        let mut whole = State::default();
        let written = fold(&mut whole, Prior::default(), &entries).expect("in order");
        for stored in 2..entries.len() {
            let mut state = State::default();
            fold(&mut state, Prior::default(), &entries[..stored]).expect("in order");
            for (account, row) in &mut state.members {
                row.marks = whole.members[account].marks.clone();
            }
            let again = fold(&mut state, prior(&written), &entries[stored..]).expect("in order");
            for (target, (message, _)) in &again.messages {
                assert_eq!(message, &written.messages[target].0, "message {target} beyond {stored}");
            }
            assert_eq!(state.members, whole.members, "rows beyond {stored}");
        }
    }

    #[test]
    fn a_value_hides_the_one_before_it_and_never_itself() {
        let mut chat = Chat::new("own");
        let ada = chat.message("ada", "").envelope.author;
        let mut chat = Chat::with_id(suda_proto::ConversationId::own(ada));
        let created = chat.entry("ada", Kind::Created, None, Some(json!({"kind": "self", "members": [ada]})));
        let set = [chat.set("ada", "pin/a", json!(1)), chat.set("ada", "pin/a", json!(null))];
        let entries = std::iter::once(created).chain(set);
        let entries: Vec<_> = entries.map(|entry| StoredEntry::new(entry).expect("storable")).collect();
        let first = fold(&mut State::default(), Prior::default(), &entries).expect("in order");
        assert_eq!(first.own_values["pin/a"], OwnValue { seq: 3, is_null: true });
        assert_eq!(first.hidden, BTreeMap::from([(2, 3)]));
        let again = fold(&mut State::default(), prior(&first), &entries).expect("in order");
        assert!(!again.hidden.contains_key(&3), "an entry that is folded again finds itself");
    }
}
