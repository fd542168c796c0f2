//! Reading conversations: the index says where the entries are and what follows from them, the
//! log has the entries.
//!
//! Each read of a row sees the newest, so rows that belong together are read by way of a head
//! that is read first: whatever stands above it is not looked at.

use bytes::Bytes;
use std::sync::atomic::Ordering;
use suda_domain::entry::{Entry, Envelope};
use suda_domain::membership::Membership;
use suda_domain::message::MessageState;
use suda_domain::ports::Failure;
use suda_domain::ports::log::Loaded;
use suda_domain::receipts::Summary;
use suda_domain::stored::Stored;
use suda_proto::{ConversationId, Kind};

use crate::conversation_log::Core;
use crate::index::IndexError;
use crate::index::tables::{
    EntryRow, MemberRow, Sequence, entry_key, member_key, membership_key, message_key, name_of_own_value,
    own_value_key, own_values_end, seq_of, summary_key,
};
use crate::index::view::View;
use crate::log::{Body, ReadError};
use crate::records::{self, Header};

/// Rows read at once.
const CHUNK: u64 = 256;
/// How often a conversation is read again because it changed meanwhile.
const MOST_LOADS: u32 = 16;

impl Core {
    /// See [`suda_domain::ports::Log::load`].
    pub(crate) fn load(&self, conversation: ConversationId, recent: u32) -> Result<Option<Loaded>, Failure> {
        let mut view = self.index.view()?;
        let key = summary_key(conversation);
        let mut summary: Option<Summary> = view.get(&key)?;
        for _ in 0..MOST_LOADS {
            let Some(before) = summary else {
                return Ok(None);
            };
            let loaded = self.load_at(&mut view, conversation, before, recent)?;
            summary = view.get(&key)?;
            if summary == Some(before) {
                return Ok(Some(loaded));
            }
        }
        Err(Failure::unavailable("the conversation keeps changing"))
    }

    fn load_at(
        &self,
        view: &mut View<'_>,
        conversation: ConversationId,
        summary: Summary,
        recent: u32,
    ) -> Result<Loaded, Failure> {
        let membership = membership(view, conversation)?;
        let mut marks = Vec::new();
        for member in &membership.members {
            let row: Option<MemberRow> = view.get(&member_key(member.account, conversation))?;
            let row = row.unwrap_or_default();
            if row.marks != Default::default() {
                marks.push((member.account, row.marks));
            }
        }
        let from = summary.head - summary.head.min(u64::from(recent)) + 1;
        let mut envelopes = Vec::new();
        self.visit(view, conversation, from, summary.head, |_, row| {
            envelopes.push(self.record(row)?.0);
            Ok(true)
        })?;
        Ok(Loaded {
            epoch: self.epoch.load(Ordering::Acquire),
            summary,
            membership,
            marks,
            recent: envelopes,
        })
    }

