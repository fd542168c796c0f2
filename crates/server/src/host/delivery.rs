//! What follows a commit: acknowledgements, events to the members' sessions, merged receipts, typing.

use std::collections::BTreeSet;
use std::sync::Arc;

use suda_domain::entry::Entry;
use suda_domain::page;
use suda_domain::receipts::Marks as StoredMarks;
use suda_proto::event::{Event, ReadMark, TypingMember};
use suda_proto::{AccountId, Code, ConversationId, ErrorBody, Kind};

use super::hot::{Batch, Hot, State};
use super::pump::marked;
use super::shard::Shard;
use super::showing::{Moved, Shown, Told};
use crate::session::{Frame, Session};

/// A member's typing is passed on at most once in so many milliseconds.
const TYPING_MS: u64 = 1_000;

impl Shard {
    /// Tells everybody of a commit.
    pub(super) fn deliver(&mut self, id: ConversationId, batch: Batch) {
        let Some(State::Hot(hot)) = self.slots.get(&id).map(|slot| &slot.state) else {
            return;
        };
        let Batch { entries, sent, marked: reads, origin, .. } = batch;
        for (reply, sent) in sent {
            reply.send(Ok(sent));
        }
        if !entries.is_empty() {
            self.fan_out(id, hot, &entries, origin);
        }
        for read in reads {
            let answer = marked(&hot.conversation, read.account);
            let event = Event::Read(ReadMark {
                conversation: id,
                epoch: hot.conversation.epoch(),
                read: answer.read,
                unread: answer.unread,
                mentions: answer.mentions,
            });
            let frame = Frame::event(&event);
            self.surroundings
                .registry
                .each(read.account, |session| push_to_others(session, read.origin, &frame));
            read.reply.send(Ok(answer));
        }
    }

    /// One frame, encoded once, for every session of every member; those whose membership begins or ends within the
    /// batch get their own part.
    fn fan_out(&self, id: ConversationId, hot: &Hot, entries: &[Entry], origin: Option<u64>) {
        let membership = hot.conversation.membership();
        let registry = &self.surroundings.registry;
        let epoch = hot.conversation.epoch();
        let first = entries.first().map_or(0, |entry| entry.envelope.seq);
        let shared = frame(id, epoch, entries.iter());
        let joined_or_left = entries.iter().any(|entry| changes_members(entry.envelope.kind));
        for member in &membership.members {
            if joined_or_left && !member.sees(first) {
                let own = frame(id, epoch, entries.iter().filter(|entry| member.sees(entry.envelope.seq)));
                registry.each(member.account, |session| push_to_others(session, origin, &own));
            } else {
                registry.each(member.account, |session| push_to_others(session, origin, &shared));
            }
        }
        if !joined_or_left {
            return;
        }
        for former in &membership.former {
            let last = former.intervals.last();
            if let Some(last) = last.filter(|last| last.to >= first) {
                let own = frame(id, epoch, entries.iter().filter(|entry| last.contains(entry.envelope.seq)));
                registry.each(former.account, |session| {
                    push_to_others(session, origin, &own);
                    if let Some(place) = session.shut(id) {
                        self.surroundings.presence.stop(session, place);
                    }
                });
            }
        }
    }

    /// Tells those who look or wrote of marks that moved, and stores them.
    pub(super) fn tell_marks(&mut self) {
        for id in std::mem::take(&mut self.moved) {
            if let Some(State::Hot(hot)) = self.slots.get_mut(&id).map(|slot| &mut slot.state) {
                hot.marks_due = true;
                self.pump(id);
            }
        }
    }

    /// Tells of the marks that moved; answers them as they are to be stored.
    pub(super) fn tell_moved(&self, id: ConversationId, hot: &mut Hot) -> Vec<(AccountId, StoredMarks)> {
        hot.marks_due = false;
        let moved = std::mem::take(&mut hot.moved);
        let conversation = &hot.conversation;
        let mut authors: BTreeSet<AccountId> = BTreeSet::new();
        let mut marks = Vec::with_capacity(moved.len());
        for (account, Moved { before, who_may_see }) in moved {
            let now = conversation.member_marks(account);
            let from = before.delivered.min(before.read) + 1;
            authors.extend(conversation.authors(from, now.delivered.max(now.read)));
            marks.push((now, who_may_see));
        }
        let told = Told::new(id, conversation.epoch(), marks);
        for member in &conversation.membership().members {
            let is_author = authors.contains(&member.account);
            self.surroundings.registry.each(member.account, |session| {
                if is_author || session.has_open(id) {
                    session.push(told.frame(hot, session));
                }
            });
        }
        told.stored(hot)
    }

    /// Passes on that a member types, to those who have the conversation open.
    pub(super) fn pass_typing(
        &self,
        id: ConversationId,
        hot: &mut Hot,
        shown: Shown,
        typing: bool,
    ) -> Result<(), ErrorBody> {
        let account = shown.account;
        hot.conversation.member(account)?;
        if hot.conversation.blocked {
            return Err(Code::Blocked.error());
        }
        let now = self.surroundings.clock.now();
        let last = hot.typed.get(&account).copied().unwrap_or(0);
        if typing && now.saturating_sub(last) < TYPING_MS {
            return Ok(());
        }
        hot.typed.insert(account, now);
        let event = Event::Typing(TypingMember { conversation: id, account, typing });
        let frame = Frame::event(&event);
        for member in hot.conversation.membership().members.iter().filter(|member| member.account != account)
        {
            self.surroundings.registry.each(member.account, |session| {
                if session.has_open(id) && hot.shows(shown, session) {
                    session.push(frame.clone());
                }
            });
        }
        Ok(())
    }
}

fn frame<'a>(conversation: ConversationId, epoch: u32, entries: impl Iterator<Item = &'a Entry>) -> Frame {
    Frame::entries(conversation, epoch, entries.map(page::entry))
}

fn push_to_others(session: &Arc<Session>, origin: Option<u64>, frame: &Frame) {
    if origin != Some(session.id) {
        session.push(frame.clone());
    }
}

const fn changes_members(kind: Kind) -> bool {
    matches!(kind, Kind::Created | Kind::MembersAdded | Kind::MemberRemoved | Kind::MemberLeft)
}
