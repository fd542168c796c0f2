//! Erasing bodies: of deleted messages and replaced values at once, of deleted authors entry by entry.
//!
//! What is to be erased stands in the table `erasing` before the deletion is acknowledged. The node that wrote it erases at
//! once; what one left undone that died, each node looks for every few minutes. Erasing twice changes nothing. The engine
//! then drops the bytes with its next compaction of them: see the settings in the operator's guide.

use std::sync::Weak;
use std::time::Duration;

use scylla::statement::SerialConsistency;
use scylla::statement::batch::{Batch, BatchType};
use scylla::value::CqlValue;
use suda_domain::ports::Failure;
use suda_proto::{AccountId, ConversationId};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::committing::unavailable;
use crate::conversation_log::Core;
use crate::fold::Changes;
use crate::history::is_text;
use crate::rows::{bucket_end, bucket_of};

/// Into how many partitions the work is divided.
const SHARDS: i8 = 16;

/// Most conversations that wait for being looked at; what does not fit is found by the next sweep.
const MOST_WAITING: usize = 1_024;

/// Most bodies that are erased at once.
const TOGETHER: usize = 64;

/// How long between two sweeps.
const SWEEP: Duration = Duration::from_secs(300);

/// One body, or all of an author's before an entry.
type Task = (ConversationId, u64, Option<AccountId>);

/// Where a node's own work waits.
pub(crate) struct Erasing(mpsc::Sender<Task>);

/// The partition in which the work on a conversation stands.
pub(crate) fn shard_of(conversation: ConversationId) -> Option<CqlValue> {
    Some(CqlValue::TinyInt(shard(conversation)))
}

fn shard(conversation: ConversationId) -> i8 {
    (conversation.bytes()[15] % SHARDS as u8) as i8
}

impl Erasing {
    /// Starts the task that erases; it ends with the log.
    pub fn start(core: Weak<Core>) -> Self {
        let (tasks, inbox) = mpsc::channel(MOST_WAITING);
        tokio::spawn(run(core, inbox));
        Self(tasks)
    }

    /// Has what the changes hide erased soon.
    pub fn look(&self, conversation: ConversationId, changes: &Changes) {
        let bodies = changes.hidden.keys().map(|seq| (*seq, None));
        let authors = changes.erased_authors.iter().map(|(author, seq)| (*seq, Some(*author)));
        for (seq, author) in bodies.chain(authors) {
            // Whatever does not fit is found by the next sweep.
            let _ = self.0.try_send((conversation, seq, author));
        }
    }
}

async fn run(core: Weak<Core>, mut inbox: mpsc::Receiver<Task>) {
    let mut sweep = tokio::time::interval(SWEEP);
    sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let task = tokio::select! {
            task = inbox.recv() => match task {
                Some(task) => Some(task),
                None => return,
            },
            _ = sweep.tick() => None,
        };
        let Some(core) = core.upgrade() else {
            return;
        };
        let done = match task {
            Some(task) => core.erase(task).await,
            None => core.erase_what_is_left().await,
        };
        if let Err(failure) = done {
            tracing::warn!(%failure, "deleted bodies could not be erased yet");
        }
    }
}

impl Core {
    async fn erase_what_is_left(&self) -> Result<(), Failure> {
        for shard in 0..SHARDS {
            let answer = self.session.execute_unpaged(&self.statements.erasing.rows, (shard,)).await;
            let rows = answer.map_err(unavailable)?.into_rows_result().map_err(Failure::unavailable)?;
            let rows = rows.rows::<(Uuid, i64, Option<Uuid>)>().map_err(Failure::unavailable)?;
            for row in rows {
                let (conversation, seq, author) = row.map_err(Failure::unavailable)?;
                self.erase((ConversationId(conversation), seq as u64, author.map(AccountId))).await?;
            }
        }
        Ok(())
    }

    async fn erase(&self, (conversation, seq, author): Task) -> Result<(), Failure> {
        match author {
            None => self.erase_bodies(conversation, &[seq]).await?,
            Some(author) => self.erase_author(conversation, author, seq).await?,
        }
        let done = (shard(conversation), conversation.0, seq as i64);
        let removed = self.session.execute_unpaged(&self.statements.erasing.remove, done).await;
        removed.map(drop).map_err(unavailable)
    }

    async fn erase_author(
        &self,
        conversation: ConversationId,
        author: AccountId,
        end: u64,
    ) -> Result<(), Failure> {
        let mut from = 1;
        while from < end {
            let to = (end - 1).min(bucket_end(from) - 1).min(from + 255);
            let entries = self.agreed_entries(conversation, from, to).await?;
            let written = entries.iter().map(|stored| &stored.entry).filter(|entry| {
                entry.envelope.author == author && is_text(entry.envelope.kind) && entry.body.is_some()
            });
            let seqs: Vec<u64> = written.map(|entry| entry.envelope.seq).collect();
            for seqs in seqs.chunks(TOGETHER) {
                self.erase_bodies(conversation, seqs).await?;
            }
            from = to + 1;
        }
        Ok(())
    }

    /// Erases bodies of one partition at once: each condition makes the replicas agree, and others wait meanwhile.
    async fn erase_bodies(&self, conversation: ConversationId, seqs: &[u64]) -> Result<(), Failure> {
        let mut batch = Batch::new(BatchType::Unlogged);
        batch.set_serial_consistency(Some(SerialConsistency::LocalSerial));
        let mut places = Vec::with_capacity(seqs.len());
        for seq in seqs {
            batch.append_statement(self.statements.log.erase_body.clone());
            places.push((conversation.0, bucket_of(*seq), *seq as i64));
        }
        self.session.batch(&batch, places).await.map(drop).map_err(unavailable)
    }
}
