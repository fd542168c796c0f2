//! Port: conversations' logs and the state that follows from them.

use async_trait::async_trait;
use suda_proto::{AccountId, ConversationId};

use super::Failure;
use crate::entry::{Entry, Envelope};
use crate::membership::Membership;
use crate::message::MessageState;
use crate::receipts::{Marks, Summary};

/// What to append to one conversation in one commit.
#[derive(Clone, Debug)]
pub struct Append {
    /// Where.
    pub conversation: ConversationId,
    /// The head that the caller knows; the first entry's sequence is one more.
    pub after: u64,
    /// New entries, contiguous; may be empty.
    pub entries: Vec<Entry>,
    /// Watermarks that moved: for each member its marks as they are to be (what is lower than stored is ignored;
    /// `sent` and `mentions` follow from entries and are ignored here).
    pub marks: Vec<(AccountId, Marks)>,
}

/// Why an append was refused.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The head is another than `after`: somebody else appended. Nothing of this append was stored.
    #[error("the head is {head}")]
    Conflict {
        /// The head now.
        head: u64,
    },
    /// More is waiting than may; nothing was stored; try again shortly.
    #[error("too much is waiting to be stored")]
    Overloaded,
    /// The engine failed. [`Failure::Unavailable`] leaves the outcome unknown: read the head before anything else.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// A conversation as its host loads it.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The log's epoch.
    pub epoch: u32,
    /// How far it has come.
    pub summary: Summary,
    /// Who belongs to it.
    pub membership: Membership,
    /// Every member's marks; members without any are left out.
    pub marks: Vec<(AccountId, Marks)>,
    /// The newest envelopes, ascending and contiguous up to the head; at least as many as asked for, if there are.
    pub recent: Vec<Envelope>,
}

/// A piece of a conversation that is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Of which conversation.
    pub conversation: ConversationId,
    /// The first sequence.
    pub from: u64,
    /// The last sequence.
    pub to: u64,
    /// As in [`Log::read`].
    pub most_bytes: usize,
}

/// A piece of a conversation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// Its entries, as by [`Log::read`].
    pub entries: Vec<Entry>,
    /// The states of messages among them, as by [`Log::message_states`].
    pub states: Vec<(u64, MessageState)>,
}

/// Conversations' logs.
///
/// Ordering: a conversation's entries are numbered 1, 2, 3, …; readers see a contiguous prefix, never a hole.
/// Durability: when `append` returns `Ok`, its entries and marks survive the loss of power at any later instant, and
/// every later read sees them, as does [`Inbox`](super::Inbox) within a second.
/// Atomicity: of an append that failed or whose caller died, a prefix of the entries may be stored, never other parts.
/// Idempotency: appending the same `after` twice stores once; the second is a `Conflict`.
/// Derived state: membership, message states, marks and inbox rows are the adapter's to derive from the entries, with
/// the `apply` functions of this crate, also after a crash.
/// Erasure: after a `delete` entry the bodies of its target and of that message's edits read as `None` at once and leave
/// every file and table within an hour; so do the value of a `set` entry once a newer one has its key, and
/// every message, edit, reaction and value of an author before its `author_erased` entry.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// Appends to one conversation. The caller has one append per conversation under way.
    async fn append(&self, append: Append) -> Result<(), AppendError>;

    /// The conversation's state with at least `recent` envelopes (fewer if it has fewer); `None` if it has no entry.
    async fn load(&self, conversation: ConversationId, recent: u32) -> Result<Option<Loaded>, Failure>;

    /// Entries `from..=to`, ascending and contiguous from `from`, cut after the head or once `most_bytes` of bodies are
    /// reached (never before the first). Erased bodies are `None`.
    async fn read(
        &self,
        conversation: ConversationId,
        from: u64,
        to: u64,
        most_bytes: usize,
    ) -> Result<Vec<Entry>, Failure>;

    /// Several pieces of conversations at once, in the order of `wanted`: entries as by `read`, with the states of those
    /// messages among them that something points at. For pages and lists, which would else ask a hundred times.
    async fn pieces(&self, wanted: Vec<Wanted>) -> Result<Vec<Piece>, Failure>;

    /// The states of those messages in `from..=to` that something points at, ascending.
    async fn message_states(
        &self,
        conversation: ConversationId,
        from: u64,
        to: u64,
    ) -> Result<Vec<(u64, MessageState)>, Failure>;

    /// Of an account's own conversation: the keys greater than `after` whose newest value is not null, ascending, each
    /// with the entry that set it.
    async fn own_values(
        &self,
        conversation: ConversationId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(String, u64)>, Failure>;

    /// The epoch of every conversation that this log holds now.
    fn epoch(&self) -> u32;

    /// A time not smaller than that of any entry that was appended or loaded through this handle, milliseconds since 1970;
    /// where nobody else appends, of any entry that there is. The server's clock starts no earlier.
    fn latest(&self) -> u64;
}
