//! What follows from entries, read before they are folded and written after.
//!
//! Each cell is written with the sequence of the entry that it follows from as its time. So of two writers the one that knows
//! more wins, and whatever is written again changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{StreamExt, TryStreamExt};
use scylla::statement::batch::{Batch, BatchType};
use suda_domain::membership::Membership;
use suda_domain::ports::Failure;
use suda_domain::receipts::Marks;
use suda_domain::stored::{Stored, write_postcard};
use suda_proto::{AccountId, ConversationId};

use crate::committing::unavailable;
use crate::conversation_log::{AT_ONCE, Core};
use crate::erasing;
use crate::fold::{Changes, Prior, State, added, keys, targets};
use crate::rows::{Mark, Mentions, StoredEntry, bucket_of};
use crate::statements::{Bound, blob, boolean, bucket, id, number, text};

/// Most cells of one request: they stand in one partition.
const CELLS: usize = 64;

impl Core {
    /// Reads what the entries change.
    pub async fn prior(
        &self,
        conversation: ConversationId,
        entries: &[StoredEntry],
    ) -> Result<Prior, Failure> {
        let mut prior = Prior::default();
        for target in targets(entries) {
            let known = self.messages(conversation, target, target).await?;
            let states = known.into_iter().filter_map(|(seq, row)| Some((seq, row.state?)));
            prior.messages.extend(states);
        }
        for key in keys(entries) {
            let value = self.own_value(conversation, key).await?;
            prior.own_values.extend(value.map(|value| (key.to_owned(), value)));
        }
        for account in added(entries) {
            let row = self.member_row(account, conversation).await?;
            prior.marks.extend(row.map(|row| (account, row.marks)));
        }
        Ok(prior)
    }

    /// Writes what follows from entries that are folded: first what readers find by way of the summary, then the summary,
    /// then the members' lists.
    pub async fn write_changes(
        &self,
        conversation: ConversationId,
        state: &State,
        changes: &Changes,
    ) -> Result<(), Failure> {
        let before = self.message_cells(conversation, changes);
        self.write(before).await?;
        self.write(vec![self.conversation_cells(conversation, state, changes)]).await?;
        self.write(self.member_cells(conversation, state, changes)).await
    }

    /// Writes watermarks.
    pub async fn write_marks(
        &self,
        conversation: ConversationId,
        marks: &[(AccountId, Marks)],
    ) -> Result<(), Failure> {
        let statements = &self.statements;
        let cells = marks.iter().map(|(account, marks)| {
            let row = [id(account.0), id(conversation.0)];
            let read = Mark { seq: marks.read, ordinal: marks.read_ordinal };
            let all = [
                (&statements.inbox.set_delivered, marks.delivered, number(marks.delivered)),
                (&statements.inbox.set_read, marks.read, blob(read.encode())),
                (&statements.inbox.set_touched, marks.touched, number(marks.touched)),
            ];
            let moved = all.into_iter().filter(|(_, time, _)| *time > 0);
            moved.map(move |(statement, time, value)| {
                let mut values = vec![number(time), value];
                values.extend(row.clone());
                (statement.clone(), values)
            })
        });
        self.write(cells.map(Iterator::collect).collect()).await
    }

    fn message_cells(&self, conversation: ConversationId, changes: &Changes) -> Vec<Vec<Bound>> {
        let Changes { messages, hidden, own_values, erased_authors, .. } = changes;
        let statements = &self.statements;
        let mut buckets: BTreeMap<i32, Vec<Bound>> = BTreeMap::new();
        let place = |seq: u64| [id(conversation.0), bucket(bucket_of(seq)), number(seq)];
        for (target, (state, seq)) in messages {
            let mut values = vec![number(*seq), blob(state.encode())];
            values.extend(place(*target));
            buckets
                .entry(bucket_of(*target))
                .or_default()
                .push((statements.derived.set_state.clone(), values));
        }
        for (target, seq) in hidden {
            let mut values = vec![number(*seq)];
            values.extend(place(*target));
            buckets.entry(bucket_of(*target)).or_default().push((statements.derived.hide.clone(), values));
        }
        let mut cells: Vec<_> = buckets.into_values().collect();
        let values = own_values.iter().map(|(key, value)| {
            let row = [number(value.seq), boolean(value.is_null), id(conversation.0), text(key)];
            (
                statements.derived.set_own_value.clone(),
                std::iter::once(number(value.seq)).chain(row).collect(),
            )
        });
        cells.push(values.collect());
        let erasing = hidden.keys().map(|seq| (*seq, None));
        let erasing = erasing.chain(erased_authors.iter().map(|(author, seq)| (*seq, Some(author.0))));
        let shard = erasing::shard_of(conversation);
        cells.push(
            erasing
                .map(|(seq, author)| {
                    let author = author.and_then(id);
                    (
                        statements.erasing.add.clone(),
                        vec![shard.clone(), id(conversation.0), number(seq), author],
                    )
                })
                .collect(),
        );
        cells
    }

