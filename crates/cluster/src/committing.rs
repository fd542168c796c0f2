//! One append: a conditional batch on one partition. Whoever does not learn how it ended looks, before anything else.
//!
//! The condition compares the head and the id of the append that wrote it. So of two writers one is refused, and a request
//! that was delayed somewhere cannot take effect later: its condition does not hold any more.

use std::sync::Arc;

use scylla::errors::{DbError, ExecutionError, RequestAttemptError};
use scylla::policies::retry::FallthroughRetryPolicy;
use scylla::response::query_result::QueryRowsResult;
use scylla::serialize::row::SerializeRow;
use scylla::statement::SerialConsistency;
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::value::{CqlValue, Row};
use suda_domain::ports::Failure;
use suda_domain::ports::log::AppendError;
use suda_domain::stored::Stored;
use suda_proto::ConversationId;
use uuid::Uuid;

use crate::conversation_log::{Core, Known};
use crate::rows::StoredEntry;
use crate::statements::{REQUEST, Values, blob, boolean, bucket, id, number, text};

/// How often the same append is asked for, while nobody says how it ended.
const TRIES: u32 = 3;

/// How an append stands, as the replicas agree.
enum Standing {
    Stored,
    /// Nothing happened since; it can be asked for again.
    Possible,
    Refused {
        head: u64,
    },
}

impl Core {
    /// Appends a batch to the partition of the next entry; answers the batch's id.
    pub async fn commit(
        &self,
        conversation: ConversationId,
        known: &Known,
        entries: &[StoredEntry],
    ) -> Result<Uuid, AppendError> {
        let tail = Uuid::new_v4();
        let (batch, values) = self.batch_of(conversation, known, entries, tail);
        let mut last = None;
        for _ in 0..TRIES {
            match self.session.batch(&batch, &values).await {
                Ok(answer) => {
                    if is_applied(answer.into_rows_result().ok()) {
                        return Ok(tail);
                    }
                }
                Err(error) => last = Some(error),
            }
            match self.look(conversation, known, entries, tail).await? {
                Standing::Stored => return Ok(tail),
                Standing::Refused { head } => return Err(AppendError::Conflict { head }),
                Standing::Possible => {}
            }
        }
        let last = last.map_or_else(|| Failure::unavailable("the append is contended"), unavailable);
        Err(AppendError::Failure(last))
    }

    fn batch_of(
        &self,
        conversation: ConversationId,
        known: &Known,
        entries: &[StoredEntry],
        tail: Uuid,
    ) -> (Batch, Vec<Values>) {
        let mut batch = Batch::new(BatchType::Unlogged);
        batch.set_serial_consistency(Some(SerialConsistency::LocalSerial));
        batch.set_retry_policy(Some(Arc::new(FallthroughRetryPolicy::new())));
        batch.set_request_timeout(Some(REQUEST));
        let place = || [id(conversation.0), bucket(known.bucket())];
        let head = known.head() + entries.len() as u64;
        let mut first = vec![number(head), id(tail)];
        first.extend(place());
        match known.tail {
            Some(before) => {
                first.extend([number(known.head()), id(before)]);
                batch.append_statement(self.statements.log.follow.clone());
            }
            None => batch.append_statement(self.statements.log.open_bucket.clone()),
        }
        let mut values = vec![first];
        for StoredEntry { entry, set } in entries {
            batch.append_statement(self.statements.log.insert.clone());
            let mut row = Vec::with_capacity(7);
            row.extend(place());
            row.extend([
                number(entry.envelope.seq),
                blob(entry.envelope.encode()),
                entry.body.as_ref().map(|body| CqlValue::Blob(body.to_vec())),
                set.as_ref().and_then(|set| text(&set.key)),
                set.as_ref().and_then(|set| boolean(set.is_null)),
            ]);
            values.push(row);
        }
        (batch, values)
    }

    /// How an append stands of which nobody said how it ended.
    async fn look(
        &self,
        conversation: ConversationId,
        known: &Known,
        entries: &[StoredEntry],
        tail: Uuid,
    ) -> Result<Standing, Failure> {
        let before = known.tail.map(|tail| (known.head(), tail));
        match self.bucket_tip(conversation, known.bucket()).await? {
            Some((_, id)) if id == tail => Ok(Standing::Stored),
            tip if tip == before => Ok(Standing::Possible),
            None => Ok(Standing::Possible),
            Some((head, _)) => {
                // Somebody went on behind it, or in its place.
                let (from, to) = (known.head() + 1, known.head() + entries.len() as u64);
                let is_there = to <= head && self.agreed_entries(conversation, from, to).await? == entries;
                Ok(if is_there { Standing::Stored } else { Standing::Refused { head } })
            }
        }
    }

    /// The head of a partition and the id of the append that wrote it, once nothing is being agreed on any more.
    pub async fn bucket_tip(
        &self,
        conversation: ConversationId,
        in_bucket: i32,
    ) -> Result<Option<(u64, Uuid)>, Failure> {
        let rows = self.agreed(&self.statements.log.tip, &(conversation.0, in_bucket)).await?;
        let row = rows.maybe_first_row::<(Option<i64>, Option<Uuid>)>().map_err(Failure::unavailable)?;
        Ok(row.and_then(|(head, tail)| Some((u64::try_from(head?).ok()?, tail?))))
    }
}

impl Core {
    /// Reads what the replicas agree on. Where others have them agree on something at the same time, it is their turn first.
    pub async fn agreed(
        &self,
        statement: &PreparedStatement,
        values: &impl SerializeRow,
    ) -> Result<QueryRowsResult, Failure> {
        let mut tries = TRIES;
        loop {
            tries -= 1;
            match self.session.execute_unpaged(statement, values).await {
                Ok(answer) => return answer.into_rows_result().map_err(Failure::unavailable),
                Err(ExecutionError::LastAttemptError(RequestAttemptError::DbError(
                    DbError::WriteTimeout { .. } | DbError::ReadTimeout { .. },
                    _,
                ))) if tries > 0 => {}
                Err(error) => return Err(unavailable(error)),
            }
        }
    }
}

/// Whether the condition held: the first column of the first row says so.
fn is_applied(rows: Option<QueryRowsResult>) -> bool {
    let row = rows.as_ref().and_then(|rows| rows.maybe_first_row::<Row>().ok().flatten());
    matches!(row.as_ref().and_then(|row| row.columns.first()), Some(Some(CqlValue::Boolean(true))))
}

/// What the engine's error means to a caller of the port.
pub fn unavailable(error: ExecutionError) -> Failure {
    Failure::unavailable(error)
}
