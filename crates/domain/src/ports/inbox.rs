//! Port: every account's list of conversations.

use async_trait::async_trait;
use suda_proto::entry::Role;
use suda_proto::{AccountId, ConversationId};

use super::Failure;
use crate::membership::Header;
use crate::receipts::{Marks, Summary};

/// One conversation in an account's list.
#[derive(Clone, Debug, PartialEq)]
pub struct InboxRow {
    /// Which.
    pub conversation: ConversationId,
    /// The log's epoch.
    pub epoch: u32,
    /// What it is.
    pub header: Header,
    /// How far it has come. Once the account is no member any more: up to where it was.
    pub summary: Summary,
    /// The account's role; `None` once it is no member any more.
    pub role: Option<Role>,
    /// The lowest sequence that the account may see.
    pub floor: u64,
    /// The ordinal when it joined.
    pub joined_ordinal: u64,
    /// How far it has followed.
    pub marks: Marks,
}

impl InboxRow {
    /// When something in it changed for this account, milliseconds since 1970.
    pub fn touched(&self) -> u64 {
        self.summary.at.max(self.marks.touched)
    }
}

/// Where a list goes on: behind the row touched then. Rows are ordered by time, newest first, then by conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InboxCursor {
    /// The last row's touched time.
    pub touched: u64,
    /// The last row's conversation.
    pub conversation: ConversationId,
}

/// Inboxes: derived from the log (see [`Log`](super::Log)), at most a second behind it. The account's own conversation
/// is not in it.
#[async_trait]
pub trait Inbox: Send + Sync + 'static {
    /// Rows touched at or after `since`, newest first, behind `after`, at most `limit`. Conversations that the account
    /// is no member of any more are among them only where `since` is not 0.
    async fn rows(
        &self,
        account: AccountId,
        since: u64,
        after: Option<InboxCursor>,
        limit: u32,
    ) -> Result<Vec<InboxRow>, Failure>;

    /// One row.
    async fn row(
        &self,
        account: AccountId,
        conversation: ConversationId,
    ) -> Result<Option<InboxRow>, Failure>;

    /// In how many conversations the account is a member, its own not counted.
    async fn count(&self, account: AccountId) -> Result<u32, Failure>;
}
