//! From a record of the log to the rows that it changes, with the rules of `suda-domain`.
//!
//! The same code runs behind every commit and in every replay. A replay meets bodies that were
//! erased meanwhile; whatever follows from those was overtaken by the entry that erased them.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use bytes::Bytes;
use foldhash::fast::RandomState;
use serde::Serialize;
use suda_domain::entry::{Entry, Envelope};
use suda_domain::membership::Membership;
use suda_domain::message::MessageState;
use suda_domain::receipts::{Marks, Summary};
use suda_domain::stored::Stored;
use suda_proto::entry::ConversationKind;
use suda_proto::{AccountId, ConversationId, Kind, Mentioned};

use super::hot::Hot;
use super::locations::Place;
use super::tables::{
    self, AuthorErasure, Hidden, Key, MemberRow, RunRow, Sequence, Value, erasing_author_key, erasing_key,
    hidden_key, member_key, membership_key, message_key, own_value_key, run_key, summary_key,
};
use super::view::View;
use super::{Index, IndexError};
use crate::log::{Body, CommittedGroup, Run};
use crate::records::{self, Header, SetKey};

/// Rows that are being changed, over those that there are.
pub struct Changes<'i> {
    index: &'i Index,
    hot: &'i mut Hot,
    /// Opened once something is not remembered.
    view: Option<View<'i>>,
    pub(super) rows: HashMap<Key, Option<Value>, RandomState>,
    /// The highest time of an entry among them.
    pub(super) latest: u64,
    /// Whether there is something new to erase.
    pub(super) erases: bool,
    /// Where new entries are.
    pub(super) located: Vec<(ConversationId, u64, Place)>,
    /// When conversations were touched.
    pub(super) touched: Vec<(ConversationId, u64)>,
    /// Bytes of the log that the changes come from.
    pub(super) log_bytes: u64,
    /// The last segment of which all runs are known with them.
    pub(super) merged: Option<u32>,
}

impl Index {
    /// Takes over a group that was just committed.
    pub fn apply_committed(&self, group: &CommittedGroup) -> Result<(), IndexError> {
        self.change(Some(group.end), |changes| {
            for append in &group.appends {
                for (record, position) in append.records.iter().zip(&append.positions) {
                    let header = records::decode(record.kind, &record.header)?;
                    let place = Place { position: *position, length: record.encoded_length() };
                    changes.log_bytes += u64::from(place.length);
                    if let Header::Entry { conversation, envelope, .. } = &header {
                        changes.located.push((*conversation, envelope.seq, place));
                    }
                    let body = match record.body.is_empty() {
                        true => Body::Empty,
                        false => Body::Intact(record.body.clone()),
                    };
                    changes.apply(header, body)?;
                }
            }
            Ok(())
        })
    }

    /// Takes over some runs of a sorted file; `merged` is its last segment once these are the last.
    pub fn apply_runs(&self, runs: &[Run], merged: Option<u32>) -> Result<(), IndexError> {
        self.change(None, |changes| {
            runs.iter().for_each(|run| changes.put_run(run));
            changes.merged = merged;
            Ok(())
        })
    }
}

impl<'i> Changes<'i> {
    pub(super) fn new(index: &'i Index, hot: &'i mut Hot) -> Self {
        let (view, rows, located) = (None, HashMap::default(), Vec::new());
        Self {
            index,
            hot,
            view,
            rows,
            latest: 0,
            erases: false,
            located,
            touched: Vec::new(),
            log_bytes: 0,
            merged: None,
        }
    }

    /// One row as it is with the changes.
    pub fn get<T: Stored>(&mut self, key: &[u8]) -> Result<Option<T>, IndexError> {
        match self.rows.get(key) {
            Some(value) => Ok(value.as_deref().map(T::decode).transpose()?),
            None => match &mut self.view {
                Some(view) => view.get(key),
                none => none.insert(self.index.view()?).get(key),
            },
        }
    }

    /// Sets a row.
    pub fn put<T: Stored>(&mut self, key: Key, value: &T) {
        self.forget_value(&key);
        self.rows.insert(key, Some(value.encode().as_slice().into()));
    }

    /// Sets a row of which the value is remembered, too.
    fn put_postcard<T: Stored + Serialize>(&mut self, key: Key, value: &T) {
        self.rows.insert(key, Some(encode_postcard(value)));
    }

    /// Rows that are remembered as values are changed with these values only.
    fn forget_value(&mut self, key: &[u8]) {
        if tables::is_remembered(key) {
            self.hot.clear();
        }
    }

    /// Removes a row.
    pub fn delete(&mut self, key: Key) {
        self.forget_value(&key);
        match self.rows.entry(key) {
            Slot::Occupied(mut slot) => drop(slot.insert(None)),
            Slot::Vacant(slot) => drop(slot.insert(None)),
        }
    }