    /// See [`suda_domain::ports::Log::own_values`].
    pub(crate) fn own_values(
        &self,
        conversation: ConversationId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(String, u64)>, Failure> {
        let from = match after {
            Some(after) => own_value_key(conversation, &format!("{after}\0")),
            None => own_value_key(conversation, ""),
        };
        let to = own_values_end(conversation);
        let rows = self.index.view()?.range(&from, &to, limit as usize)?;
        let named = rows.iter().map(|(key, value)| {
            let Sequence(seq) = Sequence::decode(value).map_err(IndexError::from)?;
            let what = "the name of a value";
            let missing = IndexError::Missing { conversation, what };
            Ok((name_of_own_value(key).ok_or(missing)?, seq))
        });
        named.collect()
    }

    /// See [`suda_domain::ports::Log::read`].
    pub(crate) fn read(
        &self,
        conversation: ConversationId,
        from: u64,
        to: u64,
        most_bytes: usize,
    ) -> Result<Vec<Entry>, Failure> {
        let mut view = self.index.view()?;
        let Some(summary) = view.get::<Summary>(&summary_key(conversation))? else {
            return Ok(Vec::new());
        };
        let membership = membership(&mut view, conversation)?;
        let (from, to) = (from.max(1), to.min(summary.head));
        let (mut entries, mut bytes) = (Vec::new(), 0);
        self.visit(&mut view, conversation, from, to, |view, row| {
            let entry = self.entry(view, conversation, &membership, row)?;
            bytes += entry.body.as_ref().map_or(0, |body| body.len());
            let fits = entries.is_empty() || bytes <= most_bytes;
            if fits {
                entries.push(entry);
            }
            Ok(fits && bytes < most_bytes)
        })?;
        Ok(entries)
    }

    /// Calls `visit` with the rows of the entries `from..=to` until it answers `false`.
    fn visit(
        &self,
        view: &mut View<'_>,
        conversation: ConversationId,
        from: u64,
        to: u64,
        mut visit: impl FnMut(&mut View<'_>, &EntryRow) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let mut next = from;
        while next <= to {
            let end = to.min(next + CHUNK - 1);
            let (first, last) = (entry_key(conversation, next), entry_key(conversation, end));
            let rows = view.range(&first, &last, CHUNK as usize)?;
            if rows.len() as u64 != end - next + 1 {
                let what = "an entry";
                return Err(IndexError::Missing { conversation, what }.into());
            }
            for (_, value) in rows {
                let row = EntryRow::decode(&value).map_err(IndexError::from)?;
                if !visit(view, &row)? {
                    return Ok(());
                }
            }
            next = end + 1;
        }
        Ok(())
    }

    /// An entry as readers may see it.
    fn entry(
        &self,
        view: &mut View<'_>,
        conversation: ConversationId,
        membership: &Membership,
        row: &EntryRow,
    ) -> Result<Entry, Failure> {
        let (envelope, body) = self.record(row)?;
        let body = match body {
            Body::Intact(body) if !row.hidden && !is_erased(membership, &envelope) => Some(body),
            Body::Damaged if !row.hidden && !is_erased(membership, &envelope) => {
                // It may have been deleted since its row was read, and be erased this instant.
                let row: Option<EntryRow> = view.get(&entry_key(conversation, envelope.seq))?;
                let is_hidden = row.is_some_and(|row| row.hidden);
                let membership = self::membership(view, conversation)?;
                if !is_hidden && !is_erased(&membership, &envelope) {
                    let what = format!("entry {} of conversation {conversation}", envelope.seq);
                    return Err(Failure::Damaged(what));
                }
                None
            }
            _ => None,
        };
        Ok(Entry { envelope, body })
    }

    fn record(&self, row: &EntryRow) -> Result<(Envelope, Body<Bytes>), Failure> {
        let record = self.log.read(row.position, row.length).map_err(unreadable)?;
        let header = records::decode(record.kind, &record.header).map_err(IndexError::from)?;
        match header {
            Header::Entry { envelope, .. } => Ok((envelope, record.body)),
            Header::Marks { .. } => Err(Failure::Damaged("an entry's record".to_owned())),
        }
    }

    /// See [`suda_domain::ports::Log::message_states`].
    pub(crate) fn message_states(
        &self,
        conversation: ConversationId,
        from: u64,
        to: u64,
    ) -> Result<Vec<(u64, MessageState)>, Failure> {
        let mut view = self.index.view()?;
        let (first, last) = (message_key(conversation, from), message_key(conversation, to));
        let rows = view.range(&first, &last, usize::MAX)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let membership = membership(&mut view, conversation)?;
        let mut states = Vec::with_capacity(rows.len());
        for (key, value) in rows {
            let mut state = MessageState::decode(&value).map_err(IndexError::from)?;
            if let Some(seq) = seq_of(&key) {
                let stands = |account: &_| membership.erased_at(*account, seq) == 0;
                state.reactions.retain(|account, _| stands(account));
                states.push((seq, state));
            }
        }
        Ok(states)
    }
}

fn membership(view: &mut View<'_>, conversation: ConversationId) -> Result<Membership, Failure> {
    let membership = view.get(&membership_key(conversation))?;
    let what = "the membership";
    Ok(membership.ok_or(IndexError::Missing { conversation, what })?)
}

/// Whether the entry's body went with everything that its author wrote.
fn is_erased(membership: &Membership, envelope: &Envelope) -> bool {
    let is_text = matches!(envelope.kind, Kind::Message | Kind::Edit | Kind::Reaction | Kind::Set);
    is_text && membership.erased_at(envelope.author, envelope.seq) > 0
}

/// What a read that found something unexpected means to a caller of the port.
fn unreadable(error: ReadError) -> Failure {
    match error {
        ReadError::Io { .. } => Failure::unavailable(error),
        other => Failure::Damaged(other.to_string()),
    }
}
