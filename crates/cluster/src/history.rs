//! Reading conversations: entries from their partitions, cut at the summary, with what was erased left out.

use std::collections::BTreeMap;

use bytes::Bytes;
use scylla::statement::prepared::PreparedStatement;
use suda_domain::entry::{Entry, Envelope};
use suda_domain::membership::Membership;
use suda_domain::message::MessageState;
use suda_domain::ports::Failure;
use suda_domain::ports::log::{Piece, Wanted};
use suda_domain::receipts::Summary;
use suda_domain::stored::{Stored, StoredError};
use suda_proto::{ConversationId, Kind};

use crate::committing::unavailable;
use crate::conversation_log::Core;
use crate::fold::OwnValue;
use crate::rows::{SetKey, StoredEntry, bucket_end, bucket_of};

/// Most entries of one request.
const SLICE: u64 = 128;

/// Most own values of one request.
const VALUES: usize = 1_000;

/// A conversation's row: how far it has come, and who belongs to it.
pub(crate) type ConversationRow = (Summary, Option<Membership>);

/// A row of the table `entry`.
type EntryRow = (i64, Option<Vec<u8>>, Option<Vec<u8>>, Option<String>, Option<bool>);

/// A row of the table `message`.
#[derive(Default)]
pub(crate) struct MessageRow {
    pub state: Option<MessageState>,
    pub is_hidden: bool,
}

impl Core {
    /// A conversation's row; `None` where nothing was ever derived.
    pub async fn conversation_row(
        &self,
        conversation: ConversationId,
    ) -> Result<Option<ConversationRow>, Failure> {
        let statement = &self.statements.derived.conversation;
        let answer = self.session.execute_unpaged(statement, (conversation.0,)).await.map_err(unavailable)?;
        let rows = answer.into_rows_result().map_err(Failure::unavailable)?;
        let row = rows.maybe_first_row::<(Option<Vec<u8>>, Option<Vec<u8>>)>();
        let Some((Some(summary), membership)) = row.map_err(Failure::unavailable)? else {
            return Ok(None);
        };
        let membership = membership.map(|bytes| Membership::decode(&bytes)).transpose().map_err(damaged)?;
        Ok(Some((Summary::decode(&summary).map_err(damaged)?, membership)))
    }

    /// See [`suda_domain::ports::Log::pieces`].
    pub async fn piece(&self, wanted: Wanted) -> Result<Piece, Failure> {
        let Wanted { conversation, from, to, most_bytes } = wanted;
        let mut piece = Piece::default();
        let Some((summary, Some(membership))) = self.conversation_row(conversation).await? else {
            return Ok(piece);
        };
        let (mut from, to) = (from.max(1), to.min(summary.head));
        let mut bytes = 0;
        while from <= to {
            let most = if most_bytes == 0 { 1 } else { SLICE };
            let end = to.min(from.saturating_add(most - 1)).min(bucket_end(from) - 1);
            let entries = self.entries(conversation, from, end).await?;
            let mut messages = self.messages(conversation, from, end).await?;
            for StoredEntry { entry, .. } in entries {
                let seq = entry.envelope.seq;
                let row = messages.remove(&seq).unwrap_or_default();
                let entry = shown(&membership, entry, row.is_hidden);
                bytes += entry.body.as_ref().map_or(0, |body| body.len());
                if !piece.entries.is_empty() && bytes > most_bytes {
                    return Ok(piece);
                }
                piece.entries.push(entry);
                piece.states.extend(row.state.map(|state| (seq, standing(&membership, state, seq))));
                if bytes >= most_bytes {
                    return Ok(piece);
                }
            }
            from = end + 1;
        }
        Ok(piece)
    }

    /// See [`suda_domain::ports::Log::message_states`].
    pub async fn message_states(
        &self,
        conversation: ConversationId,
        from: u64,
        to: u64,
    ) -> Result<Vec<(u64, MessageState)>, Failure> {
        let mut states = Vec::new();
        let Some((summary, Some(membership))) = self.conversation_row(conversation).await? else {
            return Ok(states);
        };
        let (mut from, to) = (from.max(1), to.min(summary.head));
        while from <= to {
            let end = to.min(bucket_end(from) - 1);
            for (seq, row) in self.messages(conversation, from, end).await? {
                states.extend(row.state.map(|state| (seq, standing(&membership, state, seq))));
            }
            from = end + 1;
        }
        Ok(states)
    }

    /// See [`suda_domain::ports::Log::own_values`].
    pub async fn own_values(
        &self,
        conversation: ConversationId,
        after: &str,
        limit: usize,
    ) -> Result<Vec<(String, u64)>, Failure> {
        let (mut after, mut values) = (after.to_owned(), Vec::new());
        let statement = &self.statements.derived.own_values;
        while values.len() < limit {
            let bound = (conversation.0, after.as_str(), VALUES as i32);
            let answer = self.session.execute_unpaged(statement, bound).await.map_err(unavailable)?;
            let rows = answer.into_rows_result().map_err(Failure::unavailable)?;
            let mut count = 0;
            for row in rows.rows::<(String, i64, bool)>().map_err(Failure::unavailable)? {
                let (key, seq, is_null) = row.map_err(Failure::unavailable)?;
                count += 1;
                after.clone_from(&key);
                if !is_null && values.len() < limit {
                    values.push((key, seq as u64));
                }
            }
            if count < VALUES {
                break;
            }
        }
        Ok(values)
    }

