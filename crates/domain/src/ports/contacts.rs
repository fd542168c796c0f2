//! Port: contacts and blocks.

use async_trait::async_trait;
use suda_proto::AccountId;
use suda_proto::rest::Relation;

use super::Failure;

/// How two accounts stand, seen from both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Between {
    /// How the first sees the second.
    pub first: Option<Relation>,
    /// How the second sees the first.
    pub second: Option<Relation>,
}

impl Between {
    /// Whether either has blocked the other.
    pub const fn is_blocked(&self) -> bool {
        matches!(self.first, Some(Relation::Blocked)) || matches!(self.second, Some(Relation::Blocked))
    }

    /// Whether they are contacts of each other.
    pub const fn are_contacts(&self) -> bool {
        matches!(self.first, Some(Relation::Contact)) && matches!(self.second, Some(Relation::Contact))
    }
}

/// What came of asking for a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// How the two stand now, as the asking account sees it: `Requested`, or `Contact` if the other had asked before.
    Now(Relation),
    /// One of them blocks the other, or is no account (any more).
    Blocked,
    /// The asking account has as many contacts and unanswered requests of its own as it may.
    TooMany,
}

/// Contacts. Each method is one transaction that also promises
/// [`Task::contact_changed`](super::jobs::Task::contact_changed) for every account whose view changed; repeating a call
/// changes nothing more. The two accounts of a call differ.
#[async_trait]
pub trait Contacts: Send + Sync + 'static {
    /// Asks `other` to be a contact, or accepts if it has asked. A pair that are contacts stays so.
    async fn ask(&self, account: AccountId, other: AccountId, most: u32) -> Result<Asked, Failure>;

    /// Ends a contact, withdraws or declines a request, on both sides. Blocks stay.
    async fn remove(&self, account: AccountId, other: AccountId) -> Result<(), Failure>;

    /// Blocks `other`: the account sees `Blocked`; whatever stood between them is gone on both sides, but the other's
    /// own block. Does nothing if one of them is no account (any more).
    async fn block(&self, account: AccountId, other: AccountId) -> Result<(), Failure>;

    /// Lifts the account's block of `other`.
    async fn unblock(&self, account: AccountId, other: AccountId) -> Result<(), Failure>;

    /// How two accounts stand.
    async fn between(&self, first: AccountId, second: AccountId) -> Result<Between, Failure>;

    /// How the account (`first`) and each of the others (`second`) stand, ordered by the other. Whoever stands in no relation
    /// to it, in either direction, is left out. One question, however many there are; they should be a few hundred at most.
    async fn among(
        &self,
        account: AccountId,
        others: &[AccountId],
    ) -> Result<Vec<(AccountId, Between)>, Failure>;

    /// Everybody the account stands in a relation to, ordered by account.
    async fn list(&self, account: AccountId) -> Result<Vec<(AccountId, Relation)>, Failure>;
}
