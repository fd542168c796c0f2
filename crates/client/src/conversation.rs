//! What the cache knows of one conversation: pure, without clock or I/O.
//!
//! The invariant: every act (edit, deletion, reaction) up to `synced` was applied to what is cached. Entries may come
//! in any order, twice, from events, pages and acknowledgements; what is missing between `synced` and `head` is told
//! by [`Conversation::missing`], and once that is fetched the cache equals the log as it stands.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use suda_proto::request::Range;
use suda_proto::{AccountId, Entry, Kind};

use crate::ranges::Ranges;
use crate::standing::CachedEntry;

/// How many entries are asked for in one page.
pub const PAGE: u32 = 200;

/// A wider gap than this is not filled: what lies below it is dropped and read again when somebody looks.
pub const WIDEST_GAP: u64 = 2 * PAGE as u64;

/// More separate ranges than this are not kept.
const MOST_RANGES: usize = 64;

/// What the cache knows of one conversation, its entries apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// The log's epoch.
    pub epoch: u32,
    /// The highest sequence heard of.
    pub head: u64,
    /// Every act up to here was applied to what is cached.
    pub synced: u64,
    /// Which entries are cached.
    pub known: Ranges,
    /// The newest entry that erased an author. What was cached before it is void, and so is every older page.
    #[serde(default)]
    pub erased: u64,
}

/// Entries that came together.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The log's epoch.
    pub epoch: u32,
    /// The first sequence that it covers.
    pub from: u64,
    /// The last sequence that it covers; `from - 1` where there is nothing.
    pub to: u64,
    /// The head when it was made; for an event its last entry.
    pub head: u64,
    /// The entries, ascending.
    pub entries: Vec<Entry>,
}

/// The cached entries that a batch touches, taken out of the cache and put back when changed.
#[derive(Clone, Debug, Default)]
pub struct Slice {
    /// The entries by number.
    pub entries: BTreeMap<u64, CachedEntry>,
    /// The numbers of those that changed.
    pub dirty: BTreeSet<u64>,
}

/// Which cached entries a batch needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// These entries.
    pub seqs: BTreeSet<u64>,
    /// All acts that point at these.
    pub acts_on: BTreeSet<u64>,
}

/// What absorbing a batch did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The epoch changed: everything cached before is void.
    pub reset: bool,
    /// Everything cached below this number is void.
    pub dropped_below: Option<u64>,
    /// The numbers that became known.
    pub added: BTreeSet<u64>,
    /// The batch was older than what has been applied since and was left aside: ask again.
    pub stale: bool,
}

impl Batch {
    /// A batch from an event's or acknowledgement's entries; `None` where there are none.
    pub fn of_entries(epoch: u32, entries: Vec<Entry>) -> Option<Self> {
        let (from, to) = (entries.first()?.seq, entries.last()?.seq);
        Some(Self { epoch, from, to, head: to, entries })
    }

    /// Which cached entries it needs.
    pub fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        for entry in &self.entries {
            wanted.seqs.insert(entry.seq);
            match (entry.kind, entry.target) {
                (Kind::Message, _) => _ = wanted.acts_on.insert(entry.seq),
                (Kind::Edit | Kind::Delete | Kind::Reaction, Some(target)) => {
                    wanted.seqs.insert(target);
                    wanted.acts_on.insert(target);
                }
                _ => {}
            }
        }
        wanted
    }
}

impl Slice {
    /// Changes one entry, if it is there.
    fn change(&mut self, seq: u64, change: impl FnOnce(&mut CachedEntry)) {
        if let Some(entry) = self.entries.get_mut(&seq) {
            change(entry);
            self.dirty.insert(seq);
        }
    }

    fn put(&mut self, entry: CachedEntry) {
        self.dirty.insert(entry.entry.seq);
        self.entries.insert(entry.entry.seq, entry);
    }

    /// The acts in it that point at `target`.
    fn acts_on(&self, target: u64) -> Vec<Entry> {
        let is_act = |entry: &Entry| {
            matches!(entry.kind, Kind::Edit | Kind::Delete | Kind::Reaction) && entry.target == Some(target)
        };
        self.entries.values().map(|cached| &cached.entry).filter(|entry| is_act(entry)).cloned().collect()
    }
}

impl Conversation {
    /// A conversation of which nothing is cached.
    pub fn new(epoch: u32, head: u64) -> Self {
        Self { epoch, head, ..Self::default() }
    }

    /// The highest sequence received or heard of: the base of sends.
    pub fn received(&self) -> u64 {
        self.head.max(self.known.last().unwrap_or(0))
    }

    /// What to ask for next, so that nothing cached is behind; nothing for a conversation of which nothing is cached.
    pub fn missing(&self) -> Option<Range> {
        // A first page may end below the head as of which it stands.
        let reach = self.synced.min(self.known.last()?);
        let (from, to) = self.known.first_hole(reach + 1, self.head)?;
        if to - from >= WIDEST_GAP && to == self.head {
            return Some(Range::Newest { limit: PAGE });
        }
        Some(Range::Between { from, to: to.min(from + u64::from(PAGE) - 1) })
    }

    /// Takes a list's word for epoch and head. Says whether everything cached is void.
    ///
    /// A head below what was received proves nothing, since lists may lag: ask the log, see [`Self::is_doubtful`].
    pub fn hear(&mut self, epoch: u32, head: u64) -> bool {
        if self.epoch != epoch {
            *self = Self::new(epoch, head);
            return true;
        }
        self.head = self.head.max(head);
        false
    }

