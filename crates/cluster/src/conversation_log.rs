//! Port [`Log`]: conversations' entries and state in Cassandra or ScyllaDB.
//!
//! Truth is the table `entry`; an append is one conditional batch there (`committing`). What follows from it is folded
//! (`fold`) and written plainly (`deriving`) before the append is acknowledged, the conversation's summary last but for the
//! members' lists. Readers look no further than that summary; so they see nothing of which something is still missing.
//! A node that dies in between leaves entries beyond the summary: whoever loads the conversation next takes them in.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::stream::{StreamExt, TryStreamExt};
use scylla::client::session::Session;
use suda_domain::entry::Entry;
use suda_domain::message::MessageState;
use suda_domain::ports::Failure;
use suda_domain::ports::log::{Append, AppendError, Loaded, Log, Piece, Wanted};
use suda_domain::receipts::Marks;
use suda_proto::{AccountId, ConversationId};
use uuid::Uuid;

use crate::erasing::Erasing;
use crate::fold::{State, fold};
use crate::rows::{StoredEntry, bucket_end, bucket_of};
use crate::session::{SessionError, connect};
use crate::statements::Statements;

/// Most conversations whose state is remembered.
const MOST_STATES: usize = 64 * 1024;

/// Requests that one call has under way at a time.
pub(crate) const AT_ONCE: usize = 16;

/// Where the engine is, and which keyspace is ours.
#[derive(Clone, Debug)]
pub struct ConversationLogOptions {
    /// Some nodes of the engine, `host:port`; the others are found.
    pub nodes: Vec<String>,
    /// The keyspace that `suda migrate` made.
    pub keyspace: String,
    /// The datacenter in which this node is; its replicas decide.
    pub datacenter: Option<String>,
}

/// Conversations in a cluster. Clones share it.
#[derive(Clone)]
pub struct ConversationLog {
    pub(crate) core: Arc<Core>,
}

/// What the clones share.
pub(crate) struct Core {
    pub session: Arc<Session>,
    pub statements: Arc<Statements>,
    pub epoch: u32,
    erasing: Erasing,
    latest: AtomicU64,
    states: Mutex<HashMap<ConversationId, Known>>,
}

/// A conversation that is remembered, with the end of its entries.
pub(crate) struct Known {
    pub state: State,
    /// The id of the append that wrote the head, if it stands in the partition of the next entry.
    pub tail: Option<Uuid>,
}

impl Known {
    pub fn head(&self) -> u64 {
        self.state.summary.head
    }

    /// The partition of the next entry.
    pub fn bucket(&self) -> i32 {
        bucket_of(self.head() + 1)
    }
}

impl ConversationLog {
    /// Connects to the engine and checks that its tables are those of this version.
    ///
    /// # Errors
    /// If no node answers, or its tables are missing or of another form.
    pub async fn open(options: &ConversationLogOptions) -> Result<Self, SessionError> {
        let (session, statements, epoch) = connect(options).await?;
        Ok(Self::over(Arc::new(session), Arc::new(statements), epoch))
    }

    /// The same conversations by way of the same connection, as another node sees them that remembers nothing.
    pub fn beside(&self) -> Self {
        let Core { session, statements, epoch, .. } = self.core.as_ref();
        Self::over(Arc::clone(session), Arc::clone(statements), *epoch)
    }

    fn over(session: Arc<Session>, statements: Arc<Statements>, epoch: u32) -> Self {
        let core = Arc::new_cyclic(|core| Core {
            session,
            statements,
            epoch,
            erasing: Erasing::start(core.clone()),
            latest: AtomicU64::new(0),
            states: Mutex::default(),
        });
        Self { core }
    }
}