    pub(super) fn put_run(&mut self, run: &Run) {
        if run.count > 0 {
            let key = run_key(ConversationId::from_bytes(run.key), run.first);
            let Run { file, offset, bytes, count, .. } = *run;
            self.put(key, &RunRow { file, offset, bytes, count });
        }
    }

    pub(super) fn apply(&mut self, header: Header, body: Body<Bytes>) -> Result<(), IndexError> {
        match header {
            Header::Marks { conversation, account, marks } => {
                self.advance_marks(conversation, account, &marks)
            }
            Header::Entry { conversation, envelope, set } => {
                if body == Body::Erased {
                    self.put(hidden_key(conversation, envelope.seq), &Hidden);
                }
                let entry = Entry { envelope, body: body.intact() };
                self.apply_entry(conversation, &entry, set)
            }
        }
    }

    fn apply_entry(
        &mut self,
        conversation: ConversationId,
        entry: &Entry,
        set: Option<SetKey>,
    ) -> Result<(), IndexError> {
        let envelope = &entry.envelope;
        let key = summary_key(conversation);
        let mut summary: Summary = match self.hot.summaries.get(&conversation) {
            Some(summary) => *summary,
            None => self.get(&key)?.unwrap_or_default(),
        };
        if envelope.seq != summary.head + 1 {
            return Err(IndexError::Disorder { conversation, seq: envelope.seq, head: summary.head });
        }
        summary.apply(envelope);
        self.latest = self.latest.max(envelope.at);
        self.hot.summaries.insert(conversation, summary);
        self.touched.push((conversation, summary.at));
        self.put_postcard(key, &summary);
        match envelope.kind {
            Kind::Message => self.follow_message(conversation, envelope),
            Kind::Edit | Kind::Delete | Kind::Reaction => self.point_at(conversation, entry),
            Kind::Set => self.set_own_value(conversation, envelope.seq, set),
            _ => self.change_membership(conversation, entry, &summary),
        }
    }

    fn advance_marks(
        &mut self,
        conversation: ConversationId,
        account: AccountId,
        marks: &Marks,
    ) -> Result<(), IndexError> {
        self.change_member(conversation, account, |row| row.marks.advance(marks))
    }

    /// Changes the row of somebody who is or was a member; nobody else has one.
    fn change_member(
        &mut self,
        conversation: ConversationId,
        account: AccountId,
        change: impl FnOnce(&mut MemberRow),
    ) -> Result<(), IndexError> {
        let key = member_key(account, conversation);
        let id = (account, conversation);
        if self.hot.members.get(&id).is_none() {
            let row = self.get::<MemberRow>(&key)?;
            self.hot.members.insert(id, row);
        }
        if let Some(Some(row)) = self.hot.members.get(&id) {
            change(row);
            let value = encode_postcard(row);
            self.rows.insert(key, Some(value));
        }
        Ok(())
    }

    /// A message changes the marks of its author and of those whom it mentions; nobody else's
    /// row is touched, however many members there are.
    fn follow_message(
        &mut self,
        conversation: ConversationId,
        envelope: &Envelope,
    ) -> Result<(), IndexError> {
        if envelope.mentions.is_empty() {
            return self.follow_message_as(envelope.author, conversation, envelope);
        }
        let mut accounts = vec![envelope.author];
        for mention in &envelope.mentions {
            match mention.who {
                Mentioned::Account(account) => accounts.push(account),
                Mentioned::All => {
                    let membership = self.membership(conversation)?;
                    accounts.extend(membership.members.iter().map(|member| member.account));
                }
            }
        }
        accounts.sort_unstable();
        accounts.dedup();
        for account in accounts {
            self.follow_message_as(account, conversation, envelope)?;
        }
        Ok(())
    }

    fn follow_message_as(
        &mut self,
        account: AccountId,
        conversation: ConversationId,
        envelope: &Envelope,
    ) -> Result<(), IndexError> {
        self.change_member(conversation, account, |row| {
            if row.role.is_some() {
                row.marks.apply(account, envelope);
            }
        })
    }

    /// Keeps the state of the message that the entry points at, and hides what it deletes.
    fn point_at(&mut self, conversation: ConversationId, entry: &Entry) -> Result<(), IndexError> {
        let seq = entry.envelope.seq;
        let Some(target) = entry.envelope.target.filter(|target| *target < seq) else {
            return Ok(());
        };
        let key = message_key(conversation, target);
        let mut state: MessageState = self.get(&key)?.unwrap_or_default();
        state.apply(entry);
        self.put(key, &state);
        if entry.envelope.kind == Kind::Delete {
            self.hide(conversation, target)?;
        }
        if state.deleted > 0 {
            for edit in state.edits {
                self.hide(conversation, edit)?;
            }
        }
        Ok(())
    }

