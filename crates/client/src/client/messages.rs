//! Reading messages: from the cache, after fetching what it lacks where a connection allows.

use suda_proto::ConversationId;
use suda_proto::request::Range;

use super::Client;
use crate::cache::Held;
use crate::conversation::PAGE;
use crate::engine::Command;
use crate::error::ClientError;
use crate::model::{Anchor, Message, MessageList};
use crate::standing::CachedEntry;
use crate::view;

/// How many messages a call gives back at most.
const MOST_MESSAGES: u32 = 500;

/// How many pages one call fetches at most: pages of reactions and edits show nothing.
const MOST_FETCHES: usize = 8;

/// A stretch of the cache without holes, and what is read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    /// Its lowest sequence.
    from: u64,
    /// Its highest sequence.
    to: u64,
    /// Read downwards from here, this many.
    before: (u64, u32),
    /// Read upwards from after that, this many.
    after: u32,
}

/// What the cache has to offer, and what it lacks.
#[derive(Debug, Default)]
struct Read {
    entries: Vec<CachedEntry>,
    has_earlier: bool,
    has_later: bool,
    /// What to fetch to have more.
    lacks: Option<Range>,
}

impl Client {
    /// Up to `limit` (at most 500) messages at `anchor`, ascending. Without a connection those that the cache has.
    ///
    /// Read them again when an event tells of changes, and when the connection comes back.
    ///
    /// # Errors
    /// `Server` where the account may not read them; `Cache`.
    pub async fn messages(
        &self,
        conversation: ConversationId,
        anchor: Anchor,
        limit: u32,
    ) -> Result<MessageList, ClientError> {
        let limit = limit.clamp(1, MOST_MESSAGES);
        let mut read = self.read(conversation, anchor, limit).await?;
        for _ in 0..MOST_FETCHES {
            let Some(range) = read.lacks else { break };
            match self.answer(|done| Command::Look(conversation, range, done)).await {
                Ok(()) => {}
                Err(ClientError::Offline | ClientError::TimedOut) => break,
                Err(ClientError::Server(error)) if error.retry_after_ms.is_some() => break,
                Err(_) if !read.entries.is_empty() => break,
                Err(error) => return Err(error),
            }
            let before = read.lacks;
            read = self.read(conversation, anchor, limit).await?;
            if read.lacks == before {
                break;
            }
        }
        self.show(conversation, read).await
    }

    /// Adds what is not stored yet.
    async fn show(&self, conversation: ConversationId, read: Read) -> Result<MessageList, ClientError> {
        let mut messages: Vec<Message> =
            read.entries.iter().map(|cached| view::stored(conversation, cached)).collect();
        let items = self.inner.cache.outbox().await?;
        let items = items.iter().filter(|item| item.conversation == conversation);
        for item in items {
            view::overlay(&mut messages, item);
            messages.extend(view::unsent(item, self.inner.me).filter(|_| !read.has_later));
        }
        Ok(MessageList { messages, has_earlier: read.has_earlier, has_later: read.has_later })
    }

    async fn read(
        &self,
        conversation: ConversationId,
        anchor: Anchor,
        limit: u32,
    ) -> Result<Read, ClientError> {
        let held = self.inner.cache.conversation(conversation).await?.unwrap_or_default();
        let floor = held.row.as_ref().map_or(1, |row| row.floor.max(1));
        let Some(stretch) = stretch(&held, anchor, limit) else {
            return Ok(unread(&held, anchor, floor));
        };
        let (start, count) = stretch.before;
        let cache = &self.inner.cache;
        let mut entries = cache.shown(conversation, (stretch.from, start), count, true).await?;
        let is_short_before = entries.len() < count as usize;
        let later = cache.shown(conversation, (start + 1, stretch.to), stretch.after + 1, false).await?;
        let is_short_after = later.len() <= stretch.after as usize;
        entries.extend(later.into_iter().take(stretch.after as usize));
        let (is_at_floor, is_at_head) = (stretch.from <= floor, stretch.to >= held.state.head);
        let lacks = if count > 0 && is_short_before && !is_at_floor {
            Some(reaching(&held, stretch.from - 1))
        } else if stretch.after > 0 && is_short_after && !is_at_head {
            Some(Range::Between { from: stretch.to + 1, to: stretch.to + u64::from(PAGE) })
        } else {
            None
        };
        let has_earlier = !is_at_floor || !is_short_before || (count == 0 && start >= stretch.from);
        Ok(Read { entries, has_earlier, has_later: !is_short_after || !is_at_head, lacks })
    }
}

