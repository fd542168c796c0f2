//! Reading conversations: the index says where the entries are and what follows from them, the
//! log has the entries.
//!
//! Each read of a row sees the newest, so rows that belong together are read by way of a head
//! that is read first: whatever stands above it is not looked at.

use std::sync::atomic::Ordering;
use suda_domain::entry::{Entry, Envelope};
use suda_domain::membership::Membership;
use suda_domain::message::MessageState;
use suda_domain::ports::Failure;
use suda_domain::ports::log::{Loaded, Piece, Wanted};
use suda_domain::receipts::Summary;
use suda_domain::stored::Stored;
use suda_proto::{ConversationId, Kind};

use crate::conversation_log::Core;
use crate::entries::{Entries, Found};
use crate::index::IndexError;
use crate::index::tables::{
    Hidden, MemberRow, Sequence, hidden_key, member_key, membership_key, message_key, name_of_own_value,
    own_value_key, own_values_end, seq_of, summary_key,
};
use crate::index::view::View;
use crate::log::{Body, ReadError};

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
        self.entries().visit::<Failure>(view, conversation, from, summary.head, |_, found| {
            envelopes.push(found.envelope);
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
        self.entries().visit::<Failure>(&mut view, conversation, from, to, |view, found| {
            let entry = shown(view, conversation, &membership, found)?;
            bytes += entry.body.as_ref().map_or(0, |body| body.len());
            let fits = entries.is_empty() || bytes <= most_bytes;
            if fits {
                entries.push(entry);
            }
            Ok(fits && bytes < most_bytes)
        })?;
        Ok(entries)
    }

    fn entries(&self) -> Entries<'_> {
        Entries { log: &self.log, index: &self.index }
    }

    /// See [`suda_domain::ports::Log::pieces`].
    pub(crate) fn pieces(&self, wanted: &[Wanted]) -> Result<Vec<Piece>, Failure> {
        let piece = |wanted: &Wanted| {
            let Wanted { conversation, from, to, most_bytes } = *wanted;
            let entries = self.read(conversation, from, to, most_bytes)?;
            let states = match (entries.first(), entries.last()) {
                (Some(first), Some(last)) => {
                    self.message_states(conversation, first.envelope.seq, last.envelope.seq)?
                }
                _ => Vec::new(),
            };
            Ok(Piece { entries, states })
        };
        wanted.iter().map(piece).collect()
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

/// An entry as readers may see it.
fn shown(
    view: &mut View<'_>,
    conversation: ConversationId,
    membership: &Membership,
    found: Found,
) -> Result<Entry, Failure> {
    let Found { envelope, body, is_hidden, .. } = found;
    let is_kept = !is_hidden && !is_erased(membership, &envelope);
    let body = match body {
        Body::Intact(body) if is_kept => Some(body),
        Body::Damaged if is_kept => {
            // It may have been deleted since it was looked for, and be erased this instant.
            let is_hidden = view.get::<Hidden>(&hidden_key(conversation, envelope.seq))?.is_some();
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
impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io { .. } | ReadError::SortedIo { .. } => Self::unavailable(error),
            other => Self::Damaged(other.to_string()),
        }
    }
}
