//! Where the entries are that stand in segments, not in sorted files yet.
//!
//! There are as many as a few segments hold, twelve bytes each, so they are kept in memory and
//! nowhere else: rows for them in the database would be most of what it writes, only to be removed
//! by the next merge. At the start they are found by reading the headers in those segments.

use std::collections::{HashMap, VecDeque};
use std::sync::{PoisonError, RwLock};

use foldhash::fast::RandomState;
use suda_proto::ConversationId;

use crate::log::Position;

/// Records are read together if at most this many bytes lie between them.
const GAP: u32 = 4 * 1024;
/// Most bytes of records that are read together.
const SPAN: u32 = 64 * 1024;
/// Conversations that are looked at while others wait.
const CHUNK: usize = 512;

/// An entry's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it is.
    pub position: Position,
    /// Its encoded length in bytes.
    pub length: u32,
}

/// The unmerged entries of one conversation: contiguous, up to its head.
#[derive(Default)]
struct Unmerged {
    /// The sequence of the first.
    first: u64,
    places: VecDeque<Place>,
}

/// The places of all entries that are in segments.
#[derive(Default)]
pub struct Locations {
    conversations: RwLock<HashMap<ConversationId, Unmerged, RandomState>>,
}

impl Locations {
    /// Adds entries, each the next of its conversation.
    pub fn add(&self, entries: impl IntoIterator<Item = (ConversationId, u64, Place)>) {
        let mut conversations = self.conversations.write().unwrap_or_else(PoisonError::into_inner);
        for (conversation, seq, place) in entries {
            let unmerged = conversations.entry(conversation).or_default();
            if unmerged.places.is_empty() {
                unmerged.first = seq;
            }
            unmerged.places.push_back(place);
        }
    }

    /// The places of the entry `from` and of those behind it, up to `to`, that can be read with
    /// it at once; `None` if it is not in a segment.
    pub fn near(&self, conversation: ConversationId, from: u64, to: u64) -> Option<Vec<Place>> {
        let conversations = self.conversations.read().unwrap_or_else(PoisonError::into_inner);
        let unmerged = conversations.get(&conversation)?;
        let begin = usize::try_from(from.checked_sub(unmerged.first)?).ok()?;
        let first = *unmerged.places.get(begin)?;
        let most = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
        let mut near = vec![first];
        let mut end = first.position.offset + first.length;
        for place in unmerged.places.iter().skip(begin + 1).take(most) {
            let Position { segment, offset } = place.position;
            let next_end = offset + place.length;
            let is_near = segment == first.position.segment
                && offset.saturating_sub(end) <= GAP
                && next_end - first.position.offset <= SPAN;
            if !is_near {
                break;
            }
            near.push(*place);
            end = next_end;
        }
        Some(near)
    }

    /// Forgets the entries in segments up to `segment`: they are found in a sorted file now.
    pub fn forget(&self, segment: u32) {
        let conversations = self.conversations.read().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<ConversationId> = conversations.keys().copied().collect();
        drop(conversations);
        for some in all.chunks(CHUNK) {
            let mut conversations = self.conversations.write().unwrap_or_else(PoisonError::into_inner);
            for conversation in some {
                let Some(unmerged) = conversations.get_mut(conversation) else {
                    continue;
                };
                let count = unmerged.places.partition_point(|place| place.position.segment <= segment);
                unmerged.places.drain(..count);
                unmerged.first += count as u64;
                match unmerged.places.is_empty() {
                    true => drop(conversations.remove(conversation)),
                    false => unmerged.places.shrink_to_fit(),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: ConversationId = ConversationId::from_bytes([1; 16]);
    const TWO: ConversationId = ConversationId::from_bytes([2; 16]);

    fn place(segment: u32, offset: u32) -> Place {
        Place { position: Position { segment, offset }, length: 100 }
    }

    #[test]
    fn neighbours_come_together_and_merged_entries_go() {
        let locations = Locations::default();
        locations.add([
            (ONE, 7, place(1, 64)),
            (ONE, 8, place(1, 164)),
            (TWO, 1, place(1, 264)),
            (ONE, 9, place(1, 64 + GAP * 2)),
            (ONE, 10, place(2, 64)),
            (ONE, 11, place(2, 364)),
        ]);
        let near = |from, to| locations.near(ONE, from, to).map(|near| near.len());
        assert_eq!([near(6, 9), near(7, 99), near(7, 7), near(8, 9)], [None, Some(2), Some(1), Some(1)]);
        assert_eq!([near(9, 99), near(10, 99), near(12, 99)], [Some(1), Some(2), None]);
        locations.forget(1);
        assert_eq!([near(9, 99), near(10, 99)], [None, Some(2)]);
        assert_eq!(locations.near(TWO, 1, 9), None);
        locations.forget(2);
        locations.add([(ONE, 12, place(3, 64))]);
        assert_eq!(locations.near(ONE, 12, 12), Some(vec![place(3, 64)]));
    }

    #[test]
    fn what_is_read_together_has_an_end() {
        let locations = Locations::default();
        locations.add((0..2_000).map(|number| (ONE, 1 + number, place(1, 64 + 100 * number as u32))));
        let near = locations.near(ONE, 1, 2_000).expect("places");
        assert_eq!(near.len() as u32, SPAN / 100);
    }
}
