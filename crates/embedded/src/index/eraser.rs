//! The thread that erases bodies in the log.
//!
//! The rows that say what to erase are removed after the erasure is durable, so that a crash at
//! any point leads to erasing again, which is harmless.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use suda_domain::message::MessageState;
use suda_domain::stored::Stored;
use suda_proto::{AccountId, ConversationId, Kind};

use super::bell::Woken;
use super::tables::{
    AuthorErasure, EntryRow, Key, author_of, conversation_of, entry_key, erasing_author_keys, erasing_keys,
    message_key, seq_of,
};
use super::{Index, IndexError};
use crate::log::{Body, EraseError, Log, Position, ReadError};
use crate::records::{self, Header};

/// Bodies that are erased together, and entries that are looked at together.
const BATCH: usize = 256;
/// How long to wait after a failure.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Why bodies could not be erased.
#[derive(Debug, thiserror::Error)]
pub enum EraserError {
    /// The index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The log cannot be changed.
    #[error(transparent)]
    Erase(#[from] EraseError),
}

/// Erases what the index says is to be erased.
pub struct Eraser {
    log: Arc<Log>,
    index: Arc<Index>,
    /// Held while bodies are erased, and by a backup while it copies the log.
    erasing: Mutex<()>,
}

/// What became of an author's next entries.
struct Found {
    positions: Vec<Position>,
    /// Their sequences.
    seqs: Vec<u64>,
    /// The messages to which the author reacted.
    reacted_to: Vec<u64>,
}

impl Eraser {
    /// An eraser that has no thread yet.
    pub fn new(log: Arc<Log>, index: Arc<Index>) -> Self {
        Self { log, index, erasing: Mutex::default() }
    }

    /// Starts the thread. What is to be erased waits for `delay`, so that many bodies share a
    /// sync. It ends when the index's `erase_bell` is stopped.
    pub fn start(self: Arc<Self>, delay: Duration) -> std::io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name("eraser".to_owned()).spawn(move || self.run(delay))
    }

    fn run(&self, delay: Duration) {
        let bell = &self.index.erase_bell;
        // What a crash left is due.
        bell.ring();
        while bell.listen(None) == Woken::Look && bell.pause(delay) == Woken::Look {
            if let Err(error) = self.erase_all() {
                tracing::warn!(%error, "deleted bodies could not be erased yet");
                bell.ring();
                if bell.pause(RETRY_AFTER) == Woken::Stop {
                    return;
                }
            }
        }
    }

    /// Runs `work` while nothing is erased.
    pub fn pause_during<T>(&self, work: impl FnOnce() -> T) -> T {
        let _nothing_is_erased = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        work()
    }

    /// Erases everything that is to be erased at the time of the call.
    pub fn erase_all(&self) -> Result<(), EraserError> {
        while self.erase_bodies()? || self.erase_authors()? {}
        Ok(())
    }

    /// Erases some bodies of deleted messages and replaced values; answers whether there were any.
    fn erase_bodies(&self) -> Result<bool, EraserError> {
        let _one_at_a_time = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        let (from, to) = erasing_keys();
        let mut view = self.index.view()?;
        let due = view.range(&from, &to, BATCH)?;
        let mut positions = Vec::with_capacity(due.len());
        for (key, _) in &due {
            if let (Some(conversation), Some(seq)) = (conversation_of(key), seq_of(key)) {
                let row: Option<EntryRow> = view.get(&entry_key(conversation, seq))?;
                positions.extend(row.map(|row| row.position));
            }
        }
        drop(view);
        if due.is_empty() {
            return Ok(false);
        }
        self.log.erase(&positions)?;
        self.index.change(None, |changes| {
            due.into_iter().for_each(|(key, _)| changes.delete(key));
            Ok(())
        })?;
        Ok(true)
    }

    /// Goes on with one author's bodies; answers whether there was one.
    fn erase_authors(&self) -> Result<bool, EraserError> {
        let _one_at_a_time = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        let (from, to) = erasing_author_keys();
        let due = self.index.view()?.range(&from, &to, 1)?;
        let Some((key, value)) = due.into_iter().next() else {
            return Ok(false);
        };
        let progress = AuthorErasure::decode(&value).map_err(IndexError::from)?;
        match (conversation_of(&key), author_of(&key)) {
            (Some(conversation), Some(author)) => {
                self.erase_some(key, conversation, author, progress)?;
            }
            _ => self.index.change(None, |changes| {
                changes.delete(key);
                Ok(())
            })?,
        }
        Ok(true)
    }

    fn erase_some(
        &self,
        key: Key,
        conversation: ConversationId,
        author: AccountId,
        progress: AuthorErasure,
    ) -> Result<(), EraserError> {
        let next = progress.end.min(progress.next + BATCH as u64);
        let found = self.find(conversation, author, progress.next, next)?;
        self.log.erase(&found.positions)?;
        let end = progress.end;
        self.index.change(None, |changes| {
            for seq in found.seqs {
                let key = entry_key(conversation, seq);
                if let Some(row) = changes.get::<EntryRow>(&key)? {
                    let hidden = true;
                    changes.put(key, &EntryRow { hidden, ..row });
                }
            }
            for target in found.reacted_to {
                let key = message_key(conversation, target);
                if let Some(mut state) = changes.get::<MessageState>(&key)? {
                    state.reactions.remove(&author);
                    changes.put(key, &state);
                }
            }
            match next < end {
                true => changes.put(key, &AuthorErasure { next, end }),
                false => changes.delete(key),
            }
            Ok(())
        })?;
        Ok(())
    }

    /// The author's bodies among the entries from `from` to `end`, the latter excluded.
    fn find(
        &self,
        conversation: ConversationId,
        author: AccountId,
        from: u64,
        end: u64,
    ) -> Result<Found, EraserError> {
        let mut found = Found { positions: Vec::new(), seqs: Vec::new(), reacted_to: Vec::new() };
        let (from, to) = (entry_key(conversation, from), entry_key(conversation, end));
        let rows = self.index.view()?.range(&from, &to, BATCH)?;
        for (key, value) in rows.into_iter().filter(|(key, _)| *key < to) {
            let row = EntryRow::decode(&value).map_err(IndexError::from)?;
            let record = self.log.read(row.position, row.length)?;
            let header = records::decode(record.kind, &record.header).map_err(IndexError::from)?;
            let Header::Entry { envelope, .. } = header else {
                continue;
            };
            let is_text = matches!(envelope.kind, Kind::Message | Kind::Edit | Kind::Reaction | Kind::Set);
            if envelope.author != author || !is_text {
                continue;
            }
            if envelope.kind == Kind::Reaction {
                found.reacted_to.extend(envelope.target);
            }
            if !matches!(record.body, Body::Empty | Body::Erased) {
                found.positions.push(row.position);
                found.seqs.extend(seq_of(&key));
            }
        }
        Ok(found)
    }
}