    /// Whether a list's head lies below what was received, so that the log must be asked.
    pub fn is_doubtful(&self, epoch: u32, head: u64) -> bool {
        self.epoch == epoch && self.known.last().is_some_and(|last| head < last)
    }

    /// Takes the log's word for its head, asked for when `received` was the highest sequence here. Says whether
    /// everything cached is void, because it lies beyond.
    pub fn confirm(&mut self, epoch: u32, head: u64, received: u64) -> bool {
        if self.epoch == epoch && received <= head {
            return false;
        }
        *self = Self::new(epoch, head);
        true
    }

    /// Takes entries in. `slice` must hold what [`Batch::wanted`] named; what changed in it must be written back
    /// together with this.
    pub fn absorb(&mut self, slice: &mut Slice, batch: Batch, me: AccountId) -> Outcome {
        let mut outcome = Outcome::default();
        if self.epoch != batch.epoch {
            *self = Self::new(batch.epoch, batch.head);
            *slice = Slice::default();
            outcome.reset = true;
        }
        if batch.head < self.erased || !self.known.covers(batch.head + 1, self.synced) {
            outcome.stale = true;
            return outcome;
        }
        let reach = self.synced.max(self.known.last().unwrap_or(0));
        if !self.known.is_empty() && batch.from <= batch.to && batch.from > reach + 1 + WIDEST_GAP {
            self.known = Ranges::default();
            *slice = Slice::default();
            outcome.dropped_below = Some(batch.from);
        }
        let (from, to, head) = (batch.from, batch.to, batch.head);
        let fresh = self.insert(slice, batch.entries, &mut outcome, me);
        apply(slice, &fresh, me);
        erase_texts(slice);
        self.extend(from, to, head, &fresh, &mut outcome);
        outcome
    }

    /// Puts the batch's entries into the slice; gives back those that were not known.
    fn insert(
        &self,
        slice: &mut Slice,
        entries: Vec<Entry>,
        outcome: &mut Outcome,
        me: AccountId,
    ) -> Vec<Entry> {
        let mut fresh = Vec::new();
        // Acts known before must be applied again to what comes only now; acts of this batch follow later.
        let known_acts =
            |slice: &Slice, seq| slice.acts_on(seq).into_iter().filter(|act| self.known.contains(act.seq));
        for entry in entries {
            let seq = entry.seq;
            let came = CachedEntry::new(entry.clone());
            let recount = match slice.entries.get_mut(&seq) {
                Some(cached) if self.known.contains(seq) => {
                    let recount = cached.merge(came);
                    slice.dirty.insert(seq);
                    recount
                }
                _ => {
                    slice.put(came);
                    outcome.added.insert(seq);
                    fresh.push(entry);
                    true
                }
            };
            for act in known_acts(slice, seq).collect::<Vec<_>>() {
                slice.change(seq, |cached| {
                    cached.change(&act);
                    if recount {
                        cached.count(&act, me);
                    }
                });
            }
        }
        fresh
    }

    /// Widens what is known and moves `synced` as far as it goes without a hole.
    fn extend(&mut self, from: u64, to: u64, head: u64, fresh: &[Entry], outcome: &mut Outcome) {
        // Which messages an erased author reacted to is not known for sure, and what came as an event stands as it was
        // sent: everything older is void, whenever the erasure becomes known.
        let erasures = fresh.iter().filter(|entry| entry.kind == Kind::AuthorErased);
        let erased = erasures.map(|entry| entry.seq).max();
        self.erased = erased.map_or(self.erased, |seq| seq.max(self.erased));
        if self.known.is_empty() && from <= to {
            // The first batch stands as of its head; nothing else is cached that could be behind.
            self.synced = head;
        }
        self.known.insert(from, to);
        self.head = self.head.max(head);
        if let Some(first) = erased.max(self.known.start_of_newest(MOST_RANGES)) {
            self.known.keep_from(first);
            outcome.dropped_below = outcome.dropped_below.max(Some(first));
            self.synced = self.synced.max(first - 1);
        }
        if let Some((_, last)) = self.known.around(self.synced + 1) {
            self.synced = last;
        }
    }
}

/// Applies the acts that became known to what they point at.
fn apply(slice: &mut Slice, fresh: &[Entry], me: AccountId) {
    for act in fresh {
        if let (Kind::Edit | Kind::Delete | Kind::Reaction, Some(target)) = (act.kind, act.target) {
            slice.change(target, |cached| {
                cached.change(act);
                cached.count(act, me);
            });
        }
    }
}

/// Leaves no text behind of what was deleted, in edits neither; a deletion may be known where its message is not.
fn erase_texts(slice: &mut Slice) {
    let is_deletion = |cached: &&CachedEntry| cached.entry.kind == Kind::Delete;
    let deletions: BTreeSet<u64> =
        slice.entries.values().filter(is_deletion).filter_map(|cached| cached.entry.target).collect();
    let is_gone = |cached: &CachedEntry| {
        let target = cached.entry.target;
        let message = target.and_then(|target| slice.entries.get(&target));
        match cached.entry.kind {
            Kind::Message => cached.deleted > 0,
            Kind::Edit => {
                message.is_some_and(CachedEntry::is_deleted)
                    || target.is_some_and(|target| deletions.contains(&target))
            }
            _ => false,
        }
    };
    let gone: Vec<u64> =
        slice.entries.values().filter(|cached| is_gone(cached)).map(|cached| cached.entry.seq).collect();
    for seq in gone {
        slice.change(seq, CachedEntry::erase);
    }
}

#[cfg(test)]
mod tests;