    /// Lets an entry's body read as `None` from now on, and be erased.
    fn hide(&mut self, conversation: ConversationId, seq: u64) -> Result<(), IndexError> {
        let key = hidden_key(conversation, seq);
        if self.get::<Hidden>(&key)?.is_none() {
            self.put(key, &Hidden);
            self.rows.insert(erasing_key(conversation, seq), Some(Value::default()));
            self.erases = true;
        }
        Ok(())
    }

    fn set_own_value(
        &mut self,
        conversation: ConversationId,
        seq: u64,
        set: Option<SetKey>,
    ) -> Result<(), IndexError> {
        let Some(SetKey { key, is_null }) = set else {
            return Ok(());
        };
        let key = own_value_key(conversation, &key);
        if let Some(Sequence(before)) = self.get(&key)? {
            self.hide(conversation, before)?;
        }
        match is_null {
            true => self.delete(key),
            false => self.put(key, &Sequence(seq)),
        }
        Ok(())
    }

    fn membership(&mut self, conversation: ConversationId) -> Result<Membership, IndexError> {
        let membership = self.get(&membership_key(conversation))?;
        membership.ok_or(IndexError::Missing { conversation, what: "the membership" })
    }

    /// Follows an entry about members and settings; entries of unknown kinds change nothing.
    fn change_membership(
        &mut self,
        conversation: ConversationId,
        entry: &Entry,
        summary: &Summary,
    ) -> Result<(), IndexError> {
        let before: Option<Membership> = self.get(&membership_key(conversation))?;
        let after = match (entry.envelope.kind, &before) {
            (Kind::Created, None) => Membership::created(entry),
            (_, Some(before)) => {
                let mut after = before.clone();
                after.apply(entry).then_some(after)
            }
            (_, None) => None,
        };
        let Some(after) = after else {
            return Ok(());
        };
        self.put(membership_key(conversation), &after);
        self.change_member_rows(conversation, before.as_ref(), &after, summary)?;
        if entry.envelope.kind == Kind::AuthorErased {
            let key = erasing_author_key(conversation, entry.envelope.author);
            let end = entry.envelope.seq;
            self.put(key, &AuthorErasure { next: 1, end });
            self.erases = true;
        }
        Ok(())
    }

    /// Rewrites the rows of those whose membership changed.
    fn change_member_rows(
        &mut self,
        conversation: ConversationId,
        before: Option<&Membership>,
        after: &Membership,
        summary: &Summary,
    ) -> Result<(), IndexError> {
        for member in &after.members {
            let unchanged = before.and_then(|before| before.member(member.account));
            if unchanged == Some(member) {
                continue;
            }
            let key = member_key(member.account, conversation);
            let marks = self.get::<MemberRow>(&key)?.map_or_else(Marks::default, |row| row.marks);
            let row = MemberRow {
                role: Some(member.role),
                own: after.header.kind == ConversationKind::Own,
                floor: member.floor(),
                joined_ordinal: member.joined_ordinal,
                left: None,
                marks,
            };
            self.put_postcard(key, &row);
            self.hot.members.insert((member.account, conversation), Some(row));
        }
        for member in before.map_or(&[][..], |before| &before.members) {
            if after.member(member.account).is_none() {
                self.change_member(conversation, member.account, |row| {
                    row.role = None;
                    row.marks.leave();
                    row.left = Some(*summary);
                })?;
            }
        }
        Ok(())
    }
}

/// The stored form of a value of which that is postcard: the same bytes as [`Stored::encode`]
/// makes, mostly without an allocation.
fn encode_postcard<T: Stored + Serialize>(value: &T) -> Value {
    let mut buffer = [0; 256];
    buffer[0] = T::VERSION;
    match postcard::to_slice(value, &mut buffer[1..]).map(|used| used.len()) {
        Ok(length) => buffer[..=length].as_ref().into(),
        // Too long for the buffer.
        Err(_) => value.encode().as_slice().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_stored_form() {
        let summary = Summary { head: 300, ordinal: 299, at: 1 << 40, last_message: 300 };
        assert_eq!(encode_postcard(&summary).as_ref(), summary.encode());
        for mentions in [0, 3, 100] {
            let marks = Marks { mentions: (1_000..1_000 + mentions).collect(), ..Marks::default() };
            let row = MemberRow { left: Some(summary), marks, ..MemberRow::default() };
            assert_eq!(encode_postcard(&row).as_ref(), row.encode());
        }
    }
}