    fn conversation_cells(
        &self,
        conversation: ConversationId,
        state: &State,
        changes: &Changes,
    ) -> Vec<Bound> {
        let summary = vec![number(state.summary.head), blob(state.summary.encode()), id(conversation.0)];
        let mut cells = vec![(self.statements.derived.set_summary.clone(), summary)];
        if let (Some(seq), Some(membership)) = (changes.membership, &state.membership) {
            let values = vec![number(seq), blob(membership.encode()), id(conversation.0)];
            cells.push((self.statements.derived.set_membership.clone(), values));
        }
        cells
    }

    /// A row for every member, and for those who just left.
    fn member_cells(
        &self,
        conversation: ConversationId,
        state: &State,
        changes: &Changes,
    ) -> Vec<Vec<Bound>> {
        let members = state.members.iter().filter(|(_, row)| row.standing.role.is_some());
        let accounts: BTreeSet<AccountId> =
            members.map(|(account, _)| *account).chain(changes.standings.keys().copied()).collect();
        let summary = state.summary.encode();
        let header = changes.membership.zip(state.membership.as_ref().map(header));
        let statements = &self.statements;
        let cells = accounts.into_iter().filter_map(|account| {
            let row = state.members.get(&account)?;
            let mut cells = Vec::new();
            let mut set =
                |statement: &scylla::statement::prepared::PreparedStatement, time, value: Vec<u8>| {
                    let values = vec![number(time), blob(value), id(account.0), id(conversation.0)];
                    cells.push((statement.clone(), values));
                };
            if let Some(seq) = changes.standings.get(&account) {
                set(&statements.inbox.set_standing, *seq, row.standing.encode());
            }
            if let Some((seq, header)) = &header {
                set(&statements.inbox.set_header, *seq, header.clone());
            }
            if row.standing.role.is_some() {
                set(&statements.inbox.set_summary, state.summary.head, summary.clone());
            }
            if changes.sent.contains(&account) {
                let sent = Mark { seq: row.marks.sent, ordinal: row.marks.sent_ordinal };
                set(&statements.inbox.set_sent, sent.seq, sent.encode());
            }
            if let Some(seq) = changes.mentions.get(&account) {
                set(&statements.inbox.set_mentions, *seq, Mentions(row.marks.mentions.clone()).encode());
            }
            Some(cells)
        });
        cells.collect()
    }

    /// Writes cells, those of one partition together.
    pub async fn write(&self, partitions: Vec<Vec<Bound>>) -> Result<(), Failure> {
        let parts: Vec<Vec<Bound>> =
            partitions.iter().flat_map(|cells| cells.chunks(CELLS)).map(<[Bound]>::to_vec).collect();
        let writes = futures::stream::iter(parts).map(|cells| self.write_partition(cells));
        writes.buffer_unordered(AT_ONCE).try_collect().await
    }

    async fn write_partition(&self, cells: Vec<Bound>) -> Result<(), Failure> {
        if let [(statement, values)] = cells.as_slice() {
            let written = self.session.execute_unpaged(statement, values).await;
            return written.map(drop).map_err(unavailable);
        }
        let mut batch = Batch::new(BatchType::Unlogged);
        batch.set_is_idempotent(true);
        let mut all = Vec::with_capacity(cells.len());
        for (statement, values) in cells {
            batch.append_statement(statement);
            all.push(values);
        }
        self.session.batch(&batch, &all).await.map(drop).map_err(unavailable)
    }
}

/// What a member's list shows of the conversation: the front of the stored membership, with its version.
fn header(membership: &Membership) -> Vec<u8> {
    let mut header = vec![Membership::VERSION];
    write_postcard(&membership.header, &mut header);
    header
}