    /// The newest value of a key.
    pub async fn own_value(
        &self,
        conversation: ConversationId,
        key: &str,
    ) -> Result<Option<OwnValue>, Failure> {
        let statement = &self.statements.derived.own_value;
        let answer = self.session.execute_unpaged(statement, (conversation.0, key)).await;
        let rows = answer.map_err(unavailable)?.into_rows_result().map_err(Failure::unavailable)?;
        let row = rows.maybe_first_row::<(i64, bool)>().map_err(Failure::unavailable)?;
        Ok(row.map(|(seq, is_null)| OwnValue { seq: seq as u64, is_null }))
    }

    /// The envelopes of a range that is committed.
    pub async fn envelopes(
        &self,
        conversation: ConversationId,
        from: u64,
        to: u64,
    ) -> Result<Vec<Envelope>, Failure> {
        let (mut from, mut envelopes) = (from.max(1), Vec::new());
        while from <= to {
            let end = to.min(bucket_end(from) - 1);
            let entries = self.entries(conversation, from, end).await?;
            envelopes.extend(entries.into_iter().map(|stored| stored.entry.envelope));
            from = end + 1;
        }
        Ok(envelopes)
    }

    /// Entries of one partition that are committed. A replica may have missed one: where there is a hole the replicas are
    /// asked what they agreed on.
    async fn entries(
        &self,
        conversation: ConversationId,
        from: u64,
        to: u64,
    ) -> Result<Vec<StoredEntry>, Failure> {
        let entries = self.entries_by(&self.statements.log.range, conversation, from, to).await?;
        if is_whole(&entries, from, to) {
            Ok(entries)
        } else {
            self.agreed_entries(conversation, from, to).await
        }
    }

    /// The same, as the replicas agree.
    pub async fn agreed_entries(
        &self,
        conversation: ConversationId,
        from: u64,
        to: u64,
    ) -> Result<Vec<StoredEntry>, Failure> {
        let entries = self.entries_by(&self.statements.log.agreed_range, conversation, from, to).await?;
        match is_whole(&entries, from, to) {
            true => Ok(entries),
            false => Err(Failure::Damaged(format!("entries {from} to {to} of conversation {conversation}"))),
        }
    }

    async fn entries_by(
        &self,
        statement: &PreparedStatement,
        conversation: ConversationId,
        from: u64,
        to: u64,
    ) -> Result<Vec<StoredEntry>, Failure> {
        let bound = (conversation.0, bucket_of(from), from as i64, to as i64);
        let rows = self.agreed(statement, &bound).await?;
        let rows = rows.rows::<EntryRow>().map_err(Failure::unavailable)?;
        rows.map(|row| stored_entry(row.map_err(Failure::unavailable)?)).collect()
    }

    /// What is known of the messages in a range of one partition.
    pub async fn messages(
        &self,
        conversation: ConversationId,
        from: u64,
        to: u64,
    ) -> Result<BTreeMap<u64, MessageRow>, Failure> {
        let bound = (conversation.0, bucket_of(from), from as i64, to as i64);
        let answer = self.session.execute_unpaged(&self.statements.derived.messages, bound).await;
        let rows = answer.map_err(unavailable)?.into_rows_result().map_err(Failure::unavailable)?;
        let mut messages = BTreeMap::new();
        for row in rows.rows::<(i64, Option<Vec<u8>>, Option<bool>)>().map_err(Failure::unavailable)? {
            let (seq, state, hidden) = row.map_err(Failure::unavailable)?;
            let state = state.map(|bytes| MessageState::decode(&bytes)).transpose().map_err(damaged)?;
            messages.insert(seq as u64, MessageRow { state, is_hidden: hidden == Some(true) });
        }
        Ok(messages)
    }
}

fn is_whole(entries: &[StoredEntry], from: u64, to: u64) -> bool {
    let seqs = entries.iter().map(|stored| stored.entry.envelope.seq);
    entries.len() as u64 == to + 1 - from && seqs.eq(from..=to)
}

fn stored_entry(row: EntryRow) -> Result<StoredEntry, Failure> {
    let (seq, envelope, body, key, is_null) = row;
    let missing = || Failure::Damaged(format!("entry {seq} has no envelope"));
    let envelope = Envelope::decode(&envelope.ok_or_else(missing)?).map_err(damaged)?;
    let set = key.map(|key| SetKey { key, is_null: is_null == Some(true) });
    Ok(StoredEntry { entry: Entry { envelope, body: body.map(Bytes::from) }, set })
}

/// An entry as readers may see it.
fn shown(membership: &Membership, entry: Entry, is_hidden: bool) -> Entry {
    let Entry { envelope, body } = entry;
    let is_kept = !is_hidden && !is_erased(membership, &envelope);
    Entry { body: body.filter(|_| is_kept), envelope }
}

/// Whether the entry's body went with everything that its author wrote.
fn is_erased(membership: &Membership, envelope: &Envelope) -> bool {
    is_text(envelope.kind) && membership.erased_at(envelope.author, envelope.seq) > 0
}

/// Whether a body of this kind is somebody's words.
pub(crate) const fn is_text(kind: Kind) -> bool {
    matches!(kind, Kind::Message | Kind::Edit | Kind::Reaction | Kind::Set)
}

/// A message's state without the reactions of those who were erased.
fn standing(membership: &Membership, mut state: MessageState, seq: u64) -> MessageState {
    state.reactions.retain(|account, _| membership.erased_at(*account, seq) == 0);
    state
}

/// What stored bytes that cannot be read mean to a caller of the port.
pub(crate) fn damaged(error: StoredError) -> Failure {
    Failure::Damaged(error.to_string())
}
