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
    AuthorErasure, Hidden, Key, author_of, conversation_of, erasing_author_keys, erasing_keys, hidden_key,
    message_key, seq_of,
};
use super::{Index, IndexError};
use crate::entries::{BodyPlace, Entries};
use crate::log::{Body, EraseError, Log, ReadError};

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
    /// Held while bodies are erased, by a backup while it copies the log, and by a merge.
    erasing: Mutex<()>,
}

/// What became of an author's next entries.
#[derive(Default)]
struct Found {
    places: Vec<BodyPlace>,
    /// The sequences of those that have, or had, a body.
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
        let mut places = Vec::with_capacity(due.len());
        for (key, _) in &due {
            if let (Some(conversation), Some(seq)) = (conversation_of(key), seq_of(key)) {
                self.entries().visit::<EraserError>(&mut view, conversation, seq, seq, |_, found| {
                    places.push(found.place);
                    Ok(true)
                })?;
            }
        }
        drop(view);
        if due.is_empty() {
            return Ok(false);
        }
        self.erase_at(&places)?;
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
        self.erase_at(&found.places)?;
        let end = progress.end;
        self.index.change(None, |changes| {
            for seq in found.seqs {
                changes.put(hidden_key(conversation, seq), &Hidden);
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
        let mut found = Found::default();
        let mut view = self.index.view()?;
        self.entries().visit::<EraserError>(&mut view, conversation, from, end - 1, |_, entry| {
            let envelope = &entry.envelope;
            let is_text = matches!(envelope.kind, Kind::Message | Kind::Edit | Kind::Reaction | Kind::Set);
            if envelope.author != author || !is_text {
                return Ok(true);
            }
            if envelope.kind == Kind::Reaction {
                found.reacted_to.extend(envelope.target);
            }
            // Also what a process erased that died before it could say so.
            if entry.body != Body::Empty {
                found.seqs.push(envelope.seq);
            }
            if !matches!(entry.body, Body::Empty | Body::Erased) {
                found.places.push(entry.place);
            }
            Ok(true)
        })?;
        Ok(found)
    }

    fn entries(&self) -> Entries<'_> {
        Entries { log: &self.log, index: &self.index }
    }

    /// Erases bodies wherever they are. Nothing moves meanwhile.
    fn erase_at(&self, places: &[BodyPlace]) -> Result<(), EraseError> {
        let (mut segments, mut sorted) = (Vec::new(), Vec::new());
        for place in places {
            match place {
                BodyPlace::Segment(position) => segments.push(*position),
                BodyPlace::Sorted(body) => sorted.push(*body),
            }
        }
        if !segments.is_empty() {
            self.log.erase(&segments)?;
        }
        self.log.erase_sorted(&sorted)
    }
}