/// Which stretch of the cache an anchor means; `None` where it is not cached.
fn stretch(held: &Held, anchor: Anchor, limit: u32) -> Option<Stretch> {
    let known = &held.state.known;
    let (around, before, after) = match anchor {
        Anchor::Newest => (known.last()?, limit, 0),
        Anchor::Before(seq) => (seq.checked_sub(1)?, limit, 0),
        Anchor::After(seq) => (seq.saturating_add(1), 0, limit),
        Anchor::Around(seq) => (seq, limit.div_ceil(2), limit / 2),
    };
    let (from, to) = known.around(around)?;
    // Upwards reading begins at the anchor itself, downwards reading ends with it.
    let start = if before == 0 { around - 1 } else { around };
    Some(Stretch { from, to, before: (start, before), after })
}

/// What to fetch to have what ends with `to`: a page is cut at its end where it is too long, so where something is
/// known a little below, that is continued.
fn reaching(held: &Held, to: u64) -> Range {
    match held.state.known.last_below(to) {
        Some(below) if to - below <= u64::from(PAGE) => Range::Between { from: below + 1, to },
        _ => Range::Before { before: to + 1, limit: PAGE },
    }
}

/// Nothing of it is cached.
fn unread(held: &Held, anchor: Anchor, floor: u64) -> Read {
    let head = held.state.head;
    let (is_there, range) = match anchor {
        Anchor::Newest => (true, Range::Newest { limit: PAGE }),
        Anchor::Before(before) => (before > floor, reaching(held, before.saturating_sub(1))),
        Anchor::After(seq) => {
            (seq < head, Range::Between { from: seq + 1, to: seq.saturating_add(u64::from(PAGE)) })
        }
        Anchor::Around(seq) => {
            let is_near =
                held.state.known.last_below(seq).is_some_and(|below| seq - below <= u64::from(PAGE));
            (true, if is_near { reaching(held, seq) } else { Range::Around { seq, limit: PAGE } })
        }
    };
    let (has_earlier, has_later) = match anchor {
        Anchor::Newest => (head >= floor, false),
        Anchor::Before(_) => (is_there, true),
        Anchor::After(_) => (true, is_there),
        Anchor::Around(seq) => (seq > floor, seq < head),
    };
    Read { entries: Vec::new(), has_earlier, has_later, lacks: is_there.then_some(range) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Conversation;

    fn held() -> Held {
        let mut state = Conversation::new(1, 100);
        state.known.insert(10, 20);
        state.known.insert(60, 100);
        Held { state, ..Held::default() }
    }

    #[test]
    fn an_anchor_means_the_stretch_that_it_lies_in() {
        let held = held();
        let newest = Stretch { from: 60, to: 100, before: (100, 8), after: 0 };
        assert_eq!(stretch(&held, Anchor::Newest, 8), Some(newest));
        let before = Stretch { from: 10, to: 20, before: (14, 8), after: 0 };
        assert_eq!(stretch(&held, Anchor::Before(15), 8), Some(before));
        let after = Stretch { from: 60, to: 100, before: (70, 0), after: 8 };
        assert_eq!(stretch(&held, Anchor::After(70), 8), Some(after));
        let around = Stretch { from: 10, to: 20, before: (15, 4), after: 4 };
        assert_eq!(stretch(&held, Anchor::Around(15), 8), Some(around));
        assert_eq!(stretch(&held, Anchor::Before(60), 8), None, "59 is not cached");
        assert_eq!(stretch(&held, Anchor::Before(0), 8), None);
    }

    #[test]
    fn what_is_not_cached_is_fetched_unless_nothing_can_be_there() {
        let held = held();
        assert_eq!(unread(&held, Anchor::Before(60), 1).lacks, Some(Range::Between { from: 21, to: 59 }));
        assert_eq!(unread(&held, Anchor::Before(9), 1).lacks, Some(Range::Before { before: 9, limit: PAGE }));
        assert_eq!(unread(&held, Anchor::Before(5), 5).lacks, None);
        assert_eq!(unread(&held, Anchor::After(100), 1).lacks, None);
        assert!(unread(&held, Anchor::Around(40), 1).has_later);
    }
}