impl Core {
    /// Takes what is remembered of a conversation. Nobody else has it then; whoever changed it puts it back once it is true.
    fn take_known(&self, conversation: ConversationId) -> Option<Known> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner).remove(&conversation)
    }

    fn remember(&self, conversation: ConversationId, known: Known) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if states.len() >= MOST_STATES
            && let Some(one) = states.keys().next().copied()
        {
            states.remove(&one);
        }
        states.insert(conversation, known);
    }

    fn saw(&self, at: u64) {
        self.latest.fetch_max(at, Ordering::AcqRel);
    }

    /// Reads a conversation as the engine's replicas agree on it, and takes in what follows from entries whose writer died.
    async fn find(&self, conversation: ConversationId) -> Result<Known, Failure> {
        let (summary, membership) = self.conversation_row(conversation).await?.unwrap_or_default();
        let (head, tail) = self.tip(conversation, summary.head).await?;
        let accounts: Vec<AccountId> = membership
            .iter()
            .flat_map(|membership| &membership.members)
            .map(|member| member.account)
            .collect();
        let rows = futures::stream::iter(accounts)
            .map(|account| async move {
                let row = self.member_row(account, conversation).await?;
                Ok::<_, Failure>((account, row.unwrap_or_default()))
            })
            .buffer_unordered(AT_ONCE);
        let state = State { summary, membership, members: rows.try_collect().await? };
        let mut known = Known { state, tail };
        while known.head() < head {
            let end = head.min(bucket_end(known.head() + 1) - 1);
            let next = known.head() + 1;
            let entries = self.agreed_entries(conversation, next, end).await?;
            self.follow(conversation, &mut known.state, &entries).await?;
        }
        self.saw(known.state.summary.at);
        Ok(known)
    }

    /// The last entry there is, found from an earlier one, and the id of the append that wrote it, if the next entry stands
    /// in the same partition.
    pub async fn tip(&self, conversation: ConversationId, from: u64) -> Result<(u64, Option<Uuid>), Failure> {
        let mut head = from;
        loop {
            let bucket = bucket_of(head + 1);
            let Some((last, tail)) = self.bucket_tip(conversation, bucket).await? else {
                return Ok((head, None));
            };
            if bucket_of(last + 1) == bucket {
                return Ok((last, Some(tail)));
            }
            head = last;
        }
    }

    /// Folds entries that are committed into the state, and writes what follows from them.
    async fn follow(
        &self,
        conversation: ConversationId,
        state: &mut State,
        entries: &[StoredEntry],
    ) -> Result<(), Failure> {
        let prior = self.prior(conversation, entries).await?;
        let changes =
            fold(state, prior, entries).map_err(|disorder| Failure::Damaged(disorder.to_string()))?;
        self.write_changes(conversation, state, &changes).await?;
        self.erasing.look(conversation, &changes);
        Ok(())
    }

    async fn try_append(&self, append: Append) -> Result<(), AppendError> {
        let Append { conversation, after, entries, marks } = append;
        let entries = stored(after, entries)?;
        let mut known = match self.take_known(conversation) {
            Some(known) if known.head() == after => known,
            _ => self.find(conversation).await?,
        };
        if known.head() != after {
            let head = known.head();
            self.remember(conversation, known);
            return Err(AppendError::Conflict { head });
        }
        let mut entries = entries.as_slice();
        while !entries.is_empty() {
            // What does not fit into the partition is another batch: a prefix may be stored.
            let room = (bucket_end(known.head() + 1) - known.head() - 1) as usize;
            let (batch, rest) = entries.split_at(room.min(entries.len()));
            let tail = self.commit(conversation, &known, batch).await?;
            self.follow(conversation, &mut known.state, batch).await?;
            let is_full = bucket_of(known.head()) != known.bucket();
            known.tail = (!is_full).then_some(tail);
            entries = rest;
        }
        self.saw(known.state.summary.at);
        self.advance(conversation, &mut known.state, &marks).await?;
        self.remember(conversation, known);
        Ok(())
    }

    /// Moves watermarks.
    async fn advance(
        &self,
        conversation: ConversationId,
        state: &mut State,
        marks: &[(AccountId, Marks)],
    ) -> Result<(), Failure> {
        let mut moved = Vec::new();
        for (account, marks) in marks {
            if let Some(row) = state.members.get_mut(account) {
                row.marks.advance(marks);
                moved.push((*account, row.marks.clone()));
            }
        }
        self.write_marks(conversation, &moved).await
    }
}

/// The entries as they are stored.
fn stored(after: u64, entries: Vec<Entry>) -> Result<Vec<StoredEntry>, AppendError> {
    let mut stored = Vec::with_capacity(entries.len());
    for (entry, seq) in entries.into_iter().zip(after + 1..) {
        if entry.envelope.seq != seq {
            return Err(Failure::unavailable("an append's entries have gaps").into());
        }
        stored.push(StoredEntry::new(entry).map_err(Failure::unavailable)?);
    }
    Ok(stored)
}

#[async_trait]
impl Log for ConversationLog {
    async fn append(&self, append: Append) -> Result<(), AppendError> {
        self.core.try_append(append).await
    }

    async fn load(&self, conversation: ConversationId, recent: u32) -> Result<Option<Loaded>, Failure> {
        self.core.load(conversation, recent).await
    }

    async fn read(
        &self,
        conversation: ConversationId,
        from: u64,
        to: u64,
        most_bytes: usize,
    ) -> Result<Vec<Entry>, Failure> {
        let wanted = Wanted { conversation, from, to, most_bytes };
        self.core.piece(wanted).await.map(|piece| piece.entries)
    }

    async fn pieces(&self, wanted: Vec<Wanted>) -> Result<Vec<Piece>, Failure> {
        let pieces = futures::stream::iter(wanted).map(|wanted| self.core.piece(wanted));
        pieces.buffered(AT_ONCE).try_collect().await
    }

    async fn message_states(
        &self,
        conversation: ConversationId,
        from: u64,
        to: u64,
    ) -> Result<Vec<(u64, MessageState)>, Failure> {
        self.core.message_states(conversation, from, to).await
    }

    async fn own_values(
        &self,
        conversation: ConversationId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(String, u64)>, Failure> {
        self.core.own_values(conversation, after.unwrap_or_default(), limit as usize).await
    }

    fn epoch(&self) -> u32 {
        self.core.epoch
    }

    fn latest(&self) -> u64 {
        self.core.latest.load(Ordering::Acquire)
    }
}

impl Core {
    async fn load(&self, conversation: ConversationId, recent: u32) -> Result<Option<Loaded>, Failure> {
        let known = self.find(conversation).await?;
        let summary = known.state.summary;
        let Some(membership) = known.state.membership.clone() else {
            return Ok(None);
        };
        let members = membership.members.iter();
        let marks = members.filter_map(|member| {
            let marks = &known.state.members.get(&member.account)?.marks;
            (*marks != Marks::default()).then(|| (member.account, marks.clone()))
        });
        let marks = marks.collect();
        let from = summary.head - summary.head.min(u64::from(recent)) + 1;
        let recent = self.envelopes(conversation, from, summary.head).await?;
        self.remember(conversation, known);
        Ok(Some(Loaded { epoch: self.epoch, summary, membership, marks, recent }))
    }
}
