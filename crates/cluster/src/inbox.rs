//! Port [`Inbox`]: an account's conversations, one partition of rows that are written behind every append.

use std::cmp::Reverse;

use async_trait::async_trait;
use suda_domain::membership::{Header, Membership};
use suda_domain::ports::Failure;
use suda_domain::ports::inbox::{Inbox, InboxCursor, InboxRow};
use suda_domain::receipts::{Marks, Summary};
use suda_domain::stored::{Stored, StoredError, read_postcard};
use suda_proto::{AccountId, ConversationId};
use uuid::Uuid;

use crate::committing::unavailable;
use crate::conversation_log::{ConversationLog, Core};
use crate::history::damaged;
use crate::rows::{Mark, MemberRow, Mentions, Standing};

/// A row of the table `inbox`, see the statement.
type Row = (
    Uuid,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<i64>,
    Option<Vec<u8>>,
    Option<i64>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
);

/// What a row says.
struct Found {
    conversation: ConversationId,
    row: MemberRow,
    header: Option<Vec<u8>>,
    summary: Option<Summary>,
}

#[async_trait]
impl Inbox for ConversationLog {
    async fn rows(
        &self,
        account: AccountId,
        since: u64,
        after: Option<InboxCursor>,
        limit: u32,
    ) -> Result<Vec<InboxRow>, Failure> {
        let after = after.map(|after| (Reverse(after.touched), after.conversation));
        let mut rows = Vec::new();
        for found in self.core.inbox_rows(account).await? {
            let is_wanted = found.row.standing.role.is_some() || since > 0;
            rows.extend(self.core.listed(found)?.filter(|row| is_wanted && row.touched() >= since));
        }
        let place = |row: &InboxRow| (Reverse(row.touched()), row.conversation);
        rows.retain(|row| after.is_none_or(|after| place(row) > after));
        rows.sort_unstable_by_key(place);
        rows.truncate(limit as usize);
        Ok(rows)
    }

    async fn row(
        &self,
        account: AccountId,
        conversation: ConversationId,
    ) -> Result<Option<InboxRow>, Failure> {
        match self.core.inbox_row(account, conversation).await? {
            Some(found) => self.core.listed(found),
            None => Ok(None),
        }
    }

    async fn count(&self, account: AccountId) -> Result<u32, Failure> {
        let rows = self.core.inbox_rows(account).await?;
        let standings = rows.iter().map(|found| &found.row.standing);
        Ok(standings.filter(|standing| standing.role.is_some() && !standing.own).count() as u32)
    }
}

impl Core {
    /// How an account stands to a conversation; `None` where it never was a member.
    pub async fn member_row(
        &self,
        account: AccountId,
        conversation: ConversationId,
    ) -> Result<Option<MemberRow>, Failure> {
        Ok(self.inbox_row(account, conversation).await?.map(|found| found.row))
    }

    async fn inbox_row(
        &self,
        account: AccountId,
        conversation: ConversationId,
    ) -> Result<Option<Found>, Failure> {
        let statement = &self.statements.inbox.row;
        let answer = self.session.execute_unpaged(statement, (account.0, conversation.0)).await;
        let rows = answer.map_err(unavailable)?.into_rows_result().map_err(Failure::unavailable)?;
        let row = rows.maybe_first_row::<Row>().map_err(Failure::unavailable)?;
        row.map(found).transpose().map_err(damaged)
    }

    async fn inbox_rows(&self, account: AccountId) -> Result<Vec<Found>, Failure> {
        let answer = self.session.execute_unpaged(&self.statements.inbox.rows, (account.0,)).await;
        let rows = answer.map_err(unavailable)?.into_rows_result().map_err(Failure::unavailable)?;
        let rows = rows.rows::<Row>().map_err(Failure::unavailable)?;
        rows.map(|row| found(row.map_err(Failure::unavailable)?).map_err(damaged)).collect()
    }

    /// A row as lists show it. The account's own conversation is in none, nor one that was begun this instant.
    fn listed(&self, found: Found) -> Result<Option<InboxRow>, Failure> {
        let Found { conversation, row: MemberRow { standing, marks }, header, summary } = found;
        let summary = standing.left.or(summary).filter(|_| !standing.own);
        let Some((summary, header)) = summary.zip(header) else {
            return Ok(None);
        };
        Ok(Some(InboxRow {
            conversation,
            epoch: self.epoch,
            header: read_header(&header).map_err(damaged)?,
            summary,
            role: standing.role,
            floor: standing.floor,
            joined_ordinal: standing.joined_ordinal,
            marks,
        }))
    }
}

fn found(row: Row) -> Result<Found, StoredError> {
    let (conversation, standing, header, summary, delivered, read, touched, sent, mentions) = row;
    let read: Mark = decoded(read)?;
    let sent: Mark = decoded(sent)?;
    let mut mentions = decoded::<Mentions>(mentions)?.0;
    mentions.retain(|seq| *seq > read.seq);
    let marks = Marks {
        delivered: delivered.unwrap_or(0) as u64,
        read: read.seq,
        read_ordinal: read.ordinal,
        sent: sent.seq,
        sent_ordinal: sent.ordinal,
        mentions,
        touched: touched.unwrap_or(0) as u64,
    };
    Ok(Found {
        conversation: ConversationId(conversation),
        row: MemberRow { standing: decoded::<Standing>(standing)?, marks },
        header,
        summary: summary.map(|bytes| Summary::decode(&bytes)).transpose()?,
    })
}

fn decoded<T: Stored + Default>(bytes: Option<Vec<u8>>) -> Result<T, StoredError> {
    bytes.map_or_else(|| Ok(T::default()), |bytes| T::decode(&bytes))
}

fn read_header(bytes: &[u8]) -> Result<Header, StoredError> {
    match bytes {
        [Membership::VERSION, rest @ ..] => read_postcard(rest, "header"),
        [version, ..] if *version > Membership::VERSION => Err(StoredError::Newer(*version)),
        _ => Err(StoredError::Malformed("header")),
    }
}
